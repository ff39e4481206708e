/* SPDX-License-Identifier: MIT */
/* source/csv: rows in, records and complaints out. */
#include "source/csv.h"

#include "source/csvlex.h"
#include "unit/records.h"

#define KV "contosokv7.privatelink.vaultcore.azure.net"
#define SA "contosomigsa.privatelink.blob.core.windows.net"
#define HUB                                                                            \
	"0d3c5b0e-77aa-4c1e-9b7e-2f5d8c1a9e10-isv.weu.hub.privatelink.prod.migration." \
	"windowsazure.com"

static const struct read_result *read_text(const char *text)
{
	return read_records(csv_read, true, text, NULL);
}

static void expect(const char *text, const char *zone, const char *records)
{
	const struct read_result *result = read_records(csv_read, true, text, zone);

	ck_assert_str_eq(result->complaints, "");
	ck_assert_str_eq(result->records, records);
}

/* One complaint, no record. */
static void expect_refused(const char *text, const char *complaint)
{
	const struct read_result *result = read_text(text);

	ck_assert_str_eq(result->complaints, complaint);
	ck_assert_str_eq(result->records, "");
}

/* ---- each shape in each encoding ------------------------------------------------------------- */

static const struct {
	const char *file, *zone, *records;
} shapes[] = {
	{ "csv-settings.csv", NULL,
	  HUB " 10 A 192.168.7.22 4\n" KV " 10 A 192.168.7.20 2\n" SA " 10 A 192.168.7.21 3\n" },
	{ "csv-bare.csv", NULL,
	  HUB " 10 A 192.168.7.22 3\n" KV " 10 A 192.168.7.20 1\n" SA " 10 A 192.168.7.21 2\n" },
	{ "csv-semicolon.csv", NULL,
	  KV " 60 A 192.168.7.20 3\n" KV " 60 AAAA fd00:7::20 3\n" SA " 10 A 192.168.7.21 4\n" },
	{ "csv-graph.csv", NULL,
	  KV " 10 A 192.168.7.20 2\n" SA " 10 A 192.168.7.121 5\n" SA " 10 A 192.168.7.21 5\n" },
	{ "csv-windows.csv", "privatelink.blob.core.windows.net",
	  "*.lab.privatelink.blob.core.windows.net 86400 A 192.168.7.24 6\n" SA
	  " 3600 A 192.168.7.21 5\n" },
	{ "csv-console.txt", "privatelink.blob.core.windows.net",
	  SA " 10 A 192.168.7.21 4\n"
	     "old.privatelink.blob.core.windows.net 10 CNAME " SA " 5\n"
	     "six.privatelink.blob.core.windows.net 10 AAAA fd00:7::21 6\n" },
	{ "csv-community.csv", NULL,
	  "8001234567890123456-asr-pod01-rcm1.weu.privatelink.siterecovery.windowsazure.com 10 "
	  "A 192.168.7.31 4\n" KV " 10 A 192.168.7.20 2\n" SA " 10 A 192.168.7.21 3\n" },
	{ "csv-recordsets.csv", NULL,
	  KV " 10 A 192.168.7.120 5\n" KV " 10 A 192.168.7.20 5\n"
	     "corp.example 30 A 192.168.7.1 7\n"
	     "mail.corp.example 300 MX 000a036d783104636f7270076578616d706c6500 3\n"
	     "notes.corp.example 300 TXT 04612c2062 4\n"
	     "oldkv.privatelink.vaultcore.azure.net 20 CNAME " KV " 6\n" },
};

enum { UTF8, UTF8_BOM, UTF16_LITTLE, UTF16_BIG, ENCODINGS };

