package engine_test

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/engine/storetest"
	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// seesRestarts are the cases of scripts in which a restart while an audit is in progress shows, and why it must.
var seesRestarts = map[string]string{
	"deleting the settings leaves an audit in progress alone": "a check that starts over is not enabled any more",
	"suppressions as they were when the check run started":    "a check that starts over takes the suppressions of now",
	"runs that miss what they found before":                   "MISS_CHECK counts its runs",
}

// The answers of every script are the same when the process ends after each step and another goes on: whether the Engine
// is closed or crashes. What is not the same is which page tokens are known, and what Statistics has counted.
func TestScriptsWithRestarts(t *testing.T) {
	for _, file := range []string{
		"account.txt", "audittask.txt", "finding.txt", "history.txt", "scheduledaudit.txt", "session.txt", "statistics.txt",
		"suppression.txt", "tag.txt",
	} {
		for _, c := range readScript(t, file) {
			for _, crash := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/crash=%t", file, c.name, crash), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						s := newScript(t, "DEVICE_CHECK", "OK_CHECK")
						s.restarts = true
						memory := storetest.NewMemory()
						s.config.Store = memory
						tokens := tokenSteps(c.steps)
						for i, step := range c.steps {
							s.step(file, step)
							if s.engine == nil || tokens[i] || seesRestarts[c.name] != "" && s.inProgress() {
								continue
							}
							memory = s.restart(memory, crash)
						}
						require.NoError(t, s.engine.Close())
					})
				})
			}
		}
	}
}

// tokenSteps tells of each step whether a token is known after it that a later one uses.
func tokenSteps(steps []scriptStep) map[int]bool {
	given := regexp.MustCompile(`"nextToken":\s*"<([\w-]+)>"`)
	in := make(map[int]bool)
	for i, step := range steps {
		for _, m := range given.FindAllStringSubmatch(step.want, -1) {
			for j := i + 1; j < len(steps); j++ {
				if strings.Contains(steps[j].words, "<"+m[1]+">") || strings.Contains(steps[j].words, "<"+m[1]+"-cut>") {
					for k := i; k < j; k++ {
						in[k] = true
					}
				}
			}
		}
	}
	return in
}

func (s *script) inProgress() bool {
	now := time.Now()
	out, err := s.engine.ListAuditTasks(s.Context(), &model.ListAuditTasksInput{
		StartTime: model.At(now.Add(-time.Hour)), EndTime: model.At(now.Add(time.Hour)), TaskStatus: model.AuditTaskStatusInProgress,
	})
	require.NoError(s, err)
	return len(out.Tasks) > 0
}

// restart makes a new Engine of what the old one has left in its Store, and returns that Store. Everything that can be
// read must be the same.
func (s *script) restart(memory *storetest.Memory, crash bool) *storetest.Memory {
	s.Helper()
	before := fullDump(s, s.engine, s.tasks)
	if crash {
		memory = memory.Clone()
	}
	require.NoError(s, s.engine.Close())
	if !crash {
		memory = memory.Clone() // the closed one may write no more
	}
	s.config.Store = memory
	s.config.Suppressions = nil // they would go before those of the Store
	var err error
	s.engine, err = engine.New(s.config)
	require.NoError(s, err)
	_, err = s.engine.Resume()
	require.NoError(s, err)
	synctest.Wait()
	if diff := cmp.Diff(before, fullDump(s, s.engine, s.tasks)); diff != "" {
		s.Errorf("a restart shows (-before +after):\n%s", diff)
	}
	return memory
}

