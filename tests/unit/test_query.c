/* SPDX-License-Identifier: MIT */
/*
 * The border between sockets and the decision, over a forwarder of the test's own: forward_get and
 * forward_forget stand here, so the library's are not linked in. It says what is cached and what
 * must be waited for; the test hands in replies when it likes.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "forward/forward.h"
#include "forward/store.h"
#include "resolve/query.h"
#include "unit/unit.h"
#include "wire/message.h"
#include "wire/writer.h"
#include "zone/builder.h"
#include "zone/table.h"

#define HELD "acct.blob.core.windows.net"
/* Stores for large replies. */
#define LARGE 24
#define QUERIES 2
#define CACHED_MAX 20

static struct view *view;
static struct resolver *resolver;
static struct upstreams *upstreams;
static struct store_pool *pool;
static struct client client;
static uint8_t out[RESOLVER_MESSAGE_MAX], sent[RESOLVER_MESSAGE_MAX];
static size_t out_len, sent_len;
static unsigned sent_count, forgotten, told, explained_count;

/* The forwarder: who waits, for what, and what is cached. */
static uint64_t waiter;
static struct name asked;
static unsigned asked_count;
static bool full, looped;
static union addr asked_from; /* AF_UNSPEC: nobody */
static bool asked_here;
static struct {
	struct name name;
	uint8_t data[512];
	size_t len;
} cached[CACHED_MAX];
static unsigned cached_count;

enum forward_verdict forward_get(struct forward *forward, const struct forward_question *question,
				 uint64_t who, uint64_t now_ms, uint8_t *buf, size_t cap,
				 struct reply *ret)
{
	unsigned i;

	(void)forward;
	(void)now_ms;
	asked_from = question->from ? *question->from : (union addr){ 0 };
	asked_here = question->here;
	if (looped)
		return FORWARD_LOOP;
	for (i = 0; i < cached_count; i++)
		if (name_equal(&cached[i].name, question->name)) {
			ck_assert_uint_ge(cap, cached[i].len);
			memcpy(buf, cached[i].data, cached[i].len);
			*ret = (struct reply){ .data = buf,
					       .len = cached[i].len,
					       .group = question->group,
					       .rcode = buf[3] & 15,
					       .ede = EDE_NONE,
					       .ttl_cap_s = 86400 };
			return FORWARD_HIT;
		}
	if (who == 0)
		return FORWARD_MISS;
	if (full)
		return FORWARD_FULL;
	waiter = who;
	asked = *question->name;
	asked_count++;
	return FORWARD_WAITING;
}

struct looptable *forward_looptable(const struct forward *forward)
{
	(void)forward;
	return NULL;
}

bool forward_is_probe(struct forward *forward, const struct name *name, const union addr *from,
		      const union addr *to, uint64_t now_ms)
{
	(void)forward;
	(void)now_ms;
	ck_assert_ptr_eq(from, &client.from);
	ck_assert_ptr_eq(to, &client.to);
	return memcmp(name->fold, "\5probe", 6) == 0;
}

/* What is past its time: names as above. */
static struct {
	struct name name;
	uint8_t data[512];
	size_t len;
} stale[CACHED_MAX];
static unsigned stale_count;
static bool serves_stale;

bool forward_serves_stale(const struct forward *forward)
{
	(void)forward;
	return serves_stale;
}

bool forward_get_stale(struct forward *forward, const struct forward_question *question,
		       uint64_t now_ms, uint8_t *buf, size_t cap, struct reply *ret)
{
	unsigned i;

	if (cached_count && forward_get(forward, question, 0, now_ms, buf, cap, ret) == FORWARD_HIT)
		return true;
	for (i = 0; i < stale_count && serves_stale; i++)
		if (name_equal(&stale[i].name, question->name)) {
			memcpy(buf, stale[i].data, stale[i].len);
			*ret = (struct reply){ .data = buf,
					       .len = stale[i].len,
					       .group = question->group,
					       .rcode = buf[3] & 15,
					       .ad = true,
					       .stale = true,
					       .ede = EDE_NETWORK_ERROR,
					       .age_s = 5000,
					       .ttl_cap_s = 30 };
			return true;
		}
	return false;
}

void forward_forget(struct forward *forward, uint64_t who)
{
	(void)forward;
	(void)who;
	forgotten++;
}

/* Hints. */
uint64_t forward_expect(struct forward *forward, const struct forward_question *question)
{
	(void)forward;
	(void)question;
	return 0;
}

void forward_expect_reply(struct forward *forward, uint64_t expected)
{
	(void)forward;
	(void)expected;
}

/* What it gives has no memo, and wants none. */
void forward_remember(struct forward *forward, const struct forward_question *question,
		      uint32_t serial, uint64_t memo)
{
	(void)forward;
	(void)question;
	(void)serial;
	(void)memo;
	ck_abort();
}

static void on_send(void *arg, const struct client *to, const uint8_t *message, size_t len)
{
	(void)arg;
	ck_assert_uint_eq(to->serial, client.serial);
	memcpy(sent, message, len);
	sent_len = len;
	sent_count++;
}

static void on_event(void *arg, enum resolver_event event, const struct client *who,
		     const struct name *name, uint16_t type, const char *text)
{
	(void)arg;
	(void)event;
	(void)who;
	(void)name;
	(void)type;
	(void)text;
	told++;
}

static void on_explained(void *arg, const char *trace, const uint8_t *answer, size_t len)
{
	(void)arg;
	ck_assert_ptr_nonnull(trace);
	ck_assert(len == 0 || answer);
	explained_count++;
}

static void name_of(struct name *ret, const char *text)
{
	ck_assert_msg(name_from_text(ret, text, strlen(text)) == 0, "%s", text);
}

