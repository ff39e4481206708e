/* SPDX-License-Identifier: MIT */
/*
 * The verdict memo changes nothing but time: thousands of random questions over random views,
 * random replies in the cache and a clock that goes on, each answered by a resolver, which uses and
 * leaves memos, and by the bare decision, which knows of none. Octets and counters must be the
 * same.
 *
 * The upstream groups are empty, so nothing is ever waited for: what is not cached fails at once.
 */
#include <arpa/inet.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#include "forward/forward_inside.h"
#include "resolve/answer.h"
#include "resolve/query.h"
#include "resolve/step.h"
#include "unit/unit.h"
#include "wire/message.h"
#include "wire/types.h"
#include "wire/writer.h"
#include "zone/builder.h"
#include "zone/table.h"

/* 4.5 questions each, in the middle. So many that valgrind is through with it in a minute. */
#define TURNS (getenv("PRIVLINKD_LONG") ? 15000 : 3000)
#define A_VIEW 60 /* turns until a reload */
#define GROUPS 3

static const char *const pool[] = {
	"a.example",
	"b.example",
	"c.other.example",
	"d.corp.example",
	"e.corp.example",
	"deep.below.dname.example",
	"deep.target.example",
	"one.blob.core.windows.net",
	"one.privatelink.blob.core.windows.net",
	"two.blob.core.windows.net",
	"two.privatelink.blob.core.windows.net",
	"three.vault.azure.net",
	"three.privatelink.vaultcore.azure.net",
	"x-asr-pod01-id1-.privatelink.siterecovery.windowsazure.com",
	"x-asr-pod01-rcm1.siterecovery.windowsazure.com",
	"lab.test",
	"wild.lab.test",
	"alias.test",
	"localhost",
	"1.2.0.192.in-addr.arpa",
	"53.2.0.192.in-addr.arpa",
	"54.2.0.192.in-addr.arpa",
	"4.0.0.10.in-addr.arpa",
	"blob.core.windows.net",
	"example",
};
#define POOL (sizeof(pool) / sizeof(pool[0]))

static const uint16_t types[] = { TYPE_A,   TYPE_A,   TYPE_A,     TYPE_A,   TYPE_AAAA, TYPE_TXT,
				  TYPE_PTR, TYPE_PTR, TYPE_CNAME, TYPE_ANY, TYPE_DS,   TYPE_MX };
#define TYPES (sizeof(types) / sizeof(types[0]))

static struct upstreams *upstreams;
static struct forward_shared *shared;
static struct forward *forward;
static struct event_base *base;
static struct resolver *resolver;
static struct view *view;
static uint16_t groups[GROUPS]; /* `.`, and two that corp.example may go to */
static uint64_t now_ms, generation;
static uint64_t random_state;

static unsigned below(unsigned bound)
{
	random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (unsigned)(random_state >> 33) % bound;
}

static bool one_in(unsigned n)
{
	return below(n) == 0;
}

/* What is asked, and answered: a few at a time are asked often. */
struct topic {
	const char *text;
	uint16_t type;
	bool do_bit, cd_bit;
};

static struct topic draw_topic(void)
{
	static struct topic hot[16];
	struct topic *topic = &hot[below(16)];

	if (!topic->text || one_in(60)) {
		*topic = (struct topic){ .type = types[below(TYPES)],
					 .do_bit = one_in(3),
					 .cd_bit = one_in(8) };
		/* Those that differ in nothing but the name meet in chains. */
		if (one_in(2) && hot[0].text)
			*topic = hot[0];
		topic->text = pool[below(POOL)];
	}
	return *topic;
}

/* The name in random case. */
static void spell(struct name *ret, const char *text)
{
	uint8_t wire[NAME_WIRE_MAX];
	unsigned i;

	ck_assert_int_eq(name_from_text(ret, text, strlen(text)), 0);
	memcpy(wire, ret->wire, ret->len);
	for (i = 0; i < ret->len; i++)
		if (wire[i] >= 'a' && wire[i] <= 'z' && one_in(4))
			wire[i] = (uint8_t)(wire[i] - 32);
	ck_assert_int_eq(name_from_wire(ret, wire, ret->len), 0);
}

