/* SPDX-License-Identifier: MIT */
/*
 * From what is kept of an object to records, which are held until they may go to the builder. For
 * source/azurescope. One thread.
 */
#ifndef PRIVLINKD_SOURCE_AZUREHOLD_H
#define PRIVLINKD_SOURCE_AZUREHOLD_H

#include "source/azurescope.h"

/* Octets of a name or an address as text that are kept: more than any that is one. */
#define AZURE_WORD_MAX 1100

/* What the entries of a scope are, counted; entries with data NULL are not there. */
struct azure_contents {
	unsigned fqdns, hosts, addresses, data;
	struct azure_entry first; /* the first name */
	struct azure_entry name, zone, id;
};

void azure_count(const struct azure_out *out, const struct azure_scope *scope,
		 struct azure_contents *ret);

struct azure_piece {
	const char *text;
	size_t len;
};

/* What follows `before` in a path, up to the next slash; false if it is not there. */
bool azure_piece_behind(const struct azure_entry *entry, const char *before,
			struct azure_piece *ret);

/*
 * The owner of a record set without `fqdn`, from its id, or its name and zone. NULL, or why there
 * is none; *ret_shown is its name as it stands there, empty if it has none.
 */
const char *azure_find_owner(const struct azure_out *out, struct azure_scope *scope,
			     const struct azure_contents *contents, struct name *ret,
			     struct azure_piece *ret_shown);

/* All names of the scope with all its data; or one owner with them. */
void azure_hold(struct azure_out *out, struct azure_scope *scope,
		const struct azure_contents *contents);
void azure_hold_owner(struct azure_out *out, const struct azure_scope *scope,
		      const struct name *owner, unsigned line);

#endif
