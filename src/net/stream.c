/* SPDX-License-Identifier: MIT */
/*
 * A thousand idle connections must cost little, one that pipelines must cost few system calls.
 *
 * Input: one buffer, small for a client. A read fills it, whole messages are handed out in place,
 * what is left of a frame is moved to the front before the next read. An over-long frame is
 * handed out as the first octets that are kept when those are here; the rest is counted in `skip`
 * and thrown away, so nothing a peer sends needs more room and nothing gets out of step.
 *
 * Output: a block of the pool, contiguous so that one write takes it all, held only while
 * something is unsent. Blocks are reused last in, first out: a quiet server touches one of them.
 *
 * Invariants: in_at <= in_end <= in_cap; out_at <= out_end <= STREAM_BLOCK, both 0 without a
 * block.
 *
 * Refused: libevent's bufferevents (an allocation a write), a buffer of 64 KiB for everybody's
 * input.
 */
#include "net/stream.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "wire/cursor.h"

struct stream_pool {
	unsigned count, left;
	uint8_t *memory;
	uint8_t **spare; /* the first `left` are free */
};

static ssize_t tcp_read(void *arg, int fd, void *data, size_t len)
{
	(void)arg;
	return recv(fd, data, len, MSG_DONTWAIT);
}

static ssize_t tcp_write(void *arg, int fd, const void *data, size_t len)
{
	(void)arg;
	return send(fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

const struct stream_io stream_tcp = { .read = tcp_read, .write = tcp_write };

struct stream_pool *stream_pool_new(unsigned blocks)
{
	struct stream_pool *pool = calloc(1, sizeof(*pool));
	unsigned n;

	if (!pool)
		return NULL;
	pool->memory = calloc(blocks, STREAM_BLOCK);
	pool->spare = calloc(blocks, sizeof(*pool->spare));
	if (!pool->memory || !pool->spare) {
		stream_pool_free(pool);
		return NULL;
	}
	for (n = 0; n < blocks; n++)
		pool->spare[n] = pool->memory + (size_t)(blocks - 1 - n) * STREAM_BLOCK;
	pool->count = pool->left = blocks;
	return pool;
}

void stream_pool_free(struct stream_pool *pool)
{
	if (!pool)
		return;
	assert(pool->left == pool->count);
	free(pool->memory);
	free(pool->spare);
	free(pool);
}

unsigned stream_pool_left(const struct stream_pool *pool)
{
	return pool->left;
}

void stream_init(struct stream *stream, int fd, const struct stream_io *io, void *io_arg,
		 struct stream_pool *pool, uint8_t *in, size_t in_cap)
{
	stream->io = io;
	stream->io_arg = io_arg;
	stream->pool = pool;
	stream->fd = fd;
	stream->in_at = stream->in_end = stream->skip = 0;
	stream->out_at = stream->out_end = 0;
	stream->block = NULL;
	stream->in = in;
	stream->in_cap = in_cap;
}

void stream_fini(struct stream *stream)
{
	if (!stream || !stream->block)
		return;
	stream->pool->spare[stream->pool->left++] = stream->block;
	stream->block = NULL;
	stream->out_at = stream->out_end = 0;
}

enum stream_verdict stream_read(struct stream *stream)
{
	size_t left = stream->in_end - stream->in_at, room = stream->in_cap - left;
	ssize_t got;

	if (room == 0)
		return STREAM_AGAIN;
	if (stream->in_at > 0)
		memmove(stream->in, stream->in + stream->in_at, left);
	stream->in_at = 0;
	stream->in_end = left;
	do
		got = stream->io->read(stream->io_arg, stream->fd, stream->in + left, room);
	while (got < 0 && errno == EINTR);
	if (got == 0)
		return STREAM_END;
	if (got < 0)
		return errno == EAGAIN ? STREAM_AGAIN : STREAM_BROKEN;
	stream->in_end += (size_t)got;
	return STREAM_OK;
}

bool stream_next(struct stream *stream, struct stream_message *ret)
{
	size_t here = stream->in_end - stream->in_at, len;
	size_t max = stream->in_cap - STREAM_FRAME_HEAD;
	struct cursor head;
	bool cut;

	if (stream->skip > 0) {
		len = here < stream->skip ? here : stream->skip;
		stream->skip -= len;
		stream->in_at += len;
		here -= len;
	}
	if (here < STREAM_FRAME_HEAD)
		return false;
	head = cursor_over(stream->in + stream->in_at, here);
	len = cursor_u16(&head);
	cut = len > max;
	if (here - STREAM_FRAME_HEAD < (cut ? max : len))
		return false;
	if (cut) {
		stream->skip = len - max;
		len = max;
	}
	ret->data = stream->in + stream->in_at + STREAM_FRAME_HEAD;
	ret->len = len;
	ret->cut = cut;
	stream->in_at += STREAM_FRAME_HEAD + len;
	return true;
}

bool stream_in_frame(const struct stream *stream)
{
	return stream->skip > 0 || stream->in_end > stream->in_at;
}

enum stream_put_verdict stream_put(struct stream *stream, const uint8_t *data, size_t len)
{
	struct stream_pool *pool = stream->pool;
	size_t unsent = stream_unsent(stream);
	uint8_t *at;

	assert(len <= STREAM_MESSAGE_MAX);
	if (unsent + STREAM_FRAME_HEAD + len > STREAM_BLOCK)
		return STREAM_PUT_FULL;
	if (!stream->block) {
		if (pool->left == 0)
			return STREAM_PUT_NO_BLOCK;
		stream->block = pool->spare[--pool->left];
	}
	if (stream->out_end + STREAM_FRAME_HEAD + len > STREAM_BLOCK) {
		memmove(stream->block, stream->block + stream->out_at, unsent);
		stream->out_at = 0;
		stream->out_end = unsent;
	}
	at = stream->block + stream->out_end;
	at[0] = (uint8_t)(len >> 8);
	at[1] = (uint8_t)len;
	memcpy(at + STREAM_FRAME_HEAD, data, len);
	stream->out_end += STREAM_FRAME_HEAD + len;
	return STREAM_PUT;
}

enum stream_verdict stream_write(struct stream *stream)
{
	size_t unsent = stream_unsent(stream);
	ssize_t done;

	if (unsent == 0)
		return STREAM_OK;
	do
		done = stream->io->write(stream->io_arg, stream->fd, stream->block + stream->out_at,
					 unsent);
	while (done < 0 && errno == EINTR);
	if (done < 0)
		return errno == EAGAIN ? STREAM_AGAIN : STREAM_BROKEN;
	stream->out_at += (size_t)done;
	if (stream->out_at < stream->out_end)
		return STREAM_AGAIN;
	stream_fini(stream); /* nothing is left: the block goes back */
	return STREAM_OK;
}
