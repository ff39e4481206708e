/* SPDX-License-Identifier: MIT */
/*
 * A system call costs as much as an answer from memory, so datagrams go in and out by the batch.
 *
 * All headers, control buffers and octets are laid out once. A receive resets only what the one
 * before has used. Answers are copied into slots of fixed size (a hundred octets: nothing beside
 * the call saved) and leave in order; runs for the same socket share a call.
 *
 * The asked address is the delicate part. A socket bound to one address needs no control data at
 * all. A wildcard socket gets it with every datagram. For IPv4 it is ipi_spec_dst, not ipi_addr:
 * for a unicast question both are the address asked, for a broadcast one only the former can be
 * sent from. On the way out the interface is left open, so that the routing table decides as it
 * does for a bound socket - but for IPv6 link-local addresses, which mean nothing without it (RFC
 * 4007 6).
 *
 * Path MTU discovery is off: answers are at most 1,232 octets, which need no fragmenting
 * anywhere, and a forged "too big" must not be able to shrink the path (RFC 9715).
 *
 * Refused: UDP_SEGMENT (one receiver only) and connected sockets (clients are strangers).
 */
#include "net/udp.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Older kernel headers lack them; the values are the kernel's own for ever. */
#ifndef IP_PMTUDISC_OMIT
#define IP_PMTUDISC_OMIT 5
#endif
#ifndef IPV6_PMTUDISC_OMIT
#define IPV6_PMTUDISC_OMIT 5
#endif

/* Errors that ICMP may have left, passed over in one receive: each is cleared by being told. */
#define ERRORS_MAX 8

/*
 * From one datagram's room to the next. A power of two would put the first octets of all of them,
 * which are all that most have, into the same few places of the processor's cache.
 */
#define IN_ROOM (UDP_IN_MAX + 128)

/* Room and alignment for one control message of either family. */
union control {
	struct cmsghdr align;
	uint8_t room[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};
_Static_assert(sizeof(struct in_pktinfo) <= sizeof(struct in6_pktinfo), "one room for both");

struct udp_in {
	unsigned count;
	struct mmsghdr header[UDP_BATCH];
	struct iovec piece[UDP_BATCH];
	union control control[UDP_BATCH];
	struct udp_datagram datagram[UDP_BATCH];
	uint8_t data[UDP_BATCH][IN_ROOM];
};

struct udp_out {
	unsigned count;
	int fd[UDP_BATCH];
	struct mmsghdr header[UDP_BATCH];
	struct iovec piece[UDP_BATCH];
	union control control[UDP_BATCH];
	union addr to[UDP_BATCH];
	uint8_t data[UDP_BATCH][UDP_OUT_MAX];
};

static int set_flag(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

int udp_socket_prepare(int fd, const union addr *local)
{
	bool wildcard = addr_is_wildcard(local);

	if (local->any.sa_family == AF_INET) {
		if (set_flag(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT) < 0 &&
		    set_flag(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT) < 0)
			return -1;
		return wildcard ? set_flag(fd, IPPROTO_IP, IP_PKTINFO, 1) : 0;
	}
	if (set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) < 0)
		return -1;
	if (set_flag(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT) < 0 &&
	    set_flag(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT) < 0)
		return -1;
	return wildcard ? set_flag(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) : 0;
}

static void in_reset(struct udp_in *in, unsigned n)
{
	struct msghdr *header = &in->header[n].msg_hdr;

	header->msg_name = &in->datagram[n].from;
	header->msg_namelen = sizeof(in->datagram[n].from);
	header->msg_control = &in->control[n];
	header->msg_controllen = sizeof(in->control[n]);
	header->msg_flags = 0;
}

struct udp_in *udp_in_new(void)
{
	struct udp_in *in = calloc(1, sizeof(*in));
	unsigned n;

	if (!in)
		return NULL;
	for (n = 0; n < UDP_BATCH; n++) {
		in->piece[n].iov_base = in->data[n];
		in->piece[n].iov_len = UDP_IN_MAX;
		in->header[n].msg_hdr.msg_iov = &in->piece[n];
		in->header[n].msg_hdr.msg_iovlen = 1;
		in_reset(in, n);
	}
	return in;
}

void udp_in_free(struct udp_in *in)
{
	free(in);
}

/* Puts the asked address into `to`, which holds the socket's own; it stays if none was told. */
static void asked_address(struct msghdr *header, struct udp_datagram *datagram)
{
	struct cmsghdr *c;
	struct in_pktinfo info4;
	struct in6_pktinfo info6;

	for (c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&info4, CMSG_DATA(c), sizeof(info4));
			datagram->to.in4.sin_addr = info4.ipi_spec_dst;
			datagram->ifindex = (uint32_t)info4.ipi_ifindex;
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&info6, CMSG_DATA(c), sizeof(info6));
			datagram->to.in6.sin6_addr = info6.ipi6_addr;
			datagram->ifindex = info6.ipi6_ifindex;
			if (IN6_IS_ADDR_LINKLOCAL(&info6.ipi6_addr))
				datagram->to.in6.sin6_scope_id = info6.ipi6_ifindex;
		}
	}
}

