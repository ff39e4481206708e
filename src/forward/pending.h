/* SPDX-License-Identifier: MIT */
/*
 * The asking: a worker's questions in flight, each to one upstream after another until one answers.
 *
 * Knows nothing of the cache and of who waits. A fixed number of questions, each known by its
 * number; its sockets, connections and timer are on the worker's event base. One thread.
 */
#ifndef PRIVLINKD_FORWARD_PENDING_H
#define PRIVLINKD_FORWARD_PENDING_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "forward/cache.h"
#include "forward/forward.h"
#include "forward/rounds.h"
#include "forward/store.h"
#include "upstream/upstream.h"

/*
 * Datagrams and connections of one question whose answers are waited for at one time. Fixed: one
 * more takes the place of the oldest, which has had its time, so nothing is refused.
 */
#define PENDING_TRIES_MAX 8

/*
 * With no socket or connection free a question tries again so much later, until its deadline. The
 * answers that free them take about so long.
 */
#define PENDING_NO_ROOM_MS 50

/*
 * An upstream that is asked over TCP has so long before the next is asked too: three round trips.
 */
#define PENDING_TCP_MS 1500

/*
 * How long a failure is kept, so that it is not asked for again by every retry of every client
 * (RFC 9520 3.2: at least 1 s, at most 5 min). Short: an upstream that is back should show at once.
 */
#define FAILURE_TTL_S 5
/* The same where no upstream answered at all. */
#define FAILURE_SILENT_TTL_S 1

/* What became of a question. */
struct pending_outcome {
	const uint8_t *data; /* a scrubbed message; good until `done` returns or asks anew */
	size_t len;
	uint8_t rcode;
	bool ad, failed; /* as in struct reply */
	bool negative;
	bool silent;   /* somebody who was asked said nothing in time */
	bool plain;    /* as in struct reply */
	uint16_t ttls; /* places that are known, behind the message: as in struct reply */
	int ede;
	uint32_t ttl_s; /* how long it may be kept, uncapped */
};

/* Question `i` is answered and its number free again. */
typedef void pending_done_fn(void *arg, uint32_t i, const struct pending_outcome *outcome);

struct pending_conf {
	unsigned max; /* questions */
	unsigned sockets_max;
	unsigned datagrams_max; /* that one question may cost */
	unsigned near_misses_max;
	struct conns_limits conns;
	struct upstreams *upstreams;
	struct event_base *base;
	struct forward_counters *counters;
	struct prober *prober; /* for trying upstreams out */
	pending_done_fn *done;
	void *arg;
};

struct pending;

struct pending *pending_new(const struct pending_conf *conf, struct err *err);
/* What is in flight is dropped without a word. */
void pending_free(struct pending *pending);

/* The number of a free question, or -1. */
int pending_take(struct pending *pending);
/* Gives one back that was not started. */
void pending_give(struct pending *pending, uint32_t i);

/*
 * Sends it out; `done` comes later, never from within this call. `key` and the STORE_SMALL_LEN
 * octets at `room`, where a bad answer is kept while better ones are waited for, stay good until
 * then. Members of the group in `without` (bit i: member i) are not asked; those that are become
 * bits of *members_asked before the query leaves, for other threads to read; these may set
 * FLIGHT_RETURNED there.
 */
void pending_start(struct pending *pending, uint32_t i, const struct question_key *key,
		   uint8_t *room, uint32_t without, _Atomic uint32_t *members_asked,
		   uint64_t now_ms);

/* A failure for this question, as reply_failure; into STORE_SMALL_LEN octets. */
static inline size_t pending_failure(const struct question_key *key, uint8_t *out)
{
	return reply_failure(key->fold, key->type, out, STORE_SMALL_LEN);
}

#endif