/* Plain ASCII with LF into another encoding; the octets written. */
static size_t encode(const char *text, int encoding, bool crlf, uint8_t *out)
{
	size_t len = 0;

	if (encoding == UTF8_BOM)
		len = (size_t)(mempcpy(out, "\xef\xbb\xbf", 3) - (void *)out);
	if (encoding == UTF16_LITTLE)
		len = (size_t)(mempcpy(out, "\xff\xfe", 2) - (void *)out);
	if (encoding == UTF16_BIG)
		len = (size_t)(mempcpy(out, "\xfe\xff", 2) - (void *)out);
	for (bool cr = false; *text; text += !cr) {
		cr = crlf && *text == '\n' && !cr;
		if (encoding == UTF16_BIG)
			out[len++] = 0;
		out[len++] = cr ? '\r' : (uint8_t)*text;
		if (encoding == UTF16_LITTLE)
			out[len++] = 0;
	}
	return len;
}

START_TEST(reads_shapes_in_all_encodings)
{
	static uint8_t data[RECORDS_TEXT_MAX];
	struct complaints to = { 0 };
	size_t count = sizeof(shapes) / sizeof(*shapes);
	char *plain = records_fixture(shapes[(size_t)_i % count].file), *text;
	int encoding = _i / (int)count % ENCODINGS;
	size_t len = encode(plain, encoding, _i / (int)count >= ENCODINGS, data);

	ck_assert_int_eq(text_decode("f", data, len, &to, &text, &len), 0);
	ck_assert_int_eq(detect_format(text, len, true), SOURCE_CSV);
	expect(text, shapes[(size_t)_i % count].zone, shapes[(size_t)_i % count].records);
	free(text);
	free(plain);
}
END_TEST

/* ---- headers and separators ------------------------------------------------------------------ */

START_TEST(finds_columns)
{
	static const char *const headers[] = { "Fqdn,IpAddresses",
					       "FQDN;IP",
					       "fqdn\tip address",
					       "DNS-Name , Private_IP_Address",
					       "\"properties_fqdn\",\"properties.ipAddress\"",
					       "Record FQDN,IPv4 Address",
					       "url,ipv4",
					       "FQDN,RecordData",
					       "fqdn,address" };
	char text[200];

	for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++) {
		snprintf(text, sizeof(text), "%s\na.example%c10.0.0.1\n", headers[i],
			 strchr(headers[i], ';')    ? ';'
			 : strchr(headers[i], '\t') ? '\t'
						    : ',');
		expect(text, NULL, "a.example 10 A 10.0.0.1 2\n");
	}
	/* The more telling word counts; a private address beside another one too. */
	expect("name,ip address,fqdn,private ip\npe,20.1.1.1,a.example,10.0.0.1\n", NULL,
	       "a.example 10 A 10.0.0.1 2\n");
	expect("fqdn,ipv4address,ipv6address\na.example,10.0.0.1,fd00::1\n", NULL,
	       "a.example 10 A 10.0.0.1 2\na.example 10 AAAA fd00::1 2\n");
	/* Titles, comments, empty rows, a header that comes again. */
	expect("DNS settings of my project\n\n# x\nfqdn,ip\na.example,10.0.0.1\n,,\n"
	       "ip,fqdn\n10.0.0.2,b.example\n",
	       NULL, "a.example 10 A 10.0.0.1 5\nb.example 10 A 10.0.0.2 8\n");
	expect("\"sep=\t\"\nfqdn\tip\na.example\t10.0.0.1", NULL, "a.example 10 A 10.0.0.1 3\n");
	expect("fqdn,ip\n", NULL, "");
}
END_TEST

