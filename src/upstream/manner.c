/* SPDX-License-Identifier: MIT */
/*
 * An upstream is asked in full until it says that it cannot read that, then with less. What helped
 * is remembered for some minutes (upstream_health.h), so that a server older than EDNS does not
 * cost two questions for each; not for ever, for servers are replaced.
 *
 * Silence lowers nothing: it is nearly always loss, and who could make an upstream silent could
 * else take EDNS away, and with it cookies and DNSSEC.
 */
#include "upstream/manner.h"

#include "upstream/health.h"

struct manner manner_first(const struct upstreams *upstreams, uint16_t group, uint8_t member,
			   uint16_t upstream, uint64_t now_ms)
{
	struct manner manner = { .upstream = upstream, .member = member, .level = MANNER_FULL };

	if (!upstream_wants_edns(upstreams, upstream, now_ms))
		manner.level = MANNER_NO_EDNS;
	else if (!upstream_wants_cookie(upstreams, group, upstream, now_ms))
		manner.level = MANNER_NO_COOKIE;
	return manner;
}

void manner_lower(struct manner *manner, bool has_opt)
{
	manner->level = has_opt && manner->level == MANNER_FULL ? MANNER_NO_COOKIE : MANNER_NO_EDNS;
	manner->lowered = true;
}

void manner_worked(const struct manner *manner, struct upstreams *upstreams, uint64_t now_ms)
{
	if (!manner->lowered)
		return;
	if (manner->level == MANNER_NO_EDNS)
		upstream_note_no_edns(upstreams, manner->upstream, now_ms);
	else
		upstream_note_no_cookie(upstreams, manner->upstream, now_ms);
}

struct try_ask manner_ask(const struct manner *manner, const struct upstreams *upstreams,
			  const struct question_key *key, uint64_t now_ms)
{
	return (struct try_ask){
		.key = key,
		.upstream = manner->upstream,
		.edns = manner->level != MANNER_NO_EDNS,
		.cookie = manner->level == MANNER_FULL,
		/* AD asks to be told (RFC 6840 5.7), where it would be believed. */
		.ad = upstream_trusts_ad(upstreams, key->group, manner->upstream),
		.caps = upstream_wants_caps(upstreams, key->group, manner->upstream, now_ms),
	};
}
