/* SPDX-License-Identifier: MIT */
/* What is left of an upstream's message: the chain, its end, the SOA, and with DO the proofs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forward/reply.h"
#include "unit/unit.h"
#include "wire/types.h"
#include "wire/writer.h"

#define RRSIG_LEN 18 /* of the fixed part (RFC 4034 3.1) */

static uint8_t in[REPLY_LEN_MAX], out[REPLY_LEN_MAX];
static struct writer writer;
static struct name asked;
static uint16_t asked_type;
static bool asked_do;
static struct reply_cut cut;

static const uint8_t *wire_of(const char *text)
{
	static struct name names[2];
	static unsigned next;
	struct name *name = &names[next++ % 2];

	ck_assert_int_eq(name_from_text(name, text, strlen(text)), 0);
	return name->wire;
}

static void begin(const char *name, uint16_t type, unsigned rcode, bool with_do)
{
	ck_assert_int_eq(name_from_text(&asked, name, strlen(name)), 0);
	asked_type = type;
	asked_do = with_do;
	writer_init(&writer, in, sizeof(in), 0x1234, FLAG_QR | FLAG_RD | FLAG_RA);
	writer_set_rcode(&writer, rcode);
	writer_question(&writer, asked.wire, type, CLASS_IN);
}

static void add(enum message_section section, const char *owner, uint16_t type, uint32_t ttl,
		const void *rdata, size_t len)
{
	writer_record(&writer, section, wire_of(owner), type, ttl, rdata, len);
}

static void add_alias(const char *owner, uint32_t ttl, const char *target)
{
	const uint8_t *wire = wire_of(target);

	add(SECTION_ANSWER, owner, TYPE_CNAME, ttl, wire, name_wire_len(wire));
}

static void add_dname(const char *owner, uint32_t ttl, const char *target)
{
	const uint8_t *wire = wire_of(target);

	add(SECTION_ANSWER, owner, TYPE_DNAME, ttl, wire, name_wire_len(wire));
}

static void add_a(enum message_section section, const char *owner, uint32_t ttl)
{
	add(section, owner, TYPE_A, ttl, "\xc0\0\2\1", 4);
}

static void add_soa(const char *owner, uint32_t ttl, uint8_t minimum)
{
	uint8_t rdata[22] = { 0 };

	rdata[21] = minimum;
	add(SECTION_AUTHORITY, owner, TYPE_SOA, ttl, rdata, sizeof(rdata));
}

static void add_rrsig(enum message_section section, const char *owner, uint16_t covered)
{
	uint8_t rdata[RRSIG_LEN + 9] = { (uint8_t)(covered >> 8), (uint8_t)covered };

	add(section, owner, TYPE_RRSIG, 500, rdata, sizeof(rdata));
}

/* The records that are left, as "section owner type ttl" separated by "; ". */
static const char *scrub(void)
{
	struct forward_question question = {
		.name = &asked, .type = asked_type, .group = 1, .do_bit = asked_do
	};
	static char text[8192];
	char name_text[NAME_TEXT_MAX], type_text[TYPE_TEXT_MAX];
	struct message_record record;
	struct message message;
	uint8_t owner[NAME_WIRE_MAX];
	struct name name;
	uint16_t type, class;
	int got;

	if (reply_cut(&question, in, writer_finish(&writer), out, sizeof(out), &cut) < 0)
		return "malformed";
	ck_assert_int_eq(message_open(&message, out, cut.len, &name, &type, &class), 0);
	ck_assert(name_equal(&name, &asked));
	ck_assert_uint_eq(type, asked_type);
	ck_assert_uint_eq(class, CLASS_IN);
	ck_assert_uint_eq(message.flags & 0xf, cut.rcode);
	text[0] = '\0';
	while ((got = message_next(&message, &record)) > 0) {
		ck_assert(message_owner(&message, &record, owner));
		name_to_text(owner, name_text);
		sprintf(text + strlen(text), "%s%c %s %s %u", text[0] ? "; " : "",
			record.section == SECTION_ANSWER ? 'a' : 'u', name_text,
			type_to_text(record.type, type_text), record.ttl);
	}
	ck_assert_int_eq(got, 0);
	return text;
}

START_TEST(plain)
{
	begin("www.test", TYPE_A, RCODE_NOERROR, false);
	add_a(SECTION_ANSWER, "WWW.test", 300);
	add_a(SECTION_ANSWER, "www.test", 200);
	add_a(SECTION_ANSWER, "evil.test", 10);
	add(SECTION_ANSWER, "www.test", TYPE_TXT, 10, "\1x", 2);
	add_rrsig(SECTION_ANSWER, "www.test", TYPE_A);
	add(SECTION_AUTHORITY, "test", TYPE_NS, 5, "\2ns\4test", 9);
	add_a(SECTION_ADDITIONAL, "ns.test", 5);
	ck_assert_str_eq(scrub(), "a www.test A 300; a www.test A 200");
	ck_assert_uint_eq(cut.ttl_s, 200);
	ck_assert(!cut.negative);
	ck_assert(!cut.has_opt);
	ck_assert_uint_eq(cut.links, 0);
}
END_TEST

