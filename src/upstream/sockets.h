/* SPDX-License-Identifier: MIT */
/*
 * The UDP sockets that a worker's questions leave by: many, on random ports, one picked at random
 * for each turn of the event loop and each upstream. How hard they make it to forge a reply: see
 * sockets.c.
 *
 * Preallocated slots; a slot holds a socket that is connected to one upstream. One thread.
 */
#ifndef PRIVLINKD_UPSTREAM_SOCKETS_H
#define PRIVLINKD_UPSTREAM_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>

#include "upstream/upstream.h"

/*
 * A socket asks no more than this many questions, nor longer than this: who finds an open port out
 * (by scanning with spoofed packets, "SAD DNS") has little use for it. A new socket costs 20 us:
 * 0.3 us a question.
 */
#define SOCKETS_USES_MAX 64
#define SOCKETS_LIFE_MS 30000

/*
 * Questions that go to one upstream in one turn of the event loop share a socket, up to so many:
 * one system call sends them, and one or two take the answers. The answers of as many as may wait
 * on a socket, of 1,232 octets each, fit in the room that the kernel gives it (212,992 octets, of
 * which such a datagram takes 2,304).
 */
#define SOCKETS_TURN_MAX 32

/*
 * An upstream gets one more socket as long as those that wait for it are fewer than so many times
 * the ones on which nobody waits. One alone may so take three quarters, two 3/7 each: what goes to
 * a silent upstream, and waits until its deadline, leaves sockets for the others.
 */
#define SOCKETS_SHARE 3

/*
 * Queries of a socket that are remembered when they end: what comes late for these is no guess. All
 * of them, for an upstream that stalled answers them all at once; a forger who guesses such an id
 * has one more try in a thousand.
 */
#define SOCKETS_ENDED SOCKETS_USES_MAX

#define SOCKETS_NONE UINT32_MAX
#define SOCKETS_UNREACHABLE (UINT32_MAX - 1)

struct socket_slot {
	int fd; /* -1: none */
	uint16_t upstream;
	uint16_t uses;
	uint32_t waiting; /* tries that wait on it; it is not closed while there are */
	uint32_t first;   /* of those: the caller's list */
	bool retired;     /* not picked any more; closed when nobody waits */
	/* ids of the last queries that ended: their answers may come late */
	uint8_t ended_count;
	uint16_t ended[SOCKETS_ENDED];
	union addr local; /* where it is bound */
	uint64_t opened_ms;
};

/* The socket of an upstream's questions of one turn. */
struct socket_turn {
	uint64_t turn; /* any other than the present one: none was picked yet */
	uint32_t slot;
	unsigned uses;
};

struct sockets {
	unsigned max;
	int epoll; /* the caller's */
	const struct upstreams *upstreams;
	struct socket_slot *slots;
	unsigned opened;                   /* slots with a socket */
	unsigned busy;                     /* slots on which somebody waits */
	unsigned busy_with[UPSTREAMS_MAX]; /* of these, the upstream's */
	uint64_t turn;                     /* from 1 */
	struct socket_turn turns[UPSTREAMS_MAX];
};

/* Sockets are added to `epoll` with their slot's number as data. -1 without memory. */
int sockets_init(struct sockets *sockets, unsigned max, int epoll,
		 const struct upstreams *upstreams);
void sockets_fini(struct sockets *sockets);

/*
 * A slot that leads to this upstream, with one more use and one more waiting: this turn's, while it
 * has room for one more question, else one picked at random. Or SOCKETS_NONE: none
 * is free for this upstream, or none could be opened for want of something of ours. Or
 * SOCKETS_UNREACHABLE: the kernel knows no way there.
 */
uint32_t sockets_pick(struct sockets *sockets, uint16_t upstream, uint64_t now_ms);

/* What is picked from here on is picked anew. */
void sockets_end_turn(struct sockets *sockets);

/*
 * Closes idle ones whose time is over: a port is not to stay open because nobody draws its slot.
 * To be called now and then while any is open.
 */
void sockets_retire(struct sockets *sockets, uint64_t now_ms);

/* One more waits on an open slot, or one fewer. */
void sockets_hold(struct sockets *sockets, uint32_t slot);
void sockets_release(struct sockets *sockets, uint32_t slot);

/* The query with this id on it is over. */
void sockets_ended(struct sockets *sockets, uint32_t slot, uint16_t id);
/* Is this datagram, by its id, an answer to one of the last queries that ended? */
bool sockets_knows(const struct socket_slot *slot, const uint8_t *data, size_t len);

/* Does this errno tell of a limit of this machine or process, and nothing of the other side? */
bool sockets_limit_met(int error);

#endif
