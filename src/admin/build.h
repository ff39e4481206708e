/* SPDX-License-Identifier: MIT */
/*
 * From a configuration to a view: zones, sources, table, routes, policy.
 *
 * Knows nothing of threads or events, so that `privlinkd -t` does just what a start does, and a
 * loading thread could. What is kept from one view to the next is here: record sets (last good
 * ones too), the upstream registry, and the zone tables that sets refer to. One thread.
 */
#ifndef PRIVLINKD_ADMIN_BUILD_H
#define PRIVLINKD_ADMIN_BUILD_H

#include <stdbool.h>
#include <stddef.h>

#include "admin/config.h"
#include "base/complaint.h"
#include "base/err.h"
#include "upstream/upstream.h"
#include "net/addr.h"
#include "resolve/view.h"
#include "source/load.h"

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

/* Frees a view that build_view gave: the `release` of publish_new. */
void build_release(void *view);

/* Only `newest` is left (or nothing, NULL): what older views needed is given back. */
void build_settled(struct build *build, const struct view *newest);

const struct sources *build_sources(const struct build *build);

/* sources_save, sources_tend (now) and sources_accept of them. */
bool build_tend(struct build *build, struct complaints *complaints);
void build_save(struct build *build, struct complaints *complaints);
int build_accept(struct build *build, const char *path, struct err *err);
/* Account of how files look, for the watch. */
struct still *build_still(const struct build *build);
struct upstreams *build_upstreams(const struct build *build);

/* Does any entry of `forward` ask the servers of resolv.conf? */
bool build_uses_system(const struct config *config);

#endif
