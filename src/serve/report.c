/* SPDX-License-Identifier: MIT */
/*
 * A line is worth reading when it is rare. Each kind has a minute that begins with its first
 * line; past REPORT_LINES in it lines are only counted, and the count is told when the minute is
 * over, by a timer or by the next line of the kind, whichever comes first. So a flood of
 * questions makes a line every six seconds, and its size is still known.
 *
 * Texts say what was seen and what to do. Worker's thread: log_write puts the line into a ring.
 */
#include "serve/report.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "wire/types.h"

#define REPORT_MINUTE_MS 60000
/* The resolver's events, and: */
#define REPORT_HANDSHAKE (RESOLVER_EVENT_VAULT_NAME + 1)
#define REPORT_KINDS (REPORT_HANDSHAKE + 1)

struct report_rate {
	uint64_t since_ms; /* of the minute that runs; 0: none */
	unsigned lines;
	uint64_t suppressed;
};

struct report {
	struct event *quiet_timer;
	struct counter *suppressed;
	struct report_rate rate[REPORT_KINDS];
};

static const struct {
	const char *about; /* of the suppressed ones */
	const char *note;
	enum log_level level;
} kinds[REPORT_KINDS] = {
	/* Asked for by `log.queries`, so at the level that is shown. */
	[RESOLVER_EVENT_QUERY] = { NULL, NULL, LOG_LEVEL_NOTICE },
	[RESOLVER_EVENT_ALIAS_DENIED] = { "aliases that were not followed",
					  "an alias that `aliases` does not allow into our "
					  "records; passed on as it came",
					  LOG_LEVEL_WARNING },
	[RESOLVER_EVENT_MUST_BE_PRIVATE] = { "names that must be private and are not held",
					     "this name must be private and no record holds it; "
					     "answered SERVFAIL: add its record",
					     LOG_LEVEL_WARNING },
	[RESOLVER_EVENT_VAULT_NAME] = { "names of held vaults that are not held",
					"not held, though other names of its Site Recovery vault "
					"are; it may be younger than the export: export again",
					LOG_LEVEL_WARNING },
	/* Scanners cause it all day: for who looks for the reason of one client. */
	[REPORT_HANDSHAKE] = { "failed TLS handshakes", NULL, LOG_LEVEL_INFO },
};

static void tell_suppressed(struct report *report, unsigned kind)
{
	struct report_rate *rate = &report->rate[kind];

	if (rate->suppressed > 0)
		log_write(kinds[kind].level, "%" PRIu64 " more lines about %s within a minute",
			  rate->suppressed, kinds[kind].about);
	rate->suppressed = 0;
}

static void on_quiet_timer(evutil_socket_t fd, short what, void *arg)
{
	struct report *report = arg;
	unsigned kind;

	(void)fd;
	(void)what;
	for (kind = 0; kind < REPORT_KINDS; kind++)
		tell_suppressed(report, kind);
}

/* May this line be written? */
static bool event_line(struct report *report, unsigned kind)
{
	struct timeval minute = { REPORT_MINUTE_MS / 1000, 0 };
	struct report_rate *rate = &report->rate[kind];
	uint64_t now_ms = clock_now_ms();

	if (rate->since_ms == 0 || now_ms - rate->since_ms >= REPORT_MINUTE_MS) {
		tell_suppressed(report, kind);
		rate->since_ms = now_ms;
		rate->lines = 0;
	}
	if (rate->lines < REPORT_LINES) {
		rate->lines++;
		return true;
	}
	rate->suppressed++;
	counter_add(report->suppressed, 1);
	if (!event_pending(report->quiet_timer, EV_TIMEOUT, NULL))
		event_add(report->quiet_timer, &minute);
	return false;
}

struct report *report_new(struct event_base *base, struct counter *suppressed)
{
	struct report *report = calloc(1, sizeof(*report));

	if (!report)
		return NULL;
	report->suppressed = suppressed;
	report->quiet_timer = event_new(base, -1, 0, on_quiet_timer, report);
	if (!report->quiet_timer) {
		free(report);
		return NULL;
	}
	return report;
}

void report_free(struct report *report)
{
	if (!report)
		return;
	event_free(report->quiet_timer);
	free(report);
}

void report_event(struct report *report, enum resolver_event event, const struct client *client,
		  const struct name *name, uint16_t type, const char *text)
{
	char from[ADDR_TEXT_MAX], type_text[TYPE_TEXT_MAX], name_text[NAME_TEXT_MAX];

	if ((unsigned)event >= REPORT_HANDSHAKE)
		return;
	if (event != RESOLVER_EVENT_QUERY && !event_line(report, event))
		return;
	addr_to_text(&client->from, 0, from);
	name_to_text(name->wire, name_text);
	type_to_text(type, type_text);
	if (event == RESOLVER_EVENT_QUERY) {
		log_write(kinds[event].level, "query: %s %s %s %s: %s", from,
			  client->tls      ? "tls"
			  : client->stream ? "tcp"
					   : "udp",
			  name_text, type_text, text ? text : "");
		return;
	}
	log_write(kinds[event].level, "%s %s, asked by %s: %s%s%s%s", name_text, type_text, from,
		  kinds[event].note, text && *text ? " (" : "", text ? text : "",
		  text && *text ? ")" : "");
}

void report_loop(bool marked, const struct loop_mark *mark)
{
	char at[ADDR_TEXT_MAX], from[ADDR_TEXT_MAX], to[ADDR_TEXT_MAX], zone[NAME_TEXT_MAX];
	union addr host = mark->from;

	name_to_text(mark->zone, zone);
	addr_to_text(&mark->at, DNS_PORT, at);
	if (!marked) {
		log_write(LOG_LEVEL_NOTICE,
			  "forwarding loop over: what upstream %s is asked of zone %s does not "
			  "come back any more",
			  at, zone);
		return;
	}
	addr_to_text(&mark->to, 0, to);
	addr_set_port(&host, DNS_PORT); /* it came from a passing one */
	log_write(
		LOG_LEVEL_WARNING,
		"forwarding loop: what upstream %s is asked of zone %s comes back, from %s to %s; "
		"set aside for that zone (%s) until it does not; take out the forwarder to us "
		"over there, or the forward entry here",
		at, zone, addr_to_text(&host, DNS_PORT, from), to,
		mark->answers ? "asked last" : "not asked");
}

void report_handshake(struct report *report, const union addr *from, const char *why)
{
	char text[ADDR_TEXT_MAX];

	if (event_line(report, REPORT_HANDSHAKE))
		log_write(kinds[REPORT_HANDSHAKE].level, "TLS client %s: %s",
			  addr_to_text(from, 0, text), why);
}
