/* SPDX-License-Identifier: MIT */
/*
 * libyaml reads JSON too, but refuses surrogate pairs and U+007F and takes quadratic time for
 * nested brackets; a tree would cost memory that grows with the file. So exports in JSON are read
 * here: one position that only moves forward, one bit a level (object or array), one buffer for a
 * text with escapes. A text without escapes is not copied: all that may count of it is made to be
 * at hand before it is looked at. Of a longer one the rest is passed over.
 *
 * Three kinds of fault. Inside a text (a bad escape, a control character): the text is passed on as
 * `bad`. Between values (a comma too many or missing, a word that is none): told, and read as it
 * was probably meant, so that one run shows all faults. Where the structure itself is lost (a
 * bracket of the wrong kind, something behind the end, the end of the file inside a bracket): told,
 * and the reading stops.
 *
 * Lines and columns are counted only when an event needs them, from where they were counted last,
 * so a file of one long line costs no more than another.
 *
 * Duplicate keys are not looked for: that would need all keys of an object. Whoever knows which
 * keys matter looks for those.
 */
#include "source/jsonread.h"

#include <stdlib.h>
#include <string.h>

#include "source/scan.h"
#include "source/token.h"

/* What may stand next. */
enum json_state {
	WANT_VALUE,
	WANT_FIRST, /* the first member or element, or the closing bracket */
	WANT_KEY,
	WANT_COMMA, /* or the closing bracket; at depth 0 the end of the file */
};

struct jsonread {
	const char *path;
	struct complaints *to;
	struct text *in;
	const char *counted; /* up to here line and column are right; no further than in->at */
	unsigned line, column;
	enum json_state state;
	bool stopped, ended;
	unsigned depth;
	struct {
		bool object;
		unsigned line, column;
	} open[JSON_DEPTH_MAX];
	char text[JSON_TEXT_MAX + 4]; /* one character more than counts, in UTF-8 */
};

struct jsonread *jsonread_new(const char *path, struct text *text, struct complaints *to)
{
	struct jsonread *read = malloc(sizeof(*read));

	if (!read)
		return NULL;
	read->path = path;
	read->to = to;
	read->in = text;
	read->counted = text->at;
	read->line = read->column = 1;
	read->state = WANT_VALUE;
	read->stopped = read->ended = false;
	read->depth = 0;
	return read;
}

void jsonread_free(struct jsonread *read)
{
	free(read);
}

bool jsonread_stopped(const struct jsonread *read)
{
	return read->stopped;
}

/* ---- places and complaints ------------------------------------------------------------------- */

static void count_to(struct jsonread *read, const char *at)
{
	const char *from = read->counted, *newline;

	if (from >= at)
		return;
	while ((newline = memchr(from, '\n', (size_t)(at - from)))) {
		read->line++;
		read->column = 1;
		from = newline + 1;
	}
	read->column += scan_characters(from, at);
	read->counted = at;
}

/* Makes so many octets be at hand; false if there are fewer. What was at hand moves. */
static bool fill(struct jsonread *read, size_t want)
{
	if ((size_t)(read->in->end - read->in->at) >= want)
		return true;
	count_to(read, read->in->at);
	text_fill(read->in, want);
	read->counted = read->in->at;
	return (size_t)(read->in->end - read->in->at) >= want;
}

/* Is there another octet? */
static bool more(struct jsonread *read)
{
	return read->in->at < read->in->end || fill(read, 1);
}

/* `at` never lies before what was counted. */
static void refuse(struct jsonread *read, const char *at, const char *what)
{
	count_to(read, at);
	complain(read->to, COMPLAINT_ERROR, read->path, read->line, read->column, "%s", what);
}

static bool stop(struct jsonread *read, const char *what)
{
	refuse(read, read->in->at, what);
	read->stopped = true;
	return false;
}

/* The text is at its end. */
static bool stop_cut(struct jsonread *read)
{
	read->stopped = true;
	count_to(read, read->in->end);
	if (!read->depth) {
		complain(read->to, COMPLAINT_ERROR, read->path, read->line, read->column,
			 "holds no value; export it again");
		return false;
	}
	complain(read->to, COMPLAINT_ERROR, read->path, read->line, read->column,
		 "the file is cut off: the `%c` of line %u, column %u is still open; copy or "
		 "export it "
		 "again",
		 read->open[read->depth - 1].object ? '{' : '[', read->open[read->depth - 1].line,
		 read->open[read->depth - 1].column);
	return false;
}