/* A view that holds HELD or nothing. */
static struct view *make_view(bool holding)
{
	struct builder_conf conf = { .path = "test", .ttl_max = 86400 };
	struct upstream_group_conf group = { 0 };
	struct upstream_conf upstream = { 0 };
	struct table_conf table_conf = { .ptr = true };
	struct complaints complaints = { 0 };
	struct view *ret = view_new();
	static uint64_t generation;
	struct builder *builder;
	struct record_set *set;
	struct name name;
	uint16_t number;

	ret->generation = ++generation;
	ret->zones = zones_new();
	ck_assert_int_eq(zones_add_preset(ret->zones, "azure-migrate", ZONE_TRANSPARENT, NULL), 0);
	ck_assert_int_eq(zones_seal(ret->zones, NULL), 0);
	builder = builder_new(ret->zones, &conf, &complaints);
	name_of(&name, HELD);
	if (holding)
		ck_assert_int_eq(builder_add(builder, &name, TYPE_A, 10,
					     (const uint8_t *)"\012\0\0\5", 4, 1),
				 0);
	set = builder_finish(builder);
	builder_free(builder);
	ret->table = table_new(ret->zones, &set, 1, &table_conf, &complaints);
	record_set_unref(set);
	ret->must_be_private = patterns_new();
	ck_assert_int_eq(patterns_add(ret->must_be_private, ret->zones,
				      "secret.blob.core.windows.net", NULL),
			 0);
	ret->routes = routes_new();
	if (!upstreams)
		upstreams = upstreams_new();
	ck_assert_int_eq(addr_parse(&upstream.addr, "192.0.2.1", 53), 0);
	group.upstreams = &upstream;
	group.count = 1;
	group.zone = &name;
	name_of(&name, ".");
	ck_assert_int_eq(upstreams_group(upstreams, &group, &number, NULL), 0);
	ck_assert_int_eq(routes_add(ret->routes, &name, number, NULL), 0);
	ck_assert_int_eq(routes_seal(ret->routes, NULL), 0);
	ret->allow.loopback = true;
	return ret;
}

static void setup(void)
{
	struct resolver_conf conf = { .queries_max = QUERIES, .send = on_send, .event = on_event };

	view = make_view(true);
	resolver = resolver_new(&conf, NULL);
	resolver_use_view(resolver, view);
	pool = store_pool_new(64, LARGE);
	ck_assert_int_eq(addr_parse(&client.from, "127.0.0.1", 4000), 0);
	ck_assert_int_eq(addr_parse(&client.to, "127.0.0.1", 53), 0);
	client.serial = 7;
}

static void teardown(void)
{
	resolver_free(resolver);
	view_free(view);
	upstreams_free(upstreams);
	upstreams = NULL;
	store_pool_free(pool);
}

struct ask {
	const char *name;
	uint16_t type, class, flags;
	bool edns;
	uint8_t version;
	uint16_t udp_size;
	bool do_bit;
};

static size_t query_of(const struct ask *ask, uint8_t *data)
{
	struct writer_opt opt = { .udp_size = ask->udp_size,
				  .do_bit = ask->do_bit,
				  .ede = EDE_NONE };
	struct writer writer;
	struct name name;
	size_t len;

	name_of(&name, ask->name);
	writer_init(&writer, data, 512, 0x1234, ask->flags);
	writer_question(&writer, name.wire, ask->type, ask->class);
	if (ask->edns)
		writer_opt(&writer, &opt);
	len = writer_finish(&writer);
	if (ask->edns)
		data[len - 5] = ask->version;
	return len;
}

static enum resolver_verdict receive(const struct ask *ask, uint64_t now_ms)
{
	uint8_t data[512];
	size_t len = query_of(ask, data);
	enum resolver_verdict verdict;

	out_len = 0;
	verdict = resolver_receive(resolver, &client, data, len, now_ms, out, &out_len);
	if (verdict == RESOLVER_ANSWER) {
		ck_assert_uint_ge(out_len, DNS_HEADER_LEN);
		ck_assert_uint_eq(out[0] << 8 | out[1], 0x1234);
		ck_assert_msg(out[3] & FLAG_RA, "RA on every response");
		ck_assert(out[2] & 0x80);
		ck_assert_uint_eq(out[2] & 1, ask->flags >> 8 & 1);
		/* The question comes back octet by octet. */
		ck_assert_uint_eq(out[5], 1);
		ck_assert(memcmp(out + 12, data + 12, len - 12 - (ask->edns ? 11 : 0)) == 0);
		ck_assert_msg(out[11] == ask->edns, "OPT only if asked");
	}
	return verdict;
}

static enum resolver_verdict ask_a(const char *name, uint64_t now_ms)
{
	return receive(&(struct ask){ name, TYPE_A, CLASS_IN, FLAG_RD, true, 0, 1232, false },
		       now_ms);
}

/* A message with one CNAME to `target`, or one A where that is NULL. */
static size_t reply_of(const struct name *name, const char *target, uint8_t *data)
{
	struct writer writer;
	struct name to;

	writer_init(&writer, data, 512, 0, FLAG_QR | FLAG_RD | FLAG_RA);
	writer_question(&writer, name->wire, TYPE_A, CLASS_IN);
	if (target) {
		name_of(&to, target);
		writer_record(&writer, SECTION_ANSWER, name->wire, TYPE_CNAME, 60, to.wire, to.len);
	} else {
		writer_record(&writer, SECTION_ANSWER, name->wire, TYPE_A, 60,
			      (const uint8_t *)"\024\1\1\1", 4);
	}
	return writer_finish(&writer);
}

static void cache(const char *name, const char *target)
{
	name_of(&cached[cached_count].name, name);
	cached[cached_count].len =
		reply_of(&cached[cached_count].name, target, cached[cached_count].data);
	cached_count++;
}

/* Are replies that are plain told to be? */
static bool tell_plain = true;

