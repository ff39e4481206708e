/* SPDX-License-Identifier: MIT */
/*
 * The load generator of the bench.
 *
 *     load -s ADDR@PORT [-n QUERIES] [-T SECONDS] [-w WINDOW | -r RATE] [-k SOCKETS]
 *          [-c RCODE] [-a ANSWERS] [-t TYPE] [-l SECONDS] [-P PROTOCOL] [-g] [-f FILE] [NAME...]
 *
 * Over UDP, or as PROTOCOL says `tcp` or `tls`: SOCKETS connections that are kept open, with as
 * many queries in flight on each as its share of the window.
 *
 * Closed loop (-w, the default): WINDOW queries are out at any time, a reply starts the next.
 * Fixed rate (-r a second): sent by the clock whatever comes back, and a latency counts from the
 * moment when the query was due, not from when it went out: a server that stalls cannot hide the
 * queries that it kept from being sent. Names are asked in turn, from FILE (one a line), then the
 * arguments; a `%` in one becomes the query's number in 8 hex digits, so each question is a new
 * one. A query without a reply is lost after a second (-l: so many). Ends after QUERIES or SECONDS,
 * or SIGTERM, and a second.
 *
 * -g: the A records are generations of records that change together. An address is 10.G.G.M: G a
 * number that grows, the high four bits of M say which of 16 groups it is of. A reply is bad where
 * an address is none of these, where two differ in G, and where G is lower than what the same
 * socket got before for this group: a socket's queries go to one worker, which answers in order,
 * so that would be a name that was left behind when others had moved on. Not for TCP or
 * answers from upstreams. The line ends with `generations N`, how many were seen.
 *
 * Prints `sent N done N bad N stray N lost N seconds S rate R p50 US p99 US p99.9 US max US`. bad:
 * other than the rcode and number of answers asked for; stray: a reply to nothing (late, or twice).
 * Exit status: 0 all came and were good, 1 not so, 2 bad usage.
 *
 * One thread, sendmmsg/recvmmsg with ppoll: the generator must be cheaper than what it measures.
 * So queries are laid out beforehand, and only id and number are filled in. Sockets are connected
 * and several, so that SO_REUSEPORT spreads them over workers. The low 12 bits of an id are its
 * slot, the others the round, so a late reply does not pass for the next one in that slot.
 */
#include "../tools/toolnet.h"
#include "flow.h"

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64
#define MAX_SOCKETS 64
#define MAX_SLOTS 4096 /* queries out at once: 12 bits of the id, 4 stay for the round */
#define MAX_NAMES (1u << 20)
#define MAX_QUERY 288 /* header 12, name 255, type and class 4, OPT 11 */
#define BUCKETS 640   /* histogram: 16 to a power of two of nanoseconds, 6 % wide, up to hours */
#define DIGITS 8
#define GROUPS 16

struct query {
	uint8_t bytes[MAX_QUERY];
	uint16_t len;
	uint16_t number_at; /* 0: none */
};

struct slot {
	uint64_t due_ns; /* 0: free */
	uint16_t id;
	uint8_t socket;
};

struct sender {
	int fd;
	struct flow *flow; /* NULL: UDP */
	unsigned count;
	uint8_t bytes[BATCH][MAX_QUERY];
	struct iovec iov[BATCH];
	struct mmsghdr msgs[BATCH];
};

static struct {
	struct sockaddr_storage server;
	socklen_t server_len;
	uint64_t queries, rate, limit_ns, lost_ns;
	unsigned window, sockets, rcode, answers, type;
	bool generations;
	bool stream, tls;
	const char *file;
} conf = { .queries = 200000,
	   .limit_ns = 60000000000ull,
	   .lost_ns = 1000000000ull,
	   .window = 64,
	   .sockets = 8,
	   .answers = 1,
	   .type = 1 };

