package inventory

import (
	"sync/atomic"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/weakkey"
)

// Inventory is a fleet as the built-in checks see it. Make it with [New], so that every Source is there,
// then assign Sources of your own where you have better ones; checks take the Sources when they are
// made. It must not be copied, and is safe for concurrent use once its fields are set.
type Inventory struct {
	DeviceCertificates *checks.Source[Certificate]
	CACertificates     *checks.Source[Certificate]
	CRLs               *checks.Source[CRL]
	PolicyVersions     *checks.Source[PolicyVersion]
	IdentityPools      *checks.Source[IdentityPool]
	RoleAliases        *checks.Source[RoleAlias]
	Clients            *checks.Source[Client]
	CertificateUses    *checks.Source[CertificateUse]
	Accounts           *checks.Source[AccountSettings]

	contents atomic.Pointer[Contents]
	verified verifications
}

// Contents is a fleet in memory. Its zero value is an empty one.
type Contents struct {
	DeviceCertificates []Certificate
	CACertificates     []Certificate
	CRLs               []CRL
	PolicyVersions     []PolicyVersion
	IdentityPools      []IdentityPool
	RoleAliases        []RoleAlias
	Clients            []Client
	CertificateUses    []CertificateUse
	Accounts           []AccountSettings

	// WeakKeys are the Debian weak keys that checks of key quality look for; nil: none.
	WeakKeys *weakkey.Blocklist
}

// New makes an Inventory of resources in memory. They are not copied, and must not be changed any more. The host
// makes them with [NewCertificate], [NewCRL], [NewPolicyVersion], [NewRolePolicy] and [Connections], which parse what
// has to be parsed, or has them from a [Loader]; the other types it fills in by itself. A Source of a kind of which
// there is nothing is empty, and its checks find nothing.
func New(c Contents) *Inventory {
	inv := new(Inventory)
	inv.contents.Store(&c)
	inv.DeviceCertificates = snapshot(inv, "device certificates", func(c *Contents) []Certificate { return c.DeviceCertificates })
	inv.CACertificates = snapshot(inv, "CA certificates", func(c *Contents) []Certificate { return c.CACertificates })
	inv.CRLs = snapshot(inv, "CRLs", func(c *Contents) []CRL { return c.CRLs })
	inv.PolicyVersions = snapshot(inv, "policy versions", func(c *Contents) []PolicyVersion { return c.PolicyVersions })
	inv.IdentityPools = snapshot(inv, "identity pools", func(c *Contents) []IdentityPool { return c.IdentityPools })
	inv.RoleAliases = snapshot(inv, "role aliases", func(c *Contents) []RoleAlias { return c.RoleAliases })
	inv.Clients = snapshot(inv, "clients with connections", func(c *Contents) []Client { return c.Clients })
	inv.CertificateUses = snapshot(inv, "certificates with connections", func(c *Contents) []CertificateUse { return c.CertificateUses })
	inv.Accounts = snapshot(inv, "account settings", func(c *Contents) []AccountSettings { return c.Accounts })
	return inv
}

// WeakKeys returns the list of weak keys that the resources in memory came with; nil: there is none.
func (inv *Inventory) WeakKeys() *weakkey.Blocklist { return inv.contents.Load().WeakKeys }

func snapshot[T any](inv *Inventory, name string, items func(*Contents) []T) *checks.Source[T] {
	return checks.Snapshot(name, func() []T { return items(inv.contents.Load()) })
}

// Replace puts other resources in the place of all those in memory. Audits may be running: a scan that
// has begun goes on over what was there, the next one sees c. Sources that the host has assigned are not
// touched. c is not copied, and must not be changed any more.
func (inv *Inventory) Replace(c Contents) { inv.contents.Store(&c) }
