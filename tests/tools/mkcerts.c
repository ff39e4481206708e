/* SPDX-License-Identifier: MIT */
/*
 * mkcerts DIR: fills a folder with certificates for tests, see certs.h.
 * mkcerts DIR NAME: prints the pin of DIR/NAME.pem.
 */
#include "tools/certs.h"

int main(int argc, char **argv)
{
	char pin[45];

	if (argc == 2) {
		certs_fill(argv[1]);
		return 0;
	}
	if (argc == 3) {
		certs_pin_of(argv[1], argv[2], pin);
		puts(pin);
		return 0;
	}
	fputs("usage: mkcerts DIR [NAME]\n", stderr);
	return 2;
}
