/* SPDX-License-Identifier: MIT */
/*
 * libyaml keeps a text whole while it scans it, and says nothing before it is through. So what it
 * takes in between two events is bounded here.
 *
 * The quick way goes over to libyaml for good, at the first line that is not plain: libyaml begins
 * at the start of the text, and as many of its events are passed over as have been given. That
 * needs no context to be made up for it, so its places and complaints are right by themselves; and
 * it costs no more than the quick way over again, which is a small part of libyaml's time. If the
 * file changed in between, events may not fit together: walks have to stand that, and the reading
 * does not count (source/readfile).
 */
#include "source/yamlfeed.h"

#include <stdlib.h>
#include <string.h>

#include "source/yamlplain.h"

/* Octets of a line that are looked at before libyaml is: a longer one may hold anything. */
#define LINE_LOOKED_AT 4096

struct yamlfeed {
	struct text *text;
	yaml_parser_t parser;
	yaml_event_t event;
	bool has_event; /* libyaml's */
	bool quick, ended;
	size_t given; /* events, by the quick way */
	size_t since; /* octets that libyaml took since its last event */
	bool over;    /* they were too many */
	struct yamlplain plain;
};

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

/* ---- events ---------------------------------------------------------------------------------- */

struct yamlfeed *yamlfeed_new(struct text *text, bool quick)
{
	struct yamlfeed *feed = calloc(1, sizeof(*feed));

	if (!feed)
		return NULL;
	if (!yaml_parser_initialize(&feed->parser)) {
		free(feed);
		return NULL;
	}
	feed->text = text;
	feed->quick = quick;
	yaml_parser_set_input(&feed->parser, feed_parser, feed);
	yaml_parser_set_encoding(&feed->parser, YAML_UTF8_ENCODING);
	yamlplain_init(&feed->plain, text);
	return feed;
}

static void drop_event(struct yamlfeed *feed)
{
	if (feed->has_event)
		yaml_event_delete(&feed->event);
	feed->has_event = false;
}

void yamlfeed_free(struct yamlfeed *feed)
{
	if (!feed)
		return;
	drop_event(feed);
	yaml_parser_delete(&feed->parser);
	free(feed);
}

static bool parse(struct yamlfeed *feed)
{
	drop_event(feed);
	feed->since = 0;
	feed->has_event = yaml_parser_parse(&feed->parser, &feed->event) != 0;
	return feed->has_event;
}

/* From here on by libyaml: to where the quick way is. */
static bool hand_over(struct yamlfeed *feed)
{
	feed->quick = false;
	text_rewind(feed->text);
	for (size_t i = 0; i < feed->given; i++)
		if (!parse(feed))
			return false;
	return true;
}

const yaml_event_t *yamlfeed_next(struct yamlfeed *feed)
{
	if (feed->ended)
		return NULL;
	if (feed->quick && yamlplain_next(&feed->plain, &feed->event)) {
		feed->given++;
	} else if ((feed->quick && !hand_over(feed)) || !parse(feed)) {
		feed->ended = true;
		return NULL;
	}
	feed->ended =
		feed->event.type == YAML_STREAM_END_EVENT || feed->event.type == YAML_NO_EVENT;
	return &feed->event;
}

unsigned yamlfeed_refusals(const yaml_event_t *event, const char *ret[2])
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

/* ---- what is wrong --------------------------------------------------------------------------- */

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

const char *yamlfeed_problem(struct yamlfeed *feed, yaml_mark_t *ret_mark)
{
	const yaml_parser_t *parser = &feed->parser;

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

void yamlfeed_survey(struct text *text, struct yamlfeed_survey *ret)
{
	struct yamlfeed_survey survey = { 0 };
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
