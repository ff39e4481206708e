# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# A network of the test's own: hosts that are network namespaces, on one bridge. Sourced before
# lib.sh:
#
#     . "$(dirname "$0")/../netns.sh"
#     netns_enter "$0"            starts the test again in namespaces of its own, if it may
#     . "$(dirname "$0")/../lib.sh"
#     netns_network               the test itself is 10.77.0.1; skips the test where it cannot be
#     netns_host NAME ADDR...     a host with these addresses of 10.77.0.0/24
#     netns_in NAME               before a command by hand: sets WITHIN, for start_server
#
# Names of namespaces, mounts and interfaces are seen in the test alone and gone with it, whatever
# happens. What runs in a host is started with nsenter, which becomes the program: its PID is $!.

netns_enter()
{
	[ -z "${IN_NAMESPACE:-}" ] || return 0
	[ "$(id -u)" = 0 ] || return 0
	unshare -n -m true 2>/dev/null || return 0
	IN_NAMESPACE=yes exec unshare -n -m bash "$@"
}

netns_network()
{
	if [ -z "${IN_NAMESPACE:-}" ] ||
	   ! { mount -t tmpfs none /run && mkdir /run/netns && ip link set lo up &&
	       ip link add br0 type bridge && ip link set br0 up &&
	       ip addr add 10.77.0.1/24 dev br0; } >"$TMP/netns.out" 2>&1; then
		[ ! -s "$TMP/netns.out" ] || note <"$TMP/netns.out"
		skip_all "network namespaces are not to be had here (root, unshare, a bridge)"
	fi
}

netns_host()
{
	local name=$1 a
	shift
	ip netns add "$name" && ip link add "v$name" type veth peer name eth0 netns "$name" &&
		ip link set "v$name" master br0 up && ip -n "$name" link set lo up &&
		ip -n "$name" link set eth0 up || bail "no namespace for host $name"
	for a in "$@"; do
		ip -n "$name" addr add "$a/24" dev eth0 || bail "no address $a for host $name"
	done
}

# shellcheck disable=SC2034
netns_in() { WITHIN=(nsenter "--net=/run/netns/$1"); }
