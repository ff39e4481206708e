/* SPDX-License-Identifier: MIT */
/*
 * A query's name is hashed once, by whoever read it; here it costs a probe or a few.
 *
 * In a served zone: the name itself, then (Site Recovery) the name with its hyphen toggled,
 * then a wildcard. Elsewhere: the private form of a public one, or the name itself, the address
 * of a reverse name, then a wildcard. An index slot is eight octets and says by 16 bits of hash
 * whether the node is worth a look, so a name that we do not hold is nearly always dismissed
 * within one cache line for each form.
 *
 * Wildcards are RFC 4592's: the closest encloser is looked for from the name upwards, only
 * where there are wildcards at all, and only its own `*` child counts. An empty non-terminal is
 * in the index as a node without records and stops a wildcard like any other name. An apex
 * always exists.
 *
 * A name above what we hold is in the index too, even above a served or public zone, where it
 * is nobody's business but an upstream's: so that an NXDOMAIN from there can be seen to be
 * untrue.
 *
 * Names that end in nothing of ours (which is most of what a forwarder is asked for) are told by
 * the hash of their last two labels, before any of that.
 *
 * Pure look-up, any thread, nothing is allocated. assemble.c builds.
 */
#include "zone/table.h"

#include <string.h>

#include "wire/types.h"
#include "zone/assemble.h"

/* What stands between a vault's id and the rest of a Site Recovery name's first label. */
#define VAULT_MARK "-asr-pod"

/* An index of fewer slots is in the processor's cache anyway: half a megabyte. */
#define EXPECT_SLOTS_MIN 65536
/* Slots of one cache line. */
#define EXPECT_PROBES 8

static const uint8_t star[2] = { 1, '*' };

/* Stands for an empty non-terminal that is a mere mark in the index. */
static const struct node nothing;

const struct node *table_node(const struct table *table, const uint8_t *head, size_t head_len,
			      uint64_t hash, const struct name *name, unsigned labels)
{
	uint64_t slot =
		*node_index_find(&table->names, table->zones, hash, head, head_len, name, labels);

	return node_slot_is_above(slot) ? &nothing : node_slot_node(slot);
}

/* The node of the name, or of its last labels. */
static const struct node *find(const struct table *table, const struct name *name, unsigned labels)
{
	return table_node(table, star, 0, name->hash[labels], name, labels);
}

static bool is_held(const struct node *node)
{
	return node && node->sets;
}

/*
 * RFC 4592: the wildcard that a name is made from, which is not there itself; `floor` labels at
 * its end exist in any case.
 */
static const struct node *find_wildcard(const struct table *table, const struct name *name,
					unsigned floor)
{
	const struct node *node;
	unsigned k = name->labels;

	if (k <= floor)
		return NULL;
	while (--k > floor && !find(table, name, k))
		;
	node = table_node(table, star, sizeof(star),
			  name_hash_extend(name->hash[k], table->star_hash), name, k);
	return is_held(node) ? node : NULL;
}

/* The name with a hyphen more or less at the end of its first label. */
static bool toggle_hyphen(const struct name *name, struct name *ret)
{
	uint8_t wire[NAME_WIRE_MAX + 1];
	unsigned first = name->fold[0], rest = name->len - first - 1u;

	if (name->fold[first] == '-') {
		if (first == 1)
			return false;
		wire[0] = (uint8_t)(first - 1);
		memcpy(wire + 1, name->fold + 1, first - 1);
		memcpy(wire + first, name->fold + first + 1, rest);
		return name_from_wire(ret, wire, first + rest) == 0;
	}
	if (first == NAME_LABEL_MAX || name->len == NAME_WIRE_MAX)
		return false;
	wire[0] = (uint8_t)(first + 1);
	memcpy(wire + 1, name->fold + 1, first);
	wire[first + 1] = '-';
	memcpy(wire + first + 2, name->fold + first + 1, rest);
	return name_from_wire(ret, wire, first + 2 + rest) == 0;
}

/* The held name that a Site Recovery name stands for on a miss, into `ret`. */
static const struct node *find_toggled(const struct table *table, const struct name *name,
				       const struct zone_match *match, struct name *ret)
{
	const struct node *node;

	if (!zones_is_site_recovery(table->zones, match->zone) ||
	    name->labels == match->apex_labels || !toggle_hyphen(name, ret))
		return NULL;
	node = find(table, ret, ret->labels);
	return is_held(node) ? node : NULL;
}

static void hit(struct table_hit *ret, enum table_match match, const struct node *node)
{
	ret->match = match;
	ret->node = node;
	ret->wildcard = node && node->flags & NODE_WILDCARD;
}

void table_hit_zone(struct table_hit *ret, const struct zone_match *match)
{
	ret->in_zone = true;
	ret->zone = match->zone;
	ret->apex_labels = match->apex_labels;
}

