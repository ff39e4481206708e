/* SPDX-License-Identifier: MIT */
/*
 * The old list is what each file is compared with. At a start that is a list made of the state
 * folder, so a restart and a reload are one path: a bad file, a folder that cannot be read and an
 * entry that shrinks mean the same in both. Sets stay in the state folder until one is wanted, so a
 * start with a million good records holds them once.
 *
 * The one difference is a file that is not there. In a running server somebody has removed it, and
 * its records go. At a start it may be a share that is not mounted yet: what it had is served, with
 * its error, until it has been seen (`absent`).
 *
 * A set belongs to the zone table it was made with, which says what is a private form; under
 * another one, and with other bounds for TTLs, its records are put through a builder again.
 *
 * Names of an entry are counted over all its files, by their hashes: a name that moves from one
 * file to the other is not lost, and a wrong file with as many names loses all. Hashes of 64 bits
 * under a secret key do not meet by accident or by intent. What is compared is what was served,
 * degraded sets too: a client does not care why its name is gone.
 *
 * An entry is held back whole: half of an export is as wrong as the loss itself. So also new files
 * of it are not served until it is accepted.
 */
#include "source/lastgood.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "base/pages.h"

/* ---- the old list ---------------------------------------------------------------------------- */

static int restore_one(void *arg, const char *path, const char *entry,
		       const struct state_head *head)
{
	struct file_list *list = arg;
	struct file *grown = realloc(list->file, (list->count + 1) * sizeof(*grown));
	struct file *file;

	if (!grown)
		return -1;
	list->file = grown;
	file = &list->file[list->count++];
	*file = (struct file){ .path = strdup(path),
			       .entry_path = strdup(entry),
			       .path_hash = hash_bytes(path, strlen(path)),
			       .good = true,
			       .stored = true,
			       .saved = true,
			       .absent = true };
	file->status = (struct source_status){
		.path = file->path, .complaint = "", .loaded = head->taken, .format = head->format
	};
	return file->path && file->entry_path ? 0 : -1;
}

int lastgood_restore(struct sources *sources, struct complaints *to)
{
	return statedir_list(sources->state, restore_one, &sources->list, to);
}

static int recover_one(void *arg, const char *path, const char *entry,
		       const struct state_head *head)
{
	struct sources *sources = arg;
	struct file *file = list_find(&sources->list, path);

	if (!file || file->good || file->gone || strcmp(file->entry_path, entry) != 0)
		return 0;
	file->good = file->stored = true;
	file->status.loaded = head->taken;
	sources->recovered = true;
	return 0;
}

int lastgood_recover(struct sources *sources, struct complaints *to)
{
	return statedir_list(sources->state, recover_one, sources, to);
}

struct record_set *lastgood_set(const struct load *load, struct file *old)
{
	struct builder_conf conf = { .path = old->path,
				     .ttl_min = load->conf->ttl_min,
				     .ttl_max = load->conf->ttl_max,
				     .records_max = SOURCE_RECORDS_MAX };
	struct state_head head;
	struct record_set *set;
	struct err err;

	/* What is stored is better than a set beside it, which has errors. */
	if (old->stored && load->old->state) {
		set = statedir_read(load->old->state, old->path, load->zones, &conf, &head, &err);
		if (set)
			return set;
		complain(load->to, COMPLAINT_WARNING, old->path, 0, 0,
			 "its last good records are lost: %s; mend the source, then it is replaced",
			 err.text);
		old->stored = old->good = false;
	}
	if (!old->set)
		return NULL;
	if (old->zones == load->zones && load->old->ttl_min == conf.ttl_min &&
	    load->old->ttl_max == conf.ttl_max)
		return record_set_ref(old->set);
	return state_convert(old->set, load->zones, &conf);
}

/* ---- one file -------------------------------------------------------------------------------- */

/* `set` in the place of the file's own reading. */
static void serve_old(struct file *file, const struct file *old, struct record_set *set,
		      const struct zones *zones, enum source_state state)
{
	record_set_unref(file->set);
	file->set = set;
	file->zones = zones;
	file->good = old->good;
	/* The state folder says whose it is. */
	file->saved = old->saved && strcmp(file->entry_path, old->entry_path) == 0;
	file->absent = old->absent;
	file->warned = old->warned;
	file->status.state = state;
	file->status.loaded = old->status.loaded;
	file->status.records = record_set_records(set);
	if (file->status.format == SOURCE_AUTO)
		file->status.format = old->status.format;
}

static const char *time_text(time_t when, char text[32])
{
	struct tm tm;

	if (!gmtime_r(&when, &tm) || !strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm))
		strcpy(text, "an unknown time");
	return text;
}

