/* SPDX-License-Identifier: MIT */
/*
 * A million records have to fit into some 60 octets each, names, provenance and both indexes
 * included; and a load must not need twice that while it runs. So records go into their final form
 * the moment they come in, and nothing is kept that can be computed:
 *
 *  - A name is stored without the end that its zone has anyway, once, and its hash not at all:
 *    making the hash again takes some 50 ns, only when a table is made.
 *  - Nodes have no pointers in them and none to the set they belong to: the table knows which
 *    addresses belong to which set.
 *  - The index has eight octets a name (index.c).
 *
 * Records of one name mostly come one after the other; then its node is the pool's last and simply
 * grows. When one comes later the node moves to the end, with room to spare from the second time
 * on, so that moving costs a constant for each octet added. Compaction takes out what was left
 * behind.
 *
 * A large pool is made of huge pages (base/pages.h), since look-ups go to one node and then to
 * quite another.
 *
 * One thread fills; then constant, any thread.
 */
#include "zone/node.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/pages.h"
#include "wire/types.h"

/*
 * The first chunk of a pool, for files of a few dozen records; each next one is twice as large up
 * to CHUNK_MAX. A pool of POOL_LARGE goes on in huge pages: what stays empty of its last one is
 * given back, but a huge page that is cut is none.
 */
#define CHUNK_MIN 4096
#define CHUNK_MAX (512 * 1024)
#define POOL_LARGE ((size_t)4 << 20)

static void chunk_free(struct node_chunk *chunk)
{
	pages_give(chunk, chunk->size);
}

void node_pool_fini(struct node_pool *pool)
{
	struct node_chunk *chunk, *next;

	for (chunk = pool->first; chunk; chunk = next) {
		next = chunk->next;
		chunk_free(chunk);
	}
	memset(pool, 0, sizeof(*pool));
}

static size_t round_up(size_t len)
{
	return (len + NODE_ALIGN - 1) / NODE_ALIGN * NODE_ALIGN;
}

/* A chunk behind the last, with room for `len` octets at least. */
static struct node_chunk *chunk_new(struct node_pool *pool, size_t len)
{
	struct node_chunk *chunk = pool->last;
	size_t size = CHUNK_MIN;

	if (pool->bytes >= POOL_LARGE)
		size = PAGES_HUGE;
	else if (chunk)
		size = chunk->size < CHUNK_MAX / 2 ? 2 * chunk->size : CHUNK_MAX;
	if (size < len + sizeof(*chunk))
		size = len + sizeof(*chunk);
	chunk = pages_take(size);
	if (!chunk)
		return NULL;
	*chunk = (struct node_chunk){ .size = size, .cap = size - sizeof(*chunk) };
	if (pool->last)
		pool->last->next = chunk;
	else
		pool->first = chunk;
	pool->last = chunk;
	pool->bytes += size;
	return chunk;
}

/* `len` octets behind the last node. */
static struct node *pool_take(struct node_pool *pool, size_t len)
{
	struct node_chunk *chunk = pool->last;
	struct node *node;

	len = round_up(len);
	if (!chunk || chunk->cap - chunk->used < len) {
		chunk = chunk_new(pool, len);
		if (!chunk)
			return NULL;
	}
	node = (struct node *)(chunk->data + chunk->used);
	chunk->used += len;
	node->cap = (uint16_t)(len / NODE_ALIGN);
	return node;
}

void node_pool_trim(struct node_pool *pool)
{
	struct node_chunk *chunk = pool->last;

	/* malloc's chunks are too small to matter. */
	if (!chunk || chunk->size < PAGES_HUGE)
		return;
	pages_trim(chunk, chunk->size, sizeof(*chunk) + chunk->used);
	pool->bytes -= chunk->cap - chunk->used;
	chunk->cap = chunk->used;
}

static struct node_set *first_set(const struct node *node)
{
	return (struct node_set *)(node->body + node->prefix_len);
}

