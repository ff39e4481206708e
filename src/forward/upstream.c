/* SPDX-License-Identifier: MIT */
/*
 * The registry of upstreams and groups, their health, and the choice among them.
 *
 * Upstreams and groups are appended by the main thread and never change or go away, so a number is
 * good for ever and workers read without a lock; the counts are stored with release after what they
 * cover. Upstreams with the same address are one, in whatever groups they stand: one health. A
 * group is the same only if zone, servers, order, policy and trust are: its number is part of the
 * cache's key, and what one set of servers said must not pass for what another would.
 *
 * Health is a handful of relaxed atomics. Smoothed round trip and its variance are RFC 6298's, kept
 * in one word so that they fit together; a lost update when two workers write at once does no harm.
 * An upstream that failed twice in a row is set aside: not left out, but asked last, for some
 * seconds. A refusal counts as life: SERVFAIL is often the name's fault, and asking elsewhere for
 * everything because of one broken name would be worse.
 */
#include "forward/upstream.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "forward/upstream_choice.h"
#include "net/random.h"
#include "wire/types.h"

/*
 * FASTEST: one question in so many goes to any upstream that is well, so that a slow one can show
 * it got faster.
 */
#define EXPLORE_ONE_IN 16

struct upstream {
	union addr addr;
	bool loopback;
	/* smoothed in the upper 32 bits, variance in the lower; us; 0: never */
	_Atomic uint64_t rtt;
	_Atomic uint32_t failures; /* one after the other */
	_Atomic uint64_t aside_until_ms;
	_Atomic uint64_t no_edns_until_ms;
	_Atomic uint64_t asked, answered, failed, timeouts; /* many writers: no struct counter */
};

struct group {
	uint8_t zone[NAME_WIRE_MAX]; /* folded */
	uint8_t zone_len;
	uint16_t count;
	uint16_t members[UPSTREAMS_A_GROUP_MAX];
	enum upstream_policy policy;
	bool trust_ad;
};

struct upstreams {
	_Atomic unsigned count, groups_count;
	struct upstream *upstreams[UPSTREAMS_MAX];
	struct group *groups[UPSTREAM_GROUPS_MAX];
};

struct upstreams *upstreams_new(void)
{
	return calloc(1, sizeof(struct upstreams));
}

void upstreams_free(struct upstreams *upstreams)
{
	unsigned i;

	if (!upstreams)
		return;
	for (i = 0; i < upstreams->count; i++)
		free(upstreams->upstreams[i]);
	for (i = 0; i < upstreams->groups_count; i++)
		free(upstreams->groups[i]);
	free(upstreams);
}

static int upstream_number(struct upstreams *upstreams, const struct upstream_conf *conf,
			   uint16_t *ret, struct err *err)
{
	unsigned i, count = upstreams->count;
	struct upstream *upstream;
	char text[ADDR_TEXT_MAX];

	addr_to_text(&conf->addr, DNS_PORT, text);
	if (conf->tls)
		return err_set(err,
			       "upstream tls://%s: DNS over TLS is not supported yet; give the"
			       " address without tls://",
			       text);
	for (i = 0; i < count; i++) {
		if (addr_equal(&upstreams->upstreams[i]->addr, &conf->addr)) {
			*ret = (uint16_t)i;
			return 0;
		}
	}
	if (count == UPSTREAMS_MAX)
		return err_set(err, "upstream %s: more than %u upstreams since the start; restart",
			       text, UPSTREAMS_MAX);
	upstream = calloc(1, sizeof(*upstream));
	if (!upstream)
		return err_set(err, "upstream %s: out of memory", text);
	upstream->addr = conf->addr;
	upstream->loopback = addr_is_loopback(&conf->addr);
	upstreams->upstreams[count] = upstream;
	atomic_store_explicit(&upstreams->count, count + 1, memory_order_release);
	*ret = (uint16_t)count;
	return 0;
}

static bool group_equal(const struct group *a, const struct group *b)
{
	return a->zone_len == b->zone_len && memcmp(a->zone, b->zone, a->zone_len) == 0 &&
	       a->count == b->count && a->policy == b->policy && a->trust_ad == b->trust_ad &&
	       memcmp(a->members, b->members, a->count * sizeof(a->members[0])) == 0;
}

