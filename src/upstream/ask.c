/* SPDX-License-Identifier: MIT */
/*
 * A reply must fit its query in everything a query says: id, opcode, the whole question; where the
 * case of the name was drawn, in that; where a cookie was sent and one comes back, in that. Whoever
 * could end a question with something less could choose who answers it.
 *
 * Three things may be missing and are told apart. "I cannot read this" may come as a header alone,
 * for it answers nothing. A wrong case may be an upstream that does not keep it. A reply without
 * any cookie may be from an upstream that knows none. What follows from the last two is the
 * caller's business, who knows the upstream.
 *
 * A reply that is cut (TC) is not read beyond its question: what stands behind may be cut too.
 */
#include "upstream/ask.h"

#include <string.h>

#include "wire/cursor.h"
#include "wire/message.h"
#include "wire/name.h"
#include "wire/types.h"
#include "wire/writer.h"

/* What a query over TLS is padded to (RFC 8467 4.1). */
#define PAD_BLOCK 128

/* The octet at `at` of the name, as it goes out. */
static uint8_t octet_out(const struct ask *ask, size_t at)
{
	uint8_t octet = ask->key->fold[at];

	/* A length octet is below 64 and so no letter. */
	if (ask->caps && octet >= 'a' && octet <= 'z' && ask->caps_bits >> at % 64 & 1)
		octet = (uint8_t)(octet - 'a' + 'A');
	return octet;
}

size_t ask_write(const struct ask *ask, const uint8_t *server, size_t server_len,
		 uint8_t out[ASK_LEN_MAX])
{
	uint8_t name[NAME_WIRE_MAX], cookie[ASK_CLIENT_COOKIE_LEN + ASK_SERVER_COOKIE_MAX];
	struct writer_opt opt = { .udp_size = EDNS_UDP_SIZE,
				  .do_bit = ask->key->do_bit,
				  .ask_keepalive = ask->stream,
				  .pad_block = ask->padded ? PAD_BLOCK : 0,
				  .ede = EDE_NONE };
	uint16_t flags = FLAG_RD;
	struct writer writer;
	size_t at;

	memcpy(name, ask->key->fold, ask->key->len);
	for (at = 0; ask->caps && at < ask->key->len; at++)
		name[at] = octet_out(ask, at);
	if (ask->key->cd_bit)
		flags |= FLAG_CD;
	if (ask->ad)
		flags |= FLAG_AD;
	if (ask->cookie) {
		memcpy(cookie, ask->client, ASK_CLIENT_COOKIE_LEN);
		if (server_len > 0)
			memcpy(cookie + ASK_CLIENT_COOKIE_LEN, server, server_len);
		opt.cookie = cookie;
		opt.cookie_len = ASK_CLIENT_COOKIE_LEN + server_len;
	}
	writer_init(&writer, out, ASK_LEN_MAX, ask->id, flags);
	writer_question(&writer, name, ask->key->type, CLASS_IN);
	if (ask->edns)
		writer_opt(&writer, &opt);
	return writer_finish(&writer);
}

/* All of it is a header that says that a query with EDNS was not understood. */
static bool is_header_alone(const struct ask *ask, struct cursor counts, uint16_t flags)
{
	unsigned rcode = flags & 0xf;
	uint64_t any = 0;

	if (!ask->edns || counts.len != DNS_HEADER_LEN)
		return false;
	while (cursor_left(&counts) > 0)
		any |= cursor_u16(&counts);
	return any == 0 && (rcode == RCODE_FORMERR || rcode == RCODE_NOTIMP);
}

/* The question's name stands in our case. Its octets are there: it fits but for the case. */
static bool case_fits(const struct ask *ask, const uint8_t *data, size_t len)
{
	struct cursor cursor = cursor_over(data, len);
	uint8_t differs = 0;
	size_t at;

	cursor_seek(&cursor, DNS_HEADER_LEN);
	for (at = 0; at < ask->key->len; at++)
		differs |= cursor_u8(&cursor) ^ octet_out(ask, at);
	return !differs && !cursor.bad;
}

