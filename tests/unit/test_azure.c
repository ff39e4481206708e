/* SPDX-License-Identifier: MIT */
/* source/azure: exports of every tool in, records and complaints out. */
#include "source/azure.h"

#include "unit/records.h"

#define KV "contosokv7.privatelink.vaultcore.azure.net"
#define SA "contosomigsa.privatelink.blob.core.windows.net"
#define SA_PUBLIC "contosomigsa.blob.core.windows.net"
#define OLD "oldname.privatelink.blob.core.windows.net"
#define BLOB "privatelink.blob.core.windows.net"
#define ASR ".weu.privatelink.siterecovery.windowsazure.com 10 A 192.168.7."
#define MORE                                                                                 \
	"the list is not complete, it goes on under this link or token; export it with az, " \
	"which follows it, or join all its pages\n"
#define NONE                                                                             \
	"E f: holds no name with an address; export private endpoints with `az network " \
	"private-endpoint list`, zone groups, NICs or record sets\n"

static const struct read_result *read_text(const char *text)
{
	return read_records(azure_read, true, text, NULL);
}

static void expect(const char *text, const char *records)
{
	const struct read_result *result = read_text(text);

	ck_assert_str_eq(result->complaints, "");
	ck_assert_str_eq(result->records, records);
}

static void expect_told(const char *text, const char *records, const char *complaints)
{
	const struct read_result *result = read_text(text);

	ck_assert_str_eq(result->complaints, complaints);
	ck_assert_str_eq(result->records, records);
}

static void expect_refused(const char *text, const char *complaints)
{
	expect_told(text, "", complaints);
}

/* ---- each shape in each encoding ------------------------------------------------------------- */

/* The record sets of one file, with the lines that its tool puts them on. */
#define SETS(wild, ptr, srv, sa, six, mx, old, txt)                                              \
	"*.weu." BLOB " 10 A 192.168.7.23 " wild "\n21." BLOB " 10 PTR 0c636f6e746f736f6d696773" \
	"610b707269766174656c696e6b04626c6f6204636f72650777696e646f7773036e657400 " ptr "\n"     \
	"_sip._tcp." BLOB " 10 SRV 0001000213c403736970036c6162076578616d706c6500 " srv "\n" SA  \
	" 10 A 192.168.7.21 " sa "\n" SA " 10 A 192.168.7.22 " sa "\n" SA                        \
	" 300 AAAA fd00:7::21 " six "\nmail." BLOB                                               \
	" 10 MX 000a026d78036c6162076578616d706c6500 " mx "\n" OLD " 3600 CNAME " SA " " old     \
	"\n" BLOB " 60 TXT 06763d313b20610162 " txt "\n"

