/* SPDX-License-Identifier: MIT */
/*
 * The table of forwarding loops, on a clock of the test's own, over upstreams that are a list here:
 * which sends which zone back, and what it answers.
 */
#include "forward/loopnames.h"
#include "forward/looptable.h"
#include "unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "net/addr.h"

#define CORP "10.0.0.10"
#define OTHER "10.0.0.11"

/* What an upstream does with a probe below `zone`; the longest zone counts. */
struct habit {
	const char *upstream, *zone;
	bool back; /* the probe comes back to us */
	enum loop_outcome outcome;
};

static struct upstreams *upstreams;
static struct looptable *table;
static uint64_t now_ms;
static const struct habit *habits;
static unsigned sent, told_marked, told_well;
static struct loop_mark told;
static char told_zone[NAME_TEXT_MAX];
static union addr from, to;

static struct name name_of(const char *text)
{
	struct name name;

	ck_assert_msg(name_from_text(&name, text, strlen(text)) == 0, "%s", text);
	return name;
}

static union addr addr_of(const char *text)
{
	union addr addr;

	ck_assert_int_eq(addr_parse(&addr, text, 53), 0);
	return addr;
}

static uint16_t group_of(const char *zone, const char *a, const char *b)
{
	struct upstream_conf upstream[2] = { { .addr = addr_of(a) } };
	struct name name = name_of(zone);
	struct upstream_group_conf conf = { .zone = &name, .upstreams = upstream, .count = 1 };
	uint16_t group;

	if (b) {
		upstream[1].addr = addr_of(b);
		conf.count = 2;
	}
	ck_assert_int_eq(upstreams_group(upstreams, &conf, &group, NULL), 0);
	return group;
}

static void add(const char *zone, uint16_t group)
{
	struct name name = name_of(zone);

	ck_assert_int_eq(looptable_follow_add(table, &name, group, NULL), 0);
}

static void commit(void)
{
	ck_assert_int_eq(looptable_follow_commit(table, now_ms, NULL), 0);
	looptable_follow_begin(table);
}

/* Probes under way, at most. */
#define UNDERWAY 6

static void setup(void)
{
	upstreams = upstreams_new();
	table = looptable_new(upstreams, UNDERWAY);
	ck_assert_ptr_nonnull(table);
	now_ms = 1000000;
	from = addr_of("10.0.0.99@4711");
	to = addr_of("10.0.0.5");
	looptable_follow_begin(table);
}

static void teardown(void)
{
	looptable_free(table);
	upstreams_free(upstreams);
}

static const struct habit *habit_of(const struct loop_probe *probe)
{
	union addr addr = *upstream_addr(upstreams, probe->upstream);
	const struct habit *habit, *best = NULL;
	struct name zone;

	for (habit = habits; habit && habit->upstream; habit++) {
		union addr host = addr_of(habit->upstream);

		zone = name_of(habit->zone);
		if (addr_same_host(&host, &addr) && name_ends_with(&probe->name, &zone) &&
		    (!best || strlen(habit->zone) > strlen(best->zone)))
			best = habit;
	}
	return best;
}

static void hear(void)
{
	bool marked;

	while (looptable_change(table, &marked, &told)) {
		*(marked ? &told_marked : &told_well) += 1;
		name_to_text(told.zone, told_zone);
	}
}

/* Lets time pass, with every probe answered at once. */
static void pass(uint64_t ms)
{
	uint64_t end_ms = now_ms + ms, wait_ms;
	struct loop_probe probe;

	while (now_ms <= end_ms) {
		const struct habit *habit;

		if (!looptable_next(table, now_ms, &probe, &wait_ms)) {
			hear();
			ck_assert_uint_gt(wait_ms, 0);
			if (wait_ms > end_ms - now_ms)
				break;
			now_ms += wait_ms;
			continue;
		}
		sent++;
		habit = habit_of(&probe);
		if (habit && habit->back)
			ck_assert(
				looptable_probe_came_back(table, &probe.name, &from, &to, now_ms));
		looptable_ended(table, probe.token, habit ? habit->outcome : LOOP_ANSWERED, now_ms);
	}
	now_ms = end_ms;
}

