/* SPDX-License-Identifier: MIT */
/*
 * Writes the worst input of each kind for each reader of record files.
 *
 *   worst -l            lists the kinds: `KIND FORMAT records|none light|heavy`
 *   worst KIND OCTETS   writes one, of about so many octets, to standard output
 *
 * A kind is a piece of text that is written again and again until there is enough, between a head
 * and a tail. What a kind is bad for stands beside it: the place where a reader that goes back, or
 * searches what it has kept, or keeps what it has read, would no longer be linear, or not bounded.
 * `records` says that good records are among it; then the reader has to find some. `heavy`: the
 * text says a thousand times what it takes to write it, so a tenth of another kind is enough.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned long written;

static void put(const char *text)
{
	size_t len = strlen(text);

	fwrite(text, 1, len, stdout);
	written += len;
}

static void put_many(const char *text, unsigned long count)
{
	while (count--)
		put(text);
}

/* A letter so often, without a call for each. */
static void put_run(char c, unsigned long count)
{
	char block[4096];

	memset(block, c, sizeof(block));
	written += count;
	for (; count > sizeof(block); count -= sizeof(block))
		fwrite(block, 1, sizeof(block), stdout);
	fwrite(block, 1, count, stdout);
}

#define PUTF(...)                                            \
	do {                                                 \
		char text_[8192];                            \
		snprintf(text_, sizeof(text_), __VA_ARGS__); \
		put(text_);                                  \
	} while (0)

#define ZONE "privatelink.blob.core.windows.net"

/* An address of 2^24. */
static void put_address(unsigned long i)
{
	PUTF("10.%lu.%lu.%lu", i >> 16 & 255, i >> 8 & 255, i & 255);
}

/* ---- hosts ----------------------------------------------------------------------------------- */

static void hosts_names(unsigned long i) /* every name gets every address */
{
	for (unsigned long k = 0; k < 16; k++) {
		put_address(i * 16 + k);
		put(" ");
	}
	for (unsigned long k = 0; k < 250; k++)
		PUTF("h%lu-%lu." ZONE " ", i, k);
	put("\n");
}

static void hosts_one_name(unsigned long i) /* a set is searched for each of its records */
{
	put_address(i);
	put(" a." ZONE "\n");
}

static void hosts_same(unsigned long i)
{
	(void)i;
	put("10.0.0.1 a." ZONE "\n");
}

static void hosts_bad(unsigned long i)
{
	(void)i;
	put("x\n");
}

static void hosts_conflicts(unsigned long i) /* a warning a line */
{
	PUTF("10.0.%lu.%lu h%lu." ZONE "\n", i & 1, i >> 1 & 255, i >> 1);
}

static void hosts_wildcards(unsigned long i)
{
	PUTF("10.0.0.1 *.h%lu." ZONE "\n", i);
}

static void hosts_labels(unsigned long i)
{
	put_address(i);
	put(" ");
	put_many("a.", 100);
	PUTF("h%lu.example\n", i);
}

static void hosts_comments(unsigned long i)
{
	put_address(i);
	PUTF(" h%lu." ZONE " # ", i);
	put_run('x', 500000);
	put("\n#");
	put_run('-', 500000);
	put("\n");
}

static void hosts_rich(unsigned long i)
{
	put_address(i);
	PUTF(" h%lu." ZONE "\n", i);
}

/* ---- zone files ------------------------------------------------------------------------------ */

static void zone_brackets(unsigned long i) /* read on and on, and from each again */
{
	PUTF("h%lu A (\n", i);
}

static void zone_quotes(unsigned long i)
{
	PUTF("h%lu TXT \"\n", i);
}

static void zone_words(unsigned long i)
{
	PUTF("h%lu TXT", i);
	put_many(" a", 32000);
	put("\n");
}

static void zone_text(unsigned long i) /* one entry after the other of the longest kind */
{
	PUTF("h%lu TXT (", i);
	for (unsigned k = 0; k < 230; k++) {
		put(" \"");
		put_run('a', 250);
		put("\"\n");
	}
	put(")\n");
}

static void zone_backslashes(unsigned long i)
{
	PUTF("h%lu TXT ", i);
	put_run('\\', 60000);
	put("\n");
}

static void zone_chain(unsigned long i) /* is there a loop in it? */
{
	PUTF("h%lu CNAME h%lu\n", i, i + 1);
}

