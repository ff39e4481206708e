/* SPDX-License-Identifier: MIT */
/*
 * Any octets as privlinkd.yaml. A configuration that is given back had no error; one that is not
 * had at least one.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "admin/config.h"
#include "source/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct complaints to = { .tell = NULL };
	struct config *config;
	char *text, list[2048];
	size_t text_len, before;

	/*
	 * A fuzzer gets nowhere with the contents of a huge file that it cannot with a small one.
	 */
	if (len > 65536 || text_decode("fuzz", data, len, &to, &text, &text_len) < 0)
		return 0;
	/* Text that ends in half a character is complained of and read all the same. */
	before = to.errors;
	config = config_parse("fuzz", text, text_len, NULL, &to);
	assert(!config == (to.errors > before));
	if (config) {
		config_inactive(config, list, sizeof(list));
		config_restart(config, config, list, sizeof(list));
	}
	config_free(config);
	free(text);
	return 0;
}
