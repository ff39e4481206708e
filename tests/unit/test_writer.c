/* SPDX-License-Identifier: MIT */
/*
 * What is written is compared with octets laid out by hand, or read back and compared with what was
 * asked for. Every buffer size from the smallest up is tried: a write that does not fit leaves
 * everything as it was.
 */
#include "wire/writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/unit.h"

#define WIRE(text) ((const uint8_t *)(text))

static struct writer_opt plain_opt(void)
{
	return (struct writer_opt){ .udp_size = EDNS_UDP_SIZE, .ede = EDE_NONE };
}

START_TEST(chain_layout)
{
	static const uint8_t want[] = "\x12\x34\x84\x00\0\1\0\2\0\1\0\1"
				      "\4Acct\4blob\3net\0\0\1\0\1"
				      "\xc0\x0c\0\5\0\1\0\0\0\x0a\0\x0c\4acct\4priv\xc0\x11"
				      "\xc0\x2b\0\1\0\1\0\0\0\x0a\0\4\x0a\0\0\1"
				      "\xc0\x16\0\6\0\1\0\0\0\x0a\0\x1b\2ns\xc0\x11\xc0\x53"
				      "12345678901234567890"
				      "\0\0\x29\4\xd0\0\0\x80\0\0\0";
	uint8_t data[512];
	struct writer w;
	struct writer_opt opt = plain_opt();

	writer_init(&w, data, sizeof(data), 0x1234, 0x8400);
	writer_question_raw(&w, WIRE("\4Acct\4blob\3net\0\0\1\0\1"), 19);
	writer_record(&w, SECTION_ANSWER, WIRE("\4acct\4blob\3net"), TYPE_CNAME, 10,
		      WIRE("\4acct\4priv\4blob\3net"), 20);
	writer_record(&w, SECTION_ANSWER, WIRE("\4acct\4priv\4BLOB\3net"), TYPE_A, 10,
		      WIRE("\x0a\0\0\1"), 4);
	writer_record(&w, SECTION_AUTHORITY, WIRE("\3Net"), TYPE_SOA, 10,
		      WIRE("\2ns\4blob\3net\0\2NS\4blob\3net\00012345678901234567890"), 46);
	opt.do_bit = true;
	ck_assert_uint_eq(writer_opt_len(&opt), 11);
	writer_opt(&w, &opt);
	ck_assert(!w.full);
	ck_assert_uint_eq(writer_finish(&w), sizeof(want) - 1);
	ck_assert_mem_eq(data, want, sizeof(want) - 1);
}
END_TEST

/* Names within the data of types other than the five are left whole (RFC 3597 4). */
START_TEST(no_compression_elsewhere)
{
	static const uint16_t types[] = {
		TYPE_SRV, TYPE_DNAME, TYPE_TXT, TYPE_HTTPS, TYPE_RRSIG, 17
	};
	uint8_t data[512];
	struct writer w;
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		writer_init(&w, data, sizeof(data), 0, 0);
		writer_question(&w, WIRE("\1a\1b"), TYPE_A, CLASS_IN);
		writer_record(&w, SECTION_ANSWER, WIRE("\1a\1b"), types[i], 0, WIRE("\1a\1b"), 5);
		ck_assert_uint_eq(writer_finish(&w), 12 + 9 + 2 + 10 + 5);
	}
	/* Data that is not what its type says is written as it is. */
	writer_init(&w, data, sizeof(data), 0, 0);
	writer_record(&w, SECTION_ANSWER, WIRE("\1a"), TYPE_CNAME, 0,
		      WIRE("\x09"
			   "a"),
		      2);
	writer_record(&w, SECTION_ANSWER, WIRE("\1a"), TYPE_MX, 0, WIRE("x"), 1);
	writer_record(&w, SECTION_ANSWER, WIRE("\1a"), TYPE_NS, 0, WIRE(""), 0);
	writer_record(&w, SECTION_ANSWER, WIRE("\1a"), TYPE_SOA, 0, WIRE("\1a\0\1b"), 5);
	ck_assert_uint_eq(writer_finish(&w),
			  12 + (3 + 10 + 2) + (2 + 10 + 1) + (2 + 10) + (2 + 10 + 2 + 2));
}
END_TEST

struct step {
	enum message_section section;
	const char *owner;
	uint16_t type;
	const char *rdata;
	size_t rdata_len;
};

