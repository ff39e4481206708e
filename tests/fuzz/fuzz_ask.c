/* SPDX-License-Identifier: MIT */
/*
 * Any octets as a reply to a query of ours. The first octet says how was asked, the second with
 * which case; the rest is the message. It is matched against the query that it would fit best: its
 * own id and question.
 *
 * What fits must fit in all that a second, slower look finds; our own query, made a response, must
 * fit; and with another id, type, or cookie nothing does.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/must.h"
#include "upstream/ask.h"
#include "wire/message.h"
#include "wire/types.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const uint8_t server[] = "a server's cookie";

/* Our own query comes back as a response: whatever it is, that is the answer to it. */
static void check_echo(const struct ask *ask)
{
	uint8_t query[ASK_LEN_MAX];
	size_t len = ask_write(ask, server, ask->cookie ? 16 : 0, query);
	struct ask_reply reply;

	MUST(len <= sizeof(query));
	MUST(ask_match(ask, query, len, &reply) == ASK_OTHER);
	query[2] |= FLAG_QR >> 8;
	MUST(ask_match(ask, query, len, &reply) == ASK_FITS);
	MUST(reply.has_opt == ask->edns);
	MUST(reply.has_cookie == ask->cookie);
	MUST(reply.server_len == (ask->cookie ? 16 : 0));
	query[1] ^= 1;
	MUST(ask_match(ask, query, len, &reply) == ASK_OTHER);
	query[1] ^= 1;
	query[DNS_HEADER_LEN + ask->key->len + 1] ^= 1; /* type */
	MUST(ask_match(ask, query, len, &reply) == ASK_OTHER);
	query[DNS_HEADER_LEN + ask->key->len + 1] ^= 1;
	if (ask->cookie) {
		struct ask other = *ask;

		other.client[3] ^= 1;
		MUST(ask_match(&other, query, len, &reply) == ASK_OTHER);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct message message;
	struct ask_reply reply;
	struct question_key key = { 0 };
	struct ask ask = { .key = &key };
	struct name name;
	uint16_t class;
	enum ask_fit fit;

	if (len < 2 || message_open(&message, data + 2, len - 2, &name, &key.type, &class) < 0)
		return 0;
	ask.edns = data[0] & 1;
	ask.caps = data[0] & 2;
	ask.cookie = (data[0] & 4) && ask.edns;
	ask.ad = data[0] & 8;
	ask.caps_bits = data[1] * UINT64_C(0x0101010101010101);
	memcpy(ask.client, "\1\2\3\4\5\6\7\10", sizeof(ask.client));
	ask.id = message.id;
	key.fold = name.fold;
	key.len = name.len;
	check_echo(&ask);
	fit = ask_match(&ask, data + 2, len - 2, &reply);
	if (fit == ASK_OTHER) {
		MUST(!(message.flags & FLAG_QR) || (message.flags >> 11 & 0xf) != OPCODE_QUERY ||
		     class != CLASS_IN || ask.cookie);
		return 0;
	}
	MUST(message.flags & FLAG_QR);
	MUST(reply.flags == message.flags);
	MUST(fit != ASK_WRONG_CASE || ask.caps);
	MUST(fit == ASK_HEADER_ALONE || class == CLASS_IN);
	MUST(!reply.has_cookie || ask.cookie);
	MUST(reply.server_len == 0 || reply.server_len >= ASK_SERVER_COOKIE_MIN);
	MUST(reply.server_len <= ASK_SERVER_COOKIE_MAX);
	return 0;
}
