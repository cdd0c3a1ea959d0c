package permission_test

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// grammar makes policies of bytes: each choice takes one, and with none left, the first of each list is taken.
type grammar struct{ rest []byte }

func (g *grammar) choose(n int) int {
	if len(g.rest) == 0 {
		return 0
	}
	b := g.rest[0]
	g.rest = g.rest[1:]
	return int(b) % n
}

func (g *grammar) of(words string) string {
	all := strings.Fields(words)
	return all[g.choose(len(all))]
}

// theme is what a policy is about, so that its statements have to do with each other: names that are broad, that
// are narrow, that contain each other, and that do not. One of so many statements denies, and has a condition.
type theme struct {
	actions, nouns, names, arns string
	denies, conditions          int
}

func themes() []theme {
	all := []theme{
		{"iot:Connect iot:* iot:Con* iot:?onnect", "client/", "* lamp-1 lamp-* ?* ${iot:ClientId} ${iot:Connection.Thing.ThingName}",
			"* arn:*:iot:*:*:client/* arn:aws:iot:us-east-1:123456789012:*", 3, 2},
		{"iot:Publish iot:* iot:Pub* iot:RetainPublish", "topic/",
			"* $aws/* $aws/things/* $aws/things/*/shadow/update $aws/things/${iot:ClientId}/* $aws/things/lamp-1/* lamps/* + lamps/#",
			"* arn:*:iot:*:*:topic/*", 3, 6},
		{"iot:Subscribe iot:Subscribe iot:Receive iot:*", "topicfilter/ topicfilter/ topic/",
			"* lab/* lab/door lab/# lab/*/door lab/door/* + # $aws/things/+/shadow/get $aws/*", "*", 2, 8},
		{"iot:GetThingShadow iot:DescribeThing iot:UpdateThing iot:*Thing iot:*Thing* iot:UpdateJobExecution iotjobsdata:*", "thing/",
			"* lamp-1 lamp-* ${iot:Connection.Thing.ThingName}", "* arn:*:iot:*:*:thing/*", 3, 6},
		{"iot:CreatePolicy iot:Create* iot:* iot:NotKnown iot:Not* iot:ListThings", "policy/ thing/", "* p p*", "*", 3, 6},
		{"s3:* dynamodb:* s3:GetObject iam:GetRole s*:* iam:* dynamodb:PutItem sqs:SendMessage *", "topic/", "x",
			"* arn:aws:s3:::bucket/* arn:aws:dynamodb:us-east-1:123456789012:table/T1 arn:aws:s3:::bucket/${credentials-iot:ThingName}/*", 3, 6},
	}
	mixed := theme{denies: 3, conditions: 6}
	for _, t := range all {
		mixed.actions += " " + t.actions
		mixed.nouns += " " + t.nouns
		mixed.names += " " + t.names
		mixed.arns += " " + t.arns
	}
	return append(all, mixed, all[0], all[2], all[2]) // with conditions and filters the most can go wrong
}

// someConditions are operator, key and values.
const someConditions = `Bool iot:Connection.Thing.IsAttached true;Bool iot:Connection.Thing.IsAttached false;` +
	`Bool iot:Connection.Thing.IsAttached false,true;StringNotEquals iot:Connection.Thing.IsAttached true;` +
	`IpAddress aws:SourceIp 10.0.0.0/8,192.168.0.0/16;StringEquals iot:ClientId lamp-1,lamp-2;StringLike iot:ClientId lamp-*,*;` +
	`StringLike iot:ClientId lamp-*;StringEquals iot:ClientId ${iot:ClientId},lamp-1;` +
	`StringNotEquals iot:ClientId ${iot:Connection.Thing.ThingName};StringNotLike iot:ClientId lamp-*,${iot:Connection.Thing.ThingName}`

func (g *grammar) resource(t theme) string {
	if g.choose(4) == 1 {
		return g.of(t.arns)
	}
	return iotPrefix + g.of(t.nouns) + g.of(t.names)
}

