/* SPDX-License-Identifier: MIT */
/*
 * The builder: what one file's records become, and every complaint it can make, word for word.
 */
#include "unit/unit.h"
#include "unit/zonekit.h"

static struct kit_heard heard;
static struct complaints complaints;
static struct zones *zones;

static void begin(void)
{
	zones = kit_zones("azure");
	heard.len = 0;
	heard.text[0] = '\0';
	complaints = (struct complaints){ .tell = kit_hear, .arg = &heard };
}

static void end(void)
{
	zones_free(zones);
}

static struct builder *builder(bool claims)
{
	struct builder_conf conf = {
		.path = "f", .ttl_min = 5, .ttl_max = 3600, .lines_are_claims = claims
	};
	struct builder *made = builder_new(zones, &conf, &complaints);

	ck_assert_ptr_nonnull(made);
	return made;
}

/* Ends the builder; a table of its set alone. */
static struct table *finish(struct builder *b)
{
	struct table_conf conf = { .ptr = true };
	struct record_set *set = builder_finish(b);
	struct table *table;

	builder_free(b);
	ck_assert_ptr_nonnull(set);
	table = table_new(zones, &set, 1, &conf, &complaints);
	record_set_unref(set);
	ck_assert_ptr_nonnull(table);
	return table;
}

static void expect(const struct table *table, const char *text, const char *want)
{
	struct name name = kit_name(text);
	struct table_hit hit;

	table_lookup(table, &name, &hit);
	ck_assert_msg(hit.match == TABLE_HELD || hit.match == TABLE_ALIAS, "%s", text);
	ck_assert_str_eq(kit_records(table, hit.node), want);
}

START_TEST(test_apart)
{
	struct builder *b = builder(false);
	struct record_set *set;
	struct table *t;

	kit_add(b, 1, "a.blob.core.windows.net", 10, "A", "10.0.0.1");
	kit_add(b, 2, "b.lab.example", 10, "A", "10.0.0.2");
	kit_add(b, 3, "A.privatelink.blob.core.windows.net", 10, "AAAA", "fd00::1");
	kit_add(b, 4, "B.LAB.example", 10, "TXT", "text");
	kit_add(b, 5, "a.z1.blob.storage.azure.net", 10, "A", "10.0.0.3");
	kit_add(b, 6, "a.blob.core.windows.net", 10, "A", "10.0.0.1");
	kit_add(b, 7, "b.lab.example", 10, "A", "10.0.0.4");
	ck_assert_uint_eq(builder_count(b), 6);
	set = builder_finish(b);
	ck_assert_uint_eq(record_set_names(set), 2);
	ck_assert_uint_eq(record_set_records(set), 6);
	ck_assert_str_eq(record_set_path(set), "f");
	ck_assert_uint_gt(record_set_bytes(set), 100);
	ck_assert_uint_eq(builder_count(b), 0);
	builder_free(b);
	t = table_new(zones, &set, 1, &(struct table_conf){ .ptr = true }, &complaints);
	record_set_unref(set);
	ck_assert_str_eq(heard.text, "");
	expect(t, "a.blob.core.windows.net", "A/10 10.0.0.1@f:1 10.0.0.3@f:5; AAAA/10 fd00::1@f:3");
	expect(t, "b.lab.example", "A/10 10.0.0.2@f:2 10.0.0.4@f:7; TXT/10 text@f:4");
	table_free(t);
}
END_TEST

START_TEST(test_ttl)
{
	struct builder *b = builder(false);
	struct table *t;

	kit_add(b, 1, "a.lab.example", 1, "A", "10.0.0.1");
	kit_add(b, 2, "b.lab.example", 100000, "A", "10.0.0.2");
	kit_add(b, 3, "c.lab.example", 100, "A", "10.0.0.3");
	kit_add(b, 4, "c.lab.example", 60, "A", "10.0.0.4");
	kit_add(b, 5, "c.lab.example", 200, "A", "10.0.0.3");
	kit_add(b, 6, "c.lab.example", 300, "AAAA", "fd00::1");
	kit_add(b, 7, "d.lab.example", 0x80000001u, "A", "10.0.0.5");
	t = finish(b);
	ck_assert_str_eq(heard.text,
			 "W f:4: c.lab.example A: TTL 60, but 100 on line 3; the lower is used\n"
			 "W f:5: c.lab.example A: TTL 200, but 60 on line 3; the lower is used\n");
	expect(t, "a.lab.example", "A/5 10.0.0.1@f:1");
	expect(t, "b.lab.example", "A/3600 10.0.0.2@f:2");
	expect(t, "c.lab.example", "A/60 10.0.0.3@f:3 10.0.0.4@f:4; AAAA/300 fd00::1@f:6");
	expect(t, "d.lab.example", "A/5 10.0.0.5@f:7");
	table_free(t);
}
END_TEST

