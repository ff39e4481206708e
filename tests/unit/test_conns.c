/* SPDX-License-Identifier: MIT */
/*
 * upstream/conns against a peer that the test plays itself, in one thread, over TCP and TLS: frames
 * however they are cut, limits and shares, idle and silent ones, what breaks and what never stands.
 * Time is the test's, so nothing waits.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/certs.h"
#include "unit/unit.h"
#include "upstream/ask.h"
#include "upstream/conns.h"
#include "upstream/tls.h"

#define NOW 1000000

static char folder[64];
static struct upstreams *upstreams;
static struct upstream_counters counters;
static struct conns *conns;
static int epoll, listener[2];
static union addr addr[2];
static uint16_t member[UPSTREAMS_A_GROUP_MAX];
static struct tls_server *server;
static struct tls_session theirs;
static uint64_t now_ms;

static void make_folder(void)
{
	certs_make_folder(folder);
}

static void remove_folder(void)
{
	certs_remove_folder(folder);
}

static void make_conns(unsigned max, unsigned questions_max)
{
	struct conns_conf conf = { .epoll = epoll,
				   .limits = { max, questions_max, 10000 },
				   .upstreams = upstreams,
				   .counters = &counters };

	conns_free(conns);
	conns = conns_new(&conf);
	ck_assert_ptr_nonnull(conns);
}

static void add_upstreams(const struct upstream_conf *confs)
{
	struct upstream_group_conf conf = { .upstreams = confs, .count = 2 };
	struct name root;
	struct err err;
	uint16_t group;

	name_from_text(&root, ".", 1);
	conf.zone = &root;
	ck_assert_msg(upstreams_group(upstreams, &conf, &group, &err) == 0, "%s", err.text);
	upstreams_group_members(upstreams, group, member);
}

static void setup(void)
{
	struct upstream_conf confs[2] = { { .tls = false }, { .tls = false } };
	socklen_t len = sizeof(addr[0]);
	unsigned n;

	for (n = 0; n < 2; n++) {
		addr_parse(&addr[n], "127.0.0.1@0", 53);
		listener[n] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		ck_assert_int_eq(bind(listener[n], &addr[n].any, sizeof(addr[n].in4)), 0);
		ck_assert_int_eq(listen(listener[n], 64), 0);
		len = sizeof(addr[n]);
		ck_assert_int_eq(getsockname(listener[n], &addr[n].any, &len), 0);
		confs[n].addr = addr[n];
	}
	memset(&counters, 0, sizeof(counters));
	upstreams = upstreams_new();
	add_upstreams(confs);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	now_ms = NOW;
	make_conns(8, 10);
}

static void teardown(void)
{
	tls_session_fini(&theirs);
	conns_free(conns);
	conns = NULL;
	upstreams_free(upstreams);
	tls_server_free(server);
	server = NULL;
	close(epoll);
	close(listener[0]);
	close(listener[1]);
}

static int take(unsigned n)
{
	struct pollfd pollfd = { .fd = listener[n], .events = POLLIN };
	int fd;

	ck_assert_int_eq(poll(&pollfd, 1, 10000), 1);
	fd = accept(listener[n], NULL, NULL);
	ck_assert_int_ge(fd, 0);
	return fd;
}

static uint32_t pick(unsigned n)
{
	return conns_pick(conns, member[n], now_ms);
}

/* A query of twelve octets and more with this id. */
static bool ask(uint32_t conn, uint16_t id, size_t len)
{
	uint8_t query[ASK_LEN_MAX] = { (uint8_t)(id >> 8), (uint8_t)id };

	return conns_send(conns, conn, query, len);
}

/* Steps as the loop would take them, until something is to be told or nothing happens any more. */
static enum conns_verdict run(uint32_t *ret_conn)
{
	enum conns_verdict verdict = CONNS_WAIT;
	struct epoll_event event;

	while (verdict == CONNS_WAIT && epoll_wait(epoll, &event, 1, 100) == 1) {
		*ret_conn = (uint32_t)event.data.u64;
		verdict = conns_step(conns, *ret_conn, now_ms);
		if (verdict == CONNS_WAIT && !(event.events & ~(uint32_t)EPOLLOUT))
			conns_leave(conns, *ret_conn);
	}
	return verdict;
}

