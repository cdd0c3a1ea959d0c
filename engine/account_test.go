package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

func TestAccount(t *testing.T) { runScript(t, "account.txt") }

// However many checks there are, and however many names are wrong, an error stays readable.
func TestManyWrongNames(t *testing.T) {
	var c engine.Config
	for i := range 22 {
		c.Checks = append(c.Checks, manyCheck(fmt.Sprintf("CHECK_%02d", i), 0))
	}
	e, err := engine.New(c)
	require.NoError(t, err)
	wrong := make([]string, 1000)
	for i := range wrong {
		wrong[i] = fmt.Sprint("NO_CHECK_", i)
	}
	_, err = e.StartOnDemandAuditTask(t.Context(), &model.StartOnDemandAuditTaskInput{TargetCheckNames: wrong})
	invalid, ok := errors.AsType[*model.InvalidRequestException](err)
	require.True(t, ok, "%v", err)
	require.Len(t, invalid.Problems, len(wrong))
	want := `targetCheckNames[0] "NO_CHECK_0" is not a check of this account, which has CHECK_00, CHECK_01, CHECK_02, ` +
		"CHECK_03, CHECK_04, CHECK_05, CHECK_06, CHECK_07, CHECK_08, CHECK_09, CHECK_10, CHECK_11, CHECK_12, CHECK_13, " +
		"CHECK_14, CHECK_15, CHECK_16, CHECK_17, CHECK_18, CHECK_19, ...; "
	if !strings.HasPrefix(invalid.Message, want) || !strings.HasSuffix(invalid.Message, "; and 900 more") {
		t.Errorf("got %.400s...", invalid.Message)
	}
}

// A check says in its Spec which parameters it has. The account sets them, and later enables or disables
// the check without losing them.
func ExampleEngine_UpdateAccountAuditConfiguration() {
	ctx := context.Background()
	check := newStock().checks["DEVICE_CHECK"]
	e, err := engine.New(engine.Config{Checks: []checks.Check{check}})
	if err != nil {
		panic(err)
	}
	defer e.Close()
	for _, p := range e.Checks()[0].Params {
		fmt.Printf("%s: %d to %d %s, otherwise %d\n", p.Name, p.Min, p.Max, p.Unit, p.Default)
	}
	configure := func(value string) {
		_, err := e.UpdateAccountAuditConfiguration(ctx, &model.UpdateAccountAuditConfigurationInput{
			RoleARN: "arn:aws:iam::123456789012:role/audit",
			AuditCheckConfigurations: map[string]model.AuditCheckConfiguration{
				"DEVICE_CHECK": {Enabled: true, Configuration: map[string]string{"MAX_AGE": value}},
			},
		})
		fmt.Println(err)
	}
	configure("1000")
	configure("60")
	account, err := e.DescribeAccountAuditConfiguration(ctx, nil)
	fmt.Println(account.AuditCheckConfigurations["DEVICE_CHECK"], err)
	// Output:
	// MAX_AGE: 1 to 100 days, otherwise 30
	// MIN_PASSWORD: 0 to 9 characters, otherwise 0
	// InvalidRequestException: auditCheckConfigurations.DEVICE_CHECK.configuration.MAX_AGE "1000" must be a whole number from 1 to 100
	// <nil>
	// {true map[MAX_AGE:60]} <nil>
}
