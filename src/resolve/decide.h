/* SPDX-License-Identifier: MIT */
/*
 * Runs the decision over what there is, cached or come in, until it has an answer or must wait.
 * query.c's; one thread, its worker's.
 */
#ifndef PRIVLINKD_RESOLVE_DECIDE_H
#define PRIVLINKD_RESOLVE_DECIDE_H

#include "resolve/waiting.h"

/* Questions waited for by one query: each of a chain's names once, and some again whose cached
 * reply ran out meanwhile. */
#define QUERY_ASKS_MAX (2 * STEP_REPLIES_MAX)
/* Each reply, and a stale one in place of each. */
#define SCRATCH_LEN ((size_t)2 * STEP_REPLIES_MAX * REPLY_LEN_MAX)

struct arrival; /* query.c */

struct resolver {
	struct resolver_conf conf;
	struct forward *forward;
	const struct view *view;
	struct resolver_counters counters;
	struct waiting waiting;
	uint8_t *scratch;
	/* RESOLVER_MESSAGE_MAX octets, for answers that had to wait */
	uint8_t *late;
	char *explain; /* EXPLAIN_TEXT_MAX */
	struct step_replies replies;
	struct plan plan;
	struct step_ask ask;
	struct trace trace;
	/*
	 * The first put_off of them are put off, put_off_left not given yet by resolver_resume; so
	 * far it has decided put_off_decided of them, and looked for the replies of put_off_next.
	 */
	struct arrival *arrivals;
	unsigned put_off, put_off_left, put_off_decided, put_off_next;
};

/* What is to be decided, and how far one may go for it. */
struct matter {
	const struct step_question *question;
	const struct client *client; /* whose own question it is, now; else NULL */
	const struct answer_shape *shape;
	struct query *query; /* NULL: it has just come in */
	uint64_t token;      /* 0: it may not wait */
	bool impatient;      /* what is past its time will do */
	uint64_t now_ms;
	unsigned asks; /* what was waited for, over its life */
	struct trace *trace;
};

enum run {
	RUN_ANSWER, /* resolver->plan */
	RUN_WAIT,   /* for a reply, under `token` */
	RUN_MISS,   /* a reply is missing and must not be asked for */
	RUN_FULL,
	RUN_LOOP, /* it is a question of ours that came back */
	RUN_ASK,  /* decide_begin: the reply to the question itself is to be looked for */
};

/*
 * Decides until there is an answer or a reply is missing. resolver->replies holds those of the
 * query itself to begin with; what is cached is looked up again each time. With RUN_WAIT
 * resolver->ask is what is waited for.
 */
enum run decide(struct resolver *resolver, struct matter *matter);

/*
 * The same in two steps, for a question that has just come in. decide_begin goes no further than to
 * the reply to the question's own name, if that is what is missing first: RUN_ASK, with the
 * question to the upstream group in *ret_ask. decide_resume goes on from there, over the same view.
 */
enum run decide_begin(struct resolver *resolver, struct matter *matter,
		      struct forward_question *ret_ask);
enum run decide_resume(struct resolver *resolver, struct matter *matter, uint16_t group,
		       bool vault_name);

/* What a query waits for, as a number for query.awaited; never 0. */
uint64_t decide_awaited(const struct name *name, uint16_t group);

#endif
