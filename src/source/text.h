/* SPDX-License-Identifier: MIT */
/*
 * One file's text as a stream: decoded on the way, seen through a window of fixed size.
 *
 * UTF-8 with or without BOM, and UTF-16 of either order with BOM, become UTF-8 without BOM; CR LF
 * and lone CR become LF. Octets that are no UTF-8 are kept: they are harmless in comments, and
 * readers refuse them elsewhere. Before a NUL character or half a UTF-16 character, which are
 * complained of, the text ends with the last whole line.
 *
 * Readers look at [at, end) in place and move `at` on. Whatever gives more may move what is at
 * hand, so pointers into it do not outlive that call. Blocks on the file. One thread an object.
 */
#ifndef PRIVLINKD_SOURCE_TEXT_H
#define PRIVLINKD_SOURCE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/complaint.h"
#include "base/err.h"

/*
 * Octets of text at hand at most: twice the largest piece that a reader wants in one (a row of
 * CSV), so that what has to be moved is never more than what is new; and the head by which formats
 * are told, 2,000 lines of a licence.
 */
#define TEXT_WINDOW (256 << 10)

struct text {
	const char *at, *end; /* at hand; *end is NUL. Readers move `at`, no further than `end` */
	struct text_source *source;
};

/*
 * A regular file (or what a link leads to) of at most `max` octets; `err` names the path. Or
 * octets that have to outlive it. NULL on failure; without `err` there is no memory. To be
 * surveyed before anything is read.
 */
struct text *text_open(const char *path, size_t max, struct err *err);
struct text *text_from_memory(const uint8_t *data, size_t len);
void text_close(struct text *text);

/*
 * Goes through it once: finds where it ends, complains of what cuts it off there. Then it stands at
 * its start. -1 if it cannot be read.
 */
int text_survey(struct text *text, const char *path, struct complaints *to, struct err *err);

/* Decoded octets, and whether the last line has no end: where that was not complained of. */
uint64_t text_length(const struct text *text);
bool text_is_open_ended(const struct text *text);
/* Lines that have an end. Goes through all of it, then it stands at its start. */
unsigned text_count_lines(struct text *text);

/*
 * Could what was read since the survey not be read as it was then? Known for what was read alone:
 * whoever wants to be sure looks at the file's stamps too.
 */
bool text_has_changed(const struct text *text);

/* Back to the start. */
void text_rewind(struct text *text);

/* What text_fill does when there is less at hand than wanted. */
void text_refill(struct text *text, size_t want);

/* Makes `want` octets be at hand, or all that are left; returns how many are. */
static inline size_t text_fill(struct text *text, size_t want)
{
	if ((size_t)(text->end - text->at) < want)
		text_refill(text, want);
	return (size_t)(text->end - text->at);
}

/* Decoded octets before `at`. */
uint64_t text_offset(const struct text *text);

/*
 * The next line without its end, as far as `max` octets (TEXT_WINDOW / 2 at most); what is over is
 * passed. False if there is none left. Good until the next call. *ret_len is over `max` where
 * something is missing, by one.
 */
bool text_line(struct text *text, size_t max, const char **ret_line, size_t *ret_len);

/* Behind the next line end; false where the text ends before one. */
bool text_pass_line(struct text *text);

/*
 * For tests: reads so many octets at a time and never more than is wanted, and moves what is at
 * hand with every call that gives more. 0: as usual.
 */
void text_set_block(struct text *text, size_t block);

/*
 * All of a text in one piece, for what is small by nature. *ret_text is from malloc, *ret_len
 * octets and a NUL. -1 with a complaint when there is no memory.
 */
int text_decode(const char *path, const uint8_t *data, size_t len, struct complaints *to,
		char **ret_text, size_t *ret_len);

#endif
