/* SPDX-License-Identifier: MIT */
/*
 * Asks a forwarder for a hot set of names beside random labels, and is its upstream as well: so it
 * knows what came from the cache.
 *
 *     hits [-n QUESTIONS] [-o OTHERS-OF-100] [-h HOT] [-w WINDOW] READY-FILE
 *
 * The upstream's ADDR@PORT is written to READY-FILE (renamed into place). Then one line with the
 * server's ADDR@PORT is read from standard input, and the questions are put, so many at once in a
 * closed loop. Prints "HOT-ASKED HOT-FROM-UPSTREAM OTHERS-ASKED LOST", without the first fifth, in
 * which the cache fills.
 *
 * Names: hNNN.bench.test by Zipf's law with 0.9, fNNN.bench.test once each. The upstream answers
 * all with one address and a TTL of a day, in a thread of its own; it counts names by their first
 * letter. Seed fixed.
 */
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/toolnet.h"

#define HOT_MAX 100000
#define WINDOW_MAX 1024
#define LOST_MS 2000

static _Atomic uint64_t hot_from_upstream;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* The octets of the first question, or 0. */
static size_t question_len(const uint8_t *data, size_t len)
{
	size_t at = 12;

	while (at < len && data[at])
		at += data[at] + 1u;
	return at + 5 <= len ? at + 5 - 12 : 0;
}

static void *serve(void *arg)
{
	static const uint8_t answer[] = {
		0xc0, 12, 0, 1, 0, 1, 0, 1, 0x51, 0x80, 0, 4, 192, 0, 2, 1
	};
	int fd = *(int *)arg;
	uint8_t data[2048];

	for (;;) {
		struct sockaddr_storage from;
		socklen_t from_len = sizeof(from);
		ssize_t got = recvfrom(fd, data, sizeof(data) - sizeof(answer), 0,
				       (struct sockaddr *)&from, &from_len);
		size_t len = got > 0 ? question_len(data, (size_t)got) : 0;

		if (len == 0)
			continue;
		if (data[13] == 'h' || data[13] == 'H')
			hot_from_upstream++;
		data[2] = 0x81;
		data[3] = 0x80;
		memset(data + 6, 0, 6);
		data[7] = 1;
		memcpy(data + 12 + len, answer, sizeof(answer));
		sendto(fd, data, 12 + len + sizeof(answer), 0, (struct sockaddr *)&from, from_len);
	}
	return NULL;
}

static double below[HOT_MAX];
static unsigned hot = 10000, others = 50;
static uint64_t other_count, hot_count;

static double uniform(void)
{
	return (double)(random() & 0x7fffffff) / 0x80000000;
}

static unsigned draw_hot(void)
{
	double at = uniform() * below[hot - 1];
	unsigned low = 0, high = hot - 1;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (below[middle] <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t next_query(uint8_t *data, uint16_t id)
{
	static const uint8_t tail[] = "\5bench\4test\0\0\1\0\1";
	char label[32];
	size_t len;

	if ((unsigned)(random() % 100) < others) {
		snprintf(label, sizeof(label), "f%08llx", (unsigned long long)other_count++);
	} else {
		snprintf(label, sizeof(label), "h%u", draw_hot());
		hot_count++;
	}
	len = strlen(label);
	memset(data, 0, 12);
	data[0] = (uint8_t)(id >> 8);
	data[1] = (uint8_t)id;
	data[2] = 1;
	data[5] = 1;
	data[12] = (uint8_t)len;
	memcpy(data + 13, label, len);
	memcpy(data + 13 + len, tail, sizeof(tail) - 1);
	return 13 + len + sizeof(tail) - 1;
}

static void ask(int fd, uint64_t questions, unsigned window)
{
	uint64_t sent = 0, lost = 0, open = 0, hot_before = 0, upstream_before = 0,
		 others_before = 0;
	uint8_t data[2048];

	while (sent < questions || open > 0) {
		struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

		for (; sent < questions && open < window; open++) {
			if (send(fd, data, next_query(data, (uint16_t)sent), 0) < 0)
				die("send");
			if (++sent == questions / 5) {
				hot_before = hot_count;
				others_before = other_count;
				upstream_before = hot_from_upstream;
			}
		}
		if (poll(&poll_fd, 1, LOST_MS) == 0) {
			lost += open;
			open = 0;
		}
		while (recv(fd, data, sizeof(data), MSG_DONTWAIT) > 0)
			open -= open > 0;
	}
	printf("%llu %llu %llu %llu\n", (unsigned long long)(hot_count - hot_before),
	       (unsigned long long)(hot_from_upstream - upstream_before),
	       (unsigned long long)(other_count - others_before), (unsigned long long)lost);
}

/* The upstream's address, so that whoever waits for the file finds it whole. */
static void tell(const char *path, const struct sockaddr_storage *addr)
{
	char tmp[4096], text[128];
	FILE *f;

	snprintf(tmp, sizeof(tmp), "%s.tmp", path);
	tool_addr_print(addr, text, sizeof(text));
	f = fopen(tmp, "w");
	if (!f || fprintf(f, "%s\n", text) < 0 || fclose(f) != 0 || rename(tmp, path) < 0)
		die(path);
}

static int open_socket(struct sockaddr_storage *addr, socklen_t *len, bool bound)
{
	int fd = socket(addr->ss_family, SOCK_DGRAM, 0), room = 4 << 20;

	if (fd < 0 || (bound ? bind(fd, (struct sockaddr *)addr, *len)
			     : connect(fd, (struct sockaddr *)addr, *len)) < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (bound && getsockname(fd, (struct sockaddr *)addr, len) < 0)
		die("getsockname");
	return fd;
}

int main(int argc, char **argv)
{
	struct sockaddr_storage addr;
	uint64_t questions = 400000;
	unsigned window = 64, i;
	pthread_t thread;
	int option, upstream;
	socklen_t addr_len;
	char line[256];

	while ((option = getopt(argc, argv, "n:o:h:w:")) != -1) {
		unsigned long value = option == '?' ? 0 : strtoul(optarg, NULL, 10);

		if (option == 'n')
			questions = value;
		else if (option == 'o')
			others = (unsigned)value;
		else if (option == 'h' && value > 0 && value <= HOT_MAX)
			hot = (unsigned)value;
		else if (option == 'w' && value > 0 && value <= WINDOW_MAX)
			window = (unsigned)value;
		else
			return 2;
	}
	if (optind + 1 != argc || tool_addr_parse("127.0.0.1@0", &addr, &addr_len) < 0)
		return 2;
	srandom(1);
	for (i = 0; i < hot; i++)
		below[i] = (i ? below[i - 1] : 0) + pow(i + 1, -0.9);
	upstream = open_socket(&addr, &addr_len, true);
	if (pthread_create(&thread, NULL, serve, &upstream) != 0)
		die("pthread_create");
	tell(argv[optind], &addr);
	if (!fgets(line, sizeof(line), stdin))
		return 2;
	line[strcspn(line, "\n")] = 0;
	if (tool_addr_parse(line, &addr, &addr_len) < 0)
		return 2;
	ask(open_socket(&addr, &addr_len, false), questions, window);
	return 0;
}
