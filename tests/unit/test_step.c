/* SPDX-License-Identifier: MIT */
/*
 * The decision, told as stories: what is held, what upstreams would say, a question, and the whole answer as text with the
 * questions that had to be asked for it. Every reply is cut down by reply_scrub first, as in life.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forward/reply.h"
#include "forward/upstream.h"
#include "resolve/answer.h"
#include "resolve/step.h"
#include "unit/unit.h"
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
};

static struct view *view;
static struct builder *builder;
static struct upstreams *upstreams;
static struct complaints complaints;
static struct script scripts[SCRIPTS_MAX];
static unsigned script_count;
static uint16_t root_group, corp_group;
static bool with_do;

static void name_of(struct name *ret, const char *text)
{
	ck_assert_msg(name_from_text(ret, text, strlen(text)) == 0, "%s", text);
}

static void begin(enum zone_type type)
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

static void end(void)
{
	view_free(view);
	upstreams_free(upstreams);
}

/* RDATA of `TYPE data`; its length. */
static size_t rdata_of(const char *type_text, const char *data, uint16_t *ret_type, uint8_t *rdata)
{
	static const uint8_t soa_tail[] = "\002ns\000\000\000\000\001\000\000\000\001\000\000\000\001\000\000\000\001\000\000\000\036";
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

static void hold(const char *owner, const char *type_text, const char *data)
{
	uint8_t rdata[512];
	struct name name;
	uint16_t type;
	size_t len = rdata_of(type_text, data, &type, rdata);

	name_of(&name, owner);
	ck_assert_int_eq(builder_add(builder, &name, type, 10, rdata, len, 1), 0);
}

/* Ends the holding: routes are `.` (group 0) and corp.example (corp_group). */
static void ready(void)
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
static void says(const char *from, const char *qname, const char *qtype, unsigned rcode,
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
						type_text, data), 3);
			len = rdata_of(type_text, data, &type, rdata);
			name_of(&name, owner);
			writer_record(&writer, authority ? SECTION_AUTHORITY : SECTION_ANSWER,
				      name.wire, type, 60, rdata, len);
		}
	script->len = writer_finish(&writer);
	ck_assert(!writer.full);
}

static void add_reply(struct step_replies *replies, const struct step_ask *ask, uint16_t type)
{
	static uint8_t scratch[STEP_REPLIES_MAX][4096];
	struct forward_question question = {
		.name = &ask->name, .type = type, .group = ask->group, .do_bit = with_do
	};
	struct reply *reply = &replies->item[replies->count];
	uint8_t *out = scratch[replies->count];
	struct writer writer;
	uint32_t ttl;
	unsigned i;

	*reply = (struct reply){ .data = out, .group = ask->group, .ede = EDE_NONE, .ttl_cap_s = 86400 };
	for (i = 0; i < script_count; i++)
		if (scripts[i].group == ask->group && name_equal(&scripts[i].name, &ask->name))
			break;
	if (i == script_count) {
		writer_init(&writer, out, 4096, 0, FLAG_QR);
		writer_question(&writer, ask->name.wire, type, CLASS_IN);
		reply->len = writer_finish(&writer);
		reply->failed = true;
		reply->rcode = RCODE_SERVFAIL;
		reply->ede = EDE_NO_REACHABLE_AUTHORITY;
	} else {
		ck_assert_int_eq(reply_scrub(&question, scripts[i].data, scripts[i].len, out, 4096,
					     &reply->len, &ttl), 0);
		reply->rcode = scripts[i].data[3] & 15;
	}
	replies->count++;
}

static void put(char *text, const char *more)
{
	ck_assert_uint_lt(strlen(text) + strlen(more), 8192);
	strcat(text, more);
}

static void put_name(char *text, const uint8_t *wire)
{
	char name[NAME_TEXT_MAX];

	name_to_text(wire, name);
	put(text, name);
}

static void put_message(char *text, const uint8_t *data, size_t len)
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
		ck_assert_int_eq(message_rdata(&message, &record, rdata, sizeof(rdata), &rdata_len), 0);
		put(text, record.section == SECTION_AUTHORITY ? "!" : "");
		put_name(text, owner);
		put(text, " ");
		put(text, type_to_text(record.type, word));
		if (record.type == TYPE_A || record.type == TYPE_AAAA) {
			put(text, " ");
			put(text, inet_ntop(record.type == TYPE_A ? AF_INET : AF_INET6, rdata, word,
					    sizeof(word)));
		} else if (record.type == TYPE_CNAME || record.type == TYPE_PTR || record.type == TYPE_DNAME) {
			put(text, " ");
			put_name(text, rdata);
		}
		put(text, "\n");
	}
}

