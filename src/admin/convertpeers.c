/* SPDX-License-Identifier: MIT */
/*
 * Configuration for Unbound (1.17 was tried) and dnsmasq (2.86 or later): what a query for a held
 * name gets from us, said in their words. Neither makes public forms of private ones, so both are
 * written out; neither leaks an upstream's answer for a type that is not held.
 *
 * Unbound: each name is a local zone of its own. `transparent` answers NODATA for other types and
 * sends names below it on, so among wildcards it does what RFC 4592 says. A wildcard is a
 * `redirect` zone at the name above it, which then answers too; if that is held itself, it cannot
 * be said.
 * Unbound follows a CNAME out of local data in `redirect` zones alone, and not into local data: one
 * that leads to addresses of ours is written as those.
 *
 * dnsmasq: host-record lines hold all forms of a name, the first of them is what PTR gives. `local`
 * keeps other types from being sent on, `server` with `#` lets names below through. A cname has to
 * lead to a name that dnsmasq knows itself. Its lines have 1,024 octets at most.
 */
#include <stdlib.h>
#include <string.h>

#include "admin/convert.h"
#include "source/token.h"

/* All forms of a name, the public ones first. */
struct forms {
	size_t at;
	bool own;
};

static bool next_form(const struct convert *convert, const struct convert_set *set,
		      struct forms *forms, struct name *ret)
{
	if (!forms->own && convert_public(convert, &set->name, &forms->at, ret))
		return true;
	if (forms->own)
		return false;
	forms->own = true;
	*ret = set->name;
	return true;
}

/* ---- Unbound --------------------------------------------------------------------------------- */

/* Between single quotes, where nothing but such a quote has a meaning; \039 is one in DNS text. */
static void unbound_line(struct convert *convert, const char *key, const char *value,
			 const char *more)
{
	const char *s;

	fprintf(convert->out, "\t%s: '", key);
	for (s = value; *s; s++) {
		if (*s == '\'')
			fputs("\\039", convert->out);
		else
			fputc(*s, convert->out);
	}
	fprintf(convert->out, "'%s\n", more);
}

static const char *absolute(const struct name *name, char text[NAME_TEXT_MAX + 1])
{
	name_to_text(name->wire, text);
	if (name->labels)
		strcat(text, ".");
	return text;
}

static void unbound_begin(struct convert *convert)
{
	fputs("server:\n", convert->out);
}

/* Addresses from elsewhere for names of these zones are let through private-address. */
static void unbound_zone(struct convert *convert, const struct convert_set *set)
{
	char text[NAME_TEXT_MAX + 1];
	struct name public;
	size_t i;

	if (!convert_zone_changes(convert, set) || !convert->zone.labels)
		return;
	unbound_line(convert, "private-domain", absolute(&convert->zone, text), "");
	for (i = 0; zones_public_apex(convert->zones, &set->name, i, &public) == 0; i++)
		unbound_line(convert, "private-domain", absolute(&public, text), "");
}

static void unbound_data(struct convert *convert, const struct convert_set *set, uint32_t ttl,
			 const struct name *owner)
{
	char text[NAME_TEXT_MAX + 1], type[TYPE_TEXT_MAX], *data, *line = NULL;
	size_t i;

	absolute(owner, text);
	for (i = 0; i < set->count; i++) {
		data = convert_data(convert, set->type, &set->record[i]);
		if (data && asprintf(&line, "%s %u IN %s %s", text, ttl,
				     type_to_text(set->type, type), data) >= 0) {
			unbound_line(convert, "local-data", line, "");
			free(line);
		} else {
			convert->no_memory = true;
		}
		free(data);
	}
}

/* The addresses at the end of a chain, in place of the CNAME. */
static void each_address(struct convert *convert, const struct convert_target *target,
			 const struct name *owner, convert_set_fn *write_line)
{
	struct convert_set *end = calloc(1, sizeof(*end));
	static const uint16_t types[] = { TYPE_A, TYPE_AAAA };
	size_t i;

	if (!end)
		convert->no_memory = true;
	for (i = 0; end && i < 2; i++) {
		if (!convert_find(end, target->node, types[i]))
			continue;
		end->node = target->node;
		end->name = *owner;
		end->ttl = target->ttl;
		name_to_text(owner->wire, end->owner);
		write_line(convert, end);
	}
	free(end);
}

static void unbound_end(struct convert *convert, const struct convert_set *set)
{
	unbound_data(convert, set, set->ttl, &set->name);
}

static bool parent_is_held(const struct convert *convert, const struct name *wildcard)
{
	struct table_hit hit;
	struct name parent;

	name_strip(&parent, wildcard, 1);
	table_lookup(convert->table, &parent, &hit);
	return hit.match == TABLE_HELD && !hit.wildcard;
}

static void unbound_set(struct convert *convert, const struct convert_set *set)
{
	struct convert_target target;
	bool follows = set->type == TYPE_CNAME && convert_follow(convert, set, &target);
	bool redirect = set->wildcard || (set->type == TYPE_CNAME && !follows);
	struct forms forms = { .at = 0 };
	char text[NAME_TEXT_MAX + 1];
	struct name form;

	unbound_zone(convert, set);
	if (set->wildcard && parent_is_held(convert, &set->name)) {
		convert_leave_out(
			convert, set,
			"Unbound has no wildcards below a name that is held; write each name");
		return;
	}
	if (set->type == TYPE_DS)
		convert_leave_out(
			convert, set,
			"Unbound takes a DS for data of the zone above; keep it in that zone");
	if (set->type == TYPE_DS && set->wildcard)
		return;
	while (next_form(convert, set, &forms, &form)) {
		if (set->wildcard)
			name_strip(&form, &form, 1);
		if (set->first)
			unbound_line(convert, "local-zone", absolute(&form, text),
				     redirect ? " redirect" : " transparent");
		if (set->type == TYPE_DS)
			continue;
		if (follows)
			each_address(convert, &target, &form, unbound_end);
		else
			unbound_data(convert, set, set->ttl, &form);
	}
}

