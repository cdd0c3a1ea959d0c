package cli_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/cli"
	"github.com/fleetaudit/fleetaudit/model"
)

// check makes a check over the device certificates of whatever fleet.
func check(name string, severity model.AuditFindingSeverity, run func(context.Context, *checks.Pass, *inventory.Certificate) error) func(*inventory.Inventory) checks.Check {
	return func(inv *inventory.Inventory) checks.Check {
		return checks.Each(checks.Spec{
			Name: name, Title: "A check of the test", Remediation: "Nothing.",
			Severity: severity, ResourceType: model.ResourceTypeDeviceCertificate,
			ReasonCodes: []checks.ReasonCode{{Code: "SEEN"}},
		}, inv.DeviceCertificates, run)
	}
}

func report(pass *checks.Pass, c *inventory.Certificate) {
	pass.Report(checks.Finding{
		Resource:   model.NonCompliantResource{ResourceIdentifier: model.ResourceIdentifier{DeviceCertificateID: c.ID}},
		Reason:     "It was seen.",
		ReasonCode: "SEEN",
	})
}

func fine(context.Context, *checks.Pass, *inventory.Certificate) error { return nil }

// runWith runs the program with checks of the test's own, and the words of a line and more as its arguments.
func runWith(ctx context.Context, makers []func(*inventory.Inventory) checks.Check, line string, more ...string) result {
	all := func(inv *inventory.Inventory) []checks.Check {
		var made []checks.Check
		for _, m := range makers {
			made = append(made, m(inv))
		}
		return made
	}
	var stdout, stderr bytes.Buffer
	code := cli.RunWith(ctx, all, append(words(line), more...), strings.NewReader(""), &stdout, &stderr)
	return result{code, stdout.String(), stderr.String()}
}

func TestFailedCheck(t *testing.T) {
	makers := []func(*inventory.Inventory) checks.Check{
		check("FINE_CHECK", model.AuditFindingSeverityLow, fine),
		check("BROKEN_CHECK", model.AuditFindingSeverityMedium, func(_ context.Context, pass *checks.Pass, c *inventory.Certificate) error {
			report(pass, c)
			return errors.New("the registry\n\x1b[31mis gone")
		}),
		check("PANICKING_CHECK", model.AuditFindingSeverityHigh, func(context.Context, *checks.Pass, *inventory.Certificate) error {
			panic("oh")
		}),
	}
	got := runWith(t.Context(), makers, "audit testdata/sound --as-of 2030-01-01 --width 80")
	if got.code != cli.ExitError || got.stderr != "fleetaudit: the audit is not complete: a check failed\n" {
		t.Errorf("exit code %d, stderr %q", got.code, got.stderr)
	}
	golden(t, "golden/failed.txt", got.stdout)

	// JSON says the same.
	got = runWith(t.Context(), makers, "audit testdata/sound --as-of 2030-01-01 --format json")
	doc := decode(t, got.stdout)
	want := map[string]model.AuditCheckDetails{
		"FINE_CHECK":      {CheckRunStatus: "COMPLETED_COMPLIANT", CheckCompliant: true, TotalResourcesCount: 1},
		"BROKEN_CHECK":    {CheckRunStatus: "FAILED", TotalResourcesCount: 1, NonCompliantResourcesCount: 1, ErrorCode: "INTERNAL_FAILURE", Message: "the registry\n\x1b[31mis gone"},
		"PANICKING_CHECK": {CheckRunStatus: "FAILED", ErrorCode: "INTERNAL_FAILURE", Message: "panic: oh"},
	}
	if diff := cmp.Diff(want, doc.AuditTask.AuditDetails); diff != "" || got.code != cli.ExitError {
		t.Errorf("exit code %d, details (-want +got):\n%s", got.code, diff)
	}
}

