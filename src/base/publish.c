/* SPDX-License-Identifier: MIT */
/*
 * Workers look at a snapshot millions of times between two reloads, so taking one must cost a load
 * and a compare, and the waiting is the publisher's.
 *
 * Every reader has a slot of one cache line: `newest`, written by the publisher, and `taken`,
 * written by the reader. The publisher's release store of `newest` makes the finished object
 * visible. The reader's release store of `taken` comes after its last look at what it held
 * before; the publisher's acquire load of it is what allows freeing. A slot's line moves between
 * CPUs only when something was offered: the reader writes `taken` only when it changes.
 *
 * Pointers are compared, not generations. That is sound because at most two objects live and the
 * next is offered only after the oldest was released: `taken` is then NULL or one of those two, so
 * an address that the allocator gives out again cannot be mistaken.
 *
 * Refused: RCU (a library, and grace periods that nobody can explain to an operator), a lock round
 * the pointer, reference counts (a locked instruction a query).
 */
#include "base/publish.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Of x86-64 and nearly all arm64; only speed hangs on it. */
#define CACHE_LINE 64

struct slot {
	_Alignas(CACHE_LINE) _Atomic(void *) newest;
	_Atomic(void *) taken;
};

struct publish {
	void (*release)(void *object);
	void *newest, *older; /* the publisher's own */
	unsigned readers;
	unsigned most; /* objects alive at once, ever */
	struct slot *slot;
};

struct publish *publish_new(unsigned readers, void (*release)(void *object))
{
	struct publish *publish = calloc(1, sizeof(*publish));
	unsigned n;

	if (!publish)
		return NULL;
	publish->slot = aligned_alloc(CACHE_LINE, (readers + 1) * sizeof(*publish->slot));
	if (!publish->slot) {
		free(publish);
		return NULL;
	}
	for (n = 0; n < readers; n++) {
		atomic_init(&publish->slot[n].newest, NULL);
		atomic_init(&publish->slot[n].taken, NULL);
	}
	publish->readers = readers;
	publish->release = release;
	return publish;
}

void publish_free(struct publish *publish)
{
	if (!publish)
		return;
	if (publish->older)
		publish->release(publish->older);
	if (publish->newest)
		publish->release(publish->newest);
	free(publish->slot);
	free(publish);
}

void publish_offer(struct publish *publish, void *object)
{
	unsigned n, alive = publish_alive(publish, NULL) + 1;

	/* Before anything is freed: `object` was made while the others lived. */
	if (alive > publish->most)
		publish->most = alive;
	publish_settled(publish);
	assert(!publish->older);
	assert(object && object != publish->newest);
	publish->older = publish->newest;
	publish->newest = object;
	for (n = 0; n < publish->readers; n++)
		atomic_store_explicit(&publish->slot[n].newest, object, memory_order_release);
}

bool publish_settled(struct publish *publish)
{
	unsigned n;

	for (n = 0; n < publish->readers; n++) {
		if (atomic_load_explicit(&publish->slot[n].taken, memory_order_acquire) !=
		    publish->newest)
			return false;
	}
	if (publish->older) {
		publish->release(publish->older);
		publish->older = NULL;
	}
	return true;
}

void *publish_newest(struct publish *publish)
{
	return publish->newest;
}

unsigned publish_alive(const struct publish *publish, unsigned *ret_most)
{
	if (ret_most)
		*ret_most = publish->most;
	return (publish->newest != NULL) + (publish->older != NULL);
}

void *publish_take(struct publish *publish, unsigned n)
{
	struct slot *slot = &publish->slot[n];
	void *newest = atomic_load_explicit(&slot->newest, memory_order_acquire);

	if (atomic_load_explicit(&slot->taken, memory_order_relaxed) != newest)
		atomic_store_explicit(&slot->taken, newest, memory_order_release);
	return newest;
}
