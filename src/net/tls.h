/* SPDX-License-Identifier: MIT */
/*
 * TLS over a non-blocking socket, for those who ask (clients) and those who answer (servers) DNS
 * over TLS (RFC 7858). The only place that knows OpenSSL's TLS.
 *
 * TLS 1.2 and 1.3 with forward secrecy and authenticated encryption alone; no renegotiation, no
 * compression, no early data; ALPN "dot" is offered and taken. A session is resumed where the other
 * side allows it. Whoever connects is told who is there before an octet of a question leaves: the
 * strict profile of RFC 8310, without a way to weaken it.
 *
 * A `tls_client` or `tls_server` lives long, may be used by any thread, and takes new files while
 * sessions are open: those go on with what they began with. A session belongs to one thread. Its
 * socket stays the caller's. OpenSSL allocates within; nothing here does after tls_session_connect
 * or tls_session_accept. No call blocks, and no write raises SIGPIPE.
 */
#ifndef PRIVLINKD_NET_TLS_H
#define PRIVLINKD_NET_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/err.h"
#include "net/addr.h"
#include "net/stream.h"

/* Certificates of authorities, read once; immutable. */
struct tls_roots;

/*
 * Reads a PEM file; NULL: the system's bundle. Some milliseconds and megabytes: main thread, and
 * only where something is to be verified. NULL with the text on error.
 */
struct tls_roots *tls_roots_load(const char *path, struct err *err);
/* Clients that were given them keep what they need. */
void tls_roots_free(struct tls_roots *roots);
/* Were both read from the same octets? */
bool tls_roots_equal(const struct tls_roots *a, const struct tls_roots *b);

/* SHA-256 of a SubjectPublicKeyInfo (RFC 7858 4.2). */
#define TLS_PIN_LEN 32
#define TLS_PIN_TEXT_LEN 44 /* in base64 */
/* Pins of one upstream: one in use, one in reserve, and as much again. */
#define TLS_PINS_MAX 8
struct tls_pin {
	uint8_t sha256[TLS_PIN_LEN];
};
/* Reads the base64 of a pin. -1 if it is none. */
int tls_pin_parse(struct tls_pin *ret, const char *text);

/*
 * Whom a client takes for the right one. With `roots` the certificate must lead to one of them, be
 * valid now, and show `name` (as DNS name in its subjectAltName; the common name does not count,
 * RFC 9525) or, where the name is "", the address `addr`. With pins the key of the server's own
 * certificate must be one of them. With both, both (RFC 8310 6.5). Without either nobody is: an
 * error. Pins alone say whose key it is and leave nothing for names, issuers and dates to say (RFC
 * 7858 4.2).
 */
struct tls_client_conf {
	const struct tls_roots *roots; /* or NULL */
	const char *name;
	const union addr *addr;
	const struct tls_pin *pins;
	size_t pins_count;
};

struct tls_client;
struct tls_client *tls_client_new(const struct tls_client_conf *conf, struct err *err);
/* Its sessions have ended. */
void tls_client_free(struct tls_client *client);
/*
 * New roots for sessions that begin from now on; what was resumable is forgotten. The same ones
 * again: nothing happens. Main thread. -1: it is as it was.
 */
int tls_client_set_roots(struct tls_client *client, const struct tls_roots *roots, struct err *err);
/* How often that has changed them. A session of an earlier generation ought to end soon. */
unsigned tls_client_generation(const struct tls_client *client);

/* A server's certificate and key. */
struct tls_server;
struct tls_server *tls_server_new(struct err *err);
/* Its sessions have ended. */
void tls_server_free(struct tls_server *server);
/*
 * Reads the certificate with its chain and the key, both PEM, for sessions that begin from now on.
 * What was resumable stays so. Main thread. -1: it is as it was. Before the first success no
 * session can begin.
 */
int tls_server_load(struct tls_server *server, const char *certificate, const char *key,
		    struct err *err);

/* The certificate that was loaded last. Main thread. */
struct tls_server_info {
	char subject[256]; /* its subject or, without one, its first name; printable */
	time_t not_before, not_after;
};
const struct tls_server_info *tls_server_info(const struct tls_server *server);

