/* SPDX-License-Identifier: MIT */
/* The registry of upstreams, the choice among them, and the routes. */
#include <stdio.h>
#include <string.h>

#include "unit/unit.h"
#include "upstream/choice.h"
#include "upstream/health.h"
#include "upstream/standing.h"
#include "upstream/tls.h"

static struct upstreams *upstreams;

static void setup(void)
{
	upstreams = upstreams_new();
}

static void teardown(void)
{
	upstreams_free(upstreams);
}

static struct name name_of(const char *text)
{
	struct name name;

	ck_assert_int_eq(name_from_text(&name, text, strlen(text)), 0);
	return name;
}

static uint16_t group_of(const char *zone, enum upstream_policy policy, bool trust_ad,
			 const char *first, const char *second, const char *third)
{
	const char *texts[] = { first, second, third };
	struct upstream_conf confs[3] = { 0 };
	struct name name = name_of(zone);
	struct upstream_group_conf conf = {
		.zone = &name, .upstreams = confs, .policy = policy, .trust_ad = trust_ad
	};
	uint16_t group = 9999;

	while (conf.count < 3 && texts[conf.count]) {
		ck_assert_int_eq(addr_parse(&confs[conf.count].addr, texts[conf.count], 53), 0);
		conf.count++;
	}
	ck_assert_int_eq(upstreams_group(upstreams, &conf, &group, NULL), 0);
	return group;
}

START_TEST(groups)
{
	uint16_t a = group_of(".", UPSTREAM_ORDERED, false, "192.0.2.1", "192.0.2.2", NULL);
	uint16_t members[UPSTREAMS_A_GROUP_MAX], other[UPSTREAMS_A_GROUP_MAX];
	uint16_t empty;
	struct upstream_state state;

	ck_assert_uint_eq(a,
			  group_of(".", UPSTREAM_ORDERED, false, "192.0.2.1", "192.0.2.2", NULL));
	ck_assert_uint_ne(a,
			  group_of(".", UPSTREAM_ORDERED, false, "192.0.2.2", "192.0.2.1", NULL));
	ck_assert_uint_ne(a,
			  group_of("x", UPSTREAM_ORDERED, false, "192.0.2.1", "192.0.2.2", NULL));
	ck_assert_uint_ne(a, group_of(".", UPSTREAM_SPREAD, false, "192.0.2.1", "192.0.2.2", NULL));
	ck_assert_uint_ne(a, group_of(".", UPSTREAM_ORDERED, true, "192.0.2.1", "192.0.2.2", NULL));
	ck_assert_uint_eq(upstreams_group_members(upstreams, a, members), 2);
	/* Twice the same is once; the same address is the same upstream, another port is not. */
	ck_assert_uint_eq(
		upstreams_group_members(upstreams,
					group_of("y", UPSTREAM_ORDERED, false, "192.0.2.1",
						 "192.0.2.1@54", "192.0.2.1"),
					other),
		2);
	ck_assert_uint_eq(other[0], members[0]);
	ck_assert_uint_ne(other[1], members[0]);
	ck_assert(upstreams_state(upstreams, members[1], &state));
	ck_assert(state.well);
	ck_assert(!upstreams_state(upstreams, 3, &state));
	empty = group_of("z", UPSTREAM_ORDERED, false, NULL, NULL, NULL);
	ck_assert_uint_eq(upstreams_group_members(upstreams, empty, members), 0);
	ck_assert(!upstreams_group_is_private(upstreams, empty));
	ck_assert(!upstreams_group_is_private(upstreams, a));
	ck_assert(upstreams_group_is_private(
		upstreams,
		group_of("p", UPSTREAM_ORDERED, false, "10.0.0.1", "127.0.0.1", "fd00::1")));
}
END_TEST

