/* SPDX-License-Identifier: MIT */
/*
 * Five tools write the same things in a dozen shapes: flattened or under `properties`, one object,
 * a list, or a list under `value` or `data`, in any case of letters. So no shape is recognised.
 * The file is walked once, as events, and what stands where is told by the few words that all
 * shapes share: each open object or list has a role, and role and key give the role of what is in
 * it. Whatever has no role of its own is a container that may hold anything.
 *
 * An object that is not mere wrapping is a scope (source/azurescope): names and addresses in it
 * belong together. Its records wait until the outermost scope around it is closed, since the state
 * of an endpoint's connection stands behind its names. A row of the list that the file is, or
 * holds under a key (`outer`), is outermost, so a million rows never wait longer than one.
 *
 * Memory: a stack of JSON_DEPTH_MAX frames, and what is kept of the scopes that are open.
 */
#include "source/azure.h"

#include <stdlib.h>
#include <string.h>

#include "source/azureitem.h"
#include "source/azurekey.h"
#include "source/azurescope.h"
#include "source/jsonread.h"
#include "source/token.h"
#include "source/yamlfeed.h"
#include "source/yamlread.h"

enum role {
	ROLE_LIST, /* a list of anything */
	ROLE_SCOPE,
	ROLE_SAME,        /* an object that wraps part of the scope around it */
	ROLE_CONFIGS,     /* a list of name and addresses */
	ROLE_NAMES,       /* a list of names */
	ROLE_ADDRESSES,   /* a list of addresses */
	ROLE_ITEMS,       /* a list of record data */
	ROLE_ITEM,        /* one of them */
	ROLE_TEXTS,       /* the texts of one of them */
	ROLE_CONNECTIONS, /* connections of an endpoint, list or object */
	ROLE_STATE,       /* the state of one */
	ROLE_SKIP,
};

struct frame {
	enum role role;
	bool list;
	bool outer;                          /* the scopes in it have nothing to wait for */
	const struct azure_word *word;       /* of the value that comes next */
	char key[16];                        /* its beginning, as it was written */
	uint64_t seen[AZURE_WORDS_MAX / 64]; /* words that stood here */
	size_t count;                        /* values */
	struct azure_scope *scope;           /* the nearest; NULL: none yet */
	struct azure_scope own;              /* ROLE_SCOPE */
};

/*
 * Words that were looked up lately: rows of a list have the same ones over and over. Each has one
 * place; under these odd factors no two words of any export that is known share theirs.
 */
#define AZURE_RECENT_MAX 128
#define AZURE_RECENT_TEXT_MAX 29
struct recent {
	int8_t index;
	uint8_t len; /* 0: none */
	char text[AZURE_RECENT_TEXT_MAX + 1];
};

struct azure {
	struct azure_out out;
	unsigned depth;
	struct frame frame[JSON_DEPTH_MAX];
	struct azure_item item;
	struct recent recent[AZURE_RECENT_MAX];
};

static const struct azure_word skipped = { "", AZURE_SKIP, 0, 0 };

static void refuse(struct azure *azure, const struct json_event *event, const char *what)
{
	complain(azure->out.to, COMPLAINT_ERROR, azure->out.in->path, event->line, event->column,
		 "%s", what);
}

/* ---- roles ----------------------------------------------------------------------------------- */

/* What a list or object is in an object that says something: told by its key. */
static enum role role_by_key(enum azure_key key, bool list)
{
	switch (key) {
	case AZURE_SKIP:
	case AZURE_TYPE: /* Terraform describes an output's type in its own words */
	case AZURE_SOA:
	case AZURE_CONNECTION_STATE: /* of a resource's other connections */
		return ROLE_SKIP;
	case AZURE_FQDN:
		return ROLE_NAMES;
	case AZURE_ADDRESS:
		return list ? ROLE_ADDRESSES : ROLE_SCOPE;
	case AZURE_ADDRESSES:
		return ROLE_ADDRESSES;
	case AZURE_CONFIGS:
	case AZURE_RECORD_SETS:
		return list ? ROLE_CONFIGS : ROLE_SCOPE;
	case AZURE_LINK:
	case AZURE_PROPERTIES:
		return list ? ROLE_LIST : ROLE_SAME;
	case AZURE_CONNECTIONS:
		return ROLE_CONNECTIONS;
	case AZURE_RECORDS:
		return list ? ROLE_ITEMS : ROLE_ITEM;
	default:
		return list ? ROLE_LIST : ROLE_SCOPE;
	}
}

