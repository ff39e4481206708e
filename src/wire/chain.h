/* SPDX-License-Identifier: MIT */
/*
 * Follows a name through the answer section of a reply, one link at a time.
 *
 * Records may stand in any order. Only what hangs on the name asked about is looked at, so whatever
 * else a reply holds is never believed; only class IN counts. A CNAME wins over a DNAME above the
 * name, and that over data (RFC 2181 10.1, RFC 6672 2.4). Loops are the caller's concern: it counts
 * links. Pure; any thread.
 */
#ifndef PRIVLINKD_WIRE_CHAIN_H
#define PRIVLINKD_WIRE_CHAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/message.h"

enum chain_link {
	CHAIN_END,   /* the answer section says nothing about this name and type */
	CHAIN_DATA,  /* it holds records of the type at the name */
	CHAIN_ALIAS, /* a CNAME at the name, or a DNAME above it, leads to `target` */
	CHAIN_BAD,   /* malformed, or a DNAME whose result is too long (RFC 6672 2.2: YXDOMAIN) */
};

struct chain_hop {
	/*
	 * CHAIN_DATA: the type asked; for ANY the first found at the name, RRSIG only where there
	 * is no other. CHAIN_ALIAS: CNAME, or DNAME where the message holds no CNAME at the name.
	 */
	uint16_t type;
	/*
	 * CHAIN_DATA: lowest of the RRset. CHAIN_ALIAS: the CNAME's; the DNAME's without one, or
	 * where it made one with a TTL of 0.
	 */
	uint32_t ttl;
	uint8_t target[NAME_WIRE_MAX]; /* CHAIN_ALIAS: wire name */
	/*
	 * CHAIN_ALIAS: a DNAME stands above the name, with or without a CNAME in the message.
	 * CHAIN_DATA: the same, where the data are a CNAME.
	 */
	bool from_dname;
	uint8_t dname_owner[NAME_WIRE_MAX]; /* then: its owner, as it stands in the message */
};

/*
 * Where a message may be of many records and hostile names: its owners as owners_read gave them,
 * else NULL. The answer is the same.
 */
struct owners;

/*
 * One link from the wire name `owner`. For type CNAME and ANY a CNAME at the name is data, not an
 * alias, even below a DNAME; without data at the name a DNAME above is still followed.
 * The message must have been opened; it is rewound before and after. *ret is written for CHAIN_DATA
 * and CHAIN_ALIAS; its names only where they mean something.
 */
enum chain_link chain_next(struct message *message, const struct owners *owners,
			   const uint8_t *owner, uint16_t type, struct chain_hop *ret);

#endif
