/* SPDX-License-Identifier: MIT */
/*
 * Which upstream of a group is asked next: by the group's policy among those that are well, then
 * those set aside, so that the best is still tried when all are down.
 */
#include "forward/upstream_choice.h"

#include "forward/upstream_health.h"
#include "forward/upstream_inside.h"
#include "net/random.h"

/*
 * FASTEST: one question in so many goes to any upstream that is well, so that a slow one can show
 * it got faster.
 */
#define EXPLORE_ONE_IN 16

/*
 * How late in the row this member comes; the lowest is asked. Those set aside come after all
 * others.
 */
static uint64_t rank(const struct upstreams *upstreams, const struct group *group, unsigned member,
		     bool explore, uint64_t now_ms)
{
	uint16_t number = group->members[member];
	uint64_t rank;

	if (group->policy == UPSTREAM_SPREAD || explore)
		rank = random_u16();
	else if (group->policy == UPSTREAM_FASTEST)
		rank = upstream_rtt_us(upstreams, number); /* never measured: first */
	else
		rank = member;
	return upstream_is_well(upstreams, number, now_ms) ? rank : rank + (UINT64_C(1) << 32);
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
		r = rank(upstreams, g, i, explore, now_ms);
		if (best < 0 || r < best_rank) {
			best = (int)i;
			best_rank = r;
		}
	}
	if (best >= 0)
		*ret_upstream = g->members[best];
	return best;
}
