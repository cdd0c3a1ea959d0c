package checks

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fleetaudit/fleetaudit/model"
)

// Param is a parameter of a check: a whole number that the account's configuration may set.
type Param struct {
	Name    string // AWS's spelling: CERT_EXPIRATION_THRESHOLD_IN_DAYS
	Doc     string
	Unit    string // of the number, for people: "days"
	Default int
	Min     int // smallest value that is taken
	Max     int // largest value that is taken
}

// Config holds the values of a check's parameters in one run. Its zero value has none.
type Config struct{ values map[string]int }

// Int returns the value of a parameter. It panics if the check's Spec does not declare it.
func (c Config) Int(name string) int {
	v, ok := c.values[name]
	if !ok {
		panic(fmt.Sprintf("checks: the Spec declares no parameter %q", name))
	}
	return v
}

// Days returns the value of a parameter that is in days of 24 hours. It panics if the check's Spec does
// not declare it.
func (c Config) Days(name string) time.Duration {
	return time.Duration(c.Int(name)) * 24 * time.Hour
}

// Configure returns the parameters' values: those that set gives as decimal strings (the form in which
// AWS has them: "30", not "030" or "+30"), and the defaults. What set has wrong goes to p, in the order of
// names, each with the path of its field.
func (s Spec) Configure(p *model.Problems, path string, set map[string]string) Config {
	if len(s.Params) == 0 && len(set) == 0 {
		return Config{}
	}
	c := Config{values: make(map[string]int, len(s.Params))}
	var names []string
	for _, q := range s.Params {
		c.values[q.Name] = q.Default
		names = append(names, q.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(set)) {
		text := set[name]
		i := slices.Index(names, name)
		if i < 0 {
			reason := "is not a parameter of the check, which has none"
			if len(names) > 0 {
				reason = "is not a parameter of the check, which has " + strings.Join(names, ", ")
			}
			p.Add(path, name, reason)
			continue
		}
		q := s.Params[i]
		n, err := strconv.Atoi(text)
		if err != nil || n < q.Min || n > q.Max || strconv.Itoa(n) != text {
			p.Add(path+"."+name, text, fmt.Sprintf("must be a whole number from %d to %d", q.Min, q.Max))
			continue
		}
		c.values[name] = n
	}
	return c
}
