/* SPDX-License-Identifier: MIT */
/*
 * The batch mode of the test client.
 *
 * The big tables ask thousands of questions; a process for each would take minutes and
 * would hide the orders of events that matter. So one process reads questions, commands for the
 * scripted upstream and expectations from one file and works through it line by line. An
 * expectation is checked when the next line that is none begins: then all its record
 * lines are known. A case fails once, with what was asked, expected and got, and goes on.
 */
#include "batch.h"

#include "question.h"
#include "toolnet.h"

#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define MAX_WORDS 24
#define MAX_LABELS 128
#define MAX_EXPECTED 128

struct pending {
	char label[32];
	char asked[512];
	struct question q;
	bool sent;
};

struct batch {
	const char *file;
	int line, failed, timeout_ms;
	char mark[64];
	struct sockaddr_storage server;
	socklen_t server_len;
	char name[512];
	bool in_case, case_failed;
	struct pending pending[MAX_LABELS];
	char asked[512]; /* the last question, for reports */
	char *got;       /* the last reply as text */
	bool checking;
	char head[256];
	size_t expected_count;
	char expected[MAX_EXPECTED][1024];
};

static void fail(struct batch *b, const char *what, const char *detail)
{
	if (!b->case_failed)
		printf("not ok - %s\n", b->name);
	b->case_failed = true;
	printf("# %s:%d: %s%s%s\n", b->file, b->line, what, detail && *detail ? ": " : "",
	       detail ? detail : "");
	fflush(stdout);
}

static void case_end(struct batch *b)
{
	if (!b->in_case)
		return;
	if (!b->case_failed)
		printf("ok - %s\n", b->name);
	b->failed += b->case_failed;
	b->in_case = false;
}

/* Compares word by word; the second word of a record is its TTL. */
static bool record_matches(const char *want, const char *got)
{
	for (int word = 0;; word++) {
		want += strspn(want, " \t");
		got += strspn(got, " ");
		size_t n = strcspn(want, " \t"), m = strcspn(got, " ");
		if (n == 0 || m == 0)
			return n == m;
		if (n == 1 && *want == '*') {
			/* any word */
		} else if (word == 2 && *want == '<') {
			if (strtoul(got, NULL, 10) > strtoul(want + 1, NULL, 10))
				return false;
		} else if (n != m || strncasecmp(want, got, n) != 0) {
			return false;
		}
		want += n;
		got += m;
	}
}

static bool has_word(const char *line, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = line; (p = strstr(p, word)); p += n)
		if ((p == line || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
			return true;
	return false;
}

static bool head_matches(const char *want, const char *got_line)
{
	char copy[256], *save = NULL;
	bool first = true;

	snprintf(copy, sizeof(copy), "%s", want);
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		if (first) {
			size_t n = strlen(w);
			if (strncmp(got_line, w, n) != 0 ||
			    (got_line[n] != ' ' && got_line[n] != '\0'))
				return false;
		} else if (strcmp(w, "ede=any") == 0) {
			if (!strstr(got_line, " ede="))
				return false;
		} else if (strcmp(w, "-ede") == 0) {
			if (strstr(got_line, " ede="))
				return false;
		} else if (has_word(got_line, w[0] == '-' ? w + 1 : w) == (w[0] == '-')) {
			return false;
		}
		first = false;
	}
	return true;
}

/* One section: lines of `got` that begin with its word against the expected ones. */
static bool section_matches(struct batch *b, const char *word, char **lines, size_t line_count)
{
	bool used[MAX_EXPECTED] = { false };
	size_t want_count = 0, got_count = 0;
	bool optional = strcmp(word, "ar") == 0;

	for (size_t i = 0; i < b->expected_count; i++) {
		if (strncmp(b->expected[i], word, 2) != 0)
			continue;
		if (strcmp(b->expected[i] + 2, " ~") == 0)
			return true;
		want_count++;
	}
	if (optional && want_count == 0)
		return true;
	for (size_t k = 0; k < line_count; k++) {
		if (strncmp(lines[k], word, 2) != 0)
			continue;
		got_count++;
		bool found = false;
		for (size_t i = 0; i < b->expected_count && !found; i++) {
			char *e = b->expected[i];
			if (used[i] || strncmp(e, word, 2) != 0)
				continue;
			bool any_order = strncmp(e + 2, " ? ", 3) == 0;
			char plain[1024];
			snprintf(plain, sizeof(plain), "%s %s", word, e + (any_order ? 5 : 3));
			found = used[i] = record_matches(plain, lines[k]);
			if (!any_order)
				break;
		}
		if (!found)
			return false;
	}
	return want_count == got_count;
}

