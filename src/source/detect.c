/* SPDX-License-Identifier: MIT */
/*
 * The format is told by the first line that only one format can hold: a directive or a record's
 * type word (zone), an address with a name (hosts), `key:` (yaml), a bracket (JSON), separated
 * cells (csv). Lines that could be anything are passed over; a copied portal page consists of such
 * lines alone. Nothing is scored: a wrong guess that is explainable beats a right one that is not,
 * and `format:` overrides.
 *
 * Only the head of a file is looked at, so the cost does not grow with the file.
 */
#include "source/detect.h"

#include <string.h>
#include <strings.h>

#include "source/token.h"

/*
 * Lines that are looked at: a long licence or explanation in comments may stand before the first
 * record.
 */
#define DETECT_LINES_MAX 2000
/* Octets of a line that are looked at. */
#define DETECT_LINE_MAX 1024
/* Words of a line that are looked at: owner, age, TTL, class, type, data. */
#define DETECT_WORDS_MAX 8

static const struct {
	enum source_format format;
	const char *name;
	bool settable, readable;
} formats[] = {
	{ SOURCE_AUTO, "auto", true, false },
	{ SOURCE_HOSTS, "hosts", true, true },
	{ SOURCE_ZONE, "zone", true, true },
	{ SOURCE_YAML, "yaml", true, true },
	{ SOURCE_CSV, "csv", true, true },
	{ SOURCE_AZURE, "azure", true, true },
	{ SOURCE_PASTE, "portal page", false, false },
	{ SOURCE_EMPTY, "empty", false, false },
};

const char *source_format_name(enum source_format format)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
		if (formats[i].format == format)
			return formats[i].name;
	return "unknown";
}

int source_format_parse(const char *text, enum source_format *ret)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		if (formats[i].settable && strcmp(formats[i].name, text) == 0) {
			*ret = formats[i].format;
			return 0;
		}
	}
	return -1;
}

bool source_format_readable(enum source_format format)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
		if (formats[i].format == format)
			return formats[i].readable;
	return false;
}

/* ---- telling formats apart ------------------------------------------------------------------- */

struct word {
	const char *text;
	size_t len;
};

static bool word_is(const struct word *word, const char *text)
{
	return word->len == strlen(text) && strncasecmp(word->text, text, word->len) == 0;
}

static bool is_type_word(const struct word *word)
{
	static const char *const types[] = {
		"A",   "AAAA", "CNAME", "SOA", "NS",    "MX",    "TXT",
		"SRV", "PTR",  "CAA",   "DS",  "DNAME", "HTTPS", "SVCB"
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (word_is(word, types[i]))
			return true;
	return word->len > 4 && strncasecmp(word->text, "TYPE", 4) == 0 && word->text[4] >= '0' &&
	       word->text[4] <= '9';
}

static bool is_address_word(const struct word *word)
{
	struct token_address address;
	const char *text = word->text;
	size_t len = word->len;

	token_unquote(&text, &len);
	return token_read_address(text, len, &address);
}

/* Four numbers, one of them too large: it was to be an address, and the reader will say so. */
static bool is_mistyped_word(const struct word *word)
{
	const char *text = word->text;
	size_t len = word->len, dots = 0;

	token_unquote(&text, &len);
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '.' && i && text[i - 1] != '.')
			dots++;
		else if (text[i] < '0' || text[i] > '9')
			return false;
	}
	return dots == 3 && text[len - 1] != '.';
}

/* `owner [age] [ttl] [class] type data`, the owner left out where the line begins with a blank. */
static bool looks_like_record(const struct word *words, size_t count, bool blank)
{
	size_t i = blank ? 0 : 1;
	bool class = false;
	uint32_t ttl;

	for (; i < count; i++) {
		if (word_is(&words[i], "IN")) {
			class = true;
			continue;
		}
		if (strncasecmp(words[i].text, "[AGE:", 5) != 0 &&
		    !token_read_ttl(words[i].text, words[i].len, &ttl))
			break;
	}
	if (i + 1 >= count || !is_type_word(&words[i]))
		return false;
	/* `10.0.0.1 a b` is a hosts line; an address owns records in a reverse zone alone. */
	if (!blank && is_address_word(&words[0]))
		return class || word_is(&words[i], "PTR");
	return true;
}

static bool looks_like_hosts(const struct word *words, size_t count)
{
	size_t addresses = 0;

	for (size_t i = 0; i < count; i++)
		addresses += is_address_word(&words[i]) || is_mistyped_word(&words[i]);
	/* Where there are nothing but addresses so far the names stand further on. */
	return addresses && (addresses < count || count == DETECT_WORDS_MAX);
}