static void give(int fd, const void *data, size_t len)
{
	ck_assert_int_eq(send(fd, data, len, MSG_NOSIGNAL), (ssize_t)len);
}

static void get(int fd, void *data, size_t len)
{
	ck_assert_int_eq(recv(fd, data, len, MSG_WAITALL), (ssize_t)len);
}

/* Many questions share a connection; their answers come in another order and in pieces. */
START_TEST(shared)
{
	uint32_t conn, first = pick(0), told = CONNS_NONE;
	uint8_t in[5 * 16], out[] = { 0, 3, 0, 4, 'x', 0, 2, 0, 1 };
	const uint8_t *data;
	unsigned i, seen = 0;
	size_t len;
	int fd;

	ck_assert(ask(first, 0, 14));
	ck_assert(!conns_stands(conns, first));
	for (i = 1; i < 5; i++) {
		conn = pick(0);
		ck_assert_uint_eq(conn, first);
		ck_assert(ask(conn, (uint16_t)i, 14));
	}
	ck_assert_uint_eq(conns_open(conns), 1);
	ck_assert_int_eq(run(&told), CONNS_WAIT);
	ck_assert(conns_stands(conns, first));
	fd = take(0);
	get(fd, in, sizeof(in));
	for (i = 0; i < 5; i++) {
		ck_assert_uint_eq(in[16 * i + 1], 14);
		ck_assert_uint_eq(in[16 * i + 3], i);
	}
	for (i = 0; i < sizeof(out); i++) {
		give(fd, out + i, 1);
		ck_assert_int_eq(run(&told), CONNS_MESSAGES);
		while (conns_next(conns, told, &data, &len)) {
			ck_assert_uint_eq(i, seen == 0 ? 4 : 8);
			ck_assert_uint_eq(len, seen == 0 ? 3 : 2);
			ck_assert_uint_eq(data[1], seen == 0 ? 4 : 1);
			seen++;
		}
	}
	ck_assert_uint_eq(seen, 2);
	ck_assert(!conns_was_of_use(conns, first));
	conns_note_answer(conns, first, -1, now_ms);
	ck_assert(conns_was_of_use(conns, first));
	for (i = 0; i < 5; i++)
		conns_release(conns, first, now_ms);
	ck_assert_uint_eq(conns_open(conns), 1); /* kept */
	ck_assert_uint_eq(pick(0), first);
	close(fd);
}
END_TEST

/* The longest answer there can be. */
START_TEST(longest)
{
	static uint8_t out[2 + 65535] = { 0xff, 0xff };
	uint32_t conn = pick(0), told;
	enum conns_verdict verdict;
	const uint8_t *data;
	size_t at = 0, len;
	bool whole = false;
	int fd;

	ck_assert(ask(conn, 1, 14));
	run(&told);
	fd = take(0);
	out[sizeof(out) - 1] = 'z';
	while (!whole) {
		if (at < sizeof(out)) {
			ssize_t sent = send(fd, out + at, sizeof(out) - at, MSG_DONTWAIT);

			at += sent > 0 ? (size_t)sent : 0;
		}
		verdict = run(&told);
		ck_assert_int_ne(verdict, CONNS_BROKEN);
		whole = verdict == CONNS_MESSAGES && conns_next(conns, conn, &data, &len);
	}
	ck_assert_uint_eq(len, 65535);
	ck_assert_uint_eq(data[len - 1], 'z');
	close(fd);
}
END_TEST

/* One upstream gets its share, another its own; who finds none free is told so. */
START_TEST(limits)
{
	uint32_t conn, told;
	unsigned i, got = 0;

	for (i = 0; i < 10 * 8; i++) {
		conn = pick(0);
		if (conn == CONNS_NONE)
			break;
		got++;
	}
	ck_assert_uint_eq(conns_open(conns), 6); /* three quarters of eight */
	ck_assert_uint_eq(got, 60);
	ck_assert_uint_eq(counter_get(&counters.refused_connections), 1);
	conn = pick(1);
	ck_assert_uint_lt(conn, 8);
	ck_assert_uint_eq(conns_open(conns), 7);
	run(&told);
}
END_TEST

