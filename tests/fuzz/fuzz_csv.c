/* SPDX-License-Identifier: MIT */
/* Any octets as a file for source/csv. */
#include "source/csv.h"

#include "fuzz/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	fuzz_reader(csv_read, true, data, len);
	return 0;
}
