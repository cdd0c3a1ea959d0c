package checks

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"

	"github.com/fleetaudit/fleetaudit/model"
)

// words is how AWS spells the names of checks, parameters and reason codes. CVE numbers bring the hyphen.
var words = regexp.MustCompile(`\A[A-Z][A-Z0-9_-]{0,127}\z`)

// Validate returns everything that is wrong with the Specs of checks that are to work together, in one
// error; nil if nothing is.
func Validate(checks ...Check) error {
	var all []error
	first := make(map[string]int)
	for i, c := range checks {
		s, err := specOf(c)
		if err != nil {
			all = append(all, fmt.Errorf("check %d: %w", i, err))
			continue
		}
		if j, ok := first[s.Name]; ok {
			all = append(all, fmt.Errorf("check %d: Name %q is that of check %d too", i, s.Name, j))
		} else {
			first[s.Name] = i
		}
		for _, err := range s.problems() {
			all = append(all, fmt.Errorf("check %d (%s): %w", i, s.Name, err))
		}
	}
	return errors.Join(all...)
}

// specOf asks a check that may be nil, or broken, for its Spec.
func specOf(c Check) (s Spec, err error) {
	if c == nil {
		return s, errors.New("is nil")
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("its Spec method panicked: %v", p)
		}
	}()
	return c.Spec(), nil
}

func (s Spec) problems() []error {
	var all []error
	add := func(format string, args ...any) { all = append(all, fmt.Errorf(format, args...)) }
	word := func(field, v string) {
		if !words.MatchString(v) {
			add("%s %q must be capital letters, digits and underscores, at most 128", field, v)
		}
	}
	word("Name", s.Name)
	if !slices.Contains(s.Severity.Values(), s.Severity) {
		add("Severity %q must be one of %v", s.Severity, s.Severity.Values())
	}
	if !slices.Contains(s.ResourceType.Values(), s.ResourceType) {
		add("ResourceType %q must be one of %v", s.ResourceType, s.ResourceType.Values())
	}
	if len(s.ReasonCodes) == 0 {
		add("ReasonCodes must have at least one")
	}
	seen := make(map[string]bool)
	for i, r := range s.ReasonCodes {
		field := fmt.Sprintf("ReasonCodes[%d].Code", i)
		word(field, r.Code)
		if seen[r.Code] {
			add("%s %q is there twice", field, r.Code)
		}
		if r.Code == model.ReasonCodeResourceNotEvaluable {
			add("%s %q belongs to every check and must not be declared", field, r.Code)
		}
		seen[r.Code] = true
	}
	clear(seen)
	for i, p := range s.Params {
		field := fmt.Sprintf("Params[%d]", i)
		word(field+".Name", p.Name)
		if seen[p.Name] {
			add("%s.Name %q is there twice", field, p.Name)
		}
		if p.Min > p.Default || p.Default > p.Max {
			add("%s (%s): want Min <= Default <= Max, have %d, %d, %d", field, p.Name, p.Min, p.Default, p.Max)
		}
		seen[p.Name] = true
	}
	if s.Source != nil {
		if err := s.Source.problem(); err != nil {
			add("%w", err)
		}
	}
	for _, u := range append([]Reference{{URL: s.URL}}, s.References...) {
		if v, err := url.Parse(u.URL); u.URL != "" && (err != nil || v.Scheme != "https" || v.Host == "") {
			add("URL %q must be an https address", u.URL)
		}
	}
	return all
}
