/* SPDX-License-Identifier: MIT */
/*
 * Answers that are not the upstream's. The forger here is the upstream itself: he knows port and id
 * and so meets the defence that is left. Over TCP he is honest.
 */
#include "unit/forwardkit.h"
#include "unit/responder.h"
#include "unit/unit.h"
#include "upstream/health.h"
#include "upstream/tries.h"

#define FORGED 66 /* last octet of the address */

static struct responder r;
static _Atomic unsigned mode;
static _Atomic unsigned uppers; /* capital letters in the last question */
static unsigned questions;

/* What modes do; each test has its own. */
static size_t say(struct responder *who, const struct message_query *query, const uint8_t *data,
		  const struct writer_opt *opt, unsigned last, unsigned rcode, uint8_t *out)
{
	const uint8_t address[] = { 192, 0, 2, (uint8_t)last };
	struct writer writer;

	(void)who;
	responder_begin(&writer, query, data, rcode, out);
	if (rcode == RCODE_NOERROR)
		writer_record(&writer, SECTION_ANSWER, query->name.wire, TYPE_A, 300, address, 4);
	if (opt)
		writer_opt(&writer, opt);
	return writer_finish(&writer);
}

static void begin(responder_fn *answer)
{
	questions = 0;
	mode = 0;
	responder_start(&r, answer);
	group = make_group(&r.addr, 1, UPSTREAM_ORDERED);
	start(1, (struct forward_conf){ 0 });
}

static void end(void)
{
	stop(1);
	responder_stop(&r);
}

static uint64_t count(const struct counter *counter)
{
	return counter_get(counter);
}

#define COUNT(field) count(&forward_counters(sides[0].forward)->field)

/* Asks for a name that is not cached and checks that the answer is the honest one. */
static void ask(void)
{
	char text[] = "Www-a.Example.test";
	struct reply reply;

	text[4] = (char)('a' + questions++);
	ck_assert_int_eq(name_from_text(&name, text, sizeof(text) - 1), 0);
	ck_assert_int_eq(get(&sides[0], TYPE_A, questions, &reply), FORWARD_WAITING);
	wait_for(&sides[0], questions);
	check_address(&sides[0].reply);
}

/* Guesses ids, one more than are tolerated, and says nothing else over UDP. */
static size_t guesses(struct responder *who, const struct message_query *query, const uint8_t *data,
		      bool tcp, uint8_t *out)
{
	size_t len = say(who, query, data, NULL, tcp ? 1 : FORGED, RCODE_NOERROR, out);
	unsigned i;

	if (tcp)
		return len;
	for (i = 0; i < KIT_NEAR_MISSES + 1; i++) {
		out[1]++;
		(void)!sendto(who->udp, out, len, 0, (struct sockaddr *)&who->peer, who->peer_len);
	}
	return 0;
}

START_TEST(guessing_leads_to_tcp)
{
	begin(guesses);
	ask();
	ck_assert_uint_eq(r.asked_tcp, 1);
	ck_assert_uint_eq(COUNT(upstream.suspected), 1);
	ck_assert_uint_eq(COUNT(timeouts), 0);
	ck_assert_uint_eq(COUNT(upstream.mismatched), KIT_NEAR_MISSES + 1);
	end();
}
END_TEST

static size_t repeats(struct responder *who, const struct message_query *query, const uint8_t *data,
		      bool tcp, uint8_t *out)
{
	size_t len = say(who, query, data, NULL, 1, RCODE_NOERROR, out);
	unsigned i;

	for (i = 0; !tcp && i < 2 * KIT_NEAR_MISSES; i++)
		(void)!sendto(who->udp, out, len, 0, (struct sockaddr *)&who->peer, who->peer_len);
	return len;
}

/* What comes late or twice for a query that is over is nobody's guess. */
START_TEST(late_ones_are_no_guesses)
{
	uint64_t end_ms = clock_now_ms() + 10000;

	begin(repeats);
	while (questions < 6 || COUNT(upstream.late) < 2 * KIT_NEAR_MISSES) {
		ck_assert(clock_now_ms() < end_ms);
		if (questions < 6) {
			ask();
		} else {
			struct timeval tick = { 0, 10000 };

			event_base_loopexit(sides[0].base, &tick);
			event_base_dispatch(sides[0].base);
		}
	}
	ck_assert_uint_eq(r.asked_tcp, 0);
	ck_assert_uint_eq(COUNT(upstream.suspected), 0);
	ck_assert_uint_eq(COUNT(upstream.mismatched), 0);
	end();
}
END_TEST

enum {
	KEEPS_CASE,
	FORGES_CASE, /* over UDP alone */
	LOWERS_CASE, /* everywhere */
};

