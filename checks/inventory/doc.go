// Package inventory holds the typed resources of an IoT fleet and the bundle of Sources over them that
// the built-in checks read.
//
// An [Inventory] has one [checks.Source] a kind of resource. A host whose fleet fits in memory gives its
// resources to [New], and new ones to [Inventory.Replace]; [Load] reads them from files. A host with a
// database assigns Sources of its own:
//
//	inv := inventory.New(inventory.Contents{CACertificates: cas})
//	inv.DeviceCertificates = &checks.Source[inventory.Certificate]{Name: "devices", All: rows}
//
// Whatever cannot be read is still there, and says why: a [Certificate] that does not parse, a [CRL] that
// cannot be relied on. [Revocations] judges from all of them which certificates are revoked.
//
// Certificates are parsed and signatures of CRLs checked; nothing here builds or verifies a chain of
// trust.
package inventory