unsigned udp_receive(struct udp_in *in, int fd, const union addr *local)
{
	struct udp_datagram *datagram;
	struct msghdr *header;
	unsigned n, tries = 0;
	int got;

	for (n = 0; n < in->count; n++)
		in_reset(in, n);
	in->count = 0;
	do
		got = recvmmsg(fd, in->header, UDP_BATCH, MSG_DONTWAIT, NULL);
	while (got < 0 && errno != EAGAIN && ++tries < ERRORS_MAX);
	if (got <= 0)
		return 0;
	in->count = (unsigned)got;
	for (n = 0; n < in->count; n++) {
		header = &in->header[n].msg_hdr;
		datagram = &in->datagram[n];
		datagram->to = *local;
		datagram->ifindex = 0;
		datagram->data = in->data[n];
		datagram->len = in->header[n].msg_len;
		datagram->cut = (header->msg_flags & MSG_TRUNC) != 0;
		if (header->msg_controllen > 0)
			asked_address(header, datagram);
	}
	return in->count;
}

const struct udp_datagram *udp_in_at(const struct udp_in *in, unsigned n)
{
	assert(n < in->count);
	return &in->datagram[n];
}

struct udp_out *udp_out_new(void)
{
	struct udp_out *out = calloc(1, sizeof(*out));
	unsigned n;

	if (!out)
		return NULL;
	for (n = 0; n < UDP_BATCH; n++) {
		out->piece[n].iov_base = out->data[n];
		out->header[n].msg_hdr.msg_iov = &out->piece[n];
		out->header[n].msg_hdr.msg_iovlen = 1;
		out->header[n].msg_hdr.msg_name = &out->to[n];
	}
	return out;
}

void udp_out_free(struct udp_out *out)
{
	free(out);
}

/* Names the address to send from. */
static void put_source(struct msghdr *header, union control *control, const union addr *from,
		       uint32_t ifindex)
{
	struct in_pktinfo info4 = { 0 };
	struct in6_pktinfo info6 = { 0 };
	struct cmsghdr *c = &control->align;

	header->msg_control = control;
	if (from->any.sa_family == AF_INET) {
		info4.ipi_spec_dst = from->in4.sin_addr;
		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(info4));
		memcpy(CMSG_DATA(c), &info4, sizeof(info4));
		header->msg_controllen = CMSG_SPACE(sizeof(info4));
		return;
	}
	info6.ipi6_addr = from->in6.sin6_addr;
	if (IN6_IS_ADDR_LINKLOCAL(&info6.ipi6_addr))
		info6.ipi6_ifindex = ifindex;
	c->cmsg_level = IPPROTO_IPV6;
	c->cmsg_type = IPV6_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof(info6));
	memcpy(CMSG_DATA(c), &info6, sizeof(info6));
	header->msg_controllen = CMSG_SPACE(sizeof(info6));
}

bool udp_put(struct udp_out *out, int fd, const union addr *to, const union addr *from,
	     bool from_wildcard, uint32_t ifindex, const uint8_t *data, size_t len)
{
	struct msghdr *header;
	unsigned n = out->count;

	if (n == UDP_BATCH || len > UDP_OUT_MAX)
		return false;
	header = &out->header[n].msg_hdr;
	out->fd[n] = fd;
	out->to[n] = *to;
	header->msg_namelen = addr_len(to);
	header->msg_control = NULL;
	header->msg_controllen = 0;
	if (from_wildcard && !addr_is_wildcard(from))
		put_source(header, &out->control[n], from, ifindex);
	memcpy(out->data[n], data, len);
	out->piece[n].iov_len = len;
	out->count++;
	return true;
}

unsigned udp_out_count(const struct udp_out *out)
{
	return out->count;
}

struct udp_sent udp_flush(struct udp_out *out)
{
	struct udp_sent ret = { 0, 0 };
	unsigned at = 0, end;
	int done;

	while (at < out->count) {
		for (end = at + 1; end < out->count && out->fd[end] == out->fd[at]; end++)
			;
		done = sendmmsg(out->fd[at], out->header + at, end - at,
				MSG_DONTWAIT | MSG_NOSIGNAL);
		if (done > 0) {
			ret.sent += (unsigned)done;
			at += (unsigned)done;
		} else if (done < 0 && errno == EINTR) {
			continue;
		} else if (done < 0 && errno == EAGAIN) {
			/* The socket is full: so it is for the rest of the run. */
			ret.dropped += end - at;
			at = end;
		} else {
			ret.dropped++; /* this one's own fault: its client cannot be reached */
			at++;
		}
	}
	out->count = 0;
	return ret;
}
