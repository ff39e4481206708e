/* SPDX-License-Identifier: MIT */
/* source/text: octets to text through a window, in one piece and in blocks of any size. */
#include "source/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit/records.h"

static struct complaints told;
static char told_text[4096];

static void tell(void *arg, const struct complaint *complaint)
{
	(void)arg;
	snprintf(told_text, sizeof(told_text), "%s", complaint->text);
}

static const size_t blocks[] = { 1, 2, 3, 4, 5, 7, 4096 };
#define BLOCKS (sizeof(blocks) / sizeof(*blocks))

/* All of the text into `out`, `want` octets or more at a time; how many there were. */
static size_t collect(struct text *text, size_t want, char *out, size_t room)
{
	size_t used = 0;

	for (size_t len; (len = text_fill(text, want)); used += len) {
		ck_assert_int_eq(*text->end, '\0');
		ck_assert_uint_eq(text_offset(text), used);
		ck_assert_uint_lt(used + len, room);
		memcpy(out + used, text->at, len);
		text->at = text->end;
	}
	out[used] = '\0';
	return used;
}

static struct text *open_memory(const void *data, size_t len, size_t block)
{
	struct text *text = text_from_memory(data, len);

	ck_assert_ptr_nonnull(text);
	told = (struct complaints){ .tell = tell };
	told_text[0] = '\0';
	text_set_block(text, block);
	ck_assert_int_eq(text_survey(text, "f", &told, NULL), 0);
	return text;
}

/* The decoded text, static: the same in one piece and in blocks, the first time and again. */
static const char *decode(const void *data, size_t len)
{
	static char copy[4096], other[4096];
	char *whole, first_told[sizeof(told_text)];
	size_t whole_len;

	told = (struct complaints){ .tell = tell };
	told_text[0] = '\0';
	ck_assert_int_eq(text_decode("f", data, len, &told, &whole, &whole_len), 0);
	ck_assert_uint_eq(strlen(whole), whole_len);
	snprintf(copy, sizeof(copy), "%s", whole);
	free(whole);
	strcpy(first_told, told_text);
	for (size_t i = 0; i < BLOCKS; i++) {
		struct text *text = open_memory(data, len, blocks[i]);

		for (int pass = 0; pass < 2; pass++) {
			ck_assert_uint_eq(collect(text, (size_t)pass + 1, other, sizeof(other)),
					  whole_len);
			ck_assert_str_eq(other, copy);
			text_rewind(text);
		}
		ck_assert_str_eq(told_text, first_told);
		ck_assert_uint_eq(text_length(text), whole_len);
		ck_assert(!text_has_changed(text));
		text_close(text);
	}
	return copy;
}

START_TEST(decodes_utf8)
{
	ck_assert_str_eq(decode("a\nb", 3), "a\nb");
	ck_assert_str_eq(decode("\xef\xbb\xbf"
				"a",
				4),
			 "a");
	ck_assert_str_eq(decode("", 0), "");
	ck_assert_str_eq(decode("\xef\xbb\xbf", 3), "");
	/* Latin-1 in a comment is nobody's business. */
	ck_assert_str_eq(decode("# \xfc\n", 4), "# \xfc\n");
}
END_TEST

START_TEST(decodes_line_ends)
{
	ck_assert_str_eq(decode("a\r\nb\r\n", 6), "a\nb\n");
	ck_assert_str_eq(decode("a\rb\r", 4), "a\nb\n");
	ck_assert_str_eq(decode("a\r\r\nb", 5), "a\n\nb");
	ck_assert_str_eq(decode("a\n\rb", 4), "a\n\nb");
	ck_assert_str_eq(decode("\r\xc3\xa4\n", 4), "\n\xc3\xa4\n");
}
END_TEST

