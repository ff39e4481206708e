/* SPDX-License-Identifier: MIT */
/*
 * Any octets as a stream of length-framed messages, in pieces of any size. The first octet says how
 * much of a frame is kept, the second deals out the pieces; the rest is the stream.
 *
 * What is handed out must be what a reader of the whole finds. Each message is put back as an
 * answer, written in pieces too: what leaves must be the messages behind their lengths.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/must.h"
#include "net/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define IN_MIN 16 /* octets of a frame that are kept, at least */

/* The other side: gives `left` octets at `at`, and compares what comes with the messages there. */
struct peer {
	const uint8_t *at;
	size_t left;
	uint32_t dice;
	/* what is to come back: frames at `frame`, cut to `max` octets; `done` of this one came */
	const uint8_t *frame;
	size_t max, done;
};

/* How much is taken this time, of `most`; 0: nothing now. */
static size_t piece(struct peer *peer, size_t most)
{
	static const size_t sizes[] = { 0, 1, 3, 7, 64, 1000, 5000, SIZE_MAX };
	size_t size;

	peer->dice = peer->dice * 1664525 + 1013904223;
	size = sizes[peer->dice >> 29];
	return size < most ? size : most;
}

static ssize_t peer_read(void *arg, int fd, void *data, size_t len)
{
	struct peer *peer = arg;
	size_t size = piece(peer, len < peer->left ? len : peer->left);

	(void)fd;
	MUST(len > 0);
	if (peer->left > 0 && size == 0) {
		errno = peer->dice & 1 ? EAGAIN : EINTR;
		return -1;
	}
	memcpy(data, peer->at, size);
	peer->at += size;
	peer->left -= size;
	return (ssize_t)size;
}

/* The octet at `done` of the answer to the frame at `frame`, which is that frame, cut. */
static uint8_t expected(const struct peer *peer, size_t kept)
{
	if (peer->done < STREAM_FRAME_HEAD)
		return (uint8_t)(peer->done == 0 ? kept >> 8 : kept);
	return peer->frame[peer->done];
}

static ssize_t peer_write(void *arg, int fd, const void *data, size_t len)
{
	struct peer *peer = arg;
	size_t size = piece(peer, len), n, whole, kept;

	(void)fd;
	MUST(len > 0);
	if (size == 0) {
		errno = peer->dice & 1 ? EAGAIN : EINTR;
		return -1;
	}
	for (n = 0; n < size; n++) {
		whole = (size_t)(peer->frame[0] << 8 | peer->frame[1]);
		kept = whole < peer->max ? whole : peer->max;
		MUST(((const uint8_t *)data)[n] == expected(peer, kept));
		if (++peer->done < STREAM_FRAME_HEAD + kept)
			continue;
		peer->frame += STREAM_FRAME_HEAD + whole;
		peer->done = 0;
	}
	return (ssize_t)size;
}

/* The next message is the frame at *at, and *at moves on behind it. */
static void check_message(const struct stream_message *message, size_t max, const uint8_t **at,
			  const uint8_t *end)
{
	size_t whole;

	MUST(end - *at >= STREAM_FRAME_HEAD);
	whole = (size_t)((*at)[0] << 8 | (*at)[1]);
	MUST(message->cut == (whole > max));
	MUST(message->len == (whole > max ? max : whole));
	MUST((size_t)(end - *at) >= STREAM_FRAME_HEAD + message->len);
	MUST(memcmp(message->data, *at + STREAM_FRAME_HEAD, message->len) == 0);
	*at += STREAM_FRAME_HEAD + whole; /* past `end` where the rest of a cut one is missing */
}

static void flush(struct stream *stream)
{
	enum stream_verdict verdict;

	while ((verdict = stream_write(stream)) != STREAM_OK)
		MUST(verdict == STREAM_AGAIN);
}

static void check_stream(struct stream *stream, struct peer *peer)
{
	const uint8_t *at = peer->at, *end = peer->at + peer->left;
	struct stream_message message;
	enum stream_verdict verdict;

	do {
		verdict = stream_read(stream);
		while (stream_next(stream, &message)) {
			check_message(&message, peer->max, &at, end);
			/* One write, not all of it: what is unsent has to move. */
			while (stream_put(stream, message.data, message.len) == STREAM_PUT_FULL)
				stream_write(stream);
		}
		if ((peer->dice >> 16 & 63) == 0) /* seldom, so that the block fills at times */
			stream_write(stream);
	} while (verdict != STREAM_END);
	flush(stream);
	MUST(peer->frame == at && peer->done == 0);
	/* What is left is no whole message, and it is known that something is. */
	MUST(stream_in_frame(stream) == (at != end));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct stream_io io = { .read = peer_read, .write = peer_write };
	static struct stream_pool *pool;
	struct peer peer;
	struct stream stream;
	uint8_t *in;

	if (!pool)
		pool = stream_pool_new(1);
	if (!pool || len < 2)
		return 0;
	peer = (struct peer){ .at = data + 2, .left = len - 2, .dice = data[1] };
	peer.max = data[0] & 1 ? STREAM_IN_MAX : IN_MIN + (size_t)(data[0] >> 1);
	peer.frame = peer.at;
	in = malloc(STREAM_FRAME_HEAD + peer.max);
	if (!in)
		return 0;
	stream_init(&stream, -1, &io, &peer, pool, in, STREAM_FRAME_HEAD + peer.max);
	check_stream(&stream, &peer);
	stream_fini(&stream);
	MUST(stream_pool_left(pool) == 1);
	free(in);
	return 0;
}
