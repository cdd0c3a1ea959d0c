package policy

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// glob is a pattern taken apart. No two tokens that are many or level stand side by side.
type glob []token

// token is a character, or one of those below.
type token rune

const (
	one   token = -1 - iota // ?
	many                    // *
	level                   // + of MQTT: any characters but /
	value                   // a variable that somebody else than the device sets; others have numbers below
)

func (t token) literal() bool { return t >= 0 }

func (t token) wildcard() bool { return t == one || t.run() }

// run tells whether t matches any number of characters.
func (t token) run() bool { return t == many || t == level }

// dialect says how a pattern is read.
type dialect struct {
	variables bool   // ${...} are variables, as since version 2012-10-17
	names     *names // of the variables; nil: they are all the same
	chosen    string // the variable that the device chooses, in lower case: as good as *
	filter    bool   // + and # are wildcards where MQTT has them as such
}

// chosenEverywhere are variables that whoever asks fills in as he likes.
var chosenEverywhere = [...]string{"aws:useragent", "aws:referer"}

// compile takes a pattern apart.
func (d dialect) compile(pattern string) glob {
	return d.appendTo(make(glob, 0, len(pattern)), pattern)
}

// appendTo appends a pattern, taken apart, to another.
func (d dialect) appendTo(g glob, pattern string) glob {
	start := len(g)
	for at := 0; at < len(pattern); {
		t, size := token(pattern[at]), 1
		switch {
		case t == '*':
			t = many
		case t == '?':
			t = one
		case t == '$':
			if n := d.variable(pattern[at:]); n > 0 {
				t, size = d.valueOf(pattern[at:at+n]), n
			}
		case t == '+' && d.filter && mqttWildcard(pattern, at):
			t = level
		case t == '#' && d.filter && mqttWildcard(pattern, at):
			t = many
		case t >= utf8.RuneSelf:
			r, n := utf8.DecodeRuneInString(pattern[at:])
			t, size = token(r), n
		}
		at += size
		if last := len(g) - 1; t.run() && last >= start && g[last].run() {
			g[last] = many
			continue
		}
		g = append(g, t)
	}
	return g
}

// variable returns the length of the variable that s begins with; 0: it begins with none. Where nothing ends it, what
// follows in s has no variables either, and d takes note of that: "${${${" would be read to its end again and again.
func (d *dialect) variable(s string) int {
	if !d.variables || !strings.HasPrefix(s, "${") {
		return 0
	}
	n := strings.IndexByte(s, '}') + 1
	d.variables = n > 0
	return n
}

// valueOf is what stands for a variable: "${*}", "${?}" and "${$}" are those characters.
func (d dialect) valueOf(text string) token {
	v := d.names.of(text)
	switch v.name {
	case "*", "?", "$":
		return token(v.name[0])
	case d.chosen, chosenEverywhere[0], chosenEverywhere[1]:
		return many
	}
	return v.token
}

// names gives tokens to the names of variables.
type names struct {
	variables map[string]variable // by what stands between ${ and }, and by the name
	last      token
}

type variable struct {
	name  string // in lower case
	token token
}

// of returns the variable that text is about: "${iot:ClientId}".
func (n *names) of(text string) variable {
	text = text[2 : len(text)-1]
	if n != nil {
		if v, ok := n.variables[text]; ok {
			return v
		}
	}
	name, _, _ := strings.Cut(text, ",") // what follows is a default value
	name = strings.ToLower(strings.TrimSpace(name))
	if n == nil {
		return variable{name, value}
	}
	v, ok := n.variables[name]
	if !ok {
		if n.variables == nil {
			n.variables, n.last = make(map[string]variable), value+1
		}
		n.last--
		v = variable{name, n.last}
		n.variables[name] = v
	}
	n.variables[text] = v
	return v
}

// mqttWildcard tells whether the character at i is + as a whole level of a topic filter, or # as its last.
func mqttWildcard(filter string, i int) bool {
	alone := i == 0 || strings.IndexByte("/*?", filter[i-1]) >= 0
	last := i+1 == len(filter) || strings.IndexByte("*?", filter[i+1]) >= 0
	switch filter[i] {
	case '#':
		return alone && last
	case '+':
		return alone && (last || filter[i+1] == '/')
	}
	return false
}

// effort is how many steps comparing patterns may still take. It keeps a document that was made to be slow, with
// thousands of long patterns, from taking minutes; others do not come near it. All that is done for each two of
// something takes a step at least.
type effort int64

// maxEffort takes about a tenth of a second. The dearest of the policies that AWS manages takes a third of it.
const maxEffort effort = 30_000_000

// spend takes a step, if one is left.
func (e *effort) spend() bool { return e.take(1) }

