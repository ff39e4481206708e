/* SPDX-License-Identifier: MIT */
/* The small tools of src/base that have no test of their own: hash, err, arena, file, json, log. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/counter.h"
#include "base/err.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/pages.h"
#include "unit/unit.h"

START_TEST(hash_stays_inside)
{
	uint8_t filler[256];
	uint64_t a, b;
	size_t len;

	memset(filler, 7, sizeof(filler));
	for (len = 0; len < 200; len++) {
		uint8_t *tight = malloc(len ? len : 1); /* the sanitizer watches its ends */

		memset(tight, 7, len ? len : 1);
		a = hash_bytes(tight, len);
		b = hash_bytes(filler + 1, len);
		ck_assert_msg(a == b, "%zu", len);
		free(tight);
	}
}
END_TEST

/* Every octet of every short length counts, and so does the length itself. */
START_TEST(hash_tells_apart)
{
	static uint64_t seen[64 * 8 * 64];
	uint8_t data[64] = { 0 };
	size_t n = 0, len, i, bit;

	for (len = 0; len <= 64; len++) {
		uint64_t plain = hash_bytes(data, len);

		for (i = 0; i < len; i++) {
			for (bit = 0; bit < 8; bit++) {
				data[i] ^= (uint8_t)(1 << bit);
				ck_assert(hash_bytes(data, len) != plain);
				data[i] ^= (uint8_t)(1 << bit);
			}
		}
		seen[n++] = plain;
	}
	for (i = 0; i < n; i++) {
		for (len = 0; len < i; len++)
			ck_assert(seen[i] != seen[len]);
	}
}
END_TEST

