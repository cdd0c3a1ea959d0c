package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/cli"
)

// BenchmarkAudit audits fleets of certificates of their own, half of them with RSA keys of 2,048 bits and half with
// keys on P-256, of which one in a hundred is expired, about to expire, or revoked. What the largest takes is told by
//
//	go test -run '^$' -bench 'Audit/1000000/pem' -benchtime 1x -cpuprofile cpu.out -memprofile mem.out
//
// which writes 0.8 GB to a temporary folder.
func BenchmarkAudit(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.Run("pem", func(b *testing.B) { benchmarkAudit(b, n, writeBundle) })
			b.Run("pem-json", func(b *testing.B) { benchmarkAudit(b, n, writeBundle, "--format", "json") })
			b.Run("der", func(b *testing.B) { benchmarkAudit(b, n, writeDER) })
			if n <= 100_000 { // so that it does not take a million files
				b.Run("files", func(b *testing.B) { benchmarkAudit(b, n, writeFiles) })
			}
		})
	}
}

func benchmarkAudit(b *testing.B, n int, write func(b *testing.B, dir string, n int, device func(i int) []byte), flags ...string) {
	dir := b.TempDir()
	f := newLargeFleet(b)
	f.writeAuthorities(b, dir, n)
	write(b, dir, n, f.device)
	args := append([]string{"audit", dir, "--as-of", asOf}, flags...)
	peak := watchHeap(b)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	rounds := 0
	for b.Loop() {
		var stderr strings.Builder
		if code := cli.Run(context.Background(), args, strings.NewReader(""), io.Discard, &stderr); code != cli.ExitOK {
			b.Fatalf("exit status %d: %s", code, &stderr)
		}
		rounds++
	}
	runtime.ReadMemStats(&after)
	certificates := float64(n)
	b.SetBytes(sizeOf(b, dir))
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(rounds)/certificates, "ns/certificate")
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(rounds)/certificates, "B/certificate")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(rounds)/certificates, "allocs/certificate")
	b.ReportMetric(float64(peak())/certificates, "peak-heap-B/certificate")
	b.ReportMetric(0, "ns/op")
}

// watchHeap returns what tells the most that the heap has taken since.
func watchHeap(b *testing.B) (peak func() uint64) {
	runtime.GC()
	heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}}
	stop, most := make(chan struct{}), make(chan uint64)
	go func() {
		var high uint64
		ticker := time.NewTicker(5 * time.Millisecond)
		defer ticker.Stop()
		for {
			metrics.Read(heap)
			high = max(high, heap[0].Value.Uint64()+heap[1].Value.Uint64())
			select {
			case <-ticker.C:
			case <-stop:
				most <- high
				return
			}
		}
	}()
	return func() uint64 {
		close(stop)
		return <-most
	}
}

func sizeOf(b *testing.B, dir string) (size int64) {
	require.NoError(b, filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		size += info.Size()
		return err
	}))
	return size
}

func writeBundle(b *testing.B, dir string, n int, device func(int) []byte) {
	create(b, filepath.Join(dir, "devices.pem"), func(w io.Writer) error {
		for i := range n {
			if err := pem.Encode(w, &pem.Block{Type: "CERTIFICATE", Bytes: device(i)}); err != nil {
				return err
			}
		}
		return nil
	})
}

func writeDER(b *testing.B, dir string, n int, device func(int) []byte) {
	create(b, filepath.Join(dir, "devices.der"), func(w io.Writer) error {
		for i := range n {
			if _, err := w.Write(device(i)); err != nil {
				return err
			}
		}
		return nil
	})
}

// writeFiles writes a file for each certificate, a thousand to a folder.
func writeFiles(b *testing.B, dir string, n int, device func(int) []byte) {
	for i := range n {
		name := filepath.Join(dir, fmt.Sprintf("batch-%04d", i/1000), fmt.Sprintf("device-%07d.pem", i))
		if i%1000 == 0 {
			require.NoError(b, os.MkdirAll(filepath.Dir(name), 0o755))
		}
		create(b, name, func(w io.Writer) error {
			return pem.Encode(w, &pem.Block{Type: "CERTIFICATE", Bytes: device(i)})
		})
	}
}

func create(b *testing.B, name string, write func(io.Writer) error) {
	file, err := os.Create(name)
	require.NoError(b, err)
	defer file.Close()
	w := bufio.NewWriter(file)
	require.NoError(b, write(w))
	require.NoError(b, w.Flush())
}

// largeFleet makes the certificates of a large fleet, the same every time. To sign
// each would take long, so all are made of a few moulds, in which serial number, name and key are put: their
// signatures are wrong then, which an audit does not look at where name and key identifier tell the issuer.
type largeFleet struct {
	root   *authority
	lines  []*authority
	moulds []mould  // by the kind of certificate and then line
	points [][]byte // on the curve P-256
}

