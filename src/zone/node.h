/* SPDX-License-Identifier: MIT */
/*
 * How a held name and its records lie in memory. Internal to zone/; index.h finds them.
 *
 * A node is one piece: a head, the labels before the zone's tail (zones_tail; outside every
 * served zone the whole name), then for each RRset a head and its records. Numbers in it are in
 * the machine's order and not aligned.
 *
 * Nodes are taken from a pool, one after the other, so that a pool can also be walked from end
 * to end. While a pool grows a node may move; its old place is marked dead. A pool has one
 * writer; once it is whole any thread may read it.
 */
#ifndef PRIVLINKD_ZONE_NODE_H
#define PRIVLINKD_ZONE_NODE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/name.h"
#include "zone/names.h"
#include "zone/table.h"

/* Nodes begin at multiples of this. */
#define NODE_ALIGN 4
/* Octets of a node: what `cap` can say. Far more than any name honestly has. */
#define NODE_LEN_MAX (65535 * NODE_ALIGN)
/* RRsets of a name: what `sets` can say. */
#define NODE_SETS_MAX 255
/*
 * Octets of an RRset in an answer, as if nothing but its owner were compressed: a message has
 * 65535, less head, question and an OPT. Also keeps `len` of an RRset within 16 bits.
 */
#define NODE_RRSET_WIRE_MAX 65200
/*
 * Octets that a record takes in an answer beside its data: pointer to the owner, type, class,
 * TTL, length.
 */
#define NODE_RECORD_WIRE_HEAD 12
/* In `zone`: the name is in no served zone. */
#define NODE_NO_ZONE UINT16_MAX
_Static_assert(ZONES_MAX < NODE_NO_ZONE, "zones have numbers below");

enum node_flag {
	NODE_DEAD = 1,     /* moved away */
	NODE_MERGED = 2,   /* its records come from several sets and say which */
	NODE_WILDCARD = 4, /* its first label is `*` */
	NODE_MOVED = 8,    /* has moved once: takes room to spare from now on */
};

struct node {
	uint16_t cap; /* octets taken, in units of NODE_ALIGN */
	uint16_t zone;
	uint8_t flags;
	uint8_t prefix_len;
	uint8_t sets; /* RRsets; 0: an empty non-terminal */
	uint8_t body[];
};

/* One RRset as it lies in a node, followed by its records. */
struct __attribute__((packed)) node_set {
	uint16_t type, count, len; /* len: octets of its records */
	uint32_t ttl;
	uint8_t records[];
};

/* One record; in a merged node its number of set comes first. */
struct __attribute__((packed)) node_rr {
	uint16_t len;
	uint32_t line;
	uint8_t rdata[];
};

struct node_chunk {
	struct node_chunk *next;
	size_t used, cap;
	size_t size; /* as it was taken, head included */
	_Alignas(8) uint8_t data[];
};

struct node_pool {
	struct node_chunk *first, *last;
	size_t bytes; /* taken from the system */
};

void node_pool_fini(struct node_pool *pool);

/* Nothing comes any more: the last chunk gives back what it has to spare. */
void node_pool_trim(struct node_pool *pool);

/* The served zone of a name as a node has it. */
uint16_t node_zone_of(const struct zones *zones, const struct name *name);

/* Octets of a name before its zone's tail: what a node keeps of it. */
size_t node_prefix_of(const struct zones *zones, const struct name *name, uint16_t zone);

/* NODE_WILDCARD if the name is one, else 0. */
unsigned node_wildcard_of(const struct name *name);

/*
 * A node of the name in this zone that begins with these octets, folded, without records. NULL when
 * there is no memory.
 */
struct node *node_new(struct node_pool *pool, uint16_t zone, const uint8_t *prefix,
		      size_t prefix_len, unsigned flags);

struct node_new_record {
	uint16_t type, rdata_len;
	uint32_t ttl; /* of the RRset, where the record begins one */
	uint32_t line, set;
	const uint8_t *rdata;
};

/*
 * The same with a first record, which always finds room: as node_new and node_add, but quicker.
 */
struct node *node_new_with(struct node_pool *pool, uint16_t zone, const uint8_t *prefix,
			   size_t prefix_len, unsigned flags, const struct node_new_record *first);

/* A node without records from the name. */
struct node *node_new_of(struct node_pool *pool, const struct zones *zones, const struct name *name,
			 uint16_t zone, unsigned flags);

/*
 * Puts a pool's living nodes, exactly fitted, into `to`, and frees `from` on the way. -1 when
 * there is no memory (both are then to be freed).
 */
int node_pool_compact(struct node_pool *from, struct node_pool *to);

/* Octets that living nodes need, and that are taken. */
void node_pool_survey(const struct node_pool *pool, size_t *ret_needed, size_t *ret_taken);

/*
 * The next living node after `node` (NULL: the first); NULL at the end. *chunk is the walk's
 * own.
 */
struct node *node_pool_next(const struct node_pool *pool, struct node_chunk **chunk,
			    struct node *node);

enum node_room {
	NODE_ROOM,
	NODE_FULL_RRSET, /* RECORDS_A_SET_MAX or NODE_RRSET_WIRE_MAX */
	NODE_FULL_NAME,  /* NODE_LEN_MAX or NODE_SETS_MAX */
};

/* Is there room for one more record of this type and length? */
enum node_room node_room(const struct node *node, uint16_t type, size_t rdata_len);

/*
 * Appends to the RRset of this type, or begins it. The node, or where it went to; NULL when
 * there is no memory. There must be room.
 */
struct node *node_add(struct node_pool *pool, struct node *node, const struct node_new_record *add);

void node_set_ttl(struct node *node, uint16_t type, uint32_t ttl);

/* Is this very record in the set? Case does not count in the target of a CNAME, PTR or NS. */
bool node_rrset_has(const struct node_rrset *rrset, const uint8_t *rdata, size_t rdata_len,
		    struct node_record *ret);

/* Number of the set that a record of a merged node came from. */
uint32_t node_record_set(const struct node_record *record);

/* The node's name; `zones` are those it was made with. */
void node_spell(const struct zones *zones, const struct node *node, struct name *ret);

/* Its hash, without spelling it. */
uint64_t node_hash(const struct zones *zones, const struct node *node);

/* The hash of its last two labels, of a node outside zones; 0 if it has fewer. */
uint64_t node_end_hash(const struct node *node);

/* Labels before the tail. */
unsigned node_prefix_labels(const struct node *node);

/* Is its name `head` (whole labels) before the last `labels` labels of `name`? */
bool node_is(const struct zones *zones, const struct node *node, const uint8_t *head,
	     size_t head_len, const struct name *name, unsigned labels);

/* Is its name below that one, by a label at least? */
bool node_is_below(const struct zones *zones, const struct node *node, const uint8_t *head,
		   size_t head_len, const struct name *name, unsigned labels);

/* A finished set (see builder.h). */
struct record_set {
	atomic_uint refs;
	const struct zones *zones;
	char *path;
	struct node_pool pool;
	size_t names, records;
};

#endif
