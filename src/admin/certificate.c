/* SPDX-License-Identifier: MIT */
/*
 * Keys are usually root's alone. So they are read before the user is changed, and a start works
 * without anybody thinking about it; but a reload reads them as that user. That this will fail is
 * said at the start, when somebody looks, and not in three months, when the certificate has been
 * renewed.
 *
 * A certificate that clients refuse is no reason not to start: those that ask over UDP are served,
 * and whoever renews it needs a running server to reload. It is a warning, at each load.
 */
#include "admin/certificate.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

#define DAY_S 86400

long long certificate_days_left(const struct tls_server_info *info)
{
	long long left_s = (long long)info->not_after - (long long)time(NULL);

	return left_s < 0 ? -((-left_s + DAY_S - 1) / DAY_S) : left_s / DAY_S;
}

void certificate_tell(const struct tls_server *server)
{
	const struct tls_server_info *info = tls_server_info(server);

	log_write(LOG_LEVEL_NOTICE, "TLS certificate: %s, for %lld more days", info->subject,
		  certificate_days_left(info));
}

static void judge(const struct config *config, const struct tls_server_info *info,
		  struct complaints *to)
{
	const char *path = config->server.tls_certificate;
	long long days = certificate_days_left(info);
	struct stat st;

	if (info->not_before > time(NULL))
		complain(to, COMPLAINT_WARNING, path, 0, 0,
			 "this certificate is not valid yet; clients will refuse it: put the one "
			 "that is valid here, or set the clock");
	else if (days < 0)
		complain(to, COMPLAINT_WARNING, path, 0, 0,
			 "this certificate has expired; clients will refuse it: renew it and "
			 "reload");
	else if (days < CERTIFICATE_DAYS_LEFT)
		complain(to, COMPLAINT_WARNING, path, 0, 0,
			 "this certificate expires in %lld days; renew it and reload", days);
	if (stat(config->server.tls_key, &st) == 0 && (st.st_mode & S_IROTH))
		complain(to, COMPLAINT_WARNING, config->server.tls_key, 0, 0,
			 "everybody may read this key; take the right from them: chmod o= FILE");
}

int certificate_load(const struct config *config, struct tls_server *server, struct complaints *to,
		     struct err *err)
{
	if (tls_server_load(server, config->server.tls_certificate, config->server.tls_key, err) <
	    0)
		return err_prefix(err, "server.listen-tls: ");
	judge(config, tls_server_info(server), to);
	return 0;
}

int certificate_start(const struct config *config, struct tls_server **ret, struct complaints *to,
		      struct err *err)
{
	struct tls_server *server = NULL;

	if (config->server.listen_tls.count) {
		server = tls_server_new(err);
		if (!server)
			return -1;
		if (certificate_load(config, server, to, err) < 0) {
			tls_server_free(server);
			return -1;
		}
	}
	*ret = server;
	return 0;
}

void certificate_check_user(const struct config *config, struct complaints *to)
{
	const char *const paths[] = { config->server.tls_certificate, config->server.tls_key };
	size_t i;

	for (i = 0; i < 2 && config->server.listen_tls.count; i++) {
		if (access(paths[i], R_OK) < 0 && errno == EACCES)
			complain(to, COMPLAINT_WARNING, paths[i], 0, 0,
				 "user %s, as which the server runs, may not read this, so a "
				 "reload will not take a new one; give it the right to, or restart "
				 "after a change",
				 config->server.user);
	}
}