// fullDump is everything that an Engine answers about what it holds, but for page tokens and what Statistics counts.
func fullDump(t testing.TB, e *engine.Engine, tasks []string) string {
	var b strings.Builder
	show := func(what string, out any, err error) { fmt.Fprintln(&b, what, pretty(answer(out, err))) }
	ctx, now := context.Background(), time.Now()
	in := &model.ListAuditTasksInput{EndTime: model.At(now.Add(time.Hour)), MaxResults: new(int32(250))}
	for days := 89; days >= 0; days-- { // what is retained
		in.StartTime = model.At(now.Add(-time.Duration(days) * day))
		listed, err := e.ListAuditTasks(ctx, in)
		if err != nil {
			continue
		}
		show("audits", listed, nil)
		tasks = slices.Clone(tasks)
		for _, a := range listed.Tasks {
			if !slices.Contains(tasks, a.TaskID) {
				tasks = append(tasks, a.TaskID)
			}
		}
		break
	}
	b.WriteString(dump(t, e, tasks))
	report, err := e.SuppressionReport(ctx, 30*day)
	show("suppression report", report, err)
	for i := range tasks {
		for j := range tasks {
			if i != j && (max(i, j)-min(i, j) <= 2 || i+j == len(tasks)-1) { // not all, of many
				for c, err := range e.DiffAudits(ctx, tasks[i], tasks[j]) {
					show("change", c, err)
				}
			}
		}
	}
	seen := make(map[string]bool)
	for f, err := range e.AuditFindings(ctx, everything) {
		require.NoError(t, err)
		one, err := e.DescribeAuditFinding(ctx, &model.DescribeAuditFindingInput{FindingID: f.FindingID})
		show("finding", one, err)
		related, err := e.ListRelatedResourcesForAuditFinding(ctx, &model.ListRelatedResourcesForAuditFindingInput{
			FindingID: f.FindingID, MaxResults: new(int32(250)),
		})
		show("related", related, err)
		fp := findings.FingerprintOf(f)
		if !seen[fp.String()] {
			seen[fp.String()] = true
			history, err := e.FindingHistory(ctx, fp)
			show("history", history, err)
		}
	}
	for _, s := range e.Statistics(now).Schedules {
		show("schedule statistics", s, nil)
	}
	return b.String()
}

// held is what the last completed run of each check found, and how many audits are in progress: of Statistics, what a
// restart keeps.
func held(e *engine.Engine) string {
	var lines []string
	s := e.Statistics(time.Now())
	for _, a := range s.Audits {
		if a.Status == model.AuditTaskStatusInProgress && a.Count > 0 {
			lines = append(lines, fmt.Sprint(a))
		}
	}
	for _, c := range s.Checks {
		lines = append(lines, fmt.Sprint(c.CheckName, c.Findings, c.Suppressed, c.LastCompleted))
	}
	return strings.Join(lines, "\n")
}

// reopen makes a new Engine over the Store of another, which is closed first.
func reopen(t testing.TB, e *engine.Engine, c engine.Config) *engine.Engine {
	t.Helper()
	require.NoError(t, e.Close())
	return openEngine(t, c)
}

// A life of a hundred days with a restart every ten: audits are dropped meanwhile, and what was first seen in one of them is
// not forgotten.
func TestRestartsAndRetention(t *testing.T) {
	noLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		zone, err := time.LoadLocation("America/New_York")
		require.NoError(t, err)
		s := newStock()
		config := engine.Config{
			Store: storetest.NewMemory(), Location: zone, TimeOfDay: 2 * time.Hour, Retention: 20 * day,
			Checks: []checks.Check{s.checks["DEVICE_CHECK"], s.checks["RELATED_CHECK"], s.checks["BROKEN_CHECK"], s.checks["OK_CHECK"]},
		}
		e := openEngine(t, config)
		daily := daily("daily", "DEVICE_CHECK", "BROKEN_CHECK", "OK_CHECK")
		daily.Tags = []model.Tag{{Key: "b", Value: "1"}, {Key: "a", Value: ""}}
		createSchedule(t, e, daily)
		createSchedule(t, e, &model.CreateScheduledAuditInput{
			ScheduledAuditName: "monthly", Frequency: model.AuditFrequencyMonthly, DayOfMonth: "LAST", TargetCheckNames: []string{"RELATED_CHECK"},
		})
		born := time.Now()
		for n := range 100 {
			time.Sleep(day)
			runDue(t, e, time.Now())
			synctest.Wait()
			if n%7 == 3 {
				_, err := e.CreateAuditSuppression(t.Context(), &model.CreateAuditSuppressionInput{
					CheckName: "DEVICE_CHECK", ResourceIdentifier: device(fmt.Sprintf("pump-%d", n%3+2)).ResourceIdentifier,
					ExpirationDate: model.At(time.Now().Add(15 * day)), ClientRequestToken: fmt.Sprint("t", n),
				})
				var exists *model.ResourceAlreadyExistsException
				if err != nil {
					require.ErrorAs(t, err, &exists)
				}
			}
			if n%10 != 9 {
				continue
			}
			_, err := e.StartAuditAsOf(t.Context(), target("DEVICE_CHECK"), time.Now().Add(90*day))
			require.NoError(t, err)
			synctest.Wait()
			before, stats := fullDump(t, e, nil), held(e)
			e = reopen(t, e, config)
			if diff := cmp.Diff(before, fullDump(t, e, nil)); diff != "" {
				t.Fatalf("day %d: a restart shows (-before +after):\n%s", n, diff)
			}
			if diff := cmp.Diff(stats, held(e)); diff != "" && n != 9 { // RELATED_CHECK runs once a month, and is dropped after 20 days
				if !strings.Contains(diff, "RELATED_CHECK") || strings.Count(diff, "\n+") > 1 {
					t.Errorf("day %d: Statistics (-before +after):\n%s", n, diff)
				}
			}
		}
		history, err := e.FindingHistory(t.Context(), findings.Fingerprint{
			CheckName: "DEVICE_CHECK", Resource: device("pump-2").ResourceIdentifier, ReasonCode: "WEAK",
		})
		require.NoError(t, err)
		if first := history.FirstSeen.Time; first.Sub(born) > day || time.Since(first) < 98*day {
			t.Errorf("first seen at %v of a life that began at %v", first, born)
		}
		_, err = e.DescribeAuditTask(t.Context(), &model.DescribeAuditTaskInput{TaskID: history.FirstSeen.TaskID})
		require.ErrorContains(t, err, "no longer kept")
	})
}