/* What was asked for last gets its reply. */
static void reply(uint64_t who, const char *target)
{
	struct reply_store *store = store_take(pool, 512);
	uint16_t place = DNS_HEADER_LEN + asked.len + 4 + PLAIN_TTL_AT;

	store->reply.len = reply_of(&asked, target, store->data);
	if (!target && tell_plain) {
		memcpy(store->data + store->reply.len, &place, sizeof(place));
		store->reply.ttl_places = store->data + store->reply.len;
		store->reply.ttls = 1;
		store->reply.plain = true;
	}
	store->reply.ad = true;
	store->reply.ede = EDE_NONE;
	store->reply.ttl_cap_s = 86400;
	resolver_forwarded(resolver, who, &store->reply);
	store_drop(store);
}

static void keep_stale(const char *name, const char *target)
{
	name_of(&stale[stale_count].name, name);
	stale[stale_count].len =
		reply_of(&stale[stale_count].name, target, stale[stale_count].data);
	stale_count++;
	serves_stale = true;
}

/* What was asked for last fails. */
static void no_answer(uint64_t who)
{
	struct reply_store *store = store_take(pool, 512);

	store->reply.len = reply_of(&asked, NULL, store->data);
	store->data[3] |= RCODE_SERVFAIL;
	store->reply.failed = true;
	store->reply.rcode = RCODE_SERVFAIL;
	store->reply.ede = EDE_NO_REACHABLE_AUTHORITY;
	resolver_forwarded(resolver, who, &store->reply);
	store_drop(store);
}

/* The info codes in a message's OPT, as 100 * first + second; -1: none. */
static int errors_in(const uint8_t *data, size_t len)
{
	struct message_record record;
	struct message message;
	int ret = -1;

	ck_assert_int_eq(message_open(&message, data, len, NULL, NULL, NULL), 0);
	while (message_next(&message, &record) == 1) {
		size_t at = record.rdata_at, end = at + record.rdata_len;

		for (; record.type == TYPE_OPT && at + 4 < end;
		     at += 4u + (data[at + 2] << 8 | data[at + 3])) {
			int code = data[at + 4] << 8 | data[at + 5];

			if (data[at + 1] == 15)
				ret = ret < 0 ? 100 * code : ret + code;
		}
	}
	return ret;
}

/* The TTL of the first record. */
static uint32_t ttl_in(const uint8_t *data, size_t len)
{
	struct message_record record;
	struct message message;

	ck_assert_int_eq(message_open(&message, data, len, NULL, NULL, NULL), 0);
	ck_assert_int_eq(message_next(&message, &record), 1);
	return record.ttl;
}

/* The last address in a message, as a number; 0: none. */
static uint32_t address_in(const uint8_t *data, size_t len)
{
	struct message_record record;
	struct message message;
	uint32_t ret = 0;

	ck_assert_int_eq(message_open(&message, data, len, NULL, NULL, NULL), 0);
	while (message_next(&message, &record) == 1)
		if (record.type == TYPE_A) {
			memcpy(&ret, data + record.rdata_at, 4);
			ret = ntohl(ret);
		}
	return ret;
}

/* Every query has exactly one outcome. */
static void check_sum(void)
{
	const struct resolver_counters *c = resolver_counters(resolver);
	uint64_t sum =
		counter_get(&c->dropped) + counter_get(&c->refused_acl) + counter_get(&c->formerr) +
		counter_get(&c->notimp) + counter_get(&c->badvers) + counter_get(&c->refused) +
		counter_get(&c->local) + counter_get(&c->forwarded) + counter_get(&c->full) +
		counter_get(&c->deadline) + counter_get(&c->loops) + resolver_waiting(resolver);

	ck_assert_uint_eq(sum, counter_get(&c->queries));
}

START_TEST(refusals)
{
	uint8_t data[512];
	struct ask ask = { "a.example", TYPE_A, CLASS_IN, FLAG_RD, false, 0, 0, false };
	size_t len = query_of(&ask, data);

	ck_assert_int_eq(resolver_receive(resolver, &client, data, 11, 0, out, &out_len),
			 RESOLVER_DROP);
	data[2] |= 0x80;
	ck_assert_int_eq(resolver_receive(resolver, &client, data, len, 0, out, &out_len),
			 RESOLVER_DROP);
	data[2] &= 0x7f;
	ck_assert_int_eq(resolver_receive(resolver, &client, data, len - 1, 0, out, &out_len),
			 RESOLVER_ANSWER);
	ck_assert_uint_eq(out[3] & 15, RCODE_FORMERR);
	ck_assert_uint_eq(out[3] & FLAG_RA, FLAG_RA);
	data[5] = 0;
	ck_assert_int_eq(resolver_receive(resolver, &client, data, 12, 0, out, &out_len),
			 RESOLVER_ANSWER);
	ck_assert_uint_eq(out[3] & 15, RCODE_FORMERR);
	ck_assert_uint_eq(out_len, 12);
	ask.flags = FLAG_RD | 4 << 11;
	ck_assert_int_eq(receive(&ask, 0), RESOLVER_ANSWER);
	ck_assert_uint_eq(out[3] & 15, RCODE_NOTIMP);
	ck_assert_uint_eq(out[2] >> 3 & 15, 4);
	ask = (struct ask){ "a.example", TYPE_A, CLASS_IN, FLAG_RD, true, 1, 1232, false };
	ck_assert_int_eq(receive(&ask, 0), RESOLVER_ANSWER);
	ck_assert_uint_eq(out[3] & 15, RCODE_BADVERS & 15);
	ck_assert_uint_eq(out[out_len - 6], RCODE_BADVERS >> 4);
	ask = (struct ask){ "a.example", TYPE_AXFR, CLASS_IN, FLAG_RD, false, 0, 0, false };
	ck_assert_int_eq(receive(&ask, 0), RESOLVER_ANSWER);
	ck_assert_uint_eq(out[3] & 15, RCODE_REFUSED);
	ask.type = 250;
	ck_assert_int_eq(receive(&ask, 0), RESOLVER_ANSWER);
	ck_assert_uint_eq(out[3] & 15, RCODE_NOTIMP);
	ask.type = 0;
	ck_assert_int_eq(receive(&ask, 0), RESOLVER_ANSWER);
	ck_assert_uint_eq(out[3] & 15, RCODE_FORMERR);
	ask = (struct ask){ "a.example", TYPE_A, 255, FLAG_RD, false, 0, 0, false };
	ck_assert_int_eq(receive(&ask, 0), RESOLVER_ANSWER);
	ck_assert_uint_eq(out[3] & 15, RCODE_REFUSED);
	/* Not allowed comes before everything else. */
	ck_assert_int_eq(addr_parse(&client.from, "192.0.2.7", 4000), 0);
	ck_assert_int_eq(resolver_receive(resolver, &client, data, 12, 0, out, &out_len),
			 RESOLVER_ANSWER);
	ck_assert_uint_eq(out[3] & 15, RCODE_REFUSED);
	ck_assert_int_eq(ask_a(HELD, 0), RESOLVER_ANSWER);
	ck_assert_uint_eq(out[3] & 15, RCODE_REFUSED);
	ck_assert_uint_eq(asked_count, 0);
	check_sum();
}
END_TEST

