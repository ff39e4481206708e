/* SPDX-License-Identifier: MIT */
/*
 * Lays out the answer to a client: id, flags, question, records, EDNS, truncation. Pure; any
 * thread.
 */
#ifndef PRIVLINKD_RESOLVE_ANSWER_H
#define PRIVLINKD_RESOLVE_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resolve/step.h"
#include "wire/message.h"

/* What of a client's query shapes its answer. Small, so that a waiting query can keep it. */
struct answer_shape {
	uint16_t id, flags; /* of the query */
	bool stream;        /* no size limit but the message's */
	bool edns, do_bit, nsid;
	bool keepalive;    /* asked for, on a stream */
	bool padding;      /* asked for, where nobody can read along (RFC 7830 3) */
	uint16_t udp_size; /* as stated in the OPT */
	uint16_t idle_ds;  /* with keepalive: what is answered (RFC 7828 3.1) */
	uint16_t question_len;
	const uint8_t *question; /* its question section, echoed octet by octet; may be empty */
};

/* An error without records: FORMERR, REFUSED, SERVFAIL, ... `rcode` may be an extended one. */
size_t answer_error(const struct answer_shape *shape, unsigned rcode, int ede, const char *ede_text,
		    const char *nsid, uint8_t *out, size_t cap);

/*
 * The answer that a plan describes. *ret_truncated says that it did not fit and TC stands for it:
 * then it holds the question and the OPT alone, never a part (RFC 2181 9). `nsid` may be NULL.
 */
size_t answer_plan(const struct answer_shape *shape, const struct plan *plan,
		   const struct step_replies *replies, const char *nsid, uint8_t *out, size_t cap,
		   bool *ret_truncated);

/* A TXT answer of class CHAOS: version.bind, id.server and their like (RFC 4892). `text` NULL:
 * REFUSED. */
size_t answer_chaos(const struct answer_shape *shape, const char *text, uint8_t *out, size_t cap);

#endif
