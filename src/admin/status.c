/* SPDX-License-Identifier: MIT */
/*
 * Each part of the status is written twice, as lines and as JSON, side by side in one file so that
 * neither forgets what the other says. The keys of the JSON are an interface: they are added to,
 * never changed.
 *
 * Counters are read while their workers write them; sums may be a query or two apart. The rest
 * belongs to the main thread, where this runs.
 */
#include "admin/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "admin/certificate.h"
#include "admin/statusforward.h"
#include "base/json.h"
#include "forward/looptable.h"

static const char *const zone_type_names[] = {
	[ZONE_TRANSPARENT] = "transparent",
	[ZONE_STATIC] = "static",
	[ZONE_REFUSE] = "refuse",
};

/* The counters of all workers that an operator asks for first. */
struct totals {
	uint64_t queries, local, forwarded, cut, servfail, nxdomain, refused, dropped, tcp, waiting;
	uint64_t hits, stale, misses, prefetched, asked, failed, timeouts;
	uint64_t tls, handshakes, resumed, handshakes_failed, handshakes_late, handshakes_refused;
};

static struct totals add_up(const struct workers *workers)
{
	struct totals sum = { .queries = 0 };
	struct worker_counters of;
	unsigned n;

	for (n = 0; n < workers_count(workers); n++) {
		of = workers_counters(workers, n);
		sum.queries += counter_get(&of.resolver->queries);
		sum.local += counter_get(&of.resolver->local);
		sum.forwarded += counter_get(&of.resolver->forwarded);
		sum.cut += counter_get(&of.resolver->cut);
		sum.servfail += counter_get(&of.resolver->servfail);
		sum.nxdomain += counter_get(&of.resolver->nxdomain);
		sum.refused +=
			counter_get(&of.resolver->refused) + counter_get(&of.resolver->refused_acl);
		sum.dropped += counter_get(&of.resolver->dropped);
		sum.tcp += counter_get(&of.serve->tcp.received);
		sum.tls += counter_get(&of.serve->tcp.received_tls);
		sum.handshakes += counter_get(&of.serve->tcp.handshakes);
		sum.resumed += counter_get(&of.serve->tcp.handshakes_resumed);
		sum.handshakes_failed += counter_get(&of.serve->tcp.handshakes_failed);
		sum.handshakes_late += counter_get(&of.serve->tcp.handshakes_late);
		sum.handshakes_refused += counter_get(&of.serve->tcp.handshakes_refused) +
					  counter_get(&of.serve->tcp.handshakes_dropped);
		sum.waiting += counter_get(&of.serve->waiting);
		sum.hits += counter_get(&of.forward->hits);
		sum.stale += counter_get(&of.forward->stale);
		sum.prefetched += counter_get(&of.forward->prefetched);
		sum.misses += counter_get(&of.forward->misses);
		sum.asked += counter_get(&of.forward->asked);
		sum.failed += counter_get(&of.forward->failed);
		sum.timeouts += counter_get(&of.forward->timeouts);
	}
	return sum;
}

static const char *time_text(time_t when, char text[32])
{
	struct tm tm;

	if (!when || !gmtime_r(&when, &tm) || !strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm))
		strcpy(text, "never");
	return text;
}

static long long days_old(const struct source_status *source)
{
	return (long long)(time(NULL) - source->loaded) / 86400;
}

static void put_line(FILE *out, const char *before, const char *text, const char *after)
{
	fputs(before, out);
	complaint_put(out, text, strlen(text));
	if (after)
		fputs(after, out);
}

static void sources_text(FILE *out, const struct account *account)
{
	const struct source_status *source;
	struct source_hold hold;
	char when[32];
	size_t i;

	for (i = 0; i < account_count(account); i++) {
		source = account_status(account, i);
		put_line(out, "  ", source->path, NULL);
		fprintf(out, ": %s, %s, %zu records, loaded %s, %zu errors, %zu warnings\n",
			source_state_name(source->state), source_format_name(source->format),
			source->records, time_text(source->loaded, when), source->errors,
			source->warnings);
		if (*source->complaint)
			put_line(out, "    ", source->complaint, "\n");
		if (source->state == SOURCE_LAST_GOOD && source->loaded)
			fprintf(out, "    served: its last good version, %lld days old\n",
				days_old(source));
		if (source->state == SOURCE_HELD && account_hold(account, i, &hold))
			fprintf(out,
				"    held back with its entry, which would lose %zu of %zu names; "
				"if that is meant, type: privlinkctl accept %s\n",
				hold.lost, hold.names, hold.path);
	}
	if (!account_count(account))
		fprintf(out, "  none\n");
}

