package cli_test

import (
	"testing"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/cli"
	"github.com/fleetaudit/fleetaudit/model"
)

// TestProgressOf looks at audits of two checks, one over a source of 9 resources, and one without any.
func TestProgressOf(t *testing.T) {
	specs := []checks.Spec{{Name: "NINE", Source: checks.Slice("things", make([]int, 9))}, {Name: "ONE"}}
	for _, row := range []struct {
		nine    model.AuditCheckRunStatus
		scanned int64
		one     model.AuditCheckRunStatus
		want    float64
	}{
		{"WAITING_FOR_DATA_COLLECTION", 0, "IN_PROGRESS", 0},
		{"IN_PROGRESS", 0, "IN_PROGRESS", 0},
		{"IN_PROGRESS", 5, "IN_PROGRESS", 0.5},
		{"IN_PROGRESS", 8, "IN_PROGRESS", 0.8},
		{"IN_PROGRESS", 9, "IN_PROGRESS", 0.8}, // it is not done before it says so
		{"IN_PROGRESS", 1000, "COMPLETED_COMPLIANT", 0.9},
		{"IN_PROGRESS", 5, "COMPLETED_COMPLIANT", 0.6},
		{"COMPLETED_COMPLIANT", 3, "IN_PROGRESS", 0.9}, // the others were not in its scope
		{"FAILED", 3, "CANCELED", 1},
	} {
		task := &model.DescribeAuditTaskOutput{AuditDetails: map[string]model.AuditCheckDetails{
			"NINE": {CheckRunStatus: row.nine, TotalResourcesCount: row.scanned},
			"ONE":  {CheckRunStatus: row.one, TotalResourcesCount: 7},
		}}
		if got, _ := cli.ProgressOf(task, specs); got != row.want {
			t.Errorf("%s with %d scanned and %s: %v done, want %v", row.nine, row.scanned, row.one, got, row.want)
		}
	}
	task := &model.DescribeAuditTaskOutput{
		TaskStatistics: model.TaskStatistics{TotalChecks: 5, InProgressChecks: 2, WaitingForDataCollectionChecks: 1},
		AuditDetails:   map[string]model.AuditCheckDetails{"NINE": {NonCompliantResourcesCount: 3}, "ONE": {NonCompliantResourcesCount: 4}},
	}
	if _, words := cli.ProgressOf(task, specs); words != "2 of 5 checks done, 7 flagged" {
		t.Errorf("words %q", words)
	}
}
