/* SPDX-License-Identifier: MIT */
/*
 * relay: a bad network between a client and a real server.
 *
 *     relay [-l ADDR[@PORT]] -u ADDR@PORT -c CONTROL-SOCKET -o READY-FILE [-S SEED] [-R]
 *     relay -C CONTROL-SOCKET COMMAND...
 *
 * It listens on a port the kernel chooses, UDP and TCP, hands queries on to the server and replies
 * back, and does to them on the way what it is told. -R: TCP carries what is not DNS (TLS), and
 * octets are passed on as they come. Commands (toolctl.h):
 *
 *     set [WORD...]      these faults, no others         down    as if gone: ICMP, refused
 *     count WHAT         queries, replies, lost,         up      listen again on the same port
 *                        forged, tcp: how many           quit
 *
 * Faults. P is a chance in percent, 100 where nothing is said:
 *
 *     delay=MS jitter=MS        a reply comes later; up to so much later, so that replies overtake
 *     drop=P drop-replies=P     queries, replies that are lost
 *     duplicate=P               the reply comes twice
 *     truncate=P                UDP: TC, and nothing else
 *     cut=P                     UDP: the first half of the datagram, as if it were whole
 *     corrupt=P scramble=P garbage=P noise=P      damage (mangle.h)
 *     wrong-id wrong-question other-address other-port     a forged reply, full of 6.6.6.6, goes
 *                               before the good one
 *     only                      and the good one never comes
 *     dead                      UDP: nothing goes through; TCP: accepted, and silence
 *     tcp-silent                TCP alone: accepted, and silence (a handshake that stalls)
 *     tcp-close tcp-reset       TCP: ended at the first octet of a query, politely or rudely
 *     tcp-half tcp-stall        TCP: half a frame, then the end, or silence
 *     tcp-slow=MS               TCP: one octet every MS
 *     stall-after=N cut-after=N TCP: after N octets to the client, silence or reset; also with -R
 *
 * Over UDP all queries leave from one socket, under ids of the relay's own; a reply finds its
 * client by that. The server behind it is real and near, so nothing is sent again. All that is
 * random comes from the seed. One thread, libevent; clarity over speed.
 */
#include "mangle.h"
#include "toolctl.h"
#include "toolnet.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MESSAGE_MAX 65535

/* In the order of fault_words. */
enum fault {
	DELAY,
	JITTER,
	DROP,
	DROP_REPLIES,
	DUPLICATE,
	TRUNCATE,
	CUT,
	CORRUPT,
	SCRAMBLE,
	GARBAGE,
	NOISE,
	WRONG_ID,
	WRONG_QUESTION,
	OTHER_ADDRESS,
	OTHER_PORT,
	ONLY,
	DEAD,
	TCP_SILENT,
	TCP_CLOSE,
	TCP_RESET,
	TCP_HALF,
	TCP_STALL,
	TCP_SLOW,
	STALL_AFTER,
	CUT_AFTER,
	FAULTS
};

static const char *const fault_words[FAULTS] = {
	"delay",    "jitter",    "drop",           "drop-replies",  "duplicate",
	"truncate", "cut",       "corrupt",        "scramble",      "garbage",
	"noise",    "wrong-id",  "wrong-question", "other-address", "other-port",
	"only",     "dead",      "tcp-silent",     "tcp-close",     "tcp-reset",
	"tcp-half", "tcp-stall", "tcp-slow",       "stall-after",   "cut-after",
};

/* Who asked under an id of ours. */
struct asker {
	struct sockaddr_storage addr;
	socklen_t len;
	uint16_t id;
	bool waits;
};

/* A reply that waits for its time. */
struct late {
	struct event *timer;
	struct link *link; /* NULL: UDP */
	struct sockaddr_storage to;
	socklen_t to_len;
	size_t len;
	uint8_t bytes[];
};

/* A connection and its other half. */
struct link {
	struct bufferevent *client, *server; /* NULL once closed */
	struct event *slow;                  /* tcp-slow: ticks while there is something to send */
	struct evbuffer *slow_bytes;
	size_t given;  /* octets to the client so far */
	unsigned refs; /* delayed frames, and one while either half is open */
	bool mute;     /* nothing goes to the client any more */
	bool ending;   /* the end follows what is being written */
	struct link *next, *prev;
};