START_TEST(decodes_utf16)
{
	ck_assert_str_eq(decode("\xff\xfe"
				"a\0\r\0\n\0b\0",
				10),
			 "a\nb");
	ck_assert_str_eq(decode("\xfe\xff"
				"\0a\0\r\0\n\0b",
				10),
			 "a\nb");
	ck_assert_str_eq(decode("\xff\xfe\xe4\0\xac\x20\x3d\xd8\x00\xde", 10),
			 "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
	ck_assert_str_eq(decode("\xff\xfe", 2), "");
}
END_TEST

/* What is left of it, and that there was one complaint. */
static const char *decode_bad(const void *data, size_t len)
{
	const char *text = decode(data, len);

	ck_assert_uint_eq(told.errors, 1);
	return text;
}

START_TEST(keeps_lines_before_a_cut)
{
	ck_assert_str_eq(decode_bad("a\nb\0c", 5), "a\n");
	ck_assert_str_eq(
		told_text,
		"f:2: a NUL octet: the file is cut off or not text; copy or export it again");
	ck_assert_str_eq(decode_bad("\xff\xfe"
				    "a\0\n\0b\0c",
				    9),
			 "a\n");
	ck_assert_str_eq(decode_bad("\xff\xfe"
				    "a\0\0\0",
				    6),
			 "");
	ck_assert_str_eq(decode_bad("\xff\xfe\x3d\xd8", 4), "");
	ck_assert_str_eq(decode_bad("\xff\xfe\x3d\xd8"
				    "a\0",
				    6),
			 "");
	ck_assert_str_eq(decode_bad("\xff\xfe\x00\xde", 4), "");
	ck_assert_str_eq(decode_bad("a\0b\0", 4), "");
	ck_assert_ptr_nonnull(strstr(told_text, "UTF-16 without a byte order mark"));
}
END_TEST

/* ---- larger than the window ------------------------------------------------------------------ */

#define BIG (3 * TEXT_WINDOW + 12345)

/*
 * Lines of growing length, some longer than the window is; every one ends in its number. LF alone,
 * ASCII. Returns the octets.
 */
static size_t write_big(char *out)
{
	size_t len = 0;

	for (unsigned line = 1; len + 2 * TEXT_WINDOW < BIG; line++) {
		memset(out + len, 'a' + line % 26, line * 7 % 5000);
		len += line * 7 % 5000;
		len += (size_t)sprintf(out + len, "%u\n", line);
	}
	memset(out + len, 'x', TEXT_WINDOW + 99);
	len += TEXT_WINDOW + 99;
	return len + (size_t)sprintf(out + len, "\nthe end\n");
}

START_TEST(streams_what_does_not_fit)
{
	static char plain[BIG], got[BIG];
	static uint8_t octets[4 * BIG];
	static const size_t sizes[] = { 0, 4096, 100003 };
	size_t len = write_big(plain);
	size_t octets_len =
		records_encode(plain, _i % RECORDS_ENCODINGS, _i / RECORDS_ENCODINGS % 2, octets);
	struct text *text = open_memory(octets, octets_len, sizes[_i / RECORDS_ENCODINGS / 2]);

	for (size_t want = 1; want < TEXT_WINDOW; want *= 7) {
		ck_assert_uint_eq(collect(text, want, got, sizeof(got)), len);
		ck_assert(memcmp(got, plain, len) == 0);
		ck_assert(!text_has_changed(text));
		text_rewind(text);
	}
	ck_assert_uint_eq(text_length(text), len);
	ck_assert(!text_is_open_ended(text));
	ck_assert_uint_eq(told.errors, 0);
	text_close(text);
}
END_TEST

/* Never more than the window, and always as much as is wanted and left. */
START_TEST(gives_what_is_wanted)
{
	static char plain[BIG];
	size_t len = write_big(plain), at = 0, step = 1;
	struct text *text = open_memory(plain, len, (size_t)_i * 1000);

	while (at < len) {
		size_t want = step * 13 % (TEXT_WINDOW / 2) + 1, got = text_fill(text, want);

		ck_assert_uint_le(got, TEXT_WINDOW + 8);
		ck_assert_uint_ge(got, want < len - at ? want : len - at);
		ck_assert(memcmp(text->at, plain + at, got) == 0);
		step = step * 31 % 60013 + 1;
		want = step % got + 1;
		text->at += want;
		at += want;
		ck_assert_uint_eq(text_offset(text), at);
	}
	text_close(text);
}
END_TEST

START_TEST(gives_lines)
{
	static char plain[BIG];
	size_t len = write_big(plain), line_len;
	struct text *text = open_memory(plain, len, (size_t)_i * 5003);
	const char *at = plain, *line;
	unsigned count = 0;

	while (text_line(text, 3000, &line, &line_len)) {
		const char *newline = strchr(at, '\n');
		size_t wanted = (size_t)(newline - at);

		ck_assert_uint_eq(line_len, wanted > 3000 ? 3001 : wanted);
		ck_assert(memcmp(line, at, line_len) == 0);
		at = newline + 1;
		count++;
	}
	ck_assert_ptr_eq(at, plain + len);
	ck_assert_uint_eq(text_count_lines(text), count);
	text_close(text);
}
END_TEST

START_TEST(gives_a_last_line_without_an_end)
{
	struct text *text = open_memory("ab\n\ncde", 7, (size_t)_i);
	const char *line;
	size_t len;

	ck_assert(text_is_open_ended(text));
	ck_assert(text_line(text, 2, &line, &len));
	ck_assert_uint_eq(len, 2);
	ck_assert(text_line(text, 2, &line, &len));
	ck_assert_uint_eq(len, 0);
	ck_assert(text_line(text, 2, &line, &len));
	ck_assert_uint_eq(len, 3);
	ck_assert(!text_line(text, 2, &line, &len));
	ck_assert_uint_eq(text_count_lines(text), 2);
	text_close(text);
}
END_TEST

/* Where a fault lies beyond the first window. */
START_TEST(ends_before_a_late_fault)
{
	static char plain[BIG], got[BIG];
	size_t len = write_big(plain), fault = len - 20, last;
	struct text *text;

	plain[fault] = '\0';
	for (last = fault; plain[last - 1] != '\n'; last--)
		;
	text = open_memory(plain, len, (size_t)_i * 4096);
	ck_assert_uint_eq(text_length(text), last);
	ck_assert(!text_is_open_ended(text));
	ck_assert_uint_eq(collect(text, 1, got, sizeof(got)), last);
	ck_assert(memcmp(got, plain, last) == 0);
	ck_assert_uint_eq(told.errors, 1);
	ck_assert(!text_has_changed(text));
	text_close(text);
}
END_TEST

/* ---- files ----------------------------------------------------------------------------------- */

static char path[] = "/tmp/test_text.XXXXXX";

static int make_file(const char *octets, size_t len)
{
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, octets, len), (ssize_t)len);
	return fd;
}

