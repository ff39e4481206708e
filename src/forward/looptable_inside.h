/* SPDX-License-Identifier: MIT */
/*
 * How the table of loops is laid out: for looptable.c and looptable_tell.c alone.
 */
#ifndef PRIVLINKD_FORWARD_LOOPTABLE_INSIDE_H
#define PRIVLINKD_FORWARD_LOOPTABLE_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "forward/loopnames.h"
#include "forward/looppairs.h"
#include "forward/looptable.h"
#include "net/hostfilter.h"

struct looptable {
	pthread_mutex_t lock;
	const struct upstreams *upstreams;
	int fd;
	struct pairs pairs, next; /* next: the main thread's, between begin and commit */
	struct loopnames names;
	uint64_t ids;
	unsigned suspects, underway, underway_max;
	bool full;    /* a probe was held back since one ended */
	bool changed; /* there may be something to tell */
	uint64_t quiet_until_ms, suspect_next_ms;
	_Atomic unsigned marked;
	struct hostfilter peers;   /* upstreams, and where probes came back from */
	struct loop_counts counts; /* under the lock */
};

#endif
