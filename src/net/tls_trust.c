/* SPDX-License-Identifier: MIT */
/*
 * Is this the server that was meant? Asked once a connection, within the handshake: OpenSSL calls
 * `verify` when the certificate is there and before our side of the handshake is finished, so that
 * nobody else ever gets a question to read. What was wrong is put into words there, where the
 * certificate can still be looked at.
 *
 * The chain, the dates and the name are OpenSSL's to check; pins are checked here, against the
 * server's own certificate and not those that come with it: anybody may send along a copy of a
 * certificate whose key is pinned, only the key's holder can finish a handshake with it.
 *
 * Authorities are read from one file into memory at once. OpenSSL's default paths were refused:
 * they are looked through while a chain is being built, that is on a worker, and after root's
 * rights are gone.
 */
#include "net/tls_trust.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"

/* Debian's bundle has 220 KB. */
#define ROOTS_FILE_MAX (16 * 1024 * 1024)
/* Names of a certificate that a complaint shows: more do not help. */
#define NAMES_SHOWN 3
/*
 * For TLS 1.2; those of 1.3 are all of this kind. An ephemeral key exchange and authenticated
 * encryption (RFC 9325 4.2).
 */
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"

/* Where systems keep the bundle; the first is OpenSSL's own word, unless SSL_CERT_FILE has one. */
static const char *const bundles[] = {
	"/etc/ssl/certs/ca-certificates.crt", /* Debian, Ubuntu, Alpine */
	"/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora, RHEL */
	"/etc/ssl/ca-bundle.pem",             /* SUSE */
	"/etc/ssl/cert.pem",
	NULL,
};

void tls_reason(char *ret, size_t cap, const char *what)
{
	unsigned long code = ERR_peek_error();
	const char *why = ERR_reason_error_string(code);

	snprintf(ret, cap, "%s: %s", what, why ? why : "no reason given");
	ERR_clear_error();
}

SSL_CTX *tls_context_new(const SSL_METHOD *method, struct err *err)
{
	SSL_CTX *ctx = SSL_CTX_new(method);
	char why[TLS_FAULT_TEXT_MAX];

	if (ctx && SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
	    SSL_CTX_set_cipher_list(ctx, CIPHERS) == 1) {
		SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
						 SSL_OP_IGNORE_UNEXPECTED_EOF);
		SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
					      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					      SSL_MODE_RELEASE_BUFFERS);
		SSL_CTX_set_read_ahead(ctx, 1); /* one read a record, not two */
		SSL_CTX_set_msg_callback(ctx, tls_on_message);
		return ctx;
	}
	SSL_CTX_free(ctx);
	tls_reason(why, sizeof(why), "TLS");
	err_set(err, "%s", why);
	return NULL;
}

/* ---- authorities ----------------------------------------------------------------------------- */

int tls_no_password(char *buf, int size, int rwflag, void *arg)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)arg;
	return -1;
}

