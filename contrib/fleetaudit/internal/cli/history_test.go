package cli_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/cli"
	"github.com/fleetaudit/fleetaudit/model"
)

// keptDocument is what a reader may expect of the JSON of audits that are kept.
type keptDocument struct {
	TaskID    string                         `json:"taskId"`
	AsOf      model.Timestamp                `json:"asOf"`
	AuditTask *model.DescribeAuditTaskOutput `json:"auditTask"`
	Findings  []keptFinding                  `json:"findings"`
	Changes   *struct {
		Data                        string        `json:"data"`
		Kept                        bool          `json:"kept"`
		Since                       *sighting     `json:"since"`
		NewFindingsCount            int           `json:"newFindingsCount"`
		ReopenedFindingsCount       int           `json:"reopenedFindingsCount"`
		UnchangedFindingsCount      int           `json:"unchangedFindingsCount"`
		ResolvedFindingsCount       int           `json:"resolvedFindingsCount"`
		NotReevaluatedFindingsCount int           `json:"notReevaluatedFindingsCount"`
		Resolved                    []keptFinding `json:"resolved"`
		NotReevaluated              []keptFinding `json:"notReevaluated"`
	} `json:"changes"`
	Suppressions *struct {
		File        string `json:"file"`
		ActiveCount int    `json:"activeCount"`
	} `json:"suppressions"`
}

type keptFinding struct {
	model.AuditFinding
	FirstSeen *sighting `json:"firstSeen"`
	Change    string    `json:"change"`
}

type sighting struct {
	TaskID string          `json:"taskId"`
	Time   model.Timestamp `json:"time"`
}

// plant is a fleet of policies, what is wrong with each, and a folder for its audits. The test works in the folder of both.
type plant struct {
	file, data string
	wrong      map[string]string     // reasons, by policy
	fault      error                 // of FAULTY_CHECK, which finds the same
	judging    func(context.Context) // is called by FAULTY_CHECK; nil: not
	width      int                   // the parameter of NARROW_CHECK when it ran last
}

func newPlant(t *testing.T) *plant {
	t.Chdir(t.TempDir())
	p := &plant{file: "fleet.json", data: "history", wrong: map[string]string{}}
	var all []string
	for _, name := range []string{"doorbell", "gauge", "lock", "meter", "pump", "valve"} {
		all = append(all, policy(name, `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iot:Connect", "Resource": "x"}}`))
	}
	require.NoError(t, os.WriteFile(p.file, []byte(policies(strings.Join(all, ", "))), 0o600))
	return p
}

// checks are two that find what is wrong. The first one has a parameter, and the second one may fail.
func (p *plant) checks() []func(*inventory.Inventory) checks.Check {
	spec := func(name string, severity model.AuditFindingSeverity) checks.Spec {
		return checks.Spec{
			Name: name, Title: "A check of the test", Remediation: "Nothing.", Severity: severity, ResourceType: model.ResourceTypeIoTPolicy,
			ReasonCodes: []checks.ReasonCode{{Code: "TOO_WIDE"}},
		}
	}
	judge := func(pass *checks.Pass, v *inventory.PolicyVersion) {
		if reason := p.wrong[v.Name]; reason != "" {
			id := model.PolicyVersionIdentifier{PolicyName: v.Name, PolicyVersionID: v.VersionID}
			pass.Report(checks.Finding{
				Resource: model.NonCompliantResource{ResourceType: model.ResourceTypeIoTPolicy, ResourceIdentifier: model.ResourceIdentifier{PolicyVersionIdentifier: id}},
				Reason:   reason, ReasonCode: "TOO_WIDE",
			})
		}
	}
	return []func(*inventory.Inventory) checks.Check{
		func(inv *inventory.Inventory) checks.Check {
			narrow := spec("NARROW_CHECK", model.AuditFindingSeverityMedium)
			narrow.Params = []checks.Param{{Name: "WIDTH", Default: 7, Min: 1, Max: 99}}
			return checks.Each(narrow, inv.PolicyVersions, func(_ context.Context, pass *checks.Pass, v *inventory.PolicyVersion) error {
				p.width = pass.Config.Int("WIDTH")
				judge(pass, v)
				return nil
			})
		},
		func(inv *inventory.Inventory) checks.Check {
			return checks.Each(spec("FAULTY_CHECK", model.AuditFindingSeverityHigh), inv.PolicyVersions, func(ctx context.Context, pass *checks.Pass, v *inventory.PolicyVersion) error {
				if p.judging != nil {
					p.judging(ctx)
				}
				if v.Name == "pump" && p.fault != nil {
					return p.fault
				}
				judge(pass, v)
				return ctx.Err()
			})
		},
	}
}

