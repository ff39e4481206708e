/* SPDX-License-Identifier: MIT */
/*
 * Every worker has a socket of its own for each address, so no worker waits for another and the
 * kernel spreads the load by a hash of the client (SO_REUSEPORT).
 *
 * SO_REUSEPORT has a trap: a second server of the same user would bind beside the first and take
 * half of its clients. So before anything is opened each address is tried without that option,
 * and closed again; whoever has it already makes that fail. All are tried before the first is
 * kept, so that 0.0.0.0 and 127.0.0.1 may both be listed.
 *
 * Port 0 is for tests and for the curious. The first UDP socket gets the kernel's choice, all
 * others bind the same; where its TCP port is taken another is drawn.
 *
 * Options that a listening TCP socket hands on to its connections (TCP_NODELAY) are set there,
 * once, not with a call for each connection.
 *
 * Main thread, at start. Refused: one socket shared by all workers (all wake up for one
 * datagram), steering by CPU with BPF (clients are few and hash well enough).
 */
#include "serve/listen.h"

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/udp.h"

/*
 * What the kernel keeps while a worker does something else. A small datagram is accounted for
 * with about 768 octets, so the usual 208 KiB are full after some 270: 3 ms at 100,000 queries a
 * second, less than one time slice of the scheduler. 1 MiB (the kernel doubles it) is 27 ms. The
 * answers' side need only take a few whole batches.
 */
#define RECEIVE_BUFFER (1024 * 1024)
#define SEND_BUFFER (512 * 1024)

/*
 * Connections that wait for accept: a burst while a worker is busy. The kernel's somaxconn caps it.
 */
#define BACKLOG 512

/*
 * Draws of a port that is free for UDP and TCP; each fails only where somebody holds just its TCP
 * side.
 */
#define PORT_DRAWS 64

struct listener {
	union addr addr;
	bool tls;
	int *udp, *tcp; /* one a worker; -1: not open */
};

struct listeners {
	size_t count;
	unsigned workers;
	struct listener *listener;
};

static const char *advice(int error, const union addr *addr)
{
	switch (error) {
	case EACCES:
	case EPERM:
		return "start as root, give the program CAP_NET_BIND_SERVICE, or listen on a port "
		       "above 1023";
	case EADDRINUSE:
		if (addr_is_wildcard(addr))
			return "another server has this port on one of the addresses (`ss -lntup` "
			       "names it): stop it, or list the addresses to listen on";
		return "another server has it (`ss -lntup` names it): stop it, or listen on "
		       "another address or port";
	case EADDRNOTAVAIL:
		return "this machine has no such address (`ip address` lists them): correct it, or "
		       "start after the network";
	case EAFNOSUPPORT:
		return "this machine does not have this kind of address switched on: take it out "
		       "of `listen`";
	case EMFILE:
	case ENFILE:
		return "raise the limit of open files (LimitNOFILE=)";
	case EINVAL:
		if (addr->any.sa_family == AF_INET6 && addr->in6.sin6_scope_id == 0 &&
		    IN6_IS_ADDR_LINKLOCAL(&addr->in6.sin6_addr))
			return "a link-local address needs its interface, as in fe80::1%eth0@53";
		return "correct the address, or listen on another";
	default:
		return "correct the address, or listen on another";
	}
}

static int refuse(struct err *err, const union addr *addr, const char *transport)
{
	int error = errno;
	char text[ADDR_TEXT_MAX];

	return err_set(err, "cannot listen on %s (%s): %s; %s", addr_to_text(addr, 0, text),
		       transport, strerror(error), advice(error, addr));
}

