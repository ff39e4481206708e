/* SPDX-License-Identifier: MIT */
/*
 * The shards: how many, where each one's memory is, and whose lock is whose.
 *
 * A new size means new memory for every shard, and as a rule another number of shards. It is
 * mapped first, then put in place with all shards locked, which takes as long as writing 64
 * structs; then the old memory is given back. What it held is lost: to copy it would hold the locks
 * for as long as the cache is large. Which shard a hash belongs to is read without a lock and
 * looked at again under the lock; it changes only while all are held. So whoever has got a lock has
 * the right one, and keeps it. Locks are there for the most shards that can be, used or not.
 *
 * The indexes of all shards stand together, in huge pages: a look-up goes anywhere in them, and in
 * small pages would wait for the page table each time, for longer than for all else that it does.
 * The rings fill from their beginnings, so they are in small pages and cost what is used of them.
 */
#include "forward/cache.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/hash.h"
#include "base/pages.h"
#include "forward/cache_shard.h"

struct cache {
	_Atomic size_t bytes;
	_Atomic unsigned shift; /* hash >> shift is the shard; 64: there is one */
	size_t mapped;
	uint8_t *mapping;
	struct cache_shard shards[CACHE_SHARDS_MAX]; /* those not in use have no memory */
};

/* Of a size: how it is divided. */
struct division {
	unsigned count, shift;
	size_t each, index; /* of a shard; of that the index */
};

struct question_key cache_key_of(const struct forward_question *question)
{
	uint64_t rest = (uint64_t)question->type << 32 | (uint64_t)question->group << 8 |
			(uint64_t)question->do_bit << 1 | question->cd_bit;

	return (struct question_key){
		.hash = hash_join(name_hash(question->name), rest),
		.fold = question->name->fold,
		.len = question->name->len,
		.do_bit = question->do_bit,
		.cd_bit = question->cd_bit,
		.type = question->type,
		.group = question->group,
	};
}

static struct division divide(size_t bytes)
{
	struct division division = { .count = 1, .shift = 64 };

	while (division.count < CACHE_SHARDS_MAX &&
	       bytes / (2 * division.count) >= CACHE_SHARD_BYTES_MIN) {
		division.count *= 2;
		division.shift--;
	}
	division.each = bytes / division.count;
	if (division.each > CACHE_SHARD_BYTES_MAX)
		division.each = CACHE_SHARD_BYTES_MAX;
	if (division.each < CACHE_SHARD_BYTES_LEAST)
		division.each = CACHE_SHARD_BYTES_LEAST;
	division.each &= ~(size_t)63;
	division.index = cache_shard_index_bytes(division.each);
	return division;
}

/* With all shards locked, or before anybody else knows the cache. */
static void put_in_place(struct cache *cache, const struct division *division, uint8_t *memory)
{
	uint8_t *rings = memory + division->index * division->count;
	unsigned i;

	for (i = 0; i < CACHE_SHARDS_MAX; i++) {
		if (i < division->count)
			cache_shard_set(&cache->shards[i], memory + division->index * i,
					rings + (division->each - division->index) * i,
					division->each);
		else
			cache_shard_unset(&cache->shards[i]);
	}
	atomic_store_explicit(&cache->shift, division->shift, memory_order_relaxed);
}

/*
 * `mapped` octets of which the indexes come first. *ret_memory is where they begin, at a huge
 * page's border.
 */
