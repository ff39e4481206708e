/* SPDX-License-Identifier: MIT */
/* Any octets as a file for source/zonefile. */
#include "source/zonefile.h"

#include "fuzz/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	fuzz_reader(zonefile_read, false, data, len);
	return 0;
}
