/* SPDX-License-Identifier: MIT */
/*
 * Questions in flight, one of each in the whole process, and who waits for them.
 *
 * A flight is the placeholder that a miss leaves: it belongs to the worker whose question goes out.
 * It is found, joined and removed with the lock of its hash's cache shard held. A wait is one
 * waiter's slot; it belongs to its worker, but for the link to the next waiter, which the shard's
 * lock covers while it hangs in a flight.
 */
#ifndef PRIVLINKD_FORWARD_FLIGHT_H
#define PRIVLINKD_FORWARD_FLIGHT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "forward/cache.h"

/*
 * Waiters of a worker, over all questions, for each question that it may have in flight: joined
 * ones are cheap. Its mailbox has as many letters, so it can never be full.
 */
#define FLIGHT_WAITS_A_QUESTION 4

#define FLIGHT_NONE UINT32_MAX

/* Of members_asked: this question was seen to come back to us. */
#define FLIGHT_RETURNED (UINT32_C(1) << 31)

struct flight {
	struct question_key key; /* fold points to the octets below */
	uint32_t next;           /* in its bucket */
	uint32_t first_wait;
	unsigned waits;
	/*
	 * Members of the group that it was sent to (bit i: member i), and FLIGHT_RETURNED; set
	 * without the lock.
	 */
	_Atomic uint32_t members_asked;
	bool flushed; /* not to be kept, nor joined any more */
	uint8_t fold[NAME_WIRE_MAX + 1];
};

struct flights;

/*
 * `each` flights and FLIGHT_WAITS_A_QUESTION times as many waits for each of `workers`. NULL
 * without memory.
 */
struct flights *flights_new(unsigned workers, unsigned each);
void flights_free(struct flights *flights);
unsigned flights_waits_each(const struct flights *flights);

/*
 * Of this name and all below it (NULL: all): flights_find does not see them any more. Without a
 * lock; any thread.
 */
void flights_flush(struct flights *flights, struct cache *cache, const struct name *name);

/*
 * False: nothing with this key's hash is in flight. Without a lock, any thread: what was in flight
 * before the caller learned of it is seen.
 */
bool flights_may_have(const struct flights *flights, const struct question_key *key);

/* With the shard of the key's hash locked: */
struct flight *flights_find(struct flights *flights, const struct question_key *key);
/* Flight `i` of `worker`, which must not be in use. */
struct flight *flights_add(struct flights *flights, unsigned worker, unsigned i,
			   const struct question_key *key);
void flights_join(struct flights *flights, struct flight *flight, uint32_t wait);
/* Out of the table. The first of its waits, which now are the caller's, or FLIGHT_NONE. */
uint32_t flights_remove(struct flights *flights, struct flight *flight);

/* Flight `i` of this worker, for its owner. */
struct flight *flights_at(struct flights *flights, unsigned worker, unsigned i);

/* The next of the waits that flights_remove gave. Read it before the wait is handed on. */
uint32_t flights_next_wait(const struct flights *flights, uint32_t wait);
/* Whose wait it is. */
unsigned flights_wait_worker(const struct flights *flights, uint32_t wait);

/* The wait's own worker: */

/* A wait for this waiter, or FLIGHT_NONE. */
uint32_t flights_take_wait(struct flights *flights, unsigned worker, uint64_t waiter);
/* Its flight has ended, or was never joined. False where the waiter was forgotten meanwhile. */
bool flights_end_wait(struct flights *flights, uint32_t wait, uint64_t *ret_waiter);
/* All waits of this waiter will end without it. */
void flights_forget(struct flights *flights, unsigned worker, uint64_t waiter);

/* Did it come back to us? Then the SERVFAIL is our own, passed on. */
static inline bool flight_has_returned(const _Atomic uint32_t *members_asked)
{
	return atomic_load_explicit(members_asked, memory_order_relaxed) & FLIGHT_RETURNED;
}

#endif
