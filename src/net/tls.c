/* SPDX-License-Identifier: MIT */
/*
 * A session is OpenSSL's SSL on a socket of ours. Between the two stands a BIO of four lines, for
 * OpenSSL's own would write without MSG_NOSIGNAL.
 *
 * What OpenSSL says (a return value, SSL_get_error, a queue of errors a thread, errno) is turned
 * into one verdict in one place, `outcome`. Its queue is emptied before each step: what an earlier
 * step of another session left there would be taken for this one's.
 *
 * A client's handle is a lock and what is current: a trust, counted, taken by each session when it
 * begins. So new files come into force without anybody being disturbed, and the old ones go with
 * their last session. The lock is held for a pointer and a count, once a connection. Servers are in
 * net/tls_server.
 *
 * OpenSSL reads on by itself past all that is not for us: new keys, tickets, handshakes that are
 * refused. A peer that sends these faster than they are dealt with would keep the thread. So what
 * one turn takes from the socket is bounded (TAKES_MAX), and their number (LATE_MESSAGES_MAX) too.
 *
 * Refused: libevent's TLS (it allocates a write and hides why), checking the certificate after the
 * handshake (a server of TLS 1.2 would already be talking to us).
 */
#include "net/tls.h"

#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/file.h"
#include "net/tls_trust.h"

/* Reads of the socket, of one record's length at the most, before others have their turn. */
#define TAKES_MAX 4

/*
 * Messages of a handshake after the handshake: tickets, of which servers send one to four, and new
 * keys, which are due after 2^24 records (RFC 8446 5.5) and each cost us a derivation.
 */
#define LATE_MESSAGES_MAX 32

struct tls_client {
	pthread_mutex_t lock;
	struct tls_trust *trust;
	_Atomic unsigned generation;
};

/* ---- the socket ------------------------------------------------------------------------------ */

static BIO_METHOD *bio_method;
static pthread_once_t bio_once = PTHREAD_ONCE_INIT;

/* What a call on the socket came to, as a BIO says it. */
static int bio_result(BIO *bio, ssize_t done)
{
	struct tls_session *session = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	if (done >= 0)
		return (int)done;
	session->error = errno;
	return -1;
}

