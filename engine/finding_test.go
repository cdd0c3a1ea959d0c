package engine_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

func TestListAuditFindings(t *testing.T) { runScript(t, "finding.txt") }

// manyCheck has n findings about n resources.
func manyCheck(name string, n int) checks.Check {
	return checks.New(deviceSpec(name), func(_ context.Context, pass *checks.Pass) error {
		for i := range n {
			pass.Report(deviceFinding(fmt.Sprint("pump-", i), "WEAK", "it is number "+fmt.Sprint(i)))
		}
		pass.Scanned(n)
		return nil
	})
}

func collect(t *testing.T, e *engine.Engine, in *model.ListAuditFindingsInput) (all []model.AuditFinding) {
	for f, err := range e.AuditFindings(t.Context(), in) {
		require.NoError(t, err)
		all = append(all, f)
	}
	return all
}

// Pages of any size hold what AuditFindings yields, for queries of every kind.
func TestListAuditFindingsInPages(t *testing.T) {
	config := engine.Config{Checks: []checks.Check{manyCheck("A_CHECK", 301), manyCheck("B_CHECK", 250)}}
	for i := range 300 {
		if i%3 == 0 {
			config.Suppressions = append(config.Suppressions, model.AuditSuppression{
				CheckName: "A_CHECK", ResourceIdentifier: model.ResourceIdentifier{ClientID: fmt.Sprint("pump-", i)}, SuppressIndefinitely: new(true),
			})
		}
	}
	bubble(t, config, nil, func(t *testing.T, _ *stock, e *engine.Engine) {
		begin(t, e, "A_CHECK")
		time.Sleep(time.Second)
		id := begin(t, e, "B_CHECK", "A_CHECK")
		for _, row := range []struct {
			name string
			in   model.ListAuditFindingsInput
			want int
		}{
			{"period", *everything, 852},
			{"audit", model.ListAuditFindingsInput{TaskID: id}, 551},
			{"check", model.ListAuditFindingsInput{TaskID: id, CheckName: "B_CHECK"}, 250},
			{"resource", model.ListAuditFindingsInput{
				StartTime: everything.StartTime, EndTime: everything.EndTime,
				ResourceIdentifier: model.ResourceIdentifier{ClientID: "pump-249"},
			}, 3},
			{"not suppressed", model.ListAuditFindingsInput{TaskID: id, ListSuppressedFindings: new(false)}, 451},
			{"suppressed", model.ListAuditFindingsInput{TaskID: id, ListSuppressedFindings: new(true)}, 100},
		} {
			want := collect(t, e, &row.in)
			require.Len(t, want, row.want)
			for _, size := range []int32{0, 1, 2, 24, 125, 249, 250} {
				in := row.in
				if size == 0 {
					size = 25
				} else {
					in.MaxResults = &size
				}
				var got []model.AuditFinding
				for {
					page, err := e.ListAuditFindings(t.Context(), &in)
					require.NoError(t, err)
					got = append(got, page.Findings...)
					if page.NextToken == "" {
						break
					}
					if len(page.Findings) != int(size) {
						t.Errorf("%s: a page of %d has %d findings, and is not the last", row.name, size, len(page.Findings))
					}
					in.NextToken = page.NextToken
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s in pages of %d (-iterator +pages):\n%s", row.name, size, diff)
				}
			}
		}
	})
}

func TestAuditFindings(t *testing.T) {
	config := engine.Config{Checks: []checks.Check{manyCheck("A_CHECK", 10)}}
	bubble(t, config, nil, func(t *testing.T, _ *stock, e *engine.Engine) {
		id := begin(t, e, "A_CHECK")

		// MaxResults and NextToken do not count.
		in := &model.ListAuditFindingsInput{TaskID: id, MaxResults: new(int32(-1)), NextToken: "forged"}
		require.Len(t, collect(t, e, in), 10)

		// The input may be changed after the call.
		in = &model.ListAuditFindingsInput{TaskID: id, ListSuppressedFindings: new(false)}
		all := e.AuditFindings(t.Context(), in)
		in.TaskID, *in.ListSuppressedFindings = "no-task", true
		n := 0
		for _, err := range all {
			require.NoError(t, err)
			*in.ListSuppressedFindings = !*in.ListSuppressedFindings
			n++
		}
		require.Equal(t, 10, n)

		// It may be ranged over again, and left.
		var ids [2]string
		for i := range ids {
			for f := range all {
				ids[i] = f.FindingID
				break
			}
		}
		if ids[0] == "" || ids[0] != ids[1] {
			t.Errorf("it began with %q, and again with %q", ids[0], ids[1])
		}

		for name, row := range map[string]struct {
			in   *model.ListAuditFindingsInput
			want string
		}{
			"nil":     {nil, "InvalidRequestException: taskId is required, or else startTime and endTime"},
			"no task": {&model.ListAuditFindingsInput{TaskID: "x"}, `InvalidRequestException: taskId "x" does not exist, or is no longer kept`},
		} {
			var errs []error
			for f, err := range e.AuditFindings(t.Context(), row.in) {
				errs = append(errs, err)
				if diff := cmp.Diff(model.AuditFinding{}, f); diff != "" {
					t.Errorf("%s: a finding comes with the error: %s", name, diff)
				}
			}
			if got := fmt.Sprint(errs); got != "["+row.want+"]" {
				t.Errorf("%s: got errors %s, want %s", name, got, row.want)
			}
		}

		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		cause := errors.New("the caller has left")
		n = 0
		for _, err := range e.AuditFindings(ctx, &model.ListAuditFindingsInput{TaskID: id}) {
			if n++; n == 4 {
				cancel(cause)
			}
			if want := n > 4; (err == cause) != want || n > 5 {
				t.Errorf("step %d: got error %v", n, err)
			}
		}
		require.Equal(t, 5, n)
	})
}

// Findings come in pages, each with the token of the next.
func ExampleEngine_ListAuditFindings() {
	ctx := context.Background()
	e, err := engine.New(engine.Config{Checks: []checks.Check{newStock().checks["DEVICE_CHECK"]}, EnableAll: true})
	if err != nil {
		panic(err)
	}
	defer e.Close()
	task, err := e.StartAuditAsOf(ctx, &model.StartOnDemandAuditTaskInput{TargetCheckNames: []string{"DEVICE_CHECK"}},
		time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		panic(err)
	}
	if _, err := e.WaitAuditTask(ctx, task.TaskID); err != nil {
		panic(err)
	}
	in := &model.ListAuditFindingsInput{TaskID: task.TaskID, MaxResults: new(int32(3))}
	for {
		page, err := e.ListAuditFindings(ctx, in)
		if err != nil {
			panic(err)
		}
		for _, f := range page.Findings {
			fmt.Println(f.NonCompliantResource.ResourceIdentifier, f.ReasonForNonComplianceCode)
		}
		if page.NextToken == "" {
			break
		}
		in.NextToken = page.NextToken
		fmt.Println("--")
	}
	// Output:
	// pump-2 WEAK
	// pump-2 OLD
	// pump-3 RESOURCE_NOT_EVALUABLE
	// --
	// pump-5 OLD
}
