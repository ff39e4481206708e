/* SPDX-License-Identifier: MIT */
/*
 * Fills the zone table, from presets and from the configuration, and seals it for look-up
 * (names.c).
 *
 * A pair is a served zone with one of its public zones. Both ends are looked up among those
 * that are there already, so that a zone named twice stays one zone: texts are compared folded
 * by way of their patterns. That search is linear, as is everything here but the seal: a preset
 * has some 180 zones, a configuration rarely ten more, and it runs once a load.
 *
 * What cannot be used is refused with words for the operator. A word in braces that stands on
 * the private side alone would leave the private form unknown, so it is an error; on the public
 * side alone it is dropped (see names.h).
 *
 * Main thread.
 */
#include "zone/zoneset.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/*
 * The zones in which a hyphen before the first dot comes and goes: their documentation has it
 * both ways.
 */
static const char *const site_recovery[] = {
	"privatelink.siterecovery.windowsazure.com",
	"privatelink.siterecovery.windowsazure.us",
};

struct zones *zones_new(void)
{
	return calloc(1, sizeof(struct zones));
}

void zones_free(struct zones *zones)
{
	size_t i;

	if (!zones)
		return;
	for (i = 0; i < zones->zones_count; i++) {
		free(zones->zones[i].text);
		free(zones->zones[i].pattern);
	}
	for (i = 0; i < zones->publics_count; i++)
		free(zones->publics[i].pattern);
	for (i = 0; i < zones->pairs_count; i++)
		free(zones->pairs[i].public_text);
	free(zones->zones);
	free(zones->publics);
	free(zones->pairs);
	free(zones->hangers);
	free(zones->slots);
	free(zones);
}

/* Room for one more of `size` octets, zeroed; NULL with *err set. */
static void *grow(void **array, size_t *room, size_t count, size_t size, size_t max,
		  const char *what, struct err *err)
{
	size_t more;
	void *bigger;

	if (count >= max) {
		err_set(err, "more than %zu %s", max, what);
		return NULL;
	}
	if (count == *room) {
		more = *room ? 2 * *room : 16;
		bigger = realloc(*array, more * size);
		if (!bigger) {
			err_set(err, "out of memory");
			return NULL;
		}
		*array = bigger;
		*room = more;
	}
	return memset((char *)*array + count * size, 0, size);
}

static bool same_words(const struct pattern *a, const struct pattern *b)
{
	unsigned i;

	for (i = 0; i < a->braces; i++)
		if (pattern_find_word(b, a, a->brace_label[i]) != (int)i)
			return false;
	return true;
}

/* The served zone of this text, made where it is new; its number or -1. */
static int find_or_add_zone(struct zones *zones, const char *text, struct err *err)
{
	struct pattern *pattern = pattern_new(text, err);
	struct served_zone *z;
	size_t i;

	if (!pattern)
		return -1;
	for (i = 0; i < zones->zones_count; i++) {
		if (!pattern_same_shape(zones->zones[i].pattern, pattern))
			continue;
		if (!same_words(zones->zones[i].pattern, pattern)) {
			err_set(err, "%s: is there already as %s; use the same words in braces",
				text, zones->zones[i].text);
			free(pattern);
			return -1;
		}
		free(pattern);
		return (int)i;
	}
	z = grow((void **)&zones->zones, &zones->zones_room, zones->zones_count, sizeof(*z),
		 ZONES_MAX, "served zones", err);
	if (!z || !(z->text = strdup(text))) {
		if (z)
			err_set(err, "out of memory");
		free(pattern);
		return -1;
	}
	z->pattern = pattern;
	for (i = 0; i < sizeof(site_recovery) / sizeof(site_recovery[0]); i++)
		z->site_recovery |= strcasecmp(text, site_recovery[i]) == 0;
	return (int)zones->zones_count++;
}

/* The same for a public zone; takes over `pattern`. */
static int find_or_add_public(struct zones *zones, struct pattern *pattern, struct err *err)
{
	struct public_zone *p;
	size_t i;

	for (i = 0; i < zones->publics_count; i++) {
		if (pattern_same_shape(zones->publics[i].pattern, pattern)) {
			free(pattern);
			return (int)i;
		}
	}
	p = grow((void **)&zones->publics, &zones->publics_room, zones->publics_count, sizeof(*p),
		 PAIRS_MAX, "public zones", err);
	if (!p) {
		free(pattern);
		return -1;
	}
	p->pattern = pattern;
	return (int)zones->publics_count++;
}

/* Which label is which, both ways. -1 where the private zone has a word of its own. */
static int map_words(struct pair *pair, const struct pattern *private, const struct pattern *public)
{
	unsigned i;
	int at;

	for (i = 0; i < private->braces; i++) {
		at = pattern_find_word(public, private, private->brace_label[i]);
		if (at < 0)
			return -1;
		pair->public_label[i] = public->brace_label[at];
	}
	for (i = 0; i < public->braces; i++) {
		at = pattern_find_word(private, public, public->brace_label[i]);
		pair->private_label[i] = at < 0 ? LABEL_NONE : private->brace_label[at];
	}
	return 0;
}

/* Is `private` the label privatelink and then all of `public`? */
static bool is_regular(const struct pattern *private, const struct pattern *public)
{
	const struct pattern_label *a = private->label, *b = public->label;
	unsigned i;

	if (private->labels != public->labels + 1u || a->len != 11 ||
	    memcmp(a->text, "privatelink", 11) != 0)
		return false;
	for (i = 0, a++; i < public->labels; i++, a++, b++)
		if (a->len != b->len || memcmp(a->text, b->text, a->len) != 0)
			return false;
	return true;
}