START_TEST(test_claims)
{
	struct builder *b = builder(true);
	struct table *t;

	kit_add(b, 1, "a.lab.example", 10, "A", "10.0.0.1");
	kit_add(b, 2, "a.lab.example", 10, "A", "10.0.0.1");
	kit_add(b, 3, "a.lab.example", 10, "AAAA", "fd00::1");
	kit_add(b, 4, "a.lab.example", 10, "A", "10.0.0.2");
	t = finish(b);
	ck_assert_str_eq(heard.text,
			 "W f:4: a.lab.example A: another address than on line 1; both are "
			 "served, leave one out if that is not meant\n");
	expect(t, "a.lab.example", "A/10 10.0.0.1@f:1 10.0.0.2@f:4; AAAA/10 fd00::1@f:3");
	table_free(t);
}
END_TEST

START_TEST(test_cname)
{
	struct builder *b = builder(false);
	struct table *t;

	/* Ignored: what dig shows of Azure. */
	ck_assert_int_eq(kit_add(b, 1, "a.blob.core.windows.net", 10, "CNAME",
				 "A.privatelink.blob.core.windows.net"),
			 0);
	ck_assert_int_eq(kit_add(b, 2, "k.vault.azure.net", 10, "CNAME", "k.vaultcore.azure.net"),
			 0);
	ck_assert_int_eq(kit_add(b, 3, "w.wvd.microsoft.com", 10, "CNAME",
				 "w.privatelink-global.wvd.microsoft.com"),
			 0);
	ck_assert_uint_eq(builder_count(b), 0);
	ck_assert_str_eq(heard.text, "");
	/* Taken. */
	ck_assert_int_eq(
		kit_add(b, 4, "o.blob.core.windows.net", 10, "CNAME", "a.blob.core.windows.net"),
		0);
	ck_assert_int_eq(
		kit_add(b, 5, "o.blob.core.windows.net", 10, "CNAME", "A.blob.core.windows.net"),
		0);
	ck_assert_uint_eq(builder_count(b), 1);
	/* Refused. */
	kit_add(b, 6, "o.blob.core.windows.net", 10, "CNAME", "b.example");
	kit_add(b, 7, "o.blob.core.windows.net", 10, "A", "10.0.0.1");
	ck_assert_uint_eq(builder_count(b), 1);
	ck_assert_int_eq(kit_add(b, 8, "a.blob.core.windows.net", 10, "A", "10.0.0.1"), 0);
	kit_add(b, 9, "a.blob.core.windows.net", 10, "CNAME", "b.example");
	ck_assert_uint_eq(builder_count(b), 2);
	ck_assert_int_eq(
		builder_add(b, &(struct name){ 0 }, TYPE_CNAME, 10, (const uint8_t *)"\1a", 2, 10),
		-1);
	ck_assert_str_eq(
		heard.text,
		"E f:6: o.blob.core.windows.net CNAME: a name has one such record, and line 4 has "
		"another; leave one out\n"
		"E f:7: o.blob.core.windows.net A: a CNAME stands alone, and line 4 has CNAME for "
		"this "
		"name; leave one out\n"
		"E f:9: a.blob.core.windows.net CNAME: a CNAME stands alone, and line 8 has A for "
		"this "
		"name; leave one out\n"
		"E f:10: . CNAME: the target is not a name\n");
	t = finish(b);
	expect(t, "o.blob.core.windows.net", "CNAME/10 a.blob.core.windows.net@f:4");
	expect(t, "a.blob.core.windows.net", "A/10 10.0.0.1@f:8");
	table_free(t);
}
END_TEST

