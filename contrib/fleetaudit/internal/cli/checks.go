package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/report"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/terminal"
	"github.com/fleetaudit/fleetaudit/model"
)

func (a *app) checksCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "checks [NAME...]",
		Short: "List the checks, or explain some",
		Long: `checks lists the checks that audit can run. Those that are named are explained: what they
look at, what they report, their parameters, and what to do about a finding.`,
		Example:           "  fleetaudit checks\n  fleetaudit checks DEVICE_CERTIFICATE_EXPIRING_CHECK",
		ValidArgsFunction: a.completeChecks,
		RunE: func(_ *cobra.Command, names []string) error {
			chosen, err := named("", names, a.specs())
			if err != nil {
				return err
			}
			if a.format == formatJSON {
				return a.writeJSON(describeAll(chosen))
			}
			if len(names) == 0 {
				return a.write([]byte(listChecks(a.screen(), chosen)))
			}
			var b strings.Builder
			for i, s := range chosen {
				if i > 0 {
					b.WriteString("\n")
				}
				explain(&b, a.screen(), s)
			}
			return a.write([]byte(b.String()))
		},
	}
}

// listChecks is a table of checks. Where there is room, titles have a column of their own.
func listChecks(screen terminal.Screen, specs []checks.Spec) string {
	columns := []terminal.Column{
		{Title: "SEVERITY"}, {Title: "CHECK", Flex: true, Breaks: "_"}, {Title: "RESOURCE"}, {Title: "WHAT IT REPORTS", Flex: true},
	}
	wide := screen.Width >= 130
	if !wide {
		columns = columns[:3]
	}
	var rows [][]terminal.Cell
	for _, s := range specs {
		row := []terminal.Cell{
			{Text: string(s.Severity), Ink: report.Ink(s.Severity)},
			{Text: s.Name, Ink: terminal.Bold},
			{Text: string(s.ResourceType)},
			{Text: s.Title},
		}
		if !wide {
			rows = append(rows, row[:3], []terminal.Cell{{}, {Text: s.Title}, {}})
			continue
		}
		rows = append(rows, row)
	}
	return screen.Table("", columns, rows) + "\n\"fleetaudit checks NAME\" explains one.\n"
}

// explain writes everything that a check says of itself.
func explain(b *strings.Builder, screen terminal.Screen, s checks.Spec) {
	prose := func(indent, text string) {
		for i, paragraph := range strings.Split(text, "\n\n") {
			if i > 0 {
				b.WriteString("\n")
			}
			for _, line := range terminal.Wrap(paragraph, min(screen.Width, 100)-len(indent), "/") {
				b.WriteString(indent + line + "\n")
			}
		}
	}
	title := func(text string) { b.WriteString("\n" + screen.Paint(terminal.Bold, text) + "\n") }

	b.WriteString(screen.Paint(terminal.Bold, s.Name) + "\n")
	b.WriteString(s.Title + "\n\n")
	b.WriteString("Severity  " + screen.Paint(report.Ink(s.Severity), string(s.Severity)) + "\n")
	b.WriteString("Resource  " + string(s.ResourceType) + "\n\n")
	prose("", s.Doc)
	title("Reason codes")
	for _, r := range append(s.ReasonCodes[:len(s.ReasonCodes):len(s.ReasonCodes)], checks.ReasonCode{
		Code: model.ReasonCodeResourceNotEvaluable, Doc: "It could not be judged; the reason says why.",
	}) {
		b.WriteString("  " + r.Code + "\n")
		prose("      ", r.Doc)
	}
	if len(s.Params) > 0 {
		title("Parameters")
		for _, p := range s.Params {
			b.WriteString("  " + p.Name + "\n")
			prose("      ", p.Doc+" "+strings.TrimSpace(fmt.Sprintf("%d to %d %s", p.Min, p.Max, p.Unit))+fmt.Sprintf(", default %d.", p.Default))
		}
	}
	if s.Remediation != "" {
		title("What to do")
		prose("  ", s.Remediation)
	}
	if s.URL != "" || len(s.References) > 0 {
		title("References")
		for _, r := range s.References {
			prose("  ", strings.TrimSpace(r.Standard+" "+r.Section))
			if r.URL != "" {
				b.WriteString("      " + r.URL + "\n")
			}
		}
		if s.URL != "" {
			b.WriteString("  " + s.URL + "\n")
		}
	}
}

// description is a check in JSON.
type description struct {
	CheckName    string                     `json:"checkName"`
	Title        string                     `json:"title"`
	Severity     model.AuditFindingSeverity `json:"severity"`
	ResourceType model.ResourceType         `json:"resourceType"`
	Doc          string                     `json:"doc"`
	Remediation  string                     `json:"remediation"`
	URL          string                     `json:"url,omitempty"`
	ReasonCodes  []describedCode            `json:"reasonCodes"`
	Params       []describedParam           `json:"params"`
	References   []describedReference       `json:"references"`
}

type describedCode struct {
	Code string `json:"code"`
	Doc  string `json:"doc"`
}

type describedParam struct {
	Name    string `json:"name"`
	Doc     string `json:"doc"`
	Unit    string `json:"unit"`
	Default int    `json:"default"`
	Min     int    `json:"min"`
	Max     int    `json:"max"`
}

type describedReference struct {
	Standard string `json:"standard"`
	Section  string `json:"section"`
	URL      string `json:"url"`
}

// descriptions is the result of checks.
type descriptions struct {
	Checks []description `json:"checks"`
}

func describeAll(specs []checks.Spec) descriptions {
	all := descriptions{Checks: []description{}}
	for _, s := range specs {
		d := description{
			s.Name, s.Title, s.Severity, s.ResourceType, s.Doc, s.Remediation, s.URL,
			[]describedCode{}, []describedParam{}, []describedReference{},
		}
		for _, r := range s.ReasonCodes {
			d.ReasonCodes = append(d.ReasonCodes, describedCode(r))
		}
		for _, p := range s.Params {
			d.Params = append(d.Params, describedParam(p))
		}
		for _, r := range s.References {
			d.References = append(d.References, describedReference(r))
		}
		all.Checks = append(all.Checks, d)
	}
	return all
}
