/* SPDX-License-Identifier: MIT */
/*
 * The clock of lives and deadlines. The pure middle (wire, zone, resolve/step and answer) does not
 * read it: time is handed in.
 *
 * It goes on while the machine sleeps (CLOCK_BOOTTIME): a laptop in a lab, or a guest that was
 * paused, must not wake with a cache as fresh as when it fell asleep.
 */
#ifndef PRIVLINKD_BASE_CLOCK_H
#define PRIVLINKD_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Milliseconds on a clock that never goes back; its start means nothing. Any thread. */
static inline uint64_t clock_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Microseconds on the same clock. */
static inline uint64_t clock_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

#endif
