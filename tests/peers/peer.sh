# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
#
# Other DNS servers, each a plain process on a port of its own in a folder of its own. Sourced after
# tests/system/lib.sh by tests/peers/run and tests/bench/run.
#
#     peer_start LABEL KIND PIN NAME PATTERN
#
# KIND is unbound, dnsmasq, named, recursor, knot, nsd, dnsdist or kresd. The caller defines LABEL_conf, which
# prints the configuration proper (the upstream, the records); what a server needs to run as a plain
# process stands here. Both find $port, and $dir for files of their own. PIN is a command prefix
# (taskset ...) or empty. It has started when an answer to `NAME A` matches PATTERN. Sets PEER_ADDR
# and PEER_PID; 1 where it does not start, with the end of its log on standard error.

peer_program() # KIND
{
	case $1 in
	recursor) echo pdns_recursor ;;
	knot) echo knotd ;;
	*) echo "$1" ;;
	esac
}

peer_there() { command -v "$(peer_program "$1")" >/dev/null; }

peer_version() # KIND
{
	local v
	case $1 in
	unbound) v=$(unbound -V) ;;
	dnsmasq) v=$(dnsmasq -v) ;;
	named) v=$(named -v) ;;
	recursor) v=$(pdns_recursor --version 2>&1) ;;
	knot) v=$(knotd -V) ;;
	nsd) v=$(nsd -v 2>&1) ;;
	dnsdist) v=$(dnsdist --version) ;;
	kresd) v=$(kresd --version) ;;
	esac
	grep -oE '[0-9]+\.[0-9]+(\.[0-9]+)?' <<<"$v" | head -n 1
}

# Debian's AppArmor profiles let named and unbound read their own folders only: where one is in
# force, work in such a folder, if it may be written.
peer_folder() # LABEL KIND
{
	local home=
	case $2 in
	named) home=/var/cache/bind ;;
	unbound) home=/var/lib/unbound ;;
	esac
	if [ -n "$home" ] && grep -qs "^\(/usr/sbin/\)\?$2 (enforce)" /sys/kernel/security/apparmor/profiles; then
		mktemp -d "$home/plpeer.XXXXXX"
	else
		mkdir -p "$TMP/$1" && echo "$TMP/$1"
	fi
}

peer_frame_unbound()
{
	cat <<-END
	server:
	  interface: 127.0.0.1@$port
	  directory: "$dir"
	  do-daemonize: no
	  use-syslog: no
	  logfile: ""
	  username: ""
	  chroot: ""
	  pidfile: ""
	  num-threads: 1
	  do-not-query-localhost: no
	  local-zone: "example." nodefault
	  local-zone: "test." nodefault
	remote-control:
	  control-enable: no
	END
}

peer_frame_dnsmasq()
{
	cat <<-END
	port=$port
	listen-address=127.0.0.1
	bind-interfaces
	no-resolv
	no-hosts
	pid-file=
	user=$(id -un)
	END
}

peer_frame_recursor()
{
	cat <<-END
	socket-dir=$dir
	local-address=127.0.0.1
	local-port=$port
	daemon=no
	disable-syslog=yes
	write-pid=no
	threads=1
	security-poll-suffix=
	dont-query=
	quiet=yes
	serve-rfc1918=no
	setuid=
	setgid=
	END
}

peer_frame_knot()
{
	cat <<-END
	server:
	  listen: 127.0.0.1@$port
	  rundir: $dir
	  user: $(id -un):$(id -gn)
	  udp-workers: 1
	  tcp-workers: 1
	  background-workers: 1
	database:
	  storage: $dir
	log:
	  - target: stderr
	    any: warning
	END
}

peer_frame_nsd()
{
	cat <<-END
	server:
	  ip-address: 127.0.0.1@$port
	  username: ""
	  chroot: ""
	  database: ""
	  zonesdir: "$dir"
	  pidfile: "$dir/nsd.pid"
	  xfrdfile: "$dir/xfrd.state"
	  xfrdir: "$dir"
	  zonelistfile: "$dir/zone.list"
	  server-count: 1
	  minimal-responses: yes
	  rrl-ratelimit: 0
	remote-control:
	  control-enable: no
	END
}

# What stands in the one `options` block: the caller's part is LABEL_options.
peer_frame_named()
{
	cat <<-END
	options {
		directory "$dir"; pid-file none; session-keyfile "$dir/session.key"; managed-keys-directory "$dir";
		listen-on port $port { 127.0.0.1; }; listen-on-v6 { none; };
		dnssec-validation ${NAMED_VALIDATES:-no}; empty-zones-enable no; minimal-responses yes;
		$("${label}_options")
	};
	controls { };
	END
}

