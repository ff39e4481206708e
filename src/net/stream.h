/* SPDX-License-Identifier: MIT */
/*
 * DNS messages on a stream: each after its length in two octets (RFC 1035 4.2.2, RFC 7766 8).
 *
 * A stream reads what is there and hands out the whole messages in it; it collects answers and
 * writes them with one call. Its input buffer is the caller's; output goes into a block, taken from
 * a bounded pool when the first answer comes and given back when the last octet is written, so an
 * idle connection holds none. Nothing is allocated once the pool stands.
 *
 * Octets go through two functions. For plain TCP they are stream_tcp; TLS is to bring its own.
 * One thread.
 */
#ifndef PRIVLINKD_NET_STREAM_H
#define PRIVLINKD_NET_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Octets of a client's frame that are kept: no question comes near (see UDP_IN_MAX). The rest of a
 * longer one is read and thrown away, so the stream stays in step and the sender still gets the
 * answer its header deserves.
 */
#define STREAM_IN_MAX 4096
#define STREAM_FRAME_HEAD 2

/* A block has room for an answer of any size while less than one of that size waits in it. */
#define STREAM_MESSAGE_MAX 65535
#define STREAM_BLOCK (128 * 1024)

/* As read(2) and write(2) on a non-blocking descriptor; never a signal. `arg` is the stream's. */
struct stream_io {
	ssize_t (*read)(void *arg, int fd, void *data, size_t len);
	ssize_t (*write)(void *arg, int fd, const void *data, size_t len);
};
extern const struct stream_io stream_tcp;

struct stream_pool;

/*
 * Memory is taken for `blocks` at once, though the system gives pages only when they are touched.
 */
struct stream_pool *stream_pool_new(unsigned blocks);
void stream_pool_free(struct stream_pool *pool);
unsigned stream_pool_left(const struct stream_pool *pool);

struct stream {
	const struct stream_io *io;
	void *io_arg;
	struct stream_pool *pool;
	int fd;
	size_t in_at, in_end; /* what is not handed out yet */
	size_t skip;          /* octets of an over-long frame still to be thrown away */
	size_t out_at, out_end;
	uint8_t *block; /* NULL: nothing to be sent */
	uint8_t *in;
	size_t in_cap;
};

/*
 * `fd` stays the caller's, and so does `in`: room for the head and the octets of a frame that are
 * kept.
 */
void stream_init(struct stream *stream, int fd, const struct stream_io *io, void *io_arg,
		 struct stream_pool *pool, uint8_t *in, size_t in_cap);
/* Gives the block back. */
void stream_fini(struct stream *stream);

enum stream_verdict {
	STREAM_OK,     /* read: something came; write: all is written */
	STREAM_AGAIN,  /* the socket would block; write: some is left */
	STREAM_END,    /* the other side will send no more */
	STREAM_BROKEN, /* the connection is lost */
};

/* One read(2) of what fits. Hand out all whole messages before the next. */
enum stream_verdict stream_read(struct stream *stream);

struct stream_message {
	const uint8_t *data; /* good until the next stream_read */
	size_t len;          /* 0 is possible */
	bool cut;            /* it was longer than what is kept */
};

/* The next whole message; false when there is none. */
bool stream_next(struct stream *stream, struct stream_message *ret);

/* Part of a frame is here, and the rest is not. Ask after stream_next said false. */
bool stream_in_frame(const struct stream *stream);

enum stream_put_verdict {
	STREAM_PUT,
	STREAM_PUT_FULL,     /* the block holds too much: write first */
	STREAM_PUT_NO_BLOCK, /* the pool is empty */
};

/* Copies an answer behind its length. `len` is at most STREAM_MESSAGE_MAX. */
enum stream_put_verdict stream_put(struct stream *stream, const uint8_t *data, size_t len);

/* One write(2) of all that is there. */
enum stream_verdict stream_write(struct stream *stream);

static inline size_t stream_unsent(const struct stream *stream)
{
	return stream->out_end - stream->out_at;
}

#endif
