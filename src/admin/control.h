/* SPDX-License-Identifier: MIT */
/*
 * The socket that privlinkctl talks to: one request a connection, a reply, end of file. Main
 * thread.
 *
 * A request is one line: words parted by spaces; octets that are no printable ASCII, spaces and `%`
 * are written %XX. The first word may be `-j` (a reply in JSON); then come the command and its
 * arguments. A reply is a line that is one of CONTROL_OK, CONTROL_FAILED, CONTROL_ERROR and
 * CONTROL_USAGE, then the body: for the last two a message.
 */
#ifndef PRIVLINKD_ADMIN_CONTROL_H
#define PRIVLINKD_ADMIN_CONTROL_H

#include <event2/event.h>
#include <stdint.h>
#include <sys/types.h>

#include "admin/build.h"
#include "admin/reload.h"
#include "base/err.h"
#include "base/publish.h"
#include "forward/forward.h"
#include "serve/listen.h"
#include "serve/worker.h"

#define CONTROL_OK "ok"
#define CONTROL_FAILED "failed" /* the body is the whole report, and there are errors in it */
#define CONTROL_ERROR "error"
#define CONTROL_USAGE "usage"

/* Clients at once: people and monitoring scripts. More wait in the kernel's queue. */
#define CONTROL_CLIENTS_MAX 16
/* Octets of a request: a name with every octet escaped twice, a type, and room. */
#define CONTROL_REQUEST_MAX 8192
#define CONTROL_WORDS_MAX 8

/* What the commands work on. All of it outlives the control. */
struct control_parts {
	struct reload *reload;
	struct build *build;
	struct publish *publish;
	const struct listeners *listeners;
	struct workers *workers;
	struct forward_shared *forward;
	struct tls_server *tls; /* or NULL */
	uint64_t started_ms;
};

/*
 * Opens the socket at `path`, mode 0660, given to uid and gid ((uid_t)-1: left as it is). A stale
 * one is replaced; one behind which a server listens is an error. *ret_fd.
 */
int control_open(const char *path, uid_t uid, gid_t gid, int *ret_fd, struct err *err);

/* Undoes control_open: removes the path as far as we have the right to. -1: nothing happens. */
void control_close(int fd, const char *path);

struct control;

/* Serves `fd`, which it owns from now on, and removes `path` at the end. NULL: it has neither. */
struct control *control_new(struct event_base *base, int fd, const char *path,
			    const struct control_parts *parts, struct err *err);
/*
 * Serves at another path: opens that, then closes and removes the old one. The same path: nothing
 * happens. Requests under way go on. -1: the old one stays.
 */
int control_move(struct control *control, const char *path, struct err *err);

/* Nothing may call back any more: after workers_stop and before reload_free. */
void control_free(struct control *control);

#endif
