/* SPDX-License-Identifier: MIT */
/*
 * The stack of an open object is read from where the object began: names become owners, addresses
 * and data of records become what they own. Each kind is looked through by a walk of its own, so
 * the order of keys does not matter, and since an object's entries go with it, every entry is
 * walked a fixed number of times.
 *
 * Records wait as one entry an owner and one a datum; the product of the two is made only on the
 * way into the builder.
 *
 * A record set without `fqdn` is named by its id first: it cannot be changed, while a query may
 * give any column the title `name`.
 */
#include "source/azurehold.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "source/token.h"
#include "wire/types.h"

/* ---- names ----------------------------------------------------------------------------------- */

void azure_count(const struct azure_out *out, const struct azure_scope *scope,
		 struct azure_contents *ret)
{
	struct azure_contents contents = { 0 };
	struct azure_entry entry;
	size_t at = scope->keep_at;

	while (azure_keep_next(&out->keep, &at, &entry)) {
		switch (entry.kind) {
		case KEEP_FQDN:
			if (!contents.fqdns++)
				contents.first = entry;
			break;
		case KEEP_HOST:
			if (!contents.hosts++ && !contents.fqdns)
				contents.first = entry;
			break;
		case KEEP_ADDRESS:
			contents.addresses++;
			break;
		case KEEP_DATA:
			contents.data++;
			break;
		case KEEP_NAME:
			contents.name = entry;
			break;
		case KEEP_ZONE:
			contents.zone = entry;
			break;
		case KEEP_ID:
			contents.id = entry;
			break;
		case KEEP_OWNER:
			break;
		}
	}
	*ret = contents;
}

bool azure_piece_behind(const struct azure_entry *entry, const char *before,
			struct azure_piece *ret)
{
	const char *text = (const char *)entry->data;
	size_t len = strlen(before);

	for (size_t i = 0; text && i + len < entry->len; i++) {
		const char *stop;

		if (strncasecmp(text + i, before, len) != 0)
			continue;
		text += i + len;
		len = entry->len - i - len;
		stop = memchr(text, '/', len);
		*ret = (struct azure_piece){ text, stop ? (size_t)(stop - text) : len };
		return true;
	}
	return false;
}

/* Zone, type and name in the id of a record set: `.../privateDnsZones/ZONE/TYPE/NAME`. */
static bool split_id(struct azure_scope *scope, const struct azure_entry *id,
		     struct azure_piece *zone, struct azure_piece *name)
{
	const char *end, *slash;
	char word[TYPE_TEXT_MAX];
	size_t len;

	if (!azure_piece_behind(id, "/privateDnsZones/", zone))
		return false;
	end = (const char *)id->data + id->len;
	if (zone->text + zone->len == end)
		return false;
	name->text = zone->text + zone->len + 1;
	slash = memchr(name->text, '/', (size_t)(end - name->text));
	if (!slash || (size_t)(slash - name->text) >= sizeof(word))
		return false;
	len = (size_t)(slash - name->text);
	memcpy(word, name->text, len);
	word[len] = '\0';
	if (type_from_text(word, &scope->type) < 0)
		return false;
	name->text = slash + 1;
	name->len = (size_t)(end - name->text);
	return name->len > 0;
}

static const char *join(const struct azure_out *out, struct azure_piece name,
			struct azure_piece zone, struct name *ret)
{
	char text[2 * AZURE_WORD_MAX];
	struct name left;
	const char *why;

