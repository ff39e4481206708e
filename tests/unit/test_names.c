/* SPDX-License-Identifier: MIT */
/*
 * The zone table: every row of the built-in one in both directions, then the odd ones by hand.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "unit/unit.h"
#include "zone/names.h"

static struct name name_of(const char *text)
{
	struct name name;

	ck_assert_msg(name_from_text(&name, text, strlen(text)) == 0, "%s", text);
	return name;
}

static const char *text_of(const struct name *name)
{
	static char text[4][NAME_TEXT_MAX];
	static unsigned at;

	at = (at + 1) % 4;
	name_to_text(name->wire, text[at]);
	return text[at];
}

/* What is composed must be prepared exactly as if it had been read. */
static void check_prepared(const struct name *name)
{
	struct name again;
	unsigned i;

	ck_assert_int_eq(name_from_wire(&again, name->wire, name->len), 0);
	ck_assert_uint_eq(again.len, name->len);
	ck_assert_uint_eq(again.labels, name->labels);
	ck_assert_mem_eq(again.fold, name->fold, name->len);
	ck_assert_mem_eq(again.at, name->at, name->labels + 1u);
	for (i = 0; i <= name->labels; i++)
		ck_assert_uint_eq(again.hash[i], name->hash[i]);
	for (i = 0; i < name->labels; i++)
		ck_assert_uint_eq(again.label_hash[i], name->label_hash[i]);
}

static struct zones *preset(const char *which)
{
	struct zones *zones = zones_new();
	struct err err;

	ck_assert_ptr_nonnull(zones);
	ck_assert_msg(zones_add_preset(zones, which, ZONE_STATIC, &err) == 0, "%s", err.text);
	ck_assert_int_eq(zones_seal(zones, &err), 0);
	return zones;
}

/*
 * A zone's text with each word in braces replaced by a label made from it: {region} becomes
 * x-region.
 */
static void fill_in(const char *text, char *out)
{
	for (; *text; text++) {
		if (*text == '{')
			out += sprintf(out, "x-");
		else if (*text != '}')
			*out++ = (char)tolower((unsigned char)*text);
	}
	*out = '\0';
}

/* The private forms of a name, joined by spaces, in order. */
static const char *forms_of(const struct zones *zones, const char *text)
{
	static char all[4096];
	struct zone_form forms[ZONE_FORMS_MAX];
	struct name name = name_of(text), form;
	unsigned n = zones_private_forms(zones, &name, forms), i;

	all[0] = '\0';
	for (i = 0; i < n; i++) {
		ck_assert_int_eq(zones_private_form(zones, &name, &forms[i], &form), 0);
		check_prepared(&form);
		sprintf(all + strlen(all), "%s%s", i ? " " : "", text_of(&form));
	}
	return all;
}

static const char *publics_of(const struct zones *zones, const char *text)
{
	static char all[4096];
	struct name name = name_of(text), form;
	size_t i;

	all[0] = '\0';
	for (i = 0; zones_public_form(zones, &name, i, &form) == 0; i++) {
		check_prepared(&form);
		sprintf(all + strlen(all), "%s%s", i ? " " : "", text_of(&form));
	}
	return all;
}

static const char *record_form_of(const struct zones *zones, const char *text, bool *ambiguous)
{
	struct name name = name_of(text), form;
	struct zone_place place;

	ck_assert_int_eq(zones_place(zones, &name, &form, &place), 0);
	*ambiguous = place.ambiguous;
	return place.folded ? text_of(&form) : "-";
}

