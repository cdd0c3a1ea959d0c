package builtin_test

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/builtin"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/model"
)

// rows reads a file of rows.
func rows(t *testing.T, name string) (all []string) {
	t.Helper()
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "#") {
			all = append(all, line)
		}
	}
	return all
}

func row(columns ...string) string { return strings.TrimSpace(strings.Join(columns, " | ")) }

// TestSpecs holds the Specs against what is published about AWS's checks, in testdata/checks.txt.
func TestSpecs(t *testing.T) {
	all := builtin.All(inventory.New(inventory.Contents{}))
	if err := checks.Validate(all...); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range all {
		s := c.Spec()
		var codes, params []string
		for _, r := range s.ReasonCodes {
			codes = append(codes, r.Code)
			if r.Doc == "" {
				t.Errorf("%s: %s has no Doc", s.Name, r.Code)
			}
		}
		for _, p := range s.Params {
			params = append(params, fmt.Sprint(p.Name, " ", p.Min, " ", p.Max, " ", p.Default))
			if p.Doc == "" || p.Unit == "" {
				t.Errorf("%s: %s has no Doc, or no Unit", s.Name, p.Name)
			}
		}
		page, ok := strings.CutPrefix(s.URL, "https://docs.aws.amazon.com/iot-device-defender/latest/devguide/")
		page, ok2 := strings.CutSuffix(page, ".html")
		if !ok || !ok2 {
			t.Errorf("%s: URL %s", s.Name, s.URL)
		}
		got = append(got, row(s.Name, string(s.Severity), string(s.ResourceType), page, strings.Join(codes, " "), strings.Join(params, ", ")))
		if s.Retrospective {
			got = append(got, row(s.Name, "retrospective"))
		}
		for _, r := range s.References {
			got = append(got, row(s.Name, r.Standard, r.Section))
			if r.URL == "" {
				t.Errorf("%s: reference to %s %s has no URL", s.Name, r.Standard, r.Section)
			}
		}
		if s.Title == "" || s.Doc == "" || s.Remediation == "" || s.URL == "" || len(s.References) == 0 || s.Source == nil {
			t.Errorf("%s lacks Title, Doc, Remediation, URL, References or Source", s.Name)
		}
	}
	if diff := gocmp.Diff(rows(t, "testdata/checks.txt"), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// audit runs every check at once, as an engine does.
func audit(t *testing.T, inv *inventory.Inventory, at time.Time) map[string]checks.Outcome {
	t.Helper()
	outcomes := make(map[string]checks.Outcome)
	var jobs []*checks.Job
	all := builtin.All(inv)
	ended := make(chan func(), len(all))
	for _, c := range all {
		spec := c.Spec()
		var p model.Problems
		jobs = append(jobs, &checks.Job{
			Check: c, Spec: &spec, Pass: checks.Pass{Time: at, Config: spec.Configure(&p, "", nil)},
			End: func(o checks.Outcome) { ended <- func() { outcomes[spec.Name] = o } },
		})
	}
	var r checks.Runner
	r.Run(t.Context(), jobs)
	for range jobs {
		(<-ended)()
	}
	for name, o := range outcomes {
		if o.Err != nil {
			t.Errorf("%s: %v", name, o.Err)
		}
	}
	return outcomes
}

func TestFleet(t *testing.T) {
	fleet, err := inventory.Load(context.Background(), "../inventory/testdata/fleet")
	require.NoError(t, err)
	subjects := make(map[string]string)
	for _, c := range append(fleet.DeviceCertificates, fleet.CACertificates...) {
		subjects[c.ID] = c.Subject()
	}
	outcomes := audit(t, inventory.New(fleet.Contents), time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC))
	var got []string
	for name, o := range outcomes {
		got = append(got, row(name, "looked at", fmt.Sprint(o.Scanned)))
		for _, f := range o.Findings {
			id := f.Resource.ResourceIdentifier
			subject, ok := subjects[cmp.Or(id.DeviceCertificateID, id.CACertificateID, id.IssuerCertificateIdentifier.IssuerID)]
			if !ok {
				subject = id.String()
			}
			got = append(got, row(name, f.ReasonCode, subject))
			if p := model.Check(&model.ListAuditFindingsInput{TaskID: "t", ResourceIdentifier: id}); len(p) > 0 {
				t.Errorf("%s reports a resource that cannot be asked for: %v", name, p)
			}
		}
		if o.NonCompliant == 0 || o.NonCompliant == o.Scanned {
			t.Errorf("%s finds %d of %d resources; the fleet has both for every check", name, o.NonCompliant, o.Scanned)
		}
	}
	want := rows(t, "testdata/fleet.txt")
	slices.Sort(want)
	slices.Sort(got)
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestOneScan: the checks of device certificates, all together, read them once.
func TestOneScan(t *testing.T) {
	var devices, cas atomic.Int32
	counted := func(n *atomic.Int32) *checks.Source[inventory.Certificate] {
		return &checks.Source[inventory.Certificate]{Name: "counted", All: func(context.Context) iter.Seq2[inventory.Certificate, error] {
			n.Add(1)
			return func(func(inventory.Certificate, error) bool) {}
		}}
	}
	inv := inventory.New(inventory.Contents{})
	inv.DeviceCertificates, inv.CACertificates = counted(&devices), counted(&cas)
	audit(t, inv, time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC))
	// The CA certificates are read once more by each of the three checks that go by CRLs.
	if devices.Load() != 1 || cas.Load() != 4 {
		t.Errorf("device certificates were read %d times, CA certificates %d times; want 1 and 4", devices.Load(), cas.Load())
	}
}
