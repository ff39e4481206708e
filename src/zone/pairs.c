/* SPDX-License-Identifier: MIT */
/*
 * The zones of Azure Private Link as they were documented, and the presets made of them.
 *
 * The table is data: etc/zones.tsv, which the build turns into rows of C (zone/pairs.inc). A
 * preset is a choice of rows and never a list of its own, so that a row mended there is mended
 * everywhere. Only the migration presets name zones here: the four that a migration needs in a
 * cloud.
 *
 * Constant data and pure functions; any thread.
 */
#include <string.h>

#include "zone/names.h"

const struct zone_pair zone_pairs[] = {
#include "zone/pairs.inc"
};
const size_t zone_pairs_count = sizeof(zone_pairs) / sizeof(zone_pairs[0]);

/*
 * What a migration with private endpoints talks to: Site Recovery, storage, Key Vault, Migrate
 * itself.
 */
static const char *const migrate_commercial[] = {
	"privatelink.siterecovery.windowsazure.com",
	"privatelink.blob.core.windows.net",
	"privatelink.vaultcore.azure.net",
	"privatelink.prod.migration.windowsazure.com",
	NULL,
};
static const char *const migrate_usgov[] = {
	"privatelink.siterecovery.windowsazure.us",
	"privatelink.blob.core.usgovcloudapi.net",
	"privatelink.vaultcore.usgovcloudapi.net",
	"privatelink.prod.migration.windowsazure.us",
	NULL,
};

static const struct preset {
	const char *name, *cloud;
	const char *const *only; /* private zones, or NULL for all rows of the cloud */
} presets[] = {
	{ "azure-migrate", "commercial", migrate_commercial },
	{ "azure-migrate-usgov", "usgov", migrate_usgov },
	{ "azure", "commercial", NULL },
	{ "azure-usgov", "usgov", NULL },
	{ "azure-china", "china", NULL },
	{ "none", "", NULL },
};
#define PRESETS (sizeof(presets) / sizeof(presets[0]))

const char *const zone_presets[] = {
	"azure-migrate", "azure-migrate-usgov", "azure", "azure-usgov", "azure-china", "none", NULL,
};
_Static_assert(sizeof(zone_presets) / sizeof(zone_presets[0]) == PRESETS + 1, "same presets");

int zone_preset_has(const char *preset, const struct zone_pair *pair)
{
	size_t i, j;

	for (i = 0; i < PRESETS && strcmp(presets[i].name, preset) != 0; i++)
		;
	if (i == PRESETS)
		return -1;
	if (strcmp(presets[i].cloud, pair->cloud) != 0)
		return 0;
	if (!presets[i].only)
		return 1;
	for (j = 0; pair->private && presets[i].only[j]; j++)
		if (strcmp(presets[i].only[j], pair->private) == 0)
			return 1;
	return 0;
}
