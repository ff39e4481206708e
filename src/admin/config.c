/* SPDX-License-Identifier: MIT */
/*
 * From the tree of a file to struct config: the defaults are laid down, the file's keys go over
 * them, the command line goes over those, and what belongs together is checked together.
 *
 * The walk knows three shapes: sections (maps of keys), entries (lists of maps that become arrays
 * of structs) and values. Which key is which, and where it goes, is in admin/keys; how a value is
 * read, in admin/value. An entry starts with its place in the file, so that what only a later
 * step can know (a zone that cannot be added, a pattern without sense) is still told with line
 * and column.
 *
 * Everything is looked at whatever is wrong already; a configuration with any error is given back
 * as none. Thread: the one that loads.
 */
#include "admin/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "admin/keys.h"
#include "admin/value.h"
#include "admin/valuelist.h"
#include "admin/ytree.h"
#include "base/file.h"
#include "source/text.h"
#include "wire/name.h"

_Static_assert(offsetof(struct config_zone, place) == 0, "entries start with their place");
_Static_assert(offsetof(struct config_records, place) == 0, "entries start with their place");
_Static_assert(offsetof(struct config_forward, place) == 0, "entries start with their place");

struct load {
	struct value_reader reader;
	struct config *config;
	const struct ynode *root; /* the map of the file, or NULL */
	bool defaults;            /* what is read is a default: it is not "given" */
};

static int read_map(struct load *load, const char *path, const struct ynode *map, void *base);

static const struct ynode *child_of(const struct ynode *map, const char *key)
{
	const struct ynode *child;

	for (child = map->first; child; child = child->next) {
		if (strcmp(child->key, key) == 0)
			return child;
	}
	return NULL;
}

/* Where a key of a section stands; nowhere if it does not. */
static struct config_place place_of(const struct load *load, const char *section, const char *key)
{
	const struct ynode *node = load->root ? child_of(load->root, section) : NULL;

	node = node && node->kind == YNODE_MAP ? child_of(node, key) : NULL;
	return node ? (struct config_place){ node->line, node->column }
		    : (struct config_place){ 0, 0 };
}

static int refuse_unknown(struct load *load, const char *path, const struct ynode *child)
{
	const char *near = key_near(path, child->key);

	complain(load->reader.to, COMPLAINT_ERROR, load->reader.path, child->key_line,
		 child->key_column, "unknown key '%.*s'%s%s%s%s%s", VALUE_SHOWN, child->key,
		 *path ? " in " : "", path, near ? "; did you mean " : "", near ? near : "",
		 near ? "?" : "");
	return -1;
}

/* Defaults of the keys directly in `path`, or of all keys outside entries where it is NULL. */
static int read_defaults(struct load *load, const char *path, void *base);

/* What an entry must hold beyond values that are well formed each. */
static int check_entry(struct load *load, const struct key *list, const struct ynode *node)
{
	const struct ynode *preset = child_of(node, "preset"), *public = child_of(node, "public");
	const struct value_reader *reader = &load->reader;

	if (strcmp(list->path, "zones") == 0) {
		if (!preset == !child_of(node, "name"))
			return value_refuse(reader, node, list,
					    "an entry has either a preset or a name");
		if (preset && public)
			return value_refuse(reader, public, list,
					    "a preset brings its own public zones; remove public");
	} else if (strcmp(list->path, "records") == 0) {
		if (!child_of(node, "path"))
			return value_refuse(reader, node, list, "an entry has no path");
	} else {
		if (!child_of(node, "zone"))
			return value_refuse(reader, node, list,
					    "an entry has no zone; '.' is for everything");
		if (!child_of(node, "to"))
			return value_refuse(reader, node, list,
					    "an entry has no upstreams; write to: [ADDR]");
	}
	return 0;
}

static int read_entries(struct load *load, const struct key *key, const struct ynode *node,
			struct config_list *ret)
{
	struct config_list list = { .count = 0 };
	const struct ynode *element;
	char path[64], *entry;
	int bad = 0;

