package inventory_test

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

// A folder of real files, one of them damaged.
func ExampleLoad() {
	fleet, err := inventory.Load(context.Background(), "testdata/fleet")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(fleet.DeviceCertificates), "device certificates,", len(fleet.CACertificates), "CA certificates,", len(fleet.CRLs), "CRLs")
	for _, p := range fleet.Problems {
		fmt.Println(p)
	}
	// Output:
	// 8 device certificates, 4 CA certificates, 4 CRLs
	// testdata/fleet/devices/damaged.pem:22: certificate does not parse: x509: malformed UTCTime
	// testdata/fleet/devices/damaged.pem:655: block "CERTIFICATE" has no END
}

// registry stands for a host's database of device certificates.
type registry struct{ rows [][]byte }

func (r registry) each(ctx context.Context) iter.Seq2[inventory.Certificate, error] {
	return func(yield func(inventory.Certificate, error) bool) {
		for _, der := range r.rows {
			c := inventory.NewCertificate(der, inventory.CertificateStatusActive)
			c.CreatedAt = time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC)
			if !yield(c, nil) {
				return
			}
		}
	}
}

// A host with a database gives a Source of its own for what is large, and the rest in memory.
func ExampleInventory() {
	fleet, err := inventory.Load(context.Background(), "testdata/fleet")
	if err != nil {
		fmt.Println(err)
		return
	}
	var db registry
	for _, c := range fleet.DeviceCertificates {
		db.rows = append(db.rows, c.Raw)
	}
	inv := inventory.New(inventory.Contents{CACertificates: fleet.CACertificates, CRLs: fleet.CRLs})
	inv.DeviceCertificates = &checks.Source[inventory.Certificate]{Name: "registry", All: db.each}

	pass := &checks.Pass{Time: time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC)}
	revocations, err := inv.Revocations(context.Background(), pass)
	if err != nil {
		fmt.Println(err)
		return
	}
	for c, err := range inv.DeviceCertificates.Read(context.Background(), pass) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if r := revocations.Of(c); r.Revoked {
			fmt.Println(c.Subject(), "revoked:", r.Reason, r.At.Format(time.DateOnly))
		}
	}
	// Output:
	// O=Example Works,CN=lock-1 revoked: keyCompromise 2024-05-01
	// O=Example Works,CN=lock-2 revoked: certificateHold 2024-05-20
	// CN=meter-1 revoked: unspecified 2024-03-15
}
