# SPDX-License-Identifier: MIT
# Prints the big table: for every order of the four types, UDP and TCP, with and without DO
# (96 ways), names of their own, so that each way begins cold.
#   -v mode=records -v set=h        a hosts file that holds the names of set h
#   -v mode=ask -v state=held|absent -v set=h [-v kinds=...]     a batch that asks for them
#   -v mode=land -v state=... -v set=...      questions whose reply the upstream holds back
#   -v mode=static -v set=h
# Each name is asked twice by each type in the order of its way; after the first round nothing may go upstream.

function records_of(k, w)	# hosts line(s) for kind k, way w; name stem in `stem`
{
	stem = sprintf("%s%03d", set, w)
	ip = sprintf("10.%d.%d.%d", set == "h" ? 1 : 2, w, kind_no[k] + 1)
	if (k == "private") return ip " " stem "p.privatelink.blob.core.windows.net"
	if (k == "blob") return ip " " stem "b.blob.core.windows.net"
	if (k == "vault") return ip " " stem "v.privatelink.vaultcore.azure.net"
	if (k == "vaultcore") return ip " " stem "w.vault.azure.net"
	if (k in asr) return ip " 7548582474929277" stem "-asr-pod01-" asr[k] ".privatelink.siterecovery.windowsazure.com"
	if (k in mig) return ip " " stem "-6f40b3b3-12f5." mig[k] ".privatelink.prod.migration.windowsazure.com"
	if (k == "outside") return ip " " stem "f.blob.core.windows.net"
	if (k == "outside-nx") return ip " " stem "n.privatelink.blob.core.windows.net"
	if (k == "outside-sf") return ip " " stem "s.blob.core.windows.net"
}

# Sets name, pub, priv, zone, front (the CNAME that upstream began with) for a kind.
function names_of(k, w)
{
	records_of(k, w)
	front = ""
	zone = "privatelink.blob.core.windows.net."
	if (k == "private") { name = priv = stem "p." zone; pub = "" }
	else if (k == "blob") { name = pub = stem "b.blob.core.windows.net."; priv = stem "b." zone }
	else if (k == "vault") { zone = "privatelink.vaultcore.azure.net."; name = pub = stem "v.vault.azure.net."; priv = stem "v." zone }
	else if (k == "vaultcore") { zone = "privatelink.vaultcore.azure.net."; name = pub = stem "w.vaultcore.azure.net."; priv = stem "w." zone }
	else if (k in asr) {
		zone = "privatelink.siterecovery.windowsazure.com."
		name = pub = "7548582474929277" stem "-asr-pod01-" asr[k] ".siterecovery.windowsazure.com."
		priv = "7548582474929277" stem "-asr-pod01-" asr[k] "." zone
	} else if (k in mig) {
		zone = "privatelink.prod.migration.windowsazure.com."
		name = pub = stem "-6f40b3b3-12f5." mig[k] ".prod.migration.windowsazure.com."
		priv = stem "-6f40b3b3-12f5." mig[k] "." zone
	} else {
		c = k == "outside" ? "f" : k == "outside-nx" ? "n" : "s"
		name = stem (k == "outside" ? ".files" : k == "outside-nx" ? ".nx" : ".sf") ".contoso.example."
		pub = stem c ".blob.core.windows.net."
		priv = stem c "." zone
		front = name " <900 IN CNAME " pub
	}
}

function soa(z, ttl) { return "au " z " <" ttl " IN SOA azureprivatedns.net. azureprivatedns-host.microsoft.com. * * * * " ttl }

function expect_held(t,	flag)
{
	flag = front == "" ? "aa" : "-aa"
	print "= NOERROR " flag " -tc -ad -ede" dowant
	if (front != "") {
		print "an " front
		if (t == "CNAME") return
	}
	if (pub != "") {
		print "an " pub " <10 IN CNAME " priv
		if (t == "CNAME") return
	}
	if (t == "A") print "an " priv " <10 IN A " ip
	else print soa(zone, 10)
}

function expect_absent(k, t)
{
	store = "blob.sn1prdstr01a.store.core.windows.net."
	if (k in asr || k in mig || k == "vault" || k == "vaultcore") {
		print "= NXDOMAIN -aa -ede" dowant
		print "au . <900 IN SOA fake.invalid. *  * * * * *"
		return
	}
	print "= " (k == "outside-nx" && t != "CNAME" ? "NXDOMAIN" : "NOERROR") " -aa -tc -ad -ede" dowant
	if (front != "") {
		print "an " front
		if (t == "CNAME") return
	}
	if (k != "private") {
		print "an " pub " <600 IN CNAME " priv
		if (t == "CNAME") return
	}
	if (k == "outside-nx") { print soa(zone, 600); return }
	print "an " priv " <600 IN CNAME " store
	if (t == "CNAME") return
	if (t == "A") print "an " store " <600 IN A 20.38.104.164"
	else print "au store.core.windows.net. <600 IN SOA ns1.store.core.windows.net. * * * * * 600"
}

function expect(k, t) { if (state == "held") expect_held(t); else expect_absent(k, t) }

function way_of(w)	# sets order[1..4], transport, opts, dowant
{
	split(perms[w % 24], order, " ")
	transport = int(w / 24) % 2 ? "tcpk" : "udp"
	opts = int(w / 48) % 2 ? " +do" : ""
	dowant = opts == "" ? "" : " do"
}

