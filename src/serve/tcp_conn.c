/* SPDX-License-Identifier: MIT */
/*
 * The life of one connection: questions out of its stream, answers into it, and what it waits
 * for.
 *
 * Reading stops while answers are stuck or inflight_max questions wait, and goes on after. What
 * was read by then stays in the stream, so going on begins there and not with the socket. No
 * answer waits for another (RFC 7766 6.2.1.1, 7). A half-closed connection still gets its answers.
 *
 * Late answers come from deep within others' calls. So they are only put into their connection's
 * block and the connection is queued; one with which something is wrong is *doomed*: it gives its
 * block back and is queued. The flush, from the loop itself, writes and closes. Nothing vanishes
 * under a caller's feet.
 *
 * TLS is a layer of the stream's input and output, and a state before the others. What the socket
 * has given to it is not announced again, so where reading stops with some of that left a timer of
 * no time goes on with it, after the others have had their turn. A step of a handshake may cost a
 * millisecond (a signature by RSA): TCP_SHAKES of them a turn, and the rest stays readable.
 *
 * `settle` is the one place that decides: over, reading or not, writing or not, which state. It
 * looks at the facts alone, not at what has just happened, so every path may end in it.
 *
 * Worker's thread, no allocation. Refused: a state machine by events (their number times the
 * states).
 */
#include "serve/tcp_conn.h"

#include <assert.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"

/* Steps of handshakes a turn: the datagrams of that time wait for them. */
#define TCP_SHAKES 4

/*
 * Records read in a row: as many as questions of the usual 40 octets fill the stream's input. A
 * client that sends every octet in a record of its own gets its turn and no more.
 */
#define TCP_RECORDS 100

static void list_remove(struct tcp_server *server, struct tcp_conn *conn)
{
	struct tcp_list *list = &server->state[conn->state];

	server->shaking -= conn->state == TCP_SHAKE;
	*(conn->prev ? &conn->prev->next : &list->head) = conn->next;
	*(conn->next ? &conn->next->prev : &list->tail) = conn->prev;
}

static void list_append(struct tcp_server *server, struct tcp_conn *conn, enum tcp_state state)
{
	struct tcp_list *list = &server->state[state];

	server->shaking += state == TCP_SHAKE;
	conn->state = state;
	conn->prev = list->tail;
	conn->next = NULL;
	*(list->tail ? &list->tail->next : &list->head) = conn;
	list->tail = conn;
}

/*
 * One IPv4 address, one IPv6 /64: what one party usually has. All link-local addresses of a link
 * share their /64, so those count by their interface id.
 */
uint64_t tcp_client_key(const union addr *addr)
{
	const uint8_t *octets = addr->in6.sin6_addr.s6_addr;
	uint64_t key;

	if (addr->any.sa_family == AF_INET)
		return addr->in4.sin_addr.s_addr;
	memcpy(&key, octets + (IN6_IS_ADDR_LINKLOCAL(&addr->in6.sin6_addr) ? 8 : 0), sizeof(key));
	return key;
}

static struct tcp_conn **client_bucket(struct tcp_server *server, uint64_t key)
{
	return &server->bucket[hash_bytes(&key, sizeof(key)) % server->conf.connections_max];
}

unsigned tcp_client_count(struct tcp_server *server, uint64_t key)
{
	const struct tcp_conn *conn;
	unsigned count = 0;

	for (conn = *client_bucket(server, key); conn; conn = conn->client_next)
		count += conn->client_key == key;
	return count;
}

void tcp_conn_queue(struct tcp_conn *conn)
{
	struct tcp_server *server = conn->server;

	if (conn->queued)
		return;
	conn->queued = true;
	conn->queue_next = NULL;
	*server->queue_end = conn;
	server->queue_end = &conn->queue_next;
}

static void conn_deafen(struct tcp_conn *conn)
{
	event_del(&conn->read_event);
	event_del(&conn->write_event);
	event_del(&conn->more_event);
}

void tcp_conn_doom(struct tcp_conn *conn, struct counter *reason)
{
	if (conn->doomed)
		return;
	conn->doomed = true;
	conn->cut_short = stream_unsent(&conn->stream) > 0;
	if (reason)
		counter_add(reason, 1);
	conn_deafen(conn);
	stream_fini(&conn->stream);
	tcp_conn_queue(conn);
}

