/* SPDX-License-Identifier: MIT */
/*
 * One question, several tries.
 *
 * A try that was not answered in time stays open while the next upstream is asked, for a late
 * answer is an answer. A try that was answered badly is closed and its upstream not asked again.
 * Who is asked when is rounds.c's, how manner.c's business. When there is nobody left, or time is
 * up, the most telling bad answer is given back: SERVFAIL behind a chain of CNAMEs (a held name may
 * stand in it), else SERVFAIL, else that nobody answered.
 *
 * What is malformed over UDP is ignored as what does not match is (tries.c); where nothing better
 * comes in time, TCP is next. A reply that is cut, or that its upstream may not have sent, is asked
 * for again over TCP at once. FORMERR, NOTIMP or BADVERS to a query with EDNS, with or without the
 * question in it, is asked again with less.
 *
 * One timer serves all deadlines. Everything is preallocated. `done` is called with the question's
 * number free already, so it may ask anew at once; it is never called from pending_start.
 */
#include "forward/pending.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "forward/excuse.h"
#include "forward/flight.h"
#include "forward/rounds.h"
#include "upstream/deadlines.h"
#include "upstream/explore.h"
#include "upstream/health.h"
#include "upstream/manner.h"
#include "upstream/tries.h"
#include "wire/types.h"

struct question {
	const struct question_key *key;
	uint64_t deadline_ms;
	struct rounds rounds;
	_Atomic uint32_t *members_asked;
	uint32_t next_free;
	unsigned slots;   /* of tries, that were ever in use */
	unsigned asked;   /* datagrams */
	bool spent;       /* one more was wanted */
	uint32_t current; /* the try that the next step waits for, or TRY_NONE */
	struct excuse excuse;
	struct manner manner[PENDING_TRIES_MAX]; /* of each try */
};

struct pending {
	struct pending_conf conf;
	struct event *timer;
	uint64_t armed_ms;   /* when the timer goes off; 0: it does not */
	struct tries *tries; /* number i * PENDING_TRIES_MAX + n is the n-th of question i */
	struct deadlines deadlines;
	struct question *questions;
	uint32_t free;
	uint8_t scratch[REPLY_LEN_MAX];
};

static void on_reply(void *arg, uint32_t number, const struct try_reply *reply, uint64_t now_ms);
static void on_failed(void *arg, uint32_t number, enum try_verdict why, uint64_t now_ms);
static void on_timer(evutil_socket_t fd, short what, void *arg);

struct pending *pending_new(const struct pending_conf *conf, struct err *err)
{
	struct pending *pending = calloc(1, sizeof(*pending));
	struct tries_conf tries_conf = {
		.max = conf->max * PENDING_TRIES_MAX,
		.sockets_max = conf->sockets_max,
		.near_misses_max = conf->near_misses_max,
		.conns = conf->conns,
		.upstreams = conf->upstreams,
		.base = conf->base,
		.counters = &conf->counters->upstream,
		.reply = on_reply,
		.failed = on_failed,
		.arg = pending,
	};
	uint32_t i;

	if (!pending) {
		err_set(err, "forward: out of memory");
		return NULL;
	}
	pending->conf = *conf;
	pending->questions = calloc(conf->max, sizeof(pending->questions[0]));
	pending->timer = evtimer_new(conf->base, on_timer, pending);
	if (!pending->questions || !pending->timer ||
	    deadlines_init(&pending->deadlines, conf->max) < 0) {
		err_set(err, "forward: out of memory");
		goto fail;
	}
	pending->tries = tries_new(&tries_conf, err);
	if (!pending->tries)
		goto fail;
	for (i = 0; i < conf->max; i++)
		pending->questions[i].next_free = i + 1 < conf->max ? i + 1 : TRY_NONE;
	return pending;
fail:
	pending_free(pending);
	return NULL;
}

void pending_free(struct pending *pending)
{
	if (!pending)
		return;
	if (pending->timer)
		event_free(pending->timer);
	tries_free(pending->tries);
	deadlines_fini(&pending->deadlines);
	free(pending->questions);
	free(pending);
}

int pending_take(struct pending *pending)
{
	uint32_t i = pending->free;

	if (i == TRY_NONE)
		return -1;
	pending->free = pending->questions[i].next_free;
	return (int)i;
}

void pending_give(struct pending *pending, uint32_t i)
{
	pending->questions[i].next_free = pending->free;
	pending->free = i;
}

