/* SPDX-License-Identifier: MIT */
/*
 * libyaml takes some 800 ns for a line of `name: address`: two thirds of that in its scanner, a
 * third in malloc and free, several times a scalar. Here it is some 60. (perf record of `privlinkd
 * -t` with a million of them.)
 *
 * A line is taken whole or not at all. It is plain if nothing around it can change what it says but
 * the columns of the levels that are open, which are kept: printable ASCII; indented with spaces to
 * where a level is open or, behind a key without a value, deeper; a key in letters that host names
 * have, or in quotes; a value that begins with a letter or digit, or in quotes without an escape or
 * a quote within, or a list of such on the same line. Not plain are, among all else, a value that
 * goes on on the next line, an empty one, a map in braces, an anchor, a tag, a tab, and whatever is
 * wrong.
 *
 * A value goes on on the next line if that is indented deeper; and libyaml looks a few octets
 * ahead, and refuses what it sees there before it has said what stands above. So a line's events
 * are given when what comes next has been found to be plain, too, up to the next line with
 * something in it. Thus just those are given that libyaml gives, whatever follows. No plain line is
 * shorter than what libyaml looks ahead, four octets.
 *
 * Lines are copied: reading the next one may move the text, and a scalar of libyaml's ends with a
 * NUL. Refused: a quick way back from libyaml. A file that is plain but for some lines is read as
 * it would be without this, and who wants a million names read quickly has a program write them.
 */
#include "source/yamlplain.h"

#include <assert.h>
#include <string.h>

/* Octets of comments and empty lines between two lines: libyaml has a limit there (yamlfeed.h). */
#define BETWEEN_MAX (64 << 10)

/* What an octet may be in a key, in an item of a list, at the start of a value. */
enum { FIRST = 1, IN_NAME = 2 };
static const uint8_t octet_kinds[256] = {
	['a' ... 'z'] = FIRST | IN_NAME,
	['A' ... 'Z'] = FIRST | IN_NAME,
	['0' ... '9'] = FIRST | IN_NAME,
	['_'] = FIRST | IN_NAME,
	['-'] = IN_NAME,
	['.'] = IN_NAME,
};

static bool is_of(char c, unsigned kind)
{
	return octet_kinds[(uint8_t)c] & kind;
}

/* Printable ASCII. */
static bool is_text(char c)
{
	return c >= ' ' && c <= '~';
}

/* ---- the parts of a line --------------------------------------------------------------------- */

/* Where in a line the scanning is. It ends with a NUL, which is of no kind. */
struct scan {
	struct yamlplain_line *line;
	const char *at, *end;
};

static struct yamlplain_part *put(struct yamlplain_line *line, yaml_event_type_t type,
				  size_t column)
{
	struct yamlplain_part *part = &line->part[line->parts];

	assert(line->parts < YAMLPLAIN_PARTS_MAX);
	line->parts++;
	*part = (struct yamlplain_part){ .type = (uint8_t)type, .column = (uint16_t)column };
	return part;
}

static size_t column_of(const struct scan *scan)
{
	return (size_t)(scan->at - scan->line->text);
}

/* The scalar from `start` up to `end`. */
static void put_scalar(struct scan *scan, size_t column, const char *start, const char *end,
		       yaml_scalar_style_t style)
{
	struct yamlplain_part *part = put(scan->line, YAML_SCALAR_EVENT, column);

	part->style = (uint8_t)style;
	part->at = (uint16_t)(start - scan->line->text);
	part->len = (uint16_t)(end - start);
}

static void pass_blanks(struct scan *scan)
{
	while (*scan->at == ' ')
		scan->at++;
}

/* Nothing more in the line but, behind a blank, a comment. */
static bool is_over(const struct scan *scan)
{
	const char *at = scan->at;

	if (*at == '#' && (at == scan->line->text || at[-1] == ' '))
		while (is_text(*at) || *at == '\t')
			at++;
	return at == scan->end;
}

