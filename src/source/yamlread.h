/* SPDX-License-Identifier: MIT */
/*
 * YAML as the events of source/jsonread, for exports that come in either; and what every walk over
 * libyaml's events has to refuse.
 *
 * No tree is built: time is linear and memory bounded. Anchors, aliases, tags and directives are
 * refused. One thread.
 */
#ifndef PRIVLINKD_SOURCE_YAMLREAD_H
#define PRIVLINKD_SOURCE_YAMLREAD_H

#include <yaml.h>

#include "source/jsonread.h"

/*
 * Octets that libyaml may take in before it gives an event: of one text, or of comments between two
 * nodes. It keeps a text in memory as a whole.
 */
#define YAML_PIECE_MAX (1 << 20)

/* A stream of text as a parser's input. */
struct yamlfeed {
	struct text *text;
	size_t since; /* octets since the last event */
	bool over;    /* they were too many */
};

/* 0, or -1 without memory. yaml_parser_delete as usual. */
int yamlfeed_init(struct yamlfeed *feed, yaml_parser_t *parser, struct text *text);
/* The parser's next event; 0 when it failed. */
int yamlfeed_next(struct yamlfeed *feed, yaml_parser_t *parser, yaml_event_t *ret);
/* Why it failed, and where (from zero) in the text. The text is spent. */
const char *yamlfeed_problem(struct yamlfeed *feed, const yaml_parser_t *parser,
			     yaml_mark_t *ret_mark);

struct yamlread;

/* As jsonread's. A plain `null`, `~` or nothing is JSON_NULL; other scalars are JSON_TEXT. */
struct yamlread *yamlread_new(const char *path, struct text *text, struct complaints *to);
void yamlread_free(struct yamlread *read);
bool yamlread_next(struct yamlread *read, struct json_event *ret);
bool yamlread_stopped(const struct yamlread *read);

/* What of this event is refused whatever node it stands at: how many texts were put into ret. */
unsigned yamlread_refusals(const yaml_event_t *event, const char *ret[2]);

/* What a walk has to know before it starts. Leaves the text at its start. */
struct yamlread_survey {
	unsigned directive; /* the line of the first % directive that is not %YAML; 0: none */
	bool has_ttl;       /* the letters `ttl` stand somewhere, perhaps */
};
void yamlread_survey(struct text *text, struct yamlread_survey *ret);

#endif