bool tls_pem_ended(void)
{
	unsigned long code = ERR_peek_last_error();

	return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

/* Adds all certificates of a PEM text; how many, or -1. */
static int add_certificates(X509_STORE *store, const uint8_t *data, size_t len)
{
	BIO *bio = BIO_new_mem_buf(data, (int)len);
	X509 *cert;
	int count = 0;

	if (!bio)
		return -1;
	while ((cert = PEM_read_bio_X509(bio, NULL, tls_no_password, NULL))) {
		count = X509_STORE_add_cert(store, cert) == 1 ? count + 1 : -1;
		X509_free(cert);
		if (count < 0)
			break;
	}
	BIO_free(bio);
	if (count < 0 || !tls_pem_ended())
		return -1;
	ERR_clear_error();
	return count;
}

static const char *system_bundle(void)
{
	const char *named = getenv(X509_get_default_cert_file_env());
	size_t i;
	FILE *file;

	if (named && *named)
		return named;
	for (i = 0; bundles[i]; i++) {
		file = fopen(bundles[i], "re");
		if (file) {
			fclose(file);
			return bundles[i];
		}
	}
	return NULL;
}

struct tls_roots *tls_roots_load(const char *path, struct err *err)
{
	struct tls_roots *roots = NULL;
	char why[TLS_FAULT_TEXT_MAX];
	uint8_t *data = NULL;
	size_t len;
	int count;

	if (!path)
		path = system_bundle();
	if (!path) {
		err_set(err, "the system has no file of certificate authorities; install "
			     "ca-certificates, or name one with tls-ca");
		return NULL;
	}
	if (file_read(path, ROOTS_FILE_MAX, &data, &len, err) < 0)
		return NULL;
	roots = calloc(1, sizeof(*roots));
	if (roots)
		roots->store = X509_STORE_new();
	if (!roots || !roots->store ||
	    EVP_Digest(data, len, roots->digest, NULL, EVP_sha256(), NULL) != 1) {
		err_set(err, "%s: out of memory", path);
		goto fail;
	}
	count = add_certificates(roots->store, data, len);
	if (count < 0) {
		tls_reason(why, sizeof(why), "a certificate in it cannot be read");
		err_set(err, "%s: %s", path, why);
		goto fail;
	}
	if (count == 0) {
		err_set(err, "%s: holds no certificate; PEM is expected", path);
		goto fail;
	}
	free(data);
	return roots;
fail:
	free(data);
	tls_roots_free(roots);
	return NULL;
}

void tls_roots_free(struct tls_roots *roots)
{
	if (!roots)
		return;
	X509_STORE_free(roots->store);
	free(roots);
}

bool tls_roots_equal(const struct tls_roots *a, const struct tls_roots *b)
{
	return memcmp(a->digest, b->digest, sizeof(a->digest)) == 0;
}

/* ---- pins ------------------------------------------------------------------------------------ */

int tls_pin_parse(struct tls_pin *ret, const char *text)
{
	/* 32 octets are 43 characters and one "=" to fill up, which decodes to a 33rd. */
	uint8_t octets[TLS_PIN_LEN + 1], again[TLS_PIN_TEXT_LEN + 1];

	if (strlen(text) != TLS_PIN_TEXT_LEN ||
	    EVP_DecodeBlock(octets, (const uint8_t *)text, TLS_PIN_TEXT_LEN) != sizeof(octets))
		return -1;
	/* OpenSSL takes a "=" anywhere. */
	EVP_EncodeBlock(again, octets, TLS_PIN_LEN);
	if (memcmp(again, text, TLS_PIN_TEXT_LEN) != 0)
		return -1;
	memcpy(ret->sha256, octets, TLS_PIN_LEN);
	return 0;
}

static bool pin_of(X509 *cert, uint8_t ret[TLS_PIN_LEN])
{
	uint8_t *der = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	bool good = len > 0 && EVP_Digest(der, (size_t)len, ret, NULL, EVP_sha256(), NULL) == 1;

	OPENSSL_free(der);
	return good;
}

static bool is_pinned(const struct tls_trust *trust, const uint8_t pin[TLS_PIN_LEN])
{
	size_t i;

	for (i = 0; i < trust->pins_count; i++) {
		if (memcmp(trust->pins[i].sha256, pin, TLS_PIN_LEN) == 0)
			return true;
	}
	return false;
}

/* ---- what is wrong, in words ----------------------------------------------------------------- */

static void append(char *text, size_t cap, const char *more, size_t len)
{
	size_t at = strlen(text), i;

	for (i = 0; i < len && at + 1 < cap; i++)
		text[at++] = (char)(isgraph((unsigned char)more[i]) ? more[i] : '?');
	text[at] = '\0';
}

static void append_name(char *text, size_t cap, const GENERAL_NAME *name)
{
	const ASN1_STRING *value;
	char addr[INET6_ADDRSTRLEN];
	int len;

	if (name->type == GEN_DNS) {
		value = name->d.dNSName;
		append(text, cap, (const char *)ASN1_STRING_get0_data(value),
		       (size_t)ASN1_STRING_length(value));
	} else if (name->type == GEN_IPADD) {
		value = name->d.iPAddress;
		len = ASN1_STRING_length(value);
		if ((len == 4 || len == 16) &&
		    inet_ntop(len == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(value), addr,
			      sizeof(addr)))
			append(text, cap, addr, strlen(addr));
	}
}

/* The first names and addresses of a certificate, or "nothing". */
static void list_names(X509 *cert, char *text, size_t cap)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	int i, shown = 0, count = names ? sk_GENERAL_NAME_num(names) : 0;

	*text = '\0';
	for (i = 0; i < count; i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		size_t len = strlen(text);

		if (name->type != GEN_DNS && name->type != GEN_IPADD)
			continue;
		if (shown++ == NAMES_SHOWN) {
			snprintf(text + len, cap - len, " and others");
			break;
		}
		if (shown > 1)
			snprintf(text + len, cap - len, ", ");
		append_name(text, cap, name);
	}
	if (!shown)
		snprintf(text, cap, "no name or address (subjectAltName)");
	GENERAL_NAMES_free(names);
}

static void write_date(const ASN1_TIME *time, char *text, size_t cap)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(time, &tm) != 1 ||
	    strftime(text, cap, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
		snprintf(text, cap, "an unreadable date");
}

