/* SPDX-License-Identifier: MIT */
/* The cache: what it finds, when it forgets, and that it stays within its bound. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "forward/cache.h"
#include "unit/unit.h"
#include "wire/types.h"

static struct cache *cache;
static struct cache_rules rules = { .ttl_max_s = 86400, .negative_ttl_max_s = 86400 };
static uint8_t buf[REPLY_LEN_MAX];

static struct name name_of(const char *text)
{
	struct name name;

	ck_assert_int_eq(name_from_text(&name, text, strlen(text)), 0);
	return name;
}

static struct question_key key_of(const struct name *name, uint16_t type)
{
	struct forward_question question = { .name = name, .type = type, .group = 3 };

	return cache_key_of(&question);
}

/* A message of `len` octets `fill`. */
static void put(const struct question_key *key, int fill, size_t len, uint32_t ttl_s,
		uint64_t now_ms)
{
	static _Thread_local uint8_t data[REPLY_LEN_MAX];
	struct reply reply = { .data = data,
			       .len = len,
			       .group = key->group,
			       .rcode = RCODE_NXDOMAIN,
			       .ad = true,
			       .ede = EDE_NONE,
			       .ttl_cap_s = 77 };
	struct cache_shard *shard;

	memset(data, fill, len);
	shard = cache_lock(cache, key->hash);
	cache_put(shard, key, &reply, ttl_s, &rules, now_ms);
	cache_unlock(shard);
}

static bool find(const struct question_key *key, uint64_t now_ms, struct reply *ret)
{
	struct cache_shard *shard = cache_lock(cache, key->hash);
	bool found = cache_find(shard, key, &rules, CACHE_FRESH, now_ms, buf, sizeof(buf), ret) !=
		     CACHE_NONE;

	cache_unlock(shard);
	return found;
}

START_TEST(whole_key)
{
	struct name name = name_of("www.example.test"), upper = name_of("WWW.example.TEST");
	struct forward_question question = { .name = &name, .type = TYPE_A, .group = 3 };
	struct question_key key = cache_key_of(&question), other;
	struct reply reply = { 0 };

	cache = cache_new(1 << 20, NULL);
	put(&key, 1, 100, 60, 1000);
	ck_assert(find(&key, 1000, &reply));
	ck_assert_uint_eq(reply.len, 100);
	ck_assert_ptr_eq(reply.data, buf);
	ck_assert_uint_eq(buf[99], 1);
	ck_assert_uint_eq(reply.group, 3);
	ck_assert_uint_eq(reply.rcode, RCODE_NXDOMAIN);
	ck_assert(reply.ad && !reply.failed && !reply.store);
	ck_assert_int_eq(reply.ede, EDE_NONE);
	ck_assert_uint_eq(reply.ttl_cap_s, 77);
	other = key_of(&upper, TYPE_A);
	ck_assert(find(&other, 1000, &reply));
	/* The same hash, and yet another question, in each part. */
	other = key;
	other.type = TYPE_AAAA;
	ck_assert(!find(&other, 1000, &reply));
	other = key;
	other.group = 4;
	ck_assert(!find(&other, 1000, &reply));
	other = key;
	other.do_bit = true;
	ck_assert(!find(&other, 1000, &reply));
	other = key;
	other.cd_bit = true;
	ck_assert(!find(&other, 1000, &reply));
	upper = name_of("wwx.example.test");
	other = key;
	other.fold = upper.fold;
	ck_assert(!find(&other, 1000, &reply));
	put(&other, 2, 50, 60, 1000);
	ck_assert(find(&other, 1000, &reply));
	ck_assert_uint_eq(buf[0], 2);
	ck_assert(find(&key, 1000, &reply));
	ck_assert_uint_eq(buf[0], 1);
	/* And each part counts for the hash as well. */
	question.do_bit = true;
	ck_assert_uint_ne(cache_key_of(&question).hash, key.hash);
	cache_free(cache);
}
END_TEST

