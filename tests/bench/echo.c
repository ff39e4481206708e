/* SPDX-License-Identifier: MIT */
/*
 * The two ends that the bench needs beside the load generator.
 *
 *     echo ADDR[@PORT] READY-FILE       sends every packet back with QR set
 *     echo -u ADDR[@PORT] READY-FILE    an upstream: one A record, TTL 300; other types NODATA
 *
 * The bare echo is the yardstick: CPU per packet on this machine, this kernel, this load, with
 * the same batches that a good server uses and nothing between. A figure of a server says little
 * alone (machines differ by more than servers do); as a multiple of the echo it can be compared.
 *
 * The upstream shares the loop since it must be about as cheap: it runs on the core of the load,
 * and a server that waits for it does small batches. It answers every name, as a resolver would
 * (RA, OPT where asked, TTL 300 so that a cache has to store what it gets); other types get a SOA.
 *
 * One thread, one socket, ends when it is killed. READY-FILE gets `ADDR@PORT`, renamed into place.
 */
#include "../tools/toolnet.h"

#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BATCH 64 /* as the server: more gains nothing that could be measured */
#define ROOM 2048

static uint8_t bytes[BATCH][ROOM];
static struct sockaddr_storage peers[BATCH];
static struct iovec iov[BATCH];
static struct mmsghdr msgs[BATCH];

/* Turns the query of len bytes (one question) into a reply. Returns its length, 0: no reply. */
static size_t answer(uint8_t *p, size_t len)
{
	static const uint8_t a[] = { 0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 192, 0, 2, 1 };
	static const uint8_t soa[] = { 0xc0,        12, 0, 6, 0, 1, 0, 0, 1, 44, 0, 22,
				       /* . . */ 0, 0,  0, 0, 0, 1, 0, 0, 1, 0,  0, 0,
				       1,           0,  0, 0, 1, 0, 0, 0, 1, 44 };
	static const uint8_t opt[] = { 0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0 };
	bool edns = p[11] != 0;
	size_t at = 12;

	while (at < len && p[at] != 0 && p[at] < 64)
		at += 1u + p[at];
	at += 5;
	if (at > len || at + sizeof(soa) + sizeof(opt) > ROOM)
		return 0;
	bool has = p[at - 4] == 0 && p[at - 3] == 1;
	p[2] = 0x80 | (p[2] & 1);
	p[3] = 0x80;
	memset(p + 6, 0, 6);
	p[has ? 7 : 9] = 1;
	memcpy(p + at, has ? a : soa, has ? sizeof(a) : sizeof(soa));
	at += has ? sizeof(a) : sizeof(soa);
	if (edns) {
		p[11] = 1;
		memcpy(p + at, opt, sizeof(opt));
		at += sizeof(opt);
	}
	return at;
}

static void serve(int fd, bool upstream)
{
	for (;;) {
		for (int i = 0; i < BATCH; i++) {
			iov[i] = (struct iovec){ .iov_base = bytes[i], .iov_len = ROOM };
			msgs[i].msg_hdr = (struct msghdr){ .msg_name = &peers[i],
							   .msg_namelen = sizeof(peers[i]),
							   .msg_iov = &iov[i],
							   .msg_iovlen = 1 };
		}
		int n = recvmmsg(fd, msgs, BATCH, MSG_DONTWAIT, NULL);
		if (n <= 0) {
			struct pollfd p = { .fd = fd, .events = POLLIN };
			poll(&p, 1, -1);
			continue;
		}
		unsigned out = 0;
		for (int i = 0; i < n; i++) {
			size_t len = msgs[i].msg_len;
			if (len <= 12 || (bytes[i][2] & 0x80))
				continue;
			bytes[i][2] |= 0x80;
			iov[i].iov_len = upstream ? answer(bytes[i], len) : len;
			if (iov[i].iov_len > 0)
				msgs[out++] = msgs[i];
		}
		for (unsigned at = 0; at < out;) {
			int sent = sendmmsg(fd, msgs + at, out - at, 0);
			at += sent > 0 ? (unsigned)sent : 1; /* that one cannot be sent */
		}
	}
}

static int write_ready(const char *path, const char *text)
{
	char tmp[512];
	FILE *f;

	if (snprintf(tmp, sizeof(tmp), "%s.tmp", path) >= (int)sizeof(tmp) ||
	    !(f = fopen(tmp, "we")))
		return -1;
	fprintf(f, "%s\n", text);
	return fclose(f) == 0 ? rename(tmp, path) : -1;
}

int main(int argc, char **argv)
{
	struct sockaddr_storage addr;
	socklen_t len;
	char text[80];
	int udp, tcp, big = 1 << 20;
	bool upstream = argc > 1 && strcmp(argv[1], "-u") == 0;

	argv += upstream;
	argc -= upstream;
	if (argc != 3 || tool_addr_parse(argv[1], &addr, &len) < 0) {
		fputs("usage: echo [-u] ADDR[@PORT] READY-FILE\n", stderr);
		return 2;
	}
	if (tool_listen_pair(&addr, len, &udp, &tcp) < 0)
		return 1;
	close(tcp);
	setsockopt(udp, SOL_SOCKET, SO_RCVBUF, &big, sizeof(big));
	tool_addr_print(&addr, text, sizeof(text));
	if (write_ready(argv[2], text) < 0) {
		perror(argv[2]);
		return 1;
	}
	serve(udp, upstream);
}