static const struct {
	const char *file, *records, *complaints;
} shapes[] = {
	{ "azure-endpoint-rest.json", SA " 10 A 192.168.7.21 13\n", "" },
	{ "azure-endpoint.json", SA " 10 A 192.168.7.21 4\n", "" },
	{ "azure-endpoint.yaml", SA " 10 A 192.168.7.21 2\n", "" },
	{ "azure-endpoints-rest.json",
	  KV " 10 A 192.168.7.20 73\n" KV " 10 AAAA fd00:7::20 73\n" SA " 10 A 192.168.7.21 15\n",
	  "W f:127:15: " MORE },
	{ "azure-endpoints.json",
	  KV " 10 A 192.168.7.20 5\n" KV " 10 AAAA fd00:7::20 5\n" SA " 10 A 192.168.7.21 170\n",
	  "E f:65:25: `customDnsConfigs` is empty: a DNS zone group may hold the names; export "
	  "`az network private-endpoint dns-zone-group list -g rg-lab --endpoint-name pe-group`, "
	  "or `az network nic show` of its NIC\n"
	  "E f:149:21: the connection of `pe-wait` is Pending, so its addresses lead nowhere; "
	  "have it approved or take the endpoint out, then export again\n" },
	{ "azure-graph-dns.json", SA " 10 A 192.168.7.21 6\n", "W f:19:17: " MORE },
	{ "azure-graph.json",
	  KV " 10 A 192.168.7.20 14\n" KV " 10 AAAA fd00:7::20 14\n" SA " 10 A 192.168.7.21 5\n",
	  "" },
	{ "azure-graph.yaml", SA " 10 A 192.168.7.21 3\n", "" },
	{ "azure-group-rest.json", KV " 20 A 192.168.7.20 13\n" KV " 20 AAAA fd00:7::20 23\n", "" },
	{ "azure-groups.json", KV " 20 A 192.168.7.20 12\n" KV " 20 AAAA fd00:7::20 22\n", "" },
	{ "azure-groups.yaml", KV " 20 A 192.168.7.20 8\n" KV " 20 AAAA fd00:7::20 15\n", "" },
	{ "azure-nic-rest.json",
	  "42-asr-pod01-id1" ASR "9 19\n"
	  "42-asr-pod01-rcm1" ASR "8 34\n"
	  "42-asr-pod01-srs1" ASR "8 35\n",
	  "" },
	{ "azure-nic.json",
	  "42-asr-pod01-id1" ASR "9 17\n"
	  "42-asr-pod01-rcm1" ASR "8 30\n"
	  "42-asr-pod01-srs1" ASR "8 31\n",
	  "" },
	{ "azure-nic.yaml",
	  "42-asr-pod01-id1" ASR "9 12\n"
	  "42-asr-pod01-rcm1" ASR "8 21\n"
	  "42-asr-pod01-srs1" ASR "8 22\n",
	  "" },
	{ "azure-pairs.json",
	  "contosocache." BLOB " 10 A 192.168.7.30 11\n"
	  "contosocache." BLOB " 10 A 192.168.7.31 11\n" KV " 10 A 192.168.7.20 7\n" SA
	  " 10 A 192.168.7.21 3\n",
	  "" },
	{ "azure-powershell-cut.json", "",
	  "E f:10:16: "
	  "`System.Collections.Generic.List`1[Microsoft.Azure.Commands.PrivateDns.Models."
	  "PrivateDnsRecord...` stands for what PowerShell left out; export with `ConvertTo-Json "
	  "-Depth 8`\n" },
	{ "azure-powershell-endpoint.json",
	  KV " 10 A 192.168.7.20 17\n" KV " 10 AAAA fd00:7::20 17\n", "" },
	{ "azure-powershell-set.json", SA " 10 A 192.168.7.21 2\n", "" },
	{ "azure-powershell-sets.json",
	  SA " 10 A 192.168.7.21 28\n" SA " 10 AAAA fd00:7::21 46\n" OLD " 10 CNAME " SA
	     " 64\n" BLOB " 10 TXT 03763d31 82\n",
	  "" },
	{ "azure-sets-old.json", SETS("156", "226", "197", "73", "99", "170", "123", "37"), "" },
	{ "azure-sets-rest.json", SETS("114", "191", "171", "70", "90", "148", "108", "47"), "" },
	{ "azure-sets.json", SETS("118", "167", "145", "57", "76", "125", "93", "27"), "" },
	{ "azure-sets.yaml", SETS("83", "118", "102", "39", "52", "88", "65", "21"), "" },
	{ "azure-template.json", SA " 10 A 192.168.7.21 13\n",
	  "E f:23:5: a record set of a template, named by an expression; export the resource "
	  "itself\n" },
	{ "azure-terraform-output.json", KV " 10 A 192.168.7.20 40\n" SA " 10 A 192.168.7.21 63\n",
	  "" },
	{ "azure-terraform-state.json",
	  KV " 10 A 192.168.7.20 30\n" SA " 300 A 192.168.7.21 73\n" OLD " 300 CNAME " SA " 92\n",
	  "" },
};

