/* SPDX-License-Identifier: MIT */
/*
 * A forged reply must name the right address, port, id and question. This is about the port.
 *
 * Each socket is bound to a port drawn evenly from 1024 to 65535, so one who cannot see our packets
 * has to guess 16 bits of port (15.98) and 16 of id, and the same question is in flight only once.
 * Against one who found out all open ports of this moment log2(sockets) bits of the port remain: 8
 * for 256, so 24 in all, and every port is gone after 64 questions or 30 s. A fresh socket for each
 * question would keep all 32 bits, at 20 us each.
 *
 * Questions of one turn to one upstream share a socket, so that they share a system call. None of
 * these bits is lost by that. A forged reply passes for one question alone, the one it names, and
 * must hit that one's port and id: the port is as hard to guess whether others left by it or not,
 * and that the ids on a socket differ is worth 0.001 bits of 16, for 64 that wait. Many forged
 * replies to many questions hit as often as before, only more of them at a time. What is shared
 * would help one who learned the port of a question of his own, asked in the same turn as his
 * victim's. But an upstream's clients do not see it, nor do servers behind it: he must be the
 * upstream or on the way to it, and need not guess then. To find it by guessing is to guess port
 * and id of his own, 32 bits. To watch his own go to TCP, since so many wrong guesses hit the port,
 * tells it too late: all that wait on that socket go to TCP with his (tries.c), and no others come.
 * Those wrong guesses hurt more questions at a time than before, and hit as much more seldom.
 *
 * Sockets are connected: the kernel then drops what comes from elsewhere, a port scan from any
 * other address sees them closed, and ICMP tells at once that an upstream is not there. What
 * arrived between bind and connect may still be from anybody, so the caller compares the source
 * too.
 *
 * The first pick of a turn draws slots at random: an empty one is opened, one of this upstream is
 * taken, one of another upstream is passed over; after some draws an idle one of those is turned
 * over to this upstream. So slots follow the load, without lists for each upstream. A silent
 * upstream, whose questions hold their sockets until the deadline, is kept from all of them by
 * SOCKETS_SHARE. Quiet servers open a socket for nearly every question, and so have full entropy;
 * busy ones use the pool.
 */
#include "upstream/sockets.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "net/addr.h"
#include "net/random.h"
#include "wire/cursor.h"

/* Where a tenth of the slots are this upstream's, 32 draws miss all of them once in 29 picks. */
#define DRAWS_MAX 32
/* Ports that are taken: with 64,512 to draw from, eight in a row mean something else is wrong. */
#define BINDS_MAX 8
/* Below are ports of services, which a firewall may treat otherwise. */
#define PORT_FIRST 1024

int sockets_init(struct sockets *sockets, unsigned max, int epoll,
		 const struct upstreams *upstreams)
{
	unsigned i;

	*sockets =
		(struct sockets){ .max = max, .epoll = epoll, .upstreams = upstreams, .turn = 1 };
	sockets->slots = calloc(max, sizeof(sockets->slots[0]));
	if (!sockets->slots)
		return -1;
	for (i = 0; i < max; i++)
		sockets->slots[i].fd = -1;
	return 0;
}

static void close_slot(struct sockets *sockets, struct socket_slot *slot)
{
	if (slot->fd < 0)
		return;
	close(slot->fd);
	slot->fd = -1;
	sockets->opened--;
}

void sockets_fini(struct sockets *sockets)
{
	unsigned i;

	for (i = 0; sockets->slots && i < sockets->max; i++)
		close_slot(sockets, &sockets->slots[i]);
	free(sockets->slots);
	sockets->slots = NULL;
}

static int bind_random(int fd, sa_family_t family)
{
	union addr local = { .any.sa_family = family };
	unsigned i;

	for (i = 0; i < BINDS_MAX; i++) {
		addr_set_port(&local, (uint16_t)(PORT_FIRST + random_below(65536 - PORT_FIRST)));
		if (bind(fd, &local.any, addr_len(&local)) == 0)
			return 0;
		if (errno != EADDRINUSE && errno != EACCES)
			return -1;
	}
	return -1;
}

/* Or -1 and errno. */
static int open_socket(const union addr *upstream)
{
	sa_family_t family = upstream->any.sa_family;
	int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int omit = family == AF_INET ? IP_PMTUDISC_OMIT : IPV6_PMTUDISC_OMIT;

	if (fd < 0)
		return -1;
	/*
	 * Forged "fragmentation needed" must not make the kernel fragment our questions (RFC 9715);
	 * they are far smaller than any path's MTU, so a kernel that refuses this does no harm.
	 */
	if (family == AF_INET)
		(void)setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &omit, sizeof(omit));
	else
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &omit, sizeof(omit));
	if (bind_random(fd, family) < 0 || connect(fd, &upstream->any, addr_len(upstream)) < 0) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

bool sockets_limit_met(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM ||
	       error == EAGAIN || error == EADDRINUSE || error == ENOSPC;
}

/* Puts a socket for this upstream into an empty slot: `i`, or why it could not be done. */
static uint32_t open_slot(struct sockets *sockets, uint32_t i, uint16_t upstream, uint64_t now_ms)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = i };
	struct socket_slot *slot = &sockets->slots[i];
	socklen_t len;
	int fd = open_socket(upstream_addr(sockets->upstreams, upstream));

	if (fd < 0)
		return sockets_limit_met(errno) ? SOCKETS_NONE : SOCKETS_UNREACHABLE;
	if (epoll_ctl(sockets->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
		close(fd);
		return SOCKETS_NONE;
	}
	*slot = (struct socket_slot){
		.fd = fd, .upstream = upstream, .first = SOCKETS_NONE, .opened_ms = now_ms
	};
	/* For the cookie: which of our addresses the upstream sees. */
	len = sizeof(slot->local);
	(void)getsockname(fd, &slot->local.any, &len);
	sockets->opened++;
	return i;
}

