/* SPDX-License-Identifier: MIT */
/*
 * A reload is: read the configuration, build a view, offer it, wake the workers, wait until all
 * have taken it, report. Everything up to the offer happens in one go on the main thread, which
 * has nothing else that could not wait; workers go on answering from the view they hold. The wait
 * is a timer and not a loop: a worker that hangs must not take the control socket with it. A
 * start is the same, and is ready when that wait is over.
 *
 * Nothing is applied in parts: a configuration with an error leaves the one in force, and its log
 * level, as they were. Errors in records are not of that kind: sources falls back file by file.
 * Nor are those of a cache that finds no memory and a control socket that cannot be opened, which
 * show only when it is tried: each stays as it was, with an error, and is tried again at the next
 * reload.
 *
 * Refused: a queue of requests. What a second request wants is that what is on disk now counts; one
 * run after the current one does that for any number of them.
 */
#include "admin/reload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/notify.h"
#include "base/clock.h"
#include "base/log.h"
#include "source/folders.h"
#include "source/watch.h"

/*
 * Between two looks at whether all workers have taken the new view; awake, they take
 * microseconds.
 */
#define SETTLE_POLL_MS 2
/* After this much waiting somebody should know, and looking less often will do. */
#define SETTLE_WARN_MS 5000
#define SETTLE_SLOW_MS 200

/* Between two looks at what is due by the clock: old records to warn of, a state folder to try. */
#define TEND_S 60

struct waiter {
	reload_done_fn *done;
	void *arg;
};

struct reload {
	struct reload_conf conf;
	struct config *config; /* in force */
	struct config *first;  /* of the start, for keys that need a restart; may be config */
	struct build *build;
	struct publish *publish;
	struct workers *workers;
	reload_follow_fn *follow;
	void *follow_arg;
	union addr *own;
	size_t own_count;
	struct event *run, *settle, *tend;
	struct watch *watch;
	bool started, scheduled, settling, warned;
	bool whole; /* what is scheduled, and what runs: the configuration too, not changed
		     * records alone */
	bool whole_now;
	uint64_t offered_ms;
	struct told told; /* of the run under way */
	struct waiter waiter[RELOAD_WAITERS_MAX];
	unsigned waiters, waiters_now; /* the first waiters_now belong to the run under way */
};

static void log_complaint(void *arg, const struct complaint *complaint)
{
	(void)arg;
	log_write(complaint->level == COMPLAINT_ERROR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, "%s",
		  complaint->text);
}

struct config *reload_read_config(const struct reload_conf *conf, struct complaints *to)
{
	bool missing = false;
	struct config *config = config_read(conf->config_path, &conf->options, to,
					    conf->config_may_miss ? &missing : NULL);

	return missing ? config_parse(NULL, NULL, 0, &conf->options, to) : config;
}

void reload_configure_log(const struct reload_conf *conf, const struct config *config)
{
	unsigned level = (unsigned)config->log.level + conf->verbose;

	log_configure(level > LOG_LEVEL_DEBUG ? LOG_LEVEL_DEBUG : (enum log_level)level,
		      config->log.format);
}

struct reload *reload_new(const struct reload_conf *conf, struct config *config,
			  struct build *build, struct publish *publish,
			  const struct listeners *listeners, struct err *err)
{
	struct reload *reload = calloc(1, sizeof(*reload));
	size_t i;

	if (!reload) {
		err_set(err, "out of memory");
		config_free(config);
		return NULL;
	}
	reload->conf = *conf;
	reload->config = reload->first = config;
	reload->build = build;
	reload->publish = publish;
	reload->own_count = listeners_count(listeners);
	reload->own = calloc(reload->own_count + 1, sizeof(*reload->own));
	if (!reload->own) {
		err_set(err, "out of memory");
		reload_free(reload);
		return NULL;
	}
	for (i = 0; i < reload->own_count; i++)
		reload->own[i] = *listeners_addr(listeners, i);
	return reload;
}

void reload_free(struct reload *reload)
{
	if (!reload)
		return;
	reload_detach(reload);
	if (reload->first != reload->config)
		config_free(reload->first);
	config_free(reload->config);
	told_fini(&reload->told);
	free(reload->own);
	free(reload);
}

const struct config *reload_config(const struct reload *reload)
{
	return reload->config;
}