START_TEST(reads_shapes_in_all_encodings)
{
	static uint8_t data[2 * RECORDS_TEXT_MAX];
	struct complaints to = { 0 };
	size_t count = sizeof(shapes) / sizeof(*shapes), len;
	int way = _i / (int)count;
	char *plain = records_fixture(shapes[(size_t)_i % count].file), *text;

	len = records_encode(plain, way % RECORDS_ENCODINGS, way >= RECORDS_ENCODINGS, data);
	ck_assert_int_eq(text_decode("f", data, len, &to, &text, &len), 0);
	ck_assert_int_eq(detect_format(text, len, true), SOURCE_AZURE);
	expect_told(text, shapes[(size_t)_i % count].records,
		    shapes[(size_t)_i % count].complaints);
	free(text);
	free(plain);
}
END_TEST

/* ---- names and addresses --------------------------------------------------------------------- */

START_TEST(takes_any_spelling)
{
	static const char *const pairs[] = {
		"{\"fqdn\":\"a.example\",\"ipAddresses\":[\"10.0.0.1\"]}",
		"{\"ipAddresses\":[\"10.0.0.1\"],\"fqdn\":\"a.example\"}",
		"{\"FQDN\":\"A.EXAMPLE.\",\"IPADDRESSES\":\"10.0.0.1\"}",
		"{\"fqdn\":\"https://a.example:443/x\",\"ip_addresses\":\"[\\\"10.0.0.1\\\"]\"}",
		"{\"Fqdn\":[\"a.example\"],\"privateIp\":\"10.0.0.1\"}",
		"{\"dnsName\":\"a.example\",\"ip\":\"10.0.0.1\",\"name\":\"pe\"}",
		"{\"hostname\":\"short\",\"fqdn\":\"a.example\",\"address\":\"10.0.0.1\"}",
		"{\"dns\":{\"fqdn\":\"a.example\",\"ipAddresses\":{\"value\":[\"10.0.0.1\"],"
		"\"Count\":1}}}",
		"{\"properties_customDnsConfigs_0_fqdn\":\"a.example\","
		"\"properties_customDnsConfigs_0_ipAddresses\":[\"10.0.0.1\"]}",
		"{\"properties\":{\"customDnsConfigs\":{\"fqdn\":\"a.example\","
		"\"ipAddresses\":[\"10.0.0.1\"]}}}",
		"{\"resourceName\":\"a\",\"dnsZone\":\"example\",\"ipAddress\":\"10.0.0.1\"}"
	};
	char text[400];

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		snprintf(text, sizeof(text), "[%s]\n", pairs[i]);
		expect(text, "a.example 10 A 10.0.0.1 1\n");
		snprintf(text, sizeof(text), "{\"count\":1,\"data\":[\n%s]}", pairs[i]);
		expect(text, "a.example 10 A 10.0.0.1 2\n");
	}
}
END_TEST

START_TEST(takes_several)
{
	expect("[{\"fqdn\":\"a.example\",\"ipAddresses\":\"10.0.0.1, "
	       "10.0.0.2;fd00::1\",\"ttl\":7}]",
	       "a.example 7 A 10.0.0.1 1\na.example 7 A 10.0.0.2 1\na.example 7 AAAA fd00::1 1\n");
	expect("[{\"fqdns\":[\"a.example\",\"b.example\"],\"ips\":[\"10.0.0.1\",\"fd00::1\"]}]",
	       "a.example 10 A 10.0.0.1 1\na.example 10 AAAA fd00::1 1\n"
	       "b.example 10 A 10.0.0.1 1\nb.example 10 AAAA fd00::1 1\n");
	expect("[{\"fqdn\":\"a.example\",\"ttl\":\"1h\",\"type\":\"A\",\"arecords\":["
	       "{\"ipv4Address\":\"10.0.0.1\"}]}]",
	       "a.example 3600 A 10.0.0.1 1\n");
}
END_TEST

