/* SPDX-License-Identifier: MIT */
/*
 * The types that make up nearly all of a file (A, AAAA, CNAME) are read here: faster, and with a
 * better complaint than a library's error number. All others go through ldns, which knows them.
 *
 * What ldns must not decide: the owner, the TTL, the class and `[AGE:n]` (an addition of Windows'
 * exports, hours since 1601, of no use here) are taken off before. ldns completes a relative name
 * without an origin to an absolute one in silence; to find that out the data is read twice, under
 * two made-up origins, and has to come out the same.
 */
#include "source/rrtext.h"

#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "source/token.h"
#include "wire/types.h"

/* `. IN TYPE65535 ` before the data. */
#define RRTEXT_HEAD_MAX 64

struct rrtext {
	bool has_origin;
	struct name origin;
	ldns_rdf *origin_rdf; /* of the origin; NULL: not made yet */
	ldns_buffer *wire;
	uint8_t second[LDNS_MAX_PACKETLEN];
	struct name target; /* holds a CNAME's data until the next call */
	uint8_t address[16];
	char text[RRTEXT_HEAD_MAX + RRLEX_ENTRY_MAX + 1];
};

struct rrtext *rrtext_new(void)
{
	struct rrtext *rr = calloc(1, sizeof(*rr));

	if (!rr)
		return NULL;
	rr->wire = ldns_buffer_new(LDNS_MAX_PACKETLEN);
	if (!rr->wire) {
		free(rr);
		return NULL;
	}
	return rr;
}

void rrtext_free(struct rrtext *rr)
{
	if (!rr)
		return;
	ldns_rdf_deep_free(rr->origin_rdf);
	ldns_buffer_free(rr->wire);
	free(rr);
}

void rrtext_set_origin(struct rrtext *rr, const struct name *origin)
{
	ldns_rdf_deep_free(rr->origin_rdf);
	rr->origin_rdf = NULL;
	rr->has_origin = origin != NULL;
	if (origin)
		rr->origin = *origin;
}

const struct name *rrtext_origin(const struct rrtext *rr)
{
	return rr->has_origin ? &rr->origin : NULL;
}

/* Ends in a dot that is no part of a label. */
static bool is_absolute(const struct rrword *word)
{
	size_t slashes = 0;

	if (!word->len || word->text[word->len - 1] != '.')
		return false;
	while (slashes + 1 < word->len && word->text[word->len - 2 - slashes] == '\\')
		slashes++;
	return slashes % 2 == 0;
}

static int refuse_name(const struct rrword *word, const char *what, struct err *err)
{
	char shown[TOKEN_SHOWN_MAX];

	return err_set(err, "`%s` %s", token_show(shown, word->text, word->len), what);
}

int rrtext_name(const struct rrtext *rr, const struct rrword *word, struct name *ret,
		struct err *err)
{
	static const char bad[] = "is no domain name (a bad escape, an empty or too long label, or "
				  "over 255 octets); correct it";
	bool apex = word->len == 1 && word->text[0] == '@';
	struct name relative;

	if (word->len && word->text[0] == '"') {
		char shown[TOKEN_SHOWN_MAX];

		return err_set(err, "the name %s is quoted; take the quotes away",
			       token_show(shown, word->text, word->len));
	}
	if (!apex && is_absolute(word))
		return name_from_text(ret, word->text, word->len) < 0 ? refuse_name(word, bad, err)
								      : 0;
	if (!apex && name_from_text(&relative, word->text, word->len) < 0)
		return refuse_name(word, bad, err);
	if (!rr->has_origin)
		return refuse_name(word,
				   "is relative and no zone is known; end the name with a dot, "
				   "write $ORIGIN, or set `zone:` for this path",
				   err);
	if (apex) {
		*ret = rr->origin;
		return 0;
	}
	if (name_join(ret, &relative, relative.labels, &rr->origin) < 0)
		return refuse_name(word, "is too long together with its zone; correct it", err);
	return 0;
}

int rrtext_next_name(const struct rrtext *rr, const struct rrword *word, struct name_series *series)
{
	const struct name *within = word->text[word->len - 1] == '.' ? NULL : rrtext_origin(rr);
	size_t label = name_series_head(series, word->text, word->len, within);

	if (label && !memchr(word->text, '.', label))
		return name_series_put(series, word->text, label);
	series->noted = false;
	if (rrtext_name(rr, word, &series->name, NULL) < 0)
		return -1;
	name_series_note(series, word->text, word->len, within);
	return 0;
}

int rrtext_plain_data(const struct rrtext *rr, const struct rrline *record, struct name *target,
		      const uint8_t **ret, size_t *ret_len)
{
	if (record->type != TYPE_CNAME) {
		*ret = record->address.octets;
		*ret_len = record->address.len;
		return 0;
	}
	if (rrtext_name(rr, &record->target, target, NULL) < 0)
		return -1;
	*ret = target->wire;
	*ret_len = target->len;
	return 0;
}

/* ---- data ------------------------------------------------------------------------------------ */

