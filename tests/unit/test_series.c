/* SPDX-License-Identifier: MIT */
/*
 * Names read one after the other: whatever texts come, in whatever order, each name is the one that
 * reading it alone gives, octet by octet and hash by hash.
 */
#include "wire/series.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/unit.h"

static struct name_series series;
static unsigned quick;

/* As readers of files do: what has no dot at its end is within the origin, `@` is the origin. */
static int read_alone(struct name *ret, const char *text, size_t len, const struct name *origin)
{
	struct name left;

	if (len == 1 && *text == '@') {
		*ret = *origin;
		return 0;
	}
	if (name_from_text(text[len - 1] == '.' ? ret : &left, text, len) < 0)
		return -1;
	return text[len - 1] == '.' ? 0 : name_join(ret, &left, left.labels, origin);
}

static int read_next(const char *text, size_t len, const struct name *origin)
{
	const struct name *within = text[len - 1] == '.' ? NULL : origin;
	size_t label = name_series_head(&series, text, len, within);

	if (label && !memchr(text, '.', label) && !memchr(text, '\\', label) && *text != '@') {
		quick++;
		return name_series_put(&series, text, label);
	}
	series.noted = false;
	if (read_alone(&series.name, text, len, origin) < 0)
		return -1;
	name_series_note(&series, text, len, within);
	return 0;
}

static void check_same(const struct name *a, const struct name *b, const char *text)
{
	ck_assert_msg(a->len == b->len && a->labels == b->labels, "%s", text);
	ck_assert_msg(memcmp(a->wire, b->wire, a->len) == 0, "%s", text);
	ck_assert_msg(memcmp(a->fold, b->fold, a->len) == 0, "%s", text);
	ck_assert_msg(memcmp(a->at, b->at, a->labels + 1u) == 0, "%s", text);
	ck_assert(memcmp(a->label_hash, b->label_hash, a->labels * sizeof(a->label_hash[0])) == 0);
	ck_assert(memcmp(a->hash, b->hash, (a->labels + 1u) * sizeof(a->hash[0])) == 0);
}

static void check_text(const char *text, const struct name *origin)
{
	size_t len = strlen(text);
	struct name alone;
	bool good = read_alone(&alone, text, len, origin) == 0;

	ck_assert_msg((read_next(text, len, origin) == 0) == good, "%s", text);
	if (good)
		check_same(&series.name, &alone, text);
}

static struct name origin_of(const char *text)
{
	struct name name;

	ck_assert_int_eq(name_from_text(&name, text, strlen(text)), 0);
	return name;
}

#define LABEL_63 "abcdefghijklmnopqrstuvwxyz0123456789-abcdefghijklmnopqrstuvwxyz"

START_TEST(any_order_is_as_each_alone)
{
	static const char *const labels[] = {
		"a",    "b",     "acct0000001", "Acct0000002", LABEL_63, LABEL_63 "x", "",
		"a\\.", "\\097", "@",           "\\",          "a b",    "*",          "xyz",
	};
	static const char *const tails[] = {
		"",
		".",
		".b",
		".b.",
		".Blob.example.",
		".blob.example",
		".a",
		".blob.example.",
		"..",
		".b\\.c",
		".\\.b.c",
		"." LABEL_63 "." LABEL_63 "." LABEL_63,
		"." LABEL_63 "." LABEL_63 "." LABEL_63 ".",
		".@",
	};
	static const char *const origins[] = { "z.example",   "Z.example", "example",
					       "a.z.example", ".",         "@.example" };
	char text[400] = "";
	struct name origin = origin_of("z.example");
	const char *tail = ".";

	memset(&series, 0, sizeof(series));
	srand(7);
	for (unsigned i = 0; i < 3000; i++) {
		if (rand() % 5 == 0)
			tail = tails[(size_t)rand() % (sizeof(tails) / sizeof(*tails))];
		if (rand() % 20 == 0)
			origin = origin_of(
				origins[(size_t)rand() % (sizeof(origins) / sizeof(*origins))]);
		snprintf(text, sizeof(text), "%s%s",
			 labels[(size_t)rand() % (sizeof(labels) / sizeof(*labels))], tail);
		if (*text)
			check_text(text, &origin);
	}
	ck_assert_uint_gt(quick, 500);
}
END_TEST

START_TEST(limits)
{
	char text[300];
	struct name origin = origin_of(LABEL_63 "." LABEL_63 "." LABEL_63);
	size_t len;

	/* 192 octets behind the first label leave 62 for it. */
	memset(&series, 0, sizeof(series));
	check_text("a", &origin);
	for (len = 1; len < 70; len++) {
		memset(text, 'x', len);
		text[len] = '\0';
		check_text(text, &origin);
		check_text("b", &origin);
	}
	quick = 0;
	check_text("c", &origin);
	ck_assert_uint_eq(quick, 1);
}
END_TEST

static Suite *series_suite(void)
{
	Suite *suite = suite_create("series");
	TCase *all = tcase_create("all");

	tcase_set_timeout(all, 60);
	tcase_add_test(all, any_order_is_as_each_alone);
	tcase_add_test(all, limits);
	suite_add_tcase(suite, all);
	return suite;
}

UNIT_MAIN(series_suite)
