package certaudit

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"math/big"
	random "math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/checks/weakkey"
)

// fleet is what is audited: certificates as a registry has them, of which about one in a hundred is not as it should
// be, with CAs, their CRLs and a list of weak keys.
type fleet struct {
	devices, cas []record
	crls         [][]byte
	weak         *weakkey.Blocklist
	inventory    *inventory.Inventory
	stream       *inventory.Inventory // the same, but that device certificates are read from devices at each scan
}

// record is a certificate in a registry, which knows its ID.
type record struct {
	id      string
	status  inventory.CertificateStatus
	created time.Time
	der     []byte
}

const day = 24 * time.Hour

// Ways in which a certificate can be. Of each thousand, one is of each kind but the first.
const (
	sound = iota
	expired
	expiring
	old
	revoked
	factorable
	listed
	belowRevoked
	inactive
	damaged
	transferred // and expired
	kinds
)

const (
	period     = 1000 // in which each kind comes once
	strangers  = 5000 // entries of a CRL about certificates that are not in the fleet
	listedKeys = 3 << 15
	pointCount = 256
	shardSize  = 4096
	serialSize = 16
)

// kindOf tells how the certificate of a number is.
func kindOf(i int) int {
	if n := i%period + 1; n < kinds {
		return n
	}
	return sound
}

// usesRSA has half of the certificates use RSA, and those with weak keys.
func usesRSA(i int) bool {
	k := kindOf(i)
	return i%2 == 0 || k == factorable || k == listed
}

// numbered fills b with bytes that belong to a number: the same every time, and others for another use.
func numbered(i int, use uint64, b []byte) []byte {
	r := random.New(random.NewPCG(uint64(i), use))
	for j := 0; j < len(b); j += 8 {
		var w [8]byte
		binary.LittleEndian.PutUint64(w[:], r.Uint64())
		copy(b[j:], w[:])
	}
	return b
}

func serialOf(i int) []byte {
	b := numbered(i, 1, make([]byte, serialSize))
	b[0] = b[0]&0x3f | 0x40 // positive, and with no zero in front
	return b
}

// modulusOf returns the modulus of 2,048 bits of a certificate. That nobody knows its factors is no matter: only its
// owner would need them.
func modulusOf(i int) []byte {
	b := numbered(i, 2, make([]byte, 256))
	b[0] |= 0x80
	b[255] |= 1
	if kindOf(i) != factorable {
		return b
	}
	// As Infineon's library makes them: a power of 65537 modulo the product of the first 39 primes.
	product := big.NewInt(1)
	for p, found := int64(2), 0; found < 39; p++ {
		if big.NewInt(p).ProbablyPrime(0) {
			product.Mul(product, big.NewInt(p))
			found++
		}
	}
	n := new(big.Int).SetBytes(b)
	n.Sub(n, new(big.Int).Mod(n, product))
	n.Add(n, new(big.Int).Exp(big.NewInt(65537), big.NewInt(int64(i)+2), product))
	return n.FillBytes(b)
}

// authority is a CA.
type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func newAuthority(name string, serial int64, key crypto.Signer, parent *authority, notAfter time.Time) (*authority, error) {
	id := sha1.Sum([]byte(name))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name, Organization: []string{"Example"}},
		SubjectKeyId: id[:], NotBefore: time.Now().Add(-1000 * day), NotAfter: notAfter,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	signer := &authority{template, key}
	if parent != nil {
		signer = parent
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer.cert, key.Public(), signer.key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return &authority{cert, key}, err
}

func (a *authority) crl(serials [][]byte) ([]byte, error) {
	template := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now().Add(-day), NextUpdate: time.Now().Add(day)}
	for _, s := range serials {
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries, x509.RevocationListEntry{
			SerialNumber: new(big.Int).SetBytes(s), RevocationTime: time.Now().Add(-2 * day), ReasonCode: 1,
		})
	}
	return x509.CreateRevocationList(rand.Reader, template, a.cert, a.key)
}

// mould is a signed certificate, and where in it stands what is different in each that is made of it. Their
// signatures are wrong then, which an audit does not look at where name and key identifier tell the issuer.
type mould struct {
	der                  []byte
	serial, subject, key int
}

const nobody = "device-0000000000"

func newMould(ca *authority, key crypto.Signer, notBefore, notAfter time.Time) (mould, error) {
	serial := serialOf(-1)
	keyID := sha1.Sum([]byte(nobody))
	template := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial), Subject: pkix.Name{CommonName: nobody, Organization: []string{"Example"}},
		NotBefore: notBefore, NotAfter: notAfter, SubjectKeyId: keyID[:],
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, key.Public(), ca.key)
	if err != nil {
		return mould{}, err
	}
	m := mould{der, bytes.Index(der, serial), bytes.Index(der, []byte(nobody)), bytes.Index(der, publicBytes(key.Public()))}
	if m.serial < 0 || m.subject < 0 || m.key < 0 {
		return m, errors.New("a part of the certificate is not where it should be")
	}
	return m, nil
}

// publicBytes returns the part of a public key that is different in each.
func publicBytes(key crypto.PublicKey) []byte {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return k.N.Bytes()
	case *ecdsa.PublicKey:
		b, err := k.Bytes()
		if err == nil {
			return b[1:]
		}
	}
	return nil
}

// workshop has what device certificates are made with.
type workshop struct {
	good, bad *authority // bad is revoked
	moulds    map[mouldKind]mould
	points    [][]byte // on the curve P-256
}

type mouldKind struct {
	kind int
	rsa  bool
}

