/* SPDX-License-Identifier: MIT */
/*
 * From a configuration to a view: zones, sources, table, routes, policy.
 *
 * Knows nothing of events, so that `privlinkd -t` does just what a start does. What is kept from
 * one view to the next is here, in two halves that have nothing in common, so that each may be
 * another thread's: the records' (sets, last good ones too, the zone tables that sets refer to, the
 * account of how files look), which waits for files, and the upstreams'. Functions say whose they
 * are; what says nothing may be called while one thread has both.
 */
#ifndef PRIVLINKD_ADMIN_BUILD_H
#define PRIVLINKD_ADMIN_BUILD_H

#include <stdbool.h>
#include <stddef.h>

#include "admin/config.h"
#include "base/complaint.h"
#include "base/err.h"
#include "net/addr.h"
#include "resolve/view.h"
#include "source/load.h"
#include "upstream/upstream.h"

/* Where resolv.conf(5) is, and the servers behind the stubs of enum resolvconf_stub. */
#define BUILD_RESOLV_PATH "/etc/resolv.conf"
#define BUILD_RESOLVED_PATH "/run/systemd/resolve/resolv.conf"
#define BUILD_NETWORK_MANAGER_PATH "/run/NetworkManager/no-stub-resolv.conf"

struct build;

struct build_input {
	const struct config *config;
	const union addr *own; /* addresses that we listen on, with their real ports */
	size_t own_count;
	bool changes_only; /* of records: see load_conf */
	bool check;        /* -t: a `system` without servers is an error, not a warning */
};

struct build *build_new(void);
/* Every view must have been released. */
void build_free(struct build *build);

/*
 * The next view. NULL with *err if there can be none; complaints about records alone never prevent
 * it. Views that were given before stay good.
 */
struct view *build_view(struct build *build, const struct build_input *input,
			struct complaints *complaints, struct err *err);

/*
 * The same in two steps. The records' half: zones and table. Then the upstreams': the rest; the
 * view may be used if that gives 0, and is the caller's to release in any case.
 */
struct view *build_records(struct build *build, const struct build_input *input,
			   struct complaints *complaints, struct err *err);
int build_complete(struct build *build, const struct build_input *input, struct view *view,
		   struct complaints *complaints, struct err *err);

/* Frees a view that build_view or build_records gave: the `release` of publish_new. Any thread. */
void build_release(void *view);

/* Records: only `newest` is left (or nothing, NULL): what older views needed is given back. */
void build_settled(struct build *build, const struct view *newest);

/* Records. What the thread that loads them is at may be asked by any. */
const struct sources *build_sources(const struct build *build);
struct reading *build_reading(const struct build *build);

/* Records: sources_save, sources_tend (now) and sources_accept of them. */
bool build_tend(struct build *build, struct complaints *complaints);
void build_save(struct build *build, struct complaints *complaints);
int build_accept(struct build *build, const char *path, struct err *err);
/* Records: account of how files look, for the watch. */
struct still *build_still(const struct build *build);

/* Upstreams. */
struct upstreams *build_upstreams(const struct build *build);

/* Does any entry of `forward` ask the servers of resolv.conf? */
bool build_uses_system(const struct config *config);

#endif
