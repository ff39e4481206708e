/* SPDX-License-Identifier: MIT */
/*
 * What a thread that reads sources is at, and since when, for another thread to tell: a call that a
 * share does not answer cannot be interrupted, but it can be named.
 *
 * One writer; any thread may ask. A lock is held for the copy of a path.
 */
#ifndef PRIVLINKD_SOURCE_READING_H
#define PRIVLINKD_SOURCE_READING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Octets of a path that are kept. */
#define READING_PATH_MAX 1024

struct reading;

/* At nothing. NULL when there is no memory. */
struct reading *reading_new(void);
void reading_free(struct reading *reading);

/* From now on at this file or folder; NULL: at nothing. `reading` NULL: nobody asks. */
void reading_at(struct reading *reading, const char *path);

/* False: at nothing. Else its path (cut if need be) and for how many ms. */
bool reading_what(struct reading *reading, char ret_path[READING_PATH_MAX], uint64_t *ret_ms);

#endif