static struct node_set *next_set(const struct node_set *set)
{
	return (struct node_set *)(set->records + set->len);
}

/* Octets in use. */
static size_t node_len(const struct node *node)
{
	const struct node_set *set = first_set(node);
	unsigned i;

	for (i = 0; i < node->sets; i++)
		set = next_set(set);
	return (size_t)((const uint8_t *)set - (const uint8_t *)node);
}

uint16_t node_zone_of(const struct zones *zones, const struct name *name)
{
	struct zone_match match;

	return zones_match_served(zones, name, &match) ? match.zone : NODE_NO_ZONE;
}

size_t node_prefix_of(const struct zones *zones, const struct name *name, uint16_t zone)
{
	return zone == NODE_NO_ZONE ? name->len
				    : name->at[name->labels - zones_tail(zones, zone)->labels];
}

unsigned node_wildcard_of(const struct name *name)
{
	return name->labels && name->fold[0] == 1 && name->fold[1] == '*' ? NODE_WILDCARD : 0;
}

/* A node of the name with room for so many octets of records. */
static struct node *start(struct node_pool *pool, uint16_t zone, const uint8_t *prefix,
			  size_t prefix_len, unsigned flags, size_t room)
{
	struct node *node = pool_take(pool, offsetof(struct node, body) + prefix_len + room);

	if (!node)
		return NULL;
	node->zone = zone;
	node->flags = (uint8_t)flags;
	node->prefix_len = (uint8_t)prefix_len;
	node->sets = 0;
	memcpy(node->body, prefix, prefix_len);
	return node;
}

struct node *node_new(struct node_pool *pool, uint16_t zone, const uint8_t *prefix,
		      size_t prefix_len, unsigned flags)
{
	return start(pool, zone, prefix, prefix_len, flags, 0);
}

struct node *node_new_of(struct node_pool *pool, const struct zones *zones, const struct name *name,
			 uint16_t zone, unsigned flags)
{
	return node_new(pool, zone, name->fold, node_prefix_of(zones, name, zone),
			flags | node_wildcard_of(name));
}

struct node *node_pool_next(const struct node_pool *pool, struct node_chunk **chunk,
			    struct node *node)
{
	uint8_t *at;

	if (!node) {
		*chunk = pool->first;
		at = *chunk ? (*chunk)->data : NULL;
	} else {
		at = (uint8_t *)node + (size_t)node->cap * NODE_ALIGN;
	}
	while (*chunk) {
		if (at == (*chunk)->data + (*chunk)->used) {
			*chunk = (*chunk)->next;
			at = *chunk ? (*chunk)->data : NULL;
			continue;
		}
		node = (struct node *)at;
		if (!(node->flags & NODE_DEAD))
			return node;
		at += (size_t)node->cap * NODE_ALIGN;
	}
	return NULL;
}

void node_pool_survey(const struct node_pool *pool, size_t *ret_needed, size_t *ret_taken)
{
	struct node_chunk *chunk;
	struct node *node = NULL;

	*ret_needed = *ret_taken = 0;
	while ((node = node_pool_next(pool, &chunk, node)))
		*ret_needed += round_up(node_len(node));
	for (chunk = pool->first; chunk; chunk = chunk->next)
		*ret_taken += chunk->used;
}

int node_pool_compact(struct node_pool *from, struct node_pool *to)
{
	struct node_chunk *chunk, *done;
	struct node *node = NULL, *copy;
	uint16_t cap;
	size_t len;

	while ((node = node_pool_next(from, &chunk, node))) {
		/* Chunks that the walk has left behind. */
		while (from->first != chunk) {
			done = from->first;
			from->first = done->next;
			chunk_free(done);
		}
		len = node_len(node);
		copy = pool_take(to, len);
		if (!copy)
			return -1;
		cap = copy->cap;
		memcpy(copy, node, len);
		copy->cap = cap;
		copy->flags &= (uint8_t)~NODE_MOVED;
	}
	node_pool_fini(from);
	return 0;
}