void tcp_conn_close(struct tcp_conn *conn)
{
	struct tcp_server *server = conn->server;
	struct tcp_conn **at = client_bucket(server, conn->client_key);

	assert(conn->open && !conn->queued);
	conn_deafen(conn);
	if (conn->inflight > 0)
		resolver_client_gone(server->resolver, conn->client.slot, conn->client.serial);
	if (conn->client.tls) {
		conn->cut_short |= stream_unsent(&conn->stream) > 0;
		if (conn->state != TCP_SHAKE && !conn->cut_short)
			tls_session_shutdown(&conn->tls);
		tls_session_fini(&conn->tls);
	}
	stream_fini(&conn->stream);
	close(conn->stream.fd);
	while (*at != conn)
		at = &(*at)->client_next;
	*at = conn->client_next;
	list_remove(server, conn);
	conn->open = false;
	conn->next = server->spare;
	server->spare = conn;
	counter_add(&server->counters->open, UINT64_MAX); /* less one */
	if (--server->open == 0)
		event_del(server->tick);
}

static void conn_write(struct tcp_conn *conn)
{
	size_t before = stream_unsent(&conn->stream), left;
	enum stream_verdict verdict;

	if (before == 0)
		return;
	verdict = stream_write(&conn->stream);
	left = stream_unsent(&conn->stream);
	/* TLS that has to read before it can write is in a state that we do not allow. */
	if (left > 0 && conn->client.tls && !conn->tls.wants_write)
		verdict = STREAM_BROKEN;
	if (verdict == STREAM_BROKEN)
		tcp_conn_doom(conn, &conn->server->counters->lost);
	else if (left < before)
		conn->wrote = true;
}

static bool give_up(struct tcp_conn *conn)
{
	if (conn->doomed || stream_unsent(&conn->stream) == 0)
		return false;
	tcp_conn_doom(conn, &conn->server->counters->closed_blocks);
	return true;
}

/*
 * Makes one block spare: writes what is queued, else one connection goes. Of those with a block it
 * is the one that is stuck longest; in a state's list are also some that have just written all of
 * theirs. Where nobody is known to be stuck, since this turn's answers took all blocks, it is the
 * first of these.
 */
static void spare_block(struct tcp_server *server)
{
	struct tcp_conn *conn;

	for (conn = server->queue; conn; conn = conn->queue_next) {
		if (!conn->doomed)
			conn_write(conn);
		if (stream_pool_left(server->pool) > 0)
			return;
	}
	for (conn = server->state[TCP_STUCK].head; conn; conn = conn->next) {
		if (give_up(conn))
			return;
	}
	for (conn = server->queue; conn; conn = conn->queue_next) {
		if (give_up(conn))
			return;
	}
	/* Of two blocks one at the most is with the connection that is being worked on. */
	assert(false);
}

void tcp_conn_put(struct tcp_conn *conn, const uint8_t *message, size_t len)
{
	struct tcp_server *server = conn->server;
	enum stream_put_verdict verdict;

	/* An answer of another, within the call that made this one, may have cost it its block. */
	if (conn->doomed)
		return;
	verdict = stream_put(&conn->stream, message, len);
	if (verdict == STREAM_PUT_FULL) {
		conn_write(conn);
		if (conn->doomed)
			return;
		verdict = stream_put(&conn->stream, message, len);
	}
	if (verdict == STREAM_PUT_NO_BLOCK) {
		spare_block(server);
		verdict = stream_put(&conn->stream, message, len);
	}
	if (verdict == STREAM_PUT)
		counter_add(&server->counters->sent, 1);
	else
		tcp_conn_doom(conn, verdict == STREAM_PUT_FULL ? &server->counters->closed_unsent
							       : &server->counters->closed_blocks);
}

static void conn_receive(struct tcp_conn *conn, const struct stream_message *message,
			 uint64_t now_ms)
{
	struct tcp_server *server = conn->server;
	unsigned idle_ds = tcp_idle_ms(server) / 100;
	size_t len;

	counter_add(&server->counters->received, 1);
	counter_add(&server->counters->received_tls, conn->client.tls);
	if (message->cut)
		counter_add(&server->counters->cut, 1);
	conn->took = true;
	conn->fresh = false;
	conn->client.idle_ds = (uint16_t)idle_ds;
	conn->inflight++; /* before the call, so that an early `late` answer would find it right */
	switch (resolver_receive(server->resolver, &conn->client, message->data, message->len,
				 now_ms, server->scratch, &len)) {
	case RESOLVER_ANSWER:
		conn->inflight--;
		tcp_conn_put(conn, server->scratch, len);
		break;
	case RESOLVER_DROP:
		conn->inflight--;
		break;
	case RESOLVER_LATER:
	case RESOLVER_PUT_OFF: /* not by resolver_receive */
		break;
	}
}

