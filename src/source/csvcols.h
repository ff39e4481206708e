/* SPDX-License-Identifier: MIT */
/*
 * Which column of a CSV file holds what, told by the words of its header.
 *
 * Case, blanks and punctuation in a word do not count: `Private IP address`, `private_ip_address`
 * and `privateIPAddress` are one. Of several words for one thing the more telling one counts:
 * beside `FQDN` a `Name` is that of something else. Pure.
 */
#ifndef PRIVLINKD_SOURCE_CSVCOLS_H
#define PRIVLINKD_SOURCE_CSVCOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source/csvlex.h"

enum csv_role {
	CSV_OTHER, /* not looked at */
	CSV_NAME,
	CSV_ADDRESS,
	CSV_TYPE,
	CSV_TTL,
	CSV_ZONE,
	CSV_DATA, /* an address, a CNAME's target, or what else the type has */
	CSV_ROLES
};

struct csvcols {
	size_t count;                  /* columns of the header */
	uint8_t role[CSV_COLUMNS_MAX]; /* enum csv_role */
	size_t columns[CSV_ROLES];     /* how many have the role: one, but for names, addresses */
	size_t first[CSV_ROLES];       /* the first that has it, where one does */
	bool full_names;               /* names are whole (fqdn), not labels within a zone */
	bool export_of_zone;           /* rows are records of a zone: there is a column for types */
	bool loose_types;              /* that column is `type`: it may hold anything */
	bool labels_only;              /* names are never whole but by a trailing dot */
};

/* True if the row is a header that tells where names and where addresses or data stand. */
bool csvcols_read(struct csvcols *ret, const struct csvcell *cell, size_t cells);

/* The words that are known, for complaints. */
extern const char csvcols_known[];

#endif
