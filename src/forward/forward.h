/* SPDX-License-Identifier: MIT */
/*
 * Forwarding: one question to an upstream group out, one reply or failure back.
 *
 * The cache and the questions in flight are shared by all workers: the same question is in flight
 * once in the whole process, whoever asks. A worker that finds its question in flight elsewhere
 * waits for that one. Sockets, retries and timers belong to the worker that asks.
 *
 * A question goes to its group's upstreams by policy, over UDP from a random port with a random id;
 * what does not match in address, port, id and question is ignored and the wait goes on; TC means
 * TCP. An upstream that does not answer in time, cannot be reached, or answers SERVFAIL, REFUSED,
 * FORMERR or NOTIMP, is followed by the next; of several bad answers the most telling is given
 * back. Those that were silent or out of reach are asked again. Every question ends within
 * FORWARD_DEADLINE_MS.
 *
 * Each struct forward is used by its worker's thread alone.
 */
#ifndef PRIVLINKD_FORWARD_FORWARD_H
#define PRIVLINKD_FORWARD_FORWARD_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/counter.h"
#include "base/err.h"
#include "forward/reply.h"
#include "upstream/conns.h"
#include "upstream/counters.h"
#include "upstream/upstream.h"

/*
 * A question's whole life: so that a client, who gets its answer within 4 s, still gets this one's
 * failure.
 */
#define FORWARD_DEADLINE_MS 3900

/* What may change while workers run: see forward_shared_configure. */
struct forward_limits {
	size_t cache_bytes;
	uint32_t ttl_max_s, negative_ttl_max_s;
	uint32_t stale_s; /* how long past its time an answer may serve; 0: not at all */
	bool prefetch;    /* ask anew for what is in use before its time is over */
};

/*
 * One upstream group gets one more of a worker's questions in flight as long as it has fewer than
 * so many times the free ones: one alone may take three quarters, two 3/7 each. What goes to a
 * silent group, and stays until its deadline, leaves questions for the others.
 */
#define FORWARD_GROUP_SHARE 3
/* Questions asked ahead, with nobody waiting, may take this part of a worker's. */
#define FORWARD_AHEAD_PART 8

struct forward_conf {
	struct forward_limits limits;
	unsigned inflight_max; /* questions in flight, a worker */
	/* waiters on one question, the whole process; one more is refused */
	unsigned waiters_max;
	unsigned sockets_max; /* UDP sockets of a worker's pool */
	struct conns_limits conns;
	unsigned datagrams_max;   /* that one question may cost */
	unsigned near_misses_max; /* before a query is asked over TCP: see struct tries_conf */
	unsigned large_max;       /* replies over 2 KB in hand, the whole process */
	unsigned probes_max;      /* under way, a worker */
	unsigned loop_probes_max; /* of these, for loops */
	unsigned workers;
};

/* One writer each: the worker. */
struct forward_counters {
	/* of the cache; of the hits: past their time; waits on a question that was in flight */
	struct counter hits, misses, stale, joined;
	struct counter prefetched;              /* questions asked ahead, with nobody waiting */
	struct counter asked, answered, failed; /* questions of ours */
	struct counter retries, timeouts;
	struct counter spent; /* questions that had used up their datagrams */
	struct counter lame;  /* a referral in place of an answer */
	struct counter refused_inflight, refused_waiters; /* a limit was met */
	struct counter refused_large; /* replies dropped: no room for one more large one */
	struct counter looped;        /* failed at once: all upstreams send it back to us */
	/* a group had its share of the questions in flight, or asking ahead had its part */
	struct counter refused_share, refused_ahead;
	struct upstream_counters upstream; /* of its queries */
};

struct forward_shared;
struct forward;
struct looptable; /* forward/looptable.h */
struct prober;

/* Shared by all workers; main thread. `upstreams` must outlive it. */
struct forward_shared *forward_shared_new(const struct forward_conf *conf,
					  struct upstreams *upstreams, struct err *err);
void forward_shared_free(struct forward_shared *shared);

/*
 * Makes these count from the next question on, for what is in the cache too. Another cache size
 * empties it. Main thread. -1: there is no memory for that size, and the cache is as it was; the
 * other limits count.
 */
int forward_shared_configure(struct forward_shared *shared, const struct forward_limits *limits,
			     struct err *err);

