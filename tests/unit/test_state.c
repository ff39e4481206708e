/* SPDX-License-Identifier: MIT */
/*
 * source/state and statedir: octets to sets and back, what damaged octets do, and what is on the
 * disk when the program is killed in the middle of a save.
 *
 * write, fsync, renameat and unlinkat are defined here and so stand in for the C library's: each is
 * a step, and a child is killed at the step that was chosen, in the middle of it where it is a
 * write. So every moment between two steps, and some within, is tried, and not those that a clock
 * happens to hit.
 */
#include "source/statedir.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <openssl/evp.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/records.h"

/* ---- the C library's ------------------------------------------------------------------------- */

static long kill_at = -1;           /* steps until the end; below 0: never */
static size_t kill_after;           /* octets that the last write still writes */
static size_t write_max = SIZE_MAX; /* octets of a write: small ones make many steps */
static int write_error;
static char steps[256]; /* a letter each */

static void step(char letter)
{
	size_t len = strlen(steps);

	if (len + 1 < sizeof(steps) && !(len && letter == 'w' && steps[len - 1] == 'w'))
		steps[len] = letter;
	if (kill_at >= 0 && kill_at-- == 0)
		kill(getpid(), SIGKILL);
}

ssize_t write(int fd, const void *data, size_t len)
{
	if (fd > 2) {
		if (write_error) {
			errno = write_error;
			return -1;
		}
		if (len > write_max)
			len = write_max;
		if (kill_at == 0 && kill_after < len)
			syscall(SYS_write, fd, data, kill_after);
		step('w');
	}
	return syscall(SYS_write, fd, data, len);
}

int fsync(int fd)
{
	struct stat st;

	step(fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) ? 'd' : 'f');
	return (int)syscall(SYS_fsync, fd);
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	step('r');
	return (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, 0);
}

int unlinkat(int fd, const char *path, int flags)
{
	int result;

	if (kill_at >= 0)
		step('u');
	result = (int)syscall(SYS_unlinkat, fd, path, flags);
	return result;
}

/* ---- tools ----------------------------------------------------------------------------------- */

static char folder[64];
static struct zones *zones;
static struct statedir *dir;
static struct builder_conf conf = { .path = "/src", .ttl_max = 86400 };

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
	zones = records_zones();
	dir = statedir_open(folder, NULL);
	ck_assert_ptr_nonnull(dir);
}

