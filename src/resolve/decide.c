/* SPDX-License-Identifier: MIT */
/*
 * The decision is pure and says which reply is missing; here it is got. Fresh if there is one, and
 * waited for if not. A client is kept waiting for RESOLVER_STALE_MS; from then on a reply past its
 * time will do (RFC 8767), as it does at once where upstreams have just failed or a limit is met.
 * What was asked goes on, and what comes then goes into the cache. Wherever the decision ends at a
 * reply that says that upstreams failed, the cache is asked for what may still be used in its
 * place, and the decision begins again. So every answer with something stale in it was decided like
 * any other: over the records, the zones and the policy of now.
 *
 * A query that may wait no longer for a stale answer's first link may have to wait for its second,
 * at another group: that one is asked then, while the first question goes on.
 *
 * Without RD nothing is asked, and nothing past its time is given.
 *
 * Replies of the cache are copied into `scratch`, which no decision outlives.
 */
#include "resolve/decide.h"

#include "resolve/memo.h"

/*
 * May others than an upstream ask from this client's address? Programs on this machine do, and all
 * from the same one.
 */
static bool is_here(const struct client *client)
{
	return addr_same_host(&client->from, &client->to) || addr_is_localhost(&client->from);
}

uint64_t decide_awaited(const struct name *name, uint16_t group)
{
	uint64_t hash = name_hash(name) ^ (uint64_t)group << 48;

	return hash ? hash : 1;
}

/* The question that a reply is missing for, as the cache knows it. */
static struct forward_question asking(const struct resolver *resolver, const struct matter *matter)
{
	return (struct forward_question){
		.name = resolver->ask.name,
		.type = matter->question->type,
		.group = resolver->ask.group,
		.do_bit = matter->shape->do_bit,
		.cd_bit = matter->shape->flags & FLAG_CD,
	};
}

/* The same with who asks: only a client's own question can be one of ours that came back. */
static struct forward_question asking_for(const struct resolver *resolver,
					  const struct matter *matter)
{
	struct forward_question ask = asking(resolver, matter);
	const struct name *own = matter->question->name;

	if (matter->client && (ask.name == own || name_equal(ask.name, own))) {
		ask.from = &matter->client->from;
		ask.here = is_here(matter->client);
	}
	return ask;
}

static bool has_room(struct resolver *resolver, const struct matter *matter, uint16_t group)
{
	if (matter->query || !matter->token || waiting_has_room(&resolver->waiting, group))
		return true;
	counter_add(&resolver->counters.refused_share, 1);
	return false;
}

/* Gets what is missing, fresh, or if need be stale; or sees to it that it comes. */
static enum forward_verdict get(struct resolver *resolver, const struct matter *matter,
				uint8_t *scratch, struct reply *reply)
{
	struct forward_question ask = asking_for(resolver, matter);
	enum forward_verdict verdict = FORWARD_MISS;
	uint64_t token = has_room(resolver, matter, ask.group) ? matter->token : 0;
	bool rd = matter->shape->flags & FLAG_RD;

	if (matter->impatient) {
		if (forward_get_stale(resolver->forward, &ask, matter->now_ms, scratch,
				      REPLY_LEN_MAX, reply))
			return FORWARD_HIT;
		if (token && matter->query->awaited == decide_awaited(ask.name, ask.group))
			return FORWARD_WAITING;
	}
	if (token || !matter->impatient)
		verdict = forward_get(resolver->forward, &ask, token, matter->now_ms, scratch,
				      REPLY_LEN_MAX, reply);
	if (verdict == FORWARD_WAITING && matter->query) {
		matter->query->awaited = decide_awaited(ask.name, ask.group);
		waiting_move(&resolver->waiting, matter->query, ask.group);
	}
	if (verdict == FORWARD_FULL || (verdict == FORWARD_MISS && rd && !matter->impatient)) {
		/* No room for it, here or there. */
		verdict = forward_get_stale(resolver->forward, &ask, matter->now_ms, scratch,
					    REPLY_LEN_MAX, reply)
				  ? FORWARD_HIT
				  : FORWARD_FULL;
	}
	return verdict;
}

