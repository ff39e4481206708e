/* SPDX-License-Identifier: MIT */
/*
 * EDNS(0): the OPT record of a query, and the options that are looked at (RFC 6891).
 *
 * Pure. Options not named here are ignored in queries and never copied into answers (RFC 6891
 * 6.1.1).
 */
#ifndef PRIVLINKD_WIRE_EDNS_H
#define PRIVLINKD_WIRE_EDNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/cursor.h"
#include "wire/types.h"

/* Largest UDP payload that we send or ask for: never fragmented on any sane path (RFC 9715 3). */
#define EDNS_UDP_SIZE 1232
/* Largest UDP answer to a query without EDNS, and the least that a stated size can mean (RFC 6891
 * 6.2.3). */
#define EDNS_UDP_SIZE_MIN 512
/* Options read in one OPT; more is FORMERR: nobody honest sends so many, and reading must stay
 * cheap. */
#define EDNS_OPTIONS_MAX 32

enum edns_option {
	EDNS_OPTION_NSID = 3,
	EDNS_OPTION_COOKIE = 10,
	EDNS_OPTION_KEEPALIVE = 11,
	EDNS_OPTION_PADDING = 12,
	EDNS_OPTION_EDE = 15,
};

struct edns {
	bool present;
	uint8_t version;
	uint8_t rcode_high; /* upper eight bits of the extended rcode */
	uint16_t udp_size;  /* as stated, but at least EDNS_UDP_SIZE_MIN */
	bool do_bit;
	bool nsid;      /* asked for (RFC 5001) */
	bool keepalive; /* asked for (RFC 7828); of no meaning over UDP */
	/* with keepalive, of a reply: how long it keeps the connection, in 100 ms; or -1 */
	int32_t idle_ds;
	bool padding; /* padded, so its answer is to be (RFC 8467 4) */
	int ede;      /* info code, or EDE_NONE; in replies */
	/* the first COOKIE as it stands (RFC 7873), any length; NULL: none */
	const uint8_t *cookie;
	size_t cookie_len;
};

/* From the fields of an OPT record that has no data. */
static inline void edns_read_fields(struct edns *ret, uint16_t class, uint32_t ttl)
{
	*ret = (struct edns){
		.present = true,
		.version = (uint8_t)(ttl >> 16),
		.rcode_high = (uint8_t)(ttl >> 24),
		.udp_size = class < EDNS_UDP_SIZE_MIN ? EDNS_UDP_SIZE_MIN : class,
		.do_bit = (ttl & 0x8000) != 0,
		.idle_ds = -1,
		.ede = EDE_NONE,
	};
}

/*
 * From the fields of an OPT record: `class` is the size, `ttl` the flags, rdata the options. -1 if
 * malformed (options that overrun, too many). Options of a version over 0 are not looked at.
 */
int edns_read(struct edns *ret, uint16_t class, uint32_t ttl, struct cursor rdata);

#endif