static void check_end(struct batch *b)
{
	char *lines[512], *save = NULL;
	size_t n = 0;

	if (!b->checking)
		return;
	b->checking = false;
	if (!b->got)
		return; /* said already */
	char *copy = strdup(b->got);
	for (char *l = strtok_r(copy, "\n", &save); l && n < 512; l = strtok_r(NULL, "\n", &save))
		lines[n++] = l;
	if (n == 0 || !head_matches(b->head, lines[0]) ||
	    !section_matches(b, "an", lines + 1, n - 1) ||
	    !section_matches(b, "au", lines + 1, n - 1) ||
	    !section_matches(b, "ar", lines + 1, n - 1)) {
		fail(b, "another answer", b->asked);
		printf("#   expected = %s\n", b->head);
		for (size_t i = 0; i < b->expected_count; i++)
			printf("#     %s\n", b->expected[i]);
		printf("#   got\n");
		for (size_t i = 0; i < n; i++)
			printf("#     %s\n", lines[i]);
		fflush(stdout);
	}
	free(copy);
}

static int words_of(char *line, char **words)
{
	char *save = NULL;
	int n = 0;

	for (char *w = strtok_r(line, " \t", &save); w && n < MAX_WORDS;
	     w = strtok_r(NULL, " \t", &save))
		words[n++] = w;
	return n;
}

static void reply_take(struct batch *b, struct question *q)
{
	free(b->got);
	b->got = NULL;
	int rc = question_wait(q, b->timeout_ms);
	if (rc != 0) {
		fail(b, rc > 0 ? "no reply" : "the connection failed", b->asked);
		return;
	}
	const char *wrong = question_check(q);
	b->got = question_text(q);
	if (wrong) {
		fail(b, wrong, b->asked);
		printf("#   got %s\n", b->got ? b->got : "");
	}
}

static int do_ask(struct batch *b, char *rest)
{
	char *words[MAX_WORDS];
	struct question q;

	snprintf(b->asked, sizeof(b->asked), "%s", rest);
	int n = words_of(rest, words);
	if (question_parse(&q, &b->server, b->server_len, n, words) < 0)
		return -1;
	if (question_send(&q) < 0) {
		free(b->got);
		b->got = NULL;
		fail(b, "cannot send", b->asked);
	} else {
		reply_take(b, &q);
	}
	question_fini(&q);
	return 0;
}

static struct pending *pending_find(struct batch *b, const char *label)
{
	for (size_t i = 0; i < MAX_LABELS; i++)
		if (b->pending[i].sent && strcmp(b->pending[i].label, label) == 0)
			return &b->pending[i];
	return NULL;
}

static int do_async(struct batch *b, char *rest)
{
	char *words[MAX_WORDS];
	struct pending *p = NULL;

	for (size_t i = 0; i < MAX_LABELS && !p; i++)
		if (!b->pending[i].sent)
			p = &b->pending[i];
	if (!p)
		return -1;
	snprintf(p->asked, sizeof(p->asked), "%s", rest);
	int n = words_of(rest, words);
	if (n < 3 || question_parse(&p->q, &b->server, b->server_len, n - 1, words + 1) < 0)
		return -1;
	snprintf(p->label, sizeof(p->label), "%s", words[0]);
	p->sent = true;
	if (question_send(&p->q) < 0)
		fail(b, "cannot send", p->asked);
	return 0;
}