/*
 * The answer that was waited for. `reply` is good during the call; reply_hold keeps it (it always
 * has a store). May call forward_get and forward_forget.
 */
typedef void forward_done_fn(void *arg, uint64_t waiter, const struct reply *reply);

/* Worker `n`'s part, on its event base. */
struct forward *forward_new(struct forward_shared *shared, unsigned n, struct event_base *base,
			    forward_done_fn *done, void *arg, struct err *err);
/*
 * Questions outstanding are dropped: waiters of other workers hear a failure, this one's nothing.
 * On the thread of its event base, or when that runs no more.
 */
void forward_free(struct forward *forward);

enum forward_verdict {
	FORWARD_HIT, /* *ret holds the reply, from the cache, its octets in `buf` */
	/* `done` will be called with `waiter`, once, not before this call has returned */
	FORWARD_WAITING,
	FORWARD_MISS, /* not cached, and `waiter` was 0: nothing was asked */
	FORWARD_FULL, /* a limit was met */
	FORWARD_LOOP, /* the question is one of ours that came back */
};

/*
 * Looks in the cache and, if it is not there, asks (waiter != 0). `buf` has room for REPLY_LEN_MAX
 * octets; where it is smaller a longer reply counts as not cached. With a waiter a hit may be stale
 * where upstreams have just failed to renew it, and one that is stale or soon will be is asked for
 * again behind the caller's back.
 */
enum forward_verdict forward_get(struct forward *forward, const struct forward_question *question,
				 uint64_t waiter, uint64_t now_ms, uint8_t *buf, size_t cap,
				 struct reply *ret);

/*
 * This question will be put to forward_get in a moment: begins to fetch from memory what that will
 * look at. First forward_expect for some questions, then forward_expect_reply for each with what it
 * gave, then forward_get: so their waits for memory overlap. Hints that change nothing.
 */
uint64_t forward_expect(struct forward *forward, const struct forward_question *question);
void forward_expect_reply(struct forward *forward, uint64_t expected);

/*
 * Looks in the cache for whatever may still be used, fresh or stale (RFC 8767): when the wait for a
 * fresh reply is over. It is asked for again as above; who asks for it next need not wait.
 */
bool forward_get_stale(struct forward *forward, const struct forward_question *question,
		       uint64_t now_ms, uint8_t *buf, size_t cap, struct reply *ret);
/* May there be such replies? */
bool forward_serves_stale(const struct forward *forward);

/*
 * Leaves a word of the reader's own with the cached reply that has this serial number, for the next
 * reader of it: the memo "verdict at generation G". Gone with the reply; nothing is done where it
 * is not cached any more.
 */
void forward_remember(struct forward *forward, const struct forward_question *question,
		      uint32_t serial, uint64_t memo);

/*
 * This waiter wants no answer any more (its client's deadline has passed). Unknown ones are fine.
 */
void forward_forget(struct forward *forward, uint64_t waiter);

/* What is known of forwarding loops; lives as long as `shared`. Any thread. */
struct looptable *forward_loops(const struct forward_shared *shared);
struct looptable *forward_looptable(const struct forward *forward); /* the same */

/*
 * The members of the group (bit i: member i) at which this question, with whatever DO and CD, is in
 * flight now, whichever worker's it is.
 */
uint32_t forward_asks(struct forward *forward, const struct name *name, uint16_t type,
		      uint16_t group);

/* Is this the name of a probe of ours? Then it has come back: answer SERVFAIL. */
bool forward_is_probe(struct forward *forward, const struct name *name, const union addr *from,
		      const union addr *to, uint64_t now_ms);

/* This worker's prober (prober.h). */
struct prober *forward_prober(struct forward *forward);

const struct forward_counters *forward_counters(const struct forward *forward);

/*
 * Forgets cached replies: of this name and all below it, or everything (NULL). What is in flight
 * still goes to those who wait for it, and is not kept; whoever asks from now on asks anew. Returns
 * how many. Any thread.
 */
size_t forward_flush(struct forward_shared *shared, const struct name *name);

struct forward_cache_state {
	size_t entries, bytes, bytes_max, inflight;
	uint64_t evicted; /* replies that could still be used and had to make room */
};
void forward_cache_state(struct forward_shared *shared, struct forward_cache_state *ret);

#endif
