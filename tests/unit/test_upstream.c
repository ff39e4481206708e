/* SPDX-License-Identifier: MIT */
/* The registry of upstreams, the choice among them, and the routes. */
#include <string.h>

#include "base/clock.h"
#include "forward/upstream_choice.h"
#include "forward/upstream_health.h"
#include "unit/unit.h"

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

START_TEST(tls_refused)
{
	struct upstream_conf tls = { .tls = true };
	struct name name = name_of(".");
	struct upstream_group_conf conf = { .zone = &name, .upstreams = &tls, .count = 1 };
	struct err err = { "" };
	uint16_t group = 77;

	ck_assert_int_eq(addr_parse(&tls.addr, "192.0.2.1@853", 53), 0);
	ck_assert_int_eq(upstreams_group(upstreams, &conf, &group, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "TLS"));
	ck_assert_uint_eq(group, 77);
}
END_TEST

START_TEST(ordered_and_aside)
{
	uint16_t group = group_of(".", UPSTREAM_ORDERED, false, "192.0.2.1", "192.0.2.2", NULL);
	uint64_t now = clock_now_ms();
	uint16_t first, u;

	ck_assert_int_eq(upstreams_choose(upstreams, group, 0, now, &first), 0);
	ck_assert_int_eq(upstreams_choose(upstreams, group, 1, now, &u), 1);
	ck_assert_int_eq(upstreams_choose(upstreams, group, 3, now, &u), -1);
	upstream_note_timeout(upstreams, first, now);
	ck_assert_int_eq(upstreams_choose(upstreams, group, 0, now, &u), 0);
	upstream_note_timeout(upstreams, first, now);
	ck_assert_int_eq(upstreams_choose(upstreams, group, 0, now, &u), 1);
	/* Last, not left out. */
	ck_assert_int_eq(upstreams_choose(upstreams, group, 2, now, &u), 0);
	ck_assert_int_eq(upstreams_choose(upstreams, group, 0, now + UPSTREAM_ASIDE_MS, &u), 0);
	/* One answer makes it well. */
	upstream_note_timeout(upstreams, first, now);
	ck_assert_int_eq(upstreams_choose(upstreams, group, 0, now, &u), 1);
	upstream_note_answer(upstreams, first, 1000);
	ck_assert_int_eq(upstreams_choose(upstreams, group, 0, now, &u), 0);
	/* A refusal is life, too. */
	upstream_note_timeout(upstreams, first, now);
	upstream_note_refusal(upstreams, first, 1000);
	upstream_note_timeout(upstreams, first, now);
	ck_assert_int_eq(upstreams_choose(upstreams, group, 0, now, &u), 0);
}
END_TEST

START_TEST(fastest_and_spread)
{
	uint16_t fastest = group_of(".", UPSTREAM_FASTEST, false, "192.0.2.1", "192.0.2.2", NULL);
	uint16_t spread = group_of(".", UPSTREAM_SPREAD, false, "192.0.2.1", "192.0.2.2", NULL);
	unsigned i, second = 0, second_spread = 0;
	uint16_t u;

	upstream_note_answer(upstreams, 0, 20000);
	upstream_note_answer(upstreams, 1, 10000);
	for (i = 0; i < 1000; i++) {
		second += upstreams_choose(upstreams, fastest, 0, 1, &u) == 1;
		second_spread += upstreams_choose(upstreams, spread, 0, 1, &u) == 1;
	}
	ck_assert_uint_gt(second, 900);
	ck_assert_uint_lt(second, 1000); /* the other has its chance */
	ck_assert_uint_gt(second_spread, 400);
	ck_assert_uint_lt(second_spread, 600);
}
END_TEST

START_TEST(timeouts)
{
	unsigned i;

	group_of(".", UPSTREAM_ORDERED, false, "192.0.2.1", NULL, NULL);
	ck_assert_uint_eq(upstream_timeout_ms(upstreams, 0, 0), UPSTREAM_TIMEOUT_FIRST_MS);
	ck_assert_uint_eq(upstream_timeout_ms(upstreams, 0, 1), 2 * UPSTREAM_TIMEOUT_FIRST_MS);
	ck_assert_uint_eq(upstream_timeout_ms(upstreams, 0, 9), UPSTREAM_TIMEOUT_MAX_MS);
	upstream_note_answer(upstreams, 0, 100000);
	ck_assert_uint_eq(upstream_timeout_ms(upstreams, 0, 0), 300); /* RFC 6298 2.2 */
	for (i = 0; i < 100; i++)
		upstream_note_answer(upstreams, 0, 500);
	ck_assert_uint_eq(upstream_timeout_ms(upstreams, 0, 0), UPSTREAM_TIMEOUT_MIN_MS);
	for (i = 0; i < 100; i++)
		upstream_note_answer(upstreams, 0, UINT64_MAX);
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
	tcase_add_test(tcase, tls_refused);
	tcase_add_test(tcase, ordered_and_aside);
	tcase_add_test(tcase, fastest_and_spread);
	tcase_add_test(tcase, timeouts);
	tcase_add_test(tcase, trust_and_edns);
	tcase_add_test(tcase, longest_suffix);
	tcase_add_test(tcase, bad_routes);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(upstream_suite)
