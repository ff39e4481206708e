/* SPDX-License-Identifier: MIT */
/*
 * The thread that reads sources: whatever may wait for a disk or a share is done there, and the
 * main thread stays free for signals, the control socket and the watchdog.
 *
 * From loader_new to loader_stop the records' half of `build` (build.h) and the watch are the
 * loader's. Main hands it a job, which is the loader's until it comes back through the callback:
 * first to load, then, once the view is served or given up, to settle. One job at a time. All calls
 * and all callbacks on the main thread.
 */
#ifndef PRIVLINKD_ADMIN_LOADER_H
#define PRIVLINKD_ADMIN_LOADER_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "admin/build.h"
#include "base/complaint.h"
#include "base/err.h"
#include "source/account.h"
#include "source/reading.h"
#include "source/watch.h"

/* Operators' `accept`s that wait at once: more than there are clients of the control socket. */
#define LOADER_ACCEPTS_MAX 32

struct loader;

struct loader_job {
	/* To load. What it points to stays as it is until the job is back. */
	struct build_input input;
	struct complaints *complaints; /* told on the loader's thread */
	/* To settle. */
	const struct view *newest;   /* that is served, all workers on it */
	bool save;                   /* to the state folder: a view of this job's is served */
	struct watch_entry *watched; /* from malloc, with their paths; the loader's */
	size_t watched_count;
	/* Back from both: how sources stand, the caller's from then on; NULL: no memory. */
	struct account *account;
	/* Back from loading: the caller's; NULL with the text. */
	struct view *view;
	struct err err;
};

/* `err` NULL: accepted. */
typedef void loader_accepted_fn(void *arg, const struct err *err);

struct loader_calls {
	void (*loaded)(void *arg);  /* the job is back, also when `view` is NULL */
	void (*settled)(void *arg); /* the job is back */
	/* Files have changed, or the state folder is there at last: a load of changes is wanted. */
	void (*wanted)(void *arg);
	/* Sources stand so now, without a load; the callee's. */
	void (*stands)(void *arg, struct account *account);
	void *arg;
};

/* Starts the thread; callbacks come on `base`. NULL with *err. */
struct loader *loader_new(struct build *build, struct event_base *base,
			  const struct loader_calls *calls, struct err *err);

/*
 * Ends the thread, if it can: what it is saving is waited for, a load is not. No callback any more.
 * False: it is inside a call that does not return. Then `build`, the job and what it points to are
 * its own for ever, and the process can only leave (_exit).
 */
bool loader_stop(struct loader *loader);

/* After loader_stop gave true. NULL: nothing. */
void loader_free(struct loader *loader);

void loader_load(struct loader *loader, struct loader_job *job);
void loader_settle(struct loader *loader, struct loader_job *job);

/* Of an entry that is held back: see sources_accept. -1: too many wait. */
int loader_accept(struct loader *loader, const char *path, loader_accepted_fn *accepted, void *arg);

/* What it is at; see reading_what. */
bool loader_reading(const struct loader *loader, char ret_path[READING_PATH_MAX], uint64_t *ret_ms);

#endif
