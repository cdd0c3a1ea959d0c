package engine_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/engine/storetest"
	"github.com/fleetaudit/fleetaudit/model"
)

func startWithKey(t testing.TB, e *engine.Engine, key string, names ...string) (taskID string, err error) {
	out, err := e.StartOnDemandAuditTask(engine.WithIdempotencyKey(t.Context(), key), target(names...))
	if err != nil {
		return "", err
	}
	return out.TaskID, nil
}

// A key starts one audit, as long as that is kept, whatever has happened since.
func TestIdempotencyKey(t *testing.T) {
	noLeaks(t)
	for _, durable := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			config := engine.Config{
				Checks: []checks.Check{good("GOOD"), good("TOO"), untilDone("UNTIL_DONE")}, MaxOnDemandAudits: 2, CheckTimeLimit: -1,
			}
			if durable {
				config.Store = storetest.NewMemory()
			}
			e := openEngine(t, config)
			same := func(when, want, key string, names ...string) {
				t.Helper()
				got, err := startWithKey(t, e, key, names...)
				if err != nil || got != want {
					t.Errorf("%s: got %s, %v; want %s", when, got, err, want)
				}
			}
			refused := func(want, key string, names ...string) {
				t.Helper()
				got, err := startWithKey(t, e, key, names...)
				if err == nil || err.Error() != want {
					t.Errorf("got %s, %v\nwant %s", got, err, want)
				}
			}
			first, err := startWithKey(t, e, "k", "GOOD", "TOO")
			require.NoError(t, err)
			same("at once", first, "k", "GOOD", "TOO")
			waitAudit(t, e, first)
			same("when it has ended", first, "k", "GOOD", "TOO")
			same("in another order", first, "k", "TOO", "GOOD")
			refused(`InvalidRequestException: idempotency key "k" was given with another audit, `+first, "k", "GOOD")
			_, err = e.StartAuditAsOf(engine.WithIdempotencyKey(t.Context(), "k"), target("GOOD", "TOO"), time.Now().Add(day))
			require.EqualError(t, err, `InvalidRequestException: idempotency key "k" was given with another audit, `+first)
			none, err := startWithKey(t, e, "", "GOOD", "TOO")
			require.NoError(t, err)
			another, err := startWithKey(t, e, "", "GOOD", "TOO")
			require.NoError(t, err)
			if none == first || none == another {
				t.Error("no key is taken for one")
			}
			waitAudit(t, e, none)
			waitAudit(t, e, another)
			forecast, err := e.StartAuditAsOf(engine.WithIdempotencyKey(t.Context(), "f"), target("GOOD"), time.Now().Add(day))
			require.NoError(t, err)
			again, err := e.StartAuditAsOf(engine.WithIdempotencyKey(t.Context(), "f"), target("GOOD"), time.Now().Add(day))
			require.NoError(t, err)
			require.Equal(t, forecast, again)
			refused(`InvalidRequestException: idempotency key "f" was given with another audit, `+forecast.TaskID, "f", "GOOD")

			long := strings.Repeat("é", 128)
			_, err = startWithKey(t, e, long, "GOOD")
			require.NoError(t, err)
			refused("InvalidRequestException: idempotency key "+model.Quote(long+"x")+" must be at most 256 bytes of UTF-8", long+"x", "GOOD")
			refused("InvalidRequestException: idempotency key "+model.Quote("\xff")+" must be at most 256 bytes of UTF-8", "\xff", "GOOD")
			refused("InvalidRequestException: targetCheckNames is required", "k")
			synctest.Wait()

			held, err := startWithKey(t, e, "held", "UNTIL_DONE")
			require.NoError(t, err)
			_, err = startWithKey(t, e, "", "UNTIL_DONE")
			require.NoError(t, err)
			same("though no more may start", held, "held", "UNTIL_DONE")
			same("though no more may start", first, "k", "GOOD", "TOO")
			refused("LimitExceededException: 2 on-demand audits are in progress, which is all that may be", "new", "GOOD")
			_, err = e.DeleteAccountAuditConfiguration(t.Context(), nil)
			require.NoError(t, err)
			same("though the check is disabled", first, "k", "GOOD", "TOO")
			refused(`InvalidRequestException: targetCheckNames[0] "GOOD" is not enabled; UpdateAccountAuditConfiguration enables it`, "new", "GOOD")
			if durable {
				before := fullDump(t, e, nil)
				e = reopen(t, e, config)
				same("after a restart", first, "k", "GOOD", "TOO")
				same("after a restart, before it goes on", held, "held", "UNTIL_DONE")
				refused(`InvalidRequestException: idempotency key "k" was given with another audit, `+first, "k", "GOOD")
				if diff := cmp.Diff(before, fullDump(t, e, nil)); diff != "" {
					t.Errorf("a restart shows (-before +after):\n%s", diff)
				}
			}
			time.Sleep(91 * day)
			same("retention has not looked", first, "k", "GOOD", "TOO")
			runDue(t, e, time.Now())
			_, err = e.UpdateAccountAuditConfiguration(t.Context(), &model.UpdateAccountAuditConfigurationInput{
				RoleARN: "arn:aws:iam::000000000000:role/audit", AuditCheckConfigurations: map[string]model.AuditCheckConfiguration{"GOOD": {Enabled: true}},
			})
			require.NoError(t, err)
			config.MaxOnDemandAudits = 3
			if again, err := startWithKey(t, e, "k", "GOOD"); err == nil && again == first || err != nil && !strings.Contains(err.Error(), "LimitExceeded") {
				t.Errorf("of an audit that is dropped: %s, %v", again, err)
			}
		})
	}
}

