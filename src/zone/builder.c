/* SPDX-License-Identifier: MIT */
/*
 * Readers of all formats push records in here, in whatever order their files have. What comes out
 * is one set a file: each name once, under its private form, with all its records.
 *
 * Every record goes into its final place at once (node.c), so a load takes little more memory than
 * what it leaves behind: an index from names to nodes, which only lives while the file is read.
 * When records of one name lay far apart, moving nodes left holes; if those are more than an
 * eighth of the whole, finishing takes them out.
 *
 * The rules of a set are kept here, where the line is known: which types may be held, CNAME alone,
 * one TTL a set, duplicates folded, limits. Rules between files are the table's. A record that
 * breaks one is complained of and left out, and the build goes on.
 *
 * A name's slot in a large index is somewhere in memory, and fetching it takes longer than reading
 * a line. So the last few records wait: what needs a record's slot is done when some more have come
 * (builder_settle), by when the slot is at hand. Whoever complains meanwhile lets them go first, so
 * that nobody sees the difference.
 *
 * Time is linear in the input: a name costs one look-up by a keyed hash, a record one comparison
 * with each of its RRset, which has at most RECORDS_A_SET_MAX.
 *
 * Loading thread. Nothing is logged here; complaints go where the caller wants them.
 */
#include "zone/builder.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/types.h"
#include "zone/index.h"
#include "zone/node.h"

/* Names that the first index has room for. */
#define INDEX_FIRST 64
/* TTLs with the top bit set mean 0 (RFC 2181 8). */
#define TTL_MAX 0x7fffffff

/* Octets of data that are kept while a record waits; one with more does not. */
#define WAITING_DATA_MAX 256
/* Records that wait: a power of two, and so few that what they hold stays at hand. */
#define WAITING_MAX 8

/* A record that is good in itself, to be put beside those of its name. */
struct waiting {
	uint64_t hash; /* of the owner as it is held, */
	uint16_t zone; /* its zone, */
	uint8_t flags; /* of its node, */
	uint8_t prefix_len;
	uint8_t prefix[NAME_WIRE_MAX]; /* and what stands before the zone's tail */
	uint8_t given[NAME_WIRE_MAX];  /* owner as it came, for complaints */
	uint16_t type, rdata_len;
	uint32_t ttl;
	unsigned line;
	const uint8_t *rdata; /* `data`, or the caller's */
	uint8_t data[WAITING_DATA_MAX];
};

struct builder {
	const struct zones *zones;
	struct builder_conf conf;
	struct complaints *complaints;
	struct record_set *set;
	struct node_index index;
	size_t room; /* names that the index has room for */
	struct zone_placing placing;
	struct waiting waiting[WAITING_MAX];
	unsigned first, waits; /* of a ring: who is next, and how many there are */
	bool settling;
	bool full_told; /* records_max was complained of */
	bool no_memory;
};

static void settle_first(void *builder);

/* ---- life ------------------------------------------------------------------------------------ */

struct record_set *record_set_ref(struct record_set *set)
{
	/* Whoever takes another reference holds one, so nothing has to be ordered. */
	atomic_fetch_add_explicit(&set->refs, 1, memory_order_relaxed);
	return set;
}

void record_set_unref(struct record_set *set)
{
	/* Released by each, so that the last sees what all others did before. */
	if (!set || atomic_fetch_sub_explicit(&set->refs, 1, memory_order_acq_rel) > 1)
		return;
	node_pool_fini(&set->pool);
	free(set->path);
	free(set);
}

const char *record_set_path(const struct record_set *set)
{
	return set->path;
}

size_t record_set_records(const struct record_set *set)
{
	return set->records;
}

size_t record_set_names(const struct record_set *set)
{
	return set->names;
}

size_t record_set_bytes(const struct record_set *set)
{
	return sizeof(*set) + strlen(set->path) + 1 + set->pool.bytes;
}

