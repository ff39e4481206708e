/* SPDX-License-Identifier: MIT */
/*
 * PowerShell's `>` writes UTF-16, Notepad writes a BOM, shares turn LF into CR LF. All of that is
 * settled here, before any reader looks, so that a line is a line and a column a column.
 *
 * A file may be a thousand times larger than what is kept of it, so it is never in memory as a
 * whole. What a reader needs in one piece is bounded by the reader; the window is larger than that.
 * UTF-8 is read straight into the window, and changed there only where a CR is.
 *
 * A file is gone through twice. The survey finds out what has to be known before the first record
 * is taken: where the text ends (half a line before a NUL might read as another name), and whether
 * its last line is whole. It costs a small part of what reading does. A file that fits the window
 * is read from the disk once all the same. If the file changes between the two the reading is told
 * so where it can be seen here; source/readfile compares stamps besides.
 *
 * Refused: mapping the file. It would be the smaller code, but a file that is truncated under a
 * mapping kills the process, and truncated in place is what exports are.
 */
#include "source/text.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Octets of UTF-16 that are decoded at a time. */
#define TEXT_RAW_MAX 16384
/* Octets that tell the encoding: a mark, and what a NUL at the start is told by. */
#define TEXT_HEAD_MAX 7
/* Octets that one character may take over the room for it. */
#define TEXT_SLACK 8
/* Less room than this is not worth a read: what is at hand is moved to the front. */
#define TEXT_ROOM_MIN 4096

enum encoding { UTF8, UTF16_LITTLE, UTF16_BIG };

struct text_source {
	int fd; /* -1: octets in memory */
	const uint8_t *data;
	size_t data_len;
	uint64_t max;   /* octets that a file may have */
	uint64_t raw;   /* octets taken from it so far */
	size_t block;   /* text_set_block */
	uint64_t base;  /* decoded octets before the window */
	uint64_t limit; /* decoded octets of the text; UINT64_MAX: not surveyed */
	bool begun, ended, changed, open_ended;
	bool passing; /* the rest of a line, behind the part that was handed out */
	int failed;   /* errno of a read; EFBIG: over `max` */
	const char *fault;

	enum encoding encoding;
	bool after_cr;
	bool has_half; /* an octet of UTF-16 waits for its other half */
	uint8_t half;
	uint32_t high; /* a character of UTF-16 waits for its other half */
	uint8_t utf16[TEXT_RAW_MAX];
	char window[TEXT_WINDOW + TEXT_SLACK + 1];
};

/* ---- life ------------------------------------------------------------------------------------ */

static void restart(struct text *text)
{
	struct text_source *source = text->source;

	source->raw = source->base = 0;
	source->begun = source->ended = source->passing = false;
	source->after_cr = source->has_half = false;
	source->high = 0;
	source->fault = NULL;
	text->at = text->end = source->window;
	source->window[0] = '\0';
}

static struct text *text_new(int fd, const uint8_t *data, size_t len, uint64_t max)
{
	struct text *text = malloc(sizeof(*text));
	struct text_source *source = malloc(sizeof(*source));

	if (!text || !source) {
		free(text);
		free(source);
		return NULL;
	}
	/* All but the buffers, which need no zeros. */
	memset(source, 0, offsetof(struct text_source, utf16));
	source->fd = fd;
	source->data = data;
	source->data_len = len;
	source->max = max;
	source->limit = UINT64_MAX;
	text->source = source;
	restart(text);
	return text;
}

