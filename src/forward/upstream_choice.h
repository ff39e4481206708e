/* SPDX-License-Identifier: MIT */
/*
 * The forwarder's view of upstreams: which one to ask next, and what became of it.
 *
 * Any worker at any time. Health is advice: two workers that write at once may lose one
 * measurement.
 */
#ifndef PRIVLINKD_FORWARD_UPSTREAM_CHOICE_H
#define PRIVLINKD_FORWARD_UPSTREAM_CHOICE_H

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
/* How long an upstream that answers only without EDNS is asked without it (RFC 6891 6.2.2). */
#define UPSTREAM_NO_EDNS_MS (10 * 60 * 1000)

/*
 * The next upstream of a group, leaving out the members in `without` (bit i: member i); -1 when
 * none is left. Else the member's number, *ret_upstream its number in the registry.
 */
int upstreams_choose(const struct upstreams *upstreams, uint16_t group, uint32_t without,
		     uint64_t now_ms, uint16_t *ret_upstream);

size_t upstreams_group_size(const struct upstreams *upstreams, uint16_t group);
const union addr *upstream_addr(const struct upstreams *upstreams, uint16_t upstream);

/* May AD in a reply of this one be believed for this group (trust-ad, or loopback)? */
bool upstream_trusts_ad(const struct upstreams *upstreams, uint16_t group, uint16_t upstream);

/* How long to wait for a reply: RFC 6298 2, doubled with each round in which it stayed silent. */
unsigned upstream_timeout_ms(const struct upstreams *upstreams, uint16_t upstream, unsigned round);

bool upstream_wants_edns(const struct upstreams *upstreams, uint16_t upstream, uint64_t now_ms);

void upstream_note_asked(struct upstreams *upstreams, uint16_t upstream);
/* A reply with sense. rtt_us 0: not measured (TCP, or not known which try it belongs to). */
void upstream_note_answer(struct upstreams *upstreams, uint16_t upstream, uint64_t rtt_us);
/* It replied, but with SERVFAIL, REFUSED or the like: it lives, but is no help. */
void upstream_note_refusal(struct upstreams *upstreams, uint16_t upstream, uint64_t rtt_us);
void upstream_note_timeout(struct upstreams *upstreams, uint16_t upstream, uint64_t now_ms);
/* It cannot be reached: ICMP said so, or a connection failed. */
void upstream_note_unreachable(struct upstreams *upstreams, uint16_t upstream, uint64_t now_ms);
void upstream_note_no_edns(struct upstreams *upstreams, uint16_t upstream, uint64_t now_ms);

#endif