static uint32_t without(const char *text, uint16_t group, bool *ret_nobody)
{
	struct name name = name_of(text);
	bool nobody;

	return looptable_without(table, &name, group, ret_nobody ? ret_nobody : &nobody);
}

static bool came_back(const char *text, uint16_t group, uint32_t asked, const char *host, bool here)
{
	struct name name = name_of(text);
	union addr addr = addr_of(host);

	return looptable_came_back(table, &name, group, asked, &addr, here, now_ms);
}

START_TEST(nothing_is_known)
{
	uint16_t group = group_of(".", CORP, NULL);
	struct loop_probe probe;
	struct loop_counts counts;
	uint64_t wait_ms;
	union addr corp = addr_of(CORP "@999"), mapped = addr_of("::ffff:10.0.0.10");

	ck_assert(!looptable_next(table, now_ms, &probe, &wait_ms));
	ck_assert_uint_eq(wait_ms, UINT64_MAX);
	ck_assert_uint_eq(without("a.example", group, NULL), 0);
	ck_assert(!looptable_may_be_peer(table, &corp));
	/* A suspicion before there is a configuration. */
	ck_assert(came_back("a.example", group, 1, CORP, false));
	ck_assert(!came_back("a.example", group, 1, CORP, true));
	add(".", group);
	commit();
	ck_assert(looptable_may_be_peer(table, &corp));
	ck_assert(looptable_may_be_peer(table, &mapped));
	ck_assert(!looptable_may_be_peer(table, &to));
	looptable_counts(table, &counts);
	ck_assert_uint_eq(counts.pairs, 1);
	ck_assert_uint_eq(counts.unsuspected, 2);
}
END_TEST

START_TEST(each_pair_is_probed_once_and_not_at_once)
{
	uint16_t group = group_of(".", CORP, OTHER);
	uint64_t begin_ms = now_ms;
	char zone[32];
	unsigned i;

	for (i = 0; i < 100; i++) {
		snprintf(zone, sizeof(zone), "zone%u.example", i % 50);
		add(zone, group);
	}
	commit();
	pass(99 * LOOPTABLE_GAP_MS - 1);
	ck_assert_uint_eq(sent, 99);
	pass(LOOPTABLE_GAP_MS);
	ck_assert_uint_eq(sent, 100);
	pass(1000000);
	ck_assert_uint_eq(sent, 100);
	ck_assert_uint_gt(now_ms, begin_ms);
	ck_assert_uint_eq(told_marked + told_well, 0);
}
END_TEST

START_TEST(few_are_under_way)
{
	uint16_t group = group_of(".", CORP, NULL);
	struct loop_probe probe[UNDERWAY + 1];
	struct loop_counts counts;
	uint64_t wait_ms;
	char zone[32];
	unsigned i;

	for (i = 0; i < 2 * UNDERWAY; i++) {
		snprintf(zone, sizeof(zone), "zone%u.example", i);
		add(zone, group);
	}
	commit();
	for (i = 0; i < UNDERWAY; i++) {
		ck_assert(looptable_next(table, now_ms, &probe[i], &wait_ms));
		now_ms += LOOPTABLE_GAP_MS;
	}
	looptable_counts(table, &counts);
	ck_assert_uint_eq(counts.held_back, 0);
	for (unsigned again = 0; again < 3; again++) {
		ck_assert(!looptable_next(table, now_ms, &probe[i], &wait_ms));
		ck_assert_uint_eq(wait_ms, UINT64_MAX);
	}
	looptable_ended(table, probe[0].token, LOOP_ANSWERED, now_ms);
	ck_assert(looptable_next(table, now_ms, &probe[i], &wait_ms));
	/* Once, however often it was tried. */
	looptable_counts(table, &counts);
	ck_assert_uint_eq(counts.held_back, 1);
}
END_TEST

