/* SPDX-License-Identifier: MIT */
/*
 * One name at a time, from the question on. For each name the first of these that applies decides:
 *
 *   1. we hold it, in this form or another        -> our records, or on along our CNAME
 *   2. it must be private and is not held         -> SERVFAIL
 *   3. it is absent from a static or refused zone -> NXDOMAIN, NODATA, REFUSED
 *   4. it is special (localhost, ...)             -> answered here
 *   5. else the upstream group that may speak for it: the next link, the data or the negative
 *      answer of its reply; where there is no such reply yet, ASK.
 *
 * So an upstream's chain is cut at the first name that we hold merely because rule 1 comes before
 * rule 5 for every name of it, and the upstream's rcode counts only for the name that its chain
 * ends at. A reply goes on being read for the names that its chain leads to as long as its group is
 * the one that may speak for them; for a name of another group that group is asked. A chain through
 * which `aliases` lets nobody in is walked without rules 1 and 3 from there on: it is passed on as
 * it came. But nothing ever denies a name at or below which we hold something: NXDOMAIN becomes
 * NODATA.
 *
 * Every turn either takes a link, of which there are STEP_LINKS_MAX, or ends; loops need no other
 * guard.
 */
#include "resolve/step.h"

#include <assert.h>
#include <string.h>

#include "resolve/special.h"
#include "wire/chain.h"

enum turn {
	TURN_AGAIN, /* w->at has moved on */
	TURN_DONE,
	TURN_ASK,
	TURN_OUT, /* not ours: to the upstreams */
};

struct walk {
	const struct view *view;
	const struct step_replies *replies;
	const struct step_question *question;
	struct plan *plan;
	struct step_ask *ask;
	struct trace *trace;
	/* the name that is looked at: plan->name[plan->names - 1], prepared */
	const struct name *at;
	/* what `at` points to, in turn, so that the alias before it stays readable */
	struct name slot[2];
	/* the owner of the last link, where it came from an upstream; else NULL */
	const struct name *alias;
	struct table_hit hit; /* what the table knows of `at` */
	int reply;            /* the reply that led here or speaks for `at`; -1: none */
	bool reply_direct;    /* it was asked about `at` itself */
	bool uncut;
	bool ad;
};

static void trace_add(struct walk *w, struct trace_event event)
{
	if (w->trace && w->trace->count < TRACE_EVENTS_MAX) {
		event.name = (uint8_t)(w->plan->names - 1);
		w->trace->event[w->trace->count++] = event;
	}
}

static enum turn walk_fail(struct walk *w, int ede, const char *text)
{
	struct plan *plan = w->plan;

	plan->count = 0; /* never part of an answer beside an error */
	plan->rcode = RCODE_SERVFAIL;
	plan->aa = plan->cut = false;
	w->ad = false;
	plan->ede = ede;
	plan->ede_text = text;
	return TURN_DONE;
}

/* The upstreams that were to speak for `at` failed. */
static enum turn walk_failed_reply(struct walk *w, const struct reply *reply)
{
	w->plan->failed_reply = w->reply;
	return walk_fail(w, reply->ede, reply->ede_text);
}

static struct plan_item *plan_add(struct walk *w, enum plan_kind kind)
{
	struct plan *plan = w->plan;
	struct plan_item *item = &plan->item[plan->count++];

	/* One item a link and a proof a reply, and at the end data. */
	assert(plan->count <= PLAN_ITEMS_MAX);
	*item = (struct plan_item){ .kind = kind, .name = (uint8_t)(plan->names - 1) };
	return item;
}

/* Goes on at `target`; false where the chain is too long. */
static bool walk_link(struct walk *w, const uint8_t *target, size_t len)
{
	struct plan *plan = w->plan;
	struct name *slot = w->at == &w->slot[0] ? &w->slot[1] : &w->slot[0];

	if (plan->names > STEP_LINKS_MAX)
		return false;
	memcpy(plan->name[plan->names], target, len);
	plan->name_len[plan->names++] = (uint8_t)len;
	if (name_from_wire(slot, target, len) < 0)
		return false;
	w->at = slot;
	return true;
}

static enum turn walk_too_long(struct walk *w)
{
	trace_add(w, (struct trace_event){ .kind = TRACE_LIMIT });
	return walk_fail(w, EDE_OTHER, "CNAME chain loops or is too long");
}

/* The reply's chain goes on elsewhere; with DO its links may need a proof of their own
 * (wildcards). */
