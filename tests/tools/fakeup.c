/* SPDX-License-Identifier: MIT */
/*
 * fakeup: an upstream that says what a script tells it to.
 *
 *     fakeup [-l ADDR[@PORT]]... -c CONTROL-SOCKET -o READY-FILE SCRIPT
 *     fakeup -C CONTROL-SOCKET COMMAND...
 *
 * It listens on ports the kernel chooses, writes `ADDR@PORT` lines to READY-FILE when it serves,
 * counts every query, and does as its script says (script.h). Tests steer it by commands
 * (toolctl.h):
 *
 *     load FILE            another script          count [NAME [TYPE]]   queries so far
 *     reset                counts to zero          counts                all counts, sorted
 *     (without a name: but for the probes that the server makes by itself)
 *     hold NAME|*          keep replies back       release NAME|*        let them go, stop holding
 *     waiting NAME|*       how many are kept       dead on|off           answer nothing at all
 *     ports                different source ports seen over UDP         quit
 *     seen NAME TYPE       flags and EDNS of the last such query: `rd cd edns=1232 do option=8`
 *
 * `-C ... await CMD... = VALUE` is how a test waits for a query to have arrived, without sleeping
 * for luck. A held query gets the reply of the moment of its release. One thread, libevent;
 * clarity over speed.
 */
#include "reply.h"
#include "tally.h"
#include "toolctl.h"
#include "toolnet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_LISTEN 8

/* One TCP connection; lives until the peer closes and no query points at it. */
struct conn {
	struct bufferevent *bev; /* NULL once the peer has gone */
	unsigned refs;
};

/* One query that is being answered, perhaps later. */
struct job {
	struct job *next;
	struct reply_query query;
	struct sockaddr_storage peer;
	socklen_t peer_len;
	int udp;
	int other; /* a second port of the same address */
	struct conn *conn;
	struct script_rule *rule;
	struct event *timer;
};

struct port {
	int udp, tcp, other;
	struct sockaddr_storage addr;
};

struct names {
	size_t count;
	char *names[64];
};

static struct event_base *base;
static struct script *script;
static struct job *held;
static struct names holding;
static struct port ports[MAX_LISTEN];
static size_t port_count;
static bool dead;

static void conn_unref(struct conn *conn)
{
	if (conn && --conn->refs == 0)
		free(conn);
}

static void job_free(struct job *job)
{
	if (job->timer)
		event_free(job->timer);
	conn_unref(job->conn);
	free(job);
}

static void job_send(struct job *job, int fd, const uint8_t *bytes, size_t len)
{
	if (job->conn) {
		uint8_t head[2] = { (uint8_t)(len >> 8), (uint8_t)len };
		if (job->conn->bev) {
			bufferevent_write(job->conn->bev, head, 2);
			bufferevent_write(job->conn->bev, bytes, len);
		}
		return;
	}
	if (sendto(fd, bytes, len, 0, (struct sockaddr *)&job->peer, job->peer_len) < 0)
		perror("fakeup: sendto");
}

/* The bad replies go first and say 6.6.6.6, so that a client which takes one of them is caught. */
static void job_send_bad(struct job *job)
{
	static char root[] = ".", record[] = "$Q 300 IN A 6.6.6.6";
	static struct script_rule poison = {
		.name = root,
		.wildcard = true,
		.record_count = 1,
		.records = { { .text = record } },
	};
	static uint8_t bad[REPLY_MAX];
	unsigned flags = job->rule ? job->rule->flags : 0;
	size_t len = reply_build(&job->query, &poison, bad);
	uint8_t first = len > 13 ? bad[13] : 0;

	if (flags & SCRIPT_WRONG_ID) {
		bad[1] ^= 0x55;
		job_send(job, job->udp, bad, len);
		bad[1] ^= 0x55;
	}
	if ((flags & SCRIPT_WRONG_QUESTION) && len > 14) {
		bad[13] = first == 'x' ? 'y' : 'x';
		job_send(job, job->udp, bad, len);
		bad[13] = first;
	}
	if (flags & SCRIPT_OTHER_PORT)
		job_send(job, job->other, bad, len);
	if (flags & SCRIPT_SHORT)
		job_send(job, job->udp, bad, 7);
	if (flags & SCRIPT_GARBAGE) {
		memset(bad + 12, 0xc0, len - 12);
		job_send(job, job->udp, bad, len);
	}
}

static void job_finish(struct job *job)
{
	static uint8_t out[REPLY_MAX];
	unsigned flags = job->rule ? job->rule->flags : 0;

	if (!(flags & SCRIPT_DROP) && !dead) {
		if ((flags & SCRIPT_CLOSE) && job->conn) {
			if (job->conn->bev)
				bufferevent_free(job->conn->bev);
			job->conn->bev = NULL;
			job->conn->refs--;
		} else {
			size_t len = reply_build(&job->query, job->rule, out);
			job_send_bad(job);
			if (!(flags & SCRIPT_ONLY))
				job_send(job, job->udp, out, len);
			if (flags & SCRIPT_DUPLICATE)
				job_send(job, job->udp, out, len);
		}
	}
	job_free(job);
}

