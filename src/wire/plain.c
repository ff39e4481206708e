/* SPDX-License-Identifier: MIT */
/*
 * A walk over a message finds out step by step what here is known beforehand: that each record
 * begins with the same octets, `c0 0c type IN`, and ends after the same number of them. So there is
 * a comparison a record, and no name to be followed.
 *
 * All that is in any way unlike is left to those who walk: it is not wrong, only not plain. An
 * octet behind the last record is enough, by which tests have any message read the long way.
 */
#include "wire/plain.h"

#include <string.h>

#include "wire/message.h"
#include "wire/octets.h"
#include "wire/types.h"

/* Owner, type and class; then TTL and length of the data. */
#define START_LEN PLAIN_TTL_AT
#define FIELDS_LEN (START_LEN + 6)
/* Of an OPT before its options: owner (the root), type, size, flags, length (RFC 6891 6.1.2). */
#define OPT_LEN 11

static bool read_opt(struct cursor *c, struct edns *ret)
{
	const uint8_t *fields = cursor_bytes(c, OPT_LEN), *options;
	size_t len;

	if (!fields || fields[0] != 0 || octets_load_u16(fields + 1) != TYPE_OPT)
		return false;
	len = octets_load_u16(fields + 9);
	options = cursor_bytes(c, len);
	return options && edns_read(ret, octets_load_u16(fields + 3), octets_load_u32(fields + 5),
				    cursor_over(options, len)) == 0;
}

/* The header's counts of this many answers, and with or without one more record. */
static bool read_counts(const uint8_t *counts, uint16_t *ret_count, bool *ret_opt)
{
	*ret_count = octets_load_u16(counts + 2);
	*ret_opt = counts[7];
	return octets_load_u16(counts) == 1 && *ret_count > 0 && octets_load_u16(counts + 4) == 0 &&
	       octets_load_u16(counts + 6) <= 1;
}

bool plain_read(const uint8_t *data, size_t len, size_t question_end, uint16_t type,
		struct plain *ret)
{
	unsigned rdata_len = type == TYPE_A ? 4 : 16, n;
	uint8_t start[START_LEN] = { 0xc0, DNS_HEADER_LEN, 0, 0, 0, CLASS_IN };
	struct cursor c = cursor_over(data, len);
	struct plain plain = { .ttl = INT32_MAX };

	if ((type != TYPE_A && type != TYPE_AAAA) || len < DNS_HEADER_LEN ||
	    !read_counts(data + 4, &plain.count, &plain.has_opt))
		return false;
	octets_store_u16(start + 2, type);
	cursor_seek(&c, question_end);
	plain.records = data + question_end;
	plain.records_len = (size_t)plain.count * (FIELDS_LEN + rdata_len);
	for (n = 0; n < plain.count; n++) {
		const uint8_t *record = cursor_bytes(&c, FIELDS_LEN + rdata_len);
		uint32_t ttl;

		if (!record || memcmp(record, start, START_LEN) != 0 ||
		    octets_load_u16(record + START_LEN + 4) != rdata_len)
			return false;
		ttl = octets_load_u32(record + START_LEN);
		if (ttl > INT32_MAX)
			return false; /* means 0 (RFC 2181 8) */
		if (ttl < plain.ttl)
			plain.ttl = ttl;
	}
	if ((plain.has_opt && !read_opt(&c, &plain.edns)) || cursor_left(&c) > 0)
		return false;
	*ret = plain;
	return true;
}
