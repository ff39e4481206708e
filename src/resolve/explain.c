/* SPDX-License-Identifier: MIT */
/*
 * Turns the events that the decision left in its trace into lines. The decision records what it
 * saw; where a record came from (file and line), what a zone or group is called, is looked up here,
 * so that a traced run decides exactly what an untraced one does.
 */
#include "resolve/explain.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

struct text {
	char *data;
	size_t len, cap;
};

__attribute__((format(printf, 2, 3))) static void say(struct text *text, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(text->data + text->len, text->cap - text->len, fmt, args);
	va_end(args);
	if (n > 0)
		text->len +=
			(size_t)n < text->cap - text->len ? (size_t)n : text->cap - text->len - 1;
}

/* "path:line" of the first record that the node has of this type, or of any. */
static void say_origin(struct text *text, const struct view *view, const struct node *node,
		       uint16_t type)
{
	struct node_rrset rrset;
	struct node_record record;
	size_t set = 0, at = 0;

	if (!node_find(node, type, &rrset) && !node_find(node, TYPE_CNAME, &rrset) &&
	    !node_next(node, &set, &rrset))
		return;
	if (node_record_next(&rrset, &at, &record))
		say(text, " (%s:%" PRIu32 ")", node_record_path(view->table, node, &rrset, &record),
		    record.line);
}

static void say_group(struct text *text, const struct view *view, uint16_t group)
{
	char zone_text[NAME_TEXT_MAX];
	struct name zone;
	uint16_t number;
	size_t i;

	for (i = 0; routes_at(view->routes, i, &zone, &number); i++)
		if (number == group) {
			name_to_text(zone.wire, zone_text);
			say(text, "the upstreams of forward zone %s", zone_text);
			return;
		}
	say(text, "upstream group %u", group);
}

/* Upstreams of the group that send this name back to us. */
static void say_aside(struct text *text, struct looptable *loops, const uint8_t *wire,
		      uint16_t group)
{
	char zone[NAME_TEXT_MAX], addr[ADDR_TEXT_MAX];
	struct loop_mark mark;
	struct name name;
	unsigned i;

	if (!loops || name_from_wire(&name, wire, NAME_WIRE_MAX) < 0)
		return;
	for (i = 0; i < UPSTREAMS_A_GROUP_MAX; i++) {
		if (!looptable_mark_for(loops, &name, group, i, &mark))
			continue;
		name_to_text(mark.zone, zone);
		say(text, "; %s is %s, for it sends zone %s back to us",
		    addr_to_text(&mark.at, DNS_PORT, addr),
		    mark.answers ? "asked last" : "not asked", zone);
	}
}

static const char *zone_type_text(enum zone_type type)
{
	return type == ZONE_STATIC ? "static" : type == ZONE_REFUSE ? "refuse" : "transparent";
}

static void say_zone(struct text *text, const struct view *view, uint16_t zone)
{
	say(text, "zone %s is %s", zones_private_text(view->zones, zone),
	    zone_type_text(zones_type(view->zones, zone)));
}

/* Of which names of private link it is the public form, none of which is held. */
static void say_forms(struct text *text, const struct view *view, const uint8_t *wire)
{
	struct zone_form form[ZONE_FORMS_MAX];
	struct name name, private;
	char private_text[NAME_TEXT_MAX];
	unsigned i, count;

	if (name_from_wire(&name, wire, NAME_WIRE_MAX) < 0)
		return;
	count = zones_private_forms(view->zones, &name, form);
	for (i = 0; i < count; i++) {
		if (zones_private_form(view->zones, &name, &form[i], &private) < 0)
			continue;
		name_to_text(private.wire, private_text);
		say(text, "a public form of %s, ", private_text);
		say_zone(text, view, form[i].zone);
		say(text, "; ");
	}
}

