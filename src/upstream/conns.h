/* SPDX-License-Identifier: MIT */
/*
 * Connections to upstreams, over TCP and over TLS: kept open, shared by questions, which are
 * answered in any order (RFC 7766 6.2, RFC 7858 3.3).
 *
 * Preallocated; each is known by its number, like a slot of sockets.h. Who waits on a connection is
 * the caller's business: it holds, sends, matches the messages that come, releases. One thread.
 */
#ifndef PRIVLINKD_UPSTREAM_CONNS_H
#define PRIVLINKD_UPSTREAM_CONNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "upstream/counters.h"
#include "upstream/upstream.h"

/*
 * From connect to the first octet that can be sent, TLS handshake included: three round trips, and
 * the client is still there when another upstream has to be asked.
 */
#define CONNS_UP_MS 2500

/*
 * While questions wait on a connection and nothing came for so long, it gets no further ones: a
 * firewall may have forgotten it, and the kernel would find out in a quarter of an hour. Longer
 * than most answers take.
 */
#define CONNS_SILENT_MS 1500

/*
 * A connection is not used longer than that, however busy: certificates are looked at anew, and
 * load spreads again behind an address that stands for several servers.
 */
#define CONNS_LIFE_MS (60 * 60 * 1000)

/* The longest idle time that an upstream's keepalive (RFC 7828) can make us wait. */
#define CONNS_TOLD_IDLE_MAX_MS (120 * 1000)

/*
 * One upstream gets one more connection as long as those of its that somebody waits on are fewer
 * than so many times the others: the same share as of sockets (SOCKETS_SHARE).
 */
#define CONNS_SHARE 3

#define CONNS_NONE UINT32_MAX              /* a limit of ours is met */
#define CONNS_UNREACHABLE (UINT32_MAX - 1) /* the kernel knows no way there, or TLS pauses */

/* A worker's. */
struct conns_limits {
	unsigned max;
	unsigned questions_max; /* that wait on one */
	unsigned idle_ms;       /* how long one is kept on which none waits */
};

struct conns_conf {
	int epoll; /* connections are added with their number plus `base` as data */
	uint64_t base;
	struct conns_limits limits;
	struct upstreams *upstreams;
	struct upstream_counters *counters;
};

struct conns;

/* NULL without memory. */
struct conns *conns_new(const struct conns_conf *conf);
void conns_free(struct conns *conns);

/* How many are open: while there are, conns_check is to be called for each now and then. */
unsigned conns_open(const struct conns *conns);

/*
 * A connection to this upstream that takes one more question, an open one or a new one, held once
 * more; or CONNS_NONE or CONNS_UNREACHABLE.
 */
uint32_t conns_pick(struct conns *conns, uint16_t upstream, uint64_t now_ms);

/*
 * The first of the caller's list of those that wait on it; for the caller to change.
 * CONNS_NONE: nobody.
 */
uint32_t *conns_first(struct conns *conns, uint32_t i);

/* It stands: what is sent leaves at once. */
bool conns_stands(const struct conns *conns, uint32_t i);
/* A question was answered on it before: that it breaks says nothing about the upstream. */
bool conns_was_of_use(const struct conns *conns, uint32_t i);

/* Sends a query, or keeps it until the connection stands. False where there is no room. */
bool conns_send(struct conns *conns, uint32_t i, const uint8_t *query, size_t len);

/* One more waits on it, or one fewer. It is not closed while somebody does. */
void conns_hold(struct conns *conns, uint32_t i, uint64_t now_ms);
void conns_release(struct conns *conns, uint32_t i, uint64_t now_ms);

enum conns_verdict {
	CONNS_WAIT,     /* nothing for the caller */
	CONNS_MESSAGES, /* take them with conns_next, then step again */
	/* It has ended, or did not come about; it gets no further questions. */
	CONNS_BROKEN,
};

/* Something happened to it. CONNS_WAIT also for a number that is not in use. */
enum conns_verdict conns_step(struct conns *conns, uint32_t i, uint64_t now_ms);
/* A turn of steps is over, though there may be more: the loop will come back to it. */
void conns_leave(struct conns *conns, uint32_t i);

/* The next whole message, good until the next step; false when there is none. */
bool conns_next(struct conns *conns, uint32_t i, const uint8_t **ret_data, size_t *ret_len);

/*
 * That message was the answer to a question. `idle_ds`: how long its keepalive says that the
 * connection is kept, in units of 100 ms, or -1. With 0 it gets no further questions.
 */
void conns_note_answer(struct conns *conns, uint32_t i, int32_t idle_ds, uint64_t now_ms);

/* Is its time over? Closes it where nobody waits; CONNS_BROKEN as from conns_step. */
enum conns_verdict conns_check(struct conns *conns, uint32_t i, uint64_t now_ms);

#endif