static void fault_of(const struct tls_trust *trust, X509_STORE_CTX *store, struct tls_fault *ret)
{
	int error = X509_STORE_CTX_get_error(store);
	X509 *cert = X509_STORE_CTX_get_current_cert(store);
	char text[128];

	if (!cert)
		cert = X509_STORE_CTX_get0_cert(store);
	switch (error) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		ret->kind = TLS_FAULT_NAME;
		list_names(cert, text, sizeof(text));
		snprintf(ret->text, sizeof(ret->text), "its certificate shows %s, not %.80s", text,
			 trust->shown);
		return;
	case X509_V_ERR_CERT_HAS_EXPIRED:
		ret->kind = TLS_FAULT_EXPIRED;
		write_date(X509_get0_notAfter(cert), text, sizeof(text));
		snprintf(ret->text, sizeof(ret->text), "its certificate expired on %s", text);
		return;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		ret->kind = TLS_FAULT_NOT_YET;
		write_date(X509_get0_notBefore(cert), text, sizeof(text));
		snprintf(ret->text, sizeof(ret->text),
			 "its certificate is not valid before %s; is the clock right?", text);
		return;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_CERT_UNTRUSTED:
		ret->kind = TLS_FAULT_CA;
		snprintf(ret->text, sizeof(ret->text),
			 "its certificate is from no authority that is trusted here (%s)",
			 X509_verify_cert_error_string(error));
		return;
	default:
		ret->kind = TLS_FAULT_CERTIFICATE;
		snprintf(ret->text, sizeof(ret->text), "its certificate is no good: %s",
			 X509_verify_cert_error_string(error));
	}
}

/* ---- verifying ------------------------------------------------------------------------------- */

/*
 * 1: go on. The SSL carries its session as app data, and that one knows where to put the fault.
 */
static int verify(X509_STORE_CTX *store, void *arg)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	const struct tls_session *session = SSL_get_app_data(ssl);
	const struct tls_trust *trust = arg;
	uint8_t pin[TLS_PIN_LEN];
	char text[TLS_PIN_TEXT_LEN + 1];

	if (trust->chain && X509_verify_cert(store) != 1) {
		fault_of(trust, store, session->fault);
		return 0;
	}
	if (trust->pins_count == 0)
		return 1;
	if (!pin_of(X509_STORE_CTX_get0_cert(store), pin)) {
		X509_STORE_CTX_set_error(store, X509_V_ERR_OUT_OF_MEM);
		return 0;
	}
	if (is_pinned(trust, pin)) {
		X509_STORE_CTX_set_error(store, X509_V_OK);
		return 1;
	}
	X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
	EVP_EncodeBlock((uint8_t *)text, pin, TLS_PIN_LEN);
	session->fault->kind = TLS_FAULT_PIN;
	snprintf(session->fault->text, sizeof(session->fault->text),
		 "its key is none of tls-pins; it is %s", text);
	return 0;
}

/* ---- trust ----------------------------------------------------------------------------------- */

/* A session that can be resumed has come. 1: it is kept. */
static int on_session(SSL *ssl, SSL_SESSION *resumable)
{
	struct tls_trust *trust = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	SSL_SESSION *oldest = NULL;

	pthread_mutex_lock(&trust->lock);
	if (trust->stock_count == TLS_STOCK_MAX) {
		oldest = trust->stock[0];
		memmove(trust->stock, trust->stock + 1,
			(TLS_STOCK_MAX - 1) * sizeof(trust->stock[0]));
		trust->stock_count--;
	}
	trust->stock[trust->stock_count++] = resumable;
	pthread_mutex_unlock(&trust->lock);
	SSL_SESSION_free(oldest);
	return 1;
}

SSL_SESSION *tls_trust_take(struct tls_trust *trust, uint64_t now_ms)
{
	SSL_SESSION *resumable = NULL;

	pthread_mutex_lock(&trust->lock);
	if (trust->stock_count > 0 &&
	    now_ms - trust->verified_ms < TLS_RESUME_MAX_S * UINT64_C(1000))
		resumable = trust->stock[trust->stock_count - 1];
	if (resumable && SSL_SESSION_get_protocol_version(resumable) == TLS1_2_VERSION)
		SSL_SESSION_up_ref(resumable); /* good for many: no new one comes for it */
	else if (resumable)
		trust->stock_count--;
	pthread_mutex_unlock(&trust->lock);
	return resumable;
}

void tls_trust_forget(struct tls_trust *trust)
{
	SSL_SESSION *stock[TLS_STOCK_MAX];
	unsigned count;

	pthread_mutex_lock(&trust->lock);
	count = trust->stock_count;
	memcpy(stock, trust->stock, sizeof(stock));
	trust->stock_count = 0;
	pthread_mutex_unlock(&trust->lock);
	while (count > 0)
		SSL_SESSION_free(stock[--count]);
}

