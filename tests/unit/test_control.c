/* SPDX-License-Identifier: MIT */
/*
 * The control socket: what is a request and what is not, its bounds, and that it moves. Requests
 * here are refused before any command, so there is nothing for commands to work on.
 */
#include <event2/event.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "admin/command.h"
#include "admin/control.h"
#include "unit/unit.h"

static struct request request;

static int read_line(const char *line)
{
	static char copy[CONTROL_REQUEST_MAX + 1];

	memset(&request, 0xff, sizeof(request));
	snprintf(copy, sizeof(copy), "%s", line);
	return request_read(&request, copy);
}

START_TEST(requests)
{
	ck_assert_int_eq(read_line("status"), 0);
	ck_assert(!request.json);
	ck_assert_uint_eq(request.count, 1);
	ck_assert_str_eq(request.word[0], "status");
	ck_assert_int_eq(read_line("  -j  explain a.test   AAAA "), 0);
	ck_assert(request.json);
	ck_assert_uint_eq(request.count, 3);
	ck_assert_str_eq(request.word[0], "explain");
	ck_assert_str_eq(request.word[2], "AAAA");
	/* Only in front is -j an option, and only once. */
	ck_assert_int_eq(read_line("-j -j"), 0);
	ck_assert_str_eq(request.word[0], "-j");
	ck_assert_int_eq(read_line("records -j"), 0);
	ck_assert(!request.json);
	ck_assert_str_eq(request.word[1], "-j");
	ck_assert_int_eq(read_line("1 2 3 4 5 6 7 8"), 0);
	ck_assert_uint_eq(request.count, CONTROL_WORDS_MAX);
}
END_TEST

START_TEST(escapes)
{
	ck_assert_int_eq(read_line("a%20b%25%7e%FF %41%2e"), 0);
	ck_assert_uint_eq(request.count, 2);
	ck_assert_str_eq(request.word[0], "a b%~\xff");
	ck_assert_str_eq(request.word[1], "A.");
	/* What an escape gives is not read again. */
	ck_assert_int_eq(read_line("%2541"), 0);
	ck_assert_str_eq(request.word[0], "%41");
}
END_TEST

START_TEST(no_requests)
{
	static const char *const lines[] = { "",
					     "  ",
					     "-j",
					     "-j ",
					     "%",
					     "a%",
					     "a%4",
					     "%4g",
					     "%g4",
					     "%-1",
					     "%00",
					     "a %0",
					     "1 2 3 4 5 6 7 8 9" };
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		ck_assert_msg(read_line(lines[i]) < 0, "'%s'", lines[i]);
}
END_TEST

/* ---- over the socket ---- */

static char folder[] = "/tmp/plctl.XXXXXX";
static char path_a[64], path_b[64];
static struct event_base *base;
static struct control *control;

static void setup(void)
{
	const struct control_parts parts = { .started_ms = 0 };
	struct err err;
	int fd;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path_a, sizeof(path_a), "%s/a", folder);
	snprintf(path_b, sizeof(path_b), "%s/b", folder);
	base = event_base_new();
	ck_assert_int_eq(control_open(path_a, (uid_t)-1, (gid_t)-1, &fd, &err), 0);
	control = control_new(base, fd, path_a, &parts, &err);
	ck_assert_ptr_nonnull(control);
}

static void teardown(void)
{
	control_free(control);
	event_base_free(base);
	ck_assert_int_eq(rmdir(folder), 0); /* nothing stays behind */
}

static int dial(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = 20 };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(address.sun_path, path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		return -1;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return fd;
}

static void run_for_ms(unsigned ms)
{
	struct timeval wait = { .tv_usec = (long)ms * 1000 };

	event_base_loopexit(base, &wait);
	event_base_dispatch(base);
}

/* All that comes until the end, with the loop running. */
static const char *reply_to(int fd, const char *data, size_t len)
{
	static char text[1024];
	size_t have = 0;
	ssize_t got = -1;
	unsigned i;

	ck_assert_int_eq(send(fd, data, len, MSG_NOSIGNAL), (ssize_t)len);
	for (i = 0; i < 1000 && got != 0; i++) {
		run_for_ms(10);
		got = recv(fd, text + have, sizeof(text) - 1 - have, MSG_DONTWAIT);
		if (got > 0)
			have += (size_t)got;
	}
	ck_assert_int_le(got, 0);
	text[have] = '\0';
	close(fd);
	return text;
}

