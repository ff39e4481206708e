# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What the system tests share. A test is a folder NNN-name with a script `run`, which sources this
# file, starts what it needs, puts questions, and ends with `finish`. It prints TAP; automake's
# harness runs the tests in parallel, so nothing may use a fixed port or a shared path: every test
# has its own folder $TMP (removed at the end unless KEEP is set), servers bind port 0 and tell
# what they got. Nobody sleeps for luck: every wait has a condition and a deadline (30 s, long
# because CI machines are slow, never reached where all is well).
#
# Environment: PRIVLINKD, PRIVLINKCTL, FAKEUP, RELAY, DNSQ: the programs; by default those of the build
# tree (abs_top_builddir or the current folder).

set -u
LC_ALL=C
export LC_ALL

build=${abs_top_builddir:-$PWD}
PRIVLINKD=${PRIVLINKD:-$build/privlinkd}
PRIVLINKCTL=${PRIVLINKCTL:-$build/privlinkctl}
FAKEUP=${FAKEUP:-$build/tests/tools/fakeup}
RELAY=${RELAY:-$build/tests/tools/relay}
DNSQ=${DNSQ:-$build/tests/tools/dnsq}
MKCERTS=${MKCERTS:-$build/tests/tools/mkcerts}
HERE=$(cd "$(dirname "${BASH_SOURCE[1]}")" && pwd)
TMP=$(mktemp -d "${TMPDIR:-/tmp}/plsys.XXXXXX")
chmod 777 "$TMP" # a server started as root drops to a user who must write its state here
PIDS=()
TESTS=0
FAILED=0
SERVER_PID=
WITHIN=() # words before the server's: of a program that runs it elsewhere (netns.sh)
SOCK=$TMP/control
RUN=0
PATH=$PATH:/usr/sbin:/sbin
# Leaks count too; one report must not be swallowed by an exit status that a test expects.
export ASAN_OPTIONS="detect_leaks=1:exitcode=99${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
export UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1:exitcode=99${UBSAN_OPTIONS:+:$UBSAN_OPTIONS}"
export TSAN_OPTIONS="exitcode=99${TSAN_OPTIONS:+:$TSAN_OPTIONS}"

ok() { TESTS=$((TESTS + 1)); echo "ok - $*"; }
not_ok() { TESTS=$((TESTS + 1)); FAILED=$((FAILED + 1)); echo "not ok - $*"; }
note() { sed 's/^/# /'; }
skip() { TESTS=$((TESTS + 1)); echo "ok - $1 # SKIP $2"; }
skip_all() { echo "1..0 # SKIP $*"; trap - EXIT; cleanup; exit 0; }
bail() { echo "Bail out! $*"; exit 99; }

# check NAME COMMAND...: a test that passes where the command does.
check()
{
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then
		ok "$name"
	else
		not_ok "$name"
		echo "$out" | note
	fi
}

# same NAME EXPECTED GOT
same()
{
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		not_ok "$1"
		printf 'expected: %s\ngot:      %s\n' "$2" "$3" | note
	fi
}

# has NAME TEXT PATTERN: TEXT has a line that the extended regular expression matches.
has()
{
	if grep -Eq -- "$3" <<<"$2"; then
		ok "$1"
	else
		not_ok "$1"
		printf 'no line matches %s in:\n%s\n' "$3" "$2" | note
	fi
}

has_not()
{
	if grep -Eq -- "$3" <<<"$2"; then
		not_ok "$1"
		printf 'a line matches %s in:\n%s\n' "$3" "$2" | note
	else
		ok "$1"
	fi
}

# wait_for WHAT COMMAND...: until the command succeeds.
wait_for()
{
	local what=$1 end=$((SECONDS + ${WAIT_S:-30}))
	shift
	until "$@" >/dev/null 2>&1; do
		if [ "$SECONDS" -ge "$end" ]; then
			echo "# waited in vain for $what"
			return 1
		fi
		sleep 0.02
	done
}

alive() { kill -0 "$1" 2>/dev/null && [ "$(cut -d' ' -f3 "/proc/$1/stat" 2>/dev/null)" != Z ]; }
gone() { ! alive "$1"; }

cleanup()
{
	local p
	for p in "${PIDS[@]:-}"; do
		[ -n "$p" ] && kill -KILL "$p" 2>/dev/null
	done
	wait 2>/dev/null
	if [ -n "${KEEP:-}" ]; then
		echo "# kept: $TMP"
	else
		rm -rf "$TMP"
	fi
}
trap cleanup EXIT

forget() # PID: it has ended as it should
{
	local p rest=()
	for p in "${PIDS[@]}"; do
		[ "$p" = "$1" ] || rest+=("$p")
	done
	PIDS=("${rest[@]:-}")
}

fakeup_up() { [ -e "$FAKEUP_READY" ] || gone "$FAKEUP_PID"; }

# start_fakeup NAME SCRIPT [ADDR...]: sets NAME_ADDR (ADDR@PORT of the first) and NAME_CTL.
start_fakeup()
{
	local name=$1 script=$2 args=() a
	shift 2
	for a in "${@:-127.0.0.1}"; do
		args+=(-l "$a")
	done
	"$FAKEUP" "${args[@]}" -c "$TMP/$name.ctl" -o "$TMP/$name.ready" "$script" \
		>"$TMP/$name.log" 2>&1 &
	PIDS+=($!)
	disown $! # its end is no news
	FAKEUP_PID=$!
	FAKEUP_READY=$TMP/$name.ready
	wait_for "fakeup $name" fakeup_up
	[ -e "$FAKEUP_READY" ] || {
		note <"$TMP/$name.log"
		bail "the scripted upstream does not start"
	}
	printf -v "${name}_ADDR" %s "$(head -n 1 "$TMP/$name.ready")"
	printf -v "${name}_CTL" %s "$TMP/$name.ctl"
}

