/* SPDX-License-Identifier: MIT */
/*
 * net/tls: both sides of a session over a socket pair. Who is believed and who is not, and what is
 * said about it; octets of any number either way; resumption; new files under open sessions; a peer
 * that is no TLS.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/tls.h"
#include "tools/certs.h"
#include "unit/unit.h"

static char folder[64];
static int pair[2];
static union addr addr;
static struct tls_server *server;
static struct tls_client *client;
static struct tls_roots *roots;
static struct tls_session ours, theirs; /* the client's end, the server's */
static struct tls_fault fault;
static struct err err;

/* Certificates are made once for all tests. */
static void make_folder(void)
{
	certs_make_folder(folder);
}

static void remove_folder(void)
{
	certs_remove_folder(folder);
}

static const char *path_of(const char *name, const char *suffix)
{
	static char path[4][128];
	static unsigned turn;
	char *ret = path[turn++ % 4];

	snprintf(ret, sizeof(path[0]), "%s/%s.%s", folder, name, suffix);
	return ret;
}

static void serve_with(const char *name)
{
	ck_assert_msg(tls_server_load(server, path_of(name, "pem"), path_of(name, "key"), &err) ==
			      0,
		      "%s", err.text);
}

static void setup(void)
{
	server = tls_server_new(&err);
	ck_assert_ptr_nonnull(server);
	ck_assert_int_eq(addr_parse(&addr, "127.0.0.1", 853), 0);
	memset(&fault, 0, sizeof(fault));
	client = NULL;
	roots = NULL;
}

static void hang_up(void)
{
	tls_session_shutdown(&ours);
	tls_session_shutdown(&theirs);
	tls_session_fini(&ours);
	tls_session_fini(&theirs);
	close(pair[0]);
	close(pair[1]);
}

static void teardown(void)
{
	tls_client_free(client);
	tls_server_free(server);
	tls_roots_free(roots);
}

/* A client that believes `ca` and expects `name`; ca NULL: pins alone. */
static void expect(const char *ca, const char *name, const char *pin_of)
{
	struct tls_client_conf conf = { .name = name, .addr = &addr };
	struct tls_pin pin;
	char text[45];

	tls_client_free(client);
	tls_roots_free(roots);
	roots = NULL;
	if (ca) {
		roots = tls_roots_load(path_of(ca, "pem"), &err);
		ck_assert_msg(roots != NULL, "%s", err.text);
		conf.roots = roots;
	}
	if (pin_of) {
		certs_pin_of(folder, pin_of, text);
		ck_assert_int_eq(tls_pin_parse(&pin, text), 0);
		conf.pins = &pin;
		conf.pins_count = 1;
	}
	client = tls_client_new(&conf, &err);
	ck_assert_msg(client != NULL, "%s", err.text);
}

/* Both take steps until neither gets on. What the client's side came to. */
static enum tls_verdict shake(void)
{
	enum tls_verdict here = TLS_WANT_READ, there = TLS_WANT_READ;
	struct tls_fault other;
	unsigned turn;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	ck_assert_int_eq(tls_session_connect(&ours, client, pair[0]), 0);
	ck_assert_int_eq(tls_session_accept(&theirs, server, pair[1]), 0);
	for (turn = 0; turn < 10; turn++) {
		if (here == TLS_WANT_READ)
			here = tls_session_handshake(&ours, &fault);
		if (there == TLS_WANT_READ)
			there = tls_session_handshake(&theirs, &other);
	}
	return here;
}

/* Everything that is there is read on both sides: tickets travel after the handshake. */
static void drain(struct tls_session *session)
{
	uint8_t data[256];
	size_t len;

	while (tls_session_read(session, data, sizeof(data), &len) == TLS_OK)
		;
}

static void say(struct tls_session *from, struct tls_session *to, const char *text)
{
	char data[64];
	size_t len = 0;

	ck_assert_int_eq(tls_session_write(from, text, strlen(text), &len), TLS_OK);
	ck_assert_uint_eq(len, strlen(text));
	ck_assert_int_eq(tls_session_read(to, data, sizeof(data), &len), TLS_OK);
	ck_assert_uint_eq(len, strlen(text));
	ck_assert_mem_eq(data, text, len);
	ck_assert_int_eq(tls_session_read(to, data, sizeof(data), &len), TLS_WANT_READ);
}

