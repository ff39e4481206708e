/* SPDX-License-Identifier: MIT */
/*
 * The table: both forms, wildcards, empty non-terminals, PTR, rules between files, loops, and
 * what a million records cost.
 */
#include <time.h>

#include "unit/unit.h"
#include "unit/zonekit.h"

#define BLOB " [privatelink.blob.core.windows.net/5]"
#define VAULT " [privatelink.vaultcore.azure.net/4]"
#define RECOVERY " [privatelink.siterecovery.windowsazure.com/4]"

static struct kit_heard heard;

static void expect(const struct table *table, const char *name, const char *want)
{
	const char *got = kit_look(table, name);

	ck_assert_msg(strcmp(got, want) == 0, "%s: %s, not %s", name, got, want);
}

static const struct node *node_at(const struct table *table, const char *text)
{
	struct name name = kit_name(text);
	struct table_hit hit;

	table_lookup(table, &name, &hit);
	ck_assert_msg(hit.match == TABLE_HELD || hit.match == TABLE_ALIAS || hit.match == TABLE_PTR,
		      "%s", text);
	return hit.node;
}

/* Every pair of the built-in table: a record given in either form is found by both. */
START_TEST(test_every_pair)
{
	static const char *const presets[] = { "azure", "azure-usgov", "azure-china" };
	struct zones *zones = kit_zones(presets[_i]);
	struct complaints complaints = { 0 };
	struct table_conf conf = { .ptr = true };
	struct builder_conf builder_conf = { .path = "p", .ttl_max = 86400 };
	char zone[512], private[1024], public[1024], want[4096];
	struct builder *builder;
	struct record_set *set;
	struct table *table;
	size_t i;
	char *out;
	const char *in;
	int way;

	for (i = 0; i < zone_pairs_count; i++) {
		if (zone_preset_has(presets[_i], &zone_pairs[i]) != 1 || !zone_pairs[i].private)
			continue;
		for (out = zone, in = zone_pairs[i].private; *in; in++)
			if (*in != '{' && *in != '}')
				*out++ = (char)(*in | (*in >= 'A' && *in <= 'Z' ? 0x20 : 0));
		*out = '\0';
		snprintf(private, sizeof(private), "acct.%s", zone);
		for (out = zone, in = zone_pairs[i].public; *in; in++)
			if (*in != '{' && *in != '}')
				*out++ = (char)(*in | (*in >= 'A' && *in <= 'Z' ? 0x20 : 0));
		*out = '\0';
		snprintf(public, sizeof(public), "acct.%s", zone);
		for (way = 0; way < 2; way++) {
			builder = builder_new(zones, &builder_conf, &complaints);
			kit_add(builder, 1, way ? public : private, 10, "A", "10.0.0.1");
			set = builder_finish(builder);
			builder_free(builder);
			table = table_new(zones, &set, 1, &conf, &complaints);
			record_set_unref(set);
			/* A shared public form goes to the regular zone, which may be another. */
			if (!way || strncmp(kit_look(table, private), "HELD", 4) == 0) {
				snprintf(want, sizeof(want), "HELD %s [%s/%u]", private,
					 zone_pairs[i].private, kit_name(private).labels - 1u);
				expect(table, private, want);
				snprintf(want, sizeof(want), "ALIAS %s -> %s [%s/%u]", private,
					 private, zone_pairs[i].private,
					 kit_name(private).labels - 1u);
				expect(table, public, want);
			} else {
				ck_assert_int_eq(strncmp(kit_look(table, public), "ALIAS", 5), 0);
				ck_assert_uint_gt(complaints.warnings, 0);
			}
			expect(table, zone, "ENT");
			table_free(table);
		}
	}
	zones_free(zones);
}
END_TEST