START_TEST(reads_lists_in_cells)
{
	static const char *const cells[] = { "\"[\"\"10.0.0.1\"\",\"\"10.0.0.2\"\"]\"",
					     "\"[ \"\"10.0.0.1\"\",\n \"\"10.0.0.2\"\" ]\"",
					     "\"10.0.0.1,10.0.0.2\"",
					     "10.0.0.1;10.0.0.2",
					     "10.0.0.1 10.0.0.2",
					     "\"10.0.0.1, 10.0.0.2\"",
					     "{10.0.0.1 10.0.0.2}",
					     "10.0.0.1|10.0.0.2|",
					     "\"10.0.0.1\n10.0.0.2\"",
					     "\"['10.0.0.1',null,'10.0.0.2']\"" };
	char text[200];

	for (size_t i = 0; i < sizeof(cells) / sizeof(*cells); i++) {
		snprintf(text, sizeof(text), "fqdn,ip\na.example,%s\n", cells[i]);
		expect(text, NULL, "a.example 10 A 10.0.0.1 2\na.example 10 A 10.0.0.2 2\n");
		snprintf(text, sizeof(text), "a.example,%s\n", cells[i]);
		expect(text, NULL, "a.example 10 A 10.0.0.1 1\na.example 10 A 10.0.0.2 1\n");
	}
	expect("a.example;10.0.0.1,10.0.0.2\n", NULL,
	       "a.example 10 A 10.0.0.1 1\na.example 10 A 10.0.0.2 1\n");
	expect("fqdns,ip\n\"[\"\"a.example\"\",\"\"b.example\"\"]\",10.0.0.1\n", NULL,
	       "a.example 10 A 10.0.0.1 2\nb.example 10 A 10.0.0.1 2\n");
}
END_TEST

START_TEST(reads_ttls)
{
	expect("fqdn,ip,ttl\na.example,10.0.0.1,00:00:30\nb.example,10.0.0.1,0.01:00:05.5\n"
	       "c.example,10.0.0.1,90\nd.example,10.0.0.1,5m\ne.example,10.0.0.1\n",
	       NULL,
	       "a.example 30 A 10.0.0.1 2\nb.example 3605 A 10.0.0.1 3\n"
	       "c.example 90 A 10.0.0.1 4\nd.example 300 A 10.0.0.1 5\ne.example 10 A 10.0.0.1 "
	       "6\n");
	for (int i = 0; i < 5; i++) {
		static const char *const bad[] = { "soon", "25:00:00", "1:2", "30000.00:00:00",
						   "-1" };
		char text[200], complaint[300];

		snprintf(text, sizeof(text), "fqdn,ip,ttl\na.example,10.0.0.1,%s\n", bad[i]);
		snprintf(complaint, sizeof(complaint),
			 "E f:2:20: `%s` is no TTL; write seconds or hh:mm:ss, at most 2147483647 "
			 "seconds\n",
			 bad[i]);
		expect_refused(text, complaint);
	}
}
END_TEST

/* ---- names ----------------------------------------------------------------------------------- */

START_TEST(completes_names)
{
	/* With a column for the zone a name is within it, unless it shows that it is whole. */
	expect("name,zone,ip\n@,x.example,10.0.0.1\na,x.example,10.0.0.2\na.b,x.example,10.0.0.3\n"
	       "c.x.example,x.example,10.0.0.4\nd.,x.example,10.0.0.5\nhttps://e.f/,x.example,"
	       "10.0.0.6\nq.vault.azure.net,privatelink.vaultcore.azure.net,10.0.0.7\n"
	       "g,/subscriptions/1/privateDnsZones/y.example,10.0.0.8\n",
	       NULL,
	       "a.b.x.example 10 A 10.0.0.3 4\na.x.example 10 A 10.0.0.2 3\n"
	       "c.x.example 10 A 10.0.0.4 5\nd 10 A 10.0.0.5 6\ne.f 10 A 10.0.0.6 7\n"
	       "g.y.example 10 A 10.0.0.8 9\nq.privatelink.vaultcore.azure.net 10 A 10.0.0.7 8\n"
	       "x.example 10 A 10.0.0.1 2\n");
	/* The zone of the path is for labels, and for more of them in exports of zones alone. */
	expect("name,ip\na,10.0.0.1\nb.c.example,10.0.0.2\n", "x.test",
	       "a.x.test 10 A 10.0.0.1 2\nb.c.example 10 A 10.0.0.2 3\n");
	expect("hostname,recordtype,ip\na.weu,A,10.0.0.1\n", "x.test",
	       "a.weu.x.test 10 A 10.0.0.1 2\n");
	expect("a,10.0.0.1\n", "x.test", "a.x.test 10 A 10.0.0.1 1\n");
	/* A column of whole names needs none. */
	expect("fqdn,ip,zone\na,10.0.0.1,\nb.c,10.0.0.2,x.test\n", NULL,
	       "a 10 A 10.0.0.1 2\nb.c 10 A 10.0.0.2 3\n");
	expect("hostname,recordtype,ip\na\\032b.x.example,A,10.0.0.1\n", NULL,
	       "a\\032b.x.example 10 A 10.0.0.1 2\n");
}
END_TEST