/* Words of ours in objects that say something else. */
START_TEST(invents_nothing)
{
	static const char *const others[] = {
		/* A container group, a public address in Terraform's state, a cluster. */
		"{\"properties\":{\"ipAddress\":{\"ip\":\"20.1.1.1\",\"fqdn\":\"a.example\"}}}",
		"{\"attributes\":{\"ip_address\":\"20.1.1.1\",\"fqdn\":\"a.example\"}}",
		"{\"ipAddress\":\"20.1.1.1\",\"dnsSettings\":{\"fqdn\":\"a.example\"}}",
		"{\"fqdn\":\"a.hcp.weu.azmk8s.io\",\"name\":\"aks\"}",
		/* Names of resources, addresses of other things. */
		"{\"name\":\"a.b.example\",\"privateIPAddress\":\"10.0.0.1\"}",
		"{\"name\":\"privateEndpointIpConfig.0\",\"privateIPAddress\":\"10.0.0.1\"}",
		"{\"private_service_connection\":[{\"private_ip_address\":\"10.0.0.1\"}],"
		"\"name\":\"pe\"}",
		"{\"address\":\"1 Main Street\",\"name\":\"a\"}",
		"{\"records\":[\"x\"],\"name\":\"a\"}", "{\"records\":[]}", "{\"ttl\":\"long\"}",
		"{\"status\":\"Pending\"}", "{\"cname\":\"-\",\"target\":\"x y\",\"port\":\"all\"}",
		/* What users and tools put beside. */
		"{\"tags\":{\"fqdn\":\"a.example\",\"ipAddresses\":[\"10.0.0.1\"]}}",
		"{\"type\":[\"object\",{\"custom_dns_configs\":[\"list\",\"x\"]}]}",
		"{\"sensitive_values\":{\"custom_dns_configs\":[{\"ip_addresses\":[false]}]}}",
		"{\"properties\":null,\"id\":1,\"name\":[],\"zone\":{},\"zones\":[\"1\"]}",
		"{\"privateEndpointConnections\":[{\"properties\":{"
		"\"privateLinkServiceConnectionState\":{\"status\":\"Pending\"}}}]}"
	};
	char text[400];

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		expect_refused(others[i], NONE);
		snprintf(text, sizeof(text), "[%s,{\"fqdn\":\"a.example\",\"ip\":\"10.0.0.1\"}]",
			 others[i]);
		expect(text, "a.example 10 A 10.0.0.1 1\n");
	}
}
END_TEST

START_TEST(names_record_sets)
{
	expect("[{\"name\":\"@\",\"zoneName\":\"lab.example\",\"records\":[{\"ipv4Address\":"
	       "\"10.0.0.1\"}]},{\"name\":\"*\",\"zoneName\":\"lab.example\",\"records\":["
	       "{\"ipv4Address\":\"10.0.0.2\"}]},{\"name\":\"lab.example/b\",\"aRecords\":["
	       "{\"ipv4Address\":\"10.0.0.3\"}]},{\"recordSetName\":\"c.d\",\"privateDnsZoneId\":"
	       "\"/x/privateDnsZones/lab.example\",\"ipAddresses\":[\"10.0.0.4\"]}]",
	       "*.lab.example 10 A 10.0.0.2 1\nb.lab.example 10 A 10.0.0.3 1\n"
	       "c.d.lab.example 10 A 10.0.0.4 1\nlab.example 10 A 10.0.0.1 1\n");
	ck_assert_str_eq(
		read_records(azure_read, true,
			     "[{\"name\":\"a.b\",\"aRecords\":[{\"ipv4Address\":\"10.0.0.1\"}]},\n"
			     "{\"name\":\"@\",\"aRecords\":[{\"ipv4Address\":\"10.0.0.2\"}]},\n"
			     "{\"name\":\"c\",\"aRecords\":[{\"ipv4Address\":\"10.0.0.3\"}]}]",
			     "x.example")
			->records,
		"a.b.x.example 10 A 10.0.0.1 1\nc.x.example 10 A 10.0.0.3 3\n"
		"x.example 10 A 10.0.0.2 2\n");
	expect_refused(
		"[{\"name\":\"a\",\"aRecords\":[{\"ipv4Address\":\"10.0.0.1\"}]},\n"
		"{\"aRecords\":[{\"ipv4Address\":\"10.0.0.1\"}]}]",
		"E f:1:2: the record set `a` is relative and no zone is known; export it with its "
		"`fqdn`\n"
		"E f:2:1: a record set without `fqdn`, and without a name and a zone to make it "
		"of; "
		"export it as a whole\n");
}
END_TEST