static void job_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	job_finish(arg);
}

static bool names_have(const struct names *set, const char *name)
{
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->names[i], "*") == 0 || strcasecmp(set->names[i], name) == 0)
			return true;
	return false;
}

static void job_start(struct job *job)
{
	if (reply_query_parse(&job->query) < 0) {
		fprintf(stderr, "fakeup: a query that cannot be read\n");
		job_free(job);
		return;
	}
	tally_query(job->query.lower, job->query.type, job->query.seen);
	job->rule = script_find(script, job->query.lower, job->query.type,
				reply_query_have(&job->query));
	if (names_have(&holding, job->query.lower) ||
	    (job->rule && job->rule->flags & SCRIPT_HOLD)) {
		struct job **end = &held;
		while (*end)
			end = &(*end)->next;
		*end = job;
		return;
	}
	if (job->rule && job->rule->delay_ms > 0) {
		struct timeval tv = { job->rule->delay_ms / 1000,
				      job->rule->delay_ms % 1000 * 1000 };
		job->timer = evtimer_new(base, job_timer, job);
		evtimer_add(job->timer, &tv);
		return;
	}
	job_finish(job);
}

static struct job *job_new(const struct port *port)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		abort();
	job->udp = port->udp;
	job->other = port->other;
	return job;
}

static void udp_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)what;
	for (;;) {
		struct job *job = job_new(arg);
		job->peer_len = sizeof(job->peer);
		ssize_t n = recvfrom((int)fd, job->query.bytes, sizeof(job->query.bytes), 0,
				     (struct sockaddr *)&job->peer, &job->peer_len);
		if (n < 0) {
			free(job);
			return;
		}
		job->query.len = (size_t)n;
		tally_port(ntohs(((struct sockaddr_in *)&job->peer)->sin_port));
		job_start(job);
	}
}

struct conn_arg {
	struct conn *conn;
	const struct port *port;
};

static void conn_gone(struct bufferevent *bev, short what, void *arg)
{
	struct conn_arg *ca = arg;

	(void)what;
	bufferevent_free(bev);
	ca->conn->bev = NULL;
	conn_unref(ca->conn);
	free(ca);
}

static void conn_readable(struct bufferevent *bev, void *arg)
{
	struct conn_arg *ca = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	struct conn *conn = ca->conn;
	uint8_t head[2];

	conn->refs++; /* a rule may close it while we read on */
	while (conn->bev && evbuffer_copyout(in, head, 2) == 2) {
		size_t len = (size_t)(head[0] << 8 | head[1]);
		if (evbuffer_get_length(in) < len + 2)
			break;
		struct job *job = job_new(ca->port);
		evbuffer_drain(in, 2);
		if (len > sizeof(job->query.bytes)) {
			free(job);
			evbuffer_drain(in, len);
			continue;
		}
		evbuffer_remove(in, job->query.bytes, len);
		job->query.len = len;
		job->query.tcp = true;
		job->conn = conn;
		conn->refs++;
		job_start(job);
	}
	conn_unref(conn);
}

static void tcp_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa, int len,
		       void *arg)
{
	struct conn_arg *ca = calloc(1, sizeof(*ca));
	struct conn *conn = calloc(1, sizeof(*conn));

	(void)l;
	(void)sa;
	(void)len;
	if (!ca || !conn)
		abort();
	conn->refs = 1;
	conn->bev = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	ca->conn = conn;
	ca->port = arg;
	bufferevent_setcb(conn->bev, conn_readable, NULL, conn_gone, ca);
	bufferevent_enable(conn->bev, EV_READ | EV_WRITE);
}

/* Lets go what is held for a name. The rule is looked up anew: the script may have changed. */
static void release(const char *name)
{
	struct job **at = &held;

	for (size_t i = 0; i < holding.count; i++) {
		if (strcmp(name, "*") == 0 || strcasecmp(holding.names[i], name) == 0) {
			free(holding.names[i]);
			holding.names[i--] = holding.names[--holding.count];
		}
	}
	while (*at) {
		struct job *job = *at;
		if (strcmp(name, "*") != 0 && strcasecmp(name, job->query.lower) != 0) {
			at = &job->next;
			continue;
		}
		*at = job->next;
		job_finish(job);
	}
}

static bool held_before(const struct job *last)
{
	for (struct job *job = held; job != last; job = job->next)
		if (job->query.type == last->query.type &&
		    strcmp(job->query.lower, last->query.lower) == 0)
			return true;
	return false;
}

