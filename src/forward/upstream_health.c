/* SPDX-License-Identifier: MIT */
/*
 * What became of the questions that went to an upstream.
 *
 * A handful of relaxed atomics. Smoothed round trip and its variance are RFC 6298's, kept in one
 * word so that they fit together; a lost update when two workers write at once does no harm. An
 * upstream that failed twice in a row is set aside: not left out, but asked last, for some seconds.
 * A refusal counts as life: SERVFAIL is often the name's fault, and asking elsewhere for everything
 * because of one broken name would be worse.
 */
#include "forward/upstream_health.h"

#include "base/clock.h"
#include "forward/upstream_inside.h"

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

bool upstream_is_well(const struct upstreams *upstreams, uint16_t upstream, uint64_t now_ms)
{
	return get(&upstream_at(upstreams, upstream)->health.aside_until_ms) <= now_ms;
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
		.well = upstream_is_well(upstreams, (uint16_t)i, clock_now_ms()),
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
}

static void note_life(struct upstream_health *health, uint64_t rtt_us)
{
	measure(health, rtt_us);
	if (atomic_load_explicit(&health->failures, memory_order_relaxed))
		atomic_store_explicit(&health->failures, 0, memory_order_relaxed);
	if (get(&health->aside_until_ms))
		set(&health->aside_until_ms, 0);
}

void upstream_note_answer(struct upstreams *upstreams, uint16_t upstream, uint64_t rtt_us)
{
	struct upstream_health *health = &upstream_at(upstreams, upstream)->health;

	bump(&health->answered);
	note_life(health, rtt_us);
}

void upstream_note_refusal(struct upstreams *upstreams, uint16_t upstream, uint64_t rtt_us)
{
	struct upstream_health *health = &upstream_at(upstreams, upstream)->health;

	bump(&health->failed);
	note_life(health, rtt_us);
}

static void note_failure(struct upstream_health *health, uint64_t now_ms)
{
	if (atomic_fetch_add_explicit(&health->failures, 1, memory_order_relaxed) + 1 >=
	    UPSTREAM_FAILURES_MAX)
		set(&health->aside_until_ms, now_ms + UPSTREAM_ASIDE_MS);
}

void upstream_note_timeout(struct upstreams *upstreams, uint16_t upstream, uint64_t now_ms)
{
	struct upstream_health *health = &upstream_at(upstreams, upstream)->health;

	bump(&health->timeouts);
	note_failure(health, now_ms);
}

void upstream_note_unreachable(struct upstreams *upstreams, uint16_t upstream, uint64_t now_ms)
{
	struct upstream_health *health = &upstream_at(upstreams, upstream)->health;

	bump(&health->failed);
	note_failure(health, now_ms);
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
