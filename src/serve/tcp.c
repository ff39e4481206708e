/* SPDX-License-Identifier: MIT */
/*
 * Connections in a table of fixed size. What a stranger can use up is bounded: connections in all
 * and from one place, time without a question, time for a frame, questions that wait, answers
 * that are not taken. When the table is full the connection that was idle longest makes room.
 *
 * This file has the table, accepting, the limits and the flush; serve/tcp_conn has the life of
 * one connection. Nothing is closed below a call of the connection's own: what goes wrong there
 * is left to the flush. Only accept, which no connection calls, closes at once, to make room.
 *
 * Slots are reused, serials are not: an answer for a connection that is gone finds no other.
 *
 * Worker's thread; no allocation after tcp_server_add.
 */
#include "serve/tcp.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "serve/tcp_conn.h"

/*
 * Connections taken from one socket a wake-up: the others get their turn, the rest stays in the
 * backlog.
 */
#define TCP_ACCEPTS 16

/* Without file descriptors accepting rests for this long: it would fail again at once, and spin. */
#define TCP_ACCEPT_REST_MS 200

/*
 * With no idle connection, the oldest that has sent no question makes room - if it has had this
 * long.
 */
#define TCP_YOUNG_MS 1000

/* Nearly full, idle connections have a quarter of their time (RFC 7766 6.2.3 allows any). */
#define TCP_NEARLY_FULL_PART 4

/* Time limits are looked at neither busily nor lazily. */
#define TCP_TICK_MIN_MS 10
#define TCP_TICK_MAX_MS 1000

static struct tcp_conn *oldest(const struct tcp_server *server, enum tcp_state state)
{
	struct tcp_conn *conn = server->state[state].head;

	/* A queued one has an answer to be sent, or is closed at the end of this turn anyway. */
	while (conn && conn->queued)
		conn = conn->next;
	return conn;
}

/* Is there one that has not sent a question yet, or shaken hands, and has had its time? */
static struct tcp_conn *not_young(const struct tcp_server *server, enum tcp_state state)
{
	struct tcp_conn *conn = oldest(server, state);

	return conn && clock_now_ms() - conn->since_ms >= TCP_YOUNG_MS ? conn : NULL;
}

/* Closes the connection that can best be spared. */
static bool make_room(struct tcp_server *server)
{
	struct tcp_conn *conn = oldest(server, TCP_IDLE);

	if (!conn)
		conn = not_young(server, TCP_FRAME);
	if (!conn)
		conn = not_young(server, TCP_SHAKE);
	if (!conn)
		return false;
	counter_add(&server->counters->closed_full, 1);
	tcp_conn_close(conn);
	return true;
}

/* May one more begin to shake hands? */
static bool may_shake(struct tcp_server *server)
{
	struct tcp_conn *conn;

	if (server->shaking < server->conf.handshakes_max)
		return true;
	conn = not_young(server, TCP_SHAKE);
	if (!conn)
		return false;
	counter_add(&server->counters->handshakes_dropped, 1);
	tcp_conn_close(conn);
	return true;
}

/* Neither a descriptor nor memory: rest, unless closing an idle connection helps. */
static bool accept_may_go_on(struct tcp_server *server)
{
	struct timeval rest = { 0, TCP_ACCEPT_REST_MS * 1000 };
	struct tcp_listener *listener;

	if (errno == EAGAIN)
		return false;
	/* accept(2): errors of the new connection itself are to be treated as "try again". */
	if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM)
		return true;
	counter_add(&server->counters->accept_failed, 1);
	if (make_room(server))
		return true;
	for (listener = server->listeners; listener; listener = listener->next)
		event_del(listener->event);
	event_add(server->accept_again, &rest);
	return false;
}

static void on_accept_again(evutil_socket_t fd, short what, void *arg)
{
	struct tcp_server *server = arg;
	struct tcp_listener *listener;

	(void)fd;
	(void)what;
	for (listener = server->listeners; listener; listener = listener->next)
		event_add(listener->event, NULL);
}

static void on_acceptable(evutil_socket_t listening, short what, void *arg)
{
	struct tcp_listener *listener = arg;
	struct tcp_server *server = listener->server;
	union addr from;
	socklen_t len;
	unsigned n;
	int fd;

	(void)what;
	for (n = 0; n < TCP_ACCEPTS; n++) {
		len = sizeof(from);
		fd = accept4(listening, &from.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) {
			if (!accept_may_go_on(server))
				return;
		} else if (tcp_client_count(server, tcp_client_key(&from)) >=
			   server->conf.per_client_max) {
			counter_add(&server->counters->refused_client, 1);
			close(fd);
		} else if (listener->tls && !may_shake(server)) {
			counter_add(&server->counters->handshakes_refused, 1);
			close(fd);
		} else if (!server->spare && !make_room(server)) {
			counter_add(&server->counters->refused_full, 1);
			close(fd);
		} else {
			tcp_conn_open(listener, fd, &from);
		}
	}
}

static void doom_older(struct tcp_server *server, enum tcp_state state, unsigned limit_ms,
		       struct counter *reason)
{
	uint64_t now_ms = clock_now_ms();
	struct tcp_conn *conn;

	for (conn = server->state[state].head; conn; conn = conn->next) {
		if (now_ms - conn->since_ms < limit_ms)
			return;
		if (!conn->queued)
			tcp_conn_doom(conn, reason);
	}
}

