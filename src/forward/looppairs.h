/* SPDX-License-Identifier: MIT */
/*
 * Pairs of a zone and an upstream, and what is known of each: the data of looptable.h.
 *
 * A set is built aside (add, finish) and then put in place; after that pairs come and go only in
 * memory that is there. No lock, no clock.
 */
#ifndef PRIVLINKD_FORWARD_LOOPPAIRS_H
#define PRIVLINKD_FORWARD_LOOPPAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/addr.h"
#include "wire/name.h"

#define PAIR_NONE UINT16_MAX

enum pair_state {
	PAIR_UNKNOWN,
	PAIR_WELL,
	PAIR_MARKED, /* a probe came back */
};

struct pair {
	uint64_t id;
	uint64_t hash; /* the zone's */
	uint8_t zone[NAME_WIRE_MAX];
	uint8_t zone_len, labels;
	uint8_t route_labels; /* of the forward zone that its names go by */
	uint16_t upstream;
	uint16_t parent; /* of a shorter zone of this upstream and forward zone, or PAIR_NONE */
	enum pair_state state;
	bool configured; /* else it came up by a suspicion */
	bool answers;    /* marked: but its probe was answered all the same */
	bool told;       /* the operator knows that it is marked */
	bool underway;   /* its probe waits for an answer */
	unsigned tries;  /* since the last change */
	uint64_t due_ms; /* of the next probe; UINT64_MAX: none */
	uint64_t probed_ms, since_ms, returned_ms;
	union addr from, to; /* marked: where the probe came back from, and to */
};

struct pairs {
	struct pair *pair;
	unsigned count, cap;
	uint16_t *slots; /* number + 1, or 0; open addressing; NULL before pairs_finish */
	size_t mask;
};

/* One more. Without room (realloc) or where it is there already nothing happens: -1, and 0. */
int pairs_add(struct pairs *pairs, const struct name *zone, uint16_t upstream,
	      unsigned route_labels);
/* Makes the index, and room for `spare` more pairs. -1 without memory. */
int pairs_finish(struct pairs *pairs, unsigned spare);
void pairs_fini(struct pairs *pairs);

/* The following after pairs_finish. */

/* One more, not configured, into the room there is; NULL: there is none. Not yet in the index. */
struct pair *pairs_append(struct pairs *pairs, const struct name *zone, uint16_t upstream,
			  unsigned route_labels);
/* Takes one out; the last one gets its number. Not yet out of the index. */
void pairs_remove(struct pairs *pairs, unsigned i);
/* The index and the parents, after pairs came or went. */
void pairs_index(struct pairs *pairs);

/* The pair of exactly this zone, folded; or of the last `labels` labels of a name; or PAIR_NONE. */
uint16_t pairs_find(const struct pairs *pairs, uint64_t hash, const uint8_t *zone, size_t len,
		    uint16_t upstream);
uint16_t pairs_find_suffix(const struct pairs *pairs, const struct name *name, unsigned labels,
			   uint16_t upstream);

/* The pair that decides for a name: the longest of which something is known, or NULL. */
const struct pair *pairs_decide(const struct pairs *pairs, const struct name *name,
				unsigned route_labels, uint16_t upstream);

/* Is the pair that decides for what lies around this one marked too? */
bool pairs_is_covered(const struct pairs *pairs, const struct pair *pair);

/* Is the first probe of what lies around it still to come, or under way? */
bool pairs_is_early(const struct pairs *pairs, const struct pair *pair);

/* Or NULL. Linear. */
struct pair *pairs_by_id(const struct pairs *pairs, uint64_t id);

#endif