START_TEST(test_forms)
{
	struct zones *zones = kit_zones("azure-migrate");
	struct table *t = KIT_TABLE(zones, TABLE_CONFLICT_FIRST, &heard,
				    "Acct.Blob.core.windows.net 10 A 10.0.0.1\n"
				    "kv.privatelink.vaultcore.azure.net 60 A 10.0.0.2\n"
				    "kv.vault.azure.net 60 AAAA fd00::2\n"
				    "a.b.blob.core.windows.net 10 A 10.0.0.3\n"
				    "www.lab.example 10 A 10.0.0.4\n"
				    "privatelink.prod.migration.windowsazure.com 10 TXT apex\n");

	ck_assert_str_eq(heard.text, "");
	expect(t, "acct.privatelink.blob.core.windows.net",
	       "HELD acct.privatelink.blob.core.windows.net" BLOB);
	expect(t, "ACCT.blob.core.windows.net",
	       "ALIAS acct.privatelink.blob.core.windows.net -> "
	       "acct.privatelink.blob.core.windows.net" BLOB);
	expect(t, "acct.z20.blob.storage.azure.net",
	       "ALIAS acct.privatelink.blob.core.windows.net -> "
	       "acct.privatelink.blob.core.windows.net" BLOB);
	expect(t, "kv.vault.azure.net",
	       "ALIAS kv.privatelink.vaultcore.azure.net -> "
	       "kv.privatelink.vaultcore.azure.net" VAULT);
	expect(t, "kv.vaultcore.azure.net",
	       "ALIAS kv.privatelink.vaultcore.azure.net -> "
	       "kv.privatelink.vaultcore.azure.net" VAULT);
	ck_assert_str_eq(kit_records(t, node_at(t, "kv.vault.azure.net")),
			 "A/60 10.0.0.2@a:2; AAAA/60 fd00::2@a:3");
	expect(t, "other.privatelink.blob.core.windows.net", "ABSENT" BLOB);
	expect(t, "other.blob.core.windows.net", "NONE");
	expect(t, "acct-secondary.blob.core.windows.net", "NONE");
	expect(t, "x.acct.privatelink.blob.core.windows.net", "ABSENT" BLOB);
	/* Empty non-terminals, either form, and above. */
	expect(t, "b.privatelink.blob.core.windows.net", "ENT" BLOB);
	expect(t, "b.blob.core.windows.net", "ENT");
	expect(t, "b.z07.blob.storage.azure.net", "ENT");
	expect(t, "privatelink.blob.core.windows.net", "ENT apex" BLOB);
	expect(t, "blob.core.windows.net", "ENT");
	expect(t, "core.windows.net", "ENT");
	expect(t, "windows.net", "ENT");
	expect(t, "net", "ENT");
	expect(t, ".", "NONE");
	expect(t, "z99.blob.storage.azure.net", "ENT");
	expect(t, "blob.storage.azure.net", "ENT");
	expect(t, "storage.azure.net", "ENT");
	expect(t, "vault.azure.net", "ENT");
	expect(t, "vaultcore.azure.net", "ENT");
	expect(t, "lab.example", "ENT");
	expect(t, "example", "ENT");
	/* A zone without names has an apex all the same; above it there is nothing of ours. */
	expect(t, "privatelink.siterecovery.windowsazure.com", "ENT apex" RECOVERY);
	expect(t, "siterecovery.windowsazure.com", "NONE");
	/* An apex with data: what is above it exists. */
	expect(t, "privatelink.prod.migration.windowsazure.com",
	       "HELD "
	       "privatelink.prod.migration.windowsazure.com apex "
	       "[privatelink.prod.migration.windowsazure.com/5]");
	expect(t, "migration.windowsazure.com", "ENT");
	expect(t, "prod.migration.windowsazure.com", "ENT");
	expect(t, "www.lab.example", "HELD www.lab.example");
	expect(t, "x.www.lab.example", "NONE");
	expect(t, "microsoft.com", "NONE");

	ck_assert_uint_eq(table_names(t), 5);
	ck_assert_uint_eq(table_records(t), 6);
	ck_assert_uint_eq(table_zone_names(t, 0), 2);
	ck_assert_ptr_eq(table_zones(t), zones);
	ck_assert_uint_eq(node_ttl(node_at(t, "kv.vault.azure.net")), 60);
	table_free(t);
	table_free(NULL);
	zones_free(zones);
}
END_TEST

/* One public zone of several private ones: the first that holds the name. */
START_TEST(test_shared_public)
{
	struct zones *zones = kit_zones("azure");
	struct table *t =
		KIT_TABLE(zones, TABLE_CONFLICT_FIRST, &heard,
			  "both.privatelink.wvd.microsoft.com 10 A 10.0.0.1\n"
			  "both.privatelink-global.wvd.microsoft.com 10 A 10.0.0.2\n"
			  "one.privatelink.wvd.microsoft.com 10 A 10.0.0.3\n"
			  "one.privatelink-global.wvd.microsoft.com 10 CNAME elsewhere.example\n"
			  "x.sub.privatelink.wvd.microsoft.com 10 A 10.0.0.4\n"
			  "mi.abc.database.windows.net 10 A 10.0.0.5\n");

	expect(t, "both.wvd.microsoft.com",
	       "ALIAS both.privatelink-global.wvd.microsoft.com -> "
	       "both.privatelink-global.wvd.microsoft.com "
	       "[privatelink-global.wvd.microsoft.com/4]");
	expect(t, "one.wvd.microsoft.com",
	       "ALIAS one.privatelink-global.wvd.microsoft.com -> "
	       "one.privatelink-global.wvd.microsoft.com [privatelink-global.wvd.microsoft.com/4]");
	expect(t, "sub.wvd.microsoft.com", "ENT");
	expect(t, "mi.abc.database.windows.net",
	       "ALIAS mi.privatelink.abc.database.windows.net -> "
	       "mi.privatelink.abc.database.windows.net "
	       "[privatelink.{dnsPrefix}.database.windows.net/5]");
	/*
	 * Apex of a zone with a word in braces, and its public zone, which looks like a name of
	 * another.
	 */
	expect(t, "privatelink.abc.database.windows.net",
	       "ENT apex "
	       "[privatelink.{dnsPrefix}.database.windows.net/5]");
	expect(t, "privatelink.xyz.database.windows.net",
	       "ENT apex "
	       "[privatelink.{dnsPrefix}.database.windows.net/5]");
	expect(t, "abc.database.windows.net", "ENT");
	expect(t, "xyz.database.windows.net", "NONE");
	expect(t, "database.windows.net", "ENT");
	expect(t, "no.privatelink.abc.database.windows.net",
	       "ABSENT "
	       "[privatelink.{dnsPrefix}.database.windows.net/5]");
	table_free(t);
	zones_free(zones);
}
END_TEST