struct text *text_open(const char *path, size_t max, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct text *text = NULL;
	struct stat st;

	if (fd < 0) {
		err_set(err, "%s: cannot open: %s; correct the path or its permissions", path,
			strerror(errno));
		return NULL;
	}
	if (fstat(fd, &st) < 0)
		err_set(err, "%s: cannot read: %s", path, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		err_set(err, "%s: not a regular file; name a file", path);
	else if (st.st_size > 0 && (uint64_t)st.st_size > max)
		err_set(err, "%s: larger than %zu octets; split it or check what it is", path, max);
	else if (!(text = text_new(fd, NULL, 0, max)))
		err_set(err, "%s: no memory to read it; free some", path);
	if (!text)
		close(fd);
	return text;
}

struct text *text_from_memory(const uint8_t *data, size_t len)
{
	return text_new(-1, data, len, UINT64_MAX);
}

void text_close(struct text *text)
{
	if (!text)
		return;
	if (text->source->fd >= 0)
		close(text->source->fd);
	free(text->source);
	free(text);
}

void text_set_block(struct text *text, size_t block)
{
	text->source->block = block;
}

/* ---- octets ---------------------------------------------------------------------------------- */

/* Some of the next octets; 0 at the end and when it fails. */
static size_t take_octets(struct text_source *source, void *out, size_t room)
{
	ssize_t got;

	if (source->block && room > source->block)
		room = source->block;
	if (source->fd < 0) {
		got = (ssize_t)(source->data_len - source->raw);
		if ((size_t)got > room)
			got = (ssize_t)room;
		if (got)
			memcpy(out, source->data + source->raw, (size_t)got);
	} else {
		do
			got = pread(source->fd, out, room, (off_t)source->raw);
		while (got < 0 && errno == EINTR);
	}
	if (got < 0) {
		source->failed = errno;
		return 0;
	}
	source->raw += (uint64_t)got;
	if (source->raw > source->max) {
		source->failed = EFBIG;
		return 0;
	}
	return (size_t)got;
}

static void cut_off(struct text *text, const char *fault)
{
	text->source->fault = fault;
	text->source->ended = true;
}

static char *window_end(struct text *text)
{
	return text->source->window + (text->end - text->source->window);
}

/* ---- decoding -------------------------------------------------------------------------------- */

/* CR LF and CR to LF, in place; returns the octets that are left. */
static size_t settle_line_ends(struct text_source *source, char *octets, size_t len)
{
	bool after_cr = source->after_cr;
	char *out = octets;

	if (!after_cr && !memchr(octets, '\r', len))
		return len;
	for (size_t i = 0; i < len; i++) {
		char c = octets[i];

		if (!after_cr || c != '\n')
			*out++ = c == '\r' ? '\n' : c;
		after_cr = c == '\r';
	}
	source->after_cr = after_cr;
	return (size_t)(out - octets);
}

/* `len` octets of UTF-8 lie behind the window's end. */
static void accept_octets(struct text *text, size_t len)
{
	char *octets = window_end(text), *nul = memchr(octets, '\0', len);

	if (nul) {
		len = (size_t)(nul - octets);
		cut_off(text, "a NUL octet: the file is cut off or not text; copy or export it "
			      "again");
	}
	text->end += settle_line_ends(text->source, octets, len);
	*window_end(text) = '\0';
}

static void put_character(struct text *text, uint32_t c)
{
	struct text_source *source = text->source;
	char *out = window_end(text);
	bool after_cr = source->after_cr;

	source->after_cr = c == '\r';
	if (after_cr && c == '\n')
		return;
	if (c == '\r')
		c = '\n';
	if (c < 0x80) {
		out[0] = (char)c;
		text->end += 1;
	} else if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		text->end += 2;
	} else if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		text->end += 3;
	} else {
		out[0] = (char)(0xf0 | c >> 18);
		out[1] = (char)(0x80 | (c >> 12 & 0x3f));
		out[2] = (char)(0x80 | (c >> 6 & 0x3f));
		out[3] = (char)(0x80 | (c & 0x3f));
		text->end += 4;
	}
}

/* One character of UTF-16, perhaps half of one. False at a fault. */
static bool accept_unit(struct text *text, uint32_t c)
{
	struct text_source *source = text->source;
	bool low = (c & 0xfc00) == 0xdc00;

	if (!c) {
		cut_off(text, "a NUL character: the file is cut off or not text; copy or export it "
			      "again");
		return false;
	}
	if ((source->high != 0) != low) {
		cut_off(text, "half a UTF-16 character: the file is cut off or not text; copy or "
			      "export it again");
		return false;
	}
	if ((c & 0xfc00) == 0xd800) {
		source->high = c;
		return true;
	}
	if (low)
		c = 0x10000 + ((source->high & 0x3ff) << 10) + (c & 0x3ff);
	source->high = 0;
	put_character(text, c);
	return true;
}