int upstreams_group(struct upstreams *upstreams, const struct upstream_group_conf *conf,
		    uint16_t *ret_group, struct err *err)
{
	unsigned i, count = upstreams->groups_count;
	struct group group = { .policy = conf->policy, .trust_ad = conf->trust_ad };
	size_t n;

	group.zone_len = conf->zone->len;
	memcpy(group.zone, conf->zone->fold, conf->zone->len);
	for (n = 0; n < conf->count; n++) {
		uint16_t number = 0;
		unsigned seen;

		if (upstream_number(upstreams, &conf->upstreams[n], &number, err) < 0)
			return -1;
		for (seen = 0; seen < group.count && group.members[seen] != number; seen++)
			;
		if (seen < group.count)
			continue; /* named twice */
		if (group.count == UPSTREAMS_A_GROUP_MAX)
			return err_set(err, "more than %u upstreams for one zone; name fewer",
				       UPSTREAMS_A_GROUP_MAX);
		group.members[group.count++] = number;
	}
	for (i = 0; i < count; i++) {
		if (group_equal(upstreams->groups[i], &group)) {
			*ret_group = (uint16_t)i;
			return 0;
		}
	}
	if (count == UPSTREAM_GROUPS_MAX)
		return err_set(err, "more than %u forward zones since the start; restart",
			       UPSTREAM_GROUPS_MAX);
	upstreams->groups[count] = malloc(sizeof(group));
	if (!upstreams->groups[count])
		return err_set(err, "out of memory");
	*upstreams->groups[count] = group;
	atomic_store_explicit(&upstreams->groups_count, count + 1, memory_order_release);
	*ret_group = (uint16_t)count;
	return 0;
}

static const struct group *group_at(const struct upstreams *upstreams, uint16_t group)
{
	assert(group < atomic_load_explicit(&upstreams->groups_count, memory_order_acquire));
	return upstreams->groups[group];
}

static struct upstream *upstream_at(const struct upstreams *upstreams, uint16_t upstream)
{
	assert(upstream < atomic_load_explicit(&upstreams->count, memory_order_acquire));
	return upstreams->upstreams[upstream];
}

bool upstreams_group_is_private(const struct upstreams *upstreams, uint16_t group)
{
	const struct group *g = group_at(upstreams, group);
	unsigned i;

	for (i = 0; i < g->count; i++) {
		const union addr *addr = &upstreams->upstreams[g->members[i]]->addr;

		if (!addr_is_private(addr) && !addr_is_loopback(addr))
			return false;
	}
	return g->count > 0;
}

static uint64_t get(const _Atomic uint64_t *value)
{
	return atomic_load_explicit(value, memory_order_relaxed);
}

static void set(_Atomic uint64_t *value, uint64_t to)
{
	atomic_store_explicit(value, to, memory_order_relaxed);
}

static void bump(_Atomic uint64_t *value)
{
	atomic_fetch_add_explicit(value, 1, memory_order_relaxed);
}

static bool is_well(const struct upstream *upstream, uint64_t now_ms)
{
	return get(&upstream->aside_until_ms) <= now_ms;
}

bool upstreams_state(const struct upstreams *upstreams, size_t i, struct upstream_state *ret)
{
	const struct upstream *u;

	if (i >= atomic_load_explicit(&upstreams->count, memory_order_acquire))
		return false;
	u = upstreams->upstreams[i];
	*ret = (struct upstream_state){
		.addr = u->addr,
		.well = is_well(u, clock_now_ms()),
		.rtt_us = (uint32_t)(get(&u->rtt) >> 32),
		.asked = get(&u->asked),
		.answered = get(&u->answered),
		.failed = get(&u->failed),
		.timeouts = get(&u->timeouts),
	};
	return true;
}

size_t upstreams_group_members(const struct upstreams *upstreams, uint16_t group,
			       uint16_t ret[UPSTREAMS_A_GROUP_MAX])
{
	const struct group *g = group_at(upstreams, group);

	memcpy(ret, g->members, g->count * sizeof(ret[0]));
	return g->count;
}

/*
 * How late in the row this member comes; the lowest is asked. Those set aside come after all
 * others.
 */
static uint64_t rank(const struct group *group, const struct upstream *upstream, unsigned member,
		     bool explore, uint64_t now_ms)
{
	uint64_t rank;

	if (group->policy == UPSTREAM_SPREAD || explore)
		rank = random_u16();
	else if (group->policy == UPSTREAM_FASTEST)
		rank = get(&upstream->rtt) >> 32; /* never measured: first */
	else
		rank = member;
	return is_well(upstream, now_ms) ? rank : rank + (UINT64_C(1) << 32);
}

int upstreams_choose(const struct upstreams *upstreams, uint16_t group, uint32_t without,
		     uint64_t now_ms, uint16_t *ret_upstream)
{
	const struct group *g = group_at(upstreams, group);
	bool explore = g->policy == UPSTREAM_FASTEST && random_below(EXPLORE_ONE_IN) == 0;
	uint64_t best_rank = 0;
	int best = -1;
	unsigned i;

	for (i = 0; i < g->count; i++) {
		uint64_t r;

		if (without & UINT32_C(1) << i)
			continue;
		r = rank(g, upstream_at(upstreams, g->members[i]), i, explore, now_ms);
		if (best < 0 || r < best_rank) {
			best = (int)i;
			best_rank = r;
		}
	}
	if (best >= 0)
		*ret_upstream = g->members[best];
	return best;
}

