/* SPDX-License-Identifier: MIT */
/*
 * Trying upstreams out beside those that clients wait for. A worker's thread.
 */
#ifndef PRIVLINKD_UPSTREAM_EXPLORE_H
#define PRIVLINKD_UPSTREAM_EXPLORE_H

#include "upstream/prober.h"
#include "upstream/question.h"
#include "upstream/upstream.h"

/*
 * A question goes to member `chosen`. Now and then, where the policy needs to know, it is put to
 * another member, too, but for those in `without` (bit i: member i), whose answer nobody gets.
 */
void explore(struct upstreams *upstreams, struct prober *prober, const struct question_key *key,
	     uint8_t chosen, uint32_t without, uint64_t now_ms);

#endif
