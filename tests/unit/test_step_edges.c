/* SPDX-License-Identifier: MIT */
/* The decision at its edges, and against those who want it to go wrong; see stepkit.h. */
#include "unit/stepkit.h"
#include "unit/unit.h"

/* What is held below or at a name exists, whoever says otherwise (RFC 8020). */
START_TEST(no_denial_of_what_is_held)
{
	begin(ZONE_TRANSPARENT);
	hold("privatelink.blob.core.windows.net", "TXT", "apex");
	hold(ACCT, "A", "10.0.0.5");
	hold("db.lab.invalid", "A", "10.0.0.8");
	hold("7.0.0.10.in-addr.arpa", "PTR", "seven.example");
	ready();
	expect("lab.invalid", "A", "NOERROR aa\n!invalid SOA\n");
	expect("x.lab.invalid", "A", "NXDOMAIN aa\n!invalid SOA\n");
	expect("0.0.10.in-addr.arpa", "NS", "NOERROR aa\n!10.in-addr.arpa SOA\n");
	says("root", "privatelink.blob.core.windows.net", "DS", RCODE_NXDOMAIN,
	     "!windows.net SOA ns.example");
	expect("privatelink.blob.core.windows.net", "DS",
	       "NOERROR\n!windows.net SOA\nasked privatelink.blob.core.windows.net\n");
	/* Not even in a chain that may not lead here. */
	view->aliases = VIEW_ALIASES_OWN;
	says("root", "a.example", "A", RCODE_NXDOMAIN, "a.example CNAME " ACCT "\n" SOA_LINE);
	expect("a.example", "A", "NOERROR\na.example CNAME " ACCT "\n" SOA "asked a.example\n");
	end();
}
END_TEST

START_TEST(apex_any)
{
	static const enum zone_type types[] = { ZONE_TRANSPARENT, ZONE_STATIC, ZONE_REFUSE };
	size_t i;

	for (i = 0; i < 3; i++) {
		begin(types[i]);
		hold(ACCT, "A", "10.0.0.5");
		ready();
		expect("privatelink.blob.core.windows.net", "ANY",
		       "NOERROR aa\nprivatelink.blob.core.windows.net SOA\n");
		expect("PrivateLink.Blob.core.windows.net", "SOA",
		       "NOERROR aa\nPrivateLink.Blob.core.windows.net SOA\n");
		says("root", "up.example", "SOA", RCODE_NOERROR,
		     "up.example CNAME privatelink.blob.core.windows.net");
		expect("up.example", "SOA",
		       "NOERROR\nup.example CNAME privatelink.blob.core.windows.net\n"
		       "privatelink.blob.core.windows.net SOA\nasked up.example\n");
		expect("up.example", "NS",
		       "NOERROR\nup.example CNAME privatelink.blob.core.windows.net\n" SOA
		       "asked up.example\n");
		end();
	}
}
END_TEST

START_TEST(apex_of_other_types)
{
	begin(ZONE_STATIC);
	hold(ACCT, "A", "10.0.0.5");
	ready();
	expect("privatelink.blob.core.windows.net", "A", "NOERROR aa\n" SOA);
	end();
	begin(ZONE_TRANSPARENT);
	ready();
	says("root", "privatelink.blob.core.windows.net", "A", RCODE_NXDOMAIN,
	     "!windows.net SOA ns.example");
	expect("privatelink.blob.core.windows.net", "A",
	       "NOERROR\n!windows.net SOA\nasked privatelink.blob.core.windows.net\n");
	end();
}
END_TEST

/* A DNAME is worth something from the group that its owner belongs to, and what denies the rest of
 * a chain goes with it. */