START_TEST(names_of_probes)
{
	uint16_t group = group_of(".", CORP, NULL);
	struct loop_probe first, second;
	struct name name;
	uint64_t wait_ms;
	unsigned i;
	bool nobody;

	add(".", group);
	add("blob.core.windows.net", group);
	commit();
	ck_assert(looptable_next(table, now_ms, &first, &wait_ms));
	now_ms += LOOPTABLE_GAP_MS;
	ck_assert(looptable_next(table, now_ms, &second, &wait_ms));
	/* Not a single label: some servers keep those for themselves. */
	ck_assert_uint_eq(first.name.labels, 2);
	ck_assert_uint_eq(second.name.labels, 5);
	/* Another random part, another slot, no probe's name at all. */
	name = first.name;
	name.fold[20] = name.fold[20] == '0' ? '1' : '0';
	ck_assert(!looptable_probe_came_back(table, &name, &from, &to, now_ms));
	name = first.name;
	name.fold[1 + 11] = 'f';
	ck_assert(!looptable_probe_came_back(table, &name, &from, &to, now_ms));
	name.fold[1 + 11] = 'g';
	ck_assert(!looptable_probe_came_back(table, &name, &from, &to, now_ms));
	name = name_of("www.example");
	ck_assert(!looptable_probe_came_back(table, &name, &from, &to, now_ms));
	name = name_of("loop-probe-00-00000000000000000000000000000000.example");
	ck_assert(!looptable_probe_came_back(table, &name, &from, &to, now_ms));
	/* In whatever case, and in any zone: somebody may have rewritten it. */
	for (i = 0; i < second.name.len; i++) {
		if (second.name.wire[i] >= 'a' && second.name.wire[i] <= 'z')
			second.name.wire[i] = (uint8_t)(second.name.wire[i] - 32);
	}
	ck_assert_int_eq(name_from_wire(&name, second.name.wire, second.name.len), 0);
	ck_assert(looptable_probe_came_back(table, &name, &from, &to, now_ms));
	looptable_ended(table, first.token, LOOP_ANSWERED, now_ms);
	looptable_ended(table, second.token, LOOP_SERVFAIL, now_ms);
	hear();
	ck_assert_uint_eq(told_marked, 1);
	ck_assert_str_eq(told_zone, "blob.core.windows.net");
	/* Late, when its answer was given up long since. */
	ck_assert(looptable_probe_came_back(table, &first.name, &from, &to, now_ms));
	ck_assert_uint_eq(without("x.example", group, &nobody), 0);
	ck_assert_uint_eq(without("x.example", group_of(".", CORP, OTHER), &nobody), 1);
	pass(LOOPTABLE_AGAIN_MIN_MS);
	ck_assert_uint_eq(without("x.example", group_of(".", CORP, OTHER), &nobody), 0);
	ck_assert_uint_eq(told_marked, 1);
}
END_TEST

/* Whoever reads an old name in somebody's log, and asks for it, sets nobody aside. */
START_TEST(names_run_out)
{
	uint16_t group = group_of(".", CORP, NULL);
	struct loop_probe probe;
	uint64_t wait_ms;
	bool nobody;

	add(".", group);
	commit();
	ck_assert(looptable_next(table, now_ms, &probe, &wait_ms));
	looptable_ended(table, probe.token, LOOP_ANSWERED, now_ms);
	now_ms += LOOPTABLE_NAME_MS;
	/* Still ours, and not to be asked for; but no proof of anything. */
	ck_assert(looptable_probe_came_back(table, &probe.name, &from, &to, now_ms));
	hear();
	ck_assert_uint_eq(told_marked, 0);
	ck_assert_uint_eq(without("x.example", group_of(".", CORP, OTHER), &nobody), 0);
	ck_assert(!looptable_may_be_peer(table, &from));
	pass(LOOPTABLE_AGAIN_MIN_MS);
	ck_assert_uint_eq(sent, 0);
}
END_TEST

