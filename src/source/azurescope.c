/* SPDX-License-Identifier: MIT */
/*
 * Which name belongs to which address is told by the object that both stand in, in any order of
 * its keys, so both are kept until it is closed. Rules, so that nothing is invented:
 *
 * - `fqdn` with `ipAddresses` is a pair wherever it stands: only endpoints and zone groups say so.
 *   With a single `ipAddress` it is one only in a row of a list (a container group or a public
 *   address in Terraform's state has both words too).
 * - Data of records (`aRecords`, `Records`) belong to `fqdn`, else to name and zone: of its id,
 *   else of its keys, else the zone that the configuration gives.
 * - `name` alone is the name of a resource, never a host.
 *
 * Records wait in `held` until the outermost object is closed: whether the connection of an
 * endpoint is approved stands behind its names.
 *
 * What an object lacks is complained of only where nothing was told of it before.
 */
#include "source/azurescope.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "source/azurehold.h"
#include "source/token.h"
#include "wire/types.h"

/* Octets of an id: Azure's have up to some 500. */
#define ID_KEPT_MAX 2048

static void refuse(struct azure_out *out, struct azure_place at, const char *what)
{
	complain(out->to, COMPLAINT_ERROR, out->in->path, at.line, at.column, "%s", what);
}

void azure_full(struct azure_out *out, unsigned line, unsigned column)
{
	if (!out->full)
		complain(out->to, COMPLAINT_ERROR, out->in->path, line, column,
			 "one object with more than 64 names, 1000 records or 16 MiB of names and "
			 "data, or no memory; split it");
	out->full = true;
}

bool azure_is_depth_cut(const char *text, size_t len)
{
	static const char *const starts[] = { "System.", "Microsoft.Azure.", "@{" };

	for (size_t i = 0; i < sizeof(starts) / sizeof(*starts); i++)
		if (len > strlen(starts[i]) && memcmp(text, starts[i], strlen(starts[i])) == 0)
			return true;
	return false;
}

void azure_refuse_text(struct azure_out *out, const struct json_event *event)
{
	char shown[TOKEN_SHOWN_MAX];

	token_show(shown, event->text, event->len);
	complain(out->to, COMPLAINT_ERROR, out->in->path, event->line, event->column,
		 azure_is_depth_cut(event->text, event->len)
			 ? "`%s` stands for what PowerShell left out; export with `ConvertTo-Json "
			   "-Depth 8`"
			 : "`%s` is a text where a list or an object should be; export it as such",
		 shown);
}

/* ---- taking ---------------------------------------------------------------------------------- */

void azure_scope_open(struct azure_out *out, struct azure_scope *scope,
		      const struct json_event *event)
{
	builder_settle(out->builder);
	*scope = (struct azure_scope){ .at = { event->line, event->column },
				       .keep_at = out->keep.len,
				       .held_at = out->held.len,
				       .taken = out->taken,
				       .errors = out->to->errors };
}

static void push(struct azure_out *out, enum azure_kind kind, const char *text, size_t len,
		 const struct json_event *event)
{
	struct azure_entry entry = { .kind = kind,
				     .line = event->line,
				     .column = event->column,
				     .len = len,
				     .data = (const uint8_t *)text };

	if (azure_keep_push(&out->keep, &entry) < 0)
		azure_full(out, event->line, event->column);
}

static bool is_between(char c, bool brackets)
{
	return c == ' ' || c == '\t' || c == '\n' || c == ',' || c == ';' ||
	       (brackets && (c == '[' || c == ']' || c == '"'));
}

/*
 * One or several in a text: `a`, `a, b`, `["a", "b"]`. Resource Graph gives lists as texts, and
 * PowerShell joins a list that lies too deep with blanks.
 */