START_TEST(chaos)
{
	struct ask ask = { "Version.Bind", TYPE_TXT, CLASS_CH, FLAG_RD, true, 0, 1232, false };

	ck_assert_int_eq(receive(&ask, 0), RESOLVER_ANSWER);
	ck_assert_uint_eq(out[3] & 15, RCODE_REFUSED);
	strcpy(view->version, "one");
	ck_assert_int_eq(receive(&ask, 0), RESOLVER_ANSWER);
	ck_assert_uint_eq(out[3] & 15, RCODE_NOERROR);
	ck_assert_uint_eq(out[7], 1);
	ask.name = "id.server";
	ck_assert_int_eq(receive(&ask, 0), RESOLVER_ANSWER);
	ck_assert_uint_eq(out[3] & 15, RCODE_REFUSED);
	check_sum();
}
END_TEST

/* The longest name and the longest identity: the OPT still comes, at the least without the
 * identity. */
START_TEST(opt_always_fits)
{
	static char name[260];
	struct ask ask = { name, TYPE_A, CLASS_IN, FLAG_RD, true, 0, 512, false };
	uint8_t data[512];
	size_t len;

	memset(view->id, 'i', VIEW_IDENTITY_MAX);
	memset(name, 'a', 253);
	name[63] = name[127] = name[191] = '.';
	full = true;
	ck_assert_int_eq(receive(&ask, 0), RESOLVER_ANSWER);
	len = query_of(&ask, data);
	data[len - 1] = 4; /* NSID, empty */
	memcpy(data + len, "\0\3\0\0", 4);
	ck_assert_int_eq(resolver_receive(resolver, &client, data, len + 4, 0, out, &out_len),
			 RESOLVER_ANSWER);
	ck_assert_uint_eq(out[11], 1);
	ck_assert_uint_le(out_len, 512);
	strcpy(name, "a.invalid");
	len = query_of(&ask, data);
	data[len - 1] = 4;
	memcpy(data + len, "\0\3\0\0", 4);
	ck_assert_int_eq(resolver_receive(resolver, &client, data, len + 4, 0, out, &out_len),
			 RESOLVER_ANSWER);
	ck_assert_uint_gt(out_len, 255);
}
END_TEST

START_TEST(without_recursion)
{
	struct ask ask = { "AcCt.blob.core.windows.net", TYPE_A, CLASS_IN, 0, false, 0, 0, false };

	ck_assert_int_eq(receive(&ask, 0), RESOLVER_ANSWER);
	ck_assert_uint_eq(address_in(out, out_len), 0x0a000005);
	ck_assert(out[2] & 4);
	ask.name = "a.example";
	ck_assert_int_eq(receive(&ask, 0), RESOLVER_ANSWER);
	ck_assert_uint_eq(out[3] & 15, RCODE_REFUSED);
	cache("a.example", HELD);
	ck_assert_int_eq(receive(&ask, 0), RESOLVER_ANSWER);
	ck_assert_uint_eq(address_in(out, out_len), 0x0a000005);
	ck_assert(!(out[2] & 4));
	cache("b.example", "c.example");
	ask.name = "b.example";
	ck_assert_int_eq(receive(&ask, 0), RESOLVER_ANSWER);
	ck_assert_uint_eq(out[3] & 15, RCODE_REFUSED);
	ck_assert_uint_eq(asked_count, 0);
	check_sum();
}
END_TEST

START_TEST(waits)
{
	uint64_t first;

	ck_assert_int_eq(ask_a("a.example", 100), RESOLVER_LATER);
	ck_assert_uint_eq(resolver_waiting(resolver), 1);
	first = waiter;
	check_sum();
	reply(first, "b.example");
	ck_assert_uint_eq(sent_count, 0);
	ck_assert_uint_eq(asked_count, 2);
	ck_assert_uint_eq(waiter, first);
	reply(first, NULL);
	ck_assert_uint_eq(sent_count, 1);
	ck_assert_uint_eq(address_in(sent, sent_len), 0x14010101);
	ck_assert_uint_eq(resolver_waiting(resolver), 0);
	/* Once more, to nobody; and to a stranger in the same place. */
	reply(first, NULL);
	ck_assert_int_eq(ask_a("c.example", 200), RESOLVER_LATER);
	ck_assert_uint_ne(waiter, first);
	reply(first, NULL);
	reply(0, NULL);
	reply(UINT64_MAX, NULL);
	ck_assert_uint_eq(sent_count, 1);
	ck_assert_uint_eq(resolver_waiting(resolver), 1);
	check_sum();
}
END_TEST

