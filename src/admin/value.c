/* SPDX-License-Identifier: MIT */
/*
 * One function a kind of value, found by a table. Each gets a node that is known to be of the right
 * shape (scalar or list) and either fills its field or refuses the node with one complaint. Scalars
 * are here, lists in admin/valuelist.
 *
 * Strict where a guess could hurt: `yes` is no boolean, a number without a unit is no duration, a
 * quoted "true" is a text. Each refusal says what would be right.
 *
 * Thread: the one that loads; nothing is kept between calls.
 */
#include "admin/value.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/valuelist.h"
#include "wire/name.h"

int value_refuse(const struct value_reader *reader, const struct ynode *node, const struct key *key,
		 const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	complain(reader->to, COMPLAINT_ERROR, reader->path, node->line, node->column, "%s: %s",
		 key->path, text);
	return -1;
}

void *value_take(const struct value_reader *reader, const struct key *key, const struct ynode *node,
		 size_t size)
{
	void *memory = arena_take(reader->arena, size ? size : 1, 16);

	if (!memory)
		value_refuse(reader, node, key, "out of memory");
	return memory;
}

const char *value_copy(const struct value_reader *reader, const struct key *key,
		       const struct ynode *node, const char *text)
{
	size_t len = strlen(text);
	char *memory = value_take(reader, key, node, len + 1);

	return memory ? memcpy(memory, text, len) : NULL;
}

static int read_bool(const struct value_reader *reader, const struct key *key,
		     const struct ynode *node, void *field)
{
	bool yes = strcmp(node->text, "true") == 0;

	if (!node->plain || (!yes && strcmp(node->text, "false") != 0))
		return value_refuse(reader, node, key, "'%.*s' is neither true nor false",
				    VALUE_SHOWN, node->text);
	*(bool *)field = yes;
	return 0;
}

/* Digits, then `rest`; nothing over 2^53. */
static bool read_digits(const char *text, uint64_t *ret, const char **ret_rest)
{
	uint64_t value = 0;
	const char *s;

	for (s = text; *s >= '0' && *s <= '9'; s++) {
		value = value * 10 + (uint64_t)(*s - '0');
		if (value > UINT64_C(1) << 53)
			return false;
	}
	if (s == text)
		return false;
	*ret = value;
	*ret_rest = s;
	return true;
}

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit durations[] = {
	{ "s", 1 }, { "m", 60 }, { "h", 3600 }, { "d", 86400 }, { NULL, 0 }
};
static const struct unit ttls[] = { { "", 1 },     { "s", 1 },     { "m", 60 },
				    { "h", 3600 }, { "d", 86400 }, { NULL, 0 } };
static const struct unit sizes[] = {
	{ "KiB", 1024 }, { "MiB", 1 << 20 }, { "GiB", 1 << 30 }, { NULL, 0 }
};
static const struct unit percents[] = { { "%", 1 }, { NULL, 0 } };
static const struct unit plain_numbers[] = { { "", 1 }, { NULL, 0 } };

/* A number with one of the units, within the key's range; `want` says what one looks like. */
static int read_number(const struct value_reader *reader, const struct key *key,
		       const struct ynode *node, const struct unit *units, const char *want,
		       uint64_t *ret)
{
	const struct unit *unit;
	const char *rest;
	uint64_t value;

	if (node->plain && read_digits(node->text, &value, &rest)) {
		for (unit = units; unit->name; unit++) {
			if (strcmp(rest, unit->name) != 0)
				continue;
			/* At most 2^53 x 2^30 would not fit, so divide. */
			if (value > key->max / unit->factor || value * unit->factor < key->min)
				return value_refuse(
					reader, node, key,
					"%s is out of range, %" PRIu64 " to %" PRIu64 "%s",
					node->text, key->min, key->max,
					units == sizes                        ? " octets"
					: units == durations || units == ttls ? " seconds"
									      : "");
			*ret = value * unit->factor;
			return 0;
		}
	}
	return value_refuse(reader, node, key, "'%.*s' is not %s", VALUE_SHOWN, node->text, want);
}

static int read_u32(const struct value_reader *reader, const struct key *key,
		    const struct ynode *node, const struct unit *units, const char *want,
		    void *field)
{
	uint64_t value;

	if (read_number(reader, key, node, units, want, &value) < 0)
		return -1;
	*(uint32_t *)field = (uint32_t)value;
	return 0;
}

static int read_duration(const struct value_reader *reader, const struct key *key,
			 const struct ynode *node, void *field)
{
	return read_u32(reader, key, node, durations, "a duration such as 10s, 5m, 2h or 1d",
			field);
}