static void push_words(struct azure_out *out, enum azure_kind kind, const struct json_event *event)
{
	const char *at = event->text, *end = at + event->len;
	bool brackets;

	if (event->kind == JSON_NULL)
		return;
	if (azure_is_depth_cut(at, event->len)) {
		azure_refuse_text(out, event);
		return;
	}
	brackets = event->len && *at == '[' && (event->len < 2 || strchr("]\" \n", at[1]));
	while (at < end) {
		const char *start;

		while (at < end && is_between(*at, brackets))
			at++;
		start = at;
		while (at < end && *at && !is_between(*at, brackets))
			at++;
		if (at - start > AZURE_WORD_MAX)
			push(out, kind, start, AZURE_WORD_MAX, event);
		else if (at > start)
			push(out, kind, start, (size_t)(at - start), event);
		else if (at < end)
			at++;
	}
}

void azure_scope_take_fqdn(struct azure_out *out, const struct json_event *event)
{
	push_words(out, KEEP_FQDN, event);
}

void azure_scope_take_address(struct azure_out *out, const struct json_event *event)
{
	push_words(out, KEEP_ADDRESS, event);
}

static bool text_is(const struct json_event *event, const char *text)
{
	return event->len == strlen(text) && strncasecmp(event->text, text, event->len) == 0;
}

void azure_scope_take_state(struct azure_scope *scope, const struct json_event *event, bool any)
{
	if (event->kind != JSON_TEXT || !event->len)
		return;
	if (any && !text_is(event, "Pending") && !text_is(event, "Rejected") &&
	    !text_is(event, "Disconnected"))
		return;
	if (text_is(event, "Approved"))
		return;
	scope->state_at = (struct azure_place){ event->line, event->column };
	snprintf(scope->state, sizeof(scope->state), "%.*s",
		 event->len < 100 ? (int)event->len : 100, event->text);
}

/* `Microsoft.Network/privateDnsZones/A`, `A`; PowerShell's number says nothing new. */
static void take_type(struct azure_scope *scope, const struct json_event *event)
{
	static const char endpoint[] = "/privateEndpoints";
	const char *last = event->len ? memrchr(event->text, '/', event->len) : NULL;
	char word[TYPE_TEXT_MAX];
	size_t len = event->len;

	if (event->kind != JSON_TEXT)
		return;
	if (len >= strlen(endpoint) &&
	    strncasecmp(event->text + len - strlen(endpoint), endpoint, strlen(endpoint)) == 0)
		scope->endpoint = true;
	last = last ? last + 1 : event->text;
	len -= (size_t)(last - event->text);
	if (len && len < sizeof(word)) {
		memcpy(word, last, len);
		word[len] = '\0';
		type_from_text(word, &scope->type);
	}
}

static void take_ttl(struct azure_scope *scope, const struct json_event *event)
{
	if (event->kind == JSON_NULL)
		return;
	scope->ttl_at = (struct azure_place){ event->line, event->column };
	scope->ttl_state =
		token_read_ttl(event->text, event->len, &scope->ttl) ? TTL_GOOD : TTL_BAD;
}

/* Terraform's CNAME record; or a list of one address that PowerShell has made a text of. */
static void take_record(struct azure_out *out, struct azure_scope *scope, const char *key,
			const struct json_event *event)
{
	scope->records = (struct azure_place){ event->line, event->column };
	snprintf(scope->records_key, sizeof(scope->records_key), "%s", key);
	azure_scope_take_address(out, event);
}

static bool is_address(const struct json_event *event)
{
	struct token_address address;

	return token_read_address(event->text, event->len, &address);
}

