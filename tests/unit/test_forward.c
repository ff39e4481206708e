/* SPDX-License-Identifier: MIT */
/* Questions out and replies back, over real sockets against an upstream in a thread. */
#include <sys/resource.h>

#include "unit/forwardkit.h"
#include "unit/responder.h"
#include "unit/unit.h"
#include "upstream/health.h"

START_TEST(answers_and_caches)
{
	struct responder r;
	struct reply reply;
	struct forward_cache_state state;
	struct forward_question question = { .name = &name, .type = TYPE_A };

	responder_start(&r, responder_address);
	group = question.group = make_group(&r.addr, 1, UPSTREAM_ORDERED);
	start(1, (struct forward_conf){ 0 });
	ck_assert_int_eq(get(&sides[0], TYPE_A, 0, &reply), FORWARD_MISS);
	ck_assert_int_eq(get(&sides[0], TYPE_A, 7, &reply), FORWARD_WAITING);
	ck_assert_uint_eq(sides[0].done, 0);
	wait_for(&sides[0], 1);
	ck_assert_uint_eq(sides[0].waiter, 7);
	check_address(&sides[0].reply);
	ck_assert(r.last_flags & FLAG_RD);
	ck_assert(r.last_flags & FLAG_AD); /* loopback is trusted */
	ck_assert_uint_eq(r.with_edns, 1);
	name_from_text(&name, "wWW.example.TEST", 16);
	ck_assert_int_eq(get(&sides[0], TYPE_A, 8, &reply), FORWARD_HIT);
	check_address(&reply);
	ck_assert_uint_eq(r.asked, 1);
	/* It ages, and ends with its TTL. */
	ck_assert_int_eq(forward_get(sides[0].forward, &question, 0, clock_now_ms() + 100000, buf,
				     sizeof(buf), &reply),
			 FORWARD_HIT);
	ck_assert_uint_ge(reply.age_s, 99);
	ck_assert_uint_le(reply_ttl(&reply, 300), 201);
	ck_assert_int_eq(forward_get(sides[0].forward, &question, 0, clock_now_ms() + 300001, buf,
				     sizeof(buf), &reply),
			 FORWARD_MISS);
	/* The memo stays with it, and with no other. */
	ck_assert_int_eq(get(&sides[0], TYPE_A, 0, &reply), FORWARD_HIT);
	ck_assert_uint_eq(reply.memo, 0);
	forward_remember(sides[0].forward, &question, 0, 41);
	forward_remember(sides[0].forward, &question, reply.serial, 42);
	ck_assert_int_eq(get(&sides[0], TYPE_A, 0, &reply), FORWARD_HIT);
	ck_assert_uint_eq(reply.memo, 42);
	forward_cache_state(shared, &state);
	ck_assert_uint_eq(state.entries, 1);
	ck_assert_uint_eq(state.inflight, 0);
	ck_assert_uint_eq(forward_flush(shared, &name), 1);
	ck_assert_int_eq(get(&sides[0], TYPE_A, 0, &reply), FORWARD_MISS);
	stop(1);
	responder_stop(&r);
}
END_TEST

/* A for an address, AAAA for NODATA with an SOA of 300 s, TXT for SERVFAIL. */
static size_t by_type(struct responder *r, const struct message_query *query, const uint8_t *data,
		      bool tcp, uint8_t *out)
{
	static const uint8_t soa[2 + 20] = { 0, 0, [20] = 1, [21] = 44 };
	struct writer writer;

	if (query->type == TYPE_A)
		return responder_address(r, query, data, tcp, out);
	responder_begin(&writer, query, data,
			query->type == TYPE_TXT ? RCODE_SERVFAIL : RCODE_NOERROR, out);
	if (query->type == TYPE_AAAA)
		writer_record(&writer, SECTION_AUTHORITY, query->name.wire, TYPE_SOA, 300, soa,
			      sizeof(soa));
	return writer_finish(&writer);
}

/* What a reload brings counts for what is cached already, in both directions. */
START_TEST(limits_change)
{
	struct forward_limits limits = { .cache_bytes = 1 << 20,
					 .ttl_max_s = 86400,
					 .negative_ttl_max_s = 900 };
	struct forward_question question = { .name = &name, .type = TYPE_A };
	struct forward_cache_state state;
	struct rlimit memory;
	struct responder r;
	struct reply reply;
	struct err err;

	responder_start(&r, by_type);
	group = question.group = make_group(&r.addr, 1, UPSTREAM_ORDERED);
	start(1, (struct forward_conf){ 0 });
	ck_assert_int_eq(get(&sides[0], TYPE_A, 1, &reply), FORWARD_WAITING);
	ck_assert_int_eq(get(&sides[0], TYPE_AAAA, 2, &reply), FORWARD_WAITING);
	wait_for(&sides[0], 2);
	ck_assert_int_eq(get(&sides[0], TYPE_TXT, 3, &reply), FORWARD_WAITING);
	wait_for(&sides[0], 3);
	ck_assert(sides[0].reply.failed);
	ck_assert_int_eq(get(&sides[0], TYPE_A, 0, &reply), FORWARD_HIT);
	ck_assert_uint_eq(reply_ttl(&reply, 300), 300);
	ck_assert_int_eq(get(&sides[0], TYPE_AAAA, 0, &reply), FORWARD_HIT);
	ck_assert_uint_eq(reply_ttl(&reply, 300), 300);

	limits.ttl_max_s = 20;
	ck_assert_int_eq(forward_shared_configure(shared, &limits, &err), 0);
	ck_assert_int_eq(get(&sides[0], TYPE_A, 0, &reply), FORWARD_HIT);
	ck_assert_uint_eq(reply_ttl(&reply, 300), 20);
	/* The limit ages too: nobody keeps it beyond the 20 s that we do. */
	ck_assert_int_eq(forward_get(sides[0].forward, &question, 0, clock_now_ms() + 15000, buf,
				     sizeof(buf), &reply),
			 FORWARD_HIT);
	ck_assert_uint_eq(reply_ttl(&reply, 300), 20 - reply.age_s);
	ck_assert_int_eq(forward_get(sides[0].forward, &question, 0, clock_now_ms() + 20000, buf,
				     sizeof(buf), &reply),
			 FORWARD_MISS);
	ck_assert_int_eq(get(&sides[0], TYPE_AAAA, 0, &reply), FORWARD_HIT);
	ck_assert_uint_eq(reply_ttl(&reply, 300), 300);

	limits.ttl_max_s = 86400;
	limits.negative_ttl_max_s = 0;
	ck_assert_int_eq(forward_shared_configure(shared, &limits, &err), 0);
	ck_assert_int_eq(get(&sides[0], TYPE_A, 0, &reply), FORWARD_HIT);
	ck_assert_uint_eq(reply_ttl(&reply, 300), 300);
	ck_assert_int_eq(get(&sides[0], TYPE_AAAA, 0, &reply), FORWARD_MISS);
	/* Nor is it kept anew; a failure is, whatever the limits (RFC 9520). */
	ck_assert_int_eq(get(&sides[0], TYPE_AAAA, 4, &reply), FORWARD_WAITING);
	wait_for(&sides[0], 4);
	ck_assert_uint_eq(reply_ttl(&sides[0].reply, 300), 0);
	ck_assert_int_eq(get(&sides[0], TYPE_AAAA, 0, &reply), FORWARD_MISS);
	limits.ttl_max_s = 0;
	ck_assert_int_eq(forward_shared_configure(shared, &limits, &err), 0);
	ck_assert_int_eq(get(&sides[0], TYPE_A, 0, &reply), FORWARD_MISS);
	ck_assert_int_eq(get(&sides[0], TYPE_TXT, 0, &reply), FORWARD_HIT);

	/* A question in flight while the cache gets another size ends as it should. */
	limits = (struct forward_limits){ .cache_bytes = 64 << 20,
					  .ttl_max_s = 86400,
					  .negative_ttl_max_s = 900 };
	ck_assert_int_eq(get(&sides[0], TYPE_MX, 5, &reply), FORWARD_WAITING);
	ck_assert_int_eq(forward_shared_configure(shared, &limits, &err), 0);
	forward_cache_state(shared, &state);
	ck_assert_uint_eq(state.entries, 0);
	ck_assert_uint_eq(state.bytes_max, 64 << 20);
	ck_assert_uint_eq(state.inflight, 1);
	ck_assert_int_eq(get(&sides[0], TYPE_MX, 6, &reply), FORWARD_WAITING);
	wait_for(&sides[0], 6);
	ck_assert_uint_eq(r.asked,
			  5 + (unsigned)counter_get(&forward_counters(sides[0].forward)->retries));
	limits.cache_bytes = 2 << 20;
	limits.ttl_max_s = 10;
	getrlimit(RLIMIT_AS, &memory);
	setrlimit(RLIMIT_AS, &(struct rlimit){ .rlim_cur = 1, .rlim_max = memory.rlim_max });
	ck_assert_int_eq(forward_shared_configure(shared, &limits, &err), -1);
	setrlimit(RLIMIT_AS, &memory);
	ck_assert_int_eq(get(&sides[0], TYPE_A, 7, &reply), FORWARD_WAITING);
	wait_for(&sides[0], 7);
	ck_assert_int_eq(get(&sides[0], TYPE_A, 0, &reply), FORWARD_HIT);
	ck_assert_uint_eq(reply_ttl(&reply, 300), 10);
	stop(1);
	responder_stop(&r);
}
END_TEST

