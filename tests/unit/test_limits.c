/* SPDX-License-Identifier: MIT */
/* What one question may cost, and what replies in hand may take: kept to, and counted. */
#include "unit/forwardkit.h"
#include "unit/responder.h"
#include "unit/unit.h"

#define COUNT(n, member) counter_get(&forward_counters(sides[n].forward)->member)

START_TEST(datagrams_of_a_question)
{
	struct upstream_state state;
	struct responder r;
	struct reply reply;

	responder_start(&r, responder_silent);
	group = make_group(&r.addr, 1, UPSTREAM_ORDERED);
	start(1, (struct forward_conf){ .datagrams_max = 2 });
	ck_assert_int_eq(get(&sides[0], TYPE_A, 1, &reply), FORWARD_WAITING);
	wait_for(&sides[0], 1);
	ck_assert(sides[0].reply.failed);
	/* Probes of a silent one are not the question's. */
	ck_assert(upstreams_state(upstreams, 0, &state));
	ck_assert_uint_eq(state.asked, 2);
	ck_assert_uint_eq(COUNT(0, retries), 1);
	ck_assert_uint_eq(COUNT(0, spent), 1);
	stop(1);
	responder_stop(&r);
}
END_TEST

/* One that is answered within its bounds is not counted. */
START_TEST(the_last_datagram_counts)
{
	struct responder r;
	struct reply reply;

	responder_start(&r, responder_address);
	group = make_group(&r.addr, 1, UPSTREAM_ORDERED);
	start(1, (struct forward_conf){ .datagrams_max = 1 });
	ck_assert_int_eq(get(&sides[0], TYPE_A, 1, &reply), FORWARD_WAITING);
	wait_for(&sides[0], 1);
	ck_assert(!sides[0].reply.failed);
	ck_assert_uint_eq(COUNT(0, spent), 0);
	stop(1);
	responder_stop(&r);
}
END_TEST

static size_t large(struct responder *who, const struct message_query *query, const uint8_t *data,
		    bool tcp, uint8_t *out)
{
	static const uint8_t text[200] = { sizeof(text) - 1 };
	struct writer writer;

	(void)who;
	responder_begin(&writer, query, data, RCODE_NOERROR, out);
	if (!tcp) {
		out[2] |= 0x02; /* TC */
		return writer_finish(&writer);
	}
	for (unsigned i = 0; i < 40; i++)
		writer_record(&writer, SECTION_ANSWER, query->name.wire, query->type, 300, text,
			      sizeof(text));
	return writer_finish(&writer);
}

/* Each side holds its last reply, so the third has no room. */
START_TEST(large_replies_in_hand)
{
	struct responder r;
	struct reply reply;

	responder_start(&r, large);
	group = make_group(&r.addr, 1, UPSTREAM_ORDERED);
	start(2, (struct forward_conf){ .large_max = 2 });
	for (unsigned i = 0; i < 3; i++) {
		struct side *side = &sides[i % 2];

		ck_assert_int_eq(get(side, (uint16_t)(1000 + i), 1, &reply), FORWARD_WAITING);
		wait_for(side, 1 + i / 2);
		ck_assert_int_eq(side->reply.failed, i == 2);
	}
	ck_assert_uint_eq(COUNT(0, refused_large) + COUNT(1, refused_large), 1);
	/* It has given back what it held. */
	ck_assert_int_eq(get(&sides[0], 1004, 1, &reply), FORWARD_WAITING);
	wait_for(&sides[0], 3);
	ck_assert(!sides[0].reply.failed);
	stop(2);
	responder_stop(&r);
}
END_TEST

static Suite *limits_suite(void)
{
	Suite *suite = suite_create("limits");
	TCase *tcase = tcase_create("limits");

	tcase_add_checked_fixture(tcase, kit_setup, NULL);
	tcase_set_timeout(tcase, 30);
	tcase_add_test(tcase, datagrams_of_a_question);
	tcase_add_test(tcase, the_last_datagram_counts);
	tcase_add_test(tcase, large_replies_in_hand);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(limits_suite)
