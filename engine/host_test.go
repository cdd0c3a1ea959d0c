package engine_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"runtime"
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

// What a host does to a durable Engine at the wrong moment, or with code of its own that misbehaves.

// heldBack has the Commits of a recorder wait from now on, until what it returns is closed.
func heldBack(r *recorder) (open chan struct{}) {
	open = make(chan struct{})
	r.ask = func(int, []engine.Change) (bool, error) { <-open; return true, nil }
	return open
}

// Close waits for operations, those that wait for others too, and nothing is committed after it.
func TestCloseWaitsForOperations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := new(recorder)
		config := engine.Config{EnableAll: true, Store: store, Checks: []checks.Check{good("GOOD")}}
		e, err := engine.New(config)
		require.NoError(t, err)
		open := heldBack(store)
		acknowledged := make(chan error, 2)
		for _, name := range []string{"one", "two"} {
			go func() {
				_, err := e.CreateScheduledAudit(t.Context(), daily(name, "GOOD"))
				acknowledged <- err
			}()
			synctest.Wait() // the second waits for the first
		}
		closed := make(chan error, 1)
		go func() { closed <- e.Close() }()
		synctest.Wait()
		require.Empty(t, closed)
		_, err = e.CreateScheduledAudit(t.Context(), daily("three", "GOOD"))
		require.ErrorIs(t, err, engine.ErrClosed)
		close(open)
		require.NoError(t, <-closed)
		require.NoError(t, <-acknowledged)
		require.NoError(t, <-acknowledged)
		e, err = engine.New(config)
		require.NoError(t, err)
		for _, name := range []string{"one", "two"} {
			_, err := e.DescribeScheduledAudit(t.Context(), &model.DescribeScheduledAuditInput{ScheduledAuditName: name})
			require.NoError(t, err)
		}
		require.NoError(t, e.Close())
	})
}

// One that does not end is told of.
func TestCloseGivesUpOnAStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := new(recorder)
		e, err := engine.New(engine.Config{EnableAll: true, Store: store, Checks: []checks.Check{good("GOOD")}})
		require.NoError(t, err)
		open := heldBack(store)
		go func() { _, _ = e.CreateScheduledAudit(t.Context(), daily("one", "GOOD")) }()
		synctest.Wait()
		require.EqualError(t, e.Close(), "engine: close: 0 audits, 0 forecasts, 0 notifiers and 1 changes have not ended: gave up waiting")
		close(open)
	})
}

// meddling is a handler that calls what it is told to.
type meddling struct {
	slog.Handler
	do func()
}

func (meddling) Enabled(context.Context, slog.Level) bool    { return true }
func (m meddling) WithAttrs([]slog.Attr) slog.Handler        { return m }
func (m meddling) Handle(context.Context, slog.Record) error { m.do(); return nil }

// A log handler may use the Engine that tells it something.
func TestLogHandlerUsesTheEngine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var e *engine.Engine
		said := make(chan model.AuditTaskStatus, 1)
		e = openEngine(t, engine.Config{
			Checks: []checks.Check{good("GOOD"), checks.New(specOf("FAILS"), func(context.Context, *checks.Pass) error { return errors.New("no") })},
			Logger: slog.New(meddling{do: func() { said <- runAudit(t, e, "GOOD").TaskStatus }}),
		})
		startAudit(t, e, "FAILS")
		require.Equal(t, model.AuditTaskStatusCompleted, <-said)
	})
}

