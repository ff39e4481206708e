/* SPDX-License-Identifier: MIT */
/*
 * Queries and replies as octets. Messages are put together by hand here, not by wire/writer, so
 * that both are tested against the RFCs and not against each other. Every message is also read
 * cut off at every octet, from a heap block of its exact size.
 */
#include "wire/message.h"

#include <stdlib.h>
#include <string.h>

#include "unit/unit.h"

struct packet {
	uint8_t octets[2048];
	size_t len;
};

static void add(struct packet *p, const void *octets, size_t len)
{
	memcpy(p->octets + p->len, octets, len);
	p->len += len;
}

static void add_u16(struct packet *p, unsigned value)
{
	add(p, (uint8_t[]){ (uint8_t)(value >> 8), (uint8_t)value }, 2);
}

static void add_header(struct packet *p, unsigned flags, unsigned qd, unsigned an, unsigned ns,
		       unsigned ar)
{
	p->len = 0;
	add_u16(p, 0x1234);
	add_u16(p, flags);
	add_u16(p, qd);
	add_u16(p, an);
	add_u16(p, ns);
	add_u16(p, ar);
}

#define QUESTION  \
	"\x03"    \
	"Www\x07" \
	"example\0\0\x01\0\x01"
#define QUESTION_LEN 17

static void add_question(struct packet *p)
{
	add(p, QUESTION, QUESTION_LEN);
}

/* A record whose owner is given as octets (a pointer, usually). */
static void add_record(struct packet *p, const void *owner, size_t owner_len, unsigned type,
		       unsigned class, uint32_t ttl, const void *rdata, size_t rdata_len)
{
	add(p, owner, owner_len);
	add_u16(p, type);
	add_u16(p, class);
	add_u16(p, ttl >> 16);
	add_u16(p, ttl & 0xffff);
	add_u16(p, (unsigned)rdata_len);
	add(p, rdata, rdata_len);
}

static void add_opt(struct packet *p, unsigned size, uint32_t flags, const void *options,
		    size_t len)
{
	add_record(p, "", 1, TYPE_OPT, size, flags, options, len);
}

static enum message_verdict read_cut(struct message_query *ret, const struct packet *p, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	enum message_verdict verdict;

	memcpy(copy, p->octets, len);
	memset(ret, 0xaa, sizeof(*ret));
	verdict = message_read_query(ret, copy, len);
	free(copy);
	return verdict;
}

/* The verdict; and no shorter form of the packet may be anything but DROP or FORMERR. */
static enum message_verdict read_query(struct message_query *ret, const struct packet *p)
{
	enum message_verdict verdict = read_cut(ret, p, p->len);
	struct message_query query;
	size_t len;

	for (len = 0; len < p->len; len++) {
		enum message_verdict cut = read_cut(&query, p, len);

		if (len < DNS_HEADER_LEN || verdict == MESSAGE_DROP)
			ck_assert_int_eq(cut, MESSAGE_DROP);
		else if (verdict != MESSAGE_NOTIMP)
			ck_assert_int_eq(cut, MESSAGE_FORMERR);
		if (cut != MESSAGE_DROP) {
			ck_assert_uint_eq(query.id, 0x1234);
			ck_assert(!query.edns.present);
			ck_assert_uint_eq(query.edns.udp_size, 512);
		}
	}
	return verdict;
}

START_TEST(plain_query)
{
	struct message_query query;
	struct packet p;
	char text[NAME_TEXT_MAX];

	add_header(&p, FLAG_RD, 1, 0, 0, 0);
	add_question(&p);
	ck_assert_int_eq(read_query(&query, &p), MESSAGE_OK);
	ck_assert_uint_eq(query.id, 0x1234);
	ck_assert_uint_eq(query.flags, FLAG_RD);
	ck_assert(query.has_question);
	name_to_text(query.name.wire, text);
	ck_assert_str_eq(text, "Www.example");
	ck_assert_uint_eq(query.type, TYPE_A);
	ck_assert_uint_eq(query.class, CLASS_IN);
	ck_assert_uint_eq(query.question_len, QUESTION_LEN);
	ck_assert(!query.edns.present);
	ck_assert_int_eq(query.edns.ede, EDE_NONE);
	/* One octet behind. */
	add(&p, "", 1);
	ck_assert_int_eq(read_cut(&query, &p, p.len), MESSAGE_FORMERR);
	ck_assert(query.has_question);
}
END_TEST

