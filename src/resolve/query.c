/* SPDX-License-Identifier: MIT */
/*
 * A message comes in: first the refusals, a column of checks that each answer and leave; then the
 * decision, run against the cache until it has an answer or a reply is missing. The common case
 * ends here, in the caller's buffer, with nothing kept.
 *
 * Of several messages that are there at once those that the decision answers from our records are
 * answered first. The others hang on the cache, whose octets are as a rule not in the processor's
 * caches: two waits for memory, one behind the other, longer than all the rest. So they are put off
 * at the point where they would look, and go on from there when a few have gathered, each of whose
 * waits has begun. Where the table of records is large it is the same with that, and all are put
 * off before it. Nothing is decided twice, nor otherwise: only the order differs.
 *
 * Where a reply is missing the question becomes a `struct query`. It keeps what shapes the answer
 * (the client, its question's octets, flags, EDNS) and the replies that came for it, and no pointer
 * into a view: when a reply arrives, everything is decided again, over the view of that moment.
 * Replies that were cached are looked up again; those that were waited for are held, so a query
 * makes progress even if its replies may not be cached.
 *
 * One thread, the worker's.
 */
#include "resolve/query.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "resolve/answer.h"
#include "resolve/decide.h"
#include "resolve/explain.h"
#include "resolve/memo.h"
#include "resolve/outcome.h"
#include "resolve/refuse.h"
#include "resolve/special.h"
#include "wire/message.h"

/* A message on its way from coming in to its first verdict. */
struct arrival {
	struct message_query message;
	struct client client; /* of one that is put off */
	struct step_question question;
	struct answer_shape shape;
	struct matter matter;
	/* put off: how far it is, and for that see decide_resume */
	enum {
		ARRIVAL_UNDECIDED,
		ARRIVAL_ASKS, /* its own name's reply is to be looked for */
		ARRIVAL_GIVEN,
	} stage;
	uint16_t group;
	bool vault_name;
	uint64_t expected; /* of table_expect or, with ARRIVAL_ASKS, of forward_expect */
};

struct resolver *resolver_new(const struct resolver_conf *conf, struct err *err)
{
	struct resolver *resolver = calloc(1, sizeof(*resolver));
	void *scratch;
	int waiting;

