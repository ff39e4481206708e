/* SPDX-License-Identifier: MIT */
/*
 * Workers change an upstream's standing and make the descriptor readable; here what people were
 * told is compared with what holds now. So a line is never late by more than a turn of the main
 * loop, nothing is queued, and who goes and comes back in between is not spoken of.
 *
 * Who was given another chance (standing_give_chance) has not proved anything: it counts as set
 * aside here until it has answered, so that one that refuses for hours makes one line and not two a
 * minute.
 */
#include "upstream/told.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "upstream/inside.h"
#include "upstream/tls.h"

#define MINUTE_MS 60000

int upstreams_news_fd(const struct upstreams *upstreams)
{
	return upstreams->news;
}

void upstreams_quiet(struct upstreams *upstreams)
{
	uint64_t times;

	(void)!read(upstreams->news, &times, sizeof(times));
}

/* Is this to be told now? *late: it is, but not yet. */
static bool is_news(struct upstream_told *told, bool aside, uint64_t now_ms, bool *late)
{
	if (aside == told->aside)
		return false;
	if (told->minute_ms == 0 || now_ms - told->minute_ms >= MINUTE_MS) {
		told->minute_ms = now_ms;
		told->lines = 0;
	}
	if (told->lines >= UPSTREAM_TOLD_LINES) {
		*late = true;
		return false;
	}
	told->lines++;
	told->aside = aside;
	return true;
}

static const char *why(const struct upstreams *upstreams, uint16_t upstream)
{
	struct upstream_tls_state tls;

	if (upstream_tls_state(upstreams, upstream, &tls) && tls.fault.kind != TLS_FAULT_NONE)
		return "no TLS session";
	if (atomic_load_explicit(&upstream_at(upstreams, upstream)->health.unreachable,
				 memory_order_relaxed))
		return "unreachable";
	return "silent";
}

static void tell_of_reach(struct upstreams *upstreams, uint16_t i, upstream_tell_fn *tell,
			  void *arg, uint64_t now_ms, bool *late)
{
	struct upstream *upstream = upstreams->upstreams[i];
	bool aside = standing_is_unproved(&upstream->health.reach);
	const char *scheme = upstream->tls ? "tls://" : "";
	char addr[ADDR_TEXT_MAX], line[256];

	if (!is_news(&upstream->told, aside, now_ms, late))
		return;
	addr_to_text(&upstream->addr, 0, addr);
	if (aside)
		snprintf(line, sizeof(line),
			 "upstream %s%s set aside: %s; asked last until it answers a probe", scheme,
			 addr, why(upstreams, i));
	else
		snprintf(line, sizeof(line), "upstream %s%s is back: asked as before", scheme,
			 addr);
	tell(arg, !aside, line);
}

static void tell_of_will(struct upstreams *upstreams, struct group *group, uint8_t member,
			 upstream_tell_fn *tell, void *arg, uint64_t now_ms, bool *late)
{
	const struct upstream *upstream = upstreams->upstreams[group->members[member]];
	bool aside = standing_is_unproved(&group->will[member]);
	char addr[ADDR_TEXT_MAX], zone[NAME_TEXT_MAX], line[NAME_TEXT_MAX + 256];

	if (!is_news(&group->told[member], aside, now_ms, late))
		return;
	addr_to_text(&upstream->addr, 0, addr);
	name_to_text(group->zone, zone);
	if (aside)
		snprintf(line, sizeof(line),
			 "upstream %s%s set aside for zone %s: it refuses what is asked there "
			 "(REFUSED, SERVFAIL or a referral); asked last until it answers",
			 upstream->tls ? "tls://" : "", addr, zone);
	else
		snprintf(line, sizeof(line), "upstream %s%s is back for zone %s: asked as before",
			 upstream->tls ? "tls://" : "", addr, zone);
	tell(arg, !aside, line);
}

bool upstreams_tell(struct upstreams *upstreams, upstream_tell_fn *tell, void *arg, uint64_t now_ms)
{
	unsigned count = atomic_load_explicit(&upstreams->count, memory_order_acquire), i;
	unsigned groups = atomic_load_explicit(&upstreams->groups_count, memory_order_acquire);
	bool late = false;

	for (i = 0; i < count; i++)
		tell_of_reach(upstreams, (uint16_t)i, tell, arg, now_ms, &late);
	for (i = 0; i < groups; i++) {
		for (uint8_t n = 0; n < upstreams->groups[i]->count; n++)
			tell_of_will(upstreams, upstreams->groups[i], n, tell, arg, now_ms, &late);
	}
	return !late;
}