/* 65,536 likely labels over 4,096 buckets: 16 each on average; 50 would be past all chance. */
static int compare_hashes(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* A difference of length must not make up for one of data, whatever the key. */
START_TEST(hash_tells_lengths_apart)
{
	static const char digits[] = "0123456789abcdef";
	static uint64_t hashes[16 + 256 + 4096];

	for (unsigned key = 0; key < 8; key++) {
		uint8_t octets[32];
		size_t count = 0;

		for (size_t i = 0; i < sizeof(octets); i++)
			octets[i] = (uint8_t)((key + 1) * (2 * i + 1) * 37);
		hash_seed(octets);
		for (size_t len = 1; len <= 3; len++)
			for (unsigned i = 0; i < 1u << 4 * len; i++) {
				char label[4];

				for (size_t k = 0; k < len; k++)
					label[k] = digits[i >> 4 * k & 15];
				hashes[count++] = hash_bytes(label, len);
			}
		qsort(hashes, count, sizeof(*hashes), compare_hashes);
		for (size_t i = 1; i < count; i++)
			ck_assert(hashes[i] != hashes[i - 1]);
	}
}
END_TEST

START_TEST(hash_spreads)
{
	static unsigned low[4096], high[4096];
	char label[16];
	unsigned i;

	for (i = 0; i < 65536; i++) {
		uint64_t hash = hash_bytes(label, (size_t)sprintf(label, "host%u", i));

		low[hash & 4095]++;
		high[hash >> 52]++;
	}
	for (i = 0; i < 4096; i++) {
		ck_assert_uint_lt(low[i], 50);
		ck_assert_uint_lt(high[i], 50);
	}
}
END_TEST

START_TEST(hash_key_counts)
{
	uint8_t key[32];
	uint64_t before[3], i;

	before[0] = hash_bytes("", 0);
	before[1] = hash_bytes("blob", 4);
	before[2] = hash_bytes("privatelink-and-more", 20);
	memset(key, 0x5a, sizeof(key));
	hash_seed(key);
	ck_assert(before[0] != hash_bytes("", 0));
	ck_assert(before[1] != hash_bytes("blob", 4));
	ck_assert(before[2] != hash_bytes("privatelink-and-more", 20));
	for (i = 1; i < 100; i++)
		ck_assert(hash_join(i, i + 1) != hash_join(i + 1, i));
}
END_TEST

START_TEST(err_texts)
{
	struct err err;
	char big[2 * ERR_TEXT_MAX];

	ck_assert_int_eq(err_set(NULL, "x"), -1);
	ck_assert_int_eq(err_prefix(NULL, "x"), -1);
	ck_assert_int_eq(err_set(&err, "%s:%d: bad", "a.csv", 7), -1);
	ck_assert_str_eq(err.text, "a.csv:7: bad");
	ck_assert_int_eq(err_prefix(&err, "%s: ", "reload"), -1);
	ck_assert_str_eq(err.text, "reload: a.csv:7: bad");
	err_set(&err, "again: %s", err.text);
	ck_assert_str_eq(err.text, "again: reload: a.csv:7: bad");
	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	err_set(&err, "%s", big);
	ck_assert_uint_eq(strlen(err.text), ERR_TEXT_MAX - 1);
	err_prefix(&err, "p: ");
	ck_assert_uint_eq(strlen(err.text), ERR_TEXT_MAX - 1);
	ck_assert_int_eq(strncmp(err.text, "p: xx", 5), 0);
	err_prefix(&err, "%s", big);
	ck_assert_uint_eq(strlen(err.text), ERR_TEXT_MAX - 1);
}
END_TEST

START_TEST(arena_pieces)
{
	static const size_t sizes[] = { 0, 1, 7, 64, 1000, 17000, 70000, 5000000 };
	struct arena *arena = arena_new();
	size_t i, k, align, total = 0;

	for (i = 0; i < 4000; i++) {
		size_t size = sizes[i % (i % 500 ? 5 : 8)];
		uint8_t *piece;

		align = (size_t)1 << i % 7;
		piece = arena_take(arena, size, align);
		ck_assert_ptr_nonnull(piece);
		ck_assert_uint_eq((uintptr_t)piece % align, 0);
		for (k = 0; k < size && piece[k] == 0; k++)
			;
		ck_assert_uint_eq(k, size);
		memset(piece, 0xff, size);
		total += size;
	}
	ck_assert_uint_ge(arena_bytes(arena), total);
	ck_assert_ptr_null(arena_take(arena, SIZE_MAX, 1));
	ck_assert_ptr_null(arena_take(arena, SIZE_MAX / 2 + 1, 64));
	ck_assert_ptr_nonnull(arena_take(arena, 1, 1));
	arena_free(arena);
	arena_free(NULL);
}
END_TEST

START_TEST(pages)
{
	static const size_t sizes[] = {
		0, 1, 4096, PAGES_HUGE - 1, PAGES_HUGE, PAGES_HUGE + 1, 3 * PAGES_HUGE + 5000
	};
	uint8_t *memory;
	size_t i, at;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		memory = pages_take(sizes[i]);
		ck_assert(memory || !sizes[i]);
		for (at = 0; at < sizes[i]; at += 997) {
			ck_assert_uint_eq(memory[at], 0);
			memory[at] = 1;
		}
		if (sizes[i] >= PAGES_HUGE)
			ck_assert_uint_eq((uintptr_t)memory % PAGES_HUGE, 0);
		/* What is in use stays. */
		if (sizes[i])
			memory[sizes[i] / 2] = 7;
		pages_trim(memory, sizes[i], sizes[i] / 2 + 1);
		ck_assert(!sizes[i] || memory[sizes[i] / 2] == 7);
		pages_give(memory, sizes[i]);
	}
	pages_give(NULL, 0);
	pages_give(NULL, PAGES_HUGE);
	ck_assert_ptr_null(pages_take(SIZE_MAX));
	ck_assert_ptr_null(pages_take(SIZE_MAX / 2));
}
END_TEST

START_TEST(files)
{
	char path[] = "/tmp/test_base.XXXXXX", dir[64];
	uint8_t *data = NULL;
	struct err err;
	size_t len = 0;
	int fd = mkstemp(path);

	ck_assert_int_eq(file_read(path, 100, &data, &len, &err), 0);
	ck_assert_uint_eq(len, 0);
	ck_assert_uint_eq(data[0], 0);
	free(data);
	ck_assert_int_eq(write(fd, "hello\0there", 11), 11);
	ck_assert_int_eq(file_read(path, 11, &data, &len, NULL), 0);
	ck_assert_uint_eq(len, 11);
	ck_assert_mem_eq(data, "hello\0there", 12);
	free(data);
	data = NULL;
	ck_assert_int_eq(file_read(path, 10, &data, &len, &err), -1);
	ck_assert_ptr_null(data);
	ck_assert_ptr_nonnull(strstr(err.text, path));
	ck_assert_ptr_nonnull(strstr(err.text, "10 octets"));
	close(fd);
	unlink(path);
	ck_assert_int_eq(file_read(path, 10, &data, &len, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "No such file"));
	ck_assert_int_eq(file_read("/tmp", 10, &data, &len, &err), -1);
	ck_assert_int_eq(file_read("/dev/zero", 10, &data, &len, &err), -1);
	/* A FIFO must not block; a file under /proc says size 0 and has text. */
	snprintf(dir, sizeof(dir), "%s.fifo", path);
	ck_assert_int_eq(mkfifo(dir, 0600), 0);
	ck_assert_int_eq(file_read(dir, 10, &data, &len, &err), -1);
	unlink(dir);
	ck_assert_int_eq(file_read("/proc/self/status", 1 << 20, &data, &len, &err), 0);
	ck_assert_uint_gt(len, 100);
	free(data);
}
END_TEST

