/* SPDX-License-Identifier: MIT */
/*
 * Record sets are made against a zone table (which form a name is in, what its zone is) and keep
 * pointing to it, so a table must outlive its sets: those of the sources and those of every view
 * that still lives. Most reloads change no zone; then the old table is used again, and with it
 * every set of a file that has not changed, last good ones included. When zones do change,
 * sources reads everything anew, and the old table waits here until the last view that was
 * built on it is gone. At most two views live and sources uses one table, so three are enough.
 *
 * So zone tables belong to this module and not to the view, whatever struct view says:
 * build_release takes the pointer out before the view is freed.
 *
 * The two halves (build.h) meet in the view alone, which is handed from the one to the other.
 */
#include "admin/build.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "admin/trust.h"
#include "upstream/resolvconf.h"

/* Two views and what sources holds. */
#define TABLES_MAX 3

static const char *const behind_stubs[RESOLVCONF_STUBS] = {
	[RESOLVCONF_RESOLVED] = BUILD_RESOLVED_PATH,
	[RESOLVCONF_NETWORK_MANAGER] = BUILD_NETWORK_MANAGER_PATH,
};

struct build {
	/* Of the records. */
	struct sources *sources;
	struct still *still; /* shared with the watch */
	struct reading *reading;
	struct zones *zones[TABLES_MAX]; /* some NULL */
	struct zones *current;           /* one of them: what sources was loaded with */
	/* Of the upstreams. */
	struct upstreams *upstreams;
	struct trust *trust;
	uint64_t generation;
};

struct build *build_new(void)
{
	struct build *build = calloc(1, sizeof(*build));

	if (!build)
		return NULL;
	build->sources = sources_new();
	build->still = still_new();
	build->reading = reading_new();
	build->upstreams = upstreams_new();
	build->trust = trust_new();
	if (build->sources && build->upstreams && build->still && build->reading && build->trust)
		return build;
	build_free(build);
	return NULL;
}

void build_free(struct build *build)
{
	size_t i;

	if (!build)
		return;
	sources_free(build->sources);
	still_free(build->still);
	reading_free(build->reading);
	upstreams_free(build->upstreams);
	trust_free(build->trust);
	for (i = 0; i < TABLES_MAX; i++)
		zones_free(build->zones[i]);
	free(build);
}

void build_release(void *object)
{
	struct view *view = object;

	if (!view)
		return;
	view->zones = NULL;
	view_free(view);
}

void build_settled(struct build *build, const struct view *newest)
{
	size_t i;

	for (i = 0; i < TABLES_MAX; i++) {
		if (build->zones[i] == build->current ||
		    (newest && build->zones[i] == newest->zones))
			continue;
		zones_free(build->zones[i]);
		build->zones[i] = NULL;
	}
}

static bool same_zones(const struct zones *a, const struct zones *b)
{
	size_t i, j;

	if (zones_count(a) != zones_count(b))
		return false;
	for (i = 0; i < zones_count(a); i++) {
		if (strcmp(zones_private_text(a, i), zones_private_text(b, i)) != 0 ||
		    zones_type(a, i) != zones_type(b, i) ||
		    zones_public_count(a, i) != zones_public_count(b, i))
			return false;
		for (j = 0; j < zones_public_count(a, i); j++) {
			if (strcmp(zones_public_text(a, i, j), zones_public_text(b, i, j)) != 0)
				return false;
		}
	}
	return true;
}

/* The table for this configuration: the one in use if it says the same. */
static struct zones *take_zones(struct build *build, const struct config *config,
				struct complaints *complaints)
{
	struct zones *zones = config_zones(config, complaints);
	size_t i;

	if (!zones)
		return NULL;
	if (build->current && same_zones(zones, build->current)) {
		zones_free(zones);
		return build->current;
	}
	for (i = 0; i < TABLES_MAX; i++) {
		if (!build->zones[i]) {
			build->zones[i] = zones;
			return zones;
		}
	}
	assert(!"more views live than were allowed");
	zones_free(zones);
	return NULL;
}

/*
 * Whether sets of other sources may go from the state folder: not if somebody tries the program by
 * hand with -r, and it is the real server's.
 */
static bool may_forget(const struct config *config)
{
	const struct config_records *records = config->records.at;

	return config_given(config, "server.state") ||
	       (config->path && (!config->records.count || records[0].place.line));
}

static int load_sources(struct build *build, const struct build_input *input, struct zones *zones,
			struct complaints *complaints, struct err *err)
{
	const struct config *config = input->config;
	const struct config_records *records = config->records.at;
	struct source_conf *sources;
	struct load_conf conf = { .count = config->records.count,
				  .still = input->check ? NULL : build->still,
				  .reading = build->reading,
				  .changes_only = input->changes_only,
				  .ttl_min = config->policy.ttl_min_s,
				  .ttl_max = config->policy.ttl_max_s,
				  .max_shrink = config->policy.max_shrink_percent,
				  .state = input->check ? NULL : config->server.state,
				  .state_forget = may_forget(config) };
	size_t i;
	int result;

