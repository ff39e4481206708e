/* SPDX-License-Identifier: MIT */
/* source/hosts: lines in, records and complaints out. */
#include "source/hosts.h"

#include "unit/records.h"

static const struct read_result *read_text(const char *text)
{
	return read_records(hosts_read, true, text, NULL);
}

static void expect_fixture(const char *name, const char *records)
{
	char *text = records_fixture(name);
	const struct read_result *result = read_text(text);

	ck_assert_str_eq(result->complaints, "");
	ck_assert_str_eq(result->records, records);
	free(text);
}

/* One complaint, no record. */
static void expect_refused(const char *text, const char *complaint)
{
	const struct read_result *result = read_text(text);

	ck_assert_str_eq(result->complaints, complaint);
	ck_assert_str_eq(result->records, "");
}

START_TEST(reads_exports)
{
	expect_fixture(
		"hosts-plain.txt",
		"0d3c5b0e-77aa-4c1e-9b7e-2f5d8c1a9e10-isv.weu.hub.privatelink.prod.migration."
		"windowsazure"
		".com 10 A 192.168.7.22 3\n"
		"5be1a2c47d0f4d0c9f4f1f0c2b7c6a11-agent.weu.disc.privatelink.prod.migration."
		"windowsazure"
		".com 10 A 192.168.7.23 4\n"
		"contosokv7.privatelink.vaultcore.azure.net 10 A 192.168.7.20 1\n"
		"contosomigsa.privatelink.blob.core.windows.net 10 A 192.168.7.21 2\n");
	expect_fixture("hosts-generated.txt",
		       "contosokv7.privatelink.vaultcore.azure.net 10 A 192.168.7.20 3\n"
		       "contosomigsa.privatelink.blob.core.windows.net 10 A 192.168.7.21 4\n");
	expect_fixture("hosts-etc.txt", "jump 10 A 10.1.2.3 6\njump.lab.example 10 A 10.1.2.3 6\n");
}
END_TEST

START_TEST(reads_names_first)
{
	const struct read_result *result;

	result = read_text("a.lab.example. 10.0.0.1 fd00::1\n\"b.lab.example\"\t'10.0.0.2'\n"
			   "https://c.lab.example:443/x?y 10.0.0.3\n");
	ck_assert_str_eq(result->complaints, "");
	ck_assert_str_eq(result->records,
			 "a.lab.example 10 A 10.0.0.1 1\n"
			 "a.lab.example 10 AAAA fd00::1 1\nb.lab.example 10 A 10.0.0.2 2\n"
			 "c.lab.example 10 A 10.0.0.3 3\n");
}
END_TEST

START_TEST(reads_names_of_all_shapes)
{
	const struct read_result *result;

	result = read_text(
		"10.0.0.1 -x-.lab.example _y.lab.example *.z.lab.example 1.lab.example\n");
	ck_assert_str_eq(result->complaints, "");
	ck_assert_str_eq(result->records,
			 "*.z.lab.example 10 A 10.0.0.1 1\n"
			 "-x-.lab.example 10 A 10.0.0.1 1\n1.lab.example 10 A 10.0.0.1 1\n"
			 "_y.lab.example 10 A 10.0.0.1 1\n");
}
END_TEST

START_TEST(completes_single_labels)
{
	const struct read_result *result;

	result = read_records(hosts_read, true, "10.0.0.1 a b.lab.example c.\n", "x.example");
	ck_assert_str_eq(result->records, "a.x.example 10 A 10.0.0.1 1\n"
					  "b.lab.example 10 A 10.0.0.1 1\nc 10 A 10.0.0.1 1\n");
}
END_TEST

START_TEST(skips_what_is_the_machines_own)
{
	ck_assert_str_eq(read_text("127.0.0.1 localhost\n::1 ip6-localhost LOCALHOST\n"
				   "ff02::2 ip6-allrouters\n255.255.255.255 broadcasthost\n# x\n\n")
				 ->complaints,
			 "");
	ck_assert_str_eq(read_text("127.0.1.1 box localhost\n")->records, "box 10 A 127.0.1.1 1\n");
	/* macOS has this. */
	ck_assert_str_eq(read_text("::1 localhost\nfe80::1%lo0\tlocalhost\n10.0.0.1 a.example\n")
				 ->complaints,
			 "");
	expect_refused("fe80::1%eth0 a.example\n",
		       "E f:1:1: an address of one machine's link; write one that is reached from "
		       "elsewhere\n");
	expect_refused("10.0.0.1 fe80::1%eth0 localhost\n",
		       "E f:1:10: an address of one machine's link; write one that is reached from "
		       "elsewhere\n");
	expect_refused("10.0.0.1%eth0 localhost\n",
		       "E f:1:1: `10.0.0.1%eth0` holds a character that no host name has; correct "
		       "the line\n");
}
END_TEST

