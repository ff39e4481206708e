/* SPDX-License-Identifier: MIT */
/* One question in flight in the whole process: who waits, who is told, and what is bounded. */
#include "forward/flight.h"
#include "unit/forwardkit.h"
#include "unit/responder.h"
#include "unit/unit.h"

static size_t after_a_while(struct responder *r, const struct message_query *query,
			    const uint8_t *data, bool tcp, uint8_t *out)
{
	usleep(150000);
	return responder_address(r, query, data, tcp, out);
}

static void *run_side(void *arg)
{
	wait_for(arg, 2);
	return NULL;
}

START_TEST(one_in_flight_for_all)
{
	struct responder r;
	struct reply reply;
	pthread_t thread;

	responder_start(&r, after_a_while);
	group = make_group(&r.addr, 1, UPSTREAM_ORDERED);
	start(2, (struct forward_conf){ .waiters_max = 4 });
	ck_assert_int_eq(get(&sides[0], TYPE_A, 1, &reply), FORWARD_WAITING);
	ck_assert_int_eq(get(&sides[1], TYPE_A, 1, &reply), FORWARD_WAITING);
	ck_assert_int_eq(get(&sides[1], TYPE_A, 2, &reply), FORWARD_WAITING);
	ck_assert_int_eq(get(&sides[0], TYPE_A, 3, &reply), FORWARD_WAITING);
	ck_assert_int_eq(get(&sides[0], TYPE_A, 4, &reply), FORWARD_FULL);
	ck_assert_int_eq(get(&sides[1], TYPE_A, 5, &reply), FORWARD_FULL);
	/* Either worker sees it, whatever its bits. */
	ck_assert(forward_asks(sides[0].forward, &name, TYPE_A, group));
	ck_assert(forward_asks(sides[1].forward, &name, TYPE_A, group));
	ck_assert(!forward_asks(sides[0].forward, &name, TYPE_AAAA, group));
	ck_assert(!forward_asks(sides[0].forward, &name, TYPE_A, (uint16_t)(group + 1)));
	pthread_create(&thread, NULL, run_side, &sides[1]);
	wait_for(&sides[0], 2);
	pthread_join(thread, NULL);
	ck_assert(!forward_asks(sides[0].forward, &name, TYPE_A, group));
	check_address(&sides[0].reply);
	check_address(&sides[1].reply);
	ck_assert_ptr_eq(sides[0].reply.store, sides[1].reply.store);
	ck_assert_uint_eq(r.asked, 1);
	ck_assert_uint_eq(counter_get(&forward_counters(sides[1].forward)->joined), 2);
	stop(2);
	responder_stop(&r);
}
END_TEST

START_TEST(forgotten_and_freed)
{
	struct responder r;
	struct reply reply;

	responder_start(&r, after_a_while);
	group = make_group(&r.addr, 1, UPSTREAM_ORDERED);
	start(2, (struct forward_conf){ .inflight_max = 2 });
	ck_assert_int_eq(get(&sides[0], TYPE_A, 1, &reply), FORWARD_WAITING);
	ck_assert_int_eq(get(&sides[0], TYPE_A, 2, &reply), FORWARD_WAITING);
	ck_assert_int_eq(get(&sides[1], TYPE_A, 3, &reply), FORWARD_WAITING);
	ck_assert_int_eq(get(&sides[1], TYPE_A, 4, &reply), FORWARD_WAITING);
	forward_forget(sides[0].forward, 1);
	forward_forget(sides[0].forward, 1);
	forward_forget(sides[1].forward, 3);
	forward_forget(sides[1].forward, 99);
	wait_for(&sides[0], 1);
	ck_assert_uint_eq(sides[0].waiter, 2);
	wait_for(&sides[1], 1);
	ck_assert_uint_eq(sides[1].waiter, 4);
	/* The limit of questions. */
	ck_assert_int_eq(get(&sides[0], 1001, 5, &reply), FORWARD_WAITING);
	ck_assert_int_eq(get(&sides[0], 1002, 6, &reply), FORWARD_WAITING);
	ck_assert_int_eq(get(&sides[0], 1003, 7, &reply), FORWARD_FULL);
	ck_assert_int_eq(get(&sides[1], 1002, 8, &reply), FORWARD_WAITING);
	/* Freed with questions outstanding: ours hear nothing, others a failure. */
	reply_drop(&sides[0].reply);
	sides[0].has_reply = false;
	forward_free(sides[0].forward);
	sides[0].forward = NULL;
	wait_for(&sides[1], 2);
	ck_assert_uint_eq(sides[1].waiter, 8);
	ck_assert(sides[1].reply.failed);
	ck_assert_uint_eq(sides[0].done, 1);
	stop(2);
	responder_stop(&r);
}
END_TEST

