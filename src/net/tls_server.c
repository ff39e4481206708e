/* SPDX-License-Identifier: MIT */
/*
 * A server is a lock and what is current: a context with certificate and key, counted, taken by
 * each session when it begins. So a new certificate comes into force without anybody being
 * disturbed, and the old one goes with its last session. The lock is held for a pointer and a
 * count, once a connection, and for a copy of a key, once a ticket.
 *
 * No sessions are kept: what is to be resumed travels in tickets (RFC 5077, RFC 8446 4.6.1), which
 * only we can read. So memory does not depend on who comes, and a client may come back to any
 * worker. The tickets' keys are the server's, not the context's: they outlive a certificate, since
 * who resumes was shown one before. They are drawn anew when they have been in use for as long as a
 * ticket is good for, and read for as long again; then what was encrypted under them is out of
 * reach, for us too.
 *
 * Refused: OpenSSL's own ticket keys (they stay until the process ends), a cache of sessions that
 * workers share (memory and a lock for what a client can carry itself), early data (RFC 8446 8: it
 * can be replayed).
 */
#include "net/tls.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "net/tls_trust.h"

/* Octets of a PEM file with a certificate and its chain, or a key: some kilobytes are usual. */
#define PEM_FILE_MAX (1024 * 1024)

struct ticket_key {
	uint8_t name[16]; /* in the clear, in the ticket; zeros: none */
	uint8_t aes[32], mac[32];
};

struct tls_server {
	pthread_mutex_t lock;
	SSL_CTX *ctx;             /* NULL: nothing was loaded yet */
	struct ticket_key key[2]; /* the one in use, and the one before */
	uint64_t key_ms;          /* since when */
	struct tls_server_info info;
};

struct tls_server *tls_server_new(struct err *err)
{
	struct tls_server *server = calloc(1, sizeof(*server));

	if (!server) {
		err_set(err, "out of memory");
		return NULL;
	}
	pthread_mutex_init(&server->lock, NULL);
	if (tls_server_rotate(server) == 0)
		return server;
	err_set(err, "no random numbers for the keys of TLS tickets");
	tls_server_free(server);
	return NULL;
}

void tls_server_free(struct tls_server *server)
{
	if (!server)
		return;
	SSL_CTX_free(server->ctx);
	pthread_mutex_destroy(&server->lock);
	OPENSSL_cleanse(server->key, sizeof(server->key));
	free(server);
}

SSL_CTX *tls_server_context(struct tls_server *server)
{
	SSL_CTX *ctx;

	pthread_mutex_lock(&server->lock);
	ctx = server->ctx;
	if (ctx)
		SSL_CTX_up_ref(ctx);
	pthread_mutex_unlock(&server->lock);
	return ctx;
}

/* ---- tickets --------------------------------------------------------------------------------- */

/* The lock is held. */
static bool key_is_over(const struct tls_server *server)
{
	return clock_now_ms() - server->key_ms >= TLS_TICKET_LIFE_S * UINT64_C(1000);
}

/* Draws the next key; `due`: unless another thread has done so. -1: no random numbers. */
static int next_key(struct tls_server *server, bool due)
{
	struct ticket_key key;

	if (RAND_priv_bytes((uint8_t *)&key, sizeof(key)) != 1) {
		ERR_clear_error();
		return -1;
	}
	pthread_mutex_lock(&server->lock);
	if (!due || key_is_over(server)) {
		server->key[1] = server->key[0];
		server->key[0] = key;
		server->key_ms = clock_now_ms();
	}
	pthread_mutex_unlock(&server->lock);
	OPENSSL_cleanse(&key, sizeof(key));
	return 0;
}

int tls_server_rotate(struct tls_server *server)
{
	return next_key(server, false);
}

/* The key for new tickets. Without random numbers the old one serves on. */
static struct ticket_key key_to_write(struct tls_server *server)
{
	struct ticket_key key;
	bool over;

