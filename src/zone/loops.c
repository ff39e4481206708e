/* SPDX-License-Identifier: MIT */
/*
 * Our own CNAMEs must not lead in a circle. Each leads to one name at most, so they form a
 * graph in which every node has one way out; look-up (table.c) says where it goes, public forms
 * and wildcards included. One walk from every node that has not been walked, colouring what it
 * meets, finds every circle in linear time, after sorting.
 *
 * Of a circle the record that came last closes it, in the order of files and lines: that one is
 * left out. Sets are shared and cannot be changed, so its slot gets a node without records
 * instead; its name then exists but is empty, and no other name's look-up changes, so that
 * cutting one circle cannot make another. Walks begin in that order too: the index's own is
 * another in every process, and complaints are compared with those of the last time.
 *
 * Sixteen links is what an answer may have; a longer chain of our own is no error, since it can
 * be entered further down, but whoever asks at its top gets SERVFAIL. So it is a warning, once
 * for each chain.
 *
 * Loading thread, on the table that is being built.
 */
#include <stdlib.h>
#include <string.h>

#include "wire/types.h"
#include "zone/assemble.h"

/* Links of a chain that an answer may have. */
#define LINKS_MAX 16

enum colour {
	WHITE, /* not met yet */
	GREY,  /* on the way that is being walked */
	BLACK, /* leads out of our CNAMEs */
};

/* One CNAME. */
struct link {
	const struct node *node; /* NULL: an empty place of the map */
	uint64_t *slot;          /* of the node, in the table's index */
	uint32_t set;            /* in order of precedence */
	unsigned line;
	enum colour colour;
	uint32_t next; /* in the map, plus one: where it leads among our CNAMEs */
	uint32_t hops; /* links from here to the end of our CNAMEs */
	bool alias;    /* a public form lies between: one link more */
};

/* All CNAMEs by address of node, open addressing, at most half full. */
struct link_map {
	struct link *links;
	size_t size; /* a power of two */
	size_t count;
};

/* Where a node is in the map, or belongs. Addresses are malloc's choice and nobody else's. */
static size_t place(const struct link_map *map, const struct node *node)
{
	size_t at = (size_t)hash_join(0, (uintptr_t)node) & (map->size - 1);

	while (map->links[at].node && map->links[at].node != node)
		at = (at + 1) & (map->size - 1);
	return at;
}

static bool first_cname(const struct node *node, struct node_record *ret)
{
	struct node_rrset rrset;
	size_t at = 0;

	return node_find(node, TYPE_CNAME, &rrset) && node_record_next(&rrset, &at, ret);
}

/* Fills the map; it stays NULL where there are no CNAMEs. */
static int collect(struct table *table, struct link_map *ret)
{
	const struct node *node;
	struct node_record record;
	struct link *link;
	size_t at = 0;

	if (!table->cnames)
		return 0;
	for (ret->size = 16; ret->size < 2 * table->cnames; ret->size *= 2)
		;
	ret->links = calloc(ret->size, sizeof(*ret->links));
	if (!ret->links)
		return -1;
	while ((node = table_next(table, &at))) {
		if (!first_cname(node, &record))
			continue;
		link = &ret->links[place(ret, node)];
		link->node = node;
		link->slot = &table->names.slots[at - 1];
		link->set = table_record_set(table, node, &record);
		link->line = record.line;
		ret->count++;
	}
	return 0;
}

/* Finds out where each one leads. */
static void connect_links(struct table *table, struct link_map *map)
{
	struct node_record record;
	struct table_hit hit;
	struct name target;
	struct link *link;
	size_t i, next;

	for (i = 0; i < map->size; i++) {
		link = &map->links[i];
		if (!link->node || !first_cname(link->node, &record) ||
		    name_from_wire(&target, record.rdata, record.rdata_len) < 0)
			continue;
		table_lookup(table, &target, &hit);
		if (hit.match != TABLE_HELD && hit.match != TABLE_ALIAS)
			continue;
		link->alias = hit.match == TABLE_ALIAS;
		next = place(map, hit.node);
		if (map->links[next].node)
			link->next = (uint32_t)next + 1;
	}
}

/*
 * Does this record come after the other, in the order of files and lines? Exports may have all of
 * theirs on one line; names part those.
 */
static bool comes_later(const struct table *table, const struct link *one, const struct link *other)
{
	struct name a, b;

	if (one->set != other->set)
		return one->set > other->set;
	if (one->line != other->line)
		return one->line > other->line;
	node_spell(table->zones, one->node, &a);
	node_spell(table->zones, other->node, &b);
	return name_wire_compare(a.fold, b.fold) > 0;
}