void table_hit_target(struct table_hit *ret, const struct name *target)
{
	memcpy(ret->target, target->fold, target->len);
	ret->target_len = target->len;
	ret->target_labels = target->labels;
}

/*
 * The node that holds the name of this hash in this zone: the first octets of `name`, and then the
 * zone's tail, which need not be there. NULL: nothing is held there, or only the name as a whole
 * tells.
 */
static const struct node *find_held(const struct table *table, uint64_t hash, uint16_t zone,
				    const struct name *name, size_t prefix_len)
{
	uint64_t slot = *node_index_find_prefix(&table->names, hash, zone, name->fold, prefix_len);
	const struct node *node = node_slot_node(slot);

	return is_held(node) ? node : NULL;
}

static void look_in_zone(const struct table *table, const struct name *name,
			 const struct zone_match *match, struct table_hit *ret)
{
	size_t prefix_len = node_prefix_of(table->zones, name, match->zone);
	const struct node *node = find_held(table, name_hash(name), match->zone, name, prefix_len);
	const struct node *other;
	struct name toggled;

	table_hit_zone(ret, match);
	ret->apex = name->labels == match->apex_labels;
	if (node) {
		hit(ret, TABLE_HELD, node);
		return;
	}
	other = find_toggled(table, name, match, &toggled);
	if (other) {
		table_hit_target(ret, &toggled);
		hit(ret, TABLE_ALIAS, other);
		return;
	}
	node = find(table, name, name->labels);
	if (node || ret->apex) {
		hit(ret, TABLE_ENT, node);
		return;
	}
	if (table->zone_wildcards[match->zone]) {
		other = find_wildcard(table, name, match->apex_labels);
		if (other) {
			hit(ret, TABLE_HELD, other);
			return;
		}
	}
	hit(ret, TABLE_ABSENT, NULL);
}

/* The private form of the name, if it is held by itself, without writing out what is not. */
static bool look_at_plain_form(const struct table *table, const struct name *name,
			       const struct zone_form *form, struct table_hit *ret)
{
	const struct zone_tail *tail = zones_form_tail(table->zones, form);
	size_t prefix_len = name->at[form->prefix_labels];
	const struct node *node;

	if (!tail || prefix_len + tail->len > NAME_WIRE_MAX)
		return false;
	node = find_held(table, zones_form_hash(table->zones, name, form), form->zone, name,
			 prefix_len);
	if (!node)
		return false;
	memcpy(ret->target, name->fold, prefix_len);
	memcpy(ret->target + prefix_len, tail->wire, tail->len);
	ret->target_len = (uint8_t)(prefix_len + tail->len);
	ret->target_labels = (uint8_t)(form->prefix_labels + tail->labels);
	ret->in_zone = true;
	ret->zone = form->zone;
	ret->apex_labels = tail->labels;
	hit(ret, TABLE_ALIAS, node);
	return true;
}

/* One private form of the name: does anything hold it? */
static bool look_at_form(const struct table *table, const struct name *name,
			 const struct zone_form *form, struct table_hit *ret, bool *empty)
{
	const struct node *node, *other = NULL;
	struct name private, toggled, *target = &private;
	struct zone_match match;

	if (look_at_plain_form(table, name, form, ret))
		return true;
	if (zones_private_form(table->zones, name, form, &private) < 0)
		return false;
	zones_form_match(table->zones, form, &private, &match);
	node = find(table, &private, private.labels);
	if (is_held(node)) {
		other = node;
	} else if ((other = find_toggled(table, &private, &match, &toggled))) {
		target = &toggled;
	} else if (node) {
		*empty = true;
	} else if (table->zone_wildcards[match.zone]) {
		other = find_wildcard(table, &private, match.apex_labels);
	}
	if (!other)
		return false;
	table_hit_target(ret, target);
	table_hit_zone(ret, &match);
	hit(ret, TABLE_ALIAS, other);
	return true;
}

static void look_outside(const struct table *table, const struct name *name,
			 const struct zone_near *near, struct table_hit *ret)
{
	struct zone_form forms[ZONE_FORMS_MAX];
	const struct node *own, *node;
	struct name apex;
	bool empty = false;
	unsigned n, i;

	/* A public form is never held as it is: the builder has the same zones and folds it. */
	n = zones_near_forms(table->zones, name, near->below, forms);
	for (i = 0; i < n; i++)
		if (look_at_form(table, name, &forms[i], ret, &empty))
			return;
	own = find(table, name, name->labels);
	if (is_held(own)) {
		hit(ret, TABLE_HELD, own);
		return;
	}
	if (table_look_reverse(table, name, ret))
		return;
	empty |= own != NULL;
	n = empty ? 0 : zones_near_forms(table->zones, name, near->apex, forms);
	for (i = 0; i < n && !empty; i++)
		empty = zones_private_form(table->zones, name, &forms[i], &apex) == 0 &&
			find(table, &apex, apex.labels);
	if (empty) {
		hit(ret, TABLE_ENT, own);
		return;
	}
	if (table->zone_wildcards[zones_count(table->zones)]) {
		node = find_wildcard(table, name, 0);
		if (node) {
			hit(ret, TABLE_HELD, node);
			return;
		}
	}
	hit(ret, TABLE_NONE, NULL);
}

