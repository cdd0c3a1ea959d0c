package certificate

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/internal/finding"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/model"
)

// judge looks at one certificate.
type judge = func(context.Context, *checks.Pass, *inventory.Certificate) error

// naming makes the identifier under which a certificate is reported.
type naming func(*inventory.Certificate) model.ResourceIdentifier

func device(c *inventory.Certificate) model.ResourceIdentifier {
	return model.ResourceIdentifier{DeviceCertificateID: c.ID}
}

func ca(c *inventory.Certificate) model.ResourceIdentifier {
	return model.ResourceIdentifier{CACertificateID: c.ID}
}

// scoped passes to j the certificates that are in scope and can be judged.
func scoped(name naming, j judge) judge {
	return func(ctx context.Context, pass *checks.Pass, c *inventory.Certificate) error {
		switch c.Status {
		case inventory.CertificateStatusActive, inventory.CertificateStatusPendingTransfer:
		default:
			if slices.Contains(c.Status.Values(), c.Status) {
				return checks.Skip
			}
			finding.NotEvaluable(pass, name(c), fmt.Sprintf("Certificate status %.40q is none of AWS's.", string(c.Status)))
			return nil
		}
		if c.ParseError != "" {
			finding.NotEvaluable(pass, name(c), "Certificate cannot be parsed: "+c.ParseError)
			return nil
		}
		return j(ctx, pass, c)
	}
}

const days = 24 * time.Hour
