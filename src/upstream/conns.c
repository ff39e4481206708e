/* SPDX-License-Identifier: MIT */
/*
 * A connection is opened for the first question that needs one, carries as many others as come, and
 * stays for a while. It is new until it stands, of use once something was answered on it, and
 * retired when it gets no further questions; a retired one is closed when nobody waits on it.
 *
 * One upstream usually has one connection. It gets a second one when as many questions as may wait
 * do, or when the first has been silent for too long. In all there are few, for which three rules
 * see to it that no upstream takes them all: a share for each, one on which nobody waits makes room
 * for another upstream, and one that does not come to stand is given up soon. Whoever finds no room
 * is told so; nothing queues outside of a connection.
 *
 * What is to be sent waits in the stream until the connection stands. Whether it does is asked of
 * the kernel, once; then TLS shakes hands. Until then nothing of a question has left: one whose
 * certificate is wrong learns nothing.
 *
 * The framing is net/stream's, with room for the longest message. What TLS has decrypted and nobody
 * has read is not announced by the socket, so steps go on until it would block; a caller that stops
 * earlier says so (conns_leave), and the loop comes back at once for the socket is writable. That
 * stays so whatever is sent in between.
 *
 * Refused: one connection a question (a handshake each), libevent's bufferevents (an allocation a
 * write), a queue of questions in front of all connections (the deadline of each is the queue).
 */
#include "upstream/conns.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/stream.h"
#include "net/tls.h"
#include "upstream/ask.h"
#include "upstream/sockets.h"
#include "upstream/tls.h"

/* The longest answer (RFC 1035 4.2.2). */
#define IN_LEN (STREAM_FRAME_HEAD + STREAM_MESSAGE_MAX)

struct conn {
	int fd; /* -1: free */
	uint16_t upstream;
	bool tls, connected, stands, retired, of_use;
	uint32_t events;     /* what epoll waits for */
	uint32_t first;      /* the caller's */
	uint32_t next, prev; /* of its upstream's; next also of the free ones */
	unsigned waiting;
	unsigned idle_ms;
	unsigned generation; /* of the TLS client */
	uint64_t opened_ms;
	uint64_t idle_since_ms;  /* with nobody waiting */
	uint64_t quiet_since_ms; /* with somebody waiting: since then nothing came */
	struct tls_session session;
	struct stream stream;
};

struct conns {
	struct conns_conf conf;
	struct stream_pool *pool;
	struct conn *all;
	uint8_t (*in)[IN_LEN]; /* pages that nobody touches cost nothing */
	uint32_t free;
	unsigned open, busy;               /* on `busy` of them somebody waits */
	uint32_t of[UPSTREAMS_MAX];        /* the first of each upstream */
	unsigned busy_with[UPSTREAMS_MAX]; /* of the busy ones, the upstream's */
};

struct conns *conns_new(const struct conns_conf *conf)
{
	struct conns *conns = calloc(1, sizeof(*conns));
	uint32_t i;

