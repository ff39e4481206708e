/* SPDX-License-Identifier: MIT */
/*
 * A struct of counters holds counters and nothing else, so it is an array of them, and a row says
 * by its index which one it names. Whoever adds a counter and no row has either a table that is too
 * short, which the build refuses, or a hole in it, which test_stats finds.
 *
 * Names say the part of the server that counts, as its folders are called; helps say it in words,
 * and stand in the output, so that no list elsewhere can be out of date.
 *
 * Workers write while this reads: two numbers may be a query apart. What is not a worker's (cache,
 * upstreams, records, log) is read where it is kept; it has no struct of counters, and its rows are
 * written out below.
 */
#include "admin/stats.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/counter.h"
#include "base/json.h"
#include "base/log.h"
#include "forward/looptable.h"

#define COUNTERS(type) (sizeof(type) / sizeof(struct counter))
#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define ALL_NAMED(table, type)                        \
	_Static_assert(ROWS(table) == COUNTERS(type), \
		       "a counter of " #type " has no row in " #table)

/* ---- resolve --------------------------------------------------------------------------------- */

#define R(member) [offsetof(struct resolver_counters, member) / sizeof(struct counter)]
static const struct stats_row resolve_rows[] = {
	R(queries) = { "queries", "messages of clients" },
	R(dropped) = { "dropped", "not answered: no query at all" },
	R(refused_acl) = { "refused_acl", "REFUSED: not in server.allow" },
	R(formerr) = { "formerr", "FORMERR" },
	R(notimp) = { "notimp", "NOTIMP" },
	R(badvers) = { "badvers", "BADVERS" },
	R(refused) = { "refused", "REFUSED for another reason" },
	R(local) = { "local", "answered without a reply of an upstream" },
	R(forwarded) = { "forwarded", "answered with one" },
	R(cut) = { "cut", "chains of upstreams cut at a name that is held" },
	R(stale) = { "stale", "answers with something past its time" },
	R(refused_share) = { "refused_share", "a group had its share of limits.queries" },
	R(waited) = { "waited", "queries that had to wait" },
	R(full) = { "full", "SERVFAIL: limits.queries or a limit of forward_ was met" },
	R(unkept) = { "unkept", "large replies asked for again: half of limits.large-replies" },
	R(deadline) = { "deadline", "SERVFAIL: no answer in time" },
	R(loops) = { "loops", "SERVFAIL: a question of ours that came back" },
	R(truncated) = { "truncated", "answers with TC" },
	R(alias_denied) = { "alias_denied", "chains that record-policy.aliases passed on uncut" },
	R(must_be_private) = { "must_be_private", "kept inside by must-be-private" },
	R(vault_names) = { "vault_names", "not held, of a vault with names that are" },
	R(noerror) = { "noerror", "NOERROR" },
	R(nxdomain) = { "nxdomain", "NXDOMAIN" },
	R(servfail) = { "servfail", "SERVFAIL" },
};
ALL_NAMED(resolve_rows, struct resolver_counters);

/* ---- forward --------------------------------------------------------------------------------- */

#define F(member) [offsetof(struct forward_counters, member) / sizeof(struct counter)]
static const struct stats_row forward_rows[] = {
	F(hits) = { "hits", "found in the cache" },
	F(misses) = { "misses", "not found there" },
	F(stale) = { "stale", "of the hits, past their time" },
	F(joined) = { "joined", "waited for a question in flight" },
	F(prefetched) = { "prefetched", "asked ahead, with nobody waiting" },
	F(asked) = { "asked", "questions to upstreams" },
	F(answered) = { "answered", "of these, answered" },
	F(failed) = { "failed", "of these, failed" },
	F(retries) = { "retries", "sent once more" },
	F(timeouts) = { "timeouts", "queries without a reply in time" },
	F(spent) = { "spent", "questions that met limits.question-datagrams" },
	F(lame) = { "lame", "referrals in place of an answer" },
	F(refused_inflight) = { "refused_inflight", "limits.upstream-questions was met" },
	F(refused_waiters) = { "refused_waiters", "limits.waiters was met" },
	F(refused_large) = { "refused_large", "replies dropped: limits.large-replies was met" },
	F(refused_share) = { "refused_share",
			     "a group had its share of limits.upstream-questions" },
	F(refused_ahead) = { "refused_ahead", "not asked ahead: enough is" },
	F(looped) = { "looped", "failed at once: the upstreams send it back to us" },
	/* of the queries to upstreams */
	F(upstream.tcp) = { "tcp", "queries over TCP and TLS" },
	F(upstream.connections) = { "connections", "connections opened for these" },
	F(upstream.tls_sessions) = { "tls_sessions", "of these, TLS sessions that stood" },
	F(upstream.tls_resumed) = { "tls_resumed", "of these, resumed" },
	F(upstream.tls_failed) = { "tls_failed", "TLS connections that failed before they stood" },
	F(upstream.asked_again) = { "asked_again",
				    "sent again: a connection that was of use broke" },
	F(upstream.mismatched) = { "mismatched", "replies that fit no question" },
	F(upstream.late) = { "late", "replies to a query that is over" },
	F(upstream.wrong_case) = { "wrong_case", "replies not in the case that was asked" },
	F(upstream.no_cookie) = { "no_cookie", "replies without the cookie that was sent" },
	F(upstream.suspected) = { "suspected", "asked over TCP: limits.near-misses was met" },
	F(upstream.probes) = { "probes", "questions of our own: health, loops, round trips" },
	F(upstream.refused_probes) = { "refused_probes", "not sent: limits.probes was met" },
	F(upstream.malformed) = { "malformed", "replies that cannot be read" },
	F(upstream.no_room) = { "no_room", "not sent: limits.upstream-sockets, or no memory" },
	F(upstream.refused_connections) = { "refused_connections",
					    "not sent: limits.upstream-connections was met" },
};
ALL_NAMED(forward_rows, struct forward_counters);

/* ---- serve ----------------------------------------------------------------------------------- */

#define S(member) [offsetof(struct serve_counters, member) / sizeof(struct counter)]
static const struct stats_row serve_rows[] = {
	S(udp.received) = { "udp_received", "messages over UDP" },
	S(udp.sent) = { "udp_sent", "answers over UDP" },
	S(udp.batches) = { "udp_batches", "readings of the socket" },
	S(udp.cut) = { "udp_cut", "messages longer than any query" },
	S(udp.send_dropped) = { "udp_send_dropped", "answers that the system did not take" },
	S(tcp.accepted) = { "tcp_accepted", "connections" },
	S(tcp.open) = { "tcp_open", "connections that are open now" },
	S(tcp.received) = { "tcp_received", "messages over TCP and TLS" },
	S(tcp.sent) = { "tcp_sent", "answers over TCP and TLS" },
	S(tcp.cut) = { "tcp_cut", "messages longer than any query" },
	S(tcp.closed_full) = { "tcp_closed_full", "closed, idle: limits.tcp-clients was met" },
	S(tcp.refused_full) = { "tcp_refused_full", "refused, none idle: limits.tcp-clients" },
	S(tcp.refused_client) = { "tcp_refused_client", "limits.tcp-clients-per-address was met" },
	S(tcp.accept_failed) = { "tcp_accept_failed", "not accepted: mostly no descriptor left" },
	S(tcp.closed_idle) = { "tcp_closed_idle", "closed: limits.tcp-idle" },
	S(tcp.closed_frame) = { "tcp_closed_frame", "closed: a message took too long to come" },
	S(tcp.closed_write) = { "tcp_closed_write", "closed: answers not taken in time" },
	S(tcp.paused) = { "tcp_paused", "stopped reading: limits.tcp-queries, or not taken" },
	S(tcp.closed_unsent) = { "tcp_closed_unsent", "closed: no room behind what is not taken" },
	S(tcp.closed_blocks) = { "tcp_closed_blocks", "closed: limits.tcp-blocks was met" },
	S(tcp.lost) = { "tcp_lost", "broken from the other side" },
	S(tcp.late) = { "tcp_late", "answers whose connection was gone" },
	S(tcp.received_tls) = { "tls_received", "questions over TLS, of tcp_received" },
	S(tcp.handshakes) = { "tls_handshakes", "handshakes done" },
	S(tcp.handshakes_resumed) = { "tls_handshakes_resumed", "of these, resumed" },
	S(tcp.handshakes_failed) = { "tls_handshakes_failed", "handshakes that failed" },
	S(tcp.handshakes_late) = { "tls_handshakes_late", "ended: limits.tls-handshake-time" },
	S(tcp.handshakes_refused) = { "tls_handshakes_refused",
				      "refused: limits.tls-handshakes was met" },
	S(tcp.handshakes_dropped) = { "tls_handshakes_dropped",
				      "ended to make room: limits.tls-handshakes" },
	S(turns) = { "turns", "turns of the loop" },
	S(views) = { "views", "record sets taken" },
	S(waiting) = { "waiting", "queries that wait now" },
	S(events_suppressed) = { "events_suppressed", "log lines left out, for their rate" },
};
ALL_NAMED(serve_rows, struct serve_counters);

#define PART(part, type)                                              \
	{                                                             \
#part, part##_rows, ROWS(part##_rows), COUNTERS(type) \
	}
const struct stats_part stats_parts[] = {
	PART(serve, struct serve_counters),
	PART(resolve, struct resolver_counters),
	PART(forward, struct forward_counters),
};
const size_t stats_parts_count = ROWS(stats_parts);

/* ---- reading --------------------------------------------------------------------------------- */

static uint64_t add_up(const struct workers *workers, size_t part, size_t at)
{
	uint64_t sum = 0;

	for (unsigned n = 0; n < workers_count(workers); n++) {
		struct worker_counters of = workers_counters(workers, n);
		/* In the order of stats_parts. */
		const void *const counters[] = { of.serve, of.resolver, of.forward };

		_Static_assert(ROWS(stats_parts) == ROWS(counters), "one struct a part");
		sum += counter_get((const struct counter *)counters[part] + at);
	}
	return sum;
}

/* One number, as a line or in JSON. */
struct sink {
	FILE *out;
	struct json *json;
};

static void put(const struct sink *sink, const char *part, const char *name, uint64_t value,
		const char *help)
{
	char full[64];

	snprintf(full, sizeof(full), "%s_%s", part, name);
	if (sink->json)
		json_number(sink->json, full, (int64_t)value);
	else
		fprintf(sink->out, "%-32s %12" PRIu64 "  %s\n", full, value, help);
}

static void put_all(const struct sink *sink, const struct status_input *input)
{
	struct forward_cache_state cache;
	struct loop_counts loops;

	for (size_t part = 0; part < stats_parts_count; part++) {
		const struct stats_part *of = &stats_parts[part];

		for (size_t at = 0; at < of->count; at++)
			put(sink, of->name, of->row[at].name, add_up(input->workers, part, at),
			    of->row[at].help);
	}
	forward_cache_state(input->forward, &cache);
	put(sink, "cache", "entries", cache.entries, "answers in the cache now");
	put(sink, "cache", "bytes", cache.bytes, "octets of it in use now");
	put(sink, "cache", "bytes_max", cache.bytes_max, "octets it may have: cache.size");
	put(sink, "cache", "evicted", cache.evicted, "replies of use that had to make room");
	put(sink, "cache", "inflight", cache.inflight, "questions in flight now");
	looptable_counts(forward_loops(input->forward), &loops);
	put(sink, "loops", "questions", loops.questions, "questions of ours that came back");
	put(sink, "loops", "pairs", loops.pairs, "zones and upstreams that are probed");
	put(sink, "loops", "set_aside", loops.marked, "of these, set aside now");
	put(sink, "loops", "probes", loops.probes, "probes for loops");
	put(sink, "loops", "probes_returned", loops.returned, "of these, came back");
	put(sink, "loops", "probes_held_back", loops.held_back,
	    "made to wait: limits.loop-probes was met");
	put(sink, "loops", "pairs_without_room", loops.unprobed, "not probed: 4096 are");
	put(sink, "loops", "suspicions_dropped", loops.unsuspected, "not looked into: too many");
	put(sink, "records", "held", table_records(input->view->table), "records served now");
	put(sink, "records", "names", table_names(input->view->table), "names of these");
	put(sink, "records", "bytes", table_bytes(input->view->table), "octets of these");
	put(sink, "records", "sources", account_count(input->account), "files they are from");
	put(sink, "records", "sources_troubled", account_troubled(input->account),
	    "of these, not good");
	put(sink, "records", "generation", input->view->generation, "sets served so far");
	put(sink, "records", "snapshots", input->views, "sets in memory now");
	put(sink, "records", "snapshots_most", input->views_most, "at most at once so far");
	put(sink, "log", "dropped", log_ring_dropped(), "lines of workers left out: no room");
	put(sink, "server", "workers", workers_count(input->workers), "workers");
	put(sink, "server", "uptime_s", input->uptime_ms / 1000, "seconds since the start");
}

/* ---- upstreams, one by one ------------------------------------------------------------------- */

static void put_upstreams(const struct sink *sink, const struct upstreams *upstreams)
{
	struct upstream_state state;
	char addr[ADDR_TEXT_MAX];

	if (sink->json)
		json_array(sink->json, "upstreams");
	for (size_t i = 0; upstreams_state(upstreams, i, &state); i++) {
		addr_to_text(&state.addr, 0, addr);
		if (!sink->json) {
			fprintf(sink->out,
				"upstream %s%s: asked %" PRIu64 ", answered %" PRIu64
				", failed %" PRIu64 ", timed out %" PRIu64 "\n",
				state.tls ? "tls://" : "", addr, state.asked, state.answered,
				state.failed, state.timeouts);
			continue;
		}
		json_object(sink->json, NULL);
		json_string(sink->json, "address", addr);
		json_bool(sink->json, "tls", state.tls);
		json_number(sink->json, "asked", (int64_t)state.asked);
		json_number(sink->json, "answered", (int64_t)state.answered);
		json_number(sink->json, "failures", (int64_t)state.failed);
		json_number(sink->json, "timeouts", (int64_t)state.timeouts);
		json_object_end(sink->json);
	}
	if (sink->json)
		json_array_end(sink->json);
}

char *stats_text(const struct status_input *input)
{
	char *text = NULL;
	size_t len;
	struct sink sink = { .out = open_memstream(&text, &len) };

	if (!sink.out)
		return NULL;
	put_all(&sink, input);
	put_upstreams(&sink, input->upstreams);
	if (fclose(sink.out) == 0)
		return text;
	free(text);
	return NULL;
}

char *stats_json(const struct status_input *input)
{
	struct json json;
	struct sink sink = { .json = &json };

	json_init(&json);
	json_object(&json, NULL);
	json_object(&json, "counters");
	put_all(&sink, input);
	json_object_end(&json);
	put_upstreams(&sink, input->upstreams);
	json_object_end(&json);
	return json_finish(&json);
}
