/* SPDX-License-Identifier: MIT */
/*
 * What became of the questions that went to an upstream: is it well, how long does it take?
 *
 * Any worker at any time. Health is advice: two workers that write at once may lose one
 * measurement.
 */
#ifndef PRIVLINKD_UPSTREAM_UPSTREAM_HEALTH_H
#define PRIVLINKD_UPSTREAM_UPSTREAM_HEALTH_H

#include "upstream/upstream.h"

/* How long a question waits for one upstream that was never measured. */
#define UPSTREAM_TIMEOUT_FIRST_MS 400
/*
 * Bounds of that wait: below, a busy server is asked twice for nothing; above, a client gives up
 * first.
 */
#define UPSTREAM_TIMEOUT_MIN_MS 200
#define UPSTREAM_TIMEOUT_MAX_MS 1000

/*
 * How long an upstream that answers only without EDNS is asked without it (RFC 6891 6.2.2); one
 * that refuses a cookie, without; one that changes the case of names, with it as it came.
 */
#define UPSTREAM_UNABLE_MS (10 * 60 * 1000)

/*
 * Zones that nobody asked for in so long are not probed: a server that the configuration no longer
 * names is left in peace.
 */
#define UPSTREAM_PROBE_IDLE_MS (5 * 60 * 1000)
/*
 * Who was set aside for refusing, and refuses the probe, too, is given another chance after so
 * long: it might answer everything but the probe.
 */
#define UPSTREAM_UNWILLING_MS 30000

/*
 * False: set aside, because it cannot be reached or because it refuses what this group's zone asks
 * of it. It is then asked last.
 */
bool upstream_is_well(const struct upstreams *upstreams, uint16_t group, uint8_t member);
/*
 * Is nobody of this group to be reached, as far as is known? Members whose bit is set in `without`
 * do not count, for they are not asked.
 */
bool upstreams_are_down(const struct upstreams *upstreams, uint16_t group, uint32_t without);
/* Smoothed round trip; 0: never measured. */
uint32_t upstream_rtt_us(const struct upstreams *upstreams, uint16_t upstream);
/* The same with the time that was waited in vain: what a question to it costs. */
uint64_t upstream_cost_us(const struct upstreams *upstreams, uint16_t upstream);

/* A number that changes whenever a member of the group becomes well again. */
uint32_t upstreams_group_recovered(const struct upstreams *upstreams, uint16_t group);

/*
 * Over TLS nothing gets lost, but a connection may have to be made first: three round trips before
 * the question's own. Whoever takes longer than this is waited for while the next one is asked.
 */
#define UPSTREAM_TIMEOUT_TLS_MS 800

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
void upstream_note_answer(struct upstreams *upstreams, uint16_t group, uint8_t member,
			  uint64_t rtt_us);
/*
 * It lives, but is no help: SERVFAIL, REFUSED, a referral. With `names_fault` that says something
 * of the name alone (the chain that led there worked, or validation failed).
 */
void upstream_note_refusal(struct upstreams *upstreams, uint16_t group, uint8_t member,
			   bool names_fault, uint64_t rtt_us, uint64_t now_ms);
/* Silent for so long. */
void upstream_note_timeout(struct upstreams *upstreams, uint16_t group, uint8_t member,
			   uint64_t waited_ms, uint64_t now_ms);
/* It cannot be reached: ICMP said so, a connection or a handshake failed. */
void upstream_note_unreachable(struct upstreams *upstreams, uint16_t group, uint8_t member,
			       uint64_t now_ms);
/*
 * It has spoken over UDP, but cannot be reached over TCP, or not within so long: a firewall's doing
 * as a rule. Some names fail there then; it is as well as before.
 */
void upstream_note_no_tcp(struct upstreams *upstreams, uint16_t upstream, uint64_t waited_ms);
/* What it does not know, or not keep; forgotten after UPSTREAM_UNABLE_MS. */
void upstream_note_no_edns(struct upstreams *upstreams, uint16_t upstream, uint64_t now_ms);
void upstream_note_no_cookie(struct upstreams *upstreams, uint16_t upstream, uint64_t now_ms);
void upstream_note_wrong_case(struct upstreams *upstreams, uint16_t upstream, uint64_t now_ms);

/* For who probes (revive.h): */

/* Readable once somebody was set aside or is doubted: the caller reads it empty. */
int upstreams_wake_fd(const struct upstreams *upstreams);

/* What is to be probed: a question for a group's zone to one member. */
struct upstream_probe {
	uint16_t group;
	uint8_t member;
	bool for_zone; /* in doubt is whether it answers for the zone, not that it answers */
};
/*
 * The next probe that is due; false when there is none, and *ret_next_ms is when the next one will
 * be (0: none). Who takes it tells its result, or that it could not be made.
 */
bool upstreams_take_probe(struct upstreams *upstreams, uint64_t now_ms, struct upstream_probe *ret,
			  uint64_t *ret_next_ms);
/* The probe proved that it is what was in doubt. rtt_us 0: not measured. */
void upstream_note_alive(struct upstreams *upstreams, const struct upstream_probe *probe,
			 uint64_t rtt_us);
/*
 * What a probe for the zone of this group asks: the SOA of the zone, of the root its NS. A server
 * that is any good for the zone has that, and nobody's client is harmed by asking for it.
 */
uint16_t upstreams_probe_type(const struct upstreams *upstreams, uint16_t group);
/* Members that are asked just that at this moment (bit i: member i). Any thread. */
uint32_t upstreams_probed(const struct upstreams *upstreams, uint16_t group);
void upstream_put_probe_back(struct upstreams *upstreams, const struct upstream_probe *probe,
			     uint64_t now_ms);
void upstream_probe_failed(struct upstreams *upstreams, const struct upstream_probe *probe,
			   uint64_t now_ms);

#endif
