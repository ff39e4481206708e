/* SPDX-License-Identifier: MIT */
/* Any octets as a file for source/yaml, with its quick way through plain lines and without. */
#include "source/yaml.h"

#include "fuzz/reader.h"
#include "fuzz/yamlsame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	size_t block = fuzz_block(data, len);
	uint64_t sum = fuzz_read(yaml_read, true, data, len, block);

	MUST(fuzz_read(yaml_read_slowly, true, data, len, 0) == sum);
	MUST(!yamlsame(data, len, block));
	return 0;
}
