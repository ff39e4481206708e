/* SPDX-License-Identifier: MIT */
/*
 * There is no free list, no fragmentation and no malloc, and the bound is exact.
 *
 * ring_renew needs no second buffer. The gap between head and tail lies right before the oldest
 * piece, so its new place is at or before its old one, and it is moved over. Where it does not fit
 * before the ring's end the tail has wrapped already (else the piece, which stands further back
 * still, would not have fitted either): the blank that is written fits into the gap, and the new
 * place is the ring's start.
 */
#include "forward/ring.h"

#include <assert.h>
#include <string.h>

void ring_init(struct ring *ring, uint8_t *memory, uint64_t len)
{
	*ring = (struct ring){ .memory = memory, .len = len & ~UINT64_C(7) };
}

void ring_clear(struct ring *ring)
{
	ring->head = ring->tail = 0;
}

uint64_t ring_used(const struct ring *ring)
{
	return ring->head - ring->tail;
}

bool ring_holds(const struct ring *ring, const void *piece)
{
	const uint8_t *at = piece;

	return at >= ring->memory && at < ring->memory + ring->len;
}

static struct piece *piece_at(const struct ring *ring, uint64_t position)
{
	return (struct piece *)(void *)(ring->memory + position % ring->len);
}

/* Octets from the head to the end of the memory. */
static uint64_t to_end(const struct ring *ring)
{
	return ring->len - ring->head % ring->len;
}

bool ring_has_room(const struct ring *ring, uint32_t size)
{
	uint64_t needed = size;

	if (size > ring->len)
		return false;
	if (to_end(ring) < size)
		needed += to_end(ring);
	return ring_used(ring) + needed <= ring->len;
}

/* The head to where a piece of this size fits. */
static void skip_end(struct ring *ring, uint32_t size)
{
	uint64_t left = to_end(ring);

	if (left >= size)
		return;
	assert(ring_used(ring) + left <= ring->len);
	*piece_at(ring, ring->head) = (struct piece){ .size = (uint32_t)left };
	ring->head += left;
}

struct piece *ring_append(struct ring *ring, uint32_t size)
{
	struct piece *piece;

	assert(size % 8 == 0 && ring_has_room(ring, size));
	skip_end(ring, size);
	piece = piece_at(ring, ring->head);
	*piece = (struct piece){ .size = size, .live = 1 };
	ring->head += size;
	return piece;
}

struct piece *ring_oldest(const struct ring *ring)
{
	return ring->tail == ring->head ? NULL : piece_at(ring, ring->tail);
}

void ring_drop(struct ring *ring)
{
	assert(ring->tail != ring->head);
	ring->tail += piece_at(ring, ring->tail)->size;
}

struct piece *ring_renew(struct ring *ring)
{
	struct piece *old = ring_oldest(ring), *piece;
	uint32_t size = old->size;

	skip_end(ring, size);
	piece = piece_at(ring, ring->head);
	memmove(piece, old, size);
	ring->tail += size;
	ring->head += size;
	return piece;
}

struct piece *ring_next(const struct ring *ring, uint64_t *position)
{
	struct piece *piece;

	if (*position == ring->head)
		return NULL;
	piece = piece_at(ring, *position);
	*position += piece->size;
	return piece;
}
