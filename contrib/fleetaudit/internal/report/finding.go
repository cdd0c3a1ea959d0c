package report

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/terminal"
	"github.com/fleetaudit/fleetaudit/model"
)

// findings writes what each check found, the worst severity first.
func (w *writer) findings() {
	byCheck := make(map[string][]model.AuditFinding)
	for _, f := range w.report.Findings {
		byCheck[f.CheckName] = append(byCheck[f.CheckName], f)
	}
	for _, s := range w.worstFirst() {
		if found := byCheck[s.Name]; len(found) > 0 {
			w.check(s, found)
		}
	}
}

// worstFirst returns what the checks that ran say of themselves, the worst severity first.
func (w *writer) worstFirst() []checks.Spec {
	specs := slices.Clone(w.report.Specs)
	slices.SortStableFunc(specs, func(a, b checks.Spec) int { return rank(a.Severity) - rank(b.Severity) })
	return specs
}

// check writes what one check found, and what to do about it. What it could not judge is left to
// notEvaluable, since the other checks could not judge it either.
func (w *writer) check(s checks.Spec, found []model.AuditFinding) {
	judged := slices.DeleteFunc(slices.Clone(found), isNotEvaluable)
	if len(judged) == 0 {
		return
	}
	w.b.WriteString("\n" + w.screen.Paint(Ink(s.Severity), string(s.Severity)) + "  ")
	w.line("", terminal.Bold, s.Name)
	w.prose("", terminal.Faint, s.Title)
	w.kinds(judged)
	if n := len(found) - len(judged); n > 0 {
		w.b.WriteString("\n")
		w.prose("  ", terminal.Plain, fmt.Sprintf("%s (%s): see the end.", model.ReasonCodeResourceNotEvaluable, number(n)))
	}
	if s.Remediation != "" {
		w.b.WriteString("\n")
		w.advice(s.Remediation)
	}
}

func (w *writer) advice(text string) {
	const label = "What to do:"
	for i, line := range terminal.Wrap(label+" "+text, w.proseWidth("  "), "/") {
		if rest, ok := strings.CutPrefix(line, label); ok && i == 0 {
			line = w.screen.Paint(terminal.Bold, label) + rest
		}
		w.line("  ", terminal.Plain, line)
	}
}

func isNotEvaluable(f model.AuditFinding) bool {
	return f.ReasonForNonComplianceCode == model.ReasonCodeResourceNotEvaluable
}

// notEvaluable writes what checks could not judge, once for all of them.
func (w *writer) notEvaluable() {
	type resource struct {
		id     model.ResourceIdentifier
		reason string
	}
	var once []model.AuditFinding
	seen := make(map[resource]bool)
	for _, f := range w.report.Findings {
		k := resource{f.NonCompliantResource.ResourceIdentifier, f.ReasonForNonCompliance}
		if isNotEvaluable(f) && !seen[k] {
			seen[k] = true
			once = append(once, f)
		}
	}
	if len(once) == 0 {
		return
	}
	var rows [][]terminal.Cell
	var worst model.AuditFindingSeverity
	for _, s := range w.worstFirst() {
		n := 0
		for _, f := range w.report.Findings {
			if f.CheckName == s.Name && isNotEvaluable(f) {
				n++
			}
		}
		if n > 0 {
			worst = cmp.Or(worst, s.Severity)
			rows = append(rows, []terminal.Cell{{Text: string(s.Severity), Ink: Ink(s.Severity)}, {Text: s.Name}, {Text: number(n)}})
		}
	}
	w.b.WriteString("\n" + w.screen.Paint(Ink(worst), string(worst)) + "  ")
	w.line("", terminal.Bold, "Could not be judged")
	w.b.WriteString(w.screen.Table("  ", []terminal.Column{{}, {Flex: true, Breaks: "_"}, {Right: true}}, rows))
	w.kinds(once)
	w.b.WriteString("\n")
	w.advice("Replace a certificate that cannot be parsed with a sound copy, add the CA certificates and CRLs that " +
		"the reasons ask for, and audit again: until then nothing is known.")
}

// kind is what findings have in common that are the same but for the resource.
type kind struct{ code, reason string }

