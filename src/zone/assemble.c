/* SPDX-License-Identifier: MIT */
/*
 * Makes one table of many sets. Nearly every name is in one set only: its slot then points
 * straight at the set's node, and the table owns no more of it than those eight octets. A name
 * that several sets have gets a node of the table's own, whose records say which set each came
 * from.
 *
 * In order: names (merged where they meet, by the rules between files, and counted), empty
 * non-terminals, loops of CNAMEs (loops.c, which looks names up and so needs all that),
 * addresses (reverse.c).
 *
 * What a large build costs is waiting for memory. So every pass goes over the nodes in the
 * order in which they lie, and slots, which lie anywhere, are fetched some at a time.
 *
 * Empty non-terminals are the ancestors of what is held: within its zone; above the apex, and
 * above the apexes of its public zones, too, which is a matter for answers of upstreams alone.
 * A walk upwards stops at the first ancestor that is there already, since that one's ancestors
 * are as well; for the one-label names of a literal zone it is not even begun twice. So all
 * walks together take time in proportion to the names found. An ancestor is nothing but a slot
 * that points to the node below it; only above public zones there is none to point to.
 *
 * Hashes are made again from the nodes rather than kept: see node.c. The final index is exactly
 * as large as it must be, since at a million names a doubled one would cost more than the rest
 * of the table.
 *
 * Loading thread; the table is constant afterwards.
 */
#include "zone/assemble.h"

#include <stdlib.h>
#include <string.h>

#include "wire/types.h"

/*
 * An index is made anew for empty non-terminals when they would fill it beyond this many of 64
 * slots. Made for the names alone it is three quarters full: a few more need not cost another.
 */
#define INDEX_PARTS_MAX 52

static const uint8_t none[1];

struct assembly {
	struct table *table;
	const struct table_conf *conf;
	struct complaints *complaints;
	struct node_index empties; /* new empty non-terminals, until they join the names */
	size_t empties_room;
	bool *apex_done; /* ancestors of a literal zone's apex are there; by zone */
	/*
	 * A name of each literal zone, whose ancestors are those of all in it with one label before
	 * the apex; by zone.
	 */
	const struct node **one;
	bool deep; /* there are other names */
};

struct node *table_walk_next(const struct table *table, struct table_walk *walk)
{
	for (; walk->set < table->sets_count; walk->set++) {
		do
			walk->node = node_pool_next(&table->sets[walk->set]->pool, &walk->chunk,
						    walk->node);
		while (walk->node && !walk->node->sets);
		if (walk->node)
			return walk->node;
	}
	return NULL;
}

/* ---- life ------------------------------------------------------------------------------------ */

void table_free(struct table *table)
{
	size_t i;

	if (!table)
		return;
	for (i = 0; i < table->sets_count; i++)
		record_set_unref(table->sets[i]);
	free(table->sets);
	free(table->ranges);
	node_pool_fini(&table->pool);
	node_index_fini(&table->names);
	table_addresses_free(table->addresses);
	free(table->zone_names);
	free(table->zone_wildcards);
	free(table->vaults);
	free(table);
}

size_t table_bytes(const struct table *table)
{
	size_t zones = zones_count(table->zones), i, bytes = sizeof(*table);

	for (i = 0; i < table->sets_count; i++)
		bytes += record_set_bytes(table->sets[i]) + sizeof(table->sets[0]);
	bytes += table->ranges_count * sizeof(table->ranges[0]) + table->pool.bytes;
	bytes += node_index_bytes(&table->names) + table->vaults_size * sizeof(uint64_t);
	bytes += table_addresses_bytes(table->addresses);
	return bytes + (2 * zones + 1) * sizeof(uint32_t);
}

static int compare_ranges(const void *a, const void *b)
{
	uintptr_t x = ((const struct table_range *)a)->from,
		  y = ((const struct table_range *)b)->from;

	return x < y ? -1 : x > y;
}