START_TEST(refuses_lines)
{
	expect_refused("10.0.0.1\n",
		       "E f:1: an address without a name; write `IP name` on one line\n");
	expect_refused("\na.example # x\n",
		       "E f:2: a name without an address; write `IP name` on one line\n");
	expect_refused(
		"10.0.0.256 a.example\n",
		"E f:1:1: `10.0.0.256` looks like an address but is none; correct the line\n");
	expect_refused("10.0.0.0/24 a.example\n",
		       "E f:1:1: `10.0.0.0/24` is neither an address nor a "
		       "name (a prefix or a path?); correct the line\n");
	expect_refused("10.0.0.1 a.example 10.0.0.2\n",
		       "E f:1:20: addresses on both sides of a name; "
		       "give each pair a line of its own\n");
	expect_refused("a.example 10.0.0.1 b.example\n",
		       "E f:1:20: names on both sides of an address; "
		       "give each pair a line of its own\n");
	/* One bad word costs the line. */
	expect_refused("10.0.0.1 a.example b..example\n",
		       "E f:1:20: `b..example` is no name (an empty "
		       "or too long label, or over 255 octets); correct the line\n");
	expect_refused("10.0.0.1 m\xc3\xbc.example\n",
		       "E f:1:10: `m\\195\\188.example` is not ASCII; "
		       "write the name in its xn-- form\n");
	expect_refused("10.0.0.1 a*.example\n",
		       "E f:1:10: `a*.example` has a * that is not its whole "
		       "first label; correct the line\n");
}
END_TEST

START_TEST(goes_on_after_errors)
{
	const struct read_result *result =
		read_text("x\n10.0.0.1 a.example\ny\n10.0.0.2 b.example");

	ck_assert_uint_eq(result->errors, 2);
	ck_assert_str_eq(result->records, "a.example 10 A 10.0.0.1 2\nb.example 10 A 10.0.0.2 4\n");
}
END_TEST

START_TEST(bounds_lines)
{
	static char text[HOSTS_LINE_MAX * 2];
	size_t at = 0;

	memset(text, ' ', HOSTS_LINE_MAX + 1);
	strcpy(text + HOSTS_LINE_MAX + 1, "10.0.0.1 a\n");
	ck_assert_uint_eq(read_text(text)->errors, 1);
	for (int i = 0; i < HOSTS_ADDRESSES_MAX + 1; i++)
		at += (size_t)sprintf(text + at, "10.0.0.1 ");
	strcpy(text + at, "a");
	ck_assert_uint_eq(read_text(text)->errors, 1);
	at = (size_t)sprintf(text, "10.0.0.1");
	for (int i = 0; i < HOSTS_NAMES_MAX + 1; i++)
		at += (size_t)sprintf(text + at, " a");
	ck_assert_uint_eq(read_text(text)->errors, 1);
}
END_TEST

START_TEST(warns_of_second_claims)
{
	const struct read_result *result;

	/* One line is one claim; another line with another address is a second one. */
	ck_assert_uint_eq(read_text("a.example 10.0.0.1 10.0.0.2\n")->warnings, 0);
	result = read_text("10.0.0.1 a.blob.core.windows.net\n"
			   "10.0.0.2 a.privatelink.blob.core.windows.net\n");
	ck_assert_uint_eq(result->errors, 0);
	ck_assert_uint_eq(result->warnings, 1);
	ck_assert_str_eq(result->records, "a.privatelink.blob.core.windows.net 10 A 10.0.0.1 1\n"
					  "a.privatelink.blob.core.windows.net 10 A 10.0.0.2 2\n");
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("hosts");
	TCase *tcase = tcase_create("hosts");

	tcase_add_test(tcase, reads_exports);
	tcase_add_test(tcase, reads_names_first);
	tcase_add_test(tcase, reads_names_of_all_shapes);
	tcase_add_test(tcase, completes_single_labels);
	tcase_add_test(tcase, skips_what_is_the_machines_own);
	tcase_add_test(tcase, refuses_lines);
	tcase_add_test(tcase, goes_on_after_errors);
	tcase_add_test(tcase, bounds_lines);
	tcase_add_test(tcase, warns_of_second_claims);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(make_suite)
