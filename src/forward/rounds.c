/* SPDX-License-Identifier: MIT */
/*
 * All upstreams of the group are gone through once; those that were only silent, or could not be
 * reached, are gone through again, and waited for longer. A failure that shows at once shortens no
 * round: the next upstream is asked at once, the next round begins when the first query of this one
 * would have been given up, for whoever restarts needs time.
 *
 * A bad answer from one and silence from the others, twice: that is the answer. Nor is anybody kept
 * waiting for upstreams that cannot be reached where another has spoken.
 */
#include "forward/rounds.h"

#include "upstream/choice.h"

void rounds_begin(struct rounds *rounds, uint16_t group, uint32_t without)
{
	*rounds = (struct rounds){ .group = group, .tried = without, .bad = without };
}

/* All upstreams have been asked in this round: is there to be another? */
static bool has_next(const struct rounds *rounds, bool answered, uint64_t now_ms)
{
	if (rounds->tried == rounds->bad)
		return false;
	return !answered || (rounds->round == 0 && now_ms >= rounds->ends_ms);
}

enum rounds_step rounds_next(struct rounds *rounds, const struct upstreams *upstreams,
			     bool answered, uint64_t now_ms, uint8_t *ret_member,
			     uint16_t *ret_upstream, uint64_t *ret_until_ms)
{
	int member =
		upstreams_choose(upstreams, rounds->group, rounds->tried, now_ms, ret_upstream);

	if (member < 0) {
		if (!has_next(rounds, answered, now_ms))
			return ROUNDS_OVER;
		if (now_ms < rounds->ends_ms) {
			*ret_until_ms = rounds->ends_ms;
			return ROUNDS_WAIT;
		}
		rounds->tried = rounds->bad;
		rounds->round++;
		rounds->ends_ms = 0;
		/* Somebody is left: tried was more than bad. */
		member = upstreams_choose(upstreams, rounds->group, rounds->tried, now_ms,
					  ret_upstream);
	}
	rounds->tried |= UINT32_C(1) << member;
	*ret_member = (uint8_t)member;
	return ROUNDS_ASK;
}

void rounds_asked(struct rounds *rounds, uint64_t due_ms)
{
	if (!rounds->ends_ms)
		rounds->ends_ms = due_ms;
}

void rounds_put_back(struct rounds *rounds, uint8_t member)
{
	rounds->tried &= ~(UINT32_C(1) << member);
}

void rounds_give_up(struct rounds *rounds, uint8_t member)
{
	rounds->bad |= UINT32_C(1) << member;
	rounds->tried |= UINT32_C(1) << member;
}

void rounds_unreachable(struct rounds *rounds, uint8_t member)
{
	if (rounds->round + 1 >= ROUNDS_REFUSED)
		rounds_give_up(rounds, member);
}
