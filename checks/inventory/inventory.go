package inventory

import (
	"sync/atomic"

	"github.com/fleetaudit/fleetaudit/checks"
)

// Inventory is a fleet as the built-in checks see it. Make it with [New], so that every Source is there,
// then assign Sources of your own where you have better ones; checks take the Sources when they are
// made. It must not be copied, and is safe for concurrent use once its fields are set.
type Inventory struct {
	DeviceCertificates *checks.Source[Certificate]
	CACertificates     *checks.Source[Certificate]
	CRLs               *checks.Source[CRL]

	contents atomic.Pointer[Contents]
	verified verifications
}

// Contents is a fleet in memory. Its zero value is an empty one.
type Contents struct {
	DeviceCertificates []Certificate
	CACertificates     []Certificate
	CRLs               []CRL
}

// New makes an Inventory of resources in memory. They are not copied, and must not be changed any more.
func New(c Contents) *Inventory {
	inv := new(Inventory)
	inv.contents.Store(&c)
	inv.DeviceCertificates = snapshot(inv, "device certificates", func(c *Contents) []Certificate { return c.DeviceCertificates })
	inv.CACertificates = snapshot(inv, "CA certificates", func(c *Contents) []Certificate { return c.CACertificates })
	inv.CRLs = snapshot(inv, "CRLs", func(c *Contents) []CRL { return c.CRLs })
	return inv
}

func snapshot[T any](inv *Inventory, name string, items func(*Contents) []T) *checks.Source[T] {
	return checks.Snapshot(name, func() []T { return items(inv.contents.Load()) })
}

// Replace puts other resources in the place of all those in memory. Audits may be running: a scan that
// has begun goes on over what was there, the next one sees c. Sources that the host has assigned are not
// touched. c is not copied, and must not be changed any more.
func (inv *Inventory) Replace(c Contents) { inv.contents.Store(&c) }
