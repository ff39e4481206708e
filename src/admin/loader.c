/* SPDX-License-Identifier: MIT */
/*
 * stat(2) and read(2) of a file on a share whose server is gone do not return, and nothing can make
 * them. So they are done on a thread that nobody waits for. It has an event loop of its own, since
 * the watch needs one, with a mailbox in it; another mailbox leads back to the main thread.
 *
 * Every datum has one owner. The records' half of the build and the watch are this thread's while
 * it runs. A job, an accept and an account belong to whoever has the letter. Views are made here
 * and then main's; what they share with sources is counted by references, which any thread may
 * drop. What is being read is told by struct reading, which has a lock.
 *
 * Complaints of a load are logged from here: a line is one write(2), and a log that blocks holds up
 * loading and not the server.
 *
 * Answering comes first where both want one CPU, so this thread is nicer than the workers.
 *
 * A stop cannot wait for a share. It waits for the state folder, though, so that a server that has
 * just begun can be stopped without losing what it read; after that the thread is left where it
 * is. Refused: pthread_cancel, which leaves locks held and memory half written.
 */
#include "admin/loader.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mailbox.h"
#include "source/folders.h"

/* Between two looks at what is due by the clock: old records to warn of, a state folder to try. */
#define TEND_S 60
/*
 * Of nice(2): a quarter of a CPU that a worker wants all of, so that a load still ends. The worker
 * that wakes goes before at once.
 */
#define LOADER_NICE 6
/* What a stop waits for: a saving or an idle thread, and one that reads. */
#define STOP_SAVING_MS 5000
#define STOP_READING_MS 200
#define STOP_POLL_MS 2
/* To the loader: a job, accepts, a stop. Back: the same, and news of the watch and the clock. */
#define LETTERS (LOADER_ACCEPTS_MAX + 16)

enum letter_kind {
	LETTER_LOAD,
	LETTER_SETTLE,
	LETTER_ACCEPT,
	LETTER_STOP,
	LETTER_LOADED, /* home, from here on */
	LETTER_SETTLED,
	LETTER_ACCEPTED,
	LETTER_WANTED,
	LETTER_STANDS,
};

struct accept {
	loader_accepted_fn *accepted;
	void *arg;
	bool good;
	struct err err;
	char path[];
};

struct loader {
	struct build *build;
	pthread_t thread;
	struct mailbox *box, *home;
	/* Main's. */
	struct loader_calls calls;
	struct event *home_event;
	unsigned accepts;
	bool running;
	atomic_bool saving; /* set by main, cleared by the thread */
	/*
	 * News that wait at home, one of each kind: so there is always room for what must come
	 * through, however long main is held up. Set by the thread, cleared by main.
	 */
	atomic_bool wanted, stands;
	/* The thread's, once it runs. */
	struct event_base *base;
	struct event *box_event, *tend;
	struct watch *watch;
	bool busy; /* between a load and its settling */
};

/* ---- the thread ------------------------------------------------------------------------------ */

/* One job, bounded accepts and one of each kind of news have room. */
static void post_back(struct loader *loader, enum letter_kind kind, void *pointer)
{
	bool posted =
		mailbox_post(loader->home, &(struct letter){ .kind = kind, .pointer = pointer });

	assert(posted);
	(void)posted;
}

static void want(struct loader *loader)
{
	if (!atomic_exchange(&loader->wanted, true))
		post_back(loader, LETTER_WANTED, NULL);
}

static void load(struct loader *loader, struct loader_job *job)
{
	loader->busy = true;
	job->view = build_records(loader->build, &job->input, job->complaints, &job->err);
	job->account = account_take(build_sources(loader->build));
	post_back(loader, LETTER_LOADED, job);
}

static void follow(struct loader *loader, struct watch_entry *watched, size_t count)
{
	if (!watched || watch_follow(loader->watch, watched, count) < 0)
		log_write(LOG_LEVEL_WARNING, "records: no memory to watch them; reload by hand");
	for (size_t i = 0; watched && i < count; i++)
		free((char *)watched[i].path);
	free(watched);
}