START_TEST(refuses_relative_names)
{
	static const char relative[] = "is relative and no zone is known; end the name with a dot, "
				       "add a column `zone`, or "
				       "set `zone:` for this path\n";
	char complaint[300];

	snprintf(complaint, sizeof(complaint), "E f:2:1: `a` %s", relative);
	expect_refused("name,ip\na,10.0.0.1\n", complaint);
	expect_refused("hostname,recordtype,ip\na,A,10.0.0.1\n", complaint);
	snprintf(complaint, sizeof(complaint), "E f:2:1: `@` %s", relative);
	expect_refused("fqdn,ip\n@,10.0.0.1\n", complaint);
	snprintf(complaint, sizeof(complaint), "E f:2:1: `a.weu` %s", relative);
	expect_refused("hostname,recordtype,ip\na.weu,A,10.0.0.1\n", complaint);
	snprintf(complaint, sizeof(complaint), "E f:1:10: `a` %s", relative);
	expect_refused("10.0.0.1,a\n", complaint);
}
END_TEST

START_TEST(reads_rows_by_content)
{
	/* Identifiers, states, types are passed over. */
	expect("/subscriptions/1/x,a.example,Approved now,10.0.0.1,A,3600,2024-05-24T10:00:00Z\n",
	       NULL, "a.example 10 A 10.0.0.1 1\n");
	expect("a.example,b.example,10.0.0.1,10.0.0.2\n", NULL,
	       "a.example 10 A 10.0.0.1 1\na.example 10 A 10.0.0.2 1\n"
	       "b.example 10 A 10.0.0.1 1\nb.example 10 A 10.0.0.2 1\n");
	/* A label beside a private-link zone is a name in it. */
	expect("10.0.0.1,contosokv7,privatelink.vaultcore.azure.net\n"
	       "10.0.0.3,a-asr-pod01-rcm1.weu,privatelink.siterecovery.windowsazure.com\n"
	       "10.0.0.2,b.vault.azure.net,privatelink.vaultcore.azure.net\n",
	       NULL,
	       "a-asr-pod01-rcm1.weu.privatelink.siterecovery.windowsazure.com 10 A 10.0.0.3 2\n"
	       "b.privatelink.vaultcore.azure.net 10 A 10.0.0.2 3\n" KV " 10 A 10.0.0.1 1\n");
}
END_TEST

START_TEST(warns_of_what_could_be_a_label)
{
	const struct read_result *result =
		read_text("pe-1,a.example,10.0.0.1\npe-2,b.example,10.0.0.2\n");

	ck_assert_str_eq(
		result->complaints,
		"W f:1:1: `pe-1` beside `a.example` is not taken for a name in that zone, here and "
		"below; write a first line with the names of the columns: fqdn and ip, or name, "
		"zone "
		"and ip\n");
	ck_assert_str_eq(result->records, "a.example 10 A 10.0.0.1 1\nb.example 10 A 10.0.0.2 2\n");
}
END_TEST

/* ---- types ----------------------------------------------------------------------------------- */

