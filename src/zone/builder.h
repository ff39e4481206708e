/* SPDX-License-Identifier: MIT */
/*
 * Collects the records of one source file into an immutable set.
 *
 * Records come in either form of a name and are held under the private form. A set knows for
 * each record the line it came from. Sets are reference-counted: a snapshot's table keeps those
 * it was made from, and an unchanged file's set serves many snapshots. A builder is used by one
 * thread; a finished set may be read by any. References are taken and dropped by the loading
 * thread alone.
 */
#ifndef PRIVLINKD_ZONE_BUILDER_H
#define PRIVLINKD_ZONE_BUILDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/complaint.h"
#include "wire/name.h"
#include "zone/names.h"

/* Octets of a record's data: what a message can carry. */
#define RECORD_DATA_MAX 65000
/* Records of one name and type: an answer has to fit into a message. */
#define RECORDS_A_SET_MAX 1000
/* TTL of Azure's own private records. */
#define RECORD_TTL_DEFAULT 10

struct builder_conf {
	const char *path;          /* of the file, for provenance and complaints; copied */
	uint32_t ttl_min, ttl_max; /* seconds; every TTL is brought between them */
	size_t records_max;        /* 0: no limit but memory */
	/*
	 * True for formats in which a line stands for itself (hosts): a second, other address of
	 * one name and type is taken and warned of. False (zone files): records are a set.
	 */
	bool lines_are_claims;
};

struct builder;
struct record_set;
struct node;

/*
 * `zones` must be sealed and outlive the builder and every set made by it; `complaints` outlives
 * the builder. One builder at a time uses them.
 */
struct builder *builder_new(const struct zones *zones, const struct builder_conf *conf,
			    struct complaints *complaints);
void builder_free(struct builder *builder);

/*
 * Adds one record. rdata is uncompressed wire format and must be well formed for its type; it
 * is copied. What is wrong is complained of with path:line and the record is left out, the
 * build goes on. -1 if it was refused at sight, else 0: what is wrong with it beside others of its
 * name is found one call later, though complained of in its turn; builder_count says what was
 * taken.
 *
 * By rule: SOA and NS at a served zone's apex are ignored; a CNAME from a public form to its
 * own private form is ignored; CNAME beside other data of its name is an error; DNAME, meta
 * types and DNSSEC signatures (RRSIG, NSEC, NSEC3, DNSKEY) are refused; several TTLs in one
 * set: the lowest, with a warning; a public address for a private-link name: a warning; the
 * apex of a served zone may hold other data.
 */
int builder_add(struct builder *builder, const struct name *owner, uint16_t type, uint32_t ttl,
		const uint8_t *rdata, size_t rdata_len, unsigned line);

/* Finds now what is wrong with the last record: before counts of complaints are compared. */
void builder_settle(struct builder *builder);

/* Of what follows: lines_are_claims, for a format that has parts of either kind. */
void builder_set_claims(struct builder *builder, bool lines_are_claims);

/* Records taken so far. */
size_t builder_count(struct builder *builder);

/*
 * The set, with one reference; the builder is spent (free it still). NULL when there is no
 * memory.
 */
struct record_set *builder_finish(struct builder *builder);

/* Any thread may take a reference from one that is held, and drop one. */
struct record_set *record_set_ref(struct record_set *set);
void record_set_unref(struct record_set *set);
const char *record_set_path(const struct record_set *set);
size_t record_set_records(const struct record_set *set);
size_t record_set_names(const struct record_set *set);
size_t record_set_bytes(const struct record_set *set);

/*
 * The held names of a set, one by one, in the order of the file as far as that can be: begin with
 * NULL; NULL at the end. *walk is the walk's own. What a name holds is read with node_next and
 * node_record_next (zone/table.h).
 */
const struct node *record_set_next(const struct record_set *set, void **walk,
				   const struct node *node);
/* The name of one, under its private form; and that name's name_hash. */
void record_set_name(const struct record_set *set, const struct node *node, struct name *ret);
uint64_t record_set_hash(const struct record_set *set, const struct node *node);

#endif
