package inventory_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/connection"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

const (
	conflicting = "CONFLICTING_CLIENT_IDS_CHECK"
	shared      = "DEVICE_CERTIFICATE_SHARED_CHECK"
)

// enable switches one of the two checks on or off.
func enable(t *testing.T, e *engine.Engine, name string, on bool) {
	t.Helper()
	_, err := e.UpdateAccountAuditConfiguration(t.Context(), &model.UpdateAccountAuditConfigurationInput{
		RoleARN:                  "arn:aws:iam::123456789012:role/audit",
		AuditCheckConfigurations: map[string]model.AuditCheckConfiguration{name: {Enabled: on}},
	})
	require.NoError(t, err)
}

// TestRecorderWaits: in an engine, a check waits until there is an event; a check that is disabled loses what was
// collected for it, and waits anew when it is enabled again.
func TestRecorderWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := record(t, inventory.RecorderConfig{})
		inv := inventory.New(inventory.Contents{})
		r.Attach(inv)
		e, err := engine.New(engine.Config{
			Checks:    []checks.Check{connection.ConflictingClientIDs(inv), connection.DeviceCertificateShared(inv)},
			EnableAll: true,
		})
		require.NoError(t, err)
		defer e.Close()
		audit := func(names ...string) string {
			task, err := e.StartOnDemandAuditTask(t.Context(), &model.StartOnDemandAuditTaskInput{TargetCheckNames: names})
			require.NoError(t, err)
			return task.TaskID
		}
		status := func(task string) string {
			synctest.Wait()
			out, err := e.DescribeAuditTask(t.Context(), &model.DescribeAuditTaskInput{TaskID: task})
			require.NoError(t, err)
			var all []string
			for _, name := range []string{conflicting, shared} {
				if d, ok := out.AuditDetails[name]; ok {
					all = append(all, fmt.Sprint(d.CheckRunStatus, " ", d.TotalResourcesCount))
				}
			}
			return strings.Join(all, ", ")
		}
		// What began two hours ago counts for certificates; what is told of a client id counts at once.
		takeover := func(session int, early func()) {
			at := time.Now()
			for i, event := range []inventory.ConnectionEvent{
				{EventType: inventory.EventDisconnected, Timestamp: at.Add(-2 * time.Hour), DisconnectReason: inventory.DisconnectDuplicateClientID},
				{EventType: inventory.EventConnected, Timestamp: at.Add(-2 * time.Hour)},
				{EventType: inventory.EventConnected, Timestamp: at.Add(-2 * time.Hour)},
				{EventType: inventory.EventConnected, Timestamp: at.Add(-2 * time.Hour)},
			} {
				event.ClientID, event.SessionIdentifier, event.PrincipalIdentifier = "lock", fmt.Sprint(session+i/2), strings.Repeat("a", 64)
				clock := at
				if i < 3 {
					clock = at.Add(-1)
				} else {
					early()
				}
				require.NoError(t, r.Record(clock, event))
			}
		}

		first := audit(conflicting, shared)
		require.Equal(t, "WAITING_FOR_DATA_COLLECTION 0, WAITING_FOR_DATA_COLLECTION 0", status(first))
		time.Sleep(time.Hour)
		require.Equal(t, "WAITING_FOR_DATA_COLLECTION 0, WAITING_FOR_DATA_COLLECTION 0", status(first))
		require.Error(t, r.Record(time.Now(), inventory.ConnectionEvent{}))
		require.Equal(t, "WAITING_FOR_DATA_COLLECTION 0, WAITING_FOR_DATA_COLLECTION 0", status(first), "what is refused is no data")
		takeover(1, func() {
			require.Equal(t, "COMPLETED_NON_COMPLIANT 1, WAITING_FOR_DATA_COLLECTION 0", status(first))
		})
		require.Equal(t, "COMPLETED_NON_COMPLIANT 1, COMPLETED_NON_COMPLIANT 1", status(first))
		require.Equal(t, "COMPLETED_NON_COMPLIANT 1, COMPLETED_NON_COMPLIANT 1", status(audit(conflicting, shared)))

		enable(t, e, shared, false)
		require.Equal(t, "COMPLETED_NON_COMPLIANT 1", status(audit(conflicting)))
		require.Equal(t, inventory.RecorderStats{Clients: 1, Connections: 2, Refused: 1}, r.Stats())
		enable(t, e, shared, true)
		again := audit(conflicting, shared)
		require.Equal(t, "COMPLETED_NON_COMPLIANT 1, WAITING_FOR_DATA_COLLECTION 0", status(again))
		takeover(10, func() {
			require.Equal(t, "COMPLETED_NON_COMPLIANT 1, WAITING_FOR_DATA_COLLECTION 0", status(again))
		})
		require.Equal(t, "COMPLETED_NON_COMPLIANT 1, COMPLETED_NON_COMPLIANT 1", status(again))

		enable(t, e, conflicting, false)
		enable(t, e, shared, false)
		require.Equal(t, inventory.RecorderStats{Refused: 1}, r.Stats())
		enable(t, e, conflicting, true)
		last := audit(conflicting)
		require.Equal(t, "WAITING_FOR_DATA_COLLECTION 0", status(last))
		require.NoError(t, r.Record(time.Now(), inventory.ConnectionEvent{ClientID: "lamp", EventType: inventory.EventConnected, Timestamp: time.Now()}))
		require.Equal(t, "COMPLETED_COMPLIANT 1", status(last))
	})
}