	if (node->kind != YNODE_LIST)
		return value_refuse(&load->reader, node, key, "must be a list of maps: '- %s: ...'",
				    strcmp(key->path, "zones") == 0     ? "preset"
				    : strcmp(key->path, "records") == 0 ? "path"
									: "zone");
	if (node->count > CONFIG_ENTRIES_MAX)
		return value_refuse(&load->reader, node, key, "has over %d entries",
				    CONFIG_ENTRIES_MAX);
	list.at = value_take(&load->reader, key, node, node->count * key->size);
	if (!list.at)
		return -1;
	strcpy(path, key->path);
	strcat(path, "[]");
	for (element = node->first; element; element = element->next) {
		entry = (char *)list.at + list.count * key->size;
		if (element->kind == YNODE_ALIAS) {
			bad = -1;
			continue;
		}
		if (element->kind != YNODE_MAP) {
			bad = value_refuse(&load->reader, element, key,
					   "an entry must be a map of keys and values");
			continue;
		}
		*(struct config_place *)entry =
			(struct config_place){ element->line, element->column };
		if (read_defaults(load, path, entry) < 0 ||
		    read_map(load, path, element, entry) < 0 || check_entry(load, key, element) < 0)
			bad = -1;
		else
			list.count++;
	}
	if (!bad)
		*ret = list;
	return bad;
}

static int read_key(struct load *load, const struct key *key, const struct ynode *node, void *base)
{
	/* Sections and lists with all their lines commented out are as good as not there. */
	bool nothing = ynode_is_null(node);

	if (node->kind == YNODE_ALIAS)
		return -1;
	if (key->kind == KEY_SECTION) {
		if (nothing)
			return 0;
		if (node->kind != YNODE_MAP)
			return value_refuse(&load->reader, node, key, "must be a map of keys");
		return read_map(load, key->path, node, base);
	}
	if (nothing && (key->kind == KEY_ENTRIES || key->kind == KEY_TEXTS))
		return 0;
	if (!load->defaults && base == load->config)
		load->config->given[(key - keys) / 64] |= UINT64_C(1) << (key - keys) % 64;
	if (key->kind == KEY_ENTRIES)
		return read_entries(load, key, node, (void *)((char *)base + key->offset));
	return value_read(&load->reader, key, node, (char *)base + key->offset);
}

static int read_map(struct load *load, const char *path, const struct ynode *map, void *base)
{
	const struct ynode *child;
	const struct key *key;
	int bad = 0;

	for (child = map->first; child; child = child->next) {
		key = key_find(path, child->key);
		if (!key)
			bad = refuse_unknown(load, path, child);
		else if (read_key(load, key, child, base) < 0)
			bad = -1;
	}
	return bad;
}

static int read_defaults(struct load *load, const char *path, void *base)
{
	struct load own = { .reader = { load->reader.arena, "built-in default", load->reader.to },
			    .config = load->config,
			    .defaults = true };
	const struct ynode *node;
	size_t i;

	for (i = 0; i < keys_count; i++) {
		if (path ? !key_is_in(&keys[i], path) : strchr(keys[i].path, '[') != NULL)
			continue;
		if (!keys[i].fallback)
			continue;
		node = ytree_parse(own.reader.arena, own.reader.path, keys[i].fallback,
				   strlen(keys[i].fallback), own.reader.to);
		if (!node || read_key(&own, &keys[i], node, base) < 0)
			return -1;
	}
	return 0;
}

/* Puts the options' lists in the place of the file's. */
static int apply_options(struct load *load, const struct config_options *options, struct err *err)
{
	struct config *config = load->config;
	struct config_forward *forward = config->forward.at;
	struct config_records *records;
	struct config_upstreams to;
	const char *why;
	size_t i;

	if (options->listen_count) {
		config->server.listen = (struct config_addrs){ .count = 0 };
		config->server.listen.at =
			arena_take(config->arena, options->listen_count * sizeof(union addr),
				   _Alignof(union addr));
		for (i = 0; i < options->listen_count && config->server.listen.at; i++) {
			if (addr_parse(&config->server.listen.at[i], options->listen[i], 53) < 0)
				return err_set(err, "-l %s: no address; write ADDR or ADDR@PORT",
					       options->listen[i]);
			config->server.listen.count++;
		}
	}
	if (options->records_count) {
		records = arena_take(config->arena, options->records_count * sizeof(*records), 16);
		for (i = 0; i < options->records_count && records; i++) {
			if (read_defaults(load, "records[]", &records[i]) < 0)
				return err_set(err, "out of memory");
			records[i].path = options->records[i];
		}
		config->records = (struct config_list){ records, i };
	}
	if (options->upstreams_count) {
		if (options->upstreams_count > UPSTREAMS_A_GROUP_MAX)
			return err_set(err, "-u: at most %d upstreams", UPSTREAMS_A_GROUP_MAX);
		to.count = options->upstreams_count;
		to.at = arena_take(config->arena, to.count * sizeof(*to.at), 16);
		for (i = 0; i < to.count && to.at; i++) {
			why = value_read_upstream(options->upstreams[i], &to.at[i]);
			if (why)
				return err_set(err, "-u %s is %s", options->upstreams[i], why);
		}
		for (i = 0; i < config->forward.count && to.at; i++) {
			if (strcmp(forward[i].zone, ".") == 0)
				forward[i].to = to;
		}
	}
	return 0;
}