/* The timer is only moved forward: one that goes off early finds nothing due and is set again. */
static void arm(struct pending *pending, uint64_t now_ms)
{
	struct timeval wait;
	uint64_t due_ms, ms;
	uint32_t i;

	if (!deadlines_first(&pending->deadlines, &i, &due_ms) ||
	    (pending->armed_ms && pending->armed_ms <= due_ms))
		return;
	ms = due_ms > now_ms ? due_ms - now_ms : 0;
	wait.tv_sec = (time_t)(ms / 1000);
	wait.tv_usec = (suseconds_t)(ms % 1000) * 1000;
	pending->armed_ms = due_ms ? due_ms : 1;
	event_add(pending->timer, &wait);
}

static void set_due(struct pending *pending, uint32_t i, uint64_t due_ms, uint64_t now_ms)
{
	const struct question *question = &pending->questions[i];

	deadlines_set(&pending->deadlines, i,
		      due_ms < question->deadline_ms ? due_ms : question->deadline_ms);
	arm(pending, now_ms);
}

/* The try is over. */
static void end_try(struct pending *pending, uint32_t number)
{
	struct question *question = &pending->questions[number / PENDING_TRIES_MAX];

	tries_end(pending->tries, number);
	if (question->current == number)
		question->current = TRY_NONE;
}

/* Ends the question. Nothing of it may be touched after this. */
static void finish(struct pending *pending, uint32_t i, const struct pending_outcome *outcome)
{
	struct question *question = &pending->questions[i];
	struct forward_counters *counters = pending->conf.counters;

	for (unsigned n = 0; n < question->slots; n++)
		end_try(pending, i * PENDING_TRIES_MAX + n);
	deadlines_remove(&pending->deadlines, i);
	pending_give(pending, i);
	counter_add(outcome->failed ? &counters->failed : &counters->answered, 1);
	pending->conf.done(pending->conf.arg, i, outcome);
}

/* Ends the question with the most telling of what came. */
static void finish_badly(struct pending *pending, uint32_t i)
{
	struct question *question = &pending->questions[i];
	struct pending_outcome outcome = excuse_outcome(&question->excuse);

	if (outcome.len == 0)
		outcome.len = pending_failure(question->key, question->excuse.room);
	finish(pending, i, &outcome);
}

static struct manner *manner_at(const struct pending *pending, uint32_t number)
{
	return &pending->questions[number / PENDING_TRIES_MAX].manner[number % PENDING_TRIES_MAX];
}

static void note_unreachable(struct pending *pending, uint32_t i, const struct manner *manner,
			     uint64_t now_ms)
{
	struct question *question = &pending->questions[i];

	if (manner->second_way)
		upstream_note_no_tcp(pending->conf.upstreams, manner->upstream, 0);
	else
		upstream_note_unreachable(pending->conf.upstreams, question->key->group,
					  manner->member, now_ms);
	question->excuse.unreachable = true;
	rounds_unreachable(&question->rounds, manner->member);
}

/* Our own want: this upstream is not blamed, and asked a moment later. */
static void wait_for_room(struct pending *pending, uint32_t i, uint8_t member, uint64_t now_ms)
{
	struct question *question = &pending->questions[i];

	question->excuse.no_room = true;
	rounds_put_back(&question->rounds, member);
	if (question->current == TRY_NONE)
		set_due(pending, i, now_ms + PENDING_NO_ROOM_MS, now_ms);
}

/* A slot for one more try; with all in use, that of the one that was waited for longest. */
static uint32_t take_slot(struct pending *pending, uint32_t i)
{
	struct question *question = &pending->questions[i];
	uint32_t first = i * PENDING_TRIES_MAX, oldest = first, n;

	for (n = first; n < first + question->slots; n++) {
		const struct try *try = tries_at(pending->tries, n);

		if (try->kind == TRY_UNUSED)
			return n;
		if (try->sent_us < tries_at(pending->tries, oldest)->sent_us)
			oldest = n;
	}
	if (question->slots < PENDING_TRIES_MAX)
		return first + question->slots++;
	end_try(pending, oldest);
	return oldest;
}