/* Wrong id, wrong question, no response, and from a port of its own, each before the right one. */
static size_t rubbish_first(struct responder *r, const struct message_query *query,
			    const uint8_t *data, bool tcp, uint8_t *out)
{
	size_t len = responder_address(r, query, data, tcp, out);
	int other = socket(AF_INET, SOCK_DGRAM, 0);

	out[len - 1] = 66;
	(void)!sendto(other, out, len, 0, (struct sockaddr *)&r->peer, r->peer_len);
	close(other);
	out[0] ^= 0x40;
	(void)!sendto(r->udp, out, len, 0, (struct sockaddr *)&r->peer, r->peer_len);
	out[0] ^= 0x40;
	out[2] ^= 0x80;
	(void)!sendto(r->udp, out, len, 0, (struct sockaddr *)&r->peer, r->peer_len);
	out[2] ^= 0x80;
	out[13] ^= 1;
	(void)!sendto(r->udp, out, len, 0, (struct sockaddr *)&r->peer, r->peer_len);
	out[13] ^= 1;
	out[2] |= 0x08; /* opcode */
	(void)!sendto(r->udp, out, len, 0, (struct sockaddr *)&r->peer, r->peer_len);
	out[2] &= (uint8_t)~0x78;
	(void)!sendto(r->udp, out, 11, 0, (struct sockaddr *)&r->peer, r->peer_len);
	/* Matches, but is cut off in its record: malformed, and ignored as well. */
	(void)!sendto(r->udp, out, len - 3, 0, (struct sockaddr *)&r->peer, r->peer_len);
	out[len - 1] = 1;
	return len;
}

START_TEST(ignores_what_does_not_match)
{
	struct responder r;
	struct reply reply;

	responder_start(&r, rubbish_first);
	group = make_group(&r.addr, 1, UPSTREAM_ORDERED);
	start(1, (struct forward_conf){ 0 });
	ck_assert_int_eq(get(&sides[0], TYPE_A, 1, &reply), FORWARD_WAITING);
	wait_for(&sides[0], 1);
	check_address(&sides[0].reply);
	ck_assert_uint_eq(counter_get(&forward_counters(sides[0].forward)->upstream.mismatched), 5);
	ck_assert_uint_eq(counter_get(&forward_counters(sides[0].forward)->upstream.malformed), 1);
	ck_assert_uint_eq(counter_get(&forward_counters(sides[0].forward)->retries), 0);
	stop(1);
	responder_stop(&r);
}
END_TEST

static size_t cut_over_udp(struct responder *r, const struct message_query *query,
			   const uint8_t *data, bool tcp, uint8_t *out)
{
	uint8_t text[255] = { 254 };
	struct writer writer;
	unsigned i;

	responder_begin(&writer, query, data, RCODE_NOERROR, out);
	if (!tcp) {
		writer_set_flags(&writer, FLAG_TC, 0);
		return writer_finish(&writer);
	}
	for (i = 0; i < 100; i++) {
		text[1] = (uint8_t)i;
		writer_record(&writer, SECTION_ANSWER, query->name.wire, TYPE_TXT, 60, text, 255);
	}
	(void)r;
	return writer_finish(&writer);
}

START_TEST(cut_means_tcp)
{
	struct responder r;
	struct reply reply;

	responder_start(&r, cut_over_udp);
	group = make_group(&r.addr, 1, UPSTREAM_ORDERED);
	start(1, (struct forward_conf){ 0 });
	ck_assert_int_eq(get(&sides[0], TYPE_TXT, 1, &reply), FORWARD_WAITING);
	wait_for(&sides[0], 1);
	ck_assert(!sides[0].reply.failed);
	ck_assert_uint_gt(sides[0].reply.len, 25500);
	ck_assert_uint_eq(r.asked_tcp, 1);
	ck_assert_uint_eq(counter_get(&forward_counters(sides[0].forward)->upstream.tcp), 1);
	ck_assert_int_eq(get(&sides[0], TYPE_TXT, 1, &reply), FORWARD_HIT);
	ck_assert_uint_gt(reply.len, 25500);
	stop(1);
	responder_stop(&r);
}
END_TEST

