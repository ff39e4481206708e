/* SPDX-License-Identifier: MIT */
/*
 * What became of the questions that went to an upstream: is it well, how long does it take?
 *
 * Any worker at any time. Health is advice: two workers that write at once may lose one
 * measurement.
 */
#ifndef PRIVLINKD_FORWARD_UPSTREAM_HEALTH_H
#define PRIVLINKD_FORWARD_UPSTREAM_HEALTH_H

#include "forward/upstream.h"

/* How long a question waits for one upstream that was never measured. */
#define UPSTREAM_TIMEOUT_FIRST_MS 400
/*
 * Bounds of that wait: below, a busy server is asked twice for nothing; above, a client gives up
 * first.
 */
#define UPSTREAM_TIMEOUT_MIN_MS 200
#define UPSTREAM_TIMEOUT_MAX_MS 1000

/* So many failures one after the other set an upstream aside: one may be chance. */
#define UPSTREAM_FAILURES_MAX 2
/* For so long it is asked last. */
#define UPSTREAM_ASIDE_MS 5000
/*
 * How long an upstream that answers only without EDNS is asked without it (RFC 6891 6.2.2); one
 * that refuses a cookie, without; one that changes the case of names, with it as it came.
 */
#define UPSTREAM_UNABLE_MS (10 * 60 * 1000)

/* False: set aside. */
bool upstream_is_well(const struct upstreams *upstreams, uint16_t upstream, uint64_t now_ms);
/* Smoothed round trip; 0: never measured. */
uint32_t upstream_rtt_us(const struct upstreams *upstreams, uint16_t upstream);

/* How long to wait for a reply: RFC 6298 2, doubled with each round in which it stayed silent. */
unsigned upstream_timeout_ms(const struct upstreams *upstreams, uint16_t upstream, unsigned round);

bool upstream_wants_edns(const struct upstreams *upstreams, uint16_t upstream, uint64_t now_ms);
/* By the group's options, and by what was learned of the upstream. */
bool upstream_wants_cookie(const struct upstreams *upstreams, uint16_t group, uint16_t upstream,
			   uint64_t now_ms);
bool upstream_wants_caps(const struct upstreams *upstreams, uint16_t group, uint16_t upstream,
			 uint64_t now_ms);

void upstream_note_asked(struct upstreams *upstreams, uint16_t upstream);
/* A reply with sense. rtt_us 0: not measured (TCP, or not known which try it belongs to). */
void upstream_note_answer(struct upstreams *upstreams, uint16_t upstream, uint64_t rtt_us);
/* It replied, but with SERVFAIL, REFUSED or the like: it lives, but is no help. */
void upstream_note_refusal(struct upstreams *upstreams, uint16_t upstream, uint64_t rtt_us);
void upstream_note_timeout(struct upstreams *upstreams, uint16_t upstream, uint64_t now_ms);
/* It cannot be reached: ICMP said so, or a connection failed. */
void upstream_note_unreachable(struct upstreams *upstreams, uint16_t upstream, uint64_t now_ms);
/* What it does not know, or not keep; forgotten after UPSTREAM_UNABLE_MS. */
void upstream_note_no_edns(struct upstreams *upstreams, uint16_t upstream, uint64_t now_ms);
void upstream_note_no_cookie(struct upstreams *upstreams, uint16_t upstream, uint64_t now_ms);
void upstream_note_wrong_case(struct upstreams *upstreams, uint16_t upstream, uint64_t now_ms);

#endif
