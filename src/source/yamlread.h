/* SPDX-License-Identifier: MIT */
/*
 * YAML as the events of source/jsonread, for exports that come in either; and what every walk over
 * libyaml's events has to refuse.
 *
 * No tree is built: time is linear and memory fixed. Anchors, aliases, tags and directives are
 * refused. One thread.
 */
#ifndef PRIVLINKD_SOURCE_YAMLREAD_H
#define PRIVLINKD_SOURCE_YAMLREAD_H

#include <yaml.h>

#include "source/jsonread.h"

struct yamlread;

/* As jsonread's. A plain `null`, `~` or nothing is JSON_NULL; other scalars are JSON_TEXT. */
struct yamlread *yamlread_new(const char *path, const char *text, size_t len,
			      struct complaints *to);
void yamlread_free(struct yamlread *read);
bool yamlread_next(struct yamlread *read, struct json_event *ret);
bool yamlread_stopped(const struct yamlread *read);

/* Why the parser failed, and where (from zero) in the text that it was given. */
const char *yamlread_problem(const yaml_parser_t *parser, const char *text, size_t len,
			     yaml_mark_t *ret_mark);

/* What of this event is refused whatever node it stands at: how many texts were put into ret. */
unsigned yamlread_refusals(const yaml_event_t *event, const char *ret[2]);

/* The line of the first % directive that is not %YAML; 0 if there is none. */
unsigned yamlread_directive(const char *text, size_t len);

#endif