static bool take_quoted(struct scan *scan)
{
	const char *start = scan->at + 1;
	size_t column = column_of(scan);
	char quote = *scan->at;

	/* Two of them would be one, within; but no second one may stand behind the first. */
	for (scan->at = start; *scan->at != quote; scan->at++)
		if (!is_text(*scan->at) || (*scan->at == '\\' && quote == '"'))
			return false;
	put_scalar(scan, column, start, scan->at++,
		   quote == '"' ? YAML_DOUBLE_QUOTED_SCALAR_STYLE
				: YAML_SINGLE_QUOTED_SCALAR_STYLE);
	return true;
}

/* A key or an item of a list. */
static bool take_name(struct scan *scan)
{
	const char *start = scan->at;

	if (*start == '"' || *start == '\'')
		return take_quoted(scan);
	if (!is_of(*start, FIRST))
		return false;
	while (is_of(*scan->at, IN_NAME))
		scan->at++;
	put_scalar(scan, (size_t)(start - scan->line->text), start, scan->at,
		   YAML_PLAIN_SCALAR_STYLE);
	return true;
}

/* A value: where it is not in quotes, all up to a comment. */
static bool take_text(struct scan *scan)
{
	const char *start = scan->at, *end = start;

	if (*start == '"' || *start == '\'')
		return take_quoted(scan);
	if (!is_of(*start, FIRST))
		return false;
	for (const char *at = start; is_text(*at); at++) {
		if (*at == ' ' && at[1] == '#')
			break;
		/* It would be a key. */
		if (*at == ':' && (at[1] == ' ' || !at[1]))
			return false;
		if (*at != ' ')
			end = at + 1;
	}
	put_scalar(scan, column_of(scan), start, end, YAML_PLAIN_SCALAR_STYLE);
	scan->at = end;
	return true;
}

static bool take_list(struct scan *scan)
{
	put(scan->line, YAML_SEQUENCE_START_EVENT, column_of(scan));
	do {
		scan->at++;
		pass_blanks(scan);
		if (!take_name(scan))
			return false;
		pass_blanks(scan);
	} while (*scan->at == ',');
	if (*scan->at != ']')
		return false;
	put(scan->line, YAML_SEQUENCE_END_EVENT, column_of(scan));
	scan->at++;
	return true;
}

/* ---- levels ---------------------------------------------------------------------------------- */

static bool open_level(struct yamlplain *plain, struct yamlplain_line *line, unsigned column,
		       bool sequence)
{
	if (plain->depth == YAMLPLAIN_DEPTH_MAX)
		return false;
	plain->open[plain->depth].column = column;
	plain->open[plain->depth++].sequence = sequence;
	put(line, sequence ? YAML_SEQUENCE_START_EVENT : YAML_MAPPING_START_EVENT, column);
	return true;
}

static void close_level(struct yamlplain *plain, struct yamlplain_line *line, unsigned column)
{
	put(line,
	    plain->open[--plain->depth].sequence ? YAML_SEQUENCE_END_EVENT : YAML_MAPPING_END_EVENT,
	    column);
}

/* Closes and opens what a line at this column does. An entry is a line that begins with `- `. */
static bool settle_levels(struct yamlplain *plain, struct yamlplain_line *line, unsigned column,
			  bool entry)
{
	unsigned open;

	if (!plain->depth) {
		if (column || entry)
			return false;
		if (!plain->started)
			put(line, YAML_DOCUMENT_START_EVENT, 0);
		plain->started = true;
		return open_level(plain, line, 0, false);
	}
	open = plain->open[plain->depth - 1].column;
	if (plain->pending) {
		plain->pending = false;
		/* A list may stand below its key without being indented. */
		return (column > open || (entry && column == open)) &&
		       open_level(plain, line, column, entry);
	}
	while (plain->depth && (plain->open[plain->depth - 1].column > column ||
				(plain->open[plain->depth - 1].column == column &&
				 plain->open[plain->depth - 1].sequence && !entry)))
		close_level(plain, line, column);
	return plain->depth && plain->open[plain->depth - 1].column == column &&
	       plain->open[plain->depth - 1].sequence == entry;
}