unsigned tcp_idle_ms(const struct tcp_server *server)
{
	/* From nine tenths on. */
	bool nearly_full = server->open * 10 >= server->conf.connections_max * 9;

	return server->conf.idle_ms / (nearly_full ? TCP_NEARLY_FULL_PART : 1);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct tcp_server *server = arg;
	const struct tcp_conf *conf = &server->conf;

	(void)fd;
	(void)what;
	doom_older(server, TCP_IDLE, tcp_idle_ms(server), &server->counters->closed_idle);
	doom_older(server, TCP_FRAME, conf->frame_ms, &server->counters->closed_frame);
	doom_older(server, TCP_STUCK, conf->write_ms, &server->counters->closed_write);
	doom_older(server, TCP_SHAKE, conf->handshake_ms, &server->counters->handshakes_late);
}

void tcp_server_send(struct tcp_server *server, const struct client *client, const uint8_t *message,
		     size_t len)
{
	struct tcp_conn *conn = &server->conn[client->slot];

	assert(client->slot < server->conf.connections_max);
	if (!conn->open || conn->client.serial != client->serial || conn->doomed) {
		counter_add(&server->counters->late, 1);
		return;
	}
	assert(conn->inflight > 0);
	conn->inflight--;
	tcp_conn_put(conn, message, len);
	tcp_conn_queue(conn);
}

void tcp_server_flush(struct tcp_server *server)
{
	uint64_t now_ms;
	struct tcp_conn *conn;

	server->shakes = 0;
	if (!server->queue)
		return;
	now_ms = clock_now_ms();
	while ((conn = server->queue)) {
		server->queue = conn->queue_next;
		if (!server->queue)
			server->queue_end = &server->queue;
		conn->queued = false;
		if (conn->doomed)
			tcp_conn_close(conn);
		else
			tcp_conn_work(conn, now_ms);
	}
}

/* Half the shortest limit: nobody has more than one and a half times what is said. */
static struct timeval tick_every(const struct tcp_conf *conf)
{
	unsigned ms = conf->idle_ms / TCP_NEARLY_FULL_PART;

	ms = ms < conf->frame_ms ? ms : conf->frame_ms;
	ms = ms < conf->handshake_ms ? ms : conf->handshake_ms;
	ms = (ms < conf->write_ms ? ms : conf->write_ms) / 2;
	ms = ms < TCP_TICK_MIN_MS ? TCP_TICK_MIN_MS : ms;
	ms = ms > TCP_TICK_MAX_MS ? TCP_TICK_MAX_MS : ms;
	return (struct timeval){ .tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000 };
}

struct tcp_server *tcp_server_new(const struct tcp_conf *conf, const struct tcp_parts *parts,
				  struct err *err)
{
	struct tcp_server *server = calloc(1, sizeof(*server));
	unsigned n;

	/* With one block nobody could be made to give up another. */
	assert(conf->connections_max > 0 && conf->inflight_max > 0 && conf->blocks >= 2);
	if (!server)
		goto fail;
	server->conf = *conf;
	server->base = parts->base;
	server->resolver = parts->resolver;
	server->tls = parts->tls;
	server->report = parts->report;
	server->scratch = parts->scratch;
	server->counters = parts->counters;
	server->queue_end = &server->queue;
	server->tick_every = tick_every(conf);
	server->pool = stream_pool_new(conf->blocks);
	server->conn = calloc(conf->connections_max, sizeof(*server->conn));
	server->bucket = calloc(conf->connections_max, sizeof(struct tcp_conn *));
	server->tick = event_new(server->base, -1, EV_PERSIST, on_tick, server);
	server->accept_again = event_new(server->base, -1, 0, on_accept_again, server);
	if (!server->pool || !server->conn || !server->bucket || !server->tick ||
	    !server->accept_again)
		goto fail;
	for (n = conf->connections_max; n-- > 0;) {
		server->conn[n].server = server;
		server->conn[n].next = server->spare;
		server->spare = &server->conn[n];
	}
	return server;
fail:
	err_set(err, "no memory for %u TCP connections", conf->connections_max);
	tcp_server_free(server);
	return NULL;
}

void tcp_server_free(struct tcp_server *server)
{
	struct tcp_listener *listener;
	unsigned n;

	if (!server)
		return;
	for (n = 0; server->conn && n < server->conf.connections_max; n++) {
		server->conn[n].queued = false;
		if (server->conn[n].open)
			tcp_conn_close(&server->conn[n]);
	}
	while ((listener = server->listeners)) {
		server->listeners = listener->next;
		if (listener->event)
			event_free(listener->event);
		free(listener);
	}
	if (server->tick)
		event_free(server->tick);
	if (server->accept_again)
		event_free(server->accept_again);
	stream_pool_free(server->pool);
	free(server->bucket);
	free(server->conn);
	free(server);
}

int tcp_server_add(struct tcp_server *server, int fd, const union addr *local, bool tls,
		   struct err *err)
{
	struct tcp_listener *listener = calloc(1, sizeof(*listener));

	assert(!tls || server->tls);
	if (!listener)
		return err_set(err, "no memory for a TCP socket");
	listener->server = server;
	listener->local = *local;
	listener->tls = tls;
	listener->next = server->listeners;
	server->listeners = listener;
	listener->event =
		event_new(server->base, fd, EV_READ | EV_PERSIST, on_acceptable, listener);
	if (!listener->event || event_add(listener->event, NULL) < 0)
		return err_set(err, "cannot watch a TCP socket");
	return 0;
}
