/* SPDX-License-Identifier: MIT */
/*
 * Queries that leave together: by which socket, with which ids, when, and what is told of those
 * that cannot.
 *
 * sendmmsg and getrandom are defined here, in the program itself, so that a call can fail, and ids
 * can meet, as no test could make the kernel do. What leaves goes to sockets of the test.
 */
#include "upstream/tries.h"

#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/random.h"
#include "unit/unit.h"
#include "upstream/sockets.h"

#define TRIES 256
#define POOL 64

static struct {
	unsigned calls, messages;
	unsigned fail_from, fail_to; /* of the messages that are tried, these, from 1 */
	int error;
	int bundle_error; /* what bundles get; 0: they leave */
	unsigned bundles; /* that left */
	unsigned refused; /* that did not */
	unsigned longest; /* datagrams in one */
} sends;

/* Bundles that leave; one that does not ends it. */
static unsigned count_bundles(const struct mmsghdr *header, unsigned count)
{
	unsigned n;

	for (n = 0; n < count; n++) {
		unsigned size = (unsigned)header[n].msg_hdr.msg_iovlen;

		if (size == 1)
			continue;
		if (sends.bundle_error)
			break;
		sends.bundles++;
		if (size > sends.longest)
			sends.longest = size;
	}
	return n;
}

/* As the kernel: an error is told only where nothing was sent before it. */
int sendmmsg(int fd, struct mmsghdr *header, unsigned count, int flags)
{
	unsigned n;

	sends.calls++;
	n = count_bundles(header, count);
	if (n == 0 && count > 0) {
		sends.refused++;
		errno = sends.bundle_error;
		return -1;
	}
	count = n;
	for (n = 0; n < count; n++) {
		unsigned tried = sends.messages + n + 1;

		if (tried >= sends.fail_from && tried < sends.fail_to)
			break;
	}
	if (n == 0 && count > 0) {
		sends.messages++;
		errno = sends.error;
		return -1;
	}
	sends.messages += n;
	return (int)syscall(SYS_sendmmsg, fd, header, n, flags);
}

static bool weak;

/* Weak: of each two octets the second is 0, so there are but 256 ids. */
ssize_t getrandom(void *ret, size_t len, unsigned flags)
{
	ssize_t got = syscall(SYS_getrandom, ret, len, flags);

	for (ssize_t i = 1; weak && i < got; i += 2)
		((uint8_t *)ret)[i] = 0;
	return got;
}

static struct event_base *base;
static struct upstreams *upstreams;
static struct upstream_counters counters;
static struct tries *tries;
static int fds[2]; /* the upstreams */
static union addr addrs[2];
static uint8_t fold[] = "\3www\7example\4test";
static struct question_key key = { .fold = fold, .len = sizeof(fold), .type = 1 };

/* What was told of each, and what is done about it. */
static struct {
	unsigned answered, unreachable, no_room, suspect;
} told[TRIES];
static unsigned all_told;
static int go_on_to = -1; /* the upstream that failed ones ask next */

static void ask_as(uint32_t number, uint16_t upstream)
{
	struct try_ask ask = { .key = &key, .upstream = upstream, .edns = true };

	ck_assert_int_eq(tries_ask(tries, number, &ask, clock_now_ms()), TRY_SENT);
}

static void on_reply(void *arg, uint32_t number, const struct try_reply *reply, uint64_t now_ms)
{
	(void)arg;
	(void)now_ms;
	all_told++;
	told[number].answered += reply->news == TRY_ANSWER;
	told[number].suspect += reply->news == TRY_SUSPECT;
	tries_end(tries, number);
}

static void on_failed(void *arg, uint32_t number, enum try_verdict why, uint64_t now_ms)
{
	(void)arg;
	(void)now_ms;
	all_told++;
	told[number].unreachable += why == TRY_UNREACHABLE;
	told[number].no_room += why == TRY_NO_ROOM;
	tries_end(tries, number);
	if (go_on_to >= 0 && told[number].unreachable == 1)
		ask_as(number, (uint16_t)go_on_to);
}

