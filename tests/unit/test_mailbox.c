/* SPDX-License-Identifier: MIT */
/* Letters between threads: in order, bounded, and with a descriptor that tells. */
#include <poll.h>
#include <pthread.h>

#include "base/mailbox.h"
#include "unit/unit.h"

static bool readable(const struct mailbox *mailbox)
{
	struct pollfd fd = { mailbox_fd(mailbox), POLLIN, 0 };

	return poll(&fd, 1, 0) == 1;
}

START_TEST(in_order_and_bounded)
{
	struct mailbox *mailbox = mailbox_new(3);
	struct letter letter = { 0 };
	unsigned round, i;

	ck_assert_ptr_nonnull(mailbox);
	ck_assert(!readable(mailbox));
	ck_assert(!mailbox_take(mailbox, &letter));
	for (round = 0; round < 5; round++) {
		for (i = 0; i < 3; i++) {
			letter.value = round * 10 + i;
			letter.pointer = &letter;
			ck_assert(mailbox_post(mailbox, &letter));
		}
		ck_assert(!mailbox_post(mailbox, &letter));
		for (i = 0; i < 3; i++) {
			ck_assert(readable(mailbox));
			ck_assert(mailbox_take(mailbox, &letter));
			ck_assert_uint_eq(letter.value, round * 10 + i);
			ck_assert_ptr_eq(letter.pointer, &letter);
		}
		ck_assert(!mailbox_take(mailbox, &letter));
		ck_assert(!readable(mailbox));
	}
	mailbox_free(mailbox);
	mailbox_free(NULL);
}
END_TEST

#define WRITERS 3
#define LETTERS 5000

static void *write_letters(void *arg)
{
	struct letter letter = { 0 };

	while (letter.value < LETTERS) {
		struct pollfd pause;

		if (mailbox_post(arg, &letter))
			letter.value++;
		else
			poll(&pause, 0, 1);
	}
	return NULL;
}

/* The reader sleeps on the descriptor alone: a wake-up that is lost would show as a time-out. */
START_TEST(many_writers)
{
	struct mailbox *mailbox = mailbox_new(64);
	pthread_t threads[WRITERS];
	struct letter letter;
	unsigned i, got = 0;

	for (i = 0; i < WRITERS; i++)
		pthread_create(&threads[i], NULL, write_letters, mailbox);
	while (got < WRITERS * LETTERS) {
		struct pollfd fd = { mailbox_fd(mailbox), POLLIN, 0 };

		ck_assert_int_eq(poll(&fd, 1, 5000), 1);
		while (mailbox_take(mailbox, &letter))
			got++;
	}
	for (i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	ck_assert(!mailbox_take(mailbox, &letter));
	mailbox_free(mailbox);
}
END_TEST

static Suite *mailbox_suite(void)
{
	Suite *suite = suite_create("mailbox");
	TCase *tcase = tcase_create("mailbox");

	tcase_set_timeout(tcase, 30);
	tcase_add_test(tcase, in_order_and_bounded);
	tcase_add_test(tcase, many_writers);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(mailbox_suite)
