package engine_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/engine/storetest"
	"github.com/fleetaudit/fleetaudit/model"
)

func snapshot(t testing.TB, e *engine.Engine) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, e.Snapshot(&b))
	return b.Bytes()
}

// furnished makes an Engine that holds something of everything: audits that have ended, been canceled and been
// dropped, one that waits and one that holds.
func furnished(t *testing.T, config engine.Config) *engine.Engine {
	config.Retention = 5 * day
	e := openEngine(t, config)
	in := daily("daily", "DEVICE_CHECK", "RELATED_CHECK", "BROKEN_CHECK")
	in.Tags = []model.Tag{{Key: "k", Value: "v"}}
	createSchedule(t, e, in)
	createSchedule(t, e, &model.CreateScheduledAuditInput{
		ScheduledAuditName: "monthly", Frequency: model.AuditFrequencyMonthly, DayOfMonth: "LAST", TargetCheckNames: []string{"OK_CHECK"},
	})
	for range 8 {
		runDue(t, e, sleepUntilDue(t, e, "daily"))
		synctest.Wait()
	}
	for _, id := range []string{"pump-2", "b"} {
		_, err := e.CreateAuditSuppression(t.Context(), suppressing("DEVICE_CHECK", id))
		require.NoError(t, err)
	}
	_, err := e.StartAuditAsOf(t.Context(), target("DEVICE_CHECK"), time.Now().Add(90*day))
	require.NoError(t, err)
	canceled := startAudit(t, e, "HOLD_CHECK", "OK_CHECK")
	synctest.Wait()
	cancelAudit(t, e, canceled)
	waitAudit(t, e, canceled)
	_, err = startWithKey(t, e, "key", "DEVICE_CHECK", "HOLD_CHECK", "DATA_CHECK")
	require.NoError(t, err)
	synctest.Wait()
	return e
}

var furniture = []string{"DEVICE_CHECK", "DATA_CHECK", "OK_CHECK", "HOLD_CHECK", "RELATED_CHECK", "BROKEN_CHECK"}

// A snapshot makes the Engine again, with a Store or without, in one with a Store or without.
func TestSnapshot(t *testing.T) {
	noLeaks(t)
	for _, from := range []bool{false, true} {
		for _, to := range []bool{false, true} {
			t.Run(fmt.Sprintf("from a Store %t/to a Store %t", from, to), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newStock()
					config := s.stocked(furniture...)
					if from {
						config.Store = storetest.NewMemory()
					}
					source := furnished(t, config)
					stream := snapshot(t, source)
					if again := snapshot(t, source); !bytes.Equal(stream, again) {
						t.Error("two snapshots of one state differ")
					}
					before, stats := fullDump(t, source, nil), held(source)
					require.Contains(t, before, "WAITING_FOR_DATA_COLLECTION")

					config.Store, config.Retention = nil, 5*day
					if to {
						config.Store = storetest.NewMemory()
					}
					var e *engine.Engine
					same := func(what string) {
						t.Helper()
						_, err := e.Resume()
						require.NoError(t, err)
						synctest.Wait()
						if diff := cmp.Diff(before, fullDump(t, e, nil)); diff != "" {
							t.Errorf("%s differs (-want +got):\n%s", what, diff)
						}
						if diff := cmp.Diff(stats, held(e)); diff != "" {
							t.Errorf("Statistics of %s differ (-want +got):\n%s", what, diff)
						}
					}
					e = openEngine(t, config)
					_, err := e.Resume() // a Run may have begun before
					require.NoError(t, err)
					require.NoError(t, e.Restore(iotest.OneByteReader(bytes.NewReader(stream))))
					if again := snapshot(t, e); !from && !bytes.Equal(stream, again) {
						t.Error("a snapshot of what was restored differs from what that was made of")
					}
					if !errors.Is(e.Restore(bytes.NewReader(stream)), engine.ErrNotEmpty) {
						t.Error("it is restored twice")
					}
					same("what was restored")
					id, err := startWithKey(t, e, "key", "DEVICE_CHECK", "HOLD_CHECK", "DATA_CHECK")
					require.NoError(t, err)
					require.Equal(t, model.AuditTaskStatusInProgress, describe(t, e, id).TaskStatus)
					if to {
						e = reopen(t, e, config)
						same("what was restored and opened again")
					}
					more := startAudit(t, e, "DEVICE_CHECK") // with a place after those that were restored
					synctest.Wait()
					for f, err := range e.AuditFindings(t.Context(), everything) {
						require.NoError(t, err)
						if f.TaskID != more {
							t.Errorf("a finding of %s comes before those of the newest audit", f.TaskID)
						}
						break
					}
					closeAll(s.hold, s.data)
					if out := waitAudit(t, e, id); out.TaskStatus != model.AuditTaskStatusCompleted {
						t.Error("what was restored in progress is", out.TaskStatus)
					}
					time.Sleep(30 * day)
					runDue(t, e, time.Now())
				})
			})
		}
	}
}

