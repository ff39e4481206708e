/* SPDX-License-Identifier: MIT */
/*
 * privlinkd.yaml: every key, every kind of mistake, all mistakes of a file at once, and where they
 * stand. The table of mistakes is a column of YAML and what its complaint must say.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/config.h"
#include "admin/keys.h"
#include "admin/ytree.h"
#include "base/clock.h"
#include "unit/unit.h"

struct told {
	char text[8192];
	unsigned count;
};

static void tell(void *arg, const struct complaint *complaint)
{
	struct told *told = arg;
	size_t len = strlen(told->text);

	snprintf(told->text + len, sizeof(told->text) - len, "%s%s\n",
		 complaint->level == COMPLAINT_ERROR ? "" : "warning: ", complaint->text);
	told->count++;
}

static struct config *parse_with(const char *yaml, const struct config_options *options,
				 struct told *told)
{
	struct complaints to = { .tell = tell, .arg = told };

	memset(told, 0, sizeof(*told));
	return config_parse("f", yaml, yaml ? strlen(yaml) : 0, options, &to);
}

static struct config *parse(const char *yaml, struct told *told)
{
	return parse_with(yaml, NULL, told);
}

START_TEST(test_defaults)
{
	struct told told;
	struct config *config = parse(NULL, &told), *empty = parse("# nothing\n", &told);
	struct config_forward *forward;
	struct config_zone *zone;
	char text[512];

	ck_assert_ptr_nonnull(config);
	ck_assert_ptr_nonnull(empty);
	ck_assert_uint_eq(config->server.listen.count, 2);
	ck_assert_uint_eq(addr_port(&config->server.listen.at[1]), 53);
	ck_assert_uint_eq(config->server.workers, 0);
	ck_assert(config->server.allow.loopback && config->server.allow.private);
	ck_assert(!config->server.allow.any);
	ck_assert_str_eq(config->server.user, "privlinkd");
	zone = config->zones.at;
	ck_assert_uint_eq(config->zones.count, 1);
	ck_assert_str_eq(zone->preset, "azure-migrate");
	ck_assert_uint_eq(config->records.count, 0);
	ck_assert_uint_eq(config->policy.ttl_max_s, 86400);
	ck_assert(config->policy.ptr);
	forward = config->forward.at;
	ck_assert_uint_eq(config->forward.count, 1);
	ck_assert_str_eq(forward->zone, ".");
	ck_assert(forward->to.at[0].system);
	ck_assert_str_eq(config->identity.version, "");
	ck_assert_uint_eq(config->cache.size, 64 << 20);
	ck_assert_uint_eq(config->cache.negative_ttl_max_s, 900);
	ck_assert_int_eq(config->log.level, LOG_LEVEL_NOTICE);
	ck_assert_uint_eq(config_inactive(config, text, sizeof(text)), 0);
	ck_assert_uint_eq(config_restart(config, empty, text, sizeof(text)), 0);
	ck_assert(!config_given(empty, "server.user"));
	config_free(config);
	config_free(empty);
}
END_TEST

START_TEST(test_every_key)
{
	static const char yaml[] =
		"server:\n"
		"  listen: [127.0.0.1, '::1@5353']\n"
		"  listen-tls: [127.0.0.1, '::1@8853']\n"
		"  tls-certificate: /c\n"
		"  tls-key: /k\n"
		"  workers: 3\n"
		"  allow: [any, 192.0.2.0/24, 'fd00::/8']\n"
		"  user: nobody\n"
		"  state: /s\n"
		"zones:\n"
		"  - {preset: azure-migrate, type: static}\n"
		"  - name: privatelink.database.windows.net\n"
		"    public: [database.windows.net]\n"
		"    type: refuse\n"
		"records:\n"
		"  - path: a\n"
		"  - {path: b*, format: zone, zone: x.example, ttl: 5m, poll: 10s}\n"
		"record-policy:\n"
		"  conflict: merge\n"
		"  ttl-min: 1s\n"
		"  ttl-max: 2h\n"
		"  max-shrink: 100%\n"
		"  ptr: false\n"
		"  aliases: [contoso.example]\n"
		"  must-be-private: ['contoso*.blob.core.windows.net']\n"
		"forward:\n"
		"  - {zone: corp.example, to: [10.0.0.10, '::1@5300'], policy: spread,\n"
		"     trust-ad: true}\n"
		"identity: {version: auto, id: ns1}\n"
		"cache: {size: 1GiB, ttl-max: 1h, negative-ttl-max: 1m, serve-stale: 0s,\n"
		"  prefetch: false}\n"
		"limits: {queries: 1, upstream-questions: 2, waiters: 3, upstream-sockets: 64,\n"
		"  tcp-clients: 5, tcp-clients-per-address: 6, tcp-queries: 7, tcp-blocks: 8,\n"
		"  tcp-idle: 9s, tls-handshakes: 10, tls-handshake-time: 11s,\n"
		"  question-datagrams: 12, near-misses: 13, large-replies: 14, probes: 15,\n"
		"  loop-probes: 16}\n"
		"control: {socket: /x}\n"
		"http: {listen: [127.0.0.1@8080]}\n"
		"log: {level: debug, format: json, queries: true}\n";
	struct told told;
	struct config *config, *plain = parse(NULL, &told);
	struct config_records *records;
	struct config_forward *forward;
	struct config_zone *zone;
	char text[512];

	config = parse(yaml, &told);
	ck_assert_msg(config != NULL, "%s", told.text);
	ck_assert_uint_eq(addr_port(&config->server.listen.at[0]), 53);
	ck_assert_uint_eq(addr_port(&config->server.listen.at[1]), 5353);
	ck_assert_uint_eq(addr_port(&config->server.listen_tls.at[0]), 853);
	ck_assert_uint_eq(addr_port(&config->server.listen_tls.at[1]), 8853);
	ck_assert_str_eq(config->server.tls_certificate, "/c");
	ck_assert_str_eq(config->server.tls_key, "/k");
	ck_assert_uint_eq(config->server.workers, 3);
	ck_assert(config->server.allow.any && config->server.allow.count == 2);
	ck_assert_str_eq(config->server.user, "nobody");
	ck_assert(config_given(config, "server.user"));
	ck_assert(config_given(config, "control.socket"));
	zone = config->zones.at;
	ck_assert_uint_eq(config->zones.count, 2);
	ck_assert_int_eq(zone[0].type, ZONE_STATIC);
	ck_assert_int_eq(zone[1].type, ZONE_REFUSE);
	ck_assert_str_eq(zone[1].public.at[0].text, "database.windows.net");
	ck_assert_uint_eq(zone[1].place.line, 12);
	records = config->records.at;
	ck_assert_uint_eq(config->records.count, 2);
	ck_assert_int_eq(records[0].format, SOURCE_AUTO);
	ck_assert_uint_eq(records[0].ttl_s, 10);
	ck_assert_int_eq(records[1].format, SOURCE_ZONE);
	ck_assert_str_eq(records[1].zone, "x.example");
	ck_assert_uint_eq(records[1].ttl_s, 300);
	ck_assert_int_eq(config->policy.conflict, TABLE_CONFLICT_MERGE);
	ck_assert_int_eq(config->policy.aliases.whose, VIEW_ALIASES_LIST);
	ck_assert_uint_eq(config->policy.must_be_private.count, 1);
	forward = config->forward.at;
	ck_assert_uint_eq(config->forward.count, 2);
	ck_assert_uint_eq(addr_port(&forward[0].to.at[1].conf.addr), 5300);
	ck_assert(forward[0].trust_ad);
	ck_assert_str_eq(forward[1].zone, ".");
	ck_assert(forward[1].to.at[0].system);
	ck_assert_ptr_nonnull(strstr(config->identity.version, "privlinkd"));
	ck_assert_str_eq(config->identity.id, "ns1");
	ck_assert_uint_eq(config->cache.size, (size_t)1 << 30);
	ck_assert_uint_eq(config->limits.queries, 1);
	ck_assert_uint_eq(config->limits.tcp_clients_per_address, 6);
	ck_assert_uint_eq(config->limits.tcp_idle_s, 9);
	ck_assert_uint_eq(config->limits.tls_handshakes, 10);
	ck_assert_uint_eq(config->limits.tls_handshake_s, 11);
	ck_assert_uint_eq(config->limits.question_datagrams, 12);
	ck_assert_uint_eq(config->limits.near_misses, 13);
	ck_assert_uint_eq(config->limits.large_replies, 14);
	ck_assert_uint_eq(config->limits.probes, 15);
	ck_assert_uint_eq(config->limits.loop_probes, 16);
	ck_assert_int_eq(config->log.format, LOG_FORMAT_JSON);
	config_inactive(config, text, sizeof(text));
	ck_assert_str_eq(text, "http.listen");
	config_restart(plain, config, text, sizeof(text));
	ck_assert_str_eq(
		text,
		"server.listen, server.listen-tls, server.workers, server.user, limits.queries, "
		"limits.upstream-questions, limits.waiters, limits.upstream-sockets, "
		"limits.question-datagrams, limits.near-misses, limits.large-replies, "
		"limits.probes, limits.loop-probes, "
		"limits.tcp-clients, limits.tcp-clients-per-address, limits.tcp-queries, "
		"limits.tcp-blocks, limits.tcp-idle, limits.tls-handshakes, "
		"limits.tls-handshake-time");
	config_free(config);
	config_free(plain);
}
END_TEST

static const struct {
	const char *yaml, *says;
} wrong[] = {
	{ "sever: {}", "f:1:1: unknown key 'sever'; did you mean server?" },
	{ "server:\n  lisen: []",
	  "f:2:3: unknown key 'lisen' in server; did you mean server.listen?" },
	{ "server: {listen_tls: []}", "did you mean server.listen-tls?" },
	{ "listen: []", "unknown key 'listen'; did you mean server.listen?" },
	{ "zones: [{preset: none, kind: static}]", "f:1:24: unknown key 'kind' in zones[]" },
	{ "banana: 1", "f:1:1: unknown key 'banana'\n" },
	{ "server: []", "f:1:9: server: must be a map" },
	{ "server: {listen: 127.0.0.1}", "server.listen: must be a list: [127.0.0.1]" },
	{ "server: {listen: []}", "names no address" },
	{ "server: {listen: [localhost]}", "f:1:19: server.listen: 'localhost' is no address" },
	{ "server: {listen: [127.0.0.1@65536]}", "is no address" },
	{ "server: {listen: [[127.0.0.1]]}", "must be a plain value" },
	{ "server: {listen: [127.0.0.1@853, '::1@853'], listen-tls: [127.0.0.2, '::1']}",
	  "f:1:58: server.listen-tls: ::1@853 stands in `listen` too" },
	{ "server: {workers: 0}", "server.workers: 0 is out of range, 1 to 256" },
	{ "server: {workers: many}", "is not a number or auto" },
	{ "server: {allow: [192.0.2.1/24]}", "bits behind the prefix" },
	{ "server: {allow: [privat]}", "is no prefix" },
	{ "server: {user: }", "server.user: has no value" },
	{ "server: {user: [a]}", "must be one value, not a list" },
	{ "zones: azure", "zones: must be a list of maps" },
	{ "zones: [azure]", "f:1:9: zones: an entry must be a map" },
	{ "zones: [{preset: azure-migrat}]", "did you mean azure-migrate?" },
	{ "zones: [{type: static}]", "either a preset or a name" },
	{ "zones: [{preset: none, name: a.example}]", "either a preset or a name" },
	{ "zones: [{preset: none, public: [a]}]", "remove public" },
	{ "zones: [{name: a..b}]", "'a..b' is no domain name" },
	{ "zones: [{name: a.example, type: statik}]", "did you mean static?" },
	{ "records: [{format: zone}]", "an entry has no path" },
	{ "records: [{path: a, format: excel}]", "'excel' is not one of auto, yaml" },
	{ "records: [{path: a, ttl: -1}]", "'-1' is not a number of seconds" },
	{ "record-policy: {ttl-min: 2d}", "f:1:26: record-policy.ttl-min: is over ttl-max" },
	{ "record-policy: [a]", "must be a map of keys" },
	{ "record-policy: {ttl-min: 10}", "'10' is not a duration such as" },
	{ "record-policy: {ttl-min: 99999d}", "is out of range, 0 to 2147483647 seconds" },
	{ "record-policy: {max-shrink: 50}", "is not a percentage" },
	{ "record-policy: {max-shrink: 101%}", "is out of range" },
	{ "record-policy: {ptr: yes}", "'yes' is neither true nor false" },
	{ "record-policy: {ptr: 'true'}", "is neither true nor false" },
	{ "record-policy: {aliases: owned}", "is not one of any, own" },
	{ "record-policy: {aliases: {}}", "must be a list or a value" },
	{ "record-policy: {must-be-private: ['a..b']}", "f:1:35: record-policy.must-be-private" },
	{ "forward: [{to: [10.0.0.1]}]", "an entry has no zone" },
	{ "forward: [{zone: .}]", "an entry has no upstreams" },
	{ "forward: [{zone: ., to: []}]", "names no upstream" },
	{ "forward: [{zone: ., to: [10.0.0.1@0]}]", "its port is 0" },
	{ "forward: [{zone: ., to: [0.0.0.0]}]", "wildcard address" },
	{ "forward: [{zone: ., to: ['10.0.0.1#x']}]", "is no upstream" },
	{ "forward: [{zone: ., to: ['tls://10.0.0.1#dns.example@853']}]",
	  "write the port before the name, tls://ADDR@PORT#NAME" },
	{ "forward: [{zone: ., to: ['tls://192.0.2.1#a..b']}]", "certificate is no domain name" },
	{ "forward: [{zone: ., to: ['tls://192.0.2.1#.']}]", "certificate is no domain name" },
	{ "forward: [{zone: ., to: [10.0.0.1], tls-ca: /c}]",
	  "f:1:11: forward: tls-ca and tls-pins" },
	{ "forward: [{zone: ., to: ['tls://192.0.2.1'], tls-pins: [AAAA]}]", "'AAAA' is no pin" },
	{ "forward: [{zone: ., to: ['tls://192.0.2.1'], tls-pins: a}]", "must be a list" },
	{ "forward:\n- {zone: a, to: [10.0.0.1]}\n- {zone: A., to: [10.0.0.2]}",
	  "f:3:3: forward: zone A." },
	{ "cache: {size: 64}", "'64' is not a size such as" },
	{ "cache: {size: 64MB}", "is not a size" },
	{ "cache: {size: 1KiB}", "is out of range" },
	{ "cache: {size: 99999999999999999999MiB}", "is not a size" },
	{ "identity: {id: ''}", "octets is wanted" },
	{ "log: {level: warn}", "'warn' is not one of error, warning" },
	{ "log: {queries: false, queries: true}",
	  "f:1:23: key 'queries' stands here again, first in line 1" },
	{ "server: &a {}", "anchor '&a'" },
	{ "log: *a", "alias '*a'" },
	{ "*a : b", "alias '*a'" },
	{ "log: {*a : {level: info}}", "f:1:7: alias '*a'" },
	{ "server: !x {}", "tag '!x'" },
	{ "server: {\n", "f:2:1: not well-formed YAML" },
	{ "server: {}\n---\nlog: {}", "a second document" },
	{ "- a", "a map of keys is wanted" },
	{ "? [a]\n: b", "where a key should be" },
	{ "identity: {id: \"a\\0b\"}", "a NUL character" },
	{ "log: {level: \377}", "f: not UTF-8 text" },
};

START_TEST(test_wrong)
{
	struct told told;
	struct config *config = parse(wrong[_i].yaml, &told);

	ck_assert_msg(!config, "taken: %s", wrong[_i].yaml);
	ck_assert_msg(strstr(told.text, wrong[_i].says) != NULL, "%s\nsaid: %s\nwanted: %s",
		      wrong[_i].yaml, told.text, wrong[_i].says);
	ck_assert_msg(told.count == 1, "%s\nsaid: %s", wrong[_i].yaml, told.text);
}
END_TEST

/* Each mistake once, all of them, in the order of the file. */
START_TEST(test_all_errors)
{
	struct told told;

	ck_assert_ptr_null(parse("server:\n"
				 "  lissten: [127.0.0.1]\n"
				 "  listen: [a, b]\n"
				 "  workers: x\n"
				 "zones:\n"
				 "  - preset: nonsense\n"
				 "  - name: a.example\n"
				 "    typ: static\n"
				 "log: {level: loud, queries: 1}\n",
				 &told));
	ck_assert_uint_eq(told.count, 8);
	ck_assert_ptr_nonnull(strstr(told.text, "f:2:3: "));
	ck_assert_ptr_nonnull(strstr(told.text, "f:3:12: "));
	ck_assert_ptr_nonnull(strstr(told.text, "f:3:15: "));
	ck_assert_ptr_nonnull(strstr(told.text, "f:4:12: "));
	ck_assert_ptr_nonnull(strstr(told.text, "f:6:13: "));
	ck_assert_ptr_nonnull(strstr(told.text, "f:8:5: "));
	ck_assert_ptr_nonnull(strstr(told.text, "f:9:14: "));
	ck_assert_ptr_nonnull(strstr(told.text, "f:9:29: "));
}
END_TEST

