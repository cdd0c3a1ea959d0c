package model_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/fleetaudit/fleetaudit/model"
)

func ExampleCheck() {
	in := &model.CreateScheduledAuditInput{
		ScheduledAuditName: "every night",
		Frequency:          model.AuditFrequencyWeekly,
		TargetCheckNames:   []string{"LOGGING_DISABLED_CHECK", "LOGGING_DISABLED_CHECK"},
	}
	for _, p := range model.Check(in) {
		fmt.Println(p)
	}
	// Output:
	// scheduledAuditName "every night" must match [a-zA-Z0-9_-]+
	// dayOfWeek is required when frequency is WEEKLY
	// targetCheckNames[1] "LOGGING_DISABLED_CHECK" must not be named twice
}

// A caller that knows more than the input tells adds to the list, so that one error names everything.
func ExampleProblems_Err() {
	in := &model.UpdateAccountAuditConfigurationInput{
		RoleARN:                  "fleet-audit",
		AuditCheckConfigurations: map[string]model.AuditCheckConfiguration{"NO_SUCH_CHECK": {Enabled: true}},
	}
	problems := model.Check(in)
	for name := range in.AuditCheckConfigurations {
		problems.Add(model.KeyPath("auditCheckConfigurations", name), nil, "is not a check")
	}
	err := problems.Err()
	fmt.Println(err)
	if e, ok := errors.AsType[*model.InvalidRequestException](err); ok {
		fmt.Println(e.HTTPStatusCode(), len(e.Problems))
	}
	// Output:
	// InvalidRequestException: roleArn "fleet-audit" must have at least 20 characters; auditCheckConfigurations.NO_SUCH_CHECK is not a check
	// 400 2
}

func ExampleAPIError() {
	err := fmt.Errorf("nightly report: %w", &model.ResourceNotFoundException{Message: "taskId \"7\" does not exist"})
	if e, ok := errors.AsType[model.APIError](err); ok {
		fmt.Println(e.ErrorCode(), e.HTTPStatusCode())
		fmt.Println(e.ErrorMessage())
	}
	// Output:
	// ResourceNotFoundException 404
	// taskId "7" does not exist
}

func ExampleTimestamp() {
	out, _ := json.Marshal(model.AuditFinding{
		FindingID:   "ef4826b8",
		FindingTime: model.At(time.Date(2019, 6, 10, 10, 3, 37, 172_900_000, time.UTC)),
	})
	fmt.Println(string(out)) // milliseconds, and no taskStartTime, which is absent
	// Output:
	// {"findingId":"ef4826b8","findingTime":1560161017.172}
}

func ExampleParseTimestamp() {
	for _, s := range []string{"1560161017.172", "2019-06-10T12:03:37.172+02:00", "2019-06-10", "last week"} {
		t, err := model.ParseTimestamp(s)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(t.Format(time.RFC3339Nano))
	}
	// Output:
	// 2019-06-10T10:03:37.172Z
	// 2019-06-10T10:03:37.172Z
	// 2019-06-10T00:00:00Z
	// "last week" is not a time: want epoch seconds, an RFC 3339 time or a date, of year 1 to 9999
}