static struct event_base *base;
static struct sockaddr_storage here, server;
static socklen_t here_len, server_len;
static int udp = -1, tcp = -1, other_address = -1, other_port = -1, upstream = -1;
static struct event *udp_event;
static struct evconnlistener *listener;
static bool raw, down;
static unsigned faults[FAULTS];
static struct asker askers[65536];
static uint16_t next_id;
static struct link *links;
static long count_queries, count_replies, count_lost, count_forged, count_tcp;

static bool happens(enum fault fault)
{
	return faults[fault] > 0 && mangle_random(100) < faults[fault];
}

/* ---- links ----------------------------------------------------------------------------- */

static void link_unref(struct link *link)
{
	if (--link->refs > 0)
		return;
	if (link->next)
		link->next->prev = link->prev;
	if (link->prev)
		link->prev->next = link->next;
	else
		links = link->next;
	if (link->slow)
		event_free(link->slow);
	if (link->slow_bytes)
		evbuffer_free(link->slow_bytes);
	free(link);
}

static void link_close(struct link *link, bool reset)
{
	struct linger linger = { .l_onoff = 1 };

	if (!link->client && !link->server)
		return;
	if (link->client) {
		if (reset)
			setsockopt(bufferevent_getfd(link->client), SOL_SOCKET, SO_LINGER, &linger,
				   sizeof(linger));
		bufferevent_free(link->client);
	}
	if (link->server)
		bufferevent_free(link->server);
	link->client = link->server = NULL;
	link_unref(link);
}

static void link_tick(evutil_socket_t fd, short what, void *arg)
{
	struct link *link = arg;
	uint8_t octet;

	(void)fd;
	(void)what;
	if (!link->client || evbuffer_remove(link->slow_bytes, &octet, 1) != 1) {
		event_del(link->slow);
		return;
	}
	bufferevent_write(link->client, &octet, 1);
}

/* To the client, as far as the faults let it through. May close the link: the caller holds a
 * reference. */
static void link_give(struct link *link, const void *bytes, size_t len)
{
	size_t limit = faults[STALL_AFTER] ? faults[STALL_AFTER] : faults[CUT_AFTER];

	if (!link->client || link->mute)
		return;
	if (limit && link->given + len >= limit) {
		len = limit > link->given ? limit - link->given : 0;
		link->mute = true;
	}
	link->given += len;
	if (faults[TCP_SLOW]) {
		struct timeval tv = { faults[TCP_SLOW] / 1000, faults[TCP_SLOW] % 1000 * 1000 };
		if (!link->slow) {
			link->slow = event_new(base, -1, EV_PERSIST, link_tick, link);
			link->slow_bytes = evbuffer_new();
		}
		evbuffer_add(link->slow_bytes, bytes, len);
		event_add(link->slow, &tv);
		return;
	}
	bufferevent_write(link->client, bytes, len);
	if (link->mute && faults[CUT_AFTER])
		link_close(link, true);
}

static void link_frame(struct link *link, const uint8_t *bytes, size_t len)
{
	uint8_t head[2] = { (uint8_t)(len >> 8), (uint8_t)len };

	link_give(link, head, sizeof(head));
	if (!faults[TCP_HALF] && !faults[TCP_STALL]) {
		link_give(link, bytes, len);
		return;
	}
	link_give(link, bytes, len / 2);
	link->mute = true;
	link->ending = faults[TCP_HALF] > 0;
}

/* ---- replies --------------------------------------------------------------------------- */

static void send_udp(int fd, const struct sockaddr_storage *to, socklen_t to_len,
		     const uint8_t *bytes, size_t len)
{
	if (fd >= 0 && sendto(fd, bytes, len, 0, (const struct sockaddr *)to, to_len) < 0 &&
	    errno != ECONNREFUSED && errno != EAGAIN)
		perror("relay: sendto");
}

static void late_free(struct late *late)
{
	event_free(late->timer);
	if (late->link)
		link_unref(late->link);
	free(late);
}

static void late_due(evutil_socket_t fd, short what, void *arg)
{
	struct late *late = arg;

	(void)fd;
	(void)what;
	if (late->link)
		link_frame(late->link, late->bytes, late->len);
	else
		send_udp(down ? -1 : udp, &late->to, late->to_len, late->bytes, late->len);
	late_free(late);
}