/* One on which nobody waits makes room for another upstream. */
START_TEST(room)
{
	uint32_t conn, told;

	make_conns(1, 10);
	conn = pick(0);
	ck_assert_uint_eq(pick(1), CONNS_NONE);
	run(&told);
	conns_release(conns, conn, now_ms);
	ck_assert_uint_eq(pick(1), conn);
	ck_assert_uint_eq(conns_open(conns), 1);
	ck_assert_uint_eq(counter_get(&counters.connections), 2);
}
END_TEST

/* A peer that takes nothing: what is kept for it has an end. */
START_TEST(backpressure)
{
	uint32_t conn, told;
	unsigned i;

	make_conns(1, 100000);
	conn = pick(0);
	for (i = 0; i < 100000; i++) {
		if (!ask(conn, (uint16_t)i, 512))
			break;
		if (i % 16 == 0)
			run(&told);
	}
	ck_assert_uint_lt(i, 100000);
	ck_assert_uint_gt(i, 200);
}
END_TEST

/* How long it is kept: our time, what the upstream says, and our bound for that. */
START_TEST(idle)
{
	static const struct {
		int32_t idle_ds;
		unsigned kept_ms;
	} rows[] = { { -1, 10000 }, { 5, 500 }, { 300, 30000 }, { 65535, 120000 }, { 0, 0 } };
	uint32_t conn, told;
	unsigned i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		conn = pick(0);
		run(&told);
		conns_note_answer(conns, conn, rows[i].idle_ds, now_ms);
		ck_assert_int_eq(conns_check(conns, conn, now_ms), CONNS_WAIT);
		ck_assert_uint_eq(conns_open(conns), 1);
		conns_release(conns, conn, now_ms);
		if (rows[i].kept_ms > 0) {
			conns_check(conns, conn, now_ms + rows[i].kept_ms);
			ck_assert_uint_eq(conns_open(conns), 1);
			conns_check(conns, conn, now_ms + rows[i].kept_ms + 1);
		}
		ck_assert_uint_eq(conns_open(conns), 0);
	}
}
END_TEST

/* Told that its time is over (RFC 7828 3.2.2), it gets no more questions, but has its answers. */
START_TEST(told_to_close)
{
	uint32_t conn = pick(0), told;

	run(&told);
	ck_assert_uint_eq(pick(0), conn);
	conns_note_answer(conns, conn, 0, now_ms);
	conns_release(conns, conn, now_ms);
	ck_assert_uint_eq(conns_open(conns), 1);
	ck_assert_uint_ne(pick(0), conn);
	conns_release(conns, conn, now_ms);
	ck_assert_uint_eq(conns_open(conns), 1);
}
END_TEST

/* With questions waiting and nothing coming it gets no more of them, nor when it is too old. */
START_TEST(silent_and_old)
{
	uint32_t conn = pick(0), other, told;

	run(&told);
	now_ms += CONNS_SILENT_MS;
	ck_assert_uint_eq(pick(0), conn);
	now_ms++;
	other = pick(0);
	ck_assert_uint_ne(other, conn);
	conns_release(conns, conn, now_ms);
	ck_assert_uint_eq(conns_open(conns), 2); /* one still waits on it */
	conns_release(conns, conn, now_ms);
	ck_assert_uint_eq(conns_open(conns), 1);
	/* Whoever waited in vain to the end takes it along, too. */
	run(&told);
	conns_release(conns, other, now_ms + CONNS_SILENT_MS + 1);
	ck_assert_uint_eq(conns_open(conns), 0);
	conn = pick(0);
	run(&told);
	now_ms += CONNS_LIFE_MS + 1;
	conns_note_answer(conns, conn, -1, now_ms);
	ck_assert_uint_ne(pick(0), conn);
	conns_release(conns, conn, now_ms);
	ck_assert_uint_eq(conns_open(conns), 1);
}
END_TEST

