package checks_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/model"
)

// Device is what the examples' platform knows of a device.
type Device struct {
	ID       string
	Password string
	SeenAt   time.Time
}

// client is the name under which findings know a device.
func client(id string) model.NonCompliantResource {
	return model.NonCompliantResource{
		ResourceType:       model.ResourceTypeClientID,
		ResourceIdentifier: model.ResourceIdentifier{ClientID: id},
	}
}

// show runs one check as of 1 June 2026 and prints its findings. An application has an engine for this.
func show(check checks.Check, config map[string]string) {
	var p model.Problems
	job := checks.Job{Check: check, Spec: new(check.Spec())}
	job.Pass.Time = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	job.Pass.Config = job.Spec.Configure(&p, "configuration", config)
	if err := p.Err(); err != nil {
		fmt.Println(err)
		return
	}
	job.End = func(out checks.Outcome) {
		fmt.Printf("%d resources checked, error: %v\n", out.Scanned, out.Err)
		for _, f := range out.Findings {
			fmt.Println(f.Resource.ResourceIdentifier, f.ReasonCode, f.Reason)
		}
	}
	var r checks.Runner
	r.Run(context.Background(), []*checks.Job{&job})
}

// A check that judges one resource at a time: the most usual kind.
func ExampleEach() {
	devices := checks.Slice("devices", []Device{
		{ID: "lamp-1", Password: "admin"},
		{ID: "lamp-2", Password: "correct horse"},
	})
	check := checks.Each(checks.Spec{
		Name:         "DEFAULT_PASSWORD_CHECK",
		Severity:     model.AuditFindingSeverityCritical,
		ResourceType: model.ResourceTypeClientID,
		ReasonCodes:  []checks.ReasonCode{{Code: "DEFAULT_PASSWORD"}},
	}, devices, func(_ context.Context, pass *checks.Pass, d *Device) error {
		if d.Password == "admin" {
			pass.Report(checks.Finding{
				Resource:   client(d.ID),
				Reason:     "Its password is the one it was delivered with.",
				ReasonCode: "DEFAULT_PASSWORD",
			})
		}
		return nil
	})
	show(check, nil)
	// Output:
	// 2 resources checked, error: <nil>
	// lamp-1 DEFAULT_PASSWORD Its password is the one it was delivered with.
}

// A check that has to see all resources before it can judge one reads them itself.
func ExampleNew() {
	devices := checks.Slice("devices", []Device{
		{ID: "lamp-1", Password: "hunter2"},
		{ID: "lamp-2", Password: "correct horse"},
		{ID: "lock-1", Password: "hunter2"},
	})
	check := checks.New(checks.Spec{
		Name:         "SHARED_PASSWORD_CHECK",
		Severity:     model.AuditFindingSeverityHigh,
		ResourceType: model.ResourceTypeClientID,
		ReasonCodes:  []checks.ReasonCode{{Code: "PASSWORD_SHARED"}},
	}, func(ctx context.Context, pass *checks.Pass) error {
		var order []string
		users := make(map[string][]string)
		for d, err := range devices.Read(ctx, pass) {
			if err != nil {
				return err
			}
			pass.Scanned(1)
			if users[d.Password] == nil {
				order = append(order, d.Password)
			}
			users[d.Password] = append(users[d.Password], d.ID)
		}
		for _, password := range order {
			for _, id := range users[password] {
				if others := slices.DeleteFunc(slices.Clone(users[password]), func(other string) bool { return other == id }); len(others) > 0 {
					pass.Report(checks.Finding{
						Resource:   client(id),
						Reason:     "It has the password of " + strings.Join(others, ", ") + ".",
						ReasonCode: "PASSWORD_SHARED",
					})
				}
			}
		}
		return nil
	})
	show(check, nil)
	// Output:
	// 3 resources checked, error: <nil>
	// lamp-1 PASSWORD_SHARED It has the password of lock-1.
	// lock-1 PASSWORD_SHARED It has the password of lamp-1.
}

// Table and Rows stand for a database client.
type Table []Device

