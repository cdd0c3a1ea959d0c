package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/terminal"
	"github.com/fleetaudit/fleetaudit/model"
)

// findings writes what each check found, the worst severity first.
func (w *writer) findings() {
	byCheck := make(map[string][]model.AuditFinding)
	for _, f := range w.open {
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
	w.checkTitle(s.Severity, s.Name)
	w.prose("", terminal.Faint, s.Title)
	w.kinds(judged)
	if n := len(found) - len(judged); n > 0 {
		w.b.WriteString("\n")
		w.prose("  ", terminal.Plain, fmt.Sprintf("%s (%s): see the end.", model.ReasonCodeResourceNotEvaluable, number(n)))
	}
	if n := w.report.suppressed(s.Name); n > 0 {
		w.b.WriteString("\n")
		w.prose("  ", terminal.Plain, plural(n, "resource")+" suppressed.")
	}
	if s.Remediation != "" {
		w.b.WriteString("\n")
		w.advice(s.Remediation)
	}
}

// checkTitle begins what is said about one check.
func (w *writer) checkTitle(severity model.AuditFindingSeverity, words string) {
	w.b.WriteString("\n" + w.screen.Paint(Ink(severity), string(severity)) + "  ")
	w.line("", terminal.Bold, words)
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
	seen := make(map[resource]int)
	for _, f := range w.open {
		if !isNotEvaluable(f) {
			continue
		}
		k := resource{f.NonCompliantResource.ResourceIdentifier, f.ReasonForNonCompliance}
		i, again := seen[k]
		switch {
		case !again:
			seen[k] = len(once)
			once = append(once, f)
		case w.isOlder(f, once[i]): // another check could not judge it before
			once[i] = f
		}
	}
	if len(once) == 0 {
		return
	}
	var rows [][]terminal.Cell
	var worst model.AuditFindingSeverity
	for _, s := range w.worstFirst() {
		n := 0
		for _, f := range w.open {
			if f.CheckName == s.Name && isNotEvaluable(f) {
				n++
			}
		}
		if n > 0 {
			worst = cmp.Or(worst, s.Severity)
			rows = append(rows, []terminal.Cell{{Text: string(s.Severity), Ink: Ink(s.Severity)}, {Text: s.Name}, {Text: number(n)}})
		}
	}
	w.checkTitle(worst, "Could not be judged")
	w.b.WriteString(w.screen.Table("  ", []terminal.Column{{}, {Flex: true, Breaks: "_"}, {Right: true}}, rows))
	w.kinds(once)
	w.b.WriteString("\n")
	w.advice("Mend or replace a certificate or a policy that cannot be parsed, add what the other reasons ask for, and " +
		"audit again: until then nobody knows whether these resources are in order.")
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
	shown := kinds[:w.cut(len(kinds), Shown)]
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
