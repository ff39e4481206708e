/* SPDX-License-Identifier: MIT */
/*
 * The table knows its names in no order, and people read lists in order. So the names that are
 * wanted are gathered, sorted canonically (parents before children, names of one zone together)
 * and written out. A name is wanted if it, or any of its public forms, is at or below what was
 * asked for: so a zone, a name and a wildcard are all asked for in the same way, in either form.
 *
 * Costs one pass over the table and some 100 octets a name while it lasts. The main thread has
 * nothing to do meanwhile that could not wait a second; workers do not notice.
 */
#include "admin/records.h"

#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/complaint.h"
#include "base/json.h"
#include "wire/name.h"
#include "wire/types.h"
#include "zone/table.h"

struct held {
	const struct node *node;
	uint8_t *wire; /* of its name */
};

struct list {
	const struct view *view;
	struct held *held;
	size_t count, cap;
};

static int compare(const void *a, const void *b)
{
	const struct held *left = a, *right = b;

	return name_wire_compare(left->wire, right->wire);
}

static bool is_wanted(const struct view *view, const struct name *name, const struct name *top)
{
	struct name public;
	size_t i;

	if (!top || name_ends_with(name, top))
		return true;
	for (i = 0; zones_public_form(view->zones, name, i, &public) == 0; i++) {
		if (name_ends_with(&public, top))
			return true;
	}
	return false;
}

static int add(struct list *list, const struct node *node, const struct name *name)
{
	size_t cap = list->cap ? list->cap * 2 : 64;
	struct held *held;

	if (list->count == list->cap) {
		held = realloc(list->held, cap * sizeof(*held));
		if (!held)
			return -1;
		list->held = held;
		list->cap = cap;
	}
	held = &list->held[list->count];
	held->node = node;
	held->wire = malloc(name->len);
	if (!held->wire)
		return -1;
	memcpy(held->wire, name->wire, name->len);
	list->count++;
	return 0;
}

static int gather(struct list *list, const struct name *top)
{
	const struct node *node;
	struct name name;
	size_t at = 0;

	while ((node = table_next(list->view->table, &at))) {
		node_name(list->view->table, node, &name);
		if (is_wanted(list->view, &name, top) && add(list, node, &name) < 0)
			return -1;
	}
	/* Names that only one of their forms finds: `...-id1-` for `...-id1`. */
	if (!list->count && top) {
		struct table_hit hit;

		table_lookup(list->view->table, top, &hit);
		if (hit.match == TABLE_HELD || hit.match == TABLE_ALIAS) {
			node_name(list->view->table, hit.node, &name);
			return add(list, hit.node, &name);
		}
	}
	if (list->count)
		qsort(list->held, list->count, sizeof(*list->held), compare);
	return 0;
}

static char *unknown_data_text(const uint8_t *rdata, size_t len)
{
	char *text = malloc(32 + len * 2);
	size_t i, at;

	if (!text)
		return NULL;
	at = (size_t)sprintf(text, "\\# %zu%s", len, len ? " " : "");
	for (i = 0; i < len; i++)
		at += (size_t)sprintf(text + at, "%02x", (unsigned)rdata[i]);
	return text;
}

char *records_data_text(uint16_t type, const uint8_t *rdata, size_t len)
{
	/*
	 * Owner (the root), type, class IN, TTL 0 and length stand before the data (RFC 1035
	 * 3.2.1).
	 */
	uint8_t *wire = malloc(11 + len);
	char *text = NULL, *tail;
	ldns_buffer *buffer;
	ldns_rr *rr = NULL;
	size_t at = 0, i;

	if (!wire)
		return NULL;
	memset(wire, 0, 11);
	ldns_write_uint16(wire + 1, type);
	ldns_write_uint16(wire + 3, CLASS_IN);
	ldns_write_uint16(wire + 9, (uint16_t)len);
	memcpy(wire + 11, rdata, len);
	buffer = ldns_buffer_new(1024);
	if (buffer &&
	    ldns_wire2rr(&rr, wire, 11 + len, &at, LDNS_SECTION_ANSWER) == LDNS_STATUS_OK) {
		for (i = 0; i < ldns_rr_rd_count(rr); i++) {
			if (i)
				ldns_buffer_printf(buffer, " ");
			if (ldns_rdf2buffer_str(buffer, ldns_rr_rdf(rr, i)) != LDNS_STATUS_OK)
				break;
		}
		if (i == ldns_rr_rd_count(rr))
			text = ldns_buffer_export2str(buffer);
	}
	ldns_rr_free(rr);
	ldns_buffer_free(buffer);
	free(wire);
	if (!text)
		return unknown_data_text(rdata, len);
	for (tail = text; *tail; tail++) {
		if (*tail == '\t' || *tail == '\n')
			*tail = ' ';
	}
	return text;
}

