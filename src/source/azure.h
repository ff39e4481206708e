/* SPDX-License-Identifier: MIT */
/*
 * Reader for what Azure's tools export, in JSON or YAML: private endpoints, NICs, DNS zone groups,
 * record sets, queries of Resource Graph, as az, REST, PowerShell and Terraform write them; and a
 * plain list of objects with `fqdn` and `ipAddress`. See source/reader.h.
 *
 * What holds no names that work is refused with the export to make instead; a list that goes on
 * elsewhere is taken with a warning.
 */
#ifndef PRIVLINKD_SOURCE_AZURE_H
#define PRIVLINKD_SOURCE_AZURE_H

#include "source/reader.h"

void azure_read(const struct reader_input *in, struct builder *builder, struct complaints *to);

#endif
