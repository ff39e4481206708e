/* SPDX-License-Identifier: MIT */
/*
 * One row a key. Reading, checking, defaults, "did you mean", the notice of what is not active yet
 * and the report of what needs a restart all walk this table, so that a new key is one row here,
 * one field in struct config and one item in the manual page.
 *
 * A default is YAML text and goes through the same reader as the file's own value: there is one way
 * to write a value and one place where it is said.
 *
 * "Near" is the Damerau-Levenshtein distance (one swap of neighbours counts one): at most two for
 * words of five letters and more, one below. Hyphens or underscores, and the case, do not count.
 */
#include "admin/keys.h"

#include <ctype.h>
#include <string.h>

#include "admin/config.h"

#ifndef LOCALSTATEDIR
#define LOCALSTATEDIR "/var"
#endif
#ifndef RUNSTATEDIR
#define RUNSTATEDIR "/run"
#endif
#ifndef SYSCONFDIR
#define SYSCONFDIR "/etc"
#endif

#define AT(field) offsetof(struct config, field)
#define ZONE(field) offsetof(struct config_zone, field)
#define SOURCE(field) offsetof(struct config_records, field)
#define ROUTE(field) offsetof(struct config_forward, field)

static const char *const zone_types[] = { "transparent", "static", "refuse", NULL };
static const char *const conflicts[] = { "first", "merge", "error", NULL };
static const char *const policies[] = { "ordered", "fastest", "spread", NULL };
static const char *const levels[] = { "error", "warning", "notice", "info", "debug", NULL };
static const char *const log_formats[] = { "text", "json", NULL };

/* A TTL's (RFC 2181 8). */
#define TTL_MAX INT32_MAX
#define DAY 86400

/* What follows the place is any of: RANGE, a default, words, a state. */
#define KEY(name, what, where, ...)                                      \
	{                                                                \
		.path = name, .kind = what, .offset = where, __VA_ARGS__ \
	}
#define RANGE(low, high) .min = low, .max = high
#define DEFAULT(yaml) .fallback = yaml
#define LATER .state = KEY_LATER