START_TEST(a_zone_that_comes_back)
{
	static const struct habit loops[] = {
		{ CORP, "blob.core.windows.net", true, LOOP_SERVFAIL },
		{ 0 },
	};
	uint16_t group = group_of(".", CORP, NULL), corp = group_of("corp.example", CORP, NULL);
	struct loop_mark mark;
	uint64_t began_ms;
	bool nobody;

	add(".", group);
	add("corp.example", corp);
	add("blob.core.windows.net", group);
	add("privatelink.blob.core.windows.net", group);
	habits = loops;
	commit();
	pass(1000);
	ck_assert_uint_eq(told_marked, 1);
	ck_assert_str_eq(told_zone, "blob.core.windows.net");
	ck_assert(addr_equal(&told.from, &from));
	ck_assert(addr_equal(&told.to, &to));
	ck_assert(!told.answers);
	ck_assert(looptable_mark_at(table, 0, &mark));
	ck_assert(!looptable_mark_at(table, 1, &mark));
	ck_assert_uint_eq(without("x.Blob.core.windows.net", group, &nobody), 1);
	ck_assert(nobody);
	ck_assert_uint_eq(without("x.privatelink.blob.core.windows.net", group, &nobody), 1);
	ck_assert_uint_eq(without("blob.core.windows.net", group, &nobody), 1);
	ck_assert_uint_eq(without("core.windows.net", group, &nobody), 0);
	ck_assert(!nobody);
	ck_assert_uint_eq(without("xblob.core.windows.net", group, &nobody), 0);
	ck_assert_uint_eq(without("www.corp.example", corp, &nobody), 0);
	/* The address that it comes back from is known now. */
	ck_assert(looptable_may_be_peer(table, &from));
	ck_assert(came_back("x.blob.core.windows.net", group, 1, "10.0.0.99", false));
	/* Within seconds it is well again. */
	began_ms = now_ms;
	habits = NULL;
	while (told_well == 0)
		pass(100);
	ck_assert_uint_le(now_ms - began_ms, LOOPTABLE_AGAIN_MAX_MS + 100);
	ck_assert_str_eq(told_zone, "blob.core.windows.net");
	ck_assert_uint_eq(without("x.blob.core.windows.net", group, &nobody), 0);
	pass(100000);
	ck_assert_uint_eq(without("x.privatelink.blob.core.windows.net", group, &nobody), 0);
	ck_assert_uint_eq(told_marked, 1);
	ck_assert_uint_eq(told_well, 1);
}
END_TEST

START_TEST(probed_again_ever_more_seldom)
{
	static const struct habit loops[] = { { CORP, ".", true, LOOP_SERVFAIL }, { 0 } };
	uint16_t group = group_of(".", CORP, NULL);
	unsigned before;

	add(".", group);
	habits = loops;
	commit();
	pass(60000);
	before = sent;
	ck_assert_uint_ge(sent, 10);
	ck_assert_uint_le(sent, 20);
	pass(10 * LOOPTABLE_AGAIN_MAX_MS);
	ck_assert_uint_eq(sent - before, 10);
	ck_assert_uint_eq(told_marked, 1);
}
END_TEST

/* The probe of `.` takes its time: still one line. */
START_TEST(the_inner_zone_first)
{
	uint16_t group = group_of(".", CORP, NULL);
	struct loop_probe outer, inner;
	uint64_t wait_ms;

	add(".", group);
	add("a.example", group);
	commit();
	ck_assert(looptable_next(table, now_ms, &outer, &wait_ms));
	now_ms += LOOPTABLE_GAP_MS;
	ck_assert(looptable_next(table, now_ms, &inner, &wait_ms));
	ck_assert(looptable_probe_came_back(table, &inner.name, &from, &to, now_ms));
	looptable_ended(table, inner.token, LOOP_SERVFAIL, now_ms);
	hear();
	ck_assert_uint_eq(told_marked, 0);
	ck_assert(looptable_probe_came_back(table, &outer.name, &from, &to, now_ms));
	looptable_ended(table, outer.token, LOOP_SERVFAIL, now_ms);
	hear();
	ck_assert_uint_eq(told_marked, 1);
	ck_assert_str_eq(told_zone, ".");
}
END_TEST

