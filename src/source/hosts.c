/* SPDX-License-Identifier: MIT */
/*
 * A line is split at blanks into words, each word is an address or a name, and every name gets
 * every address. The addresses stand together, before the names or behind them; with names on both
 * sides nobody can tell what belongs together, so that is an error, as is a line of one kind
 * alone.
 *
 * What a hosts file says about the machine it was on (localhost, ip6-allnodes...) is skipped
 * without a word: such lines stand in every hosts file and mean nothing to anybody else.
 *
 * A line that is wrong in one word is left out whole: half a line is a guess.
 */
#include "source/hosts.h"

#include <string.h>
#include <strings.h>

#include "source/token.h"
#include "wire/types.h"

struct hosts_line {
	const struct reader_input *in;
	struct builder *builder;
	struct complaints *to;
	unsigned number;
	unsigned addresses, names;
	unsigned scoped;           /* column of an address with a scope; 0: none */
	bool behind;               /* the addresses stand behind the names */
	struct name_series series; /* of the names, one at a time */
	struct token_address address[HOSTS_ADDRESSES_MAX];
	struct {
		const char *text;
		size_t len;
	} name[HOSTS_NAMES_MAX];
};

static bool is_blank(char c)
{
	return (unsigned char)c <= ' ' && (c == ' ' || c == '\t' || c == '\f' || c == '\v');
}

/* Names that stand for the machine itself, in the templates of Debian, Red Hat, macOS, Windows. */
static bool is_own_name(const char *text, size_t len)
{
	static const char *const own[] = {
		"localhost",     "localhost.localdomain",
		"localhost4",    "localhost4.localdomain4",
		"localhost6",    "localhost6.localdomain6",
		"ip6-localhost", "ip6-loopback",
		"ip6-localnet",  "ip6-mcastprefix",
		"ip6-allnodes",  "ip6-allrouters",
		"ip6-allhosts",  "broadcasthost",
		"local",
	};

	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		if (strlen(own[i]) == len && strncasecmp(own[i], text, len) == 0)
			return true;
	return false;
}

static int refuse(struct hosts_line *line, unsigned column, const char *what)
{
	complain(line->to, COMPLAINT_ERROR, line->in->path, line->number, column, "%s", what);
	return -1;
}

/*
 * `fe80::1%lo0`: macOS gives its own localhost such an address. It means nothing on another
 * machine's links, so nothing of it is kept but that it is there.
 */
static bool read_scoped(const char *text, size_t len, struct token_address *ret)
{
	static const uint8_t loopback[16] = { [15] = 1 };
	/* fe80::, ff02:: */
	const char *percent = (*text | 0x20) == 'f' ? memchr(text, '%', len) : NULL;

	if (!percent || percent + 1 == text + len ||
	    !token_read_address(text, (size_t)(percent - text), ret) || ret->type != TYPE_AAAA)
		return false;
	memcpy(ret->octets, loopback, sizeof(loopback));
	return true;
}

static int take_word(struct hosts_line *line, const char *text, size_t len, unsigned column)
{
	struct token_address address;
	bool scoped;

	token_unquote(&text, &len);
	if (!len)
		return 0;
	scoped = read_scoped(text, len, &address);
	if (scoped)
		line->scoped = column;
	if (scoped || token_read_address(text, len, &address)) {
		if (line->addresses && line->names && !line->behind)
			return refuse(line, column,
				      "addresses on both sides of a name; give each pair a line of "
				      "its own");
		line->behind = line->names > 0;
		if (line->addresses == HOSTS_ADDRESSES_MAX)
			return refuse(line, column,
				      "more than 16 addresses on one line; use several lines");
		line->address[line->addresses++] = address;
		return 0;
	}
	if (line->behind)
		return refuse(
			line, column,
			"names on both sides of an address; give each pair a line of its own");
	if (line->names == HOSTS_NAMES_MAX)
		return refuse(line, column, "more than 256 names on one line; use several lines");
	line->name[line->names].text = text;
	line->name[line->names++].len = len;
	return 0;
}

static void add_name(struct hosts_line *line, const struct name *name)
{
	for (unsigned i = 0; i < line->addresses; i++) {
		const struct token_address *address = &line->address[i];

		builder_add(line->builder, name, address->type, line->in->ttl, address->octets,
			    address->len, line->number);
	}
}

static bool all_own(const struct hosts_line *line)
{
	for (unsigned i = 0; i < line->addresses; i++)
		if (!token_address_is_own(&line->address[i]))
			return false;
	return true;
}

static void complain_of_word(const struct hosts_line *line, const char *start, unsigned i,
			     const char *why)
{
	char shown[TOKEN_SHOWN_MAX];

	complain(line->to, COMPLAINT_ERROR, line->in->path, line->number,
		 (unsigned)(line->name[i].text - start) + 1, "`%s` %s%s",
		 token_show(shown, line->name[i].text, line->name[i].len), why,
		 strchr(why, ';') ? "" : "; correct the line");
}

/* The line has words of one kind alone. Perhaps one was to be the other: a mistyped address. */
static void complain_of_kind(const struct hosts_line *line, const char *start)
{
	struct name name;

	for (unsigned i = 0; i < line->names; i++) {
		const char *why =
			token_read_name(line->name[i].text, line->name[i].len, NULL, &name);

		if (why) {
			complain_of_word(line, start, i, why);
			return;
		}
	}
	complain(line->to, COMPLAINT_ERROR, line->in->path, line->number, 0,
		 line->names ? "a name without an address; write `IP name` on one line"
			     : "an address without a name; write `IP name` on one line");
}

static void finish_line(struct hosts_line *line, const char *start)
{
	bool own, bad = false;

	if (!line->addresses && !line->names)
		return;
	if (!line->addresses || !line->names) {
		complain_of_kind(line, start);
		return;
	}
	own = all_own(line);
	/* All words are looked at before any is taken, so that all of a line counts or none. */
	for (int pass = line->names == 1; pass < 2 && !bad; pass++) {
		for (unsigned i = 0; i < line->names; i++) {
			const char *text = line->name[i].text, *why;

			if (own && is_own_name(text, line->name[i].len))
				continue;
			if (line->scoped) {
				refuse(line, line->scoped,
				       "an address of one machine's link; write one that is "
				       "reached from elsewhere");
				return;
			}
			why = token_read_next_name(text, line->name[i].len, line->in->origin,
						   &line->series);
			if (why) {
				complain_of_word(line, start, i, why);
				bad = true;
			} else if (pass) {
				add_name(line, &line->series.name);
			}
		}
	}
}

static void read_line(struct hosts_line *line, const char *start, size_t len)
{
	const char *comment = memchr(start, '#', len);
	size_t at = 0;

	if (comment)
		len = (size_t)(comment - start);
	line->addresses = line->names = line->scoped = 0;
	line->behind = false;
	if (len > HOSTS_LINE_MAX) {
		refuse(line, 0, "longer than 16384 octets; use several lines");
		return;
	}
	for (;;) {
		size_t word;

		while (at < len && is_blank(start[at]))
			at++;
		if (at == len)
			break;
		word = at;
		while (at < len && !is_blank(start[at]))
			at++;
		if (take_word(line, start + word, at - word, (unsigned)word + 1) < 0)
			return;
	}
	finish_line(line, start);
}

void hosts_read(const struct reader_input *in, struct builder *builder, struct complaints *to)
{
	struct hosts_line line = { .in = in, .builder = builder, .to = to };
	const char *start;
	size_t len;

	while (text_line(in->text, HOSTS_LINE_MAX, &start, &len)) {
		line.number++;
		read_line(&line, start, len);
	}
}