START_TEST(dnssec_of_others)
{
	begin(ZONE_TRANSPARENT);
	hold(ACCT, "A", "10.0.0.5");
	ready();
	with_do = true;
	says("root", "n.old.example", "A", RCODE_NOERROR,
	     "old.example DNAME new.example\nn.new.example A 20.1.1.1\n!n.new.example NSEC "
	     "z.example");
	expect("n.old.example", "A",
	       "NOERROR\nold.example DNAME new.example\n"
	       "n.old.example CNAME n.new.example\nn.new.example A 20.1.1.1\n!n.new.example NSEC\n"
	       "asked n.old.example\n");
	says("corp", "www.corp.example", "A", RCODE_NOERROR,
	     "example DNAME evil.test\nwww.corp.evil.test A 6.6.6.6\n");
	says("root", "www.corp.evil.test", "A", RCODE_NOERROR, "www.corp.evil.test A 20.1.1.2");
	expect("www.corp.example", "A",
	       "NOERROR\nwww.corp.example CNAME www.corp.evil.test\n"
	       "www.corp.evil.test A 20.1.1.2\nasked! www.corp.example\nasked "
	       "www.corp.evil.test\n");
	says("root", "in.example", "A", RCODE_NXDOMAIN,
	     "in.example CNAME host.corp.example\n!corp.example SOA ns.example\n"
	     "!corp.example NSEC x.corp.example");
	says("corp", "host.corp.example", "A", RCODE_NOERROR, "host.corp.example A 10.9.9.9");
	expect("in.example", "A",
	       "NOERROR\nin.example CNAME host.corp.example\n"
	       "host.corp.example A 10.9.9.9\nasked in.example\nasked! host.corp.example\n");
	/* A wildcard's proof stays where the chain goes on with us. */
	says("root", "w.example", "A", RCODE_NOERROR,
	     "w.example CNAME acct.blob.core.windows.net\n!a.example NSEC z.example");
	expect("w.example", "A",
	       "NOERROR\nw.example CNAME acct.blob.core.windows.net\n"
	       "acct.blob.core.windows.net CNAME " ACCT "\n" ACCT " A 10.0.0.5\n!a.example NSEC\n"
	       "asked w.example\n");
	end();
}
END_TEST

/* A DNAME above what we hold would lead whoever keeps it past that (RFC 6672 3.4). */
START_TEST(dname_above_held)
{
	begin(ZONE_TRANSPARENT);
	hold(ACCT, "A", "10.0.0.5");
	ready();
	with_do = true;
	says("root", "x.core.windows.net", "A", RCODE_NOERROR,
	     "core.windows.net DNAME evil.test\nx.evil.test A 20.1.1.1");
	expect("x.core.windows.net", "A",
	       "NOERROR\nx.core.windows.net CNAME x.evil.test\nx.evil.test A 20.1.1.1\n"
	       "asked x.core.windows.net\n");
	says("root", "y.core.windows.net", "CNAME", RCODE_NOERROR,
	     "core.windows.net DNAME evil.test");
	expect("y.core.windows.net", "CNAME",
	       "NOERROR\ny.core.windows.net CNAME y.evil.test\nasked y.core.windows.net\n");
	end();
}
END_TEST

START_TEST(chains_into_special_names)
{
	begin(ZONE_TRANSPARENT);
	hold(ACCT, "A", "10.0.0.5");
	ready();
	says("root", "a.example", "A", RCODE_NOERROR,
	     "a.example CNAME localhost\nlocalhost A 6.6.6.6");
	expect("a.example", "A",
	       "NOERROR\na.example CNAME localhost\nlocalhost A 127.0.0.1\nasked a.example\n");
	says("root", "b.example", "A", RCODE_NOERROR, "b.example CNAME x.onion\nx.onion A 6.6.6.6");
	expect("b.example", "A",
	       "NXDOMAIN\nb.example CNAME x.onion\n!onion SOA\nasked b.example\n");
	says("root", "1.0.9.9.in-addr.arpa", "PTR", RCODE_NOERROR,
	     "1.0.9.9.in-addr.arpa CNAME 5.0.0.10.in-addr.arpa\n5.0.0.10.in-addr.arpa PTR "
	     "evil.example");
	expect("1.0.9.9.in-addr.arpa", "PTR",
	       "NOERROR\n1.0.9.9.in-addr.arpa CNAME 5.0.0.10.in-addr.arpa\n!10.in-addr.arpa SOA\n"
	       "asked 1.0.9.9.in-addr.arpa\n");
	expect("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa", "PTR",
	       "NOERROR "
	       "aa\n!1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa "
	       "SOA\n");
	expect("0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa", "PTR",
	       "NOERROR "
	       "aa\n!0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa "
	       "SOA\n");
	end();
}
END_TEST