/* Over TLS it is the same upstream only if it must show the same; never the one in clear text. */
START_TEST(tls_identity)
{
	struct tls_pin pins[2] = { { { 1 } }, { { 2 } } };
	struct upstream_conf tls[4] = {
		{ .tls = true, .tls_pins = &pins[0], .tls_pins_count = 1 },
		{ .tls = true, .tls_pins = &pins[1], .tls_pins_count = 1 },
		{ .tls = true, .tls_name = "a", .tls_pins = &pins[0], .tls_pins_count = 1 },
		{ .tls = false },
	};
	struct upstream_group_conf conf = { .upstreams = tls, .count = 4 };
	uint16_t group, again, member[UPSTREAMS_A_GROUP_MAX];
	struct upstream_tls_state state;
	struct name name = name_of(".");
	struct err err = { "" };
	unsigned i;

	conf.zone = &name;
	for (i = 0; i < 4; i++)
		ck_assert_int_eq(addr_parse(&tls[i].addr, "192.0.2.1@853", 53), 0);
	ck_assert_int_eq(upstreams_group(upstreams, &conf, &group, &err), 0);
	ck_assert_int_eq(upstreams_group(upstreams, &conf, &again, &err), 0);
	ck_assert_uint_eq(group, again);
	ck_assert_uint_eq(upstreams_group_members(upstreams, group, member), 4);
	for (i = 0; i < 4; i++) {
		ck_assert(upstream_is_tls(upstreams, member[i]) == tls[i].tls);
		ck_assert(upstream_tls_state(upstreams, member[i], &state) == tls[i].tls);
		ck_assert(upstream_trusts_ad(upstreams, group, member[i]) == tls[i].tls);
	}
	/* Nobody would be believed: no such upstream. */
	tls[0].tls_pins_count = 0;
	ck_assert_int_eq(upstreams_group(upstreams, &conf, &again, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "upstream tls://192.0.2.1@853: neither"));
}
END_TEST

static unsigned lines, good_lines;
static char last_line[1024];

static void on_line(void *arg, bool good, const char *line)
{
	(void)arg;
	lines++;
	good_lines += good;
	snprintf(last_line, sizeof(last_line), "%s", line);
}

/* What is told of handshakes: what is new, again each minute, and not more than is bearable. */
START_TEST(tls_lines)
{
	struct tls_pin pin = { { 1 } };
	struct upstream_conf tls = {
		.tls = true, .tls_name = "dns.example", .tls_pins = &pin, .tls_pins_count = 1
	};
	struct upstream_group_conf conf = { .upstreams = &tls, .count = 1 };
	struct tls_fault fault = { .kind = TLS_FAULT_NAME, .text = "its certificate is odd" };
	uint16_t group, member[UPSTREAMS_A_GROUP_MAX];
	struct upstream_tls_state state;
	struct name name = name_of(".");
	uint64_t now_ms = 1000000;
	unsigned i;

	conf.zone = &name;
	ck_assert_int_eq(addr_parse(&tls.addr, "192.0.2.1@853", 53), 0);
	ck_assert_int_eq(upstreams_group(upstreams, &conf, &group, NULL), 0);
	upstreams_group_members(upstreams, group, member);
	upstream_note_tls_session(upstreams, member[0], false, now_ms);
	upstreams_tls_tell(upstreams, on_line, NULL);
	ck_assert_uint_eq(lines, 0); /* all is well, as it should be */
	ck_assert(!upstream_tls_pauses(upstreams, member[0], now_ms));
	for (i = 0; i < 5; i++)
		upstream_note_tls_fault(upstreams, member[0], &fault, now_ms);
	ck_assert(upstream_tls_pauses(upstreams, member[0], now_ms));
	ck_assert(!upstream_tls_pauses(upstreams, member[0], now_ms + UPSTREAM_TLS_PAUSE_MS));
	ck_assert(upstream_tls_state(upstreams, member[0], &state));
	ck_assert_uint_eq(state.failed, 5);
	ck_assert_int_eq(state.fault.kind, TLS_FAULT_NAME);
	upstreams_tls_tell(upstreams, on_line, NULL);
	upstreams_tls_tell(upstreams, on_line, NULL);
	ck_assert_uint_eq(lines, 1);
	ck_assert_str_eq(last_line, "upstream tls://192.0.2.1@853#dns.example: refused: its "
				    "certificate is odd (5 times); it is not asked");
	upstream_note_tls_fault(upstreams, member[0], &fault, now_ms + 60000);
	upstreams_tls_tell(upstreams, on_line, NULL);
	ck_assert_uint_eq(lines, 2);
	upstream_note_tls_session(upstreams, member[0], true, now_ms + 60001);
	upstreams_tls_tell(upstreams, on_line, NULL);
	ck_assert_uint_eq(good_lines, 1);
	ck_assert(upstream_tls_state(upstreams, member[0], &state));
	ck_assert_int_eq(state.fault.kind, TLS_FAULT_NONE);
	/* One that comes and goes. */
	for (i = 0; i < 100; i++) {
		upstream_note_tls_fault(upstreams, member[0], &fault, now_ms + 60002);
		upstreams_tls_tell(upstreams, on_line, NULL);
		upstream_note_tls_session(upstreams, member[0], true, now_ms + 60002);
		upstreams_tls_tell(upstreams, on_line, NULL);
	}
	ck_assert_uint_le(lines, 3 + UPSTREAM_TLS_LINES);
}
END_TEST

