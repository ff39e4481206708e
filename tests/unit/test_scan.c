/* SPDX-License-Identifier: MIT */
/* source/scan against the same octet by octet, at every alignment and length. */
#include "source/scan.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "unit/unit.h"

#define LEN_MAX 70

/* Few of the octets are looked for, so that whole words go by. */
static void make(char *out, size_t len)
{
	static const char octets[] = "\"'\\\n\t\x1f !\x7f\x80\xbf\xc0\xc3\xff\xa2\xdc[]#";
	bool high = rand() % 2;

	for (size_t i = 0; i < len; i++)
		out[i] = rand() % 12 ? (high && rand() % 2 ? (char)(0x80 + rand() % 128) : 'a')
				     : octets[(size_t)rand() % (sizeof(octets) - 1)];
}

START_TEST(agrees_octet_by_octet)
{
	srand(1);
	for (unsigned round = 0; round < 20000; round++) {
		size_t shift = round % 8, len = (size_t)rand() % (LEN_MAX - 8);
		char space[LEN_MAX], quote = round % 3 ? '"' : '\'';
		const char *at = space + shift, *end = at + len, *stop = at;
		unsigned characters = 0;

		make(space, sizeof(space));
		for (size_t i = 0; i < len; i++)
			characters += (at[i] & 0xc0) != 0x80;
		while (stop < end && *stop != quote && *stop != '\\' && (unsigned char)*stop >= 32)
			stop++;
		ck_assert_uint_eq(scan_characters(at, end), characters);
		ck_assert_ptr_eq(scan_plain(at, end, quote), stop);
	}
}
END_TEST

/* The last octet of a word, alone: nothing below it borrows. */
START_TEST(sees_each_octet_alone)
{
	char text[16];

	for (unsigned c = 0; c < 256; c++) {
		for (size_t i = 0; i < sizeof(text); i++) {
			bool stops = c < 32 || c == '"' || c == '\\';

			memset(text, 'x', sizeof(text));
			text[i] = (char)c;
			ck_assert_ptr_eq(scan_plain(text, text + sizeof(text), '"'),
					 stops ? text + i : text + sizeof(text));
			ck_assert_uint_eq(scan_characters(text, text + sizeof(text)),
					  sizeof(text) - ((c & 0xc0) == 0x80));
		}
	}
}
END_TEST

static Suite *scan_suite(void)
{
	Suite *suite = suite_create("scan");
	TCase *tests = tcase_create("scan");

	tcase_add_test(tests, agrees_octet_by_octet);
	tcase_add_test(tests, sees_each_octet_alone);
	suite_add_tcase(suite, tests);
	return suite;
}

UNIT_MAIN(scan_suite)