START_TEST(wildcards)
{
	begin(ZONE_STATIC);
	hold("*.blob.core.windows.net", "A", "10.0.0.1");
	hold("a.b.blob.core.windows.net", "A", "10.0.0.2");
	ready();
	expect("x.blob.core.windows.net", "A",
	       "NOERROR aa\nx.blob.core.windows.net CNAME x.privatelink.blob.core.windows.net\n"
	       "x.privatelink.blob.core.windows.net A 10.0.0.1\n");
	expect("X.y.blob.core.windows.net", "AAAA",
	       "NOERROR aa\nX.y.blob.core.windows.net CNAME "
	       "x.y.privatelink.blob.core.windows.net\n" SOA);
	expect("b.privatelink.blob.core.windows.net", "A", "NOERROR aa\n" SOA);
	expect("c.b.privatelink.blob.core.windows.net", "A", "NXDOMAIN aa\n" SOA);
	says("root", "b.blob.core.windows.net", "A", RCODE_NXDOMAIN,
	     "!core.windows.net SOA ns.example");
	expect("b.blob.core.windows.net", "A",
	       "NOERROR\n!core.windows.net SOA\nasked b.blob.core.windows.net\n");
	expect("1.0.0.10.in-addr.arpa", "PTR", "NXDOMAIN aa\n!10.in-addr.arpa SOA\n");
	end();
}
END_TEST

START_TEST(denied_but_must_be_private)
{
	begin(ZONE_TRANSPARENT);
	hold(ACCT, "A", "10.0.0.5");
	ready();
	view->aliases = VIEW_ALIASES_OWN;
	ck_assert_int_eq(patterns_add(view->must_be_private, view->zones,
				      "acct.blob.core.windows.net", NULL),
			 0);
	says("root", "a.example", "A", RCODE_NOERROR,
	     "a.example CNAME acct.blob.core.windows.net\n"
	     "acct.blob.core.windows.net A 20.1.1.1");
	expect("a.example", "A", "SERVFAIL\nasked a.example\n");
	expect("acct.blob.core.windows.net", "A",
	       "NOERROR aa\nacct.blob.core.windows.net CNAME " ACCT "\n" ACCT " A 10.0.0.5\n");
	end();
}
END_TEST

/* Every name of another group, each reply with a proof: the fullest plan there is. */
START_TEST(fullest_plan)
{
	char records[400], line[256], want[4096] = "NOERROR\n", asked[2048] = "", proofs[2048] = "";
	static const char *const zone[] = { "example", "corp.example" };
	char from[64], to[64];
	int i;

	begin(ZONE_TRANSPARENT);
	hold(ACCT, "A", "10.0.0.5");
	ready();
	with_do = true;
	for (i = 0; i < 16; i++) {
		sprintf(from, "c%d.%s", i, zone[i % 2]);
		sprintf(to, "c%d.%s", i + 1, zone[(i + 1) % 2]);
		sprintf(line, "%s CNAME %s\n", from, i < 15 ? to : ACCT);
		sprintf(records, "%s!n%d.example NSEC z.example\n", line, i);
		says(i % 2 ? "corp" : "root", from, "A", RCODE_NOERROR, records);
		strcat(want, line);
		sprintf(line, "!n%d.example NSEC\n", i);
		strcat(proofs, line);
		sprintf(line, "asked%s %s\n", i % 2 ? "!" : "", from);
		strcat(asked, line);
	}
	strcat(want, ACCT " A 10.0.0.5\n");
	strcat(want, proofs);
	strcat(want, asked);
	expect("c0.example", "A", want);
	end();
}
END_TEST

/* A name of a known vault that is not held is noted, in either form, whatever the zone's type;
 * others are not. */