START_TEST(tells_bad_words)
{
	expect_told("[{\"fqdn\":\"a b..example\",\"ipAddresses\":[\"10.0.0.1\",\"10.0.0\"]},\n"
		    "{\"fqdn\":\"c.example\",\"ipAddresses\":[\"10.0.0.300\", 7],\"ttl\":-1},\n"
		    "{\"fqdn\":\"d.example\",\"cnameRecord\":{\"cname\":\"x..y\"},\"mxRecords\":["
		    "{\"exchange\":\"m\",\"preference\":70000}]}]",
		    "a 10 A 10.0.0.1 1\n",
		    "E f:1:10: `b..example` is no name (an empty or too long label, or over 255 "
		    "octets); "
		    "correct it\n"
		    "E f:1:51: `10.0.0` is no address; write an IPv4 or IPv6 address\n"
		    "E f:2:59: no TTL; write seconds, at most 2147483647\n"
		    "E f:2:36: `10.0.0.300` is no address; write an IPv4 or IPv6 address\n"
		    "E f:2:50: `7` is no address; write an IPv4 or IPv6 address\n"
		    "E f:3:44: `x..y` is no name (an empty or too long label, or over 255 octets); "
		    "correct "
		    "it\n"
		    "E f:3:94: `70000` is no number from 0 to 65535; correct it\n");
	expect_told("[{\"fqdn\":\"a.example\",\"fqdn\":\"b.example\",\"ip\":\"10.0.0.1\"}]",
		    "a.example 10 A 10.0.0.1 1\n",
		    "E f:1:22: the key `fqdn` stands here a second time; take one out\n");
	expect_told("[{\"fqdn\":\"a\\u0000.example\",\"ip\":\"10.0.0.1\"},"
		    "{\"fqdn\":\"b.example\",\"ip\":\"10.0.0.1\"},]",
		    "b.example 10 A 10.0.0.1 1\n",
		    "E f:1:12: `\\u0000`, a NUL character; take it out\n"
		    "E f:1:81: a `,` with nothing behind it; take it out\n");
	expect_refused(
		"[{\"fqdn\":\"[variables('n')]\",\"ipAddresses\":[\"10.0.0.1\"]}]",
		"E f:1:10: `[variables('n')]` holds a character that no host name has; export the "
		"resource instead of its template\n");
}
END_TEST

/* ---- what is refused, and what to do instead ------------------------------------------------- */

START_TEST(refuses_what_is_empty)
{
	expect_refused("{}\n",
		       "E f:1:1: `{}`, as a missing DNS zone group gives; export `az network "
		       "private-endpoint show`, or `az network nic show` of its NIC\n");
	expect_refused("\n []", "E f:2:2: an empty list; export what holds endpoints or record "
				"sets\n");
	expect_refused("{\"value\": []}", NONE);
	expect_refused("x: y\n", NONE);
	expect_refused("", NONE);
	expect_refused("\"x\"", "E f:1:1: a single value; this is none of Azure's exports\n");
}
END_TEST

