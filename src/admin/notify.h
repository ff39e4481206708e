/* SPDX-License-Identifier: MIT */
/*
 * What a service manager is told, by datagram to $NOTIFY_SOCKET (sd_notify(3), systemd.service(5)).
 * Does nothing where that is not set. Never blocks for long: one datagram. Main thread.
 */
#ifndef PRIVLINKD_ADMIN_NOTIFY_H
#define PRIVLINKD_ADMIN_NOTIFY_H

/* Serving. `status` is one line for `systemctl status`. */
void notify_ready(const char *status);

/* A reload begins; notify_ready ends it. */
void notify_reloading(void);

void notify_stopping(void);
void notify_watchdog(void);

/*
 * How often notify_watchdog is to be called: half of what the manager allows. 0: it does not ask.
 */
unsigned notify_watchdog_ms(void);

#endif