START_TEST(reads_types)
{
	expect("name,type,value\na.example.,A,10.0.0.1\nb.example.,cname,a.example\n"
	       "c.example.,Microsoft.Network/privateDnsZones/AAAA,fd00::1\n"
	       "d.example.,nonsense,10.0.0.2\n",
	       NULL,
	       "a.example 10 A 10.0.0.1 2\nb.example 10 CNAME a.example 3\n"
	       "c.example 10 AAAA fd00::1 4\nd.example 10 A 10.0.0.2 5\n");
	expect("name,zone,rrtype,rdata\na,x.example,SRV,0 0 443 b\n@,x.example,NS,ns.x.example.\n",
	       NULL, "a.x.example 10 SRV 0000000001bb01620178076578616d706c6500 2\n");
}
END_TEST

START_TEST(refuses_types)
{
	expect_refused("fqdn,recordtype,ip\na.example,0 A,10.0.0.1\n",
		       "E f:2:11: `0 A` is no record type; correct the row\n");
	expect_refused("fqdn,recordtype,ip\na.example,3600,10.0.0.1\n",
		       "E f:2:16: `3600` is no record type; write `name TTL IN TYPE data`\n");
	expect_refused("fqdn,recordtype,ip\na.example,A,fd00::1\n",
		       "E f:2:13: an IPv6 address in a record of type A; write AAAA\n");
	expect_refused("fqdn,recordtype,ip\na.example,AAAA,10.0.0.1\n",
		       "E f:2:16: an IPv4 address in a record of type AAAA; write A\n");
	expect_refused(
		"fqdn,recordtype,ip\na.example,MX,\n",
		"E f:2:11: a MX record without data; export it with a column `recorddata`, or take "
		"the row out\n");
	expect_refused("fqdn,recordtype,recorddata\na.example,MX,\"10 b.\n10 c.\"\n",
		       "E f:2:14: more than one record in a cell; give each a row of its own\n");
}
END_TEST

/* ---- what is refused ------------------------------------------------------------------------- */

START_TEST(refuses_lost_addresses)
{
	static const char windows[] =
		"is what Export-Csv leaves of an object, its addresses are lost; export again "
		"with: "
		"Get-DnsServerResourceRecord -ZoneName ZONE -RRType A | Select-Object HostName,"
		"RecordType,TimeToLive,@{n='IPv4Address';e={$_.RecordData.IPv4Address}} | "
		"Export-Csv "
		"-NoTypeInformation FILE\n";
	char complaint[600];

	snprintf(complaint, sizeof(complaint), "E f:2:12: `DnsServerResourceRecordA` %s", windows);
	expect_refused("HostName,RecordType,RecordData\na.x.test,A,DnsServerResourceRecordA\n",
		       complaint);
}
END_TEST

START_TEST(refuses_lost_addresses_of_azure)
{
	const struct read_result *result;

	result = read_text("\"Name\",\"ZoneName\",\"Ttl\",\"RecordType\",\"Records\"\n"
			   "\"a\",\"x.example\",\"10\",\"A\",\"System.Collections.Generic.List`1["
			   "Microsoft.Azure.Commands.PrivateDns.Models.PrivateDnsRecordBase]\"\n");
	ck_assert_uint_eq(result->errors, 1);
	ck_assert_str_eq(result->records, "");
	ck_assert_ptr_nonnull(strstr(result->complaints, "E f:2:26: `System.Collections.Generic."));
	ck_assert_ptr_nonnull(strstr(result->complaints, "Get-AzPrivateDnsRecordSet"));
	result = read_text("Name,CustomDnsConfigs\npe,System.Collections.Generic.List`1[Microsoft."
			   "Azure.Commands.Network.Models.PSPrivateEndpointCustomDnsConfig]\n");
	ck_assert_uint_eq(result->errors, 1);
	result = read_text("fqdn,ip\na.example,\"[{\"\"fqdn\"\": \"\"a\"\"}]\"\n");
	ck_assert_ptr_nonnull(strstr(result->complaints, "is a JSON object"));
	ck_assert_uint_eq(read_text("fqdn,ip\na.example,System.Object[]\n")->errors, 1);
	ck_assert_uint_eq(read_text("fqdn,ip\na.example,\"[\"\"10.0.0.1\"\"\"\n")->errors, 1);
}
END_TEST

