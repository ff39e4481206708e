/* SPDX-License-Identifier: MIT */
/*
 * What tests of the decision share: what is held, what upstreams would say, a question, and the
 * whole answer as text with the questions that had to be asked for it. Every reply is cut down by
 * reply_scrub first, as in life. Included once a program.
 */
#ifndef PRIVLINKD_UNIT_STEPKIT_H
#define PRIVLINKD_UNIT_STEPKIT_H

#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forward/reply.h"
#include "resolve/answer.h"
#include "resolve/step.h"
#include "upstream/upstream.h"
#include "wire/message.h"
#include "wire/writer.h"
#include "zone/builder.h"
#include "zone/table.h"

#define SCRIPTS_MAX 24

/* What an upstream group says to one question, as `owner TYPE data` records. */
struct script {
	struct name name;
	uint16_t group;
	uint8_t data[4096];
	size_t len;
	bool stale;
};

static struct view *view;
static struct builder *builder;
static struct upstreams *upstreams;
static struct complaints complaints;
static struct script scripts[SCRIPTS_MAX];
static unsigned script_count;
static uint16_t root_group, corp_group;
static bool with_do;
static struct plan last_plan; /* of `expect` */

static inline void name_of(struct name *ret, const char *text)
{
	ck_assert_msg(name_from_text(ret, text, strlen(text)) == 0, "%s", text);
}

static inline void begin(enum zone_type type)
{
	struct builder_conf conf = { .path = "test", .ttl_max = 86400 };

	memset(&complaints, 0, sizeof(complaints));
	script_count = 0;
	with_do = false;
	view = view_new();
	view->zones = zones_new();
	ck_assert_int_eq(zones_add_preset(view->zones, "azure-migrate", type, NULL), 0);
	ck_assert_int_eq(zones_seal(view->zones, NULL), 0);
	view->must_be_private = patterns_new();
	view->alias_zones = patterns_new();
	builder = builder_new(view->zones, &conf, &complaints);
}

static inline void end(void)
{
	view_free(view);
	upstreams_free(upstreams);
}

/* RDATA of `TYPE data`; its length. */
static inline size_t rdata_of(const char *type_text, const char *data, uint16_t *ret_type,
			      uint8_t *rdata)
{
	static const uint8_t soa_tail[] = "\002ns\000\000\000\000\001\000\000\000\001\000\000\000"
					  "\001\000\000\000\001\000\000\000\036";
	struct name name;
	size_t len;

	ck_assert_int_eq(type_from_text(type_text, ret_type), 0);
	switch (*ret_type) {
	case TYPE_A:
		ck_assert_int_eq(inet_pton(AF_INET, data, rdata), 1);
		return 4;
	case TYPE_AAAA:
		ck_assert_int_eq(inet_pton(AF_INET6, data, rdata), 1);
		return 16;
	case TYPE_TXT:
		len = strlen(data);
		rdata[0] = (uint8_t)len;
		memcpy(rdata + 1, data, len);
		return len + 1;
	case TYPE_SOA:
		name_of(&name, data);
		memcpy(rdata, name.wire, name.len);
		memcpy(rdata + name.len, soa_tail, sizeof(soa_tail) - 1);
		return name.len + sizeof(soa_tail) - 1;
	default:
		name_of(&name, data);
		memcpy(rdata, name.wire, name.len);
		return name.len;
	}
}

static inline void hold(const char *owner, const char *type_text, const char *data)
{
	uint8_t rdata[512];
	struct name name;
	uint16_t type;
	size_t len = rdata_of(type_text, data, &type, rdata);

	name_of(&name, owner);
	ck_assert_int_eq(builder_add(builder, &name, type, 10, rdata, len, 1), 0);
}