static void open_upstream(unsigned n)
{
	socklen_t len = sizeof(addrs[n]);
	int big = 1 << 20;

	fds[n] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	setsockopt(fds[n], SOL_SOCKET, SO_RCVBUF, &big, sizeof(big));
	ck_assert_int_eq(addr_parse(&addrs[n], "127.0.0.1@0", 0), 0);
	ck_assert_int_eq(bind(fds[n], &addrs[n].any, len), 0);
	ck_assert_int_eq(getsockname(fds[n], &addrs[n].any, &len), 0);
}

static void open_tries(bool at_once, unsigned pool)
{
	struct tries_conf conf = {
		.max = TRIES,
		.sockets_max = pool,
		.near_misses_max = 8,
		.at_once = at_once,
		.conns = { .max = 1, .questions_max = 1, .idle_ms = 1000 },
		.upstreams = upstreams,
		.base = base,
		.counters = &counters,
		.reply = on_reply,
		.failed = on_failed,
	};

	tries = tries_new(&conf, NULL);
	ck_assert_ptr_nonnull(tries);
}

static void setup(void)
{
	struct upstream_conf confs[2] = { 0 };
	struct upstream_group_conf conf = { .upstreams = confs, .count = 2 };
	struct name root;
	uint16_t group;

	upstreams = upstreams_new();
	base = event_base_new();
	name_from_text(&root, ".", 1);
	conf.zone = &root;
	for (unsigned n = 0; n < 2; n++) {
		open_upstream(n);
		confs[n].addr = addrs[n];
	}
	ck_assert_int_eq(upstreams_group(upstreams, &conf, &group, NULL), 0);
	memset(&sends, 0, sizeof(sends));
	memset(&counters, 0, sizeof(counters));
	memset(told, 0, sizeof(told));
	all_told = 0;
	go_on_to = -1;
	weak = false;
	open_tries(false, POOL);
}

static void teardown(void)
{
	tries_free(tries);
	upstreams_free(upstreams);
	event_base_free(base);
	close(fds[0]);
	close(fds[1]);
}

/* One turn of the loop, which does not wait. */
static void turn(void)
{
	event_base_loop(base, EVLOOP_NONBLOCK);
}

static void turn_until_told(unsigned count)
{
	uint64_t end_ms = clock_now_ms() + 10000;

	while (all_told < count) {
		ck_assert(clock_now_ms() < end_ms);
		turn();
	}
	ck_assert_uint_eq(all_told, count);
}

struct query {
	union addr from;
	uint8_t data[512];
	size_t len;
};

/* What has come to this upstream. */
static unsigned receive(int fd, struct query *queries, unsigned max)
{
	unsigned n;

	for (n = 0; n < max; n++) {
		socklen_t len = sizeof(queries[n].from);
		ssize_t got = recvfrom(fd, queries[n].data, sizeof(queries[n].data), 0,
				       &queries[n].from.any, &len);

		if (got < 0)
			break;
		queries[n].len = (size_t)got;
	}
	return n;
}

/* Sends it back as a reply; `id_off` is added to its id. */
static void reply_to(int fd, const struct query *query, unsigned id_off)
{
	uint8_t data[512];
	unsigned id = (unsigned)(query->data[0] << 8 | query->data[1]) + id_off;

	memcpy(data, query->data, query->len);
	data[0] = (uint8_t)(id >> 8);
	data[1] = (uint8_t)id;
	data[2] |= 0x80;
	ck_assert_int_eq(sendto(fd, data, query->len, 0, &query->from.any, addr_len(&query->from)),
			 (ssize_t)query->len);
}

static struct query queries[TRIES];

static unsigned id_of(const struct query *query)
{
	return (unsigned)(query->data[0] << 8 | query->data[1]);
}

/* One socket, one call, an id each; one wake-up takes all the answers. */
START_TEST(one_turn_one_socket)
{
	static bool taken[65536];
	unsigned n;

	for (n = 0; n < SOCKETS_TURN_MAX; n++)
		ask_as(n, 0);
	ck_assert_uint_eq(receive(fds[0], queries, TRIES), 0);
	turn();
	ck_assert_uint_eq(sends.calls, 1);
	ck_assert_uint_eq(receive(fds[0], queries, TRIES), SOCKETS_TURN_MAX);
	for (n = 0; n < SOCKETS_TURN_MAX; n++) {
		ck_assert(addr_equal(&queries[n].from, &queries[0].from));
		ck_assert(!taken[id_of(&queries[n])]);
		taken[id_of(&queries[n])] = true;
		reply_to(fds[0], &queries[n], 0);
	}
	turn();
	ck_assert_uint_eq(all_told, SOCKETS_TURN_MAX);
	for (n = 0; n < SOCKETS_TURN_MAX; n++)
		ck_assert_uint_eq(told[n].answered, 1);
	ck_assert_uint_eq(counter_get(&counters.mismatched), 0);
}
END_TEST

