package certfacts_test

import "strings"

func extensions(add adder) {
	many := func(n int) (list []string) {
		for i := range n {
			list = append(list, otherExt("\x2a\x03"+string([]byte{byte(i)}), "anything"))
		}
		return list
	}
	all := func(name, want string, list ...string) {
		add("extensions: "+name, want, func(f *form) { f.extensions = list })
	}
	one := ext(keyUsage, x("03020780"))
	all("none", fast, []string{}...)
	all("one", fast, ext(altName, tlv(sequence)))
	all("six of others", fast, many(6)...)
	all("seven of others", slow, many(7)...)
	all("one of others twice", refused, append(many(3), many(1)...)...)
	all("one of X.509's twice", refused, ext(keyUsage, x("03020780")), criticalExt(keyUsage, x("03020780")))
	all("unknown of X.509's", fast, ext(63, "anything"), criticalExt(9, ""))
	all("unknown of X.509's, 64 and above", fast, ext(64, "anything"), ext(127, "anything"))
	all("64 twice", refused, ext(64, "anything"), ext(64, "anything"))
	all("0 and 64, 1 and 65", fast, ext(0, "anything"), ext(64, "anything"), ext(1, "anything"), ext(65, "anything"))
	all("critical, others", fast, tlv(sequence, tlv(identifier, "\x2a\x03\x04"), x("0101ff"), tlv(octetString, "")))
	all("not critical, said", slow, tlv(sequence, tlv(identifier, "\x55\x1d\x0f"), x("010100"), tlv(octetString,
		x("03020780"))))
	all("not critical, said by another", slow, tlv(sequence, tlv(identifier, "\x2a\x03\x04"), x("010100"),
		tlv(octetString, x("03020780"))))
	all("critical is neither", refused, tlv(sequence, tlv(identifier, "\x55\x1d\x0f"), x("010101"), tlv(octetString,
		x("03020780"))))
	all("critical in two bytes", refused, tlv(sequence, tlv(identifier, "\x55\x1d\x0f"), x("0102ffff"),
		tlv(octetString, x("03020780"))))
	all("critical, long", fast, criticalExt(altName, tlv(sequence, tlv(0x82, strings.Repeat("a", 200)))))
	all("long", fast, ext(altName, tlv(sequence, tlv(0x82, strings.Repeat("a", 200)))))
	all("no value", refused, tlv(sequence, tlv(identifier, "\x55\x1d\x0f")))
	all("no value, critical", refused, tlv(sequence, tlv(identifier, "\x55\x1d\x0f"), x("0101ff")))
	all("value is another type", refused, tlv(sequence, tlv(identifier, "\x55\x1d\x0f"), tlv(bitString, x("03020780"))))
	all("critical, value is another type", refused, tlv(sequence, tlv(identifier, "\x55\x1d\x0f"), x("0101ff"),
		tlv(bitString, x("03020780"))))
	all("element after the value", slow, tlv(sequence, tlv(identifier, "\x55\x1d\x0f"), tlv(octetString,
		x("03020780")), tlv(null)))
	all("critical, element after the value", slow, tlv(sequence, tlv(identifier, "\x55\x1d\x0f"), x("0101ff"),
		tlv(octetString, x("03020780")), tlv(null)))
	all("identifier of no bytes", refused, otherExt("", ""))
	all("identifier that is truncated", refused, otherExt("\x55\x1d\x8f", x("03020780")))
	all("no sequence", refused, tlv(set, tlv(identifier, "\x55\x1d\x0f"), tlv(octetString, x("03020780"))))
	all("empty", refused, tlv(sequence))
	all("length in one byte of 132", refused, "\x30\x84\x06\x03\x55\x1d\x09\x04\x7d"+strings.Repeat("a", 125))
	all("value that begins in the list and ends after it", refused, one+"\x30\x0f\x06\x03\x55\x1d\x09\x04\x08anythi")
	add("extensions: empty, at the end", refused, func(f *form) {
		*f = shortest(*f)
		f.extensions = []string{tlv(sequence)}
	})
	other := func(name, want, tail string) {
		add("extensions: "+name, want, func(f *form) { f.extensions, f.bodyTail = nil, tail })
	}
	other("of another tag", slow, tlv(0xa4, tlv(sequence, one)))
	other("two lists", slow, tlv(0xa3, tlv(sequence, one), tlv(sequence, one)))
	other("in a set", refused, tlv(0xa3, tlv(set, one)))
	other("no list", refused, tlv(0xa3))
	other("empty list", fast, tlv(0xa3, tlv(sequence)))
}