static int read_ttl(const struct value_reader *reader, const struct key *key,
		    const struct ynode *node, void *field)
{
	return read_u32(reader, key, node, ttls, "a number of seconds or a duration such as 5m",
			field);
}

static int read_percent(const struct value_reader *reader, const struct key *key,
			const struct ynode *node, void *field)
{
	return read_u32(reader, key, node, percents, "a percentage such as 50%", field);
}

static int read_size(const struct value_reader *reader, const struct key *key,
		     const struct ynode *node, void *field)
{
	uint64_t value;

	if (read_number(reader, key, node, sizes, "a size such as 512KiB, 64MiB or 1GiB", &value) <
	    0)
		return -1;
	*(size_t *)field = (size_t)value;
	return 0;
}

static int read_count(const struct value_reader *reader, const struct key *key,
		      const struct ynode *node, void *field)
{
	return read_u32(reader, key, node, plain_numbers, "a number", field);
}

static int read_workers(const struct value_reader *reader, const struct key *key,
			const struct ynode *node, void *field)
{
	if (strcmp(node->text, "auto") == 0) {
		*(uint32_t *)field = 0;
		return 0;
	}
	return read_u32(reader, key, node, plain_numbers, "a number or auto", field);
}

static void join_words(char *text, size_t cap, const char *const *words)
{
	size_t len = 0;

	*text = '\0';
	for (; *words && len < cap; words++)
		len += (size_t)snprintf(text + len, cap - len, "%s%s", len ? ", " : "", *words);
}

int value_refuse_word(const struct value_reader *reader, const struct key *key,
		      const struct ynode *node, const char *const *words)
{
	const char *near = word_near(words, node->text);
	char all[256];

	join_words(all, sizeof(all), words);
	if (near)
		return value_refuse(reader, node, key, "'%.*s' is not one of %s; did you mean %s?",
				    VALUE_SHOWN, node->text, all, near);
	return value_refuse(reader, node, key, "'%.*s' is not one of %s", VALUE_SHOWN, node->text,
			    all);
}

static int read_word(const struct value_reader *reader, const struct key *key,
		     const struct ynode *node, void *field)
{
	int i;

	for (i = 0; key->words[i]; i++) {
		if (strcmp(key->words[i], node->text) == 0) {
			/* Every enum of a word key counts from zero and is int's size. */
			memcpy(field, &i, sizeof(i));
			return 0;
		}
	}
	return value_refuse_word(reader, key, node, key->words);
}

static int read_format(const struct value_reader *reader, const struct key *key,
		       const struct ynode *node, void *field)
{
	static const char *const words[] = {
		"auto", "yaml", "hosts", "csv", "azure", "zone", NULL
	};

	if (source_format_parse(node->text, field) == 0)
		return 0;
	return value_refuse_word(reader, key, node, words);
}

static int read_preset(const struct value_reader *reader, const struct key *key,
		       const struct ynode *node, void *field)
{
	const char *const *preset;

	for (preset = zone_presets; *preset; preset++) {
		if (strcmp(*preset, node->text) == 0) {
			*(const char **)field = *preset;
			return 0;
		}
	}
	return value_refuse_word(reader, key, node, zone_presets);
}

static int read_text(const struct value_reader *reader, const struct key *key,
		     const struct ynode *node, void *field)
{
	size_t len = strlen(node->text);
	const char *text;

	if (len < key->min || len > key->max)
		return value_refuse(reader, node, key,
				    "a text of %" PRIu64 " to %" PRIu64
				    " octets is wanted, this has %zu",
				    key->min, key->max, len);
	text = value_copy(reader, key, node, node->text);
	if (!text)
		return -1;
	*(const char **)field = text;
	return 0;
}

static int read_path(const struct value_reader *reader, const struct key *key,
		     const struct ynode *node, void *field)
{
	size_t len = strlen(node->text);
	/* sun_path of unix(7). */
	size_t most = strcmp(key->path, "control.socket") == 0 ? 107 : 4095;
	const char *text;

	if (!len || len > most)
		return value_refuse(reader, node, key, "a path of 1 to %zu octets is wanted", most);
	text = value_copy(reader, key, node, node->text);
	if (!text)
		return -1;
	*(const char **)field = text;
	return 0;
}

static int read_name(const struct value_reader *reader, const struct key *key,
		     const struct ynode *node, void *field)
{
	struct name name;
	const char *text;

	if (name_from_text(&name, node->text, strlen(node->text)) < 0)
		return value_refuse(reader, node, key, "'%.*s' is no domain name", VALUE_SHOWN,
				    node->text);
	text = value_copy(reader, key, node, node->text);
	if (!text)
		return -1;
	*(const char **)field = text;
	return 0;
}

