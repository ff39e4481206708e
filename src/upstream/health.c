/* SPDX-License-Identifier: MIT */
/*
 * What became of the questions that went to an upstream, and what that means.
 *
 * Two things are kept apart. Whether a server can be reached is its own, whoever asks it: silence,
 * ICMP, a connection or handshake that fails count, and any reply at all proves the contrary; that
 * TCP fails where UDP has just worked says nothing of it. That it is willing is a matter of the
 * zone it is asked for: the same server may answer for one zone and refuse another, so REFUSED,
 * SERVFAIL and referrals count for its place in the group alone. NXDOMAIN is an answer.
 *
 * SERVFAIL is often the name's fault. So refusals count only while nothing good comes between,
 * and then do not decide: two of them ask for a probe, the SOA of the group's zone (of the root its
 * NS), which every server that is any good for the zone can answer. Only if that fails too is the
 * member set aside. One broken name that is asked for again and again thus costs a probe now and
 * then, and never a healthy upstream; a resolver whose uplink is gone, and that knows the probe's
 * answer by heart, stays in front, but it answers SERVFAIL at once and the next is asked at once.
 * A failed validation (EDE 5 to 12), or SERVFAIL behind a chain of CNAMEs, is never counted: the
 * upstream has done its work.
 *
 * Who is set aside is asked last, not left out. Round trip and variance are RFC 6298's, kept in one
 * word so that they fit together; a lost update when two workers write at once does no harm. All
 * are relaxed atomics: no thread waits for another, and no order between two of them matters.
 */
#include "upstream/health.h"

#include <string.h>
#include <unistd.h>

#include "upstream/inside.h"
#include "wire/types.h"

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

static struct upstream *member_at(const struct upstreams *upstreams, uint16_t group, uint8_t member)
{
	return upstream_at(upstreams, group_at(upstreams, group)->members[member]);
}

bool upstream_is_well(const struct upstreams *upstreams, uint16_t group, uint8_t member)
{
	return standing_is_well(&member_at(upstreams, group, member)->health.reach) &&
	       standing_is_well(&group_at(upstreams, group)->will[member]);
}

bool upstreams_are_down(const struct upstreams *upstreams, uint16_t group, uint32_t without)
{
	unsigned count = group_at(upstreams, group)->count, i;

	for (i = 0; i < count; i++) {
		const struct upstream *member = member_at(upstreams, group, (uint8_t)i);

		if (!(without & UINT32_C(1) << i) && standing_is_well(&member->health.reach))
			return false;
	}
	return true;
}

uint64_t upstream_cost_us(const struct upstreams *upstreams, uint16_t upstream)
{
	return get(&upstream_at(upstreams, upstream)->health.cost_us);
}

uint32_t upstreams_group_recovered(const struct upstreams *upstreams, uint16_t group)
{
	const struct group *g = group_at(upstreams, group);
	uint32_t sum = 0;
	uint8_t i;

	for (i = 0; i < g->count; i++)
		sum += standing_recovered(&member_at(upstreams, group, i)->health.reach) +
		       standing_recovered(&g->will[i]);
	return sum;
}

uint32_t upstream_rtt_us(const struct upstreams *upstreams, uint16_t upstream)
{
	return (uint32_t)(get(&upstream_at(upstreams, upstream)->health.rtt) >> 32);
}

bool upstreams_state(const struct upstreams *upstreams, size_t i, struct upstream_state *ret)
{
	const struct upstream_health *h;
	const struct upstream *u;

	if (i >= atomic_load_explicit(&upstreams->count, memory_order_acquire))
		return false;
	u = upstreams->upstreams[i];
	h = &u->health;
	*ret = (struct upstream_state){
		.addr = u->addr,
		.tls = u->tls != NULL,
		.well = standing_is_well(&h->reach),
		.rtt_us = (uint32_t)(get(&h->rtt) >> 32),
		.asked = get(&h->asked),
		.answered = get(&h->answered),
		.failed = get(&h->failed),
		.timeouts = get(&h->timeouts),
	};
	return true;
}

unsigned upstream_timeout_ms(const struct upstreams *upstreams, uint16_t upstream, unsigned round)
{
	uint64_t rtt = get(&upstream_at(upstreams, upstream)->health.rtt);
	uint64_t ms = UPSTREAM_TIMEOUT_FIRST_MS;

	if (upstream_is_tls(upstreams, upstream))
		return UPSTREAM_TIMEOUT_TLS_MS;
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
	return get(&upstream_at(upstreams, upstream)->health.no_edns_until_ms) <= now_ms;
}

bool upstream_wants_cookie(const struct upstreams *upstreams, uint16_t group, uint16_t upstream,
			   uint64_t now_ms)
{
	return group_at(upstreams, group)->send_cookie &&
	       get(&upstream_at(upstreams, upstream)->health.no_cookie_until_ms) <= now_ms;
}