func values(add adder) {
	// Each in the short form of an extension, and in a long one where it can be.
	value := func(name, want string, id byte, value string) {
		add("value: "+name, want, func(f *form) { f.extensions = []string{ext(id, value)} })
		add("value: "+name+", critical", critical(id, want), func(f *form) {
			f.extensions = []string{criticalExt(id,
				value)}
		})
	}
	value("basic constraints of nothing", fast, basic, tlv(sequence))
	value("a CA", fast, basic, tlv(sequence, x("0101ff")))
	value("no CA, said", fast, basic, tlv(sequence, x("010100")))
	value("a CA, or not", refused, basic, tlv(sequence, x("010101")))
	value("a CA, in two bytes", refused, basic, tlv(sequence, x("0102ffff")))
	value("path length 0", fast, basic, tlv(sequence, x("0101ff 020100")))
	value("path length 127", fast, basic, tlv(sequence, x("0101ff 02017f")))
	value("path length 128", slow, basic, tlv(sequence, x("0101ff 02020080")))
	value("path length 256", slow, basic, tlv(sequence, x("0101ff 02020100")))
	value("path length that is negative", refused, basic, tlv(sequence, x("0101ff 0201ff")))
	value("path length without a CA", fast, basic, tlv(sequence, x("020103")))
	value("path length before a CA", slow, basic, tlv(sequence, x("020103 0101ff")))
	value("path length of no bytes", refused, basic, tlv(sequence, x("0200")))
	value("basic constraints with more", slow, basic, tlv(sequence, x("0101ff 020103 0500")))
	value("basic constraints, and more", slow, basic, tlv(sequence, x("0101ff"))+x("0500"))
	value("basic constraints of another type", refused, basic, tlv(set))
	value("basic constraints of no bytes", refused, basic, "")

	value("subject key identifier", fast, subjectKeyID, tlv(octetString, "abcd"))
	value("subject key identifier of no bytes", fast, subjectKeyID, tlv(octetString))
	value("subject key identifier, and more", slow, subjectKeyID, tlv(octetString, "abcd")+x("0500"))
	value("subject key identifier of another type", refused, subjectKeyID, tlv(bitString, "abcd"))
	value("subject key identifier that is truncated", refused, subjectKeyID, "\x04\x05abcd")
	value("subject key identifier of 200 bytes", slow, subjectKeyID, tlv(octetString, strings.Repeat("a", 200)))

	value("authority key identifier", fast, authorityKeyID, tlv(sequence, tlv(0x80, "abcd")))
	value("authority key identifier of no bytes", fast, authorityKeyID, tlv(sequence, tlv(0x80)))
	value("authority key identifier of none", fast, authorityKeyID, tlv(sequence))
	value("authority key identifier, constructed", fast, authorityKeyID, tlv(sequence, tlv(0xa0, "abcd")))
	value("authority key identifier, issuer and serial", fast, authorityKeyID, tlv(sequence, tlv(0x80, "abcd"),
		tlv(0xa1), tlv(0x82, "\x01")))
	value("authority key identifier, and more", slow, authorityKeyID, tlv(sequence, tlv(0x80, "abcd"))+x("0500"))
	value("authority key identifier that is truncated", refused, authorityKeyID, tlv(sequence, "\x80\x05abcd"))
	value("authority key identifier of another type", refused, authorityKeyID, tlv(set, tlv(0x80, "abcd")))
	value("authority key identifier of 200 bytes", slow, authorityKeyID, tlv(sequence, tlv(0x80, strings.Repeat("a",
		200))))

	value("key usage", fast, keyUsage, x("030205a0"))
	value("key usage of nine bits", fast, keyUsage, x("0303070080"))
	value("key usage of no bits", slow, keyUsage, x("030100"))
	value("key usage of no bytes", refused, keyUsage, x("0300"))
	value("key usage with padding of 8 bits", refused, keyUsage, x("03020800"))
	value("key usage with padding that is not zero", refused, keyUsage, x("030205b0"))
	value("key usage with no padding", fast, keyUsage, x("030200ff"))
	value("key usage, and more", slow, keyUsage, x("030205a0 0500"))
	value("key usage of another type", refused, keyUsage, x("040205a0"))

	value("alternative names", fast, altName, tlv(sequence, tlv(0x82, "a.example"), tlv(0x81, "a@example"), tlv(0x87,
		"abcd")))
	value("alternative name of another type", fast, altName, tlv(sequence, tlv(0xa0, "anything"), tlv(0xa4,
		"anything"), tlv(0x88, "\x2a")))
	value("alternative name with a tag of two bytes", refused, altName, tlv(sequence, x("9f0100")))
	value("alternative names of none", fast, altName, tlv(sequence))
	value("alternative names of no bytes", refused, altName, "")
	value("alternative names, and more", slow, altName, tlv(sequence)+x("0500"))
	value("alternative names, one truncated", refused, altName, tlv(sequence, "\x82\x05abcd"))
	value("DNS name that is not ASCII", refused, altName, tlv(sequence, tlv(0x82, "\xc3\xa9.example")))
	value("email address that is not ASCII", refused, altName, tlv(sequence, tlv(0x81, "a@\xc3\xa9.example")))
	value("URI", slow, altName, tlv(sequence, tlv(0x86, "https://a.example/b")))
	value("URI that is not ASCII", refused, altName, tlv(sequence, tlv(0x86, "https://a.example/\xe9")))
	value("URI that is none", refused, altName, tlv(sequence, tlv(0x86, "https://a.example:port/%")))
	value("IP address of 16 bytes", fast, altName, tlv(sequence, tlv(0x87, "0123456789abcdef")))
	value("IP address of 5 bytes", refused, altName, tlv(sequence, tlv(0x87, "abcde")))

	value("purposes", fast, purposes, tlv(sequence, tlv(identifier, x("2b06010505070302")), tlv(identifier,
		x("2b0601040182370a0304"))))
	value("purposes of none", fast, purposes, tlv(sequence))
	value("purposes, and more", slow, purposes, tlv(sequence)+x("0500"))
	value("purpose that is no identifier", refused, purposes, tlv(sequence, x("0500")))
	value("purpose that is truncated", refused, purposes, tlv(sequence, tlv(identifier, "\x2a\x83")))
	value("purposes of another type", refused, purposes, tlv(set))

	policy := func(id string, more ...string) string {
		return tlv(sequence, tlv(identifier, id), strings.Join(more, ""))
	}
	value("policies", fast, policies, tlv(sequence, policy("\x2a\x03", tlv(sequence, tlv(null))), policy("\x2a\x04")))
	value("policies of none", fast, policies, tlv(sequence))
	value("policy twice", refused, policies, tlv(sequence, policy("\x2a\x03"), policy("\x2a\x04"), policy("\x2a\x03")))
	value("policies, six", fast, policies, tlv(sequence, policy("\x2a\x03"), policy("\x2a\x04"), policy("\x2a\x05"),
		policy("\x2a\x06"), policy("\x2a\x07"), policy("\x2a\x08")))
	value("policies, seven", slow, policies, tlv(sequence, policy("\x2a\x03"), policy("\x2a\x04"), policy("\x2a\x05"),
		policy("\x2a\x06"), policy("\x2a\x07"), policy("\x2a\x08"), policy("\x2a\x09")))
	value("policy of more than 31 bits", slow, policies, tlv(sequence, policy("\x2a\x88\x80\x80\x80\x00")))
	value("policy that is truncated", refused, policies, tlv(sequence, policy("\x2a\x83")))
	value("policy of nothing", refused, policies, tlv(sequence, tlv(sequence)))
	value("policy is another type", refused, policies, tlv(sequence, tlv(set, tlv(identifier, "\x2a"))))
	value("policies of another type", refused, policies, tlv(set))
	value("policies, and more", slow, policies, tlv(sequence)+x("0500"))

	uri := tlv(0x86, "http://ca.example/ca.crl")
	point := func(parts ...string) string { return tlv(sequence, parts...) }
	value("CRL", fast, crlPoints, tlv(sequence, point(tlv(0xa0, tlv(0xa0, uri, uri))), point(tlv(0xa0, tlv(0xa0,
		uri)))))
	value("CRL with reasons", fast, crlPoints, tlv(sequence, point(tlv(0xa0, tlv(0xa0, uri)), tlv(0x81, "\x07\x80"))))
	value("CRL without a name", fast, crlPoints, tlv(sequence, point(tlv(0x81, "\x07\x80")), point()))
	value("CRL with a name of another type", slow, crlPoints, tlv(sequence, point(tlv(0xa0, tlv(0xa0, tlv(0xa4))))))
	value("CRL with a relative name", refused, crlPoints, tlv(sequence, point(tlv(0xa0, tlv(0xa1)))))
	value("CRL with an empty name", refused, crlPoints, tlv(sequence, point(tlv(0xa0))))
	value("CRL with two names", slow, crlPoints, tlv(sequence, point(tlv(0xa0, tlv(0xa0, uri), tlv(0xa0, uri)))))
	value("CRL that is truncated", refused, crlPoints, tlv(sequence, point(tlv(0xa0, tlv(0xa0, "\x86\x05abcd")))))
	value("CRL with a truncated point", refused, crlPoints, tlv(sequence, point("\xa0\x05abcd")))
	value("CRL is another type", refused, crlPoints, tlv(sequence, tlv(set)))
	value("CRLs of another type", refused, crlPoints, tlv(set))
	value("CRLs, and more", slow, crlPoints, tlv(sequence)+x("0500"))

	access := func(name, want string, parts ...string) {
		add("value: "+name, want, func(f *form) {
			f.extensions = []string{otherExt(authorityInfo, tlv(sequence,
				parts...))}
		})
		add("value: "+name+", critical", refused, func(f *form) {
			f.extensions = []string{tlv(sequence, tlv(identifier, authorityInfo), x("0101ff"), tlv(octetString,
				tlv(sequence, parts...)))}
		})
	}
	ocsp := tlv(identifier, x("2b06010505073001"))
	access("access", fast, tlv(sequence, ocsp, uri), tlv(sequence, ocsp, uri))
	access("access by a name of another type", fast, tlv(sequence, ocsp, tlv(0xa4, "anything")))
	access("access of nothing", fast, tlv(sequence, ocsp))
	access("access of none", fast)
	access("access with more", slow, tlv(sequence, ocsp, uri, uri))
	access("access that is truncated", refused, tlv(sequence, ocsp, "\x86\x05abcd"))
	access("access without a method", refused, tlv(sequence, uri))
	access("access with a truncated method", refused, tlv(sequence, tlv(identifier, "\x2a\x83")))
	access("access is another type", refused, tlv(set, ocsp))
	add("value: access of another type", refused, func(f *form) {
		f.extensions = []string{otherExt(authorityInfo,
			tlv(set))}
	})
	add("value: access, and more", slow, func(f *form) {
		f.extensions = []string{otherExt(authorityInfo,
			tlv(sequence)+x("0500"))}
	})

	value("name constraints", slow, nameConstraints, tlv(sequence, tlv(0xa0, tlv(sequence, tlv(0x82, "example.com")))))
	value("name constraints of nothing", refused, nameConstraints, tlv(sequence))
	value("policy mappings", slow, policyMaps, tlv(sequence))
	value("policy mappings of another type", refused, policyMaps, tlv(set))
	value("policy constraints", slow, policyConstraints, tlv(sequence))
	value("policy constraints of another type", refused, policyConstraints, tlv(set))
	value("any policy", slow, any, x("020100"))
	value("any policy of another type", refused, any, x("030100"))
}

// critical is what becomes of an extension that is critical, if want is what becomes of it otherwise.
func critical(id byte, want string) string {
	if id == subjectKeyID || id == authorityKeyID {
		return refused
	}
	return want
}
