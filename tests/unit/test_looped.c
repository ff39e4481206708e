/* SPDX-License-Identifier: MIT */
/*
 * What the forwarder does about loops: questions that come back to either worker, upstreams that
 * are left out. The probes are put and answered by the test.
 */
#include "forward/looptable.h"
#include "unit/forwardkit.h"
#include "unit/responder.h"
#include "unit/unit.h"
#include "upstream/health.h"

static struct responder r, r2;
static struct reply got;

static void setup(void)
{
	kit_setup();
	responder_start(&r, responder_silent);
	responder_start_at(&r2, responder_address, "127.0.0.2@0");
}

static void teardown(void)
{
	stop(2);
	responder_stop(&r);
	responder_stop(&r2);
}

static enum forward_verdict get_as(struct side *side, const char *from, uint16_t type,
				   uint64_t waiter)
{
	struct forward_question question = { .name = &name, .type = type, .group = group };
	union addr addr;

	ck_assert_int_eq(addr_parse(&addr, from, 0), 0);
	question.from = &addr;
	return forward_get(side->forward, &question, waiter, clock_now_ms(), buf, sizeof(buf),
			   &got);
}

static enum forward_verdict get_from(struct side *side, const char *from, bool here, unsigned bits,
				     uint64_t waiter)
{
	struct forward_question question = { .name = &name,
					     .type = TYPE_A,
					     .group = group,
					     .do_bit = bits & 1,
					     .cd_bit = bits & 2,
					     .here = here };
	union addr addr;

	ck_assert_int_eq(addr_parse(&addr, from, 0), 0);
	question.from = &addr;
	return forward_get(side->forward, &question, waiter, clock_now_ms(), buf, sizeof(buf),
			   &got);
}

/* Every upstream of the group is probed for this zone; those of `back` have it come back. */
static void probe(const char *zone, uint32_t back)
{
	struct looptable *loops = forward_loops(shared);
	uint16_t member[UPSTREAMS_A_GROUP_MAX];
	size_t count = upstreams_group_members(upstreams, group, member), done;
	uint64_t now_ms = clock_now_ms() - LOOPTABLE_SUSPECT_AGAIN_MS, wait_ms; /* some time ago */
	struct loop_probe probe;
	struct name of;
	unsigned i;

	name_from_text(&of, zone, strlen(zone));
	looptable_follow_begin(loops);
	ck_assert_int_eq(looptable_follow_add(loops, &of, group, NULL), 0);
	ck_assert_int_eq(looptable_follow_commit(loops, now_ms, NULL), 0);
	for (done = 0; done < count; now_ms += LOOPTABLE_GAP_MS) {
		if (!looptable_next(loops, now_ms, &probe, &wait_ms))
			continue;
		for (i = 0; member[i] != probe.upstream; i++)
			;
		if (back & 1U << i)
			ck_assert(forward_is_probe(sides[1].forward, &probe.name,
						   upstream_addr(upstreams, probe.upstream),
						   &r.addr, now_ms));
		looptable_ended(loops, probe.token, back & 1U << i ? LOOP_SERVFAIL : LOOP_ANSWERED,
				now_ms);
		done++;
	}
}

START_TEST(comes_back_to_another_worker)
{
	group = make_group(&r.addr, 1, UPSTREAM_ORDERED);
	start(2, (struct forward_conf){ 0 });
	probe("other.test", 0);
	/* Nothing is in flight yet: whoever it is, the question is his own. */
	ck_assert_int_eq(get_from(&sides[0], "127.0.0.1@999", false, 0, 1), FORWARD_WAITING);
	/* From any port, with any bits, to any worker. */
	ck_assert_int_eq(get_from(&sides[1], "127.0.0.1@53", false, 0, 1), FORWARD_LOOP);
	ck_assert_int_eq(get_from(&sides[1], "127.0.0.1@53", false, 3, 1), FORWARD_LOOP);
	ck_assert_int_eq(get_from(&sides[0], "::ffff:127.0.0.1@53", false, 1, 2), FORWARD_LOOP);
	/* Somebody else's, and from where others ask too. */
	ck_assert_int_eq(get_from(&sides[1], "127.0.0.3@53", false, 0, 2), FORWARD_WAITING);
	ck_assert_int_eq(get_from(&sides[1], "127.0.0.1@53", true, 0, 3), FORWARD_WAITING);
	ck_assert_uint_eq(counter_get(&forward_counters(sides[1].forward)->joined), 2);
}
END_TEST