// A notification is settled whatever the Notifier does, with a Store or none: its audit goes with retention, and it is
// not delivered again. Until then its audit is kept.
func TestNotificationsAreSettled(t *testing.T) {
	for name, ends := range map[string]func(ctx context.Context) error{
		"returns": func(context.Context) error { return nil },
		"fails":   func(context.Context) error { return errors.New("no") },
		"panics":  func(context.Context) error { panic("no") },
		"Goexit":  func(context.Context) error { runtime.Goexit(); return nil },
		"hangs":   func(context.Context) error { time.Sleep(time.Hour); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				told := 0
				config := engine.Config{EnableAll: true, Store: storetest.NewMemory(), Checks: []checks.Check{good("GOOD")}, Retention: day}
				config.Notifier = notify(func(ctx context.Context, _ engine.Notification) error { told++; return ends(ctx) })
				e, err := engine.New(config)
				require.NoError(t, err)
				task := startAudit(t, e, "GOOD")
				time.Sleep(2 * time.Hour)
				e = reopen(t, e, config)
				_, err = e.Resume()
				require.NoError(t, err)
				time.Sleep(2 * time.Hour)
				require.Equal(t, 1, told)
				time.Sleep(2 * day)
				_, err = e.RunDue(t.Context(), time.Now())
				require.NoError(t, err)
				_, err = e.DescribeAuditTask(t.Context(), &model.DescribeAuditTaskInput{TaskID: task})
				_, gone := errors.AsType[*model.ResourceNotFoundException](err)
				require.True(t, gone, "%v", err)
				require.NoError(t, e.Close())
			})
		})
	}
}

func TestOwedNotificationKeepsItsAudit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		config := engine.Config{EnableAll: true, Store: storetest.NewMemory(), Checks: []checks.Check{good("GOOD")}, Retention: time.Hour, NotifyTimeout: day}
		told := 0
		config.Notifier = notify(func(context.Context, engine.Notification) error { <-hold; told++; return nil })
		e, err := engine.New(config)
		require.NoError(t, err)
		task := startAudit(t, e, "GOOD")
		time.Sleep(2 * time.Hour)
		_, err = e.RunDue(t.Context(), time.Now())
		require.NoError(t, err)
		_, err = e.DescribeAuditTask(t.Context(), &model.DescribeAuditTaskInput{TaskID: task})
		require.NoError(t, err, "what is owed would be lost in a crash")

		// A copy without a Store owes it too, once.
		var b bytes.Buffer
		require.NoError(t, e.Snapshot(&b))
		close(hold)
		require.NoError(t, e.Close())
		config.Store = nil
		for range 2 {
			e, err = engine.New(config)
			require.NoError(t, err)
			require.NoError(t, e.Restore(&b))
			_, err = e.Resume()
			require.NoError(t, err)
			synctest.Wait()
			b.Reset()
			require.NoError(t, e.Snapshot(&b))
			require.NoError(t, e.Close())
		}
		require.Equal(t, 2, told)
	})
}

// deaf is a Store that passes over what a row's reader says.
type deaf struct{ *storetest.Memory }

func (d deaf) Load(_ context.Context, row func(engine.Row) error) error {
	for _, r := range d.Rows() {
		_ = row(r)
	}
	return nil
}

func TestStorePassesOverAWrongRow(t *testing.T) {
	m := storetest.NewMemory()
	config := engine.Config{EnableAll: true, Store: m, Checks: []checks.Check{good("GOOD")}}
	e, err := engine.New(config)
	require.NoError(t, err)
	createSchedule(t, e, daily("daily", "GOOD"))
	require.NoError(t, e.Close())
	require.NoError(t, m.Commit(t.Context(), []engine.Change{{Table: "schedule", Key: []byte("daily"), Value: []byte("\x01?")}}))
	config.Store = deaf{m}
	_, err = engine.New(config)
	require.ErrorContains(t, err, "engine: the Store cannot be read: table schedule: key 6461696c79: ")
}

// A parameter that its check does not take any more is told of.
func TestParameterOutOfRange(t *testing.T) {
	saw := 0
	with := func(most int) []checks.Check {
		spec := specOf("PARAM")
		spec.Params = []checks.Param{{Name: "DAYS", Default: 30, Min: 1, Max: most}}
		return []checks.Check{checks.New(spec, func(_ context.Context, p *checks.Pass) error { saw = p.Config.Int("DAYS"); return nil })}
	}
	config := engine.Config{EnableAll: true, Store: storetest.NewMemory(), Checks: with(100)}
	e, err := engine.New(config)
	require.NoError(t, err)
	_, err = e.UpdateAccountAuditConfiguration(t.Context(), &model.UpdateAccountAuditConfigurationInput{
		RoleARN:                  "arn:aws:iam::000000000000:role/x",
		AuditCheckConfigurations: map[string]model.AuditCheckConfiguration{"PARAM": {Enabled: true, Configuration: map[string]string{"DAYS": "90"}}},
	})
	require.NoError(t, err)
	var log logbook
	config.Logger = log.logger()
	e = reopen(t, e, config)
	require.Empty(t, log.String())
	config.Checks = with(60)
	e = reopen(t, e, config)
	require.Contains(t, log.String(), `PARAM.DAYS \"90\" must be a whole number from 1 to 60`)
	runAudit(t, e, "PARAM")
	require.Equal(t, 30, saw)
	require.NoError(t, e.Close())
}

