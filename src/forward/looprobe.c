/* SPDX-License-Identifier: MIT */
/*
 * What is due, and what an outcome means, is the table's business (looptable.c). Here is the
 * mechanism alone: when its descriptor becomes readable, its next probe is due, or one has ended,
 * everything that is due goes out, everything that changed is told, and the timer is set anew.
 *
 * The type asked for is A. What is asked for must not matter to whoever asks on; some boxes let
 * nothing else pass.
 */
#include "forward/looprobe.h"

#include <stdlib.h>

#include "base/clock.h"
#include "wire/types.h"

struct looprobe {
	struct looptable *table;
	struct prober *prober;
	looprobe_told_fn *told;
	void *arg;
	struct event *wake, *timer;
};

static void run(struct looprobe *looprobe, uint64_t now_ms);

static enum loop_outcome outcome_of(enum prober_result result, unsigned rcode)
{
	if (result != PROBER_ANSWERED)
		return LOOP_SILENT;
	if (rcode == RCODE_NOERROR || rcode == RCODE_NXDOMAIN)
		return LOOP_ANSWERED;
	return rcode == RCODE_SERVFAIL ? LOOP_SERVFAIL : LOOP_REFUSED;
}

static void on_probed(void *arg, uint64_t token, enum prober_result result, unsigned rcode,
		      uint64_t rtt_us, uint64_t now_ms)
{
	struct looprobe *looprobe = arg;

	(void)rtt_us;
	looptable_ended(looprobe->table, (uint32_t)token, outcome_of(result, rcode), now_ms);
	run(looprobe, now_ms);
}

static void run(struct looprobe *looprobe, uint64_t now_ms)
{
	struct loop_probe probe;
	struct loop_mark mark;
	struct timeval wait;
	uint64_t wait_ms;
	bool marked;

	while (looptable_next(looprobe->table, now_ms, &probe, &wait_ms)) {
		struct prober_question question = { .upstream = probe.upstream,
						    .name = &probe.name,
						    .type = TYPE_A,
						    .done = on_probed,
						    .arg = looprobe,
						    .token = probe.token };

		if (!prober_ask(looprobe->prober, &question, now_ms))
			looptable_ended(looprobe->table, probe.token, LOOP_NOT_SENT, now_ms);
	}
	while (looptable_change(looprobe->table, &marked, &mark))
		looprobe->told(looprobe->arg, marked, &mark);
	if (wait_ms == UINT64_MAX) {
		event_del(looprobe->timer);
		return;
	}
	wait.tv_sec = (time_t)(wait_ms / 1000);
	wait.tv_usec = (suseconds_t)(wait_ms % 1000) * 1000;
	event_add(looprobe->timer, &wait);
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	run(arg, clock_now_ms());
}

struct looprobe *looprobe_new(struct looptable *table, struct prober *prober,
			      struct event_base *base, looprobe_told_fn *told, void *arg,
			      struct err *err)
{
	struct looprobe *looprobe = calloc(1, sizeof(*looprobe));

	if (!looprobe)
		goto fail;
	looprobe->table = table;
	looprobe->prober = prober;
	looprobe->told = told;
	looprobe->arg = arg;
	looprobe->timer = evtimer_new(base, on_event, looprobe);
	looprobe->wake =
		event_new(base, looptable_fd(table), EV_READ | EV_PERSIST, on_event, looprobe);
	if (looprobe->timer && looprobe->wake && event_add(looprobe->wake, NULL) == 0)
		return looprobe;
fail:
	looprobe_free(looprobe);
	err_set(err, "forward: out of memory for the probes of loops");
	return NULL;
}

void looprobe_free(struct looprobe *looprobe)
{
	if (!looprobe)
		return;
	if (looprobe->prober)
		prober_forget(looprobe->prober, looprobe);
	if (looprobe->timer)
		event_free(looprobe->timer);
	if (looprobe->wake)
		event_free(looprobe->wake);
	free(looprobe);
}
