/* SPDX-License-Identifier: MIT */
/*
 * Lays out the replies of the scripted upstream.
 *
 * ldns reads queries and turns records into bytes, but the message is put together here: ldns
 * would sort out what a test wants left odd, and real servers compress names, which is just what a
 * reader of replies must be tried with. Compression is the plain kind: every suffix that
 * was written once is pointed at, in owners and in the rdata of the types of RFC 1035 whose names
 * may be compressed (RFC 3597, section 4); DNAME targets are not.
 */
#include "reply.h"

#include "toolnet.h"

#include <ctype.h>
#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Compression targets remembered in one message; more names than this go out in full. */
#define MAX_TARGETS 256

struct writer {
	uint8_t *out;
	size_t len;
	size_t target_count;
	struct {
		uint16_t at;
		uint8_t len;
		uint8_t name[255];
	} targets[MAX_TARGETS];
};

static void put(struct writer *w, const void *bytes, size_t len)
{
	if (w->len + len > REPLY_MAX)
		return;
	memcpy(w->out + w->len, bytes, len);
	w->len += len;
}

static void put16(struct writer *w, unsigned value)
{
	uint8_t b[2] = { (uint8_t)(value >> 8), (uint8_t)value };

	put(w, b, 2);
}

static void put_name(struct writer *w, const uint8_t *name, size_t len)
{
	for (size_t at = 0; at < len && name[at] != 0; at += 1u + name[at]) {
		for (size_t i = 0; i < w->target_count; i++) {
			if (w->targets[i].len == len - at &&
			    memcmp(w->targets[i].name, name + at, len - at) == 0) {
				put16(w, 0xc000u | w->targets[i].at);
				return;
			}
		}
		if (w->target_count < MAX_TARGETS && w->len < 0x4000 && len - at <= 255) {
			w->targets[w->target_count].at = (uint16_t)w->len;
			w->targets[w->target_count].len = (uint8_t)(len - at);
			memcpy(w->targets[w->target_count++].name, name + at, len - at);
		}
		put(w, name + at, 1u + name[at]);
	}
	put(w, "", 1);
}

static bool compressible(ldns_rr_type type)
{
	return type == LDNS_RR_TYPE_CNAME || type == LDNS_RR_TYPE_NS || type == LDNS_RR_TYPE_PTR ||
	       type == LDNS_RR_TYPE_SOA || type == LDNS_RR_TYPE_MX;
}

static void put_rr(struct writer *w, const ldns_rr *rr)
{
	const ldns_rdf *owner = ldns_rr_owner(rr);
	uint32_t ttl = ldns_rr_ttl(rr);

	put_name(w, ldns_rdf_data(owner), ldns_rdf_size(owner));
	put16(w, ldns_rr_get_type(rr));
	put16(w, ldns_rr_get_class(rr));
	put16(w, ttl >> 16);
	put16(w, ttl & 0xffff);
	size_t len_at = w->len;
	put16(w, 0);
	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
		const ldns_rdf *rdf = ldns_rr_rdf(rr, i);
		if (ldns_rdf_get_type(rdf) == LDNS_RDF_TYPE_DNAME &&
		    compressible(ldns_rr_get_type(rr)))
			put_name(w, ldns_rdf_data(rdf), ldns_rdf_size(rdf));
		else
			put(w, ldns_rdf_data(rdf), ldns_rdf_size(rdf));
	}
	w->out[len_at] = (uint8_t)((w->len - len_at - 2) >> 8);
	w->out[len_at + 1] = (uint8_t)(w->len - len_at - 2);
}

static void put_opt(struct writer *w, bool dnssec_ok, const char *options)
{
	uint8_t bytes[512];
	long len = options ? tool_hex_decode(options, bytes, sizeof(bytes)) : 0;

	put(w, "", 1);
	put16(w, LDNS_RR_TYPE_OPT);
	put16(w, 1232);
	put16(w, 0);
	put16(w, dnssec_ok ? 0x8000 : 0);
	put16(w, len > 0 ? (unsigned)len : 0);
	put(w, bytes, len > 0 ? (size_t)len : 0);
}

/* What a test may want to know of a query beside its question. */
static void describe(struct reply_query *query, const ldns_pkt *pkt)
{
	size_t n = 0, cap = sizeof(query->seen);
	char *out = query->seen;

	n += (size_t)snprintf(out, cap, "%s%s%s%s", ldns_pkt_rd(pkt) ? "rd" : "nord",
			      ldns_pkt_cd(pkt) ? " cd" : "", ldns_pkt_ad(pkt) ? " ad" : "",
			      query->bytes[3] & 0x40 ? " z" : "");
	if (!query->edns)
		return;
	n += (size_t)snprintf(out + n, cap - n, " edns=%u%s", query->udp_size,
			      query->dnssec_ok ? " do" : "");
	const ldns_rdf *data = ldns_pkt_edns_data(pkt);
	const uint8_t *p = data ? ldns_rdf_data(data) : NULL;
	size_t left = data ? ldns_rdf_size(data) : 0;
	while (left >= 4 && n < cap) {
		size_t len = (size_t)(p[2] << 8 | p[3]);
		if (len + 4 > left)
			break;
		n += (size_t)snprintf(out + n, cap - n, " option=%u", p[0] << 8 | p[1]);
		p += len + 4;
		left -= len + 4;
	}
}