	if (!resolver)
		goto fail;
	resolver->conf = *conf;
	waiting = waiting_init(&resolver->waiting, conf->queries_max);
	resolver->arrivals = calloc(RESOLVER_PUT_OFF_MAX, sizeof(*resolver->arrivals));
	resolver->late = malloc(RESOLVER_MESSAGE_MAX);
	resolver->explain = malloc(EXPLAIN_TEXT_MAX);
	/* Touched only as far as replies are long. */
	scratch =
		mmap(NULL, SCRATCH_LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	resolver->scratch = scratch == MAP_FAILED ? NULL : scratch;
	if (waiting < 0 || !resolver->arrivals || !resolver->late || !resolver->explain ||
	    !resolver->scratch)
		goto fail;
	return resolver;
fail:
	resolver_free(resolver);
	err_set(err, "out of memory for %u queries", conf->queries_max);
	return NULL;
}

void resolver_free(struct resolver *resolver)
{
	if (!resolver)
		return;
	waiting_fini(&resolver->waiting);
	if (resolver->scratch)
		munmap(resolver->scratch, SCRATCH_LEN);
	free(resolver->arrivals);
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
	assert(resolver->put_off == 0);
	resolver->view = view;
}

const struct resolver_counters *resolver_counters(const struct resolver *resolver)
{
	return &resolver->counters;
}

unsigned resolver_waiting(const struct resolver *resolver)
{
	return waiting_count(&resolver->waiting);
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

/*
 * A question that must wait keeps all that its answer needs. resolver->ask is what it waits for.
 */
static struct query *query_keep(struct resolver *resolver, const struct matter *matter,
				const struct client *client)
{
	const struct answer_shape *shape = matter->shape;
	struct query *query =
		waiting_take(&resolver->waiting, client, resolver->ask.group, matter->now_ms);

	assert(shape->question_len <= sizeof(query->question));
	query->shape = *shape;
	memcpy(query->question, shape->question, shape->question_len);
	query->shape.question = query->question;
	query->type = matter->question->type;
	query->asks = matter->asks;
	return query;
}

static void point_at(struct arrival *arrival, const struct client *client)
{
	arrival->question.to = &client->to;
	arrival->matter.client = client;
}

/* Reads it. RESOLVER_PUT_OFF: it is to be decided. */
static enum resolver_verdict arrive(struct resolver *resolver, struct arrival *arrival,
				    const struct client *client, const uint8_t *in, size_t len,
				    uint64_t now_ms, uint8_t *out, size_t *ret_len)
{
	struct message_query *message = &arrival->message;
	enum message_verdict verdict = message_read_query(message, in, len);

	counter_add(&resolver->counters.queries, 1);
	if (verdict == MESSAGE_DROP) {
		counter_add(&resolver->counters.dropped, 1);
		return RESOLVER_DROP;
	}
	arrival->shape = shape_of(message, client, in);
	*ret_len = refuse_query(resolver->view, &resolver->counters, client, verdict, message,
				&arrival->shape, out, RESOLVER_MESSAGE_MAX);
	if (*ret_len > 0)
		return RESOLVER_ANSWER;
	arrival->question.name = &message->name;
	arrival->question.type = message->type;
	arrival->matter = (struct matter){ .question = &arrival->question,
					   .shape = &arrival->shape,
					   .now_ms = now_ms };
	point_at(arrival, client);
	if (forward_is_probe(resolver->forward, &message->name, &client->from, &client->to,
			     now_ms)) {
		*ret_len = outcome_loop(resolver, client, &arrival->question, &arrival->shape, out);
		return RESOLVER_ANSWER;
	}
	return RESOLVER_PUT_OFF;
}

static void may_wait(struct resolver *resolver, struct arrival *arrival)
{
	if (arrival->shape.flags & FLAG_RD)
		arrival->matter.token = waiting_next_token(&resolver->waiting);
}

/* What comes of the decision. */
static enum resolver_verdict conclude(struct resolver *resolver, const struct arrival *arrival,
				      enum run run, uint8_t *out, size_t *ret_len)
{
	const struct step_question *question = &arrival->question;
	const struct client *client = arrival->matter.client;
	const struct answer_shape *shape = &arrival->shape;
	struct query *query;

	switch (run) {
	case RUN_ANSWER:
		*ret_len = outcome_plan(resolver, client, question, shape, out);
		memo_leave(resolver, &arrival->matter, out, *ret_len);
		return RESOLVER_ANSWER;
	case RUN_WAIT:
		counter_add(&resolver->counters.waited, 1);
		query = query_keep(resolver, &arrival->matter, client);
		query->awaited = decide_awaited(resolver->ask.name, resolver->ask.group);
		if (resolver->ask.name == question->name && resolver->replies.count == 0 &&
		    !resolver->plan.vault_name)
			query->simple = resolver->view->generation;
		return RESOLVER_LATER;
	case RUN_LOOP:
		*ret_len = outcome_loop(resolver, client, question, shape, out);
		return RESOLVER_ANSWER;
	case RUN_MISS: /* without RD */
		*ret_len = outcome_failure(resolver, client, question, shape,
					   &resolver->counters.refused, EDE_NONE, NULL, out);
		return RESOLVER_ANSWER;
	case RUN_FULL:
	default:
		*ret_len = outcome_failure(resolver, client, question, shape,
					   &resolver->counters.full, EDE_OTHER, "too busy", out);
		return RESOLVER_ANSWER;
	}
}

enum resolver_verdict resolver_receive(struct resolver *resolver, const struct client *client,
				       const uint8_t *in, size_t len, uint64_t now_ms, uint8_t *out,
				       size_t *ret_len)
{
	struct arrival *arrival = &resolver->arrivals[0];
	enum resolver_verdict verdict;

	assert(resolver->put_off == 0);
	verdict = arrive(resolver, arrival, client, in, len, now_ms, out, ret_len);
	if (verdict != RESOLVER_PUT_OFF)
		return verdict;
	may_wait(resolver, arrival);
	resolver->replies.count = 0;
	return conclude(resolver, arrival, decide(resolver, &arrival->matter), out, ret_len);
}

/* Decides as far as without the cache. RUN_ASK: its reply is to be looked for. */
static enum run begin(struct resolver *resolver, struct arrival *arrival)
{
	struct forward_question ask;
	enum run run;

	may_wait(resolver, arrival);
	run = decide_begin(resolver, &arrival->matter, &ask);
	if (run == RUN_ASK) {
		arrival->stage = ARRIVAL_ASKS;
		arrival->group = ask.group;
		arrival->vault_name = resolver->plan.vault_name;
		arrival->expected = forward_expect(resolver->forward, &ask);
	}
	return run;
}

enum resolver_verdict resolver_receive_some(struct resolver *resolver, const struct client *client,
					    const uint8_t *in, size_t len, uint64_t now_ms,
					    uint8_t *out, size_t *ret_len)
{
	struct arrival *arrival = &resolver->arrivals[resolver->put_off];
	enum resolver_verdict verdict;
	enum run run;

	assert(resolver->put_off < RESOLVER_PUT_OFF_MAX);
	assert(resolver->put_off_left == resolver->put_off);
	verdict = arrive(resolver, arrival, client, in, len, now_ms, out, ret_len);
	if (verdict != RESOLVER_PUT_OFF)
		return verdict;
	arrival->stage = ARRIVAL_UNDECIDED;
	arrival->expected = table_expect(resolver->view->table, &arrival->message.name);
	if (!arrival->expected) {
		run = begin(resolver, arrival);
		if (run != RUN_ASK)
			return conclude(resolver, arrival, run, out, ret_len);
	}
	arrival->client = *client;
	point_at(arrival, &arrival->client);
	resolver->put_off_left = ++resolver->put_off;
	return RESOLVER_PUT_OFF;
}

unsigned resolver_put_off(const struct resolver *resolver)
{
	return resolver->put_off_left;
}

/* The next that needs no reply, if there is one; *ret_run is what became of it. */
static struct arrival *next_decided(struct resolver *resolver, enum run *ret_run)
{
	struct arrival *arrivals = resolver->arrivals, *arrival;
	unsigned i;

	for (i = 0; resolver->put_off_decided == 0 && i < resolver->put_off; i++)
		if (arrivals[i].stage == ARRIVAL_UNDECIDED)
			table_expect_node(resolver->view->table, arrivals[i].expected);
	while (resolver->put_off_decided < resolver->put_off) {
		arrival = &arrivals[resolver->put_off_decided++];
		if (arrival->stage != ARRIVAL_UNDECIDED)
			continue;
		*ret_run = begin(resolver, arrival);
		if (*ret_run != RUN_ASK)
			return arrival;
	}
	return NULL;
}

/* When those are given: the next of the others. */
static struct arrival *next_asking(struct resolver *resolver, enum run *ret_run)
{
	struct arrival *arrivals = resolver->arrivals, *arrival;
	unsigned i;

	for (i = 0; resolver->put_off_next == 0 && i < resolver->put_off; i++)
		if (arrivals[i].stage == ARRIVAL_ASKS)
			forward_expect_reply(resolver->forward, arrivals[i].expected);
	do {
		assert(resolver->put_off_next < resolver->put_off);
		arrival = &arrivals[resolver->put_off_next++];
	} while (arrival->stage != ARRIVAL_ASKS);
	/* Once more: what was free to wait in then may be taken by one of these. */
	may_wait(resolver, arrival);
	*ret_run = decide_resume(resolver, &arrival->matter, arrival->group, arrival->vault_name);
	return arrival;
}

enum resolver_verdict resolver_resume(struct resolver *resolver, struct client *ret_client,
				      uint8_t *out, size_t *ret_len)
{
	struct arrival *arrival;
	enum run run;

	assert(resolver->put_off_left > 0);
	arrival = next_decided(resolver, &run);
	if (!arrival)
		arrival = next_asking(resolver, &run);
	arrival->stage = ARRIVAL_GIVEN;
	*ret_client = arrival->client;
	if (--resolver->put_off_left == 0)
		resolver->put_off = resolver->put_off_decided = resolver->put_off_next = 0;
	return conclude(resolver, arrival, run, out, ret_len);
}

/* Hands the answer to whoever waits and frees the query. `len` 0: there is none but the trace. */
static void query_finish(struct resolver *resolver, struct query *query, size_t len)
{
	struct client client = query->client;
	resolver_explained_fn *explained = query->explained;
	void *arg = query->explained_arg;
	bool gone = query->gone;

	waiting_release(&resolver->waiting, query);
	if (explained)
		explained(arg, resolver->explain, resolver->late, len);
	else if (!gone)
		resolver->conf.send(resolver->conf.arg, &client, resolver->late, len);
}

/* Why a waiting query is decided once more. */
enum again {
	AGAIN_NEWS,      /* a reply has come, or it has just begun to wait */
	AGAIN_IMPATIENT, /* it has waited for a fresh answer long enough */
	AGAIN_LAST,      /* its time is over: nothing is asked any more */
};

/*
 * Decides a waiting query once more, with the replies it holds, and `news`, which may be NULL. What
 * came in meanwhile, a reload too, counts at its last moment as well.
 */
static void query_run(struct resolver *resolver, struct query *query, const struct reply *news,
		      uint64_t now_ms, enum again again)
{
	bool may_be_stale = forward_serves_stale(resolver->forward);
	struct client *client = query->explained ? NULL : &query->client;
	struct step_question question = { .type = query->type, .to = &query->client.to };
	struct matter matter = {
		.question = &question,
		.shape = &query->shape,
		.query = query,
		.token = again == AGAIN_LAST ? 0 : waiting_token(&resolver->waiting, query),
		.impatient = may_be_stale && now_ms >= query->arrived_ms + RESOLVER_STALE_MS,
		.now_ms = now_ms,
		.asks = query->asks,
		.trace = query->explained ? &resolver->trace : NULL,
	};
	struct name name;
	enum run result;
	size_t len;

	if (name_from_wire(&name, query->question, query->shape.question_len) < 0)
		assert(!"a question that was read before");
	question.name = &name;
	memcpy(resolver->replies.item, query->reply, query->held * sizeof(query->reply[0]));
	resolver->replies.count = query->held;
	if (news && resolver->replies.count < STEP_REPLIES_MAX)
		resolver->replies.item[resolver->replies.count++] = *news;
	result = decide(resolver, &matter);
	query->asks = matter.asks;
	/* Nothing to be had now; but what it waits for may still come. */
	if (result == RUN_WAIT || (again == AGAIN_IMPATIENT && result != RUN_ANSWER))
		return;
	if (matter.trace)
		explain_text(resolver->view, &resolver->plan, &resolver->replies, matter.trace,
			     query->type, forward_looptable(resolver->forward), resolver->explain,
			     EXPLAIN_TEXT_MAX);
	if (result == RUN_ANSWER)
		len = outcome_plan(resolver, client, &question, &query->shape, resolver->late);
	else if (again == AGAIN_LAST)
		len = outcome_failure(resolver, client, &question, &query->shape,
				      &resolver->counters.deadline, EDE_NO_REACHABLE_AUTHORITY,
				      "no upstream answered in time", resolver->late);
	else
		len = outcome_failure(resolver, client, &question, &query->shape,
				      &resolver->counters.full, EDE_OTHER, "too busy",
				      resolver->late);
	query_finish(resolver, query, len);
}

/*
 * The reply to a plain question, as most are, over the view that has asked for it: what the
 * decision would come to again is known, and so is that the reply is passed on as it stands. Where
 * there is more to it than that, or a line of the log to be written, false.
 */
static bool pass_on(struct resolver *resolver, struct query *query, const struct reply *reply)
{
	struct step_question question = { .type = query->type, .to = &query->client.to };
	size_t len;

	if (!reply->plain || !query->simple || query->simple != resolver->view->generation ||
	    query->asks != 1 || query->held > 0 || resolver->view->log_queries)
		return false;
	resolver->replies.item[0] = *reply;
	resolver->replies.count = 1;
	plan_whole(&resolver->plan, reply);
	len = outcome_plan(resolver, &query->client, &question, &query->shape, resolver->late);
	query_finish(resolver, query, len);
	return true;
}

void resolver_forwarded(void *arg, uint64_t waiter, const struct reply *reply)
{
	struct resolver *resolver = arg;
	struct query *query = waiting_find(&resolver->waiting, waiter);
	struct name name;

	if (!query || pass_on(resolver, query, reply))
		return;
	if (name_from_wire(&name, reply->data + DNS_HEADER_LEN, reply->len - DNS_HEADER_LEN) == 0 &&
	    query->awaited == decide_awaited(&name, reply->group))
		query->awaited = 0;
	if (query->held < STEP_REPLIES_MAX) {
		if (reply_keep(reply)) {
			query->reply[query->held++] = *reply;
			reply = NULL;
		} else {
			counter_add(&resolver->counters.unkept, 1);
		}
	}
	/* One that could not be kept counts now, and is asked for again if it has to be. */
	query_run(resolver, query, reply, clock_now_ms(), AGAIN_NEWS);
}

int resolver_expire(struct resolver *resolver, uint64_t now_ms)
{
	bool may_be_stale = forward_serves_stale(resolver->forward);
	struct waiting *waiting = &resolver->waiting;
	uint64_t next_ms = UINT64_MAX;
	struct query *query;

	while (may_be_stale && now_ms >= RESOLVER_STALE_MS &&
	       (query = waiting_next_impatient(waiting, now_ms - RESOLVER_STALE_MS)))
		query_run(resolver, query, NULL, now_ms, AGAIN_IMPATIENT);
	while ((query = waiting_oldest(waiting)) &&
	       query->arrived_ms + RESOLVER_DEADLINE_MS <= now_ms) {
		forward_forget(resolver->forward, waiting_token(waiting, query));
		query_run(resolver, query, NULL, now_ms, AGAIN_LAST);
	}
	if (query)
		next_ms = query->arrived_ms + RESOLVER_DEADLINE_MS;
	query = may_be_stale ? waiting_patient(waiting) : NULL;
	if (query && query->arrived_ms + RESOLVER_STALE_MS < next_ms)
		next_ms = query->arrived_ms + RESOLVER_STALE_MS;
	return next_ms == UINT64_MAX ? -1 : (int)(next_ms - now_ms);
}

void resolver_client_gone(struct resolver *resolver, uint32_t slot, uint64_t serial)
{
	waiting_client_gone(&resolver->waiting, slot, serial);
}

void resolver_explain(struct resolver *resolver, const struct name *name, uint16_t type,
		      uint64_t now_ms, resolver_explained_fn *done, void *arg)
{
	struct client client = { .stream = true };
	struct answer_shape shape = { .flags = FLAG_RD, .stream = true };
	uint8_t octets[QUERY_QUESTION_MAX];
	struct step_question question = { .type = type };
	struct matter matter = { .question = &question, .shape = &shape, .now_ms = now_ms };
	struct query *query;

	if (waiting_next_token(&resolver->waiting) == 0) {
		done(arg, "too busy: no query is free\n", NULL, 0);
		return;
	}
	memcpy(octets, name->wire, name->len);
	octets[name->len] = (uint8_t)(type >> 8);
	octets[name->len + 1] = (uint8_t)type;
	octets[name->len + 2] = 0;
	octets[name->len + 3] = CLASS_IN;
	shape.question = octets;
	shape.question_len = (uint16_t)(name->len + 4);
	resolver->ask.group = 0; /* until it is known */
	query = query_keep(resolver, &matter, &client);
	query->explained = done;
	query->explained_arg = arg;
	query_run(resolver, query, NULL, now_ms, AGAIN_NEWS);
}
