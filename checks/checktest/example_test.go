package checktest_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/checktest"
	"github.com/fleetaudit/fleetaudit/model"
)

// Device is a resource of somebody's own.
type Device struct {
	ID     string
	SeenAt time.Time
}

var silent = checks.Spec{
	Name:         "SILENT_DEVICE_CHECK",
	Severity:     model.AuditFindingSeverityLow,
	ResourceType: model.ResourceTypeClientID,
	ReasonCodes:  []checks.ReasonCode{{Code: "DEVICE_SILENT"}},
	Params:       []checks.Param{{Name: "SILENCE_IN_DAYS", Default: 30, Min: 1, Max: 365}},
}

// SilentDevice is somebody's own check. Its source is an argument, so that a test can have another.
func SilentDevice(devices *checks.Source[Device]) checks.Check {
	return checks.Each(silent, devices, func(_ context.Context, pass *checks.Pass, d *Device) error {
		judgeSilence(pass, d)
		return nil
	})
}

func judgeSilence(pass *checks.Pass, d *Device) {
	if pass.Time.Sub(d.SeenAt) > pass.Config.Days("SILENCE_IN_DAYS") {
		pass.Report(checks.Finding{
			Resource:   model.NonCompliantResource{ResourceIdentifier: resource(d.ID)},
			ReasonCode: "DEVICE_SILENT",
		})
	}
}

func resource(id string) model.ResourceIdentifier { return model.ResourceIdentifier{ClientID: id} }

var june = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

var home = checks.Slice("devices", []Device{
	{ID: "lamp", SeenAt: june.AddDate(0, 0, -3)},
	{ID: "lock", SeenAt: june.AddDate(0, 0, -10)},
	{ID: "oven", SeenAt: june.AddDate(0, 0, -90)},
})

// printer prints a test's failures, for the examples. In a test it is the *testing.T.
type printer struct{ testing.TB }

func (printer) Helper()                           {}
func (printer) Context() context.Context          { return context.Background() }
func (printer) Output() io.Writer                 { return os.Stdout }
func (printer) Errorf(format string, args ...any) { fmt.Printf(format+"\n", args...) }

// What a test sees that has forgotten a device, and expects another that is fine.
func ExampleRun() {
	var t printer // in a test: t *testing.T
	checktest.Run(t, SilentDevice(home), checktest.Case{
		Time:   june,
		Config: map[string]string{"SILENCE_IN_DAYS": "7"},
		Want: []checktest.Finding{
			{Resource: resource("lamp"), ReasonCode: "DEVICE_SILENT"},
			{Resource: resource("oven"), ReasonCode: "DEVICE_SILENT"},
		},
	})
	// Output:
	// SILENT_DEVICE_CHECK: findings (- missing, + unexpected):
	// - DEVICE_SILENT {"clientId":"lamp"}
	// + DEVICE_SILENT {"clientId":"lock"}
}

// A check may be good at finding and still not fit to be run. This one takes a database that cannot be
// reached for a fleet without devices.
func ExampleContract() {
	var t printer // in a test: t *testing.T
	c := checktest.Case{Time: june, Want: []checktest.Finding{{Resource: resource("oven"), ReasonCode: "DEVICE_SILENT"}}}

	checktest.Contract(t, c, func(k *checktest.Kit) checks.Check {
		return SilentDevice(checktest.Source(k, home))
	})
	fmt.Println("That was SilentDevice, which keeps the contract. Now one that does not:")
	checktest.Contract(t, c, func(k *checktest.Kit) checks.Check {
		devices := checktest.Source(k, home)
		return checks.New(silent, func(ctx context.Context, pass *checks.Pass) error {
			for d, err := range devices.Read(ctx, pass) {
				if err != nil {
					break
				}
				judgeSilence(pass, d)
			}
			return nil
		})
	})
	// Output:
	// That was SilentDevice, which keeps the contract. Now one that does not:
	// SILENT_DEVICE_CHECK, source "devices" fails when its shards are listed: the check completed; it must return the error
	// SILENT_DEVICE_CHECK, source "devices" fails before the first resource: the check completed; it must return the error
	// SILENT_DEVICE_CHECK, source "devices" fails halfway: the check completed; it must return the error
	// SILENT_DEVICE_CHECK, source "devices" fails after the last resource: the check completed; it must return the error
}