static void say_reply(struct text *text, const struct view *view, const struct reply *reply)
{
	char rcode[TYPE_TEXT_MAX];

	if (reply->failed) {
		say(text, "no answer from ");
		say_group(text, view, reply->group);
		if (reply->ede_text)
			say(text, ": %s", reply->ede_text);
		return;
	}
	say(text, "%s from ", rcode_to_text(reply->rcode, rcode));
	say_group(text, view, reply->group);
	if (reply->store)
		say(text, ", just received");
	else
		say(text, ", cached %" PRIu32 " s ago", reply->age_s);
	if (reply->stale)
		say(text, ", past its time: it could not be renewed");
}

static void say_event(struct text *text, const struct view *view, const struct plan *plan,
		      const struct step_replies *replies, const struct trace_event *event,
		      uint16_t type, struct looptable *loops)
{
	char target[NAME_TEXT_MAX];

	switch (event->kind) {
	case TRACE_HELD:
		say(text, "held here");
		say_origin(text, view, event->node, type);
		break;
	case TRACE_WILDCARD:
		say(text, "covered by a wildcard held here");
		say_origin(text, view, event->node, type);
		break;
	case TRACE_ALIAS:
		name_to_text(plan->name[event->name + 1], target);
		say(text, "another form of %s, which is held here", target);
		say_origin(text, view, event->node, type);
		break;
	case TRACE_PTR:
		say(text, "the reverse name of an address held here");
		say_origin(text, view, event->node, type);
		break;
	case TRACE_ENT:
		say(text, "not held itself, but names below it are; ");
		say_zone(text, view, event->zone);
		break;
	case TRACE_ABSENT:
		say(text, "not held; ");
		say_zone(text, view, event->zone);
		break;
	case TRACE_APEX:
		say(text, "the top of zone %s, which is %s",
		    zones_private_text(view->zones, event->zone),
		    zone_type_text(zones_type(view->zones, event->zone)));
		break;
	case TRACE_EXISTS:
		say(text, "names below it are held, so it exists: NODATA, not NXDOMAIN");
		break;
	case TRACE_SPECIAL:
		say(text, "a special-use name, answered here");
		break;
	case TRACE_LINK:
		say(text, "reached by %s", event->text);
		break;
	case TRACE_NODATA:
		say(text,
		    "no record of this type is held: NODATA, so that no public answer passes it");
		break;
	case TRACE_ROUTE:
		say_forms(text, view, plan->name[event->name]);
		say(text, "not held; goes to ");
		say_group(text, view, event->group);
		say_aside(text, loops, plan->name[event->name], event->group);
		break;
	case TRACE_REPLY:
		say_reply(text, view, &replies->item[event->reply]);
		break;
	case TRACE_ASK:
		say(text, "asked of ");
		say_group(text, view, event->group);
		break;
	case TRACE_DENIED:
		say(text, "held here, but `aliases` does not let this alias lead in: the chain is "
			  "passed on uncut");
		break;
	case TRACE_CUT:
		say(text, "the upstream's chain is cut here");
		break;
	case TRACE_MUST_BE_PRIVATE:
		say(text, "must be private and is not held: SERVFAIL");
		break;
	case TRACE_LIMIT:
		say(text, "the chain loops or has more than %d links: SERVFAIL", STEP_LINKS_MAX);
		break;
	}
}

void explain_text(const struct view *view, const struct plan *plan,
		  const struct step_replies *replies, const struct trace *trace, uint16_t type,
		  struct looptable *loops, char *text, size_t cap)
{
	struct text out = { .data = text, .cap = cap };
	char name[NAME_TEXT_MAX], word[TYPE_TEXT_MAX];
	unsigned i;

	text[0] = '\0';
	for (i = 0; i < trace->count; i++) {
		name_to_text(plan->name[trace->event[i].name], name);
		say(&out, "%s: ", name);
		say_event(&out, view, plan, replies, &trace->event[i], type, loops);
		say(&out, "\n");
	}
	say(&out, "outcome: %s%s%s\n", rcode_to_text(plan->rcode, word), plan->aa ? ", ours" : "",
	    plan->cut ? ", an upstream's chain cut" : "");
}
