package inventory_test

import (
	"bytes"
	"encoding/pem"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// holds loads a file of any content, and holds the result against encoding/pem and the bytes themselves.
func holds(t *testing.T, data []byte) {
	t.Helper()
	l := loadFile(t, string(data))
	known := make(map[int64]bool) // where something is told
	for _, p := range append(l.Problems, l.Ignored...) {
		if p.Offset < 0 || p.Offset > int64(len(data)) || p.File != "f" || p.What == "" {
			t.Errorf("problem %+v of %d bytes", p, len(data))
		}
		known[p.Offset] = true
	}
	held := make(map[string]bool) // by DER
	for _, c := range append(l.CACertificates, l.DeviceCertificates...) {
		known[c.Origin.Offset] = true
		held[string(c.Raw)] = true
		rest := data[c.Origin.Offset:]
		// encoding/pem wants no white space at the ends of lines.
		if b, _ := pem.Decode(unindented(rest)); !bytes.HasPrefix(rest, c.Raw) && (b == nil || !bytes.HasPrefix(b.Bytes, c.Raw)) {
			t.Errorf("certificate of %d bytes is not at %d", len(c.Raw), c.Origin.Offset)
		}
	}
	for _, c := range l.CRLs {
		known[c.Origin.Offset] = true
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), " \t\r\n")
	if bytes.HasPrefix(text, []byte("{")) && !bytes.Contains(text, []byte("-----BEGIN ")) {
		return // it may be JSON, which holdsJSON is for
	}
	if len(known) == 0 && l.WeakKeys.Len() == 0 {
		t.Error("nothing is told about the file")
	}
	if bytes.HasPrefix(data, []byte{0x30}) {
		return // it may be DER, in which PEM is no more than bytes
	}
	// Whatever encoding/pem reads is a resource, or something is told within its bytes.
	for rest := data; ; {
		b, next := pem.Decode(rest)
		if b == nil {
			return
		}
		rest = next
		end := len(data) - len(next)
		start := bytes.LastIndex(data[:end], []byte("-----BEGIN "))
		told := len(l.Problems) > 1000 // or the file has too many to tell
		for at := range known {
			told = told || at >= int64(start) && at < int64(end)
		}
		if !told {
			t.Errorf("nothing is told about the block %q in bytes %d to %d", b.Type, start, end)
		}
		if b.Type == "CERTIFICATE" && len(l.Problems) == 0 && !held[string(b.Bytes)] {
			t.Errorf("the certificate in bytes %d to %d is lost", start, end)
		}
	}
}

func FuzzLoad(f *testing.F) {
	for _, data := range fleetFiles(f) {
		f.Add(data)
	}
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nA: b\n\nAA==\n-----END CERTIFICATE-----\n-----END X-----"))
	f.Fuzz(func(t *testing.T, data []byte) { holds(t, data) })
}

// TestLoadMutants breaks a real bundle in hundreds of ways.
func TestLoadMutants(t *testing.T) {
	var bundle []byte
	for _, data := range fleetFiles(t) {
		if bytes.Contains(data, []byte("-----BEGIN ")) {
			bundle = append(bundle, data...)
		}
	}
	pieces := []string{"\n", "\r\n", "-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----\n", "-----BEGIN PRIVATE KEY-----", "=", "*", " ", ":", "\x00", "-----"}
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 0))
		data := bytes.Clone(bundle)
		for range 1 + r.IntN(3) {
			from := r.IntN(len(data))
			to := min(len(data), from+r.IntN(100))
			switch r.IntN(4) {
			case 0:
				data = slices.Delete(data, from, to)
			case 1:
				data = slices.Insert(data, from, []byte(pieces[r.IntN(len(pieces))])...)
			case 2:
				data = slices.Insert(data, from, bytes.Clone(data[r.IntN(from+1):from])...)
			case 3:
				data[from] ^= 1 << r.IntN(8)
			}
		}
		if holds(t, data); t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// fleetFiles returns the files of testdata/fleet.
func fleetFiles(t testing.TB) (files [][]byte) {
	t.Helper()
	require.NoError(t, filepath.WalkDir("testdata/fleet", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		files = append(files, data)
		return err
	}))
	return files
}

// fleetDER returns what is in the files of testdata/fleet.
func fleetDER(t testing.TB) (all [][]byte) {
	t.Helper()
	for _, data := range fleetFiles(t) {
		if data[0] == 0x30 {
			all = append(all, data)
		}
		for b, rest := pem.Decode(data); b != nil; b, rest = pem.Decode(rest) {
			all = append(all, b.Bytes)
		}
	}
	return all
}

// unindented takes white space off the ends of lines.
func unindented(data []byte) []byte {
	lines := bytes.Split(data, []byte("\n"))
	for i := range lines {
		lines[i] = bytes.Trim(lines[i], " \t\r")
	}
	return bytes.Join(lines, []byte("\n"))
}