START_TEST(file_that_grows_past_the_guess)
{
	uint8_t *data;
	struct err err;
	size_t len;

	if (access("/proc/kallsyms", R_OK) < 0)
		return; /* not every kernel shows it */
	/* Larger than the first guess of 4 KiB, its size unknown: doubling must keep every
	 * octet. */
	ck_assert_int_eq(file_read("/proc/kallsyms", 100000, &data, &len, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "larger"));
}
END_TEST

START_TEST(json_document)
{
	struct json json;
	char *text;

	json_init(&json);
	json_object(&json, NULL);
	json_string(&json, "a\"b", "x\\y\n\t\x01\x7f/");
	json_string(&json, "none", NULL);
	json_number(&json, "n", INT64_MIN);
	json_array(&json, "list");
	json_bool(&json, NULL, true);
	json_object(&json, NULL);
	json_object_end(&json);
	json_array(&json, NULL);
	json_array_end(&json);
	json_bool(&json, NULL, false);
	json_array_end(&json);
	json_string(&json, "utf8", "\xc3\xa4\xf0\x9f\x98\x80");
	json_string(&json, "latin", "\xc3\xa4\xff");
	json_string(&json, "overlong", "\xc0\x80");
	json_string(&json, "surrogate", "\xed\xa0\x80");
	json_object_end(&json);
	text = json_finish(&json);
	ck_assert_str_eq(
		text, "{\"a\\\"b\":\"x\\\\y\\n\\t\\u0001\\u007f/\",\"none\":null,"
		      "\"n\":-9223372036854775808,\"list\":[true,{},[],false],"
		      "\"utf8\":\"\xc3\xa4\xf0\x9f\x98\x80\",\"latin\":\"\\u00c3\\u00a4\\u00ff\","
		      "\"overlong\":\"\\u00c0\\u0080\",\"surrogate\":\"\\u00ed\\u00a0\\u0080\"}");
	free(text);
	json_array(&json, NULL);
	json_fini(&json);
	json_fini(NULL);
	json_number(&json, NULL, 5);
	text = json_finish(&json);
	ck_assert_str_eq(text, "5");
	free(text);
}
END_TEST

/* Standard error goes to a pipe; what was written there comes back as text. */
static int capture[2], kept;

static void capture_begin(void)
{
	ck_assert_int_eq(pipe2(capture, O_NONBLOCK), 0);
	kept = dup(2);
	dup2(capture[1], 2);
}

