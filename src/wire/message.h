/* SPDX-License-Identifier: MIT */
/*
 * DNS messages as they come: a client's query, and the records of a reply (RFC 1035 4).
 *
 * Pure, bounded by the cursor. Offsets count octets from the start of the message. Numbers given
 * back are in host byte order.
 */
#ifndef PRIVLINKD_WIRE_MESSAGE_H
#define PRIVLINKD_WIRE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/cursor.h"
#include "wire/edns.h"
#include "wire/name.h"
#include "wire/types.h"

enum message_verdict {
	MESSAGE_OK,
	MESSAGE_DROP, /* shorter than a header, or itself a response: no answer at all */
	/* question count other than one, cut off, trailing octets, bad names, two OPTs, ... */
	MESSAGE_FORMERR,
	MESSAGE_NOTIMP,  /* opcode other than QUERY */
	MESSAGE_BADVERS, /* EDNS version over 0 (RFC 6891 6.1.3) */
};

struct message_query {
	uint16_t id;
	uint16_t flags; /* the header's second word, as it came */
	/* name, type, class and question_len may be read (also with some errors) */
	bool has_question;
	struct name name;
	uint16_t type, class;
	/* octets of the question section, which begins at DNS_HEADER_LEN: echo them */
	size_t question_len;
	struct edns edns; /* present only if an OPT was read */
};

/*
 * Reads a client's query whole. On FORMERR, NOTIMP and BADVERS what was read so far is in *ret, so
 * that an error can be answered; id and flags always are, but for DROP.
 * Records beside the OPT are skipped over (they must be well formed), a TSIG too.
 */
enum message_verdict message_read_query(struct message_query *ret, const uint8_t *data, size_t len);

enum message_section {
	SECTION_QUESTION,
	SECTION_ANSWER,
	SECTION_AUTHORITY,
	SECTION_ADDITIONAL,
};

/* A resource record of a message; nothing is copied. */
struct message_record {
	enum message_section section;
	uint16_t type, class;
	/* over 2^31-1 means 0 (RFC 2181 8); an OPT's as it came: its flags */
	uint32_t ttl;
	uint16_t rdata_len;
	size_t owner_at, ttl_at, rdata_at;
};

/* A walk over the records of a message. */
struct message {
	struct cursor cursor;
	uint16_t id, flags;
	uint16_t count[4]; /* of each section, as the header says; records may be missing */
	unsigned section;  /* where the walk is, and how many records it still has */
	unsigned left;
	size_t records_at; /* offset of the first record */
};

/*
 * Begins to read a message with exactly one question: the name is at DNS_HEADER_LEN. -1 if shorter
 * than a header or the question is bad. *ret_type and *ret_class may be NULL; `name` may be NULL.
 */
int message_open(struct message *ret, const uint8_t *data, size_t len, struct name *name,
		 uint16_t *ret_type, uint16_t *ret_class);

/*
 * 1 with the next record, 0 at the end (all counted records were there), -1 if malformed. Its owner
 * is not followed yet: message_owner may still find it bad.
 */
int message_next(struct message *message, struct message_record *ret);

/* Begins again at the first record. */
void message_rewind(struct message *message);

/* Is the record's owner this wire name? Case ignored; no copy is made. */
bool message_owner_is(const struct message *message, const struct message_record *record,
		      const uint8_t *wire);

/* The record's owner as a wire name; its length, or 0 if malformed (then no name is it either). */
size_t message_owner(const struct message *message, const struct message_record *record,
		     uint8_t out[NAME_WIRE_MAX]);

/*
 * The record's data as it stands, of rdata_len octets, where that is what message_rdata would give:
 * no name in it is ever compressed. NULL: it may hold one, or is malformed.
 */
const uint8_t *message_rdata_as_is(const struct message *message,
				   const struct message_record *record);

/*
 * The record's data with every compressed name in it written out (types of RFC 1035 3.3 and those
 * of RFC 3597 4: NS CNAME SOA PTR MX DNAME SRV RP AFSDB RT PX KX NAPTR MINFO MB MG MR MD MF NXT
 * SIG), other types as they are. Each is checked to fill rdata_len exactly; A must have 4 octets,
 * AAAA 16. Gives the length in *ret_len; -1 if malformed or longer than cap.
 */
int message_rdata(const struct message *message, const struct message_record *record, uint8_t *out,
		  size_t cap, size_t *ret_len);

#endif
