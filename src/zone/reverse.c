/* SPDX-License-Identifier: MIT */
/*
 * PTR for the addresses we hold, without a record for each: a sorted list of addresses with the
 * node of each, and the answer is made from the node when somebody asks.
 *
 * Sorted, because the zones above held addresses exist too: who believes that one of them does not
 * (RFC 8020) has lost what is below. The first address at or behind the start of such a zone says
 * whether there is any. So nothing is kept for zones, of which an IPv6 address has up to 32 of its
 * own, and no other zone is taken for one.
 *
 * An IPv4 address takes eight octets: its lower half over 48 bits of pointer; its upper half is
 * that of its group, of which the private ranges have few. They are sorted by counting, group by
 * group. An IPv6 address takes eight as well: a pointer to where it stands in its node, under the
 * distance from the node's start, so that comparing waits for memory; whoever has a million of
 * those pays two microseconds a question.
 *
 * An address can belong to many names; an answer names one. It is the lowest public form, in
 * the canonical order of names, so that it does not hang on the order of files: the list keeps
 * the node that has it. A name in a zone without public zones, or outside every zone, stands
 * for itself. Wildcards have no name to give.
 *
 * Filled on the loading thread, then constant; look-ups are pure, any thread.
 */
#include <stdlib.h>
#include <string.h>

#include "base/pages.h"
#include "wire/types.h"
#include "zone/assemble.h"

/* Groups of at most so many are sorted by putting each in its place. */
#define INSERTION_MAX 24

/* IPv4 addresses with the same upper half: those from the end of the group before on. */
struct group {
	uint16_t high;
	uint32_t end;
};

struct table_addresses {
	uint64_t *v4;
	size_t v4_count, v4_size; /* in use, and octets taken */
	struct group *groups;
	size_t groups_count;
	uint64_t *v6;
	size_t v6_count, v6_size;
};

static const struct node *slot_node_v4(uint64_t slot)
{
	return (const struct node *)(uintptr_t)(slot & UINT64_C(0xffffffffffff));
}

static const uint8_t *slot_address_v6(uint64_t slot)
{
	return (const uint8_t *)(uintptr_t)(slot & UINT64_C(0xffffffffffff));
}

static const struct node *slot_node_v6(uint64_t slot)
{
	uintptr_t at = (uintptr_t)slot_address_v6(slot) / NODE_ALIGN - (slot >> 48);

	return (const struct node *)(at * NODE_ALIGN);
}

static uint64_t slot_v6(const struct node *node, const uint8_t *rdata)
{
	uint64_t distance = (uintptr_t)rdata / NODE_ALIGN - (uintptr_t)node / NODE_ALIGN;

	return distance << 48 | (uint64_t)(uintptr_t)rdata;
}

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

static const uint8_t in_addr[] = "\7in-addr\4arpa", ip6[] = "\3ip6\4arpa";

void table_note_reverse(struct table *table)
{
	struct name name;

	if (name_from_wire(&name, in_addr, sizeof(in_addr)) == 0)
		zone_ends_add(&table->ends, name_hash(&name));
	if (name_from_wire(&name, ip6, sizeof(ip6)) == 0)
		zone_ends_add(&table->ends, name_hash(&name));
}

