/* SPDX-License-Identifier: MIT */
/*
 * The verdict on a cached reply, left with it: whether the decision passes it on whole.
 *
 * query.c's and decide.c's; any thread. The word is kept and given back by the cache (see
 * forward_remember); 0 means that nobody has found out yet.
 */
#ifndef PRIVLINKD_RESOLVE_MEMO_H
#define PRIVLINKD_RESOLVE_MEMO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resolve/answer.h"
#include "resolve/decide.h"
#include "resolve/step.h"
#include "resolve/view.h"

static inline uint64_t memo_of(const struct view *view, bool whole)
{
	return view->generation << 1 | whole;
}

/*
 * May the reply, the first that was asked for and to the question's own name, be passed on whole
 * without deciding on the rest of it?
 */
static inline bool memo_says_whole(const struct view *view, const struct reply *reply)
{
	return (reply->plain || reply->memo == memo_of(view, true)) && !reply->stale &&
	       reply->ttl_places;
}

/* Is there still to be found out about the reply of such an answer, under this view? */
static inline bool memo_is_due(const struct view *view, const struct reply *reply)
{
	return !reply->plain && reply->memo >> 1 != view->generation && reply->ttl_places &&
	       !reply->stale;
}

/*
 * The verdict: `answer`, laid out by answer_plan from this plan and this one reply, is the reply as
 * it stands, and will be for whoever asks the same under this view.
 */
bool memo_is_whole(const struct plan *plan, const struct reply *reply,
		   const struct answer_shape *shape, const uint8_t *answer, size_t len);

/* An answer was laid out from resolver->plan: its reply gets the verdict, if it has none yet. */
void memo_leave(struct resolver *resolver, const struct matter *matter, const uint8_t *answer,
		size_t len);

#endif
