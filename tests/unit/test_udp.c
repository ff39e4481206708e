/* SPDX-License-Identifier: MIT */
/*
 * net/udp over loopback: batches, the asked address on wildcard sockets both ways, what cannot be
 * sent.
 */
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "net/udp.h"
#include "unit/unit.h"

static struct udp_in *in;
static struct udp_out *out;

static void setup(void)
{
	in = udp_in_new();
	out = udp_out_new();
	ck_assert_ptr_nonnull(in);
	ck_assert_ptr_nonnull(out);
}

static void teardown(void)
{
	udp_in_free(in);
	udp_out_free(out);
}

static union addr address(const char *text, uint16_t port)
{
	union addr addr;

	ck_assert_int_eq(addr_parse(&addr, text, port), 0);
	addr_set_port(&addr, port);
	return addr;
}

/*
 * Bound; its address with the real port goes into *addr. -1 where the machine has no such address.
 */
static int bound(union addr *addr, bool prepare)
{
	struct timeval wait = { 5, 0 };
	socklen_t len = sizeof(*addr);
	int fd = socket(addr->any.sa_family, SOCK_DGRAM, 0);

	if (fd < 0)
		return -1;
	if (prepare)
		ck_assert_int_eq(udp_socket_prepare(fd, addr), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	if (bind(fd, &addr->any, addr_len(addr)) < 0) {
		close(fd);
		return -1;
	}
	ck_assert_int_eq(getsockname(fd, &addr->any, &len), 0);
	return fd;
}

static void send_to(int fd, const union addr *to, const void *data, size_t len)
{
	ck_assert_int_eq(sendto(fd, data, len, 0, &to->any, addr_len(to)), (ssize_t)len);
}

/* Asks `asked` of a server on `wildcard`; the answer must come from there. */
static void check_asked(const char *wildcard, const char *asked)
{
	union addr server = address(wildcard, 0), client = address(asked, 0), to, from;
	const struct udp_datagram *datagram;
	struct udp_sent sent;
	socklen_t len = sizeof(from);
	uint8_t got[16];
	int sfd = bound(&server, true), cfd = bound(&client, false);

	if (sfd < 0 || cfd < 0)
		return; /* no IPv6 here */
	to = address(asked, addr_port(&server));
	send_to(cfd, &to, "hello", 5);
	ck_assert_uint_eq(udp_receive(in, sfd, &server), 1);
	datagram = udp_in_at(in, 0);
	ck_assert(addr_equal(&datagram->to, &to));
	ck_assert(addr_equal(&datagram->from, &client));
	ck_assert_uint_gt(datagram->ifindex, 0);
	ck_assert_uint_eq(datagram->len, 5);
	ck_assert(udp_put(out, sfd, &datagram->from, &datagram->to, true, datagram->ifindex,
			  (const uint8_t *)"answer", 6));
	sent = udp_flush(out);
	ck_assert_uint_eq(sent.sent, 1);
	ck_assert_int_eq(recvfrom(cfd, got, sizeof(got), 0, &from.any, &len), 6);
	ck_assert(addr_equal(&from, &to));
	close(sfd);
	close(cfd);
}

START_TEST(wildcard)
{
	check_asked("0.0.0.0", "127.0.0.1");
	check_asked("0.0.0.0", "127.0.0.2");
	check_asked("::", "::1");
}
END_TEST

START_TEST(batch)
{
	union addr server = address("127.0.0.1", 0), client = server;
	int sfd = bound(&server, true), cfd = bound(&client, false);
	unsigned n, count, total = 0;
	struct udp_sent sent;
	uint8_t octet;

	for (n = 0; n < UDP_BATCH + 3; n++) {
		octet = (uint8_t)n;
		send_to(cfd, &server, &octet, 1);
	}
	for (;;) {
		count = udp_receive(in, sfd, &server);
		if (count == 0)
			break;
		for (n = 0; n < count; n++) {
			ck_assert_uint_eq(udp_in_at(in, n)->data[0], total + n);
			ck_assert(addr_equal(&udp_in_at(in, n)->to, &server));
			ck_assert(udp_put(out, sfd, &udp_in_at(in, n)->from, &server, false, 0,
					  udp_in_at(in, n)->data, 1));
		}
		ck_assert_uint_eq(udp_out_count(out), count);
		sent = udp_flush(out);
		ck_assert_uint_eq(sent.sent, count);
		ck_assert_uint_eq(sent.dropped, 0);
		total += count;
	}
	ck_assert_uint_eq(total, UDP_BATCH + 3);
	for (n = 0; n < total; n++) {
		ck_assert_int_eq(recv(cfd, &octet, 1, 0), 1);
		ck_assert_uint_eq(octet, n);
	}
	close(sfd);
	close(cfd);
}
END_TEST

START_TEST(sizes)
{
	static uint8_t big[UDP_IN_MAX + 1];
	union addr server = address("127.0.0.1", 0), client = server;
	int sfd = bound(&server, true), cfd = bound(&client, false);

	send_to(cfd, &server, big, 0);
	send_to(cfd, &server, big, UDP_IN_MAX);
	send_to(cfd, &server, big, UDP_IN_MAX + 1);
	ck_assert_uint_eq(udp_receive(in, sfd, &server), 3);
	ck_assert_uint_eq(udp_in_at(in, 0)->len, 0);
	ck_assert_uint_eq(udp_in_at(in, 1)->len, UDP_IN_MAX);
	ck_assert(!udp_in_at(in, 1)->cut);
	ck_assert_uint_eq(udp_in_at(in, 2)->len, UDP_IN_MAX);
	ck_assert(udp_in_at(in, 2)->cut);
	ck_assert(!udp_put(out, sfd, &client, &server, false, 0, big, UDP_OUT_MAX + 1));
	close(sfd);
	close(cfd);
}
END_TEST

/* One that cannot be sent does not keep the others. */
START_TEST(unsendable)
{
	union addr server = address("127.0.0.1", 0), client = server, nowhere = server;
	int sfd = bound(&server, true), cfd = bound(&client, false);
	struct udp_sent sent;
	unsigned n;

	addr_set_port(&nowhere, 0);
	for (n = 0; n < UDP_BATCH; n++)
		ck_assert(udp_put(out, n < 5 ? sfd : cfd, n % 2 ? &client : &nowhere, &server,
				  false, 0, (const uint8_t *)"x", 1));
	ck_assert(!udp_put(out, sfd, &client, &server, false, 0, (const uint8_t *)"x", 1));
	sent = udp_flush(out);
	ck_assert_uint_eq(sent.sent, UDP_BATCH / 2);
	ck_assert_uint_eq(sent.dropped, UDP_BATCH / 2);
	ck_assert_uint_eq(udp_out_count(out), 0);
	close(sfd);
	close(cfd);
}
END_TEST

static Suite *udp_suite(void)
{
	Suite *suite = suite_create("udp");
	TCase *tc = tcase_create("udp");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, wildcard);
	tcase_add_test(tc, batch);
	tcase_add_test(tc, sizes);
	tcase_add_test(tc, unsendable);
	suite_add_tcase(suite, tc);
	return suite;
}

UNIT_MAIN(udp_suite)
