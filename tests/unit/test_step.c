/* SPDX-License-Identifier: MIT */
/* The decision, told as stories; see stepkit.h. */
#include "unit/stepkit.h"
#include "unit/unit.h"

START_TEST(held_names)
{
	begin(ZONE_TRANSPARENT);
	hold("acct.blob.core.windows.net", "A", "10.0.0.5");
	hold("kv.vault.azure.net", "A", "10.0.0.6");
	ready();
	expect(ACCT, "A", "NOERROR aa\n" ACCT " A 10.0.0.5\n");
	expect(ACCT, "AAAA", "NOERROR aa\n" SOA);
	expect(ACCT, "HTTPS", "NOERROR aa\n" SOA);
	expect(ACCT, "CNAME", "NOERROR aa\n" SOA);
	expect(ACCT, "DS", "NOERROR aa\n" SOA);
	expect(ACCT, "ANY", "NOERROR aa\n" ACCT " A 10.0.0.5\n");
	expect("acct.blob.core.windows.net", "A",
	       "NOERROR aa\nacct.blob.core.windows.net CNAME " ACCT "\n" ACCT " A 10.0.0.5\n");
	expect("acct.blob.core.windows.net", "AAAA",
	       "NOERROR aa\nacct.blob.core.windows.net CNAME " ACCT "\n" SOA);
	expect("acct.blob.core.windows.net", "CNAME",
	       "NOERROR aa\nacct.blob.core.windows.net CNAME " ACCT "\n");
	expect("acct.blob.core.windows.net", "ANY",
	       "NOERROR aa\nacct.blob.core.windows.net CNAME " ACCT "\n");
	expect("kv.vault.azure.net", "A",
	       "NOERROR aa\nkv.vault.azure.net CNAME kv.privatelink.vaultcore.azure.net\n"
	       "kv.privatelink.vaultcore.azure.net A 10.0.0.6\n");
	expect("kv.vaultcore.azure.net", "A",
	       "NOERROR aa\nkv.vaultcore.azure.net CNAME kv.privatelink.vaultcore.azure.net\n"
	       "kv.privatelink.vaultcore.azure.net A 10.0.0.6\n");
	expect("5.0.0.10.in-addr.arpa", "PTR",
	       "NOERROR aa\n5.0.0.10.in-addr.arpa PTR acct.blob.core.windows.net\n");
	expect("5.0.0.10.in-addr.arpa", "A", "NOERROR aa\n!5.0.0.10.in-addr.arpa SOA\n");
	end();
}
END_TEST

START_TEST(apex)
{
	begin(ZONE_TRANSPARENT);
	hold(ACCT, "A", "10.0.0.5");
	ready();
	expect("privatelink.blob.core.windows.net", "SOA",
	       "NOERROR aa\nprivatelink.blob.core.windows.net SOA\n");
	expect("privatelink.blob.core.windows.net", "NS", "NOERROR aa\n" SOA);
	says("root", "privatelink.blob.core.windows.net", "DS", RCODE_NOERROR,
	     "!blob.core.windows.net SOA ns.example");
	expect("privatelink.blob.core.windows.net", "DS",
	       "NOERROR\n!blob.core.windows.net SOA\nasked privatelink.blob.core.windows.net\n");
	end();
}
END_TEST

/* The three ways an upstream answers when our name stands in its chain: the public chain, and
 * Azure's empty zone. */
START_TEST(cut)
{
	static const unsigned rcodes[] = { RCODE_NOERROR, RCODE_NXDOMAIN, RCODE_SERVFAIL };
	size_t i;

	for (i = 0; i < 3; i++) {
		begin(ZONE_TRANSPARENT);
		hold(ACCT, "A", "10.0.0.5");
		ready();
		says("root", "files.contoso.example", "A", rcodes[i],
		     i == 0 ? "files.contoso.example CNAME acct.blob.core.windows.net\n"
			      "acct.blob.core.windows.net CNAME " ACCT "\n" ACCT
			      " CNAME blob.sn1.store.core.windows.net\n"
			      "blob.sn1.store.core.windows.net A 20.1.2.3"
			    : "files.contoso.example CNAME acct.blob.core.windows.net\n"
			      "acct.blob.core.windows.net CNAME " ACCT "\n"
			      "!privatelink.blob.core.windows.net SOA ns.example");
		expect("files.contoso.example", "A",
		       "NOERROR\nfiles.contoso.example CNAME acct.blob.core.windows.net\n"
		       "acct.blob.core.windows.net CNAME " ACCT "\n" ACCT " A 10.0.0.5\n"
		       "asked files.contoso.example\n");
		end();
	}
}
END_TEST