static const struct step steps[] = {
	{ SECTION_ANSWER, "\1A\3net", TYPE_CNAME, "\1b\3net", 7 },
	{ SECTION_ANSWER, "\1b\3NET", TYPE_MX, "\0\1\1c\1a\3net", 11 },
	{ SECTION_ANSWER, "\1b\3net", TYPE_A, "\x0a\0\0\1", 4 },
	{ SECTION_AUTHORITY, "", TYPE_NS, "\1c\1a\3net", 9 },
	{ SECTION_AUTHORITY, "\3net", TYPE_SOA, "\0\1x\00012345678901234567890", 24 },
	{ SECTION_ADDITIONAL, "\1c\1A\3net", TYPE_AAAA, "0123456789abcdef", 16 },
};
#define STEPS (sizeof(steps) / sizeof(steps[0]))

/* Writes steps until one does not fit; reads back what was written. How many were. */
static size_t write_steps(size_t cap)
{
	uint8_t *data = malloc(cap), owner[NAME_WIRE_MAX], rdata[64];
	struct message_record record;
	struct message message;
	struct writer_mark before, after;
	struct writer w;
	size_t i, len, done = 0;

	writer_init(&w, data, cap, 1, FLAG_QR);
	writer_question(&w, WIRE("\1a\3net"), TYPE_A, CLASS_IN);
	for (i = 0; i < STEPS; i++) {
		before = writer_mark(&w);
		writer_record(&w, steps[i].section, WIRE(steps[i].owner), steps[i].type, 7,
			      WIRE(steps[i].rdata), steps[i].rdata_len);
		after = writer_mark(&w);
		if (!w.full) {
			done++;
			continue;
		}
		ck_assert_uint_eq(before.len, after.len);
		ck_assert_uint_eq(before.suffixes, after.suffixes);
		ck_assert_mem_eq(before.count, after.count, sizeof(before.count));
	}
	len = writer_finish(&w);
	ck_assert_uint_le(len, cap);
	if (w.count[0] == 1) {
		ck_assert_int_eq(message_open(&message, data, len, NULL, NULL, NULL), 0);
		for (i = 0; i < done; i++) {
			ck_assert_int_eq(message_next(&message, &record), 1);
			ck_assert_int_eq(record.section, steps[i].section);
			ck_assert_uint_eq(record.type, steps[i].type);
			ck_assert_uint_eq(record.ttl, 7);
			ck_assert(message_owner(&message, &record, owner) > 0);
			ck_assert(name_wire_equal(owner, WIRE(steps[i].owner)));
			ck_assert_int_eq(
				message_rdata(&message, &record, rdata, sizeof(rdata), &len), 0);
			ck_assert_uint_eq(len, steps[i].rdata_len);
			ck_assert_mem_eq(rdata, steps[i].rdata, len);
		}
		ck_assert_int_eq(message_next(&message, &record), 0);
	} else {
		ck_assert_uint_eq(done, 0);
		ck_assert_uint_eq(len, DNS_HEADER_LEN);
	}
	free(data);
	return done;
}

START_TEST(every_size)
{
	size_t cap, done = 0, now;

	for (cap = DNS_HEADER_LEN; cap < 300; cap++) {
		now = write_steps(cap);
		ck_assert_uint_ge(now, done);
		done = now;
	}
	ck_assert_uint_eq(done, STEPS);
}
END_TEST

START_TEST(marks_and_reserve)
{
	static const uint8_t zeros[100];
	uint8_t data[100];
	struct writer w;
	struct writer_mark mark;
	struct writer_opt opt = plain_opt();
	size_t len;

	writer_init(&w, data, sizeof(data), 1, 0);
	writer_question(&w, WIRE("\1a"), TYPE_A, CLASS_IN); /* 19 */
	writer_reserve(&w, 11);
	mark = writer_mark(&w);
	writer_record(&w, SECTION_ANSWER, WIRE("\1b"), TYPE_TXT, 0, zeros, 70 - 13);
	ck_assert(!w.full);
	writer_record(&w, SECTION_ANSWER, WIRE(""), TYPE_TXT, 0, zeros, 0);
	ck_assert(w.full);
	writer_rollback(&w, &mark);
	ck_assert(!w.full);
	ck_assert_uint_eq(w.count[SECTION_ANSWER], 0);
	/* The suffix that was forgotten is not pointed to. */
	writer_record(&w, SECTION_ANSWER, WIRE("\1b"), TYPE_TXT, 0, zeros, 0);
	ck_assert_uint_eq(w.len, 19 + 13);
	writer_record(&w, SECTION_ANSWER, WIRE("\1b"), TYPE_TXT, 0, zeros, 57 - 12);
	ck_assert(!w.full);
	ck_assert_uint_eq(w.len, 89);
	len = w.len;
	writer_opt(&w, &opt);
	ck_assert(w.full);
	ck_assert_uint_eq(w.len, len);
	writer_reserve(&w, -11);
	mark = writer_mark(&w);
	writer_rollback(&w, &mark);
	writer_opt(&w, &opt);
	ck_assert(!w.full);
	ck_assert_uint_eq(writer_finish(&w), 100);
}
END_TEST

