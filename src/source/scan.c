/* SPDX-License-Identifier: MIT */
/*
 * An export of 66 MB in JSON is all short texts and blanks, so that what is done to each octet is
 * nearly all the time that reading takes. A word of eight is looked at at once: subtracting n from
 * each of its octets borrows from the top bit where one is below n, and after an exclusive or an
 * octet that is looked for is one below 1. A borrow goes on into octets above, so such a word only
 * says that there is one; which, the loop behind says, which does the rest of a text too. That also
 * makes the order of octets in the word of no importance.
 *
 * Refused: vector instructions of one processor. This is half as fast, and one piece of code.
 */
#include "source/scan.h"

#include <stdint.h>
#include <string.h>

#define ONES UINT64_C(0x0101010101010101)
#define TOPS (0x80 * ONES)

unsigned scan_characters(const char *at, const char *end)
{
	unsigned count = (unsigned)(end - at);
	uint64_t eight, behind;

	for (; end - at >= 8; at += 8) {
		memcpy(&eight, at, 8);
		/* The top bit set, the next one not. */
		behind = eight >> 7 & ~(eight >> 6) & ONES;
		count -= (unsigned)(behind * ONES >> 56);
	}
	for (; at < end; at++)
		count -= ((unsigned char)*at & 0xc0) == 0x80;
	return count;
}

/* Is an octet below n (up to 128)? */
static inline uint64_t has_below(uint64_t eight, uint64_t n)
{
	return (eight - n * ONES) & ~eight & TOPS;
}

const char *scan_plain(const char *at, const char *end, char quote)
{
	uint64_t eight;

	for (; end - at >= 8; at += 8) {
		memcpy(&eight, at, 8);
		if (has_below(eight, ' ') | has_below(eight ^ (uint8_t)quote * ONES, 1) |
		    has_below(eight ^ '\\' * ONES, 1))
			break;
	}
	while (at < end && *at != quote && *at != '\\' && (unsigned char)*at >= ' ')
		at++;
	return at;
}