/* Ends the holding: routes are `.` (group 0) and corp.example (corp_group). */
static inline void ready(void)
{
	struct table_conf conf = { .ptr = true };
	struct record_set *set = builder_finish(builder);
	struct upstream_group_conf group = { 0 };
	struct upstream_conf upstream = { 0 };
	struct name zone;

	builder_free(builder);
	view->table = table_new(view->zones, &set, 1, &conf, &complaints);
	record_set_unref(set);
	view->routes = routes_new();
	upstreams = upstreams_new();
	ck_assert_int_eq(addr_parse(&upstream.addr, "192.0.2.1", 53), 0);
	group.upstreams = &upstream;
	group.count = 1;
	group.zone = &zone;
	name_of(&zone, ".");
	ck_assert_int_eq(upstreams_group(upstreams, &group, &root_group, NULL), 0);
	ck_assert_int_eq(routes_add(view->routes, &zone, root_group, NULL), 0);
	name_of(&zone, "corp.example");
	ck_assert_int_eq(upstreams_group(upstreams, &group, &corp_group, NULL), 0);
	ck_assert_int_eq(routes_add(view->routes, &zone, corp_group, NULL), 0);
	ck_assert_int_eq(routes_seal(view->routes, NULL), 0);
}

/* `records`: lines `owner TYPE data`; one that begins with `!` goes to the authority section. */
static inline void says(const char *from, const char *qname, const char *qtype, unsigned rcode,
			const char *records)
{
	struct script *script = &scripts[script_count++];
	char copy[2048], owner[300], type_text[20], data[300], *line, *rest = copy;
	struct name name;
	struct writer writer;
	uint8_t rdata[512];
	uint16_t type;
	size_t len;

	ck_assert_uint_le(script_count, SCRIPTS_MAX);
	script->stale = false;
	name_of(&script->name, qname);
	script->group = strcmp(from, "corp") == 0 ? corp_group : root_group;
	ck_assert_int_eq(type_from_text(qtype, &type), 0);
	writer_init(&writer, script->data, sizeof(script->data), 7, FLAG_QR | FLAG_RA | FLAG_RD);
	writer_set_rcode(&writer, rcode);
	writer_question(&writer, script->name.wire, type, CLASS_IN);
	strcpy(copy, records);
	while ((line = strsep(&rest, "\n")))
		if (*line) {
			bool authority = *line == '!';

			ck_assert_int_eq(sscanf(line + authority, "%299s %19s %299s", owner,
						type_text, data),
					 3);
			len = rdata_of(type_text, data, &type, rdata);
			name_of(&name, owner);
			writer_record(&writer, authority ? SECTION_AUTHORITY : SECTION_ANSWER,
				      name.wire, type, 60, rdata, len);
		}
	script->len = writer_finish(&writer);
	ck_assert(!writer.full);
}

static inline void add_reply(struct step_replies *replies, const struct step_ask *ask,
			     uint16_t type)
{
	static uint8_t scratch[STEP_REPLIES_MAX][4096];
	struct forward_question question = {
		.name = ask->name, .type = type, .group = ask->group, .do_bit = with_do
	};
	struct reply *reply = &replies->item[replies->count];
	uint8_t *out = scratch[replies->count];
	struct writer writer;
	uint32_t ttl;
	unsigned i;

	*reply = (struct reply){
		.data = out, .group = ask->group, .ede = EDE_NONE, .ttl_cap_s = 86400
	};
	for (i = 0; i < script_count; i++)
		if (scripts[i].group == ask->group && name_equal(&scripts[i].name, ask->name))
			break;
	if (i == script_count) {
		writer_init(&writer, out, 4096, 0, FLAG_QR);
		writer_question(&writer, ask->name->wire, type, CLASS_IN);
		reply->len = writer_finish(&writer);
		reply->failed = true;
		reply->rcode = RCODE_SERVFAIL;
		reply->ede = EDE_NO_REACHABLE_AUTHORITY;
	} else {
		ck_assert_int_eq(reply_scrub(&question, scripts[i].data, scripts[i].len, out, 4096,
					     &reply->len, &ttl),
				 0);
		reply->rcode = scripts[i].data[3] & 15;
		reply->ad = true;
		if (scripts[i].stale) {
			reply->stale = true;
			reply->ede = EDE_NETWORK_ERROR;
			reply->age_s = 1000;
			reply->ttl_cap_s = 30;
		}
	}
	replies->count++;
}