const struct node *record_set_next(const struct record_set *set, void **walk,
				   const struct node *node)
{
	struct node_chunk *chunk = *walk;
	const struct node *next = node;

	do
		/* The pool's walk gives what may be written to; a finished set is not. */
		next = node_pool_next(&set->pool, &chunk, (struct node *)(uintptr_t)next);
	while (next && !next->sets);
	*walk = chunk;
	return next;
}

void record_set_name(const struct record_set *set, const struct node *node, struct name *ret)
{
	node_spell(set->zones, node, ret);
}

uint64_t record_set_hash(const struct record_set *set, const struct node *node)
{
	return node_hash(set->zones, node);
}

struct builder *builder_new(const struct zones *zones, const struct builder_conf *conf,
			    struct complaints *complaints)
{
	struct builder *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->zones = zones;
	b->conf = *conf;
	b->complaints = complaints;
	b->set = calloc(1, sizeof(*b->set));
	if (!b->set)
		goto fail;
	atomic_init(&b->set->refs, 1);
	b->set->zones = zones;
	b->set->path = strdup(conf->path);
	if (!b->set->path || node_index_init(&b->index, INDEX_FIRST, true) < 0)
		goto fail;
	b->conf.path = b->set->path;
	b->room = INDEX_FIRST;
	if (complaints) {
		complaints->first = settle_first;
		complaints->first_arg = b;
	}
	return b;
fail:
	builder_free(b);
	return NULL;
}

void builder_free(struct builder *builder)
{
	if (!builder)
		return;
	if (builder->complaints && builder->complaints->first_arg == builder)
		builder->complaints->first = NULL;
	record_set_unref(builder->set);
	node_index_fini(&builder->index);
	free(builder);
}

void builder_set_claims(struct builder *builder, bool lines_are_claims)
{
	builder_settle(builder);
	builder->conf.lines_are_claims = lines_are_claims;
}

size_t builder_count(struct builder *builder)
{
	builder_settle(builder);
	return builder->set ? builder->set->records : 0;
}

struct record_set *builder_finish(struct builder *builder)
{
	struct record_set *set = builder->set;
	struct node_pool fitted = { 0 };
	size_t needed, taken;

	builder_settle(builder);
	node_index_fini(&builder->index);
	if (!set || builder->no_memory)
		return NULL;
	node_pool_survey(&set->pool, &needed, &taken);
	if (taken - needed > needed / 8) {
		if (node_pool_compact(&set->pool, &fitted) < 0) {
			node_pool_fini(&fitted);
			return NULL;
		}
		set->pool = fitted;
	}
	node_pool_trim(&set->pool);
	builder->set = NULL;
	return set;
}

/* ---- one record ------------------------------------------------------------------------------ */

/* A record on its way in. */
struct incoming {
	const struct name *given; /* owner as it came */
	const struct name *owner; /* and as it is held */
	struct zone_place place;
	uint16_t type;
	uint32_t ttl;
	const uint8_t *rdata;
	size_t rdata_len;
	unsigned line;
};

static void tell(struct builder *b, enum complaint_level level, const uint8_t *owner, uint16_t type,
		 unsigned line, const char *what)
{
	char text[NAME_TEXT_MAX], type_text[TYPE_TEXT_MAX];

	name_to_text(owner, text);
	complain(b->complaints, level, b->conf.path, line, 0, "%s %s: %s", text,
		 type_to_text(type, type_text), what);
}

static int refuse(struct builder *b, const struct incoming *in, const char *what)
{
	tell(b, COMPLAINT_ERROR, in->given->wire, in->type, in->line, what);
	return -1;
}

static void warn(struct builder *b, const struct incoming *in, const char *what)
{
	tell(b, COMPLAINT_WARNING, in->given->wire, in->type, in->line, what);
}

/* Why a type cannot be held, or NULL. */
static const char *type_trouble(uint16_t type)
{
	switch (type) {
	case 0:
		return "not a type; leave the record out";
	case TYPE_DNAME:
		return "DNAME records are not served; write a CNAME for each name";
	case TYPE_RRSIG:
	case TYPE_NSEC:
	case TYPE_NSEC3:
	case TYPE_DNSKEY:
		return "signatures of a zone mean nothing here; leave the record out, or export "
		       "the "
		       "zone unsigned";
	default:
		return type_is_meta(type) ? "a type for questions only; leave the record out"
					  : NULL;
	}
}

