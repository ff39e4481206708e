/* SPDX-License-Identifier: MIT */
/*
 * A corporate DNS forwards to us what it was told to (privlinkctl forwarders): public zones, and
 * private ones. Where we in turn forward to it, it is those that come back, each with the group
 * that its names go to. Forward zones themselves come back where somebody forwards everything to
 * us.
 *
 * A private zone that is not transparent never goes to an upstream. Of a zone with a word in braces
 * what follows the last of them is taken: nobody can forward a pattern.
 */
#include "admin/loopzones.h"

#include <string.h>

#include "base/clock.h"
#include "forward/looptable.h"
#include "zone/names.h"

static int add(struct looptable *loops, const struct view *view, const char *text, struct err *err)
{
	const char *brace = strrchr(text, '}');
	struct name zone;

	if (brace && brace[1] == '.')
		text = brace + 2;
	if (name_from_text(&zone, text, strlen(text)) < 0)
		return 0;
	return looptable_follow_add(loops, &zone, routes_match(view->routes, &zone, NULL), err);
}

int loopzones_follow(struct forward_shared *forward, const struct view *view, struct err *err)
{
	struct looptable *loops = forward_loops(forward);
	struct name zone;
	uint16_t group;
	size_t i, j;

	looptable_follow_begin(loops);
	for (i = 0; routes_at(view->routes, i, &zone, &group); i++) {
		if (looptable_follow_add(loops, &zone, group, err) < 0)
			return -1;
	}
	for (i = 0; i < zones_count(view->zones); i++) {
		for (j = 0; j < zones_public_count(view->zones, i); j++) {
			if (add(loops, view, zones_public_text(view->zones, i, j), err) < 0)
				return -1;
		}
		if (zones_type(view->zones, i) == ZONE_TRANSPARENT &&
		    add(loops, view, zones_private_text(view->zones, i), err) < 0)
			return -1;
	}
	return looptable_follow_commit(loops, clock_now_ms(), err);
}