/* A plain reply is passed on as it stands, and that is what deciding on it comes to. */
START_TEST(plain_reply)
{
	static uint8_t first[RESOLVER_MESSAGE_MAX];
	static const char *const names[] = { "a.example", "A.exAmple", "vm-asr-pod01.example" };
	static const uint16_t flags[] = { FLAG_RD, FLAG_RD | FLAG_AD, FLAG_RD | FLAG_CD };
	struct ask ask = { .type = TYPE_A, .class = CLASS_IN, .udp_size = 1232 };
	size_t first_len = 0;
	unsigned i;

	for (i = 0; i < 72; i++) {
		tell_plain = i % 2;
		ask.edns = i / 2 % 2;
		ask.do_bit = ask.edns && i / 4 % 2;
		ask.flags = flags[i / 8 % 3];
		ask.name = names[i / 24];
		ck_assert_int_eq(receive(&ask, 100), RESOLVER_LATER);
		reply(waiter, NULL);
		ck_assert_uint_eq(sent_count, i + 1);
		if (tell_plain) {
			ck_assert_uint_eq(sent_len, first_len);
			ck_assert_mem_eq(sent, first, sent_len);
		}
		memcpy(first, sent, sent_len);
		first_len = sent_len;
	}
	ck_assert_uint_eq(counter_get(&resolver_counters(resolver)->forwarded), 72);
	ck_assert_uint_eq(counter_get(&resolver_counters(resolver)->noerror), 72);
	/* The log has its line, which needs the name. */
	view->log_queries = true;
	ck_assert_int_eq(ask_a("a.example", 100), RESOLVER_LATER);
	reply(waiter, NULL);
	ck_assert_uint_eq(told, 1);
	check_sum();
}
END_TEST

/* A reload lands while the reply is outstanding: the new records count. */
/* Asked for on every transport; a keepalive makes sense on streams, padding where it hides. */
START_TEST(transports)
{
	static const struct {
		bool stream, tls;
	} rows[] = { { false, false }, { true, false }, { true, true } };
	struct writer_opt opt = {
		.udp_size = 1232, .ede = EDE_NONE, .keepalive = true, .pad_block = 128
	};
	static const char *const names[] = { HELD, "localhost", "a.example" };
	struct writer writer;
	struct name name;
	uint8_t query[512];
	size_t i, j, len;

	for (i = 0; i < 3; i++) {
		client.stream = rows[i].stream;
		client.tls = rows[i].tls;
		client.idle_ds = 77;
		for (j = 0; j < 3; j++) {
			name_of(&name, names[j]);
			writer_init(&writer, query, sizeof(query), 0x1234, FLAG_RD);
			writer_question(&writer, name.wire, TYPE_A, CLASS_IN);
			writer_opt(&writer, &opt);
			len = writer_finish(&writer);
			ck_assert_uint_eq(len, 128);
			if (resolver_receive(resolver, &client, query, len, 0, out, &out_len) ==
			    RESOLVER_LATER) {
				reply(waiter, NULL);
				memcpy(out, sent, sent_len);
				out_len = sent_len;
			}
			ck_assert_uint_eq(out_len % 468 == 0, rows[i].tls);
			ck_assert((memmem(out, out_len, "\0\x0b\0\2\0\x4d", 6) != NULL) ==
				  rows[i].stream);
		}
	}
	client.stream = client.tls = false;
}
END_TEST

START_TEST(reload_while_waiting)
{
	struct view *empty = make_view(false);

	resolver_use_view(resolver, empty);
	ck_assert_int_eq(ask_a("a.example", 100), RESOLVER_LATER);
	resolver_use_view(resolver, view);
	reply(waiter, HELD);
	ck_assert_uint_eq(sent_count, 1);
	ck_assert_uint_eq(address_in(sent, sent_len), 0x0a000005);
	resolver_use_view(resolver, empty);
	ck_assert_int_eq(ask_a(HELD, 100), RESOLVER_LATER);
	resolver_use_view(resolver, view);
	reply(waiter, NULL);
	ck_assert_uint_eq(sent_count, 2);
	ck_assert_uint_eq(address_in(sent, sent_len), 0x0a000005);
	check_sum();
	view_free(empty);
}
END_TEST

START_TEST(deadline)
{
	uint64_t late;

	ck_assert_int_eq(resolver_expire(resolver, 0), -1);
	ck_assert_int_eq(ask_a("a.example", 100), RESOLVER_LATER);
	late = waiter;
	client.stream = true;
	ck_assert_int_eq(ask_a("b.example", 600), RESOLVER_LATER);
	client.stream = false;
	ck_assert_int_eq(resolver_expire(resolver, 4099), 1);
	ck_assert_int_eq(resolver_expire(resolver, 4100), 500);
	ck_assert_uint_eq(sent_count, 1);
	ck_assert_uint_eq(forgotten, 1);
	ck_assert_uint_eq(sent[3] & 15, RCODE_SERVFAIL);
	ck_assert_uint_eq(sent[11], 1);
	reply(late, NULL);
	ck_assert_uint_eq(sent_count, 1);
	/* Nobody is there any more. */
	resolver_client_gone(resolver, 0, 7);
	ck_assert_int_eq(resolver_expire(resolver, 9000), -1);
	ck_assert_uint_eq(sent_count, 1);
	ck_assert_uint_eq(resolver_waiting(resolver), 0);
	check_sum();
}
END_TEST

/* The upstream is dead, but a reload has brought the name meanwhile. */
START_TEST(deadline_after_reload)
{
	struct view *empty = make_view(false);

	resolver_use_view(resolver, empty);
	ck_assert_int_eq(ask_a(HELD, 100), RESOLVER_LATER);
	resolver_use_view(resolver, view);
	ck_assert_int_eq(resolver_expire(resolver, 4100), -1);
	ck_assert_uint_eq(sent_count, 1);
	ck_assert_uint_eq(address_in(sent, sent_len), 0x0a000005);
	check_sum();
	view_free(empty);
}
END_TEST

