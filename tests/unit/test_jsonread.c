/* SPDX-License-Identifier: MIT */
/* source/jsonread and source/yamlread: text in, events and complaints out, as text. */
#include "source/jsonread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source/yamlread.h"
#include "unit/unit.h"

static char events[4096], told[65536];
static size_t told_count;

static void tell(void *arg, const struct complaint *complaint)
{
	size_t len = strlen(told);

	(void)arg;
	told_count++;
	snprintf(told + len, sizeof(told) - len, "%s\n", complaint->text);
}

static void write_event(const struct json_event *event)
{
	static const char *const marks[] = { "{", "}", "[", "]", "k:", "t:", "n:", "w:", "null" };
	size_t len = strlen(events);

	snprintf(events + len, sizeof(events) - len, "%s%s%s%.*s%s", len ? " " : "",
		 event->bad ? "!" : "", marks[event->kind],
		 event->len < 100 ? (int)event->len : 100,
		 event->kind == JSON_NULL ? "" : event->text, event->cut ? "..." : "");
}

static struct complaints clean(void)
{
	events[0] = told[0] = '\0';
	told_count = 0;
	return (struct complaints){ .tell = tell };
}

static struct text *stream(const char *octets, size_t len, size_t block)
{
	struct text *text = text_from_memory((const uint8_t *)octets, len);
	struct complaints none = { 0 };

	ck_assert_ptr_nonnull(text);
	text_set_block(text, block);
	ck_assert_int_eq(text_survey(text, "f", &none, NULL), 0);
	return text;
}

/* The events of a text with a length; what was told is in `told`. */
static const char *read_block(const char *octets, size_t len, size_t block)
{
	struct complaints to = clean();
	struct text *text = stream(octets, len, block);
	struct jsonread *read = jsonread_new("f", text, &to);
	struct json_event event;

	ck_assert_ptr_nonnull(read);
	while (jsonread_next(read, &event))
		if (strlen(events) < 2048)
			write_event(&event);
	ck_assert(!jsonread_next(read, &event));
	ck_assert(!jsonread_stopped(read) || to.errors);
	jsonread_free(read);
	text_close(text);
	complaints_end(&to, NULL);
	return events;
}

/* The same in blocks of odd sizes. */
static const char *read_len(const char *text, size_t len)
{
	static char first_events[sizeof(events)], first_told[sizeof(told)];
	static const size_t blocks[] = { 1, 2, 3, 7, 4096 };

	strcpy(first_events, read_block(text, len, 0));
	strcpy(first_told, told);
	for (size_t i = len > 20000 ? 4 : 0; i < sizeof(blocks) / sizeof(*blocks); i++) {
		ck_assert_str_eq(read_block(text, len, blocks[i]), first_events);
		ck_assert_str_eq(told, first_told);
	}
	return events;
}

static const char *read_json(const char *text)
{
	return read_len(text, strlen(text));
}

static const char *read_yaml(const char *octets)
{
	struct complaints to = clean();
	struct text *text = stream(octets, strlen(octets), 5);
	struct yamlread *read = yamlread_new("f", text, &to);
	struct json_event event;

	ck_assert_ptr_nonnull(read);
	while (yamlread_next(read, &event))
		write_event(&event);
	ck_assert(!yamlread_next(read, &event));
	yamlread_free(read);
	text_close(text);
	return events;
}

static void expect(const char *text, const char *wanted)
{
	ck_assert_str_eq(read_json(text), wanted);
	ck_assert_str_eq(told, "");
}

static void expect_told(const char *text, const char *wanted, const char *complaints)
{
	ck_assert_str_eq(read_json(text), wanted);
	ck_assert_str_eq(told, complaints);
}

START_TEST(reads_values)
{
	expect("{}", "{ }");
	expect(" [ ] \n", "[ ]");
	expect("{\"a\":1,\"b\" : [true, false,null,\"x\"]}",
	       "{ k:a n:1 k:b [ w:true w:false null t:x ] }");
	expect("\"\"", "t:");
	expect("[0,-0,10,1.5,-1e9,2E+3,3.25e-10]",
	       "[ n:0 n:-0 n:10 n:1.5 n:-1e9 n:2E+3 n:3.25e-10 ]");
	expect("[123456789012345678901234567890123456789012345678901234567890]",
	       "[ n:123456789012345678901234567890123456789012345678901234567890 ]");
}
END_TEST

START_TEST(reads_escapes)
{
	expect("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]", "[ t:\"\\/\b\f\n\r\t ]");
	expect("[\"\\u0041\\u00e4\\u20AC\\ud83d\\ude00\"]",
	       "[ t:A\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80 ]");
	expect("[\"a\x7f\xc3\xa4\\u007f\"]", "[ t:a\x7f\xc3\xa4\x7f ]");
	expect("{\"\\u0061\":\"b\\u002fc\"}", "{ k:a t:b/c }");
}
END_TEST

