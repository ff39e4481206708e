/* SPDX-License-Identifier: MIT */
/*
 * The template beside the writer: the same plans, laid out by the one and record by record by the
 * other, over drawn zones, records and questions. Names share their ends in all the ways they can,
 * also with the names of the SOA, and labels hold what looks like labels.
 */
#include <string.h>

#include "resolve/step.h"
#include "resolve/template.h"
#include "unit/unit.h"
#include "unit/zonekit.h"
#include "wire/message.h"

#define ROUNDS 40
#define QUESTIONS 400

static uint64_t random_state;
static struct view view;
static struct record_set *set;

static unsigned draw(unsigned below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)((random_state >> 33) % below);
}

/* ---- what is held and asked ------------------------------------------------------------------ */

static const struct {
	const char *private, *public[2];
} pairs[] = {
	{ "p.lab.example", { "lab.example", "other.test" } },
	{ "core.lab.test", { "x.lab.test", NULL } },
	{ "p.contoso.com", { "contoso.com", "contoso.net" } },
	{ "p.microsoft.com", { "web.microsoft.com", "com" } },
	{ "p.azureprivatedns.net", { "azureprivatedns.net", "x.net" } },
	{ "p.{w}.z.io", { "{w}.z.io", NULL } },
	{ "a.{w}.b.io", { "{v}.{w}.c.io", NULL } },
	{ "net", { "example", NULL } },
	{ "a\\003lab.test", { "lab.test", NULL } },
};

static void draw_zones(void)
{
	struct err err;
	size_t i;

	view.zones = zones_new();
	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (draw(3) > 0)
			ck_assert_msg(zones_add(view.zones, pairs[i].private, pairs[i].public,
						pairs[i].public[1] ? 2 : 1, ZONE_STATIC, &err) == 0,
				      "%s", err.text);
	ck_assert_int_eq(zones_add_preset(view.zones, draw(2) ? "azure-migrate" : "azure",
					  ZONE_STATIC, &err),
			 0);
	ck_assert_int_eq(zones_seal(view.zones, &err), 0);
}