// overtaken reads from a Source, drops after the first what it has, and returns the error that the rest fails with.
func overtaken[T any](t *testing.T, source *checks.Source[T], drop func()) error {
	t.Helper()
	read := 0
	for _, err := range source.Read(t.Context(), &checks.Pass{}) {
		if err != nil {
			return err
		}
		if read++; read == 1 {
			drop()
		}
	}
	return nil
}

// TestRecorderOvertaken: a scan must not end as if it had seen everything when that was dropped.
func TestRecorderOvertaken(t *testing.T) {
	var events []inventory.ConnectionEvent
	for i := range 2000 {
		events = append(events, visit(fmt.Sprintf("lamp-%d", i), "1", i, time.Hour, 2*time.Hour, "")...)
	}
	const want = "what was collected has been dropped: no enabled check uses it"
	for _, again := range []bool{false, true} {
		r := record(t, inventory.RecorderConfig{}, events...)
		inv := inventory.New(inventory.Contents{})
		r.Attach(inv)
		toggle := func(collect func(bool)) func() {
			return func() {
				collect(false)
				if again {
					collect(true)
					feed(t, r, events)
				}
			}
		}
		require.NoError(t, overtaken(t, inv.Clients, toggle(inv.CertificateUses.Collect)), "the other view was dropped")
		inv.CertificateUses.Collect(true)
		feed(t, r, events)
		require.NoError(t, overtaken(t, inv.CertificateUses, func() {}))
		require.ErrorContains(t, overtaken(t, inv.CertificateUses, toggle(inv.CertificateUses.Collect)), want)
		require.ErrorContains(t, overtaken(t, inv.Clients, toggle(inv.Clients.Collect)), want)
	}
	// Who comes too late does not even begin.
	r := record(t, inventory.RecorderConfig{}, events...)
	inv := inventory.New(inventory.Contents{})
	r.Attach(inv)
	inv.Clients.Collect(false)
	inv.CertificateUses.Collect(false)
	_, err := inv.Clients.Shards(t.Context())
	require.EqualError(t, err, want)
	_, err = inv.CertificateUses.Shards(t.Context())
	require.EqualError(t, err, want)
}

// A scan whose context has ended says so, also before it has found out which certificates there are.
func TestRecorderContext(t *testing.T) {
	r := record(t, inventory.RecorderConfig{}, connectionEvent(t, "08:00 + lock a s1"))
	inv := inventory.New(inventory.Contents{})
	r.Attach(inv)
	shards, err := inv.CertificateUses.Shards(t.Context())
	require.NoError(t, err)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(fmt.Errorf("no time"))
	_, err = inv.CertificateUses.Shards(ctx)
	require.EqualError(t, err, "no time")
	for _, err := range shards[0](ctx) {
		require.EqualError(t, err, "no time")
	}
}

// TestRecorderWhileEventsCome: what is there before a scan, and stays, is in it exactly once, in the same shard as
// before, while several goroutines record and, from the third round on, the other view goes on and off.
func TestRecorderWhileEventsCome(t *testing.T) {
	const steady = 9_000
	r := record(t, inventory.RecorderConfig{MaxConnections: 3 * steady})
	for i := range steady {
		feed(t, r, visit(fmt.Sprintf("steady-%d", i), "1", i, time.Hour, 2*time.Hour, inventory.DisconnectDuplicateClientID))
		feed(t, r, visit(fmt.Sprintf("steady-%d", i), "2", i, 2*time.Hour, 3*time.Hour, ""))
		feed(t, r, visit(fmt.Sprintf("first-%d", i), "1", steady, time.Hour, 2*time.Hour, "")) // which will have to go
	}
	inv := inventory.New(inventory.Contents{})
	r.Attach(inv)
	var stop atomic.Bool
	var workers sync.WaitGroup
	for worker := range 3 {
		workers.Go(func() {
			for i := 0; !stop.Load(); i++ {
				client, session, principal := fmt.Sprintf("made-up-%d-%d", worker, i), "", steady+i%100
				if i%5 == 0 { // now and then what is known already
					client, session, principal = fmt.Sprintf("steady-%d", i%steady), "2", i%steady
				}
				for _, e := range visit(client, session, principal, 2*time.Hour, 3*time.Hour, "") {
					if err := r.Record(eventDay.AddDate(0, 0, 1), e); err != nil {
						t.Error(err)
					}
				}
				r.Stats()
			}
		})
	}
	clientShard := make(map[string]int)
	for round := range 4 {
		shards, err := inv.Clients.Shards(t.Context())
		require.NoError(t, err)
		seen := 0
		for i, shard := range shards {
			for c, err := range shard(t.Context()) {
				require.NoError(t, err)
				if !strings.HasPrefix(c.ID, "steady") {
					continue
				}
				seen++
				if was, ok := clientShard[c.ID]; ok && was != i {
					t.Fatalf("%s went from shard %d to %d", c.ID, was, i)
				}
				clientShard[c.ID] = i
				if n := len(c.Connections); n != 2 || !c.Connections[1].TakenOver {
					t.Fatalf("%s has connections %v", c.ID, c.Connections)
				}
			}
		}
		require.Equal(t, steady, seen)
		require.Len(t, clientShard, steady)

		uses := make(map[string]int)
		for u, err := range inv.CertificateUses.Read(t.Context(), &checks.Pass{}) {
			if round >= 2 && err != nil {
				require.ErrorContains(t, err, "what was collected has been dropped")
				break
			}
			require.NoError(t, err)
			uses[u.CertificateID]++
			require.Equal(t, 1, uses[u.CertificateID])
		}
		for i := range steady {
			if round < 2 && uses[fmt.Sprintf("%064x", i)] == 0 {
				t.Fatalf("certificate %d is missing in round %d", i, round)
			}
		}
		if round == 1 {
			workers.Go(func() {
				for on := false; !stop.Load() || on; on = !on {
					inv.CertificateUses.Collect(on)
				}
			})
		}
	}
	stop.Store(true)
	workers.Wait()
}