/*
 * The decision has ended at this reply, which says that upstreams failed. Is there anything that
 * may still be used in its place?
 */
static bool replace_failure(struct resolver *resolver, const struct matter *matter, int i,
			    uint8_t *scratch)
{
	struct reply *reply = &resolver->replies.item[i];
	struct forward_question ask;

	if (!(matter->shape->flags & FLAG_RD) ||
	    name_from_wire(&resolver->ask.chained, reply->data + DNS_HEADER_LEN,
			   reply->len - DNS_HEADER_LEN) < 0)
		return false;
	resolver->ask.name = &resolver->ask.chained;
	resolver->ask.group = reply->group;
	ask = asking(resolver, matter);
	return forward_get_stale(resolver->forward, &ask, matter->now_ms, scratch, REPLY_LEN_MAX,
				 reply);
}

/* Looks for the reply that is missing. `scratch` moves behind it. RUN_ASK: decide again. */
static enum run look(struct resolver *resolver, struct matter *matter, uint8_t **scratch)
{
	struct step_replies *replies = &resolver->replies;
	struct reply *reply = &replies->item[replies->count];

	if (replies->count == STEP_REPLIES_MAX || matter->asks == QUERY_ASKS_MAX)
		return RUN_FULL;
	switch (get(resolver, matter, *scratch, reply)) {
	case FORWARD_HIT:
		*scratch += reply_room(reply);
		/* The first reply, to the question itself: the rest may be known. */
		if (++replies->count == 1 && resolver->plan.names == 1 && !matter->trace &&
		    memo_says_whole(resolver->view, reply)) {
			plan_pass_whole(&resolver->plan, reply);
			return RUN_ANSWER;
		}
		return RUN_ASK;
	case FORWARD_WAITING:
		matter->asks++;
		return RUN_WAIT;
	case FORWARD_MISS:
		return RUN_MISS;
	case FORWARD_LOOP:
		return RUN_LOOP;
	case FORWARD_FULL:
	default:
		return RUN_FULL;
	}
}

/* Does the decision ask for a reply? Else there is an answer. */
static bool asks(struct resolver *resolver, const struct matter *matter)
{
	return resolve_step(resolver->view, &resolver->replies, matter->question, &resolver->plan,
			    &resolver->ask, matter->trace) == STEP_ASK;
}

/* Until there is an end; `asked`: the decision has asked for a reply already. */
static enum run go_on(struct resolver *resolver, struct matter *matter, bool asked)
{
	const struct plan *plan = &resolver->plan;
	uint8_t *scratch = resolver->scratch;
	enum run run;

	for (;; asked = false) {
		if (asked || asks(resolver, matter)) {
			run = look(resolver, matter, &scratch);
			if (run != RUN_ASK)
				return run;
		} else if (plan->failed_reply < 0 ||
			   !replace_failure(resolver, matter, plan->failed_reply, scratch)) {
			return RUN_ANSWER;
		} else {
			scratch += reply_room(&resolver->replies.item[plan->failed_reply]);
		}
	}
}

enum run decide(struct resolver *resolver, struct matter *matter)
{
	return go_on(resolver, matter, false);
}

enum run decide_begin(struct resolver *resolver, struct matter *matter,
		      struct forward_question *ret_ask)
{
	resolver->replies.count = 0;
	/* Without any reply there is none that could have failed. */
	if (!asks(resolver, matter))
		return RUN_ANSWER;
	if (resolver->ask.name != matter->question->name)
		return go_on(resolver, matter, true);
	*ret_ask = asking(resolver, matter);
	return RUN_ASK;
}

enum run decide_resume(struct resolver *resolver, struct matter *matter, uint16_t group,
		       bool vault_name)
{
	resolver->replies.count = 0;
	resolver->ask.name = matter->question->name;
	resolver->ask.group = group;
	plan_begin(&resolver->plan, matter->question->name);
	resolver->plan.vault_name = vault_name;
	return go_on(resolver, matter, true);
}