static bool is_header_word(const struct word *word)
{
	static const char *const headers[] = { "fqdn",         "ip",         "name",
					       "hostname",     "address",    "ipaddress",
					       "ipaddresses",  "recordtype", "recordname",
					       "resourcename", "dnsname",    "zone",
					       "zonename" };

	for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++)
		if (word_is(word, headers[i]))
			return true;
	return false;
}

/* A cell, blanks around it taken off, that is an address, a name with a dot, or a header's word. */
static bool tells_csv(const char *text, size_t len)
{
	struct token_address address;
	struct word word;
	struct name name;

	token_unquote(&text, &len);
	word = (struct word){ text, len };
	return is_header_word(&word) || token_read_address(text, len, &address) ||
	       is_mistyped_word(&word) ||
	       (memchr(text, '.', len) && !token_read_name(text, len, NULL, &name));
}

/* Words of a cell from which it reads as a part of a sentence. */
#define DETECT_PROSE_WORDS 3

/* A sentence: between its commas stand several words each, and nothing that a cell would be. */
static bool looks_like_prose(const char *line, size_t len)
{
	size_t cells = 0, words = 0, at = 0;

	while (at < len) {
		size_t start, stop;

		while (at < len && strchr(" \t", line[at]))
			at++;
		for (start = at; at < len && line[at] != ',' && line[at] != ';'; at++)
			words += !strchr(" \t", line[at]) &&
				 (at == start || strchr(" \t", line[at - 1]));
		for (stop = at; stop > start && strchr(" \t", line[stop - 1]); stop--)
			;
		if (tells_csv(line + start, stop - start))
			return false;
		cells++;
		at++;
	}
	return words >= DETECT_PROSE_WORDS * cells;
}

/* Cells between separators. Tabs separate hosts lines too, so they count in a header alone. */
static bool looks_like_csv(const char *line, size_t len, const struct word *words, size_t count)
{
	if (memchr(line, ',', len) || memchr(line, ';', len))
		return !looks_like_prose(line, len);
	if (!memchr(line, '\t', len))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct word word = words[i];

		token_unquote(&word.text, &word.len);
		if (is_header_word(&word))
			return true;
	}
	return false;
}

/* The key of `key: value` or `- key: value`; false if the line is nothing like it. */
static bool yaml_key(const char *line, size_t len, struct word *ret)
{
	struct word key;
	size_t at = 0, end;

	while (at < len && (line[at] == ' ' || line[at] == '-'))
		at++;
	for (end = at; end < len; end++)
		if (line[end] == ':' && (end + 1 == len || line[end + 1] == ' '))
			break;
	if (end == len || end == at)
		return false;
	key = (struct word){ line + at, end - at };
	token_unquote(&key.text, &key.len);
	for (size_t i = 0; i < key.len; i++)
		if (!strchr("_-.*", key.text[i]) && !(key.text[i] >= '0' && key.text[i] <= '9') &&
		    !((key.text[i] | 0x20) >= 'a' && (key.text[i] | 0x20) <= 'z'))
			return false;
	*ret = key;
	return true;
}

/* Our own keys are these; everything else that reads as YAML or JSON is an export of Azure's. */
static bool is_own_key(const struct word *key)
{
	return word_is(key, "hosts") || word_is(key, "records") || word_is(key, "ttl") ||
	       word_is(key, "host") || word_is(key, "record");
}

static bool has_azure_key(const char *text, size_t len)
{
	static const char *const keys[] = { "customDnsConfigs",
					    "privateDnsZoneConfigs",
					    "ipConfigurations",
					    "aRecords",
					    "aaaaRecords",
					    "properties",
					    "recordSets",
					    "etag",
					    "resourceGroup",
					    "custom_dns_configs",
					    "private_dns_zone_configs",
					    "value",
					    "provisioningState",
					    "fqdn",
					    "fqdns",
					    "ipAddress",
					    "ipAddresses",
					    "ip_addresses",
					    "privateIPAddress",
					    "skip_token",
					    "customNetworkInterfaceName" };
	struct word key;

	for (const char *at = text, *end = text + len; at < end;) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;

		if (stop - at <= DETECT_LINE_MAX && yaml_key(at, (size_t)(stop - at), &key)) {
			/* A host of ours may be called `value`. */
			if (*at != ' ' && is_own_key(&key))
				return false;
			for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
				if (word_is(&key, keys[i]))
					return true;
		}
		at = stop + 1;
	}
	return false;
}

