/* SPDX-License-Identifier: MIT */
/* source/load: files to sets, what is kept when a file turns bad, what is not read again. */
#include "source/load.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

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
		{ "FQDN,IP\na.example,10.0.0.1\n", "this is CSV" },
		{ "{\"customDnsConfigs\": []}\n", "this is JSON or YAML of an Azure export" },
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
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(make_suite)