void lastgood_settle(const struct load *load, struct file *file, struct file *old, bool there)
{
	struct source_status *status = &file->status;
	struct record_set *set = NULL;
	char when[32];

	if ((status->errors || file->put_off) && old)
		set = lastgood_set(load, old);
	if (set) {
		serve_old(file, old, set, load->zones, SOURCE_LAST_GOOD);
		file->absent = old->absent && !there;
		if (status->errors && (old->stored || old->status.state == SOURCE_GOOD))
			complain(load->to, COMPLAINT_WARNING, file->path, 0, 0,
				 "its last good version, of %s, is served instead (%zu records); "
				 "mend "
				 "the file",
				 time_text(status->loaded, when), status->records);
		return;
	}
	file->zones = load->zones;
	file->good = file->set && !status->errors && !file->looped;
	if (file->set) {
		status->state = file->good ? SOURCE_GOOD : SOURCE_DEGRADED;
		status->loaded = time(NULL);
		status->records = record_set_records(file->set);
	} else {
		status->state = SOURCE_FAILED;
	}
}

void lastgood_warn_old(struct file_list *list, time_t now, bool again, struct complaints *to)
{
	for (size_t i = 0; i < list->count; i++) {
		struct file *file = &list->file[i];
		time_t age = now - file->status.loaded;

		if ((file->status.state != SOURCE_LAST_GOOD && file->status.state != SOURCE_HELD) ||
		    !file->set || age <= SOURCE_OLD_S)
			continue;
		/* A clock that was put back must not silence it. */
		if (!again && file->warned && now >= file->warned &&
		    now - file->warned < SOURCE_WARN_S)
			continue;
		file->warned = now;
		complain(to, COMPLAINT_WARNING, file->path, 0, 0,
			 "the last good version that is served is %lld days old; mend the file",
			 (long long)(age / 86400));
	}
}

/* ---- an entry -------------------------------------------------------------------------------- */

/* A set of hashes, open addressing; 0 is empty. */
struct hashes {
	uint64_t *slot;
	size_t size; /* a third more than what comes in, at least */
};

/* Slots that are fetched from memory side by side. */
#define HASHES_BATCH 16

static int hashes_init(struct hashes *hashes, size_t entries)
{
	hashes->size = entries + entries / 3 + 2;
	hashes->slot = pages_take(hashes->size * sizeof(*hashes->slot));
	return hashes->slot ? 0 : -1;
}

static void hashes_fini(struct hashes *hashes)
{
	pages_give(hashes->slot, hashes->size * sizeof(*hashes->slot));
}

static size_t hashes_home(const struct hashes *hashes, uint64_t hash)
{
	return (size_t)((unsigned __int128)hash * hashes->size >> 64);
}

static uint64_t *hashes_find(const struct hashes *hashes, uint64_t hash)
{
	size_t at = hashes_home(hashes, hash);

	while (hashes->slot[at] && hashes->slot[at] != hash)
		at = at + 1 == hashes->size ? 0 : at + 1;
	return &hashes->slot[at];
}

/*
 * Puts every name in; *count grows by those that are new, *lost by those that `in` has not. Without
 * room (a set alone has each name once) they are only counted.
 */
static void hashes_add(struct hashes *hashes, const struct record_set *set, const struct hashes *in,
		       size_t *count, size_t *lost)
{
	uint64_t hash[HASHES_BATCH], *slot;
	const struct node *node = NULL;
	void *walk = NULL;
	size_t n, i;

	do {
		for (n = 0; n < HASHES_BATCH && (node = record_set_next(set, &walk, node)); n++) {
			hash[n] = record_set_hash(set, node);
			hash[n] += !hash[n];
			if (hashes->slot)
				__builtin_prefetch(&hashes->slot[hashes_home(hashes, hash[n])], 1);
			if (in)
				__builtin_prefetch(&in->slot[hashes_home(in, hash[n])]);
		}
		for (i = 0; i < n; i++) {
			slot = hashes->slot ? hashes_find(hashes, hash[i]) : NULL;
			if (slot && *slot)
				continue;
			if (slot)
				*slot = hash[i];
			++*count;
			if (in && !*hashes_find(in, hash[i]))
				++*lost;
		}
	} while (n == HASHES_BATCH);
}

static bool was_of(const struct file *old, const char *entry_path)
{
	return strcmp(old->entry_path, entry_path) == 0;
}

static bool is_in(const struct record_set *set, const struct file_list *list, size_t entry)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->file[i].status.entry == entry && list->file[i].set == set)
			return true;
	return false;
}

/* Does any file of the entry serve something else than it did? Spares the counting. */
static bool has_changed(const struct load *load, const struct file_list *list, size_t entry)
{
	const struct file_list *old = &load->old->list;

	for (size_t i = 0; i < old->count; i++)
		if (was_of(&old->file[i], list->entry[entry].path) &&
		    (old->file[i].stored ||
		     (old->file[i].set && !is_in(old->file[i].set, list, entry))))
			return true;
	return false;
}

