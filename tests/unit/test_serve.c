/* SPDX-License-Identifier: MIT */
/*
 * serve/ with real sockets and threads over a resolver of our own, below: its messages are two
 * octets of id, a command and an argument, and it answers at once, late, in any order, or hugely.
 */
#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "forward/looprobe.h"
#include "resolve/query.h"
#include "serve/listen.h"
#include "serve/worker.h"
#include "tools/certs.h"
#include "unit/unit.h"

/* ---- the resolver ---- */

enum command {
	ECHO, /* the message itself, at once */
	DROP,
	LATER,   /* after argument * 10 ms */
	HUGE,    /* argument * 256 octets, at once */
	ASKED,   /* the address that was asked, as text */
	HOLD,    /* late, at the next RELEASE; argument * 256 octets, at least 2 */
	RELEASE, /* ends all that are held, the newest first, within this very call; then echo */
	EVENTS,  /* 25 events; then echo */
	CLIENT,  /* idle_ds and tls of the client */
};

struct query {
	struct client client;
	uint64_t due_ms; /* UINT64_MAX: held */
	size_t len;
	uint8_t id[2];
	bool used;
};

struct put_off {
	struct client client;
	const uint8_t *in;
	size_t len;
	uint64_t now_ms;
};

struct resolver {
	struct resolver_conf conf;
	struct resolver_counters counters;
	struct query query[256];
	unsigned waiting;
	const struct view *view;
	_Atomic unsigned gone;
	uint8_t late[65536];
	struct put_off put_off[RESOLVER_PUT_OFF_MAX];
	unsigned put_off_count, put_off_next, turn;
};

static struct resolver *resolvers[8];
static unsigned resolvers_count;
static struct forward_counters no_forward_counters;
static bool ignore_gone;

struct resolver *resolver_new(const struct resolver_conf *conf, struct err *err)
{
	struct resolver *resolver = calloc(1, sizeof(*resolver));

	(void)err;
	resolver->conf = *conf;
	resolvers[resolvers_count++] = resolver;
	return resolver;
}

void resolver_free(struct resolver *resolver)
{
	free(resolver);
}

void resolver_use_forward(struct resolver *resolver, struct forward *forward)
{
	(void)resolver;
	(void)forward;
}

void resolver_use_view(struct resolver *resolver, const struct view *view)
{
	resolver->view = view;
}

static void end_query(struct resolver *resolver, struct query *query)
{
	query->used = false;
	resolver->waiting--;
	memcpy(resolver->late, query->id, 2);
	resolver->conf.send(resolver->conf.arg, &query->client, resolver->late, query->len);
}

static enum resolver_verdict wait_for(struct resolver *resolver, const struct client *client,
				      const uint8_t *in, uint64_t due_ms)
{
	struct query *query = resolver->query;

	while (query->used)
		query++;
	assert(query < resolver->query + 256); /* Check's own are for its own thread */
	query->used = true;
	query->client = *client;
	query->due_ms = due_ms;
	query->len = due_ms == UINT64_MAX && in[3] ? in[3] * 256U : 2;
	memcpy(query->id, in, 2);
	resolver->waiting++;
	return RESOLVER_LATER;
}

enum resolver_verdict resolver_receive(struct resolver *resolver, const struct client *client,
				       const uint8_t *in, size_t len, uint64_t now_ms, uint8_t *out,
				       size_t *ret_len)
{
	struct name name;
	unsigned n;

	counter_add(&resolver->counters.queries, 1);
	assert(resolver->view);
	if (len < 4)
		return RESOLVER_DROP;
	switch ((enum command)in[2]) {
	case DROP:
		return RESOLVER_DROP;
	case LATER:
		return wait_for(resolver, client, in, now_ms + in[3] * 10);
	case HOLD:
		return wait_for(resolver, client, in, UINT64_MAX);
	case HUGE:
		memset(out, in[1], in[3] * 256);
		memcpy(out, in, 4);
		*ret_len = in[3] * 256;
		return RESOLVER_ANSWER;
	case ASKED:
		addr_to_text(&client->to, 0, (char *)out);
		*ret_len = strlen((char *)out);
		return RESOLVER_ANSWER;
	case CLIENT:
		out[0] = (uint8_t)(client->idle_ds >> 8);
		out[1] = (uint8_t)client->idle_ds;
		out[2] = client->tls;
		*ret_len = 3;
		return RESOLVER_ANSWER;
	case RELEASE:
		for (n = 256; n-- > 0;) {
			if (resolver->query[n].used && resolver->query[n].due_ms == UINT64_MAX)
				end_query(resolver, &resolver->query[n]);
		}
		break;
	case EVENTS:
		n = (unsigned)name_from_text(&name, "x.example", 9);
		assert(n == 0);
		for (; n < 25; n++)
			resolver->conf.event(resolver->conf.arg, RESOLVER_EVENT_MUST_BE_PRIVATE,
					     client, &name, 1, NULL);
		break;
	case ECHO:
		break;
	}
	memcpy(out, in, len);
	*ret_len = len;
	return RESOLVER_ANSWER;
}

/* Every second one is put off. */
enum resolver_verdict resolver_receive_some(struct resolver *resolver, const struct client *client,
					    const uint8_t *in, size_t len, uint64_t now_ms,
					    uint8_t *out, size_t *ret_len)
{
	struct put_off *put_off = &resolver->put_off[resolver->put_off_count];

	if (resolver->turn++ % 2 == 0)
		return resolver_receive(resolver, client, in, len, now_ms, out, ret_len);
	assert(resolver->put_off_count < RESOLVER_PUT_OFF_MAX);
	*put_off = (struct put_off){ *client, in, len, now_ms };
	resolver->put_off_count++;
	return RESOLVER_PUT_OFF;
}

unsigned resolver_put_off(const struct resolver *resolver)
{
	return resolver->put_off_count - resolver->put_off_next;
}

enum resolver_verdict resolver_resume(struct resolver *resolver, struct client *ret_client,
				      uint8_t *out, size_t *ret_len)
{
	struct put_off *put_off = &resolver->put_off[resolver->put_off_next];

	if (++resolver->put_off_next == resolver->put_off_count)
		resolver->put_off_count = resolver->put_off_next = 0;
	*ret_client = put_off->client;
	return resolver_receive(resolver, &put_off->client, put_off->in, put_off->len,
				put_off->now_ms, out, ret_len);
}

