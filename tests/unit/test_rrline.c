/* SPDX-License-Identifier: MIT */
/*
 * source/rrline: the quick way through plain lines of a zone file against two slow ones. Whole
 * files, random ones and the seeds of the fuzz target, have to give the same records, lines and
 * complaints with it and without it; and what it takes of a line, ldns takes as the same.
 */
#include "source/rrline.h"

#include <ldns/ldns.h>
#include <strings.h>

#include "source/rrtext.h"
#include "source/zonefile.h"
#include "unit/records.h"

/* ---- lines of all kinds ---------------------------------------------------------------------- */

#define LABEL_63 "x23456789-x23456789-x23456789-x23456789-x23456789-x23456789-x23"
#define COUNT(list) (sizeof(list) / sizeof(*(list)))

static const char *any(const char *const *list, size_t count)
{
	return list[(size_t)rand() % count];
}
#define ANY(list) any(list, COUNT(list))

/* Mostly the first, which is the usual one. */
#define MOSTLY(list) (rand() % 3 ? (list)[0] : ANY(list))

static size_t put_line(char *out)
{
	static const char *const owners[] = {
		"host",
		"A",
		"aaaa",
		"CNAME",
		"IN",
		"in",
		"300",
		"1h30m",
		"10.0.0.1",
		"@",
		"*",
		"*.b",
		"a.*.b",
		"x.y.",
		".",
		"MiXed.Case",
		"_tcp",
		"a/b:c@d",
		"a..b",
		"a\\.b",
		"a\\032b",
		"\"q\"",
		"$TTL",
		"$ORIGIN",
		LABEL_63,
		LABEL_63 "x",
		LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63,
		LABEL_63 "." LABEL_63 "." LABEL_63 ".x",
	};
	static const char *const blanks[] = { " ", "\t", "  \t ", "\f", "\v", "" };
	static const char *const ttls[] = {
		"300", "",  "1h30m",      "1H",         "0",  "1w2d3h4m5s",
		"007", "h", "2147483647", "2147483648", "5x", "1h30",
	};
	static const char *const classes[] = { "IN", "",       "in",     "iN",      "CH",
					       "hs", "CLASS1", "CLASS3", "[AGE:5]", "IN IN" };
	static const char *const types[] = {
		"A",     "A",   "A",   "AAAA",  "CNAME",  "a",      "aaaa", "CName", "TXT",
		"MX 10", "SOA", "FOO", "TYPE1", "TYPE28", "TYPE99", "",     "IN",    "300",
	};
	static const char *const data[] = {
		"10.0.0.1",
		"10.0.0.2",
		"10.0.0.1",
		"fd00::1",
		"FD00::1",
		"::ffff:10.0.0.1",
		"010.0.0.1",
		"10.0.0.256",
		"10.0.0",
		"b",
		"b.example.",
		"@",
		"*",
		".",
		"a..b",
		"a\\.b",
		"a\\b",
		"",
		"10.0.0.1 x",
		"( 10.0.0.1 )",
		"(10.0.0.1",
		"(\n10.0.0.1 ; c\n)",
		"\\# 4 0A000001",
		"\"10.0.0.1\"",
		LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63 ".",
		LABEL_63 "." LABEL_63 "." LABEL_63 ".x",
	};
	static const char *const ends[] = { "", " ", " ; comment", ";", "; \"(", " )", "\f", "\t" };
	bool turned = rand() % 4 == 0;
	const char *ttl = MOSTLY(ttls), *class = MOSTLY(classes);

	return (size_t)sprintf(out, "%s%s%s%s%s%s%s%s%s%s", rand() % 3 ? ANY(owners) : "",
			       MOSTLY(blanks), turned ? class : ttl, MOSTLY(blanks),
			       turned ? ttl : class, MOSTLY(blanks), ANY(types), MOSTLY(blanks),
			       rand() % 2 ? data[0] : ANY(data), MOSTLY(ends));
}

/* A change or two, wherever they fall. */
static void mutate(char *line, size_t len)
{
	static const char octets[] = " \t\f\v\n\r;()\"\\@$.*/:[]aA09-\x80";

	while (len && rand() % 3 == 0) {
		size_t at = (size_t)rand() % len;

		line[at] = octets[(size_t)rand() % (sizeof(octets) - 1)];
	}
}

#define LINE_MAX_TEST 2048

static void make_line(char line[LINE_MAX_TEST])
{
	mutate(line, put_line(line));
}

/* ---- with it and without it ------------------------------------------------------------------ */

static void compare(const char *text, const char *origin, size_t block)
{
	static struct read_result quick, slow;

	read_in_blocks(zonefile_read, false, text, origin, block, &quick);
	read_in_blocks(zonefile_read_slowly, false, text, origin, 0, &slow);
	ck_assert_msg(strcmp(quick.complaints, slow.complaints) == 0, "%s\n--\n%s--\n%s", text,
		      quick.complaints, slow.complaints);
	ck_assert_msg(strcmp(quick.records, slow.records) == 0, "%s\n--\n%s--\n%s", text,
		      quick.records, slow.records);
	ck_assert_uint_eq(quick.errors, slow.errors);
	ck_assert_uint_eq(quick.warnings, slow.warnings);
}