START_TEST(cut_in_any_order_and_through_dname)
{
	begin(ZONE_TRANSPARENT);
	hold(ACCT, "A", "10.0.0.5");
	ready();
	says("root", "a.example", "A", RCODE_NOERROR,
	     "x.example A 20.1.1.1\n" ACCT " CNAME x.example\nb.example CNAME " ACCT
	     "\nunrelated.example A 6.6.6.6\na.example CNAME b.example");
	expect("a.example", "A",
	       "NOERROR\na.example CNAME b.example\nb.example CNAME " ACCT "\n" ACCT
	       " A 10.0.0.5\nasked a.example\n");
	says("root", "acct.old.example", "A", RCODE_NOERROR,
	     "old.example DNAME privatelink.blob.core.windows.net\n");
	expect("acct.old.example", "A",
	       "NOERROR\nacct.old.example CNAME " ACCT "\n" ACCT
	       " A 10.0.0.5\nasked acct.old.example\n");
	end();
}
END_TEST

START_TEST(others)
{
	begin(ZONE_TRANSPARENT);
	hold(ACCT, "A", "10.0.0.5");
	ready();
	says("root", "other.blob.core.windows.net", "A", RCODE_NOERROR,
	     "other.blob.core.windows.net CNAME other.privatelink.blob.core.windows.net\n"
	     "other.privatelink.blob.core.windows.net CNAME store.example\nstore.example A "
	     "20.1.2.3");
	expect("other.blob.core.windows.net", "A",
	       "NOERROR\nother.blob.core.windows.net CNAME "
	       "other.privatelink.blob.core.windows.net\n"
	       "other.privatelink.blob.core.windows.net CNAME store.example\nstore.example A "
	       "20.1.2.3\n"
	       "asked other.blob.core.windows.net\n");
	/* An NXDOMAIN of an ancestor of a held name would deny that too. */
	says("root", "core.windows.net", "A", RCODE_NXDOMAIN, "!windows.net SOA ns.example");
	expect("core.windows.net", "A", "NOERROR\n!windows.net SOA\nasked core.windows.net\n");
	says("root", "nope.example", "A", RCODE_NXDOMAIN, "!example SOA ns.example");
	expect("nope.example", "A", "NXDOMAIN\n!example SOA\nasked nope.example\n");
	expect("dead.example", "A", "SERVFAIL\nasked dead.example\n");
	/* Unfinished: asked on. */
	says("root", "half.example", "A", RCODE_NOERROR, "half.example CNAME rest.example");
	says("root", "rest.example", "A", RCODE_NOERROR, "rest.example A 20.0.0.1");
	expect("half.example", "A",
	       "NOERROR\nhalf.example CNAME rest.example\nrest.example A 20.0.0.1\n"
	       "asked half.example\nasked rest.example\n");
	end();
}
END_TEST

START_TEST(static_zone)
{
	begin(ZONE_STATIC);
	hold(ACCT, "A", "10.0.0.5");
	hold("v-asr-pod01-id1.cus.privatelink.siterecovery.windowsazure.com", "A", "10.0.0.7");
	ready();
	expect("other.privatelink.blob.core.windows.net", "A", "NXDOMAIN aa\n" SOA);
	expect("cus.privatelink.siterecovery.windowsazure.com", "A",
	       "NOERROR aa\n!privatelink.siterecovery.windowsazure.com SOA\n");
	says("root", "other.blob.core.windows.net", "A", RCODE_NOERROR,
	     "other.blob.core.windows.net CNAME other.privatelink.blob.core.windows.net\n"
	     "other.privatelink.blob.core.windows.net CNAME store.example\nstore.example A "
	     "20.1.2.3");
	expect("other.blob.core.windows.net", "A",
	       "NXDOMAIN\nother.blob.core.windows.net CNAME "
	       "other.privatelink.blob.core.windows.net\n" SOA
	       "asked other.blob.core.windows.net\n");
	/* Out of a static zone and back, by a record of ours. */
	end();
	begin(ZONE_STATIC);
	hold(ACCT, "A", "10.0.0.5");
	hold("alias.privatelink.blob.core.windows.net", "CNAME", "out.example");
	ready();
	says("root", "out.example", "A", RCODE_NOERROR,
	     "out.example CNAME acct.blob.core.windows.net");
	expect("alias.blob.core.windows.net", "A",
	       "NOERROR aa\nalias.blob.core.windows.net CNAME "
	       "alias.privatelink.blob.core.windows.net\n"
	       "alias.privatelink.blob.core.windows.net CNAME out.example\n"
	       "out.example CNAME acct.blob.core.windows.net\n"
	       "acct.blob.core.windows.net CNAME " ACCT "\n" ACCT
	       " A 10.0.0.5\nasked out.example\n");
	end();
}
END_TEST

