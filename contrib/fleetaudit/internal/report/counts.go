package report

import (
	"fmt"
	"iter"
	"reflect"
	"strings"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

// Counts says how many resources were loaded.
type Counts struct {
	DeviceCertificates    int `json:"deviceCertificates"`
	CACertificates        int `json:"caCertificates"`
	CRLs                  int `json:"crls"`
	PolicyVersions        int `json:"policyVersions"`
	IdentityPools         int `json:"identityPools"`
	RoleAliases           int `json:"roleAliases"`
	Connections           int `json:"connections"`
	ClientIDs             int `json:"clientIds"`             // that connected
	ConnectedCertificates int `json:"connectedCertificates"` // that were connected with, loaded or not
	Accounts              int `json:"accounts"`
	WeakKeys              int `json:"weakKeys"` // on the list of Debian weak keys
}

// Count counts what is in a fleet.
func Count(c inventory.Contents) Counts {
	n := Counts{
		DeviceCertificates:    len(c.DeviceCertificates),
		CACertificates:        len(c.CACertificates),
		CRLs:                  len(c.CRLs),
		PolicyVersions:        len(c.PolicyVersions),
		IdentityPools:         len(c.IdentityPools),
		RoleAliases:           len(c.RoleAliases),
		ClientIDs:             len(c.Clients),
		ConnectedCertificates: len(c.CertificateUses),
		Accounts:              len(c.Accounts),
		WeakKeys:              c.WeakKeys.Len(),
	}
	for _, client := range c.Clients {
		n.Connections += len(client.Connections)
	}
	return n
}

// Kinds returns each number with the name that it has in JSON.
func (n Counts) Kinds() iter.Seq2[string, int] {
	return func(yield func(string, int) bool) {
		for field, value := range reflect.ValueOf(n).Fields() {
			if !yield(field.Tag.Get("json"), int(value.Int())) {
				return
			}
		}
	}
}

// String names what is there.
func (n Counts) String() string {
	var all []string
	for _, c := range []struct {
		n   int
		one string
	}{
		{n.DeviceCertificates, "device certificate"}, {n.CACertificates, "CA certificate"}, {n.CRLs, "CRL"},
		{n.PolicyVersions, "policy version"}, {n.IdentityPools, "identity pool"}, {n.RoleAliases, "role alias"},
	} {
		if c.n > 0 {
			all = append(all, plural(c.n, c.one))
		}
	}
	if n.Connections > 0 {
		of := plural(n.ClientIDs, "client id")
		if n.ConnectedCertificates > 0 {
			of += ", " + plural(n.ConnectedCertificates, "certificate")
		}
		all = append(all, fmt.Sprintf("%s (%s)", plural(n.Connections, "connection"), of))
	}
	if n.Accounts > 0 {
		all = append(all, plural(n.Accounts, "account"))
	}
	if n.WeakKeys > 0 {
		all = append(all, plural(n.WeakKeys, "known weak key"))
	}
	return strings.Join(all, ", ")
}