const struct key keys[] = {
	KEY("server", KEY_SECTION, 0),
	KEY("server.listen", KEY_ADDRS, AT(server.listen), RANGE(53, 64), .restart = true,
	    DEFAULT("[127.0.0.1@53, '::1@53']")),
	KEY("server.listen-tls", KEY_ADDRS, AT(server.listen_tls), RANGE(853, 64), .restart = true),
	KEY("server.tls-certificate", KEY_PATH, AT(server.tls_certificate),
	    DEFAULT(SYSCONFDIR "/privlinkd/tls/cert.pem")),
	KEY("server.tls-key", KEY_PATH, AT(server.tls_key),
	    DEFAULT(SYSCONFDIR "/privlinkd/tls/key.pem")),
	KEY("server.workers", KEY_WORKERS, AT(server.workers), RANGE(1, CONFIG_WORKERS_MAX),
	    .restart = true),
	KEY("server.allow", KEY_ALLOW, AT(server.allow), RANGE(0, 10000),
	    DEFAULT("[loopback, private]")),
	/* 32: what useradd(8) allows. */
	KEY("server.user", KEY_TEXT, AT(server.user), RANGE(1, 32), DEFAULT("privlinkd"),
	    .restart = true),
	KEY("server.state", KEY_PATH, AT(server.state), DEFAULT(LOCALSTATEDIR "/lib/privlinkd")),

	KEY("zones", KEY_ENTRIES, AT(zones), DEFAULT("[{preset: azure-migrate}]"),
	    .size = sizeof(struct config_zone)),
	KEY("zones[].preset", KEY_PRESET, ZONE(preset)),
	KEY("zones[].name", KEY_NAME, ZONE(name)),
	KEY("zones[].public", KEY_TEXTS, ZONE(public), RANGE(0, 64)),
	KEY("zones[].type", KEY_WORD, ZONE(type), .words = zone_types),

	KEY("records", KEY_ENTRIES, AT(records), .size = sizeof(struct config_records)),
	KEY("records[].path", KEY_PATH, SOURCE(path)),
	KEY("records[].format", KEY_FORMAT, SOURCE(format), DEFAULT("auto")),
	KEY("records[].zone", KEY_NAME, SOURCE(zone)),
	KEY("records[].ttl", KEY_TTL, SOURCE(ttl_s), RANGE(0, TTL_MAX), DEFAULT("10")),
	KEY("records[].poll", KEY_DURATION, SOURCE(poll_s), RANGE(1, DAY), DEFAULT("30s")),

	KEY("record-policy", KEY_SECTION, 0),
	KEY("record-policy.conflict", KEY_WORD, AT(policy.conflict), .words = conflicts),
	KEY("record-policy.ttl-min", KEY_DURATION, AT(policy.ttl_min_s), RANGE(0, TTL_MAX),
	    DEFAULT("0s")),
	KEY("record-policy.ttl-max", KEY_DURATION, AT(policy.ttl_max_s), RANGE(0, TTL_MAX),
	    DEFAULT("1d")),
	KEY("record-policy.max-shrink", KEY_PERCENT, AT(policy.max_shrink_percent), RANGE(0, 100),
	    DEFAULT("50%")),
	KEY("record-policy.ptr", KEY_BOOL, AT(policy.ptr), DEFAULT("true")),
	KEY("record-policy.aliases", KEY_ALIASES, AT(policy.aliases), RANGE(0, VIEW_PATTERNS_MAX),
	    DEFAULT("any")),
	KEY("record-policy.must-be-private", KEY_TEXTS, AT(policy.must_be_private),
	    RANGE(0, VIEW_PATTERNS_MAX)),

	KEY("forward", KEY_ENTRIES, AT(forward), DEFAULT("[{zone: ., to: [system]}]"),
	    .size = sizeof(struct config_forward)),
	KEY("forward[].zone", KEY_NAME, ROUTE(zone)),
	KEY("forward[].to", KEY_UPSTREAMS, ROUTE(to), RANGE(0, UPSTREAMS_A_GROUP_MAX)),
	KEY("forward[].policy", KEY_WORD, ROUTE(policy), .words = policies),
	KEY("forward[].trust-ad", KEY_BOOL, ROUTE(trust_ad)),
	KEY("forward[].tls-ca", KEY_PATH, ROUTE(tls_ca)),
	KEY("forward[].tls-pins", KEY_PINS, ROUTE(tls_pins), RANGE(0, TLS_PINS_MAX)),
	KEY("forward[].send-cookie", KEY_BOOL, ROUTE(send_cookie), DEFAULT("true")),
	KEY("forward[].use-caps-for-id", KEY_BOOL, ROUTE(use_caps)),

	KEY("identity", KEY_SECTION, 0),
	KEY("identity.version", KEY_IDENTITY, AT(identity.version), RANGE(1, VIEW_IDENTITY_MAX),
	    DEFAULT("hide")),
	KEY("identity.id", KEY_IDENTITY, AT(identity.id), RANGE(1, VIEW_IDENTITY_MAX),
	    DEFAULT("hide")),

	KEY("cache", KEY_SECTION, 0),
	/* One MiB holds a few thousand answers; a TiB is beyond any machine this would run on. */
	KEY("cache.size", KEY_SIZE, AT(cache.size), RANGE(UINT64_C(1) << 20, UINT64_C(1) << 40),
	    DEFAULT("64MiB")),
	KEY("cache.ttl-max", KEY_DURATION, AT(cache.ttl_max_s), RANGE(0, TTL_MAX), DEFAULT("1d")),
	KEY("cache.negative-ttl-max", KEY_DURATION, AT(cache.negative_ttl_max_s), RANGE(0, TTL_MAX),
	    DEFAULT("15m")),
	KEY("cache.serve-stale", KEY_DURATION, AT(cache.serve_stale_s), RANGE(0, TTL_MAX),
	    DEFAULT("1d")),
	KEY("cache.prefetch", KEY_BOOL, AT(cache.prefetch), DEFAULT("true")),

	/*
	 * All are a worker's, but waiters, which is of one question in the whole process, and
	 * large-replies and loop-probes, of which there is one lot in it.
	 */
	KEY("limits", KEY_SECTION, 0),
	KEY("limits.queries", KEY_COUNT, AT(limits.queries), RANGE(1, 1000000), DEFAULT("4096"),
	    .restart = true),
	KEY("limits.upstream-questions", KEY_COUNT, AT(limits.upstream_questions),
	    RANGE(1, 1000000), DEFAULT("4096"), .restart = true),
	KEY("limits.waiters", KEY_COUNT, AT(limits.waiters), RANGE(1, 1000000), DEFAULT("4096"),
	    .restart = true),
	/*
	 * 1,024 open ports of 2^16, of which nobody outside knows which one a question leaves by:
	 * 2^10 ports and 2^16 ids to guess while it is in flight, and the ports move on. Fewer than
	 * 64 can be guessed; more than 16,384 leave none to others.
	 */
	KEY("limits.upstream-sockets", KEY_COUNT, AT(limits.upstream_sockets), RANGE(64, 16384),
	    DEFAULT("1024"), .restart = true),
	/*
	 * TCP and TLS. One to each upstream is usual; 64 leave room for more where one is full.
	 */
	KEY("limits.upstream-connections", KEY_COUNT, AT(limits.upstream_connections),
	    RANGE(1, 10000), DEFAULT("64"), .restart = true),
	/* What servers take at a time: 100 is what we take ourselves (tcp-queries). */
	KEY("limits.connection-questions", KEY_COUNT, AT(limits.connection_questions),
	    RANGE(1, 10000), DEFAULT("100"), .restart = true),
	KEY("limits.connection-idle", KEY_DURATION, AT(limits.connection_idle_s), RANGE(0, 3600),
	    DEFAULT("10s"), .restart = true),
	/* As many as 16 upstreams in three rounds. */
	KEY("limits.question-datagrams", KEY_COUNT, AT(limits.question_datagrams), RANGE(1, 256),
	    DEFAULT("48"), .restart = true),
	/* 254: what fits in the octet that counts them. */
	KEY("limits.near-misses", KEY_COUNT, AT(limits.near_misses), RANGE(0, 254), DEFAULT("8"),
	    .restart = true),
	/* 64 are 4 MiB, 16,384 a GiB. */
	KEY("limits.large-replies", KEY_COUNT, AT(limits.large_replies), RANGE(2, 16384),
	    DEFAULT("64"), .restart = true),
	KEY("limits.probes", KEY_COUNT, AT(limits.probes), RANGE(2, 1024), DEFAULT("32"),
	    .restart = true),
	/* Half of the names of probes that are known at one time: some come back late. */
	KEY("limits.loop-probes", KEY_COUNT, AT(limits.loop_probes), RANGE(1, 128), DEFAULT("8"),
	    .restart = true),
	KEY("limits.tcp-clients", KEY_COUNT, AT(limits.tcp_clients), RANGE(1, 100000),
	    DEFAULT("1024"), .restart = true),
	KEY("limits.tcp-clients-per-address", KEY_COUNT, AT(limits.tcp_clients_per_address),
	    RANGE(1, 100000), DEFAULT("128"), .restart = true),
	KEY("limits.tcp-queries", KEY_COUNT, AT(limits.tcp_queries), RANGE(1, 10000),
	    DEFAULT("100"), .restart = true),
	/* 128 blocks are 16 MiB. */
	KEY("limits.tcp-blocks", KEY_COUNT, AT(limits.tcp_blocks), RANGE(2, 100000), DEFAULT("128"),
	    .restart = true),
	KEY("limits.tcp-idle", KEY_DURATION, AT(limits.tcp_idle_s), RANGE(1, 3600), DEFAULT("10s"),
	    .restart = true),
	KEY("limits.tls-handshakes", KEY_COUNT, AT(limits.tls_handshakes), RANGE(1, 100000),
	    DEFAULT("256"), .restart = true),
	KEY("limits.tls-handshake-time", KEY_DURATION, AT(limits.tls_handshake_s), RANGE(1, 60),
	    DEFAULT("5s"), .restart = true),

	KEY("control", KEY_SECTION, 0),
	KEY("control.socket", KEY_PATH, AT(control_socket),
	    DEFAULT(RUNSTATEDIR "/privlinkd/control")),
	KEY("http", KEY_SECTION, 0),
	KEY("http.listen", KEY_ADDRS, AT(http_listen), RANGE(80, 64), LATER),
	KEY("log", KEY_SECTION, 0),
	KEY("log.level", KEY_WORD, AT(log.level), .words = levels, DEFAULT("notice")),
	KEY("log.format", KEY_WORD, AT(log.format), .words = log_formats),
	KEY("log.queries", KEY_BOOL, AT(log.queries)),
};
const size_t keys_count = sizeof(keys) / sizeof(keys[0]);