static int choose(uint16_t group, uint32_t without)
{
	uint16_t u;

	return upstreams_choose(upstreams, group, without, 1000, &u);
}

START_TEST(ordered_and_aside)
{
	uint16_t group = group_of(".", UPSTREAM_ORDERED, false, "192.0.2.1", "192.0.2.2", NULL);
	uint32_t recovered = upstreams_group_recovered(upstreams, group);
	struct upstream_probe probe;
	uint64_t next, now = 1000;

	ck_assert_int_eq(choose(group, 0), 0);
	ck_assert_int_eq(choose(group, 1), 1);
	ck_assert_int_eq(choose(group, 3), -1);
	upstream_note_timeout(upstreams, group, 0, 400, now);
	ck_assert_int_eq(choose(group, 0), 0);
	/* An answer between two failures: not two in a row. */
	upstream_note_answer(upstreams, group, 0, 1000);
	upstream_note_unreachable(upstreams, group, 0, now);
	ck_assert_int_eq(choose(group, 0), 0);
	upstream_note_timeout(upstreams, group, 0, 400, now);
	ck_assert_int_eq(choose(group, 0), 1);
	/* Last, not left out; and with all aside again in order. */
	ck_assert_int_eq(choose(group, 2), 0);
	upstream_note_timeout(upstreams, group, 1, 400, now);
	upstream_note_timeout(upstreams, group, 1, 400, now);
	ck_assert_int_eq(choose(group, 0), 0);
	upstream_note_answer(upstreams, group, 1, 1000);
	ck_assert_uint_ne(upstreams_group_recovered(upstreams, group), recovered);
	recovered = upstreams_group_recovered(upstreams, group);
	/* Probed, again and again, ever more seldom, until it answers. */
	ck_assert(!upstreams_take_probe(upstreams, now, &probe, &next));
	ck_assert_uint_eq(next, now + STANDING_PROBE_FIRST_MS);
	ck_assert(upstreams_take_probe(upstreams, next, &probe, &next));
	ck_assert_uint_eq(probe.group, group);
	ck_assert_uint_eq(probe.member, 0);
	ck_assert(!probe.for_zone);
	ck_assert(!upstreams_take_probe(upstreams, now + 10000, &probe, &next));
	ck_assert_uint_eq(next, 0);
	upstream_probe_failed(upstreams, &probe, 2000);
	ck_assert(!upstreams_take_probe(upstreams, 2000, &probe, &next));
	ck_assert_uint_eq(next, 2500);
	ck_assert(upstreams_take_probe(upstreams, next, &probe, &next));
	upstream_probe_failed(upstreams, &probe, 3000);
	ck_assert(!upstreams_take_probe(upstreams, 3000, &probe, &next));
	ck_assert_uint_eq(next, 4000);
	ck_assert_int_eq(choose(group, 0), 1);
	ck_assert(upstreams_take_probe(upstreams, next, &probe, &next));
	upstream_note_alive(upstreams, &probe, 1000);
	ck_assert_int_eq(choose(group, 0), 0);
	ck_assert_uint_eq(upstreams_group_recovered(upstreams, group), recovered + 1);
	ck_assert(!upstreams_take_probe(upstreams, 9000, &probe, &next));
	ck_assert_uint_eq(next, 0);
}
END_TEST

