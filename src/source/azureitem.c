/* SPDX-License-Identifier: MIT */
/*
 * The key says what the data is: `ipv4Address`, `cname`, `value`, `exchange`. So PowerShell's list
 * of untitled `Records` needs no look at its `RecordType`, which may stand behind it and be a
 * number. Items do not nest, so one is enough.
 *
 * SOA records are passed over: privlinkd makes its own.
 */
#include "source/azureitem.h"

#include <string.h>

#include "source/token.h"
#include "wire/types.h"

/* Octets of one string in TXT data (RFC 1035 3.3.14). */
#define TXT_STRING_MAX 255

void azure_item_open(struct azure_item *item, const struct json_event *event)
{
	item->at = (struct azure_place){ event->line, event->column };
	item->type = 0;
	item->bad = item->has_target = false;
	memset(item->number, 0, sizeof(item->number));
	item->len = 0;
}

static void refuse(struct azure_out *out, struct azure_item *item, const struct json_event *event,
		   const char *what)
{
	char shown[TOKEN_SHOWN_MAX];

	complain(out->to, COMPLAINT_ERROR, out->in->path, event->line, event->column, "`%s` %s",
		 token_show(shown, event->text, event->len), what);
	item->bad = true;
}

/* Azure takes longer texts than a string holds, and cuts them when it answers; so do we. */
void azure_item_take_text(struct azure_out *out, struct azure_item *item,
			  const struct json_event *event)
{
	const char *at = event->text;
	size_t left = event->len;

	item->type = TYPE_TXT;
	do {
		size_t len = left < TXT_STRING_MAX ? left : TXT_STRING_MAX;

		if (item->len + 1 + len > sizeof(item->data)) {
			refuse(out, item, event, "is more text than a record holds; shorten it");
			return;
		}
		item->data[item->len++] = (uint8_t)len;
		memcpy(item->data + item->len, at, len);
		item->len += len;
		at += len;
		left -= len;
	} while (left);
}

static void take_target(struct azure_out *out, struct azure_item *item, uint16_t type,
			const struct json_event *event)
{
	const char *why;

	if (event->kind != JSON_TEXT)
		return;
	/* A target of `.` alone says that there is none (RFC 2782, RFC 7505). */
	if (event->len == 1 && *event->text == '.')
		why = name_from_text(&item->target, ".", 1) < 0 ? "is no name" : NULL;
	else
		why = token_read_name(event->text, event->len, NULL, &item->target);
	item->type = type;
	item->has_target = !why;
	if (why) {
		struct err err;

		err_set(&err, "%s; correct it", why);
		refuse(out, item, event, err.text);
	}
}

static void take_number(struct azure_out *out, struct azure_item *item,
			const struct azure_word *word, const struct json_event *event)
{
	uint32_t value;

	if (event->kind == JSON_NULL)
		return;
	if (!token_read_ttl(event->text, event->len, &value) || value > UINT16_MAX)
		refuse(out, item, event, "is no number from 0 to 65535; correct it");
	else
		item->number[word->place] = (uint16_t)value;
}

void azure_item_take(struct azure_out *out, struct azure_scope *scope, struct azure_item *item,
		     const struct azure_word *word, const struct json_event *event)
{
	switch (word->key) {
	case AZURE_ADDRESS:
	case AZURE_ADDRESSES:
		azure_scope_take_address(out, event);
		break;
	case AZURE_TARGET:
		take_target(out, item, word->type, event);
		break;
	case AZURE_NUMBER:
		take_number(out, item, word, event);
		break;
	case AZURE_VALUE:
		if (event->kind != JSON_TEXT)
			break;
		if (azure_is_depth_cut(event->text, event->len))
			azure_refuse_text(out, event);
		else
			azure_item_take_text(out, item, event);
		break;
	case AZURE_SOA:
		scope->soa = true;
		break;
	default:
		break;
	}
}

void azure_item_close(struct azure_out *out, struct azure_item *item)
{
	struct azure_entry entry = { .kind = KEEP_DATA,
				     .type = item->type,
				     .line = item->at.line,
				     .column = item->at.column,
				     .data = item->data };
	unsigned numbers = item->type == TYPE_MX ? 1 : item->type == TYPE_SRV ? 3 : 0;

	if (!item->type || item->bad)
		return;
	if (item->type != TYPE_TXT) {
		if (!item->has_target)
			return;
		for (unsigned i = 0; i < numbers; i++) {
			item->data[item->len++] = (uint8_t)(item->number[i] >> 8);
			item->data[item->len++] = (uint8_t)item->number[i];
		}
		memcpy(item->data + item->len, item->target.wire, item->target.len);
		item->len += item->target.len;
	}
	entry.len = item->len;
	if (azure_keep_push(&out->keep, &entry) < 0)
		azure_full(out, item->at.line, item->at.column);
	item->type = 0;
}