/*
 * What the entry has now. Names are compared as they are held, and another zone table may hold the
 * very same text under other names: so they count under those of the old one, too. -1: no memory.
 */
static int hash_now(const struct load *load, const struct file_list *list, size_t entry,
		    struct hashes *now)
{
	const struct file_list *old = &load->old->list;
	const struct zones *before = NULL;
	size_t room = 0, ignored = 0, i;

	for (i = 0; i < old->count && !before; i++)
		if (old->file[i].set && was_of(&old->file[i], list->entry[entry].path))
			before = old->file[i].zones;
	for (i = 0; i < list->count; i++)
		if (list->file[i].status.entry == entry && list->file[i].set)
			room += 2 * record_set_names(list->file[i].set);
	if (hashes_init(now, room) < 0)
		return -1;
	for (i = 0; i < list->count; i++) {
		const struct file *file = &list->file[i];
		struct builder_conf conf = { .path = file->path, .ttl_max = UINT32_MAX };
		struct record_set *same;

		if (file->status.entry != entry || !file->set)
			continue;
		hashes_add(now, file->set, NULL, &ignored, NULL);
		same = before && before != file->zones ? state_convert(file->set, before, &conf)
						       : NULL;
		if (same)
			hashes_add(now, same, NULL, &ignored, NULL);
		record_set_unref(same);
	}
	return 0;
}

/* Names that the entry had, and how many of them it has no more. -1: no memory. */
static int count_lost(const struct load *load, const struct file_list *list, size_t entry,
		      size_t *ret_names, size_t *ret_lost)
{
	struct hashes now = { .slot = NULL }, before = { .slot = NULL };
	struct file_list *old = &load->old->list;
	size_t room = 0, names = 0, lost = 0, last_good = 0, i;
	struct record_set **had = calloc(old->count + 1, sizeof(struct record_set *));
	int result = -1;

	if (!had || hash_now(load, list, entry, &now) < 0)
		goto done;
	for (i = 0; i < old->count; i++)
		if (was_of(&old->file[i], list->entry[entry].path) &&
		    (had[last_good] = lastgood_set(load, &old->file[i])))
			room += record_set_names(had[last_good++]);
	if (last_good > 1 && hashes_init(&before, room) < 0)
		goto done;
	for (i = 0; i < last_good; i++)
		hashes_add(&before, had[i], &now, &names, &lost);
	*ret_names = names;
	*ret_lost = lost;
	result = 0;
done:
	for (i = 0; had && i < last_good; i++)
		record_set_unref(had[i]);
	free(had);
	hashes_fini(&now);
	hashes_fini(&before);
	return result;
}

/* A file that is no more, as it goes on being served. */
static int keep_removed(const struct load *load, struct file *old, size_t entry, struct file *ret)
{
	struct record_set *set = lastgood_set(load, old);
	struct file file = { .path_hash = old->path_hash };

	if (!set)
		return 0;
	file.path = strdup(old->path);
	file.entry_path = strdup(old->entry_path);
	if (!file.path || !file.entry_path) {
		record_set_unref(set);
		file_fini(&file);
		return -1;
	}
	file.status = (struct source_status){ .path = file.path, .entry = entry, .complaint = "" };
	serve_old(&file, old, set, load->zones, SOURCE_HELD);
	*ret = file;
	return 1;
}

/*
 * Another entry names the file that is no more, too, and has it as missing: it is served there. It
 * has to stand somewhere, and a path stands in the list once.
 */
static void keep_elsewhere(const struct load *load, struct file *old, struct file *file)
{
	struct record_set *set = file->set ? NULL : lastgood_set(load, old);

	if (set)
		serve_old(file, old, set, load->zones, SOURCE_HELD);
}

/* Takes back what was read. */
static void withhold(const struct load *load, struct file *file)
{
	struct file *old = list_find(&load->old->list, file->path);
	struct record_set *set =
		old && was_of(old, file->entry_path) ? lastgood_set(load, old) : NULL;

	if (set) {
		serve_old(file, old, set, load->zones, SOURCE_HELD);
		return;
	}
	record_set_unref(file->set);
	file->set = NULL;
	file->good = false;
	file->status.state = SOURCE_HELD;
	file->status.loaded = 0;
	file->status.records = 0;
}