const char *reload_summary(const struct reload *reload, char *text, size_t cap)
{
	const struct view *view = publish_newest(reload->publish);
	const struct sources *sources = build_sources(reload->build);
	size_t troubled = sources_troubled(sources);
	int len;

	len = snprintf(text, cap, "%zu records of %zu names from %zu files, %zu zones",
		       table_records(view->table), table_names(view->table), sources_count(sources),
		       zones_count(view->zones));
	if (troubled && len > 0 && (size_t)len < cap)
		snprintf(text + len, cap - (size_t)len, "; %zu files with errors", troubled);
	return text;
}

static int build_next(struct reload *reload, const struct config *config, bool changes_only,
		      struct complaints *complaints, struct err *err)
{
	struct build_input input = { .config = config,
				     .own = reload->own,
				     .own_count = reload->own_count,
				     .changes_only = changes_only };
	struct view *view;

	build_settled(reload->build, publish_newest(reload->publish));
	view = build_view(reload->build, &input, complaints, err);
	if (!view)
		return -1;
	publish_offer(reload->publish, view);
	return 0;
}

int reload_first(struct reload *reload, struct err *err)
{
	struct complaints complaints = { .tell = log_complaint };

	return build_next(reload, reload->config, false, &complaints, err);
}

/* The records of the configuration in force are those to watch. */
static void follow_records(struct reload *reload)
{
	const struct config_records *records = reload->config->records.at;
	size_t i, count = reload->config->records.count;
	struct watch_entry *entries = calloc(count + 1, sizeof(*entries));
	int result = -1;

	for (i = 0; entries && i < count; i++)
		entries[i] = (struct watch_entry){ records[i].path, records[i].poll_s };
	if (entries)
		result = watch_follow(reload->watch, entries, count);
	if (result < 0)
		log_write(LOG_LEVEL_WARNING, "records: no memory to watch them; reload by hand");
	free(entries);
}

/*
 * The run is over, one way or the other: tells those who wait, and starts the next if some came
 * since.
 */
static void finish(struct reload *reload, bool applied)
{
	struct reload_report report = { .applied = applied, .told = &reload->told };
	unsigned i, now = reload->waiters_now;
	char text[256];

	reload_summary(reload, text, sizeof(text));
	if (!reload->started)
		log_write(LOG_LEVEL_NOTICE, "ready: %s", text);
	else if (applied)
		log_write(LOG_LEVEL_NOTICE, "%s: %s",
			  reload->whole_now ? "reload done" : "changed records taken", text);
	else
		log_write(LOG_LEVEL_ERROR, "reload failed: everything is as it was, %s", text);
	notify_ready(text);
	reload->started = true;
	for (i = 0; i < now; i++) {
		if (reload->waiter[i].done)
			reload->waiter[i].done(reload->waiter[i].arg, &report);
	}
	reload->waiters -= now;
	memmove(reload->waiter, reload->waiter + now, reload->waiters * sizeof(reload->waiter[0]));
	reload->waiters_now = 0;
	told_fini(&reload->told);
	follow_records(reload);
	if (reload->scheduled)
		event_active(reload->run, EV_TIMEOUT, 0);
}

static void arm_settle(struct reload *reload, unsigned ms)
{
	struct timeval wait = { .tv_sec = ms / 1000, .tv_usec = (long)(ms % 1000) * 1000 };

	event_add(reload->settle, &wait);
}

/* To the state folder: after the records are served, since it waits for the disk. */
static void save(struct reload *reload)
{
	struct complaints complaints = { .tell = reload->started ? told_add : log_complaint,
					 .arg = &reload->told };

	build_save(reload->build, &complaints);
}

static void on_settle(evutil_socket_t fd, short what, void *arg)
{
	struct reload *reload = arg;
	uint64_t waited_ms = clock_now_ms() - reload->offered_ms;
	bool first = !reload->started;

	(void)fd;
	(void)what;
	if (publish_settled(reload->publish)) {
		reload->settling = false;
		build_settled(reload->build, publish_newest(reload->publish));
		/* Part of a reload's report; but a start is ready without it. */
		if (!first)
			save(reload);
		finish(reload, true);
		if (first)
			save(reload);
		return;
	}
	if (waited_ms > SETTLE_WARN_MS && !reload->warned) {
		reload->warned = true;
		log_write(LOG_LEVEL_WARNING,
			  "reload: a worker has not taken the new records for %d s",
			  SETTLE_WARN_MS / 1000);
	}
	arm_settle(reload, waited_ms > SETTLE_WARN_MS ? SETTLE_SLOW_MS : SETTLE_POLL_MS);
}

static void take_config(struct reload *reload, struct config *config)
{
	if (reload->config != reload->first)
		config_free(reload->config);
	reload->config = config;
	reload_configure_log(&reload->conf, config);
}

