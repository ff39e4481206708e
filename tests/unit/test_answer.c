/* SPDX-License-Identifier: MIT */
/* What an answer looks like from outside the records: header bits, the question's octets, OPT,
 * limits of size. */
#include <string.h>

#include "resolve/answer.h"
#include "unit/unit.h"
#include "wire/message.h"
#include "wire/writer.h"

/* wWw.Example. TXT IN: the case must come back as it went. */
static const uint8_t question[] = "\003wWw\007Example\000\000\020\000\001";
static uint8_t out[65535];

static struct answer_shape shape_new(void)
{
	return (struct answer_shape){ .id = 0x1234,
				      .flags = FLAG_RD,
				      .question = question,
				      .question_len = sizeof(question) - 1 };
}

/* A plan of `count` TXT records of `len` octets. */
static struct plan *plan_of(unsigned count, size_t len)
{
	static uint8_t rdata[256];
	static struct plan plan;
	static struct name name;
	unsigned i;

	memset(&plan, 0, sizeof(plan));
	rdata[0] = (uint8_t)(len - 1);
	plan.ede = EDE_NONE;
	plan.names = 1;
	plan.count = count;
	memcpy(plan.name[0], question, 13);
	ck_assert_int_eq(name_from_wire(&name, question, 13), 0);
	plan.name_len[0] = name.len;
	plan.question = &name;
	for (i = 0; i < count; i++)
		plan.item[i] = (struct plan_item){ .kind = PLAN_LITERAL,
						   .type = TYPE_TXT,
						   .ttl = 1,
						   .rdata = rdata,
						   .rdata_len = (uint16_t)len };
	return &plan;
}

static uint16_t flags_of(const uint8_t *message)
{
	return (uint16_t)(message[2] << 8 | message[3]);
}

static size_t answer(const struct answer_shape *shape, const struct plan *plan, bool *ret_truncated)
{
	struct step_replies none = { 0 };

	return answer_plan(shape, plan, &none, "node1", out, sizeof(out), ret_truncated);
}

START_TEST(header_and_question)
{
	struct answer_shape shape = shape_new();
	bool truncated;
	size_t len = answer(&shape, plan_of(1, 10), &truncated);

	ck_assert_uint_eq(len, sizeof(question) - 1 + 12 + 2 + 10 + 10);
	ck_assert_int_eq(out[0] << 8 | out[1], 0x1234);
	ck_assert_uint_eq(flags_of(out), FLAG_QR | FLAG_RD | FLAG_RA);
	ck_assert_int_eq(memcmp(out + 12, question, sizeof(question) - 1), 0);
	ck_assert(!truncated);
	shape.flags = FLAG_CD;
	answer(&shape, plan_of(1, 10), &truncated);
	ck_assert_uint_eq(flags_of(out), FLAG_QR | FLAG_CD | FLAG_RA);
}
END_TEST

START_TEST(limits)
{
	static const struct {
		bool edns;
		uint16_t size;
		size_t fits, too_many;
	} rows[] = {
		{ false, 0, 4, 5 }, /* 512 */
		{ true, 0, 4, 5 },  /* below 512 means 512 */
		{ true, 600, 5, 6 }, { true, 1232, 11, 12 }, { true, 65535, 11, 12 },
	};
	struct answer_shape shape = shape_new();
	bool truncated;
	size_t i, len;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		shape.edns = rows[i].edns;
		shape.udp_size = rows[i].size;
		answer(&shape, plan_of((unsigned)rows[i].fits, 95), &truncated);
		ck_assert(!truncated);
		len = answer(&shape, plan_of((unsigned)rows[i].too_many, 95), &truncated);
		ck_assert(truncated);
		ck_assert(flags_of(out) & FLAG_TC);
		ck_assert_uint_eq(len, sizeof(question) - 1 + 12 + (rows[i].edns ? 11 : 0));
	}
	shape.stream = true;
	answer(&shape, plan_of(20, 200), &truncated);
	ck_assert(!truncated);
}
END_TEST