	pthread_mutex_lock(&server->lock);
	over = key_is_over(server);
	pthread_mutex_unlock(&server->lock);
	if (over)
		(void)next_key(server, true);
	pthread_mutex_lock(&server->lock);
	key = server->key[0];
	pthread_mutex_unlock(&server->lock);
	return key;
}

/* Which key has this name: 0 or 1, copied, or -1. */
static int key_to_read(struct tls_server *server, const uint8_t name[16], struct ticket_key *ret)
{
	static const uint8_t none[16];
	int n, found = -1;

	pthread_mutex_lock(&server->lock);
	for (n = 0; n < 2 && found < 0; n++) {
		if (memcmp(server->key[n].name, name, 16) == 0 && memcmp(name, none, 16) != 0) {
			*ret = server->key[n];
			found = n;
		}
	}
	pthread_mutex_unlock(&server->lock);
	return found;
}

/* As SSL_CTX_set_tlsext_ticket_key_evp_cb wants it: 0: a full handshake; 2: and a new ticket. */
static int on_ticket(SSL *ssl, uint8_t *name, uint8_t *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
		     int write)
{
	struct tls_server *server = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	struct ticket_key key;
	OSSL_PARAM params[3];
	int age = 0, good;

	if (write) {
		key = key_to_write(server);
		memcpy(name, key.name, sizeof(key.name));
		if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1)
			return -1;
	} else {
		age = key_to_read(server, name, &key);
		if (age < 0)
			return 0;
	}
	params[0] = OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac, sizeof(key.mac));
	params[1] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0);
	params[2] = OSSL_PARAM_construct_end();
	good = EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.aes, iv, write) == 1 &&
	       EVP_MAC_CTX_set_params(mac, params) == 1;
	OPENSSL_cleanse(&key, sizeof(key));
	if (!good)
		return -1;
	/* With TLS 1.3 each is good for one connection, so there has to be another. */
	return age > 0 || SSL_version(ssl) == TLS1_3_VERSION ? 2 : 1;
}

/* ---- files ----------------------------------------------------------------------------------- */

/* A file in memory for OpenSSL to read PEM from; *ret_data is to be freed after it. */
static BIO *open_pem(const char *path, uint8_t **ret_data, size_t *ret_len, struct err *err)
{
	BIO *bio;

	if (file_read(path, PEM_FILE_MAX, ret_data, ret_len, err) < 0)
		return NULL;
	bio = BIO_new_mem_buf(*ret_data, (int)*ret_len);
	if (bio)
		return bio;
	err_set(err, "%s: out of memory", path);
	free(*ret_data);
	return NULL;
}

/* The server's own certificate comes first, then those that lead to its authority. */
static int use_certificates(SSL_CTX *ctx, const char *path, struct err *err)
{
	char why[TLS_FAULT_TEXT_MAX];
	uint8_t *data;
	size_t len;
	BIO *bio = open_pem(path, &data, &len, err);
	X509 *cert;
	int used;

	if (!bio)
		return -1;
	cert = PEM_read_bio_X509(bio, NULL, tls_no_password, NULL);
	used = cert ? SSL_CTX_use_certificate(ctx, cert) : 0;
	X509_free(cert);
	while (used == 1 && (cert = PEM_read_bio_X509(bio, NULL, tls_no_password, NULL))) {
		used = (int)SSL_CTX_add0_chain_cert(ctx, cert);
		if (used != 1)
			X509_free(cert);
	}
	BIO_free(bio);
	free(data);
	if (used == 1 && tls_pem_ended()) {
		ERR_clear_error();
		return 0;
	}
	tls_reason(why, sizeof(why), "no certificate that can be used");
	return err_set(err, "%s: %s; it must be in PEM form, and its chain after it", path, why);
}

