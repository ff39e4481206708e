/* SPDX-License-Identifier: MIT */
/*
 * What upstreams said, kept for as long as it holds, and past that for when they are silent: whole
 * replies, one a question.
 *
 * Shared by all workers, in shards; a shard is locked for a look-up and the copy, or for an
 * insertion. Whoever holds a shard's lock may also look at the questions in flight that belong to
 * it (flight.h). All memory is mapped at the start and when the size changes; the bound counts
 * octets and covers the indexes.
 */
#ifndef PRIVLINKD_FORWARD_CACHE_H
#define PRIVLINKD_FORWARD_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "forward/reply.h"
#include "upstream/question.h"

/* A power of two: with more shards than cores by far two workers seldom meet. */
#define CACHE_SHARDS_MAX 64
/* So that a reply of 64 KB is no more than a seventh of a shard's larger ring. */
#define CACHE_SHARD_BYTES_MIN (512 * 1024)

/*
 * Within the last tenth of its time a reply that is asked for is worth asking for anew, unless it
 * lives so short that this is less than a second: then it costs questions and saves no wait.
 */
#define CACHE_PREFETCH_PART 10
#define CACHE_PREFETCH_TTL_MIN_S 10

/* The TTL of what is past its own (RFC 8767 4). */
#define CACHE_STALE_TTL_S 30
/*
 * For so long after an upstream has failed to renew it a stale reply is given at once, and renewed
 * behind the client's back (RFC 8767 5: the failure recheck timer); after that clients wait first.
 */
#define CACHE_FAILURE_MS 30000

/* Points into the question's name. */
struct question_key cache_key_of(const struct forward_question *question);

/* What holds at the moment of a call; for what is in the cache already too. */
struct cache_rules {
	uint32_t ttl_max_s, negative_ttl_max_s; /* no life is longer but a failure's */
	uint32_t stale_s;                       /* use past that; 0: none */
	bool prefetch;
	uint32_t recovered; /* failures that were noted under another number are forgotten */
};

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

enum cache_wish {
	CACHE_FRESH,   /* nothing past its time */
	CACHE_USUAL,   /* stale where it could not be renewed a moment ago (CACHE_FAILURE_MS) */
	CACHE_WHATEVER /* the wait for a fresh one is over; others will not wait for it either */
};

enum cache_verdict {
	CACHE_NONE,
	CACHE_FOUND,
	CACHE_DUE, /* found, and to be asked for anew by now */
};

/* Copies a reply that may be used and fits into `buf`; *ret describes it. */
enum cache_verdict cache_find(struct cache_shard *shard, const struct question_key *key,
			      const struct cache_rules *rules, enum cache_wish wish,
			      uint64_t now_ms, uint8_t *buf, size_t cap, struct reply *ret);

/*
 * Keeps a reply for ttl_s seconds in place of an older one, which goes even if the new one is too
 * large, or is not to be kept at all (ttl_s 0). But SERVFAIL does not take the place of an answer
 * that is or may be used still: it is noted with it, and the answer is not due for ttl_s seconds.
 */
void cache_put(struct cache_shard *shard, const struct question_key *key, const struct reply *reply,
	       uint32_t ttl_s, const struct cache_rules *rules, uint64_t now_ms);

/*
 * The verdict memo: what a reader found out about the reply with this serial number, and under
 * which generation of its own records; a later cache_find gives it back in reply.memo. 0: nothing.
 * Nothing is done where another reply has taken its place.
 */
void cache_remember(struct cache_shard *shard, const struct question_key *key, uint32_t serial,
		    uint64_t memo);

/* The following without a lock. */

/*
 * The key of this hash will be looked for in a moment: begins to fetch its slot from memory, and,
 * called when that has come, its entry. Hints.
 */
void cache_expect(struct cache *cache, uint64_t hash);
void cache_expect_entry(struct cache *cache, uint64_t hash);

/* Forgets this name and all below it (NULL: everything). How many replies. */
size_t cache_flush(struct cache *cache, const struct name *name);

struct cache_counts {
	size_t entries, bytes, bytes_max;
	uint64_t evicted; /* that could still be used and had to make room */
};
void cache_count(struct cache *cache, struct cache_counts *ret);

#endif
