/* SPDX-License-Identifier: MIT */
#ifndef PRIVLINKD_TESTS_TOOLNET_H
#define PRIVLINKD_TESTS_TOOLNET_H

/* Small things that the test tools share: addresses as `ADDR@PORT`, sockets on ports that the
 * kernel chooses, hex, the one-line control protocol of fakeup. Errors print to standard error
 * and return -1; the tools are short-lived and own their process, so nothing here is
 * thread-safe. */

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Parses `ADDR[@PORT]`; port 0 where none is given. Returns 0 or -1. */
int tool_addr_parse(const char *text, struct sockaddr_storage *ret_addr, socklen_t *ret_len);

/* Writes `ADDR@PORT` into buf, always terminated. */
void tool_addr_print(const struct sockaddr_storage *addr, char *buf, size_t buf_len);

/* True where address and port are the same. */
int tool_addr_equal(const struct sockaddr_storage *a, const struct sockaddr_storage *b);

/* Binds UDP and TCP to the same address; port 0 asks the kernel for one that is free for both.
 * Both sockets are non-blocking, TCP listens. On success *addr holds the real port. */
int tool_listen_pair(struct sockaddr_storage *addr, socklen_t len, int *ret_udp, int *ret_tcp);

/* Decodes hex (spaces ignored). Returns the number of bytes or -1. */
long tool_hex_decode(const char *text, uint8_t *out, size_t out_len);

/* One command to fakeup's control socket; the reply (without its last newline) goes to reply. */
int tool_ctl(const char *socket_path, const char *command, char *reply, size_t reply_len);

/* Milliseconds of a clock that never goes back. */
uint64_t tool_now_ms(void);

#endif