static bool has_word(const char *all, const char *word)
{
	const char *at = all;
	size_t len = strlen(word);

	while ((at = strstr(at, word))) {
		if ((at == all || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
			return true;
		at += len;
	}
	return false;
}

static void check_row(const struct zones *zones, const struct zone_pair *pair, const char *prefix)
{
	char zone[512], private[1024], public[1024];
	struct zone_match match;
	struct name name;
	bool dropped;

	fill_in(pair->private, zone);
	snprintf(private, sizeof(private), "%s.%s", prefix, zone);
	fill_in(pair->public, zone);
	snprintf(public, sizeof(public), "%s.%s", prefix, zone);
	dropped = strchr(pair->public, '{') && !strchr(pair->private, '{');

	name = name_of(private);
	ck_assert_msg(zones_match_served(zones, &name, &match), "%s", private);
	ck_assert_str_eq(zones_private_text(zones, match.zone), pair->private);
	ck_assert_uint_eq(name.labels - match.apex_labels, strchr(prefix, '.') ? 2 : 1);
	ck_assert(zones_know(zones, &name));
	ck_assert_str_eq(forms_of(zones, private), "");

	ck_assert_msg(has_word(forms_of(zones, public), private), "%s -> %s, not %s", public,
		      forms_of(zones, public), private);
	ck_assert_msg(has_word(publics_of(zones, private), public) == !dropped, "%s -> %s, not %s",
		      private, publics_of(zones, private), public);
	name = name_of(public);
	ck_assert(zones_know(zones, &name));
	ck_assert(!zones_match_served(zones, &name, &match));
	name = name_of(zone);
	ck_assert(zones_know(zones, &name));
}

/* Rows of the table: private to public and back, in the preset of their cloud. */
START_TEST(test_every_row)
{
	static const char *const clouds[][2] = {
		{ "azure", "commercial" },
		{ "azure-usgov", "usgov" },
		{ "azure-china", "china" },
	};
	struct zones *zones = preset(clouds[_i][0]);
	size_t i, rows = 0;

	for (i = 0; i < zone_pairs_count; i++) {
		if (strcmp(zone_pairs[i].cloud, clouds[_i][1]) != 0 || !zone_pairs[i].private)
			continue;
		check_row(zones, &zone_pairs[i], "acct");
		rows++;
	}
	ck_assert_uint_gt(rows, 20);
	zones_free(zones);
}
END_TEST

/* With two labels a longer public zone may take the name; where none does, rows hold as well. */
START_TEST(test_two_labels)
{
	struct zones *zones = preset("azure-migrate");
	size_t i;

	for (i = 0; i < zone_pairs_count; i++)
		if (zone_preset_has("azure-migrate", &zone_pairs[i]) == 1)
			check_row(zones, &zone_pairs[i], "a-b_c-.cus");
	zones_free(zones);
}
END_TEST

START_TEST(test_table)
{
	static const char *const clouds[] = { "commercial", "usgov", "china" };
	size_t i, j, privates = 0;

	ck_assert_uint_eq(zone_pairs_count, 191);
	for (i = 0; i < zone_pairs_count; i++) {
		for (j = 0; j < 3 && strcmp(zone_pairs[i].cloud, clouds[j]) != 0; j++)
			;
		ck_assert_uint_lt(j, 3);
		if (zone_pairs[i].private) {
			ck_assert_str_ne(zone_pairs[i].private, "-");
			privates++;
		}
	}
	ck_assert_uint_eq(privates, 180);
}
END_TEST

static unsigned preset_rows(const char *which, bool with_private)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < zone_pairs_count; i++)
		if (zone_preset_has(which, &zone_pairs[i]) == 1 &&
		    (zone_pairs[i].private || !with_private))
			n++;
	return n;
}

START_TEST(test_presets)
{
	struct zones *zones = preset("azure-migrate");
	struct err err;
	size_t i;

	ck_assert_uint_eq(zones_count(zones), 4);
	ck_assert_uint_eq(preset_rows("azure-migrate", false), 6);
	ck_assert_uint_eq(preset_rows("azure-migrate-usgov", false), 5);
	ck_assert_uint_eq(preset_rows("none", false), 0);
	ck_assert_uint_eq(preset_rows("azure", false) - preset_rows("azure", true), 5);
	ck_assert_uint_eq(preset_rows("azure", false) + preset_rows("azure-usgov", false) +
				  preset_rows("azure-china", false),
			  zone_pairs_count);
	for (i = 0; zone_presets[i]; i++)
		ck_assert_int_ge(zone_preset_has(zone_presets[i], &zone_pairs[0]), 0);
	ck_assert_int_eq(zone_preset_has("azure-mars", &zone_pairs[0]), -1);
	for (i = 0; i < 4; i++)
		ck_assert_int_eq(zones_type(zones, i), ZONE_STATIC);
	zones_free(zones);

	zones = zones_new();
	ck_assert_int_eq(zones_add_preset(zones, "azure-mars", ZONE_STATIC, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "azure-mars: no such preset"));
	ck_assert_int_eq(zones_add_preset(zones, "none", ZONE_STATIC, &err), 0);
	ck_assert_int_eq(zones_seal(zones, &err), 0);
	ck_assert_uint_eq(zones_count(zones), 0);
	ck_assert_str_eq(forms_of(zones, "acct.blob.core.windows.net"), "");
	zones_free(zones);
	zones_free(NULL);
}
END_TEST

