/* SPDX-License-Identifier: MIT */
/*
 * Most replies look alike: the question, the addresses asked for at its very name, an OPT. Such a
 * one is read here in one pass.
 *
 * Whoever reads replies asks here first, and where the answer is no reads as always; what comes out
 * must be the same (test_plain). Pure; any thread.
 */
#ifndef PRIVLINKD_WIRE_PLAIN_H
#define PRIVLINKD_WIRE_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/edns.h"

/* Where a record's TTL stands in it. */
#define PLAIN_TTL_AT 6

struct plain {
	const uint8_t *records; /* of the answer section, and nothing else */
	size_t records_len;
	uint16_t count;
	uint32_t ttl; /* the lowest of them */
	bool has_opt;
	struct edns edns; /* with has_opt */
};

/*
 * Is this message, whose question of this type (class IN) ends at question_end, a plain one? Flags
 * and question are the caller's to judge. Plain: one question, one record or more of type A or AAAA
 * as asked for, class IN, owned by a pointer to the question; no authority; nothing additional but
 * one OPT at most, which can be read; and nothing behind. *ret only then.
 */
bool plain_read(const uint8_t *data, size_t len, size_t question_end, uint16_t type,
		struct plain *ret);

#endif
