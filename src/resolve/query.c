/* SPDX-License-Identifier: MIT */
/*
 * A message comes in: first the refusals, a column of checks that each answer and leave; then the
 * decision, run against the cache until it has an answer or a reply is missing. The common case
 * ends here, in the caller's buffer, with nothing kept.
 *
 * Where a reply is missing the question becomes a `struct query`. It keeps what shapes the answer
 * (the client, its question's octets, flags, EDNS) and the replies that came for it, and no pointer
 * into a view: when a reply arrives, everything is decided again, over the view of that moment.
 * Replies that were cached are looked up again; those that were waited for are held, so a query
 * makes progress even if its replies may not be cached.
 *
 * Queries lie in one preallocated array: those that wait in a list in the order of their deadlines
 * (all have the same time, so that is the order of arrival), the free ones in a stack. A token of
 * {use, index} names a query to the forwarder, so a late reply finds no stranger.
 *
 * One thread, the worker's. Replies of the cache are copied into `scratch`, which no step outlives.
 */
#include "resolve/query.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "resolve/answer.h"
#include "resolve/explain.h"
#include "resolve/refuse.h"
#include "resolve/special.h"
#include "resolve/step.h"
#include "wire/message.h"

/* Questions waited for by one query: each of a chain's names once, and some again whose cached
 * reply ran out meanwhile. */
#define QUERY_ASKS_MAX (2 * STEP_REPLIES_MAX)
/* Octets of a question section: a name, type and class. */
#define QUERY_QUESTION_MAX (NAME_WIRE_MAX + 4)
#define SCRATCH_LEN ((size_t)STEP_REPLIES_MAX * REPLY_LEN_MAX)
#define NOBODY UINT32_MAX

struct query {
	struct client client;
	struct answer_shape shape; /* question points into `question` */
	uint8_t question[QUERY_QUESTION_MAX];
	uint16_t type;
	bool waiting, gone;
	/* counts up each time the slot is taken; with the index: the token */
	uint32_t use;
	uint32_t before, after; /* in the list of those that wait */
	uint64_t deadline_ms;
	unsigned asks;
	unsigned held;
	struct reply reply[STEP_REPLIES_MAX];
	resolver_explained_fn *explained; /* NULL: a client waits */
	void *explained_arg;
};

struct resolver {
	struct resolver_conf conf;
	struct forward *forward;
	const struct view *view;
	struct resolver_counters counters;
	struct query *queries;
	uint32_t *unused; /* a stack of indices */
	uint32_t unused_count;
	uint32_t oldest, newest;
	uint8_t *scratch;
	/* RESOLVER_MESSAGE_MAX octets, for answers that had to wait */
	uint8_t *late;
	char *explain; /* EXPLAIN_TEXT_MAX */
	struct step_replies replies;
	struct plan plan;
	struct step_ask ask;
	struct trace trace;
};

struct resolver *resolver_new(const struct resolver_conf *conf, struct err *err)
{
	struct resolver *resolver = calloc(1, sizeof(*resolver));
	void *scratch;
	uint32_t i;

	if (!resolver)
		goto fail;
	resolver->conf = *conf;
	resolver->oldest = resolver->newest = NOBODY;
	resolver->queries = calloc(conf->queries_max, sizeof(*resolver->queries));
	resolver->unused = calloc(conf->queries_max, sizeof(*resolver->unused));
	resolver->late = malloc(RESOLVER_MESSAGE_MAX);
	resolver->explain = malloc(EXPLAIN_TEXT_MAX);
	/* Touched only as far as replies are long. */
	scratch =
		mmap(NULL, SCRATCH_LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	resolver->scratch = scratch == MAP_FAILED ? NULL : scratch;
	if (!resolver->queries || !resolver->unused || !resolver->late || !resolver->explain ||
	    !resolver->scratch)
		goto fail;
	for (i = 0; i < conf->queries_max; i++)
		resolver->unused[i] = conf->queries_max - 1 - i;
	resolver->unused_count = conf->queries_max;
	return resolver;
fail:
	resolver_free(resolver);
	err_set(err, "out of memory for %u queries", conf->queries_max);
	return NULL;
}

static void query_release(struct resolver *resolver, uint32_t i)
{
	struct query *query = &resolver->queries[i];
	unsigned n;

	for (n = 0; n < query->held; n++)
		reply_drop(&query->reply[n]);
	query->held = 0;
	if (query->before != NOBODY)
		resolver->queries[query->before].after = query->after;
	else
		resolver->oldest = query->after;
	if (query->after != NOBODY)
		resolver->queries[query->after].before = query->before;
	else
		resolver->newest = query->before;
	query->waiting = false;
	resolver->unused[resolver->unused_count++] = i;
}

void resolver_free(struct resolver *resolver)
{
	if (!resolver)
		return;
	while (resolver->queries && resolver->oldest != NOBODY)
		query_release(resolver, resolver->oldest);
	if (resolver->scratch)
		munmap(resolver->scratch, SCRATCH_LEN);
	free(resolver->queries);
	free(resolver->unused);
	free(resolver->late);
	free(resolver->explain);
	free(resolver);
}

void resolver_use_forward(struct resolver *resolver, struct forward *forward)
{
	resolver->forward = forward;
}

void resolver_use_view(struct resolver *resolver, const struct view *view)
{
	resolver->view = view;
}

const struct resolver_counters *resolver_counters(const struct resolver *resolver)
{
	return &resolver->counters;
}

unsigned resolver_waiting(const struct resolver *resolver)
{
	return resolver->conf.queries_max - resolver->unused_count;
}

static uint64_t query_token(const struct resolver *resolver, uint32_t i)
{
	/* Never 0, which means "do not wait" to the forwarder. */
	return (uint64_t)resolver->queries[i].use << 32 | (i + 1);
}

static struct query *query_of_token(struct resolver *resolver, uint64_t token)
{
	uint32_t i = (uint32_t)token - 1;

