package certificate

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
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
			notEvaluable(pass, name, c, fmt.Sprintf("Certificate status %.40q is none of AWS's.", string(c.Status)))
			return nil
		}
		if c.ParseError != "" {
			notEvaluable(pass, name, c, "Certificate cannot be parsed: "+c.ParseError)
			return nil
		}
		return j(ctx, pass, c)
	}
}

func notEvaluable(pass *checks.Pass, name naming, c *inventory.Certificate, reason string) {
	report(pass, name(c), model.ReasonCodeResourceNotEvaluable, reason, nil)
}

func report(pass *checks.Pass, id model.ResourceIdentifier, code, reason string, info map[string]string) {
	pass.Report(checks.Finding{
		Resource:   model.NonCompliantResource{ResourceIdentifier: id, AdditionalInfo: info},
		Reason:     reason,
		ReasonCode: code,
	})
}

// epochMillis is how AWS writes an instant in additionalInfo.
func epochMillis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

const days = 24 * time.Hour

// The published baselines that the checks serve.

func nistir8259A(section string) checks.Reference {
	return checks.Reference{Standard: "NISTIR 8259A", Section: section, URL: "https://doi.org/10.6028/NIST.IR.8259A"}
}

func etsi303645(provision string) checks.Reference {
	return checks.Reference{Standard: "ETSI EN 303 645", Section: provision,
		URL: "https://www.etsi.org/deliver/etsi_en/303600_303699/303645/02.01.01_60/en_303645v020101p.pdf"}
}

func iec62443(requirement string) checks.Reference {
	return checks.Reference{Standard: "IEC 62443-4-2", Section: requirement, URL: "https://webstore.iec.ch/publication/34421"}
}

// page is AWS's page about a check.
func page(name string) string {
	return "https://docs.aws.amazon.com/iot-device-defender/latest/devguide/" + name + ".html"
}