/* Where an id is drawn that is taken on this socket, another is. */
START_TEST(ids_differ)
{
	static bool taken[65536];
	uint8_t rest[256]; /* of what was drawn before */
	unsigned n;

	ask_as(0, 0);
	weak = true;
	random_bytes(rest, sizeof(rest));
	for (n = 1; n < SOCKETS_TURN_MAX; n++)
		ask_as(n, 0);
	for (n = 0; n < SOCKETS_TURN_MAX; n++) {
		uint16_t id = tries_at(tries, n)->ask.id;

		ck_assert_uint_eq(tries_at(tries, n)->slot, tries_at(tries, 0)->slot);
		ck_assert(!taken[id]);
		taken[id] = true;
	}
}
END_TEST

/* Names of these lengths in a turn, to upstream 0; those from `again` on for the second time. */
static void ask_lengths(const unsigned *lengths, unsigned count, unsigned again)
{
	static uint8_t folds[SOCKETS_TURN_MAX][70];
	static struct question_key keys[SOCKETS_TURN_MAX];
	unsigned n;

	for (n = 0; n < count; n++) {
		struct try_ask ask = { .key = &keys[n], .edns = true, .again = n >= again };

		memset(folds[n], 'a' + (int)n % 26, sizeof(folds[n]));
		folds[n][0] = (uint8_t)lengths[n];
		folds[n][lengths[n] + 1] = 0;
		keys[n] = (struct question_key){ .fold = folds[n],
						 .len = (uint8_t)(lengths[n] + 2),
						 .type = 1 };
		ck_assert_int_eq(tries_ask(tries, n, &ask, clock_now_ms()), TRY_SENT);
	}
	turn();
	ck_assert_uint_eq(receive(fds[0], queries, TRIES), count);
	for (n = 0; n < count; n++)
		reply_to(fds[0], &queries[n], 0);
	turn_until_told(count);
	for (n = 0; n < count; n++)
		ck_assert_uint_eq(told[n].answered, 1);
	ck_assert_uint_eq(counter_get(&counters.mismatched), 0);
}

/* Runs of one length, the last shorter, are one to the kernel and as ever to the upstream. */
START_TEST(bundles)
{
	static const unsigned lengths[] = { 20, 20, 9, 20, 30, 20, 11, 63, 30, 9 };

	/* 63, 30 | 30, 20 | 20, 20, 20, 11 | 9, 9 */
	ask_lengths(lengths, 10, 10);
	ck_assert_uint_eq(sends.calls, 1);
	ck_assert_uint_eq(sends.messages, 4);
	ck_assert_uint_eq(sends.bundles, 4);
	ck_assert_uint_eq(sends.longest, 4);
}
END_TEST

/* What was asked before, and led nowhere, leaves in none. */
START_TEST(no_bundle_again)
{
	static const unsigned lengths[] = { 20, 20, 20, 20, 20, 20 };

	ask_lengths(lengths, 6, 3);
	ck_assert_uint_eq(sends.bundles, 1);
	ck_assert_uint_eq(sends.longest, 3);
	ck_assert_uint_eq(sends.messages, 4);
}
END_TEST

/* Where they cannot be sent nothing is lost, and no more are tried. */
START_TEST(bundles_refused)
{
	static const unsigned lengths[] = { 20, 20, 20, 9, 9 };
	static const int errors[] = { EIO, EINVAL, EMSGSIZE, EOPNOTSUPP };

	sends.bundle_error = errors[_i];
	ask_lengths(lengths, 5, 5);
	ck_assert_uint_eq(sends.refused, 1);
	ck_assert_uint_eq(sends.bundles, 0);
	sends.bundle_error = 0;
	memset(told, 0, sizeof(told));
	all_told = 0;
	ask_lengths(lengths, 5, 5);
	ck_assert_uint_eq(sends.bundles, 0);
}
END_TEST

