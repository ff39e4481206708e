/* SPDX-License-Identifier: MIT */
/*
 * Names: limits of RFC 1035 2.3.4, compression pointers of every bad kind, escapes, case. What a
 * prepared name says is always checked against a slow recomputation.
 */
#include "wire/name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/unit.h"

/* Everything that must hold of any prepared name. */
static void check_name(const struct name *name)
{
	uint64_t hash = NAME_ROOT_HASH;
	unsigned i, k;
	size_t pos = 0;

	ck_assert_uint_eq(name->len, name_wire_len(name->wire));
	for (i = 0; i < name->labels; i++) {
		ck_assert_uint_eq(name->at[i], pos);
		ck_assert_uint_ne(name->wire[pos], 0);
		pos += name->wire[pos] + 1u;
	}
	ck_assert_uint_eq(name->at[name->labels], pos);
	ck_assert_uint_eq(name->wire[pos], 0);
	for (i = 0; i < name->len; i++) {
		uint8_t c = name->wire[i];

		ck_assert_uint_eq(name->fold[i], c >= 'A' && c <= 'Z' ? c + 32 : c);
	}
	ck_assert(name->hash[0] == NAME_ROOT_HASH);
	for (k = 1; k <= name->labels; k++) {
		const uint8_t *label = name->fold + name->at[name->labels - k];
		uint64_t label_hash = hash_bytes(label + 1, label[0]);

		ck_assert(name->label_hash[name->labels - k] == label_hash);
		hash = name_hash_extend(hash, label_hash);
		ck_assert(name->hash[k] == hash);
	}
}

static struct name from_text(const char *text)
{
	struct name name;

	ck_assert_msg(name_from_text(&name, text, strlen(text)) == 0, "%s", text);
	check_name(&name);
	return name;
}

static bool is_text(const char *text)
{
	struct name name;

	return name_from_text(&name, text, strlen(text)) == 0;
}

static void check_round(const char *in, const char *out)
{
	char text[NAME_TEXT_MAX];
	struct name name = from_text(in);
	size_t len = name_to_text(name.wire, text);

	ck_assert_str_eq(text, out);
	ck_assert_uint_eq(len, strlen(out));
}

START_TEST(text_round_trips)
{
	check_round(".", ".");
	check_round("a", "a");
	check_round("a.", "a");
	check_round("Contoso.Blob.core.windows.net.", "Contoso.Blob.core.windows.net");
	check_round("a\\.b.c", "a\\.b.c");
	check_round("a\\\\b", "a\\\\b");
	check_round("a\\046b", "a\\.b");
	check_round("\\065\\066", "AB");
	check_round("\\000.\\255", "\\000.\\255");
	check_round("a b;c", "a\\032b\\;c");
	check_round("*.-x-._tcp", "*.-x-._tcp");
	check_round("\\@\\$\\\"\\(\\)", "\\@\\$\\\"\\(\\)");
	check_round("\xc3\xa4", "\\195\\164");
	check_round("\\a", "a");
}
END_TEST

START_TEST(text_refusals)
{
	ck_assert(!is_text(""));
	ck_assert(!is_text(".."));
	ck_assert(!is_text(".a"));
	ck_assert(!is_text("a..b"));
	ck_assert(!is_text("a.."));
	ck_assert(!is_text("a\\"));
	ck_assert(!is_text("a\\25"));
	ck_assert(!is_text("a\\256"));
	ck_assert(!is_text("a\\2x5"));
	ck_assert(is_text("a\\\\"));
	ck_assert(is_text("\\."));
}
END_TEST