/* The good reply, now or when its time comes. */
static void give(struct link *link, const struct asker *to, const uint8_t *bytes, size_t len)
{
	unsigned ms = faults[DELAY] + (faults[JITTER] ? mangle_random(faults[JITTER] + 1) : 0);
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };
	struct late *late;

	if (ms == 0 && link) {
		link_frame(link, bytes, len);
		return;
	}
	if (ms == 0) {
		send_udp(udp, &to->addr, to->len, bytes, len);
		return;
	}
	late = calloc(1, sizeof(*late) + len);
	if (!late)
		abort();
	late->link = link;
	if (link) {
		link->refs++;
	} else {
		late->to = to->addr;
		late->to_len = to->len;
	}
	late->len = len;
	memcpy(late->bytes, bytes, len);
	late->timer = evtimer_new(base, late_due, late);
	evtimer_add(late->timer, &tv);
}

static void give_forged_one(struct link *link, const struct asker *to, int fd, const uint8_t *bytes,
			    size_t len)
{
	count_forged++;
	if (link)
		link_frame(link, bytes, len);
	else
		send_udp(fd, &to->addr, to->len, bytes, len);
}

/* Over TCP there are no other addresses to send from. */
static void give_forged(struct link *link, const struct asker *to, const uint8_t *bytes, size_t len)
{
	static uint8_t forged[MESSAGE_MAX];

	memcpy(forged, bytes, len);
	mangle_poison(forged, len);
	if (happens(WRONG_ID)) {
		forged[1] ^= 0x55;
		give_forged_one(link, to, udp, forged, len);
		forged[1] ^= 0x55;
	}
	if (!link && happens(OTHER_ADDRESS))
		give_forged_one(link, to, other_address, forged, len);
	if (!link && happens(OTHER_PORT))
		give_forged_one(link, to, other_port, forged, len);
	if (happens(WRONG_QUESTION)) {
		mangle_question(forged, len);
		give_forged_one(link, to, udp, forged, len);
	}
}

static void reply(struct link *link, const struct asker *to, uint8_t *bytes, size_t len)
{
	count_replies++;
	if (faults[DEAD] || (!link && happens(DROP_REPLIES))) {
		count_lost++;
		return;
	}
	give_forged(link, to, bytes, len);
	if (faults[ONLY])
		return;
	if (happens(CORRUPT))
		mangle_corrupt(bytes, len);
	if (happens(SCRAMBLE))
		mangle_scramble(bytes, len);
	if (happens(GARBAGE))
		mangle_garbage(bytes, len);
	if (happens(NOISE))
		mangle_noise(bytes, len);
	if (!link && happens(TRUNCATE))
		len = mangle_truncate(bytes, len);
	if (!link && happens(CUT))
		len /= 2;
	give(link, to, bytes, len);
	if (happens(DUPLICATE))
		give(link, to, bytes, len);
}

/* ---- UDP ------------------------------------------------------------------------------- */

static void udp_query(evutil_socket_t fd, short what, void *arg)
{
	uint8_t bytes[MESSAGE_MAX];
	struct asker asker = { .waits = true };
	ssize_t n;

	(void)what;
	(void)arg;
	for (;;) {
		asker.len = sizeof(asker.addr);
		n = recvfrom((int)fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&asker.addr,
			     &asker.len);
		if (n < 0)
			return;
		if (n < 2)
			continue;
		count_queries++;
		if (faults[DEAD] || happens(DROP)) {
			count_lost++;
			continue;
		}
		asker.id = (uint16_t)(bytes[0] << 8 | bytes[1]);
		askers[++next_id] = asker;
		bytes[0] = (uint8_t)(next_id >> 8);
		bytes[1] = (uint8_t)next_id;
		if (send(upstream, bytes, (size_t)n, 0) < 0 && errno != ECONNREFUSED)
			perror("relay: send");
	}
}

static void udp_reply(evutil_socket_t fd, short what, void *arg)
{
	static uint8_t bytes[MESSAGE_MAX];
	ssize_t n;

	(void)what;
	(void)arg;
	while ((n = recv((int)fd, bytes, sizeof(bytes), 0)) >= 0 || errno == ECONNREFUSED) {
		if (n < 2)
			continue;
		struct asker *asker = &askers[bytes[0] << 8 | bytes[1]];
		if (!asker->waits)
			continue;
		asker->waits = false;
		bytes[0] = (uint8_t)(asker->id >> 8);
		bytes[1] = (uint8_t)asker->id;
		reply(NULL, asker, bytes, (size_t)n);
	}
}

