/* SPDX-License-Identifier: MIT */
/*
 * A connection sends its query as soon as it stands, then reads two octets of length and the
 * message.
 *
 * Whether it stands is not asked for: a send on a socket that is still connecting says EAGAIN, on
 * one that was refused it says why. So an event that is older than the connection does no harm.
 *
 * Keeping connections open for further questions comes later; it is the reason that questions do
 * not know their connection's state.
 */
#include "forward/conns.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "forward/sockets.h"
#include "wire/cursor.h"

#define FRAME_HEAD 2

struct conn {
	int fd; /* -1: free */
	uint32_t owner;
	uint32_t next_free;
	size_t out_at, out_len;
	size_t in_len;
	uint8_t out[FRAME_HEAD + CONNS_QUERY_MAX];
	uint8_t in[FRAME_HEAD + UINT16_MAX];
};

struct conns {
	int epoll;
	uint64_t base;
	uint32_t free;
	struct conn *all;
};

struct conns *conns_new(int epoll, uint64_t base)
{
	struct conns *conns = calloc(1, sizeof(*conns));
	uint32_t i;

	if (!conns)
		return NULL;
	conns->epoll = epoll;
	conns->base = base;
	conns->all = mmap(NULL, CONNS_MAX * sizeof(conns->all[0]), PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (conns->all == MAP_FAILED) {
		free(conns);
		return NULL;
	}
	for (i = 0; i < CONNS_MAX; i++) {
		conns->all[i].fd = -1;
		conns->all[i].next_free = i + 1 < CONNS_MAX ? i + 1 : CONNS_NONE;
	}
	return conns;
}

void conns_free(struct conns *conns)
{
	uint32_t i;

	if (!conns)
		return;
	for (i = 0; i < CONNS_MAX; i++) {
		if (conns->all[i].fd >= 0)
			close(conns->all[i].fd);
	}
	munmap(conns->all, CONNS_MAX * sizeof(conns->all[0]));
	free(conns);
}

uint32_t conns_open(struct conns *conns, const union addr *to, const uint8_t *query, size_t len,
		    uint32_t owner)
{
	struct epoll_event event = { .events = EPOLLOUT, .data.u64 = conns->base + conns->free };
	uint32_t i = conns->free;
	struct conn *conn;
	int fd;

	if (i == CONNS_NONE || len > CONNS_QUERY_MAX)
		return CONNS_NONE;
	fd = socket(to->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return CONNS_NONE;
	if ((connect(fd, &to->any, addr_len(to)) < 0 && errno != EINPROGRESS) ||
	    epoll_ctl(conns->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
		bool ours = sockets_limit_met(errno);

		close(fd);
		return ours ? CONNS_NONE : CONNS_UNREACHABLE;
	}
	conn = &conns->all[i];
	conns->free = conn->next_free;
	conn->fd = fd;
	conn->owner = owner;
	conn->out[0] = (uint8_t)(len >> 8);
	conn->out[1] = (uint8_t)len;
	memcpy(conn->out + FRAME_HEAD, query, len);
	conn->out_at = 0;
	conn->out_len = FRAME_HEAD + len;
	conn->in_len = 0;
	return i;
}

void conns_close(struct conns *conns, uint32_t i)
{
	struct conn *conn = &conns->all[i];

	close(conn->fd);
	conn->fd = -1;
	conn->next_free = conns->free;
	conns->free = i;
}

static enum conns_verdict send_query(struct conns *conns, uint32_t i)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = conns->base + i };
	struct conn *conn = &conns->all[i];
	ssize_t sent = send(conn->fd, conn->out + conn->out_at, conn->out_len - conn->out_at,
			    MSG_NOSIGNAL);

	if (sent < 0)
		return errno == EAGAIN || errno == EINTR ? CONNS_WAIT : CONNS_BROKEN;
	conn->out_at += (size_t)sent;
	if (conn->out_at == conn->out_len &&
	    epoll_ctl(conns->epoll, EPOLL_CTL_MOD, conn->fd, &event) < 0)
		return CONNS_BROKEN;
	return CONNS_WAIT;
}

enum conns_verdict conns_step(struct conns *conns, uint32_t i, uint32_t *ret_owner,
			      const uint8_t **ret_data, size_t *ret_len)
{
	struct conn *conn = &conns->all[i];
	struct cursor head;
	size_t want;
	ssize_t got;

	if (conn->fd < 0)
		return CONNS_WAIT;
	*ret_owner = conn->owner;
	if (conn->out_at < conn->out_len)
		return send_query(conns, i);
	got = recv(conn->fd, conn->in + conn->in_len, sizeof(conn->in) - conn->in_len, 0);
	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? CONNS_WAIT : CONNS_BROKEN;
	if (got == 0)
		return CONNS_BROKEN;
	conn->in_len += (size_t)got;
	head = cursor_over(conn->in, conn->in_len);
	want = cursor_u16(&head);
	if (head.bad || cursor_left(&head) < want)
		return CONNS_WAIT;
	*ret_data = conn->in + FRAME_HEAD;
	*ret_len = want;
	return CONNS_MESSAGE;
}
