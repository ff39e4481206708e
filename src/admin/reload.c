/* SPDX-License-Identifier: MIT */
/*
 * A reload is: read the configuration, have the records loaded (loader.h), complete the view, offer
 * it, wake the workers, wait until all have taken it, have it saved, report. Nothing here waits:
 * not for files, since a share may hang, and not for workers, since one that hangs must not take
 * the control socket with it; so it is a machine of a few states, driven by the loader's callbacks
 * and a timer. Workers go on answering from the view they hold. A start is the same, but that its
 * first load is done before there is a loader; it is ready when all workers have the view.
 *
 * Nothing is applied in parts: a configuration with an error leaves the one in force, and its log
 * level, as they were. Errors in records are not of that kind: sources falls back file by file.
 * Nor are those of a cache that finds no memory and a control socket that cannot be opened, which
 * show only when it is tried: each stays as it was, with an error, and is tried again at the next
 * reload.
 *
 * Refused: a queue of requests. What a second request wants is that what is on disk now counts; one
 * run after the current one does that for any number of them. Who asks while a share hangs is told
 * so.
 */
#include "admin/reload.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/loader.h"
#include "admin/notify.h"
#include "base/clock.h"
#include "base/log.h"

/*
 * Between two looks at whether all workers have taken the new view; awake, they take
 * microseconds.
 */
#define SETTLE_POLL_MS 2
/* After this much waiting somebody should know, and looking less often will do. */
#define SETTLE_WARN_MS 5000
#define SETTLE_SLOW_MS 200

/* Between two looks at whether the loader hangs. */
#define HANGS_POLL_S 5

struct waiter {
	reload_done_fn *done;
	void *arg;
};

enum stage {
	STAGE_IDLE,
	STAGE_LOADING,  /* the job is the loader's */
	STAGE_OFFERED,  /* workers are to take the view */
	STAGE_SETTLING, /* the job is the loader's */
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
	struct event *run, *settle, *hangs;
	struct loader *loader;
	struct loader_job job;
	struct config *next;     /* of the run under way; NULL: the one in force */
	struct account *account; /* of the sources, as of the last load */
	enum stage stage;
	bool started, scheduled, warned, applied;
	bool first_saved; /* the start's view is in the state folder */
	bool hangs_told;
	bool abandoned; /* the loader could not be stopped: what it uses is its own */
	bool whole;     /* what is scheduled, and what runs: the configuration too, not changed
		     * records alone */
	bool whole_now;
	uint64_t offered_ms;
	struct told told; /* of the run under way */
	struct complaints complaints;
	struct waiter waiter[RELOAD_WAITERS_MAX];
	unsigned waiters, waiters_now; /* the first waiters_now belong to the run under way */
};

static void free_watched(struct loader_job *job)
{
	size_t i;

	for (i = 0; job->watched && i < job->watched_count; i++)
		free((char *)job->watched[i].path);
	free(job->watched);
	job->watched = NULL;
	job->watched_count = 0;
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
	assert(!reload->abandoned);
	build_release(reload->job.view);
	free_watched(&reload->job);
	account_free(reload->job.account);
	account_free(reload->account);
	config_free(reload->next);
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
	size_t troubled = account_troubled(reload->account);
	int len;

	len = snprintf(text, cap, "%zu records of %zu names from %zu files, %zu zones",
		       table_records(view->table), table_names(view->table),
		       account_count(reload->account), zones_count(view->zones));
	if (troubled && len > 0 && (size_t)len < cap)
		snprintf(text + len, cap - (size_t)len, "; %zu files with errors", troubled);
	return text;
}

int reload_first(struct reload *reload, struct err *err)
{
	struct build_input input = { .config = reload->config,
				     .own = reload->own,
				     .own_count = reload->own_count };
	struct complaints complaints = { .tell = complaint_log };
	struct view *view = build_view(reload->build, &input, &complaints, err);

	if (!view)
		return -1;
	publish_offer(reload->publish, view);
	reload->account = account_take(build_sources(reload->build));
	return reload->account ? 0 : err_set(err, "out of memory");
}

/* The job's, unless there was no memory for it. */
static void take_account(struct reload *reload, struct account *account)
{
	if (!account)
		return;
	account_free(reload->account);
	reload->account = account;
}

/*
 * The run is over, one way or the other: tells those who wait.
 */
