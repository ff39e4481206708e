/* SPDX-License-Identifier: MIT */
/*
 * Most of what is asked of a forwarder is answered with a cached reply from which nothing is cut:
 * no name of its chain is ours, no rule applies to it. To find that out the decision follows the
 * chain with a look-up for each name of it, and the answer is laid out record by record. The
 * outcome is the cached octets, with another id, other flags, the client's spelling of the
 * question, aged TTLs, and an OPT. So once that has been found out it is remembered with the reply,
 * and the next time the octets are copied (answer_plan, plan->whole).
 *
 * A plain reply needs no memo. It has no chain and no authority section, only what was asked for at
 * the very name that the decision has asked about: there is nothing left that could be decided.
 *
 * The memo is no second decision. Every question is still decided from its name on, and so every
 * rule about the question itself holds as ever; only what the decision makes of the reply that it
 * asks for is taken from the memo. That hangs on
 *
 *   - the reply: the word is kept in its cache entry, and goes with it;
 *   - the question's name and type, DO and CD, and the upstream group: the key of the entry;
 *   - the view: the word holds its generation, and any other one is as good as none. So a reload
 *     counts from the very next query;
 *   - the address that was asked, for names below `arpa` alone: plan->by_address, never remembered;
 *   - its time: what is stale is never remembered nor passed on by a memo.
 *
 * Nor is the verdict derived from the plan by rules that could be wrong about what answer_plan
 * makes of it. The answer that was laid out is compared with the reply: if they are the same octets
 * from the question on to the OPT, but for TTLs that are aged as they should be, then the reply
 * was passed on whole. The other parts of an answer (flags, id, OPT) are written by the same code
 * for both. What must be counted or told each time (a cut, a name that must be private) is never
 * remembered.
 *
 * That an answer is not whole is remembered, too, so that it is compared once a reply and view.
 * Workers that have different views for a moment overwrite each other's word; none is misled by it.
 */
#include "resolve/memo.h"

#include <string.h>

#include "wire/octets.h"

/* The octets before the first record: the same in a reply and its answer. */
static size_t records_at(const struct answer_shape *shape)
{
	return DNS_HEADER_LEN + (size_t)shape->question_len;
}

/* Records in each section as the headers say, but for the answer's OPT. */
static bool same_counts(const uint8_t *answer, const uint8_t *reply, bool edns)
{
	return memcmp(answer + 4, reply + 4, 6) == 0 && reply[10] == 0 && reply[11] == 0 &&
	       answer[10] == 0 && answer[11] == (edns ? 1 : 0);
}

/* Nothing that is counted or told each time, or that a memo cannot know. */
static bool plain(const struct plan *plan, const struct reply *reply)
{
	return !plan->aa && !plan->cut && !plan->alias_denied && !plan->must_be_private &&
	       !plan->vault_name && !plan->by_address && !plan->stale && plan->failed_reply < 0 &&
	       plan->ede == EDE_NONE && plan->ede_more == EDE_NONE && plan->used_reply &&
	       plan->rcode == reply->rcode && plan->ad == reply->ad;
}

bool memo_is_whole(const struct plan *plan, const struct reply *reply,
		   const struct answer_shape *shape, const uint8_t *answer, size_t len)
{
	size_t at = records_at(shape), place;
	unsigned i;

	if (!plain(plan, reply) || len < reply->len ||
	    !same_counts(answer, reply->data, shape->edns))
		return false;
	for (i = 0; i < reply->ttls; i++) {
		place = reply_ttl_place(reply, i);
		if (place < at || memcmp(answer + at, reply->data + at, place - at) != 0 ||
		    octets_load_u32(answer + place) !=
			    reply_ttl(reply, octets_load_u32(reply->data + place)))
			return false;
		at = place + 4;
	}
	return memcmp(answer + at, reply->data + at, reply->len - at) == 0;
}

void memo_leave(struct resolver *resolver, const struct matter *matter, const uint8_t *answer,
		size_t len)
{
	const struct reply *reply = &resolver->replies.item[0];
	struct forward_question question = {
		.name = matter->question->name,
		.type = matter->question->type,
		.group = reply->group,
		.do_bit = matter->shape->do_bit,
		.cd_bit = matter->shape->flags & FLAG_CD,
	};
	bool whole;

	if (resolver->replies.count == 0 || !memo_is_due(resolver->view, reply) ||
	    !reply_is_for(reply, question.name, question.group))
		return;
	whole = resolver->replies.count == 1 &&
		memo_is_whole(&resolver->plan, reply, matter->shape, answer, len);
	forward_remember(resolver->forward, &question, reply->serial,
			 memo_of(resolver->view, whole));
}
