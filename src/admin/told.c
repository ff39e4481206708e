/* SPDX-License-Identifier: MIT */
/*
 * The log has every complaint, but whoever types `privlinkctl reload` or `check` wants those of
 * this very run before the eyes. So they are kept until the report is written. Bounded: a report
 * of more lines than this is read by nobody. Without memory a line is missing from the report,
 * not the log.
 */
#include "admin/told.h"

#include <stdlib.h>
#include <string.h>

void told_init(struct told *told, complaint_fn *also, void *arg)
{
	*told = (struct told){ .also = also, .arg = arg };
	told->line = calloc(TOLD_LINES_MAX, sizeof(*told->line));
}

void told_fini(struct told *told)
{
	size_t i;

	for (i = 0; told->line && i < told->count; i++)
		free((char *)told->line[i].text);
	free(told->line);
	*told = (struct told){ .count = 0 };
}

void told_add(void *arg, const struct complaint *complaint)
{
	struct told *told = arg;

	if (told->also)
		told->also(told->arg, complaint);
	told->errors += complaint->level == COMPLAINT_ERROR;
	if (!told->line || told->count == TOLD_LINES_MAX)
		return;
	told->line[told->count] = *complaint;
	told->line[told->count].text = strdup(complaint->text);
	if (told->line[told->count].text)
		told->count++;
}