/* The files that the entry had and has no more, behind its others. -1: no memory. */
static int add_removed(const struct load *load, struct file_list *list, size_t entry)
{
	struct file_list *old = &load->old->list;
	struct file *grown = realloc(list->file, (list->count + old->count + 1) * sizeof(*grown));
	size_t at = 0;

	if (!grown)
		return -1;
	list->file = grown;
	while (at < list->count && list->file[at].status.entry <= entry)
		at++;
	for (size_t i = 0; i < old->count; i++) {
		struct file file, *there;
		int result;

		if (!was_of(&old->file[i], list->entry[entry].path))
			continue;
		there = list_find(list, old->file[i].path);
		if (there && there->status.entry != entry)
			keep_elsewhere(load, &old->file[i], there);
		if (there)
			continue;
		result = keep_removed(load, &old->file[i], entry, &file);
		if (result < 0)
			return -1;
		if (result == 0)
			continue;
		memmove(&list->file[at + 1], &list->file[at],
			(list->count - at) * sizeof(*list->file));
		list->file[at++] = file;
		list->count++;
	}
	return 0;
}

static int compare_files(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->path, ((const struct file *)b)->path);
}

/* Order is precedence: removed files go where they were, among the others by name. */
static void sort_entry(struct file_list *list, size_t entry)
{
	size_t first = 0, count = 0;

	while (first < list->count && list->file[first].status.entry != entry)
		first++;
	while (first + count < list->count && list->file[first + count].status.entry == entry)
		count++;
	if (count)
		qsort(&list->file[first], count, sizeof(*list->file), compare_files);
}

static const struct entry *find_entry(const struct file_list *list, const char *path)
{
	for (size_t i = 0; i < list->entries; i++)
		if (strcmp(list->entry[i].path, path) == 0)
			return &list->entry[i];
	return NULL;
}

static int hold_back(const struct load *load, struct file_list *list, size_t entry)
{
	const struct entry *held = &list->entry[entry];
	const struct entry *was = find_entry(&load->old->list, held->path);
	char text[128];
	size_t i;

	/* Told again when somebody asks, not with every change elsewhere. */
	if (!load->conf->changes_only || !was || was->lost != held->lost ||
	    was->names != held->names)
		complain(load->to, COMPLAINT_WARNING, held->path, 0, 0,
			 "would lose %zu of its %zu names at once, more than max-shrink (%u%%) "
			 "allows: "
			 "held back, what it had is served; if that is meant, type: privlinkctl "
			 "accept "
			 "%s",
			 held->lost, held->names, load->conf->max_shrink, held->path);
	snprintf(text, sizeof(text), "held back: its entry would lose %zu of %zu names", held->lost,
		 held->names);
	for (i = 0; i < list->count; i++)
		if (list->file[i].status.entry == entry)
			withhold(load, &list->file[i]);
	if (add_removed(load, list, entry) < 0)
		return -1;
	sort_entry(list, entry);
	for (i = 0; i < list->count; i++) {
		struct file *file = &list->file[i];

		if (file->status.entry != entry || file->complaint)
			continue;
		file->complaint = strdup(text);
		file->status.complaint = file->complaint ? file->complaint : "";
	}
	return 0;
}

static bool is_first(const struct file_list *list, size_t entry)
{
	for (size_t i = 0; i < entry; i++)
		if (strcmp(list->entry[i].path, list->entry[entry].path) == 0)
			return false;
	return true;
}

/*
 * A file of an entry that was held back was left as it was, since it is being written: what the
 * entry would lose shows when it is read. Until then it stays held back.
 */
static bool stays_held(const struct load *load, struct file_list *list, size_t entry)
{
	const struct entry *was = find_entry(&load->old->list, list->entry[entry].path);
	bool left = false;

	for (size_t i = 0; i < list->count; i++)
		left |= list->file[i].status.entry == entry &&
			list->file[i].status.state == SOURCE_HELD;
	if (!left || !was || !was->names)
		return false;
	list->entry[entry].lost = was->lost;
	list->entry[entry].names = was->names;
	return true;
}

int lastgood_guard(const struct load *load, struct file_list *list)
{
	for (size_t entry = 0; load->conf->max_shrink < 100 && entry < list->entries; entry++) {
		struct entry *of = &list->entry[entry];
		const struct entry *was = find_entry(&load->old->list, of->path);
		size_t names, lost;

		if (!is_first(list, entry))
			continue;
		if (stays_held(load, list, entry)) {
			if (hold_back(load, list, entry) < 0)
				return -1;
			continue;
		}
		if (!has_changed(load, list, entry))
			continue;
		if (count_lost(load, list, entry, &names, &lost) < 0)
			return -1;
		if (names < SOURCE_SHRINK_NAMES_MIN ||
		    lost * 100 <= names * load->conf->max_shrink || (was && lost <= was->accepted))
			continue;
		of->lost = lost;
		of->names = names;
		if (hold_back(load, list, entry) < 0)
			return -1;
	}
	return 0;
}
