package policy

import (
	"strings"
	"unicode/utf8"
)

// glob is a pattern taken apart. No two tokens of kind many or level stand side by side.
type glob []token

type token struct {
	kind tokenKind
	r    rune   // of a literal
	name string // of a value: the variable's, in lower case
}

type tokenKind uint8

const (
	literal tokenKind = iota
	one               // ?
	many              // *
	level             // + of MQTT: any characters but /
	value             // a variable that somebody else than the device sets
)

func (t token) wildcard() bool { return t.kind == one || t.run() }

// run tells whether t matches any number of characters.
func (t token) run() bool { return t.kind == many || t.kind == level }

// dialect says how a pattern is read.
type dialect struct {
	variables bool   // ${...} are variables, as since version 2012-10-17
	chosen    string // the variable that the device chooses, in lower case: as good as *
	filter    bool   // + and # are wildcards where MQTT has them as such
}

// chosenEverywhere are variables that whoever asks fills in as he likes.
var chosenEverywhere = [...]string{"aws:useragent", "aws:referer"}

// compile takes a pattern apart.
func (d dialect) compile(pattern string) glob {
	g := make(glob, 0, len(pattern))
	add := func(t token) {
		if last := len(g) - 1; t.run() && last >= 0 && g[last].run() {
			g[last].kind = many
			return
		}
		g = append(g, t)
	}
	for rest := pattern; rest != ""; {
		if n := d.variable(rest); n > 0 {
			add(d.valueOf(rest[:n]))
			rest = rest[n:]
			continue
		}
		r, size := utf8.DecodeRuneInString(rest)
		switch at := len(pattern) - len(rest); {
		case r == '*':
			add(token{kind: many})
		case r == '?':
			add(token{kind: one})
		case d.filter && r == '+' && mqttWildcard(pattern, at):
			add(token{kind: level})
		case d.filter && r == '#' && mqttWildcard(pattern, at):
			add(token{kind: many})
		default:
			add(token{kind: literal, r: r})
		}
		rest = rest[size:]
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
func (d dialect) valueOf(variable string) token {
	name, _, _ := strings.Cut(variable[2:len(variable)-1], ",") // what follows is a default value
	name = strings.ToLower(strings.TrimSpace(name))
	switch name {
	case "*", "?", "$":
		return token{kind: literal, r: rune(name[0])}
	case d.chosen, chosenEverywhere[0], chosenEverywhere[1]:
		return token{kind: many}
	}
	return token{kind: value, name: name}
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
		case i < len(g) && g[i].kind == many:
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
	for i < len(g) && g[i].kind == many {
		i++
	}
	return i == len(g)
}

func (t token) coversToken(x token) bool {
	if t.kind == one {
		return x.kind == one || x.kind == literal
	}
	return t == x
}

// meets tells whether there is something that both match. A variable's value is known to match nothing but
// itself and wildcards. When no effort is left it says yes.
func (g glob) meets(x glob, e *effort) bool {
	if !e.take(len(x) + 1) {
		return true
	}
	// row[j]: what g has matched so far can be what x[:j] matches.
	row, next := make([]bool, len(x)+1), make([]bool, len(x)+1)
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
func (t token) takes(x token) bool {
	return t.kind == many || x.kind != literal || x.r != '/' && x.r != '#'
}

func (t token) meetsToken(x token) bool {
	return t == x || t.kind == one && x.kind == literal || t.kind == literal && x.kind == one
}

// after returns what is left of g when it has matched prefix, in every way in which it can. A token that
// matches runs and matched the end of prefix is part of what is left, since it may go on.
func (g glob) after(prefix string) []glob {
	states := []int{0}
	for _, r := range prefix {
		var next []int
		add := func(i int) {
			if len(next) == 0 || next[len(next)-1] < i { // states are in order, and a rune moves each by one at most
				next = append(next, i)
			}
		}
		step := func(i int) {
			if i < len(g) && (g[i].kind == one || g[i] == token{kind: literal, r: r}) {
				add(i + 1)
			}
		}
		for _, i := range states {
			if i == len(g) || !g[i].run() {
				step(i)
				continue
			}
			if g[i].takes(token{kind: literal, r: r}) {
				add(i)
			}
			step(i + 1)
		}
		states = next
	}
	var left []glob
	for _, i := range states {
		left = append(left, g[i:])
	}
	return left
}
