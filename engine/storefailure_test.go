package engine_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/engine/storetest"
	"github.com/fleetaudit/fleetaudit/model"
)

var errDisk = errors.New("the disk is full")

// storeFaults are the ways in which a Commit fails.
var storeFaults = []struct {
	name    string
	commit  func(commit func()) error
	applied bool
	cause   string
}{
	{"error", func(func()) error { return errDisk }, false, "the disk is full"},
	{"error after it is applied", func(commit func()) error { commit(); return errDisk }, true, "the disk is full"},
	{"panic", func(func()) error { panic("out of memory") }, false, "the Store panicked: out of memory"},
	{"panic after it is applied", func(commit func()) error { commit(); panic(errDisk) }, true, "the Store panicked: the disk is full"},
	{"Goexit", func(func()) error { runtime.Goexit(); return nil }, false, "the Store called runtime.Goexit"},
}

// breaking is a Store whose nth Commit fails, counted from 0.
type breaking struct {
	storetest.Memory
	commits, at int
	fault       func(commit func()) error
}

func (b *breaking) Commit(ctx context.Context, changes []engine.Change) error {
	b.commits++
	commit := func() {
		if err := b.Memory.Commit(ctx, changes); err != nil {
			panic(err)
		}
	}
	if b.fault != nil && b.commits > b.at {
		return b.fault(commit)
	}
	commit()
	return nil
}

// failNow makes the next Commit fail.
func (b *breaking) failNow(fault func(commit func()) error) { b.at, b.fault = b.commits, fault }

// counting is how far checks have come that are in progress, which nobody knows once they have been stopped.
var counting = regexp.MustCompile(`("IN_PROGRESS",\s+"checkCompliant": false,\s+"totalResourcesCount": )\d+(,\s+"nonCompliantResourcesCount": )\d+`)

func withoutProgress(dump string) string { return counting.ReplaceAllString(dump, "${1}0${2}0") }

// refusedByStore wants the error of an Engine whose Store has failed.
func refusedByStore(t testing.TB, what string, err error) {
	t.Helper()
	internal, ok := errors.AsType[*model.InternalFailureException](err)
	if !ok || !strings.HasPrefix(internal.Message, "the store has failed") || strings.Contains(err.Error(), "disk") {
		t.Errorf("%s: got error %v", what, err)
	}
}

// Whatever operation it is whose change the Store cannot keep: nothing of it is visible, and nothing changes any more
// until another Engine opens the Store, which finds the change whole or not at all.
func TestStoreFailsInOperation(t *testing.T) {
	noLeaks(t)
	for _, o := range engine.Operations() {
		if reads(o.Name) {
			continue
		}
		for _, fault := range storeFaults {
			t.Run(o.Name+"/"+fault.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					store, book := &breaking{}, new(logbook)
					s := readyOn(t, store)
					other := s.config // what the operation would do
					other.Store = store.Clone()
					before := fullDump(t, s.engine, s.tasks)
					require.NoError(t, s.engine.Close())
					s.config.Logger = book.logger()
					var err error
					s.engine, err = engine.New(s.config)
					require.NoError(t, err)
					_, err = s.engine.Resume()
					require.NoError(t, err)
					synctest.Wait()
					if diff := cmp.Diff(before, fullDump(t, s.engine, s.tasks)); diff != "" {
						t.Fatalf("a restart shows:\n%s", diff)
					}
					loop := make(chan error, 3)
					go func() { loop <- s.engine.Run(t.Context()) }()
					go func() {
						_, err := s.engine.WaitAuditTask(t.Context(), s.vars["<held>"])
						loop <- err
					}()
					go func() {
						var last error
						for _, err := range s.engine.WatchAuditTask(t.Context(), s.vars["<held>"]) {
							last = err
						}
						loop <- last
					}()
					synctest.Wait()

					store.failNow(fault.commit)
					returned := false
					done := make(chan struct{})
					go func() {
						defer close(done)
						out, err := o.Call(t.Context(), s.engine, s.input(o))
						returned = true
						if out != nil {
							t.Errorf("the answer is %v", out)
						}
						refusedByStore(t, o.Name, err)
					}()
					<-done
					if returned == (fault.name == "Goexit") {
						t.Errorf("returned: %t", returned)
					}
					commits := store.commits
					for range 3 {
						refusedByStore(t, "Run, WaitAuditTask or WatchAuditTask", <-loop)
					}
					if err := s.engine.Err(); err == nil || err.Error() != "engine: the store has failed: "+fault.cause {
						t.Error("Err:", err)
					} else if strings.HasPrefix(fault.name, "error") && !errors.Is(err, errDisk) {
						t.Error("Err does not wrap the error of the Store")
					}

					for _, later := range engine.Operations() {
						out, err := later.Call(t.Context(), s.engine, s.input(later))
						if !reads(later.Name) {
							refusedByStore(t, "later "+later.Name, err)
						} else if err != nil {
							t.Errorf("later %s: %v, %v", later.Name, out, err)
						}
					}
					_, err = s.engine.RunDue(t.Context(), time.Now().Add(5*day))
					refusedByStore(t, "RunDue", err)
					refusedByStore(t, "Run", s.engine.Run(t.Context()))
					synctest.Wait()
					if diff := cmp.Diff(withoutProgress(before), fullDump(t, s.engine, s.tasks)); diff != "" {
						t.Errorf("it failed and changed something nevertheless (-before +after):\n%s", diff)
					}
					begun := time.Now()
					if err := s.engine.Close(); err != nil || !time.Now().Equal(begun) {
						t.Errorf("Close after %v: %v", time.Since(begun), err)
					}
					if store.commits != commits {
						t.Errorf("the Store was called %d times after it had failed", store.commits-commits)
					}
					if n := strings.Count(book.String(), "the store has failed"); n != 1 || !strings.Contains(book.String(), fault.cause) {
						t.Errorf("logged %d times: %s", n, book)
					}

					want := before
					if fault.applied { // as if nothing had gone wrong
						twin, err := engine.New(other)
						require.NoError(t, err)
						_, err = twin.Resume()
						require.NoError(t, err)
						synctest.Wait()
						_, err = o.Call(t.Context(), twin, s.input(o))
						require.NoError(t, err)
						require.NoError(t, twin.Close())
						twin, err = engine.New(other)
						require.NoError(t, err)
						_, err = twin.Resume()
						require.NoError(t, err)
						synctest.Wait()
						want = fullDump(t, twin, s.tasks)
						require.NoError(t, twin.Close())
					}
					s.config.Store = &store.Memory
					s.engine, err = engine.New(s.config)
					require.NoError(t, err)
					_, err = s.engine.Resume()
					require.NoError(t, err)
					synctest.Wait()
					got := fullDump(t, s.engine, s.tasks)
					if o.Name == "StartOnDemandAuditTask" && fault.applied { // it has an id of its own
						want, got = fmt.Sprint(strings.Count(want, "\n")), fmt.Sprint(strings.Count(got, "\n"))
					}
					if o.Name == "CancelAuditTask" && fault.applied { // its check may have been stopped on the way
						for _, dump := range []string{want, got} {
							require.Contains(t, dump, `"taskStatus": "CANCELED"`)
						}
						want, got = "", ""
					}
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("after a restart (-want +got):\n%s", diff)
					}
					for _, again := range engine.Operations() {
						if reads(again.Name) {
							_, err := again.Call(t.Context(), s.engine, s.input(again))
							if err != nil && !fault.applied {
								t.Errorf("after a restart %s: %v", again.Name, err)
							}
						}
					}
					require.NoError(t, s.engine.Close())
				})
			})
		}
	}
}