static struct query *queries;
static size_t query_count;
static struct sender senders[MAX_SOCKETS];
static struct slot slots[MAX_SLOTS];
static unsigned free_slots[MAX_SLOTS], free_count;
static uint16_t rounds[MAX_SLOTS];
static uint64_t sent, done, bad, stray, lost, histogram[BUCKETS], max_ns;
static unsigned newest[MAX_SOCKETS][GROUPS]; /* generation */
static uint64_t generations_seen[65536 / 64];
static volatile sig_atomic_t ended;

static void on_term(int number)
{
	(void)number;
	ended = 1;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

static unsigned bucket_of(uint64_t ns)
{
	if (ns < 16)
		ns = 16;
	unsigned power = 63 - (unsigned)__builtin_clzll(ns);
	unsigned b = (power - 4) * 16 + (unsigned)(ns >> (power - 4) & 15);

	return b < BUCKETS ? b : BUCKETS - 1;
}

static double quantile_us(double q)
{
	uint64_t want = (uint64_t)((double)done * q), seen = 0;

	for (unsigned b = 0; b < BUCKETS; b++) {
		seen += histogram[b];
		if (seen > want)
			return (double)((uint64_t)(16 + b % 16) << b / 16) / 1000;
	}
	return (double)max_ns / 1000;
}

/* Header, question, OPT with 1232. Returns 0, or -1 where this is no name. */
static int query_lay_out(struct query *q, const char *name)
{
	static const uint8_t opt[] = { 0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0 };
	size_t at = 12;

	memset(q, 0, sizeof(*q));
	q->bytes[2] = 1; /* RD */
	q->bytes[5] = 1;
	q->bytes[11] = 1;
	while (*name) {
		size_t start = at++, len = 0;
		for (; *name && *name != '.'; name++) {
			size_t add = *name == '%' ? DIGITS : 1;
			if (len + add > 63 || at + add > 12 + 254)
				return -1;
			if (*name == '%')
				q->number_at = (uint16_t)at;
			q->bytes[at] = (uint8_t)*name;
			at += add;
			len += add;
		}
		if (len == 0)
			return -1;
		q->bytes[start] = (uint8_t)len;
		name += *name == '.';
	}
	at++;
	q->bytes[at++] = (uint8_t)(conf.type >> 8);
	q->bytes[at++] = (uint8_t)conf.type;
	q->bytes[at + 1] = 1;
	at += 2;
	memcpy(q->bytes + at, opt, sizeof(opt));
	q->len = (uint16_t)(at + sizeof(opt));
	return 0;
}

static int add_name(const char *name)
{
	if (query_count == MAX_NAMES) {
		fprintf(stderr, "more than %u names\n", MAX_NAMES);
		return -1;
	}
	if ((query_count & (query_count - 1)) == 0) {
		size_t room = query_count ? query_count * 2 : 1;
		struct query *grown = realloc(queries, room * sizeof(*queries));
		if (!grown)
			return -1;
		queries = grown;
	}
	if (query_lay_out(&queries[query_count], name) < 0) {
		fprintf(stderr, "not a name: %s\n", name);
		return -1;
	}
	query_count++;
	return 0;
}

static int add_file(const char *path)
{
	char line[512];
	FILE *f = fopen(path, "re");
	int rc = f ? 0 : -1;

	if (!f)
		perror(path);
	while (rc == 0 && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\r\n")] = '\0';
		if (line[0])
			rc = add_name(line);
	}
	if (f)
		fclose(f);
	return rc;
}

static void sender_flush(struct sender *s)
{
	unsigned at = 0;

	if (s->flow) {
		for (; at < s->count; at++)
			flow_put(s->flow, s->bytes[at], s->iov[at].iov_len);
		if (flow_flush(s->flow) < 0)
			ended = 1; /* it would not go on */
		s->count = 0;
		return;
	}
	while (at < s->count) {
		int n = sendmmsg(s->fd, s->msgs + at, s->count - at, 0);
		if (n <= 0)
			break; /* they count as lost in a second */
		at += (unsigned)n;
	}
	s->count = 0;
}

static void send_one(uint64_t due_ns)
{
	static const char hex[] = "0123456789abcdef";
	const struct query *q = &queries[sent % query_count];
	unsigned k = free_slots[--free_count];
	unsigned socket = (unsigned)(sent % conf.sockets);
	struct sender *s = &senders[socket];
	uint8_t *p = s->bytes[s->count];
	uint16_t id = (uint16_t)(k | (unsigned)rounds[k]++ << 12);

	slots[k] = (struct slot){ .due_ns = due_ns, .id = id, .socket = (uint8_t)socket };
	memcpy(p, q->bytes, q->len);
	p[0] = (uint8_t)(id >> 8);
	p[1] = (uint8_t)id;
	if (q->number_at)
		for (unsigned i = 0; i < DIGITS; i++)
			p[q->number_at + i] = (uint8_t)hex[sent >> 4 * (DIGITS - 1 - i) & 15];
	s->iov[s->count].iov_len = q->len;
	sent++;
	if (++s->count == BATCH)
		sender_flush(s);
}

/* Past a name; 0 where there is none. Where it points to does not matter. */
static size_t skip_name(const uint8_t *p, size_t len, size_t at)
{
	while (at < len && p[at] != 0) {
		if (p[at] >= 0xc0)
			return at + 2 <= len ? at + 2 : 0;
		at += p[at] + 1u;
	}
	return at < len ? at + 1 : 0;
}

/* What -g asks for, of one address. */
static bool address_fits(const uint8_t *a, unsigned socket, unsigned *generation)
{
	unsigned g = (unsigned)(a[1] << 8 | a[2]), *last = &newest[socket][a[3] >> 4];

	if (a[0] != 10 || g < *last || (*generation && g != *generation))
		return false;
	*generation = *last = g;
	generations_seen[g / 64] |= 1ull << g % 64;
	return true;
}

static bool generations_fit(const uint8_t *p, size_t len, unsigned socket)
{
	unsigned count = (unsigned)(p[6] << 8 | p[7]), generation = 0, addresses = 0;
	size_t at = skip_name(p, len, 12);

	if (at == 0)
		return false;
	at += 4;
	for (unsigned i = 0; i < count; i++) {
		at = skip_name(p, len, at);
		if (at == 0 || at + 10 > len)
			return false;
		unsigned type = (unsigned)(p[at] << 8 | p[at + 1]);
		size_t size = (size_t)(p[at + 8] << 8 | p[at + 9]);
		at += 10;
		if (size > len - at)
			return false;
		if (type == 1) {
			if (size != 4 || !address_fits(p + at, socket, &generation))
				return false;
			addresses++;
		}
		at += size;
	}
	return addresses > 0;
}

static void take_reply(const uint8_t *p, size_t len, unsigned socket, uint64_t now)
{
	unsigned id = len < 12 ? 0 : (unsigned)(p[0] << 8 | p[1]);
	struct slot *slot = &slots[id % MAX_SLOTS];

	if (len < 12 || slot->due_ns == 0 || slot->id != id || slot->socket != socket) {
		stray++;
		return;
	}
	if (!(p[2] & 0x80) || (p[2] & 2) || (p[3] & 15u) != conf.rcode ||
	    (unsigned)(p[6] << 8 | p[7]) != conf.answers ||
	    (conf.generations && !generations_fit(p, len, socket)))
		bad++;
	uint64_t ns = now > slot->due_ns ? now - slot->due_ns : 0;
	histogram[bucket_of(ns)]++;
	if (ns > max_ns)
		max_ns = ns;
	slot->due_ns = 0;
	free_slots[free_count++] = id % MAX_SLOTS;
	done++;
}

static void take_now(const uint8_t *p, size_t len, unsigned socket)
{
	take_reply(p, len, socket, now_ns());
}

static void receive(unsigned k)
{
	static uint8_t bytes[BATCH][2048];
	static struct iovec iov[BATCH];
	static struct mmsghdr msgs[BATCH];
	int n;

	if (senders[k].flow) {
		if (flow_receive(senders[k].flow, take_now, k) < 0)
			ended = 1;
		return;
	}
	do {
		for (int i = 0; i < BATCH && !iov[i].iov_base; i++) {
			iov[i] =
				(struct iovec){ .iov_base = bytes[i], .iov_len = sizeof(bytes[i]) };
			msgs[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i], .msg_iovlen = 1 };
		}
		n = recvmmsg(senders[k].fd, msgs, BATCH, MSG_DONTWAIT, NULL);
		uint64_t now = now_ns();
		for (int i = 0; i < n; i++)
			take_reply(bytes[i], msgs[i].msg_len, k, now);
	} while (n == BATCH);
}

