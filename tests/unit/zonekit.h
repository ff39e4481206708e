/* SPDX-License-Identifier: MIT */
/*
 * What the tests of builder and table share: records written as a line of text, and complaints kept
 * for comparison.
 */
#ifndef PRIVLINKD_UNIT_ZONEKIT_H
#define PRIVLINKD_UNIT_ZONEKIT_H

#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/types.h"
#include "zone/builder.h"
#include "zone/table.h"

static inline struct name kit_name(const char *text)
{
	struct name name;

	ck_assert_msg(name_from_text(&name, text, strlen(text)) == 0, "%s", text);
	return name;
}

/* Good until the fourth next call. */
static inline const char *kit_text(const struct name *name)
{
	static char text[4][NAME_TEXT_MAX];
	static unsigned at;

	at = (at + 1) % 4;
	name_to_text(name->wire, text[at]);
	return text[at];
}

/* All complaints of a test, a line each: `E path:line: ...` or `W ...`. */
struct kit_heard {
	char text[65536];
	size_t len;
};

static inline void kit_hear(void *arg, const struct complaint *complaint)
{
	struct kit_heard *heard = arg;

	heard->len += (size_t)snprintf(heard->text + heard->len, sizeof(heard->text) - heard->len,
				       "%c %s\n", complaint->level == COMPLAINT_ERROR ? 'E' : 'W',
				       complaint->text);
	ck_assert_uint_lt(heard->len, sizeof(heard->text));
}

static inline struct zones *kit_zones(const char *preset)
{
	struct zones *zones = zones_new();
	struct err err;

	ck_assert_ptr_nonnull(zones);
	ck_assert_msg(zones_add_preset(zones, preset, ZONE_STATIC, &err) == 0, "%s", err.text);
	ck_assert_int_eq(zones_seal(zones, &err), 0);
	return zones;
}

/* Data of a record from text: addresses, names, else a TXT string. Its length. */
static inline size_t kit_rdata(uint16_t type, const char *text, uint8_t *out)
{
	struct name name;

	switch (type) {
	case TYPE_A:
		ck_assert_msg(inet_pton(AF_INET, text, out) == 1, "%s", text);
		return 4;
	case TYPE_AAAA:
		ck_assert_msg(inet_pton(AF_INET6, text, out) == 1, "%s", text);
		return 16;
	case TYPE_CNAME:
	case TYPE_PTR:
	case TYPE_NS:
		name = kit_name(text);
		memcpy(out, name.wire, name.len);
		return name.len;
	default:
		out[0] = (uint8_t)strlen(text);
		memcpy(out + 1, text, out[0]);
		return out[0] + 1u;
	}
}

static inline int kit_add(struct builder *builder, unsigned line, const char *owner, uint32_t ttl,
			  const char *type_text, const char *data)
{
	struct name name = kit_name(owner);
	uint8_t rdata[512];
	uint16_t type;
	size_t len;

	ck_assert_int_eq(type_from_text(type_text, &type), 0);
	len = kit_rdata(type, data, rdata);
	return builder_add(builder, &name, type, ttl, rdata, len, line);
}

/*
 * A set from lines `owner TTL TYPE data`. Lines count from one.
 */
static inline struct record_set *kit_set(const struct zones *zones, const char *path,
					 const char *lines, struct complaints *complaints)
{
	struct builder_conf conf = { .path = path, .ttl_min = 0, .ttl_max = 86400 };
	struct builder *builder = builder_new(zones, &conf, complaints);
	char owner[1100], type[32], data[1100];
	struct record_set *set;
	unsigned line = 0, ttl;
	int used;

	ck_assert_ptr_nonnull(builder);
	while (sscanf(lines, "%1099s %u %31s %1099[^\n] %n", owner, &ttl, type, data, &used) == 4) {
		kit_add(builder, ++line, owner, ttl, type, data);
		lines += used;
	}
	ck_assert_str_eq(lines, "");
	set = builder_finish(builder);
	ck_assert_ptr_nonnull(set);
	builder_free(builder);
	return set;
}