static void draw_name(struct name *ret)
{
	spell(ret, pool[below(POOL)]);
}

/* ---- views ---- */

static void hold(struct builder *builder, const char *text, const char *address)
{
	struct name name;
	uint8_t rdata[4];

	ck_assert_int_eq(inet_pton(AF_INET, address, rdata), 1);
	ck_assert_int_eq(name_from_text(&name, text, strlen(text)), 0);
	ck_assert_int_eq(builder_add(builder, &name, TYPE_A, 10, rdata, 4, 1), 0);
}

/* Names held beside: with so many the table is worth fetching from memory ahead (table_expect). */
#define MANY 60000
static unsigned many;

static struct table *draw_table(struct zones *zones)
{
	static const char *const held[] = {
		"one.blob.core.windows.net",
		"two.blob.core.windows.net",
		"three.vault.azure.net",
		"x-asr-pod01-id1.siterecovery.windowsazure.com",
		"*.lab.test",
		"lab.test",
		"b.example",
		"deep.target.example",
		"*.corp.example",
	};
	struct builder_conf conf = { .path = "test", .ttl_max = 86400 };
	struct table_conf table_conf = { .ptr = one_in(2) };
	struct complaints complaints = { 0 };
	struct builder *builder = builder_new(zones, &conf, &complaints);
	struct record_set *set;
	struct table *table;
	struct name name, target;
	unsigned i;

	name_from_text(&name, "alias.test", 10);
	name_from_text(&target, "a.example", 9);
	for (i = 0; i < many; i++) {
		char text[64];

		snprintf(text, sizeof(text), "many%u.blob.core.windows.net", i);
		hold(builder, text, "10.0.0.9");
	}
	if (one_in(2))
		ck_assert_int_eq(
			builder_add(builder, &name, TYPE_CNAME, 10, target.wire, target.len, 1), 0);
	for (i = 0; i < sizeof(held) / sizeof(held[0]); i++)
		if (one_in(3))
			hold(builder, held[i], one_in(2) ? "10.0.0.4" : "192.0.2.1");
	set = builder_finish(builder);
	builder_free(builder);
	table = table_new(zones, &set, 1, &table_conf, &complaints);
	record_set_unref(set);
	return table;
}

static void reload(void)
{
	struct view *next = view_new();
	struct name zone;

	next->generation = ++generation;
	next->zones = zones_new();
	ck_assert_int_eq(zones_add_preset(next->zones, "azure-migrate",
					  one_in(2) ? ZONE_TRANSPARENT : ZONE_STATIC, NULL),
			 0);
	ck_assert_int_eq(zones_seal(next->zones, NULL), 0);
	next->table = draw_table(next->zones);
	next->routes = routes_new();
	name_from_text(&zone, ".", 1);
	ck_assert_int_eq(routes_add(next->routes, &zone, groups[0], NULL), 0);
	name_from_text(&zone, "corp.example", 12);
	if (!one_in(3))
		ck_assert_int_eq(routes_add(next->routes, &zone, groups[1 + below(2)], NULL), 0);
	ck_assert_int_eq(routes_seal(next->routes, NULL), 0);
	next->aliases = (enum view_aliases)below(2);
	next->must_be_private = patterns_new();
	if (one_in(3))
		patterns_add(next->must_be_private, next->zones, "t*.blob.core.windows.net", NULL);
	if (one_in(4))
		patterns_add(next->must_be_private, next->zones, "*.other.example", NULL);
	next->private_reverse_upstream = !one_in(3);
	next->allow.any = true;
	strcpy(next->id, one_in(2) ? "node7" : "");
	resolver_use_view(resolver, next);
	view_free(view);
	view = next;
}

/* ---- replies ---- */

static uint32_t draw_ttl(void)
{
	static const uint32_t ttls[] = { 0, 1, 5, 30, 300, 3600, 200000, 0xffffffff };

	return ttls[below(sizeof(ttls) / sizeof(ttls[0]))];
}