START_TEST(one_of_two_and_both)
{
	static const struct habit one[] = { { CORP, ".", true, LOOP_SERVFAIL }, { 0 } };
	static const struct habit both[] = {
		{ CORP, ".", true, LOOP_SERVFAIL },
		{ OTHER, "blob.core.windows.net", true, LOOP_SERVFAIL },
		{ 0 },
	};
	uint16_t group = group_of(".", CORP, OTHER);
	bool nobody;

	add(".", group);
	add("blob.core.windows.net", group);
	habits = one;
	commit();
	pass(1000);
	/* One line: the one zone lies within the other. */
	ck_assert_uint_eq(told_marked, 1);
	ck_assert_uint_eq(without("x.example", group, &nobody), 1);
	ck_assert_uint_eq(without("x.blob.core.windows.net", group, &nobody), 1);
	ck_assert(!nobody);
	habits = both;
	ck_assert(came_back("x.blob.core.windows.net", group, 2, OTHER, false));
	pass(LOOPTABLE_SUSPECT_AGAIN_MS);
	ck_assert(came_back("x.blob.core.windows.net", group, 2, OTHER, false));
	pass(1000);
	ck_assert_uint_eq(told_marked, 2);
	ck_assert_uint_eq(without("x.blob.core.windows.net", group, &nobody), 3);
	ck_assert(nobody);
	/* Who has `.` come back may have zones of its own: asked when nobody else is left. */
	ck_assert_uint_eq(without("x.example", group, &nobody), 1);
	ck_assert(!nobody);
}
END_TEST

START_TEST(the_root_alone)
{
	static const struct habit loops[] = {
		{ CORP, ".", true, LOOP_SERVFAIL },
		{ CORP, "corp.example", false, LOOP_ANSWERED },
		{ 0 },
	};
	uint16_t group = group_of(".", CORP, NULL);
	struct loop_mark mark;
	bool nobody;

	add(".", group);
	add("corp.example", group);
	habits = loops;
	commit();
	pass(1000);
	ck_assert(looptable_mark_at(table, 0, &mark));
	ck_assert(mark.answers);
	ck_assert_uint_eq(without("x.example", group, &nobody), 0);
	ck_assert(!nobody);
	/* But the question that comes back is refused, even where others ask from there. */
	ck_assert(came_back("x.example", group, 1, CORP, true));
	ck_assert(!came_back("x.corp.example", group, 1, CORP, true));
	ck_assert(!came_back("x.example", group, 0, CORP, false));
	ck_assert(!came_back("x.example", group, 1, OTHER, false));
}
END_TEST

START_TEST(answers_all_the_same)
{
	static const struct habit first[] = { { CORP, "a.example", true, LOOP_ANSWERED }, { 0 } };
	static const struct habit refused[] = { { CORP, "a.example", true, LOOP_REFUSED }, { 0 } };
	uint16_t group = group_of(".", CORP, NULL);
	bool nobody;

	add("a.example", group);
	habits = first;
	commit();
	pass(1000);
	ck_assert_uint_eq(told_marked, 1);
	ck_assert(told.answers);
	ck_assert_uint_eq(without("x.a.example", group, &nobody), 0);
	ck_assert(!nobody);
	habits = refused;
	pass(LOOPTABLE_AGAIN_MAX_MS);
	ck_assert_uint_eq(without("x.a.example", group, &nobody), 1);
	ck_assert(nobody);
	ck_assert_uint_eq(told_marked, 1);
}
END_TEST

