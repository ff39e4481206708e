/* SPDX-License-Identifier: MIT */
/*
 * What is counted of the queries to upstreams. One writer each: the worker. Any thread reads.
 */
#ifndef PRIVLINKD_UPSTREAM_COUNTERS_H
#define PRIVLINKD_UPSTREAM_COUNTERS_H

#include "base/counter.h"

struct upstream_counters {
	struct counter tcp; /* asked over TCP or TLS */
	/* connections opened; of these with TLS: that stood, were resumed, failed before */
	struct counter connections, tls_sessions, tls_resumed, tls_failed;
	struct counter asked_again; /* on another connection, since one that was of use broke */
	struct counter mismatched;  /* replies that fit no question, not even one that is over */
	struct counter late;        /* replies to a query that is over */
	/* what was not believed over UDP and asked for over TCP: see enum try_news */
	struct counter wrong_case, no_cookie, suspected;
	struct counter probes, refused_probes;
	struct counter malformed;
	struct counter no_room; /* a query could not be sent for want of sockets or memory */
	struct counter refused_connections; /* of these: of TCP and TLS, a limit was met */
};

#endif
