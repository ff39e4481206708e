/* SPDX-License-Identifier: MIT */
/*
 * Large memory straight from the kernel: zeroed, in huge pages where it gives them, and given back
 * for good.
 *
 * For what is megabytes large, read all over and freed as a whole. Any thread; a piece is given
 * back by one.
 */
#ifndef PRIVLINKD_BASE_PAGES_H
#define PRIVLINKD_BASE_PAGES_H

#include <stddef.h>

/* Of x86-64, and of arm64 with small pages of 4 KiB; elsewhere the request does nothing. */
#define PAGES_HUGE ((size_t)2 << 20)

/*
 * `size` zeroed octets; NULL when there is no memory. From PAGES_HUGE on they begin at a multiple
 * of it. Less than that is malloc's.
 */
void *pages_take(size_t size);

/* Gives back what pages_take(size) gave; NULL is nothing. */
void pages_give(void *memory, size_t size);

/* What is behind the first `used` octets will not be needed: it no longer takes memory. */
void pages_trim(void *memory, size_t size, size_t used);

#endif