	if (!conns)
		return NULL;
	conns->conf = *conf;
	conns->all = calloc(conf->limits.max, sizeof(conns->all[0]));
	conns->pool = stream_pool_new(conf->limits.max);
	conns->in = mmap(NULL, conf->limits.max * sizeof(conns->in[0]), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (conns->in == MAP_FAILED)
		conns->in = NULL;
	if (!conns->all || !conns->pool || !conns->in) {
		conns_free(conns);
		return NULL;
	}
	for (i = 0; i < conf->limits.max; i++) {
		conns->all[i].fd = -1;
		conns->all[i].next = i + 1 < conf->limits.max ? i + 1 : CONNS_NONE;
	}
	memset(conns->of, 0xff, sizeof(conns->of)); /* CONNS_NONE */
	return conns;
}

static void close_conn(struct conns *conns, uint32_t i)
{
	struct conn *conn = &conns->all[i];

	assert(conn->fd >= 0 && conn->waiting == 0);
	tls_session_shutdown(&conn->session);
	tls_session_fini(&conn->session);
	stream_fini(&conn->stream);
	close(conn->fd);
	conn->fd = -1;
	if (conn->prev == CONNS_NONE)
		conns->of[conn->upstream] = conn->next;
	else
		conns->all[conn->prev].next = conn->next;
	if (conn->next != CONNS_NONE)
		conns->all[conn->next].prev = conn->prev;
	conn->next = conns->free;
	conns->free = i;
	conns->open--;
}

void conns_free(struct conns *conns)
{
	uint32_t i;

	if (!conns)
		return;
	for (i = 0; conns->open > 0; i++) {
		conns->all[i].waiting = 0;
		if (conns->all[i].fd >= 0)
			close_conn(conns, i);
	}
	stream_pool_free(conns->pool);
	if (conns->in)
		munmap(conns->in, conns->conf.limits.max * sizeof(conns->in[0]));
	free(conns->all);
	free(conns);
}

unsigned conns_open(const struct conns *conns)
{
	return conns->open;
}

uint32_t *conns_first(struct conns *conns, uint32_t i)
{
	return &conns->all[i].first;
}

bool conns_stands(const struct conns *conns, uint32_t i)
{
	return conns->all[i].stands;
}

bool conns_was_of_use(const struct conns *conns, uint32_t i)
{
	return conns->all[i].of_use;
}

/* ---- opening --------------------------------------------------------------------------------- */

/* Makes a connection's slot free: of those on which nobody waits, the one that is idle longest. */
static void make_room(struct conns *conns)
{
	uint32_t i, oldest = CONNS_NONE;

	for (i = 0; i < conns->conf.limits.max; i++) {
		if (conns->all[i].fd < 0 || conns->all[i].waiting > 0)
			continue;
		if (oldest == CONNS_NONE ||
		    conns->all[i].idle_since_ms < conns->all[oldest].idle_since_ms)
			oldest = i;
	}
	if (oldest != CONNS_NONE)
		close_conn(conns, oldest);
}

/* A socket that is being connected. Or -1 and errno. */
static int open_socket(const union addr *to)
{
	int fd = socket(to->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0)
		return -1;
	/* Questions are small and follow each other; none is to wait for the last one's ACK. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, &to->any, addr_len(to)) < 0 && errno != EINPROGRESS) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

static uint32_t open_conn(struct conns *conns, uint16_t upstream, uint64_t now_ms)
{
	struct tls_client *client = upstream_tls_client(conns->conf.upstreams, upstream);
	uint32_t i = conns->free;
	struct epoll_event event = { .events = EPOLLOUT, .data.u64 = conns->conf.base + i };
	struct conn *conn = &conns->all[i];
	struct tls_session session = { .ssl = NULL };
	int fd;

	if (client && upstream_tls_pauses(conns->conf.upstreams, upstream, now_ms))
		return CONNS_UNREACHABLE;
	fd = open_socket(upstream_addr(conns->conf.upstreams, upstream));
	if (fd < 0)
		return sockets_limit_met(errno) ? CONNS_NONE : CONNS_UNREACHABLE;
	conn->session = session;
	/* Before it begins: rather a connection too many than one by authorities of yesterday. */
	conn->generation = client ? tls_client_generation(client) : 0;
	if ((client && tls_session_connect(&conn->session, client, fd) < 0) ||
	    epoll_ctl(conns->conf.epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
		tls_session_fini(&conn->session);
		close(fd);
		return CONNS_NONE;
	}
	conns->free = conn->next;
	conn->fd = fd;
	conn->upstream = upstream;
	conn->tls = client != NULL;
	conn->connected = conn->stands = conn->retired = conn->of_use = false;
	conn->events = event.events;
	conn->first = CONNS_NONE;
	conn->waiting = 0;
	conn->idle_ms = conns->conf.limits.idle_ms;
	conn->opened_ms = conn->idle_since_ms = conn->quiet_since_ms = now_ms;
	stream_init(&conn->stream, fd, client ? &stream_tls : &stream_tcp, &conn->session,
		    conns->pool, conns->in[i], IN_LEN);
	conn->prev = CONNS_NONE;
	conn->next = conns->of[upstream];
	if (conn->next != CONNS_NONE)
		conns->all[conn->next].prev = i;
	conns->of[upstream] = i;
	conns->open++;
	counter_add(&conns->conf.counters->connections, 1);
	return i;
}

/* Has it served its time, whoever waits on it? */
static bool is_worn(const struct conns *conns, const struct conn *conn, uint64_t now_ms)
{
	const struct tls_client *client;

	if (now_ms > conn->opened_ms + CONNS_LIFE_MS ||
	    (conn->waiting > 0 && now_ms > conn->quiet_since_ms + CONNS_SILENT_MS))
		return true;
	client = upstream_tls_client(conns->conf.upstreams, conn->upstream);
	return client && tls_client_generation(client) != conn->generation;
}

/* The one of this upstream's that takes another question and has the fewest. */
static uint32_t find_conn(struct conns *conns, uint16_t upstream, uint64_t now_ms)
{
	uint32_t i, best = CONNS_NONE;

	for (i = conns->of[upstream]; i != CONNS_NONE; i = conns->all[i].next) {
		struct conn *conn = &conns->all[i];

		if (!conn->retired && is_worn(conns, conn, now_ms))
			conn->retired = true;
		if (conn->retired || conn->waiting >= conns->conf.limits.questions_max)
			continue;
		if (best == CONNS_NONE || conn->waiting < conns->all[best].waiting)
			best = i;
	}
	return best;
}

uint32_t conns_pick(struct conns *conns, uint16_t upstream, uint64_t now_ms)
{
	uint32_t i = find_conn(conns, upstream, now_ms);
	bool may_grow =
		conns->busy_with[upstream] < CONNS_SHARE * (conns->conf.limits.max - conns->busy);

	if (i == CONNS_NONE || conns->all[i].waiting == 0) {
		if (i == CONNS_NONE && may_grow && conns->free == CONNS_NONE)
			make_room(conns);
		if (!may_grow || (i == CONNS_NONE && conns->free == CONNS_NONE)) {
			counter_add(&conns->conf.counters->refused_connections, 1);
			return CONNS_NONE;
		}
		if (i == CONNS_NONE)
			i = open_conn(conns, upstream, now_ms);
		if (i == CONNS_NONE || i == CONNS_UNREACHABLE)
			return i;
	}
	conns_hold(conns, i, now_ms);
	return i;
}

/* ---- waiting --------------------------------------------------------------------------------- */

void conns_hold(struct conns *conns, uint32_t i, uint64_t now_ms)
{
	struct conn *conn = &conns->all[i];

	if (conn->waiting++ == 0) {
		conn->quiet_since_ms = now_ms;
		conns->busy++;
		conns->busy_with[conn->upstream]++;
	}
}

void conns_release(struct conns *conns, uint32_t i, uint64_t now_ms)
{
	struct conn *conn = &conns->all[i];

	if (conn->waiting == 1 && is_worn(conns, conn, now_ms))
		conn->retired = true;
	if (--conn->waiting > 0)
		return;
	conns->busy--;
	conns->busy_with[conn->upstream]--;
	conn->idle_since_ms = now_ms;
	if (conn->retired || conn->idle_ms == 0)
		close_conn(conns, i);
}

static void wait_for(struct conns *conns, uint32_t i, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.u64 = conns->conf.base + i };
	struct conn *conn = &conns->all[i];

	if (events == conn->events)
		return;
	conn->events = events;
	/* Fails only for a descriptor that is not in the set, which is a bug. */
	if (epoll_ctl(conns->conf.epoll, EPOLL_CTL_MOD, conn->fd, &event) < 0)
		conn->retired = true;
}

/* What one that stands waits for. */
static void settle(struct conns *conns, uint32_t i)
{
	struct conn *conn = &conns->all[i];
	bool out =
		stream_unsent(&conn->stream) > 0 ||
		(conn->tls && (conn->session.wants_write || tls_session_has_more(&conn->session)));

	if (conn->stands)
		wait_for(conns, i, EPOLLIN | (out ? EPOLLOUT : 0));
}

void conns_leave(struct conns *conns, uint32_t i)
{
	struct conn *conn = &conns->all[i];

	if (conn->fd >= 0)
		settle(conns, i);
}

bool conns_send(struct conns *conns, uint32_t i, const uint8_t *query, size_t len)
{
	struct conn *conn = &conns->all[i];
	bool empty = stream_unsent(&conn->stream) == 0;

	assert(len <= ASK_LEN_MAX);
	if (stream_put(&conn->stream, query, len) != STREAM_PUT)
		return false;
	/* What breaks here shows in the next step, for the socket says so again. */
	if (conn->stands && empty)
		(void)stream_write(&conn->stream);
	settle(conns, i);
	return true;
}

/* ---- steps ----------------------------------------------------------------------------------- */

static enum conns_verdict broken(struct conn *conn)
{
	conn->retired = true;
	return CONNS_BROKEN;
}

/* It did not come to stand; for TLS somebody wants to know why. */
static enum conns_verdict failed(struct conns *conns, struct conn *conn,
				 const struct tls_fault *fault, uint64_t now_ms)
{
	if (conn->tls) {
		counter_add(&conns->conf.counters->tls_failed, 1);
		upstream_note_tls_fault(conns->conf.upstreams, conn->upstream, fault, now_ms);
	}
	return broken(conn);
}

/* CONNS_MESSAGES: the TCP connection stands. */
static enum conns_verdict connected(struct conns *conns, struct conn *conn, uint64_t now_ms)
{
	struct tls_fault fault = { .kind = TLS_FAULT_LOST };
	union addr peer;
	socklen_t len = sizeof(peer);
	int error = 0;