static int add_pair(struct zones *zones, size_t zone, const char *text, struct err *err)
{
	struct served_zone *z = &zones->zones[zone];
	struct pattern *pattern = pattern_new(text, err);
	struct pair made = { .zone = (uint16_t)zone }, *pair;
	struct public_zone *p;
	uint32_t at;
	int public;

	if (!pattern)
		return -1;
	if (pattern_same_shape(pattern, z->pattern)) {
		free(pattern);
		return err_set(err, "%s: a zone cannot be its own public zone", text);
	}
	if (map_words(&made, z->pattern, pattern) < 0) {
		free(pattern);
		return err_set(err,
			       "%s: a word in braces of %s is missing; it has to stand in both",
			       text, z->text);
	}
	made.regular = is_regular(z->pattern, pattern);
	public = find_or_add_public(zones, pattern, err);
	if (public < 0)
		return -1;
	made.public = (uint16_t) public;
	for (at = z->first_pair; at; at = zones->pairs[at - 1].next_of_zone)
		if (zones->pairs[at - 1].public == public)
			return 0;
	p = &zones->publics[public];
	if (p->pairs >= ZONE_FORMS_MAX)
		return err_set(err, "%s: public zone of more than %d zones", text, ZONE_FORMS_MAX);
	pair = grow((void **)&zones->pairs, &zones->pairs_room, zones->pairs_count, sizeof(*pair),
		    PAIRS_MAX, "pairs of zones", err);
	if (!pair)
		return -1;
	made.public_text = strdup(text);
	if (!made.public_text)
		return err_set(err, "out of memory");
	*pair = made;
	at = (uint32_t)++zones->pairs_count;
	*(z->last_pair ? &zones->pairs[z->last_pair - 1].next_of_zone : &z->first_pair) = at;
	*(p->last_pair ? &zones->pairs[p->last_pair - 1].next_of_public : &p->first_pair) = at;
	z->last_pair = p->last_pair = at;
	z->pairs++;
	p->pairs++;
	return 0;
}

int zones_add(struct zones *zones, const char *private, const char *const *public, size_t count,
	      enum zone_type type, struct err *err)
{
	int zone;
	size_t i;

	assert(!zones->sealed);
	zone = find_or_add_zone(zones, private, err);
	if (zone < 0)
		return -1;
	zones->zones[zone].type = type;
	for (i = 0; i < count; i++)
		if (add_pair(zones, (size_t)zone, public[i], err) < 0)
			return -1;
	return 0;
}

int zones_add_preset(struct zones *zones, const char *preset, enum zone_type type, struct err *err)
{
	size_t i;
	int has;

	for (i = 0; i < zone_pairs_count; i++) {
		has = zone_preset_has(preset, &zone_pairs[i]);
		if (has < 0)
			return err_set(
				err,
				"%s: no such preset; there are azure-migrate, "
				"azure-migrate-usgov, azure, azure-usgov, azure-china and none",
				preset);
		if (has && zone_pairs[i].private &&
		    zones_add(zones, zone_pairs[i].private, &zone_pairs[i].public, 1, type, err) <
			    0)
			return -1;
	}
	return 0;
}

static void hang(struct zones *zones, uint32_t at, const struct pattern *pattern, bool public,
		 size_t number)
{
	struct hanger *h = &zones->hangers[at];
	uint32_t *slot = &zones->slots[pattern->tail.hash & zones->slots_mask];

	/* Put in front; zones_seal goes backwards, so chains come out in the order of adding. */
	*h = (struct hanger){
		.pattern = pattern, .public = public, .at = (uint16_t)number, .next = *slot
	};
	*slot = at + 1;
	if (at == 0 || pattern->tail.labels < zones->tail_labels_min)
		zones->tail_labels_min = pattern->tail.labels;
	if (pattern->tail.labels > zones->tail_labels_max)
		zones->tail_labels_max = pattern->tail.labels;
	if (pattern->tail.labels < 2)
		zones->ends.all = true;
	else
		zone_ends_add(&zones->ends, pattern->suffix_hash[2]);
}

/* May a name at or below the one zone be in the other instead? Rather too often than not. */
static bool may_be_inner(const struct pattern *outer, const struct pattern *other)
{
	unsigned labels =
		outer->tail.labels < other->tail.labels ? outer->tail.labels : other->tail.labels;

	return other != outer && other->labels >= outer->labels &&
	       other->suffix_hash[labels] == outer->suffix_hash[labels];
}

static void find_inner(struct zones *zones)
{
	size_t i, j;

	for (i = 0; i < zones->zones_count; i++)
		for (j = 0; j < zones->zones_count && !zones->zones[i].inner; j++)
			zones->zones[i].inner =
				may_be_inner(zones->zones[i].pattern, zones->zones[j].pattern);
}

int zones_seal(struct zones *zones, struct err *err)
{
	size_t total = zones->zones_count + zones->publics_count, size = 16, i;
	uint32_t at = 0;

	assert(!zones->sealed);
	/* A quarter full: nearly every probe of a stranger's name meets an empty slot. */
	while (size < 4 * total)
		size *= 2;
	zones->hangers = calloc(total + 1, sizeof(*zones->hangers));
	zones->slots = calloc(size, sizeof(*zones->slots));
	if (!zones->hangers || !zones->slots)
		return err_set(err, "out of memory");
	zones->slots_mask = size - 1;
	for (i = zones->publics_count; i-- > 0;)
		hang(zones, at++, zones->publics[i].pattern, true, i);
	for (i = zones->zones_count; i-- > 0;)
		hang(zones, at++, zones->zones[i].pattern, false, i);
	find_inner(zones);
	zones->sealed = true;
	return 0;
}
