/* SPDX-License-Identifier: MIT */
/*
 * Reading everything again, and handing it to the workers.
 *
 * One reload at a time. Requests that come while one is under way are served by one more after it,
 * since what it reads may be older than they are. A bad configuration changes nothing. Sources are
 * read by a thread of its own (loader.h); all calls and callbacks are on the main thread, and none
 * waits for a file of records, but reload_first.
 */
#ifndef PRIVLINKD_ADMIN_RELOAD_H
#define PRIVLINKD_ADMIN_RELOAD_H

#include <event2/event.h>
#include <stdbool.h>

#include "admin/build.h"
#include "admin/config.h"
#include "admin/loader.h"
#include "admin/told.h"
#include "base/publish.h"
#include "serve/listen.h"
#include "serve/worker.h"

/* Requests that wait for one reload: more than there are clients of the control socket. */
#define RELOAD_WAITERS_MAX 32
/*
 * A file or folder at which the loader has been for so long counts as hanging: five million records
 * take less, and so does a share that is merely slow.
 */
#define RELOAD_HANGS_MS 10000

struct reload_conf {
	const char *config_path;
	bool config_may_miss; /* options are given: without a file the built-in defaults count */
	struct config_options options;
	unsigned verbose; /* levels that -v adds to log.level */
};

struct reload_report {
	bool applied; /* false: everything is as it was */
	const struct told *told;
	const struct account *account; /* how sources stand after it */
};

/* `report` is good during the call. */
typedef void reload_done_fn(void *arg, const struct reload_report *report);

/*
 * A configuration has come into force, at a reload: what is neither view nor log is to follow it.
 * What cannot is complained of, and stays as it is.
 */
typedef void reload_follow_fn(void *arg, const struct config *config, struct complaints *to);

struct reload;

/* For the next run: the file with the options over it, or the defaults. NULL with complaints. */
struct config *reload_read_config(const struct reload_conf *conf, struct complaints *to);

/* Sets the log up as the configuration and -v say. */
void reload_configure_log(const struct reload_conf *conf, const struct config *config);

/* Takes `config`, which is in force from the start. `build` and `publish` must outlive it. */
struct reload *reload_new(const struct reload_conf *conf, struct config *config,
			  struct build *build, struct publish *publish,
			  const struct listeners *listeners, struct err *err);
void reload_free(struct reload *reload);

/* The first view, before there are workers. Complaints are logged. */
int reload_first(struct reload *reload, struct err *err);

/*
 * From now on requests are served, on this event base; "ready" is logged and told the service
 * manager when all workers have the first view. Whoever waits when it ends is not called. `follow`
 * is called with `arg` in each reload. Records are watched from then on: a change of theirs is a
 * reload of changed files alone, with the configuration that is in force.
 */
int reload_attach(struct reload *reload, struct event_base *base, struct workers *workers,
		  reload_follow_fn *follow, void *arg, struct err *err);

/* Before the event base goes. Does not wait for a share that hangs. */
void reload_detach(struct reload *reload);

/*
 * After reload_detach: the loader is inside a call that does not return. The reload, its build and
 * its views cannot be freed any more; the process is to leave by _exit.
 */
bool reload_abandoned(const struct reload *reload);

/* Asks for a reload. `done` may be NULL. -1 if too many wait. Returns before anything is read. */
int reload_request(struct reload *reload, reload_done_fn *done, void *arg);

/*
 * Takes an entry that is held back; `accepted` is called when that is done, before any reload. -1
 * if too many wait.
 */
int reload_accept(struct reload *reload, const char *path, loader_accepted_fn *accepted, void *arg);

/* Which file or folder is being read or looked at, and for how many ms. False: none. */
bool reload_reading(const struct reload *reload, char path[READING_PATH_MAX], uint64_t *ret_ms);

/* Has that taken so long that nobody should wait for it? Then `text` says so. */
bool reload_hangs(const struct reload *reload, char *text, size_t cap);

/* How sources stand, as of the last load. */
const struct account *reload_account(const struct reload *reload);

/* What is in force. */
const struct config *reload_config(const struct reload *reload);

/* "12 records of 9 names from 2 files; 4 zones", of what is in force. Returns `text`. */
const char *reload_summary(const struct reload *reload, char *text, size_t cap);

#endif
