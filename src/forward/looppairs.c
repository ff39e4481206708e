/* SPDX-License-Identifier: MIT */
/*
 * An index by zone and upstream together, as routes.c has one by zone: a name carries the hashes of
 * all its suffixes, so the longest zone that decides for it takes one probe a label. Beside it each
 * pair knows its parent, the next shorter zone, so that "does it lie within a zone that is marked
 * anyway" needs no name.
 *
 * Both are made anew when pairs come or go, which is at a reload, and at a suspicion (rare).
 */
#include "forward/looppairs.h"

#include <stdlib.h>
#include <string.h>

static size_t slot_of(const struct pairs *pairs, uint64_t zone_hash, uint16_t upstream)
{
	return hash_join(zone_hash, upstream) & pairs->mask;
}

static bool is_pair(const struct pair *pair, uint64_t hash, const uint8_t *zone, size_t len,
		    uint16_t upstream)
{
	return pair->hash == hash && pair->upstream == upstream && pair->zone_len == len &&
	       memcmp(pair->zone, zone, len) == 0;
}

static void pair_init(struct pair *pair, const struct name *zone, uint16_t upstream,
		      unsigned route_labels, bool configured)
{
	*pair = (struct pair){ .hash = name_hash(zone),
			       .zone_len = zone->len,
			       .labels = zone->labels,
			       .route_labels = (uint8_t)route_labels,
			       .upstream = upstream,
			       .parent = PAIR_NONE,
			       .configured = configured,
			       .due_ms = UINT64_MAX };
	memcpy(pair->zone, zone->fold, zone->len);
}

int pairs_add(struct pairs *pairs, const struct name *zone, uint16_t upstream,
	      unsigned route_labels)
{
	unsigned i;

	for (i = 0; i < pairs->count; i++) {
		if (is_pair(&pairs->pair[i], name_hash(zone), zone->fold, zone->len, upstream))
			return 0;
	}
	if (pairs->count == pairs->cap) {
		unsigned cap = pairs->cap ? 2 * pairs->cap : 64;
		struct pair *grown = realloc(pairs->pair, cap * sizeof(*grown));

		if (!grown)
			return -1;
		pairs->pair = grown;
		pairs->cap = cap;
	}
	pair_init(&pairs->pair[pairs->count++], zone, upstream, route_labels, true);
	return 0;
}

int pairs_finish(struct pairs *pairs, unsigned spare)
{
	unsigned cap = pairs->count + spare;
	struct pair *grown = realloc(pairs->pair, (cap + 1) * sizeof(*grown));
	size_t slots = 16;

	if (!grown)
		return -1;
	pairs->pair = grown;
	pairs->cap = cap;
	while (slots < 2 * (size_t)cap)
		slots *= 2;
	pairs->slots = calloc(slots, sizeof(pairs->slots[0]));
	if (!pairs->slots)
		return -1;
	pairs->mask = slots - 1;
	pairs_index(pairs);
	return 0;
}

void pairs_fini(struct pairs *pairs)
{
	free(pairs->pair);
	free(pairs->slots);
	*pairs = (struct pairs){ .count = 0 };
}

struct pair *pairs_append(struct pairs *pairs, const struct name *zone, uint16_t upstream,
			  unsigned route_labels)
{
	struct pair *pair = &pairs->pair[pairs->count];

	if (pairs->count == pairs->cap)
		return NULL;
	pair_init(pair, zone, upstream, route_labels, false);
	pairs->count++;
	return pair;
}

void pairs_remove(struct pairs *pairs, unsigned i)
{
	pairs->pair[i] = pairs->pair[--pairs->count];
}

void pairs_index(struct pairs *pairs)
{
	struct name name;
	unsigned i, labels;

	memset(pairs->slots, 0, (pairs->mask + 1) * sizeof(pairs->slots[0]));
	for (i = 0; i < pairs->count; i++) {
		size_t at = slot_of(pairs, pairs->pair[i].hash, pairs->pair[i].upstream);

		while (pairs->slots[at])
			at = (at + 1) & pairs->mask;
		pairs->slots[at] = (uint16_t)(i + 1);
	}
	for (i = 0; i < pairs->count; i++) {
		struct pair *pair = &pairs->pair[i];

		name_from_wire(&name, pair->zone, pair->zone_len);
		pair->parent = PAIR_NONE;
		for (labels = pair->labels;
		     labels > pair->route_labels && pair->parent == PAIR_NONE; labels--)
			pair->parent = pairs_find_suffix(pairs, &name, labels - 1, pair->upstream);
	}
}

uint16_t pairs_find(const struct pairs *pairs, uint64_t hash, const uint8_t *zone, size_t len,
		    uint16_t upstream)
{
	size_t at = slot_of(pairs, hash, upstream);

	if (!pairs->slots)
		return PAIR_NONE;
	for (; pairs->slots[at]; at = (at + 1) & pairs->mask) {
		uint16_t i = (uint16_t)(pairs->slots[at] - 1);

		if (is_pair(&pairs->pair[i], hash, zone, len, upstream))
			return i;
	}
	return PAIR_NONE;
}

uint16_t pairs_find_suffix(const struct pairs *pairs, const struct name *name, unsigned labels,
			   uint16_t upstream)
{
	unsigned at = name->at[name->labels - labels];

	return pairs_find(pairs, name->hash[labels], name->fold + at, name->len - at, upstream);
}

const struct pair *pairs_decide(const struct pairs *pairs, const struct name *name,
				unsigned route_labels, uint16_t upstream)
{
	unsigned labels = name->labels + 1U;

	while (labels-- > route_labels) {
		uint16_t i = pairs_find_suffix(pairs, name, labels, upstream);

		if (i != PAIR_NONE && pairs->pair[i].state != PAIR_UNKNOWN)
			return &pairs->pair[i];
	}
	return NULL;
}

bool pairs_is_covered(const struct pairs *pairs, const struct pair *pair)
{
	uint16_t i = pair->parent;

	while (i != PAIR_NONE && pairs->pair[i].state == PAIR_UNKNOWN)
		i = pairs->pair[i].parent;
	return i != PAIR_NONE && pairs->pair[i].state == PAIR_MARKED;
}

bool pairs_is_early(const struct pairs *pairs, const struct pair *pair)
{
	uint16_t i = pair->parent;

	while (i != PAIR_NONE && (pairs->pair[i].state != PAIR_UNKNOWN || pairs->pair[i].tries > 0))
		i = pairs->pair[i].parent;
	return i != PAIR_NONE;
}

struct pair *pairs_by_id(const struct pairs *pairs, uint64_t id)
{
	unsigned i;

	for (i = 0; i < pairs->count; i++) {
		if (pairs->pair[i].id == id)
			return &pairs->pair[i];
	}
	return NULL;
}