/* Takes the sets and notes where their nodes lie. */
static int take_sets(struct table *table, struct record_set *const *sets, size_t count)
{
	const struct node_chunk *chunk;
	size_t i, n = 0;

	table->sets = calloc(count + 1, sizeof(*table->sets));
	if (!table->sets)
		return -1;
	for (i = 0; i < count; i++) {
		table->sets[i] = record_set_ref(sets[i]);
		table->sets_count++;
		for (chunk = sets[i]->pool.first; chunk; chunk = chunk->next)
			n++;
	}
	table->ranges = calloc(n + 1, sizeof(*table->ranges));
	if (!table->ranges)
		return -1;
	for (i = 0; i < count; i++)
		for (chunk = sets[i]->pool.first; chunk; chunk = chunk->next)
			table->ranges[table->ranges_count++] =
				(struct table_range){ .from = (uintptr_t)chunk->data,
						      .to = (uintptr_t)chunk->data + chunk->used,
						      .set = (uint32_t)i };
	qsort(table->ranges, n, sizeof(*table->ranges), compare_ranges);
	return 0;
}

/* ---- one name in several sets ---------------------------------------------------------------- */

static bool same_data(const struct node_rrset *a, const struct node_rrset *b)
{
	struct node_record record, other;
	size_t at = 0;

	if (a->count != b->count)
		return false;
	while (node_record_next(a, &at, &record))
		if (!node_rrset_has(b, record.rdata, record.rdata_len, &other))
			return false;
	return true;
}

/* Complains of a later node's RRset in the light of an earlier one's. */
static void complain_of(struct assembly *a, enum complaint_level level, const struct node *later,
			uint16_t type, const struct node *earlier, uint16_t earlier_type,
			const char *what)
{
	char text[NAME_TEXT_MAX], type_text[TYPE_TEXT_MAX], other_text[TYPE_TEXT_MAX];
	const char *path, *other_path;
	unsigned line, other_line;
	struct name name;

	path = table_where(a->table, later, type, &line);
	other_path = table_where(a->table, earlier, earlier_type, &other_line);
	node_spell(a->table->zones, later, &name);
	name_to_text(name.wire, text);
	complain(a->complaints, level, path, line, 0, "%s %s: %s %s at %s:%u; leave one out", text,
		 type_to_text(type, type_text), what, type_to_text(earlier_type, other_text),
		 other_path, other_line);
}

/*
 * Copies the records of a set into a merged node; what is there already is left. NULL: no
 * memory.
 */
static struct node *copy_records(struct assembly *a, struct node *into, const struct node *from,
				 const struct node_rrset *rrset)
{
	struct node_record record, other;
	struct node_rrset have;
	struct node_new_record add = { .type = rrset->type, .ttl = rrset->ttl };
	size_t at = 0;

	while (node_record_next(rrset, &at, &record)) {
		if (node_find(into, rrset->type, &have) &&
		    node_rrset_has(&have, record.rdata, record.rdata_len, &other))
			continue;
		if (node_room(into, rrset->type, record.rdata_len) != NODE_ROOM) {
			complain_of(a, COMPLAINT_ERROR, from, rrset->type, into, rrset->type,
				    "together more records than an answer can carry, with");
			break;
		}
		add.rdata = record.rdata;
		add.rdata_len = record.rdata_len;
		add.line = record.line;
		add.set = table_record_set(a->table, from, &record);
		into = node_add(&a->table->pool, into, &add);
		if (!into)
			return NULL;
	}
	return into;
}

/* A node of the table's own with the same records. */
static struct node *copy_node(struct assembly *a, const struct node *from)
{
	struct node_rrset rrset;
	struct node *copy;
	struct name name;
	size_t at = 0;

	node_spell(a->table->zones, from, &name);
	copy = node_new_of(&a->table->pool, a->table->zones, &name, from->zone, NODE_MERGED);
	while (copy && node_next(from, &at, &rrset))
		copy = copy_records(a, copy, from, &rrset);
	return copy;
}

