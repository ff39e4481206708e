/* SPDX-License-Identifier: MIT */
/*
 * The decision: what a question gets, from our records and the replies so far.
 *
 * resolve_step always begins at the question. It says ANSWER, with a plan that resolve/answer lays
 * out, or ASK, which name of which upstream group is missing. The caller gets that reply, adds it
 * and calls again. So hits, misses, every order of questions and a reload in between all take the
 * same path, and there is no half state.
 *
 * Pure: no clock, allocation, socket or log; any thread. A plan points into the view and the
 * replies it was made from.
 */
#ifndef PRIVLINKD_RESOLVE_STEP_H
#define PRIVLINKD_RESOLVE_STEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "forward/reply.h"
#include "resolve/view.h"
#include "wire/name.h"

/* CNAME links followed, ours and others'. Azure's longest known chain has 6; resolvers stop at 10
 * to 16. */
#define STEP_LINKS_MAX 16
/* Replies one question can need: one for each name of the longest chain. */
#define STEP_REPLIES_MAX (STEP_LINKS_MAX + 1)

struct step_question {
	const struct name *name;
	uint16_t type;
	const union addr *to; /* the address that was asked, for its own PTR; NULL: not known */
};

struct step_replies {
	unsigned count;
	struct reply item[STEP_REPLIES_MAX];
};

/* Which part of an answer comes from where. `name` is an index into the plan's names. */
enum plan_kind {
	PLAN_RECORDS, /* our records: rrset, at name */
	/* a CNAME of ours from name to name + 1: a public form, or Site Recovery's other
	 * spelling */
	PLAN_ALIAS,
	PLAN_LITERAL, /* one record made here: type, ttl, rdata */
	/* records of this type at name in reply; with DO their RRSIGs and the DNAME that made a
	 * CNAME */
	PLAN_REPLY,
	PLAN_APEX, /* the SOA of our zone, which is name */
	/* the authority section of reply, of a negative answer or, with DO, a wildcard's; see
	 * plan_proof */
	PLAN_PROOF,
	PLAN_SOA,       /* authority: the zone's SOA, as Azure's private zones have it */
	PLAN_LOCAL_SOA, /* authority: the SOA of a zone that RFC 6303 has us serve */
};

enum plan_proof {
	PROOF_WHOLE,
	PROOF_SOA, /* the SOA alone: the rest would deny what we hold */
	/* of a reply whose chain goes on elsewhere: nothing of the zone that denies its end */
	PROOF_LINKS,
};

struct plan_item {
	enum plan_kind kind;
	uint8_t name;
	/* PLAN_SOA, PLAN_LOCAL_SOA: labels of name that stand before the zone's name */
	uint8_t strip;
	uint8_t reply; /* PLAN_REPLY, PLAN_PROOF: index of the reply */
	uint8_t proof; /* PLAN_PROOF: enum plan_proof */
	/* PLAN_REPLY: the DNAME's owner is not for this upstream group to speak of */
	bool no_dname;
	uint16_t type;           /* PLAN_REPLY, PLAN_LITERAL */
	uint32_t ttl;            /* PLAN_ALIAS, PLAN_LITERAL */
	struct node_rrset rrset; /* PLAN_RECORDS */
	const uint8_t *rdata;    /* PLAN_LITERAL; NULL: the wire name name + 1 */
	uint16_t rdata_len;
};

/* Every link, the records at the end, the proof of every reply. */
#define PLAN_ITEMS_MAX (STEP_LINKS_MAX + 1 + STEP_REPLIES_MAX + 1)

struct plan {
	uint8_t rcode;
	bool aa;
	bool ad; /* everything in it comes from upstreams that vouch for it */
	bool used_reply;
	bool cut;          /* an upstream's chain ends in records of ours */
	bool alias_denied; /* `aliases` does not allow one; names[denied_name] is the alias */
	bool must_be_private;
	bool vault_name; /* a name of a known Site Recovery vault that is not held */
	/* whoever asks the same at another address of ours may get another answer */
	bool by_address;
	/* by a memo (memo.h): the first reply is passed on as it stands, and there are no items */
	bool whole;
	uint8_t denied_name;
	bool stale;       /* with something past its time in it */
	int failed_reply; /* the reply that says why there is no answer: upstreams failed; or -1 */
	int ede;
	int ede_more; /* a second one, or EDE_NONE */
	const char *ede_text;
	unsigned count, names;
	struct plan_item item[PLAN_ITEMS_MAX];
	/* wire names: the question's, then each alias's target */
	uint8_t name[STEP_LINKS_MAX + 2][NAME_WIRE_MAX];
};

/* What must be asked. */
struct step_ask {
	const struct name *name; /* the question's own, or: */
	struct name chained;
	uint16_t group;
};

enum step_verdict {
	STEP_ANSWER,
	STEP_ASK,
};

/* What was decided and why, for `explain`; NULL elsewhere. */
enum trace_kind {
	TRACE_HELD,
	TRACE_WILDCARD,
	TRACE_ALIAS,
	TRACE_PTR,
	TRACE_ENT,
	TRACE_ABSENT,
	TRACE_SPECIAL,
	TRACE_LINK,
	TRACE_NODATA,
	TRACE_ROUTE,
	TRACE_REPLY,
	TRACE_ASK,
	TRACE_DENIED,
	TRACE_CUT,
	TRACE_MUST_BE_PRIVATE,
	TRACE_LIMIT,
};

#define TRACE_EVENTS_MAX 96

struct trace_event {
	enum trace_kind kind;
	uint8_t name;            /* index into the plan's names */
	uint16_t zone;           /* TRACE_ABSENT */
	uint16_t group;          /* TRACE_ROUTE, TRACE_REPLY, TRACE_ASK */
	uint8_t reply;           /* TRACE_REPLY */
	const struct node *node; /* TRACE_HELD, TRACE_WILDCARD, TRACE_ALIAS, TRACE_PTR */
	const char *text;
};

struct trace {
	unsigned count;
	struct trace_event event[TRACE_EVENTS_MAX];
};

enum step_verdict resolve_step(const struct view *view, const struct step_replies *replies,
			       const struct step_question *question, struct plan *plan,
			       struct step_ask *ret_ask, struct trace *trace);

/* The plan before anything is decided. */
void step_begin(struct plan *plan, const struct step_question *question);

/*
 * What resolve_step would say with this reply to the question's own name, which it has asked for
 * as the first: where it is known that it passes the reply on whole.
 */
void step_pass_whole(struct plan *plan, const struct reply *reply);

#endif