/* An entry for the root zone with the upstreams of the default. */
static void add_root(struct load *load, const struct config_forward *system)
{
	struct config *config = load->config;
	struct config_forward *more;

	more = arena_take(config->arena, (config->forward.count + 1) * sizeof(*more), 16);
	if (!more)
		return;
	if (config->forward.count)
		memcpy(more, config->forward.at, config->forward.count * sizeof(*more));
	more[config->forward.count] = *system;
	more[config->forward.count].place = (struct config_place){ 0, 0 };
	config->forward.at = more;
	config->forward.count++;
}

/* One entry a zone, and one for the root. `system` is the default's. */
static void complete_forward(struct load *load, const struct config_forward *system)
{
	struct config *config = load->config;
	struct config_forward *forward = config->forward.at;
	struct name a, b;
	bool root = false;
	size_t i, j;

	for (i = 0; i < config->forward.count; i++) {
		if (name_from_text(&a, forward[i].zone, strlen(forward[i].zone)) < 0)
			continue;
		root |= a.labels == 0;
		if (a.labels == 0)
			forward[i].zone = ".";
		for (j = 0; j < i; j++) {
			if (name_from_text(&b, forward[j].zone, strlen(forward[j].zone)) == 0 &&
			    name_equal(&a, &b))
				complain(load->reader.to, COMPLAINT_ERROR, config->path,
					 forward[i].place.line, forward[i].place.column,
					 "forward: zone %s stands here again, first in line %u; "
					 "put all upstreams into one entry",
					 forward[i].zone, forward[j].place.line);
		}
	}
	if (!root)
		add_root(load, system);
}

/*
 * Azure's resolver answers only inside a virtual network, and its answers are not ours to cut
 * there.
 */
static void warn_of_azure_resolver(struct load *load)
{
	const struct config_forward *forward = load->config->forward.at;
	union addr azure;
	size_t i, j;

	if (addr_parse(&azure, "168.63.129.16", 53) < 0)
		return;
	for (i = 0; i < load->config->forward.count; i++) {
		for (j = 0; j < forward[i].to.count; j++) {
			if (forward[i].to.at[j].system ||
			    !addr_same_host(&forward[i].to.at[j].conf.addr, &azure))
				continue;
			complain(load->reader.to, COMPLAINT_WARNING, load->config->path,
				 forward[i].place.line, forward[i].place.column,
				 "forward: 168.63.129.16 can be reached only inside an Azure "
				 "virtual network; elsewhere name your own DNS servers");
		}
	}
}

/* Both would be bound, and half of the clients find what they did not look for. */
static void check_listen_tls(const struct config *config, struct complaints *to)
{
	const struct config_addrs *plain = &config->server.listen,
				  *tls = &config->server.listen_tls;
	char text[ADDR_TEXT_MAX];
	size_t i, j;

	for (i = 0; i < tls->count; i++) {
		for (j = 0; j < plain->count; j++) {
			if (addr_port(&tls->at[i]) != 0 && addr_equal(&tls->at[i], &plain->at[j]))
				complain(to, COMPLAINT_ERROR, config->path, tls->place.line,
					 tls->place.column,
					 "server.listen-tls: %s stands in `listen` too; give it a "
					 "port of its own, 853 is usual",
					 addr_to_text(&tls->at[i], 0, text));
		}
	}
}

/* Keys that say whom to believe are meant for something. */
static void check_tls(struct load *load)
{
	const struct config_forward *forward = load->config->forward.at;
	size_t i, j;

	for (i = 0; i < load->config->forward.count; i++) {
		if (!forward[i].tls_ca && !forward[i].tls_pins.count)
			continue;
		for (j = 0; j < forward[i].to.count && !forward[i].to.at[j].conf.tls; j++)
			;
		if (j == forward[i].to.count)
			complain(load->reader.to, COMPLAINT_ERROR, load->config->path,
				 forward[i].place.line, forward[i].place.column,
				 "forward: tls-ca and tls-pins are for tls:// upstreams, and zone "
				 "%s has none: they would be asked in clear text",
				 forward[i].zone);
	}
}

