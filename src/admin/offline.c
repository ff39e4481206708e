/* SPDX-License-Identifier: MIT */
/*
 * `check` is a server's load and nothing else: the same readers, the same merging across files, the
 * same complaints. What a file is worth does not hang on the configuration but for zones, the
 * origin of relative names and policy: the first two may be told, policy is the default's.
 *
 * Complaints go to standard error as they come and what was found to standard output; in JSON both
 * are one object on standard output.
 */
#include "admin/offline.h"

#include <stdio.h>
#include <stdlib.h>

#include "admin/build.h"
#include "admin/check.h"
#include "admin/config.h"
#include "admin/fileargs.h"
#include "admin/told.h"
#include "base/json.h"
#include "zone/names.h"

static void print_complaint(void *arg, const struct complaint *complaint)
{
	(void)arg;
	complaint_print(stderr, complaint);
}

static int print_json(struct json *json)
{
	char *text = json_finish(json);

	if (!text) {
		fputs("privlinkctl: out of memory\n", stderr);
		return 1;
	}
	puts(text);
	free(text);
	return 0;
}

static int check_json(const struct sources *sources, const struct told *told)
{
	const struct source_status *source;
	struct json json;
	size_t i;

	json_init(&json);
	json_object(&json, NULL);
	json_array(&json, "complaints");
	for (i = 0; i < told->count; i++) {
		json_object(&json, NULL);
		json_string(&json, "level",
			    told->line[i].level == COMPLAINT_ERROR ? "error" : "warning");
		json_string(&json, "text", told->line[i].text);
		json_object_end(&json);
	}
	json_array_end(&json);
	json_array(&json, "sources");
	for (i = 0; i < sources_count(sources); i++) {
		source = sources_status(sources, i);
		json_object(&json, NULL);
		json_string(&json, "path", source->path);
		json_string(&json, "format", source_format_name(source->format));
		json_number(&json, "records", (int64_t)source->records);
		json_number(&json, "errors", (int64_t)source->errors);
		json_number(&json, "warnings", (int64_t)source->warnings);
		json_object_end(&json);
	}
	json_array_end(&json);
	json_object_end(&json);
	return print_json(&json);
}

/* A configuration of defaults with these files and zones, and no upstream to look for. */
static struct config *check_config(const struct file_args *read, struct complaints *complaints)
{
	const char *upstream = "127.0.0.1", **paths = calloc(read->count, sizeof(*paths));
	struct config_options options = { .records = paths,
					  .upstreams = &upstream,
					  .records_count = read->count,
					  .upstreams_count = 1 };
	struct config_records *records;
	struct config *config = NULL;
	char text[128];
	int len = snprintf(text, sizeof(text), "zones: [{preset: %s}]\n", read->preset);
	size_t i;

	for (i = 0; paths && i < read->count; i++)
		paths[i] = read->path[i];
	if (paths)
		config = config_parse("--preset", text, (size_t)len, &options, complaints);
	records = config ? (struct config_records *)config->records.at : NULL;
	for (i = 0; records && i < config->records.count; i++)
		records[i].zone = read->zone;
	free(paths);
	return config;
}

int offline_check(bool json, int count, char **args)
{
	struct file_args read;
	struct told told;
	struct complaints complaints = { .tell = told_add, .arg = &told };
	struct build_input input = { .check = true };
	struct config *config;
	struct build *build = build_new();
	struct view *view = NULL;
	struct err err = { .text = "out of memory" };

	if (file_args_read(&read, "check", false, count, args) < 0) {
		build_free(build);
		return 2;
	}
	told_init(&told, json ? NULL : print_complaint, NULL);
	input.config = config = check_config(&read, &complaints);
	if (config && build)
		view = build_view(build, &input, &complaints, &err);
	if (!view)
		complain(&complaints, COMPLAINT_ERROR, NULL, 0, 0, "%s", err.text);
	else if (json)
		check_json(build_sources(build), &told);
	else
		check_print_sources(build_sources(build));
	build_release(view);
	build_free(build);
	config_free(config);
	told_fini(&told);
	return complaints.errors ? 1 : 0;
}

int offline_zones(bool json, int count, char **presets)
{
	const char *preset = count ? presets[0] : "azure-migrate", *private;
	struct json out;
	size_t i;

	if (zone_pairs_count && zone_preset_has(preset, &zone_pairs[0]) < 0) {
		fprintf(stderr, "privlinkctl: zones: no preset is called %s; there are", preset);
		for (i = 0; zone_presets[i]; i++)
			fprintf(stderr, "%s %s", i ? "," : "", zone_presets[i]);
		fputc('\n', stderr);
		return 2;
	}
	json_init(&out);
	json_array(&out, NULL);
	for (i = 0; i < zone_pairs_count; i++) {
		if (zone_preset_has(preset, &zone_pairs[i]) <= 0)
			continue;
		private = zone_pairs[i].private;
		if (!json) {
			printf("%s %s\n", private ? private : "-", zone_pairs[i].public);
			continue;
		}
		json_object(&out, NULL);
		json_string(&out, "private", private);
		json_string(&out, "public", zone_pairs[i].public);
		json_object_end(&out);
	}
	json_array_end(&out);
	if (json)
		return print_json(&out);
	json_fini(&out);
	return 0;
}
