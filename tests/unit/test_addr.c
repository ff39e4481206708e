/* SPDX-License-Identifier: MIT */
/* Addresses and prefixes in text, what kinds there are, and random numbers' bounds. */
#include "net/addr.h"

#include <string.h>

#include "net/random.h"
#include "unit/unit.h"

/* Longer than any text of an address. */
#define LONG_SCOPE                                 \
	"1111:1111:1111:1111:1111:1111:1111:1111%" \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static union addr parse(const char *text)
{
	union addr addr;

	ck_assert_msg(addr_parse(&addr, text, 53) == 0, "%s", text);
	return addr;
}

static void check_text(const char *in, uint16_t port, const char *out)
{
	char text[ADDR_TEXT_MAX];
	union addr addr = parse(in);

	ck_assert_uint_eq(addr_port(&addr), port);
	ck_assert_str_eq(addr_to_text(&addr, 53, text), out);
}

START_TEST(text)
{
	static const char *const bad[] = {
		"",
		"@53",
		"localhost",
		"192.0.2",
		"192.0.2.256",
		"192.0.2.1@",
		"192.0.2.1@65536",
		"192.0.2.1@-1",
		"192.0.2.1@5 3",
		"192.0.2.1@53@53",
		" 192.0.2.1",
		"192.0.2.1:53",
		"[::1]",
		"::1::",
		"192.0.2.1%lo",
		"fe80::1%",
		"fe80::1%nosuchinterface",
		"010.0.0.1",
		"fe80::1%0",
		LONG_SCOPE,
	};
	char out[ADDR_TEXT_MAX];
	union addr addr;
	size_t i;

	check_text("192.0.2.1", 53, "192.0.2.1");
	check_text("192.0.2.1@53", 53, "192.0.2.1");
	check_text("192.0.2.1@5353", 5353, "192.0.2.1@5353");
	check_text("2001:DB8::1@853", 853, "2001:db8::1@853");
	check_text("::", 53, "::");
	check_text("fe80::1%lo@53", 53, "fe80::1%lo");
	check_text("fe80::1%1@54", 54, "fe80::1%lo@54");
	check_text("127.0.0.1@0", 0, "127.0.0.1@0");
	addr = parse("192.0.2.1");
	ck_assert_str_eq(addr_to_text(&addr, 0, out), "192.0.2.1@53");
	addr.any.sa_family = AF_UNSPEC;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_msg(addr_parse(&addr, bad[i], 53) == -1, "%s", bad[i]);
		ck_assert_int_eq(addr.any.sa_family, AF_UNSPEC);
	}
}
END_TEST

START_TEST(equality)
{
	union addr a = parse("192.0.2.1"), b = parse("::ffff:192.0.2.1"), c = parse("192.0.2.1@54");
	union addr d = parse("fe80::1%1"), e = parse("fe80::1"), f = parse("fe80::1%2");

	ck_assert(addr_equal(&a, &b));
	ck_assert(!addr_equal(&a, &c));
	ck_assert(addr_same_host(&a, &c));
	ck_assert(addr_equal(&d, &e));
	ck_assert(!addr_equal(&d, &f));
	ck_assert_uint_eq(addr_len(&a), sizeof(struct sockaddr_in));
	ck_assert_uint_eq(addr_len(&b), sizeof(struct sockaddr_in6));
	addr_set_port(&b, 54);
	ck_assert(addr_equal(&b, &c));
}
END_TEST

START_TEST(kinds)
{
	static const struct {
		const char *text;
		bool wildcard, loopback, private;
	} cases[] = {
		{ "0.0.0.0", true, false, false },
		{ "::", true, false, false },
		{ "::ffff:0.0.0.0", true, false, false },
		{ "127.0.0.1", false, true, false },
		{ "127.255.0.9", false, true, false },
		{ "::1", false, true, false },
		{ "::ffff:127.0.0.1", false, true, false },
		{ "::2", false, false, false },
		{ "126.255.255.255", false, false, false },
		{ "10.0.0.0", false, false, true },
		{ "10.255.255.255", false, false, true },
		{ "11.0.0.0", false, false, false },
		{ "172.15.255.255", false, false, false },
		{ "172.16.0.0", false, false, true },
		{ "172.31.255.255", false, false, true },
		{ "172.32.0.0", false, false, false },
		{ "192.168.1.1", false, false, true },
		{ "192.169.0.0", false, false, false },
		{ "169.254.1.1", false, false, true },
		{ "::ffff:10.1.1.1", false, false, true },
		{ "fc00::", false, false, true },
		{ "fdff::1", false, false, true },
		{ "fe00::", false, false, false },
		{ "fe80::1", false, false, true },
		{ "febf::1", false, false, true },
		{ "fec0::1", false, false, false },
		{ "2001:db8::1", false, false, false },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		union addr addr = parse(cases[i].text);

		ck_assert_msg(addr_is_wildcard(&addr) == cases[i].wildcard, "%s", cases[i].text);
		ck_assert_msg(addr_is_loopback(&addr) == cases[i].loopback, "%s", cases[i].text);
		ck_assert_msg(addr_is_private(&addr) == cases[i].private, "%s", cases[i].text);
		ck_assert_msg(addr_is_localhost(&addr) ==
				      (cases[i].loopback && strcmp(cases[i].text, "127.255.0.9")),
			      "%s", cases[i].text);
	}
}
END_TEST

