/* SPDX-License-Identifier: MIT */
/* Handing over: order of release in one thread, and many threads for the thread sanitizer. */
#include "base/publish.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "unit/unit.h"

#define READERS 3
#define ROUNDS 300

static unsigned released;
static void *last_released;

static void count_release(void *object)
{
	released++;
	last_released = object;
}

START_TEST(one_thread)
{
	struct publish *publish = publish_new(2, count_release);
	int a, b, c;
	unsigned most;

	released = 0;
	ck_assert_uint_eq(publish_alive(publish, &most), 0);
	ck_assert_uint_eq(most, 0);
	ck_assert_ptr_null(publish_newest(publish));
	ck_assert_ptr_null(publish_take(publish, 0));
	publish_offer(publish, &a);
	ck_assert(!publish_settled(publish));
	ck_assert_ptr_eq(publish_newest(publish), &a);
	ck_assert_ptr_eq(publish_take(publish, 0), &a);
	ck_assert(!publish_settled(publish));
	ck_assert_ptr_eq(publish_take(publish, 1), &a);
	ck_assert(publish_settled(publish));
	ck_assert_uint_eq(released, 0);

	ck_assert_uint_eq(publish_alive(publish, &most), 1);
	ck_assert_uint_eq(most, 1);
	publish_offer(publish, &b);
	ck_assert_uint_eq(publish_alive(publish, &most), 2);
	ck_assert_uint_eq(most, 2);
	ck_assert_ptr_eq(publish_take(publish, 1), &b);
	ck_assert(!publish_settled(publish));
	ck_assert_uint_eq(released, 0);
	ck_assert_ptr_eq(publish_take(publish, 0), &b);
	ck_assert(publish_settled(publish));
	ck_assert_uint_eq(released, 1);
	ck_assert_ptr_eq(last_released, &a);
	ck_assert(publish_settled(publish));
	ck_assert_uint_eq(released, 1);

	/* An address that was released may come again. */
	publish_offer(publish, &a);
	ck_assert(!publish_settled(publish));
	publish_take(publish, 0);
	publish_take(publish, 1);
	publish_offer(publish, &c); /* settles what it can by itself */
	ck_assert_uint_eq(released, 2);
	/* That `c` was made while two others lived does not go unseen. */
	ck_assert_uint_eq(publish_alive(publish, &most), 2);
	ck_assert_uint_eq(most, 3);
	publish_free(publish);
	ck_assert_uint_eq(released, 4);
	publish_free(NULL);
}
END_TEST

START_TEST(no_readers)
{
	struct publish *publish = publish_new(0, count_release);
	int a, b;

	released = 0;
	publish_offer(publish, &a);
	ck_assert(publish_settled(publish));
	publish_offer(publish, &b);
	ck_assert(publish_settled(publish));
	ck_assert_uint_eq(released, 1);
	publish_free(publish);
	ck_assert_uint_eq(released, 2);
}
END_TEST

struct object {
	unsigned serial, octets[64];
};

struct reader {
	struct publish *publish;
	atomic_bool *stop;
	unsigned n;
	bool ok;
};

static void free_object(void *object)
{
	memset(object, 0xee, sizeof(struct object));
	free(object);
	released++;
}

static void *read_on(void *arg)
{
	struct reader *reader = arg;
	unsigned last = 0, i;

	reader->ok = true;
	while (!atomic_load_explicit(reader->stop, memory_order_relaxed)) {
		struct object *object = publish_take(reader->publish, reader->n);

		if (!object)
			continue;
		if (object->serial < last)
			reader->ok = false;
		last = object->serial;
		for (i = 0; i < 64; i++)
			reader->ok &= object->octets[i] == last;
	}
	return NULL;
}

START_TEST(many_threads)
{
	struct publish *publish = publish_new(READERS, free_object);
	struct reader reader[READERS];
	pthread_t thread[READERS];
	atomic_bool stop = false;
	unsigned n, i;

	released = 0;
	for (n = 0; n < READERS; n++) {
		reader[n] = (struct reader){ .publish = publish, .stop = &stop, .n = n };
		ck_assert_int_eq(pthread_create(&thread[n], NULL, read_on, &reader[n]), 0);
	}
	for (n = 1; n <= ROUNDS; n++) {
		struct object *object = malloc(sizeof(*object));

		object->serial = n;
		for (i = 0; i < 64; i++)
			object->octets[i] = n;
		publish_offer(publish, object);
		while (!publish_settled(publish))
			sched_yield();
	}
	atomic_store(&stop, true);
	for (n = 0; n < READERS; n++) {
		pthread_join(thread[n], NULL);
		ck_assert(reader[n].ok);
	}
	ck_assert_uint_eq(released, ROUNDS - 1);
	publish_free(publish);
	ck_assert_uint_eq(released, ROUNDS);
}
END_TEST

static Suite *publish_suite(void)
{
	Suite *suite = suite_create("publish");
	TCase *tests = tcase_create("publish");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, one_thread);
	tcase_add_test(tests, no_readers);
	tcase_add_test(tests, many_threads);
	suite_add_tcase(suite, tests);
	return suite;
}

UNIT_MAIN(publish_suite)