START_TEST(tells_bad_texts)
{
	expect_told(
		"[\"a\\u0000\", \"\\ud83d\", \"\\ude00x\", \"\\ud83d\\u0041\"]",
		"[ !t:a? !t:? !t:?x !t:?A ]",
		"f:1:4: `\\u0000`, a NUL character; take it out\n"
		"f:1:14: half a character: the second `\\u` of a pair is missing; correct it\n"
		"f:1:24: half a character: the first `\\u` of a pair is missing; correct it\n"
		"f:1:35: half a character: the second `\\u` of a pair is missing; correct it\n");
	expect_told("[\"\\x\",\"\\u12g4\"]", "[ !t:?x !t:?12g4 ]",
		    "f:1:3: no escape that JSON has; write `\\\\` for a backslash\n"
		    "f:1:8: `\\u` takes four hexadecimal digits; correct it\n");
	expect_told(
		"[\"a\tb\"]", "[ !t:a\tb ]",
		"f:1:4: a control character in a text; write it as `\\t` or `\\u00XX`, or take it "
		"out\n");
	expect_told("['a']", "[ !t:a ]", "f:1:2: single quotes; JSON has double ones alone\n");
	/* The next line is whole. */
	expect_told("{\"a\": \"b\n,\"c\": \"d\"}", "{ k:a !t:b k:c t:d }",
		    "f:1:9: the line ends inside a text; end it with a quote\n");
}
END_TEST

START_TEST(tells_bad_values)
{
	expect_told("[nul, NaN, 01, 1., .5, +1, 1e, -]",
		    "[ !w:nul !w:NaN !w:01 !w:1. !w:.5 !w:+1 !w:1e !w:- ]",
		    "f:1:2: `nul` is no JSON value; put a text into double quotes\n"
		    "f:1:7: `NaN` is no JSON value; put a text into double quotes\n"
		    "f:1:12: `01` is no JSON value; put a text into double quotes\n"
		    "f:1:16: `1.` is no JSON value; put a text into double quotes\n"
		    "f:1:20: `.5` is no JSON value; put a text into double quotes\n"
		    "f:1:24: `+1` is no JSON value; put a text into double quotes\n"
		    "f:1:28: `1e` is no JSON value; put a text into double quotes\n"
		    "f:1:32: `-` is no JSON value; put a text into double quotes\n");
	expect_told("{a: 1, 2: 3}", "{ !k:a n:1 !k:2 n:3 }",
		    "f:1:2: `a` is no JSON value; put a text into double quotes\n"
		    "f:1:9: a key without quotes; put it into double quotes\n");
}
END_TEST

START_TEST(tells_bad_commas)
{
	expect_told("[1,]", "[ n:1 ]", "f:1:3: a `,` with nothing behind it; take it out\n");
	expect_told("{\"a\":1,\n}", "{ k:a n:1 }",
		    "f:1:7: a `,` with nothing behind it; take it out\n");
	expect_told("[1,,2]", "[ n:1 n:2 ]", "f:1:3: a `,` with nothing behind it; take it out\n");
	expect_told("[1 2]", "[ n:1 n:2 ]", "f:1:4: no `,` before it; write one\n");
	expect_told(
		"{\"a\" 1 \"b\":2}", "{ k:a n:1 k:b n:2 }",
		"f:1:6: no `:` behind the key; write one\nf:1:8: no `,` before it; write one\n");
	expect_told("{\"a\":,\"b\":}", "{ k:a !null k:b !null }",
		    "f:1:6: a key without a value; write one\n"
		    "f:1:11: a key without a value; write one\n");
	expect_told("{\"a\"}", "{ k:a !null }", "f:1:5: a key without a value; write one\n");
}
END_TEST

START_TEST(stops_where_structure_is_lost)
{
	expect_told("{\"a\": [1}, 2]", "{ k:a [ n:1",
		    "f:1:9: a `}` that ends no `{`; correct it, what follows is not read\n");
	expect_told("]", "",
		    "f:1:1: a `]` that ends no `[`; correct it, what follows is not read\n");
	expect_told("{[1]: 2}", "{",
		    "f:1:2: a key has to stand here; correct it, what follows is not read\n");
	expect_told("{}\n{}", "{ }",
		    "f:2:1: a second document; put it into a file of its own, it is not read\n");
	expect_told("[] x", "[ ]",
		    "f:1:4: something behind the end; take it out, it is not read\n");
}
END_TEST