START_TEST(limits)
{
	struct name name;

	ck_assert_int_eq(ask_a("a.example", 0), RESOLVER_LATER);
	ck_assert_int_eq(ask_a("b.example", 0), RESOLVER_LATER);
	ck_assert_int_eq(ask_a("c.example", 0), RESOLVER_ANSWER);
	ck_assert_uint_eq(out[3] & 15, RCODE_SERVFAIL);
	name_of(&name, "c.example");
	resolver_explain(resolver, &name, TYPE_A, 0, on_explained, NULL);
	ck_assert_uint_eq(explained_count, 1);
	ck_assert_int_eq(ask_a(HELD, 0), RESOLVER_ANSWER);
	ck_assert_uint_eq(address_in(out, out_len), 0x0a000005);
	reply(waiter, NULL);
	full = true;
	ck_assert_int_eq(ask_a("c.example", 0), RESOLVER_ANSWER);
	ck_assert_uint_eq(out[3] & 15, RCODE_SERVFAIL);
	check_sum();
}
END_TEST

/* One link a reply, the first ones cached: what is cached costs nothing of what a query may wait
 * for. */
START_TEST(half_cached_chain)
{
	char from[32], to[32];
	int i;

	for (i = 0; i < 8; i++) {
		sprintf(from, "c%d.example", i);
		sprintf(to, "c%d.example", i + 1);
		cache(from, to);
	}
	ck_assert_int_eq(ask_a("c0.example", 0), RESOLVER_LATER);
	for (; i < 16; i++) {
		sprintf(to, "c%d.example", i + 1);
		ck_assert_uint_eq(sent_count, 0);
		reply(waiter, to);
	}
	reply(waiter, NULL);
	ck_assert_uint_eq(sent_count, 1);
	ck_assert_uint_eq(address_in(sent, sent_len), 0x14010101);
	check_sum();
}
END_TEST

/* Header, question, OPT: SERVFAIL with an EDE that says why. */
static void check_loop(void)
{
	ck_assert_uint_eq(out[3] & 15, RCODE_SERVFAIL);
	ck_assert_ptr_nonnull(memmem(out, out_len, "forwarding loop", 15));
}

START_TEST(loops)
{
	const struct resolver_counters *c = resolver_counters(resolver);

	ck_assert_int_eq(ask_a("probe.a.example", 0), RESOLVER_ANSWER);
	check_loop();
	ck_assert_uint_eq(asked_count, 0);
	looped = true;
	ck_assert_int_eq(ask_a("a.example", 0), RESOLVER_ANSWER);
	check_loop();
	ck_assert_uint_eq(counter_get(&c->loops), 2);
	ck_assert_uint_eq(counter_get(&c->servfail), 2);
	/* What is held never goes out, so it cannot come back. */
	ck_assert_int_eq(ask_a(HELD, 0), RESOLVER_ANSWER);
	ck_assert_uint_eq(counter_get(&c->loops), 2);
	looped = false;
	/* Who asks is told of a client's own question, and of no other name or turn. */
	ck_assert_int_eq(addr_parse(&client.from, "127.0.0.10@999", 0), 0);
	ck_assert_int_eq(addr_parse(&client.to, "127.0.0.5@53", 0), 0);
	ck_assert_int_eq(ask_a("B.Example", 0), RESOLVER_LATER);
	ck_assert(addr_equal(&asked_from, &client.from));
	ck_assert(!asked_here);
	reply(waiter, "c.example");
	ck_assert_int_eq(asked_from.any.sa_family, AF_UNSPEC);
	cache("d.example", "e.example");
	ck_assert_int_eq(ask_a("d.example", 0), RESOLVER_LATER);
	ck_assert_int_eq(asked_from.any.sa_family, AF_UNSPEC);
	/* Programs on this machine all ask from the same address. */
	ck_assert_int_eq(addr_parse(&client.from, "127.0.0.5@999", 0), 0);
	resolver_expire(resolver, RESOLVER_DEADLINE_MS);
	ck_assert_int_eq(ask_a("f.example", 0), RESOLVER_LATER);
	ck_assert(asked_here);
	ck_assert_int_eq(addr_parse(&client.from, "127.0.0.1@999", 0), 0);
	ck_assert_int_eq(ask_a("g.example", 0), RESOLVER_LATER);
	ck_assert(asked_here);
	check_sum();
}
END_TEST

/* Asked by the operator: neither counted nor told. */
/* From 1.8 s on what is past its time will do: once, with what it is told by. */
START_TEST(stale_after_a_while)
{
	uint64_t first;

	ck_assert_int_eq(ask_a("a.example", 1000), RESOLVER_LATER);
	first = waiter;
	keep_stale("a.example", NULL);
	ck_assert_int_eq(ask_a("b.example", 1500), RESOLVER_LATER);
	ck_assert_int_eq(resolver_expire(resolver, 2799), 1);
	ck_assert_uint_eq(sent_count, 0);
	ck_assert_int_eq(resolver_expire(resolver, 2800), 500);
	ck_assert_uint_eq(sent_count, 1);
	ck_assert_uint_eq(sent[3] & 15, RCODE_NOERROR);
	ck_assert_msg(!(sent[3] & FLAG_AD), "what is stale is not vouched for");
	ck_assert_uint_eq(address_in(sent, sent_len), 0x14010101);
	ck_assert_uint_eq(ttl_in(sent, sent_len), 30);
	ck_assert_int_eq(errors_in(sent, sent_len), 100 * EDE_STALE_ANSWER + EDE_NETWORK_ERROR);
	ck_assert_uint_eq(resolver_waiting(resolver), 1);
	ck_assert_uint_eq(counter_get(&resolver_counters(resolver)->stale), 1);
	/* What comes then is for the cache alone. */
	reply(first, NULL);
	ck_assert_uint_eq(sent_count, 1);
	/* The other has nothing stale: it waits to its end, asked about once. */
	ck_assert_int_eq(resolver_expire(resolver, 3300), 5500 - 3300);
	ck_assert_int_eq(resolver_expire(resolver, 3400), 5500 - 3400);
	ck_assert_uint_eq(sent_count, 1);
	ck_assert_int_eq(resolver_expire(resolver, 5500), -1);
	ck_assert_uint_eq(sent_count, 2);
	ck_assert_uint_eq(sent[3] & 15, RCODE_SERVFAIL);
	ck_assert_uint_eq(asked_count, 2);
	check_sum();
}
END_TEST

