/* SPDX-License-Identifier: MIT */
#ifndef PRIVLINKD_TESTS_MANGLE_H
#define PRIVLINKD_TESTS_MANGLE_H

/* What a relay does to the octets of a DNS message. Each works in place, on messages that a real
 * server wrote and on anything else, and returns the new length where that changes. Random numbers
 * come from mangle_random. One thread. */

#include <stddef.h>
#include <stdint.h>

/* The same seed, the same numbers. */
void mangle_seed(uint64_t seed);
uint32_t mangle_random(uint32_t below);

/* Every A record in it says 6.6.6.6, every AAAA 6666::, so that whoever believes it is caught. */
void mangle_poison(uint8_t *message, size_t len);

/* TC is set, and header and question are all there is. */
size_t mangle_truncate(uint8_t *message, size_t len);

/* One bit of the id, QR, the opcode or the question: what a reader can see to be wrong. */
void mangle_corrupt(uint8_t *message, size_t len);

/* One to eight octets anywhere: what no reader can always see. */
void mangle_scramble(uint8_t *message, size_t len);

/* All after the question is random; the counts stand. */
void mangle_garbage(uint8_t *message, size_t len);

/* Everything is random. */
void mangle_noise(uint8_t *message, size_t len);

/* The first letter of the name asked is another. */
void mangle_question(uint8_t *message, size_t len);

#endif
