/* SPDX-License-Identifier: MIT */
/*
 * What an upstream said to one question, cut down to what may be believed.
 *
 * A reply is a DNS message of its own: the question, the chain of CNAMEs from it, the records at
 * the chain's end, the SOA of a negative answer; with DO also the RRSIGs of those, DNAMEs, and NSEC
 * and NSEC3 of a proof. Chain first and in order. Nothing else survives, so nothing else can be
 * cached or believed. Where no upstream answered it is a header and question with SERVFAIL and
 * `ede` says why.
 *
 * Replies in flight between threads are reference-counted and live in a bounded pool; a reply taken
 * from the cache lives in its reader's buffer.
 */
#ifndef PRIVLINKD_FORWARD_REPLY_H
#define PRIVLINKD_FORWARD_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "net/addr.h"
#include "upstream/question.h"
#include "wire/message.h"
#include "wire/name.h"
#include "wire/plain.h"
#include "wire/types.h"

#define REPLY_LEN_MAX 65535
/* Places of TTLs that are known. Longer answers are rare, and large: to find them is little. */
#define REPLY_PLACES_MAX 32

/* What is asked of an upstream group, and the key of the cache. */
struct forward_question {
	const struct name *name;
	uint16_t type;
	uint16_t group; /* upstream group, of upstreams_group() */
	bool do_bit, cd_bit;
	/*
	 * No part of the key: the client whose own question this is, so that one that comes back to
	 * us is told apart; or NULL. `here`: other programs than an upstream ask from that address
	 * too, see looptable.h.
	 */
	const union addr *from;
	bool here;
};

struct reply_store; /* where a reply's octets live, counted */

struct reply {
	const uint8_t *data; /* the message; its question stands uncompressed at DNS_HEADER_LEN */
	size_t len;
	uint16_t group; /* who said it */
	/* NOERROR, NXDOMAIN, YXDOMAIN or SERVFAIL: all else has become SERVFAIL */
	uint8_t rcode;
	bool ad;       /* the upstream set AD and is trusted for it */
	bool failed;   /* nobody answered, or nobody with sense: no records */
	bool negative; /* cache.negative-ttl-max bounds it, not ttl-max */
	bool stale;    /* past its time, and nothing newer is to be had */
	int ede;       /* of a failure; of a stale one: why it was not renewed; else EDE_NONE */
	const char *ede_text; /* or NULL; constant */
	uint32_t age_s;       /* to take from every TTL in it */
	/*
	 * No TTL given on is higher: what is left of cache.ttl-max or negative-ttl-max. Of a stale
	 * one it is also the TTL of records that are past theirs.
	 */
	uint32_t ttl_cap_s;
	uint32_t serial; /* of a cached one: of no other reply to this question before or after */
	uint64_t memo;   /* of a cached one: what forward_remember left with it; else 0 */
	/*
	 * Where in it the TTLs of all its records stand, in order: REPLY_PLACE_LEN octets each,
	 * read with reply_ttl_place. Behind the message; NULL: not known.
	 */
	const uint8_t *ttl_places;
	uint16_t ttls;
	/*
	 * NOERROR with the records that were asked for, owned by the question's name, and nothing
	 * else. Their places are known.
	 */
	bool plain;
	struct reply_store *store; /* NULL: in somebody's buffer */
};

/*
 * Cuts an upstream's message down. `data` must be a response whose id and question have been
 * matched. Writes into out; *ret_len. *ret_ttl_s gets the seconds it may be kept: the lowest TTL in
 * it, for negative answers the lower of the SOA's TTL and MINIMUM (RFC 2308 5), 0 where there is no
 * SOA; uncapped. -1 if the message is malformed anywhere in what is read. Pure.
 */
int reply_scrub(const struct forward_question *question, const uint8_t *data, size_t len,
		uint8_t *out, size_t cap, size_t *ret_len, uint32_t *ret_ttl_s);

/*
 * The same with all that was found out on the way; for the forwarder. *ret is filled in only on 0.
 */
struct reply_cut {
	size_t len;
	uint32_t ttl_s; /* as *ret_ttl_s */
	uint8_t rcode;  /* NOERROR, NXDOMAIN, YXDOMAIN or SERVFAIL */
	/* no records at the chain's end, and the chain is not just unfinished */
	bool negative;
	bool referral;       /* NOERROR that says nothing but who else might know; not for us */
	unsigned links;      /* of the chain that was kept */
	uint16_t full_rcode; /* as it was, with the upper bits of an OPT */
	bool has_opt;
	int ede;       /* of its OPT, or EDE_NONE */
	uint16_t ttls; /* places behind the message in `out`; see struct reply */
	bool plain;    /* as in struct reply */
};
int reply_cut(const struct forward_question *question, const uint8_t *data, size_t len,
	      uint8_t *out, size_t cap, struct reply_cut *ret);

/*
 * The same by the question's key, and with what is known of the message by now: that it is a plain
 * one, which holds this; or NULL.
 */
int reply_take(const struct question_key *key, const uint8_t *data, size_t len,
	       const struct plain *plain, uint8_t *out, size_t cap, struct reply_cut *ret);

/* Does the upstream perhaps not know EDNS? */
static inline bool reply_may_mean_no_edns(const struct reply_cut *cut)
{
	return cut->full_rcode == RCODE_FORMERR || cut->full_rcode == RCODE_NOTIMP ||
	       cut->full_rcode == RCODE_BADVERS;
}

/* The upstream has done its work: a chain led on, or what it found is not validly signed. */
static inline bool reply_is_names_fault(const struct reply_cut *cut)
{
	return cut->links > 0 || (cut->ede >= EDE_BOGUS_FIRST && cut->ede <= EDE_BOGUS_LAST);
}

/* Writes header and question (a wire name) with SERVFAIL. Its length; room for 512 is enough. */
size_t reply_failure(const uint8_t *name, uint16_t type, uint8_t *out, size_t cap);

/* Is this the reply to `name` from `group`? Case ignored. */
bool reply_is_for(const struct reply *reply, const struct name *name, uint16_t group);

/* The effective TTL of a record in it: aged and capped. */
uint32_t reply_ttl(const struct reply *reply, uint32_t ttl);

/* The i-th of its ttl_places: an offset in the message. */
#define REPLY_PLACE_LEN 2
static inline size_t reply_ttl_place(const struct reply *reply, unsigned i)
{
	uint16_t place;

	memcpy(&place, reply->ttl_places + REPLY_PLACE_LEN * i, sizeof(place));
	return place;
}

/* Octets that it takes, with its places. */
static inline size_t reply_room(const struct reply *reply)
{
	return reply->len + (size_t)reply->ttls * REPLY_PLACE_LEN;
}

/*
 * Finds the places of a message's TTLs. Their number; -1: more than REPLY_PLACES_MAX, malformed, or
 * with the message longer than REPLY_LEN_MAX. Pure.
 */
int reply_find_ttls(const uint8_t *data, size_t len, uint16_t places[REPLY_PLACES_MAX]);

/* Keeps a reply beyond the call that gave it; NULL store: a bug. Any thread. */
void reply_hold(const struct reply *reply);
void reply_drop(const struct reply *reply);

/*
 * The same for whoever keeps it while waiting for something else, for seconds maybe. False: it is
 * large, as many large ones as may be are kept already, and it is not held.
 */
bool reply_keep(const struct reply *reply);
void reply_let_go(const struct reply *reply);

#endif
