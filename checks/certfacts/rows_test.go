package certfacts_test

import "strings"

// What becomes of a certificate.
const (
	fast    = "understood"
	slow    = "crypto/x509 is asked, and takes it"
	refused = "crypto/x509 refuses it"
)

// row is a certificate, and what becomes of it.
type row struct {
	name string
	want string
	form
	modulus string // of a key for RSASSA-PSS, if it is understood
}

// rows are certificates for each rule by which one is understood or not.
func rows() []row {
	var list []row
	add := func(name, want string, edit func(f *form)) {
		f := device()
		edit(&f)
		list = append(list, row{name: name, want: want, form: f})
	}
	add("device", fast, func(f *form) {})
	add("full", fast, func(f *form) { *f = full(*f) })
	outline(add)
	names(add)
	validities(add)
	keys(func(name, want, modulus string, edit func(f *form)) {
		add(name, want, edit)
		list[len(list)-1].modulus = modulus
	})
	extensions(add)
	values(add)
	return list
}

type adder func(name, want string, edit func(f *form))

func outline(add adder) {
	long := strings.Repeat("\x30", 70_000)
	add("trailing data", refused, func(f *form) { f.trailing = "\x00" })
	add("element after the signature", slow, func(f *form) { f.tail = tlv(null) })
	add("element after the extensions", slow, func(f *form) { f.bodyTail = tlv(null) })
	add("signature of no bytes", refused, func(f *form) { f.signature = tlv(bitString) })
	add("signature of no bits", fast, func(f *form) { f.signature = tlv(bitString, "\x00") })
	add("signature of seven bits", slow, func(f *form) { f.signature = tlv(bitString, "\x01\x30") })
	add("signature with padding that is not zero", refused, func(f *form) { f.signature = tlv(bitString, "\x01\x31") })
	add("signature of 70,000 bytes", slow, func(f *form) { f.signature = tlv(bitString, "\x00", long) })
	add("no signature", refused, func(f *form) { f.signature = "" })
	add("signature is another type", refused, func(f *form) { f.signature = tlv(octetString, "\x00\x30") })
	add("another algorithm outside", refused, func(f *form) {
		f.outer = tlv(sequence, tlv(identifier, sha256WithRSA),
			x("0500"))
	})
	algorithm := func(name, want, der string) {
		add("algorithm: "+name, want, func(f *form) { f.algorithm, f.outer = tlv(sequence, der), tlv(sequence, der) })
	}
	algorithm("NULL", fast, tlv(identifier, sha256WithRSA)+x("0500"))
	algorithm("parameters", fast, tlv(identifier, rsassaPSS)+tlv(sequence, tlv(0xa0, tlv(integer, "\x01"))))
	algorithm("long parameters", slow, tlv(identifier, rsassaPSS)+tlv(octetString, strings.Repeat("a", 130)))
	algorithm("two parameters", slow, tlv(identifier, ecdsaWithSHA256)+x("0500 0500"))
	algorithm("truncated parameters", refused, tlv(identifier, ecdsaWithSHA256)+x("0501"))
	algorithm("parameters with a tag of two bytes", refused, tlv(identifier, ecdsaWithSHA256)+x("1f0100"))
	algorithm("empty", refused, "")
	algorithm("no identifier", refused, x("0500"))
	algorithm("identifier of no bytes", refused, tlv(identifier))
	algorithm("identifier that is truncated", refused, tlv(identifier, "\x2a\x86"))
	algorithm("identifier that is truncated, and NULL", refused, tlv(identifier, "\x2a\x86")+x("0500"))
	algorithm("identifier with a number that is not minimal", refused, tlv(identifier, "\x2a\x80\x01"))
	algorithm("identifier with a first number that is not minimal", refused, tlv(identifier, "\x80\x01"))
	algorithm("identifier with 0x80 within a number", fast, tlv(identifier, "\x2a\x81\x80\x01"))
	algorithm("identifier with a number of four bytes", fast, tlv(identifier, "\x2a\xff\xff\xff\x7f"))
	algorithm("identifier with a number of five bytes", slow, tlv(identifier, "\x2a\x87\xff\xff\xff\x7f"))
	algorithm("identifier with a number of more than 31 bits", refused, tlv(identifier, "\x2a\x88\x80\x80\x80\x00"))
	add("algorithm is another type", refused, func(f *form) {
		f.algorithm = tlv(set, tlv(identifier,
			ecdsaWithSHA256))
	})
	add("outer algorithm is another type", refused, func(f *form) {
		f.outer = tlv(set, tlv(identifier,
			ecdsaWithSHA256))
	})

	add("version 1", fast, func(f *form) { f.version, f.extensions = "", nil })
	add("version 1, said", slow, func(f *form) { f.version, f.extensions = x("a003020100"), nil })
	add("version 1 with extensions", slow, func(f *form) { f.version = "" })
	add("version 2", slow, func(f *form) { f.version, f.extensions = x("a003020101"), nil })
	add("version 2 with extensions", slow, func(f *form) { f.version = x("a003020101") })
	add("version 3 without extensions", fast, func(f *form) { f.extensions = nil })
	add("version 4", refused, func(f *form) { f.version = x("a003020103") })
	add("version in two bytes", refused, func(f *form) { f.version = x("a00402020002") })
	add("unique identifiers", slow, func(f *form) { f.unique = tlv(0x81, "\x00a") + tlv(0x82, "\x00b") })

	serial := func(name, want, der string) {
		add("serial: "+name, want, func(f *form) { f.serial = der })
	}
	serial("0", fast, x("020100"))
	serial("127", fast, x("02017f"))
	serial("128", fast, x("02020080"))
	serial("of no bytes", refused, x("0200"))
	serial("negative", refused, x("0201ff"))
	serial("negative, of two bytes", refused, x("02028000"))
	serial("with a leading zero", refused, x("0202007f"))
	serial("0 in two bytes", refused, x("02020000"))
	serial("of 127 bytes", fast, tlv(integer, strings.Repeat("a", 127)))
	serial("of 128 bytes", slow, tlv(integer, strings.Repeat("a", 128)))
	serial("missing", refused, "")
}