START_TEST(header_faults)
{
	static const unsigned counts[] = { 0, 2, 65535 };
	struct message_query query;
	struct packet p;
	size_t i;

	add_header(&p, FLAG_QR | FLAG_RD, 1, 0, 0, 0);
	add_question(&p);
	ck_assert_int_eq(read_query(&query, &p), MESSAGE_DROP);
	for (i = 0; i < 3; i++) {
		add_header(&p, 0, counts[i], 0, 0, 0);
		add_question(&p);
		ck_assert_int_eq(read_query(&query, &p), MESSAGE_FORMERR);
		ck_assert(!query.has_question);
	}
	/* NOTIFY: not for us, but its question can be echoed. */
	add_header(&p, 4 << 11, 1, 0, 0, 0);
	add_question(&p);
	ck_assert_int_eq(read_query(&query, &p), MESSAGE_NOTIMP);
	ck_assert(query.has_question);
	ck_assert_uint_eq(query.question_len, QUESTION_LEN);
	add_header(&p, 15 << 11, 0, 0, 0, 0);
	ck_assert_int_eq(read_query(&query, &p), MESSAGE_NOTIMP);
	ck_assert(!query.has_question);
	/* Counts that promise more than there is. */
	for (i = 0; i < 3; i++) {
		add_header(&p, 0, 1, i == 0 ? 65535 : 0, i == 1 ? 65535 : 0, i == 2 ? 65535 : 0);
		add_question(&p);
		ck_assert_int_eq(read_query(&query, &p), MESSAGE_FORMERR);
		ck_assert(query.has_question);
	}
}
END_TEST

START_TEST(bad_question_names)
{
	static const struct {
		const char *octets;
		size_t len;
	} names[] = {
		{ "\xc0\x0c\0\1\0\1", 6 },
		{ "\xc0\0\0\1\0\1", 6 },
		{ "\1a\xc0\x0c\0\1\0\1", 8 },
		{ "\x40"
		  "a\0\0\1\0\1",
		  7 },
		{ "\x80"
		  "a\0\0\1\0\1",
		  7 },
		{ "\x3f"
		  "a\0\0\1\0\1",
		  7 },
		{ "\xc0", 1 },
		{ "", 0 },
	};
	struct message_query query;
	struct message message;
	struct packet p;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		add_header(&p, 0, 1, 0, 0, 0);
		add(&p, names[i].octets, names[i].len);
		ck_assert_int_eq(read_query(&query, &p), MESSAGE_FORMERR);
		ck_assert(!query.has_question);
		ck_assert_int_eq(message_open(&message, p.octets, p.len, NULL, NULL, NULL), -1);
	}
}
END_TEST

START_TEST(edns)
{
	struct message_query query;
	struct packet p;

	add_header(&p, FLAG_RD, 1, 0, 0, 1);
	add_question(&p);
	add_opt(&p, 4096, 0x8000,
		"\0\3\0\0\0\x0a\0\x08"
		"cookies!",
		16);
	ck_assert_int_eq(read_query(&query, &p), MESSAGE_OK);
	ck_assert(query.edns.present && query.edns.do_bit && query.edns.nsid);
	ck_assert_uint_eq(query.edns.udp_size, 4096);
	ck_assert_uint_eq(query.edns.version, 0);

	add_header(&p, 0, 1, 0, 0, 1);
	add_question(&p);
	add_opt(&p, 100, 0, "\0\x0f\0\2\0\x12", 6);
	ck_assert_int_eq(read_query(&query, &p), MESSAGE_OK);
	ck_assert(query.edns.present && !query.edns.do_bit && !query.edns.nsid);
	ck_assert_uint_eq(query.edns.udp_size, 512);
	ck_assert_int_eq(query.edns.ede, EDE_PROHIBITED);
	ck_assert(!query.edns.keepalive && !query.edns.padding);

	add_header(&p, 0, 1, 0, 0, 1);
	add_question(&p);
	add_opt(&p, 1232, 0, "\0\x0b\0\0\0\x0c\0\3\0\0\0", 11);
	ck_assert_int_eq(read_query(&query, &p), MESSAGE_OK);
	ck_assert(query.edns.keepalive && query.edns.padding && !query.edns.nsid);

	add_header(&p, 0, 1, 0, 0, 1);
	add_question(&p);
	/* what version 1 puts there is not ours to judge */
	add_opt(&p, 1232, 0x00010000, "\xff\xff", 2);
	ck_assert_int_eq(read_query(&query, &p), MESSAGE_BADVERS);
	ck_assert(query.has_question && query.edns.present);
	ck_assert_uint_eq(query.edns.version, 1);
}
END_TEST