// audit audits the plant, with more words on the command line.
func (p *plant) audit(t *testing.T, more ...string) result {
	t.Helper()
	return runWith(t.Context(), p.checks(), "audit --data", append([]string{p.data, p.file}, more...)...)
}

// kept audits the plant, and returns what the JSON says.
func (p *plant) kept(t *testing.T, more ...string) (doc keptDocument) {
	t.Helper()
	got := p.audit(t, append([]string{"--format", "json"}, more...)...)
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &doc), got.stderr)
	var tree any
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &tree))
	require.False(t, hasNull(tree), "there is a null")
	require.NotNil(t, doc.Changes)
	return doc
}

// counts are the numbers of a document: new, reopened, unchanged, resolved and not re-evaluated.
func (d keptDocument) counts() [5]int {
	c := d.Changes
	return [5]int{c.NewFindingsCount, c.ReopenedFindingsCount, c.UnchangedFindingsCount, c.ResolvedFindingsCount, c.NotReevaluatedFindingsCount}
}

// marks are what the JSON says of each finding: by check and policy, what has become of it, and the audit that saw it first.
func marks(list []keptFinding, names map[string]string) map[string]string {
	all := make(map[string]string)
	for _, f := range list {
		first := ""
		if f.FirstSeen != nil {
			first = names[f.FirstSeen.TaskID]
		}
		all[f.CheckName+" "+f.NonCompliantResource.ResourceIdentifier.String()] = strings.TrimSpace(f.Change + " " + first)
	}
	return all
}

// dates are what differs from run to run in a text.
var dates = regexp.MustCompile(`\d{4}-\d\d-\d\d( \d\d:\d\d UTC)?`)

func scrubDates(s string) string {
	return dates.ReplaceAllStringFunc(s, func(date string) string { return "YYYY-MM-DD HH:MM UTC"[:len(date)] })
}