START_TEST(files_are_the_same_either_way)
{
	static const char *const heads[] = {
		"",
		"$ORIGIN z.example.\n",
		"$ORIGIN privatelink.blob.core.windows.net.\n$TTL 1h30m\n",
		";  Database file z.dns for z.example zone.\n",
		";      Zone name: z.example\n$TTL 60\n",
	};
	static const char *const between[] = {
		"$TTL 5\n",
		"$TTL 1d\n",
		"$TTL x\n",
		"$ORIGIN sub\n",
		"$ORIGIN .\n",
		"$ORIGIN a..b\n",
		"$ORIGIN other.example. ; c\n",
		"@ SOA ns host 1 2 3 4 5\n",
		"\n",
		"   ; comment\n",
		"; comment\n",
	};
	static const size_t blocks[] = { 0, 1, 7, 100, 1500 };
	static char text[40 * LINE_MAX_TEST];

	srand(1);
	for (unsigned round = 0; round < 1500; round++) {
		char line[LINE_MAX_TEST];
		size_t len = (size_t)sprintf(text, "%s", ANY(heads));

		for (int i = rand() % 30; i >= 0; i--) {
			make_line(line);
			len += (size_t)sprintf(text + len, "%s\n%s", line,
					       rand() % 6 ? "" : ANY(between));
		}
		if (round % 7 == 0)
			text[--len] = '\0';
		compare(text, round % 2 ? "conf.example" : NULL, blocks[round % COUNT(blocks)]);
	}
}
END_TEST

static void compare_seed(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!text[i])
			text[i] = ' ';
	compare(text, NULL, 0);
	compare(text, "conf.example", 61);
}

START_TEST(fuzz_seeds_are_the_same_either_way)
{
	records_seeds("zonefile", compare_seed);
}
END_TEST

/* A line that has no end within RRLINE_MAX, and one that does, around the window's edges. */
START_TEST(long_lines_are_the_same_either_way)
{
	static char text[3 * RRLINE_MAX];

	for (size_t blanks = RRLINE_MAX - 40; blanks < RRLINE_MAX + 40; blanks++) {
		size_t len = (size_t)sprintf(text, "a. 5 A 10.0.0.1");

		memset(text + len, ' ', blanks);
		sprintf(text + len + blanks, "\n 6 A 10.0.0.2\nb. A 10.0.0.3 ;");
		compare(text, NULL, blanks % 2 ? 0 : 64);
	}
}
END_TEST

/* ---- against ldns ---------------------------------------------------------------------------- */

struct reference {
	struct rrtext *rr;
	ldns_rdf *origin, *last;
	struct name last_name;
};

static void compare_octets(const char *line, const uint8_t *a, size_t a_len, const uint8_t *b,
			   size_t b_len)
{
	ck_assert_msg(a_len == b_len && memcmp(a, b, a_len) == 0, "%s", line);
}

/* RFC 1035 5.1 has TTL and class in either order; ldns knows one. */
static bool has_class_first(const char *line, const struct rrline *got)
{
	const char *at = line + got->owner.len;

	at += strspn(at, " \t");
	return got->has_ttl && strncasecmp(at, "IN", 2) == 0;
}

/* True if the quick way takes the line and its names are names; then ldns has to agree. */
static bool compare_line(const struct reference *ref, const char *line)
{
	struct name owner = ref->last_name, target;
	ldns_rdf *last = ldns_rdf_clone(ref->last);
	const uint8_t *rdata = target.wire;
	ldns_rr *record = NULL;
	struct rrline got;
	ldns_status status;
	size_t len;

	if (!rrline_read(line, strlen(line), &got) || has_class_first(line, &got) ||
	    (got.owner.len && rrtext_name(ref->rr, &got.owner, &owner, NULL) < 0) ||
	    (got.type == TYPE_CNAME && rrtext_name(ref->rr, &got.target, &target, NULL) < 0)) {
		ldns_rdf_deep_free(last);
		return false;
	}
	len = got.type == TYPE_CNAME ? target.len : got.address.len;
	if (got.type != TYPE_CNAME)
		rdata = got.address.octets;
	status = ldns_rr_new_frm_str(&record, line, 77, ref->origin, &last);
	ck_assert_msg(status == LDNS_STATUS_OK, "%s: %s", line, ldns_get_errorstr_by_id(status));
	ck_assert_msg(ldns_rr_get_type(record) == got.type, "%s", line);
	ck_assert_msg(ldns_rr_get_class(record) == LDNS_RR_CLASS_IN, "%s", line);
	ck_assert_msg(ldns_rr_ttl(record) == (got.has_ttl ? got.ttl : 77), "%s: %u", line,
		      ldns_rr_ttl(record));
	compare_octets(line, owner.wire, owner.len, ldns_rdf_data(ldns_rr_owner(record)),
		       ldns_rdf_size(ldns_rr_owner(record)));
	ck_assert_uint_eq(ldns_rr_rd_count(record), 1);
	compare_octets(line, rdata, len, ldns_rdf_data(ldns_rr_rdf(record, 0)),
		       ldns_rdf_size(ldns_rr_rdf(record, 0)));
	ldns_rr_free(record);
	ldns_rdf_deep_free(last);
	return true;
}

