/* SPDX-License-Identifier: MIT */
/* source/detect: octets to text, and which format it is. */
#include "source/detect.h"

#include <string.h>

#include "unit/records.h"

static struct complaints told;
static char told_text[4096];

static void tell(void *arg, const struct complaint *complaint)
{
	(void)arg;
	snprintf(told_text, sizeof(told_text), "%s", complaint->text);
}

/* The decoded text, static, or NULL. */
static const char *decode(const void *data, size_t len)
{
	static char copy[4096];
	char *text;
	size_t text_len;

	told = (struct complaints){ .tell = tell };
	told_text[0] = '\0';
	if (text_decode("f", data, len, &told, &text, &text_len) < 0)
		return NULL;
	ck_assert_uint_eq(strlen(text), text_len);
	snprintf(copy, sizeof(copy), "%s", text);
	free(text);
	return copy;
}

START_TEST(decodes_utf8)
{
	ck_assert_str_eq(decode("a\nb", 3), "a\nb");
	ck_assert_str_eq(decode("\xef\xbb\xbf"
				"a",
				4),
			 "a");
	ck_assert_str_eq(decode("", 0), "");
	ck_assert_str_eq(decode("\xef\xbb\xbf", 3), "");
	/* Latin-1 in a comment is nobody's business. */
	ck_assert_str_eq(decode("# \xfc\n", 4), "# \xfc\n");
}
END_TEST

START_TEST(decodes_line_ends)
{
	ck_assert_str_eq(decode("a\r\nb\r\n", 6), "a\nb\n");
	ck_assert_str_eq(decode("a\rb\r", 4), "a\nb\n");
	ck_assert_str_eq(decode("a\r\r\nb", 5), "a\n\nb");
	ck_assert_str_eq(decode("a\n\rb", 4), "a\n\nb");
	ck_assert_str_eq(decode("\r\xc3\xa4\n", 4), "\n\xc3\xa4\n");
}
END_TEST

START_TEST(decodes_utf16)
{
	ck_assert_str_eq(decode("\xff\xfe"
				"a\0\r\0\n\0b\0",
				10),
			 "a\nb");
	ck_assert_str_eq(decode("\xfe\xff"
				"\0a\0\r\0\n\0b",
				10),
			 "a\nb");
	ck_assert_str_eq(decode("\xff\xfe\xe4\0\xac\x20\x3d\xd8\x00\xde", 10),
			 "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
	ck_assert_str_eq(decode("\xff\xfe", 2), "");
}
END_TEST

/* What is left of it, and that there was one complaint. */
static const char *decode_bad(const void *data, size_t len)
{
	const char *text = decode(data, len);

	ck_assert_uint_eq(told.errors, 1);
	return text;
}

START_TEST(keeps_lines_before_a_cut)
{
	ck_assert_str_eq(decode_bad("a\nb\0c", 5), "a\n");
	ck_assert_str_eq(
		told_text,
		"f:2: a NUL octet: the file is cut off or not text; copy or export it again");
	ck_assert_str_eq(decode_bad("\xff\xfe"
				    "a\0\n\0b\0c",
				    9),
			 "a\n");
	ck_assert_str_eq(decode_bad("\xff\xfe"
				    "a\0\0\0",
				    6),
			 "");
	ck_assert_str_eq(decode_bad("\xff\xfe\x3d\xd8", 4), "");
	ck_assert_str_eq(decode_bad("\xff\xfe\x3d\xd8"
				    "a\0",
				    6),
			 "");
	ck_assert_str_eq(decode_bad("\xff\xfe\x00\xde", 4), "");
	ck_assert_str_eq(decode_bad("a\0b\0", 4), "");
	ck_assert_ptr_nonnull(strstr(told_text, "UTF-16 without a byte order mark"));
}
END_TEST

static enum source_format detect(const char *text)
{
	return detect_format(text, strlen(text));
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

	tcase_add_test(tcase, decodes_utf8);
	tcase_add_test(tcase, decodes_line_ends);
	tcase_add_test(tcase, decodes_utf16);
	tcase_add_test(tcase, keeps_lines_before_a_cut);
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