START_TEST(text_limits)
{
	char text[1100];
	struct name name;
	unsigned i;

	memset(text, 'a', 63);
	text[63] = '\0';
	ck_assert(is_text(text));
	strcpy(text + 63, "a");
	ck_assert(!is_text(text));
	/* 63.63.63.61 and the root: 255 octets. */
	memset(text, 'b', 253);
	text[63] = text[127] = text[191] = '.';
	text[253] = '\0';
	name = from_text(text);
	ck_assert_uint_eq(name.len, 255);
	strcpy(text + 253, ".");
	name = from_text(text);
	ck_assert_uint_eq(name.len, 255);
	strcpy(text + 253, "b");
	ck_assert(!is_text(text));
	strcpy(text + 253, ".b");
	ck_assert(!is_text(text));
	/* 127 labels of one octet and the root: 255. */
	for (i = 0; i < 128; i++) {
		text[2 * i] = 'c';
		text[2 * i + 1] = '.';
	}
	text[254] = '\0';
	name = from_text(text);
	ck_assert_uint_eq(name.len, 255);
	ck_assert_uint_eq(name.labels, 127);
	text[253] = '\0';
	name = from_text(text);
	ck_assert_uint_eq(name.labels, 127);
	text[253] = '.';
	text[254] = 'c';
	text[255] = '\0';
	ck_assert(!is_text(text));
}
END_TEST

/* A text with an escape goes another way than one without; both have to come to the same. */
START_TEST(text_with_and_without_escapes)
{
	static const char octets[] = "aB.-*9_.c@ ";
	char text[300], escaped[310];
	struct name a, b;

	srand(1);
	for (unsigned round = 0; round < 5000; round++) {
		size_t len = 1 + (size_t)rand() % (round % 8 ? 12 : 260), at;
		unsigned dots = 1 + (unsigned)rand() % 80;

		for (size_t i = 0; i < len; i++)
			text[i] = (unsigned)rand() % dots
					  ? 'x'
					  : octets[(unsigned)rand() % (sizeof(octets) - 1)];
		for (at = 0; at < len && text[at] == '.'; at++)
			;
		if (at == len)
			continue;
		memcpy(escaped, text, at);
		sprintf(escaped + at, "\\%03u", (unsigned char)text[at]);
		memcpy(escaped + at + 4, text + at + 1, len - at - 1);
		if (name_from_text(&a, escaped, len + 3) < 0) {
			ck_assert_int_eq(name_from_text(&b, text, len), -1);
			continue;
		}
		ck_assert_int_eq(name_from_text(&b, text, len), 0);
		check_name(&b);
		ck_assert_uint_eq(a.len, b.len);
		ck_assert(memcmp(a.wire, b.wire, a.len) == 0);
	}
}
END_TEST

START_TEST(text_longest)
{
	uint8_t wire[255];
	char text[NAME_TEXT_MAX];
	struct name name, again;

	memset(wire, 1, sizeof(wire));
	wire[0] = wire[64] = wire[128] = 63;
	wire[192] = 61;
	wire[254] = 0;
	ck_assert_int_eq(name_from_wire(&name, wire, sizeof(wire)), 0);
	ck_assert_uint_eq(name_to_text(wire, text), 250 * 4 + 3);
	ck_assert_int_eq(name_from_text(&again, text, strlen(text)), 0);
	ck_assert(name_equal(&name, &again));
}
END_TEST

START_TEST(every_octet)
{
	uint8_t wire[3] = { 1, 0, 0 };
	char text[NAME_TEXT_MAX];
	struct name name, again;
	unsigned c;

	for (c = 0; c < 256; c++) {
		wire[1] = (uint8_t)c;
		ck_assert_int_eq(name_from_wire(&name, wire, 3), 0);
		check_name(&name);
		name_to_text(wire, text);
		again = from_text(text);
		ck_assert(memcmp(again.wire, wire, 3) == 0);
	}
}
END_TEST