function ask_kind(k,	w, r, i)
{
	for (w = 0; w < 96; w++) {
		way_of(w)
		names_of(k, w)
		print "case " set " " state " " k ": " perms[w % 24] ", " (transport == "udp" ? "UDP" : "TCP") opts (step == "" ? "" : ", " step)
		if (state == "held" && front == "") print "mark @up_CTL@"
		for (r = 0; r < 2; r++) {
			if (r == 1) print "mark @up_CTL@"
			for (i = 1; i <= 4; i++) {
				print "q " transport " " name " " order[i] opts
				expect(k, order[i])
			}
			if (r == 1 && k != "outside-sf" || state == "held" && front == "") print "unmoved @up_CTL@"
		}
		if (state == "held" && step == "cold") {
			print "count @up_CTL@ 0 " priv
			if (pub != "") print "count @up_CTL@ 0 " pub
		}
		if (transport == "tcpk") print "drop"
	}
}

# 16 ways: four types, two transports, DO or not; each with a name of its own.
function land(	i, k, w, n)
{
	print "case " set ": a reload lands while the upstream's replies are outstanding, then " state
	print "ctl @up_CTL@ hold *"
	for (k in landing)
		for (w = 0; w < 16; w++) {
			land_way(w)
			names_of(k, 96 + w)
			print "a " k w " " transport " " name " " type opts
			n++
		}
	print "await @up_CTL@ waiting * = " n
	print "run cp @TMP@/" file " @TMP@/records && @PRIVLINKCTL@ -s @SOCK@ reload >/dev/null"
	print "ctl @up_CTL@ release *"
	for (k in landing)
		for (w = 0; w < 16; w++) {
			land_way(w)
			names_of(k, 96 + w)
			print "w " k w
			expect(k, type)
		}
	print "drop"
	# And once more, now warm.
	for (k in landing)
		for (w = 0; w < 16; w++) {
			land_way(w)
			names_of(k, 96 + w)
			print "q udp " name " " type opts
			expect(k, type)
		}
}

function land_way(w)
{
	type = substr("A    AAAA HTTPSCNAME", w % 4 * 5 + 1, 5)
	sub(/ +$/, "", type)
	transport = int(w / 4) % 2 ? "tcpk" : "udp"
	opts = int(w / 8) % 2 ? " +do" : ""
	dowant = opts == "" ? "" : " do"
}

# Names of another tenant in a static zone: asked directly, and by the public form.
function ask_static(	w, r, i, t)
{
	for (w = 0; w < 96; w++) {
		way_of(w)
		stem = "other" w
		print "case static: " perms[w % 24] ", " (transport == "udp" ? "UDP" : "TCP") opts
		for (r = 0; r < 2; r++)
			for (i = 1; i <= 4; i++) {
				t = order[i]
				print "q " transport " " stem ".privatelink.blob.core.windows.net. " t opts
				print "= NXDOMAIN aa -ede" dowant
				print soa("privatelink.blob.core.windows.net.", 10)
				print "q " transport " " stem ".blob.core.windows.net. " t opts
				print "= " (t == "CNAME" ? "NOERROR" : "NXDOMAIN") " -aa -ad" dowant
				print "an " stem ".blob.core.windows.net. <600 IN CNAME " stem ".privatelink.blob.core.windows.net."
				if (t != "CNAME") print soa("privatelink.blob.core.windows.net.", 10)
			}
		print "count @up_CTL@ 0 " stem ".privatelink.blob.core.windows.net."
		if (transport == "tcpk") print "drop"
	}
}

BEGIN {
	n = 0
	split("A AAAA HTTPS CNAME", type_name, " ")
	for (a = 1; a <= 4; a++) for (b = 1; b <= 4; b++) for (c = 1; c <= 4; c++) for (d = 1; d <= 4; d++)
		if (a != b && a != c && a != d && b != c && b != d && c != d)
			perms[n++] = type_name[a] " " type_name[b] " " type_name[c] " " type_name[d]
	asr["asr-id1"] = "id1.cus"; asr["asr-prot2"] = "prot2.cus"; asr["asr-rcm1"] = "rcm1.cus"
	asr["asr-srs1"] = "srs1.cus"; asr["asr-tel1"] = "tel1.cus"
	asr["asr-prot2-2"] = "prot2.scus"; asr["asr-rcm1-2"] = "rcm1.scus"
	mig["disc"] = "cus.disc"; mig["asm"] = "cus.asm"; mig["hub"] = "cus.hub"
	all = "private blob vault vaultcore asr-id1 asr-prot2 asr-rcm1 asr-srs1 asr-tel1 asr-prot2-2 asr-rcm1-2 disc asm hub outside outside-nx outside-sf"
	kind_count = split(all, kind, " ")
	for (i = 1; i <= kind_count; i++) kind_no[kind[i]] = i
	landing["private"]; landing["blob"]; landing["outside"]; landing["outside-nx"]
	if (mode == "records")
		for (i = 1; i <= kind_count; i++) for (w = 0; w < 112; w++) print records_of(kind[i], w)
	else if (mode == "ask") {
		m = split(kinds == "" ? all : kinds, want, " ")
		for (i = 1; i <= m; i++)
			if (state == "held" || want[i] != "outside-sf") ask_kind(want[i])
	} else if (mode == "land") land()
	else if (mode == "static") ask_static()
}