static int do_wait(struct batch *b, const char *label)
{
	struct pending *p = pending_find(b, label);

	if (!p)
		return -1;
	snprintf(b->asked, sizeof(b->asked), "%s", p->asked);
	reply_take(b, &p->q);
	question_fini(&p->q);
	p->sent = false;
	return 0;
}

/* Nothing has come for LABEL. Says something only because the caller has waited for another
 * event. */
static int do_idle(struct batch *b, const char *label)
{
	struct pending *p = pending_find(b, label);

	if (!p)
		return -1;
	if (question_wait(&p->q, 1) == 0)
		fail(b, "a reply came too early", p->asked);
	return 0;
}

/* A query that gets no reply, and on the same socket after it one that does: order in
 * one flow is kept, so the second reply proves that the first was never sent. */
static int do_silent(struct batch *b, char *rest)
{
	char *words[MAX_WORDS];
	char fence_text[] = "udp localhost. A";
	char *fence_words[MAX_WORDS];
	struct question q, fence;

	snprintf(b->asked, sizeof(b->asked), "%s", rest);
	int n = words_of(rest, words);
	if (question_parse(&q, &b->server, b->server_len, n, words) < 0 ||
	    question_parse(&fence, &q.server, q.server_len, words_of(fence_text, fence_words),
			   fence_words) < 0)
		return -1;
	if (question_send(&q) == 0) {
		uint8_t reply[4096] = { 0 };
		struct pollfd p = { .fd = q.fd, .events = POLLIN };
		sendto(q.fd, fence.query, fence.query_len, 0, (struct sockaddr *)&q.server,
		       q.server_len);
		if (poll(&p, 1, b->timeout_ms) != 1 || recv(q.fd, reply, sizeof(reply), 0) < 2)
			fail(b, "no reply to the query after it", b->asked);
		else if (memcmp(reply, fence.query, 2) != 0)
			fail(b, "a reply to what must be dropped", b->asked);
	}
	question_fini(&q);
	return 0;
}

static int do_ctl(struct batch *b, char *rest, bool await)
{
	char reply[65536], *wanted = NULL;
	char *command = strchr(rest, ' ');
	uint64_t deadline = tool_now_ms() + 20000; /* a loaded machine, not a rule */

	if (!command)
		return -1;
	*command++ = '\0';
	if (await) {
		wanted = strstr(command, " = ");
		if (!wanted)
			return -1;
		*wanted = '\0';
		wanted += 3;
	}
	for (;;) {
		if (tool_ctl(rest, command, reply, sizeof(reply)) < 0) {
			fail(b, "fakeup does not answer", command);
			return 0;
		}
		if (!wanted || strcmp(reply, wanted) == 0)
			break;
		if (tool_now_ms() > deadline) {
			fail(b, "waited in vain", command);
			printf("#   it is %s, not %s\n", reply, wanted);
			return 0;
		}
		usleep(1000);
	}
	if (!wanted && strncmp(reply, "error", 5) == 0)
		fail(b, command, reply);
	return 0;
}

static int do_count(struct batch *b, char *rest)
{
	char *words[MAX_WORDS], command[512], reply[65536], what[1200];
	int n = words_of(rest, words);

	if (n < 3)
		return -1;
	if (strcmp(words[2], "total") == 0)
		snprintf(command, sizeof(command), "count");
	else
		snprintf(command, sizeof(command), "count %s%s%s", words[2], n > 3 ? " " : "",
			 n > 3 ? words[3] : "");
	if (tool_ctl(words[0], command, reply, sizeof(reply)) < 0) {
		fail(b, "fakeup does not answer", command);
	} else if (strcmp(reply, words[1]) != 0) {
		snprintf(what, sizeof(what), "%s is %.20s, expected %s", command, reply, words[1]);
		fail(b, "upstream queries", what);
		if (strcmp(words[2], "total") == 0 &&
		    tool_ctl(words[0], "counts", reply, sizeof(reply)) == 0) {
			for (char *p = strtok(reply, "\n"); p; p = strtok(NULL, "\n"))
				printf("#   %s\n", p);
		}
	}
	return 0;
}