static void zone_loops(unsigned long i) /* of two, of three, ... told each */
{
	PUTF("a%lu CNAME b%lu\nb%lu CNAME c%lu\nc%lu CNAME a%lu\n", i, i, i, i, i, i);
}

static void zone_funnel(unsigned long i) /* all lead to one that leads on */
{
	PUTF("h%lu CNAME target\n", i);
}

static void zone_ttls(unsigned long i)
{
	PUTF("h %lu A 10.0.%lu.%lu\n", 1000000 - i % 1000000, i >> 8 & 1, i & 255);
}

static void zone_hints(unsigned long i)
{
	PUTF("h%lu HTTPS 1 . ipv4hint=10.0.0.1", i);
	put_many(",10.0.0.1", 6000);
	put("\n");
}

static void zone_origins(unsigned long i)
{
	PUTF("$ORIGIN z%lu." ZONE ".\n@ A 10.0.0.1\n", i);
}

static void zone_comments(unsigned long i)
{
	PUTF("h%lu A 10.0.0.1 ; ", i);
	put_run('x', 1000000);
	put("\n");
}

static void zone_rich(unsigned long i)
{
	PUTF("h%lu A ", i);
	put_address(i);
	put("\n");
}

/* ---- csv ------------------------------------------------------------------------------------- */

static void csv_quotes(unsigned long i) /* each row would be read to the end, and from the next */
{
	PUTF("h%lu,\"\n", i);
}

static void csv_odd_quotes(unsigned long i) /* closes, and goes on */
{
	(void)i;
	put("\"a\nb\"c,\"\n");
}

static void csv_columns(unsigned long i) /* each row may be a header: every cell is looked up */
{
	(void)i;
	put_many("ip_x,", 255);
	put("x\n");
}

static void csv_headers(unsigned long i)
{
	PUTF("name,fqdn,ip,ttl\nn,h%lu." ZONE ",10.0.0.1,5\n", i);
}

static void csv_titles(unsigned long i) /* what stands before a header is tried in three ways */
{
	PUTF("the title %lu\n", i);
}

static void csv_lists(unsigned long i)
{
	put("n,\"[");
	for (unsigned long k = 0; k < 16; k++)
		PUTF("%s\"\"h%lu-%lu." ZONE "\"\"", k ? "," : "", i, k);
	put("]\",\"[");
	for (unsigned long k = 0; k < 256; k++) {
		put(k ? ",\"\"" : "\"\"");
		put_address(i * 256 + k);
		put("\"\"");
	}
	put("]\",5\n");
}

static void csv_wide(unsigned long i) /* a column that is not looked at */
{
	PUTF("\"");
	put_run('x', 30000);
	PUTF("\",h%lu." ZONE ",10.0.0.1,5\n", i);
}

static void csv_lost(unsigned long i)
{
	PUTF("n,h%lu." ZONE ",System.Collections.Generic.List`1[System.String],5\n", i);
}

static void csv_lines(unsigned long i) /* a quoted cell over many lines */
{
	put("\"");
	put_many("a line\n", 4000);
	PUTF("\",h%lu." ZONE ",10.0.0.1,5\n", i);
}

static void csv_rich(unsigned long i)
{
	PUTF("n%lu,h%lu." ZONE ",", i, i);
	put_address(i);
	put(",5\n");
}

/* ---- our own YAML ---------------------------------------------------------------------------- */

static void yaml_rich(unsigned long i)
{
	PUTF("  h%lu." ZONE ": ", i);
	put_address(i);
	put("\n");
}

static void yaml_addresses(unsigned long i) /* all of one name, in one flow list on one line */
{
	put(i ? "," : "");
	put_address(i);
}

static void yaml_flow(unsigned long i) /* all on one line */
{
	PUTF("%sh%lu." ZONE ": ", i ? ", " : "", i);
	put_address(i);
}

static void yaml_anchors(unsigned long i)
{
	PUTF("  h%lu." ZONE ": &a%lu 10.0.0.1\n", i, i);
}

static void yaml_keys(unsigned long i)
{
	PUTF("key%lu: x\n", i);
}

static void yaml_comments(unsigned long i)
{
	PUTF("  h%lu." ZONE ": 10.0.0.1\n  # ", i);
	put_run('x', 900000);
	put("\n");
}

static void yaml_escapes(unsigned long i)
{
	PUTF("  \"h%lu", i);
	put_many("\\x41", 15000);
	put("\": 10.0.0.1\n");
}