START_TEST(test_refused)
{
	static const struct {
		const char *type;
		const char *says;
	} types[] = {
		{ "DNAME", "DNAME records are not served" },
		{ "RRSIG", "signatures" },
		{ "NSEC", "signatures" },
		{ "NSEC3", "signatures" },
		{ "DNSKEY", "signatures" },
		{ "ANY", "for questions only" },
		{ "AXFR", "for questions only" },
		{ "OPT", "for questions only" },
		{ "TYPE0", "not a type" },
	};
	struct builder *b = builder(false);
	static uint8_t big[RECORD_DATA_MAX + 1];
	struct name name = kit_name("a.lab.example");
	uint16_t type;
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		ck_assert_int_eq(type_from_text(types[i].type, &type), 0);
		ck_assert_int_eq(builder_add(b, &name, type, 10, (const uint8_t *)"", 0, 1), -1);
		ck_assert_ptr_nonnull(strstr(heard.text, types[i].says));
		heard.len = 0;
	}
	ck_assert_int_eq(builder_add(b, &name, TYPE_A, 10, big, 5, 1), -1);
	ck_assert_int_eq(builder_add(b, &name, TYPE_AAAA, 10, big, 4, 1), -1);
	ck_assert_int_eq(builder_add(b, &name, TYPE_TXT, 10, big, sizeof(big), 1), -1);
	ck_assert_int_eq(builder_add(b, &name, TYPE_TXT, 10, big, RECORD_DATA_MAX, 1), 0);
	builder_add(b, &name, TYPE_TXT, 10, big, RECORD_DATA_MAX - 1, 1);
	ck_assert_uint_eq(builder_count(b), 1);
	ck_assert_uint_eq(complaints.errors, 13);
	builder_free(b);
	builder_free(NULL);
}
END_TEST

START_TEST(test_apex)
{
	struct builder *b = builder(false);
	struct table *t;

	ck_assert_int_eq(kit_add(b, 1, "privatelink.blob.core.windows.net", 10, "SOA", "x"), 0);
	ck_assert_int_eq(kit_add(b, 2, "privatelink.blob.core.windows.net", 10, "NS", "ns.example"),
			 0);
	ck_assert_int_eq(kit_add(b, 3, "privatelink.weu.azmk8s.io", 10, "NS", "ns.example"), 0);
	ck_assert_int_eq(kit_add(b, 4, "blob.core.windows.net", 10, "SOA", "x"), 0);
	ck_assert_uint_eq(builder_count(b), 0);
	ck_assert_int_eq(kit_add(b, 5, "privatelink.blob.core.windows.net", 10, "A", "10.0.0.1"),
			 0);
	ck_assert_int_eq(
		kit_add(b, 6, "sub.privatelink.blob.core.windows.net", 10, "NS", "ns.example"), 0);
	ck_assert_int_eq(kit_add(b, 7, "lab.example", 10, "SOA", "x"), 0);
	kit_add(b, 8, "lab.example", 10, "SOA", "y");
	builder_settle(b);
	ck_assert_str_eq(heard.text,
			 "E f:8: lab.example SOA: a name has one such record, and line 7 has "
			 "another; leave one out\n");
	t = finish(b);
	expect(t, "privatelink.blob.core.windows.net", "A/10 10.0.0.1@f:5");
	expect(t, "lab.example", "SOA/10 x@f:7");
	table_free(t);
}
END_TEST

START_TEST(test_warnings)
{
	static const struct {
		const char *type, *address;
		bool private;
	} addresses[] = {
		{ "A", "10.255.0.1", true },     { "A", "172.16.0.1", true },
		{ "A", "172.31.255.1", true },   { "A", "172.32.0.1", false },
		{ "A", "192.168.1.1", true },    { "A", "192.169.1.1", false },
		{ "A", "100.64.0.1", true },     { "A", "100.128.0.1", false },
		{ "A", "20.60.223.100", false }, { "A", "127.0.0.1", false },
		{ "AAAA", "fd00::1", true },     { "AAAA", "fc00::1", true },
		{ "AAAA", "2603::1", false },    { "AAAA", "fe80::1", false },
	};
	struct builder *b = builder(false);
	size_t i;

	for (i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		complaints.warnings = 0;
		kit_add(b, 1, "a.blob.core.windows.net", 10, addresses[i].type,
			addresses[i].address);
		ck_assert_msg(complaints.warnings == !addresses[i].private, "%s",
			      addresses[i].address);
	}
	ck_assert_ptr_nonnull(strstr(heard.text,
				     "W f:1: a.blob.core.windows.net A: 172.32.0.1 is not in a "
				     "private range, though the name is a private link's; check "
				     "that the export is of the "
				     "private endpoint\n"));
	complaints.warnings = 0;
	kit_add(b, 1, "a.lab.example", 10, "A", "192.0.2.1");
	ck_assert_uint_eq(complaints.warnings, 0);
	heard.len = 0;
	kit_add(b, 2, "w.wvd.microsoft.com", 10, "A", "10.0.0.1");
	ck_assert_str_eq(
		heard.text,
		"W f:2: w.wvd.microsoft.com A: several private zones have this "
		"public name; taken for the regular one, give the private name to choose\n");
	builder_free(b);
}
END_TEST

