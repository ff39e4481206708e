/* SPDX-License-Identifier: MIT */
/*
 * Upstream servers, the groups they form, and which group a name goes to.
 *
 * The registry lives as long as the process and only grows, so pointers and group numbers stay good
 * across reloads; the same servers for the same zone get the same number again, and so keep their
 * cache. Health is one atomic struct an upstream, shared by all workers. Filled by the main thread;
 * read by any.
 */
#ifndef PRIVLINKD_UPSTREAM_UPSTREAM_H
#define PRIVLINKD_UPSTREAM_UPSTREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/addr.h"
#include "net/tls.h"
#include "wire/name.h"

/* Over the life of a process; reloads with ever new upstreams reach it only by intent. */
#define UPSTREAMS_MAX 1024
#define UPSTREAM_GROUPS_MAX 4096
#define UPSTREAMS_A_GROUP_MAX 16

enum upstream_policy {
	UPSTREAM_ORDERED, /* the first that is well */
	UPSTREAM_FASTEST,
	UPSTREAM_SPREAD,
};

struct upstreams;

struct upstream_conf {
	union addr addr;
	bool tls;           /* then: */
	char tls_name[256]; /* what the certificate must show; "": the address */
	const char *tls_ca; /* the file of authorities; NULL: the system's */
	/* What was read from that; NULL where pins alone decide. Good during the call. */
	const struct tls_roots *tls_roots;
	const struct tls_pin *tls_pins;
	size_t tls_pins_count;
};

struct upstream_group_conf {
	const struct name *zone;
	const struct upstream_conf *upstreams;
	size_t count; /* 0: a group that always fails (held names only) */
	enum upstream_policy policy;
	bool trust_ad;
	bool use_caps;    /* the case of names is drawn, and must come back ("0x20") */
	bool send_cookie; /* RFC 7873 */
};

struct upstreams *upstreams_new(void);
void upstreams_free(struct upstreams *upstreams);

/*
 * The number of this group, new or known. New authorities (tls_roots) of a known upstream count
 * from its next connection on.
 */
int upstreams_group(struct upstreams *upstreams, const struct upstream_group_conf *conf,
		    uint16_t *ret_group, struct err *err);

/* Labels of the forward zone that the group is for. */
unsigned upstreams_group_labels(const struct upstreams *upstreams, uint16_t group);

/* Has every upstream of the group a private or loopback address? False for an empty group. */
bool upstreams_group_is_private(const struct upstreams *upstreams, uint16_t group);

/* For status: what is known of upstream `i`; false past the end. */
struct upstream_state {
	union addr addr;
	bool tls;
	bool well;       /* false: set aside */
	uint32_t rtt_us; /* smoothed round trip; 0: never measured */
	uint64_t asked, answered, failed, timeouts;
};
bool upstreams_state(const struct upstreams *upstreams, size_t i, struct upstream_state *ret);

/* The upstreams of a group, as numbers for upstreams_state; returns how many. */
size_t upstreams_group_members(const struct upstreams *upstreams, uint16_t group,
			       uint16_t ret[UPSTREAMS_A_GROUP_MAX]);

/* For the forwarder, any worker: */

void upstreams_group_zone(const struct upstreams *upstreams, uint16_t group, struct name *ret);
/* The registry's number of a member. */
uint16_t upstreams_member(const struct upstreams *upstreams, uint16_t group, uint8_t member);

size_t upstreams_group_size(const struct upstreams *upstreams, uint16_t group);
const union addr *upstream_addr(const struct upstreams *upstreams, uint16_t upstream);
/* Must it be asked over TLS, and in no other way? */
bool upstream_is_tls(const struct upstreams *upstreams, uint16_t upstream);

/* May AD in a reply of this one be believed for this group (trust-ad, TLS or loopback)? */
bool upstream_trusts_ad(const struct upstreams *upstreams, uint16_t group, uint16_t upstream);

/* Which group a name goes to: the longest suffix. Immutable once sealed; any thread. */
struct routes;
struct routes *routes_new(void);
void routes_free(struct routes *routes);
int routes_add(struct routes *routes, const struct name *zone, uint16_t group, struct err *err);
/* A route for the root must be among them. */
int routes_seal(struct routes *routes, struct err *err);
/* *ret_labels, which may be NULL: labels of the zone that matched. */
uint16_t routes_match(const struct routes *routes, const struct name *name, unsigned *ret_labels);
/* Route `i`, in the order of adding; false past the end. */
bool routes_at(const struct routes *routes, size_t i, struct name *ret_zone, uint16_t *ret_group);

#endif
