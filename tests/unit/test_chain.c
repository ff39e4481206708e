/* SPDX-License-Identifier: MIT */
/*
 * Links of a chain in every order of the records, with DNAME, with strangers beside them. Messages
 * are laid out by wire/writer, and by hand where compression is to be odd.
 */
#include "wire/chain.h"
#include "wire/owners.h"

#include <stdio.h>
#include <string.h>

#include "unit/unit.h"
#include "wire/writer.h"

struct record {
	const char *owner;
	uint16_t type;
	uint32_t ttl;
	const char *target; /* a name, or an address for A */
};

static struct name wire_of(const char *text)
{
	struct name name;

	ck_assert_int_eq(name_from_text(&name, text, strlen(text)), 0);
	return name;
}

static uint8_t data[4096];

static struct message build(const struct record *const *records, size_t count)
{
	struct message message;
	struct name owner, target;
	struct writer w;
	size_t i;

	writer_init(&w, data, sizeof(data), 1, FLAG_QR);
	writer_question(&w, (const uint8_t *)"\1q", TYPE_A, CLASS_IN);
	for (i = 0; i < count; i++) {
		owner = wire_of(records[i]->owner);
		if (records[i]->type == TYPE_CNAME || records[i]->type == TYPE_DNAME) {
			target = wire_of(records[i]->target);
			writer_record(&w, SECTION_ANSWER, owner.wire, records[i]->type,
				      records[i]->ttl, target.wire, target.len);
		} else {
			writer_record(&w, SECTION_ANSWER, owner.wire, records[i]->type,
				      records[i]->ttl, (const uint8_t *)"\x0a\0\0\1", 4);
		}
	}
	/* A stranger in another section never counts. */
	writer_record(&w, SECTION_ADDITIONAL, wire_of("nowhere.example").wire, TYPE_A, 1,
		      (const uint8_t *)"\x0a\0\0\1", 4);
	ck_assert(!w.full);
	ck_assert_int_eq(message_open(&message, data, writer_finish(&w), NULL, NULL, NULL), 0);
	return message;
}

struct want {
	const char *owner;
	uint16_t type;
	enum chain_link link;
	uint16_t found;
	uint32_t ttl;
	const char *target;
	const char *dname;
};

static void check_link_with(struct message *message, const struct owners *owners,
			    const struct want *want)
{
	struct name owner = wire_of(want->owner), other;
	struct chain_hop hop;
	enum chain_link link = chain_next(message, owners, owner.wire, want->type, &hop);

	ck_assert_msg(link == want->link, "%s %u: %d", want->owner, want->type, (int)link);
	if (link != CHAIN_DATA && link != CHAIN_ALIAS)
		return;
	ck_assert_uint_eq(hop.type, want->found);
	ck_assert_uint_eq(hop.ttl, want->ttl);
	if (link != CHAIN_ALIAS)
		return;
	other = wire_of(want->target);
	ck_assert(name_wire_equal(hop.target, other.wire));
	ck_assert_uint_eq(name_wire_len(hop.target), other.len);
	ck_assert_int_eq(hop.from_dname, want->dname != NULL);
	if (want->dname)
		ck_assert(name_wire_equal(hop.dname_owner, wire_of(want->dname).wire));
}

/* The owners' hashes make no difference. */
static void check_link(struct message *message, const struct want *want)
{
	static struct owners owners;

	check_link_with(message, NULL, want);
	ck_assert_int_eq(owners_read(&owners, message), 0);
	check_link_with(message, &owners, want);
}

/* All orders of up to six records (Heap's way), all wants in each. */
static void check_orders(const struct record **records, size_t count, size_t left,
			 const struct want *wants, size_t want_count)
{
	struct message message;
	size_t i, j;

	if (left <= 1) {
		message = build(records, count);
		for (i = 0; i < want_count; i++)
			check_link(&message, &wants[i]);
		return;
	}
	for (i = 0; i < left; i++) {
		const struct record *swap;

		check_orders(records, count, left - 1, wants, want_count);
		j = left % 2 ? 0 : i;
		swap = records[j];
		records[j] = records[left - 1];
		records[left - 1] = swap;
	}
}

