/* SPDX-License-Identifier: MIT */
/*
 * How the registry is laid out: for upstream.c and the upstream_*.c alone.
 */
#ifndef PRIVLINKD_UPSTREAM_INSIDE_H
#define PRIVLINKD_UPSTREAM_INSIDE_H

#include <assert.h>
#include <stdatomic.h>

#include "upstream/standing.h"
#include "upstream/upstream.h"

/* What became of what it was asked. Many writers: relaxed atomics, no struct counter. */
struct upstream_health {
	/* smoothed in the upper 32 bits, variance in the lower; us; 0: never */
	_Atomic uint64_t rtt;
	/* what an answer takes to come, with the time that was waited in vain; us; 0: never */
	_Atomic uint64_t cost_us;
	struct standing reach;        /* does it answer at all? */
	_Atomic uint16_t probe_group; /* whose zone a probe asks for: where it failed last */
	_Atomic uint64_t no_edns_until_ms, no_cookie_until_ms, no_caps_until_ms;
	_Atomic bool unreachable; /* how it failed last: not by silence */
	_Atomic uint64_t asked, answered, failed, timeouts;
};

/* What people were told: main thread (upstream_told.c). */
struct upstream_told {
	bool aside;
	unsigned lines; /* in the minute that began then; 0: none did */
	uint64_t minute_ms;
};

struct upstream_tls;
bool upstream_tls_equal(const struct upstream_tls *tls, const struct upstream_conf *conf);
struct upstream_tls *upstream_tls_new(const struct upstream_conf *conf, struct err *err);
void upstream_tls_free(struct upstream_tls *tls);
/* The same upstream in a newer configuration: its authorities may have changed. */
int upstream_tls_renew(struct upstream_tls *tls, const struct upstream_conf *conf, struct err *err);

struct upstream {
	union addr addr;
	bool loopback;
	struct upstream_tls *tls; /* NULL: it is asked in clear text */
	struct upstream_health health;
	struct upstream_told told;
};

struct group {
	uint8_t zone[NAME_WIRE_MAX]; /* folded */
	uint8_t zone_len;
	uint16_t count;
	uint16_t members[UPSTREAMS_A_GROUP_MAX];
	enum upstream_policy policy;
	bool trust_ad, use_caps, send_cookie;
	_Atomic uint64_t used_ms;                    /* about when it was last asked for */
	struct standing will[UPSTREAMS_A_GROUP_MAX]; /* does a member answer for this zone? */
	struct upstream_told told[UPSTREAMS_A_GROUP_MAX];
};

struct upstreams {
	int wake; /* an eventfd: there are probes to be made */
	_Atomic unsigned count, groups_count;
	int news; /* an eventfd: there is something to be told of health or TLS */
	struct upstream *upstreams[UPSTREAMS_MAX];
	struct group *groups[UPSTREAM_GROUPS_MAX];
};

static inline struct group *group_at(const struct upstreams *upstreams, uint16_t group)
{
	assert(group < atomic_load_explicit(&upstreams->groups_count, memory_order_acquire));
	return upstreams->groups[group];
}

static inline struct upstream *upstream_at(const struct upstreams *upstreams, uint16_t upstream)
{
	assert(upstream < atomic_load_explicit(&upstreams->count, memory_order_acquire));
	return upstreams->upstreams[upstream];
}

#endif