	if (getpeername(conn->fd, &peer.any, &len) == 0) {
		conn->connected = true;
		return CONNS_MESSAGES;
	}
	len = sizeof(error);
	if (getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == 0)
		return CONNS_WAIT;
	snprintf(fault.text, sizeof(fault.text), "%s", strerror(error));
	return failed(conns, conn, &fault, now_ms);
}

/* CONNS_MESSAGES: it stands. */
static enum conns_verdict come_to_stand(struct conns *conns, uint32_t i, uint64_t now_ms)
{
	struct conn *conn = &conns->all[i];
	enum conns_verdict verdict;
	struct tls_fault fault;

	if (!conn->connected) {
		verdict = connected(conns, conn, now_ms);
		if (verdict != CONNS_MESSAGES)
			return verdict;
	}
	if (conn->tls) {
		switch (tls_session_handshake(&conn->session, &fault)) {
		case TLS_OK:
			break;
		case TLS_WANT_READ:
			wait_for(conns, i, EPOLLIN);
			return CONNS_WAIT;
		case TLS_WANT_WRITE:
			wait_for(conns, i, EPOLLOUT);
			return CONNS_WAIT;
		case TLS_END:
		case TLS_FAILED:
			return failed(conns, conn, &fault, now_ms);
		}
		counter_add(&conns->conf.counters->tls_sessions, 1);
		if (tls_session_resumed(&conn->session))
			counter_add(&conns->conf.counters->tls_resumed, 1);
		upstream_note_tls_session(conns->conf.upstreams, conn->upstream,
					  tls_session_resumed(&conn->session), now_ms);
	}
	conn->stands = true;
	/* The time for an answer begins now. */
	conn->quiet_since_ms = now_ms;
	return CONNS_MESSAGES;
}

enum conns_verdict conns_step(struct conns *conns, uint32_t i, uint64_t now_ms)
{
	struct conn *conn = &conns->all[i];
	enum conns_verdict verdict;