START_TEST(refuses_empty_endpoints)
{
	static const char group[] =
		"a DNS zone group may hold the names; export `az network private-endpoint "
		"dns-zone-group list -g ";
	char told[400];

	snprintf(told, sizeof(told),
		 "E f:1:22: `customDnsConfigs` is empty: %srg --endpoint-name pe`, or `az network "
		 "nic "
		 "show` of its NIC\n",
		 group);
	expect_refused("{\"customDnsConfigs\": [], \"name\": \"pe\", \"id\": \"/subscriptions/s/"
		       "resourceGroups/rg/x\"}",
		       told);
	expect_refused("{\"customDnsConfigs\": null, \"name\": \"pe\", \"id\": \"/subscriptions/s/"
		       "resourcegroups/rg/x\"}",
		       told);
	snprintf(told, sizeof(told),
		 "E f:1:2: an endpoint without `customDnsConfigs`: %sGROUP --endpoint-name NAME`, "
		 "or "
		 "`az network nic show` of its NIC\n",
		 group);
	expect_refused("[{\"type\": \"Microsoft.Network/privateEndpoints\"}]", told);
	/* The same object says the names elsewhere. */
	expect("{\"customDnsConfigs\":[],\"networkInterfaces\":[{\"ipConfigurations\":[{"
	       "\"privateIPAddress\":\"10.0.0.1\",\"privateLinkConnectionProperties\":{\"fqdns\":["
	       "\"a.example\"]}}]}]}",
	       "a.example 10 A 10.0.0.1 1\n");
	expect_refused("[{\"name\":\"default\",\"privateDnsZoneConfigs\":[{\"recordSets\":[]}]}]",
		       "E f:1:2: the zone group `default` holds no record set; export `az network "
		       "nic show` "
		       "of the endpoint's NIC\n");
	expect_refused(
		"{\"ipConfigurations\":[{\"privateIPAddress\":\"10.0.0.1\","
		"\"privateLinkConnectionProperties\":{\"fqdns\":[]}}]}",
		"E f:1:87: an address without names in `fqdns`; see whether the connection is "
		"approved, then export again\n");
	expect_refused("{\"customDnsConfigs\":[{\"fqdn\":\"a.example\",\"ipAddresses\":[]},\n"
		       "{\"ipAddresses\":[\"10.0.0.1\"]}]}",
		       "E f:1:30: `a.example` has no address; export `az network nic show` of the "
		       "endpoint's NIC\nE f:2:1: an address without `fqdn`; export it again\n");
}
END_TEST

START_TEST(refuses_empty_record_sets)
{
	expect_refused("{\"fqdn\":\"a.example.\",\"aRecords\":[]}",
		       "E f:1:33: `aRecords` of `a.example.` is empty; take the record set out or "
		       "export it "
		       "again\n");
	expect_refused("[{\"fqdn\":\"a.example.\",\"aRecords\":[]}]",
		       "W f:1:34: `aRecords` of `a.example.` is empty; take the record set out or "
		       "export it "
		       "again\n" NONE);
	expect_told("[{\"aRecords\":[],\"name\":\"a\"},\n"
		    "{\"fqdn\":\"b.example\",\"aRecords\":[{\"ipv4Address\":\"10.0.0.1\"}]}]",
		    "b.example 10 A 10.0.0.1 2\n",
		    "W f:1:14: `aRecords` is empty; take the record set out or export it again\n");
}
END_TEST

/* PowerShell makes a text of a list that lies too deep. */
START_TEST(takes_records_as_one_text)
{
	expect("[{\"Name\":\"a\",\"ZoneName\":\"privatelink.vaultcore.azure.net\",\"Ttl\":7,"
	       "\"RecordType\":\"A\",\"Records\":\"10.12.4.20\"}]",
	       "a.privatelink.vaultcore.azure.net 7 A 10.12.4.20 1\n");
	expect_refused("[{\"Name\":\"a\",\"ZoneName\":\"a.example\",\"Records\":\"x\"}]", NONE);
}
END_TEST

