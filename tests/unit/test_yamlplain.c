/* SPDX-License-Identifier: MIT */
/*
 * source/yamlplain: the quick way through plain lines of our YAML against libyaml. Whole documents,
 * nasty ones, random ones and the seeds of the fuzz target, have to give the same events, places
 * and problems with it and without it, and the same records and complaints in the end.
 */
#include "source/yamlplain.h"

#include "fuzz/yamlsame.h"
#include "source/yaml.h"
#include "unit/records.h"

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

static const size_t blocks[] = { 0, 1, 2, 3, 7, 61, 4096 };

/* ---- with it and without it ------------------------------------------------------------------ */

static void compare_events(const char *octets, size_t len, size_t block)
{
	const char *differs = yamlsame((const uint8_t *)octets, len, block);

	ck_assert_msg(!differs, "%s:\n%s", differs, octets);
}

static void compare_records(const char *text, const char *origin, size_t block)
{
	static struct read_result quick, slow;

	read_in_blocks(yaml_read, true, text, origin, block, &quick);
	read_in_blocks(yaml_read_slowly, true, text, origin, 0, &slow);
	ck_assert_msg(strcmp(quick.complaints, slow.complaints) == 0, "%s\n--\n%s--\n%s", text,
		      quick.complaints, slow.complaints);
	ck_assert_msg(strcmp(quick.records, slow.records) == 0, "%s\n--\n%s--\n%s", text,
		      quick.records, slow.records);
	ck_assert_uint_eq(quick.errors, slow.errors);
	ck_assert_uint_eq(quick.warnings, slow.warnings);
}

static void compare(const char *text)
{
	for (size_t i = 0; i < COUNT(blocks); i++)
		compare_events(text, strlen(text), blocks[i]);
	compare_records(text, NULL, 0);
	compare_records(text, "conf.example", 3);
}

/* Events that are given before something is not plain; negative where all is. */
static int count_plain(const char *octets)
{
	struct text *text = records_stream(octets, strlen(octets), 0);
	static struct yamlplain plain;
	yaml_event_t event = { 0 };
	int count = 0;

	yamlplain_init(&plain, text);
	while (event.type != YAML_STREAM_END_EVENT && yamlplain_next(&plain, &event))
		count++;
	text_close(text);
	return event.type == YAML_STREAM_END_EVENT ? -count : count;
}

/* ---- what is plain --------------------------------------------------------------------------- */

/* What convert writes, what the manual shows, what other writers of YAML make of it. */
START_TEST(takes_plain_documents_whole)
{
	static const char *const documents[] = {
		"hosts:\n  a.example: 10.0.0.1\n",
		"hosts:\n  a.example: 10.0.0.1",
		"---\nhosts:\n  a.example: 10.0.0.1\n",
		"# Names\n\n  # of the lab\n---\n# \tthere\nttl: 30\nhosts:\n  a.example: "
		"10.0.0.1\n"
		"   \n",
		"ttl: 10\nhosts:      # name: one or more\n  a.example: 10.0.0.1   # why\n\n"
		"  b.example: [10.0.0.2, \"fd00::2\" ,'10.0.0.3']  # list\n"
		"records:    # else\n  - c.example. 300 IN CNAME a.example.\n",
		"records:\n  - 'a. 10 IN TXT \"x; y\\\\z\"'\n  - \"b. A 10.0.0.1\"\n"
		"  - c. A 10.0.0.2 \n",
		"records:\n- a. A 10.0.0.1\n- 'b. A 10.0.0.1'\nttl: 5\n",
		"hosts:\n    a.example:\n    - 10.0.0.1\n    - 10.0.0.2\n    '*.b.example':\n"
		"      - \"fd00::1\"\n      -   fd00::2 # two\n    c.example:   10.0.0.3\nttl: 5\n",
		"key:\n x: a b  c#d 'e' [f] {g} h:i \"j, & *k !l |m >n %o @p `q\n y: b, c]\n z: "
		"d\\\n",
		"_k: _\n'k': ''\n\"\": \"# ' \"\nnull: true\n1: 2\n",
	};

	for (size_t i = 0; i < COUNT(documents); i++) {
		compare(documents[i]);
		ck_assert_msg(count_plain(documents[i]) < 0, "%s", documents[i]);
	}
}
END_TEST

/*
 * What is not plain, what is wrong, and what is so short that libyaml looks beyond it: alone, below
 * plain lines, between them, at several columns.
 */