static int read_address(struct rrtext *rr, const char *text, uint16_t type,
			struct rrtext_record *ret, struct err *err)
{
	struct token_address address;
	char shown[TOKEN_SHOWN_MAX];
	struct rrword word, more;

	if (!rrlex_word(&text, &word))
		return err_set(err, "no address; write one behind the type");
	if (!token_read_address(word.text, word.len, &address) || address.type != type)
		return err_set(err, "`%s` is no IPv%c address; correct it",
			       token_show(shown, word.text, word.len), type == TYPE_A ? '4' : '6');
	if (rrlex_word(&text, &more))
		return err_set(err, "`%s` behind the address; write one record a line",
			       token_show(shown, more.text, more.len));
	memcpy(rr->address, address.octets, address.len);
	ret->rdata = rr->address;
	ret->rdata_len = address.len;
	return 0;
}

static int read_cname(struct rrtext *rr, const char *text, struct rrtext_record *ret,
		      struct err *err)
{
	char shown[TOKEN_SHOWN_MAX];
	struct rrword word, more;

	if (!rrlex_word(&text, &word))
		return err_set(err, "no target; write a name behind the type");
	if (rrtext_name(rr, &word, &rr->target, err) < 0)
		return -1;
	if (rrlex_word(&text, &more))
		return err_set(err, "`%s` behind the target; write one record a line",
			       token_show(shown, more.text, more.len));
	ret->rdata = rr->target.wire;
	ret->rdata_len = rr->target.len;
	return 0;
}

/* Octets of `\# LEN HEX...` (RFC 3597 5), or -1. They are written to `out`. */
static long read_generic(const char *text, uint8_t *out, size_t out_max)
{
	struct rrword word;
	unsigned long want = 0;
	size_t digits = 0;

	if (!rrlex_word(&text, &word) || !rrlex_word(&text, &word) || word.len > 5)
		return -1;
	for (size_t i = 0; i < word.len; i++) {
		if (word.text[i] < '0' || word.text[i] > '9')
			return -1;
		want = want * 10 + (unsigned long)(word.text[i] - '0');
	}
	if (want > out_max)
		return -1;
	while (rrlex_word(&text, &word)) {
		for (size_t i = 0; i < word.len; i++, digits++) {
			char c = word.text[i];
			int nibble = c >= '0' && c <= '9' ? c - '0'
				     : (c | 0x20) >= 'a' && (c | 0x20) <= 'f'
					     ? (c | 0x20) - 'a' + 10
					     : -1;

			if (nibble < 0 || digits >= want * 2)
				return -1;
			out[digits / 2] =
				(uint8_t)(digits % 2 ? out[digits / 2] | nibble : nibble << 4);
		}
	}
	return digits == want * 2 ? (long)want : -1;
}

/* Through ldns into rr->wire. */
static int ldns_data(struct rrtext *rr, const ldns_rdf *origin, struct err *err)
{
	ldns_rr *record = NULL;
	ldns_status status = ldns_rr_new_frm_str(&record, rr->text, 0, origin, NULL);

	if (status == LDNS_STATUS_OK) {
		ldns_buffer_clear(rr->wire);
		status = ldns_rr_rdata2buffer_wire(rr->wire, record);
	}
	ldns_rr_free(record);
	if (status != LDNS_STATUS_OK)
		return err_set(err, "its data cannot be read (%s); correct it",
			       ldns_get_errorstr_by_id(status));
	return 0;
}

/* No zone is known: is there a relative name in the data? */
static int ldns_data_absolute(struct rrtext *rr, struct err *err)
{
	static const uint8_t origins[2][3] = { { 1, 'a', 0 }, { 1, 'b', 0 } };
	size_t len = 0;

	for (int i = 0; i < 2; i++) {
		ldns_rdf *origin = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, 3, origins[i]);
		int failed = origin ? ldns_data(rr, origin, err) : err_set(err, "no memory");

		ldns_rdf_deep_free(origin);
		if (failed)
			return -1;
		if (i == 0) {
			len = ldns_buffer_position(rr->wire);
			memcpy(rr->second, ldns_buffer_begin(rr->wire), len);
		}
	}
	if (len != ldns_buffer_position(rr->wire) ||
	    memcmp(rr->second, ldns_buffer_begin(rr->wire), len) != 0)
		return err_set(err,
			       "a name in its data is relative and no zone is known; end the name "
			       "with a dot, write $ORIGIN, or set `zone:` for this path");
	return 0;
}

/* Type 0 of a certificate, as ldns reads it: it refuses that, and loses memory over it. */
static bool is_cert_of_no_type(const char *text)
{
	struct rrword word;
	char *end;
	long type;

	if (!rrlex_word(&text, &word))
		return false;
	type = strtol(word.text, &end, 10);
	return end == word.text + word.len && (type & UINT16_MAX) == 0;
}

static int read_other(struct rrtext *rr, const struct rrword *type, const char *text,
		      struct rrtext_record *ret, struct err *err)
{
	static const char bad_hex[] =
		"its hexadecimal data is malformed or does not fit its type; correct it";
	bool generic = strncmp(text, "\\# ", 3) == 0;
	int head;

