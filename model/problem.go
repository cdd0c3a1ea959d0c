package model

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Problem is one thing that is wrong with an input.
type Problem struct {
	Field  string // the member's JSON path, "targetCheckNames[2]"
	Value  string // what stood there, shortened, text in quotes; empty when absent
	Reason string // what would be right
}

// String is the problem as a part of a sentence: "maxResults 0 must be at least 1".
func (p Problem) String() string {
	if p.Value == "" {
		return p.Field + " " + p.Reason
	}
	return p.Field + " " + p.Value + " " + p.Reason
}

// Problems collects everything that is wrong with one input, so that one error can name it all. The
// zero value is empty and ready to use.
type Problems []Problem

// Add notes that field is wrong. value is what stood there (nil: it is absent), and reason goes on from
// "field value": "must be at most 250".
func (p *Problems) Add(field string, value any, reason string) {
	shown := ""
	switch v := value.(type) {
	case nil:
	case string:
		shown = Quote(v)
	case bool, int, int32, int64, float64:
		shown = fmt.Sprint(v)
	default:
		shown = Quote(fmt.Sprint(v))
	}
	*p = append(*p, Problem{field, shown, reason})
}

// shownProblems is how many problems a message names, so that a hostile input of a million wrong values
// does not get a message as long as itself.
const shownProblems = 100

// Err is nil without problems, otherwise an *InvalidRequestException: its message names the first
// hundred, its Problems are all.
func (p Problems) Err() error {
	if len(p) == 0 {
		return nil
	}
	words := make([]string, 0, shownProblems+1)
	for _, q := range p[:min(len(p), shownProblems)] {
		words = append(words, q.String())
	}
	if more := len(p) - shownProblems; more > 0 {
		words = append(words, fmt.Sprintf("and %d more", more))
	}
	return &InvalidRequestException{Message: strings.Join(words, "; "), Problems: p}
}

var plainKey = regexp.MustCompile(`\A[\w-]{1,80}\z`)

// KeyPath is the path of what stands under key in the map at path: "auditCheckConfigurations.MY_CHECK".
// A key that is long or has other characters than letters, digits, "_" and "-" is quoted and shortened.
func KeyPath(path, key string) string {
	if plainKey.MatchString(key) {
		return path + "." + key
	}
	return path + "[" + Quote(key) + "]"
}

// shownRunes is how much of a wrong value an error repeats.
const shownRunes = 80

// Quote returns a value that somebody sent as messages show it: in quotes, with what cannot be seen as escapes, and
// cut when it is long.
func Quote(s string) string {
	n := 0
	for i := range s {
		if n == shownRunes {
			return fmt.Sprintf("%q... (%d characters)", s[:i], utf8.RuneCountInString(s))
		}
		n++
	}
	return fmt.Sprintf("%q", s)
}
