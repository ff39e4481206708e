/* SPDX-License-Identifier: MIT */
/*
 * source/watch, folders and still, with real files, the kernel's notices, and sources that are
 * really loaded. Every wait has a condition and a deadline. That nothing happens is shown by what
 * happens after it: a later change is taken, and the loads are counted. Times are tested from below
 * only.
 */
#include "source/watch.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "source/folders.h"
#include "source/load.h"
#include "unit/records.h"

#ifndef DEADLINE_MS
#define DEADLINE_MS 30000
#endif

static char folder[64];
static struct zones *zones;
static struct sources *sources;
static struct read_result told;
static struct source_conf entries[4];
static struct watch_entry watched[4];
static struct load_conf conf;
static struct event_base *base;
static struct event *tick;
static struct still *still;
static struct watch *watch;
static unsigned loads, warnings;
static char warning[1024];

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static void load(bool changes_only)
{
	struct complaints to = { .tell = result_tell, .arg = &told };
	struct err err;

	memset(&told, 0, sizeof(told));
	conf.changes_only = changes_only;
	ck_assert_int_eq(sources_load(sources, &conf, zones, &to, &err), 0);
	loads++;
	ck_assert_int_eq(watch_follow(watch, watched, conf.count), 0);
}

static void on_changed(void *arg)
{
	(void)arg;
	load(true);
}

