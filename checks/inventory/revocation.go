package inventory

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"
	"unique"

	"github.com/fleetaudit/fleetaudit/checks"
)

// Revocations tells which certificates are revoked as of an instant, going by the CRLs of an inventory.
// [Inventory.Revocations] makes it. It is safe for concurrent use.
//
// A certificate's issuer is the CA certificate with the issuer's name, byte for byte, and a fitting key
// identifier. Where several keys fit, the certificate's signature decides. A CRL counts when a CA
// certificate of its issuer's name and key verifies its signature and has, if it has a key usage at all,
// cRLSign. Neither the CA certificate nor the CRL need be valid at the instant: what was revoked stays
// revoked when they expire, and what is expired is still the best that is known. Nor does the status of
// the CA certificate matter.
//
// Of the CRLs of one issuer and one scope (issuing distribution point), the newest complete one that was
// issued by the instant is read, or the newest at all if there is none; deltas that are newer than it go
// before it, the newest first, whichever base they name. The first that mentions the certificate with a
// revocation date that has come decides. certificateHold is a revocation, removeFromCRL takes it back.
//
// The status of a certificate is unknown when its issuer has no complete CRL that counts, but has one
// that does not verify, is unusable, or is a delta; when one that does not verify is newer than those that
// count, and these do not list the certificate; when only another issuer's CRL lists it; and when the
// signature that should decide on its issuer cannot be checked. A certificate of whose issuer there is no
// CRL at all is not revoked.
type Revocations struct {
	at      int64
	names   map[string]*namesakes
	handles map[unique.Handle[string]]*namesakes // the same
	issuers issuers
}

// Revocation is the status of one certificate. The zero value says that nothing is known against it.
type Revocation struct {
	Revoked bool
	At      time.Time // since when it is revoked, in UTC
	Reason  string    // why, in RFC 5280's words: "keyCompromise"
	CRL     *CRL      // which says so, or cannot be relied on
	Unknown string    // why the status cannot be told; empty if it can
}

// Link is a CA certificate above another certificate.
type Link struct {
	CA         *Certificate
	Revocation Revocation
}

// Revocations reads inv's CA certificates and CRLs, and returns what they say as of pass.Time. Of the CRLs'
// signatures only those are checked that the audit before has not. It fails when a Source does, or ctx
// ends. A CRL that not even tells its issuer is logged.
func (inv *Inventory) Revocations(ctx context.Context, pass *checks.Pass) (*Revocations, error) {
	if inv.CACertificates == nil || inv.CRLs == nil {
		return nil, errors.New("inventory: CACertificates or CRLs is nil; New sets both")
	}
	r := &Revocations{at: pass.Time.Unix(), names: make(map[string]*namesakes)}
	for ca, err := range inv.CACertificates.Read(ctx, pass) {
		if err != nil {
			return nil, err
		}
		if ca.ParseError == "" {
			r.named(ca.RawSubject()).add(ca)
		}
	}
	used := make(map[verification]error)
	for crl, err := range inv.CRLs.Read(ctx, pass) {
		if err != nil {
			return nil, err
		}
		if crl.RawIssuer == nil && pass.Logger != nil {
			pass.Logger.Warn("CRL of an unknown issuer cannot be used", "crl", crl.String(), "why", crl.Unusable)
		}
		r.add(crl, func(ca *Certificate) error { return inv.verified.check(crl, ca, used) })
	}
	inv.verified.keep(used)
	for _, n := range r.names {
		for _, a := range n.authorities {
			for _, l := range a.lists {
				l.choose(r.at)
			}
			a.users, a.cas = n.silence(a, false), n.silence(a, true)
		}
	}
	r.prepareIssuers()
	return r, nil
}

func (r *Revocations) named(name []byte) *namesakes {
	n := r.names[string(name)]
	if n == nil {
		n = new(namesakes)
		r.names[string(name)] = n
	}
	return n
}

// add files a CRL under the authority that signed it, or says why there is none.
func (r *Revocations) add(crl *CRL, verify func(*Certificate) error) {
	if crl.attributes {
		return
	}
	own := r.named(crl.RawIssuer)
	for name, ordinal := range crl.names {
		if ordinal != 0 {
			n := r.named([]byte(name))
			n.indirect = append(n.indirect, crl)
		}
	}
	if crl.Unusable != "" {
		own.unverified = append(own.unverified, unverified{crl, "cannot be used: " + crl.Unusable})
		return
	}
	fit := own.candidates(crl.AuthorityKeyID)
	why := "cannot be verified: no CA certificate of its issuer's name and key is in the inventory"
	if len(fit) > maxCandidates {
		fit, why = nil, "cannot be verified: "+errCandidates.Error()
	}
	for _, a := range fit {
		for _, ca := range a.certificates {
			err := verify(ca)
			if err == nil {
				a.list(crl.scope).add(crl)
				return
			}
			why = "cannot be verified: " + shorten(err.Error())
			if _, may := errors.AsType[x509.ConstraintViolationError](err); !may {
				break // the key is the same in the others
			}
		}
	}
	own.unverified = append(own.unverified, unverified{crl, why})
}

// list is what the CRLs of one authority and one scope say.
type list struct {
	scope    string
	crls     []*CRL // once chosen: in the order in which they are asked
	complete bool   // one of them is complete
}

