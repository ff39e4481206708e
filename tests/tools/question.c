/* SPDX-License-Identifier: MIT */
/*
 * Questions of the test client: from words to bytes, over the wire and back to text.
 *
 * The query is laid out by hand, since half of the tests send what a library would not. The reply
 * is matched by id only and checked afterwards, so that a wrong echo shows as a failure and not as
 * silence. UDP sockets are not connected: a reply from another address than the one that was
 * asked must be seen, not dropped by the kernel. ldns turns records into text and is at the
 * same time a second opinion on whether the reply is well-formed.
 */
#include "question.h"

#include "toolnet.h"

#include <errno.h>
#include <fcntl.h>
#include <ldns/ldns.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* Replies that came on a kept connection before their question waited for them. */
#define ASIDE_MAX 1024

/* Connections that are kept: TCP, TLS. */
static struct kept {
	int fd;
	SSL *ssl;
} kept[2] = { { .fd = -1 }, { .fd = -1 } };
static struct {
	uint8_t *bytes;
	size_t len;
} aside[ASIDE_MAX];
static size_t aside_count;

struct options {
	unsigned qclass, opcode, bufsize, edns_version, flags, id, copies;
	uint8_t options[512]; /* of the OPT, as they are sent */
	size_t options_len;
	bool edns, dnssec_ok;
	bool raw;
};

static void put16(struct question *q, unsigned v)
{
	q->query[q->query_len++] = (uint8_t)(v >> 8);
	q->query[q->query_len++] = (uint8_t)v;
}

/* CODE:HEX, the HEX may be empty. */
static int edns_option(struct question *q, struct options *o, const char *text)
{
	const char *colon = strchr(text, ':');
	uint8_t *at = o->options + o->options_len;
	unsigned code = (unsigned)strtoul(text, NULL, 10);
	long len;

	if (!colon || o->options_len + 4 > sizeof(o->options))
		return -1;
	q->padded |= code == 12;
	len = tool_hex_decode(colon + 1, at + 4, sizeof(o->options) - o->options_len - 4);
	if (len < 0)
		return -1;
	at[0] = (uint8_t)(code >> 8);
	at[1] = (uint8_t)code;
	at[2] = (uint8_t)(len >> 8);
	at[3] = (uint8_t)len;
	o->options_len += 4 + (size_t)len;
	return 0;
}

static int option(struct question *q, struct options *o, const char *w)
{
	char *eq = strchr(w, '=');
	unsigned n = eq ? (unsigned)strtoul(eq + 1, NULL, 10) : 0;

	if (strcmp(w, "+do") == 0)
		o->dnssec_ok = true;
	else if (strcmp(w, "+cd") == 0)
		o->flags |= 0x0010;
	else if (strcmp(w, "+ad") == 0)
		o->flags |= 0x0020;
	else if (strcmp(w, "+nord") == 0)
		o->flags &= ~0x0100u;
	else if (strcmp(w, "+qr") == 0)
		o->flags |= 0x8000;
	else if (strcmp(w, "+tc") == 0)
		o->flags |= 0x0200;
	else if (strcmp(w, "+noedns") == 0)
		o->edns = false;
	else if (strcmp(w, "+two") == 0)
		o->copies = 2;
	else if (strcmp(w, "+noq") == 0)
		o->copies = 0;
	else if (strncmp(w, "+bufsize=", 9) == 0)
		o->bufsize = n;
	else if (strncmp(w, "+edns=", 6) == 0)
		o->edns_version = n;
	else if (strncmp(w, "+opcode=", 8) == 0)
		o->opcode = n;
	else if (strncmp(w, "+id=", 4) == 0)
		o->id = n;
	else if (strncmp(w, "+class=", 7) == 0)
		o->qclass = (unsigned)ldns_get_rr_class_by_name(eq + 1);
	else if (strncmp(w, "+opt=", 5) == 0)
		return edns_option(q, o, eq + 1);
	else if (strncmp(w, "+from=", 6) == 0)
		return tool_addr_parse(eq + 1, &q->source, &q->source_len);
	else if (strncmp(w, "+to=", 4) == 0)
		return tool_addr_parse(eq + 1, &q->server, &q->server_len);
	else
		return -1;
	return 0;
}

