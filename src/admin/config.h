/* SPDX-License-Identifier: MIT */
/*
 * privlinkd.yaml, read and checked in full, and the options that take the place of parts of it.
 *
 * A configuration is made once, then only read; a reload makes another. Everything in it lives in
 * its arena. Nothing below admin sees it: admin/reload hands each module what it needs. One thread.
 */
#ifndef PRIVLINKD_ADMIN_CONFIG_H
#define PRIVLINKD_ADMIN_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/complaint.h"
#include "base/log.h"
#include "upstream/upstream.h"
#include "net/addr.h"
#include "resolve/view.h"
#include "source/detect.h"
#include "zone/names.h"
#include "zone/table.h"

/* Worker threads that can be asked for: over any machine's CPUs that this would run on. */
#define CONFIG_WORKERS_MAX 256
/* Entries of `zones`, `records` and `forward`, each. */
#define CONFIG_ENTRIES_MAX 1000
/* Room for keys in `given`. */
#define CONFIG_KEYS_MAX 128

/* Where something stands, for complaints; line 0: nowhere (a default, an option). */
struct config_place {
	unsigned line, column;
};

struct config_addrs {
	union addr *at;
	size_t count;
	struct config_place place;
};

struct config_text {
	const char *text;
	struct config_place place;
};

struct config_texts {
	struct config_text *at;
	size_t count;
};

/* An entry of `zones`: a preset or a zone. */
struct config_zone {
	struct config_place place;
	const char *preset; /* or NULL, then: */
	const char *name;
	struct config_texts public;
	enum zone_type type;
};

struct config_records {
	struct config_place place;
	const char *path;
	enum source_format format;
	const char *zone; /* origin; or NULL */
	uint32_t ttl_s;
	uint32_t poll_s;
};

struct config_upstream {
	bool system; /* the servers of resolv.conf; else: */
	struct upstream_conf conf;
};

struct config_upstreams {
	struct config_upstream *at;
	size_t count;
};

struct config_pins {
	struct tls_pin *at;
	size_t count;
};

struct config_forward {
	struct config_place place;
	const char *zone;
	struct config_upstreams to;
	enum upstream_policy policy;
	bool trust_ad, send_cookie, use_caps;
	const char *tls_ca; /* or NULL: the system's */
	struct config_pins tls_pins;
};

struct config_aliases {
	enum view_aliases whose;
	struct config_texts suffixes; /* of VIEW_ALIASES_LIST */
};

/* A list of entries, its elements as the key table says. */
struct config_list {
	void *at;
	size_t count;
};

struct config {
	struct arena *arena;
	const char *path; /* of the file; NULL: built-in defaults */
	/* keys that the file has, by their number in the table */
	uint64_t given[CONFIG_KEYS_MAX / 64];
	struct {
		struct config_addrs listen, listen_tls;
		const char *tls_certificate, *tls_key;
		uint32_t workers; /* 0: one a CPU */
		struct addr_list allow;
		const char *user, *state;
	} server;
	struct config_list zones;   /* struct config_zone */
	struct config_list records; /* struct config_records */
	struct {
		enum table_conflict conflict;
		uint32_t ttl_min_s, ttl_max_s;
		uint32_t max_shrink_percent;
		bool ptr;
		struct config_aliases aliases;
		struct config_texts must_be_private;
	} policy;
	struct config_list forward; /* struct config_forward; one for `.` is among them */
	struct {
		const char *version, *id; /* "": hide */
	} identity;
	struct {
		size_t size;
		uint32_t ttl_max_s, negative_ttl_max_s;
		uint32_t serve_stale_s;
		bool prefetch;
	} cache;
	struct {
		uint32_t queries;              /* that wait for an upstream, a worker */
		uint32_t upstream_questions;   /* in flight, a worker */
		uint32_t waiters;              /* on one question in flight */
		uint32_t upstream_sockets;     /* ports that questions leave by, a worker */
		uint32_t upstream_connections; /* over TCP and TLS, a worker */
		uint32_t connection_questions, connection_idle_s; /* of one of these */
		uint32_t question_datagrams;                      /* to upstreams, at most */
		uint32_t near_misses;   /* wrong ids before a question is asked over TCP */
		uint32_t large_replies; /* in hand, over 2 KB; the whole process */
		uint32_t probes;        /* under way, a worker */
		uint32_t loop_probes;   /* of these, for loops; one worker's */
		uint32_t tcp_clients, tcp_clients_per_address; /* connections, a worker */
		uint32_t tcp_queries;                          /* in flight, a connection */
		uint32_t tcp_blocks; /* of answers that clients have not taken, a worker */
		uint32_t tcp_idle_s;
		uint32_t tls_handshakes; /* under way, a worker */
		uint32_t tls_handshake_s;
	} limits;
	const char *control_socket;
	struct config_addrs http_listen; /* later */
	struct {
		enum log_level level;
		enum log_format format;
		bool queries;
	} log;
};

/* What the command line puts in the place of the file's. */
struct config_options {
	const char **records, **listen, **upstreams;
	size_t records_count, listen_count, upstreams_count;
};

/* Are these options well formed? For the exit code of bad usage. */
int config_check_options(const struct config_options *options, struct err *err);

/*
 * Reads `len` octets of YAML; `path` is for complaints. NULL if there was any error: all of them
 * were complained of. `text` NULL: the built-in defaults, path ignored.
 */
struct config *config_parse(const char *path, const char *text, size_t len,
			    const struct config_options *options, struct complaints *to);

/*
 * Reads a file. *ret_missing, where not NULL, says whether it failed since there is none, and then
 * nothing was complained of.
 */
struct config *config_read(const char *path, const struct config_options *options,
			   struct complaints *to, bool *ret_missing);

void config_free(struct config *config);

/* Does the file hold this key (`server.user`)? */
bool config_given(const struct config *config, const char *key);

/* The zone table that it asks for, sealed. NULL with complaints. */
struct zones *config_zones(const struct config *config, struct complaints *to);

/* The names of must-be-private, and the suffixes of aliases, for a view. -1 with complaints. */
int config_patterns(const struct config *config, const struct zones *zones, struct view *view,
		    struct complaints *to);

/*
 * Keys that are set to other than their default and do nothing in this version, separated by
 * commas, in `text`; how many.
 */
size_t config_inactive(const struct config *config, char *text, size_t cap);

/* Keys of which `next` differs from `now` and that need a restart, in the same way. */
size_t config_restart(const struct config *now, const struct config *next, char *text, size_t cap);

#endif
