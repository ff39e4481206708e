/* SPDX-License-Identifier: MIT */
/*
 * net/stream over a socket pair: frames however they are cut, over-long ones, blocks that come
 * and go, writing against a peer that does not read.
 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/stream.h"
#include "unit/unit.h"

static int pair[2];
static struct stream_pool *pool;
static struct stream stream;
static uint8_t in[STREAM_FRAME_HEAD + STREAM_IN_MAX];

static void setup(void)
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	pool = stream_pool_new(2);
	ck_assert_ptr_nonnull(pool);
	stream_init(&stream, pair[0], &stream_tcp, NULL, pool, in, sizeof(in));
}

static void teardown(void)
{
	stream_fini(&stream);
	stream_pool_free(pool);
	close(pair[0]);
	close(pair[1]);
}

static void give(const void *data, size_t len)
{
	ck_assert_int_eq(write(pair[1], data, len), (ssize_t)len);
}

START_TEST(frames_cut_anywhere)
{
	static const uint8_t octets[] = { 0, 3, 'a', 'b', 'c', 0, 0, 0, 1, 'd' };
	struct stream_message message;
	unsigned seen = 0;
	size_t i;

	for (i = 0; i < sizeof(octets); i++) {
		give(octets + i, 1);
		ck_assert_int_eq(stream_read(&stream), STREAM_OK);
		while (stream_next(&stream, &message)) {
			ck_assert(!message.cut);
			switch (seen++) {
			case 0:
				ck_assert_uint_eq(i, 4);
				ck_assert_mem_eq(message.data, "abc", 3);
				break;
			case 1:
				ck_assert_uint_eq(i, 6);
				ck_assert_uint_eq(message.len, 0);
				break;
			default:
				ck_assert_uint_eq(message.len, 1);
				ck_assert_uint_eq(message.data[0], 'd');
			}
		}
		ck_assert(stream_in_frame(&stream) == (i != 4 && i != 6 && i != 9));
	}
	ck_assert_uint_eq(seen, 3);
	ck_assert_int_eq(stream_read(&stream), STREAM_AGAIN);
	shutdown(pair[1], SHUT_WR);
	ck_assert_int_eq(stream_read(&stream), STREAM_END);
}
END_TEST

/* A frame longer than is kept: its head is handed out, the next frame is found. */
START_TEST(over_long)
{
	static uint8_t octets[2 + 65535 + 2 + 4];
	struct stream_message message;
	size_t sent = 0, part;
	unsigned seen = 0;

	memset(octets, 'x', sizeof(octets));
	octets[0] = octets[1] = 0xff;
	memcpy(octets + 2 + 65535, "\0\4last", 6);
	while (sent < sizeof(octets)) {
		part = sizeof(octets) - sent < 1000 ? sizeof(octets) - sent : 1000;
		give(octets + sent, part);
		sent += part;
		ck_assert_int_eq(stream_read(&stream), STREAM_OK);
		while (stream_next(&stream, &message)) {
			if (seen++ == 0) {
				ck_assert(message.cut);
				ck_assert_uint_eq(message.len, STREAM_IN_MAX);
			} else {
				ck_assert(!message.cut);
				ck_assert_uint_eq(message.len, 4);
				ck_assert_mem_eq(message.data, "last", 4);
			}
		}
	}
	ck_assert_uint_eq(seen, 2);
	ck_assert(!stream_in_frame(&stream));
}
END_TEST

/* The longest frame that is kept whole. */
START_TEST(longest)
{
	static uint8_t octets[STREAM_FRAME_HEAD + STREAM_IN_MAX];
	struct stream_message message;

	octets[0] = STREAM_IN_MAX >> 8;
	octets[1] = STREAM_IN_MAX & 0xff;
	give(octets, sizeof(octets));
	ck_assert_int_eq(stream_read(&stream), STREAM_OK);
	ck_assert_int_eq(stream_read(&stream), STREAM_AGAIN); /* no room: nothing is lost */
	ck_assert(stream_next(&stream, &message));
	ck_assert(!message.cut);
	ck_assert_uint_eq(message.len, STREAM_IN_MAX);
	ck_assert(!stream_next(&stream, &message));
}
END_TEST

