/* SPDX-License-Identifier: MIT */
/*
 * The owners of a message's answer section as hashes: which records may be a name's own, without
 * reading their names again and again.
 *
 * For messages of many records whose names a hostile server has chosen to be costly. A hash only
 * rules out; what it does not rule out is still to be compared. Pure; any thread.
 */
#ifndef PRIVLINKD_WIRE_OWNERS_H
#define PRIVLINKD_WIRE_OWNERS_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/message.h"
#include "wire/name.h"

/* The shortest record has 11 octets: no message holds more. */
#define OWNERS_MAX (65535 / 11)
/* Pointers reach no further (RFC 1035 4.1.4). */
#define OWNERS_REACH 0x4000

/* 180 KB; only what the message needs of it is touched. */
struct owners {
	unsigned count;             /* records */
	uint64_t hash[OWNERS_MAX];  /* of the n-th record's owner */
	uint8_t labels[OWNERS_MAX]; /* UINT8_MAX: no name, so nobody's */
	/* of the name that begins at an offset; labels + 1, 0: not known */
	uint64_t known_hash[OWNERS_REACH];
	uint8_t known_labels[OWNERS_REACH];
};

/* Reads the whole answer section; the message is rewound before and after. -1 if malformed. */
int owners_read(struct owners *owners, struct message *message);

/* May this be the owner of the n-th record of the answer section? */
static inline bool owners_may_be(const struct owners *owners, unsigned n, const struct name *name)
{
	return n < owners->count && owners->labels[n] == name->labels &&
	       owners->hash[n] == name_hash(name);
}

/* May that owner stand above this name? */
static inline bool owners_may_be_above(const struct owners *owners, unsigned n,
				       const struct name *name)
{
	return n < owners->count && owners->labels[n] < name->labels &&
	       owners->hash[n] == name->hash[owners->labels[n]];
}

#endif