START_TEST(test_limits)
{
	struct builder_conf conf = { .path = "f", .ttl_max = 60, .records_max = 3 };
	struct builder *b = builder(false);
	struct table *t;
	struct name name;
	uint8_t address[4] = { 10 };
	char text[300];
	unsigned i;

	name = kit_name("a.lab.example");
	for (i = 0; i <= RECORDS_A_SET_MAX; i++) {
		address[2] = (uint8_t)(i >> 8);
		address[3] = (uint8_t)i;
		builder_add(b, &name, TYPE_A, 10, address, 4, i);
	}
	ck_assert_uint_eq(builder_count(b), RECORDS_A_SET_MAX);
	ck_assert_str_eq(heard.text,
			 "E f:1000: a.lab.example A: more records of one name and type than an "
			 "answer can carry; leave some out\n");
	t = finish(b);
	ck_assert_uint_eq(table_records(t), RECORDS_A_SET_MAX);
	table_free(t);

	heard.len = 0;
	b = builder_new(zones, &conf, &complaints);
	for (i = 0; i < 6; i++) {
		snprintf(text, sizeof(text), "n%u.lab.example", i);
		kit_add(b, i + 1, text, 10, "A", "10.0.0.1");
	}
	ck_assert_uint_eq(builder_count(b), 3);
	ck_assert_str_eq(heard.text,
			 "E f:4: n3.lab.example A: more records than a source may have; split or "
			 "mend the file\n");
	builder_free(b);

	/* The private form would not fit. */
	heard.len = 0;
	for (i = 0, text[0] = '\0'; i < 115; i++)
		strcat(text, "a.");
	strcat(text, "blob.core.windows.net");
	b = builder(false);
	ck_assert_int_eq(kit_add(b, 1, text, 10, "A", "10.0.0.1"), -1);
	ck_assert_ptr_nonnull(
		strstr(heard.text, "the private form of this name would be too long"));
	/* Types of one name. */
	heard.len = 0;
	name = kit_name("t.lab.example");
	for (i = 0; i < 300; i++)
		builder_add(b, &name, (uint16_t)(1000 + i), 10, address, 4, i);
	ck_assert_uint_eq(builder_count(b), 255);
	/* Octets of one name. */
	name = kit_name("o.lab.example");
	{
		static uint8_t big[RECORD_DATA_MAX];

		for (i = 0; i < 6; i++)
			builder_add(b, &name, (uint16_t)(1000 + i), 10, big, sizeof(big), i);
	}
	ck_assert_uint_eq(builder_count(b), 255 + 4);
	t = finish(b);
	ck_assert_uint_eq(table_names(t), 2);
	table_free(t);
}
END_TEST

/* Names in turns, so that every node moves again and again, and the holes are taken out. */
START_TEST(test_turns)
{
	struct builder_conf conf = { .path = "f", .ttl_max = 60 };
	struct builder *b = builder_new(zones, &conf, &complaints);
	uint8_t address[4] = { 10 };
	struct node_rrset rrset;
	struct record_set *set;
	struct table_hit hit;
	struct table *t;
	struct name name;
	unsigned i, j;
	char text[64];

	for (j = 0; j < 300; j++) {
		for (i = 0; i < 50; i++) {
			snprintf(text, sizeof(text), "name-%u.blob.core.windows.net", i);
			name = kit_name(text);
			address[1] = (uint8_t)i;
			address[2] = (uint8_t)(j >> 8);
			address[3] = (uint8_t)j;
			ck_assert_int_eq(builder_add(b, &name, j % 3 ? TYPE_A : 1000 + j % 2, 10,
						     address, 4, j * 50 + i + 1),
					 0);
		}
	}
	set = builder_finish(b);
	builder_free(b);
	/* 10 octets a record and little else. */
	ck_assert_uint_lt(record_set_bytes(set), 15000 * 10 + 50 * 80 + 160 * 1024);
	t = table_new(zones, &set, 1, &(struct table_conf){ .ptr = true }, &complaints);
	record_set_unref(set);
	ck_assert_uint_eq(table_records(t), 15000);
	for (i = 0; i < 50; i++) {
		struct node_record record;
		size_t at = 0;

		snprintf(text, sizeof(text), "name-%u.blob.core.windows.net", i);
		name = kit_name(text);
		table_lookup(t, &name, &hit);
		ck_assert(hit.match == TABLE_ALIAS && node_find(hit.node, TYPE_A, &rrset));
		ck_assert_uint_eq(rrset.count, 200);
		for (j = 0; j < 300; j++) {
			if (j % 3 == 0)
				continue;
			ck_assert(node_record_next(&rrset, &at, &record));
			ck_assert_uint_eq(record.line, j * 50 + i + 1);
			ck_assert_uint_eq(record.rdata[3], j & 255);
		}
		ck_assert(!node_record_next(&rrset, &at, &record));
	}
	table_free(t);
}
END_TEST