/* ---- texts ----------------------------------------------------------------------------------- */

static int read_hex4(const char *at, const char *end, uint32_t *ret)
{
	uint32_t value = 0;

	if (end - at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = at[i];

		if (c >= '0' && c <= '9')
			value = value << 4 | (uint32_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			value = value << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
		else
			return -1;
	}
	*ret = value;
	return 0;
}

static size_t put_utf8(char *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* The hex digits behind `\u`, with a second escape where the first is half a character. */
static uint32_t read_unicode(struct jsonread *read, bool *bad)
{
	const char *escape = read->in->at, *at = escape + 2, *end = read->in->end;
	uint32_t c, low;
	const char *why = NULL;

	if (read_hex4(at, end, &c) < 0) {
		refuse(read, escape, "`\\u` takes four hexadecimal digits; correct it");
		*bad = true;
		read->in->at = at;
		return '?';
	}
	at += 4;
	if (!c) {
		why = "`\\u0000`, a NUL character; take it out";
	} else if ((c & 0xfc00) == 0xd800) {
		if (end - at >= 6 && at[0] == '\\' && at[1] == 'u' &&
		    read_hex4(at + 2, end, &low) == 0 && (low & 0xfc00) == 0xdc00) {
			c = 0x10000 + ((c & 0x3ff) << 10) + (low & 0x3ff);
			at += 6;
		} else {
			why = "half a character: the second `\\u` of a pair is missing; correct it";
		}
	} else if ((c & 0xfc00) == 0xdc00) {
		why = "half a character: the first `\\u` of a pair is missing; correct it";
	}
	if (why) {
		refuse(read, escape, why);
		*bad = true;
		c = '?';
	}
	read->in->at = at;
	return c;
}

/* At a backslash with an octet behind it. */
static uint32_t read_escape(struct jsonread *read, bool *bad)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *found;

	/* Both escapes of a pair. */
	fill(read, 12);
	if (read->in->at[1] == 'u')
		return read_unicode(read, bad);
	found = strchr(from, read->in->at[1]);
	if (found) {
		read->in->at += 2;
		return (unsigned char)to[found - from];
	}
	refuse(read, read->in->at, "no escape that JSON has; write `\\\\` for a backslash");
	*bad = true;
	read->in->at++;
	return '?';
}

/* One octet or one escape into the buffer; what is over its size is left out. */
static void put(struct jsonread *read, struct json_event *event, uint32_t c, bool octet)
{
	if (event->len >= JSON_TEXT_MAX)
		event->cut = true;
	else if (octet)
		read->text[event->len++] = (char)c;
	else
		event->len += put_utf8(read->text + event->len, c);
}

/* The rest of a text that cannot be taken as it stands: escapes, control characters, too long. */
static void read_text_slowly(struct jsonread *read, char quote, struct json_event *event)
{
	while (more(read) && *read->in->at != quote && *read->in->at != '\n') {
		unsigned char c = (unsigned char)*read->in->at;

		if (c == '\\' && fill(read, 2) && read->in->at[1] != '\n') {
			put(read, event, read_escape(read, &event->bad), false);
			continue;
		}
		if (c < 0x20) {
			refuse(read, read->in->at,
			       "a control character in a text; write it as `\\t` or "
			       "`\\u00XX`, or take it out");
			event->bad = true;
		}
		put(read, event, c, true);
		read->in->at++;
	}
}

/*
 * The text at the quote where the reader stands. One whose end is missing ends with its line, so
 * that the lines behind it do not swap inside and outside. False if the file ends in it.
 */
static bool read_text(struct jsonread *read, struct json_event *event)
{
	char quote = *read->in->at;
	const char *start, *at, *end;

	if (quote == '\'') {
		refuse(read, read->in->at, "single quotes; JSON has double ones alone");
		event->bad = true;
	}
	/* With its quotes. */
	fill(read, JSON_TEXT_MAX + 2);
	start = read->in->at + 1;
	end = read->in->end - start > JSON_TEXT_MAX ? start + JSON_TEXT_MAX : read->in->end;
	at = scan_plain(start, end, quote);
	read->in->at = at;
	event->text = start;
	event->len = (size_t)(at - start);
	if (at == read->in->end || (*at != quote && *at != '\n')) {
		memcpy(read->text, start, event->len);
		event->text = read->text;
		read_text_slowly(read, quote, event);
	}
	if (!more(read))
		return false;
	if (*read->in->at == '\n') {
		refuse(read, read->in->at, "the line ends inside a text; end it with a quote");
		event->bad = true;
		return true;
	}
	read->in->at++;
	return true;
}

/* ---- numbers and words ----------------------------------------------------------------------- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *skip_digits(const char *at, const char *end)
{
	while (at < end && is_digit(*at))
		at++;
	return at;
}

/* RFC 8259 6. Any size: what it is good for is the taker's business. */
static bool is_number(const char *at, const char *end)
{
	const char *from;

	if (at < end && *at == '-')
		at++;
	from = at;
	at = skip_digits(at, end);
	if (at == from || (*from == '0' && at - from > 1))
		return false;
	if (at < end && *at == '.') {
		from = ++at;
		at = skip_digits(at, end);
		if (at == from)
			return false;
	}
	if (at < end && (*at | 0x20) == 'e') {
		at++;
		if (at < end && (*at == '+' || *at == '-'))
			at++;
		from = at;
		at = skip_digits(at, end);
		if (at == from)
			return false;
	}
	return at == end;
}

static bool is_word(const struct json_event *event, const char *word)
{
	return event->len == strlen(word) && memcmp(event->text, word, event->len) == 0;
}

/* Does this octet end a number or word? */
static bool ends_word(char c)
{
	return (unsigned char)c <= ' ' || c == ',' || c == ':' || c == '{' || c == '}' ||
	       c == '[' || c == ']' || c == '"';
}

/* All up to the next blank or sign. What is longer than JSON_TEXT_MAX is no number of anybody's. */
static void read_word(struct jsonread *read, struct json_event *event)
{
	const char *at, *end;
	char shown[TOKEN_SHOWN_MAX];

	fill(read, JSON_TEXT_MAX + 1);
	at = read->in->at;
	end = read->in->end - at > JSON_TEXT_MAX ? at + JSON_TEXT_MAX : read->in->end;
	while (at < end && !ends_word(*at))
		at++;
	if (at == read->in->at)
		at++;
	event->text = read->in->at;
	event->len = (size_t)(at - event->text);
	event->cut = at < read->in->end && !ends_word(*at) && event->len >= JSON_TEXT_MAX;
	event->kind = JSON_WORD;
	if (is_number(event->text, at) && !event->cut) {
		event->kind = JSON_NUMBER;
	} else if (is_word(event, "null")) {
		event->kind = JSON_NULL;
	} else if (!is_word(event, "true") && !is_word(event, "false")) {
		event->bad = true;
		complain(read->to, COMPLAINT_ERROR, read->path, event->line, event->column,
			 "`%s` is no JSON value; put a text into double quotes",
			 token_show(shown, event->text, event->len));
	}
	read->in->at = at;
	if (!event->cut)
		return;
	memcpy(read->text, event->text, event->len);
	event->text = read->text;
	while (more(read) && !ends_word(*read->in->at))
		read->in->at++;
}

/* ---- structure ------------------------------------------------------------------------------- */

static bool in_object(const struct jsonread *read)
{
	return read->depth && read->open[read->depth - 1].object;
}

static void skip_blanks(struct jsonread *read)
{
	do {
		const char *at = read->in->at, *end = read->in->end;

		while (at < end && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r'))
			at++;
		read->in->at = at;
		if (at < end)
			return;
	} while (more(read));
}

static bool open_bracket(struct jsonread *read, struct json_event *event)
{
	if (read->depth == JSON_DEPTH_MAX)
		return stop(read,
			    "nested deeper than 64; this is none of Azure's exports, and what "
			    "follows is not read");
	event->kind = *read->in->at == '{' ? JSON_OBJECT : JSON_ARRAY;
	read->open[read->depth].object = *read->in->at == '{';
	read->open[read->depth].line = event->line;
	read->open[read->depth++].column = event->column;
	read->in->at++;
	read->state = WANT_FIRST;
	return true;
}

static bool close_bracket(struct jsonread *read, struct json_event *event)
{
	bool object = *read->in->at == '}';

	if (!read->depth || object != in_object(read))
		return stop(read, object ? "a `}` that ends no `{`; correct it, what follows is "
					   "not read"
					 : "a `]` that ends no `[`; correct it, what follows is "
					   "not read");
	event->kind = object ? JSON_OBJECT_END : JSON_ARRAY_END;
	read->depth--;
	read->in->at++;
	read->state = WANT_COMMA;
	return true;
}

static bool read_value(struct jsonread *read, struct json_event *event)
{
	char c = *read->in->at;

	if (c == '{' || c == '[')
		return open_bracket(read, event);
	read->state = WANT_COMMA;
	if (c == '"' || c == '\'') {
		event->kind = JSON_TEXT;
		return read_text(read, event) || stop_cut(read);
	}
	read_word(read, event);
	return true;
}

/* Behind a key, where its value should stand. */
static bool read_nothing(struct jsonread *read, struct json_event *event)
{
	refuse(read, read->in->at, "a key without a value; write one");
	event->kind = JSON_NULL;
	event->bad = true;
	read->state = WANT_COMMA;
	return true;
}

/* Passes blanks; false at the end. What an event points to stays. */
static bool pass_to_colon(struct jsonread *read, struct json_event *event)
{
	if (read->in->at < read->in->end && *read->in->at == ':')
		return true;
	/* It may lie in what is moved now. */
	if (event->text != read->text) {
		memcpy(read->text, event->text, event->len);
		event->text = read->text;
	}
	skip_blanks(read);
	return more(read);
}

/* A key and its colon. */
static bool read_key(struct jsonread *read, struct json_event *event)
{
	if (*read->in->at == '"' || *read->in->at == '\'') {
		if (!read_text(read, event))
			return stop_cut(read);
	} else if (strchr("{[]:", *read->in->at)) {
		return stop(read, "a key has to stand here; correct it, what follows is not read");
	} else {
		read_word(read, event);
		if (!event->bad)
			refuse(read, read->in->at,
			       "a key without quotes; put it into double quotes");
		event->bad = true;
	}
	event->kind = JSON_KEY;
	read->state = WANT_VALUE;
	if (!pass_to_colon(read, event))
		return stop_cut(read);
	if (*read->in->at == ':')
		read->in->at++;
	else if (*read->in->at != ',' && *read->in->at != '}')
		refuse(read, read->in->at, "no `:` behind the key; write one");
	return true;
}

/* Between two members or elements. False where the reading ends. */
static bool read_comma(struct jsonread *read)
{
	if (*read->in->at == '}' || *read->in->at == ']')
		return true;
	if (*read->in->at != ',') {
		refuse(read, read->in->at, "no `,` before it; write one");
		read->state = in_object(read) ? WANT_KEY : WANT_VALUE;
		return true;
	}
	for (;;) {
		unsigned line, column;

		count_to(read, read->in->at++);
		line = read->line;
		column = read->column;
		skip_blanks(read);
		if (!more(read))
			return stop_cut(read);
		if (*read->in->at != ',' && *read->in->at != '}' && *read->in->at != ']')
			break;
		complain(read->to, COMPLAINT_ERROR, read->path, line, column,
			 "a `,` with nothing behind it; take it out");
		if (*read->in->at != ',')
			return true;
	}
	read->state = in_object(read) ? WANT_KEY : WANT_VALUE;
	return true;
}

static bool read_end(struct jsonread *read)
{
	if (more(read))
		return stop(
			read,
			strchr("{[", *read->in->at)
				? "a second document; put it into a file of its own, it is not read"
				: "something behind the end; take it out, it is not read");
	read->ended = true;
	return false;
}

bool jsonread_next(struct jsonread *read, struct json_event *ret)
{
	struct json_event event = { 0 };
	bool got;

	if (read->stopped || read->ended)
		return false;
	skip_blanks(read);
	if (read->state == WANT_COMMA && !read->depth)
		return read_end(read);
	if (!more(read))
		return stop_cut(read);
	if (read->state == WANT_COMMA && !read_comma(read))
		return false;
	count_to(read, read->in->at);
	event.line = read->line;
	event.column = read->column;
	if (read->state == WANT_FIRST && *read->in->at != '}' && *read->in->at != ']')
		read->state = in_object(read) ? WANT_KEY : WANT_VALUE;
	if (read->state == WANT_VALUE && in_object(read) &&
	    (*read->in->at == ',' || *read->in->at == '}'))
		got = read_nothing(read, &event);
	else if (*read->in->at == '}' || *read->in->at == ']')
		got = close_bracket(read, &event);
	else if (read->state == WANT_KEY)
		got = read_key(read, &event);
	else
		got = read_value(read, &event);
	if (got)
		*ret = event;
	return got;
}
