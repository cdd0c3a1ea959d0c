package inventory_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

// pemLines is what is loaded, a line for each resource and note, sorted.
func pemLines(l inventory.Loaded) (lines []string) {
	for _, c := range slices.Concat(l.DeviceCertificates, l.CACertificates) {
		lines = append(lines, fmt.Sprintf("certificate %v %s", c.Origin, c.ID))
	}
	for _, c := range l.CRLs {
		lines = append(lines, fmt.Sprintf("CRL %v %s", c.Origin, c.ID))
	}
	for _, p := range l.Problems {
		lines = append(lines, "problem "+p.String())
	}
	for _, p := range l.Ignored {
		lines = append(lines, "ignored "+p.String())
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

// oracleLines is pemLines as the oracle has it. False: there is more in the file than notes are taken of.
func oracleLines(data []byte) (lines []string, all bool) {
	notes := make(map[string]int)
	note := func(kind string, at int64, what string) {
		notes[kind]++
		lines = append(lines, fmt.Sprintf("%s f:%d: %s", kind, at, what))
	}
	first := make(map[string]int64)
	resource := func(kind string, at int64, id, fault string) {
		if before, known := first[id]; known {
			note("ignored", at, fmt.Sprintf("second copy of f:%d", before))
			return
		}
		first[id] = at
		if fault != "" {
			note("problem", at, fault)
		}
		lines = append(lines, fmt.Sprintf("%s f:%d %s", kind, at, id))
	}
	(&pemOracle{strange: -1, tell: func(b oracleBlock) {
		switch {
		case b.text:
			note("ignored", b.at, "plain text without any PEM block")
		case b.problem != "":
			note("problem", b.at, b.problem)
		case b.label == "X509 CRL":
			c, fault := inventory.NewCRL(b.der), ""
			if c.Unusable != "" {
				fault = "CRL cannot be used: " + c.Unusable
			}
			resource("CRL", b.at, c.ID, fault)
		case b.der != nil:
			if n, ok := inventory.DERSize(b.der); ok && b.label == "TRUSTED CERTIFICATE" && n < int64(len(b.der)) {
				b.der = b.der[:n]
			}
			c, fault := inventory.NewCertificate(b.der, inventory.CertificateStatusActive), ""
			if c.ParseError != "" {
				fault = "certificate does not parse: " + c.ParseError
			}
			resource("certificate", b.at, c.ID, fault)
		case strings.HasSuffix(b.label, "PRIVATE KEY"):
			note("ignored", b.at, "private key")
		case slices.Contains(inventory.Strangers, b.label):
			note("ignored", b.at, strings.ToLower(b.label))
		default:
			note("problem", b.at, fmt.Sprintf("PEM block of type %.40q is not read", b.label))
		}
	}}).scan(data)
	slices.Sort(lines)
	return slices.Compact(lines), notes["problem"] < 1000 && notes["ignored"] < 1000
}

// pemLike holds what is loaded of a PEM file against what the oracle says.
func pemLike(t *testing.T, data []byte) {
	t.Helper()
	want, all := oracleLines(data)
	if !all {
		return
	}
	if diff := cmp.Diff(want, pemLines(inventory.LoadPEM(bytes.NewReader(data)))); diff != "" {
		t.Errorf("%d bytes (-oracle +loaded):\n%s", len(data), diff)
	}
}

// lead returns what may stand before data in a file so that a segment ends at, or near, its byte split. kind says what:
// nothing, a block that is whole, text, text that is one line, a block that goes on.
func lead(kind, split int) []byte {
	size := inventory.SegmentSize - split
	opening, closing := "-----BEGIN PRIVATE KEY-----\n", "-----END PRIVATE KEY-----\n"
	lines := []byte(strings.Repeat(strings.Repeat("k", 63)+"\n", size/64+1))
	switch kind % 5 {
	case 1:
		size -= len(opening) + len(closing) + 1
		return slices.Concat([]byte(opening), lines[:max(size, 0)], []byte("\n"+closing))
	case 2:
		return lines[:size]
	case 3:
		return bytes.Repeat([]byte("k"), size)
	case 4:
		return append([]byte(opening), lines[:size]...)
	}
	return nil
}

func FuzzPEM(f *testing.F) {
	for _, data := range fleetFiles(f) {
		for kind := range 5 {
			f.Add(data, uint8(kind), uint16(kind*len(data)/5))
		}
	}
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nA: b\n\nAA==\n-----END CERTIFICATE-----\n-----END X-----"), uint8(1), uint16(40))
	f.Fuzz(func(t *testing.T, data []byte, kind uint8, split uint16) {
		pemLike(t, append(lead(int(kind), min(int(split), len(data))), data...))
	})
}

// oddBundle has a block of each sort, and between and in them what is not as it should be.
func oddBundle(t testing.TB) []byte {
	ca := newCA(t, "CA", nil)
	cert, list := block("CERTIFICATE", ca.Raw), block("X509 CRL", ca.crlDER(t, 1, 1, nil))
	lines := strings.SplitAfter(cert, "\n")
	broken := func(old, new string) string { return strings.Replace(cert, old, new, 1) }
	return []byte(strings.Join([]string{
		"subject: somebody\n", cert, list, block("TRUSTED CERTIFICATE", append(bytes.Clone(ca.Raw), 0x30, 0)),
		strings.ReplaceAll(cert, "\n", "\r\n"), strings.ReplaceAll(cert, "\n", " \n\t"), "\x01 strange\n",
		broken("\n", "\nName: x\n\n"), broken("-----\n", "-----   \n"), broken(lines[2], "\n\n"+lines[2]+"\v\n"),
		strings.Join(lines[:len(lines)-2], ""), broken("-----END", "----- END"), broken("END CERTIFICATE", "END X509 CRL"),
		"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\n\n\r\n-----END CERTIFICATE-----\n",
		"-----BEGIN CERTIFICATE-----\nAA=\n=\n-----END CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\nAA==AA==\n-----END CERTIFICATE-----\n",
		block("PRIVATE KEY", []byte("key")), block("EC PARAMETERS", nil), "-----END CERTIFICATE-----\n", block("PKCS7", []byte("x")),
		"x" + cert, cert,
	}, ""))
}

// TestPEMSegments: what is loaded does not depend on where in a file it stands, so that a segment may end anywhere.
func TestPEMSegments(t *testing.T) {
	data := oddBundle(t)
	places := 0
	for i, b := range data {
		if b != '\n' {
			continue
		}
		if places++; places%2 == 0 {
			pemLike(t, append(lead(1, i+1), data...))
		} else {
			pemLike(t, append(lead(places/2, i+places%3), data...))
		}
		if t.Failed() {
			t.Fatalf("at %d", i)
		}
	}
	if places < 100 {
		t.Errorf("%d places", places)
	}
}

// TestPEMManySegments loads many segments of whole blocks, and between them some that are not.
func TestPEMManySegments(t *testing.T) {
	odd := oddBundle(t)
	der := bytes.Clone(newCA(t, "CA", nil).issue(t, 5).Raw)
	var data []byte
	for i := range 12 {
		for j := range 300 { // more than one segment
			binary.BigEndian.PutUint32(der[len(der)-4:], uint32(i*300+j)) // in its signature
			data = append(data, block("CERTIFICATE", der)...)
		}
		if i%3 == 2 {
			data = append(data, odd...)
			data = append(data, lead(i/3, 0)...)
		}
	}
	pemLike(t, data)
	if n := len(inventory.LoadPEM(bytes.NewReader(data)).DeviceCertificates); n < 3600 {
		t.Errorf("%d certificates", n)
	}
	if len(data) < 6*inventory.SegmentSize {
		t.Errorf("%d bytes are few segments", len(data))
	}
}
