/* SPDX-License-Identifier: MIT */
/*
 * A zone file is read entry by entry (source/rrlex), each record by itself (source/rrtext), but for
 * plain lines, which are nearly all of a large file: source/rrline reads those, and whatever it
 * does not take goes the long way. What is kept between entries: origin, default TTL, last owner.
 *
 * Origin: $ORIGIN, else the zone named in the comment that Azure and Windows put at the head (the
 * latter writes `@` before its $ORIGIN), else the configuration's. TTL of a record without one:
 * $TTL (RFC 2308 4), else the SOA's minimum, which is what Windows means by leaving it out, else
 * the configuration's. The rule of RFC 1035, last TTL stated, is left out on purpose: Windows
 * writes TTLs on some lines alone, and those without would get whatever stood above.
 *
 * An entry without owner behind an entry whose owner could not be read is refused too: it must not
 * fall to the owner before that.
 *
 * Windows writes escapes in octal (`\040` is a space) where everybody else writes decimal (RFC 1035
 * 5.1), so in a file with its header they are turned round before anything reads them.
 *
 * $INCLUDE and $GENERATE are refused: one opens files that nobody watches, the other makes many
 * records from one line.
 */
#include "source/zonefile.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "source/rrlex.h"
#include "source/rrline.h"
#include "source/rrtext.h"
#include "source/token.h"
#include "wire/types.h"

struct zonefile {
	const struct reader_input *in;
	struct builder *builder;
	struct complaints *to;
	struct rrtext *rr;
	struct rrlex lex;
	uint32_t ttl;
	bool ttl_stated; /* by $TTL: a SOA has no say any more */
	bool windows;    /* by its header */
	bool has_owner;
	struct name_series owner;
	struct name target;
};

/* What a file's comments at the head tell. */
struct header {
	bool windows;
	bool has_origin;
	struct name origin;
};

static void refuse(struct zonefile *zone, const char *what)
{
	complain(zone->to, COMPLAINT_ERROR, zone->in->path, zone->lex.entry_line, 0, "%s", what);
}

/* ---- the zone's name in the head's comments -------------------------------------------------- */

/*
 * The word behind `mark` as a zone's name. One label is no private zone but an accident of
 * wording.
 */
static bool name_behind(const char *line, const char *end, const char *mark, struct name *ret)
{
	const char *at = memmem(line, (size_t)(end - line), mark, strlen(mark)), *stop;
	struct name name;

	if (!at)
		return false;
	for (at += strlen(mark); at < end && *at == ' '; at++)
		;
	for (stop = at; stop < end && !isspace((unsigned char)*stop); stop++)
		;
	if (name_from_text(&name, at, (size_t)(stop - at)) < 0 || name.labels < 2)
		return false;
	*ret = name;
	return true;
}

/*
 * `;      Zone name: NAME` (Azure), `;  Database file X for Default zone scope in zone NAME.` and
 * `;  Database file X for NAME zone.` (Windows).
 */
