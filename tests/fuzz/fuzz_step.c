/* SPDX-License-Identifier: MIT */
/*
 * Hostile upstreams against the decision. The input is a choice of question and up to
 * STEP_REPLIES_MAX messages, each behind its length; they are cut down and handed to the decision
 * as it asks for them, and the answer is laid out.
 *
 * Whatever they say: the answer can be read, every record of its answer section hangs on the
 * question by its chain, a held name has no address but ours, and a name that must be private has
 * none from outside.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "forward/reply.h"
#include "resolve/answer.h"
#include "resolve/step.h"
#include "wire/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const char *const questions[] = {
	"q.example",
	"acct.blob.core.windows.net",
	"acct.privatelink.blob.core.windows.net",
	"other.blob.core.windows.net",
	"secret.blob.core.windows.net",
	"alias.lab.test",
	"www.corp.example",
	"core.windows.net",
	"5.0.0.10.in-addr.arpa",
	".",
};
static const uint16_t types[] = { TYPE_A,   TYPE_AAAA, TYPE_CNAME, TYPE_HTTPS,
				  TYPE_ANY, TYPE_PTR,  TYPE_DS,    TYPE_RRSIG };
static const uint8_t ours[] = { 10, 0, 0, 5 };

static struct view *view;
static struct name held, secret;

static void name_of(struct name *ret, const char *text)
{
	if (name_from_text(ret, text, strlen(text)) < 0)
		abort();
}

static void hold(struct builder *builder, const char *owner, uint16_t type, const void *rdata,
		 size_t len)
{
	struct name name;

	name_of(&name, owner);
	if (builder_add(builder, &name, type, 10, rdata, len, 1) < 0)
		abort();
}

static void view_make(void)
{
	struct builder_conf conf = { .path = "fuzz", .ttl_max = 86400 };
	struct upstreams *upstreams = upstreams_new();
	struct upstream_group_conf group = { 0 };
	struct complaints complaints = { 0 };
	struct table_conf table_conf = { .ptr = true };
	struct builder *builder;
	struct record_set *set;
	struct name zone;
	uint16_t number;

	view = view_new();
	view->zones = zones_new();
	zones_add_preset(view->zones, "azure-migrate", ZONE_TRANSPARENT, NULL);
	zones_seal(view->zones, NULL);
	view->must_be_private = patterns_new();
	patterns_add(view->must_be_private, view->zones, "secret.blob.core.windows.net", NULL);
	builder = builder_new(view->zones, &conf, &complaints);
	name_of(&held, "acct.privatelink.blob.core.windows.net");
	name_of(&secret, "secret.privatelink.blob.core.windows.net");
	hold(builder, "acct.blob.core.windows.net", TYPE_A, ours, sizeof(ours));
	name_of(&zone, "q.example");
	hold(builder, "alias.lab.test", TYPE_CNAME, zone.wire, zone.len);
	set = builder_finish(builder);
	builder_free(builder);
	view->table = table_new(view->zones, &set, 1, &table_conf, &complaints);
	record_set_unref(set);
	view->routes = routes_new();
	group.zone = &zone;
	name_of(&zone, ".");
	upstreams_group(upstreams, &group, &number, NULL);
	routes_add(view->routes, &zone, number, NULL);
	name_of(&zone, "corp.example");
	upstreams_group(upstreams, &group, &number, NULL);
	routes_add(view->routes, &zone, number, NULL);
	routes_seal(view->routes, NULL);
	upstreams_free(upstreams);
}

/* The next message of the input as the reply to `ask`; a failure where there is none or it is
 * malformed. */
static void add_reply(struct step_replies *replies, const struct step_ask *ask, uint16_t type,
		      bool do_bit, struct cursor *input)
{
	static uint8_t scratch[STEP_REPLIES_MAX][REPLY_LEN_MAX];
	struct forward_question question = {
		.name = ask->name, .type = type, .group = ask->group, .do_bit = do_bit
	};
	struct reply *reply = &replies->item[replies->count];
	size_t len = cursor_u16(input);
	const uint8_t *message;
	uint32_t ttl;

	if (len > cursor_left(input))
		len = cursor_left(input);
	message = cursor_bytes(input, len);
	*reply = (struct reply){ .data = scratch[replies->count],
				 .group = ask->group,
				 .ede = EDE_NONE,
				 .ttl_cap_s = 86400 };
	if (!message || reply_scrub(&question, message, len, scratch[replies->count], REPLY_LEN_MAX,
				    &reply->len, &ttl) < 0) {
		memset(scratch[replies->count], 0, DNS_HEADER_LEN);
		scratch[replies->count][5] = 1;
		memcpy(scratch[replies->count] + DNS_HEADER_LEN, ask->name->wire, ask->name->len);
		memset(scratch[replies->count] + DNS_HEADER_LEN + ask->name->len, 0, 4);
		reply->len = DNS_HEADER_LEN + ask->name->len + 4u;
		reply->rcode = RCODE_SERVFAIL;
		reply->failed = true;
	} else {
		reply->rcode = scratch[replies->count][3] & 15;
		reply->ad = true;
		/* Some are past their time. */
		if (len % 3 == 0) {
			reply->stale = true;
			reply->age_s = 1000;
			reply->ttl_cap_s = 30;
		}
	}
	replies->count++;
}