	if (conn->fd < 0)
		return CONNS_WAIT;
	if (!conn->stands) {
		verdict = come_to_stand(conns, i, now_ms);
		if (verdict != CONNS_MESSAGES)
			return verdict;
	}
	if (stream_write(&conn->stream) == STREAM_BROKEN)
		return broken(conn);
	switch (stream_read(&conn->stream)) {
	case STREAM_OK:
		return CONNS_MESSAGES;
	case STREAM_AGAIN:
		break;
	case STREAM_END:
	case STREAM_BROKEN:
		return broken(conn);
	}
	settle(conns, i);
	return CONNS_WAIT;
}

bool conns_next(struct conns *conns, uint32_t i, const uint8_t **ret_data, size_t *ret_len)
{
	struct stream_message message;

	if (!stream_next(&conns->all[i].stream, &message))
		return false;
	*ret_data = message.data;
	*ret_len = message.len;
	return true;
}

void conns_note_answer(struct conns *conns, uint32_t i, int32_t idle_ds, uint64_t now_ms)
{
	struct conn *conn = &conns->all[i];

	conn->of_use = true;
	conn->quiet_since_ms = now_ms;
	if (idle_ds < 0)
		return;
	/* RFC 7828 3.2.2: no more of them, and the end when the last is answered. */
	if (idle_ds == 0)
		conn->retired = true;
	conn->idle_ms = (unsigned)idle_ds * 100;
	if (conn->idle_ms > CONNS_TOLD_IDLE_MAX_MS)
		conn->idle_ms = CONNS_TOLD_IDLE_MAX_MS;
}

enum conns_verdict conns_check(struct conns *conns, uint32_t i, uint64_t now_ms)
{
	struct tls_fault fault = { .kind = TLS_FAULT_LOST };
	struct conn *conn = &conns->all[i];

	if (conn->fd < 0)
		return CONNS_WAIT;
	if (!conn->stands && now_ms > conn->opened_ms + CONNS_UP_MS) {
		snprintf(fault.text, sizeof(fault.text), "no %s within %.1f s",
			 conn->connected ? "end of the TLS handshake" : "connection",
			 (double)CONNS_UP_MS / 1000);
		return failed(conns, conn, &fault, now_ms);
	}
	if (is_worn(conns, conn, now_ms))
		conn->retired = true;
	if (conn->waiting == 0 && (conn->retired || now_ms > conn->idle_since_ms + conn->idle_ms))
		close_conn(conns, i);
	return CONNS_WAIT;
}
