/* SPDX-License-Identifier: MIT */
/* source/zonefile, rrlex and rrtext: zone files of all makers in, records and complaints out. */
#include "source/zonefile.h"

#include "source/rrlex.h"
#include "unit/records.h"

static const struct read_result *read_text(const char *text)
{
	return read_records(zonefile_read, false, text, NULL);
}

static void expect(const char *text, const char *records)
{
	const struct read_result *result = read_text(text);

	ck_assert_str_eq(result->complaints, "");
	ck_assert_str_eq(result->records, records);
}

/* One complaint beside the record of `ok.`, which stands on the last line. */
static void expect_refused(const char *text, const char *complaint)
{
	const struct read_result *result;
	char all[2048];

	snprintf(all, sizeof(all), "%s\nok. 5 A 10.9.9.9\n", text);
	result = read_text(all);
	ck_assert_str_eq(result->complaints, complaint);
	ck_assert_int_eq(strncmp(result->records, "ok 5 A 10.9.9.9 ", 16), 0);
}

START_TEST(reads_azure_export)
{
	char *text = records_fixture("zone-azure.txt");

	expect(text, "*.wild.privatelink.blob.core.windows.net 20 A 192.168.7.40 27\n"
		     "contosocache.privatelink.blob.core.windows.net 300 A 192.168.7.30 20\n"
		     "contosocache.privatelink.blob.core.windows.net 300 A 192.168.7.31 21\n"
		     "contosocache.privatelink.blob.core.windows.net 300 AAAA fd00:7::30 23\n"
		     "contosomigsa.privatelink.blob.core.windows.net 10 A 192.168.7.21 18\n"
		     "oldname.privatelink.blob.core.windows.net 3600 CNAME "
		     "contosomigsa.privatelink.blob.core.windows.net 25\n");
	free(text);
}
END_TEST

START_TEST(reads_windows_export)
{
	char *text = records_fixture("zone-windows.txt");

	/*
	 * No $ORIGIN: the header names the zone. No $TTL: the SOA's minimum. \040 is octal there.
	 */
	expect(text, "contosokv7.privatelink.vaultcore.azure.net 1800 A 192.168.7.20 23\n"
		     "contosokv8.privatelink.vaultcore.azure.net 1200 A 192.168.7.25 24\n"
		     "contosokv8.privatelink.vaultcore.azure.net 1200 A 192.168.7.26 25\n"
		     "note.privatelink.vaultcore.azure.net 1800 TXT 03612062 26\n"
		     "od\\032d.privatelink.vaultcore.azure.net 1800 A 192.168.7.27 27\n");
	free(text);
}
END_TEST

START_TEST(finds_the_origin)
{
	expect(";  Database file lab.dns for lab.example zone.\na 1 A 10.0.0.1\n",
	       "a.lab.example 1 A 10.0.0.1 2\n");
	expect("$ORIGIN lab.example.\na 1 A 10.0.0.1\n$ORIGIN sub\na 1 A 10.0.0.2\n@ 1 A "
	       "10.0.0.3\n",
	       "a.lab.example 1 A 10.0.0.1 2\na.sub.lab.example 1 A 10.0.0.2 4\n"
	       "sub.lab.example 1 A 10.0.0.3 5\n");
	ck_assert_str_eq(read_records(zonefile_read, false, "a 1 A 10.0.0.1\nb. 1 A 10.0.0.2\n",
				      "lab.example")
				 ->records,
			 "a.lab.example 1 A 10.0.0.1 1\nb 1 A 10.0.0.2 2\n");
	/* The file knows better than the configuration. */
	ck_assert_str_eq(read_records(zonefile_read, false,
				      ";  Zone name: x.example\na 1 A 10.0.0.1\n", "lab.example")
				 ->records,
			 "a.x.example 1 A 10.0.0.1 2\n");
}
END_TEST

START_TEST(finds_the_ttl)
{
	expect("a. A 10.0.0.1\n$TTL 1h30m\nb. A 10.0.0.1\nc. IN 7 A 10.0.0.1\nd. 8 IN A 10.0.0.1\n"
	       "e. A 10.0.0.1\n",
	       "a 10 A 10.0.0.1 1\nb 5400 A 10.0.0.1 3\nc 7 A 10.0.0.1 4\nd 8 A 10.0.0.1 5\n"
	       "e 5400 A 10.0.0.1 6\n");
}
END_TEST

START_TEST(reads_other_types)
{
	expect("$ORIGIN lab.example.\nb 30 IN MX 10 mail\nc 20 SRV 1 2 443 c.other.\n"
	       "t 1 TXT \"semi;colon\" \"two (x)\" ; comment\nu 1 TYPE65400 \\# 4 0A0000 01\n"
	       "v 1 A \\# 4 0A000001\nw 1 CAA 0 issue \"ca.example\"\n"
	       "x 1 HTTPS 1 . alpn=h2\ny 1 CNAME x\\.y\n",
	       "b.lab.example 30 MX 000a046d61696c036c6162076578616d706c6500 2\n"
	       "c.lab.example 20 SRV 0001000201bb0163056f7468657200 3\n"
	       "t.lab.example 1 TXT 0a73656d693b636f6c6f6e0774776f20287829 4\n"
	       "u.lab.example 1 TYPE65400 0a000001 5\n"
	       "v.lab.example 1 A 10.0.0.1 6\n"
	       "w.lab.example 1 CAA 0005697373756563612e6578616d706c65 7\n"
	       "x.lab.example 1 HTTPS 000100000100030268"
	       "32 8\n"
	       "y.lab.example 1 CNAME x\\.y.lab.example 9\n");
}
END_TEST