START_TEST(answers_share_a_write)
{
	uint8_t got[32];

	ck_assert_int_eq(stream_put(&stream, (const uint8_t *)"one", 3), STREAM_PUT);
	ck_assert_int_eq(stream_put(&stream, (const uint8_t *)"", 0), STREAM_PUT);
	ck_assert_int_eq(stream_put(&stream, (const uint8_t *)"three", 5), STREAM_PUT);
	ck_assert_uint_eq(stream_pool_left(pool), 1);
	ck_assert_uint_eq(stream_unsent(&stream), 14);
	ck_assert_int_eq(stream_write(&stream), STREAM_OK);
	ck_assert_uint_eq(stream_pool_left(pool), 2);
	ck_assert_int_eq(read(pair[1], got, sizeof(got)), 14);
	ck_assert_mem_eq(got, "\0\3one\0\0\0\5three", 14);
}
END_TEST

/* What does not go at once goes later, whole and in order, also when it is moved to the front. */
START_TEST(slow_reader)
{
	static uint8_t big[60000], got[1 << 20];
	size_t put = 0, taken = 0, at, len;
	unsigned n = 0;
	ssize_t r;

	for (;;) {
		memset(big, (int)n, sizeof(big));
		if (stream_put(&stream, big, sizeof(big)) == STREAM_PUT_FULL)
			break;
		put++;
		n++;
		ck_assert_int_ne(stream_write(&stream), STREAM_BROKEN);
		ck_assert_uint_lt(put, 17);
	}
	ck_assert_uint_ge(put, 2);
	while (taken < put * (2 + sizeof(big))) {
		r = read(pair[1], got + taken, 5000);
		ck_assert_int_gt(r, 0);
		taken += (size_t)r;
		ck_assert_int_ne(stream_write(&stream), STREAM_BROKEN);
	}
	ck_assert_uint_eq(stream_pool_left(pool), 2);
	for (at = 0, n = 0; at < taken; at += 2 + len, n++) {
		len = (size_t)(got[at] << 8 | got[at + 1]);
		ck_assert_uint_eq(len, sizeof(big));
		ck_assert_uint_eq(got[at + 2], n & 0xff);
		ck_assert_uint_eq(got[at + 1 + len], n & 0xff);
	}
}
END_TEST

START_TEST(no_block)
{
	struct stream other[2];
	unsigned n;

	for (n = 0; n < 2; n++) {
		stream_init(&other[n], pair[0], &stream_tcp, NULL, pool, in, sizeof(in));
		ck_assert_int_eq(stream_put(&other[n], (const uint8_t *)"x", 1), STREAM_PUT);
	}
	ck_assert_int_eq(stream_put(&stream, (const uint8_t *)"x", 1), STREAM_PUT_NO_BLOCK);
	stream_fini(&other[0]);
	ck_assert_int_eq(stream_put(&stream, (const uint8_t *)"x", 1), STREAM_PUT);
	stream_fini(&other[1]);
}
END_TEST

START_TEST(broken)
{
	close(pair[1]);
	ck_assert_int_eq(stream_put(&stream, (const uint8_t *)"x", 1), STREAM_PUT);
	ck_assert_int_eq(stream_write(&stream), STREAM_BROKEN); /* and no SIGPIPE */
	pair[1] = dup(pair[0]);
}
END_TEST

static Suite *stream_suite(void)
{
	Suite *suite = suite_create("stream");
	TCase *tc = tcase_create("stream");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, frames_cut_anywhere);
	tcase_add_test(tc, over_long);
	tcase_add_test(tc, longest);
	tcase_add_test(tc, answers_share_a_write);
	tcase_add_test(tc, slow_reader);
	tcase_add_test(tc, no_block);
	tcase_add_test(tc, broken);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(stream_suite)
