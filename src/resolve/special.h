/* SPDX-License-Identifier: MIT */
/*
 * Names that are answered here and never sent on: localhost, invalid, onion, resolver.arpa, the PTR
 * of our own addresses, and private reverse zones where nobody behind us could know them (RFC 6761,
 * 7686, 9462, 6303). Pure.
 */
#ifndef PRIVLINKD_RESOLVE_SPECIAL_H
#define PRIVLINKD_RESOLVE_SPECIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "resolve/view.h"
#include "wire/name.h"

enum special_kind {
	SPECIAL_NONE, /* an ordinary name */
	SPECIAL_DATA, /* one record: type, rdata */
	SPECIAL_NODATA,
	SPECIAL_NXDOMAIN,
};

struct special {
	enum special_kind kind;
	uint8_t zone_labels;  /* labels of the special zone, at the name's end: its SOA's owner */
	uint16_t type;        /* SPECIAL_DATA */
	const uint8_t *rdata; /* static */
	uint16_t rdata_len;
	bool by_address; /* it may be another where another address was asked */
};

/* Seconds that SPECIAL_DATA may be kept: the names never change (RFC 6303 3 has 10800 for its
 * SOA). */
#define SPECIAL_TTL_S 10800

/* `to`: the address that was asked, or NULL. */
struct special special_find(const struct view *view, const struct name *name, uint16_t type,
			    const union addr *to);

/* What a CHAOS question for who we are gets (RFC 4892): a text, "" where that is not to be told, or
 * NULL: no such name. */
const char *special_chaos(const struct view *view, const struct name *name, uint16_t type);

#endif
