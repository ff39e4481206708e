/* SPDX-License-Identifier: MIT */
/*
 * A command is a row: its name, how many arguments it takes, and a function that replies once. Most
 * reply at once from what the main thread holds. `reload` replies when all workers have taken the
 * new view, `explain` when a worker has decided the query; the request stays alive until then, also
 * if its client has gone.
 */
#include "admin/command.h"

#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/records.h"
#include "admin/stats.h"
#include "admin/status.h"
#include "base/clock.h"
#include "base/json.h"
#include "resolve/refuse.h"
#include "wire/name.h"
#include "wire/types.h"

static struct status_input gather(const struct control_parts *parts)
{
	struct status_input input = { .account = reload_account(parts->reload),
				      .upstreams = build_upstreams(parts->build),
				      .view = publish_newest(parts->publish),
				      .listeners = parts->listeners,
				      .workers = parts->workers,
				      .forward = parts->forward,
				      .tls = parts->tls,
				      .uptime_ms = clock_now_ms() - parts->started_ms };

	input.views = publish_alive(parts->publish, &input.views_most);
	input.is_reading = reload_reading(parts->reload, input.reading, &input.reading_ms);
	return input;
}

static void run_stats(struct request *request)
{
	struct status_input input = gather(request->parts);

	control_reply(request, CONTROL_OK, request->json ? stats_json(&input) : stats_text(&input));
}

static void run_status(struct request *request)
{
	struct status_input input = gather(request->parts);

	control_reply(request, CONTROL_OK,
		      request->json ? status_json(&input) : status_text(&input));
}

static void run_records(struct request *request)
{
	const char *name = request->count > 1 ? request->word[1] : NULL;
	struct err err;
	char *text =
		records_list(publish_newest(request->parts->publish), name, request->json, &err);

	if (text)
		control_reply(request, CONTROL_OK, text);
	else
		control_reply_text(request, CONTROL_ERROR, "%s", err.text);
}

static void on_reloaded(void *arg, const struct reload_report *report)
{
	struct request *request = arg;
	/*
	 * Complaints are of this run's readings; an unchanged file that is still in trouble
	 * counts too.
	 */
	bool good = report->applied && !report->told->errors && !account_troubled(report->account);

	control_reply(request, good ? CONTROL_OK : CONTROL_FAILED,
		      request->json ? status_report_json(report) : status_report_text(report));
}

static void run_reload(struct request *request)
{
	char text[READING_PATH_MAX + 256];

	if (reload_hangs(request->parts->reload, text, sizeof(text))) {
		reload_request(request->parts->reload, NULL, NULL);
		control_reply_text(request, CONTROL_ERROR, "%s; all is read again after it", text);
		return;
	}
	if (reload_request(request->parts->reload, on_reloaded, request) < 0)
		control_reply_text(request, CONTROL_ERROR, "too many wait for a reload already");
}

static void on_accepted(void *arg, const struct err *err)
{
	struct request *request = arg;

	if (err)
		control_reply_text(request, CONTROL_ERROR, "%s", err->text);
	else
		run_reload(request);
}

static void run_accept(struct request *request)
{
	char text[READING_PATH_MAX + 256];

	if (reload_hangs(request->parts->reload, text, sizeof(text)))
		control_reply_text(request, CONTROL_ERROR, "%s", text);
	else if (reload_accept(request->parts->reload, request->word[1], on_accepted, request) < 0)
		control_reply_text(request, CONTROL_ERROR, "too many wait for a reload already");
}

static void run_flush(struct request *request)
{
	const char *text = request->count > 1 ? request->word[1] : NULL;
	struct name name;
	size_t flushed;

	if (text && name_from_text(&name, text, strlen(text)) < 0) {
		control_reply_text(request, CONTROL_USAGE, "'%s' is no domain name", text);
		return;
	}
	flushed = forward_flush(request->parts->forward, text ? &name : NULL);
	if (request->json)
		control_reply_text(request, CONTROL_OK, "{\"flushed\":%zu}", flushed);
	else
		control_reply_text(request, CONTROL_OK, "%zu cached answers forgotten\n", flushed);
}