START_TEST(edns_faults)
{
	struct message_query query;
	struct packet p;
	char options[4 * 33];

	/* Two. */
	add_header(&p, 0, 1, 0, 0, 2);
	add_question(&p);
	add_opt(&p, 1232, 0, "", 0);
	add_opt(&p, 1232, 0, "", 0);
	ck_assert_int_eq(read_query(&query, &p), MESSAGE_FORMERR);
	ck_assert(query.has_question && !query.edns.present);
	/* An owner that is not the root. */
	add_header(&p, 0, 1, 0, 0, 1);
	add_question(&p);
	add_record(&p, "\1a", 3, TYPE_OPT, 1232, 0, "", 0);
	ck_assert_int_eq(read_query(&query, &p), MESSAGE_FORMERR);
	/* In the wrong section. */
	add_header(&p, 0, 1, 1, 0, 0);
	add_question(&p);
	add_opt(&p, 1232, 0, "", 0);
	ck_assert_int_eq(read_query(&query, &p), MESSAGE_FORMERR);
	/* Options that overrun. */
	add_header(&p, 0, 1, 0, 0, 1);
	add_question(&p);
	add_opt(&p, 1232, 0, "\0\3\0\1", 4);
	ck_assert_int_eq(read_query(&query, &p), MESSAGE_FORMERR);
	p.len -= 15;
	add_opt(&p, 1232, 0, "\0\3\0", 3);
	ck_assert_int_eq(read_query(&query, &p), MESSAGE_FORMERR);
	/* Many: 32 are taken, 33 are not. */
	memset(options, 0, sizeof(options));
	add_header(&p, 0, 1, 0, 0, 1);
	add_question(&p);
	add_opt(&p, 1232, 0, options, 4 * 32);
	ck_assert_int_eq(read_query(&query, &p), MESSAGE_OK);
	add_header(&p, 0, 1, 0, 0, 1);
	add_question(&p);
	add_opt(&p, 1232, 0, options, 4 * 33);
	ck_assert_int_eq(read_query(&query, &p), MESSAGE_FORMERR);
}
END_TEST

START_TEST(query_with_other_records)
{
	struct message_query query;
	struct packet p;

	/* As IXFR has, with an OPT, with a TSIG behind. */
	add_header(&p, 0, 1, 0, 1, 2);
	add_question(&p);
	add_record(&p, "\xc0\x0c", 2, TYPE_SOA, CLASS_IN, 0, "anything", 8);
	add_opt(&p, 1232, 0, "", 0);
	add_record(&p, "\3key", 5, TYPE_TSIG, TYPE_ANY, 0, "mac", 3);
	ck_assert_int_eq(read_query(&query, &p), MESSAGE_OK);
	ck_assert(query.edns.present);
}
END_TEST

/* Reads all records of a message cut off at `len`; how many were good. */
static int walk_cut(const struct packet *p, size_t len, int *ret_last)
{
	uint8_t *copy = malloc(len ? len : 1), rdata[600], owner[NAME_WIRE_MAX];
	struct message_record record;
	struct message message;
	size_t rdata_len;
	int good = 0, got = -1;

	memcpy(copy, p->octets, len);
	if (message_open(&message, copy, len, NULL, NULL, NULL) == 0) {
		while ((got = message_next(&message, &record)) > 0) {
			good++;
			if (message_owner(&message, &record, owner))
				ck_assert(message_owner_is(&message, &record, owner));
			message_rdata(&message, &record, rdata, sizeof(rdata), &rdata_len);
		}
		ck_assert_int_eq(message_next(&message, &record), got);
	}
	free(copy);
	*ret_last = got;
	return good;
}