static int lay_out(struct question *q, const struct options *o, const char *name, unsigned type)
{
	ldns_rdf *rdf = ldns_dname_new_frm_str(name);

	if (!rdf)
		return -1;
	put16(q, o->id);
	put16(q, o->flags | o->opcode << 11);
	put16(q, o->copies);
	put16(q, 0);
	put16(q, 0);
	put16(q, o->edns);
	for (unsigned i = 0; i < o->copies; i++) {
		memcpy(q->query + q->query_len, ldns_rdf_data(rdf), ldns_rdf_size(rdf));
		q->query_len += ldns_rdf_size(rdf);
		put16(q, type);
		put16(q, o->qclass);
	}
	if (o->copies == 1)
		q->question_len = q->query_len - 12;
	ldns_rdf_deep_free(rdf);
	if (o->edns) {
		q->edns_size = o->bufsize;
		q->query[q->query_len++] = 0;
		put16(q, LDNS_RR_TYPE_OPT);
		put16(q, o->bufsize);
		put16(q, o->edns_version);
		put16(q, o->dnssec_ok ? 0x8000 : 0);
		put16(q, (unsigned)o->options_len);
		memcpy(q->query + q->query_len, o->options, o->options_len);
		q->query_len += o->options_len;
	}
	return 0;
}

/* The hex may be spread over several words, up to the next option. Returns the last one's index. */
static int take_raw(struct question *q, int argc, char **argv, int i)
{
	char hex[2 * sizeof(q->query) + 1];
	size_t n = 0;
	const char *word = argv[i] + 5;

	for (;;) {
		n += (size_t)snprintf(hex + n, n < sizeof(hex) ? sizeof(hex) - n : 0, "%s", word);
		if (n >= sizeof(hex) || i + 1 >= argc || argv[i + 1][0] == '+')
			break;
		word = argv[++i];
	}
	long len = n < sizeof(hex) ? tool_hex_decode(hex, q->query, sizeof(q->query)) : -1;
	q->query_len = len < 0 ? SIZE_MAX : (size_t)len;
	return i;
}

/*
 * From a random one on, so that no two questions on one connection have the same: of a hundred
 * random ones two are alike once in thirteen times.
 */
static int draw_id(unsigned *ret)
{
	static uint16_t next;
	static bool drawn;

	if (!drawn && getrandom(&next, sizeof(next), 0) != sizeof(next))
		return -1;
	drawn = true;
	*ret = next++;
	return 0;
}

int question_parse(struct question *q, const struct sockaddr_storage *server, socklen_t server_len,
		   int argc, char **argv)
{
	struct options o = {
		.qclass = 1, .bufsize = 1232, .flags = 0x0100, .copies = 1, .edns = true
	};
	int i = 0;

	*q = (struct question){ .server = *server, .server_len = server_len, .fd = -1 };
	if (draw_id(&o.id) < 0)
		return -1;
	if (i < argc && strcmp(argv[i], "udp") == 0)
		i++;
	else if (i < argc && strcmp(argv[i], "tcp") == 0)
		q->transport = QUESTION_TCP, i++;
	else if (i < argc && strcmp(argv[i], "tcpk") == 0)
		q->transport = QUESTION_TCP_KEPT, i++;
	else if (i < argc && strcmp(argv[i], "tls") == 0)
		q->transport = QUESTION_TLS, i++;
	else if (i < argc && strcmp(argv[i], "tlsk") == 0)
		q->transport = QUESTION_TLS_KEPT, i++;
	if (i + 2 > argc)
		return -1;
	const char *name = argv[i];
	unsigned type = (unsigned)ldns_get_rr_type_by_name(argv[i + 1]);
	for (i += 2; i < argc; i++) {
		if (strncmp(argv[i], "+raw=", 5) == 0) {
			i = take_raw(q, argc, argv, i);
			o.raw = true;
			continue;
		}
		if (option(q, &o, argv[i]) < 0) {
			fprintf(stderr, "dnsq: %s?\n", argv[i]);
			return -1;
		}
	}
	if (o.raw)
		return q->query_len == SIZE_MAX ? -1 : 0;
	if (type == 0 || lay_out(q, &o, name, type) < 0) {
		fprintf(stderr, "dnsq: bad question %s %u\n", name, type);
		return -1;
	}
	return 0;
}