static size_t with_case(struct responder *who, const struct message_query *query,
			const uint8_t *data, bool tcp, uint8_t *out)
{
	bool lowers = mode == LOWERS_CASE || (mode == FORGES_CASE && !tcp);
	unsigned upper = 0, last = mode == FORGES_CASE && !tcp ? FORGED : 1;
	size_t len = say(who, query, data, NULL, last, RCODE_NOERROR, out), i;

	for (i = DNS_HEADER_LEN; i < (size_t)DNS_HEADER_LEN + query->name.len; i++) {
		bool capital = out[i] >= 'A' && out[i] <= 'Z';

		upper += capital;
		if (capital && lowers)
			out[i] |= 0x20;
	}
	uppers = upper;
	return len;
}

START_TEST(case_is_drawn)
{
	unsigned i, sum = 0;

	use_caps = true;
	begin(with_case);
	for (i = 0; i < 16; i++) {
		ask();
		sum += uppers;
	}
	/* 16 letters of 16 questions, half of them: five standard deviations are 40. */
	ck_assert_uint_gt(sum, 128 - 40);
	ck_assert_uint_lt(sum, 128 + 40);
	ck_assert_uint_eq(r.asked_tcp, 0);
	end();
}
END_TEST

START_TEST(another_case_is_not_believed)
{
	use_caps = true;
	begin(with_case);
	mode = FORGES_CASE;
	ask();
	ck_assert_uint_eq(r.asked_tcp, 1);
	ck_assert_uint_eq(COUNT(upstream.wrong_case), 1);
	/* Over TCP the case came back, so it is drawn from now on, too. */
	mode = KEEPS_CASE;
	ask();
	ask();
	ck_assert_uint_eq(r.asked_tcp, 1);
	mode = FORGES_CASE;
	ask();
	ck_assert_uint_eq(r.asked_tcp, 2);
	end();
}
END_TEST

START_TEST(upstream_that_lowers_case)
{
	use_caps = true;
	begin(with_case);
	mode = LOWERS_CASE;
	ask();
	ck_assert_uint_eq(r.asked_tcp, 1);
	ask();
	ask();
	ck_assert_uint_eq(uppers, 0);
	ck_assert_uint_eq(r.asked_tcp, 1);
	ck_assert_uint_eq(COUNT(upstream.wrong_case), 1);
	end();
}
END_TEST

enum {
	SHOWS_COOKIES,
	FORGES_WITHOUT,  /* over UDP an answer without a cookie */
	FORGES_OTHER,    /* over UDP one with a cookie that is not ours, then the right one */
	WANTS_COOKIE,    /* BADCOOKIE until its own is shown */
	ALWAYS_BAD,      /* over UDP BADCOOKIE whatever is shown */
	KNOWS_NONE,      /* anywhere */
	REFUSES_COOKIES, /* FORMERR, with an OPT */
	FORGES_HEADER,   /* over UDP: a header alone that cannot read EDNS */
	KNOWS_NO_EDNS,   /* the same everywhere, and else an answer */
};

static size_t with_cookie(struct responder *who, const struct message_query *query,
			  const uint8_t *data, bool tcp, uint8_t *out)
{
	const struct edns *edns = &query->edns;
	uint8_t cookie[16] = "........Server11";
	struct writer_opt opt = { .udp_size = 1232, .ede = EDE_NONE };
	bool known = edns->present && edns->cookie_len == 16 &&
		     memcmp(edns->cookie + 8, cookie + 8, 8) == 0;
	unsigned forged = tcp ? 1 : FORGED;

	if (edns->present && ((mode == FORGES_HEADER && !tcp) || mode == KNOWS_NO_EDNS)) {
		struct writer writer;

		writer_init(&writer, out, REPLY_MAX, query->id, FLAG_QR);
		writer_set_rcode(&writer, RCODE_FORMERR);
		return writer_finish(&writer);
	}
	if (mode == KNOWS_NO_EDNS || (mode == FORGES_HEADER && !edns->present))
		return say(who, query, data, NULL, mode == FORGES_HEADER ? forged : 1,
			   RCODE_NOERROR, out);
	if (mode == REFUSES_COOKIES && edns->cookie)
		return say(who, query, data, &opt, 1, RCODE_FORMERR, out);
	if (mode == FORGES_WITHOUT || mode == KNOWS_NONE || mode == REFUSES_COOKIES)
		return say(who, query, data, &opt, mode == FORGES_WITHOUT ? forged : 1,
			   RCODE_NOERROR, out);
	if (!edns->cookie)
		return say(who, query, data, &opt, 1, RCODE_REFUSED, out);
	memcpy(cookie, edns->cookie, 8);
	opt.cookie = cookie;
	opt.cookie_len = sizeof(cookie);
	if ((mode == WANTS_COOKIE && !known) || (mode == ALWAYS_BAD && !tcp)) {
		opt.rcode_high = RCODE_BADCOOKIE >> 4;
		return say(who, query, data, &opt, 1, RCODE_BADCOOKIE & 0xf, out);
	}
	if (mode == FORGES_OTHER && !tcp) {
		size_t len;

		cookie[0] ^= 1;
		len = say(who, query, data, &opt, FORGED, RCODE_NOERROR, out);
		(void)!sendto(who->udp, out, len, 0, (struct sockaddr *)&who->peer, who->peer_len);
		cookie[0] ^= 1;
	}
	return say(who, query, data, &opt, 1, RCODE_NOERROR, out);
}

