//go:build unix

package crash_test

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// The checks. What they find depends on nothing but the audit's task id, so that it is known what an audit has to find
// that was interrupted: most of it the same as in every other audit.
const (
	firmware = "FIRMWARE_CHECK" // finds about 700 things
	ports    = "PORTS_CHECK"    // finds what changes
	slow     = "SLOW_CHECK"     // takes time
	faulty   = "FAULTY_CHECK"   // fails in one audit of four
)

const (
	devices     = 900
	slowDevices = 16
	brokenAt    = 8 // the device at which faulty fails
	pause       = 300 * time.Microsecond
)

// mark is a check that finds nothing. Audits on demand have that of whoever started them.
func mark(worker int) string { return fmt.Sprintf("MARK_%d_CHECK", worker) }

// hashOf returns the same number for the same values.
func hashOf(values ...any) uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%q", values)
	return h.Sum64()
}

func device(d int) string { return fmt.Sprintf("device-%03d", d) }

// judge returns what a check finds about a device, or that it breaks there.
func judge(check, taskID string, d int) ([]checks.Finding, error) {
	var found []checks.Finding
	report := func(code, format string, args ...any) {
		found = append(found, checks.Finding{
			Resource:   model.NonCompliantResource{ResourceIdentifier: model.ResourceIdentifier{ClientID: device(d)}},
			ReasonCode: code, Reason: fmt.Sprintf(format, args...),
		})
	}
	switch always, now := hashOf(check, d), hashOf(check, d, taskID); check {
	case firmware:
		version := always % 40
		if now%200 == 1 {
			version++
		}
		if (always%5 > 0) != (now%300 == 0) {
			report("TOO_OLD", "firmware %d is too old", version)
		}
	case ports:
		if d < 60 && now%3 == 0 {
			report("OPEN", "port %d is open", now%7)
			found[0].Related = []model.RelatedResource{{ResourceIdentifier: model.ResourceIdentifier{IAMRoleARN: device(d + 1)}}}
		}
		if d < 60 && always%4 == 0 {
			report("PLAIN", "telnet is on")
		}
	case slow:
		if d%3 == 0 {
			report("LATE", "it took its time")
		}
	case faulty:
		if d == brokenAt && hashOf(check, taskID)%4 == 0 {
			return nil, errors.New("the connection broke")
		}
		if d%4 == 0 {
			report("BROKEN", "it is broken")
		}
	}
	return found, nil
}

// size is how many devices a check looks at.
func size(check string) int {
	switch check {
	case firmware, ports:
		return devices
	case slow, faulty:
		return slowDevices
	default:
		return 3
	}
}

// expected returns what a check finds in an audit, as contents has it, and whether it fails.
func expected(check, taskID string) (rows []string, fails bool) {
	for d := range size(check) {
		found, err := judge(check, taskID, d)
		if err != nil {
			return rows, true
		}
		for _, f := range found {
			rows = append(rows, content(f.Resource.ResourceIdentifier, f.ReasonCode, f.Reason))
		}
	}
	return rows, false
}

func content(r model.ResourceIdentifier, code, reason string) string {
	return r.ClientID + " " + code + " " + reason
}

// fleet returns the checks.
func fleet(workers int) []checks.Check {
	shared := numbers("devices", devices)
	all := []checks.Check{
		newCheck(firmware, shared, "TOO_OLD"),
		newCheck(ports, shared, "OPEN", "PLAIN"),
		newCheck(slow, numbers("slow devices", slowDevices), "LATE"),
		newCheck(faulty, numbers("faulty devices", slowDevices), "BROKEN"),
	}
	for w := range workers {
		all = append(all, newCheck(mark(w), numbers("nothing", size(mark(w))), "NEVER"))
	}
	return all
}

func numbers(name string, n int) *checks.Source[int] {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return checks.Slice(name, all)
}

func newCheck(name string, source *checks.Source[int], codes ...string) checks.Check {
	spec := checks.Spec{
		Name: name, Severity: model.AuditFindingSeverityMedium, ResourceType: model.ResourceTypeClientID,
		Params: []checks.Param{{Name: "LEVEL", Default: 1, Min: 1, Max: 9}},
	}
	for _, code := range codes {
		spec.ReasonCodes = append(spec.ReasonCodes, checks.ReasonCode{Code: code})
	}
	return checks.Each(spec, source, func(ctx context.Context, pass *checks.Pass, d *int) error {
		if name == slow {
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-time.After(pause):
			}
		}
		found, err := judge(name, pass.TaskID, *d)
		for _, f := range found {
			pass.Report(f)
		}
		return err
	})
}

// watched returns the fingerprints whose first sighting is told.
func watched() []findings.Fingerprint {
	var all []findings.Fingerprint
	for d := range 6 {
		r := model.ResourceIdentifier{ClientID: device(d)}
		all = append(all,
			findings.Fingerprint{CheckName: firmware, Resource: r, ReasonCode: "TOO_OLD"},
			findings.Fingerprint{CheckName: ports, Resource: r, ReasonCode: "OPEN"},
			findings.Fingerprint{CheckName: ports, Resource: r, ReasonCode: "PLAIN"},
			findings.Fingerprint{CheckName: slow, Resource: r, ReasonCode: "LATE"})
	}
	return all
}
