package builtin_test

import (
	"context"
	"fmt"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/builtin"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/model"
)

// Every built-in check over the certificates in a folder. An engine does this, and keeps what is found.
func ExampleAll() {
	fleet, err := inventory.Load(context.Background(), "../inventory/testdata/fleet")
	if err != nil {
		fmt.Println(err)
		return
	}
	all := builtin.All(inventory.New(fleet.Contents))
	var jobs []*checks.Job
	outcomes := make([]checks.Outcome, len(all))
	for i, c := range all {
		spec := c.Spec()
		var p model.Problems
		pass := checks.Pass{Time: time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC), Config: spec.Configure(&p, "", nil)}
		jobs = append(jobs, &checks.Job{Check: c, Spec: spec, Pass: pass, End: func(o checks.Outcome) { outcomes[i] = o }})
	}
	new(checks.Runner).Run(context.Background(), jobs)
	for i, job := range jobs {
		fmt.Println(job.Spec.Name, outcomes[i].NonCompliant, "of", outcomes[i].Scanned)
	}
	// Output:
	// CA_CERTIFICATE_EXPIRING_CHECK 0 of 4
	// DEVICE_CERTIFICATE_AGE_CHECK 3 of 8
	// DEVICE_CERTIFICATE_EXPIRING_CHECK 3 of 8
	// INTERMEDIATE_CA_REVOKED_FOR_ACTIVE_DEVICE_CERTIFICATES_CHECK 2 of 8
	// REVOKED_CA_CERTIFICATE_STILL_ACTIVE_CHECK 1 of 4
	// REVOKED_DEVICE_CERTIFICATE_STILL_ACTIVE_CHECK 4 of 8
}