static void settle(struct loader *loader, struct loader_job *job)
{
	struct watch_entry *watched = job->watched;
	size_t count = job->watched_count;

	build_settled(loader->build, job->newest);
	if (job->save)
		build_save(loader->build, job->complaints);
	atomic_store(&loader->saving, false);
	job->account = account_take(build_sources(loader->build));
	job->watched = NULL;
	loader->busy = false;
	post_back(loader, LETTER_SETTLED, job);
	/* Looks at every file, which may take its time. */
	follow(loader, watched, count);
}

static void on_letter(evutil_socket_t fd, short what, void *arg)
{
	struct loader *loader = arg;
	struct letter letter;
	struct accept *accept;

	(void)fd;
	(void)what;
	while (mailbox_take(loader->box, &letter)) {
		switch ((enum letter_kind)letter.kind) {
		case LETTER_LOAD:
			load(loader, letter.pointer);
			break;
		case LETTER_SETTLE:
			settle(loader, letter.pointer);
			break;
		case LETTER_ACCEPT:
			accept = letter.pointer;
			accept->good = build_accept(loader->build, accept->path, &accept->err) == 0;
			post_back(loader, LETTER_ACCEPTED, accept);
			break;
		case LETTER_STOP:
			event_base_loopbreak(loader->base);
			return;
		default:
			assert(!"a letter of the other box");
		}
	}
}

static void on_tend(evutil_socket_t fd, short what, void *arg)
{
	struct complaints complaints = { .tell = complaint_log };
	struct loader *loader = arg;
	struct account *account;

	(void)fd;
	(void)what;
	/* A run under way saves at its end. */
	if (loader->busy)
		return;
	if (build_tend(loader->build, &complaints))
		want(loader);
	if (atomic_load(&loader->stands))
		return;
	account = account_take(build_sources(loader->build));
	if (!account)
		return;
	atomic_store(&loader->stands, true);
	post_back(loader, LETTER_STANDS, account);
}

static void on_records_changed(void *arg)
{
	want(arg);
}

static void on_watch_warning(void *arg, const char *text)
{
	(void)arg;
	log_write(LOG_LEVEL_WARNING, "%s", text);
}

static void *loader_run(void *arg)
{
	struct loader *loader = arg;

	/* The thread's own, under Linux; that it stays as it was does no harm. */
	(void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), LOADER_NICE);
	event_base_dispatch(loader->base);
	return NULL;
}

/* ---- main ------------------------------------------------------------------------------------ */

static void on_home(evutil_socket_t fd, short what, void *arg)
{
	struct loader *loader = arg;
	struct letter letter;
	struct accept *accept;

	(void)fd;
	(void)what;
	while (mailbox_take(loader->home, &letter)) {
		switch ((enum letter_kind)letter.kind) {
		case LETTER_LOADED:
			loader->calls.loaded(loader->calls.arg);
			break;
		case LETTER_SETTLED:
			loader->calls.settled(loader->calls.arg);
			break;
		case LETTER_ACCEPTED:
			accept = letter.pointer;
			loader->accepts--;
			accept->accepted(accept->arg, accept->good ? NULL : &accept->err);
			free(accept);
			break;
		case LETTER_WANTED:
			atomic_store(&loader->wanted, false);
			loader->calls.wanted(loader->calls.arg);
			break;
		case LETTER_STANDS:
			atomic_store(&loader->stands, false);
			loader->calls.stands(loader->calls.arg, letter.pointer);
			break;
		default:
			assert(!"a letter of the other box");
		}
	}
}

static int loader_prepare(struct loader *loader, struct event_base *base, struct err *err)
{
	struct watch_conf watch = { .still = build_still(loader->build),
				    .reading = build_reading(loader->build),
				    .folders_max = FOLDERS_MAX,
				    .changed = on_records_changed,
				    .warn = on_watch_warning,
				    .arg = loader };

	loader->box = mailbox_new(LETTERS);
	loader->home = mailbox_new(LETTERS);
	loader->base = event_base_new();
	if (!loader->box || !loader->home || !loader->base)
		return err_set(err, "the loading thread: out of memory or descriptors");
	loader->home_event =
		event_new(base, mailbox_fd(loader->home), EV_READ | EV_PERSIST, on_home, loader);
	loader->box_event = event_new(loader->base, mailbox_fd(loader->box), EV_READ | EV_PERSIST,
				      on_letter, loader);
	loader->tend = event_new(loader->base, -1, EV_PERSIST, on_tend, loader);
	if (!loader->home_event || !loader->box_event || !loader->tend ||
	    event_add(loader->home_event, NULL) < 0 || event_add(loader->box_event, NULL) < 0 ||
	    event_add(loader->tend, &(struct timeval){ .tv_sec = TEND_S }) < 0)
		return err_set(err, "the loading thread: out of memory");
	watch.base = loader->base;
	loader->watch = watch_new(&watch, err);
	return loader->watch ? 0 : -1;
}

