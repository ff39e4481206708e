/* SPDX-License-Identifier: MIT */
/*
 * One connection, as serve/tcp.c and serve/tcp_conn.c share it; nobody else includes this.
 *
 * A connection is in one of five states, each a list in the order of entering, so whoever is
 * longest in a state is at its head and time limits need no timer of their own: one tick looks at
 * the heads.
 *
 *	IDLE   nothing to do                    idle_ms
 *	BUSY   questions of it wait             none: the resolver ends each within its deadline
 *	FRAME  nothing has come yet, or half    frame_ms, not stretched by single octets
 *	       a frame
 *	STUCK  answers are not taken            write_ms since the last octet went
 *	SHAKE  TLS is being agreed on           handshake_ms
 */
#ifndef PRIVLINKD_SERVE_TCP_CONN_H
#define PRIVLINKD_SERVE_TCP_CONN_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>

#include "net/stream.h"
#include "net/tls.h"
#include "serve/tcp.h"

enum tcp_state {
	TCP_IDLE,
	TCP_BUSY,
	TCP_FRAME,
	TCP_STUCK,
	TCP_SHAKE,
	TCP_STATES,
};

struct tcp_conn {
	struct tcp_server *server;
	struct tcp_conn *prev, *next; /* of its state's list; next also of the spare ones */
	struct tcp_conn *queue_next;
	struct tcp_conn *client_next; /* of its bucket */
	struct event read_event, write_event;
	struct event more_event; /* TLS: there is more to read, of which the socket knows nothing */
	struct client client;
	uint64_t client_key;
	uint64_t since_ms; /* in this state, or since what it waits for went on */
	unsigned inflight;
	enum tcp_state state;
	bool open, queued, doomed;
	bool read_closed; /* the other side sends no more */
	bool paused;
	bool fresh;             /* it has not sent a question yet */
	bool took, wrote;       /* since it was last settled */
	bool cut_short;         /* doomed within an answer: there is no goodbye */
	struct tls_session tls; /* where client.tls */
	struct stream stream;
	uint8_t in[STREAM_FRAME_HEAD + STREAM_IN_MAX];
};

struct tcp_list {
	struct tcp_conn *head, *tail;
};

struct tcp_listener {
	struct tcp_server *server;
	struct tcp_listener *next;
	struct event *event;
	union addr local;
	bool tls;
};

struct tcp_server {
	struct tcp_conf conf;
	struct event_base *base;
	struct resolver *resolver;
	struct tls_server *tls;
	struct report *report;
	uint8_t *scratch;
	struct tcp_counters *counters;
	struct stream_pool *pool;
	struct event *tick, *accept_again;
	struct timeval tick_every;
	struct tcp_listener *listeners;
	struct tcp_conn *conn; /* connections_max */
	struct tcp_conn *spare;
	struct tcp_conn **bucket; /* by client; as many as connections */
	struct tcp_list state[TCP_STATES];
	struct tcp_conn *queue, **queue_end;
	unsigned open;
	unsigned shaking, shakes; /* handshakes under way; their steps of this turn */
	uint64_t serial;
};

/* Takes a spare slot for an accepted socket, which is its own from now on. */
void tcp_conn_open(const struct tcp_listener *listener, int fd, const union addr *from);

/* Not while it is queued, and not below a call of its own. */
void tcp_conn_close(struct tcp_conn *conn);

/* To be closed by the flush, for the reason that is counted (or NULL). */
void tcp_conn_doom(struct tcp_conn *conn, struct counter *reason);

/* Has the flush look at it. */
void tcp_conn_queue(struct tcp_conn *conn);

/* An answer behind what is there already; dooms the connection where that cannot be. */
void tcp_conn_put(struct tcp_conn *conn, const uint8_t *message, size_t len);

/*
 * Takes what is whole, as long as answers have room, writes these, and settles what is waited for.
 */
void tcp_conn_work(struct tcp_conn *conn, uint64_t now_ms);

/* How long a connection may be idle just now. */
unsigned tcp_idle_ms(const struct tcp_server *server);

/* What counts as one client, and how many connections it has. */
uint64_t tcp_client_key(const union addr *addr);
unsigned tcp_client_count(struct tcp_server *server, uint64_t key);

#endif