func (a *authority) list(scope string) *list {
	for _, l := range a.lists {
		if l.scope == scope {
			return l
		}
	}
	l := &list{scope: scope}
	a.lists = append(a.lists, l)
	return l
}

func (l *list) add(crl *CRL) { l.crls = append(l.crls, crl) }

// choose leaves the CRLs that count as of an instant.
func (l *list) choose(at int64) {
	slices.SortFunc(l.crls, func(a, b *CRL) int { return newer(b, a) })
	issued := slices.DeleteFunc(slices.Clone(l.crls), func(c *CRL) bool { return c.ThisUpdate.Unix() > at })
	isComplete := func(c *CRL) bool { return !c.Delta }
	if slices.ContainsFunc(issued, isComplete) {
		l.crls = issued
	}
	i := slices.IndexFunc(l.crls, isComplete)
	if l.complete = i >= 0; l.complete {
		l.crls = l.crls[:i+1]
	}
}

// find tells whether the CRLs have a certificate revoked.
func (l *list) find(c *Certificate, at int64) (Revocation, bool) {
	for _, crl := range l.crls {
		e, ok := crl.find(c, at)
		if ok && e.reason == removeFromCRL {
			break
		}
		if ok {
			return Revocation{Revoked: true, At: time.Unix(e.at, 0).UTC(), Reason: reasonText(e.reason), CRL: crl}, true
		}
	}
	return Revocation{}, false
}

// Of returns the status of a certificate, of the inventory or not. One that does not parse has an
// unknown status.
func (r *Revocations) Of(c *Certificate) Revocation {
	if c.ParseError != "" {
		return Revocation{Unknown: c.ParseError}
	}
	i, err := r.issuer(c)
	if err != nil {
		return Revocation{Unknown: "the issuer cannot be told: " + err.Error()}
	}
	if i.names == nil {
		return Revocation{}
	}
	n, a := i.names, i.from
	if a != nil && a.clears(c) {
		return Revocation{}
	}
	keyID := c.AuthorityKeyID()
	complete, delta := (*CRL)(nil), (*CRL)(nil)
	if a != nil {
		for _, l := range a.lists {
			if !l.crls[0].covers(c.IsCA) {
				continue
			}
			if v, revoked := l.find(c, r.at); revoked {
				return v
			}
			if last := l.crls[len(l.crls)-1]; l.complete && (complete == nil || newer(complete, last) < 0) {
				complete = last
			}
			delta = cmp.Or(delta, l.crls[0])
		}
		if len(keyID) == 0 {
			keyID = a.certificates[0].SubjectKeyID()
		}
	}
	for _, u := range n.unverified {
		supersedes := complete == nil || u.ThisUpdate.After(complete.ThisUpdate) && u.ThisUpdate.Unix() <= r.at
		if supersedes && u.covers(c.IsCA) && sameKey(u.AuthorityKeyID, keyID) {
			return Revocation{Unknown: fmt.Sprintf("%v of the issuer %s", u.CRL, u.why), CRL: u.CRL}
		}
	}
	if complete != nil {
		return Revocation{}
	}
	if delta != nil {
		return Revocation{Unknown: fmt.Sprintf("%v of the issuer is a delta CRL without its complete one", delta), CRL: delta}
	}
	for _, crl := range n.indirect {
		if e, ok := crl.find(c, r.at); ok && e.reason != removeFromCRL && crl.covers(c.IsCA) {
			return Revocation{Unknown: fmt.Sprintf("%v of another issuer lists it", crl), CRL: crl}
		}
	}
	return Revocation{}
}

// above is what lies above an authority's certificates.
type above struct {
	links   []Link
	unknown string
}

// maxLinks is how many CA certificates may lie above one certificate.
const maxLinks = 100

// Chain returns every CA certificate of the inventory on a path from c up, each once, the nearest first,
// with its status: the certificates of c's issuer (of which there may be several, cross-signed or
// renewed), those of their issuers, and so on. unknown says why the issuer of one of them cannot be
// told; empty if each can, or is not in the inventory. The slice is shared and must not be changed.
func (r *Revocations) Chain(c *Certificate) (links []Link, unknown string) {
	if c.ParseError != "" {
		return nil, c.ParseError
	}
	i, err := r.issuer(c)
	if err != nil {
		return nil, "the issuer cannot be told: " + err.Error()
	}
	if i.from == nil {
		return nil, ""
	}
	i.from.once.Do(func() { i.from.above = r.climb(i.from) })
	return i.from.above.links, i.from.above.unknown
}

// climb walks from an authority to those that issued its certificates, through loops only once.
func (r *Revocations) climb(from *authority) (up above) {
	seen := map[*authority]bool{from: true}
	for queue := []*authority{from}; len(queue) > 0; queue = queue[1:] {
		for _, ca := range queue[0].certificates {
			if len(up.links) == maxLinks {
				up.unknown = fmt.Sprintf("more than %d CA certificates are in its chain", maxLinks)
				return up
			}
			up.links = append(up.links, Link{ca, r.Of(ca)})
			i, err := r.issuer(ca)
			if err != nil {
				up.unknown = "the issuer of a CA certificate in its chain cannot be told: " + err.Error()
			}
			if i.from != nil && !seen[i.from] {
				seen[i.from] = true
				queue = append(queue, i.from)
			}
		}
	}
	return up
}
