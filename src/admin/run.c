/* SPDX-License-Identifier: MIT */
/*
 * Everything that the main thread does after the start is a reaction to one of a few things, and
 * each is one small callback: SIGHUP, SIGTERM and SIGINT, a client of the control socket, something
 * from a worker, a log line from a worker, what a worker met at a TLS upstream, resolv.conf, the
 * watchdog.
 *
 * The watchdog is fed only while every worker has answered the last ping: a server of which one
 * worker hangs loses a part of all questions and is better started anew.
 *
 * At the end the workers stop first: they end the explanations that clients wait for. Then the
 * control, which holds requests that reload knows; the caller frees that after.
 */
#include "admin/run.h"

#include <event2/event.h>
#include <signal.h>
#include <stddef.h>

#include "admin/certificate.h"
#include "admin/loopzones.h"
#include "admin/notify.h"
#include "admin/start.h"
#include "admin/system.h"
#include "base/clock.h"
#include "base/log.h"
#include "upstream/tls.h"
#include "upstream/told.h"

struct run {
	struct event_base *base;
	const struct control_parts *parts;
	struct control *control;
	struct system_watch *system;
	struct event *hup, *term, *intr, *workers, *log, *upstreams, *watchdog;
};

static void on_hup(evutil_socket_t fd, short what, void *arg)
{
	struct run *run = arg;

	(void)fd;
	(void)what;
	log_write(LOG_LEVEL_NOTICE, "SIGHUP: reading everything again");
	reload_request(run->parts->reload, NULL, NULL);
}

static void on_stop(evutil_socket_t fd, short what, void *arg)
{
	struct run *run = arg;

	(void)what;
	log_write(LOG_LEVEL_NOTICE, "%s: stopping", fd == SIGTERM ? "SIGTERM" : "SIGINT");
	event_base_loopbreak(run->base);
}

static void on_workers(evutil_socket_t fd, short what, void *arg)
{
	struct run *run = arg;

	(void)fd;
	(void)what;
	workers_dispatch(run->parts->workers);
}

static void on_log(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	log_ring_drain();
}

static void tell_of_upstream(void *arg, bool good, const char *line)
{
	(void)arg;
	log_write(good ? LOG_LEVEL_NOTICE : LOG_LEVEL_WARNING, "%s", line);
}

static void on_upstreams(evutil_socket_t fd, short what, void *arg)
{
	struct timeval minute = { .tv_sec = 60 };
	struct run *run = arg;
	struct upstreams *upstreams = build_upstreams(run->parts->build);

	(void)fd;
	(void)what;
	upstreams_quiet(upstreams);
	upstreams_tls_tell(upstreams, tell_of_upstream, NULL);
	if (upstreams_tell(upstreams, tell_of_upstream, NULL, clock_now_ms()))
		event_remove_timer(run->upstreams);
	else
		event_add(run->upstreams, &minute);
}

static void on_watchdog(evutil_socket_t fd, short what, void *arg)
{
	struct run *run = arg;

	(void)fd;
	(void)what;
	if (!workers_alive(run->parts->workers)) {
		log_write(LOG_LEVEL_ERROR, "watchdog: a worker does not answer");
		return;
	}
	notify_watchdog();
	workers_ping(run->parts->workers);
}

static void on_resolv_conf(void *arg)
{
	struct run *run = arg;

	if (!build_uses_system(reload_config(run->parts->reload)))
		return;
	log_write(LOG_LEVEL_NOTICE, BUILD_RESOLV_PATH " has changed: reading it again");
	reload_request(run->parts->reload, NULL, NULL);
}

/* The control socket of a configuration that has come into force. */
static int follow_control(struct run *run, const char *path, struct err *err)
{
	int fd;

	if (run->control)
		return control_move(run->control, path, err);
	if (control_open(path, (uid_t)-1, (gid_t)-1, &fd, err) < 0)
		return -1;
	run->control = control_new(run->base, fd, path, run->parts, err);
	if (!run->control)
		control_close(fd, path);
	return run->control ? 0 : -1;
}

static void follow_certificate(struct tls_server *server, const struct config *config,
			       struct complaints *to)
{
	struct err err;

