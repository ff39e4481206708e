/* SPDX-License-Identifier: MIT */
/*
 * source/token: what is read by hand for speed says what the slow way of saying it says: addresses
 * as inet_pton reads them, names octet by octet.
 */
#include "source/token.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/unit.h"
#include "wire/types.h"

/* Texts that are changed here and there; random ones would nearly all be wrong at once. */
static size_t mutate(const char *const *from, size_t count, const char *octets, char out[300])
{
	size_t len;

	strcpy(out, from[(size_t)rand() % count]);
	len = strlen(out);
	for (int i = rand() % 4; i > 0; i--) {
		size_t at = (size_t)rand() % (len + 1);
		char c = octets[(size_t)rand() % strlen(octets)];

		switch (rand() % 3) {
		case 0:
			memmove(out + at + 1, out + at, len - at);
			out[at] = c;
			len++;
			break;
		case 1:
			if (at < len) {
				memmove(out + at, out + at + 1, len - at - 1);
				len--;
			}
			break;
		default:
			if (at < len)
				out[at] = c;
			break;
		}
	}
	out[len] = '\0';
	return len;
}

/* ---- addresses ------------------------------------------------------------------------------- */

static void check_address(const char *text, size_t len)
{
	struct token_address address;
	uint8_t octets[16];
	bool quad = inet_pton(AF_INET, text, octets) == 1;
	bool any = quad || inet_pton(AF_INET6, text, octets) == 1;

	ck_assert_msg(token_read_address(text, len, &address) == any, "%s", text);
	if (!any)
		return;
	ck_assert_uint_eq(address.type, quad ? TYPE_A : TYPE_AAAA);
	ck_assert_uint_eq(address.len, quad ? 4 : 16);
	ck_assert_msg(memcmp(address.octets, octets, address.len) == 0, "%s", text);
}

START_TEST(addresses_are_inet_ptons)
{
	static const char *const from[] = {
		"10.0.0.1", "0.0.0.0",  "255.255.255.255", "192.168.100.200",
		"1.02.3.4", "00.1.1.1", "256.1.1.1",       "1.1.1.1.",
		".1.1.1.1", "1..1.1",   "1.1.1",           "1.1.1.1.1",
		"fd00::1",  "::",       "::ffff:10.0.0.1", "2001:db8:1:2:3:4:5:6",
		"",
	};
	char text[300];

	srand(2);
	for (size_t i = 0; i < sizeof(from) / sizeof(*from); i++)
		check_address(from[i], strlen(from[i]));
	for (unsigned round = 0; round < 50000; round++) {
		size_t len = mutate(from, sizeof(from) / sizeof(*from), "0129.:.af ", text);

		check_address(text, len);
	}
}
END_TEST

/* What stands behind the text is not looked at, and a NUL in it is no end of it. */
START_TEST(addresses_end_where_they_end)
{
	struct token_address address;

	ck_assert(token_read_address("10.0.0.12", 8, &address));
	ck_assert_uint_eq(address.octets[3], 1);
	ck_assert(token_read_address("fd00::12", 7, &address));
	ck_assert_uint_eq(address.octets[15], 1);
	ck_assert(!token_read_address("10.0.0.1\0x", 10, &address));
	ck_assert(!token_read_address("10.0.0.1\0", 9, &address));
	ck_assert(!token_read_address("fd00::1\0x", 9, &address));
}
END_TEST

/* ---- names ----------------------------------------------------------------------------------- */

/* Is what is left of a name, behind the asterisk of a wildcard, of a host's octets? */
static bool is_host(const char *text, size_t len)
{
	bool wildcard = text[0] == '*' && (len == 1 || text[1] == '.'), number = !wildcard;

	for (size_t i = wildcard; i < len; i++) {
		char c = text[i];
		bool digit = (c >= '0' && c <= '9') || c == '.';

		if (!digit && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && c != '-' &&
		    c != '_')
			return false;
		number &= digit;
	}
	return !number;
}

static void check_host(const char *text, size_t len, const struct name *origin)
{
	struct name name, want, joined;
	bool good = len && !memchr(text, '/', len) && is_host(text, len) &&
		    !(len == 1 && *text == '*' && !origin) && name_from_text(&want, text, len) == 0;
	const char *why;

	/* A scheme, a port, a path and a slash at the end go: other tests are about those. */
	if (memchr(text, '/', len))
		return;
	if (good && origin && want.labels == 1 && text[len - 1] != '.') {
		good = name_join(&joined, &want, 1, origin) == 0;
		want = joined;
	}
	why = token_read_name(text, len, origin, &name);
	ck_assert_msg(!why == good, "%s: %s", text, why);
	ck_assert(!good || (name.len == want.len && memcmp(name.wire, want.wire, want.len) == 0 &&
			    name_equal(&name, &want)));
}

