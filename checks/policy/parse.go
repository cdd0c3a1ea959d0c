package policy

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/fleetaudit/fleetaudit/checks/internal/strictjson"
)

const (
	// MaxLength is how long a document may be, in characters: AWS's limit of a PolicyDocument.
	MaxLength = 404_600
	// MaxPatterns is how many actions, resources and values of conditions a document may have, all together, so
	// that it can be judged quickly. A condition without values counts as one. The largest policy of AWS's own has
	// half as many.
	MaxPatterns = 10_000
)

// Parse reads the policy document of an identity, be it one of AWS IoT or of an IAM role.
//
// It is strict, so that it never sees another policy than AWS does: names of members are exact and none is there
// twice; effects and condition operators are in AWS's spelling; a statement has Action or NotAction, and Resource
// or NotResource, and none of them is empty; there is no Principal. A condition may have an empty list of values, as
// AWS's own policies of persistent sessions do. An empty list of statements is AWS's blank
// policy. Of which characters a Sid is, or whether a resource is an ARN, is not looked at. The limits are
// [MaxLength], [MaxPatterns], and a depth of 32. Every error is a [*SyntaxError].
func Parse(data []byte) (*Document, error) {
	if n := utf8.RuneCount(data); n > MaxLength {
		return nil, &SyntaxError{Line: 1, Column: 1, Problem: fmt.Sprintf("has %d characters, and may have %d", n, MaxLength)}
	}
	d, err := new(parser).parse(data)
	if e, ok := errors.AsType[*strictjson.Error](err); ok {
		return nil, (*SyntaxError)(e)
	}
	return d, err
}

// version2008 is the version of policies that have no variables, and of those that do not tell theirs.
const version2008 = "2008-10-17"

// parser is one [Parse].
type parser struct {
	patterns int // read so far
}

func (p *parser) parse(data []byte) (*Document, error) {
	v, err := strictjson.Parse(data)
	if err != nil {
		return nil, err
	}
	if _, err := v.AsObject("Version", "Id", "Statement"); err != nil {
		return nil, err
	}
	d := &Document{Version: version2008}
	if version := v.Find("Version"); version != nil {
		if d.Version, err = version.AsString(); err != nil {
			return nil, err
		}
		if d.Version != version2008 && d.Version != version2012 {
			return nil, version.Wrong("must be " + version2012 + " or " + version2008)
		}
	}
	if d.ID, err = v.Find("Id").AsString(); err != nil {
		return nil, err
	}
	member, err := v.Need("Statement")
	if err != nil {
		return nil, err
	}
	statements, err := oneOrMore(member, "an object", strictjson.Object)
	if err != nil {
		return nil, err
	}
	for _, v := range statements {
		s, err := p.statement(v)
		if err != nil {
			return nil, err
		}
		d.Statements = append(d.Statements, s)
	}
	return d, nil
}

func (p *parser) statement(v *strictjson.Value) (s Statement, err error) {
	for i := range v.Members {
		switch m := &v.Members[i]; m.Name {
		case "Principal", "NotPrincipal":
			return s, m.Errorf("is for policies of resources: that of an identity has none")
		}
	}
	if _, err = v.AsObject("Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"); err != nil {
		return s, err
	}
	if s.Sid, err = v.Find("Sid").AsString(); err != nil {
		return s, err
	}
	if s.Effect, err = readEffect(v); err != nil {
		return s, err
	}
	if s.Actions, s.NotActions, err = p.eitherOr(v, "Action", "NotAction", wantAction); err != nil {
		return s, err
	}
	if s.Resources, s.NotResources, err = p.eitherOr(v, "Resource", "NotResource", wantResource); err != nil {
		return s, err
	}
	s.Conditions, err = p.conditions(v.Find("Condition"))
	return s, err
}

func readEffect(statement *strictjson.Value) (Effect, error) {
	v, err := statement.Need("Effect")
	if err != nil {
		return "", err
	}
	text, err := v.AsString()
	if e := Effect(text); err != nil || e == Allow || e == Deny {
		return e, err
	}
	return "", v.Wrong("must be Allow or Deny")
}

// want tells what is wrong with a value.
type want func(*strictjson.Value) error