START_TEST(test_irregular)
{
	struct zones *zones = preset("azure");
	bool ambiguous;

	ck_assert_str_eq(forms_of(zones, "a.z20.blob.storage.azure.net"),
			 "a.privatelink.blob.core.windows.net");
	ck_assert_str_eq(forms_of(zones, "a.b.z20.blob.storage.azure.net"),
			 "a.b.privatelink.blob.core.windows.net");
	ck_assert_str_eq(forms_of(zones, "z20.blob.storage.azure.net"), "");
	ck_assert_str_eq(publics_of(zones, "a.privatelink.blob.core.windows.net"),
			 "a.blob.core.windows.net");
	ck_assert_str_eq(publics_of(zones, "KV.privatelink.vaultcore.azure.net"),
			 "kv.vault.azure.net kv.vaultcore.azure.net");
	ck_assert_str_eq(forms_of(zones, "w.wvd.microsoft.com"),
			 "w.privatelink-global.wvd.microsoft.com w.privatelink.wvd.microsoft.com");
	ck_assert_str_eq(record_form_of(zones, "w.wvd.microsoft.com", &ambiguous),
			 "w.privatelink.wvd.microsoft.com");
	ck_assert(ambiguous);
	ck_assert_str_eq(record_form_of(zones, "a.blob.core.windows.net", &ambiguous),
			 "a.privatelink.blob.core.windows.net");
	ck_assert(!ambiguous);
	ck_assert_str_eq(record_form_of(zones, "www.example.com", &ambiguous), "-");
	zones_free(zones);

	zones = preset("azure-usgov");
	ck_assert_str_eq(publics_of(zones, "p.privatelink.purviewstudio.azure.us"),
			 "p.purview.azure.com p.purviewstudio.azure.us");
	ck_assert_str_eq(
		forms_of(zones, "s.servicebus.usgovcloudapi.net"),
		"s.privatelink.servicebus.usgovcloudapi.net s.privatelink.servicebus.windows.us");
	zones_free(zones);
}
END_TEST

/* The longest match, private before public. */
START_TEST(test_longest)
{
	struct zones *zones = preset("azure");
	struct zone_match match;
	struct name name;

	ck_assert_str_eq(forms_of(zones, "srv.database.windows.net"),
			 "srv.privatelink.database.windows.net");
	ck_assert_str_eq(forms_of(zones, "mi.abc.database.windows.net"),
			 "mi.privatelink.abc.database.windows.net");
	/*
	 * So the two-label name below the plain zone has no public form: that one is another
	 * name's.
	 */
	ck_assert_str_eq(publics_of(zones, "mi.abc.privatelink.database.windows.net"), "");
	ck_assert_str_eq(publics_of(zones, "srv.privatelink.database.windows.net"),
			 "srv.database.windows.net");
	ck_assert_str_eq(forms_of(zones, "x.vm.azure.com"), "x.vm.privatelink.azure.com");
	ck_assert_str_eq(forms_of(zones, "x.openai.azure.com"), "x.privatelink.openai.azure.com");
	ck_assert_str_eq(forms_of(zones, "x.eus.prometheus.monitor.azure.com"),
			 "x.privatelink.eus.prometheus.monitor.azure.com");
	ck_assert_str_eq(forms_of(zones, "X.PrivateLink.Blob.Core.Windows.Net"), "");
	ck_assert_str_eq(forms_of(zones, "AcCt.BLOB.core.windows.net"),
			 "acct.privatelink.blob.core.windows.net");

	name = name_of("privatelink.westeurope.azmk8s.io");
	ck_assert(zones_match_served(zones, &name, &match));
	ck_assert_uint_eq(match.apex_labels, 4);
	name = name_of("westeurope.azmk8s.io");
	ck_assert(!zones_match_served(zones, &name, &match));
	ck_assert(zones_know(zones, &name));
	name = name_of("azmk8s.io");
	ck_assert(!zones_know(zones, &name));
	name = name_of(".");
	ck_assert(!zones_know(zones, &name));
	ck_assert(!zones_match_served(zones, &name, &match));
	zones_free(zones);
}
END_TEST

