/* SPDX-License-Identifier: MIT */
/* Going through text eight octets at a time. Pure. */
#ifndef PRIVLINKD_SOURCE_SCAN_H
#define PRIVLINKD_SOURCE_SCAN_H

/* Characters of UTF-8 in [at, end): octets that do not go on with one. */
unsigned scan_characters(const char *at, const char *end);

/*
 * The first octet in [at, end), or the end, that a text in JSON does not have as it stands: the
 * quote around it, a backslash, a control character (RFC 8259 7).
 */
const char *scan_plain(const char *at, const char *end, char quote);

#endif