static void teardown(void)
{
	statedir_close(dir);
	zones_free(zones);
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void add(struct builder *builder, const char *owner, uint16_t type, const void *rdata,
		size_t len, unsigned line)
{
	struct name name;

	ck_assert_int_eq(name_from_text(&name, owner, strlen(owner)), 0);
	ck_assert_int_eq(builder_add(builder, &name, type, 60, rdata, len, line), 0);
}

/* `names` A records of 10.V.x.y, and one of each kind of type beside. */
static struct record_set *make_set(unsigned version, unsigned names)
{
	struct complaints to = { .tell = NULL };
	struct builder *builder = builder_new(zones, &conf, &to);
	struct record_set *set;

	ck_assert_ptr_nonnull(builder);
	for (unsigned i = 0; i < names; i++) {
		uint8_t address[4] = { 10, (uint8_t)version, (uint8_t)(i >> 8), (uint8_t)i };
		char owner[64];

		sprintf(owner, "n%u.blob.core.windows.net", i);
		add(builder, owner, TYPE_A, address, 4, i + 1);
	}
	add(builder, "n0.blob.core.windows.net", TYPE_TXT, "\3a\0b", 4, 7);
	add(builder, "c.example", TYPE_CNAME, "\2n0\7eXample", 12, 8);
	add(builder, "*.example", TYPE_MX, "\0\5\2n1\7example", 14, 9);
	add(builder, "\\000\\.x.example", 65280, "", 0, 4000000000u);
	set = builder_finish(builder);
	ck_assert_ptr_nonnull(set);
	builder_free(builder);
	return set;
}

static const char *text_of(struct record_set *set)
{
	static char text[2][RECORDS_TEXT_MAX];
	static int turn;

	turn = !turn;
	records_write(zones, &set, 1, text[turn]);
	return text[turn];
}

static struct state_head head_of(const char *path, time_t taken)
{
	return (struct state_head){ .taken = taken,
				    .format = SOURCE_HOSTS,
				    .entry = "/e",
				    .entry_len = 2,
				    .path = path,
				    .path_len = strlen(path) };
}

static void save(const char *path, time_t taken, struct record_set *set)
{
	struct state_head head = head_of(path, taken);
	struct err err = { .text = "" };

	ck_assert_msg(statedir_write(dir, &head, set, &err) == 0, "%s", err.text);
}

struct octets {
	uint8_t data[65536];
	size_t len;
};

static int collect_octets(void *arg, const uint8_t *data, size_t len)
{
	struct octets *octets = arg;

	ck_assert_uint_le(len, sizeof(octets->data) - octets->len);
	memcpy(octets->data + octets->len, data, len);
	octets->len += len;
	return 0;
}

/* Reads them as a heap block of just that size. NULL with the text. */
static struct record_set *read_octets(const struct octets *octets, struct err *err)
{
	uint8_t *copy = malloc(octets->len + !octets->len);
	struct state_head head;
	struct record_set *set;

	memcpy(copy, octets->data, octets->len);
	set = state_read(copy, octets->len, zones, &conf, &head, err);
	free(copy);
	return set;
}

static unsigned files(const char *suffix)
{
	char command[128];
	unsigned count;
	FILE *in;

	sprintf(command, "ls %s | grep -c '%s$'", folder, suffix);
	in = popen(command, "r");
	ck_assert_int_eq(fscanf(in, "%u", &count), 1);
	pclose(in);
	return count;
}

/* ---- octets ---------------------------------------------------------------------------------- */

START_TEST(comes_back_as_it_was)
{
	struct record_set *set = make_set(1, 30), *back;
	struct state_head head;
	struct err err = { .text = "" };

	save("/src", 1000000, set);
	back = statedir_read(dir, "/src", zones, &conf, &head, &err);
	ck_assert_msg(back != NULL, "%s", err.text);
	ck_assert_str_eq(text_of(back), text_of(set));
	ck_assert_int_eq(head.taken, 1000000);
	ck_assert_int_eq(head.format, SOURCE_HOSTS);
	ck_assert_str_eq(record_set_path(back), "/src");
	ck_assert_uint_eq(record_set_names(back), record_set_names(set));
	record_set_unref(back);
	ck_assert_ptr_null(statedir_read(dir, "/other", zones, &conf, &head, &err));
	record_set_unref(set);
}
END_TEST

START_TEST(goes_to_other_zones)
{
	struct record_set *set = make_set(1, 2), *back;
	struct zones *none = zones_new(), *ours = zones;

	ck_assert_int_eq(zones_seal(none, NULL), 0);
	zones = none;
	back = state_convert(set, none, &conf);
	ck_assert_ptr_nonnull(back);
	ck_assert_ptr_nonnull(
		strstr(text_of(back), "n1.privatelink.blob.core.windows.net 60 A 10.1.0.1 2\n"));
	record_set_unref(back);
	record_set_unref(set);
	/* And a public name finds its form when its zone comes. */
	set = make_set(2, 2);
	ck_assert_ptr_nonnull(strstr(text_of(set), "n1.blob.core.windows.net 60 A 10.2.0.1 2\n"));
	zones = ours;
	back = state_convert(set, ours, &conf);
	ck_assert_ptr_nonnull(
		strstr(text_of(back), "n1.privatelink.blob.core.windows.net 60 A 10.2.0.1 2\n"));
	record_set_unref(back);
	record_set_unref(set);
	zones_free(none);
}
END_TEST

/* Cut at every length, and every octet changed: refused each time. */
START_TEST(damage_is_found)
{
	static struct octets whole, bad;
	struct record_set *set = make_set(1, 12);
	struct state_head head = head_of("/src", 5);
	struct err err;

	ck_assert_int_eq(state_write(&head, set, collect_octets, &whole, &err), 0);
	for (size_t len = 0; len < whole.len; len++) {
		bad = whole;
		bad.len = len;
		ck_assert_ptr_null(read_octets(&bad, &err));
		ck_assert(*err.text);
	}
	for (size_t at = 0; at < whole.len; at++) {
		bad = whole;
		bad.data[at] ^= (uint8_t)(1 << at % 8);
		ck_assert_ptr_null(read_octets(&bad, &err));
	}
	bad = whole;
	bad.data[bad.len++] = 0;
	ck_assert_ptr_null(read_octets(&bad, &err));
	record_set_unref(set);
}
END_TEST

/* With a right checksum, everything between may be anybody's. */
START_TEST(strangers_octets_do_no_harm)
{
	static const struct {
		const char *octets;
		size_t len;
		const char *told;
	} cases[] = {
#define CASE(text, told) { text, sizeof(text) - 1, told }
		CASE("", "holds no record"),
		CASE("\1a\0\0\1\0\0\0\1\0\1\0\0\0\1\0\3abc", "is damaged"),  /* A of three octets */
		CASE("\1a\0\0\1\0\0\0\1\0\1\0\0\0\1\0\5abc", "is damaged"),  /* past the end */
		CASE("\1a\0\0\1\0\0\0\1\0\0", "is damaged"),                 /* no record in it */
		CASE("\1a\0\0\1\0\0\0\1\0\2\0\0\0\1\0\4abcd", "is damaged"), /* one of two */
		CASE("\1a\0\0\2\0\0\0\1\0\1\0\0\0\1\0\2\1a", "is damaged"), /* a name without end */
		CASE("\1a\0\0\2\0\0\0\1\0\1\0\0\0\1\0\2\xc0\0", "is damaged"), /* a pointer */
		CASE("\xc0\0\0\1\0\0\0\1\0\1\0\0\0\1\0\4abcd", "is damaged"),
		CASE("\100", "is damaged"),
		CASE("\1a\0\0\xff\0\0\0\1\0\1\0\0\0\1\0\1x", "holds no record"), /* type ANY */
		CASE("\1a\0\0\6\0\0\0\1\0\1\0\0\0\1\0\2\0\0", "is damaged"),     /* half a SOA */
#undef CASE
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		static struct octets octets;
		struct state_head head = head_of("/src", 5);
		struct err err = { .text = "" };

		octets.len = 0;
		ck_assert_int_eq(state_write(&head, NULL, collect_octets, &octets, &err), 0);
		octets.len -= STATE_CHECKSUM_LEN;
		collect_octets(&octets, (const uint8_t *)cases[i].octets, cases[i].len);
		ck_assert_int_eq(EVP_Digest(octets.data, octets.len, octets.data + octets.len, NULL,
					    EVP_sha256(), NULL),
				 1);
		octets.len += STATE_CHECKSUM_LEN;
		ck_assert_ptr_null(read_octets(&octets, &err));
		ck_assert_msg(strcmp(err.text, cases[i].told) == 0, "%zu: %s", i, err.text);
	}
}
END_TEST

START_TEST(other_versions_and_files_are_refused)
{
	static struct octets octets;
	struct record_set *set = make_set(1, 1);
	struct state_head head = head_of("/src", 5);
	struct err err;

	state_write(&head, set, collect_octets, &octets, NULL);
	octets.data[9]++;
	ck_assert_ptr_null(read_octets(&octets, &err));
	ck_assert_str_eq(err.text, "is of version 2, this program writes 1");
	octets.data[0] = 'P';
	ck_assert_ptr_null(read_octets(&octets, &err));
	ck_assert_str_eq(err.text, "is no file of last good records");
	record_set_unref(set);
}
END_TEST

/* ---- the folder ------------------------------------------------------------------------------ */

static int found_one(void *arg, const char *path, const char *entry, const struct state_head *head)
{
	ck_assert_str_eq(entry, "/e");
	sprintf(strchr(arg, '\0'), "%s %lld\n", path, (long long)head->taken);
	return 0;
}

START_TEST(lists_and_forgets)
{
	struct record_set *set = make_set(1, 1);
	char list[256] = "", path[128];
	static const char *const keep[] = { "/b", "/nosuch" };
	static struct read_result told;
	struct complaints to = { .tell = result_tell, .arg = &told };
	FILE *out;

	save("/b", 7, set);
	save("/c", 8, set);
	save("/a", 9, set);
	sprintf(path, "%s/stranger.good", folder);
	fclose(fopen(path, "w"));
	sprintf(path, "%s/0123456789abcdef0123456789abcdef.good", folder);
	out = fopen(path, "w");
	fputs("privlinkNonsense", out);
	fclose(out);
	ck_assert_int_eq(statedir_list(dir, found_one, list, &to), 0);
	ck_assert_str_eq(list, "/a 9\n/b 7\n/c 8\n");
	ck_assert_ptr_nonnull(
		strstr(told.complaints, "0123456789abcdef0123456789abcdef.good is of version"));
	statedir_forget(dir, keep, 2);
	*list = '\0';
	ck_assert_int_eq(statedir_list(dir, found_one, list, &to), 0);
	ck_assert_str_eq(list, "/b 7\n");
	ck_assert_uint_eq(files(".good"), 2);
	record_set_unref(set);
}
END_TEST

START_TEST(is_ours_alone)
{
	struct err err;

	ck_assert_ptr_null(statedir_open(folder, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "another server uses it"));
	statedir_close(dir);
	dir = statedir_open(folder, &err);
	ck_assert_ptr_nonnull(dir);
	ck_assert_ptr_null(statedir_open("/nonexistent/folder", &err));
	ck_assert_str_eq(err.text, "/nonexistent/folder: No such file or directory");
}
END_TEST

/* In this order alone is a file either old or new, whatever fails. */
START_TEST(writes_in_order_and_only_what_is_new)
{
	struct record_set *one = make_set(1, 9), *two = make_set(2, 9);

	save("/src", 1000, one);
	ck_assert_str_eq(steps, "wfrd");
	memset(steps, 0, sizeof(steps));
	save("/src", 2000, one);
	ck_assert_str_eq(steps, "");
	save("/src", 1000 + 86400, one);
	ck_assert_str_eq(steps, "wfrd");
	memset(steps, 0, sizeof(steps));
	save("/src", 1000 + 86400, two);
	ck_assert_str_eq(steps, "wfrd");
	record_set_unref(one);
	record_set_unref(two);
}
END_TEST

START_TEST(a_full_disk_leaves_the_old_one)
{
	struct record_set *one = make_set(1, 9), *two = make_set(2, 9), *back;
	struct state_head head = head_of("/src", 2000);
	struct err err;

	save("/src", 1000, one);
	write_error = ENOSPC;
	ck_assert_int_eq(statedir_write(dir, &head, two, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "cannot write: No space left on device"));
	write_error = 0;
	ck_assert_uint_eq(files(".new"), 0);
	back = statedir_read(dir, "/src", zones, &conf, &head, &err);
	ck_assert_str_eq(text_of(back), text_of(one));
	record_set_unref(back);
	record_set_unref(one);
	record_set_unref(two);
}
END_TEST

/* In a child: saves `set`, and dies at step `at`. true: it got through. */
static bool killed_at(long at, size_t octets, struct record_set *set)
{
	pid_t child = fork();
	int status;

	ck_assert_int_ge(child, 0);
	if (child == 0) {
		struct state_head head = head_of("/src", 5000);

		kill_at = at;
		kill_after = octets;
		_exit(statedir_write(dir, &head, set, NULL) == 0 ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	if (WIFEXITED(status)) {
		ck_assert_int_eq(WEXITSTATUS(status), 0);
		return true;
	}
	ck_assert_int_eq(WTERMSIG(status), SIGKILL);
	return false;
}

START_TEST(killed_at_any_moment)
{
	struct record_set *set[2] = { make_set(1, 150), make_set(2, 150) };
	char want[2][RECORDS_TEXT_MAX];
	unsigned points = 0, saw[2] = { 0 };
	bool through = false;

	write_max = 32;
	for (int i = 0; i < 2; i++)
		strcpy(want[i], text_of(set[i]));
	for (long at = 0; !through; at++) {
		struct record_set *back;
		struct state_head head;
		struct err err;
		int which;

		save("/src", 1000, set[0]);
		through = killed_at(at, (size_t)(at % 32), set[1]);
		/* As a start does. */
		statedir_close(dir);
		dir = statedir_open(folder, &err);
		ck_assert_msg(dir != NULL, "%s", err.text);
		ck_assert_uint_eq(files(".new"), 0);
		back = statedir_read(dir, "/src", zones, &conf, &head, &err);
		ck_assert_msg(back != NULL, "killed at step %ld: %s", at, err.text);
		which = head.taken == 5000;
		ck_assert_msg(strcmp(text_of(back), want[which]) == 0, "step %ld", at);
		saw[which]++;
		points += !through;
		record_set_unref(back);
		/* So that the next is written again. */
		statedir_forget(dir, NULL, 0);
	}
	ck_assert_uint_ge(points, 200);
	/* Dead before the folder was synced, but after the rename: the new one. */
	ck_assert_uint_eq(saw[1], 2);
	for (int i = 0; i < 2; i++)
		record_set_unref(set[i]);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("state");
	TCase *tests = tcase_create("state");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, comes_back_as_it_was);
	tcase_add_test(tests, goes_to_other_zones);
	tcase_add_test(tests, damage_is_found);
	tcase_add_test(tests, strangers_octets_do_no_harm);
	tcase_add_test(tests, other_versions_and_files_are_refused);
	tcase_add_test(tests, lists_and_forgets);
	tcase_add_test(tests, is_ours_alone);
	tcase_add_test(tests, writes_in_order_and_only_what_is_new);
	tcase_add_test(tests, a_full_disk_leaves_the_old_one);
	tcase_add_test(tests, killed_at_any_moment);
	suite_add_tcase(suite, tests);
	return suite;
}

UNIT_MAIN(make_suite)