START_TEST(opt_options)
{
	static const uint8_t want[] = "\0\0\x29\2\0\1\0\0\0\0\x14\0\3\0\4name\0\x0f\0\x08\0\x12"
				      "reason";
	struct writer_opt opt = { .udp_size = 512,
				  .rcode_high = 1,
				  .ede = EDE_PROHIBITED,
				  .ede_text = "reason",
				  .nsid = "name" };
	uint8_t data[64];
	struct writer w;

	writer_init(&w, data, sizeof(data), 0, 0);
	writer_opt(&w, &opt);
	ck_assert_uint_eq(writer_opt_len(&opt), sizeof(want) - 1);
	ck_assert_uint_eq(writer_finish(&w), 12 + sizeof(want) - 1);
	ck_assert_mem_eq(data + 12, want, sizeof(want) - 1);
	ck_assert_uint_eq(data[11], 1);
}
END_TEST

START_TEST(flags)
{
	uint8_t data[12];
	struct writer w;

	writer_init(&w, data, sizeof(data), 0xabcd, FLAG_QR | FLAG_RD);
	writer_set_flags(&w, FLAG_AA | FLAG_TC, FLAG_RD);
	writer_set_rcode(&w, RCODE_REFUSED);
	writer_set_rcode(&w, RCODE_NXDOMAIN);
	ck_assert_uint_eq(writer_finish(&w), 12);
	ck_assert_mem_eq(data, "\xab\xcd\x86\x03\0\0\0\0\0\0\0\0", 12);
}
END_TEST

START_TEST(long_messages)
{
	static uint8_t data[65535];
	static const uint8_t zeros[0x4000];
	struct message_record record;
	struct message message;
	uint8_t owner[] = "\4aaaa\7example", found[NAME_WIRE_MAX];
	struct writer w;
	unsigned i, n;
	size_t len;

	/* Beyond 64 suffixes and beyond the reach of a pointer names must still come out right. */
	writer_init(&w, data, sizeof(data), 0, FLAG_QR);
	writer_question(&w, owner, TYPE_A, CLASS_IN);
	for (n = 0; !w.full; n++) {
		for (i = 0; i < 4; i++)
			owner[1 + i] = (uint8_t)('a' + (n >> 4 * i & 15));
		writer_record(&w, SECTION_ANSWER, owner, TYPE_A, 0, WIRE("\x0a\0\0\1"), 4);
	}
	len = writer_finish(&w);
	ck_assert_uint_gt(len, 65000);
	ck_assert_int_eq(message_open(&message, data, len, NULL, NULL, NULL), 0);
	for (n = 0; message_next(&message, &record) > 0; n++) {
		for (i = 0; i < 4; i++)
			owner[1 + i] = (uint8_t)('a' + (n >> 4 * i & 15));
		ck_assert_uint_eq(message_owner(&message, &record, found), sizeof(owner));
		ck_assert_mem_eq(found, owner, sizeof(owner));
	}
	ck_assert_uint_eq(n, w.count[SECTION_ANSWER]);
	/* 64 names of their own, the last ones beyond 0x4000: nothing may point there. */
	writer_init(&w, data, sizeof(data), 0, FLAG_QR);
	writer_question(&w, WIRE("\1a"), TYPE_A, CLASS_IN);
	writer_record(&w, SECTION_ANSWER, WIRE(""), TYPE_TXT, 0, zeros, 0x4000);
	len = w.len;
	writer_record(&w, SECTION_ANSWER, WIRE("\1b"), TYPE_TXT, 0, zeros, 0);
	writer_record(&w, SECTION_ANSWER, WIRE("\1b"), TYPE_TXT, 0, zeros, 0);
	ck_assert_uint_eq(w.len - len, 2 * (3 + 10));
}
END_TEST

static Suite *writer_suite(void)
{
	Suite *suite = suite_create("writer");
	TCase *tests = tcase_create("writer");

	tcase_add_test(tests, chain_layout);
	tcase_add_test(tests, no_compression_elsewhere);
	tcase_add_test(tests, every_size);
	tcase_add_test(tests, marks_and_reserve);
	tcase_add_test(tests, opt_options);
	tcase_add_test(tests, flags);
	tcase_add_test(tests, long_messages);
	suite_add_tcase(suite, tests);
	return suite;
}

UNIT_MAIN(writer_suite)