START_TEST(stale_when_upstreams_fail)
{
	keep_stale("a.example", NULL);
	stale[0].data[3] |= RCODE_NXDOMAIN;
	stale[0].data[7] = 0;
	stale[0].len = DNS_HEADER_LEN + stale[0].name.len + 4u;
	ck_assert_int_eq(ask_a("a.example", 1000), RESOLVER_LATER);
	no_answer(waiter);
	ck_assert_uint_eq(sent_count, 1);
	ck_assert_uint_eq(sent[3] & 15, RCODE_NXDOMAIN);
	ck_assert_int_eq(errors_in(sent, sent_len), 100 * EDE_STALE_NXDOMAIN + EDE_NETWORK_ERROR);
	/* Not where it is off. */
	serves_stale = false;
	ck_assert_int_eq(ask_a("a.example", 1000), RESOLVER_LATER);
	no_answer(waiter);
	ck_assert_uint_eq(sent[3] & 15, RCODE_SERVFAIL);
	ck_assert_int_eq(errors_in(sent, sent_len), 100 * EDE_NO_REACHABLE_AUTHORITY);
	/* Nor without RD. */
	serves_stale = true;
	ck_assert_int_eq(
		receive(&(struct ask){ "a.example", TYPE_A, CLASS_IN, 0, true, 0, 1232, false },
			1000),
		RESOLVER_ANSWER);
	ck_assert_uint_eq(out[3] & 15, RCODE_REFUSED);
	/* At once where a limit is met, and where no query is free. */
	full = true;
	ck_assert_int_eq(ask_a("a.example", 1000), RESOLVER_ANSWER);
	ck_assert_int_eq(errors_in(out, out_len), 100 * EDE_STALE_NXDOMAIN + EDE_NETWORK_ERROR);
	full = false;
	ck_assert_int_eq(ask_a("b.example", 1000), RESOLVER_LATER);
	ck_assert_int_eq(ask_a("c.example", 1000), RESOLVER_LATER);
	ck_assert_int_eq(ask_a("a.example", 1000), RESOLVER_ANSWER);
	ck_assert_int_eq(errors_in(out, out_len), 100 * EDE_STALE_NXDOMAIN + EDE_NETWORK_ERROR);
	ck_assert_int_eq(ask_a("d.example", 1000), RESOLVER_ANSWER);
	ck_assert_uint_eq(out[3] & 15, RCODE_SERVFAIL);
	check_sum();
}
END_TEST

/* A chain that is stale leads into our records, and to what must be asked for. */
START_TEST(stale_links)
{
	struct view *old = view;
	uint64_t first;

	keep_stale("a.example", HELD);
	ck_assert_int_eq(ask_a("a.example", 1000), RESOLVER_LATER);
	resolver_expire(resolver, 2800);
	ck_assert_uint_eq(sent_count, 1);
	ck_assert_uint_eq(address_in(sent, sent_len), 0x0a000005);
	ck_assert_int_eq(errors_in(sent, sent_len), 100 * EDE_STALE_ANSWER + EDE_NETWORK_ERROR);
	/* By the records of now. */
	ck_assert_int_eq(ask_a("a.example", 1000), RESOLVER_LATER);
	view = make_view(false);
	resolver_use_view(resolver, view);
	view_free(old);
	keep_stale(HELD, NULL);
	resolver_expire(resolver, 2800);
	ck_assert_uint_eq(sent_count, 2);
	ck_assert_uint_eq(address_in(sent, sent_len), 0x14010101);
	/* What must be private is, however old. */
	keep_stale("x.example", "secret.blob.core.windows.net");
	keep_stale("secret.blob.core.windows.net", NULL);
	ck_assert_int_eq(ask_a("x.example", 1000), RESOLVER_LATER);
	resolver_expire(resolver, 2800);
	ck_assert_uint_eq(sent_count, 3);
	ck_assert_uint_eq(sent[3] & 15, RCODE_SERVFAIL);
	ck_assert_int_eq(errors_in(sent, sent_len), 100 * EDE_BLOCKED);
	/* The second link is not there at all: it is asked while the first still is. */
	keep_stale("b.example", "c.example");
	ck_assert_int_eq(ask_a("b.example", 1000), RESOLVER_LATER);
	first = waiter;
	asked_count = 0;
	resolver_expire(resolver, 2800);
	ck_assert_uint_eq(asked_count, 1);
	ck_assert_uint_eq(waiter, first);
	ck_assert_uint_eq(sent_count, 3);
	reply(first, NULL);
	ck_assert_uint_eq(sent_count, 4);
	ck_assert_uint_eq(address_in(sent, sent_len), 0x14010101);
	ck_assert_int_eq(errors_in(sent, sent_len), 100 * EDE_STALE_ANSWER + EDE_NETWORK_ERROR);
	ck_assert_uint_eq(asked_count, 1);
	check_sum();
}
END_TEST

/* Waiting for one silent group must leave room for those who ask another. */
START_TEST(a_group_has_its_share)
{
	struct resolver_conf conf = { .queries_max = 8, .send = on_send, .event = on_event };
	char text[32];
	unsigned i;

	resolver_free(resolver);
	resolver = resolver_new(&conf, NULL);
	resolver_use_view(resolver, view);
	for (i = 0; i < 6; i++) {
		sprintf(text, "n%u.example", i);
		ck_assert_int_eq(ask_a(text, 0), RESOLVER_LATER);
	}
	ck_assert_int_eq(ask_a("n6.example", 0), RESOLVER_ANSWER);
	ck_assert_uint_eq(out[3] & 15, RCODE_SERVFAIL);
	ck_assert_uint_eq(counter_get(&resolver_counters(resolver)->refused_share), 1);
	ck_assert_uint_eq(asked_count, 6);
	check_sum();
	reply(waiter, NULL);
	ck_assert_int_eq(ask_a("n6.example", 0), RESOLVER_LATER);
	resolver_expire(resolver, RESOLVER_DEADLINE_MS);
	ck_assert_uint_eq(resolver_waiting(resolver), 0);
	ck_assert_int_eq(ask_a("n7.example", 0), RESOLVER_LATER);
	check_sum();
}
END_TEST

