/* SPDX-License-Identifier: MIT */
/*
 * Cuts the text of a zone file into entries (RFC 1035 5.1), each one line of plain words.
 *
 * Brackets are opened out, comments and line ends inside them taken away, runs of blanks made one
 * space; quotes and escapes stay as they are. An entry begins with a space if its first line begins
 * with a blank (no owner). The text is read once from start to end, whatever is wrong in it. One
 * entry is in memory at a time.
 */
#ifndef PRIVLINKD_SOURCE_RRLEX_H
#define PRIVLINKD_SOURCE_RRLEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "source/text.h"

/* Octets of an entry: what ldns takes of one record's text (LDNS_MAX_PACKETLEN). */
#define RRLEX_ENTRY_MAX 65535

struct rrlex {
	struct text *text; /* NULL: all is in memory, at [at, end) */
	const char *at, *end;
	unsigned line;       /* at `at`, from one */
	unsigned entry_line; /* where the last entry (or error) is */
	size_t entry_len;
	char entry[RRLEX_ENTRY_MAX + 1]; /* NUL-terminated */
};

/* A stream, or a text in memory, which has to outlive it. */
void rrlex_init(struct rrlex *lex, struct text *text);
void rrlex_init_memory(struct rrlex *lex, const char *text, size_t len);

/*
 * 1: `entry` holds the next one. 0: there is none left. -1: one was malformed, `err` says how
 * (without path and line); reading goes on behind it.
 */
int rrlex_next(struct rrlex *lex, struct err *err);

/*
 * For who can do with the line as it stands: the next one without its end, where an entry may
 * begin. False if it has no end within `max` octets. rrlex_pass_line goes behind it; rrlex_next
 * begins with it otherwise.
 */
bool rrlex_line(struct rrlex *lex, size_t max, const char **ret_line, size_t *ret_len);
void rrlex_pass_line(struct rrlex *lex, size_t len);

/* The next word at *at of an entry, quotes and all; false at the end. *at moves behind it. */
struct rrword {
	const char *text;
	size_t len;
};
int rrlex_word(const char **at, struct rrword *ret);

#endif
