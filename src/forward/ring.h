/* SPDX-License-Identifier: MIT */
/*
 * A log of pieces of any length in a ring: new ones at the head, old ones go from the tail.
 *
 * The caller owns the memory, a multiple of 8 octets at an address that is one. No piece wraps;
 * where one does not fit before the ring's end a blank fills what is left. Whoever uses it locks
 * it.
 */
#ifndef PRIVLINKD_FORWARD_RING_H
#define PRIVLINKD_FORWARD_RING_H

#include <stdbool.h>
#include <stdint.h>

/* What every piece begins with; `size` octets in all, a multiple of 8. */
struct piece {
	uint32_t size;
	uint32_t live; /* 0: a blank, whose octets mean nothing; the caller may make it one */
};

/* Positions only grow; modulo `len` they are places. */
struct ring {
	uint8_t *memory;
	uint64_t len;
	uint64_t head, tail;
};

void ring_init(struct ring *ring, uint8_t *memory, uint64_t len);
void ring_clear(struct ring *ring);

/* Octets between tail and head, blanks included. */
uint64_t ring_used(const struct ring *ring);

bool ring_holds(const struct ring *ring, const void *piece);

/* Is there room for a piece of this size, without anything going? */
bool ring_has_room(const struct ring *ring, uint32_t size);

/* A live piece of this size at the head, for which there is room; the caller writes the rest. */
struct piece *ring_append(struct ring *ring, uint32_t size);

/* The piece at the tail, live or not; NULL: the ring is empty. */
struct piece *ring_oldest(const struct ring *ring);

/* The piece at the tail goes. */
void ring_drop(struct ring *ring);

/* The piece at the tail becomes the newest. Where it is now; always possible. */
struct piece *ring_renew(struct ring *ring);

/* The piece at *position, and *position behind it; begin at `tail`. NULL at the head. */
struct piece *ring_next(const struct ring *ring, uint64_t *position);

#endif