/* Is our cookie in it? -1: it holds one that is not ours, or none that can be (RFC 7873 5.3). */
static int take_cookie(const struct ask *ask, const struct edns *edns, struct ask_reply *ret)
{
	size_t len = edns->cookie_len;

	if (!ask->cookie || !edns->cookie)
		return 0;
	if (len < ASK_CLIENT_COOKIE_LEN ||
	    memcmp(edns->cookie, ask->client, ASK_CLIENT_COOKIE_LEN) != 0)
		return -1;
	len -= ASK_CLIENT_COOKIE_LEN;
	ret->has_cookie = true;
	if (len >= ASK_SERVER_COOKIE_MIN && len <= ASK_SERVER_COOKIE_MAX) {
		ret->server = edns->cookie + ASK_CLIENT_COOKIE_LEN;
		ret->server_len = len;
	}
	return 0;
}

static enum ask_fit take_opt(const struct ask *ask, const struct edns *edns, struct ask_reply *ret)
{
	ret->has_opt = true;
	if (ask->stream)
		ret->idle_ds = edns->idle_ds;
	ret->rcode = (uint16_t)(ret->rcode | edns->rcode_high << 4);
	return take_cookie(ask, edns, ret) < 0 ? ASK_OTHER : ASK_FITS;
}

/* To its end, for the OPT. Its question ends at `at`. */
static enum ask_fit read_opt(const struct ask *ask, const uint8_t *data, size_t len, size_t at,
			     struct ask_reply *ret)
{
	struct message_record record;
	struct message message;
	int got;

	ret->is_plain = plain_read(data, len, at, ask->key->type, &ret->plain);
	if (ret->is_plain)
		return ret->plain.has_opt ? take_opt(ask, &ret->plain.edns, ret) : ASK_FITS;
	if (message_open(&message, data, len, NULL, NULL, NULL) < 0)
		return ASK_MALFORMED;
	while ((got = message_next(&message, &record)) > 0) {
		struct edns edns;

		if (record.section != SECTION_ADDITIONAL || record.type != TYPE_OPT || ret->has_opt)
			continue;
		if (edns_read(&edns, record.class, record.ttl,
			      cursor_over(data + record.rdata_at, record.rdata_len)) < 0)
			return ASK_MALFORMED;
		if (take_opt(ask, &edns, ret) == ASK_OTHER)
			return ASK_OTHER;
	}
	return got < 0 ? ASK_MALFORMED : ASK_FITS;
}

enum ask_fit ask_match(const struct ask *ask, const uint8_t *data, size_t len,
		       struct ask_reply *ret)
{
	const struct question_key *key = ask->key;
	struct cursor cursor = cursor_over(data, len);
	bool same = cursor_u16(&cursor) == ask->id;
	const uint8_t *name;
	uint16_t flags = cursor_u16(&cursor);
	enum ask_fit fit = ASK_FITS;

	same = same && (flags & FLAG_QR) && (flags >> 11 & 0xf) == OPCODE_QUERY && !cursor.bad;
	if (!same)
		return ASK_OTHER;
	*ret = (struct ask_reply){ .flags = flags, .rcode = flags & 0xf, .idle_ds = -1 };
	if (is_header_alone(ask, cursor, flags))
		return ASK_HEADER_ALONE;
	/* The name stands uncompressed: nothing is before it. Mostly it is as it went out. */
	same = cursor_u16(&cursor) == 1;
	cursor_seek(&cursor, DNS_HEADER_LEN);
	name = cursor_bytes(&cursor, key->len);
	same = same && name &&
	       (memcmp(name, key->fold, key->len) == 0 ||
		name_read_matches(&cursor, DNS_HEADER_LEN, key->fold));
	same = cursor_u16(&cursor) == key->type && same;
	same = cursor_u16(&cursor) == CLASS_IN && same;
	if (!same || cursor.bad)
		return ASK_OTHER;
	if (!(flags & FLAG_TC))
		fit = read_opt(ask, data, len, cursor.at, ret);
	if (fit == ASK_FITS && ask->caps && !case_fits(ask, data, len))
		fit = ASK_WRONG_CASE;
	return fit;
}
