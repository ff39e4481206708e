/* SPDX-License-Identifier: MIT */
/*
 * The reader of fakeup's scripts.
 *
 * A scripted upstream is worth having for what a good server never does, so a script gives the
 * records of a reply word for word and in order; nothing is looked up, chased or sorted. Names
 * are kept as text in lower case: a test script has some hundred rules at most, so a plain walk
 * over them is quick enough. Records are kept as text too and parsed by ldns when a reply is
 * made, because the wildcard `$L` is known only then; script_load tries each one
 * once, so that a typing error fails when the test starts and not in the middle of it.
 */
#include "script.h"

#include <ctype.h>
#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *word;
	unsigned flag;
} words[] = {
	{ "aa", SCRIPT_AA },
	{ "tc", SCRIPT_TC },
	{ "ad", SCRIPT_AD },
	{ "ra-off", SCRIPT_RA_OFF },
	{ "noopt", SCRIPT_NOOPT },
	{ "do", SCRIPT_IF_DO },
	{ "nodo", SCRIPT_IF_NODO },
	{ "udp", SCRIPT_IF_UDP },
	{ "tcp", SCRIPT_IF_TCP },
	{ "edns", SCRIPT_IF_EDNS },
	{ "cd", SCRIPT_IF_CD },
	{ "nocd", SCRIPT_IF_NOCD },
	{ "hold", SCRIPT_HOLD },
	{ "drop", SCRIPT_DROP },
	{ "close", SCRIPT_CLOSE },
	{ "duplicate", SCRIPT_DUPLICATE },
	{ "wrong-id", SCRIPT_WRONG_ID },
	{ "wrong-question", SCRIPT_WRONG_QUESTION },
	{ "other-port", SCRIPT_OTHER_PORT },
	{ "garbage", SCRIPT_GARBAGE },
	{ "short", SCRIPT_SHORT },
	{ "only", SCRIPT_ONLY },
	{ "formerr-edns", SCRIPT_FORMERR_EDNS },
};

#define IF_MASK                                                                           \
	(SCRIPT_IF_DO | SCRIPT_IF_NODO | SCRIPT_IF_UDP | SCRIPT_IF_TCP | SCRIPT_IF_EDNS | \
	 SCRIPT_IF_CD | SCRIPT_IF_NOCD)

static int rule_word(struct script_rule *rule, const char *word)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].word, word) == 0) {
			rule->flags |= words[i].flag;
			return 0;
		}
	}
	if (strncmp(word, "rcode=", 6) == 0) {
		const char *name = strcmp(word + 6, "NOTIMP") == 0 ? "NOTIMPL" : word + 6;
		ldns_lookup_table *t = ldns_lookup_by_name(ldns_rcodes, name);
		if (!t)
			return -1;
		rule->rcode = t->id;
	} else if (strncmp(word, "delay=", 6) == 0) {
		rule->delay_ms = atoi(word + 6);
	} else if (strncmp(word, "times=", 6) == 0) {
		rule->times = atol(word + 6);
	} else if (strncmp(word, "options=", 8) == 0) {
		rule->options = strdup(word + 8);
	} else if (strncmp(word, "raw=", 4) == 0) {
		rule->raw = strdup(word + 4);
	} else {
		return -1;
	}
	return 0;
}

static int rule_types(struct script_rule *rule, char *text)
{
	char *save = NULL;

	if (strcmp(text, "*") == 0)
		return 0;
	for (char *t = strtok_r(text, ",", &save); t; t = strtok_r(NULL, ",", &save)) {
		uint16_t type = (uint16_t)ldns_get_rr_type_by_name(t);
		if (type == 0 || rule->type_count == SCRIPT_MAX_TYPES)
			return -1;
		rule->types[rule->type_count++] = type;
	}
	return 0;
}

