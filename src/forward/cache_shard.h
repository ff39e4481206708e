/* SPDX-License-Identifier: MIT */
/*
 * One shard of the cache, as cache.c sees it. All with its lock held, or before anybody else knows
 * it. What a shard does with replies is in cache.h: cache_find, cache_put, cache_remember.
 */
#ifndef PRIVLINKD_FORWARD_CACHE_SHARD_H
#define PRIVLINKD_FORWARD_CACHE_SHARD_H

#include <pthread.h>
#include <stdatomic.h>

#include "forward/cache.h"
#include "forward/ring.h"

/* Of the index. Its ghost is of another entry, which had its home here: see cache_shard.c. */
struct slot {
	uint32_t tag;
	uint32_t place; /* in units of 8 octets, counted from one; 0: none */
	uint32_t ghost; /* of one that went from the small ring; 0: none */
};

struct cache_shard {
	_Alignas(64) pthread_mutex_t lock;
	struct ring small, main; /* one behind the other: places count from small.memory */
	struct slot *slots;
	uint32_t slots_mask, entries, entries_max;
	uint32_t serial; /* of the newest entry */
	uint64_t evicted;
	/* slots and slots_mask once more, for cache_shard_expect */
	struct slot *_Atomic expect_slots;
	_Atomic uint32_t expect_mask;
};

/* Places are 32 bits in units of 8 octets. */
#define CACHE_SHARD_BYTES_MAX ((size_t)16 << 30)
/* The index alone, at its smallest: room for nothing. */
#define CACHE_SHARD_BYTES_LEAST 192

/* What of so many octets is for the index. */
size_t cache_shard_index_bytes(size_t bytes);
/*
 * Gives it memory of `bytes` in all, which is zero: empty. cache_shard_index_bytes at `index`, the
 * rest at `rings`.
 */
void cache_shard_set(struct cache_shard *shard, uint8_t *index, uint8_t *rings, size_t bytes);
/* Takes its memory away. */
void cache_shard_unset(struct cache_shard *shard);
/* Forgets this name and all below it (NULL: everything). How many replies. */
size_t cache_shard_flush(struct cache_shard *shard, const struct name *name);
/* Without its lock: see cache_expect. */
void cache_shard_expect(struct cache_shard *shard, uint64_t hash);
void cache_shard_expect_entry(struct cache_shard *shard, uint64_t hash);
/* Adds its own. */
void cache_shard_count(const struct cache_shard *shard, struct cache_counts *counts);

#endif