static void walk_leave_reply(struct walk *w)
{
	struct plan_item *item = plan_add(w, PLAN_PROOF);

	item->reply = (uint8_t)w->reply;
	item->proof = PROOF_LINKS;
}

/* What follows is ours. */
static void walk_own(struct walk *w)
{
	if (w->plan->names == 1)
		w->plan->aa = true;
	if (w->alias) {
		w->plan->cut = true;
		walk_leave_reply(w);
		trace_add(w, (struct trace_event){ .kind = TRACE_CUT });
	}
	w->ad = false;
}

static enum turn walk_negative(struct walk *w, unsigned rcode, unsigned strip)
{
	walk_own(w);
	w->plan->rcode = (uint8_t)rcode;
	plan_add(w, PLAN_SOA)->strip = (uint8_t)strip;
	return TURN_DONE;
}

/* Of `labels` labels of a name those before its served zone's apex; 0 for a name outside, which is
 * its own SOA's owner. */
static unsigned walk_strip(const struct walk *w, unsigned labels)
{
	return w->hit.in_zone ? labels - w->hit.apex_labels : 0;
}

/* The name is held by this node. */
static enum turn walk_node(struct walk *w, const struct node *node, unsigned labels)
{
	uint16_t type = w->question->type;
	struct node_rrset rrset;
	struct node_record record;
	size_t at = 0, next = 0;

	if (node_find(node, TYPE_CNAME, &rrset) && type != TYPE_CNAME && type != TYPE_ANY) {
		if (!node_record_next(&rrset, &at, &record))
			return walk_fail(w, EDE_OTHER, NULL);
		walk_own(w);
		plan_add(w, PLAN_RECORDS)->rrset = rrset;
		w->alias = NULL;
		w->reply = -1;
		trace_add(w, (struct trace_event){ .kind = TRACE_LINK, .text = "our CNAME" });
		return walk_link(w, record.rdata, record.rdata_len) ? TURN_AGAIN : walk_too_long(w);
	}
	if (type == TYPE_ANY ? node_next(node, &next, &rrset) : node_find(node, type, &rrset)) {
		walk_own(w);
		plan_add(w, PLAN_RECORDS)->rrset = rrset;
		return TURN_DONE;
	}
	trace_add(w, (struct trace_event){ .kind = TRACE_NODATA });
	return walk_negative(w, RCODE_NOERROR, walk_strip(w, labels));
}

/* What the table led to becomes the plan's name `i`. */
static void put_target(struct walk *w, unsigned i)
{
	memcpy(w->plan->name[i], w->hit.target, w->hit.target_len);
	w->plan->name_len[i] = w->hit.target_len;
}

/* Another form of a held name. */
static enum turn walk_alias(struct walk *w)
{
	struct plan_item *item;

	walk_own(w);
	item = plan_add(w, PLAN_ALIAS);
	item->ttl = node_ttl(w->hit.node);
	trace_add(w, (struct trace_event){ .kind = TRACE_ALIAS, .node = w->hit.node });
	if (w->plan->names > STEP_LINKS_MAX)
		return walk_too_long(w);
	put_target(w, w->plan->names++);
	if (w->question->type == TYPE_CNAME || w->question->type == TYPE_ANY)
		return TURN_DONE;
	/* The table has said what holds it: no second look-up. */
	w->alias = NULL;
	return walk_node(w, w->hit.node, w->hit.target_labels);
}

static enum turn walk_ptr(struct walk *w)
{
	struct plan_item *item;

	trace_add(w, (struct trace_event){ .kind = TRACE_PTR, .node = w->hit.node });
	if (w->question->type != TYPE_PTR && w->question->type != TYPE_ANY)
		return walk_negative(w, RCODE_NOERROR, 0);
	walk_own(w);
	item = plan_add(w, PLAN_LITERAL);
	item->type = TYPE_PTR;
	item->ttl = node_ttl(w->hit.node);
	put_target(w, w->plan->names);
	return TURN_DONE;
}

/* The apex of a served zone: SOA and NS are the zone's own, DS belongs to its parent (RFC 4035
 * 3.1.4.1). */
static enum turn walk_apex(struct walk *w)
{
	trace_add(w, (struct trace_event){ .kind = TRACE_APEX, .zone = w->hit.zone });
	switch (w->question->type) {
	case TYPE_ANY: /* one RRset (RFC 8482): there is always this one */
	case TYPE_SOA:
		walk_own(w);
		plan_add(w, PLAN_APEX);
		return TURN_DONE;
	case TYPE_NS:
		return walk_negative(w, RCODE_NOERROR, 0);
	case TYPE_DS:
		return TURN_OUT;
	default:
		return w->hit.match == TABLE_HELD ? walk_node(w, w->hit.node, w->at->labels)
						  : TURN_AGAIN;
	}
}