/* A zone that is not asked for any more is not probed for. */
START_TEST(idle_zones_are_left_in_peace)
{
	uint16_t group = group_of(".", UPSTREAM_ORDERED, false, "192.0.2.1", "192.0.2.2", NULL);
	uint64_t late = 1000 + UPSTREAM_PROBE_IDLE_MS + 1, next;
	struct upstream_probe probe;

	choose(group, 0); /* at 1000 */
	upstream_note_timeout(upstreams, group, 0, 400, 1000);
	upstream_note_timeout(upstreams, group, 0, 400, 1000);
	ck_assert(!upstreams_take_probe(upstreams, late, &probe, &next));
	ck_assert_uint_gt(next, late);
	ck_assert_int_eq(upstreams_choose(upstreams, group, 0, late, &probe.group), 1);
	ck_assert(upstreams_take_probe(upstreams, next, &probe, &next));
}
END_TEST

START_TEST(refusals)
{
	uint16_t corp = group_of("corp", UPSTREAM_ORDERED, false, "192.0.2.1", "192.0.2.2", NULL);
	uint16_t root = group_of(".", UPSTREAM_ORDERED, false, "192.0.2.1", NULL, NULL);
	struct upstream_probe probe;
	uint64_t next, now = 1000;

	choose(corp, 0);
	/* Of one name, again and again, and good answers between: nothing. */
	upstream_note_refusal(upstreams, corp, 0, false, 1000, now);
	upstream_note_answer(upstreams, corp, 0, 1000);
	upstream_note_refusal(upstreams, corp, 0, false, 1000, now);
	ck_assert(!upstreams_take_probe(upstreams, now, &probe, &next));
	ck_assert_uint_eq(next, 0);
	/* Of names whose fault it is: nothing. */
	upstream_note_refusal(upstreams, corp, 0, true, 1000, now);
	upstream_note_refusal(upstreams, corp, 0, true, 1000, now);
	ck_assert(!upstreams_take_probe(upstreams, now, &probe, &next));
	/* Two in a row: a probe decides, and meanwhile it is as before. */
	upstream_note_refusal(upstreams, corp, 0, false, 1000, now);
	upstream_note_refusal(upstreams, corp, 0, false, 1000, now);
	ck_assert_int_eq(choose(corp, 0), 0);
	ck_assert(upstreams_take_probe(upstreams, now, &probe, &next));
	ck_assert(probe.for_zone);
	ck_assert_uint_eq(probe.group, corp);
	ck_assert_uint_eq(probe.member, 0);
	upstream_note_alive(upstreams, &probe, 0);
	ck_assert_int_eq(choose(corp, 0), 0);
	upstream_note_refusal(upstreams, corp, 0, false, 1000, now);
	upstream_note_refusal(upstreams, corp, 0, false, 1000, now);
	ck_assert(upstreams_take_probe(upstreams, now, &probe, &next));
	upstream_probe_failed(upstreams, &probe, now);
	/* For this zone alone. */
	ck_assert_int_eq(choose(corp, 0), 1);
	ck_assert(!upstream_is_well(upstreams, corp, 0));
	ck_assert(upstream_is_well(upstreams, root, 0));
	/* It might answer all but the probe. */
	ck_assert(!upstreams_take_probe(upstreams, now + UPSTREAM_UNWILLING_MS, &probe, &next));
	ck_assert_int_eq(choose(corp, 0), 0);
}
END_TEST

START_TEST(spread_is_even)
{
	uint16_t spread =
		group_of(".", UPSTREAM_SPREAD, false, "192.0.2.1", "192.0.2.2", "192.0.2.3");
	unsigned i, count[3] = { 0 };

	for (i = 0; i < 30000; i++)
		count[choose(spread, 0)]++;
	/* Five standard deviations of 82. */
	for (i = 0; i < 3; i++) {
		ck_assert_uint_gt(count[i], 9590);
		ck_assert_uint_lt(count[i], 10410);
	}
	upstream_note_timeout(upstreams, spread, 1, 400, 1000);
	upstream_note_timeout(upstreams, spread, 1, 400, 1000);
	count[1] = 0;
	for (i = 0; i < 1000; i++)
		count[choose(spread, 0)]++;
	ck_assert_uint_eq(count[1], 0);
}
END_TEST