static enum role role_in_connections(const struct frame *parent, bool list)
{
	enum azure_key key = parent->word->key;

	if (parent->list || key == AZURE_PROPERTIES || key == AZURE_VALUE)
		return ROLE_CONNECTIONS;
	return key == AZURE_CONNECTION_STATE && !list ? ROLE_STATE : ROLE_SKIP;
}

static enum role role_of(const struct frame *parent, bool list)
{
	switch (parent->role) {
	case ROLE_LIST:
		return list ? ROLE_LIST : ROLE_SCOPE;
	case ROLE_SCOPE:
	case ROLE_SAME:
		return role_by_key(parent->word->key, list);
	case ROLE_CONFIGS:
		return list ? ROLE_CONFIGS : ROLE_SCOPE;
	case ROLE_NAMES:
	case ROLE_ADDRESSES:
		/* PowerShell 5.1 may wrap a list: `{"value": [...], "Count": 1}`. */
		return parent->list || parent->word->key == AZURE_VALUE ? parent->role : ROLE_SKIP;
	case ROLE_ITEMS:
		return list ? ROLE_ITEMS : ROLE_ITEM;
	case ROLE_ITEM:
		return list && parent->word->key == AZURE_VALUE ? ROLE_TEXTS : ROLE_SKIP;
	case ROLE_TEXTS:
		return list ? ROLE_SKIP : ROLE_ITEM;
	case ROLE_CONNECTIONS:
		return role_in_connections(parent, list);
	default:
		return ROLE_SKIP;
	}
}

/* Keys whose lists are part of one endpoint, however many rows they have. */
static bool is_inner(enum azure_key key)
{
	return key == AZURE_CONFIGS || key == AZURE_ZONE_CONFIGS || key == AZURE_RECORD_SETS ||
	       key == AZURE_INNER || key == AZURE_LINK || key == AZURE_PROPERTIES;
}

/*
 * Lists that hang from the outermost object or list, and objects that hang from it (Terraform's
 * outputs). Objects in such a list are what waits as a whole.
 */
static bool is_outer(const struct azure *azure, const struct frame *parent, enum azure_key key,
		     bool list)
{
	if (!parent->outer || is_inner(key))
		return false;
	return list || (azure->depth == 2 && !parent->list);
}

/* What the scope learns from a list or object that stands in it. */
static void note_key(struct frame *parent, const struct json_event *event)
{
	struct azure_scope *scope = parent->scope;
	struct azure_place at = { event->line, event->column };

	if (parent->role != ROLE_SCOPE && parent->role != ROLE_SAME)
		return;
	switch (parent->word->key) {
	case AZURE_ADDRESSES:
		scope->plural = true;
		/* fallthrough */
	case AZURE_ADDRESS:
		scope->address = true;
		break;
	case AZURE_CONFIGS:
		scope->configs = at;
		/* fallthrough */
	case AZURE_CONNECTIONS:
		scope->endpoint = true;
		break;
	case AZURE_ZONE_CONFIGS:
		scope->group = true;
		break;
	case AZURE_LINK:
		scope->link = at;
		break;
	case AZURE_SOA:
		scope->soa = true;
		break;
	case AZURE_RECORDS:
		scope->records = at;
		scope->record_set |= parent->word->text[0] != 'r';
		memcpy(scope->records_key, parent->key, sizeof(scope->records_key));
		break;
	default:
		break;
	}
}

/* ---- events ---------------------------------------------------------------------------------- */

static struct frame *top(struct azure *azure)
{
	return azure->depth ? &azure->frame[azure->depth - 1] : NULL;
}

static void take_open(struct azure *azure, const struct json_event *event)
{
	struct frame *parent = top(azure), *frame = &azure->frame[azure->depth++];
	bool list = event->kind == JSON_ARRAY;
	enum azure_key key = parent ? parent->word->key : AZURE_NONE;

	memset(frame, 0, offsetof(struct frame, own));
	frame->list = list;
	frame->own.at = (struct azure_place){ event->line, event->column };
	frame->word = azure_word(-1);
	frame->outer = !parent || is_outer(azure, parent, key, list);
	frame->scope = parent ? parent->scope : NULL;
	if (!parent)
		frame->role = list ? ROLE_LIST : ROLE_SCOPE;
	else
		frame->role = role_of(parent, list);
	if (parent) {
		note_key(parent, event);
		parent->count++;
	}
	if (frame->role == ROLE_SCOPE) {
		azure_scope_open(&azure->out, &frame->own, event);
		frame->own.listed = parent && parent->list;
		frame->own.element = !parent || parent->list;
		frame->own.config =
			parent && (parent->role == ROLE_CONFIGS || key == AZURE_CONFIGS);
		frame->scope = &frame->own;
	} else if (frame->role == ROLE_ITEM) {
		azure_item_open(&azure->item, event);
	}
	if (parent)
		parent->word = azure_word(-1);
}

