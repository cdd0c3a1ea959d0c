package certificate

import (
	"context"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/internal/finding"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

// revokedByIssuer is the reason code of the two checks of revocation.
const revokedByIssuer = "CERTIFICATE_REVOKED_BY_ISSUER"

// whatCounts is a part of the Doc of each check that goes by CRLs: what AWS leaves open.
const whatCounts = "\n\n" +
	"A CRL counts when its signature verifies with a CA certificate of the inventory that has the CRL's issuer as " +
	"subject, byte for byte, a fitting key identifier and, if it has a key usage, cRLSign. The status of that CA " +
	"certificate does not matter, and neither does whether it or the CRL has expired. Serial numbers are compared " +
	"within one issuer, which is a name and a key: of CAs that share a name, the one with the fitting key " +
	"identifier is the issuer, and the signature decides where that leaves several.\n\n" +
	"Of an issuer's CRLs the newest complete one issued by the time of the audit is read (the newest of all where " +
	"every one is later), with the deltas that are newer. An entry counts from its revocation date. " +
	"certificateHold is a revocation, removeFromCRL takes it back. CRLs of different issuing distribution points " +
	"stand side by side.\n\n" +
	"Where the newest CRL of an issuer does not verify, an older one is no proof: certificates that it does not " +
	"list are findings with reason code RESOURCE_NOT_EVALUABLE. A CRL for user or CA certificates only says " +
	"nothing about the others. " +
	"Where an issuer has CRLs and none that is complete and counts (the signature is wrong, the CA is missing, a " +
	"critical extension is unknown, it does not parse, it is a delta alone), its certificates are findings with " +
	"reason code RESOURCE_NOT_EVALUABLE, as are those that only another issuer's indirect CRL lists. Where an " +
	"issuer has no CRL at all, nothing says that its certificates are revoked, and there is no finding."

// scanRevocations reads the CRLs, then has the judge that by returns go over the certificates of src in scope.
func scanRevocations(ctx context.Context, pass *checks.Pass, inv *inventory.Inventory, src *checks.Source[inventory.Certificate],
	name naming, by func(*inventory.Revocations) judge) error {
	revocations, err := inv.Revocations(ctx, pass)
	if err != nil {
		return err
	}
	return checks.Scan(ctx, pass, src, scoped(name, by(revocations)))
}

// stillActive makes a check that reports the certificates of src that are revoked.
func stillActive(spec checks.Spec, inv *inventory.Inventory, src *checks.Source[inventory.Certificate], name naming) checks.Check {
	spec.Source, spec.Needs = src, []checks.Handle{inv.CRLs}
	return checks.New(spec, func(ctx context.Context, pass *checks.Pass) error {
		return scanRevocations(ctx, pass, inv, src, name, func(revocations *inventory.Revocations) judge {
			return func(_ context.Context, pass *checks.Pass, c *inventory.Certificate) error {
				switch r := revocations.Of(c); {
				case r.Revoked:
					finding.Report(pass, name(c), revokedByIssuer, "Certificate is revoked by its issuer and still active.", revocationInfo(r))
				case r.Unknown != "":
					finding.NotEvaluable(pass, name(c), unknownStatus+r.Unknown)
				}
				return nil
			}
		})
	})
}

const unknownStatus = "Revocation status of the certificate is unknown: "

func revocationInfo(r inventory.Revocation) map[string]string {
	return map[string]string{"REVOCATION_TIME": finding.EpochMillis(r.At), "REVOCATION_REASON": r.Reason}
}
