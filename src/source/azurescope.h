/* SPDX-License-Identifier: MIT */
/*
 * One object of an export and what it says: names, addresses, data of records, whose they are, and
 * what is wrong with it when it is closed.
 *
 * A scope is an object together with those inside it that are mere wrapping (`properties`). Which
 * object is a scope is source/azure's business. One thread.
 */
#ifndef PRIVLINKD_SOURCE_AZURESCOPE_H
#define PRIVLINKD_SOURCE_AZURESCOPE_H

#include "source/azurekeep.h"
#include "source/azurekey.h"
#include "source/jsonread.h"
#include "source/reader.h"

/* Names of one object that share addresses: a NIC's configuration lists the few of one member. */
#define AZURE_NAMES_MAX 64
/*
 * Records of one object: more of one name never fit into an answer, and it bounds the product of
 * names and addresses.
 */
#define AZURE_DATA_MAX RECORDS_A_SET_MAX

/* Where a file's records go. */
struct azure_out {
	const struct reader_input *in;
	struct builder *builder;
	struct complaints *to;
	struct azure_keep keep; /* of open scopes */
	struct azure_keep
		held; /* records that wait until it is known whether their endpoint is up */
	size_t taken; /* groups of records so far */
	bool full;    /* told that something did not fit */
};

struct azure_place {
	unsigned line, column; /* line 0: nowhere */
};

struct azure_scope {
	struct azure_place at;
	size_t keep_at, held_at; /* where the stacks stood */
	size_t taken, errors;    /* counts of then */
	bool element;            /* in a list, or outermost: a row */
	bool listed;             /* in a list: there may be others */
	bool config;             /* of customDnsConfigs or recordSets: nothing else than names */
	bool address;            /* a key for addresses is there */
	bool plural;             /* it was `ipAddresses` */
	bool endpoint;           /* a private endpoint */
	bool group;              /* a DNS zone group */
	bool record_set;
	bool soa;      /* a record set that we make ourselves */
	uint16_t type; /* of the record set; 0: not told */
	struct azure_place configs, link, ttl_at, state_at;
	struct azure_place records;
	char records_key[16];
	char state[16]; /* of its connection: "": fine or not told */
	enum { TTL_NONE, TTL_GOOD, TTL_BAD } ttl_state;
	uint32_t ttl;
};

void azure_scope_open(struct azure_out *out, struct azure_scope *scope,
		      const struct json_event *event);

/* A value with a key, not an object or list. */
void azure_scope_take(struct azure_out *out, struct azure_scope *scope,
		      const struct azure_word *word, const struct json_event *event);
/* The parts of it that may be lists: each text. */
void azure_scope_take_fqdn(struct azure_out *out, const struct json_event *event);
void azure_scope_take_address(struct azure_out *out, const struct json_event *event);
/* `status` of a connection: all but `Approved` is noted. `any`: it may be another status. */
void azure_scope_take_state(struct azure_scope *scope, const struct json_event *event, bool any);

/* Its names and data become records, which wait in out->held; tells what is wrong with it. */
void azure_scope_close(struct azure_out *out, struct azure_scope *scope);

/* What waits, from this length of out->held on, goes to the builder. */
void azure_flush(struct azure_out *out, size_t from);

/* Tells once that something did not fit. */
void azure_full(struct azure_out *out, unsigned line, unsigned column);

/* A text that stands where a list or object should: complained of. */
void azure_refuse_text(struct azure_out *out, const struct json_event *event);
/* Has PowerShell put this for an object that lay too deep? */
bool azure_is_depth_cut(const char *text, size_t len);

#endif