static void put_signature(struct writer *writer, enum message_section section,
			  const struct name *owner, uint16_t covers)
{
	static const uint8_t rest[] = "\10\2\0\0\1\54\1\1\1\1\0\0\0\0\0\7\7example\0signature";
	uint8_t rdata[64] = { (uint8_t)(covers >> 8), (uint8_t)covers };

	memcpy(rdata + 2, rest, sizeof(rest));
	writer_record(writer, section, owner->wire, TYPE_RRSIG, draw_ttl(), rdata,
		      sizeof(rest) + 1);
}

static void put_data(struct writer *writer, const struct name *owner, uint16_t type)
{
	static const uint8_t address[16] = { 192, 0, 2, 9 }, text[] = "\5hello\3all";
	uint8_t rdata[NAME_WIRE_MAX + 2] = { 0, 10 };
	unsigned count = 1 + (one_in(20) ? 40 : below(3));
	struct name name;

	for (; count > 0; count--) {
		uint32_t ttl = draw_ttl();

		draw_name(&name);
		if (type == TYPE_ANY)
			type = one_in(2) ? TYPE_A : TYPE_TXT;
		if (type == TYPE_A || type == TYPE_AAAA) {
			writer_record(writer, SECTION_ANSWER, owner->wire, type, ttl, address,
				      type == TYPE_A ? 4 : 16);
		} else if (type == TYPE_PTR || type == TYPE_CNAME) {
			writer_record(writer, SECTION_ANSWER, owner->wire, type, ttl, name.wire,
				      name.len);
		} else if (type == TYPE_MX) {
			memcpy(rdata + 2, name.wire, name.len);
			writer_record(writer, SECTION_ANSWER, owner->wire, type, ttl, rdata,
				      name.len + 2u);
		} else {
			writer_record(writer, SECTION_ANSWER, owner->wire, type, ttl, text,
				      sizeof(text) - 1);
		}
	}
	if (one_in(2))
		put_signature(writer, SECTION_ANSWER, owner, type);
}

static void put_authority(struct writer *writer)
{
	static const uint8_t soa[] = "\2ns\7example\0\4host\7example\0"
				     "\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\36";
	static const char *const zones[] = { ".", "example", "corp.example" };
	const char *text = zones[below(3)];
	struct name zone;

	name_from_text(&zone, text, strlen(text));
	writer_record(writer, SECTION_AUTHORITY, zone.wire, TYPE_SOA, draw_ttl(), soa,
		      sizeof(soa) - 1);
	if (one_in(2)) {
		writer_record(writer, SECTION_AUTHORITY, zone.wire, TYPE_NSEC, draw_ttl(),
			      zone.wire, zone.len);
		put_signature(writer, SECTION_AUTHORITY, &zone, TYPE_NSEC);
		put_signature(writer, SECTION_AUTHORITY, &zone, TYPE_SOA);
	}
}

/* What some upstream might say to the question: a chain, data or none, signatures, junk. */
static size_t draw_message(const struct forward_question *question, uint8_t *data, size_t cap)
{
	static const uint16_t rcodes[] = { RCODE_NOERROR, RCODE_NOERROR, RCODE_NOERROR,
					   RCODE_NXDOMAIN, RCODE_SERVFAIL };
	struct name at = *question->name, next, dname, target;
	unsigned links = one_in(2) ? 0 : below(4);
	struct writer writer;

	writer_init(&writer, data, cap, 0, FLAG_QR | FLAG_RD | FLAG_RA);
	writer_set_rcode(&writer, rcodes[below(5)]);
	writer_question(&writer, question->name->wire, question->type, CLASS_IN);
	name_from_text(&dname, "below.dname.example", 19);
	name_from_text(&target, "Target.Example", 14);
	for (; links > 0; links--) {
		draw_name(&next);
		if (name_ends_with(&at, &dname) && at.labels > dname.labels) {
			writer_record(&writer, SECTION_ANSWER, dname.wire, TYPE_DNAME, draw_ttl(),
				      target.wire, target.len);
			put_signature(&writer, SECTION_ANSWER, &dname, TYPE_DNAME);
			ck_assert_int_eq(name_join(&next, &at, at.labels - dname.labels, &target),
					 0);
		}
		writer_record(&writer, SECTION_ANSWER, at.wire, TYPE_CNAME, draw_ttl(), next.wire,
			      next.len);
		if (one_in(3))
			put_signature(&writer, SECTION_ANSWER, &at, TYPE_CNAME);
		name_strip(&at, &next, 0);
	}
	if (!one_in(3))
		put_data(&writer, &at, question->type);
	if (one_in(3))
		put_authority(&writer);
	ck_assert(!writer.full);
	return writer_finish(&writer);
}

