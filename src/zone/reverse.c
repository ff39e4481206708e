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
 * The zones above held addresses are empty non-terminals: who believes that one of them does not
 * exist (RFC 8020) has lost what is below. They are noted as bits by their hash. Two that share a
 * bit, of which one is not ours, cost that one an NXDOMAIN that becomes NODATA; ours are never
 * missed.
 *
 * Where an address has been found is known by looking into the node again, which has few
 * addresses as a rule and RECORDS_A_SET_MAX at worst.
 *
 * Filled on the loading thread, then constant; look-ups are pure, any thread.
 */
#include <stdlib.h>
#include <string.h>

#include "wire/types.h"
#include "zone/assemble.h"

/* An IPv4 address is in three zones at most, of which its neighbours share one or more. */
#define ABOVE_BITS_AN_ADDRESS 16
#define ABOVE_BITS_MIN 4096

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

/* A reverse name (RFC 1035 3.5, RFC 3596 2.5), whole or of a zone above one. */
struct reverse {
	uint16_t type;       /* of the record that has the address */
	uint8_t units;       /* octets, or nibbles, that are there: the first ones */
	uint8_t address[16]; /* the rest 0 */
};

/* How many units a whole one has. */
static unsigned units_of(uint16_t type)
{
	return type == TYPE_A ? 4 : 32;
}

static void put_unit(struct reverse *reverse, unsigned i, unsigned value)
{
	if (reverse->type == TYPE_A)
		reverse->address[i] = (uint8_t)value;
	else
		reverse->address[i / 2] |= (uint8_t)(i % 2 ? value : value << 4);
}

static bool read_reverse(const struct name *name, struct reverse *ret)
{
	static const uint8_t in_addr[] = "\7in-addr\4arpa", ip6[] = "\3ip6\4arpa";
	const uint8_t *end;
	size_t end_len;
	unsigned i;
	int value;

	if (name->labels < 2)
		return false;
	end = name->fold + name->at[name->labels - 2];
	end_len = name->len - (size_t)name->at[name->labels - 2];
	if (end_len == sizeof(in_addr) && memcmp(end, in_addr, sizeof(in_addr)) == 0)
		ret->type = TYPE_A;
	else if (end_len == sizeof(ip6) && memcmp(end, ip6, sizeof(ip6)) == 0)
		ret->type = TYPE_AAAA;
	else
		return false;
	if (name->labels - 2u > units_of(ret->type))
		return false;
	ret->units = (uint8_t)(name->labels - 2);
	memset(ret->address, 0, sizeof(ret->address));
	for (i = 0; i < ret->units; i++) {
		value = reverse_label(name->fold + name->at[i], ret->type == TYPE_AAAA);
		if (value < 0)
			return false;
		put_unit(ret, ret->units - 1 - i, (unsigned)value);
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

/* ---- zones above held addresses -------------------------------------------------------------- */

/* The bit of a zone: of its kind, its length and its part of the address. */
static size_t above_bit(const struct table *table, uint16_t type, const uint8_t *address,
			unsigned units)
{
	uint8_t data[18] = { (uint8_t)type, (uint8_t)units };
	unsigned octets = type == TYPE_A ? units : units / 2;

	memcpy(data + 2, address, octets);
	if (type == TYPE_AAAA && units % 2)
		data[2 + octets] = address[octets] & 0xf0;
	return hash_bytes(data, sizeof(data)) & (table->above_bits - 1);
}

static bool is_above(const struct table *table, const struct reverse *reverse)
{
	size_t bit = above_bit(table, reverse->type, reverse->address, reverse->units);

	return table->above[bit / 8] >> bit % 8 & 1;
}

/* The first `known` units are those of an address that was noted already. */
static void note_above(struct table *table, uint16_t type, const uint8_t *address, unsigned known)
{
	unsigned units;
	size_t bit;

	for (units = known; units < units_of(type); units++) {
		bit = above_bit(table, type, address, units);
		table->above[bit / 8] |= (uint8_t)(1 << bit % 8);
	}
}

bool table_look_reverse(const struct table *table, const struct name *name, struct table_hit *ret)
{
	const struct node *node;
	struct zone_match match;
	struct reverse reverse;
	struct name own;
	uint64_t hash;
	size_t at;

	if (!table->addresses.slots || !read_reverse(name, &reverse))
		return false;
	if (reverse.units < units_of(reverse.type)) {
		if (!is_above(table, &reverse))
			return false;
		*ret = (struct table_hit){ .match = TABLE_ENT };
		return true;
	}
	hash = address_hash(reverse.type, reverse.address);
	for (at = node_index_home(&table->addresses, hash); table->addresses.slots[at];
	     at = node_index_step(&table->addresses, at)) {
		node = node_slot_node(table->addresses.slots[at]);
		if (!node_slot_may_be(table->addresses.slots[at], hash) ||
		    !holds_address(node, reverse.type, reverse.address))
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
	uint8_t last[16]; /* the address that was noted last; neighbours come together */
	uint16_t last_type;
};

/* Units at the start that two addresses share. */
static unsigned units_shared(uint16_t type, const uint8_t *one, const uint8_t *other)
{
	unsigned octets = type == TYPE_A ? 4 : 16, i = 0;

	while (i < octets && one[i] == other[i])
		i++;
	if (type == TYPE_A)
		return i;
	return 2 * i + (i < octets && one[i] >> 4 == other[i] >> 4);
}

static void note_zones(struct table *table, struct batch *batch, const struct pending *p)
{
	unsigned shared = 0;

	/* A zone that both are in has more than what they share to its name: one further. */
	if (batch->last_type == p->type)
		shared = units_shared(p->type, p->rdata, batch->last) + 1;
	note_above(table, p->type, p->rdata, shared);
	batch->last_type = p->type;
	memcpy(batch->last, p->rdata, p->type == TYPE_A ? 4 : 16);
}

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

	for (i = 0; i < batch->count; i++) {
		add_address(table, &batch->entries[i]);
		note_zones(table, batch, &batch->entries[i]);
	}
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
	t->above_bits = ABOVE_BITS_MIN;
	while (t->above_bits < t->addresses_max * ABOVE_BITS_AN_ADDRESS)
		t->above_bits *= 2;
	t->above = calloc(t->above_bits / 8, 1);
	if (!t->above)
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
