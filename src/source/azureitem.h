/* SPDX-License-Identifier: MIT */
/*
 * One item of `aRecords`, `mxRecords`, PowerShell's `Records`: an object whose keys tell its type,
 * and which becomes the data of one record. One thread.
 */
#ifndef PRIVLINKD_SOURCE_AZUREITEM_H
#define PRIVLINKD_SOURCE_AZUREITEM_H

#include "source/azurescope.h"

struct azure_item {
	struct azure_place at;
	uint16_t type; /* 0: none of ours, or an address, which goes straight to the scope */
	bool bad;      /* complained of */
	bool has_target;
	uint16_t number[3];
	struct name target;
	size_t len; /* of a text record's data */
	uint8_t data[RECORD_DATA_MAX];
};

void azure_item_open(struct azure_item *item, const struct json_event *event);

/* A value with a key. */
void azure_item_take(struct azure_out *out, struct azure_scope *scope, struct azure_item *item,
		     const struct azure_word *word, const struct json_event *event);
/* One text of a TXT record. */
void azure_item_take_text(struct azure_out *out, struct azure_item *item,
			  const struct json_event *event);

/* Its data goes to the open scope. */
void azure_item_close(struct azure_out *out, struct azure_item *item);

#endif