struct case_of {
	const char *certificate, *ca, *name, *pin;
	enum tls_fault_kind fault;
	const char *says;
};

static const struct case_of cases[] = {
	{ "good", "ca", "dns.example", NULL, TLS_FAULT_NONE, NULL },
	{ "good", "ca", "DNS.Example.", NULL, TLS_FAULT_NONE, NULL },
	{ "good", "ca", "", NULL, TLS_FAULT_NONE, NULL },
	{ "chain", "ca", "dns.example", NULL, TLS_FAULT_NONE, NULL },
	{ "chain", "sub-ca", "dns.example", NULL, TLS_FAULT_NONE, NULL },
	{ "self", "self", "dns.example", NULL, TLS_FAULT_NONE, NULL },
	{ "good", "ca", "example", NULL, TLS_FAULT_NAME, "not example" },
	{ "good", "ca", "a.dns.example", NULL, TLS_FAULT_NAME, "dns.example, 127.0.0.1, ::1" },
	{ "name", "ca", "dns.example", NULL, TLS_FAULT_NAME, "shows other.example, 192.0.2.1" },
	{ "name", "ca", "", NULL, TLS_FAULT_NAME, "not 127.0.0.1" },
	{ "plain", "ca", "dns.example", NULL, TLS_FAULT_NAME, "subjectAltName" },
	{ "unknown", "ca", "dns.example", NULL, TLS_FAULT_CA, "no authority" },
	{ "self", "ca", "dns.example", NULL, TLS_FAULT_CA, "no authority" },
	{ "good", "other-ca", "dns.example", NULL, TLS_FAULT_CA, "no authority" },
	{ "good", "sub-ca", "dns.example", NULL, TLS_FAULT_CA, "no authority" },
	{ "expired", "ca", "dns.example", NULL, TLS_FAULT_EXPIRED, "expired on 20" },
	{ "future", "ca", "dns.example", NULL, TLS_FAULT_NOT_YET, "is the clock right" },
	/* pins as well as authorities: both must be right */
	{ "good", "ca", "dns.example", "good", TLS_FAULT_NONE, NULL },
	{ "good", "ca", "dns.example", "good-2", TLS_FAULT_PIN, "it is " },
	{ "good-2", "ca", "dns.example", "good", TLS_FAULT_PIN, "tls-pins" },
	{ "name", "ca", "dns.example", "name", TLS_FAULT_NAME, "not dns.example" },
	{ "unknown", "ca", "dns.example", "unknown", TLS_FAULT_CA, "no authority" },
	{ "expired", "ca", "dns.example", "expired", TLS_FAULT_EXPIRED, "expired" },
	/* pins alone: the key is all that counts */
	{ "self", NULL, "", "self", TLS_FAULT_NONE, NULL },
	{ "name", NULL, "", "name", TLS_FAULT_NONE, NULL },
	{ "good", NULL, "", "good-2", TLS_FAULT_PIN, "it is " },
	/* the pin of an authority whose certificate is sent along */
	{ "chain", NULL, "", "sub-ca", TLS_FAULT_PIN, "it is " },
};

START_TEST(who_is_believed)
{
	const struct case_of *c = &cases[_i];
	char data[8];
	size_t len;

	serve_with(c->certificate);
	expect(c->ca, c->name, c->pin);
	if (c->fault == TLS_FAULT_NONE) {
		ck_assert_msg(shake() == TLS_OK, "%s", fault.text);
		say(&ours, &theirs, "question");
		say(&theirs, &ours, "answer");
	} else {
		ck_assert_int_eq(shake(), TLS_FAILED);
		ck_assert_msg(fault.kind == c->fault, "%d: %s", fault.kind, fault.text);
		ck_assert_msg(strstr(fault.text, c->says) != NULL, "%s", fault.text);
		/* Nothing was and nothing can be said to it. */
		ck_assert_int_eq(tls_session_write(&ours, "q", 1, &len), TLS_FAILED);
		ck_assert_int_eq(tls_session_read(&theirs, data, sizeof(data), &len), TLS_FAILED);
	}
	hang_up();
}
END_TEST

