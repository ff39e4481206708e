/* SPDX-License-Identifier: MIT */
/*
 * An upstream is shown as it is written in the configuration, with what is known of it below: its
 * TLS sessions and what was wrong with the last one, the zones that it sends back to us. An
 * upstream that stands in several entries is shown in each, for whether it is well is told of each.
 *
 * Thread: main.
 */
#include "admin/statusforward.h"

#include <inttypes.h>

#include "forward/looptable.h"
#include "upstream/health.h"
#include "upstream/tls.h"

/* What an upstream of this group sends back to us, as lines or as JSON. */
static void loops_list(FILE *out, struct json *json, const struct status_input *input,
		       uint16_t group, uint16_t upstream)
{
	struct looptable *loops = forward_loops(input->forward);
	char zone[NAME_TEXT_MAX], from[ADDR_TEXT_MAX];
	struct loop_mark mark;
	struct name name;
	size_t i;

	if (json)
		json_array(json, "loops");
	for (i = 0; looptable_mark_at(loops, i, &mark); i++) {
		if (mark.upstream != upstream ||
		    name_from_wire(&name, mark.zone, sizeof(mark.zone)) < 0 ||
		    routes_match(input->view->routes, &name, NULL) != group)
			continue;
		name_to_text(mark.zone, zone);
		addr_set_port(&mark.from, DNS_PORT);
		addr_to_text(&mark.from, DNS_PORT, from);
		if (json) {
			json_object(json, NULL);
			json_string(json, "zone", zone);
			json_string(json, "from", from);
			json_bool(json, "asked_last", mark.answers);
			json_object_end(json);
		} else {
			fprintf(out,
				"      set aside for zone %s (%s): a forwarding loop, what it is "
				"asked comes back from %s\n",
				zone, mark.answers ? "asked last" : "not asked", from);
		}
	}
	if (json)
		json_array_end(json);
}

/* As it is written in the configuration: an address, or tls://ADDR@PORT#NAME. */
#define UPSTREAM_TEXT_MAX (ADDR_TEXT_MAX + sizeof("tls://#") + 256)
static void upstream_text(const struct upstream_state *state, const struct upstream_tls_state *tls,
			  char text[UPSTREAM_TEXT_MAX])
{
	char addr[ADDR_TEXT_MAX];

	addr_to_text(&state->addr, 0, addr);
	if (tls && *tls->name)
		snprintf(text, UPSTREAM_TEXT_MAX, "tls://%.*s#%.255s", ADDR_TEXT_MAX, addr,
			 tls->name);
	else
		snprintf(text, UPSTREAM_TEXT_MAX, "%s%s", tls ? "tls://" : "", addr);
}

/* `tls` NULL: it is asked in clear text. */
static void upstream_line(FILE *out, const struct upstream_state *state,
			  const struct upstream_tls_state *tls)
{
	char text[UPSTREAM_TEXT_MAX];

	upstream_text(state, tls, text);
	fprintf(out,
		"    %s: %s, round trip %.1f ms, asked %" PRIu64 ", failed %" PRIu64
		", timed out %" PRIu64 "\n",
		text, state->well ? "well" : "set aside", (double)state->rtt_us / 1000,
		state->asked, state->failed, state->timeouts);
	if (!tls)
		return;
	fprintf(out,
		"      TLS: sessions %" PRIu64 ", of these resumed %" PRIu64
		", failed handshakes %" PRIu64 "\n",
		tls->sessions, tls->resumed, tls->failed);
	if (tls->fault.kind != TLS_FAULT_NONE)
		fprintf(out, "      %s: %s\n",
			tls->fault.kind >= TLS_FAULT_CA ? "refused" : "no TLS session",
			tls->fault.text);
}

static void upstream_keys(struct json *json, const struct upstream_state *state,
			  const struct upstream_tls_state *tls)
{
	char addr[ADDR_TEXT_MAX];

	json_string(json, "address", addr_to_text(&state->addr, 0, addr));
	json_bool(json, "tls", state->tls);
	json_string(json, "state", state->well ? "well" : "set aside");
	json_number(json, "rtt_us", state->rtt_us);
	json_number(json, "asked", (int64_t)state->asked);
	json_number(json, "answered", (int64_t)state->answered);
	json_number(json, "failures", (int64_t)state->failed);
	json_number(json, "timeouts", (int64_t)state->timeouts);
	if (tls) {
		json_string(json, "tls_name", tls->name);
		json_number(json, "tls_sessions", (int64_t)tls->sessions);
		json_number(json, "tls_resumed", (int64_t)tls->resumed);
		json_number(json, "tls_failed", (int64_t)tls->failed);
		if (tls->fault.kind != TLS_FAULT_NONE) {
			json_bool(json, "tls_refused", tls->fault.kind >= TLS_FAULT_CA);
			json_string(json, "tls_fault", tls->fault.text);
		}
	}
}

/* The upstreams of a group with their state, as lines or as JSON. */
static void upstream_list(FILE *out, struct json *json, const struct status_input *input,
			  uint16_t group)
{
	const struct upstreams *upstreams = input->upstreams;
	uint16_t member[UPSTREAMS_A_GROUP_MAX];
	size_t i, count = upstreams_group_members(upstreams, group, member);
	struct upstream_tls_state tls, *with_tls;
	struct upstream_state state;

	for (i = 0; i < count; i++) {
		if (!upstreams_state(upstreams, member[i], &state))
			continue;
		state.well = upstream_is_well(upstreams, group, (uint8_t)i);
		with_tls = upstream_tls_state(upstreams, member[i], &tls) ? &tls : NULL;
		if (json) {
			json_object(json, NULL);
			upstream_keys(json, &state, with_tls);
		} else {
			upstream_line(out, &state, with_tls);
		}
		loops_list(out, json, input, group, member[i]);
		if (json)
			json_object_end(json);
	}
}

/* The routes of the view, with the state of their upstreams, as lines or as JSON. */
void status_forward(FILE *out, struct json *json, const struct status_input *input)
{
	char zone_text[NAME_TEXT_MAX];
	struct name zone;
	uint16_t group;
	size_t i;

	if (json)
		json_array(json, "forward");
	for (i = 0; routes_at(input->view->routes, i, &zone, &group); i++) {
		name_to_text(zone.wire, zone_text);
		if (json) {
			json_object(json, NULL);
			json_string(json, "zone", zone_text);
			json_array(json, "upstreams");
		} else {
			fprintf(out, "  %s:%s\n", zone_text,
				upstreams_group_size(input->upstreams, group) ? ""
									      : " no upstream");
		}
		upstream_list(out, json, input, group);
		if (json) {
			json_array_end(json);
			json_object_end(json);
		}
	}
	if (json)
		json_array_end(json);
}
