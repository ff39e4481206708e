/* SPDX-License-Identifier: MIT */
/*
 * The packet path allocates nothing after warm-up: a whole worker (sockets, resolver, forwarder)
 * answers thousands of local, cached and forwarded questions over UDP and TCP, and its thread must
 * not have called malloc, calloc, realloc, free or a relative of theirs once.
 *
 * They are defined here, in the program itself, so that shared libraries meet them too (--wrap
 * would show only our own calls). Only threads that are not the test's count.
 *
 * Warm-up is the same work once before, and a connection on each descriptor number there may be:
 * libevent keeps a struct for each number from its first use on.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "forward/forward.h"
#include "net/random.h"
#include "serve/listen.h"
#include "serve/worker.h"
#include "unit/responder.h"
#include "unit/unit.h"
#include "unit/zonekit.h"

#ifndef __has_feature
#define __has_feature(what) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||           \
	__has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
	__has_feature(memory_sanitizer)
#define WHY_SKIPPED "a sanitizer brings its own malloc"
#elif !defined(__GLIBC__)
#define WHY_SKIPPED "only the GNU C library offers its malloc under a second name"
#else
#define WHY_SKIPPED NULL
#define COUNTS_CALLS
#endif

/* ---- counting ---- */

static _Thread_local bool is_of_test;
static _Atomic unsigned calls;
static void *_Atomic first_caller; /* for whoever looks for it with a debugger or addr2line */

#ifdef COUNTS_CALLS

static void note_call(void *caller)
{
	void *none = NULL;

	if (is_of_test)
		return;
	calls++;
	atomic_compare_exchange_strong(&first_caller, &none, caller);
}

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *old);

void *malloc(size_t size)
{
	note_call(__builtin_return_address(0));
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	note_call(__builtin_return_address(0));
	return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	note_call(__builtin_return_address(0));
	return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size)
{
	note_call(__builtin_return_address(0));
	return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	note_call(__builtin_return_address(0));
	return __libc_memalign(alignment, size);
}

int posix_memalign(void **ret, size_t alignment, size_t size)
{
	note_call(__builtin_return_address(0));
	*ret = __libc_memalign(alignment, size);
	return *ret ? 0 : ENOMEM;
}

void free(void *old)
{
	note_call(__builtin_return_address(0));
	__libc_free(old);
}

#endif

/* ---- the upstream ---- */

#define HELD "acct.blob.core.windows.net"
#define HELD_PRIVATE "acct.privatelink.blob.core.windows.net"

/* `lost...`: the first datagram of each stays unanswered. */
static size_t answer_second(struct responder *r, const struct message_query *query,
			    const uint8_t *data, bool tcp, uint8_t *out)
{
	static struct name lost;

	if (lost.len && name_equal(&query->name, &lost))
		return responder_address(r, query, data, tcp, out);
	lost = query->name;
	return 0;
}

/* `via...`: a CNAME to a name that we hold, and where it leads outside. */
static size_t answer_alias(const struct message_query *query, const uint8_t *data, uint8_t *out)
{
	struct name target = kit_name(HELD);
	struct writer writer;

	responder_begin(&writer, query, data, RCODE_NOERROR, out);
	writer_record(&writer, SECTION_ANSWER, query->name.wire, TYPE_CNAME, 300, target.wire,
		      target.len);
	writer_record(&writer, SECTION_ANSWER, target.wire, TYPE_A, 300,
		      (const uint8_t *)"\xc0\0\2\11", 4);
	return writer_finish(&writer);
}

/* `big...`: cut over UDP, 6 KB over TCP. */
static size_t answer_big(const struct message_query *query, const uint8_t *data, bool tcp,
			 uint8_t *out)
{
	uint8_t text[255] = { 254 };
	struct writer writer;
	unsigned i;

	responder_begin(&writer, query, data, RCODE_NOERROR, out);
	if (!tcp)
		writer_set_flags(&writer, FLAG_TC, 0);
	for (i = 0; tcp && i < 24; i++) {
		text[1] = (uint8_t)i;
		writer_record(&writer, SECTION_ANSWER, query->name.wire, TYPE_TXT, 300, text, 255);
	}
	return writer_finish(&writer);
}

static size_t answer(struct responder *r, const struct message_query *query, const uint8_t *data,
		     bool tcp, uint8_t *out)
{
	is_of_test = true;
	switch (query->name.fold[1]) {
	case 'b':
		return answer_big(query, data, tcp, out);
	case 'l':
		return answer_second(r, query, data, tcp, out);
	case 'v':
		return answer_alias(query, data, out);
	default:
		return responder_address(r, query, data, tcp, out);
	}
}

/* ---- the server ---- */