static int read_identity(const struct value_reader *reader, const struct key *key,
			 const struct ynode *node, void *field)
{
	char host[VIEW_IDENTITY_MAX + 1];
	struct ynode known = *node;

	if (node->plain && strcmp(node->text, "hide") == 0) {
		*(const char **)field = "";
		return 0;
	}
	if (node->plain && strcmp(node->text, "auto") == 0) {
		known.text = "privlinkd " PACKAGE_VERSION;
		if (strcmp(key_leaf(key), "id") == 0) {
			if (gethostname(host, sizeof(host)) < 0)
				strcpy(host, "privlinkd");
			host[sizeof(host) - 1] = '\0';
			known.text = host;
		}
	}
	return read_text(reader, key, &known, field);
}

enum shape {
	SHAPE_SCALAR,
	SHAPE_LIST,
	SHAPE_EITHER,
};

static const struct {
	value_fn *read;
	enum shape shape;
} kinds[] = {
	[KEY_BOOL] = { read_bool, SHAPE_SCALAR },
	[KEY_DURATION] = { read_duration, SHAPE_SCALAR },
	[KEY_TTL] = { read_ttl, SHAPE_SCALAR },
	[KEY_SIZE] = { read_size, SHAPE_SCALAR },
	[KEY_PERCENT] = { read_percent, SHAPE_SCALAR },
	[KEY_COUNT] = { read_count, SHAPE_SCALAR },
	[KEY_WORKERS] = { read_workers, SHAPE_SCALAR },
	[KEY_WORD] = { read_word, SHAPE_SCALAR },
	[KEY_TEXT] = { read_text, SHAPE_SCALAR },
	[KEY_PATH] = { read_path, SHAPE_SCALAR },
	[KEY_NAME] = { read_name, SHAPE_SCALAR },
	[KEY_PRESET] = { read_preset, SHAPE_SCALAR },
	[KEY_IDENTITY] = { read_identity, SHAPE_SCALAR },
	[KEY_FORMAT] = { read_format, SHAPE_SCALAR },
	[KEY_ADDRS] = { value_read_addrs, SHAPE_LIST },
	[KEY_ALLOW] = { value_read_allow, SHAPE_LIST },
	[KEY_TEXTS] = { value_read_texts, SHAPE_LIST },
	[KEY_UPSTREAMS] = { value_read_upstreams, SHAPE_LIST },
	[KEY_PINS] = { value_read_pins, SHAPE_LIST },
	[KEY_ALIASES] = { value_read_aliases, SHAPE_EITHER },
};

int value_read(const struct value_reader *reader, const struct key *key, const struct ynode *node,
	       void *field)
{
	enum shape shape = kinds[key->kind].shape;

	if (ynode_is_null(node))
		return value_refuse(reader, node, key, "has no value; give one or remove the key");
	if (shape == SHAPE_LIST && node->kind != YNODE_LIST)
		return value_refuse(reader, node, key, "must be a list: [%.*s]", VALUE_SHOWN,
				    node->kind == YNODE_SCALAR ? node->text : "...");
	if (shape == SHAPE_SCALAR && node->kind != YNODE_SCALAR)
		return value_refuse(reader, node, key, "must be one value, not a %s",
				    node->kind == YNODE_LIST ? "list" : "map");
	if (node->kind == YNODE_MAP)
		return value_refuse(reader, node, key, "must be a list or a value, not a map");
	return kinds[key->kind].read(reader, key, node, field);
}

static bool same_text(const char *a, const char *b)
{
	return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

static bool same_addrs(const struct config_addrs *a, const struct config_addrs *b)
{
	size_t i;

	if (a->count != b->count)
		return false;
	for (i = 0; i < a->count; i++) {
		if (!addr_equal(&a->at[i], &b->at[i]))
			return false;
	}
	return true;
}

bool value_equal(const struct key *key, const void *a, const void *b)
{
	switch (key->kind) {
	case KEY_BOOL:
		return *(const bool *)a == *(const bool *)b;
	case KEY_DURATION:
	case KEY_TTL:
	case KEY_PERCENT:
	case KEY_COUNT:
	case KEY_WORKERS:
		return *(const uint32_t *)a == *(const uint32_t *)b;
	case KEY_SIZE:
		return *(const size_t *)a == *(const size_t *)b;
	case KEY_WORD:
	case KEY_FORMAT:
		return memcmp(a, b, sizeof(int)) == 0;
	case KEY_ADDRS:
		return same_addrs(a, b);
	case KEY_TEXT:
	case KEY_PATH:
	case KEY_NAME:
	case KEY_PRESET:
	case KEY_IDENTITY:
		return same_text(*(const char *const *)a, *(const char *const *)b);
	default:
		return false; /* lists: nobody asks */
	}
}