static void state_text(FILE *out, const struct account *account)
{
	const char *trouble, *path = account_state(account, &trouble);

	fprintf(out, "state folder: %s%s%s\n", path ? path : "none",
		trouble ? ", not in use: " : "", trouble ? trouble : "");
}

/* What is served instead of a source's last reading, and why. */
static void last_good_json(struct json *json, const struct account *account, size_t i)
{
	const struct source_status *source = account_status(account, i);
	bool in_use = source->records &&
		      (source->state == SOURCE_LAST_GOOD || source->state == SOURCE_HELD);
	struct source_hold hold;
	char when[32];

	json_string(json, "last_good", in_use ? time_text(source->loaded, when) : NULL);
	if (source->state != SOURCE_HELD || !account_hold(account, i, &hold))
		return;
	json_object(json, "held_back");
	json_string(json, "source", hold.path);
	json_number(json, "lost", (int64_t)hold.lost);
	json_number(json, "names", (int64_t)hold.names);
	json_object_end(json);
}

static void state_json(struct json *json, const struct account *account)
{
	const char *trouble, *path = account_state(account, &trouble);

	json_object(json, "state");
	json_string(json, "path", path);
	json_string(json, "trouble", trouble);
	json_object_end(json);
}

static void sources_json(struct json *json, const struct account *account)
{
	const struct source_status *source;
	char when[32];
	size_t i;

	json_array(json, "sources");
	for (i = 0; i < account_count(account); i++) {
		source = account_status(account, i);
		json_object(json, NULL);
		json_string(json, "path", source->path);
		json_string(json, "state", source_state_name(source->state));
		json_string(json, "format", source_format_name(source->format));
		json_number(json, "records", (int64_t)source->records);
		json_string(json, "loaded",
			    source->loaded ? time_text(source->loaded, when) : NULL);
		json_number(json, "errors", (int64_t)source->errors);
		json_number(json, "warnings", (int64_t)source->warnings);
		json_string(json, "complaint", *source->complaint ? source->complaint : NULL);
		last_good_json(json, account, i);
		json_object_end(json);
	}
	json_array_end(json);
}

/* null: nothing is being read. */
static void reading_json(struct json *json, const struct status_input *input)
{
	if (!input->is_reading) {
		json_string(json, "reading", NULL);
		return;
	}
	json_object(json, "reading");
	json_string(json, "path", input->reading);
	json_number(json, "for_s", (int64_t)(input->reading_ms / 1000));
	json_object_end(json);
}

static void zones_text(FILE *out, const struct view *view)
{
	size_t i;

	for (i = 0; i < zones_count(view->zones); i++)
		fprintf(out, "  %s: %s, %zu names\n", zones_private_text(view->zones, i),
			zone_type_names[zones_type(view->zones, i)],
			table_zone_names(view->table, (uint16_t)i));
	if (!i)
		fprintf(out, "  none\n");
}

static void zones_json(struct json *json, const struct view *view)
{
	size_t i, j;

	json_array(json, "zones");
	for (i = 0; i < zones_count(view->zones); i++) {
		json_object(json, NULL);
		json_string(json, "name", zones_private_text(view->zones, i));
		json_array(json, "public");
		for (j = 0; j < zones_public_count(view->zones, i); j++)
			json_string(json, NULL, zones_public_text(view->zones, i, j));
		json_array_end(json);
		json_string(json, "type", zone_type_names[zones_type(view->zones, i)]);
		json_number(json, "names", (int64_t)table_zone_names(view->table, (uint16_t)i));
		json_object_end(json);
	}
	json_array_end(json);
}

/* The addresses for TLS, or the others. */
static void listeners_text(FILE *out, const struct listeners *listeners, bool tls)
{
	char addr[ADDR_TEXT_MAX];
	size_t i;

	for (i = 0; i < listeners_count(listeners); i++) {
		if (listeners_tls(listeners, i) == tls)
			fprintf(out, " %s", addr_to_text(listeners_addr(listeners, i), 0, addr));
	}
	fputc('\n', out);
}

static void listeners_json(struct json *json, const char *key, const struct listeners *listeners,
			   bool tls)
{
	char addr[ADDR_TEXT_MAX];
	size_t i;

	json_array(json, key);
	for (i = 0; i < listeners_count(listeners); i++) {
		if (listeners_tls(listeners, i) == tls)
			json_string(json, NULL,
				    addr_to_text(listeners_addr(listeners, i), 0, addr));
	}
	json_array_end(json);
}