func newWorkshop(good, bad *authority) (*workshop, error) {
	w := &workshop{good: good, bad: bad, moulds: make(map[mouldKind]mould)}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	for kind := range kinds {
		ca, notBefore, notAfter := good, now.Add(-100*day), now.Add(300*day)
		switch kind {
		case expired, inactive, transferred:
			notAfter = now.Add(-5 * day)
		case expiring:
			notAfter = now.Add(10 * day)
		case old:
			notBefore = now.Add(-500 * day)
		case belowRevoked:
			ca = bad
		}
		for _, key := range []crypto.Signer{rsaKey, ecKey} {
			m, err := newMould(ca, key, notBefore, notAfter)
			if err != nil {
				return nil, err
			}
			w.moulds[mouldKind{kind, key == crypto.Signer(rsaKey)}] = m
		}
	}
	for range pointCount {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		w.points = append(w.points, publicBytes(key.Public()))
	}
	return w, nil
}

// device makes the certificate of a number.
func (w *workshop) device(i int) record {
	kind := kindOf(i)
	m := w.moulds[mouldKind{kind, usesRSA(i)}]
	der := bytes.Clone(m.der)
	copy(der[m.serial:], serialOf(i))
	copy(der[m.subject:], fmt.Sprintf("device-%010d", i))
	if usesRSA(i) {
		copy(der[m.key:], modulusOf(i))
	} else {
		copy(der[m.key:], w.points[i%len(w.points)])
	}
	r := record{status: inventory.CertificateStatusActive, created: time.Now().Add(-90 * day), der: der}
	switch kind {
	case old:
		r.created = time.Now().Add(-400 * day)
	case inactive:
		r.status = inventory.CertificateStatusInactive
	case transferred:
		r.status = inventory.CertificateStatusPendingTransfer
	case damaged:
		r.der = der[:len(der)-1]
	}
	return r
}

// newFleet makes one of n devices.
func newFleet(n int) (*fleet, error) {
	key := func() crypto.Signer {
		k, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader) // which never fails
		return k
	}
	later := time.Now().Add(1000 * day)
	root, err := newAuthority("Example root", 1, key(), nil, later)
	if err != nil {
		return nil, err
	}
	var below []*authority
	for i, end := range []time.Time{later, later, later, time.Now().Add(-3 * day)} {
		ca, err := newAuthority(fmt.Sprint("Example devices ", i), int64(i+2), key(), root, end)
		if err != nil {
			return nil, err
		}
		below = append(below, ca)
	}
	w, err := newWorkshop(below[0], below[1])
	if err != nil {
		return nil, err
	}
	f := &fleet{devices: make([]record, n)}
	contents := inventory.Contents{DeviceCertificates: make([]inventory.Certificate, n)}
	f.makeDevices(w, contents.DeviceCertificates)
	for _, ca := range append([]*authority{root}, below...) {
		c := inventory.NewCertificate(ca.cert.Raw, inventory.CertificateStatusActive)
		contents.CACertificates = append(contents.CACertificates, c)
		f.cas = append(f.cas, record{c.ID, c.Status, c.CreatedAt, c.Raw})
	}
	if f.weak, err = weakList(n); err != nil {
		return nil, err
	}
	contents.WeakKeys = f.weak

	var serials [][]byte
	for i := range strangers {
		serials = append(serials, numbered(i, 3, []byte{0x40, serialSize - 1: 0}))
	}
	for i := range n {
		if kindOf(i) == revoked {
			serials = append(serials, serialOf(i))
		}
	}
	for ca, list := range map[*authority][][]byte{root: {below[1].cert.SerialNumber.Bytes()}, below[0]: serials, below[1]: nil} {
		der, err := ca.crl(list)
		if err != nil {
			return nil, err
		}
		f.crls = append(f.crls, der)
		contents.CRLs = append(contents.CRLs, inventory.NewCRL(der))
	}
	f.inventory = inventory.New(contents)
	contents.DeviceCertificates = nil
	f.stream = inventory.New(contents)
	f.stream.DeviceCertificates = &checks.Source[inventory.Certificate]{
		Name: "device certificates", Shards: f.shards, Len: func() int { return len(f.devices) },
	}
	return f, nil
}

// shards are the device certificates as a registry that is too large for memory has them: in DER, parsed on the way.
func (f *fleet) shards(context.Context) ([]checks.Shard[inventory.Certificate], error) {
	var list []checks.Shard[inventory.Certificate]
	for part := range slices.Chunk(f.devices, shardSize) {
		list = append(list, func(ctx context.Context) iter.Seq2[inventory.Certificate, error] {
			return func(yield func(inventory.Certificate, error) bool) {
				for i := range part {
					c := inventory.NewCertificate(part[i].der, part[i].status)
					c.CreatedAt = part[i].created
					if !yield(c, ctx.Err()) {
						return
					}
				}
			}
		})
	}
	return list, nil
}

func (f *fleet) makeDevices(w *workshop, parsed []inventory.Certificate) {
	var all sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for k := range workers {
		all.Go(func() {
			for i := k; i < len(f.devices); i += workers {
				r := w.device(i)
				c := inventory.NewCertificate(r.der, r.status)
				c.CreatedAt = r.created
				r.id = c.ID
				f.devices[i], parsed[i] = r, c
			}
		})
	}
	all.Wait()
}

// weakList has as many keys as Debian's list for one size, and those of the fleet that shall be in it.
func weakList(n int) (*weakkey.Blocklist, error) {
	var text strings.Builder
	line := make([]byte, 10)
	for i := range listedKeys {
		text.WriteString(hex.EncodeToString(numbered(i, 4, line)) + "\n")
	}
	for i := range n {
		if kindOf(i) == listed {
			sum := sha1.Sum(fmt.Appendf(nil, "Modulus=%X\n", modulusOf(i)))
			text.WriteString(hex.EncodeToString(sum[10:]) + "\n")
		}
	}
	return weakkey.ReadBlocklist(strings.NewReader(text.String()))
}