/* A table from up to four sets in that shape, named a, b, c, d; NULL ends them. */
static inline struct table *kit_table(const struct zones *zones, enum table_conflict conflict,
				      struct kit_heard *heard, const char *const *sets)
{
	static const char *const paths[] = { "a", "b", "c", "d" };
	struct complaints complaints = { .tell = kit_hear, .arg = heard };
	struct table_conf conf = { .conflict = conflict, .ptr = true };
	struct record_set *made[4];
	struct table *table;
	size_t n, i;

	heard->len = 0;
	heard->text[0] = '\0';
	for (n = 0; n < 4 && sets[n]; n++)
		made[n] = kit_set(zones, paths[n], sets[n], &complaints);
	table = table_new(zones, made, n, &conf, &complaints);
	ck_assert_ptr_nonnull(table);
	for (i = 0; i < n; i++)
		record_set_unref(made[i]);
	return table;
}

#define KIT_TABLE(zones, conflict, heard, ...) \
	kit_table(zones, conflict, heard, (const char *const[]){ __VA_ARGS__, NULL })

/* All records of a node: `TYPE/TTL data@path:line ...`, sets parted by `; `. */
static inline const char *kit_records(const struct table *table, const struct node *node)
{
	static char all[65536];
	char type[TYPE_TEXT_MAX], data[NAME_TEXT_MAX];
	struct node_record record;
	struct node_rrset rrset;
	size_t at = 0, record_at, len = 0;

	all[0] = '\0';
	while (node_next(node, &at, &rrset)) {
		len += (size_t)sprintf(all + len, "%s%s/%u", len ? "; " : "",
				       type_to_text(rrset.type, type), rrset.ttl);
		for (record_at = 0; node_record_next(&rrset, &record_at, &record);) {
			if (rrset.type == TYPE_A)
				inet_ntop(AF_INET, record.rdata, data, sizeof(data));
			else if (rrset.type == TYPE_AAAA)
				inet_ntop(AF_INET6, record.rdata, data, sizeof(data));
			else if (rrset.type == TYPE_CNAME || rrset.type == TYPE_PTR ||
				 rrset.type == TYPE_NS)
				name_to_text(record.rdata, data);
			else
				snprintf(data, sizeof(data), "%.*s", record.rdata_len - 1,
					 (const char *)record.rdata + 1);
			len += (size_t)sprintf(all + len, " %s@%s:%u", data,
					       node_record_path(table, node, &rrset, &record),
					       record.line);
		}
	}
	return all;
}

/*
 * What a look-up says, in one line: the match; for HELD and PTR the node's name; for ALIAS and
 * PTR the target; `wild`, `apex`, and the zone's text or `outside`.
 */
static inline const char *kit_look(const struct table *table, const char *text)
{
	static const char *const words[] = {
		[TABLE_NONE] = "NONE", [TABLE_HELD] = "HELD",     [TABLE_ALIAS] = "ALIAS",
		[TABLE_ENT] = "ENT",   [TABLE_ABSENT] = "ABSENT", [TABLE_PTR] = "PTR",
	};
	static char out[4096];
	struct name name = kit_name(text), node, target;
	struct table_hit hit;
	int len;

	memset(&hit, 0xa5, sizeof(hit));
	table_lookup(table, &name, &hit);
	len = sprintf(out, "%s", words[hit.match]);
	if (hit.match == TABLE_HELD || hit.match == TABLE_ALIAS || hit.match == TABLE_PTR) {
		node_name(table, hit.node, &node);
		len += sprintf(out + len, " %s", kit_text(&node));
	}
	if (hit.match == TABLE_ALIAS || hit.match == TABLE_PTR) {
		ck_assert_int_eq(name_from_wire(&target, hit.target, hit.target_len), 0);
		ck_assert_uint_eq(target.len, hit.target_len);
		ck_assert_uint_eq(target.labels, hit.target_labels);
		len += sprintf(out + len, " -> %s", kit_text(&target));
	}
	if (hit.match == TABLE_NONE)
		return out;
	if (hit.match != TABLE_ENT && hit.match != TABLE_ABSENT && hit.wildcard)
		len += sprintf(out + len, " wild");
	if (hit.in_zone && hit.apex)
		len += sprintf(out + len, " apex");
	if (hit.in_zone)
		sprintf(out + len, " [%s/%u]", zones_private_text(table_zones(table), hit.zone),
			hit.apex_labels);
	return out;
}

#endif