bool upstream_wants_caps(const struct upstreams *upstreams, uint16_t group, uint16_t upstream,
			 uint64_t now_ms)
{
	return group_at(upstreams, group)->use_caps &&
	       get(&upstream_at(upstreams, upstream)->health.no_caps_until_ms) <= now_ms;
}

void upstream_note_asked(struct upstreams *upstreams, uint16_t upstream)
{
	bump(&upstream_at(upstreams, upstream)->health.asked);
}

/* What is smoothed: seven parts of what was, one of what is new. */
static void add_cost(struct upstream_health *health, uint64_t us)
{
	uint64_t old = get(&health->cost_us), cost = old ? (7 * old + us) / 8 : us;

	set(&health->cost_us, cost ? cost : 1);
}

/* RFC 6298 2.2 and 2.3. */
static void measure(struct upstream_health *health, uint64_t rtt_us)
{
	uint64_t old = get(&health->rtt), smooth = old >> 32, variance = old & UINT32_MAX;

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
	set(&health->rtt, (smooth ? smooth : 1) << 32 | variance);
	add_cost(health, rtt_us);
}

/* Somebody is to be probed. A full eventfd is readable, too. */
static void wake(const struct upstreams *upstreams)
{
	uint64_t one = 1;

	(void)!write(upstreams->wake, &one, sizeof(one));
}

/* Somebody is to be told of. */
static void wake_main(const struct upstreams *upstreams)
{
	uint64_t one = 1;

	(void)!write(upstreams->news, &one, sizeof(one));
}

static void note_good(const struct upstreams *upstreams, struct standing *standing)
{
	if (standing_good(standing))
		wake_main(upstreams);
}

void upstream_note_answer(struct upstreams *upstreams, uint16_t group, uint8_t member,
			  uint64_t rtt_us)
{
	struct upstream_health *health = &member_at(upstreams, group, member)->health;

	bump(&health->answered);
	measure(health, rtt_us);
	note_good(upstreams, &health->reach);
	note_good(upstreams, &group_at(upstreams, group)->will[member]);
}

void upstream_note_refusal(struct upstreams *upstreams, uint16_t group, uint8_t member,
			   bool names_fault, uint64_t rtt_us, uint64_t now_ms)
{
	struct upstream_health *health = &member_at(upstreams, group, member)->health;

	bump(&health->failed);
	measure(health, rtt_us);
	note_good(upstreams, &health->reach);
	if (!names_fault && standing_bad(&group_at(upstreams, group)->will[member], true, now_ms))
		wake(upstreams);
}

static void note_out_of_reach(struct upstreams *upstreams, uint16_t group, uint8_t member,
			      bool unreachable, uint64_t now_ms)
{
	struct upstream_health *health = &member_at(upstreams, group, member)->health;

	atomic_store_explicit(&health->probe_group, group, memory_order_relaxed);
	atomic_store_explicit(&health->unreachable, unreachable, memory_order_relaxed);
	if (standing_bad(&health->reach, false, now_ms)) {
		wake(upstreams);
		wake_main(upstreams);
	}
}

void upstream_note_timeout(struct upstreams *upstreams, uint16_t group, uint8_t member,
			   uint64_t waited_ms, uint64_t now_ms)
{
	struct upstream_health *health = &member_at(upstreams, group, member)->health;

	bump(&health->timeouts);
	add_cost(health, waited_ms * 1000);
	note_out_of_reach(upstreams, group, member, false, now_ms);
}

void upstream_note_unreachable(struct upstreams *upstreams, uint16_t group, uint8_t member,
			       uint64_t now_ms)
{
	bump(&member_at(upstreams, group, member)->health.failed);
	note_out_of_reach(upstreams, group, member, true, now_ms);
}

void upstream_note_no_tcp(struct upstreams *upstreams, uint16_t upstream, uint64_t waited_ms)
{
	struct upstream_health *health = &upstream_at(upstreams, upstream)->health;

	bump(&health->failed);
	if (waited_ms)
		add_cost(health, waited_ms * 1000);
}

void upstream_note_no_edns(struct upstreams *upstreams, uint16_t upstream, uint64_t now_ms)
{
	set(&upstream_at(upstreams, upstream)->health.no_edns_until_ms,
	    now_ms + UPSTREAM_UNABLE_MS);
}

void upstream_note_no_cookie(struct upstreams *upstreams, uint16_t upstream, uint64_t now_ms)
{
	set(&upstream_at(upstreams, upstream)->health.no_cookie_until_ms,
	    now_ms + UPSTREAM_UNABLE_MS);
}

void upstream_note_wrong_case(struct upstreams *upstreams, uint16_t upstream, uint64_t now_ms)
{
	set(&upstream_at(upstreams, upstream)->health.no_caps_until_ms,
	    now_ms + UPSTREAM_UNABLE_MS);
}

int upstreams_wake_fd(const struct upstreams *upstreams)
{
	return upstreams->wake;
}