START_TEST(refuses_connections)
{
	static const char *const states[] = { "Pending", "Rejected", "Disconnected", "Removed" };
	char text[400], told[300];

	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++) {
		snprintf(text, sizeof(text),
			 "[{\"customDnsConfigs\":[{\"fqdn\":\"a.example\",\"ipAddresses\":[\"10.0."
			 "0.1\"]"
			 "}],\"name\":\"pe\",\n\"manualPrivateLinkServiceConnections\":[{"
			 "\"properties\":"
			 "{\"privateLinkServiceConnectionState\":{\"status\":\"%s\"}}}],\"subnet\":"
			 "{}}]",
			 states[i]);
		snprintf(told, sizeof(told),
			 "E f:2:101: the connection of `pe` is %s, so its addresses lead nowhere; "
			 "have "
			 "it approved or take the endpoint out, then export again\n",
			 states[i]);
		expect_refused(text, told);
	}
	/* A row of a query, with a title of the user's own. */
	expect_told("{\"data\":[{\"fqdn\":\"a.example\",\"ip\":\"10.0.0.1\",\"connectionStatus\":"
		    "\"Pending\"},\n{\"fqdn\":\"b.example\",\"ip\":\"10.0.0.1\",\"status\":"
		    "\"Approved\"}]}",
		    "b.example 10 A 10.0.0.1 2\n",
		    "E f:1:65: the connection of `a.example` is Pending, so its addresses lead "
		    "nowhere; "
		    "have it "
		    "approved or take the endpoint out, then export again\n");
}
END_TEST

START_TEST(refuses_cut_depth)
{
	static const char after[] =
		"` stands for what PowerShell left out; export with `ConvertTo-Json -Depth 8`\n";
	static const struct {
		const char *text, *place;
	} cases[] = {
		{ "{\"CustomDnsConfigs\":\"System.Object[]\"}", "1:21: `System.Object[]" },
		{ "{\"CustomDnsConfigs\":[\"@{Fqdn=a.example}\"]}", "1:22: `@{Fqdn=a.example}" },
		{ "[\"Microsoft.Azure.X\"]", "1:2: `Microsoft.Azure.X" },
		{ "[{\"Fqdn\":\"a.example\",\"IpAddresses\":\"System.Object[]\"}]",
		  "1:36: `System.Object[]" },
		{ "{\"Name\":\"a\",\"Records\":\"System.Object[]\"}", "1:23: `System.Object[]" },
		{ "{\"properties\":\"@{ttl=10}\"}", "1:15: `@{ttl=10}" },
	};
	char told[300];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		snprintf(told, sizeof(told), "E f:%s%s", cases[i].place, after);
		expect_refused(cases[i].text, told);
	}
	expect_refused("[{\"customDnsConfigs\":\"[{}]\"}]",
		       "E f:1:22: `[{}]` is a text where a list or an object should be; export it "
		       "as such\n");
}
END_TEST

START_TEST(warns_of_more)
{
	static const char *const keys[] = { "nextLink", "NextLink", "@odata.nextLink", "skip_token",
					    "$skipToken" };
	char text[300];

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		snprintf(text, sizeof(text),
			 "{\"%s\":\n\"x\",\"value\":[{\"fqdn\":\"a.example\","
			 "\"ip\":\"10.0.0.1\"}]}",
			 keys[i]);
		expect_told(text, "a.example 10 A 10.0.0.1 2\n", "W f:2:1: " MORE);
		snprintf(text, sizeof(text),
			 "{\"%s\":\n%s,\"value\":[{\"fqdn\":\"a.example\","
			 "\"ip\":\"10.0.0.1\"}]}",
			 keys[i], i % 2 ? "\"\"" : "null");
		expect(text, "a.example 10 A 10.0.0.1 2\n");
	}
}
END_TEST

/* ---- cut files and bounds -------------------------------------------------------------------- */

