package report_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/report"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/terminal"
	"github.com/fleetaudit/fleetaudit/model"
)

func TestNotes(t *testing.T) {
	asOf := time.Date(2030, 2, 1, 0, 0, 0, 0, time.UTC)
	crls := func(n int, next time.Time) (all []inventory.CRL) {
		for i := range n {
			all = append(all, inventory.CRL{Origin: inventory.Origin{File: "c\x1b.crl", Offset: int64(i)}, NextUpdate: next})
		}
		return all
	}
	const since = " was due before: what has been revoked since is not known. "
	var ten []string
	for i := range 10 {
		ten = append(ten, strings.TrimSuffix(fmt.Sprintf("c\x1b.crl:%d", i), ":0")+" (2030-01-31)")
	}
	for _, row := range []struct {
		name string
		note func(*report.Report)
		want []string
	}{
		{"all covered", func(r *report.Report) { r.NoteUncovered(0, "CA certificate") }, []string{}},
		{"one is not", func(r *report.Report) { r.NoteUncovered(1, "CA certificate") },
			[]string{"1 CA certificate has an issuer of which no CRL was loaded: whether it is revoked is not known."}},
		{"many are not", func(r *report.Report) { r.NoteUncovered(1234, "CA certificate") },
			[]string{"1,234 CA certificates have an issuer of which no CRL was loaded: whether they are revoked is not known."}},
		{"due now", func(r *report.Report) { r.NoteStale(crls(3, asOf)) }, []string{}},
		{"never due", func(r *report.Report) { r.NoteStale(crls(3, time.Time{})) }, []string{}},
		{"overdue", func(r *report.Report) { r.NoteStale(crls(1, asOf.Add(-time.Second))) },
			[]string{"The next update of 1 CRL" + since + ten[0]}},
		{"ten overdue", func(r *report.Report) { r.NoteStale(crls(10, asOf.Add(-time.Second))) },
			[]string{"The next update of 10 CRLs" + since + strings.Join(ten, ", ")}},
		{"many overdue", func(r *report.Report) { r.NoteStale(crls(1012, asOf.Add(-time.Second))) },
			[]string{"The next update of 1,012 CRLs" + since + strings.Join(ten, ", ") + ", and 1,002 more"}},
	} {
		r := report.New([]string{"fleet"}, inventory.Loaded{})
		r.AsOf = model.At(asOf)
		row.note(r)
		if diff := cmp.Diff(row.want, r.Notes); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
		text := strings.Join(strings.Fields(r.Text(terminal.Screen{Width: 80}, false)), " ")
		for _, note := range row.want {
			if !strings.Contains(text, terminal.Clean(note)) {
				t.Errorf("%s: the text lacks the note:\n%s", row.name, text)
			}
		}
	}
}
