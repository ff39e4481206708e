/* SPDX-License-Identifier: MIT */
/*
 * Events are walked directly; no document tree is built, so memory does not grow with the file, and
 * aliases cannot multiply. Anchors, aliases and tags are refused on sight. The events are
 * libyaml's, or for plain lines those of source/yamlplain, which are the same.
 *
 * libyaml's time is quadratic in nesting depth and in the number of % directives. The walk ends at
 * a depth no honest file has; libyaml looks ahead 1024 octets of one line at most, so it never
 * gets much deeper before the walk sees it. Directives but %YAML are refused before libyaml
 * starts.
 *
 * `ttl` may stand behind the records it is for, so where it is not the first key the file is
 * walked once before just to find it.
 *
 * After a syntax error nothing can be said about what follows; all before it is read. Any other
 * error costs its own node.
 */
#include "source/yaml.h"

#include <stdlib.h>
#include <string.h>

#include "source/rrline.h"
#include "source/rrtext.h"
#include "source/token.h"
#include "source/yamlfeed.h"
#include "wire/types.h"

struct yaml_walk {
	const struct reader_input *in;
	struct builder *builder;
	struct complaints *to; /* NULL: the walk that only looks for `ttl` */
	struct rrtext *rr;
	struct rrlex *lex;
	struct name_series owner;
	uint32_t ttl;
	bool quick;
	struct yamlfeed *feed;
	const yaml_event_t *event;
	bool dead; /* a syntax error, too deep, the end: there is no more to be read */
	unsigned depth;
};

static void refuse_at(struct yaml_walk *walk, const yaml_mark_t *mark, const char *what)
{
	if (walk->to)
		complain(walk->to, COMPLAINT_ERROR, walk->in->path, (unsigned)mark->line + 1,
			 (unsigned)mark->column + 1, "%s", what);
}

static void refuse(struct yaml_walk *walk, const char *what)
{
	refuse_at(walk, &walk->event->start_mark, what);
}

static void refuse_scalar(struct yaml_walk *walk, const char *before, const char *after)
{
	char shown[TOKEN_SHOWN_MAX];
	struct err err;

	err_set(&err, "%s`%s` %s", before,
		token_show(shown, (const char *)walk->event->data.scalar.value,
			   walk->event->data.scalar.length),
		after);
	refuse(walk, err.text);
}

/* ---- events ---------------------------------------------------------------------------------- */

static void complain_syntax(struct yaml_walk *walk)
{
	yaml_mark_t mark;
	struct err err;

	err_set(&err, "no valid YAML: %s; correct it, what follows is not read",
		yamlfeed_problem(walk->feed, &mark));
	refuse_at(walk, &mark, err.text);
}

/* The next event into walk->event. False at the end and where nothing more can be read. */
static bool next(struct yaml_walk *walk)
{
	const char *why[2];
	unsigned count;

	if (walk->dead)
		return false;
	walk->event = yamlfeed_next(walk->feed);
	if (!walk->event) {
		complain_syntax(walk);
		walk->dead = true;
		return false;
	}
	count = yamlfeed_refusals(walk->event, why);
	for (unsigned i = 0; i < count; i++)
		refuse(walk, why[i]);
	switch (walk->event->type) {
	case YAML_MAPPING_START_EVENT:
	case YAML_SEQUENCE_START_EVENT:
		if (++walk->depth > YAML_DEPTH_MAX) {
			refuse(walk, "nested too deep; this is none of our record files");
			walk->dead = true;
			return false;
		}
		break;
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		walk->depth--;
		break;
	case YAML_STREAM_END_EVENT:
	case YAML_NO_EVENT:
		walk->dead = true;
		return false;
	default:
		break;
	}
	return true;
}

/* Passes over the node that begins at the current event: leaves its last event current. */
static void skip(struct yaml_walk *walk)
{
	unsigned depth = walk->depth;

	if (walk->event->type != YAML_MAPPING_START_EVENT &&
	    walk->event->type != YAML_SEQUENCE_START_EVENT)
		return;
	while (next(walk) && walk->depth >= depth)
		;
}