static void tls_text(FILE *out, const struct status_input *input, const struct totals *sum)
{
	const struct tls_server_info *info;
	char when[32];

	if (!input->tls)
		return;
	info = tls_server_info(input->tls);
	fprintf(out, "listening for TLS:");
	listeners_text(out, input->listeners, true);
	fprintf(out, "certificate: %s, expires %s, in %lld days\n", info->subject,
		time_text(info->not_after, when), certificate_days_left(info));
	fprintf(out,
		"TLS: queries %" PRIu64 ", handshakes %" PRIu64 ", resumed %" PRIu64
		", failed %" PRIu64 ", timed out %" PRIu64 ", refused %" PRIu64 "\n",
		sum->tls, sum->handshakes, sum->resumed, sum->handshakes_failed,
		sum->handshakes_late, sum->handshakes_refused);
}

static void tls_json(struct json *json, const struct status_input *input)
{
	const struct tls_server_info *info;
	char when[32];

	listeners_json(json, "listening_tls", input->listeners, true);
	if (!input->tls)
		return;
	info = tls_server_info(input->tls);
	json_object(json, "certificate");
	json_string(json, "subject", info->subject);
	json_string(json, "not_before", time_text(info->not_before, when));
	json_string(json, "not_after", time_text(info->not_after, when));
	json_number(json, "days_left", certificate_days_left(info));
	json_object_end(json);
}

