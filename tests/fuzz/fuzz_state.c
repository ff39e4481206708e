/* SPDX-License-Identifier: MIT */
/*
 * Any octets as a file of the state folder: as they are, and with a checksum that fits, which is
 * where a reader could go wrong. What is read is written again, and read once more.
 */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "source/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct octets {
	uint8_t *data;
	size_t len;
};

static int append(void *arg, const uint8_t *data, size_t len)
{
	struct octets *octets = arg;

	octets->data = realloc(octets->data, octets->len + len);
	if (!octets->data)
		abort();
	memcpy(octets->data + octets->len, data, len);
	octets->len += len;
	return 0;
}

static struct record_set *read_octets(const struct zones *zones, const uint8_t *data, size_t len)
{
	struct builder_conf conf = { .path = "fuzz", .ttl_max = 86400, .records_max = 100000 };
	struct state_head head;
	struct err err;

	return state_read(data, len, zones, &conf, &head, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct zones *zones;
	struct state_head head = { .entry = "e", .entry_len = 1, .path = "p", .path_len = 1 };
	struct octets again = { .data = NULL };
	struct record_set *set, *second;
	uint8_t *sealed = malloc(len + STATE_CHECKSUM_LEN);

	if (!zones) {
		zones = zones_new();
		if (!zones ||
		    zones_add_preset(zones, "azure-migrate", ZONE_TRANSPARENT, NULL) < 0 ||
		    zones_seal(zones, NULL) < 0)
			abort();
	}
	if (!sealed)
		abort();
	record_set_unref(read_octets(zones, data, len));
	/* A seed has its own checksum at the end. */
	if (len >= STATE_CHECKSUM_LEN)
		len -= STATE_CHECKSUM_LEN;
	memcpy(sealed, data, len);
	if (EVP_Digest(sealed, len, sealed + len, NULL, EVP_sha256(), NULL) != 1)
		abort();
	set = read_octets(zones, sealed, len + STATE_CHECKSUM_LEN);
	if (set) {
		if (state_write(&head, set, append, &again, NULL) < 0)
			abort();
		second = read_octets(zones, again.data, again.len);
		if (!second || record_set_records(second) != record_set_records(set) ||
		    record_set_names(second) != record_set_names(set))
			abort();
		record_set_unref(second);
	}
	record_set_unref(set);
	free(again.data);
	free(sealed);
	return 0;
}