/* Who goes takes his queries along and nobody else's, in whatever order they end. */
START_TEST(connections_go)
{
	struct resolver_conf conf = { .queries_max = 64, .send = on_send, .event = on_event };
	uint64_t tokens[12];
	struct name names[12];
	char text[32];
	unsigned i;

	resolver_free(resolver);
	resolver = resolver_new(&conf, NULL);
	resolver_use_view(resolver, view);
	for (i = 0; i < 12; i++) {
		client.stream = i != 11;
		client.slot = i % 3;
		sprintf(text, "n%u.example", i);
		ck_assert_int_eq(ask_a(text, 0), RESOLVER_LATER);
		tokens[i] = waiter;
		names[i] = asked;
	}
	asked = names[4]; /* of slot 1 */
	reply(tokens[4], NULL);
	ck_assert_uint_eq(sent_count, 1);
	resolver_client_gone(resolver, 1, 6);
	resolver_client_gone(resolver, 1, 7);
	for (i = 1; i < 12; i += 3) {
		asked = names[i];
		reply(tokens[i], NULL);
	}
	ck_assert_uint_eq(sent_count, 1);
	resolver_client_gone(resolver, 2, 7);
	for (i = 0; i < 12; i++) {
		asked = names[i];
		reply(tokens[i], NULL);
	}
	/* Slot 0's four, and the datagram that bears the same numbers as a connection. */
	ck_assert_uint_eq(sent_count, 1 + 4 + 1);
	ck_assert_uint_eq(resolver_waiting(resolver), 0);
	client.stream = false;
}
END_TEST

/* Large replies that wait for the rest of their chain leave stores for what comes in. */
START_TEST(large_replies_are_let_go)
{
	struct resolver_conf conf = { .queries_max = 400, .send = on_send, .event = on_event };
	struct reply_store *free[LARGE];
	unsigned i, n = 0;
	char text[32];

	resolver_free(resolver);
	resolver = resolver_new(&conf, NULL);
	resolver_use_view(resolver, view);
	for (i = 0; i < 100; i++) {
		struct reply_store *store = store_take(pool, 40000);

		ck_assert_msg(store, "%u", i);
		sprintf(text, "n%u.example", i);
		ck_assert_int_eq(ask_a(text, 0), RESOLVER_LATER);
		store->reply.len = reply_of(&asked, "end.example", store->data);
		store->reply.ede = EDE_NONE;
		store->reply.ttl_cap_s = 86400;
		resolver_forwarded(resolver, waiter, &store->reply);
		store_drop(store);
	}
	ck_assert_uint_eq(sent_count, 0);
	ck_assert_uint_eq(resolver_waiting(resolver), 100);
	while (n < LARGE && (free[n] = store_take(pool, 40000)))
		n++;
	ck_assert_uint_eq(n, LARGE - LARGE / 2);
	ck_assert_uint_eq(counter_get(&resolver_counters(resolver)->unkept), 100 - LARGE / 2);
	while (n > 0)
		store_drop(free[--n]);
	/* All come back with the end of the queries. */
	resolver_expire(resolver, RESOLVER_DEADLINE_MS);
	ck_assert_uint_eq(resolver_waiting(resolver), 0);
	while (n < LARGE && (free[n] = store_take(pool, 40000)))
		n++;
	ck_assert_uint_eq(n, LARGE);
	while (n > 0)
		store_drop(free[--n]);
}
END_TEST

START_TEST(explain)
{
	struct name name;

	name_of(&name, "secret.blob.core.windows.net");
	resolver_explain(resolver, &name, TYPE_A, 0, on_explained, NULL);
	ck_assert_uint_eq(explained_count, 1);
	ck_assert_uint_eq(told, 0);
	ck_assert_int_eq(ask_a("secret.blob.core.windows.net", 0), RESOLVER_ANSWER);
	ck_assert_uint_eq(told, 1);
	name_of(&name, "a.example");
	resolver_explain(resolver, &name, TYPE_A, 0, on_explained, NULL);
	ck_assert_uint_eq(explained_count, 1);
	reply(waiter, HELD);
	ck_assert_uint_eq(explained_count, 2);
	ck_assert_uint_eq(counter_get(&resolver_counters(resolver)->queries), 1);
	check_sum();
}
END_TEST

static Suite *query_suite(void)
{
	Suite *suite = suite_create("query");
	TCase *tcase = tcase_create("query");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, refusals);
	tcase_add_test(tcase, chaos);
	tcase_add_test(tcase, opt_always_fits);
	tcase_add_test(tcase, without_recursion);
	tcase_add_test(tcase, waits);
	tcase_add_test(tcase, transports);
	tcase_add_test(tcase, plain_reply);
	tcase_add_test(tcase, reload_while_waiting);
	tcase_add_test(tcase, deadline);
	tcase_add_test(tcase, deadline_after_reload);
	tcase_add_test(tcase, limits);
	tcase_add_test(tcase, half_cached_chain);
	tcase_add_test(tcase, loops);
	tcase_add_test(tcase, stale_after_a_while);
	tcase_add_test(tcase, stale_when_upstreams_fail);
	tcase_add_test(tcase, stale_links);
	tcase_add_test(tcase, a_group_has_its_share);
	tcase_add_test(tcase, connections_go);
	tcase_add_test(tcase, large_replies_are_let_go);
	tcase_add_test(tcase, explain);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(query_suite)
