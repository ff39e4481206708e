/* SPDX-License-Identifier: MIT */
/*
 * Which group a name goes to: the longest zone that is a suffix of it.
 *
 * Zones stand in a hash table by the hash of the whole name, and a name carries the hashes of all
 * its suffixes: one probe for each number of labels that some zone has, longest first. A hit is
 * compared octet by octet; the hash alone decides nothing. Built on one thread, sealed, then never
 * changed.
 */
#include "upstream/upstream.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Far more than anybody writes: a bound against a runaway generator. */
#define ROUTES_MAX UPSTREAM_GROUPS_MAX

struct route {
	uint64_t hash;
	uint16_t group;
	uint8_t labels, len;
	uint8_t fold[NAME_WIRE_MAX];
};

struct routes {
	size_t count, cap;
	struct route *routes;
	size_t slots_mask;
	uint16_t *slots;                   /* number + 1, or 0; open addressing */
	bool lengths[NAME_LABELS_MAX + 1]; /* some zone has so many labels */
	unsigned longest;
};

struct routes *routes_new(void)
{
	return calloc(1, sizeof(struct routes));
}

void routes_free(struct routes *routes)
{
	if (!routes)
		return;
	free(routes->routes);
	free(routes->slots);
	free(routes);
}

int routes_add(struct routes *routes, const struct name *zone, uint16_t group, struct err *err)
{
	struct route *route;

	assert(!routes->slots);
	if (routes->count == ROUTES_MAX)
		return err_set(err, "more than %u forward zones", ROUTES_MAX);
	if (routes->count == routes->cap) {
		size_t cap = routes->cap ? 2 * routes->cap : 16;
		struct route *grown = realloc(routes->routes, cap * sizeof(*grown));

		if (!grown)
			return err_set(err, "out of memory");
		routes->routes = grown;
		routes->cap = cap;
	}
	route = &routes->routes[routes->count++];
	*route = (struct route){
		.hash = name_hash(zone), .group = group, .labels = zone->labels, .len = zone->len
	};
	memcpy(route->fold, zone->fold, zone->len);
	routes->lengths[zone->labels] = true;
	if (zone->labels > routes->longest)
		routes->longest = zone->labels;
	return 0;
}

/* The route of exactly this suffix, or NULL. */
static const struct route *find(const struct routes *routes, uint64_t hash, const uint8_t *fold,
				size_t len)
{
	size_t at = hash & routes->slots_mask;

	for (; routes->slots[at]; at = (at + 1) & routes->slots_mask) {
		const struct route *route = &routes->routes[routes->slots[at] - 1];

		if (route->hash == hash && route->len == len && memcmp(route->fold, fold, len) == 0)
			return route;
	}
	return NULL;
}

int routes_seal(struct routes *routes, struct err *err)
{
	size_t slots = 16, i;

	while (slots < 2 * routes->count)
		slots *= 2;
	routes->slots = calloc(slots, sizeof(routes->slots[0]));
	if (!routes->slots)
		return err_set(err, "out of memory");
	routes->slots_mask = slots - 1;
	for (i = 0; i < routes->count; i++) {
		const struct route *route = &routes->routes[i];
		size_t at = route->hash & routes->slots_mask;
		char text[NAME_TEXT_MAX];

		if (find(routes, route->hash, route->fold, route->len)) {
			name_to_text(route->fold, text);
			return err_set(err, "forward zone %s is given twice; join the two", text);
		}
		while (routes->slots[at])
			at = (at + 1) & routes->slots_mask;
		routes->slots[at] = (uint16_t)(i + 1);
	}
	if (!routes->lengths[0])
		return err_set(err, "no forward zone for the root; add one for `.`");
	return 0;
}

uint16_t routes_match(const struct routes *routes, const struct name *name, unsigned *ret_labels)
{
	unsigned labels = name->labels < routes->longest ? name->labels : routes->longest;

	for (;; labels--) {
		unsigned at = name->at[name->labels - labels];
		const struct route *route;

		if (!routes->lengths[labels])
			continue;
		route = find(routes, name->hash[labels], name->fold + at, name->len - at);
		if (route) {
			if (ret_labels)
				*ret_labels = labels;
			return route->group;
		}
		assert(labels > 0); /* the root's route is there: routes_seal */
	}
}

bool routes_at(const struct routes *routes, size_t i, struct name *ret_zone, uint16_t *ret_group)
{
	if (i >= routes->count)
		return false;
	name_from_wire(ret_zone, routes->routes[i].fold, routes->routes[i].len);
	*ret_group = routes->routes[i].group;
	return true;
}
