package account_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/account"
	"github.com/fleetaudit/fleetaudit/checks/checktest"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/model"
)

const (
	disabled     = "LOGGING_DISABLED"
	notEvaluable = model.ReasonCodeResourceNotEvaluable

	role = "arn:aws:iam::123456789012:role/logs"
)

// verdict is what a version of the logging options says by itself.
type verdict int

const (
	off verdict = iota
	on
	unknown // its log level is none of AWS's
)

var v1Rows = []struct {
	inventory.LoggingOptions
	says verdict
}{
	{inventory.LoggingOptions{}, off}, // never set
	{inventory.LoggingOptions{RoleARN: role}, off},
	{inventory.LoggingOptions{RoleARN: role, LogLevel: "DISABLED"}, off},
	{inventory.LoggingOptions{LogLevel: "DISABLED"}, off},
	{inventory.LoggingOptions{LogLevel: "DEBUG"}, off}, // nobody may write the log
	{inventory.LoggingOptions{LogLevel: "error"}, off},
	{inventory.LoggingOptions{RoleARN: role, LogLevel: "DEBUG"}, on},
	{inventory.LoggingOptions{RoleARN: role, LogLevel: "INFO"}, on},
	{inventory.LoggingOptions{RoleARN: role, LogLevel: "WARN"}, on},
	{inventory.LoggingOptions{RoleARN: role, LogLevel: "ERROR"}, on},
	{inventory.LoggingOptions{RoleARN: role, LogLevel: "error"}, unknown},
	{inventory.LoggingOptions{RoleARN: role, LogLevel: "disabled"}, unknown},
	{inventory.LoggingOptions{RoleARN: role, LogLevel: " "}, unknown},
}

var v2Rows = []struct {
	inventory.V2LoggingOptions
	says verdict
}{
	{inventory.V2LoggingOptions{}, off}, // never set
	{inventory.V2LoggingOptions{RoleARN: role}, off},
	{inventory.V2LoggingOptions{RoleARN: role, DefaultLogLevel: "DISABLED"}, off},
	{inventory.V2LoggingOptions{DefaultLogLevel: "DISABLED"}, off},
	{inventory.V2LoggingOptions{DefaultLogLevel: "DEBUG"}, off},
	{inventory.V2LoggingOptions{DefaultLogLevel: "TRACE"}, off},
	{inventory.V2LoggingOptions{RoleARN: role, DefaultLogLevel: "DEBUG"}, on},
	{inventory.V2LoggingOptions{RoleARN: role, DefaultLogLevel: "INFO"}, on},
	{inventory.V2LoggingOptions{RoleARN: role, DefaultLogLevel: "WARN"}, on},
	{inventory.V2LoggingOptions{RoleARN: role, DefaultLogLevel: "ERROR"}, on},
	{inventory.V2LoggingOptions{RoleARN: role, DefaultLogLevel: "TRACE"}, unknown},
	{inventory.V2LoggingOptions{DisableAllLogs: true}, off},
	{inventory.V2LoggingOptions{RoleARN: role, DisableAllLogs: true}, off},
	{inventory.V2LoggingOptions{RoleARN: role, DefaultLogLevel: "DISABLED", DisableAllLogs: true}, off},
	{inventory.V2LoggingOptions{RoleARN: role, DefaultLogLevel: "DEBUG", DisableAllLogs: true}, off},
	{inventory.V2LoggingOptions{RoleARN: role, DefaultLogLevel: "ERROR", DisableAllLogs: true}, off},
	{inventory.V2LoggingOptions{RoleARN: role, DefaultLogLevel: "TRACE", DisableAllLogs: true}, off},
}

