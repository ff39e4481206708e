/* SPDX-License-Identifier: MIT */
/*
 * What is kept of the objects that are open: a stack of small entries, each with its place.
 *
 * An object's entries begin where the stack stood when it was opened, and go when it is closed, so
 * memory is bounded by what is kept of one object and those around it. Pure; one thread.
 */
#ifndef PRIVLINKD_SOURCE_AZUREKEEP_H
#define PRIVLINKD_SOURCE_AZUREKEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Octets: the largest record set that Azure holds and the largest endpoint (some hundred names)
 * take a hundredth of it; a module of Terraform's state may hold a hundred thousand records.
 */
#define AZURE_KEEP_MAX ((size_t)16 << 20)

enum azure_kind {
	KEEP_FQDN, /* text */
	KEEP_HOST,
	KEEP_NAME,
	KEEP_ZONE,
	KEEP_ID,
	KEEP_ADDRESS, /* text that is to be an address, perhaps another record's data */
	KEEP_DATA,    /* data of a record: `type` */
	KEEP_OWNER,   /* wire name; `ttl`; its records' KEEP_DATA follow */
};

struct azure_entry {
	enum azure_kind kind;
	uint16_t type;
	uint32_t ttl;
	unsigned line, column;
	size_t len;
	const uint8_t *data; /* until the stack changes */
};

struct azure_keep {
	uint8_t *data;
	size_t len, room;
};

void azure_keep_fini(struct azure_keep *keep);

/* A copy on top of the stack. -1 without memory or over AZURE_KEEP_MAX. */
int azure_keep_push(struct azure_keep *keep, const struct azure_entry *entry);

/* The entry at *at, which moves to the next; false at the end. Begin with keep->len of then. */
bool azure_keep_next(const struct azure_keep *keep, size_t *at, struct azure_entry *ret);

/* Back to a former keep->len. */
void azure_keep_pop(struct azure_keep *keep, size_t len);

#endif
