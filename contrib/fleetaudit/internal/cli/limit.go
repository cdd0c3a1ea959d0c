package cli

import (
	"crypto/x509"
	"slices"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/report"
	"github.com/fleetaudit/fleetaudit/model"
)

// missing says of a source that is empty what to supply.
func (c coverage) missing(source checks.Handle) report.NotRunCheck {
	what, supply := source.SourceName(), ""
	switch source {
	case checks.Handle(c.inv.Clients), checks.Handle(c.inv.CertificateUses): // which are made of events
		what = "events of connections"
		if len(c.fleet.Clients) > 0 {
			what += " with a device certificate"
		}
		return report.NotRunCheck{
			CheckRunStatus: model.AuditCheckRunStatusWaitingForDataCollection,
			Reason:         "no " + what + " were loaded (JSON objects with the eventType connected or disconnected)",
		}
	case checks.Handle(c.inv.PolicyVersions):
		supply = " (a policy document, or JSON with policies)"
	case checks.Handle(c.inv.IdentityPools):
		supply = " (JSON with identityPools)"
	case checks.Handle(c.inv.RoleAliases):
		supply = " (JSON with roleAliases)"
	case checks.Handle(c.inv.Accounts):
		supply = " (JSON with accounts)"
	}
	return report.NotRunCheck{Reason: "no " + what + " were loaded" + supply}
}

// debianKey is the reason code of checks that look for keys which are on a list.
const debianKey = "CERTIFICATE_KEY_VULNERABILITY_CVE-2008-0166"

// noteWeakKeys puts into r that checks of run look for keys on a list, and there is none.
func noteWeakKeys(r *report.Report, run []checks.Spec, c coverage) {
	if c.inv.WeakKeys().Len() > 0 {
		return
	}
	for _, spec := range run {
		if !slices.ContainsFunc(spec.ReasonCodes, func(code checks.ReasonCode) bool { return code.Code == debianKey }) {
			continue
		}
		if certificates, _ := c.judges(spec); slices.ContainsFunc(certificates, mayBeRSA) {
			r.NoteNoWeakKeys()
			return
		}
	}
}

// mayBeRSA tells whether a certificate has an RSA key. There are some that crypto/x509 does not know.
func mayBeRSA(c inventory.Certificate) bool {
	return c.ParseError == "" && (c.KeyAlgorithm == x509.RSA || c.KeyAlgorithm == x509.UnknownPublicKeyAlgorithm)
}

// connectionDays is how far back checks of connections look, on demand.
const connectionDays = 31

// noteConnections puts into r that checks of run have no connection event of the days at which they look.
func noteConnections(r *report.Report, run []checks.Spec, c coverage) {
	if !slices.ContainsFunc(run, func(spec checks.Spec) bool {
		source := spec.Source
		return source == checks.Handle(c.inv.Clients) || source == checks.Handle(c.inv.CertificateUses)
	}) {
		return
	}
	to := r.AsOf.Time
	from := to.AddDate(0, 0, -connectionDays)
	var newest time.Time
	for _, client := range c.fleet.Clients {
		for _, connection := range client.Connections {
			for _, at := range []time.Time{connection.ConnectedAt, connection.DisconnectedAt} {
				if at.After(from) && !at.After(to) {
					return
				}
				if at.After(newest) {
					newest = at
				}
			}
		}
	}
	r.NoteOldConnections(connectionDays, newest)
}