/* Connections of one client at once, and so descriptor numbers that are warmed up. */
#define CONNECTIONS 200
/* Client sockets get numbers from here, so that all lower ones are the worker's. */
#define CLIENT_FDS 600

static struct responder responder;
static struct upstreams *upstreams;
static struct forward_shared *forward;
static struct listeners *listeners;
static struct publish *publish;
static struct workers *workers;
static union addr server;

static void release_view(void *view)
{
	view_free(view);
}

static struct view *make_view(void)
{
	static struct kit_heard heard;
	struct upstream_conf upstream = { .addr = responder.addr };
	struct name root = kit_name(".");
	struct upstream_group_conf conf = { .zone = &root, .upstreams = &upstream, .count = 1 };
	struct view *view = view_new();
	uint16_t group;

	view->generation = 1;
	view->zones = kit_zones("azure-migrate");
	view->table = KIT_TABLE(view->zones, TABLE_CONFLICT_FIRST, &heard, HELD " 10 A 10.0.0.5");
	view->routes = routes_new();
	ck_assert_int_eq(upstreams_group(upstreams, &conf, &group, NULL), 0);
	ck_assert_int_eq(routes_add(view->routes, &root, group, NULL), 0);
	ck_assert_int_eq(routes_seal(view->routes, NULL), 0);
	view->allow.loopback = true;
	return view;
}

static void serve(void)
{
	struct workers_conf conf = WORKERS_CONF_DEFAULT;
	/* The cache is small, so that replies push one another out. */
	struct forward_conf forward_conf = { .limits = { .cache_bytes = 1 << 20,
							 .ttl_max_s = 86400,
							 .negative_ttl_max_s = 900,
							 .stale_s = 86400,
							 .prefetch = true },
					     .inflight_max = 256,
					     .waiters_max = 16,
					     .sockets_max = 32,
					     .conns = { 8, 10, 10000 },
					     .datagrams_max = 48,
					     .near_misses_max = 8,
					     .large_max = 64,
					     .probes_max = 32,
					     .loop_probes_max = 8,
					     .workers = 1 };
	struct err err = { "" };
	union addr addr;

	conf.tcp.per_client_max = conf.tcp.connections_max;
	ck_assert_int_eq(addr_parse(&addr, "127.0.0.1@0", 0), 0);
	responder_start(&responder, answer);
	upstreams = upstreams_new();
	listeners = listeners_new(&addr, 1, 1, &err);
	ck_assert_msg(listeners != NULL, "%s", err.text);
	server = *listeners_addr(listeners, 0);
	forward = forward_shared_new(&forward_conf, upstreams, &err);
	ck_assert_msg(forward != NULL, "%s", err.text);
	publish = publish_new(1, release_view);
	publish_offer(publish, make_view());
	workers = workers_new(&conf, listeners, publish, forward, NULL, &err);
	ck_assert_msg(workers != NULL, "%s", err.text);
	ck_assert_msg(workers_start(workers, &err) == 0, "%s", err.text);
}

static void unserve(void)
{
	workers_free(workers);
	publish_free(publish);
	forward_shared_free(forward);
	listeners_free(listeners);
	upstreams_free(upstreams);
	responder_stop(&responder);
}

/* ---- the clients ---- */

static int client(int type)
{
	struct timeval wait = { 5, 0 };
	int low = socket(AF_INET, type, 0), fd = fcntl(low, F_DUPFD, CLIENT_FDS);

	ck_assert_int_ge(fd, CLIENT_FDS);
	close(low);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)), 0);
	ck_assert_int_eq(connect(fd, &server.any, addr_len(&server)), 0);
	return fd;
}

static void ask(int fd, bool tcp, const char *text, uint16_t type)
{
	struct writer_opt opt = { .udp_size = 1232, .do_bit = true, .ede = EDE_NONE };
	struct name name = kit_name(text);
	struct writer writer;
	uint8_t out[512];
	size_t len;

	writer_init(&writer, out + 2, sizeof(out) - 2, 0x1234, FLAG_RD);
	writer_question(&writer, name.wire, type, CLASS_IN);
	writer_opt(&writer, &opt);
	len = writer_finish(&writer);
	out[0] = (uint8_t)(len >> 8);
	out[1] = (uint8_t)len;
	if (tcp)
		ck_assert_int_eq(send(fd, out, len + 2, MSG_NOSIGNAL), (ssize_t)len + 2);
	else
		ck_assert_int_eq(send(fd, out + 2, len, 0), (ssize_t)len);
}