/* Sections and lists without anything in them are as good as not there. */
START_TEST(test_nothing)
{
	struct told told;
	struct config *config = parse("server:\nzones:\nrecords: ~\nforward: null\nlog:\n", &told);

	ck_assert_msg(config != NULL, "%s", told.text);
	ck_assert_uint_eq(config->zones.count, 1);
	ck_assert_uint_eq(config->forward.count, 1);
	config_free(config);
	config = parse("zones: []\n", &told);
	ck_assert_ptr_nonnull(config);
	ck_assert_uint_eq(config->zones.count, 0);
	config_free(config);
}
END_TEST

START_TEST(test_options)
{
	const char *records[] = { "a", "b" }, *listen[] = { "127.0.0.1@0" };
	const char *upstreams[] = { "192.0.2.1", "system" };
	struct config_options options = { records, listen, upstreams, 2, 1, 2 };
	struct config_records *record;
	struct config_forward *forward;
	struct config *config;
	struct told told;
	struct err err;

	config = parse_with("records: [{path: z, ttl: 5}]\n"
			    "forward: [{zone: corp.example, to: [10.0.0.1]}]\n",
			    &options, &told);
	ck_assert_msg(config != NULL, "%s", told.text);
	record = config->records.at;
	ck_assert_uint_eq(config->records.count, 2);
	ck_assert_str_eq(record[1].path, "b");
	ck_assert_uint_eq(record[1].ttl_s, 10);
	ck_assert_uint_eq(config->server.listen.count, 1);
	ck_assert_uint_eq(addr_port(&config->server.listen.at[0]), 0);
	forward = config->forward.at;
	ck_assert_uint_eq(config->forward.count, 2);
	ck_assert_uint_eq(forward[0].to.count, 1);
	ck_assert_uint_eq(forward[1].to.count, 2);
	ck_assert(forward[1].to.at[1].system);
	config_free(config);

	ck_assert_int_eq(config_check_options(&options, &err), 0);
	listen[0] = "localhost";
	ck_assert_int_eq(config_check_options(&options, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "-l localhost"));
	listen[0] = "127.0.0.1";
	upstreams[0] = "tls://192.0.2.1#dns.example";
	ck_assert_int_eq(config_check_options(&options, &err), 0);
	upstreams[0] = "tls://dns.example";
	ck_assert_int_eq(config_check_options(&options, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "-u tls://dns.example is no upstream"));
}
END_TEST

