/* SPDX-License-Identifier: MIT */
/*
 * The events of a text in YAML, as libyaml has them. Memory is bounded: no tree is built, and what
 * may stand between two events is.
 *
 * libyaml's time is quadratic in nesting depth and in the number of % directives. So whoever walks
 * over the events has to end at some depth, and to refuse what the survey says.
 *
 * One thread. The text stands at its start when it is given, and belongs to the feed until that is
 * freed.
 */
#ifndef PRIVLINKD_SOURCE_YAMLFEED_H
#define PRIVLINKD_SOURCE_YAMLFEED_H

#include <yaml.h>

#include "source/text.h"

/*
 * Octets that libyaml may take in before it gives an event: of one text, or of comments between two
 * nodes. It keeps a text in memory as a whole.
 */
#define YAML_PIECE_MAX (1 << 20)

struct yamlfeed;

/*
 * With `quick`, plain lines are read by source/yamlplain as far as there is nothing else, which
 * comes to the same. NULL without memory.
 */
struct yamlfeed *yamlfeed_new(struct text *text, bool quick);
void yamlfeed_free(struct yamlfeed *feed);

/*
 * The next event, good until the next call. To be relied on: its type; line and column of its
 * start; anchor and tag; of a scalar the value, which ends with a NUL, its length and style. NULL
 * when it failed and behind the stream's end.
 */
const yaml_event_t *yamlfeed_next(struct yamlfeed *feed);

/* Why it failed, and where (from zero) in the text. The text is spent. */
const char *yamlfeed_problem(struct yamlfeed *feed, yaml_mark_t *ret_mark);

/* What of this event is refused whatever node it stands at: how many texts were put into ret. */
unsigned yamlfeed_refusals(const yaml_event_t *event, const char *ret[2]);

/* What a walk has to know before it starts. Leaves the text at its start. */
struct yamlfeed_survey {
	unsigned directive; /* the line of the first % directive that is not %YAML; 0: none */
	bool has_ttl;       /* the letters `ttl` stand somewhere, perhaps */
};
void yamlfeed_survey(struct text *text, struct yamlfeed_survey *ret);

#endif