void table_lookup(const struct table *table, const struct name *name, struct table_hit *ret)
{
	struct zone_near near;

	ret->in_zone = ret->apex = false;
	ret->zone = 0;
	ret->apex_labels = 0;
	if (!zone_ends_may_have(&table->ends, name)) {
		hit(ret, TABLE_NONE, NULL);
		return;
	}
	zones_near(table->zones, name, &near);
	if (near.served)
		look_in_zone(table, name, &near.match, ret);
	else
		look_outside(table, name, &near, ret);
}

uint64_t table_expect(const struct table *table, const struct name *name)
{
	struct zone_form forms[ZONE_FORMS_MAX];
	uint64_t hash = name_hash(name);
	struct zone_near near;

	if (table->names.size < EXPECT_SLOTS_MIN || !zone_ends_may_have(&table->ends, name))
		return 0;
	zones_near(table->zones, name, &near);
	if (zones_near_forms(table->zones, name, near.below, forms) > 0)
		hash = zones_form_hash(table->zones, name, &forms[0]);
	__builtin_prefetch(&table->names.slots[node_index_home(&table->names, hash)]);
	return hash;
}

void table_expect_node(const struct table *table, uint64_t expected)
{
	const struct node_index *index = &table->names;
	size_t at, left = EXPECT_PROBES;

	if (!expected)
		return;
	for (at = node_index_home(index, expected); index->slots[at] && left-- > 0;
	     at = node_index_step(index, at)) {
		if (node_slot_may_be(index->slots[at], expected)) {
			__builtin_prefetch(node_slot_node(index->slots[at]));
			return;
		}
	}
}

/* ---- what else is asked of a table ----------------------------------------------------------- */

uint64_t table_vault_key(const struct table *table, const struct name *name)
{
	const uint8_t *label = name->fold + 1, *mark;
	struct zone_match match;
	uint64_t key;

	if (!zones_match_served(table->zones, name, &match) || name->labels == match.apex_labels ||
	    !zones_is_site_recovery(table->zones, match.zone))
		return 0;
	mark = memmem(label, name->fold[0], VAULT_MARK, sizeof(VAULT_MARK) - 1);
	if (!mark || mark == label)
		return 0;
	key = hash_join(match.zone, hash_bytes(label, (size_t)(mark - label)));
	return key ? key : 1;
}

bool table_vault_known(const struct table *table, const struct name *name)
{
	uint64_t key = table->vaults_size ? table_vault_key(table, name) : 0;
	size_t at;

	if (!key)
		return false;
	for (at = key % table->vaults_size; table->vaults[at]; at = (at + 1) % table->vaults_size)
		if (table->vaults[at] == key)
			return true;
	return false;
}

void node_name(const struct table *table, const struct node *node, struct name *ret)
{
	node_spell(table->zones, node, ret);
}

uint32_t table_record_set(const struct table *table, const struct node *node,
			  const struct node_record *record)
{
	uintptr_t at = (uintptr_t)node;
	size_t low = 0, high = table->ranges_count, mid;

	if (node->flags & NODE_MERGED)
		return node_record_set(record);
	while (high - low > 1) {
		mid = low + (high - low) / 2;
		if (table->ranges[mid].from <= at)
			low = mid;
		else
			high = mid;
	}
	return table->ranges[low].set;
}

const char *node_record_path(const struct table *table, const struct node *node,
			     const struct node_rrset *rrset, const struct node_record *record)
{
	(void)rrset;
	return table->sets[table_record_set(table, node, record)]->path;
}

const char *table_where(const struct table *table, const struct node *node, uint16_t type,
			unsigned *ret_line)
{
	struct node_record record;
	struct node_rrset rrset;
	size_t at = 0;

	*ret_line = 0;
	if (!node_find(node, type, &rrset) || !node_record_next(&rrset, &at, &record))
		return "";
	*ret_line = record.line;
	return node_record_path(table, node, &rrset, &record);
}

const struct node *table_next(const struct table *table, size_t *at)
{
	const struct node *node;

	uint64_t slot;

	while (*at < table->names.size) {
		slot = table->names.slots[(*at)++];
		node = node_slot_node(slot);
		if (!node_slot_is_above(slot) && is_held(node))
			return node;
	}
	return NULL;
}

size_t table_names(const struct table *table)
{
	return table->held;
}

size_t table_records(const struct table *table)
{
	return table->records;
}

size_t table_zone_names(const struct table *table, uint16_t zone)
{
	return table->zone_names[zone];
}

const struct zones *table_zones(const struct table *table)
{
	return table->zones;
}
