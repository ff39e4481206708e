/* SPDX-License-Identifier: MIT */
/*
 * resolv.conf is replaced by rename, by editors in place, through links into other folders, and on
 * network events that nobody announces. Three stat(2) calls every few seconds see all of that; a
 * notice of change would have to watch each folder on the way of the links.
 *
 * A change is taken one look later, when the file has been the same twice: whoever writes it may
 * not be through. Main thread.
 */
#include "admin/system.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "admin/build.h"

/* Seconds between two looks; a change of networks takes longer than this to settle anyway. */
#define LOOK_S 3

static const char *const watched[] = {
	BUILD_RESOLV_PATH,
	BUILD_RESOLVED_PATH,
	BUILD_NETWORK_MANAGER_PATH,
};
#define WATCHED (sizeof(watched) / sizeof(watched[0]))

struct stamp {
	struct timespec modified;
	ino_t inode;
	off_t size;
};

struct system_watch {
	struct event *timer;
	system_changed_fn *changed;
	void *arg;
	struct stamp stamp[WATCHED];
	bool pending;
};

static bool look(const char *path, struct stamp *stamp)
{
	struct stamp now;
	struct stat st;
	bool differs;

	memset(&now, 0, sizeof(now));
	if (stat(path, &st) == 0) {
		now.modified = st.st_mtim;
		now.inode = st.st_ino;
		now.size = st.st_size;
	}
	differs = memcmp(&now, stamp, sizeof(now)) != 0;
	*stamp = now;
	return differs;
}

static bool look_at_all(struct system_watch *watch)
{
	bool differs = false;

	for (size_t i = 0; i < WATCHED; i++)
		differs |= look(watched[i], &watch->stamp[i]);
	return differs;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct system_watch *watch = arg;

	(void)fd;
	(void)what;
	if (look_at_all(watch)) {
		watch->pending = true;
	} else if (watch->pending) {
		watch->pending = false;
		watch->changed(watch->arg);
	}
}

struct system_watch *system_watch_new(struct event_base *base, system_changed_fn *changed,
				      void *arg)
{
	struct timeval wait = { .tv_sec = LOOK_S };
	struct system_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	watch->changed = changed;
	watch->arg = arg;
	look_at_all(watch);
	watch->timer = event_new(base, -1, EV_PERSIST, on_timer, watch);
	if (!watch->timer || event_add(watch->timer, &wait) < 0) {
		system_watch_free(watch);
		return NULL;
	}
	return watch;
}

void system_watch_free(struct system_watch *watch)
{
	if (!watch)
		return;
	if (watch->timer)
		event_free(watch->timer);
	free(watch);
}