/* What something on the way makes of a datagram, each time: the record ends too soon. */
static size_t malformed_over_udp(struct responder *r, const struct message_query *query,
				 const uint8_t *data, bool tcp, uint8_t *out)
{
	size_t len = responder_address(r, query, data, tcp, out);

	return tcp ? len : len - 3;
}

START_TEST(malformed_means_tcp)
{
	struct responder r;
	struct reply reply;

	responder_start(&r, malformed_over_udp);
	group = make_group(&r.addr, 1, UPSTREAM_ORDERED);
	start(1, (struct forward_conf){ 0 });
	ck_assert_int_eq(get(&sides[0], TYPE_A, 1, &reply), FORWARD_WAITING);
	wait_for(&sides[0], 1);
	check_address(&sides[0].reply);
	/* Once over UDP; its time was waited for, for the right one. */
	ck_assert_uint_eq(r.asked, 2);
	ck_assert_uint_eq(r.asked_tcp, 1);
	ck_assert_uint_eq(counter_get(&forward_counters(sides[0].forward)->upstream.malformed), 1);
	ck_assert_uint_eq(counter_get(&forward_counters(sides[0].forward)->timeouts), 0);
	ck_assert(upstream_is_well(upstreams, group, 0));
	stop(1);
	responder_stop(&r);
}
END_TEST

/* Larger than we take, though there is room to read it: as if it were cut. */
static size_t too_large_over_udp(struct responder *r, const struct message_query *query,
				 const uint8_t *data, bool tcp, uint8_t *out)
{
	uint8_t text[255] = { 254 };
	struct writer writer;
	unsigned i;

	(void)r;
	if (tcp)
		return responder_address(r, query, data, tcp, out);
	responder_begin(&writer, query, data, RCODE_NOERROR, out);
	for (i = 0; i < 6; i++)
		writer_record(&writer, SECTION_ADDITIONAL, query->name.wire, TYPE_TXT, 60, text,
			      255);
	return writer_finish(&writer);
}

START_TEST(too_large_means_tcp)
{
	struct responder r;
	struct reply reply;

	responder_start(&r, too_large_over_udp);
	group = make_group(&r.addr, 1, UPSTREAM_ORDERED);
	start(1, (struct forward_conf){ 0 });
	ck_assert_int_eq(get(&sides[0], TYPE_A, 1, &reply), FORWARD_WAITING);
	wait_for(&sides[0], 1);
	check_address(&sides[0].reply);
	ck_assert_uint_eq(r.asked_tcp, 1);
	stop(1);
	responder_stop(&r);
}
END_TEST

static size_t second_time(struct responder *r, const struct message_query *query,
			  const uint8_t *data, bool tcp, uint8_t *out)
{
	return r->asked < 2 ? 0 : responder_address(r, query, data, tcp, out);
}

START_TEST(asks_again)
{
	struct responder r;
	struct reply reply;

	responder_start(&r, second_time);
	group = make_group(&r.addr, 1, UPSTREAM_ORDERED);
	start(1, (struct forward_conf){ 0 });
	ck_assert_int_eq(get(&sides[0], TYPE_A, 1, &reply), FORWARD_WAITING);
	wait_for(&sides[0], 1);
	check_address(&sides[0].reply);
	ck_assert_uint_eq(r.asked, 2);
	ck_assert_uint_eq(counter_get(&forward_counters(sides[0].forward)->retries), 1);
	ck_assert_uint_eq(counter_get(&forward_counters(sides[0].forward)->timeouts), 1);
	stop(1);
	responder_stop(&r);
}
END_TEST

static size_t refuses(struct responder *r, const struct message_query *query, const uint8_t *data,
		      bool tcp, uint8_t *out)
{
	struct writer writer;

	(void)r;
	(void)tcp;
	responder_begin(&writer, query, data, RCODE_REFUSED, out);
	return writer_finish(&writer);
}

/* SERVFAIL behind a CNAME. */
static size_t fails_behind_alias(struct responder *r, const struct message_query *query,
				 const uint8_t *data, bool tcp, uint8_t *out)
{
	struct writer writer;

	(void)r;
	(void)tcp;
	responder_begin(&writer, query, data, RCODE_SERVFAIL, out);
	writer_record(&writer, SECTION_ANSWER, query->name.wire, TYPE_CNAME, 60,
		      (const uint8_t *)"\5other\4test", 12);
	return writer_finish(&writer);
}

/* Over TCP the first time nothing: the connection is closed. */
static size_t closes_once(struct responder *r, const struct message_query *query,
			  const uint8_t *data, bool tcp, uint8_t *out)
{
	return tcp && r->asked_tcp < 2 ? 0 : cut_over_udp(r, query, data, tcp, out);
}

START_TEST(asks_again_after_a_broken_connection)
{
	struct responder r;
	struct reply reply;
	uint64_t began;

	responder_start(&r, closes_once);
	group = make_group(&r.addr, 1, UPSTREAM_ORDERED);
	start(1, (struct forward_conf){ 0 });
	began = clock_now_ms();
	ck_assert_int_eq(get(&sides[0], TYPE_TXT, 1, &reply), FORWARD_WAITING);
	wait_for(&sides[0], 1);
	ck_assert(!sides[0].reply.failed);
	ck_assert_uint_eq(r.asked_tcp, 2);
	/* Not at once: by the timer of a lost datagram. */
	ck_assert_uint_ge(clock_now_ms() - began, UPSTREAM_TIMEOUT_FIRST_MS - 10);
	ck_assert_uint_eq(counter_get(&forward_counters(sides[0].forward)->timeouts), 0);
	stop(1);
	responder_stop(&r);
}
END_TEST

START_TEST(next_upstream)
{
	responder_fn *bad[] = { refuses, responder_silent };
	struct responder r[3];
	union addr addrs[3];
	struct reply reply;
	unsigned i;

	for (i = 0; i < 3; i++) {
		responder_start(&r[i], i < 2 ? bad[i] : responder_address);
		addrs[i] = r[i].addr;
	}
	group = make_group(addrs, 3, UPSTREAM_ORDERED);
	start(1, (struct forward_conf){ 0 });
	ck_assert_int_eq(get(&sides[0], TYPE_A, 1, &reply), FORWARD_WAITING);
	wait_for(&sides[0], 1);
	check_address(&sides[0].reply);
	ck_assert_uint_eq(r[0].asked, 1);
	ck_assert_uint_eq(r[1].asked, 1);
	ck_assert_uint_eq(r[2].asked, 1);
	stop(1);
	for (i = 0; i < 3; i++)
		responder_stop(&r[i]);
}
END_TEST