	/* That nothing is to be answered over TLS any more needs a restart. */
	if (!server || !config->server.listen_tls.count)
		return;
	if (certificate_load(config, server, to, &err) < 0)
		complain(to, COMPLAINT_ERROR, NULL, 0, 0,
			 "%s; the certificate of before stays in use", err.text);
	else
		certificate_tell(server);
}

static void on_config(void *arg, const struct config *config, struct complaints *to)
{
	struct forward_limits limits = start_limits(config);
	struct run *run = arg;
	struct err err;

	if (forward_shared_configure(run->parts->forward, &limits, &err) < 0)
		complain(to, COMPLAINT_ERROR, config->path, 0, 0, "cache.size: %s", err.text);
	if (loopzones_follow(run->parts->forward, publish_newest(run->parts->publish), &err) < 0)
		complain(to, COMPLAINT_ERROR, NULL, 0, 0, "forwarding loops: %s", err.text);
	follow_certificate(run->parts->tls, config, to);
	/* That the socket which is built in is not to be had was a warning, at the start. */
	if (follow_control(run, config->control_socket, &err) < 0 &&
	    (run->control || config_given(config, "control.socket")))
		complain(to, COMPLAINT_ERROR, config->path, 0, 0, "control.socket: %s", err.text);
}

static struct event *add(struct run *run, int fd, short what, event_callback_fn call, unsigned ms)
{
	struct timeval wait = { .tv_sec = ms / 1000, .tv_usec = (long)(ms % 1000) * 1000 };
	struct event *event = event_new(run->base, fd, (short)(what | EV_PERSIST), call, run);

	if (event && event_add(event, ms ? &wait : NULL) == 0)
		return event;
	if (event)
		event_free(event);
	return NULL;
}

static int begin(struct run *run, struct err *err)
{
	unsigned watchdog_ms = notify_watchdog_ms();

	run->hup = add(run, SIGHUP, EV_SIGNAL, on_hup, 0);
	run->term = add(run, SIGTERM, EV_SIGNAL, on_stop, 0);
	run->intr = add(run, SIGINT, EV_SIGNAL, on_stop, 0);
	run->workers = add(run, workers_fd(run->parts->workers), EV_READ, on_workers, 0);
	run->log = add(run, log_ring_fd(), EV_READ, on_log, 0);
	run->upstreams = add(run, upstreams_news_fd(build_upstreams(run->parts->build)), EV_READ,
			     on_upstreams, 0);
	run->system = system_watch_new(run->base, on_resolv_conf, run);
	if (watchdog_ms)
		run->watchdog = add(run, -1, 0, on_watchdog, watchdog_ms);
	if (!run->hup || !run->term || !run->intr || !run->workers || !run->log ||
	    !run->upstreams || !run->system || (watchdog_ms && !run->watchdog))
		return err_set(err, "the main loop: out of memory or descriptors");
	if (loopzones_follow(run->parts->forward, publish_newest(run->parts->publish), err) < 0)
		return -1;
	return reload_attach(run->parts->reload, run->base, run->parts->workers, on_config, run,
			     err);
}

static void end(struct run *run)
{
	struct event *events[] = { run->hup, run->term,      run->intr,    run->workers,
				   run->log, run->upstreams, run->watchdog };
	size_t i;

	workers_stop(run->parts->workers);
	control_free(run->control);
	system_watch_free(run->system);
	for (i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		if (events[i])
			event_free(events[i]);
	}
	log_ring_drain();
}

int run_until_stopped(const struct control_parts *parts, int *control_fd, const char *control_path,
		      struct err *err)
{
	struct run run = { .parts = parts, .base = event_base_new() };
	int result = -1;

	if (!run.base) {
		err_set(err, "the main loop: out of memory");
		return -1;
	}
	if (*control_fd >= 0)
		run.control = control_new(run.base, *control_fd, control_path, parts, err);
	if (run.control)
		*control_fd = -1;
	if (*control_fd < 0 && begin(&run, err) == 0) {
		event_base_dispatch(run.base);
		notify_stopping();
		result = 0;
	}
	end(&run);
	/* Events of reload live on this base, and it is freed after us. */
	reload_detach(parts->reload);
	event_base_free(run.base);
	return result;
}