static void take_close(struct azure *azure)
{
	struct frame *frame = &azure->frame[--azure->depth], *parent = top(azure);

	if (frame->role == ROLE_ITEM)
		azure_item_close(&azure->out, &azure->item);
	if (frame->role == ROLE_SCOPE)
		azure_scope_close(&azure->out, &frame->own);
	if (frame->role == ROLE_SCOPE && (!parent || parent->outer))
		azure_flush(&azure->out, frame->own.held_at);
	if (!parent && !frame->count)
		complain(azure->out.to, COMPLAINT_ERROR, azure->out.in->path, frame->own.at.line,
			 frame->own.at.column, "%s",
			 frame->list
				 ? "an empty list; export what holds endpoints or record sets"
				 : "`{}`, as a missing DNS zone group gives; export `az network "
				   "private-endpoint show`, or `az network nic show` of its NIC");
}

static int find_word(struct azure *azure, const char *text, size_t len)
{
	struct recent *recent;
	int index;

	if (!len || len > AZURE_RECENT_TEXT_MAX)
		return azure_word_find(text, len);
	recent = &azure->recent[(len + (uint8_t)text[0] * 23 + (uint8_t)text[len - 1] * 29) %
				AZURE_RECENT_MAX];
	if (recent->len == len && memcmp(recent->text, text, len) == 0)
		return recent->index;
	index = azure_word_find(text, len);
	*recent = (struct recent){ .index = (int8_t)index, .len = (uint8_t)len };
	memcpy(recent->text, text, len);
	return index;
}

static void take_key(struct azure *azure, const struct json_event *event)
{
	struct frame *frame = top(azure);
	char shown[TOKEN_SHOWN_MAX];
	size_t len;
	int index;

	frame->word = azure_word(-1);
	if (frame->role == ROLE_SKIP || event->bad || event->cut)
		return;
	index = find_word(azure, event->text, event->len);
	if (index < 0)
		return;
	len = event->len < sizeof(frame->key) ? event->len : sizeof(frame->key) - 1;
	memcpy(frame->key, event->text, len);
	frame->key[len] = '\0';
	frame->word = azure_word(index);
	if (frame->seen[index / 64] & UINT64_C(1) << index % 64) {
		complain(azure->out.to, COMPLAINT_ERROR, azure->out.in->path, event->line,
			 event->column, "the key `%s` stands here a second time; take one out",
			 token_show(shown, event->text, event->len));
		frame->word = &skipped;
	}
	frame->seen[index / 64] |= UINT64_C(1) << index % 64;
}

static void take_next(struct azure *azure, const struct json_event *event)
{
	if (event->kind == JSON_TEXT && event->len)
		complain(azure->out.to, COMPLAINT_WARNING, azure->out.in->path, event->line,
			 event->column,
			 "the list is not complete, it goes on under this link or token; export it "
			 "with az, which follows it, or join all its pages");
}