static bool walk_holds(const struct walk *w)
{
	return w->hit.match == TABLE_HELD || w->hit.match == TABLE_ALIAS ||
	       w->hit.match == TABLE_PTR;
}

/* Is something held at or below `at`? Then an NXDOMAIN for it would deny that too (RFC 8020). */
static bool walk_exists(const struct walk *w)
{
	return walk_holds(w) || w->hit.match == TABLE_ENT;
}

/* May the alias that led here lead into what we hold (`aliases`)? */
static bool walk_alias_allowed(const struct walk *w)
{
	const struct view *view = w->view;
	bool in_zone = w->hit.in_zone && w->hit.match != TABLE_PTR;

	if (!w->alias)
		return true;
	if (in_zone && view->aliases == VIEW_ALIASES_ANY)
		return true;
	if (zones_know(view->zones, w->alias))
		return true;
	return in_zone && view->aliases == VIEW_ALIASES_LIST &&
	       patterns_match(view->alias_zones, NULL, w->alias);
}

/* A name that is not held: is it of a Site Recovery vault that has other names here? */
static void walk_note_vault(struct walk *w)
{
	const struct zones *zones = w->view->zones;
	struct zone_form form[ZONE_FORMS_MAX];
	struct name private;
	unsigned i, count;

	/* Most first labels have no hyphen at all, and to see that is cheaper by far. */
	if (!memchr(w->at->fold + 1, '-', w->at->fold[0]) ||
	    !memmem(w->at->fold + 1, w->at->fold[0], "-asr-pod", 8))
		return;
	if (w->hit.match == TABLE_ABSENT) {
		w->plan->vault_name |= zones_is_site_recovery(zones, w->hit.zone) &&
				       table_vault_known(w->view->table, w->at);
		return;
	}
	count = zones_private_forms(zones, w->at, form);
	for (i = 0; i < count; i++)
		if (zones_is_site_recovery(zones, form[i].zone) &&
		    zones_private_form(zones, w->at, &form[i], &private) == 0)
			w->plan->vault_name |= table_vault_known(w->view->table, &private);
}

/* In a served zone, without records: what the zone's type says. */
static enum turn walk_absent(struct walk *w)
{
	trace_add(w, (struct trace_event){ .kind = w->hit.match == TABLE_ENT ? TRACE_ENT
									     : TRACE_ABSENT,
					   .zone = w->hit.zone });
	switch (zones_type(w->view->zones, w->hit.zone)) {
	case ZONE_STATIC:
		return walk_negative(w, w->hit.match == TABLE_ENT ? RCODE_NOERROR : RCODE_NXDOMAIN,
				     walk_strip(w, w->at->labels));
	case ZONE_REFUSE:
		if (w->plan->names > 1)
			return walk_fail(w, EDE_PROHIBITED, NULL);
		w->plan->rcode = RCODE_REFUSED;
		w->plan->ede = EDE_PROHIBITED;
		return TURN_DONE;
	default:
		return TURN_OUT;
	}
}

static enum turn walk_special(struct walk *w)
{
	struct special special = special_find(w->view, w->at, w->question->type, w->question->to);
	struct plan_item *item;

	/* The question's own name is looked at for every query. */
	if (w->plan->names > 1)
		w->plan->by_address |= special.by_address;
	if (special.kind == SPECIAL_NONE)
		return TURN_OUT;
	trace_add(w, (struct trace_event){ .kind = TRACE_SPECIAL });
	walk_own(w);
	if (special.kind == SPECIAL_DATA) {
		item = plan_add(w, PLAN_LITERAL);
		item->type = special.type;
		item->ttl = SPECIAL_TTL_S;
		item->rdata = special.rdata;
		item->rdata_len = special.rdata_len;
		return TURN_DONE;
	}
	if (special.kind == SPECIAL_NXDOMAIN && !walk_exists(w))
		w->plan->rcode = RCODE_NXDOMAIN;
	plan_add(w, PLAN_LOCAL_SOA)->strip = (uint8_t)(w->at->labels - special.zone_labels);
	return TURN_DONE;
}

/* Rules 1 to 4. */
static enum turn walk_local(struct walk *w)
{
	enum turn turn;