static void accept_utf16(struct text *text, const uint8_t *octets, size_t len)
{
	struct text_source *source = text->source;
	bool big = source->encoding == UTF16_BIG;

	for (size_t i = 0; i < len; i++) {
		uint8_t first = source->half;

		source->has_half = !source->has_half;
		source->half = octets[i];
		if (source->has_half)
			continue;
		if (!accept_unit(text, big ? (uint32_t)first << 8 | octets[i]
					   : (uint32_t)octets[i] << 8 | first))
			break;
	}
	*window_end(text) = '\0';
}

/* The first octets: which encoding it is. */
static void begin(struct text *text)
{
	struct text_source *source = text->source;
	uint8_t head[TEXT_HEAD_MAX];
	size_t len = 0, mark = 0, got;

	source->begun = true;
	source->encoding = UTF8;
	while (len < sizeof(head) && (got = take_octets(source, head + len, sizeof(head) - len)))
		len += got;
	if (len >= 2 && head[0] == 0xff && head[1] == 0xfe) {
		source->encoding = UTF16_LITTLE;
		mark = 2;
	} else if (len >= 2 && head[0] == 0xfe && head[1] == 0xff) {
		source->encoding = UTF16_BIG;
		mark = 2;
	} else if (len >= 3 && memcmp(head, "\xef\xbb\xbf", 3) == 0) {
		mark = 3;
	}
	if (source->encoding != UTF8) {
		accept_utf16(text, head + mark, len - mark);
		return;
	}
	memcpy(window_end(text), head + mark, len - mark);
	accept_octets(text, len - mark);
	if (len - mark >= 4 && (!head[mark] || !head[mark + 1]))
		cut_off(text, "a NUL octet at the start: not text, or UTF-16 without a byte order "
			      "mark; save it as UTF-8");
}

/* ---- the window ------------------------------------------------------------------------------ */

/* Some more, behind what is at hand. */
static void take_more(struct text *text)
{
	struct text_source *source = text->source;
	size_t room = TEXT_WINDOW - (size_t)(text->end - source->window), got;

	if (source->encoding == UTF8) {
		got = take_octets(source, window_end(text), room);
		accept_octets(text, got);
	} else {
		/* Two octets become three at most; a character too many fits the slack. */
		room = room / 3 * 2 + 1;
		got = take_octets(source, source->utf16,
				  room < sizeof(source->utf16) ? room : sizeof(source->utf16));
		accept_utf16(text, source->utf16, got);
		if (!got && (source->has_half || source->high))
			cut_off(text, "ends within a UTF-16 character: the file is cut off; copy "
				      "or export it again");
	}
	source->ended |= !got;
}

/* The text ends where the survey said. */
static void keep_to_limit(struct text *text)
{
	struct text_source *source = text->source;
	uint64_t len = source->base + (uint64_t)(text->end - source->window);

	if (source->limit == UINT64_MAX)
		return;
	if (len >= source->limit) {
		text->end = source->window + (source->limit - source->base);
		*window_end(text) = '\0';
		source->ended = true;
	} else if (source->ended) {
		source->changed = true;
	}
}

static void move_to_front(struct text *text)
{
	struct text_source *source = text->source;
	size_t passed = (size_t)(text->at - source->window);

	memmove(source->window, text->at, (size_t)(text->end - text->at) + 1);
	source->base += passed;
	text->at -= passed;
	text->end -= passed;
}

void text_refill(struct text *text, size_t want)
{
	struct text_source *source = text->source;

	assert(want <= TEXT_WINDOW);
	if (source->ended)
		return;
	if (!source->begun)
		begin(text);
	while ((size_t)(text->end - text->at) < want && !source->ended) {
		const char *full = source->window + TEXT_WINDOW;

		if (text->at > source->window &&
		    (source->block || full - text->at < (ptrdiff_t)want ||
		     full - text->end < TEXT_ROOM_MIN))
			move_to_front(text);
		take_more(text);
	}
	keep_to_limit(text);
}

