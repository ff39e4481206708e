/* SPDX-License-Identifier: MIT */
/*
 * privlinkd: options, start in order, wait, stop in reverse.
 *
 * The order is what this file is about. The configuration comes first, since it says everything
 * else. Sockets are opened while we are root; then we are not any more; then files are read, and
 * the view is offered before there are workers to take it. The loop of the main thread logs
 * "ready" once all of them have. Stopping undoes it backwards; every x_free takes what x_new
 * never made.
 */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "admin/certificate.h"
#include "admin/check.h"
#include "admin/options.h"
#include "admin/reload.h"
#include "admin/run.h"
#include "admin/start.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "net/random.h"

static int seed(struct err *err)
{
	uint8_t key[32];

	if (random_start(err) < 0)
		return -1;
	random_bytes(key, sizeof(key));
	hash_seed(key);
	return 0;
}

static void tell_listeners(const struct listeners *listeners, const struct tls_server *tls)
{
	char text[ADDR_TEXT_MAX];
	size_t i;

	for (i = 0; i < listeners_count(listeners); i++)
		log_write(LOG_LEVEL_NOTICE, "listening on %s%s",
			  addr_to_text(listeners_addr(listeners, i), 0, text),
			  listeners_tls(listeners, i) ? " for TLS" : "");
	if (tls)
		certificate_tell(tls);
}

/* With the sockets open. 0, or -1 and *err. */
static int serve(const struct reload_conf *conf, struct config *config, struct listeners *listeners,
		 struct err *err)
{
	struct workers_conf workers_conf = start_workers_conf(config);
	unsigned count = listeners_workers(listeners);
	struct forward_conf forward_conf = start_forward(config, count);
	struct control_parts parts = { .listeners = listeners, .started_ms = clock_now_ms() };
	struct complaints complaints = { .tell = complaint_log };
	const char *control_path = config->control_socket;
	int control_fd = -1, result = -1;

	parts.build = build_new();
	parts.publish = publish_new(count, build_release);
	if (!parts.build || !parts.publish) {
		err_set(err, "out of memory");
		config_free(config);
		goto stop;
	}
	parts.reload = reload_new(conf, config, parts.build, parts.publish, listeners, err);
	if (!parts.reload || certificate_start(config, &parts.tls, &complaints, err) < 0 ||
	    start_privileges(config, &control_fd, err) < 0)
		goto stop;
	certificate_check_user(config, &complaints);
	if (reload_first(parts.reload, err) < 0 ||
	    start_check_sources(build_sources(parts.build), err) < 0)
		goto stop;
	parts.forward = forward_shared_new(&forward_conf, build_upstreams(parts.build), err);
	if (!parts.forward)
		goto stop;
	parts.workers =
		workers_new(&workers_conf, listeners, parts.publish, parts.forward, parts.tls, err);
	if (!parts.workers || workers_start(parts.workers, err) < 0)
		goto stop;
	tell_listeners(listeners, parts.tls);
	result = run_until_stopped(&parts, &control_fd, control_path, err);
stop:
	control_close(control_fd, control_path);
	workers_free(parts.workers);
	tls_server_free(parts.tls);
	forward_shared_free(parts.forward);
	/* The rest is the loader's as long as a share hangs, and nobody waits for that. */
	if (reload_abandoned(parts.reload))
		_exit(result < 0 ? EXIT_BAD_CONFIG : EXIT_DONE);
	publish_free(parts.publish);
	reload_free(parts.reload);
	build_free(parts.build);
	return result;
}

static int start(const struct reload_conf *conf)
{
	struct complaints complaints = { .tell = complaint_log };
	struct listeners *listeners;
	struct config *config;
	struct err err = { .text = "" };
	char keys[512];
	int code = EXIT_BAD_CONFIG;

	signal(SIGPIPE, SIG_IGN);
	/* For what is wrong with the configuration itself. */
	log_configure(LOG_LEVEL_NOTICE, LOG_FORMAT_TEXT);
	if (seed(&err) < 0)
		goto fail;
	config = reload_read_config(conf, &complaints);
	if (!config)
		return EXIT_BAD_CONFIG;
	reload_configure_log(conf, config);
	if (config_inactive(config, keys, sizeof(keys)))
		log_write(LOG_LEVEL_NOTICE, "not active in this version: %s", keys);
	listeners = listeners_new(config->server.listen.at, config->server.listen.count,
				  start_workers(config), &err);
	if (!listeners || listeners_add_tls(listeners, config->server.listen_tls.at,
					    config->server.listen_tls.count, &err) < 0) {
		listeners_free(listeners);
		config_free(config);
		code = EXIT_CANNOT_LISTEN;
		goto fail;
	}
	code = serve(conf, config, listeners, &err) < 0 ? EXIT_BAD_CONFIG : EXIT_DONE;
	listeners_free(listeners);
	if (code == EXIT_DONE)
		return code;
fail:
	log_write(LOG_LEVEL_ERROR, "%s", err.text);
	return code;
}

int main(int argc, char **argv)
{
	struct options options;
	int code = options_read(&options, argc, argv);

	if (code == OPTIONS_GO_ON && options.check)
		code = check_configuration(&options.conf) < 0 ? EXIT_BAD_CONFIG : EXIT_DONE;
	else if (code == OPTIONS_GO_ON)
		code = start(&options.conf);
	options_fini(&options);
	return code;
}
