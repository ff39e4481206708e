/* SPDX-License-Identifier: MIT */
/*
 * When something is next due, for a fixed number of things, each known by its number.
 *
 * A binary heap in preallocated memory. Pure; one thread.
 */
#ifndef PRIVLINKD_UPSTREAM_DEADLINES_H
#define PRIVLINKD_UPSTREAM_DEADLINES_H

#include <stdbool.h>
#include <stdint.h>

struct deadlines {
	unsigned count;
	uint32_t *heap;   /* numbers, the earliest first */
	uint32_t *place;  /* of each number in the heap, plus one; 0: it is not in it */
	uint64_t *due_ms; /* of each number */
};

/* For the numbers below max. -1 without memory. */
int deadlines_init(struct deadlines *deadlines, unsigned max);
void deadlines_fini(struct deadlines *deadlines);

/* Sets or changes when `n` is due. */
void deadlines_set(struct deadlines *deadlines, uint32_t n, uint64_t due_ms);
void deadlines_remove(struct deadlines *deadlines, uint32_t n);

/* The earliest; false when there is none. */
bool deadlines_first(const struct deadlines *deadlines, uint32_t *ret_n, uint64_t *ret_due_ms);

#endif
