# SPDX-License-Identifier: MIT
# Rows of bits in all orders, and what each must get: EDNS and DO x CD x RD x AD, for a name that
# exists, one that does not, and one whose signature is wrong.
#
# What a row gets may depend on the question alone, and for RD=0 on whether the same question (with
# the same DO and CD) has been answered before. So every name is asked by a pair of rows, in both
# orders, and further ones by all rows, shuffled; the expectation knows only which of them were
# asked before. SHUFFLES says how many of those.

BEGIN {
	srand(SEED)
	split("+noedns|+bufsize=1232|+do", edns, "|")
	for (e = 1; e <= 3; e++)
		for (b = 0; b < 8; b++) {
			rows++
			words[rows] = edns[e] (b % 2 ? " +cd" : "") (int(b / 2) % 2 ? " +nord" : "") (int(b / 4) ? " +ad" : "")
			has_edns[rows] = e > 1; has_do[rows] = e == 3
			cd[rows] = b % 2; nord[rows] = int(b / 2) % 2; ad[rows] = int(b / 4)
		}
	split("pos|neg|bogus", kinds, "|")
	for (k = 1; k <= 3; k++) {
		for (i = 1; i <= rows; i++) {
			print "case " kinds[k] ": " words[i] ", then each other row"
			for (j = 1; j <= rows; j++) {
				fresh(kinds[k], i "-" j)
				ask(i)
				ask(j)
			}
		}
		for (s = 1; s <= SHUFFLES; s++) {
			print "case " kinds[k] ": all rows, shuffled, " s
			fresh(kinds[k], "s" s)
			for (i = 1; i <= rows; i++)
				order[i] = i
			for (i = rows; i > 1; i--) {
				j = 1 + int(rand() * i)
				t = order[i]; order[i] = order[j]; order[j] = t
			}
			for (i = 1; i <= rows; i++)
				ask(order[i])
		}
	}
}

function fresh(k, label)
{
	kind = k
	name = label "." k ".bits.test."
	split("", cached)
}

function ask(r,   tail)
{
	printf "q %s %s A %s\n", rand() < 0.2 ? "tcp" : "udp", name, words[r]
	tail = " -aa -tc" (has_edns[r] ? " edns" : " -edns") (has_do[r] ? " do" : " -do")
	if (nord[r] && !((has_do[r], cd[r]) in cached)) {
		# A failure that is kept may be told to RD=0, or not.
		if (!(kind == "bogus" && !cd[r]))
			print "= REFUSED -ad" tail
		return
	}
	if (kind == "bogus" && !cd[r]) {
		print "= SERVFAIL -ad" tail (has_edns[r] ? " ede=6" : "")
		return
	}
	cached[has_do[r], cd[r]] = 1
	if (kind == "neg") {
		print "= NXDOMAIN" (has_do[r] || ad[r] ? " ad" : " -ad") tail " -ede"
		print "au bits.test. <300 IN SOA ns.bits.test. h.bits.test. 1 2 3 4 300"
		if (has_do[r]) {
			print "au bits.test. <300 IN RRSIG SOA 13 2 300 20380101000000 20200101000000 1 bits.test. AAAA"
			print "au neg.bits.test. <300 IN NSEC pos.bits.test. A RRSIG NSEC"
			print "au neg.bits.test. <300 IN RRSIG NSEC 13 3 300 20380101000000 20200101000000 1 bits.test. AAAA"
		}
		return
	}
	print "= NOERROR" (kind == "pos" && (has_do[r] || ad[r]) ? " ad" : " -ad") tail " -ede"
	print "an " name " <300 IN A 192.0.2." (kind == "pos" ? 1 : 2)
	if (has_do[r])
		print "an " name " <300 IN RRSIG A 13 4 300 20380101000000 20200101000000 1 bits.test. AAAA"
}