/* For want of room for so much at a time, or by a rule of a firewall, they go singly, this time. */
START_TEST(no_room_for_a_bundle)
{
	static const unsigned lengths[] = { 20, 20, 20, 9, 9 };
	static const int errors[] = { ENOBUFS, EPERM };

	sends.bundle_error = errors[_i];
	ask_lengths(lengths, 5, 5);
	ck_assert_uint_eq(sends.bundles, 0);
	ck_assert_uint_eq(counter_get(&counters.no_room), 0);
	sends.bundle_error = 0;
	memset(told, 0, sizeof(told));
	all_told = 0;
	ask_lengths(lengths, 5, 5);
	ck_assert_uint_eq(sends.bundles, 1); /* one of 9 is left over */
}
END_TEST

/* The kernel itself refuses them here, since a bundle's checksums could not be made. */
START_TEST(bundles_refused_by_the_kernel)
{
	static const unsigned lengths[] = { 20, 20, 20, 9, 9 };
	int fd, yes = 1;

	ask_as(200, 0); /* opens the turn's socket */
	for (fd = 3; fd < 256; fd++)
		(void)setsockopt(fd, SOL_SOCKET, SO_NO_CHECK, &yes, sizeof(yes));
	tries_end(tries, 200);
	ask_lengths(lengths, 5, 5);
}
END_TEST

/* More than a socket, and more than the queue holds. */
START_TEST(a_long_turn)
{
	unsigned n, of_port[65536] = { 0 }, ports = 0;

	for (n = 0; n < 200; n++)
		ask_as(n, 0);
	turn();
	ck_assert_uint_eq(receive(fds[0], queries, TRIES), 200);
	for (n = 0; n < 200; n++) {
		unsigned *count = &of_port[addr_port(&queries[n].from)];

		ports += (*count)++ == 0;
		reply_to(fds[0], &queries[n], 0);
	}
	/* Any may be drawn twice, and is used up by two turns. */
	ck_assert_uint_ge(ports, 200 / SOCKETS_USES_MAX);
	for (n = 0; n < 65536; n++)
		ck_assert_uint_le(of_port[n], SOCKETS_USES_MAX);
	turn_until_told(200);
}
END_TEST

/* Two upstreams in turn: a socket each, and a call each. */
START_TEST(two_upstreams)
{
	unsigned n, of;

	for (n = 0; n < 20; n++)
		ask_as(n, n % 2);
	turn();
	ck_assert_uint_eq(sends.calls, 2);
	for (of = 0; of < 2; of++) {
		ck_assert_uint_eq(receive(fds[of], queries, TRIES), 10);
		for (n = 0; n < 10; n++) {
			ck_assert(addr_equal(&queries[n].from, &queries[0].from));
			reply_to(fds[of], &queries[n], 0);
		}
	}
	turn_until_told(20);
}
END_TEST

/*
 * Every turn draws its port anew, from the whole range when sockets are opened, from the whole pool
 * afterwards.
 */
START_TEST(ports_of_turns)
{
	static bool seen[65536];
	unsigned n, ports = 0, same = 0, quarter[4] = { 0 };
	uint16_t before = 0;

	for (n = 0; n < 400; n++) {
		uint16_t port;

		ask_as(0, 0);
		ask_as(1, 0);
		turn();
		ck_assert_uint_eq(receive(fds[0], queries, TRIES), 2);
		port = addr_port(&queries[0].from);
		ck_assert_uint_eq(port, addr_port(&queries[1].from));
		same += port == before;
		before = port;
		ports += !seen[port];
		if (!seen[port])
			quarter[port >> 14]++;
		seen[port] = true;
		tries_end(tries, 0);
		tries_end(tries, 1);
	}
	/* 400 draws of 64: all but one in 500 of them; the same twice 6 times; never used up. */
	ck_assert_uint_ge(ports, POOL - 4);
	ck_assert_uint_le(ports, POOL);
	ck_assert_uint_le(same, 25);
	for (n = 0; n < 4; n++)
		ck_assert_uint_ge(quarter[n], 1); /* of 16 */
}
END_TEST

