/* SPDX-License-Identifier: MIT */
/*
 * The way from a query's octets to its answer's without any socket, for `instructions` to count.
 *
 *     pure KIND COUNT        KIND: local, private, nodata, cached, cut
 *
 * One resolver over 1,000 held names and a cache of 1,000 answers, asked COUNT times in a row;
 * callgrind counts what happens inside `counted`. The cache is filled the way it is in life,
 * from an upstream on loopback, before the counting. Every answer's rcode and number of records is
 * looked at, so that nothing fast and wrong is counted.
 */
#include <arpa/inet.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "forward/forward.h"
#include "resolve/query.h"
#include "wire/cursor.h"
#include "wire/message.h"
#include "wire/writer.h"
#include "zone/builder.h"
#include "zone/table.h"

#define NAMES 1000

static const struct kind {
	const char *word, *format; /* of the name, from its number */
	uint16_t type;
	unsigned answers;
	bool warm; /* to be asked once before, and answered by the upstream */
} kinds[] = {
	{ "local", "acct%u.blob.core.windows.net", TYPE_A, 2, false },
	{ "private", "acct%u.privatelink.blob.core.windows.net", TYPE_A, 1, false },
	{ "nodata", "acct%u.blob.core.windows.net", TYPE_AAAA, 1, false },
	{ "cached", "host%u.cached.example", TYPE_A, 1, true },
	{ "cut", "alias%u.cached.example", TYPE_A, 3, true },
};

static struct event_base *base;
static struct resolver *resolver;
static struct client client;
static uint8_t out[RESOLVER_MESSAGE_MAX];
static unsigned sent;
static int upstream_fd;

static void die(const char *what)
{
	fprintf(stderr, "pure: %s\n", what);
	exit(1);
}

static void name_of(struct name *ret, const char *text)
{
	if (name_from_text(ret, text, strlen(text)) < 0)
		die(text);
}

static size_t query_of(const struct kind *kind, unsigned i, uint8_t *data)
{
	struct writer_opt opt = { .udp_size = 1232, .ede = EDE_NONE };
	struct writer writer;
	struct name name;
	char text[128];

	snprintf(text, sizeof(text), kind->format, i);
	name_of(&name, text);
	writer_init(&writer, data, 512, (uint16_t)i, FLAG_RD);
	writer_question(&writer, name.wire, kind->type, CLASS_IN);
	writer_opt(&writer, &opt);
	return writer_finish(&writer);
}

/* ---- the upstream ---- */

/* host*: an address; alias*: a CNAME to the held name of that number. */
static void answer_upstream(void)
{
	uint8_t in[512], reply[512];
	struct message_query query;
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);
	ssize_t len = recvfrom(upstream_fd, in, sizeof(in), MSG_DONTWAIT, (struct sockaddr *)&from,
			       &from_len);
	char text[NAME_TEXT_MAX];
	struct writer writer;
	struct name target;
	unsigned i;

	if (len < 0)
		return;
	if (message_read_query(&query, in, (size_t)len) != MESSAGE_OK)
		die("the upstream was asked nonsense");
	writer_init(&writer, reply, sizeof(reply), query.id, FLAG_QR | FLAG_RD | FLAG_RA);
	writer_question(&writer, query.name.wire, query.type, CLASS_IN);
	name_to_text(query.name.fold, text);
	if (sscanf(text, "alias%u.", &i) == 1) {
		snprintf(text, sizeof(text), "acct%u.blob.core.windows.net", i);
		name_of(&target, text);
		writer_record(&writer, SECTION_ANSWER, query.name.wire, TYPE_CNAME, 3600,
			      target.wire, target.len);
	} else {
		writer_record(&writer, SECTION_ANSWER, query.name.wire, TYPE_A, 3600,
			      (const uint8_t *)"\300\0\2\1", 4);
	}
	len = (ssize_t)writer_finish(&writer);
	(void)!sendto(upstream_fd, reply, (size_t)len, 0, (struct sockaddr *)&from, from_len);
}

static void listen_upstream(union addr *ret)
{
	socklen_t len = sizeof(*ret);

	upstream_fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (addr_parse(ret, "127.0.0.1", 0) < 0 || upstream_fd < 0 ||
	    bind(upstream_fd, &ret->any, addr_len(ret)) < 0 ||
	    getsockname(upstream_fd, &ret->any, &len) < 0)
		die("no socket");
}

/* ---- what is asked ---- */

static struct table *make_table(struct zones *zones)
{
	struct builder_conf conf = { .path = "pure", .ttl_max = 86400 };
	struct table_conf table_conf = { .ptr = true };
	struct complaints complaints = { 0 };
	struct builder *builder = builder_new(zones, &conf, &complaints);
	struct record_set *set;
	struct table *table;
	struct name name;
	char text[128];
	unsigned i;

	for (i = 0; i < NAMES; i++) {
		uint8_t address[4] = { 10, 1, (uint8_t)(i >> 8), (uint8_t)i };

		snprintf(text, sizeof(text), "acct%u.blob.core.windows.net", i);
		name_of(&name, text);
		builder_add(builder, &name, TYPE_A, 10, address, sizeof(address), i + 1);
	}
	set = builder_finish(builder);
	builder_free(builder);
	table = table_new(zones, &set, 1, &table_conf, &complaints);
	record_set_unref(set);
	return table;
}