START_TEST(bounded_request)
{
	static char line[CONTROL_REQUEST_MAX + 2];

	ck_assert_str_eq(reply_to(dial(path_a), "%zz\n", 4), "usage\nnot a request");
	ck_assert_str_eq(reply_to(dial(path_a), "nothing\n", 8),
			 "usage\nnothing: this server has no such command");
	/* The longest line is read, a longer one closes the connection. */
	memset(line, ' ', sizeof(line));
	line[CONTROL_REQUEST_MAX] = '\n';
	ck_assert_str_eq(reply_to(dial(path_a), line, CONTROL_REQUEST_MAX + 1),
			 "usage\nnot a request");
	line[CONTROL_REQUEST_MAX] = ' ';
	line[CONTROL_REQUEST_MAX + 1] = '\n';
	ck_assert_str_eq(reply_to(dial(path_a), line, CONTROL_REQUEST_MAX + 2), "");
	memset(line, 'a', sizeof(line));
	ck_assert_str_eq(reply_to(dial(path_a), line, CONTROL_REQUEST_MAX + 2), "");
}
END_TEST

START_TEST(moves)
{
	struct err err = { .text = "" };
	struct stat st;
	int old;

	/* Where it cannot go it stays. */
	ck_assert_int_eq(control_move(control, "/nowhere/at/all", &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "/nowhere/at/all"));
	ck_assert_str_eq(reply_to(dial(path_a), "%\n", 2), "usage\nnot a request");
	ck_assert_int_eq(control_move(control, path_a, &err), 0);
	ck_assert_str_eq(reply_to(dial(path_a), "%\n", 2), "usage\nnot a request");

	/* One who came by the old path is served to the end. */
	old = dial(path_a);
	run_for_ms(10);
	ck_assert_int_eq(control_move(control, path_b, &err), 0);
	ck_assert_int_eq(lstat(path_a, &st), -1);
	ck_assert_int_eq(lstat(path_b, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0660);
	ck_assert_int_eq(dial(path_a), -1);
	ck_assert_str_eq(reply_to(old, "%\n", 2), "usage\nnot a request");
	ck_assert_str_eq(reply_to(dial(path_b), "%\n", 2), "usage\nnot a request");
	/* And back. */
	ck_assert_int_eq(control_move(control, path_a, &err), 0);
	ck_assert_int_eq(lstat(path_b, &st), -1);
	ck_assert_str_eq(reply_to(dial(path_a), "%\n", 2), "usage\nnot a request");
}
END_TEST

/* With as many clients as there may be, the new listener waits for the first to go, too. */
START_TEST(moves_with_a_full_house)
{
	int client[CONTROL_CLIENTS_MAX], late;
	struct err err;
	size_t i;

	for (i = 0; i < CONTROL_CLIENTS_MAX; i++)
		client[i] = dial(path_a);
	run_for_ms(20);
	ck_assert_int_eq(control_move(control, path_b, &err), 0);
	late = dial(path_b);
	ck_assert_int_ge(late, 0);
	run_for_ms(20);
	for (i = 0; i < CONTROL_CLIENTS_MAX; i++)
		close(client[i]);
	ck_assert_str_eq(reply_to(late, "%\n", 2), "usage\nnot a request");
}
END_TEST

static Suite *control_suite(void)
{
	Suite *suite = suite_create("control");
	TCase *pure = tcase_create("request"), *sockets = tcase_create("socket");

	tcase_add_test(pure, requests);
	tcase_add_test(pure, escapes);
	tcase_add_test(pure, no_requests);
	suite_add_tcase(suite, pure);
	tcase_set_timeout(sockets, 60);
	tcase_add_checked_fixture(sockets, setup, teardown);
	tcase_add_test(sockets, bounded_request);
	tcase_add_test(sockets, moves);
	tcase_add_test(sockets, moves_with_a_full_house);
	suite_add_tcase(suite, sockets);
	return suite;
}

UNIT_MAIN(control_suite)