static void take_scalar(struct azure *azure, const struct json_event *event)
{
	struct frame *frame = top(azure);
	const struct azure_word *word;
	bool text = event->kind == JSON_TEXT;

	if (!frame) {
		refuse(azure, event, "a single value; this is none of Azure's exports");
		return;
	}
	word = frame->word;
	frame->word = azure_word(-1);
	frame->count++;
	if (event->bad || frame->role == ROLE_SKIP || word->key == AZURE_SKIP)
		return;
	if (event->cut && (frame->list || word->key != AZURE_NONE)) {
		refuse(azure, event, "a text of more than 70000 octets; shorten it");
		return;
	}
	switch (frame->role) {
	case ROLE_SCOPE:
	case ROLE_SAME:
		if (word->key == AZURE_NEXT && frame->outer)
			take_next(azure, event);
		else
			azure_scope_take(&azure->out, frame->scope, word, event);
		break;
	case ROLE_LIST:
		if (text && azure_is_depth_cut(event->text, event->len))
			azure_refuse_text(&azure->out, event);
		break;
	case ROLE_CONFIGS:
		if (text && event->len)
			azure_refuse_text(&azure->out, event);
		break;
	case ROLE_NAMES:
		if (frame->list || word->key == AZURE_VALUE)
			azure_scope_take_fqdn(&azure->out, event);
		break;
	case ROLE_ADDRESSES:
		if (frame->list || word->key == AZURE_VALUE)
			azure_scope_take_address(&azure->out, event);
		break;
	case ROLE_ITEMS:
		azure_scope_take_address(&azure->out, event);
		break;
	case ROLE_ITEM:
		azure_item_take(&azure->out, frame->scope, &azure->item, word, event);
		break;
	case ROLE_TEXTS:
		if (text)
			azure_item_take_text(&azure->out, &azure->item, event);
		break;
	case ROLE_STATE:
		if (word->key == AZURE_STATUS)
			azure_scope_take_state(frame->scope, event, false);
		break;
	default:
		break;
	}
}

static void take(struct azure *azure, const struct json_event *event)
{
	switch (event->kind) {
	case JSON_OBJECT:
	case JSON_ARRAY:
		take_open(azure, event);
		break;
	case JSON_OBJECT_END:
	case JSON_ARRAY_END:
		take_close(azure);
		break;
	case JSON_KEY:
		take_key(azure, event);
		break;
	default:
		take_scalar(azure, event);
		break;
	}
}

/*
 * Where the file is cut off, what is whole in it still counts, unless the connection of its
 * endpoint is known not to be up.
 */
static void leave_open(struct azure *azure)
{
	for (unsigned i = azure->depth; i-- > 0;) {
		const struct frame *frame = &azure->frame[i];

		if (frame->role == ROLE_SCOPE && *frame->own.state)
			azure_keep_pop(&azure->out.held, frame->own.held_at);
	}
	azure_flush(&azure->out, 0);
}

/* ---- the file -------------------------------------------------------------------------------- */

static int walk_json(struct azure *azure)
{
	const struct reader_input *in = azure->out.in;
	struct jsonread *read = jsonread_new(in->path, in->text, azure->out.to);
	struct json_event event;

	if (!read)
		return -1;
	while (jsonread_next(read, &event))
		take(azure, &event);
	jsonread_free(read);
	return 0;
}

static int walk_yaml(struct azure *azure)
{
	const struct reader_input *in = azure->out.in;
	struct yamlfeed_survey survey;
	struct yamlread *read;
	struct json_event event;

	yamlfeed_survey(in->text, &survey);
	if (survey.directive) {
		complain(azure->out.to, COMPLAINT_ERROR, in->path, survey.directive, 1,
			 "a %% directive; take it out");
		return 0;
	}
	read = yamlread_new(in->path, in->text, azure->out.to);
	if (!read)
		return -1;
	while (yamlread_next(read, &event))
		take(azure, &event);
	yamlread_free(read);
	return 0;
}

/* Does it begin with a bracket? The text is left at its start. */
static bool is_json(struct text *text)
{
	bool json;

	while (text_fill(text, 1) && strchr(" \t\n", *text->at))
		text->at++;
	json = *text->at == '{' || *text->at == '[';
	text_rewind(text);
	return json;
}

void azure_read(const struct reader_input *in, struct builder *builder, struct complaints *to)
{
	struct azure *azure = calloc(1, sizeof(*azure));
	size_t errors = to->errors;
	int failed = -1;

	if (azure) {
		azure->out = (struct azure_out){ .in = in, .builder = builder, .to = to };
		failed = is_json(in->text) ? walk_json(azure) : walk_yaml(azure);
		leave_open(azure);
	}
	if (failed)
		complain(to, COMPLAINT_ERROR, in->path, 0, 0, "no memory to read it; free some");
	else if (!azure->out.taken && to->errors == errors)
		complain(to, COMPLAINT_ERROR, in->path, 0, 0,
			 "holds no name with an address; export private endpoints with `az network "
			 "private-endpoint list`, zone groups, NICs or record sets");
	if (azure) {
		azure_keep_fini(&azure->out.keep);
		azure_keep_fini(&azure->out.held);
	}
	free(azure);
}