static bool is_scalar(const struct yaml_walk *walk)
{
	return walk->event->type == YAML_SCALAR_EVENT;
}

/* `key:` with nothing behind it, or null. */
static bool is_null(const struct yaml_walk *walk)
{
	const char *value;

	if (!is_scalar(walk) || walk->event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	value = (const char *)walk->event->data.scalar.value;
	return !*value || strcmp(value, "~") == 0 || strcmp(value, "null") == 0;
}

/* ---- what the file says ---------------------------------------------------------------------- */

static void read_ttl(struct yaml_walk *walk)
{
	if (!is_scalar(walk)) {
		refuse(walk, "`ttl` takes a number of seconds; write `ttl: 10`");
		skip(walk);
	} else if (!token_read_ttl((const char *)walk->event->data.scalar.value,
				   walk->event->data.scalar.length, &walk->ttl)) {
		refuse_scalar(walk, "", "is no TTL; write seconds, at most 2147483647");
	}
}

static void add_address(struct yaml_walk *walk, const struct name *name, unsigned line)
{
	struct token_address address;

	if (!token_read_address((const char *)walk->event->data.scalar.value,
				walk->event->data.scalar.length, &address))
		refuse_scalar(walk, "", "is no address; write an IPv4 or IPv6 address");
	else if (name)
		builder_add(walk->builder, name, address.type, walk->ttl, address.octets,
			    address.len, line);
}

/*
 * The addresses of one name; `name` is NULL where it was refused and only its node is to be
 * passed.
 */
static void read_addresses(struct yaml_walk *walk, const struct name *name, unsigned line)
{
	size_t count = 0;

	if (is_scalar(walk)) {
		if (is_null(walk))
			refuse(walk,
			       "a name without an address; write one behind it or take it out");
		else
			add_address(walk, name, line);
		return;
	}
	if (walk->event->type != YAML_SEQUENCE_START_EVENT) {
		if (walk->event->type == YAML_MAPPING_START_EVENT)
			refuse(walk, "a name takes an address or a list of addresses; correct it");
		skip(walk);
		return;
	}
	while (next(walk) && walk->event->type != YAML_SEQUENCE_END_EVENT) {
		if (!is_scalar(walk)) {
			if (walk->event->type != YAML_ALIAS_EVENT)
				refuse(walk,
				       "a list of addresses holds addresses alone; correct it");
			skip(walk);
		} else if (count++ < YAML_ADDRESSES_MAX) {
			add_address(walk, name, line);
		} else if (count == YAML_ADDRESSES_MAX + 1) {
			refuse(walk, "more than 1000 addresses for one name; shorten the list");
		}
	}
	if (!walk->dead && !count)
		refuse(walk, "an empty list of addresses; write one or take the name out");
}

static void read_hosts(struct yaml_walk *walk)
{
	struct name_series series = { 0 };

	if (is_null(walk))
		return;
	if (walk->event->type != YAML_MAPPING_START_EVENT) {
		refuse(walk, "`hosts` takes lines of `name: address`; correct it");
		skip(walk);
		return;
	}
	while (next(walk) && walk->event->type != YAML_MAPPING_END_EVENT) {
		/* Kept for all addresses of the list: together they are one claim. */
		unsigned line = (unsigned)walk->event->start_mark.line + 1;
		const char *why = "is no name";

		if (is_scalar(walk)) {
			why = token_read_next_name((const char *)walk->event->data.scalar.value,
						   walk->event->data.scalar.length,
						   walk->in->origin, &series);
			if (why) {
				struct err err;

				err_set(&err, "%s; write a host name", why);
				refuse_scalar(walk, "", err.text);
			}
		} else {
			refuse(walk, "a host name has to stand here; correct it");
			skip(walk);
		}
		if (!next(walk))
			return;
		read_addresses(walk, why ? NULL : &series.name, line);
	}
}

/* One of plain words. False: it is of another kind, or wrong, and nothing has happened. */
static bool read_plain_record(struct yaml_walk *walk, const char *text, size_t len, unsigned line)
{
	struct rrline record;
	struct name target;
	const uint8_t *rdata;
	size_t rdata_len;

	/* Behind a line end, which only a comment hides, there may be another record. */
	if (!walk->quick || len > RRLINE_MAX || memchr(text, '\n', len) ||
	    !rrline_read(text, len, &record) || !record.owner.len ||
	    rrtext_next_name(walk->rr, &record.owner, &walk->owner) < 0 ||
	    rrtext_plain_data(walk->rr, &record, &target, &rdata, &rdata_len) < 0)
		return false;
	builder_add(walk->builder, &walk->owner.name, record.type,
		    record.has_ttl ? record.ttl : walk->ttl, rdata, rdata_len, line);
	return true;
}

static void read_record(struct yaml_walk *walk)
{
	unsigned line = (unsigned)walk->event->start_mark.line + 1;
	const char *text = (const char *)walk->event->data.scalar.value, *at;
	size_t len = walk->event->data.scalar.length;
	struct rrtext_record record;
	struct rrword word;
	struct name owner;
	struct err err;
	int got;

	if (memchr(text, '\0', len)) {
		refuse(walk, "a NUL character in a record; take it out");
		return;
	}
	if (read_plain_record(walk, text, len, line))
		return;
	rrlex_init_memory(walk->lex, text, len);
	got = rrlex_next(walk->lex, &err);
	at = walk->lex->entry;
	if (got == 0 || (got > 0 && (*at == ' ' || *at == '$' || !rrlex_word(&at, &word)))) {
		refuse(walk, "no record; write `name. TTL IN TYPE data`");
		return;
	}
	if (got < 0 || rrtext_name(walk->rr, &word, &owner, &err) < 0 ||
	    rrtext_read(walk->rr, at, &record, &err) < 0) {
		refuse(walk, err.text);
		return;
	}
	builder_add(walk->builder, &owner, record.type, record.has_ttl ? record.ttl : walk->ttl,
		    record.rdata, record.rdata_len, line);
	if (rrlex_next(walk->lex, &err) != 0)
		refuse(walk, "more than one record in one item; give each its own `- `");
}

static void read_records(struct yaml_walk *walk)
{
	if (is_null(walk))
		return;
	if (walk->event->type != YAML_SEQUENCE_START_EVENT) {
		refuse(walk, "`records` takes a list of `- name. TTL IN TYPE data`; correct it");
		skip(walk);
		return;
	}
	/* As in a zone file, several records of one name are a set. */
	builder_set_claims(walk->builder, false);
	while (next(walk) && walk->event->type != YAML_SEQUENCE_END_EVENT) {
		if (is_scalar(walk)) {
			read_record(walk);
			continue;
		}
		if (walk->event->type != YAML_ALIAS_EVENT)
			refuse(walk,
			       "a record is one text; where it holds `: ` put it into quotes");
		skip(walk);
	}
	builder_set_claims(walk->builder, true);
}

/* ---- the file as a whole --------------------------------------------------------------------- */

enum { KEY_TTL, KEY_HOSTS, KEY_RECORDS, KEYS };
static const char *const key_names[KEYS] = { "ttl", "hosts", "records" };

/* Changes of one letter between two short words (Levenshtein); large where one is long. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[16], left, above;
	size_t a_len = strlen(a), b_len = strlen(b);

	if (a_len >= 16 || b_len >= 16)
		return 16;
	for (unsigned j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		above = row[0];
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			left = above + (a[i - 1] != b[j - 1]);
			above = row[j];
			if (above + 1 < left)
				left = above + 1;
			if (row[j - 1] + 1 < left)
				left = row[j - 1] + 1;
			row[j] = left;
		}
	}
	return row[b_len];
}

static int read_key(struct yaml_walk *walk, unsigned *seen)
{
	const char *key = (const char *)walk->event->data.scalar.value;
	const char *near = NULL;

	if (!is_scalar(walk)) {
		refuse(walk, "a key has to stand here: ttl, hosts or records; correct it");
		skip(walk);
		return KEYS;
	}
	for (int i = 0; i < KEYS; i++) {
		if (strcmp(key, key_names[i]) == 0) {
			if (*seen & 1u << i) {
				refuse_scalar(walk, "the key ",
					      "stands here a second time; join the two");
				return KEYS;
			}
			*seen |= 1u << i;
			return i;
		}
		if (distance(key, key_names[i]) <= 2)
			near = key_names[i];
	}
	if (near) {
		struct err err;

		err_set(&err, "is unknown; `%s` was probably meant", near);
		refuse_scalar(walk, "the key ", err.text);
	} else {
		refuse_scalar(walk, "the key ", "is unknown; ttl, hosts and records are read");
	}
	return KEYS;
}

static void read_root(struct yaml_walk *walk)
{
	unsigned seen = 0;

	while (next(walk) && walk->event->type != YAML_MAPPING_END_EVENT) {
		int key = read_key(walk, &seen);

		if (!next(walk))
			return;
		if (key == KEY_TTL)
			read_ttl(walk);
		else if (key == KEY_HOSTS)
			read_hosts(walk);
		else if (key == KEY_RECORDS)
			read_records(walk);
		else
			skip(walk);
	}
}

static void read_stream(struct yaml_walk *walk)
{
	bool first = true;

	while (next(walk)) {
		if (walk->event->type != YAML_DOCUMENT_START_EVENT)
			continue;
		if (!first) {
			refuse(walk, "a second document; put it into a file of its own");
			return;
		}
		first = false;
		if (!next(walk))
			return;
		if (walk->event->type == YAML_MAPPING_START_EVENT) {
			read_root(walk);
		} else if (!is_null(walk)) {
			refuse(walk, "keys have to stand here: ttl, hosts, records; correct it");
			skip(walk);
		}
	}
}

/* Looks for `ttl` among the outermost keys; silent, the real walk complains. */
static void find_ttl(struct yaml_walk *walk)
{
	while (next(walk)) {
		bool is_ttl;

		if (walk->event->type == YAML_MAPPING_START_EVENT && walk->depth == 1)
			continue;
		if (walk->depth != 1)
			continue;
		is_ttl = is_scalar(walk) &&
			 strcmp((const char *)walk->event->data.scalar.value, "ttl") == 0;
		if (!is_scalar(walk))
			skip(walk);
		if (!next(walk))
			return;
		if (is_ttl && is_scalar(walk)) {
			read_ttl(walk);
			return;
		}
		skip(walk);
	}
}

static int walk_file(struct yaml_walk *walk, void (*step)(struct yaml_walk *walk))
{
	text_rewind(walk->in->text);
	walk->feed = yamlfeed_new(walk->in->text, walk->quick);
	if (!walk->feed)
		return -1;
	walk->dead = false;
	walk->depth = 0;
	step(walk);
	yamlfeed_free(walk->feed);
	return 0;
}

static void read_yaml(const struct reader_input *in, struct builder *builder, struct complaints *to,
		      bool quick)
{
	struct yaml_walk walk = { .in = in, .builder = builder, .ttl = in->ttl, .quick = quick };
	struct yamlfeed_survey survey;

	yamlfeed_survey(in->text, &survey);
	if (survey.directive) {
		complain(to, COMPLAINT_ERROR, in->path, survey.directive, 1,
			 "a %% directive; take it out");
		return;
	}
	walk.rr = rrtext_new();
	walk.lex = malloc(sizeof(*walk.lex));
	if (!walk.rr || !walk.lex)
		goto no_memory;
	rrtext_set_origin(walk.rr, in->origin);
	if (survey.has_ttl && walk_file(&walk, find_ttl) < 0)
		goto no_memory;
	walk.to = to;
	if (walk_file(&walk, read_stream) < 0)
		goto no_memory;
	rrtext_free(walk.rr);
	free(walk.lex);
	return;
no_memory:
	complain(to, COMPLAINT_ERROR, in->path, 0, 0, "no memory to read it; free some");
	rrtext_free(walk.rr);
	free(walk.lex);
}

void yaml_read(const struct reader_input *in, struct builder *builder, struct complaints *to)
{
	read_yaml(in, builder, to, true);
}

void yaml_read_slowly(const struct reader_input *in, struct builder *builder, struct complaints *to)
{
	read_yaml(in, builder, to, false);
}
