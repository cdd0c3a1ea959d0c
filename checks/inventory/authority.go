package inventory

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
)

// authority is a name and a key: what signs certificates and CRLs. Several CA certificates may be of
// one, cross-signed or renewed.
type authority struct {
	certificates []*Certificate
	lists        []*list // what its verified CRLs say
	users, cas   silence // about certificates below it that are not of CAs, and that are
	once         sync.Once
	above        above // once it is known
}

// silence is what it takes that nothing is known against a certificate: no mention in some CRLs.
type silence struct {
	possible bool
	crls     []*CRL
}

// clears tells whether it is known at once that nothing is known against a certificate that a has issued.
func (a *authority) clears(c *Certificate) bool {
	s := &a.users
	if c.IsCA {
		s = &a.cas
	}
	if !s.possible {
		return false
	}
	for _, crl := range s.crls {
		if crl.mayList(c) {
			return false
		}
	}
	return true
}

// silence returns that for certificates that are of a CA, or are not. CRLs of n that cannot be relied on do not leave
// it to an authority's own alone.
func (n *namesakes) silence(a *authority, isCA bool) silence {
	s := silence{possible: len(n.unverified) == 0}
	complete := false
	for _, l := range a.lists {
		if l.crls[0].covers(isCA) {
			s.crls = append(s.crls, l.crls...)
			complete = complete || l.complete
		}
	}
	if !complete && len(s.crls)+len(n.indirect) > 0 {
		s.possible = false
	}
	return s
}

// namesakes is everything that goes by one name.
type namesakes struct {
	authorities []*authority // one a key
	unverified  []unverified // CRLs of the name
	indirect    []*CRL       // of other names, with entries about certificates of this one
}

// unverified is a CRL that cannot be relied on.
type unverified struct {
	*CRL
	why string
}

// maxCandidates is how many keys are tried for one signature. A hostile inventory could otherwise have
// thousands of CAs of one name.
const maxCandidates = 16

var errCandidates = fmt.Errorf("more than %d CA certificates of one name have keys that could have signed it", maxCandidates)

// add files a CA certificate under its key.
func (n *namesakes) add(ca *Certificate) {
	for _, a := range n.authorities {
		if bytes.Equal(a.certificates[0].RawPublicKey(), ca.RawPublicKey()) {
			a.certificates = append(a.certificates, ca)
			return
		}
	}
	n.authorities = append(n.authorities, &authority{certificates: []*Certificate{ca}})
}

// candidates returns the authorities that a key identifier fits.
func (n *namesakes) candidates(keyID []byte) []*authority {
	var fit []*authority
	for _, a := range n.authorities {
		if slices.ContainsFunc(a.certificates, func(ca *Certificate) bool { return sameKey(keyID, ca.SubjectKeyID()) }) {
			fit = append(fit, a)
		}
	}
	return fit
}

// keyIDs streams the key identifiers of the authorities, and that of a certificate that has none.
func (n *namesakes) keyIDs() iter.Seq[string] {
	return func(yield func(string) bool) {
		if !yield("") {
			return
		}
		for _, a := range n.authorities {
			for _, ca := range a.certificates {
				if !yield(string(ca.SubjectKeyID())) {
					return
				}
			}
		}
	}
}

// issuer returns who issued c, which goes by the name n, or nobody if n is nil. Name and key identifier decide, and
// only where they fit several keys, the signature. An error says why that cannot be told.
func (n *namesakes) issuer(c *Certificate) (issuer, error) {
	if n == nil {
		return issuer{}, nil
	}
	fit := n.candidates(c.AuthorityKeyID())
	switch {
	case len(fit) == 0:
		return issuer{names: n}, nil
	case len(fit) == 1:
		return issuer{n, fit[0]}, nil
	case len(fit) > maxCandidates:
		return issuer{}, errCandidates
	}
	x, err := x509.ParseCertificate(c.Raw)
	if err != nil {
		return issuer{}, err
	}
	var untold error
	for _, a := range fit {
		ca, err := signer(a.certificates[0])
		if err != nil {
			untold = err
			continue
		}
		err = ca.CheckSignature(x.SignatureAlgorithm, x.RawTBSCertificate, x.Signature)
		if err == nil {
			return issuer{n, a}, nil
		}
		if !verdictOn(err) {
			untold = err
		}
	}
	return issuer{names: n}, untold
}

// verdictOn tells whether the error of a signature that was checked says that it is wrong, and not that it
// could not be checked.
func verdictOn(err error) bool {
	_, insecure := errors.AsType[x509.InsecureAlgorithmError](err)
	return !insecure && !errors.Is(err, x509.ErrUnsupportedAlgorithm)
}

// maxSignerBits is the size of the largest RSA key that signatures are checked with: the work grows
// with its square, and a certificate has room for keys that take seconds.
const maxSignerBits = 16384

// signer returns a CA certificate to check signatures with.
func signer(ca *Certificate) (*x509.Certificate, error) {
	if ca.KeyAlgorithm == x509.RSA && ca.KeyBits > maxSignerBits {
		return nil, fmt.Errorf("the CA's key has %d bits, more than %d", ca.KeyBits, maxSignerBits)
	}
	return x509.ParseCertificate(ca.Raw)
}

// verifications remembers which CRL has been checked against which CA certificate, from one audit to
// the next. It is safe for concurrent use.
type verifications struct {
	mu    sync.Mutex
	known map[verification]error
}

type verification struct{ crl, ca string } // their IDs

// check tells whether ca signed crl and may sign CRLs. The answer is also put into used.
func (v *verifications) check(crl *CRL, ca *Certificate, used map[verification]error) error {
	v.mu.Lock()
	defer v.mu.Unlock() // so that checks that start together do not all do the work
	pair := verification{crl.ID, ca.ID}
	err, done := v.known[pair]
	if !done {
		var parent *x509.Certificate
		if parent, err = signer(ca); err == nil {
			signed := x509.RevocationList{RawTBSRevocationList: crl.tbs, Signature: crl.sig, SignatureAlgorithm: crl.algorithm}
			err = signed.CheckSignatureFrom(parent)
		}
		if v.known == nil {
			v.known = make(map[verification]error)
		}
		v.known[pair] = err
	}
	used[pair] = err
	return err
}

// keep forgets all but what the last audit used.
func (v *verifications) keep(used map[verification]error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.known = used
}
