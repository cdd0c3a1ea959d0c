package inventory_test

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

// TestDERSegments loads many segments of DER objects, among them some that are larger than a segment.
func TestDERSegments(t *testing.T) {
	ca := newCA(t, "CA", nil)
	device := ca.issue(t, 5).Raw
	var entries []int64
	for i := range int64(20_000) {
		entries = append(entries, 1<<40+i)
	}
	large := ca.version1CRL(t, 1, entries...)
	require.Greater(t, len(large), inventory.SegmentSize)
	key := []byte{0x30, 4, 0x30, 0, 4, 0}
	other, err := asn1.Marshal(struct{ Text string }{strings.Repeat("x", 1000)})
	require.NoError(t, err)

	var data []byte
	var want []string
	add := func(der []byte, line string) {
		want = append(want, fmt.Sprintf(line, len(data)))
		data = append(data, der...)
	}
	for i := range 2000 {
		der := bytes.Clone(device)
		binary.BigEndian.PutUint32(der[len(der)-4:], uint32(i)) // in its signature
		add(der, "certificate f:%d "+inventory.NewCertificate(der, inventory.CertificateStatusActive).ID)
		switch i % 1000 {
		case 300:
			add(key, "ignored f:%d: private key")
		case 500:
			add(other, "problem f:%d: DER object that is neither a certificate nor a CRL")
		}
		if i == 1200 {
			add(large, "CRL f:%d "+inventory.NewCRL(large).ID)
		}
	}
	for tail, problem := range map[string]string{
		"":                                  "",
		"\x30\x82\x10\x00abc":               "DER object is truncated: 7 bytes of 4100",
		"\x30\x84\x7f\xff\xff\xff and more": "DER object of 2147483653 bytes is larger than 67108864, it and the rest are not read",
		"\x30\x82":                          "what begins here is no DER object, and is not read",
		"x":                                 "what begins here is no DER object, and is not read",
	} {
		want := slices.Clone(want)
		if problem != "" {
			want = append(want, fmt.Sprintf("problem f:%d: %s", len(data), problem))
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, pemLines(loadFile(t, string(data)+tail))); diff != "" {
			t.Errorf("tail %q (-want +got):\n%s", tail, diff)
		}
	}
}

// TestOutline: certificates are found quickly, and nothing else is.
func TestOutline(t *testing.T) {
	found := 0
	for _, der := range fleetDER(t) {
		quickly, slowly := inventory.IsCertificate(der)
		if c, err := x509.ParseCertificate(der); err == nil && c.Version > 1 && !quickly {
			t.Errorf("the certificate of %s is not found quickly", c.Subject)
		}
		if quickly && !slowly {
			t.Errorf("%x is found quickly, and is no certificate", der)
		}
		if quickly {
			found++
		}
	}
	if found < 10 {
		t.Errorf("%d certificates are found quickly", found)
	}
	for _, der := range []string{
		"", "\x30", "\x30\x80", "\x30\x03\x30\x00\x30", "\x30\x06\x30\x00\x30\x00\x03\x00", "\x30\x07\x30\x00\x30\x00\x03\x01\x00",
		"\x30\x09\x30\x02\xa0\x00\x30\x00\x03\x01\x01", "\x30\x0b\x30\x02\xa0\x00\x30\x00\x03\x01\x00\x05\x00", "\x30\x81\x09\x30\x02\xa0\x00\x30\x00\x03\x01\x00",
		"\x30\x0a\x30\x03\xa0\x00\x01\x30\x00\x03\x01\x00", "\x30\x0b\x30\x04\xa0\x00\x1f\x00\x30\x00\x03\x01\x00", "\x31\x09\x30\x02\xa0\x00\x30\x00\x03\x01\x00",
		"\x30\x09\x31\x02\xa0\x00\x30\x00\x03\x01\x00", "\x30\x09\x30\x02\xa0\x00\x31\x00\x03\x01\x00", "\x30\x09\x30\x02\xa0\x00\x30\x00\x04\x01\x00",
		"\x30\x09\x30\x02\xa1\x00\x30\x00\x03\x01\x00", "\x30\x82\x00\x09\x30\x02\xa0\x00\x30\x00\x03\x01\x00",
	} {
		if quickly, _ := inventory.IsCertificate([]byte(der)); quickly {
			t.Errorf("%x is found quickly", der)
		}
	}
	if quickly, slowly := inventory.IsCertificate([]byte("\x30\x09\x30\x02\xa0\x00\x30\x00\x03\x01\x00")); !quickly || !slowly {
		t.Errorf("the least outline of a certificate: %v, %v", quickly, slowly)
	}
}

func FuzzOutline(f *testing.F) {
	for _, der := range fleetDER(f) {
		f.Add(der)
	}
	f.Add([]byte("\x30\x09\x30\x02\xa0\x00\x30\x00\x03\x01\x00"))
	f.Fuzz(func(t *testing.T, der []byte) {
		if quickly, slowly := inventory.IsCertificate(der); quickly && !slowly {
			t.Errorf("%x is found quickly, and is no certificate", der)
		}
	})
}