/* Asks and compares the whole answer; `asked NAME` lines (`asked! NAME` of corp) tell what was asked, in order. */
static void expect(const char *qname, const char *qtype, const char *want)
{
	static struct step_replies replies;
	static struct plan plan;
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
	while (resolve_step(view, &replies, &question, &plan, &ask, NULL) == STEP_ASK) {
		put(asked, ask.group == corp_group ? "asked! " : "asked ");
		put_name(asked, ask.name.wire);
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
	put_message(text, out, answer_plan(&shape, &plan, &replies, NULL, out, sizeof(out),
					   &truncated));
	put(text, asked);
	ck_assert_msg(strcmp(text, want) == 0, "%s %s\n--- got\n%s--- want\n%s", qname, qtype, text,
		      want);
}

#define ACCT "acct.privatelink.blob.core.windows.net"
#define SOA "!privatelink.blob.core.windows.net SOA\n"
#define SOA_LINE "!privatelink.blob.core.windows.net SOA ns.example\n"

START_TEST(held_names)
{
	begin(ZONE_TRANSPARENT);
	hold("acct.blob.core.windows.net", "A", "10.0.0.5");
	hold("kv.vault.azure.net", "A", "10.0.0.6");
	ready();
	expect(ACCT, "A", "NOERROR aa\n" ACCT " A 10.0.0.5\n");
	expect(ACCT, "AAAA", "NOERROR aa\n" SOA);
	expect(ACCT, "HTTPS", "NOERROR aa\n" SOA);
	expect(ACCT, "CNAME", "NOERROR aa\n" SOA);
	expect(ACCT, "DS", "NOERROR aa\n" SOA);
	expect(ACCT, "ANY", "NOERROR aa\n" ACCT " A 10.0.0.5\n");
	expect("acct.blob.core.windows.net", "A",
	       "NOERROR aa\nacct.blob.core.windows.net CNAME " ACCT "\n" ACCT " A 10.0.0.5\n");
	expect("acct.blob.core.windows.net", "AAAA",
	       "NOERROR aa\nacct.blob.core.windows.net CNAME " ACCT "\n" SOA);
	expect("acct.blob.core.windows.net", "CNAME",
	       "NOERROR aa\nacct.blob.core.windows.net CNAME " ACCT "\n");
	expect("acct.blob.core.windows.net", "ANY",
	       "NOERROR aa\nacct.blob.core.windows.net CNAME " ACCT "\n");
	expect("kv.vault.azure.net", "A",
	       "NOERROR aa\nkv.vault.azure.net CNAME kv.privatelink.vaultcore.azure.net\n"
	       "kv.privatelink.vaultcore.azure.net A 10.0.0.6\n");
	expect("kv.vaultcore.azure.net", "A",
	       "NOERROR aa\nkv.vaultcore.azure.net CNAME kv.privatelink.vaultcore.azure.net\n"
	       "kv.privatelink.vaultcore.azure.net A 10.0.0.6\n");
	expect("5.0.0.10.in-addr.arpa", "PTR",
	       "NOERROR aa\n5.0.0.10.in-addr.arpa PTR acct.blob.core.windows.net\n");
	expect("5.0.0.10.in-addr.arpa", "A", "NOERROR aa\n!5.0.0.10.in-addr.arpa SOA\n");
	end();
}
END_TEST

START_TEST(apex)
{
	begin(ZONE_TRANSPARENT);
	hold(ACCT, "A", "10.0.0.5");
	ready();
	expect("privatelink.blob.core.windows.net", "SOA",
	       "NOERROR aa\nprivatelink.blob.core.windows.net SOA\n");
	expect("privatelink.blob.core.windows.net", "NS", "NOERROR aa\n" SOA);
	says("root", "privatelink.blob.core.windows.net", "DS", RCODE_NOERROR,
	     "!blob.core.windows.net SOA ns.example");
	expect("privatelink.blob.core.windows.net", "DS",
	       "NOERROR\n!blob.core.windows.net SOA\nasked privatelink.blob.core.windows.net\n");
	end();
}
END_TEST

/* The three ways an upstream answers when our name stands in its chain: the public chain, and Azure's empty zone. */
START_TEST(cut)
{
	static const unsigned rcodes[] = { RCODE_NOERROR, RCODE_NXDOMAIN, RCODE_SERVFAIL };
	size_t i;

	for (i = 0; i < 3; i++) {
		begin(ZONE_TRANSPARENT);
		hold(ACCT, "A", "10.0.0.5");
		ready();
		says("root", "files.contoso.example", "A", rcodes[i],
		     i == 0 ? "files.contoso.example CNAME acct.blob.core.windows.net\n"
			      "acct.blob.core.windows.net CNAME " ACCT "\n" ACCT
			      " CNAME blob.sn1.store.core.windows.net\n"
			      "blob.sn1.store.core.windows.net A 20.1.2.3"
			    : "files.contoso.example CNAME acct.blob.core.windows.net\n"
			      "acct.blob.core.windows.net CNAME " ACCT "\n"
			      "!privatelink.blob.core.windows.net SOA ns.example");
		expect("files.contoso.example", "A",
		       "NOERROR\nfiles.contoso.example CNAME acct.blob.core.windows.net\n"
		       "acct.blob.core.windows.net CNAME " ACCT "\n" ACCT " A 10.0.0.5\n"
		       "asked files.contoso.example\n");
		end();
	}
}
END_TEST

START_TEST(cut_in_any_order_and_through_dname)
{
	begin(ZONE_TRANSPARENT);
	hold(ACCT, "A", "10.0.0.5");
	ready();
	says("root", "a.example", "A", RCODE_NOERROR,
	     "x.example A 20.1.1.1\n" ACCT " CNAME x.example\nb.example CNAME " ACCT
	     "\nunrelated.example A 6.6.6.6\na.example CNAME b.example");
	expect("a.example", "A", "NOERROR\na.example CNAME b.example\nb.example CNAME " ACCT "\n" ACCT
	       " A 10.0.0.5\nasked a.example\n");
	says("root", "acct.old.example", "A", RCODE_NOERROR,
	     "old.example DNAME privatelink.blob.core.windows.net\n");
	expect("acct.old.example", "A", "NOERROR\nacct.old.example CNAME " ACCT "\n" ACCT
	       " A 10.0.0.5\nasked acct.old.example\n");
	end();
}
END_TEST

START_TEST(others)
{
	begin(ZONE_TRANSPARENT);
	hold(ACCT, "A", "10.0.0.5");
	ready();
	says("root", "other.blob.core.windows.net", "A", RCODE_NOERROR,
	     "other.blob.core.windows.net CNAME other.privatelink.blob.core.windows.net\n"
	     "other.privatelink.blob.core.windows.net CNAME store.example\nstore.example A 20.1.2.3");
	expect("other.blob.core.windows.net", "A",
	       "NOERROR\nother.blob.core.windows.net CNAME other.privatelink.blob.core.windows.net\n"
	       "other.privatelink.blob.core.windows.net CNAME store.example\nstore.example A 20.1.2.3\n"
	       "asked other.blob.core.windows.net\n");
	/* An NXDOMAIN of an ancestor of a held name would deny that too. */
	says("root", "core.windows.net", "A", RCODE_NXDOMAIN, "!windows.net SOA ns.example");
	expect("core.windows.net", "A", "NOERROR\n!windows.net SOA\nasked core.windows.net\n");
	says("root", "nope.example", "A", RCODE_NXDOMAIN, "!example SOA ns.example");
	expect("nope.example", "A", "NXDOMAIN\n!example SOA\nasked nope.example\n");
	expect("dead.example", "A", "SERVFAIL\nasked dead.example\n");
	/* Unfinished: asked on. */
	says("root", "half.example", "A", RCODE_NOERROR, "half.example CNAME rest.example");
	says("root", "rest.example", "A", RCODE_NOERROR, "rest.example A 20.0.0.1");
	expect("half.example", "A", "NOERROR\nhalf.example CNAME rest.example\nrest.example A 20.0.0.1\n"
	       "asked half.example\nasked rest.example\n");
	end();
}
END_TEST

START_TEST(static_zone)
{
	begin(ZONE_STATIC);
	hold(ACCT, "A", "10.0.0.5");
	hold("v-asr-pod01-id1.cus.privatelink.siterecovery.windowsazure.com", "A", "10.0.0.7");
	ready();
	expect("other.privatelink.blob.core.windows.net", "A", "NXDOMAIN aa\n" SOA);
	expect("cus.privatelink.siterecovery.windowsazure.com", "A",
	       "NOERROR aa\n!privatelink.siterecovery.windowsazure.com SOA\n");
	says("root", "other.blob.core.windows.net", "A", RCODE_NOERROR,
	     "other.blob.core.windows.net CNAME other.privatelink.blob.core.windows.net\n"
	     "other.privatelink.blob.core.windows.net CNAME store.example\nstore.example A 20.1.2.3");
	expect("other.blob.core.windows.net", "A",
	       "NXDOMAIN\nother.blob.core.windows.net CNAME other.privatelink.blob.core.windows.net\n" SOA
	       "asked other.blob.core.windows.net\n");
	/* Out of a static zone and back, by a record of ours. */
	end();
	begin(ZONE_STATIC);
	hold(ACCT, "A", "10.0.0.5");
	hold("alias.privatelink.blob.core.windows.net", "CNAME", "out.example");
	ready();
	says("root", "out.example", "A", RCODE_NOERROR, "out.example CNAME acct.blob.core.windows.net");
	expect("alias.blob.core.windows.net", "A",
	       "NOERROR aa\nalias.blob.core.windows.net CNAME alias.privatelink.blob.core.windows.net\n"
	       "alias.privatelink.blob.core.windows.net CNAME out.example\n"
	       "out.example CNAME acct.blob.core.windows.net\n"
	       "acct.blob.core.windows.net CNAME " ACCT "\n" ACCT " A 10.0.0.5\nasked out.example\n");
	end();
}
END_TEST

START_TEST(refuse_zone)
{
	begin(ZONE_REFUSE);
	hold(ACCT, "A", "10.0.0.5");
	ready();
	expect("other.privatelink.blob.core.windows.net", "A", "REFUSED\n");
	says("root", "q.example", "A", RCODE_NOERROR,
	     "q.example CNAME other.privatelink.blob.core.windows.net");
	expect("q.example", "A", "SERVFAIL\nasked q.example\n");
	end();
}
END_TEST

/* A group speaks for its own suffix alone. */
START_TEST(groups)
{
	begin(ZONE_TRANSPARENT);
	hold(ACCT, "A", "10.0.0.5");
	ready();
	says("corp", "www.corp.example", "A", RCODE_NOERROR,
	     "www.corp.example CNAME www.example\nwww.example A 6.6.6.6");
	says("root", "www.example", "A", RCODE_NOERROR, "www.example A 20.0.0.2");
	expect("www.corp.example", "A", "NOERROR\nwww.corp.example CNAME www.example\n"
	       "www.example A 20.0.0.2\nasked! www.corp.example\nasked www.example\n");
	says("root", "in.example", "A", RCODE_NOERROR,
	     "in.example CNAME host.corp.example\nhost.corp.example A 6.6.6.6");
	says("corp", "host.corp.example", "A", RCODE_NOERROR, "host.corp.example A 10.9.9.9");
	expect("in.example", "A", "NOERROR\nin.example CNAME host.corp.example\n"
	       "host.corp.example A 10.9.9.9\nasked in.example\nasked! host.corp.example\n");
	end();
}
END_TEST

START_TEST(aliases)
{
	begin(ZONE_TRANSPARENT);
	hold(ACCT, "A", "10.0.0.5");
	hold("dc.lab.test", "A", "10.0.0.9");
	ready();
	says("root", "a.example", "A", RCODE_NOERROR, "a.example CNAME " ACCT "\n" ACCT
	     " CNAME x.example\nx.example A 20.1.1.1");
	says("root", "b.example", "A", RCODE_NOERROR,
	     "b.example CNAME dc.lab.test\ndc.lab.test A 20.2.2.2");
	expect("b.example", "A", "NOERROR\nb.example CNAME dc.lab.test\ndc.lab.test A 20.2.2.2\n"
	       "asked b.example\n");
	view->aliases = VIEW_ALIASES_OWN;
	expect("a.example", "A", "NOERROR\na.example CNAME " ACCT "\n" ACCT
	       " CNAME x.example\nx.example A 20.1.1.1\nasked a.example\n");
	view->aliases = VIEW_ALIASES_LIST;
	ck_assert_int_eq(patterns_add_zone(view->alias_zones, "contoso.example", NULL), 0);
	expect("a.example", "A", "NOERROR\na.example CNAME " ACCT "\n" ACCT
	       " CNAME x.example\nx.example A 20.1.1.1\nasked a.example\n");
	ck_assert_int_eq(patterns_add_zone(view->alias_zones, "a.example", NULL), 0);
	expect("a.example", "A", "NOERROR\na.example CNAME " ACCT "\n" ACCT
	       " A 10.0.0.5\nasked a.example\n");
	end();
}
END_TEST

START_TEST(must_be_private)
{
	begin(ZONE_TRANSPARENT);
	hold("contoso1.blob.core.windows.net", "A", "10.0.0.5");
	ready();
	ck_assert_int_eq(patterns_add(view->must_be_private, view->zones,
				      "contoso*.blob.core.windows.net", NULL), 0);
	expect("contoso1.blob.core.windows.net", "CNAME",
	       "NOERROR aa\ncontoso1.blob.core.windows.net CNAME "
	       "contoso1.privatelink.blob.core.windows.net\n");
	expect("contoso2.blob.core.windows.net", "A", "SERVFAIL\n");
	expect("contoso2.privatelink.blob.core.windows.net", "A", "SERVFAIL\n");
	says("root", "x.example", "A", RCODE_NOERROR,
	     "x.example CNAME contoso2.blob.core.windows.net\ncontoso2.blob.core.windows.net A 20.1.1.1");
	expect("x.example", "A", "SERVFAIL\nasked x.example\n");
	end();
}
END_TEST

START_TEST(long_chains_and_loops)
{
	char records[2048] = "", line[128], want[2048] = "NOERROR\n";
	int i;

	begin(ZONE_TRANSPARENT);
	hold(ACCT, "A", "10.0.0.5");
	ready();
	for (i = 0; i < 16; i++) {
		sprintf(line, "c%d.example CNAME c%d.example\n", i, i + 1);
		strcat(records, line);
		strcat(want, line);
	}
	strcat(records, "c16.example A 20.0.0.1\n");
	strcat(want, "c16.example A 20.0.0.1\nasked c0.example\n");
	says("root", "c0.example", "A", RCODE_NOERROR, records);
	expect("c0.example", "A", want);
	strcpy(records, "d.example CNAME c0.example\n");
	says("root", "d.example", "A", RCODE_NOERROR, records);
	expect("d.example", "A", "SERVFAIL\nasked d.example\nasked c0.example\n");
	says("root", "l.example", "A", RCODE_NOERROR, "l.example CNAME m.example\nm.example CNAME l.example");
	expect("l.example", "A", "SERVFAIL\nasked l.example\n");
	says("root", "s.example", "A", RCODE_NOERROR, "s.example CNAME s.example");
	expect("s.example", "A", "SERVFAIL\nasked s.example\n");
	end();
}
END_TEST

START_TEST(special_names)
{
	begin(ZONE_TRANSPARENT);
	hold(ACCT, "A", "10.0.0.5");
	ready();
	expect("localhost", "A", "NOERROR aa\nlocalhost A 127.0.0.1\n");
	expect("a.localhost", "AAAA", "NOERROR aa\na.localhost AAAA ::1\n");
	expect("localhost", "MX", "NOERROR aa\n!localhost SOA\n");
	expect("x.invalid", "A", "NXDOMAIN aa\n!invalid SOA\n");
	expect("x.onion", "A", "NXDOMAIN aa\n!onion SOA\n");
	expect("_dns.resolver.arpa", "SVCB", "NOERROR aa\n!resolver.arpa SOA\n");
	expect("9.0.0.10.in-addr.arpa", "PTR", "NXDOMAIN aa\n!10.in-addr.arpa SOA\n");
	expect("1.1.31.172.in-addr.arpa", "PTR", "NXDOMAIN aa\n!31.172.in-addr.arpa SOA\n");
	expect("1.1.32.172.in-addr.arpa", "PTR", "SERVFAIL\nasked 1.1.32.172.in-addr.arpa\n");
	view->private_reverse_upstream = true;
	expect("9.0.0.10.in-addr.arpa", "PTR", "SERVFAIL\nasked 9.0.0.10.in-addr.arpa\n");
	view->listen = calloc(1, sizeof(*view->listen));
	view->listen_count = 1;
	ck_assert_int_eq(addr_parse(&view->listen[0], "10.0.0.53", 53), 0);
	expect("53.0.0.10.in-addr.arpa", "PTR",
	       "NOERROR aa\n53.0.0.10.in-addr.arpa PTR privlinkd.resolver.arpa\n");
	end();
}
END_TEST

START_TEST(site_recovery)
{
	begin(ZONE_TRANSPARENT);
	hold("v-asr-pod01-id1.cus.privatelink.siterecovery.windowsazure.com", "A", "10.0.0.7");
	ready();
	expect("v-asr-pod01-id1-.cus.siterecovery.windowsazure.com", "A",
	       "NOERROR aa\nv-asr-pod01-id1-.cus.siterecovery.windowsazure.com CNAME "
	       "v-asr-pod01-id1.cus.privatelink.siterecovery.windowsazure.com\n"
	       "v-asr-pod01-id1.cus.privatelink.siterecovery.windowsazure.com A 10.0.0.7\n");
	expect("v-asr-pod01-id1-.cus.privatelink.siterecovery.windowsazure.com", "A",
	       "NOERROR aa\nv-asr-pod01-id1-.cus.privatelink.siterecovery.windowsazure.com CNAME "
	       "v-asr-pod01-id1.cus.privatelink.siterecovery.windowsazure.com\n"
	       "v-asr-pod01-id1.cus.privatelink.siterecovery.windowsazure.com A 10.0.0.7\n");
	end();
}
END_TEST

/* What is held below or at a name exists, whoever says otherwise (RFC 8020). */
START_TEST(no_denial_of_what_is_held)
{
	begin(ZONE_TRANSPARENT);
	hold("privatelink.blob.core.windows.net", "TXT", "apex");
	hold(ACCT, "A", "10.0.0.5");
	hold("db.lab.invalid", "A", "10.0.0.8");
	hold("7.0.0.10.in-addr.arpa", "PTR", "seven.example");
	ready();
	expect("lab.invalid", "A", "NOERROR aa\n!invalid SOA\n");
	expect("x.lab.invalid", "A", "NXDOMAIN aa\n!invalid SOA\n");
	expect("0.0.10.in-addr.arpa", "NS", "NOERROR aa\n!10.in-addr.arpa SOA\n");
	says("root", "privatelink.blob.core.windows.net", "DS", RCODE_NXDOMAIN,
	     "!windows.net SOA ns.example");
	expect("privatelink.blob.core.windows.net", "DS",
	       "NOERROR\n!windows.net SOA\nasked privatelink.blob.core.windows.net\n");
	/* Not even in a chain that may not lead here. */
	view->aliases = VIEW_ALIASES_OWN;
	says("root", "a.example", "A", RCODE_NXDOMAIN,
	     "a.example CNAME " ACCT "\n" SOA_LINE);
	expect("a.example", "A", "NOERROR\na.example CNAME " ACCT "\n" SOA "asked a.example\n");
	end();
}
END_TEST

START_TEST(apex_any)
{
	static const enum zone_type types[] = { ZONE_TRANSPARENT, ZONE_STATIC, ZONE_REFUSE };
	size_t i;

	for (i = 0; i < 3; i++) {
		begin(types[i]);
		hold(ACCT, "A", "10.0.0.5");
		ready();
		expect("privatelink.blob.core.windows.net", "ANY",
		       "NOERROR aa\nprivatelink.blob.core.windows.net SOA\n");
		expect("PrivateLink.Blob.core.windows.net", "SOA",
		       "NOERROR aa\nPrivateLink.Blob.core.windows.net SOA\n");
		says("root", "up.example", "SOA", RCODE_NOERROR,
		     "up.example CNAME privatelink.blob.core.windows.net");
		expect("up.example", "SOA", "NOERROR\nup.example CNAME privatelink.blob.core.windows.net\n"
		       "privatelink.blob.core.windows.net SOA\nasked up.example\n");
		expect("up.example", "NS", "NOERROR\nup.example CNAME privatelink.blob.core.windows.net\n" SOA
		       "asked up.example\n");
		end();
	}
}
END_TEST

START_TEST(apex_of_other_types)
{
	begin(ZONE_STATIC);
	hold(ACCT, "A", "10.0.0.5");
	ready();
	expect("privatelink.blob.core.windows.net", "A", "NOERROR aa\n" SOA);
	end();
	begin(ZONE_TRANSPARENT);
	ready();
	says("root", "privatelink.blob.core.windows.net", "A", RCODE_NXDOMAIN, "!windows.net SOA ns.example");
	expect("privatelink.blob.core.windows.net", "A",
	       "NOERROR\n!windows.net SOA\nasked privatelink.blob.core.windows.net\n");
	end();
}
END_TEST

/* A DNAME is worth something from the group that its owner belongs to, and what denies the rest of a chain goes with it. */
START_TEST(dnssec_of_others)
{
	begin(ZONE_TRANSPARENT);
	hold(ACCT, "A", "10.0.0.5");
	ready();
	with_do = true;
	says("root", "n.old.example", "A", RCODE_NOERROR,
	     "old.example DNAME new.example\nn.new.example A 20.1.1.1\n!n.new.example NSEC z.example");
	expect("n.old.example", "A", "NOERROR\nold.example DNAME new.example\n"
	       "n.old.example CNAME n.new.example\nn.new.example A 20.1.1.1\n!n.new.example NSEC\n"
	       "asked n.old.example\n");
	says("corp", "www.corp.example", "A", RCODE_NOERROR,
	     "example DNAME evil.test\nwww.corp.evil.test A 6.6.6.6\n");
	says("root", "www.corp.evil.test", "A", RCODE_NOERROR, "www.corp.evil.test A 20.1.1.2");
	expect("www.corp.example", "A", "NOERROR\nwww.corp.example CNAME www.corp.evil.test\n"
	       "www.corp.evil.test A 20.1.1.2\nasked! www.corp.example\nasked www.corp.evil.test\n");
	says("root", "in.example", "A", RCODE_NXDOMAIN,
	     "in.example CNAME host.corp.example\n!corp.example SOA ns.example\n"
	     "!corp.example NSEC x.corp.example");
	says("corp", "host.corp.example", "A", RCODE_NOERROR, "host.corp.example A 10.9.9.9");
	expect("in.example", "A", "NOERROR\nin.example CNAME host.corp.example\n"
	       "host.corp.example A 10.9.9.9\nasked in.example\nasked! host.corp.example\n");
	/* A wildcard's proof stays where the chain goes on with us. */
	says("root", "w.example", "A", RCODE_NOERROR,
	     "w.example CNAME acct.blob.core.windows.net\n!a.example NSEC z.example");
	expect("w.example", "A", "NOERROR\nw.example CNAME acct.blob.core.windows.net\n"
	       "acct.blob.core.windows.net CNAME " ACCT "\n" ACCT " A 10.0.0.5\n!a.example NSEC\n"
	       "asked w.example\n");
	end();
}
END_TEST

START_TEST(chains_into_special_names)
{
	begin(ZONE_TRANSPARENT);
	hold(ACCT, "A", "10.0.0.5");
	ready();
	says("root", "a.example", "A", RCODE_NOERROR, "a.example CNAME localhost\nlocalhost A 6.6.6.6");
	expect("a.example", "A", "NOERROR\na.example CNAME localhost\nlocalhost A 127.0.0.1\nasked a.example\n");
	says("root", "b.example", "A", RCODE_NOERROR, "b.example CNAME x.onion\nx.onion A 6.6.6.6");
	expect("b.example", "A", "NXDOMAIN\nb.example CNAME x.onion\n!onion SOA\nasked b.example\n");
	says("root", "1.0.9.9.in-addr.arpa", "PTR", RCODE_NOERROR,
	     "1.0.9.9.in-addr.arpa CNAME 5.0.0.10.in-addr.arpa\n5.0.0.10.in-addr.arpa PTR evil.example");
	expect("1.0.9.9.in-addr.arpa", "PTR",
	       "NOERROR\n1.0.9.9.in-addr.arpa CNAME 5.0.0.10.in-addr.arpa\n!10.in-addr.arpa SOA\n"
	       "asked 1.0.9.9.in-addr.arpa\n");
	expect("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa", "PTR",
	       "NOERROR aa\n!1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa SOA\n");
	expect("0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa", "PTR",
	       "NOERROR aa\n!0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa SOA\n");
	end();
}
END_TEST

START_TEST(wildcards)
{
	begin(ZONE_STATIC);
	hold("*.blob.core.windows.net", "A", "10.0.0.1");
	hold("a.b.blob.core.windows.net", "A", "10.0.0.2");
	ready();
	expect("x.blob.core.windows.net", "A",
	       "NOERROR aa\nx.blob.core.windows.net CNAME x.privatelink.blob.core.windows.net\n"
	       "x.privatelink.blob.core.windows.net A 10.0.0.1\n");
	expect("X.y.blob.core.windows.net", "AAAA",
	       "NOERROR aa\nX.y.blob.core.windows.net CNAME x.y.privatelink.blob.core.windows.net\n" SOA);
	expect("b.privatelink.blob.core.windows.net", "A", "NOERROR aa\n" SOA);
	expect("c.b.privatelink.blob.core.windows.net", "A", "NXDOMAIN aa\n" SOA);
	says("root", "b.blob.core.windows.net", "A", RCODE_NXDOMAIN, "!core.windows.net SOA ns.example");
	expect("b.blob.core.windows.net", "A", "NOERROR\n!core.windows.net SOA\nasked b.blob.core.windows.net\n");
	expect("1.0.0.10.in-addr.arpa", "PTR", "NXDOMAIN aa\n!10.in-addr.arpa SOA\n");
	end();
}
END_TEST

START_TEST(denied_but_must_be_private)
{
	begin(ZONE_TRANSPARENT);
	hold(ACCT, "A", "10.0.0.5");
	ready();
	view->aliases = VIEW_ALIASES_OWN;
	ck_assert_int_eq(patterns_add(view->must_be_private, view->zones, "acct.blob.core.windows.net", NULL), 0);
	says("root", "a.example", "A", RCODE_NOERROR, "a.example CNAME acct.blob.core.windows.net\n"
	     "acct.blob.core.windows.net A 20.1.1.1");
	expect("a.example", "A", "SERVFAIL\nasked a.example\n");
	expect("acct.blob.core.windows.net", "A",
	       "NOERROR aa\nacct.blob.core.windows.net CNAME " ACCT "\n" ACCT " A 10.0.0.5\n");
	end();
}
END_TEST

/* A public name whose private form would be longer than a name may be, the longest and the shortest. */
START_TEST(odd_names)
{
	static char longest[260], part[64];
	char want[600];
	int i;

	memset(part, 'a', 63);
	for (i = 0; i < 3; i++) {
		strcat(longest, part);
		strcat(longest, ".");
	}
	part[39] = '\0';
	strcat(longest, part);
	strcat(longest, ".blob.core.windows.net");
	begin(ZONE_STATIC);
	hold("*.blob.core.windows.net", "A", "10.0.0.1");
	ready();
	says("root", longest, "A", RCODE_NXDOMAIN, "!core.windows.net SOA ns.example");
	sprintf(want, "NXDOMAIN\n!core.windows.net SOA\nasked %s\n", longest);
	expect(longest, "A", want);
	says("root", ".", "A", RCODE_NOERROR, "!. SOA ns.example");
	expect(".", "A", "NOERROR\n!. SOA\nasked .\n");
	says("root", "windows.net", "A", RCODE_NXDOMAIN, "");
	expect("windows.net", "A", "NOERROR\nasked windows.net\n");
	end();
}
END_TEST

static Suite *step_suite(void)
{
	Suite *suite = suite_create("step");
	TCase *tcase = tcase_create("step");

	tcase_add_test(tcase, held_names);
	tcase_add_test(tcase, apex);
	tcase_add_test(tcase, cut);
	tcase_add_test(tcase, cut_in_any_order_and_through_dname);
	tcase_add_test(tcase, others);
	tcase_add_test(tcase, static_zone);
	tcase_add_test(tcase, refuse_zone);
	tcase_add_test(tcase, groups);
	tcase_add_test(tcase, aliases);
	tcase_add_test(tcase, must_be_private);
	tcase_add_test(tcase, long_chains_and_loops);
	tcase_add_test(tcase, special_names);
	tcase_add_test(tcase, site_recovery);
	tcase_add_test(tcase, no_denial_of_what_is_held);
	tcase_add_test(tcase, apex_any);
	tcase_add_test(tcase, apex_of_other_types);
	tcase_add_test(tcase, dnssec_of_others);
	tcase_add_test(tcase, chains_into_special_names);
	tcase_add_test(tcase, wildcards);
	tcase_add_test(tcase, denied_but_must_be_private);
	tcase_add_test(tcase, odd_names);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(step_suite)