// betweenReads is a context that calls f when it is asked for the second time whether it has ended.
type betweenReads struct {
	context.Context
	asked int
	f     func()
}

func (c *betweenReads) Err() error {
	if c.asked++; c.asked == 2 {
		c.f()
	}
	return nil
}

// A connection that goes to where a scan has been already, because an event came late, is not missed.
func TestRecorderLateEvent(t *testing.T) {
	events := []inventory.ConnectionEvent{connectionEvent(t, "08:20 + lock b ?")}
	for i := range 9000 {
		events = append(events, visit(fmt.Sprintf("lamp-%d", i), "1", i, time.Hour, 2*time.Hour, "")...)
	}
	events = append(events, connectionEvent(t, "08:10 + lock a ?"))
	r := record(t, inventory.RecorderConfig{}, events...)
	inv := inventory.New(inventory.Contents{})
	r.Attach(inv)
	called := false
	ctx := &betweenReads{Context: t.Context(), f: func() {
		called = true
		feed(t, r, []inventory.ConnectionEvent{connectionEvent(t, "08:15 - lock a ? CONNECTION_LOST")})
	}}
	var got []string
	for u, err := range inv.CertificateUses.Read(ctx, &checks.Pass{}) {
		require.NoError(t, err)
		if u.Connections[0].ClientID == "lock" {
			got = append(got, connectionRows(nil, []inventory.CertificateUse{*u})...)
		}
	}
	require.True(t, called)
	require.ElementsMatch(t, []string{"certificate a: lock 08:10..08:15 a", "certificate b: lock 08:20.. b"}, got)
}

// TestRecorderOrder: the same Recorder gives its resources in the same order each time.
func TestRecorderOrder(t *testing.T) {
	r := record(t, inventory.RecorderConfig{})
	for i := range 10_000 {
		feed(t, r, visit(fmt.Sprintf("lamp-%d", i), "1", i%700, time.Hour, 2*time.Hour, ""))
	}
	inv := inventory.New(inventory.Contents{})
	r.Attach(inv)
	clients, uses := read(t, inv.Clients), read(t, inv.CertificateUses)
	require.Len(t, clients, 10_000)
	require.Len(t, uses, 700)
	if diff := cmp.Diff(connectionRows(clients, uses), connectionRows(read(t, inv.Clients), read(t, inv.CertificateUses))); diff != "" {
		t.Errorf("(-first +second):\n%s", diff)
	}
}

// A certificate that came after a scan had begun is not in it, also where it has the numbers of one that has gone.
func TestRecorderNumbersAgainDuringScan(t *testing.T) {
	r := record(t, inventory.RecorderConfig{MaxConnections: 1}, connectionEvent(t, "08:00 + lock a s1"))
	inv := inventory.New(inventory.Contents{})
	r.Attach(inv)
	shards, err := inv.CertificateUses.Shards(t.Context())
	require.NoError(t, err)
	require.Len(t, shards, 1)
	for _, row := range []string{"08:00 + lamp b s1", "08:00 + plug c s1"} { // the second has the numbers of the first one of all
		feed(t, r, []inventory.ConnectionEvent{connectionEvent(t, row)})
	}
	for u, err := range shards[0](t.Context()) {
		require.NoError(t, err)
		t.Errorf("there is %s", connectionRows(nil, []inventory.CertificateUse{u}))
	}
	require.Equal(t, []string{"certificate c: plug 08:00.. c"}, connectionRows(nil, read(t, inv.CertificateUses)))
}
