package engine_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

func TestAuditTask(t *testing.T) { runScript(t, "audittask.txt") }

// bubble runs a test in a synctest bubble, with an engine of some of the stock's checks, all enabled.
func bubble(t *testing.T, c engine.Config, names []string, test func(*testing.T, *stock, *engine.Engine)) {
	synctest.Test(t, func(t *testing.T) {
		s := newStock()
		c.EnableAll = true
		for _, name := range names {
			c.Checks = append(c.Checks, s.checks[name])
		}
		e, err := engine.New(c)
		require.NoError(t, err)
		test(t, s, e)
		require.NoError(t, e.Close())
	})
}

// begin starts an audit, and lets it come to its end or to where it waits.
func begin(t *testing.T, e *engine.Engine, names ...string) (taskID string) {
	out, err := e.StartOnDemandAuditTask(t.Context(), &model.StartOnDemandAuditTaskInput{TargetCheckNames: names})
	require.NoError(t, err)
	synctest.Wait()
	return out.TaskID
}

func TestMaxOnDemandAudits(t *testing.T) {
	for _, row := range []struct{ max, want int }{{0, 10}, {1, 1}, {12, 12}, {-1, 30}} {
		t.Run(fmt.Sprint(row.max), func(t *testing.T) {
			bubble(t, engine.Config{MaxOnDemandAudits: row.max, Concurrency: 30}, []string{"HOLD_CHECK"}, func(t *testing.T, s *stock, e *engine.Engine) {
				hold := &model.StartOnDemandAuditTaskInput{TargetCheckNames: []string{"HOLD_CHECK"}}
				for n := range 30 {
					_, err := e.StartOnDemandAuditTask(t.Context(), hold)
					var want error
					if n >= row.want {
						want = &model.LimitExceededException{
							Message: fmt.Sprintf("%d on-demand audits are in progress, which is all that may be", row.want),
						}
					}
					if diff := cmp.Diff(want, err); diff != "" {
						t.Errorf("after %d (-want +got):\n%s", n, diff)
					}
				}
				s.release("HOLD_CHECK")
				synctest.Wait()
				if _, err := e.StartOnDemandAuditTask(t.Context(), hold); err != nil {
					t.Errorf("after all have ended: %v", err)
				}
			})
		})
	}
}

func TestStartAuditAsOf(t *testing.T) {
	bubble(t, engine.Config{}, []string{"DEVICE_CHECK"}, func(t *testing.T, _ *stock, e *engine.Engine) {
		now := time.Now()
		for _, row := range []struct {
			name string
			asOf time.Time
			want map[string]string // the ages of those that are old
		}{
			{"now", time.Time{}, map[string]string{"pump-2": "40", "pump-5": "31"}},
			{"in a month", now.AddDate(0, 0, 30), map[string]string{"pump-1": "31", "pump-2": "70", "pump-5": "61"}},
			{"a month ago", now.AddDate(0, 0, -10), map[string]string{}},
		} {
			in := &model.StartOnDemandAuditTaskInput{TargetCheckNames: []string{"DEVICE_CHECK"}}
			task, err := e.StartAuditAsOf(t.Context(), in, row.asOf)
			require.NoError(t, err)
			in.TargetCheckNames[0] = "scrambled"
			out, err := e.WaitAuditTask(t.Context(), task.TaskID)
			require.NoError(t, err)
			if !out.TaskStartTime.Equal(now) {
				t.Errorf("%s: the audit started at %v, not %v", row.name, out.TaskStartTime, now)
			}
			got := make(map[string]string)
			for f, err := range e.AuditFindings(t.Context(), &model.ListAuditFindingsInput{TaskID: task.TaskID}) {
				require.NoError(t, err)
				if !f.FindingTime.Equal(now) {
					t.Errorf("%s: it was found at %v, not %v", row.name, f.FindingTime, now)
				}
				if f.ReasonForNonComplianceCode == "OLD" {
					got[f.NonCompliantResource.ResourceIdentifier.ClientID] = f.NonCompliantResource.AdditionalInfo["AGE"]
				}
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", row.name, diff)
			}
		}
		_, err := e.StartAuditAsOf(t.Context(), nil, now)
		if got, want := fmt.Sprint(err), "InvalidRequestException: targetCheckNames is required"; got != want {
			t.Errorf("got error %s, want %s", got, want)
		}
	})
}

