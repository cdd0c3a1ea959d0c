// Command fleetaudit audits an IoT fleet that files describe, lets clients of AWS IoT audit it, and tells when scheduled
// audits are due.
//
//	fleetaudit audit fleet/                      what is wrong with the fleet in a folder
//	fleetaudit audit policy.json                 with a policy
//	fleetaudit audit fleet.pem --as-of 2030-01-01
//	fleetaudit audit fleet/ --suppressions accepted.json --forecast 2030-12-31
//	fleetaudit audit fleet/ --data history/      what has changed since the audit before
//	fleetaudit schedule next --frequency MONTHLY --day-of-month LAST
//	fleetaudit checks                            what it can look for
//	fleetaudit serve fleet/                      the operations of AWS IoT, over the fleet in a folder
//	fleetaudit serve fleet/ --data state/        and nothing that was acknowledged is lost
//
// It exits with 1 if it found what --fail-on asks for, and with 2 if it could not do all of its work.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks to stop. The second one is the system's again, and kills.
	context.AfterFunc(ctx, stop)
	os.Exit(cli.Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