/* Another answer of any size has room. */
static bool conn_has_room(const struct tcp_conn *conn)
{
	return stream_unsent(&conn->stream) + STREAM_FRAME_HEAD + STREAM_MESSAGE_MAX <=
	       STREAM_BLOCK;
}

static void set_state(struct tcp_conn *conn, uint64_t now_ms)
{
	bool took = conn->took, wrote = conn->wrote, again;
	enum tcp_state state;

	if (stream_unsent(&conn->stream) > 0)
		state = TCP_STUCK;
	else if (!conn->read_closed && !conn->paused && stream_in_frame(&conn->stream))
		state = TCP_FRAME;
	else if (conn->inflight > 0)
		state = TCP_BUSY;
	else
		state = conn->fresh ? TCP_FRAME : TCP_IDLE;
	conn->took = conn->wrote = false;
	again = state == TCP_STUCK ? wrote : state == TCP_FRAME ? took : took || wrote;
	if (state == conn->state && !again)
		return;
	list_remove(conn->server, conn);
	list_append(conn->server, conn, state);
	conn->since_ms = now_ms;
}

/* Decides what the connection waits for now, or that it is over. */
static void conn_settle(struct tcp_conn *conn, uint64_t now_ms)
{
	struct tcp_server *server = conn->server;
	size_t unsent = stream_unsent(&conn->stream);
	struct timeval now = { 0, 0 };
	bool pause;

	if (conn->doomed)
		return;
	if (conn->read_closed && conn->inflight == 0 && unsent == 0) {
		tcp_conn_doom(conn, NULL);
		return;
	}
	pause = unsent > 0 || conn->inflight >= server->conf.inflight_max;
	if (pause && !conn->paused && !conn->read_closed) {
		counter_add(&server->counters->paused, 1);
		event_del(&conn->read_event);
	} else if (!pause && conn->paused && !conn->read_closed) {
		event_add(&conn->read_event, NULL);
	}
	conn->paused = pause;
	if (unsent > 0 || (!pause && conn->client.tls && conn->tls.wants_write))
		event_add(&conn->write_event, NULL);
	else
		event_del(&conn->write_event);
	if (conn->client.tls && !pause && !conn->read_closed && tls_session_has_more(&conn->tls))
		event_add(&conn->more_event, &now);
	set_state(conn, now_ms);
}

/* Takes whole messages; false where it stopped for want of room for answers. */
static bool conn_take(struct tcp_conn *conn, uint64_t now_ms)
{
	struct stream_message message;

	while (!conn->doomed && conn->inflight < conn->server->conf.inflight_max) {
		if (!conn_has_room(conn))
			return false;
		if (!stream_next(&conn->stream, &message))
			return true;
		conn_receive(conn, &message, now_ms);
	}
	return true;
}

void tcp_conn_work(struct tcp_conn *conn, uint64_t now_ms)
{
	bool all;

	/* Ends: every turn takes from the input that is there, of which no more is read here. */
	do {
		all = conn_take(conn, now_ms);
		if (!conn->doomed)
			conn_write(conn);
	} while (!all && !conn->doomed && stream_unsent(&conn->stream) == 0);
	conn_settle(conn, now_ms);
}

/* What is there, with TLS out of several records; END only after what came before it. */
static enum stream_verdict conn_read(struct tcp_conn *conn)
{
	enum stream_verdict verdict = stream_read(&conn->stream);
	unsigned n;

	if (!conn->client.tls || verdict != STREAM_OK)
		return verdict;
	for (n = 1; n < TCP_RECORDS && verdict == STREAM_OK; n++)
		verdict = stream_read(&conn->stream);
	return verdict == STREAM_AGAIN ? STREAM_OK : verdict;
}