void sockets_ended(struct sockets *sockets, uint32_t i, uint16_t id)
{
	struct socket_slot *slot = &sockets->slots[i];

	slot->ended[slot->ended_count++ % SOCKETS_ENDED] = id;
}

bool sockets_knows(const struct socket_slot *slot, const uint8_t *data, size_t len)
{
	unsigned known = slot->ended_count < SOCKETS_ENDED ? slot->ended_count : SOCKETS_ENDED, n;
	struct cursor cursor = cursor_over(data, len);
	uint16_t id = cursor_u16(&cursor);

	for (n = 0; n < known && !cursor.bad; n++) {
		if (slot->ended[n] == id)
			return true;
	}
	return false;
}

void sockets_hold(struct sockets *sockets, uint32_t i)
{
	struct socket_slot *slot = &sockets->slots[i];

	if (slot->waiting++ == 0) {
		sockets->busy++;
		sockets->busy_with[slot->upstream]++;
	}
}

void sockets_release(struct sockets *sockets, uint32_t i)
{
	struct socket_slot *slot = &sockets->slots[i];

	if (--slot->waiting > 0)
		return;
	sockets->busy--;
	sockets->busy_with[slot->upstream]--;
	if (slot->retired)
		close_slot(sockets, slot);
}

static uint32_t use_slot(struct sockets *sockets, uint32_t i)
{
	sockets->slots[i].uses++;
	sockets_hold(sockets, i);
	return i;
}

/* May one more slot have somebody wait for this upstream? */
static bool may_grow(const struct sockets *sockets, uint16_t upstream)
{
	return sockets->busy_with[upstream] < SOCKETS_SHARE * (sockets->max - sockets->busy);
}

/* Closes it where its time or its uses are over and nobody waits. */
static void retire_old(struct sockets *sockets, struct socket_slot *slot, uint64_t now_ms)
{
	if (slot->fd < 0)
		return;
	if (slot->uses >= SOCKETS_USES_MAX || now_ms > slot->opened_ms + SOCKETS_LIFE_MS)
		slot->retired = true;
	if (slot->retired && slot->waiting == 0)
		close_slot(sockets, slot);
}

void sockets_retire(struct sockets *sockets, uint64_t now_ms)
{
	uint32_t i;

	for (i = 0; i < sockets->max && sockets->opened > 0; i++)
		retire_old(sockets, &sockets->slots[i], now_ms);
}

/* Is it open, and will it do for this upstream as it is? */
static bool fits(const struct socket_slot *slot, uint16_t upstream, bool grow)
{
	return slot->fd >= 0 && !slot->retired && slot->upstream == upstream &&
	       (slot->waiting > 0 || grow);
}

/* None can be opened: any that is, of this upstream, and an idle one of another for want of it. */
static uint32_t search(const struct sockets *sockets, uint16_t upstream, bool grow,
		       uint32_t *ret_spare)
{
	uint32_t start = random_below(sockets->max), n;

	for (n = 0; n < sockets->max; n++) {
		uint32_t i = (start + n) % sockets->max;

		if (fits(&sockets->slots[i], upstream, grow))
			return i;
		if (grow && sockets->slots[i].fd >= 0 && sockets->slots[i].waiting == 0)
			*ret_spare = i;
	}
	return SOCKETS_NONE;
}

static uint32_t pick_anew(struct sockets *sockets, uint16_t upstream, uint64_t now_ms)
{
	bool grow = may_grow(sockets, upstream);
	uint32_t spare = SOCKETS_NONE, found = SOCKETS_NONE;
	unsigned draw;

	for (draw = 0; draw < DRAWS_MAX; draw++) {
		uint32_t i = random_below(sockets->max);
		struct socket_slot *slot = &sockets->slots[i];

		retire_old(sockets, slot, now_ms);
		if (fits(slot, upstream, grow))
			return use_slot(sockets, i);
		if (slot->waiting > 0 || !grow)
			continue;
		if (slot->fd >= 0) {
			spare = i;
			continue;
		}
		found = open_slot(sockets, i, upstream, now_ms);
		if (found == SOCKETS_UNREACHABLE)
			return found;
		if (found == SOCKETS_NONE)
			found = search(sockets, upstream, grow, &spare);
		if (found != SOCKETS_NONE)
			return use_slot(sockets, found);
		break;
	}
	if (spare == SOCKETS_NONE)
		return SOCKETS_NONE;
	close_slot(sockets, &sockets->slots[spare]);
	found = open_slot(sockets, spare, upstream, now_ms);
	return found == spare ? use_slot(sockets, spare) : found;
}

uint32_t sockets_pick(struct sockets *sockets, uint16_t upstream, uint64_t now_ms)
{
	struct socket_turn *turn = &sockets->turns[upstream];
	const struct socket_slot *slot = &sockets->slots[turn->slot];
	uint32_t i;

	if (turn->turn == sockets->turn && turn->uses < SOCKETS_TURN_MAX &&
	    slot->uses < SOCKETS_USES_MAX && fits(slot, upstream, may_grow(sockets, upstream))) {
		turn->uses++;
		return use_slot(sockets, turn->slot);
	}
	i = pick_anew(sockets, upstream, now_ms);
	if (i < sockets->max)
		*turn = (struct socket_turn){ .turn = sockets->turn, .slot = i, .uses = 1 };
	return i;
}

void sockets_end_turn(struct sockets *sockets)
{
	sockets->turn++;
}