func (g *grammar) statement(t theme, effect string) statement {
	st := statement{Effect: effect}
	actions, resources := []string{g.of(t.actions)}, []string{g.resource(t)}
	if g.choose(3) == 1 {
		actions = append(actions, g.of(t.actions))
	}
	if g.choose(3) == 1 {
		resources = append(resources, g.resource(t))
	}
	st.Action, st.Resource = actions, resources
	if g.choose(12) == 1 {
		st.Action, st.NotAction = nil, actions
	}
	if g.choose(12) == 1 {
		st.Resource, st.NotResource = nil, resources
	}
	for g.choose(t.conditions) == 1 {
		all := strings.Split(someConditions, ";")
		c := strings.Fields(all[g.choose(len(all))])
		if st.Condition == nil {
			st.Condition = make(map[string]map[string][]string)
		}
		if st.Condition[c[0]] == nil {
			st.Condition[c[0]] = make(map[string][]string)
		}
		st.Condition[c[0]][c[1]] = strings.Split(c[2], ",")
	}
	return st
}

func (g *grammar) document() (document, theme) {
	d, about := document{Version: "2012-10-17"}, themes()[g.choose(len(themes()))]
	if g.choose(16) == 1 {
		d.Version = "2008-10-17"
	}
	for range 1 + g.choose(4) {
		effect := "Allow"
		if g.choose(about.denies) == 1 {
			effect = "Deny"
		}
		d.Statement = append(d.Statement, g.statement(about, effect))
	}
	return d, about
}

// used makes the services that a role used; nil: not known.
func (g *grammar) used() map[string]time.Time {
	switch g.choose(5) {
	case 0:
		return nil
	case 1:
		return map[string]time.Time{}
	case 2:
		return map[string]time.Time{"dynamodb": now, "s3": now}
	case 3:
		return map[string]time.Time{"iot": now, "iotjobsdata": now, "iam": now}
	}
	return map[string]time.Time{"iot": now, "iotjobsdata": now, "dynamodb": now, "sqs": now, "iam": now, "s3": now.AddDate(-2, 0, 0)}
}

// sample is some bytes for a grammar.
func sample(r *rand.Rand) []byte {
	b := make([]byte, 60)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// TestGrammar: what the grammar makes is worth trying. Both verdicts of each check are frequent, every reason code
// comes up, and so does a Deny that makes a difference.
func TestGrammar(t *testing.T) {
	const count = 300
	r := rand.New(rand.NewPCG(3, 4))
	var whole, withoutDenies []principal
	for range count {
		g := grammar{sample(r)}
		d, _ := g.document()
		used := g.used()
		whole = append(whole, principal{policies: [][]byte{d.text(t)}, used: used})
		d.Statement = slices.DeleteFunc(slices.Clone(d.Statement), func(st statement) bool { return st.Effect == "Deny" })
		if len(d.Statement) == 0 {
			d.Statement = []statement{{Effect: "Allow", Action: []string{"s3:x"}, NotResource: []string{"*"}}}
		}
		withoutDenies = append(withoutDenies, principal{policies: [][]byte{d.text(t)}, used: used})
	}
	for _, s := range subjects() {
		seen := make(map[string]int)
		bad, denied := 0, 0
		free := s.verdicts(t, withoutDenies)
		for i, got := range s.verdicts(t, whole) {
			if got != "" {
				bad++
			}
			if got != free[i] {
				denied++
			}
			for code := range strings.FieldsSeq(got) {
				seen[code]++
			}
		}
		t.Logf("%s: %d of %d not compliant, %d changed by Denies, %v", s.file, bad, count, denied, seen)
		if bad < count/10 || bad > count*9/10 || denied < count/100 {
			t.Errorf("%s: too few of one kind", s.file)
		}
		for _, code := range s.codes() {
			if seen[code] < 2 {
				t.Errorf("%s: %s came up %d times", s.file, code, seen[code])
			}
		}
	}
}

// FuzzVerdicts: what means the same has the same verdict, and the same words unless the case of names differs; what
// allows more is not better off, and what denies more is not worse. The check of misconfigurations is about Denies, so
// that one more may well be its first finding.
func FuzzVerdicts(f *testing.F) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 240 {
		f.Add(sample(r))
	}
	all := subjects()
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 200 {
			return
		}
		g := grammar{data}
		s := all[g.choose(len(all))]
		d, about := g.document()
		used := g.used()
		with := func(st statement) [][]byte {
			more := d
			more.Statement = append(slices.Clone(d.Statement), st)
			return [][]byte{more.text(t)}
		}
		deny := g.statement(about, "Deny")
		always := deny
		always.Condition = nil
		const plain, moreAllowed, moreDenied, moreDeniedAlways, same = 0, 1, 2, 3, 4
		ways := []principal{
			plain:            {name: "plain", policies: [][]byte{d.text(t)}},
			moreAllowed:      {name: "more allowed", policies: with(g.statement(about, "Allow"))},
			moreDenied:       {name: "more denied", policies: with(deny)},
			moreDeniedAlways: {name: "more denied without conditions", policies: with(always)},
		}
		cased := make(map[string]bool)
		for _, s := range spellings()[1:] { // from here on they mean the same as the first
			ways = append(ways, principal{name: s.name, policies: [][]byte{s.write(t, d)}})
			cased[s.name] = s.cased
		}
		ways = append(ways, principal{name: "shuffled", policies: [][]byte{g.shuffled(d).text(t)}})
		if s.several() {
			split := principal{name: "a policy for each statement"}
			for _, st := range g.shuffled(d).Statement {
				split.policies = append(split.policies, document{d.Version, []statement{st}}.text(t))
			}
			ways = append(ways, split, principal{name: "twice", policies: [][]byte{d.text(t), d.text(t)}})
		}
		for i := range ways {
			ways[i].used = used
		}
		found := s.findings(t, ways)
		verdict := func(way int) string { return verdictOf(found[way]) }
		for i := same; i < len(found); i++ {
			if verdict(i) != verdict(plain) {
				t.Errorf("%s: %q, and %s %q\n%s\n%s", s.file, verdict(plain), ways[i].name, verdict(i), ways[plain].policies, ways[i].policies)
			} else if a, b := wordsOf(found[plain]), wordsOf(found[i]); a != b && !cased[ways[i].name] {
				t.Errorf("%s: %s, and %s:\n%s\n%s\n%s", s.file, a, ways[i].name, b, ways[plain].policies, ways[i].policies)
			}
		}
		if lost := s.lost(verdict(plain), verdict(moreAllowed)); lost != "" {
			t.Errorf("%s: %s is gone with more allowed\n%s\n%s", s.file, lost, ways[plain].policies, ways[moreAllowed].policies)
		}
		if s.file == "iot_policy_potential_misconfiguration" {
			return
		}
		for _, way := range []int{moreDenied, moreDeniedAlways} {
			if won := s.lost(verdict(way), verdict(plain)); won != "" {
				t.Errorf("%s: %s is there with %s\n%s\n%s", s.file, won, ways[way].name, ways[plain].policies, ways[way].policies)
			}
		}
	})
}