static void check_all(const struct record *records, size_t count, const struct want *wants,
		      size_t want_count)
{
	const struct record *order[6];
	size_t i;

	ck_assert_uint_le(count, 6);
	for (i = 0; i < count; i++)
		order[i] = &records[i];
	check_orders(order, count, count, wants, want_count);
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

START_TEST(plain_chain)
{
	static const struct record records[] = {
		{ "files.contoso.example", TYPE_CNAME, 60, "acct.blob.core.windows.net" },
		{ "acct.blob.core.windows.net", TYPE_CNAME, 50,
		  "Acct.privatelink.blob.core.windows.net" },
		{ "ACCT.privatelink.blob.core.windows.net", TYPE_CNAME, 40,
		  "blob.x.store.core.windows.net" },
		{ "blob.x.store.core.windows.net", TYPE_A, 30, NULL },
		{ "blob.x.store.core.windows.net", TYPE_A, 20, NULL },
		{ "evil.example", TYPE_A, 5, NULL },
	};
	static const struct want wants[] = {
		{ "Files.Contoso.Example", TYPE_A, CHAIN_ALIAS, TYPE_CNAME, 60,
		  "acct.blob.core.windows.net", NULL },
		{ "files.contoso.example", TYPE_CNAME, CHAIN_DATA, TYPE_CNAME, 60, NULL, NULL },
		{ "files.contoso.example", TYPE_ANY, CHAIN_DATA, TYPE_CNAME, 60, NULL, NULL },
		{ "acct.blob.core.windows.net", TYPE_HTTPS, CHAIN_ALIAS, TYPE_CNAME, 50,
		  "acct.privatelink.blob.core.windows.net", NULL },
		{ "acct.privatelink.blob.core.windows.net", TYPE_A, CHAIN_ALIAS, TYPE_CNAME, 40,
		  "blob.x.store.core.windows.net", NULL },
		{ "blob.x.store.core.windows.net", TYPE_A, CHAIN_DATA, TYPE_A, 20, NULL, NULL },
		{ "blob.x.store.core.windows.net", TYPE_ANY, CHAIN_DATA, TYPE_A, 20, NULL, NULL },
		{ "blob.x.store.core.windows.net", TYPE_AAAA, CHAIN_END, 0, 0, NULL, NULL },
		{ "x.store.core.windows.net", TYPE_A, CHAIN_END, 0, 0, NULL, NULL },
		{ "nowhere.example", TYPE_A, CHAIN_END, 0, 0, NULL, NULL },
		{ ".", TYPE_A, CHAIN_END, 0, 0, NULL, NULL },
	};

	check_all(records, COUNT(records), wants, COUNT(wants));
}
END_TEST

START_TEST(dname)
{
	static const struct record records[] = {
		{ "old.example", TYPE_DNAME, 60, "new.test" },
		{ "a.old.example", TYPE_CNAME, 0, "A.new.test" },
		{ "d.old.example", TYPE_CNAME, 0, "elsewhere.test" },
		{ "b.old.example", TYPE_A, 10, NULL }, /* occluded */
		{ "old.example", TYPE_A, 9, NULL },
		{ "deep.old.example", TYPE_DNAME, 8, "wrong.test" }, /* occluded */
	};
	static const struct want wants[] = {
		/*
		 * With its CNAME, of no TTL, as RFC 2672 had it; with one that is not its; without
		 * one; with data beside it; deeper.
		 */
		{ "a.old.example", TYPE_A, CHAIN_ALIAS, TYPE_CNAME, 60, "a.new.test",
		  "old.example" },
		{ "d.old.example", TYPE_A, CHAIN_ALIAS, TYPE_CNAME, 0, "elsewhere.test",
		  "old.example" },
		{ "c.old.example", TYPE_A, CHAIN_ALIAS, TYPE_DNAME, 60, "c.new.test",
		  "old.example" },
		{ "b.OLD.example", TYPE_A, CHAIN_ALIAS, TYPE_DNAME, 60, "b.new.test",
		  "old.example" },
		{ "x.y.z.old.example", TYPE_A, CHAIN_ALIAS, TYPE_DNAME, 60, "x.y.z.new.test",
		  "old.example" },
		{ "x.deep.old.example", TYPE_A, CHAIN_ALIAS, TYPE_DNAME, 60, "x.deep.new.test",
		  "old.example" },
		{ "a.old.example", TYPE_CNAME, CHAIN_DATA, TYPE_CNAME, 0, NULL, NULL },
		{ "c.old.example", TYPE_CNAME, CHAIN_ALIAS, TYPE_DNAME, 60, "c.new.test",
		  "old.example" },
		{ "c.old.example", TYPE_ANY, CHAIN_ALIAS, TYPE_DNAME, 60, "c.new.test",
		  "old.example" },
		/* Not at or beside its owner. */
		{ "old.example", TYPE_A, CHAIN_DATA, TYPE_A, 9, NULL, NULL },
		{ "old.example", TYPE_DNAME, CHAIN_DATA, TYPE_DNAME, 60, NULL, NULL },
		{ "xold.example", TYPE_A, CHAIN_END, 0, 0, NULL, NULL },
		{ "example", TYPE_A, CHAIN_END, 0, 0, NULL, NULL },
	};

	check_all(records, COUNT(records), wants, COUNT(wants));
}
END_TEST

START_TEST(dname_of_root_and_too_long)
{
	static const struct record records[] = {
		{ "t", TYPE_DNAME, 7, "." },
		{ "long", TYPE_DNAME, 7,
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" }, /* 253 octets */
	};
	const struct record *order[] = { &records[0], &records[1] };
	struct message message = build(order, 2);
	struct want want = { "a.b.t", TYPE_A, CHAIN_ALIAS, TYPE_DNAME, 7, "a.b", "t" };
	struct name owner = wire_of("x.long");
	struct chain_hop hop;

	check_link(&message, &want);
	ck_assert_int_eq(chain_next(&message, NULL, owner.wire, TYPE_A, &hop), CHAIN_ALIAS);
	ck_assert_uint_eq(name_wire_len(hop.target), 255);
	owner = wire_of("xx.long");
	ck_assert_int_eq(chain_next(&message, NULL, owner.wire, TYPE_A, &hop), CHAIN_BAD);
	/* A DNAME at the root stands above everything. */
	order[0] = &(struct record){ ".", TYPE_DNAME, 3, "all" };
	message = build(order, 1);
	want = (struct want){ "a.b", TYPE_A, CHAIN_ALIAS, TYPE_DNAME, 3, "a.b.all", "." };
	check_link(&message, &want);
}
END_TEST

START_TEST(any_prefers_data_to_signatures)
{
	static const struct record records[] = {
		{ "s.example", TYPE_RRSIG, 5, NULL },
		{ "s.example", TYPE_AAAA + 1000, 6, NULL },
		{ "t.example", TYPE_RRSIG, 5, NULL },
	};
	static const struct want wants[] = {
		{ "s.example", TYPE_ANY, CHAIN_DATA, TYPE_AAAA + 1000, 6, NULL, NULL },
		{ "s.example", TYPE_RRSIG, CHAIN_DATA, TYPE_RRSIG, 5, NULL, NULL },
		{ "t.example", TYPE_ANY, CHAIN_DATA, TYPE_RRSIG, 5, NULL, NULL },
	};

	check_all(records, COUNT(records), wants, COUNT(wants));
}
END_TEST

/* Loops end with the caller, who counts; every link is still told. */
START_TEST(loops)
{
	static const struct record records[] = {
		{ "a.example", TYPE_CNAME, 1, "b.example" },
		{ "b.example", TYPE_CNAME, 1, "a.example" },
		{ "self.example", TYPE_CNAME, 1, "SELF.example" },
	};
	static const struct want wants[] = {
		{ "a.example", TYPE_A, CHAIN_ALIAS, TYPE_CNAME, 1, "b.example", NULL },
		{ "b.example", TYPE_A, CHAIN_ALIAS, TYPE_CNAME, 1, "a.example", NULL },
		{ "self.example", TYPE_A, CHAIN_ALIAS, TYPE_CNAME, 1, "self.example", NULL },
	};

	check_all(records, COUNT(records), wants, COUNT(wants));
}
END_TEST

static enum chain_link link_of(const uint8_t *octets, size_t len, const char *owner,
			       struct chain_hop *hop)
{
	struct message message;
	struct name name = wire_of(owner);

	ck_assert_int_eq(message_open(&message, octets, len, NULL, NULL, NULL), 0);
	return chain_next(&message, NULL, name.wire, TYPE_A, hop);
}

START_TEST(compression_tricks)
{
	/* The owner is a pointer to a pointer, the target points into the owner of a later
	 * record. */
	static const uint8_t odd[] = "\0\1\x80\0\0\1\0\2\0\0\0\0"
				     "\1q\1e\0\0\1\0\1"
				     "\1x\xc0\x0c\0\5\0\1\0\0\0\1\0\4\1y\xc0\x15"
				     "\xc0\x23\0\1\0\1\0\0\0\1\0\4\x0a\0\0\1";
	/* The target points to itself; forwards; the data is longer than its name. */
	static const uint8_t self[] = "\0\1\x80\0\0\1\0\1\0\0\0\0"
				      "\1q\1e\0\0\1\0\1\xc0\x0c\0\5\0\1\0\0\0\1\0\2\xc0\x21";
	static const uint8_t slack[] = "\0\1\x80\0\0\1\0\1\0\0\0\0"
				       "\1q\1e\0\0\1\0\1\xc0\x0c\0\5\0\1\0\0\0\1\0\3\xc0\x0c";
	/* Class CH does not count. */
	static const uint8_t chaos[] = "\0\1\x80\0\0\1\0\1\0\0\0\0"
				       "\1q\1e\0\0\1\0\3\xc0\x0c\0\5\0\3\0\0\0\1\0\2\xc0\x0e";
	struct chain_hop hop;
	size_t len;

	ck_assert_int_eq(link_of(odd, sizeof(odd) - 1, "x.q.e", &hop), CHAIN_ALIAS);
	ck_assert(name_wire_equal(hop.target, (const uint8_t *)"\1y\1x\1q\1e"));
	ck_assert_int_eq(link_of(odd, sizeof(odd) - 1, "y.x.q.e", &hop), CHAIN_DATA);
	ck_assert_int_eq(link_of(odd, sizeof(odd) - 1, "q.e", &hop), CHAIN_END);
	for (len = 21; len < sizeof(odd) - 1; len++)
		ck_assert_int_eq(link_of(odd, len, "x.q.e", &hop), CHAIN_BAD);
	ck_assert_int_eq(link_of(self, sizeof(self) - 1, "q.e", &hop), CHAIN_BAD);
	ck_assert_int_eq(link_of(self, sizeof(self) - 1, "e", &hop), CHAIN_END);
	ck_assert_int_eq(link_of(slack, sizeof(slack), "q.e", &hop), CHAIN_BAD);
	ck_assert_int_eq(link_of(chaos, sizeof(chaos) - 1, "q.e", &hop), CHAIN_END);
}
END_TEST

static Suite *chain_suite(void)
{
	Suite *suite = suite_create("chain");
	TCase *tests = tcase_create("chain");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, plain_chain);
	tcase_add_test(tests, dname);
	tcase_add_test(tests, dname_of_root_and_too_long);
	tcase_add_test(tests, any_prefers_data_to_signatures);
	tcase_add_test(tests, loops);
	tcase_add_test(tests, compression_tricks);
	suite_add_tcase(suite, tests);
	return suite;
}

UNIT_MAIN(chain_suite)