/* Questions, not packets: a client that sends one again has not asked another. */
static long waiting(const char *name)
{
	long n = 0;

	for (struct job *job = held; job; job = job->next)
		if ((strcmp(name, "*") == 0 || strcasecmp(name, job->query.lower) == 0) &&
		    !held_before(job))
			n++;
	return n;
}

static void cmd_count(struct evbuffer *out, const char *rest)
{
	evbuffer_add_printf(out, "%ld\n", *rest ? tally_count(rest) : tally_total());
}

static void count_line(const char *key, long n, void *arg)
{
	evbuffer_add_printf(arg, "%s %ld\n", key, n);
}

/* The jobs that wait must not keep rules of a script that goes; they get the new one's. */
static void cmd_load(struct evbuffer *out, const char *path)
{
	struct script *fresh = script_load(path);

	if (!fresh) {
		evbuffer_add_printf(out, "error\n");
		return;
	}
	for (struct job *job = held; job; job = job->next)
		job->rule = script_find(fresh, job->query.lower, job->query.type,
					reply_query_have(&job->query));
	/* A delayed job may still point into the old one; a test tool may leak it. */
	script = fresh;
	evbuffer_add_printf(out, "ok\n");
}

static void command(struct evbuffer *out, char *line)
{
	char *rest = strchr(line, ' ');

	if (rest)
		*rest++ = '\0';
	else
		rest = line + strlen(line);
	if (strcmp(line, "load") == 0)
		return cmd_load(out, rest);
	if (strcmp(line, "count") == 0)
		return cmd_count(out, rest);
	if (strcmp(line, "counts") == 0)
		return tally_each(count_line, out);
	if (strcmp(line, "seen") == 0) {
		const char *seen = tally_seen(rest);
		evbuffer_add_printf(out, "%s\n", seen ? seen : "none");
		return;
	}
	if (strcmp(line, "ports") == 0) {
		evbuffer_add_printf(out, "%ld\n", tally_ports());
		return;
	}
	if (strcmp(line, "waiting") == 0) {
		evbuffer_add_printf(out, "%ld\n", waiting(rest));
		return;
	}
	if (strcmp(line, "reset") == 0) {
		tally_reset();
	} else if (strcmp(line, "hold") == 0 && holding.count < 64) {
		holding.names[holding.count++] = strdup(rest);
	} else if (strcmp(line, "release") == 0) {
		release(rest);
	} else if (strcmp(line, "dead") == 0) {
		dead = strcmp(rest, "on") == 0;
	} else if (strcmp(line, "quit") == 0) {
		event_base_loopexit(base, NULL);
	} else {
		evbuffer_add_printf(out, "error: %s?\n", line);
		return;
	}
	evbuffer_add_printf(out, "ok\n");
}

static int listen_on(const char *text)
{
	struct port *port = &ports[port_count];
	socklen_t len;

	if (port_count == MAX_LISTEN || tool_addr_parse(text, &port->addr, &len) < 0 ||
	    tool_listen_pair(&port->addr, len, &port->udp, &port->tcp) < 0)
		return -1;
	struct sockaddr_storage other = port->addr;
	((struct sockaddr_in *)&other)->sin_port = 0; /* the same place in sockaddr_in6 */
	port->other = socket(other.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (port->other < 0 || bind(port->other, (struct sockaddr *)&other, len) < 0)
		return -1;
	event_add(event_new(base, port->udp, EV_READ | EV_PERSIST, udp_readable, port), NULL);
	evconnlistener_new(base, tcp_accept, port, LEV_OPT_CLOSE_ON_FREE, 0, port->tcp);
	port_count++;
	return 0;
}

int main(int argc, char **argv)
{
	const char *ctl_path = NULL, *ready = NULL;
	const char *addrs[MAX_LISTEN];
	size_t addr_count = 0;
	int opt;

	while ((opt = getopt(argc, argv, "+l:c:o:C:")) != -1) {
		if (opt == 'C')
			return tool_ctl_client(optarg, argc - optind, argv + optind);
		if (opt == 'l' && addr_count < MAX_LISTEN)
			addrs[addr_count++] = optarg;
		else if (opt == 'c')
			ctl_path = optarg;
		else if (opt == 'o')
			ready = optarg;
		else
			return 2;
	}
	if (optind + 1 != argc || !(script = script_load(argv[optind])))
		return 2;
	base = event_base_new();
	if (addr_count == 0)
		addrs[addr_count++] = "127.0.0.1";
	for (size_t i = 0; i < addr_count; i++)
		if (listen_on(addrs[i]) < 0)
			return 1;
	struct sockaddr_storage told[MAX_LISTEN];
	for (size_t i = 0; i < port_count; i++)
		told[i] = ports[i].addr;
	if ((ctl_path && tool_ctl_listen(base, ctl_path, command) < 0) ||
	    (ready && tool_write_ready(ready, told, port_count) < 0))
		return 1;
	event_base_dispatch(base);
	return 0;
}