static uint8_t *map(const struct division *division, size_t mapped, uint8_t **ret_memory)
{
	size_t huge = division->index * division->count / PAGES_HUGE * PAGES_HUGE;
	uint8_t *mapping = mmap(NULL, mapped, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (mapping == MAP_FAILED)
		return NULL;
	*ret_memory = mapping + (-(uintptr_t)mapping & (PAGES_HUGE - 1));
	if (huge > 0)
		madvise(*ret_memory, huge, MADV_HUGEPAGE);
	return mapping;
}

int cache_resize(struct cache *cache, size_t bytes, struct err *err)
{
	struct division division = divide(bytes);
	size_t mapped = division.each * division.count + PAGES_HUGE;
	size_t old_mapped = cache->mapped;
	uint8_t *mapping, *memory, *old = cache->mapping;
	unsigned i;

	if (old && bytes == atomic_load_explicit(&cache->bytes, memory_order_relaxed))
		return 0;
	mapping = map(&division, mapped, &memory);
	if (!mapping)
		return err_set(err, "cache: cannot map %zu octets; lower cache.size", mapped);
	for (i = 0; i < CACHE_SHARDS_MAX; i++)
		pthread_mutex_lock(&cache->shards[i].lock);
	put_in_place(cache, &division, memory);
	for (i = CACHE_SHARDS_MAX; i > 0; i--)
		pthread_mutex_unlock(&cache->shards[i - 1].lock);
	cache->mapping = mapping;
	cache->mapped = mapped;
	atomic_store_explicit(&cache->bytes, bytes, memory_order_relaxed);
	if (old)
		munmap(old, old_mapped);
	return 0;
}

struct cache *cache_new(size_t bytes, struct err *err)
{
	struct cache *cache = aligned_alloc(64, sizeof(*cache));
	unsigned i;

	if (!cache) {
		err_set(err, "cache: out of memory");
		return NULL;
	}
	memset(cache, 0, sizeof(*cache));
	for (i = 0; i < CACHE_SHARDS_MAX; i++)
		pthread_mutex_init(&cache->shards[i].lock, NULL);
	if (cache_resize(cache, bytes, err) < 0) {
		cache_free(cache);
		return NULL;
	}
	return cache;
}

void cache_free(struct cache *cache)
{
	unsigned i;

	if (!cache)
		return;
	for (i = 0; i < CACHE_SHARDS_MAX; i++)
		pthread_mutex_destroy(&cache->shards[i].lock);
	if (cache->mapping)
		munmap(cache->mapping, cache->mapped);
	free(cache);
}

static struct cache_shard *shard_of(struct cache *cache, uint64_t hash)
{
	unsigned shift = atomic_load_explicit(&cache->shift, memory_order_relaxed);

	return &cache->shards[shift == 64 ? 0 : hash >> shift];
}

struct cache_shard *cache_lock(struct cache *cache, uint64_t hash)
{
	struct cache_shard *shard;

	for (;;) {
		shard = shard_of(cache, hash);
		pthread_mutex_lock(&shard->lock);
		if (shard == shard_of(cache, hash))
			return shard;
		pthread_mutex_unlock(&shard->lock);
	}
}

void cache_expect(struct cache *cache, uint64_t hash)
{
	cache_shard_expect(shard_of(cache, hash), hash);
}

void cache_expect_entry(struct cache *cache, uint64_t hash)
{
	cache_shard_expect_entry(shard_of(cache, hash), hash);
}

void cache_unlock(struct cache_shard *shard)
{
	pthread_mutex_unlock(&shard->lock);
}

size_t cache_flush(struct cache *cache, const struct name *name)
{
	size_t count = 0;
	unsigned i;

	for (i = 0; i < CACHE_SHARDS_MAX; i++) {
		struct cache_shard *shard = &cache->shards[i];

		pthread_mutex_lock(&shard->lock);
		if (shard->slots)
			count += cache_shard_flush(shard, name);
		pthread_mutex_unlock(&shard->lock);
	}
	return count;
}

void cache_count(struct cache *cache, struct cache_counts *ret)
{
	unsigned i;

	*ret = (struct cache_counts){ .bytes_max = atomic_load_explicit(&cache->bytes,
									memory_order_relaxed) };
	for (i = 0; i < CACHE_SHARDS_MAX; i++) {
		struct cache_shard *shard = &cache->shards[i];

		pthread_mutex_lock(&shard->lock);
		cache_shard_count(shard, ret);
		pthread_mutex_unlock(&shard->lock);
	}
}