static inline void put(char *text, const char *more)
{
	ck_assert_uint_lt(strlen(text) + strlen(more), 8192);
	strcat(text, more);
}

static inline void put_name(char *text, const uint8_t *wire)
{
	char name[NAME_TEXT_MAX];

	name_to_text(wire, name);
	put(text, name);
}

static inline void put_message(char *text, const uint8_t *data, size_t len)
{
	struct message_record record;
	struct message message;
	uint8_t rdata[512], owner[NAME_WIRE_MAX];
	char word[INET6_ADDRSTRLEN + 1];
	size_t rdata_len;

	ck_assert_int_eq(message_open(&message, data, len, NULL, NULL, NULL), 0);
	put(text, rcode_to_text(message.flags & 15, word));
	put(text, message.flags & FLAG_AA ? " aa" : "");
	put(text, message.flags & FLAG_TC ? " tc" : "");
	put(text, "\n");
	while (message_next(&message, &record) == 1) {
		ck_assert_uint_gt(message_owner(&message, &record, owner), 0);
		ck_assert_int_eq(message_rdata(&message, &record, rdata, sizeof(rdata), &rdata_len),
				 0);
		put(text, record.section == SECTION_AUTHORITY ? "!" : "");
		put_name(text, owner);
		put(text, " ");
		put(text, type_to_text(record.type, word));
		if (record.type == TYPE_A || record.type == TYPE_AAAA) {
			put(text, " ");
			put(text, inet_ntop(record.type == TYPE_A ? AF_INET : AF_INET6, rdata, word,
					    sizeof(word)));
		} else if (record.type == TYPE_CNAME || record.type == TYPE_PTR ||
			   record.type == TYPE_DNAME) {
			put(text, " ");
			put_name(text, rdata);
		}
		put(text, "\n");
	}
}

/* Asks and compares the whole answer; `asked NAME` lines (`asked! NAME` of corp) tell what was
 * asked, in order. */
static inline void expect(const char *qname, const char *qtype, const char *want)
{
	static struct step_replies replies;
	static struct step_ask ask;
	struct step_question question;
	struct answer_shape shape = { .flags = FLAG_RD, .stream = true, .do_bit = with_do };
	char text[8192] = "", asked[4096] = "";
	uint8_t out[8192], section[300];
	struct name name;
	bool truncated;

	name_of(&name, qname);
	question = (struct step_question){ .name = &name };
	ck_assert_int_eq(type_from_text(qtype, &question.type), 0);
	replies.count = 0;
	while (resolve_step(view, &replies, &question, &last_plan, &ask, NULL) == STEP_ASK) {
		put(asked, ask.group == corp_group ? "asked! " : "asked ");
		put_name(asked, ask.name->wire);
		put(asked, "\n");
		add_reply(&replies, &ask, question.type);
	}
	memcpy(section, name.wire, name.len);
	section[name.len] = (uint8_t)(question.type >> 8);
	section[name.len + 1] = (uint8_t)question.type;
	section[name.len + 2] = 0;
	section[name.len + 3] = 1;
	shape.question = section;
	shape.question_len = (uint16_t)(name.len + 4);
	put_message(text, out,
		    answer_plan(&shape, &last_plan, &replies, NULL, out, sizeof(out), &truncated));
	put(text, asked);
	ck_assert_msg(strcmp(text, want) == 0, "%s %s\n--- got\n%s--- want\n%s", qname, qtype, text,
		      want);
}

#define ACCT "acct.privatelink.blob.core.windows.net"
#define SOA "!privatelink.blob.core.windows.net SOA\n"
#define SOA_LINE "!privatelink.blob.core.windows.net SOA ns.example\n"

#endif