static int open_tcp(struct question *q)
{
	int fd = socket(q->server.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || (q->source_len && bind(fd, (struct sockaddr *)&q->source, q->source_len)) ||
	    connect(fd, (struct sockaddr *)&q->server, q->server_len) < 0) {
		fprintf(stderr, "dnsq: TCP: %s\n", strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

static bool is_tls(const struct question *q)
{
	return q->transport == QUESTION_TLS || q->transport == QUESTION_TLS_KEPT;
}

/* The connection that the question is to share, or NULL. */
static struct kept *kept_of(const struct question *q)
{
	if (q->transport == QUESTION_TCP_KEPT)
		return &kept[0];
	return q->transport == QUESTION_TLS_KEPT ? &kept[1] : NULL;
}

/* Never blocks afterwards. 0 or -1. */
static int begin_tls(struct question *q)
{
	static const uint8_t alpn[] = "\3dot";
	static SSL_CTX *ctx;
	SSL *ssl;

	if (!ctx)
		ctx = SSL_CTX_new(TLS_client_method());
	q->ssl = ssl = SSL_new(ctx);
	if (!ssl || SSL_set_alpn_protos(ssl, alpn, 4) != 0 || SSL_set_fd(ssl, q->fd) != 1 ||
	    SSL_connect(ssl) != 1) {
		fprintf(stderr, "dnsq: TLS: no handshake\n");
		return -1;
	}
	return fcntl(q->fd, F_SETFL, fcntl(q->fd, F_GETFL) | O_NONBLOCK);
}

static void hang_up(int *fd, SSL *ssl)
{
	if (ssl)
		SSL_shutdown(ssl);
	SSL_free(ssl);
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* A connection of its own, or the kept one, which is opened where it is not there. */
static int reach(struct question *q)
{
	struct kept *keep = kept_of(q);

	if (keep && keep->fd >= 0) {
		q->fd = keep->fd;
		q->ssl = keep->ssl;
		return 0;
	}
	q->fd = open_tcp(q);
	if (q->fd < 0)
		return -1;
	if (is_tls(q) && begin_tls(q) < 0) {
		hang_up(&q->fd, q->ssl);
		q->ssl = NULL;
		return -1;
	}
	if (keep)
		*keep = (struct kept){ q->fd, q->ssl };
	return 0;
}

int question_send(struct question *q)
{
	uint8_t framed[sizeof(q->query) + 2];

	q->reply = malloc(QUESTION_MAX);
	if (!q->reply)
		return -1;
	if (q->transport == QUESTION_UDP) {
		q->fd = socket(q->server.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (q->fd < 0 ||
		    (q->source_len && bind(q->fd, (struct sockaddr *)&q->source, q->source_len)))
			return -1;
		return sendto(q->fd, q->query, q->query_len, 0, (struct sockaddr *)&q->server,
			      q->server_len) < 0
			       ? -1
			       : 0;
	}
	if (reach(q) < 0)
		return -1;
	framed[0] = (uint8_t)(q->query_len >> 8);
	framed[1] = (uint8_t)q->query_len;
	memcpy(framed + 2, q->query, q->query_len);
	if (q->ssl)
		return SSL_write(q->ssl, framed, (int)q->query_len + 2) <= 0 ? -1 : 0;
	return send(q->fd, framed, q->query_len + 2, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

static bool ours(const struct question *q, const uint8_t *bytes, size_t len)
{
	return len >= 2 && q->query_len >= 2 && memcmp(bytes, q->query, 2) == 0;
}

/* Reads exactly len bytes before the deadline. 0, 1 on time-out, -1 at the end. */
static int read_all(struct question *q, uint8_t *out, size_t len, uint64_t deadline)
{
	while (len > 0) {
		/* TLS may have some already. */
		ssize_t n = q->ssl ? SSL_read(q->ssl, out, (int)len) : 0;
		if (n <= 0) {
			uint64_t now = tool_now_ms();
			struct pollfd p = { .fd = q->fd, .events = POLLIN };
			if (q->ssl && SSL_get_error(q->ssl, (int)n) != SSL_ERROR_WANT_READ)
				return -1;
			if (now >= deadline || poll(&p, 1, (int)(deadline - now)) == 0)
				return 1;
			if (q->ssl)
				continue;
			n = read(q->fd, out, len);
			if (n <= 0)
				return -1;
		}
		out += n;
		len -= (size_t)n;
	}
	return 0;
}

static int wait_udp(struct question *q, uint64_t deadline)
{
	for (;;) {
		struct sockaddr_storage from;
		socklen_t from_len = sizeof(from);
		uint64_t now = tool_now_ms();
		struct pollfd p = { .fd = q->fd, .events = POLLIN };
		if (now >= deadline || poll(&p, 1, (int)(deadline - now)) == 0)
			return 1;
		ssize_t n = recvfrom(q->fd, q->reply, QUESTION_MAX, 0, (struct sockaddr *)&from,
				     &from_len);
		if (n < 0)
			return -1;
		if (!ours(q, q->reply, (size_t)n))
			continue;
		if (!tool_addr_equal(&from, &q->server)) {
			char a[80];
			tool_addr_print(&from, a, sizeof(a));
			fprintf(stderr, "dnsq: the reply came from %s\n", a);
			return -1;
		}
		q->reply_len = (size_t)n;
		return 0;
	}
}

static int wait_tcp(struct question *q, uint64_t deadline)
{
	for (;;) {
		uint8_t head[2];
		int rc = read_all(q, head, 2, deadline);
		size_t len = (size_t)(head[0] << 8 | head[1]);
		if (rc == 0)
			rc = read_all(q, q->reply, len, deadline);
		if (rc != 0)
			return rc;
		if (ours(q, q->reply, len)) {
			q->reply_len = len;
			return 0;
		}
		if (kept_of(q) && aside_count < ASIDE_MAX) {
			aside[aside_count].bytes = malloc(len + 1);
			if (!aside[aside_count].bytes)
				return -1;
			memcpy(aside[aside_count].bytes, q->reply, len);
			aside[aside_count++].len = len;
		}
	}
}

int question_wait(struct question *q, int timeout_ms)
{
	uint64_t deadline = tool_now_ms() + (uint64_t)timeout_ms;

	if (q->fd < 0)
		return -1;
	if (q->transport == QUESTION_UDP)
		return wait_udp(q, deadline);
	if (kept_of(q)) {
		for (size_t i = 0; i < aside_count; i++) {
			if (!ours(q, aside[i].bytes, aside[i].len))
				continue;
			memcpy(q->reply, aside[i].bytes, aside[i].len);
			q->reply_len = aside[i].len;
			free(aside[i].bytes);
			aside[i] = aside[--aside_count];
			return 0;
		}
	}
	return wait_tcp(q, deadline);
}

void question_fini(struct question *q)
{
	if (q->fd >= 0 && q->fd != kept[0].fd && q->fd != kept[1].fd)
		hang_up(&q->fd, q->ssl);
	q->fd = -1;
	q->ssl = NULL;
	free(q->reply);
	q->reply = NULL;
}

void question_drop_kept(void)
{
	for (size_t i = 0; i < 2; i++) {
		hang_up(&kept[i].fd, kept[i].ssl);
		kept[i].ssl = NULL;
	}
	while (aside_count > 0)
		free(aside[--aside_count].bytes);
}

const char *question_check(const struct question *q)
{
	const uint8_t *r = q->reply;

	if (q->reply_len < 12)
		return "shorter than a header";
	if (!(r[2] & 0x80))
		return "QR is not set";
	if (!(r[3] & 0x80))
		return "RA is not set";
	if ((r[2] & 0x78) != (q->query[2] & 0x78))
		return "another opcode";
	if ((r[2] & 0x01) != (q->query[2] & 0x01))
		return "RD is not as asked";
	if ((r[3] & 0x10) != (q->query[3] & 0x10))
		return "CD is not as asked";
	if (r[3] & 0x40)
		return "the Z bit is set";
	if (q->transport == QUESTION_UDP) {
		unsigned limit = q->edns_size > 1232 ? 1232 : q->edns_size;
		if (q->reply_len > (limit < 512 ? 512 : limit))
			return "larger than the client allows";
	}
	if (is_tls(q) && q->padded && q->reply_len % 468 != 0)
		return "not padded to whole blocks";
	/* A header alone may answer a question that could not be read. */
	if (q->question_len > 0 && (r[4] << 8 | r[5]) == 1 &&
	    (q->reply_len < 12 + q->question_len ||
	     memcmp(r + 12, q->query + 12, q->question_len) != 0))
		return "the question is not echoed byte for byte";
	return NULL;
}

static void print_ede(FILE *f, const ldns_pkt *pkt)
{
	const ldns_rdf *data = ldns_pkt_edns_data(pkt);

	if (!data)
		return;
	const uint8_t *p = ldns_rdf_data(data);
	size_t left = ldns_rdf_size(data);
	while (left >= 4) {
		size_t len = (size_t)(p[2] << 8 | p[3]);
		if (len + 4 > left)
			break;
		if (p[0] == 0 && p[1] == 15 && len >= 2)
			fprintf(f, " ede=%u", p[4] << 8 | p[5]);
		else
			fprintf(f, " option=%u", p[0] << 8 | p[1]);
		p += len + 4;
		left -= len + 4;
	}
}

static void print_section(FILE *f, const char *word, const ldns_rr_list *list)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		char *text = ldns_rr2str(ldns_rr_list_rr(list, i));
		text[strcspn(text, "\n")] = '\0';
		size_t n = strlen(text);
		while (n > 0 && text[n - 1] == ' ')
			text[--n] = '\0';
		for (char *p = text; *p; p++)
			if (*p == '\t')
				*p = ' ';
		/* ldns explains keys behind them. */
		char *remark = strstr(text, " ;{");
		if (remark)
			*remark = '\0';
		fprintf(f, "%s %s\n", word, text);
		free(text);
	}
}

char *question_text(const struct question *q)
{
	char *buf = NULL;
	size_t len = 0;
	ldns_pkt *pkt = NULL;
	FILE *f = open_memstream(&buf, &len);
	ldns_status st = ldns_wire2pkt(&pkt, q->reply, q->reply_len);

	if (!f)
		return NULL;
	if (st != LDNS_STATUS_OK) {
		fprintf(f, "MALFORMED %s\n", ldns_get_errorstr_by_id(st));
		fclose(f);
		return buf;
	}
	unsigned rcode =
		ldns_pkt_get_rcode(pkt) |
		(ldns_pkt_edns(pkt) ? (unsigned)ldns_pkt_edns_extended_rcode(pkt) << 4 : 0);
	ldns_lookup_table *t = ldns_lookup_by_id(ldns_rcodes, (int)rcode);
	fprintf(f, "%s", rcode == 16 ? "BADVERS" : rcode == 4 ? "NOTIMP" : t ? t->name : "RCODE?");
	fprintf(f, "%s%s%s%s%s%s%s", ldns_pkt_qr(pkt) ? " qr" : "", ldns_pkt_aa(pkt) ? " aa" : "",
		ldns_pkt_tc(pkt) ? " tc" : "", ldns_pkt_rd(pkt) ? " rd" : "",
		ldns_pkt_ra(pkt) ? " ra" : "", ldns_pkt_ad(pkt) ? " ad" : "",
		ldns_pkt_cd(pkt) ? " cd" : "");
	if (ldns_pkt_edns(pkt)) {
		fprintf(f, " edns%s", ldns_pkt_edns_do(pkt) ? " do" : "");
		print_ede(f, pkt);
	}
	fprintf(f, "\n");
	print_section(f, "an", ldns_pkt_answer(pkt));
	print_section(f, "au", ldns_pkt_authority(pkt));
	print_section(f, "ar", ldns_pkt_additional(pkt));
	ldns_pkt_free(pkt);
	fclose(f);
	return buf;
}
