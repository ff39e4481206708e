/* SPDX-License-Identifier: MIT */
/*
 * A load reports everything that is wrong, which is a kindness with ten mistakes and a flood with a
 * million: somebody points us at the wrong file and every line of it is bad. So a file gets its
 * first COMPLAINTS_A_FILE_MAX complaints in full; the rest are counted and one line tells how many.
 *
 * Which file a complaint is about is known by its path. Complaints come file by file, so only the
 * path of the last one is kept; where two files take turns (conflicts between them) each turn
 * begins a new count, which shows more rather than less. The total over one run is bounded by
 * COMPLAINTS_A_RUN_MAX, so taking turns cannot flood either.
 *
 * How a warning is told apart is left to whoever shows it: a log has a level word in front of every
 * line, and would say it twice. So a complaint carries where its place ends, and the word is put
 * there by the one function that prints without a log.
 *
 * Thread: whichever loads; one at a time.
 */
#include "base/complaint.h"

#include <stdarg.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"

/* Room for a path and two names with every octet escaped; a longer text is cut. */
#define COMPLAINT_TEXT_MAX 8192

void complaints_end(struct complaints *to, const char *path)
{
	char text[COMPLAINT_TEXT_MAX];
	size_t place_len = 0;

	if (!to)
		return;
	if (to->hidden && to->tell) {
		if (path)
			place_len = (size_t)snprintf(text, COMPLAINT_TEXT_MAX / 2, "%s: ", path);
		if (place_len >= COMPLAINT_TEXT_MAX / 2)
			place_len = COMPLAINT_TEXT_MAX / 2 - 1;
		snprintf(text + place_len, sizeof(text) - place_len,
			 "%zu more complaints about %s are not shown", to->hidden,
			 path ? "this file" : "the files above");
		to->tell(to->arg,
			 &(struct complaint){ .level = to->hidden_error ? COMPLAINT_ERROR
									: COMPLAINT_WARNING,
					      .text = text,
					      .place_len = place_len });
	}
	to->hidden = 0;
	to->hidden_error = false;
	to->shown_file = 0;
	to->file = 0;
}

/* Is this one to be shown? Keeps the accounts of the file. */
static bool admit(struct complaints *to, enum complaint_level level, const char *path)
{
	uint64_t file = path ? hash_bytes(path, strlen(path)) | 1 : 1;

	if (file != to->file) {
		to->file = file;
		to->shown_file = 0;
	}
	if (to->shown_file < COMPLAINTS_A_FILE_MAX && to->shown < COMPLAINTS_A_RUN_MAX) {
		to->shown_file++;
		to->shown++;
		return true;
	}
	to->hidden++;
	to->hidden_error |= level == COMPLAINT_ERROR;
	return false;
}

void complain(struct complaints *to, enum complaint_level level, const char *path, unsigned line,
	      unsigned column, const char *fmt, ...)
{
	void (*first)(void *) = to ? to->first : NULL;
	char text[COMPLAINT_TEXT_MAX];
	size_t len = 0;
	va_list args;

	if (!to)
		return;
	if (first) {
		to->first = NULL;
		first(to->first_arg);
		to->first = first;
	}
	if (level == COMPLAINT_ERROR)
		to->errors++;
	else
		to->warnings++;
	if (!to->tell || !admit(to, level, path))
		return;
	if (path && line && column)
		len = (size_t)snprintf(text, sizeof(text), "%s:%u:%u: ", path, line, column);
	else if (path && line)
		len = (size_t)snprintf(text, sizeof(text), "%s:%u: ", path, line);
	else if (path)
		len = (size_t)snprintf(text, sizeof(text), "%s: ", path);
	if (len >= sizeof(text))
		len = sizeof(text) - 1;
	va_start(args, fmt);
	vsnprintf(text + len, sizeof(text) - len, fmt, args);
	va_end(args);
	to->tell(to->arg, &(struct complaint){ .level = level, .text = text, .place_len = len });
}

void complaint_put(FILE *out, const char *text, size_t len)
{
	for (const char *end = text + len; text < end; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == 0x7f)
			fprintf(out, "\\x%02x", c);
		else
			fputc(c, out);
	}
}

void complaint_print(FILE *out, const struct complaint *complaint)
{
	const char *what = complaint->text + complaint->place_len;

	complaint_put(out, complaint->text, complaint->place_len);
	if (complaint->level == COMPLAINT_WARNING)
		fputs("warning: ", out);
	complaint_put(out, what, strlen(what));
	fputc('\n', out);
}

void complaint_log(void *arg, const struct complaint *complaint)
{
	(void)arg;
	log_write(complaint->level == COMPLAINT_ERROR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, "%s",
		  complaint->text);
}
