package cli

import (
	"slices"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/report"
	"github.com/fleetaudit/fleetaudit/model"
)

// coverage says which certificates of a fleet have an issuer with a CRL, by the issuer's name.
type coverage struct {
	inv     *inventory.Inventory
	fleet   inventory.Contents
	issuers map[string]bool
}

func newCoverage(inv *inventory.Inventory, fleet inventory.Contents) coverage {
	c := coverage{inv, fleet, make(map[string]bool)}
	for _, crl := range fleet.CRLs {
		c.issuers[string(crl.RawIssuer)] = len(crl.RawIssuer) > 0
	}
	return c
}

// needed tells whether a check can tell nothing without CRLs.
func (c coverage) needed(spec checks.Spec) bool {
	return slices.Contains(spec.Needs, checks.Handle(c.inv.CRLs))
}

// judges returns the certificates that a check looks for in CRLs, and what they are called.
func (c coverage) judges(spec checks.Spec) ([]inventory.Certificate, string) {
	switch {
	case spec.Source == checks.Handle(c.inv.CACertificates),
		spec.ResourceType == model.ResourceTypeIssuerCertificate: // those above its source
		return c.fleet.CACertificates, "CA certificate"
	case spec.Source == checks.Handle(c.inv.DeviceCertificates):
		return c.fleet.DeviceCertificates, "device certificate"
	}
	return nil, ""
}

// covered tells whether one of certificates has an issuer with a CRL.
func (c coverage) covered(certificates []inventory.Certificate) bool {
	for i := range certificates {
		if c.issuers[string(certificates[i].RawIssuer())] {
			return true
		}
	}
	return false
}

// uncovered counts those of certificates whose issuer has no CRL. A root has no issuer but itself, and the
// issuer of one that does not parse is not known.
func (c coverage) uncovered(certificates []inventory.Certificate) int {
	n := 0
	for i := range certificates {
		cert := &certificates[i]
		if cert.ParseError == "" && !c.issuers[string(cert.RawIssuer())] && !cert.SelfIssued() {
			n++
		}
	}
	return n
}

// note puts into r how far the CRLs reach that the checks of run need.
func (c coverage) note(r *report.Report, run []checks.Spec) {
	noted := make(map[string]bool)
	for _, spec := range run {
		if c.needed(spec) {
			if certificates, kind := c.judges(spec); !noted[kind] {
				noted[kind] = true
				r.NoteUncovered(c.uncovered(certificates), kind)
			}
		}
	}
	if len(noted) > 0 {
		r.NoteStale(c.fleet.CRLs)
	}
}
