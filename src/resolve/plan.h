/* SPDX-License-Identifier: MIT */
/*
 * What an answer is to say: made by the decision (resolve/step), laid out by resolve/answer.
 *
 * A plan points into the view, the replies and the question it was made from.
 */
#ifndef PRIVLINKD_RESOLVE_PLAN_H
#define PRIVLINKD_RESOLVE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "forward/reply.h"
#include "wire/name.h"
#include "zone/table.h"

/* CNAME links followed, ours and others'. Azure's longest known chain has 6; resolvers stop at 10
 * to 16. */
#define STEP_LINKS_MAX 16
/* Replies one question can need: one for each name of the longest chain. */
#define STEP_REPLIES_MAX (STEP_LINKS_MAX + 1)

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
	uint8_t name_len[STEP_LINKS_MAX + 2];
	const struct name *question; /* name[0] */
};

/* The plan before anything is decided about this name. */
void plan_begin(struct plan *plan, const struct name *question);

/*
 * What resolve_step would say with this reply to the question's own name, which it has asked for
 * as the first: where it is known that it passes the reply on whole.
 */
void plan_pass_whole(struct plan *plan, const struct reply *reply);
/* The same plan made of nothing, and without names: where there is nothing to be told of it. */
void plan_whole(struct plan *plan, const struct reply *reply);

/* There is something past its time in it: it is to say so (RFC 8914 4.4, 4.20). */
void plan_tell_stale(struct plan *plan);

#endif
