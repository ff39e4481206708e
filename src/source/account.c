/* SPDX-License-Identifier: MIT */
/*
 * An array of what sources_status and sources_hold say, with texts of its own. A lock around the
 * sources would have been less, but whoever loads would hold it for as long as a share hangs.
 */
#include "source/account.h"

#include <stdlib.h>
#include <string.h>

struct row {
	struct source_status status; /* texts are the next two */
	char *path, *complaint;
	struct source_hold hold; /* names 0: it is not held back */
	char *hold_path;
};

struct account {
	size_t count, troubled;
	struct row *row;
	char *state, *trouble; /* or NULL */
};

static int copy_text(char **ret, const char *text)
{
	*ret = text ? strdup(text) : NULL;
	return text && !*ret ? -1 : 0;
}

static int copy_row(struct row *row, const struct sources *sources, size_t i)
{
	row->status = *sources_status(sources, i);
	if (copy_text(&row->path, row->status.path) < 0 ||
	    copy_text(&row->complaint, row->status.complaint) < 0)
		return -1;
	row->status.path = row->path;
	row->status.complaint = row->complaint;
	if (!sources_hold(sources, i, &row->hold)) {
		row->hold.names = 0;
		return 0;
	}
	if (copy_text(&row->hold_path, row->hold.path) < 0)
		return -1;
	row->hold.path = row->hold_path;
	return 0;
}

struct account *account_take(const struct sources *sources)
{
	struct account *account = calloc(1, sizeof(*account));
	const char *state, *trouble;

	if (!account)
		return NULL;
	account->row = calloc(sources_count(sources) + 1, sizeof(*account->row));
	if (!account->row)
		goto fail;
	for (; account->count < sources_count(sources); account->count++)
		if (copy_row(&account->row[account->count], sources, account->count) < 0) {
			account->count++; /* a part of it is to be freed */
			goto fail;
		}
	account->troubled = sources_troubled(sources);
	state = sources_state(sources, &trouble);
	if (copy_text(&account->state, state) == 0 && copy_text(&account->trouble, trouble) == 0)
		return account;
fail:
	account_free(account);
	return NULL;
}

void account_free(struct account *account)
{
	if (!account)
		return;
	for (size_t i = 0; i < account->count; i++) {
		free(account->row[i].path);
		free(account->row[i].complaint);
		free(account->row[i].hold_path);
	}
	free(account->row);
	free(account->state);
	free(account->trouble);
	free(account);
}

size_t account_count(const struct account *account)
{
	return account->count;
}

const struct source_status *account_status(const struct account *account, size_t i)
{
	return &account->row[i].status;
}

size_t account_troubled(const struct account *account)
{
	return account->troubled;
}

bool account_hold(const struct account *account, size_t i, struct source_hold *ret)
{
	if (account->row[i].hold.names)
		*ret = account->row[i].hold;
	return account->row[i].hold.names != 0;
}

const char *account_state(const struct account *account, const char **ret_trouble)
{
	*ret_trouble = account->trouble;
	return account->state;
}
