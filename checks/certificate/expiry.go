package certificate

import (
	"context"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/internal/finding"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

// Reason codes of the two checks of expiry.
const (
	approachingExpiration = "CERTIFICATE_APPROACHING_EXPIRATION"
	pastExpiration        = "CERTIFICATE_PAST_EXPIRATION"
)

// expiring makes a check that reports the certificates of src that expire within a threshold, which the pass has.
func expiring(spec checks.Spec, src *checks.Source[inventory.Certificate], name naming, threshold func(checks.Config) time.Duration) checks.Check {
	spec.Source = src
	return checks.New(spec, func(ctx context.Context, pass *checks.Pass) error {
		limit := pass.Time.Add(threshold(pass.Config))
		return checks.Scan(ctx, pass, src, scoped(name, func(_ context.Context, pass *checks.Pass, c *inventory.Certificate) error {
			if c.NotAfter.After(limit) {
				return nil
			}
			code, reason := approachingExpiration, "Certificate is approaching its expiration."
			if c.NotAfter.Before(pass.Time) {
				code, reason = pastExpiration, "Certificate is past its expiration."
			}
			finding.Report(pass, name(c), code, reason, map[string]string{"EXPIRATION_TIME": finding.EpochMillis(c.NotAfter)})
			return nil
		}))
	})
}