// endless is a stream that says the same for ever.
type endless struct {
	io.Reader // what comes first
	again     []byte
	read      int
}

func (r *endless) Read(p []byte) (int, error) {
	if n, _ := r.Reader.Read(p); n > 0 {
		return n, nil
	}
	for i := range p {
		p[i] = r.again[(r.read+i)%len(r.again)]
	}
	r.read += len(p)
	return len(p), nil
}

// A stream of rows that are none is not read to an end that it may not have.
func TestRestoreOfAnEndlessStream(t *testing.T) {
	e := openEngine(t, engine.Config{Checks: []checks.Check{good("GOOD")}})
	got := make(map[string]string)
	for _, again := range []string{"\x01z\x01z\x01z", "\xff", "\x04meta\x06engine\x01\x01"} {
		r := &endless{Reader: bytes.NewReader([]byte("fleetaudit snapshot 1\n")), again: []byte(again)}
		err := e.Restore(r)
		require.Error(t, err)
		require.Less(t, r.read, 1<<20)
		got[again] = err.Error()
	}
	want := map[string]string{
		"\x01z\x01z\x01z":            `engine: restore: table z: key 7a: findings: the row of table "z" with key 7a is of no table of findings`,
		"\xff":                       "engine: restore: the stream is damaged: a length that does not end",
		"\x04meta\x06engine\x01\x01": "engine: restore: table meta: key 656e67696e65: EOF",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A snapshot that is asked for while the Engine closes is of one moment, too: it waits for who is committing.
func TestSnapshotDuringClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := new(recorder)
		config := engine.Config{EnableAll: true, Store: store, Checks: []checks.Check{good("GOOD")}}
		e, err := engine.New(config)
		require.NoError(t, err)
		open := heldBack(store)
		go func() { _, _ = e.CreateScheduledAudit(t.Context(), daily("daily", "GOOD")) }()
		synctest.Wait()
		go func() { _ = e.Close() }()
		synctest.Wait()
		var b bytes.Buffer
		taken := make(chan error, 1)
		go func() { taken <- e.Snapshot(&b) }()
		synctest.Wait()
		require.Empty(t, taken)
		close(open)
		require.NoError(t, <-taken)
		config.Store = nil
		e, err = engine.New(config)
		require.NoError(t, err)
		require.NoError(t, e.Restore(&b))
		_, err = e.DescribeScheduledAudit(t.Context(), &model.DescribeScheduledAuditInput{ScheduledAuditName: "daily"})
		require.NoError(t, err)
		require.NoError(t, e.Close())
	})
}

// What a Notifier has not returned from when the process ends is delivered again, however long it had.
func TestNotifierHangsIntoACrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, hold := storetest.NewMemory(), make(chan struct{})
		config := engine.Config{EnableAll: true, Store: m, Checks: []checks.Check{good("GOOD")}}
		told := make(chan string, 3)
		config.Notifier = notify(func(_ context.Context, n engine.Notification) error { told <- n.ID; <-hold; return nil })
		e, err := engine.New(config)
		require.NoError(t, err)
		task := startAudit(t, e, "GOOD")
		time.Sleep(time.Hour)
		config.Store = m.Clone()
		after, err := engine.New(config)
		require.NoError(t, err)
		_, err = after.Resume()
		require.NoError(t, err)
		synctest.Wait()
		require.Len(t, told, 2)
		require.Equal(t, []string{task, task}, []string{<-told, <-told})
		close(hold)
		require.NoError(t, e.Close())
		require.NoError(t, after.Close())
	})
}