/* RFC 4592: what is there, even empty, is no wildcard's; the closest encloser's alone counts. */
START_TEST(test_wildcards)
{
	struct zones *zones = kit_zones("azure-migrate");
	struct table *t = KIT_TABLE(zones, TABLE_CONFLICT_FIRST, &heard,
				    "*.blob.core.windows.net 10 A 10.0.0.1\n"
				    "there.privatelink.blob.core.windows.net 10 TXT text\n"
				    "deep.ent.privatelink.blob.core.windows.net 10 A 10.0.0.2\n"
				    "*.sub.privatelink.blob.core.windows.net 10 A 10.0.0.3\n"
				    "*.lab.example 10 A 10.0.0.4\n"
				    "www.lab.example 10 A 10.0.0.5\n"
				    "x.*.star.example 10 A 10.0.0.6\n");

	expect(t, "any.privatelink.blob.core.windows.net",
	       "HELD *.privatelink.blob.core.windows.net wild" BLOB);
	expect(t, "a.b.c.privatelink.blob.core.windows.net",
	       "HELD *.privatelink.blob.core.windows.net wild" BLOB);
	expect(t, "*.privatelink.blob.core.windows.net",
	       "HELD *.privatelink.blob.core.windows.net wild" BLOB);
	expect(t, "Any.blob.core.windows.net",
	       "ALIAS *.privatelink.blob.core.windows.net -> "
	       "any.privatelink.blob.core.windows.net wild" BLOB);
	expect(t, "there.privatelink.blob.core.windows.net",
	       "HELD there.privatelink.blob.core.windows.net" BLOB);
	/* Below a name that is there the closest encloser is that name. */
	expect(t, "x.there.privatelink.blob.core.windows.net", "ABSENT" BLOB);
	expect(t, "x.there.blob.core.windows.net", "NONE");
	expect(t, "ent.privatelink.blob.core.windows.net", "ENT" BLOB);
	expect(t, "ent.blob.core.windows.net", "ENT");
	expect(t, "x.ent.privatelink.blob.core.windows.net", "ABSENT" BLOB);
	expect(t, "x.sub.privatelink.blob.core.windows.net",
	       "HELD *.sub.privatelink.blob.core.windows.net wild" BLOB);
	expect(t, "x.y.sub.blob.core.windows.net",
	       "ALIAS *.sub.privatelink.blob.core.windows.net -> "
	       "x.y.sub.privatelink.blob.core.windows.net wild" BLOB);
	expect(t, "sub.privatelink.blob.core.windows.net", "ENT" BLOB);
	expect(t, "privatelink.blob.core.windows.net", "ENT apex" BLOB);
	expect(t, "blob.core.windows.net", "ENT");
	expect(t, "x.privatelink.vaultcore.azure.net", "ABSENT" VAULT);
	expect(t, "any.lab.example", "HELD *.lab.example wild");
	expect(t, "a.b.lab.example", "HELD *.lab.example wild");
	expect(t, "www.lab.example", "HELD www.lab.example");
	expect(t, "a.www.lab.example", "NONE");
	expect(t, "lab.example", "ENT");
	/* A `*` in the middle is a name like any other, and as an encloser's child it is empty. */
	expect(t, "x.*.star.example", "HELD x.*.star.example");
	expect(t, "x.y.star.example", "NONE");
	expect(t, "*.star.example", "ENT");
	table_free(t);
	zones_free(zones);
}
END_TEST

START_TEST(test_site_recovery)
{
	struct zones *zones = kit_zones("azure-migrate");
	struct table *t = KIT_TABLE(
		zones, TABLE_CONFLICT_FIRST, &heard,
		"75-asr-pod01-id1.cus.privatelink.siterecovery.windowsazure.com 10 A 10.0.0.1\n"
		"75-asr-pod01-srs1-.cus.siterecovery.windowsazure.com 10 A 10.0.0.2\n"
		"acct.blob.core.windows.net 10 A 10.0.0.3\n");
	struct name name;

	expect(t, "75-asr-pod01-id1.cus.siterecovery.windowsazure.com",
	       "ALIAS 75-asr-pod01-id1.cus.privatelink.siterecovery.windowsazure.com -> "
	       "75-asr-pod01-id1.cus.privatelink.siterecovery.windowsazure.com" RECOVERY);
	expect(t, "75-asr-pod01-id1-.cus.siterecovery.windowsazure.com",
	       "ALIAS 75-asr-pod01-id1.cus.privatelink.siterecovery.windowsazure.com -> "
	       "75-asr-pod01-id1.cus.privatelink.siterecovery.windowsazure.com" RECOVERY);
	expect(t, "75-asr-pod01-ID1-.cus.privatelink.siterecovery.windowsazure.com",
	       "ALIAS 75-asr-pod01-id1.cus.privatelink.siterecovery.windowsazure.com -> "
	       "75-asr-pod01-id1.cus.privatelink.siterecovery.windowsazure.com" RECOVERY);
	expect(t, "75-asr-pod01-srs1.cus.privatelink.siterecovery.windowsazure.com",
	       "ALIAS 75-asr-pod01-srs1-.cus.privatelink.siterecovery.windowsazure.com -> "
	       "75-asr-pod01-srs1-.cus.privatelink.siterecovery.windowsazure.com" RECOVERY);
	expect(t, "75-asr-pod01-id1--.cus.siterecovery.windowsazure.com", "NONE");
	expect(t, "-.cus.siterecovery.windowsazure.com", "NONE");
	expect(t, "75-asr-pod01-id1.scus.privatelink.siterecovery.windowsazure.com",
	       "ABSENT" RECOVERY);
	expect(t, "cus.siterecovery.windowsazure.com", "ENT");
	expect(t, "acct-.blob.core.windows.net", "NONE");

	name = kit_name("75-ASR-pod01-prot2.scus.privatelink.siterecovery.windowsazure.com");
	ck_assert(table_vault_known(t, &name));
	name = kit_name("76-asr-pod01-prot2.scus.privatelink.siterecovery.windowsazure.com");
	ck_assert(!table_vault_known(t, &name));
	name = kit_name("75-asr-pod01-x.blob.core.windows.net");
	ck_assert(!table_vault_known(t, &name));
	name = kit_name("-asr-pod01-x.cus.privatelink.siterecovery.windowsazure.com");
	ck_assert(!table_vault_known(t, &name));
	name = kit_name("privatelink.siterecovery.windowsazure.com");
	ck_assert(!table_vault_known(t, &name));
	table_free(t);
	zones_free(zones);
}
END_TEST

