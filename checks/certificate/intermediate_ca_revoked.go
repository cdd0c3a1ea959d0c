package certificate

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/internal/baseline"
	"github.com/fleetaudit/fleetaudit/checks/internal/finding"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/model"
)

const intermediateRevoked = "INTERMEDIATE_CA_REVOKED_BY_ISSUER"

// IntermediateCARevoked makes the check INTERMEDIATE_CA_REVOKED_FOR_ACTIVE_DEVICE_CERTIFICATES_CHECK over
// inv's device certificates.
func IntermediateCARevoked(inv *inventory.Inventory) checks.Check {
	return checks.New(checks.Spec{
		Name:  "INTERMEDIATE_CA_REVOKED_FOR_ACTIVE_DEVICE_CERTIFICATES_CHECK",
		Title: "Intermediate CA of active device certificates is revoked",
		Doc: "Walks up from each device certificate that is ACTIVE or PENDING_TRANSFER through the CA certificates " +
			"of the inventory, whatever their status, and reports each intermediate one that its issuer has " +
			"revoked, once, with the device certificates below it as related resources. Where a CA has several " +
			"certificates (cross-signed, renewed) every path is walked, since nothing says which one devices " +
			"present. A CA certificate that is self-issued and signed with its own key is a root, not an " +
			"intermediate.\n\n" +
			"The finding's resource is the intermediate by its subject, its certificate id (as issuerId) and its " +
			"serial number. A subject or serial number that AWS's API does not take as a filter is left out there; " +
			"the additional information has both in full. An intermediate whose own revocation status is unknown is " +
			"a finding with reason code RESOURCE_NOT_EVALUABLE. So is the issuer of a device certificate that does " +
			"not parse, or whose issuer cannot be told; it goes by the device certificate's id." + whatCounts,
		Remediation: "Replace the device certificates below the revoked CA with ones of another, then deactivate or " +
			"revoke them.",
		URL:          baseline.AWSPage("audit-chk-intermediate-ca-revoked"),
		Severity:     model.AuditFindingSeverityCritical,
		ResourceType: model.ResourceTypeIssuerCertificate,
		ReasonCodes:  []checks.ReasonCode{{Code: intermediateRevoked, Doc: "A CRL of its issuer lists it."}},
		References: []checks.Reference{
			baseline.NISTIR8259A("Logical Access to Interfaces"),
			baseline.ETSI303645("5.5-8: secure management processes for critical security parameters"),
			baseline.IEC62443("CR 1.9: strength of public key-based authentication, chain and revocation status"),
		},
		Source: inv.DeviceCertificates,
		Needs:  []checks.Handle{inv.CRLs},
	}, func(ctx context.Context, pass *checks.Pass) error {
		found := make(revokedIssuers)
		var mu sync.Mutex
		err := scanRevocations(ctx, pass, inv, inv.DeviceCertificates, device, func(revocations *inventory.Revocations) judge {
			return func(_ context.Context, pass *checks.Pass, c *inventory.Certificate) error {
				chain, unknown := revocations.Chain(c)
				if unknown != "" {
					finding.NotEvaluable(pass, device(c), "Chain of the certificate cannot be walked: "+unknown)
				}
				for i := range chain {
					link := &chain[i]
					if (link.Revocation.Revoked || link.Revocation.Unknown != "") && !link.CA.Root() {
						mu.Lock()
						found.add(link, c.ID)
						mu.Unlock()
					}
				}
				return nil
			}
		})
		if err != nil {
			return err
		}
		found.report(pass)
		return nil
	})
}

// revokedIssuers holds intermediates that are revoked, or may be, by their IDs.
type revokedIssuers map[string]*revokedIssuer

type revokedIssuer struct {
	inventory.Link
	devices []string // IDs of the certificates below it
}

func (found revokedIssuers) add(link *inventory.Link, deviceID string) {
	issuer := found[link.CA.ID]
	if issuer == nil {
		issuer = &revokedIssuer{Link: *link}
		found[link.CA.ID] = issuer
	}
	issuer.devices = append(issuer.devices, deviceID)
}

// report reports them in the order of IDs: that in which shards found them is not always the same.
func (found revokedIssuers) report(pass *checks.Pass) {
	for _, id := range slices.Sorted(maps.Keys(found)) {
		issuer := found[id]
		slices.Sort(issuer.devices)
		f := checks.Finding{ReasonCode: intermediateRevoked, Reason: "Intermediate CA of active device certificates is revoked by its issuer."}
		info := map[string]string{}
		if issuer.Revocation.Revoked {
			info = revocationInfo(issuer.Revocation)
		} else {
			f.ReasonCode, f.Reason = model.ReasonCodeResourceNotEvaluable, unknownStatus+issuer.Revocation.Unknown
		}
		info["ISSUER_CERTIFICATE_SUBJECT"] = issuer.CA.Subject()
		info["ISSUER_CERTIFICATE_SERIAL_NUMBER"] = issuer.CA.Serial()
		f.Resource = model.NonCompliantResource{ResourceIdentifier: issuerIdentifier(issuer.CA), AdditionalInfo: info}
		for _, id := range slices.Compact(issuer.devices) {
			f.Related = append(f.Related, model.RelatedResource{
				ResourceType:       model.ResourceTypeDeviceCertificate,
				ResourceIdentifier: model.ResourceIdentifier{DeviceCertificateID: id},
			})
		}
		pass.Report(f)
	}
}

// issuerIdentifier names a CA certificate by what may be asked for with ListAuditFindings.
func issuerIdentifier(ca *inventory.Certificate) model.ResourceIdentifier {
	id := model.ResourceIdentifier{IssuerCertificateIdentifier: model.IssuerCertificateIdentifier{IssuerID: ca.ID}}
	for _, with := range []func(*model.IssuerCertificateIdentifier){
		func(i *model.IssuerCertificateIdentifier) { i.IssuerCertificateSubject = ca.Subject() },
		func(i *model.IssuerCertificateIdentifier) { i.IssuerCertificateSerialNumber = ca.Serial() },
	} {
		longer := id
		with(&longer.IssuerCertificateIdentifier)
		if len(model.Check(&model.ListAuditFindingsInput{TaskID: "any", ResourceIdentifier: longer})) == 0 {
			id = longer
		}
	}
	return id
}
