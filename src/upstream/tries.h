/* SPDX-License-Identifier: MIT */
/*
 * Tries: one query to one upstream each, over UDP, TCP or TLS, and what comes back.
 *
 * A fixed number of tries, each known by its number, which the caller deals out. Sockets and
 * connections are on the worker's event base. One thread.
 */
#ifndef PRIVLINKD_UPSTREAM_TRIES_H
#define PRIVLINKD_UPSTREAM_TRIES_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "upstream/ask.h"
#include "upstream/conns.h"
#include "upstream/counters.h"
#include "upstream/upstream.h"

#define TRY_NONE UINT32_MAX

enum try_kind {
	TRY_UNUSED,
	TRY_UDP,
	TRY_TCP,
	TRY_UNSENT, /* over UDP: it could not be sent, and is about to be told of */
};

enum try_verdict {
	TRY_SENT,
	TRY_UNREACHABLE, /* the kernel knows no way there, or what ICMP said to an earlier one */
	/* a limit of ours (sockets, connections, descriptors, memory): says nothing of upstream */
	TRY_NO_ROOM,
};

struct
try {
	enum try_kind kind;
	struct ask ask; /* its key: the caller's, good while it is in use */
	uint32_t slot;  /* of the socket pool, or the connection's number */
	/* Others on the same socket or connection. After the last none, before the first it. */
	uint32_t next, prev;
	uint64_t sent_us;
	uint16_t upstream;
	uint16_t queued; /* its place among those that leave with this turn, or TRY_LEFT */
	uint8_t near_misses;
	bool again; /* as in struct try_ask */
	bool warm;  /* it waited for no connection, so the time of its answer is a round trip */
	enum try_verdict why; /* TRY_UNSENT */
};

#define TRY_LEFT UINT16_MAX

/* What there is to be told of a try. Only TRY_ANSWER is an answer. */
enum try_news {
	TRY_ANSWER,       /* fits in address, port, id, question, and in case and cookie if asked */
	TRY_CUT,          /* TC is set, or it is longer than we take over UDP */
	TRY_HEADER_ALONE, /* ask.h; at most a reason to ask again without EDNS */
	/*
	 * Over UDP: not to be believed, and the question is better asked over TCP. The case is not
	 * ours; the upstream shows cookies but this has none; too many near misses.
	 */
	TRY_WRONG_CASE,
	TRY_NO_COOKIE,
	TRY_SUSPECT,
	/* The upstream wants a cookie of its own, and has given us one now (RFC 7873 5.3). */
	TRY_BAD_COOKIE,
	/* Id and question fit, the rest cannot be read. Over UDP the right one may still come. */
	TRY_MALFORMED,
};

struct try_reply {
	enum try_news news;
	const uint8_t *data; /* good until the call returns, or the try is ended */
	size_t len;
	uint16_t flags;  /* of its header */
	uint16_t rcode;  /* with the upper bits of an OPT */
	bool wrong_case; /* of an answer over TCP: the upstream does not keep the case */
	/* What an answer holds that is a plain one (plain.h), as good as data; else NULL. */
	const struct plain *plain;
};

/* Both may end this try and others, and begin new ones. */
typedef void try_reply_fn(void *arg, uint32_t number, const struct try_reply *reply,
			  uint64_t now_ms);
/*
 * TRY_UNREACHABLE: ICMP, or the connection broke. TRY_NO_ROOM: in the end it could not be sent, for
 * want of something of ours.
 */
typedef void try_failed_fn(void *arg, uint32_t number, enum try_verdict why, uint64_t now_ms);

struct tries_conf {
	uint32_t max;
	unsigned sockets_max;
	/*
	 * Replies that come to a query's own socket from its upstream's address, and that nothing
	 * of ours explains (a late answer to an earlier query does), before it, and all that wait
	 * on that socket, are asked over TCP: somebody is guessing, and shall not have many of the
	 * 2^32. Broken servers send a few such, too. Below 255.
	 */
	unsigned near_misses_max;
	/* Each query leaves by itself, before the call that asks returns: for who asks seldom. */
	bool at_once;
	struct conns_limits conns;
	struct upstreams *upstreams;
	struct event_base *base;
	struct upstream_counters *counters;
	try_reply_fn *reply;
	try_failed_fn *failed;
	void *arg;
};

struct tries;

struct tries *tries_new(const struct tries_conf *conf, struct err *err);
/* Tries in use end without a word. */
void tries_free(struct tries *tries);

const struct try *tries_at(const struct tries *tries, uint32_t number);

/* How to ask. */
struct try_ask {
	const struct question_key *key;
	uint16_t upstream;
	bool edns, cookie, ad, caps; /* as in struct ask */
	bool again;                  /* something led nowhere before: in no bundle (tries_out.c) */
};

/*
 * Sends a query as try `number`, which is not in use. It is in use after TRY_SENT alone. No
 * callback comes from here. tries_ask: over TLS where upstream_is_tls, else over UDP. tries_tcp:
 * over TLS or TCP. Who is to be asked over TLS is asked in no other way. A connection that was of
 * use and breaks is no failure: its queries go out again on another, without a word.
 *
 * Over UDP TRY_SENT is a promise (but with at_once, where it is a fact): queries of one turn of the
 * event loop leave together when all its other events were served, those for one upstream in one
 * call. One that is ended before that does not leave; one that cannot leave is told of as failed,
 * in the same turn. What is asked outside the loop leaves when the loop is entered next, which does
 * not wait then.
 */
enum try_verdict tries_ask(struct tries *tries, uint32_t number, const struct try_ask *ask,
			   uint64_t now_ms);
enum try_verdict tries_tcp(struct tries *tries, uint32_t number, const struct try_ask *ask,
			   uint64_t now_ms);

/* Nothing that comes for it is taken any more. Fine for one that is not in use. */
void tries_end(struct tries *tries, uint32_t number);

#endif