START_TEST(reply_walk)
{
	struct message_record record;
	struct message message;
	struct name name;
	struct packet p;
	uint8_t owner[NAME_WIRE_MAX];
	uint16_t type, class;
	size_t len;
	int last, good;

	add_header(&p, FLAG_QR, 1, 2, 1, 1);
	add_question(&p);
	add_record(&p, "\xc0\x0c", 2, TYPE_CNAME, CLASS_IN, 0x80000000, "\1b\xc0\x10", 4);
	add_record(&p, "\1B\xc0\x10", 4, TYPE_A, CLASS_IN, 0x7fffffff, "\x0a\0\0\1", 4);
	add_record(&p, "\xc0\x10", 2, TYPE_NS, CLASS_IN, 60, "\2ns\xc0\x10", 5);
	add_opt(&p, 1232, 0xff008000, "", 0);
	ck_assert_int_eq(message_open(&message, p.octets, p.len, &name, &type, &class), 0);
	ck_assert_uint_eq(name.labels, 2);
	ck_assert_uint_eq(type, TYPE_A);
	ck_assert_uint_eq(class, CLASS_IN);
	ck_assert_int_eq(message_next(&message, &record), 1);
	ck_assert_int_eq(record.section, SECTION_ANSWER);
	ck_assert_uint_eq(record.ttl, 0);
	ck_assert_uint_eq(p.octets[record.ttl_at], 0x80);
	ck_assert(message_owner_is(&message, &record, (const uint8_t *)"\3www\7EXAMPLE"));
	ck_assert(!message_owner_is(&message, &record, (const uint8_t *)"\3www\7examplf"));
	ck_assert(!message_owner_is(&message, &record, (const uint8_t *)"\3www"));
	ck_assert(!message_owner_is(&message, &record, (const uint8_t *)""));
	ck_assert_int_eq(message_next(&message, &record), 1);
	ck_assert_uint_eq(record.ttl, 0x7fffffff);
	ck_assert_uint_eq(message_owner(&message, &record, owner), 11);
	ck_assert(memcmp(owner, "\1B\7example", 11) == 0);
	ck_assert_int_eq(message_next(&message, &record), 1);
	ck_assert_int_eq(record.section, SECTION_AUTHORITY);
	ck_assert_int_eq(message_next(&message, &record), 1);
	ck_assert_int_eq(record.section, SECTION_ADDITIONAL);
	ck_assert_uint_eq(record.ttl, 0xff008000);
	ck_assert_int_eq(message_next(&message, &record), 0);
	ck_assert_int_eq(message_next(&message, &record), 0);
	message_rewind(&message);
	ck_assert_int_eq(message_next(&message, &record), 1);
	ck_assert_uint_eq(record.type, TYPE_CNAME);
	for (len = 0; len <= p.len; len++) {
		good = walk_cut(&p, len, &last);
		ck_assert_int_eq(last, len == p.len ? 0 : -1);
		ck_assert_int_eq(good == 4, len == p.len);
	}
	/* Octets behind are left alone; a question count other than one is not. */
	add(&p, "junk", 4);
	ck_assert_int_eq(walk_cut(&p, p.len, &last), 4);
	ck_assert_int_eq(last, 0);
	p.octets[5] = 2;
	ck_assert_int_eq(message_open(&message, p.octets, p.len, NULL, NULL, NULL), -1);
	p.octets[5] = 0;
	ck_assert_int_eq(message_open(&message, p.octets, p.len, NULL, NULL, NULL), -1);
}
END_TEST

