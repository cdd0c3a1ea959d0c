package inventory_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

func block(label string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
}

// summary is what was loaded, a line each: kind and place of a resource, place and text of the others.
func summary(l inventory.Loaded) []string {
	var all []string
	for _, c := range l.CACertificates {
		all = append(all, fmt.Sprintf("CA %v", c.Origin))
	}
	for _, c := range l.DeviceCertificates {
		all = append(all, fmt.Sprintf("device %v", c.Origin))
	}
	for _, c := range l.CRLs {
		all = append(all, fmt.Sprintf("CRL %v", c.Origin))
	}
	for _, v := range l.PolicyVersions {
		all = append(all, fmt.Sprintf("policy %s:%s %v%s", v.Name, v.VersionID, v.Origin, flags(v.NotDefault, "not default", v.ParseError != "", "broken")))
	}
	roles := func(what string, list []inventory.Role) (s string) {
		for _, r := range list {
			s += fmt.Sprintf(" %s %s", what, strings.TrimPrefix(r.ARN, "arn:aws:iam::123456789012:role/"))
			for _, p := range r.Policies {
				s += "/" + p.Name + flags(p.ParseError != "", "broken")
			}
		}
		return s
	}
	for _, p := range l.IdentityPools {
		all = append(all, fmt.Sprintf("pool %s %v%s%s", p.ID, p.Origin, roles("user", p.Authenticated), roles("guest", p.Unauthenticated)))
	}
	for _, a := range l.RoleAliases {
		used := slices.Sorted(maps.Keys(a.LastUsed))
		_, name, _ := strings.Cut(a.ARN, "rolealias/")
		all = append(all, fmt.Sprintf("alias %s %v%s used %q%s", name, a.Origin, roles("role", []inventory.Role{a.Role}), used, flags(a.LastUsed == nil, "unknown")))
	}
	for _, a := range l.Accounts {
		all = append(all, fmt.Sprintf("account %s %v %v %v", a.Account, a.Origin, a.Logging, a.V2Logging))
	}
	for _, c := range l.Clients {
		all = append(all, fmt.Sprintf("client %s %d", c.ID, len(c.Connections)))
	}
	if n := l.WeakKeys.Len(); n > 0 {
		all = append(all, fmt.Sprintf("weak keys %d", n))
	}
	for _, p := range l.Problems {
		all = append(all, "problem "+p.String())
	}
	for _, p := range l.Ignored {
		all = append(all, "ignored "+p.String())
	}
	return all
}

// flags are words, each behind whether it holds.
func flags(list ...any) (s string) {
	for i := 0; i < len(list); i += 2 {
		if list[i].(bool) {
			s += " (" + list[i+1].(string) + ")"
		}
	}
	return s
}

// loadFile loads a file "f" alone.
func loadFile(t testing.TB, data string) inventory.Loaded {
	t.Helper()
	l, err := inventory.LoadFS(context.Background(), fstest.MapFS{"f": {Data: []byte(data)}})
	require.NoError(t, err)
	return l
}