START_TEST(refuses_rows)
{
	expect_refused("fqdn,ip\n,10.0.0.1\n",
		       "E f:2:1: a row without a name; write one or take the row out\n");
	expect_refused("fqdn,ip\na.example,\n",
		       "E f:2:11: a row without an address; write one or take the row out\n");
	expect_refused("ip,fqdn\n[],a.example\n",
		       "E f:2:1: a row without an address; write one or take the row out\n");
	expect_refused("fqdn,ip\na.example\n",
		       "E f:2: a row without an address; write one or take the row out\n");
	expect_refused("fqdn,ip\na.example, 10.0.0.256\n",
		       "E f:2:12: `10.0.0.256` is no address; write an IPv4 or IPv6 address\n");
	expect_refused("fqdn,ip\na..example,10.0.0.1\n",
		       "E f:2:1: `a..example` is no name (an empty or too long label, or over 255 "
		       "octets); "
		       "correct the row\n");
	expect_refused(
		"fqdn,ip\na.example,10.0.0.1,10.0.0.2\n",
		"E f:2:20: more cells than the header has; put quotes around a list of values\n");
	expect_refused(
		"name,zone,ip\na,b/c,10.0.0.1\n",
		"E f:2:3: the zone `b/c` is neither an address nor a name (a prefix or a path?); "
		"correct the row\n");
	expect_refused(
		"a.example,\n",
		"E f:1: no cell of this row is an address; correct it or take the row out\n");
	expect_refused("10.0.0.1,\n",
		       "E f:1: no cell of this row is a name; correct it or take the row out\n");
	expect_refused(
		"a.example,10.0.0.256\n",
		"E f:1:11: `10.0.0.256` looks like an address but is none; correct the row\n");
	expect_refused("10.0.0.1,a,b\n", "E f:1: it cannot be told which cell is the name; write a "
					 "first line with the names "
					 "of the columns, as in: name,zone,ip\n");
	/* The line where the row begins; the column is not known on its later lines. */
	expect_refused("fqdn,x,ip\na.example,\"1\n2\",b\n",
		       "E f:2: `b` is no address; write an IPv4 or IPv6 address\n");
}
END_TEST

START_TEST(refuses_headers)
{
	static const char rest[] = "a header without a column of names and one of addresses; known "
				   "words are fqdn, name, hostname, recordname or resourcename; "
				   "ip, ipaddress(es), address, private ip address or recorddata; "
				   "and zone, recordtype, ttl; rename the columns or export them\n";
	char complaint[400];

	snprintf(complaint, sizeof(complaint), "E f:1:1: %s", rest);
	expect_refused("colour,taste\nred,sweet\n", complaint);
	expect_refused("fqdn,size\na.example,1\n", complaint);
	expect_refused("id,ipaddresses\n1,10.0.0.1\n", complaint);
}
END_TEST

START_TEST(goes_on_after_errors)
{
	const struct read_result *result;

	result = read_text("fqdn,ip\nx,y\na.example,10.0.0.1\n,\"\nb.example,10.0.0.2\n"
			   "c.example,\"10.0.0.3\"z\nd.example,10.0.0.4\n\"e.example\",10.0.0.5\n"
			   "\"f\ng.example,10.0.0.7\n");
	ck_assert_uint_eq(result->errors, 4);
	ck_assert_str_eq(
		result->records,
		"a.example 10 A 10.0.0.1 3\nb.example 10 A 10.0.0.2 5\nd.example 10 A 10.0.0.4 7\n"
		"e.example 10 A 10.0.0.5 8\ng.example 10 A 10.0.0.7 10\n");
	expect_refused("fqdn,ip\na.example,\"10.0.0.1\n",
		       "E f:2:11: a quote that is not closed; close it, double a quote that "
		       "belongs to the "
		       "text, or export the file again if it was cut off\n");
	expect_refused("fqdn,ip\na.example,\"10.0.0.1\"x\n",
		       "E f:2:11: text behind a closing quote; double a quote that belongs to the "
		       "text, or "
		       "close one that is open before it\n");
}
END_TEST

