/* SPDX-License-Identifier: MIT */
/* admin/stats: every counter has a name of its own and says what it counts. */
#include "admin/stats.h"

#include <string.h>

#include "unit/unit.h"

START_TEST(every_counter_has_a_row)
{
	for (size_t part = 0; part < stats_parts_count; part++) {
		const struct stats_part *of = &stats_parts[part];

		ck_assert_uint_eq(of->count, of->counters);
		for (size_t i = 0; i < of->count; i++) {
			if (!of->row[i].name || !of->row[i].help)
				ck_abort_msg("counter %zu of %s has no row in stats.c", i,
					     of->name);
			ck_assert_uint_eq(strspn(of->row[i].name, "abcdefghijklmnopqrstuvwxyz_"),
					  strlen(of->row[i].name));
			ck_assert_uint_lt(strlen(of->name) + strlen(of->row[i].name), 32);
		}
	}
}
END_TEST

START_TEST(no_name_twice)
{
	for (size_t part = 0; part < stats_parts_count; part++) {
		const struct stats_part *of = &stats_parts[part];

		for (size_t i = 0; i < of->count; i++)
			for (size_t j = 0; j < i; j++)
				ck_assert_str_ne(of->row[i].name, of->row[j].name);
	}
}
END_TEST

static Suite *stats_suite(void)
{
	Suite *suite = suite_create("stats");
	TCase *tests = tcase_create("stats");

	tcase_add_test(tests, every_counter_has_a_row);
	tcase_add_test(tests, no_name_twice);
	suite_add_tcase(suite, tests);
	return suite;
}

UNIT_MAIN(stats_suite)
