/* SPDX-License-Identifier: MIT */
/*
 * Probes have a set of tries of their own, so that a flood of clients' questions leaves them
 * sockets and connections, and they leave clients' questions theirs.
 *
 * A probe is sent once and waited for PROBER_WAIT_MS: a lost datagram is part of what is to be
 * found out. What is cut is an answer already: its header says all that is asked for here. Nothing
 * but the rcode of a reply is looked at, and nothing is kept.
 *
 * Places are a fixed table. A result is told with its place free again, so the caller may ask anew
 * at once; never from within prober_ask: a query that cannot be sent because its upstream is out of
 * reach becomes due at once, and the timer tells.
 */
#include "upstream/prober.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "upstream/deadlines.h"
#include "upstream/health.h"
#include "upstream/tries.h"
#include "wire/types.h"

/* Sockets a probe. They follow one another slowly: a port each, and some to spare. */
#define SOCKETS_EACH 2
/* Nobody gains by forging what only says that somebody answers; and suspicion is passed over. */
#define NEAR_MISSES_MAX 8
/* Probes of an upstream that is set aside are seconds apart; one handshake is enough for some. */
#define IDLE_MS 10000

struct probe {
	bool used;
	enum prober_result result; /* when it becomes due */
	struct question_key key;
	uint16_t upstream;
	prober_done_fn *done;
	void *arg;
	uint64_t token;
	uint8_t fold[NAME_WIRE_MAX];
};

struct prober {
	struct upstreams *upstreams;
	struct upstream_counters *counters;
	struct event *timer;
	struct tries *tries; /* number i is probe i's */
	struct deadlines deadlines;
	uint32_t max;
	struct probe probes[];
};

static void on_reply(void *arg, uint32_t number, const struct try_reply *reply, uint64_t now_ms);
static void on_failed(void *arg, uint32_t number, enum try_verdict why, uint64_t now_ms);
static void on_timer(evutil_socket_t fd, short what, void *arg);

struct prober *prober_new(unsigned max, struct upstreams *upstreams, struct event_base *base,
			  struct upstream_counters *counters, struct err *err)
{
	struct prober *prober = calloc(1, sizeof(*prober) + max * sizeof(prober->probes[0]));
	struct tries_conf conf = {
		.max = max,
		.sockets_max = SOCKETS_EACH * max,
		.near_misses_max = NEAR_MISSES_MAX,
		.at_once = true,
		.conns = { .max = max, .questions_max = max, .idle_ms = IDLE_MS },
		.upstreams = upstreams,
		.base = base,
		.counters = counters,
		.reply = on_reply,
		.failed = on_failed,
		.arg = prober,
	};

	if (!prober) {
		err_set(err, "upstream: out of memory");
		return NULL;
	}
	prober->max = max;
	prober->upstreams = upstreams;
	prober->counters = counters;
	prober->timer = evtimer_new(base, on_timer, prober);
	if (!prober->timer || deadlines_init(&prober->deadlines, max) < 0) {
		err_set(err, "upstream: out of memory");
		goto fail;
	}
	prober->tries = tries_new(&conf, err);
	if (!prober->tries)
		goto fail;
	return prober;
fail:
	prober_free(prober);
	return NULL;
}

void prober_free(struct prober *prober)
{
	if (!prober)
		return;
	if (prober->timer)
		event_free(prober->timer);
	tries_free(prober->tries);
	deadlines_fini(&prober->deadlines);
	free(prober);
}

static void set_due(struct prober *prober, uint32_t i, enum prober_result result, uint64_t due_ms,
		    uint64_t now_ms)
{
	struct timeval wait = { 0 };
	uint64_t first_ms = due_ms;
	uint32_t first;

	prober->probes[i].result = result;
	deadlines_set(&prober->deadlines, i, due_ms);
	deadlines_first(&prober->deadlines, &first, &first_ms);
	if (first_ms > now_ms) {
		wait.tv_sec = (time_t)((first_ms - now_ms) / 1000);
		wait.tv_usec = (suseconds_t)((first_ms - now_ms) % 1000) * 1000;
	}
	event_add(prober->timer, &wait);
}

static void end_probe(struct prober *prober, uint32_t i)
{
	tries_end(prober->tries, i);
	deadlines_remove(&prober->deadlines, i);
	prober->probes[i].used = false;
}

static void tell(struct prober *prober, uint32_t i, enum prober_result result, unsigned rcode,
		 uint64_t rtt_us, uint64_t now_ms)
{
	struct probe *probe = &prober->probes[i];
	prober_done_fn *done = probe->done;

	end_probe(prober, i);
	done(probe->arg, probe->token, result, rcode, rtt_us, now_ms);
}

bool prober_ask(struct prober *prober, const struct prober_question *question, uint64_t now_ms)
{
	struct probe *probe = prober->probes;
	struct try_ask how = {
		.upstream = question->upstream,
		.edns = upstream_wants_edns(prober->upstreams, question->upstream, now_ms),
	};
	enum try_verdict verdict;
	/* The first half is left to those on which something hangs. */
	uint32_t i = question->curious ? prober->max / 2 : 0;

	while (i < prober->max && prober->probes[i].used)
		i++;
	if (i == prober->max) {
		counter_add(&prober->counters->refused_probes, 1);
		return false;
	}
	probe = &prober->probes[i];
	probe->upstream = question->upstream;
	probe->done = question->done;
	probe->arg = question->arg;
	probe->token = question->token;
	memcpy(probe->fold, question->name->fold, question->name->len);
	probe->key = (struct question_key){
		.hash = name_hash(question->name),
		.fold = probe->fold,
		.len = question->name->len,
		.type = question->type,
	};
	how.key = &probe->key;
	verdict = tries_ask(prober->tries, i, &how, now_ms);
	if (verdict == TRY_NO_ROOM)
		return false;
	probe->used = true;
	counter_add(&prober->counters->probes, 1);
	if (verdict == TRY_SENT)
		set_due(prober, i, PROBER_SILENT, now_ms + PROBER_WAIT_MS, now_ms);
	else
		set_due(prober, i, PROBER_UNREACHABLE, now_ms, now_ms);
	return true;
}

void prober_forget(struct prober *prober, const void *arg)
{
	uint32_t i;

	for (i = 0; i < prober->max; i++) {
		if (prober->probes[i].used && prober->probes[i].arg == arg)
			end_probe(prober, i);
	}
}

static void on_reply(void *arg, uint32_t number, const struct try_reply *reply, uint64_t now_ms)
{
	struct prober *prober = arg;
	const struct try *try = tries_at(prober->tries, number);
	uint64_t rtt_us = try->warm ? clock_now_us() - try->sent_us : 0;

	/* The right one may still come. */
	if (reply->news == TRY_SUSPECT || reply->news == TRY_MALFORMED)
		return;
	tell(prober, number, PROBER_ANSWERED, reply->rcode, rtt_us, now_ms);
}

/* With at_once, and one query on each connection, there is room from the start, or never. */
static void on_failed(void *arg, uint32_t number, enum try_verdict why, uint64_t now_ms)
{
	(void)why;
	tell(arg, number, PROBER_UNREACHABLE, 0, 0, now_ms);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct prober *prober = arg;
	uint64_t now_ms = clock_now_ms(), due_ms;
	uint32_t i;

	(void)fd;
	(void)what;
	while (deadlines_first(&prober->deadlines, &i, &due_ms) && due_ms <= now_ms)
		tell(prober, i, prober->probes[i].result, 0, 0, now_ms);
	if (deadlines_first(&prober->deadlines, &i, &due_ms))
		set_due(prober, i, prober->probes[i].result, due_ms, now_ms);
}