// What an audit has waited for it judges as of the end of the wait, unless it was told as of when.
func TestWaitThenJudge(t *testing.T) {
	bubble(t, engine.Config{}, []string{"DATA_CHECK"}, func(t *testing.T, s *stock, e *engine.Engine) {
		begin := func(asOf time.Time) string {
			in := &model.StartOnDemandAuditTaskInput{TargetCheckNames: []string{"DATA_CHECK"}}
			task, err := e.StartAuditAsOf(t.Context(), in, asOf)
			require.NoError(t, err)
			return task.TaskID
		}
		waiting, asOf := begin(time.Time{}), begin(time.Now().AddDate(0, 0, 30))
		time.Sleep(48 * time.Hour)
		close(s.data)
		for taskID, want := range map[string]string{waiting: "42", asOf: "70", begin(time.Time{}): "42"} {
			_, err := e.WaitAuditTask(t.Context(), taskID)
			require.NoError(t, err)
			var ages []string
			for f, err := range e.AuditFindings(t.Context(), &model.ListAuditFindingsInput{TaskID: taskID}) {
				require.NoError(t, err)
				if f.ReasonForNonComplianceCode == "OLD" {
					ages = append(ages, f.NonCompliantResource.AdditionalInfo["AGE"])
				}
			}
			if diff := cmp.Diff([]string{want}, ages); diff != "" {
				t.Errorf("the age of pump-2 (-want +got):\n%s", diff)
			}
		}
	})
}

// What comes in the very moment that the wait ends counts, though audits start on whole milliseconds.
func TestWaitToTheMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ready := make(chan struct{})
		source := numbers(1, func(context.Context, int) {})
		source.Ready = func() <-chan struct{} { return ready }
		var asOf time.Time
		e := openEngine(t, engine.Config{Checks: []checks.Check{
			checks.Each(specOf("WAITING"), source, func(_ context.Context, p *checks.Pass, _ *int) error {
				asOf = p.Time
				return nil
			}),
		}})
		time.Sleep(900 * time.Microsecond)
		taskID := startAudit(t, e, "WAITING")
		time.Sleep(time.Hour)
		close(ready)
		_, err := e.WaitAuditTask(t.Context(), taskID)
		require.NoError(t, err)
		if !asOf.Equal(time.Now()) {
			t.Errorf("judged as of %v, at %v", asOf, time.Now())
		}
	})
}

// AWS gives 2048 characters to the message of a check run.
func TestLongMessage(t *testing.T) {
	for _, row := range []struct {
		length int
		want   string
	}{
		{2047, strings.Repeat("é", 2047)},
		{2048, strings.Repeat("é", 2048)},
		{2049, strings.Repeat("é", 2045) + "..."},
		{100_000, strings.Repeat("é", 2045) + "..."},
	} {
		check := checks.New(deviceSpec("LONG_CHECK"), func(context.Context, *checks.Pass) error {
			return errors.New(strings.Repeat("é", row.length))
		})
		bubble(t, engine.Config{Checks: []checks.Check{check}}, nil, func(t *testing.T, _ *stock, e *engine.Engine) {
			out, err := e.WaitAuditTask(t.Context(), begin(t, e, "LONG_CHECK"))
			require.NoError(t, err)
			if got := out.AuditDetails["LONG_CHECK"].Message; got != row.want {
				t.Errorf("of %d characters there are %d left: %.20s...", row.length, len([]rune(got)), got)
			}
		})
	}
}