/* One more try, over UDP or TLS. False where this upstream cannot be reached. */
static bool ask(struct pending *pending, uint32_t i, struct manner manner, uint64_t now_ms)
{
	struct question *question = &pending->questions[i];
	uint32_t number = take_slot(pending, i);
	struct try_ask how = manner_ask(&manner, pending->conf.upstreams, question->key, now_ms);
	uint64_t due_ms = now_ms + upstream_timeout_ms(pending->conf.upstreams, manner.upstream,
						       question->rounds.round);
	enum try_verdict verdict;

	how.again = question->asked > 0;
	/* Before it leaves: it may come back at once, to another worker. */
	atomic_fetch_or_explicit(question->members_asked, UINT32_C(1) << manner.member,
				 memory_order_relaxed);
	manner.malformed = false;
	*manner_at(pending, number) = manner;
	verdict = tries_ask(pending->tries, number, &how, now_ms);
	if (verdict == TRY_NO_ROOM) {
		wait_for_room(pending, i, manner.member, now_ms);
		return true;
	}
	upstream_note_asked(pending->conf.upstreams, manner.upstream);
	if (question->asked++ > 0)
		counter_add(&pending->conf.counters->retries, 1);
	rounds_asked(&question->rounds, due_ms);
	if (verdict == TRY_UNREACHABLE) {
		note_unreachable(pending, i, &manner, now_ms);
		return false;
	}
	question->current = number;
	set_due(pending, i, due_ms, now_ms);
	return true;
}

static bool is_waiting(const struct pending *pending, uint32_t i)
{
	for (unsigned n = 0; n < pending->questions[i].slots; n++) {
		if (tries_at(pending->tries, i * PENDING_TRIES_MAX + n)->kind != TRY_UNUSED)
			return true;
	}
	return false;
}

/* May it cost one more datagram? */
static bool may_ask(struct pending *pending, struct question *question)
{
	if (question->asked < pending->conf.datagrams_max)
		return true;
	counter_add(&pending->conf.counters->spent, !question->spent);
	question->spent = true;
	return false;
}

/* Asks the next upstream, now or when the next round begins. False when there is none left. */
static bool ask_next(struct pending *pending, uint32_t i, uint64_t now_ms)
{
	struct question *question = &pending->questions[i];
	struct upstreams *upstreams = pending->conf.upstreams;
	bool answered = question->excuse.telling != EXCUSE_NONE;
	uint16_t upstream = 0;
	uint64_t until_ms = 0;
	uint8_t member = 0;

	while (may_ask(pending, question)) {
		switch (rounds_next(&question->rounds, upstreams, answered, now_ms, &member,
				    &upstream, &until_ms)) {
		case ROUNDS_ASK:
			if (ask(pending, i,
				manner_first(upstreams, question->key->group, member, upstream,
					     now_ms),
				now_ms))
				return true;
			break;
		case ROUNDS_WAIT:
			set_due(pending, i, until_ms, now_ms);
			return true;
		case ROUNDS_OVER:
			return false;
		}
	}
	return false;
}

/* The next step, where the last one led nowhere. May end the question. */
static void advance(struct pending *pending, uint32_t i, uint64_t now_ms)
{
	struct question *question = &pending->questions[i];

	if (ask_next(pending, i, now_ms))
		return;
	/* With all tries spent, those that are open still have until the deadline. */
	if (question->spent && is_waiting(pending, i))
		set_due(pending, i, question->deadline_ms, now_ms);
	else
		finish_badly(pending, i);
}

void pending_start(struct pending *pending, uint32_t i, const struct question_key *key,
		   uint8_t *room, uint32_t without, _Atomic uint32_t *members_asked,
		   uint64_t now_ms)
{
	struct question *question = &pending->questions[i];

	question->key = key;
	question->deadline_ms = now_ms + FORWARD_DEADLINE_MS;
	question->members_asked = members_asked;
	question->slots = question->asked = question->spent = 0;
	rounds_begin(&question->rounds, key->group, without);
	question->current = TRY_NONE;
	excuse_begin(&question->excuse, room);
	counter_add(&pending->conf.counters->asked, 1);
	/* Where none could be sent the timer ends it, so that `done` does not come from here. */
	if (!ask_next(pending, i, now_ms))
		set_due(pending, i, now_ms, now_ms);
	else if (question->current != TRY_NONE)
		explore(pending->conf.upstreams, pending->conf.prober, key,
			manner_at(pending, question->current)->member, without, now_ms);
}

/* The try led nowhere. Another upstream that is being waited for has its time first. */
static void drop_try(struct pending *pending, uint32_t number, uint64_t now_ms)
{
	uint32_t i = number / PENDING_TRIES_MAX;

	end_try(pending, number);
	if (pending->questions[i].current == TRY_NONE)
		advance(pending, i, now_ms);
}

