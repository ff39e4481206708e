/* SPDX-License-Identifier: MIT */
/*
 * The plain lines of our own YAML: `name: address`, `name: [address, ...]`, `- address or record`,
 * keys with a block below them, comments. They become the same events, at the same lines and
 * columns, as libyaml makes of them, at a tenth of its time; of a million records that is half of
 * all the time until they are served. Whatever else stands in a file is libyaml's, which is the
 * reference. One thread.
 */
#ifndef PRIVLINKD_SOURCE_YAMLPLAIN_H
#define PRIVLINKD_SOURCE_YAMLPLAIN_H

#include <stdbool.h>
#include <stdint.h>
#include <yaml.h>

#include "source/text.h"

/* Octets of a line, not taken: longer ones. No longer than a key may be (YAML 1.1, 7.3.2.2). */
#define YAMLPLAIN_LINE_MAX 1024
/* Events of a line: one an item of a list, which is two octets, and what is around it. */
#define YAMLPLAIN_PARTS_MAX (YAMLPLAIN_LINE_MAX / 2 + 16)
/* Our format has three levels. */
#define YAMLPLAIN_DEPTH_MAX 3

struct yamlplain_line {
	unsigned number; /* from zero */
	unsigned parts, given;
	struct yamlplain_part {
		uint8_t type;  /* yaml_event_type_t */
		uint8_t style; /* of a scalar, as are at and len */
		uint16_t column, at, len;
	} part[YAMLPLAIN_PARTS_MAX];
	char text[YAMLPLAIN_LINE_MAX + 1];
};

struct yamlplain {
	struct text *text;
	unsigned lines; /* that were read */
	unsigned depth;
	struct {
		unsigned column;
		bool sequence;
	} open[YAMLPLAIN_DEPTH_MAX];
	bool started; /* the document */
	bool pending; /* a key stood last, and no value behind it */
	bool ended;
	unsigned now; /* which line events are given of; the other one is the next */
	struct yamlplain_line line[2];
};

/* The text is at its start. */
void yamlplain_init(struct yamlplain *plain, struct text *text);

/*
 * The next event, good until the next call, not to be deleted, with what source/yamlfeed promises.
 * False: something is not plain; the next event is libyaml's, and no more is to be asked for here,
 * nor behind the stream's end.
 */
bool yamlplain_next(struct yamlplain *plain, yaml_event_t *ret);

#endif