static int bio_read(BIO *bio, char *data, int len)
{
	struct tls_session *session = BIO_get_data(bio);
	int done;

	errno = session->late_messages > LATE_MESSAGES_MAX ? EPROTO : EAGAIN;
	if (errno == EPROTO || session->takes == TAKES_MAX)
		done = bio_result(bio, -1);
	else
		done = bio_result(bio, recv(session->fd, data, (size_t)len, MSG_DONTWAIT));
	session->takes = done < 0 ? 0 : session->takes + 1;
	if (done < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_read(bio);
	if (done == 0)
		BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
	return done;
}

static int bio_write(BIO *bio, const char *data, int len)
{
	struct tls_session *session = BIO_get_data(bio);
	int done =
		bio_result(bio, send(session->fd, data, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL));

	if (done < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_write(bio);
	return done;
}

static long bio_ctrl(BIO *bio, int command, long number, void *arg)
{
	(void)number;
	(void)arg;
	if (command == BIO_CTRL_EOF)
		return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
	return command == BIO_CTRL_FLUSH;
}

static int bio_create(BIO *bio)
{
	BIO_set_init(bio, 1);
	return 1;
}

static void bio_make_method(void)
{
	BIO_METHOD *method =
		BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket, no signal");

	if (method && BIO_meth_set_read(method, bio_read) == 1 &&
	    BIO_meth_set_write(method, bio_write) == 1 &&
	    BIO_meth_set_ctrl(method, bio_ctrl) == 1 &&
	    BIO_meth_set_create(method, bio_create) == 1)
		bio_method = method;
	else
		BIO_meth_free(method);
}

void tls_on_message(int written, int version, int type, const void *data, size_t len, SSL *ssl,
		    void *arg)
{
	struct tls_session *session = SSL_get_app_data(ssl);

	(void)version;
	(void)data;
	(void)len;
	(void)arg;
	/* An alert of ours is the answer to a handshake that we refuse. */
	if (session && session->stands && type == (written ? SSL3_RT_ALERT : SSL3_RT_HANDSHAKE))
		session->late_messages++;
}

/* ---- clients --------------------------------------------------------------------------------- */

struct tls_client *tls_client_new(const struct tls_client_conf *conf, struct err *err)
{
	struct tls_client *client = calloc(1, sizeof(*client));

	if (!client) {
		err_set(err, "out of memory");
		return NULL;
	}
	client->trust = tls_trust_new(conf, err);
	if (!client->trust) {
		free(client);
		return NULL;
	}
	pthread_mutex_init(&client->lock, NULL);
	return client;
}

void tls_client_free(struct tls_client *client)
{
	if (!client)
		return;
	tls_trust_drop(client->trust);
	pthread_mutex_destroy(&client->lock);
	free(client);
}

int tls_client_set_roots(struct tls_client *client, const struct tls_roots *roots, struct err *err)
{
	/* Only this thread changes it. */
	struct tls_trust *old = client->trust, *trust;
	struct tls_client_conf conf = { .roots = roots,
					.name = old->name,
					.addr = &old->addr,
					.pins = old->pins,
					.pins_count = old->pins_count };

	if (memcmp(old->digest, roots->digest, sizeof(old->digest)) == 0)
		return 0;
	trust = tls_trust_new(&conf, err);
	if (!trust)
		return -1;
	pthread_mutex_lock(&client->lock);
	client->trust = trust;
	pthread_mutex_unlock(&client->lock);
	atomic_fetch_add_explicit(&client->generation, 1, memory_order_release);
	tls_trust_drop(old);
	return 0;
}

unsigned tls_client_generation(const struct tls_client *client)
{
	return atomic_load_explicit(&client->generation, memory_order_acquire);
}

/* ---- sessions -------------------------------------------------------------------------------- */

/* A new SSL on the socket. -1 with nothing begun. */
static int begin(struct tls_session *session, SSL_CTX *ctx, int fd)
{
	BIO *bio = NULL;
	SSL *ssl = NULL;

	pthread_once(&bio_once, bio_make_method);
	if (ctx)
		ssl = SSL_new(ctx);
	/* Who verifies finds the session by this. */
	if (ssl && bio_method && SSL_set_app_data(ssl, session) == 1)
		bio = BIO_new(bio_method);
	if (!bio) {
		SSL_free(ssl);
		ERR_clear_error();
		return -1;
	}
	*session = (struct tls_session){ .ssl = ssl, .fd = fd };
	BIO_set_data(bio, session);
	SSL_set_bio(ssl, bio, bio);
	return 0;
}

int tls_session_connect(struct tls_session *session, struct tls_client *client, int fd)
{
	struct tls_trust *trust;
	SSL_SESSION *resumable;

	pthread_mutex_lock(&client->lock);
	trust = tls_trust_hold(client->trust);
	pthread_mutex_unlock(&client->lock);
	if (begin(session, trust->ctx, fd) < 0) {
		tls_trust_drop(trust);
		return -1;
	}
	session->trust = trust;
	SSL_set_connect_state(session->ssl);
	if (*trust->name)
		SSL_set_tlsext_host_name(session->ssl, trust->name);
	resumable = tls_trust_take(trust, clock_now_ms());
	if (resumable) {
		SSL_set_session(session->ssl, resumable);
		SSL_SESSION_free(resumable);
	}
	ERR_clear_error();
	return 0;
}

int tls_session_accept(struct tls_session *session, struct tls_server *server, int fd)
{
	SSL_CTX *ctx = tls_server_context(server);
	int result = begin(session, ctx, fd);

	SSL_CTX_free(ctx); /* the SSL holds it */
	if (result == 0)
		SSL_set_accept_state(session->ssl);
	return result;
}

void tls_session_fini(struct tls_session *session)
{
	if (!session || !session->ssl)
		return;
	/* Else OpenSSL takes what can be resumed for broken. */
	if (!session->failed)
		SSL_set_shutdown(session->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(session->ssl);
	tls_trust_drop(session->trust);
	ERR_clear_error();
	*session = (struct tls_session){ .ssl = NULL };
}

/* What a step that did not succeed came to. */
static enum tls_verdict outcome(struct tls_session *session, int result)
{
	int error = SSL_get_error(session->ssl, result);

	session->wants_write = error == SSL_ERROR_WANT_WRITE;
	switch (error) {
	case SSL_ERROR_WANT_READ:
		return TLS_WANT_READ;
	case SSL_ERROR_WANT_WRITE:
		return TLS_WANT_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return TLS_END;
	default:
		session->failed = true;
		return TLS_FAILED;
	}
}

static void begin_step(struct tls_session *session)
{
	assert(session->ssl);
	ERR_clear_error();
	session->wants_write = false;
	session->error = 0;
}

/* Where verifying has not said why already. */
static void explain(const struct tls_session *session, struct tls_fault *fault)
{
	if (fault->kind != TLS_FAULT_NONE) {
		ERR_clear_error();
	} else if (ERR_peek_error()) {
		fault->kind = TLS_FAULT_PROTOCOL;
		tls_reason(fault->text, sizeof(fault->text), "no TLS handshake with it");
	} else {
		fault->kind = TLS_FAULT_LOST;
		snprintf(fault->text, sizeof(fault->text), "%s",
			 session->error ? strerror(session->error)
					: "it closed the connection within the TLS handshake");
	}
}

enum tls_verdict tls_session_handshake(struct tls_session *session, struct tls_fault *ret_fault)
{
	struct tls_fault fault = { .kind = TLS_FAULT_NONE };
	enum tls_verdict verdict;
	int result;

	if (session->failed)
		return TLS_FAILED;
	begin_step(session);
	session->fault = &fault;
	result = SSL_do_handshake(session->ssl);
	session->fault = NULL;
	if (result == 1) {
		session->stands = true;
		if (session->trust && !SSL_session_reused(session->ssl))
			tls_trust_note_verified(session->trust, clock_now_ms());
		return TLS_OK;
	}
	verdict = outcome(session, result);
	if (verdict != TLS_END && verdict != TLS_FAILED)
		return verdict;
	session->failed = true;
	explain(session, &fault);
	if (session->trust && fault.kind >= TLS_FAULT_CA)
		tls_trust_forget(session->trust);
	*ret_fault = fault;
	return TLS_FAILED;
}

enum tls_verdict tls_session_read(struct tls_session *session, void *data, size_t cap,
				  size_t *ret_len)
{
	enum tls_verdict verdict;
	int result;

	if (session->failed)
		return TLS_FAILED;
	begin_step(session);
	result = SSL_read_ex(session->ssl, data, cap, ret_len);
	session->starved = result != 1;
	if (result == 1)
		return TLS_OK;
	verdict = outcome(session, result);
	ERR_clear_error();
	return verdict;
}

bool tls_session_has_more(const struct tls_session *session)
{
	return session->ssl && !session->failed && !session->starved &&
	       SSL_has_pending(session->ssl);
}

enum tls_verdict tls_session_write(struct tls_session *session, const void *data, size_t len,
				   size_t *ret_len)
{
	enum tls_verdict verdict = TLS_OK;
	size_t done = 0, part;
	int result;

	if (session->failed)
		return TLS_FAILED;
	begin_step(session);
	/* A turn is a record. */
	while (done < len && verdict == TLS_OK) {
		result =
			SSL_write_ex(session->ssl, (const uint8_t *)data + done, len - done, &part);
		if (result == 1)
			done += part;
		else
			verdict = outcome(session, result);
	}
	ERR_clear_error();
	*ret_len = done;
	return done > 0 && verdict != TLS_FAILED ? TLS_OK : verdict;
}

void tls_session_shutdown(struct tls_session *session)
{
	if (!session->ssl || session->failed || SSL_in_init(session->ssl))
		return;
	begin_step(session);
	SSL_shutdown(session->ssl);
	ERR_clear_error();
}

bool tls_session_resumed(const struct tls_session *session)
{
	return SSL_session_reused(session->ssl) == 1;
}

const char *tls_session_version(const struct tls_session *session)
{
	return SSL_get_version(session->ssl);
}

/* ---- as a stream's --------------------------------------------------------------------------- */

/* As read(2) and write(2) would say it. */
static ssize_t as_call(enum tls_verdict verdict, size_t len)
{
	switch (verdict) {
	case TLS_OK:
		return (ssize_t)len;
	case TLS_END:
		return 0;
	case TLS_WANT_READ:
	case TLS_WANT_WRITE:
		errno = EAGAIN;
		return -1;
	case TLS_FAILED:
		break;
	}
	errno = ECONNRESET;
	return -1;
}

static ssize_t stream_tls_read(void *arg, int fd, void *data, size_t len)
{
	size_t got = 0;
	enum tls_verdict verdict = tls_session_read(arg, data, len, &got);

	(void)fd;
	return as_call(verdict, got);
}

static ssize_t stream_tls_write(void *arg, int fd, const void *data, size_t len)
{
	size_t done = 0;
	enum tls_verdict verdict = tls_session_write(arg, data, len, &done);

	(void)fd;
	/* Nothing can be written where the other side has closed. */
	return as_call(verdict == TLS_END ? TLS_FAILED : verdict, done);
}

const struct stream_io stream_tls = { .read = stream_tls_read, .write = stream_tls_write };
