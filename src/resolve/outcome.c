/* SPDX-License-Identifier: MIT */
/*
 * Every way that a query can end passes here, so that each is counted once, by what it came from
 * and by its rcode, and what the operator may want to read of is told. Explained questions have no
 * client: they are written as others are, and neither counted nor told.
 *
 * One thread, the worker's.
 */
#include "resolve/outcome.h"

#include "resolve/answer.h"
#include "wire/types.h"

static void event(struct resolver *resolver, enum resolver_event kind, const struct client *client,
		  const struct step_question *question, const char *text)
{
	/* An explained question has no client. */
	if (resolver->conf.event && client->from.any.sa_family != AF_UNSPEC)
		resolver->conf.event(resolver->conf.arg, kind, client, question->name,
				     question->type, text);
}

/* What of an answer's making is counted and told. */
static void note_plan(struct resolver *resolver, const struct client *client,
		      const struct step_question *question)
{
	struct resolver_counters *counters = &resolver->counters;
	const struct plan *plan = &resolver->plan;
	char text[NAME_TEXT_MAX];

	counter_add(plan->used_reply ? &counters->forwarded : &counters->local, 1);
	if (plan->rcode == RCODE_NOERROR)
		counter_add(&counters->noerror, 1);
	else if (plan->rcode == RCODE_NXDOMAIN)
		counter_add(&counters->nxdomain, 1);
	else if (plan->rcode == RCODE_SERVFAIL)
		counter_add(&counters->servfail, 1);
	else if (plan->rcode == RCODE_REFUSED)
		counter_add(&counters->refused, 1);
	if (plan->cut)
		counter_add(&counters->cut, 1);
	if (plan->stale)
		counter_add(&counters->stale, 1);
	if (plan->alias_denied) {
		counter_add(&counters->alias_denied, 1);
		name_to_text(plan->name[plan->denied_name], text);
		event(resolver, RESOLVER_EVENT_ALIAS_DENIED, client, question, text);
	}
	if (plan->must_be_private) {
		counter_add(&counters->must_be_private, 1);
		event(resolver, RESOLVER_EVENT_MUST_BE_PRIVATE, client, question, NULL);
	}
	if (plan->vault_name) {
		counter_add(&counters->vault_names, 1);
		event(resolver, RESOLVER_EVENT_VAULT_NAME, client, question, NULL);
	}
	if (resolver->view->log_queries)
		event(resolver, RESOLVER_EVENT_QUERY, client, question,
		      rcode_to_text(plan->rcode, text));
}

size_t outcome_plan(struct resolver *resolver, const struct client *client,
		    const struct step_question *question, const struct answer_shape *shape,
		    uint8_t *out)
{
	bool truncated;
	size_t len = answer_plan(shape, &resolver->plan, &resolver->replies, resolver->view->id,
				 out, RESOLVER_MESSAGE_MAX, &truncated);

	if (!client)
		return len;
	if (truncated)
		counter_add(&resolver->counters.truncated, 1);
	note_plan(resolver, client, question);
	return len;
}

size_t outcome_failure(struct resolver *resolver, const struct client *client,
		       const struct step_question *question, const struct answer_shape *shape,
		       struct counter *why, int ede, const char *ede_text, uint8_t *out)
{
	unsigned rcode = why == &resolver->counters.refused ? RCODE_REFUSED : RCODE_SERVFAIL;
	char text[TYPE_TEXT_MAX];

	if (client) {
		counter_add(why, 1);
		counter_add(&resolver->counters.servfail, rcode == RCODE_SERVFAIL);
		if (resolver->view->log_queries)
			event(resolver, RESOLVER_EVENT_QUERY, client, question,
			      rcode_to_text(rcode, text));
	}
	return answer_error(shape, rcode, ede, ede_text, resolver->view->id, out,
			    RESOLVER_MESSAGE_MAX);
}

size_t outcome_loop(struct resolver *resolver, const struct client *client,
		    const struct step_question *question, const struct answer_shape *shape,
		    uint8_t *out)
{
	return outcome_failure(resolver, client, question, shape, &resolver->counters.loops,
			       EDE_OTHER, "forwarding loop: this server asked you this", out);
}