/* Puts a reply to this question into the cache, as if it had just come. */
static void fill_cache(const struct forward_question *question)
{
	static uint8_t data[16384], cut_data[16384];
	struct reply reply = { .data = cut_data,
			       .group = question->group,
			       .ad = one_in(2),
			       .ede = EDE_NONE,
			       .ttl_cap_s = 86400 };
	struct question_key key = cache_key_of(question);
	struct cache_rules rules = forward_rules(shared, question->group);
	struct cache_shard *shard;
	struct reply_cut cut;
	struct plain plain;
	size_t len = draw_message(question, data, sizeof(data));

	bool is_plain = plain_read(data, len, DNS_HEADER_LEN + key.len + 4u, key.type, &plain);

	if (reply_take(&key, data, len, is_plain ? &plain : NULL, cut_data, sizeof(cut_data),
		       &cut) < 0)
		return;
	reply.len = cut.len;
	reply.ttls = cut.ttls;
	reply.ttl_places = cut.ttls > 0 ? cut_data + cut.len : NULL;
	reply.plain = cut.plain;
	reply.rcode = cut.rcode;
	reply.negative = cut.negative;
	reply.failed = cut.rcode == RCODE_SERVFAIL && one_in(2);
	shard = cache_lock(shared->cache, key.hash);
	cache_put(shard, &key, &reply, 20 + below(40), &rules, now_ms);
	cache_unlock(shard);
}

/* ---- the same without memos ---- */

struct bare {
	struct plan plan;
	struct step_replies replies;
	uint8_t scratch[STEP_REPLIES_MAX][REPLY_LEN_MAX];
	bool whole; /* the first reply has the memo that it is passed on whole */
};

static void decide_bare(struct bare *bare, const struct step_question *question, bool do_bit,
			bool cd_bit)
{
	struct step_ask ask;

	bare->replies.count = 0;
	bare->whole = false;
	while (resolve_step(view, &bare->replies, question, &bare->plan, &ask, NULL) == STEP_ASK) {
		struct reply *reply = &bare->replies.item[bare->replies.count];
		struct forward_question wanted = { .name = ask.name,
						   .type = question->type,
						   .group = ask.group,
						   .do_bit = do_bit,
						   .cd_bit = cd_bit };

		ck_assert_int_eq(forward_get(forward, &wanted, 1, now_ms,
					     bare->scratch[bare->replies.count], REPLY_LEN_MAX,
					     reply),
				 FORWARD_HIT);
		if (bare->replies.count++ == 0 && bare->plan.names == 1)
			bare->whole = (reply->plain && !reply->stale) ||
				      reply->memo == (generation << 1 | 1);
	}
}

/* ---- the comparison ---- */

static unsigned whole_count, other_count;

/* A question, and its answer by the bare decision. */
struct asked {
	struct client client;
	uint8_t in[512], want[16384];
	size_t in_len, want_len;
	bool answered;
};

/* What the resolver's counters should have grown by. */
struct growth {
	uint64_t forwarded, local, cut, stale, truncated, alias_denied, must_be_private,
		vault_names;
	uint64_t noerror, nxdomain, servfail;
};

static void grow(struct growth *growth, const struct plan *plan, bool truncated)
{
	growth->forwarded += plan->used_reply;
	growth->local += !plan->used_reply;
	growth->cut += plan->cut;
	growth->stale += plan->stale;
	growth->truncated += truncated;
	growth->alias_denied += plan->alias_denied;
	growth->must_be_private += plan->must_be_private;
	growth->vault_names += plan->vault_name;
	growth->noerror += plan->rcode == RCODE_NOERROR;
	growth->nxdomain += plan->rcode == RCODE_NXDOMAIN;
	growth->servfail += plan->rcode == RCODE_SERVFAIL;
}