static size_t record_len(const struct node *node, size_t rdata_len)
{
	return sizeof(struct node_rr) + rdata_len +
	       (node->flags & NODE_MERGED ? sizeof(uint32_t) : 0);
}

enum node_room node_room(const struct node *node, uint16_t type, size_t rdata_len)
{
	const struct node_set *set = first_set(node);
	size_t count = 0, data_len = 0;
	bool found = false;
	unsigned i;

	for (i = 0; i < node->sets && !found; i++, set = next_set(set)) {
		if (set->type == type) {
			found = true;
			count = set->count;
			data_len = set->len - count * record_len(node, 0);
		}
	}
	if (count + 1 > RECORDS_A_SET_MAX ||
	    data_len + rdata_len + (count + 1) * NODE_RECORD_WIRE_HEAD > NODE_RRSET_WIRE_MAX)
		return NODE_FULL_RRSET;
	if ((!found && node->sets == NODE_SETS_MAX) ||
	    node_len(node) + sizeof(*set) + record_len(node, rdata_len) > NODE_LEN_MAX)
		return NODE_FULL_NAME;
	return NODE_ROOM;
}

/* Brings the node's room up to `need` octets, by moving it if it must. */
static struct node *make_room(struct node_pool *pool, struct node *node, size_t len, size_t need)
{
	struct node_chunk *chunk = pool->last;
	size_t have = (size_t)node->cap * NODE_ALIGN, want = need;
	struct node *copy;
	uint16_t cap;

	if (need <= have)
		return node;
	if ((uint8_t *)node + have == chunk->data + chunk->used &&
	    round_up(need) - have <= chunk->cap - chunk->used) {
		chunk->used += round_up(need) - have;
		node->cap = (uint16_t)(round_up(need) / NODE_ALIGN);
		return node;
	}
	if (node->flags & NODE_MOVED)
		want = need + need / 2 < NODE_LEN_MAX ? need + need / 2 : NODE_LEN_MAX;
	copy = pool_take(pool, want);
	if (!copy)
		return NULL;
	cap = copy->cap;
	memcpy(copy, node, len);
	copy->cap = cap;
	copy->flags |= NODE_MOVED;
	node->flags |= NODE_DEAD;
	return copy;
}

/*
 * Writes a record at its place. Field by field: one written as a whole would be put together beside
 * it and copied, which waits for all writes before it to reach memory.
 */
static void put_record(const struct node *node, uint8_t *at, const struct node_new_record *add)
{
	struct node_rr *rr;

	if (node->flags & NODE_MERGED) {
		memcpy(at, &add->set, sizeof(add->set));
		at += sizeof(add->set);
	}
	rr = (struct node_rr *)at;
	rr->len = add->rdata_len;
	rr->line = add->line;
	memcpy(rr->rdata, add->rdata, add->rdata_len);
}

struct node *node_new_with(struct node_pool *pool, uint16_t zone, const uint8_t *prefix,
			   size_t prefix_len, unsigned flags, const struct node_new_record *first)
{
	struct node *node;
	struct node_set *set;
	size_t len = sizeof(struct node_rr) + first->rdata_len +
		     (flags & NODE_MERGED ? sizeof(first->set) : 0);

	node = start(pool, zone, prefix, prefix_len, flags, sizeof(*set) + len);
	if (!node)
		return NULL;
	node->sets = 1;
	set = first_set(node);
	set->type = first->type;
	set->count = 1;
	set->len = (uint16_t)len;
	set->ttl = first->ttl;
	put_record(node, set->records, first);
	return node;
}

struct node *node_add(struct node_pool *pool, struct node *node, const struct node_new_record *add)
{
	size_t len = node_len(node), need = record_len(node, add->rdata_len), shift;
	struct node_set *set;
	uint8_t *at;
	unsigned i;

