package inventory

import (
	"unique"

	"github.com/fleetaudit/fleetaudit/checks/weakkey"
)

// Forgetful returns c without what is kept of it to save a look at the DER.
func (c Certificate) Forgetful() Certificate {
	c.issuerHash, c.serialHash, c.keyTrace = 0, 0, weakkey.Trace{}
	c.issuerName, c.issuerKeyID = unique.Handle[string]{}, unique.Handle[string]{}
	return c
}

// Forgetful makes r ask issuers and CRLs about each certificate.
func (r *Revocations) Forgetful() *Revocations {
	r.issuers = make(issuers, 1)
	for _, n := range r.names {
		for _, a := range n.authorities {
			a.users, a.cas = silence{}, silence{}
		}
	}
	return r
}
