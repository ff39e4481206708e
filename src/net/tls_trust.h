/* SPDX-License-Identifier: MIT */
/*
 * Whom to believe, as net/tls.c, net/tls_trust.c and net/tls_server.c share it; nobody else
 * includes this.
 *
 * A trust is what one generation of a client goes by: OpenSSL's context with the authorities, the
 * pins, and the sessions that can be resumed, which are worth something only under the same trust.
 * It is counted: sessions hold it. Only the stock of sessions changes after it was made.
 */
#ifndef PRIVLINKD_NET_TLS_TRUST_H
#define PRIVLINKD_NET_TLS_TRUST_H

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "net/tls.h"

/*
 * Sessions kept for resumption: in TLS 1.3 each is good for one connection (RFC 8446 C.4), and this
 * many connections to one upstream may begin at once.
 */
#define TLS_STOCK_MAX 8

/*
 * A resumed session shows no certificate. So at least this often one is asked for: what has expired
 * or was revoked by new files is not carried on for ever by one ticket after the other.
 */
#define TLS_RESUME_MAX_S 3600

struct tls_roots {
	X509_STORE *store;
	uint8_t digest[32]; /* of the octets it was read from */
};

struct tls_trust {
	_Atomic unsigned holders;
	SSL_CTX *ctx;
	bool chain;     /* the certificate must lead to a root, and be for the name */
	char name[256]; /* without a dot at its end; "": the address */
	union addr addr;
	char shown[256];    /* what the certificate must show, for the operator */
	uint8_t digest[32]; /* of its roots */
	struct tls_pin pins[TLS_PINS_MAX];
	size_t pins_count;
	pthread_mutex_t lock; /* of what follows */
	SSL_SESSION *stock[TLS_STOCK_MAX];
	unsigned stock_count;
	uint64_t verified_ms; /* when a certificate was last seen and found good */
};

/* Writes "what: why" of OpenSSL's oldest error into `ret` and empties its queue. */
void tls_reason(char *ret, size_t cap, const char *what);

/* Nothing that we read is encrypted, and nobody is asked for a password on the terminal. */
int tls_no_password(char *buf, int size, int rwflag, void *arg);
/* Did reading PEM stop since no more followed? Else there is an error in it. */
bool tls_pem_ended(void);

/* What OpenSSL calls for each message of a session, of either side. */
void tls_on_message(int written, int version, int type, const void *data, size_t len, SSL *ssl,
		    void *arg);

/* A server's context, held once more; NULL: nothing was loaded yet. */
SSL_CTX *tls_server_context(struct tls_server *server);

/* A context with all that both sides have in common. NULL with the text. */
SSL_CTX *tls_context_new(const SSL_METHOD *method, struct err *err);

/* Held once. */
struct tls_trust *tls_trust_new(const struct tls_client_conf *conf, struct err *err);
struct tls_trust *tls_trust_hold(struct tls_trust *trust);
void tls_trust_drop(struct tls_trust *trust);

/* One that may be resumed now, or NULL; the caller's. */
SSL_SESSION *tls_trust_take(struct tls_trust *trust, uint64_t now_ms);
/* None is resumable any more: who showed a wrong certificate is not to come in by an old one. */
void tls_trust_forget(struct tls_trust *trust);
/* A certificate has just been verified. */
void tls_trust_note_verified(struct tls_trust *trust, uint64_t now_ms);

#endif