START_TEST(refuse_zone)
{
	begin(ZONE_REFUSE);
	hold(ACCT, "A", "10.0.0.5");
	ready();
	expect("other.privatelink.blob.core.windows.net", "A", "REFUSED\n");
	says("root", "q.example", "A", RCODE_NOERROR,
	     "q.example CNAME other.privatelink.blob.core.windows.net");
	expect("q.example", "A", "SERVFAIL\nasked q.example\n");
	end();
}
END_TEST

/* A group speaks for its own suffix alone. */
START_TEST(groups)
{
	begin(ZONE_TRANSPARENT);
	hold(ACCT, "A", "10.0.0.5");
	ready();
	says("corp", "www.corp.example", "A", RCODE_NOERROR,
	     "www.corp.example CNAME www.example\nwww.example A 6.6.6.6");
	says("root", "www.example", "A", RCODE_NOERROR, "www.example A 20.0.0.2");
	expect("www.corp.example", "A",
	       "NOERROR\nwww.corp.example CNAME www.example\n"
	       "www.example A 20.0.0.2\nasked! www.corp.example\nasked www.example\n");
	says("root", "in.example", "A", RCODE_NOERROR,
	     "in.example CNAME host.corp.example\nhost.corp.example A 6.6.6.6");
	says("corp", "host.corp.example", "A", RCODE_NOERROR, "host.corp.example A 10.9.9.9");
	expect("in.example", "A",
	       "NOERROR\nin.example CNAME host.corp.example\n"
	       "host.corp.example A 10.9.9.9\nasked in.example\nasked! host.corp.example\n");
	end();
}
END_TEST

START_TEST(aliases)
{
	begin(ZONE_TRANSPARENT);
	hold(ACCT, "A", "10.0.0.5");
	hold("dc.lab.test", "A", "10.0.0.9");
	ready();
	says("root", "a.example", "A", RCODE_NOERROR,
	     "a.example CNAME " ACCT "\n" ACCT " CNAME x.example\nx.example A 20.1.1.1");
	says("root", "b.example", "A", RCODE_NOERROR,
	     "b.example CNAME dc.lab.test\ndc.lab.test A 20.2.2.2");
	expect("b.example", "A",
	       "NOERROR\nb.example CNAME dc.lab.test\ndc.lab.test A 20.2.2.2\n"
	       "asked b.example\n");
	view->aliases = VIEW_ALIASES_OWN;
	expect("a.example", "A",
	       "NOERROR\na.example CNAME " ACCT "\n" ACCT
	       " CNAME x.example\nx.example A 20.1.1.1\nasked a.example\n");
	view->aliases = VIEW_ALIASES_LIST;
	ck_assert_int_eq(patterns_add_zone(view->alias_zones, "contoso.example", NULL), 0);
	expect("a.example", "A",
	       "NOERROR\na.example CNAME " ACCT "\n" ACCT
	       " CNAME x.example\nx.example A 20.1.1.1\nasked a.example\n");
	ck_assert_int_eq(patterns_add_zone(view->alias_zones, "a.example", NULL), 0);
	expect("a.example", "A",
	       "NOERROR\na.example CNAME " ACCT "\n" ACCT " A 10.0.0.5\nasked a.example\n");
	end();
}
END_TEST

START_TEST(must_be_private)
{
	begin(ZONE_TRANSPARENT);
	hold("contoso1.blob.core.windows.net", "A", "10.0.0.5");
	ready();
	ck_assert_int_eq(patterns_add(view->must_be_private, view->zones,
				      "contoso*.blob.core.windows.net", NULL),
			 0);
	expect("contoso1.blob.core.windows.net", "CNAME",
	       "NOERROR aa\ncontoso1.blob.core.windows.net CNAME "
	       "contoso1.privatelink.blob.core.windows.net\n");
	expect("contoso2.blob.core.windows.net", "A", "SERVFAIL\n");
	expect("contoso2.privatelink.blob.core.windows.net", "A", "SERVFAIL\n");
	says("root", "x.example", "A", RCODE_NOERROR,
	     "x.example CNAME contoso2.blob.core.windows.net\ncontoso2.blob.core.windows.net A "
	     "20.1.1.1");
	expect("x.example", "A", "SERVFAIL\nasked x.example\n");
	end();
}
END_TEST

