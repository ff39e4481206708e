/* SPDX-License-Identifier: MIT */
/*
 * Runs a command and says what it cost: `cost FILE COMMAND [ARG...]` writes `MS KIB` to FILE,
 * milliseconds of CPU (own and the kernel's) and the most memory that was resident. Exits as the
 * command did; 128 and the signal's number where it was killed.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static long in_ms(const struct timeval *time)
{
	return time->tv_sec * 1000 + time->tv_usec / 1000;
}

int main(int argc, char **argv)
{
	struct rusage usage;
	int status;
	pid_t child;
	FILE *out;

	if (argc < 3) {
		fprintf(stderr, "usage: cost FILE COMMAND [ARG...]\n");
		return 2;
	}
	child = fork();
	if (child < 0) {
		perror("cost: fork");
		return 2;
	}
	if (child == 0) {
		execvp(argv[2], argv + 2);
		perror(argv[2]);
		_exit(127);
	}
	while (wait4(child, &status, 0, &usage) < 0) {
		if (errno != EINTR) {
			perror("cost: wait4");
			return 2;
		}
	}
	out = fopen(argv[1], "w");
	if (!out) {
		perror(argv[1]);
		return 2;
	}
	fprintf(out, "%ld %ld\n", in_ms(&usage.ru_utime) + in_ms(&usage.ru_stime), usage.ru_maxrss);
	fclose(out);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