/* IPv6 addresses count as well, and an address is not taken for another. */
START_TEST(addresses)
{
	serve_with("good");
	ck_assert_int_eq(addr_parse(&addr, "::1", 853), 0);
	expect("ca", "", NULL);
	ck_assert_msg(shake() == TLS_OK, "%s", fault.text);
	hang_up();
	ck_assert_int_eq(addr_parse(&addr, "127.0.0.2", 853), 0);
	expect("ca", "", NULL);
	ck_assert_int_eq(shake(), TLS_FAILED);
	ck_assert_int_eq(fault.kind, TLS_FAULT_NAME);
	ck_assert_ptr_nonnull(strstr(fault.text, "not 127.0.0.2"));
	hang_up();
}
END_TEST

START_TEST(resumption)
{
	unsigned turn;

	serve_with("good");
	expect("ca", "dns.example", NULL);
	for (turn = 0; turn < 4; turn++) {
		ck_assert_int_eq(shake(), TLS_OK);
		ck_assert_str_eq(tls_session_version(&ours), "TLSv1.3");
		ck_assert_int_eq(tls_session_resumed(&ours), turn > 0);
		drain(&ours);
		hang_up();
	}
	/* The server's new certificate does not end that; it was the same server's ticket. */
	serve_with("good-2");
	ck_assert_int_eq(shake(), TLS_OK);
	ck_assert(tls_session_resumed(&ours));
	drain(&ours);
	hang_up();
	/* What the client has to believe, does. */
	tls_roots_free(roots);
	roots = tls_roots_load(path_of("ca", "pem"), &err);
	ck_assert_int_eq(tls_client_set_roots(client, roots, &err), 0);
	ck_assert_uint_eq(tls_client_generation(client), 0);
	tls_roots_free(roots);
	roots = tls_roots_load(path_of("other-ca", "pem"), &err);
	ck_assert_int_eq(tls_client_set_roots(client, roots, &err), 0);
	ck_assert_uint_eq(tls_client_generation(client), 1);
	ck_assert_int_eq(shake(), TLS_FAILED);
	ck_assert_int_eq(fault.kind, TLS_FAULT_CA);
	hang_up();
}
END_TEST

/* One who shows a wrong certificate is not let in by an older ticket after that. */
START_TEST(no_resumption_after_a_fault)
{
	struct tls_server *impostor = tls_server_new(&err), *real = server;

	serve_with("good");
	expect("ca", "dns.example", NULL);
	ck_assert_int_eq(shake(), TLS_OK);
	drain(&ours);
	hang_up();
	ck_assert_int_eq(shake(), TLS_OK);
	ck_assert(tls_session_resumed(&ours));
	drain(&ours);
	server = impostor; /* cannot read the real one's tickets */
	serve_with("unknown");
	hang_up();
	ck_assert_int_eq(shake(), TLS_FAILED);
	hang_up();
	server = real;
	ck_assert_int_eq(shake(), TLS_OK);
	ck_assert(!tls_session_resumed(&ours));
	hang_up();
	tls_server_free(impostor);
}
END_TEST

/* Sessions that are open live through new files on either side. */
START_TEST(new_files)
{
	struct tls_session first, first_theirs;
	int kept[2];

	serve_with("good");
	expect("ca", "dns.example", NULL);
	ck_assert_int_eq(shake(), TLS_OK);
	drain(&ours);
	/* Sessions do not move: the second pair gets other places. */
	kept[0] = pair[0];
	kept[1] = pair[1];
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	ck_assert_int_eq(tls_session_connect(&first, client, pair[0]), 0);
	ck_assert_int_eq(tls_session_accept(&first_theirs, server, pair[1]), 0);
	serve_with("unknown");
	tls_roots_free(roots);
	roots = tls_roots_load(path_of("other-ca", "pem"), &err);
	ck_assert_int_eq(tls_client_set_roots(client, roots, &err), 0);
	say(&ours, &theirs, "still here");
	/* The one that had begun goes by what it began with. */
	while (tls_session_handshake(&first, &fault) == TLS_WANT_READ &&
	       tls_session_handshake(&first_theirs, &fault) != TLS_FAILED)
		;
	say(&first, &first_theirs, "me too");
	tls_session_fini(&first);
	tls_session_fini(&first_theirs);
	close(pair[0]);
	close(pair[1]);
	pair[0] = kept[0];
	pair[1] = kept[1];
	hang_up();
	ck_assert_msg(shake() == TLS_OK, "%s", fault.text);
	hang_up();
}
END_TEST