static void yaml_records(unsigned long i)
{
	PUTF("  - h%lu." ZONE ". 5 IN A 10.0.0.1\n", i);
}

/* ---- Azure's exports ------------------------------------------------------------------------- */

static void json_rich(unsigned long i)
{
	PUTF("%s{\"fqdn\": \"h%lu." ZONE "\", \"ipAddresses\": [\"", i ? ",\n" : "", i);
	put_address(i);
	put("\"]}");
}

static void json_keys(unsigned long i) /* one object with all keys there are */
{
	PUTF("%s\"key%lu\": %lu", i ? ", " : "", i, i);
}

static void json_same_key(unsigned long i)
{
	PUTF("%s\"fqdn\": \"h%lu." ZONE "\"", i ? ", " : "", i);
}

static void json_escapes(unsigned long i)
{
	(void)i;
	put("\\u0041");
}

static void json_bad_escapes(unsigned long i)
{
	(void)i;
	put("\\x");
}

/* One endpoint, whose state stands behind all of its names. */
static void json_held(unsigned long i)
{
	PUTF("%s{\"fqdn\": \"h%lu." ZONE "\", \"ipAddresses\": [\"10.0.0.1\"]}", i ? ",\n" : "", i);
}

static void json_names(unsigned long i) /* all names of one object */
{
	PUTF("%s\"h%lu." ZONE "\"", i ? "," : "", i);
}

static void json_ids(unsigned long i) /* a name is looked for in each */
{
	put(i ? ",\n{\"aRecords\": [{\"ipv4Address\": \"10.0.0.1\"}], \"name\": \"@\", \"id\": \""
	      : "{\"aRecords\": [{\"ipv4Address\": \"10.0.0.1\"}], \"name\": \"@\", \"id\": \"");
	put_many("/privateDnsZone", 130);
	put("\"}");
}

static void json_endpoints(unsigned long i) /* a complaint each, with what is kept of it */
{
	PUTF("%s{\"name\": \"e%lu\", \"id\": \"/resourceGroups/g\", \"customDnsConfigs\": []}",
	     i ? ",\n" : "", i);
}

static void json_wrapped(unsigned long i)
{
	put(i ? ",\n" : "");
	put_many("{\"properties\": ", 60);
	PUTF("{\"fqdn\": \"h%lu." ZONE "\", \"ipAddresses\": [\"10.0.0.1\"]}", i);
	put_many("}", 60);
}

static void json_unrelated(unsigned long i)
{
	PUTF("%s{\"fqdn\": \"h%lu." ZONE "\", \"ipAddresses\": [\"10.0.0.1\"], \"description\": \"",
	     i ? ",\n" : "", i);
	put_run('x', 500000);
	put("\", \"other\": [");
	put_many("{\"a\": [1, 2, {\"b\": null}]}, ", 20000);
	put("{}]}");
}

static void json_numbers(unsigned long i)
{
	put(i ? "," : "");
	put_run('1', 60000);
}

static void json_commas(unsigned long i)
{
	(void)i;
	put(",");
}

static void azyaml_rich(unsigned long i)
{
	PUTF("- fqdn: h%lu." ZONE "\n  ipAddresses:\n  - ", i);
	put_address(i);
	put("\n");
}

static void azyaml_texts(unsigned long i)
{
	PUTF("- fqdn: h%lu." ZONE "\n  ipAddresses:\n  - 10.0.0.1\n  description: |\n", i);
	put_many("    a line of the description\n", 30000);
}

/* ---- pieces of one kind of octet ------------------------------------------------------------- */

#define RUN(name, octet)                  \
	static void name(unsigned long i) \
	{                                 \
		(void)i;                  \
		put_run(octet, 4096);     \
	}
RUN(run_letter, 'a')
RUN(run_newline, '\n')
RUN(run_blank, ' ')
RUN(run_comma, ',')
RUN(run_open, '[')
RUN(run_bracket, '(')
RUN(run_quote, '"')

static void words(unsigned long i)
{
	(void)i;
	put("a ");
}

static void dashes(unsigned long i)
{
	(void)i;
	put("- ");
}

static void questions(unsigned long i)
{
	(void)i;
	put("? ");
}

static void nested_keys(unsigned long i) /* each a level deeper than the one before */
{
	put_run(' ', i);
	put("k:\n");
}

static void tags(unsigned long i)
{
	PUTF("%%TAG !t%lu! tag:example\n", i);
}

