/* SPDX-License-Identifier: MIT */
/*
 * A wrong certificate shows in three places: the question goes elsewhere (tries.c says that the
 * upstream cannot be reached), status shows the reason as long as it stands, and the log gets a
 * line when the reason changes, again each minute, and when all is well again.
 *
 * Workers find out, the main thread logs. A worker leaves the reason in the upstream and makes the
 * main thread's descriptor readable. It does so for what is new alone; one who can make handshakes
 * fail and succeed in turn still gets no more than UPSTREAM_TLS_LINES a minute for it.
 *
 * All but the pause is behind a lock that is taken once a handshake.
 */
#include "upstream/tls.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "upstream/inside.h"

#define MINUTE_MS 60000

struct upstream_tls {
	struct tls_client *client;
	char name[256];
	char *ca; /* NULL: the system's, or none */
	bool chain;
	struct tls_pin pins[TLS_PINS_MAX];
	size_t pins_count;
	_Atomic uint64_t pause_until_ms;
	pthread_mutex_t lock; /* of what follows */
	uint64_t sessions, resumed, failed;
	struct tls_fault fault;
	bool news;                   /* `fault` is to be told */
	enum tls_fault_kind told;    /* the kind that was told last */
	uint64_t told_ms, minute_ms; /* when; when the minute of `lines` began */
	unsigned lines;
	uint64_t untold; /* failures since the last line */
};

