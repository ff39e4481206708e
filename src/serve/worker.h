/* SPDX-License-Identifier: MIT */
/*
 * The threads that answer: each has its event base, sockets, resolver, forwarder and counters.
 *
 * Workers share nothing with one another but what forward shares. The main thread talks to them by
 * mailbox: a new view, explain, ping, stop. What they have to say to it waits behind workers_fd.
 * All functions here are for the main thread.
 */
#ifndef PRIVLINKD_SERVE_WORKER_H
#define PRIVLINKD_SERVE_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/counter.h"
#include "base/err.h"
#include "base/publish.h"
#include "forward/forward.h"
#include "net/tls.h"
#include "resolve/query.h"
#include "serve/listen.h"
#include "serve/tcp.h"
#include "serve/udp.h"

/* Explanations under way at once: an operator's tool. */
#define WORKERS_EXPLAINS_MAX 16

struct workers_conf {
	unsigned queries_max; /* questions that wait for an upstream, a worker */
	struct tcp_conf tcp;
};

/* 4,096: a dead upstream holds each for 4 s, so this is 1,000 new ones a second. */
#define WORKERS_CONF_DEFAULT                                 \
	{                                                    \
		.queries_max = 4096, .tcp = TCP_CONF_DEFAULT \
	}

/* A worker's own. Counters alone: may be walked as an array. */
struct serve_counters {
	struct udp_counters udp;
	struct tcp_counters tcp;
	struct counter turns;             /* of the loop */
	struct counter views;             /* taken */
	struct counter waiting;           /* queries that wait now; goes down too */
	struct counter events_suppressed; /* lines that were not logged */
};

struct workers;

/*
 * One for each of listeners_workers(). `publish` has as many readers and hands out struct view;
 * it, the listeners, `forward` and `tls` (NULL: no address is for TLS) must outlive the workers.
 * NULL and err on failure.
 */
struct workers *workers_new(const struct workers_conf *conf, const struct listeners *listeners,
			    struct publish *publish, struct forward_shared *forward,
			    struct tls_server *tls, struct err *err);

/* Starts the threads, with all signals blocked. A view must have been offered. */
int workers_start(struct workers *workers, struct err *err);

/* Stops and joins them; explanations under way end without a trace (see below). Twice is fine. */
void workers_stop(struct workers *workers);

/* Stops too. */
void workers_free(struct workers *workers);

unsigned workers_count(const struct workers *workers);

/* After publish_offer: workers that sleep take the new view now. */
void workers_wake(struct workers *workers);

/* Becomes readable when workers_dispatch has something to do: call it then. */
int workers_fd(const struct workers *workers);
void workers_dispatch(struct workers *workers);

/*
 * How a query is decided (see resolver_explain), by a worker. `done` is called once, from
 * workers_dispatch; with trace NULL from workers_stop. -1 if WORKERS_EXPLAINS_MAX are under way.
 */
typedef void workers_explained_fn(void *arg, const char *trace, const uint8_t *answer, size_t len);
int workers_explain(struct workers *workers, const struct name *name, uint16_t type,
		    workers_explained_fn *done, void *arg, struct err *err);

/* For the watchdog: have all answered the last ping? True before the first. Then ping again. */
bool workers_alive(const struct workers *workers);
void workers_ping(struct workers *workers);

/* Good as long as the workers; read with counter_get. */
struct worker_counters {
	const struct serve_counters *serve;
	const struct resolver_counters *resolver;
	const struct forward_counters *forward;
};
struct worker_counters workers_counters(const struct workers *workers, unsigned n);

#endif
