/* SPDX-License-Identifier: MIT */
/*
 * Eight octets a name: the 16 bits of hash beside the pointer keep all but one in 65,000 of the
 * wrong nodes from being looked into, and where a slot lies says some twenty more.
 *
 * To move a slot into another index its whole hash is needed. A final index has none of it: making
 * it again from the node takes some 50 ns, and as much again waiting for the node's memory. So an
 * index that is to grow keeps the upper halves beside its slots, while it lives; the slots have
 * the rest. As the home of a hash is its upper half scaled to the size, slots lie in nearly the
 * order of their hashes in an index of any size, and growing reads the one and writes the other
 * from end to end.
 *
 * An empty non-terminal is a slot that points to a node below it: nothing of it is kept but that,
 * or a name of a hundred labels would cost a hundred names.
 *
 * User space addresses have 47 bits on the machines Debian knows (more only if asked for by hint),
 * so 48 are enough; node_index_put asserts it. Nodes begin at multiples of NODE_ALIGN, which leaves
 * two bits of them for marks.
 *
 * One thread fills; then constant, any thread.
 */
#include "zone/index.h"

#include <assert.h>
#include <string.h>

#include "base/pages.h"

_Static_assert(NODE_ALIGN >= 4, "two bits of a node's address are free");

/*
 * An index is three quarters full: 10.7 octets a name, about two probes for a name that is
 * there.
 */
#define INDEX_SIZE(entries) ((entries) + (entries) / 3 + 2)

int node_index_init(struct node_index *index, size_t entries, bool grows)
{
	size_t size = INDEX_SIZE(entries);
	uint64_t *slots = pages_take(size * sizeof(*slots));
	uint32_t *tops = grows ? pages_take(size * sizeof(*tops)) : NULL;

	if (!slots || (grows && !tops)) {
		pages_give(slots, size * sizeof(*slots));
		pages_give(tops, size * sizeof(*tops));
		return -1;
	}
	*index = (struct node_index){ .slots = slots, .tops = tops, .size = size };
	return 0;
}

void node_index_fini(struct node_index *index)
{
	pages_give(index->slots, index->size * sizeof(*index->slots));
	pages_give(index->tops, index->size * sizeof(*index->tops));
	memset(index, 0, sizeof(*index));
}

size_t node_index_bytes(const struct node_index *index)
{
	return index->size * (sizeof(*index->slots) + (index->tops ? sizeof(*index->tops) : 0));
}

uint64_t *node_index_find(const struct node_index *index, const struct zones *zones, uint64_t hash,
			  const uint8_t *head, size_t head_len, const struct name *name,
			  unsigned labels)
{
	size_t at = node_index_home(index, hash);
	const struct node *node;
	uint64_t slot;

	for (; (slot = index->slots[at]); at = node_index_step(index, at)) {
		if (!node_slot_may_be(slot, hash) ||
		    (index->tops && index->tops[at] != (uint32_t)(hash >> 32)))
			continue;
		node = node_slot_node(slot);
		if (node_slot_is_above(slot)
			    ? node_is_below(zones, node, head, head_len, name, labels)
			    : node_is(zones, node, head, head_len, name, labels))
			break;
	}
	return &index->slots[at];
}

uint64_t *node_index_find_prefix(const struct node_index *index, uint64_t hash, uint16_t zone,
				 const uint8_t *prefix, size_t prefix_len)
{
	size_t at = node_index_home(index, hash);
	const struct node *node;
	uint64_t slot;

	for (; (slot = index->slots[at]); at = node_index_step(index, at)) {
		if (!node_slot_may_be(slot, hash) || node_slot_is_above(slot) ||
		    (index->tops && index->tops[at] != (uint32_t)(hash >> 32)))
			continue;
		node = node_slot_node(slot);
		if (node->zone == zone && node->prefix_len == prefix_len &&
		    memcmp(node->body, prefix, prefix_len) == 0)
			break;
	}
	return &index->slots[at];
}

uint64_t *node_index_put(struct node_index *index, uint64_t hash, uint64_t slot)
{
	size_t at = node_index_home(index, hash);

	assert(node_slot_may_be(slot, hash) && node_slot_node(slot));
	while (index->slots[at])
		at = node_index_step(index, at);
	node_index_fill(index, &index->slots[at], hash, slot);
	return &index->slots[at];
}

void node_index_join(struct node_index *index, const struct node_index *from)
{
	size_t i;

	for (i = 0; i < from->size; i++)
		if (from->slots[i])
			node_index_put(index, (uint64_t)from->tops[i] << 32 | from->slots[i] >> 48,
				       from->slots[i]);
}

int node_index_resize(struct node_index *index, const struct zones *zones, size_t entries)
{
	struct node_index bigger;
	size_t i;

	if (INDEX_SIZE(entries) <= index->size)
		return 0;
	if (node_index_init(&bigger, entries, index->tops) < 0)
		return -1;
	if (index->tops)
		node_index_join(&bigger, index);
	for (i = 0; i < index->size && !index->tops; i++)
		if (index->slots[i])
			node_index_put(&bigger, node_hash(zones, node_slot_node(index->slots[i])),
				       index->slots[i]);
	node_index_fini(index);
	*index = bigger;
	return 0;
}