void tls_trust_note_verified(struct tls_trust *trust, uint64_t now_ms)
{
	pthread_mutex_lock(&trust->lock);
	trust->verified_ms = now_ms;
	pthread_mutex_unlock(&trust->lock);
}

struct tls_trust *tls_trust_hold(struct tls_trust *trust)
{
	atomic_fetch_add_explicit(&trust->holders, 1, memory_order_relaxed);
	return trust;
}

void tls_trust_drop(struct tls_trust *trust)
{
	if (!trust || atomic_fetch_sub_explicit(&trust->holders, 1, memory_order_acq_rel) > 1)
		return;
	tls_trust_forget(trust);
	SSL_CTX_free(trust->ctx);
	pthread_mutex_destroy(&trust->lock);
	free(trust);
}

/* What the certificate must show. 0 where OpenSSL takes it. */
static int set_identity(struct tls_trust *trust, const struct tls_client_conf *conf,
			X509_VERIFY_PARAM *param)
{
	const union addr *addr = conf->addr;
	size_t len = strlen(conf->name);
	const uint8_t *octets;

	if (len >= sizeof(trust->name))
		return -1;
	if (len > 0) {
		memcpy(trust->name, conf->name, len);
		if (len > 1 && trust->name[len - 1] == '.')
			trust->name[len - 1] = '\0';
		strcpy(trust->shown, trust->name);
		X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
							       X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
		return X509_VERIFY_PARAM_set1_host(param, trust->name, 0) == 1 ? 0 : -1;
	}
	if (addr->any.sa_family == AF_INET) {
		octets = (const uint8_t *)&addr->in4.sin_addr;
		len = sizeof(addr->in4.sin_addr);
	} else {
		octets = addr->in6.sin6_addr.s6_addr;
		len = sizeof(addr->in6.sin6_addr);
	}
	inet_ntop(addr->any.sa_family, octets, trust->shown, sizeof(trust->shown));
	return X509_VERIFY_PARAM_set1_ip(param, octets, len) == 1 ? 0 : -1;
}

static int set_up(struct tls_trust *trust, const struct tls_client_conf *conf,
		  X509_VERIFY_PARAM *param)
{
	static const uint8_t dot[] = { 3, 'd', 'o', 't' };

	/* The first says 0 for success, all others 1. */
	if (SSL_CTX_set_alpn_protos(trust->ctx, dot, sizeof(dot)) != 0 || !param ||
	    set_identity(trust, conf, param) < 0 || SSL_CTX_set_app_data(trust->ctx, trust) != 1)
		return -1;
	SSL_CTX_set_verify(trust->ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(trust->ctx, verify, trust);
	SSL_CTX_set_session_cache_mode(trust->ctx,
				       SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(trust->ctx, on_session);
	if (conf->roots) {
		trust->chain = true;
		memcpy(trust->digest, conf->roots->digest, sizeof(trust->digest));
		SSL_CTX_set1_cert_store(trust->ctx, conf->roots->store);
		/* Whoever names an authority below the top of its chain means just that one. */
		if (X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN) != 1)
			return -1;
	}
	return SSL_CTX_set1_param(trust->ctx, param) == 1 ? 0 : -1;
}

struct tls_trust *tls_trust_new(const struct tls_client_conf *conf, struct err *err)
{
	X509_VERIFY_PARAM *param;
	struct tls_trust *trust;
	char why[TLS_FAULT_TEXT_MAX];

	if (!conf->roots && conf->pins_count == 0) {
		err_set(err, "neither authorities nor pins say whom to believe");
		return NULL;
	}
	if (conf->pins_count > TLS_PINS_MAX) {
		err_set(err, "more than %d pins", TLS_PINS_MAX);
		return NULL;
	}
	trust = calloc(1, sizeof(*trust));
	if (!trust) {
		err_set(err, "out of memory");
		return NULL;
	}
	atomic_init(&trust->holders, 1);
	pthread_mutex_init(&trust->lock, NULL);
	if (conf->addr)
		trust->addr = *conf->addr;
	trust->pins_count = conf->pins_count;
	if (conf->pins_count > 0)
		memcpy(trust->pins, conf->pins, conf->pins_count * sizeof(trust->pins[0]));
	trust->ctx = tls_context_new(TLS_client_method(), err);
	if (!trust->ctx)
		goto fail;
	param = X509_VERIFY_PARAM_new();
	if (set_up(trust, conf, param) == 0) {
		X509_VERIFY_PARAM_free(param);
		return trust;
	}
	X509_VERIFY_PARAM_free(param);
	tls_reason(why, sizeof(why), "TLS");
	err_set(err, "%s", why);
fail:
	tls_trust_drop(trust);
	return NULL;
}
