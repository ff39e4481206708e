/* SPDX-License-Identifier: MIT */
/*
 * A plan is large, for the names in it, and made for every query: so it is not cleared, but begun
 * field by field.
 *
 * Pure; any thread.
 */
#include "resolve/plan.h"

#include <string.h>

#include "wire/types.h"

static void begin(struct plan *plan)
{
	plan->rcode = RCODE_NOERROR;
	plan->aa = plan->ad = plan->used_reply = plan->cut = false;
	plan->alias_denied = plan->must_be_private = plan->vault_name = plan->stale = false;
	plan->by_address = plan->whole = false;
	plan->failed_reply = -1;
	plan->ede = plan->ede_more = EDE_NONE;
	plan->ede_text = NULL;
	plan->count = plan->names = 0;
	plan->question = NULL;
}

void plan_begin(struct plan *plan, const struct name *question)
{
	begin(plan);
	plan->names = 1;
	memcpy(plan->name[0], question->wire, question->len);
	plan->name_len[0] = question->len;
	plan->question = question;
}

void plan_pass_whole(struct plan *plan, const struct reply *reply)
{
	plan->rcode = reply->rcode;
	plan->ad = reply->ad;
	plan->used_reply = plan->whole = true;
}

void plan_whole(struct plan *plan, const struct reply *reply)
{
	begin(plan);
	plan_pass_whole(plan, reply);
}

/* An answer that fails in spite of what is stale in it says why instead. */
void plan_tell_stale(struct plan *plan)
{
	if (plan->rcode == RCODE_NOERROR)
		plan->ede = EDE_STALE_ANSWER;
	else if (plan->rcode == RCODE_NXDOMAIN)
		plan->ede = EDE_STALE_NXDOMAIN;
	else
		plan->stale = false;
	if (!plan->stale)
		plan->ede_more = EDE_NONE;
}
