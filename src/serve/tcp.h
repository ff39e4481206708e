/* SPDX-License-Identifier: MIT */
/*
 * One worker's connections over TCP (RFC 7766) and TLS (RFC 7858): pipelined, answered as answers
 * become ready, in any order. The worker's thread.
 *
 * Everything a stranger can use up has a limit, each with a field here and a counter.
 */
#ifndef PRIVLINKD_SERVE_TCP_H
#define PRIVLINKD_SERVE_TCP_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/counter.h"
#include "base/err.h"
#include "net/addr.h"
#include "net/tls.h"
#include "resolve/query.h"
#include "serve/report.h"

struct tcp_conf {
	unsigned connections_max; /* a worker; the oldest idle one makes room for one more */
	unsigned per_client_max;  /* a worker, of one IPv4 address or IPv6 /64; more are refused */
	unsigned idle_ms;         /* with nothing to do; a quarter of it when nearly full */
	unsigned frame_ms;        /* for the first question, and for the rest of a frame */
	unsigned write_ms;        /* without taking any of what waits for it */
	unsigned inflight_max;    /* questions of a connection that wait; then no more are read */
	unsigned handshakes_max;  /* under way; the oldest makes room once it has had a second */
	unsigned handshake_ms;    /* until one is over */
	unsigned blocks;          /* of STREAM_BLOCK octets, for unsent answers; at least 2 */
};

/*
 * 1,024 connections of 4 KiB; an eighth of them for one address, which may be a DNS server that
 * forwards for a whole company; 10 s idle is what BIND and Unbound give or take (RFC 7766 6.2.3
 * wants "seconds"); a question is one packet, so 5 s for it survives two retransmissions;
 * 100 questions in flight is what a busy forwarder has on one connection; 128 blocks are 16 MiB.
 * 256 handshakes are more than one address may have connections; a handshake is two or three round
 * trips, so 5 s survive two retransmissions here as well.
 */
#define TCP_CONF_DEFAULT                                                                         \
	{                                                                                        \
		.connections_max = 1024, .per_client_max = 128, .idle_ms = 10000,                \
		.frame_ms = 5000, .write_ms = 10000, .inflight_max = 100, .handshakes_max = 256, \
		.handshake_ms = 5000, .blocks = 128,                                             \
	}

/* One writer: the worker. Counters alone: may be walked as an array. */
struct tcp_counters {
	struct counter accepted, open; /* open goes down too */
	struct counter received, sent;
	struct counter cut;            /* longer than STREAM_IN_MAX */
	struct counter closed_full;    /* idle, closed to make room for another */
	struct counter refused_full;   /* the table was full and none was idle */
	struct counter refused_client; /* per_client_max */
	struct counter accept_failed;  /* mostly: no file descriptor left */
	struct counter closed_idle, closed_frame, closed_write; /* their time was up */
	struct counter paused;        /* stopped reading: inflight_max, or answers not taken */
	struct counter closed_unsent; /* an answer had no room behind others that are not taken */
	struct counter closed_blocks; /* all blocks were in use: the one longest stuck went */
	struct counter lost;          /* broken from the other side */
	struct counter late;          /* answers whose connection was gone */
	/* TLS alone; what is above counts its connections and questions too. */
	struct counter received_tls;
	struct counter handshakes, handshakes_resumed; /* done; of these, without the long half */
	struct counter handshakes_failed;
	struct counter handshakes_late;    /* their time was up */
	struct counter handshakes_refused; /* handshakes_max, and the oldest was young */
	struct counter handshakes_dropped; /* closed to make room for another */
};

/* What the connections work with. All of it outlives them. */
struct tcp_parts {
	struct event_base *base;
	struct resolver *resolver;
	struct tls_server *tls; /* NULL where no socket is for TLS */
	struct report *report;
	uint8_t *scratch; /* RESOLVER_MESSAGE_MAX octets, used during a call only */
	struct tcp_counters *counters;
};

struct tcp_server;
struct tcp_server *tcp_server_new(const struct tcp_conf *conf, const struct tcp_parts *parts,
				  struct err *err);
/* Closes all connections. The resolver must still live. */
void tcp_server_free(struct tcp_server *server);

/* Accepts from a listening socket bound to `local`; it stays the caller's. */
int tcp_server_add(struct tcp_server *server, int fd, const union addr *local, bool tls,
		   struct err *err);

/* A late answer (see resolver_send_fn). Closes nothing: that is left to the flush. */
void tcp_server_send(struct tcp_server *server, const struct client *client, const uint8_t *message,
		     size_t len);

/* Writes the late answers. At the end of a turn of the worker's loop. */
void tcp_server_flush(struct tcp_server *server);

#endif