START_TEST(leaves_the_rest_to_libyaml)
{
	static const char *const others[] = {
		/* values that go on, or are none */
		"a: b\n    c",
		"a: b\n\n    c",
		"a: b\n # c\n    c",
		"a: 'b\n    c'",
		"a: \"b\\\n    c\"",
		"a: [b,\n    c]",
		"a:",
		"a: # none",
		"a: \n  b",
		"a: |\n    b: c\n    d: e",
		"a: >-\n    b: c\n\n    - e",
		"a: ~",
		"a: ''''",
		"a: 'b''c'",
		"a: \"b\\\"c\"",
		"a: \"b\\x41\\u00e4\\0\"",
		"a: \"b\\q\"",
		/* keys */
		"? a\n  : b",
		"? a",
		": b",
		"a : b",
		"'a'b: c",
		"'a': b: c",
		"a: b: c",
		"a: b:",
		"a:b",
		"a:b: c",
		"a",
		"'a'",
		"*a: b",
		"&a b: c",
		"!a b: c",
		"<<: *a",
		"[a]: b",
		"{a: b}: c",
		"\xc3\xa4: b",
		"a.b/c: d",
		"-a: b",
		".a: b",
		"- a: b",
		"-",
		"- ",
		"- - a",
		"- [a]",
		"-\ta",
		/* values of other kinds */
		"a: &b c",
		"a: *b",
		"a: !b c",
		"a: !!str c",
		"a: {b: c}",
		"a: {}",
		"a: []",
		"a: [b, ]",
		"a: [, b]",
		"a: [b, [c]]",
		"a: [b: c]",
		"a: [b c]",
		"a: [fd00::1, ::1]",
		"a: [b, c",
		"a: [b] c",
		"a: [b]#c",
		"a: [b #c]",
		"a: ['b'c]",
		"a: 'b' c",
		"a: 'b'# c",
		"a: \"b\"c",
		"a: 'b",
		"a: \"b",
		"a: ::1",
		"a: -1",
		"a: - b",
		"a: ? b",
		"a: @b",
		"a: `b",
		"a: %b",
		"a: ]",
		/* blanks and odd octets */
		"a:\tb",
		"a: \tb",
		"a: b\t",
		"a: b\t# c",
		"\ta: b",
		"  \t# c",
		"\t",
		"a: b\tc",
		"a: b # \x7f",
		"a: b # \xc3\xa4",
		"# \xc2\x85 a",
		"a: \x01",
		"a: \xff",
		"\xef\xbb\xbf",
		"a: b\xe2\x80\xa8  c: d",
		"#a",
		"# \xc3\xa4",
		/* the shortest */
		"a:\n\xff",
		"-\n\xff",
		"-\n\n\xff",
		"''\n\xff",
		"[]\n\xff",
		"a:\n\n\n\xff",
		/* documents */
		"---",
		"--- a",
		"---\n---",
		"...",
		"...\n",
		"... a",
		"%YAML 1.1",
		"%YAML 1.1\n---",
		"%TAG ! x",
		"---a: b",
		"...a: b",
		/* columns */
		"a: b\n   c: d",
		"a: b\n c: d",
		"a:\n  b: c\n   d: e",
		"a:\n   b: c\n  d: e",
		"a:\n  - b\n - c",
		"a:\n  - b\n   - c",
		"a:\n- b\n  - c",
		"a:\n  - b\n  c: d",
		"a:\n - b\nc\n",
		"a:\n  b:\n    c:\n      d: e",
		"a:\n  b:\n    c:\n    - d",
	};
	static const struct {
		const char *before, *behind;
	} around[] = {
		{ "", "\n" },
		{ "", "" },
		{ "hosts:\n  x.example: 10.0.0.1\n", "\n" },
		{ "hosts:\n  x.example: 10.0.0.1\n", "\ny: 10.0.0.2\n" },
		{ "hosts:\n  x.example: 10.0.0.1\n  ", "" },
		{ "hosts:\n  x.example: 10.0.0.1\n  ", "\n" },
		{ "hosts:\n  x.example: 'a'\n  ", "\n  y.example: 10.0.0.2\n" },
		{ "hosts:\n  x.example: [10.0.0.1]\n  ", "\n\n# c\n    y.example: 10.0.0.2\n" },
		{ "hosts:\n  x.example:\n  - 10.0.0.1\n  ", "\n  y.example: 10.0.0.2\nttl: 1\n" },
		{ "records:\n  - 'x. A 10.0.0.1'\n  ", "\n  - y. A 10.0.0.2\nttl: 1\n" },
		{ "records:\n- 'x. A 10.0.0.1'\n", "\n- y. A 10.0.0.2\nttl: 1\n" },
		{ "records:\n- x. A 10.0.0.1\n", "\n- y. A 10.0.0.2\nttl: 1\n" },
		{ "records:\n- x. A 10.0.0.1\n# c\n\n  ", "\n- y. A 10.0.0.2\nttl: 1\n" },
		{ "---\nrecords:\n  -   x. A 10.0.0.1\n      ", "\nttl: 1" },
	};
	char text[1024];

	for (size_t i = 0; i < COUNT(others); i++) {
		ck_assert_msg(count_plain(others[i]) >= 0, "%s", others[i]);
		for (size_t j = 0; j < COUNT(around); j++) {
			snprintf(text, sizeof(text), "%s%s%s", around[j].before, others[i],
				 around[j].behind);
			compare_events(text, strlen(text), 0);
			compare_events(text, strlen(text), blocks[(i + j) % COUNT(blocks)]);
			if ((i + j) % 4 == 0)
				compare_records(text, NULL, blocks[i % COUNT(blocks)]);
		}
	}
}
END_TEST