START_TEST(a_suspicion_finds_the_zone)
{
	static const struct habit loops[] = {
		{ CORP, "lab.example", true, LOOP_SERVFAIL },
		{ 0 },
	};
	uint16_t group = group_of(".", CORP, NULL);
	struct loop_counts counts;
	bool nobody;

	add(".", group);
	commit();
	pass(LOOPTABLE_SUSPECT_AGAIN_MS);
	ck_assert_uint_eq(sent, 1);
	habits = loops;
	ck_assert(came_back("a.b.lab.example", group, 1, CORP, false));
	ck_assert_uint_eq(without("x.lab.example", group, &nobody), 0);
	pass(1000);
	ck_assert_uint_eq(told_marked, 1);
	ck_assert_str_eq(told_zone, "lab.example");
	ck_assert_uint_eq(without("x.lab.example", group, &nobody), 1);
	ck_assert_uint_eq(without("lab.example", group, &nobody), 1);
	ck_assert_uint_eq(without("xlab.example", group, &nobody), 0);
	/* `.`, example, lab.example; what lies below that needed no probe. */
	ck_assert_uint_eq(sent, 4);
	looptable_counts(table, &counts);
	ck_assert_uint_eq(counts.pairs, 3);
	ck_assert_uint_eq(counts.questions, 1);
	ck_assert_uint_eq(counts.returned, 1);
	habits = NULL;
	pass(LOOPTABLE_AGAIN_MAX_MS);
	ck_assert_uint_eq(told_well, 1);
	ck_assert_uint_eq(without("x.lab.example", group, &nobody), 0);
	/* Nothing is left of it. */
	pass(LOOPTABLE_SUSPECT_AGAIN_MS);
	pass(1);
	looptable_counts(table, &counts);
	ck_assert_uint_eq(counts.pairs, 1);
}
END_TEST

START_TEST(a_false_alarm)
{
	uint16_t group = group_of("example", CORP, NULL);
	struct loop_counts counts;
	unsigned before;

	add("example", group);
	commit();
	pass(LOOPTABLE_SUSPECT_AGAIN_MS);
	ck_assert(came_back("a.b.example", group, 1, CORP, false));
	ck_assert(came_back("a.c.example", group, 1, CORP, false)); /* too soon to be looked into */
	pass(1000);
	ck_assert_uint_eq(told_marked, 0);
	ck_assert_uint_eq(sent, 4); /* example twice, b.example, a.b.example */
	before = sent;
	/* Not again at once. */
	ck_assert(came_back("a.b.example", group, 1, CORP, false));
	pass(1000);
	ck_assert_uint_eq(sent, before);
	looptable_counts(table, &counts);
	ck_assert_uint_eq(counts.unsuspected, 1);
}
END_TEST

START_TEST(suspicions_are_few)
{
	uint16_t group = group_of(".", CORP, NULL);
	struct loop_counts counts;
	char name[64];
	unsigned i;

	add(".", group);
	commit();
	for (i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "a%u.b%u.c%u.d%u.e%u.f%u.g%u.example", i, i, i, i, i,
			 i, i);
		came_back(name, group, 1, CORP, false);
		now_ms += LOOPTABLE_SUSPECT_MS;
	}
	looptable_counts(table, &counts);
	ck_assert_uint_le(counts.pairs, 1 + LOOPTABLE_SUSPECTS_MAX);
	ck_assert_uint_gt(counts.unsuspected, 0);
	pass(100000);
	pass(1);
	looptable_counts(table, &counts);
	ck_assert_uint_eq(counts.pairs, 1);
}
END_TEST

START_TEST(silence)
{
	static const struct habit silent[] = { { CORP, ".", false, LOOP_SILENT }, { 0 } };
	static const struct habit loops[] = { { CORP, ".", true, LOOP_SERVFAIL }, { 0 } };
	uint16_t group = group_of(".", CORP, OTHER);
	char zone[32];
	bool nobody;
	unsigned i;

	for (i = 0; i < 20; i++) {
		snprintf(zone, sizeof(zone), "zone%u.example", i);
		add(zone, group);
	}
	habits = silent;
	commit();
	pass(20 * LOOPTABLE_GAP_MS + 1000);
	/* The other's probes do not wait for this one's, which are few. */
	ck_assert_uint_ge(sent, 21);
	ck_assert_uint_le(sent, 25);
	ck_assert_uint_eq(told_marked, 0);
	habits = loops;
	pass(LOOPTABLE_SILENT_MAX_MS + 1000);
	ck_assert_uint_eq(told_marked, 20);
	ck_assert_uint_eq(without("x.zone7.example", group, &nobody), 1);
	/* Silence is no reason to take a mark off. */
	habits = silent;
	pass(2 * LOOPTABLE_STALE_MS);
	ck_assert_uint_eq(told_well, 0);
	ck_assert_uint_eq(without("x.zone7.example", group, &nobody), 1);
}
END_TEST

