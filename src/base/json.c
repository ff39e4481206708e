/* SPDX-License-Identifier: MIT */
/*
 * JSON is written in four places (control, http, log, offline tools); all want the commas right
 * and names with odd octets escaped, none wants a tree. So it is a buffer that grows, with one bit
 * a depth that says whether a comma is due.
 *
 * RFC 8259 8.1 wants UTF-8. DNS labels may hold any octets, though name_to_text writes those
 * outside ASCII as \DDD; what else comes (paths, upstream texts) may be anything. A text that is
 * not well-formed UTF-8 is taken as Latin-1 whole, which loses nothing. DEL is escaped too: it is
 * allowed, but terminals obey it.
 *
 * A failed allocation sets `failed`; later calls do nothing; json_finish gives NULL.
 */
#include "base/json.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void json_init(struct json *json)
{
	*json = (struct json){ 0 };
}

void json_fini(struct json *json)
{
	if (!json)
		return;
	free(json->text);
	json_init(json);
}

static void put(struct json *json, const char *text, size_t len)
{
	size_t cap = json->cap ? json->cap : 256;
	char *grown;

	if (json->failed)
		return;
	if (json->cap - json->len <= len) {
		while (cap - json->len <= len)
			cap *= 2;
		grown = realloc(json->text, cap);
		if (!grown) {
			json->failed = true;
			return;
		}
		json->text = grown;
		json->cap = cap;
	}
	memcpy(json->text + json->len, text, len);
	json->len += len;
	json->text[json->len] = '\0';
}

/* Octets of the UTF-8 sequence at s (RFC 3629 4), or 0. The NUL at the end stops every sequence. */
static size_t utf8_len(const unsigned char *s)
{
	size_t len, i;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	len = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	for (i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	/* Overlong forms, surrogates, beyond U+10FFFF: all show in the second octet. */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

static bool is_utf8(const unsigned char *s)
{
	size_t len;

	for (; *s; s += len) {
		len = utf8_len(s);
		if (!len)
			return false;
	}
	return true;
}

static size_t escape(char out[8], unsigned char c, bool utf8)
{
	static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt";
	const char *s;

	for (s = shorts; *s; s += 2) {
		if ((unsigned char)*s == c) {
			out[0] = '\\';
			out[1] = s[1];
			return 2;
		}
	}
	if (c < 0x20 || c == 0x7f || (c >= 0x80 && !utf8))
		return (size_t)snprintf(out, 8, "\\u%04x", (unsigned)c);
	out[0] = (char)c;
	return 1;
}

static void put_quoted(struct json *json, const char *value)
{
	bool utf8 = is_utf8((const unsigned char *)value);
	char out[8];

	put(json, "\"", 1);
	for (; *value; value++)
		put(json, out, escape(out, (unsigned char)*value, utf8));
	put(json, "\"", 1);
}

/* The comma and the key before a value. */
static void begin(struct json *json, const char *key)
{
	if (json->filled[json->depth])
		put(json, ",", 1);
	json->filled[json->depth] = true;
	if (key) {
		put_quoted(json, key);
		put(json, ":", 1);
	}
}

static void open_nest(struct json *json, const char *key, const char *bracket)
{
	begin(json, key);
	put(json, bracket, 1);
	assert(json->depth < JSON_DEPTH_MAX);
	json->filled[++json->depth] = false;
}

static void close_nest(struct json *json, const char *bracket)
{
	assert(json->depth > 0);
	json->depth--;
	put(json, bracket, 1);
}

void json_object(struct json *json, const char *key)
{
	open_nest(json, key, "{");
}

void json_object_end(struct json *json)
{
	close_nest(json, "}");
}

void json_array(struct json *json, const char *key)
{
	open_nest(json, key, "[");
}

void json_array_end(struct json *json)
{
	close_nest(json, "]");
}

void json_string(struct json *json, const char *key, const char *value)
{
	begin(json, key);
	if (value)
		put_quoted(json, value);
	else
		put(json, "null", 4);
}

void json_number(struct json *json, const char *key, int64_t value)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%" PRId64, value);

	begin(json, key);
	put(json, text, (size_t)len);
}

void json_bool(struct json *json, const char *key, bool value)
{
	begin(json, key);
	put(json, value ? "true" : "false", value ? 4 : 5);
}

char *json_finish(struct json *json)
{
	char *text = json->text;

	assert(json->depth == 0);
	if (json->failed) {
		free(text);
		text = NULL;
	}
	json_init(json);
	return text;
}