/* Nor before it would: each line is plain, but what comes next might go on with it. */
START_TEST(gives_nothing_that_libyaml_would_not)
{
	ck_assert_int_eq(count_plain("a: b\n"), -8);
	ck_assert_int_eq(count_plain("a: b\n  c\n"), 1);
	ck_assert_int_eq(count_plain("a: b\nc: d\n  e\n"), 5);
	ck_assert_int_eq(count_plain("a: b\n# \xc3\xa4\n"), 1);
	ck_assert_int_eq(count_plain(""), 0);
	ck_assert_int_eq(count_plain("# c\n"), 0);
	ck_assert_int_eq(count_plain("---\n"), 1);
	/* In a last line without end libyaml sees a column. */
	ck_assert_int_eq(count_plain("key:\n    b: c\n  # d\n"), -11);
	ck_assert_int_eq(count_plain("key:\n    b: c\n  # d"), 4);
	compare("key:\n    b: c\n  # d");
	compare("key:\n    b: c\n  ");
}
END_TEST

/* Lines around the longest that is taken, and keys around the longest that libyaml takes. */
START_TEST(long_lines_are_the_same_either_way)
{
	static char text[4 * YAMLPLAIN_LINE_MAX], filler[2 * YAMLPLAIN_LINE_MAX];

	for (int len = YAMLPLAIN_LINE_MAX - 12; len < YAMLPLAIN_LINE_MAX + 12; len++) {
		memset(filler, 'a', sizeof(filler));
		snprintf(text, sizeof(text), "%.*s: b\nc: d\n", len, filler);
		compare_events(text, strlen(text), 0);
		snprintf(text, sizeof(text), "c: '%.*s'\nd:\n- \"%.*s\" # e\n- f\n", len, filler,
			 len, filler);
		compare_events(text, strlen(text), 7);
		snprintf(text, sizeof(text), "c: d\n#%.*s\nd: e\n", len, filler);
		compare_events(text, strlen(text), 0);
		for (int i = 1; i < len; i += 2)
			filler[i] = ',';
		filler[len | 1] = 'a';
		snprintf(text, sizeof(text), "c: [%.*s]\nd: e\n", len | 1, filler);
		compare_events(text, strlen(text), 0);
	}
}
END_TEST

/* A file may change before libyaml begins at its start: nothing fits together then, but it ends. */
START_TEST(a_text_that_changes_comes_to_an_end)
{
	static const char *const others[] = { "[]", "- - a", "a: b", "'", "# c", "{a: {b: c}}" };

	for (size_t i = 0; i < COUNT(others) * 12; i++) {
		char octets[] = "hosts:\n  a.example: 10.0.0.1\n  b.example: 'c''d'\nttl: 5\n";
		struct text *text = records_stream(octets, strlen(octets), 1);
		struct yamlfeed *feed = yamlfeed_new(text, true);
		size_t count = 0;

		ck_assert_ptr_nonnull(feed);
		while (count < i % 12 && yamlfeed_next(feed))
			count++;
		memset(octets, '\n', strlen(octets));
		memcpy(octets, others[i / 12], strlen(others[i / 12]));
		while (yamlfeed_next(feed))
			ck_assert_uint_lt(++count, 100);
		ck_assert_ptr_null(yamlfeed_next(feed));
		yamlfeed_free(feed);
		text_close(text);
	}
}
END_TEST