/* The next answer, which must be a good one. */
static void hear(int fd, bool tcp)
{
	static uint8_t in[65536];
	ssize_t len;

	if (tcp) {
		ck_assert_int_eq(recv(fd, in, 2, MSG_WAITALL), 2);
		len = in[0] << 8 | in[1];
		ck_assert_int_eq(recv(fd, in, (size_t)len, MSG_WAITALL), len);
	} else {
		len = recv(fd, in, sizeof(in), 0);
	}
	ck_assert_int_gt(len, DNS_HEADER_LEN);
	ck_assert_uint_eq(in[3] & 0xf, RCODE_NOERROR);
}

/* A dozen questions at once, of all kinds; `round` makes new names. */
static void ask_mixed(int fd, bool tcp, unsigned round)
{
	static const struct {
		const char *format; /* with the round's number in it: never asked before */
		uint16_t type;
	} questions[] = {
		{ HELD, TYPE_A },
		{ HELD, TYPE_AAAA },
		{ HELD_PRIVATE, TYPE_A },
		{ HELD_PRIVATE, TYPE_HTTPS },
		{ "5.0.0.10.in-addr.arpa", TYPE_PTR },
		{ "known.test", TYPE_A },
		{ "known.test", TYPE_A },
		{ "via.test", TYPE_A },
		{ "new%u.test", TYPE_A },
		{ "new%u.a-longer-name.test", TYPE_A },
		{ "via%u.test", TYPE_A },
		{ "big%u.test", TYPE_TXT },
	};
	unsigned i, count = sizeof(questions) / sizeof(questions[0]);
	char text[64];

	for (i = 0; i < count; i++) {
		snprintf(text, sizeof(text), questions[i].format, 2 * round + tcp);
		ask(fd, tcp, text, questions[i].type);
	}
	for (i = 0; i < count; i++)
		hear(fd, tcp);
}

static void ask_rounds(unsigned from, unsigned to)
{
	int udp = client(SOCK_DGRAM), tcp = client(SOCK_STREAM), once;
	char text[64];

	for (; from < to; from++) {
		ask_mixed(udp, false, from);
		ask_mixed(tcp, true, from);
		once = client(SOCK_STREAM);
		ask(once, true, HELD, TYPE_A);
		hear(once, true);
		close(once);
	}
	snprintf(text, sizeof(text), "lost%u.test", from);
	ask(udp, false, text, TYPE_A);
	hear(udp, false);
	close(udp);
	close(tcp);
}

static void ask_on_all_descriptors(void)
{
	int fds[CONNECTIONS];
	unsigned i;

	for (i = 0; i < CONNECTIONS; i++)
		fds[i] = client(SOCK_STREAM);
	for (i = 0; i < CONNECTIONS; i++)
		ask(fds[i], true, HELD, TYPE_A);
	for (i = 0; i < CONNECTIONS; i++)
		hear(fds[i], true);
	for (i = 0; i < CONNECTIONS; i++)
		close(fds[i]);
}

/* 25 questions a round. */
#define ROUNDS_WARM 40
#define ROUNDS 240

START_TEST(no_allocation_after_warm_up)
{
	const struct forward_counters *counters;
	unsigned before;

	is_of_test = true;
	serve();
	ask_on_all_descriptors();
	ask_rounds(0, ROUNDS_WARM);
	ck_assert_uint_gt(calls, 0); /* they are counted at all */
	before = calls;
	first_caller = NULL;
	ask_rounds(ROUNDS_WARM, ROUNDS_WARM + ROUNDS);
	ck_assert_msg(calls == before, "%u calls of malloc and its like; the first from %p",
		      calls - before, first_caller);
	/* And it was the work that is meant. */
	counters = workers_counters(workers, 0).forward;
	ck_assert_uint_ge(counter_get(&counters->answered), 8 * ROUNDS);
	ck_assert_uint_ge(counter_get(&counters->hits), 4 * ROUNDS);
	ck_assert_uint_ge(counter_get(&counters->upstream.tcp), 2 * ROUNDS);
	ck_assert_uint_ge(counter_get(&counters->timeouts), 2);
	unserve();
}
END_TEST

static Suite *allocation_suite(void)
{
	Suite *suite = suite_create("allocation");
	TCase *tcase = tcase_create("allocation");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, no_allocation_after_warm_up);
	suite_add_tcase(suite, tcase);
	return suite;
}

/* Skipped by name where counting would mean nothing. */
int main(void)
{
	const char *preload = getenv("LD_PRELOAD"), *why = WHY_SKIPPED;
	SRunner *runner;
	int failed;

	if (!why && preload && strstr(preload, "vgpreload"))
		why = "valgrind brings its own malloc";
	if (why) {
		printf("1..0 # SKIP allocation: %s\n", why);
		return EXIT_SUCCESS;
	}
	is_of_test = true;
	runner = srunner_create(allocation_suite());
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
