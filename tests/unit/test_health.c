/* SPDX-License-Identifier: MIT */
/* Upstreams that fail are set aside and come back, by what real sockets say; referrals. */
#include "unit/forwardkit.h"
#include "unit/responder.h"
#include "unit/unit.h"
#include "upstream/health.h"

enum mood {
	ANSWERS,
	SILENT,
	FAILS,          /* SERVFAIL to everything */
	FAILS_ONE_NAME, /* to all but what a probe asks */
	REFERS,
	EMPTY, /* NODATA as some servers send it: nothing in it at all */
	CUT,   /* over UDP TC, over TCP nothing; but answers what a probe asks */
};

/* How many upstreams, and what each says. Upstreams are told apart by their responder. */
static struct responder r[3];
static _Atomic enum mood moods[3];
static unsigned questions;

static size_t by_mood(struct responder *who, const struct message_query *query, const uint8_t *data,
		      bool tcp, uint8_t *out)
{
	static const uint8_t ns[] = { 2, 'n', 's', 4, 't', 'e', 's', 't', 0 };
	enum mood mood = moods[who - r];
	struct writer writer;

	if (mood == SILENT)
		return 0;
	if (mood == CUT && query->type != TYPE_NS) {
		responder_begin(&writer, query, data, RCODE_NOERROR, out);
		writer_set_flags(&writer, FLAG_TC, 0);
		return tcp ? 0 : writer_finish(&writer);
	}
	if (mood == FAILS || (mood == FAILS_ONE_NAME && query->type != TYPE_NS)) {
		responder_begin(&writer, query, data, RCODE_SERVFAIL, out);
		return writer_finish(&writer);
	}
	if (mood == REFERS || mood == EMPTY) {
		responder_begin(&writer, query, data, RCODE_NOERROR, out);
		if (mood == REFERS)
			writer_record(&writer, SECTION_AUTHORITY, ns + 3, TYPE_NS, 300, ns,
				      sizeof(ns));
		return writer_finish(&writer);
	}
	return responder_address(who, query, data, tcp, out);
}

static void begin(unsigned count, enum upstream_policy policy)
{
	union addr addrs[3];
	unsigned i;

	questions = 0;
	for (i = 0; i < count; i++) {
		responder_start(&r[i], by_mood);
		addrs[i] = r[i].addr;
		moods[i] = ANSWERS;
	}
	group = make_group(addrs, count, policy);
	start(1, (struct forward_conf){ 0 });
}

static void end(unsigned count)
{
	stop(1);
	while (count > 0)
		responder_stop(&r[--count]);
}

/* A question that is not cached, and its answer. */
static const struct reply *ask(void)
{
	struct reply reply;

	questions++;
	ck_assert_int_eq(get(&sides[0], (uint16_t)(1000 + questions), questions, &reply),
			 FORWARD_WAITING);
	wait_for(&sides[0], questions);
	return &sides[0].reply;
}

static void wait_until(uint8_t member, bool well)
{
	uint64_t end_ms = clock_now_ms() + 10000;

	while (upstream_is_well(upstreams, group, member) != well) {
		struct timeval tick = { 0, 10000 };

		ck_assert(clock_now_ms() < end_ms);
		event_base_loopexit(sides[0].base, &tick);
		event_base_dispatch(sides[0].base);
	}
}

START_TEST(silent_one_comes_back)
{
	uint32_t recovered;

	begin(2, UPSTREAM_ORDERED);
	recovered = upstreams_group_recovered(upstreams, group);
	ck_assert(!ask()->failed);
	ck_assert_uint_eq(r[0].asked, 1);
	moods[0] = SILENT;
	ck_assert(!ask()->failed);
	ck_assert(!ask()->failed);
	ck_assert(!upstream_is_well(upstreams, group, 0));
	ck_assert_uint_eq(r[0].asked, 3);
	ck_assert(!ask()->failed);
	ck_assert_uint_eq(r[0].asked, 3);
	moods[0] = ANSWERS;
	wait_until(0, true);
	ck_assert_uint_ne(upstreams_group_recovered(upstreams, group), recovered);
	ck_assert_uint_eq(r[1].asked, 3);
	ck_assert(!ask()->failed);
	ck_assert_uint_eq(r[1].asked, 3);
	end(2);
}
END_TEST

START_TEST(failing_one_comes_back)
{
	begin(2, UPSTREAM_ORDERED);
	moods[0] = FAILS;
	ck_assert(!ask()->failed);
	ck_assert(upstream_is_well(upstreams, group, 0));
	ck_assert(!ask()->failed);
	wait_until(0, false);
	ck_assert(!ask()->failed);
	moods[0] = ANSWERS;
	wait_until(0, true);
	end(2);
}
END_TEST