static void check_together(struct load *load)
{
	struct config *config = load->config;
	struct complaints *to = load->reader.to;
	struct config_place min, max;
	struct zones *zones;
	struct view *view;

	if (config->server.listen.count == 0)
		complain(to, COMPLAINT_ERROR, config->path, config->server.listen.place.line,
			 config->server.listen.place.column, "server.listen: names no address");
	check_listen_tls(config, to);
	min = place_of(load, "record-policy", "ttl-min");
	max = place_of(load, "record-policy", "ttl-max");
	if (config->policy.ttl_min_s > config->policy.ttl_max_s)
		complain(to, COMPLAINT_ERROR, config->path, min.line ? min.line : max.line,
			 min.line ? min.column : max.column,
			 "record-policy.ttl-min: is over ttl-max (%u s, %u s); change one of them",
			 config->policy.ttl_min_s, config->policy.ttl_max_s);
	warn_of_azure_resolver(load);
	check_tls(load);
	zones = config_zones(config, to);
	view = zones ? view_new() : NULL;
	if (view)
		config_patterns(config, zones, view, to);
	view_free(view);
	zones_free(zones);
}

struct config *config_parse(const char *path, const char *text, size_t len,
			    const struct config_options *options, struct complaints *to)
{
	struct config *config = calloc(1, sizeof(*config));
	struct load load = { .config = config };
	const struct config_forward *system;
	const struct ynode *root;
	struct err err;
	size_t before = to->errors;

	if (!config || !(config->arena = arena_new())) {
		complain(to, COMPLAINT_ERROR, path, 0, 0, "out of memory");
		goto fail;
	}
	load.reader = (struct value_reader){ config->arena, path, to };
	if (read_defaults(&load, NULL, config) < 0)
		goto fail;
	system = config->forward.at;
	if (text) {
		config->path = arena_take(config->arena, strlen(path) + 1, 1);
		if (!config->path)
			goto fail;
		strcpy((char *)config->path, path);
		root = ytree_parse(config->arena, path, text, len, to);
		if (!root)
			goto fail;
		load.root = root->kind == YNODE_MAP ? root : NULL;
		if (load.root)
			read_map(&load, "", root, config);
		else
			complain(to, COMPLAINT_ERROR, path, root->line, root->column,
				 "a map of keys is wanted, such as 'server:'");
	}
	complete_forward(&load, system);
	if (options && apply_options(&load, options, &err) < 0)
		complain(to, COMPLAINT_ERROR, NULL, 0, 0, "%s", err.text);
	check_together(&load);
	if (to->errors > before)
		goto fail;
	return config;
fail:
	config_free(config);
	return NULL;
}

int config_check_options(const struct config_options *options, struct err *err)
{
	struct config config = { .arena = arena_new() };
	struct complaints to = { .tell = NULL };
	struct load load = { .config = &config };
	int result;

	if (!config.arena)
		return err_set(err, "out of memory");
	load.reader = (struct value_reader){ config.arena, "", &to };
	result = apply_options(&load, options, err);
	arena_free(config.arena);
	return result;
}

struct config *config_read(const char *path, const struct config_options *options,
			   struct complaints *to, bool *ret_missing)
{
	struct config *config = NULL;
	struct stat st;
	struct err err;
	uint8_t *data;
	char *text;
	size_t len;

	if (ret_missing) {
		*ret_missing = stat(path, &st) < 0 && (errno == ENOENT || errno == ENOTDIR);
		if (*ret_missing)
			return NULL;
	}
	if (file_read(path, YTREE_BYTES_MAX, &data, &len, &err) < 0) {
		complain(to, COMPLAINT_ERROR, NULL, 0, 0, "%s", err.text);
		return NULL;
	}
	if (text_decode(path, data, len, to, &text, &len) == 0) {
		config = config_parse(path, text, len, options, to);
		free(text);
	}
	free(data);
	return config;
}

void config_free(struct config *config)
{
	if (!config)
		return;
	arena_free(config->arena);
	free(config);
}