static void write_rsa_key(void)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	FILE *file = fopen(path_of("rsa", "key"), "we");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(file);
	EVP_PKEY_free(key);
}

/* A server's wrong files are refused by name, and the old ones stay. */
START_TEST(wrong_files)
{
	FILE *file;

	serve_with("good");
	write_rsa_key();
	ck_assert_int_eq(
		tls_server_load(server, path_of("good", "pem"), path_of("good-2", "key"), &err),
		-1);
	ck_assert_ptr_nonnull(strstr(err.text, "good-2.key: it does not belong"));
	/* Nor does a key of another kind, for which OpenSSL has a place of its own. */
	ck_assert_int_eq(
		tls_server_load(server, path_of("good", "pem"), path_of("rsa", "key"), &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "rsa.key: it does not belong"));
	ck_assert_int_eq(
		tls_server_load(server, path_of("good", "key"), path_of("good", "key"), &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "good.key: no certificate"));
	ck_assert_int_eq(
		tls_server_load(server, path_of("good", "pem"), path_of("good", "pem"), &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "good.pem: no key that can be used"));
	ck_assert_int_eq(
		tls_server_load(server, path_of("none", "pem"), path_of("good", "key"), &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "none.pem"));
	/* A chain whose second certificate is cut off. */
	file = fopen(path_of("cut", "pem"), "we");
	fputs("-----BEGIN CERTIFICATE-----\nAAAA\n", file);
	fclose(file);
	ck_assert_int_eq(
		tls_server_load(server, path_of("cut", "pem"), path_of("good", "key"), &err), -1);
	ck_assert_ptr_null(tls_roots_load(path_of("cut", "pem"), &err));
	ck_assert_ptr_nonnull(strstr(err.text, "cut.pem: a certificate in it"));
	ck_assert_ptr_null(tls_roots_load(path_of("good", "key"), &err));
	ck_assert_ptr_nonnull(strstr(err.text, "good.key: holds no certificate"));
	ck_assert_ptr_null(tls_roots_load(path_of("none", "pem"), &err));
	expect("ca", "dns.example", NULL);
	ck_assert_int_eq(shake(), TLS_OK);
	hang_up();
}
END_TEST

START_TEST(nothing_loaded)
{
	ck_assert_int_eq(tls_session_accept(&theirs, server, 0), -1);
	tls_session_fini(&theirs);
}
END_TEST

START_TEST(system_roots)
{
	setenv("SSL_CERT_FILE", path_of("ca", "pem"), 1);
	roots = tls_roots_load(NULL, &err);
	ck_assert_msg(roots != NULL, "%s", err.text);
	tls_roots_free(roots);
	setenv("SSL_CERT_FILE", "/nonexistent", 1);
	roots = tls_roots_load(NULL, &err);
	ck_assert_ptr_null(roots);
	ck_assert_ptr_nonnull(strstr(err.text, "/nonexistent"));
}
END_TEST