START_TEST(reads_a_file_as_memory)
{
	static char plain[BIG], got[BIG];
	size_t len = write_big(plain);
	int fd = make_file(plain, len);
	struct complaints to = { 0 };
	struct err err;
	struct text *text = text_open(path, BIG, &err);

	ck_assert_ptr_nonnull(text);
	ck_assert_int_eq(text_survey(text, path, &to, &err), 0);
	ck_assert_uint_eq(collect(text, 1, got, sizeof(got)), len);
	ck_assert(memcmp(got, plain, len) == 0);
	text_rewind(text);
	/* Shorter than the survey found it; and with a NUL where there was none. */
	if (_i == 0)
		ck_assert_int_eq(ftruncate(fd, (off_t)len - 1), 0);
	else
		ck_assert_int_eq(pwrite(fd, "", 1, (off_t)len / 2), 1);
	ck_assert(!text_has_changed(text));
	ck_assert_uint_lt(collect(text, 1, got, sizeof(got)), len);
	ck_assert(text_has_changed(text));
	text_close(text);
	close(fd);
	unlink(path);
}
END_TEST

START_TEST(tells_what_cannot_be_read)
{
	int fd = make_file("0123456789", 10);
	struct complaints to = { 0 };
	struct text *text;
	struct err err;
	char wanted[200];

	text = text_open(path, 10, &err);
	ck_assert_int_eq(text_survey(text, path, &to, &err), 0);
	text_close(text);
	ck_assert_ptr_null(text_open(path, 9, &err));
	snprintf(wanted, sizeof(wanted), "%s: larger than 9 octets; split it or check what it is",
		 path);
	ck_assert_str_eq(err.text, wanted);
	unlink(path);
	close(fd);
	ck_assert_ptr_null(text_open(path, 9, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "cannot open: No such file"));
	ck_assert_ptr_null(text_open("/tmp", 9, &err));
	ck_assert_str_eq(err.text, "/tmp: not a regular file; name a file");
	ck_assert_ptr_null(text_open("/dev/zero", 9, &err));
	/* Says that it has no octets, and has some. */
	text = text_open("/proc/self/status", 1 << 20, &err);
	ck_assert_int_eq(text_survey(text, "f", &to, &err), 0);
	ck_assert_uint_gt(text_length(text), 100);
	text_close(text);
	text = text_open("/proc/self/status", 100, &err);
	ck_assert_int_eq(text_survey(text, "f", &to, &err), -1);
	ck_assert_str_eq(err.text, "f: larger than 100 octets; split it or check what it is");
	text_close(text);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("text");
	TCase *tcase = tcase_create("text");

	tcase_add_test(tcase, decodes_utf8);
	tcase_add_test(tcase, decodes_line_ends);
	tcase_add_test(tcase, decodes_utf16);
	tcase_add_test(tcase, keeps_lines_before_a_cut);
	tcase_add_loop_test(tcase, streams_what_does_not_fit, 0, 6 * RECORDS_ENCODINGS);
	tcase_add_loop_test(tcase, gives_what_is_wanted, 0, 4);
	tcase_add_loop_test(tcase, gives_lines, 0, 4);
	tcase_add_loop_test(tcase, gives_a_last_line_without_an_end, 0, 4);
	tcase_add_loop_test(tcase, ends_before_a_late_fault, 0, 3);
	tcase_add_loop_test(tcase, reads_a_file_as_memory, 0, 2);
	tcase_add_test(tcase, tells_what_cannot_be_read);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(make_suite)