/* What one broken name makes it say says nothing of it. */
START_TEST(broken_name_is_not_its_fault)
{
	unsigned i;

	begin(2, UPSTREAM_ORDERED);
	moods[0] = FAILS_ONE_NAME;
	for (i = 0; i < 8; i++) {
		ck_assert(!ask()->failed);
		ck_assert(upstream_is_well(upstreams, group, 0));
	}
	ck_assert_uint_ge(r[0].asked, 8);
	end(2);
}
END_TEST

START_TEST(referrals_are_no_answers)
{
	const struct reply *reply;

	begin(2, UPSTREAM_ORDERED);
	moods[0] = REFERS;
	reply = ask();
	ck_assert_int_eq(reply->rcode, RCODE_NOERROR);
	ck_assert_uint_eq(r[1].asked, 1);
	ck_assert_uint_eq(counter_get(&forward_counters(sides[0].forward)->lame), 1);
	moods[1] = REFERS;
	reply = ask();
	ck_assert(reply->failed);
	ck_assert_int_eq(reply->rcode, RCODE_SERVFAIL);
	ck_assert_int_eq(reply->ede, EDE_NO_REACHABLE_AUTHORITY);
	/* Legal NODATA (RFC 2308 2.2.1, type 3), though it cannot be kept. */
	moods[0] = EMPTY;
	reply = ask();
	ck_assert(!reply->failed);
	ck_assert(reply->negative);
	ck_assert_int_eq(reply->rcode, RCODE_NOERROR);
	end(2);
}
END_TEST

/* A firewall that stops TCP makes a few names fail there, not the upstream. */
START_TEST(reached_over_udp_alone)
{
	struct upstream_state state;
	unsigned i;

	begin(2, UPSTREAM_ORDERED);
	moods[0] = CUT;
	for (i = 0; i < 4; i++) {
		ck_assert(!ask()->failed);
		ck_assert(upstream_is_well(upstreams, group, 0));
	}
	ck_assert_uint_eq(r[1].asked, 4);
	ck_assert(upstreams_state(upstreams, 0, &state));
	ck_assert_uint_eq(state.failed, 4);
	end(2);
}
END_TEST

/* All are aside: they are asked all the same, and the first that answers is back at once. */
START_TEST(all_down)
{
	unsigned i;

	begin(2, UPSTREAM_ORDERED);
	moods[0] = moods[1] = SILENT;
	for (i = 0; i < 2; i++)
		ck_assert(ask()->failed);
	ck_assert(!upstream_is_well(upstreams, group, 0));
	ck_assert(!upstream_is_well(upstreams, group, 1));
	moods[0] = ANSWERS;
	ck_assert(!ask()->failed);
	ck_assert(upstream_is_well(upstreams, group, 0));
	end(2);
}
END_TEST

/* The fastest answers clients; the other is tried out beside it, and taken when it gets faster. */
START_TEST(others_are_tried_out)
{
	struct upstream_state state = { 0 };
	unsigned i;

	begin(2, UPSTREAM_FASTEST);
	upstream_note_answer(upstreams, group, 0, 1000);
	upstream_note_answer(upstreams, group, 1, 300000);
	for (i = 0; i < 2000 && state.rtt_us == 0; i++) {
		ck_assert(!ask()->failed);
		ck_assert(upstreams_state(upstreams, 1, &state));
		if (state.rtt_us > 250000)
			state.rtt_us = 0;
	}
	ck_assert_uint_lt(i, 2000);
	ck_assert_uint_gt(counter_get(&forward_counters(sides[0].forward)->upstream.probes), 0);
	ck_assert_uint_eq(counter_get(&forward_counters(sides[0].forward)->retries), 0);
	end(2);
}
END_TEST

static Suite *health_suite(void)
{
	Suite *suite = suite_create("health");
	TCase *tcase = tcase_create("health");

	tcase_add_checked_fixture(tcase, kit_setup, NULL);
	tcase_set_timeout(tcase, 30);
	tcase_add_test(tcase, silent_one_comes_back);
	tcase_add_test(tcase, failing_one_comes_back);
	tcase_add_test(tcase, broken_name_is_not_its_fault);
	tcase_add_test(tcase, referrals_are_no_answers);
	tcase_add_test(tcase, reached_over_udp_alone);
	tcase_add_test(tcase, all_down);
	tcase_add_test(tcase, others_are_tried_out);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(health_suite)
