/* SPDX-License-Identifier: MIT */
/*
 * A column of checks, each of which answers and leaves. Who may not ask is refused before anything
 * else about the query counts; then what is wrong with the message as such; then what we do not do.
 * CHAOS questions about the server itself are answered here too: they look at no zone.
 */
#include "resolve/refuse.h"

#include "resolve/special.h"

/* RFC 6895 3.1. */
int refuse_type(uint16_t type)
{
	if (type == TYPE_AXFR || type == TYPE_IXFR)
		return RCODE_REFUSED;
	if (type != TYPE_ANY && type_is_meta(type))
		return RCODE_NOTIMP;
	return type == 0 ? RCODE_FORMERR : -1;
}

/* The rcode that a well-read query is refused with, or -1: it is to be resolved. */
static int refusal_of(const struct message_query *query)
{
	return query->class == CLASS_IN ? refuse_type(query->type) : RCODE_REFUSED;
}

/* What counts an answer of this rcode for which nothing was decided. */
static struct counter *counter_of(struct resolver_counters *counters, int rcode)
{
	switch (rcode) {
	case RCODE_FORMERR:
		return &counters->formerr;
	case RCODE_NOTIMP:
		return &counters->notimp;
	case RCODE_BADVERS:
		return &counters->badvers;
	case RCODE_NOERROR:
		return &counters->local;
	default:
		return &counters->refused;
	}
}

size_t refuse_query(const struct view *view, struct resolver_counters *counters,
		    const struct client *client, enum message_verdict verdict,
		    const struct message_query *query, const struct answer_shape *shape,
		    uint8_t *out, size_t cap)
{
	const char *text;
	int rcode;

	if (!addr_list_match(&view->allow, &client->from)) {
		counter_add(&counters->refused_acl, 1);
		return answer_error(shape, RCODE_REFUSED, EDE_PROHIBITED, NULL, NULL, out, cap);
	}
	if (verdict == MESSAGE_OK && query->class == CLASS_CH) {
		text = special_chaos(view, &query->name, query->type);
		rcode = text && *text ? RCODE_NOERROR : RCODE_REFUSED;
		counter_add(counter_of(counters, rcode), 1);
		counter_add(&counters->noerror, rcode == RCODE_NOERROR);
		return answer_chaos(shape, text, out, cap);
	}
	switch (verdict) {
	case MESSAGE_FORMERR:
		rcode = RCODE_FORMERR;
		break;
	case MESSAGE_NOTIMP:
		rcode = RCODE_NOTIMP;
		break;
	case MESSAGE_BADVERS:
		rcode = RCODE_BADVERS;
		break;
	default:
		rcode = refusal_of(query);
		if (rcode < 0)
			return 0;
	}
	counter_add(counter_of(counters, rcode), 1);
	return answer_error(shape, (unsigned)rcode, EDE_NONE, NULL, view->id, out, cap);
}
