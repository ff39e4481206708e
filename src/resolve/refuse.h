/* SPDX-License-Identifier: MIT */
/*
 * What is answered without looking at any name: strangers, broken messages, other opcodes and
 * classes, transfers. Pure but for the counters, which are the worker's.
 */
#ifndef PRIVLINKD_RESOLVE_REFUSE_H
#define PRIVLINKD_RESOLVE_REFUSE_H

#include <stddef.h>
#include <stdint.h>

#include "resolve/answer.h"
#include "resolve/query.h"
#include "resolve/view.h"
#include "wire/message.h"

/* The rcode that every IN question of this type is refused with, or -1: it is to be resolved. */
int refuse_type(uint16_t type);

/* The length of the answer in `out`, or 0: the query is to be resolved. `verdict` is not
 * MESSAGE_DROP. */
size_t refuse_query(const struct view *view, struct resolver_counters *counters,
		    const struct client *client, enum message_verdict verdict,
		    const struct message_query *query, const struct answer_shape *shape,
		    uint8_t *out, size_t cap);

#endif