// sealed makes a stream of what there is between the first line and the checksum.
func sealed(body []byte) []byte {
	b := append([]byte("fleetaudit snapshot 1\n"), body...)
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

// bodyOf is what sealed makes a stream of.
func bodyOf(stream []byte) []byte {
	return stream[len("fleetaudit snapshot 1\n") : len(stream)-sha256.Size]
}

// A stream that is not whole is refused whole, for what it is, and the Engine is as it was.
func TestRestoreRefuses(t *testing.T) {
	noLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		s := newStock()
		config := s.stocked(furniture...)
		small := openEngine(t, config)
		runAudit(t, small, "DEVICE_CHECK")
		_, err := small.CreateAuditSuppression(t.Context(), suppressing("DEVICE_CHECK", "a"))
		require.NoError(t, err)
		stream, large := snapshot(t, small), snapshot(t, furnished(t, config))
		config.Store = storetest.NewMemory()
		e := openEngine(t, config)
		before, rows := fullDump(t, e, nil), config.Store.(*storetest.Memory).Rows()
		refused := func(what string, b []byte, want string) {
			t.Helper()
			err := e.Restore(bytes.NewReader(b))
			if err == nil {
				t.Fatalf("%s is restored", what)
			}
			if got, ok := strings.CutPrefix(err.Error(), "engine: restore: "); !ok || !matches(want, got) {
				t.Errorf("%s: got error %v, want %s", what, err, want)
			}
		}
		for n := range stream {
			refused(fmt.Sprintf("cut at %d", n), stream[:n], "the stream is cut off")
		}
		for i := range stream {
			b := bytes.Clone(stream)
			b[i] ^= 1 << (i % 8)
			refused(fmt.Sprintf("byte %d flipped", i), b, "...")
			if i < 10 {
				refused(fmt.Sprintf("byte %d flipped", i), b, "the stream is no snapshot")
			}
		}
		r := rand.New(rand.NewPCG(1, 2))
		tries := 200
		if raced() {
			tries = 20
		}
		for range tries {
			refused("a large one, cut", large[:r.IntN(len(large))], "the stream is cut off")
			b := bytes.Clone(large)
			b[r.IntN(len(b))] ^= 1 << r.IntN(8)
			refused("a large one, flipped", b, "...")
		}
		refused("nothing", nil, "the stream is cut off")
		refused("zeros", make([]byte, 1000), "the stream is no snapshot")
		refused("a later version", []byte("fleetaudit snapshot 2\n"), `the stream is "fleetaudit snapshot 2", and this program knows no later one than "fleetaudit snapshot 1"`)
		refused("more", append(bytes.Clone(stream), 0), "something follows the snapshot: more bytes")
		refused("two", append(bytes.Clone(stream), stream...), "something follows the snapshot: more bytes")
		refused("a long table", sealed([]byte("\xff\xff\xff\xff\x0f")), "the stream is damaged: a length of 4294967295 where at most 1024 may be")
		refused("a long value", sealed([]byte("\x01a\x01a\xff\xff\xff\xff\x0f")), "the stream is damaged: a length of 4294967295 where at most 1073741824 may be")
		refused("a value that is not there", sealed([]byte("\x01a\x01a\xff\xff\xff\x0f")), "the stream is cut off")
		refused("a length that is none", sealed(bytes.Repeat([]byte{0xff}, 11)), "...a length that does not end")
		refused("no row", sealed([]byte{0}), "the snapshot holds nothing")
		refused("a row twice", sealed(append(bytes.Clone(bodyOf(stream)[:len(bodyOf(stream))-1]), bodyOf(stream)...)), "table account: key 6175646974: is out of order")
		refused("a table that is none", sealed([]byte("\x01a\x01a\x01a\x00")), "table a: key 61: ...")
		for range tries { // with the right checksum: this is about rows
			b := bytes.Clone(bodyOf(large))
			b[r.IntN(len(b))] ^= 1 << r.IntN(8)
			other := s.stocked(furniture...)
			target, err := engine.New(other)
			require.NoError(t, err)
			none := fullDump(t, target, nil)
			if err := target.Restore(bytes.NewReader(sealed(b))); err == nil {
				fullDump(t, target, nil)
			} else if diff := cmp.Diff(none, fullDump(t, target, nil)); diff != "" {
				t.Fatalf("Restore failed, %v, and has changed something:\n%s", err, diff)
			}
			require.NoError(t, target.Close())
		}
		for _, at := range []int{0, 10, len(stream) / 2, len(stream) - 1} {
			err := e.Restore(io.MultiReader(bytes.NewReader(stream[:at]), iotest.ErrReader(errDisk)))
			if !errors.Is(err, errDisk) {
				t.Errorf("the error of the reader after %d bytes is lost: %v", at, err)
			}
		}
		if err := e.Restore(io.MultiReader(bytes.NewReader(stream), iotest.ErrReader(errDisk))); !errors.Is(err, errDisk) {
			t.Error("the error of the reader after the end is lost:", err)
		}
		if diff := cmp.Diff(before, fullDump(t, e, nil)); diff != "" {
			t.Errorf("a Restore that failed has changed something (-before +after):\n%s", diff)
		}
		if diff := cmp.Diff(rows, config.Store.(*storetest.Memory).Rows()); diff != "" {
			t.Errorf("a Restore that failed has changed the Store (-before +after):\n%s", diff)
		}
		other := config
		for _, c := range []struct {
			account, region, want string
		}{
			{"123456789012", "", "table meta: key 656e67696e65: is of the account 000000000000 in us-east-1; Config.AccountID is 123456789012, Config.Region us-east-1"},
			{"", "eu-west-1", "table meta: key 656e67696e65: is of the account 000000000000 in us-east-1; Config.AccountID is 000000000000, Config.Region eu-west-1"},
		} {
			other.AccountID, other.Region, other.Store = c.account, c.region, nil
			foreign := openEngine(t, other)
			require.EqualError(t, foreign.Restore(bytes.NewReader(stream)), "engine: restore: "+c.want)
		}

		require.NoError(t, e.Restore(bytes.NewReader(stream))) // after all that
		if diff := cmp.Diff(fullDump(t, small, nil), fullDump(t, e, nil)); diff != "" {
			t.Errorf("what is restored differs (-want +got):\n%s", diff)
		}
		runAudit(t, e, "DEVICE_CHECK")
		require.NoError(t, e.Close())
		require.ErrorIs(t, e.Restore(bytes.NewReader(stream)), engine.ErrClosed)
	})
}