START_TEST(from_wire_limits)
{
	uint8_t wire[300];
	struct name name;
	size_t len;

	memset(wire, 'x', sizeof(wire));
	wire[0] = 3;
	wire[4] = 0;
	for (len = 0; len < 5; len++)
		ck_assert_int_eq(name_from_wire(&name, wire, len), -1);
	ck_assert_int_eq(name_from_wire(&name, wire, 5), 0);
	ck_assert_uint_eq(name.len, 5);
	ck_assert_int_eq(name_from_wire(&name, wire, 300), 0);
	ck_assert_uint_eq(name.len, 5);
	wire[0] = 64;
	ck_assert_int_eq(name_from_wire(&name, wire, 300), -1);
	wire[0] = 0xc0;
	ck_assert_int_eq(name_from_wire(&name, wire, 300), -1);
	/* 256 octets. */
	wire[0] = wire[64] = wire[128] = 63;
	wire[192] = 62;
	wire[255] = 0;
	ck_assert_int_eq(name_from_wire(&name, wire, 300), -1);
	wire[192] = 61;
	wire[254] = 0;
	ck_assert_int_eq(name_from_wire(&name, wire, 300), 0);
	check_name(&name);
}
END_TEST

/* Reads at `at`; returns the name's length, or 0. All four readers must agree. */
static size_t read_at(const uint8_t *data, size_t len, size_t at, struct name *ret)
{
	struct cursor c = cursor_over(data, len), d;
	uint8_t wire[NAME_WIRE_MAX];
	size_t wire_len;
	int result;

	cursor_seek(&c, at);
	d = c;
	result = name_read(ret, &c);
	wire_len = name_read_wire(wire, &d);
	ck_assert_int_eq(result == 0, wire_len > 0);
	ck_assert_int_eq(c.bad, result < 0);
	ck_assert_int_eq(d.bad, result < 0);
	if (result < 0)
		return 0;
	ck_assert_uint_eq(c.at, d.at);
	ck_assert_uint_eq(wire_len, ret->len);
	ck_assert(memcmp(wire, ret->wire, wire_len) == 0);
	check_name(ret);
	ck_assert(name_read_matches(&c, at, wire));
	return wire_len;
}

/* A copy on the heap of the exact size, so that an address sanitizer sees one octet too many. */
static size_t read_tight(const uint8_t *data, size_t len, size_t at)
{
	uint8_t *copy = malloc(len ? len : 1);
	struct name name;
	size_t got;

	memcpy(copy, data, len);
	got = read_at(copy, len, at, &name);
	free(copy);
	return got;
}

START_TEST(read_pointers)
{
	static const uint8_t data[] = {
		0,    0,    0,    0,  0, 0, 0, 0, 0, 0, 0, 0, 3, 'N', 'e', 't', 0, /* 12 */
		1,    'a',  0xc0, 12,                                              /* 17: a.Net */
		1,    'b',  0xc0, 17,                                              /* 21: b.a.Net */
		0xc0, 21,                                                          /* 25 */
		0xc0, 16,             /* 27: the root */
		0xc0, 25,             /* 29: a pointer to a pointer */
		1,    'x',  0xc0, 31, /* 31: to itself */
		0xc0, 35,             /* 35: to itself */
		1,    'y',  0xc0, 41, /* 37: forwards */
		1,    'z',  0,        /* 41 */
		0xc0, 0,              /* 44: into the header */
		0xc0, 11,             /* 46: into the header */
		0x40, 0,              /* 48: other label types */
		0x80, 0,              /* 50 */
		1,    'q',  0xc0, 52, /* 52: to its own start */
		0xc0, 53,             /* 56: into a label, whose octets are no name */
		0xff, 0xff,           /* 58: beyond the end */
		0xc0,                 /* 60: cut off */
	};
	struct name name;
	char text[NAME_TEXT_MAX];
	size_t cut, at;

	ck_assert_uint_eq(read_at(data, sizeof(data), 12, &name), 5);
	ck_assert_uint_eq(read_at(data, sizeof(data), 17, &name), 7);
	ck_assert_uint_eq(read_at(data, sizeof(data), 21, &name), 9);
	name_to_text(name.wire, text);
	ck_assert_str_eq(text, "b.a.Net");
	ck_assert_uint_eq(read_at(data, sizeof(data), 25, &name), 9);
	ck_assert_uint_eq(read_at(data, sizeof(data), 27, &name), 1);
	ck_assert_uint_eq(read_at(data, sizeof(data), 29, &name), 9);
	ck_assert_uint_eq(read_at(data, sizeof(data), 31, &name), 0);
	ck_assert_uint_eq(read_at(data, sizeof(data), 35, &name), 0);
	ck_assert_uint_eq(read_at(data, sizeof(data), 37, &name), 0);
	ck_assert_uint_eq(read_at(data, sizeof(data), 44, &name), 0);
	ck_assert_uint_eq(read_at(data, sizeof(data), 46, &name), 0);
	ck_assert_uint_eq(read_at(data, sizeof(data), 48, &name), 0);
	ck_assert_uint_eq(read_at(data, sizeof(data), 50, &name), 0);
	ck_assert_uint_eq(read_at(data, sizeof(data), 52, &name), 0);
	ck_assert_uint_eq(read_at(data, sizeof(data), 56, &name), 0);
	ck_assert_uint_eq(read_at(data, sizeof(data), 58, &name), 0);
	ck_assert_uint_eq(read_at(data, sizeof(data), 60, &name), 0);
	ck_assert_uint_eq(read_at(data, sizeof(data), sizeof(data), &name), 0);
	for (cut = 0; cut <= sizeof(data); cut++) {
		for (at = 0; at <= cut; at++)
			read_tight(data, cut, at);
	}
	for (cut = 12; cut < 17; cut++)
		ck_assert_uint_eq(read_tight(data, cut, 12), 0);
	for (cut = 21; cut < 25; cut++)
		ck_assert_uint_eq(read_tight(data, cut, 21), 0);
}
END_TEST