START_TEST(keeps_what_is_whole)
{
	expect_told(
		"[{\"fqdn\":\"a.example\",\"ip\":\"10.0.0.1\"},\n{\"fqdn\":\"b.exam",
		"a.example 10 A 10.0.0.1 1\n",
		"E f:2:16: the file is cut off: the `{` of line 2, column 1 is still open; copy or "
		"export it again\n");
	expect_told(
		"{\"customDnsConfigs\":[{\"fqdn\":\"a.example\",\"ipAddresses\":[\"10.0.0.1\"]},"
		"\n{\"fqdn\":\"b.example\"",
		"a.example 10 A 10.0.0.1 1\n",
		"E f:2:20: the file is cut off: the `{` of line 2, column 1 is still open; copy or "
		"export it again\n");
	ck_assert_str_eq(read_text("- fqdn: a.example\n  ip: 10.0.0.1\n- fqdn: [\n")->records,
			 "a.example 10 A 10.0.0.1 1\n");
}
END_TEST

/* Cuts the fixtures everywhere: always an error, never a record that the whole one lacks. */
START_TEST(refuses_all_cuts)
{
	static char whole[RECORDS_TEXT_MAX];
	char *text = records_fixture("azure-groups.json");
	size_t len = strlen(text);

	strcpy(whole, read_text(text)->records);
	for (size_t i = len - 2; i > 0; i -= 7 < i ? 7 : i) {
		const struct read_result *result;
		char *line, *rest;

		text[i] = '\0';
		result = read_text(text);
		ck_assert_uint_ge(result->errors, 1);
		for (line = strtok_r((char *)(uintptr_t)result->records, "\n", &rest); line;
		     line = strtok_r(NULL, "\n", &rest))
			ck_assert_msg(strstr(whole, line) != NULL, "%zu: %s", i, line);
	}
	free(text);
}
END_TEST

START_TEST(bounds_one_object)
{
	static char text[65536];
	size_t at = (size_t)sprintf(text, "[{\"ip\":\"10.0.0.1\",\"fqdns\":[");
	const struct read_result *result;

	for (int i = 0; i < 70; i++)
		at += (size_t)sprintf(text + at, "%s\"a%d.example\"", i ? "," : "", i);
	strcpy(text + at, "]}]");
	result = read_text(text);
	ck_assert_uint_eq(result->errors, 1);
	ck_assert_ptr_nonnull(strstr(result->complaints, "more than 64 names"));
	at = (size_t)sprintf(text, "[{\"fqdn\":\"a.example\",\"ips\":[");
	for (int i = 0; i < 1100; i++)
		at += (size_t)sprintf(text + at, "%s\"10.0.%d.%d\"", i ? "," : "", i / 250,
				      i % 250);
	strcpy(text + at, "]}]");
	result = read_text(text);
	ck_assert_uint_eq(result->errors, 1);
	ck_assert_ptr_nonnull(strstr(result->complaints, "1000 records"));
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("azure");
	TCase *tcase = tcase_create("azure");
	int count = (int)(sizeof(shapes) / sizeof(*shapes));

	tcase_set_timeout(tcase, 60);
	/* Four encodings, with LF and with CR LF. */
	tcase_add_loop_test(tcase, reads_shapes_in_all_encodings, 0, count * RECORDS_ENCODINGS * 2);
	tcase_add_test(tcase, takes_any_spelling);
	tcase_add_test(tcase, takes_several);
	tcase_add_test(tcase, invents_nothing);
	tcase_add_test(tcase, names_record_sets);
	tcase_add_test(tcase, tells_bad_words);
	tcase_add_test(tcase, refuses_what_is_empty);
	tcase_add_test(tcase, refuses_empty_endpoints);
	tcase_add_test(tcase, refuses_empty_record_sets);
	tcase_add_test(tcase, takes_records_as_one_text);
	tcase_add_test(tcase, refuses_connections);
	tcase_add_test(tcase, refuses_cut_depth);
	tcase_add_test(tcase, warns_of_more);
	tcase_add_test(tcase, keeps_what_is_whole);
	tcase_add_test(tcase, refuses_all_cuts);
	tcase_add_test(tcase, bounds_one_object);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(make_suite)
