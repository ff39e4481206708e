/* SPDX-License-Identifier: MIT */
/* source/load: files to sets, what is kept when a file turns bad, what is not read again. */
#include "source/load.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "source/statedir.h"
#include "unit/records.h"

static char folder[64];
static struct zones *zones;
static struct sources *sources;
static struct read_result told;
static struct complaints to;
static struct source_conf entries[4];
static struct load_conf conf;

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static void setup(void)
{
	strcpy(folder, "/tmp/privlinkd-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chdir(folder), 0);
	zones = records_zones();
	sources = sources_new();
	memset(entries, 0, sizeof(entries));
	for (size_t i = 0; i < 4; i++)
		entries[i].ttl = RECORD_TTL_DEFAULT;
	conf = (struct load_conf){ .sources = entries, .count = 1, .ttl_max = 86400 };
}

static void teardown(void)
{
	sources_free(sources);
	zones_free(zones);
	ck_assert_int_eq(chdir("/"), 0);
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Written, and stamped long ago, so that the same stamp means the same text. */
static void write_at(const char *path, const char *text, time_t seconds)
{
	struct timespec times[2] = { { .tv_sec = seconds }, { .tv_sec = seconds } };
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
	ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void write_text(const char *path, const char *text)
{
	static time_t seconds = 1000000;

	write_at(path, text, seconds++);
}

/* Loads; the complaints are in `told`. */
static void load(void)
{
	struct err err;

	memset(&told, 0, sizeof(told));
	to = (struct complaints){ .tell = result_tell, .arg = &told };
	ck_assert_int_eq(sources_load(sources, &conf, zones, &to, &err), 0);
}

static const char *served(void)
{
	static char text[RECORDS_TEXT_MAX];
	struct record_set *const *sets;
	size_t count = sources_sets(sources, &sets);

	records_write(zones, sets, count, text);
	return text;
}

START_TEST(loads_a_file)
{
	const struct source_status *status;

	write_text("a", "10.0.0.1 a.blob.core.windows.net\n");
	entries[0].path = "a";
	load();
	ck_assert_str_eq(told.complaints, "");
	ck_assert_str_eq(served(), "a.privatelink.blob.core.windows.net 10 A 10.0.0.1 1\n");
	ck_assert_uint_eq(sources_count(sources), 1);
	status = sources_status(sources, 0);
	ck_assert_str_eq(status->path, "a");
	ck_assert_int_eq(status->state, SOURCE_GOOD);
	ck_assert_int_eq(status->format, SOURCE_HOSTS);
	ck_assert_uint_eq(status->records, 1);
	ck_assert_int_ge(status->loaded, time(NULL) - 60);
	ck_assert_str_eq(status->complaint, "");
}
END_TEST

START_TEST(loads_folders_and_globs)
{
	ck_assert_int_eq(mkdir("d", 0700), 0);
	ck_assert_int_eq(mkdir("d/sub", 0700), 0);
	ck_assert_int_eq(mkfifo("d/fifo", 0600), 0);
	write_text("d/b", "a. 1 A 10.0.0.2\n");
	write_text("d/B", "a. 1 A 10.0.0.3\n");
	write_text("d/.hidden", "a. 1 A 10.0.0.4\n");
	write_text("d/b~", "a. 1 A 10.0.0.4\n");
	write_text("d/#b#", "a. 1 A 10.0.0.4\n");
	write_text("d/sub/x", "a. 1 A 10.0.0.5\n");
	write_text("d/\xc3\xa4", "hosts: {a: 10.0.0.6}\n");
	write_text("x2.txt", "a. 1 A 10.0.0.7\n");
	write_text("x10.txt", "a. 1 A 10.0.0.8\n");
	entries[0].path = "d";
	entries[1].path = "x*.txt";
	entries[2].path = "nosuch*";
	entries[3].path = "d/b";
	conf.count = 4;
	load();
	ck_assert_str_eq(
		told.complaints,
		"W nosuch*: matches no file; correct it if files should be "
		"there\nW d/b: is named a second time under `records`; the first counts, take one "
		"out\n");
	ck_assert_uint_eq(sources_count(sources), 5);
	ck_assert_str_eq(sources_status(sources, 0)->path, "d/B");
	ck_assert_str_eq(sources_status(sources, 1)->path, "d/b");
	ck_assert_str_eq(sources_status(sources, 2)->path, "d/\xc3\xa4");
	ck_assert_str_eq(sources_status(sources, 3)->path, "x10.txt");
	ck_assert_str_eq(sources_status(sources, 4)->path, "x2.txt");
	ck_assert_uint_eq(sources_status(sources, 4)->entry, 1);
}
END_TEST

START_TEST(uses_settings_of_the_entry)
{
	write_text("z", "a A 10.0.0.1\n");
	entries[0] = (struct source_conf){
		.path = "z", .format = SOURCE_ZONE, .ttl = 77, .zone = "lab.example"
	};
	load();
	ck_assert_str_eq(served(), "a.lab.example 77 A 10.0.0.1 1\n");
	/* Other settings: read again although the file is the same. */
	entries[0].zone = "x.example";
	load();
	ck_assert_str_eq(served(), "a.x.example 77 A 10.0.0.1 1\n");
	entries[0].format = SOURCE_YAML;
	load();
	ck_assert_int_eq(sources_status(sources, 0)->state, SOURCE_LAST_GOOD);
}
END_TEST

START_TEST(serves_good_lines_without_last_good)
{
	write_text("a", "10.0.0.1 a.example\nnonsense\n");
	entries[0].path = "a";
	load();
	ck_assert_str_eq(told.complaints,
			 "E a:2: a name without an address; write `IP name` on one line\n");
	ck_assert_str_eq(served(), "a.example 10 A 10.0.0.1 1\n");
	ck_assert_int_eq(sources_status(sources, 0)->state, SOURCE_DEGRADED);
	ck_assert_str_eq(sources_status(sources, 0)->complaint,
			 "a:2: a name without an address; write `IP name` on one line");
	ck_assert_uint_eq(sources_troubled(sources), 1);
	/* Degraded is not good: the next bad version replaces it. Told again although unchanged. */
	load();
	ck_assert_uint_eq(to.errors, 1);
	write_text("a", "10.0.0.2 b.example\nnonsense\n");
	load();
	ck_assert_str_eq(served(), "b.example 10 A 10.0.0.2 1\n");
}
END_TEST

START_TEST(serves_lines_before_a_cut)
{
	/* UTF-16 of "10.0.0.1 a\n1", half of the last character missing. */
	static const char cut[] = "\xff\xfe"
				  "1\0"
				  "0\0.\0"
				  "0\0.\0"
				  "0\0.\0"
				  "1\0 \0a\0\n\0"
				  "1";
	FILE *file = fopen("a", "w");

	ck_assert_ptr_nonnull(file);
	fwrite(cut, 1, sizeof(cut) - 1, file);
	fclose(file);
	entries[0].path = "a";
	load();
	ck_assert_str_eq(told.complaints,
			 "E a:2: ends within a UTF-16 character: the file is cut off; "
			 "copy or export it again\n");
	ck_assert_str_eq(served(), "a 10 A 10.0.0.1 1\n");
	ck_assert_int_eq(sources_status(sources, 0)->state, SOURCE_DEGRADED);
	/* Nothing left: one complaint, not two. */
	file = fopen("a", "w");
	fwrite(cut, 1, 5, file);
	fclose(file);
	load();
	ck_assert_uint_eq(to.errors, 1);
	ck_assert_int_eq(sources_status(sources, 0)->state, SOURCE_FAILED);
}
END_TEST

START_TEST(keeps_last_good)
{
	const struct source_status *status;

	write_text("a", "10.0.0.1 a.example\n");
	entries[0].path = "a";
	load();
	write_text("a", "10.0.0.2 b.example\nnonsense\n");
	for (int i = 0; i < 3; i++) {
		load();
		ck_assert_uint_eq(to.errors, 1);
		ck_assert_str_eq(served(), "a.example 10 A 10.0.0.1 1\n");
		status = sources_status(sources, 0);
		ck_assert_int_eq(status->state, SOURCE_LAST_GOOD);
		ck_assert_uint_eq(status->records, 1);
		ck_assert_uint_eq(status->errors, 1);
	}
	write_text("a", "");
	load();
	ck_assert_str_eq(told.complaints,
			 "E a: holds no record; delete it to remove its records\n");
	ck_assert_str_eq(served(), "a.example 10 A 10.0.0.1 1\n");
	write_text("a", "10.0.0.3 c.example\n");
	load();
	ck_assert_str_eq(served(), "c.example 10 A 10.0.0.3 1\n");
	ck_assert_int_eq(sources_status(sources, 0)->state, SOURCE_GOOD);
	ck_assert_str_eq(sources_status(sources, 0)->complaint, "");
}
END_TEST

START_TEST(drops_what_is_gone)
{
	ck_assert_int_eq(mkdir("d", 0700), 0);
	write_text("d/a", "10.0.0.1 a.example\n");
	write_text("f", "10.0.0.2 f.example\n");
	entries[0].path = "d";
	entries[1].path = "f";
	conf.count = 2;
	load();
	ck_assert_uint_eq(sources_count(sources), 2);
	ck_assert_int_eq(unlink("d/a"), 0);
	load();
	ck_assert_str_eq(told.complaints, "");
	ck_assert_str_eq(served(), "f.example 10 A 10.0.0.2 1\n");
	/* A file that is named is missed. */
	ck_assert_int_eq(unlink("f"), 0);
	load();
	ck_assert_str_eq(told.complaints,
			 "E f: cannot be read: No such file or directory; correct the "
			 "path or take it out of `records`\n");
	ck_assert_str_eq(served(), "");
	ck_assert_int_eq(sources_status(sources, 0)->state, SOURCE_FAILED);
	ck_assert_int_eq(sources_status(sources, 0)->loaded, 0);
}
END_TEST

START_TEST(does_not_read_unchanged_files)
{
	struct record_set *const *sets, *first;
	struct stat before, after;

	write_text("a", "10.0.0.1 a.example\n");
	write_at("young", "10.0.0.1 b.example\n", time(NULL));
	entries[0].path = "a";
	entries[1].path = "young";
	conf.count = 2;
	load();
	ck_assert_uint_eq(sources_sets(sources, &sets), 2);
	first = record_set_ref(sets[0]);
	load();
	ck_assert_uint_eq(sources_sets(sources, &sets), 2);
	ck_assert_ptr_eq(first, sets[0]);
	record_set_unref(first);
	/* Written within the coarseness of time stamps: looked at again. */
	ck_assert_int_eq(stat("young", &before), 0);
	write_at("young", "10.0.0.2 b.example\n", before.st_mtim.tv_sec);
	ck_assert_int_eq(stat("young", &after), 0);
	ck_assert_int_eq(before.st_size, after.st_size);
	load();
	ck_assert_str_eq(served(), "a.example 10 A 10.0.0.1 1\nb.example 10 A 10.0.0.2 1\n");
}
END_TEST

START_TEST(reads_all_for_a_new_zone_table)
{
	struct zones *old = zones;

	write_text("a", "10.0.0.1 a.blob.core.windows.net\n");
	entries[0].path = "a";
	load();
	zones = zones_new();
	ck_assert_int_eq(zones_seal(zones, NULL), 0);
	load();
	ck_assert_str_eq(served(), "a.blob.core.windows.net 10 A 10.0.0.1 1\n");
	zones_free(old);
}
END_TEST

START_TEST(refuses_other_formats)
{
	static const struct {
		const char *text, *told;
	} cases[] = {
		{ "FQDN,IP\na.example,\n", "a row without an address" },
		{ "{\"customDnsConfigs\": []}\n", "`customDnsConfigs` is empty" },
		{ "what is this\n", "it cannot be told what this is" },
		{ "Network\n10.0.0.1\na.example\n", "Generate hostfile" },
		{ "127.0.0.1 localhost\n", "holds no record; delete it to remove its records" },
		{ "# nothing\n", "holds no record; delete it to remove its records" },
	};

	entries[0].path = "a";
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		write_text("a", cases[i].text);
		load();
		ck_assert_uint_eq(to.errors, 1);
		ck_assert_msg(strstr(told.complaints, cases[i].told) != NULL, "%s",
			      told.complaints);
		ck_assert_int_eq(sources_status(sources, 0)->state, SOURCE_FAILED);
	}
}
END_TEST

START_TEST(warns_of_a_missing_end)
{
	write_text("a", "10.0.0.1 a.example\n10.0.0.2 b.example");
	entries[0].path = "a";
	load();
	ck_assert_str_eq(
		told.complaints,
		"W a:2: the last line has no end; if the file was cut off, copy it again\n");
	ck_assert_int_eq(sources_status(sources, 0)->state, SOURCE_GOOD);
	ck_assert_uint_eq(sources_status(sources, 0)->warnings, 1);
	ck_assert_uint_eq(sources_status(sources, 0)->records, 2);
}
END_TEST

/* ---- last good on disk, and entries that shrink ---------------------------------------------- */

/* Another run of the program. */
static void restart(void)
{
	sources_free(sources);
	sources = sources_new();
}

static void save(void)
{
	sources_save(sources, &to);
}

static void keep_state(void)
{
	ck_assert_int_eq(mkdir("state", 0700), 0);
	conf.state = "state";
	conf.state_forget = true;
	conf.max_shrink = 50;
}

static unsigned state_files(void)
{
	unsigned count = 0;
	DIR *stream = opendir("state");
	struct dirent *item;

	while ((item = readdir(stream)))
		count += item->d_name[0] != '.';
	closedir(stream);
	return count;
}

/* A file of names first..last. */
static void write_names(const char *path, unsigned first, unsigned last)
{
	char text[8192];
	size_t at = 0;

	for (text[0] = '\0'; first <= last; first++)
		at += (size_t)sprintf(text + at, "10.0.0.%u n%u.example\n", first, first);
	write_text(path, text);
}

static size_t served_names(void)
{
	const char *at = served();
	size_t lines = 0;

	for (; (at = strchr(at, '\n')); at++)
		lines++;
	return lines;
}

START_TEST(last_good_outlives_a_restart)
{
	keep_state();
	write_text("a", "10.0.0.1 a.blob.core.windows.net\n");
	entries[0].path = "a";
	load();
	save();
	ck_assert_str_eq(told.complaints, "");
	ck_assert_uint_eq(state_files(), 1);

	/* Bad. */
	write_text("a", "10.0.0.2 b.blob.core.windows.net\nnonsense\n");
	restart();
	load();
	ck_assert_str_eq(served(), "a.privatelink.blob.core.windows.net 10 A 10.0.0.1 1\n");
	ck_assert_int_eq(sources_status(sources, 0)->state, SOURCE_LAST_GOOD);
	ck_assert_int_ge(sources_status(sources, 0)->loaded, time(NULL) - 60);
	ck_assert_ptr_nonnull(strstr(told.complaints, "W a: its last good version, of 2"));
	save();
	ck_assert_uint_eq(state_files(), 1);

	/* And still there at the next, and at a load in which nothing has changed. */
	load();
	ck_assert_str_eq(served(), "a.privatelink.blob.core.windows.net 10 A 10.0.0.1 1\n");
	ck_assert_uint_eq(to.warnings, 0);
	restart();
	load();
	ck_assert_str_eq(served(), "a.privatelink.blob.core.windows.net 10 A 10.0.0.1 1\n");

	/* Mended. */
	write_text("a", "10.0.0.3 c.example\n");
	load();
	save();
	ck_assert_str_eq(served(), "c.example 10 A 10.0.0.3 1\n");
	ck_assert_int_eq(sources_status(sources, 0)->state, SOURCE_GOOD);
	write_text("a", "");
	restart();
	load();
	ck_assert_str_eq(served(), "c.example 10 A 10.0.0.3 1\n");
}
END_TEST

START_TEST(a_file_that_is_missing_at_a_start)
{
	struct err err;

	keep_state();
	write_text("a", "10.0.0.1 a.example\n");
	entries[0].path = "a";
	load();
	save();
	ck_assert_int_eq(rename("a", "elsewhere"), 0);
	restart();
	for (int i = 0; i < 3; i++) {
		load();
		save();
		ck_assert_uint_eq(to.errors, 1);
		ck_assert_str_eq(served(), "a.example 10 A 10.0.0.1 1\n");
		ck_assert_int_eq(sources_status(sources, 0)->state, SOURCE_LAST_GOOD);
	}
	/* It comes, and goes: that is a removal, for good. */
	ck_assert_int_eq(rename("elsewhere", "a"), 0);
	load();
	ck_assert_int_eq(sources_status(sources, 0)->state, SOURCE_GOOD);
	ck_assert_int_eq(rename("a", "elsewhere"), 0);
	load();
	save();
	ck_assert_str_eq(served(), "");
	ck_assert_uint_eq(state_files(), 0);
	restart();
	load();
	ck_assert_str_eq(served(), "");
	/* And the operator may say so. */
	ck_assert_int_eq(rename("elsewhere", "a"), 0);
	load();
	save();
	ck_assert_int_eq(rename("a", "elsewhere"), 0);
	restart();
	load();
	ck_assert_str_eq(served(), "a.example 10 A 10.0.0.1 1\n");
	ck_assert_int_eq(sources_accept(sources, "nosuch", &err), -1);
	ck_assert_int_eq(sources_accept(sources, "a", &err), 0);
	load();
	ck_assert_str_eq(served(), "");
	ck_assert_int_eq(sources_accept(sources, "a", &err), -1);
	ck_assert_str_eq(err.text, "a: is not held back; there is nothing to accept");
}
END_TEST

START_TEST(a_folder_that_is_missing_at_a_start)
{
	keep_state();
	ck_assert_int_eq(mkdir("d", 0700), 0);
	write_text("d/a", "10.0.0.1 a.example\n");
	write_text("d/b", "10.0.0.2 b.example\n");
	entries[0].path = "d";
	entries[1].path = "d/*";
	load();
	save();
	ck_assert_uint_eq(state_files(), 2);
	ck_assert_int_eq(rename("d", "elsewhere"), 0);
	restart();
	for (int i = 0; i < 2; i++) {
		load();
		save();
		ck_assert_str_eq(served(),
				 "a.example 10 A 10.0.0.1 1\nb.example 10 A 10.0.0.2 1\n");
	}
	/* There again, but for one: a removal. */
	ck_assert_int_eq(unlink("elsewhere/b"), 0);
	ck_assert_int_eq(rename("elsewhere", "d"), 0);
	load();
	save();
	ck_assert_str_eq(served(), "a.example 10 A 10.0.0.1 1\n");
	ck_assert_uint_eq(state_files(), 1);
	/* The same by a pattern. */
	conf.sources = entries + 1;
	load();
	save();
	ck_assert_int_eq(rename("d", "elsewhere"), 0);
	restart();
	load();
	ck_assert_str_eq(served(), "a.example 10 A 10.0.0.1 1\n");
}
END_TEST

START_TEST(a_damaged_state_is_a_warning)
{
	char path[512] = "state/";
	struct dirent *item;
	struct stat st;
	DIR *stream;

	keep_state();
	write_text("a", "10.0.0.1 a.example\n10.0.0.2 b.example\n");
	write_text("bad", "10.0.0.3 c.example\nnonsense\n");
	entries[0].path = "a";
	load();
	save();
	stream = opendir("state");
	while ((item = readdir(stream)))
		if (item->d_name[0] != '.')
			strcpy(path + 6, item->d_name);
	closedir(stream);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(rename("bad", "a"), 0);
	for (off_t len = st.st_size - 1; len >= 0; len--) {
		ck_assert_int_eq(truncate(path, len), 0);
		restart();
		load();
		ck_assert_str_eq(served(), "c.example 10 A 10.0.0.3 1\n");
		ck_assert_uint_eq(to.errors, 1);
		ck_assert_uint_eq(to.warnings, 1);
		ck_assert_int_eq(sources_status(sources, 0)->state, SOURCE_DEGRADED);
	}
	/* A degraded set does not take its place; a good one does. */
	save();
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, 0);
	write_text("a", "10.0.0.1 a.example\n");
	load();
	save();
	ck_assert_uint_eq(state_files(), 1);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_ne(st.st_size, 0);
}
END_TEST

START_TEST(an_unwritable_state_is_one_warning)
{
	const char *trouble;

	conf.state = "state";
	write_text("a", "10.0.0.1 a.example\n");
	entries[0].path = "a";
	load();
	save();
	ck_assert_str_eq(told.complaints, "W state folder state: No such file or directory; last "
					  "good records are kept in memory "
					  "only until it can be written\n");
	ck_assert_str_eq(sources_state(sources, &trouble), "state");
	ck_assert_str_eq(trouble, "state: No such file or directory");
	write_text("a", "nonsense\n");
	load();
	save();
	ck_assert_uint_eq(to.warnings, 1); /* of the last good version */
	ck_assert_str_eq(served(), "a.example 10 A 10.0.0.1 1\n");
	/* It comes: what is in memory is written. */
	ck_assert_int_eq(mkdir("state", 0700), 0);
	load();
	save();
	ck_assert_uint_eq(to.warnings, 0);
	ck_assert_uint_eq(state_files(), 1);
	sources_state(sources, &trouble);
	ck_assert_ptr_null(trouble);
	restart();
	load();
	ck_assert_str_eq(served(), "a.example 10 A 10.0.0.1 1\n");
}
END_TEST

START_TEST(forgets_what_is_not_configured)
{
	keep_state();
	write_text("a", "10.0.0.1 a.example\n");
	write_text("b", "10.0.0.2 b.example\n");
	entries[0].path = "a";
	entries[1].path = "b";
	conf.count = 2;
	load();
	save();
	ck_assert_uint_eq(state_files(), 2);
	conf.count = 1;
	conf.state_forget = false;
	restart();
	load();
	save();
	ck_assert_uint_eq(state_files(), 2);
	conf.state_forget = true;
	load();
	save();
	ck_assert_uint_eq(state_files(), 1);
}
END_TEST

START_TEST(last_good_follows_other_zones)
{
	struct zones *old = zones;

	write_text("a", "10.0.0.1 a.blob.core.windows.net\n");
	entries[0].path = "a";
	load();
	write_text("a", "nonsense\n");
	zones = zones_new();
	ck_assert_int_eq(zones_seal(zones, NULL), 0);
	load();
	ck_assert_int_eq(sources_status(sources, 0)->state, SOURCE_LAST_GOOD);
	ck_assert_str_eq(served(), "a.privatelink.blob.core.windows.net 10 A 10.0.0.1 1\n");
	zones_free(old);
}
END_TEST

START_TEST(last_good_follows_other_bounds)
{
	write_text("a", "a. 300 A 10.0.0.1\n");
	write_text("b", "b. 300 A 10.0.0.2\n");
	entries[0].path = "a";
	entries[1].path = "b";
	conf.count = 2;
	load();
	write_text("a", "nonsense\n");
	conf.ttl_max = 60;
	load();
	ck_assert_int_eq(sources_status(sources, 0)->state, SOURCE_LAST_GOOD);
	ck_assert_str_eq(served(), "a 60 A 10.0.0.1 1\nb 60 A 10.0.0.2 1\n");
	conf.ttl_max = 86400;
	conf.ttl_min = 120;
	load();
	ck_assert_str_eq(served(), "a 120 A 10.0.0.1 1\nb 300 A 10.0.0.2 1\n");
}
END_TEST

START_TEST(a_link_that_leads_nowhere_is_a_file)
{
	keep_state();
	ck_assert_int_eq(mkdir("d", 0700), 0);
	ck_assert_int_eq(mkdir("far", 0700), 0);
	write_text("d/a", "10.0.0.1 a.example\n");
	write_text("far/b", "10.0.0.2 b.example\n");
	ck_assert_int_eq(symlink("../far/b", "d/b"), 0);
	entries[0].path = "d";
	load();
	save();
	ck_assert_str_eq(served(), "a.example 10 A 10.0.0.1 1\nb.example 10 A 10.0.0.2 1\n");
	/* Whether there is something at the end of a ring nobody can say: not a removal. */
	ck_assert_int_eq(unlink("far/b"), 0);
	ck_assert_int_eq(symlink("b", "far/b"), 0);
	load();
	ck_assert_str_eq(served(), "a.example 10 A 10.0.0.1 1\nb.example 10 A 10.0.0.2 1\n");
	ck_assert_ptr_nonnull(strstr(told.complaints, "E d/b: cannot be read: Too many levels"));
	/* Gone, which is said; at a start what the state folder has of it is served. */
	ck_assert_int_eq(unlink("far/b"), 0);
	restart();
	load();
	ck_assert_str_eq(served(), "a.example 10 A 10.0.0.1 1\nb.example 10 A 10.0.0.2 1\n");
	ck_assert_ptr_nonnull(strstr(told.complaints, "E d/b: cannot be read: No such file"));
	write_text("far/b", "10.0.0.2 b.example\n");
	load();
	ck_assert_int_eq(unlink("far/b"), 0);
	load();
	ck_assert_str_eq(served(), "a.example 10 A 10.0.0.1 1\n");
	ck_assert_ptr_nonnull(strstr(told.complaints, "E d/b: cannot be read: No such file"));
	ck_assert_int_eq(sources_status(sources, 1)->state, SOURCE_FAILED);
}
END_TEST

/* Everything stays as it was while `path` has these rights; the status shows `failed`. */
static void deny(const char *path, mode_t mode, const char *failed)
{
	static const char all[] = "a.example 10 A 10.0.0.1 1\nb.example 10 A 10.0.0.2 1\n"
				  "c.example 10 A 10.0.0.3 1\nd.example 10 A 10.0.0.4 1\n";
	bool shown = false;

	ck_assert_str_eq(served(), all);
	ck_assert_int_eq(chmod(path, mode), 0);
	for (int i = 0; i < 2; i++) {
		load();
		save();
		ck_assert_str_eq(served(), all);
		ck_assert_uint_gt(to.errors, 0);
		ck_assert_uint_eq(state_files(), 4);
		restart();
	}
	load();
	for (size_t i = 0; i < sources_count(sources); i++)
		shown |= strcmp(sources_status(sources, i)->path, failed) == 0 &&
			 sources_status(sources, i)->state != SOURCE_GOOD &&
			 *sources_status(sources, i)->complaint;
	ck_assert(shown);
	ck_assert_int_eq(chmod(path, 0700), 0);
	load();
	ck_assert_uint_eq(to.errors, 0);
	ck_assert_uint_eq(sources_count(sources), 4);
}

START_TEST(what_may_not_be_looked_at_is_not_gone)
{
	bool root = geteuid() == 0;

	/* Root may look at everything; nobody's number is the same everywhere. */
	if (root) {
		ck_assert_int_eq(chown(folder, 65534, 65534), 0);
		ck_assert_int_eq(seteuid(65534), 0);
	}
	keep_state();
	ck_assert_int_eq(mkdir("d", 0700), 0);
	ck_assert_int_eq(mkdir("far", 0700), 0);
	ck_assert_int_eq(mkdir("g", 0700), 0);
	ck_assert_int_eq(mkdir("g/1", 0700), 0);
	ck_assert_int_eq(mkdir("deep", 0700), 0);
	write_text("d/a", "10.0.0.1 a.example\n");
	write_text("far/b", "10.0.0.2 b.example\n");
	ck_assert_int_eq(symlink("../far/b", "d/b"), 0);
	write_text("g/1/c", "10.0.0.3 c.example\n");
	write_text("deep/d", "10.0.0.4 d.example\n");
	entries[0].path = "d";
	entries[1].path = "g/*/*";
	entries[2].path = "deep/d";
	conf.count = 3;
	load();
	save();
	deny("d", 0600, "d/a"); /* listed, but not searched */
	deny("d", 0100, "d");   /* searched, but not listed */
	deny("d", 0, "d");
	deny("far", 0, "d/b");
	deny("g", 0, "g/1/c");
	deny("g/1", 0, "g/1/c");
	deny("deep", 0, "deep/d");
	if (root)
		ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

START_TEST(a_state_folder_that_comes_late)
{
	struct statedir *other;
	const char *trouble;
	struct err err;

	keep_state();
	entries[0].path = "a";
	entries[1].path = "b";
	conf.count = 2;
	write_text("a", "10.0.0.1 a.example\n");
	write_text("b", "10.0.0.2 b.example\n");
	load();
	save();
	/* Another server, which is about to end, has it still; and a file went bad meanwhile. */
	write_text("a", "10.0.0.9 c.example\nnonsense\n");
	restart();
	other = statedir_open("state", &err);
	ck_assert_ptr_nonnull(other);
	load();
	save();
	ck_assert_str_eq(served(), "b.example 10 A 10.0.0.2 1\nc.example 10 A 10.0.0.9 1\n");
	ck_assert(!sources_tend(sources, time(NULL), &to));
	statedir_close(other);
	/* Found without a load, and nothing is forgotten that could be better. */
	ck_assert(sources_tend(sources, time(NULL), &to));
	ck_assert_ptr_null((sources_state(sources, &trouble), trouble));
	ck_assert_uint_eq(state_files(), 2);
	conf.changes_only = true;
	load();
	save();
	ck_assert_str_eq(served(), "a.example 10 A 10.0.0.1 1\nb.example 10 A 10.0.0.2 1\n");
	ck_assert(!sources_tend(sources, time(NULL), &to));
	ck_assert_uint_eq(state_files(), 2);
	/* A folder that is named later is another's: it is only written to. */
	conf.state = NULL;
	load();
	write_text("a", "10.0.0.1 a.example\n");
	load();
	conf.state = "state";
	write_text("a", "10.0.0.4 a.example\n");
	load();
	save();
	ck_assert_str_eq(served(), "a.example 10 A 10.0.0.4 1\nb.example 10 A 10.0.0.2 1\n");
}
END_TEST

START_TEST(tries_the_state_folder_again)
{
	const char *trouble;

	keep_state();
	conf.state = "later";
	write_text("a", "10.0.0.1 a.example\n");
	entries[0].path = "a";
	load();
	save();
	sources_state(sources, &trouble);
	ck_assert_ptr_nonnull(trouble);
	ck_assert_int_eq(rename("state", "later"), 0);
	ck_assert(!sources_tend(sources, time(NULL), &to));
	ck_assert_ptr_null((sources_state(sources, &trouble), trouble));
	ck_assert_int_eq(rename("later", "state"), 0);
	ck_assert_uint_eq(state_files(), 1);
}
END_TEST

/* The file looks as it does for so long. */
static void still_make_older(struct still *still, const char *path, uint64_t ms)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	still_look_begin(still, 0);
	still_look_end(still, 0, 0);
	still_note(still, path, &st, 0, clock_now_ms() - ms);
}

START_TEST(tries_again_what_cannot_be_read)
{
	struct still *still = still_new();
	struct still_summary now;
	uint64_t last_ms = 0;

	conf.still = still;
	conf.changes_only = true;
	/* Octet 0 of a process is not there: EIO, and the file looks the same as ever. */
	ck_assert_int_eq(symlink("/proc/self/mem", "mem"), 0);
	entries[0].path = "mem";
	conf.changes_only = false;
	load();
	ck_assert_ptr_nonnull(
		strstr(told.complaints, "E mem: cannot read: Input/output error; it is tried"));
	conf.changes_only = true;
	now = still_summarize(still, clock_now_ms());
	ck_assert_uint_le(now.next_ms, STILL_RETRY_MS);
	ck_assert_uint_eq(still_summarize(still, clock_now_ms() + STILL_RETRY_MS).ready, 1);
	/* Not before; and each time later, up to a bound. */
	load();
	ck_assert_str_eq(told.complaints, "");
	for (int i = 0; i < 12; i++) {
		/* As if it had looked so for longer. */
		still_free(still);
		conf.still = still = still_new();
		still_make_older(still, "mem", last_ms);
		conf.changes_only = false;
		load();
		now = still_summarize(still, clock_now_ms());
		ck_assert_uint_le(now.next_ms, STILL_RETRY_MAX_MS);
		last_ms += now.next_ms;
	}
	ck_assert_uint_gt(now.next_ms, STILL_RETRY_MAX_MS - 10000);
	still_free(still);
}
END_TEST

/* The complaints of the table, after a load. */
static void make_table(void)
{
	struct table_conf table_conf = { .conflict = TABLE_CONFLICT_FIRST };
	struct table *table;

	memset(&told, 0, sizeof(told));
	table = sources_table(sources, zones, &table_conf, &to);
	ck_assert_ptr_nonnull(table);
	table_free(table);
}

START_TEST(a_loop_in_a_file_is_its_error)
{
	keep_state();
	entries[0].path = "a";
	write_text("a", "a.example. 10 IN CNAME t.example.\n");
	load();
	save();
	make_table();
	ck_assert_str_eq(told.complaints, "");
	write_text("a", "a.example. 10 IN CNAME b.example.\nb.example. 10 IN CNAME a.example.\n");
	for (int i = 0; i < 2; i++) {
		load();
		save();
		ck_assert_str_eq(served(), "a.example 10 CNAME t.example 1\n");
		ck_assert_int_eq(sources_status(sources, 0)->state, SOURCE_LAST_GOOD);
		ck_assert_uint_eq(sources_status(sources, 0)->errors, 1);
		ck_assert_ptr_nonnull(
			strstr(told.complaints, "E a:2: b.example CNAME: closes a loop with a:1"));
		make_table();
		ck_assert_str_eq(told.complaints, "");
		restart();
	}
	/* Without a last good version the rest is served, and it is told once. */
	conf.state = NULL;
	load();
	ck_assert_str_eq(told.complaints, "");
	ck_assert_int_eq(sources_status(sources, 0)->state, SOURCE_DEGRADED);
	make_table();
	ck_assert_ptr_nonnull(strstr(told.complaints, "closes a loop"));
	ck_assert_uint_eq(sources_status(sources, 0)->errors, 1);
	ck_assert_ptr_nonnull(strstr(sources_status(sources, 0)->complaint, "closes a loop"));
	make_table();
	ck_assert_uint_eq(sources_status(sources, 0)->errors, 1);
}
END_TEST

START_TEST(files_against_each_other_show_in_the_status)
{
	entries[0].path = "a";
	entries[1].path = "b";
	conf.count = 2;
	write_text("a", "10.0.0.1 a.example b.example\n");
	write_text("b", "10.0.0.2 a.example\nnonsense\n");
	load();
	make_table();
	/* A warning does not hide the error of the file's own lines. */
	ck_assert_uint_eq(sources_status(sources, 1)->errors, 1);
	ck_assert_uint_eq(sources_status(sources, 1)->warnings, 1);
	ck_assert_ptr_nonnull(strstr(sources_status(sources, 1)->complaint, "b:2:"));
	write_text("b", "10.0.0.2 a.example\n10.0.0.1 b.example\n");
	for (int i = 0; i < 3; i++) {
		load();
		ck_assert_str_eq(told.complaints, "");
		make_table();
		ck_assert_ptr_nonnull(strstr(told.complaints, "W b:1: a.example A: not taken"));
		ck_assert_str_eq(sources_status(sources, 0)->complaint, "");
		ck_assert_uint_eq(sources_status(sources, 1)->errors, 0);
		ck_assert_uint_eq(sources_status(sources, 1)->warnings, 1);
		ck_assert_ptr_nonnull(
			strstr(sources_status(sources, 1)->complaint, "b:1: a.example"));
		ck_assert_int_eq(sources_status(sources, 1)->state, SOURCE_GOOD);
	}
	/* The other one changed, and it is over. */
	write_text("a", "10.0.0.1 b.example\n");
	load();
	make_table();
	ck_assert_str_eq(sources_status(sources, 1)->complaint, "");
	ck_assert_uint_eq(sources_status(sources, 1)->warnings, 0);
	/* An error: it stands alone. */
	write_text("a", "a.example. 10 IN CNAME t.example.\n");
	load();
	make_table();
	ck_assert_uint_eq(sources_status(sources, 1)->errors, 1);
	ck_assert_ptr_nonnull(
		strstr(sources_status(sources, 1)->complaint, "a CNAME stands alone"));
}
END_TEST

START_TEST(old_versions_are_warned_of)
{
	keep_state();
	write_text("a", "10.0.0.1 a.example\n");
	entries[0].path = "a";
	load();
	((struct source_status *)(uintptr_t)sources_status(sources, 0))->loaded -= 8 * 86400;
	save();
	write_text("a", "nonsense\n");
	load();
	ck_assert_ptr_nonnull(
		strstr(told.complaints,
		       "W a: the last good version that is served is 8 days old; mend the file\n"));
	restart();
	load();
	ck_assert_ptr_nonnull(strstr(told.complaints, "is 8 days old"));
	/* Somebody asks: again. A change elsewhere: not every time. */
	load();
	ck_assert_ptr_nonnull(strstr(told.complaints, "is 8 days old"));
	conf.changes_only = true;
	load();
	ck_assert_str_eq(told.complaints, "");
}
END_TEST

START_TEST(old_versions_are_warned_of_by_the_clock)
{
	time_t now = time(NULL);

	write_text("a", "10.0.0.1 a.example\n");
	write_text("b", "10.0.0.2 b.example\n");
	entries[0].path = "a";
	entries[1].path = "b";
	conf.count = 2;
	load();
	write_text("a", "nonsense\n");
	load();
	for (time_t at = 0; at < 10 * 86400; at += 3600) {
		memset(&told, 0, sizeof(told));
		ck_assert(!sources_tend(sources, now + at, &to));
		if (at > SOURCE_OLD_S && (at - SOURCE_OLD_S) % SOURCE_WARN_S == 3600)
			ck_assert_ptr_nonnull(
				strstr(told.complaints, "W a: the last good version"));
		else
			ck_assert_str_eq(told.complaints, "");
	}
	/* The clock was put back. */
	memset(&told, 0, sizeof(told));
	sources_tend(sources, now + 8 * 86400, &to);
	ck_assert_ptr_nonnull(strstr(told.complaints, "is 8 days old"));
}
END_TEST

START_TEST(holds_back_what_shrinks)
{
	struct source_hold hold;
	struct err err;

	keep_state();
	write_names("a", 1, 20);
	entries[0].path = "a";
	load();
	save();
	write_names("a", 11, 20); /* half: allowed */
	load();
	save();
	ck_assert_uint_eq(served_names(), 10);
	ck_assert_int_eq(sources_status(sources, 0)->state, SOURCE_GOOD);
	write_names("a", 17, 30); /* six of ten, though more come */
	for (int i = 0; i < 2; i++) {
		load();
		save();
		ck_assert_str_eq(told.complaints, "W a: would lose 6 of its 10 names at once, more "
						  "than max-shrink (50%) allows: "
						  "held back, what it had is served; if that is "
						  "meant, type: privlinkctl accept "
						  "a\n");
		ck_assert_uint_eq(served_names(), 10);
		ck_assert_int_eq(sources_status(sources, 0)->state, SOURCE_HELD);
		ck_assert_str_eq(sources_status(sources, 0)->complaint,
				 "held back: its entry would lose 6 of 10 names");
		ck_assert(sources_hold(sources, 0, &hold));
		ck_assert_uint_eq(hold.lost, 6);
	}
	/* After a restart too. */
	restart();
	load();
	save();
	ck_assert_uint_eq(to.warnings, 1);
	ck_assert_uint_eq(served_names(), 10);
	ck_assert_int_eq(sources_status(sources, 0)->state, SOURCE_HELD);
	/* Accepted is what was told: more is held back again. */
	ck_assert_int_eq(sources_accept(sources, "a", &err), 0);
	write_names("a", 18, 30);
	load();
	ck_assert_int_eq(sources_status(sources, 0)->state, SOURCE_HELD);
	ck_assert_int_eq(sources_accept(sources, "a", &err), 0);
	load();
	save();
	ck_assert_int_eq(sources_status(sources, 0)->state, SOURCE_GOOD);
	ck_assert_uint_eq(served_names(), 13);
	ck_assert(!sources_hold(sources, 0, &hold));
	restart();
	load();
	ck_assert_str_eq(told.complaints, "");
	/* Off. */
	conf.max_shrink = 100;
	write_names("a", 1, 1);
	load();
	ck_assert_uint_eq(served_names(), 1);
}
END_TEST

START_TEST(small_entries_may_shrink)
{
	conf.max_shrink = 0;
	write_names("a", 1, 9);
	entries[0].path = "a";
	load();
	write_names("a", 9, 9);
	load();
	ck_assert_uint_eq(served_names(), 1);
	write_names("a", 1, 10);
	load();
	write_names("a", 2, 10);
	load();
	ck_assert_int_eq(sources_status(sources, 0)->state, SOURCE_HELD);
	/* Mended. */
	write_names("a", 1, 10);
	load();
	ck_assert_int_eq(sources_status(sources, 0)->state, SOURCE_GOOD);
	ck_assert_str_eq(told.complaints, "");
}
END_TEST

START_TEST(an_entry_shrinks_over_all_its_files)
{
	struct err err;

	keep_state();
	ck_assert_int_eq(mkdir("d", 0700), 0);
	write_names("d/a", 1, 6);
	write_names("d/b", 7, 12);
	write_names("other", 41, 42);
	entries[0].path = "d";
	entries[1].path = "other";
	conf.count = 2;
	load();
	save();
	/* Names that move from one file to another are not lost. */
	write_names("d/a", 7, 12);
	write_names("d/b", 1, 6);
	load();
	ck_assert_str_eq(told.complaints, "");
	/* Five of twelve. */
	write_names("d/b", 1, 1);
	load();
	ck_assert_str_eq(told.complaints, "");
	write_names("d/b", 1, 6);
	load();
	save();
	/* Deleted, and one name of another gone: seven of twelve. A new file waits too. */
	ck_assert_int_eq(unlink("d/a"), 0);
	write_names("d/b", 1, 5);
	write_names("d/c", 31, 39);
	write_names("other", 42, 43);
	for (int i = 0; i < 3; i++) {
		load();
		save();
		ck_assert_uint_eq(to.warnings, 1);
		ck_assert_uint_eq(to.errors, 0);
		ck_assert_uint_eq(served_names(), 14);
		ck_assert_uint_eq(sources_count(sources), 4);
		ck_assert_str_eq(sources_status(sources, 0)->path, "d/a");
		ck_assert_uint_eq(sources_status(sources, 0)->records, 6);
		ck_assert_str_eq(sources_status(sources, 2)->path, "d/c");
		ck_assert_uint_eq(sources_status(sources, 2)->records, 0);
		for (size_t k = 0; k < 3; k++)
			ck_assert_int_eq(sources_status(sources, k)->state, SOURCE_HELD);
		ck_assert_int_eq(sources_status(sources, 3)->state, SOURCE_GOOD);
		ck_assert_uint_eq(state_files(), 3);
		if (i == 1)
			restart();
	}
	/* By the name of a file as well. */
	ck_assert_int_eq(sources_accept(sources, "d/b", &err), 0);
	load();
	save();
	ck_assert_str_eq(told.complaints, "");
	ck_assert_uint_eq(served_names(), 16);
	ck_assert_uint_eq(sources_count(sources), 3);
	ck_assert_uint_eq(sources_troubled(sources), 0);
	ck_assert_uint_eq(state_files(), 3);
}
END_TEST

START_TEST(a_named_file_that_goes_is_held)
{
	struct err err;

	keep_state();
	write_names("a", 1, 10);
	entries[0].path = "a";
	load();
	save();
	ck_assert_int_eq(unlink("a"), 0);
	for (int i = 0; i < 2; i++) {
		load();
		save();
		ck_assert_uint_eq(served_names(), 10);
		ck_assert_int_eq(sources_status(sources, 0)->state, SOURCE_HELD);
	}
	ck_assert_int_eq(sources_accept(sources, "a", &err), 0);
	load();
	save();
	ck_assert_uint_eq(served_names(), 0);
	ck_assert_uint_eq(state_files(), 0);
}
END_TEST

START_TEST(a_file_of_two_entries_that_goes_is_held)
{
	struct err err;

	keep_state();
	ck_assert_int_eq(mkdir("d", 0700), 0);
	write_names("d/a", 1, 10);
	entries[0].path = "d";
	entries[1].path = "d/a";
	conf.count = 2;
	load();
	save();
	ck_assert_int_eq(unlink("d/a"), 0);
	for (int i = 0; i < 3; i++) {
		load();
		save();
		ck_assert_uint_eq(served_names(), 10);
		ck_assert_uint_eq(state_files(), 1);
		/* At a start it is one that is not there yet. */
		ck_assert_int_eq(sources_status(sources, 0)->state,
				 i < 2 ? SOURCE_HELD : SOURCE_LAST_GOOD);
		if (i == 1)
			restart();
	}
	ck_assert_int_eq(sources_accept(sources, "d/a", &err), 0);
	load();
	ck_assert_uint_eq(served_names(), 0);
}
END_TEST

START_TEST(a_slash_at_the_end_is_accepted)
{
	struct err err;

	keep_state();
	ck_assert_int_eq(mkdir("d", 0700), 0);
	write_names("d/a", 1, 10);
	entries[0].path = "d//";
	load();
	write_names("d/a", 1, 2);
	load();
	ck_assert_uint_eq(served_names(), 10);
	ck_assert_int_eq(sources_accept(sources, "d", &err), 0);
	load();
	ck_assert_uint_eq(served_names(), 2);
	write_names("d/a", 3, 20);
	load();
	ck_assert_int_eq(sources_accept(sources, "/", &err), -1);
}
END_TEST

START_TEST(other_zones_lose_no_names)
{
	struct zones *old = zones;
	char text[4096];
	size_t at = 0;

	keep_state();
	for (unsigned i = 1; i <= 20; i++)
		at += (size_t)sprintf(text + at, "10.0.0.%u n%u.blob.core.windows.net\n", i, i);
	write_text("a", text);
	entries[0].path = "a";
	load();
	save();
	/* Not served as private names any more, but as they stand. */
	zones = zones_new();
	ck_assert_int_eq(zones_seal(zones, NULL), 0);
	load();
	save();
	ck_assert_str_eq(told.complaints, "");
	ck_assert_uint_eq(served_names(), 20);
	ck_assert_ptr_null(strstr(served(), "privatelink"));
	zones_free(old);
	/* And back. */
	old = zones;
	zones = records_zones();
	load();
	ck_assert_str_eq(told.complaints, "");
	ck_assert_ptr_nonnull(strstr(served(), "n20.privatelink.blob.core.windows.net"));
	zones_free(old);
	/* Both at once: fewer names and other zones. */
	old = zones;
	zones = zones_new();
	ck_assert_int_eq(zones_seal(zones, NULL), 0);
	write_text("a", "10.0.0.1 n1.blob.core.windows.net\n");
	load();
	ck_assert_ptr_nonnull(strstr(told.complaints, "would lose 19 of its 20 names"));
	ck_assert_uint_eq(served_names(), 20);
	zones_free(old);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("load");
	TCase *tcase = tcase_create("load");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, loads_a_file);
	tcase_add_test(tcase, loads_folders_and_globs);
	tcase_add_test(tcase, uses_settings_of_the_entry);
	tcase_add_test(tcase, serves_good_lines_without_last_good);
	tcase_add_test(tcase, serves_lines_before_a_cut);
	tcase_add_test(tcase, keeps_last_good);
	tcase_add_test(tcase, drops_what_is_gone);
	tcase_add_test(tcase, does_not_read_unchanged_files);
	tcase_add_test(tcase, reads_all_for_a_new_zone_table);
	tcase_add_test(tcase, refuses_other_formats);
	tcase_add_test(tcase, warns_of_a_missing_end);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, last_good_outlives_a_restart);
	tcase_add_test(tcase, a_file_that_is_missing_at_a_start);
	tcase_add_test(tcase, a_folder_that_is_missing_at_a_start);
	tcase_add_test(tcase, a_link_that_leads_nowhere_is_a_file);
	tcase_add_test(tcase, what_may_not_be_looked_at_is_not_gone);
	tcase_add_test(tcase, a_damaged_state_is_a_warning);
	tcase_add_test(tcase, an_unwritable_state_is_one_warning);
	tcase_add_test(tcase, forgets_what_is_not_configured);
	tcase_add_test(tcase, last_good_follows_other_zones);
	tcase_add_test(tcase, last_good_follows_other_bounds);
	tcase_add_test(tcase, old_versions_are_warned_of);
	tcase_add_test(tcase, old_versions_are_warned_of_by_the_clock);
	tcase_add_test(tcase, a_state_folder_that_comes_late);
	tcase_add_test(tcase, tries_the_state_folder_again);
	tcase_add_test(tcase, tries_again_what_cannot_be_read);
	tcase_add_test(tcase, holds_back_what_shrinks);
	tcase_add_test(tcase, small_entries_may_shrink);
	tcase_add_test(tcase, an_entry_shrinks_over_all_its_files);
	tcase_add_test(tcase, a_named_file_that_goes_is_held);
	tcase_add_test(tcase, a_loop_in_a_file_is_its_error);
	tcase_add_test(tcase, files_against_each_other_show_in_the_status);
	tcase_add_test(tcase, a_file_of_two_entries_that_goes_is_held);
	tcase_add_test(tcase, a_slash_at_the_end_is_accepted);
	tcase_add_test(tcase, other_zones_lose_no_names);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(make_suite)
