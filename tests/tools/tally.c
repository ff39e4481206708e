/* SPDX-License-Identifier: MIT */
/*
 * The counts of the scripted upstream.
 *
 * "Was the upstream asked?" is half of what the tests want to know, and "how often, for which type"
 * the other half: so every query is counted the moment it arrives, whatever becomes of it, under
 * "name. TYPE". A search tree of the C library keeps them sorted; its walk has no argument, hence
 * the statics. One thread.
 */
#include "tally.h"

#include <ldns/ldns.h>
#include <search.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct count {
	long n;
	char key[1200], seen[160]; /* of the last */
};

static void *counts;
static long total, port_count;
static uint8_t port_seen[65536 / 8];

static void (*walk_visit)(const char *key, long n, void *arg);
static void *walk_arg;

static int count_compare(const void *a, const void *b)
{
	return strcmp(((const struct count *)a)->key, ((const struct count *)b)->key);
}

/* What the server asks by itself, at moments that no test chooses: for loops, and for health. */
static bool is_probe(const char *lower_name, uint16_t type)
{
	return strncmp(lower_name, "loop-probe-", 11) == 0 || type == LDNS_RR_TYPE_SOA ||
	       (type == LDNS_RR_TYPE_NS && strcmp(lower_name, ".") == 0);
}

void tally_query(const char *lower_name, uint16_t type, const char *seen)
{
	struct count *c = calloc(1, sizeof(*c));
	char *type_name = ldns_rr_type2str(type);

	if (!c || !type_name)
		abort();
	snprintf(c->key, sizeof(c->key), "%s %s", lower_name, type_name);
	free(type_name);
	struct count **slot = tsearch(c, &counts, count_compare);
	(*slot)->n++;
	snprintf((*slot)->seen, sizeof((*slot)->seen), "%s", seen);
	if (*slot != c)
		free(c);
	if (!is_probe(lower_name, type))
		total++;
}

void tally_port(uint16_t port)
{
	uint8_t bit = (uint8_t)(1u << port % 8);

	if (!(port_seen[port / 8] & bit))
		port_count++;
	port_seen[port / 8] |= bit;
}

void tally_reset(void)
{
	tdestroy(counts, free);
	counts = NULL;
	total = 0;
}

long tally_total(void)
{
	return total;
}

long tally_ports(void)
{
	return port_count;
}

static void walk(const void *node, VISIT which, int depth)
{
	const struct count *c = *(struct count *const *)node;

	(void)depth;
	if (which == postorder || which == leaf)
		walk_visit(c->key, c->n, walk_arg);
}

void tally_each(void (*visit)(const char *key, long n, void *arg), void *arg)
{
	walk_visit = visit;
	walk_arg = arg;
	twalk(counts, walk);
}

struct sum {
	const char *key;
	long n;
};

static void add(const char *key, long n, void *arg)
{
	struct sum *sum = arg;
	size_t len = strlen(sum->key);

	if (strncasecmp(key, sum->key, len) == 0 && (key[len] == ' ' || key[len] == '\0'))
		sum->n += n;
}

long tally_count(const char *key)
{
	struct sum sum = { .key = key };

	tally_each(add, &sum);
	return sum.n;
}

const char *tally_seen(const char *key)
{
	struct count wanted;
	struct count **slot;

	snprintf(wanted.key, sizeof(wanted.key), "%s", key);
	slot = tfind(&wanted, &counts, count_compare);
	return slot ? (*slot)->seen : NULL;
}
