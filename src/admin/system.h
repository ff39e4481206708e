/* SPDX-License-Identifier: MIT */
/*
 * Looks whether the servers of resolv.conf(5) have changed, for the upstream `system`. Main thread.
 */
#ifndef PRIVLINKD_ADMIN_SYSTEM_H
#define PRIVLINKD_ADMIN_SYSTEM_H

#include <event2/event.h>

struct system_watch;

typedef void system_changed_fn(void *arg);

/* NULL when there is no memory. */
struct system_watch *system_watch_new(struct event_base *base, system_changed_fn *changed,
				      void *arg);
void system_watch_free(struct system_watch *watch);

#endif