int reply_query_parse(struct reply_query *query)
{
	ldns_pkt *pkt = NULL;
	int ret = -1;

	if (query->len < 12 || ldns_wire2pkt(&pkt, query->bytes, query->len) != LDNS_STATUS_OK)
		return -1;
	if (ldns_pkt_qdcount(pkt) == 1 && !ldns_pkt_qr(pkt)) {
		ldns_rr *question = ldns_rr_list_rr(ldns_pkt_question(pkt), 0);
		char *name = ldns_rdf2str(ldns_rr_owner(question));
		snprintf(query->name, sizeof(query->name), "%s", name);
		free(name);
		for (size_t i = 0; i < sizeof(query->name); i++)
			query->lower[i] = (char)tolower((unsigned char)query->name[i]);
		query->type = (uint16_t)ldns_rr_get_type(question);
		query->question_len = ldns_rdf_size(ldns_rr_owner(question)) + 4;
		query->edns = ldns_pkt_edns(pkt);
		query->dnssec_ok = query->edns && ldns_pkt_edns_do(pkt);
		query->udp_size = query->edns ? ldns_pkt_edns_udp_size(pkt) : 512;
		query->cd = ldns_pkt_cd(pkt);
		describe(query, pkt);
		ret = 0;
	}
	ldns_pkt_free(pkt);
	return ret;
}

unsigned reply_query_have(const struct reply_query *query)
{
	unsigned have = query->tcp ? SCRIPT_IF_TCP : SCRIPT_IF_UDP;

	have |= query->dnssec_ok ? SCRIPT_IF_DO : SCRIPT_IF_NODO;
	have |= query->cd ? SCRIPT_IF_CD : SCRIPT_IF_NOCD;
	if (query->edns)
		have |= SCRIPT_IF_EDNS;
	return have;
}

static size_t build_records(struct writer *w, const struct reply_query *query,
			    const struct script_rule *rule, int section)
{
	char text[2048];
	size_t count = 0;

	for (size_t i = 0; i < rule->record_count; i++) {
		ldns_rr *rr = NULL;
		if (rule->records[i].section != section)
			continue;
		if (script_expand(rule, rule->records[i].text, query->name, text, sizeof(text)) <
			    0 ||
		    ldns_rr_new_frm_str(&rr, text, 0, NULL, NULL) != LDNS_STATUS_OK) {
			fprintf(stderr, "fakeup: record lost: %s\n", rule->records[i].text);
			continue;
		}
		put_rr(w, rr);
		ldns_rr_free(rr);
		count++;
	}
	return count;
}

static void build_nxdomain(struct writer *w)
{
	ldns_rr *rr = NULL;

	ldns_rr_new_frm_str(&rr, ". 900 IN SOA fake.invalid. fake.invalid. 1 1800 900 604800 900",
			    0, NULL, NULL);
	put_rr(w, rr);
	ldns_rr_free(rr);
}

static size_t build_raw(const struct reply_query *query, const char *hex, uint8_t *out)
{
	long n = tool_hex_decode(hex, out, REPLY_MAX);

	if (n >= 2)
		memcpy(out, query->bytes, 2);
	return n > 0 ? (size_t)n : 0;
}

size_t reply_build(const struct reply_query *query, const struct script_rule *rule, uint8_t *out)
{
	static struct writer w; /* one thread; too large for a stack frame */
	unsigned flags = rule ? rule->flags : 0, rcode = rule ? (unsigned)rule->rcode : 3;
	size_t counts[3] = { 0, rule ? 0 : 1, 0 };

	if (rule && rule->raw)
		return build_raw(query, rule->raw, out);
	bool no_opt = (flags & SCRIPT_NOOPT) || !query->edns;
	if ((flags & SCRIPT_FORMERR_EDNS) && query->edns) {
		rcode = 1;
		rule = NULL;
		counts[1] = 0;
		no_opt = true;
	}
	w = (struct writer){ .out = out };
	put(&w, query->bytes, 12);
	put_name(&w, query->bytes + 12, query->question_len - 4);
	put(&w, query->bytes + 12 + query->question_len - 4, 4);
	size_t end_of_question = w.len;
	if (rule) {
		for (int s = 0; s < 3; s++)
			counts[s] = build_records(&w, query, rule, s);
	} else if (counts[1]) {
		build_nxdomain(&w);
	}
	bool tc = !query->tcp && ((flags & SCRIPT_TC) || w.len + 11 > query->udp_size);
	if (tc) {
		w.len = end_of_question;
		memset(counts, 0, sizeof(counts));
	}
	if (!no_opt) {
		put_opt(&w, query->dnssec_ok, rule ? rule->options : NULL);
		counts[2]++;
	}
	out[2] = (uint8_t)(0x80 | (query->bytes[2] & 0x01) | (flags & SCRIPT_AA ? 4 : 0) |
			   (tc ? 2 : 0));
	out[3] = (uint8_t)((flags & SCRIPT_RA_OFF ? 0 : 0x80) | (flags & SCRIPT_AD ? 0x20 : 0) |
			   (query->bytes[3] & 0x10) | rcode);
	for (int s = 0; s < 3; s++) {
		out[6 + 2 * s] = (uint8_t)(counts[s] >> 8);
		out[7 + 2 * s] = (uint8_t)counts[s];
	}
	return w.len;
}
