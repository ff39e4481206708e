/* SPDX-License-Identifier: MIT */
/*
 * ldns has a reader for whole files, but it gives up at the first bad record and knows lines only
 * roughly; a load has to tell every bad line and read the rest. So entries are cut here and handed
 * to ldns one by one.
 *
 * What is wrong in an entry must not swallow the file: a quote ends at its line's end at the
 * latest, brackets after RRLEX_ENTRY_MAX octets. There is no going back to try another reading, so
 * time is linear; a bracket that is never closed costs the entries up to that bound, and says so.
 */
#include "source/rrlex.h"

#include <string.h>

struct rrlex_state {
	unsigned depth;     /* open brackets */
	unsigned open_line; /* of the outermost one */
	bool blank;         /* a space is due before the next octet */
	bool quoted;
};

void rrlex_init_memory(struct rrlex *lex, const char *text, size_t len)
{
	lex->text = NULL;
	lex->at = text;
	lex->end = text + len;
	lex->line = 1;
	lex->entry_line = 0;
	lex->entry_len = 0;
	lex->entry[0] = '\0';
}

void rrlex_init(struct rrlex *lex, struct text *text)
{
	rrlex_init_memory(lex, text->at, (size_t)(text->end - text->at));
	lex->text = text;
}

/* Makes so many octets be at hand; false if there are fewer. */
static bool more(struct rrlex *lex, ptrdiff_t want)
{
	if (lex->end - lex->at >= want)
		return true;
	if (!lex->text)
		return false;
	lex->text->at = lex->at;
	text_fill(lex->text, (size_t)want);
	lex->at = lex->text->at;
	lex->end = lex->text->end;
	return lex->end - lex->at >= want;
}

/* To the line's end. */
static void pass_rest(struct rrlex *lex)
{
	do {
		const char *newline = memchr(lex->at, '\n', (size_t)(lex->end - lex->at));

		lex->at = newline ? newline : lex->end;
		if (newline)
			return;
	} while (more(lex, 1));
}

/* Gives the rest of the line up. */
static int rrlex_skip(struct rrlex *lex)
{
	pass_rest(lex);
	if (more(lex, 1)) {
		lex->at++;
		lex->line++;
	}
	return -1;
}

static int put(struct rrlex *lex, struct rrlex_state *state, char c)
{
	if (lex->entry_len + 2 > RRLEX_ENTRY_MAX)
		return -1;
	/* The first word's line is the entry's, not that of a bracket or comment before it. */
	if (lex->entry_len == 0 || (lex->entry_len == 1 && lex->entry[0] == ' '))
		lex->entry_line = lex->line;
	if (state->blank && lex->entry_len && lex->entry[lex->entry_len - 1] != ' ')
		lex->entry[lex->entry_len++] = ' ';
	state->blank = false;
	lex->entry[lex->entry_len++] = c;
	return 0;
}

/* One octet inside quotes. */
static int take_quoted(struct rrlex *lex, struct rrlex_state *state, char c, struct err *err)
{
	if (c == '\n')
		return err_set(err, "a quote is not closed on its line; close it");
	lex->at++;
	if (c == '"')
		state->quoted = false;
	if (put(lex, state, c) < 0)
		return err_set(err, "an entry of more than %d octets; correct it", RRLEX_ENTRY_MAX);
	return 0;
}

/* An octet that ends or separates words; 1 if the entry is complete, -1 on an error, else 0. */
static int take_special(struct rrlex *lex, struct rrlex_state *state, char c, struct err *err)
{
	state->blank = true;
	switch (c) {
	case ';':
		pass_rest(lex);
		return 0;
	case '(':
		if (state->depth++ == 0)
			state->open_line = lex->line;
		break;
	case ')':
		if (!state->depth)
			return err_set(err, "a closing bracket without an opening one; correct it");
		state->depth--;
		break;
	case '\n':
		lex->line++;
		lex->at++;
		return state->depth ? 0 : 1;
	default:
		break;
	}
	lex->at++;
	return 0;
}

/* One physical or bracketed entry; 1 with it (perhaps without a word), 0 at the end of the text. */
static int read_entry(struct rrlex *lex, struct rrlex_state *state, struct err *err)
{
	if (more(lex, 1) && (*lex->at == ' ' || *lex->at == '\t')) {
		lex->entry[lex->entry_len++] = ' ';
		lex->at++;
	}
	while (more(lex, 1)) {
		char c = *lex->at;

		if (state->quoted) {
			if (c != '\\') {
				if (take_quoted(lex, state, c, err) < 0)
					return -1;
				continue;
			}
		} else if (c && strchr(" \t\f\v\n;()", c)) {
			int done = take_special(lex, state, c, err);

			if (done)
				return done;
			continue;
		} else if (c == '"') {
			state->quoted = true;
		}
		/*
		 * A backslash takes the octet behind it along, whatever that is but a line's end.
		 */
		if (put(lex, state, c) < 0 || (c == '\\' && more(lex, 2) && lex->at[1] != '\n' &&
					       (lex->at++, put(lex, state, *lex->at) < 0)))
			return err_set(err,
				       state->depth ? "a bracket opened on line %u is not closed "
						      "within %d octets; "
						      "close it"
						    : "the entry on line %u has more than %d "
						      "octets; correct it",
				       state->depth ? state->open_line : lex->line,
				       RRLEX_ENTRY_MAX);
		lex->at++;
	}
	if (state->quoted)
		return err_set(err,
			       "the text ends within quotes: the file is cut off; copy it again");
	if (state->depth)
		return err_set(err,
			       "the text ends within the brackets that line %u opens: the file "
			       "is cut off; copy or export it again",
			       state->open_line);
	return lex->entry_len > 0;
}

int rrlex_next(struct rrlex *lex, struct err *err)
{
	while (more(lex, 1)) {
		struct rrlex_state state = { 0 };
		int got;

		lex->entry_len = 0;
		lex->entry_line = lex->line;
		got = read_entry(lex, &state, err);
		if (got < 0) {
			lex->entry_line = state.depth ? state.open_line : lex->line;
			return rrlex_skip(lex);
		}
		if (lex->entry_len && !(lex->entry_len == 1 && lex->entry[0] == ' ')) {
			lex->entry[lex->entry_len] = '\0';
			return 1;
		}
	}
	return 0;
}

bool rrlex_line(struct rrlex *lex, size_t max, const char **ret_line, size_t *ret_len)
{
	size_t left = (size_t)(lex->end - lex->at);
	const char *newline = memchr(lex->at, '\n', left < max + 1 ? left : max + 1);

	if (!newline && left <= max) {
		more(lex, (ptrdiff_t)max + 1);
		left = (size_t)(lex->end - lex->at);
		newline = memchr(lex->at, '\n', left < max + 1 ? left : max + 1);
	}
	if (!newline)
		return false;
	*ret_line = lex->at;
	*ret_len = (size_t)(newline - lex->at);
	return true;
}

void rrlex_pass_line(struct rrlex *lex, size_t len)
{
	lex->at += len + 1;
	lex->line++;
}

int rrlex_word(const char **at, struct rrword *ret)
{
	const char *start = *at;
	bool quoted = false;

	while (*start == ' ')
		start++;
	if (!*start)
		return 0;
	*at = start;
	for (; **at && (quoted || **at != ' '); (*at)++) {
		if (**at == '"')
			quoted = !quoted;
		else if (**at == '\\' && (*at)[1])
			(*at)++;
	}
	ret->text = start;
	ret->len = (size_t)(*at - start);
	return 1;
}
