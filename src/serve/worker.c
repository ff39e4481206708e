/* SPDX-License-Identifier: MIT */
/*
 * A worker is a loop: take the newest view, wait, serve what came, send what is ready, again. One
 * turn is one pass of libevent over what has become ready, and all promises hang on its two ends:
 * the view changes only at its start, so no pointer into one outlives a turn; late answers leave
 * at its end, so that many share a call.
 *
 * The order at the end: deadlines (only while queries wait), then TCP (a connection that may read
 * on asks new questions), then UDP.
 *
 * Threads talk by mailbox. Main writes to a worker's box, workers write to `home`, whose
 * descriptor main watches. A full box of a worker is no harm: its letters wake it anyway, and
 * stop is a flag beside it. Explanations have slots, as many as `home` has room for, so a
 * worker's letter home always fits. A slot is main's before it is posted and after its letter
 * came home, the worker's between.
 *
 * Refused: libevent's thread support (nothing of a base is shared), a thread for accepting.
 */
#include "serve/worker.h"

#include <assert.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mailbox.h"
#include "forward/looprobe.h"
#include "serve/report.h"

/* Of a worker's box: explanations, and a few wakes and pings that pile up while it is busy. */
#define WORKER_LETTERS (WORKERS_EXPLAINS_MAX + 16)

/*
 * The resolver is asked about deadlines at least so often while queries wait: the one that was
 * armed for may not be the next.
 */
#define WORKER_EXPIRE_MS 100

enum letter_kind {
	LETTER_WAKE,      /* to a worker: look about; the turn does the rest */
	LETTER_PING,      /* to a worker: value comes back as its pong */
	LETTER_EXPLAIN,   /* to a worker: number of the slot */
	LETTER_EXPLAINED, /* home: number of the slot */
};

struct explain {
	struct workers *workers;
	bool busy;
	unsigned number;
	struct name name;
	uint16_t type;
	workers_explained_fn *done;
	void *arg;
	char *trace;
	uint8_t *answer;
	size_t len;
};

struct worker {
	struct serve_counters counters;
	struct workers *workers;
	unsigned n;
	pthread_t thread;
	bool running;
	bool over; /* being taken apart: nothing can be sent any more */
	atomic_bool stop;
	_Atomic uint64_t pong;
	struct mailbox *box;
	struct event_base *base;
	struct event *box_event, *expire_timer;
	struct resolver *resolver;
	struct forward *forward;
	struct looprobe *looprobe; /* of the first worker */
	struct udp_server *udp;
	struct tcp_server *tcp;
	const struct view *view;
	struct report *report;
	uint8_t scratch[RESOLVER_MESSAGE_MAX];
};

struct workers {
	struct workers_conf conf;
	struct publish *publish;
	struct forward_shared *forward;
	struct tls_server *tls;
	struct mailbox *home;
	uint64_t ping;
	unsigned count;
	struct worker **worker; /* each in memory of its own: no line is shared */
	unsigned explain_next;  /* worker to ask */
	struct explain explain[WORKERS_EXPLAINS_MAX];
};

static void send_late(void *arg, const struct client *client, const uint8_t *message, size_t len)
{
	struct worker *worker = arg;

	if (worker->over)
		return;
	if (client->stream)
		tcp_server_send(worker->tcp, client, message, len);
	else
		udp_server_send(worker->udp, client, message, len);
}

static void on_resolver_event(void *arg, enum resolver_event event, const struct client *client,
			      const struct name *name, uint16_t type, const char *text)
{
	struct worker *worker = arg;

	if (!worker->over)
		report_event(worker->report, event, client, name, type, text);
}

static void on_loop(void *arg, bool marked, const struct loop_mark *mark)
{
	const struct worker *worker = arg;

	if (!worker->over)
		report_loop(marked, mark);
}

/* ---- letters ---- */

static void worker_explained(void *arg, const char *trace, const uint8_t *answer, size_t len)
{
	struct explain *explain = arg;
	struct letter letter = { .kind = LETTER_EXPLAINED, .number = explain->number };
	bool posted;

	if (!explain->busy)
		return; /* main has given up: the workers were stopped */
	explain->trace = strdup(trace ? trace : "");
	explain->answer = len > 0 ? malloc(len) : NULL;
	if (explain->answer) {
		memcpy(explain->answer, answer, len);
		explain->len = len;
	}
	posted = mailbox_post(explain->workers->home, &letter);
	assert(posted); /* home has room for every slot */
	(void)posted;
}