static void reference_init(struct reference *ref)
{
	struct name origin;

	ref->rr = rrtext_new();
	ck_assert_ptr_nonnull(ref->rr);
	ck_assert_int_eq(name_from_text(&origin, "z.example.", 10), 0);
	ck_assert_int_eq(name_from_text(&ref->last_name, "last.z.example.", 15), 0);
	rrtext_set_origin(ref->rr, &origin);
	ref->origin = ldns_dname_new_frm_str("z.example.");
	ref->last = ldns_dname_new_frm_str("last.z.example.");
}

static void reference_fini(struct reference *ref)
{
	rrtext_free(ref->rr);
	ldns_rdf_deep_free(ref->origin);
	ldns_rdf_deep_free(ref->last);
}

START_TEST(ldns_takes_each_line_as_the_same)
{
	struct reference ref;
	unsigned taken = 0;

	reference_init(&ref);
	srand(4);
	for (unsigned round = 0; round < 100000; round++) {
		char line[LINE_MAX_TEST];

		make_line(line);
		if (!strchr(line, '\n'))
			taken += compare_line(&ref, line);
	}
	/* Not about nothing. */
	ck_assert_uint_gt(taken, 2500);
	reference_fini(&ref);
}
END_TEST

static bool takes(const char *line)
{
	struct rrline got;

	return rrline_read(line, strlen(line), &got);
}

/* What is quick and what is not: each of these is meant. */
START_TEST(takes_plain_lines_alone)
{
	static const char *const plain_lines[] = {
		"a A 10.0.0.1",
		"a 300 IN A 10.0.0.1",
		"a IN 1h30m A 10.0.0.1",
		"a in a 10.0.0.1 ; a comment with \"quotes\" and (brackets",
		"a 0 AAAA fd00::1;",
		" A 10.0.0.1",
		"\tCNAME\tb.",
		"A A 10.0.0.1",
		"IN IN A 10.0.0.1",
		"300 A 10.0.0.1",
		"* CNAME *.b",
	};
	static const char *const others[] = {
		"",
		"  ",
		"; a A 10.0.0.1",
		"a",
		"a A",
		"A 10.0.0.1",
		"a A 10.0.0.1 x",
		"a A 10.0.0.1 10.0.0.2",
		"a A fd00::1",
		"a AAAA 10.0.0.1",
		"a A 10.0.0.01",
		"a A ( 10.0.0.1 )",
		"a (A 10.0.0.1)",
		"a A \\# 4 0a000001",
		"a\\.b A 10.0.0.1",
		"a CNAME b\\.c",
		"\"a\" A 10.0.0.1",
		"a A \"10.0.0.1\"",
		"a\fA 10.0.0.1",
		"a TXT b",
		"a TYPE1 10.0.0.1",
		"a CLASS1 A 10.0.0.1",
		"a CH A 10.0.0.1",
		"a IN IN A 10.0.0.1",
		"a 1 2 A 10.0.0.1",
		"a 2147483648 A 10.0.0.1",
		"a [AGE:1] 1 A 10.0.0.1",
		"$ORIGIN A 10.0.0.1",
		"a$ A 10.0.0.1",
		"@ A 10.0.0.1",
		"a CNAME @",
		"a/b A 10.0.0.1",
		"\xc3\xa4 A 10.0.0.1",
	};

	for (size_t i = 0; i < COUNT(plain_lines); i++)
		ck_assert_msg(takes(plain_lines[i]), "%s", plain_lines[i]);
	for (size_t i = 0; i < COUNT(others); i++)
		ck_assert_msg(!takes(others[i]), "%s", others[i]);
}
END_TEST

static Suite *rrline_suite(void)
{
	Suite *suite = suite_create("rrline");
	TCase *tests = tcase_create("rrline");

	/* Thousands of files, with sanitizers on a machine that does other things too. */
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, files_are_the_same_either_way);
	tcase_add_test(tests, fuzz_seeds_are_the_same_either_way);
	tcase_add_test(tests, long_lines_are_the_same_either_way);
	tcase_add_test(tests, ldns_takes_each_line_as_the_same);
	tcase_add_test(tests, takes_plain_lines_alone);
	suite_add_tcase(suite, tests);
	return suite;
}

UNIT_MAIN(rrline_suite)
