/* SPDX-License-Identifier: MIT */
/*
 * Where replies live that leave the hands of one worker: counted, from a bounded pool of two sizes.
 *
 * All memory is mapped at the start and touched on first use. Any thread. What is in a store is
 * written by whoever took it, before anybody else sees it, and never changed after that.
 */
#ifndef PRIVLINKD_FORWARD_STORE_H
#define PRIVLINKD_FORWARD_STORE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "forward/reply.h"

/* Octets of a message in a small store: any reply that came over UDP, and any failure. */
#define STORE_SMALL_LEN 2048

struct store_pool;

struct reply_store {
	struct store_pool *pool;
	_Atomic unsigned refs;
	uint32_t number; /* within its size */
	uint32_t next_free;
	uint32_t cap;       /* octets of data */
	struct reply reply; /* describes data; reply.store points here */
	uint8_t data[];
};

/*
 * `large` are for replies over STORE_SMALL_LEN: they come by TCP, are few, and are held only until
 * their waiters have them. Half of these may be kept by queries that wait for another reply
 * (reply_keep): a fixed part, so that the other half is always there for what comes in.
 */
struct store_pool *store_pool_new(unsigned small, unsigned large);
/* No store may be in use any more by anybody who still runs. */
void store_pool_free(struct store_pool *pool);

/*
 * A store with room for `len` octets and one reference (reply_drop gives it back), or NULL: all are
 * in use.
 */
struct reply_store *store_take(struct store_pool *pool, size_t len);

/* Drops a reference. NULL is fine. */
void store_drop(struct reply_store *store);

#endif
