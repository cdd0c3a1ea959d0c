package checktest_test

import (
	"context"
	"testing"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/checktest"
	"github.com/fleetaudit/fleetaudit/model"
)

// The check and the test that README.md shows.

type Thing struct {
	Name     string
	Firmware int
}

var outdated = checks.Spec{
	Name: "FIRMWARE_OUTDATED_CHECK", Severity: model.AuditFindingSeverityHigh, ResourceType: model.ResourceTypeClientID,
	ReasonCodes: []checks.ReasonCode{{Code: "FIRMWARE_TOO_OLD"}},
	Params:      []checks.Param{{Name: "OLDEST_FIRMWARE", Default: 7, Min: 1, Max: 99}},
}

func FirmwareOutdated(things *checks.Source[Thing]) checks.Check {
	return checks.Each(outdated, things, func(_ context.Context, pass *checks.Pass, t *Thing) error {
		if t.Firmware < pass.Config.Int("OLDEST_FIRMWARE") {
			pass.Report(checks.Finding{ReasonCode: "FIRMWARE_TOO_OLD",
				Resource: model.NonCompliantResource{ResourceIdentifier: model.ResourceIdentifier{ClientID: t.Name}}})
		}
		return nil
	})
}

func TestFirmwareOutdated(t *testing.T) {
	things := checks.Slice("things", []Thing{{"lamp", 6}, {"lock", 7}})
	checktest.Contract(t, checktest.Case{
		Want: []checktest.Finding{{Resource: model.ResourceIdentifier{ClientID: "lamp"}, ReasonCode: "FIRMWARE_TOO_OLD"}},
	}, func(k *checktest.Kit) checks.Check { return FirmwareOutdated(checktest.Source(k, things)) })
}
