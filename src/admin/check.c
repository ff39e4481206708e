/* SPDX-License-Identifier: MIT */
/*
 * The same calls as a start, up to the view, which nobody then gets. What differs: complaints go to
 * standard error as they are, without a level of the log in the way, and the addresses that we
 * would listen on stand in for the sockets, so that `system` leaves out the same servers.
 * One thread.
 */
#include "admin/check.h"

#include <stdio.h>

#include "zone/table.h"

static void print(void *arg, enum complaint_level level, const char *text)
{
	(void)arg;
	fprintf(stderr, "%s: %s\n", level == COMPLAINT_ERROR ? "error" : "warning", text);
}

static void sum_up(const struct view *view, const struct build *build,
		   const struct complaints *complaints)
{
	const struct sources *sources = build_sources(build);
	const struct source_status *source;
	size_t i;

	for (i = 0; i < sources_count(sources); i++) {
		source = sources_status(sources, i);
		printf("%s: %s, %zu records, %zu errors, %zu warnings\n", source->path,
			source_format_name(source->format), source->records, source->errors,
			source->warnings);
	}
	printf("%zu records of %zu names from %zu files, %zu zones: %zu errors, %zu warnings\n",
		table_records(view->table), table_names(view->table), sources_count(sources),
		zones_count(view->zones), complaints->errors, complaints->warnings);
}

int check_configuration(const struct reload_conf *conf)
{
	struct complaints complaints = { .tell = print };
	struct config *config = reload_read_config(conf, &complaints);
	struct build *build = config ? build_new() : NULL;
	struct build_input input = { .config = config, .check = true };
	struct view *view = NULL;
	struct err err = { .text = "out of memory" };
	char keys[512];

	if (build) {
		input.own = config->server.listen.at;
		input.own_count = config->server.listen.count;
		view = build_view(build, &input, &complaints, &err);
		if (!view)
			complain(&complaints, COMPLAINT_ERROR, NULL, 0, 0, "%s", err.text);
	}
	if (config && config_inactive(config, keys, sizeof(keys)))
		printf("not active in this version: %s\n", keys);
	if (view)
		sum_up(view, build, &complaints);
	else
		printf("nothing can be served: %zu errors, %zu warnings\n", complaints.errors,
			complaints.warnings);
	build_release(view);
	build_free(build);
	config_free(config);
	return view && !complaints.errors ? 0 : -1;
}
