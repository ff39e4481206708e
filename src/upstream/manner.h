/* SPDX-License-Identifier: MIT */
/*
 * The manner of asking an upstream: how much it is taken to know of DNS's younger parts.
 *
 * Pure but for the registry's health. One thread.
 */
#ifndef PRIVLINKD_UPSTREAM_MANNER_H
#define PRIVLINKD_UPSTREAM_MANNER_H

#include <stdbool.h>
#include <stdint.h>

#include "upstream/tries.h"
#include "upstream/upstream.h"

enum manner_level {
	MANNER_FULL, /* EDNS with a cookie */
	MANNER_NO_COOKIE,
	MANNER_NO_EDNS,
};

struct manner {
	uint16_t upstream;
	uint8_t member; /* of the group */
	enum manner_level level;
	/* less than at first, because that was not understood; if it helps, it is remembered */
	bool lowered;
	/* what came cannot be read: TCP is next, and no second way to what UDP can */
	bool malformed;
	bool cookie_came; /* asked a second time, with the cookie the upstream wanted */
	bool second_way;  /* over TCP, since it has spoken over UDP */
};

/* How this upstream is asked first, by the group's options and by what was learned of it. */
struct manner manner_first(const struct upstreams *upstreams, uint16_t group, uint8_t member,
			   uint16_t upstream, uint64_t now_ms);

/*
 * It did not understand. `has_opt`: it said so in an answer that has an OPT, so it knows EDNS and
 * dislikes only our cookie (which RFC 6891 6.1.2 forbids, but firewalls do not read RFCs).
 */
void manner_lower(struct manner *manner, bool has_opt);

/* It gave an answer with sense: what was learned on the way is remembered. */
void manner_worked(const struct manner *manner, struct upstreams *upstreams, uint64_t now_ms);

struct try_ask manner_ask(const struct manner *manner, const struct upstreams *upstreams,
			  const struct question_key *key, uint64_t now_ms);

#endif