START_TEST(pins_in_text)
{
	struct tls_pin pin;

	ck_assert_int_eq(tls_pin_parse(&pin, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="), 0);
	ck_assert_int_eq(pin.sha256[31], 0);
	ck_assert_int_eq(tls_pin_parse(&pin, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="), -1);
	ck_assert_int_eq(tls_pin_parse(&pin, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), -1);
	ck_assert_int_eq(tls_pin_parse(&pin, "AAAAAAAAAAAAAAAAAAAA!AAAAAAAAAAAAAAAAAAAAAA="), -1);
	ck_assert_int_eq(tls_pin_parse(&pin, "AAAAAAAAAAAAAAAAAAAA=AAAAAAAAAAAAAAAAAAAAAA="), -1);
	ck_assert_int_eq(tls_pin_parse(&pin, "AAAAAAA="), -1);
	ck_assert_int_eq(tls_pin_parse(&pin, ""), -1);
}
END_TEST

START_TEST(nobody_to_believe)
{
	struct tls_client_conf conf = { .name = "dns.example", .addr = &addr };

	ck_assert_ptr_null(tls_client_new(&conf, &err));
}
END_TEST

/* A peer that speaks clear text, and one that goes away. */
START_TEST(no_tls)
{
	static const char text[] =
		"220 mail.example ready, and this is long enough for a record\r\n";

	serve_with("good");
	expect("ca", "dns.example", NULL);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	ck_assert_int_eq(tls_session_connect(&ours, client, pair[0]), 0);
	ck_assert_int_eq(tls_session_handshake(&ours, &fault), TLS_WANT_READ);
	ck_assert_int_eq(write(pair[1], text, sizeof(text)), (ssize_t)sizeof(text));
	ck_assert_int_eq(tls_session_handshake(&ours, &fault), TLS_FAILED);
	ck_assert_int_eq(fault.kind, TLS_FAULT_PROTOCOL);
	ck_assert_ptr_nonnull(strstr(fault.text, "wrong version number"));
	ck_assert_int_eq(tls_session_handshake(&ours, &fault), TLS_FAILED);
	hang_up();
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	ck_assert_int_eq(tls_session_connect(&ours, client, pair[0]), 0);
	ck_assert_int_eq(tls_session_handshake(&ours, &fault), TLS_WANT_READ);
	shutdown(pair[1], SHUT_WR);
	ck_assert_int_eq(tls_session_handshake(&ours, &fault), TLS_FAILED);
	ck_assert_int_eq(fault.kind, TLS_FAULT_LOST);
	ck_assert_ptr_nonnull(strstr(fault.text, "closed"));
	hang_up();
}
END_TEST

/* The end of a session: said, and unsaid. */
START_TEST(endings)
{
	char data[8];
	size_t len;

	serve_with("good");
	expect("ca", "dns.example", NULL);
	ck_assert_int_eq(shake(), TLS_OK);
	tls_session_shutdown(&theirs);
	drain(&ours);
	ck_assert_int_eq(tls_session_read(&ours, data, sizeof(data), &len), TLS_END);
	hang_up();
	ck_assert_int_eq(shake(), TLS_OK);
	shutdown(pair[1], SHUT_WR);
	drain(&ours);
	ck_assert_int_eq(tls_session_read(&ours, data, sizeof(data), &len), TLS_END);
	hang_up();
	/* Garbage in the place of a record. */
	ck_assert_int_eq(shake(), TLS_OK);
	drain(&ours);
	ck_assert_int_eq(write(pair[1], "garbage in the place of a record", 32), 32);
	ck_assert_int_eq(tls_session_read(&ours, data, sizeof(data), &len), TLS_FAILED);
	ck_assert_int_eq(tls_session_write(&ours, "x", 1, &len), TLS_FAILED);
	hang_up();
}
END_TEST

/* Many messages through streams of the two: what one read leaves in OpenSSL is not forgotten. */
START_TEST(as_a_stream)
{
	static uint8_t message[STREAM_MESSAGE_MAX], in[2][STREAM_FRAME_HEAD + STREAM_IN_MAX];
	struct stream_pool *pool = stream_pool_new(2);
	struct stream here, there;
	struct stream_message got;
	unsigned sent = 0, seen = 0, turn;
	enum stream_verdict verdict;

	serve_with("good");
	expect("ca", "dns.example", NULL);
	ck_assert_int_eq(shake(), TLS_OK);
	stream_init(&here, pair[0], &stream_tls, &ours, pool, in[0], sizeof(in[0]));
	stream_init(&there, pair[1], &stream_tls, &theirs, pool, in[1], sizeof(in[1]));
	for (turn = 0; turn < 100000 && seen < 1000; turn++) {
		while (sent < 1000) {
			size_t len = 1 + sent * 37 % STREAM_IN_MAX;

			memset(message, (int)sent, len);
			if (stream_put(&here, message, len) != STREAM_PUT)
				break;
			sent++;
		}
		ck_assert_int_ne(stream_write(&here), STREAM_BROKEN);
		do {
			verdict = stream_read(&there);
			ck_assert(verdict == STREAM_OK || verdict == STREAM_AGAIN);
			while (stream_next(&there, &got)) {
				ck_assert_uint_eq(got.len, 1 + seen * 37 % STREAM_IN_MAX);
				ck_assert_uint_eq(got.data[got.len - 1], seen % 256);
				seen++;
			}
		} while (tls_session_has_more(&theirs));
	}
	ck_assert_uint_eq(seen, 1000);
	tls_session_shutdown(&ours);
	ck_assert_int_eq(stream_read(&there), STREAM_END);
	stream_fini(&here);
	stream_fini(&there);
	hang_up();
	stream_pool_free(pool);
}
END_TEST

/* A write that the socket does not take goes on where it stopped. */
START_TEST(backpressure)
{
	static uint8_t data[1 << 20], got[1 << 20];
	size_t out = 0, in = 0, len, i;
	enum tls_verdict verdict;
	unsigned stuck = 0;

	for (i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
	serve_with("good");
	expect("ca", "dns.example", NULL);
	ck_assert_int_eq(shake(), TLS_OK);
	while (in < sizeof(got)) {
		while (out < sizeof(data)) {
			verdict = tls_session_write(&ours, data + out, sizeof(data) - out, &len);
			if (verdict != TLS_OK) {
				ck_assert_int_eq(verdict, TLS_WANT_WRITE);
				ck_assert(ours.wants_write);
				stuck++;
				break;
			}
			out += len;
		}
		while (in < sizeof(got) &&
		       tls_session_read(&theirs, got + in, sizeof(got) - in, &len) == TLS_OK)
			in += len;
	}
	ck_assert_mem_eq(data, got, sizeof(data));
	ck_assert_uint_gt(stuck, 0);
	hang_up();
}
END_TEST

/* New keys without end, which cost their sender little and us much. */
START_TEST(key_updates)
{
	char data[8];
	size_t len;
	int i;

	serve_with("good");
	expect("ca", "dns.example", NULL);
	ck_assert_int_eq(shake(), TLS_OK);
	drain(&ours);
	/* A few are usual ... */
	for (i = 0; i < 10; i++) {
		ck_assert_int_eq(SSL_key_update(ours.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
		ck_assert_int_eq(SSL_do_handshake(ours.ssl), 1);
		say(&ours, &theirs, "question");
		say(&theirs, &ours, "answer");
	}
	/* ... so many are not, even with questions among them. */
	for (i = 0; i < 400; i++) {
		SSL_key_update(ours.ssl, SSL_KEY_UPDATE_NOT_REQUESTED);
		SSL_do_handshake(ours.ssl);
		if (i % 100 == 0)
			tls_session_write(&ours, "x", 1, &len);
	}
	for (i = 0; i < 4; i++) {
		if (tls_session_read(&theirs, data, sizeof(data), &len) != TLS_OK)
			break;
	}
	ck_assert_int_eq(tls_session_read(&theirs, data, sizeof(data), &len), TLS_FAILED);
	hang_up();
}
END_TEST

/* A peer that never stops gets a turn, not the thread: each read takes so much, and no more. */
START_TEST(bounded_turns)
{
	static uint8_t data[1 << 20], got[16384];
	size_t len, out = 0, in = 0, run = 0;
	unsigned runs = 0;
	int size = 1 << 20;

	serve_with("good");
	expect("ca", "dns.example", NULL);
	ck_assert_int_eq(shake(), TLS_OK);
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	while (out < sizeof(data) &&
	       tls_session_write(&ours, data + out, sizeof(data) - out, &len) == TLS_OK)
		out += len;
	ck_assert_uint_gt(out, 200000);
	while (in < out) {
		if (tls_session_read(&theirs, got, sizeof(got), &len) == TLS_OK) {
			in += len;
			run += len;
			continue;
		}
		ck_assert_uint_lt(run, 100000);
		run = 0;
		ck_assert_uint_lt(++runs, 1000);
	}
	ck_assert_uint_gt(runs, 1);
	hang_up();
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("tls");
	TCase *t = tcase_create("tls");

	tcase_add_unchecked_fixture(t, make_folder, remove_folder);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, who_is_believed, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(t, addresses);
	tcase_add_test(t, resumption);
	tcase_add_test(t, no_resumption_after_a_fault);
	tcase_add_test(t, new_files);
	tcase_add_test(t, wrong_files);
	tcase_add_test(t, nothing_loaded);
	tcase_add_test(t, system_roots);
	tcase_add_test(t, pins_in_text);
	tcase_add_test(t, nobody_to_believe);
	tcase_add_test(t, no_tls);
	tcase_add_test(t, endings);
	tcase_add_test(t, as_a_stream);
	tcase_add_test(t, backpressure);
	tcase_add_test(t, key_updates);
	tcase_add_test(t, bounded_turns);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(suite)
