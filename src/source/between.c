/* SPDX-License-Identifier: MIT */
/*
 * A loop that lies within one file is an error of that file, and keeps it from being taken while
 * there is a last good version. So a file with CNAMEs is made a table of by itself before it is
 * judged; that costs what the table costs, and only where there are CNAMEs.
 *
 * What files say against each other is nobody's alone: either could be changed, and the one that
 * was changed last need not be the one that is complained of. So it keeps no file from being taken;
 * the record that comes later in the order of files is left out. The status shows it with the file
 * that the complaint names first, which is the one whose record was not taken.
 *
 * Complaints carry no file, but begin with its path, as everybody sees them; by that the file is
 * found again.
 */
#include "source/between.h"

#include <stdlib.h>
#include <string.h>

#include "source/readfile.h"
#include "wire/types.h"
#include "zone/node.h"

/* ---- within a file --------------------------------------------------------------------------- */

static bool has_cname(const struct record_set *set)
{
	const struct node *node = NULL;
	struct node_rrset rrset;
	void *walk = NULL;

	while ((node = record_set_next(set, &walk, node)))
		if (node_find(node, TYPE_CNAME, &rrset))
			return true;
	return false;
}

/* Complaints about the set alone. Without memory there are none: what follows will say so. */
static void try_table(const struct load *load, struct record_set *set, struct complaints *to)
{
	struct table_conf conf = { .conflict = TABLE_CONFLICT_FIRST };

	table_free(table_new(load->zones, &set, 1, &conf, to));
}

void between_check_file(const struct load *load, struct file *file, const struct file *last_good)
{
	size_t errors = file->status.errors, warnings = file->status.warnings;
	struct complaints unheard = { .tell = NULL };
	struct collector collector;

	file->looped = false;
	if (!file->set || !has_cname(file->set))
		return;
	try_table(load, file->set, &unheard);
	file->looped = unheard.errors > 0;
	if (!file->looped || !last_good)
		return;
	collector_start(&collector, load->to, file);
	try_table(load, file->set, load->to);
	collector_stop(&collector);
	file->status.errors += errors;
	file->status.warnings += warnings;
}

/* ---- between files --------------------------------------------------------------------------- */

static void forget(struct file *file)
{
	file->status.errors -= file->between.errors;
	file->status.warnings -= file->between.warnings;
	file->status.complaint = file->complaint ? file->complaint : "";
	free(file->between.complaint);
	file->between = (struct between){ .errors = 0 };
}

static void note(struct file *file, const struct complaint *complaint)
{
	struct between *between = &file->between;
	bool error = complaint->level == COMPLAINT_ERROR;

	if (error)
		file->status.errors++, between->errors++;
	else
		file->status.warnings++, between->warnings++;
	if (between->complaint && (!error || between->errors > 1))
		return;
	free(between->complaint);
	between->complaint = strdup(complaint->text);
	if (between->complaint && (!file->complaint || (error && !file->complaint_is_error)))
		file->status.complaint = between->complaint;
}

struct listener {
	struct file_list *list;
	struct complaints before;
};

static void hear(void *arg, const struct complaint *complaint)
{
	struct listener *listener = arg;
	struct file_list *list = listener->list;

	for (size_t i = 0; i < list->count; i++) {
		size_t len = strlen(list->file[i].path);

		if (len < complaint->place_len && complaint->text[len] == ':' &&
		    memcmp(complaint->text, list->file[i].path, len) == 0) {
			note(&list->file[i], complaint);
			break;
		}
	}
	if (listener->before.tell)
		listener->before.tell(listener->before.arg, complaint);
}

struct table *sources_table(struct sources *sources, const struct zones *zones,
			    const struct table_conf *conf, struct complaints *complaints)
{
	struct listener listener = { .list = &sources->list, .before = *complaints };
	struct table *table;

	for (size_t i = 0; i < sources->list.count; i++)
		forget(&sources->list.file[i]);
	complaints->tell = hear;
	complaints->arg = &listener;
	table = table_new(zones, sources->list.sets, sources->list.sets_count, conf, complaints);
	complaints->tell = listener.before.tell;
	complaints->arg = listener.before.arg;
	return table;
}
