/* SPDX-License-Identifier: MIT */
/*
 * Memory that is taken in small pieces and given back all at once.
 *
 * Pieces never move and stay valid until arena_free. One thread fills an arena; after that any
 * number may read what is in it.
 */
#ifndef PRIVLINKD_BASE_ARENA_H
#define PRIVLINKD_BASE_ARENA_H

#include <stddef.h>

struct arena;

/* NULL when there is no memory. */
struct arena *arena_new(void);
void arena_free(struct arena *arena);

/*
 * `size` zeroed octets at an address that is a multiple of `align` (a power of two, at most 64);
 * NULL when there is no memory. Neighbouring calls lie close together.
 */
void *arena_take(struct arena *arena, size_t size, size_t align);

/* Octets taken from the system, for accounts. */
size_t arena_bytes(const struct arena *arena);

#endif