/* Is the record's owner on the chain that the answer section spells out from the question? */
static bool on_chain(const uint8_t *data, size_t len, const uint8_t *qname, const uint8_t *owner)
{
	uint8_t at[NAME_WIRE_MAX], found[NAME_WIRE_MAX];
	struct message_record record;
	struct message message;
	size_t rdata_len;
	unsigned links;

	memcpy(at, qname, name_wire_len(qname));
	for (links = 0; links <= STEP_LINKS_MAX; links++) {
		bool moved = false;

		if (name_wire_equal(at, owner))
			return true;
		assert(message_open(&message, data, len, NULL, NULL, NULL) == 0);
		while (!moved && message_next(&message, &record) == 1) {
			if (record.section != SECTION_ANSWER || record.type != TYPE_CNAME ||
			    !message_owner_is(&message, &record, at))
				continue;
			assert(message_rdata(&message, &record, found, sizeof(found), &rdata_len) ==
			       0);
			memcpy(at, found, rdata_len);
			moved = true;
		}
		if (!moved)
			return false;
	}
	return false;
}

static void check_answer(const uint8_t *data, size_t len, const uint8_t *qname)
{
	static uint8_t rdata[65535];
	uint8_t owner[NAME_WIRE_MAX];
	struct message_record record;
	struct message message;
	size_t rdata_len;
	int got;

	assert(message_open(&message, data, len, NULL, NULL, NULL) == 0);
	while ((got = message_next(&message, &record)) == 1) {
		assert(message_owner(&message, &record, owner) > 0);
		assert(message_rdata(&message, &record, rdata, sizeof(rdata), &rdata_len) == 0);
		if (record.section != SECTION_ANSWER)
			continue;
		assert(record.type == TYPE_DNAME || record.type == TYPE_RRSIG ||
		       on_chain(data, len, qname, owner));
		if (record.type == TYPE_A && name_wire_equal(owner, held.wire))
			assert(memcmp(rdata, ours, sizeof(ours)) == 0);
		assert(record.type != TYPE_A || !name_wire_equal(owner, secret.wire));
	}
	assert(got == 0);
}

/* Is an answer to this question ours from its first record on? */
static bool ours_alone(const struct name *name)
{
	struct table_hit hit;

	table_lookup(view->table, name, &hit);
	return hit.match == TABLE_HELD || hit.match == TABLE_ALIAS || hit.match == TABLE_PTR;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct step_replies replies;
	static struct plan plan;
	static struct step_ask ask;
	static uint8_t out[65535];
	struct cursor input = cursor_over(data, len);
	struct answer_shape shape = { .flags = FLAG_RD };
	struct step_question question;
	uint8_t section[NAME_WIRE_MAX + 4], bits;
	struct name name;
	bool truncated;

	if (!view)
		view_make();
	name_of(&name, questions[cursor_u8(&input) % (sizeof(questions) / sizeof(questions[0]))]);
	question = (struct step_question){
		.name = &name, .type = types[cursor_u8(&input) % (sizeof(types) / sizeof(types[0]))]
	};
	bits = cursor_u8(&input);
	shape.stream = bits & 1;
	shape.edns = bits & 2;
	shape.do_bit = shape.edns && (bits & 4);
	shape.udp_size = 1232;
	view->aliases = bits & 8 ? VIEW_ALIASES_OWN : VIEW_ALIASES_ANY;
	replies.count = 0;
	while (resolve_step(view, &replies, &question, &plan, &ask, NULL) == STEP_ASK)
		add_reply(&replies, &ask, question.type, shape.do_bit, &input);
	memcpy(section, name.wire, name.len);
	memset(section + name.len, 0, 4);
	section[name.len + 1] = (uint8_t)question.type;
	section[name.len + 3] = CLASS_IN;
	shape.question = section;
	shape.question_len = (uint16_t)(name.len + 4);
	len = answer_plan(&shape, &plan, &replies, NULL, out, sizeof(out), &truncated);
	/* Nothing denies the held name, and what an upstream began is not ours. */
	assert((out[3] & 15) != RCODE_NXDOMAIN || !on_chain(out, len, name.wire, held.wire));
	assert(!plan.aa || ours_alone(&name));
	assert(!plan.aa || !plan.ad);
	assert(!plan.stale ||
	       (!plan.ad && (plan.ede == EDE_STALE_ANSWER || plan.ede == EDE_STALE_NXDOMAIN)));
	assert(plan.failed_reply < (int)replies.count);
	if (view->aliases == VIEW_ALIASES_ANY)
		check_answer(out, len, name.wire);
	return 0;
}
