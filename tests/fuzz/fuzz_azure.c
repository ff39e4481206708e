/* SPDX-License-Identifier: MIT */
/* Any octets as a file for source/azure: JSON where they begin so, else YAML. */
#include "source/azure.h"

#include "fuzz/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	fuzz_reader(azure_read, true, data, len);
	return 0;
}