static const struct kind {
	const char *name, *format;
	int records; /* 1: some are good. 2: and there are more of them than lines */
	const char *head;
	void (*piece)(unsigned long i);
	const char *tail;
} kinds[] = {
	{ "hosts-rich", "hosts", 1, "", hosts_rich, "" },
	{ "hosts-line", "hosts", 1, "10.0.0.1 a.example\n10.0.0.1 ", words, "\n" },
	{ "hosts-blanks", "hosts", 1, "10.0.0.1 a.example\n", run_blank, "\n" },
	{ "hosts-newlines", "hosts", 1, "10.0.0.1 a.example\n", run_newline, "" },
	{ "hosts-bad", "hosts", 1, "10.0.0.1 a.example\n", hosts_bad, "" },
	{ "hosts-comments", "hosts", 1, "", hosts_comments, "" },
	{ "hosts-names", "hosts", 2, "", hosts_names, "" },
	{ "hosts-one-name", "hosts", 1, "", hosts_one_name, "" },
	{ "hosts-same", "hosts", 1, "", hosts_same, "" },
	{ "hosts-conflicts", "hosts", 1, "", hosts_conflicts, "" },
	{ "hosts-wildcards", "hosts", 1, "", hosts_wildcards, "" },
	{ "hosts-labels", "hosts", 2, "", hosts_labels, "" },

#define ORIGIN "$ORIGIN " ZONE ".\n$TTL 10\n"
	{ "zone-rich", "zone", 1, ORIGIN, zone_rich, "" },
	{ "zone-brackets", "zone", 0, ORIGIN, zone_brackets, "" },
	{ "zone-open", "zone", 0, ORIGIN, run_bracket, "" },
	{ "zone-quotes", "zone", 0, ORIGIN, zone_quotes, "" },
	{ "zone-quoted", "zone", 0, ORIGIN "a TXT \"", run_letter, "\"\n" },
	{ "zone-words", "zone", 1, ORIGIN, zone_words, "" },
	{ "zone-text", "zone", 1, ORIGIN, zone_text, "" },
	{ "zone-backslashes", "zone", 0, ORIGIN, zone_backslashes, "" },
	{ "zone-hints", "zone", 1, ORIGIN, zone_hints, "" },
	{ "zone-chain", "zone", 1, ORIGIN, zone_chain, "" },
	{ "zone-loops", "zone", 1, ORIGIN, zone_loops, "" },
	{ "zone-funnel", "zone", 1, ORIGIN "target CNAME h.example.\n", zone_funnel, "" },
	{ "zone-ttls", "zone", 1, ORIGIN, zone_ttls, "" },
	{ "zone-origins", "zone", 1, ORIGIN, zone_origins, "" },
	{ "zone-comments", "zone", 1, ORIGIN, zone_comments, "" },

#define HEADER "name,fqdn,ip,ttl\n"
	{ "csv-rich", "csv", 1, HEADER, csv_rich, "" },
	{ "csv-quotes", "csv", 0, HEADER, csv_quotes, "" },
	{ "csv-odd-quotes", "csv", 0, HEADER, csv_odd_quotes, "" },
	{ "csv-all-quotes", "csv", 0, HEADER, run_quote, "\n" },
	{ "csv-one-quote", "csv", 0, HEADER "a,\"", run_letter, "\n" },
	{ "csv-commas", "csv", 0, HEADER, run_comma, "\n" },
	{ "csv-columns", "csv", 0, HEADER, csv_columns, "" },
	{ "csv-headers", "csv", 1, HEADER, csv_headers, "" },
	{ "csv-titles", "csv", 1, "", csv_titles, HEADER "n,h.example,10.0.0.1,5\n" },
	{ "csv-lists", "csv", 2, HEADER, csv_lists, "" },
	{ "csv-wide", "csv", 1, "note,fqdn,ip,ttl\n", csv_wide, "" },
	{ "csv-lines", "csv", 1, "note,fqdn,ip,ttl\n", csv_lines, "" },
	{ "csv-lost", "csv", 0, HEADER, csv_lost, "" },

#define HOSTS "hosts:\n  a.example: 10.0.0.1\n"
	{ "yaml-rich", "yaml", 1, "hosts:\n", yaml_rich, "" },
	{ "yaml-ttl-last", "yaml", 1, "hosts:\n", yaml_rich, "ttl: 30\n" },
	{ "yaml-records", "yaml", 1, "records:\n", yaml_records, "" },
	{ "yaml-addresses", "yaml", 1, "hosts: {a.example: [", yaml_addresses, "]}\n" },
	{ "yaml-flow", "yaml", 1, "hosts: {", yaml_flow, "}\n" },
	{ "yaml-anchors", "yaml", 1, "hosts:\n", yaml_anchors, "" },
	{ "yaml-keys", "yaml", 1, HOSTS, yaml_keys, "" },
	{ "yaml-comments", "yaml", 1, "hosts:\n", yaml_comments, "" },
	{ "yaml-escapes", "yaml", 1, HOSTS, yaml_escapes, "" },
	{ "yaml-deep", "yaml", 1, HOSTS "  b.example: ", run_open, "\n" },
	{ "yaml-dashes", "yaml", 1, HOSTS "records:\n  ", dashes, "\n" },
	{ "yaml-questions", "yaml", 1, HOSTS "  ", questions, "\n" },
	{ "yaml-nested", "yaml", 1, HOSTS, nested_keys, "\n" },
	{ "yaml-text", "yaml", 1, HOSTS "x: ", run_letter, "\n" },
	{ "yaml-words", "yaml", 1, HOSTS "x: ", words, "\n" },
	{ "yaml-quoted", "yaml", 1, HOSTS "x: \"", run_newline, "\"\n" },
	{ "yaml-tags", "yaml", 0, "", tags, "---\n" HOSTS },

	{ "json-rich", "azure", 1, "[", json_rich, "]\n" },
	{ "json-deep", "azure", 0, "", run_open, "" },
	{ "json-text", "azure", 0, "{\"fqdn\": \"", run_letter, "\"}\n" },
	{ "json-escapes", "azure", 0, "{\"fqdn\": \"", json_escapes, "\"}\n" },
	{ "json-bad-escapes", "azure", 0, "{\"fqdn\": \"", json_bad_escapes, "\"}\n" },
	{ "json-blanks", "azure", 0, "{\"fqdn\" ", run_blank, ": 1}\n" },
	{ "json-keys", "azure", 0, "{", json_keys, "}\n" },
	{ "json-same-key", "azure", 0, "{", json_same_key, "}\n" },
	{ "json-numbers", "azure", 0, "[", json_numbers, "]\n" },
	{ "json-commas", "azure", 0, "[1", json_commas, "]\n" },
	{ "json-ids", "azure", 0, "[", json_ids, "]\n" },
	{ "json-endpoints", "azure", 0, "[", json_endpoints, "]\n" },
	{ "json-wrapped", "azure", 1, "[", json_wrapped, "]\n" },
	{ "json-unrelated", "azure", 1, "[", json_unrelated, "]\n" },
	{ "json-names", "azure", 0, "[{\"fqdns\": [", json_names,
	  "], \"ipAddress\": \"10.0.0.1\"}]\n" },
	{ "json-held", "azure", 0, "[{\"customDnsConfigs\": [", json_held,
	  "], \"privateLinkServiceConnections\": [{\"privateLinkServiceConnectionState\": "
	  "{\"status\": \"Pending\"}}]}]\n" },
	{ "azyaml-rich", "azure", 1, "", azyaml_rich, "" },
	{ "azyaml-texts", "azure", 1, "", azyaml_texts, "" },
};

#define KINDS (sizeof(kinds) / sizeof(*kinds))

static int list(void)
{
	for (size_t i = 0; i < KINDS; i++)
		printf("%s %s %s %s\n", kinds[i].name, kinds[i].format,
		       kinds[i].records ? "records" : "none",
		       kinds[i].records > 1 ? "heavy" : "light");
	return 0;
}

int main(int argc, char **argv)
{
	unsigned long octets;

	if (argc == 2 && strcmp(argv[1], "-l") == 0)
		return list();
	if (argc != 3) {
		fprintf(stderr, "usage: worst -l | worst KIND OCTETS\n");
		return 2;
	}
	octets = strtoul(argv[2], NULL, 10);
	for (size_t k = 0; k < KINDS; k++) {
		if (strcmp(kinds[k].name, argv[1]) != 0)
			continue;
		put(kinds[k].head);
		for (unsigned long i = 0; written < octets; i++)
			kinds[k].piece(i);
		put(kinds[k].tail);
		return fflush(stdout) == 0 ? 0 : 1;
	}
	fprintf(stderr, "worst: no kind %s\n", argv[1]);
	return 2;
}