	if (name.len == 1 && *name.text == '@') {
		if (zone.len)
			return token_read_name(zone.text, zone.len, NULL, ret);
		*ret = *out->in->origin;
		return NULL;
	}
	if (zone.len + name.len + 2 > sizeof(text))
		return "is too long together with its zone";
	if (name.text[name.len - 1] == '.')
		return token_read_name(name.text, name.len, NULL, ret);
	if (!zone.len) {
		/* Also of one label `*`, which is fine in a zone. */
		why = token_read_name(name.text, name.len, out->in->origin, &left);
		if (why)
			return why;
		if (!memchr(name.text, '.', name.len)) {
			*ret = left;
			return NULL;
		}
		return name_join(ret, &left, left.labels, out->in->origin) < 0
			       ? "is too long together with its zone"
			       : NULL;
	}
	snprintf(text, sizeof(text), "%.*s.%.*s", (int)name.len, name.text, (int)zone.len,
		 zone.text);
	return token_read_name(text, strlen(text), NULL, ret);
}

const char *azure_find_owner(const struct azure_out *out, struct azure_scope *scope,
			     const struct azure_contents *contents, struct name *ret,
			     struct azure_piece *ret_shown)
{
	struct azure_piece zone = { "", 0 }, name = { "", 0 };
	const char *slash;

	*ret_shown = (struct azure_piece){ "", 0 };
	if (!split_id(scope, &contents->id, &zone, &name)) {
		name.text = (const char *)contents->name.data;
		name.len = contents->name.len;
		zone = (struct azure_piece){ "", 0 };
		if (!name.len)
			return "without `fqdn`, and without a name and a zone to make it of";
		if (!azure_piece_behind(&contents->zone, "/privateDnsZones/", &zone) &&
		    contents->zone.len)
			zone = (struct azure_piece){ (const char *)contents->zone.data,
						     contents->zone.len };
		/* In a template a record set is named `zone/name`. */
		slash = memchr(name.text, '/', name.len);
		if (slash && !zone.len) {
			zone = (struct azure_piece){ name.text, (size_t)(slash - name.text) };
			name.len -= zone.len + 1;
			name.text = slash + 1;
		}
	}
	*ret_shown = name;
	if (!name.len || (!zone.len && !out->in->origin))
		return "is relative and no zone is known";
	return join(out, name, zone, ret);
}

/* ---- records --------------------------------------------------------------------------------- */

static void refuse_word(struct azure_out *out, const struct azure_entry *entry, const char *why,
			const char *todo)
{
	char shown[TOKEN_SHOWN_MAX];
	bool expression = entry->len > 1 && entry->data[0] == '[';

	complain(out->to, COMPLAINT_ERROR, out->in->path, entry->line, entry->column, "`%s` %s; %s",
		 token_show(shown, (const char *)entry->data, entry->len), why,
		 expression ? "export the resource instead of its template" : todo);
}

static bool hold(struct azure_out *out, const struct azure_entry *entry)
{
	if (azure_keep_push(&out->held, entry) == 0)
		return true;
	azure_full(out, entry->line, entry->column);
	return false;
}

static bool hold_owner(struct azure_out *out, const struct azure_scope *scope,
		       const struct name *name, unsigned line)
{
	struct azure_entry owner = { .kind = KEEP_OWNER,
				     .ttl = scope->ttl_state == TTL_GOOD ? scope->ttl
									 : out->in->ttl,
				     .line = line,
				     .len = name->len,
				     .data = name->wire };

	return hold(out, &owner);
}

static unsigned hold_names(struct azure_out *out, const struct azure_scope *scope,
			   enum azure_kind kind)
{
	size_t at = scope->keep_at;
	struct azure_entry entry;
	unsigned seen = 0, held = 0;

	while (azure_keep_next(&out->keep, &at, &entry)) {
		struct name name;
		const char *why;

		if (entry.kind != kind)
			continue;
		if (++seen > AZURE_NAMES_MAX) {
			azure_full(out, entry.line, entry.column);
			break;
		}
		why = token_read_name((const char *)entry.data, entry.len, out->in->origin, &name);
		if (why)
			refuse_word(out, &entry, why, "correct it");
		else
			held += hold_owner(out, scope, &name, entry.line);
	}
	return held;
}

