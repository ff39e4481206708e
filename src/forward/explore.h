/* SPDX-License-Identifier: MIT */
/*
 * Trying upstreams out beside those that clients wait for. A worker's thread.
 */
#ifndef PRIVLINKD_FORWARD_EXPLORE_H
#define PRIVLINKD_FORWARD_EXPLORE_H

#include "forward/cache.h"
#include "forward/prober.h"
#include "forward/upstream.h"

/*
 * A question goes to member `chosen`. Now and then, where the policy needs to know, it is put to
 * another member, too, but for those in `without` (bit i: member i), whose answer nobody gets.
 */
void explore(struct upstreams *upstreams, struct prober *prober, const struct cache_key *key,
	     uint8_t chosen, uint32_t without, uint64_t now_ms);

#endif
