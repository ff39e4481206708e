/* SPDX-License-Identifier: MIT */
/*
 * Why something failed at start, load or reload, in words for the operator.
 *
 * The lowest level that knows writes the text, as `path:line[:column]: what; what to do` where a
 * file is at fault. A caller may put one prefix before it. One place logs it. Functions that take
 * a `struct err *` return 0 or -1, leave their out-parameters untouched on -1, and accept NULL.
 */
#ifndef PRIVLINKD_BASE_ERR_H
#define PRIVLINKD_BASE_ERR_H

#include <stdarg.h>

/* Longest text kept, with the NUL; a longer one is cut. Two names and a path fit. */
#define ERR_TEXT_MAX 1024

struct err {
	char text[ERR_TEXT_MAX];
};

/* Sets the text and returns -1, so that `return err_set(err, ...)` reads well. `err` may be
 * NULL. */
int err_set(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts `fmt` before the text that is there. Returns -1. */
int err_prefix(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
