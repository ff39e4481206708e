/* SPDX-License-Identifier: MIT */
#ifndef PRIVLINKD_TESTS_TOOLCTL_H
#define PRIVLINKD_TESTS_TOOLCTL_H

/* How tests steer the servers among the tools: a Unix socket, one line a connection, one reply.
 * And the file that says that such a server is ready. One thread, on the base's. */

#include <event2/buffer.h>
#include <event2/event.h>
#include <stddef.h>
#include <sys/socket.h>

/* Carries out one command and writes its reply, with a newline. `line` may be changed. */
typedef void tool_ctl_fn(struct evbuffer *out, char *line);

/* Listens for commands. Returns 0 or -1. */
int tool_ctl_listen(struct event_base *base, const char *path, tool_ctl_fn *command);

/* The client: the words are one command; `await CMD... = VALUE` asks until the reply is VALUE, for
 * 20 s. Prints the reply. Returns an exit status: 1 where it begins with `error`. */
int tool_ctl_client(const char *path, int argc, char **argv);

/* Writes `ADDR@PORT` lines, renamed into place, so that a reader never sees half of it. 0 or -1. */
int tool_write_ready(const char *path, const struct sockaddr_storage *addrs, size_t count);

#endif
