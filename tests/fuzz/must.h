/* SPDX-License-Identifier: MIT */
/* How a fuzz target says that something is wrong: it dies. */
#ifndef PRIVLINKD_FUZZ_MUST_H
#define PRIVLINKD_FUZZ_MUST_H

#include <stdlib.h>

#define MUST(what)               \
	do {                     \
		if (!(what))     \
			abort(); \
	} while (0)

#endif