// TestInterrupted cancels an audit once a check has found something.
func TestInterrupted(t *testing.T) {
	for _, format := range []string{"table", "json"} {
		t.Run(format, func(t *testing.T) {
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			got := runWith(ctx, []func(*inventory.Inventory) checks.Check{
				check("FINE_CHECK", model.AuditFindingSeverityLow, fine),
				check("SLOW_CHECK", model.AuditFindingSeverityHigh, func(ctx context.Context, pass *checks.Pass, c *inventory.Certificate) error {
					report(pass, c)
					interrupt()
					<-ctx.Done()
					return context.Cause(ctx)
				}),
			}, "audit testdata/sound --as-of 2030-01-01 --width 80 --format "+format)
			if want := "fleetaudit: the audit is not complete: it was interrupted\n"; got.code != cli.ExitError || got.stderr != want {
				t.Errorf("exit code %d, stderr %q, want 2, %q", got.code, got.stderr, want)
			}
			if format == "table" {
				for _, want := range []string{"Interrupted: this is what had been found by then", "SLOW_CHECK  CANCELED", "SEEN (1): It was seen.", "1 finding: 1 HIGH"} {
					if !strings.Contains(got.stdout, want) {
						t.Errorf("the report lacks %q:\n%s", want, got.stdout)
					}
				}
				return
			}
			doc := decode(t, got.stdout)
			if doc.AuditTask.TaskStatus != model.AuditTaskStatusCanceled || len(doc.Findings) != 1 {
				t.Errorf("status %s and %d findings, want CANCELED and 1", doc.AuditTask.TaskStatus, len(doc.Findings))
			}
		})
	}
}

// hostileName is of a file that clears a terminal, and writes from right to left.
const hostileName = "a\x1b[2J\u202efdp.pem"

// TestHostileNames has a file of such a name in every place of a report that has one.
func TestHostileNames(t *testing.T) {
	files := make(map[string][]byte)
	for name, from := range map[string]string{
		hostileName: "fleet/devices/pumps.pem", "b" + hostileName: "fleet/devices/malformed.pem", "c" + hostileName: "fleet/devices/truncated.der",
		"d" + hostileName: "sound/ca.pem", "e" + hostileName: "fleet/crl/root.crl", "f" + hostileName: "fleet/crl/root.crl",
	} {
		b, err := os.ReadFile("testdata/" + from)
		require.NoError(t, err)
		files[name] = b
	}
	var got result
	t.Run("run", func(t *testing.T) {
		t.Chdir(t.TempDir())
		var args []string
		for name, data := range files {
			require.NoError(t, os.WriteFile(name, data, 0o600))
			args = append(args, name)
		}
		slices.Sort(args)
		got = run(t, append([]string{"audit", "--as-of", "2030-02-02", "--width", "100", "--all"}, args...)...)
	})
	golden(t, "golden/hostile-names.txt", got.stdout)
	if i := strings.IndexFunc(got.stdout+got.stderr, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
		t.Errorf("there is a character that is not to be seen at %d of %q", i, got.stdout+got.stderr)
	}
}

// TestManyKinds has more findings, reasons and related resources than are shown.
func TestManyKinds(t *testing.T) {
	all := func(code string, n int) func(*inventory.Inventory) checks.Check {
		return func(inv *inventory.Inventory) checks.Check {
			return checks.New(checks.Spec{
				Name: code + "_CHECK", Title: "Many", Severity: model.AuditFindingSeverityLow, ResourceType: model.ResourceTypeIoTPolicy,
				ReasonCodes: []checks.ReasonCode{{Code: code}},
			}, func(_ context.Context, pass *checks.Pass) error {
				for i := range n {
					id := strings.Repeat("i", i+1)
					pass.Report(checks.Finding{
						Resource: model.NonCompliantResource{ResourceIdentifier: model.ResourceIdentifier{
							PolicyVersionIdentifier: model.PolicyVersionIdentifier{PolicyName: id, PolicyVersionID: "1"},
						}, AdditionalInfo: map[string]string{"NOTED_TIME": "soon", "WHO\x1b": "\u202eme"}},
						Related:    []model.RelatedResource{{ResourceType: model.ResourceTypeClientID, ResourceIdentifier: model.ResourceIdentifier{ClientID: id}}},
						Reason:     "Reason " + id,
						ReasonCode: code,
					})
				}
				pass.Scanned(n)
				return nil
			})
		}
	}
	got := runWith(t.Context(), []func(*inventory.Inventory) checks.Check{all("SOME", 3), all("MANY", 14)}, "audit testdata/sound --as-of 2030-01-01 --width 80 --fail-on low")
	if got.code != cli.ExitFindings || got.stderr != "" {
		t.Errorf("exit code %d, stderr %q", got.code, got.stderr)
	}
	golden(t, "golden/many.txt", got.stdout)
}