static void check_growth(const struct growth *growth, const struct resolver_counters *before)
{
	const struct resolver_counters *counters = resolver_counters(resolver);

#define CHECK(name) \
	ck_assert_uint_eq(counter_get(&counters->name) - counter_get(&before->name), growth->name)
	CHECK(forwarded);
	CHECK(local);
	CHECK(cut);
	CHECK(stale);
	CHECK(truncated);
	CHECK(alias_denied);
	CHECK(must_be_private);
	CHECK(vault_names);
	CHECK(noerror);
	CHECK(nxdomain);
	CHECK(servfail);
#undef CHECK
}

static void draw_question(struct asked *asked, uint16_t id, struct growth *growth)
{
	static struct bare bare;
	struct topic topic = draw_topic();
	struct name name;
	struct step_question question = { .name = &name,
					  .type = topic.type,
					  .to = &asked->client.to };
	struct answer_shape shape = { .id = id, .do_bit = topic.do_bit };
	struct writer_opt opt = { .ede = EDE_NONE, .do_bit = topic.do_bit };
	struct writer writer;
	bool truncated;

	spell(&name, topic.text);
	asked->answered = false;
	asked->client = (struct client){ .stream = one_in(4) };
	addr_parse(&asked->client.from, "198.51.100.7", (uint16_t)(4000 + id));
	addr_parse(&asked->client.to, one_in(2) ? "192.0.2.53" : "192.0.2.54", 53);
	shape.stream = asked->client.stream;
	shape.flags =
		(uint16_t)(FLAG_RD | (one_in(4) ? FLAG_AD : 0) | (topic.cd_bit ? FLAG_CD : 0));
	shape.edns = topic.do_bit || !one_in(3);
	shape.nsid = shape.edns && one_in(5);
	shape.udp_size = shape.edns ? (uint16_t)(one_in(2) ? 1232 : 512) : 512;
	opt.udp_size = shape.udp_size;
	opt.nsid = shape.nsid ? "" : NULL;
	writer_init(&writer, asked->in, sizeof(asked->in), shape.id, shape.flags);
	writer_question(&writer, name.wire, question.type, CLASS_IN);
	if (shape.edns)
		writer_opt(&writer, &opt);
	asked->in_len = writer_finish(&writer);
	shape.question = asked->in + DNS_HEADER_LEN;
	shape.question_len = (uint16_t)(name.len + 4);
	decide_bare(&bare, &question, shape.do_bit, shape.flags & FLAG_CD);
	asked->want_len = answer_plan(&shape, &bare.plan, &bare.replies, view->id, asked->want,
				      sizeof(asked->want), &truncated);
	grow(growth, &bare.plan, truncated);
	whole_count += bare.whole;
	other_count += !bare.whole && bare.plan.used_reply;
}

static void check_answer(struct asked *asked, const uint8_t *out, size_t len)
{
	ck_assert(!asked->answered);
	asked->answered = true;
	ck_assert_uint_eq(len, asked->want_len);
	ck_assert_mem_eq(out, asked->want, len);
}

/* One question, or as many as may be put off. */
static void ask_some(void)
{
	static struct asked asked[RESOLVER_PUT_OFF_MAX];
	static uint8_t out[RESOLVER_MESSAGE_MAX];
	struct resolver_counters before = *resolver_counters(resolver);
	unsigned count = one_in(2) ? 1 : RESOLVER_PUT_OFF_MAX, i;
	struct growth growth = { 0 };
	enum resolver_verdict verdict;
	struct client client;
	size_t len;

	for (i = 0; i < count; i++)
		draw_question(&asked[i], (uint16_t)i, &growth);
	if (count == 1) {
		verdict = resolver_receive(resolver, &asked->client, asked->in, asked->in_len,
					   now_ms, out, &len);
		ck_assert_int_eq(verdict, RESOLVER_ANSWER);
		check_answer(asked, out, len);
	}
	for (i = 0; count > 1 && i < count; i++) {
		verdict = resolver_receive_some(resolver, &asked[i].client, asked[i].in,
						asked[i].in_len, now_ms, out, &len);
		if (verdict == RESOLVER_ANSWER)
			check_answer(&asked[i], out, len);
		else
			ck_assert_int_eq(verdict, RESOLVER_PUT_OFF);
	}
	while (resolver_put_off(resolver) > 0) {
		verdict = resolver_resume(resolver, &client, out, &len);
		ck_assert_int_eq(verdict, RESOLVER_ANSWER);
		ck_assert_uint_eq(addr_port(&client.from), 4000 + out[1]);
		check_answer(&asked[out[1]], out, len);
	}
	for (i = 0; i < count; i++)
		ck_assert(asked[i].answered);
	check_growth(&growth, &before);
}