peer_frame_dnsdist()
{
	cat <<-END
	setLocal("127.0.0.1:$port")
	setACL({"127.0.0.0/8"})
	setSecurityPollSuffix("")
	END
}

peer_frame_kresd()
{
	cat <<-END
	net.listen('127.0.0.1', $port, {kind = 'dns'})
	log_target('stderr')
	trust_anchors.remove('.')
	cache.size = 100 * MB
	END
}

peer_exec() # KIND PIN, in the background
{
	cd "$dir" || exit 1
	# shellcheck disable=SC2086 # a prefix of several words, or of none
	case $1 in
	unbound) exec $2 unbound -d -c "$dir/conf" ;;
	dnsmasq) exec $2 dnsmasq --keep-in-foreground --conf-file="$dir/conf" ;;
	named) exec $2 named -g -n 1 -c "$dir/conf" ;;
	recursor) exec $2 pdns_recursor --config-dir="$dir" ;;
	knot) exec $2 knotd -c "$dir/conf" ;;
	nsd) exec $2 nsd -d -c "$dir/conf" ;;
	dnsdist) exec $2 dnsdist --supervised --disable-syslog -C "$dir/conf" ;;
	kresd) exec $2 kresd -n -c "$dir/conf" "$dir" ;;
	esac
}

peer_start()
{
	local label=$1 kind=$2 pin=$3 name=$4 pattern=$5 port dir _
	dir=$(peer_folder "$label" "$kind") || return 1
	[[ $dir == "$TMP"/* ]] || PEER_FOLDERS+=("$dir")
	for _ in 1 2 3; do # a port that somebody took in between: once more with another
		port=$("$DNSQ" -p)
		{ "peer_frame_$kind"; "${label}_conf"; } >"$dir/conf"
		[ "$kind" = recursor ] && mv "$dir/conf" "$dir/recursor.conf"
		(peer_exec "$kind" "$pin") >"$TMP/$label.log" 2>&1 &
		PEER_PID=$!
		PIDS+=("$PEER_PID")
		disown "$PEER_PID"
		PEER_ADDR=127.0.0.1@$port
		peer_up() { gone "$PEER_PID" || "$DNSQ" -t "${PEER_WAIT_MS:-500}" -s "$PEER_ADDR" "$name" A | grep -qE "$pattern"; }
		wait_for "$label" peer_up >&2
		alive "$PEER_PID" && peer_up && return 0
		peer_stop "$PEER_PID"
	done
	{ echo "# $label does not start:"; tail -n 5 "$TMP/$label.log" | note; } >&2
	return 1
}

# The process and those below it: NSD serves from a child.
peer_tree()
{
	local p
	echo "$1"
	for p in $(cat /proc/"$1"/task/*/children 2>/dev/null); do
		peer_tree "$p"
	done
}

peer_stop() # PID
{
	local p tree
	tree=$(peer_tree "$1")
	# shellcheck disable=SC2086
	kill -TERM $tree 2>/dev/null
	for p in $tree; do
		for _ in $(seq 100); do
			alive "$p" || break
			sleep 0.02
		done
		alive "$p" && kill -KILL "$p" 2>/dev/null
	done
	forget "$1"
}

# For a trap: what peer_folder made outside $TMP, and children that outlive their parent's KILL.
PEER_FOLDERS=()
peer_cleanup()
{
	local p
	for p in "${PIDS[@]:-}"; do
		[ -n "$p" ] && alive "$p" && peer_stop "$p"
	done
	for p in "${PEER_FOLDERS[@]}"; do
		rm -rf "$p"
	done
	cleanup
}
trap peer_cleanup EXIT

# Puts a file between `<!-- table -->` and `<!-- end -->` of a README, or another word than `table`.
readme_write() # README FILE [WORD]
{
	awk -v table="$2" -v mark="<!-- ${3:-table} -->" '
		$0 == mark { print; while ((getline line < table) > 0) print line; skip = 1 }
		/^<!-- end -->/ { skip = 0 }
		!skip' "$1" >"$TMP/README.new" && cat "$TMP/README.new" >"$1"
}

# What a table was measured on.
machine()
{
	local model=
	model=$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)
	printf '%s, %s of them, Linux %s' "${model:-$(uname -m)}" "$(nproc)" "$(uname -r)"
}
