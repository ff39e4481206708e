/* SPDX-License-Identifier: MIT */
/*
 * The border between sockets and DNS: a client's message goes in, an answer comes out, now or
 * later.
 *
 * A resolver belongs to one worker. What can be answered from memory is answered at once into the
 * caller's buffer. A question that must wait becomes a query, taken from a preallocated pool:
 * client, question, deadline and the replies so far. Every time a reply arrives the decision
 * (resolve/step) runs again from the question, over the view of that moment. Every query ends with
 * exactly one answer, at the latest after RESOLVER_DEADLINE_MS.
 */
#ifndef PRIVLINKD_RESOLVE_QUERY_H
#define PRIVLINKD_RESOLVE_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/counter.h"
#include "base/err.h"
#include "forward/forward.h"
#include "net/addr.h"
#include "resolve/view.h"

/* When a client has its answer, whatever happens. */
#define RESOLVER_DEADLINE_MS 4000
/* From when on an answer past its time will do: the client response timer of RFC 8767 5. */
#define RESOLVER_STALE_MS 1800

/* Largest message, and the least room `out` must have. */
#define RESOLVER_MESSAGE_MAX 65535

/* Who asked and how; copied into a waiting query and handed back with its answer. */
struct client {
	union addr from;
	union addr to;    /* the address and port that was asked */
	bool stream;      /* TCP or TLS: no size limit but 64 KiB */
	bool tls;         /* a stream, and nobody can read along: answers are padded if asked */
	uint16_t idle_ds; /* a stream's: how long it may be idle, in units of 100 ms (RFC 7828) */
	uint32_t ifindex; /* UDP: interface the question came in by, for link-local replies */
	uint32_t slot;    /* the caller's: which socket or connection ... */
	/* ... and which use of that slot, so that a late answer finds no stranger */
	uint64_t serial;
};

enum resolver_verdict {
	RESOLVER_ANSWER,  /* *ret_len octets in `out` are to be sent */
	RESOLVER_DROP,    /* no answer at all */
	RESOLVER_LATER,   /* resolver_send_fn will be called once */
	RESOLVER_PUT_OFF, /* resolver_resume will say; of resolver_receive_some alone */
};

/* An answer that had to wait. The message is good during the call. */
typedef void resolver_send_fn(void *arg, const struct client *client, const uint8_t *message,
			      size_t len);

/* Things that the operator may want to read of; the receiver limits their rate. `name` is the
 * question's. */
enum resolver_event {
	RESOLVER_EVENT_QUERY, /* query logging is on: text is the outcome */
	/* a chain that `aliases` does not allow was passed on uncut; text is the alias */
	RESOLVER_EVENT_ALIAS_DENIED,
	RESOLVER_EVENT_MUST_BE_PRIVATE, /* such a name is not held: SERVFAIL */
	/* a Site Recovery name that is not held, of a vault with other held names */
	RESOLVER_EVENT_VAULT_NAME,
};
typedef void resolver_event_fn(void *arg, enum resolver_event event, const struct client *client,
			       const struct name *name, uint16_t type, const char *text);

struct resolver_conf {
	unsigned queries_max; /* that wait, a worker; one more is answered SERVFAIL */
	resolver_send_fn *send;
	resolver_event_fn *event; /* or NULL */
	void *arg;
};

/* One writer: the worker. */
struct resolver_counters {
	struct counter queries, dropped, refused_acl, formerr, notimp, badvers, refused;
	struct counter local;         /* answered without any reply of an upstream */
	struct counter forwarded;     /* at least one reply was used */
	struct counter cut;           /* chains of an upstream that were cut at a name of ours */
	struct counter stale;         /* answers with something past its time */
	struct counter waited;        /* became a query */
	struct counter full;          /* SERVFAIL since a limit was met */
	struct counter refused_share; /* a group had its share of the queries that may wait */
	struct counter unkept;        /* large replies not kept by a query that waits for more */
	struct counter deadline;      /* SERVFAIL since nothing came in time */
	struct counter loops;         /* SERVFAIL since it was a question of ours that came back */
	struct counter truncated;
	struct counter alias_denied, must_be_private, vault_names;
	struct counter noerror, nxdomain, servfail;
};

struct resolver;

/* `forward` is wired up after: see resolver_forwarded. */
struct resolver *resolver_new(const struct resolver_conf *conf, struct err *err);
void resolver_free(struct resolver *resolver);
void resolver_use_forward(struct resolver *resolver, struct forward *forward);

/* The view for all that follows; the one before is not touched again. Between batches. */
void resolver_use_view(struct resolver *resolver, const struct view *view);

/* One message from a client; `out` has room for RESOLVER_MESSAGE_MAX octets and may not overlap
 * `in`. */
enum resolver_verdict resolver_receive(struct resolver *resolver, const struct client *client,
				       const uint8_t *in, size_t len, uint64_t now_ms, uint8_t *out,
				       size_t *ret_len);

/*
 * The same for one of several messages that are there at once. Whose answer hangs on the cache, or
 * on a table of records too large for the processor's caches, is put off, and that fetched from
 * memory meanwhile. As soon as RESOLVER_PUT_OFF_MAX are, and behind
 * the last message, resolver_resume is called until it has given all of them: so `in` and what it
 * says must stay until then. Nothing else may be called in between but resolver_receive_some.
 */
#define RESOLVER_PUT_OFF_MAX 8 /* waits for memory that overlap; enough to hide them */
enum resolver_verdict resolver_receive_some(struct resolver *resolver, const struct client *client,
					    const uint8_t *in, size_t len, uint64_t now_ms,
					    uint8_t *out, size_t *ret_len);
/* How many are put off. */
unsigned resolver_put_off(const struct resolver *resolver);
/* The next of those put off: its verdict, which is not RESOLVER_PUT_OFF, and its client. */
enum resolver_verdict resolver_resume(struct resolver *resolver, struct client *ret_client,
				      uint8_t *out, size_t *ret_len);

/* The forward_done_fn for forward_new, with the resolver as its argument. */
void resolver_forwarded(void *resolver, uint64_t waiter, const struct reply *reply);

/* Ends what is past its deadline. Returns the milliseconds until it wants to be called again, or
 * -1: nothing waits. */
int resolver_expire(struct resolver *resolver, uint64_t now_ms);

/* The client of this slot and serial is gone: its queries go on unanswered. */
void resolver_client_gone(struct resolver *resolver, uint32_t slot, uint64_t serial);

const struct resolver_counters *resolver_counters(const struct resolver *resolver);
unsigned resolver_waiting(const struct resolver *resolver);

/*
 * How a query for this name and type is decided, step by step, in words; asks upstream where a
 * client's would. `done` is called once, maybe before this returns, with the trace (lines) and the
 * answer message (len 0 if there is none).
 */
typedef void resolver_explained_fn(void *arg, const char *trace, const uint8_t *answer, size_t len);
void resolver_explain(struct resolver *resolver, const struct name *name, uint16_t type,
		      uint64_t now_ms, resolver_explained_fn *done, void *arg);

#endif