static void give_up_lost(uint64_t now)
{
	static uint64_t next;

	if (now < next)
		return;
	next = now + conf.lost_ns / 20;
	for (unsigned i = 0; i < MAX_SLOTS; i++) {
		if (slots[i].due_ns && now > slots[i].due_ns + conf.lost_ns) {
			slots[i].due_ns = 0;
			free_slots[free_count++] = i;
			lost++;
		}
	}
}

/* Fixed rate: what is due by now. Where no slot is free a second's load is out already: lost. */
static void send_due(uint64_t start, uint64_t now)
{
	uint64_t step = 1000000000ull / conf.rate;

	while (sent < conf.queries && start + sent * step <= now) {
		if (free_count > 0) {
			send_one(start + sent * step);
		} else {
			sent++;
			lost++;
		}
	}
}

static void run(uint64_t start)
{
	struct pollfd polls[MAX_SOCKETS];
	uint64_t now = start;
	bool over = false;

	for (unsigned k = 0; k < conf.sockets; k++)
		polls[k] = (struct pollfd){ .fd = senders[k].fd, .events = POLLIN };
	for (;;) {
		struct timespec wait = { .tv_nsec = 50000000 };

		over = over || ended || sent >= conf.queries || now - start >= conf.limit_ns;
		if (over && done + lost >= sent)
			return;
		if (!over && conf.rate) {
			send_due(start, now);
			uint64_t next = start + sent * (1000000000ull / conf.rate);
			now = now_ns();
			wait.tv_nsec = next <= now ? 0 : (long)(next - now);
			if (wait.tv_nsec > 50000000)
				wait.tv_nsec = 50000000;
		} else if (!over) {
			while (sent < conf.queries && free_count > MAX_SLOTS - conf.window)
				send_one(now);
		}
		for (unsigned k = 0; k < conf.sockets; k++)
			sender_flush(&senders[k]);
		if (ppoll(polls, conf.sockets, &wait, NULL) > 0)
			for (unsigned k = 0; k < conf.sockets; k++)
				if (polls[k].revents)
					receive(k);
		now = now_ns();
		give_up_lost(now);
	}
}