static int do_mark(struct batch *b, const char *socket_path, bool compare)
{
	char reply[64];

	if (tool_ctl(socket_path, "count", reply, sizeof(reply)) < 0)
		fail(b, "fakeup does not answer", "count");
	else if (!compare)
		snprintf(b->mark, sizeof(b->mark), "%s", reply);
	else if (strcmp(b->mark, reply) != 0) {
		fail(b, "upstream was asked", "");
		printf("#   %s queries before, %s now\n", b->mark, reply);
	}
	return 0;
}

static int do_expect(struct batch *b, const char *verb, const char *line)
{
	if (strcmp(verb, "=") == 0) {
		check_end(b);
		snprintf(b->head, sizeof(b->head), "%s", line + 2);
		b->expected_count = 0;
		b->checking = true;
		return 0;
	}
	if (!b->checking || b->expected_count == MAX_EXPECTED)
		return -1;
	snprintf(b->expected[b->expected_count++], sizeof(b->expected[0]), "%s", line);
	return 0;
}

static int do_line(struct batch *b, char *line)
{
	char verb[16] = "";
	size_t n = strcspn(line, " ");
	char *rest = line + n + (line[n] == ' ');

	snprintf(verb, sizeof(verb), "%.*s", (int)(n < 15 ? n : 15), line);
	if (strcmp(verb, "=") == 0 || strcmp(verb, "an") == 0 || strcmp(verb, "au") == 0 ||
	    strcmp(verb, "ar") == 0)
		return do_expect(b, verb, line);
	check_end(b);
	if (strcmp(verb, "server") == 0)
		return tool_addr_parse(rest, &b->server, &b->server_len);
	if (strcmp(verb, "timeout") == 0) {
		b->timeout_ms = atoi(rest);
		return 0;
	}
	if (strcmp(verb, "case") == 0) {
		case_end(b);
		snprintf(b->name, sizeof(b->name), "%s", rest);
		b->in_case = true;
		b->case_failed = false;
		return 0;
	}
	if (strcmp(verb, "q") == 0)
		return do_ask(b, rest);
	if (strcmp(verb, "a") == 0)
		return do_async(b, rest);
	if (strcmp(verb, "w") == 0)
		return do_wait(b, rest);
	if (strcmp(verb, "idle") == 0)
		return do_idle(b, rest);
	if (strcmp(verb, "silent") == 0)
		return do_silent(b, rest);
	if (strcmp(verb, "ctl") == 0 || strcmp(verb, "await") == 0)
		return do_ctl(b, rest, verb[0] == 'a');
	if (strcmp(verb, "count") == 0)
		return do_count(b, rest);
	if (strcmp(verb, "mark") == 0 || strcmp(verb, "unmoved") == 0)
		return do_mark(b, rest, verb[0] == 'u');
	if (strcmp(verb, "drop") == 0) {
		question_drop_kept();
		return 0;
	}
	if (strcmp(verb, "run") == 0) {
		if (system(rest) != 0)
			fail(b, "this command failed", rest);
		return 0;
	}
	return -1;
}

int batch_run(FILE *in, const char *file_name)
{
	struct batch *b = calloc(1, sizeof(*b));
	char *line = NULL;
	size_t cap = 0;
	int rc = 0;

	if (!b)
		return -1;
	b->file = file_name;
	b->timeout_ms = 10000;
	while (rc == 0 && getline(&line, &cap, in) >= 0) {
		b->line++;
		line[strcspn(line, "\r\n")] = '\0';
		char *text = line + strspn(line, " \t");
		if (*text == '\0' || *text == '#')
			continue;
		if (do_line(b, text) < 0) {
			printf("not ok - %s:%d: cannot read this line: %s\n", file_name, b->line,
			       text);
			rc = -1;
		}
	}
	if (rc == 0) {
		check_end(b);
		case_end(b);
		rc = b->failed;
	}
	for (size_t i = 0; i < MAX_LABELS; i++)
		if (b->pending[i].sent)
			question_fini(&b->pending[i].q);
	question_drop_kept();
	free(b->got);
	free(line);
	free(b);
	return rc;
}