/* Words in the middle, several of them, in another order. */
START_TEST(test_braces)
{
	static const char *const public[] = { "{b}.svc.{a}.example", "{b}.{c}.{a}.old.example" };
	struct zones *zones = zones_new();
	struct zone_form forms[ZONE_FORMS_MAX];
	struct name name, form;
	struct err err;

	ck_assert_int_eq(zones_add(zones, "{a}.pl.{b}.Example", public, 2, ZONE_STATIC, &err), 0);
	ck_assert_int_eq(zones_seal(zones, &err), 0);
	ck_assert_str_eq(forms_of(zones, "x.y.bb.svc.aa.example"), "x.y.aa.pl.bb.example");
	ck_assert_str_eq(forms_of(zones, "x.bb.cc.aa.old.example"), "x.aa.pl.bb.example");
	ck_assert_str_eq(publics_of(zones, "x.y.aa.pl.bb.example"), "x.y.bb.svc.aa.example");
	ck_assert_str_eq(publics_of(zones, "aa.pl.bb.example"), "");
	ck_assert_str_eq(zones_public_text(zones, 0, 1), public[1]);
	ck_assert_uint_eq(zones_public_count(zones, 0), 2);

	name = name_of("x.aa.pl.bb.example");
	ck_assert_int_eq(zones_public_apex(zones, &name, 0, &form), 0);
	ck_assert_str_eq(text_of(&form), "bb.svc.aa.example");
	check_prepared(&form);
	ck_assert_int_eq(zones_public_apex(zones, &name, 1, &form), 0);
	ck_assert_str_eq(text_of(&form), "aa.old.example");
	ck_assert_int_eq(zones_public_apex(zones, &name, 2, &form), -1);

	name = name_of("bb.svc.aa.example");
	ck_assert_uint_eq(zones_private_forms(zones, &name, forms), 0);
	ck_assert_uint_eq(zones_apex_forms(zones, &name, forms), 1);
	ck_assert_int_eq(zones_private_form(zones, &name, &forms[0], &form), 0);
	ck_assert_str_eq(text_of(&form), "aa.pl.bb.example");
	check_prepared(&form);
	zones_free(zones);
}
END_TEST

/* A private form longer than a name may be is no form. */
START_TEST(test_too_long)
{
	struct zones *zones = preset("azure-migrate");
	struct zone_form forms[ZONE_FORMS_MAX];
	char text[400] = "";
	struct name name, form;
	struct zone_place place;
	unsigned i;

	for (i = 0; i < 115; i++)
		strcat(text, "a.");
	strcat(text, "blob.core.windows.net");
	name = name_of(text);
	ck_assert_uint_eq(zones_private_forms(zones, &name, forms), 1);
	ck_assert_int_eq(zones_private_form(zones, &name, &forms[0], &form), -1);
	ck_assert_int_eq(zones_place(zones, &name, &form, &place), -1);
	zones_free(zones);
}
END_TEST

static void check_placed_alike(const struct zones *zones, const struct name *name,
			       struct zone_placing *last)
{
	struct zone_place alone, place;
	const struct name *held;
	struct name form;
	int result = zones_place(zones, name, &form, &alone);

