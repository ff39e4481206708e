/* SPDX-License-Identifier: MIT */
/*
 * What every unit test ends with: UNIT_MAIN(f), where `Suite *f(void)` makes the suite. The program
 * writes TAP to standard output, one line a test, and exits 1 if any failed.
 *
 * Each test runs in a process of its own, so a crash is one failed line. CK_FORK=no in the
 * environment turns that off, for a debugger.
 */
#ifndef PRIVLINKD_UNIT_UNIT_H
#define PRIVLINKD_UNIT_UNIT_H

#include <check.h>
#include <stdlib.h>

#define UNIT_MAIN(make_suite)                                     \
	int main(void)                                            \
	{                                                         \
		SRunner *runner = srunner_create(make_suite());   \
		int failed;                                       \
                                                                  \
		srunner_set_tap(runner, "-");                     \
		srunner_run_all(runner, CK_SILENT);               \
		failed = srunner_ntests_failed(runner);           \
		srunner_free(runner);                             \
		return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE; \
	}

#endif
