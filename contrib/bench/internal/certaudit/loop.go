package certaudit

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/checks/weakkey"
	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/compare"
	"github.com/fleetaudit/fleetaudit/model"
)

// loop is an audit as one would write it by hand: it goes over the registry's certificates, parses each with
// crypto/x509, and judges it for all checks at once. CAs and CRLs, of which there are few, are parsed and verified
// once, before what is measured.
type loop struct {
	devices, cas []record
	weak         *weakkey.Blocklist
	issuers      map[string][]*issuer // by subject
	found        []verdict
}

// issuer is a CA, with what its CRL says.
type issuer struct {
	*x509.Certificate
	id      string
	revoked map[string]time.Time // by serial number
}

func newLoop(f *fleet) (compare.Task, error) {
	l := &loop{devices: f.devices, cas: f.cas, weak: f.weak, issuers: make(map[string][]*issuer)}
	for _, r := range f.cas {
		x, err := x509.ParseCertificate(r.der)
		if err != nil {
			return compare.Task{}, err
		}
		name := string(x.RawSubject)
		l.issuers[name] = append(l.issuers[name], &issuer{Certificate: x, id: r.id})
	}
	for _, der := range f.crls {
		list, err := x509.ParseRevocationList(der)
		if err != nil {
			return compare.Task{}, err
		}
		ca := l.find(list.RawIssuer, list.AuthorityKeyId)
		if ca == nil {
			return compare.Task{}, errors.New("a CRL of nobody")
		}
		if err := list.CheckSignatureFrom(ca.Certificate); err != nil {
			return compare.Task{}, err
		}
		ca.revoked = make(map[string]time.Time, len(list.RevokedCertificateEntries))
		for _, e := range list.RevokedCertificateEntries {
			ca.revoked[string(e.SerialNumber.Bytes())] = e.RevocationTime
		}
	}
	return compare.Task{Do: l.do, Answer: func() any { return newAnswer(l.found) }}, nil
}

func (l *loop) find(name, keyID []byte) *issuer {
	for _, ca := range l.issuers[string(name)] {
		if bytes.Equal(ca.SubjectKeyId, keyID) {
			return ca
		}
	}
	return nil
}

// do audits on as many goroutines as can run.
func (l *loop) do() error {
	now := time.Now()
	workers := runtime.GOMAXPROCS(0)
	found := make([][]verdict, workers+1)
	below := make([]map[*issuer]bool, workers) // revoked ones above device certificates
	var all sync.WaitGroup
	share := (len(l.devices) + workers - 1) / workers
	for k := range workers {
		part := l.devices[min(k*share, len(l.devices)):min((k+1)*share, len(l.devices))]
		all.Go(func() {
			below[k] = make(map[*issuer]bool)
			for i := range part {
				found[k] = l.device(&part[i], now, found[k], below[k])
			}
		})
	}
	all.Wait()
	found[workers] = l.authorities(now)
	reported := make(map[*issuer]bool)
	for _, list := range below {
		for ca := range list {
			if !reported[ca] {
				reported[ca] = true
				found[workers] = append(found[workers], verdict{intermediateRevoked, ca.id, "INTERMEDIATE_CA_REVOKED_BY_ISSUER"})
			}
		}
	}
	l.found = slices.Concat(found...)
	return nil
}

// Reason codes.
const (
	unknown    = model.ReasonCodeResourceNotEvaluable
	expires    = "CERTIFICATE_APPROACHING_EXPIRATION"
	hasExpired = "CERTIFICATE_PAST_EXPIRATION"
	aged       = "CERTIFICATE_PAST_AGE_THRESHOLD"
	roca       = "CERTIFICATE_KEY_VULNERABILITY_CVE-2017-15361"
	debian     = "CERTIFICATE_KEY_VULNERABILITY_CVE-2008-0166"
	wasRevoked = "CERTIFICATE_REVOKED_BY_ISSUER"
)

func inScope(s inventory.CertificateStatus) bool {
	return s == inventory.CertificateStatusActive || s == inventory.CertificateStatusPendingTransfer
}

// device judges one certificate of a device.
func (l *loop) device(r *record, now time.Time, found []verdict, below map[*issuer]bool) []verdict {
	if !inScope(r.status) {
		return found
	}
	x, err := x509.ParseCertificate(r.der)
	if err != nil {
		for _, check := range []string{deviceAge, deviceExpiring, deviceKeyQuality, deviceRevoked, intermediateRevoked} {
			found = append(found, verdict{check, r.id, unknown})
		}
		return found
	}
	if !r.created.AddDate(0, 0, 365).After(now) {
		found = append(found, verdict{deviceAge, r.id, aged})
	}
	found = l.expiry(deviceExpiring, r.id, x, now, found)
	found = l.keyQuality(deviceKeyQuality, r.id, x, found)
	ca := l.find(x.RawIssuer, x.AuthorityKeyId)
	if ca == nil {
		return found
	}
	if at, ok := ca.revoked[string(x.SerialNumber.Bytes())]; ok && !at.After(now) {
		found = append(found, verdict{deviceRevoked, r.id, wasRevoked})
	}
	for ca != nil && !bytes.Equal(ca.RawSubject, ca.RawIssuer) {
		above := l.find(ca.RawIssuer, ca.AuthorityKeyId)
		if above != nil {
			if at, ok := above.revoked[string(ca.SerialNumber.Bytes())]; ok && !at.After(now) {
				below[ca] = true
			}
		}
		ca = above
	}
	return found
}

func (l *loop) expiry(check, id string, x *x509.Certificate, now time.Time, found []verdict) []verdict {
	switch {
	case x.NotAfter.Before(now):
		return append(found, verdict{check, id, hasExpired})
	case !x.NotAfter.After(now.AddDate(0, 0, 30)):
		return append(found, verdict{check, id, expires})
	}
	return found
}

func (l *loop) keyQuality(check, id string, x *x509.Certificate, found []verdict) []verdict {
	key, ok := x.PublicKey.(*rsa.PublicKey)
	if !ok {
		return found
	}
	if weakkey.ROCA(key.N) {
		found = append(found, verdict{check, id, roca})
	}
	if l.weak.Contains(key.N) {
		found = append(found, verdict{check, id, debian})
	}
	return found
}

// authorities judges the CAs.
func (l *loop) authorities(now time.Time) (found []verdict) {
	for _, r := range l.cas {
		if !inScope(r.status) {
			continue
		}
		x, err := x509.ParseCertificate(r.der)
		if err != nil {
			for _, check := range []string{caExpiring, caKeyQuality, caRevoked} {
				found = append(found, verdict{check, r.id, unknown})
			}
			continue
		}
		found = l.expiry(caExpiring, r.id, x, now, found)
		found = l.keyQuality(caKeyQuality, r.id, x, found)
		if ca := l.find(x.RawIssuer, x.AuthorityKeyId); ca != nil {
			if at, ok := ca.revoked[string(x.SerialNumber.Bytes())]; ok && !at.After(now) {
				found = append(found, verdict{caRevoked, r.id, wasRevoked})
			}
		}
	}
	return found
}
