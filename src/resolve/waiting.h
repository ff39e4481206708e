/* SPDX-License-Identifier: MIT */
/*
 * Queries that wait for an upstream: a fixed number, each with all that its answer needs.
 *
 * One thread, its worker's. Every query is in the order of arrival, which is that of its deadline;
 * counted for the upstream group it waits for; and, if its client has a connection, found by that.
 */
#ifndef PRIVLINKD_RESOLVE_WAITING_H
#define PRIVLINKD_RESOLVE_WAITING_H

#include <stdbool.h>
#include <stdint.h>

#include "resolve/answer.h"
#include "resolve/query.h"
#include "resolve/step.h"

/* Octets of a question section: a name, type and class. */
#define QUERY_QUESTION_MAX (NAME_WIRE_MAX + 4)

/*
 * A query may begin to wait for an upstream group as long as those that do are fewer than so many
 * times the free ones: see FORWARD_GROUP_SHARE.
 */
#define WAITING_GROUP_SHARE 3

#define WAITING_NOBODY UINT32_MAX

struct query {
	struct client client;
	struct answer_shape shape; /* question points into `question` */
	uint8_t question[QUERY_QUESTION_MAX];
	uint16_t type;
	bool gone; /* its client: nobody wants the answer */
	unsigned asks;
	uint64_t awaited; /* what was asked for last, for query.c; 0: it has come */
	/*
	 * The generation of the view that asked for the reply to its own name, and for nothing
	 * else, and had nothing to tell; 0: it was not like that. query.c's.
	 */
	uint64_t simple;
	unsigned held;
	struct reply reply[STEP_REPLIES_MAX]; /* kept: see reply_keep */
	resolver_explained_fn *explained;     /* NULL: a client waits */
	void *explained_arg;
	uint64_t arrived_ms;

	/* waiting.c's: */
	bool waiting;
	uint16_t group;
	/* counts up each time the slot is taken; with the index: the token */
	uint32_t use;
	uint32_t before, after; /* in the order of arrival */
	uint32_t next_of_client, prev_of_client;
};

struct waiting {
	unsigned max;
	struct query *queries;
	uint32_t *unused; /* a stack of indices */
	uint32_t unused_count;
	uint32_t oldest, newest;
	uint32_t patient; /* the oldest that waiting_next_impatient has not given yet */
	uint32_t *chains; /* of queries of connections, by slot and serial number */
	uint32_t chains_mask;
	uint32_t with[UPSTREAM_GROUPS_MAX]; /* how many wait for the group */
};

/* -1 without memory; waiting_fini is due then too. */
int waiting_init(struct waiting *waiting, unsigned max);
/* Lets go of the replies of those that wait. */
void waiting_fini(struct waiting *waiting);

unsigned waiting_count(const struct waiting *waiting);

/*
 * The token of the query that waiting_take will give next, for the forwarder: never 0, and good for
 * this use of the query alone. 0: none is free.
 */
uint64_t waiting_next_token(struct waiting *waiting);
/* May one more begin to wait for this group? */
bool waiting_has_room(const struct waiting *waiting, uint16_t group);
/* A query for this client and group, behind all others; one must be free. */
struct query *waiting_take(struct waiting *waiting, const struct client *client, uint16_t group,
			   uint64_t now_ms);
/* It has its answer. Lets go of its replies. */
void waiting_release(struct waiting *waiting, struct query *query);
/* It waits for another group now. */
void waiting_move(struct waiting *waiting, struct query *query, uint16_t group);

uint64_t waiting_token(const struct waiting *waiting, const struct query *query);
/* NULL: it does not wait any more. */
struct query *waiting_find(struct waiting *waiting, uint64_t token);

/* Who has waited longest; NULL: nobody waits. */
struct query *waiting_oldest(struct waiting *waiting);
/* The next that arrived at `until_ms` or before and was not given yet; NULL: there is none. */
struct query *waiting_next_impatient(struct waiting *waiting, uint64_t until_ms);
/* Who will be next; NULL: nobody. */
struct query *waiting_patient(struct waiting *waiting);

/* Marks the queries of this connection. */
void waiting_client_gone(struct waiting *waiting, uint32_t slot, uint64_t serial);

#endif