START_TEST(test_ptr)
{
	struct zones *zones = kit_zones("azure-migrate");
	struct table_conf conf = { 0 };
	struct complaints complaints = { 0 };
	struct record_set *set;
	struct table *t = KIT_TABLE(zones, TABLE_CONFLICT_FIRST, &heard,
				    "zz.blob.core.windows.net 10 A 10.0.0.1\n"
				    "aa.privatelink.blob.core.windows.net 10 A 10.0.0.1\n"
				    "mm.blob.core.windows.net 10 A 10.0.0.1\n"
				    "kv.vaultcore.azure.net 10 AAAA fd00:12:4::20\n"
				    "kv.vaultcore.azure.net 10 A 10.0.0.2\n"
				    "*.blob.core.windows.net 10 A 10.0.0.3\n"
				    "www.lab.example 10 A 10.0.0.4\n"
				    "4.0.0.10.in-addr.arpa 10 PTR explicit.example\n"
				    "www.lab.example 10 A 10.0.0.5\n"
				    "six.lab.example 10 A 10.200.30.6\n");

	expect(t, "1.0.0.10.in-addr.arpa",
	       "PTR aa.privatelink.blob.core.windows.net -> "
	       "aa.blob.core.windows.net" BLOB);
	/* The lower of its two public forms (RFC 4034 6.1). */
	expect(t, "2.0.0.10.IN-ADDR.arpa",
	       "PTR kv.privatelink.vaultcore.azure.net -> "
	       "kv.vault.azure.net" VAULT);
	expect(t, "0.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.4.0.0.0.2.1.0.0.0.0.D.f.ip6.arpa",
	       "PTR kv.privatelink.vaultcore.azure.net -> kv.vault.azure.net" VAULT);
	expect(t, "3.0.0.10.in-addr.arpa", "NONE");
	expect(t, "4.0.0.10.in-addr.arpa", "HELD 4.0.0.10.in-addr.arpa");
	expect(t, "5.0.0.10.in-addr.arpa", "PTR www.lab.example -> www.lab.example");
	expect(t, "6.30.200.10.in-addr.arpa", "PTR six.lab.example -> six.lab.example");
	/* Zones above them exist, to the last; beside them none does. */
	expect(t, "0.10.in-addr.arpa", "ENT");
	expect(t, "0.0.10.in-addr.arpa", "ENT");
	expect(t, "10.IN-ADDR.arpa", "ENT");
	expect(t, "in-addr.arpa", "ENT");
	expect(t, "30.200.10.in-addr.arpa", "ENT");
	expect(t, "200.10.in-addr.arpa", "ENT");
	expect(t, "31.200.10.in-addr.arpa", "NONE");
	expect(t, "11.in-addr.arpa", "NONE");
	expect(t, "1.2.3.4.5.in-addr.arpa", "NONE");
	expect(t, "4.0.0.0.2.1.0.0.0.0.d.F.ip6.arpa", "ENT");
	expect(t, "2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.4.0.0.0.2.1.0.0.0.0.d.f.ip6.arpa", "ENT");
	expect(t, "5.0.0.0.2.1.0.0.0.0.d.f.ip6.arpa", "NONE");
	expect(t, "f.ip6.arpa", "ENT");
	expect(t, "ip6.arpa", "ENT");
	expect(t, "x.ip6.arpa", "NONE");
	expect(t, "01.0.0.10.in-addr.arpa", "NONE");
	expect(t, "1.00.0.10.in-addr.arpa", "NONE");
	expect(t, "1.0.0.266.in-addr.arpa", "NONE");
	expect(t, "x.1.0.0.10.in-addr.arpa", "NONE");
	expect(t, "1.0.0.10.in-addr.arp", "NONE");
	expect(t, "9.9.9.10.in-addr.arpa", "NONE");
	table_free(t);

	set = kit_set(zones, "a", "a.blob.core.windows.net 10 A 10.0.0.1\n", &complaints);
	t = table_new(zones, &set, 1, &conf, &complaints);
	record_set_unref(set);
	expect(t, "1.0.0.10.in-addr.arpa", "NONE");
	table_free(t);
	zones_free(zones);
}
END_TEST

/* A zone without public zones: PTR gives the private name. One that only has `{z}` too. */
START_TEST(test_ptr_without_public)
{
	static const char *const public[] = { "{z}.pub.example" };
	struct zones *zones = zones_new();
	struct err err;
	struct table *t;

	zones_add(zones, "pl.one.example", NULL, 0, ZONE_STATIC, &err);
	zones_add(zones, "pl.two.example", public, 1, ZONE_STATIC, &err);
	ck_assert_int_eq(zones_seal(zones, &err), 0);
	t = KIT_TABLE(zones, TABLE_CONFLICT_FIRST, &heard,
		      "a.pl.one.example 10 A 10.0.0.1\n"
		      "a.pl.two.example 10 A 10.0.0.2\n");
	expect(t, "1.0.0.10.in-addr.arpa",
	       "PTR a.pl.one.example -> a.pl.one.example [pl.one.example/3]");
	expect(t, "2.0.0.10.in-addr.arpa",
	       "PTR a.pl.two.example -> a.pl.two.example [pl.two.example/3]");
	expect(t, "a.z1.pub.example",
	       "ALIAS a.pl.two.example -> a.pl.two.example [pl.two.example/3]");
	expect(t, "pub.example", "ENT");
	table_free(t);
	zones_free(zones);
}
END_TEST

#define TWO_FILES                                                      \
	"x.blob.core.windows.net 10 A 10.0.0.1\n"                      \
	"y.blob.core.windows.net 10 A 10.0.0.2\n"                      \
	"same.blob.core.windows.net 30 A 10.0.0.3\n",                  \
		"x.privatelink.blob.core.windows.net 5 A 10.0.0.9\n"   \
		"x.privatelink.blob.core.windows.net 5 A 10.0.0.1\n"   \
		"x.privatelink.blob.core.windows.net 5 AAAA fd00::9\n" \
		"same.blob.core.windows.net 20 A 10.0.0.3\n"

