/* SPDX-License-Identifier: MIT */
/*
 * What shows only when records stand together: loops of CNAMEs, and what files say against each
 * other. Internal to source, but for sources_table, which load.h declares.
 */
#ifndef PRIVLINKD_SOURCE_BETWEEN_H
#define PRIVLINKD_SOURCE_BETWEEN_H

#include "source/filelist.h"

/*
 * Has the new reading of a file loops among its own CNAMEs? They are errors of the file, like those
 * of its lines: told at once where `last_good` (NULL: none) can take its place, else by
 * sources_table, and here only noted (file->looped).
 */
void between_check_file(const struct load *load, struct file *file, const struct file *last_good);

#endif