	ck_assert_msg(zones_place_next(zones, name, last, &held, &place) == result, "%s",
		      text_of(name));
	if (result < 0)
		return;
	ck_assert_msg(place.folded == alone.folded && place.ambiguous == alone.ambiguous &&
			      place.in_zone == alone.in_zone && place.apex == alone.apex &&
			      place.zone == alone.zone,
		      "%s", text_of(name));
	check_prepared(held);
	ck_assert_msg(name_equal(held, alone.folded ? &form : name), "%s", text_of(name));
}

/* Names in any order, with ends that mostly stay: each is placed as if it were alone. */
START_TEST(test_one_after_the_other)
{
	static const char *const firsts[] = {
		"a",
		"b",
		"acct0000001",
		"privatelink",
		"deep",
		"blob",
		"core",
		"*",
		"database",
		"B",
		"vault",
		"x-region",
		"longest-label-of-63-octets-0123456789-0123456789-0123456789-012",
	};
	static const char *const own[] = {
		"{a}.pl.{b}.example",
		"example",
		"deep.privatelink.blob.core.windows.net",
		"deep.{w}.inner.example",
		"in.inner.example",
		"b.pl.b.example",
		"z",
	};
	static const char *const own_public[] = { "{b}.svc.{a}.example",
						  "q",
						  "deeper.core.windows.net",
						  "deep.{w}.outer.example.net",
						  "svc2.outer.more.example",
						  "b.svc.example",
						  "a.z.z.z.z.z.z" };
	struct zones *zones = zones_new();
	struct zone_placing last = { .known = false };
	char tail[NAME_TEXT_MAX], text[2 * NAME_TEXT_MAX];
	size_t i, j, known = 0;
	struct name name;
	struct err err;
	unsigned round;

	for (i = 0; i < 7; i++)
		ck_assert_msg(zones_add(zones, own[i], &own_public[i], 1, ZONE_STATIC, &err) == 0,
			      "%s", err.text);
	ck_assert_int_eq(zones_add_preset(zones, "azure", ZONE_STATIC, &err), 0);
	ck_assert_int_eq(zones_seal(zones, &err), 0);
	srand(5);
	for (round = 0; round < 3000; round++) {
		if (round % 7 == 0) {
			i = (size_t)rand() % (rand() % 2 ? 7 : zones_count(zones));
			j = (size_t)rand() % zones_public_count(zones, i);
			snprintf(tail, sizeof(tail), "%s%s", rand() % 8 ? "" : "sub.",
				 rand() % 2 ? zones_private_text(zones, i)
					    : zones_public_text(zones, i, j));
			for (char *at = tail; *at; at++)
				if (*at == '{' || *at == '}')
					*at = '-';
			if (rand() % 4 == 0 && strchr(tail, '.'))
				memmove(tail, strchr(tail, '.') + 1, strlen(strchr(tail, '.')));
			if (rand() % 50 == 0)
				memset(tail, 'x', 60), memcpy(tail + 60, ".example", 9);
		}
		snprintf(text, sizeof(text), "%s.%s",
			 firsts[(size_t)rand() % (sizeof(firsts) / sizeof(*firsts))], tail);
		name = name_of(text);
		check_placed_alike(zones, &name, &last);
		known += last.known;
	}
	ck_assert_uint_gt(known, 300);
	/* The form of the one is too long, those of the others are not. */
	memset(&last, 0, sizeof(last));
	text[0] = '\0';
	for (i = 0; i < 105; i++)
		strcat(text, "a.");
	strcat(text, "blob.core.windows.net");
	for (i = 0; i < 40; i++) {
		memset(tail, 'y', 1 + i % 20);
		snprintf(tail + 1 + i % 20, sizeof(tail) - 30, ".%.900s", text);
		name = name_of(tail);
		check_placed_alike(zones, &name, &last);
	}
	zones_free(zones);
}
END_TEST