	if (!*text)
		return err_set(err, "no data; write it behind the type");
	/* ldns loses memory over one that is malformed, and nobody keeps such records here. */
	if (ret->type == TYPE_IPSECKEY && !generic)
		return err_set(err, "its data is read as `\\# LENGTH HEX` alone; write it so");
	if (ret->type == TYPE_CERT && !generic && is_cert_of_no_type(text))
		return err_set(err, "a certificate of type 0; correct it");
	head = snprintf(rr->text, RRTEXT_HEAD_MAX, ". 0 IN %.*s ", (int)type->len, type->text);
	if (head < 0 || head >= RRTEXT_HEAD_MAX)
		return err_set(err, "a type with too long a name; correct it");
	memcpy(rr->text + head, text, strlen(text) + 1);
	if (!rr->has_origin) {
		if (ldns_data_absolute(rr, err) < 0)
			return generic ? err_set(err, bad_hex) : -1;
	} else {
		if (!rr->origin_rdf)
			rr->origin_rdf = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, rr->origin.len,
							       rr->origin.wire);
		if (!rr->origin_rdf)
			return err_set(err, "no memory");
		if (ldns_data(rr, rr->origin_rdf, err) < 0)
			return generic ? err_set(err, bad_hex) : -1;
	}
	ret->rdata = ldns_buffer_begin(rr->wire);
	ret->rdata_len = ldns_buffer_position(rr->wire);
	if (generic) {
		/* Data given in hex goes out as it came or not at all. */
		long len = read_generic(text, rr->second, sizeof(rr->second));

		if (len < 0 || (size_t)len != ret->rdata_len ||
		    memcmp(rr->second, ret->rdata, (size_t)len) != 0)
			return err_set(err, bad_hex);
	}
	return 0;
}

/* ---- what stands before the data ------------------------------------------------------------- */

static bool word_is(const struct rrword *word, const char *text)
{
	return word->len == strlen(text) && strncasecmp(word->text, text, word->len) == 0;
}

static bool is_foreign_class(const struct rrword *word)
{
	return word_is(word, "CH") || word_is(word, "HS") || word_is(word, "CS") ||
	       (word->len > 5 && strncasecmp(word->text, "CLASS", 5) == 0 &&
		!word_is(word, "CLASS1"));
}

static uint16_t type_number(const struct rrword *word)
{
	char name[32];

	/* TYPE1 and A are one; ldns would take TYPE65536 for another, so the range is looked at. */
	if (word->len > 4 && strncasecmp(word->text, "TYPE", 4) == 0) {
		unsigned long number = 0;

		for (size_t i = 4; i < word->len; i++) {
			if (word->text[i] < '0' || word->text[i] > '9' || number > UINT16_MAX)
				return 0;
			number = number * 10 + (unsigned long)(word->text[i] - '0');
		}
		return number > UINT16_MAX ? 0 : (uint16_t)number;
	}
	if (!word->len || word->len >= sizeof(name))
		return 0;
	memcpy(name, word->text, word->len);
	name[word->len] = '\0';
	return (uint16_t)ldns_get_rr_type_by_name(name);
}

int rrtext_read(struct rrtext *rr, const char *text, struct rrtext_record *ret, struct err *err)
{
	struct rrtext_record record = { 0 };
	char shown[TOKEN_SHOWN_MAX];
	bool has_class = false;
	struct rrword word;
	int failed;

	for (;;) {
		if (!rrlex_word(&text, &word))
			return err_set(err,
				       "an entry without a record type; write `name TTL IN TYPE "
				       "data`");
		if (word.text[0] == '[' && word.len > 6 &&
		    strncasecmp(word.text, "[AGE:", 5) == 0 && word.text[word.len - 1] == ']')
			continue;
		if (!has_class && (word_is(&word, "IN") || word_is(&word, "CLASS1"))) {
			has_class = true;
			continue;
		}
		if (is_foreign_class(&word))
			return err_set(err, "class %s; only IN is served, take the record out",
				       token_show(shown, word.text, word.len));
		if (record.has_ttl || word.text[0] < '0' || word.text[0] > '9')
			break;
		if (!token_read_ttl(word.text, word.len, &record.ttl))
			return err_set(err, "`%s` is no TTL; write seconds, at most 2147483647",
				       token_show(shown, word.text, word.len));
		record.has_ttl = true;
	}
	record.type = type_number(&word);
	if (!record.type)
		return err_set(err, "`%s` is no record type; write `name TTL IN TYPE data`",
			       token_show(shown, word.text, word.len));
	while (*text == ' ')
		text++;
	if (strncmp(text, "\\# ", 3) == 0)
		failed = read_other(rr, &word, text, &record, err);
	else if (record.type == TYPE_A || record.type == TYPE_AAAA)
		failed = read_address(rr, text, record.type, &record, err);
	else if (record.type == TYPE_CNAME)
		failed = read_cname(rr, text, &record, err);
	else
		failed = read_other(rr, &word, text, &record, err);
	if (failed)
		return err_prefix(err, "%s record: ", token_show(shown, word.text, word.len));
	*ret = record;
	return 0;
}