/* Comments up to libyaml's limit and over it. */
START_TEST(much_between_is_the_same_either_way)
{
	static const size_t sizes[] = { 60 << 10, 70 << 10, YAML_PIECE_MAX - 100,
					YAML_PIECE_MAX + 100 };
	char *text = malloc(2 * YAML_PIECE_MAX);

	ck_assert_ptr_nonnull(text);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		size_t len = (size_t)sprintf(text, "a: b\nc: d\n");

		while (len < sizes[i])
			len += (size_t)sprintf(text + len, "# comment\n\n");
		strcpy(text + len, "e: f\n");
		compare_events(text, strlen(text), 0);
	}
	free(text);
}
END_TEST

/* Those of plain words are read by source/rrline, whether the quick way gave them or libyaml. */
START_TEST(records_are_the_same_either_way)
{
	static const char *const records[] = {
		"a. A 10.0.0.1",
		"a. 300 IN A 10.0.0.1",
		"'a. in 1h AAAA fd00::1;why'",
		"'a. CNAME b'",
		"a CNAME b.",
		"a A 10.0.0.1",
		"'a. CNAME @'",
		"'a. CNAME b..c'",
		"'a..b. A 10.0.0.1'",
		"'a\\.b. A 10.0.0.1'",
		"' A 10.0.0.1'",
		"'\tA 10.0.0.1'",
		"'a. A 10.0.0.1 '",
		"'a. A 10.0.0.1 x'",
		"'a. A 10.0.0.256'",
		"'a. A fd00::1'",
		"'a. 2147483648 A 10.0.0.1'",
		"'a. TXT x'",
		"'$TTL A 10.0.0.1'",
		"'; a. A 10.0.0.1'",
		"''",
		"A A 10.0.0.1",
		"\"a. A 10.0.0.1\\n\"",
		"\"a. A 10.0.0.1\\r\"",
		"\"a. A 10.0.0.1 ; c\\r\"",
		"\"a. A 10.0.0.1 ; c\\nb. A 10.0.0.2\"",
		"\"a. A 10.0.0.1 ; c\\n; d\"",
		"\"a. A 10.0.0.1 ; c\\0\"",
		"\"a. A 10.0.0.1\\0\"",
		"\"\\na. A 10.0.0.1\"",
		"\"a. (\\n A 10.0.0.1 )\"",
		"\"a. A 10.0.0.1 ; \\xe4\"",
		"a. A\n    10.0.0.1",
	};
	char text[1024];

	for (size_t i = 0; i < COUNT(records); i++) {
		for (size_t j = 0; j < COUNT(records); j++) {
			snprintf(text, sizeof(text), "records:\n  - %s\n  - %s\n  - z A 10.0.0.9\n",
				 records[i], records[j]);
			compare_records(text, (i + j) % 2 ? "conf.example" : NULL, 0);
		}
	}
}
END_TEST

/* ---- random ones ----------------------------------------------------------------------------- */

static const char *any(const char *const *list, size_t count)
{
	return list[(size_t)rand() % count];
}
#define ANY(list) any(list, COUNT(list))

static const char *any_indent(void)
{
	static const char *const indents[] = {
		"", "", "  ", "  ", "  ", "    ", "    ", " ", "   "
	};

	return ANY(indents);
}

static size_t put_line(char *out)
{
	static const char *const keys[] = {
		"hosts:",     "records:",       "ttl:",           "a.example:",
		"b.example:", "'*.c.example':", "\"d.example\":", "k:",
	};
	static const char *const values[] = {
		"10.0.0.1",
		"10.0.0.2",
		"fd00::1",
		"'10.0.0.3'",
		"\"fd00::2\"",
		"[10.0.0.4]",
		"[10.0.0.5, 'fd00::3' , \"fd00::4\"]",
		"a. 300 IN A 10.0.0.6",
		"'b. TXT \"x y\"'",
		"300",
	};
	static const char *const ends[] = { "", "", "", " ", " # comment" };
	static const char *const others[] = { "", "", "# comment", "  # comment", "---", "   " };

	switch (rand() % 8) {
	case 0:
		return (size_t)sprintf(out, "%s\n", ANY(others));
	case 1:
		return (size_t)sprintf(out, "%s%s%s\n", any_indent(), ANY(keys), ANY(ends));
	case 2:
	case 3:
		return (size_t)sprintf(out, "%s- %s%s\n", any_indent(), ANY(values), ANY(ends));
	default:
		return (size_t)sprintf(out, "%s%s %s%s\n", any_indent(), ANY(keys), ANY(values),
				       ANY(ends));
	}
}