// Snapshots that are made while audits run and change are whole: each is an Engine whose audits end.
func TestSnapshotWhileAuditsRun(t *testing.T) {
	noLeaks(t)
	shared := numbers(200, func(context.Context, int) {})
	config := engine.Config{MaxOnDemandAudits: -1, EnableAll: true, Checks: []checks.Check{
		good("GOOD"),
		checks.New(specOf("BAD"), func(_ context.Context, p *checks.Pass) error {
			for i := range 20 {
				report(p, fmt.Sprint(i))
			}
			return nil
		}),
		checks.Each(specOf("SHARED"), shared, func(_ context.Context, p *checks.Pass, i *int) error {
			p.Report(checks.Finding{Resource: device(fmt.Sprint(*i)), ReasonCode: "BAD"})
			return nil
		}),
	}}
	for _, store := range []engine.Store{nil, storetest.NewMemory()} {
		config.Store = store
		e, err := engine.New(config)
		require.NoError(t, err)
		var streams [][]byte
		var all sync.WaitGroup
		for i := range 4 {
			all.Go(func() {
				for n := range 6 {
					if _, err := e.StartOnDemandAuditTask(t.Context(), target("BAD", "GOOD", "SHARED")); err != nil {
						t.Error(err)
					}
					if _, err := e.CreateAuditSuppression(t.Context(), suppressing("BAD", fmt.Sprint(i, "-", n))); err != nil {
						t.Error(err)
					}
				}
			})
		}
		for range 6 {
			streams = append(streams, snapshot(t, e))
		}
		all.Wait()
		streams = append(streams, snapshot(t, e))
		require.NoError(t, e.Close())
		streams = append(streams, snapshot(t, e)) // what it holds can still be read
		for i, stream := range streams {
			again := config
			again.Store = nil
			if i%2 > 0 {
				again.Store = storetest.NewMemory()
			}
			target, err := engine.New(again)
			require.NoError(t, err)
			require.NoError(t, target.Restore(bytes.NewReader(stream)))
			_, err = target.Resume()
			require.NoError(t, err)
			list, err := target.ListAuditTasks(t.Context(), &model.ListAuditTasksInput{
				StartTime: model.At(time.Now().Add(-time.Hour)), EndTime: model.At(time.Now().Add(time.Hour)), MaxResults: new(int32(250)),
			})
			require.NoError(t, err)
			for _, a := range list.Tasks {
				out := waitAudit(t, target, a.TaskID)
				want := map[string]string{"BAD": "COMPLETED_NON_COMPLIANT", "GOOD": "COMPLETED_COMPLIANT", "SHARED": "COMPLETED_NON_COMPLIANT"}
				if out.TaskStatus == model.AuditTaskStatusCompleted {
					if diff := cmp.Diff(want, statuses(out)); diff != "" {
						t.Error(diff)
					}
					if n := len(foundBy(t, target, a.TaskID)); n != 220 {
						t.Errorf("%d findings, want 220", n)
					}
				} else if out.TaskStatus != model.AuditTaskStatusCanceled || store != nil { // as Close without a Store leaves it
					t.Errorf("%s is %s", a.TaskID, out.TaskStatus)
				}
			}
			require.NoError(t, target.Close())
		}
	}
}

// The error of the writer comes back, wherever it fails.
func TestSnapshotToAWriterThatFails(t *testing.T) {
	e := openEngine(t, engine.Config{Checks: []checks.Check{good("GOOD")}})
	runAudit(t, e, "GOOD")
	n := len(snapshot(t, e))
	for limit := range n {
		if err := e.Snapshot(&shortWriter{limit}); !errors.Is(err, errDisk) {
			t.Errorf("after %d of %d bytes: %v", limit, n, err)
		}
	}
	require.NoError(t, e.Snapshot(&shortWriter{n}))
}

// shortWriter takes so many bytes.
type shortWriter struct{ left int }

func (w *shortWriter) Write(b []byte) (int, error) {
	if len(b) > w.left {
		n := w.left
		w.left = 0
		return n, errDisk
	}
	w.left -= len(b)
	return len(b), nil
}