static char *captured(void)
{
	static char text[200000];
	ssize_t got;
	size_t len = 0;

	while ((got = read(capture[0], text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)got;
	text[len] = '\0';
	return text;
}

static void capture_end(void)
{
	dup2(kept, 2);
	close(kept);
	close(capture[0]);
	close(capture[1]);
}

START_TEST(log_lines)
{
	struct stat st;
	char stream[64], *text;

	unsetenv("JOURNAL_STREAM");
	capture_begin();
	log_configure(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	log_write(LOG_LEVEL_WARNING, "a%d\nforged\x1b[1m", 1);
	log_write(LOG_LEVEL_DEBUG, "no");
	ck_assert_str_eq(captured(), "warning: a1\\x0aforged\\x1b[1m\n");
	ck_assert(log_enabled(LOG_LEVEL_INFO) && !log_enabled(LOG_LEVEL_DEBUG));
	log_configure(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_write(LOG_LEVEL_ERROR, "x\"y");
	text = captured();
	ck_assert_int_eq(strncmp(text, "{\"ts\":\"20", 9), 0);
	ck_assert_ptr_nonnull(strstr(text, "Z\",\"level\":\"error\",\"msg\":\"x\\\"y\"}\n"));
	/* The journal's prefix only where standard error is the stream that is named. */
	setenv("JOURNAL_STREAM", "1:1", 1);
	log_configure(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	log_write(LOG_LEVEL_INFO, "i");
	ck_assert_str_eq(captured(), "info: i\n");
	fstat(2, &st);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_configure(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	log_write(LOG_LEVEL_INFO, "i");
	ck_assert_str_eq(captured(), "<6>i\n");
	capture_end();
}
END_TEST

#define WORKER_LINES 700

static void *log_a_lot(void *arg)
{
	unsigned i;

	log_enter_worker();
	for (i = 0; i < WORKER_LINES; i++)
		log_write(LOG_LEVEL_NOTICE, "%s", (const char *)arg);
	return NULL;
}

START_TEST(log_ring)
{
	struct pollfd wait = { .fd = log_ring_fd(), .events = POLLIN };
	pthread_t thread[2];
	unsigned lines = 0;
	char *s;

	unsetenv("JOURNAL_STREAM");
	log_configure(LOG_LEVEL_NOTICE, LOG_FORMAT_TEXT);
	capture_begin();
	ck_assert_int_ge(wait.fd, 0);
	ck_assert_int_eq(log_ring_fd(), wait.fd);
	ck_assert_int_eq(poll(&wait, 1, 0), 0);
	pthread_create(&thread[0], NULL, log_a_lot, "one");
	pthread_create(&thread[1], NULL, log_a_lot, "two");
	pthread_join(thread[0], NULL);
	pthread_join(thread[1], NULL);
	/* Nothing was written by the workers; what the ring holds waits, the rest is counted. */
	ck_assert_str_eq(captured(), "");
	ck_assert_uint_eq(log_ring_dropped(), 2 * WORKER_LINES - LOG_RING_LINES);
	ck_assert_int_eq(poll(&wait, 1, 0), 1);
	log_ring_drain();
	for (s = captured(); *s; s = strchr(s, '\n') + 1) {
		lines++;
		if (lines <= LOG_RING_LINES)
			ck_assert(!strncmp(s, "notice: one\n", 12) ||
				  !strncmp(s, "notice: two\n", 12));
		else
			ck_assert_str_eq(s, "warning: log: 376 lines of workers were dropped\n");
	}
	ck_assert_uint_eq(lines, LOG_RING_LINES + 1);
	/* Drained as many as it may at once, so it looks again; then it is quiet. */
	log_ring_drain();
	ck_assert_str_eq(captured(), "");
	ck_assert_int_eq(poll(&wait, 1, 0), 0);
	pthread_create(&thread[0], NULL, log_a_lot, "x");
	pthread_join(thread[0], NULL);
	ck_assert_int_eq(poll(&wait, 1, 0), 1);
	capture_end();
}
END_TEST

START_TEST(counters)
{
	struct counter counter = { 0 };

	counter_add(&counter, 3);
	counter_add(&counter, 4);
	ck_assert_uint_eq(counter_get(&counter), 7);
}
END_TEST

/*
 * Time asleep is time. Where the machine has not slept both clocks agree: to see this fail, run it
 * as root with `unshare --time --fork --boottime 100000`.
 */
START_TEST(clock_goes_on_asleep)
{
	struct timespec awake;
	uint64_t before, after, now;

	before = clock_now_ms();
	clock_gettime(CLOCK_BOOTTIME, &awake);
	after = clock_now_ms();
	now = (uint64_t)awake.tv_sec * 1000 + (uint64_t)awake.tv_nsec / 1000000;
	ck_assert_uint_le(before, now);
	ck_assert_uint_le(now, after);
	ck_assert_uint_le(after, clock_now_us() / 1000);
}
END_TEST

static Suite *base_suite(void)
{
	Suite *suite = suite_create("base");
	TCase *tests = tcase_create("base");

	tcase_add_test(tests, hash_stays_inside);
	tcase_add_test(tests, hash_tells_apart);
	tcase_add_test(tests, hash_tells_lengths_apart);
	tcase_add_test(tests, hash_spreads);
	tcase_add_test(tests, hash_key_counts);
	tcase_add_test(tests, err_texts);
	tcase_add_test(tests, arena_pieces);
	tcase_add_test(tests, pages);
	tcase_add_test(tests, files);
	tcase_add_test(tests, file_that_grows_past_the_guess);
	tcase_add_test(tests, json_document);
	tcase_add_test(tests, log_lines);
	tcase_add_test(tests, log_ring);
	tcase_add_test(tests, counters);
	tcase_add_test(tests, clock_goes_on_asleep);
	suite_add_tcase(suite, tests);
	return suite;
}

UNIT_MAIN(base_suite)