START_TEST(most_telling_of_bad_answers)
{
	struct responder r[2];
	union addr addrs[2];
	struct reply reply;

	responder_start(&r[0], fails_behind_alias);
	responder_start(&r[1], refuses);
	addrs[0] = r[0].addr;
	addrs[1] = r[1].addr;
	group = make_group(addrs, 2, UPSTREAM_ORDERED);
	start(1, (struct forward_conf){ 0 });
	ck_assert_int_eq(get(&sides[0], TYPE_A, 1, &reply), FORWARD_WAITING);
	wait_for(&sides[0], 1);
	ck_assert(!sides[0].reply.failed);
	ck_assert_int_eq(sides[0].reply.rcode, RCODE_SERVFAIL);
	ck_assert_uint_gt(sides[0].reply.len, DNS_HEADER_LEN + name.len + 4);
	ck_assert_uint_eq(r[0].asked, 1);
	ck_assert_uint_eq(r[1].asked, 1);
	ck_assert_int_eq(get(&sides[0], TYPE_A, 1, &reply), FORWARD_HIT);
	/* Not for long. */
	ck_assert_int_eq(forward_get(sides[0].forward,
				     &(struct forward_question){
					     .name = &name, .type = TYPE_A, .group = group },
				     0, clock_now_ms() + 5001, buf, sizeof(buf), &reply),
			 FORWARD_MISS);
	stop(1);
	responder_stop(&r[0]);
	responder_stop(&r[1]);
}
END_TEST

static size_t knows_no_edns(struct responder *r, const struct message_query *query,
			    const uint8_t *data, bool tcp, uint8_t *out)
{
	struct writer writer;

	if (!query->edns.present)
		return responder_address(r, query, data, tcp, out);
	responder_begin(&writer, query, data, RCODE_FORMERR, out);
	return writer_finish(&writer);
}

/* As servers from before EDNS do: what they cannot read gets a header and no question. */
static size_t header_alone(struct responder *r, const struct message_query *query,
			   const uint8_t *data, bool tcp, uint8_t *out)
{
	struct writer writer;

	if (!query->edns.present)
		return responder_address(r, query, data, tcp, out);
	writer_init(&writer, out, REPLY_MAX, query->id, FLAG_QR);
	writer_set_rcode(&writer, query->type == TYPE_A ? RCODE_FORMERR : RCODE_NOTIMP);
	return writer_finish(&writer);
}

START_TEST(falls_back_without_edns)
{
	responder_fn *old[] = { knows_no_edns, header_alone };
	struct responder r;
	struct reply reply;

	responder_start(&r, old[_i]);
	group = make_group(&r.addr, 1, UPSTREAM_ORDERED);
	start(1, (struct forward_conf){ 0 });
	ck_assert_int_eq(get(&sides[0], TYPE_A, 1, &reply), FORWARD_WAITING);
	wait_for(&sides[0], 1);
	check_address(&sides[0].reply);
	ck_assert_uint_eq(r.asked, 2);
	/* It is remembered. */
	ck_assert_int_eq(get(&sides[0], TYPE_AAAA, 1, &reply), FORWARD_WAITING);
	wait_for(&sides[0], 2);
	ck_assert_uint_eq(r.asked, 3);
	ck_assert_uint_eq(r.with_edns, 1);
	ck_assert_uint_eq(counter_get(&forward_counters(sides[0].forward)->timeouts), 0);
	stop(1);
	responder_stop(&r);
}
END_TEST

START_TEST(header_alone_with_notimp)
{
	struct responder r;
	struct reply reply;

	responder_start(&r, header_alone);
	group = make_group(&r.addr, 1, UPSTREAM_ORDERED);
	start(1, (struct forward_conf){ 0 });
	ck_assert_int_eq(get(&sides[0], TYPE_AAAA, 1, &reply), FORWARD_WAITING);
	wait_for(&sides[0], 1);
	ck_assert(!sides[0].reply.failed);
	ck_assert_uint_eq(r.asked, 2);
	ck_assert_uint_eq(r.with_edns, 1);
	stop(1);
	responder_stop(&r);
}
END_TEST

/* A header alone that does not say just that: wrong id, no response, other rcodes, more behind. */
static size_t headers_first(struct responder *r, const struct message_query *query,
			    const uint8_t *data, bool tcp, uint8_t *out)
{
	static const unsigned rcodes[] = { RCODE_NOERROR, RCODE_SERVFAIL, RCODE_NXDOMAIN,
					   RCODE_REFUSED };
	uint8_t header[DNS_HEADER_LEN + 1] = { data[0], data[1], FLAG_QR >> 8, RCODE_FORMERR };
	struct sockaddr *peer = (struct sockaddr *)&r->peer;
	unsigned i;

	(void)!sendto(r->udp, header, DNS_HEADER_LEN + 1, 0, peer, r->peer_len);
	header[7] = 1; /* ANCOUNT */
	(void)!sendto(r->udp, header, DNS_HEADER_LEN, 0, peer, r->peer_len);
	header[7] = 0;
	header[0] ^= 1;
	(void)!sendto(r->udp, header, DNS_HEADER_LEN, 0, peer, r->peer_len);
	header[0] ^= 1;
	header[2] = 0;
	(void)!sendto(r->udp, header, DNS_HEADER_LEN, 0, peer, r->peer_len);
	header[2] = FLAG_QR >> 8;
	for (i = 0; i < sizeof(rcodes) / sizeof(rcodes[0]); i++) {
		header[3] = (uint8_t)rcodes[i];
		(void)!sendto(r->udp, header, DNS_HEADER_LEN, 0, peer, r->peer_len);
	}
	return responder_address(r, query, data, tcp, out);
}

START_TEST(header_alone_is_no_answer)
{
	struct responder r;
	struct reply reply;

	responder_start(&r, headers_first);
	group = make_group(&r.addr, 1, UPSTREAM_ORDERED);
	start(1, (struct forward_conf){ 0 });
	ck_assert_int_eq(get(&sides[0], TYPE_A, 1, &reply), FORWARD_WAITING);
	wait_for(&sides[0], 1);
	check_address(&sides[0].reply);
	ck_assert_uint_eq(r.asked, 1);
	ck_assert_uint_eq(counter_get(&forward_counters(sides[0].forward)->upstream.mismatched), 8);
	stop(1);
	responder_stop(&r);
}
END_TEST

/* Nor where the query had no EDNS: then it is as if nothing had come. */
static size_t always_header_alone(struct responder *r, const struct message_query *query,
				  const uint8_t *data, bool tcp, uint8_t *out)
{
	struct writer writer;

	(void)data;
	(void)tcp;
	(void)r;
	writer_init(&writer, out, REPLY_MAX, query->id, FLAG_QR);
	writer_set_rcode(&writer, RCODE_FORMERR);
	return writer_finish(&writer);
}