static struct view *make_view(struct upstreams *upstreams)
{
	struct upstream_conf upstream = { 0 };
	struct name root;
	struct upstream_group_conf group = { .zone = &root, .upstreams = &upstream, .count = 1 };
	struct view *view = view_new();
	uint16_t number;

	view->generation = 1;
	view->zones = zones_new();
	view->routes = routes_new();
	name_of(&root, ".");
	listen_upstream(&upstream.addr);
	if (zones_add_preset(view->zones, "azure-migrate", ZONE_TRANSPARENT, NULL) < 0 ||
	    zones_seal(view->zones, NULL) < 0 ||
	    upstreams_group(upstreams, &group, &number, NULL) < 0 ||
	    routes_add(view->routes, &root, number, NULL) < 0 ||
	    routes_seal(view->routes, NULL) < 0)
		die("no view");
	view->table = make_table(view->zones);
	view->allow.loopback = true;
	return view;
}

static void on_send(void *arg, const struct client *to, const uint8_t *message, size_t len)
{
	(void)arg;
	(void)to;
	(void)message;
	(void)len;
	sent++;
}

static size_t ask(const uint8_t *query, size_t len, uint64_t now_ms)
{
	size_t out_len = 0;

	enum resolver_verdict verdict =
		resolver_receive_some(resolver, &client, query, len, now_ms, out, &out_len);
	struct client to;

	if (verdict == RESOLVER_PUT_OFF)
		verdict = resolver_resume(resolver, &to, out, &out_len);
	return verdict == RESOLVER_ANSWER ? out_len : 0;
}

/* Not inlined, so that callgrind finds it by name. */
static __attribute__((noinline)) size_t counted(const uint8_t *query, size_t len, uint64_t now_ms)
{
	return ask(query, len, now_ms);
}

static void warm(const struct kind *kind)
{
	uint8_t query[512];
	unsigned i;

	for (i = 0; i < NAMES; i++) {
		uint64_t end_ms = clock_now_ms() + 5000;

		sent = 0;
		if (ask(query, query_of(kind, i, query), clock_now_ms()))
			continue;
		while (!sent && clock_now_ms() < end_ms) {
			answer_upstream();
			event_base_loop(base, EVLOOP_NONBLOCK);
		}
		if (!sent)
			die("no answer came from upstream");
		/* The first hit finds out what is then remembered (resolve/memo.h). */
		if (!ask(query, query_of(kind, i, query), clock_now_ms()))
			die("nothing was cached");
	}
}

static void run(const struct kind *kind, unsigned count)
{
	static uint8_t query[NAMES][128];
	static size_t len[NAMES];
	uint64_t now_ms = clock_now_ms();
	unsigned i;

	for (i = 0; i < NAMES; i++)
		len[i] = query_of(kind, i, query[i]);
	for (i = 0; i < count; i++) {
		size_t out_len = counted(query[i % NAMES], len[i % NAMES], now_ms);
		struct cursor cursor = cursor_over(out, out_len);
		unsigned records;

		cursor_seek(&cursor, 6);
		records = cursor_u16(&cursor);
		if (cursor.bad || (out[3] & 15) != RCODE_NOERROR || records != kind->answers) {
			fprintf(stderr, "pure: a wrong answer: %u records, rcode %u\n", records,
				out[3] & 15);
			exit(1);
		}
	}
}

int main(int argc, char **argv)
{
	struct forward_conf forward_conf = {
		.limits = { .cache_bytes = 4 << 20, .ttl_max_s = 86400, .negative_ttl_max_s = 900 },
		.inflight_max = 64,
		.waiters_max = 16,
		.sockets_max = 64,
		.conns = { .max = 8, .questions_max = 10, .idle_ms = 10000 },
		.datagrams_max = 48,
		.near_misses_max = 8,
		.large_max = 64,
		.probes_max = 32,
		.loop_probes_max = 8,
		.workers = 1
	};
	struct resolver_conf resolver_conf = { .queries_max = 64, .send = on_send };
	const struct kind *kind = NULL;
	struct forward_shared *shared;
	struct upstreams *upstreams;
	struct forward *forward;
	struct view *view;
	struct err err;
	unsigned i;

	for (i = 0; argc == 3 && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].word, argv[1]) == 0)
			kind = &kinds[i];
	if (!kind) {
		fprintf(stderr, "usage: pure local|private|nodata|cached|cut COUNT\n");
		return 2;
	}
	base = event_base_new();
	upstreams = upstreams_new();
	view = make_view(upstreams);
	shared = forward_shared_new(&forward_conf, upstreams, &err);
	resolver = resolver_new(&resolver_conf, &err);
	forward = shared && resolver
			  ? forward_new(shared, 0, base, resolver_forwarded, resolver, &err)
			  : NULL;
	if (!forward)
		die(err.text);
	resolver_use_forward(resolver, forward);
	resolver_use_view(resolver, view);
	addr_parse(&client.from, "127.0.0.1", 4000);
	addr_parse(&client.to, "127.0.0.1", 53);
	if (kind->warm)
		warm(kind);
	run(kind, (unsigned)atoi(argv[2]));
	forward_free(forward);
	resolver_free(resolver);
	forward_shared_free(shared);
	view_free(view);
	upstreams_free(upstreams);
	event_base_free(base);
	close(upstream_fd);
	return 0;
}