const struct convert_format convert_unbound = {
	.name = "unbound", .comment = "#", .begin = unbound_begin, .pass = { unbound_set }
};

/* ---- dnsmasq --------------------------------------------------------------------------------- */

/* Octets of a line, less what stands around names and data. */
#define LINE_MAX_OCTETS 960

/* All forms between commas, each with one behind it. False if a line cannot hold them. */
static bool join_forms(const struct convert *convert, const struct convert_set *set,
		       char text[NAME_TEXT_MAX])
{
	char one[NAME_TEXT_MAX];
	struct forms forms = { .at = 0 };
	struct name form;
	size_t len = 0, one_len;

	while (next_form(convert, set, &forms, &form)) {
		one_len = name_to_text(form.wire, one);
		if (len + one_len + 2 > LINE_MAX_OCTETS)
			return false;
		memcpy(text + len, one, one_len);
		len += one_len;
		text[len++] = ',';
	}
	text[len] = '\0';
	return true;
}

/* Types that are not held are not sent on; names below are, unless this is a wildcard. */
static void dnsmasq_local(struct convert *convert, const struct convert_set *set)
{
	char text[NAME_TEXT_MAX];
	struct forms forms = { .at = 0 };
	struct name form;

	while (set->first && next_form(convert, set, &forms, &form)) {
		name_to_text(form.wire, text);
		fprintf(convert->out, "local=/%s/\n", text);
		if (!set->wildcard)
			fprintf(convert->out, "server=/*.%s/#\n", text);
	}
}

static void dnsmasq_addresses(struct convert *convert, const struct convert_set *set)
{
	char text[NAME_TEXT_MAX], *data;
	struct forms forms;
	struct name form;
	size_t i;

	for (i = 0; i < set->count; i++) {
		data = convert_data(convert, set->type, &set->record[i]);
		forms = (struct forms){ .at = 0 };
		while (data && set->wildcard && next_form(convert, set, &forms, &form)) {
			name_to_text(form.wire, text);
			fprintf(convert->out, "address=/%s/%s\n", text, data);
		}
		if (data && !set->wildcard && join_forms(convert, set, text))
			fprintf(convert->out, "host-record=%s%s,%u\n", text, data, set->ttl);
		free(data);
	}
}

static void dnsmasq_end(struct convert *convert, const struct convert_set *set)
{
	struct convert_set *end = malloc(sizeof(*end));

	if (!end) {
		convert->no_memory = true;
		return;
	}
	*end = *set;
	end->wildcard = set->name.wire[0] == 1 && set->name.wire[1] == '*';
	dnsmasq_addresses(convert, end);
	free(end);
}

static void dnsmasq_cname(struct convert *convert, const struct convert_set *set, const char *forms)
{
	char text[NAME_TEXT_MAX];
	struct convert_target target;
	struct name name;
	size_t len = name_to_text(set->record[0].rdata, text);

	if (!convert_follow(convert, set, &target)) {
		convert_leave_out(
			convert, set,
			"dnsmasq follows a CNAME to names that it holds alone; write addresses");
		return;
	}
	dnsmasq_local(convert, set);
	if (target.exact && !set->wildcard && !token_read_name(text, len, NULL, &name) &&
	    strlen(forms) + len < LINE_MAX_OCTETS)
		fprintf(convert->out, "cname=%s%s,%u\n", forms, text, set->ttl);
	else
		each_address(convert, &target, &set->name, dnsmasq_end);
}

static void dnsmasq_other(struct convert *convert, const struct convert_set *set)
{
	char text[NAME_TEXT_MAX];
	struct forms forms;
	struct name form;
	size_t i, j;

	for (i = 0; i < set->count; i++) {
		if (set->name.len + set->record[i].rdata_len * 2u > LINE_MAX_OCTETS) {
			convert_leave_out(
				convert, set,
				"more than a line of dnsmasq's can hold; shorten the data");
			return;
		}
	}
	dnsmasq_local(convert, set);
	for (i = 0; i < set->count; i++) {
		forms = (struct forms){ .at = 0 };
		while (next_form(convert, set, &forms, &form)) {
			name_to_text(form.wire, text);
			fprintf(convert->out, "dns-rr=%s,%u%s", text, set->type,
				set->record[i].rdata_len ? "," : "");
			for (j = 0; j < set->record[i].rdata_len; j++)
				fprintf(convert->out, "%02x", set->record[i].rdata[j]);
			fputc('\n', convert->out);
		}
	}
}

static void dnsmasq_set(struct convert *convert, const struct convert_set *set)
{
	char forms[NAME_TEXT_MAX];

	if (!convert_is_plain(set) || !join_forms(convert, set, forms)) {
		convert_leave_out(
			convert, set,
			"dnsmasq has host names of letters, digits, - and _ alone, and short "
			"lines; convert to unbound");
	} else if (set->type == TYPE_CNAME) {
		dnsmasq_cname(convert, set, forms);
	} else if (convert_is_address(set->type)) {
		dnsmasq_local(convert, set);
		dnsmasq_addresses(convert, set);
	} else if (set->wildcard) {
		convert_leave_out(convert, set,
				  "dnsmasq has wildcards of addresses alone; write each name");
	} else {
		dnsmasq_other(convert, set);
	}
}

const struct convert_format convert_dnsmasq = { .name = "dnsmasq",
						.comment = "#",
						.pass = { dnsmasq_set } };