	sources = calloc(conf.count + 1, sizeof(*sources));
	if (!sources)
		return err_set(err, "out of memory");
	for (i = 0; i < conf.count; i++) {
		sources[i].path = records[i].path;
		sources[i].format = records[i].format;
		sources[i].zone = records[i].zone;
		sources[i].ttl = records[i].ttl_s;
	}
	conf.sources = sources;
	result = sources_load(build->sources, &conf, zones, complaints, err);
	free(sources);
	if (result == 0)
		build->current = zones;
	return result;
}

bool build_uses_system(const struct config *config)
{
	const struct config_forward *forward = config->forward.at;
	size_t i, j;

	for (i = 0; i < config->forward.count; i++) {
		for (j = 0; j < forward[i].to.count; j++) {
			if (forward[i].to.at[j].system)
				return true;
		}
	}
	return false;
}

/*
 * Whom to believe at a TLS upstream. Pins alone say whose key it must be; with a name, or
 * authorities that the operator names, the certificate must be right as well.
 */
static int add_trust(struct build *build, const struct config_forward *forward,
		     struct upstream_conf *upstream, struct err *err)
{
	upstream->tls_pins = forward->tls_pins.at;
	upstream->tls_pins_count = forward->tls_pins.count;
	if (forward->tls_pins.count && !forward->tls_ca && !*upstream->tls_name)
		return 0;
	upstream->tls_ca = forward->tls_ca;
	if (trust_get(build->trust, forward->tls_ca, &upstream->tls_roots, err) < 0)
		return err_prefix(err, "%s", forward->tls_ca ? "tls-ca: " : "");
	return 0;
}

/*
 * All authorities are read before the first upstream is given its own: those that are in force
 * stay so where any cannot be read.
 */
static int read_trust(struct build *build, const struct build_input *input, struct err *err)
{
	const struct config_forward *forward = input->config->forward.at;
	struct upstream_conf upstream;
	int result = 0;
	size_t i, j;

	if (!input->changes_only)
		trust_renew(build->trust);
	for (i = 0; i < input->config->forward.count && result == 0; i++) {
		for (j = 0; j < forward[i].to.count && result == 0; j++) {
			upstream = forward[i].to.at[j].conf;
			if (!forward[i].to.at[j].system && upstream.tls &&
			    add_trust(build, &forward[i], &upstream, err) < 0)
				result = err_prefix(err, "forward: zone %s: ", forward[i].zone);
		}
	}
	trust_settle(build->trust, result == 0);
	return result;
}

/* The probes for loops find this mistake only once it runs. Said once, not at each change. */
static void warn_of_own(const struct build_input *input, const struct config_forward *forward,
			const union addr *server, struct complaints *complaints)
{
	char text[ADDR_TEXT_MAX];

	if (!input->changes_only && resolvconf_is_own(server, input->own, input->own_count))
		complain(complaints, COMPLAINT_WARNING, input->config->path, forward->place.line,
			 forward->place.column,
			 "forward: %s is our own listening address, and questions of zone %s "
			 "would come back; name another server",
			 addr_to_text(server, 0, text), forward->zone);
}

/* The upstreams of an entry, `system` replaced by the servers it stands for. How many, or -1. */
static int expand(struct build *build, const struct build_input *input,
		  const struct config_forward *forward,
		  struct upstream_conf ret[UPSTREAMS_A_GROUP_MAX], struct complaints *complaints,
		  struct err *err)
{
	union addr system[RESOLVCONF_SERVERS_MAX];
	size_t i, j, servers;
	int count = 0;

	for (i = 0; i < forward->to.count; i++) {
		if (!forward->to.at[i].system) {
			if (count == UPSTREAMS_A_GROUP_MAX)
				continue;
			ret[count] = forward->to.at[i].conf;
			warn_of_own(input, forward, &ret[count].addr, complaints);
			if (ret[count].tls && add_trust(build, forward, &ret[count], err) < 0)
				return -1;
			count++;
			continue;
		}
		servers = resolvconf_servers(BUILD_RESOLV_PATH, behind_stubs, input->own,
					     input->own_count, system);
		for (j = 0; j < servers && count < UPSTREAMS_A_GROUP_MAX; j++) {
			ret[count] = (struct upstream_conf){ .tls = false };
			ret[count++].addr = system[j];
		}
	}
	return count;
}

static int add_route(struct build *build, const struct build_input *input,
		     const struct config_forward *forward, struct view *view,
		     struct complaints *complaints, struct err *err)
{
	struct upstream_conf upstreams[UPSTREAMS_A_GROUP_MAX];
	struct upstream_group_conf conf = { .upstreams = upstreams,
					    .policy = forward->policy,
					    .trust_ad = forward->trust_ad,
					    .send_cookie = forward->send_cookie,
					    .use_caps = forward->use_caps };
	struct name zone;
	uint16_t group;
	int count;

