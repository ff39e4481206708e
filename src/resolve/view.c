/* SPDX-License-Identifier: MIT */
/*
 * Life of a view, and the name patterns that belong to one.
 *
 * A pattern is kept as its literal tail (the labels right of its last `*`), which is hashed, and
 * the labels before it. To match a name each of its suffixes is looked up as a tail, and only
 * patterns with that very tail are compared label by label. So ten thousand patterns cost no more
 * than one, unless they differ in nothing but what stands before the same tail.
 *
 * Patterns are kept in the form they were given and, where that is a public form, in its private
 * forms too; a name that is matched is folded into its private forms likewise. So either form of
 * the one finds either form of the other.
 */
#include "resolve/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

/* What may stand before the labels of a pattern. */
enum pattern_below {
	BELOW_NONE,
	BELOW_SOME, /* one or more labels: a leading `*` */
	BELOW_ANY,  /* none or more: a zone */
};

struct pattern {
	uint64_t tail_hash;
	uint32_t next; /* index + 1 of the next one in the bucket */
	uint8_t tail_labels;
	uint8_t labels; /* all that are compared, without a leading `*` */
	enum pattern_below below;
	uint8_t fold[NAME_WIRE_MAX]; /* those labels, folded, leftmost first, and the root */
};

struct patterns {
	struct pattern *list;
	size_t count, cap;
	uint32_t bucket[1024];
};

struct view *view_new(void)
{
	return calloc(1, sizeof(struct view));
}

void view_free(struct view *view)
{
	if (!view)
		return;
	table_free(view->table);
	zones_free(view->zones);
	routes_free(view->routes);
	patterns_free(view->alias_zones);
	patterns_free(view->must_be_private);
	free(view->allow.prefixes);
	free(view->listen);
	free(view);
}

struct patterns *patterns_new(void)
{
	return calloc(1, sizeof(struct patterns));
}

void patterns_free(struct patterns *patterns)
{
	if (!patterns)
		return;
	free(patterns->list);
	free(patterns);
}

static uint32_t *bucket_of(const struct patterns *patterns, uint64_t hash)
{
	size_t count = sizeof(patterns->bucket) / sizeof(patterns->bucket[0]);

	return (uint32_t *)&patterns->bucket[hash % count];
}

static bool has_star(const uint8_t *label)
{
	return memchr(label + 1, '*', label[0]) != NULL;
}

static int patterns_put(struct patterns *patterns, const struct name *name, bool zone,
			const char *text, struct err *err)
{
	bool open = !zone && name->labels > 0 && name->fold[0] == 1 && name->fold[1] == '*';
	struct pattern *pattern;
	uint32_t *bucket;
	unsigned i, first = open ? 1 : 0;

	if (patterns->count == VIEW_PATTERNS_MAX)
		return err_set(err, "%s: more than %d patterns; write wildcards", text,
			       VIEW_PATTERNS_MAX);
	if (patterns->count == patterns->cap) {
		size_t cap = patterns->cap ? patterns->cap * 2 : 16;

		pattern = realloc(patterns->list, cap * sizeof(*pattern));
		if (!pattern)
			return err_set(err, "out of memory");
		patterns->list = pattern;
		patterns->cap = cap;
	}
	pattern = &patterns->list[patterns->count];
	pattern->below = zone ? BELOW_ANY : open ? BELOW_SOME : BELOW_NONE;
	pattern->labels = (uint8_t)(name->labels - first);
	pattern->tail_labels = 0;
	for (i = name->labels; i > first && !has_star(name->fold + name->at[i - 1]); i--)
		pattern->tail_labels++;
	pattern->tail_hash = name->hash[pattern->tail_labels];
	memcpy(pattern->fold, name->fold + name->at[first], name->len - name->at[first]);
	bucket = bucket_of(patterns, pattern->tail_hash);
	pattern->next = *bucket;
	*bucket = (uint32_t)++patterns->count;
	return 0;
}

int patterns_add(struct patterns *patterns, const struct zones *zones, const char *text,
		 struct err *err)
{
	struct zone_form form[ZONE_FORMS_MAX];
	struct name name, private;
	unsigned i, count;

	if (name_from_text(&name, text, strlen(text)) < 0)
		return err_set(err, "\"%s\" is no domain name", text);
	if (patterns_put(patterns, &name, false, text, err) < 0)
		return -1;
	count = zones_private_forms(zones, &name, form);
	for (i = 0; i < count; i++)
		if (zones_private_form(zones, &name, &form[i], &private) == 0 &&
		    patterns_put(patterns, &private, false, text, err) < 0)
			return -1;
	return 0;
}

int patterns_add_zone(struct patterns *patterns, const char *text, struct err *err)
{
	struct name name;

	if (name_from_text(&name, text, strlen(text)) < 0)
		return err_set(err, "\"%s\" is no domain name", text);
	return patterns_put(patterns, &name, true, text, err);
}

/* Does the label fit, where `*` in the pattern stands for any octets? Linear but for the last
 * star's retries: labels have 63 octets. */
static bool label_fits(const uint8_t *pattern, const uint8_t *label)
{
	const uint8_t *p = pattern + 1, *p_end = p + pattern[0];
	const uint8_t *l = label + 1, *l_end = l + label[0];
	const uint8_t *star = NULL, *retry = NULL;

	while (l < l_end) {
		if (p < p_end && *p == '*') {
			star = ++p;
			retry = l;
		} else if (p < p_end && *p == *l) {
			p++;
			l++;
		} else if (star) {
			p = star;
			l = ++retry;
		} else {
			return false;
		}
	}
	while (p < p_end && *p == '*')
		p++;
	return p == p_end;
}

/* The tails are known to have the same hash. */
static bool pattern_fits(const struct pattern *pattern, const struct name *name)
{
	const uint8_t *label = pattern->fold;
	unsigned i, first;

	if (name->labels < pattern->labels ||
	    (pattern->below == BELOW_NONE && name->labels != pattern->labels) ||
	    (pattern->below == BELOW_SOME && name->labels == pattern->labels))
		return false;
	first = name->labels - pattern->labels;
	for (i = first; i < name->labels; i++) {
		if (!label_fits(label, name->fold + name->at[i]))
			return false;
		label += label[0] + 1;
	}
	return true;
}

static bool patterns_match_form(const struct patterns *patterns, const struct name *name)
{
	const struct pattern *pattern;
	unsigned labels;
	uint32_t i;

	for (labels = 0; labels <= name->labels; labels++)
		for (i = *bucket_of(patterns, name->hash[labels]); i; i = pattern->next) {
			pattern = &patterns->list[i - 1];
			if (pattern->tail_labels == labels &&
			    pattern->tail_hash == name->hash[labels] && pattern_fits(pattern, name))
				return true;
		}
	return false;
}

bool patterns_match(const struct patterns *patterns, const struct zones *zones,
		    const struct name *name)
{
	struct zone_form form[ZONE_FORMS_MAX];
	struct name private;
	unsigned i, count;

	if (!patterns || patterns->count == 0)
		return false;
	if (patterns_match_form(patterns, name))
		return true;
	count = zones ? zones_private_forms(zones, name, form) : 0;
	for (i = 0; i < count; i++)
		if (zones_private_form(zones, name, &form[i], &private) == 0 &&
		    patterns_match_form(patterns, &private))
			return true;
	return false;
}