void text_rewind(struct text *text)
{
	if (text->source->base) {
		restart(text);
		return;
	}
	text->at = text->source->window;
	text->source->passing = false;
}

uint64_t text_offset(const struct text *text)
{
	return text->source->base + (uint64_t)(text->at - text->source->window);
}

/* ---- lines ----------------------------------------------------------------------------------- */

bool text_pass_line(struct text *text)
{
	for (;;) {
		const char *newline = memchr(text->at, '\n', (size_t)(text->end - text->at));

		text->at = newline ? newline + 1 : text->end;
		if (newline)
			return true;
		if (!text_fill(text, 1))
			return false;
	}
}

bool text_line(struct text *text, size_t max, const char **ret_line, size_t *ret_len)
{
	struct text_source *source = text->source;
	const char *newline;
	size_t len;

	assert(max < TEXT_WINDOW);
	if (source->passing) {
		source->passing = false;
		text_pass_line(text);
	}
	len = (size_t)(text->end - text->at);
	newline = memchr(text->at, '\n', len);
	if (!newline) {
		len = text_fill(text, max + 1);
		if (!len)
			return false;
		newline = memchr(text->at, '\n', len);
	}
	if (newline)
		len = (size_t)(newline - text->at);
	*ret_line = text->at;
	*ret_len = len <= max ? len : max + 1;
	source->passing = !newline && len > max;
	if (source->passing)
		text->at += max + 1;
	else
		text->at = newline ? newline + 1 : text->end;
	return true;
}

/* ---- as a whole ------------------------------------------------------------------------------ */

unsigned text_count_lines(struct text *text)
{
	unsigned lines = 0;

	text_rewind(text);
	while (text_pass_line(text))
		lines++;
	text_rewind(text);
	return lines;
}

int text_survey(struct text *text, const char *path, struct complaints *to, struct err *err)
{
	struct text_source *source = text->source;
	uint64_t whole = 0; /* octets of whole lines */
	const char *fault;

	for (size_t len; (len = text_fill(text, 1)); text->at = text->end) {
		const char *newline = memrchr(text->at, '\n', len);

		if (newline)
			whole = text_offset(text) + (uint64_t)(newline + 1 - text->at);
	}
	if (source->failed == EFBIG)
		return err_set(err, "%s: larger than %zu octets; split it or check what it is",
			       path, (size_t)source->max);
	if (source->failed)
		return err_set(err, "%s: cannot read: %s", path, strerror(source->failed));
	fault = source->fault;
	source->limit = fault ? whole : text_offset(text);
	source->open_ended = source->limit != whole;
	text_rewind(text);
	keep_to_limit(text);
	source->changed = false;
	if (fault)
		complain(to, COMPLAINT_ERROR, path, text_count_lines(text) + 1, 0, "%s", fault);
	return 0;
}

uint64_t text_length(const struct text *text)
{
	return text->source->limit;
}

bool text_is_open_ended(const struct text *text)
{
	return text->source->open_ended;
}

bool text_has_changed(const struct text *text)
{
	return text->source->changed || text->source->failed;
}

int text_decode(const char *path, const uint8_t *data, size_t len, struct complaints *to,
		char **ret_text, size_t *ret_len)
{
	struct text *text = text_from_memory(data, len);
	char *out = NULL;
	size_t used = 0;

	if (text) {
		text_survey(text, path, to, NULL);
		out = malloc(text_length(text) + 1);
	}
	if (!out) {
		complain(to, COMPLAINT_ERROR, path, 0, 0, "no memory for its text; split the file");
		text_close(text);
		return -1;
	}
	for (size_t n; (n = text_fill(text, 1)); text->at = text->end) {
		memcpy(out + used, text->at, n);
		used += n;
	}
	out[used] = '\0';
	text_close(text);
	*ret_text = out;
	*ret_len = used;
	return 0;
}