/* A refusal of some kind: kept if it tells more than what there was, and the next is asked. */
static void take_bad_answer(struct pending *pending, uint32_t number, const struct reply_cut *cut,
			    uint64_t now_ms)
{
	struct question *question = &pending->questions[number / PENDING_TRIES_MAX];
	struct reply_cut failure = *cut;

	if (cut->referral) {
		counter_add(&pending->conf.counters->lame, 1);
		failure.len = pending_failure(question->key, pending->scratch);
		failure.ede = EDE_NO_REACHABLE_AUTHORITY;
	}
	excuse_take(&question->excuse, &failure, pending->scratch);
	rounds_give_up(&question->rounds, manner_at(pending, number)->member);
	drop_try(pending, number, now_ms);
}

/* Malformed: over UDP the right one may still come; over TCP there is no other. */
static void take_malformed(struct pending *pending, uint32_t number, uint64_t now_ms)
{
	if (tries_at(pending->tries, number)->kind == TRY_TCP)
		on_failed(pending, number, TRY_UNREACHABLE, now_ms);
	else
		manner_at(pending, number)->malformed = true;
}

/* The same question to the same upstream once more, another way, over UDP. */
static void ask_again(struct pending *pending, uint32_t number, struct manner manner,
		      uint64_t now_ms)
{
	uint32_t i = number / PENDING_TRIES_MAX;

	end_try(pending, number);
	manner.second_way = false;
	if (!ask(pending, i, manner, now_ms))
		advance(pending, i, now_ms);
}

static void ask_with_less(struct pending *pending, uint32_t number, bool has_opt, uint64_t now_ms)
{
	struct manner manner = *manner_at(pending, number);

	manner_lower(&manner, has_opt);
	ask_again(pending, number, manner, now_ms);
}

/* An answer with sense: the question ends. */
static void take_answer(struct pending *pending, uint32_t number, const struct reply_cut *cut,
			uint16_t flags, uint64_t rtt_us, uint64_t now_ms)
{
	uint32_t i = number / PENDING_TRIES_MAX;
	const struct question *question = &pending->questions[i];
	struct upstreams *upstreams = pending->conf.upstreams;
	struct manner manner = *manner_at(pending, number);
	struct pending_outcome outcome = {
		.data = pending->scratch,
		.len = cut->len,
		.rcode = cut->rcode,
		.ad = (flags & FLAG_AD) &&
		      upstream_trusts_ad(upstreams, question->key->group, manner.upstream),
		.negative = cut->negative,
		.silent = question->excuse.silent,
		.plain = cut->plain,
		.ttls = cut->ttls,
		.ede = EDE_NONE,
		.ttl_s = cut->rcode == RCODE_YXDOMAIN ? FAILURE_TTL_S : cut->ttl_s,
	};

	upstream_note_answer(upstreams, question->key->group, manner.member, rtt_us);
	manner_worked(&manner, upstreams, now_ms);
	finish(pending, i, &outcome);
}

/* The same question to the same upstream, over TCP. */
static void go_to_tcp(struct pending *pending, uint32_t number, uint64_t now_ms)
{
	uint32_t i = number / PENDING_TRIES_MAX;
	struct question *question = &pending->questions[i];
	struct manner manner = *manner_at(pending, number);
	struct try_ask how = manner_ask(&manner, pending->conf.upstreams, question->key, now_ms);
	enum try_verdict verdict;

	end_try(pending, number);
	manner.second_way = !manner.malformed;
	manner.malformed = false;
	*manner_at(pending, number) = manner;
	verdict = tries_tcp(pending->tries, number, &how, now_ms);
	if (verdict == TRY_SENT) {
		question->current = number;
		set_due(pending, i, now_ms + PENDING_TCP_MS, now_ms);
	} else if (verdict == TRY_NO_ROOM) {
		wait_for_room(pending, i, manner.member, now_ms);
	} else {
		note_unreachable(pending, i, &manner, now_ms);
		drop_try(pending, number, now_ms);
	}
}