/* How long what a server gives can be resumed. Its keys are drawn anew as often. */
#define TLS_TICKET_LIFE_S 3600
/* Does so now: tickets under the keys of before are still read, those under older ones not. */
int tls_server_rotate(struct tls_server *server);

/* What a step of a session came to. */
enum tls_verdict {
	TLS_OK,
	TLS_WANT_READ,  /* go on when the socket is readable */
	TLS_WANT_WRITE, /* go on when the socket is writable, whatever the step was */
	TLS_END,        /* read: the other side will send no more */
	TLS_FAILED,     /* it is over; only tls_session_fini is left */
};

/* Why it failed. All from TLS_FAULT_CA on: somebody answered who is not whom we look for. */
enum tls_fault_kind {
	TLS_FAULT_NONE,
	TLS_FAULT_LOST,     /* closed or reset */
	TLS_FAULT_PROTOCOL, /* no TLS, no version or cipher in common, a bad record, an alert */
	TLS_FAULT_CA,       /* it leads to no authority that we know */
	TLS_FAULT_NAME,
	TLS_FAULT_PIN,
	TLS_FAULT_EXPIRED,
	TLS_FAULT_NOT_YET,
	TLS_FAULT_CERTIFICATE, /* wrong otherwise */
};
#define TLS_FAULT_TEXT_MAX 256
struct tls_fault {
	enum tls_fault_kind kind;
	char text[TLS_FAULT_TEXT_MAX]; /* for the operator; printable */
};

/* Part of its caller's connection, and not moved while begun; all zeros: not begun. */
struct tls_session {
	bool wants_write; /* the last step stopped for the socket to take octets */
	/* the rest is its own */
	bool starved; /* the last read took all there was, or its turn was over */
	bool failed, stands;
	unsigned takes; /* from the socket, since it last had none for us */
	unsigned late_messages;
	int fd, error; /* the last errno of the socket */
	void *ssl, *trust;
	struct tls_fault *fault; /* where the handshake's step wants it */
};

/* Nothing is sent or waited for yet. -1: no memory, or nothing was loaded. */
int tls_session_connect(struct tls_session *session, struct tls_client *client, int fd);
int tls_session_accept(struct tls_session *session, struct tls_server *server, int fd);
/* Fine for one that is not begun or has ended. Says nothing to the other side: see shutdown. */
void tls_session_fini(struct tls_session *session);

/*
 * TLS_OK: it stands, and the other side has been verified. The deadline is the caller's. *ret_fault
 * is filled in on TLS_FAILED.
 */
enum tls_verdict tls_session_handshake(struct tls_session *session, struct tls_fault *ret_fault);

/*
 * After the handshake. TLS_OK: *ret_len octets, at least one. One step may take more from the
 * socket than it hands out, and the socket does not announce that again: read until TLS_WANT_READ,
 * or come back while tls_session_has_more. TLS_WANT_READ comes after some ten kilobytes, too, where
 * the socket has more, for others to have their turn: watch it by level, not by edge.
 */
enum tls_verdict tls_session_read(struct tls_session *session, void *data, size_t cap,
				  size_t *ret_len);
bool tls_session_has_more(const struct tls_session *session);

/*
 * TLS_OK: *ret_len octets were taken, at least one, perhaps not all; then the socket would block.
 * What was not taken is given again, wherever it then stands. `len` is not 0.
 */
enum tls_verdict tls_session_write(struct tls_session *session, const void *data, size_t len,
				   size_t *ret_len);

/* Says that no more is coming (close_notify), once, as far as the socket takes it just now. */
void tls_session_shutdown(struct tls_session *session);

/* After the handshake: was an earlier session resumed? Which version, as "TLSv1.3"? */
bool tls_session_resumed(const struct tls_session *session);
const char *tls_session_version(const struct tls_session *session);

/*
 * The same as a stream's input and output, with a struct tls_session as `arg`; after the handshake.
 * EAGAIN stands for both WANTs: see wants_write.
 */
extern const struct stream_io stream_tls;

#endif