START_TEST(test_conflicts)
{
	struct zones *zones = kit_zones("azure-migrate");
	struct table *t = KIT_TABLE(zones, TABLE_CONFLICT_FIRST, &heard, TWO_FILES);

	ck_assert_str_eq(heard.text, "W b:1: x.privatelink.blob.core.windows.net A: not taken, "
				     "other data than A at a:1; leave one out\n");
	ck_assert_str_eq(kit_records(t, node_at(t, "x.blob.core.windows.net")),
			 "A/10 10.0.0.1@a:1; AAAA/5 fd00::9@b:3");
	ck_assert_str_eq(kit_records(t, node_at(t, "y.blob.core.windows.net")),
			 "A/10 10.0.0.2@a:2");
	ck_assert_str_eq(kit_records(t, node_at(t, "same.blob.core.windows.net")),
			 "A/30 10.0.0.3@a:3");
	ck_assert_uint_eq(node_ttl(node_at(t, "x.blob.core.windows.net")), 5);
	expect(t, "9.0.0.10.in-addr.arpa", "NONE");
	expect(t, "9.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa",
	       "PTR x.privatelink.blob.core.windows.net -> x.blob.core.windows.net" BLOB);
	ck_assert_uint_eq(table_names(t), 3);
	ck_assert_uint_eq(table_records(t), 4);
	table_free(t);

	t = KIT_TABLE(zones, TABLE_CONFLICT_ERROR, &heard, TWO_FILES);
	ck_assert_str_eq(heard.text, "E b:1: x.privatelink.blob.core.windows.net A: not taken, "
				     "other data than A at a:1; leave one out\n");
	ck_assert_str_eq(kit_records(t, node_at(t, "x.blob.core.windows.net")),
			 "A/10 10.0.0.1@a:1; AAAA/5 fd00::9@b:3");
	table_free(t);

	t = KIT_TABLE(zones, TABLE_CONFLICT_MERGE, &heard, TWO_FILES);
	ck_assert_str_eq(heard.text, "");
	ck_assert_str_eq(kit_records(t, node_at(t, "x.blob.core.windows.net")),
			 "A/5 10.0.0.1@a:1 10.0.0.9@b:1; AAAA/5 fd00::9@b:3");
	ck_assert_str_eq(kit_records(t, node_at(t, "same.blob.core.windows.net")),
			 "A/20 10.0.0.3@a:3");
	ck_assert_uint_eq(table_records(t), 5);
	expect(t, "9.0.0.10.in-addr.arpa",
	       "PTR x.privatelink.blob.core.windows.net -> "
	       "x.blob.core.windows.net" BLOB);
	table_free(t);
	zones_free(zones);
}
END_TEST

/* What lost to an earlier file is not to be found by its address either. */
START_TEST(test_conflict_address)
{
	struct zones *zones = kit_zones("azure-migrate");
	struct table *t = KIT_TABLE(zones, TABLE_CONFLICT_FIRST, &heard,
				    "x.blob.core.windows.net 10 A 10.0.0.1\n",
				    "x.blob.core.windows.net 10 A 10.0.0.2\n");

	expect(t, "1.0.0.10.in-addr.arpa",
	       "PTR x.privatelink.blob.core.windows.net -> "
	       "x.blob.core.windows.net" BLOB);
	expect(t, "2.0.0.10.in-addr.arpa", "NONE");
	ck_assert_uint_eq(table_records(t), 1);
	table_free(t);
	zones_free(zones);
}
END_TEST

/* CNAMEs across files, and a name that three files have. */
START_TEST(test_conflicts_cname)
{
	static const char first[] = "c.blob.core.windows.net 10 CNAME one.example\n"
				    "d.blob.core.windows.net 10 A 10.0.0.1\n"
				    "e.blob.core.windows.net 10 CNAME One.Example\n"
				    "f.blob.core.windows.net 10 CNAME one.example\n"
				    "g.lab.example 10 A 10.0.0.1\n";
	static const char second[] = "c.blob.core.windows.net 10 A 10.0.0.9\n"
				     "d.blob.core.windows.net 10 CNAME one.example\n"
				     "e.blob.core.windows.net 10 CNAME one.example\n"
				     "f.blob.core.windows.net 10 CNAME two.example\n"
				     "g.lab.example 10 A 10.0.0.2\n";
	struct zones *zones = kit_zones("azure-migrate");
	struct table *t = KIT_TABLE(zones, TABLE_CONFLICT_MERGE, &heard, first, second,
				    "g.lab.example 10 A 10.0.0.3\ng.lab.example 10 A 10.0.0.1\n");

	ck_assert_str_eq(
		heard.text,
		"E b:1: c.privatelink.blob.core.windows.net A: a CNAME stands alone; not taken "
		"because "
		"of CNAME at a:1; leave one out\n"
		"E b:2: d.privatelink.blob.core.windows.net CNAME: a CNAME stands alone; not taken "
		"because of A at a:2; leave one out\n"
		"E b:4: f.privatelink.blob.core.windows.net CNAME: not taken, other data than "
		"CNAME at "
		"a:4; leave one out\n");
	ck_assert_str_eq(kit_records(t, node_at(t, "g.lab.example")),
			 "A/10 10.0.0.1@a:5 10.0.0.2@b:5 10.0.0.3@c:1");
	ck_assert_str_eq(kit_records(t, node_at(t, "c.blob.core.windows.net")),
			 "CNAME/10 one.example@a:1");
	table_free(t);

	t = KIT_TABLE(zones, TABLE_CONFLICT_FIRST, &heard, first, second);
	ck_assert_ptr_nonnull(strstr(heard.text, "W b:4: f.privatelink"));
	ck_assert_ptr_nonnull(strstr(heard.text, "E b:1: c.privatelink"));
	table_free(t);
	zones_free(zones);
}
END_TEST