static bool matches(const char *prefix_text, const char *addr_text)
{
	struct addr_prefix prefix;
	union addr addr = parse(addr_text);

	ck_assert_msg(addr_prefix_parse(&prefix, prefix_text) == 0, "%s", prefix_text);
	return addr_prefix_match(&prefix, &addr);
}

START_TEST(prefixes)
{
	static const char *const bad[] = {
		"",
		"/8",
		"10.0.0.0/",
		"10.0.0.0/33",
		"10.0.0.1/24",
		"fd00::/129",
		"fd00::1/8",
		"10.0.0.0/-1",
		"10.0.0.0@53/8",
		"fe80::%lo/10",
		"10.0.0.0/8/8",
		"any",
	};
	struct addr_prefix prefix;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(addr_prefix_parse(&prefix, bad[i]) == -1, "%s", bad[i]);
	ck_assert(matches("192.0.2.0/24", "192.0.2.255"));
	ck_assert(matches("192.0.2.0/24", "::ffff:192.0.2.1"));
	ck_assert(!matches("192.0.2.0/24", "192.0.3.0"));
	ck_assert(matches("192.0.2.128/25", "192.0.2.129"));
	ck_assert(!matches("192.0.2.128/25", "192.0.2.127"));
	ck_assert(matches("192.0.2.1", "192.0.2.1"));
	ck_assert(!matches("192.0.2.1", "192.0.2.2"));
	ck_assert(matches("0.0.0.0/0", "203.0.113.9"));
	ck_assert(!matches("0.0.0.0/0", "2001:db8::1"));
	ck_assert(matches("::/0", "2001:db8::1"));
	ck_assert(!matches("::/0", "203.0.113.9"));
	ck_assert(matches("fd00::/8", "fdab::1"));
	ck_assert(!matches("fd00::/8", "fc00::1"));
	ck_assert(matches("2001:db8::1/128", "2001:db8::1"));
	ck_assert(matches("::ffff:10.0.0.0/104", "10.9.9.9"));
}
END_TEST

START_TEST(lists)
{
	struct addr_prefix held[2];
	struct addr_list list = { .count = 2, .prefixes = held };
	struct addr_list none = { .count = 0 }, any = { .any = true };
	union addr a = parse("192.0.2.7"), b = parse("2001:db8::7"), c = parse("203.0.113.1");
	union addr home = parse("127.0.0.1"), lan = parse("10.0.0.1");

	ck_assert_int_eq(addr_prefix_parse(&held[0], "192.0.2.0/24"), 0);
	ck_assert_int_eq(addr_prefix_parse(&held[1], "2001:db8::/32"), 0);
	ck_assert(addr_list_match(&list, &a));
	ck_assert(addr_list_match(&list, &b));
	ck_assert(!addr_list_match(&list, &c));
	ck_assert(!addr_list_match(&list, &home));
	list.loopback = true;
	ck_assert(addr_list_match(&list, &home));
	ck_assert(!addr_list_match(&list, &lan));
	list.private = true;
	ck_assert(addr_list_match(&list, &lan));
	ck_assert(!addr_list_match(&none, &home));
	ck_assert(addr_list_match(&any, &c));
}
END_TEST

START_TEST(random_numbers)
{
	static const uint8_t zeros[16];
	uint8_t a[1000], b[1000];
	unsigned seen[7] = { 0 }, i;

	ck_assert_int_eq(random_start(NULL), 0);
	random_bytes(a, sizeof(a));
	random_bytes(b, sizeof(b));
	ck_assert(memcmp(a, b, sizeof(a)) != 0);
	for (i = 0; i + 16 <= sizeof(a); i += 16)
		ck_assert(memcmp(a + i, zeros, 16) != 0);
	for (i = 0; i < 7000; i++)
		seen[random_below(7)]++;
	for (i = 0; i < 7; i++)
		ck_assert(seen[i] > 700 && seen[i] < 1300);
	ck_assert_uint_eq(random_below(1), 0);
	for (i = 0; i < 100; i++)
		ck_assert_uint_lt(random_below(UINT32_MAX), UINT32_MAX);
	ck_assert(random_u16() != random_u16() || random_u16() != random_u16());
}
END_TEST

static Suite *addr_suite(void)
{
	Suite *suite = suite_create("addr");
	TCase *tests = tcase_create("addr");

	tcase_add_test(tests, text);
	tcase_add_test(tests, equality);
	tcase_add_test(tests, kinds);
	tcase_add_test(tests, prefixes);
	tcase_add_test(tests, lists);
	tcase_add_test(tests, random_numbers);
	suite_add_tcase(suite, tests);
	return suite;
}

UNIT_MAIN(addr_suite)
