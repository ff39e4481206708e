# SPDX-License-Identifier: MIT
# Some thousand questions for tests/peers/differential: SEED, COUNT. One a line, in dnsq's words.
#
# What exists is written in tests/system/signed.sh. A third is asked again some time later, then from
# caches, and with other bits.

function pick(list, count) { return list[1 + int(rand() * count)] }
function some(percent) { return rand() * 100 < percent }

function random_label(n,   s)
{
	while (n-- > 0)
		s = s substr("abcdefghijklmnopqrstuvwxyz0123456789-_", 1 + int(rand() * 36), 1)
	return s
}

# Letters in either case, as clients with 0x20 send them.
function cased(name,   s, i, c)
{
	for (i = 1; i <= length(name); i++) {
		c = substr(name, i, 1)
		s = s (some(50) ? toupper(c) : c)
	}
	return s
}

# A name of up to 255 octets below a wildcard, or below nothing.
function long_name(zone,   s)
{
	s = (some(50) ? "w." : "no.") zone
	while (length(s) < 180)
		s = random_label(20 + int(rand() * 40)) "." s
	return s
}

function name_of(zone,   r)
{
	r = rand() * 100
	if (r < 50)
		return pick(names, names_count) "." zone
	if (r < 56)
		return zone
	if (r < 64)
		return "n" (1 + int(rand() * 30)) "." zone
	if (r < 72)
		return random_label(1 + int(rand() * 12)) "." zone
	if (r < 77)
		return random_label(5) "." pick(parents, parents_count) "." zone
	if (r < 81)
		return random_label(3) "." random_label(3) "." pick(parents, parents_count) "." zone
	if (r < 84)
		return long_name(zone)
	if (r < 87)
		return "a." pick(dnames, dnames_count) "." zone
	if (r < 93)
		return pick(others, others_count)
	if (r < 96)
		return random_label(8) "."
	return random_label(4) ".test."
}

BEGIN {
	srand(SEED)
	names_count = split("a mail _sip._tcp https svcb caa _443._tcp ssh naptr ptr loc unknown odd x.y.ent ent y.ent z.ent any.w w here.w any.wc wc c c1 c2 c3 c8 cx cxx cn cw cp cb co d dd dp a.t x.t t dl long many huge nothing ns plain", names, " ")
	parents_count = split("w wc ent here.w a c d dd dp t", parents, " ")
	dnames_count = split("d dd dp", dnames, " ")
	others_count = split("a.plain.test. any.w.plain.test. c.plain.test. nothing.plain.test. plain.test. a.plain.nsec3.test. plain.nsec3.test. a.plain.optout.test. plain.optout.test. nothing.plain.optout.test. a.optout.test. nothing.optout.test. optout.test. a.bogus.test. c.bogus.test. nothing.bogus.test. bogus.test. a.old.test. old.test. nothing.old.test. huge.plain.test. test. . ns.test.", others, " ")
	types_count = split("A A A A A A AAAA AAAA AAAA TXT TXT MX MX NS SOA SRV CAA HTTPS HTTPS SVCB TLSA SSHFP NAPTR PTR LOC CNAME DNAME DS DS DNSKEY NSEC NSEC3PARAM HINFO URI TYPE65280 TYPE62347 TYPE1234 ANY", types, " ")
	for (n = 1; n <= COUNT; n++) {
		if (n > 20 && some(33)) {
			q = asked[1 + int(rand() * (n - 1))]
		} else {
			q = name_of(some(50) ? "nsec.test." : "nsec3.test.") " " pick(types, types_count)
			# huge and many have but one type that matters.
			if (q ~ /^huge/)
				sub(/ .*/, " TXT", q)
			if (q ~ /^many/)
				sub(/ .*/, " A", q)
		}
		asked[n] = q
		if (some(15)) {
			split(q, w, " ")
			q = cased(w[1]) " " w[2]
		}
		line = (some(20) ? "tcp " : "udp ") q
		if (some(12))
			line = line " +noedns"
		else {
			if (some(45))
				line = line " +do"
			if (some(25))
				line = line " +bufsize=" (some(50) ? 512 : 4096)
		}
		if (some(12))
			line = line " +cd"
		if (some(12))
			line = line " +ad"
		if (some(4))
			line = line " +nord"
		print line
	}
}
