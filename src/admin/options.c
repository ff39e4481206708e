/* SPDX-License-Identifier: MIT */
/*
 * Options say what the configuration says too, so each goes where the file's value goes and is
 * checked by the same code; here they are only collected. Mistakes in them are bad usage (exit
 * code 2), which a service manager need not try again.
 *
 * -r, -l or -u without -c and without a default file: built-in defaults, so that one line with a
 * file of records is a working server. Without any of them a missing file is an error: somebody
 * wants to run what is configured, and nothing is.
 */
#include "admin/options.h"

#include <event2/event.h>
#include <getopt.h>
#include <ldns/ldns.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

static const char help[] =
	"usage: privlinkd [-c FILE] [-r PATH]... [-l ADDR[@PORT]]... [-u UPSTREAM]...\n"
	"                 [-t] [-v]... [-V] [-h]\n"
	"\n"
	"Answers Azure Private Link names with the private addresses in exported files.\n"
	"\n"
	"  -c, --config FILE         configuration [" SYSCONFDIR "/privlinkd/privlinkd.yaml]\n"
	"  -r, --records PATH        records: a file, folder or glob, in place of the configured\n"
	"  -l, --listen ADDR[@PORT]  listen here, UDP and TCP, in place of the configured\n"
	"  -u, --upstream UPSTREAM   ask ADDR[@PORT], tls://ADDR[@PORT][#NAME] or system instead\n"
	"  -t, --check               read everything, print every complaint, open no socket\n"
	"  -v, --verbose             log more; twice: more still\n"
	"  -V, --version             print versions\n"
	"  -h, --help                print this\n";

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "records", required_argument, NULL, 'r' },
	{ "listen", required_argument, NULL, 'l' },
	{ "upstream", required_argument, NULL, 'u' },
	{ "check", no_argument, NULL, 't' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void print_versions(void)
{
	printf("privlinkd %s\nlibevent %s, ldns %s, libyaml %s, %s\n", PACKAGE_VERSION,
	       event_get_version(), ldns_version(), yaml_get_version_string(),
	       OpenSSL_version(OPENSSL_VERSION));
}

/* The lists have room for every argument. */
static int read_all(int argc, char **argv, struct options *ret)
{
	struct config_options *lists = &ret->conf.options;
	struct err err;
	int option;

	while ((option = getopt_long(argc, argv, "c:r:l:u:tvVh", long_options, NULL)) != -1) {
		switch (option) {
		case 'c':
			ret->conf.config_path = optarg;
			break;
		case 'r':
			lists->records[lists->records_count++] = optarg;
			break;
		case 'l':
			lists->listen[lists->listen_count++] = optarg;
			break;
		case 'u':
			lists->upstreams[lists->upstreams_count++] = optarg;
			break;
		case 't':
			ret->check = true;
			break;
		case 'v':
			ret->conf.verbose++;
			break;
		case 'V':
			print_versions();
			return EXIT_DONE;
		case 'h':
			fputs(help, stdout);
			return EXIT_DONE;
		default:
			fputs("privlinkd -h tells the options\n", stderr);
			return EXIT_BAD_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "privlinkd: %s: takes no arguments; -h tells the options\n",
			argv[optind]);
		return EXIT_BAD_USAGE;
	}
	if (config_check_options(lists, &err) < 0) {
		fprintf(stderr, "privlinkd: %s\n", err.text);
		return EXIT_BAD_USAGE;
	}
	ret->conf.config_may_miss =
		!ret->conf.config_path &&
		(lists->records_count || lists->listen_count || lists->upstreams_count);
	if (!ret->conf.config_path)
		ret->conf.config_path = SYSCONFDIR "/privlinkd/privlinkd.yaml";
	return OPTIONS_GO_ON;
}

int options_read(struct options *ret, int argc, char **argv)
{
	size_t room = (size_t)argc * sizeof(char *);
	struct config_options *lists = &ret->conf.options;

	*ret = (struct options){ .check = false };
	lists->records = malloc(room);
	lists->listen = malloc(room);
	lists->upstreams = malloc(room);
	if (!lists->records || !lists->listen || !lists->upstreams)
		return EXIT_BAD_CONFIG;
	return read_all(argc, argv, ret);
}

void options_fini(struct options *options)
{
	free(options->conf.options.records);
	free(options->conf.options.listen);
	free(options->conf.options.upstreams);
}
