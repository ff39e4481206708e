/* SPDX-License-Identifier: MIT */
/*
 * A table of a million names is some fifteen thousand small pages, far more than a processor keeps
 * addresses of: nearly every look-up would wait for the page table too, and each page is a fault
 * when the table is made. Thirty huge ones are kept with ease. So large pieces begin at a huge
 * page's border and ask for huge pages; where the kernel has none to give, small ones do as well.
 *
 * Not malloc's, since it keeps what is freed once it has seen a few such pieces: a reload would
 * leave twice the memory behind, and the next would not find the holes fit. What is given back here
 * is gone at once. A piece is returned in one call; with huge pages that is quick, so threads that
 * fault meanwhile hardly wait for it.
 *
 * The last part that does not fill a huge page is in small ones: they cost what is used of them.
 */
#include "base/pages.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* As much address space as is taken: what is beyond a border on either side goes back. */
static uint8_t *map_aligned(size_t size)
{
	size_t space = size + PAGES_HUGE, before;
	uint8_t *memory =
		mmap(NULL, space, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	before = (size_t)(-(uintptr_t)memory & (PAGES_HUGE - 1));
	if (before > 0)
		munmap(memory, before);
	munmap(memory + before + size, PAGES_HUGE - before);
	return memory + before;
}

static size_t round_up(size_t size, size_t unit)
{
	return (size + unit - 1) / unit * unit;
}

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

void *pages_take(size_t size)
{
	uint8_t *memory;

	if (size < PAGES_HUGE)
		return calloc(1, size);
	if (size > SIZE_MAX / 2)
		return NULL;
	memory = map_aligned(round_up(size, page_size()));
	if (memory)
		madvise(memory, size / PAGES_HUGE * PAGES_HUGE, MADV_HUGEPAGE);
	return memory;
}

void pages_give(void *memory, size_t size)
{
	if (size < PAGES_HUGE)
		free(memory);
	else if (memory)
		munmap(memory, round_up(size, page_size()));
}

void pages_trim(void *memory, size_t size, size_t used)
{
	size_t from = round_up(used, page_size());

	if (size >= PAGES_HUGE && from < size)
		madvise((uint8_t *)memory + from, round_up(size, page_size()) - from,
			MADV_DONTNEED);
}