	if (walk_holds(w) && !w->uncut && !walk_alias_allowed(w)) {
		w->uncut = w->plan->alias_denied = true;
		w->plan->denied_name = (uint8_t)(w->plan->names - 2);
		trace_add(w, (struct trace_event){ .kind = TRACE_DENIED });
	}
	if (!w->uncut && w->hit.in_zone && w->hit.apex) {
		turn = walk_apex(w);
		if (turn != TURN_AGAIN)
			return turn;
	}
	if (!w->uncut && w->hit.match == TABLE_HELD) {
		trace_add(w, (struct trace_event){ .kind = w->hit.wildcard ? TRACE_WILDCARD
									   : TRACE_HELD,
						   .node = w->hit.node });
		return walk_node(w, w->hit.node, w->at->labels);
	}
	if (!w->uncut && w->hit.match == TABLE_ALIAS)
		return walk_alias(w);
	if (!w->uncut && w->hit.match == TABLE_PTR)
		return walk_ptr(w);
	if (patterns_match(w->view->must_be_private, w->view->zones, w->at)) {
		w->plan->must_be_private = true;
		trace_add(w, (struct trace_event){ .kind = TRACE_MUST_BE_PRIVATE });
		return walk_fail(w, EDE_BLOCKED, "must be private and is not held");
	}
	if (!w->uncut) {
		walk_note_vault(w);
		if (w->hit.in_zone && (w->hit.match == TABLE_ABSENT || w->hit.match == TABLE_ENT)) {
			turn = walk_absent(w);
			if (turn != TURN_OUT)
				return turn;
		}
	}
	return walk_special(w);
}

static int walk_find_reply(const struct walk *w, uint16_t group)
{
	unsigned i;

	for (i = 0; i < w->replies->count; i++)
		if (reply_is_for(&w->replies->item[i], w->at, group))
			return (int)i;
	return -1;
}

static enum turn walk_ask(struct walk *w, uint16_t group)
{
	if (w->replies->count >= STEP_REPLIES_MAX)
		return walk_too_long(w);
	w->ask->name = w->question->name;
	if (w->at != w->question->name) {
		name_strip(&w->ask->chained, w->at, 0);
		w->ask->name = &w->ask->chained;
	}
	w->ask->group = group;
	trace_add(w, (struct trace_event){ .kind = TRACE_ASK, .group = group });
	return TURN_ASK;
}

/* Does the reply's authority section hold an SOA? Then its NOERROR without data is a negative
 * answer (RFC 2308 2.2). */
static bool reply_is_negative(struct message *message)
{
	struct message_record record;

	message_rewind(message);
	while (message_next(message, &record) == 1)
		if (record.section == SECTION_AUTHORITY && record.type == TYPE_SOA)
			return true;
	return false;
}

/* The reply's chain ends at `at`: its rcode is about this name. */
static enum turn walk_reply_end(struct walk *w, const struct reply *reply, struct message *message,
				uint16_t group)
{
	bool negative = reply_is_negative(message);
	struct plan_item *item;

	if (reply->rcode == RCODE_NOERROR && !negative && !w->reply_direct) {
		/* Unfinished: ask on. */
		walk_leave_reply(w);
		w->reply = walk_find_reply(w, group);
		w->reply_direct = true;
		return w->reply < 0 ? walk_ask(w, group) : TURN_AGAIN;
	}
	if (reply->rcode == RCODE_SERVFAIL)
		return walk_failed_reply(w, reply);
	w->plan->rcode = reply->rcode;
	item = plan_add(w, PLAN_PROOF);
	item->reply = (uint8_t)w->reply;
	if (reply->rcode == RCODE_NXDOMAIN && walk_exists(w)) {
		w->plan->rcode = RCODE_NOERROR;
		w->ad = false;
		item->proof = PROOF_SOA;
		trace_add(w, (struct trace_event){ .kind = TRACE_EXISTS });
	}
	return TURN_DONE;
}

/*
 * May this group's DNAME be shown? Where its owner is not the group's to speak for, not; nor where
 * we hold something below: whoever keeps it would be led past that (RFC 6672 3.4).
 */
static bool walk_shows_dname(const struct walk *w, uint16_t group, const uint8_t *owner)
{
	struct table_hit hit;
	struct name name;

	if (name_from_wire(&name, owner, NAME_WIRE_MAX) < 0 ||
	    routes_match(w->view->routes, &name, NULL) != group)
		return false;
	table_lookup(w->view->table, &name, &hit);
	return hit.match == TABLE_NONE || hit.match == TABLE_ABSENT;
}