fake() { local name=$1; shift; "$FAKEUP" -C "$TMP/$name.ctl" "$@"; }

relay_up() { [ -e "$RELAY_READY" ] || gone "$RELAY_PID"; }

# start_relay NAME UPSTREAM [OPTION...]: a relay before a server; sets NAME_ADDR and NAME_CTL.
start_relay()
{
	local name=$1 upstream=$2
	shift 2
	"$RELAY" "$@" -u "$upstream" -c "$TMP/$name.ctl" -o "$TMP/$name.ready" >"$TMP/$name.log" 2>&1 &
	PIDS+=($!)
	disown $!
	RELAY_PID=$!
	RELAY_READY=$TMP/$name.ready
	wait_for "relay $name" relay_up
	[ -e "$RELAY_READY" ] || {
		note <"$TMP/$name.log"
		bail "the relay does not start"
	}
	printf -v "${name}_ADDR" %s "$(head -n 1 "$TMP/$name.ready")"
	printf -v "${name}_CTL" %s "$TMP/$name.ctl"
}

relay() { local name=$1; shift; "$RELAY" -C "$TMP/$name.ctl" "$@"; }

server_up()
{
	gone "$SERVER_PID" || { grep -qw ready "$LOG" && [ "$(grep -c 'listening on' "$LOG")" -ge 1 ]; }
}

# start_server [OPTION...]: starts privlinkd with them (and -l 127.0.0.1@0 where no -l and no
# configuration with `listen` is among them: give the configuration port 0 yourself). Sets
# SERVER_PID, LOG, ADDR (first address) and ADDRS (all).
start_server()
{
	RUN=$((RUN + 1))
	LOG=$TMP/server.$RUN.log
	"${WITHIN[@]}" "$PRIVLINKD" "$@" >"$LOG" 2>&1 &
	SERVER_PID=$!
	PIDS+=("$SERVER_PID")
	wait_for "privlinkd to be ready" server_up
	if gone "$SERVER_PID" || ! grep -q 'listening on' "$LOG"; then
		note <"$LOG"
		not_ok "privlinkd starts"
		finish
	fi
	ADDRS=$(sed -n '/ for TLS/d; s/.*listening on \([0-9a-fA-F.:]*@[0-9]*\).*/\1/p' "$LOG" | awk '!seen[$0]++')
	ADDR=$(head -n 1 <<<"$ADDRS")
	[ -n "$ADDR" ] || bail "the log does not tell the address"
}

# tls_ports [ADDRESS]: ports that are listened on for TLS, at an address (a regular expression) or any.
tls_ports() { sed -n "s/.*listening on ${1:-[0-9a-fA-F.:]*}@\([0-9]*\) for TLS.*/\1/p" "$LOG"; }

sanitizer_reports() { grep -E 'ERROR: (Address|Leak|Thread)Sanitizer|WARNING: ThreadSanitizer|runtime error:|Assertion .* failed' "$1"; }

# stop_server: SIGTERM, exit status 0, no report of a sanitizer.
stop_server()
{
	local rc
	[ -n "$SERVER_PID" ] || return 0
	kill -TERM "$SERVER_PID" 2>/dev/null
	if ! wait_for "privlinkd to end" gone "$SERVER_PID"; then
		kill -KILL "$SERVER_PID"
		echo "# killed after SIGTERM and 30 s"
	fi
	wait "$SERVER_PID"
	rc=$?
	forget "$SERVER_PID"
	SERVER_PID=
	if [ $rc -eq 0 ] && ! sanitizer_reports "$LOG" >/dev/null; then
		ok "server $RUN stops cleanly on SIGTERM"
	else
		not_ok "server $RUN stops cleanly on SIGTERM (exit status $rc)"
		tail -n 60 "$LOG" | note
	fi
}

ctl() { "$PRIVLINKCTL" -s "$SOCK" "$@"; }

# reload: returns when it has taken effect.
reload() { ctl reload >"$TMP/reload.out" 2>&1; }

# batch FILE: runs a batch of dnsq (tests/tools/batch.h) against ADDR; its cases are tests of ours.
# `@NAME@` in the file becomes $NAME for every variable in VARS.
batch()
{
	local in=$1 v text out n
	text=$(<"$in")
	for v in ADDR SOCK TMP PRIVLINKCTL ${VARS:-}; do
		text=${text//"@$v@"/"${!v}"}
	done
	{ echo "server $ADDR"; echo "$text"; } >"$TMP/batch"
	if [[ $in != "$TMP"/* ]]; then
		cp "$TMP/batch" "$TMP/$(basename "$in").filled"
	fi
	out=$("$DNSQ" -f "$TMP/batch" 2>&1)
	echo "$out"
	n=$(grep -c '^ok - ' <<<"$out")
	TESTS=$((TESTS + n))
	n=$(grep -c '^not ok - ' <<<"$out")
	TESTS=$((TESTS + n))
	FAILED=$((FAILED + n))
	if [ "$n" -gt 0 ] && [ -n "$SERVER_PID" ] && gone "$SERVER_PID"; then
		echo "# privlinkd has died:"
		tail -n 60 "$LOG" | note
	fi
}

q() { "$DNSQ" -s "$ADDR" "$@"; }

finish()
{
	stop_server
	echo "1..$TESTS"
	[ "$FAILED" -eq 0 ]
	exit
}