	for (i = 0, set = first_set(node); i < node->sets && set->type != add->type; i++)
		set = next_set(set);
	shift = (size_t)((uint8_t *)set - (uint8_t *)node);
	node = make_room(pool, node, len, len + need + (i == node->sets ? sizeof(*set) : 0));
	if (!node)
		return NULL;
	set = (struct node_set *)((uint8_t *)node + shift);
	if (i == node->sets) {
		*set = (struct node_set){ .type = add->type, .ttl = add->ttl };
		node->sets++;
		len += sizeof(*set);
	}
	at = set->records + set->len;
	memmove(at + need, at, (size_t)((uint8_t *)node + len - at));
	set->count++;
	set->len = (uint16_t)(set->len + need);
	put_record(node, at, add);
	return node;
}

void node_set_ttl(struct node *node, uint16_t type, uint32_t ttl)
{
	struct node_set *set = first_set(node);
	unsigned i;

	for (i = 0; i < node->sets; i++, set = next_set(set))
		if (set->type == type)
			set->ttl = ttl;
}

/* ---- reading: the part that table.h declares ------------------------------------------------- */

static void open_set(const struct node *node, const struct node_set *set, struct node_rrset *ret)
{
	*ret = (struct node_rrset){ .type = set->type,
				    .count = set->count,
				    .ttl = set->ttl,
				    .data = set->records,
				    .opaque = node };
}

bool node_find(const struct node *node, uint16_t type, struct node_rrset *ret)
{
	const struct node_set *set = first_set(node);
	unsigned i;

	for (i = 0; i < node->sets; i++, set = next_set(set)) {
		if (set->type == type) {
			open_set(node, set, ret);
			return true;
		}
	}
	return false;
}

bool node_next(const struct node *node, size_t *at, struct node_rrset *ret)
{
	const struct node_set *set =
		(const struct node_set *)((const uint8_t *)first_set(node) + *at);

	if (*at ==
	    node_len(node) - (size_t)((const uint8_t *)first_set(node) - (const uint8_t *)node))
		return false;
	open_set(node, set, ret);
	*at += sizeof(*set) + set->len;
	return true;
}

uint32_t node_ttl(const struct node *node)
{
	const struct node_set *set = first_set(node);
	uint32_t ttl = node->sets ? set->ttl : 0;
	unsigned i;

	for (i = 0; i < node->sets; i++, set = next_set(set))
		if (set->ttl < ttl)
			ttl = set->ttl;
	return ttl;
}

bool node_record_next(const struct node_rrset *rrset, size_t *at, struct node_record *ret)
{
	const struct node *node = rrset->opaque;
	const struct node_set *set =
		(const struct node_set *)(rrset->data - offsetof(struct node_set, records));
	const struct node_rr *rr;

	if (*at >= set->len)
		return false;
	rr = (const struct node_rr *)(rrset->data + *at +
				      (node->flags & NODE_MERGED ? sizeof(uint32_t) : 0));
	*ret = (struct node_record){ .rdata = rr->rdata, .rdata_len = rr->len, .line = rr->line };
	*at += record_len(node, rr->len);
	return true;
}

uint32_t node_record_set(const struct node_record *record)
{
	uint32_t set;

	memcpy(&set, record->rdata - sizeof(struct node_rr) - sizeof(set), sizeof(set));
	return set;
}

bool node_rrset_has(const struct node_rrset *rrset, const uint8_t *rdata, size_t rdata_len,
		    struct node_record *ret)
{
	bool is_name =
		rrset->type == TYPE_CNAME || rrset->type == TYPE_PTR || rrset->type == TYPE_NS;
	size_t at = 0;

	while (node_record_next(rrset, &at, ret)) {
		if (ret->rdata_len != rdata_len)
			continue;
		if (memcmp(ret->rdata, rdata, rdata_len) == 0 ||
		    (is_name && name_wire_equal(ret->rdata, rdata)))
			return true;
	}
	return false;
}

/* ---- names ----------------------------------------------------------------------------------- */

