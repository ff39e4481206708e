/* SPDX-License-Identifier: MIT */
/*
 * What is plain: words of octets that mean nothing else anywhere in a zone file, between blanks. An
 * escape, a quote, a bracket, a directive, `@`, an odd blank, a type or class by number, `[AGE:n]`,
 * a second class: all of that makes a line one for the others, as does any mistake, so that every
 * complaint comes from one place.
 *
 * The order of the words decides what they are (RFC 1035 5.1). The first is the owner if the line
 * does not begin with a blank, even if it reads `A`, `IN` or `300`. A word that begins with a digit
 * is the TTL, once. A test compares this with source/rrtext and with ldns.
 */
#include "source/rrline.h"

#include "wire/types.h"

/* Octets of plain words: of names, numbers, addresses. */
static const bool plain[256] = {
	['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true, ['-'] = true,
	['_'] = true,         ['.'] = true,         ['*'] = true,         [':'] = true,
};

/* The word at *at, which moves behind it and the blanks that follow; empty where there is none. */
static inline struct rrword next_word(const char **at, const char *end)
{
	struct rrword word = { *at, 0 };

	while (*at < end && plain[(uint8_t) * *at])
		(*at)++;
	word.len = (size_t)(*at - word.text);
	while (*at < end && (**at == ' ' || **at == '\t'))
		(*at)++;
	return word;
}

/* `upper` is in upper case. */
static inline bool word_is(const struct rrword *word, const char *upper, size_t len)
{
	if (word->len != len)
		return false;
	for (size_t i = 0; i < len; i++)
		if ((word->text[i] & ~0x20) != upper[i])
			return false;
	return true;
}

static uint16_t type_of(const struct rrword *word)
{
	if (word_is(word, "A", 1))
		return TYPE_A;
	if (word_is(word, "AAAA", 4))
		return TYPE_AAAA;
	return word_is(word, "CNAME", 5) ? TYPE_CNAME : 0;
}

bool rrline_read(const char *line, size_t len, struct rrline *ret)
{
	const char *at = line, *end = line + len;
	bool has_class = false;
	struct rrword word;

	ret->has_ttl = false;
	ret->owner = next_word(&at, end);
	for (;;) {
		word = next_word(&at, end);
		if (!has_class && word_is(&word, "IN", 2)) {
			has_class = true;
		} else if (!ret->has_ttl && word.len && (uint8_t)(word.text[0] - '0') < 10) {
			if (!token_read_ttl(word.text, word.len, &ret->ttl))
				return false;
			ret->has_ttl = true;
		} else {
			break;
		}
	}
	ret->type = type_of(&word);
	ret->target = next_word(&at, end);
	if (!ret->type || !ret->target.len || (at < end && *at != ';'))
		return false;
	if (ret->type == TYPE_CNAME)
		return true;
	return token_read_address(ret->target.text, ret->target.len, &ret->address) &&
	       ret->address.type == ret->type;
}
