/* SPDX-License-Identifier: MIT */
/*
 * Plain replies, read the short way and the long way: an octet behind the last record changes
 * nothing of what a reply says (wire/message.c), but makes it one that is not plain.
 */
#include "wire/plain.h"

#include <stdlib.h>
#include <string.h>

#include "forward/reply.h"
#include "resolve/answer.h"
#include "unit/unit.h"
#include "upstream/ask.h"
#include "wire/types.h"
#include "wire/writer.h"

#define ROUNDS 60000

static struct name name;
static uint8_t message[600];
static size_t len;

static unsigned draw(unsigned below)
{
	static uint64_t state = 1;

	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(state >> 33) % below;
}

/* Addresses for www.example.test; `options`: of its OPT, of so many octets, or -1: none. */
static void make(uint16_t type, unsigned count, int options)
{
	struct writer_opt opt = { .udp_size = 1232, .ede = EDE_NONE };
	uint8_t rdata[16] = { 192, 0, 2, 1 }, cookie[24] = "client!!and the server's";
	struct writer writer;

	name_from_text(&name, "www.example.test", 16);
	writer_init(&writer, message, sizeof(message) - 1, 0x1234, FLAG_QR | FLAG_RD | FLAG_RA);
	writer_question(&writer, name.wire, type, CLASS_IN);
	for (unsigned n = 0; n < count; n++) {
		rdata[3] = (uint8_t)n;
		writer_record(&writer, SECTION_ANSWER, name.wire, type, 300 - n, rdata,
			      type == TYPE_A ? 4 : 16);
	}
	if (options > 0) {
		opt.cookie = cookie;
		opt.cookie_len = (size_t)options;
		opt.ede = 3;
	}
	if (options >= 0)
		writer_opt(&writer, &opt);
	len = writer_finish(&writer);
}

static bool is_plain(uint16_t type)
{
	struct plain plain;

	return plain_read(message, len, DNS_HEADER_LEN + name.len + 4u, type, &plain);
}

/* Both ways to cut it down, and to match it; where there are two. */
static void compare(uint16_t type, bool do_bit)
{
	struct forward_question question = { .name = &name, .type = type, .do_bit = do_bit };
	struct question_key key = { .fold = name.fold, .len = name.len, .type = type };
	struct ask ask = { .key = &key, .id = 0x1234, .edns = true, .cookie = true };
	static uint8_t out[2][REPLY_LEN_MAX];
	struct reply_cut cut[2];
	struct ask_reply said[2];
	uint16_t places[REPLY_PLACES_MAX];
	enum ask_fit fit[2];
	int got[2], n;

	/* With another question it may end elsewhere. */
	if (!is_plain(type) || memcmp(message + DNS_HEADER_LEN, name.wire, name.len) != 0)
		return;
	memcpy(ask.client, "client!!", 8);
	message[len] = 0;
	for (n = 0; n < 2; n++)
		fit[n] = ask_match(&ask, message, len + (size_t)n, &said[n]);
	for (n = 0; n < 2; n++) {
		got[n] = n == 0 ? reply_take(&key, message, len,
					     fit[n] == ASK_FITS && said[n].is_plain ? &said[n].plain
										    : NULL,
					     out[n], sizeof(out[n]), &cut[n])
				: reply_cut(&question, message, len + 1, out[n], sizeof(out[n]),
					    &cut[n]);
	}
	ck_assert_int_eq(got[0], got[1]);
	if (got[0] == 0) {
		ck_assert_uint_eq(cut[0].len, cut[1].len);
		ck_assert_mem_eq(out[0], out[1], cut[0].len);
		ck_assert_uint_eq(cut[0].ttl_s, cut[1].ttl_s);
		ck_assert_uint_eq(cut[0].rcode, cut[1].rcode);
		ck_assert_uint_eq(cut[0].negative, cut[1].negative);
		ck_assert_uint_eq(cut[0].referral, cut[1].referral);
		ck_assert_uint_eq(cut[0].links, cut[1].links);
		ck_assert_uint_eq(cut[0].full_rcode, cut[1].full_rcode);
		ck_assert_uint_eq(cut[0].has_opt, cut[1].has_opt);
		ck_assert_int_eq(cut[0].ede, cut[1].ede);
		if (cut[0].plain) {
			ck_assert_int_eq(cut[0].ttls, reply_find_ttls(out[1], cut[1].len, places));
			ck_assert_mem_eq(out[0] + cut[0].len, places,
					 cut[0].ttls * sizeof(places[0]));
		}
	}
	ck_assert_int_eq(fit[0], fit[1]);
	if (fit[0] == ASK_OTHER)
		return;
	ck_assert_uint_eq(said[0].flags, said[1].flags);
	ck_assert_uint_eq(said[0].rcode, said[1].rcode);
	ck_assert_uint_eq(said[0].has_opt, said[1].has_opt);
	ck_assert_uint_eq(said[0].has_cookie, said[1].has_cookie);
	ck_assert_ptr_eq(said[0].server, said[1].server);
	ck_assert_uint_eq(said[0].server_len, said[1].server_len);
	ck_assert_int_eq(said[0].idle_ds, said[1].idle_ds);
}

