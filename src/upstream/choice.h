/* SPDX-License-Identifier: MIT */
/*
 * Which upstream of a group is asked next. Any worker at any time.
 */
#ifndef PRIVLINKD_UPSTREAM_CHOICE_H
#define PRIVLINKD_UPSTREAM_CHOICE_H

#include "upstream/upstream.h"

/*
 * The next upstream of a group, leaving out the members in `without` (bit i: member i); -1 when
 * none is left. Else the member's number, *ret_upstream its number in the registry.
 */
int upstreams_choose(const struct upstreams *upstreams, uint16_t group, uint32_t without,
		     uint64_t now_ms, uint16_t *ret_upstream);

/* FASTEST: one question in so many is put to a second upstream, of which nobody waits for. */
#define UPSTREAM_EXPLORE_ONE_IN 16

/*
 * Where this question, which goes to member `chosen`, should be tried besides, though not at those
 * in `without`: as upstreams_choose; -1: nowhere, as most times.
 */
int upstreams_explore(const struct upstreams *upstreams, uint16_t group, uint8_t chosen,
		      uint32_t without, uint16_t *ret_upstream);

#endif