size_t upstreams_group_size(const struct upstreams *upstreams, uint16_t group)
{
	return group_at(upstreams, group)->count;
}

const union addr *upstream_addr(const struct upstreams *upstreams, uint16_t upstream)
{
	return &upstream_at(upstreams, upstream)->addr;
}

bool upstream_trusts_ad(const struct upstreams *upstreams, uint16_t group, uint16_t upstream)
{
	return group_at(upstreams, group)->trust_ad || upstream_at(upstreams, upstream)->loopback;
}

unsigned upstream_timeout_ms(const struct upstreams *upstreams, uint16_t upstream, unsigned round)
{
	uint64_t rtt = get(&upstream_at(upstreams, upstream)->rtt);
	uint64_t ms = UPSTREAM_TIMEOUT_FIRST_MS;

	if (rtt) {
		ms = ((rtt >> 32) + 4 * (rtt & UINT32_MAX)) / 1000;
		if (ms < UPSTREAM_TIMEOUT_MIN_MS)
			ms = UPSTREAM_TIMEOUT_MIN_MS;
	}
	ms <<= round < 4 ? round : 4;
	return ms < UPSTREAM_TIMEOUT_MAX_MS ? (unsigned)ms : UPSTREAM_TIMEOUT_MAX_MS;
}

bool upstream_wants_edns(const struct upstreams *upstreams, uint16_t upstream, uint64_t now_ms)
{
	return get(&upstream_at(upstreams, upstream)->no_edns_until_ms) <= now_ms;
}

void upstream_note_asked(struct upstreams *upstreams, uint16_t upstream)
{
	bump(&upstream_at(upstreams, upstream)->asked);
}

/* RFC 6298 2.2 and 2.3. */
static void measure(struct upstream *upstream, uint64_t rtt_us)
{
	uint64_t old = get(&upstream->rtt), smooth = old >> 32, variance = old & UINT32_MAX;

	if (rtt_us == 0)
		return;
	if (rtt_us > 10000000)
		rtt_us = 10000000; /* no question lives that long */
	if (old == 0) {
		smooth = rtt_us;
		variance = rtt_us / 2;
	} else {
		uint64_t apart = smooth > rtt_us ? smooth - rtt_us : rtt_us - smooth;

		variance = (3 * variance + apart) / 4;
		smooth = (7 * smooth + rtt_us) / 8;
	}
	set(&upstream->rtt, (smooth ? smooth : 1) << 32 | variance);
}

static void note_life(struct upstream *upstream, uint64_t rtt_us)
{
	measure(upstream, rtt_us);
	if (atomic_load_explicit(&upstream->failures, memory_order_relaxed))
		atomic_store_explicit(&upstream->failures, 0, memory_order_relaxed);
	if (get(&upstream->aside_until_ms))
		set(&upstream->aside_until_ms, 0);
}

void upstream_note_answer(struct upstreams *upstreams, uint16_t upstream, uint64_t rtt_us)
{
	struct upstream *u = upstream_at(upstreams, upstream);

	bump(&u->answered);
	note_life(u, rtt_us);
}

void upstream_note_refusal(struct upstreams *upstreams, uint16_t upstream, uint64_t rtt_us)
{
	struct upstream *u = upstream_at(upstreams, upstream);

	bump(&u->failed);
	note_life(u, rtt_us);
}

static void note_failure(struct upstream *upstream, uint64_t now_ms)
{
	if (atomic_fetch_add_explicit(&upstream->failures, 1, memory_order_relaxed) + 1 >=
	    UPSTREAM_FAILURES_MAX)
		set(&upstream->aside_until_ms, now_ms + UPSTREAM_ASIDE_MS);
}

void upstream_note_timeout(struct upstreams *upstreams, uint16_t upstream, uint64_t now_ms)
{
	struct upstream *u = upstream_at(upstreams, upstream);

	bump(&u->timeouts);
	note_failure(u, now_ms);
}

void upstream_note_unreachable(struct upstreams *upstreams, uint16_t upstream, uint64_t now_ms)
{
	struct upstream *u = upstream_at(upstreams, upstream);

	bump(&u->failed);
	note_failure(u, now_ms);
}

void upstream_note_no_edns(struct upstreams *upstreams, uint16_t upstream, uint64_t now_ms)
{
	set(&upstream_at(upstreams, upstream)->no_edns_until_ms, now_ms + UPSTREAM_NO_EDNS_MS);
}
