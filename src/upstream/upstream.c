/* SPDX-License-Identifier: MIT */
/*
 * The registry of upstreams and groups.
 *
 * Upstreams and groups are appended by the main thread and never change or go away, so a number is
 * good for ever and workers read without a lock; the counts are stored with release after what they
 * cover. Upstreams with the same address, asked in the same way, are one, in whatever groups they
 * stand: one health. Asked over TLS they are the same only if the certificate must show the same. A
 * group is the same only if zone, servers, order, policy and trust are: its number is part of the
 * cache's key, and what one set of servers said must not pass for what another would.
 *
 * What became of an upstream is upstream_health.c's, which of a group is asked upstream_choice.c's
 * business.
 */
#include "upstream/upstream.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "upstream/inside.h"
#include "wire/types.h"

struct upstreams *upstreams_new(void)
{
	struct upstreams *upstreams = calloc(1, sizeof(*upstreams));

	if (!upstreams)
		return NULL;
	upstreams->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	upstreams->news = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (upstreams->wake >= 0 && upstreams->news >= 0)
		return upstreams;
	upstreams_free(upstreams);
	return NULL;
}

void upstreams_free(struct upstreams *upstreams)
{
	unsigned i;

	if (!upstreams)
		return;
	for (i = 0; i < upstreams->count; i++) {
		upstream_tls_free(upstreams->upstreams[i]->tls);
		free(upstreams->upstreams[i]);
	}
	for (i = 0; i < upstreams->groups_count; i++)
		free(upstreams->groups[i]);
	if (upstreams->wake >= 0)
		close(upstreams->wake);
	if (upstreams->news >= 0)
		close(upstreams->news);
	free(upstreams);
}

static int upstream_number(struct upstreams *upstreams, const struct upstream_conf *conf,
			   uint16_t *ret, struct err *err)
{
	unsigned i, count = upstreams->count;
	struct upstream *upstream;
	char text[ADDR_TEXT_MAX];

	addr_to_text(&conf->addr, DNS_PORT, text);
	for (i = 0; i < count; i++) {
		upstream = upstreams->upstreams[i];
		if (addr_equal(&upstream->addr, &conf->addr) &&
		    upstream_tls_equal(upstream->tls, conf)) {
			if (conf->tls && upstream_tls_renew(upstream->tls, conf, err) < 0)
				return err_prefix(err, "upstream tls://%s: ", text);
			*ret = (uint16_t)i;
			return 0;
		}
	}
	if (count == UPSTREAMS_MAX)
		return err_set(err, "upstream %s: more than %u upstreams since the start; restart",
			       text, UPSTREAMS_MAX);
	upstream = calloc(1, sizeof(*upstream));
	if (!upstream)
		return err_set(err, "upstream %s: out of memory", text);
	if (conf->tls) {
		upstream->tls = upstream_tls_new(conf, err);
		if (!upstream->tls) {
			free(upstream);
			return err_prefix(err, "upstream tls://%s: ", text);
		}
	}
	upstream->addr = conf->addr;
	upstream->loopback = addr_is_loopback(&conf->addr);
	upstreams->upstreams[count] = upstream;
	atomic_store_explicit(&upstreams->count, count + 1, memory_order_release);
	*ret = (uint16_t)count;
	return 0;
}

static bool group_equal(const struct group *a, const struct group *b)
{
	return a->zone_len == b->zone_len && memcmp(a->zone, b->zone, a->zone_len) == 0 &&
	       a->count == b->count && a->policy == b->policy && a->trust_ad == b->trust_ad &&
	       a->use_caps == b->use_caps && a->send_cookie == b->send_cookie &&
	       memcmp(a->members, b->members, a->count * sizeof(a->members[0])) == 0;
}

int upstreams_group(struct upstreams *upstreams, const struct upstream_group_conf *conf,
		    uint16_t *ret_group, struct err *err)
{
	unsigned i, count = upstreams->groups_count;
	struct group group = { .policy = conf->policy,
			       .trust_ad = conf->trust_ad,
			       .use_caps = conf->use_caps,
			       .send_cookie = conf->send_cookie };
	size_t n;

	group.zone_len = conf->zone->len;
	memcpy(group.zone, conf->zone->fold, conf->zone->len);
	for (n = 0; n < conf->count; n++) {
		uint16_t number = 0;
		unsigned seen;

		if (upstream_number(upstreams, &conf->upstreams[n], &number, err) < 0)
			return -1;
		for (seen = 0; seen < group.count && group.members[seen] != number; seen++)
			;
		if (seen < group.count)
			continue; /* named twice */
		if (group.count == UPSTREAMS_A_GROUP_MAX)
			return err_set(err, "more than %u upstreams for one zone; name fewer",
				       UPSTREAMS_A_GROUP_MAX);
		group.members[group.count++] = number;
	}
	for (i = 0; i < count; i++) {
		if (group_equal(upstreams->groups[i], &group)) {
			*ret_group = (uint16_t)i;
			return 0;
		}
	}
	if (count == UPSTREAM_GROUPS_MAX)
		return err_set(err, "more than %u forward zones since the start; restart",
			       UPSTREAM_GROUPS_MAX);
	upstreams->groups[count] = malloc(sizeof(group));
	if (!upstreams->groups[count])
		return err_set(err, "out of memory");
	*upstreams->groups[count] = group;
	atomic_store_explicit(&upstreams->groups_count, count + 1, memory_order_release);
	*ret_group = (uint16_t)count;
	return 0;
}

unsigned upstreams_group_labels(const struct upstreams *upstreams, uint16_t group)
{
	const uint8_t *label = group_at(upstreams, group)->zone;
	unsigned labels = 0;

	for (; *label; label += 1 + *label)
		labels++;
	return labels;
}

bool upstreams_group_is_private(const struct upstreams *upstreams, uint16_t group)
{
	const struct group *g = group_at(upstreams, group);
	unsigned i;

	for (i = 0; i < g->count; i++) {
		const union addr *addr = &upstreams->upstreams[g->members[i]]->addr;

		if (!addr_is_private(addr) && !addr_is_loopback(addr))
			return false;
	}
	return g->count > 0;
}

size_t upstreams_group_members(const struct upstreams *upstreams, uint16_t group,
			       uint16_t ret[UPSTREAMS_A_GROUP_MAX])
{
	const struct group *g = group_at(upstreams, group);

	memcpy(ret, g->members, g->count * sizeof(ret[0]));
	return g->count;
}

size_t upstreams_group_size(const struct upstreams *upstreams, uint16_t group)
{
	return group_at(upstreams, group)->count;
}

const union addr *upstream_addr(const struct upstreams *upstreams, uint16_t upstream)
{
	return &upstream_at(upstreams, upstream)->addr;
}

bool upstream_trusts_ad(const struct upstreams *upstreams, uint16_t group, uint16_t upstream)
{
	const struct upstream *u = upstream_at(upstreams, upstream);

	return group_at(upstreams, group)->trust_ad || u->loopback || u->tls;
}

void upstreams_group_zone(const struct upstreams *upstreams, uint16_t group, struct name *ret)
{
	const struct group *g = group_at(upstreams, group);

	name_from_wire(ret, g->zone, g->zone_len);
}

uint16_t upstreams_member(const struct upstreams *upstreams, uint16_t group, uint8_t member)
{
	return group_at(upstreams, group)->members[member];
}