/* ---- lines ----------------------------------------------------------------------------------- */

static bool take_line(struct yamlplain *plain, struct scan *scan)
{
	bool entry = scan->at[0] == '-' && scan->at[1] == ' ';

	if (!plain->started && strcmp(scan->line->text, "---") == 0) {
		put(scan->line, YAML_DOCUMENT_START_EVENT, 0);
		plain->started = true;
		return true;
	}
	/* With its end, libyaml's look ahead stays within it. */
	if (scan->end - scan->at < 3 ||
	    !settle_levels(plain, scan->line, (unsigned)column_of(scan), entry))
		return false;
	if (entry)
		scan->at++;
	else if (!take_name(scan) || *scan->at++ != ':' || (*scan->at && *scan->at != ' '))
		return false;
	pass_blanks(scan);
	plain->pending = !entry && is_over(scan);
	if (plain->pending)
		return true;
	if (!(*scan->at == '[' && !entry ? take_list(scan) : take_text(scan)))
		return false;
	pass_blanks(scan);
	return is_over(scan);
}

/* Behind the last line, where libyaml ends all levels: at the start of a line. */
static bool take_end(struct yamlplain *plain, struct yamlplain_line *line)
{
	line->number = plain->lines;
	plain->ended = true;
	if (!plain->depth || plain->pending)
		return false;
	while (plain->depth)
		close_level(plain, line, 0);
	put(line, YAML_DOCUMENT_END_EVENT, 0);
	put(line, YAML_STREAM_END_EVENT, 0);
	return true;
}

/* The next line with something in it. False: it is not plain, or something before it is not. */
static bool read_line(struct yamlplain *plain, struct yamlplain_line *line)
{
	struct scan scan = { .line = line };
	size_t between = 0, len;
	const char *text;

	line->parts = line->given = 0;
	while (text_line(plain->text, YAMLPLAIN_LINE_MAX, &text, &len)) {
		if (len > YAMLPLAIN_LINE_MAX)
			return false;
		memcpy(line->text, text, len);
		line->text[len] = '\0';
		line->number = plain->lines++;
		scan.at = line->text;
		scan.end = line->text + len;
		pass_blanks(&scan);
		if (!is_over(&scan))
			return take_line(plain, &scan);
		between += len + 1;
		if (between > BETWEEN_MAX)
			return false;
	}
	/* In a line without end libyaml would end the levels at its own column. */
	return !(between && text_is_open_ended(plain->text)) && take_end(plain, line);
}

/* ---- events ---------------------------------------------------------------------------------- */

void yamlplain_init(struct yamlplain *plain, struct text *text)
{
	memset(plain, 0, sizeof(*plain));
	plain->text = text;
	put(&plain->line[1], YAML_STREAM_START_EVENT, 0);
}

static void make_event(struct yamlplain_line *line, yaml_event_t *ret)
{
	const struct yamlplain_part *part = &line->part[line->given++];

	memset(ret, 0, sizeof(*ret));
	ret->type = (yaml_event_type_t)part->type;
	ret->start_mark.line = line->number;
	ret->start_mark.column = part->column;
	if (ret->type != YAML_SCALAR_EVENT)
		return;
	line->text[part->at + part->len] = '\0';
	ret->data.scalar.value = (yaml_char_t *)line->text + part->at;
	ret->data.scalar.length = part->len;
	ret->data.scalar.style = (yaml_scalar_style_t)part->style;
}

bool yamlplain_next(struct yamlplain *plain, yaml_event_t *ret)
{
	struct yamlplain_line *line = &plain->line[plain->now];

	if (line->given == line->parts) {
		struct yamlplain_line *done = line;

		plain->now = !plain->now;
		line = &plain->line[plain->now];
		if (!plain->ended && !read_line(plain, done))
			return false;
	}
	assert(line->given < line->parts);
	make_event(line, ret);
	return true;
}
