/* SPDX-License-Identifier: MIT */
/* The command line of privlinkd. */
#ifndef PRIVLINKD_ADMIN_OPTIONS_H
#define PRIVLINKD_ADMIN_OPTIONS_H

#include <stdbool.h>

#include "admin/reload.h"

/* Exit codes of privlinkd. */
enum exit_code {
	EXIT_DONE = 0,
	EXIT_BAD_CONFIG = 1, /* or bad records, with -t; or a start that failed otherwise */
	EXIT_BAD_USAGE = 2,
	EXIT_CANNOT_LISTEN = 3,
};

/* From options_read: there is something to do. */
#define OPTIONS_GO_ON (-1)

struct options {
	struct reload_conf conf; /* points into argv */
	bool check;              /* -t */
};

/* An exit code (-h, -V, bad usage: all is said), or OPTIONS_GO_ON. */
int options_read(struct options *ret, int argc, char **argv);
void options_fini(struct options *options);

#endif
