/* SPDX-License-Identifier: MIT */
/*
 * Root is needed for two things: ports below 1024 and a socket under /run. Both are opened first,
 * then the user is changed, and everything that reads files or packets comes after. So a mistake
 * in a reader is a mistake of an ordinary user, and a file that only root can read shows at the
 * start and not at the first reload.
 *
 * Somebody who tries the program by hand has no user, no folder and no socket of that name. That
 * is a line in the log each, and the server runs. Once the configuration names one of them,
 * somebody relies on it, and its absence is an error.
 */
#include "admin/start.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/control.h"
#include "admin/privdrop.h"
#include "base/log.h"
#include "source/statedir.h"

/* Ports for questions to upstreams where descriptors are short: fewer can be guessed. */
#define SOCKETS_MIN 64
/*
 * Descriptors of a worker beside its pool, its TCP clients and its connections to upstreams:
 * listeners, event queues; then a probe's, two sockets and a connection. And of the rest.
 */
#define WORKER_FDS 180
#define PROBE_FDS 3
#define OTHER_FDS 64

unsigned start_workers(const struct config *config)
{
	cpu_set_t cpus;
	unsigned count = 1;

	if (config->server.workers)
		return config->server.workers;
	if (sched_getaffinity(0, sizeof(cpus), &cpus) == 0)
		count = (unsigned)CPU_COUNT(&cpus);
	return count > CONFIG_WORKERS_MAX ? CONFIG_WORKERS_MAX : count;
}

/* Raises our limit as far as the system lets us, to what is wanted. Returns what it is. */
static rlim_t raise_descriptors(rlim_t wanted)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 1024;
	if (limit.rlim_cur < wanted) {
		limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
		if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
			getrlimit(RLIMIT_NOFILE, &limit);
	}
	return limit.rlim_cur;
}

struct forward_limits start_limits(const struct config *config)
{
	return (struct forward_limits){ .cache_bytes = config->cache.size,
					.ttl_max_s = config->cache.ttl_max_s,
					.negative_ttl_max_s = config->cache.negative_ttl_max_s,
					.stale_s = config->cache.serve_stale_s,
					.prefetch = config->cache.prefetch };
}

static struct conns_limits start_conns(const struct config *config)
{
	return (struct conns_limits){ .max = config->limits.upstream_connections,
				      .questions_max = config->limits.connection_questions,
				      .idle_ms = config->limits.connection_idle_s * 1000 };
}

struct forward_conf start_forward(const struct config *config, unsigned workers)
{
	struct forward_conf conf = { .limits = start_limits(config),
				     .inflight_max = config->limits.upstream_questions,
				     .waiters_max = config->limits.waiters,
				     .sockets_max = config->limits.upstream_sockets,
				     .conns = start_conns(config),
				     .datagrams_max = config->limits.question_datagrams,
				     .near_misses_max = config->limits.near_misses,
				     .large_max = config->limits.large_replies,
				     .probes_max = config->limits.probes,
				     .loop_probes_max = config->limits.loop_probes,
				     .workers = workers };
	unsigned others = WORKER_FDS + PROBE_FDS * conf.probes_max + config->limits.tcp_clients +
			  conf.conns.max;
	unsigned wanted = conf.sockets_max;
	rlim_t have = raise_descriptors(OTHER_FDS + (rlim_t)workers * (others + wanted));
	rlim_t share = have > OTHER_FDS ? (have - OTHER_FDS) / workers : 0;

	/* TCP gives way to the pool: a client comes back, a guessed port is worse. */
	if (share < others + wanted)
		conf.sockets_max = (unsigned)(share / 2);
	if (conf.sockets_max < SOCKETS_MIN)
		conf.sockets_max = SOCKETS_MIN;
	if (conf.sockets_max < wanted)
		log_write(LOG_LEVEL_WARNING,
			  "only %llu descriptors for %u workers: %u ports for questions to "
			  "upstreams, not %u; raise the limit (ulimit -n, LimitNOFILE=)",
			  (unsigned long long)have, workers, conf.sockets_max, wanted);
	return conf;
}

struct workers_conf start_workers_conf(const struct config *config)
{
	struct workers_conf conf = WORKERS_CONF_DEFAULT;

	conf.queries_max = config->limits.queries;
	conf.tcp.connections_max = config->limits.tcp_clients;
	conf.tcp.per_client_max = config->limits.tcp_clients_per_address;
	conf.tcp.inflight_max = config->limits.tcp_queries;
	conf.tcp.blocks = config->limits.tcp_blocks;
	conf.tcp.idle_ms = config->limits.tcp_idle_s * 1000;
	conf.tcp.handshakes_max = config->limits.tls_handshakes;
	conf.tcp.handshake_ms = config->limits.tls_handshake_s * 1000;
	return conf;
}

/* An error where the configuration names the thing, else a warning. */
static int missing(const struct config *config, const char *key, const struct err *why,
		   const char *then, struct err *err)
{
	if (config_given(config, key))
		return err_set(err, "%s: %s", key, why->text);
	log_write(LOG_LEVEL_WARNING, "%s; %s", why->text, then);
	return 0;
}

int start_check_state(const struct config *config, struct err *err)
{
	struct stat st;
	bool there = stat(config->server.state, &st) == 0;

	/* The one of the built-in defaults is warned of when it is opened. */
	if ((there && S_ISDIR(st.st_mode)) || !config_given(config, "server.state"))
		return 0;
	return err_set(err, "server.state: state folder %s: %s; make it, owned by `user`",
		       config->server.state, there ? "not a folder" : strerror(errno));
}

int start_privileges(const struct config *config, int *ret_control_fd, struct err *err)
{
	struct privdrop drop = { .wanted = false };
	struct err why;
	int fd = -1;

	if (privdrop_find(config->server.user, &drop, &why) < 0 &&
	    missing(config, "server.user", &why, "running on as root", err) < 0)
		return -1;
	if (start_check_state(config, err) < 0)
		return -1;
	if (drop.wanted)
		statedir_give(config->server.state, drop.uid, drop.gid);
	if (control_open(config->control_socket, drop.wanted ? drop.uid : (uid_t)-1, drop.gid, &fd,
			 &why) < 0 &&
	    missing(config, "control.socket", &why, "running without it", err) < 0)
		return -1;
	if (privdrop_apply(&drop, err) < 0) {
		control_close(fd, config->control_socket);
		return -1;
	}
	*ret_control_fd = fd;
	return 0;
}

int start_check_sources(const struct sources *sources, struct err *err)
{
	const struct source_status *source;
	size_t i;

	for (i = 0; i < sources_count(sources); i++) {
		source = sources_status(sources, i);
		if (source->state == SOURCE_FAILED && access(source->path, R_OK) < 0 &&
		    errno == EACCES)
			return err_set(err,
				       "%s: may not be read by the user that this runs as; "
				       "give it the right to",
				       source->path);
	}
	return 0;
}
