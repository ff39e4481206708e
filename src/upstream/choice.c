/* SPDX-License-Identifier: MIT */
/*
 * Which upstream of a group is asked next: by the group's policy among those that are well, then
 * those set aside, so that the best is still tried when all are down.
 *
 * What an upstream costs is its smoothed round trip, with the time that was waited in vain counted
 * in, so one that is near but loses a third of all datagrams is not the fastest. One that was never
 * measured is taken for slow. So that a slow one can show it got faster, one question in so many is
 * put to another upstream as well, beside the one that the client waits for (explore.c): no client
 * waits for the sake of knowledge.
 *
 * SPREAD draws. It knows nothing of what others asked, and needs not: after a thousand questions
 * two upstreams differ by some thirty.
 */
#include "upstream/choice.h"

#include "net/random.h"
#include "upstream/health.h"
#include "upstream/inside.h"

/* Above any cost, any number drawn, any place in the list. */
#define ASIDE (UINT64_C(1) << 32)

/* How late in the row this member comes; the lowest is asked. */
static uint64_t rank(const struct upstreams *upstreams, uint16_t number, const struct group *group,
		     uint8_t member)
{
	uint64_t rank = member;

	if (group->policy == UPSTREAM_SPREAD) {
		rank = random_u16();
	} else if (group->policy == UPSTREAM_FASTEST) {
		rank = upstream_cost_us(upstreams, group->members[member]);
		if (rank == 0)
			rank = UPSTREAM_TIMEOUT_FIRST_MS * UINT64_C(1000);
	}
	return upstream_is_well(upstreams, number, member) ? rank : rank + ASIDE;
}

/* Probes are made only for zones that are asked for. Written seldom: many threads share it. */
static void note_use(struct group *group, uint64_t now_ms)
{
	uint64_t before = atomic_load_explicit(&group->used_ms, memory_order_relaxed);

	if (now_ms > before + UPSTREAM_PROBE_IDLE_MS / 16 || before == 0)
		atomic_store_explicit(&group->used_ms, now_ms, memory_order_relaxed);
}

int upstreams_choose(const struct upstreams *upstreams, uint16_t group, uint32_t without,
		     uint64_t now_ms, uint16_t *ret_upstream)
{
	struct group *g = group_at(upstreams, group);
	uint64_t best_rank = 0;
	int best = -1;
	uint8_t i;

	note_use(g, now_ms);
	for (i = 0; i < g->count; i++) {
		uint64_t r;

		if (without & UINT32_C(1) << i)
			continue;
		r = rank(upstreams, group, g, i);
		if (best < 0 || r < best_rank) {
			best = i;
			best_rank = r;
		}
	}
	if (best >= 0)
		*ret_upstream = g->members[best];
	return best;
}

int upstreams_explore(const struct upstreams *upstreams, uint16_t group, uint8_t chosen,
		      uint32_t without, uint16_t *ret_upstream)
{
	const struct group *g = group_at(upstreams, group);
	uint32_t member;

	if (g->policy != UPSTREAM_FASTEST || g->count < 2 ||
	    random_below(UPSTREAM_EXPLORE_ONE_IN) != 0)
		return -1;
	member = (chosen + 1 + random_below(g->count - 1u)) % g->count;
	/* Who is set aside is probed already. */
	if (without & UINT32_C(1) << member || !upstream_is_well(upstreams, group, (uint8_t)member))
		return -1;
	*ret_upstream = g->members[member];
	return (int)member;
}