START_TEST(ages)
{
	struct name name = name_of("a.test");
	struct question_key key = key_of(&name, TYPE_A);
	struct cache_shard *shard;
	struct reply reply;
	uint32_t serial;

	cache = cache_new(1 << 20, NULL);
	put(&key, 1, 10, 60, 1000);
	ck_assert(find(&key, 500, &reply)); /* another thread's clock is a little behind */
	ck_assert_uint_eq(reply.age_s, 0);
	ck_assert(find(&key, 60999, &reply));
	ck_assert_uint_eq(reply.age_s, 59);
	ck_assert_uint_eq(reply_ttl(&reply, 70), 11);
	ck_assert_uint_eq(reply_ttl(&reply, 50), 0);
	ck_assert_uint_eq(reply_ttl(&reply, 1000), 18); /* the cap ages too */
	ck_assert(!find(&key, 61000, &reply));
	/* Replaced, also by a shorter one; the memo goes with the old one. */
	shard = cache_lock(cache, key.hash);
	cache_remember(shard, &key, reply.serial, 9);
	cache_unlock(shard);
	ck_assert(find(&key, 1000, &reply));
	ck_assert_uint_eq(reply.memo, 9);
	serial = reply.serial;
	put(&key, 2, 20, 5, 61000);
	ck_assert(find(&key, 61000, &reply));
	ck_assert_uint_eq(reply.len, 20);
	ck_assert_uint_eq(reply.memo, 0);
	/* Nor is it left with the new one by whoever read the old one. */
	shard = cache_lock(cache, key.hash);
	cache_remember(shard, &key, serial, 9);
	cache_unlock(shard);
	ck_assert(find(&key, 61000, &reply));
	ck_assert_uint_eq(reply.memo, 0);
	ck_assert(!find(&key, 66000, &reply));
	/* Longer than the reader's buffer: as if it were not there. */
	shard = cache_lock(cache, key.hash);
	ck_assert_int_eq(cache_find(shard, &key, &rules, CACHE_FRESH, 61000, buf, 19, &reply),
			 CACHE_NONE);
	ck_assert_int_eq(cache_find(shard, &key, &rules, CACHE_FRESH, 61000, buf, 20, &reply),
			 CACHE_FOUND);
	cache_unlock(shard);
	cache_free(cache);
}
END_TEST

START_TEST(flush)
{
	const char *texts[] = { "test", "a.test", "b.a.test", "xa.test", "other", "." };
	struct name name;
	struct question_key key;
	struct reply reply;
	struct cache_counts counts;
	size_t i;

	cache = cache_new(16 << 20, NULL);
	for (i = 0; i < 6; i++) {
		name = name_of(texts[i]);
		key = key_of(&name, TYPE_A);
		put(&key, 1, 10, 60, 0);
	}
	name = name_of("A.test");
	ck_assert_uint_eq(cache_flush(cache, &name), 2);
	ck_assert_uint_eq(cache_flush(cache, &name), 0);
	name = name_of("xa.test");
	key = key_of(&name, TYPE_A);
	ck_assert(find(&key, 0, &reply));
	name = name_of("b.a.test");
	key = key_of(&name, TYPE_A);
	ck_assert(!find(&key, 0, &reply));
	put(&key, 3, 10, 60, 0);
	ck_assert(find(&key, 0, &reply));
	cache_count(cache, &counts);
	ck_assert_uint_eq(counts.entries, 5);
	ck_assert_uint_eq(cache_flush(cache, NULL), 5);
	ck_assert(!find(&key, 0, &reply));
	cache_count(cache, &counts);
	ck_assert_uint_eq(counts.entries, 0);
	put(&key, 3, 10, 60, 0);
	ck_assert(find(&key, 0, &reply));
	cache_free(cache);
}
END_TEST

#define NAMES 3000

/*
 * Far more than fits, in random sizes and order, against a plain array that knows what was put
 * last.
 */