START_TEST(header_alone_to_a_plain_query)
{
	struct responder r[2];
	union addr addrs[2];
	struct reply reply;

	responder_start(&r[0], always_header_alone);
	responder_start(&r[1], responder_address);
	addrs[0] = r[0].addr;
	addrs[1] = r[1].addr;
	group = make_group(addrs, 2, UPSTREAM_ORDERED);
	start(1, (struct forward_conf){ 0 });
	ck_assert_int_eq(get(&sides[0], TYPE_A, 1, &reply), FORWARD_WAITING);
	wait_for(&sides[0], 1);
	check_address(&sides[0].reply);
	ck_assert_uint_eq(r[0].asked, 2);
	ck_assert_uint_eq(r[0].with_edns, 1);
	ck_assert_uint_eq(counter_get(&forward_counters(sides[0].forward)->timeouts), 1);
	stop(1);
	responder_stop(&r[0]);
	responder_stop(&r[1]);
}
END_TEST

START_TEST(deadline)
{
	struct responder r;
	struct reply reply;
	uint64_t began = clock_now_ms(), took;

	responder_start(&r, responder_silent);
	group = make_group(&r.addr, 1, UPSTREAM_ORDERED);
	start(1, (struct forward_conf){ 0 });
	ck_assert_int_eq(get(&sides[0], TYPE_A, 1, &reply), FORWARD_WAITING);
	wait_for(&sides[0], 1);
	took = clock_now_ms() - began;
	ck_assert_uint_ge(took, FORWARD_DEADLINE_MS - 10);
	ck_assert_uint_le(took, FORWARD_DEADLINE_MS + 500);
	ck_assert(sides[0].reply.failed);
	ck_assert_int_eq(sides[0].reply.rcode, RCODE_SERVFAIL);
	ck_assert_int_eq(sides[0].reply.ede, EDE_NO_REACHABLE_AUTHORITY);
	ck_assert(reply_is_for(&sides[0].reply, &name, group));
	ck_assert_uint_ge(r.asked, 4);
	ck_assert_uint_le(r.asked, 8);
	ck_assert_uint_eq(sides[0].done, 1);
	stop(1);
	responder_stop(&r);
}
END_TEST

/* Nobody listens at these: ICMP comes back at once. */
static void close_upstreams(union addr *addrs, unsigned count)
{
	struct responder r[UPSTREAMS_A_GROUP_MAX];
	unsigned i;

	for (i = 0; i < count; i++) {
		responder_start(&r[i], responder_silent);
		addrs[i] = r[i].addr;
	}
	for (i = 0; i < count; i++)
		responder_stop(&r[i]);
}

START_TEST(unreachable_ends_early)
{
	union addr addrs[2];
	struct upstream_state state;
	struct reply reply;
	uint64_t began, took;

	close_upstreams(addrs, 2);
	group = make_group(addrs, 2, UPSTREAM_ORDERED);
	start(1, (struct forward_conf){ 0 });
	began = clock_now_ms();
	ck_assert_int_eq(get(&sides[0], TYPE_A, 1, &reply), FORWARD_WAITING);
	wait_for(&sides[0], 1);
	took = clock_now_ms() - began;
	/* At 0, 400 and 1200 ms; before the time at which a stale answer is given. */
	ck_assert_uint_ge(took, 1190);
	ck_assert_uint_le(took, 1700);
	ck_assert(sides[0].reply.failed);
	ck_assert_int_eq(sides[0].reply.ede, EDE_NETWORK_ERROR);
	ck_assert(upstreams_state(upstreams, 0, &state));
	ck_assert_uint_eq(state.asked, 3);
	ck_assert(upstreams_state(upstreams, 1, &state));
	ck_assert_uint_eq(state.asked, 3);
	ck_assert_uint_eq(counter_get(&forward_counters(sides[0].forward)->timeouts), 0);
	stop(1);
}
END_TEST

/* The kernel refuses to send there; as while the network is down. */
START_TEST(cannot_be_sent)
{
	struct upstream_state state;
	struct reply reply;
	union addr addr;

	ck_assert_int_eq(addr_parse(&addr, "255.255.255.255", 53), 0);
	group = make_group(&addr, 1, UPSTREAM_ORDERED);
	start(1, (struct forward_conf){ 0 });
	ck_assert_int_eq(get(&sides[0], TYPE_A, 1, &reply), FORWARD_WAITING);
	ck_assert_uint_eq(sides[0].done, 0);
	wait_for(&sides[0], 1);
	ck_assert(sides[0].reply.failed);
	ck_assert_int_eq(sides[0].reply.ede, EDE_NETWORK_ERROR);
	ck_assert(upstreams_state(upstreams, 0, &state));
	ck_assert_uint_eq(state.asked, 3);
	stop(1);
}
END_TEST

/* The silent one is asked again when its time is over, not when that of the other would be. */
START_TEST(unreachable_and_silent)
{
	struct responder r;
	union addr addrs[2];
	struct reply reply;
	uint64_t began;

	close_upstreams(addrs + 1, 1);
	responder_start(&r, second_time);
	addrs[0] = r.addr;
	group = make_group(addrs, 2, UPSTREAM_ORDERED);
	start(1, (struct forward_conf){ 0 });
	began = clock_now_ms();
	ck_assert_int_eq(get(&sides[0], TYPE_A, 1, &reply), FORWARD_WAITING);
	wait_for(&sides[0], 1);
	check_address(&sides[0].reply);
	ck_assert_uint_ge(clock_now_ms() - began, UPSTREAM_TIMEOUT_FIRST_MS - 10);
	ck_assert_uint_le(clock_now_ms() - began, UPSTREAM_TIMEOUT_FIRST_MS + 200);
	ck_assert_uint_eq(r.asked, 2);
	stop(1);
	responder_stop(&r);
}
END_TEST

START_TEST(unreachable_then_next_at_once)
{
	struct responder r;
	union addr addrs[2];
	struct reply reply;
	uint64_t began;

	close_upstreams(addrs, 1);
	responder_start(&r, responder_address);
	addrs[1] = r.addr;
	group = make_group(addrs, 2, UPSTREAM_ORDERED);
	start(1, (struct forward_conf){ 0 });
	began = clock_now_ms();
	ck_assert_int_eq(get(&sides[0], TYPE_A, 1, &reply), FORWARD_WAITING);
	wait_for(&sides[0], 1);
	ck_assert_uint_le(clock_now_ms() - began, 200);
	check_address(&sides[0].reply);
	stop(1);
	responder_stop(&r);
}
END_TEST

/* One refuses, one cannot be reached: who refused has spoken, and nobody waits for the other. */
START_TEST(unreachable_and_refusing)
{
	struct responder r;
	union addr addrs[2];
	struct reply reply;
	uint64_t began;

	close_upstreams(addrs + 1, 1);
	responder_start(&r, refuses);
	addrs[0] = r.addr;
	group = make_group(addrs, 2, UPSTREAM_ORDERED);
	start(1, (struct forward_conf){ 0 });
	began = clock_now_ms();
	ck_assert_int_eq(get(&sides[0], TYPE_A, 1, &reply), FORWARD_WAITING);
	wait_for(&sides[0], 1);
	ck_assert_uint_le(clock_now_ms() - began, 200);
	ck_assert_int_eq(sides[0].reply.ede, EDE_OTHER);
	stop(1);
	responder_stop(&r);
}
END_TEST

