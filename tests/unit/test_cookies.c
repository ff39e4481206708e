/* SPDX-License-Identifier: MIT */
/* Cookies to upstreams: whose they are, and for how long they count. */
#include "upstream/cookies.h"

#include <check.h>
#include <string.h>

#include "unit/unit.h"

#define UPSTREAM 3
#define START 1000

static const uint8_t given[] = "12345678";

START_TEST(expected_for_a_while)
{
	struct cookies *cookies = cookies_new();
	uint8_t client[ASK_CLIENT_COOKIE_LEN];
	const uint8_t *server;

	ck_assert(!cookies_are_shown(cookies, UPSTREAM, START));
	ck_assert_uint_eq(cookies_show(cookies, UPSTREAM, NULL, START, client, &server), 0);
	cookies_learn(cookies, UPSTREAM, client, given, 8, START);
	ck_assert(cookies_are_shown(cookies, UPSTREAM, START));
	ck_assert(!cookies_are_shown(cookies, UPSTREAM + 1, START));
	ck_assert_uint_eq(cookies_show(cookies, UPSTREAM, NULL, START, client, &server), 8);
	ck_assert(memcmp(server, given, 8) == 0);
	/* Each that comes begins the time anew; without one it ends. */
	ck_assert(cookies_are_shown(cookies, UPSTREAM, START + COOKIES_SHOWN_MS - 1));
	cookies_learn(cookies, UPSTREAM, client, given, 8, START + COOKIES_SHOWN_MS - 1);
	ck_assert(cookies_are_shown(cookies, UPSTREAM, START + COOKIES_SHOWN_MS));
	ck_assert(!cookies_are_shown(cookies, UPSTREAM, START + 2 * COOKIES_SHOWN_MS));
	cookies_free(cookies);
}
END_TEST

START_TEST(drawn_anew)
{
	uint8_t first[ASK_CLIENT_COOKIE_LEN], second[ASK_CLIENT_COOKIE_LEN];
	struct cookies *cookies = cookies_new();
	const uint8_t *server;

	cookies_show(cookies, UPSTREAM, NULL, START, first, &server);
	cookies_learn(cookies, UPSTREAM, first, given, 8, START);
	ck_assert_uint_eq(
		cookies_show(cookies, UPSTREAM, NULL, START + COOKIES_LIFE_MS, second, &server), 0);
	ck_assert(memcmp(first, second, sizeof(first)) != 0);
	/* What comes for the old one is of no use any more. */
	cookies_learn(cookies, UPSTREAM, first, given, 8, START + COOKIES_LIFE_MS);
	ck_assert_uint_eq(
		cookies_show(cookies, UPSTREAM, NULL, START + COOKIES_LIFE_MS, second, &server), 0);
	cookies_free(cookies);
}
END_TEST

static Suite *cookies_suite(void)
{
	Suite *suite = suite_create("cookies");
	TCase *tcase = tcase_create("all");

	tcase_add_test(tcase, expected_for_a_while);
	tcase_add_test(tcase, drawn_anew);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(cookies_suite)
