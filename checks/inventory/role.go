package inventory

import (
	"regexp"
	"strings"
	"time"

	"github.com/fleetaudit/fleetaudit/checks/internal/strictjson"
	"github.com/fleetaudit/fleetaudit/checks/policy"
)

// Role is an IAM role and everything that it may do.
type Role struct {
	ARN      string
	Policies []RolePolicy // inline and managed
}

// RolePolicy is one policy of a [Role]. [NewRolePolicy] makes it.
type RolePolicy struct {
	Name       string
	Document   *policy.Document // nil if ParseError is not empty
	ParseError string           // what the parser says about a document that is not valid
}

// NewRolePolicy makes a RolePolicy. It never fails: the error of a document that is not valid is its ParseError.
func NewRolePolicy(name string, document []byte) RolePolicy {
	p := RolePolicy{Name: name}
	p.Document, p.ParseError = parsePolicy(document)
	return p
}

// IdentityPool is an Amazon Cognito identity pool: what it lets the holders of its identities do.
type IdentityPool struct {
	ID string // "eu-west-1:1f2e3d4c-..."
	// LastConnectedAt is when an identity of the pool, of either kind, last connected to the message broker;
	// zero: not known, and then the pool is in scope.
	LastConnectedAt time.Time
	Authenticated   []Role // of identities that have logged in: the default role, and those of role mappings
	Unauthenticated []Role // of guests
	Origin          Origin
}

// RoleAlias lets devices take on an IAM role with their certificate.
type RoleAlias struct {
	ARN  string // "arn:aws:iot:eu-west-1:123456789012:rolealias/uploads"
	Role Role
	// LastUsed says when the role last used each service, by the service's prefix in lower case ("dynamodb"), as
	// IAM's service last accessed data has it; a service that is not in it was never used. Nil: nothing is known.
	LastUsed map[string]time.Time
	Origin   Origin
}

// What the names of roles, role aliases, identity pools and services look like.
var (
	roleARN = form{regexp.MustCompile(`\Aarn:aws[\w-]*:iam::[0-9]{12}:role/[!-~]{1,600}\z`),
		"the ARN of an IAM role: arn:aws:iam::123456789012:role/NAME"}
	roleAliasARN = form{regexp.MustCompile(`\Aarn:aws[\w-]*:iot:[\w-]+:[0-9]{12}:rolealias/[\w=,@-]{1,128}\z`),
		"the ARN of a role alias: arn:aws:iot:eu-west-1:123456789012:rolealias/NAME"}
	identityPoolID = form{regexp.MustCompile(`\A[\w-]{1,18}:[0-9a-f-]{1,36}\z`),
		"the id of an identity pool: eu-west-1:12345678-9abc-def0-1234-56789abcdef0"}
	servicePrefix = form{regexp.MustCompile(`\A[\w-]{1,64}\z`), "the prefix of a service: dynamodb"}
)

// identityPool reads an element of identityPools.
func (l *Loader) identityPool(e element) {
	r, ok := l.open(e)
	if !ok || !r.check(r.root, members{
		needed:   []string{"identityPoolId"},
		optional: []string{"lastConnectedAt", "authenticated", "unauthenticated"},
	}) {
		return
	}
	p := IdentityPool{
		ID: r.text(r.root, "identityPoolId", identityPoolID), LastConnectedAt: r.time(r.root, "lastConnectedAt"),
		Authenticated: r.roles("authenticated"), Unauthenticated: r.roles("unauthenticated"),
	}
	if p.ID == "" || l.again("identity pool "+p.ID, p, e.at) {
		return
	}
	p.Origin = e.at
	l.contents.IdentityPools = append(l.contents.IdentityPools, p)
}

// roleAlias reads an element of roleAliases.
func (l *Loader) roleAlias(e element) {
	r, ok := l.open(e)
	if !ok || !r.check(r.root, members{needed: []string{"roleAliasArn", "role"}, optional: []string{"servicesLastAccessed"}}) {
		return
	}
	a := RoleAlias{
		ARN: r.text(r.root, "roleAliasArn", roleAliasARN), Role: r.role(r.root.Find("role")), LastUsed: r.lastUsed(),
	}
	if a.ARN == "" || l.again("role alias "+a.ARN, a, e.at) {
		return
	}
	a.Origin = e.at
	l.contents.RoleAliases = append(l.contents.RoleAliases, a)
}

// lastUsed reads when services were last used. A list with an error cannot tell which were not.
func (r *elementReader) lastUsed() map[string]time.Time {
	list, ok := r.list(r.root, "servicesLastAccessed")
	if !ok {
		return nil
	}
	told := r.told
	used, seen := make(map[string]time.Time), make(map[string]bool)
	for i := range list {
		if !r.check(&list[i], members{needed: []string{"serviceNamespace"}, optional: []string{"lastAuthenticated"}}) {
			continue
		}
		service := strings.ToLower(r.text(&list[i], "serviceNamespace", servicePrefix))
		if seen[service] && service != "" {
			r.tell(list[i].Errorf("is the second about %s", service))
		}
		seen[service] = true
		if at := r.time(&list[i], "lastAuthenticated"); !at.IsZero() {
			used[service] = at
		}
	}
	if r.told > told {
		return nil
	}
	return used
}

// Roles and policies that cannot be read must not pass for none: a policy with a ParseError takes their place.

func (r *elementReader) roles(name string) (all []Role) {
	list, ok := r.list(r.root, name)
	if !ok && r.root.Find(name) != nil {
		return []Role{unreadable(name + " is no list")}
	}
	for i := range list {
		all = append(all, r.role(&list[i]))
	}
	return all
}

func unreadable(why string) Role { return Role{Policies: []RolePolicy{{ParseError: why}}} }

func (r *elementReader) role(v *strictjson.Value) Role {
	if v == nil {
		return unreadable("role is missing")
	}
	if !r.check(v, members{needed: []string{"roleArn", "policies"}}) {
		return unreadable("role is no object")
	}
	role := Role{ARN: r.text(v, "roleArn", roleARN)}
	list, ok := r.list(v, "policies")
	if !ok {
		role.Policies = unreadable("policies are missing or no list").Policies
	}
	for i := range list {
		p := RolePolicy{ParseError: "policy is no object"}
		if r.check(&list[i], members{needed: []string{"policyName", documentMember}}) {
			p.Name = r.text(&list[i], "policyName", policyName)
			p.Document, p.ParseError = r.document(&list[i])
		}
		role.Policies = append(role.Policies, p)
	}
	return role
}
