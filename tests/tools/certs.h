/* SPDX-License-Identifier: MIT */
/*
 * Certificates for tests, good ones and such as must be refused, made on the spot: what is kept in
 * files expires. All in a folder, as NAME.pem and NAME.key:
 *
 *	ca       an authority            other-ca  another
 *	good     shows dns.example, 127.0.0.1 and ::1
 *	good-2   the same with another key
 *	name     shows other.example     plain     no names but the common name dns.example
 *	unknown  as good, by other-ca    self      as good, signed by itself
 *	expired  as good, a day ago      future    as good, from tomorrow on
 *	chain    as good, by an authority below ca, whose certificate follows it in the file
 *	sub-ca   that authority
 */
#ifndef PRIVLINKD_TOOLS_CERTS_H
#define PRIVLINKD_TOOLS_CERTS_H

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CERTS_DAY 86400L
#define CERTS_SAN "DNS:dns.example,IP:127.0.0.1,IP:::1"

struct cert {
	EVP_PKEY *key;
	X509 *x509;
};

static void certs_must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "certs: %s failed\n", what);
	abort();
}

static void certs_extend(X509 *x509, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *extension;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, x509, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	certs_must(extension && X509_add_ext(x509, extension, -1), "an extension");
	X509_EXTENSION_free(extension);
}

/* `issuer` NULL: signed by itself; `san` NULL: an authority, "": none. Times from now. */
static struct cert certs_make(const char *name, const char *san, const struct cert *issuer,
			      long from_s, long to_s)
{
	static long serial = 1;
	struct cert cert = { .key = EVP_EC_gen("P-256"), .x509 = X509_new() };
	X509_NAME *subject;

	certs_must(cert.key && cert.x509, "a key");
	if (!issuer)
		issuer = &cert;
	X509_set_version(cert.x509, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert.x509), serial++);
	X509_gmtime_adj(X509_getm_notBefore(cert.x509), from_s);
	X509_gmtime_adj(X509_getm_notAfter(cert.x509), to_s);
	X509_set_pubkey(cert.x509, cert.key);
	subject = X509_get_subject_name(cert.x509);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const uint8_t *)name, -1, -1, 0);
	X509_set_issuer_name(cert.x509, X509_get_subject_name(issuer->x509));
	if (!san)
		certs_extend(cert.x509, issuer->x509, NID_basic_constraints, "critical,CA:TRUE");
	else if (*san)
		certs_extend(cert.x509, issuer->x509, NID_subject_alt_name, san);
	certs_extend(cert.x509, issuer->x509, NID_subject_key_identifier, "hash");
	certs_must(X509_sign(cert.x509, issuer->key, EVP_sha256()) > 0, "signing");
	return cert;
}

static void certs_free(struct cert *cert)
{
	EVP_PKEY_free(cert->key);
	X509_free(cert->x509);
}

/* Writes DIR/NAME.pem, with `below` behind it where not NULL, and DIR/NAME.key. */
static void certs_write(const char *dir, const char *name, const struct cert *cert,
			const struct cert *below)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.pem", dir, name);
	file = fopen(path, "we");
	certs_must(file && PEM_write_X509(file, cert->x509), path);
	if (below)
		certs_must(PEM_write_X509(file, below->x509), path);
	certs_must(fclose(file) == 0, path);
	snprintf(path, sizeof(path), "%s/%s.key", dir, name);
	file = fopen(path, "we");
	certs_must(file && PEM_write_PrivateKey(file, cert->key, NULL, NULL, 0, NULL, NULL), path);
	certs_must(fclose(file) == 0, path);
}

/* The pin of its key, in base64. */
static void certs_pin(const struct cert *cert, char ret[45])
{
	uint8_t *der = NULL, digest[32];
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert->x509), &der);

	certs_must(len > 0, "a key in DER");
	EVP_Digest(der, (size_t)len, digest, NULL, EVP_sha256(), NULL);
	EVP_EncodeBlock((uint8_t *)ret, digest, sizeof(digest));
	OPENSSL_free(der);
}

/* The pin of DIR/NAME.pem. */
static inline void certs_pin_of(const char *dir, const char *name, char ret[45])
{
	struct cert cert = { .key = NULL };
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.pem", dir, name);
	file = fopen(path, "re");
	certs_must(file != NULL, path);
	cert.x509 = PEM_read_X509(file, NULL, NULL, NULL);
	fclose(file);
	certs_must(cert.x509 != NULL, path);
	certs_pin(&cert, ret);
	certs_free(&cert);
}

static inline void certs_fill(const char *dir)
{
	static const struct {
		const char *file, *name, *san;
		int by; /* an authority of below; -1: itself */
		long from_s, to_s;
	} leaves[] = {
		{ "good", "good", CERTS_SAN, 0, -CERTS_DAY, CERTS_DAY },
		{ "good-2", "good", CERTS_SAN, 0, -CERTS_DAY, CERTS_DAY },
		{ "name", "name", "DNS:other.example,IP:192.0.2.1", 0, -CERTS_DAY, CERTS_DAY },
		{ "plain", "dns.example", "", 0, -CERTS_DAY, CERTS_DAY },
		{ "unknown", "good", CERTS_SAN, 1, -CERTS_DAY, CERTS_DAY },
		{ "self", "good", CERTS_SAN, -1, -CERTS_DAY, CERTS_DAY },
		{ "expired", "good", CERTS_SAN, 0, -2 * CERTS_DAY, -CERTS_DAY },
		{ "future", "good", CERTS_SAN, 0, CERTS_DAY, 2 * CERTS_DAY },
		{ "chain", "good", CERTS_SAN, 2, -CERTS_DAY, CERTS_DAY },
	};
	struct cert ca[3] = { certs_make("ca", NULL, NULL, -CERTS_DAY, CERTS_DAY),
			      certs_make("other ca", NULL, NULL, -CERTS_DAY, CERTS_DAY) };
	struct cert leaf;
	size_t i;

	ca[2] = certs_make("sub ca", NULL, &ca[0], -CERTS_DAY, CERTS_DAY);
	certs_write(dir, "ca", &ca[0], NULL);
	certs_write(dir, "other-ca", &ca[1], NULL);
	certs_write(dir, "sub-ca", &ca[2], NULL);
	for (i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++) {
		leaf = certs_make(leaves[i].name, leaves[i].san,
				  leaves[i].by < 0 ? NULL : &ca[leaves[i].by], leaves[i].from_s,
				  leaves[i].to_s);
		certs_write(dir, leaves[i].file, &leaf, leaves[i].by == 2 ? &ca[2] : NULL);
		certs_free(&leaf);
	}
	for (i = 0; i < 3; i++)
		certs_free(&ca[i]);
}

/* A folder of its own for a test, with all of them in it. */
static inline void certs_make_folder(char ret[64])
{
	strcpy(ret, "/tmp/privlinkd-test-XXXXXX");
	certs_must(mkdtemp(ret) != NULL, "a folder");
	certs_fill(ret);
}

static inline void certs_remove_folder(const char *folder)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", folder);
	certs_must(system(command) == 0, "taking the folder away");
}

#endif
