package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/report"
)

// specs returns what the checks say of themselves, in order.
func (a *app) specs() []checks.Spec {
	var all []checks.Spec
	for _, c := range a.all(inventory.New(inventory.Contents{})) {
		all = append(all, c.Spec())
	}
	return all
}

// named returns those of specs that names name, in any case, each once and in the order of specs; all of
// them if there are no names.
func named(what string, names []string, specs []checks.Spec) ([]checks.Spec, error) {
	if len(names) == 0 {
		return specs, nil
	}
	all := make([]string, len(specs))
	for i, s := range specs {
		all[i] = s.Name
	}
	wanted := make(map[string]bool)
	for _, name := range names {
		upper := strings.ToUpper(strings.TrimSpace(name))
		if !slices.Contains(all, upper) {
			return nil, fmt.Errorf("%s%q %s", what, name, noSuchCheck(upper, all))
		}
		wanted[upper] = true
	}
	return slices.DeleteFunc(slices.Clone(specs), func(s checks.Spec) bool { return !wanted[s.Name] }), nil
}

// noSuchCheck goes on from a name that none of all is: what may be meant.
func noSuchCheck(name string, all []string) string {
	hint := "see fleetaudit checks"
	if len(nearest(name, all)) > 0 {
		hint = didYouMean(name, all)
	}
	return "is not a check: " + hint
}

// choose returns all checks over a fleet, and which of the wanted ones have something to look at in it, and puts into r
// the others and what limits these.
func (a *app) choose(r *report.Report, wanted []checks.Spec, fleet inventory.Contents) (all []checks.Check, run []checks.Spec) {
	inv := inventory.New(fleet)
	crls := newCoverage(inv, fleet)
	all = a.all(inv)
	for _, c := range all {
		spec := c.Spec()
		if !slices.ContainsFunc(wanted, func(w checks.Spec) bool { return w.Name == spec.Name }) {
			continue
		}
		if not := nothingFor(spec, crls); not.Reason != "" {
			not.CheckName = spec.Name
			r.NotRunChecks = append(r.NotRunChecks, not)
			continue
		}
		run = append(run, spec)
	}
	crls.note(r, run)
	noteWeakKeys(r, run, crls)
	noteConnections(r, run, crls)
	return all, run
}

// nothingFor says what is missing for a check to tell anything; without a reason if nothing is.
func nothingFor(spec checks.Spec, crls coverage) report.NotRunCheck {
	for _, source := range append([]checks.Handle{spec.Source}, spec.Needs...) {
		if source == nil {
			continue
		}
		if n, known := source.SourceLen(); known && n == 0 {
			return crls.missing(source)
		}
	}
	if crls.needed(spec) {
		if certificates, kind := crls.judges(spec); kind != "" && !crls.covered(certificates) {
			return report.NotRunCheck{Reason: "no CRL of an issuer of these certificates was loaded"}
		}
	}
	return report.NotRunCheck{}
}

// completeChecks completes the names of checks, after a comma too.
func (a *app) completeChecks(_ *cobra.Command, given []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	prefix := typed[:strings.LastIndexByte(typed, ',')+1]
	var all []cobra.Completion
	for _, s := range a.specs() {
		if strings.HasPrefix(prefix+s.Name, typed) && !slices.Contains(given, s.Name) {
			all = append(all, cobra.CompletionWithDesc(prefix+s.Name, s.Title))
		}
	}
	return all, cobra.ShellCompDirectiveNoFileComp
}
