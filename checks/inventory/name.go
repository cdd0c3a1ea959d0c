package inventory

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

// nameText is a distinguished name in DER as people write it, or its bytes if it cannot be read.
func nameText(der []byte) string {
	var rdns pkix.RDNSequence
	if rest, err := asn1.Unmarshal(der, &rdns); err != nil || len(rest) > 0 {
		if len(der) == 0 {
			return ""
		}
		return "#" + hex.EncodeToString(der)
	}
	return strings.ToValidUTF8(rdns.String(), "\uFFFD")
}

// maxWords is how much of a parser's words is kept: they may quote what a hostile file says.
const maxWords = 200

// shorten cuts words at maxWords bytes, and makes them valid UTF-8.
func shorten(words string) string {
	words = strings.ToValidUTF8(words, "\uFFFD")
	if len(words) <= maxWords {
		return words
	}
	cut := maxWords
	for !utf8.RuneStart(words[cut]) {
		cut--
	}
	return words[:cut] + "..."
}