/* The waiter asks the next question from within `done`, as the resolver does. */
static unsigned asked_within;

static void on_done_ask(void *arg, uint64_t waiter, const struct reply *reply)
{
	struct side *side = arg;
	struct reply ignored;

	on_done(arg, waiter, reply);
	if (asked_within < 20)
		ck_assert_int_eq(get(side, (uint16_t)(2000 + asked_within++), waiter + 1, &ignored),
				 FORWARD_WAITING);
}

START_TEST(asks_from_within)
{
	struct forward_conf conf = { .limits = { .ttl_max_s = 60 },
				     .inflight_max = 1,
				     .waiters_max = 1,
				     .sockets_max = 1,
				     .conns = { 8, 10, 10000 },
				     .datagrams_max = 48,
				     .large_max = 2,
				     .probes_max = 1,
				     .loop_probes_max = 1,
				     .workers = 1 };
	struct responder r;
	struct reply reply;

	responder_start(&r, responder_address);
	group = make_group(&r.addr, 1, UPSTREAM_FASTEST);
	shared = forward_shared_new(&conf, upstreams, NULL);
	sides[0] = (struct side){ .base = event_base_new() };
	sides[0].forward = forward_new(shared, 0, sides[0].base, on_done_ask, &sides[0], NULL);
	ck_assert_int_eq(get(&sides[0], TYPE_A, 1, &reply), FORWARD_WAITING);
	wait_for(&sides[0], 21);
	ck_assert_uint_eq(r.asked, 21);
	stop(1);
	responder_stop(&r);
}
END_TEST

#define ROUNDS 400
#define OUTSTANDING 12

/* Every 23rd is lost on the way. */
static size_t loses_some(struct responder *r, const struct message_query *query,
			 const uint8_t *data, bool tcp, uint8_t *out)
{
	return r->asked % 23 == 0 ? 0 : responder_address(r, query, data, tcp, out);
}

/* A worker that asks, forgets and counts. Waiters are numbered from one. */
struct asker {
	struct side *side;
	struct name name;
	uint8_t told[ROUNDS + 1];
	bool forgotten[ROUNDS + 1];
	unsigned next, open, seed;
};

static void on_told(void *arg, uint64_t waiter, const struct reply *reply)
{
	struct asker *asker = arg;

	ck_assert_uint_ge(waiter, 1);
	ck_assert_uint_lt(waiter, asker->next);
	ck_assert(!asker->forgotten[waiter]);
	ck_assert(!reply->failed);
	asker->told[waiter]++;
	asker->open--;
}

/* Workers that have heard all they wait for. The first still serves the other until it has, too. */
static _Atomic unsigned contented;

static void *ask_and_forget(void *arg)
{
	static _Thread_local uint8_t own[4096];
	struct asker *asker = arg;
	struct forward *forward = asker->side->forward;
	uint64_t end = clock_now_ms() + 40000;
	bool done = false;

	while (contented < 2 && clock_now_ms() < end) {
		while (asker->next <= ROUNDS && asker->open < OUTSTANDING) {
			struct forward_question question = {
				.name = &asker->name,
				.group = group,
				.type = (uint16_t)(1000 + rand_r(&asker->seed) % 400)
			};
			uint64_t waiter = asker->next++;
			struct reply reply;
			enum forward_verdict verdict;

			verdict = forward_get(forward, &question, waiter, clock_now_ms(), own,
					      sizeof(own), &reply);
			asker->told[waiter] = verdict != FORWARD_WAITING;
			asker->open += verdict == FORWARD_WAITING;
			if (verdict == FORWARD_WAITING && rand_r(&asker->seed) % 5 == 0) {
				forward_forget(forward, waiter);
				asker->forgotten[waiter] = true;
				asker->open--;
			}
		}
		event_base_loop(asker->side->base, EVLOOP_NONBLOCK);
		if (!done && asker->next > ROUNDS && asker->open == 0) {
			done = true;
			contented++;
		}
		usleep(200);
	}
	return NULL;
}

