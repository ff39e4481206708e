/* SPDX-License-Identifier: MIT */
/*
 * A path and a time under a lock. The writer sets them before each file, which then takes at least
 * one system call, so the lock costs nothing that shows. Whoever asks must not have to wait for a
 * share, so the lock is never held across a call that could.
 */
#include "source/reading.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

struct reading {
	pthread_mutex_t lock;
	uint64_t since_ms;           /* 0: at nothing */
	char path[READING_PATH_MAX]; /* both under the lock */
};

struct reading *reading_new(void)
{
	struct reading *reading = calloc(1, sizeof(*reading));

	if (reading)
		pthread_mutex_init(&reading->lock, NULL);
	return reading;
}

void reading_free(struct reading *reading)
{
	if (!reading)
		return;
	pthread_mutex_destroy(&reading->lock);
	free(reading);
}

void reading_at(struct reading *reading, const char *path)
{
	if (!reading)
		return;
	pthread_mutex_lock(&reading->lock);
	reading->since_ms = path ? clock_now_ms() : 0;
	if (path)
		snprintf(reading->path, sizeof(reading->path), "%s", path);
	pthread_mutex_unlock(&reading->lock);
}

bool reading_what(struct reading *reading, char ret_path[READING_PATH_MAX], uint64_t *ret_ms)
{
	bool any;

	pthread_mutex_lock(&reading->lock);
	any = reading->since_ms != 0;
	if (any) {
		snprintf(ret_path, READING_PATH_MAX, "%s", reading->path);
		*ret_ms = clock_now_ms() - reading->since_ms;
	}
	pthread_mutex_unlock(&reading->lock);
	return any;
}