START_TEST(evicts_and_never_lies)
{
	static struct name names[NAMES];
	static struct {
		int fill;
		size_t len;
	} last[NAMES];
	size_t sizes[] = { 1 << 20, 100 << 10, 8192, 600, 100, 1, 0 };
	struct cache_counts counts;
	size_t round, found;
	struct question_key key;
	struct reply reply;
	char text[32];
	unsigned i, n;

	for (i = 0; i < NAMES; i++) {
		sprintf(text, "n%u.d%u.test", i, i % 7);
		names[i] = name_of(text);
	}
	srand(1);
	for (round = 0; round < sizeof(sizes) / sizeof(sizes[0]); round++) {
		cache = cache_new(sizes[round], NULL);
		memset(last, 0, sizeof(last));
		found = 0;
		for (n = 0; n < 40000; n++) {
			i = (unsigned)rand() % NAMES;
			key = key_of(&names[i], TYPE_A);
			if (rand() % 3) {
				last[i].fill = rand() & 0xff;
				last[i].len = (size_t)rand() % (rand() % 50 ? 300 : 20000) + 1;
				put(&key, last[i].fill, last[i].len, 60, 0);
			} else if (find(&key, 0, &reply)) {
				found++;
				ck_assert_uint_eq(reply.len, last[i].len);
				ck_assert_uint_eq(buf[0], (unsigned)last[i].fill);
				ck_assert_uint_eq(buf[reply.len - 1], (unsigned)last[i].fill);
			}
			if (rand() % 10000 == 0) {
				struct name d = name_of("d3.test");

				cache_flush(cache, &d);
				for (i = 3; i < NAMES; i += 7) {
					key = key_of(&names[i], TYPE_A);
					ck_assert(!find(&key, 0, &reply));
				}
			}
		}
		cache_count(cache, &counts);
		ck_assert_uint_eq(counts.bytes_max, sizes[round]);
		ck_assert(counts.bytes <= sizes[round] || sizes[round] < 128);
		ck_assert(sizes[round] < 8192 || found > 0);
		cache_free(cache);
	}
}
END_TEST

/* Small entries fill the index before the ring. */
START_TEST(index_is_bounded)
{
	struct question_key key;
	struct reply reply;
	struct name name;
	struct cache_counts counts;
	char text[32];
	unsigned i;

	cache = cache_new(16384, NULL);
	for (i = 0; i < 5000; i++) {
		sprintf(text, "%u", i);
		name = name_of(text);
		key = key_of(&name, TYPE_A);
		put(&key, 1, 1, 60, 0);
		ck_assert(find(&key, 0, &reply));
	}
	cache_count(cache, &counts);
	ck_assert_uint_gt(counts.entries, 50);
	ck_assert_uint_le(counts.bytes, counts.bytes_max);
	cache_free(cache);
}
END_TEST

/*
 * A hundred names that are in use beside a flood of names that are asked for once: between two uses
 * of one more comes in than the cache holds, so whoever goes by age or by last use alone has lost
 * it each time.
 */
START_TEST(what_is_used_stays)
{
	unsigned i, n, asked = 0, missed = 0;
	struct cache_counts counts;
	struct question_key key;
	struct reply reply;
	struct name name;
	char text[32];

	cache = cache_new(1 << 20, NULL);
	for (i = 0; i < 200000; i++) {
		sprintf(text, "%u.flood.test", i);
		name = name_of(text);
		key = key_of(&name, TYPE_A);
		ck_assert(!find(&key, i, &reply));
		put(&key, 1, 100 + i % 300, 60000, i);
		if (i % 40)
			continue;
		sprintf(text, "hot%u.test", n = i / 40 % 100);
		name = name_of(text);
		key = key_of(&name, TYPE_A);
		/* The first half is for getting to know them. */
		asked += i > 100000;
		if (!find(&key, i, &reply)) {
			missed += i > 100000;
			put(&key, (int)(n & 0xff), 900, 60000, i);
		}
	}
	ck_assert_uint_gt(asked, 2400);
	ck_assert_uint_lt(missed, 100);
	cache_count(cache, &counts);
	ck_assert_uint_le(counts.bytes, counts.bytes_max);
	ck_assert_uint_gt(counts.evicted, 150000);
	cache_free(cache);
}
END_TEST