/* An answer by its header and question; what does it say? */
static void read_answer(struct pending *pending, uint32_t number, const struct try_reply *reply,
			uint64_t now_ms)
{
	const struct try *try = tries_at(pending->tries, number);
	struct question *question = &pending->questions[number / PENDING_TRIES_MAX];
	const struct question_key *key = question->key;
	uint64_t rtt_us = try->warm ? clock_now_us() - try->sent_us : 0;
	struct reply_cut cut;

	if (reply->wrong_case)
		upstream_note_wrong_case(pending->conf.upstreams, try->upstream, now_ms);
	if (reply_take(key, reply->data, reply->len, reply->plain, pending->scratch,
		       sizeof(pending->scratch), &cut) < 0) {
		counter_add(&pending->conf.counters->upstream.malformed, 1);
		take_malformed(pending, number, now_ms);
	} else if (try->ask.edns && reply_may_mean_no_edns(&cut) && may_ask(pending, question)) {
		ask_with_less(pending, number, cut.has_opt, now_ms);
	} else if (cut.rcode == RCODE_SERVFAIL || cut.referral) {
		upstream_note_refusal(
			pending->conf.upstreams, key->group, manner_at(pending, number)->member,
			reply_is_names_fault(&cut) || flight_has_returned(question->members_asked),
			rtt_us, now_ms);
		take_bad_answer(pending, number, &cut, now_ms);
	} else {
		take_answer(pending, number, &cut, reply->flags, rtt_us, now_ms);
	}
}

static void on_reply(void *arg, uint32_t number, const struct try_reply *reply, uint64_t now_ms)
{
	struct pending *pending = arg;
	struct question *question = &pending->questions[number / PENDING_TRIES_MAX];
	struct manner manner = *manner_at(pending, number);

	switch (reply->news) {
	case TRY_ANSWER:
		read_answer(pending, number, reply, now_ms);
		return;
	case TRY_HEADER_ALONE:
		if (may_ask(pending, question))
			ask_with_less(pending, number, false, now_ms);
		return;
	case TRY_BAD_COOKIE:
		if (manner.cookie_came || !may_ask(pending, question)) {
			go_to_tcp(pending, number, now_ms);
			return;
		}
		manner.cookie_came = true;
		ask_again(pending, number, manner, now_ms);
		return;
	case TRY_CUT:
	case TRY_WRONG_CASE:
	case TRY_NO_COOKIE:
	case TRY_SUSPECT:
		go_to_tcp(pending, number, now_ms);
		return;
	case TRY_MALFORMED:
		take_malformed(pending, number, now_ms);
	}
}

static void on_failed(void *arg, uint32_t number, enum try_verdict why, uint64_t now_ms)
{
	struct pending *pending = arg;
	const struct manner *manner = manner_at(pending, number);
	uint32_t i = number / PENDING_TRIES_MAX;

	if (why == TRY_NO_ROOM) {
		pending->questions[i].asked--; /* it never left */
		end_try(pending, number);
		wait_for_room(pending, i, manner->member, now_ms);
		return;
	}
	note_unreachable(pending, i, manner, now_ms);
	drop_try(pending, number, now_ms);
}

static void note_silent(struct pending *pending, uint32_t number, uint64_t now_ms)
{
	uint16_t group = pending->questions[number / PENDING_TRIES_MAX].key->group;
	uint64_t waited_ms = now_ms - tries_at(pending->tries, number)->sent_us / 1000;
	struct upstreams *upstreams = pending->conf.upstreams;
	const struct manner *manner = manner_at(pending, number);

	if (manner->second_way)
		upstream_note_no_tcp(upstreams, manner->upstream, waited_ms);
	else
		upstream_note_timeout(upstreams, group, manner->member, waited_ms, now_ms);
}

/* The time of a step is over: of the try that was waited for, or of the question. */
static void on_due(struct pending *pending, uint32_t i, uint64_t now_ms)
{
	struct question *question = &pending->questions[i];

	if (question->current != TRY_NONE) {
		if (manner_at(pending, question->current)->malformed &&
		    now_ms < question->deadline_ms) {
			go_to_tcp(pending, question->current, now_ms);
			return;
		}
		question->excuse.silent = true;
		counter_add(&pending->conf.counters->timeouts, 1);
		note_silent(pending, question->current, now_ms);
		question->current = TRY_NONE; /* but still open */
	}
	if (now_ms >= question->deadline_ms)
		finish_badly(pending, i);
	else
		advance(pending, i, now_ms);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct pending *pending = arg;
	uint64_t now_ms = clock_now_ms(), due_ms;
	uint32_t i;

	(void)fd;
	(void)what;
	pending->armed_ms = 0;
	while (deadlines_first(&pending->deadlines, &i, &due_ms) && due_ms <= now_ms)
		on_due(pending, i, now_ms);
	arm(pending, now_ms);
}