static void *start_late(void *arg)
{
	struct responder *r = arg;
	char at[ADDR_TEXT_MAX];

	poll(NULL, 0, 200);
	addr_to_text(&r->addr, 0, at);
	responder_start_at(r, responder_address, at);
	return NULL;
}

START_TEST(restarting_upstream)
{
	struct responder r;
	union addr addr;
	struct reply reply;
	pthread_t thread;

	close_upstreams(&addr, 1);
	r.addr = addr;
	group = make_group(&addr, 1, UPSTREAM_ORDERED);
	start(1, (struct forward_conf){ 0 });
	pthread_create(&thread, NULL, start_late, &r);
	ck_assert_int_eq(get(&sides[0], TYPE_A, 1, &reply), FORWARD_WAITING);
	wait_for(&sides[0], 1);
	check_address(&sides[0].reply);
	pthread_join(thread, NULL);
	ck_assert_uint_eq(r.asked, 1);
	stop(1);
	responder_stop(&r);
}
END_TEST

/* As many as a zone may have: they too have the time of a restart, and of that the last answers. */
START_TEST(many_upstreams_restart)
{
	enum { COUNT = UPSTREAMS_A_GROUP_MAX };
	union addr addrs[COUNT];
	struct responder r;
	struct reply reply;
	pthread_t thread;

	close_upstreams(addrs, COUNT);
	r.addr = addrs[COUNT - 1];
	group = make_group(addrs, COUNT, UPSTREAM_ORDERED);
	start(1, (struct forward_conf){ 0 });
	pthread_create(&thread, NULL, start_late, &r);
	ck_assert_int_eq(get(&sides[0], TYPE_A, 1, &reply), FORWARD_WAITING);
	wait_for(&sides[0], 1);
	check_address(&sides[0].reply);
	pthread_join(thread, NULL);
	stop(1);
	responder_stop(&r);
}
END_TEST

/* No descriptor is left: that is nobody's fault but ours. */
START_TEST(no_descriptor_left)
{
	struct rlimit limit, none;
	struct upstream_state state;
	struct responder r;
	struct reply reply;
	uint64_t refused;
	int next;

	responder_start(&r, responder_address);
	group = make_group(&r.addr, 1, UPSTREAM_ORDERED);
	start(1, (struct forward_conf){ 0 });
	next = dup(0);
	close(next);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = (rlim_t)next;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_int_eq(get(&sides[0], TYPE_A, 1, &reply), FORWARD_WAITING);
	wait_for(&sides[0], 1);
	ck_assert(sides[0].reply.failed);
	ck_assert_int_eq(sides[0].reply.ede, EDE_NOT_READY);
	ck_assert_uint_gt(counter_get(&forward_counters(sides[0].forward)->upstream.no_room), 0);
	ck_assert(upstreams_state(upstreams, 0, &state));
	ck_assert(state.well);
	ck_assert_uint_eq(state.asked + state.failed + state.timeouts, 0);
	/* One is free again while the next question waits. */
	ck_assert_int_eq(get(&sides[0], TYPE_AAAA, 2, &reply), FORWARD_WAITING);
	none.rlim_cur = (rlim_t)next + 1;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	wait_for(&sides[0], 2);
	ck_assert(!sides[0].reply.failed);
	refused = counter_get(&forward_counters(sides[0].forward)->upstream.no_room);
	/* No other can be opened; the one that is will do. */
	for (uint16_t type = 1000; type < 1010; type++) {
		unsigned done = sides[0].done + 1;

		ck_assert_int_eq(get(&sides[0], type, done, &reply), FORWARD_WAITING);
		wait_for(&sides[0], done);
		ck_assert(!sides[0].reply.failed);
	}
	ck_assert_uint_eq(counter_get(&forward_counters(sides[0].forward)->upstream.no_room),
			  refused);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	stop(1);
	responder_stop(&r);
}
END_TEST

static bool has_ipv6(void)
{
	union addr addr;
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	bool bound;

	addr_parse(&addr, "::1@0", 0);
	bound = fd >= 0 && bind(fd, &addr.any, addr_len(&addr)) == 0;
	if (fd >= 0)
		close(fd);
	return bound;
}

START_TEST(over_ipv6)
{
	struct responder r;
	struct reply reply;

	if (!has_ipv6())
		return; /* a container without it */
	responder_start_at(&r, cut_over_udp, "::1@0");
	group = make_group(&r.addr, 1, UPSTREAM_ORDERED);
	start(1, (struct forward_conf){ 0 });
	ck_assert_int_eq(get(&sides[0], TYPE_TXT, 1, &reply), FORWARD_WAITING);
	wait_for(&sides[0], 1);
	ck_assert(!sides[0].reply.failed);
	ck_assert_uint_gt(sides[0].reply.len, 25500);
	ck_assert_uint_eq(r.asked, 2);
	ck_assert_uint_eq(r.asked_tcp, 1);
	ck_assert(r.last_flags & FLAG_AD); /* ::1 is loopback too */
	stop(1);
	responder_stop(&r);
}
END_TEST

START_TEST(no_upstreams)
{
	struct reply reply;

	group = make_group(NULL, 0, UPSTREAM_ORDERED);
	start(1, (struct forward_conf){ 0 });
	ck_assert_int_eq(get(&sides[0], TYPE_A, 0, &reply), FORWARD_MISS);
	ck_assert_int_eq(get(&sides[0], TYPE_A, 1, &reply), FORWARD_HIT);
	ck_assert(reply.failed);
	stop(1);
}
END_TEST

/*
 * Questions to an upstream that is silent hold their sockets until the deadline. What goes to
 * another upstream must find some still.
 */
START_TEST(silent_upstream_leaves_sockets)
{
	struct responder silent, well;
	uint16_t silent_group, well_group;
	uint64_t began, n;
	struct reply reply;

	responder_start(&silent, responder_silent);
	responder_start(&well, responder_address);
	silent_group = make_group(&silent.addr, 1, UPSTREAM_ORDERED);
	well_group = make_group(&well.addr, 1, UPSTREAM_ORDERED);
	start(1, (struct forward_conf){ .inflight_max = 512 });
	group = silent_group;
	for (n = 0; n < 200; n++)
		ck_assert_int_eq(get(&sides[0], (uint16_t)(1000 + n), 1, &reply), FORWARD_WAITING);
	group = well_group;
	began = clock_now_ms();
	ck_assert_int_eq(get(&sides[0], TYPE_A, 2, &reply), FORWARD_WAITING);
	wait_for(&sides[0], 1);
	ck_assert_uint_eq(sides[0].waiter, 2);
	check_address(&sides[0].reply);
	ck_assert_uint_lt(clock_now_ms() - began, 2000);
	stop(1);
	responder_stop(&silent);
	responder_stop(&well);
}
END_TEST

