/* SPDX-License-Identifier: MIT */
#ifndef PRIVLINKD_TESTS_QUESTION_H
#define PRIVLINKD_TESTS_QUESTION_H

/* One question of the test client: its bytes, its socket, its reply, and the reply as text. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum question_transport {
	QUESTION_UDP,
	QUESTION_TCP,
	QUESTION_TCP_KEPT,
	QUESTION_TLS, /* nobody's certificate is looked at */
	QUESTION_TLS_KEPT,
};

#define QUESTION_MAX 65535

struct question {
	enum question_transport transport;
	struct sockaddr_storage server, source;
	socklen_t server_len, source_len; /* source_len 0: the kernel's choice */
	uint8_t query[2048];
	size_t query_len;
	size_t question_len; /* bytes after the header that the reply has to echo; 0: not checked */
	unsigned edns_size;  /* 0: no OPT was sent */
	bool padded;         /* so the reply has to be, over TLS */
	int fd;
	void *ssl;      /* NULL: no TLS */
	uint8_t *reply; /* QUESTION_MAX bytes */
	size_t reply_len;
};

/* Reads words as in `[udp|tcp|tcpk|tls|tlsk] NAME TYPE [+option...]` into a query.
 * Options: +do +cd +ad +nord +noedns +bufsize=N +edns=VERSION +class=NAME +opcode=N +qr +tc +id=N
 * +two +noq
 * +opt=CODE:HEX (an EDNS option; several in their order) +from=ADDR +to=ADDR@PORT
 * +raw=HEX (NAME and TYPE are then `. A`). Returns 0, or -1 after a word to stderr. */
int question_parse(struct question *q, const struct sockaddr_storage *server, socklen_t server_len,
		   int argc, char **argv);

/* Opens the socket (a kept connection is shared by all that name it) and sends. */
int question_send(struct question *q);

/* Waits for the reply with this query's id. 0; 1 on time-out; -1 where the connection ended.
 * On a kept connection replies of other questions are put aside for them. */
int question_wait(struct question *q, int timeout_ms);

/* Closes what the question owns. */
void question_fini(struct question *q);

/* Ends the kept connections. */
void question_drop_kept(void);

/* Checks what every reply has to show: QR, RA, id, opcode, echoed question, size, only asked OPT.
 * Returns NULL or what is wrong. */
const char *question_check(const struct question *q);

/* The reply in canonical lines: the first `RCODE flags...`, then one line a record,
 * `an|au|ar NAME TTL CLASS TYPE RDATA` with single spaces. The caller frees. */
char *question_text(const struct question *q);

#endif
