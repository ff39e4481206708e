/* SPDX-License-Identifier: MIT */
/*
 * Upstreams are compared by what real questions cost there, so what is tried out is a real one: a
 * probe for something that every server has at hand would make those look fast that are only never
 * asked. Its answer goes to the health of the upstream and nowhere else, so a forged one gains
 * nothing.
 *
 * The prober bounds how many are under way; with no room none is made, and that is fine.
 */
#include "upstream/explore.h"

#include "upstream/choice.h"
#include "upstream/health.h"
#include "wire/types.h"

static void on_answer(void *arg, uint64_t token, enum prober_result result, unsigned rcode,
		      uint64_t rtt_us, uint64_t now_ms)
{
	uint16_t group = (uint16_t)(token >> 8);
	uint8_t member = (uint8_t)token;

	if (result == PROBER_UNREACHABLE)
		upstream_note_unreachable(arg, group, member, now_ms);
	else if (result == PROBER_SILENT)
		upstream_note_timeout(arg, group, member, PROBER_WAIT_MS, now_ms);
	else if (rcode == RCODE_NOERROR || rcode == RCODE_NXDOMAIN)
		upstream_note_answer(arg, group, member, rtt_us);
	else
		upstream_note_refusal(arg, group, member, false, rtt_us, now_ms);
}

void explore(struct upstreams *upstreams, struct prober *prober, const struct question_key *key,
	     uint8_t chosen, uint32_t without, uint64_t now_ms)
{
	struct prober_question question = {
		.type = key->type,
		.curious = true,
		.done = on_answer,
		.arg = upstreams,
	};
	int member = upstreams_explore(upstreams, key->group, chosen, without, &question.upstream);
	struct name name;

	if (member < 0)
		return;
	name_from_wire(&name, key->fold, key->len);
	question.name = &name;
	question.token = (uint64_t)key->group << 8 | (unsigned)member;
	if (prober_ask(prober, &question, now_ms))
		upstream_note_asked(upstreams, question.upstream);
}