/* ---- TCP ------------------------------------------------------------------------------- */

static void client_readable(struct bufferevent *bev, void *arg)
{
	struct link *link = arg;
	struct evbuffer *in = bufferevent_get_input(bev);

	if (faults[TCP_CLOSE] || faults[TCP_RESET]) {
		link_close(link, faults[TCP_RESET] > 0);
		return;
	}
	if (faults[DEAD] || faults[TCP_SILENT] || !link->server)
		evbuffer_drain(in, evbuffer_get_length(in));
	else
		bufferevent_write_buffer(link->server, in);
}

static void server_readable(struct bufferevent *bev, void *arg)
{
	static uint8_t bytes[MESSAGE_MAX];
	struct link *link = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	uint8_t head[2];

	link->refs++; /* a fault may close it while we read on */
	while (link->server && raw && evbuffer_get_length(in) > 0) {
		int n = evbuffer_remove(in, bytes, sizeof(bytes));
		link_give(link, bytes, (size_t)n);
	}
	while (link->server && !raw && evbuffer_copyout(in, head, 2) == 2) {
		size_t len = (size_t)(head[0] << 8 | head[1]);
		if (evbuffer_get_length(in) < len + 2)
			break;
		evbuffer_drain(in, 2);
		evbuffer_remove(in, bytes, len);
		reply(link, NULL, bytes, len);
	}
	link_unref(link);
}

/* Everything that was to be written has been. */
static void client_written(struct bufferevent *bev, void *arg)
{
	struct link *link = arg;

	(void)bev;
	if (link->ending)
		link_close(link, false);
}

/* Either end has gone. The server may close an idle connection: its client may know. */
static void link_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		link_close(arg, (what & BEV_EVENT_ERROR) != 0);
}

static void tcp_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa, int len,
		       void *arg)
{
	struct link *link = calloc(1, sizeof(*link));

	(void)l;
	(void)sa;
	(void)len;
	(void)arg;
	if (!link)
		abort();
	count_tcp++;
	link->refs = 1;
	link->next = links;
	if (links)
		links->prev = link;
	links = link;
	link->client = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	link->server = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(link->client, client_readable, client_written, link_event, link);
	bufferevent_enable(link->client, EV_READ | EV_WRITE);
	bufferevent_setcb(link->server, server_readable, NULL, link_event, link);
	bufferevent_enable(link->server, EV_READ | EV_WRITE);
	if (bufferevent_socket_connect(link->server, (struct sockaddr *)&server, (int)server_len) <
	    0)
		link_close(link, true);
}

/* ---- steering -------------------------------------------------------------------------- */

static int start(void)
{
	if (tool_listen_pair(&here, here_len, &udp, &tcp) < 0)
		return -1;
	udp_event = event_new(base, udp, EV_READ | EV_PERSIST, udp_query, NULL);
	event_add(udp_event, NULL);
	listener = evconnlistener_new(base, tcp_accept, NULL, LEV_OPT_CLOSE_ON_FREE, 0, tcp);
	return listener ? 0 : -1;
}

/*
 * Down, the port stays ours, or somebody else might have it by the time we go up: a UDP socket that
 * is connected to itself takes nothing from others, and a TCP socket that is bound and does not
 * listen refuses. The kernel then says what it says where there is no socket at all.
 */
static int go_down(void)
{
	for (struct link *link = links, *next; link; link = next) {
		next = link->next;
		link_close(link, true);
	}
	event_del(udp_event);
	evconnlistener_disable(listener);
	down = true;
	return connect(udp, (struct sockaddr *)&here, here_len) < 0 || shutdown(tcp, SHUT_RDWR) < 0
		       ? -1
		       : 0;
}

static int go_up(void)
{
	struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	uint8_t byte;

	while (recv(udp, &byte, 1, 0) >= 0) {
		/* what came while it was going down */
	}
	/* A port that the kernel chose is lost with the first connection: then it is bound anew. */
	if (connect(udp, &nobody, sizeof(nobody)) < 0 ||
	    (bind(udp, (struct sockaddr *)&here, here_len) < 0 && errno != EINVAL) ||
	    listen(tcp, 128) < 0) {
		perror("relay: up");
		return -1;
	}
	event_add(udp_event, NULL);
	evconnlistener_enable(listener);
	down = false;
	return 0;
}

