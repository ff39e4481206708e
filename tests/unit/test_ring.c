/* SPDX-License-Identifier: MIT */
/* The ring that the cache's entries lie in: against a list that is moved about by hand. */
#include <stdlib.h>
#include <string.h>

#include "forward/ring.h"
#include "unit/unit.h"

#define LEN 1000
#define PIECES 200

/* What must lie between tail and head, blanks left out. */
static struct {
	uint32_t size;
	uint8_t fill;
} model[PIECES];
static unsigned count;
static _Alignas(8) uint8_t memory[LEN + 8];
static struct ring ring;

static void write_piece(struct piece *piece, uint8_t fill)
{
	memset(piece + 1, fill, piece->size - sizeof(*piece));
}

static void check_pieces(void)
{
	uint64_t position = ring.tail;
	const struct piece *piece;
	unsigned n = 0, bad = 0, i;

	while ((piece = ring_next(&ring, &position))) {
		if (!piece->live)
			continue; /* where the end was too near */
		ck_assert_uint_lt(n, count);
		ck_assert_uint_eq(piece->size, model[n].size);
		ck_assert(ring_holds(&ring, piece));
		for (i = 0; i < piece->size - sizeof(*piece); i++)
			bad += ((const uint8_t *)(piece + 1))[i] != model[n].fill;
		n++;
	}
	ck_assert_uint_eq(n, count);
	ck_assert_uint_eq(bad, 0);
	ck_assert_uint_le(ring_used(&ring), ring.len);
	ck_assert_mem_eq(memory + LEN, "untouchd", 8);
}

static void forget_first(void)
{
	memmove(model, model + 1, --count * sizeof(model[0]));
}

/* The oldest that is no blank. */
static struct piece *oldest(void)
{
	struct piece *piece = ring_oldest(&ring);

	while (piece && !piece->live) {
		ring_drop(&ring);
		piece = ring_oldest(&ring);
	}
	return piece;
}

START_TEST(as_a_list)
{
	unsigned round, appended = 0, renewed = 0;

	srand(1);
	memcpy(memory + LEN, "untouchd", 8);
	ring_init(&ring, memory, LEN);
	ck_assert_ptr_null(ring_oldest(&ring));
	for (round = 0; round < 200000; round++) {
		uint32_t size = 16 + (uint32_t)(rand() % 30) * 8;
		struct piece *piece;

		switch (rand() % 4) {
		case 0:
		case 1:
			if (!ring_has_room(&ring, size))
				break;
			piece = ring_append(&ring, size);
			model[count].size = size;
			model[count].fill = (uint8_t)rand();
			write_piece(piece, model[count].fill);
			count++;
			appended++;
			break;
		case 2:
			if (!oldest())
				break;
			ring_drop(&ring);
			forget_first();
			break;
		case 3:
			piece = oldest();
			if (!piece)
				break;
			ck_assert_ptr_nonnull(ring_renew(&ring));
			model[count++] = model[0];
			forget_first();
			renewed++;
			break;
		}
		if (round % 64 == 0)
			check_pieces();
		if (round % 5000 == 0) {
			ring_clear(&ring);
			count = 0;
		}
	}
	ck_assert_uint_gt(appended, 10000);
	ck_assert_uint_gt(renewed, 10000);
	/* Nothing fits that is larger than all of it. */
	ring_clear(&ring);
	ck_assert(!ring_has_room(&ring, LEN + 8));
	ck_assert(ring_has_room(&ring, LEN));
	ring_init(&ring, memory, 0);
	ck_assert(!ring_has_room(&ring, 8));
}
END_TEST

static Suite *ring_suite(void)
{
	Suite *suite = suite_create("ring");
	TCase *tcase = tcase_create("ring");

	tcase_add_test(tcase, as_a_list);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(ring_suite)
