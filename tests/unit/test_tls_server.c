/* SPDX-License-Identifier: MIT */
/*
 * net/tls_server: how long tickets are read, and what is told of a certificate. The rest of it is
 * tested with sessions, in test_tls, and with workers, in test_serve.
 */
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/tls.h"
#include "tools/certs.h"
#include "unit/unit.h"

static char folder[64];
static struct tls_server *server;
static struct err err;

static void make_folder(void)
{
	certs_make_folder(folder);
}

static void remove_folder(void)
{
	certs_remove_folder(folder);
}

static int load(struct tls_server *into, const char *name)
{
	char cert[128], key[128];

	snprintf(cert, sizeof(cert), "%s/%s.pem", folder, name);
	snprintf(key, sizeof(key), "%s/%s.key", folder, name);
	return tls_server_load(into, cert, key, &err);
}

static void setup(void)
{
	server = tls_server_new(&err);
	ck_assert_ptr_nonnull(server);
	ck_assert_msg(load(server, "good") == 0, "%s", err.text);
}

static void teardown(void)
{
	tls_server_free(server);
}

/* One connection; was the session before resumed? *session is replaced by the next one. */
static bool resumes(SSL_SESSION **session, int version)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(ctx);
	struct tls_session theirs = { .ssl = NULL };
	struct tls_fault fault;
	int pair[2], done = 0;
	bool resumed;
	size_t len;
	char octet;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	ck_assert_int_eq(tls_session_accept(&theirs, server, pair[1]), 0);
	SSL_set_fd(ssl, pair[0]);
	SSL_set_max_proto_version(ssl, version);
	if (*session)
		SSL_set_session(ssl, *session);
	do {
		done = SSL_connect(ssl);
		ck_assert(done == 1 || SSL_get_error(ssl, done) == SSL_ERROR_WANT_READ);
	} while (tls_session_handshake(&theirs, &fault) != TLS_OK || done != 1);
	ck_assert_int_eq(tls_session_write(&theirs, "x", 1, &len), TLS_OK);
	while (SSL_read(ssl, &octet, 1) != 1)
		; /* the ticket, with TLS 1.3 */
	resumed = SSL_session_reused(ssl);
	ck_assert_int_eq(resumed, tls_session_resumed(&theirs));
	SSL_SESSION_free(*session);
	*session = SSL_get1_session(ssl);
	if (!resumed)
		ck_assert_uint_eq(SSL_SESSION_get_ticket_lifetime_hint(*session),
				  TLS_TICKET_LIFE_S);
	SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	tls_session_fini(&theirs);
	close(pair[0]);
	close(pair[1]);
	return resumed;
}

/* Under the keys in use and those before; a ticket of the latter is replaced. */
START_TEST(tickets)
{
	const int version = _i ? TLS1_3_VERSION : TLS1_2_VERSION;
	SSL_SESSION *session = NULL;
	unsigned n;

	ck_assert(!resumes(&session, version));
	ck_assert(resumes(&session, version));
	for (n = 0; n < 4; n++) {
		ck_assert_int_eq(tls_server_rotate(server), 0);
		ck_assert(resumes(&session, version));
		ck_assert_int_eq(load(server, n % 2 ? "good" : "good-2"), 0);
		ck_assert(resumes(&session, version));
	}
	tls_server_rotate(server);
	tls_server_rotate(server);
	ck_assert(!resumes(&session, version));
	ck_assert(resumes(&session, version));
	SSL_SESSION_free(session);
}
END_TEST

START_TEST(other_servers_tickets)
{
	struct tls_server *first = server;
	SSL_SESSION *session = NULL;

	resumes(&session, TLS1_3_VERSION);
	server = tls_server_new(&err);
	ck_assert_int_eq(load(server, "good"), 0);
	ck_assert(!resumes(&session, TLS1_3_VERSION));
	tls_server_free(server);
	server = first;
	SSL_SESSION_free(session);
}
END_TEST

START_TEST(info)
{
	const struct tls_server_info *now = tls_server_info(server);
	struct cert nameless = { .key = EVP_EC_gen("P-256"), .x509 = X509_new() };

	ck_assert_str_eq(now->subject, "CN=good");
	ck_assert_int_lt(now->not_before, time(NULL));
	ck_assert_int_gt(now->not_after, time(NULL) + CERTS_DAY - 3600);
	ck_assert_int_le(now->not_after, time(NULL) + CERTS_DAY);
	ck_assert_int_eq(load(server, "nowhere"), -1);
	ck_assert_str_eq(now->subject, "CN=good");
	ck_assert_int_eq(load(server, "expired"), 0); /* whether that will do is the caller's */
	ck_assert_int_lt(tls_server_info(server)->not_after, time(NULL));
	/* As authorities give them today. */
	X509_set_version(nameless.x509, X509_VERSION_3);
	X509_gmtime_adj(X509_getm_notBefore(nameless.x509), 0);
	X509_gmtime_adj(X509_getm_notAfter(nameless.x509), CERTS_DAY);
	X509_set_pubkey(nameless.x509, nameless.key);
	certs_extend(nameless.x509, nameless.x509, NID_subject_alt_name, "DNS:a.example,DNS:b");
	X509_sign(nameless.x509, nameless.key, EVP_sha256());
	certs_write(folder, "nameless", &nameless, NULL);
	certs_free(&nameless);
	ck_assert_int_eq(load(server, "nameless"), 0);
	ck_assert_str_eq(tls_server_info(server)->subject, "DNS:a.example");
}
END_TEST

static Suite *tls_server_suite(void)
{
	Suite *suite = suite_create("tls_server");
	TCase *tcase = tcase_create("tls_server");

	tcase_add_unchecked_fixture(tcase, make_folder, remove_folder);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, tickets, 0, 2);
	tcase_add_test(tcase, other_servers_tickets);
	tcase_add_test(tcase, info);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(tls_server_suite)
