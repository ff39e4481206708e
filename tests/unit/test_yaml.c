/* SPDX-License-Identifier: MIT */
/* source/yaml: our own format in, records and complaints out. */
#include "source/yaml.h"

#include "unit/records.h"

static const struct read_result *read_text(const char *text)
{
	return read_records(yaml_read, true, text, NULL);
}

static void expect(const char *text, const char *records)
{
	const struct read_result *result = read_text(text);

	ck_assert_str_eq(result->complaints, "");
	ck_assert_str_eq(result->records, records);
}

static void expect_complaint(const char *text, const char *complaint)
{
	ck_assert_str_eq(read_text(text)->complaints, complaint);
}

START_TEST(reads_the_example)
{
	char *text = records_fixture("own.yaml");

	expect(text, "*.apps.lab.example 30 A 10.1.2.4 6\n*.apps.lab.example 30 A 10.1.2.5 6\n"
		     "contosokv7.privatelink.vaultcore.azure.net 30 A 192.168.7.20 5\n"
		     "contosokv7.privatelink.vaultcore.azure.net 30 AAAA fd00:7::20 5\n"
		     "contosomigsa.privatelink.blob.core.windows.net 30 A 192.168.7.21 4\n"
		     "oldname.privatelink.blob.core.windows.net 300 CNAME "
		     "contosomigsa.privatelink.blob.core.windows.net 10\n"
		     "txt.lab.example 30 TXT 0a73656d693b636f6c6f6e05706c61696e 11\n");
	free(text);
}
END_TEST

START_TEST(reads_json)
{
	expect("{\"hosts\": {\"a.example\": [\"10.0.0.1\"]}, \"ttl\": \"1m\"}\n",
	       "a.example 60 A 10.0.0.1 1\n");
}
END_TEST

START_TEST(finds_ttl_anywhere)
{
	expect("hosts:\n  a.example: 10.0.0.1\n  ttl: 10.0.0.2\nttl: 7\n",
	       "a.example 7 A 10.0.0.1 2\nttl 7 A 10.0.0.2 3\n");
	expect("hosts: {a.example: 10.0.0.1}\nrecords:\n", "a.example 10 A 10.0.0.1 1\n");
}
END_TEST

START_TEST(reads_records)
{
	expect("records:\n- a. 1 IN A 10.0.0.1\n- 'b. TXT \"x; y\" ; why'\n- \"c. MX (\\n 10 d. "
	       ")\"\n",
	       "a 1 A 10.0.0.1 2\nb 10 TXT 04783b2079 3\nc 10 MX 000a016400 4\n");
}
END_TEST

START_TEST(uses_the_origin)
{
	ck_assert_str_eq(read_records(yaml_read, true,
				      "hosts:\n  a: 10.0.0.1\nrecords:\n"
				      "- b A 10.0.0.2\n",
				      "x.example")
				 ->records,
			 "a.x.example 10 A 10.0.0.1 2\nb.x.example 10 A 10.0.0.2 4\n");
}
END_TEST

START_TEST(tells_every_complaint)
{
	const struct read_result *result;

	result = read_text("host: {a: 1}\nhosts:\n  a.example: [10.0.0.1, 10.0.0]\n  b.example:\n"
			   "  c.example: {d: e}\n  d.example: []\n  e..example: 10.0.0.2\n"
			   "records:\n- f A 10.0.0.3\n- g: h\nsomething: 1\nttl: -1\nttl: 5\n");
	ck_assert_str_eq(
		result->complaints,
		"E f:1:1: the key `host` is unknown; `hosts` was probably meant\n"
		"E f:3:25: `10.0.0` is no address; write an IPv4 or IPv6 address\n"
		"E f:4:13: a name without an address; write one behind it or take it out\n"
		"E f:5:14: a name takes an address or a list of addresses; correct it\n"
		"E f:6:15: an empty list of addresses; write one or take the name out\n"
		"E f:7:3: `e..example` is no name (an empty or too long label, or over 255 "
		"octets); "
		"write a "
		"host name\n"
		"E f:9:3: `f` is relative and no zone is known; end the name with a dot, write "
		"$ORIGIN, or "
		"set `zone:` for this path\n"
		"E f:10:3: a record is one text; where it holds `: ` put it into quotes\n"
		"E f:11:1: the key `something` is unknown; ttl, hosts and records are read\n"
		"E f:12:6: `-1` is no TTL; write seconds, at most 2147483647\n"
		"E f:13:1: the key `ttl` stands here a second time; join the two\n");
	ck_assert_str_eq(result->records, "a.example 10 A 10.0.0.1 3\n");
}
END_TEST

