/* SPDX-License-Identifier: MIT */
/*
 * libyaml gives events; this makes a tree of them that forgets nothing an error message needs.
 *
 * What a stranger's file may cost is bounded in three ways. Octets: the caller's limit. Nodes: a
 * count. Depth: the first event that opens one level too many ends the parse. That last one also
 * keeps libyaml's own cost down: it is quadratic in the depth of brackets, but it reads ahead only
 * to the end of a line or 1,024 octets (the reach of a simple key), so what lies behind a refused
 * bracket is never scanned. The check of brackets in prescan() holds should that ever change.
 *
 * A broken file ends with one complaint, since behind a syntax error everything is guesswork; so
 * does one where a key is no text. What else is wrong with a well-formed one (keys that stand
 * twice, anchors, aliases) is told and the tree goes on, so that the rest of its mistakes can be
 * told too.
 *
 * Refused: libyaml's own documents (they resolve aliases and lose the place of keys).
 */
#include "admin/ytree.h"

#include <string.h>
#include <yaml.h>

struct reader {
	struct arena *arena;
	const char *path;
	struct complaints *to;
	yaml_parser_t parser;
	struct ynode *open[YTREE_DEPTH_MAX + 1]; /* open[0] holds the document */
	const char *key[YTREE_DEPTH_MAX + 1];    /* the key that waits for its value */
	unsigned key_line[YTREE_DEPTH_MAX + 1], key_column[YTREE_DEPTH_MAX + 1];
	unsigned depth;
	size_t nodes;
	unsigned documents;
};

bool ynode_is_null(const struct ynode *node)
{
	return node->kind == YNODE_SCALAR && node->plain &&
	       (!*node->text || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0);
}

#define fail_at(reader, line, column, ...)                                        \
	complain((reader)->to, COMPLAINT_ERROR, (reader)->path, (unsigned)(line), \
		 (unsigned)(column), __VA_ARGS__)

/* Brackets that are open at once, whatever they stand in: strings hold no thousand of them. */
static int prescan(struct reader *reader, const char *text, size_t len)
{
	unsigned open = 0, line = 1;
	size_t i;

	for (i = 0; i < len; i++) {
		if (text[i] == '[' || text[i] == '{')
			open++;
		else if ((text[i] == ']' || text[i] == '}') && open)
			open--;
		else if (text[i] == '\n')
			line++;
		if (open > 1000) {
			fail_at(reader, line, 0, "nested too deeply; close the brackets");
			return -1;
		}
	}
	return 0;
}

/* Maps of a configuration are small, so looking at every key before will do. */
static void refuse_repeated(struct reader *reader, const struct ynode *map, const char *key,
			    unsigned line, unsigned column)
{
	const struct ynode *child;

	for (child = map->first; child; child = child->next) {
		if (strcmp(child->key, key) == 0) {
			fail_at(reader, line, column,
				"key '%s' stands here again, first in line %u; remove one", key,
				child->key_line);
			return;
		}
	}
}

static char *copy_text(struct reader *reader, const yaml_event_t *event)
{
	size_t len = event->data.scalar.length;
	const char *value = (const char *)event->data.scalar.value;
	char *text;

	if (memchr(value, '\0', len)) {
		fail_at(reader, event->start_mark.line + 1, event->start_mark.column + 1,
			"a NUL character; remove it");
		return NULL;
	}
	text = arena_take(reader->arena, len + 1, 1);
	if (!text) {
		fail_at(reader, 0, 0, "out of memory");
		return NULL;
	}
	memcpy(text, value, len);
	return text;
}

static struct ynode *add_node(struct reader *reader, const yaml_event_t *event,
			      enum ynode_kind kind)
{
	unsigned depth = reader->depth;
	struct ynode *parent = reader->open[depth];
	unsigned line = (unsigned)event->start_mark.line + 1;
	unsigned column = (unsigned)event->start_mark.column + 1;
	struct ynode *node;

	if (++reader->nodes > YTREE_NODES_MAX) {
		fail_at(reader, line, column, "more than %d values; split it", YTREE_NODES_MAX);
		return NULL;
	}
	if (parent->kind == YNODE_MAP && !reader->key[depth] && kind != YNODE_SCALAR) {
		/* Nobody knows which key an alias was to be; it has been told. */
		if (kind != YNODE_ALIAS)
			fail_at(reader, line, column,
				"a list or map where a key should be; write 'key: value'");
		return NULL;
	}
	node = arena_take(reader->arena, sizeof(*node), _Alignof(struct ynode));
	if (!node) {
		fail_at(reader, 0, 0, "out of memory");
		return NULL;
	}
	node->kind = kind;
	node->line = line;
	node->column = column;
	if (parent->kind == YNODE_MAP) {
		node->key = reader->key[depth];
		node->key_line = reader->key_line[depth];
		node->key_column = reader->key_column[depth];
		reader->key[depth] = NULL;
	}
	if (parent->last)
		parent->last->next = node;
	else
		parent->first = node;
	parent->last = node;
	parent->count++;
	return node;
}