static void on_letter(evutil_socket_t fd, short what, void *arg)
{
	struct worker *worker = arg;
	struct explain *explain;
	struct letter letter;

	(void)fd;
	(void)what;
	while (mailbox_take(worker->box, &letter)) {
		switch ((enum letter_kind)letter.kind) {
		case LETTER_PING:
			atomic_store_explicit(&worker->pong, letter.value, memory_order_relaxed);
			break;
		case LETTER_EXPLAIN:
			explain = &worker->workers->explain[letter.number];
			resolver_explain(worker->resolver, &explain->name, explain->type,
					 clock_now_ms(), worker_explained, explain);
			break;
		case LETTER_WAKE:
		case LETTER_EXPLAINED:
			break;
		}
	}
}

/* ---- the loop ---- */

static void worker_take_view(struct worker *worker)
{
	const struct view *view = publish_take(worker->workers->publish, worker->n);

	if (view == worker->view)
		return;
	worker->view = view;
	resolver_use_view(worker->resolver, view);
	counter_add(&worker->counters.views, 1);
}

static void arm_expire(struct worker *worker, int wait_ms)
{
	struct timeval wait;

	if (wait_ms < 0)
		return;
	if (wait_ms > WORKER_EXPIRE_MS)
		wait_ms = WORKER_EXPIRE_MS;
	wait.tv_sec = 0;
	wait.tv_usec = wait_ms > 0 ? (suseconds_t)wait_ms * 1000 : 1000;
	event_add(worker->expire_timer, &wait);
}

static void on_expire(evutil_socket_t fd, short what, void *arg)
{
	struct worker *worker = arg;

	(void)fd;
	(void)what;
	arm_expire(worker, resolver_expire(worker->resolver, clock_now_ms()));
}

static bool expire_unarmed(const struct worker *worker)
{
	return resolver_waiting(worker->resolver) > 0 &&
	       !event_pending(worker->expire_timer, EV_TIMEOUT, NULL);
}

static void end_turn(struct worker *worker)
{
	/* Before the flushes, since it may send ... */
	if (expire_unarmed(worker))
		arm_expire(worker, resolver_expire(worker->resolver, clock_now_ms()));
	tcp_server_flush(worker->tcp);
	udp_server_flush(worker->udp);
	/* ... and TCP that reads on may have begun new queries. */
	if (expire_unarmed(worker))
		arm_expire(worker, WORKER_EXPIRE_MS);
	atomic_store_explicit(&worker->counters.waiting.value, resolver_waiting(worker->resolver),
			      memory_order_relaxed);
	counter_add(&worker->counters.turns, 1);
}

static void *worker_run(void *arg)
{
	struct worker *worker = arg;

	log_enter_worker();
	while (!atomic_load_explicit(&worker->stop, memory_order_relaxed)) {
		worker_take_view(worker);
		event_base_loop(worker->base, EVLOOP_ONCE);
		end_turn(worker);
	}
	return NULL;
}

/* ---- making and unmaking, main thread ---- */

static struct event_base *base_new(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (config && event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) == 0 &&
	    event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV) == 0)
		base = event_base_new_with_config(config);
	if (config)
		event_config_free(config);
	return base;
}

static void worker_free(struct worker *worker)
{
	if (!worker)
		return;
	/*
	 * Whoever still wants to send is told that nobody is there; the resolver outlives those
	 * who call it.
	 */
	worker->over = true;
	tcp_server_free(worker->tcp);
	udp_server_free(worker->udp);
	looprobe_free(worker->looprobe);
	forward_free(worker->forward);
	if (worker->resolver)
		resolver_use_forward(worker->resolver, NULL);
	resolver_free(worker->resolver);
	if (worker->box_event)
		event_free(worker->box_event);
	if (worker->expire_timer)
		event_free(worker->expire_timer);
	report_free(worker->report);
	if (worker->base)
		event_base_free(worker->base);
	mailbox_free(worker->box);
	free(worker);
}

static struct tcp_server *worker_tcp(struct worker *worker, struct err *err)
{
	struct tcp_parts parts = { .base = worker->base,
				   .resolver = worker->resolver,
				   .tls = worker->workers->tls,
				   .report = worker->report,
				   .scratch = worker->scratch,
				   .counters = &worker->counters.tcp };

