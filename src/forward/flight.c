/* SPDX-License-Identifier: MIT */
/*
 * The table of questions in flight and the slots of their waiters, all preallocated.
 *
 * Flights stand in arrays, one a worker, numbered as the worker's own table of pending questions;
 * the table joins them by chains. A bucket is chosen by the top bits of the hash, as the cache's
 * shard is, and there are at least as many buckets as shards: all of a bucket lies in one shard,
 * under one lock.
 *
 * A waiter's slot is in one of three states: free, waiting, forgotten. A forgotten one is still
 * linked to its flight, which another worker may own, so it cannot be used again until the flight
 * ends, at the latest at the question's deadline. So a worker's slots bound what can be in its
 * mailbox, and no letter needs a check whether its slot means somebody else by now.
 *
 * Slots are found by waiter through a small table of chains that its worker alone uses.
 */
#include "forward/flight.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "wire/name.h"

enum wait_state {
	WAIT_FREE,
	WAIT_WAITING,
	WAIT_FORGOTTEN,
};

struct wait {
	uint64_t waiter;
	uint32_t next_in_flight; /* under the shard's lock while it hangs in a flight */
	uint32_t next;           /* in its worker's chain, or the next free one */
	enum wait_state state;
};

/* A worker's part. */
struct waits {
	_Alignas(64) uint32_t free;
	uint32_t fresh; /* those from here on were never used */
	uint32_t *chains;
};

struct flights {
	unsigned workers, each, waits_each;
	unsigned shift;            /* hash >> shift is the bucket */
	_Atomic uint32_t *buckets; /* changed with their shard locked; read without: may_have */
	struct flight *flights;
	struct wait *wait;
	uint32_t chains_mask;
	struct waits waits[];
};

static unsigned round_up(unsigned n)
{
	unsigned power = 1;

	while (power < n)
		power *= 2;
	return power;
}

static uint32_t *new_chains(unsigned count)
{
	uint32_t *chains = malloc(count * sizeof(*chains));

	if (chains)
		memset(chains, 0xff, count * sizeof(*chains)); /* FLIGHT_NONE */
	return chains;
}

struct flights *flights_new(unsigned workers, unsigned each)
{
	size_t size = sizeof(struct flights) + workers * sizeof(struct waits);
	struct flights *flights = aligned_alloc(64, size);
	unsigned buckets = round_up(workers * each);
	unsigned i;

	if (!flights)
		return NULL;
	memset(flights, 0, size);
	if (buckets < CACHE_SHARDS_MAX)
		buckets = CACHE_SHARDS_MAX;
	flights->workers = workers;
	flights->each = each;
	flights->waits_each = each * FLIGHT_WAITS_A_QUESTION;
	flights->shift = 64 - (unsigned)__builtin_ctz(buckets);
	flights->buckets = malloc(buckets * sizeof(flights->buckets[0]));
	for (i = 0; flights->buckets && i < buckets; i++)
		atomic_init(&flights->buckets[i], FLIGHT_NONE);
	flights->flights = calloc((size_t)workers * each, sizeof(struct flight));
	flights->wait = calloc((size_t)workers * flights->waits_each, sizeof(struct wait));
	flights->chains_mask = round_up(flights->waits_each) - 1;
	if (!flights->buckets || !flights->flights || !flights->wait)
		goto fail;
	for (i = 0; i < workers; i++) {
		flights->waits[i].free = FLIGHT_NONE;
		flights->waits[i].chains = new_chains(flights->chains_mask + 1);
		if (!flights->waits[i].chains)
			goto fail;
	}
	return flights;
fail:
	flights_free(flights);
	return NULL;
}

void flights_free(struct flights *flights)
{
	unsigned i;

	if (!flights)
		return;
	for (i = 0; i < flights->workers; i++)
		free(flights->waits[i].chains);
	free(flights->buckets);
	free(flights->flights);
	free(flights->wait);
	free(flights);
}

unsigned flights_waits_each(const struct flights *flights)
{
	return flights->waits_each;
}

static _Atomic uint32_t *bucket_of(const struct flights *flights, uint64_t hash)
{
	return &flights->buckets[hash >> flights->shift];
}

static uint32_t bucket_first(const struct flights *flights, uint64_t hash)
{
	return atomic_load_explicit(bucket_of(flights, hash), memory_order_relaxed);
}

bool flights_may_have(const struct flights *flights, const struct question_key *key)
{
	return bucket_first(flights, key->hash) != FLIGHT_NONE;
}

static bool key_equal(const struct question_key *a, const struct question_key *b)
{
	return a->hash == b->hash && a->type == b->type && a->group == b->group &&
	       a->do_bit == b->do_bit && a->cd_bit == b->cd_bit && a->len == b->len &&
	       memcmp(a->fold, b->fold, a->len) == 0;
}

struct flight *flights_find(struct flights *flights, const struct question_key *key)
{
	uint32_t i = bucket_first(flights, key->hash);

