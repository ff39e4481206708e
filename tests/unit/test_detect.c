/* SPDX-License-Identifier: MIT */
/* source/detect: which format a text is. */
#include "source/detect.h"

#include <string.h>

#include "unit/records.h"

static enum source_format detect(const char *text)
{
	return detect_format(text, strlen(text), true);
}

START_TEST(finds_hosts)
{
	ck_assert_int_eq(detect("10.0.0.1 a.example\n"), SOURCE_HOSTS);
	ck_assert_int_eq(detect("\n# x, y\n::1 localhost"), SOURCE_HOSTS);
	ck_assert_int_eq(detect("a.example\t10.0.0.1\n"), SOURCE_HOSTS);
	ck_assert_int_eq(detect("\"a.example\" \"10.0.0.1\"\n"), SOURCE_HOSTS);
	ck_assert_int_eq(detect("10.0.0.1 a b c\n"), SOURCE_HOSTS);
	ck_assert_int_eq(detect("10.0.0.1\n10.0.0.1 a.example # x, y\n"), SOURCE_HOSTS);
	ck_assert_int_eq(detect("https://a.example/ 10.0.0.1\n"), SOURCE_HOSTS);
	ck_assert_int_eq(detect("fd00:: a.example\n"), SOURCE_HOSTS);
}
END_TEST

START_TEST(finds_zones)
{
	ck_assert_int_eq(detect("$TTL 10\n"), SOURCE_ZONE);
	ck_assert_int_eq(detect("; x\n\n@ 3600 IN SOA a. b. (\n"), SOURCE_ZONE);
	ck_assert_int_eq(detect("a A 10.0.0.1\n"), SOURCE_ZONE);
	ck_assert_int_eq(detect("a 1h IN A 10.0.0.1\n"), SOURCE_ZONE);
	ck_assert_int_eq(detect("a\t[AGE:3]\t1200\tA\t10.0.0.1\n"), SOURCE_ZONE);
	ck_assert_int_eq(detect("a TXT \"x, y: z\"\n"), SOURCE_ZONE);
	ck_assert_int_eq(detect("a TYPE65 \\# 0\n"), SOURCE_ZONE);
	ck_assert_int_eq(detect("1.0.0.10 IN PTR a.example.\n"), SOURCE_ZONE);
}
END_TEST

START_TEST(finds_yaml_and_azure)
{
	ck_assert_int_eq(detect("hosts:\n  a.example: 10.0.0.1\n"), SOURCE_YAML);
	ck_assert_int_eq(detect("ttl: 10\n"), SOURCE_YAML);
	ck_assert_int_eq(detect("hosts: { a.example: 10.0.0.1 }\n"), SOURCE_YAML);
	ck_assert_int_eq(detect("---\nhosts: {}\n"), SOURCE_YAML);
	ck_assert_int_eq(detect("{\"hosts\": {}}"), SOURCE_YAML);
	ck_assert_int_eq(detect("hots:\n  a.example: 10.0.0.1\n"), SOURCE_YAML);
	ck_assert_int_eq(detect("[\n  {"), SOURCE_AZURE);
	ck_assert_int_eq(detect("{\n  \"customDnsConfigs\": ["), SOURCE_AZURE);
	ck_assert_int_eq(detect("{}"), SOURCE_AZURE);
	ck_assert_int_eq(detect("- aRecords:\n  - ipv4Address: 10.0.0.1\n"), SOURCE_AZURE);
	ck_assert_int_eq(detect("id: /x\ncustomDnsConfigs:\n- fqdn: a\n"), SOURCE_AZURE);
	ck_assert_int_eq(detect("count: 1\ndata:\n- fqdn: a\n  ip: b\n"), SOURCE_AZURE);
	ck_assert_int_eq(detect("---\n- fqdn: a.example\n  ipAddress: 10.0.0.1\n"), SOURCE_AZURE);
	ck_assert_int_eq(detect("---\nhosts:\n  value: 10.0.0.1\n"), SOURCE_YAML);
}
END_TEST

