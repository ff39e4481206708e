/* SPDX-License-Identifier: MIT */
/* The two clocks in use. The pure middle (wire, zone, resolve/step and answer) reads neither: time
 * is handed in. */
#ifndef PRIVLINKD_BASE_CLOCK_H
#define PRIVLINKD_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Milliseconds on a clock that never goes back; its start means nothing. Any thread. */
static inline uint64_t clock_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Microseconds on the same clock. */
static inline uint64_t clock_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

#endif
