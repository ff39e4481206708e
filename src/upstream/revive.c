/* SPDX-License-Identifier: MIT */
/*
 * What is in doubt, and when it is to be tried again, stands in the registry (upstream_health.c);
 * any worker writes it there and makes the registry's eventfd readable. Here the probes that are
 * due are made, and a timer is set for the next. While all is well nothing ever wakes.
 *
 * The question is one about the zone in which the upstream failed (upstreams_probe_type). Any
 * answer proves that the server can be reached, even our own refusal where it sends the question
 * back to us (forward_loops.c); that it is willing only one with sense.
 */
#include "upstream/revive.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "upstream/health.h"
#include "wire/types.h"

struct revive {
	struct upstreams *upstreams;
	struct prober *prober;
	struct event *wake, *timer;
};

static uint64_t token_of(const struct upstream_probe *probe)
{
	return (uint64_t)probe->group << 16 | (uint64_t)probe->member << 8 | probe->for_zone;
}

static struct upstream_probe probe_of(uint64_t token)
{
	return (struct upstream_probe){ .group = (uint16_t)(token >> 16),
					.member = (uint8_t)(token >> 8),
					.for_zone = token & 1 };
}

static void look(struct revive *revive, uint64_t now_ms);

static void on_probed(void *arg, uint64_t token, enum prober_result result, unsigned rcode,
		      uint64_t rtt_us, uint64_t now_ms)
{
	struct revive *revive = arg;
	struct upstream_probe probe = probe_of(token);
	bool sense = rcode == RCODE_NOERROR || rcode == RCODE_NXDOMAIN;

	if (result == PROBER_ANSWERED && (sense || !probe.for_zone))
		upstream_note_alive(revive->upstreams, &probe, rtt_us);
	else
		upstream_probe_failed(revive->upstreams, &probe, now_ms);
	look(revive, now_ms);
}

static bool make(struct revive *revive, const struct upstream_probe *probe, uint64_t now_ms)
{
	struct prober_question question = {
		.done = on_probed,
		.arg = revive,
		.token = token_of(probe),
	};
	struct name zone;

	upstreams_group_zone(revive->upstreams, probe->group, &zone);
	question.upstream = upstreams_member(revive->upstreams, probe->group, probe->member);
	question.name = &zone;
	question.type = upstreams_probe_type(revive->upstreams, probe->group);
	return prober_ask(revive->prober, &question, now_ms);
}

/* Makes what is due, and sets the timer for what comes next. */
static void look(struct revive *revive, uint64_t now_ms)
{
	struct upstream_probe probe;
	struct timeval wait;
	uint64_t next_ms, wait_ms;

	while (upstreams_take_probe(revive->upstreams, now_ms, &probe, &next_ms)) {
		if (!make(revive, &probe, now_ms))
			upstream_put_probe_back(revive->upstreams, &probe, now_ms);
	}
	if (next_ms == 0)
		return;
	/* A worker whose clock is a little behind may have asked for one meanwhile. */
	wait_ms = next_ms > now_ms ? next_ms - now_ms : 0;
	wait.tv_sec = (time_t)(wait_ms / 1000);
	wait.tv_usec = (suseconds_t)(wait_ms % 1000) * 1000;
	event_add(revive->timer, &wait);
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	uint64_t count;

	(void)what;
	(void)!read(fd, &count, sizeof(count));
	look(arg, clock_now_ms());
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	look(arg, clock_now_ms());
}

struct revive *revive_new(struct upstreams *upstreams, struct prober *prober,
			  struct event_base *base, struct err *err)
{
	struct revive *revive = calloc(1, sizeof(*revive));

	if (!revive) {
		err_set(err, "upstream: out of memory");
		return NULL;
	}
	revive->upstreams = upstreams;
	revive->prober = prober;
	revive->wake = event_new(base, upstreams_wake_fd(upstreams), EV_READ | EV_PERSIST, on_wake,
				 revive);
	revive->timer = evtimer_new(base, on_timer, revive);
	if (!revive->wake || !revive->timer || event_add(revive->wake, NULL) < 0) {
		err_set(err, "upstream: out of memory");
		revive_free(revive);
		return NULL;
	}
	return revive;
}

void revive_free(struct revive *revive)
{
	if (!revive)
		return;
	if (revive->wake)
		event_free(revive->wake);
	if (revive->timer)
		event_free(revive->timer);
	free(revive);
}
