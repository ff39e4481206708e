/* SPDX-License-Identifier: MIT */
/*
 * `az -o yaml` says in YAML what it says in JSON, so both become the same events and one reader
 * takes them. Keys and values alternate in libyaml's events of a mapping; which one is due is one
 * bit a level.
 *
 * The walk ends at JSON_DEPTH_MAX; libyaml looks ahead 1024 octets of one line at most, so it never
 * gets much deeper before the walk sees it.
 *
 * After a syntax error nothing can be said about what follows, so the reading stops.
 */
#include "source/yamlread.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "source/yamlfeed.h"

struct yamlread {
	const char *path;
	struct complaints *to;
	struct yamlfeed *feed;
	const yaml_event_t *event;
	bool started, ended, stopped;
	unsigned depth;
	struct {
		bool mapping, value; /* value: a key stood last */
	} open[JSON_DEPTH_MAX];
};

/* ---- events ---------------------------------------------------------------------------------- */

struct yamlread *yamlread_new(const char *path, struct text *text, struct complaints *to)
{
	struct yamlread *read = calloc(1, sizeof(*read));

	if (!read)
		return NULL;
	read->feed = yamlfeed_new(text, false);
	if (!read->feed) {
		free(read);
		return NULL;
	}
	read->path = path;
	read->to = to;
	return read;
}

void yamlread_free(struct yamlread *read)
{
	if (!read)
		return;
	yamlfeed_free(read->feed);
	free(read);
}

bool yamlread_stopped(const struct yamlread *read)
{
	return read->stopped;
}

static void refuse(struct yamlread *read, const yaml_mark_t *mark, const char *what)
{
	complain(read->to, COMPLAINT_ERROR, read->path, (unsigned)mark->line + 1,
		 (unsigned)mark->column + 1, "%s", what);
}

static bool stop(struct yamlread *read, const yaml_mark_t *mark, const char *what)
{
	refuse(read, mark, what);
	read->stopped = true;
	return false;
}

static bool stop_syntax(struct yamlread *read)
{
	struct err err;
	yaml_mark_t mark;

	err_set(&err, "no valid YAML: %s; correct it, what follows is not read",
		yamlfeed_problem(read->feed, &mark));
	return stop(read, &mark, err.text);
}

static bool parse(struct yamlread *read)
{
	read->event = yamlfeed_next(read->feed);
	return read->event || stop_syntax(read);
}

static void take_scalar(const yaml_event_t *event, bool key, struct json_event *ret)
{
	static const char *const nulls[] = { "", "~", "null", "Null", "NULL" };

	ret->kind = key ? JSON_KEY : JSON_TEXT;
	ret->text = (const char *)event->data.scalar.value;
	ret->len = event->data.scalar.length;
	/* `"\0"` is legal here. */
	ret->bad = memchr(ret->text, '\0', ret->len) != NULL;
	if (ret->len > JSON_TEXT_MAX) {
		ret->cut = true;
		ret->len = JSON_TEXT_MAX;
	}
	if (key || event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return;
	for (size_t i = 0; i < sizeof(nulls) / sizeof(*nulls); i++)
		if (strcmp(ret->text, nulls[i]) == 0)
			ret->kind = JSON_NULL;
}

/* A node's event; walks the depth along. False if the reading stops. */
static bool take(struct yamlread *read, struct json_event *ret)
{
	const yaml_event_t *event = read->event;
	bool mapping = event->type == YAML_MAPPING_START_EVENT;
	bool key = read->depth && read->open[read->depth - 1].mapping &&
		   !read->open[read->depth - 1].value;

	if (event->type == YAML_MAPPING_END_EVENT || event->type == YAML_SEQUENCE_END_EVENT) {
		ret->kind =
			event->type == YAML_MAPPING_END_EVENT ? JSON_OBJECT_END : JSON_ARRAY_END;
		read->depth--;
		return true;
	}
	if (read->depth)
		read->open[read->depth - 1].value = key;
	if (event->type == YAML_SCALAR_EVENT || event->type == YAML_ALIAS_EVENT) {
		if (event->type == YAML_SCALAR_EVENT) {
			take_scalar(event, key, ret);
		} else {
			ret->kind = key ? JSON_KEY : JSON_NULL;
			ret->text = "";
			ret->bad = true;
		}
		return true;
	}
	if (key)
		return stop(read, &event->start_mark,
			    "a key has to stand here; correct it, what follows is not read");
	if (read->depth == JSON_DEPTH_MAX)
		return stop(read, &event->start_mark,
			    "nested deeper than 64; this is none of Azure's exports, and what "
			    "follows is "
			    "not read");
	ret->kind = mapping ? JSON_OBJECT : JSON_ARRAY;
	read->open[read->depth].mapping = mapping;
	read->open[read->depth++].value = false;
	return true;
}

bool yamlread_next(struct yamlread *read, struct json_event *ret)
{
	const char *why[2];

	if (read->stopped || read->ended)
		return false;
	for (;;) {
		struct json_event event = { 0 };
		unsigned count;

		if (!parse(read))
			return false;
		switch (read->event->type) {
		case YAML_STREAM_END_EVENT:
			read->ended = true;
			return false;
		case YAML_DOCUMENT_START_EVENT:
			if (read->started)
				return stop(read, &read->event->start_mark,
					    "a second document; put it into a file of its own, it "
					    "is not "
					    "read");
			read->started = true;
			continue;
		case YAML_STREAM_START_EVENT:
		case YAML_DOCUMENT_END_EVENT:
		case YAML_NO_EVENT:
			continue;
		default:
			break;
		}
		count = yamlfeed_refusals(read->event, why);
		for (unsigned i = 0; i < count; i++)
			refuse(read, &read->event->start_mark, why[i]);
		event.line = (unsigned)read->event->start_mark.line + 1;
		event.column = (unsigned)read->event->start_mark.column + 1;
		if (!take(read, &event))
			return false;
		*ret = event;
		return true;
	}
}
