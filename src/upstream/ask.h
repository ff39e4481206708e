/* SPDX-License-Identifier: MIT */
/*
 * A query of ours as it goes out, and whether what comes back answers it.
 *
 * Pure; one thread at a time.
 */
#ifndef PRIVLINKD_UPSTREAM_ASK_H
#define PRIVLINKD_UPSTREAM_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "upstream/question.h"
#include "wire/plain.h"

/* Longest query: header, name, type and class, OPT with a cookie make 326 octets,
 * padded 384. */
#define ASK_LEN_MAX 512

/* RFC 7873 4: a client's cookie has 8 octets, a server's 8 to 32. */
#define ASK_CLIENT_COOKIE_LEN 8
#define ASK_SERVER_COOKIE_MIN 8
#define ASK_SERVER_COOKIE_MAX 32

/* What is remembered of a query until its answer comes. */
struct ask {
	const struct question_key *key; /* the caller's */
	uint16_t id;
	bool edns;
	bool ad;     /* asks to be told (RFC 6840 5.7) */
	bool caps;   /* letters of the name in a case of their own: of octet n, bit n mod 64 */
	bool cookie; /* with `client` in it; wants edns */
	bool stream; /* over TCP or TLS: asks how long the connection is kept (RFC 7828) */
	bool padded; /* over TLS (RFC 8467 4.1) */
	uint64_t caps_bits;
	uint8_t client[ASK_CLIENT_COOKIE_LEN];
};

/* The query; `server_len` octets of a server's cookie, or 0. Its length. */
size_t ask_write(const struct ask *ask, const uint8_t *server, size_t server_len,
		 uint8_t out[ASK_LEN_MAX]);

enum ask_fit {
	/* Not a response to this query: id, QR, opcode, question, or a cookie that is not ours. */
	ASK_OTHER,
	/* Its question fits, but cannot be read to its end. */
	ASK_MALFORMED,
	/* All fits but the case of the name, where that was our own. */
	ASK_WRONG_CASE,
	/*
	 * A header alone that says FORMERR or NOTIMP to a query with EDNS, as servers do that are
	 * older than EDNS (RFC 6891 7). No answer: at most a reason to ask again without.
	 */
	ASK_HEADER_ALONE,
	ASK_FITS,
};

struct ask_reply {
	uint16_t flags; /* of its header */
	/* These of one that is whole, not cut (TC) and read to its end: */
	uint16_t rcode; /* with the upper bits of an OPT; of others the header's */
	bool has_opt;
	/* Our cookie came back with it (RFC 7873 5.3); the server's, in the message, may be NULL */
	bool has_cookie;
	const uint8_t *server;
	size_t server_len;
	/* It is a plain one (plain.h), and what it holds. */
	bool is_plain;
	struct plain plain;
	/* How long it keeps the connection, in units of 100 ms (RFC 7828); -1: it does not say. */
	int32_t idle_ds;
};

/* *ret is filled in except for ASK_OTHER. */
enum ask_fit ask_match(const struct ask *ask, const uint8_t *data, size_t len,
		       struct ask_reply *ret);

#endif
