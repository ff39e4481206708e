/* SPDX-License-Identifier: MIT */
/* Any octets as a file for source/yaml. */
#include "source/yaml.h"

#include "fuzz/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	fuzz_reader(yaml_read, true, data, len);
	return 0;
}