static void draw_reply(void)
{
	struct topic topic = draw_topic();
	struct name name;
	struct forward_question question = {
		.name = &name,
		.type = topic.type,
		.do_bit = topic.do_bit,
		.cd_bit = topic.cd_bit,
	};

	spell(&name, topic.text);
	question.group =
		one_in(4) ? groups[below(GROUPS)] : routes_match(view->routes, &name, NULL);
	fill_cache(&question);
}

static void setup(void)
{
	struct forward_conf conf = {
		.limits = { .cache_bytes = 4 << 20,
			    .ttl_max_s = 86400,
			    .negative_ttl_max_s = 900,
			    .stale_s = 60,
			    .prefetch = true },
		.inflight_max = 8,
		.waiters_max = 8,
		.sockets_max = 8,
		.conns = { .max = 2, .questions_max = 2, .idle_ms = 1000 },
		.datagrams_max = 8,
		.near_misses_max = 4,
		.large_max = 8,
		.probes_max = 4,
		.loop_probes_max = 2,
		.workers = 1,
	};
	struct resolver_conf resolver_conf = { .queries_max = 8 };
	struct upstream_group_conf group = { .count = 0 };
	static const char *const zones[GROUPS] = { ".", "corp.example", "Example" };
	struct name zone;
	struct err err;
	unsigned i;

	upstreams = upstreams_new();
	group.zone = &zone;
	for (i = 0; i < GROUPS; i++) {
		name_from_text(&zone, zones[i], strlen(zones[i]));
		ck_assert_int_eq(upstreams_group(upstreams, &group, &groups[i], NULL), 0);
	}
	base = event_base_new();
	shared = forward_shared_new(&conf, upstreams, &err);
	resolver = resolver_new(&resolver_conf, &err);
	forward = forward_new(shared, 0, base, resolver_forwarded, resolver, &err);
	ck_assert_ptr_nonnull(forward);
	resolver_use_forward(resolver, forward);
	now_ms = 1000000;
	generation = 0;
	view = NULL;
}

static void teardown(void)
{
	forward_free(forward);
	resolver_free(resolver);
	forward_shared_free(shared);
	upstreams_free(upstreams);
	event_base_free(base);
	view_free(view);
}

START_TEST(same_answers_with_and_without)
{
	struct name held;
	unsigned i;

	name_from_text(&held, "many1.blob.core.windows.net", 27);
	many = _i == 2 ? MANY : 0;
	random_state = (uint64_t)_i * 1000003 + 17;
	whole_count = other_count = 0;
	for (i = 0; i < TURNS; i++) {
		if (i % (many ? TURNS / 2 : A_VIEW) == 0) {
			reload();
			ck_assert_int_eq(many > 0, table_expect(view->table, &held) != 0);
		}
		if (one_in(10))
			draw_reply();
		if (one_in(3))
			now_ms += below(4) == 0 ? below(20000) : below(100);
		ask_some();
	}
	/* Both kinds were met, and often. */
	ck_assert_uint_gt(whole_count, TURNS / 5);
	ck_assert_uint_gt(other_count, TURNS / 5);
}
END_TEST

static Suite *memo_suite(void)
{
	Suite *suite = suite_create("memo");
	TCase *tcase = tcase_create("memo");

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, same_answers_with_and_without, 0, 3);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(memo_suite)