void azure_scope_take(struct azure_out *out, struct azure_scope *scope,
		      const struct azure_word *word, const struct json_event *event)
{
	bool text = event->kind == JSON_TEXT && event->len;

	switch (word->key) {
	case AZURE_FQDN:
		azure_scope_take_fqdn(out, event);
		break;
	case AZURE_HOST:
		push_words(out, KEEP_HOST, event);
		break;
	case AZURE_ADDRESSES:
		scope->plural = true;
		/* fallthrough */
	case AZURE_ADDRESS:
		scope->address = true;
		azure_scope_take_address(out, event);
		break;
	case AZURE_NAME:
		if (text && event->len < AZURE_WORD_MAX)
			push(out, KEEP_NAME, event->text, event->len, event);
		break;
	case AZURE_ZONE:
		if (text && event->len < ID_KEPT_MAX)
			push(out, KEEP_ZONE, event->text, event->len, event);
		break;
	case AZURE_ID:
		if (text && event->len < ID_KEPT_MAX)
			push(out, KEEP_ID, event->text, event->len, event);
		break;
	case AZURE_TTL:
		take_ttl(scope, event);
		break;
	case AZURE_TYPE:
		take_type(scope, event);
		break;
	case AZURE_STATUS:
		azure_scope_take_state(scope, event, true);
		break;
	case AZURE_CONFIGS:
		scope->endpoint = true;
		scope->configs = (struct azure_place){ event->line, event->column };
		/* fallthrough */
	case AZURE_ZONE_CONFIGS:
	case AZURE_RECORD_SETS:
		if (text)
			azure_refuse_text(out, event);
		break;
	case AZURE_RECORDS:
		if (text && azure_is_depth_cut(event->text, event->len))
			azure_refuse_text(out, event);
		else if (text && strcmp(word->text, "record") == 0)
			take_record(out, scope, "record", event);
		else if (text && is_address(event))
			take_record(out, scope, "records", event);
		break;
	case AZURE_INNER:
	case AZURE_LINK:
	case AZURE_PROPERTIES:
		if (text && azure_is_depth_cut(event->text, event->len))
			azure_refuse_text(out, event);
		break;
	default:
		break;
	}
}

/* ---- what it lacks --------------------------------------------------------------------------- */

static bool told(const struct azure_out *out, const struct azure_scope *scope)
{
	builder_settle(out->builder);
	return out->to->errors != scope->errors;
}

/* What the object is called, else the name that it is about. */
static const char *shown_name(const struct azure_contents *contents, char buf[TOKEN_SHOWN_MAX])
{
	const struct azure_entry *entry = contents->name.len ? &contents->name : &contents->first;

	return entry->len ? token_show(buf, (const char *)entry->data, entry->len) : "NAME";
}

/* An endpoint without a name in it, or a zone group. */
static void judge_endpoint(struct azure_out *out, const struct azure_scope *scope,
			   const struct azure_contents *contents)
{
	char shown[TOKEN_SHOWN_MAX], group[TOKEN_SHOWN_MAX] = "GROUP";
	const char *name = shown_name(contents, shown);
	struct azure_place at = scope->configs.line ? scope->configs : scope->at;
	struct azure_piece piece;

	if (azure_piece_behind(&contents->id, "/resourceGroups/", &piece))
		token_show(group, piece.text, piece.len);
	if (scope->endpoint)
		complain(out->to, COMPLAINT_ERROR, out->in->path, at.line, at.column,
			 "%s: a DNS zone group may hold the names; export `az network "
			 "private-endpoint "
			 "dns-zone-group list -g %s --endpoint-name %s`, or `az network nic show` "
			 "of "
			 "its NIC",
			 scope->configs.line ? "`customDnsConfigs` is empty"
					     : "an endpoint without `customDnsConfigs`",
			 group, name);
	else
		complain(out->to, COMPLAINT_ERROR, out->in->path, at.line, at.column,
			 "the zone group `%s` holds no record set; export `az network nic show` of "
			 "the "
			 "endpoint's NIC",
			 name);
}

/* A connection that is not approved: what the object gave is dropped. */
static void judge_state(struct azure_out *out, const struct azure_scope *scope,
			const struct azure_contents *contents)
{
	char name[TOKEN_SHOWN_MAX], state[TOKEN_SHOWN_MAX];

	azure_keep_pop(&out->held, scope->held_at);
	out->taken = scope->taken;
	complain(out->to, COMPLAINT_ERROR, out->in->path, scope->state_at.line,
		 scope->state_at.column,
		 "the connection of `%s` is %s, so its addresses lead nowhere; have it approved or "
		 "take "
		 "the endpoint out, then export again",
		 shown_name(contents, name), token_show(state, scope->state, strlen(scope->state)));
}

