package checks

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/fleetaudit/fleetaudit/model"
)

// words is how AWS spells the names of checks, parameters and reason codes. CVE numbers bring the hyphen.
var words = regexp.MustCompile(`\A[A-Z][A-Z0-9_-]{0,127}\z`)

// Validate returns everything that is wrong with the Specs of checks that are to work together, in one
// error; nil if nothing is.
func Validate(checks ...Check) error {
	_, err := Specs(checks...)
	return err
}

// Specs returns the Spec of each check, which it reads once, and the error of [Validate].
func Specs(checks ...Check) ([]Spec, error) {
	specs := make([]Spec, len(checks))
	var all []error
	first := make(map[string]int)
	for i, c := range checks {
		s, err := specOf(c)
		if err != nil {
			all = append(all, fmt.Errorf("check %d: %w", i, err))
			continue
		}
		specs[i] = s
		if j, ok := first[s.Name]; !ok {
			first[s.Name] = i
		} else if s.Name != "" {
			all = append(all, fmt.Errorf("check %d: Name %q is that of check %d too", i, s.Name, j))
		}
		who := fmt.Sprintf("check %d", i)
		if words.MatchString(s.Name) {
			who += " (" + s.Name + ")"
		}
		for _, err := range s.problems() {
			all = append(all, fmt.Errorf("%s: %w", who, err))
		}
	}
	return specs, errors.Join(all...)
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
			add("%s %q must be a capital letter and up to 127 capital letters, digits, _ and -", field, v)
		}
	}
	word("Name", s.Name)
	if !slices.Contains(s.Severity.Values(), s.Severity) {
		add("Severity %q must be one of %s", s.Severity, list(s.Severity.Values()))
	}
	if !slices.Contains(s.ResourceType.Values(), s.ResourceType) {
		add("ResourceType %q must be one of %s", s.ResourceType, list(s.ResourceType.Values()))
	}
	if len(s.ReasonCodes) == 0 {
		add("ReasonCodes must have at least one")
	}
	seen := make(map[string]bool)
	for i, r := range s.ReasonCodes {
		field := fmt.Sprintf("ReasonCodes[%d].Code", i)
		word(field, r.Code)
		if r.Code == model.ReasonCodeResourceNotEvaluable {
			add("%s %q belongs to every check and must not be declared", field, r.Code)
		} else if seen[r.Code] && r.Code != "" {
			add("%s %q is there twice", field, r.Code)
		}
		seen[r.Code] = true
	}
	clear(seen)
	for i, p := range s.Params {
		field := fmt.Sprintf("Params[%d]", i)
		word(field+".Name", p.Name)
		if seen[p.Name] && p.Name != "" {
			add("%s.Name %q is there twice", field, p.Name)
		}
		if p.Min > p.Default || p.Default > p.Max {
			add("%s must have Min <= Default <= Max, not %d, %d, %d", field, p.Min, p.Default, p.Max)
		}
		seen[p.Name] = true
	}
	for i, h := range append([]Handle{s.Source}, s.Needs...) {
		if h != nil {
			if err := h.problem(); err != nil {
				add("%w", err)
			}
		} else if i > 0 {
			add("Needs[%d] is nil", i-1)
		}
	}
	link := func(field, v string) {
		if u, err := url.Parse(v); v != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
			add("%s %q must be an https address", field, v)
		}
	}
	link("URL", s.URL)
	for i, r := range s.References {
		link(fmt.Sprintf("References[%d].URL", i), r.URL)
	}
	return all
}

func list[E ~string](all []E) string {
	var words []string
	for _, v := range all {
		words = append(words, string(v))
	}
	return strings.Join(words, ", ")
}
