/* SPDX-License-Identifier: MIT */
/*
 * source/yamlfeed with its quick way and without, over the same octets: events, their number,
 * places, what is wrong and where have to be the same.
 */
#ifndef PRIVLINKD_FUZZ_YAMLSAME_H
#define PRIVLINKD_FUZZ_YAMLSAME_H

#include <stdint.h>
#include <string.h>

#include "fuzz/must.h"
#include "source/yamlfeed.h"

/* libyaml is quadratic in it, and walks end before. */
#define YAMLSAME_DEPTH_MAX 20

static inline struct text *yamlsame_text(const uint8_t *data, size_t len, size_t block)
{
	struct text *text = text_from_memory(data, len);
	struct complaints none = { 0 };

	MUST(text);
	text_set_block(text, block);
	MUST(text_survey(text, "f", &none, NULL) == 0);
	return text;
}

/* In all that yamlfeed promises. */
static inline bool yamlsame_event(const yaml_event_t *a, const yaml_event_t *b)
{
	const char *why_a[2], *why_b[2];

	if (a->type != b->type || a->start_mark.line != b->start_mark.line ||
	    a->start_mark.column != b->start_mark.column ||
	    yamlfeed_refusals(a, why_a) != yamlfeed_refusals(b, why_b))
		return false;
	return a->type != YAML_SCALAR_EVENT || (a->data.scalar.length == b->data.scalar.length &&
						memcmp(a->data.scalar.value, b->data.scalar.value,
						       a->data.scalar.length + 1) == 0 &&
						a->data.scalar.style == b->data.scalar.style);
}

static inline bool yamlsame_problem(struct yamlfeed *a, struct yamlfeed *b)
{
	yaml_mark_t mark_a, mark_b;
	const char *what_a = yamlfeed_problem(a, &mark_a), *what_b = yamlfeed_problem(b, &mark_b);

	return strcmp(what_a, what_b) == 0 && mark_a.line == mark_b.line &&
	       mark_a.column == mark_b.column;
}

/* NULL, or what is not the same. Up to a depth. */
static inline const char *yamlsame(const uint8_t *data, size_t len, size_t block)
{
	struct text *quick_text = yamlsame_text(data, len, block);
	struct text *slow_text = yamlsame_text(data, len, 0);
	struct yamlfeed *quick = yamlfeed_new(quick_text, true);
	struct yamlfeed *slow = yamlfeed_new(slow_text, false);
	const char *differs = NULL;
	bool ended = false;
	int depth = 0;

	MUST(quick && slow);
	while (!differs && !ended && depth < YAMLSAME_DEPTH_MAX) {
		const yaml_event_t *got = yamlfeed_next(quick), *want = yamlfeed_next(slow);

		if (!got || !want) {
			ended = true;
			if (got || want)
				differs = got ? "more events" : "fewer events";
			else if (!yamlsame_problem(quick, slow))
				differs = "another problem";
			continue;
		}
		ended = want->type == YAML_STREAM_END_EVENT;
		if (!yamlsame_event(got, want))
			differs = "another event";
		depth += (want->type == YAML_MAPPING_START_EVENT ||
			  want->type == YAML_SEQUENCE_START_EVENT) -
			 (want->type == YAML_MAPPING_END_EVENT ||
			  want->type == YAML_SEQUENCE_END_EVENT);
	}
	yamlfeed_free(quick);
	yamlfeed_free(slow);
	text_close(quick_text);
	text_close(slow_text);
	return differs;
}

#endif
