# SPDX-License-Identifier: MIT
# TAP for shell tests: source it, call `check NAME COMPLAINTS` as often as needed, end with `plan`.
# COMPLAINTS is text; empty means that the check passed.
# abs_top_srcdir and abs_top_builddir come from `make check`; by hand they are found from here.
# shellcheck shell=sh

: "${abs_top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
: "${abs_top_builddir:=$abs_top_srcdir}"

tap_count=0
tap_failed=0

check()
{
	tap_count=$((tap_count + 1))
	if [ -z "$2" ]; then
		echo "ok $tap_count - $1"
	else
		tap_failed=$((tap_failed + 1))
		echo "not ok $tap_count - $1"
		printf '%s\n' "$2" | sed 's/^/#   /'
	fi
}

skip()
{
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

plan()
{
	echo "1..$tap_count"
	[ "$tap_failed" -eq 0 ]
	exit
}