/* However it goes, who waits and has not been forgotten is told once. */
START_TEST(everybody_is_told_once)
{
	static struct asker askers[2];
	struct forward_cache_state state;
	struct responder r;
	pthread_t threads[2];
	unsigned n, i;

	responder_start(&r, loses_some);
	group = make_group(&r.addr, 1, UPSTREAM_ORDERED);
	start(2, (struct forward_conf){ .limits = { .cache_bytes = 4096 }, .inflight_max = 8 });
	for (n = 0; n < 2; n++) {
		askers[n] = (struct asker){ .side = &sides[n], .name = name, .next = 1, .seed = n };
		forward_free(sides[n].forward);
		sides[n].forward = forward_new(shared, n, sides[n].base, on_told, &askers[n], NULL);
	}
	for (n = 0; n < 2; n++)
		pthread_create(&threads[n], NULL, ask_and_forget, &askers[n]);
	for (n = 0; n < 2; n++)
		pthread_join(threads[n], NULL);
	for (n = 0; n < 2; n++) {
		ck_assert_uint_eq(askers[n].next, ROUNDS + 1);
		for (i = 1; i <= ROUNDS; i++)
			ck_assert_uint_eq(askers[n].told[i], !askers[n].forgotten[i]);
	}
	forward_cache_state(shared, &state);
	ck_assert_uint_le(state.bytes, state.bytes_max);
	stop(2);
	responder_stop(&r);
}
END_TEST

/* The table by itself: what was joined comes back, what was forgotten does not. */
START_TEST(table)
{
	struct flights *flights = flights_new(2, 2);
	struct forward_question question = { .name = &name, .type = TYPE_A, .group = 1 };
	struct question_key key = cache_key_of(&question), other;
	uint32_t waits[FLIGHT_WAITS_A_QUESTION * 2], wait;
	struct flight *flight;
	uint64_t waiter = 0;
	unsigned i, count = 0;

	question.type = TYPE_AAAA;
	other = cache_key_of(&question);
	ck_assert_ptr_null(flights_find(flights, &key));
	flight = flights_add(flights, 1, 0, &key);
	ck_assert_ptr_eq(flights_find(flights, &key), flight);
	ck_assert_ptr_null(flights_find(flights, &other));
	for (i = 0; i < flights_waits_each(flights); i++) {
		waits[i] = flights_take_wait(flights, 0, i / 2 + 1);
		ck_assert_uint_ne(waits[i], FLIGHT_NONE);
		ck_assert_uint_eq(flights_wait_worker(flights, waits[i]), 0);
		flights_join(flights, flight, waits[i]);
	}
	ck_assert_uint_eq(flights_take_wait(flights, 0, 99), FLIGHT_NONE);
	flights_forget(flights, 0, 2);
	flights_forget(flights, 1, 1);
	for (wait = flights_remove(flights, flight); wait != FLIGHT_NONE;) {
		uint32_t next = flights_next_wait(flights, wait);

		if (flights_end_wait(flights, wait, &waiter))
			ck_assert_uint_ne(waiter, 2);
		else
			count++;
		wait = next;
	}
	ck_assert_uint_eq(count, 2);
	ck_assert_ptr_null(flights_find(flights, &key));
	ck_assert_uint_ne(flights_take_wait(flights, 0, 99), FLIGHT_NONE);
	flights_free(flights);
}
END_TEST

static Suite *flight_suite(void)
{
	Suite *suite = suite_create("flight");
	TCase *tcase = tcase_create("flight");

	tcase_add_checked_fixture(tcase, kit_setup, NULL);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, one_in_flight_for_all);
	tcase_add_test(tcase, forgotten_and_freed);
	tcase_add_test(tcase, asks_from_within);
	tcase_add_test(tcase, table);
	tcase_add_test(tcase, everybody_is_told_once);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(flight_suite)
