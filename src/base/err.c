/* SPDX-License-Identifier: MIT */
/*
 * Failure texts are of fixed size and live with the caller, so that reporting a failure cannot
 * itself fail. A text that is too long is cut at its end: the place (`path:line`) stands first.
 *
 * Both functions format aside and copy then, so that an argument may point into the text that is
 * being replaced.
 */
#include "base/err.h"

#include <stdio.h>
#include <string.h>

int err_set(struct err *err, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	va_list args;

	if (!err)
		return -1;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	memcpy(err->text, text, strlen(text) + 1);
	return -1;
}

int err_prefix(struct err *err, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	size_t len, rest;
	va_list args;

	if (!err)
		return -1;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	len = strlen(text);
	rest = strlen(err->text);
	if (rest > sizeof(err->text) - 1 - len)
		rest = sizeof(err->text) - 1 - len;
	memmove(err->text + len, err->text, rest);
	memcpy(err->text, text, len);
	err->text[len + rest] = '\0';
	return -1;
}