START_TEST(what_is_plain)
{
	struct plain plain;

	make(TYPE_A, 3, 24);
	ck_assert(plain_read(message, len, DNS_HEADER_LEN + name.len + 4u, TYPE_A, &plain));
	ck_assert_uint_eq(plain.count, 3);
	ck_assert_uint_eq(plain.ttl, 298);
	ck_assert_uint_eq(plain.records_len, 48);
	ck_assert_ptr_eq(plain.records, message + DNS_HEADER_LEN + name.len + 4);
	ck_assert(plain.has_opt);
	ck_assert_int_eq(plain.edns.ede, 3);
	ck_assert_uint_eq(plain.edns.cookie_len, 24);
	compare(TYPE_A, false);
	make(TYPE_AAAA, 1, -1);
	ck_assert(plain_read(message, len, DNS_HEADER_LEN + name.len + 4u, TYPE_AAAA, &plain));
	ck_assert(!plain.has_opt);
	compare(TYPE_AAAA, true);
}
END_TEST

START_TEST(what_is_not)
{
	make(TYPE_A, 0, 0);
	ck_assert(!is_plain(TYPE_A));
	make(TYPE_TXT, 1, 0);
	ck_assert(!is_plain(TYPE_TXT));
	make(TYPE_A, 1, 0);
	ck_assert(!is_plain(TYPE_AAAA));
	message[len++] = 0;
	ck_assert(!is_plain(TYPE_A));
	make(TYPE_A, 2, 0);
	message[7]++; /* one more answer: the OPT is none */
	ck_assert(!is_plain(TYPE_A));
	make(TYPE_A, 1, -1);
	message[DNS_HEADER_LEN + name.len + 4 + 6] = 0x80; /* of the TTL */
	ck_assert(!is_plain(TYPE_A));
	make(TYPE_A, 2, 24);
	while (len-- > 0)
		ck_assert(!is_plain(TYPE_A));
}
END_TEST

/* Octets changed at random, few enough that many messages stay plain. */
START_TEST(as_the_long_way)
{
	unsigned round, n, plain = 0;

	for (round = 0; round < ROUNDS; round++) {
		uint16_t type = draw(2) ? TYPE_A : TYPE_AAAA;

		make(type, 1 + draw(4), (int)draw(4) * 8 - 8);
		for (n = draw(4); n > 0; n--) {
			uint8_t *at = &message[draw(3) ? draw((unsigned)len) : 2 + draw(10)];

			*at = (uint8_t)(draw(2) ? draw(256) : *at ^ 1u << draw(8));
		}
		if (draw(16) == 0)
			len = draw((unsigned)len + 1);
		plain += is_plain(type);
		compare(type, draw(2));
	}
	ck_assert_uint_gt(plain, ROUNDS / 8);
	ck_assert_uint_lt(plain, ROUNDS * 7 / 8);
}
END_TEST

/* The answer to `text` whose first item is the reply, or that after an alias; both ways. */
static void compare_answers(const char *text, unsigned item, uint32_t age_s, size_t cap)
{
	static struct plan plan;
	static struct step_replies replies;
	static uint8_t out[2][600], cut[600];
	uint8_t question[300];
	struct forward_question asked = { .name = &name, .type = TYPE_A };
	struct answer_shape shape = { .question = question, .edns = true, .udp_size = 1232 };
	struct reply_cut said;
	struct name client;
	size_t got[2];
	bool truncated[2];
	unsigned n;

	ck_assert_int_eq(reply_cut(&asked, message, len, cut, sizeof(cut) - 1, &said), 0);
	cut[said.len] = 0;
	ck_assert_int_eq(name_from_text(&client, text, strlen(text)), 0);
	memcpy(question, client.wire, client.len);
	memcpy(question + client.len, "\0\1\0\1", 4);
	shape.question_len = client.len + 4u;
	memset(&plan, 0, sizeof(plan));
	plan.failed_reply = -1;
	plan.ede = plan.ede_more = EDE_NONE;
	plan.count = plan.names = item + 1;
	memcpy(plan.name[0], client.wire, client.len);
	memcpy(plan.name[item], item ? name.wire : client.wire, item ? name.len : client.len);
	plan.item[0] = (struct plan_item){ .kind = PLAN_ALIAS, .ttl = 10 };
	plan.item[item] =
		(struct plan_item){ .kind = PLAN_REPLY, .name = (uint8_t)item, .type = TYPE_A };
	replies.count = 1;
	for (n = 0; n < 2; n++) {
		replies.item[0] = (struct reply){
			.data = cut, .len = said.len + n, .age_s = age_s, .ttl_cap_s = 250
		};
		got[n] = answer_plan(&shape, &plan, &replies, NULL, out[n], cap, &truncated[n]);
	}
	ck_assert_uint_eq(got[0], got[1]);
	ck_assert_mem_eq(out[0], out[1], got[0]);
	ck_assert_uint_eq(truncated[0], truncated[1]);
}

START_TEST(answers)
{
	unsigned count, item;

	for (count = 1; count < 20; count++) {
		make(TYPE_A, count, 0);
		for (item = 0; item < 2; item++) {
			compare_answers("www.example.test", item, 0, 600);
			compare_answers("wWw.exampLe.Test", item, 100, 600);
			compare_answers("www.example.test", item, 400, 600);
			compare_answers("www.example.test", item, 0, 120);
			compare_answers("ww2.example.test", item, 0, 600);
			compare_answers("a.longer.example.test", item, 0, 600);
			compare_answers(".", item, 0, 600);
		}
	}
}
END_TEST

static Suite *plain_suite(void)
{
	Suite *suite = suite_create("plain");
	TCase *tcase = tcase_create("plain");

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, what_is_plain);
	tcase_add_test(tcase, what_is_not);
	tcase_add_test(tcase, as_the_long_way);
	tcase_add_test(tcase, answers);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(plain_suite)