START_TEST(fastest)
{
	uint16_t group =
		group_of(".", UPSTREAM_FASTEST, false, "192.0.2.1", "192.0.2.2", "192.0.2.3");
	unsigned i, explored[3] = { 0 };
	uint16_t u;

	/* In order, until one is known; who is not known is taken for slow. */
	ck_assert_int_eq(choose(group, 0), 0);
	upstream_note_answer(upstreams, group, 1, 20000);
	ck_assert_int_eq(choose(group, 0), 1);
	upstream_note_answer(upstreams, group, 2, 10000);
	/* Always the fastest: others are tried out beside it, not in its place. */
	for (i = 0; i < 1000; i++) {
		int member;

		ck_assert_int_eq(choose(group, 0), 2);
		member = upstreams_explore(upstreams, group, 2, 0, &u);
		if (member >= 0) {
			ck_assert_uint_eq(u, (unsigned)member);
			explored[member]++;
		}
	}
	ck_assert_uint_eq(explored[2], 0);
	ck_assert_uint_gt(explored[0], 5);
	ck_assert_uint_gt(explored[1], 5);
	ck_assert_uint_lt(explored[0] + explored[1], 150);
	/* Not who would send it back. */
	for (i = 0; i < 1000; i++)
		ck_assert_int_le(upstreams_explore(upstreams, group, 2, 2 | 1, &u), -1);
	explored[0] = explored[1] = 0;
	for (i = 0; i < 1000; i++) {
		int member = upstreams_explore(upstreams, group, 2, 2, &u);

		if (member >= 0)
			explored[member]++;
	}
	ck_assert_uint_eq(explored[1], 0);
	ck_assert_uint_gt(explored[0], 5);
	/* It got faster. */
	for (i = 0; i < 20; i++)
		upstream_note_answer(upstreams, group, 1, 1000);
	ck_assert_int_eq(choose(group, 0), 1);
	/* The time that is waited in vain counts: near, but every third is lost. */
	for (i = 0; i < 20; i++) {
		upstream_note_answer(upstreams, group, 1, 1000);
		upstream_note_answer(upstreams, group, 1, 1000);
		upstream_note_timeout(upstreams, group, 1, 200, 1000);
	}
	ck_assert_int_eq(choose(group, 0), 2);
}
END_TEST

START_TEST(timeouts)
{
	uint16_t group = group_of(".", UPSTREAM_ORDERED, false, "192.0.2.1", NULL, NULL);
	unsigned i;

	ck_assert_uint_eq(upstream_timeout_ms(upstreams, 0, 0), UPSTREAM_TIMEOUT_FIRST_MS);
	ck_assert_uint_eq(upstream_timeout_ms(upstreams, 0, 1), 2 * UPSTREAM_TIMEOUT_FIRST_MS);
	ck_assert_uint_eq(upstream_timeout_ms(upstreams, 0, 9), UPSTREAM_TIMEOUT_MAX_MS);
	upstream_note_answer(upstreams, group, 0, 100000);
	ck_assert_uint_eq(upstream_timeout_ms(upstreams, 0, 0), 300); /* RFC 6298 2.2 */
	for (i = 0; i < 100; i++)
		upstream_note_answer(upstreams, group, 0, 500);
	ck_assert_uint_eq(upstream_timeout_ms(upstreams, 0, 0), UPSTREAM_TIMEOUT_MIN_MS);
	for (i = 0; i < 100; i++)
		upstream_note_answer(upstreams, group, 0, UINT64_MAX);
	ck_assert_uint_eq(upstream_timeout_ms(upstreams, 0, 0), UPSTREAM_TIMEOUT_MAX_MS);
}
END_TEST

