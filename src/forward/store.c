/* SPDX-License-Identifier: MIT */
/*
 * The pool of reply stores.
 *
 * Two regions, mapped once without being touched: many small stores, few large ones. Each region
 * has a stack of free ones, so the one given back last is taken next: memory that is warm, and no
 * more of the region touched than the busiest moment needed. A lock a region, held for a push or a
 * pop: a store is taken once a question that goes out, which costs a system call anyway.
 *
 * Large ones are few, and a chain of large replies could hold them all for as long as its last
 * upstream is silent; so those that are kept beyond a call are counted, and half stay free for what
 * comes in meanwhile.
 *
 * A question in flight holds a small store from its start, so a failure can always be told; see
 * forward.c. malloc was refused: nothing is allocated after the start, and the bound is plain.
 */
#include "forward/store.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#define NONE UINT32_MAX

struct region {
	pthread_mutex_t lock;
	uint8_t *memory;
	size_t stride;
	uint32_t cap; /* octets of data in each */
	uint32_t count;
	uint32_t fresh; /* those from here on were never used */
	uint32_t free;  /* top of the stack of those given back */
};

struct store_pool {
	struct region small, large;
	unsigned large_kept_max;
	_Atomic unsigned large_kept;
};

static int region_init(struct region *region, uint32_t count, uint32_t cap)
{
	region->cap = cap;
	region->count = count;
	region->free = NONE;
	region->stride = (sizeof(struct reply_store) + cap + 63) & ~(size_t)63;
	region->memory = mmap(NULL, region->stride * count, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (region->memory == MAP_FAILED) {
		region->memory = NULL;
		return -1;
	}
	pthread_mutex_init(&region->lock, NULL);
	return 0;
}

static void region_fini(struct region *region)
{
	if (!region->memory)
		return;
	munmap(region->memory, region->stride * region->count);
	pthread_mutex_destroy(&region->lock);
}

static struct reply_store *region_at(struct region *region, uint32_t number)
{
	return (struct reply_store *)(void *)(region->memory + region->stride * number);
}

static struct reply_store *region_pop(struct region *region)
{
	struct reply_store *store = NULL;

	pthread_mutex_lock(&region->lock);
	if (region->free != NONE) {
		store = region_at(region, region->free);
		region->free = store->next_free;
	} else if (region->fresh < region->count) {
		store = region_at(region, region->fresh);
		store->number = region->fresh++;
		store->cap = region->cap;
	}
	pthread_mutex_unlock(&region->lock);
	return store;
}

static void region_push(struct region *region, struct reply_store *store)
{
	pthread_mutex_lock(&region->lock);
	store->next_free = region->free;
	region->free = store->number;
	pthread_mutex_unlock(&region->lock);
}

struct store_pool *store_pool_new(unsigned small, unsigned large)
{
	struct store_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return NULL;
	pool->large_kept_max = large / 2;
	if (region_init(&pool->small, small, STORE_SMALL_LEN) < 0 ||
	    region_init(&pool->large, large, REPLY_LEN_MAX) < 0) {
		store_pool_free(pool);
		return NULL;
	}
	return pool;
}

void store_pool_free(struct store_pool *pool)
{
	if (!pool)
		return;
	region_fini(&pool->small);
	region_fini(&pool->large);
	free(pool);
}

struct reply_store *store_take(struct store_pool *pool, size_t len)
{
	struct reply_store *store;

	assert(len <= REPLY_LEN_MAX);
	store = region_pop(len <= STORE_SMALL_LEN ? &pool->small : &pool->large);
	if (!store)
		return NULL;
	store->pool = pool;
	store->reply = (struct reply){ .data = store->data, .store = store };
	atomic_store_explicit(&store->refs, 1, memory_order_relaxed);
	return store;
}

void store_drop(struct reply_store *store)
{
	struct store_pool *pool;

	if (!store)
		return;
	if (atomic_fetch_sub_explicit(&store->refs, 1, memory_order_acq_rel) > 1)
		return;
	pool = store->pool;
	region_push(store->cap == STORE_SMALL_LEN ? &pool->small : &pool->large, store);
}

void reply_hold(const struct reply *reply)
{
	assert(reply->store);
	atomic_fetch_add_explicit(&reply->store->refs, 1, memory_order_relaxed);
}

void reply_drop(const struct reply *reply)
{
	store_drop(reply->store);
}

bool reply_keep(const struct reply *reply)
{
	struct store_pool *pool = reply->store->pool;

	if (reply->store->cap != STORE_SMALL_LEN &&
	    atomic_fetch_add_explicit(&pool->large_kept, 1, memory_order_relaxed) >=
		    pool->large_kept_max) {
		atomic_fetch_sub_explicit(&pool->large_kept, 1, memory_order_relaxed);
		return false;
	}
	reply_hold(reply);
	return true;
}

void reply_let_go(const struct reply *reply)
{
	struct store_pool *pool = reply->store->pool;

	if (reply->store->cap != STORE_SMALL_LEN)
		atomic_fetch_sub_explicit(&pool->large_kept, 1, memory_order_relaxed);
	reply_drop(reply);
}