static int options(int argc, char **argv)
{
	int opt;

	while ((opt = getopt(argc, argv, "s:n:T:w:r:k:c:a:t:f:l:P:g")) != -1) {
		unsigned long v = optarg ? strtoul(optarg, NULL, 10) : 0;
		switch (opt) {
		case 's':
			if (tool_addr_parse(optarg, &conf.server, &conf.server_len) < 0)
				return -1;
			break;
		case 'n':
			conf.queries = v;
			break;
		case 'T':
			conf.limit_ns = (uint64_t)(strtod(optarg, NULL) * 1e9);
			break;
		case 'w':
			conf.window = (unsigned)v;
			break;
		case 'r':
			conf.rate = v;
			break;
		case 'k':
			conf.sockets = (unsigned)v;
			break;
		case 'c':
			conf.rcode = (unsigned)v;
			break;
		case 'a':
			conf.answers = (unsigned)v;
			break;
		case 't':
			conf.type = (unsigned)v;
			break;
		case 'l':
			conf.lost_ns = v * 1000000000ull;
			break;
		case 'P':
			conf.tls = strcmp(optarg, "tls") == 0;
			conf.stream = conf.tls || strcmp(optarg, "tcp") == 0;
			if (!conf.stream)
				return -1;
			break;
		case 'g':
			conf.generations = true;
			break;
		case 'f':
			conf.file = optarg;
			break;
		default:
			return -1;
		}
	}
	if (conf.server_len == 0 || conf.queries >> 32 || conf.rate > 1000000000 ||
	    conf.sockets == 0 || conf.sockets > MAX_SOCKETS || conf.window == 0 ||
	    conf.window > MAX_SLOTS)
		return -1;
	if (conf.file && add_file(conf.file) < 0)
		return -1;
	for (int i = optind; i < argc; i++)
		if (add_name(argv[i]) < 0)
			return -1;
	return query_count > 0 ? 0 : -1;
}