START_TEST(chain_in_any_order)
{
	begin("x.test", TYPE_A, RCODE_NOERROR, false);
	add_a(SECTION_ANSWER, "end.example", 300);
	add_alias("mid.example", 40, "end.example");
	add_alias("other.example", 1, "x.test");
	add_alias("X.test", 50, "mid.example");
	add_soa("test", 1, 1);
	ck_assert_str_eq(scrub(), "a x.test CNAME 50; a mid.example CNAME 40; a end.example A 300");
	ck_assert_uint_eq(cut.ttl_s, 40);
	ck_assert_uint_eq(cut.links, 2);
}
END_TEST

START_TEST(unfinished_and_negative)
{
	begin("x.test", TYPE_A, RCODE_NOERROR, false);
	add_alias("x.test", 50, "y.example");
	add_soa("test", 60, 9); /* not of the end's zone */
	ck_assert_str_eq(scrub(), "a x.test CNAME 50");
	ck_assert_uint_eq(cut.ttl_s, 50);
	ck_assert(!cut.negative);

	begin("x.test", TYPE_A, RCODE_NOERROR, false);
	add_alias("x.test", 50, "y.example");
	add_soa("example", 60, 9);
	ck_assert_str_eq(scrub(), "a x.test CNAME 50; u example SOA 9");
	ck_assert_uint_eq(cut.ttl_s, 9);
	ck_assert(cut.negative);

	begin("x.test", TYPE_A, RCODE_NXDOMAIN, false);
	add_alias("x.test", 5, "y.example");
	add_soa(".", 60, 90);
	add_soa("example", 1, 1); /* one is enough */
	ck_assert_str_eq(scrub(), "a x.test CNAME 5; u . SOA 60");
	ck_assert_uint_eq(cut.ttl_s, 5);
	ck_assert(cut.negative);

	begin("x.test", TYPE_A, RCODE_NXDOMAIN, false);
	add_soa("x.test", 60, 90);
	ck_assert_str_eq(scrub(), "u x.test SOA 60");
	ck_assert_uint_eq(cut.ttl_s, 60);

	/* RFC 2308 5: without a SOA it is not kept. */
	begin("x.test", TYPE_A, RCODE_NXDOMAIN, false);
	add_soa("y.test", 60, 90);
	ck_assert_str_eq(scrub(), "");
	ck_assert_uint_eq(cut.ttl_s, 0);
	ck_assert(cut.negative);
	begin("x.test", TYPE_A, RCODE_NOERROR, false);
	ck_assert_str_eq(scrub(), "");
	ck_assert_uint_eq(cut.ttl_s, 0);
	ck_assert(cut.negative);
}
END_TEST

START_TEST(failures)
{
	begin("x.test", TYPE_A, RCODE_SERVFAIL, false);
	add_alias("x.test", 50, "y.example");
	add_a(SECTION_ANSWER, "y.example", 5);
	add_soa("example", 1, 1);
	ck_assert_str_eq(scrub(), "a x.test CNAME 50");
	ck_assert_uint_eq(cut.rcode, RCODE_SERVFAIL);
	begin("x.test", TYPE_A, RCODE_REFUSED, false);
	ck_assert_str_eq(scrub(), "");
	ck_assert_uint_eq(cut.rcode, RCODE_SERVFAIL);
	ck_assert_uint_eq(cut.full_rcode, RCODE_REFUSED);
	/* The upper bits stand in the OPT. */
	begin("x.test", TYPE_A, RCODE_NOERROR, false);
	writer_opt(&writer, &(struct writer_opt){ .udp_size = 1232, .rcode_high = 1, .ede = 9 });
	ck_assert_str_eq(scrub(), "");
	ck_assert_uint_eq(cut.rcode, RCODE_SERVFAIL);
	ck_assert_uint_eq(cut.full_rcode, RCODE_BADVERS);
	ck_assert(cut.has_opt);
	ck_assert_int_eq(cut.ede, 9);
}
END_TEST

