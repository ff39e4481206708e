/* SPDX-License-Identifier: MIT */
/*
 * What tests of forwarding share: up to two workers over one cache, each with its event base,
 * driven by the test. Included once a program.
 */
#ifndef PRIVLINKD_UNIT_FORWARDKIT_H
#define PRIVLINKD_UNIT_FORWARDKIT_H

#include <check.h>
#include <event2/event.h>
#include <stdlib.h>

#include "base/clock.h"
#include "forward/forward.h"

/* One worker. */
struct side {
	struct event_base *base;
	struct forward *forward;
	unsigned done;
	uint64_t waiter;    /* the last one */
	struct reply reply; /* the last one, held */
	bool has_reply;
};

static struct upstreams *upstreams;
static struct forward_shared *shared;
static struct side sides[2];
static uint16_t group;
static struct name name;
static bool use_caps, send_cookie; /* of groups to be made */
static uint8_t buf[REPLY_LEN_MAX];

static inline void on_done(void *arg, uint64_t waiter, const struct reply *reply)
{
	struct side *side = arg;

	side->done++;
	side->waiter = waiter;
	if (side->has_reply)
		reply_drop(&side->reply);
	reply_hold(reply);
	side->reply = *reply;
	side->has_reply = true;
}

static inline uint16_t make_group(const union addr *addrs, size_t count,
				  enum upstream_policy policy)
{
	struct upstream_conf confs[UPSTREAMS_A_GROUP_MAX] = { 0 };
	struct upstream_group_conf conf = { .upstreams = confs,
					    .count = count,
					    .policy = policy,
					    .use_caps = use_caps,
					    .send_cookie = send_cookie };
	struct name root;
	uint16_t ret = 0;
	size_t i;

	name_from_text(&root, ".", 1);
	conf.zone = &root;
	for (i = 0; i < count; i++)
		confs[i].addr = addrs[i];
	ck_assert_int_eq(upstreams_group(upstreams, &conf, &ret, NULL), 0);
	return ret;
}

#define KIT_NEAR_MISSES 8
#define KIT_PROBES 12

static inline void start(unsigned workers, struct forward_conf conf)
{
	struct err err;
	unsigned n;

	if (!conf.limits.cache_bytes)
		conf.limits.cache_bytes = 1 << 20;
	conf.limits.ttl_max_s = 86400;
	conf.limits.negative_ttl_max_s = 900;
	if (!conf.inflight_max)
		conf.inflight_max = 64;
	if (!conf.waiters_max)
		conf.waiters_max = 16;
	conf.sockets_max = 16;
	if (!conf.datagrams_max)
		conf.datagrams_max = 48;
	conf.near_misses_max = KIT_NEAR_MISSES;
	if (!conf.large_max)
		conf.large_max = 64;
	conf.probes_max = KIT_PROBES;
	conf.loop_probes_max = 8;
	conf.conns = (struct conns_limits){ .max = 16, .questions_max = 100, .idle_ms = 10000 };
	conf.workers = workers;
	shared = forward_shared_new(&conf, upstreams, &err);
	ck_assert_ptr_nonnull(shared);
	for (n = 0; n < workers; n++) {
		sides[n] = (struct side){ .base = event_base_new() };
		sides[n].forward = forward_new(shared, n, sides[n].base, on_done, &sides[n], &err);
		ck_assert_ptr_nonnull(sides[n].forward);
	}
}

static inline void stop(unsigned workers)
{
	unsigned n;

	for (n = 0; n < workers; n++) {
		if (sides[n].has_reply)
			reply_drop(&sides[n].reply);
		forward_free(sides[n].forward);
		event_base_free(sides[n].base);
	}
	forward_shared_free(shared);
	upstreams_free(upstreams);
}

static inline void kit_setup(void)
{
	upstreams = upstreams_new();
	name_from_text(&name, "Www.Example.test", 16);
}

static inline enum forward_verdict get(struct side *side, uint16_t type, uint64_t waiter,
				       struct reply *ret)
{
	struct forward_question question = { .name = &name, .type = type, .group = group };

	return forward_get(side->forward, &question, waiter, clock_now_ms(), buf, sizeof(buf), ret);
}

/* Runs the loop until `done` calls have come. */
static inline void wait_for(struct side *side, unsigned done)
{
	uint64_t end = clock_now_ms() + 10000;

	while (side->done < done) {
		struct timeval tick = { 0, 20000 };

		ck_assert(clock_now_ms() < end);
		event_base_loopexit(side->base, &tick);
		event_base_dispatch(side->base);
	}
}

/* Octets of the first answer's address; the reply must have exactly one answer. */
static inline void check_address(const struct reply *reply)
{
	struct message message;
	struct message_record record;
	uint8_t rdata[16];
	size_t len;

	ck_assert(!reply->failed);
	ck_assert_int_eq(reply->rcode, RCODE_NOERROR);
	ck_assert(reply_is_for(reply, &name, group));
	ck_assert_int_eq(message_open(&message, reply->data, reply->len, NULL, NULL, NULL), 0);
	ck_assert_int_eq(message_next(&message, &record), 1);
	ck_assert_int_eq(record.type, TYPE_A);
	ck_assert_int_eq(message_rdata(&message, &record, rdata, sizeof(rdata), &len), 0);
	ck_assert_mem_eq(rdata, "\xc0\x00\x02\x01", 4);
	ck_assert_int_eq(message_next(&message, &record), 0);
}

#endif