static void report(struct reload *reload)
{
	struct reload_report report = { .applied = reload->applied,
					.told = &reload->told,
					.account = reload->account };
	unsigned i, now = reload->waiters_now;
	char text[256];

	reload_summary(reload, text, sizeof(text));
	if (!reload->started)
		log_write(LOG_LEVEL_NOTICE, "ready: %s", text);
	else if (reload->applied)
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
}

/* The records of the configuration in force are those to watch. Without memory: none. */
static void fill_watched(struct reload *reload)
{
	const struct config_records *records = reload->config->records.at;
	size_t count = reload->config->records.count;
	struct loader_job *job = &reload->job;

	job->watched = calloc(count + 1, sizeof(*job->watched));
	for (job->watched_count = 0; job->watched && job->watched_count < count;
	     job->watched_count++) {
		struct watch_entry *entry = &job->watched[job->watched_count];

		entry->path = strdup(records[job->watched_count].path);
		entry->poll_s = records[job->watched_count].poll_s;
		if (!entry->path) {
			free_watched(job);
			return;
		}
	}
}

/* What was loaded is served, or given up. */
static void settle(struct reload *reload, bool applied)
{
	reload->stage = STAGE_SETTLING;
	reload->applied = applied;
	reload->job.newest = publish_newest(reload->publish);
	reload->job.save = applied;
	fill_watched(reload);
	loader_settle(reload->loader, &reload->job);
}

static void on_job_settled(void *arg)
{
	struct reload *reload = arg;

	take_account(reload, reload->job.account);
	reload->job.account = NULL;
	reload->stage = STAGE_IDLE;
	/* That of the start has been given. */
	if (!reload->first_saved)
		told_fini(&reload->told);
	else
		report(reload);
	reload->first_saved = true;
	if (reload->scheduled)
		event_active(reload->run, EV_TIMEOUT, 0);
}

static void arm_settle(struct reload *reload, unsigned ms)
{
	struct timeval wait = { .tv_sec = ms / 1000, .tv_usec = (long)(ms % 1000) * 1000 };

	event_add(reload->settle, &wait);
}