// kinds writes findings kind by kind.
func (w *writer) kinds(found []model.AuditFinding) {
	var kinds []kind
	byKind := make(map[kind][]model.AuditFinding)
	for _, f := range found {
		k := kind{f.ReasonForNonComplianceCode, f.ReasonForNonCompliance}
		if byKind[k] == nil {
			kinds = append(kinds, k)
		}
		byKind[k] = append(byKind[k], f)
	}
	slices.SortStableFunc(kinds, func(a, b kind) int { return strings.Compare(a.code, b.code) })
	shown := kinds[:w.cut(len(kinds))]
	for _, k := range shown {
		w.b.WriteString("\n")
		w.prose("  ", terminal.Plain, terminal.Clean(fmt.Sprintf("%s (%s): %s", k.code, number(len(byKind[k])), k.reason)))
		w.resources(byKind[k])
	}
	if len(kinds) > len(shown) {
		w.b.WriteString("\n")
		w.more("  ", len(kinds)-len(shown))
	}
}

// resources writes a table of what findings are about, and of the resources that are related to each.
func (w *writer) resources(found []model.AuditFinding) {
	facts := factsOf(found)
	if len(facts) > 0 && facts[0].isTime {
		slices.SortStableFunc(found, facts[0].compare) // what is due first is read first
	}
	columns := []terminal.Column{{Title: "ID", Flex: true, Breaks: ":/_"}, {Title: "SUBJECT", Cut: true}}
	for _, k := range facts {
		columns = append(columns, terminal.Column{Title: k.title})
	}
	columns = append(columns, w.fromColumn())
	shown := found[:w.cut(len(found))]
	rows := make([][]terminal.Cell, len(shown))
	for i, f := range shown {
		cells := w.resource(f.NonCompliantResource.ResourceIdentifier)
		row := []terminal.Cell{cells[0], cells[1]}
		for _, k := range facts {
			row = append(row, terminal.Cell{Text: k.text(f)})
		}
		rows[i] = append(row, cells[2])
	}
	w.b.WriteString(w.screen.Table("  ", columns, rows))
	w.more("  ", len(found)-len(shown))
	for i, f := range shown {
		if len(f.RelatedResources) > 0 {
			w.related(rows[i][0].Text, f.RelatedResources)
		}
	}
}

func (w *writer) related(id string, list []model.RelatedResource) {
	what := "resource"
	if t := list[0].ResourceType; !slices.ContainsFunc(list, func(o model.RelatedResource) bool { return o.ResourceType != t }) {
		what = strings.ToLower(strings.ReplaceAll(string(t), "_", " "))
	}
	w.b.WriteString("\n")
	w.line("  ", terminal.Plain, fmt.Sprintf("%s concerns %s:", id, plural(len(list), what)))
	shown := list[:w.cut(len(list))]
	rows := make([][]terminal.Cell, len(shown))
	for i, related := range shown {
		rows[i] = w.resource(related.ResourceIdentifier)
	}
	w.b.WriteString(w.screen.Table("    ", []terminal.Column{{Flex: true, Breaks: ":/_"}, {Cut: true}, {Flex: true, Breaks: "/"}}, rows))
	w.more("    ", len(list)-len(shown))
}

// shortID is how much of a certificate's id is shown: enough to tell one from another.
const shortID = 12

// resource returns three cells: a resource's id, how a person recognises it, and where it is from.
func (w *writer) resource(id model.ResourceIdentifier) []terminal.Cell {
	c, ok := w.report.Resources[certificateID(id)]
	if !ok {
		return []terminal.Cell{{Text: terminal.Clean(id.String()), Ink: terminal.Bold}, {}, {}}
	}
	return []terminal.Cell{
		{Text: certificateID(id)[:shortID], Ink: terminal.Bold},
		{Text: terminal.Clean(c.Subject)},
		{Text: terminal.Clean(w.from(c)), Ink: terminal.Faint},
	}
}

// fromColumn is the column of what from returns.
func (w *writer) fromColumn() terminal.Column {
	if w.oneFile {
		return terminal.Column{Title: "BYTE", Right: true}
	}
	return terminal.Column{Title: "FILE:BYTE", Flex: true, Breaks: "/"}
}

// from is where a resource was read, without what the head of the report says already.
func (w *writer) from(c Resource) string {
	if w.oneFile {
		return strconv.FormatInt(c.Offset, 10)
	}
	if paths := w.report.Paths; len(paths) == 1 {
		if short, err := filepath.Rel(paths[0], c.File); err == nil {
			return place(short, c.Offset)
		}
	}
	return place(c.File, c.Offset)
}

// oneFile tells whether all that was found is in the one file that the head of the report names.
func (r *Report) oneFile() bool {
	for _, c := range r.Resources {
		if len(r.Paths) != 1 || c.File != r.Paths[0] {
			return false
		}
	}
	return true
}
