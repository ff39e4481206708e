/* SPDX-License-Identifier: MIT */
/*
 * The same calls as a start, up to the view, which nobody then gets. What differs: complaints go to
 * standard error as they are, without a level of the log in the way, and the addresses that we
 * would listen on stand in for the sockets, so that `system` leaves out the same servers. Root
 * becomes the configured user before it reads records, as at a start: whether that user may read
 * them is found out by being that user. The configuration is read as root, as at a start, but a
 * reload will read it as that user.
 * One thread.
 */
#include "admin/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "admin/certificate.h"
#include "admin/privdrop.h"
#include "admin/start.h"
#include "zone/table.h"

static void print(void *arg, const struct complaint *complaint)
{
	(void)arg;
	complaint_print(stderr, complaint);
}

void check_print_sources(const struct sources *sources)
{
	const struct source_status *source;
	size_t i;

	for (i = 0; i < sources_count(sources); i++) {
		source = sources_status(sources, i);
		complaint_put(stdout, source->path, strlen(source->path));
		printf(": %s, %zu records, %zu errors, %zu warnings\n",
		       source_format_name(source->format), source->records, source->errors,
		       source->warnings);
	}
}

static void sum_up(const struct view *view, const struct build *build,
		   const struct complaints *complaints)
{
	const struct sources *sources = build_sources(build);

	check_print_sources(sources);
	printf("%zu records of %zu names from %zu files, %zu zones: %zu errors, %zu warnings\n",
	       table_records(view->table), table_names(view->table), sources_count(sources),
	       zones_count(view->zones), complaints->errors, complaints->warnings);
}

/* Becomes the user that a server would be. A user of the built-in defaults may be missing. */
static void become_user(const struct config *config, struct complaints *complaints)
{
	struct privdrop drop = { .wanted = false };
	struct err err;

	if (privdrop_find(config->server.user, &drop, &err) < 0) {
		if (config_given(config, "server.user"))
			complain(complaints, COMPLAINT_ERROR, config->path, 0, 0, "server.user: %s",
				 err.text);
		return;
	}
	if (!drop.wanted)
		return;
	if (privdrop_apply(&drop, &err) < 0)
		complain(complaints, COMPLAINT_ERROR, config->path, 0, 0, "server.user: %s",
			 err.text);
	else if (config->path && access(config->path, R_OK) < 0 && errno == EACCES)
		complain(complaints, COMPLAINT_WARNING, config->path, 0, 0,
			 "user %s, as which the server runs, may not read this, so no reload will "
			 "do; give it the right to",
			 drop.user);
}

/* Read as a start would: before the user is changed. */
static void check_certificate(const struct config *config, struct complaints *complaints)
{
	struct tls_server *server = NULL;
	struct err err;

	if (certificate_start(config, &server, complaints, &err) < 0)
		complain(complaints, COMPLAINT_ERROR, NULL, 0, 0, "%s", err.text);
	tls_server_free(server);
}

/* An error at a start; here a warning, since a service manager may be about to make it. */
static void check_state(const struct config *config, struct complaints *complaints)
{
	struct err err;

	if (start_check_state(config, &err) < 0)
		complain(complaints, COMPLAINT_WARNING, config->path, 0, 0, "%s", err.text);
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
		check_certificate(config, &complaints);
		check_state(config, &complaints);
		become_user(config, &complaints);
		certificate_check_user(config, &complaints);
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
