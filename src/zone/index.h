/* SPDX-License-Identifier: MIT */
/*
 * Finds nodes by the hash of their names. Internal to zone/.
 *
 * Open addressing over slots of eight octets: the lower 48 bits of a pointer under 16 bits of the
 * hash. A hash finds its first slot by its upper half, so a table may have any size.
 *
 * A slot may also stand for a name *above* the node it points to: an empty non-terminal, whose text
 * is the end of the node's. Then the pointer's lowest bit is set.
 */
#ifndef PRIVLINKD_ZONE_INDEX_H
#define PRIVLINKD_ZONE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/name.h"
#include "zone/names.h"
#include "zone/node.h"

struct node_index {
	uint64_t *slots; /* 0: empty */
	/*
	 * Upper halves of the hashes, slot by slot, for an index that grows or whose slots go on
	 * into another; else NULL.
	 */
	uint32_t *tops;
	size_t size, used;
};

/* Room for `entries`. -1 when there is no memory. */
int node_index_init(struct node_index *index, size_t entries, bool grows);
void node_index_fini(struct node_index *index);

/* Octets that it takes. */
size_t node_index_bytes(const struct node_index *index);

static inline size_t node_index_home(const struct node_index *index, uint64_t hash)
{
	return (size_t)((hash >> 32) * index->size >> 32);
}

static inline size_t node_index_step(const struct node_index *index, size_t at)
{
	return at + 1 == index->size ? 0 : at + 1;
}

static inline uint64_t node_slot(uint64_t hash, const struct node *node)
{
	return hash << 48 | (uint64_t)(uintptr_t)node;
}

static inline bool node_slot_may_be(uint64_t slot, uint64_t hash)
{
	return (slot ^ hash << 48) >> 48 == 0;
}

/* Whom the slot points to, be it the name's own node or one below it. */
static inline struct node *node_slot_node(uint64_t slot)
{
	return (struct node *)(uintptr_t)(slot & UINT64_C(0xfffffffffffc));
}

/* The slot of a name that is above this node. */
static inline uint64_t node_slot_above(uint64_t hash, const struct node *node)
{
	return node_slot(hash, node) | 1;
}

static inline bool node_slot_is_above(uint64_t slot)
{
	return slot & 1;
}

/*
 * Begins to fetch what a look-up of this hash will read. To be inlined in any case: gcc 12 finds
 * that such a function does nothing, and leaves calls of it out.
 */
static inline __attribute__((always_inline)) void
node_index_prefetch(const struct node_index *index, uint64_t hash)
{
	size_t home = node_index_home(index, hash);

	__builtin_prefetch(&index->slots[home], 1);
	if (index->tops)
		__builtin_prefetch(&index->tops[home], 1);
}

/*
 * The slot of this name (`head`, whole labels, before the last `labels` labels of `name`), or the
 * empty one where it belongs. There must be an empty one.
 */
uint64_t *node_index_find(const struct node_index *index, const struct zones *zones, uint64_t hash,
			  const uint8_t *head, size_t head_len, const struct name *name,
			  unsigned labels);

/*
 * The same by what a node has of its name. The zone follows from the name, so equal names have
 * equal prefixes.
 */
uint64_t *node_index_find_prefix(const struct node_index *index, uint64_t hash, uint16_t zone,
				 const uint8_t *prefix, size_t prefix_len);

/* Fills an empty slot without comparing; where it is. */
uint64_t *node_index_put(struct node_index *index, uint64_t hash, uint64_t slot);

/* Fills the empty slot that node_index_find gave for this hash. */
static inline void node_index_fill(struct node_index *index, uint64_t *empty, uint64_t hash,
				   uint64_t slot)
{
	*empty = slot;
	if (index->tops)
		index->tops[empty - index->slots] = (uint32_t)(hash >> 32);
	index->used++;
}

/* Makes room for `entries` in all. -1 when there is no memory, and nothing has changed. */
int node_index_resize(struct node_index *index, const struct zones *zones, size_t entries);

/* Puts all of `from`, which knows its tops, into `index`, where there must be room. */
void node_index_join(struct node_index *index, const struct node_index *from);

#endif