START_TEST(dnames)
{
	/* Its CNAME is made where it is missing. */
	begin("a.old.test", TYPE_A, RCODE_NOERROR, false);
	add_dname("old.test", 70, "new.test");
	add_a(SECTION_ANSWER, "a.new.test", 300);
	ck_assert_str_eq(scrub(), "a a.old.test CNAME 70; a a.new.test A 300");
	begin("a.old.test", TYPE_A, RCODE_NOERROR, true);
	add_alias("a.old.test", 60, "a.new.test");
	add_a(SECTION_ANSWER, "a.new.test", 300);
	add_dname("old.test", 70, "new.test");
	add_rrsig(SECTION_ANSWER, "old.test", TYPE_DNAME);
	ck_assert_str_eq(scrub(), "a old.test DNAME 70; a old.test RRSIG 500;"
				  " a a.old.test CNAME 60; a a.new.test A 300");
	/* Asked for CNAME, the one that is made is the answer. */
	begin("a.old.test", TYPE_CNAME, RCODE_NOERROR, false);
	add_dname("old.test", 70, "new.test");
	add_alias("a.new.test", 60, "b.test");
	ck_assert_str_eq(scrub(), "a a.old.test CNAME 70");
	ck_assert(!cut.negative);
	/* Nobody has signed that CNAME: with DO the DNAME goes with it, whoever made it. */
	begin("a.old.test", TYPE_CNAME, RCODE_NOERROR, true);
	add_alias("a.old.test", 0, "a.new.test");
	add_dname("old.test", 70, "new.test");
	add_rrsig(SECTION_ANSWER, "old.test", TYPE_DNAME);
	ck_assert_str_eq(scrub(), "a old.test DNAME 70; a old.test RRSIG 500;"
				  " a a.old.test CNAME 70");
	/* Two that take turns: all is written once, whoever follows it goes round. */
	begin("a.old.test", TYPE_A, RCODE_NOERROR, true);
	add_dname("old.test", 70, "new.test");
	add_dname("new.test", 80, "old.test");
	add_rrsig(SECTION_ANSWER, "new.test", TYPE_DNAME);
	ck_assert_str_eq(scrub(),
			 "a old.test DNAME 70; a a.old.test CNAME 70;"
			 " a new.test DNAME 80; a new.test RRSIG 500; a a.new.test CNAME 80");
	ck_assert_uint_eq(cut.links, 17);
	/* Too long a name. */
	begin("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
	      "bbbbbbbbbbbbbbbbbbbbbbbbbbb.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb."
	      "old.test",
	      TYPE_A, 6, true);
	add_dname("old.test", 70,
		  "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc."
		  "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd."
		  "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee");
	ck_assert_str_eq(scrub(), "");
	ck_assert_uint_eq(cut.rcode, 6);
}
END_TEST

START_TEST(signatures)
{
	begin("x.test", TYPE_A, RCODE_NOERROR, true);
	add_rrsig(SECTION_ANSWER, "x.test", TYPE_CNAME);
	add_rrsig(SECTION_ANSWER, "x.test", TYPE_A);
	add_alias("x.test", 50, "y.test");
	add_alias("x.test", 50, "z.test");
	add_rrsig(SECTION_ANSWER, "y.test", TYPE_A);
	add_rrsig(SECTION_ANSWER, "y.test", TYPE_TXT);
	add_a(SECTION_ANSWER, "y.test", 600);
	add(SECTION_AUTHORITY, "w.test", TYPE_NSEC, 30, "\4test\0\0\1\2", 9);
	add_rrsig(SECTION_AUTHORITY, "w.test", TYPE_NSEC);
	add_rrsig(SECTION_AUTHORITY, "test", TYPE_NS);
	ck_assert_str_eq(scrub(), "a x.test CNAME 50; a x.test RRSIG 500; a y.test A 600;"
				  " a y.test RRSIG 500; u w.test NSEC 30; u w.test RRSIG 500");
	ck_assert_uint_eq(cut.ttl_s, 30);

	begin("x.test", TYPE_A, RCODE_NXDOMAIN, true);
	add_soa("test", 60, 20);
	add_rrsig(SECTION_AUTHORITY, "test", TYPE_SOA);
	add_rrsig(SECTION_AUTHORITY, "other", TYPE_SOA);
	add(SECTION_AUTHORITY, "0123.test", TYPE_NSEC3, 30, "\1\0\0\0\0\1a", 7);
	ck_assert_str_eq(scrub(), "u test SOA 20; u test RRSIG 500; u 0123.test NSEC3 30");
	asked_do = false;
	ck_assert_str_eq(scrub(), "u test SOA 20");
	/* Asked for themselves. */
	begin("x.test", TYPE_RRSIG, RCODE_NOERROR, false);
	add_rrsig(SECTION_ANSWER, "x.test", TYPE_A);
	ck_assert_str_eq(scrub(), "a x.test RRSIG 500");
}
END_TEST

START_TEST(any_and_cname)
{
	begin("x.test", TYPE_CNAME, RCODE_NOERROR, false);
	add_alias("x.test", 50, "y.test");
	add_alias("y.test", 50, "z.test");
	ck_assert_str_eq(scrub(), "a x.test CNAME 50");
	ck_assert_uint_eq(cut.links, 0);
	begin("x.test", TYPE_ANY, RCODE_NOERROR, false);
	add_a(SECTION_ANSWER, "x.test", 50);
	add(SECTION_ANSWER, "x.test", TYPE_TXT, 10, "\1x", 2);
	ck_assert_str_eq(scrub(), "a x.test A 50");
}
END_TEST

