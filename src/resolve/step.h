/* SPDX-License-Identifier: MIT */
/*
 * The decision: what a question gets, from our records and the replies so far.
 *
 * resolve_step always begins at the question. It says ANSWER, with a plan that resolve/answer lays
 * out, or ASK, which name of which upstream group is missing. The caller gets that reply, adds it
 * and calls again. So hits, misses, every order of questions and a reload in between all take the
 * same path, and there is no half state.
 *
 * Pure: no clock, allocation, socket or log; any thread. A plan points into the view, the
 * replies and the question it was made from.
 */
#ifndef PRIVLINKD_RESOLVE_STEP_H
#define PRIVLINKD_RESOLVE_STEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "forward/reply.h"
#include "resolve/plan.h"
#include "resolve/view.h"
#include "wire/name.h"

struct step_question {
	const struct name *name;
	uint16_t type;
	const union addr *to; /* the address that was asked, for its own PTR; NULL: not known */
};

struct step_replies {
	unsigned count;
	struct reply item[STEP_REPLIES_MAX];
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
	TRACE_APEX,
	TRACE_EXISTS,
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
	uint16_t zone;           /* TRACE_ABSENT, TRACE_APEX */
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

#endif