/* Behind `{`: the first key decides. */
static enum source_format detect_braces(const char *at, const char *end)
{
	struct word key = { 0 };

	for (at++; at < end && strchr(" \t\n\"'", *at); at++)
		;
	key.text = at;
	while (at < end && ((*at | 0x20) >= 'a' && (*at | 0x20) <= 'z'))
		at++;
	key.len = (size_t)(at - key.text);
	/* PowerShell's `Records` may stand first in a record set. */
	return is_own_key(&key) && *key.text != 'R' ? SOURCE_YAML : SOURCE_AZURE;
}

static size_t split_words(const char *line, size_t len, struct word words[DETECT_WORDS_MAX])
{
	size_t count = 0, at = 0;

	while (count < DETECT_WORDS_MAX) {
		while (at < len && strchr(" \t\f\v", line[at]))
			at++;
		if (at == len)
			break;
		words[count].text = line + at;
		while (at < len && !strchr(" \t\f\v", line[at]))
			at++;
		words[count].len = (size_t)(line + at - words[count].text);
		count++;
	}
	return count;
}

/* SOURCE_AUTO: this line does not tell. `rest` is what follows of the head, from the line on. */
static enum source_format detect_line(const char *line, size_t len, size_t rest)
{
	struct word words[DETECT_WORDS_MAX], key;
	const char *comment;
	size_t count = split_words(line, len, words);

	if (words[0].text[0] == '{')
		return detect_braces(words[0].text, line + rest);
	if (words[0].text[0] == '[' && strncasecmp(words[0].text, "[AGE:", 5) != 0)
		return SOURCE_AZURE;
	/* Before anything else that has addresses in it: `hosts: { a.example: 10.0.0.1 }`. */
	if (yaml_key(line, len, &key) && is_own_key(&key))
		return SOURCE_YAML;
	if (line[0] == '$' || looks_like_record(words, count, words[0].text != line))
		return SOURCE_ZONE;
	if (line[0] == '%' || word_is(&words[0], "---"))
		return has_azure_key(line, rest) ? SOURCE_AZURE : SOURCE_YAML;
	comment = memchr(line, '#', len);
	if (comment) {
		len = (size_t)(comment - line);
		count = split_words(line, len, words);
	}
	if (looks_like_hosts(words, count) && !memchr(line, ',', len) && !memchr(line, ';', len))
		return SOURCE_HOSTS;
	if (yaml_key(line, len, &key))
		return has_azure_key(line, rest) ? SOURCE_AZURE : SOURCE_YAML;
	return looks_like_csv(line, len, words, count) ? SOURCE_CSV : SOURCE_AUTO;
}

/* Without the part of a line that a head may end in. */
static size_t whole_lines(const char *text, size_t len)
{
	const char *newline = memrchr(text, '\n', len);

	return newline ? (size_t)(newline + 1 - text) : len;
}

enum source_format detect_format(const char *text, size_t len, bool whole)
{
	const char *at = text, *end = text + (whole ? len : whole_lines(text, len));
	unsigned lone_addresses = 0, lone_others = 0, lines = 0;

	for (; at < end && lines < DETECT_LINES_MAX; lines++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;
		size_t line_len = (size_t)(stop - at);
		enum source_format format;
		struct word words[DETECT_WORDS_MAX];
		size_t count;

		if (line_len > DETECT_LINE_MAX)
			line_len = DETECT_LINE_MAX;
		count = split_words(at, line_len, words);
		if (count && words[0].text[0] == '#' && line_len > 5 &&
		    strncmp(at, "#TYPE", 5) == 0)
			return SOURCE_CSV; /* Export-Csv of PowerShell 5.1 */
		if (!lines && (line_len == 5 || line_len == 7) &&
		    strncasecmp(at + (*at == '"'), "sep=", 4) == 0)
			return SOURCE_CSV; /* Excel */
		if (count && words[0].text[0] != '#' && words[0].text[0] != ';') {
			format = detect_line(at, line_len, (size_t)(end - at));
			if (format != SOURCE_AUTO)
				return format;
			if (count == 1 && is_address_word(&words[0]))
				lone_addresses++;
			else
				lone_others++;
		}
		at = newline ? newline + 1 : end;
	}
	if (lone_addresses && lone_others)
		return SOURCE_PASTE;
	return lone_addresses || lone_others || at < end || !whole ? SOURCE_AUTO : SOURCE_EMPTY;
}