/*
 * A zone may have an empty set among others. Where there are no others, or none with records,
 * that is told when the file is through.
 */
static enum complaint_level empty_level(const struct azure_scope *scope)
{
	return scope->listed ? COMPLAINT_WARNING : COMPLAINT_ERROR;
}

/* Names without data. */
static void judge_names(struct azure_out *out, const struct azure_scope *scope,
			const struct azure_contents *contents)
{
	char shown[TOKEN_SHOWN_MAX];
	const struct azure_entry *first = &contents->first;

	if (told(out, scope) || scope->soa)
		return;
	token_show(shown, (const char *)first->data, first->len);
	if (scope->records.line)
		complain(out->to, empty_level(scope), out->in->path, scope->records.line,
			 scope->records.column,
			 "`%s` of `%s` is empty; take the record set out or export it again",
			 scope->records_key, shown);
	else if (scope->config || (scope->address && (scope->element || scope->plural)))
		complain(out->to, COMPLAINT_ERROR, out->in->path, first->line, first->column,
			 "`%s` has no address; export `az network nic show` of the endpoint's NIC",
			 shown);
}

/* Data without a name, or a record set without either. */
static void judge_data(struct azure_out *out, struct azure_scope *scope,
		       const struct azure_contents *contents)
{
	struct azure_piece shown;
	bool set = scope->records.line &&
		   (scope->record_set || contents->zone.len || contents->data ||
		    azure_piece_behind(&contents->id, "/privateDnsZones/", &shown));
	struct name owner;
	char name[TOKEN_SHOWN_MAX];
	struct err err;
	const char *why;

	if (scope->soa)
		return;
	if (contents->data ||
	    (contents->addresses && (set || (contents->zone.len && scope->element)))) {
		why = azure_find_owner(out, scope, contents, &owner, &shown);
		if (!why) {
			azure_hold_owner(out, scope, &owner,
					 contents->name.len ? contents->name.line : scope->at.line);
			return;
		}
		if (told(out, scope))
			return;
		if (contents->name.len && *contents->name.data == '[')
			err_set(&err, "a record set of a template, named by an expression; export "
				      "the resource itself");
		else
			err_set(&err, "the record set `%s` %s; export it with its `fqdn`",
				token_show(name, shown.text, shown.len), why);
		refuse(out, scope->at,
		       shown.len ? err.text
				 : "a record set without `fqdn`, and without a name "
				   "and a zone to make it of; export it as a whole");
	} else if (told(out, scope)) {
		return;
	} else if (set) {
		complain(out->to, empty_level(scope), out->in->path, scope->records.line,
			 scope->records.column,
			 "`%s` is empty; take the record set out or export it again",
			 scope->records_key);
	} else if (contents->addresses && scope->link.line) {
		refuse(out, scope->link,
		       "an address without names in `fqdns`; see whether the "
		       "connection is approved, then export again");
	} else if (contents->addresses && scope->config) {
		refuse(out, scope->at, "an address without `fqdn`; export it again");
	}
}

void azure_scope_close(struct azure_out *out, struct azure_scope *scope)
{
	struct azure_contents contents;

	azure_count(out, scope, &contents);
	if (contents.fqdns || contents.hosts) {
		if (contents.data || scope->records.line ||
		    (contents.addresses && (scope->config || scope->plural || scope->element)))
			azure_hold(out, scope, &contents);
		if (!contents.data && !contents.addresses)
			judge_names(out, scope, &contents);
	} else {
		judge_data(out, scope, &contents);
	}
	if (*scope->state && (scope->endpoint || out->taken != scope->taken))
		judge_state(out, scope, &contents);
	else if ((scope->endpoint || scope->group) && out->taken == scope->taken &&
		 !told(out, scope))
		judge_endpoint(out, scope, &contents);
	azure_keep_pop(&out->keep, scope->keep_at);
}
