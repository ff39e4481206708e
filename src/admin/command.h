/* SPDX-License-Identifier: MIT */
/*
 * The commands of the control socket. Internal to admin; main thread.
 */
#ifndef PRIVLINKD_ADMIN_COMMAND_H
#define PRIVLINKD_ADMIN_COMMAND_H

#include <stdbool.h>

#include "admin/control.h"

/* One client's request; lives until it was replied to. */
struct request {
	const struct control_parts *parts;
	bool json;
	unsigned count;
	char *word[CONTROL_WORDS_MAX]; /* the command and its arguments */
	void *client;                  /* control's */
};

/*
 * Cuts a line (without its end) into request->json, count and word, which point into it; escapes
 * are undone in place. -1 if it is no request. Pure.
 */
int request_read(struct request *request, char *line);

/* Runs it: calls control_reply once, now or later. */
void command_run(struct request *request);

/*
 * The reply to a request, which is spent. `body` is from malloc and is taken; NULL: out of
 * memory.
 */
void control_reply(struct request *request, const char *status, char *body);
void control_reply_text(struct request *request, const char *status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
