/* SPDX-License-Identifier: MIT */
/*
 * What is wrong with a file, told as often as it is wrong: a load goes on and reports everything.
 *
 * Every complaint reads `path:line[:column]: what; what to do`. Errors make a file "not taken" (see
 * the record sources); warnings do not. Where there is no log that says the level, a warning reads
 * `path:line[:column]: warning: what; what to do`, as compilers write it. One thread.
 */
#ifndef PRIVLINKD_BASE_COMPLAINT_H
#define PRIVLINKD_BASE_COMPLAINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum complaint_level {
	COMPLAINT_WARNING,
	COMPLAINT_ERROR,
};

/* Complaints shown a file; further ones are counted, and one line says how many. */
#define COMPLAINTS_A_FILE_MAX 100
/*
 * Complaints shown in one run, over all files: a folder of a thousand bad files must not flood
 * the log.
 */
#define COMPLAINTS_A_RUN_MAX 10000

struct complaint {
	enum complaint_level level;
	const char *text;
	size_t place_len; /* so many octets of it are `path:line[:column]: ` */
};

/* `complaint` and its text are good during the call. */
typedef void complaint_fn(void *arg, const struct complaint *complaint);

/*
 * Where complaints go. Zeroed: nowhere, only counted. Callers set tell and arg, and read errors
 * and warnings.
 */
struct complaints {
	complaint_fn *tell;
	void *arg;
	size_t errors, warnings; /* all of them, shown or not */
	/*
	 * Called before each complaint, but not for those it makes itself: who looks at things one
	 * step late has its word first, so that complaints come in order. NULL: nobody.
	 */
	void (*first)(void *first_arg);
	void *first_arg;

	/* Accounts of complaint.c. */
	uint64_t file;     /* hash of the path that the last one was about */
	size_t shown_file; /* of that file */
	size_t shown, hidden;
	bool hidden_error;
};

/*
 * `line` and `column` count from one; 0: not known (a column without a line is not shown).
 * `path` NULL: the text alone. `to` NULL: nothing happens.
 */
void complain(struct complaints *to, enum complaint_level level, const char *path, unsigned line,
	      unsigned column, const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/*
 * Writes a text of one line, such as a path: control characters as \xNN. Names of files and what
 * stands in them are strangers' and must not steer a terminal, or look like lines of ours.
 */
void complaint_put(FILE *out, const char *text, size_t len);

/* Writes it as a line of its own, a warning with the word. */
void complaint_print(FILE *out, const struct complaint *complaint);

/* A complaint_fn: the log gets it, in the level that is its own. `arg` is not looked at. */
void complaint_log(void *arg, const struct complaint *complaint);

/*
 * Tells how many were not shown, if any, and begins anew. To be called once a file (then `path` is
 * the file's) or once a run (NULL) is through.
 */
void complaints_end(struct complaints *to, const char *path);

#endif