static int rule_head(struct script_rule *rule, char *line)
{
	char *save = NULL;
	char *name = strtok_r(line, " \t", &save);
	char *types = strtok_r(NULL, " \t", &save);

	*rule = (struct script_rule){ .times = -1 };
	if (!name || !types || rule_types(rule, types) < 0)
		return -1;
	if (strcmp(name, "*") == 0) {
		rule->wildcard = true;
		name = ".";
	} else if (strncmp(name, "*.", 2) == 0) {
		rule->wildcard = true;
		name += 2;
	}
	if (!*name || name[strlen(name) - 1] != '.')
		return -1;
	rule->name = strdup(name);
	for (char *p = rule->name; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	for (char *w = strtok_r(NULL, " \t", &save); w; w = strtok_r(NULL, " \t", &save))
		if (rule_word(rule, w) < 0)
			return -1;
	return 0;
}

static int rule_record(struct script_rule *rule, int section, const char *text)
{
	char full[2048];
	ldns_rr *rr = NULL;

	if (rule->record_count == SCRIPT_MAX_RECORDS ||
	    script_expand(rule, text, rule->wildcard ? "x.example." : rule->name, full,
			  sizeof(full)) < 0 ||
	    ldns_rr_new_frm_str(&rr, full, 0, NULL, NULL) != LDNS_STATUS_OK)
		return -1;
	ldns_rr_free(rr);
	rule->records[rule->record_count].section = section;
	rule->records[rule->record_count++].text = strdup(text);
	return 0;
}

static int script_line(struct script *script, char *line)
{
	line[strcspn(line, "\r\n")] = '\0';
	while (isspace((unsigned char)*line))
		line++;
	if (*line == '\0' || *line == '#')
		return 0;
	if (strncmp(line, "rule ", 5) == 0) {
		struct script_rule *grown =
			realloc(script->rules, (script->rule_count + 1) * sizeof(*script->rules));
		if (!grown)
			return -1;
		script->rules = grown;
		return rule_head(&script->rules[script->rule_count++], line + 5);
	}
	if (script->rule_count == 0)
		return -1;
	struct script_rule *rule = &script->rules[script->rule_count - 1];
	if (strncmp(line, "an ", 3) == 0)
		return rule_record(rule, 0, line + 3);
	if (strncmp(line, "au ", 3) == 0)
		return rule_record(rule, 1, line + 3);
	if (strncmp(line, "ar ", 3) == 0)
		return rule_record(rule, 2, line + 3);
	return -1;
}

struct script *script_load(const char *path)
{
	FILE *f = fopen(path, "re");
	struct script *script = calloc(1, sizeof(*script));
	char *line = NULL;
	size_t cap = 0;
	int number = 0, bad = 0;

	if (!f || !script) {
		perror(path);
		bad = 1;
	}
	while (!bad && getline(&line, &cap, f) >= 0) {
		number++;
		if (script_line(script, line) < 0) {
			fprintf(stderr, "%s:%d: cannot read this line\n", path, number);
			bad = 1;
		}
	}
	free(line);
	if (f)
		fclose(f);
	if (!bad)
		return script;
	script_free(script);
	return NULL;
}

void script_free(struct script *script)
{
	if (!script)
		return;
	for (size_t i = 0; i < script->rule_count; i++) {
		struct script_rule *rule = &script->rules[i];
		for (size_t k = 0; k < rule->record_count; k++)
			free(rule->records[k].text);
		free(rule->raw);
		free(rule->name);
	}
	free(script->rules);
	free(script);
}

/* How well a rule fits: 0 not at all, else the better the longer; an exact name beats all. */
static size_t rule_fit(const struct script_rule *rule, const char *name)
{
	size_t n = strlen(name), s = strlen(rule->name);

	if (!rule->wildcard)
		return strcmp(name, rule->name) == 0 ? 1000 : 0;
	if (strcmp(rule->name, ".") == 0)
		return 1;
	if (n <= s + 1 || name[n - s - 1] != '.' || strcmp(name + n - s, rule->name) != 0)
		return 0;
	return s + 1;
}

static bool rule_has_type(const struct script_rule *rule, uint16_t type)
{
	for (size_t i = 0; i < rule->type_count; i++)
		if (rule->types[i] == type)
			return true;
	return rule->type_count == 0;
}

struct script_rule *script_find(struct script *script, const char *name, uint16_t type,
				unsigned have)
{
	struct script_rule *best = NULL;
	size_t best_fit = 0;

	for (size_t i = 0; i < script->rule_count; i++) {
		struct script_rule *rule = &script->rules[i];
		unsigned want = rule->flags & IF_MASK;
		size_t fit = rule_fit(rule, name);

		if (fit <= best_fit || rule->times == 0 || (want & have) != want ||
		    !rule_has_type(rule, type))
			continue;
		best = rule;
		best_fit = fit;
	}
	if (best && best->times > 0)
		best->times--;
	return best;
}

int script_expand(const struct script_rule *rule, const char *text, const char *name, char *out,
		  size_t out_len)
{
	size_t n = 0, left = strlen(name);

	if (rule && rule->wildcard && strcmp(rule->name, ".") != 0 && left > strlen(rule->name))
		left -= strlen(rule->name) + 1;
	else if (left > 1)
		left--;
	for (; *text; text++) {
		const char *from = text;
		size_t len = 1;
		if (strncmp(text, "$Q", 2) == 0) {
			from = name;
			len = strlen(name);
			text++;
		} else if (strncmp(text, "$L", 2) == 0) {
			from = name;
			len = left;
			text++;
		}
		if (n + len >= out_len)
			return -1;
		memcpy(out + n, from, len);
		n += len;
	}
	out[n] = '\0';
	return 0;
}