/* A loop that begins later, from an address that nobody knows: questions end in silence. */
START_TEST(silence_of_a_question)
{
	static const struct habit loops[] = { { CORP, "a.example", true, LOOP_SERVFAIL }, { 0 } };
	uint16_t group = group_of(".", CORP, OTHER);
	static const struct habit silent[] = { { OTHER, ".", false, LOOP_SILENT },
					       { CORP, ".", true, LOOP_SILENT },
					       { 0 } };
	struct name name = name_of("x.y.a.example");
	struct loop_counts counts;
	unsigned before;

	add(".", group);
	add("a.example", group);
	add("b.example", group);
	commit();
	pass(LOOPTABLE_SUSPECT_AGAIN_MS);
	ck_assert_uint_eq(sent, 6);
	habits = loops;
	looptable_silent(table, &name, group, 1, now_ms);
	pass(1000);
	ck_assert_uint_eq(sent, 8);
	ck_assert_uint_eq(told_marked, 1);
	ck_assert_str_eq(told_zone, "a.example");
	/* Of what is not configured nothing is asked, and nothing again so soon. */
	looptable_silent(table, &name, group, 3, now_ms);
	pass(100);
	ck_assert_uint_eq(sent, 11); /* with the mark's own */
	looptable_silent(table, &name, group, 3, now_ms);
	pass(100);
	ck_assert_uint_eq(sent, 11);
	looptable_counts(table, &counts);
	ck_assert_uint_eq(counts.pairs, 6);
	/* Whose probe gets no answer either is as it was. */
	habits = silent;
	pass(LOOPTABLE_SILENT_AGAIN_MS);
	looptable_silent(table, &name, group, 2, now_ms);
	before = sent;
	pass(1000);
	ck_assert_uint_eq(sent, before + 2);
}
END_TEST

START_TEST(servfail_that_does_not_come_back)
{
	static const struct habit loops[] = { { CORP, "a.example", true, LOOP_SERVFAIL }, { 0 } };
	static const struct habit fails[] = { { CORP, "a.example", false, LOOP_SERVFAIL }, { 0 } };
	uint16_t group = group_of(".", CORP, NULL);

	add("a.example", group);
	habits = loops;
	commit();
	pass(1000);
	habits = fails;
	pass(LOOPTABLE_STALE_MS - LOOPTABLE_AGAIN_MAX_MS);
	ck_assert_uint_eq(told_well, 0);
	pass(3 * LOOPTABLE_AGAIN_MAX_MS);
	ck_assert_uint_eq(told_well, 1);
}
END_TEST

