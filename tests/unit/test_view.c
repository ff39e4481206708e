/* SPDX-License-Identifier: MIT */
/* Name patterns: stars within labels, leading stars, zones, and both forms of a private-link
 * name. */
#include <stdio.h>
#include <string.h>

#include "resolve/view.h"
#include "unit/unit.h"

static struct zones *zones;
static struct patterns *patterns;

static void setup(void)
{
	zones = zones_new();
	ck_assert_int_eq(zones_add_preset(zones, "azure-migrate", ZONE_TRANSPARENT, NULL), 0);
	ck_assert_int_eq(zones_seal(zones, NULL), 0);
	patterns = patterns_new();
}

static void teardown(void)
{
	patterns_free(patterns);
	zones_free(zones);
}

static bool match(const char *text)
{
	struct name name;

	ck_assert_int_eq(name_from_text(&name, text, strlen(text)), 0);
	return patterns_match(patterns, zones, &name);
}

START_TEST(stars_within_a_label)
{
	ck_assert_int_eq(patterns_add(patterns, zones, "con*so*.Example", NULL), 0);
	ck_assert(match("CONTOSO.example"));
	ck_assert(match("conso.example"));
	ck_assert(match("conso-so1.example"));
	ck_assert(!match("cons.example"));
	ck_assert(!match("contoso.x.example"));
	ck_assert(!match("x.contoso.example"));
	ck_assert(!match("contoso.example.net"));
	/* Many stars do not take more than the square of a label's length. */
	ck_assert_int_eq(patterns_add(patterns, zones, "*a*a*a*a*a*a*a*a*b.example", NULL), 0);
	ck_assert(
		!match("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example"));
}
END_TEST

START_TEST(leading_star)
{
	ck_assert_int_eq(patterns_add(patterns, zones, "*.lab.test", NULL), 0);
	ck_assert(match("a.lab.test"));
	ck_assert(match("b.a.lab.test"));
	ck_assert(!match("lab.test"));
	ck_assert(!match("alab.test"));
}
END_TEST

START_TEST(zone_and_below)
{
	ck_assert_int_eq(patterns_add_zone(patterns, "contoso.example", NULL), 0);
	ck_assert(match("contoso.example"));
	ck_assert(match("a.b.contoso.example"));
	ck_assert(!match("example"));
}
END_TEST

START_TEST(both_forms)
{
	ck_assert_int_eq(patterns_add(patterns, zones, "contoso*.blob.core.windows.net", NULL), 0);
	ck_assert_int_eq(patterns_add(patterns, zones, "kv.privatelink.vaultcore.azure.net", NULL),
			 0);
	ck_assert(match("contoso1.blob.core.windows.net"));
	ck_assert(match("contoso1.privatelink.blob.core.windows.net"));
	ck_assert(match("contoso1.z20.blob.storage.azure.net"));
	ck_assert(match("kv.vault.azure.net"));
	ck_assert(match("kv.vaultcore.azure.net"));
	ck_assert(!match("kv2.vaultcore.azure.net"));
	ck_assert(!match("fabrikam.blob.core.windows.net"));
}
END_TEST

START_TEST(bad_and_many)
{
	struct err err;
	char text[64];
	int i;

	ck_assert_int_eq(patterns_add(patterns, zones, "a..b", &err), -1);
	ck_assert_str_eq(err.text, "\"a..b\" is no domain name");
	for (i = 0; i < VIEW_PATTERNS_MAX; i++) {
		sprintf(text, "h%d.example", i);
		ck_assert_int_eq(patterns_add(patterns, zones, text, &err), 0);
	}
	ck_assert_int_eq(patterns_add(patterns, zones, "more.example", &err), -1);
	ck_assert(match("h9999.example"));
	ck_assert(!match("more.example"));
	ck_assert(!patterns_match(NULL, zones, &(struct name){ .labels = 0 }));
}
END_TEST

static Suite *view_suite(void)
{
	Suite *suite = suite_create("view");
	TCase *tcase = tcase_create("patterns");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, stars_within_a_label);
	tcase_add_test(tcase, leading_star);
	tcase_add_test(tcase, zone_and_below);
	tcase_add_test(tcase, both_forms);
	tcase_add_test(tcase, bad_and_many);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(view_suite)