// Audits of one instant, and of one millisecond, keep their order and what Statistics tells of them.
func TestRestartOfOneInstant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		config := engine.Config{Store: storetest.NewMemory(), Checks: []checks.Check{
			checks.New(specOf("COUNT"), func(_ context.Context, p *checks.Pass) error {
				for i := range n {
					report(p, fmt.Sprint(i))
				}
				return nil
			}),
		}}
		e := openEngine(t, config)
		for n = range 5 {
			runAudit(t, e, "COUNT")
		}
		synctest.Wait()
		before, stats := fullDump(t, e, nil), held(e)
		require.Contains(t, stats, "COUNT4 ")
		e = reopen(t, e, config)
		if diff := cmp.Diff(before+stats, fullDump(t, e, nil)+held(e)); diff != "" {
			t.Errorf("a restart shows (-before +after):\n%s", diff)
		}
		n = 7
		runAudit(t, e, "COUNT") // still at that instant, and after the others
		synctest.Wait()
		require.Contains(t, held(e), "COUNT7 ")
		before = fullDump(t, e, nil)
		e = reopen(t, e, config)
		if diff := cmp.Diff(before, fullDump(t, e, nil)); diff != "" {
			t.Errorf("a restart shows (-before +after):\n%s", diff)
		}
	})
}

// Texts that are hard to write down come back as they were.
func TestRestartKeepsOddTexts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		odd := "\x00 \u2028<&>\"\\\U0001F600\t\x7f é"
		config := engine.Config{Store: storetest.NewMemory(), Checks: []checks.Check{
			good("GOOD"),
			checks.New(specOf("FAILS"), func(_ context.Context, p *checks.Pass) error {
				f := checks.Finding{Resource: device("\xff" + odd), ReasonCode: "BAD", Reason: odd + "\xfe"}
				f.Resource.AdditionalInfo = map[string]string{odd: odd, "": "\xff"}
				p.Report(f)
				return fmt.Errorf("%s \xff", odd)
			}),
		}}
		e := openEngine(t, config)
		long := strings.Repeat("é", 2048)
		for i, r := range []model.ResourceIdentifier{
			{ClientID: odd}, {ClientID: long}, {RoleAliasARN: long}, {ClientID: strings.Repeat("x", 5000)}, {ClientID: strings.Repeat("x", 5001)},
		} {
			_, err := e.CreateAuditSuppression(t.Context(), &model.CreateAuditSuppressionInput{
				CheckName: "GOOD", ResourceIdentifier: r, SuppressIndefinitely: new(true), ClientRequestToken: fmt.Sprint("t", i), Description: `<&>"\.`,
			})
			require.NoError(t, err)
		}
		createSchedule(t, e, daily("daily", "GOOD"))
		_, err := e.TagResource(t.Context(), &model.TagResourceInput{
			ResourceARN: "arn:aws:iot:us-east-1:000000000000:scheduledaudit/daily", Tags: []model.Tag{{Key: "é", Value: odd}},
		})
		require.NoError(t, err)
		runAudit(t, e, "GOOD", "FAILS")
		synctest.Wait()
		for _, r := range config.Store.(*storetest.Memory).Rows() {
			if len(r.Key) > 1<<10 {
				t.Errorf("a key of %d bytes in table %s; a Store takes 1 KiB", len(r.Key), r.Table)
			}
		}
		before := fullDump(t, e, nil)
		e = reopen(t, e, config)
		if diff := cmp.Diff(before, fullDump(t, e, nil)); diff != "" {
			t.Errorf("a restart shows (-before +after):\n%s", diff)
		}
	})
}