// take takes n steps, if so many are left.
func (e *effort) take(n int) bool {
	*e -= effort(n)
	return *e >= 0
}

// match is [Match]; told is false when the steps that it may take are not left.
func (e *effort) match(pattern, s string) (fits, told bool) {
	p, n := effort(len(pattern)), effort(len(s))
	if *e -= 4 + (p+n)/4 + p*n/256; *e < 0 {
		return false, false
	}
	return Match(pattern, s), true
}

// covers tells whether g matches everything that x matches. It may say no where the answer is yes, of a
// g with both * and ? in it ("*?", which covers "a*") or when no effort is left, and never the reverse.
func (g glob) covers(x glob, e *effort) bool {
	star, resume := -1, 0
	i, j := 0, 0
	if !e.spend() {
		return false
	}
	for j < len(x) {
		switch {
		case !e.spend():
			return false
		case i < len(g) && g[i] == many:
			star, resume = i, j
			i++
		case i < len(g) && g[i].coversToken(x[j]):
			i++
			j++
		case star >= 0:
			resume++
			i, j = star+1, resume
		default:
			return false
		}
	}
	for i < len(g) && g[i] == many {
		i++
	}
	return i == len(g)
}

func (t token) coversToken(x token) bool {
	return t == x || t == one && x.literal()
}

// meets tells whether there is something that both match. A variable's value is known to match nothing but
// itself and wildcards. When no effort is left it says yes.
func (g glob) meets(x glob, e *effort) bool {
	if !e.take(len(x) + 1) {
		return true
	}
	// row[j]: what g has matched so far can be what x[:j] matches.
	var short [2][64]bool
	row, next := short[0][:], short[1][:]
	if len(x) >= len(row) {
		row, next = make([]bool, len(x)+1), make([]bool, len(x)+1)
	}
	row, next = row[:len(x)+1], next[:len(x)+1]
	row[0] = true
	if len(x) > 0 && x[0].run() {
		row[1] = true
	}
	for _, t := range g {
		next[0] = row[0] && t.run()
		for j := 1; j < len(row); j++ {
			if !e.spend() {
				return true
			}
			last := x[j-1]
			next[j] = t.run() && (row[j] || next[j-1] && t.takes(last)) ||
				last.run() && (next[j-1] || row[j] && last.takes(t)) ||
				row[j-1] && !t.run() && !last.run() && t.meetsToken(last)
		}
		row, next = next, row
	}
	return row[len(x)]
}

// takes tells whether t, which matches a run of characters, may have x in it.
func (t token) takes(x token) bool { return t == many || x != '/' && x != '#' }

func (t token) meetsToken(x token) bool {
	return t == x || t == one && x.literal() || t.literal() && x == one
}

// after returns what is left of g when it has matched prefix, in every way in which it can. A token that
// matches runs and matched the end of prefix is part of what is left, since it may go on.
func (g glob) after(prefix string) (left []glob) {
	at, rest := g.begin(prefix)
	if at < 0 {
		return nil
	}
	states := []int{at}
	for _, r := range rest {
		r := token(r)
		var next []int
		add := func(i int) {
			if len(next) == 0 || next[len(next)-1] < i { // states are in order, and a rune moves each by one at most
				next = append(next, i)
			}
		}
		step := func(i int) {
			if i < len(g) && (g[i] == one || g[i] == r) {
				add(i + 1)
			}
		}
		for _, i := range states {
			if i == len(g) || !g[i].run() {
				step(i)
				continue
			}
			if g[i].takes(r) {
				add(i)
			}
			step(i + 1)
		}
		states = next
	}
	for _, i := range states {
		left = append(left, g[i:])
	}
	return left
}

// begin matches prefix up to where g has a token that matches runs. It returns where that is in g, or where what is left of
// g is, and what it has not matched of prefix. at is negative where g does not match it.
func (g glob) begin(prefix string) (at int, rest string) {
	for i, r := range prefix {
		switch {
		case at == len(g):
			return -1, ""
		case g[at].run():
			return at, prefix[i:]
		case g[at] != one && g[at] != token(r):
			return -1, ""
		}
		at++
	}
	return at, ""
}

// wildAfter tells whether one of what [glob.after] returns begins with a wildcard.
func (g glob) wildAfter(prefix string) bool {
	at, rest := g.begin(prefix)
	switch {
	case at < 0 || at == len(g):
		return false
	case g[at] == many || rest == "": // many goes on to the end of prefix
		return g[at].wildcard()
	}
	return slices.ContainsFunc(g[at:].after(rest), func(left glob) bool { return len(left) > 0 && left[0].wildcard() })
}