static int sender_open(struct sender *s)
{
	int big = 1 << 20;

	for (unsigned i = 0; i < BATCH; i++) {
		s->iov[i].iov_base = s->bytes[i];
		s->msgs[i].msg_hdr = (struct msghdr){ .msg_iov = &s->iov[i], .msg_iovlen = 1 };
	}
	if (conf.stream) {
		s->flow = malloc(sizeof(*s->flow));
		if (!s->flow || flow_open(s->flow, &conf.server, conf.server_len, conf.tls) < 0)
			return -1;
		s->fd = s->flow->fd;
		return 0;
	}
	s->fd = socket(conf.server.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return -1;
	setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &big, sizeof(big));
	return connect(s->fd, (struct sockaddr *)&conf.server, conf.server_len);
}

int main(int argc, char **argv)
{
	if (options(argc, argv) < 0) {
		fputs("usage: load -s ADDR@PORT [-n QUERIES] [-T SECONDS] [-w WINDOW | -r RATE]\n"
		      "            [-k SOCKETS] [-c RCODE] [-a ANSWERS] [-t TYPE] [-l SECONDS]\n"
		      "            [-P tcp|tls] [-g] [-f FILE] [NAME...]\n",
		      stderr);
		return 2;
	}
	prctl(PR_SET_TIMERSLACK,
	      1000ul); /* the default of 50 us is a long time at 100,000 a second */
	for (unsigned k = 0; k < conf.sockets; k++) {
		if (sender_open(&senders[k]) < 0) {
			perror("load: socket");
			return 2;
		}
	}
	for (unsigned i = 0; i < MAX_SLOTS; i++)
		free_slots[free_count++] = MAX_SLOTS - 1 - i;
	signal(SIGTERM, on_term);
	signal(SIGPIPE, SIG_IGN);
	uint64_t start = now_ns();
	run(start);
	double seconds = (double)(now_ns() - start) / 1e9;
	printf("sent %llu done %llu bad %llu stray %llu lost %llu seconds %.3f rate %.0f "
	       "p50 %.1f p99 %.1f p99.9 %.1f max %.1f",
	       (unsigned long long)sent, (unsigned long long)done, (unsigned long long)bad,
	       (unsigned long long)stray, (unsigned long long)lost, seconds, (double)done / seconds,
	       quantile_us(0.5), quantile_us(0.99), quantile_us(0.999), (double)max_ns / 1000);
	if (conf.generations) {
		unsigned seen = 0;
		for (unsigned i = 0; i < sizeof(generations_seen) / sizeof(*generations_seen); i++)
			seen += (unsigned)__builtin_popcountll(generations_seen[i]);
		printf(" generations %u", seen);
	}
	putchar('\n');
	for (unsigned k = 0; k < conf.sockets; k++)
		free(senders[k].flow);
	free(queries);
	return bad > 0 || lost > 0;
}