START_TEST(long_chains_and_loops)
{
	char from[32], to[32];
	unsigned i;

	begin("n0.test", TYPE_A, RCODE_NOERROR, false);
	for (i = 0; i < 30; i++) {
		sprintf(from, "n%u.test", i);
		sprintf(to, "n%u.test", i + 1);
		add_alias(from, 50, to);
	}
	add_soa("test", 5, 5);
	scrub();
	ck_assert_uint_eq(cut.links, 17);
	ck_assert(!cut.negative);
	begin("a.test", TYPE_A, RCODE_NOERROR, false);
	add_alias("a.test", 50, "b.test");
	add_alias("b.test", 50, "a.test");
	scrub();
	ck_assert_uint_eq(cut.links, 17);
	begin("a.test", TYPE_A, RCODE_NOERROR, false);
	add_alias("a.test", 50, "a.test");
	scrub();
	ck_assert_uint_eq(cut.links, 17);
}
END_TEST

/* Cut anywhere, it is malformed or smaller, never read past its end; TTLs over 2^31-1 are 0. */
/* A message of thousands of records with long names: as the same with few. */
START_TEST(many_records)
{
	char deep[128] = "", from[160], to[160];
	unsigned i, n;

	for (i = 0; i < 40; i++)
		strcat(deep, i ? ".a" : "a");
	begin("n0.test", TYPE_A, RCODE_NOERROR, true);
	for (n = 0; n < 3; n++) {
		for (i = 0; i < 300; i++) {
			sprintf(from, "x%u.%s.test", i, deep + 2 * (i % 20));
			add_alias(from, 50, "n1.test");
		}
		sprintf(from, "n%u.test", n);
		sprintf(to, "n%u.test", n + 1);
		add_alias(from, 50 - n, to);
	}
	scrub();
	ck_assert_uint_eq(cut.links, 3);
	ck_assert_uint_eq(cut.ttl_s, 48);
	ck_assert(!cut.negative);
}
END_TEST

START_TEST(malformed)
{
	struct forward_question question = { .name = &asked, .type = TYPE_A, .do_bit = true };
	size_t len, n;
	uint8_t *copy;

	begin("x.test", TYPE_A, RCODE_NOERROR, true);
	add_alias("x.test", 50, "y.test");
	add_a(SECTION_ANSWER, "y.test", 0x80000000u);
	add_rrsig(SECTION_ANSWER, "y.test", TYPE_A);
	add_soa("test", 5, 5);
	scrub();
	ck_assert_uint_eq(cut.ttl_s, 0);
	len = writer_finish(&writer);
	for (n = 0; n < len; n++) {
		copy = malloc(n ? n : 1);
		memcpy(copy, in, n);
		ck_assert_int_eq(reply_cut(&question, copy, n, out, sizeof(out), &cut), -1);
		free(copy);
	}
	/* No room for what is left. */
	ck_assert_int_eq(reply_cut(&question, in, len, out, 40, &cut), -1);
}
END_TEST

START_TEST(is_for)
{
	struct reply reply = { .data = out, .group = 1 };
	struct name other;

	begin("Www.Test", TYPE_A, RCODE_NOERROR, false);
	scrub();
	reply.len = cut.len;
	ck_assert(reply_is_for(&reply, &asked, 1));
	ck_assert(!reply_is_for(&reply, &asked, 2));
	name_from_text(&other, "wWW.tEST", 8);
	ck_assert(reply_is_for(&reply, &other, 1));
	name_from_text(&other, "www.tess", 8);
	ck_assert(!reply_is_for(&reply, &other, 1));
	name_from_text(&other, "test", 4);
	ck_assert(!reply_is_for(&reply, &other, 1));
	reply.len = 15;
	ck_assert(!reply_is_for(&reply, &asked, 1));
}
END_TEST

static Suite *reply_suite(void)
{
	Suite *suite = suite_create("reply");
	TCase *tcase = tcase_create("reply");

	tcase_add_test(tcase, plain);
	tcase_add_test(tcase, chain_in_any_order);
	tcase_add_test(tcase, unfinished_and_negative);
	tcase_add_test(tcase, failures);
	tcase_add_test(tcase, dnames);
	tcase_add_test(tcase, signatures);
	tcase_add_test(tcase, any_and_cname);
	tcase_add_test(tcase, long_chains_and_loops);
	tcase_add_test(tcase, many_records);
	tcase_add_test(tcase, malformed);
	tcase_add_test(tcase, is_for);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(reply_suite)