// TestLoggingDisabled has every pair of rows, each as an account.
func TestLoggingDisabled(t *testing.T) {
	code := map[[2]verdict]string{ // version 1, version 2
		{off, off}: disabled, {off, on}: "", {off, unknown}: notEvaluable,
		{on, off}: "", {on, on}: "", {on, unknown}: "",
		{unknown, off}: notEvaluable, {unknown, on}: "", {unknown, unknown}: notEvaluable,
	}
	var accounts []inventory.AccountSettings
	var want []checktest.Finding
	for _, v1 := range v1Rows {
		for _, v2 := range v2Rows {
			a := inventory.AccountSettings{
				Account: fmt.Sprintf("%012d", len(accounts)), Logging: v1.LoggingOptions, V2Logging: v2.V2LoggingOptions,
			}
			accounts = append(accounts, a)
			if c := code[[2]verdict{v1.says, v2.says}]; c != "" {
				want = append(want, finding(a.Account, c))
			}
		}
	}
	inv := inventory.New(inventory.Contents{Accounts: accounts})
	checktest.Run(t, account.LoggingDisabled(inv), checktest.Case{Want: want, WantScanned: int64(len(accounts))})
}

func finding(account, code string) checktest.Finding {
	return checktest.Finding{Resource: model.ResourceIdentifier{Account: account}, ReasonCode: code}
}

// TestLoggingDisabledWords has whole findings.
func TestLoggingDisabledWords(t *testing.T) {
	for _, row := range []struct {
		v1           inventory.LoggingOptions
		v2           inventory.V2LoggingOptions
		code, reason string
	}{
		{inventory.LoggingOptions{}, inventory.V2LoggingOptions{}, disabled, "Logging is disabled."},
		{
			inventory.LoggingOptions{RoleARN: role, LogLevel: "error"}, inventory.V2LoggingOptions{},
			notEvaluable, `Version 1 log level "error" is none of AWS's.`,
		},
		{
			inventory.LoggingOptions{}, inventory.V2LoggingOptions{RoleARN: role, DefaultLogLevel: "TRACE"},
			notEvaluable, `Version 2 log level "TRACE" is none of AWS's.`,
		},
		{
			inventory.LoggingOptions{RoleARN: role, LogLevel: "WARNING"},
			inventory.V2LoggingOptions{RoleARN: role, DefaultLogLevel: "a level that is longer than forty characters are"},
			notEvaluable, `Version 1 log level "WARNING" is none of AWS's. ` +
				`Version 2 log level "a level that is longer than forty charac" is none of AWS's.`,
		},
	} {
		inv := inventory.New(inventory.Contents{Accounts: []inventory.AccountSettings{
			{Account: "123456789012", Logging: row.v1, V2Logging: row.v2},
		}})
		out := checktest.Run(t, account.LoggingDisabled(inv), checktest.Case{
			Want: []checktest.Finding{finding("123456789012", row.code)}, WantScanned: 1,
		})
		want := []checks.Finding{{
			Resource: model.NonCompliantResource{
				ResourceType:       model.ResourceTypeAccountSettings,
				ResourceIdentifier: model.ResourceIdentifier{Account: "123456789012"},
			},
			Reason: row.reason, ReasonCode: row.code,
		}}
		if diff := cmp.Diff(want, out.Findings, cmpopts.IgnoreUnexported(checks.Finding{})); diff != "" {
			t.Errorf("%+v %+v (-want +got):\n%s", row.v1, row.v2, diff)
		}
	}
}

func TestLoggingDisabledContract(t *testing.T) {
	accounts := []inventory.AccountSettings{
		{Account: "000000000001"},
		{Account: "000000000002", Logging: inventory.LoggingOptions{RoleARN: role, LogLevel: "ERROR"}},
		{Account: "000000000003", V2Logging: inventory.V2LoggingOptions{RoleARN: role, DefaultLogLevel: "loud"}},
		{Account: "000000000004", V2Logging: inventory.V2LoggingOptions{RoleARN: role, DefaultLogLevel: "INFO", DisableAllLogs: true}},
		{Account: "000000000005", V2Logging: inventory.V2LoggingOptions{RoleARN: role, DefaultLogLevel: "INFO"}},
	}
	checktest.Contract(t, checktest.Case{WantScanned: 5, Want: []checktest.Finding{
		finding("000000000001", disabled), finding("000000000003", notEvaluable), finding("000000000004", disabled),
	}}, func(k *checktest.Kit) checks.Check {
		inv := inventory.New(inventory.Contents{Accounts: accounts})
		inv.Accounts = checktest.Source(k, inv.Accounts)
		return account.LoggingDisabled(inv)
	})
}
