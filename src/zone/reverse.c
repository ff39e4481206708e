/* SPDX-License-Identifier: MIT */
/*
 * PTR for the addresses we hold, without a record for each: an index from addresses to nodes,
 * slots of eight octets like that of names, and the answer is made from the node when somebody
 * asks.
 *
 * An address can belong to many names; an answer names one. It is the lowest public form, in
 * the canonical order of names, so that it does not hang on the order of files: the index keeps
 * the node that has it. A name in a zone without public zones, or outside every zone, stands
 * for itself. Wildcards have no name to give.
 *
 * Where an address has been found is known by looking into the node again, which has few
 * addresses as a rule and RECORDS_A_SET_MAX at worst.
 *
 * Filled on the loading thread, then constant; look-ups are pure, any thread.
 */
#include <string.h>

#include "wire/types.h"
#include "zone/assemble.h"

/* One label of a reverse name as a number; -1 if it is none as it ought to be written. */
static int reverse_label(const uint8_t *label, bool v6)
{
	unsigned i, n = 0;

	if (v6) {
		if (label[0] != 1)
			return -1;
		if (label[1] >= '0' && label[1] <= '9')
			return label[1] - '0';
		return label[1] >= 'a' && label[1] <= 'f' ? label[1] - 'a' + 10 : -1;
	}
	if (label[0] < 1 || label[0] > 3 || (label[0] > 1 && label[1] == '0'))
		return -1;
	for (i = 1; i <= label[0]; i++) {
		if (label[i] < '0' || label[i] > '9')
			return -1;
		n = n * 10 + (label[i] - '0');
	}
	return n < 256 ? (int)n : -1;
}

/* The address of a whole reverse name (RFC 1035 3.5, RFC 3596 2.5), as a record's type and data. */
static bool reverse_address(const struct name *name, uint8_t address[16], uint16_t *ret_type)
{
	static const uint8_t in_addr[] = "\7in-addr\4arpa", ip6[] = "\3ip6\4arpa";
	unsigned i, labels;
	int n;

	if (name->labels == 6 && name->len - name->at[4] == sizeof(in_addr) &&
	    memcmp(name->fold + name->at[4], in_addr, sizeof(in_addr)) == 0) {
		labels = 4;
		*ret_type = TYPE_A;
	} else if (name->labels == 34 && name->len - name->at[32] == sizeof(ip6) &&
		   memcmp(name->fold + name->at[32], ip6, sizeof(ip6)) == 0) {
		labels = 32;
		*ret_type = TYPE_AAAA;
	} else {
		return false;
	}
	memset(address, 0, 16);
	for (i = 0; i < labels; i++) {
		n = reverse_label(name->fold + name->at[i], labels == 32);
		if (n < 0)
			return false;
		if (labels == 4)
			address[3 - i] = (uint8_t)n;
		else
			address[15 - i / 2] |= (uint8_t)(i % 2 ? n << 4 : n);
	}
	return true;
}

static uint64_t address_hash(uint16_t type, const uint8_t *rdata)
{
	return hash_bytes(rdata, type == TYPE_A ? 4 : 16);
}

static bool holds_address(const struct node *node, uint16_t type, const uint8_t *rdata)
{
	struct node_record record;
	struct node_rrset rrset;

	return node_find(node, type, &rrset) &&
	       node_rrset_has(&rrset, rdata, type == TYPE_A ? 4 : 16, &record);
}

static void ptr_name(const struct table *table, const struct node *node, struct name *ret)
{
	struct name own, form;
	bool any = false;
	size_t i;

	node_spell(table->zones, node, &own);
	for (i = 0;
	     node->zone != NODE_NO_ZONE && zones_public_form(table->zones, &own, i, &form) == 0;
	     i++) {
		if (!any || name_wire_compare(form.wire, ret->wire) < 0)
			name_strip(ret, &form, 0);
		any = true;
	}
	if (!any)
		name_strip(ret, &own, 0);
}

