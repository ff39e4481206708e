/* SPDX-License-Identifier: MIT */
/*
 * JSON text (RFC 8259) as a stream of events, each with its place.
 *
 * Reads in one pass, in linear time, with a fixed amount of memory. What is wrong is complained of
 * with line and column, and where the sense is clear the reading goes on: a value that was damaged
 * comes with `bad` set. One thread.
 */
#ifndef PRIVLINKD_SOURCE_JSONREAD_H
#define PRIVLINKD_SOURCE_JSONREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/complaint.h"
#include "source/text.h"

/*
 * Nesting. The deepest form that is read is Terraform's state with modules in modules; it adds
 * two levels a module to some fifteen. Deeper is no export.
 */
#define JSON_DEPTH_MAX 64
/* Octets of one text: more than a record's data takes. Longer ones come cut, with `cut` set. */
#define JSON_TEXT_MAX 70000

enum json_kind {
	JSON_OBJECT,
	JSON_OBJECT_END,
	JSON_ARRAY,
	JSON_ARRAY_END,
	JSON_KEY, /* the value's events follow */
	JSON_TEXT,
	JSON_NUMBER, /* as it is written */
	JSON_WORD,   /* true, false */
	JSON_NULL,
};

struct json_event {
	enum json_kind kind;
	bool bad;         /* complained of: what it was meant to be is not known */
	bool cut;         /* longer than JSON_TEXT_MAX: `text` is its beginning */
	const char *text; /* key, text, number, word: UTF-8, `len` octets; good until the next */
	size_t len;
	unsigned line, column; /* where it begins, from one; columns are characters */
};

struct jsonread;

/* `text` has to outlive it. NULL when there is no memory. */
struct jsonread *jsonread_new(const char *path, struct text *text, struct complaints *to);
void jsonread_free(struct jsonread *read);

/*
 * The next event; false at the end and where nothing more can be read, which was complained of.
 * Every start has its end, unless the reading stopped: jsonread_stopped.
 */
bool jsonread_next(struct jsonread *read, struct json_event *ret);
bool jsonread_stopped(const struct jsonread *read);

#endif