	return tcp_server_new(&worker->workers->conf.tcp, &parts, err);
}

static int worker_open(struct worker *worker, struct err *err)
{
	struct resolver_conf conf = {
		.queries_max = worker->workers->conf.queries_max,
		.send = send_late,
		.event = on_resolver_event,
		.arg = worker,
	};

	worker->box = mailbox_new(WORKER_LETTERS);
	worker->base = base_new();
	if (!worker->box || !worker->base)
		return err_set(err, "no memory or no file descriptor for a worker's event loop");
	worker->box_event = event_new(worker->base, mailbox_fd(worker->box), EV_READ | EV_PERSIST,
				      on_letter, worker);
	worker->expire_timer = event_new(worker->base, -1, 0, on_expire, worker);
	worker->report = report_new(worker->base, &worker->counters.events_suppressed);
	if (!worker->box_event || !worker->expire_timer || !worker->report ||
	    event_add(worker->box_event, NULL) < 0)
		return err_set(err, "no memory for a worker's events");
	worker->resolver = resolver_new(&conf, err);
	if (!worker->resolver)
		return -1;
	worker->forward = forward_new(worker->workers->forward, worker->n, worker->base,
				      resolver_forwarded, worker->resolver, err);
	if (!worker->forward)
		return -1;
	resolver_use_forward(worker->resolver, worker->forward);
	if (worker->n == 0) {
		worker->looprobe = looprobe_new(forward_loops(worker->workers->forward),
						forward_prober(worker->forward), worker->base,
						on_loop, worker, err);
		if (!worker->looprobe)
			return -1;
	}
	worker->udp = udp_server_new(worker->base, worker->resolver, worker->scratch,
				     &worker->counters.udp, err);
	if (!worker->udp)
		return -1;
	worker->tcp = worker_tcp(worker, err);
	return worker->tcp ? 0 : -1;
}

static struct worker *worker_new(struct workers *workers, unsigned n,
				 const struct listeners *listeners, struct err *err)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	size_t i;

	if (!worker) {
		err_set(err, "no memory for a worker");
		return NULL;
	}
	worker->workers = workers;
	worker->n = n;
	if (worker_open(worker, err) < 0)
		goto fail;
	for (i = 0; i < listeners_count(listeners); i++) {
		bool tls = listeners_tls(listeners, i);

		if (!tls && udp_server_add(worker->udp, listeners_udp(listeners, i, n),
					   listeners_addr(listeners, i), err) < 0)
			goto fail;
		if (tcp_server_add(worker->tcp, listeners_tcp(listeners, i, n),
				   listeners_addr(listeners, i), tls, err) < 0)
			goto fail;
	}
	return worker;
fail:
	worker_free(worker);
	return NULL;
}

struct workers *workers_new(const struct workers_conf *conf, const struct listeners *listeners,
			    struct publish *publish, struct forward_shared *forward,
			    struct tls_server *tls, struct err *err)
{
	struct workers *workers = calloc(1, sizeof(*workers));
	unsigned n, count = listeners_workers(listeners);

	if (!workers)
		goto memory;
	workers->conf = *conf;
	workers->publish = publish;
	workers->forward = forward;
	workers->tls = tls;
	for (n = 0; n < WORKERS_EXPLAINS_MAX; n++) {
		workers->explain[n].workers = workers;
		workers->explain[n].number = n;
	}
	workers->home = mailbox_new(WORKERS_EXPLAINS_MAX);
	workers->worker = calloc(count, sizeof(struct worker *));
	if (!workers->home || !workers->worker)
		goto memory;
	for (; workers->count < count; workers->count++) {
		workers->worker[workers->count] =
			worker_new(workers, workers->count, listeners, err);
		if (!workers->worker[workers->count])
			goto fail;
	}
	return workers;
memory:
	err_set(err, "no memory for workers");
fail:
	workers_free(workers);
	return NULL;
}

int workers_start(struct workers *workers, struct err *err)
{
	sigset_t all, before;
	char name[24]; /* the kernel keeps 15 octets */
	struct worker *worker;
	int error = 0;
	unsigned n;

	assert(publish_newest(workers->publish));
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (n = 0; n < workers->count && error == 0; n++) {
		worker = workers->worker[n];
		error = pthread_create(&worker->thread, NULL, worker_run, worker);
		if (error != 0)
			break;
		worker->running = true;
		snprintf(name, sizeof(name), "worker-%u", n % 1000);
		pthread_setname_np(worker->thread, name);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error == 0)
		return 0;
	workers_stop(workers);
	return err_set(err, "cannot start a worker thread: %s; allow more tasks (TasksMax=)",
		       strerror(error));
}

