/* SPDX-License-Identifier: MIT */
/*
 * One preallocated array. Those that wait are a list in the order of arrival: all have the same
 * time, so it is the order of deadlines, and of the earlier moment from which on a stale answer
 * will do, too; a second pointer into the list says who is next for that. The free ones are a
 * stack. A token of {use, index} names a query to the forwarder, so a late reply finds no stranger.
 *
 * Queries of connections hang in chains as well, found by slot and serial number, so that a
 * connection that goes costs what it asked and not what everybody asks. Datagrams have nobody who
 * could go.
 *
 * How many wait for which group is counted, so that one that is silent leaves room for others.
 */
#include "resolve/waiting.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define NOBODY WAITING_NOBODY

int waiting_init(struct waiting *waiting, unsigned max)
{
	uint32_t i, chains = 1;

	memset(waiting, 0, sizeof(*waiting));
	waiting->oldest = waiting->newest = waiting->patient = NOBODY;
	waiting->max = max;
	while (chains < max)
		chains *= 2;
	waiting->chains_mask = chains - 1;
	waiting->queries = calloc(max, sizeof(*waiting->queries));
	waiting->unused = calloc(max, sizeof(*waiting->unused));
	waiting->chains = malloc(chains * sizeof(*waiting->chains));
	if (!waiting->queries || !waiting->unused || !waiting->chains)
		return -1;
	memset(waiting->chains, 0xff, chains * sizeof(*waiting->chains)); /* NOBODY */
	for (i = 0; i < max; i++)
		waiting->unused[i] = max - 1 - i;
	waiting->unused_count = max;
	return 0;
}

void waiting_fini(struct waiting *waiting)
{
	while (waiting->queries && waiting->oldest != NOBODY)
		waiting_release(waiting, &waiting->queries[waiting->oldest]);
	free(waiting->queries);
	free(waiting->unused);
	free(waiting->chains);
}

unsigned waiting_count(const struct waiting *waiting)
{
	return waiting->max - waiting->unused_count;
}

static uint32_t index_of(const struct waiting *waiting, const struct query *query)
{
	return (uint32_t)(query - waiting->queries);
}

static struct query *query_at(struct waiting *waiting, uint32_t i)
{
	return i == NOBODY ? NULL : &waiting->queries[i];
}

uint64_t waiting_token(const struct waiting *waiting, const struct query *query)
{
	/* Never 0, which means "do not wait" to the forwarder. */
	return (uint64_t)query->use << 32 | (index_of(waiting, query) + 1);
}

uint64_t waiting_next_token(struct waiting *waiting)
{
	struct query *query;

	if (waiting->unused_count == 0)
		return 0;
	query = &waiting->queries[waiting->unused[waiting->unused_count - 1]];
	query->use++;
	return waiting_token(waiting, query);
}

struct query *waiting_find(struct waiting *waiting, uint64_t token)
{
	uint32_t i = (uint32_t)token - 1;

	if (i >= waiting->max || !waiting->queries[i].waiting ||
	    waiting->queries[i].use != token >> 32)
		return NULL;
	return &waiting->queries[i];
}

bool waiting_has_room(const struct waiting *waiting, uint16_t group)
{
	return waiting->with[group] < WAITING_GROUP_SHARE * waiting->unused_count;
}

static uint32_t *chain_of(struct waiting *waiting, uint32_t slot, uint64_t serial)
{
	uint64_t mixed = (serial ^ (uint64_t)slot << 32) * UINT64_C(0x9e3779b97f4a7c15);

	return &waiting->chains[(mixed >> 32) & waiting->chains_mask];
}

static void chain_add(struct waiting *waiting, struct query *query)
{
	uint32_t *chain = chain_of(waiting, query->client.slot, query->client.serial);

	query->prev_of_client = NOBODY;
	query->next_of_client = *chain;
	if (*chain != NOBODY)
		waiting->queries[*chain].prev_of_client = index_of(waiting, query);
	*chain = index_of(waiting, query);
}

static void chain_remove(struct waiting *waiting, struct query *query)
{
	if (query->prev_of_client != NOBODY)
		waiting->queries[query->prev_of_client].next_of_client = query->next_of_client;
	else
		*chain_of(waiting, query->client.slot, query->client.serial) =
			query->next_of_client;
	if (query->next_of_client != NOBODY)
		waiting->queries[query->next_of_client].prev_of_client = query->prev_of_client;
}

struct query *waiting_take(struct waiting *waiting, const struct client *client, uint16_t group,
			   uint64_t now_ms)
{
	uint32_t i = waiting->unused[--waiting->unused_count];
	struct query *query = &waiting->queries[i];

	query->client = *client;
	query->waiting = true;
	query->gone = false;
	query->held = query->asks = 0;
	query->awaited = query->simple = 0;
	query->explained = NULL;
	query->arrived_ms = now_ms;
	query->group = group;
	waiting->with[group]++;
	query->before = waiting->newest;
	query->after = NOBODY;
	if (waiting->newest != NOBODY)
		waiting->queries[waiting->newest].after = i;
	else
		waiting->oldest = i;
	waiting->newest = i;
	if (waiting->patient == NOBODY)
		waiting->patient = i;
	if (client->stream)
		chain_add(waiting, query);
	return query;
}

void waiting_release(struct waiting *waiting, struct query *query)
{
	uint32_t i = index_of(waiting, query);
	unsigned n;

	for (n = 0; n < query->held; n++)
		reply_let_go(&query->reply[n]);
	query->held = 0;
	if (query->before != NOBODY)
		waiting->queries[query->before].after = query->after;
	else
		waiting->oldest = query->after;
	if (query->after != NOBODY)
		waiting->queries[query->after].before = query->before;
	else
		waiting->newest = query->before;
	if (waiting->patient == i)
		waiting->patient = query->after;
	if (query->client.stream)
		chain_remove(waiting, query);
	waiting->with[query->group]--;
	query->waiting = false;
	waiting->unused[waiting->unused_count++] = i;
}

void waiting_move(struct waiting *waiting, struct query *query, uint16_t group)
{
	waiting->with[query->group]--;
	waiting->with[group]++;
	query->group = group;
}

struct query *waiting_oldest(struct waiting *waiting)
{
	return query_at(waiting, waiting->oldest);
}

struct query *waiting_patient(struct waiting *waiting)
{
	return query_at(waiting, waiting->patient);
}

struct query *waiting_next_impatient(struct waiting *waiting, uint64_t until_ms)
{
	struct query *query = waiting_patient(waiting);

	if (!query || query->arrived_ms > until_ms)
		return NULL;
	waiting->patient = query->after;
	return query;
}

void waiting_client_gone(struct waiting *waiting, uint32_t slot, uint64_t serial)
{
	uint32_t i = *chain_of(waiting, slot, serial);

	for (; i != NOBODY; i = waiting->queries[i].next_of_client) {
		struct query *query = &waiting->queries[i];

		if (query->client.slot == slot && query->client.serial == serial)
			query->gone = true;
	}
}