char *status_text(const struct status_input *input)
{
	struct totals sum = add_up(input->workers);
	struct forward_cache_state cache;
	struct loop_counts loops;
	char *text = NULL;
	uint64_t up_s = input->uptime_ms / 1000;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	forward_cache_state(input->forward, &cache);
	fprintf(out, "version: %s\n", PACKAGE_VERSION);
	fprintf(out, "uptime: %" PRIu64 "d %" PRIu64 "h %" PRIu64 "m %" PRIu64 "s\n", up_s / 86400,
		up_s / 3600 % 24, up_s / 60 % 60, up_s % 60);
	fprintf(out, "workers: %u\n", workers_count(input->workers));
	fprintf(out, "listening:");
	listeners_text(out, input->listeners, false);
	tls_text(out, input, &sum);
	fprintf(out, "records: %zu of %zu names, %zu octets, generation %" PRIu64 "\n",
		table_records(input->view->table), table_names(input->view->table),
		table_bytes(input->view->table), input->view->generation);
	fprintf(out, "snapshots in memory: %u, at most %u at once\n", input->views,
		input->views_most);
	if (input->is_reading) {
		put_line(out, "reading: ", input->reading, NULL);
		fprintf(out, " since %" PRIu64 " s\n", input->reading_ms / 1000);
	}
	fprintf(out, "sources:\n");
	sources_text(out, input->account);
	state_text(out, input->account);
	fprintf(out, "zones:\n");
	zones_text(out, input->view);
	fprintf(out, "forward:\n");
	status_forward(out, NULL, input);
	fprintf(out,
		"cache: %zu entries, %zu of %zu octets, %" PRIu64
		" evicted, %zu in flight; hits %" PRIu64 ", stale %" PRIu64 ", misses %" PRIu64
		", asked ahead %" PRIu64 "\n",
		cache.entries, cache.bytes, cache.bytes_max, cache.evicted, cache.inflight,
		sum.hits, sum.stale, sum.misses, sum.prefetched);
	fprintf(out,
		"queries: %" PRIu64 ", from memory %" PRIu64 ", forwarded %" PRIu64
		", cut at a held name %" PRIu64 ", NXDOMAIN %" PRIu64 ", SERVFAIL %" PRIu64
		", REFUSED %" PRIu64 ", dropped %" PRIu64 ", over TCP %" PRIu64 ", waiting %" PRIu64
		"\n",
		sum.queries, sum.local, sum.forwarded, sum.cut, sum.nxdomain, sum.servfail,
		sum.refused, sum.dropped, sum.tcp, sum.waiting);
	fprintf(out, "upstream: asked %" PRIu64 ", failed %" PRIu64 ", timed out %" PRIu64 "\n",
		sum.asked, sum.failed, sum.timeouts);
	looptable_counts(forward_loops(input->forward), &loops);
	fprintf(out,
		"loops: questions that came back %" PRIu64 ", probes %" PRIu64 " of %" PRIu64
		" zones and upstreams, came back %" PRIu64 ", set aside %" PRIu64 "\n",
		loops.questions, loops.probes, loops.pairs, loops.returned, loops.marked);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

static void loop_counts_json(struct json *json, const struct status_input *input)
{
	struct loop_counts counts;

	looptable_counts(forward_loops(input->forward), &counts);
	json_object(json, "loops");
	json_number(json, "questions", (int64_t)counts.questions);
	json_number(json, "pairs", (int64_t)counts.pairs);
	json_number(json, "pairs_without_room", (int64_t)counts.unprobed);
	json_number(json, "probes", (int64_t)counts.probes);
	json_number(json, "probes_returned", (int64_t)counts.returned);
	json_number(json, "set_aside", (int64_t)counts.marked);
	json_number(json, "probes_held_back", (int64_t)counts.held_back);
	json_number(json, "suspicions_dropped", (int64_t)counts.unsuspected);
	json_object_end(json);
}

static void totals_json(struct json *json, const struct totals *sum)
{
	const struct {
		const char *key;
		uint64_t value;
	} rows[] = {
		{ "queries", sum->queries },
		{ "local", sum->local },
		{ "forwarded", sum->forwarded },
		{ "cut", sum->cut },
		{ "nxdomain", sum->nxdomain },
		{ "servfail", sum->servfail },
		{ "refused", sum->refused },
		{ "dropped", sum->dropped },
		{ "tcp", sum->tcp },
		{ "tls", sum->tls },
		{ "tls_handshakes", sum->handshakes },
		{ "tls_resumed", sum->resumed },
		{ "tls_failed", sum->handshakes_failed },
		{ "tls_timed_out", sum->handshakes_late },
		{ "tls_refused", sum->handshakes_refused },
		{ "waiting", sum->waiting },
		{ "cache_hits", sum->hits },
		{ "cache_stale", sum->stale },
		{ "prefetched", sum->prefetched },
		{ "cache_misses", sum->misses },
		{ "asked", sum->asked },
		{ "failed", sum->failed },
		{ "timeouts", sum->timeouts },
	};
	size_t i;

	json_object(json, "counters");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		json_number(json, rows[i].key, (int64_t)rows[i].value);
	json_object_end(json);
}

char *status_json(const struct status_input *input)
{
	struct totals sum = add_up(input->workers);
	struct forward_cache_state cache;
	struct json json;

	forward_cache_state(input->forward, &cache);
	json_init(&json);
	json_object(&json, NULL);
	json_string(&json, "version", PACKAGE_VERSION);
	json_number(&json, "uptime_s", (int64_t)(input->uptime_ms / 1000));
	json_number(&json, "workers", workers_count(input->workers));
	listeners_json(&json, "listening", input->listeners, false);
	tls_json(&json, input);
	json_number(&json, "generation", (int64_t)input->view->generation);
	json_number(&json, "snapshots", input->views);
	json_number(&json, "snapshots_most", input->views_most);
	json_number(&json, "records", (int64_t)table_records(input->view->table));
	json_number(&json, "names", (int64_t)table_names(input->view->table));
	json_number(&json, "bytes", (int64_t)table_bytes(input->view->table));
	reading_json(&json, input);
	sources_json(&json, input->account);
	state_json(&json, input->account);
	zones_json(&json, input->view);
	status_forward(NULL, &json, input);
	json_object(&json, "cache");
	json_number(&json, "entries", (int64_t)cache.entries);
	json_number(&json, "bytes", (int64_t)cache.bytes);
	json_number(&json, "bytes_max", (int64_t)cache.bytes_max);
	json_number(&json, "evicted", (int64_t)cache.evicted);
	json_number(&json, "inflight", (int64_t)cache.inflight);
	json_object_end(&json);
	loop_counts_json(&json, input);
	totals_json(&json, &sum);
	json_object_end(&json);
	return json_finish(&json);
}

char *status_report_text(const struct reload_report *report)
{
	char *text = NULL;
	size_t len, i;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	for (i = 0; i < report->told->count; i++)
		complaint_print(out, &report->told->line[i]);
	fprintf(out, "%s\nsources:\n",
		report->applied ? "reloaded" : "not reloaded: everything is as it was");
	sources_text(out, report->account);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

char *status_report_json(const struct reload_report *report)
{
	struct json json;
	size_t i;

	json_init(&json);
	json_object(&json, NULL);
	json_bool(&json, "applied", report->applied);
	json_array(&json, "complaints");
	for (i = 0; i < report->told->count; i++) {
		json_object(&json, NULL);
		json_string(&json, "level",
			    report->told->line[i].level == COMPLAINT_ERROR ? "error" : "warning");
		json_string(&json, "text", report->told->line[i].text);
		json_object_end(&json);
	}
	json_array_end(&json);
	sources_json(&json, report->account);
	json_object_end(&json);
	return json_finish(&json);
}