static void explain_end(struct explain *explain, bool answered)
{
	char *trace = answered ? explain->trace : NULL;

	explain->busy = false;
	explain->done(explain->arg, trace, answered ? explain->answer : NULL,
		      answered ? explain->len : 0);
	free(explain->trace);
	free(explain->answer);
	explain->trace = NULL;
	explain->answer = NULL;
	explain->len = 0;
}

void workers_stop(struct workers *workers)
{
	struct letter letter = { .kind = LETTER_WAKE };
	struct worker *worker;
	unsigned n;

	for (n = 0; n < workers->count; n++) {
		worker = workers->worker[n];
		atomic_store_explicit(&worker->stop, true, memory_order_relaxed);
		(void)mailbox_post(worker->box, &letter);
	}
	for (n = 0; n < workers->count; n++) {
		worker = workers->worker[n];
		if (worker->running)
			pthread_join(worker->thread, NULL);
		worker->running = false;
	}
	workers_dispatch(workers);
	for (n = 0; n < WORKERS_EXPLAINS_MAX; n++) {
		if (workers->explain[n].busy)
			explain_end(&workers->explain[n], false);
	}
}

void workers_free(struct workers *workers)
{
	unsigned n;

	if (!workers)
		return;
	if (workers->home)
		workers_stop(workers);
	for (n = 0; n < workers->count; n++)
		worker_free(workers->worker[n]);
	free(workers->worker);
	mailbox_free(workers->home);
	free(workers);
}

unsigned workers_count(const struct workers *workers)
{
	return workers->count;
}

void workers_wake(struct workers *workers)
{
	struct letter letter = { .kind = LETTER_WAKE };
	unsigned n;

	for (n = 0; n < workers->count; n++)
		(void)mailbox_post(workers->worker[n]->box, &letter); /* full: it is awake */
}

int workers_fd(const struct workers *workers)
{
	return mailbox_fd(workers->home);
}

void workers_dispatch(struct workers *workers)
{
	struct letter letter;

	while (mailbox_take(workers->home, &letter))
		explain_end(&workers->explain[letter.number], true);
}

int workers_explain(struct workers *workers, const struct name *name, uint16_t type,
		    workers_explained_fn *done, void *arg, struct err *err)
{
	struct letter letter = { .kind = LETTER_EXPLAIN };
	struct worker *worker = workers->worker[workers->explain_next++ % workers->count];
	struct explain *explain;
	unsigned n;

	for (n = 0; n < WORKERS_EXPLAINS_MAX && workers->explain[n].busy; n++)
		;
	if (n == WORKERS_EXPLAINS_MAX || !worker->running)
		return err_set(err, n < WORKERS_EXPLAINS_MAX
					    ? "the server is stopping"
					    : "too many explanations at once; try again");
	explain = &workers->explain[n];
	explain->name = *name;
	explain->type = type;
	explain->done = done;
	explain->arg = arg;
	explain->busy = true;
	letter.number = n;
	if (mailbox_post(worker->box, &letter))
		return 0;
	explain->busy = false;
	return err_set(err, "worker %u does not keep up; try again", worker->n);
}

bool workers_alive(const struct workers *workers)
{
	unsigned n;

	for (n = 0; n < workers->count; n++) {
		if (atomic_load_explicit(&workers->worker[n]->pong, memory_order_relaxed) !=
		    workers->ping)
			return false;
	}
	return true;
}

void workers_ping(struct workers *workers)
{
	struct letter letter = { .kind = LETTER_PING, .value = ++workers->ping };
	unsigned n;

	for (n = 0; n < workers->count; n++)
		(void)mailbox_post(workers->worker[n]->box, &letter);
}

struct worker_counters workers_counters(const struct workers *workers, unsigned n)
{
	const struct worker *worker = workers->worker[n];

	return (struct worker_counters){
		.serve = &worker->counters,
		.resolver = resolver_counters(worker->resolver),
		.forward = forward_counters(worker->forward),
	};
}