func TestLoadFile(t *testing.T) {
	ca := newCA(t, "CA", nil)
	caPEM := block("CERTIFICATE", ca.Raw)
	device, device2 := ca.issue(t, 5), ca.issue(t, 6)
	devicePEM, device2PEM := block("CERTIFICATE", device.Raw), block("CERTIFICATE", device2.Raw)
	crl := ca.crlDER(t, 1, 1, nil)
	old := version1(t, "old root", "old root")
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	sec1, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	pkcs1 := x509.MarshalPKCS1PrivateKey(rsaKey)
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	require.NoError(t, err)
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	require.NoError(t, err)
	lines := strings.SplitAfter(devicePEM, "\n")
	badByte := strings.Replace(devicePEM, lines[2][:10], "012345*789", 1) // after lines of 28 and 65 bytes
	at := func(prefix string) int { return len(prefix) }

	for _, test := range []struct {
		name, data string
		want       []string
	}{
		{"empty", "", []string{"problem f:0: is empty"}},
		{"white space before what may be JSON", strings.Repeat(" ", 64<<10) + "{}",
			[]string{"problem f:0: begins with 65536 bytes of white space, and is not read"}},
		{"weak keys", "\uFEFF# two\n00006aa0ce2cd60e6660\r\n00008be7025d9f1a9088", []string{"weak keys 2"}},
		{"weak keys below a heading", "Debian\n00006aa0ce2cd60e6660\n",
			[]string{`problem f:0: blocklist line 1: "Debian" is not 20 hexadecimal digits`}},
		{"what looks like a weak key above PEM", "00006aa0ce2cd60e6660\n" + devicePEM, []string{"device f:21"}},
		{"text", "hello\n", []string{"ignored f:0: plain text without any PEM block"}},
		{"text that is not UTF-8", "h\xe9llo\n", []string{"problem f:0: neither PEM, DER nor JSON"}},
		{"UTF-16", "h\x00i\x00", []string{"problem f:0: neither PEM, DER nor JSON"}},
		{"text with a control character", "hello\x7f\n", []string{"problem f:0: neither PEM, DER nor JSON"}},
		{"half a BEGIN", "-----BEGIN", []string{"problem f:0: neither PEM, DER nor JSON"}},
		{"END alone", "-----END X-----\n", []string{"problem f:0: END without BEGIN", "problem f:0: neither PEM, DER nor JSON"}},
		{"text with a zero in front", "0\x82 is text", []string{"problem f:0: DER object is truncated: 10 bytes of 8301"}},
		{"zeros", strings.Repeat("0", 300), []string{"ignored f:0: plain text without any PEM block"}},
		{"binary", "\x30\x80\x00\x00", []string{"problem f:0: neither PEM, DER nor JSON"}},

		{"PEM CA", caPEM, []string{"CA f:0"}},
		{"PEM device", devicePEM, []string{"device f:0"}},
		{"PEM old labels", block("X509 CERTIFICATE", device.Raw) + block("TRUSTED CERTIFICATE", append(bytes.Clone(ca.Raw), 0x30, 0)),
			[]string{fmt.Sprintf("CA f:%d", at(block("X509 CERTIFICATE", device.Raw))), "device f:0"}},
		{"PEM CRL", block("X509 CRL", crl), []string{"CRL f:0"}},
		{"version 1", block("CERTIFICATE", old.Raw), []string{"CA f:0"}},
		{"bundle with text", "# root\n" + caPEM + "text: between\n\n" + devicePEM + block("X509 CRL", crl) + "end",
			[]string{"CA f:7", fmt.Sprintf("device f:%d", 7+at(caPEM+"text: between\n\n")),
				fmt.Sprintf("CRL f:%d", 7+at(caPEM+"text: between\n\n"+devicePEM))}},
		{"CRLF and no end of line", strings.TrimSpace(strings.ReplaceAll(caPEM+devicePEM, "\n", "\r\n")),
			[]string{"CA f:0", fmt.Sprintf("device f:%d", at(strings.ReplaceAll(caPEM, "\n", "\r\n")))}},
		{"byte order mark", "\xef\xbb\xbf" + caPEM, []string{"CA f:3"}},
		{"indented", "  " + strings.ReplaceAll(caPEM, "\n", "\n  "), []string{"CA f:2"}},
		{"one line of base64", lines[0] + strings.ReplaceAll(strings.Join(lines[1:len(lines)-2], ""), "\n", "") + "\n" + lines[len(lines)-2], []string{"device f:0"}},
		{"headers", strings.Replace(devicePEM, "\n", "\nName: x\nOther: y\n\n", 1), []string{"device f:0"}},
		{"second copy", devicePEM + caPEM + devicePEM, []string{fmt.Sprintf("CA f:%d", at(devicePEM)), "device f:0",
			fmt.Sprintf("ignored f:%d: second copy of f:0", at(devicePEM+caPEM))}},

		{"DER CA", string(ca.Raw), []string{"CA f:0"}},
		{"DER CRL", string(crl), []string{"CRL f:0"}},
		{"DER CRL, version 1", string(ca.version1CRL(t, 1, 5)), []string{"CRL f:0"}},
		{"DER, version 1", string(old.Raw), []string{"CA f:0"}},
		{"DER after DER", string(ca.Raw) + string(crl) + string(device.Raw), []string{"CA f:0",
			fmt.Sprintf("device f:%d", len(ca.Raw)+len(crl)), fmt.Sprintf("CRL f:%d", len(ca.Raw))}},
		{"DER with an end of line", string(ca.Raw) + "\n", []string{"CA f:0",
			fmt.Sprintf("problem f:%d: what begins here is no DER object, and is not read", len(ca.Raw))}},
		{"DER truncated", string(ca.Raw[:100]), []string{fmt.Sprintf("problem f:0: DER object is truncated: 100 bytes of %d", len(ca.Raw))}},
		{"DER too large", "\x30\x84\x7f\xff\xff\xff" + string(ca.Raw), []string{"problem f:0: DER object of 2147483653 bytes is larger than 67108864, it and the rest are not read"}},
		{"DER of something else", string(request), []string{"problem f:0: DER object that is neither a certificate nor a CRL"}},
		{"short DER of something else", string(spki), []string{"problem f:0: DER object that is neither a certificate nor a CRL"}},
		{"DER certificate that does not parse", string(withTime(t, device.Raw)), []string{"device f:0",
			"problem f:0: certificate does not parse: x509: malformed UTCTime"}},
		{"DER CRL that does not parse", string(withTime(t, crl)), []string{"CRL f:0", "problem f:0: CRL cannot be used: x509: malformed UTCTime"}},
		{"DER key", string(sec1), []string{"ignored f:0: private key"}},
		{"DER keys", string(pkcs1) + string(pkcs8) + string(sec1) + "\x30\x04\x30\x00\x04\x00", []string{
			"ignored f:0: private key", fmt.Sprintf("ignored f:%d: private key", len(pkcs1)),
			fmt.Sprintf("ignored f:%d: private key", len(pkcs1)+len(pkcs8)),
			fmt.Sprintf("ignored f:%d: private key", len(pkcs1)+len(pkcs8)+len(sec1))}},

		{"certificate that does not parse", block("CERTIFICATE", []byte("x")) + devicePEM, []string{"device f:0",
			fmt.Sprintf("device f:%d", at(block("CERTIFICATE", []byte("x")))), "problem f:0: certificate does not parse: x509: malformed certificate"}},
		{"certificate too large", block("CERTIFICATE", make([]byte, 70000)), []string{"device f:0",
			"problem f:0: certificate does not parse: 70000 bytes of DER are more than 65536"}},
		{"CRL that does not parse", block("X509 CRL", ca.Raw), []string{"CRL f:0", "problem f:0: CRL cannot be used: x509: malformed signature algorithm identifier"}},
		{"other blocks", block("EC PARAMETERS", nil) + block("EC PRIVATE KEY", sec1) + block("PKCS7", nil) + caPEM, []string{
			fmt.Sprintf("CA f:%d", at(block("EC PARAMETERS", nil)+block("EC PRIVATE KEY", sec1)+block("PKCS7", nil))),
			fmt.Sprintf("problem f:%d: PEM block of type \"PKCS7\" is not read", at(block("EC PARAMETERS", nil)+block("EC PRIVATE KEY", sec1))),
			"ignored f:0: ec parameters",
			fmt.Sprintf("ignored f:%d: private key", at(block("EC PARAMETERS", nil)))}},
		{"private key, encrypted", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n*secret*\n-----END RSA PRIVATE KEY-----\n",
			[]string{"ignored f:0: private key"}},

		{"bad byte", badByte + caPEM, []string{fmt.Sprintf("CA f:%d", at(badByte)),
			"problem f:99: byte 0x2a is not base64, in the block \"CERTIFICATE\" that begins at 0"}},
		{"bad bytes are told once", lines[0] + "AAAA\n*\n**\n" + lines[len(lines)-2], []string{"problem f:33: byte 0x2a is not base64, in the block \"CERTIFICATE\" that begins at 0"}},
		{"padding in the middle", lines[0] + "AA==\nAAAA\n" + lines[len(lines)-2] + "\n" + caPEM, []string{
			fmt.Sprintf("CA f:%d", at(lines[0]+"AA==\nAAAA\n"+lines[len(lines)-2]+"\n")),
			"problem f:33: byte 0x41 is not base64, in the block \"CERTIFICATE\" that begins at 0"}},
		{"too much padding", lines[0] + "A===\n" + lines[len(lines)-2], []string{"problem f:31: byte 0x3d is not base64, in the block \"CERTIFICATE\" that begins at 0"}},
		{"base64 too short", lines[0] + "AAA\n" + lines[len(lines)-2], []string{"problem f:32: base64 ends too early, in the block \"CERTIFICATE\" that begins at 0"}},
		{"nothing in it", lines[0] + lines[len(lines)-2], []string{"problem f:0: block \"CERTIFICATE\" is empty"}},
		{"no END", caPEM + strings.Join(lines[:3], ""), []string{"CA f:0", fmt.Sprintf("problem f:%d: block \"CERTIFICATE\" has no END", at(caPEM))}},
		{"DER behind PEM", caPEM + string(device.Raw), []string{"CA f:0", fmt.Sprintf("problem f:%d: neither a block nor commentary", at(caPEM))}},
		{"UTF-16 behind PEM", caPEM + "-\x00-\x00\n", []string{"CA f:0", fmt.Sprintf("problem f:%d: neither a block nor commentary", at(caPEM))}},
		{"binary between blocks, told once", caPEM + "\x00\n\x01\n" + devicePEM, []string{"CA f:0", fmt.Sprintf("device f:%d", at(caPEM)+4),
			fmt.Sprintf("problem f:%d: neither a block nor commentary", at(caPEM))}},
		{"binary before the first block", "\x00\n" + caPEM, []string{"CA f:2", "problem f:0: neither a block nor commentary"}},
		{"BEGIN misspelt", caPEM + strings.ReplaceAll(devicePEM, "-----", "----"), []string{"CA f:0", fmt.Sprintf("problem f:%d: neither a block nor commentary", at(caPEM))}},
		{"commentary", "# BEGIN of the CRLs\n\xe9\n" + caPEM + "-- no more\n\x1a", []string{fmt.Sprintf("CA f:%d", len("# BEGIN of the CRLs\n\xe9\n"))}},
		{"no END, then another", strings.Join(lines[:3], "") + caPEM, []string{fmt.Sprintf("CA f:%d", at(strings.Join(lines[:3], ""))),
			"problem f:0: block \"CERTIFICATE\" has no END"}},
		{"key without END", "-----BEGIN PRIVATE KEY-----\nsecret\n" + caPEM, []string{"CA f:35", "problem f:0: block \"PRIVATE KEY\" has no END"}},
		{"END of another", strings.Replace(devicePEM, "END CERTIFICATE", "END FOO", 1) + caPEM, []string{
			fmt.Sprintf("CA f:%d", at(devicePEM)-8), fmt.Sprintf("problem f:%d: END of another block than \"CERTIFICATE\", which begins at 0", at(devicePEM)-len(lines[len(lines)-2]))}},
		{"END alone", lines[len(lines)-2] + caPEM, []string{fmt.Sprintf("CA f:%d", len(lines[len(lines)-2])), "problem f:0: END without BEGIN"}},
		{"BEGIN in a line", `{"pem": "` + strings.ReplaceAll(caPEM, "\n", `\n`) + `"}` + "\n" + devicePEM, []string{
			fmt.Sprintf("device f:%d", at(`{"pem": "`+strings.ReplaceAll(caPEM, "\n", `\n`)+`"}`+"\n")), "problem f:9: BEGIN that is not a line of its own"}},
		{"BEGIN with something behind", strings.Replace(caPEM, "-----\n", "-----x\n", 1), []string{
			"problem f:0: BEGIN that is not a line of its own", fmt.Sprintf("problem f:%d: END without BEGIN", 1+strings.Index(caPEM, "-----END"))}},
		{"old end of line", strings.ReplaceAll(caPEM, "\n", "\r"), []string{"problem f:0: BEGIN that is not a line of its own"}},
		{"long line, then a block", strings.Repeat("x", 200000) + "\n" + caPEM, []string{"CA f:200001"}},
		{"BEGIN after a long line's first piece", strings.Repeat("x", 64<<10) + caPEM, []string{
			"problem f:65536: BEGIN that is not a line of its own", fmt.Sprintf("problem f:%d: END without BEGIN", 64<<10+strings.Index(caPEM, "-----END"))}},
		{"long label", "-----BEGIN " + strings.Repeat("X", 1000) + "-----\n-----END " + strings.Repeat("X", 1000) + "-----\n",
			[]string{"problem f:0: PEM block of type \"" + strings.Repeat("X", 40) + "\" is not read"}},
		{"empty label", "-----BEGIN -----\n-----END -----\n" + device2PEM, []string{"device f:32", "problem f:0: PEM block of type \"\" is not read"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := loadFile(t, test.data)
			if diff := cmp.Diff(test.want, summary(l)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, c := range append(l.CACertificates, l.DeviceCertificates...) {
				if c.Status != inventory.CertificateStatusActive || !c.CreatedAt.IsZero() {
					t.Errorf("status %q, created at %v", c.Status, c.CreatedAt)
				}
			}
		})
	}
}

// withTime breaks the first time in a certificate or CRL.
func withTime(t testing.TB, der []byte) []byte {
	t.Helper()
	i := bytes.Index(der, []byte{0x17, 13}) + 2
	require.Greater(t, i, 2)
	broken := bytes.Clone(der)
	broken[i] = 'x'
	return broken
}

// TestLoadKeepsContent: what is loaded is what was written, through text, PEM and DER alike.
func TestLoadKeepsContent(t *testing.T) {
	ca := newCA(t, "CA", nil)
	want := []inventory.Certificate{ca.issue(t, 5), ca.issue(t, 6), ca.issue(t, 7)}
	l, err := inventory.LoadFS(context.Background(), fstest.MapFS{
		"a.pem": {Data: []byte("x\n" + block("CERTIFICATE", want[0].Raw))},
		"b.txt": {Data: want[1].Raw},
		"c":     {Data: []byte(block("TRUSTED CERTIFICATE", slices.Concat(want[2].Raw, []byte{0x30, 2, 5, 0})))},
	})
	require.NoError(t, err)
	for i, at := range []inventory.Origin{{File: "a.pem", Offset: 2}, {File: "b.txt"}, {File: "c"}} {
		want[i].Origin = at
	}
	text := func(c inventory.Certificate) string { return fmt.Sprintf("%+v", c) }
	if diff := cmp.Diff(want, l.DeviceCertificates, cmp.Transformer("text", text)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