// Audits start at whole milliseconds, and a period is cut to them: who asks from a moment on is told of
// the audit that was started then.
func TestMilliseconds(t *testing.T) {
	bubble(t, engine.Config{}, []string{"DEVICE_CHECK"}, func(t *testing.T, _ *stock, e *engine.Engine) {
		time.Sleep(1999999 * time.Nanosecond)
		now := time.Now()
		id := begin(t, e, "DEVICE_CHECK")
		out, err := e.DescribeAuditTask(t.Context(), &model.DescribeAuditTaskInput{TaskID: id})
		require.NoError(t, err)
		if diff := cmp.Diff(model.At(now), out.TaskStartTime); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		elsewhere := now.In(time.FixedZone("", 3600))
		for _, row := range []struct {
			name       string
			start, end time.Time
			want       bool
		}{
			{"that nanosecond", now, now, true},
			{"that nanosecond, elsewhere", elsewhere, elsewhere, true},
			{"that millisecond", now.Truncate(time.Millisecond), now.Truncate(time.Millisecond), true},
			{"until it", now.Add(-time.Second), now.Truncate(time.Millisecond), true},
			{"the millisecond before", now.Add(-time.Millisecond), now.Add(-time.Millisecond), false},
			{"the millisecond after", now.Add(time.Millisecond), now.Add(time.Millisecond), false},
		} {
			start, end := model.Timestamp{Time: row.start}, model.Timestamp{Time: row.end}
			list, err := e.ListAuditTasks(t.Context(), &model.ListAuditTasksInput{StartTime: start, EndTime: end})
			require.NoError(t, err)
			if got := len(list.Tasks) == 1; got != row.want {
				t.Errorf("%s: the audit is listed: %t, want %t", row.name, got, row.want)
			}
			found, err := e.ListAuditFindings(t.Context(), &model.ListAuditFindingsInput{StartTime: start, EndTime: end})
			require.NoError(t, err)
			if got := len(found.Findings) > 0; got != row.want {
				t.Errorf("%s: its findings are listed: %t, want %t", row.name, got, row.want)
			}
		}
	})
}

func TestListAuditTasksInPages(t *testing.T) {
	bubble(t, engine.Config{}, []string{"DEVICE_CHECK"}, func(t *testing.T, _ *stock, e *engine.Engine) {
		var want []string // newest first
		for n := range 60 {
			time.Sleep(time.Duration(n%3) * time.Millisecond) // some start together
			want = append([]string{begin(t, e, "DEVICE_CHECK")}, want...)
		}
		in := &model.ListAuditTasksInput{StartTime: model.At(time.Now().Add(-time.Hour)), EndTime: model.At(time.Now())}
		for _, size := range []int32{0, 1, 7, 30, 59, 60, 61, 250} {
			in.NextToken, in.MaxResults = "", &size
			if size == 0 {
				in.MaxResults = nil
				size = 25
			}
			var got []string
			for {
				page, err := e.ListAuditTasks(t.Context(), in)
				require.NoError(t, err)
				for _, task := range page.Tasks {
					got = append(got, task.TaskID)
				}
				if page.NextToken == "" {
					break
				}
				if len(page.Tasks) != int(size) {
					t.Errorf("a page of %d has %d audits, and is not the last", size, len(page.Tasks))
				}
				in.NextToken = page.NextToken
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("in pages of %d (-want +got):\n%s", size, diff)
			}
		}
	})
}

func TestSnapshotsAreTheCallers(t *testing.T) {
	bubble(t, engine.Config{}, []string{"DEVICE_CHECK", "OK_CHECK"}, func(t *testing.T, _ *stock, e *engine.Engine) {
		id := begin(t, e, "DEVICE_CHECK", "OK_CHECK")
		before := dump(t, e, []string{id})
		waited, err := e.WaitAuditTask(t.Context(), id)
		require.NoError(t, err)
		scramble(reflect.ValueOf(waited))
		for watched, err := range e.WatchAuditTask(t.Context(), id) {
			require.NoError(t, err)
			scramble(reflect.ValueOf(watched))
		}
		for f, err := range e.AuditFindings(t.Context(), everything) {
			require.NoError(t, err)
			scramble(reflect.ValueOf(&f))
		}
		if diff := cmp.Diff(before, dump(t, e, []string{id})); diff != "" {
			t.Errorf("who changes what he was given changes what is kept (-before +after):\n%s", diff)
		}
	})
}