START_TEST(opt)
{
	struct answer_shape shape = shape_new();
	struct plan *plan = plan_of(0, 0);
	bool truncated;
	size_t len;

	plan->ede = EDE_NETWORK_ERROR;
	len = answer(&shape, plan, &truncated);
	ck_assert_uint_eq(len, sizeof(question) - 1 + 12); /* not asked: no OPT, no EDE */
	shape.edns = shape.do_bit = shape.nsid = true;
	len = answer(&shape, plan, &truncated);
	ck_assert_uint_eq(len, sizeof(question) - 1 + 12 + 11 + 6 + 4 + 5);
	ck_assert_uint_eq(out[11], 1);
	ck_assert_uint_eq(out[len - 11 - 6 - 9 + 7] & 0x80, 0x80);
	len = answer_error(&shape, RCODE_BADVERS, EDE_NONE, NULL, NULL, out, sizeof(out));
	ck_assert_uint_eq(flags_of(out) & 15, 0);
	ck_assert_uint_eq(out[len - 11 + 5], 1);
}
END_TEST

/* RFC 7828: the idle time, and nothing that was not asked for. */
START_TEST(keepalive)
{
	struct answer_shape shape = shape_new();
	struct plan *plan = plan_of(0, 0);
	bool truncated;
	size_t len;

	shape.stream = shape.keepalive = true;
	shape.idle_ds = 0x1234;
	len = answer(&shape, plan, &truncated);
	ck_assert_uint_eq(len, sizeof(question) - 1 + 12);
	shape.edns = true;
	len = answer(&shape, plan, &truncated);
	ck_assert_uint_eq(len, sizeof(question) - 1 + 12 + 11 + 6);
	ck_assert_mem_eq(out + len - 8, "\0\6\0\x0b\0\2\x12\x34", 8);
	len = answer_error(&shape, RCODE_REFUSED, EDE_NONE, NULL, NULL, out, sizeof(out));
	ck_assert_mem_eq(out + len - 6, "\0\x0b\0\2\x12\x34", 6);
}
END_TEST

/* RFC 8467: answers of every length and kind are whole blocks, but for the longest. */
START_TEST(padding)
{
	struct answer_shape shape = shape_new();
	bool truncated;
	unsigned i;
	size_t len;

	shape.stream = shape.padding = true;
	len = answer(&shape, plan_of(0, 0), &truncated);
	ck_assert_uint_eq(len,
			  sizeof(question) - 1 + 12); /* without EDNS there is no place for it */
	shape.edns = true;
	for (i = 1; i < 10 * 250; i++) {
		len = answer(&shape, plan_of(1 + i / 250, 5 + i % 250), &truncated);
		ck_assert_uint_eq(len % 468, 0);
		ck_assert(!truncated);
	}
	ck_assert_uint_gt(len, 2000);
	len = answer_error(&shape, RCODE_REFUSED, EDE_PROHIBITED, "text", NULL, out, sizeof(out));
	ck_assert_uint_eq(len, 468);
	len = answer_chaos(&shape, "x 1", out, sizeof(out));
	ck_assert_uint_eq(len, 468);
	/* Less room than a block, and none at all. */
	len = answer_error(&shape, RCODE_REFUSED, EDE_NONE, NULL, NULL, out, 400);
	ck_assert_uint_eq(len, 400);
	len = answer_error(&shape, RCODE_REFUSED, EDE_NONE, NULL, NULL, out,
			   sizeof(question) - 1 + 12 + 11 + 4);
	ck_assert_uint_eq(len, sizeof(question) - 1 + 12 + 11 + 4);
	ck_assert_mem_eq(out + len - 4, "\0\x0c\0\0", 4);
}
END_TEST

START_TEST(authentic_data)
{
	struct answer_shape shape = shape_new();
	struct plan *plan = plan_of(1, 10);
	bool truncated;

	plan->ad = true;
	answer(&shape, plan, &truncated);
	ck_assert(!(flags_of(out) & FLAG_AD));
	shape.flags |= FLAG_AD;
	answer(&shape, plan, &truncated);
	ck_assert(flags_of(out) & FLAG_AD);
	plan->ad = false;
	answer(&shape, plan, &truncated);
	ck_assert(!(flags_of(out) & FLAG_AD));
}
END_TEST