static void add_complaint(struct complaints *to, const char *path, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		complain(to, COMPLAINT_ERROR, path, i + 1, 0, "bad");
}

START_TEST(test_complaints)
{
	struct complaints nowhere = { 0 };

	complain(&complaints, COMPLAINT_WARNING, "p", 3, 7, "a %s", "b");
	complain(&complaints, COMPLAINT_ERROR, "p", 0, 7, "c");
	complain(&complaints, COMPLAINT_ERROR, NULL, 3, 7, "d");
	ck_assert_str_eq(heard.text, "W p:3:7: a b\nE p: c\nE d\n");
	complaints_end(&complaints, NULL);
	ck_assert_str_eq(heard.text, "W p:3:7: a b\nE p: c\nE d\n");
	heard.len = 0;
	add_complaint(&complaints, "one", COMPLAINTS_A_FILE_MAX + 7);
	ck_assert_ptr_null(strstr(heard.text, "one:101:"));
	add_complaint(&complaints, "two", 1);
	complaints_end(&complaints, NULL);
	ck_assert_ptr_nonnull(strstr(heard.text,
				     "E one:100: bad\nE two:1: bad\nE 7 more complaints about "
				     "the files above are not shown\n"));
	ck_assert_uint_eq(complaints.errors, COMPLAINTS_A_FILE_MAX + 10);
	add_complaint(&nowhere, "x", 300);
	ck_assert_uint_eq(nowhere.errors, 300);
	complain(NULL, COMPLAINT_ERROR, "x", 1, 1, "nobody hears");
}
END_TEST

/*
 * What is wrong with a record beside others is found while the next is read: complaints come in the
 * order of lines all the same, and the caller's octets may change at once.
 */
START_TEST(test_order)
{
	struct builder *b = builder(false);
	struct name name = kit_name("a.lab.example");
	uint8_t address[4] = { 10, 0, 0, 1 };
	struct table *t;

	ck_assert_int_eq(builder_add(b, &name, TYPE_A, 10, address, 4, 1), 0);
	memset(address, 0xff, sizeof(address));
	kit_add(b, 2, "a.lab.example", 10, "CNAME", "b.lab.example");
	complain(&complaints, COMPLAINT_ERROR, "f", 3, 0, "of the reader");
	kit_add(b, 4, "a.lab.example", 10, "CNAME", "b.lab.example");
	kit_add(b, 5, "a.lab.example", 10, "DNAME", "b.lab.example");
	kit_add(b, 6, "a.lab.example", 20, "A", "10.0.0.1");
	ck_assert_uint_eq(complaints.warnings, 0);
	builder_settle(b);
	ck_assert_uint_eq(complaints.warnings, 1);
	ck_assert_str_eq(heard.text,
			 "E f:2: a.lab.example CNAME: a CNAME stands alone, and line 1 has A for "
			 "this name; leave one out\n"
			 "E f:3: of the reader\n"
			 "E f:4: a.lab.example CNAME: a CNAME stands alone, and line 1 has A for "
			 "this name; leave one out\n"
			 "E f:5: a.lab.example DNAME: DNAME records are not served; write a CNAME "
			 "for each name\n"
			 "W f:6: a.lab.example A: TTL 20, but 10 on line 1; the lower is used\n");
	t = finish(b);
	expect(t, "a.lab.example", "A/10 10.0.0.1@f:1");
	table_free(t);
	complain(&complaints, COMPLAINT_ERROR, "f", 7, 0, "when the builder is gone");
}
END_TEST