/* In flight, but not at that one: it was not asked yet. */
START_TEST(in_flight_at_another_upstream)
{
	union addr addrs[2] = { r.addr, r2.addr };

	group = make_group(addrs, 2, UPSTREAM_ORDERED);
	start(2, (struct forward_conf){ 0 });
	probe("other.test", 0);
	ck_assert_int_eq(get_from(&sides[0], "10.0.0.1@999", false, 0, 1), FORWARD_WAITING);
	ck_assert_uint_eq(forward_asks(sides[1].forward, &name, TYPE_A, group), 1);
	ck_assert_int_eq(get_from(&sides[1], "127.0.0.2@53", false, 0, 1), FORWARD_WAITING);
	ck_assert_int_eq(get_from(&sides[1], "127.0.0.1@53", false, 0, 2), FORWARD_LOOP);
}
END_TEST

START_TEST(left_out)
{
	union addr addrs[2] = { r.addr, r2.addr };

	group = make_group(addrs, 2, UPSTREAM_ORDERED);
	start(2, (struct forward_conf){ 0 });
	probe("example.test", 1);
	ck_assert_int_eq(get_from(&sides[0], "10.0.0.1@999", false, 0, 1), FORWARD_WAITING);
	ck_assert_uint_eq(forward_asks(sides[1].forward, &name, TYPE_A, group), 2);
	wait_for(&sides[0], 1);
	check_address(&sides[0].reply);
	ck_assert_uint_eq(r.asked, 0);
	ck_assert_uint_eq(r2.asked, 1);
}
END_TEST

START_TEST(nobody_left)
{
	union addr addrs[2] = { r.addr, r2.addr };

	group = make_group(addrs, 2, UPSTREAM_ORDERED);
	start(2, (struct forward_conf){ 0 });
	probe("example.test", 3);
	ck_assert_int_eq(get_from(&sides[0], "10.0.0.1@999", false, 0, 1), FORWARD_HIT);
	ck_assert(got.failed);
	ck_assert_int_eq(got.ede, EDE_NO_REACHABLE_AUTHORITY);
	ck_assert_str_eq(got.ede_text, "every upstream sends this zone back to this server");
	ck_assert_uint_eq(counter_get(&forward_counters(sides[0].forward)->looped), 1);
	ck_assert_uint_eq(counter_get(&forward_counters(sides[0].forward)->misses), 1);
	/* Nothing of it is kept: it is asked for as soon as one is well. */
	probe("elsewhere.test", 3);
	ck_assert_int_eq(get_from(&sides[1], "10.0.0.1@999", false, 0, 1), FORWARD_WAITING);
}
END_TEST

/* What is cached is given, marks or not. */
START_TEST(cached_all_the_same)
{
	group = make_group(&r2.addr, 1, UPSTREAM_ORDERED);
	start(2, (struct forward_conf){ 0 });
	ck_assert_int_eq(get_from(&sides[0], "10.0.0.1@999", false, 0, 1), FORWARD_WAITING);
	wait_for(&sides[0], 1);
	probe("example.test", 1);
	ck_assert_int_eq(get_from(&sides[1], "10.0.0.1@999", false, 0, 1), FORWARD_HIT);
	ck_assert(!got.failed);
	ck_assert_int_eq(get_from(&sides[1], "10.0.0.1@999", false, 1, 1), FORWARD_HIT);
	ck_assert(got.failed);
}
END_TEST

/* Whom nobody can be asked for has the old answer. */
START_TEST(stale_while_nobody_is_left)
{
	struct forward_question question = { .name = &name, .type = TYPE_A };

	group = make_group(&r2.addr, 1, UPSTREAM_ORDERED);
	start(2, (struct forward_conf){ .limits.stale_s = 86400 });
	ck_assert_int_eq(get_from(&sides[0], "10.0.0.1@999", false, 0, 1), FORWARD_WAITING);
	wait_for(&sides[0], 1);
	probe("example.test", 1);
	question.group = group;
	ck_assert_int_eq(forward_get(sides[0].forward, &question, 2, clock_now_ms() + 400000, buf,
				     sizeof(buf), &got),
			 FORWARD_HIT);
	ck_assert(!got.failed);
	ck_assert(got.stale);
	ck_assert_uint_eq(r2.asked, 1);
}
END_TEST

/*
 * Nor does anybody wait for upstreams that are known to be down; they are asked all the same, so
 * that the first which is back is noticed.
 */
