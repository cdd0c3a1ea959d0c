package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/terminal"
)

// NoteUncovered notes that n certificates of a kind have an issuer without any CRL.
func (r *Report) NoteUncovered(n int, kind string) {
	if n == 0 {
		return
	}
	verb, they := "have", "they are"
	if n == 1 {
		verb, they = "has", "it is"
	}
	r.Notes = append(r.Notes, fmt.Sprintf("%s %s an issuer of which no CRL was loaded: whether %s revoked is not known.", plural(n, kind), verb, they))
}

// NoteStale notes which CRLs should have been replaced by the instant as of which the audit judges. Long
// lists are cut at Shown.
func (r *Report) NoteStale(crls []inventory.CRL) {
	var names []string
	for _, c := range crls {
		if !c.NextUpdate.IsZero() && c.NextUpdate.Before(r.AsOf.Time) {
			names = append(names, fmt.Sprintf("%s (%s)", place(c.Origin.File, c.Origin.Offset), c.NextUpdate.UTC().Format(time.DateOnly)))
		}
	}
	if len(names) == 0 {
		return
	}
	shown := names[:min(len(names), Shown)]
	note := fmt.Sprintf("The next update of %s was due before: what has been revoked since is not known. %s", plural(len(names), "CRL"), strings.Join(shown, ", "))
	if more := len(names) - len(shown); more > 0 {
		note += fmt.Sprintf(", and %s more", number(more))
	}
	r.Notes = append(r.Notes, note)
}

// notes writes what limits the worth of what the checks found.
func (w *writer) notes() {
	if len(w.report.Notes) == 0 {
		return
	}
	w.title("Notes")
	for _, note := range w.report.Notes {
		w.prose("  ", terminal.Yellow, terminal.Clean(note))
	}
}