/* A step of the handshake; true: it is over. */
static bool conn_shake(struct tcp_conn *conn)
{
	struct tcp_server *server = conn->server;
	struct tls_fault fault = { .kind = TLS_FAULT_NONE };

	/* Too many this turn: the socket will wake us again. */
	if (server->shakes == TCP_SHAKES)
		return false;
	server->shakes++;
	switch (tls_session_handshake(&conn->tls, &fault)) {
	case TLS_OK:
		break;
	case TLS_WANT_READ:
		event_add(&conn->read_event, NULL);
		event_del(&conn->write_event);
		return false;
	case TLS_WANT_WRITE:
		event_add(&conn->write_event, NULL);
		event_del(&conn->read_event);
		return false;
	case TLS_END:
	case TLS_FAILED:
		report_handshake(server->report, &conn->client.from, fault.text);
		tcp_conn_doom(conn, &server->counters->handshakes_failed);
		return false;
	}
	counter_add(&server->counters->handshakes, 1);
	counter_add(&server->counters->handshakes_resumed, tls_session_resumed(&conn->tls));
	event_add(&conn->read_event, NULL);
	list_remove(server, conn);
	list_append(server, conn, TCP_FRAME);
	conn->since_ms = clock_now_ms();
	return true;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct tcp_conn *conn = arg;

	(void)fd;
	(void)what;
	if (conn->state == TCP_SHAKE && !conn_shake(conn))
		return;
	switch (conn_read(conn)) {
	case STREAM_BROKEN:
		tcp_conn_doom(conn, &conn->server->counters->lost);
		return;
	case STREAM_END:
		conn->read_closed = true;
		event_del(&conn->read_event);
		break;
	case STREAM_AGAIN:
	case STREAM_OK:
		break;
	}
	tcp_conn_work(conn, clock_now_ms());
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct tcp_conn *conn = arg;

	if (conn->state == TCP_SHAKE || (conn->client.tls && !conn->paused)) {
		/* What TLS wants to write so that it can read on. */
		on_readable(fd, what, arg);
		return;
	}
	conn_write(conn);
	if (!conn->doomed)
		tcp_conn_work(conn, clock_now_ms());
}

/* The asked address: the socket's own, or on a wildcard what this connection came to. */
static void conn_asked(union addr *ret, int fd, const union addr *local)
{
	socklen_t len = sizeof(*ret);

	*ret = *local;
	if (addr_is_wildcard(local) && getsockname(fd, &ret->any, &len) < 0)
		*ret = *local;
}

static void conn_begin_tls(struct tcp_conn *conn)
{
	struct tcp_server *server = conn->server;

	conn->client.tls = true;
	if (tls_session_accept(&conn->tls, server->tls, conn->stream.fd) < 0)
		tcp_conn_doom(conn, &server->counters->handshakes_failed);
}

void tcp_conn_open(const struct tcp_listener *listener, int fd, const union addr *from)
{
	struct tcp_server *server = listener->server;
	struct tcp_conn *conn = server->spare, **bucket;

	server->spare = conn->next;
	stream_init(&conn->stream, fd, listener->tls ? &stream_tls : &stream_tcp, &conn->tls,
		    server->pool, conn->in, sizeof(conn->in));
	memset(&conn->client, 0, sizeof(conn->client));
	memset(&conn->tls, 0, sizeof(conn->tls));
	conn->client.from = *from;
	conn_asked(&conn->client.to, fd, &listener->local);
	conn->client.stream = true;
	conn->client.slot = (uint32_t)(conn - server->conn);
	conn->client.serial = ++server->serial; /* from 1: 0 is that of all UDP */
	conn->client_key = tcp_client_key(from);
	bucket = client_bucket(server, conn->client_key);
	conn->client_next = *bucket;
	*bucket = conn;
	conn->inflight = 0;
	conn->open = conn->fresh = true;
	conn->queued = conn->doomed = conn->read_closed = conn->paused = false;
	conn->took = conn->wrote = conn->cut_short = false;
	conn->since_ms = clock_now_ms();
	list_append(server, conn, listener->tls ? TCP_SHAKE : TCP_FRAME);
	event_assign(&conn->read_event, server->base, fd, EV_READ | EV_PERSIST, on_readable, conn);
	event_assign(&conn->write_event, server->base, fd, EV_WRITE | EV_PERSIST, on_writable,
		     conn);
	event_assign(&conn->more_event, server->base, -1, 0, on_readable, conn);
	counter_add(&server->counters->accepted, 1);
	counter_add(&server->counters->open, 1);
	if (server->open++ == 0)
		event_add(server->tick, &server->tick_every);
	if (listener->tls)
		conn_begin_tls(conn);
	if (!conn->doomed && event_add(&conn->read_event, NULL) < 0)
		tcp_conn_doom(conn, &server->counters->accept_failed);
}