/* What the rules say of a later RRset beside what is held: is it to be joined to it? */
static bool may_join(struct assembly *a, const struct node *held, const struct node *later,
		     const struct node_rrset *rrset)
{
	enum table_conflict conflict = a->conf->conflict;
	struct node_rrset have;
	size_t at = 0;

	if (!node_find(held, rrset->type, &have)) {
		if (!node_next(held, &at, &have) ||
		    (have.type != TYPE_CNAME && rrset->type != TYPE_CNAME))
			return true;
		complain_of(a, COMPLAINT_ERROR, later, rrset->type, held, have.type,
			    "a CNAME stands alone; not taken because of");
		return false;
	}
	if (same_data(&have, rrset))
		return conflict == TABLE_CONFLICT_MERGE && rrset->ttl < have.ttl;
	if (conflict == TABLE_CONFLICT_MERGE && rrset->type != TYPE_CNAME &&
	    rrset->type != TYPE_SOA)
		return true;
	complain_of(a, conflict == TABLE_CONFLICT_FIRST ? COMPLAINT_WARNING : COMPLAINT_ERROR,
		    later, rrset->type, held, rrset->type, "not taken, other data than");
	return false;
}

/* Joins a later node to the held one in the slot. */
static int merge(struct assembly *a, uint64_t *slot, uint64_t hash, const struct node *later)
{
	struct node *held = node_slot_node(*slot);
	struct node_rrset rrset, have;
	size_t at = 0;

	a->table->merges++;
	table_count(a->table, held, -1);
	while (node_next(later, &at, &rrset)) {
		if (!may_join(a, held, later, &rrset))
			continue;
		if (!(held->flags & NODE_MERGED))
			held = copy_node(a, held);
		if (held)
			held = copy_records(a, held, later, &rrset);
		if (!held)
			return -1;
		if (node_find(held, rrset.type, &have) && rrset.ttl < have.ttl)
			node_set_ttl(held, rrset.type, rrset.ttl);
		*slot = node_slot(hash, held);
	}
	table_count(a->table, held, 1);
	return 0;
}

void table_count(struct table *table, const struct node *node, int by)
{
	struct node_rrset rrset;
	size_t n = (size_t)by, at = 0; /* unsigned numbers wrap, so -1 takes away */

	table->held += n;
	if (node->zone != NODE_NO_ZONE)
		table->zone_names[node->zone] += (uint32_t)by;
	if (node->flags & NODE_WILDCARD)
		table->zone_wildcards[node->zone == NODE_NO_ZONE ? zones_count(table->zones)
								 : node->zone] += (uint32_t)by;
	while (node_next(node, &at, &rrset)) {
		table->records += n * rrset.count;
		if (rrset.type == TYPE_CNAME)
			table->cnames += n;
	}
}

uint64_t *table_find_same(const struct table *table, uint64_t hash, const struct node *node)
{
	return node_index_find_prefix(&table->names, hash, node->zone, node->body,
				      node->prefix_len);
}

static int add_name(struct assembly *a, struct node *node, uint64_t hash)
{
	struct table *t = a->table;
	uint64_t *slot = t->sets_count > 1 ? table_find_same(t, hash, node) : NULL;

	if (slot && *slot)
		return merge(a, slot, hash, node);
	node_index_put(&t->names, hash, node_slot(hash, node));
	table_count(t, node, 1);
	return 0;
}

/* Notes whether it has ancestors of its own. */
static void note_depth(struct assembly *a, const struct node *node)
{
	const struct zones *zones = a->table->zones;
	struct zone_match match;
	struct name name;

	if (a->deep)
		return;
	a->deep = node->zone == NODE_NO_ZONE || node_prefix_labels(node) > 1;
	if (a->deep || a->one[node->zone])
		return;
	node_spell(zones, node, &name);
	a->deep = !zones_match_served(zones, &name, &match) ||
		  match.apex_labels != zones_tail(zones, node->zone)->labels;
	a->one[node->zone] = node;
}

static int add_names(struct assembly *a)
{
	struct table *t = a->table;
	struct node *node[TABLE_BATCH];
	uint64_t hash[TABLE_BATCH];
	struct table_walk walk = { 0 };
	size_t i, n, names = 0;

	for (i = 0; i < t->sets_count; i++)
		names += t->sets[i]->names;
	if (node_index_init(&t->names, names, false) < 0)
		return -1;
	do {
		for (n = 0; n < TABLE_BATCH && (node[n] = table_walk_next(t, &walk)); n++) {
			hash[n] = node_hash(t->zones, node[n]);
			__builtin_prefetch(&t->names.slots[node_index_home(&t->names, hash[n])], 1);
		}
		for (i = 0; i < n; i++) {
			if (add_name(a, node[i], hash[i]) < 0)
				return -1;
			note_depth(a, node[i]);
		}
	} while (n == TABLE_BATCH);
	return 0;
}

