package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/engine/storetest"
	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// pick returns one of some strings, and now and then what is none of them.
func pick(r *rand.Rand, all ...string) string {
	switch n := r.IntN(len(all)*8 + 2); n {
	case 0:
		return ""
	case 1:
		return "no such thing!"
	default:
		return all[n%len(all)]
	}
}

// input fills the input of an operation with what is valid most of the time.
func (h *hectic) input(r *rand.Rand, in any) {
	task := func() string {
		h.mu.Lock()
		defer h.mu.Unlock()
		if len(h.started) == 0 {
			return "none"
		}
		return pick(r, h.started[max(0, len(h.started)-20):]...)
	}
	targets := func() []string {
		names := slices.Clone(h.names)
		r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		return names[:1+r.IntN(len(names))]
	}
	check, resource := pick(r, "BAD", "SHARED_A", "GOOD"), model.ResourceIdentifier{ClientID: pick(r, "1", "2", "3", "100")}
	arn := "arn:aws:iot:us-east-1:000000000000:scheduledaudit/" + pick(r, "A", "B")
	schedule := pick(r, "A", "B", "C", "D", "E", "F", "G")
	limit := int32(r.IntN(20))
	around := func() (from, to model.Timestamp) {
		return model.At(time.Now().Add(-time.Hour)), model.At(time.Now().Add(100 * day))
	}
	switch in := in.(type) {
	case *model.UpdateAccountAuditConfigurationInput:
		in.RoleARN = "arn:aws:iam::000000000000:role/audit"
		in.AuditCheckConfigurations = make(map[string]model.AuditCheckConfiguration)
		for _, name := range h.names {
			in.AuditCheckConfigurations[name] = model.AuditCheckConfiguration{Enabled: r.IntN(50) > 0}
		}
	case *model.DeleteAccountAuditConfigurationInput:
		in.DeleteScheduledAudits = r.IntN(2) > 0
	case *model.CreateScheduledAuditInput:
		in.ScheduledAuditName, in.TargetCheckNames = schedule, targets()
		in.Frequency = model.AuditFrequency(pick(r, "DAILY", "DAILY", "WEEKLY"))
		if in.Frequency == model.AuditFrequencyWeekly {
			in.DayOfWeek = model.DayOfWeekFri
		}
	case *model.DescribeAccountAuditConfigurationInput:
	case *model.DescribeScheduledAuditInput:
		in.ScheduledAuditName = schedule
	case *model.UpdateScheduledAuditInput:
		in.ScheduledAuditName, in.DayOfMonth, in.Frequency = schedule, pick(r, "1", "LAST"), model.AuditFrequencyMonthly
	case *model.DeleteScheduledAuditInput:
		in.ScheduledAuditName = schedule
	case *model.ListScheduledAuditsInput:
		in.MaxResults = &limit
	case *model.StartOnDemandAuditTaskInput:
		in.TargetCheckNames = targets()
	case *model.DescribeAuditTaskInput:
		in.TaskID = task()
	case *model.CancelAuditTaskInput:
		in.TaskID = task()
	case *model.ListAuditTasksInput:
		in.StartTime, in.EndTime = around()
		in.MaxResults = &limit
	case *model.ListAuditFindingsInput:
		if r.IntN(2) > 0 {
			in.TaskID = task()
		} else {
			in.StartTime, in.EndTime = around()
		}
	case *model.DescribeAuditFindingInput:
		in.FindingID = h.finding(r, task())
	case *model.ListRelatedResourcesForAuditFindingInput:
		in.FindingID, in.MaxResults = h.finding(r, task()), &limit
	case *model.CreateAuditSuppressionInput:
		in.CheckName, in.ResourceIdentifier, in.ClientRequestToken = check, resource, pick(r, "1", "2", "3")
		if r.IntN(2) > 0 {
			in.SuppressIndefinitely = new(true)
		} else {
			in.ExpirationDate = model.At(time.Now().Add(time.Duration(r.IntN(50)) * time.Millisecond))
		}
	case *model.DescribeAuditSuppressionInput:
		in.CheckName, in.ResourceIdentifier = check, resource
	case *model.UpdateAuditSuppressionInput:
		in.CheckName, in.ResourceIdentifier = check, resource
		in.ExpirationDate = model.At(time.Now().Add(time.Duration(r.IntN(50)) * time.Millisecond))
	case *model.DeleteAuditSuppressionInput:
		in.CheckName, in.ResourceIdentifier = check, resource
	case *model.ListAuditSuppressionsInput:
		in.MaxResults, in.AscendingOrder = &limit, new(r.IntN(2) > 0)
	case *model.TagResourceInput:
		in.ResourceARN, in.Tags = arn, []model.Tag{{Key: pick(r, "a", "b"), Value: "v"}}
	case *model.UntagResourceInput:
		in.ResourceARN, in.TagKeys = arn, []string{"a"}
	case *model.ListTagsForResourceInput:
		in.ResourceARN = arn
	default:
		panic(fmt.Sprintf("a new operation: %T", in))
	}
}