static struct standing *standing_of(struct upstreams *upstreams, const struct upstream_probe *probe)
{
	if (probe->for_zone)
		return &group_at(upstreams, probe->group)->will[probe->member];
	return &member_at(upstreams, probe->group, probe->member)->health.reach;
}

/* Which member of the group it last failed in this upstream is. */
static struct upstream_probe reach_probe(const struct upstreams *upstreams, uint16_t upstream)
{
	const struct upstream_health *health = &upstream_at(upstreams, upstream)->health;
	struct upstream_probe probe = {
		.group = atomic_load_explicit(&health->probe_group, memory_order_relaxed),
	};
	const struct group *group = group_at(upstreams, probe.group);

	while (probe.member + 1 < group->count && group->members[probe.member] != upstream)
		probe.member++;
	return probe;
}

/* Is this one due? Else *next_ms is lowered to when it will be. */
static bool take(struct standing *standing, bool idle, uint64_t now_ms, uint64_t *next_ms)
{
	uint64_t due_ms;

	if (standing_take_probe(standing, now_ms)) {
		if (!idle)
			return true;
		standing_put_probe_back(standing, now_ms);
	}
	due_ms = standing_probe_ms(standing);
	if (due_ms && (*next_ms == 0 || due_ms < *next_ms))
		*next_ms = due_ms;
	return false;
}

static bool is_idle(const struct upstreams *upstreams, uint16_t group, uint64_t now_ms)
{
	return get(&group_at(upstreams, group)->used_ms) + UPSTREAM_PROBE_IDLE_MS < now_ms;
}

static bool take_reach(struct upstreams *upstreams, uint64_t now_ms, struct upstream_probe *ret,
		       uint64_t *ret_next_ms)
{
	unsigned count = atomic_load_explicit(&upstreams->count, memory_order_acquire), i;

	for (i = 0; i < count; i++) {
		struct standing *reach = &upstreams->upstreams[i]->health.reach;

		if (!standing_probe_ms(reach))
			continue;
		*ret = reach_probe(upstreams, (uint16_t)i);
		if (take(reach, is_idle(upstreams, ret->group, now_ms), now_ms, ret_next_ms))
			return true;
	}
	return false;
}

bool upstreams_take_probe(struct upstreams *upstreams, uint64_t now_ms, struct upstream_probe *ret,
			  uint64_t *ret_next_ms)
{
	unsigned groups = atomic_load_explicit(&upstreams->groups_count, memory_order_acquire), i;
	struct upstream_probe probe = { .for_zone = true };

	*ret_next_ms = 0;
	if (take_reach(upstreams, now_ms, ret, ret_next_ms))
		return true;
	for (i = 0; i < groups; i++) {
		struct group *group = upstreams->groups[i];

		probe.group = (uint16_t)i;
		for (probe.member = 0; probe.member < group->count; probe.member++) {
			struct standing *will = &group->will[probe.member];

			if (standing_aside_ms(will, now_ms) >= UPSTREAM_UNWILLING_MS)
				standing_give_chance(will);
			if (!take(will, is_idle(upstreams, probe.group, now_ms), now_ms,
				  ret_next_ms))
				continue;
			*ret = probe;
			return true;
		}
	}
	return false;
}

uint16_t upstreams_probe_type(const struct upstreams *upstreams, uint16_t group)
{
	return group_at(upstreams, group)->zone_len == 1 ? TYPE_NS : TYPE_SOA;
}

static bool have_same_zone(const struct group *a, const struct group *b)
{
	return a->zone_len == b->zone_len && memcmp(a->zone, b->zone, a->zone_len) == 0;
}

uint32_t upstreams_probed(const struct upstreams *upstreams, uint16_t group)
{
	const struct group *g = group_at(upstreams, group);
	uint32_t probed = 0;
	unsigned i;

	for (i = 0; i < g->count; i++) {
		const struct upstream_health *health =
			&upstream_at(upstreams, g->members[i])->health;
		uint16_t failed_in =
			atomic_load_explicit(&health->probe_group, memory_order_relaxed);

		if (standing_is_probed(&g->will[i]) ||
		    (standing_is_probed(&health->reach) &&
		     have_same_zone(group_at(upstreams, failed_in), g)))
			probed |= UINT32_C(1) << i;
	}
	return probed;
}

void upstream_put_probe_back(struct upstreams *upstreams, const struct upstream_probe *probe,
			     uint64_t now_ms)
{
	standing_put_probe_back(standing_of(upstreams, probe), now_ms);
}

void upstream_probe_failed(struct upstreams *upstreams, const struct upstream_probe *probe,
			   uint64_t now_ms)
{
	if (standing_probe_failed(standing_of(upstreams, probe), now_ms))
		wake_main(upstreams);
}

void upstream_note_alive(struct upstreams *upstreams, const struct upstream_probe *probe,
			 uint64_t rtt_us)
{
	struct upstream_health *health = &member_at(upstreams, probe->group, probe->member)->health;

	measure(health, rtt_us);
	note_good(upstreams, &health->reach);
	note_good(upstreams, standing_of(upstreams, probe));
}
