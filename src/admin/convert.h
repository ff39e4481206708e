/* SPDX-License-Identifier: MIT */
/*
 * `privlinkctl convert`: record files of any format in, one of a chosen format out. No server.
 *
 * What is written is what a server would hold of these files: names under their private form,
 * merged across files (the first file wins), in canonical order (RFC 4034 6.1), sets in the order
 * of their types, records in the order of their octets. So the same records give the same output,
 * whatever they came in. One thread.
 */
#ifndef PRIVLINKD_ADMIN_CONVERT_H
#define PRIVLINKD_ADMIN_CONVERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/complaint.h"
#include "wire/name.h"
#include "wire/types.h"
#include "zone/builder.h"
#include "zone/table.h"

/*
 * `--to FORMAT [--preset PRESET] [--zone ZONE] FILE...`; the result goes to standard output,
 * complaints to standard error. An exit code: 0 all is in it, 1 something is not (a file has
 * errors, or the format cannot say it), 2 bad usage.
 */
int convert_run(bool json, int count, char **args);

/* ---- between convert.c and the writers ------------------------------------------------------- */

struct convert {
	const struct table *table;
	const struct zones *zones;
	FILE *out;
	struct complaints *complaints;
	const char *comment; /* what begins a comment line in this format */
	const char *format;  /* as --to names it */
	bool no_memory;
	uint32_t ttl, votes; /* yaml: of what stands under hosts */
	bool hosts, records; /* yaml: the key is still to be written; it has been written */
	struct name zone;    /* zone, unbound: the served zone that is being written */
	bool has_zone;
};

/* One RRset of a held name. */
struct convert_set {
	const struct node *node;
	struct name name;              /* private form, or as it was given outside served zones */
	char owner[NAME_TEXT_MAX + 1]; /* in presentation format, without the last dot */
	bool first;                    /* of this name's sets */
	bool wildcard;
	uint16_t type;
	uint32_t ttl;
	size_t count;
	struct node_record record[RECORDS_A_SET_MAX];
};

/* A writer's function for one set; sets come in the order above. */
typedef void convert_set_fn(struct convert *convert, const struct convert_set *set);

/* A format: one pass over all sets for each function. */
#define CONVERT_PASSES_MAX 3
struct convert_format {
	const char *name, *comment;
	void (*begin)(struct convert *convert); /* or NULL */
	convert_set_fn *pass[CONVERT_PASSES_MAX];
};
extern const struct convert_format convert_yaml, convert_zone, convert_csv, convert_hosts,
	convert_unbound, convert_dnsmasq;

static inline bool convert_is_address(uint16_t type)
{
	return type == TYPE_A || type == TYPE_AAAA;
}

/* The set of another type (or the same) of a node; false if it has none. */
bool convert_find(struct convert_set *ret, const struct node *node, uint16_t type);

/*
 * Data in presentation format, such that our readers make the same octets of it. NULL without
 * memory (that is noted). The caller frees it.
 */
char *convert_data(struct convert *convert, uint16_t type, const struct node_record *record);

/*
 * Public forms that find this name and no other: the i-th of those. False past the end. *at begins
 * at 0.
 */
bool convert_public(const struct convert *convert, const struct name *name, size_t *at,
		    struct name *ret);

/* Is it a plain host name (a wildcard too), which all our readers take as it is? */
bool convert_is_plain(const struct convert_set *set);

/*
 * Has the set's served zone changed since the last call? Then convert->zone is its apex, the root
 * for names outside served zones. True for the first set too.
 */
bool convert_zone_changes(struct convert *convert, const struct convert_set *set);

/*
 * The format cannot say this set: a complaint with its file and line, and comment lines in the
 * output. `why` reads `what; what to do`.
 */
void convert_leave_out(struct convert *convert, const struct convert_set *set, const char *why);

/*
 * Where a CNAME leads among our own names: the addresses at the end of the chain, both types, the
 * lowest TTL on the way. `exact`: no name of the chain was a wildcard's.
 */
struct convert_target {
	const struct node *node;
	uint32_t ttl;
	bool exact;
};
/* False if it leads out, or to a name without addresses. */
bool convert_follow(const struct convert *convert, const struct convert_set *cname,
		    struct convert_target *ret);

#endif
