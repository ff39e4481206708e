/* SPDX-License-Identifier: MIT */
/*
 * Lays out a DNS message in a buffer of fixed size, with name compression (RFC 1035 4.1.4).
 *
 * A write that does not fit sets `full` and changes nothing; it stays full until a rollback. Names
 * are wire names; they are compressed against all names written before, case ignored, and so are
 * names within the data of NS, CNAME, PTR, SOA and MX (RFC 3597 4: no others). Pure; any thread.
 */
#ifndef PRIVLINKD_WIRE_WRITER_H
#define PRIVLINKD_WIRE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/edns.h"
#include "wire/message.h"

/* Suffixes remembered for compression; later names are written out in full where none of these
 * fits. */
#define WRITER_SUFFIXES_MAX 64

struct writer {
	uint8_t *data;
	size_t cap; /* what may be used: lowered by writer_reserve */
	size_t len;
	bool full;
	uint16_t count[4]; /* records in each section */
	/* the question, whose name stands whole at DNS_HEADER_LEN: octets of that, or 0 */
	uint8_t question_len;
	/* the name written last, as it was given, and where it stands; 0 octets: none */
	uint8_t last_len;
	uint16_t last_at;
	uint16_t suffixes;
	struct {
		uint16_t at;   /* where its first label stands in the message, below 0x4000 */
		uint16_t rest; /* the entry of what follows that label, plus one; 0: the root */
	} suffix[WRITER_SUFFIXES_MAX];
	uint8_t last[NAME_WIRE_MAX];
};

/* Begins a message: the header with this id and flags; counts are filled in by writer_finish. `cap`
 * >= DNS_HEADER_LEN. */
void writer_init(struct writer *writer, uint8_t *data, size_t cap, uint16_t id, uint16_t flags);

/* The question, octet by octet as it came (`len` octets: name, type, class; uncompressed). */
void writer_question_raw(struct writer *writer, const uint8_t *question, size_t len);

/*
 * All records of a message whose question stands in this one already, in its own or in other case:
 * octet by octet, so every pointer in them leads where it did. Nothing may have been written behind
 * the question. Only an OPT may follow: names in these records are not compressed against.
 */
void writer_records_raw(struct writer *writer, const uint8_t *message, size_t len);

/* The same of `count` answer records, whose pointers lead into the question alone. */
void writer_answers_raw(struct writer *writer, const uint8_t *records, size_t len, uint16_t count);

/*
 * Room for records that the caller lays out itself, of `len` octets in all, so many in the answer
 * and in the authority section. Nothing may have been written behind the question, and only an OPT
 * may follow. NULL, and nothing has changed: it does not fit.
 */
uint8_t *writer_room(struct writer *writer, size_t len, unsigned answers, unsigned authorities);

/* The question from its parts. */
void writer_question(struct writer *writer, const uint8_t *name, uint16_t type, uint16_t class);

/*
 * Keeps `len` octets (at most cap) at the end free for what must always fit (the OPT); undone by a
 * negative len. More than is left makes later writes full.
 */
void writer_reserve(struct writer *writer, int len);

/* One record of class IN; sections must not go backwards. rdata is uncompressed, at most 65,535
 * octets. */
void writer_record(struct writer *writer, enum message_section section, const uint8_t *owner,
		   uint16_t type, uint32_t ttl, const uint8_t *rdata, size_t rdata_len);

/* The same of any class. */
void writer_record_class(struct writer *writer, enum message_section section, const uint8_t *owner,
			 uint16_t type, uint16_t class, uint32_t ttl, const uint8_t *rdata,
			 size_t rdata_len);

/* A place to come back to: everything written after it is forgotten, and so is `full`. */
struct writer_mark {
	size_t len;
	uint16_t count[4];
	uint16_t suffixes;
};
struct writer_mark writer_mark(const struct writer *writer);
void writer_rollback(struct writer *writer, const struct writer_mark *mark);

/* What our own OPT says. Zeroed but for `ede` = EDE_NONE it is the plainest one. */
struct writer_opt {
	uint16_t udp_size;
	uint8_t rcode_high;
	bool do_bit;
	int ede;              /* info code (RFC 8914), or EDE_NONE */
	const char *ede_text; /* UTF-8, or NULL */
	int ede_more;         /* a second info code, above 0; else there is none */
	const char *nsid;     /* or NULL */
	bool keepalive;
	uint16_t idle_ds;   /* with keepalive: the idle time, in units of 100 ms (RFC 7828 3.1) */
	bool ask_keepalive; /* in a query over TCP or TLS: how long is it kept? */
	unsigned pad_block; /* the whole message becomes a multiple of that; 0: no padding */
	const uint8_t *cookie; /* an option COOKIE of so many octets (RFC 7873), or NULL */
	size_t cookie_len;
};

/* Octets that this OPT will take, without what it is padded with. */
size_t writer_opt_len(const struct writer_opt *opt);

/* The last record, where it pads: up to the block, or to the room there is. */
void writer_opt(struct writer *writer, const struct writer_opt *opt);

/* Sets or clears header flags, and the rcode's low four bits. */
void writer_set_flags(struct writer *writer, uint16_t set, uint16_t clear);
void writer_set_rcode(struct writer *writer, unsigned rcode);

/* Fills in the counts. The message's length. */
size_t writer_finish(struct writer *writer);

#endif