/* An address as text, or where the record set's type says so, a name. */
static bool read_data(struct azure_out *out, const struct azure_scope *scope,
		      const struct azure_entry *entry, struct token_address *address,
		      struct name *name, struct azure_entry *ret)
{
	const char *text = (const char *)entry->data;
	bool named = scope->type == TYPE_CNAME || scope->type == TYPE_PTR ||
		     strcmp(scope->records_key, "record") == 0;
	const char *why = NULL;

	*ret = *entry;
	ret->kind = KEEP_DATA;
	if (entry->kind == KEEP_DATA)
		return true;
	if (token_read_address(text, entry->len, address)) {
		ret->type = address->type;
		ret->data = address->octets;
		ret->len = address->len;
		return true;
	}
	if (named && scope->records.line)
		why = token_read_name(text, entry->len, NULL, name);
	if (!named || !scope->records.line || why) {
		refuse_word(out, entry, why ? why : "is no address",
			    why ? "correct it" : "write an IPv4 or IPv6 address");
		return false;
	}
	ret->type = scope->type == TYPE_PTR ? TYPE_PTR : TYPE_CNAME;
	ret->data = name->wire;
	ret->len = name->len;
	return true;
}

/* The data behind the owners. Without owners it is only looked at for what is wrong. */
static unsigned hold_data(struct azure_out *out, const struct azure_scope *scope, unsigned owners)
{
	size_t at = scope->keep_at;
	struct azure_entry entry, data;
	struct token_address address;
	struct name name;
	unsigned seen = 0, held = 0;

	while (azure_keep_next(&out->keep, &at, &entry)) {
		if (entry.kind != KEEP_ADDRESS && entry.kind != KEEP_DATA)
			continue;
		if (++seen * (owners ? owners : 1) > AZURE_DATA_MAX) {
			azure_full(out, entry.line, entry.column);
			break;
		}
		if (read_data(out, scope, &entry, &address, &name, &data) && owners)
			held += hold(out, &data);
	}
	return held;
}

/* Owners are on the stack from `before` on. */
static void hold_set(struct azure_out *out, const struct azure_scope *scope, size_t before,
		     unsigned owners)
{
	if (scope->ttl_state == TTL_BAD)
		complain(out->to, COMPLAINT_ERROR, out->in->path, scope->ttl_at.line,
			 scope->ttl_at.column, "no TTL; write seconds, at most 2147483647");
	if (hold_data(out, scope, owners))
		out->taken++;
	else
		azure_keep_pop(&out->held, before);
}

void azure_hold(struct azure_out *out, struct azure_scope *scope,
		const struct azure_contents *contents)
{
	enum azure_kind names = contents->fqdns ? KEEP_FQDN : KEEP_HOST;
	size_t before = out->held.len;
	struct azure_piece zone, name;

	/* For its type. */
	if (scope->records.line && !scope->type)
		split_id(scope, &contents->id, &zone, &name);
	hold_set(out, scope, before, hold_names(out, scope, names));
}

void azure_hold_owner(struct azure_out *out, const struct azure_scope *scope,
		      const struct name *owner, unsigned line)
{
	size_t before = out->held.len;

	hold_set(out, scope, before, hold_owner(out, scope, owner, line));
}

/* Entries: owners, then their data, then the next owners. */
void azure_flush(struct azure_out *out, size_t from)
{
	size_t at = from;
	struct azure_entry owner, data;

	while (azure_keep_next(&out->held, &at, &owner)) {
		size_t behind = at;
		bool met = false;
		struct name name;

		if (owner.kind != KEEP_OWNER || name_from_wire(&name, owner.data, owner.len) < 0)
			continue;
		while (azure_keep_next(&out->held, &behind, &data)) {
			if (data.kind == KEEP_OWNER && met)
				break;
			if (data.kind == KEEP_OWNER)
				continue;
			met = true;
			builder_add(out->builder, &name, data.type, owner.ttl, data.data, data.len,
				    owner.line);
		}
	}
	azure_keep_pop(&out->held, from);
}