START_TEST(tells_a_cut)
{
	static const char whole[] = "{\"a\": [{\"b\": \"c\\n\"}, 12, null]}";

	for (size_t i = 1; i + 1 < sizeof(whole) - 1; i++) {
		read_len(whole, i);
		ck_assert_uint_ge(told_count, 1);
		ck_assert_msg(strstr(told, "the file is cut off: the `") != NULL, "%zu: %s", i,
			      told);
	}
	expect_told(
		"{\n \"a\": [\n", "{ k:a [",
		"f:3:1: the file is cut off: the `[` of line 2, column 7 is still open; copy or "
		"export it again\n");
	expect_told(" \n", "", "f:2:1: holds no value; export it again\n");
}
END_TEST

START_TEST(counts_characters)
{
	expect_told("[\"\xc3\xa4\xf0\x9f\x98\x80\", x]", "[ t:\xc3\xa4\xf0\x9f\x98\x80 !w:x ]",
		    "f:1:8: `x` is no JSON value; put a text into double quotes\n");
	expect_told("[\n  1,\n  x]", "[ n:1 !w:x ]",
		    "f:3:3: `x` is no JSON value; put a text into double quotes\n");
}
END_TEST

START_TEST(bounds_depth)
{
	static char text[3 * JSON_DEPTH_MAX];

	memset(text, '[', JSON_DEPTH_MAX);
	memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
	read_len(text, 2 * JSON_DEPTH_MAX);
	ck_assert_str_eq(told, "");
	memset(text, '[', sizeof(text));
	read_len(text, sizeof(text));
	ck_assert_str_eq(told,
			 "f:1:65: nested deeper than 64; this is none of Azure's exports, and "
			 "what follows is not read\n");
}
END_TEST

START_TEST(bounds_texts)
{
	size_t size = 2 * JSON_TEXT_MAX;
	char *text = malloc(size + 1);

	for (int escape = 0; escape < 2; escape++) {
		memset(text, 'a', size);
		memcpy(text, "[\"", 2);
		if (escape)
			memcpy(text + 100, "\\u20ac", 6);
		memcpy(text + size - 4, "\",1]", 4);
		read_len(text, size);
		ck_assert_str_eq(told, "");
		ck_assert_ptr_nonnull(strstr(events, "... n:1 ]"));
	}
	free(text);
}
END_TEST

/* A text of `size` octets: `start`, then `unit` again and again. */
static void read_many(const char *start, const char *unit, size_t size)
{
	size_t at = strlen(start), len = strlen(unit);
	char *text = malloc(size + 1);

	memcpy(text, start, at);
	for (; at + len <= size; at += len)
		memcpy(text + at, unit, len);
	read_len(text, at);
	free(text);
}

/* The worst of each kind, to its end: a reader that took quadratic time would be stopped before. */
START_TEST(reads_long_texts)
{
	static const char *const units[] = { "1,",     "\"a\",",       "{},", "[[[[]]]],",
					     "x,",     "\"\\u0000\",", "\n",  "'",
					     ",",      "\"a\" ",       "\\",  "\"\\ud83d\\ude00\\",
					     "{\"a\":" };

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		read_many("[", units[i], 200000);
}
END_TEST

START_TEST(reads_yaml)
{
	ck_assert_str_eq(read_yaml("- a: 1\n  b: [x, ~, '', null]\n- c:\n"),
			 "[ { k:a t:1 k:b [ t:x null t: null ] } { k:c null } ]");
	ck_assert_str_eq(told, "");
	ck_assert_str_eq(read_yaml(""), "");
	ck_assert_str_eq(read_yaml("a: &x 1\nb: *x\n"), "{ k:a t:1 k:b !null }");
	ck_assert_str_eq(told, "f:1:4: an anchor; take it out and write values where they are "
			       "needed\nf:2:4: an alias; write the value out\n");
	ck_assert_str_eq(read_yaml("a: 1\n---\nb: 2\n"), "{ k:a t:1 }");
	ck_assert_str_eq(
		told, "f:2:1: a second document; put it into a file of its own, it is not read\n");
	ck_assert_str_eq(read_yaml("? [a]\n: 1\n"), "{");
	ck_assert_str_eq(told,
			 "f:1:3: a key has to stand here; correct it, what follows is not read\n");
	ck_assert_str_eq(read_yaml("a: [1\nb: 2\n"), "{ k:a [ t:1 b");
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("jsonread");
	TCase *tcase = tcase_create("jsonread");

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, reads_values);
	tcase_add_test(tcase, reads_escapes);
	tcase_add_test(tcase, tells_bad_texts);
	tcase_add_test(tcase, tells_bad_values);
	tcase_add_test(tcase, tells_bad_commas);
	tcase_add_test(tcase, stops_where_structure_is_lost);
	tcase_add_test(tcase, tells_a_cut);
	tcase_add_test(tcase, counts_characters);
	tcase_add_test(tcase, bounds_depth);
	tcase_add_test(tcase, bounds_texts);
	tcase_add_test(tcase, reads_long_texts);
	tcase_add_test(tcase, reads_yaml);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(make_suite)
