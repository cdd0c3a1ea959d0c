package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/engine/storetest"
)

func TestMemory(t *testing.T) { storetest.Run(t, inMemory()) }

func TestMemoryClone(t *testing.T) {
	m := storetest.NewMemory()
	require.NoError(t, m.Commit(t.Context(), []engine.Change{change("a", "1"), change("b", "1")}))
	c := m.Clone()
	require.NoError(t, m.Commit(t.Context(), []engine.Change{change("a", "2")}))
	require.NoError(t, c.Commit(t.Context(), []engine.Change{change("b", ""), change("c", "3")}))
	if diff := cmp.Diff([]string{"a=2", "b=1"}, texts(m)); diff != "" {
		t.Errorf("the original (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a=1", "c=3"}, texts(c)); diff != "" {
		t.Errorf("the clone (-want +got):\n%s", diff)
	}
}

func TestFaults(t *testing.T) {
	for _, row := range []struct {
		fault storetest.Fault
		ends  string   // how the call does
		want  []string // what is there after a Commit of a=1, and one with the fault: a=2, b=2
	}{
		{storetest.None, "nil", []string{"a=2", "b=2"}},
		{storetest.Before, "error", []string{"a=1"}},
		{storetest.After, "error", []string{"a=2", "b=2"}},
		{storetest.Part, "error", []string{"a=2"}},
		{storetest.Panic, "panic", []string{"a=1"}},
		{storetest.PanicAfter, "panic", []string{"a=2", "b=2"}},
		{storetest.Goexit, "Goexit", []string{"a=1"}},
		{storetest.GoexitAfter, "Goexit", []string{"a=2", "b=2"}},
	} {
		m := storetest.NewMemory()
		var seen []string
		f := &storetest.Faults{Store: m, OnCommit: func(call int, changes []engine.Change) storetest.Fault {
			seen = append(seen, fmt.Sprint(call, ": ", len(changes)))
			if call == 2 {
				return row.fault
			}
			return storetest.None
		}}
		commit := func(changes ...engine.Change) (ends string) {
			var over sync.WaitGroup
			over.Go(func() {
				ends = "Goexit"
				defer func() {
					if p := recover(); p != nil {
						ends = "panic"
						require.ErrorIs(t, p.(error), storetest.ErrFault)
					}
				}()
				err := f.Commit(t.Context(), changes)
				if ends = "nil"; err != nil {
					ends = "error"
					require.ErrorIs(t, err, storetest.ErrFault)
				}
			})
			over.Wait()
			return ends
		}
		require.Equal(t, "nil", commit(change("a", "1")))
		require.Equal(t, row.ends, commit(change("a", "2"), change("b", "2")), "fault %d", row.fault)
		wantLate := 0
		if row.fault != storetest.None {
			require.Equal(t, "error", commit(change("z", "3")))
			wantLate = 1
		}
		calls, late := f.Calls()
		require.Equal(t, []int{2 + wantLate, wantLate}, []int{calls, late})
		if diff := cmp.Diff([]string{"1: 1", "2: 2"}, seen); diff != "" {
			t.Errorf("fault %d: calls of OnCommit (-want +got):\n%s", row.fault, diff)
		}
		if diff := cmp.Diff(row.want, texts(m)); diff != "" {
			t.Errorf("fault %d: what is there (-want +got):\n%s", row.fault, diff)
		}
	}
}

// TestCallsWhileOneWaits asks how many calls there were while one waits in OnCommit.
func TestCallsWhileOneWaits(t *testing.T) {
	waits, goOn, ended := make(chan bool), make(chan bool), make(chan error)
	f := &storetest.Faults{Store: storetest.NewMemory(), OnCommit: func(int, []engine.Change) storetest.Fault {
		close(waits)
		<-goOn
		return storetest.Before
	}}
	go func() { ended <- f.Commit(t.Context(), []engine.Change{change("a", "1")}) }()
	<-waits
	calls := make(chan int, 1)
	go func() { all, _ := f.Calls(); calls <- all }()
	select {
	case all := <-calls:
		require.Equal(t, 1, all)
	case <-time.After(30 * time.Second):
		t.Error("Calls waits for a Commit that waits")
	}
	close(goOn)
	require.ErrorIs(t, <-ended, storetest.ErrFault)
}

func TestFaultsOfRows(t *testing.T) {
	m := storetest.NewMemory()
	require.NoError(t, m.Commit(t.Context(), []engine.Change{change("a", "1"), change("b", "1"), change("c", "1")}))
	wrong, loaded := errors.New("unreadable"), 0
	f := &storetest.Faults{Store: m, OnRow: func(n int, row engine.Row) error {
		if n == 2 && string(row.Key) == "b" {
			return wrong
		}
		return nil
	}}
	for range 2 { // of each Load
		loaded = 0
		require.ErrorIs(t, f.Load(t.Context(), func(engine.Row) error { loaded++; return nil }), wrong)
		require.Equal(t, 1, loaded)
	}
	open := inMemory()
	storetest.Run(t, func(t *testing.T, dir string) engine.Store { return &storetest.Faults{Store: open(t, dir)} })
}

// inMemory opens a Memory for each folder.
func inMemory() func(t *testing.T, dir string) engine.Store {
	kept := make(map[string]*storetest.Memory)
	return func(_ *testing.T, dir string) engine.Store {
		if kept[dir] == nil {
			kept[dir] = storetest.NewMemory()
		}
		return kept[dir]
	}
}

func change(key, value string) engine.Change {
	return engine.Change{Table: "t", Key: []byte(key), Value: []byte(value)}
}

func texts(s engine.Store) []string {
	var all []string
	_ = s.Load(context.Background(), func(r engine.Row) error {
		all = append(all, fmt.Sprintf("%s=%s", r.Key, r.Value))
		return nil
	})
	return all
}
