/* SPDX-License-Identifier: MIT */
/*
 * privlinkctl: what an operator types.
 *
 * A command is a row: those of the server are sent there as they are and its reply is printed;
 * the others are done here, by the code that the server uses. The help is written from the same
 * rows, so it lists what works and nothing else.
 *
 * The wire is admin/control.h's: one line out, a status line and a body back.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "admin/control.h"
#include "admin/convert.h"
#include "admin/offline.h"

enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_BAD_USAGE = 2,
};

/* Seconds without an octet from the server: a load of millions of records takes less. */
#define REPLY_S 120

static const struct command {
	const char *name, *args, *help;
	int least, most;                                   /* arguments */
	int (*offline)(bool json, int count, char **args); /* NULL: the server's */
} commands[] = {
	{ "status", "", "version, workers, sources, zones, upstreams, cache", 0, 0, NULL },
	{ "records", "[NAME]", "what is held, each with file and line", 0, 1, NULL },
	{ "explain", "NAME [TYPE]", "how a query is decided, step by step", 1, 2, NULL },
	{ "stats", "", "every counter, with what it counts", 0, 0, NULL },
	{ "reload", "", "read everything again, report on each source", 0, 0, NULL },
	{ "accept", "SOURCE", "take a source that max-shrink held back", 1, 1, NULL },
	{ "flush", "[NAME]", "forget cached answers (for NAME and below)", 0, 1, NULL },
	{ "check", "FILE...", "without a server: what is wrong with these files", 1, 1004,
	  offline_check },
	{ "convert", "--to FORMAT FILE...",
	  "without a server: as yaml, hosts, zone, csv, unbound or dnsmasq", 1, 1004, convert_run },
	{ "zones", "[PRESET]", "without a server: the built-in zones", 0, 1, offline_zones },
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

/* Of the complete program; to be told from mistakes in typing. */
static const char *const later[] = {
	"misses", "plan", "history", "rollback", "forwarders", "verify"
};

static const char default_socket[] = RUNSTATEDIR "/privlinkd/control";

static void print_help(void)
{
	char line[64];
	size_t i;

	printf("usage: privlinkctl [-s SOCKET] [-j] COMMAND [ARG...]\n\n");
	printf("  -s SOCKET              the server's control socket [%s]\n", default_socket);
	printf("  -j                     print JSON\n");
	printf("  -h                     print this\n\n");
	printf("Commands:\n");
	for (i = 0; i < COMMANDS; i++) {
		snprintf(line, sizeof(line), "%s %s", commands[i].name, commands[i].args);
		printf("  %-22s %s\n", line, commands[i].help);
	}
}

/* Appends a word, its octets escaped as admin/control.h wants. */
static size_t add_word(char *line, size_t len, size_t cap, const char *word)
{
	const unsigned char *s;

	if (len && len < cap)
		line[len++] = ' ';
	for (s = (const unsigned char *)word; *s && len + 3 < cap; s++) {
		if (*s > 0x20 && *s < 0x7f && *s != '%')
			line[len++] = (char)*s;
		else
			len += (size_t)sprintf(line + len, "%%%02X", (unsigned)*s);
	}
	return *s ? cap : len;
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = REPLY_S };
	int fd;

	if (strlen(path) >= sizeof(address.sun_path)) {
		fprintf(stderr, "privlinkctl: %s: the path is too long\n", path);
		return -1;
	}
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0 &&
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	fprintf(stderr, "privlinkctl: %s: %s; is the server running, and with this socket?\n", path,
		strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static int send_all(int fd, const char *line, size_t len)
{
	ssize_t done;

	while (len > 0) {
		done = send(fd, line, len, MSG_NOSIGNAL);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return -1;
		line += done;
		len -= (size_t)done;
	}
	return 0;
}

/* What a status line means: the exit code, and where the body goes. */
static const struct {
	const char *word;
	int code;
	bool is_message;
} outcomes[] = {
	{ CONTROL_OK, EXIT_DONE, false },
	{ CONTROL_FAILED, EXIT_FAILED, false },
	{ CONTROL_ERROR, EXIT_FAILED, true },
	{ CONTROL_USAGE, EXIT_BAD_USAGE, true },
};
#define OUTCOMES (sizeof(outcomes) / sizeof(outcomes[0]))

static int copy_body(FILE *in, FILE *out, bool is_message)
{
	char buffer[16384], last = '\n';
	size_t len;

	if (is_message)
		fputs("privlinkctl: ", out);
	while ((len = fread(buffer, 1, sizeof(buffer), in)) > 0) {
		if (fwrite(buffer, 1, len, out) != len)
			return -1;
		last = buffer[len - 1];
	}
	if (last != '\n')
		fputc('\n', out);
	return ferror(in) || fflush(out) != 0 ? -1 : 0;
}

static int print_reply(int fd)
{
	char status[32];
	FILE *in = fdopen(fd, "r");
	size_t i;
	int code = EXIT_FAILED;

	if (!in || !fgets(status, sizeof(status), in)) {
		fputs("privlinkctl: the server gave no reply\n", stderr);
		goto done;
	}
	status[strcspn(status, "\n")] = '\0';
	for (i = 0; i < OUTCOMES && strcmp(outcomes[i].word, status) != 0; i++)
		;
	if (i == OUTCOMES) {
		fputs("privlinkctl: a reply that is not understood; is this a privlinkd?\n",
		      stderr);
		goto done;
	}
	code = outcomes[i].code;
	if (copy_body(in, outcomes[i].is_message ? stderr : stdout, outcomes[i].is_message) < 0) {
		fprintf(stderr, "privlinkctl: the reply was cut off: %s\n", strerror(errno));
		code = EXIT_FAILED;
	}
done:
	if (in)
		fclose(in);
	else
		close(fd);
	return code;
}

static int ask_server(const char *path, bool json, const struct command *command, int count,
		      char **args)
{
	char line[CONTROL_REQUEST_MAX];
	size_t len = 0;
	int fd, i;

	if (json)
		len = add_word(line, len, sizeof(line) - 1, "-j");
	len = add_word(line, len, sizeof(line) - 1, command->name);
	for (i = 0; i < count && len < sizeof(line) - 1; i++)
		len = add_word(line, len, sizeof(line) - 1, args[i]);
	if (len >= sizeof(line) - 1) {
		fputs("privlinkctl: the arguments are too long\n", stderr);
		return EXIT_BAD_USAGE;
	}
	line[len++] = '\n';
	fd = connect_to(path);
	if (fd < 0)
		return EXIT_FAILED;
	if (send_all(fd, line, len) < 0) {
		fprintf(stderr, "privlinkctl: %s: %s\n", path, strerror(errno));
		close(fd);
		return EXIT_FAILED;
	}
	return print_reply(fd);
}

static int refuse_command(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
		if (strcmp(later[i], name) == 0) {
			fprintf(stderr, "privlinkctl: %s is not in this version\n", name);
			return EXIT_BAD_USAGE;
		}
	}
	fprintf(stderr, "privlinkctl: %s: no such command; -h lists them\n", name);
	return EXIT_BAD_USAGE;
}

static int run(const char *path, bool json, int count, char **words)
{
	const struct command *command = NULL;
	size_t i;

	for (i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i].name, words[0]) == 0)
			command = &commands[i];
	}
	if (!command)
		return refuse_command(words[0]);
	count--;
	if (count < command->least || count > command->most) {
		fprintf(stderr, "usage: privlinkctl %s%s%s\n", command->name,
			*command->args ? " " : "", command->args);
		return EXIT_BAD_USAGE;
	}
	if (command->offline)
		return command->offline(json, count, words + 1);
	return ask_server(path, json, command, count, words + 1);
}

int main(int argc, char **argv)
{
	const char *path = default_socket;
	bool json = false;
	int option;

	/* `+`: what follows the command is the command's, a name may begin with a hyphen. */
	while ((option = getopt(argc, argv, "+s:jh")) != -1) {
		switch (option) {
		case 's':
			path = optarg;
			break;
		case 'j':
			json = true;
			break;
		case 'h':
			print_help();
			return EXIT_DONE;
		default:
			return EXIT_BAD_USAGE;
		}
	}
	if (optind == argc) {
		fputs("privlinkctl: a command is wanted; -h lists them\n", stderr);
		return EXIT_BAD_USAGE;
	}
	return run(path, json, argc - optind, argv + optind);
}