// lost returns the first code of before that is not in after, though it should be.
func (s subject) lost(before, after string) string {
	for code := range strings.FieldsSeq(before) {
		if !slices.Contains(strings.Fields(after), code) &&
			!(s.file == "authenticated_cognito_role" && code == broadDataPlane && after != "") { // gives way to AWS's codes
			return code
		}
	}
	return ""
}

// codes returns the reason codes of the check.
func (s subject) codes() (all []string) {
	for _, r := range s.empty().Spec().ReasonCodes {
		all = append(all, r.Code)
	}
	return all
}

// shuffled returns d with its statements and lists in another order.
func (g *grammar) shuffled(d document) document {
	d = d.edited(func(list []string, _ part) []string { return shuffle(g, list) })
	shuffle(g, d.Statement)
	return d
}

func shuffle[T any](g *grammar, list []T) []T {
	for i := len(list) - 1; i > 0; i-- {
		j := g.choose(i + 1)
		list[i], list[j] = list[j], list[i]
	}
	return list
}

// TestNotationRoundTrip: what the notation and the spellings write is what was meant, by encoding/json.
func TestNotationRoundTrip(t *testing.T) {
	d := parseDocument(t, "2008-10-17 allow not iot:Connect,s3:* on *; deny a:b on not client/x,arn:aws:s3:::y if Bool k=true,false and StringLike k=v and StringLike l=w")
	want := document{Version: "2008-10-17", Statement: []statement{
		{Effect: "Allow", NotAction: []string{"iot:Connect", "s3:*"}, Resource: []string{"*"}},
		{Effect: "Deny", Action: []string{"a:b"}, NotResource: []string{iotPrefix + "client/x", "arn:aws:s3:::y"},
			Condition: map[string]map[string][]string{"Bool": {"k": {"true", "false"}}, "StringLike": {"k": {"v"}, "l": {"w"}}}},
	}}
	require.Equal(t, want, d)
	for _, s := range spellings() {
		var tree any
		require.NoError(t, json.Unmarshal(s.write(t, d), &tree), s.name)
	}
	var plain, escaped any
	require.NoError(t, json.Unmarshal(d.text(t), &plain))
	require.NoError(t, json.Unmarshal(spellings()[len(spellings())-1].write(t, d), &escaped))
	require.Equal(t, plain, escaped)
}
