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

// Every built-in check over the fleet in a folder. An engine does this, and keeps what is found.
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
		jobs = append(jobs, &checks.Job{Check: c, Spec: &spec, Pass: pass, End: func(o checks.Outcome) { outcomes[i] = o }})
	}
	new(checks.Runner).Run(context.Background(), jobs)
	for i, job := range jobs {
		fmt.Println(job.Spec.Name, outcomes[i].NonCompliant, "of", outcomes[i].Scanned)
	}
	// Output:
	// AUTHENTICATED_COGNITO_ROLE_OVERLY_PERMISSIVE_CHECK 1 of 3
	// CA_CERTIFICATE_EXPIRING_CHECK 1 of 8
	// CA_CERTIFICATE_KEY_QUALITY_CHECK 2 of 8
	// CONFLICTING_CLIENT_IDS_CHECK 1 of 7
	// DEVICE_CERTIFICATE_AGE_CHECK 3 of 11
	// DEVICE_CERTIFICATE_EXPIRING_CHECK 3 of 11
	// DEVICE_CERTIFICATE_KEY_QUALITY_CHECK 3 of 11
	// DEVICE_CERTIFICATE_SHARED_CHECK 1 of 6
	// INTERMEDIATE_CA_REVOKED_FOR_ACTIVE_DEVICE_CERTIFICATES_CHECK 2 of 11
	// IOT_POLICY_OVERLY_PERMISSIVE_CHECK 3 of 9
	// IOT_POLICY_POTENTIAL_MISCONFIGURATION_CHECK 3 of 9
	// IOT_ROLE_ALIAS_ALLOWS_ACCESS_TO_UNUSED_SERVICES_CHECK 2 of 3
	// IOT_ROLE_ALIAS_OVERLY_PERMISSIVE_CHECK 2 of 3
	// LOGGING_DISABLED_CHECK 1 of 2
	// REVOKED_CA_CERTIFICATE_STILL_ACTIVE_CHECK 1 of 8
	// REVOKED_DEVICE_CERTIFICATE_STILL_ACTIVE_CHECK 4 of 11
	// UNAUTHENTICATED_COGNITO_ROLE_OVERLY_PERMISSIVE_CHECK 1 of 3
}
