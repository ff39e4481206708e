/* SPDX-License-Identifier: MIT */
/* From an entry of `records` (file, folder or glob) to the files it means, in order. Blocks. */
#ifndef PRIVLINKD_SOURCE_PATHS_H
#define PRIVLINKD_SOURCE_PATHS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/complaint.h"

/* Files of one run: a folder with more is no folder of records. */
#define SOURCE_FILES_MAX 4096

struct paths {
	size_t count, cap;
	char **path; /* owned */
};

void paths_fini(struct paths *paths);

/* 0, or -1 when there is no memory. */
int paths_add(struct paths *paths, const char *path);

/*
 * Adds the files of `entry`. A folder: every regular file in it (or link to one) but `.x`, `x~`
 * and `#x#`, in bytewise order, no folders below. A glob: what it matches, in bytewise order,
 * folders left out. Anything else is a file, whether it is there or not: reading it will tell. So
 * is what is listed but cannot be looked at, and a link that leads nowhere. 0; 1 if the folder is
 * there but cannot be read, or not to its end (complained of); -1 when there is no memory.
 */
int paths_expand(struct paths *paths, const char *entry, struct complaints *to);

/* Bytewise order; and whether it is one of them, once they are in that order. */
void paths_sort(struct paths *paths);
bool paths_has(const struct paths *paths, const char *path);

#endif
