/* SPDX-License-Identifier: MIT */
/*
 * admin/loader with real files and a main thread that does what reload does; source/account and
 * source/reading. That it can be left while a share hangs is in tests/system/115-hung-share.
 */
#include "admin/loader.h"

#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "unit/unit.h"
#include "zone/table.h"

#define DEADLINE_MS 30000

static char folder[64];
static struct build *build;
static struct config *config;
static struct event_base *base;
static struct event *tick;
static struct loader *loader;
static struct complaints complaints;
static struct loader_job job;
static struct account *account;
static struct view *served;
static unsigned loaded, settled, wanted, accepted, refused;
static char why[ERR_TEXT_MAX];

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static void on_loaded(void *arg)
{
	(void)arg;
	loaded++;
}

static void on_settled(void *arg)
{
	(void)arg;
	settled++;
}

static void on_wanted(void *arg)
{
	(void)arg;
	wanted++;
}

static void on_stands(void *arg, struct account *now)
{
	(void)arg;
	account_free(now);
}

static void on_accepted(void *arg, const struct err *err)
{
	(void)arg;
	accepted += !err;
	refused += err != NULL;
	if (err)
		strcpy(why, err->text);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

static void write_names(const char *path, unsigned count)
{
	FILE *file = fopen("new", "w");

	ck_assert_ptr_nonnull(file);
	for (unsigned i = 0; i < count; i++)
		fprintf(file, "10.0.0.%u n%u.blob.core.windows.net\n", i, i);
	fclose(file);
	ck_assert_int_eq(rename("new", path), 0);
}

static void setup(void)
{
	static const char text[] = "records: [{path: hosts}]\n"
				   "server: {state: state}\n"
				   "forward: [{zone: ., to: [127.0.0.1@9]}]\n";
	const struct loader_calls calls = {
		.loaded = on_loaded, .settled = on_settled, .wanted = on_wanted, .stands = on_stands
	};
	struct config_options options = { 0 };
	struct err err;

	account = NULL;
	served = NULL;
	loaded = settled = wanted = accepted = refused = 0;
	strcpy(folder, "/tmp/privlinkd-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chdir(folder), 0);
	ck_assert_int_eq(mkdir("state", 0700), 0);
	write_names("hosts", 20);
	config = config_parse("conf", text, strlen(text), &options, &complaints);
	ck_assert_ptr_nonnull(config);
	build = build_new();
	base = event_base_new();
	tick = event_new(base, -1, EV_PERSIST, on_tick, NULL);
	event_add(tick, &(struct timeval){ .tv_usec = 50000 });
	loader = loader_new(build, base, &calls, &err);
	ck_assert_ptr_nonnull(loader);
}

static void teardown(void)
{
	ck_assert(loader_stop(loader));
	loader_free(loader);
	build_release(served);
	build_free(build);
	account_free(account);
	config_free(config);
	event_free(tick);
	event_base_free(base);
	ck_assert_int_eq(chdir("/"), 0);
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void wait_count(const unsigned *count, unsigned most)
{
	uint64_t end_ms = clock_now_ms() + DEADLINE_MS;

	while (*count < most) {
		ck_assert_uint_lt(clock_now_ms(), end_ms);
		event_base_loop(base, EVLOOP_ONCE);
	}
}

static void take_account(void)
{
	account_free(account);
	account = job.account;
	job.account = NULL;
	ck_assert_ptr_nonnull(account);
}

/* A run, as reload would do it; how many records are served after it. */
static size_t run(bool changes_only)
{
	struct view *before = served;
	struct err err;

	job = (struct loader_job){ .input = { .config = config, .changes_only = changes_only },
				   .complaints = &complaints };
	loader_load(loader, &job);
	wait_count(&loaded, loaded + 1);
	take_account();
	ck_assert_ptr_nonnull(job.view);
	ck_assert_int_eq(build_complete(build, &job.input, job.view, &complaints, &err), 0);
	served = job.view;
	build_release(before);
	job.newest = served;
	job.save = true;
	job.watched = calloc(2, sizeof(*job.watched));
	job.watched[0] = (struct watch_entry){ strdup("hosts"), 3600 };
	job.watched_count = 1;
	loader_settle(loader, &job);
	wait_count(&settled, settled + 1);
	take_account();
	ck_assert_ptr_null(job.watched);
	return table_records(served->table);
}

START_TEST(loads_saves_and_watches)
{
	const char *trouble;

	ck_assert_uint_eq(run(false), 20);
	ck_assert_uint_eq(account_count(account), 1);
	ck_assert_str_eq(account_status(account, 0)->path, "hosts");
	ck_assert_int_eq(account_status(account, 0)->state, SOURCE_GOOD);
	ck_assert_uint_eq(account_status(account, 0)->records, 20);
	ck_assert_uint_eq(account_troubled(account), 0);
	ck_assert_str_eq(account_state(account, &trouble), "state");
	ck_assert_ptr_null(trouble);
	write_names("hosts", 21);
	wait_count(&wanted, 1);
	ck_assert_uint_eq(run(true), 21);
}
END_TEST

START_TEST(an_entry_is_held_back_and_accepted)
{
	struct source_hold hold;

	ck_assert_uint_eq(run(false), 20);
	write_names("hosts", 3);
	ck_assert_uint_eq(run(false), 20);
	ck_assert_int_eq(account_status(account, 0)->state, SOURCE_HELD);
	ck_assert_uint_eq(account_troubled(account), 1);
	ck_assert(account_hold(account, 0, &hold));
	ck_assert_str_eq(hold.path, "hosts");
	ck_assert_uint_eq(hold.lost, 17);
	ck_assert_uint_eq(hold.names, 20);

	ck_assert_int_eq(loader_accept(loader, "nosuch", on_accepted, NULL), 0);
	wait_count(&refused, 1);
	ck_assert_str_eq(why, "nosuch: no source of that name; status lists them");
	ck_assert_int_eq(loader_accept(loader, "hosts", on_accepted, NULL), 0);
	wait_count(&accepted, 1);
	ck_assert_uint_eq(run(false), 3);
	ck_assert(!account_hold(account, 0, &hold));
}
END_TEST

START_TEST(accepts_are_bounded)
{
	for (unsigned i = 0; i < LOADER_ACCEPTS_MAX; i++)
		ck_assert_int_eq(loader_accept(loader, "nosuch", on_accepted, NULL), 0);
	ck_assert_int_eq(loader_accept(loader, "nosuch", on_accepted, NULL), -1);
	wait_count(&refused, LOADER_ACCEPTS_MAX);
	ck_assert_int_eq(loader_accept(loader, "nosuch", on_accepted, NULL), 0);
	/* The answer to this one is given up at the stop. */
}
END_TEST

START_TEST(what_is_read)
{
	struct reading *reading = reading_new();
	char path[READING_PATH_MAX], longer[READING_PATH_MAX + 10];
	uint64_t ms = 0;

	ck_assert(!reading_what(reading, path, &ms));
	reading_at(reading, "a");
	ck_assert(reading_what(reading, path, &ms));
	ck_assert_str_eq(path, "a");
	ck_assert_uint_lt(ms, DEADLINE_MS);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	reading_at(reading, longer);
	ck_assert(reading_what(reading, path, &ms));
	ck_assert_uint_eq(strlen(path), READING_PATH_MAX - 1);
	reading_at(reading, NULL);
	ck_assert(!reading_what(reading, path, &ms));
	reading_at(NULL, "a");
	reading_free(reading);
	reading_free(NULL);
}
END_TEST

static Suite *suite(void)
{
	Suite *made = suite_create("loader");
	TCase *tcase = tcase_create("loader");

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, loads_saves_and_watches);
	tcase_add_test(tcase, an_entry_is_held_back_and_accepted);
	tcase_add_test(tcase, accepts_are_bounded);
	suite_add_tcase(made, tcase);
	tcase = tcase_create("reading");
	tcase_add_test(tcase, what_is_read);
	suite_add_tcase(made, tcase);
	return made;
}

UNIT_MAIN(suite)