START_TEST(a_reload)
{
	static const struct habit loops[] = { { CORP, ".", true, LOOP_SERVFAIL }, { 0 } };
	uint16_t group = group_of(".", CORP, NULL), other = group_of("b.example", CORP, NULL);
	struct loop_probe probe;
	uint64_t wait_ms;
	bool nobody;

	add("a.example", group);
	add("b.example", group);
	habits = loops;
	commit();
	pass(500);
	ck_assert_uint_eq(told_marked, 2);
	ck_assert_uint_eq(sent, 2);
	/* One stays, one goes by a forward entry of its own now, one is new. */
	add("b.example", other);
	add("c.example", group);
	commit();
	ck_assert_uint_eq(without("x.a.example", group, &nobody), 0);
	ck_assert_uint_eq(without("x.b.example", other, &nobody), 1);
	ck_assert_uint_eq(without("x.c.example", group, &nobody), 0);
	pass(100);
	ck_assert_uint_eq(sent, 3);
	ck_assert_uint_eq(told_marked, 3);
	ck_assert_uint_eq(told_well, 0);
	/* All goes while a probe is under way. */
	now_ms += LOOPTABLE_AGAIN_MAX_MS;
	ck_assert(looptable_next(table, now_ms, &probe, &wait_ms));
	commit();
	ck_assert(looptable_probe_came_back(table, &probe.name, &from, &to, now_ms));
	looptable_ended(table, probe.token, LOOP_SERVFAIL, now_ms);
	pass(1000);
	ck_assert_uint_eq(without("x.b.example", other, &nobody), 0);
	ck_assert_uint_eq(told_marked, 3);
}
END_TEST

START_TEST(too_many_and_too_long)
{
	struct upstream_conf upstream[UPSTREAMS_A_GROUP_MAX] = { 0 };
	struct name name = name_of(".");
	struct upstream_group_conf conf = { .zone = &name,
					    .upstreams = upstream,
					    .count = UPSTREAMS_A_GROUP_MAX };
	struct loop_counts counts;
	struct loop_probe probe;
	uint64_t wait_ms;
	char text[256];
	uint16_t group;
	unsigned i;

	for (i = 0; i < UPSTREAMS_A_GROUP_MAX; i++) {
		snprintf(text, sizeof(text), "10.1.0.%u", i + 1);
		upstream[i].addr = addr_of(text);
	}
	ck_assert_int_eq(upstreams_group(upstreams, &conf, &group, NULL), 0);
	for (i = 0; i < LOOPTABLE_PAIRS_MAX / UPSTREAMS_A_GROUP_MAX + 1; i++) {
		snprintf(text, sizeof(text), "zone%u.example", i);
		add(text, group);
	}
	commit();
	looptable_counts(table, &counts);
	ck_assert_uint_eq(counts.pairs, LOOPTABLE_PAIRS_MAX);
	ck_assert_uint_eq(counts.unprobed, UPSTREAMS_A_GROUP_MAX);
	commit();
	/* No probe fits below it: it is left alone, and so are the others not. */
	memset(text, 'x', sizeof(text));
	for (i = 50; i < 240; i += 50)
		text[i] = '.';
	text[240] = '\0';
	add(text, group_of(".", CORP, NULL));
	commit();
	ck_assert(!looptable_next(table, now_ms, &probe, &wait_ms));
	now_ms += wait_ms;
	ck_assert(!looptable_next(table, now_ms, &probe, &wait_ms));
	ck_assert_uint_eq(wait_ms, UINT64_MAX);
}
END_TEST

static Suite *loops_suite(void)
{
	Suite *suite = suite_create("loops");
	TCase *tcase = tcase_create("loops");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, nothing_is_known);
	tcase_add_test(tcase, each_pair_is_probed_once_and_not_at_once);
	tcase_add_test(tcase, few_are_under_way);
	tcase_add_test(tcase, names_of_probes);
	tcase_add_test(tcase, names_run_out);
	tcase_add_test(tcase, a_zone_that_comes_back);
	tcase_add_test(tcase, probed_again_ever_more_seldom);
	tcase_add_test(tcase, the_inner_zone_first);
	tcase_add_test(tcase, one_of_two_and_both);
	tcase_add_test(tcase, the_root_alone);
	tcase_add_test(tcase, answers_all_the_same);
	tcase_add_test(tcase, a_suspicion_finds_the_zone);
	tcase_add_test(tcase, a_false_alarm);
	tcase_add_test(tcase, suspicions_are_few);
	tcase_add_test(tcase, silence);
	tcase_add_test(tcase, silence_of_a_question);
	tcase_add_test(tcase, servfail_that_does_not_come_back);
	tcase_add_test(tcase, a_reload);
	tcase_add_test(tcase, too_many_and_too_long);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(loops_suite)