static int set_flag(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

/* Beyond the system's limit as long as we may, else up to it. */
static void set_buffers(int fd)
{
	if (set_flag(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER) < 0)
		(void)set_flag(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER);
	if (set_flag(fd, SOL_SOCKET, SO_SNDBUFFORCE, SEND_BUFFER) < 0)
		(void)set_flag(fd, SOL_SOCKET, SO_SNDBUF, SEND_BUFFER);
}

static int prepare(int fd, const union addr *addr, bool stream)
{
	if (!stream) {
		set_buffers(fd);
		return udp_socket_prepare(fd, addr);
	}
	if (addr->any.sa_family == AF_INET6 && set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) < 0)
		return -1;
	/* Connections of a server that has just stopped are no reason to refuse. */
	if (set_flag(fd, SOL_SOCKET, SO_REUSEADDR, 1) < 0)
		return -1;
	/* Answers are written whole: nothing is gained by waiting for more. */
	return set_flag(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

/* A bound socket, or -1 with errno. */
static int open_one(const union addr *addr, bool stream, bool share)
{
	int fd = socket(addr->any.sa_family,
			(stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error;

	if (fd < 0)
		return -1;
	if (prepare(fd, addr, stream) == 0 &&
	    (!share || set_flag(fd, SOL_SOCKET, SO_REUSEPORT, 1) == 0) &&
	    bind(fd, &addr->any, addr_len(addr)) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* Is it free, for us alone? */
static int try_address(const union addr *addr, bool tls, struct err *err)
{
	int fd;

	if (!tls) {
		fd = open_one(addr, false, false);
		if (fd < 0)
			return refuse(err, addr, "UDP");
		close(fd);
	}
	fd = open_one(addr, true, false);
	/* Only this tells a port that another listens on from one that an old connection has. */
	if (fd < 0 || listen(fd, 1) < 0) {
		(void)refuse(err, addr, tls ? "TLS" : "TCP");
		if (fd >= 0)
			close(fd);
		return -1;
	}
	close(fd);
	return 0;
}

static void close_all(struct listener *listener, unsigned workers)
{
	unsigned n;

	for (n = 0; n < workers; n++) {
		if (listener->udp[n] >= 0)
			close(listener->udp[n]);
		if (listener->tcp[n] >= 0)
			close(listener->tcp[n]);
		listener->udp[n] = listener->tcp[n] = -1;
	}
}

/* The kernel's choice, where one was asked for. */
static int learn_port(union addr *addr, int fd)
{
	socklen_t len = sizeof(*addr);

	return addr_port(addr) == 0 ? getsockname(fd, &addr->any, &len) : 0;
}

/*
 * Opens the sockets of all workers; the kernel's port, where one was drawn, goes into the address.
 */
static int open_all(struct listener *listener, unsigned workers, const char **ret_transport)
{
	union addr *addr = &listener->addr;
	unsigned n;

	for (n = 0; n < workers; n++) {
		*ret_transport = "UDP";
		if (!listener->tls) {
			listener->udp[n] = open_one(addr, false, true);
			if (listener->udp[n] < 0 || learn_port(addr, listener->udp[n]) < 0)
				return -1;
		}
		*ret_transport = listener->tls ? "TLS" : "TCP";
		listener->tcp[n] = open_one(addr, true, true);
		if (listener->tcp[n] < 0 || learn_port(addr, listener->tcp[n]) < 0 ||
		    listen(listener->tcp[n], BACKLOG) < 0)
			return -1;
	}
	return 0;
}

static int listener_open(struct listener *listener, unsigned workers, struct err *err)
{
	const union addr wanted = listener->addr;
	unsigned draws = addr_port(&wanted) == 0 ? PORT_DRAWS : 1;
	const char *transport;

	for (;;) {
		listener->addr = wanted;
		if (open_all(listener, workers, &transport) == 0)
			return 0;
		if (errno != EADDRINUSE || --draws == 0)
			return refuse(err, &wanted, transport);
		close_all(listener, workers);
	}
}

static int listener_init(struct listener *listener, const union addr *addr, bool tls,
			 unsigned workers)
{
	unsigned n;

	listener->addr = *addr;
	listener->tls = tls;
	listener->udp = calloc(workers, sizeof(*listener->udp));
	listener->tcp = calloc(workers, sizeof(*listener->tcp));
	if (!listener->udp || !listener->tcp)
		return -1;
	for (n = 0; n < workers; n++)
		listener->udp[n] = listener->tcp[n] = -1;
	return 0;
}

/* Port 0 is another one each time it stands there. */
static bool stands_before(const union addr *addrs, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (addr_port(&addrs[n]) != 0 && addr_equal(&addrs[i], &addrs[n]))
			return true;
	}
	return false;
}

/* Opens these beside what is open already. */
static int listeners_add(struct listeners *listeners, const union addr *addrs, size_t count,
			 bool tls, struct err *err)
{
	struct listener *more =
		reallocarray(listeners->listener, listeners->count + count + 1, sizeof(*more));
	size_t n;

	if (!more)
		return err_set(err, "no memory for the listening sockets");
	listeners->listener = more;
	for (n = 0; n < count; n++) {
		if (addr_port(&addrs[n]) != 0 && try_address(&addrs[n], tls, err) < 0)
			return -1;
	}
	for (n = 0; n < count; n++) {
		if (stands_before(addrs, n))
			continue;
		more = &listeners->listener[listeners->count++];
		if (listener_init(more, &addrs[n], tls, listeners->workers) < 0)
			return err_set(err, "no memory for the listening sockets");
		if (listener_open(more, listeners->workers, err) < 0)
			return -1;
	}
	return 0;
}

struct listeners *listeners_new(const union addr *addrs, size_t count, unsigned workers,
				struct err *err)
{
	struct listeners *listeners = calloc(1, sizeof(*listeners));

	assert(workers > 0);
	if (!listeners) {
		err_set(err, "no memory for the listening sockets");
		return NULL;
	}
	listeners->workers = workers;
	if (listeners_add(listeners, addrs, count, false, err) == 0)
		return listeners;
	listeners_free(listeners);
	return NULL;
}

int listeners_add_tls(struct listeners *listeners, const union addr *addrs, size_t count,
		      struct err *err)
{
	return listeners_add(listeners, addrs, count, true, err);
}

void listeners_free(struct listeners *listeners)
{
	struct listener *listener;
	size_t n;

	if (!listeners)
		return;
	for (n = 0; n < listeners->count; n++) {
		listener = &listeners->listener[n];
		if (listener->udp && listener->tcp)
			close_all(listener, listeners->workers);
		free(listener->udp);
		free(listener->tcp);
	}
	free(listeners->listener);
	free(listeners);
}

size_t listeners_count(const struct listeners *listeners)
{
	return listeners->count;
}

const union addr *listeners_addr(const struct listeners *listeners, size_t n)
{
	return &listeners->listener[n].addr;
}

bool listeners_tls(const struct listeners *listeners, size_t n)
{
	return listeners->listener[n].tls;
}

unsigned listeners_workers(const struct listeners *listeners)
{
	return listeners->workers;
}

int listeners_udp(const struct listeners *listeners, size_t n, unsigned worker)
{
	return listeners->listener[n].udp[worker];
}

int listeners_tcp(const struct listeners *listeners, size_t n, unsigned worker)
{
	return listeners->listener[n].tcp[worker];
}
