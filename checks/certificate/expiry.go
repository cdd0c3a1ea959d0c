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

// expiring judges when a certificate expires, within a threshold that the pass has.
func expiring(name naming, threshold func(*checks.Pass) time.Duration) judge {
	return scoped(name, func(_ context.Context, pass *checks.Pass, c *inventory.Certificate) error {
		info := map[string]string{"EXPIRATION_TIME": finding.EpochMillis(c.NotAfter)}
		switch {
		case c.NotAfter.Before(pass.Time):
			finding.Report(pass, name(c), pastExpiration, "Certificate is past its expiration.", info)
		case !c.NotAfter.After(pass.Time.Add(threshold(pass))):
			finding.Report(pass, name(c), approachingExpiration, "Certificate is approaching its expiration.", info)
		}
		return nil
	})
}
