/* SPDX-License-Identifier: MIT */
/*
 * libyaml reads JSON too, but refuses surrogate pairs and U+007F and takes quadratic time for
 * nested brackets; a tree would cost memory that grows with the file. So exports in JSON are read
 * here: one position that only moves forward, one bit a level (object or array), one buffer for a
 * text with escapes. A text without escapes is not copied.
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
	const char *at, *end;
	const char *counted; /* up to here line and column are right */
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

struct jsonread *jsonread_new(const char *path, const char *text, size_t len, struct complaints *to)
{
	struct jsonread *read = malloc(sizeof(*read));

	if (!read)
		return NULL;
	read->path = path;
	read->to = to;
	read->at = read->counted = text;
	read->end = text + len;
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
	for (; read->counted < at; read->counted++) {
		if (*read->counted == '\n') {
			read->line++;
			read->column = 1;
		} else if (((unsigned char)*read->counted & 0xc0) != 0x80) {
			read->column++;
		}
	}
}

/* `at` never lies before what was counted. */
static void refuse(struct jsonread *read, const char *at, const char *what)
{
	count_to(read, at);
	complain(read->to, COMPLAINT_ERROR, read->path, read->line, read->column, "%s", what);
}

static bool stop(struct jsonread *read, const char *what)
{
	refuse(read, read->at, what);
	read->stopped = true;
	return false;
}