/* Nor does it take all the questions that may be in flight. */
START_TEST(silent_upstream_leaves_questions)
{
	const struct forward_counters *counters;
	struct responder silent, well;
	uint16_t silent_group;
	struct reply reply;
	unsigned n;

	responder_start(&silent, responder_silent);
	responder_start(&well, responder_address);
	silent_group = group = make_group(&silent.addr, 1, UPSTREAM_ORDERED);
	start(1, (struct forward_conf){ .inflight_max = 64 });
	counters = forward_counters(sides[0].forward);
	for (n = 0; n < 48; n++)
		ck_assert_int_eq(get(&sides[0], (uint16_t)(1000 + n), 1, &reply), FORWARD_WAITING);
	ck_assert_int_eq(get(&sides[0], (uint16_t)(1000 + n), 1, &reply), FORWARD_FULL);
	ck_assert_uint_eq(counter_get(&counters->refused_share), 1);
	ck_assert_uint_eq(counter_get(&counters->refused_inflight), 0);
	/* What is in flight may be joined still. */
	ck_assert_int_eq(get(&sides[0], 1000, 3, &reply), FORWARD_WAITING);
	group = make_group(&well.addr, 1, UPSTREAM_ORDERED);
	for (n = 0; n < 12; n++)
		ck_assert_int_eq(get(&sides[0], (uint16_t)(1000 + n), 2, &reply), FORWARD_WAITING);
	wait_for(&sides[0], 12);
	/* Its share comes back with its questions. */
	group = silent_group;
	wait_for(&sides[0], 12 + 49);
	for (n = 0; n < 48; n++)
		ck_assert_int_eq(get(&sides[0], (uint16_t)(2000 + n), 1, &reply), FORWARD_WAITING);
	stop(1);
	responder_stop(&silent);
	responder_stop(&well);
}
END_TEST

static size_t slowly(struct responder *r, const struct message_query *query, const uint8_t *data,
		     bool tcp, uint8_t *out)
{
	usleep(100000);
	return responder_address(r, query, data, tcp, out);
}

/* What was asked before a flush is not kept after it, and nobody joins it. */
START_TEST(flush_reaches_what_is_in_flight)
{
	struct forward_cache_state state;
	struct name other;
	struct responder r;
	struct reply reply;

	responder_start(&r, slowly);
	group = make_group(&r.addr, 1, UPSTREAM_ORDERED);
	start(1, (struct forward_conf){ 0 });
	name_from_text(&other, "test", 4);
	ck_assert_int_eq(get(&sides[0], TYPE_A, 1, &reply), FORWARD_WAITING);
	ck_assert_uint_eq(forward_flush(shared, &other), 0);
	ck_assert_int_eq(get(&sides[0], TYPE_A, 2, &reply), FORWARD_WAITING);
	forward_cache_state(shared, &state);
	ck_assert_uint_eq(state.inflight, 2);
	wait_for(&sides[0], 1);
	ck_assert_uint_eq(sides[0].waiter, 1);
	ck_assert_int_eq(get(&sides[0], TYPE_A, 0, &reply), FORWARD_MISS);
	wait_for(&sides[0], 2);
	ck_assert_int_eq(get(&sides[0], TYPE_A, 0, &reply), FORWARD_HIT);
	/* Another name's flush is nothing to it. */
	name_from_text(&name, "www.other.test", 14);
	ck_assert_int_eq(get(&sides[0], TYPE_A, 3, &reply), FORWARD_WAITING);
	name_from_text(&other, "ww.other.test", 13);
	ck_assert_uint_eq(forward_flush(shared, &other), 0);
	wait_for(&sides[0], 3);
	ck_assert_int_eq(get(&sides[0], TYPE_A, 0, &reply), FORWARD_HIT);
	stop(1);
	responder_stop(&r);
}
END_TEST

/* The address, and from `dead` on SERVFAIL. */
static _Atomic bool failing;

static size_t address_or_failure(struct responder *r, const struct message_query *query,
				 const uint8_t *data, bool tcp, uint8_t *out)
{
	struct writer writer;

	if (!failing)
		return responder_address(r, query, data, tcp, out);
	responder_begin(&writer, query, data, RCODE_SERVFAIL, out);
	return writer_finish(&writer);
}

/* Until what was asked with nobody waiting has come. */
static void wait_until_idle(void)
{
	struct forward_cache_state state;
	uint64_t end = clock_now_ms() + 10000;
	struct timeval tick = { 0, 20000 };

	do {
		ck_assert(clock_now_ms() < end);
		event_base_loopexit(sides[0].base, &tick);
		event_base_dispatch(sides[0].base);
		forward_cache_state(shared, &state);
	} while (state.inflight > 0);
}

static enum forward_verdict get_at(uint64_t now_ms, uint64_t waiter, struct reply *ret)
{
	struct forward_question question = { .name = &name, .type = TYPE_A, .group = group };

	return forward_get(sides[0].forward, &question, waiter, now_ms, buf, sizeof(buf), ret);
}

/* Past its time: not unless asked for, then at once for all, and renewed meanwhile. */
START_TEST(stale_when_asked_for)
{
	struct forward_question question = { .name = &name, .type = TYPE_A };
	struct forward_conf conf = { .limits = { .stale_s = 3600 } };
	const struct forward_counters *counters;
	struct responder r;
	struct reply reply;
	uint64_t late;

	failing = false;
	responder_start(&r, address_or_failure);
	group = question.group = make_group(&r.addr, 1, UPSTREAM_ORDERED);
	start(1, conf);
	counters = forward_counters(sides[0].forward);
	ck_assert(forward_serves_stale(sides[0].forward));
	ck_assert(!forward_get_stale(sides[0].forward, &question, clock_now_ms(), buf, sizeof(buf),
				     &reply));
	ck_assert_int_eq(get_at(clock_now_ms(), 1, &reply), FORWARD_WAITING);
	wait_for(&sides[0], 1);
	late = clock_now_ms() + 301000;
	failing = true;
	ck_assert_int_eq(get_at(late, 2, &reply), FORWARD_WAITING);
	/* The wait is over, while it is in flight: no second question. */
	ck_assert(forward_get_stale(sides[0].forward, &question, late, buf, sizeof(buf), &reply));
	ck_assert(reply.stale && !reply.failed);
	ck_assert_int_eq(reply.ede, EDE_NONE);
	ck_assert_uint_eq(reply_ttl(&reply, 300), 30);
	ck_assert_uint_eq(reply_ttl(&reply, 310), 9);
	ck_assert_uint_eq(reply_ttl(&reply, 900), 30);
	check_address(&reply);
	/* Whoever comes now need not wait, but with RD alone: nothing is asked for him. */
	ck_assert_int_eq(get_at(late, 3, &reply), FORWARD_HIT);
	ck_assert(reply.stale);
	ck_assert_int_eq(get_at(late, 0, &reply), FORWARD_MISS);
	wait_for(&sides[0], 2);
	ck_assert(sides[0].reply.failed);
	ck_assert_uint_eq(r.asked, 2);
	ck_assert_uint_eq(counter_get(&counters->prefetched), 0);
	ck_assert_uint_eq(counter_get(&counters->stale), 2);
	stop(1);
	responder_stop(&r);
}
END_TEST

