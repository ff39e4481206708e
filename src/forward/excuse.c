/* SPDX-License-Identifier: MIT */
/*
 * SERVFAIL behind a chain tells more than SERVFAIL, and that more than silence. Of equals the first
 * counts: it is from the upstream that was preferred. Why there is nothing is told by an extended
 * error: the upstream's own word, else ours. Our own want comes before what is the upstreams': with
 * a socket they might have answered.
 */
#include "forward/excuse.h"

#include <string.h>

#include "wire/types.h"

void excuse_begin(struct excuse *excuse, uint8_t *room)
{
	excuse->room = room;
	excuse->telling = EXCUSE_NONE;
	excuse->unreachable = excuse->silent = excuse->no_room = false;
}

void excuse_take(struct excuse *excuse, const struct reply_cut *cut, const uint8_t *data)
{
	enum excuse_telling telling = cut->links > 0 ? EXCUSE_CHAIN : EXCUSE_FAILURE;

	if (cut->len > STORE_SMALL_LEN || telling <= excuse->telling)
		return;
	memcpy(excuse->room, data, cut->len);
	excuse->best = *cut;
	excuse->telling = telling;
}

struct pending_outcome excuse_outcome(const struct excuse *excuse)
{
	struct pending_outcome outcome = {
		.data = excuse->room,
		.rcode = RCODE_SERVFAIL,
		.failed = excuse->telling != EXCUSE_CHAIN,
		.silent = excuse->silent,
		.ede = EDE_NONE,
		.ttl_s = FAILURE_TTL_S,
	};

	if (excuse->telling == EXCUSE_NONE) {
		outcome.ttl_s = FAILURE_SILENT_TTL_S;
		if (excuse->no_room)
			outcome.ede = EDE_NOT_READY;
		else if (excuse->unreachable && !excuse->silent)
			outcome.ede = EDE_NETWORK_ERROR;
		else
			outcome.ede = EDE_NO_REACHABLE_AUTHORITY;
		return outcome;
	}
	outcome.len = excuse->best.len;
	if (excuse->telling == EXCUSE_FAILURE) {
		outcome.ede = excuse->best.ede != EDE_NONE ? excuse->best.ede : EDE_OTHER;
		return outcome;
	}
	/* Not longer than its CNAMEs allow, but for a moment in any case (RFC 9520 3.2). */
	if (excuse->best.ttl_s < FAILURE_TTL_S)
		outcome.ttl_s = excuse->best.ttl_s ? excuse->best.ttl_s : 1;
	return outcome;
}