	if (i >= resolver->conf.queries_max || !resolver->queries[i].waiting ||
	    resolver->queries[i].use != token >> 32)
		return NULL;
	return &resolver->queries[i];
}

/* Takes the slot on top of the stack of unused ones, which `token` was made for, and puts it behind
 * all others. */
static struct query *query_take(struct resolver *resolver, uint64_t now_ms)
{
	uint32_t i = resolver->unused[--resolver->unused_count];
	struct query *query = &resolver->queries[i];

	query->waiting = true;
	query->gone = false;
	query->held = query->asks = 0;
	query->explained = NULL;
	query->deadline_ms = now_ms + RESOLVER_DEADLINE_MS;
	query->before = resolver->newest;
	query->after = NOBODY;
	if (resolver->newest != NOBODY)
		resolver->queries[resolver->newest].after = i;
	else
		resolver->oldest = i;
	resolver->newest = i;
	return query;
}

enum run {
	RUN_ANSWER, /* resolver->plan */
	RUN_WAIT,   /* for a reply, under `token` */
	RUN_MISS,   /* a reply is missing and must not be asked for */
	RUN_FULL,
	RUN_LOOP, /* it is a question of ours that came back */
};

/*
 * May others than an upstream ask from this client's address? Programs on this machine do, and all
 * from the same one.
 */
static bool is_here(const struct client *client)
{
	return addr_same_host(&client->from, &client->to) || addr_is_localhost(&client->from);
}

/*
 * Decides until there is an answer or a reply is missing. resolver->replies holds those of the
 * query itself to begin with. `asks` counts what was waited for, over the life of the query. What
 * is cached is looked up again each time.
 */
static enum run run(struct resolver *resolver, const struct step_question *question,
		    const struct client *client, const struct answer_shape *shape, uint64_t token,
		    uint64_t now_ms, unsigned *asks, struct trace *trace)
{
	struct step_replies *replies = &resolver->replies;
	uint8_t *scratch = resolver->scratch;
	struct forward_question ask = {
		.name = &resolver->ask.name,
		.type = question->type,
		.do_bit = shape->do_bit,
		.cd_bit = shape->flags & FLAG_CD,
	};

	while (resolve_step(resolver->view, replies, question, &resolver->plan, &resolver->ask,
			    trace) == STEP_ASK) {
		struct reply *reply = &replies->item[replies->count];

		if (replies->count == STEP_REPLIES_MAX || *asks == QUERY_ASKS_MAX)
			return RUN_FULL;
		ask.group = resolver->ask.group;
		/* Only a client's own question can be one of ours that came back. */
		ask.from = client && name_equal(ask.name, question->name) ? &client->from : NULL;
		ask.here = ask.from && is_here(client);
		switch (forward_get(resolver->forward, &ask, token, now_ms, scratch, REPLY_LEN_MAX,
				    reply)) {
		case FORWARD_HIT:
			scratch += reply->len;
			replies->count++;
			break;
		case FORWARD_WAITING:
			++*asks;
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
	return RUN_ANSWER;
}

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

/* `client` NULL: for `explain`, which is nobody's query and neither counted nor told. */
static size_t write_plan(struct resolver *resolver, const struct client *client,
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

/* An answer without a plan: SERVFAIL, or REFUSED; `why` counts it. */
static size_t write_failure(struct resolver *resolver, const struct client *client,
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

/* A question of ours that came back: whoever asked it on must learn that it ends nowhere. */
static size_t write_loop(struct resolver *resolver, const struct client *client,
			 const struct step_question *question, const struct answer_shape *shape,
			 uint8_t *out)
{
	return write_failure(resolver, client, question, shape, &resolver->counters.loops,
			     EDE_OTHER, "forwarding loop: this server asked you this", out);
}

static struct answer_shape shape_of(const struct message_query *query, const struct client *client,
				    const uint8_t *in)
{
	return (struct answer_shape){
		.id = query->id,
		.flags = query->flags,
		.stream = client->stream,
		.edns = query->edns.present,
		.do_bit = query->edns.present && query->edns.do_bit,
		.nsid = query->edns.present && query->edns.nsid,
		.keepalive = query->edns.present && query->edns.keepalive && client->stream,
		.padding = query->edns.present && query->edns.padding && client->tls,
		.idle_ds = client->idle_ds,
		.udp_size = query->edns.udp_size,
		.question_len = (uint16_t)(query->has_question ? query->question_len : 0),
		.question = in + DNS_HEADER_LEN,
	};
}

/* A question that must wait keeps all that its answer needs. */
static void query_keep(struct query *query, const struct client *client,
		       const struct answer_shape *shape, uint16_t type, unsigned asks)
{
	assert(shape->question_len <= sizeof(query->question));
	query->client = *client;
	query->shape = *shape;
	memcpy(query->question, shape->question, shape->question_len);
	query->shape.question = query->question;
	query->type = type;
	query->asks = asks;
}

static uint64_t next_token(const struct resolver *resolver, const struct answer_shape *shape)
{
	uint32_t i;

	if (resolver->unused_count == 0 || !(shape->flags & FLAG_RD))
		return 0;
	i = resolver->unused[resolver->unused_count - 1];
	resolver->queries[i].use++;
	return query_token(resolver, i);
}

enum resolver_verdict resolver_receive(struct resolver *resolver, const struct client *client,
				       const uint8_t *in, size_t len, uint64_t now_ms, uint8_t *out,
				       size_t *ret_len)
{
	struct message_query message;
	enum message_verdict verdict = message_read_query(&message, in, len);
	struct step_question question = { .name = &message.name, .to = &client->to };
	struct answer_shape shape;
	unsigned asks = 0;

	counter_add(&resolver->counters.queries, 1);
	if (verdict == MESSAGE_DROP) {
		counter_add(&resolver->counters.dropped, 1);
		return RESOLVER_DROP;
	}
	shape = shape_of(&message, client, in);
	*ret_len = refuse_query(resolver->view, &resolver->counters, client, verdict, &message,
				&shape, out, RESOLVER_MESSAGE_MAX);
	if (*ret_len > 0)
		return RESOLVER_ANSWER;

	question.type = message.type;
	if (forward_is_probe(resolver->forward, &message.name, &client->from, &client->to,
			     now_ms)) {
		*ret_len = write_loop(resolver, client, &question, &shape, out);
		return RESOLVER_ANSWER;
	}
	resolver->replies.count = 0;
	switch (run(resolver, &question, client, &shape, next_token(resolver, &shape), now_ms,
		    &asks, NULL)) {
	case RUN_ANSWER:
		*ret_len = write_plan(resolver, client, &question, &shape, out);
		return RESOLVER_ANSWER;
	case RUN_WAIT:
		counter_add(&resolver->counters.waited, 1);
		query_keep(query_take(resolver, now_ms), client, &shape, question.type, asks);
		return RESOLVER_LATER;
	case RUN_LOOP:
		*ret_len = write_loop(resolver, client, &question, &shape, out);
		return RESOLVER_ANSWER;
	case RUN_MISS:
		if (!(shape.flags & FLAG_RD)) {
			*ret_len = write_failure(resolver, client, &question, &shape,
						 &resolver->counters.refused, EDE_NONE, NULL, out);
			return RESOLVER_ANSWER;
		}
		/* No query was free. */
		/* fall through */
	case RUN_FULL:
	default:
		*ret_len = write_failure(resolver, client, &question, &shape,
					 &resolver->counters.full, EDE_OTHER, "too busy", out);
		return RESOLVER_ANSWER;
	}
}

/* Hands the answer to whoever waits and frees the query. `len` 0: there is none but the trace. */
static void query_finish(struct resolver *resolver, struct query *query, size_t len)
{
	struct client client = query->client;
	resolver_explained_fn *explained = query->explained;
	void *arg = query->explained_arg;
	bool gone = query->gone;

	query_release(resolver, (uint32_t)(query - resolver->queries));
	if (explained)
		explained(arg, resolver->explain, resolver->late, len);
	else if (!gone)
		resolver->conf.send(resolver->conf.arg, &client, resolver->late, len);
}

/*
 * Decides a waiting query once more, with the replies it holds. `last`: its time is over, so
 * nothing is asked any more; but what came in meanwhile, a reload too, still counts.
 */
static void query_run(struct resolver *resolver, struct query *query, uint64_t now_ms, bool last)
{
	uint64_t token = last ? 0 : query_token(resolver, (uint32_t)(query - resolver->queries));
	struct trace *trace = query->explained ? &resolver->trace : NULL;
	struct client *client = query->explained ? NULL : &query->client;
	struct step_question question = { .type = query->type, .to = &query->client.to };
	struct name name;
	enum run result;
	size_t len;

	if (name_from_wire(&name, query->question, query->shape.question_len) < 0)
		assert(!"a question that was read before");
	question.name = &name;
	memcpy(resolver->replies.item, query->reply, query->held * sizeof(query->reply[0]));
	resolver->replies.count = query->held;
	result = run(resolver, &question, NULL, &query->shape, token, now_ms, &query->asks, trace);
	if (result == RUN_WAIT)
		return;
	if (trace)
		explain_text(resolver->view, &resolver->plan, &resolver->replies, trace,
			     query->type, resolver->explain, EXPLAIN_TEXT_MAX);
	if (result == RUN_ANSWER)
		len = write_plan(resolver, client, &question, &query->shape, resolver->late);
	else if (last)
		len = write_failure(resolver, client, &question, &query->shape,
				    &resolver->counters.deadline, EDE_NO_REACHABLE_AUTHORITY,
				    "no upstream answered in time", resolver->late);
	else
		len = write_failure(resolver, client, &question, &query->shape,
				    &resolver->counters.full, EDE_OTHER, "too busy",
				    resolver->late);
	query_finish(resolver, query, len);
}

void resolver_forwarded(void *arg, uint64_t waiter, const struct reply *reply)
{
	struct resolver *resolver = arg;
	struct query *query = query_of_token(resolver, waiter);

	if (!query)
		return;
	if (query->held < STEP_REPLIES_MAX) {
		reply_hold(reply);
		query->reply[query->held++] = *reply;
	}
	query_run(resolver, query, clock_now_ms(), false);
}

int resolver_expire(struct resolver *resolver, uint64_t now_ms)
{
	struct query *query;
	uint32_t i;

	while ((i = resolver->oldest) != NOBODY) {
		query = &resolver->queries[i];
		if (query->deadline_ms > now_ms)
			return (int)(query->deadline_ms - now_ms);
		forward_forget(resolver->forward, query_token(resolver, i));
		query_run(resolver, query, now_ms, true);
	}
	return -1;
}

void resolver_client_gone(struct resolver *resolver, uint32_t slot, uint64_t serial)
{
	struct query *query;
	uint32_t i;

	for (i = resolver->oldest; i != NOBODY; i = query->after) {
		query = &resolver->queries[i];
		if (query->client.slot == slot && query->client.serial == serial)
			query->gone = true;
	}
}

void resolver_explain(struct resolver *resolver, const struct name *name, uint16_t type,
		      uint64_t now_ms, resolver_explained_fn *done, void *arg)
{
	struct client client = { .stream = true };
	struct answer_shape shape = { .flags = FLAG_RD, .stream = true };
	uint8_t question[QUERY_QUESTION_MAX];
	struct query *query;

	if (next_token(resolver, &shape) == 0) {
		done(arg, "too busy: no query is free\n", NULL, 0);
		return;
	}
	memcpy(question, name->wire, name->len);
	question[name->len] = (uint8_t)(type >> 8);
	question[name->len + 1] = (uint8_t)type;
	question[name->len + 2] = 0;
	question[name->len + 3] = CLASS_IN;
	shape.question = question;
	shape.question_len = (uint16_t)(name->len + 4);
	query = query_take(resolver, now_ms);
	query_keep(query, &client, &shape, type, 0);
	query->explained = done;
	query->explained_arg = arg;
	query_run(resolver, query, now_ms, false);
}