_Static_assert(sizeof(keys) / sizeof(keys[0]) <= CONFIG_KEYS_MAX, "too many keys for config.given");

const char *key_leaf(const struct key *key)
{
	const char *dot = strrchr(key->path, '.');

	return dot ? dot + 1 : key->path;
}

bool key_is_in(const struct key *key, const char *path)
{
	const char *leaf = key_leaf(key);
	size_t len = strlen(path);

	if (!len)
		return leaf == key->path;
	return (size_t)(leaf - key->path) == len + 1 && memcmp(key->path, path, len) == 0;
}

const struct key *key_find(const char *path, const char *name)
{
	size_t i;

	for (i = 0; i < keys_count; i++) {
		if (key_is_in(&keys[i], path) && strcmp(key_leaf(&keys[i]), name) == 0)
			return &keys[i];
	}
	return NULL;
}

const struct key *key_get(const char *path)
{
	size_t i;

	for (i = 0; i < keys_count; i++) {
		if (strcmp(keys[i].path, path) == 0)
			return &keys[i];
	}
	return NULL;
}

/* Longest word that is compared: longer ones are near nothing. */
#define WORD_MAX 32

static int fold(char c)
{
	return c == '_' ? '-' : tolower((unsigned char)c);
}

static unsigned lowest(unsigned a, unsigned b, unsigned c)
{
	unsigned ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Damerau-Levenshtein in its "optimal string alignment" form. */
static unsigned distance(const char *a, const char *b)
{
	unsigned d[WORD_MAX + 1][WORD_MAX + 1];
	size_t la = strlen(a), lb = strlen(b), i, j;

	if (la > WORD_MAX || lb > WORD_MAX)
		return WORD_MAX;
	for (i = 0; i <= la; i++)
		d[i][0] = (unsigned)i;
	for (j = 0; j <= lb; j++)
		d[0][j] = (unsigned)j;
	for (i = 1; i <= la; i++) {
		for (j = 1; j <= lb; j++) {
			unsigned differs = fold(a[i - 1]) != fold(b[j - 1]);

			d[i][j] =
				lowest(d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + differs);
			if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
			    fold(a[i - 2]) == fold(b[j - 1]) && d[i - 2][j - 2] + 1 < d[i][j])
				d[i][j] = d[i - 2][j - 2] + 1;
		}
	}
	return d[la][lb];
}

/* The largest distance at which `word` is still near another. */
static unsigned reach(const char *word)
{
	return strlen(word) >= 5 ? 2 : 1;
}

const char *key_near(const char *path, const char *name)
{
	unsigned best = reach(name) + 1, now;
	const char *near = NULL;
	size_t i;

	for (i = 0; i < keys_count; i++) {
		if (!key_is_in(&keys[i], path))
			continue;
		now = distance(name, key_leaf(&keys[i]));
		if (now < best) {
			best = now;
			near = keys[i].path;
		}
	}
	for (i = 0; i < keys_count && !near; i++) {
		if (strcmp(key_leaf(&keys[i]), name) == 0)
			near = keys[i].path;
	}
	return near;
}

const char *word_near(const char *const *words, const char *word)
{
	unsigned best = reach(word) + 1, now;
	const char *near = NULL;

	for (; *words; words++) {
		now = distance(word, *words);
		if (now < best) {
			best = now;
			near = *words;
		}
	}
	return near;
}
