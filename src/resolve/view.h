/* SPDX-License-Identifier: MIT */
/*
 * Everything that decides an answer, as it stood at one moment: records, zones, routes, policy.
 *
 * Built aside by the loading thread, published whole, never changed, freed whole. Workers take the
 * newest between batches; no pointer into a view outlives a batch.
 */
#ifndef PRIVLINKD_RESOLVE_VIEW_H
#define PRIVLINKD_RESOLVE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "upstream/upstream.h"
#include "net/addr.h"
#include "wire/name.h"
#include "zone/table.h"

/* Names of must-be-private and of an `aliases` list, each. */
#define VIEW_PATTERNS_MAX 10000
/* Longest text of identity.version and .id: a TXT string's (RFC 1035 3.3.14). */
#define VIEW_IDENTITY_MAX 255

/* Whose CNAME may lead into records of served zones. */
enum view_aliases {
	VIEW_ALIASES_ANY,
	VIEW_ALIASES_OWN,  /* names in served and public zones, and our own records */
	VIEW_ALIASES_LIST, /* own, and names in the listed zones */
};

struct patterns; /* names and wildcards (`contoso*.blob.core.windows.net`, `*.example`) */

struct view {
	uint64_t generation;   /* counts up with every view; 1 is the first */
	struct zones *zones;   /* owned */
	struct table *table;   /* owned */
	struct routes *routes; /* owned */
	enum view_aliases aliases;
	struct patterns *alias_zones;     /* owned; for VIEW_ALIASES_LIST */
	struct patterns *must_be_private; /* owned; may be NULL */
	struct addr_list allow;           /* owned */
	union addr *listen;               /* owned: our own addresses, wildcards too */
	size_t listen_count;
	/* the upstreams of `.` are private: RFC 6303 zones go to them */
	bool private_reverse_upstream;
	char version[VIEW_IDENTITY_MAX + 1]; /* version.bind; "": refused */
	char id[VIEW_IDENTITY_MAX + 1];      /* id.server and NSID; "": refused */
	bool log_queries;
};

/* A view with nothing in it yet; NULL when there is no memory. */
struct view *view_new(void);
/* With all it owns; NULL is fine. */
void view_free(struct view *view);

/*
 * Patterns. A leading label `*` stands for one or more labels; any other `*` for any octets within
 * its label. A pattern in one form of a private-link name covers both forms: `zones` (sealed)
 * tells.
 */
struct patterns *patterns_new(void);
void patterns_free(struct patterns *patterns);
int patterns_add(struct patterns *patterns, const struct zones *zones, const char *text,
		 struct err *err);
/* A zone: covers the name and all below it. */
int patterns_add_zone(struct patterns *patterns, const char *text, struct err *err);
/*
 * Linear in the patterns that share the last labels; NULL patterns match nothing. With `zones` a
 * name in public form is matched in its private forms too.
 */
bool patterns_match(const struct patterns *patterns, const struct zones *zones,
		    const struct name *name);

#endif