START_TEST(test_loops)
{
	struct zones *zones = kit_zones("azure-migrate");
	struct table *t = KIT_TABLE(
		zones, TABLE_CONFLICT_FIRST, &heard,
		/* Over two files and a public form. */
		"a.blob.core.windows.net 10 CNAME b.lab.example\n"
		"self.lab.example 10 CNAME self.lab.example\n"
		/* By way of its own public form: not the harmless direction. */
		"back.privatelink.blob.core.windows.net 10 CNAME back.blob.core.windows.net\n"
		/* A wildcard that covers its own target. */
		"*.wild.example 10 CNAME x.wild.example\n"
		"tail.lab.example 10 CNAME b.lab.example\n"
		"out.lab.example 10 CNAME www.example.com\n"
		"in.lab.example 10 CNAME out.lab.example\n",
		"b.lab.example 10 CNAME c.lab.example\n"
		"c.lab.example 10 CNAME a.blob.core.windows.net\n");

	ck_assert_ptr_nonnull(strstr(heard.text,
				     "E b:2: c.lab.example CNAME: closes a loop with a:1, "
				     "not taken; change one of them\n"));
	ck_assert_ptr_nonnull(strstr(heard.text,
				     "E a:2: self.lab.example CNAME: leads to itself, not "
				     "taken; give it another target\n"));
	ck_assert_ptr_nonnull(
		strstr(heard.text,
		       "E a:3: back.privatelink.blob.core.windows.net CNAME: leads to itself"));
	ck_assert_ptr_nonnull(strstr(heard.text, "E a:4: *.wild.example CNAME: leads to itself"));
	ck_assert_uint_eq(table_names(t), 5);
	expect(t, "a.blob.core.windows.net",
	       "ALIAS a.privatelink.blob.core.windows.net -> "
	       "a.privatelink.blob.core.windows.net" BLOB);
	expect(t, "b.lab.example", "HELD b.lab.example");
	expect(t, "c.lab.example", "ENT");
	expect(t, "self.lab.example", "ENT");
	expect(t, "x.wild.example", "NONE");
	expect(t, "back.blob.core.windows.net", "ENT");
	table_free(t);
	zones_free(zones);
}
END_TEST

/* Told in the order of lines, and of names within a line, whatever the process's hash key is. */
START_TEST(test_loops_in_order)
{
	struct zones *zones = kit_zones("none");
	struct builder_conf conf = { .path = "p", .ttl_max = 86400 };
	struct table_conf table_conf = { .ptr = true };
	struct complaints complaints = { .tell = kit_hear, .arg = &heard };
	struct builder *builder = builder_new(zones, &conf, &complaints);
	const char *at = heard.text;
	struct record_set *set;
	struct table *table;
	char name[64];
	unsigned i, n = 20;

	heard.len = 0;
	for (i = n; i-- > 0;) {
		snprintf(name, sizeof(name), "n%02u.lab.example", i);
		kit_add(builder, 1 + i / 2, name, 10, "CNAME", name);
	}
	set = builder_finish(builder);
	builder_free(builder);
	table = table_new(zones, &set, 1, &table_conf, &complaints);
	record_set_unref(set);
	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "E p:%u: n%02u.lab.example ", 1 + i / 2, i);
		ck_assert_ptr_nonnull(at = strstr(at, name));
	}
	table_free(table);
	zones_free(zones);
}
END_TEST

/* 16 links are fine, 17 a warning; a public form in between counts. */
START_TEST(test_long_chain)
{
	struct zones *zones = kit_zones("azure-migrate");
	char lines[4096];
	size_t len;
	struct table *t;
	unsigned i, links;

	for (links = 16; links <= 18; links++) {
		for (i = 0, len = 0; i < links; i++)
			len += (size_t)sprintf(lines + len,
					       "n%u.lab.example 10 CNAME n%u.lab.example\n", i,
					       i + 1);
		t = KIT_TABLE(zones, TABLE_CONFLICT_FIRST, &heard, lines);
		if (links == 16)
			ck_assert_str_eq(heard.text, "");
		else if (links == 17)
			ck_assert_str_eq(
				heard.text,
				"W a:1: n0.lab.example CNAME: begins a chain of more "
				"than 16 links, which is answered with SERVFAIL; shorten it\n");
		else
			ck_assert_str_eq(
				heard.text,
				"W a:2: n1.lab.example CNAME: begins a chain of more "
				"than 16 links, which is answered with SERVFAIL; shorten it\n");
		table_free(t);
	}
	for (i = 0, len = 0; i < 15; i++)
		len += (size_t)sprintf(lines + len, "n%u.lab.example 10 CNAME n%u.lab.example\n", i,
				       i + 1);
	sprintf(lines + len, "n15.lab.example 10 CNAME p.blob.core.windows.net\n"
			     "p.blob.core.windows.net 10 A 10.0.0.1\n");
	t = KIT_TABLE(zones, TABLE_CONFLICT_FIRST, &heard, lines);
	ck_assert_ptr_nonnull(strstr(heard.text, "W a:1: n0.lab.example CNAME: begins a chain"));
	table_free(t);
	zones_free(zones);
}
END_TEST

/* Long circles with long ways into them, in one pass. */
START_TEST(test_loops_linear)
{
	struct zones *zones = kit_zones("none");
	struct builder_conf conf = { .path = "p", .ttl_max = 86400 };
	struct table_conf table_conf = { .ptr = true };
	struct complaints complaints = { 0 };
	struct builder *builder = builder_new(zones, &conf, &complaints);
	struct record_set *set;
	struct table *table;
	char from[64], to[64];
	unsigned i, n = 20000;

	for (i = 0; i < n; i++) {
		snprintf(from, sizeof(from), "n%u.lab.example", i);
		snprintf(to, sizeof(to), "n%u.lab.example", i + 1 < n ? i + 1 : n / 2);
		kit_add(builder, i + 1, from, 10, "CNAME", to);
	}
	set = builder_finish(builder);
	builder_free(builder);
	table = table_new(zones, &set, 1, &table_conf, &complaints);
	record_set_unref(set);
	ck_assert_uint_eq(complaints.errors, 1);
	ck_assert_uint_eq(table_names(table), n - 1);
	table_free(table);
	zones_free(zones);
}
END_TEST