static enum cache_verdict look(const struct question_key *key, enum cache_wish wish,
			       uint64_t now_ms, struct reply *ret)
{
	struct cache_shard *shard = cache_lock(cache, key->hash);
	enum cache_verdict verdict =
		cache_find(shard, key, &rules, wish, now_ms, buf, sizeof(buf), ret);

	cache_unlock(shard);
	return verdict;
}

static void put_failure(const struct question_key *key, uint32_t ttl_s, uint64_t now_ms)
{
	struct cache_shard *shard = cache_lock(cache, key->hash);
	struct reply reply = { .data = (const uint8_t *)"!",
			       .len = 1,
			       .rcode = RCODE_SERVFAIL,
			       .failed = true,
			       .ede = EDE_NETWORK_ERROR,
			       .ttl_cap_s = 5 };

	cache_put(shard, key, &reply, ttl_s, &rules, now_ms);
	cache_unlock(shard);
}

/* Past its time: for whom, how long, and after what. */
START_TEST(stale)
{
	struct name name = name_of("a.test");
	struct question_key key = key_of(&name, TYPE_A);
	struct reply reply;

	cache = cache_new(1 << 20, NULL);
	rules.stale_s = 1000;
	put(&key, 1, 10, 60, 1000);
	ck_assert_int_eq(look(&key, CACHE_USUAL, 60999, &reply), CACHE_FOUND);
	ck_assert(!reply.stale);
	ck_assert_int_eq(look(&key, CACHE_FRESH, 61000, &reply), CACHE_NONE);
	ck_assert_int_eq(look(&key, CACHE_USUAL, 61000, &reply), CACHE_NONE);
	ck_assert_int_eq(look(&key, CACHE_WHATEVER, 61000, &reply), CACHE_DUE);
	ck_assert(reply.stale);
	ck_assert_uint_eq(reply.ttl_cap_s, 30);
	/* That others need not wait lasts 30 s. */
	ck_assert_int_eq(look(&key, CACHE_USUAL, 61001, &reply), CACHE_DUE);
	ck_assert_int_eq(look(&key, CACHE_USUAL, 90999, &reply), CACHE_DUE);
	ck_assert_int_eq(look(&key, CACHE_FRESH, 61001, &reply), CACHE_NONE);
	ck_assert_int_eq(look(&key, CACHE_USUAL, 91000, &reply), CACHE_NONE);
	/* A failure takes not its place, is told, and holds off others for as long as it lasts. */
	put_failure(&key, 5, 91000);
	ck_assert_int_eq(look(&key, CACHE_USUAL, 91001, &reply), CACHE_FOUND);
	ck_assert(reply.stale && !reply.failed);
	ck_assert_int_eq(reply.ede, EDE_NETWORK_ERROR);
	ck_assert_int_eq(look(&key, CACHE_WHATEVER, 95999, &reply), CACHE_FOUND);
	ck_assert_int_eq(look(&key, CACHE_USUAL, 96000, &reply), CACHE_DUE);
	/* The upstream is well again: clients wait for it. */
	rules.recovered++;
	ck_assert_int_eq(look(&key, CACHE_USUAL, 96000, &reply), CACHE_NONE);
	ck_assert_int_eq(look(&key, CACHE_WHATEVER, 96000, &reply), CACHE_DUE);
	ck_assert_int_eq(reply.ede, EDE_NONE);
	/* The end: from the end of its life on, by the limits of now. */
	ck_assert_int_ne(look(&key, CACHE_WHATEVER, 1060999, &reply), CACHE_NONE);
	rules.ttl_max_s = 50;
	ck_assert_int_ne(look(&key, CACHE_WHATEVER, 1050999, &reply), CACHE_NONE);
	ck_assert_int_eq(look(&key, CACHE_WHATEVER, 1051000, &reply), CACHE_NONE);
	rules.ttl_max_s = 86400;
	ck_assert_int_eq(look(&key, CACHE_WHATEVER, 1061000, &reply), CACHE_NONE);
	/* Then a failure may have its place. */
	put_failure(&key, 5, 1061000);
	ck_assert_int_eq(look(&key, CACHE_USUAL, 1061001, &reply), CACHE_FOUND);
	ck_assert(reply.failed && !reply.stale);
	rules.recovered++;
	ck_assert_int_eq(look(&key, CACHE_USUAL, 1061001, &reply), CACHE_NONE);
	rules.recovered--;
	/* It is never stale itself. */
	ck_assert_int_eq(look(&key, CACHE_WHATEVER, 1066000, &reply), CACHE_NONE);
	/* A newer answer that may not be kept takes the old one's place all the same. */
	put(&key, 1, 10, 60, 1070000);
	put(&key, 1, 10, 0, 1070000);
	ck_assert_int_eq(look(&key, CACHE_WHATEVER, 1070000, &reply), CACHE_NONE);
	/* Off. */
	put(&key, 1, 10, 60, 1070000);
	rules.stale_s = 0;
	ck_assert_int_eq(look(&key, CACHE_WHATEVER, 1130000, &reply), CACHE_NONE);
	put_failure(&key, 5, 1130000);
	ck_assert_int_eq(look(&key, CACHE_USUAL, 1130000, &reply), CACHE_FOUND);
	ck_assert(reply.failed);
	cache_free(cache);
}
END_TEST

