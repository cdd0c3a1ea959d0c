package inventory

import (
	"bytes"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/fleetaudit/fleetaudit/checks/internal/strictjson"
	"github.com/fleetaudit/fleetaudit/checks/policy"
)

// PolicyVersion is one version of an IoT policy. [NewPolicyVersion] makes it; the host may then set the other
// fields.
type PolicyVersion struct {
	Name      string // policyName
	VersionID string // policyVersionId: "1"
	// NotDefault says that another version is the one in force. Checks pass over such a version.
	NotDefault bool
	Targets    []string // what it is attached to: ARNs of certificates and thing groups, Cognito identity ids
	Origin     Origin

	Document *policy.Document // nil if ParseError is not empty
	// ParseError is what the parser says about a document that is not valid; empty if it is.
	ParseError string
}

// NewPolicyVersion makes a PolicyVersion that is the default one. It never fails: the error of a document that
// is not valid is its ParseError.
func NewPolicyVersion(name, versionID string, document []byte) PolicyVersion {
	v := PolicyVersion{Name: name, VersionID: versionID}
	v.Document, v.ParseError = parsePolicy(document)
	return v
}

func parsePolicy(document []byte) (*policy.Document, string) {
	d, err := policy.Parse(document)
	if err != nil {
		return nil, shorten(err.Error())
	}
	return d, ""
}

// What AWS lets policies, and versions of them, be called.
var (
	policyName      = form{regexp.MustCompile(`\A[\w+=,.@-]{1,128}\z`), "1 to 128 letters, digits and characters of _+=,.@-"}
	policyVersionID = form{regexp.MustCompile(`\A[0-9]{1,20}\z`), "a number in digits"}
)

// policyVersion reads an element of policies.
func (l *Loader) policyVersion(e element) {
	r, ok := l.open(e)
	if !ok || !r.check(r.root, members{
		needed:   []string{"policyName", "policyVersionId", documentMember},
		optional: []string{"isDefaultVersion", targetsMember},
		passed:   []string{"policyArn", "creationDate", "lastModifiedDate", "generationId"},
	}) {
		return
	}
	v := PolicyVersion{
		Name: r.text(r.root, "policyName", policyName), VersionID: r.text(r.root, "policyVersionId", policyVersionID),
		NotDefault: !r.flag(r.root, "isDefaultVersion", true), Targets: r.targets(),
	}
	v.Document, v.ParseError = r.document(r.root)
	if v.Name != "" && v.VersionID != "" {
		l.addPolicyVersion(v, e.at)
	}
}

// targets reads the list that was set apart.
func (r *elementReader) targets() (all []string) {
	v := r.root.Find(targetsMember)
	if v == nil {
		return nil
	}
	data := r.apart(v)
	if data[0] != '[' {
		r.tell(v.Errorf("must be a list"))
		return nil
	}
	at := r.at
	at.Offset += v.Offset
	// It has no error: the element is valid.
	_ = newStream(element{data: data, at: at}).list(r.path+"."+targetsMember, func(e element) {
		// Most are ARNs, with nothing in them that has to be decoded.
		if n := len(e.data); n > 2 && e.data[0] == '"' && bytes.IndexByte(e.data, '\\') < 0 && utf8.Valid(e.data) {
			all = append(all, string(e.data[1:n-1]))
			return
		}
		one, ok := r.l.open(e)
		if !ok {
			return
		}
		if text, err := one.root.AsString(); err != nil {
			one.tell(err)
		} else if text == "" {
			one.tell(one.root.Wrong("must not be empty"))
		} else {
			all = append(all, text)
		}
	})
	return all
}

// document reads the policy document of v. What is wrong with it is told, and returned.
func (r *elementReader) document(v *strictjson.Value) (*policy.Document, string) {
	member := v.Find(documentMember)
	if member == nil {
		return nil, documentMember + " is missing"
	}
	data, object := []byte(member.Text), false
	if member.Kind != strictjson.String {
		data = r.apart(member)
		object = data[0] == '{'
	}
	if member.Kind != strictjson.String && !object {
		r.tell(member.Errorf("must be an object, or a string that holds one"))
		return nil, documentMember + " is neither an object nor a string"
	}
	d, err := policy.Parse(data)
	if err == nil {
		return d, ""
	}
	if object {
		inner := *r
		inner.at.Offset += member.Offset
		inner.path = r.pathOf(member)
		inner.tell(err)
	} else {
		r.tell(member.Errorf("does not parse: %v", err))
	}
	return nil, shorten(err.Error())
}

// policyFile reads an object that is a policy document, and is named after its file.
func (l *Loader) policyFile(data []byte, at Origin) {
	name := filepath.Base(at.File)
	name = strings.TrimSuffix(name, filepath.Ext(name))
	if !policyName.pattern.MatchString(name) {
		l.problems.add(at, fmt.Sprintf("policy document is not read: it goes by the name of its file, and %.80q is not %s", name, policyName.want))
		return
	}
	v := PolicyVersion{Name: name, VersionID: "1"}
	var err error
	if v.Document, err = policy.Parse(data); err != nil {
		v.ParseError = shorten(err.Error())
		(&elementReader{l: l, element: element{data: data, at: at}}).tell(err)
	}
	l.addPolicyVersion(v, at)
}

func (l *Loader) addPolicyVersion(v PolicyVersion, at Origin) {
	if l.again(fmt.Sprintf("version %s of the policy %s", v.VersionID, v.Name), v, at) {
		return
	}
	if !v.NotDefault {
		what := "default version of the policy " + v.Name
		if first, ok := l.seen[what]; ok {
			l.problems.add(at, fmt.Sprintf("second %s, the first is at %v", what, first.at))
		}
		l.seen[what] = sighting{at: at}
	}
	v.Origin = at
	l.contents.PolicyVersions = append(l.contents.PolicyVersions, v)
}