/* One record of a type: the data as it stands, and as it must come out; NULL: refused. */
static void check_rdata(unsigned type, const void *in, size_t in_len, const void *want,
			size_t want_len)
{
	struct message_record record;
	struct message message;
	struct packet p;
	uint8_t *copy, out[600];
	size_t len = 99, cap;
	int result;

	add_header(&p, FLAG_QR, 1, 1, 0, 0);
	add_question(&p);
	add_record(&p, "\xc0\x0c", 2, type, CLASS_IN, 5, in, in_len);
	copy = malloc(p.len);
	memcpy(copy, p.octets, p.len);
	ck_assert_int_eq(message_open(&message, copy, p.len, NULL, NULL, NULL), 0);
	ck_assert_int_eq(message_next(&message, &record), 1);
	result = message_rdata(&message, &record, out, sizeof(out), &len);
	ck_assert_msg(result == (want ? 0 : -1), "type %u", type);
	if (want) {
		ck_assert_msg(len == want_len && memcmp(out, want, len) == 0, "type %u", type);
		for (cap = 0; cap < want_len; cap++)
			ck_assert_int_eq(message_rdata(&message, &record, out, cap, &len), -1);
		ck_assert_int_eq(message_rdata(&message, &record, out, want_len, &len), 0);
	} else {
		ck_assert_uint_eq(len, 99);
	}
	free(copy);
}

/* `in` is good as it is, and no shorter or longer data is. */
static void check_shape(unsigned type, const void *in, size_t in_len, const void *want,
			size_t want_len, bool open_end)
{
	uint8_t longer[300];
	size_t len;

	check_rdata(type, in, in_len, want, want_len);
	memcpy(longer, in, in_len);
	longer[in_len] = 0;
	if (!open_end)
		check_rdata(type, longer, in_len + 1, NULL, 0);
	for (len = 0; len < in_len && !open_end; len++)
		check_rdata(type, longer, len, NULL, 0);
}

#define N_IN "\1a\xc0\x10"
#define N_OUT "\1a\7example"
#define SHAPE(type, in, out) check_shape(type, in, sizeof(in) - 1, out, sizeof(out) - 1, false)

START_TEST(rdata_of_each_type)
{
	static const unsigned one_name[] = { TYPE_NS, 3, 4,        TYPE_CNAME, 7,
					     8,       9, TYPE_PTR, TYPE_DNAME };
	static const unsigned number_name[] = { TYPE_MX, 18, 21, 36 };
	size_t i;

	/* A literal's own NUL serves as the root where a name ends it; sizes count it then. */
	for (i = 0; i < sizeof(one_name) / sizeof(one_name[0]); i++) {
		check_shape(one_name[i], N_IN, 4, N_OUT, 11, false);
		check_shape(one_name[i], N_OUT, 11, N_OUT, 11, false);
		check_shape(one_name[i], "\xc0\x0c", 2, "\3Www\7example", 13, false);
	}
	for (i = 0; i < sizeof(number_name) / sizeof(number_name[0]); i++)
		check_shape(number_name[i], "\0\x0a" N_IN, 6, "\0\x0a" N_OUT, 13, false);
	check_shape(14, N_IN N_IN, 8, "\1a\7example\0\1a\7example", 22, false);
	check_shape(17, N_IN N_IN, 8, "\1a\7example\0\1a\7example", 22, false);
	check_shape(26, "\0\1" N_IN N_IN, 10, "\0\1\1a\7example\0\1a\7example", 24, false);
	check_shape(TYPE_SRV, "\0\1\0\2\0\3" N_IN, 10, "\0\1\0\2\0\3" N_OUT, 17, false);
	check_shape(35, "\0\1\0\2\1U\0\3!x!" N_IN, 15, "\0\1\0\2\1U\0\3!x!" N_OUT, 22, false);
	check_shape(TYPE_SOA, N_IN N_IN "12345678901234567890", 28,
		    "\1a\7example\0\1a\7example\00012345678901234567890", 42, false);
	SHAPE(TYPE_A, "\x0a\0\0\1", "\x0a\0\0\1");
	SHAPE(TYPE_AAAA, "0123456789abcdef", "0123456789abcdef");
	check_shape(30, N_IN "bits", 8, "\1a\7example\0bits", 15, true);
	check_shape(24, "123456789012345678" N_IN "sig", 25, "123456789012345678\1a\7example\0sig",
		    32, true);
	/* Others are octets, even where they look like a pointer. */
	check_shape(TYPE_TXT, "\xc0\x0c", 2, "\xc0\x0c", 2, true);
	check_shape(TYPE_RRSIG, "\xc0\x0c", 2, "\xc0\x0c", 2, true);
	check_shape(TYPE_HTTPS, "", 0, "", 0, true);
	check_shape(4711, "\xc0\xff", 2, "\xc0\xff", 2, true);
}
END_TEST