// finding returns the id of a finding of an audit, if it has one.
func (h *hectic) finding(r *rand.Rand, taskID string) string {
	for f := range h.AuditFindings(context.Background(), &model.ListAuditFindingsInput{TaskID: taskID}) {
		if f.FindingID != "" && r.IntN(3) == 0 {
			return f.FindingID
		}
	}
	return "none"
}

// look looks at audits in ways that are no operations.
func (h *hectic) look(t *testing.T, r *rand.Rand) {
	h.mu.Lock()
	tasks := slices.Clone(h.started[max(0, len(h.started)-20):])
	h.mu.Unlock()
	if len(tasks) < 2 {
		return
	}
	for c, err := range h.DiffAudits(t.Context(), tasks[0], tasks[1+r.IntN(len(tasks)-1)]) {
		if e, ok := errors.AsType[model.APIError](err); err != nil && !ok {
			t.Error(e)
		}
		if err != nil {
			break
		}
		history, err := h.FindingHistory(t.Context(), findings.FingerprintOf(c.Finding))
		if err != nil || history.FirstSeen.Time.After(history.LastSeen.Time) {
			t.Errorf("%v of %v: %v", history, c, err)
		}
	}
	for _, a := range h.Statistics(time.Now()).Audits {
		if a.Count < 0 {
			t.Errorf("%+v", a)
		}
	}
	if _, err := h.SuppressionReport(t.Context(), time.Second); err != nil {
		t.Error(err)
	}
	if r.IntN(20) > 0 {
		return
	}
	f, err := h.Forecast(t.Context(), engine.ForecastInput{To: time.Now().Add(day)})
	if _, ok := errors.AsType[*model.InvalidRequestException](err); ok {
		return // no check is enabled at the moment
	}
	if err != nil {
		t.Error(err)
		return
	}
	for _, reason := range f.Reasons { // nothing here depends on the time but suppressions and, by chance, LATE
		if reason.CheckName != "LATE" && f.Lapsed == nil {
			t.Errorf("%v: %+v", f, reason)
		}
	}
}

// call calls a random operation, and looks at what comes back.
func (h *hectic) call(t *testing.T, r *rand.Rand, ops []engine.Operation) {
	op := ops[r.IntN(len(ops))]
	if op.Name == "DeleteAccountAuditConfiguration" && r.IntN(10) > 0 {
		op = ops[0] // or else hardly any audit would be started
	}
	in := op.NewInput()
	h.input(r, in)
	out, err := op.Call(t.Context(), h.Engine, in)
	if err != nil {
		e, ok := errors.AsType[model.APIError](err)
		if !ok || !slices.Contains(op.Errors, e.ErrorCode()) {
			t.Errorf("%s of %+v: %v", op.Name, in, err)
		}
		return
	}
	switch out := out.(type) {
	case *model.StartOnDemandAuditTaskOutput:
		h.start(out.TaskID)
		if r.IntN(4) == 0 {
			watchAudit(t, t.Context(), h.Engine, out.TaskID)
		}
	case *model.DescribeAuditTaskOutput:
		addsUp(t, out)
	case *model.ListAuditTasksOutput:
		if len(out.Tasks) > int(*in.(*model.ListAuditTasksInput).MaxResults) {
			t.Errorf("a page of %d audits", len(out.Tasks))
		}
	}
}

// Every operation is called from 64 goroutines at once while audits, some of whose checks are broken, run
// and are scheduled. Each answer is one that the operation may give, each snapshot adds up, and in the end
// the audits that were started are those that are listed and whose end was told, once.
func TestStress(t *testing.T) {
	t.Run("in memory", func(t *testing.T) { stress(t, newHectic(t, nil)) })
	t.Run("with a Store", func(t *testing.T) {
		h := newHectic(t, storetest.NewMemory())
		stress(t, h)
		h.config.Suppressions = nil
		again := openEngine(t, h.config)
		if diff := cmp.Diff(dump(t, h.Engine, h.started), dump(t, again, h.started)); diff != "" {
			t.Errorf("a restart shows (-before +after):\n%s", diff)
		}
	})
}