START_TEST(read_longest)
{
	uint8_t data[12 + 600] = { 0 };
	struct name name;
	unsigned i;

	/* 127 labels, each followed by a pointer to the one before: 127 pointers. */
	data[12] = 0;
	for (i = 0; i < 128; i++) {
		uint8_t *p = data + 13 + 4 * i;
		unsigned to = i == 0 ? 12 : 13 + 4 * (i - 1);

		p[0] = 1;
		p[1] = 'A';
		p[2] = (uint8_t)(0xc0 | to >> 8);
		p[3] = (uint8_t)to;
	}
	ck_assert_uint_eq(read_at(data, sizeof(data), 13 + 4 * 126, &name), 255);
	ck_assert_uint_eq(name.labels, 127);
	ck_assert_uint_eq(read_at(data, sizeof(data), 13 + 4 * 127, &name), 0);
}
END_TEST

START_TEST(read_pointer_chain_is_bounded)
{
	uint8_t data[16384] = { 0 };
	struct name name;
	unsigned at;

	for (at = 13; at + 1 < sizeof(data); at += 2) {
		unsigned to = at == 13 ? 12 : at - 2;

		data[at] = (uint8_t)(0xc0 | to >> 8);
		data[at + 1] = (uint8_t)to;
	}
	ck_assert_uint_eq(read_at(data, sizeof(data), 13 + 2 * 127, &name), 1);
	ck_assert_uint_eq(read_at(data, sizeof(data), 13 + 2 * 128, &name), 0);
	ck_assert_uint_eq(read_at(data, sizeof(data), 13 + 2 * 8000, &name), 0);
}
END_TEST

START_TEST(case_never_counts)
{
	struct name a = from_text("ACCT.Privatelink.Blob.Core.Windows.NET");
	struct name b = from_text("acct.privatelink.blob.core.windows.net.");
	struct name c = from_text("acct.privatelink.blob.core.windows.nev");

	ck_assert(name_equal(&a, &b));
	ck_assert(name_hash(&a) == name_hash(&b));
	ck_assert(!name_equal(&b, &c));
	ck_assert(name_wire_equal(a.wire, b.wire));
	ck_assert(!name_wire_equal(b.wire, c.wire));
	ck_assert_int_eq(name_wire_compare(a.wire, b.wire), 0);
	/* A-Z alone: @ [ ` { and letters beyond ASCII stay apart. */
	a = from_text("\\@[\\192");
	b = from_text("`{\\224");
	ck_assert(!name_equal(&a, &b));
	ck_assert(!name_wire_equal(a.wire, b.wire));
}
END_TEST