START_TEST(rdata_faults)
{
	check_rdata(TYPE_CNAME, "\xc0\x29", 2, NULL, 0); /* to its own start: 12 + 17 + 12 */
	check_rdata(TYPE_CNAME, "\xc0\x28", 2, NULL, 0); /* a label that holds its own pointer */
	check_rdata(TYPE_CNAME, "\xc0\xff", 2, NULL, 0); /* beyond the end */
	check_rdata(TYPE_CNAME, "\xc0\x04", 2, NULL, 0); /* into the header */
	check_rdata(TYPE_CNAME,
		    "\x41"
		    "a",
		    3, NULL, 0);
	check_rdata(35,
		    "\0\1\0\2\x09"
		    "a",
		    6, NULL, 0);                                      /* a string that overruns */
	check_rdata(TYPE_CNAME, "\xc0\x1d", 2, "\3Www\7example", 13); /* to the owner's pointer */
}
END_TEST

START_TEST(text_of_numbers)
{
	char text[TYPE_TEXT_MAX];
	uint16_t type = 7;
	unsigned i;

	for (i = 0; i <= 65535; i++) {
		type_to_text((uint16_t)i, text);
		ck_assert_int_eq(type_from_text(text, &type), 0);
		ck_assert_uint_eq(type, i);
	}
	ck_assert_str_eq(type_to_text(TYPE_HTTPS, text), "HTTPS");
	ck_assert_str_eq(type_to_text(1234, text), "TYPE1234");
	ck_assert_int_eq(type_from_text("aaaa", &type), 0);
	ck_assert_uint_eq(type, TYPE_AAAA);
	ck_assert_int_eq(type_from_text("type65535", &type), 0);
	ck_assert_int_eq(type_from_text("TYPE65536", &type), -1);
	ck_assert_int_eq(type_from_text("TYPE", &type), -1);
	ck_assert_int_eq(type_from_text("TYPE-1", &type), -1);
	ck_assert_int_eq(type_from_text("", &type), -1);
	ck_assert_int_eq(type_from_text("AA", &type), -1);
	ck_assert_uint_eq(type, 65535);
	ck_assert_str_eq(rcode_to_text(RCODE_NXDOMAIN, text), "NXDOMAIN");
	ck_assert_str_eq(rcode_to_text(RCODE_BADVERS, text), "BADVERS");
	ck_assert_str_eq(rcode_to_text(12, text), "RCODE12");
	ck_assert_str_eq(rcode_to_text(4095, text), "RCODE4095");
	ck_assert(type_is_meta(TYPE_OPT) && type_is_meta(TYPE_ANY) && type_is_meta(128));
	ck_assert(!type_is_meta(TYPE_A) && !type_is_meta(256) && !type_is_meta(127));
}
END_TEST

static Suite *message_suite(void)
{
	Suite *suite = suite_create("message");
	TCase *tests = tcase_create("message");

	tcase_add_test(tests, plain_query);
	tcase_add_test(tests, header_faults);
	tcase_add_test(tests, bad_question_names);
	tcase_add_test(tests, edns);
	tcase_add_test(tests, edns_faults);
	tcase_add_test(tests, query_with_other_records);
	tcase_add_test(tests, reply_walk);
	tcase_add_test(tests, rdata_of_each_type);
	tcase_add_test(tests, rdata_faults);
	tcase_add_test(tests, text_of_numbers);
	suite_add_tcase(suite, tests);
	return suite;
}

UNIT_MAIN(message_suite)