/* What of the data is looked into here: the lengths of addresses and the target of a CNAME. */
static const char *data_trouble(const struct incoming *in, struct name *ret_target)
{
	if (in->rdata_len > RECORD_DATA_MAX)
		return "data too long for an answer; leave the record out";
	if (in->type == TYPE_A && in->rdata_len != 4)
		return "an IPv4 address has four octets";
	if (in->type == TYPE_AAAA && in->rdata_len != 16)
		return "an IPv6 address has sixteen octets";
	if (in->type == TYPE_CNAME && (name_from_wire(ret_target, in->rdata, in->rdata_len) < 0 ||
				       ret_target->len != in->rdata_len))
		return "the target is not a name";
	return NULL;
}

/*
 * Azure's own `public CNAME private`, which people copy out of dig, is what we make ourselves.
 * So is one from a public form to another of the same name (vault.azure.net to
 * vaultcore.azure.net).
 */
static bool leads_to_itself(const struct builder *b, const struct incoming *in,
			    const struct name *target)
{
	struct zone_form mine[ZONE_FORMS_MAX], theirs[ZONE_FORMS_MAX];
	struct name form, other;
	unsigned n, m, i, j;

	if (!in->place.folded || name_equal(in->given, target))
		return false;
	n = zones_private_forms(b->zones, in->given, mine);
	m = zones_private_forms(b->zones, target, theirs);
	for (i = 0; i < n; i++) {
		if (zones_private_form(b->zones, in->given, &mine[i], &form) < 0)
			continue;
		if (name_equal(&form, target))
			return true;
		for (j = 0; j < m; j++)
			if (zones_private_form(b->zones, target, &theirs[j], &other) == 0 &&
			    name_equal(&form, &other))
				return true;
	}
	return false;
}

/* RFC 1918, RFC 6598 and RFC 4193: where private endpoints live. */
static bool is_private_address(uint16_t type, const uint8_t *a)
{
	if (type == TYPE_AAAA)
		return (a[0] & 0xfe) == 0xfc;
	return a[0] == 10 || (a[0] == 172 && (a[1] & 0xf0) == 16) || (a[0] == 192 && a[1] == 168) ||
	       (a[0] == 100 && (a[1] & 0xc0) == 64);
}

static void check_address(struct builder *b, const struct incoming *in)
{
	char address[INET6_ADDRSTRLEN], what[160];

	if (!in->place.in_zone || (in->type != TYPE_A && in->type != TYPE_AAAA) ||
	    is_private_address(in->type, in->rdata))
		return;
	inet_ntop(in->type == TYPE_A ? AF_INET : AF_INET6, in->rdata, address, sizeof(address));
	snprintf(what, sizeof(what),
		 "%s is not in a private range, though the name is a private "
		 "link's; check that the export is of the private endpoint",
		 address);
	warn(b, in, what);
}

/* ---- beside others of its name --------------------------------------------------------------- */

static void refuse_waiting(struct builder *b, const struct waiting *w, const char *what)
{
	tell(b, COMPLAINT_ERROR, w->given, w->type, w->line, what);
}

static void warn_waiting(struct builder *b, const struct waiting *w, const char *what)
{
	tell(b, COMPLAINT_WARNING, w->given, w->type, w->line, what);
}

/* Line of the first record of a node's first set, for complaints. */
static unsigned first_line(const struct node_rrset *rrset)
{
	struct node_record record;
	size_t at = 0;

	return node_record_next(rrset, &at, &record) ? record.line : 0;
}