static void await_workers(struct reload *reload)
{
	workers_wake(reload->workers);
	reload->settling = true;
	reload->warned = false;
	reload->offered_ms = clock_now_ms();
	arm_settle(reload, 0);
}

/* Records that have changed, and nothing else. */
static void run_changes(struct reload *reload, struct complaints *complaints)
{
	struct err err;

	if (build_next(reload, reload->config, true, complaints, &err) < 0) {
		complain(complaints, COMPLAINT_ERROR, NULL, 0, 0, "%s", err.text);
		finish(reload, false);
		return;
	}
	await_workers(reload);
}

static void run(struct reload *reload)
{
	struct complaints complaints = { .tell = told_add, .arg = &reload->told };
	struct config *config;
	struct err err = { .text = "" };
	char restart[512];

	if (!reload->whole_now) {
		run_changes(reload, &complaints);
		return;
	}
	config = reload_read_config(&reload->conf, &complaints);
	if (!config) {
		finish(reload, false);
		return;
	}
	if (config_restart(reload->first, config, restart, sizeof(restart)))
		complain(&complaints, COMPLAINT_WARNING, NULL, 0, 0,
			 "changed, and needs a restart to count: %s", restart);
	if (build_next(reload, config, false, &complaints, &err) < 0) {
		complain(&complaints, COMPLAINT_ERROR, NULL, 0, 0, "%s", err.text);
		config_free(config);
		finish(reload, false);
		return;
	}
	take_config(reload, config);
	reload->follow(reload->follow_arg, config, &complaints);
	await_workers(reload);
}

static void on_run(evutil_socket_t fd, short what, void *arg)
{
	struct reload *reload = arg;

	(void)fd;
	(void)what;
	if (reload->settling)
		return; /* finish() starts the next one */
	reload->scheduled = false;
	reload->whole_now = reload->whole;
	reload->whole = false;
	reload->waiters_now = reload->waiters;
	told_init(&reload->told, log_complaint, NULL);
	if (reload->whole_now)
		notify_reloading();
	run(reload);
}

static void schedule(struct reload *reload)
{
	reload->scheduled = true;
	if (!reload->settling)
		event_active(reload->run, EV_TIMEOUT, 0);
}

static void on_records_changed(void *arg)
{
	schedule(arg);
}

static void on_tend(evutil_socket_t fd, short what, void *arg)
{
	struct complaints complaints = { .tell = log_complaint };
	struct reload *reload = arg;

	(void)fd;
	(void)what;
	/* A run under way saves at its end. */
	if (!reload->settling && build_tend(reload->build, &complaints))
		schedule(reload);
}

static void on_watch_warning(void *arg, const char *text)
{
	(void)arg;
	log_write(LOG_LEVEL_WARNING, "%s", text);
}

int reload_attach(struct reload *reload, struct event_base *base, struct workers *workers,
		  reload_follow_fn *follow, void *arg, struct err *err)
{
	struct watch_conf watch = { .base = base,
				    .still = build_still(reload->build),
				    .folders_max = FOLDERS_MAX,
				    .changed = on_records_changed,
				    .warn = on_watch_warning,
				    .arg = reload };

	reload->workers = workers;
	reload->follow = follow;
	reload->follow_arg = arg;
	reload->run = event_new(base, -1, 0, on_run, reload);
	reload->settle = event_new(base, -1, 0, on_settle, reload);
	reload->tend = event_new(base, -1, EV_PERSIST, on_tend, reload);
	if (!reload->run || !reload->settle || !reload->tend ||
	    event_add(reload->tend, &(struct timeval){ .tv_sec = TEND_S }) < 0)
		return err_set(err, "out of memory");
	reload->watch = watch_new(&watch, err);
	if (!reload->watch)
		return -1;
	/* The start ends like a reload: when all workers have taken the view. */
	reload->settling = true;
	reload->offered_ms = clock_now_ms();
	arm_settle(reload, 0);
	return 0;
}

void reload_detach(struct reload *reload)
{
	if (reload->run)
		event_free(reload->run);
	if (reload->settle)
		event_free(reload->settle);
	if (reload->tend)
		event_free(reload->tend);
	reload->run = reload->settle = reload->tend = NULL;
	watch_free(reload->watch);
	reload->watch = NULL;
}

int reload_request(struct reload *reload, reload_done_fn *done, void *arg)
{
	if (done && reload->waiters == RELOAD_WAITERS_MAX)
		return -1;
	if (done)
		reload->waiter[reload->waiters++] = (struct waiter){ done, arg };
	reload->whole = true;
	schedule(reload);
	return 0;
}
