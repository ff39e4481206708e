/* SPDX-License-Identifier: MIT */
/*
 * Arguments of the commands that read files without a server: options anywhere among them, after
 * `--` files alone. Complaints go to standard error. One thread.
 */
#ifndef PRIVLINKD_ADMIN_FILEARGS_H
#define PRIVLINKD_ADMIN_FILEARGS_H

#include <stdbool.h>
#include <stddef.h>

/* All point into the arguments. */
struct file_args {
	const char *to;     /* --to; NULL: not given */
	const char *preset; /* --preset: one that there is; azure-migrate if not given */
	const char *zone;   /* --zone: a domain name; NULL: not given */
	char **path;        /* the arguments' own array, options taken out */
	size_t count;       /* at least 1 */
};

/* `has_to`: the command takes --to. -1: bad usage. */
int file_args_read(struct file_args *ret, const char *command, bool has_to, int count, char **args);

/* Says it, with the words there are; always -1. */
int file_args_bad(const char *command, const char *what, const char *word, const char *const *words,
		  size_t count);

#endif
