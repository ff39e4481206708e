/* SPDX-License-Identifier: MIT */
/* Any octets as a file for source/zonefile, with its quick way through plain lines and without. */
#include "source/zonefile.h"

#include "fuzz/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint64_t sum = fuzz_read(zonefile_read, false, data, len, fuzz_block(data, len));

	if (fuzz_read(zonefile_read_slowly, false, data, len, 0) != sum)
		abort();
	return 0;
}