// mould is a certificate and where in it stands what is different in each that is made of it.
type mould struct {
	der                   []byte
	serial, name, key, id int
}

// Of each hundred certificates one is not sound, and of those each third is of another kind.
const (
	sound = iota
	expired
	expiring
	revoked
	kinds
)

func kindOf(i int) int {
	if i%100 != 99 {
		return sound
	}
	return 1 + i/100%(kinds-1)
}

const (
	lineCount  = 4
	pointCount = 500
	nobody     = "device-000000000"
)

func newLargeFleet(b *testing.B) *largeFleet {
	f := &largeFleet{root: newCA(b, "Large Root CA", nil, "2020-01-01", "2045-01-01")}
	for i := range lineCount {
		f.lines = append(f.lines, newCA(b, fmt.Sprintf("Large Line %d CA", i+1), f.root, "2024-01-01", "2034-01-01"))
	}
	for i := range pointCount {
		key, err := ecdh.P256().NewPrivateKey(numbered(i, 1, make([]byte, 32)))
		require.NoError(b, err)
		f.points = append(f.points, key.PublicKey().Bytes()[1:])
	}
	rsaKey := &rsa.PublicKey{N: new(big.Int).SetBytes(modulus(-1)), E: 65537}
	ecKey, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append([]byte{4}, f.points[0]...))
	require.NoError(b, err)
	for kind := range kinds {
		until := map[int]string{expired: "2029-12-01", expiring: "2030-01-15"}[kind]
		if until == "" {
			until = "2031-06-01"
		}
		for i := range lineCount {
			if i%2 == 0 {
				f.moulds = append(f.moulds, newMould(b, f.lines[i], rsaKey, modulus(-1), until))
			} else {
				f.moulds = append(f.moulds, newMould(b, f.lines[i], ecKey, f.points[0], until))
			}
		}
	}
	return f
}

func newMould(b *testing.B, ca *authority, key any, keyBytes []byte, until string) mould {
	serial, id := serialOf(-1), numbered(-1, 2, make([]byte, 20))
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial), Subject: pkix.Name{CommonName: nobody, Organization: []string{"Example"}},
		NotBefore: day(b, "2029-06-01"), NotAfter: day(b, until), SubjectKeyId: id,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
	}, ca.Certificate, key, ca.key)
	require.NoError(b, err)
	m := mould{der, bytes.Index(der, serial), bytes.Index(der, []byte(nobody)), bytes.Index(der, keyBytes), bytes.Index(der, id)}
	require.True(b, min(m.serial, m.name, m.key, m.id) > 0, "a part of the certificate is not in it")
	return m
}

// device makes a certificate, which is good until the next is made.
func (f *largeFleet) device(i int) []byte {
	line := i % lineCount
	m := f.moulds[kindOf(i)*lineCount+line]
	copy(m.der[m.serial:], serialOf(i))
	copy(m.der[m.name:], fmt.Sprintf("device-%09d", i))
	numbered(i, 2, m.der[m.id:m.id+20])
	if line%2 == 0 {
		copy(m.der[m.key:], modulus(i))
	} else {
		copy(m.der[m.key:], f.points[i%pointCount])
	}
	return m.der
}

// writeAuthorities writes what is beside n devices: the CAs, and what they have revoked.
func (f *largeFleet) writeAuthorities(b *testing.B, dir string, n int) {
	crls := f.root.revoke(b)
	create(b, filepath.Join(dir, "ca.pem"), func(w io.Writer) error {
		for _, ca := range append([]*authority{f.root}, f.lines...) {
			if _, err := w.Write(ca.pem()); err != nil {
				return err
			}
		}
		return nil
	})
	for line, ca := range f.lines {
		var serials []*big.Int
		for i := line; i < n; i += lineCount {
			if kindOf(i) == revoked {
				serials = append(serials, new(big.Int).SetBytes(serialOf(i)))
			}
		}
		crls = append(crls, ca.revoke(b, serials...)...)
	}
	create(b, filepath.Join(dir, "crls.der"), func(w io.Writer) error {
		_, err := w.Write(crls)
		return err
	})
}

// numbered fills a buffer with bytes that belong to a number: the same every time, and others for another use.
func numbered(i int, use uint64, to []byte) []byte {
	r := mathrand.New(mathrand.NewPCG(uint64(i), use))
	var word [8]byte
	for j := 0; j < len(to); j += len(word) {
		binary.LittleEndian.PutUint64(word[:], r.Uint64())
		copy(to[j:], word[:])
	}
	return to
}

func serialOf(i int) []byte {
	serial := numbered(i, 3, make([]byte, 16))
	serial[0] = serial[0]&0x3f | 0x40 // positive, and no zero in front
	return serial
}

// modulus makes that of an RSA key whose factors nobody knows, which nobody needs.
func modulus(i int) []byte {
	n := numbered(i, 4, make([]byte, 256))
	n[0] |= 0x80
	n[255] |= 1
	return n
}