/* ---- empty non-terminals --------------------------------------------------------------------- */

/*
 * Notes the last `labels` labels of a name as existing, and all above that down to `floor`.
 * `node` is below all of them, or NULL.
 */
static int note_ancestors(struct assembly *a, const struct name *name, unsigned labels,
			  unsigned floor, const struct node *node)
{
	struct table *t = a->table;
	struct name above;
	uint64_t hash, slot;

	for (; labels >= floor && labels > 0; labels--) {
		hash = name->hash[labels];
		if (table_node(t, none, 0, hash, name, labels) ||
		    *node_index_find(&a->empties, t->zones, hash, none, 0, name, labels))
			return 0;
		if (a->empties.used == a->empties_room) {
			if (node_index_resize(&a->empties, t->zones, 2 * a->empties_room) < 0)
				return -1;
			a->empties_room *= 2;
		}
		slot = node_slot_above(hash, node);
		if (!node) {
			name_strip(&above, name, name->labels - labels);
			slot = node_slot(hash, node_new_of(&t->pool, t->zones, &above,
							   node_zone_of(t->zones, &above), 0));
		}
		if (!node_slot_node(slot))
			return -1;
		node_index_put(&a->empties, hash, slot);
	}
	return 0;
}

/*
 * Everything from the apex of a private name upwards, and from the apexes of its public zones.
 * A held node outside the zone (or a private zone above) may stop a walk early: its own
 * ancestors are noted on its own account.
 */
static int note_zone(struct assembly *a, const struct name *name, unsigned apex_labels,
		     const struct node *node)
{
	struct name public;
	size_t i;

	/* Where the apex itself is held, nobody but this walk goes on above it. */
	if (note_ancestors(a, name, apex_labels, apex_labels, node) < 0 ||
	    note_ancestors(a, name, apex_labels - 1, 1, node) < 0)
		return -1;
	for (i = 0; zones_public_apex(a->table->zones, name, i, &public) == 0; i++)
		if (note_ancestors(a, &public, public.labels, 1, NULL) < 0)
			return -1;
	return 0;
}

static int note_node(struct assembly *a, const struct node *node)
{
	const struct zones *zones = a->table->zones;
	unsigned prefix = node_prefix_labels(node);
	struct zone_match match;
	struct name name;

	if (node->zone != NODE_NO_ZONE && a->apex_done[node->zone] && prefix < 2)
		return 0;
	node_spell(zones, node, &name);
	if (node->zone == NODE_NO_ZONE)
		return name.labels ? note_ancestors(a, &name, name.labels - 1u, 1, node) : 0;
	if (!zones_match_served(zones, &name, &match))
		return 0;
	if (name.labels > match.apex_labels &&
	    note_ancestors(a, &name, name.labels - 1u, match.apex_labels + 1u, node) < 0)
		return -1;
	if (a->apex_done[node->zone])
		return 0;
	/* Is the zone literal? Then its apex is the same for all its names. */
	a->apex_done[node->zone] = match.apex_labels == zones_tail(zones, node->zone)->labels;
	return note_zone(a, &name, match.apex_labels, node);
}

static int add_empties(struct assembly *a)
{
	struct table *t = a->table;
	struct table_walk walk = { 0 };
	struct node *node;
	size_t i;

	a->empties_room = 64;
	if (node_index_init(&a->empties, a->empties_room, true) < 0)
		return -1;
	for (i = 0; !a->deep && i < zones_count(t->zones); i++)
		if (a->one[i] && note_node(a, a->one[i]) < 0)
			return -1;
	while (a->deep && (node = table_walk_next(t, &walk)))
		if (note_node(a, node) < 0)
			return -1;
	if ((t->names.used + a->empties.used) * 64 > t->names.size * INDEX_PARTS_MAX &&
	    node_index_resize(&t->names, t->zones, t->names.used + a->empties.used) < 0)
		return -1;
	node_index_join(&t->names, &a->empties);
	node_index_fini(&a->empties);
	return 0;
}

