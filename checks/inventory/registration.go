package inventory

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// registration is what the registry of the fleet says about a certificate.
type registration struct {
	id        string
	status    CertificateStatus // empty: nothing
	createdAt time.Time         // zero: nothing
	at        Origin
	path      string
}

var certificateID = form{regexp.MustCompile(`\A[0-9A-Fa-f]{64}\z`), "the SHA-256 of the certificate's DER, 64 hexadecimal digits"}

// registration reads an element of certificates.
func (l *Loader) registration(e element) {
	r, ok := l.open(e)
	if !ok || !r.check(r.root, members{
		needed:   []string{"certificateId"},
		optional: []string{"status", "creationDate"},
		passed:   []string{"certificateArn", "certificateMode"},
	}) {
		return
	}
	f := registration{
		id:     strings.ToLower(r.text(r.root, "certificateId", certificateID)),
		status: enum[CertificateStatus](r, r.root, "status"), createdAt: r.time(r.root, "creationDate"),
	}
	if f.id == "" || l.again("registration of "+f.id, f, e.at) {
		return
	}
	f.at, f.path = e.at, e.path
	l.registrations = append(l.registrations, f)
}

// register puts what the registry says into the certificates.
func (l *Loader) register() {
	for _, f := range l.registrations {
		c := l.certificateOf(f.id)
		if c == nil {
			l.problems.add(f.at, fmt.Sprintf("%s is about the certificate %s, which is in no file", f.path, f.id))
			continue
		}
		switch {
		case f.status == "":
		case c.IsCA && f.status != CertificateStatusActive && f.status != CertificateStatusInactive:
			l.problems.add(f.at, fmt.Sprintf("%s.status %s must be ACTIVE or INACTIVE, since the certificate is a CA's", f.path, f.status))
		default:
			c.Status = f.status
		}
		if !f.createdAt.IsZero() {
			c.CreatedAt = f.createdAt
		}
	}
}
