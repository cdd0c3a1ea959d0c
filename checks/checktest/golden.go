package checktest

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/model"
)

// updateVariable is the environment variable that has golden files rewritten.
const updateVariable = "CHECKTEST_UPDATE"

// Golden runs a check as [Run] does, and compares all that it reports, words and related resources
// included, with a file: a line of JSON a finding, in AWS's form, sorted. c.Want must be nil, since the
// file says what is wanted.
//
// With CHECKTEST_UPDATE=1 in the environment it writes the file instead; so it does if the test binary
// has a boolean flag -update, and that is set. This package declares no flag, as a test's own of that name
// would then be declared twice.
func Golden(t testing.TB, check checks.Check, c Case, path string) checks.Outcome {
	t.Helper()
	if c.Want != nil {
		t.Fatal("Case.Want must be nil: the golden file says what is wanted")
	}
	var r checks.Runner
	job := c.job(t, check)
	name := job.Spec.Name
	out := run(t.Context(), &r, job)
	if !c.compare(t, name, out) {
		return out
	}
	got := lines(out.Findings, func(f checks.Finding) string { return whole(*job.Spec, f) })
	if updating(t) {
		write(t, path, got)
		return out
	}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("%s: %v; run the test with %s=1 to make it", name, err, updateVariable)
	} else if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	want := strings.FieldsFunc(string(b), func(r rune) bool { return r == '\n' || r == '\r' })
	slices.Sort(want)
	if d := diff(want, got); d != "" {
		t.Errorf("%s: findings (- only in %s, + only found now; %s=1 rewrites the file):\n%s", name, path, updateVariable, d)
	}
	return out
}

// whole is everything about a finding, as a line.
func whole(spec checks.Spec, f checks.Finding) string {
	return toJSON(model.AuditFinding{
		CheckName:                  spec.Name,
		Severity:                   spec.Severity,
		NonCompliantResource:       f.Resource,
		RelatedResources:           f.Related,
		ReasonForNonCompliance:     f.Reason,
		ReasonForNonComplianceCode: f.ReasonCode,
	})
}

func updating(t testing.TB) bool {
	t.Helper()
	if f := flag.Lookup("update"); f != nil {
		if g, ok := f.Value.(flag.Getter); ok && g.Get() == true {
			return true
		}
	}
	v := os.Getenv(updateVariable)
	if v == "" {
		return false
	}
	on, err := strconv.ParseBool(v)
	if err != nil {
		t.Fatalf("%s=%q must be 1 or 0", updateVariable, v)
	}
	return on
}

func write(t testing.TB, path string, lines []string) {
	t.Helper()
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(line + "\n")
	}
	err := os.MkdirAll(filepath.Dir(path), 0o777)
	if err == nil {
		err = os.WriteFile(path, []byte(b.String()), 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("wrote %s: %d findings", path, len(lines))
}