struct loader *loader_new(struct build *build, struct event_base *base,
			  const struct loader_calls *calls, struct err *err)
{
	struct loader *loader = calloc(1, sizeof(*loader));
	sigset_t all, before;
	int error;

	if (!loader) {
		err_set(err, "out of memory");
		return NULL;
	}
	loader->build = build;
	loader->calls = *calls;
	if (loader_prepare(loader, base, err) < 0) {
		loader_free(loader);
		return NULL;
	}
	/* Signals are main's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&loader->thread, NULL, loader_run, loader);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error) {
		err_set(err, "cannot start the loading thread: %s; allow more tasks (TasksMax=)",
			strerror(error));
		loader_free(loader);
		return NULL;
	}
	pthread_setname_np(loader->thread, "loader");
	loader->running = true;
	return loader;
}

/* A letter to the thread: one job, bounded accepts and one stop have room. */
static void post(struct loader *loader, enum letter_kind kind, void *pointer)
{
	bool posted =
		mailbox_post(loader->box, &(struct letter){ .kind = kind, .pointer = pointer });

	assert(posted);
	(void)posted;
}

bool loader_stop(struct loader *loader)
{
	const struct timespec poll = { .tv_nsec = STOP_POLL_MS * 1000000 };
	uint64_t begin_ms = clock_now_ms(), reading_ms;
	char path[READING_PATH_MAX];
	unsigned limit_ms;

	if (!loader || !loader->running)
		return true;
	event_del(loader->home_event);
	post(loader, LETTER_STOP, NULL);
	while (pthread_tryjoin_np(loader->thread, NULL) == EBUSY) {
		limit_ms = STOP_SAVING_MS;
		if (!atomic_load(&loader->saving) && loader_reading(loader, path, &reading_ms))
			limit_ms = STOP_READING_MS;
		if (clock_now_ms() - begin_ms >= limit_ms)
			return false;
		nanosleep(&poll, NULL);
	}
	loader->running = false;
	return true;
}

void loader_free(struct loader *loader)
{
	struct letter letter;

	if (!loader)
		return;
	assert(!loader->running);
	while (loader->home && mailbox_take(loader->home, &letter)) {
		if (letter.kind == LETTER_STANDS)
			account_free(letter.pointer);
		else if (letter.kind == LETTER_ACCEPTED)
			free(letter.pointer);
	}
	while (loader->box && mailbox_take(loader->box, &letter)) {
		if (letter.kind == LETTER_ACCEPT)
			free(letter.pointer);
	}
	if (loader->home_event)
		event_free(loader->home_event);
	if (loader->box_event)
		event_free(loader->box_event);
	if (loader->tend)
		event_free(loader->tend);
	watch_free(loader->watch);
	if (loader->base)
		event_base_free(loader->base);
	mailbox_free(loader->box);
	mailbox_free(loader->home);
	free(loader);
}

void loader_load(struct loader *loader, struct loader_job *job)
{
	post(loader, LETTER_LOAD, job);
}

void loader_settle(struct loader *loader, struct loader_job *job)
{
	atomic_store(&loader->saving, job->save);
	post(loader, LETTER_SETTLE, job);
}

int loader_accept(struct loader *loader, const char *path, loader_accepted_fn *accepted, void *arg)
{
	size_t len = strlen(path) + 1;
	struct accept *accept;

	if (loader->accepts == LOADER_ACCEPTS_MAX)
		return -1;
	accept = calloc(1, sizeof(*accept) + len);
	if (!accept)
		return -1;
	accept->accepted = accepted;
	accept->arg = arg;
	memcpy(accept->path, path, len);
	loader->accepts++;
	post(loader, LETTER_ACCEPT, accept);
	return 0;
}

bool loader_reading(const struct loader *loader, char ret_path[READING_PATH_MAX], uint64_t *ret_ms)
{
	return reading_what(build_reading(loader->build), ret_path, ret_ms);
}