START_TEST(long_chains_and_loops)
{
	char records[2048] = "", line[128], want[2048] = "NOERROR\n";
	int i;

	begin(ZONE_TRANSPARENT);
	hold(ACCT, "A", "10.0.0.5");
	ready();
	for (i = 0; i < 16; i++) {
		sprintf(line, "c%d.example CNAME c%d.example\n", i, i + 1);
		strcat(records, line);
		strcat(want, line);
	}
	strcat(records, "c16.example A 20.0.0.1\n");
	strcat(want, "c16.example A 20.0.0.1\nasked c0.example\n");
	says("root", "c0.example", "A", RCODE_NOERROR, records);
	expect("c0.example", "A", want);
	strcpy(records, "d.example CNAME c0.example\n");
	says("root", "d.example", "A", RCODE_NOERROR, records);
	expect("d.example", "A", "SERVFAIL\nasked d.example\nasked c0.example\n");
	says("root", "l.example", "A", RCODE_NOERROR,
	     "l.example CNAME m.example\nm.example CNAME l.example");
	expect("l.example", "A", "SERVFAIL\nasked l.example\n");
	says("root", "s.example", "A", RCODE_NOERROR, "s.example CNAME s.example");
	expect("s.example", "A", "SERVFAIL\nasked s.example\n");
	end();
}
END_TEST

START_TEST(special_names)
{
	begin(ZONE_TRANSPARENT);
	hold(ACCT, "A", "10.0.0.5");
	ready();
	expect("localhost", "A", "NOERROR aa\nlocalhost A 127.0.0.1\n");
	expect("a.localhost", "AAAA", "NOERROR aa\na.localhost AAAA ::1\n");
	expect("localhost", "MX", "NOERROR aa\n!localhost SOA\n");
	expect("x.invalid", "A", "NXDOMAIN aa\n!invalid SOA\n");
	expect("x.onion", "A", "NXDOMAIN aa\n!onion SOA\n");
	expect("_dns.resolver.arpa", "SVCB", "NOERROR aa\n!resolver.arpa SOA\n");
	expect("9.0.0.10.in-addr.arpa", "PTR", "NXDOMAIN aa\n!10.in-addr.arpa SOA\n");
	/* But above what is held it exists, whoever says what. */
	expect("0.0.10.in-addr.arpa", "PTR", "NOERROR aa\n!10.in-addr.arpa SOA\n");
	expect("0.10.in-addr.arpa", "NS", "NOERROR aa\n!10.in-addr.arpa SOA\n");
	expect("1.10.in-addr.arpa", "NS", "NXDOMAIN aa\n!10.in-addr.arpa SOA\n");
	expect("1.1.31.172.in-addr.arpa", "PTR", "NXDOMAIN aa\n!31.172.in-addr.arpa SOA\n");
	expect("1.1.32.172.in-addr.arpa", "PTR", "SERVFAIL\nasked 1.1.32.172.in-addr.arpa\n");
	view->private_reverse_upstream = true;
	expect("9.0.0.10.in-addr.arpa", "PTR", "SERVFAIL\nasked 9.0.0.10.in-addr.arpa\n");
	says("", "0.0.10.in-addr.arpa", "NS", RCODE_NXDOMAIN, "!10.in-addr.arpa SOA ns.example\n");
	expect("0.0.10.in-addr.arpa", "NS",
	       "NOERROR\n!10.in-addr.arpa SOA\nasked 0.0.10.in-addr.arpa\n");
	view->listen = calloc(1, sizeof(*view->listen));
	view->listen_count = 1;
	ck_assert_int_eq(addr_parse(&view->listen[0], "10.0.0.53", 53), 0);
	expect("53.0.0.10.in-addr.arpa", "PTR",
	       "NOERROR aa\n53.0.0.10.in-addr.arpa PTR privlinkd.resolver.arpa\n");
	end();
}
END_TEST