static bool stop_cut(struct jsonread *read)
{
	read->stopped = true;
	count_to(read, read->end);
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
static const char *read_unicode(struct jsonread *read, const char *at, uint32_t *ret, bool *bad)
{
	const char *escape = at - 2;
	uint32_t c, low;
	const char *why = NULL;

	*ret = '?';
	if (read_hex4(at, read->end, &c) < 0) {
		refuse(read, escape, "`\\u` takes four hexadecimal digits; correct it");
		*bad = true;
		return at;
	}
	at += 4;
	if (!c) {
		why = "`\\u0000`, a NUL character; take it out";
	} else if ((c & 0xfc00) == 0xd800) {
		if (read->end - at >= 6 && at[0] == '\\' && at[1] == 'u' &&
		    read_hex4(at + 2, read->end, &low) == 0 && (low & 0xfc00) == 0xdc00) {
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
		return at;
	}
	*ret = c;
	return at;
}

/* `at` is behind the backslash. */
static const char *read_escape(struct jsonread *read, const char *at, uint32_t *ret, bool *bad)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *found;

	if (*at == 'u')
		return read_unicode(read, at + 1, ret, bad);
	found = *at ? strchr(from, *at) : NULL;
	if (found) {
		*ret = (unsigned char)to[found - from];
		return at + 1;
	}
	refuse(read, at - 1, "no escape that JSON has; write `\\\\` for a backslash");
	*bad = true;
	*ret = '?';
	return at;
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

/* The rest of a text that cannot be taken as it stands: escapes, control characters. */
static const char *read_text_slowly(struct jsonread *read, const char *at, char quote,
				    struct json_event *event)
{
	event->text = read->text;
	while (at < read->end && *at != quote && *at != '\n') {
		uint32_t c = (unsigned char)*at;

		if (c == '\\' && at + 1 < read->end && at[1] != '\n') {
			at = read_escape(read, at + 1, &c, &event->bad);
			put(read, event, c, false);
			continue;
		}
		if (c < 0x20) {
			refuse(read, at,
			       "a control character in a text; write it as `\\t` or "
			       "`\\u00XX`, or take it out");
			event->bad = true;
		}
		put(read, event, c, true);
		at++;
	}
	return at;
}

/*
 * The text at the quote where the reader stands. One whose end is missing ends with its line, so
 * that the lines behind it do not swap inside and outside. False if the file ends in it.
 */
static bool read_text(struct jsonread *read, struct json_event *event)
{
	const char *start = read->at + 1, *at = start;
	char quote = *read->at;

	if (quote == '\'') {
		refuse(read, read->at, "single quotes; JSON has double ones alone");
		event->bad = true;
	}
	while (at < read->end && *at != quote && *at != '\\' && (unsigned char)*at >= 0x20)
		at++;
	event->text = start;
	event->len = (size_t)(at - start);
	if (event->len > JSON_TEXT_MAX) {
		event->cut = true;
		event->len = JSON_TEXT_MAX;
	}
	if (at < read->end && *at != quote && *at != '\n') {
		memcpy(read->text, start, event->len);
		at = read_text_slowly(read, at, quote, event);
	}
	if (at == read->end)
		return false;
	if (*at == '\n') {
		refuse(read, at, "the line ends inside a text; end it with a quote");
		event->bad = true;
		read->at = at;
		return true;
	}
	read->at = at + 1;
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

/* All up to the next blank or sign. */
static void read_word(struct jsonread *read, struct json_event *event)
{
	const char *at = read->at;
	char shown[TOKEN_SHOWN_MAX];

	while (at < read->end && (unsigned char)*at > ' ' && !strchr(",:{}[]\"", *at))
		at++;
	if (at == read->at)
		at++;
	event->text = read->at;
	event->len = (size_t)(at - read->at);
	read->at = at;
	if (is_number(event->text, at)) {
		event->kind = JSON_NUMBER;
	} else if (is_word(event, "null")) {
		event->kind = JSON_NULL;
	} else {
		event->kind = JSON_WORD;
		if (!is_word(event, "true") && !is_word(event, "false")) {
			event->bad = true;
			complain(read->to, COMPLAINT_ERROR, read->path, event->line, event->column,
				 "`%s` is no JSON value; put a text into double quotes",
				 token_show(shown, event->text, event->len));
		}
	}
	if (event->len > JSON_TEXT_MAX) {
		event->cut = true;
		event->len = JSON_TEXT_MAX;
	}
}

/* ---- structure ------------------------------------------------------------------------------- */

static bool in_object(const struct jsonread *read)
{
	return read->depth && read->open[read->depth - 1].object;
}

static void skip_blanks(struct jsonread *read)
{
	while (read->at < read->end && strchr(" \t\n\r", *read->at))
		read->at++;
}

static bool open_bracket(struct jsonread *read, struct json_event *event)
{
	if (read->depth == JSON_DEPTH_MAX)
		return stop(read,
			    "nested deeper than 64; this is none of Azure's exports, and what "
			    "follows is not read");
	event->kind = *read->at == '{' ? JSON_OBJECT : JSON_ARRAY;
	read->open[read->depth].object = *read->at == '{';
	read->open[read->depth].line = event->line;
	read->open[read->depth++].column = event->column;
	read->at++;
	read->state = WANT_FIRST;
	return true;
}

static bool close_bracket(struct jsonread *read, struct json_event *event)
{
	bool object = *read->at == '}';

	if (!read->depth || object != in_object(read))
		return stop(read, object ? "a `}` that ends no `{`; correct it, what follows is "
					   "not read"
					 : "a `]` that ends no `[`; correct it, what follows is "
					   "not read");
	event->kind = object ? JSON_OBJECT_END : JSON_ARRAY_END;
	read->depth--;
	read->at++;
	read->state = WANT_COMMA;
	return true;
}

static bool read_value(struct jsonread *read, struct json_event *event)
{
	char c = *read->at;

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
	refuse(read, read->at, "a key without a value; write one");
	event->kind = JSON_NULL;
	event->bad = true;
	read->state = WANT_COMMA;
	return true;
}

/* A key and its colon. */
static bool read_key(struct jsonread *read, struct json_event *event)
{
	if (*read->at == '"' || *read->at == '\'') {
		if (!read_text(read, event))
			return stop_cut(read);
	} else if (strchr("{[]:", *read->at)) {
		return stop(read, "a key has to stand here; correct it, what follows is not read");
	} else {
		read_word(read, event);
		if (!event->bad)
			refuse(read, read->at, "a key without quotes; put it into double quotes");
		event->bad = true;
	}
	event->kind = JSON_KEY;
	read->state = WANT_VALUE;
	skip_blanks(read);
	if (read->at == read->end)
		return stop_cut(read);
	if (*read->at == ':')
		read->at++;
	else if (*read->at != ',' && *read->at != '}')
		refuse(read, read->at, "no `:` behind the key; write one");
	return true;
}

/* Between two members or elements. False where the reading ends. */
static bool read_comma(struct jsonread *read)
{
	if (*read->at == '}' || *read->at == ']')
		return true;
	if (*read->at != ',') {
		refuse(read, read->at, "no `,` before it; write one");
		read->state = in_object(read) ? WANT_KEY : WANT_VALUE;
		return true;
	}
	for (;;) {
		const char *comma = read->at++;

		skip_blanks(read);
		if (read->at == read->end)
			return stop_cut(read);
		if (!strchr(",}]", *read->at))
			break;
		refuse(read, comma, "a `,` with nothing behind it; take it out");
		if (*read->at != ',')
			return true;
	}
	read->state = in_object(read) ? WANT_KEY : WANT_VALUE;
	return true;
}

static bool read_end(struct jsonread *read)
{
	if (read->at < read->end)
		return stop(
			read,
			strchr("{[", *read->at)
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
	if (read->at == read->end)
		return stop_cut(read);
	if (read->state == WANT_COMMA && !read_comma(read))
		return false;
	count_to(read, read->at);
	event.line = read->line;
	event.column = read->column;
	if (read->state == WANT_FIRST && *read->at != '}' && *read->at != ']')
		read->state = in_object(read) ? WANT_KEY : WANT_VALUE;
	if (read->state == WANT_VALUE && in_object(read) && strchr(",}", *read->at))
		got = read_nothing(read, &event);
	else if (*read->at == '}' || *read->at == ']')
		got = close_bracket(read, &event);
	else if (read->state == WANT_KEY)
		got = read_key(read, &event);
	else
		got = read_value(read, &event);
	if (got)
		*ret = event;
	return got;
}
