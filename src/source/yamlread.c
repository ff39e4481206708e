/* SPDX-License-Identifier: MIT */
/*
 * `az -o yaml` says in YAML what it says in JSON, so both become the same events and one reader
 * takes them. Keys and values alternate in libyaml's events of a mapping; which one is due is one
 * bit a level.
 *
 * libyaml's time is quadratic in nesting depth and in the number of % directives: the walk ends at
 * JSON_DEPTH_MAX, libyaml looks ahead 1024 octets of one line at most, and directives but %YAML are
 * refused before it starts.
 *
 * libyaml keeps a text whole while it scans it, and says nothing before it is through. So what it
 * takes in between two events is bounded by its feed.
 *
 * After a syntax error nothing can be said about what follows, so the reading stops.
 */
#include "source/yamlread.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* Octets of a line that are looked at before libyaml is: a longer one may hold anything. */
#define LINE_LOOKED_AT 4096

struct yamlread {
	const char *path;
	struct complaints *to;
	struct yamlfeed feed;
	yaml_parser_t parser;
	yaml_event_t event;
	bool has_event, started, ended, stopped;
	unsigned depth;
	struct {
		bool mapping, value; /* value: a key stood last */
	} open[JSON_DEPTH_MAX];
};

/* ---- what every walk refuses ----------------------------------------------------------------- */

unsigned yamlread_refusals(const yaml_event_t *event, const char *ret[2])
{
	const unsigned char *anchor = NULL, *tag = NULL;
	unsigned count = 0;

	switch (event->type) {
	case YAML_ALIAS_EVENT:
		ret[0] = "an alias; write the value out";
		return 1;
	case YAML_SCALAR_EVENT:
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
		break;
	default:
		return 0;
	}
	if (anchor)
		ret[count++] = "an anchor; take it out and write values where they are needed";
	if (tag)
		ret[count++] = "a tag; take it out";
	return count;
}

void yamlread_survey(struct text *text, struct yamlread_survey *ret)
{
	struct yamlread_survey survey = { 0 };
	const char *line;
	size_t len;

	for (unsigned number = 1; !survey.directive && text_line(text, LINE_LOOKED_AT, &line, &len);
	     number++) {
		if (len && *line == '%' && (len < 6 || strncmp(line, "%YAML ", 6) != 0))
			survey.directive = number;
		survey.has_ttl =
			survey.has_ttl || len > LINE_LOOKED_AT || memmem(line, len, "ttl", 3);
	}
	text_rewind(text);
	*ret = survey;
}

/* ---- libyaml's input ------------------------------------------------------------------------- */

/*
 * How much of the text is given at a time: a line, and an octet that might be refused by itself.
 * libyaml decodes at once whatever it gets, and would refuse it before it has said what stands
 * above.
 */
static size_t piece_len(const char *at, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)at[i];

		if (c == '\n')
			return i + 1;
		if ((c < ' ' && c != '\t') || c >= 0x7f)
			return i ? i : 1;
	}
	return len;
}

static int feed_parser(void *data, unsigned char *buffer, size_t size, size_t *ret_len)
{
	struct yamlfeed *feed = data;
	size_t len = text_fill(feed->text, size);

	len = piece_len(feed->text->at, len < size ? len : size);
	feed->over = feed->since > YAML_PIECE_MAX;
	if (feed->over)
		return 0;
	memcpy(buffer, feed->text->at, len);
	feed->text->at += len;
	feed->since += len;
	*ret_len = len;
	return 1;
}

int yamlfeed_init(struct yamlfeed *feed, yaml_parser_t *parser, struct text *text)
{
	if (!yaml_parser_initialize(parser))
		return -1;
	*feed = (struct yamlfeed){ .text = text };
	yaml_parser_set_input(parser, feed_parser, feed);
	yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
	return 0;
}

int yamlfeed_next(struct yamlfeed *feed, yaml_parser_t *parser, yaml_event_t *ret)
{
	feed->since = 0;
	return yaml_parser_parse(parser, ret);
}

/* Line and column of an octet, from zero; a column is an octet here. */
static void find_place(struct text *text, uint64_t offset, yaml_mark_t *ret)
{
	uint64_t line_at = 0;

	ret->line = 0;
	text_rewind(text);
	while (text_pass_line(text) && text_offset(text) <= offset) {
		ret->line++;
		line_at = text_offset(text);
	}
	ret->column = (size_t)(offset - line_at);
}

const char *yamlfeed_problem(struct yamlfeed *feed, const yaml_parser_t *parser,
			     yaml_mark_t *ret_mark)
{
	*ret_mark = parser->problem_mark;
	if (feed->over) {
		*ret_mark = parser->mark;
		return "more than 1 MiB in one piece, a text or a comment";
	}
	/* No mark, but an offset in octets. */
	if (parser->error == YAML_READER_ERROR)
		find_place(feed->text, parser->problem_offset, ret_mark);
	/* The scanner stands where its problem is. */
	if (parser->error == YAML_SCANNER_ERROR && parser->unread &&
	    parser->mark.index == parser->problem_mark.index && *parser->buffer.pointer == '\t')
		return "a tab, where spaces alone may stand";
	return parser->problem ? parser->problem : "it cannot be read";
}

/* ---- events ---------------------------------------------------------------------------------- */

struct yamlread *yamlread_new(const char *path, struct text *text, struct complaints *to)
{
	struct yamlread *read = calloc(1, sizeof(*read));

	if (!read)
		return NULL;
	if (yamlfeed_init(&read->feed, &read->parser, text) < 0) {
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
	if (read->has_event)
		yaml_event_delete(&read->event);
	yaml_parser_delete(&read->parser);
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
		yamlfeed_problem(&read->feed, &read->parser, &mark));
	return stop(read, &mark, err.text);
}

static bool parse(struct yamlread *read)
{
	if (read->has_event)
		yaml_event_delete(&read->event);
	read->has_event = yamlfeed_next(&read->feed, &read->parser, &read->event) != 0;
	return read->has_event || stop_syntax(read);
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
	const yaml_event_t *event = &read->event;
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
		switch (read->event.type) {
		case YAML_STREAM_END_EVENT:
			read->ended = true;
			return false;
		case YAML_DOCUMENT_START_EVENT:
			if (read->started)
				return stop(read, &read->event.start_mark,
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
		count = yamlread_refusals(&read->event, why);
		for (unsigned i = 0; i < count; i++)
			refuse(read, &read->event.start_mark, why[i]);
		event.line = (unsigned)read->event.start_mark.line + 1;
		event.column = (unsigned)read->event.start_mark.column + 1;
		if (!take(read, &event))
			return false;
		*ret = event;
		return true;
	}
}
