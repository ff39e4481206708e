/* SPDX-License-Identifier: MIT */
/* The one shape of all complaints, in a log and without one, and the bound on their number. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/complaint.h"
#include "unit/unit.h"

struct heard {
	unsigned count;
	struct complaint last;
	char text[256], printed[256];
};

static void hear(void *arg, const struct complaint *complaint)
{
	struct heard *heard = arg;
	FILE *out = fmemopen(heard->printed, sizeof(heard->printed), "w");

	ck_assert_ptr_nonnull(out);
	complaint_print(out, complaint);
	fclose(out);
	snprintf(heard->text, sizeof(heard->text), "%s", complaint->text);
	heard->last = *complaint;
	heard->count++;
}

START_TEST(shape)
{
	struct heard heard = { .count = 0 };
	struct complaints to = { .tell = hear, .arg = &heard };

	complain(&to, COMPLAINT_ERROR, "dir/f", 4, 2, "%s; mend it", "wrong");
	ck_assert_str_eq(heard.text, "dir/f:4:2: wrong; mend it");
	ck_assert_str_eq(heard.printed, "dir/f:4:2: wrong; mend it\n");
	ck_assert_uint_eq(heard.last.place_len, strlen("dir/f:4:2: "));
	/* A log has a word for the level; what is printed says it behind the place. */
	complain(&to, COMPLAINT_WARNING, "dir/f", 4, 2, "odd: a; look");
	ck_assert_str_eq(heard.text, "dir/f:4:2: odd: a; look");
	ck_assert_str_eq(heard.printed, "dir/f:4:2: warning: odd: a; look\n");
	complain(&to, COMPLAINT_WARNING, "dir/f", 4, 0, "odd");
	ck_assert_str_eq(heard.printed, "dir/f:4: warning: odd\n");
	complain(&to, COMPLAINT_WARNING, "dir/f", 0, 7, "odd");
	ck_assert_str_eq(heard.printed, "dir/f: warning: odd\n");
	complain(&to, COMPLAINT_WARNING, NULL, 4, 2, "odd");
	ck_assert_str_eq(heard.printed, "warning: odd\n");
	complain(&to, COMPLAINT_ERROR, NULL, 4, 2, "wrong");
	ck_assert_str_eq(heard.printed, "wrong\n");
	ck_assert_uint_eq(to.errors, 2);
	ck_assert_uint_eq(to.warnings, 4);
	complain(NULL, COMPLAINT_ERROR, "f", 1, 1, "nobody hears this");
}
END_TEST

/* A path as long as the text can be: cut, and the place still inside. */
START_TEST(long_path)
{
	struct heard heard = { .count = 0 };
	struct complaints to = { .tell = hear, .arg = &heard };
	char path[9000];

	memset(path, 'p', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	complain(&to, COMPLAINT_WARNING, path, 1, 1, "what");
	ck_assert_uint_eq(heard.count, 1);
	ck_assert_uint_lt(heard.last.place_len, sizeof(path));
}
END_TEST

START_TEST(steers_no_terminal)
{
	struct heard heard = { .count = 0 };
	struct complaints to = { .tell = hear, .arg = &heard };

	complain(&to, COMPLAINT_WARNING, "a\nerror: b\x1b[31m", 1, 0, "`\x07\x7f\xc3\xa4`; what");
	ck_assert_str_eq(heard.printed, "a\\x0aerror: b\\x1b[31m:1: warning: "
					"`\\x07\\x7f\xc3\xa4`; what\n");
}
END_TEST

START_TEST(bounded)
{
	struct heard heard = { .count = 0 };
	struct complaints to = { .tell = hear, .arg = &heard };
	unsigned i;

	for (i = 0; i < COMPLAINTS_A_FILE_MAX + 5; i++)
		complain(&to, COMPLAINT_ERROR, "f", i + 1, 0, "wrong");
	ck_assert_uint_eq(heard.count, COMPLAINTS_A_FILE_MAX);
	complaints_end(&to, NULL);
	ck_assert_uint_eq(heard.count, COMPLAINTS_A_FILE_MAX + 1);
	ck_assert_str_eq(heard.printed, "5 more complaints about the files above are not shown\n");
	ck_assert_uint_eq(to.errors, COMPLAINTS_A_FILE_MAX + 5);
	for (i = 0; i < COMPLAINTS_A_FILE_MAX + 6; i++)
		complain(&to, COMPLAINT_WARNING, "f", i + 1, 0, "odd");
	complaints_end(&to, "f");
	ck_assert_str_eq(heard.printed,
			 "f: warning: 6 more complaints about this file are not shown\n");
}
END_TEST

static Suite *complaint_suite(void)
{
	Suite *suite = suite_create("complaint");
	TCase *tests = tcase_create("complaint");

	tcase_add_test(tests, shape);
	tcase_add_test(tests, long_path);
	tcase_add_test(tests, steers_no_terminal);
	tcase_add_test(tests, bounded);
	suite_add_tcase(suite, tests);
	return suite;
}

UNIT_MAIN(complaint_suite)