func names(add adder) {
	subject := func(name, want string, rdns ...string) {
		add("subject: "+name, want, func(f *form) { f.subject = tlv(sequence, rdns...) })
		add("issuer: "+name, want, func(f *form) { f.issuer = tlv(sequence, rdns...) })
	}
	value := func(name, want string, tag byte, value string) {
		subject(name, want, rdn(organization, utf8String, "before"), rdn(commonName, tag, value), rdn(country,
			printableString, "NO"))
		subject(name+", of a type of other length", want, rdn(emailAddress, tag, value))
	}
	subject("empty", fast)
	subject("of several", fast, rdn(country, printableString, "NO"), rdn(organization, t61String, "caf\xe9"),
		rdn(emailAddress, ia5String, "a@example.com"))
	subject("same issuer and subject", fast, rdn("\x55\x04\x0b", utf8String,
		"Amazon Web Services O=Amazon.com Inc. L=Seattle ST=Washington C=US"))
	subject("two attributes in a set", fast, tlv(set, tlv(sequence, tlv(identifier, country), tlv(printableString,
		"NO")),
		tlv(sequence, tlv(identifier, commonName), tlv(utf8String, "a"))))
	subject("empty set", fast, tlv(set))
	subject("empty attribute", refused, tlv(set, tlv(sequence)))
	subject("attribute without a value", refused, tlv(set, tlv(sequence, tlv(identifier, commonName))))
	subject("attribute with two values", slow, tlv(set, tlv(sequence, tlv(identifier, commonName), tlv(utf8String,
		"a"), tlv(utf8String, "b"))))
	subject("sequence for a set", refused, tlv(sequence, tlv(sequence, tlv(identifier, commonName), tlv(utf8String,
		"a"))))
	subject("set for a sequence", refused, tlv(set, tlv(set, tlv(identifier, commonName), tlv(utf8String, "a"))))
	subject("type with a truncated number", refused, rdn("\x55\x04\x83", utf8String, "a"))
	subject("type with a number that is not minimal", refused, rdn("\x55\x04\x80\x03", utf8String, "a"))
	subject("type is no identifier", refused, tlv(set, tlv(sequence, tlv(octetString, commonName), tlv(utf8String,
		"a"))))
	subject("length in one byte of 129", refused, "\x31\x81\x30\x7f\x06\x03\x55\x04\x03\x0c\x78"+strings.Repeat("a", 120))
	subject("of 200 bytes", fast, rdn(commonName, utf8String, strings.Repeat("a", 200)))
	subject("of 70,000 bytes", slow, rdn(commonName, utf8String, strings.Repeat("a", 70_000)))
	for n := range 18 { // around the end of eight characters, and of short lengths
		subject("long", fast, rdn(commonName, utf8String, strings.Repeat("a", 108+n)), rdn(commonName,
			printableString, strings.Repeat("a", n)))
	}
	add("subject: a set at the end", refused, func(f *form) {
		*f = shortest(*f)
		f.subject, f.key = tlv(sequence, tlv(set)), ""
	})
	add("subject is another type", refused, func(f *form) { f.subject = tlv(set) })
	add("issuer is another type", refused, func(f *form) { f.issuer = tlv(set) })

	value("UTF-8", fast, utf8String, "Größe 名前 👍")
	value("UTF-8 that is not valid", refused, utf8String, "caf\xe9")
	value("UTF-8 that is not valid, after much that is", refused, utf8String,
		"caf caf caf caf caf caf \xc3\xa9 caf caf caf caf\xe9")
	value("UTF-8 of no characters", fast, utf8String, "")
	value("T.61", fast, t61String, "caf\xe9")
	value("IA5", fast, ia5String, "a@\x7f")
	value("IA5 that is not", refused, ia5String, "a@\x80")
	value("IA5 that is not, late", refused, ia5String, "aaaaaaaaaaaaaaa@\x80aaaaaaa")
	value("numeric", slow, numericString, "12 3")
	value("numeric that is not", refused, numericString, "12a")
	value("BMP", slow, bmpString, "\x00a\x00b")
	value("BMP that is not", refused, bmpString, "\x00a\x00")
	value("universal", refused, 0x1c, "\x00\x00\x00a")
	value("integer", refused, integer, "\x01")
	value("constructed UTF-8", refused, utf8String|0x20, "")
	value("tag of two bytes", refused, 0x1f, "")
	for c := range 256 {
		want := refused
		if strings.IndexByte(" '()*+,-./0123456789:=?&ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
			byte(c)) >= 0 {
			want = fast
		}
		character := string([]byte{byte(c)})
		subject("printable, one character", want, rdn(commonName, printableString, character))
		subject("printable, one of many", want, rdn(commonName, printableString, "0123456"+character+"01234567"))
		subject("printable, the last", want, rdn(commonName, printableString, "0123456789"+character))
	}
}