START_TEST(names_are_read_octet_by_octet)
{
	static const char *const from[] = {
		"contosomigsa.blob.core.windows.net",
		"Contoso-1.privatelink.vaultcore.azure.net.",
		"*.a.example",
		"*",
		"*a.example",
		"a",
		"10.0.0.1",
		"1a",
		"x..y",
		"_tcp.1.2",
		"",
		"longest-label-of-63-octets-0123456789-0123456789-0123456789-012",
	};
	struct name origin;
	char text[300];

	ck_assert_int_eq(name_from_text(&origin, "zone.example", 12), 0);
	srand(3);
	for (unsigned round = 0; round < 50000; round++) {
		size_t len = mutate(from, sizeof(from) / sizeof(*from), ".a0-_.Z*/:@ \\\"\x80\xff",
				    text);

		check_host(text, len, round % 2 ? &origin : NULL);
	}
}
END_TEST

/* One after the other, with ends that mostly stay: each is as if it were read alone. */
START_TEST(names_in_a_row_are_as_each_alone)
{
	static const char *const heads[] = {
		"a",         "acct0000001",
		"Acct-2",    "*",
		"1",         "10",
		"",          "a b",
		"https://a", "a/",
		"\"a",       "a:1",
		"_x",        "\\a",
		"x.y",       "1.2",
		"a.*",       "longest-label-of-63-octets-0123456789-0123456789-0123456789-012",
	};
	static const char *const ends[] = {
		"",           ".",     ".0.0.1",        ".1",       ".blob.core.windows.net",
		".Example.",  "..",    ".a/",           ".a:443/x", "/",
		".example\"", ".a.b.", ".\xff.example",
	};
	struct name_series series = { .noted = false };
	struct name origins[2], alone, *origin = NULL;
	const char *end = "", *why, *want;
	char text[300];

	ck_assert_int_eq(name_from_text(&origins[0], "zone.example", 12), 0);
	ck_assert_int_eq(name_from_text(&origins[1], "a.zone.example", 14), 0);
	srand(4);
	for (unsigned round = 0; round < 10000; round++) {
		size_t len;

		if (rand() % 6 == 0)
			end = ends[(size_t)rand() % (sizeof(ends) / sizeof(*ends))];
		if (rand() % 20 == 0)
			origin = rand() % 3 ? &origins[rand() % 2] : NULL;
		len = (size_t)snprintf(text, sizeof(text), "%s%s",
				       heads[(size_t)rand() % (sizeof(heads) / sizeof(*heads))],
				       end);
		want = token_read_name(text, len, origin, &alone);
		why = token_read_next_name(text, len, origin, &series);
		ck_assert_msg(!why == !want && (!why || strcmp(why, want) == 0), "%s: %s, not %s",
			      text, why, want);
		if (why)
			continue;
		ck_assert_msg(series.name.len == alone.len &&
				      memcmp(series.name.wire, alone.wire, alone.len) == 0,
			      "%s", text);
		ck_assert(name_equal(&series.name, &alone));
	}
}
END_TEST

static const char *trouble(const char *text)
{
	struct name name;

	return token_read_name(text, strlen(text), NULL, &name);
}

START_TEST(names_come_with_noise_around_them)
{
	static const char *const same[] = {
		"https://a.example:443/path?x",
		"http://a.example",
		"HTTPS://a.example/",
		"a.example/",
		"a.example.",
	};
	struct name want, name;

	ck_assert_int_eq(name_from_text(&want, "a.example", 9), 0);
	for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++) {
		ck_assert_ptr_null(token_read_name(same[i], strlen(same[i]), NULL, &name));
		ck_assert(name_equal(&name, &want));
	}
	/* A NUL is no end of it either. */
	ck_assert_ptr_nonnull(token_read_name("https://a.example\0x", 19, NULL, &name));
	ck_assert_str_eq(trouble(""), "is empty");
	ck_assert_str_eq(trouble("https://:1"), "is empty");
	ck_assert_str_eq(trouble("https://10.0.0.1/"), "looks like an address but is none");
	ck_assert_str_eq(trouble("."), "looks like an address but is none");
	ck_assert_str_eq(trouble("*"), "stands for every name there is; write the zone behind it");
	ck_assert_str_eq(trouble("a.*.b"), "has a * that is not its whole first label");
	ck_assert_str_eq(trouble("10.0.0.0/24"),
			 "is neither an address nor a name (a prefix or a path?)");
	ck_assert_str_eq(trouble("a:b"), "is neither an address nor a name");
	ck_assert_str_eq(trouble("a b\xc3\xa4"), "holds a character that no host name has");
	ck_assert_str_eq(trouble("\xc3\xa4 b"), "is not ASCII; write the name in its xn-- form");
	ck_assert_str_eq(trouble("a..b"),
			 "is no name (an empty or too long label, or over 255 octets)");
}
END_TEST

static Suite *token_suite(void)
{
	Suite *suite = suite_create("token");
	TCase *tests = tcase_create("token");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, addresses_are_inet_ptons);
	tcase_add_test(tests, addresses_end_where_they_end);
	tcase_add_test(tests, names_are_read_octet_by_octet);
	tcase_add_test(tests, names_in_a_row_are_as_each_alone);
	tcase_add_test(tests, names_come_with_noise_around_them);
	suite_add_tcase(suite, tests);
	return suite;
}

UNIT_MAIN(token_suite)