START_TEST(refuses_anchors)
{
	expect_complaint("hosts:\n  a.example: &x 10.0.0.1\n  b.example: *x\n",
			 "E f:2:14: an anchor; take it out and write values where they are needed\n"
			 "E f:3:14: an alias; write the value out\n");
	expect_complaint("hosts: !x\n  a.example: 10.0.0.1\n", "E f:1:8: a tag; take it out\n");
	expect_complaint("%TAG ! x\n---\nhosts: {}\n", "E f:1:1: a % directive; take it out\n");
}
END_TEST

START_TEST(keeps_what_stands_before_an_error)
{
	const struct read_result *result = read_text("hosts:\n  a.example: 10.0.0.1\n b: [\n");

	ck_assert_uint_eq(result->errors, 1);
	ck_assert_int_eq(strncmp(result->complaints, "E f:3:2: no valid YAML: ", 24), 0);
	ck_assert_str_eq(result->records, "a.example 10 A 10.0.0.1 2\n");
	result = read_text("hosts:\n  a.example: 10.0.0.1\n  b.example: \x7f\n");
	ck_assert_int_eq(strncmp(result->complaints, "E f:3:14: no valid YAML: ", 25), 0);
	ck_assert_str_eq(result->records, "a.example 10 A 10.0.0.1 2\n");
	result = read_text("hosts:\n  a.example: 10.0.0.1\n  b.example: 10.0.0.2 # \xc3\xa4\n"
			   "  # \xff\n  c.example: 10.0.0.3\n");
	ck_assert_str_eq(result->complaints,
			 "E f:4:5: no valid YAML: invalid leading UTF-8 octet; correct it, what "
			 "follows is not read\n");
	ck_assert_str_eq(result->records, "a.example 10 A 10.0.0.1 2\nb.example 10 A 10.0.0.2 3\n");
	expect_complaint("hosts:\n  a.example: 10.0.0.1\n---\nhosts: {}\n",
			 "E f:3:1: a second document; put it into a file of its own\n");
	expect_complaint("- a\n",
			 "E f:1:1: keys have to stand here: ttl, hosts, records; correct it\n");
}
END_TEST

START_TEST(bounds_depth)
{
	static char text[200020];

	strcpy(text, "hosts: ");
	memset(text + 7, '[', 200000);
	ck_assert_ptr_nonnull(strstr(read_text(text)->complaints, "nested too deep"));
	memset(text + 7, '{', 200000);
	ck_assert_ptr_nonnull(strstr(read_text(text)->complaints, "nested too deep"));
}
END_TEST

START_TEST(bounds_lists)
{
	static char text[32768];
	size_t at = (size_t)sprintf(text, "hosts: {a.example: [");
	const struct read_result *result;

	for (int i = 0; i < YAML_ADDRESSES_MAX + 5; i++)
		at += (size_t)sprintf(text + at, "10.0.%d.%d,", i / 250, i % 250);
	strcpy(text + at, "]}\n");
	result = read_text(text);
	ck_assert_uint_eq(result->errors, 1);
	ck_assert_ptr_nonnull(strstr(result->complaints, "more than 1000 addresses"));
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("yaml");
	TCase *tcase = tcase_create("yaml");

	tcase_add_test(tcase, reads_the_example);
	tcase_add_test(tcase, reads_json);
	tcase_add_test(tcase, finds_ttl_anywhere);
	tcase_add_test(tcase, reads_records);
	tcase_add_test(tcase, uses_the_origin);
	tcase_add_test(tcase, tells_every_complaint);
	tcase_add_test(tcase, refuses_anchors);
	tcase_add_test(tcase, keeps_what_stands_before_an_error);
	tcase_add_test(tcase, bounds_depth);
	tcase_add_test(tcase, bounds_lists);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(make_suite)
