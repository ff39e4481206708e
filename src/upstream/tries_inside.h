/* SPDX-License-Identifier: MIT */
/*
 * How tries are laid out: for tries.c and tries_conn.c alone.
 */
#ifndef PRIVLINKD_UPSTREAM_TRIES_INSIDE_H
#define PRIVLINKD_UPSTREAM_TRIES_INSIDE_H

#include "upstream/conns.h"
#include "upstream/cookies.h"
#include "upstream/sockets.h"
#include "upstream/tries.h"

struct tries {
	struct tries_conf conf;
	int epoll;
	struct event *readable;
	struct event *sweep; /* pending while a socket is open */
	bool sweeping;
	struct event *tick; /* pending while a connection is open */
	bool ticking;
	struct sockets sockets;
	struct conns *conns;
	struct cookies *cookies;
	struct try *all;
};

/* Puts it at the head of the list of those that wait on one socket or connection; takes it out. */
void tries_link(struct tries *tries, uint32_t number, uint32_t *first);
void tries_unlink(struct tries *tries, const struct try *try, uint32_t *first);

/* An id that no other in that list has. */
uint16_t tries_draw_id(const struct tries *tries, uint32_t first);

/* What goes out by try->kind; of a cookie what is to be shown from `local`. Its length. */
size_t tries_prepare(struct tries *tries, struct try *try, const struct try_ask *how, uint16_t id,
		     const union addr *local, uint64_t now_ms, uint8_t query[ASK_LEN_MAX]);

enum try_verdict tries_no_room(struct tries *tries);

/* Tells what came for this try, which it fits so far. `too_long`: there was more of it. */
void tries_tell(struct tries *tries, uint32_t number, enum ask_fit fit,
		const struct ask_reply *said, struct try_reply *reply, bool too_long,
		uint64_t now_ms);

/* Something happened to a connection. */
void tries_on_conn(struct tries *tries, uint32_t conn, uint64_t now_ms);
/* The tick's callback. */
void tries_on_tick(evutil_socket_t fd, short what, void *arg);

#endif
