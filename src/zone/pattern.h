/* SPDX-License-Identifier: MIT */
/*
 * The name of a zone in which a word in braces stands for exactly one label:
 * `privatelink.{region}.azmk8s.io`.
 *
 * A pattern ends in at least one literal label. What follows its last brace is its *tail*; a
 * pattern without braces is all tail. Patterns are made once and then only read, by any thread.
 * Internal to zone/.
 */
#ifndef PRIVLINKD_ZONE_PATTERN_H
#define PRIVLINKD_ZONE_PATTERN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "wire/name.h"
#include "zone/names.h"

struct pattern_label {
	uint8_t len;
	int8_t brace;        /* which of the words in braces, from the left; -1: a literal */
	const uint8_t *text; /* folded, no length octet; a brace's is the word with its braces */
	uint64_t hash;       /* of a literal */
};

struct pattern {
	uint8_t labels, braces;
	struct zone_tail tail;
	const uint64_t *suffix_hash; /* of the tail's last k labels, k from 0 to tail.labels */
	uint8_t brace_label[ZONE_BRACES_MAX]; /* label of the i-th brace, from the left */
	struct pattern_label label[];         /* leftmost first */
};

/*
 * Reads `text`; one piece of memory, given back by free(). NULL with *err set if it is no such
 * name.
 */
struct pattern *pattern_new(const char *text, struct err *err);

/* Same labels in the same places? The words in braces do not count. */
bool pattern_same_shape(const struct pattern *a, const struct pattern *b);

/* The brace of this pattern that has the word of label `label` of `other`; -1 if none has. */
int pattern_find_word(const struct pattern *pattern, const struct pattern *other, unsigned label);

/* Is `name` at or below the pattern? The tail is known to match. */
bool pattern_match_lead(const struct pattern *pattern, const struct name *name);

/*
 * The first `prefix` labels of `name`, then the pattern, its i-th brace replaced by label
 * brace_at[i] of `name`. In lower case. -1 if that is longer than a name may be. `ret` must not
 * be `name`.
 */
int pattern_compose(const struct pattern *pattern, const struct name *name, unsigned prefix,
		    const uint8_t *brace_at, struct name *ret);

#endif
