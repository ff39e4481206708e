/* SPDX-License-Identifier: MIT */
/*
 * Writes JSON (RFC 8259) into a growing buffer; commas and escapes are its business.
 *
 * Text that is not UTF-8 is written octet by octet as U+0080 to U+00FF. A failed allocation sticks
 * and shows in json_finish. One thread.
 */
#ifndef PRIVLINKD_BASE_JSON_H
#define PRIVLINKD_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Deepest nesting; deeper is a bug. */
#define JSON_DEPTH_MAX 16

struct json {
	char *text;
	size_t len, cap;
	unsigned depth;
	bool filled[JSON_DEPTH_MAX + 1]; /* whether a comma is due at this depth */
	bool failed;
};

void json_init(struct json *json);
void json_fini(struct json *json);

/* `key` is NULL inside arrays and for the outermost value. */
void json_object(struct json *json, const char *key);
void json_object_end(struct json *json);
void json_array(struct json *json, const char *key);
void json_array_end(struct json *json);
void json_string(struct json *json, const char *key, const char *value); /* NULL value: null */
void json_number(struct json *json, const char *key, int64_t value);
void json_bool(struct json *json, const char *key, bool value);

/* The text, NUL-terminated, for the caller to free, or NULL. The writer is empty again. */
char *json_finish(struct json *json);

#endif