/* Leaves out the last record of the circle that `member` is on. */
static int cut(struct table *table, struct link_map *map, struct link *member,
	       struct complaints *complaints)
{
	struct link *last = member, *at, *to;
	char text[NAME_TEXT_MAX];
	const char *path, *to_path;
	unsigned line, to_line;
	struct node *empty;
	struct name name;

	for (at = &map->links[member->next - 1]; at != member; at = &map->links[at->next - 1])
		if (comes_later(table, at, last))
			last = at;
	to = &map->links[last->next - 1];
	node_spell(table->zones, last->node, &name);
	name_to_text(name.wire, text);
	path = table_where(table, last->node, TYPE_CNAME, &line);
	to_path = table_where(table, to->node, TYPE_CNAME, &to_line);
	if (to == last)
		complain(complaints, COMPLAINT_ERROR, path, line, 0,
			 "%s CNAME: leads to itself, not "
			 "taken; give it another target",
			 text);
	else
		complain(complaints, COMPLAINT_ERROR, path, line, 0,
			 "%s CNAME: closes a loop with "
			 "%s:%u, not taken; change one of them",
			 text, to_path, to_line);
	empty = node_new_of(&table->pool, table->zones, &name, last->node->zone, 0);
	if (!empty)
		return -1;
	table_count(table, last->node, -1);
	*last->slot = (*last->slot & ~UINT64_C(0xffffffffffff)) | (uint64_t)(uintptr_t)empty;
	last->colour = BLACK;
	last->next = last->hops = 0;
	return 0;
}

/*
 * Marks everything from `first` on as walked and counts links, from the end of the way
 * backwards.
 */
static void finish_way(const struct table *table, struct link_map *map, struct link **way,
		       size_t len, struct complaints *complaints)
{
	char text[NAME_TEXT_MAX];
	struct link *link, *next;
	uint32_t before;
	struct name name;
	const char *path;
	unsigned line;

	while (len-- > 0) {
		link = way[len];
		next = link->next ? &map->links[link->next - 1] : NULL;
		before = next ? next->hops : 0;
		link->hops = before + 1 + (link->alias ? 1 : 0);
		link->colour = BLACK;
		if (link->hops <= LINKS_MAX || before > LINKS_MAX)
			continue;
		node_spell(table->zones, link->node, &name);
		name_to_text(name.wire, text);
		path = table_where(table, link->node, TYPE_CNAME, &line);
		complain(complaints, COMPLAINT_WARNING, path, line, 0,
			 "%s CNAME: begins a chain of more "
			 "than %d links, which is answered with SERVFAIL; shorten it",
			 text, LINKS_MAX);
	}
}

/* Follows white links; their number, and in *ret_met what stopped the walk, if anything. */
static size_t follow(struct link_map *map, struct link *link, struct link **way,
		     struct link **ret_met)
{
	size_t len = 0;

	while (link && link->colour == WHITE) {
		link->colour = GREY;
		way[len++] = link;
		link = link->next ? &map->links[link->next - 1] : NULL;
	}
	*ret_met = link;
	return len;
}

static int walk_from(struct table *table, struct link_map *map, struct link *start,
		     struct link **way, struct complaints *complaints)
{
	size_t len, i;
	struct link *met;

	len = follow(map, start, way, &met);
	/*
	 * Something grey is on this very way, so it closes a circle; once cut, the way is
	 * walked anew.
	 */
	if (met && met->colour == GREY) {
		for (i = 0; i < len; i++)
			way[i]->colour = WHITE;
		if (cut(table, map, met, complaints) < 0)
			return -1;
		/* What the cut has parted from the way is white again and has its turn later. */
		len = follow(map, start, way, &met);
	}
	finish_way(table, map, way, len, complaints);
	return 0;
}

static int by_order(const void *a, const void *b, void *table)
{
	const struct link *one = *(struct link *const *)a, *other = *(struct link *const *)b;

	return comes_later(table, one, other) - comes_later(table, other, one);
}

int table_cut_loops(struct table *table, struct complaints *complaints)
{
	struct link_map map = { 0 };
	struct link **order = NULL, **way = NULL;
	size_t i, count = 0;
	int bad;

	if (collect(table, &map) < 0)
		return -1;
	if (!map.links)
		return 0;
	order = calloc(map.count, sizeof(*order));
	way = calloc(map.count, sizeof(*way));
	bad = order && way ? 0 : -1;
	if (!bad)
		connect_links(table, &map);
	for (i = 0; i < map.size && !bad; i++)
		if (map.links[i].node)
			order[count++] = &map.links[i];
	if (!bad)
		qsort_r(order, count, sizeof(*order), by_order, table);
	for (i = 0; i < count && !bad; i++)
		if (order[i]->colour == WHITE)
			bad = walk_from(table, &map, order[i], way, complaints);
	free(order);
	free(way);
	free(map.links);
	return bad;
}
