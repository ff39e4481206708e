/* SPDX-License-Identifier: MIT */
/*
 * A binary heap of numbers that knows where each number stands, so that a deadline can be moved or
 * taken out, which is what nearly always happens: most questions are answered long before.
 *
 * One libevent timer for each question was refused: setting and clearing it costs more than the
 * heap does, and libevent's own heap grows by allocation. A timing wheel would be O(1), but rounds
 * every deadline and must tick; at some thousand entries the heap's dozen steps do not show.
 */
#include "upstream/deadlines.h"

#include <stdlib.h>

int deadlines_init(struct deadlines *deadlines, unsigned max)
{
	*deadlines = (struct deadlines){
		.heap = calloc(max, sizeof(deadlines->heap[0])),
		.place = calloc(max, sizeof(deadlines->place[0])),
		.due_ms = calloc(max, sizeof(deadlines->due_ms[0])),
	};
	if (deadlines->heap && deadlines->place && deadlines->due_ms)
		return 0;
	deadlines_fini(deadlines);
	return -1;
}

void deadlines_fini(struct deadlines *deadlines)
{
	free(deadlines->heap);
	free(deadlines->place);
	free(deadlines->due_ms);
	*deadlines = (struct deadlines){ 0 };
}

static void put(struct deadlines *deadlines, unsigned at, uint32_t n)
{
	deadlines->heap[at] = n;
	deadlines->place[n] = at + 1;
}

static void rise(struct deadlines *deadlines, unsigned at)
{
	uint32_t n = deadlines->heap[at];

	while (at > 0) {
		unsigned parent = (at - 1) / 2;

		if (deadlines->due_ms[deadlines->heap[parent]] <= deadlines->due_ms[n])
			break;
		put(deadlines, at, deadlines->heap[parent]);
		at = parent;
	}
	put(deadlines, at, n);
}

static void sink(struct deadlines *deadlines, unsigned at)
{
	uint32_t n = deadlines->heap[at];

	for (;;) {
		unsigned child = 2 * at + 1;

		if (child >= deadlines->count)
			break;
		if (child + 1 < deadlines->count &&
		    deadlines->due_ms[deadlines->heap[child + 1]] <
			    deadlines->due_ms[deadlines->heap[child]])
			child++;
		if (deadlines->due_ms[n] <= deadlines->due_ms[deadlines->heap[child]])
			break;
		put(deadlines, at, deadlines->heap[child]);
		at = child;
	}
	put(deadlines, at, n);
}

void deadlines_set(struct deadlines *deadlines, uint32_t n, uint64_t due_ms)
{
	if (deadlines->place[n] == 0) {
		deadlines->due_ms[n] = due_ms;
		put(deadlines, deadlines->count++, n);
		rise(deadlines, deadlines->count - 1);
		return;
	}
	deadlines->due_ms[n] = due_ms;
	rise(deadlines, deadlines->place[n] - 1);
	sink(deadlines, deadlines->place[n] - 1);
}

void deadlines_remove(struct deadlines *deadlines, uint32_t n)
{
	unsigned at = deadlines->place[n];
	uint32_t last;

	if (at-- == 0)
		return;
	deadlines->place[n] = 0;
	last = deadlines->heap[--deadlines->count];
	if (last == n)
		return;
	put(deadlines, at, last);
	rise(deadlines, at);
	sink(deadlines, deadlines->place[last] - 1);
}

bool deadlines_first(const struct deadlines *deadlines, uint32_t *ret_n, uint64_t *ret_due_ms)
{
	if (deadlines->count == 0)
		return false;
	*ret_n = deadlines->heap[0];
	*ret_due_ms = deadlines->due_ms[*ret_n];
	return true;
}