static size_t put_plain(char *out)
{
	static const char *const hosts[] = {
		"  a.example: 10.0.0.1\n",       "  'b.example': \"10.0.0.2\"\n",
		"  c.example: [10.0.0.3]\n",     "  d.example:\n    - 10.0.0.4\n    - 10.0.0.5\n",
		"  e.example:\n  - 10.0.0.6\n",  "\n  # comment\n",
		"  f.example: 10.0.0.7 # why\n", "  g.example: [10.0.0.8, 'fd00::8'] # why\n",
	};
	static const char *const records[] = {
		"  - a. A 10.0.0.1\n",
		"  - 'b. A 10.0.0.2'\n",
		"  - \"c. A 10.0.0.3\" # why\n",
		"\n",
		"    # comment\n\n",
		"  - d. CNAME e.\n",
	};
	size_t len = (size_t)sprintf(out, "%s%shosts:\n", rand() % 3 ? "" : "---\n",
				     rand() % 3 ? "" : "ttl: 5\n");

	for (int i = rand() % 8; i >= 0; i--)
		len += (size_t)sprintf(out + len, "%s", ANY(hosts));
	if (rand() % 2)
		return len;
	len += (size_t)sprintf(out + len, "records:\n");
	for (int i = rand() % 8; i >= 0; i--)
		len += (size_t)sprintf(out + len, "%s", ANY(records));
	return len;
}

/* One octet changed, put in or taken out. */
static void mutate(char *text, size_t *len)
{
	static const char octets[] = "\n\n  \t#:-'\"[],{}\\&*!|>%@`?~.aZ0_\x7f\x01\xc3\xa4\xff";
	char octet = octets[(size_t)rand() % (sizeof(octets) - 1)];
	size_t at = (size_t)rand() % *len;

	switch (rand() % 3) {
	case 0:
		text[at] = octet;
		break;
	case 1:
		memmove(text + at + 1, text + at, *len - at + 1);
		text[at] = octet;
		++*len;
		break;
	default:
		memmove(text + at, text + at + 1, *len - at);
		--*len;
	}
}

START_TEST(random_documents_are_the_same_either_way)
{
	unsigned whole = 0, part = 0, none = 0;
	static char text[8192];

	srand(1);
	for (unsigned round = 0; round < 8000; round++) {
		size_t len = 0, block = blocks[round % COUNT(blocks)];
		int plain;

		if (round % 4)
			len = put_plain(text);
		else
			for (int i = rand() % 12; i >= 0; i--)
				len += put_line(text + len);
		for (int i = rand() % 4; i > 0 && len; i--)
			mutate(text, &len);
		compare_events(text, len, block);
		if (round % 16 == 0)
			compare_records(text, round % 3 ? "conf.example" : NULL, block);
		plain = count_plain(text);
		whole += plain < 0;
		part += plain > 0;
		none += !plain;
	}
	/* About all of it. */
	ck_assert_uint_gt(whole, 1000);
	ck_assert_uint_gt(part, 1000);
	ck_assert_uint_gt(none, 200);
}
END_TEST

static void compare_seed(char *text, size_t len)
{
	for (size_t i = 0; i < COUNT(blocks); i++)
		compare_events(text, len, blocks[i]);
}

START_TEST(fuzz_seeds_are_the_same_either_way)
{
	records_seeds("yaml", compare_seed);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("yamlplain");
	TCase *tcase = tcase_create("yamlplain");

	/* Sanitizers. */
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, takes_plain_documents_whole);
	tcase_add_test(tcase, leaves_the_rest_to_libyaml);
	tcase_add_test(tcase, gives_nothing_that_libyaml_would_not);
	tcase_add_test(tcase, long_lines_are_the_same_either_way);
	tcase_add_test(tcase, a_text_that_changes_comes_to_an_end);
	tcase_add_test(tcase, much_between_is_the_same_either_way);
	tcase_add_test(tcase, records_are_the_same_either_way);
	tcase_add_test(tcase, random_documents_are_the_same_either_way);
	tcase_add_test(tcase, fuzz_seeds_are_the_same_either_way);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(make_suite)