static const char *owner_text(const uint8_t *wire, char text[NAME_TEXT_MAX + 1])
{
	size_t len = name_to_text(wire, text);

	if (len != 1 || text[0] != '.')
		strcpy(text + len, ".");
	return text;
}

/* One record as text (`out`) or JSON. */
struct sink {
	FILE *out;
	struct json *json;
};

static void write_record(const struct sink *sink, const char *owner, uint32_t ttl, uint16_t type,
			 const struct node_record *record, const char *path)
{
	char type_text[TYPE_TEXT_MAX];
	char *data = records_data_text(type, record->rdata, record->rdata_len);

	if (!data)
		return;
	type_to_text(type, type_text);
	if (sink->json) {
		json_object(sink->json, NULL);
		json_string(sink->json, "name", owner);
		json_number(sink->json, "ttl", ttl);
		json_string(sink->json, "type", type_text);
		json_string(sink->json, "data", data);
		json_string(sink->json, "path", path);
		json_number(sink->json, "line", record->line);
		json_object_end(sink->json);
	} else {
		fprintf(sink->out, "%s %u IN %s %s ; ", owner, ttl, type_text, data);
		complaint_put(sink->out, path, strlen(path));
		fprintf(sink->out, ":%u\n", record->line);
	}
	free(data);
}

static void write_node(const struct sink *sink, const struct view *view, const struct held *held)
{
	char owner[NAME_TEXT_MAX + 1];
	struct node_record record;
	struct node_rrset rrset;
	size_t at = 0, at_record;

	owner_text(held->wire, owner);
	while (node_next(held->node, &at, &rrset)) {
		at_record = 0;
		while (node_record_next(&rrset, &at_record, &record))
			write_record(sink, owner, rrset.ttl, rrset.type, &record,
				     node_record_path(view->table, held->node, &rrset, &record));
	}
}

static char *write_text(const struct list *list)
{
	struct sink sink = { .json = NULL };
	char *text = NULL;
	size_t len = 0, i;

	sink.out = open_memstream(&text, &len);
	if (!sink.out)
		return NULL;
	for (i = 0; i < list->count && ftello(sink.out) < (off_t)RECORDS_REPLY_MAX; i++)
		write_node(&sink, list->view, &list->held[i]);
	if (i < list->count)
		fprintf(sink.out, "; cut here, %zu names are missing; ask for a zone\n",
			list->count - i);
	if (fclose(sink.out) == 0)
		return text;
	free(text);
	return NULL;
}

static char *write_json(const struct list *list)
{
	struct json json;
	struct sink sink = { .json = &json };
	size_t i;

	json_init(&json);
	json_object(&json, NULL);
	json_array(&json, "records");
	for (i = 0; i < list->count && json.len < RECORDS_REPLY_MAX; i++)
		write_node(&sink, list->view, &list->held[i]);
	json_array_end(&json);
	json_bool(&json, "cut", i < list->count);
	json_object_end(&json);
	return json_finish(&json);
}

char *records_list(const struct view *view, const char *name, bool json, struct err *err)
{
	struct list list = { .view = view };
	struct name top;
	char *text = NULL;
	size_t i;

	/* `*.zone` and `zone` mean the same list. */
	if (name && strncmp(name, "*.", 2) == 0 && name[2])
		name += 2;
	if (name && name_from_text(&top, name, strlen(name)) < 0) {
		err_set(err, "'%s' is no domain name", name);
		return NULL;
	}
	if (gather(&list, name ? &top : NULL) < 0)
		err_set(err, "out of memory");
	else if (!list.count && name)
		err_set(err, "nothing is held at or below %s", name);
	else if (!(text = json ? write_json(&list) : write_text(&list)))
		err_set(err, "out of memory");
	for (i = 0; i < list.count; i++)
		free(list.held[i].wire);
	free(list.held);
	return text;
}
