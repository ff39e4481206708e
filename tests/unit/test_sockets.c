/* SPDX-License-Identifier: MIT */
/* The pool of sockets: where they are bound, what they take, how long they stay. */
#include "upstream/sockets.h"

#include <check.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit/unit.h"

#define SLOTS 64

static struct upstreams *upstreams;
static struct sockets sockets;
static int epoll;

static void setup(void)
{
	struct upstream_conf confs[2] = { 0 };
	struct upstream_group_conf conf = { .upstreams = confs, .count = 2 };
	struct name root;
	uint16_t group;

	upstreams = upstreams_new();
	name_from_text(&root, ".", 1);
	conf.zone = &root;
	ck_assert_int_eq(addr_parse(&confs[0].addr, "127.0.0.1@9", 53), 0);
	ck_assert_int_eq(addr_parse(&confs[1].addr, "127.0.0.2@9", 53), 0);
	ck_assert_int_eq(upstreams_group(upstreams, &conf, &group, NULL), 0);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	ck_assert_int_eq(sockets_init(&sockets, SLOTS, epoll, upstreams), 0);
}

static void teardown(void)
{
	sockets_fini(&sockets);
	close(epoll);
	upstreams_free(upstreams);
}

static struct socket_slot *pick(uint16_t upstream, uint64_t now_ms, uint32_t *ret_i)
{
	*ret_i = sockets_pick(&sockets, upstream, now_ms);
	ck_assert_uint_lt(*ret_i, SLOTS);
	return &sockets.slots[*ret_i];
}

/* Nobody but the upstream can reach it, and forged ICMP does not make our queries fragments. */
START_TEST(connected_and_unfragmented)
{
	union addr peer;
	socklen_t len = sizeof(peer);
	int value = -1;
	socklen_t value_len = sizeof(value);
	uint32_t i;
	struct socket_slot *slot = pick(0, 1, &i);

	ck_assert_int_eq(getpeername(slot->fd, &peer.any, &len), 0);
	ck_assert(addr_equal(&peer, upstream_addr(upstreams, 0)));
	ck_assert_int_eq(getsockopt(slot->fd, IPPROTO_IP, IP_MTU_DISCOVER, &value, &value_len), 0);
	ck_assert_int_eq(value, IP_PMTUDISC_OMIT);
	sockets_release(&sockets, i);
}
END_TEST

/* The whole range, drawn anew: no port says which is next. */
START_TEST(ports)
{
	unsigned quarter[4] = { 0 }, n, up = 0;
	uint16_t before = 0;

	for (n = 0; n < 400; n++) {
		uint32_t i;
		struct socket_slot *slot = pick(0, 1, &i);
		uint16_t port = addr_port(&slot->local);

		ck_assert_uint_ge(port, 1024);
		quarter[port >> 14]++;
		up += port > before;
		before = port;
		slot->retired = true;
		sockets_release(&sockets, i);
	}
	ck_assert_uint_eq(sockets.opened, 0);
	/* 100 each, but a sixteenth fewer in the first: five standard deviations. */
	for (n = 0; n < 4; n++) {
		ck_assert_uint_gt(quarter[n], 45);
		ck_assert_uint_lt(quarter[n], 150);
	}
	ck_assert_uint_gt(up, 150);
	ck_assert_uint_lt(up, 250);
}
END_TEST

START_TEST(retired_after_its_uses)
{
	unsigned n, uses[UINT16_MAX + 1] = { 0 }, most = 0;

	for (n = 0; n < 256 * SLOTS; n++) {
		uint32_t i;
		uint16_t port = addr_port(&pick(0, 1, &i)->local);

		if (++uses[port] > most)
			most = uses[port];
		sockets_release(&sockets, i);
	}
	ck_assert_uint_lt(most, 3 * SOCKETS_USES_MAX); /* the same port may be drawn again */
	ck_assert_uint_ge(most, SOCKETS_USES_MAX / 2);
}
END_TEST

/* Also where nobody draws their slots any more; not while somebody waits. */
START_TEST(retired_after_its_time)
{
	uint32_t busy, i;
	unsigned n;

	pick(0, 1000, &busy);
	for (n = 0; n < 20; n++) {
		pick(1, 1000, &i);
		sockets_release(&sockets, i);
	}
	ck_assert_uint_gt(sockets.opened, 1);
	sockets_retire(&sockets, 1000 + SOCKETS_LIFE_MS);
	ck_assert_uint_gt(sockets.opened, 1);
	sockets_retire(&sockets, 1001 + SOCKETS_LIFE_MS);
	ck_assert_uint_eq(sockets.opened, 1);
	ck_assert(sockets.slots[busy].retired);
	sockets_release(&sockets, busy);
	ck_assert_uint_eq(sockets.opened, 0);
}
END_TEST

/* An upstream that stalled answers all of them at once; none of that is a guess. */
START_TEST(late_answers_are_known)
{
	uint8_t id[2] = { 0 };
	unsigned n;
	uint32_t i;

	pick(0, 1, &i);
	for (n = 0; n < SOCKETS_USES_MAX; n++)
		sockets_ended(&sockets, i, (uint16_t)(1000 + n));
	for (n = 1000; n < 1000 + SOCKETS_USES_MAX; n++) {
		id[0] = (uint8_t)(n >> 8);
		id[1] = (uint8_t)n;
		ck_assert(sockets_knows(&sockets.slots[i], id, 2));
	}
	ck_assert(!sockets_knows(&sockets.slots[i], (const uint8_t *)"\0\1", 2));
	ck_assert(!sockets_knows(&sockets.slots[i], id, 1));
	sockets_release(&sockets, i);
}
END_TEST

/* A silent upstream, whose sockets stay busy, leaves some for the other. */
START_TEST(shares)
{
	uint32_t i;
	unsigned n;

	for (n = 0; n < 100 * SLOTS; n++)
		sockets_pick(&sockets, 0, 1);
	ck_assert_uint_le(sockets.busy_with[0], SLOTS * SOCKETS_SHARE / (SOCKETS_SHARE + 1) + 1);
	ck_assert_uint_ge(sockets.busy_with[0], SLOTS / 2);
	for (n = 0; n < 10; n++)
		pick(1, 1, &i);
}
END_TEST

static Suite *sockets_suite(void)
{
	Suite *suite = suite_create("sockets");
	TCase *tcase = tcase_create("sockets");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, connected_and_unfragmented);
	tcase_add_test(tcase, ports);
	tcase_add_test(tcase, retired_after_its_uses);
	tcase_add_test(tcase, retired_after_its_time);
	tcase_add_test(tcase, late_answers_are_known);
	tcase_add_test(tcase, shares);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(sockets_suite)