START_TEST(joins_and_strips)
{
	struct name left = from_text("a.B.blob.core.windows.net");
	struct name right = from_text("privatelink.blob.Core.windows.net");
	struct name root = from_text("."), joined, want;
	char text[300];

	ck_assert_int_eq(name_join(&joined, &left, 2, &right), 0);
	check_name(&joined);
	want = from_text("a.b.privatelink.blob.core.windows.net");
	ck_assert(name_equal(&joined, &want));
	ck_assert(joined.wire[3] == 'B');
	ck_assert_int_eq(name_join(&joined, &left, 0, &right), 0);
	check_name(&joined);
	ck_assert(name_equal(&joined, &right));
	ck_assert_int_eq(name_join(&joined, &left, left.labels, &root), 0);
	check_name(&joined);
	ck_assert(name_equal(&joined, &left));

	name_strip(&joined, &left, 2);
	check_name(&joined);
	want = from_text("blob.core.windows.net");
	ck_assert(name_equal(&joined, &want));
	name_strip(&joined, &joined, 4);
	check_name(&joined);
	ck_assert(name_equal(&joined, &root));
	name_strip(&joined, &left, 0);
	check_name(&joined);
	ck_assert(name_equal(&joined, &left));

	memset(text, 'x', 251);
	text[63] = text[127] = text[191] = '.';
	text[251] = '\0';
	left = from_text(text); /* 253 octets */
	want = from_text("y");
	ck_assert_int_eq(name_join(&joined, &left, 4, &want), 0);
	ck_assert_uint_eq(joined.len, 255);
	check_name(&joined);
	want = from_text("yy");
	ck_assert_int_eq(name_join(&joined, &left, 4, &want), -1);
}
END_TEST

START_TEST(suffixes)
{
	struct name name = from_text("acct.Blob.core.windows.net");
	struct name zone = from_text("blob.CORE.windows.net");
	struct name near = from_text("lob.core.windows.net");
	struct name root = from_text(".");

	ck_assert(name_ends_with(&name, &zone));
	ck_assert(name_ends_with(&name, &name));
	ck_assert(name_ends_with(&name, &root));
	ck_assert(name_ends_with(&root, &root));
	ck_assert(!name_ends_with(&zone, &name));
	ck_assert(!name_ends_with(&name, &near));
	/* A dot within a label is no border. */
	name = from_text("acct\\.blob.core.windows.net");
	ck_assert(!name_ends_with(&name, &zone));
}
END_TEST

START_TEST(canonical_order)
{
	/* The example of RFC 4034 6.1. */
	static const char *const sorted[] = {
		"example",         "a.example",      "yljkjljk.a.example",
		"Z.a.example",     "zABC.a.EXAMPLE", "z.example",
		"\\001.z.example", "*.z.example",    "\\200.z.example",
	};
	size_t i, j;

	for (i = 0; i < 9; i++) {
		for (j = 0; j < 9; j++) {
			struct name a = from_text(sorted[i]), b = from_text(sorted[j]);
			int order = name_wire_compare(a.wire, b.wire);

			ck_assert_int_eq((order > 0) - (order < 0), (i > j) - (i < j));
		}
	}
}
END_TEST

static Suite *name_suite(void)
{
	Suite *suite = suite_create("name");
	TCase *tests = tcase_create("name");

	tcase_add_test(tests, text_round_trips);
	tcase_add_test(tests, text_refusals);
	tcase_add_test(tests, text_limits);
	tcase_add_test(tests, text_with_and_without_escapes);
	tcase_add_test(tests, text_longest);
	tcase_add_test(tests, every_octet);
	tcase_add_test(tests, from_wire_limits);
	tcase_add_test(tests, read_pointers);
	tcase_add_test(tests, read_longest);
	tcase_add_test(tests, read_pointer_chain_is_bounded);
	tcase_add_test(tests, case_never_counts);
	tcase_add_test(tests, joins_and_strips);
	tcase_add_test(tests, suffixes);
	tcase_add_test(tests, canonical_order);
	suite_add_tcase(suite, tests);
	return suite;
}

UNIT_MAIN(name_suite)