/* The end, with questions open and without; in the middle of a frame; a reset; nobody there. */
START_TEST(ends)
{
	static const struct linger hard = { .l_onoff = 1 };
	uint32_t conn, told;
	unsigned i;
	int fd;

	for (i = 0; i < 3; i++) {
		conn = pick(0);
		ck_assert(ask(conn, 1, 14));
		run(&told);
		fd = take(0);
		if (i == 1) {
			give(fd, "\0\14half", 6);
			ck_assert_int_eq(run(&told), CONNS_MESSAGES);
			ck_assert_int_eq(run(&told), CONNS_WAIT);
		} else if (i == 2) {
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
		}
		close(fd);
		ck_assert_int_eq(run(&told), CONNS_BROKEN);
		ck_assert_uint_eq(told, conn);
		ck_assert_uint_ne(pick(0), conn); /* retired */
		conns_release(conns, conn, now_ms);
		make_conns(8, 10);
		close(take(0));
	}
	close(listener[0]);
	conn = pick(0);
	if (conn != CONNS_UNREACHABLE) {
		ask(conn, 1, 14);
		ck_assert_int_eq(run(&told), CONNS_BROKEN);
		ck_assert(!conns_was_of_use(conns, conn));
		conns_release(conns, conn, now_ms);
	}
	ck_assert_uint_eq(conns_open(conns), 0);
	listener[0] = socket(AF_INET, SOCK_STREAM, 0);
}
END_TEST

/* What goes out on a connection: it asks for keepalive, and over TLS its length tells little. */
START_TEST(queries)
{
	static const uint8_t fold[] = "\1a\7example";
	struct question_key key = { .fold = fold, .len = sizeof(fold), .type = 1 };
	struct ask ask = { .key = &key, .id = 7, .edns = true, .stream = true };
	uint8_t out[ASK_LEN_MAX];
	struct ask_reply said;
	size_t plain = ask_write(&ask, NULL, 0, out), padded;

	ck_assert_uint_eq(plain, 12 + 11 + 4 + 11 + 4);
	ck_assert_mem_eq(out + plain - 4, "\0\13\0\0", 4);
	ask.padded = true;
	padded = ask_write(&ask, NULL, 0, out);
	ck_assert_uint_eq(padded, 128);
	/* As an answer it says nothing of how long; with two octets it does. */
	out[2] |= 0x80;
	ck_assert_int_eq(ask_match(&ask, out, padded, &said), ASK_FITS);
	ck_assert_int_eq(said.idle_ds, -1);
	ask.padded = false;
	plain = ask_write(&ask, NULL, 0, out);
	out[2] |= 0x80;
	out[plain - 1] = 2;
	out[plain - 5] = 6; /* the OPT's length */
	out[plain] = 1;
	out[plain + 1] = 4;
	ck_assert_int_eq(ask_match(&ask, out, plain + 2, &said), ASK_FITS);
	ck_assert_int_eq(said.idle_ds, 0x104);
	/* Over UDP that means nothing. */
	ask.stream = false;
	ck_assert_int_eq(ask_match(&ask, out, plain + 2, &said), ASK_FITS);
	ck_assert_int_eq(said.idle_ds, -1);
}
END_TEST

/* ---- TLS ------------------------------------------------------------------------------------- */

static const char *path_of(const char *name, const char *suffix)
{
	static char path[2][128];
	static unsigned turn;
	char *ret = path[turn++ % 2];

	snprintf(ret, sizeof(path[0]), "%s/%s.%s", folder, name, suffix);
	return ret;
}

/* Both upstreams are asked over TLS and shall be dns.example; the server shows `certificate`. */
static void use_tls(const char *ca, const char *certificate)
{
	struct upstream_conf confs[2];
	struct tls_roots *roots;
	struct err err;
	unsigned n;

	roots = tls_roots_load(path_of(ca, "pem"), &err);
	ck_assert_msg(roots != NULL, "%s", err.text);
	for (n = 0; n < 2; n++)
		confs[n] = (struct upstream_conf){
			.addr = addr[n], .tls = true, .tls_name = "dns.example", .tls_roots = roots
		};
	add_upstreams(confs);
	tls_roots_free(roots);
	if (!server)
		server = tls_server_new(&err);
	ck_assert_ptr_nonnull(server);
	ck_assert_msg(tls_server_load(server, path_of(certificate, "pem"),
				      path_of(certificate, "key"), &err) == 0,
		      "%s", err.text);
}

/* Both ends take steps until ours stands or has ended; the peer's socket. */
static int shake(uint32_t conn, enum conns_verdict *ret)
{
	int fd = take(0);
	struct tls_fault fault;
	uint32_t told;
	unsigned turn;

	tls_session_fini(&theirs);
	ck_assert_int_eq(tls_session_accept(&theirs, server, fd), 0);
	*ret = CONNS_WAIT;
	for (turn = 0; turn < 20 && *ret == CONNS_WAIT && !conns_stands(conns, conn); turn++) {
		*ret = run(&told);
		tls_session_handshake(&theirs, &fault);
	}
	tls_session_handshake(&theirs, &fault);
	return fd;
}

