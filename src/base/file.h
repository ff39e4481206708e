/* SPDX-License-Identifier: MIT */
/* Whole files, read with a bound. Blocks: not for workers. */
#ifndef PRIVLINKD_BASE_FILE_H
#define PRIVLINKD_BASE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * Reads a regular file (or what a link leads to) of at most `max` octets. *ret_data is from malloc,
 * with a NUL behind the last octet; the caller frees it. Complaints name the path.
 */
int file_read(const char *path, size_t max, uint8_t **ret_data, size_t *ret_len, struct err *err);

#endif