START_TEST(test_azure_resolver)
{
	struct told told;
	struct config *config = parse("forward: [{zone: ., to: [168.63.129.16]}]", &told);

	ck_assert_ptr_nonnull(config);
	ck_assert_ptr_nonnull(strstr(told.text, "warning: f:1:11: forward: 168.63.129.16"));
	config_free(config);
}
END_TEST

/* Brackets without end must cost nothing, and neither must a file of entries. */
START_TEST(test_bounds)
{
	size_t len = 200000, i;
	char *text = malloc(len + 1);
	struct told told;
	uint64_t start = clock_now_ms();

	memset(text, '[', len);
	text[len] = '\0';
	ck_assert_ptr_null(parse(text, &told));
	ck_assert_ptr_nonnull(strstr(told.text, "nested too deeply"));
	for (i = 0; i < 900; i++)
		text[i] = '[';
	strcpy(text + 900, "]");
	ck_assert_ptr_null(parse(text, &told));
	ck_assert_ptr_nonnull(strstr(told.text, "nested too deeply"));
	for (i = 0; i + 2 < len; i += 2)
		memcpy(text + i, "- ", 2);
	text[len - 2] = '\0';
	ck_assert_ptr_null(parse(text, &told));
	ck_assert_ptr_nonnull(strstr(told.text, "nested too deeply"));
	ck_assert_msg(clock_now_ms() - start < 5000, "took too long");
	free(text);
}
END_TEST