static bool text_equal(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

bool upstream_tls_equal(const struct upstream_tls *tls, const struct upstream_conf *conf)
{
	if (!tls || !conf->tls)
		return !tls && !conf->tls;
	return strcasecmp(tls->name, conf->tls_name) == 0 && text_equal(tls->ca, conf->tls_ca) &&
	       tls->chain == (conf->tls_roots != NULL) && tls->pins_count == conf->tls_pins_count &&
	       (tls->pins_count == 0 ||
		memcmp(tls->pins, conf->tls_pins, tls->pins_count * sizeof(tls->pins[0])) == 0);
}

struct upstream_tls *upstream_tls_new(const struct upstream_conf *conf, struct err *err)
{
	struct tls_client_conf client = { .roots = conf->tls_roots,
					  .name = conf->tls_name,
					  .addr = &conf->addr,
					  .pins = conf->tls_pins,
					  .pins_count = conf->tls_pins_count };
	struct upstream_tls *tls = calloc(1, sizeof(*tls));

	if (!tls) {
		err_set(err, "out of memory");
		return NULL;
	}
	pthread_mutex_init(&tls->lock, NULL);
	strcpy(tls->name, conf->tls_name);
	tls->chain = conf->tls_roots != NULL;
	tls->client = tls_client_new(&client, err);
	if (conf->tls_ca)
		tls->ca = strdup(conf->tls_ca);
	if (tls->client && conf->tls_ca && !tls->ca)
		err_set(err, "out of memory");
	if (!tls->client || (conf->tls_ca && !tls->ca)) {
		upstream_tls_free(tls);
		return NULL;
	}
	tls->pins_count = conf->tls_pins_count;
	if (tls->pins_count > 0)
		memcpy(tls->pins, conf->tls_pins, tls->pins_count * sizeof(tls->pins[0]));
	return tls;
}

void upstream_tls_free(struct upstream_tls *tls)
{
	if (!tls)
		return;
	tls_client_free(tls->client);
	pthread_mutex_destroy(&tls->lock);
	free(tls->ca);
	free(tls);
}

int upstream_tls_renew(struct upstream_tls *tls, const struct upstream_conf *conf, struct err *err)
{
	unsigned before = tls_client_generation(tls->client);

	if (!conf->tls_roots)
		return 0;
	if (tls_client_set_roots(tls->client, conf->tls_roots, err) < 0)
		return -1;
	/* Who was wrong by the old ones may be right by these: see at once. */
	if (tls_client_generation(tls->client) != before)
		atomic_store_explicit(&tls->pause_until_ms, 0, memory_order_relaxed);
	return 0;
}

bool upstream_is_tls(const struct upstreams *upstreams, uint16_t upstream)
{
	return upstream_at(upstreams, upstream)->tls != NULL;
}

struct tls_client *upstream_tls_client(const struct upstreams *upstreams, uint16_t upstream)
{
	const struct upstream_tls *tls = upstream_at(upstreams, upstream)->tls;

	return tls ? tls->client : NULL;
}

bool upstream_tls_pauses(const struct upstreams *upstreams, uint16_t upstream, uint64_t now_ms)
{
	const struct upstream_tls *tls = upstream_at(upstreams, upstream)->tls;

	return tls && atomic_load_explicit(&tls->pause_until_ms, memory_order_relaxed) > now_ms;
}

/* With the lock held: has this to be told? */
static bool is_news(struct upstream_tls *tls, uint64_t now_ms)
{
	if (tls->fault.kind == tls->told &&
	    (tls->told == TLS_FAULT_NONE || now_ms - tls->told_ms < MINUTE_MS))
		return false;
	if (now_ms - tls->minute_ms >= MINUTE_MS) {
		tls->minute_ms = now_ms;
		tls->lines = 0;
	}
	if (tls->lines >= UPSTREAM_TLS_LINES)
		return false;
	tls->lines++;
	tls->told = tls->fault.kind;
	tls->told_ms = now_ms;
	tls->news = true;
	return true;
}

static void wake(const struct upstreams *upstreams)
{
	(void)!write(upstreams->news, &(uint64_t){ 1 }, sizeof(uint64_t));
}

void upstream_note_tls_session(struct upstreams *upstreams, uint16_t upstream, bool resumed,
			       uint64_t now_ms)
{
	struct upstream_tls *tls = upstream_at(upstreams, upstream)->tls;
	bool news;

	atomic_store_explicit(&tls->pause_until_ms, 0, memory_order_relaxed);
	pthread_mutex_lock(&tls->lock);
	tls->sessions++;
	tls->resumed += resumed;
	tls->fault.kind = TLS_FAULT_NONE;
	news = is_news(tls, now_ms);
	pthread_mutex_unlock(&tls->lock);
	if (news)
		wake(upstreams);
}

void upstream_note_tls_fault(struct upstreams *upstreams, uint16_t upstream,
			     const struct tls_fault *fault, uint64_t now_ms)
{
	struct upstream_tls *tls = upstream_at(upstreams, upstream)->tls;
	bool news;

	atomic_store_explicit(&tls->pause_until_ms, now_ms + UPSTREAM_TLS_PAUSE_MS,
			      memory_order_relaxed);
	pthread_mutex_lock(&tls->lock);
	tls->failed++;
	tls->untold++;
	tls->fault = *fault;
	news = is_news(tls, now_ms);
	pthread_mutex_unlock(&tls->lock);
	if (news)
		wake(upstreams);
}

bool upstream_tls_state(const struct upstreams *upstreams, uint16_t upstream,
			struct upstream_tls_state *ret)
{
	struct upstream_tls *tls = upstream_at(upstreams, upstream)->tls;

	if (!tls)
		return false;
	strcpy(ret->name, tls->name);
	pthread_mutex_lock(&tls->lock);
	ret->sessions = tls->sessions;
	ret->resumed = tls->resumed;
	ret->failed = tls->failed;
	ret->fault = tls->fault;
	pthread_mutex_unlock(&tls->lock);
	return true;
}

static void tell_of(const struct upstream *upstream, upstream_tell_fn *tell, void *arg)
{
	struct upstream_tls *tls = upstream->tls;
	char addr[ADDR_TEXT_MAX], more[64] = "", line[1024];
	struct tls_fault fault;
	uint64_t untold;
	bool news;

	pthread_mutex_lock(&tls->lock);
	news = tls->news;
	tls->news = false;
	fault = tls->fault;
	untold = tls->untold;
	tls->untold = 0;
	pthread_mutex_unlock(&tls->lock);
	if (!news)
		return;
	addr_to_text(&upstream->addr, 0, addr);
	if (untold > 1)
		snprintf(more, sizeof(more), " (%" PRIu64 " times)", untold);
	if (fault.kind == TLS_FAULT_NONE)
		snprintf(line, sizeof(line), "upstream tls://%s%s%s: verified, asked again", addr,
			 *tls->name ? "#" : "", tls->name);
	else
		snprintf(line, sizeof(line), "upstream tls://%s%s%s: %s: %s%s; it is not asked",
			 addr, *tls->name ? "#" : "", tls->name,
			 fault.kind >= TLS_FAULT_CA ? "refused" : "no TLS session", fault.text,
			 more);
	tell(arg, fault.kind == TLS_FAULT_NONE, line);
}

void upstreams_tls_tell(struct upstreams *upstreams, upstream_tell_fn *tell, void *arg)
{
	unsigned i, count = atomic_load_explicit(&upstreams->count, memory_order_acquire);

	for (i = 0; i < count; i++) {
		if (upstreams->upstreams[i]->tls)
			tell_of(upstreams->upstreams[i], tell, arg);
	}
}
