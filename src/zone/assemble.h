/* SPDX-License-Identifier: MIT */
/*
 * The inside of struct table: put together by assemble.c, loops.c and reverse.c, read by
 * table.c and reverse.c. Internal to zone/.
 */
#ifndef PRIVLINKD_ZONE_ASSEMBLE_H
#define PRIVLINKD_ZONE_ASSEMBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zone/index.h"
#include "zone/node.h"
#include "zone/table.h"

/*
 * Entries whose slots are fetched from memory side by side; more would overrun the processor's
 * own queue.
 */
#define TABLE_BATCH 16

/* Addresses that belong to one set's nodes. */
struct table_range {
	uintptr_t from, to;
	uint32_t set;
};

struct table {
	const struct zones *zones;
	struct record_set **sets;
	size_t sets_count;
	struct table_range *ranges; /* ascending */
	size_t ranges_count;
	struct node_pool pool; /* merged nodes, and empty ones that nothing held is below */
	struct node_index names;
	struct zone_ends ends; /* of all names, and of what has a zone's or an address's answer */
	struct table_addresses *addresses; /* NULL without PTR */
	uint64_t star_hash;                /* label hash of `*` */
	size_t held, records;
	size_t cnames;            /* names with a CNAME */
	size_t merges;            /* nodes of sets whose name an earlier set had */
	uint32_t *zone_names;     /* held names of each zone */
	uint32_t *zone_wildcards; /* of them wildcards; the last: outside zones */
	uint64_t *vaults;         /* hashes of Site Recovery vaults, open addressing, 0: empty */
	size_t vaults_size;
};

/*
 * The node of the last `labels` labels of `name` with `head` before them; NULL: none, not even
 * empty. What is empty may be any node without records.
 */
const struct node *table_node(const struct table *table, const uint8_t *head, size_t head_len,
			      uint64_t hash, const struct name *name, unsigned labels);

/* Sets the parts of a hit that are about the zone. */
void table_hit_zone(struct table_hit *ret, const struct zone_match *match);

/* Its target. */
void table_hit_target(struct table_hit *ret, const struct name *target);

/* Is this the reverse name of a held address? Fills *ret then. */
bool table_look_reverse(const struct table *table, const struct name *name, struct table_hit *ret);

/* Makes the list of addresses. -1: no memory. */
int table_add_addresses(struct table *table);
/* Notes the ends of the reverse names that it may answer. */
void table_note_reverse(struct table *table);
void table_addresses_free(struct table_addresses *list);
size_t table_addresses_bytes(const struct table_addresses *list);

/* Key of the vault of a private name; 0 if it is none of Site Recovery's. */
uint64_t table_vault_key(const struct table *table, const struct name *name);

/* Number of the set that a record came from. */
uint32_t table_record_set(const struct table *table, const struct node *node,
			  const struct node_record *record);

/* Path and line of a node's first record of a type, for complaints. */
const char *table_where(const struct table *table, const struct node *node, uint16_t type,
			unsigned *ret_line);

/*
 * A walk over the nodes of all sets in the order of memory, those too that an earlier set's
 * took the place of. Zeroed to begin.
 */
struct table_walk {
	size_t set;
	struct node_chunk *chunk;
	struct node *node;
};
struct node *table_walk_next(const struct table *table, struct table_walk *walk);

/* The slot of the node with the same name as this one, or the empty one where it belongs. */
uint64_t *table_find_same(const struct table *table, uint64_t hash, const struct node *node);

/* Counts a held node in (+1) or out (-1). */
void table_count(struct table *table, const struct node *node, int by);

/*
 * Takes out what closes loops of CNAMEs, complains of that and of chains that are too long. -1:
 * no memory.
 */
int table_cut_loops(struct table *table, struct complaints *complaints);

#endif