static void on_warn(void *arg, const char *text)
{
	(void)arg;
	warnings++;
	snprintf(warning, sizeof(warning), "%s", text);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

static void setup(void)
{
	struct timeval often = { .tv_usec = 10000 };

	strcpy(folder, "/tmp/privlinkd-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chdir(folder), 0);
	zones = records_zones();
	sources = sources_new();
	still = still_new();
	base = event_base_new();
	tick = event_new(base, -1, EV_PERSIST, on_tick, NULL);
	event_add(tick, &often);
	memset(entries, 0, sizeof(entries));
	loads = warnings = 0;
}

static void teardown(void)
{
	watch_free(watch);
	watch = NULL;
	event_free(tick);
	event_base_free(base);
	sources_free(sources);
	still_free(still);
	zones_free(zones);
	ck_assert_int_eq(chdir("/"), 0);
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

static void append_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "a");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

/* One address, of the name `a`. */
static void write_host(const char *path, const char *name, unsigned last)
{
	char text[128];

	snprintf(text, sizeof(text), "10.0.0.%u %s.blob.core.windows.net\n", last, name);
	write_text(path, text);
}

static void replace_host(const char *path, const char *name, unsigned last)
{
	write_host(".new", name, last);
	ck_assert_int_eq(rename(".new", path), 0);
}

/* The watch begins, over these paths. */
static void begin(unsigned folders_max, unsigned poll_s, const char *first, const char *second)
{
	struct watch_conf watch_conf = { .base = base,
					 .still = still,
					 .folders_max = folders_max,
					 .changed = on_changed,
					 .warn = on_warn };
	const char *paths[] = { first, second };

	conf = (struct load_conf){ .sources = entries, .ttl_max = 86400, .still = still };
	for (size_t i = 0; i < 2 && paths[i]; i++) {
		entries[i] = (struct source_conf){ .path = paths[i], .ttl = RECORD_TTL_DEFAULT };
		watched[i] = (struct watch_entry){ paths[i], poll_s };
		conf.count = i + 1;
	}
	watch = watch_new(&watch_conf, NULL);
	ck_assert_ptr_nonnull(watch);
	load(false);
}

/* With notices; polling would take longer than any deadline. */
static void begin_notices(const char *first, const char *second)
{
	begin(FOLDERS_MAX, 3600, first, second);
}

static const char *served(void)
{
	static char text[RECORDS_TEXT_MAX];
	struct record_set *const *sets;
	size_t count = sources_sets(sources, &sets);

	records_write(zones, sets, count, text);
	return text;
}

static bool serves(const char *name, unsigned last)
{
	char line[160];

	snprintf(line, sizeof(line), "%s.privatelink.blob.core.windows.net 10 A 10.0.0.%u ", name,
		 last);
	return strstr(served(), line);
}

/* Runs the loop until it is served; `last` 0: until the name is not. */
static void await(const char *name, unsigned last)
{
	uint64_t end_ms = clock_now_ms() + DEADLINE_MS;
	char start[160];

	snprintf(start, sizeof(start), "%s.privatelink.", name);
	while (last ? !serves(name, last) : strstr(served(), start) != NULL) {
		ck_assert_msg(clock_now_ms() < end_ms, "waited in vain for %s %u; served:\n%s",
			      name, last, served());
		event_base_loop(base, EVLOOP_ONCE);
	}
}

/* Runs the loop until one more change has been taken: what was to happen before has happened. */
static void pass(void)
{
	static unsigned last = 100;

	replace_host("pass", "pass", ++last);
	await("pass", last);
}

/*
 * Until the look that follows every load is over, so that a change gives a notice or is not seen.
 * On a machine that is too slow for this the tests prove less and pass all the same.
 */
static void idle(void)
{
	uint64_t end_ms = clock_now_ms() + 3 * STILL_QUIET_MS;

	while (clock_now_ms() < end_ms)
		event_base_loop(base, EVLOOP_ONCE);
}

START_TEST(takes_a_file_written_in_place)
{
	write_host("a", "a", 1);
	begin_notices("a", NULL);
	ck_assert(serves("a", 1));
	write_host("a", "a", 2);
	await("a", 2);
	append_text("a", "10.0.0.3 b.blob.core.windows.net\n");
	await("b", 3);
}
END_TEST

START_TEST(takes_a_file_renamed_over)
{
	char path[128];

	write_host("a", "a", 1);
	snprintf(path, sizeof(path), "%s/a", folder);
	begin_notices(path, NULL);
	for (unsigned i = 2; i < 5; i++) {
		replace_host("a", "a", i);
		await("a", i);
	}
	/* The start and one load a change. */
	ck_assert_uint_eq(loads, 4);
}
END_TEST

START_TEST(takes_what_editors_do)
{
	write_host("a", "a", 1);
	begin_notices("a", NULL);
	/* A backup, and a new file under the old name. */
	ck_assert_int_eq(rename("a", "a~"), 0);
	write_host("a", "a", 2);
	await("a", 2);
	ck_assert_int_eq(unlink("a"), 0);
	await("a", 0);
	write_host("a", "a", 3);
	await("a", 3);
}
END_TEST

START_TEST(takes_new_removed_and_renamed_files)
{
	ck_assert_int_eq(mkdir("d", 0700), 0);
	write_host("d/1", "a", 1);
	begin_notices("d", NULL);
	write_host("d/2", "b", 2);
	await("b", 2);
	ck_assert_int_eq(unlink("d/1"), 0);
	await("a", 0);
	write_host("d/3", "b", 3);
	await("b", 3); /* both are served by records_write: the order is that of the names */
	ck_assert_int_eq(rename("d/2", "d/.2"), 0);
	await("b", 3);
	ck_assert_int_eq(rename("d/3", "d/4"), 0);
	write_host("d/5", "c", 5);
	await("c", 5);
	ck_assert(serves("b", 3));
	ck_assert(!serves("b", 2));
}
END_TEST

START_TEST(follows_swapped_links)
{
	ck_assert_int_eq(mkdir("d", 0700), 0);
	ck_assert_int_eq(mkdir("d/..1", 0700), 0);
	ck_assert_int_eq(mkdir("d/..2", 0700), 0);
	write_host("d/..1/a", "a", 1);
	write_host("d/..2/a", "a", 2);
	ck_assert_int_eq(symlink("..1", "d/..data"), 0);
	ck_assert_int_eq(symlink("..data/a", "d/a"), 0);
	begin_notices("d/a", "d");
	ck_assert(serves("a", 1));
	ck_assert_int_eq(symlink("..2", "d/..tmp"), 0);
	ck_assert_int_eq(rename("d/..tmp", "d/..data"), 0);
	await("a", 2);
	/* In the folder that the link leads to now. */
	idle();
	write_host("d/..2/a", "a", 3);
	await("a", 3);
}
END_TEST

START_TEST(follows_links_out_of_a_folder)
{
	char target[128];

	ck_assert_int_eq(mkdir("d", 0700), 0);
	ck_assert_int_eq(mkdir("far", 0700), 0);
	snprintf(target, sizeof(target), "%s/far/a", folder);
	ck_assert_int_eq(symlink(target, "d/a"), 0);
	write_host("d/b", "b", 1);
	begin_notices("d", NULL);
	idle();
	write_host("far/a", "a", 2);
	await("a", 2);
	idle();
	write_host("far/a", "a", 3);
	await("a", 3);
}
END_TEST

START_TEST(takes_folders_that_appear_later)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/x/y/z", folder);
	begin_notices(path, "x/y/z/a");
	idle();
	ck_assert_int_eq(mkdir("x", 0700), 0);
	idle();
	ck_assert_int_eq(mkdir("x/y", 0700), 0);
	ck_assert_int_eq(mkdir("x/y/z", 0700), 0);
	write_host("x/y/z/a", "a", 1);
	await("a", 1);
	/* Away, with all above it, and back. */
	ck_assert_int_eq(rename("x", "elsewhere"), 0);
	await("a", 0);
	idle();
	ck_assert_int_eq(mkdir("x", 0700), 0);
	idle();
	ck_assert_int_eq(mkdir("x/y", 0700), 0);
	ck_assert_int_eq(mkdir("x/y/z", 0700), 0);
	write_host("x/y/z/a", "a", 2);
	await("a", 2);
	idle();
	write_host("x/y/z/a", "a", 3);
	await("a", 3);
}
END_TEST

START_TEST(takes_what_comes_to_match)
{
	ck_assert_int_eq(mkdir("p", 0700), 0);
	ck_assert_int_eq(mkdir("p/1", 0700), 0);
	begin_notices("p/*/*.h", NULL);
	write_host("p/1/a.h", "a", 1);
	await("a", 1);
	idle();
	write_host("p/1/a.h", "a", 2);
	await("a", 2);
	idle();
	ck_assert_int_eq(mkdir("p/2", 0700), 0);
	idle();
	write_host("p/2/b.h", "b", 3);
	await("b", 3);
}
END_TEST

START_TEST(finds_changes_by_polling)
{
	ck_assert_int_eq(mkdir("d", 0700), 0);
	write_host("d/a", "a", 1);
	begin(0, 1, "d", "e");
	write_host("d/a", "a", 2);
	await("a", 2);
	write_host("d/b", "b", 1);
	await("b", 1);
	ck_assert_int_eq(unlink("d/b"), 0);
	await("b", 0);
	write_host("e", "e", 1);
	await("e", 1);
	ck_assert_uint_eq(loads, 5);
	ck_assert_uint_eq(warnings, 0);
}
END_TEST

START_TEST(falls_back_to_polling_at_a_limit)
{
	ck_assert_int_eq(mkdir("d", 0700), 0);
	ck_assert_int_eq(mkdir("e", 0700), 0);
	write_host("d/a", "a", 1);
	begin(1, 1, "d", "e");
	write_host("e/a", "b", 2);
	await("b", 2);
	write_host("e/a", "b", 3);
	await("b", 3);
	ck_assert_uint_eq(warnings, 1);
	ck_assert_str_eq(warning, "records: not every folder can be watched: more than 1 folders; "
				  "list fewer sources; changes are found by polling");
}
END_TEST

START_TEST(does_not_load_what_is_the_same)
{
	struct timespec times[2] = { { .tv_sec = 1 }, { .tv_nsec = UTIME_OMIT } };
	char octet;
	int fd;

	ck_assert_int_eq(mkdir("d", 0700), 0);
	write_host("d/a", "a", 1);
	begin_notices("d", "pass");
	pass();
	ck_assert_uint_eq(loads, 2);
	/* Reading, names that do not count, a file that was there for a moment. */
	fd = open("d/a", O_RDONLY);
	ck_assert_int_eq(read(fd, &octet, 1), 1);
	close(fd);
	write_text("d/.a.swp", "x");
	write_text("d/b", "x");
	ck_assert_int_eq(unlink("d/b"), 0);
	pass();
	ck_assert_uint_eq(loads, 3);
	/* The time of access is no change of the file, but of its state: read once, not more. */
	ck_assert_int_eq(utimensat(AT_FDCWD, "d/a", times, 0), 0);
	pass();
	ck_assert_uint_le(loads, 5);
}
END_TEST

START_TEST(takes_a_file_without_end_when_it_stands_still)
{
	uint64_t written_ms;

	write_host("a", "a", 1);
	write_host("pass", "pass", 1);
	begin_notices("a", "pass");
	write_text("a", "10.0.0.2 a.blob.core.windows.net\n10.0.0.3 b.blob.core.win");
	written_ms = clock_now_ms();
	pass();
	ck_assert_str_eq(told.complaints, "");
	if (clock_now_ms() - written_ms < STILL_END_MS) {
		ck_assert(serves("a", 1));
		ck_assert_str_eq(sources_status(sources, 0)->complaint,
				 "a: the last line has no end; it is taken when the file has stood "
				 "still for 2 "
				 "s");
	}
	/* Finished: taken soon, without a word. */
	append_text("a", "dows.net\n");
	await("b", 3);
	ck_assert(serves("a", 2));
	ck_assert_str_eq(told.complaints, "");
	/* Never finished: taken late, with a warning. */
	write_text("a", "10.0.0.4 a.blob.core.windows.net");
	written_ms = clock_now_ms();
	await("a", 4);
	ck_assert_uint_ge(clock_now_ms() - written_ms, STILL_END_MS);
	ck_assert_str_eq(
		told.complaints,
		"W a:1: the last line has no end; if the file was cut off, copy it again\n");
	ck_assert_int_eq(sources_status(sources, 0)->state, SOURCE_GOOD);
}
END_TEST

START_TEST(serves_a_file_without_end_at_the_start)
{
	uint64_t end_ms = clock_now_ms() + DEADLINE_MS;

	write_text("a", "10.0.0.1 a.blob.core.windows.net");
	begin_notices("a", NULL);
	ck_assert(serves("a", 1));
	ck_assert_str_eq(told.complaints, "");
	while (!told.complaints[0] && clock_now_ms() < end_ms)
		event_base_loop(base, EVLOOP_ONCE);
	ck_assert_str_eq(
		told.complaints,
		"W a:1: the last line has no end; if the file was cut off, copy it again\n");
	ck_assert_uint_eq(loads, 2);
}
END_TEST

static uint64_t written_last_ms, written_gap_ms; /* the longest */

static void on_write(evutil_socket_t fd, short what, void *arg)
{
	uint64_t now_ms = clock_now_ms();

	(void)fd;
	(void)what;
	if (written_last_ms && now_ms - written_last_ms > written_gap_ms)
		written_gap_ms = now_ms - written_last_ms;
	written_last_ms = now_ms;
	append_text(arg, "10.0.0.9 busy.blob.core.windows.net\n");
}

START_TEST(leaves_a_file_that_changes_all_the_time)
{
	struct timeval often = { .tv_usec = 30000 };
	struct event *writer;
	uint64_t start_ms;

	ck_assert_int_eq(mkdir("d", 0700), 0);
	write_host("d/a", "a", 1);
	write_host("d/busy", "busy", 1);
	begin_notices("d", NULL);
	writer = event_new(base, -1, EV_PERSIST, on_write, (void *)(uintptr_t) "d/busy");
	event_add(writer, &often);
	start_ms = clock_now_ms();
	for (unsigned i = 2; i < 5; i++) {
		write_host("d/a", "a", i);
		await("a", i);
		/* If the machine held us up for 200 ms the file has stood still, too. */
		if (written_gap_ms < STILL_QUIET_MS / 2)
			ck_assert(!serves("busy", 9));
	}
	ck_assert_uint_le(loads, 1 + WATCH_BURST + (clock_now_ms() - start_ms) / WATCH_PACE_MS);
	event_free(writer);
	await("busy", 9);
}
END_TEST

START_TEST(bounds_loads)
{
	uint64_t start_ms = clock_now_ms();
	unsigned i;

	write_host("a", "a", 1);
	begin_notices("a", NULL);
	for (i = 2; i < 8; i++) {
		write_host("a", "a", i);
		await("a", i);
	}
	ck_assert_uint_le(loads, 1 + WATCH_BURST + (clock_now_ms() - start_ms) / WATCH_PACE_MS);
}
END_TEST

START_TEST(survives_an_overflow)
{
	ck_assert_int_eq(mkdir("d", 0700), 0);
	write_host("d/a", "a", 1);
	begin_notices("d", NULL);
	/* More than fs.inotify.max_queued_events, which is 16,384, and no two of them alike. */
	for (int i = 0; i < 10000; i++) {
		ck_assert_int_eq(rename("d/a", "d/b"), 0);
		ck_assert_int_eq(rename("d/b", "d/a"), 0);
	}
	write_host("d/a", "a", 2);
	await("a", 2);
	write_host("d/a", "a", 3);
	await("a", 3);
}
END_TEST

START_TEST(walks_links_that_lead_nowhere)
{
	char path[4096];

	ck_assert_int_eq(symlink("l2", "l1"), 0);
	ck_assert_int_eq(symlink("l1", "l2"), 0);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	begin_notices("l1/a", path);
	ck_assert_int_eq(unlink("l1"), 0);
	ck_assert_int_eq(mkdir("l1", 0700), 0);
	write_host("l1/a", "a", 1);
	await("a", 1);
}
END_TEST

START_TEST(keeps_still_account)
{
	struct stat st = { .st_ino = 1, .st_size = 2 };
	struct still_summary now;

	/* A first look: by the file's own times it is old. */
	ck_assert_uint_ge(still_note(still, "a", &st, 0, 100000), STILL_COARSE_MS);
	still_look_end(still, 0, 100000);
	now = still_summarize(still, 100000);
	ck_assert_uint_eq(now.ready, 1);
	still_load_begin(still);
	still_loaded(still, "a", &st, 0, 0);
	still_load_end(still, 1);
	now = still_summarize(still, 100000);
	ck_assert_uint_eq(now.ready + now.busy, 0);
	ck_assert_uint_eq(now.next_ms, UINT64_MAX);
	/* Another size: busy, then ready. */
	st.st_size = 3;
	still_look_begin(still, 0);
	ck_assert_uint_eq(still_note(still, "a", &st, 0, 100100), 0);
	still_look_end(still, 0, 100100);
	now = still_summarize(still, 100299);
	ck_assert_uint_eq(now.busy, 1);
	ck_assert_uint_eq(now.ready, 0);
	now = still_summarize(still, 100300);
	ck_assert_uint_eq(now.ready, 1);
	/* Loaded, to be read again in two seconds. */
	still_load_begin(still);
	still_loaded(still, "a", &st, 0, STILL_END_MS);
	still_load_end(still, 1);
	now = still_summarize(still, 100300);
	ck_assert_uint_eq(now.ready, 0);
	ck_assert_uint_eq(now.next_ms, STILL_END_MS - 200);
	now = still_summarize(still, 100100 + STILL_END_MS);
	ck_assert_uint_eq(now.ready, 1);
	/* New in a second look: what its own times say does not count any more. */
	ck_assert_uint_eq(still_note(still, "b", &st, 0, 100400), 0);
	/* Gone. */
	still_load_begin(still);
	still_loaded(still, "a", &st, 0, 0);
	still_loaded(still, "b", &st, 0, 0);
	still_load_end(still, 1);
	still_look_begin(still, 0);
	still_note(still, "a", &st, 0, 100500);
	still_look_end(still, 0, 100500);
	now = still_summarize(still, 100500);
	ck_assert_uint_eq(now.busy, 1);
	/* Entries that are no more. */
	still_load_end(still, 0);
	now = still_summarize(still, 200000);
	ck_assert_uint_eq(now.ready + now.busy, 0);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("watch");
	TCase *tcase = tcase_create("watch");

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, takes_a_file_written_in_place);
	tcase_add_test(tcase, takes_a_file_renamed_over);
	tcase_add_test(tcase, takes_what_editors_do);
	tcase_add_test(tcase, takes_new_removed_and_renamed_files);
	tcase_add_test(tcase, follows_swapped_links);
	tcase_add_test(tcase, follows_links_out_of_a_folder);
	tcase_add_test(tcase, takes_folders_that_appear_later);
	tcase_add_test(tcase, takes_what_comes_to_match);
	tcase_add_test(tcase, finds_changes_by_polling);
	tcase_add_test(tcase, falls_back_to_polling_at_a_limit);
	tcase_add_test(tcase, does_not_load_what_is_the_same);
	tcase_add_test(tcase, takes_a_file_without_end_when_it_stands_still);
	tcase_add_test(tcase, serves_a_file_without_end_at_the_start);
	tcase_add_test(tcase, leaves_a_file_that_changes_all_the_time);
	tcase_add_test(tcase, bounds_loads);
	tcase_add_test(tcase, survives_an_overflow);
	tcase_add_test(tcase, walks_links_that_lead_nowhere);
	tcase_add_test(tcase, keeps_still_account);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(make_suite)