/* A record of few names, types and data, so that every kind of company comes about. */
static void add_random(struct builder *b, unsigned line, unsigned *seed)
{
	static const char *const types[] = { "A", "A", "A", "AAAA", "CNAME" };
	unsigned number, kind, some;
	uint8_t long_data[300];
	char owner[32], data[32];
	struct name name;

	*seed = *seed * 1103515245 + 12345;
	number = *seed >> 16 & 31;
	kind = *seed >> 21 & 7;
	some = *seed >> 24 & 3;
	snprintf(owner, sizeof(owner), "n%u.%s", number,
		 number % 2 ? "blob.core.windows.net" : "lab.example");
	if (kind >= sizeof(types) / sizeof(*types)) {
		memset(long_data, (int)some, sizeof(long_data));
		name = kit_name(owner);
		builder_add(b, &name, (uint16_t)(1000 + kind), 10 + some / 3, long_data,
			    kind == 7 ? sizeof(long_data) : 20, line);
		return;
	}
	snprintf(data, sizeof(data),
		 kind == 4   ? "t%u.example"
		 : kind == 3 ? "fd00::%u"
			     : "10.0.0.%u",
		 some);
	kit_add(b, line, owner, 10 + some / 3, types[kind], data);
}

/* All that is held of the names above, and after it what was complained of; from malloc. */
static char *what_is_held(struct builder *b)
{
	struct table *t = finish(b);
	char owner[64], *all;
	struct table_hit hit;
	struct name name;
	size_t len;
	FILE *out = open_memstream(&all, &len);
	unsigned number;

	for (number = 0; number < 32; number++) {
		snprintf(owner, sizeof(owner), "n%u.%s", number,
			 number % 2 ? "blob.core.windows.net" : "lab.example");
		name = kit_name(owner);
		table_lookup(t, &name, &hit);
		if (hit.match == TABLE_HELD || hit.match == TABLE_ALIAS)
			fprintf(out, "%s %s\n", owner, kit_records(t, hit.node));
	}
	fprintf(out, "%zu %zu\n%s", table_names(t), table_records(t), heard.text);
	fclose(out);
	table_free(t);
	return all;
}

/* Whether records wait or have their turns at once makes no difference to what is held or told. */
START_TEST(test_waiting)
{
	unsigned way, seed, line;
	struct builder *b;
	char *all[2];
	size_t at;

	for (way = 0; way < 2; way++) {
		complaints = (struct complaints){ .tell = kit_hear, .arg = &heard };
		heard.len = 0;
		heard.text[0] = '\0';
		b = builder(_i % 2);
		for (line = 1, seed = (unsigned)_i; line <= 150; line++) {
			add_random(b, line, &seed);
			if (line % 29 == 0)
				complain(&complaints, COMPLAINT_WARNING, "f", line, 0, "reader's");
			if (line == 100)
				builder_set_claims(b, !(_i % 2));
			if (way)
				builder_settle(b);
		}
		all[way] = what_is_held(b);
	}
	ck_assert_ptr_nonnull(strstr(all[0], "stands alone"));
	ck_assert_ptr_nonnull(strstr(all[0], "another address"));
	for (at = 0; all[0][at] && all[0][at] == all[1][at]; at++)
		;
	ck_assert_msg(all[0][at] == all[1][at], "%.200s\nand at once: %.200s", all[0] + at,
		      all[1] + at);
	free(all[0]);
	free(all[1]);
}
END_TEST

static Suite *builder_suite(void)
{
	Suite *suite = suite_create("builder");
	TCase *all = tcase_create("all");

	tcase_set_timeout(all, 60);
	tcase_add_checked_fixture(all, begin, end);
	tcase_add_test(all, test_apart);
	tcase_add_test(all, test_ttl);
	tcase_add_test(all, test_claims);
	tcase_add_test(all, test_cname);
	tcase_add_test(all, test_refused);
	tcase_add_test(all, test_apex);
	tcase_add_test(all, test_warnings);
	tcase_add_test(all, test_limits);
	tcase_add_test(all, test_turns);
	tcase_add_test(all, test_complaints);
	tcase_add_test(all, test_order);
	tcase_add_loop_test(all, test_waiting, 0, 20);
	suite_add_tcase(suite, all);
	return suite;
}

UNIT_MAIN(builder_suite)