START_TEST(keeps_case_in_data)
{
	expect("a. 1 CNAME MiXed.Example.\n", "a 1 CNAME MiXed.Example 1\n");
}
END_TEST

START_TEST(refuses_records)
{
	expect_refused("a. A 10.0.0.300",
		       "E f:1: A record: `10.0.0.300` is no IPv4 address; correct it\n");
	expect_refused("a. A 10.0.0.1 x",
		       "E f:1: A record: `x` behind the address; write one record a line\n");
	expect_refused("a. A", "E f:1: A record: no address; write one behind the type\n");
	expect_refused("a. CH A 10.0.0.1",
		       "E f:1: class CH; only IN is served, take the record out\n");
	expect_refused("a. FOO x",
		       "E f:1: `FOO` is no record type; write `name TTL IN TYPE data`\n");
	expect_refused("a. 4294967296 A 10.0.0.1",
		       "E f:1: `4294967296` is no TTL; write seconds, at most 2147483647\n");
	expect_refused(
		"a. A \\# 4 0a0000",
		"E f:1: A record: its hexadecimal data is malformed or does not fit its type; "
		"correct it\n");
	expect_refused(
		"$INCLUDE x",
		"E f:1: $INCLUDE is not read; name the other file under `records` instead\n");
	expect_refused("$GENERATE 1-2 a$ A 10.0.0.$",
		       "E f:1: $GENERATE is not read; write the records out\n");
	expect_refused("a A 10.0.0.1",
		       "E f:1: `a` is relative and no zone is known; end the name with a "
		       "dot, write $ORIGIN, or set `zone:` for this path\n");
	expect_refused(
		"a. MX 10 b",
		"E f:1: MX record: a name in its data is relative and no zone is "
		"known; end the name with a dot, write $ORIGIN, or set `zone:` for this path\n");
	/* ldns leaks over this one. */
	expect_refused("a. CERT 65536 1 2 aaaa",
		       "E f:1: CERT record: a certificate of type 0; correct it\n");
	expect_refused(
		"a. IPSECKEY 10 1 x",
		"E f:1: IPSECKEY record: its data is read as `\\# LENGTH HEX` alone; write it "
		"so\n");
	expect_refused("a. TXT \"x", "E f:1: a quote is not closed on its line; close it\n");
	expect_refused("a. A 10.0.0.1 )",
		       "E f:1: a closing bracket without an opening one; correct it\n");
}
END_TEST

START_TEST(gives_orphans_to_nobody)
{
	const struct read_result *result;

	result = read_text("a. 1 A 10.0.0.1\n..b 1 A 10.0.0.2\n  1 A 10.0.0.3\nc. 1 A 10.0.0.4\n"
			   "  x\n  1 A 10.0.0.5\n");
	ck_assert_uint_eq(result->errors, 3);
	ck_assert_str_eq(result->records, "a 1 A 10.0.0.1 1\nc 1 A 10.0.0.4 4\nc 1 A 10.0.0.5 6\n");
}
END_TEST

START_TEST(tells_of_open_brackets)
{
	const struct read_result *result = read_text("a. 1 A 10.0.0.1\nb. 1 A (\n10.0.0.2\n");

	ck_assert_str_eq(result->complaints,
			 "E f:2: the text ends within the brackets that line 2 opens: "
			 "the file is cut off; copy or export it again\n");
	ck_assert_str_eq(result->records, "a 1 A 10.0.0.1 1\n");
}
END_TEST

START_TEST(bounds_entries)
{
	static char text[RRLEX_ENTRY_MAX + 100];
	size_t at = (size_t)sprintf(text, "a. TXT ");
	const struct read_result *result;

	memset(text + at, 'x', RRLEX_ENTRY_MAX);
	strcpy(text + at + RRLEX_ENTRY_MAX, "\nb. 1 A 10.0.0.1\n");
	result = read_text(text);
	ck_assert_uint_eq(result->errors, 1);
	ck_assert_str_eq(result->records, "b 1 A 10.0.0.1 2\n");
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("zonefile");
	TCase *tcase = tcase_create("zonefile");

	tcase_add_test(tcase, reads_azure_export);
	tcase_add_test(tcase, reads_windows_export);
	tcase_add_test(tcase, finds_the_origin);
	tcase_add_test(tcase, finds_the_ttl);
	tcase_add_test(tcase, reads_other_types);
	tcase_add_test(tcase, keeps_case_in_data);
	tcase_add_test(tcase, refuses_records);
	tcase_add_test(tcase, gives_orphans_to_nobody);
	tcase_add_test(tcase, tells_of_open_brackets);
	tcase_add_test(tcase, bounds_entries);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(make_suite)