START_TEST(chaos)
{
	static const uint8_t version[] = "\007version\004bind\000\000\020\000\003";
	struct answer_shape shape = shape_new();
	struct message message;
	struct message_record record;
	size_t len;

	shape.question = version;
	shape.question_len = sizeof(version) - 1;
	len = answer_chaos(&shape, "x 1", out, sizeof(out));
	ck_assert_int_eq(message_open(&message, out, len, NULL, NULL, NULL), 0);
	ck_assert_int_eq(message_next(&message, &record), 1);
	ck_assert_uint_eq(record.class, CLASS_CH);
	ck_assert_int_eq(memcmp(out + record.rdata_at, "\003x 1", 4), 0);
	answer_chaos(&shape, "", out, sizeof(out));
	ck_assert_uint_eq(flags_of(out) & 15, RCODE_REFUSED);
}
END_TEST

/* The signature of a DNAME stands at the DNAME; that of the CNAME it made, at the name. */
START_TEST(signed_dname)
{
	static const uint8_t asked[] = "\001a\003old\004test\000\000\001\000\001";
	static const uint8_t dname[] = "\003new\004test", cname[] = "\001a\003new\004test";
	static const uint8_t rrsig[18 + 6] = { 0, TYPE_DNAME, [18] = 4, 't', 'e', 's', 't', 0 };
	const uint8_t *old = asked + 2;
	static const uint16_t types[] = { TYPE_DNAME, TYPE_RRSIG, TYPE_CNAME };
	static uint8_t reply[512];
	struct answer_shape shape = shape_new();
	struct plan *plan = plan_of(1, 10);
	struct step_replies replies = { .count = 1 };
	struct message message;
	struct message_record record;
	struct writer writer;
	bool truncated;
	size_t len, i;

	shape.question = asked;
	shape.question_len = sizeof(asked) - 1;
	shape.edns = shape.do_bit = true;
	shape.udp_size = 1232;
	writer_init(&writer, reply, sizeof(reply), 0, FLAG_QR);
	writer_question_raw(&writer, asked, sizeof(asked) - 1);
	writer_record(&writer, SECTION_ANSWER, old, TYPE_DNAME, 5, dname, sizeof(dname));
	writer_record(&writer, SECTION_ANSWER, old, TYPE_RRSIG, 5, rrsig, sizeof(rrsig));
	writer_record(&writer, SECTION_ANSWER, asked, TYPE_CNAME, 5, cname, sizeof(cname));
	replies.item[0].data = reply;
	replies.item[0].len = writer_finish(&writer);
	replies.item[0].ttl_cap_s = 100;
	memcpy(plan->name[0], asked, sizeof(asked) - 5);
	plan->item[0] = (struct plan_item){ .kind = PLAN_REPLY, .type = TYPE_CNAME };
	len = answer_plan(&shape, plan, &replies, NULL, out, sizeof(out), &truncated);
	ck_assert_int_eq(message_open(&message, out, len, NULL, NULL, NULL), 0);
	for (i = 0; i < 3; i++) {
		ck_assert_int_eq(message_next(&message, &record), 1);
		ck_assert_uint_eq(record.type, types[i]);
		ck_assert(message_owner_is(&message, &record, i < 2 ? old : asked));
	}
}
END_TEST

static Suite *answer_suite(void)
{
	Suite *suite = suite_create("answer");
	TCase *tcase = tcase_create("answer");

	tcase_add_test(tcase, header_and_question);
	tcase_add_test(tcase, limits);
	tcase_add_test(tcase, opt);
	tcase_add_test(tcase, keepalive);
	tcase_add_test(tcase, padding);
	tcase_add_test(tcase, authentic_data);
	tcase_add_test(tcase, chaos);
	tcase_add_test(tcase, signed_dname);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(answer_suite)
