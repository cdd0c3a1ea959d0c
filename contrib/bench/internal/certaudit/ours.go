package certaudit

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/builtin"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/compare"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// certificateChecks are the built-in checks of certificates by themselves: all that need no connections.
var certificateChecks = []string{
	caExpiring, caKeyQuality, deviceAge, deviceExpiring, deviceKeyQuality, intermediateRevoked, caRevoked, deviceRevoked,
}

// Names of checks.
const (
	caExpiring          = "CA_CERTIFICATE_EXPIRING_CHECK"
	caKeyQuality        = "CA_CERTIFICATE_KEY_QUALITY_CHECK"
	caRevoked           = "REVOKED_CA_CERTIFICATE_STILL_ACTIVE_CHECK"
	deviceAge           = "DEVICE_CERTIFICATE_AGE_CHECK"
	deviceExpiring      = "DEVICE_CERTIFICATE_EXPIRING_CHECK"
	deviceKeyQuality    = "DEVICE_CERTIFICATE_KEY_QUALITY_CHECK"
	deviceRevoked       = "REVOKED_DEVICE_CERTIFICATE_STILL_ACTIVE_CHECK"
	intermediateRevoked = "INTERMEDIATE_CA_REVOKED_FOR_ACTIVE_DEVICE_CERTIFICATES_CHECK"
	deviceKeySize       = "DEVICE_CERTIFICATE_KEY_SIZE_CHECK"
)

// keySize is a check as a user writes it.
func keySize(devices *checks.Source[inventory.Certificate]) checks.Check {
	spec := checks.Spec{
		Name: deviceKeySize, Severity: model.AuditFindingSeverityMedium, ResourceType: model.ResourceTypeDeviceCertificate,
		ReasonCodes: []checks.ReasonCode{{Code: "CERTIFICATE_KEY_TOO_SMALL"}},
	}
	return checks.Each(spec, devices, func(_ context.Context, pass *checks.Pass, c *inventory.Certificate) error {
		if c.ParseError == "" && c.KeyAlgorithm == x509.RSA && c.KeyBits < 2048 {
			pass.Report(checks.Finding{ReasonCode: "CERTIFICATE_KEY_TOO_SMALL", Resource: model.NonCompliantResource{
				ResourceIdentifier: model.ResourceIdentifier{DeviceCertificateID: c.ID}}})
		}
		return nil
	})
}

// ours audits a fleet with an Engine: one audit for each group of checks, one after the other.
type ours struct {
	engine *engine.Engine
	groups [][]string
	tasks  []string // of the last time
}

func newOurs(inv *inventory.Inventory, groups ...[]string) (compare.Task, error) {
	e, err := engine.New(engine.Config{
		Checks: append(builtin.All(inv), keySize(inv.DeviceCertificates)), EnableAll: true,
	})
	if err != nil {
		return compare.Task{}, err
	}
	o := &ours{engine: e, groups: groups}
	return compare.Task{Do: o.do, Answer: o.answer, Close: func() { e.Close() }}, nil
}

func (o *ours) do() error {
	ctx := context.Background()
	o.tasks = o.tasks[:0]
	for _, names := range o.groups {
		started, err := o.engine.StartOnDemandAuditTask(ctx, &model.StartOnDemandAuditTaskInput{TargetCheckNames: names})
		if err != nil {
			return err
		}
		audit, err := o.engine.WaitAuditTask(ctx, started.TaskID)
		if err != nil {
			return err
		}
		if failed := audit.TaskStatistics.FailedChecks; audit.TaskStatus != model.AuditTaskStatusCompleted || failed > 0 {
			return fmt.Errorf("the audit is %s, %d checks failed", audit.TaskStatus, failed)
		}
		o.tasks = append(o.tasks, started.TaskID)
	}
	return nil
}

func (o *ours) answer() any {
	var all []verdict
	var faults error
	for _, id := range o.tasks {
		for f, err := range o.engine.AuditFindings(context.Background(), &model.ListAuditFindingsInput{TaskID: id}) {
			if err != nil {
				faults = errors.Join(faults, err)
				continue
			}
			r := f.NonCompliantResource.ResourceIdentifier
			certificate := cmp.Or(r.DeviceCertificateID, r.CACertificateID, r.IssuerCertificateIdentifier.IssuerID)
			all = append(all, verdict{f.CheckName, certificate, f.ReasonForNonComplianceCode})
		}
	}
	if faults != nil {
		return faults.Error()
	}
	return newAnswer(all)
}