static void on_settle(evutil_socket_t fd, short what, void *arg)
{
	struct reload *reload = arg;
	uint64_t waited_ms = clock_now_ms() - reload->offered_ms;

	(void)fd;
	(void)what;
	if (publish_settled(reload->publish)) {
		/* Saving waits for the disk. It is part of a reload's report; a start is ready
		 * without it. */
		if (!reload->started) {
			reload->applied = true;
			report(reload);
			told_init(&reload->told, complaint_log, NULL);
		}
		settle(reload, true);
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

static void take_config(struct reload *reload)
{
	if (!reload->next)
		return;
	if (reload->config != reload->first)
		config_free(reload->config);
	reload->config = reload->next;
	reload->next = NULL;
	reload_configure_log(&reload->conf, reload->config);
}

static void await_workers(struct reload *reload)
{
	workers_wake(reload->workers);
	reload->stage = STAGE_OFFERED;
	reload->warned = false;
	reload->offered_ms = clock_now_ms();
	arm_settle(reload, 0);
}

/* Nothing of this run is served. */
static void give_up(struct reload *reload, const struct err *err)
{
	if (err)
		complain(&reload->complaints, COMPLAINT_ERROR, NULL, 0, 0, "%s", err->text);
	build_release(reload->job.view);
	reload->job.view = NULL;
	config_free(reload->next);
	reload->next = NULL;
	settle(reload, false);
}

static void on_job_loaded(void *arg)
{
	struct reload *reload = arg;
	struct loader_job *job = &reload->job;
	struct err err;

	take_account(reload, job->account);
	job->account = NULL;
	if (!job->view) {
		give_up(reload, &job->err);
		return;
	}
	if (build_complete(reload->build, &job->input, job->view, &reload->complaints, &err) < 0) {
		give_up(reload, &err);
		return;
	}
	publish_offer(reload->publish, job->view);
	job->view = NULL;
	if (reload->next) {
		take_config(reload);
		reload->follow(reload->follow_arg, reload->config, &reload->complaints);
	}
	await_workers(reload);
}

static void load(struct reload *reload)
{
	reload->stage = STAGE_LOADING;
	reload->job.input =
		(struct build_input){ .config = reload->next ? reload->next : reload->config,
				      .own = reload->own,
				      .own_count = reload->own_count,
				      .changes_only = !reload->whole_now };
	reload->job.complaints = &reload->complaints;
	loader_load(reload->loader, &reload->job);
}

static void run(struct reload *reload)
{
	char restart[512];

	reload->complaints = (struct complaints){ .tell = told_add, .arg = &reload->told };
	if (!reload->whole_now) {
		load(reload);
		return;
	}
	reload->next = reload_read_config(&reload->conf, &reload->complaints);
	if (!reload->next) {
		give_up(reload, NULL);
		return;
	}
	if (config_restart(reload->first, reload->next, restart, sizeof(restart)))
		complain(&reload->complaints, COMPLAINT_WARNING, NULL, 0, 0,
			 "changed, and needs a restart to count: %s", restart);
	load(reload);
}

static void on_run(evutil_socket_t fd, short what, void *arg)
{
	struct reload *reload = arg;

	(void)fd;
	(void)what;
	if (reload->stage != STAGE_IDLE)
		return; /* its end starts the next one */
	reload->scheduled = false;
	reload->whole_now = reload->whole;
	reload->whole = false;
	reload->waiters_now = reload->waiters;
	told_init(&reload->told, complaint_log, NULL);
	if (reload->whole_now)
		notify_reloading();
	run(reload);
}

static void schedule(struct reload *reload)
{
	reload->scheduled = true;
	if (reload->stage == STAGE_IDLE)
		event_active(reload->run, EV_TIMEOUT, 0);
}

/* Says when the loader begins to hang, and when that is over. */
static void on_hangs(evutil_socket_t fd, short what, void *arg)
{
	struct reload *reload = arg;
	char text[READING_PATH_MAX + 128];
	bool hangs = reload_hangs(reload, text, sizeof(text));

	(void)fd;
	(void)what;
	if (hangs && !reload->hangs_told)
		log_write(LOG_LEVEL_WARNING, "records: %s; changes wait for it", text);
	else if (!hangs && reload->hangs_told)
		log_write(LOG_LEVEL_NOTICE, "records: what seemed to hang has been read");
	reload->hangs_told = hangs;
}

static void on_wanted(void *arg)
{
	schedule(arg);
}

static void on_stands(void *arg, struct account *account)
{
	take_account(arg, account);
}

int reload_attach(struct reload *reload, struct event_base *base, struct workers *workers,
		  reload_follow_fn *follow, void *arg, struct err *err)
{
	struct loader_calls calls = { .loaded = on_job_loaded,
				      .settled = on_job_settled,
				      .wanted = on_wanted,
				      .stands = on_stands,
				      .arg = reload };

	reload->workers = workers;
	reload->follow = follow;
	reload->follow_arg = arg;
	reload->run = event_new(base, -1, 0, on_run, reload);
	reload->settle = event_new(base, -1, 0, on_settle, reload);
	reload->hangs = event_new(base, -1, EV_PERSIST, on_hangs, reload);
	if (!reload->run || !reload->settle || !reload->hangs ||
	    event_add(reload->hangs, &(struct timeval){ .tv_sec = HANGS_POLL_S }) < 0)
		return err_set(err, "out of memory");
	reload->loader = loader_new(reload->build, base, &calls, err);
	if (!reload->loader)
		return -1;
	/* The start ends like a reload: when all workers have taken the view. */
	told_init(&reload->told, complaint_log, NULL);
	reload->complaints = (struct complaints){ .tell = told_add, .arg = &reload->told };
	reload->job.complaints = &reload->complaints;
	reload->stage = STAGE_OFFERED;
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
	if (reload->hangs)
		event_free(reload->hangs);
	reload->run = reload->settle = reload->hangs = NULL;
	if (loader_stop(reload->loader)) {
		loader_free(reload->loader);
		reload->loader = NULL;
	} else {
		reload->abandoned = true;
	}
}

bool reload_abandoned(const struct reload *reload)
{
	return reload && reload->abandoned;
}

bool reload_hangs(const struct reload *reload, char *text, size_t cap)
{
	char path[READING_PATH_MAX];
	uint64_t ms;

	if (!reload_reading(reload, path, &ms) || ms < RELOAD_HANGS_MS)
		return false;
	snprintf(text, cap,
		 "still reading %s since %" PRIu64
		 " s, which may hang; what was served is served on",
		 path, ms / 1000);
	return true;
}

bool reload_reading(const struct reload *reload, char path[READING_PATH_MAX], uint64_t *ret_ms)
{
	return loader_reading(reload->loader, path, ret_ms);
}

const struct account *reload_account(const struct reload *reload)
{
	return reload->account;
}

int reload_accept(struct reload *reload, const char *path, loader_accepted_fn *accepted, void *arg)
{
	return loader_accept(reload->loader, path, accepted, arg);
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
