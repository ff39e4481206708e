# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
#
# A small signed DNS of our own, from its root down, for tests in which somebody validates. Sourced
# after lib.sh and ../peers/peer.sh.
#
#     .  test.                      signed, NSEC
#     nsec.test.  nsec3.test.       signed, NSEC and NSEC3; the same names, pointing into each other
#     optout.test.                  signed, NSEC3 with opt-out
#     plain.test.                   not signed, as its parent proves; also plain.nsec3.test. and
#                                   plain.optout.test.
#     bogus.test.                   one signature is wrong
#     old.test.                     signatures have expired
#
# signed_zones DIR makes the zone files (DIR/ZONE, DIR/root) and the trust anchor (DIR/anchor) in half
# a second. signed_nsd_conf and its like are LABEL_conf functions for peer_start: authoritative
# servers of $SIGNED_SERVED, by default of all; they find the files in $SIGNED. A server of a child that
# is also one of its parent gives DS of the wrong one (NSD and Knot do), so signed_recursor_conf
# spreads them: $SIGNED_A serves half and $SIGNED_B the others, none beside its parent, and an Unbound
# resolves among them, which validates where SIGNED_VALIDATES is set.

SIGNED_ZONES="root test nsec.test nsec3.test optout.test plain.test plain.nsec3.test plain.optout.test bogus.test old.test"
SIGNED_HALF_A="root nsec.test nsec3.test optout.test plain.test bogus.test old.test"
SIGNED_HALF_B="test plain.nsec3.test plain.optout.test"
SIGNED_PROGRAMS="dnssec-keygen dnssec-signzone dnssec-dsfromkey"

signed_programs_there() { local p; for p in $SIGNED_PROGRAMS; do command -v "$p" >/dev/null || return 1; done; }

signed_head() # ZONE
{
	printf '$ORIGIN %s\n$TTL 300\n' "$1"
	printf '@ IN SOA ns.test. dns.test. 1 3600 600 86400 60\n@ IN NS ns.test.\n'
}

# The names of nsec.test. and nsec3.test.; OTHER is the respective other.
signed_names() # OTHER
{
	cat <<-END
	@ IN MX 10 mail
	@ IN TXT "v=spf1 -all"
	a IN A 192.0.2.1
	a IN A 192.0.2.2
	a IN AAAA 2001:db8::1
	a IN TXT "hello"
	Mail IN A 192.0.2.3
	_sip._tcp IN SRV 1 1 5060 A
	https IN HTTPS 1 . alpn=h2 ipv4hint=192.0.2.1
	svcb IN SVCB 1 a alpn=h3
	caa IN CAA 0 issue "ca.test"
	_443._tcp IN TLSA 3 1 1 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
	ssh IN SSHFP 4 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
	naptr IN NAPTR 1 2 "u" "E2U+sip" "!^.*\$!sip:x@test!" .
	ptr IN PTR A
	loc IN LOC 51 30 0.000 N 0 7 0.000 W 0m 1m 10000m 10m
	unknown IN TYPE65280 \# 8 c00cc00c00ff3f01
	odd IN TYPE62347 \# 3 c00000
	x.y.ent IN A 192.0.2.4
	*.w IN A 192.0.2.7
	*.w IN TXT "wild"
	here.w IN A 192.0.2.8
	*.wc IN CNAME a.$1
	c IN CNAME a
	c1 IN CNAME c2
	c2 IN CNAME c3
	c3 IN CNAME c4
	c4 IN CNAME c5
	c5 IN CNAME c6
	c6 IN CNAME c7
	c7 IN CNAME c8
	c8 IN CNAME a
	cx IN CNAME a.$1
	cxx IN CNAME cx.$1
	cn IN CNAME nothing.$1
	cw IN CNAME any.w.$1
	cp IN CNAME a.plain.test.
	cb IN CNAME a.bogus.test.
	co IN CNAME nothing.optout.test.
	d IN DNAME t.$1
	dd IN DNAME d.$1
	dp IN DNAME plain.test.
	a.t IN A 192.0.2.9
	*.t IN TXT "below a DNAME"
	t IN A 192.0.2.10
	dl IN DNAME aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc.$1
	END
	awk 'BEGIN {
		for (i = 1; i <= 90; i++)
			print "many IN A 198.51.100." i
		for (i = 0; i < 4; i++)
			s = s " \"" substr("llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll", 1, 120) "\""
		print "long IN TXT" s
		# As large as Unbound can check: in canonical form it must fit 64 KiB too.
		for (i = 10; i < 74; i++)
			print "huge IN TXT \"" i "\"" s s
		for (i = 1; i <= 30; i++)
			print "n" i " IN A 203.0.113." i
	}'
}

signed_write() # ZONE, without the dot
{
	case $1 in
	root)
		signed_head .
		echo "test. IN NS ns.test."
		echo "ns.test. IN A 127.0.0.1"
		;;
	test)
		signed_head test.
		echo "ns IN A 127.0.0.1"
		printf '%s IN NS ns\n' nsec nsec3 optout plain bogus old
		;;
	nsec.test) signed_head nsec.test.; signed_names nsec3.test. ;;
	nsec3.test) signed_head nsec3.test.; signed_names nsec.test.; echo "plain IN NS ns.test." ;;
	optout.test) signed_head optout.test.; echo "a IN A 192.0.2.20"; echo "plain IN NS ns.test." ;;
	*) signed_head "$1."; echo "a IN A 192.0.2.30"; echo "*.w IN A 192.0.2.31"; echo "c IN CNAME a.nsec.test."; signed_huge ;;
	esac
}