/* A message as dig would show it, or NULL. */
static char *message_text(const uint8_t *message, size_t len)
{
	ldns_pkt *packet = NULL;
	char *text, *trailer;

	if (!len || ldns_wire2pkt(&packet, message, len) != LDNS_STATUS_OK)
		return NULL;
	text = ldns_pkt2str(packet);
	ldns_pkt_free(packet);
	/* Time and server are not of this message. */
	trailer = text ? strstr(text, "\n;; Query time:") : NULL;
	if (trailer)
		trailer[1] = '\0';
	return text;
}

static char *explain_text(const char *trace, const char *answer)
{
	size_t len = strlen(trace);
	const char *gap = len && trace[len - 1] != '\n' ? "\n" : "";
	char *text;

	if (asprintf(&text, "%s%s\n%s", trace, gap, answer ? answer : "no answer\n") < 0)
		return NULL;
	return text;
}

static char *explain_json(const char *trace, const char *answer)
{
	struct json json;
	char line[4096];
	size_t len;

	json_init(&json);
	json_object(&json, NULL);
	json_array(&json, "steps");
	for (; *trace; trace += len + (trace[len] == '\n')) {
		len = strcspn(trace, "\n");
		snprintf(line, sizeof(line), "%.*s",
			 (int)(len < sizeof(line) ? len : sizeof(line) - 1), trace);
		json_string(&json, NULL, line);
	}
	json_array_end(&json);
	json_string(&json, "answer", answer);
	json_object_end(&json);
	return json_finish(&json);
}

static void on_explained(void *arg, const char *trace, const uint8_t *answer, size_t len)
{
	struct request *request = arg;
	char *text;

	if (!trace) {
		control_reply_text(request, CONTROL_ERROR, "the server stops");
		return;
	}
	text = message_text(answer, len);
	control_reply(request, CONTROL_OK,
		      request->json ? explain_json(trace, text) : explain_text(trace, text));
	free(text);
}

/* A type that is refused before any name is looked at: what a client gets, without a worker. */
static void explain_refusal(struct request *request, uint16_t type, int refusal)
{
	char word[TYPE_TEXT_MAX], rcode[TYPE_TEXT_MAX], trace[256];
	char *text;

	snprintf(trace, sizeof(trace),
		 "no question of type %s is looked into, whatever its name\noutcome: %s\n",
		 type_to_text(type, word), rcode_to_text((unsigned)refusal, rcode));
	text = request->json ? explain_json(trace, NULL) : strdup(trace);
	control_reply(request, CONTROL_OK, text);
}

static void run_explain(struct request *request)
{
	uint16_t type = TYPE_A;
	struct name name;
	struct err err;

	if (name_from_text(&name, request->word[1], strlen(request->word[1])) < 0)
		control_reply_text(request, CONTROL_USAGE, "'%s' is no domain name",
				   request->word[1]);
	else if (request->count > 2 && type_from_text(request->word[2], &type) < 0)
		control_reply_text(request, CONTROL_USAGE, "'%s' is no record type",
				   request->word[2]);
	else if (refuse_type(type) >= 0)
		explain_refusal(request, type, refuse_type(type));
	else if (workers_explain(request->parts->workers, &name, type, on_explained, request,
				 &err) < 0)
		control_reply_text(request, CONTROL_ERROR, "%s", err.text);
}

static const struct {
	const char *name;
	unsigned least, most; /* arguments */
	void (*run)(struct request *request);
} commands[] = {
	{ "status", 0, 0, run_status }, { "records", 0, 1, run_records },
	{ "stats", 0, 0, run_stats },   { "reload", 0, 0, run_reload },
	{ "flush", 0, 1, run_flush },   { "explain", 1, 2, run_explain },
	{ "accept", 1, 1, run_accept },
};

void command_run(struct request *request)
{
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, request->word[0]) != 0)
			continue;
		if (request->count - 1 < commands[i].least || request->count - 1 > commands[i].most)
			control_reply_text(request, CONTROL_USAGE, "%s: wrong number of arguments",
					   request->word[0]);
		else
			commands[i].run(request);
		return;
	}
	control_reply_text(request, CONTROL_USAGE, "%s: this server has no such command",
			   request->word[0]);
}