START_TEST(ended_before_it_left)
{
	uint16_t id;

	ask_as(0, 0);
	id = tries_at(tries, 0)->ask.id;
	ask_as(1, 0);
	tries_end(tries, 0);
	turn();
	ck_assert_uint_eq(receive(fds[0], queries, TRIES), 1);
	ck_assert_uint_eq(id_of(&queries[0]), tries_at(tries, 1)->ask.id);
	/* Nobody has seen that id: what comes with it is a guess. */
	reply_to(fds[0], &queries[0], id - id_of(&queries[0]));
	while (counter_get(&counters.mismatched) == 0)
		turn();
	ck_assert_uint_eq(counter_get(&counters.late), 0);
	/* All of them: nothing is sent, and nobody told. */
	tries_end(tries, 1);
	ask_as(0, 0);
	tries_end(tries, 0);
	sends.calls = 0;
	turn();
	ck_assert_uint_eq(sends.calls, 0);
	ck_assert_uint_eq(all_told, 0);
}
END_TEST

/* One that meets a limit of ours is told so; the others leave and are answered. */
START_TEST(no_room_for_some)
{
	unsigned n;

	sends.fail_from = 3;
	sends.fail_to = 5;
	sends.bundle_error = EIO;
	sends.error = ENOBUFS;
	for (n = 0; n < 8; n++)
		ask_as(n, 0);
	turn();
	ck_assert_uint_eq(all_told, 2);
	ck_assert_uint_eq(told[2].no_room, 1);
	ck_assert_uint_eq(told[3].no_room, 1);
	ck_assert_uint_eq(counter_get(&counters.no_room), 2);
	ck_assert_uint_eq(receive(fds[0], queries, TRIES), 6);
	for (n = 0; n < 6; n++)
		reply_to(fds[0], &queries[n], 0);
	turn_until_told(8);
	ck_assert_uint_eq(told[0].answered + told[1].answered + told[4].answered, 3);
}
END_TEST

/*
 * What ICMP has said is told to who met it and to who had left by that socket before, which is not
 * used again; the rest leaves; and who asks the next upstream does so in the same turn.
 */
START_TEST(unreachable_in_the_middle)
{
	unsigned n;

	sends.fail_from = 4;
	sends.fail_to = 5;
	sends.bundle_error = EIO;
	sends.error = ECONNREFUSED;
	go_on_to = 1;
	for (n = 0; n < 8; n++)
		ask_as(n, 0);
	turn();
	ck_assert_uint_eq(all_told, 4);
	for (n = 0; n < 8; n++)
		ck_assert_uint_eq(told[n].unreachable, n < 4);
	ck_assert_uint_eq(receive(fds[0], queries, TRIES), 7); /* three went in vain */
	for (n = 3; n < 7; n++)
		reply_to(fds[0], &queries[n], 0);
	ck_assert_uint_eq(receive(fds[1], queries, TRIES), 4);
	for (n = 0; n < 4; n++)
		reply_to(fds[1], &queries[n], 0);
	turn_until_told(12);
	for (n = 0; n < 8; n++)
		ck_assert_uint_eq(told[n].answered, 1);
	ck_assert_uint_eq(counter_get(&counters.late), 0);
}
END_TEST

/* The real thing: nobody at that port, and the kernel answers every second one with the error. */
START_TEST(nobody_there)
{
	unsigned n;

	close(fds[0]);
	fds[0] = -1;
	for (n = 0; n < 31; n++)
		ask_as(n, 0);
	turn_until_told(31);
	for (n = 0; n < 31; n++)
		ck_assert_uint_eq(told[n].unreachable, 1);
}
END_TEST

static void ask_one_more(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	ask_as(1, 0);
}

/* An error that comes in the turn in which others were asked is not for those: they leave yet. */
START_TEST(error_before_they_leave)
{
	struct event *before = evtimer_new(base, ask_one_more, NULL);

	tries_free(tries);
	open_tries(false, 1);
	close(fds[0]);
	ask_as(0, 0);
	event_base_loop(base, EVLOOP_ONCE);
	ck_assert_uint_eq(sends.messages, 1);
	ck_assert_uint_eq(all_told, 0);
	event_active(before, EV_TIMEOUT, 0);
	event_base_loop(base, EVLOOP_ONCE);
	ck_assert_uint_eq(told[0].unreachable, 1);
	ck_assert_uint_eq(told[1].unreachable, 0);
	ck_assert_uint_eq(sends.messages, 2);
	turn_until_told(2);
	ck_assert_uint_eq(told[1].unreachable, 1);
	event_free(before);
	open_upstream(0);
}
END_TEST

