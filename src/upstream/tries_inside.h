/* SPDX-License-Identifier: MIT */
/*
 * How tries are laid out: for tries.c and tries_conn.c alone.
 */
#ifndef PRIVLINKD_UPSTREAM_TRIES_INSIDE_H
#define PRIVLINKD_UPSTREAM_TRIES_INSIDE_H

#include <sys/socket.h>

#include "upstream/conns.h"
#include "upstream/cookies.h"
#include "upstream/sockets.h"
#include "upstream/tries.h"

/*
 * Queries over UDP that wait for the end of the turn. Room for two full sockets; with all of it
 * taken they leave earlier.
 */
#define TRIES_OUT_MAX (2 * SOCKETS_TURN_MAX)

/* The control message that says how long the datagrams of a bundle are: a uint16_t. */
union tries_segment {
	struct cmsghdr header;
	uint8_t room[CMSG_SPACE(sizeof(uint16_t))];
};

struct tries_out {
	unsigned count;
	uint32_t number[TRIES_OUT_MAX]; /* TRY_NONE: it ended before it left */
	size_t len[TRIES_OUT_MAX];
	uint8_t query[TRIES_OUT_MAX][ASK_LEN_MAX];
	/* of one call: those of one socket, a header a bundle */
	struct mmsghdr header[TRIES_OUT_MAX];
	union tries_segment control[TRIES_OUT_MAX];
	struct iovec piece[TRIES_OUT_MAX];
	bool singly[UPSTREAMS_MAX]; /* no bundles to this upstream */
	struct event *turn;         /* its end: active while one waits to leave, or to be told of */
	bool turning;
	uint32_t unsent; /* the first of those that could not be sent, and were not told of */
};

/* Datagrams that are taken from a socket in one call. */
#define TRIES_IN_MAX 32
/* Room for a datagram: what we ask for, and enough more to tell that it is too long. */
#define TRIES_DATAGRAM_MAX 2048

struct tries_in {
	struct mmsghdr header[TRIES_IN_MAX];
	struct iovec piece[TRIES_IN_MAX];
	union addr from[TRIES_IN_MAX];
	uint8_t data[TRIES_IN_MAX][TRIES_DATAGRAM_MAX];
};

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
	struct tries_out out;
	struct tries_in in;
};

/*
 * Puts it at the end of the list of those that wait on one socket or connection, for answers come
 * more or less in the order of their questions; takes it out.
 */
void tries_link(struct tries *tries, uint32_t number, uint32_t *first);
void tries_unlink(struct tries *tries, uint32_t number, uint32_t *first);

/* An id that no other in that list has. */
uint16_t tries_draw_id(const struct tries *tries, uint32_t first);

/* What goes out by try->kind; of a cookie what is to be shown from `local`. Its length. */
size_t tries_prepare(struct tries *tries, struct try *try, const struct try_ask *how, uint16_t id,
		     const union addr *local, uint64_t now_ms, uint8_t query[ASK_LEN_MAX]);

enum try_verdict tries_no_room(struct tries *tries);

/* Whether the kernel takes bundles at all. Once. */
void tries_out_init(struct tries_out *out);

/* While a socket is open idle ones have to be looked after. */
void tries_arm_sweep(struct tries *tries);

/* Over UDP. */
enum try_verdict tries_send_on_socket(struct tries *tries, uint32_t number,
				      const struct try_ask *ask, uint64_t now_ms);
/* Of one that waits on a socket, or could not be sent: it waits no more. */
void tries_leave_socket(struct tries *tries, uint32_t number);
void tries_leave_unsent(struct tries *tries, uint32_t number);
/* The callback of the turn's end. */
void tries_on_turn(evutil_socket_t fd, short what, void *arg);

/* Tells what came for this try, which it fits so far. `too_long`: there was more of it. */
void tries_tell(struct tries *tries, uint32_t number, enum ask_fit fit,
		const struct ask_reply *said, struct try_reply *reply, bool too_long,
		uint64_t now_ms);

/* Something happened to a connection. */
void tries_on_conn(struct tries *tries, uint32_t conn, uint64_t now_ms);
/* The tick's callback. */
void tries_on_tick(evutil_socket_t fd, short what, void *arg);

#endif