static void get_tls(void *data, size_t len)
{
	struct pollfd pollfd = { .fd = theirs.fd, .events = POLLIN };
	size_t at = 0, part;

	while (at < len) {
		if (tls_session_read(&theirs, (char *)data + at, len - at, &part) == TLS_OK)
			at += part;
		else
			ck_assert_int_eq(poll(&pollfd, 1, 10000), 1);
	}
}

START_TEST(tls)
{
	uint32_t conn, told;
	enum conns_verdict verdict;
	struct upstream_tls_state state;
	const uint8_t *data;
	uint8_t in[16];
	unsigned seen = 0;
	size_t len;
	int fd;

	use_tls("ca", "good");
	conn = pick(0);
	ck_assert(ask(conn, 7, 14));
	fd = shake(conn, &verdict);
	ck_assert(conns_stands(conns, conn));
	get_tls(in, sizeof(in));
	ck_assert_uint_eq(in[3], 7);
	/* Two records, which one read takes from the socket; the second is not announced. */
	ck_assert_int_eq(tls_session_write(&theirs, "\0\2ab\0\2cd\0\2ef\0", 13, &len), TLS_OK);
	ck_assert_int_eq(tls_session_write(&theirs, "\2gh", 3, &len), TLS_OK);
	for (verdict = run(&told); verdict == CONNS_MESSAGES;
	     verdict = conns_step(conns, conn, now_ms)) {
		while (conns_next(conns, conn, &data, &len)) {
			ck_assert_uint_eq(data[0], "aceg"[seen]);
			seen++;
		}
	}
	ck_assert_int_eq(verdict, CONNS_WAIT);
	ck_assert_uint_eq(seen, 4);
	ck_assert_uint_eq(counter_get(&counters.tls_sessions), 1);
	ck_assert(upstream_tls_state(upstreams, member[0], &state));
	ck_assert_uint_eq(state.sessions, 1);
	/* It ends; the next one resumes. */
	close(fd);
	ck_assert_int_eq(run(&told), CONNS_BROKEN);
	conns_release(conns, conn, now_ms);
	ck_assert_uint_eq(conns_open(conns), 0);
	conn = pick(0);
	ask(conn, 8, 14);
	fd = shake(conn, &verdict);
	ck_assert_uint_eq(counter_get(&counters.tls_resumed), 1);
	/* Garbage in the place of a record. */
	give(fd, "garbage in the place of a record", 32);
	ck_assert_int_eq(run(&told), CONNS_BROKEN);
	conns_release(conns, conn, now_ms);
	ck_assert_uint_eq(conns_open(conns), 0);
	close(fd);
}
END_TEST

/* What TLS holds is come back to, though a question leaves in between. */
START_TEST(tls_held)
{
	enum conns_verdict verdict;
	struct epoll_event event;
	const uint8_t *data;
	uint32_t conn;
	size_t len;
	int fd;

	use_tls("ca", "good");
	conn = pick(0);
	ck_assert(ask(conn, 7, 14));
	fd = shake(conn, &verdict);
	while (conns_step(conns, conn, now_ms) == CONNS_MESSAGES)
		;
	ck_assert_int_eq(tls_session_write(&theirs, "\0\1a", 3, &len), TLS_OK);
	ck_assert_int_eq(tls_session_write(&theirs, "\0\1b", 3, &len), TLS_OK);
	ck_assert_int_eq(epoll_wait(epoll, &event, 1, 10000), 1);
	ck_assert_int_eq(conns_step(conns, conn, now_ms), CONNS_MESSAGES);
	ck_assert(conns_next(conns, conn, &data, &len));
	ck_assert(!conns_next(conns, conn, &data, &len));
	conns_leave(conns, conn);
	ck_assert(ask(conn, 8, 14));
	ck_assert_int_eq(epoll_wait(epoll, &event, 1, 1000), 1);
	ck_assert_int_eq(conns_step(conns, conn, now_ms), CONNS_MESSAGES);
	ck_assert(conns_next(conns, conn, &data, &len));
	ck_assert_uint_eq(*data, 'b');
	/* Nothing is held any more, and nobody is woken for nothing. */
	ck_assert_int_eq(conns_step(conns, conn, now_ms), CONNS_WAIT);
	ck_assert_int_eq(epoll_wait(epoll, &event, 1, 0), 0);
	conns_release(conns, conn, now_ms);
	close(fd);
}
END_TEST