/* Filling: the same again, types, and what is refused. */
START_TEST(test_filling)
{
	static const char *const one[] = { "one.example" }, *const two[] = { "one.example",
									     "two.example" };
	static const struct {
		const char *private, *public, *says;
	} bad[] = {
		{ "a..b", NULL, "not a domain name" },
		{ "pl.{x}", NULL, "ends in a literal label" },
		{ "pl.{x}.{x}.example", NULL, "stands twice" },
		{ "pl.x{y}.example", NULL, "stand for a whole label" },
		{ "{a}.{b}.{c}.{d}.{e}.example", NULL, "more than 4 words" },
		{ "pl.{x}.example", "{y}.example", "is missing" },
		{ "pl.example", "pl.example", "its own public zone" },
		{ "pl.example", "a..b", "not a domain name" },
		{ ".", NULL, "ends in a literal label" },
		{ "pl2.{z}.example", NULL, "use the same words" },
	};
	struct zones *zones = zones_new();
	char text[32];
	const char *public = text;
	struct err err;
	size_t i;

	ck_assert_int_eq(zones_add(zones, "pl.example", one, 1, ZONE_STATIC, &err), 0);
	ck_assert_int_eq(zones_add(zones, "PL.example.", two, 2, ZONE_REFUSE, &err), 0);
	ck_assert_uint_eq(zones_count(zones), 1);
	ck_assert_uint_eq(zones_public_count(zones, 0), 2);
	ck_assert_int_eq(zones_type(zones, 0), ZONE_REFUSE);
	ck_assert_int_eq(zones_add(zones, "pl2.{y}.example", NULL, 0, ZONE_STATIC, &err), 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_int_eq(zones_add(zones, bad[i].private, &bad[i].public,
					   bad[i].public ? 1 : 0, ZONE_STATIC, &err),
				 -1);
		ck_assert_msg(strstr(err.text, bad[i].says), "%s", err.text);
	}
	/* A public zone of more zones than a look-up tries. */
	for (i = 0; i < ZONE_FORMS_MAX; i++) {
		snprintf(text, sizeof(text), "pl%zu.share.example", i);
		ck_assert_int_eq(zones_add(zones, text, (const char *const[]){ "share.example" }, 1,
					   ZONE_STATIC, &err),
				 0);
	}
	ck_assert_int_eq(zones_add(zones, "pl-.share.example",
				   (const char *const[]){ "share.example" }, 1, ZONE_STATIC, &err),
			 -1);
	/* And more zones than there may be. */
	for (i = zones_count(zones); i < ZONES_MAX; i++) {
		snprintf(text, sizeof(text), "z%zu.example", i);
		ck_assert_int_eq(zones_add(zones, public, NULL, 0, ZONE_STATIC, &err), 0);
	}
	ck_assert_int_eq(zones_add(zones, "zz.example", NULL, 0, ZONE_STATIC, &err), -1);
	ck_assert_int_eq(zones_seal(zones, &err), 0);
	ck_assert_str_eq(
		forms_of(zones, "x.share.example"),
		"x.pl0.share.example x.pl1.share.example "
		"x.pl2.share.example x.pl3.share.example x.pl4.share.example x.pl5.share.example "
		"x.pl6.share.example x.pl7.share.example");
	zones_free(zones);
}
END_TEST

START_TEST(test_site_recovery)
{
	struct zones *zones = preset("azure-migrate");
	size_t i, n = 0;

	for (i = 0; i < zones_count(zones); i++) {
		if (zones_is_site_recovery(zones, i)) {
			ck_assert_str_eq(zones_private_text(zones, i),
					 "privatelink.siterecovery.windowsazure.com");
			n++;
		}
	}
	ck_assert_uint_eq(n, 1);
	zones_free(zones);
}
END_TEST

static Suite *names_suite(void)
{
	Suite *suite = suite_create("names");
	TCase *all = tcase_create("all");

	tcase_set_timeout(all, 60);
	tcase_add_test(all, test_table);
	tcase_add_loop_test(all, test_every_row, 0, 3);
	tcase_add_test(all, test_two_labels);
	tcase_add_test(all, test_presets);
	tcase_add_test(all, test_irregular);
	tcase_add_test(all, test_longest);
	tcase_add_test(all, test_braces);
	tcase_add_test(all, test_too_long);
	tcase_add_test(all, test_one_after_the_other);
	tcase_add_test(all, test_filling);
	tcase_add_test(all, test_site_recovery);
	suite_add_tcase(suite, all);
	return suite;
}

UNIT_MAIN(names_suite)
