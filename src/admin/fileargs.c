/* SPDX-License-Identifier: MIT */
/*
 * `check` and `convert` read files in the same way, so they take the same options: what a server's
 * configuration would say of the zones and of the origin of relative names. getopt is not used,
 * since privlinkctl's own options end at the command, and glibc's parser keeps its place in globals
 * that the first use has left behind.
 */
#include "admin/fileargs.h"

#include <stdio.h>
#include <string.h>

#include "wire/name.h"
#include "zone/names.h"

int file_args_bad(const char *command, const char *what, const char *word, const char *const *words,
		  size_t count)
{
	fprintf(stderr, "privlinkctl: %s: %s%s", command, what, word);
	for (size_t i = 0; i < count; i++)
		fprintf(stderr, "%s %s", i ? "," : "", words[i]);
	fputc('\n', stderr);
	return -1;
}

static int check_preset(const char *command, const char *word)
{
	size_t count = 0;

	if (zone_preset_has(word, &zone_pairs[0]) >= 0)
		return 0;
	while (zone_presets[count])
		count++;
	file_args_bad(command, "no such preset: ", word, NULL, 0);
	return file_args_bad(command, "the presets are", "", zone_presets, count);
}

static int check_zone(const char *command, const char *word)
{
	struct name name;

	return name_from_text(&name, word, strlen(word)) == 0
		       ? 0
		       : file_args_bad(command, "--zone: no domain name: ", word, NULL, 0);
}

int file_args_read(struct file_args *ret, const char *command, bool has_to, int count, char **args)
{
	struct file_args read = { .preset = "azure-migrate", .path = args };
	struct {
		const char *word, **value;
	} options[] = { { "--preset", &read.preset },
			{ "--zone", &read.zone },
			{ "--to", &read.to } };
	const size_t known = has_to ? 3 : 2;
	bool files = false;
	size_t len, j;
	int i;

	for (i = 0; i < count; i++) {
		if (files || args[i][0] != '-') {
			read.path[read.count++] = args[i];
			continue;
		}
		files = strcmp(args[i], "--") == 0;
		for (j = 0; j < known && !files; j++) {
			len = strlen(options[j].word);
			if (strncmp(args[i], options[j].word, len) != 0 ||
			    (args[i][len] && args[i][len] != '='))
				continue;
			if (!args[i][len] && i + 1 == count)
				return file_args_bad(command, "a value is wanted behind ", args[i],
						     NULL, 0);
			*options[j].value = args[i][len] ? args[i] + len + 1 : args[++i];
			break;
		}
		if (!files && j == known)
			return file_args_bad(command, "no such option: ", args[i], NULL, 0);
	}
	if (check_preset(command, read.preset) < 0 ||
	    (read.zone && check_zone(command, read.zone) < 0))
		return -1;
	if (!read.count)
		return file_args_bad(command, "a FILE is wanted", "", NULL, 0);
	*ret = read;
	return 0;
}
