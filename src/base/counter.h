/* SPDX-License-Identifier: MIT */
/*
 * A counter with one writer and any number of readers.
 *
 * The writer loads and stores without a locked instruction; readers see some recent value. A
 * second writer would lose counts, so every worker has counters of its own and readers add up.
 */
#ifndef PRIVLINKD_BASE_COUNTER_H
#define PRIVLINKD_BASE_COUNTER_H

#include <stdatomic.h>
#include <stdint.h>

struct counter {
	_Atomic uint64_t value;
};

static inline void counter_add(struct counter *counter, uint64_t n)
{
	uint64_t value = atomic_load_explicit(&counter->value, memory_order_relaxed);

	atomic_store_explicit(&counter->value, value + n, memory_order_relaxed);
}

static inline uint64_t counter_get(const struct counter *counter)
{
	return atomic_load_explicit(&counter->value, memory_order_relaxed);
}

#endif
