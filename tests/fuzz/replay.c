/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target over its seeds as a plain test, with any compiler.
 *
 * The program is named fuzz_WHAT; its seeds are the files of tests/fuzz/seeds/WHAT, taken in
 * bytewise order. Files given as arguments are run instead, so that a crash can be looked at.
 *
 * A fuzz target fails by dying. So each seed runs in a child: one bad seed is one failed line and
 * the rest still run. For each seed also every prefix is tried (up to PREFIX_MAX bytes of it): most
 * faults of a reader are at the end of its input, and this finds them without a fuzzer. The input
 * is copied to a heap block of its exact size, so that an address sanitizer sees a read of one byte
 * too many.
 *
 * Output is TAP. One thread. Refused: a list of seeds in the Makefile, which nobody would keep
 * true.
 */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Enough for every seed that is a DNS message; a large text seed is tried whole, and cut at a few
 * places. */
#define PREFIX_MAX 600

/* One seed that hangs must not hold up the whole run; valgrind and sanitizers are slow. */
#define SEED_SECONDS 120

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void run_bytes(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	if (!copy)
		abort();
	memcpy(copy, data, len);
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static int read_whole(const char *path, uint8_t **ret_data, size_t *ret_len)
{
	FILE *in = fopen(path, "rb");
	struct stat st;
	uint8_t *data;
	size_t len;

	if (!in)
		return -1;
	if (fstat(fileno(in), &st) < 0 || !S_ISREG(st.st_mode)) {
		fclose(in);
		return -1;
	}
	data = malloc((size_t)st.st_size + 1);
	if (!data)
		abort();
	len = fread(data, 1, (size_t)st.st_size, in);
	fclose(in);
	*ret_data = data;
	*ret_len = len;
	return 0;
}

/* Returns the wait status of the child that ran the seed and its prefixes. */
static int run_seed(const char *path)
{
	uint8_t *data;
	size_t len, cut, step;
	pid_t child;
	int status;

	fflush(stdout);
	child = fork();
	if (child < 0)
		return -1;
	if (child == 0) {
		alarm(SEED_SECONDS);
		if (read_whole(path, &data, &len) < 0)
			_exit(2);
		run_bytes(data, len);
		step = len > PREFIX_MAX ? len / 64 : 1;
		for (cut = 0; cut < len; cut += step)
			run_bytes(data, cut);
		free(data);
		/* exit, not _exit: the leak check of a sanitizer runs here. */
		exit(0);
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}

static bool report(int number, const char *path)
{
	const char *slash = strrchr(path, '/');
	int status = run_seed(path);
	bool ok = status == 0;

	printf("%s %d - %s\n", ok ? "ok" : "not ok", number, slash ? slash + 1 : path);
	if (!ok)
		printf("# wait status %d; run again: %s %s\n", status, program_invocation_name,
		       path);
	return ok;
}

static int no_dots(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int main(int argc, char **argv)
{
	const char *what = program_invocation_short_name, *top = getenv("abs_top_srcdir");
	char folder[4096], path[8192];
	struct dirent **list;
	int count, i, failed = 0;

	if (argc > 1) {
		printf("1..%d\n", argc - 1);
		for (i = 1; i < argc; i++)
			failed += !report(i, argv[i]);
		return failed != 0;
	}
	if (strncmp(what, "fuzz_", 5) == 0)
		what += 5;
	snprintf(folder, sizeof(folder), "%s/tests/fuzz/seeds/%s", top ? top : ".", what);
	count = scandir(folder, &list, no_dots, by_bytes);
	if (count <= 0) {
		printf("1..1\nnot ok 1 - no seeds in %s\n", folder);
		return 1;
	}
	printf("1..%d\n", count);
	for (i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, list[i]->d_name);
		failed += !report(i + 1, path);
		free(list[i]);
	}
	free(list);
	return failed != 0;
}
