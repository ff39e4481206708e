/* SPDX-License-Identifier: MIT */
/*
 * The records of all sources as one table for look-up, never changed once built.
 *
 * One entry serves both forms of a name. The table is an index over the record sets, which it
 * keeps alive; names that several sets hold are merged beside them. Empty non-terminals are
 * entries without data, wildcards live below the name they expand (RFC 4592).
 *
 * Built on the loading thread; look-ups are pure and run on any thread. Pointers given back
 * live as long as the table.
 */
#ifndef PRIVLINKD_ZONE_TABLE_H
#define PRIVLINKD_ZONE_TABLE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/complaint.h"
#include "wire/name.h"
#include "zone/builder.h"
#include "zone/names.h"

struct table;
struct node; /* a held name, or an empty non-terminal */

/* Two files, one name and type, other data. */
enum table_conflict {
	TABLE_CONFLICT_FIRST, /* the earlier set wins, with a warning that names both lines */
	TABLE_CONFLICT_MERGE,
	TABLE_CONFLICT_ERROR, /* the earlier set wins, with an error that names both lines */
};

struct table_conf {
	enum table_conflict conflict;
	bool ptr; /* index addresses for PTR */
};

/*
 * Builds from sets in order of precedence; takes a reference on each. Loops among our own
 * CNAMEs are refused: the record that closes the loop is left out, an error names both lines. A
 * CNAME of one set beside data of another: an error, the earlier set wins. NULL when there is
 * no memory.
 */
struct table *table_new(const struct zones *zones, struct record_set *const *sets, size_t count,
			const struct table_conf *conf, struct complaints *complaints);
void table_free(struct table *table);

enum table_match {
	TABLE_NONE,   /* nothing of ours: not in a served zone, not held */
	TABLE_HELD,   /* `node` holds it; the asked name is the owner, with a wildcard too */
	TABLE_ALIAS,  /* another form (public, or Site Recovery's `-id1-`): a CNAME to `target` */
	TABLE_ENT,    /* an empty non-terminal, in either form, or above a zone with held names */
	TABLE_ABSENT, /* in a served zone, not held; `zone` */
	TABLE_PTR,    /* the reverse name of a held address: a PTR to `target` */
};

struct table_hit {
	enum table_match match;
	const struct node *node; /* HELD, ALIAS, PTR (who holds the address); ENT: may be NULL */
	bool wildcard;           /* the node is a wildcard's */
	bool in_zone;            /* the private name is in a served zone: then */
	bool apex;               /* it is that zone's apex (HELD or ENT: an apex always exists) */
	uint16_t zone;           /* the served zone */
	uint8_t apex_labels;     /* labels of its name, at the end of the private name */
	/* ALIAS, PTR: its wire name, in lower case; else unset */
	uint8_t target_len, target_labels;
	uint8_t target[NAME_WIRE_MAX];
};

/*
 * What the table knows of a name. An ENT by way of a public form alone, or above a served zone,
 * has in_zone false: only an upstream's NXDOMAIN for it is corrected, the name itself is not
 * ours. An ENT inside a served zone has in_zone true.
 */
void table_lookup(const struct table *table, const struct name *name, struct table_hit *ret);

/*
 * Fetches what a look-up of this name will want from memory, while others are being worked on: for
 * each name of a batch table_expect, then for each table_expect_node with what that gave, then the
 * look-ups. Costs next to nothing while the table is small. No look-up needs it.
 */
uint64_t table_expect(const struct table *table, const struct name *name);
void table_expect_node(const struct table *table, uint64_t expected);

/* One RRset of a node. */
struct node_rrset {
	uint16_t type;
	uint16_t count;
	uint32_t ttl;
	const uint8_t *data; /* for node_record_next */
	const void *opaque;
};

/* The set of this type; false if the node has none. */
bool node_find(const struct node *node, uint16_t type, struct node_rrset *ret);
/* All sets, one by one: *at begins at 0. */
bool node_next(const struct node *node, size_t *at, struct node_rrset *ret);
/* Lowest TTL of the node's sets: that of a CNAME made for its public form. 0 for an ENT. */
uint32_t node_ttl(const struct node *node);

/* The records of a set, one by one: *at begins at 0. rdata is uncompressed. */
struct node_record {
	const uint8_t *rdata;
	uint16_t rdata_len;
	uint32_t line;
};
bool node_record_next(const struct node_rrset *rrset, size_t *at, struct node_record *ret);

/* The node's own name (a wildcard's with its `*`), written out. */
void node_name(const struct table *table, const struct node *node, struct name *ret);

/* The path of the file that a record of the node came from. */
const char *node_record_path(const struct table *table, const struct node *node,
			     const struct node_rrset *rrset, const struct node_record *record);

/*
 * Every held name, each once, in no order: *at begins at 0. NULL at the end. For lists, not for
 * the packet path.
 */
const struct node *table_next(const struct table *table, size_t *at);

/*
 * Does the Site Recovery vault of this name (private form: what stands before `-asr-pod` in its
 * first label) hold other names? Then a name of it that is not held came into being after the
 * export.
 */
bool table_vault_known(const struct table *table, const struct name *name);

size_t table_names(const struct table *table);
size_t table_records(const struct table *table);
size_t table_bytes(const struct table *table);
/* Held names of one served zone. */
size_t table_zone_names(const struct table *table, uint16_t zone);

const struct zones *table_zones(const struct table *table);

#endif