/* For the forged ones: the same port of another loopback address, and another port of the same. */
static void open_others(void)
{
	struct sockaddr_storage addr = here;

	if (here.ss_family == AF_INET) {
		((struct sockaddr_in *)&addr)->sin_addr.s_addr = htonl(0x7f000002);
		other_address = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (bind(other_address, (struct sockaddr *)&addr, here_len) < 0)
			perror("relay: 127.0.0.2");
		addr = here;
	}
	((struct sockaddr_in *)&addr)->sin_port = 0; /* the same place in sockaddr_in6 */
	other_port = socket(addr.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(other_port, (struct sockaddr *)&addr, here_len) < 0)
		perror("relay: another port");
}

static int set_faults(char *words)
{
	char *word, *rest = words;

	memset(faults, 0, sizeof(faults));
	while ((word = strsep(&rest, " "))) {
		char *value = strchr(word, '=');
		int i = 0;

		if (!*word)
			continue;
		if (value)
			*value++ = '\0';
		while (i < FAULTS && strcmp(fault_words[i], word) != 0)
			i++;
		if (i == FAULTS)
			return -1;
		faults[i] = value ? (unsigned)strtoul(value, NULL, 10) : 100;
	}
	return 0;
}

static void tell_count(struct evbuffer *out, const char *what)
{
	const struct {
		const char *what;
		long n;
	} counts[] = {
		{ "queries", count_queries }, { "replies", count_replies }, { "lost", count_lost },
		{ "forged", count_forged },   { "tcp", count_tcp },
	};

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		if (strcmp(counts[i].what, what) == 0) {
			evbuffer_add_printf(out, "%ld\n", counts[i].n);
			return;
		}
	}
	evbuffer_add_printf(out, "error: %s?\n", what);
}

static void command(struct evbuffer *out, char *line)
{
	char *rest = strchr(line, ' ');
	int rc = 0;

	if (rest)
		*rest++ = '\0';
	else
		rest = line + strlen(line);
	if (strcmp(line, "count") == 0) {
		tell_count(out, rest);
		return;
	}
	if (strcmp(line, "set") == 0)
		rc = set_faults(rest);
	else if (strcmp(line, "down") == 0 && !down)
		rc = go_down();
	else if (strcmp(line, "up") == 0 && down)
		rc = go_up();
	else if (strcmp(line, "quit") == 0)
		event_base_loopexit(base, NULL);
	else
		rc = -1;
	evbuffer_add_printf(out, rc == 0 ? "ok\n" : "error: %s %s?\n", line, rest);
}

int main(int argc, char **argv)
{
	const char *ctl_path = NULL, *ready = NULL, *listen_on = "127.0.0.1";
	int opt;

	while ((opt = getopt(argc, argv, "+l:u:c:o:S:RC:")) != -1) {
		if (opt == 'C')
			return tool_ctl_client(optarg, argc - optind, argv + optind);
		if (opt == 'l')
			listen_on = optarg;
		else if (opt == 'u' && tool_addr_parse(optarg, &server, &server_len) < 0)
			return 2;
		else if (opt == 'c')
			ctl_path = optarg;
		else if (opt == 'o')
			ready = optarg;
		else if (opt == 'S')
			mangle_seed(strtoull(optarg, NULL, 10));
		else if (opt == 'R')
			raw = true;
		else if (opt == '?')
			return 2;
	}
	if (optind != argc || server_len == 0 || tool_addr_parse(listen_on, &here, &here_len) < 0) {
		fputs("usage: relay [-l ADDR[@PORT]] -u ADDR@PORT -c SOCKET -o FILE [-S SEED] [-R] "
		      "| "
		      "-C SOCKET COMMAND...\n",
		      stderr);
		return 2;
	}
	base = event_base_new();
	upstream = socket(server.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (upstream < 0 || connect(upstream, (struct sockaddr *)&server, server_len) < 0 ||
	    start() < 0)
		return 1;
	open_others();
	event_add(event_new(base, upstream, EV_READ | EV_PERSIST, udp_reply, NULL), NULL);
	if ((ctl_path && tool_ctl_listen(base, ctl_path, command) < 0) ||
	    (ready && tool_write_ready(ready, &here, 1) < 0))
		return 1;
	event_base_dispatch(base);
	return 0;
}
