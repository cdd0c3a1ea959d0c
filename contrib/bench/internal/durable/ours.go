package durable

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/stores"
	"github.com/fleetaudit/fleetaudit/contrib/boltstore"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// ours is an Engine with everything that belongs to it.
type ours struct {
	*Workload
	path   string
	store  *boltstore.Store
	engine *engine.Engine
}

// check reports what an audit finds.
func (o *ours) check() checks.Check {
	spec := checks.Spec{
		Name: stores.CheckName(0), Severity: model.AuditFindingSeverityHigh, ResourceType: model.ResourceTypeDeviceCertificate,
		ReasonCodes: []checks.ReasonCode{{Code: o.findings[0].ReasonCode}},
	}
	return checks.New(spec, func(_ context.Context, pass *checks.Pass) error {
		for _, f := range o.findings {
			pass.Report(checks.Finding{Resource: f.Resource, Related: f.Related, Reason: f.Reason, ReasonCode: f.ReasonCode})
		}
		pass.Scanned(len(o.findings))
		return nil
	})
}

func (o *ours) Open() (err error) {
	if o.store, err = boltstore.Open(o.path, boltstore.Options{}); err != nil {
		return err
	}
	o.engine, err = engine.New(engine.Config{
		Checks: []checks.Check{o.check()}, EnableAll: true, Store: o.store, MaxFindings: -1, Retention: -1,
	})
	return err
}

// Held counts what the audits say that they found.
func (o *ours) Held() (held int, err error) {
	in := &model.ListAuditTasksInput{StartTime: model.At(time.Unix(0, 0)), EndTime: model.At(time.Now())}
	for more := true; more; more = in.NextToken != "" {
		page, err := o.engine.ListAuditTasks(context.Background(), in)
		if err != nil {
			return 0, err
		}
		for _, t := range page.Tasks {
			audit, err := o.engine.DescribeAuditTask(context.Background(), &model.DescribeAuditTaskInput{TaskID: t.TaskID})
			if err != nil {
				return 0, err
			}
			for _, d := range audit.AuditDetails {
				held += int(d.NonCompliantResourcesCount)
			}
		}
		in.NextToken = page.NextToken
	}
	return held, nil
}

func (*ours) Share(int) {}

// Operation suppresses a finding.
func (o *ours) Operation(n int) error {
	_, err := o.engine.CreateAuditSuppression(context.Background(), &model.CreateAuditSuppressionInput{
		CheckName:            stores.CheckName(0),
		ResourceIdentifier:   model.ResourceIdentifier{ClientID: fmt.Sprint("client-", n)},
		SuppressIndefinitely: new(true),
		Description:          "accepted",
		ClientRequestToken:   fmt.Sprintf("%036d", n),
	})
	return err
}

func (o *ours) Audit() error {
	task, err := o.engine.StartOnDemandAuditTask(context.Background(), &model.StartOnDemandAuditTaskInput{
		TargetCheckNames: []string{stores.CheckName(0)},
	})
	if err != nil {
		return err
	}
	audit, err := o.engine.WaitAuditTask(context.Background(), task.TaskID)
	if err != nil {
		return err
	}
	if d := audit.AuditDetails[stores.CheckName(0)]; d.NonCompliantResourcesCount != int64(len(o.findings)) {
		return fmt.Errorf("durable: an audit of %d findings ended %s with %+v", len(o.findings), audit.TaskStatus, d)
	}
	return nil
}

func (o *ours) Close() (size int64, err error) {
	if err := errors.Join(o.engine.Close(), o.store.Close()); err != nil {
		return 0, err
	}
	return inUse(o.path)
}