/* Every key of the table can be found the way the reader does, and its default can be read. */
START_TEST(test_table)
{
	size_t i;

	for (i = 0; i < keys_count; i++) {
		char path[64];
		size_t len = (size_t)(key_leaf(&keys[i]) - keys[i].path);

		memcpy(path, keys[i].path, len);
		path[len ? len - 1 : 0] = '\0';
		ck_assert_ptr_eq(key_find(path, key_leaf(&keys[i])), &keys[i]);
		ck_assert_ptr_eq(key_get(keys[i].path), &keys[i]);
	}
	ck_assert_str_eq(key_near("server", "worker"), "server.workers");
	ck_assert_str_eq(key_near("cache", "size_"), "cache.size");
	ck_assert_ptr_null(key_near("", "zzzzzz"));
}
END_TEST

/* What is installed must load, and say what the defaults say. */
START_TEST(test_shipped)
{
	struct told told = { .count = 0 };
	struct complaints to = { .tell = tell, .arg = &told };
	const char *top = getenv("abs_top_srcdir");
	struct config_records *records;
	struct config *config;
	char path[4096];

	if (!top)
		top = ".";
	snprintf(path, sizeof(path), "%s/etc/privlinkd.yaml", top);
	config = config_read(path, NULL, &to, NULL);
	ck_assert_msg(config && told.count == 0, "%s", told.text);
	ck_assert_uint_eq(config->server.listen.count, 2);
	ck_assert_uint_eq(config->zones.count, 1);
	records = config->records.at;
	ck_assert_uint_eq(config->records.count, 1);
	ck_assert_str_eq(records[0].path, "/etc/privlinkd/records.d");
	ck_assert_uint_eq(config->forward.count, 1);
	config_free(config);
}
END_TEST

static Suite *config_suite(void)
{
	Suite *suite = suite_create("config");
	TCase *tests = tcase_create("config");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, test_defaults);
	tcase_add_test(tests, test_shipped);
	tcase_add_test(tests, test_every_key);
	tcase_add_loop_test(tests, test_wrong, 0, (int)(sizeof(wrong) / sizeof(wrong[0])));
	tcase_add_test(tests, test_all_errors);
	tcase_add_test(tests, test_nothing);
	tcase_add_test(tests, test_options);
	tcase_add_test(tests, test_azure_resolver);
	tcase_add_test(tests, test_bounds);
	tcase_add_test(tests, test_table);
	suite_add_tcase(suite, tests);
	return suite;
}

UNIT_MAIN(config_suite)