func stress(t *testing.T, h *hectic) {
	const callers, calls = 64, 60
	ops := engine.Operations()
	ctx, stop := context.WithCancel(t.Context())
	var loop, all sync.WaitGroup
	for range 2 {
		loop.Go(func() { h.Run(ctx) })
	}
	begun := time.Now()
	for i := range callers {
		all.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 1))
			for n := range calls {
				h.call(t, r, ops)
				if n%20 == i%20 {
					h.look(t, r)
				}
				if n%10 == i%10 {
					h.start(runDue(t, h.Engine, begun.Add(time.Duration(r.IntN(30))*day))...)
				}
			}
		})
	}
	all.Wait()
	stop()
	loop.Wait()

	listed := make(map[string]*model.DescribeAuditTaskOutput)
	in := &model.ListAuditTasksInput{StartTime: model.At(begun), EndTime: model.At(begun.Add(31 * day)), MaxResults: new(int32(250))}
	for {
		out, err := h.ListAuditTasks(t.Context(), in)
		require.NoError(t, err)
		for _, task := range out.Tasks {
			if listed[task.TaskID] != nil {
				t.Error("listed twice:", task.TaskID)
			}
			listed[task.TaskID] = waitAudit(t, h.Engine, task.TaskID)
		}
		if in.NextToken = out.NextToken; in.NextToken == "" {
			break
		}
	}
	close(h.release)
	require.NoError(t, h.Close()) // from now on all ends have been told
	for _, id := range h.started {
		if listed[id] == nil {
			t.Error("started, but not listed:", id)
		}
	}
	if len(listed) < 20 || len(listed) != len(h.told) {
		t.Errorf("%d audits are listed, the ends of %d were told; want twenty and more", len(listed), len(h.told))
	}
	var total model.TaskStatistics
	var suppressed int64
	for id, out := range listed {
		addsUp(t, out)
		if len(h.told[id]) != 1 {
			t.Errorf("the end of %s was told %d times", id, len(h.told[id]))
			continue
		}
		n, s := h.told[id][0], out.TaskStatistics
		told := model.TaskStatistics{
			TotalChecks: n.TotalChecksCount, CompliantChecks: n.CompliantChecksCount, NonCompliantChecks: n.NonCompliantChecksCount,
			FailedChecks: n.FailedChecksCount, CanceledChecks: n.CanceledChecksCount,
		}
		if diff := cmp.Diff(s, told); diff != "" || n.TaskStatus != out.TaskStatus {
			t.Errorf("%s is %s, told %s: %s", id, out.TaskStatus, n.TaskStatus, diff)
		}
		for _, d := range n.AuditDetails {
			if want := out.AuditDetails[d.CheckName].SuppressedNonCompliantResourcesCount; d.SuppressedNonCompliantResourcesCount != want {
				t.Errorf("of %s of %s %d suppressed were told, want %d", d.CheckName, id, d.SuppressedNonCompliantResourcesCount, want)
			}
		}
		found := make(map[string]map[string]bool) // by check: devices, and whether they are suppressed
		for f, err := range h.AuditFindings(t.Context(), &model.ListAuditFindingsInput{TaskID: id}) {
			require.NoError(t, err)
			if found[f.CheckName] == nil {
				found[f.CheckName] = make(map[string]bool)
			}
			id := f.NonCompliantResource.ResourceIdentifier.ClientID
			if before, known := found[f.CheckName][id]; known && before != *f.IsSuppressed {
				t.Errorf("%s of %s: one finding about %s is suppressed, another is not", f.CheckName, f.TaskID, id)
			}
			found[f.CheckName][id] = *f.IsSuppressed
		}
		for name, d := range out.AuditDetails {
			if int64(len(found[name])) != d.NonCompliantResourcesCount {
				t.Errorf("%s of %s counts %d, but has findings of %d", name, id, d.NonCompliantResourcesCount, len(found[name]))
			}
			var n int64
			for _, yes := range found[name] {
				if yes {
					n++
				}
			}
			if n != d.SuppressedNonCompliantResourcesCount {
				t.Errorf("%s of %s counts %d suppressed, but has findings of %d", name, id, d.SuppressedNonCompliantResourcesCount, n)
			}
			suppressed += n
		}
		total.CompliantChecks += s.CompliantChecks
		total.NonCompliantChecks += s.NonCompliantChecks
		total.FailedChecks += s.FailedChecks
		total.CanceledChecks += s.CanceledChecks
	}
	if diff := cmp.Diff(total, countedRuns(h.Engine)); diff != "" {
		t.Errorf("what the audits say of their check runs, and what Statistics counts:\n%s", diff)
	}
	for what, n := range map[string]int{
		"compliant": total.CompliantChecks, "non-compliant": total.NonCompliantChecks, "failed": total.FailedChecks, "canceled": total.CanceledChecks,
		"suppressed": int(suppressed),
	} {
		if n == 0 {
			t.Errorf("of %d audits no check was %s: this was no stress", len(listed), what)
		}
	}
	t.Logf("%d audits: %+v", len(listed), total)
}