/* CNAME alone at its name (RFC 1034 3.6.2, RFC 2181 10.1), and one SOA. NULL or what is wrong. */
static const char *company_trouble(const struct node *node, const struct waiting *w, char *text,
				   size_t cap)
{
	char type[TYPE_TEXT_MAX];
	struct node_rrset rrset;
	size_t at = 0;

	while (node_next(node, &at, &rrset)) {
		if (rrset.type == w->type && (w->type == TYPE_CNAME || w->type == TYPE_SOA)) {
			snprintf(text, cap,
				 "a name has one such record, and line %u has another; "
				 "leave one out",
				 first_line(&rrset));
			return text;
		}
		if ((rrset.type == TYPE_CNAME) != (w->type == TYPE_CNAME)) {
			snprintf(text, cap,
				 "a CNAME stands alone, and line %u has %s for this name; "
				 "leave one out",
				 first_line(&rrset), type_to_text(rrset.type, type));
			return text;
		}
	}
	return NULL;
}

/* What is worth a word when a set grows, and its TTL. */
static void join(struct builder *b, struct node *node, const struct node_rrset *rrset,
		 const struct waiting *w, bool duplicate)
{
	char what[160];

	if (rrset->ttl != w->ttl) {
		snprintf(what, sizeof(what), "TTL %u, but %u on line %u; the lower is used", w->ttl,
			 rrset->ttl, first_line(rrset));
		warn_waiting(b, w, what);
		if (w->ttl < rrset->ttl)
			node_set_ttl(node, w->type, w->ttl);
	}
	/* Several addresses on one line, or in one list, are one claim. */
	if (!duplicate && b->conf.lines_are_claims && first_line(rrset) != w->line &&
	    (w->type == TYPE_A || w->type == TYPE_AAAA)) {
		snprintf(what, sizeof(what),
			 "another address than on line %u; both are served, leave "
			 "one out if that is not meant",
			 first_line(rrset));
		warn_waiting(b, w, what);
	}
}

/* The first record of a name, whose slot is empty. -1: no memory. */
static int hold_first(struct builder *b, const struct waiting *w, uint64_t *slot,
		      const struct node_new_record *add)
{
	struct node *node;

	if (b->index.used == b->room) {
		if (node_index_resize(&b->index, b->zones, 2 * b->room) < 0)
			return -1;
		b->room *= 2;
		slot = node_index_find_prefix(&b->index, w->hash, w->zone, w->prefix,
					      w->prefix_len);
	}
	node = node_new_with(&b->set->pool, w->zone, w->prefix, w->prefix_len, w->flags, add);
	if (!node)
		return -1;
	b->set->names++;
	b->set->records++;
	node_index_fill(&b->index, slot, w->hash, node_slot(w->hash, node));
	return 0;
}

/* One more of a name. -1: no memory. */
static int hold_more(struct builder *b, const struct waiting *w, uint64_t *slot,
		     const struct node_new_record *add)
{
	struct node *node = node_slot_node(*slot);
	struct node_record record;
	struct node_rrset rrset;
	const char *trouble;
	char text[160];
	bool joins = node_find(node, w->type, &rrset);

	if (joins && node_rrset_has(&rrset, w->rdata, w->rdata_len, &record)) {
		join(b, node, &rrset, w, true);
		return 0;
	}
	trouble = company_trouble(node, w, text, sizeof(text));
	if (!trouble) {
		switch (node_room(node, w->type, w->rdata_len)) {
		case NODE_FULL_RRSET:
			trouble = "more records of one name and type than an answer can carry; "
				  "leave some out";
			break;
		case NODE_FULL_NAME:
			trouble = "more data than one name may have; leave some out";
			break;
		case NODE_ROOM:
			break;
		}
	}
	if (trouble) {
		refuse_waiting(b, w, trouble);
		return 0;
	}
	if (joins)
		join(b, node, &rrset, w, false);
	node = node_add(&b->set->pool, node, add);
	if (!node)
		return -1;
	*slot = node_slot(w->hash, node);
	b->set->records++;
	return 0;
}

