/* SPDX-License-Identifier: MIT */
/*
 * What is made of a configuration once it is read: the zone table, the name patterns, and the
 * lists of keys that do nothing yet or need a restart.
 *
 * Those lists are walks over the key table: a key that becomes active needs one word less there
 * and nothing here.
 */
#include "admin/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/keys.h"
#include "admin/value.h"

bool config_given(const struct config *config, const char *key)
{
	const struct key *found = key_get(key);

	size_t i;

	if (!found)
		return false;
	i = (size_t)(found - keys);
	return (config->given[i / 64] & UINT64_C(1) << i % 64) != 0;
}

static int add_zone(struct zones *zones, const struct config_zone *zone, struct err *err)
{
	const char *public[64]; /* the limit of zones[].public */
	size_t i;

	if (zone->preset)
		return zones_add_preset(zones, zone->preset, zone->type, err);
	for (i = 0; i < zone->public.count && i < 64; i++)
	public[i] = zone->public.at[i].text;
	return zones_add(zones, zone->name, public, i, zone->type, err);
}

struct zones *config_zones(const struct config *config, struct complaints *to)
{
	const struct config_zone *zone = config->zones.at;
	struct zones *zones = zones_new();
	size_t i, before = to->errors;
	struct err err;

	if (!zones) {
		complain(to, COMPLAINT_ERROR, NULL, 0, 0, "zones: out of memory");
		return NULL;
	}
	for (i = 0; i < config->zones.count; i++) {
		if (add_zone(zones, &zone[i], &err) < 0)
			complain(to, COMPLAINT_ERROR, config->path, zone[i].place.line,
				 zone[i].place.column, "zones: %s", err.text);
	}
	if (to->errors == before && zones_seal(zones, &err) < 0)
		complain(to, COMPLAINT_ERROR, config->path, 0, 0, "zones: %s", err.text);
	if (to->errors == before)
		return zones;
	zones_free(zones);
	return NULL;
}

static void refuse_pattern(const struct config *config, const struct config_text *text,
			   const char *key, const struct err *err, struct complaints *to)
{
	complain(to, COMPLAINT_ERROR, config->path, text->place.line, text->place.column,
		 "record-policy.%s: %s", key, err->text);
}

int config_patterns(const struct config *config, const struct zones *zones, struct view *view,
		    struct complaints *to)
{
	const struct config_texts *private = &config->policy.must_be_private;
	const struct config_texts *suffixes = &config->policy.aliases.suffixes;
	size_t i, before = to->errors;
	struct err err;

	view->aliases = config->policy.aliases.whose;
	view->alias_zones = patterns_new();
	view->must_be_private = patterns_new();
	if (!view->alias_zones || !view->must_be_private) {
		complain(to, COMPLAINT_ERROR, NULL, 0, 0, "record-policy: out of memory");
		return -1;
	}
	for (i = 0; i < private->count; i++) {
		if (patterns_add(view->must_be_private, zones, private->at[i].text, &err) < 0)
			refuse_pattern(config, &private->at[i], "must-be-private", &err, to);
	}
	for (i = 0; i < suffixes->count; i++) {
		if (patterns_add_zone(view->alias_zones, suffixes->at[i].text, &err) < 0)
			refuse_pattern(config, &suffixes->at[i], "aliases", &err, to);
	}
	return to->errors > before ? -1 : 0;
}

static void add_word(char *text, size_t cap, size_t count, const char *word)
{
	size_t len = count ? strlen(text) : 0;

	snprintf(text + len, cap - len, "%s%s", count ? ", " : "", word);
}

/* An entry of `list` has other than the default for `key`? */
static bool entry_differs(const struct config *config, const struct key *key)
{
	const struct config_list *list;
	struct config_records plain_records = { .poll_s = 30 };
	const char *entry, *plain;
	size_t i, size;

	if (strncmp(key->path, "records[]", 9) == 0) {
		list = &config->records;
		plain = (const char *)&plain_records;
		size = sizeof(plain_records);
	} else {
		return false;
	}
	for (i = 0, entry = list->at; i < list->count; i++, entry += size) {
		if (!value_equal(key, entry + key->offset, plain + key->offset))
			return true;
	}
	return false;
}

size_t config_inactive(const struct config *config, char *text, size_t cap)
{
	struct complaints nobody = { .tell = NULL };
	struct config *plain = config_parse(NULL, NULL, 0, NULL, &nobody);
	size_t i, count = 0;
	bool differs;

	*text = '\0';
	for (i = 0; i < keys_count && plain; i++) {
		if (keys[i].state != KEY_LATER)
			continue;
		if (strchr(keys[i].path, '['))
			differs = entry_differs(config, &keys[i]);
		else
			differs = !value_equal(&keys[i], (const char *)config + keys[i].offset,
					       (const char *)plain + keys[i].offset);
		if (differs)
			add_word(text, cap, count++, keys[i].path);
	}
	config_free(plain);
	return count;
}

size_t config_restart(const struct config *now, const struct config *next, char *text, size_t cap)
{
	size_t i, count = 0;

	*text = '\0';
	for (i = 0; i < keys_count; i++) {
		if (keys[i].restart && !value_equal(&keys[i], (const char *)now + keys[i].offset,
						    (const char *)next + keys[i].offset))
			add_word(text, cap, count++, keys[i].path);
	}
	return count;
}