type Rows struct {
	table Table
	next  int
}

func (t Table) Query(context.Context) (*Rows, error) { return &Rows{table: t}, nil }
func (r *Rows) Next() bool                           { r.next++; return r.next <= len(r.table) }
func (r *Rows) Device() Device                       { return r.table[r.next-1] }
func (r *Rows) Err() error                           { return fmt.Errorf("connection lost after %d rows", len(r.table)) }
func (r *Rows) Close()                               {}

// A Source streams its resources, so that a fleet need not fit into memory. Every error that the database
// has is yielded: the checks that scan the Source then fail, rather than find half a fleet compliant.
func ExampleSource() {
	table := Table{{ID: "lamp-1", Password: "admin"}, {ID: "lamp-2"}}
	devices := &checks.Source[Device]{
		Name: "devices",
		All: func(ctx context.Context) iter.Seq2[Device, error] {
			return func(yield func(Device, error) bool) {
				rows, err := table.Query(ctx)
				if err != nil {
					yield(Device{}, err)
					return
				}
				defer rows.Close()
				for rows.Next() {
					if !yield(rows.Device(), nil) {
						return
					}
				}
				if err := rows.Err(); err != nil {
					yield(Device{}, err)
				}
			}
		},
	}
	show(checks.Each(checks.Spec{
		Name:         "DEFAULT_PASSWORD_CHECK",
		Severity:     model.AuditFindingSeverityCritical,
		ResourceType: model.ResourceTypeClientID,
		ReasonCodes:  []checks.ReasonCode{{Code: "DEFAULT_PASSWORD"}},
	}, devices, func(_ context.Context, pass *checks.Pass, d *Device) error {
		if d.Password == "admin" {
			pass.Report(checks.Finding{
				Resource:   client(d.ID),
				Reason:     "Its password is the one it was delivered with.",
				ReasonCode: "DEFAULT_PASSWORD",
			})
		}
		return nil
	}), nil)
	// Output:
	// 2 resources checked, error: source "devices": connection lost after 2 rows
	// lamp-1 DEFAULT_PASSWORD Its password is the one it was delivered with.
}

// A parameter has a default and limits, and is set where an account configures the check.
func ExampleParam() {
	june1 := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	devices := checks.Slice("devices", []Device{
		{ID: "lamp-1", SeenAt: june1.AddDate(0, 0, -20)},
		{ID: "lamp-2", SeenAt: june1.AddDate(0, 0, -40)},
	})
	check := checks.Each(checks.Spec{
		Name:         "SILENT_DEVICE_CHECK",
		Severity:     model.AuditFindingSeverityLow,
		ResourceType: model.ResourceTypeClientID,
		ReasonCodes:  []checks.ReasonCode{{Code: "DEVICE_SILENT"}},
		Params:       []checks.Param{{Name: "SILENCE_IN_DAYS", Unit: "days", Default: 30, Min: 1, Max: 365}},
	}, devices, func(_ context.Context, pass *checks.Pass, d *Device) error {
		if pass.Time.Sub(d.SeenAt) > pass.Config.Days("SILENCE_IN_DAYS") {
			pass.Report(checks.Finding{
				Resource:   client(d.ID),
				Reason:     "It was last seen on " + d.SeenAt.Format(time.DateOnly) + ".",
				ReasonCode: "DEVICE_SILENT",
			})
		}
		return nil
	})
	show(check, nil)
	show(check, map[string]string{"SILENCE_IN_DAYS": "10"})
	show(check, map[string]string{"SILENCE_IN_DAYS": "0"})
	// Output:
	// 2 resources checked, error: <nil>
	// lamp-2 DEVICE_SILENT It was last seen on 2026-04-22.
	// 2 resources checked, error: <nil>
	// lamp-1 DEVICE_SILENT It was last seen on 2026-05-12.
	// lamp-2 DEVICE_SILENT It was last seen on 2026-04-22.
	// InvalidRequestException: configuration.SILENCE_IN_DAYS "0" must be a whole number from 1 to 365
}