static struct zone_tail tail_of(const struct zones *zones, const struct node *node)
{
	if (node->zone == NODE_NO_ZONE)
		return (struct zone_tail){ .hash = NAME_ROOT_HASH };
	return *zones_tail(zones, node->zone);
}

void node_spell(const struct zones *zones, const struct node *node, struct name *ret)
{
	struct zone_tail tail = tail_of(zones, node);
	uint8_t wire[NAME_WIRE_MAX];
	int bad;

	memcpy(wire, node->body, node->prefix_len);
	if (tail.len)
		memcpy(wire + node->prefix_len, tail.wire, tail.len);
	bad = name_from_wire(ret, wire, (size_t)node->prefix_len + tail.len);
	assert(!bad);
	(void)bad;
}

/*
 * Where the prefix's labels begin; how many there are. The root of a name outside zones is not
 * one.
 */
static unsigned prefix_labels(const struct node *node, uint8_t at[NAME_LABELS_MAX])
{
	unsigned n = 0, i;

	for (i = 0; i < node->prefix_len && node->body[i]; i += node->body[i] + 1u)
		at[n++] = (uint8_t)i;
	return n;
}

unsigned node_prefix_labels(const struct node *node)
{
	uint8_t at[NAME_LABELS_MAX];

	return prefix_labels(node, at);
}

uint64_t node_hash(const struct zones *zones, const struct node *node)
{
	uint8_t at[NAME_LABELS_MAX];
	unsigned n = prefix_labels(node, at);
	uint64_t hash = tail_of(zones, node).hash;

	while (n-- > 0)
		hash = name_hash_extend(hash,
					hash_bytes(node->body + at[n] + 1, node->body[at[n]]));
	return hash;
}

uint64_t node_end_hash(const struct node *node)
{
	uint8_t at[NAME_LABELS_MAX];
	unsigned n = prefix_labels(node, at), i;
	uint64_t hash = NAME_ROOT_HASH;

	assert(node->zone == NODE_NO_ZONE);
	for (i = 1; i <= 2 && n >= 2; i++)
		hash = name_hash_extend(
			hash, hash_bytes(node->body + at[n - i] + 1, node->body[at[n - i]]));
	return n >= 2 ? hash : 0;
}

bool node_is(const struct zones *zones, const struct node *node, const uint8_t *head,
	     size_t head_len, const struct name *name, unsigned labels)
{
	const uint8_t *rest = name->fold + name->at[name->labels - labels];
	size_t rest_len = name->len - name->at[name->labels - labels], body;
	const struct zone_tail *tail;

	if (node->prefix_len < head_len)
		return false;
	body = node->prefix_len - head_len;
	if (node->zone == NODE_NO_ZONE)
		return body == rest_len && memcmp(node->body, head, head_len) == 0 &&
		       memcmp(node->body + head_len, rest, body) == 0;
	tail = zones_tail(zones, node->zone);
	return body + tail->len == rest_len && memcmp(node->body, head, head_len) == 0 &&
	       memcmp(node->body + head_len, rest, body) == 0 &&
	       memcmp(tail->wire, rest + body, tail->len) == 0;
}

bool node_is_below(const struct zones *zones, const struct node *node, const uint8_t *head,
		   size_t head_len, const struct name *name, unsigned labels)
{
	const uint8_t *rest = name->fold + name->at[name->labels - labels];
	size_t rest_len = name->len - name->at[name->labels - labels], len, from, at = 0;
	struct zone_tail tail = tail_of(zones, node);
	uint8_t wire[NAME_WIRE_MAX];

	len = (size_t)node->prefix_len + tail.len;
	if (len <= head_len + rest_len)
		return false;
	memcpy(wire, node->body, node->prefix_len);
	if (tail.len)
		memcpy(wire + node->prefix_len, tail.wire, tail.len);
	from = len - head_len - rest_len;
	while (at < from)
		at += wire[at] + 1u;
	return at == from && memcmp(wire + at, head, head_len) == 0 &&
	       memcmp(wire + at + head_len, rest, rest_len) == 0;
}