START_TEST(test_nothing)
{
	struct zones *zones = kit_zones("azure-migrate");
	struct table_conf conf = { .ptr = true };
	struct complaints complaints = { 0 };
	struct table *t = table_new(zones, NULL, 0, &conf, &complaints);
	size_t at = 0;

	expect(t, "x.privatelink.blob.core.windows.net", "ABSENT" BLOB);
	expect(t, "x.blob.core.windows.net", "NONE");
	expect(t, "blob.core.windows.net", "NONE");
	expect(t, "privatelink.blob.core.windows.net", "ENT apex" BLOB);
	expect(t, "1.0.0.10.in-addr.arpa", "NONE");
	expect(t, ".", "NONE");
	ck_assert_ptr_null(table_next(t, &at));
	table_free(t);
	zones_free(zones);
}
END_TEST

/* A table outlives the references of whoever made its sets, and sets serve several tables. */
START_TEST(test_references)
{
	struct zones *zones = kit_zones("azure-migrate");
	struct table_conf conf = { .ptr = true };
	struct complaints complaints = { 0 };
	struct record_set *sets[2];
	struct table *one, *two;

	sets[0] = kit_set(zones, "a", "x.blob.core.windows.net 10 A 10.0.0.1\n", &complaints);
	sets[1] = kit_set(zones, "b", "y.blob.core.windows.net 10 A 10.0.0.2\n", &complaints);
	one = table_new(zones, sets, 2, &conf, &complaints);
	two = table_new(zones, sets + 1, 1, &conf, &complaints);
	record_set_unref(sets[0]);
	record_set_unref(sets[1]);
	ck_assert_str_eq(kit_records(one, node_at(one, "x.blob.core.windows.net")),
			 "A/10 10.0.0.1@a:1");
	table_free(one);
	ck_assert_str_eq(kit_records(two, node_at(two, "y.blob.core.windows.net")),
			 "A/10 10.0.0.2@b:1");
	expect(two, "x.blob.core.windows.net", "NONE");
	table_free(two);
	zones_free(zones);
}
END_TEST

/* Of this process, since other tests run beside it. */
static uint64_t cpu_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* What a record may take in all, both indexes and provenance included. */
#define BYTES_A_RECORD_MAX 96

/* A tenth will do where a sanitizer or valgrind makes all this twenty times as slow. */
static uint32_t how_many(void)
{
	const char *preload = getenv("LD_PRELOAD");

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return 100000;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
	return 100000;
#endif
#endif
	return preload && strstr(preload, "vgpreload") ? 100000 : 1000000;
}

START_TEST(test_many)
{
	struct zones *zones = kit_zones("azure-migrate");
	struct builder_conf conf = { .path = "/etc/privlinkd/records.d/many", .ttl_max = 86400 };
	struct table_conf table_conf = { .ptr = true };
	struct complaints complaints = { 0 };
	struct builder *builder = builder_new(zones, &conf, &complaints);
	uint64_t start = cpu_us(), read, built, looked, prepared;
	struct record_set *set;
	struct table *table;
	struct table_hit hit;
	struct name name;
	uint8_t address[4];
	char text[96];
	const struct node *node;
	size_t at = 0, seen = 0, taken = 0, found = 0;
	const uint32_t many = how_many();
	uint64_t total = 0;
	uint32_t i;

	for (i = 0; i < many; i++) {
		snprintf(text, sizeof(text), "contosomig%06u.blob.core.windows.net", i);
		name_from_text(&name, text, strlen(text));
		address[0] = 10;
		address[1] = (uint8_t)(i >> 16);
		address[2] = (uint8_t)(i >> 8);
		address[3] = (uint8_t)i;
		/* Check's own asserts write to a file each time. */
		taken += builder_add(builder, &name, TYPE_A, 10, address, 4, i + 1) == 0;
	}
	ck_assert_uint_eq(taken, many);
	set = builder_finish(builder);
	builder_free(builder);
	read = cpu_us();
	table = table_new(zones, &set, 1, &table_conf, &complaints);
	record_set_unref(set);
	built = cpu_us();
	for (i = 0; i < many; i++) {
		snprintf(text, sizeof(text), "contosomig%06u.blob.core.windows.net",
			 (uint32_t)(i * UINT64_C(7919) % many));
		name_from_text(&name, text, strlen(text));
		total += name_hash(&name);
	}
	ck_assert_uint_ne(total, 0);
	prepared = cpu_us();
	for (i = 0; i < many; i++) {
		snprintf(text, sizeof(text), "contosomig%06u.blob.core.windows.net",
			 (uint32_t)(i * UINT64_C(7919) % many));
		name_from_text(&name, text, strlen(text));
		table_lookup(table, &name, &hit);
		found += hit.match == TABLE_ALIAS;
	}
	ck_assert_uint_eq(found, many);
	looked = cpu_us();
	while ((node = table_next(table, &at)))
		seen++;
	ck_assert_uint_eq(seen, many);
	ck_assert_uint_eq(table_records(table), many);
	printf("# %u records: read %.2f s, table %.2f s, look-up %u ns, %.1f octets a record\n",
	       many, (double)(read - start) / 1e6, (double)(built - read) / 1e6,
	       (unsigned)((looked - prepared - (prepared - built)) * 1000 / many),
	       (double)table_bytes(table) / many);
	fflush(stdout);
	ck_assert_uint_le(table_bytes(table) / many, BYTES_A_RECORD_MAX);
	expect(table, "9.0.0.10.in-addr.arpa",
	       "PTR contosomig000009.privatelink.blob.core.windows.net "
	       "-> contosomig000009.blob.core.windows.net" BLOB);
	table_free(table);
	zones_free(zones);
}
END_TEST