/* `head`, `count` times `piece`, `tail`; the caller frees it. */
static char *repeat(const char *head, const char *piece, size_t count, const char *tail)
{
	char *text = malloc(strlen(head) + count * strlen(piece) + strlen(tail) + 1);
	char *at = stpcpy(text, head);

	while (count--)
		at = stpcpy(at, piece);
	strcpy(at, tail);
	return text;
}

static void expect_bound(char *text, const char *complaint)
{
	const struct read_result *result = read_text(text);

	ck_assert_str_eq(result->complaints, complaint);
	ck_assert_str_eq(result->records, "z.example 10 A 10.0.0.9 3\n");
	free(text);
}

START_TEST(bounds_rows)
{
	static const char tail[] = "\nz.example,10.0.0.9\n";

	expect_bound(
		repeat("fqdn,ip\n", "x", CSV_CELL_MAX + 1, tail),
		"E f:2:1: a cell of more than 32767 octets; leave its column out of the export\n");
	expect_bound(repeat("fqdn,ip\n", "x,", CSV_COLUMNS_MAX, tail),
		     "E f:2:513: a row of more than 256 cells; is this CSV?\n");
	expect_bound(repeat("fqdn,ip\n\"", "x", CSV_ROW_MAX, tail),
		     "E f:2: a row of more than 131072 octets; is this CSV, and is every quote "
		     "closed?\n");
	expect_bound(repeat("fqdn,ip\na.example,", "10.0.0.1 ", CSV_ADDRESSES_MAX + 1, tail),
		     "E f:2:11: more than 256 addresses in a row; use several rows\n");
	expect_bound(repeat("fqdn,ip\n", "a.example;", CSV_NAMES_MAX + 1,
			    ",10.0.0.1\nz.example,"
			    "10.0.0.9\n"),
		     "E f:2:1: more than 16 names in a row; use several rows\n");
}
END_TEST

/* What `convert --to csv` writes; a zone of ours has its own. */
START_TEST(reads_soa_with_its_data)
{
	const struct read_result *result =
		read_records(csv_read, true,
			     "name,type,ttl,data\nlab.example.,SOA,10,a. b. 1 2 3 4 5\n"
			     "privatelink.blob.core.windows.net.,SOA,10,a. b. 1 2 3 4 5\n"
			     "x.example.,SOA,10,\ny.example.,SOA,10,\"[5], ns., admin.\"\n",
			     NULL);

	ck_assert_str_eq(result->complaints, "");
	ck_assert_str_eq(result->records,
			 "lab.example 10 SOA 0161000162000000000100000002000000030000000400000005 "
			 "2\n");
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("csv");
	TCase *tcase = tcase_create("csv");

	tcase_add_loop_test(tcase, reads_shapes_in_all_encodings, 0,
			    (int)(sizeof(shapes) / sizeof(*shapes)) * ENCODINGS * 2);
	tcase_add_test(tcase, finds_columns);
	tcase_add_test(tcase, reads_lists_in_cells);
	tcase_add_test(tcase, reads_ttls);
	tcase_add_test(tcase, completes_names);
	tcase_add_test(tcase, refuses_relative_names);
	tcase_add_test(tcase, reads_rows_by_content);
	tcase_add_test(tcase, warns_of_what_could_be_a_label);
	tcase_add_test(tcase, reads_types);
	tcase_add_test(tcase, refuses_types);
	tcase_add_test(tcase, refuses_lost_addresses);
	tcase_add_test(tcase, refuses_lost_addresses_of_azure);
	tcase_add_test(tcase, refuses_rows);
	tcase_add_test(tcase, refuses_headers);
	tcase_add_test(tcase, goes_on_after_errors);
	tcase_add_test(tcase, bounds_rows);
	tcase_add_test(tcase, reads_soa_with_its_data);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(make_suite)