START_TEST(stale_while_all_are_down)
{
	struct forward_question question = { .name = &name, .type = TYPE_A };
	uint64_t now_ms = clock_now_ms();
	union addr addrs[2] = { r.addr, r2.addr };
	unsigned i;

	group = make_group(addrs, 2, UPSTREAM_ORDERED);
	question.group = group;
	r.answer = responder_address;
	start(2, (struct forward_conf){ .limits.stale_s = 86400 });
	ck_assert_int_eq(get_from(&sides[0], "10.0.0.1@999", false, 0, 1), FORWARD_WAITING);
	wait_for(&sides[0], 1);
	for (i = 0; i < 2; i++)
		upstream_note_timeout(upstreams, group, 0, 400, now_ms);
	for (i = 0; i < 2; i++)
		upstream_note_timeout(upstreams, group, 1, 400, now_ms);
	ck_assert(upstreams_are_down(upstreams, group, 0));
	ck_assert_int_eq(forward_get(sides[0].forward, &question, 2, now_ms + 400000, buf,
				     sizeof(buf), &got),
			 FORWARD_HIT);
	ck_assert(!got.failed);
	ck_assert(got.stale);
	ck_assert_uint_eq(forward_asks(sides[1].forward, &name, TYPE_A, group), 1);
	while (forward_asks(sides[1].forward, &name, TYPE_A, group)) {
		struct timeval tick = { 0, 10000 };

		event_base_loopexit(sides[0].base, &tick);
		event_base_dispatch(sides[0].base);
	}
	ck_assert(!upstreams_are_down(upstreams, group, 0));
	/* Where one is up, a fresh answer is waited for. */
	ck_assert_int_eq(forward_get(sides[1].forward, &question, 2, now_ms + 800000, buf,
				     sizeof(buf), &got),
			 FORWARD_WAITING);
}
END_TEST

static size_t second_time(struct responder *responder, const struct message_query *query,
			  const uint8_t *data, bool tcp, uint8_t *out)
{
	return responder->asked == 1 ? 0 : responder_address(responder, query, data, tcp, out);
}

/*
 * An upstream was silent at first. It may have been waiting for us: had we had an old answer, it
 * would have got that, and given it back as a new one.
 */
START_TEST(silent_at_first)
{
	struct loop_probe next;
	uint64_t wait_ms;

	r2.answer = second_time;
	group = make_group(&r2.addr, 1, UPSTREAM_ORDERED);
	start(2, (struct forward_conf){ 0 });
	probe("example.test", 0);
	ck_assert(!looptable_next(forward_loops(shared), clock_now_ms(), &next, &wait_ms));
	ck_assert_int_eq(get_from(&sides[0], "10.0.0.1@999", false, 0, 1), FORWARD_WAITING);
	wait_for(&sides[0], 1);
	check_address(&sides[0].reply);
	ck_assert(looptable_next(forward_loops(shared), clock_now_ms(), &next, &wait_ms));
	looptable_ended(forward_loops(shared), next.token, LOOP_ANSWERED, clock_now_ms());
}
END_TEST

/* What we ask to find out whether a silent upstream lives: is answered at once, to that alone. */
START_TEST(health_probe_comes_back)
{
	uint64_t end_ms = clock_now_ms() + 10000;

	name_from_text(&name, ".", 1);
	group = make_group(&r.addr, 1, UPSTREAM_ORDERED);
	start(2, (struct forward_conf){ 0 });
	probe("other.test", 0);
	/* Groups that nobody asks are not probed. */
	ck_assert_int_eq(get_as(&sides[0], "10.0.0.1@999", TYPE_A, 1), FORWARD_WAITING);
	upstream_note_timeout(upstreams, group, 0, 400, clock_now_ms());
	upstream_note_timeout(upstreams, group, 0, 400, clock_now_ms());
	ck_assert(!upstream_is_well(upstreams, group, 0));
	while (upstreams_probed(upstreams, group) == 0) {
		struct timeval tick = { 0, 10000 };

		ck_assert(clock_now_ms() < end_ms);
		event_base_loopexit(sides[0].base, &tick);
		event_base_dispatch(sides[0].base);
	}
	ck_assert_int_eq(get_as(&sides[0], "127.0.0.1@53", TYPE_NS, 1), FORWARD_LOOP);
	ck_assert_int_eq(get_as(&sides[1], "127.0.0.1@53", TYPE_NS, 1), FORWARD_LOOP);
	ck_assert_int_eq(get_as(&sides[1], "127.0.0.1@53", TYPE_SOA, 1), FORWARD_WAITING);
	ck_assert_int_eq(get_as(&sides[1], "127.0.0.3@53", TYPE_NS, 2), FORWARD_WAITING);
}
END_TEST

static Suite *looped_suite(void)
{
	Suite *suite = suite_create("looped");
	TCase *tcase = tcase_create("looped");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, comes_back_to_another_worker);
	tcase_add_test(tcase, in_flight_at_another_upstream);
	tcase_add_test(tcase, left_out);
	tcase_add_test(tcase, nobody_left);
	tcase_add_test(tcase, cached_all_the_same);
	tcase_add_test(tcase, stale_while_all_are_down);
	tcase_add_test(tcase, silent_at_first);
	tcase_add_test(tcase, health_probe_comes_back);
	tcase_add_test(tcase, stale_while_nobody_is_left);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(looped_suite)
