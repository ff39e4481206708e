/* SPDX-License-Identifier: MIT */
/*
 * Says when sources are to be loaded again: on notices of change, on polling, and when a file that
 * was left for later has stood still. Decides by stat(2) alone; reads no file.
 *
 * It asks, the owner loads (with the same struct still, see load.h) and calls watch_follow, then it
 * may ask again. A change is asked for after 200 ms of quiet (STILL_QUIET_MS), at the latest after
 * WATCH_LATEST_MS; what has no quiet by then is left out by the load until it has. On the thread
 * that loads, since its looks wait for shares too.
 */
#ifndef PRIVLINKD_SOURCE_WATCH_H
#define PRIVLINKD_SOURCE_WATCH_H

#include <event2/event.h>
#include <stddef.h>

#include "base/err.h"
#include "source/reading.h"
#include "source/still.h"

/* The contract's 2 s, less the quiet that a file needs which changed just before. */
#define WATCH_LATEST_MS (2000 - STILL_QUIET_MS)
/* A load each so often at the most, on average: what files that change all the time can cause. */
#define WATCH_PACE_MS 2000
/* Loads that may follow each other faster than that pace: somebody who tries things out. */
#define WATCH_BURST 4

struct watch;

/* Sources have changed: load them, soon; then call watch_follow. */
typedef void watch_changed_fn(void *arg);
/* Something the operator should know, as a warning. */
typedef void watch_warn_fn(void *arg, const char *text);

struct watch_conf {
	struct event_base *base;
	struct still *still;     /* shared with the loads; outlives the watch */
	struct reading *reading; /* is told what it looks at; or NULL */
	unsigned folders_max;    /* FOLDERS_MAX; 0: no notices, polling alone */
	watch_changed_fn *changed;
	watch_warn_fn *warn;
	void *arg;
};

struct watch_entry {
	const char *path; /* as of the load; file, folder or glob */
	unsigned poll_s;  /* at least 1 */
};

/*
 * Where the kernel gives no notices that is one warning, and polling serves. NULL: no memory.
 * Nothing is watched until watch_follow.
 */
struct watch *watch_new(const struct watch_conf *conf, struct err *err);
void watch_free(struct watch *watch);

/* A load is over, taken or not: these are its entries, in order. -1 without memory. */
int watch_follow(struct watch *watch, const struct watch_entry *entries, size_t count);

#endif
