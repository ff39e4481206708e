/* SPDX-License-Identifier: MIT */
/*
 * What the test tools share below DNS.
 *
 * Tests may not use fixed ports: several run at once, on machines where anything may listen.
 * So every server of ours binds port 0 and tells what it got. UDP and TCP have separate port
 * spaces and DNS wants the same number in both: bind one, try the other, and start over where
 * somebody else was quicker. Tried 64 times; more means that the machine has no ports left.
 */
#include "toolnet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

int tool_addr_parse(const char *text, struct sockaddr_storage *ret_addr, socklen_t *ret_len)
{
	char host[128];
	const char *at = strrchr(text, '@');
	size_t n = at ? (size_t)(at - text) : strlen(text);
	long port = at ? strtol(at + 1, NULL, 10) : 0;

	if (n >= sizeof(host) || port < 0 || port > 65535)
		return -1;
	memcpy(host, text, n);
	host[n] = '\0';
	memset(ret_addr, 0, sizeof(*ret_addr));
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret_addr;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret_addr;
	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		*ret_len = sizeof(*v4);
		return 0;
	}
	if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		*ret_len = sizeof(*v6);
		return 0;
	}
	return -1;
}

static uint16_t addr_port(const struct sockaddr_storage *addr)
{
	if (addr->ss_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)addr)->sin_port);
	return ntohs(((const struct sockaddr_in6 *)addr)->sin6_port);
}

void tool_addr_print(const struct sockaddr_storage *addr, char *buf, size_t buf_len)
{
	char host[INET6_ADDRSTRLEN] = "?";

	if (addr->ss_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)addr)->sin_addr, host,
			  sizeof(host));
	else
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)addr)->sin6_addr, host,
			  sizeof(host));
	snprintf(buf, buf_len, "%s@%u", host, addr_port(addr));
}

int tool_addr_equal(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	char x[80], y[80];

	tool_addr_print(a, x, sizeof(x));
	tool_addr_print(b, y, sizeof(y));
	return strcmp(x, y) == 0;
}

static int bind_one(const struct sockaddr_storage *addr, socklen_t len, int type)
{
	int one = 1, big = 4 << 20;
	int fd = socket(addr->ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (addr->ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (type == SOCK_STREAM)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	else
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &big, sizeof(big));
	if (bind(fd, (const struct sockaddr *)addr, len) < 0 ||
	    (type == SOCK_STREAM && listen(fd, 128) < 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

int tool_listen_pair(struct sockaddr_storage *addr, socklen_t len, int *ret_udp, int *ret_tcp)
{
	int asked_port = addr_port(addr);

	for (int attempt = 0; attempt < 64; attempt++) {
		struct sockaddr_storage got = *addr;
		socklen_t got_len = sizeof(got);
		int udp = bind_one(addr, len, SOCK_DGRAM);

		if (udp < 0)
			break;
		getsockname(udp, (struct sockaddr *)&got, &got_len);
		int tcp = bind_one(&got, got_len, SOCK_STREAM);
		if (tcp >= 0) {
			*addr = got;
			*ret_udp = udp;
			*ret_tcp = tcp;
			return 0;
		}
		close(udp);
		if (asked_port != 0)
			break;
	}
	fprintf(stderr, "cannot listen: %s\n", strerror(errno));
	return -1;
}

static int hex_digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

long tool_hex_decode(const char *text, uint8_t *out, size_t out_len)
{
	size_t n = 0;
	int high = -1;

	for (; *text; text++) {
		if (*text == ' ')
			continue;
		int d = hex_digit((unsigned char)*text);
		if (d < 0 || n == out_len)
			return -1;
		if (high < 0) {
			high = d;
			continue;
		}
		out[n++] = (uint8_t)(high << 4 | d);
		high = -1;
	}
	return high < 0 ? (long)n : -1;
}

int tool_ctl(const char *socket_path, const char *command, char *reply, size_t reply_len)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t n = 0;
	ssize_t got;

	if (fd < 0)
		return -1;
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", socket_path);
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) < 0 ||
	    dprintf(fd, "%s\n", command) < 0) {
		fprintf(stderr, "%s: %s\n", socket_path, strerror(errno));
		close(fd);
		return -1;
	}
	while (n + 1 < reply_len && (got = read(fd, reply + n, reply_len - 1 - n)) > 0)
		n += (size_t)got;
	close(fd);
	while (n > 0 && reply[n - 1] == '\n')
		n--;
	reply[n] = '\0';
	return 0;
}

uint64_t tool_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}