// TestHistory audits a plant again and again.
func TestHistory(t *testing.T) {
	p := newPlant(t)
	p.wrong = map[string]string{"gauge": "It is too wide.", "pump": "It is too wide.", "lock": "It is far too wide."}
	names := map[string]string{}
	var text strings.Builder
	show := func(title string, more ...string) {
		got := p.audit(t, append([]string{"--width", "90"}, more...)...)
		fmt.Fprintf(&text, "===== %s: %d %s\n%s", title, got.code, got.stderr, got.stdout)
	}
	step := func(name string, counts [5]int, since string, want map[string]string, more ...string) keptDocument {
		t.Helper()
		doc := p.kept(t, more...)
		names[doc.TaskID] = name
		if doc.counts() != counts {
			t.Errorf("%s: counts %v, want %v", name, doc.counts(), counts)
		}
		if got := doc.Changes.Since; (got == nil) != (since == "") || got != nil && names[got.TaskID] != since {
			t.Errorf("%s: since %v, want %q", name, got, since)
		}
		got := marks(doc.Findings, names)
		for k, v := range marks(append(doc.Changes.Resolved, doc.Changes.NotReevaluated...), names) {
			if got[k] != "" {
				t.Errorf("%s: %s is there twice", name, k)
			}
			got[k] = v
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if !doc.Changes.Kept || doc.Changes.Data != p.data || !doc.AsOf.Equal(doc.AuditTask.TaskStartTime.Time) {
			t.Errorf("%s: kept %v in %s, as of %v", name, doc.Changes.Kept, doc.Changes.Data, doc.AsOf)
		}
		return doc
	}
	both := func(marks map[string]string) map[string]string {
		all := make(map[string]string)
		for policy, mark := range marks {
			all["NARROW_CHECK "+policy+":1"], all["FAULTY_CHECK "+policy+":1"] = mark, mark
		}
		return all
	}
	step("a", [5]int{}, "", both(map[string]string{"gauge": "a", "pump": "a", "lock": "a"}))

	p.wrong = map[string]string{"gauge": "It is too wide.", "lock": "It is far too wide.", "valve": "It is too wide."}
	step("b", [5]int{2, 0, 4, 2, 0}, "a", both(map[string]string{"gauge": "UNCHANGED a", "lock": "UNCHANGED a", "valve": "NEW b", "pump": "RESOLVED a"}))

	// A check that fails resolves nothing. What it had found before is still open.
	p.fault = errors.New("it is broken")
	p.wrong["pump"] = "It is too wide."
	delete(p.wrong, "valve")
	step("c", [5]int{0, 1, 4, 1, 1}, "b", map[string]string{
		"NARROW_CHECK gauge:1": "UNCHANGED a", "NARROW_CHECK lock:1": "UNCHANGED a", "NARROW_CHECK pump:1": "REOPENED a", "NARROW_CHECK valve:1": "RESOLVED b",
		"FAULTY_CHECK gauge:1": "UNCHANGED a", "FAULTY_CHECK lock:1": "UNCHANGED a", "FAULTY_CHECK valve:1": "NOT_REEVALUATED b",
	})

	// Nor does one that does not run.
	p.fault = nil
	step("d", [5]int{0, 0, 3, 0, 3}, "c", map[string]string{
		"NARROW_CHECK gauge:1": "UNCHANGED a", "NARROW_CHECK lock:1": "UNCHANGED a", "NARROW_CHECK pump:1": "UNCHANGED a",
		"FAULTY_CHECK gauge:1": "NOT_REEVALUATED a", "FAULTY_CHECK lock:1": "NOT_REEVALUATED a", "FAULTY_CHECK valve:1": "NOT_REEVALUATED b",
	}, "--check", "NARROW_CHECK")

	p.wrong["doorbell"] = "It is \x1b[31mtoo wide."
	delete(p.wrong, "gauge")
	p.fault = errors.New("it is broken")
	show("new, resolved, unchanged and not re-evaluated")
	p.fault = nil
	show("a check that does not run", "--check", "NARROW_CHECK")
	p.wrong["gauge"] = "It is too wide."
	show("reopened", "--all")
	golden(t, "golden/history.txt", scrubDates(text.String()))
}

// TestHistoryFirst is the first audit in a folder.
func TestHistoryFirst(t *testing.T) {
	p := newPlant(t)
	p.wrong["gauge"] = "It is too wide."
	got := p.audit(t, "--width", "100")
	if got.code != cli.ExitOK || got.stderr != "" {
		t.Errorf("exit code %d, stderr %q", got.code, got.stderr)
	}
	golden(t, "golden/history-first.txt", scrubDates(got.stdout))
}

// TestHistoryAsOf has audits as of another time, which are compared and not kept.
func TestHistoryAsOf(t *testing.T) {
	p := newPlant(t)
	p.wrong["gauge"] = "It is too wide."
	first := p.kept(t)
	p.wrong["pump"] = "It is too wide."
	for range 2 {
		doc := p.kept(t, "--as-of", "2050-01-01")
		if doc.Changes.Kept || doc.Changes.Since == nil || doc.Changes.Since.TaskID != first.TaskID || doc.counts() != [5]int{2, 0, 2, 0, 0} || doc.AsOf.Year() != 2050 {
			t.Errorf("as of %v: changes %+v", doc.AsOf, doc.Changes)
		}
		for _, f := range doc.Findings {
			if fresh := f.NonCompliantResource.ResourceIdentifier.String() == "pump:1"; fresh == (f.FirstSeen != nil) {
				t.Errorf("%v is first seen %v", f.NonCompliantResource, f.FirstSeen)
			}
		}
	}
	if text := p.audit(t, "--as-of", "2050-01-01").stdout; !strings.Contains(text, "\n  This audit is not kept: no later one is compared with it.\n") {
		t.Errorf("the report does not say that it is not kept:\n%s", text)
	}
	if doc := p.kept(t); doc.Changes.Since.TaskID != first.TaskID || doc.counts() != [5]int{2, 0, 2, 0, 0} {
		t.Errorf("since %v, counts %v", doc.Changes.Since, doc.counts())
	}
}

// TestHistorySuppressions has suppressions that hold until others come.
func TestHistorySuppressions(t *testing.T) {
	p := newPlant(t)
	p.wrong["gauge"], p.wrong["pump"] = "It is too wide.", "It is too wide."
	file := func(elements ...string) string {
		name := filepath.Join(t.TempDir(), "accepted.json")
		require.NoError(t, os.WriteFile(name, []byte(suppressions(elements...)), 0o600))
		return name
	}
	accept := func(check, policy string) string {
		return fmt.Sprintf(`{"checkName": %q, "resourceIdentifier": {"policyVersionIdentifier": {"policyName": %q, "policyVersionId": "1"}}, "suppressIndefinitely": true}`, check, policy)
	}
	narrow, faulty := accept("NARROW_CHECK", "gauge"), accept("FAULTY_CHECK", "gauge")
	for _, row := range []struct {
		name       string
		more       []string
		from       string // where the suppressions are from; empty: there are none
		active     int
		suppressed int
	}{
		{"none", nil, "", 0, 0},
		{"a file", []string{"--suppressions", file(narrow, faulty)}, "", 2, 2},
		{"those of before", nil, "fleetaudit.db", 2, 2},
		{"those of before, of one check", []string{"--check", "NARROW_CHECK"}, "fleetaudit.db", 1, 1},
		{"as of another time", []string{"--as-of", "2050-01-01", "--suppressions", file()}, "", 0, 0},
		{"those of before, again", nil, "fleetaudit.db", 2, 2},
		{"another file, of one check", []string{"--check", "NARROW_CHECK", "--suppressions", file(faulty)}, "", 0, 0},
		{"what that file said", nil, "fleetaudit.db", 1, 1},
		{"a file of none", []string{"--suppressions", file()}, "", 0, 0},
		{"none again", nil, "", 0, 0},
	} {
		doc := p.kept(t, row.more...)
		suppressed := 0
		for _, f := range doc.Findings {
			if *f.IsSuppressed {
				suppressed++
			}
		}
		if suppressed != row.suppressed {
			t.Errorf("%s: %d findings are suppressed, want %d", row.name, suppressed, row.suppressed)
		}
		switch s := doc.Suppressions; {
		case s == nil:
			if row.active > 0 {
				t.Errorf("%s: the report has none", row.name)
			}
		case s.ActiveCount != row.active || row.from != "" && s.File != filepath.Join(p.data, row.from):
			t.Errorf("%s: %d are in force, want %d, from %s", row.name, s.ActiveCount, row.active, s.File)
		}
	}
	p.audit(t, "--suppressions", file(narrow))
	p.wrong["meter"], p.wrong["pump"] = "It is too wide.", ""
	text := p.audit(t, "--width", "120", "--suppressions", file(accept("NARROW_CHECK", "meter"))).stdout
	if want := "  2 new (1 suppressed), 2 resolved, 0 reopened, 2 unchanged, 0 not re-evaluated\n"; !strings.Contains(text, want) {
		t.Errorf("the report lacks %q:\n%s", want, text)
	}
}

// TestHistoryParams: a parameter is of one audit.
func TestHistoryParams(t *testing.T) {
	p := newPlant(t)
	for _, row := range []struct {
		more []string
		want int
	}{{nil, 7}, {[]string{"--param", "WIDTH=9"}, 9}, {nil, 7}} {
		if got := p.audit(t, row.more...); got.code != cli.ExitOK || p.width != row.want {
			t.Errorf("%v: %d, want %d; stderr %s", row.more, p.width, row.want, got.stderr)
		}
	}
}

// TestHistoryForecast looks ahead from an audit that is kept, and keeps nothing of that.
func TestHistoryForecast(t *testing.T) {
	p := newPlant(t)
	p.wrong["gauge"] = "It is too wide."
	for _, since := range []bool{false, true, true} {
		doc := p.kept(t, "--forecast", "2090-01-01", "--check", "NARROW_CHECK")
		if (doc.Changes.Since != nil) != since || since && doc.counts() != [5]int{0, 0, 1, 0, 0} {
			t.Errorf("since %v, counts %v", doc.Changes.Since, doc.counts())
		}
	}
	require.Equal(t, map[model.AuditTaskStatus]int{model.AuditTaskStatusCompleted: 3}, statuses(t, p.data))
}
