/* SPDX-License-Identifier: MIT */
/* The servers of resolv.conf(5), without ourselves and without local stubs. */
#include <stdio.h>
#include <unistd.h>

#include "unit/unit.h"
#include "upstream/resolvconf.h"

static char path[64], stub_path[64];
/* Which stub's servers stub_text is. */
static enum resolvconf_stub which = RESOLVCONF_RESOLVED;

static void write_file(char file[64], const char *text)
{
	FILE *stream;
	int fd;

	snprintf(file, 64, "/tmp/privlinkd-resolvconf-XXXXXX");
	fd = mkstemp(file);
	ck_assert_int_ge(fd, 0);
	stream = fdopen(fd, "w");
	fputs(text, stream);
	fclose(stream);
}

/* The servers as one text, separated by blanks. */
static const char *servers(const char *text, const char *stub_text, const char *own_text)
{
	static char ret[RESOLVCONF_SERVERS_MAX * ADDR_TEXT_MAX];
	union addr found[RESOLVCONF_SERVERS_MAX], own;
	const char *behind[RESOLVCONF_STUBS] = { NULL };
	char one[ADDR_TEXT_MAX];
	size_t i, count;

	ret[0] = '\0';
	write_file(path, text);
	if (stub_text)
		write_file(stub_path, stub_text);
	behind[which] = stub_text ? stub_path : "/nonexistent/file";
	if (own_text)
		ck_assert_int_eq(addr_parse(&own, own_text, 53), 0);
	count = resolvconf_servers(path, behind, &own, own_text ? 1 : 0, found);
	for (i = 0; i < count; i++) {
		if (i)
			strcat(ret, " ");
		strcat(ret, addr_to_text(&found[i], 53, one));
	}
	unlink(path);
	if (stub_text)
		unlink(stub_path);
	return ret;
}

START_TEST(lines)
{
	ck_assert_str_eq(servers("", NULL, NULL), "");
	ck_assert_str_eq(servers("# nameserver 192.0.2.9\n"
				 "search example.test\n"
				 "nameserver 192.0.2.1\n"
				 "nameserver\t2001:db8::1 # a word\n"
				 "nameserverx 192.0.2.7\n"
				 "nameserver not.an.address\n"
				 "nameserver 192.0.2.1\n"
				 "nameserver 192.0.2.5@99\n"
				 "nameserver 0.0.0.0\n"
				 "nameserver 192.0.2.2\r\n"
				 "nameserver",
				 NULL, NULL),
			 "192.0.2.1 2001:db8::1 192.0.2.2");
	ck_assert_str_eq(servers("nameserver 192.0.2.3", NULL, NULL), "192.0.2.3");
}
END_TEST

START_TEST(at_most_eight)
{
	char text[1024] = "";
	unsigned i;

	for (i = 1; i < 20; i++)
		sprintf(text + strlen(text), "nameserver 192.0.2.%u\n", i);
	ck_assert_str_eq(servers(text, NULL, NULL), "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4"
						    " 192.0.2.5 192.0.2.6 192.0.2.7 192.0.2.8");
}
END_TEST

START_TEST(without_ourselves)
{
	const char *text = "nameserver 127.0.0.1\nnameserver 192.0.2.1\nnameserver ::1\n";

	ck_assert_str_eq(servers(text, NULL, "127.0.0.1"), "192.0.2.1 ::1");
	ck_assert_str_eq(servers(text, NULL, "127.0.0.1@5300"), "127.0.0.1 192.0.2.1 ::1");
	ck_assert_str_eq(servers(text, NULL, "0.0.0.0"), "192.0.2.1");
	ck_assert_str_eq(servers(text, NULL, "::"), "192.0.2.1");
}
END_TEST

START_TEST(stub)
{
	ck_assert_str_eq(servers("nameserver 127.0.0.53\n", NULL, NULL), "");
	ck_assert_str_eq(
		servers("nameserver 127.0.0.53\nnameserver 192.0.2.1\n",
			"nameserver 192.0.2.7\nnameserver 127.0.0.54\nnameserver 127.0.0.1\n",
			"127.0.0.1"),
		"192.0.2.1 192.0.2.7");
	/* Not asked for where the stub is not. */
	ck_assert_str_eq(servers("nameserver 192.0.2.1\n", "nameserver 192.0.2.7\n", NULL),
			 "192.0.2.1");
}
END_TEST

START_TEST(stub_of_network_manager)
{
	which = RESOLVCONF_NETWORK_MANAGER;
	ck_assert_str_eq(servers("nameserver 127.0.1.1\n", NULL, NULL), "");
	ck_assert_str_eq(servers("nameserver 127.0.1.1\nnameserver 192.0.2.1\n",
				 "nameserver 192.0.2.7\nnameserver 127.0.1.1\n", NULL),
			 "192.0.2.1 192.0.2.7");
	/* Behind its own stub alone, and neighbours are none. */
	ck_assert_str_eq(servers("nameserver 127.0.0.53\nnameserver 127.0.1.2\n",
				 "nameserver 192.0.2.7\n", NULL),
			 "127.0.1.2");
}
END_TEST

START_TEST(no_file)
{
	const char *const behind[RESOLVCONF_STUBS] = { NULL };
	union addr found[RESOLVCONF_SERVERS_MAX];

	ck_assert_uint_eq(resolvconf_servers("/nonexistent/file", behind, NULL, 0, found), 0);
}
END_TEST

static Suite *resolvconf_suite(void)
{
	Suite *suite = suite_create("resolvconf");
	TCase *tcase = tcase_create("resolvconf");

	tcase_add_test(tcase, lines);
	tcase_add_test(tcase, at_most_eight);
	tcase_add_test(tcase, without_ourselves);
	tcase_add_test(tcase, stub);
	tcase_add_test(tcase, stub_of_network_manager);
	tcase_add_test(tcase, no_file);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(resolvconf_suite)