START_TEST(answer_without_a_cookie)
{
	send_cookie = true;
	begin(with_cookie);
	/* Who never showed one is believed. */
	mode = KNOWS_NONE;
	ask();
	ck_assert_uint_eq(r.asked, 1);
	mode = SHOWS_COOKIES;
	ask();
	mode = FORGES_WITHOUT;
	ask();
	ck_assert_uint_eq(r.asked_tcp, 1);
	ck_assert_uint_eq(COUNT(upstream.no_cookie), 1);
	/* It said so over TCP as well: it knows none any more. */
	mode = KNOWS_NONE;
	ask();
	ck_assert_uint_eq(r.asked_tcp, 1);
	end();
}
END_TEST

/* "I cannot read EDNS" needs a cookie less than any other forgery, and takes all cookies away. */
START_TEST(header_without_a_cookie)
{
	send_cookie = true;
	begin(with_cookie);
	ask();
	mode = FORGES_HEADER;
	ask();
	ck_assert_uint_eq(r.asked_tcp, 1);
	ck_assert_uint_eq(r.with_edns, 2); /* over UDP */
	ck_assert_uint_eq(COUNT(upstream.no_cookie), 1);
	/* Over TCP it is believed: the server is another one now. */
	mode = KNOWS_NO_EDNS;
	ask();
	ck_assert_uint_eq(r.asked_tcp, 2);
	ck_assert_uint_eq(r.asked, 6);
	ask();
	ck_assert_uint_eq(r.asked, 7);
	ck_assert_uint_eq(r.with_edns, 3);
	end();
}
END_TEST

START_TEST(answer_with_another_cookie)
{
	send_cookie = true;
	begin(with_cookie);
	mode = FORGES_OTHER;
	ask();
	ck_assert_uint_eq(r.asked, 1);
	ck_assert_uint_eq(COUNT(upstream.mismatched), 1);
	end();
}
END_TEST

START_TEST(cookie_wanted)
{
	send_cookie = true;
	begin(with_cookie);
	mode = WANTS_COOKIE;
	ask();
	ck_assert_uint_eq(r.asked, 2);
	ask();
	ck_assert_uint_eq(r.asked, 3);
	ck_assert_uint_eq(r.asked_tcp, 0);
	mode = ALWAYS_BAD;
	ask();
	ck_assert_uint_eq(r.asked, 6);
	ck_assert_uint_eq(r.asked_tcp, 1);
	end();
}
END_TEST

START_TEST(cookie_refused)
{
	send_cookie = true;
	begin(with_cookie);
	mode = REFUSES_COOKIES;
	ask();
	ck_assert_uint_eq(r.asked, 2);
	ck_assert_uint_eq(r.with_edns, 2);
	ask();
	ck_assert_uint_eq(r.asked, 3);
	ck_assert_uint_eq(r.with_edns, 3);
	end();
}
END_TEST

/* The option is off: none is shown. */
START_TEST(no_cookie_to_show)
{
	begin(with_cookie);
	mode = REFUSES_COOKIES;
	ask();
	ck_assert_uint_eq(r.asked, 1);
	end();
}
END_TEST

static Suite *forgery_suite(void)
{
	Suite *suite = suite_create("forgery");
	TCase *tcase = tcase_create("forgery");

	tcase_add_checked_fixture(tcase, kit_setup, NULL);
	tcase_set_timeout(tcase, 30);
	tcase_add_test(tcase, guessing_leads_to_tcp);
	tcase_add_test(tcase, late_ones_are_no_guesses);
	tcase_add_test(tcase, case_is_drawn);
	tcase_add_test(tcase, another_case_is_not_believed);
	tcase_add_test(tcase, upstream_that_lowers_case);
	tcase_add_test(tcase, answer_without_a_cookie);
	tcase_add_test(tcase, header_without_a_cookie);
	tcase_add_test(tcase, answer_with_another_cookie);
	tcase_add_test(tcase, cookie_wanted);
	tcase_add_test(tcase, cookie_refused);
	tcase_add_test(tcase, no_cookie_to_show);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(forgery_suite)
