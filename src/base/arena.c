/* SPDX-License-Identifier: MIT */
/*
 * A snapshot is a million small pieces with one end of life. The arena takes big blocks from the
 * system and deals pieces out of the newest; freeing walks the blocks, not the pieces.
 *
 * Blocks double from 64 KiB to 4 MiB: a lab with ten names stays small, and a big set needs few
 * calls while at most 4 MiB lie idle. A piece over a quarter of the next block gets a block of its
 * own, put behind the newest one, whose rest stays in use. calloc gives blocks zeroed, and big ones
 * straight from the kernel, so untouched pages cost nothing.
 *
 * One thread fills; afterwards nothing here is written, so any number may read.
 */
#include "base/arena.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#define BLOCK_MIN ((size_t)64 << 10)
#define BLOCK_MAX ((size_t)4 << 20)
#define ALIGN_MAX ((size_t)64)

struct block {
	struct block *next;
	size_t used, size; /* octets of data */
	uint8_t data[];
};

struct arena {
	struct block *newest;
	size_t next_size;
	size_t bytes;
};

struct arena *arena_new(void)
{
	struct arena *arena = calloc(1, sizeof(*arena));

	if (!arena)
		return NULL;
	arena->next_size = BLOCK_MIN;
	arena->bytes = sizeof(*arena);
	return arena;
}

void arena_free(struct arena *arena)
{
	struct block *block, *next;

	if (!arena)
		return;
	for (block = arena->newest; block; block = next) {
		next = block->next;
		free(block);
	}
	free(arena);
}

static struct block *block_new(struct arena *arena, size_t size)
{
	struct block *block = calloc(1, sizeof(*block) + size);

	if (!block)
		return NULL;
	block->size = size;
	arena->bytes += sizeof(*block) + size;
	return block;
}

static void *block_take(struct block *block, size_t size, size_t align)
{
	uintptr_t start = (uintptr_t)(block->data + block->used);
	size_t pad = (size_t)(-start & (align - 1));

	if (block->size - block->used < pad || block->size - block->used - pad < size)
		return NULL;
	block->used += pad + size;
	return (void *)(start + pad);
}

void *arena_take(struct arena *arena, size_t size, size_t align)
{
	struct block *block;
	void *piece;

	assert(align > 0 && align <= ALIGN_MAX && (align & (align - 1)) == 0);
	if (arena->newest) {
		piece = block_take(arena->newest, size, align);
		if (piece)
			return piece;
	}
	if (size > SIZE_MAX / 2)
		return NULL;
	if (size > arena->next_size / 4) {
		block = block_new(arena, size + align);
		if (!block)
			return NULL;
		if (arena->newest) {
			block->next = arena->newest->next;
			arena->newest->next = block;
		} else {
			arena->newest = block;
		}
		return block_take(block, size, align);
	}
	block = block_new(arena, arena->next_size - sizeof(*block));
	if (!block)
		return NULL;
	block->next = arena->newest;
	arena->newest = block;
	if (arena->next_size < BLOCK_MAX)
		arena->next_size *= 2;
	return block_take(block, size, align);
}

size_t arena_bytes(const struct arena *arena)
{
	return arena->bytes;
}