static void hold(struct builder *b, const struct waiting *w)
{
	struct node_new_record add = { .type = w->type,
				       .rdata_len = w->rdata_len,
				       .ttl = w->ttl,
				       .line = w->line,
				       .rdata = w->rdata };
	uint64_t *slot =
		node_index_find_prefix(&b->index, w->hash, w->zone, w->prefix, w->prefix_len);

	if ((*slot ? hold_more(b, w, slot, &add) : hold_first(b, w, slot, &add)) == 0)
		return;
	b->no_memory = true;
	refuse_waiting(b, w, "out of memory");
}

/* Those who wait have their turns, but for the last `but`. A complaint of theirs begins none. */
static void settle(struct builder *b, unsigned but)
{
	const struct waiting *w;

	if (b->settling)
		return;
	b->settling = true;
	while (b->waits > but) {
		w = &b->waiting[b->first];
		b->first = (b->first + 1) % WAITING_MAX;
		b->waits--;
		hold(b, w);
	}
	b->settling = false;
}

void builder_settle(struct builder *builder)
{
	settle(builder, 0);
}

static void settle_first(void *builder)
{
	builder_settle(builder);
}

/* Lets the record wait; where too many do, the one that has waited longest has its turn. */
static void wait_for_slot(struct builder *b, const struct incoming *in)
{
	uint64_t hash = name_hash(in->owner);
	struct waiting *w;

	node_index_prefetch(&b->index, hash);
	settle(b, WAITING_MAX - 1);
	w = &b->waiting[(b->first + b->waits) % WAITING_MAX];
	w->hash = hash;
	w->zone = in->place.in_zone ? in->place.zone : NODE_NO_ZONE;
	w->flags = (uint8_t)node_wildcard_of(in->owner);
	w->prefix_len = (uint8_t)node_prefix_of(b->zones, in->owner, w->zone);
	memcpy(w->prefix, in->owner->fold, w->prefix_len);
	memcpy(w->given, in->given->wire, in->given->len);
	w->type = in->type;
	w->ttl = in->ttl;
	w->line = in->line;
	w->rdata_len = (uint16_t)in->rdata_len;
	b->waits++;
	if (w->rdata_len > WAITING_DATA_MAX) {
		w->rdata = in->rdata;
		builder_settle(b);
		return;
	}
	memcpy(w->data, in->rdata, in->rdata_len);
	w->rdata = w->data;
}

int builder_add(struct builder *builder, const struct name *owner, uint16_t type, uint32_t ttl,
		const uint8_t *rdata, size_t rdata_len, unsigned line)
{
	struct builder *b = builder;
	struct name target;
	struct incoming in = { .given = owner,
			       .owner = owner,
			       .type = type,
			       .ttl = ttl > TTL_MAX ? 0 : ttl,
			       .rdata = rdata,
			       .rdata_len = rdata_len,
			       .line = line };
	const char *trouble = type_trouble(type);

	if (!trouble)
		trouble = data_trouble(&in, &target);
	if (trouble)
		return refuse(b, &in, trouble);
	if (zones_place_next(b->zones, owner, &b->placing, &in.owner, &in.place) < 0)
		return refuse(b, &in, "the private form of this name would be too long");
	if (in.place.apex && (type == TYPE_SOA || type == TYPE_NS))
		return 0;
	if (type == TYPE_CNAME && leads_to_itself(b, &in, &target))
		return 0;
	if (b->conf.records_max && b->set->records + b->waits >= b->conf.records_max)
		builder_settle(b);
	if (b->conf.records_max && b->set->records >= b->conf.records_max) {
		if (!b->full_told)
			refuse(b, &in,
			       "more records than a source may have; split or mend the file");
		b->full_told = true;
		return -1;
	}
	if (in.ttl > b->conf.ttl_max)
		in.ttl = b->conf.ttl_max;
	if (in.ttl < b->conf.ttl_min)
		in.ttl = b->conf.ttl_min;
	if (in.place.ambiguous)
		warn(b, &in,
		     "several private zones have this public name; taken for the regular one, "
		     "give the private name to choose");
	check_address(b, &in);
	wait_for_slot(b, &in);
	return 0;
}
