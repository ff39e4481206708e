/* SPDX-License-Identifier: MIT */
/*
 * The table beside a model of it that is slow and plain: a list of held names, gone through for
 * every question. Names are drawn from few labels and zones, so that they meet in all the ways
 * they can: wildcards above and below, forms of each other, apexes, ancestors, several sets.
 */
#include "unit/unit.h"
#include "unit/zonekit.h"

#define HELD_MAX 400
#define TAILS_MAX 512
#define ADDRESSES_MAX 4
#define APEXES_MAX 512

struct held {
	struct name name; /* as it is held */
	uint32_t a[ADDRESSES_MAX];
	unsigned a_count;
	bool has_aaaa;
	uint8_t aaaa[16];
};

static struct held held[HELD_MAX];
static unsigned held_count;
static struct name apexes[APEXES_MAX]; /* of the public zones of what is held */
static unsigned apexes_count;
static struct zones *zones;
static struct name tails[TAILS_MAX];
static unsigned tails_count;
static uint64_t random_state;

static unsigned draw(unsigned below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)((random_state >> 33) % below);
}

/* ---- names to draw from ---------------------------------------------------------------------- */

static void add_tail(const char *text)
{
	char plain[NAME_TEXT_MAX], *to = plain;

	for (; *text; text++) {
		if (*text == '{') {
			*to++ = (char)('a' + draw(2));
			text = strchr(text, '}');
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
	if (tails_count < TAILS_MAX)
		tails[tails_count++] = kit_name(plain);
}

/*
 * A preset; every other time with zones that lie below one another, by public zones that do not.
 */
static void draw_zones(unsigned round)
{
	static const char *const outer[] = { "lab.example", "example" },
				 *const inner[] = { "z.io" },
				 *const braced[] = { "{w}.lab.example" };
	struct err err;

	zones = zones_new();
	ck_assert_ptr_nonnull(zones);
	if (round % 2 == 0) {
		ck_assert_int_eq(zones_add(zones, "p.lab.example", outer, 2, ZONE_STATIC, &err), 0);
		ck_assert_int_eq(zones_add(zones, "a.p.lab.example", inner, 1, ZONE_STATIC, &err),
				 0);
		ck_assert_int_eq(
			zones_add(zones, "{w}.b.p.lab.example", braced, 1, ZONE_STATIC, &err), 0);
	}
	ck_assert_int_eq(zones_add_preset(zones, round % 4 == 0 ? "azure-migrate" : "azure",
					  ZONE_STATIC, &err),
			 0);
	ck_assert_int_eq(zones_seal(zones, &err), 0);
}

/* A few of the zones with all their public ones, and what is around them. */
static void draw_tails(void)
{
	static const char *const others[] = { "lab.example", "example", "core.windows.net",
					      "windows.net", "net",     "z.io" };
	unsigned i, n;
	size_t zone, j;

	tails_count = 0;
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		add_tail(others[i]);
	n = 1 + draw(5);
	for (i = 0; i < n; i++) {
		zone = draw((unsigned)zones_count(zones));
		/* The one zone with rules of its own comes along more often than by chance. */
		for (j = 0; i == 0 && draw(3) == 0 && j < zones_count(zones); j++)
			if (zones_is_site_recovery(zones, j))
				zone = j;
		/* And so do the first, which lie below one another. */
		if (i > 0 && draw(2))
			zone = draw(3);
		add_tail(zones_private_text(zones, zone));
		for (j = 0; j < zones_public_count(zones, zone); j++)
			add_tail(zones_public_text(zones, zone, j));
	}
}

static struct name draw_name(void)
{
	static const char *const labels[] = { "a", "b", "c", "*", "a-", "b-", "*x", "long-label" };
	const struct name *tail = &tails[draw(tails_count)];
	char text[NAME_TEXT_MAX * 2] = "", tail_text[NAME_TEXT_MAX];
	unsigned n = draw(8) == 0 ? 0 : 1 + draw(3);
	struct name name;

	while (n-- > 0) {
		strcat(text, labels[draw(sizeof(labels) / sizeof(labels[0]))]);
		strcat(text, ".");
	}
	name_to_text(tail->wire, tail_text);
	strcat(text, tail_text);
	name = kit_name(text);
	/* Now and then something above. */
	if (draw(6) == 0)
		name_strip(&name, &name, draw(name.labels));
	return name;
}

/* ---- the model ------------------------------------------------------------------------------- */

static struct held *find(const struct name *name)
{
	unsigned i;

	for (i = 0; i < held_count; i++)
		if (name_equal(&held[i].name, name))
			return &held[i];
	return NULL;
}

/* Held, or above what is, or the apex of a public zone of one that holds something, or above. */
static bool exists(const struct name *name)
{
	unsigned i;

	for (i = 0; i < held_count; i++)
		if (name_ends_with(&held[i].name, name))
			return true;
	for (i = 0; i < apexes_count; i++)
		if (name_ends_with(&apexes[i], name))
			return true;
	return false;
}

/* Once all is held. */
static void note_apexes(void)
{
	struct name apex;
	unsigned i, k;
	size_t j;

	apexes_count = 0;
	for (i = 0; i < held_count; i++) {
		for (j = 0; zones_public_apex(zones, &held[i].name, j, &apex) == 0; j++) {
			for (k = 0; k < apexes_count && !name_equal(&apexes[k], &apex); k++)
				;
			ck_assert(k < APEXES_MAX);
			apexes[k] = apex;
			apexes_count += k == apexes_count;
		}
	}
}

static struct held *find_wildcard(const struct name *name, unsigned floor)
{
	struct name closest = *name, star = kit_name("*"), wild;

	if (name->labels <= floor)
		return NULL;
	do
		name_strip(&closest, &closest, 1);
	while (closest.labels > floor && !exists(&closest));
	return name_join(&wild, &star, 1, &closest) == 0 ? find(&wild) : NULL;
}

static struct held *find_toggled(const struct name *name, const struct zone_match *match,
				 struct name *ret)
{
	char text[NAME_TEXT_MAX + 1];
	size_t len;

	if (!zones_is_site_recovery(zones, match->zone) || name->labels == match->apex_labels)
		return NULL;
	len = name->fold[0];
	memcpy(text, name->fold + 1, len);
	if (text[len - 1] == '-')
		len--;
	else
		text[len++] = '-';
	if (len == 0)
		return NULL;
	text[len++] = '.';
	name_to_text(name->wire + name->at[1], text + len);
	*ret = kit_name(text);
	return find(ret);
}

static char said[4096];

static const char *say(const char *match, const struct held *node, const struct name *target)
{
	const struct name *at = target && strcmp(match, "PTR") != 0 ? target
				: node                              ? &node->name
								    : NULL;
	struct zone_match zone;
	int len = sprintf(said, "%s", match);

	if (node)
		len += sprintf(said + len, " %s", kit_text(&node->name));
	if (target)
		len += sprintf(said + len, " -> %s", kit_text(target));
	if (node && node->name.fold[0] == 1 && node->name.fold[1] == '*')
		len += sprintf(said + len, " wild");
	if (at && zones_match_served(zones, at, &zone))
		sprintf(said + len, " [%s/%u]", zones_private_text(zones, zone.zone),
			zone.apex_labels);
	return said;
}

static const char *look_in_zone(const struct name *name, const struct zone_match *match)
{
	bool apex = name->labels == match->apex_labels;
	struct held *node = find(name);
	struct name toggled;
	const char *word = "ABSENT";

	if (!node) {
		node = find_toggled(name, match, &toggled);
		if (node)
			return say("ALIAS", node, &toggled);
		if (apex || exists(name))
			word = "ENT";
		else if ((node = find_wildcard(name, match->apex_labels)))
			word = "HELD";
	} else {
		word = "HELD";
	}
	say(word, node, NULL);
	if (!strchr(said, '['))
		sprintf(said + strlen(said), "%s [%s/%u]", apex ? " apex" : "",
			zones_private_text(zones, match->zone), match->apex_labels);
	else if (apex)
		sprintf(strchr(said, '['), "apex [%s/%u]", zones_private_text(zones, match->zone),
			match->apex_labels);
	return said;
}

/* The name that a PTR for this node's address gives. */
static struct name ptr_target(const struct held *node)
{
	struct name best = node->name, form;
	bool any = false;
	size_t i;

	for (i = 0; zones_public_form(zones, &node->name, i, &form) == 0; i++) {
		if (!any || name_wire_compare(form.wire, best.wire) < 0)
			best = form;
		any = true;
	}
	return best;
}

/* The reverse name of an address, without its first `cut` labels. */
static struct name reverse_name(const uint8_t *address, size_t octets, unsigned cut)
{
	char text[128] = "";
	struct name name;
	size_t i;

	for (i = octets; i-- > 0;) {
		if (octets == 4)
			sprintf(text + strlen(text), "%u.", address[i]);
		else
			sprintf(text + strlen(text), "%x.%x.", address[i] & 15, address[i] >> 4);
	}
	strcat(text, octets == 4 ? "in-addr.arpa" : "ip6.arpa");
	name = kit_name(text);
	name_strip(&name, &name, cut);
	return name;
}

static const char *look_reverse(const struct name *name)
{
	struct name reverse, target, best;
	const struct held *node = NULL;
	uint8_t address[4];
	bool above = false;
	unsigned i, j;

	for (i = 0; i < held_count; i++) {
		if (held[i].name.fold[0] == 1 && held[i].name.fold[1] == '*')
			continue;
		for (j = 0; j < held[i].a_count + held[i].has_aaaa; j++) {
			if (j < held[i].a_count) {
				memcpy(address, &held[i].a[j], 4);
				reverse = reverse_name(address, 4, 0);
			} else {
				reverse = reverse_name(held[i].aaaa, 16, 0);
			}
			if (name_equal(&reverse, name)) {
				target = ptr_target(&held[i]);
				if (!node || name_wire_compare(target.wire, best.wire) < 0) {
					node = &held[i];
					best = target;
				}
			} else if (name_ends_with(&reverse, name) && name->labels >= 2) {
				above = true;
			}
		}
	}
	return node ? say("PTR", node, &best) : above ? "ENT" : NULL;
}

static const char *look(const struct name *name)
{
	struct zone_form forms[ZONE_FORMS_MAX];
	struct name target, toggled;
	struct zone_match match;
	const char *reverse;
	struct held *node;
	bool empty;
	unsigned n, i;

	if (zones_match_served(zones, name, &match))
		return look_in_zone(name, &match);
	empty = exists(name);
	n = zones_private_forms(zones, name, forms);
	for (i = 0; i < n; i++) {
		if (zones_private_form(zones, name, &forms[i], &target) < 0 ||
		    !zones_match_served(zones, &target, &match))
			continue;
		if ((node = find(&target)))
			return say("ALIAS", node, &target);
		if ((node = find_toggled(&target, &match, &toggled)))
			return say("ALIAS", node, &toggled);
		if (exists(&target))
			empty = true;
		else if ((node = find_wildcard(&target, match.apex_labels)))
			return say("ALIAS", node, &target);
	}
	if ((node = find(name)))
		return say("HELD", node, NULL);
	if ((reverse = look_reverse(name)))
		return reverse;
	n = zones_apex_forms(zones, name, forms);
	for (i = 0; i < n; i++)
		if (zones_private_form(zones, name, &forms[i], &target) == 0 && exists(&target))
			empty = true;
	if (empty)
		return "ENT";
	node = find_wildcard(name, 0);
	return node ? say("HELD", node, NULL) : "NONE";
}

/* ---- filling both ---------------------------------------------------------------------------- */

static void hold_a(struct held *node, uint32_t address)
{
	unsigned i;

	for (i = 0; i < node->a_count; i++)
		if (node->a[i] == address)
			return;
	if (node->a_count < ADDRESSES_MAX)
		node->a[node->a_count++] = address;
}

static void draw_record(struct builder *builder, unsigned line)
{
	struct name name = draw_name(), form;
	struct zone_place place;
	struct held *node;
	uint8_t a[4], aaaa[16] = { 0xfd, 0 };
	uint32_t address;
	bool v6 = draw(5) == 0;
	unsigned i;

	ck_assert_int_eq(zones_place(zones, &name, &form, &place), 0);
	if (!place.folded)
		form = name;
	if (form.labels == 0 || (held_count == HELD_MAX && !find(&form)))
		return;
	a[0] = 10;
	a[1] = (uint8_t)draw(3);
	a[2] = (uint8_t)draw(256);
	a[3] = (uint8_t)draw(draw(2) ? 3 : 256);
	memcpy(&address, a, 4);
	for (i = 1; i < 16; i++)
		aaaa[i] = (uint8_t)draw(i < 4 ? 2 : 256);
	node = find(&form);
	if (!node) {
		node = &held[held_count++];
		*node = (struct held){ .name = form };
		node->name = form;
	}
	if (v6 && !node->has_aaaa) {
		node->has_aaaa = true;
		memcpy(node->aaaa, aaaa, 16);
		ck_assert_int_eq(builder_add(builder, &name, TYPE_AAAA, 10, aaaa, 16, line), 0);
	} else if (node->a_count < ADDRESSES_MAX) {
		hold_a(node, address);
		ck_assert_int_eq(builder_add(builder, &name, TYPE_A, 10, a, 4, line), 0);
	} else {
		memcpy(a, &node->a[0], 4);
		ck_assert_int_eq(builder_add(builder, &name, TYPE_A, 10, a, 4, line), 0);
	}
}

static struct table *draw_table(unsigned records)
{
	struct builder_conf conf = { .path = "model", .ttl_max = 86400 };
	struct table_conf table_conf = { .conflict = TABLE_CONFLICT_MERGE, .ptr = true };
	struct complaints complaints = { 0 };
	struct record_set *sets[3];
	struct builder *builder;
	struct table *table;
	unsigned i, j, n = 1 + draw(3);

	held_count = 0;
	for (i = 0; i < n; i++) {
		builder = builder_new(zones, &conf, &complaints);
		for (j = 0; j < records / n; j++)
			draw_record(builder, j + 1);
		sets[i] = builder_finish(builder);
		ck_assert_ptr_nonnull(sets[i]);
		builder_free(builder);
	}
	note_apexes();
	table = table_new(zones, sets, n, &table_conf, &complaints);
	ck_assert_ptr_nonnull(table);
	for (i = 0; i < n; i++)
		record_set_unref(sets[i]);
	return table;
}

/* ---- comparing ------------------------------------------------------------------------------- */

static void compare(const struct table *table, const struct name *name)
{
	char got[4096];

	strcpy(got, kit_look(table, kit_text(name)));
	if (strcmp(got, look(name)) != 0)
		ck_abort_msg("%s: %s, but the model has %s", kit_text(name), got, look(name));
}

/* Records of each held name, each once, and no other name. */
static void compare_all(const struct table *table)
{
	const struct node *node;
	struct node_record record;
	struct node_rrset rrset;
	size_t at = 0, record_at, names = 0;
	struct held *model;
	struct name name;
	unsigned a;
	uint32_t address;

	while ((node = table_next(table, &at))) {
		node_name(table, node, &name);
		model = find(&name);
		ck_assert_msg(model, "%s", kit_text(&name));
		names++;
		ck_assert(node_find(node, TYPE_AAAA, &rrset) == model->has_aaaa);
		ck_assert(node_find(node, TYPE_A, &rrset) == (model->a_count > 0));
		if (!model->a_count)
			continue;
		ck_assert_uint_eq(rrset.count, model->a_count);
		for (record_at = 0; node_record_next(&rrset, &record_at, &record);) {
			memcpy(&address, record.rdata, 4);
			for (a = 0; a < model->a_count && model->a[a] != address; a++)
				;
			ck_assert_uint_lt(a, model->a_count);
		}
	}
	ck_assert_uint_eq(names, held_count);
	ck_assert_uint_eq(table_names(table), held_count);
}

static void compare_reverse(const struct table *table)
{
	const struct held *node = &held[draw(held_count)];
	uint8_t address[16];
	struct name name;
	bool v6 = node->has_aaaa && draw(2);
	unsigned octets = v6 ? 16 : 4, at;

	if (!v6 && !node->a_count)
		return;
	memcpy(address, v6 ? (const void *)node->aaaa : (const void *)&node->a[0], octets);
	/* One octet off, mostly. */
	at = draw(octets);
	if (draw(3))
		address[at] = (uint8_t)(address[at] ^ 1u << draw(8));
	name = reverse_name(address, octets, draw(v6 ? 33 : 5));
	compare(table, &name);
}

START_TEST(test_drawn)
{
	struct table *table;
	struct name name;
	unsigned i, records;

	random_state = UINT64_C(0x9e3779b97f4a7c15) * ((unsigned)_i + 1);
	draw_zones((unsigned)_i);
	draw_tails();
	records = 1 + draw(_i % 3 == 0 ? 250 : 40);
	table = draw_table(records);
	compare_all(table);
	for (i = 0; i < 150; i++) {
		name = draw_name();
		compare(table, &name);
	}
	for (i = 0; i < 60 && held_count; i++)
		compare_reverse(table);
	table_free(table);
	zones_free(zones);
}
END_TEST

static Suite *model_suite(void)
{
	Suite *suite = suite_create("model");
	TCase *all = tcase_create("all");

	tcase_set_timeout(all, 120);
	tcase_add_loop_test(all, test_drawn, 0, getenv("PRIVLINKD_LONG") ? 60 : 12);
	suite_add_tcase(suite, all);
	return suite;
}

UNIT_MAIN(model_suite)