/* Of a zone, of one of its public ones, or of none. */
static void draw_tail(char *to)
{
	static const char *const others[] = { "example.com", "microsoft.com", "net",
					      "azureprivatedns.net", "lab" };
	size_t zone = draw((unsigned)zones_count(view.zones));
	size_t publics, i;
	const char *from;

	/* Those above, and the one whose names have two spellings, come often. */
	if (draw(2) && zone > sizeof(pairs) / sizeof(pairs[0]))
		zone = draw(sizeof(pairs) / sizeof(pairs[0]));
	if (draw(6) == 0)
		for (i = 0; i < zones_count(view.zones); i++)
			if (zones_is_site_recovery(view.zones, i))
				zone = i;
	publics = zones_public_count(view.zones, zone);
	switch (draw(4)) {
	case 0:
		from = others[draw(sizeof(others) / sizeof(others[0]))];
		break;
	case 1:
		from = zones_private_text(view.zones, zone);
		break;
	default:
		from = publics ? zones_public_text(view.zones, zone, draw((unsigned)publics))
			       : "example";
		break;
	}
	for (; *from; from++) {
		if (*from == '{') {
			*to++ = (char)('a' + draw(2));
			from = strchr(from, '}');
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
}

static struct name draw_name(void)
{
	static const char *const labels[] = { "a",           "b",      "p",  "core",
					      "privatelink", "blob",   "*",  "a\\003net",
					      "b\\003com",   "\\001p", "a-", "lab" };
	char text[NAME_TEXT_MAX] = "";
	unsigned n = draw(8) == 0 ? 0 : 1 + draw(3);
	struct name name;
	unsigned i;

	while (n-- > 0) {
		strcat(text, labels[draw(sizeof(labels) / sizeof(labels[0]))]);
		strcat(text, ".");
	}
	draw_tail(text + strlen(text));
	name = kit_name(text);
	for (i = 0; i < name.len; i++)
		if (name.wire[i] >= 'a' && name.wire[i] <= 'z' && draw(4) == 0)
			name.wire[i] &= (uint8_t)~0x20;
	return name;
}

/* Some names, some of them with AAAA too, or a CNAME. */
static void draw_records(struct name *held, unsigned count)
{
	struct builder_conf conf = { .path = "drawn", .ttl_max = 86400 };
	struct table_conf table_conf = { .ptr = true };
	struct complaints complaints = { 0 };
	struct builder *builder = builder_new(view.zones, &conf, &complaints);
	uint8_t rdata[16] = { 10 };
	struct name target;
	unsigned i, n;

	for (i = 0; i < count; i++) {
		held[i] = draw_name();
		for (n = draw(4) ? 1 : draw(60); n > 0; n--) {
			rdata[1] = (uint8_t)draw(250);
			rdata[3] = (uint8_t)n;
			builder_add(builder, &held[i], TYPE_A, 1 + draw(100), rdata, 4, i + 1);
			if (draw(3) == 0)
				builder_add(builder, &held[i], TYPE_AAAA, 7, rdata, 16, i + 1);
		}
		if (draw(10) == 0) {
			held[i] = draw_name();
			target = draw_name();
			builder_add(builder, &held[i], TYPE_CNAME, 9, target.wire, target.len,
				    i + 1);
		}
	}
	set = builder_finish(builder);
	builder_free(builder);
	view.table = table_new(view.zones, &set, 1, &table_conf, &complaints);
	record_set_unref(set);
}

/* ---- the comparison -------------------------------------------------------------------------- */

static const uint8_t *strip_labels(const uint8_t *name, unsigned labels)
{
	while (labels-- > 0)
		name += *name + 1;
	return name;
}

/* False: something that the template has no business with. */
static bool put_plainly(struct writer *writer, const struct plan *plan)
{
	struct node_record record;
	unsigned i;
	size_t at;

	for (i = 0; i < plan->count; i++) {
		const struct plan_item *item = &plan->item[i];
		const uint8_t *name = plan->name[item->name], *next = plan->name[item->name + 1];

		switch (item->kind) {
		case PLAN_ALIAS:
			writer_record(writer, SECTION_ANSWER, name, TYPE_CNAME, item->ttl, next,
				      name_wire_len(next));
			break;
		case PLAN_RECORDS:
			for (at = 0; node_record_next(&item->rrset, &at, &record);)
				writer_record(writer, SECTION_ANSWER, name, item->rrset.type,
					      item->rrset.ttl, record.rdata, record.rdata_len);
			break;
		case PLAN_SOA:
			writer_record(writer, SECTION_AUTHORITY, strip_labels(name, item->strip),
				      TYPE_SOA, AZURE_SOA_TTL_S, azure_soa, sizeof(azure_soa));
			break;
		default:
			return false;
		}
	}
	return true;
}

static void start(struct writer *writer, uint8_t *data, size_t cap, const struct name *name,
		  uint16_t type)
{
	memset(data, 0xee, 65535);
	writer_init(writer, data, cap, 7, FLAG_QR);
	writer_question(writer, name->wire, type, CLASS_IN);
	ck_assert(!writer->full);
}

static void same(const struct writer *a, const struct writer *b, const struct name *name)
{
	ck_assert_msg(a->len == b->len && memcmp(a->data, b->data, a->len) == 0 &&
			      memcmp(a->count, b->count, sizeof(a->count)) == 0,
		      "%s", kit_text(name));
}

/* Octet by octet; also in just enough room; and with less nothing is touched. */
static bool compare(const struct plan *plan, const struct name *name, uint16_t type)
{
	static uint8_t one[65535], other[65535], before[65535];
	struct writer writer, plainly;
	bool own;

	start(&plainly, other, sizeof(other), name, type);
	own = put_plainly(&plainly, plan);
	start(&writer, one, sizeof(one), name, type);
	if (!template_put(&writer, plan)) {
		ck_assert_uint_eq(writer.len, DNS_HEADER_LEN + name->len + 4u);
		return false;
	}
	ck_assert(own);
	same(&writer, &plainly, name);
	start(&writer, one, plainly.len, name, type);
	ck_assert(template_put(&writer, plan));
	same(&writer, &plainly, name);
	start(&writer, one, plainly.len - 1, name, type);
	memcpy(before, one, sizeof(one));
	ck_assert(!template_put(&writer, plan));
	ck_assert_int_eq(memcmp(before, one, sizeof(one)), 0);
	return true;
}

START_TEST(as_the_writer_does)
{
	static const uint16_t types[] = { TYPE_A,     TYPE_A,   TYPE_AAAA, TYPE_HTTPS,
					  TYPE_CNAME, TYPE_ANY, TYPE_SOA };
	static struct name held[60], root;
	static struct plan plan;
	static struct step_replies none;
	static struct step_ask ask;
	unsigned i, count, compared = 0, aliases = 0, denials = 0;

	random_state = UINT64_C(0x9e3779b97f4a7c15) * ((unsigned)_i + 1);
	count = 1 + draw(60);
	memset(&view, 0, sizeof(view));
	draw_zones();
	draw_records(held, count);
	root = kit_name(".");
	view.routes = routes_new();
	routes_add(view.routes, &root, 0, NULL);
	routes_seal(view.routes, NULL);
	for (i = 0; i < QUESTIONS; i++) {
		struct name name = draw(3) ? held[draw(count)] : draw_name();
		struct step_question question = {
			.name = &name, .type = types[draw(sizeof(types) / sizeof(types[0]))]
		};

		if (resolve_step(&view, &none, &question, &plan, &ask, NULL) != STEP_ANSWER ||
		    !compare(&plan, &name, question.type))
			continue;
		compared++;
		aliases += plan.item[0].kind == PLAN_ALIAS;
		denials += plan.item[plan.count - 1].kind == PLAN_SOA;
	}
	/* Or nothing was shown. */
	ck_assert_uint_gt(compared, QUESTIONS / 8);
	ck_assert_uint_gt(aliases + denials, 0);
	table_free(view.table);
	routes_free(view.routes);
	zones_free(view.zones);
}
END_TEST

static Suite *template_suite(void)
{
	Suite *suite = suite_create("template");
	TCase *all = tcase_create("all");

	tcase_set_timeout(all, 120);
	tcase_add_loop_test(all, as_the_writer_does, 0, ROUNDS);
	suite_add_tcase(suite, all);
	return suite;
}

UNIT_MAIN(template_suite)