static bool read_reverse(const struct name *name, struct reverse *ret)
{
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

/* ---- looking up ------------------------------------------------------------------------------ */

/* The first held address at or behind this one; false: none. */
static bool first_v4(const struct table_addresses *list, const uint8_t *address, uint8_t ret[4],
		     const struct node **ret_node)
{
	uint16_t high = (uint16_t)(address[0] << 8 | address[1]);
	uint64_t low = (uint64_t)(address[2] << 8 | address[3]) << 48;
	size_t from = 0, to = list->groups_count, mid, group;

	while (from < to) {
		mid = from + (to - from) / 2;
		if (list->groups[mid].high < high)
			from = mid + 1;
		else
			to = mid;
	}
	if (from == list->groups_count)
		return false;
	group = from;
	from = group ? list->groups[group - 1].end : 0;
	to = list->groups[group].high == high ? list->groups[group].end : from;
	while (from < to) {
		mid = from + (to - from) / 2;
		if (list->v4[mid] < low)
			from = mid + 1;
		else
			to = mid;
	}
	if (from == list->groups[group].end && ++group == list->groups_count)
		return false;
	ret[0] = (uint8_t)(list->groups[group].high >> 8);
	ret[1] = (uint8_t)list->groups[group].high;
	ret[2] = (uint8_t)(list->v4[from] >> 56);
	ret[3] = (uint8_t)(list->v4[from] >> 48);
	*ret_node = slot_node_v4(list->v4[from]);
	return true;
}

static bool first_v6(const struct table_addresses *list, const uint8_t *address, uint8_t ret[16],
		     const struct node **ret_node)
{
	size_t from = 0, to = list->v6_count, mid;

	while (from < to) {
		mid = from + (to - from) / 2;
		if (memcmp(slot_address_v6(list->v6[mid]), address, 16) < 0)
			from = mid + 1;
		else
			to = mid;
	}
	if (from == list->v6_count)
		return false;
	memcpy(ret, slot_address_v6(list->v6[from]), 16);
	*ret_node = slot_node_v6(list->v6[from]);
	return true;
}

/* Does a held address begin with these units? The first that does. */
static const struct node *first_within(const struct table_addresses *list,
				       const struct reverse *reverse)
{
	const struct node *node;
	uint8_t found[16];
	unsigned octets = reverse->units;

	if (reverse->type == TYPE_A) {
		if (!first_v4(list, reverse->address, found, &node))
			return NULL;
	} else {
		if (!first_v6(list, reverse->address, found, &node))
			return NULL;
		octets /= 2;
		if (reverse->units % 2 && (found[octets] & 0xf0) != reverse->address[octets])
			return NULL;
	}
	return memcmp(found, reverse->address, octets) == 0 ? node : NULL;
}

bool table_look_reverse(const struct table *table, const struct name *name, struct table_hit *ret)
{
	const struct node *node;
	struct zone_match match;
	struct reverse reverse;
	struct name own, public;

	if (!table->addresses || !read_reverse(name, &reverse))
		return false;
	node = first_within(table->addresses, &reverse);
	if (!node)
		return false;
	if (reverse.units < units_of(reverse.type)) {
		*ret = (struct table_hit){ .match = TABLE_ENT };
		return true;
	}
	ptr_name(table, node, &public);
	table_hit_target(ret, &public);
	node_spell(table->zones, node, &own);
	if (zones_match_served(table->zones, &own, &match))
		table_hit_zone(ret, &match);
	ret->match = TABLE_PTR;
	ret->node = node;
	ret->wildcard = false;
	return true;
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

/* An IPv6 address on its way: the octets that tell most apart, then where it is. */
struct sorted_v6 {
	uint64_t key;
	uint64_t slot;
};

/* Of a walk over all addresses: first they are counted, then put where they belong. */
struct gathering {
	struct table_addresses *list;
	uint32_t *by_high; /* how many of each upper half; then where the next one goes */
	struct sorted_v6 *v6;
	size_t v6_count;
	bool putting;
};

static void gather_v4(struct gathering *g, const struct node *node, const uint8_t *rdata)
{
	uint32_t *at = &g->by_high[rdata[0] << 8 | rdata[1]];

	if (g->putting)
		g->list->v4[*at] =
			(uint64_t)(rdata[2] << 8 | rdata[3]) << 48 | (uint64_t)(uintptr_t)node;
	++*at;
}

static void gather_v6(struct gathering *g, const struct node *node, const uint8_t *rdata)
{
	if (g->putting)
		g->v6[g->v6_count].slot = slot_v6(node, rdata);
	g->v6_count++;
}

static void gather_node(struct gathering *g, const struct node *node)
{
	struct node_record record;
	struct node_rrset rrset = { .type = 0 };
	size_t at;

	if (node->flags & NODE_WILDCARD)
		return;
	if (node_find(node, TYPE_A, &rrset))
		for (at = 0; node_record_next(&rrset, &at, &record);)
			gather_v4(g, node, record.rdata);
	/* Mostly that was all there is. */
	if (node->sets == 1 && rrset.type == TYPE_A)
		return;
	if (node_find(node, TYPE_AAAA, &rrset))
		for (at = 0; node_record_next(&rrset, &at, &record);)
			gather_v6(g, node, record.rdata);
}

static void gather(const struct table *t, struct gathering *g)
{
	struct table_walk walk = { 0 };
	struct node_chunk *chunk;
	struct node *node;

	while ((node = table_walk_next(t, &walk)))
		if (!t->merges ||
		    node_slot_node(*table_find_same(t, node_hash(t->zones, node), node)) == node)
			gather_node(g, node);
	while ((node = node_pool_next(&t->pool, &chunk, node)))
		if (node->flags & NODE_MERGED)
			gather_node(g, node);
}

/* Sorts by the upper 16 bits, which are all that matters, in two rounds of counting. */
static void sort_slots(uint64_t *slots, size_t count, uint64_t *room)
{
	uint32_t starts[257];
	uint64_t *from = slots, *to = room, *other;
	unsigned shift;
	size_t i;

	for (shift = 48; shift < 64; shift += 8) {
		memset(starts, 0, sizeof(starts));
		for (i = 0; i < count; i++)
			starts[(from[i] >> shift & 0xff) + 1]++;
		for (i = 1; i < 256; i++)
			starts[i] += starts[i - 1];
		for (i = 0; i < count; i++)
			to[starts[from[i] >> shift & 0xff]++] = from[i];
		other = from;
		from = to;
		to = other;
	}
}

static void sort_few(uint64_t *slots, size_t count)
{
	size_t i, at;
	uint64_t slot;

	for (i = 1; i < count; i++) {
		slot = slots[i];
		for (at = i; at > 0 && slots[at - 1] >> 48 > slot >> 48; at--)
			slots[at] = slots[at - 1];
		slots[at] = slot;
	}
}

/* Sorts each group; `by_high` has the ends. */
static int sort_v4(struct table_addresses *list, const uint32_t *by_high)
{
	size_t high, count = 0, largest = 0, i, from = 0;
	uint64_t *room;

	for (high = 0; high < 65536; high++) {
		if (by_high[high] == from)
			continue;
		if (by_high[high] - from > largest)
			largest = by_high[high] - from;
		from = by_high[high];
		count++;
	}
	list->groups = calloc(count + 1, sizeof(*list->groups));
	room = pages_take(largest * sizeof(*room));
	if (!list->groups || (largest && !room)) {
		pages_give(room, largest * sizeof(*room));
		return -1;
	}
	for (high = 0, from = 0; high < 65536; high++) {
		if (by_high[high] == from)
			continue;
		for (i = from + 1; i < by_high[high] && list->v4[i - 1] >> 48 <= list->v4[i] >> 48;
		     i++)
			;
		if (by_high[high] - from <= INSERTION_MAX)
			sort_few(list->v4 + from, by_high[high] - from);
		else if (i < by_high[high])
			sort_slots(list->v4 + from, by_high[high] - from, room);
		list->groups[list->groups_count++] =
			(struct group){ .high = (uint16_t)high, .end = by_high[high] };
		from = by_high[high];
	}
	pages_give(room, largest * sizeof(*room));
	return 0;
}

/* Of neighbours with one address the one with the lowest name stays. */
static void unite_v4(const struct table *table, struct table_addresses *list)
{
	size_t i = 0, group, kept = 0, first;
	const struct node *node;

	for (group = 0; group < list->groups_count; group++) {
		for (first = kept; i < list->groups[group].end; i++) {
			node = slot_node_v4(list->v4[i]);
			if (kept == first || list->v4[kept - 1] >> 48 != list->v4[i] >> 48)
				list->v4[kept++] = list->v4[i];
			else if (slot_node_v4(list->v4[kept - 1]) != node &&
				 lower_name(table, node, slot_node_v4(list->v4[kept - 1])))
				list->v4[kept - 1] = list->v4[i];
		}
		list->groups[group].end = (uint32_t)kept;
	}
	list->v4_count = kept;
}

static int compare_v6(const void *a, const void *b)
{
	const struct sorted_v6 *one = a, *other = b;

	if (one->key != other->key)
		return one->key < other->key ? -1 : 1;
	return memcmp(slot_address_v6(one->slot), slot_address_v6(other->slot), 16);
}

/* Octets at the start that all addresses share, but for the last eight. */
static unsigned shared_octets(const struct sorted_v6 *v6, size_t count)
{
	unsigned shared = 8;
	size_t i;

	for (i = 1; i < count; i++)
		while (memcmp(slot_address_v6(v6[0].slot), slot_address_v6(v6[i].slot), shared))
			shared--;
	return shared;
}

static void sort_v6(const struct table *table, struct table_addresses *list, struct sorted_v6 *v6,
		    size_t count)
{
	unsigned shared = shared_octets(v6, count), octet;
	const uint8_t *address;
	uint64_t *last;
	size_t i;

	for (i = 0; i < count; i++) {
		address = slot_address_v6(v6[i].slot) + shared;
		for (octet = 0; octet < 8; octet++)
			v6[i].key = v6[i].key << 8 | address[octet];
	}
	qsort(v6, count, sizeof(*v6), compare_v6);
	for (i = 0; i < count; i++) {
		last = &list->v6[list->v6_count - 1];
		if (list->v6_count == 0 ||
		    memcmp(slot_address_v6(*last), slot_address_v6(v6[i].slot), 16) != 0)
			list->v6[list->v6_count++] = v6[i].slot;
		else if (slot_node_v6(*last) != slot_node_v6(v6[i].slot) &&
			 lower_name(table, slot_node_v6(v6[i].slot), slot_node_v6(*last)))
			*last = v6[i].slot;
	}
}

/* Turns numbers into starts; the sum. */
static size_t count_up(uint32_t *by_high)
{
	size_t high, count = 0, here;

	for (high = 0; high < 65536; high++) {
		here = by_high[high];
		by_high[high] = (uint32_t)count;
		count += here;
	}
	return count;
}

static int fill(struct table *t, struct gathering *g)
{
	struct table_addresses *list = g->list;
	size_t v4_count, v6_count;

	gather(t, g);
	v4_count = count_up(g->by_high);
	v6_count = g->v6_count;
	list->v4_size = v4_count * sizeof(*list->v4);
	list->v4 = pages_take(list->v4_size);
	list->v6_size = v6_count * sizeof(*list->v6);
	list->v6 = pages_take(list->v6_size);
	g->v6 = pages_take(v6_count * sizeof(*g->v6));
	if ((v4_count && !list->v4) || (v6_count && (!list->v6 || !g->v6)))
		return -1;
	g->v6_count = 0;
	g->putting = true;
	gather(t, g);
	/* Each start has become an end, in the order of upper halves. */
	if (sort_v4(list, g->by_high) < 0)
		return -1;
	unite_v4(t, list);
	if (v6_count)
		sort_v6(t, list, g->v6, v6_count);
	pages_give(g->v6, v6_count * sizeof(*g->v6));
	g->v6 = NULL;
	pages_trim(list->v4, list->v4_size, list->v4_count * sizeof(*list->v4));
	pages_trim(list->v6, list->v6_size, list->v6_count * sizeof(*list->v6));
	return 0;
}

int table_add_addresses(struct table *t)
{
	struct gathering g = { .by_high = calloc(65536, sizeof(*g.by_high)) };
	int bad;

	t->addresses = g.list = calloc(1, sizeof(*g.list));
	bad = g.list && g.by_high ? fill(t, &g) : -1;
	pages_give(g.v6, g.list ? g.list->v6_size * 2 : 0);
	free(g.by_high);
	return bad;
}

void table_addresses_free(struct table_addresses *list)
{
	if (!list)
		return;
	pages_give(list->v4, list->v4_size);
	pages_give(list->v6, list->v6_size);
	free(list->groups);
	free(list);
}

size_t table_addresses_bytes(const struct table_addresses *list)
{
	if (!list)
		return 0;
	return sizeof(*list) + (list->v4_count + list->v6_count) * sizeof(uint64_t) +
	       list->groups_count * sizeof(*list->groups);
}