	if (name_from_text(&zone, forward->zone, strlen(forward->zone)) < 0)
		return err_set(err, "forward: %s is no domain name", forward->zone);
	conf.zone = &zone;
	count = expand(build, input, forward, upstreams, complaints, err);
	if (count < 0)
		return err_prefix(err, "forward: zone %s: ", forward->zone);
	conf.count = (size_t)count;
	if (!conf.count)
		complain(complaints, input->check ? COMPLAINT_ERROR : COMPLAINT_WARNING,
			 input->config->path, forward->place.line, forward->place.column,
			 "forward: no upstream is left for zone %s: " BUILD_RESOLV_PATH
			 " has none but ourselves; name one under `to`. Only names that are held "
			 "are answered",
			 forward->zone);
	if (upstreams_group(build->upstreams, &conf, &group, err) < 0 ||
	    routes_add(view->routes, &zone, group, err) < 0)
		return err_prefix(err, "forward: zone %s: ", forward->zone);
	if (zone.labels == 0)
		view->private_reverse_upstream =
			upstreams_group_is_private(build->upstreams, group);
	return 0;
}

static int add_routes(struct build *build, const struct build_input *input, struct view *view,
		      struct complaints *complaints, struct err *err)
{
	const struct config_forward *forward = input->config->forward.at;
	size_t i;

	if (read_trust(build, input, err) < 0)
		return -1;
	view->routes = routes_new();
	if (!view->routes)
		return err_set(err, "out of memory");
	for (i = 0; i < input->config->forward.count; i++) {
		if (add_route(build, input, &forward[i], view, complaints, err) < 0)
			return -1;
	}
	return routes_seal(view->routes, err);
}

static int copy_policy(const struct build_input *input, struct view *view,
		       struct complaints *complaints, struct err *err)
{
	const struct config *config = input->config;
	const struct addr_list *allow = &config->server.allow;

	if (config_patterns(config, view->zones, view, complaints) < 0)
		return err_set(err, "record-policy: see above");
	view->allow = *allow;
	view->allow.prefixes = calloc(allow->count + 1, sizeof(*allow->prefixes));
	view->listen = calloc(input->own_count + 1, sizeof(*view->listen));
	if (!view->allow.prefixes || !view->listen)
		return err_set(err, "out of memory");
	if (allow->count)
		memcpy(view->allow.prefixes, allow->prefixes,
		       allow->count * sizeof(*allow->prefixes));
	if (input->own_count)
		memcpy(view->listen, input->own, input->own_count * sizeof(*view->listen));
	view->listen_count = input->own_count;
	/* The configuration's reader has bounded both. */
	strcpy(view->version, config->identity.version);
	strcpy(view->id, config->identity.id);
	view->log_queries = config->log.queries;
	return 0;
}

struct view *build_records(struct build *build, const struct build_input *input,
			   struct complaints *complaints, struct err *err)
{
	struct table_conf conf = { .conflict = input->config->policy.conflict,
				   .ptr = input->config->policy.ptr };
	struct view *view = view_new();

	if (!view) {
		err_set(err, "out of memory");
		return NULL;
	}
	view->zones = take_zones(build, input->config, complaints);
	if (!view->zones) {
		err_set(err, "zones: see above");
		goto fail;
	}
	if (load_sources(build, input, view->zones, complaints, err) < 0)
		goto fail;
	if (!input->config->records.count)
		complain(complaints, COMPLAINT_WARNING, input->config->path, 0, 0,
			 "records: no source is configured; name one, or use -r");
	view->table = sources_table(build->sources, view->zones, &conf, complaints);
	if (view->table)
		return view;
	err_set(err, "out of memory");
fail:
	build_release(view);
	return NULL;
}

int build_complete(struct build *build, const struct build_input *input, struct view *view,
		   struct complaints *complaints, struct err *err)
{
	if (add_routes(build, input, view, complaints, err) < 0 ||
	    copy_policy(input, view, complaints, err) < 0)
		return -1;
	complaints_end(complaints, NULL);
	view->generation = ++build->generation;
	return 0;
}

struct view *build_view(struct build *build, const struct build_input *input,
			struct complaints *complaints, struct err *err)
{
	struct view *view = build_records(build, input, complaints, err);

	if (view && build_complete(build, input, view, complaints, err) < 0) {
		build_release(view);
		return NULL;
	}
	return view;
}

const struct sources *build_sources(const struct build *build)
{
	return build->sources;
}

void build_save(struct build *build, struct complaints *complaints)
{
	const char *trouble, *folder = sources_state(build->sources, &trouble);

	reading_at(build->reading, folder);
	sources_save(build->sources, complaints);
	reading_at(build->reading, NULL);
}

bool build_tend(struct build *build, struct complaints *complaints)
{
	const char *trouble, *folder = sources_state(build->sources, &trouble);
	bool wanted;

	reading_at(build->reading, folder);
	wanted = sources_tend(build->sources, time(NULL), complaints);
	reading_at(build->reading, NULL);
	return wanted;
}

struct reading *build_reading(const struct build *build)
{
	return build->reading;
}

int build_accept(struct build *build, const char *path, struct err *err)
{
	return sources_accept(build->sources, path, err);
}

struct still *build_still(const struct build *build)
{
	return build->still;
}

struct upstreams *build_upstreams(const struct build *build)
{
	return build->upstreams;
}