void resolver_forwarded(void *resolver, uint64_t waiter, const struct reply *reply)
{
	(void)resolver;
	(void)waiter;
	(void)reply;
}

int resolver_expire(struct resolver *resolver, uint64_t now_ms)
{
	uint64_t next = UINT64_MAX;
	struct query *query;

	for (query = resolver->query; query < resolver->query + 256; query++) {
		if (query->used && query->due_ms <= now_ms)
			end_query(resolver, query);
		else if (query->used && query->due_ms < next)
			next = query->due_ms;
	}
	return next == UINT64_MAX ? -1 : (int)(next - now_ms);
}

void resolver_client_gone(struct resolver *resolver, uint32_t slot, uint64_t serial)
{
	struct query *query;

	resolver->gone++;
	for (query = resolver->query; !ignore_gone && query < resolver->query + 256; query++) {
		if (query->used && query->client.stream && query->client.slot == slot &&
		    query->client.serial == serial) {
			query->used = false;
			resolver->waiting--;
		}
	}
}

const struct resolver_counters *resolver_counters(const struct resolver *resolver)
{
	return &resolver->counters;
}

unsigned resolver_waiting(const struct resolver *resolver)
{
	return resolver->waiting;
}

/* Type 1 is explained at once, others never. */
void resolver_explain(struct resolver *resolver, const struct name *name, uint16_t type,
		      uint64_t now_ms, resolver_explained_fn *done, void *arg)
{
	char text[NAME_TEXT_MAX];

	(void)resolver;
	(void)now_ms;
	name_to_text(name->wire, text);
	if (type == 1)
		done(arg, text, (const uint8_t *)"abc", 3);
}

struct forward *forward_new(struct forward_shared *shared, unsigned n, struct event_base *base,
			    forward_done_fn *done, void *arg, struct err *err)
{
	(void)shared;
	(void)n;
	(void)base;
	(void)done;
	(void)err;
	return arg; /* never looked at */
}

void forward_free(struct forward *forward)
{
	(void)forward;
}

struct looptable *forward_loops(const struct forward_shared *forward)
{
	(void)forward;
	return NULL;
}

struct prober *forward_prober(struct forward *forward)
{
	(void)forward;
	return NULL;
}

struct looprobe *looprobe_new(struct looptable *table, struct prober *prober,
			      struct event_base *base, looprobe_told_fn *told, void *arg,
			      struct err *err)
{
	(void)table;
	(void)prober;
	(void)base;
	(void)told;
	(void)err;
	return arg; /* never looked at */
}

void looprobe_free(struct looprobe *looprobe)
{
	(void)looprobe;
}

const struct forward_counters *forward_counters(const struct forward *forward)
{
	(void)forward;
	return &no_forward_counters;
}

/* ---- a server and its clients ---- */

static struct listeners *listeners;
static struct publish *publish;
static struct workers *workers;
static char views[4];
static unsigned released;
static union addr server;        /* the first address */
static union addr stream_server; /* the one for streams: the same, or that for TLS */
static bool over_tls;            /* streams of this test */
static struct tls_server *tls;
static SSL_CTX *client_ctx;
static SSL *secure[1024]; /* of a descriptor; NULL: plain */
static char folder[64];   /* of certificates */

static void release_view(void *object)
{
	(void)object;
	released++;
}

static union addr address(const char *text, uint16_t port)
{
	union addr addr;

	ck_assert_int_eq(addr_parse(&addr, text, port), 0);
	return addr;
}

/* ---- certificates and TLS clients ---- */

/* Once for all tests. */
static void make_certificates(void)
{
	signal(SIGPIPE, SIG_IGN);
	strcpy(folder, "/tmp/privlinkd-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	certs_fill(folder);
}

static void remove_certificates(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0);
}

static void load_certificate(const char *name)
{
	char cert[128], key[128];
	struct err err = { "" };

	snprintf(cert, sizeof(cert), "%s/%s.pem", folder, name);
	snprintf(key, sizeof(key), "%s/%s.key", folder, name);
	ck_assert_msg(tls_server_load(tls, cert, key, &err) == 0, "%s", err.text);
}

/* The last session that a server gave; the caller's. */
static SSL_SESSION *ticket;

static int on_ticket(SSL *ssl, SSL_SESSION *session)
{
	(void)ssl;
	SSL_SESSION_free(ticket);
	ticket = session;
	return 1;
}

static void use_tls(void)
{
	over_tls = true;
	tls = tls_server_new(NULL);
	load_certificate("good");
	client_ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_session_cache_mode(client_ctx, SSL_SESS_CACHE_CLIENT);
	SSL_CTX_sess_set_new_cb(client_ctx, on_ticket);
	ck_assert_ptr_nonnull(client_ctx);
}

static void unuse_tls(void)
{
	over_tls = false;
	SSL_SESSION_free(ticket);
	ticket = NULL;
	SSL_CTX_free(client_ctx);
	tls_server_free(tls);
	client_ctx = NULL;
	tls = NULL;
}

static ssize_t put(int fd, const void *data, size_t len)
{
	return secure[fd] ? SSL_write(secure[fd], data, (int)len)
			  : send(fd, data, len, MSG_NOSIGNAL);
}

/* All of it, or 0 at the end or where the connection is broken. */
static size_t take(int fd, void *data, size_t len)
{
	size_t done = 0;
	ssize_t got;

	for (; done < len; done += (size_t)got) {
		got = secure[fd] ? SSL_read(secure[fd], (uint8_t *)data + done, (int)(len - done))
				 : recv(fd, (uint8_t *)data + done, len - done, 0);
		if (got <= 0)
			return 0;
	}
	return len;
}