/* The next address lies in another group, and begins like the zone that is asked for. */
START_TEST(test_ptr_borders)
{
	struct zones *zones = kit_zones("azure-migrate");
	struct table *t = KIT_TABLE(zones, TABLE_CONFLICT_FIRST, &heard,
				    "a.lab.example 10 A 10.0.1.1\n"
				    "a.lab.example 10 A 10.1.200.1\n"
				    "b.lab.example 10 A 255.255.255.255\n"
				    "b.lab.example 10 A 0.0.0.0\n"
				    "b.lab.example 10 AAAA ::\n"
				    "b.lab.example 10 AAAA ffff::ffff\n");

	expect(t, "200.0.10.in-addr.arpa", "NONE");
	expect(t, "1.200.0.10.in-addr.arpa", "NONE");
	expect(t, "1.0.10.in-addr.arpa", "ENT");
	expect(t, "200.1.10.in-addr.arpa", "ENT");
	expect(t, "0.1.10.in-addr.arpa", "NONE");
	expect(t, "2.10.in-addr.arpa", "NONE");
	expect(t, "11.in-addr.arpa", "NONE");
	expect(t, "0.in-addr.arpa", "ENT");
	expect(t, "in-addr.arpa", "ENT");
	expect(t, "0.0.0.0.in-addr.arpa", "PTR b.lab.example -> b.lab.example");
	expect(t, "255.255.255.255.in-addr.arpa", "PTR b.lab.example -> b.lab.example");
	expect(t, "255.in-addr.arpa", "ENT");
	expect(t, "254.255.255.255.in-addr.arpa", "NONE");
	expect(t, "ip6.arpa", "ENT");
	expect(t, "f.ip6.arpa", "ENT");
	expect(t, "0.ip6.arpa", "ENT");
	expect(t, "1.ip6.arpa", "NONE");
	expect(t, "e.f.f.f.ip6.arpa", "NONE");
	table_free(t);
	zones_free(zones);
}
END_TEST

/* Each vault that has names here is known, and no other. */
START_TEST(test_many_vaults)
{
	static const char zone[] = "privatelink.siterecovery.windowsazure.com";
	struct zones *zones = kit_zones("azure-migrate");
	struct builder_conf conf = { .path = "vaults", .ttl_max = 86400 };
	struct table_conf table_conf = { .ptr = true };
	struct complaints complaints = { 0 };
	struct builder *builder = builder_new(zones, &conf, &complaints);
	struct record_set *set;
	struct table *table;
	struct name name;
	char text[128];
	unsigned i, j, n = 1000;

	for (i = 0; i < n; i++) {
		for (j = 0; j < 3; j++) {
			snprintf(text, sizeof(text), "v%u-asr-pod0%u-id1.%s", 2 * i, j, zone);
			kit_add(builder, i + 1, text, 10, "A", "10.0.0.1");
		}
	}
	set = builder_finish(builder);
	builder_free(builder);
	table = table_new(zones, &set, 1, &table_conf, &complaints);
	record_set_unref(set);
	for (i = 0; i < 2 * n; i++) {
		snprintf(text, sizeof(text), "v%u-asr-pod07-tel1.%s", i, zone);
		name = kit_name(text);
		ck_assert_msg(table_vault_known(table, &name) == (i % 2 == 0), "%s", text);
	}
	table_free(table);
	zones_free(zones);
}
END_TEST

/* Names of many labels, nothing shared but the end: what stands between them costs a slot each. */
START_TEST(test_deep)
{
	struct zones *zones = kit_zones("azure-migrate");
	struct builder_conf conf = { .path = "deep", .ttl_max = 86400 };
	struct table_conf table_conf = { .ptr = true };
	struct complaints complaints = { 0 };
	struct builder *builder = builder_new(zones, &conf, &complaints);
	const unsigned names = 1000, labels = 100;
	struct record_set *set;
	struct table *table;
	char text[256], top[16];
	unsigned i, j;
	size_t alone;

	for (i = 0; i < names; i++) {
		text[0] = '\0';
		for (j = 0; j < labels; j++)
			strcat(text, "a.");
		sprintf(top, "t%u.example", i);
		strcat(text, top);
		kit_add(builder, i + 1, text, 10, "A", "10.0.0.1");
	}
	set = builder_finish(builder);
	builder_free(builder);
	alone = record_set_bytes(set);
	table = table_new(zones, &set, 1, &table_conf, &complaints);
	record_set_unref(set);
	ck_assert_uint_le((table_bytes(table) - alone) / (names * labels), 12);
	for (i = 0; i < labels; i++)
		expect(table, text + 2 * i + 2, "ENT");
	expect(table, "a.a.example", "NONE");
	expect(table, "t1000.example", "NONE");
	expect(table, "a.t999.example", "ENT");
	expect(table, "example", "ENT");
	expect(table, "b.a.t999.example", "NONE");
	table_free(table);
	zones_free(zones);
}
END_TEST

static Suite *table_suite(void)
{
	Suite *suite = suite_create("table");
	TCase *all = tcase_create("all");

	tcase_set_timeout(all, 120);
	tcase_add_loop_test(all, test_every_pair, 0, 3);
	tcase_add_test(all, test_forms);
	tcase_add_test(all, test_shared_public);
	tcase_add_test(all, test_wildcards);
	tcase_add_test(all, test_site_recovery);
	tcase_add_test(all, test_ptr);
	tcase_add_test(all, test_ptr_without_public);
	tcase_add_test(all, test_conflicts);
	tcase_add_test(all, test_conflict_address);
	tcase_add_test(all, test_conflicts_cname);
	tcase_add_test(all, test_loops);
	tcase_add_test(all, test_loops_in_order);
	tcase_add_test(all, test_long_chain);
	tcase_add_test(all, test_loops_linear);
	tcase_add_test(all, test_nothing);
	tcase_add_test(all, test_references);
	tcase_add_test(all, test_ptr_borders);
	tcase_add_test(all, test_many_vaults);
	tcase_add_test(all, test_deep);
	tcase_add_test(all, test_many);
	suite_add_tcase(suite, all);
	return suite;
}

UNIT_MAIN(table_suite)