static int use_key(SSL_CTX *ctx, const char *path, const char *certificate, struct err *err)
{
	char why[TLS_FAULT_TEXT_MAX];
	uint8_t *data;
	size_t len;
	BIO *bio = open_pem(path, &data, &len, err);
	EVP_PKEY *key;
	int used;

	if (!bio)
		return -1;
	key = PEM_read_bio_PrivateKey(bio, NULL, tls_no_password, NULL);
	used = key ? SSL_CTX_use_PrivateKey(ctx, key) : 0;
	/* One of another kind than the certificate's goes into a place of its own, unquestioned. */
	if (used == 1)
		used = SSL_CTX_check_private_key(ctx);
	EVP_PKEY_free(key);
	BIO_free(bio);
	OPENSSL_cleanse(data, len);
	free(data);
	if (used == 1)
		return 0;
	if (key) {
		ERR_clear_error();
		return err_set(err,
			       "%s: it does not belong to the certificate; give the key that %s "
			       "was made for",
			       path, certificate);
	}
	tls_reason(why, sizeof(why), "no key that can be used");
	return err_set(err, "%s: %s; it must be in PEM form and not encrypted", path, why);
}

/* The first name of its subjectAltName, for certificates without a subject. */
static void first_name(X509 *cert, BIO *out)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);

	if (sk_GENERAL_NAME_num(names) > 0)
		GENERAL_NAME_print(out, sk_GENERAL_NAME_value(names, 0));
	GENERAL_NAMES_free(names);
}

static time_t time_of(const ASN1_TIME *when)
{
	struct tm tm;

	return ASN1_TIME_to_tm(when, &tm) == 1 ? timegm(&tm) : 0;
}

static struct tls_server_info info_of(X509 *cert)
{
	struct tls_server_info info = { .not_before = time_of(X509_get0_notBefore(cert)),
					.not_after = time_of(X509_get0_notAfter(cert)) };
	BIO *out = BIO_new(BIO_s_mem());
	int len;

	/* RFC 2253 escapes whatever is not printable ASCII. */
	if (out && X509_NAME_entry_count(X509_get_subject_name(cert)) > 0)
		X509_NAME_print_ex(out, X509_get_subject_name(cert), 0, XN_FLAG_RFC2253);
	else if (out)
		first_name(cert, out);
	len = out ? BIO_read(out, info.subject, sizeof(info.subject) - 1) : 0;
	info.subject[len > 0 ? len : 0] = '\0';
	BIO_free(out);
	ERR_clear_error();
	return info;
}

/* RFC 7301 3.2: who offers protocols, and not this one, is not answered in another. */
static int choose_alpn(SSL *ssl, const uint8_t **ret, uint8_t *ret_len, const uint8_t *offered,
		       unsigned len, void *arg)
{
	unsigned at;

	(void)ssl;
	(void)arg;
	for (at = 0; at < len; at += 1 + offered[at]) {
		if (offered[at] == 3 && len - at > 3 && memcmp(offered + at + 1, "dot", 3) == 0) {
			*ret = offered + at + 1;
			*ret_len = 3;
			return SSL_TLSEXT_ERR_OK;
		}
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

int tls_server_load(struct tls_server *server, const char *certificate, const char *key,
		    struct err *err)
{
	static const uint8_t id[] = "dot";
	SSL_CTX *ctx = tls_context_new(TLS_server_method(), err), *old;

	if (!ctx)
		return -1;
	if (use_certificates(ctx, certificate, err) < 0 ||
	    use_key(ctx, key, certificate, err) < 0) {
		SSL_CTX_free(ctx);
		return -1;
	}
	if (SSL_CTX_set_app_data(ctx, server) != 1) {
		SSL_CTX_free(ctx);
		return err_set(err, "TLS: out of memory");
	}
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_session_id_context(ctx, id, sizeof(id));
	SSL_CTX_set_timeout(ctx, TLS_TICKET_LIFE_S);
	SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket);
	SSL_CTX_set_num_tickets(ctx, 1); /* who asks again has one connection, not two */
	SSL_CTX_set_alpn_select_cb(ctx, choose_alpn, NULL);
	server->info = info_of(SSL_CTX_get0_certificate(ctx));
	pthread_mutex_lock(&server->lock);
	old = server->ctx;
	server->ctx = ctx;
	pthread_mutex_unlock(&server->lock);
	SSL_CTX_free(old);
	return 0;
}

const struct tls_server_info *tls_server_info(const struct tls_server *server)
{
	return &server->info;
}