START_TEST(trust_and_edns)
{
	uint16_t plain = group_of(".", UPSTREAM_ORDERED, false, "192.0.2.1", "127.0.0.1", NULL);
	uint16_t trusted = group_of(".", UPSTREAM_ORDERED, true, "192.0.2.1", NULL, NULL);

	ck_assert(!upstream_trusts_ad(upstreams, plain, 0));
	ck_assert(upstream_trusts_ad(upstreams, plain, 1));
	ck_assert(upstream_trusts_ad(upstreams, trusted, 0));
	ck_assert(upstream_wants_edns(upstreams, 0, 5));
	upstream_note_no_edns(upstreams, 0, 5);
	ck_assert(!upstream_wants_edns(upstreams, 0, 6));
	ck_assert(upstream_wants_edns(upstreams, 0, 5 + UPSTREAM_UNABLE_MS));
}
END_TEST

static uint16_t match(const struct routes *routes, const char *text, unsigned *ret_labels)
{
	struct name name = name_of(text);

	return routes_match(routes, &name, ret_labels);
}

START_TEST(longest_suffix)
{
	const char *zones[] = { ".", "corp.example", "a.b.corp.example", "Test" };
	struct routes *routes = routes_new();
	struct name zone;
	unsigned labels = 99;
	uint16_t group;
	size_t i;

	for (i = 0; i < 4; i++) {
		zone = name_of(zones[i]);
		ck_assert_int_eq(routes_add(routes, &zone, (uint16_t)(10 + i), NULL), 0);
	}
	ck_assert_int_eq(routes_seal(routes, NULL), 0);
	ck_assert_uint_eq(match(routes, ".", &labels), 10);
	ck_assert_uint_eq(labels, 0);
	ck_assert_uint_eq(match(routes, "example", NULL), 10);
	ck_assert_uint_eq(match(routes, "xcorp.example", NULL), 10);
	ck_assert_uint_eq(match(routes, "x.CORP.example", &labels), 11);
	ck_assert_uint_eq(labels, 2);
	ck_assert_uint_eq(match(routes, "b.corp.example", NULL), 11);
	ck_assert_uint_eq(match(routes, "a.b.corp.example", NULL), 12);
	ck_assert_uint_eq(match(routes, "y.x.a.b.corp.example", &labels), 12);
	ck_assert_uint_eq(labels, 4);
	ck_assert_uint_eq(match(routes, "a.test", NULL), 13);
	ck_assert(routes_at(routes, 2, &zone, &group));
	ck_assert_uint_eq(group, 12);
	ck_assert_uint_eq(zone.labels, 4);
	ck_assert(!routes_at(routes, 4, &zone, &group));
	routes_free(routes);
	routes_free(NULL);
}
END_TEST

START_TEST(bad_routes)
{
	struct routes *routes = routes_new();
	struct name zone = name_of("a.test");
	struct err err;

	ck_assert_int_eq(routes_add(routes, &zone, 1, NULL), 0);
	ck_assert_int_eq(routes_seal(routes, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "root"));
	routes_free(routes);
	routes = routes_new();
	ck_assert_int_eq(routes_add(routes, &zone, 1, NULL), 0);
	zone = name_of("A.test");
	ck_assert_int_eq(routes_add(routes, &zone, 2, NULL), 0);
	ck_assert_int_eq(routes_seal(routes, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "a.test"));
	routes_free(routes);
}
END_TEST

static Suite *upstream_suite(void)
{
	Suite *suite = suite_create("upstream");
	TCase *tcase = tcase_create("upstream");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, groups);
	tcase_add_test(tcase, tls_identity);
	tcase_add_test(tcase, tls_lines);
	tcase_add_test(tcase, ordered_and_aside);
	tcase_add_test(tcase, idle_zones_are_left_in_peace);
	tcase_add_test(tcase, refusals);
	tcase_add_test(tcase, fastest);
	tcase_add_test(tcase, spread_is_even);
	tcase_add_test(tcase, timeouts);
	tcase_add_test(tcase, trust_and_edns);
	tcase_add_test(tcase, longest_suffix);
	tcase_add_test(tcase, bad_routes);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(upstream_suite)
