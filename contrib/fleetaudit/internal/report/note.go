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

// NoteNoWeakKeys notes that Debian's weak keys were not looked for.
func (r *Report) NoteNoWeakKeys() {
	r.Notes = append(r.Notes, "No list of Debian's weak keys was loaded: RSA keys were looked at for ROCA (CVE-2017-15361) and not "+
		"for CVE-2008-0166. The lists of Debian's package openssl-blacklist may be among the paths.")
}

// NoteOldConnections notes that no connection event lies in the days at which checks look, and when the newest was.
func (r *Report) NoteOldConnections(days int, newest time.Time) {
	r.Notes = append(r.Notes, fmt.Sprintf("No connection event is of the %d days before the audit, at which checks of connections "+
		"look: the newest is of %s.", days, instant(newest)))
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