func validities(add adder) {
	validity := func(name, want, der string) {
		add("validity: "+name, want, func(f *form) { f.validity = der })
	}
	instant := func(name, want string, tag byte, value string) {
		validity("from "+name, want, tlv(sequence, tlv(tag, value), tlv(utcTime, "491231235959Z")))
		validity("until "+name, want, tlv(sequence, tlv(utcTime, "491231235959Z"), tlv(tag, value)))
	}
	instant("1950", fast, utcTime, "500101000000Z")
	instant("1952", fast, utcTime, "520229000000Z")
	instant("1968", fast, utcTime, "681231235959Z")
	instant("1969", fast, utcTime, "690101000000Z")
	instant("1999", fast, utcTime, "991231235959Z")
	instant("2000", fast, utcTime, "000229000000Z")
	instant("2049", fast, utcTime, "491231235959Z")
	instant("the year 0", fast, generalizedTime, "00000101000000Z")
	instant("the year 0's leap day", fast, generalizedTime, "00000229000000Z")
	instant("the year 1", fast, generalizedTime, "00010101000000Z")
	instant("1900", fast, generalizedTime, "19000228000000Z")
	instant("1900's leap day", refused, generalizedTime, "19000229000000Z")
	instant("2000's leap day", fast, generalizedTime, "20000229000000Z")
	instant("2023's leap day", refused, generalizedTime, "20230229000000Z")
	instant("2050", fast, generalizedTime, "20500101000000Z")
	instant("9999", fast, generalizedTime, "99991231235959Z")
	instant("without seconds", slow, utcTime, "4912312359Z")
	instant("with an offset", slow, utcTime, "491231235959+0100")
	instant("with an offset of zero", refused, utcTime, "491231235959+0000")
	instant("generalized with an offset", slow, generalizedTime, "20491231235959+0100")
	instant("with a fraction", refused, generalizedTime, "20491231235959.5Z")
	instant("generalized without seconds", refused, generalizedTime, "204912312359Z")
	instant("no Z", refused, utcTime, "4912312359590")
	instant("local", refused, utcTime, "491231235959")
	instant("empty", refused, utcTime, "")
	instant("an hour of 24", refused, utcTime, "491231240000Z")
	instant("a minute of 60", refused, utcTime, "491231236000Z")
	instant("a second of 60", refused, utcTime, "491231235960Z")
	instant("a month of 0", refused, utcTime, "490031235959Z")
	instant("a month of 13", refused, utcTime, "491331235959Z")
	instant("a day of 0", refused, utcTime, "491200235959Z")
	for month := 1; month <= 12; month++ {
		mm := string([]byte{byte('0' + month/10), byte('0' + month%10)})
		for day, long := range map[string]string{"28": "", "29": "2", "30": "2", "31": "2 4 6 9 11",
			"32": "1 2 3 4 5 6 7 8 9 10 11 12"} {
			want := fast
			for _, m := range strings.Fields(long) {
				if m == strings.TrimPrefix(mm, "0") {
					want = refused
				}
			}
			instant(mm+day, want, utcTime, "49"+mm+day+"000000Z")
			instant(mm+day, want, generalizedTime, "2049"+mm+day+"000000Z")
		}
	}
	for i := range 14 { // each character in turn is no digit
		for _, c := range []string{"/", ":", "\xb0", "@", " "} {
			instant("a character that is no digit", refused, generalizedTime,
				"20491231235959Z"[:i]+c+"20491231235959Z"[i+1:])
			if i < 12 {
				instant("a character that is no digit", refused, utcTime, "491231235959Z"[:i]+c+"491231235959Z"[i+1:])
			}
		}
	}
	instant("another type", refused, utf8String, "491231235959Z")
	validity("of three", slow, tlv(sequence, tlv(utcTime, "240229235958Z"), tlv(utcTime, "240229235958Z"),
		tlv(utcTime, "240229235958Z")))
	validity("of one", refused, tlv(sequence, tlv(utcTime, "240229235958Z")))
	validity("of one, and a part", refused, tlv(sequence, tlv(utcTime, "240229235958Z"), "\x17\x0d49123123"))
	validity("of none", refused, tlv(sequence))
	validity("another type", refused, tlv(set, tlv(utcTime, "240229235958Z"), tlv(utcTime, "240229235958Z")))
	validity("missing", refused, "")
	end := func(name, der string) { // where the shortest of certificates ends
		add("validity: at the end, "+name, refused, func(f *form) {
			*f = shortest(*f)
			f.validity, f.subject, f.key = der, "", ""
		})
	}
	end("of none", tlv(sequence))
	end("of a part", tlv(sequence, "\x17\x0d"))
	end("of two", between(utcTime, "240229235958Z", "240229235958Z"))
	end("of a whole and a part", tlv(sequence, tlv(utcTime, "240229235958Z"), "\x18\x0f"))
}
