/* SPDX-License-Identifier: MIT */
/*
 * The control socket of the test servers. Both ends are here, so that a tool is its own client and
 * a test needs no other program. A connection carries one line each way and is then closed:
 * nothing to frame, nothing to keep.
 */
#include "toolctl.h"

#include "toolnet.h"

#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

static void ctl_gone(struct bufferevent *bev, short what, void *arg)
{
	(void)what;
	(void)arg;
	bufferevent_free(bev);
}

static void ctl_written(struct bufferevent *bev, void *arg)
{
	ctl_gone(bev, 0, arg);
}

static void ctl_readable(struct bufferevent *bev, void *arg)
{
	tool_ctl_fn **command = arg;
	char *line = evbuffer_readln(bufferevent_get_input(bev), NULL, EVBUFFER_EOL_LF);

	if (!line)
		return;
	(*command)(bufferevent_get_output(bev), line);
	free(line);
	if (evbuffer_get_length(bufferevent_get_output(bev)) == 0)
		ctl_gone(bev, 0, NULL);
	else
		bufferevent_setcb(bev, NULL, ctl_written, ctl_gone, NULL);
}

static void ctl_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa, int len,
		       void *arg)
{
	struct event_base *base = evconnlistener_get_base(l);
	struct bufferevent *bev = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);

	(void)sa;
	(void)len;
	bufferevent_setcb(bev, ctl_readable, NULL, ctl_gone, arg);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
}

int tool_ctl_listen(struct event_base *base, const char *path, tool_ctl_fn *command)
{
	static tool_ctl_fn *kept; /* one control socket a process */
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	kept = command;
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	unlink(path);
	return evconnlistener_new_bind(base, ctl_accept, &kept, LEV_OPT_CLOSE_ON_FREE, 16,
				       (struct sockaddr *)&un, sizeof(un))
		       ? 0
		       : -1;
}

int tool_ctl_client(const char *path, int argc, char **argv)
{
	char line[1024] = "", reply[65536];
	const char *wanted = NULL;
	int first = 0;
	uint64_t deadline = tool_now_ms() + 20000;

	if (argc > 3 && strcmp(argv[0], "await") == 0 && strcmp(argv[argc - 2], "=") == 0) {
		wanted = argv[argc - 1];
		first = 1;
		argc -= 2;
	}
	for (int i = first; i < argc; i++)
		snprintf(line + strlen(line), sizeof(line) - strlen(line), "%s%s",
			 i > first ? " " : "", argv[i]);
	for (;;) {
		if (tool_ctl(path, line, reply, sizeof(reply)) < 0)
			return 1;
		if (!wanted || strcmp(reply, wanted) == 0)
			break;
		if (tool_now_ms() > deadline) {
			fprintf(stderr, "waited in vain for %s = %s, it is %s\n", line, wanted,
				reply);
			return 1;
		}
		usleep(2000);
	}
	puts(reply);
	return strncmp(reply, "error", 5) == 0;
}

int tool_write_ready(const char *path, const struct sockaddr_storage *addrs, size_t count)
{
	char tmp[512], text[80];
	snprintf(tmp, sizeof(tmp), "%s.tmp", path);
	FILE *f = fopen(tmp, "we");

	if (!f)
		return -1;
	for (size_t i = 0; i < count; i++) {
		tool_addr_print(&addrs[i], text, sizeof(text));
		fprintf(f, "%s\n", text);
	}
	fclose(f);
	return rename(tmp, path);
}