/*
 * The group that may speak for `at`. A DS record at the top of a zone is its parent's, who may be
 * another's to ask (RFC 4035 3.1.4.1): the child would deny it, and so make its own zone bogus to a
 * client that validates.
 */
static uint16_t walk_group(const struct walk *w)
{
	const uint8_t *wire = w->at->wire;
	struct name parent;

	if (w->question->type == TYPE_DS && w->at->labels > 0 &&
	    name_from_wire(&parent, wire + 1 + *wire, w->at->len - 1u - *wire) == 0)
		return routes_match(w->view->routes, &parent, NULL);
	return routes_match(w->view->routes, w->at, NULL);
}

/* Rule 5. */
static enum turn walk_upstream(struct walk *w)
{
	uint16_t group = walk_group(w);
	const struct reply *reply;
	struct plan_item *item;
	struct message message;
	struct chain_hop hop;

	if (w->reply < 0 || w->replies->item[w->reply].group != group) {
		trace_add(w, (struct trace_event){ .kind = TRACE_ROUTE, .group = group });
		if (w->reply >= 0)
			walk_leave_reply(w);
		w->reply = walk_find_reply(w, group);
		w->reply_direct = true;
		if (w->reply < 0)
			return walk_ask(w, group);
		trace_add(w, (struct trace_event){ .kind = TRACE_REPLY,
						   .group = group,
						   .reply = (uint8_t)w->reply });
	}
	reply = &w->replies->item[w->reply];
	w->plan->used_reply = true;
	if (reply->failed)
		return walk_failed_reply(w, reply);
	if (message_open(&message, reply->data, reply->len, NULL, NULL, NULL) < 0)
		return walk_fail(w, EDE_INVALID_DATA, NULL);
	w->ad = w->ad && reply->ad && !reply->stale;
	if (reply->stale) {
		w->plan->stale = true;
		w->plan->ede_more = reply->ede;
	}

	switch (chain_next(&message, NULL, w->at->wire, w->question->type, &hop)) {
	case CHAIN_ALIAS:
		item = plan_add(w, PLAN_REPLY);
		item->reply = (uint8_t)w->reply;
		item->type = TYPE_CNAME;
		item->no_dname = hop.from_dname && !walk_shows_dname(w, group, hop.dname_owner);
		w->alias = w->at;
		w->reply_direct = false;
		if (!walk_link(w, hop.target, name_wire_len(hop.target)))
			return walk_too_long(w);
		trace_add(w,
			  (struct trace_event){ .kind = TRACE_LINK, .text = "upstream's CNAME" });
		return TURN_AGAIN;
	case CHAIN_DATA:
		item = plan_add(w, PLAN_REPLY);
		item->reply = (uint8_t)w->reply;
		item->type = hop.type;
		item->no_dname = hop.from_dname && !walk_shows_dname(w, group, hop.dname_owner);
		plan_add(w, PLAN_PROOF)->reply = (uint8_t)w->reply;
		return TURN_DONE;
	case CHAIN_END:
		return walk_reply_end(w, reply, &message, group);
	case CHAIN_BAD:
	default:
		return walk_fail(w, EDE_INVALID_DATA, NULL);
	}
}

enum step_verdict resolve_step(const struct view *view, const struct step_replies *replies,
			       const struct step_question *question, struct plan *plan,
			       struct step_ask *ret_ask, struct trace *trace)
{
	struct walk w;
	enum turn turn;

	/* Field by field: the names in both structs are large and need no clearing. */
	w.view = view;
	w.replies = replies;
	w.question = question;
	w.plan = plan;
	w.ask = ret_ask;
	w.trace = trace;
	w.at = question->name;
	w.alias = NULL;
	w.reply = -1;
	w.reply_direct = w.uncut = false;
	w.ad = true;
	plan_begin(plan, question->name);
	if (trace)
		trace->count = 0;

	do {
		table_lookup(view->table, w.at, &w.hit);
		turn = walk_local(&w);
		if (turn == TURN_OUT)
			turn = walk_upstream(&w);
	} while (turn == TURN_AGAIN);
	plan->ad = w.ad && plan->used_reply;
	if (plan->stale && turn == TURN_DONE)
		plan_tell_stale(plan);
	return turn == TURN_ASK ? STEP_ASK : STEP_ANSWER;
}