static int take_scalar(struct reader *reader, const yaml_event_t *event)
{
	struct ynode *parent = reader->open[reader->depth], *node;
	unsigned line = (unsigned)event->start_mark.line + 1;
	unsigned column = (unsigned)event->start_mark.column + 1;
	const char *text = copy_text(reader, event);

	if (!text)
		return -1;
	if (parent->kind == YNODE_MAP && !reader->key[reader->depth]) {
		/* Comparing keys is quadratic; 1,000 are plenty. */
		if (parent->count >= 1000) {
			fail_at(reader, line, column, "more than 1000 keys in one map");
			return -1;
		}
		refuse_repeated(reader, parent, text, line, column);
		reader->key[reader->depth] = text;
		reader->key_line[reader->depth] = line;
		reader->key_column[reader->depth] = column;
		return 0;
	}
	node = add_node(reader, event, YNODE_SCALAR);
	if (!node)
		return -1;
	node->text = text;
	node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	return 0;
}

static int open_node(struct reader *reader, const yaml_event_t *event, enum ynode_kind kind)
{
	struct ynode *node;

	if (reader->depth == YTREE_DEPTH_MAX) {
		fail_at(reader, event->start_mark.line + 1, event->start_mark.column + 1,
			"nested too deeply; no key needs more than %d levels", YTREE_DEPTH_MAX);
		return -1;
	}
	node = add_node(reader, event, kind);
	if (!node)
		return -1;
	reader->depth++;
	reader->open[reader->depth] = node;
	reader->key[reader->depth] = NULL;
	return 0;
}

/* Anchors and tags: refused where they stand; the value itself is still looked at. */
static void refuse_marks(struct reader *reader, const yaml_event_t *event,
			 const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor)
		fail_at(reader, event->start_mark.line + 1, event->start_mark.column + 1,
			"anchor '&%s'; anchors and aliases are not read, write the value out",
			(const char *)anchor);
	if (tag)
		fail_at(reader, event->start_mark.line + 1, event->start_mark.column + 1,
			"tag '%s'; remove it", (const char *)tag);
}

/* 1: go on. 0: the file is through. -1: given up. */
static int take_event(struct reader *reader, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_STREAM_END_EVENT:
		return 0;
	case YAML_DOCUMENT_START_EVENT:
		if (++reader->documents > 1) {
			fail_at(reader, event->start_mark.line + 1, 0,
				"a second document; remove the line '---'");
			return 0;
		}
		return 1;
	case YAML_ALIAS_EVENT:
		fail_at(reader, event->start_mark.line + 1, event->start_mark.column + 1,
			"alias '*%s'; anchors and aliases are not read, write the value out",
			(const char *)event->data.alias.anchor);
		return add_node(reader, event, YNODE_ALIAS) ? 1 : -1;
	case YAML_SCALAR_EVENT:
		refuse_marks(reader, event, event->data.scalar.anchor, event->data.scalar.tag);
		return take_scalar(reader, event) < 0 ? -1 : 1;
	case YAML_SEQUENCE_START_EVENT:
		refuse_marks(reader, event, event->data.sequence_start.anchor,
			     event->data.sequence_start.tag);
		return open_node(reader, event, YNODE_LIST) < 0 ? -1 : 1;
	case YAML_MAPPING_START_EVENT:
		refuse_marks(reader, event, event->data.mapping_start.anchor,
			     event->data.mapping_start.tag);
		return open_node(reader, event, YNODE_MAP) < 0 ? -1 : 1;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		reader->depth--;
		return 1;
	default:
		return 1;
	}
}

static void fail_syntax(struct reader *reader)
{
	const yaml_parser_t *parser = &reader->parser;
	const char *problem = parser->problem ? parser->problem : "out of memory";

	if (parser->error == YAML_READER_ERROR)
		fail_at(reader, 0, 0, "not UTF-8 text at octet %zu (%s)", parser->problem_offset,
			problem);
	else
		fail_at(reader, parser->problem_mark.line + 1, parser->problem_mark.column + 1,
			"not well-formed YAML: %s%s%s", problem, parser->context ? ", " : "",
			parser->context ? parser->context : "");
}

static int read_events(struct reader *reader)
{
	yaml_event_t event;
	int more;

	do {
		if (!yaml_parser_parse(&reader->parser, &event)) {
			fail_syntax(reader);
			return -1;
		}
		more = take_event(reader, &event);
		yaml_event_delete(&event);
	} while (more > 0);
	return more;
}

struct ynode *ytree_parse(struct arena *arena, const char *path, const char *text, size_t len,
			  struct complaints *to)
{
	struct reader reader = { .arena = arena, .path = path, .to = to };
	struct ynode *root = arena_take(arena, sizeof(*root), _Alignof(struct ynode));
	int done;

	if (!root) {
		fail_at(&reader, 0, 0, "out of memory");
		return NULL;
	}
	if (len > YTREE_BYTES_MAX) {
		fail_at(&reader, 0, 0, "larger than %zu octets", YTREE_BYTES_MAX);
		return NULL;
	}
	if (prescan(&reader, text, len) < 0)
		return NULL;
	if (!yaml_parser_initialize(&reader.parser)) {
		fail_at(&reader, 0, 0, "out of memory");
		return NULL;
	}
	yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, len);
	root->kind = YNODE_LIST;
	reader.open[0] = root;
	done = read_events(&reader);
	yaml_parser_delete(&reader.parser);
	if (done < 0)
		return NULL;
	if (root->first && !ynode_is_null(root->first))
		return root->first;
	root->kind = YNODE_MAP;
	root->first = root->last = NULL;
	root->count = 0;
	root->line = root->column = 1;
	return root;
}
