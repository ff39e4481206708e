/* SPDX-License-Identifier: MIT */
/* Probes: what an upstream says, that it is silent, that it cannot be reached; and their bound. */
#include "unit/forwardkit.h"
#include "unit/responder.h"
#include "unit/unit.h"
#include "upstream/prober.h"

static struct heard {
	unsigned count;
	uint64_t token, rtt_us;
	enum prober_result result;
	unsigned rcode;
} heard;

static void hear(void *arg, uint64_t token, enum prober_result result, unsigned rcode,
		 uint64_t rtt_us, uint64_t now_ms)
{
	(void)now_ms;
	ck_assert_ptr_eq(arg, &heard);
	heard = (struct heard){ heard.count + 1, token, rtt_us, result, rcode };
}

static bool curious;

static bool probe(uint16_t upstream, uint64_t token)
{
	struct prober_question question = { .curious = curious,
					    .upstream = upstream,
					    .name = &name,
					    .type = TYPE_SOA,
					    .done = hear,
					    .arg = &heard,
					    .token = token };

	return prober_ask(forward_prober(sides[0].forward), &question, clock_now_ms());
}

static void wait_until_heard(unsigned count)
{
	uint64_t end = clock_now_ms() + 10000;

	while (heard.count < count) {
		struct timeval tick = { 0, 20000 };

		ck_assert(clock_now_ms() < end);
		event_base_loopexit(sides[0].base, &tick);
		event_base_dispatch(sides[0].base);
	}
}

static void begin(const union addr *addrs, size_t count)
{
	heard = (struct heard){ 0 };
	group = make_group(addrs, count, UPSTREAM_ORDERED);
	start(1, (struct forward_conf){ 0 });
}

static size_t bad_version(struct responder *r, const struct message_query *query,
			  const uint8_t *data, bool tcp, uint8_t *out)
{
	struct writer_opt opt = { .udp_size = 1232, .rcode_high = 1, .ede = EDE_NONE };
	struct writer writer;

	(void)r;
	(void)tcp;
	responder_begin(&writer, query, data, RCODE_NOERROR, out);
	writer_opt(&writer, &opt);
	return writer_finish(&writer);
}

START_TEST(answered)
{
	struct responder r;

	responder_start(&r, bad_version);
	begin(&r.addr, 1);
	ck_assert(probe(0, 7));
	ck_assert_uint_eq(heard.count, 0);
	wait_until_heard(1);
	ck_assert_uint_eq(heard.token, 7);
	ck_assert_int_eq(heard.result, PROBER_ANSWERED);
	ck_assert_uint_eq(heard.rcode, RCODE_BADVERS);
	ck_assert_uint_gt(heard.rtt_us, 0);
	ck_assert_uint_eq(r.asked, 1);
	stop(1);
	responder_stop(&r);
}
END_TEST

START_TEST(silent_and_unreachable)
{
	struct responder r, closed;
	union addr addrs[2];

	responder_start(&closed, responder_silent);
	addrs[1] = closed.addr;
	responder_stop(&closed);
	responder_start(&r, responder_silent);
	addrs[0] = r.addr;
	begin(addrs, 2);
	ck_assert(probe(0, 1));
	ck_assert(probe(1, 2));
	wait_until_heard(1);
	ck_assert_uint_eq(heard.token, 2);
	ck_assert_int_eq(heard.result, PROBER_UNREACHABLE);
	wait_until_heard(2);
	ck_assert_uint_eq(heard.token, 1);
	ck_assert_int_eq(heard.result, PROBER_SILENT);
	ck_assert_uint_eq(r.asked, 1);
	/* What it finds out is the caller's business. */
	for (unsigned i = 0; i < 2; i++) {
		struct upstream_state state;

		ck_assert(upstreams_state(upstreams, i, &state));
		ck_assert_uint_eq(state.asked + state.timeouts + state.failed, 0);
	}
	stop(1);
	responder_stop(&r);
}
END_TEST

/* Without a way there: the result comes later all the same. */
START_TEST(cannot_be_sent)
{
	union addr addr;

	ck_assert_int_eq(addr_parse(&addr, "255.255.255.255", 53), 0);
	begin(&addr, 1);
	ck_assert(probe(0, 3));
	ck_assert_uint_eq(heard.count, 0);
	wait_until_heard(1);
	ck_assert_int_eq(heard.result, PROBER_UNREACHABLE);
	stop(1);
}
END_TEST

START_TEST(bounded_and_forgotten)
{
	struct responder r;
	unsigned i;

	responder_start(&r, responder_silent);
	begin(&r.addr, 1);
	for (i = 0; i < KIT_PROBES; i++)
		ck_assert(probe(0, i));
	ck_assert(!probe(0, 99));
	ck_assert_uint_eq(counter_get(&forward_counters(sides[0].forward)->upstream.probes),
			  KIT_PROBES);
	ck_assert_uint_eq(counter_get(&forward_counters(sides[0].forward)->upstream.refused_probes),
			  1);
	prober_forget(forward_prober(sides[0].forward), &r);
	ck_assert(!probe(0, 99));
	prober_forget(forward_prober(sides[0].forward), &heard);
	ck_assert(probe(0, 100));
	wait_until_heard(1);
	ck_assert_uint_eq(heard.token, 100);
	ck_assert_uint_eq(heard.count, 1);
	stop(1);
	responder_stop(&r);
}
END_TEST

/* A flood of clients' questions, tried out elsewhere too, leaves room for what matters. */
START_TEST(curiosity_is_bounded)
{
	struct responder r;
	unsigned i;

	responder_start(&r, responder_silent);
	begin(&r.addr, 1);
	curious = true;
	for (i = 0; i < KIT_PROBES / 2; i++)
		ck_assert(probe(0, i));
	ck_assert(!probe(0, 99));
	curious = false;
	for (; i < KIT_PROBES; i++)
		ck_assert(probe(0, i));
	ck_assert(!probe(0, 99));
	stop(1);
	responder_stop(&r);
}
END_TEST

static Suite *prober_suite(void)
{
	Suite *suite = suite_create("prober");
	TCase *tcase = tcase_create("prober");

	tcase_add_checked_fixture(tcase, kit_setup, NULL);
	tcase_set_timeout(tcase, 30);
	tcase_add_test(tcase, answered);
	tcase_add_test(tcase, silent_and_unreachable);
	tcase_add_test(tcase, cannot_be_sent);
	tcase_add_test(tcase, bounded_and_forgotten);
	tcase_add_test(tcase, curiosity_is_bounded);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(prober_suite)