static void read_header(const struct reader_input *in, struct header *ret)
{
	const char *at;
	size_t len;

	ret->windows = ret->has_origin = false;
	for (unsigned line = 0; line < ZONEFILE_HEADER_LINES &&
				text_line(in->text, ZONEFILE_HEADER_LINE_MAX, &at, &len);
	     line++) {
		const char *stop = at + len;

		while (at < stop && isspace((unsigned char)*at))
			at++;
		if (at < stop && *at != ';')
			break;
		if (memmem(at, (size_t)(stop - at), "Database file ", 14)) {
			ret->windows = true;
			ret->has_origin = name_behind(at, stop, " in zone ", &ret->origin) ||
					  name_behind(at, stop, " for ", &ret->origin);
			break;
		}
		ret->has_origin = name_behind(at, stop, "Zone name:", &ret->origin);
		if (ret->has_origin)
			break;
	}
	text_rewind(in->text);
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* Octal escapes to decimal ones, which are as long. */
static void turn_escapes(char *text)
{
	for (; *text; text++) {
		unsigned value;

		if (*text != '\\' || !*++text)
			continue;
		if (!is_octal(text[0]) || !is_octal(text[1]) || !is_octal(text[2]))
			continue;
		value = (unsigned)(text[0] - '0') * 64 + (unsigned)(text[1] - '0') * 8 +
			(unsigned)(text[2] - '0');
		if (value > 255)
			continue;
		text[0] = (char)('0' + value / 100);
		text[1] = (char)('0' + value / 10 % 10);
		text[2] = (char)('0' + value % 10);
		text += 2;
	}
}

/* ---- entries --------------------------------------------------------------------------------- */

static bool word_is(const struct rrword *word, const char *text)
{
	return word->len == strlen(text) && strncasecmp(word->text, text, word->len) == 0;
}

static void read_directive(struct zonefile *zone, const struct rrword *word, const char *rest)
{
	struct rrword value, more;
	struct name origin;
	struct err err;
	bool has_value = rrlex_word(&rest, &value);

	if (word_is(word, "$INCLUDE")) {
		refuse(zone, "$INCLUDE is not read; name the other file under `records` instead");
	} else if (word_is(word, "$GENERATE")) {
		refuse(zone, "$GENERATE is not read; write the records out");
	} else if (!word_is(word, "$ORIGIN") && !word_is(word, "$TTL")) {
		refuse(zone, "an unknown directive; $ORIGIN and $TTL are read");
	} else if (!has_value || rrlex_word(&rest, &more)) {
		refuse(zone, "a directive takes one value; correct it");
	} else if (word_is(word, "$TTL")) {
		if (token_read_ttl(value.text, value.len, &zone->ttl))
			zone->ttl_stated = true;
		else
			refuse(zone, "$TTL takes seconds, at most 2147483647; correct it");
	} else if (rrtext_name(zone->rr, &value, &origin, &err) < 0) {
		/* What follows would go to the wrong zone: better to none. */
		rrtext_set_origin(zone->rr, NULL);
		refuse(zone, err.text);
	} else {
		rrtext_set_origin(zone->rr, &origin);
	}
}

/*
 * The last field of a SOA: TTL of what has none, where no $TTL is (RFC 1035's zones, and Windows).
 */
static void note_soa(struct zonefile *zone, const struct rrtext_record *record)
{
	const uint8_t *minimum;

	if (record->type != TYPE_SOA || zone->ttl_stated || record->rdata_len < 4)
		return;
	minimum = record->rdata + record->rdata_len - 4;
	if (minimum[0] < 0x80)
		zone->ttl = (uint32_t)minimum[0] << 24 | (uint32_t)minimum[1] << 16 |
			    (uint32_t)minimum[2] << 8 | minimum[3];
}

static void read_entry(struct zonefile *zone)
{
	const char *at = zone->lex.entry;
	struct rrtext_record record;
	struct rrword word;
	struct err err;

	if (zone->windows)
		turn_escapes(zone->lex.entry);
	if (*at != ' ') {
		if (!rrlex_word(&at, &word))
			return;
		if (word.text[0] == '$') {
			read_directive(zone, &word, at);
			return;
		}
		zone->owner.noted = false;
		zone->has_owner = rrtext_name(zone->rr, &word, &zone->owner.name, &err) == 0;
		if (!zone->has_owner) {
			refuse(zone, err.text);
			return;
		}
	} else if (!zone->has_owner) {
		refuse(zone,
		       "a record without an owner, and none (or a refused one) before it; write "
		       "its name at the start of the line");
		return;
	}
	if (rrtext_read(zone->rr, at, &record, &err) < 0) {
		refuse(zone, err.text);
		return;
	}
	note_soa(zone, &record);
	builder_add(zone->builder, &zone->owner.name, record.type,
		    record.has_ttl ? record.ttl : zone->ttl, record.rdata, record.rdata_len,
		    zone->lex.entry_line);
}

/*
 * The next line, if it is a plain one. Otherwise nothing has happened: whatever stands there, and
 * whatever is wrong with it, is read_entry's, which begins by setting the owner anew.
 */
static bool read_line(struct zonefile *zone)
{
	const uint8_t *rdata;
	struct rrline record;
	const char *line;
	size_t len, rdata_len;

	if (!rrlex_line(&zone->lex, RRLINE_MAX, &line, &len) || !rrline_read(line, len, &record))
		return false;
	if (record.owner.len)
		zone->has_owner = rrtext_next_name(zone->rr, &record.owner, &zone->owner) == 0;
	if (!zone->has_owner ||
	    rrtext_plain_data(zone->rr, &record, &zone->target, &rdata, &rdata_len) < 0)
		return false;
	builder_add(zone->builder, &zone->owner.name, record.type,
		    record.has_ttl ? record.ttl : zone->ttl, rdata, rdata_len, zone->lex.line);
	rrlex_pass_line(&zone->lex, len);
	return true;
}

static void read_zone(const struct reader_input *in, struct builder *builder, struct complaints *to,
		      bool quick)
{
	struct zonefile *zone = calloc(1, sizeof(*zone));
	struct rrtext *rr = rrtext_new();
	struct header header;
	struct err err;
	int got;

	if (!zone || !rr) {
		complain(to, COMPLAINT_ERROR, in->path, 0, 0, "no memory to read it; free some");
		goto done;
	}
	zone->in = in;
	zone->builder = builder;
	zone->to = to;
	zone->rr = rr;
	zone->ttl = in->ttl;
	read_header(in, &header);
	zone->windows = header.windows;
	rrtext_set_origin(rr, header.has_origin ? &header.origin : in->origin);
	rrlex_init(&zone->lex, in->text);
	do {
		while (quick && read_line(zone))
			;
		got = rrlex_next(&zone->lex, &err);
		if (got > 0) {
			read_entry(zone);
		} else if (got < 0) {
			refuse(zone, err.text);
			zone->has_owner = false;
		}
	} while (got);
done:
	rrtext_free(rr);
	free(zone);
}

void zonefile_read(const struct reader_input *in, struct builder *builder, struct complaints *to)
{
	read_zone(in, builder, to, true);
}

void zonefile_read_slowly(const struct reader_input *in, struct builder *builder,
			  struct complaints *to)
{
	read_zone(in, builder, to, false);
}