/* What is past its time is told as such, unless none of it is in the answer. */
START_TEST(stale_replies)
{
	begin(ZONE_TRANSPARENT);
	hold(ACCT, "A", "10.0.0.5");
	ready();
	says("", "a.example", "A", RCODE_NOERROR, "a.example A 192.0.2.1\n");
	scripts[0].stale = true;
	says("", "nx.example", "A", RCODE_NXDOMAIN, "!example SOA ns.example\n");
	scripts[1].stale = true;
	says("", "to.example", "A", RCODE_NOERROR, "to.example CNAME acct.blob.core.windows.net\n");
	scripts[2].stale = true;
	says("", "on.example", "A", RCODE_NOERROR, "on.example CNAME a.corp.example\n");
	scripts[3].stale = true;
	says("corp", "a.corp.example", "A", RCODE_NOERROR, "a.corp.example A 192.0.2.2\n");
	says("", "blob.core.windows.net", "A", RCODE_NXDOMAIN,
	     "!core.windows.net SOA ns.example\n");
	scripts[5].stale = true;
	says("", "off.example", "A", RCODE_NOERROR, "off.example CNAME silent.corp.example\n");
	scripts[6].stale = true;

	expect("a.example", "A", "NOERROR\na.example A 192.0.2.1\nasked a.example\n");
	ck_assert(last_plan.stale && !last_plan.ad);
	ck_assert_int_eq(last_plan.ede, EDE_STALE_ANSWER);
	ck_assert_int_eq(last_plan.ede_more, EDE_NETWORK_ERROR);
	ck_assert_int_eq(last_plan.failed_reply, -1);
	expect("nx.example", "A", "NXDOMAIN\n!example SOA\nasked nx.example\n");
	ck_assert_int_eq(last_plan.ede, EDE_STALE_NXDOMAIN);
	/* An old link, and what is at its end of today. */
	expect("to.example", "A",
	       "NOERROR\nto.example CNAME acct.blob.core.windows.net\n"
	       "acct.blob.core.windows.net CNAME " ACCT "\n" ACCT
	       " A 10.0.0.5\nasked to.example\n");
	ck_assert(last_plan.stale && last_plan.cut);
	expect("on.example", "A",
	       "NOERROR\non.example CNAME a.corp.example\na.corp.example A 192.0.2.2\n"
	       "asked on.example\nasked! a.corp.example\n");
	ck_assert(last_plan.stale && !last_plan.ad);
	/* Above a held name nothing is denied, of old neither. */
	expect("blob.core.windows.net", "A",
	       "NOERROR\n!core.windows.net SOA\nasked blob.core.windows.net\n");
	ck_assert_int_eq(last_plan.ede, EDE_STALE_ANSWER);
	/* A failure says why it is one, and which reply it is. */
	expect("off.example", "A", "SERVFAIL\nasked off.example\nasked! silent.corp.example\n");
	ck_assert(!last_plan.stale);
	ck_assert_int_eq(last_plan.ede, EDE_NO_REACHABLE_AUTHORITY);
	ck_assert_int_eq(last_plan.ede_more, EDE_NONE);
	ck_assert_int_eq(last_plan.failed_reply, 1);
	/* What is held knows nothing of it. */
	expect("acct.blob.core.windows.net", "A",
	       "NOERROR aa\nacct.blob.core.windows.net CNAME " ACCT "\n" ACCT " A 10.0.0.5\n");
	ck_assert(!last_plan.stale);
	ck_assert_int_eq(last_plan.ede, EDE_NONE);
	end();
}
END_TEST

START_TEST(site_recovery)
{
	begin(ZONE_TRANSPARENT);
	hold("v-asr-pod01-id1.cus.privatelink.siterecovery.windowsazure.com", "A", "10.0.0.7");
	ready();
	expect("v-asr-pod01-id1-.cus.siterecovery.windowsazure.com", "A",
	       "NOERROR aa\nv-asr-pod01-id1-.cus.siterecovery.windowsazure.com CNAME "
	       "v-asr-pod01-id1.cus.privatelink.siterecovery.windowsazure.com\n"
	       "v-asr-pod01-id1.cus.privatelink.siterecovery.windowsazure.com A 10.0.0.7\n");
	expect("v-asr-pod01-id1-.cus.privatelink.siterecovery.windowsazure.com", "A",
	       "NOERROR aa\nv-asr-pod01-id1-.cus.privatelink.siterecovery.windowsazure.com CNAME "
	       "v-asr-pod01-id1.cus.privatelink.siterecovery.windowsazure.com\n"
	       "v-asr-pod01-id1.cus.privatelink.siterecovery.windowsazure.com A 10.0.0.7\n");
	end();
}
END_TEST

static Suite *step_suite(void)
{
	Suite *suite = suite_create("step");
	TCase *tcase = tcase_create("step");

	tcase_add_test(tcase, held_names);
	tcase_add_test(tcase, apex);
	tcase_add_test(tcase, cut);
	tcase_add_test(tcase, cut_in_any_order_and_through_dname);
	tcase_add_test(tcase, others);
	tcase_add_test(tcase, static_zone);
	tcase_add_test(tcase, refuse_zone);
	tcase_add_test(tcase, groups);
	tcase_add_test(tcase, aliases);
	tcase_add_test(tcase, must_be_private);
	tcase_add_test(tcase, long_chains_and_loops);
	tcase_add_test(tcase, special_names);
	tcase_add_test(tcase, stale_replies);
	tcase_add_test(tcase, site_recovery);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(step_suite)