START_TEST(due)
{
	struct name name = name_of("a.test");
	struct question_key key = key_of(&name, TYPE_A);
	struct reply reply;

	cache = cache_new(1 << 20, NULL);
	put(&key, 1, 10, 100, 1000);
	ck_assert_int_eq(look(&key, CACHE_USUAL, 100999, &reply), CACHE_FOUND);
	rules.prefetch = true;
	ck_assert_int_eq(look(&key, CACHE_USUAL, 90999, &reply), CACHE_FOUND);
	ck_assert_int_eq(look(&key, CACHE_USUAL, 91000, &reply), CACHE_DUE);
	ck_assert(!reply.stale);
	/* By the limits of now. */
	rules.ttl_max_s = 50;
	ck_assert_int_eq(look(&key, CACHE_USUAL, 46000, &reply), CACHE_DUE);
	rules.ttl_max_s = 86400;
	/* Not right after it failed. */
	put_failure(&key, 5, 92000);
	ck_assert_int_eq(look(&key, CACHE_USUAL, 96999, &reply), CACHE_FOUND);
	ck_assert(!reply.failed);
	ck_assert_int_eq(look(&key, CACHE_USUAL, 97000, &reply), CACHE_DUE);
	/* Too short a life. */
	put(&key, 1, 10, 9, 1000);
	ck_assert_int_eq(look(&key, CACHE_USUAL, 9999, &reply), CACHE_FOUND);
	put(&key, 1, 10, 10, 1000);
	ck_assert_int_eq(look(&key, CACHE_USUAL, 10000, &reply), CACHE_DUE);
	cache_free(cache);
}
END_TEST

static void *hammer(void *arg)
{
	static _Thread_local uint8_t own[1024];
	unsigned i, seed = (unsigned)(uintptr_t)arg;
	struct name name;
	char text[32];

	for (i = 0; i < 5000; i++) {
		struct cache_shard *shard;
		struct question_key key;
		struct reply reply;

		sprintf(text, "%u.test", (unsigned)rand_r(&seed) % 500);
		name = name_of(text);
		key = key_of(&name, TYPE_A);
		shard = cache_lock(cache, key.hash);
		if (cache_find(shard, &key, &rules, CACHE_USUAL, 0, own, sizeof(own), &reply))
			ck_assert_uint_eq(own[0], own[reply.len - 1]);
		cache_unlock(shard);
		if (i % 4 == 0)
			put(&key, (int)(i & 0xff), 200 + i % 100, 60, 0);
		if (i % 1000 == 0)
			cache_flush(cache, i % 2000 ? NULL : &name);
	}
	return NULL;
}