START_TEST(finds_the_rest)
{
	ck_assert_int_eq(detect("FQDN,IP\na.example,10.0.0.1\n"), SOURCE_CSV);
	ck_assert_int_eq(detect("a.example;10.0.0.1\n"), SOURCE_CSV);
	ck_assert_int_eq(detect("FQDN\tIP\na.example\t10.0.0.1\n"), SOURCE_CSV);
	ck_assert_int_eq(detect("#TYPE Selected.X\n\"a\"\n"), SOURCE_CSV);
	ck_assert_int_eq(detect("sep=\t\na.example\t10.0.0.1\n"), SOURCE_CSV);
	ck_assert_int_eq(detect("Name\tType\tData\na\tHost (A)\t10.0.0.1\n"), SOURCE_CSV);
	ck_assert_int_eq(detect("Network\n10.0.0.1\na.example\n"), SOURCE_PASTE);
	ck_assert_int_eq(detect(""), SOURCE_EMPTY);
	ck_assert_int_eq(detect("# x\n\n; y\n  # z"), SOURCE_EMPTY);
	ck_assert_int_eq(detect("what is\nthis\n"), SOURCE_AUTO);
	/* A sentence has commas too. */
	ck_assert_int_eq(detect("Please add these servers to the list, thank you!\n"), SOURCE_AUTO);
	ck_assert_int_eq(detect("Dear all, please find the list at https://a.example, as said\n"),
			 SOURCE_AUTO);
	ck_assert_int_eq(detect("The list of this week, as it was\nfqdn,ip\na.b,10.0.0.1\n"),
			 SOURCE_CSV);
	ck_assert_int_eq(detect("the name of it,a.example\n"), SOURCE_CSV);
	ck_assert_int_eq(detect("Foo,Bar\nx,y\n"), SOURCE_CSV);
	/* An address that is none. */
	ck_assert_int_eq(detect("10.0.0.300 a.example\n"), SOURCE_HOSTS);
	ck_assert_int_eq(detect("version 1.2.3 a.example\n"), SOURCE_AUTO);
	ck_assert_int_eq(detect("10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5 10.0.0.6 10.0.0.7 "
				"10.0.0.8 10.0.0.9 a.example\n"),
			 SOURCE_HOSTS);
	ck_assert_int_eq(detect("{\"Records\":{\"Ipv4Address\":\"10.0.0.1\"}}"), SOURCE_AZURE);
	ck_assert_int_eq(detect("{\"records\": []}"), SOURCE_YAML);
}
END_TEST

START_TEST(finds_fixtures)
{
	static const struct {
		const char *name;
		enum source_format format;
	} fixtures[] = {
		{ "hosts-plain.txt", SOURCE_HOSTS },
		{ "hosts-generated.txt", SOURCE_HOSTS },
		{ "hosts-turned.txt", SOURCE_HOSTS },
		{ "hosts-etc.txt", SOURCE_HOSTS },
		{ "zone-azure.txt", SOURCE_ZONE },
		{ "zone-windows.txt", SOURCE_ZONE },
		{ "own.yaml", SOURCE_YAML },
		{ "portal-page.txt", SOURCE_PASTE },
		{ "azure-endpoint.json", SOURCE_AZURE },
		{ "azure-graph.yaml", SOURCE_AZURE },
		{ "azure-sets.yaml", SOURCE_AZURE },
		{ "csv-settings.csv", SOURCE_CSV },
		{ "csv-bare.csv", SOURCE_CSV },
		{ "csv-semicolon.csv", SOURCE_CSV },
		{ "csv-graph.csv", SOURCE_CSV },
		{ "csv-windows.csv", SOURCE_CSV },
		{ "csv-console.txt", SOURCE_CSV },
		{ "csv-community.csv", SOURCE_CSV },
		{ "csv-recordsets.csv", SOURCE_CSV },
	};

	for (size_t i = 0; i < sizeof(fixtures) / sizeof(*fixtures); i++) {
		char *text = records_fixture(fixtures[i].name);

		ck_assert_msg(detect(text) == fixtures[i].format, "%s: %s", fixtures[i].name,
			      source_format_name(detect(text)));
		free(text);
	}
}
END_TEST

START_TEST(names_formats)
{
	enum source_format format = SOURCE_CSV;

	ck_assert_int_eq(source_format_parse("auto", &format), 0);
	ck_assert_int_eq(format, SOURCE_AUTO);
	ck_assert_int_eq(source_format_parse("zone", &format), 0);
	ck_assert_int_eq(format, SOURCE_ZONE);
	ck_assert_int_eq(source_format_parse("empty", &format), -1);
	ck_assert_int_eq(format, SOURCE_ZONE);
	ck_assert(source_format_readable(SOURCE_YAML));
	ck_assert(source_format_readable(SOURCE_CSV));
	ck_assert(source_format_readable(SOURCE_AZURE));
	ck_assert(!source_format_readable(SOURCE_PASTE));
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("detect");
	TCase *tcase = tcase_create("detect");

	tcase_add_test(tcase, finds_hosts);
	tcase_add_test(tcase, finds_zones);
	tcase_add_test(tcase, finds_yaml_and_azure);
	tcase_add_test(tcase, finds_the_rest);
	tcase_add_test(tcase, finds_fixtures);
	tcase_add_test(tcase, names_formats);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(make_suite)
