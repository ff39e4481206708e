/* SPDX-License-Identifier: MIT */
/*
 * What upstreams said, kept for as long as it holds: whole replies, one a question.
 *
 * Shared by all workers, in shards; a shard is locked for a look-up and the copy, or for an
 * insertion. Whoever holds a shard's lock may also look at the questions in flight that belong to
 * it (flight.h). All memory is mapped at the start and when the size changes; the bound counts
 * octets and covers the index.
 */
#ifndef PRIVLINKD_FORWARD_CACHE_H
#define PRIVLINKD_FORWARD_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "forward/reply.h"

/* A power of two: with more shards than cores by far two workers seldom meet. */
#define CACHE_SHARDS_MAX 64
/* So that a reply of 64 KB is no more than an eighth of a shard. */
#define CACHE_SHARD_BYTES_MIN (512 * 1024)

/* A question as the cache sees it. Compared whole; the hash only finds it. */
struct cache_key {
	uint64_t hash;
	const uint8_t *fold; /* the name in lower case */
	uint8_t len;
	bool do_bit, cd_bit;
	uint16_t type, group;
};

/* Points into the question's name. */
struct cache_key cache_key_of(const struct forward_question *question);

struct cache;
struct cache_shard;

struct cache *cache_new(size_t bytes, struct err *err);
void cache_free(struct cache *cache);

/*
 * Another size: everything kept is forgotten, and the old memory given back. The same size: nothing
 * happens. -1: no memory, and all is as it was. One thread at a time, while others use the cache.
 */
int cache_resize(struct cache *cache, size_t bytes, struct err *err);

/* The shard of a hash: its top bits say which. */
struct cache_shard *cache_lock(struct cache *cache, uint64_t hash);
void cache_unlock(struct cache_shard *shard);

/* The following with the key's shard locked. */

/* Copies a reply that is still good and fits into `buf`; *ret describes it. */
bool cache_find(struct cache_shard *shard, const struct cache_key *key, uint64_t now_ms,
		uint8_t *buf, size_t cap, struct reply *ret);

/*
 * Keeps a reply for ttl_s seconds (> 0), in place of an older one. One that is too large is not
 * kept.
 */
void cache_put(struct cache_shard *shard, const struct cache_key *key, const struct reply *reply,
	       uint32_t ttl_s, uint64_t now_ms);

/*
 * The verdict memo: what the reader found out about this reply, and under which generation of its
 * own records; a later cache_find gives it back in reply.memo. 0: nothing. Gone with the reply.
 */
void cache_remember(struct cache_shard *shard, const struct cache_key *key, uint64_t memo);

/* The following without a lock. */

/* Forgets this name and all below it (NULL: everything). How many replies. */
size_t cache_flush(struct cache *cache, const struct name *name);

void cache_count(struct cache *cache, size_t *ret_entries, size_t *ret_bytes,
		 size_t *ret_bytes_max);

#endif