START_TEST(many_threads)
{
	pthread_t threads[3];
	uintptr_t i;

	cache = cache_new(64 << 10, NULL);
	for (i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, hammer, (void *)i);
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	cache_free(cache);
	cache_free(NULL);
}
END_TEST

/* Every size after every other: other numbers of shards, empty, whole, within the new bound. */
START_TEST(resizes)
{
	static const size_t sizes[] = {
		1 << 20, 64 << 20, 3 << 20, 600, 64 << 20, 16384, 0, 1 << 20
	};
	struct cache_counts counts;
	size_t i;
	struct question_key key;
	struct reply reply;
	struct name name;
	struct rlimit limit;
	struct err err;
	char text[32];
	unsigned n;

	cache = cache_new(1 << 20, NULL);
	name = name_of("www.example.test");
	key = key_of(&name, TYPE_A);
	put(&key, 1, 100, 60, 0);
	/* The same size: nothing is lost. */
	ck_assert_int_eq(cache_resize(cache, 1 << 20, NULL), 0);
	ck_assert(find(&key, 0, &reply));
	/* No memory to be had: nothing is lost either. */
	getrlimit(RLIMIT_AS, &limit);
	setrlimit(RLIMIT_AS, &(struct rlimit){ .rlim_cur = 1, .rlim_max = limit.rlim_max });
	ck_assert_int_eq(cache_resize(cache, 2 << 20, &err), -1);
	setrlimit(RLIMIT_AS, &limit);
	ck_assert_ptr_nonnull(strstr(err.text, "cache.size"));
	ck_assert(find(&key, 0, &reply));
	cache_count(cache, &counts);
	ck_assert_uint_eq(counts.entries, 1);
	ck_assert_uint_eq(counts.bytes_max, 1 << 20);

	for (i = 1; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		ck_assert_int_eq(cache_resize(cache, sizes[i], NULL), 0);
		cache_count(cache, &counts);
		ck_assert_uint_eq(counts.entries, 0);
		ck_assert_uint_eq(counts.bytes_max, sizes[i]);
		ck_assert(!find(&key, 0, &reply));
		for (n = 0; n < 2000; n++) {
			sprintf(text, "%u.test", n);
			name = name_of(text);
			key = key_of(&name, TYPE_A);
			put(&key, (int)(n & 0xff), 200, 60, 0);
			ck_assert(sizes[i] < 16384 || find(&key, 0, &reply));
		}
		cache_count(cache, &counts);
		ck_assert(sizes[i] < 1 << 20 || counts.entries == 2000);
		ck_assert(counts.bytes <= sizes[i] || sizes[i] < 128);
		ck_assert_uint_eq(cache_flush(cache, NULL), counts.entries);
		put(&key, 1, 200, 60, 0);
	}
	cache_free(cache);
}
END_TEST

START_TEST(resizes_under_threads)
{
	static const size_t sizes[] = { 1 << 20, 64 << 10, 64 << 20, 4096, 8 << 20 };
	struct cache_counts counts;
	pthread_t threads[2];
	uintptr_t i;

	cache = cache_new(64 << 10, NULL);
	for (i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, hammer, (void *)i);
	for (i = 0; i < 300; i++) {
		ck_assert_int_eq(cache_resize(cache, sizes[i % 5], NULL), 0);
		cache_count(cache, &counts);
		ck_assert_uint_eq(counts.bytes_max, sizes[i % 5]);
	}
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	cache_free(cache);
}
END_TEST

static Suite *cache_suite(void)
{
	Suite *suite = suite_create("cache");
	TCase *tcase = tcase_create("cache");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, whole_key);
	tcase_add_test(tcase, ages);
	tcase_add_test(tcase, flush);
	tcase_add_test(tcase, evicts_and_never_lies);
	tcase_add_test(tcase, index_is_bounded);
	tcase_add_test(tcase, what_is_used_stays);
	tcase_add_test(tcase, stale);
	tcase_add_test(tcase, due);
	tcase_add_test(tcase, many_threads);
	tcase_add_test(tcase, resizes);
	tcase_add_test(tcase, resizes_under_threads);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(cache_suite)