// A client that asks again and again at once has one audit.
func TestIdempotencyKeyAtOnce(t *testing.T) {
	noLeaks(t)
	store := &recorder{}
	e := openEngine(t, engine.Config{Checks: []checks.Check{good("GOOD")}, Store: store})
	for round := range 20 {
		ids := make([]string, 32)
		var all sync.WaitGroup
		key := strings.Repeat("k", round+1)
		for i := range ids {
			all.Go(func() {
				var err error
				if ids[i], err = startWithKey(t, e, key, "GOOD"); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for _, id := range ids {
			if id == "" || id != ids[0] {
				t.Fatalf("round %d: %q", round, ids)
			}
		}
		waitAudit(t, e, ids[0])
	}
	list, err := e.ListAuditTasks(t.Context(), &model.ListAuditTasksInput{
		StartTime: model.At(time.Now().Add(-time.Hour)), EndTime: model.At(time.Now().Add(time.Hour)), MaxResults: new(int32(250)),
	})
	require.NoError(t, err)
	if n := len(list.Tasks); n != 20 {
		t.Errorf("%d audits were started, want 20", n)
	}
}

// An answer that was lost with the process: the client asks the next one.
func TestIdempotencyKeyAfterAFailure(t *testing.T) {
	for _, fault := range storeFaults {
		if fault.name == "Goexit" {
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			store := &breaking{}
			config := engine.Config{Checks: []checks.Check{good("GOOD")}, Store: store, EnableAll: true}
			e := openEngine(t, config)
			store.failNow(fault.commit)
			_, err := startWithKey(t, e, "k", "GOOD")
			refusedByStore(t, "StartOnDemandAuditTask", err)
			config.Store = &store.Memory
			e = reopen(t, e, config)
			first, err := startWithKey(t, e, "k", "GOOD")
			require.NoError(t, err)
			_, err = e.Resume()
			require.NoError(t, err)
			second, err := startWithKey(t, e, "k", "GOOD")
			require.NoError(t, err)
			if first != second {
				t.Errorf("%s: started %s and %s", fault.name, first, second)
			}
			waitAudit(t, e, first)
			list, err := e.ListAuditTasks(context.Background(), &model.ListAuditTasksInput{StartTime: model.At(time.Now().Add(-day)), EndTime: model.At(time.Now().Add(day))})
			require.NoError(t, err)
			if len(list.Tasks) != 1 {
				t.Errorf("%s: %d audits", fault.name, len(list.Tasks))
			}
		})
	}
}
