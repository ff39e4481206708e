/* SPDX-License-Identifier: MIT */
/*
 * YAML as the events of source/jsonread, for exports that come in either. Anchors, aliases and tags
 * are refused; time is linear if source/yamlfeed's survey finds no directive. One thread.
 */
#ifndef PRIVLINKD_SOURCE_YAMLREAD_H
#define PRIVLINKD_SOURCE_YAMLREAD_H

#include "source/jsonread.h"

struct yamlread;

/* As jsonread's. A plain `null`, `~` or nothing is JSON_NULL; other scalars are JSON_TEXT. */
struct yamlread *yamlread_new(const char *path, struct text *text, struct complaints *to);
void yamlread_free(struct yamlread *read);
bool yamlread_next(struct yamlread *read, struct json_event *ret);
bool yamlread_stopped(const struct yamlread *read);

#endif