/* A failure takes no good answer's place, and is not asked for by every client. */
START_TEST(failure_beside_an_answer)
{
	struct forward_conf conf = { .limits = { .stale_s = 3600 } };
	const struct forward_counters *counters;
	struct responder r;
	struct reply reply;
	uint64_t late;

	failing = false;
	responder_start(&r, address_or_failure);
	group = make_group(&r.addr, 1, UPSTREAM_ORDERED);
	start(1, conf);
	counters = forward_counters(sides[0].forward);
	ck_assert_int_eq(get_at(clock_now_ms(), 1, &reply), FORWARD_WAITING);
	wait_for(&sides[0], 1);
	failing = true;
	/* The clock of the one who keeps the failure is the real one: so is the lateness. */
	late = clock_now_ms() + 300500;
	ck_assert_int_eq(get_at(late, 2, &reply), FORWARD_WAITING);
	wait_for(&sides[0], 2);
	ck_assert(sides[0].reply.failed);
	ck_assert_int_eq(get_at(clock_now_ms(), 0, &reply), FORWARD_HIT);
	ck_assert(!reply.failed && !reply.stale);
	check_address(&reply);
	ck_assert_uint_eq(r.asked, 2);
	ck_assert_uint_eq(counter_get(&counters->failed), 1);
	stop(1);
	responder_stop(&r);
}
END_TEST

/* In the last tenth of its time a hit has it asked for again, once, and is not held up. */
START_TEST(asked_ahead)
{
	struct forward_conf conf = { .limits = { .prefetch = true } };
	struct forward_limits limits = { .cache_bytes = 1 << 20, .ttl_max_s = 86400 };
	const struct forward_counters *counters;
	struct responder r;
	struct reply reply;
	uint64_t now_ms;

	failing = false;
	responder_start(&r, address_or_failure);
	group = make_group(&r.addr, 1, UPSTREAM_ORDERED);
	start(1, conf);
	counters = forward_counters(sides[0].forward);
	ck_assert_int_eq(get_at(clock_now_ms(), 1, &reply), FORWARD_WAITING);
	wait_for(&sides[0], 1);
	now_ms = clock_now_ms();
	ck_assert_int_eq(get_at(now_ms + 265000, 2, &reply), FORWARD_HIT);
	ck_assert_int_eq(get_at(now_ms + 295000, 0, &reply), FORWARD_HIT);
	ck_assert_uint_eq(counter_get(&counters->asked), 1);
	ck_assert_int_eq(get_at(now_ms + 295000, 2, &reply), FORWARD_HIT);
	ck_assert_int_eq(get_at(now_ms + 295000, 3, &reply), FORWARD_HIT);
	ck_assert_uint_eq(counter_get(&counters->asked), 2);
	ck_assert_uint_eq(counter_get(&counters->prefetched), 1);
	/* Whoever comes after its time joins. */
	ck_assert_int_eq(get_at(now_ms + 301000, 4, &reply), FORWARD_WAITING);
	ck_assert_uint_eq(counter_get(&counters->joined), 1);
	wait_for(&sides[0], 2);
	ck_assert_uint_eq(r.asked, 2);
	/* A new one: its time has begun again. */
	ck_assert_int_eq(get_at(clock_now_ms(), 5, &reply), FORWARD_HIT);
	ck_assert_uint_eq(reply.age_s, 0);
	/* A failure does not displace it, and is not tried again at once. */
	failing = true;
	now_ms = clock_now_ms();
	ck_assert_int_eq(get_at(now_ms + 295000, 6, &reply), FORWARD_HIT);
	wait_until_idle();
	ck_assert_uint_eq(r.asked, 3);
	ck_assert_int_eq(get_at(clock_now_ms(), 6, &reply), FORWARD_HIT);
	check_address(&reply);
	ck_assert_uint_eq(counter_get(&counters->prefetched), 2);
	/* Not where it is switched off. */
	ck_assert_int_eq(forward_shared_configure(shared, &limits, NULL), 0);
	ck_assert_int_eq(get_at(now_ms + 295000, 7, &reply), FORWARD_HIT);
	ck_assert_uint_eq(counter_get(&counters->prefetched), 2);
	stop(1);
	responder_stop(&r);
}
END_TEST

static Suite *forward_suite(void)
{
	Suite *suite = suite_create("forward");
	TCase *tcase = tcase_create("forward");

	tcase_add_checked_fixture(tcase, kit_setup, NULL);
	tcase_set_timeout(tcase, 30);
	tcase_add_test(tcase, answers_and_caches);
	tcase_add_test(tcase, limits_change);
	tcase_add_test(tcase, ignores_what_does_not_match);
	tcase_add_test(tcase, cut_means_tcp);
	tcase_add_test(tcase, malformed_means_tcp);
	tcase_add_test(tcase, too_large_means_tcp);
	tcase_add_test(tcase, asks_again);
	tcase_add_test(tcase, asks_again_after_a_broken_connection);
	tcase_add_test(tcase, next_upstream);
	tcase_add_test(tcase, most_telling_of_bad_answers);
	tcase_add_loop_test(tcase, falls_back_without_edns, 0, 2);
	tcase_add_test(tcase, header_alone_with_notimp);
	tcase_add_test(tcase, header_alone_is_no_answer);
	tcase_add_test(tcase, header_alone_to_a_plain_query);
	tcase_add_test(tcase, deadline);
	tcase_add_test(tcase, silent_upstream_leaves_sockets);
	tcase_add_test(tcase, silent_upstream_leaves_questions);
	tcase_add_test(tcase, flush_reaches_what_is_in_flight);
	tcase_add_test(tcase, stale_when_asked_for);
	tcase_add_test(tcase, failure_beside_an_answer);
	tcase_add_test(tcase, asked_ahead);
	tcase_add_test(tcase, unreachable_ends_early);
	tcase_add_test(tcase, cannot_be_sent);
	tcase_add_test(tcase, unreachable_and_silent);
	tcase_add_test(tcase, unreachable_then_next_at_once);
	tcase_add_test(tcase, unreachable_and_refusing);
	tcase_add_test(tcase, restarting_upstream);
	tcase_add_test(tcase, many_upstreams_restart);
	tcase_add_test(tcase, no_descriptor_left);
	tcase_add_test(tcase, over_ipv6);
	tcase_add_test(tcase, no_upstreams);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(forward_suite)
