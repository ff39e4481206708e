/* SPDX-License-Identifier: MIT */
/*
 * What it costs to hold many records, without any file or socket: CPU time and memory of the
 * builder, of the table, of a look-up, and of letting go.
 *
 *     held RECORDS...        for each number one line, after a line of heads
 *
 * Names are of a storage account's form with an address of their own. Look-ups are of random
 * held names in public form, each read from a query's octets as the server does it. CPU times are
 * this thread's; memory is the process's, so that nothing is missed; each number is a process of
 * its own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "wire/cursor.h"
#include "wire/types.h"
#include "zone/builder.h"
#include "zone/table.h"

#define LOOKUPS 1000000
/* Names whose octets are at hand, so that making them is not what is measured. */
#define BATCH 1024

static void die(const char *what)
{
	fprintf(stderr, "held: %s\n", what);
	exit(1);
}

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A line of /proc/self/status, in octets. */
static double memory(const char *key)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[256];
	double kib = 0;

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, key, strlen(key)) == 0)
			kib = atof(line + strlen(key) + 1);
	if (file)
		fclose(file);
	return kib * 1024;
}

static uint64_t random_next(void)
{
	static uint64_t state = UINT64_C(0x9e3779b97f4a7c15);

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* The name of number i in both forms, on the wire. */
static size_t name_of(uint8_t *wire, unsigned i)
{
	static const uint8_t tail[] = "\4blob\4core\7windows\3net";

	wire[0] = (uint8_t)sprintf((char *)wire + 1, "acct%07u", i);
	memcpy(wire + 1 + wire[0], tail, sizeof(tail));
	return 1u + wire[0] + sizeof(tail);
}

static struct record_set *build(const struct zones *zones, unsigned records, double *ret_s)
{
	struct builder_conf conf = { .path = "held", .ttl_max = 86400 };
	struct complaints complaints = { 0 };
	struct builder *builder = builder_new(zones, &conf, &complaints);
	static struct name names[BATCH];
	struct record_set *set;
	uint8_t wire[256];
	unsigned i, j;
	double start;

	*ret_s = 0;
	for (i = 0; i < records; i += j) {
		for (j = 0; j < BATCH && i + j < records; j++)
			if (name_from_wire(&names[j], wire, name_of(wire, i + j)) < 0)
				die("no name");
		start = cpu_s();
		for (j = 0; j < BATCH && i + j < records; j++) {
			uint8_t address[4] = { 10, (uint8_t)((i + j) >> 16),
					       (uint8_t)((i + j) >> 8), (uint8_t)(i + j) };

			if (builder_add(builder, &names[j], TYPE_A, 10, address, 4, i + j + 1) < 0)
				die("a record was refused");
		}
		*ret_s += cpu_s() - start;
	}
	start = cpu_s();
	set = builder_finish(builder);
	builder_free(builder);
	*ret_s += cpu_s() - start;
	return set;
}

/* Seconds for LOOKUPS look-ups, and in *ret_none for as many that only read the names. */
static double look_up(const struct table *table, unsigned records, double *ret_none)
{
	static uint8_t wire[BATCH][256];
	static size_t len[BATCH];
	struct table_hit hit;
	struct name name;
	struct cursor cursor;
	double start, sum = 0;
	unsigned i, j;

	*ret_none = 0;
	for (i = 0; i < LOOKUPS / BATCH; i++) {
		for (j = 0; j < BATCH; j++)
			len[j] = name_of(wire[j], (unsigned)(random_next() % records));
		start = cpu_s();
		for (j = 0; j < BATCH; j++) {
			cursor = (struct cursor){ .data = wire[j], .len = len[j] };
			name_read(&name, &cursor);
		}
		*ret_none += cpu_s() - start;
		start = cpu_s();
		for (j = 0; j < BATCH; j++) {
			cursor = (struct cursor){ .data = wire[j], .len = len[j] };
			name_read(&name, &cursor);
			table_lookup(table, &name, &hit);
			if (hit.match != TABLE_ALIAS || node_ttl(hit.node) != 10)
				die("a name was not found");
		}
		sum += cpu_s() - start;
	}
	return sum;
}

static void measure(unsigned records)
{
	struct table_conf conf = { .ptr = true };
	struct complaints complaints = { 0 };
	struct zones *zones = zones_new();
	double before = memory("VmRSS:"), build_s, table_s, free_s, look_s, names_s, steady, most;
	struct record_set *set;
	struct table *table;
	struct err err;

	if (!zones || zones_add_preset(zones, "azure", ZONE_STATIC, &err) < 0 ||
	    zones_seal(zones, &err) < 0)
		die("no zones");
	set = build(zones, records, &build_s);
	table_s = cpu_s();
	table = set ? table_new(zones, &set, 1, &conf, &complaints) : NULL;
	table_s = cpu_s() - table_s;
	if (!table || table_records(table) != records)
		die("no table");
	record_set_unref(set);
	steady = memory("VmRSS:") - before;
	most = memory("VmHWM:") - before;
	look_s = look_up(table, records, &names_s);
	free_s = cpu_s();
	table_free(table);
	free_s = cpu_s() - free_s;
	zones_free(zones);
	printf("%9u %12.0f %12.0f %12.0f %12.0f %10.1f %10.1f %10.2f\n", records,
	       build_s / records * 1e9, table_s / records * 1e9, (look_s - names_s) / LOOKUPS * 1e9,
	       names_s / LOOKUPS * 1e9, steady / records, most / records, free_s * 1e3);
}

int main(int argc, char **argv)
{
	int i, status;
	pid_t pid;

	if (argc < 2)
		die("held RECORDS...");
	printf("%9s %12s %12s %12s %12s %10s %10s %10s\n", "records", "builder ns", "table ns",
	       "look-up ns", "name ns", "octets", "peak", "free ms");
	for (i = 1; i < argc; i++) {
		fflush(stdout);
		pid = fork();
		if (pid == 0) {
			measure((unsigned)strtoul(argv[i], NULL, 10));
			return 0;
		}
		if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0)
			die("a measurement failed");
	}
	return 0;
}
