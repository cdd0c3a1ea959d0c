package awsapi_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// What the SDK cannot be seen to receive, send or be refused, and why. Each entry must be needed.
var (
	neverReceived = map[string]string{
		"ListTagsForResource.nextToken": "the tags of one resource are one page",
	}
	neverSent = map[string]string{
		"ListAuditSuppressions.ascendingOrder": "true is what it is when it is absent, and the SDK does not send false",
	}
	neverRefused = map[string]string{
		"DeleteAccountAuditConfiguration InvalidRequestException": "its one member is a bool, and no bool is wrong",
		"CreateAuditSuppression LimitExceededException":           "AWS publishes no limit, so the engine has none",
	}
)

// stanza is a row with the calls that prepare it.
type stanza struct {
	before []string
	row    row
}

func stanzas(t *testing.T) (all []stanza) {
	t.Helper()
	b, err := os.ReadFile("testdata/conformance.txt")
	require.NoError(t, err)
	var next stanza
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		if words, ok := strings.CutPrefix(line, "+ "); ok {
			next.before = append(next.before, words)
		} else if line != "" && line[0] != '#' {
			next.row = newRow(t, line)
			all = append(all, next)
			next = stanza{}
		}
	}
	return all
}

// coverage is what was seen to travel: paths of outputs and of inputs, and errors.
type coverage struct {
	received, sent, refused map[string]bool
}

// Every operation of the engine is called with the SDK, and does what the engine does: the SDK's output is the engine's,
// absent and zero told apart, a change that it makes is what the same call of the engine itself changes, and its errors are
// the engine's. Whatever an output can hold was seen filled, leaving any value out of an input was seen to matter, and
// every error that an operation may answer with was seen.
func TestConformance(t *testing.T) {
	served, ways := newServed(), entries()
	seen := coverage{make(map[string]bool), make(map[string]bool), make(map[string]bool)}
	for i, s := range stanzas(t) {
		conform(t, ways[i%len(ways)], served, seen, s)
	}
	received, sent, refused := make(map[string]bool), make(map[string]bool), make(map[string]bool)
	for _, o := range engine.Operations() {
		if served.times(o.Name, http.StatusOK) == 0 {
			t.Errorf("%s was not reached", o.Name)
		}
		leafPaths(outputOf(t, o), o.Name, func(path string) { received[path] = true })
		leafPaths(reflect.TypeOf(o.NewInput()), o.Name, func(path string) { sent[path] = true })
		for _, code := range o.Errors {
			refused[o.Name+" "+code] = true
		}
	}
	covers(t, "received", received, seen.received, neverReceived)
	covers(t, "sent", sent, seen.sent, neverSent)
	covers(t, "refused with", refused, seen.refused, neverRefused)
}

// covers wants all to be seen, but for what cannot be.
func covers(t *testing.T, how string, all, seen map[string]bool, never map[string]string) {
	t.Helper()
	for what := range all {
		if _, ok := never[what]; !seen[what] && !ok {
			t.Errorf("never %s: %s", how, what)
		}
	}
	for what := range never {
		if !all[what] || seen[what] {
			t.Errorf("there is no more reason to pass over %s", what)
		}
	}
}

// prepared makes a plant on which a row can be called.
func prepared(t *testing.T, s stanza) *plant {
	p := newPlant(t, 123456789012)
	for _, words := range s.before {
		p.do(words)
	}
	return p
}

// conform calls one row with the SDK, and compares what comes of it with what comes of it without.
func conform(t *testing.T, entry entry, served *served, seen coverage, s stanza) {
	p, r := prepared(t, s), s.row
	fail := func(format, difference string) {
		if difference != "" {
			t.Errorf("%s %s: "+format+" (-engine +SDK):\n%s", r.Name, r.input, difference)
		}
	}
	c := newClient(listen(t, served.by(newHandler(t, entry.config(p.Engine)))), hasty, entry.key)
	in := p.bind(r)
	var want outcome
	twin := p // on which the same call is made without the SDK
	if !r.reads() {
		twin = prepared(t, s)
	}
	want.out, want.err = r.Call(t.Context(), twin.Engine, twin.bind(r))
	if want.err != nil {
		_, want.err = r.Call(t.Context(), p.Engine, in) // it changes nothing, and names this plant's ids
	}
	refusal, refused := errors.AsType[model.APIError](want.err)
	if refused {
		seen.refused[r.Name+" "+refusal.ErrorCode()] = true
		tries := served.times(r.Name, refusal.HTTPStatusCode()) + 1
		if refusal.ErrorCode() == "LimitExceededException" {
			tries += 2 // the SDK takes it for throttling
		}
		defer func() {
			if n := served.times(r.Name, refusal.HTTPStatusCode()); n != tries {
				t.Errorf("%s %s: %s came %d times more than it should", r.Name, r.input, refusal.ErrorCode(), n-tries)
			}
		}()
	}
	got := call(t, c, r.Operation, in)
	if !refused && !r.reads() {
		want.out = translated(t, want.out, twin.tasks(), p.tasks())
	}
	fail("it answers otherwise", diff(t, r.Operation, got, want))
	if !refused {
		leaves(reflect.ValueOf(want.out), r.Name, func(path string, _ func()) { seen.received[path] = true })
	}
	if r.reads() {
		matters(r, func() *plant { return p }, seen.sent, func(without any) bool {
			out, err := r.Call(t.Context(), p.Engine, without)
			return errorText(err) != errorText(want.err) || !cmp.Equal(out, want.out)
		})
		return
	}
	effect := twin.dump()
	fail("it does otherwise", cmp.Diff(effect, p.dump()))
	if refused {
		return
	}
	third := prepared(t, s)
	matters(r, func() *plant { return third }, seen.sent, func(without any) bool {
		if _, err := r.Call(t.Context(), third.Engine, without); err != nil {
			return true
		}
		changed := third.dump()
		third = prepared(t, s)
		return !slices.Equal(changed, effect)
	})
}

// translated puts the ids of one plant's audits for those of another's.
func translated(t *testing.T, out any, from, to []string) any {
	t.Helper()
	require.Len(t, from, len(to))
	var pairs []string
	for i := range from {
		pairs = append(pairs, from[i], to[i])
	}
	own := reflect.New(reflect.TypeOf(out).Elem()).Interface()
	require.NoError(t, json.Unmarshal([]byte(strings.NewReplacer(pairs...).Replace(string(encoded(t, out)))), own))
	return own
}

// matters notes which values of a row's input make a difference: the call without them, on a plant that on returns, does
// not do the same.
func matters(r row, on func() *plant, seen map[string]bool, differs func(without any) bool) {
	for n := 0; ; n++ {
		in, left, removeLeft := on().bind(r), "", func() {}
		i := 0
		leaves(reflect.ValueOf(in), r.Name, func(path string, remove func()) {
			if i == n {
				left, removeLeft = path, remove
			}
			i++
		})
		if left == "" {
			return
		}
		if removeLeft(); !seen[left] && differs(in) {
			seen[left] = true
		}
	}
}