// eitherOr reads the patterns of one of two members, of which exactly one must be there.
func (p *parser) eitherOr(v *strictjson.Value, name, notName string, check want) (is, not []string, err error) {
	member, notMember := v.Find(name), v.Find(notName)
	switch {
	case member != nil && notMember != nil:
		return nil, nil, v.Errorf("has both %s and %s", name, notName)
	case member != nil:
		is, err = p.texts(member, check, "a string", strictjson.String)
	case notMember != nil:
		not, err = p.texts(notMember, check, "a string", strictjson.String)
	default:
		return nil, nil, v.Errorf("has neither %s nor %s", name, notName)
	}
	return is, not, err
}

// actionPattern is the shape of an action: the prefix of a service, and the name.
var actionPattern = regexp.MustCompile(`\A(\*|[\w.*?-]+:[\w.*?-]+)\z`)

func wantAction(v *strictjson.Value) error {
	if actionPattern.MatchString(v.Text) {
		return nil
	}
	return v.Wrong("must be * or like iot:Publish")
}

func wantResource(v *strictjson.Value) error {
	if v.Text == "" {
		return v.Wrong("must not be empty")
	}
	return nil
}

// conditions reads a Condition, which may be absent: by operator, then by key.
func (p *parser) conditions(v *strictjson.Value) (all []Condition, err error) {
	operators, err := v.AsObject()
	if err != nil {
		return nil, err
	}
	for i := range operators {
		o := &operators[i]
		if !knownOperator(o.Name) {
			return nil, o.Errorf("is no condition operator")
		}
		keys, err := o.Value.AsObject()
		if err != nil {
			return nil, err
		}
		folded := make(map[string]bool, len(keys))
		for j := range keys {
			key := &keys[j]
			c := Condition{Operator: o.Name, Key: key.Name}
			switch lower := strings.ToLower(key.Name); {
			case lower == "":
				return nil, key.Errorf("is no condition key")
			case folded[lower]:
				return nil, key.Errorf("is there twice, in another case, which does not matter")
			default:
				folded[lower] = true
			}
			c.Values, err = p.texts(&key.Value, nil, "a string, number or boolean",
				strictjson.String, strictjson.Number, strictjson.Bool)
			if err != nil {
				return nil, err
			}
			all = append(all, c)
		}
	}
	return all, nil
}

// knownOperator tells whether there is a condition operator of this name. AWS refuses one in another case.
func knownOperator(operator string) bool {
	for _, quantifier := range [...]string{"ForAllValues:", "ForAnyValue:"} {
		if base, ok := strings.CutPrefix(operator, quantifier); ok {
			operator = base
			break
		}
	}
	if operator == "Null" { // has no IfExists: that is what it asks
		return true
	}
	switch strings.TrimSuffix(operator, "IfExists") {
	case "StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase",
		"StringLike", "StringNotLike",
		"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals",
		"NumericGreaterThan", "NumericGreaterThanEquals",
		"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals",
		"ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike", "Bool", "BinaryEquals", "IpAddress", "NotIpAddress":
		return true
	}
	return false
}

// texts returns what v says, or what the values of a list say, which must not be empty if there is a check. All must
// be of one of kinds and pass the check, unless that is nil.
func (p *parser) texts(v *strictjson.Value, check want, what string, kinds ...strictjson.Kind) ([]string, error) {
	values, err := oneOrMore(v, what, kinds...)
	if err != nil {
		return nil, err
	}
	if len(values) == 0 {
		if check != nil {
			return nil, v.Errorf("must not be empty")
		}
		return []string{}, p.count(v)
	}
	all := make([]string, len(values))
	for i, v := range values {
		if err := p.count(v); err != nil {
			return nil, err
		}
		if check != nil {
			if err := check(v); err != nil {
				return nil, err
			}
		}
		all[i] = v.Text
	}
	return all, nil
}

// count counts v.
func (p *parser) count(v *strictjson.Value) error {
	if p.patterns++; p.patterns > MaxPatterns {
		return v.Errorf("is one too many: there may be %d actions, resources and values of conditions", MaxPatterns)
	}
	return nil
}

// oneOrMore returns the values of a list, or v itself if it is none. All must be of one of kinds.
func oneOrMore(v *strictjson.Value, what string, kinds ...strictjson.Kind) ([]*strictjson.Value, error) {
	if v.Kind != strictjson.List {
		if !slices.Contains(kinds, v.Kind) {
			return nil, v.Not(what + ", or a list of them")
		}
		return []*strictjson.Value{v}, nil
	}
	all := make([]*strictjson.Value, len(v.Elems))
	for i := range v.Elems {
		if all[i] = &v.Elems[i]; !slices.Contains(kinds, all[i].Kind) {
			return nil, all[i].Not(what)
		}
	}
	return all, nil
}