bool table_look_reverse(const struct table *table, const struct name *name, struct table_hit *ret)
{
	const struct node *node;
	struct zone_match match;
	uint8_t address[16];
	struct name own;
	uint16_t type;
	uint64_t hash;
	size_t at;

	if (!table->addresses.slots || !reverse_address(name, address, &type))
		return false;
	hash = address_hash(type, address);
	for (at = node_index_home(&table->addresses, hash); table->addresses.slots[at];
	     at = node_index_step(&table->addresses, at)) {
		node = node_slot_node(table->addresses.slots[at]);
		if (!node_slot_may_be(table->addresses.slots[at], hash) ||
		    !holds_address(node, type, address))
			continue;
		ptr_name(table, node, &ret->target);
		node_spell(table->zones, node, &own);
		if (zones_match_served(table->zones, &own, &match))
			table_hit_zone(ret, &match);
		ret->match = TABLE_PTR;
		ret->node = node;
		ret->wildcard = false;
		return true;
	}
	return false;
}

/* ---- filling --------------------------------------------------------------------------------- */

/* Is the one name lower than the other, as PTR answers count it? */
static bool lower_name(const struct table *table, const struct node *one, const struct node *other)
{
	struct name a, b;

	ptr_name(table, one, &a);
	ptr_name(table, other, &b);
	return name_wire_compare(a.wire, b.wire) < 0;
}

/* An address on its way into the index. */
struct pending {
	const struct node *node;
	const uint8_t *rdata;
	uint64_t hash;
	uint16_t type;
};

struct batch {
	struct pending entries[TABLE_BATCH];
	size_t count;
};

static void add_address(struct table *table, const struct pending *p)
{
	struct node_index *index = &table->addresses;
	size_t at = node_index_home(index, p->hash);
	const struct node *other;

	for (; index->slots[at]; at = node_index_step(index, at)) {
		other = node_slot_node(index->slots[at]);
		if (!node_slot_may_be(index->slots[at], p->hash) ||
		    !holds_address(other, p->type, p->rdata))
			continue;
		if (other != p->node && lower_name(table, p->node, other))
			index->slots[at] = node_slot(p->hash, p->node);
		return;
	}
	index->slots[at] = node_slot(p->hash, p->node);
	index->used++;
}

static void flush_batch(struct table *table, struct batch *batch)
{
	size_t i;

	for (i = 0; i < batch->count; i++)
		add_address(table, &batch->entries[i]);
	batch->count = 0;
}

static void add_node_addresses(struct table *table, struct batch *batch, const struct node *node)
{
	struct node_record record;
	struct node_rrset rrset;
	size_t at = 0, record_at;
	struct pending *p;

	if (node->flags & NODE_WILDCARD)
		return;
	while (node_next(node, &at, &rrset)) {
		if (rrset.type != TYPE_A && rrset.type != TYPE_AAAA)
			continue;
		for (record_at = 0; node_record_next(&rrset, &record_at, &record);) {
			p = &batch->entries[batch->count++];
			*p = (struct pending){ .node = node,
					       .type = rrset.type,
					       .rdata = record.rdata,
					       .hash = address_hash(rrset.type, record.rdata) };
			__builtin_prefetch(
				&table->addresses
					 .slots[node_index_home(&table->addresses, p->hash)],
				1);
			if (batch->count == TABLE_BATCH)
				flush_batch(table, batch);
		}
	}
}

int table_add_addresses(struct table *t)
{
	struct node_chunk *chunk;
	struct batch batch = { .count = 0 };
	struct table_walk walk = { 0 };
	struct node *node;

	if (node_index_init(&t->addresses, t->addresses_max) < 0)
		return -1;
	while ((node = table_walk_next(t, &walk)))
		if (!t->merges ||
		    node_slot_node(*table_find_same(t, node_hash(t->zones, node), node)) == node)
			add_node_addresses(t, &batch, node);
	while ((node = node_pool_next(&t->pool, &chunk, node)))
		if (node->flags & NODE_MERGED)
			add_node_addresses(t, &batch, node);
	flush_batch(t, &batch);
	return 0;
}