# An answer of 65,5xx octets: 16 records of 4,093 with their fixed parts (the last is shorter).
signed_huge()
{
	awk 'BEGIN {
		s = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		s = substr(s s s, 1, 250)
		for (i = 10; i < 26; i++) {
			printf "huge IN TXT \"%d\"", i
			for (j = 0; j < (i == 25 ? 15 : 16); j++)
				printf " \"%s\"", s
			print ""
		}
	}'
}

# Children before parents: the DS of a signed one goes into its parent.
signed_zones() # DIR
{
	local zone name key args parent
	SIGNED=$1
	mkdir -p "$1"
	for zone in $SIGNED_ZONES; do
		signed_write "$zone" >"$1/$zone.in"
	done
	for zone in nsec.test nsec3.test optout.test bogus.test old.test test root; do
		name=$zone. parent=root args=(-e +7776000)
		case $zone in
		root) name=. parent= ;;
		*.test) parent=test ;;
		esac
		case $zone in
		nsec3.test) args+=(-3 - -H 0) ;;
		optout.test) args+=(-3 - -H 0 -A) ;;
		old.test) args=(-s 20200101000000 -e 20200201000000) ;;
		esac
		key=$(dnssec-keygen -q -K "$1" -a ECDSAP256SHA256 -f KSK "$name" 2>/dev/null) || return 1
		cat "$1/$key.key" >>"$1/$zone.in"
		dnssec-signzone -q -P -z -K "$1" -d "$1" "${args[@]}" -o "$name" -f "$1/$zone" \
			"$1/$zone.in" "$1/$key" >/dev/null 2>"$1/$zone.err" || { cat "$1/$zone.err" >&2; return 1; }
		if [ -n "$parent" ]; then
			dnssec-dsfromkey -2 "$1/$key.key" >>"$1/$parent.in"
		else
			grep -v '^;' "$1/$key.key" >"$1/anchor"
		fi
	done
	for zone in plain.test plain.nsec3.test plain.optout.test; do
		cp "$1/$zone.in" "$1/$zone"
	done
	# Another address than the one that was signed.
	sed -i 's/192\.0\.2\.30/192.0.2.33/' "$1/bogus.test"
}

signed_each() # FORMAT of ZONE-NAME, FILE
{
	local zone name
	for zone in ${SIGNED_SERVED:-$SIGNED_ZONES}; do
		name=$zone.
		[ "$zone" = root ] && name=.
		cp "$SIGNED/$zone" "$dir/$zone"
		# shellcheck disable=SC2059
		printf "$1" "$name" "$dir/$zone"
	done
}
signed_nsd_conf() { signed_each 'zone:\n  name: "%s"\n  zonefile: "%s"\n'; }
signed_knot_conf()
{
	printf 'template:\n  - id: default\n    zonefile-sync: -1\n    journal-content: none\nzone:\n'
	signed_each '  - domain: "%s"\n    file: "%s"\n'
}
signed_named_options() { echo "recursion no; check-names primary ignore;"; }
signed_named_conf() { signed_each 'zone "%s" { type primary; file "%s"; };\n'; }

signed_recursor_conf()
{
	printf 'server:\n  qname-minimisation: no\n  max-udp-size: 1232\n  msg-buffer-size: 65552\n  aggressive-nsec: no\n  ede: yes\n'
	if [ -n "${SIGNED_VALIDATES:-}" ]; then
		cp "$SIGNED/anchor" "$dir/anchor"
		printf '  module-config: "validator iterator"\n  trust-anchor-file: "%s"\n' "$dir/anchor"
	else
		printf '  module-config: "iterator"\n'
	fi
	local zone name
	for zone in $SIGNED_ZONES; do
		name=$zone.
		[ "$zone" = root ] && name=.
		printf 'stub-zone:\n  name: "%s"\n  stub-addr: %s\n' "$name" \
			"$(case " $SIGNED_HALF_A " in *" $zone "*) echo "$SIGNED_A" ;; *) echo "$SIGNED_B" ;; esac)"
	done
}

# Starts NSD, Knot and the Unbound that resolves among them; sets SIGNED_ADDR. 1 where one is missing.
signed_start_recursor()
{
	SIGNED_SERVED=$SIGNED_HALF_A peer_start signed_nsd nsd "" a.nsec.test. 192.0.2.1 || return 1
	SIGNED_A=$PEER_ADDR
	SIGNED_SERVED=$SIGNED_HALF_B peer_start signed_knot knot "" ns.test. 127.0.0.1 || return 1
	SIGNED_B=$PEER_ADDR
	peer_start signed_recursor unbound "" a.nsec3.test. 192.0.2.1 || return 1
	SIGNED_ADDR=$PEER_ADDR
}

# LABEL_conf of a validating Unbound that forwards everything to $FORWARD_TO. unbound-control works
# with its configuration ($dir/conf). Nothing is concluded from NSEC: every question is to be asked.
signed_validator_conf()
{
	cp "$SIGNED/anchor" "$dir/anchor"
	cat <<-END
	server:
	  module-config: "validator iterator"
	  trust-anchor-file: "$dir/anchor"
	  aggressive-nsec: no
	  ede: yes
	  ${VALIDATOR_MORE:-}
	remote-control:
	  control-enable: yes
	  control-interface: "$dir/control"
	  control-use-cert: no
	forward-zone:
	  name: "."
	  forward-addr: $FORWARD_TO
	END
}

# The same with BIND.
signed_named_validator_options()
{
	echo "recursion yes; forward only; forwarders { ${FORWARD_TO%@*} port ${FORWARD_TO#*@}; };"
	echo "synth-from-dnssec no; qname-minimization off;"
}
signed_named_validator_conf()
{
	sed -n 's/.*DNSKEY \([0-9]* [0-9]* [0-9]*\) \(.*\)$/trust-anchors { "." static-key \1 "\2"; };/p' "$SIGNED/anchor"
}
