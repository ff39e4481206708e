/* SPDX-License-Identifier: MIT */
/*
 * Entries lie behind each other as octets, a head and its data, and are copied out of and into
 * structs, so alignment does not matter. The stack grows by doubling and never shrinks while a file
 * is read.
 */
#include "source/azurekeep.h"

#include <stdlib.h>
#include <string.h>

struct head {
	enum azure_kind kind;
	uint16_t type;
	uint32_t ttl;
	unsigned line, column;
	size_t len;
};

void azure_keep_fini(struct azure_keep *keep)
{
	free(keep->data);
	*keep = (struct azure_keep){ 0 };
}

int azure_keep_push(struct azure_keep *keep, const struct azure_entry *entry)
{
	struct head head = { entry->kind, entry->type,   entry->ttl,
			     entry->line, entry->column, entry->len };
	size_t len = keep->len + sizeof(head) + entry->len;

	if (len > AZURE_KEEP_MAX)
		return -1;
	if (len > keep->room) {
		size_t room = len * 2 < AZURE_KEEP_MAX ? len * 2 : AZURE_KEEP_MAX;
		uint8_t *grown = realloc(keep->data, room);

		if (!grown)
			return -1;
		keep->data = grown;
		keep->room = room;
	}
	memcpy(keep->data + keep->len, &head, sizeof(head));
	if (entry->len)
		memcpy(keep->data + keep->len + sizeof(head), entry->data, entry->len);
	keep->len = len;
	return 0;
}

bool azure_keep_next(const struct azure_keep *keep, size_t *at, struct azure_entry *ret)
{
	struct head head;

	if (*at >= keep->len)
		return false;
	memcpy(&head, keep->data + *at, sizeof(head));
	*ret = (struct azure_entry){ head.kind,
				     head.type,
				     head.ttl,
				     head.line,
				     head.column,
				     head.len,
				     keep->data + *at + sizeof(head) };
	*at += sizeof(head) + head.len;
	return true;
}

void azure_keep_pop(struct azure_keep *keep, size_t len)
{
	keep->len = len;
}