	for (; i != FLIGHT_NONE; i = flights->flights[i].next) {
		if (!flights->flights[i].flushed && key_equal(&flights->flights[i].key, key))
			return &flights->flights[i];
	}
	return NULL;
}

void flights_flush(struct flights *flights, struct cache *cache, const struct name *name)
{
	uint64_t bucket, buckets = UINT64_C(1) << (64 - flights->shift);

	for (bucket = 0; bucket < buckets; bucket++) {
		struct cache_shard *shard = cache_lock(cache, bucket << flights->shift);
		uint32_t i = bucket_first(flights, bucket << flights->shift);

		for (; i != FLIGHT_NONE; i = flights->flights[i].next) {
			struct flight *flight = &flights->flights[i];

			if (!name || name_wire_ends_with(flight->fold, name->fold))
				flight->flushed = true;
		}
		cache_unlock(shard);
	}
}

struct flight *flights_at(struct flights *flights, unsigned worker, unsigned i)
{
	return &flights->flights[(size_t)worker * flights->each + i];
}

struct flight *flights_add(struct flights *flights, unsigned worker, unsigned i,
			   const struct question_key *key)
{
	struct flight *flight = flights_at(flights, worker, i);
	_Atomic uint32_t *bucket = bucket_of(flights, key->hash);

	flight->key = *key;
	memcpy(flight->fold, key->fold, key->len);
	flight->key.fold = flight->fold;
	flight->first_wait = FLIGHT_NONE;
	flight->waits = 0;
	atomic_store_explicit(&flight->members_asked, 0, memory_order_relaxed);
	flight->flushed = false;
	flight->next = atomic_load_explicit(bucket, memory_order_relaxed);
	atomic_store_explicit(bucket, (uint32_t)(flight - flights->flights), memory_order_relaxed);
	return flight;
}

void flights_join(struct flights *flights, struct flight *flight, uint32_t wait)
{
	flights->wait[wait].next_in_flight = flight->first_wait;
	flight->first_wait = wait;
	flight->waits++;
}

uint32_t flights_remove(struct flights *flights, struct flight *flight)
{
	uint32_t at = bucket_first(flights, flight->key.hash);
	uint32_t i = (uint32_t)(flight - flights->flights);

	if (at == i) {
		atomic_store_explicit(bucket_of(flights, flight->key.hash), flight->next,
				      memory_order_relaxed);
		return flight->first_wait;
	}
	assert(at != FLIGHT_NONE);
	while (flights->flights[at].next != i) {
		at = flights->flights[at].next;
		assert(at != FLIGHT_NONE);
	}
	flights->flights[at].next = flight->next;
	return flight->first_wait;
}

uint32_t flights_next_wait(const struct flights *flights, uint32_t wait)
{
	return flights->wait[wait].next_in_flight;
}

unsigned flights_wait_worker(const struct flights *flights, uint32_t wait)
{
	return wait / flights->waits_each;
}

static uint32_t *chain_of(struct flights *flights, unsigned worker, uint64_t waiter)
{
	uint64_t mixed = waiter * UINT64_C(0x9e3779b97f4a7c15);

	return &flights->waits[worker].chains[(mixed >> 32) & flights->chains_mask];
}

uint32_t flights_take_wait(struct flights *flights, unsigned worker, uint64_t waiter)
{
	struct waits *waits = &flights->waits[worker];
	uint32_t *chain = chain_of(flights, worker, waiter);
	uint32_t i;

	if (waits->free != FLIGHT_NONE) {
		i = waits->free;
		waits->free = flights->wait[i].next;
	} else if (waits->fresh < flights->waits_each) {
		i = worker * flights->waits_each + waits->fresh++;
	} else {
		return FLIGHT_NONE;
	}
	flights->wait[i].waiter = waiter;
	flights->wait[i].state = WAIT_WAITING;
	flights->wait[i].next = *chain;
	*chain = i;
	return i;
}

bool flights_end_wait(struct flights *flights, uint32_t i, uint64_t *ret_waiter)
{
	struct wait *wait = &flights->wait[i];
	unsigned worker = flights_wait_worker(flights, i);
	uint32_t *link = chain_of(flights, worker, wait->waiter);
	bool waited = wait->state == WAIT_WAITING;

	assert(wait->state != WAIT_FREE);
	while (*link != i)
		link = &flights->wait[*link].next;
	*link = wait->next;
	if (waited)
		*ret_waiter = wait->waiter;
	wait->state = WAIT_FREE;
	wait->next = flights->waits[worker].free;
	flights->waits[worker].free = i;
	return waited;
}

void flights_forget(struct flights *flights, unsigned worker, uint64_t waiter)
{
	uint32_t i = *chain_of(flights, worker, waiter);

	for (; i != FLIGHT_NONE; i = flights->wait[i].next) {
		if (flights->wait[i].waiter == waiter)
			flights->wait[i].state = WAIT_FORGOTTEN;
	}
}
