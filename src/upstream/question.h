/* SPDX-License-Identifier: MIT */
/*
 * What is asked of an upstream, whichever of its group it is: what a query says, and the key of the
 * cache and of the questions in flight.
 */
#ifndef PRIVLINKD_UPSTREAM_QUESTION_H
#define PRIVLINKD_UPSTREAM_QUESTION_H

#include <stdbool.h>
#include <stdint.h>

/* Compared whole; the hash only finds it. */
struct question_key {
	uint64_t hash;
	const uint8_t *fold; /* the name in lower case, uncompressed; the caller's */
	uint8_t len;
	bool do_bit, cd_bit;
	uint16_t type, group;
};

#endif