static void hang_up(int fd)
{
	/* Else OpenSSL takes what can be resumed for broken. */
	if (secure[fd])
		SSL_set_shutdown(secure[fd], SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(secure[fd]);
	secure[fd] = NULL;
	close(fd);
}

/* Says that no more is coming. */
static void end_sending(int fd)
{
	if (secure[fd])
		ck_assert_int_ge(SSL_shutdown(secure[fd]), 0);
	else
		ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
}

static void serve(const char *listen, unsigned count, const struct workers_conf *conf)
{
	struct workers_conf defaults = WORKERS_CONF_DEFAULT;
	union addr addr = address(listen, 0);
	struct err err = { "" };

	listeners = listeners_new(&addr, 1, count, &err);
	ck_assert_msg(listeners, "%s", err.text);
	server = *listeners_addr(listeners, 0);
	ck_assert_uint_ne(addr_port(&server), 0);
	if (over_tls)
		ck_assert_msg(listeners_add_tls(listeners, &addr, 1, &err) == 0, "%s", err.text);
	stream_server = *listeners_addr(listeners, over_tls);
	ck_assert(listeners_tls(listeners, over_tls) == over_tls);
	publish = publish_new(count, release_view);
	workers = workers_new(conf ? conf : &defaults, listeners, publish, NULL, tls, &err);
	ck_assert_msg(workers, "%s", err.text);
	publish_offer(publish, &views[0]);
	ck_assert_msg(workers_start(workers, &err) == 0, "%s", err.text);
}

static void teardown(void)
{
	workers_free(workers);
	publish_free(publish);
	listeners_free(listeners);
	/* With CK_FORK=no the next test is in this process too. */
	resolvers_count = released = 0;
	ignore_gone = false;
}

static const struct serve_counters *counters(void)
{
	return workers_counters(workers, 0).serve;
}

/* Counts of another thread come when they come. */
static void wait_count(const struct counter *counter, uint64_t least)
{
	uint64_t end_ms = clock_now_ms() + 5000;

	while (counter_get(counter) < least && clock_now_ms() < end_ms)
		poll(NULL, 0, 5);
	ck_assert_uint_ge(counter_get(counter), least);
}

/* Connections are counted as closed at the end of the turn that closes them. */
static void wait_open(uint64_t most)
{
	uint64_t end_ms = clock_now_ms() + 5000;

	while (counter_get(&counters()->tcp.open) > most && clock_now_ms() < end_ms)
		poll(NULL, 0, 5);
	ck_assert_uint_le(counter_get(&counters()->tcp.open), most);
}

/* A socket without TLS on it yet. */
static int bare_client(int type)
{
	const union addr *to = type == SOCK_STREAM ? &stream_server : &server;
	struct timeval wait = { 5, 0 };
	int fd = socket(to->any.sa_family, type, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_lt(fd, 1024);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	ck_assert_int_eq(connect(fd, &to->any, addr_len(to)), 0);
	return fd;
}

/* Shakes hands, maybe with a session to be resumed. Where that fails, nothing will be heard. */
static void begin_tls(int fd, SSL_SESSION *resume)
{
	SSL *ssl = secure[fd] = SSL_new(client_ctx);

	ck_assert_ptr_nonnull(ssl);
	SSL_set_fd(ssl, fd);
	if (resume)
		SSL_set_session(ssl, resume);
	(void)SSL_connect(ssl);
}

static int client(int type)
{
	int fd = bare_client(type);

	if (over_tls && type == SOCK_STREAM)
		begin_tls(fd, NULL);
	return fd;
}

static size_t frame(uint8_t *out, unsigned id, enum command command, unsigned argument)
{
	uint8_t octets[] = {
		0, 4, (uint8_t)(id >> 8), (uint8_t)id, (uint8_t)command, (uint8_t)argument
	};

	memcpy(out, octets, sizeof(octets));
	return sizeof(octets);
}

static void ask(int fd, unsigned id, enum command command, unsigned argument)
{
	uint8_t out[6];

	frame(out, id, command, argument);
	ck_assert_int_eq(put(fd, out, sizeof(out)), sizeof(out));
}

static void ask_udp(int fd, unsigned id, enum command command, unsigned argument)
{
	uint8_t out[6];

	frame(out, id, command, argument);
	ck_assert_int_eq(send(fd, out + 2, 4, 0), 4);
}

/* The next frame's octets; -1 at the end of the stream, or where it was reset. */
static ssize_t hear(int fd, uint8_t *out)
{
	uint8_t head[2];
	size_t len;

	errno = 0;
	if (take(fd, head, 2) == 0) {
		ck_assert_int_ne(errno, EAGAIN); /* it did not come in time */
		return -1;
	}
	len = (size_t)(head[0] << 8 | head[1]);
	ck_assert_uint_eq(take(fd, out, len), len);
	return (ssize_t)len;
}

static void hear_id(int fd, unsigned id)
{
	static uint8_t out[65536];

	ck_assert_int_ge(hear(fd, out), 2);
	ck_assert_uint_eq((unsigned)(out[0] << 8 | out[1]), id);
}

static void hear_end(int fd)
{
	static uint8_t out[65536];

	ck_assert_int_eq(hear(fd, out), -1);
}

/* ---- UDP ---- */

static void check_udp(const char *listen)
{
	uint8_t got[16];
	bool seen[100] = { 0 };
	unsigned n;
	int fd;

	serve(listen, 1, NULL);
	fd = client(SOCK_DGRAM);
	for (n = 0; n < 100; n++)
		ask_udp(fd, n, ECHO, 0);
	for (n = 0; n < 100; n++) {
		ck_assert_int_eq(recv(fd, got, sizeof(got), 0), 4);
		ck_assert(!seen[got[1]]);
		seen[got[1]] = true;
	}
	wait_count(&counters()->udp.sent, 100);
	ck_assert_uint_eq(counter_get(&counters()->udp.received), 100);
	close(fd);
	teardown();
}

START_TEST(udp_v4)
{
	check_udp("127.0.0.1");
}
END_TEST

START_TEST(udp_v6)
{
	union addr addr = address("::1", 0);
	struct listeners *l = listeners_new(&addr, 1, 1, NULL);

	if (l)
		check_udp("::1");
	listeners_free(l);
}
END_TEST

START_TEST(udp_late)
{
	uint8_t got[16];
	int fd;

	serve("127.0.0.1", 1, NULL);
	fd = client(SOCK_DGRAM);
	ask_udp(fd, 1, LATER, 20);
	ask_udp(fd, 2, LATER, 5);
	ask_udp(fd, 3, DROP, 0);
	ask_udp(fd, 4, ECHO, 0);
	ck_assert_int_eq(recv(fd, got, sizeof(got), 0), 4);
	ck_assert_uint_eq(got[1], 4);
	ck_assert_int_eq(recv(fd, got, sizeof(got), 0), 2);
	ck_assert_uint_eq(got[1], 2);
	ck_assert_int_eq(recv(fd, got, sizeof(got), 0), 2);
	ck_assert_uint_eq(got[1], 1);
	close(fd);
	teardown();
}
END_TEST

/* From a wildcard the answer comes from the address that was asked; both transports know it. */
START_TEST(wildcard)
{
	char want[ADDR_TEXT_MAX];
	uint8_t got[128];
	int fd;

	serve("0.0.0.0", 2, NULL);
	server.in4.sin_addr.s_addr = htonl(0x7f000002);
	stream_server = server;
	addr_to_text(&server, 0, want);
	fd = client(SOCK_DGRAM); /* connected: takes nothing from elsewhere */
	ask_udp(fd, 1, ASKED, 0);
	ck_assert_int_eq(recv(fd, got, sizeof(got), 0), (ssize_t)strlen(want));
	ck_assert_mem_eq(got, want, strlen(want));
	ask_udp(fd, 2, LATER, 1);
	ck_assert_int_eq(recv(fd, got, sizeof(got), 0), 2);
	close(fd);
	fd = client(SOCK_STREAM);
	ask(fd, 1, ASKED, 0);
	ck_assert_int_eq(hear(fd, got), (ssize_t)strlen(want));
	ck_assert_mem_eq(got, want, strlen(want));
	close(fd);
	teardown();
}
END_TEST

/* ---- TCP ---- */

START_TEST(tcp_octet_by_octet)
{
	uint8_t out[64];
	size_t len = 0, i;
	int fd;

	serve("127.0.0.1", 1, NULL);
	fd = client(SOCK_STREAM);
	out[len++] = 0; /* a frame of nothing */
	out[len++] = 0;
	len += frame(out + len, 7, ECHO, 0);
	len += frame(out + len, 8, DROP, 0);
	len += frame(out + len, 9, ECHO, 0);
	for (i = 0; i < len; i++) {
		ck_assert_int_eq(put(fd, out + i, 1), 1);
		poll(NULL, 0, 1);
	}
	hear_id(fd, 7);
	hear_id(fd, 9);
	ck_assert_uint_eq(counter_get(&counters()->tcp.received), 4);
	hang_up(fd);
	teardown();
}
END_TEST

START_TEST(tcp_over_long)
{
	static uint8_t out[2 + 20000 + 6] = { 20000 >> 8, 20000 & 0xff, 0, 1 };
	static uint8_t got[65536];
	int fd;

	serve("127.0.0.1", 1, NULL);
	fd = client(SOCK_STREAM);
	frame(out + 2 + 20000, 2, ECHO, 0);
	ck_assert_int_eq(put(fd, out, sizeof(out)), sizeof(out));
	ck_assert_int_eq(hear(fd, got), 4096);
	hear_id(fd, 2);
	ck_assert_uint_eq(counter_get(&counters()->tcp.cut), 1);
	hang_up(fd);
	teardown();
}
END_TEST

/* Many in one segment, answers in the order in which they become ready. */
START_TEST(tcp_pipelined)
{
	static uint8_t out[2000 * 6];
	size_t len = 0;
	unsigned n;
	int fd;

	serve("127.0.0.1", 1, NULL);
	fd = client(SOCK_STREAM);
	len += frame(out + len, 0xfff1, LATER, 25);
	len += frame(out + len, 0xfff2, LATER, 10);
	for (n = 2; n < 2000; n++)
		len += frame(out + len, n, ECHO, 0);
	ck_assert_int_eq(put(fd, out, len), (ssize_t)len);
	for (n = 2; n < 2000; n++)
		hear_id(fd, n);
	hear_id(fd, 0xfff2);
	hear_id(fd, 0xfff1);
	hang_up(fd);
	teardown();
}
END_TEST

/* With inflight_max waiting no more are read; they go on with what was read already. */
START_TEST(tcp_inflight)
{
	struct workers_conf conf = WORKERS_CONF_DEFAULT;
	uint8_t out[10 * 6];
	size_t len = 0;
	unsigned n;
	int fd, udp;

	conf.tcp.inflight_max = 4;
	serve("127.0.0.1", 1, &conf);
	fd = client(SOCK_STREAM);
	udp = client(SOCK_DGRAM);
	for (n = 0; n < 10; n++)
		len += frame(out + len, n, HOLD, 0);
	ck_assert_int_eq(put(fd, out, len), (ssize_t)len);
	wait_count(&counters()->tcp.paused, 1);
	poll(NULL, 0, 50);
	ck_assert_uint_eq(counter_get(&counters()->tcp.received), 4);
	ask_udp(udp, 1, RELEASE, 0);
	for (n = 0; n < 4; n++)
		hear_id(fd, 3 - n);
	wait_count(&counters()->tcp.received, 8);
	ask_udp(udp, 2, RELEASE, 0);
	for (n = 0; n < 4; n++)
		hear_id(fd, 7 - n);
	wait_count(&counters()->tcp.received, 10);
	ask(fd, 20, RELEASE, 0); /* from within a call of the same connection */
	hear_id(fd, 9);
	hear_id(fd, 8);
	hear_id(fd, 20);
	hang_up(fd);
	hang_up(udp);
	teardown();
}
END_TEST

START_TEST(tcp_half_closed)
{
	int fd;

	serve("127.0.0.1", 1, NULL);
	fd = client(SOCK_STREAM);
	ask(fd, 1, LATER, 30);
	ask(fd, 2, LATER, 5);
	ask(fd, 3, ECHO, 0);
	end_sending(fd);
	hear_id(fd, 3);
	hear_id(fd, 2);
	hear_id(fd, 1);
	hear_end(fd);
	hang_up(fd);
	teardown();
}
END_TEST

START_TEST(tcp_idle)
{
	struct workers_conf conf = WORKERS_CONF_DEFAULT;
	uint64_t start_ms = clock_now_ms();
	int fd;

	conf.tcp.idle_ms = 100;
	serve("127.0.0.1", 1, &conf);
	fd = client(SOCK_STREAM);
	ask(fd, 1, LATER, 30); /* waiting is not idling */
	hear_id(fd, 1);
	hear_end(fd);
	ck_assert_uint_ge(clock_now_ms() - start_ms, 390);
	wait_count(&counters()->tcp.closed_idle, 1);
	wait_open(0);
	hang_up(fd);
	teardown();
}
END_TEST

/* What a client may be told of our patience (RFC 7828): less when the table is nearly full. */
START_TEST(tcp_patience)
{
	struct workers_conf conf = WORKERS_CONF_DEFAULT;
	uint8_t got[16];
	int fd[10];
	unsigned n;

	conf.tcp.connections_max = 10;
	conf.tcp.idle_ms = 12000;
	serve("127.0.0.1", 1, &conf);
	for (n = 0; n < 10; n++) {
		fd[n] = client(SOCK_STREAM);
		ask(fd[n], n, CLIENT, 0);
		ck_assert_int_eq(hear(fd[n], got), 3);
		ck_assert_uint_eq((unsigned)(got[0] << 8 | got[1]), n < 8 ? 120 : 30);
		ck_assert(got[2] == over_tls);
	}
	for (n = 0; n < 10; n++)
		hang_up(fd[n]);
	n = (unsigned)client(SOCK_DGRAM);
	ask_udp((int)n, 1, CLIENT, 0);
	ck_assert_int_eq(recv((int)n, got, sizeof(got), 0), 3);
	ck_assert_mem_eq(got, "\0\0\0", 3);
	hang_up((int)n);
	teardown();
}
END_TEST

/* Neither silence nor single octets hold a connection. */
START_TEST(tcp_frame_time)
{
	struct workers_conf conf = WORKERS_CONF_DEFAULT;
	int silent, slow;
	unsigned n;

	conf.tcp.frame_ms = 150;
	serve("127.0.0.1", 1, &conf);
	silent = client(SOCK_STREAM);
	slow = client(SOCK_STREAM);
	ask(slow, 1, ECHO, 0);
	hear_id(slow, 1);
	for (n = 0; n < 100; n++) {
		if (put(slow, "\x08", 1) <= 0)
			break;
		poll(NULL, 0, 20);
	}
	ck_assert_uint_lt(n, 100);
	hear_end(silent);
	wait_count(&counters()->tcp.closed_frame, 2);
	hang_up(silent);
	hang_up(slow);
	teardown();
}
END_TEST

START_TEST(tcp_per_client)
{
	struct workers_conf conf = WORKERS_CONF_DEFAULT;
	int fd[3];

	conf.tcp.per_client_max = 2;
	serve("127.0.0.1", 1, &conf);
	fd[0] = client(SOCK_STREAM);
	fd[1] = client(SOCK_STREAM);
	wait_count(&counters()->tcp.accepted, 2);
	fd[2] = client(SOCK_STREAM);
	hear_end(fd[2]);
	ck_assert_uint_eq(counter_get(&counters()->tcp.refused_client), 1);
	hang_up(fd[2]);
	ask(fd[1], 1, ECHO, 0);
	hear_id(fd[1], 1);
	hang_up(fd[0]);
	wait_count(&counters()->tcp.accepted, 2);
	wait_open(1);
	fd[0] = client(SOCK_STREAM); /* room again */
	ask(fd[0], 2, ECHO, 0);
	hear_id(fd[0], 2);
	hang_up(fd[0]);
	hang_up(fd[1]);
	teardown();
}
END_TEST

/*
 * A full table: who was idle longest goes, who waits stays; young silent ones are not thrown out.
 */
START_TEST(tcp_full)
{
	struct workers_conf conf = WORKERS_CONF_DEFAULT;
	int fd[5];
	unsigned n;

	conf.tcp.connections_max = 3;
	serve("127.0.0.1", 1, &conf);
	for (n = 0; n < 3; n++) {
		fd[n] = client(SOCK_STREAM);
		ask(fd[n], n, ECHO, 0);
		hear_id(fd[n], n);
	}
	ask(fd[0], 10, HOLD, 0);
	wait_count(&counters()->tcp.received, 4);
	fd[3] = client(SOCK_STREAM);
	hear_end(fd[1]);
	ask(fd[3], 3, HOLD, 0);
	ask(fd[2], 2, HOLD, 0);
	wait_count(&counters()->tcp.received, 6);
	fd[4] = client(SOCK_STREAM);
	hear_end(fd[4]);
	ck_assert_uint_eq(counter_get(&counters()->tcp.closed_full), 1);
	ck_assert_uint_eq(counter_get(&counters()->tcp.refused_full), 1);
	ask(fd[0], 11, RELEASE, 0);
	hear_id(fd[3], 3);
	hear_id(fd[2], 2);
	hear_id(fd[0], 10);
	hear_id(fd[0], 11);
	for (n = 0; n < 5; n++)
		hang_up(fd[n]);
	teardown();
}
END_TEST

/* A late answer finds its connection gone, and the slot another's. */
START_TEST(tcp_stranger)
{
	struct workers_conf conf = WORKERS_CONF_DEFAULT;
	struct linger reset = { 1, 0 };
	int fd;

	ignore_gone = true;
	conf.tcp.connections_max = 1;
	serve("127.0.0.1", 1, &conf);
	fd = client(SOCK_STREAM);
	ask(fd, 1, HOLD, 0);
	wait_count(&counters()->tcp.received, 1);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	hang_up(fd);
	wait_count(&counters()->tcp.lost, 1);
	fd = client(SOCK_STREAM);
	ask(fd, 2, RELEASE, 0);
	hear_id(fd, 2);
	ck_assert_uint_eq(resolvers[0]->gone, 1);
	ck_assert_uint_eq(counter_get(&counters()->tcp.late), 1);
	hang_up(fd);
	teardown();
}
END_TEST

#define HUGE_COUNT 300 /* times 63 KiB: more than any socket buffer takes */

static void ask_hugely(int fd)
{
	unsigned n;

	for (n = 0; n < HUGE_COUNT; n++)
		ask(fd, n, HUGE, 252);
}

/* Reading stops while answers are not taken, and all come once they are. */
START_TEST(tcp_unsent)
{
	unsigned n;
	int fd;

	serve("127.0.0.1", 1, NULL);
	fd = client(SOCK_STREAM);
	ask_hugely(fd);
	wait_count(&counters()->tcp.paused, 1);
	poll(NULL, 0, 50);
	ck_assert_uint_lt(counter_get(&counters()->tcp.received), HUGE_COUNT);
	for (n = 0; n < HUGE_COUNT; n++)
		hear_id(fd, n);
	hang_up(fd);
	teardown();
}
END_TEST

START_TEST(tcp_write_time)
{
	struct workers_conf conf = WORKERS_CONF_DEFAULT;
	int fd;

	conf.tcp.write_ms = 100;
	serve("127.0.0.1", 1, &conf);
	fd = client(SOCK_STREAM);
	ask_hugely(fd);
	wait_count(&counters()->tcp.closed_write, 1);
	hang_up(fd);
	teardown();
}
END_TEST

/* Fewer blocks than stuck connections: the one stuck longest goes, others are served. */
START_TEST(tcp_blocks)
{
	struct workers_conf conf = WORKERS_CONF_DEFAULT;
	int fd[3], other;
	unsigned n;

	conf.tcp.blocks = 2;
	serve("127.0.0.1", 1, &conf);
	for (n = 0; n < 3; n++) {
		fd[n] = client(SOCK_STREAM);
		ask_hugely(fd[n]);
		wait_count(&counters()->tcp.paused, n + 1);
	}
	wait_count(&counters()->tcp.closed_blocks, 1);
	other = client(SOCK_STREAM);
	ask(other, 1, ECHO, 0);
	hear_id(other, 1);
	ask(other, 2, LATER, 1);
	hear_id(other, 2);
	ck_assert_uint_eq(counter_get(&counters()->tcp.closed_blocks), 2);
	for (n = 0; n < 3; n++)
		hang_up(fd[n]);
	hang_up(other);
	teardown();
}
END_TEST

/* The server's end of a client's connection: both are in this process. */
static int server_end(int fd)
{
	union addr mine, theirs;
	socklen_t len = sizeof(mine), their_len;
	int other;

	ck_assert_int_eq(getsockname(fd, &mine.any, &len), 0);
	for (other = 0; other < 1024; other++) {
		their_len = sizeof(theirs);
		if (getpeername(other, &theirs.any, &their_len) == 0 && addr_equal(&mine, &theirs))
			return other;
	}
	ck_abort_msg("no such connection");
}

/*
 * All blocks are taken within one turn, by late answers that their clients do not read: nobody is
 * known to be stuck yet. One of those goes, and not whoever reads.
 */
START_TEST(tcp_blocks_unsettled)
{
	struct workers_conf conf = WORKERS_CONF_DEFAULT;
	int fd[2], small = 1, other;
	unsigned n;

	conf.tcp.blocks = 2;
	serve("127.0.0.1", 1, &conf);
	for (n = 0; n < 2; n++) {
		fd[n] = client(SOCK_STREAM);
		setsockopt(fd[n], SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
		ask(fd[n], n, HOLD, 252);
		wait_count(&counters()->tcp.received, n + 1);
		setsockopt(server_end(fd[n]), SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	}
	other = client(SOCK_STREAM);
	ask(other, 7, RELEASE, 0);
	hear_id(other, 7);
	ck_assert_uint_eq(counter_get(&counters()->tcp.closed_blocks), 1);
	for (n = 0; n < 2; n++)
		hang_up(fd[n]);
	hang_up(other);
	teardown();
}
END_TEST

/* ---- TLS ---- */

/* How often, in both workers. */
static uint64_t resumed_in(unsigned n)
{
	return counter_get(&workers_counters(workers, n).serve->tcp.handshakes_resumed);
}

/* Whoever answers the next connection can resume what another began; a new certificate too. */
START_TEST(tls_resumed)
{
	unsigned n;
	int fd;

	serve("127.0.0.1", 2, NULL);
	for (n = 0; n < 200 && (resumed_in(0) < 3 || resumed_in(1) < 3); n++) {
		fd = bare_client(SOCK_STREAM);
		begin_tls(fd, ticket);
		ask(fd, n, ECHO, 0);
		hear_id(fd, n); /* with TLS 1.3 the ticket comes after the handshake */
		ck_assert_msg(SSL_session_reused(secure[fd]) == (n > 0), "connection %u", n);
		hang_up(fd);
		if (n == 1)
			load_certificate("good-2");
	}
	ck_assert_uint_lt(n, 200);
	teardown();
}
END_TEST

/* A new certificate is for who comes now; who was there goes on. */
START_TEST(tls_new_certificate)
{
	EVP_PKEY *keys[3];
	int fd[3];
	unsigned n;

	serve("127.0.0.1", 1, NULL);
	for (n = 0; n < 3; n++) {
		if (n == 2)
			load_certificate("good-2");
		fd[n] = client(SOCK_STREAM);
		keys[n] = X509_get0_pubkey(SSL_get0_peer_certificate(secure[fd[n]]));
	}
	ck_assert_int_eq(EVP_PKEY_eq(keys[0], keys[1]), 1);
	ck_assert_int_eq(EVP_PKEY_eq(keys[0], keys[2]), 0);
	ck_assert_int_eq(tls_server_load(tls, "/nowhere", "/nowhere", NULL), -1);
	for (n = 0; n < 3; n++) {
		ask(fd[n], n, LATER, 1);
		hear_id(fd[n], n);
		hang_up(fd[n]);
	}
	teardown();
}
END_TEST

START_TEST(tls_garbage)
{
	static const char *const texts[] = { "GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\xff\xff",
					     "\0\x1d\x12\x34\1\0\0\1\0\0\0\0\0\0" };
	char rest[64];
	size_t i;
	int fd;

	serve("127.0.0.1", 1, NULL);
	for (i = 0; i < 13; i++) {
		fd = bare_client(SOCK_STREAM);
		ck_assert_int_gt(send(fd, texts[i % 3], i % 3 < 2 ? strlen(texts[i % 3]) : 14, 0),
				 0);
		while (recv(fd, rest, sizeof(rest), 0) > 0)
			; /* an alert */
		wait_count(&counters()->tcp.handshakes_failed, i + 1);
		hang_up(fd);
	}
	wait_open(0);
	ck_assert_uint_eq(counter_get(&counters()->tcp.received), 0);
	ck_assert_uint_eq(counter_get(&counters()->tcp.handshakes), 0);
	ck_assert_uint_eq(counter_get(&counters()->events_suppressed), 3); /* ten lines a minute */
	teardown();
}
END_TEST

/* Neither silence nor single octets hold a place. */
START_TEST(tls_stalled)
{
	struct workers_conf conf = WORKERS_CONF_DEFAULT;
	/* A record of 512 octets in which a hello begins. */
	static const uint8_t hello[] = { 0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc };
	int silent, slow;
	unsigned n;

	conf.tcp.handshake_ms = 150;
	serve("127.0.0.1", 1, &conf);
	silent = bare_client(SOCK_STREAM);
	slow = bare_client(SOCK_STREAM);
	for (n = 0; n < 100; n++) {
		if (send(slow, &hello[n < sizeof(hello) ? n : 0], 1, MSG_NOSIGNAL) < 0)
			break;
		poll(NULL, 0, 20);
	}
	ck_assert_uint_lt(n, 100);
	hear_end(silent);
	wait_count(&counters()->tcp.handshakes_late, 2);
	ck_assert_uint_eq(counter_get(&counters()->tcp.handshakes_failed), 0);
	hang_up(silent);
	hang_up(slow);
	teardown();
}
END_TEST

/* So many shake hands at once; one more has its chance when the oldest has had a second. */
START_TEST(tls_handshakes_max)
{
	struct workers_conf conf = WORKERS_CONF_DEFAULT;
	int done, fd[4];
	unsigned n;

	conf.tcp.handshakes_max = 2;
	serve("127.0.0.1", 1, &conf);
	done = client(SOCK_STREAM);
	ask(done, 1, ECHO, 0);
	hear_id(done, 1);
	fd[0] = bare_client(SOCK_STREAM);
	fd[1] = bare_client(SOCK_STREAM);
	fd[2] = bare_client(SOCK_STREAM);
	hear_end(fd[2]);
	ck_assert_uint_eq(counter_get(&counters()->tcp.handshakes_refused), 1);
	poll(NULL, 0, 1100);
	fd[3] = client(SOCK_STREAM);
	ask(fd[3], 3, ECHO, 0);
	hear_id(fd[3], 3);
	hear_end(fd[0]);
	ck_assert_uint_eq(counter_get(&counters()->tcp.handshakes_dropped), 1);
	ask(done, 2, ECHO, 0);
	hear_id(done, 2);
	hang_up(done);
	for (n = 0; n < 4; n++)
		hang_up(fd[n]);
	teardown();
}
END_TEST

/* The end is said: a client can tell it from a cut. */
START_TEST(tls_goodbye)
{
	struct workers_conf conf = WORKERS_CONF_DEFAULT;
	char octet;
	int fd;

	conf.tcp.idle_ms = 100;
	serve("127.0.0.1", 1, &conf);
	fd = client(SOCK_STREAM);
	ask(fd, 1, ECHO, 0);
	hear_id(fd, 1);
	ck_assert_int_eq(SSL_read(secure[fd], &octet, 1), 0);
	ck_assert_int_eq(SSL_get_error(secure[fd], 0), SSL_ERROR_ZERO_RETURN);
	wait_count(&counters()->tcp.closed_idle, 1);
	hang_up(fd);
	teardown();
}
END_TEST

/* The first question comes with the end of the handshake, and nothing after it. */
START_TEST(tls_question_at_once)
{
	int fd, on = 1;

	serve("127.0.0.1", 1, NULL);
	fd = bare_client(SOCK_STREAM);
	setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
	begin_tls(fd, NULL);
	ask(fd, 1, ECHO, 0);
	ask(fd, 2, LATER, 1);
	on = 0;
	setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
	hear_id(fd, 1);
	hear_id(fd, 2);
	hang_up(fd);
	teardown();
}
END_TEST

/* A record is four times as long as our input: the socket is silent and there is more. */
START_TEST(tls_long_record)
{
	static uint8_t out[2700 * 6];
	unsigned n, turn;
	size_t len;
	int fd;

	serve("127.0.0.1", 1, NULL);
	fd = client(SOCK_STREAM);
	for (turn = 0; turn < 3; turn++) {
		for (n = 0, len = 0; n < 2700; n++)
			len += frame(out + len, n, ECHO, 0);
		ck_assert_uint_eq(len, sizeof(out));
		ck_assert_int_eq(put(fd, out, len), (ssize_t)len);
		for (n = 0; n < 2700; n++)
			hear_id(fd, n);
	}
	hang_up(fd);
	teardown();
}
END_TEST

/* ---- workers ---- */

START_TEST(view_reaches_sleepers)
{
	uint64_t end_ms = clock_now_ms() + 5000;

	serve("127.0.0.1", 2, NULL);
	while (!publish_settled(publish) && clock_now_ms() < end_ms)
		poll(NULL, 0, 1);
	poll(NULL, 0, 20); /* asleep now */
	publish_offer(publish, &views[1]);
	workers_wake(workers);
	while (!publish_settled(publish) && clock_now_ms() < end_ms)
		poll(NULL, 0, 1);
	ck_assert(publish_settled(publish));
	ck_assert_uint_eq(released, 1);
	wait_count(&workers_counters(workers, 1).serve->views, 2);
	teardown();
}
END_TEST

static unsigned explained, unexplained;

static void on_explained(void *arg, const char *trace, const uint8_t *answer, size_t len)
{
	ck_assert_ptr_eq(arg, views);
	if (!trace) {
		unexplained++;
		return;
	}
	ck_assert_str_eq(trace, "x.example");
	ck_assert_uint_eq(len, 3);
	ck_assert_mem_eq(answer, "abc", 3);
	explained++;
}

START_TEST(explain)
{
	struct pollfd ready;
	struct name name;
	unsigned n;

	serve("127.0.0.1", 2, NULL);
	ck_assert_int_eq(name_from_text(&name, "x.example", 9), 0);
	for (n = 0; n < 40; n++) {
		ck_assert_int_eq(workers_explain(workers, &name, 1, on_explained, views, NULL), 0);
		ready = (struct pollfd){ .fd = workers_fd(workers), .events = POLLIN };
		ck_assert_int_eq(poll(&ready, 1, 5000), 1);
		workers_dispatch(workers);
		ck_assert_uint_eq(explained, n + 1);
	}
	for (n = 0; n < WORKERS_EXPLAINS_MAX; n++)
		ck_assert_int_eq(workers_explain(workers, &name, 2, on_explained, views, NULL), 0);
	ck_assert_int_eq(workers_explain(workers, &name, 2, on_explained, views, NULL), -1);
	workers_stop(workers);
	ck_assert_uint_eq(unexplained, WORKERS_EXPLAINS_MAX);
	ck_assert_int_eq(workers_explain(workers, &name, 1, on_explained, views, NULL), -1);
	teardown();
}
END_TEST

START_TEST(ping)
{
	uint64_t end_ms = clock_now_ms() + 5000;

	serve("127.0.0.1", 2, NULL);
	ck_assert(workers_alive(workers));
	workers_ping(workers);
	while (!workers_alive(workers) && clock_now_ms() < end_ms)
		poll(NULL, 0, 1);
	ck_assert(workers_alive(workers));
	workers_stop(workers);
	workers_ping(workers);
	ck_assert(!workers_alive(workers));
	teardown();
}
END_TEST

START_TEST(events_are_few)
{
	uint8_t got[8];
	int fd;

	serve("127.0.0.1", 1, NULL);
	fd = client(SOCK_DGRAM);
	ask_udp(fd, 1, EVENTS, 0);
	ck_assert_int_eq(recv(fd, got, sizeof(got), 0), 4);
	ck_assert_uint_eq(counter_get(&counters()->events_suppressed), 15);
	close(fd);
	teardown();
}
END_TEST

/* ---- listen ---- */

START_TEST(taken)
{
	union addr addrs[3] = { address("127.0.0.1", 0) };
	struct listeners *first = listeners_new(addrs, 1, 2, NULL);
	struct err err = { "" };

	ck_assert_ptr_nonnull(first);
	addrs[0] = addrs[2] = *listeners_addr(first, 0);
	addrs[1] = address("127.0.0.3", addr_port(&addrs[0]));
	ck_assert_ptr_null(listeners_new(addrs, 3, 2, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "cannot listen on 127.0.0.1@"));
	ck_assert_ptr_nonnull(strstr(err.text, "(UDP): Address already in use; "));
	listeners_free(first);
	/* Free now; the one that stands twice counts once. */
	first = listeners_new(addrs, 3, 2, &err);
	ck_assert_msg(first, "%s", err.text);
	ck_assert_uint_eq(listeners_count(first), 2);
	ck_assert_uint_eq(listeners_workers(first), 2);
	listeners_free(first);
}
END_TEST

START_TEST(tcp_taken)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	union addr addr = address("127.0.0.1", 0);
	socklen_t len = sizeof(addr);
	struct err err = { "" };

	ck_assert_int_eq(bind(fd, &addr.any, len), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(getsockname(fd, &addr.any, &len), 0);
	ck_assert_ptr_null(listeners_new(&addr, 1, 1, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "(TCP): Address already in use; "));
	close(fd);
}
END_TEST

START_TEST(no_such_address)
{
	union addr addr = address("192.0.2.77", 0);
	struct err err = { "" };

	ck_assert_ptr_null(listeners_new(&addr, 1, 1, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "192.0.2.77@0 (UDP): "));
	ck_assert_ptr_nonnull(strstr(err.text, "ip address"));
}
END_TEST

/* What holds for streams of both kinds. */
static void add_stream_tests(TCase *tcase)
{
	tcase_add_test(tcase, tcp_octet_by_octet);
	tcase_add_test(tcase, tcp_over_long);
	tcase_add_test(tcase, tcp_pipelined);
	tcase_add_test(tcase, tcp_inflight);
	tcase_add_test(tcase, tcp_half_closed);
	tcase_add_test(tcase, tcp_idle);
	tcase_add_test(tcase, tcp_patience);
	tcase_add_test(tcase, tcp_frame_time);
	tcase_add_test(tcase, tcp_per_client);
	tcase_add_test(tcase, tcp_full);
	tcase_add_test(tcase, tcp_stranger);
	tcase_add_test(tcase, tcp_unsent);
	tcase_add_test(tcase, tcp_write_time);
	tcase_add_test(tcase, tcp_blocks);
	tcase_add_test(tcase, tcp_blocks_unsettled);
}

static Suite *serve_suite(void)
{
	Suite *suite = suite_create("serve");
	TCase *udp = tcase_create("udp"), *tcp = tcase_create("tcp"),
	      *secured = tcase_create("tls");
	TCase *worker = tcase_create("worker"), *listen_case = tcase_create("listen");

	tcase_add_test(udp, udp_v4);
	tcase_add_test(udp, udp_v6);
	tcase_add_test(udp, udp_late);
	tcase_add_test(udp, wildcard);
	add_stream_tests(tcp);
	tcase_add_unchecked_fixture(secured, make_certificates, remove_certificates);
	tcase_add_checked_fixture(secured, use_tls, unuse_tls);
	add_stream_tests(secured);
	tcase_add_test(secured, tls_resumed);
	tcase_add_test(secured, tls_new_certificate);
	tcase_add_test(secured, tls_garbage);
	tcase_add_test(secured, tls_stalled);
	tcase_add_test(secured, tls_handshakes_max);
	tcase_add_test(secured, tls_goodbye);
	tcase_add_test(secured, tls_question_at_once);
	tcase_add_test(secured, tls_long_record);
	tcase_add_test(worker, view_reaches_sleepers);
	tcase_add_test(worker, explain);
	tcase_add_test(worker, ping);
	tcase_add_test(worker, events_are_few);
	tcase_add_test(listen_case, taken);
	tcase_add_test(listen_case, tcp_taken);
	tcase_add_test(listen_case, no_such_address);
	suite_add_tcase(suite, udp);
	suite_add_tcase(suite, tcp);
	suite_add_tcase(suite, secured);
	suite_add_tcase(suite, worker);
	suite_add_tcase(suite, listen_case);
	return suite;
}

UNIT_MAIN(serve_suite)