/* ---- ends ------------------------------------------------------------------------------------ */

/* What a name must end in to be anything to us. */
static void add_ends(struct table *t, const struct table_conf *conf)
{
	struct table_walk walk = { 0 };
	size_t in_zones = 0, i;
	struct node *node;
	unsigned labels;

	t->ends = *zones_ends(t->zones);
	if (conf->ptr)
		table_note_reverse(t);
	for (i = 0; i < zones_count(t->zones); i++)
		in_zones += t->zone_names[i];
	if (t->held == in_zones)
		return;
	while (!t->ends.all && (node = table_walk_next(t, &walk))) {
		if (node->zone != NODE_NO_ZONE)
			continue;
		labels = node_prefix_labels(node);
		/* A wildcard below the root or a name of one label answers for any name. */
		if (labels <= 2 && node->flags & NODE_WILDCARD)
			t->ends.all = true;
		else if (labels >= 2)
			zone_ends_add(&t->ends, node_end_hash(node));
	}
}

/* ---- vaults ---------------------------------------------------------------------------------- */

static void put_vault(uint64_t *vaults, size_t size, uint64_t key)
{
	size_t at = key % size;

	while (vaults[at] && vaults[at] != key)
		at = (at + 1) % size;
	vaults[at] = key;
}

/* A vault has five names or seven, so nobody knows beforehand how many there are. */
static int grow_vaults(struct table *table)
{
	size_t size = table->vaults_size ? 2 * table->vaults_size : 64, i;
	uint64_t *vaults = calloc(size, sizeof(*vaults));

	if (!vaults)
		return -1;
	for (i = 0; i < table->vaults_size; i++)
		if (table->vaults[i])
			put_vault(vaults, size, table->vaults[i]);
	free(table->vaults);
	table->vaults = vaults;
	table->vaults_size = size;
	return 0;
}

static int add_vaults(struct table *table)
{
	const struct zones *zones = table->zones;
	struct table_walk walk = { 0 };
	const struct node *node;
	size_t names = 0, vaults = 0, i;
	struct name name;
	uint64_t key;

	for (i = 0; i < zones_count(zones); i++)
		if (zones_is_site_recovery(zones, i))
			names += table->zone_names[i];
	while (names && (node = table_walk_next(table, &walk))) {
		if (node->zone == NODE_NO_ZONE || !zones_is_site_recovery(zones, node->zone))
			continue;
		node_spell(zones, node, &name);
		key = table_vault_key(table, &name);
		if (!key || table_vault_known(table, &name))
			continue;
		if (4 * ++vaults > 3 * table->vaults_size && grow_vaults(table) < 0)
			return -1;
		put_vault(table->vaults, table->vaults_size, key);
	}
	return 0;
}

struct table *table_new(const struct zones *zones, struct record_set *const *sets, size_t count,
			const struct table_conf *conf, struct complaints *complaints)
{
	struct table *table = calloc(1, sizeof(*table));
	struct assembly a = { .table = table, .conf = conf, .complaints = complaints };
	struct name star;

	if (!table)
		return NULL;
	table->zones = zones;
	name_from_text(&star, "*", 1);
	table->star_hash = star.label_hash[0];
	table->zone_names = calloc(zones_count(zones) + 1, sizeof(*table->zone_names));
	table->zone_wildcards = calloc(zones_count(zones) + 1, sizeof(*table->zone_wildcards));
	a.apex_done = calloc(zones_count(zones) + 1, sizeof(*a.apex_done));
	a.one = calloc(zones_count(zones) + 1, sizeof(*a.one));
	if (!table->zone_names || !table->zone_wildcards || !a.apex_done || !a.one)
		goto fail;
	if (take_sets(table, sets, count) < 0 || add_names(&a) < 0 || add_empties(&a) < 0)
		goto fail;
	add_ends(table, conf);
	if (table_cut_loops(table, complaints) < 0 || add_vaults(table) < 0)
		goto fail;
	if (conf->ptr && table_add_addresses(table) < 0)
		goto fail;
	free(a.apex_done);
	free(a.one);
	return table;
fail:
	free(a.apex_done);
	free(a.one);
	node_index_fini(&a.empties);
	table_free(table);
	return NULL;
}
