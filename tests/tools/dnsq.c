/* SPDX-License-Identifier: MIT */
/*
 * dnsq: a DNS client for exact questions.
 *
 *     dnsq [-t MS] -s ADDR@PORT QUESTION...     one question; prints the reply as canonical lines
 *     dnsq [-s ADDR@PORT] -f FILE               a batch of questions and expectations (batch.h)
 *     dnsq -s ADDR@PORT -a FILE                 each line a question; prints `== LINE`, the reply
 *     dnsq -p [ADDR]                            prints a port that is free for UDP and TCP just now
 *
 * dig and its like cannot send what a test must send (two questions, opcode 9, a reply as a query),
 * print in a form that changes with their version, and cost a process each. Exit status: 0 a reply
 * came (or all cases passed), 1 wrong or none, 2 bad usage. One thread; nothing is retried, since
 * a lost reply on loopback is a finding.
 */
#include "batch.h"
#include "question.h"
#include "toolnet.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int print_free_port(const char *text)
{
	struct sockaddr_storage addr;
	socklen_t len;
	char buf[80];
	int udp, tcp;

	if (tool_addr_parse(text, &addr, &len) < 0 || tool_listen_pair(&addr, len, &udp, &tcp) < 0)
		return 1;
	tool_addr_print(&addr, buf, sizeof(buf));
	close(udp);
	close(tcp);
	puts(strrchr(buf, '@') + 1);
	return 0;
}

static int ask(const struct sockaddr_storage *server, socklen_t len, int timeout_ms, int argc,
	       char **argv)
{
	struct question q;
	int rc = 1;

	if (question_parse(&q, server, len, argc, argv) < 0)
		return 2;
	if (question_send(&q) == 0 && question_wait(&q, timeout_ms) == 0) {
		char *text = question_text(&q);
		const char *wrong = question_check(&q);
		fputs(text ? text : "", stdout);
		if (wrong)
			printf("wrong: %s\n", wrong);
		free(text);
		rc = wrong ? 1 : 0;
	} else {
		puts("no reply");
	}
	question_fini(&q);
	return rc;
}

/* One question a line, in turn. 0 where each got a reply of whatever kind. */
static int ask_all(const struct sockaddr_storage *server, socklen_t len, int timeout_ms, FILE *in)
{
	char line[2048];
	int rc = 0;

	while (fgets(line, sizeof(line), in)) {
		char *words[32], *save = NULL;
		int n = 0;

		line[strcspn(line, "\n")] = '\0';
		printf("== %s\n", line);
		for (char *w = strtok_r(line, " ", &save); w && n < 32;
		     w = strtok_r(NULL, " ", &save))
			words[n++] = w;
		int got = n > 0 ? ask(server, len, timeout_ms, n, words) : 0;
		if (got == 2)
			return 2;
		if (got != 0)
			rc = 1;
	}
	return rc;
}

static int usage(void)
{
	fputs("usage: dnsq [-t MS] -s ADDR@PORT QUESTION... | -f FILE | -s ADDR@PORT -a FILE | "
	      "-p [ADDR]\n",
	      stderr);
	return 2;
}

int main(int argc, char **argv)
{
	struct sockaddr_storage server;
	socklen_t len = 0;
	const char *file = NULL;
	int opt, timeout_ms = 10000;
	bool port = false, all = false;

	signal(SIGPIPE, SIG_IGN); /* TLS writes as write(2) does */
	while ((opt = getopt(argc, argv, "+s:f:a:t:p")) != -1) {
		if (opt == 's' && tool_addr_parse(optarg, &server, &len) < 0)
			return usage();
		if (opt == 'f' || opt == 'a')
			file = optarg;
		if (opt == 't')
			timeout_ms = atoi(optarg);
		all |= opt == 'a';
		port |= opt == 'p';
		if (opt == '?')
			return usage();
	}
	if (port)
		return print_free_port(optind < argc ? argv[optind] : "127.0.0.1");
	if (all && len == 0)
		return usage();
	if (file) {
		FILE *in = strcmp(file, "-") == 0 ? stdin : fopen(file, "re");
		if (!in) {
			perror(file);
			return 2;
		}
		int failed = all ? ask_all(&server, len, timeout_ms, in) : batch_run(in, file);
		if (in != stdin)
			fclose(in);
		return all ? failed : failed != 0;
	}
	if (len == 0 || optind == argc)
		return usage();
	return ask(&server, len, timeout_ms, argc - optind, argv + optind);
}
