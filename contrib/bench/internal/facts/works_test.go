package facts

import (
	"crypto/x509"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks/certfacts"
)

func TestWorks(t *testing.T) {
	for _, w := range Works() {
		t.Run(w.Name, func(t *testing.T) {
			var want any
			for i, c := range w.Contenders {
				task, err := c.New(300)
				require.NoError(t, err)
				require.NoError(t, task.Do())
				if i == 0 {
					want = task.Answer()
					continue
				}
				require.Empty(t, cmp.Diff(want, task.Answer()), c.Name)
			}
		})
	}
}

// The certificates differ, from one another and from the one that they are made of.
func TestCertificatesDiffer(t *testing.T) {
	for _, k := range []kind{{name: "P-256"}, {name: "RSA-2048", rsa: true, full: true}} {
		t.Run(k.name, func(t *testing.T) {
			list, err := k.certificates(300)
			require.NoError(t, err)
			serials, subjects, keys, ids := map[string]bool{}, map[uint64]bool{}, map[string]bool{}, map[string]bool{}
			for _, der := range list {
				f, err := certfacts.Parse(der)
				require.NoError(t, err)
				serials[string(f.Serial.Of(der))], subjects[f.SubjectHash] = true, true
				keys[string(f.PublicKey.Of(der))], ids[string(f.SubjectKeyID.Of(der))] = true, true
			}
			require.Len(t, serials, len(list))
			require.Len(t, subjects, len(list))
			require.Len(t, ids, len(list))
			if k.rsa {
				require.Len(t, keys, len(list))
			} else {
				require.Len(t, keys, points)
			}
		})
	}
}

// A digest tells apart what differs in one fact.
func TestDigest(t *testing.T) {
	type facts struct {
		notBefore, notAfter        time.Time
		serial, authority, subject string
		algorithm                  x509.PublicKeyAlgorithm
		bits                       int
		valid, ca                  bool
		maxPathLen                 int
		issuerHash, subjectHash    uint64
	}
	now := time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC)
	usual := facts{now, now.AddDate(1, 0, 0), "0123456789", "abcdefghijklmnopqrst", "abc", x509.ECDSA, 256, true,
		false, -1, 7, 8}
	sum := func(list ...facts) uint64 {
		var d digest
		for _, f := range list {
			d.times(f.notBefore, f.notAfter)
			d.bytes([]byte(f.serial), []byte(f.authority), []byte(f.subject))
			d.key(f.algorithm, f.bits)
			d.constraints(f.valid, f.ca, f.maxPathLen)
			d.names(f.issuerHash, f.subjectHash)
		}
		return d.sum
	}
	otherHashes := usual
	otherHashes.issuerHash, otherHashes.subjectHash = 70, 80
	require.Equal(t, sum(usual, usual), sum(otherHashes, otherHashes))
	seen := map[uint64]string{sum(usual, usual): "usual"}
	for name, edit := range map[string]func(f *facts){
		"notBefore":    func(f *facts) { f.notBefore = now.Add(time.Second) },
		"notAfter":     func(f *facts) { f.notAfter = now.Add(time.Second) },
		"first digit":  func(f *facts) { f.serial = "1123456789" },
		"last digit":   func(f *facts) { f.serial = "0123456788" },
		"authority":    func(f *facts) { f.authority = "" },
		"subject":      func(f *facts) { f.subject = "abd" },
		"algorithm":    func(f *facts) { f.algorithm = x509.RSA },
		"bits":         func(f *facts) { f.bits = 384 },
		"valid":        func(f *facts) { f.valid = false },
		"CA":           func(f *facts) { f.ca = true },
		"path length":  func(f *facts) { f.maxPathLen = 0 },
		"other issuer": func(f *facts) { f.issuerHash = 9 },
		"self-issued":  func(f *facts) { f.subjectHash = f.issuerHash },
	} {
		other := usual
		edit(&other)
		s := sum(usual, other)
		require.NotContains(t, seen, s, name)
		seen[s] = name
	}
	other := usual
	other.bits = 384
	require.NotEqual(t, sum(usual, other), sum(other, usual), "the order")
}