START_TEST(ended_before_it_was_told)
{
	unsigned n;

	sends.fail_from = 1;
	sends.fail_to = 1000;
	sends.error = EPERM;
	/* The queue is full before the turn ends: they fail at once, and are told of later. */
	for (n = 0; n < 2 * SOCKETS_TURN_MAX + 1; n++)
		ask_as(n, 0);
	ck_assert_uint_eq(all_told, 0);
	ck_assert_int_eq(tries_at(tries, 0)->kind, TRY_UNSENT);
	tries_end(tries, 0);
	tries_end(tries, 7);
	tries_end(tries, 2 * SOCKETS_TURN_MAX - 1);
	turn();
	ck_assert_uint_eq(all_told, 2 * SOCKETS_TURN_MAX + 1 - 3);
	ck_assert_uint_eq(told[0].unreachable + told[7].unreachable, 0);
	ck_assert_uint_eq(told[1].unreachable, 1);
}
END_TEST

/* A port that was found out serves nobody any longer, also not those that had fewer guesses. */
START_TEST(found_out)
{
	unsigned n, before;

	tries_free(tries);
	open_tries(false, 4);
	ask_as(0, 0);
	turn();
	ck_assert_uint_eq(receive(fds[0], queries, TRIES), 1);
	for (n = 0; n < 8; n++)
		reply_to(fds[0], &queries[0], n + 1);
	while (counter_get(&counters.mismatched) < 8)
		turn();
	ck_assert_uint_eq(all_told, 0);
	/* Until another leaves by the same socket. */
	for (n = 1;; n++) {
		ck_assert_uint_lt(n, TRIES);
		ask_as(n, 0);
		before = tries_at(tries, n)->slot == tries_at(tries, 0)->slot;
		turn();
		if (before)
			break;
	}
	reply_to(fds[0], &queries[0], 9);
	turn_until_told(2);
	ck_assert_uint_eq(told[0].suspect, 1);
	ck_assert_uint_eq(told[n].suspect, 1);
}
END_TEST

START_TEST(at_once)
{
	struct try_ask ask = { .key = &key, .upstream = 0 };

	tries_free(tries);
	open_tries(true, POOL);
	ask_as(0, 0);
	ck_assert_uint_eq(receive(fds[0], queries, TRIES), 1);
	sends.fail_from = 1;
	sends.fail_to = 1000;
	sends.error = ENOBUFS;
	ck_assert_int_eq(tries_ask(tries, 1, &ask, clock_now_ms()), TRY_NO_ROOM);
	sends.error = ENETUNREACH;
	ck_assert_int_eq(tries_ask(tries, 1, &ask, clock_now_ms()), TRY_UNREACHABLE);
	ck_assert_int_eq(tries_at(tries, 1)->kind, TRY_UNUSED);
	sends.fail_from = 0;
	reply_to(fds[0], &queries[0], 0);
	turn_until_told(1);
}
END_TEST

static Suite *tries_suite(void)
{
	Suite *suite = suite_create("tries");
	TCase *tcase = tcase_create("tries");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, one_turn_one_socket);
	tcase_add_test(tcase, ids_differ);
	tcase_add_test(tcase, bundles);
	tcase_add_test(tcase, no_bundle_again);
	tcase_add_loop_test(tcase, bundles_refused, 0, 4);
	tcase_add_loop_test(tcase, no_room_for_a_bundle, 0, 2);
	tcase_add_test(tcase, bundles_refused_by_the_kernel);
	tcase_add_test(tcase, a_long_turn);
	tcase_add_test(tcase, two_upstreams);
	tcase_add_test(tcase, ports_of_turns);
	tcase_add_test(tcase, ended_before_it_left);
	tcase_add_test(tcase, no_room_for_some);
	tcase_add_test(tcase, unreachable_in_the_middle);
	tcase_add_test(tcase, nobody_there);
	tcase_add_test(tcase, error_before_they_leave);
	tcase_add_test(tcase, ended_before_it_was_told);
	tcase_add_test(tcase, found_out);
	tcase_add_test(tcase, at_once);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(tries_suite)