/* A wrong one is told nothing, and not tried again at once. */
START_TEST(tls_refused)
{
	struct upstream_tls_state state;
	enum conns_verdict verdict;
	uint8_t data[64];
	uint32_t conn;
	size_t len;
	int fd;

	use_tls("ca", "name");
	conn = pick(0);
	ck_assert(ask(conn, 7, 14));
	fd = shake(conn, &verdict);
	ck_assert_int_eq(verdict, CONNS_BROKEN);
	ck_assert_int_ne(tls_session_read(&theirs, data, sizeof(data), &len), TLS_OK);
	conns_release(conns, conn, now_ms);
	ck_assert_uint_eq(conns_open(conns), 0);
	ck_assert_uint_eq(counter_get(&counters.tls_failed), 1);
	ck_assert(upstream_tls_state(upstreams, member[0], &state));
	ck_assert_int_eq(state.fault.kind, TLS_FAULT_NAME);
	ck_assert_uint_eq(pick(0), CONNS_UNREACHABLE);
	ck_assert_uint_lt(pick(1), 8); /* another upstream */
	now_ms += UPSTREAM_TLS_PAUSE_MS;
	ck_assert_uint_lt(pick(0), 8);
	close(fd);
}
END_TEST

/* A handshake that does not go on. */
START_TEST(tls_stalled)
{
	struct upstream_tls_state state;
	uint32_t conn, told;
	int fd;

	use_tls("ca", "good");
	conn = pick(0);
	ck_assert(ask(conn, 7, 14));
	ck_assert_int_eq(run(&told), CONNS_WAIT);
	fd = take(0);
	ck_assert_int_eq(conns_check(conns, conn, now_ms + CONNS_UP_MS), CONNS_WAIT);
	now_ms += CONNS_UP_MS + 1;
	ck_assert_int_eq(conns_check(conns, conn, now_ms), CONNS_BROKEN);
	conns_release(conns, conn, now_ms);
	ck_assert_uint_eq(conns_open(conns), 0);
	ck_assert(upstream_tls_state(upstreams, member[0], &state));
	ck_assert_ptr_nonnull(strstr(state.fault.text, "no end of the TLS handshake"));
	close(fd);
}
END_TEST

/* Other authorities: what stands gets no further questions. */
START_TEST(tls_new_roots)
{
	enum conns_verdict verdict;
	uint32_t conn, next;
	int fd;

	use_tls("ca", "good");
	conn = pick(0);
	ask(conn, 7, 14);
	fd = shake(conn, &verdict);
	use_tls("ca", "good"); /* the same ones */
	ck_assert_uint_eq(pick(0), conn);
	use_tls("other-ca", "good");
	next = pick(0);
	ck_assert_uint_ne(next, conn);
	conns_release(conns, conn, now_ms);
	conns_release(conns, conn, now_ms);
	ck_assert_uint_eq(conns_open(conns), 1);
	close(fd);
	fd = shake(next, &verdict);
	ck_assert_int_eq(verdict, CONNS_BROKEN);
	conns_release(conns, next, now_ms);
	close(fd);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("conns");
	TCase *t = tcase_create("conns");

	tcase_add_unchecked_fixture(t, make_folder, remove_folder);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, shared);
	tcase_add_test(t, longest);
	tcase_add_test(t, limits);
	tcase_add_test(t, room);
	tcase_add_test(t, backpressure);
	tcase_add_test(t, idle);
	tcase_add_test(t, told_to_close);
	tcase_add_test(t, silent_and_old);
	tcase_add_test(t, ends);
	tcase_add_test(t, queries);
	tcase_add_test(t, tls);
	tcase_add_test(t, tls_held);
	tcase_add_test(t, tls_refused);
	tcase_add_test(t, tls_stalled);
	tcase_add_test(t, tls_new_roots);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(suite)