START_TEST(vault_names)
{
	static const struct {
		const char *name;
		bool noted;
	} cases[] = {
		{ "v-asr-pod01-tel1.cus.privatelink.siterecovery.windowsazure.com", true },
		{ "V-asr-pod01-tel1-.scus.siterecovery.windowsazure.com", true },
		{ "v-asr-pod01-id1.cus.siterecovery.windowsazure.com", false },
		{ "w-asr-pod01-id1.cus.privatelink.siterecovery.windowsazure.com", false },
		{ "-asr-pod01-id1.cus.privatelink.siterecovery.windowsazure.com", false },
		{ "v-asr-pod01-id1.blob.core.windows.net", false },
	};
	static struct step_replies replies;
	static struct plan plan;
	static struct step_ask ask;
	struct step_question question = { .type = TYPE_A };
	struct name name;
	size_t i;

	begin(ZONE_TRANSPARENT);
	hold("v-asr-pod01-id1.cus.privatelink.siterecovery.windowsazure.com", "A", "10.0.0.7");
	ready();
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		name_of(&name, cases[i].name);
		question.name = &name;
		replies.count = 0;
		while (resolve_step(view, &replies, &question, &plan, &ask, NULL) == STEP_ASK)
			add_reply(&replies, &ask, TYPE_A);
		ck_assert_msg(plan.vault_name == cases[i].noted, "%s", cases[i].name);
	}
	end();
}
END_TEST

/* A public name whose private form would be longer than a name may be, the longest and the
 * shortest. */
START_TEST(odd_names)
{
	static char longest[260], part[64];
	char want[600];
	int i;

	memset(part, 'a', 63);
	for (i = 0; i < 3; i++) {
		strcat(longest, part);
		strcat(longest, ".");
	}
	part[39] = '\0';
	strcat(longest, part);
	strcat(longest, ".blob.core.windows.net");
	begin(ZONE_STATIC);
	hold("*.blob.core.windows.net", "A", "10.0.0.1");
	ready();
	says("root", longest, "A", RCODE_NXDOMAIN, "!core.windows.net SOA ns.example");
	sprintf(want, "NXDOMAIN\n!core.windows.net SOA\nasked %s\n", longest);
	expect(longest, "A", want);
	says("root", ".", "A", RCODE_NOERROR, "!. SOA ns.example");
	expect(".", "A", "NOERROR\n!. SOA\nasked .\n");
	says("root", "windows.net", "A", RCODE_NXDOMAIN, "");
	expect("windows.net", "A", "NOERROR\nasked windows.net\n");
	end();
}
END_TEST

/* The DS of a zone is its parent's to tell, whoever is asked about the zone (RFC 4035 3.1.4.1). */
START_TEST(ds_is_the_parents)
{
	begin(ZONE_TRANSPARENT);
	ready();
	says("corp", "corp.example", "DS", RCODE_NOERROR, "!corp.example SOA ns.example");
	says("root", "corp.example", "DS", RCODE_NOERROR, "!example SOA ns.example");
	expect("corp.example", "DS", "NOERROR\n!example SOA\nasked corp.example\n");
	says("corp", "sub.corp.example", "DS", RCODE_NOERROR, "!corp.example SOA ns.example");
	expect("sub.corp.example", "DS", "NOERROR\n!corp.example SOA\nasked! sub.corp.example\n");
	says("corp", "corp.example", "DNSKEY", RCODE_NOERROR, "!corp.example SOA ns.example");
	expect("corp.example", "DNSKEY", "NOERROR\n!corp.example SOA\nasked! corp.example\n");
	says("root", ".", "DS", RCODE_NOERROR, "!. SOA ns.example");
	expect(".", "DS", "NOERROR\n!. SOA\nasked .\n");
	end();
}
END_TEST

static Suite *step_edges_suite(void)
{
	Suite *suite = suite_create("step_edges");
	TCase *tcase = tcase_create("step_edges");

	tcase_add_test(tcase, no_denial_of_what_is_held);
	tcase_add_test(tcase, apex_any);
	tcase_add_test(tcase, apex_of_other_types);
	tcase_add_test(tcase, dnssec_of_others);
	tcase_add_test(tcase, dname_above_held);
	tcase_add_test(tcase, chains_into_special_names);
	tcase_add_test(tcase, wildcards);
	tcase_add_test(tcase, denied_but_must_be_private);
	tcase_add_test(tcase, fullest_plan);
	tcase_add_test(tcase, vault_names);
	tcase_add_test(tcase, odd_names);
	tcase_add_test(tcase, ds_is_the_parents);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(step_edges_suite)
