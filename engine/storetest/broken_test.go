package storetest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/engine/storetest"
)

// broken is a Store over Memory that breaks the contract where one of its functions does.
type broken struct {
	*storetest.Memory
	commit func(m *storetest.Memory, ctx context.Context, changes []engine.Change) error
	load   func(m *storetest.Memory, ctx context.Context, row func(engine.Row) error) error
	forget bool // on reopening
}

func (b broken) Commit(ctx context.Context, changes []engine.Change) error {
	if b.commit == nil {
		return b.Memory.Commit(ctx, changes)
	}
	return b.commit(b.Memory, ctx, changes)
}

func (b broken) Load(ctx context.Context, row func(engine.Row) error) error {
	if b.load == nil {
		return b.Memory.Load(ctx, row)
	}
	return b.load(b.Memory, ctx, row)
}

// changing is a commit that has its changes changed.
func changing(f func(engine.Change) engine.Change) func(*storetest.Memory, context.Context, []engine.Change) error {
	return func(m *storetest.Memory, ctx context.Context, changes []engine.Change) error {
		changes = slices.Clone(changes)
		for i := range changes {
			changes[i] = f(changes[i])
		}
		return m.Commit(ctx, changes)
	}
}

// listing is a load of other rows, or in another order.
func listing(f func([]engine.Row) []engine.Row) func(*storetest.Memory, context.Context, func(engine.Row) error) error {
	return func(m *storetest.Memory, ctx context.Context, row func(engine.Row) error) error {
		for _, r := range f(m.Rows()) {
			if err := errors.Join(ctx.Err(), row(r)); err != nil {
				return err
			}
		}
		return nil
	}
}

var errBroken = errors.New("broken")

// TestRunBites runs the kit against Stores that are none.
func TestRunBites(t *testing.T) {
	for _, row := range []struct {
		name   string
		caught string // the case that has to notice
		store  func() broken
	}{
		{"loses deletes", "delete", func() broken {
			return broken{commit: func(m *storetest.Memory, ctx context.Context, changes []engine.Change) error {
				return m.Commit(ctx, slices.DeleteFunc(slices.Clone(changes), func(c engine.Change) bool { return len(c.Value) == 0 }))
			}}
		}},
		{"loses the last delete of a table", "delete", func() broken {
			return broken{commit: func(m *storetest.Memory, ctx context.Context, changes []engine.Change) error {
				if rows := m.Rows(); len(rows) == 1 && len(changes) == 1 && len(changes[0].Value) == 0 {
					return nil
				}
				return m.Commit(ctx, changes)
			}}
		}},
		{"refuses to delete what is not there", "fresh", func() broken {
			return broken{commit: func(m *storetest.Memory, ctx context.Context, changes []engine.Change) error {
				if len(m.Rows()) == 0 && len(changes) == 1 && len(changes[0].Value) == 0 {
					return errBroken
				}
				return m.Commit(ctx, changes)
			}}
		}},
		{"applies half of a batch", "batch", func() broken {
			return broken{commit: func(m *storetest.Memory, ctx context.Context, changes []engine.Change) error {
				return m.Commit(ctx, changes[:(len(changes)+1)/2])
			}}
		}},
		{"applies half of a batch when it is cancelled", "cancelled commit", func() broken {
			return broken{commit: func(m *storetest.Memory, ctx context.Context, changes []engine.Change) error {
				if ctx.Err() != nil {
					m.Commit(context.WithoutCancel(ctx), changes[:1])
				}
				return m.Commit(ctx, changes)
			}}
		}},
		{"says that it is cancelled, and says nothing of it", "cancelled commit", func() broken {
			return broken{commit: func(m *storetest.Memory, ctx context.Context, changes []engine.Change) error {
				m.Commit(ctx, changes)
				return nil
			}}
		}},
		{"applies a batch change by change", "concurrent", func() broken {
			return broken{commit: func(m *storetest.Memory, ctx context.Context, changes []engine.Change) error {
				for i := range changes {
					if err := m.Commit(ctx, changes[i:i+1]); err != nil {
						return err
					}
					runtime.Gosched()
				}
				return nil
			}}
		}},
		{"is behind", "order", func() broken {
			var before []engine.Change
			return broken{commit: func(m *storetest.Memory, ctx context.Context, changes []engine.Change) error {
				err := m.Commit(ctx, before)
				before = clone(changes)
				return err
			}}
		}},
		{"keeps no second value", "replace", func() broken {
			return broken{commit: func(m *storetest.Memory, ctx context.Context, changes []engine.Change) error {
				there := make(map[string]bool)
				for _, r := range m.Rows() {
					there[r.Table+" "+string(r.Key)] = true
				}
				return m.Commit(ctx, slices.DeleteFunc(slices.Clone(changes), func(c engine.Change) bool {
					return len(c.Value) > 0 && there[c.Table+" "+string(c.Key)]
				}))
			}}
		}},
		{"keeps the caller's memory", "memory of changes", keepsMemory},
		{"hands out its memory", "memory of rows", func() broken {
			var mu sync.Mutex
			var held []engine.Row
			return broken{load: func(m *storetest.Memory, ctx context.Context, row func(engine.Row) error) error {
				mu.Lock()
				if rows := m.Rows(); len(rows) != len(held) {
					held = rows
				}
				mu.Unlock()
				for _, r := range held {
					if err := errors.Join(ctx.Err(), row(r)); err != nil {
						return err
					}
				}
				return nil
			}}
		}},
		{"forgets all", "order", func() broken { return broken{forget: true} }},
		{"is out of order", "order", func() broken {
			return broken{load: listing(func(rows []engine.Row) []engine.Row { slices.Reverse(rows); return rows })}
		}},
		{"orders by key first", "order", func() broken {
			return broken{load: listing(func(rows []engine.Row) []engine.Row {
				slices.SortStableFunc(rows, func(a, b engine.Row) int { return bytes.Compare(a.Key, b.Key) })
				return rows
			})}
		}},
		{"compares bytes as signed", "keys", func() broken {
			return broken{load: listing(func(rows []engine.Row) []engine.Row {
				slices.SortStableFunc(rows, func(a, b engine.Row) int {
					if a.Table != b.Table {
						return 0
					}
					return int(int8(a.Key[0])) - int(int8(b.Key[0]))
				})
				return rows
			})}
		}},
		{"loads the last row twice", "order", func() broken {
			return broken{load: listing(func(rows []engine.Row) []engine.Row { return append(rows, rows[max(0, len(rows)-1):]...) })}
		}},
		{"loads all but the last of many rows", "many rows", func() broken {
			return broken{load: listing(func(rows []engine.Row) []engine.Row { return rows[:min(len(rows), 4999)] })}
		}},
		{"is not empty at first", "fresh", func() broken {
			b := broken{Memory: storetest.NewMemory()}
			b.Memory.Commit(context.Background(), []engine.Change{change("a", "1")})
			return b
		}},
		{"puts table and key together", "tables", func() broken {
			return broken{commit: changing(func(c engine.Change) engine.Change {
				c.Key = append([]byte(c.Table), c.Key...)
				c.Table = "t"
				return c
			})}
		}},
		{"ends keys at a zero", "keys", func() broken {
			return broken{commit: changing(func(c engine.Change) engine.Change {
				if i := bytes.IndexByte(c.Key, 0); i > 0 {
					c.Key = c.Key[:i]
				}
				return c
			})}
		}},
		{"takes keys of 1,023 bytes", "keys", func() broken {
			return broken{commit: changing(func(c engine.Change) engine.Change { c.Key = c.Key[:min(1023, len(c.Key))]; return c })}
		}},
		{"takes values of 2 MiB", "values", func() broken {
			return broken{commit: changing(func(c engine.Change) engine.Change { c.Value = c.Value[:min(2<<20, len(c.Value))]; return c })}
		}},
		{"passes over the error of row", "error of row", func() broken {
			return broken{load: func(m *storetest.Memory, ctx context.Context, row func(engine.Row) error) error {
				err := m.Load(ctx, row)
				if ctx.Err() != nil {
					return err
				}
				return nil
			}}
		}},
		{"goes on after the error of row", "error of row", func() broken {
			return broken{load: func(m *storetest.Memory, ctx context.Context, row func(engine.Row) error) error {
				var first error
				err := m.Load(ctx, func(r engine.Row) error {
					if err := row(r); first == nil {
						first = err
					}
					return nil
				})
				return errors.Join(err, first)
			}}
		}},
		{"has an error of its own for that of row", "error of row", func() broken {
			return broken{load: func(m *storetest.Memory, ctx context.Context, row func(engine.Row) error) error {
				if m.Load(ctx, row) != nil {
					return errors.Join(errBroken, ctx.Err())
				}
				return nil
			}}
		}},
		{"ends early when it is cancelled, with no error", "cancelled load", func() broken {
			return broken{load: func(m *storetest.Memory, ctx context.Context, row func(engine.Row) error) error {
				if err := m.Load(ctx, row); !errors.Is(err, context.Canceled) {
					return err
				}
				return nil
			}}
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			failures := record(t, func(t testing.TB) {
				b := row.store()
				if b.Memory == nil {
					b.Memory = storetest.NewMemory()
				}
				storetest.RunCase(t, row.caught, func(string) engine.Store {
					if b.forget {
						b.Memory = storetest.NewMemory()
					}
					return b
				})
			})
			if len(failures) == 0 {
				t.Errorf("the case %q did not notice", row.caught)
			}
		})
	}
}

// late is a Store that makes nothing durable before it is closed.
type late struct {
	*storetest.Memory
	save func(*storetest.Memory) error
}

func (l late) Close() error { return l.save(l.Memory) }

// TestRunBitesLate runs the kit against Stores that a crash, other than a restart, has forget all.
func TestRunBitesLate(t *testing.T) {
	inFile := func(dir string) late {
		path, m := filepath.Join(dir, "rows"), storetest.NewMemory()
		var rows []engine.Change
		if b, err := os.ReadFile(path); err == nil && len(b) > 0 {
			require.NoError(t, json.Unmarshal(b, &rows))
		}
		require.NoError(t, m.Commit(t.Context(), rows))
		return late{m, func(m *storetest.Memory) error {
			b, err := json.Marshal(m.Rows())
			return errors.Join(err, os.WriteFile(path, b, 0o600))
		}}
	}
	for name, newOpen := range map[string]func() func(dir string) engine.Store{
		"elsewhere": func() func(string) engine.Store {
			kept := storetest.NewMemory()
			return func(string) engine.Store {
				return late{kept.Clone(), func(m *storetest.Memory) error { kept = m.Clone(); return nil }}
			}
		},
		"in a file that it makes in the end": func() func(string) engine.Store {
			return func(dir string) engine.Store { return inFile(dir) }
		},
		"in a file": func() func(string) engine.Store {
			return func(dir string) engine.Store {
				l := inFile(dir)
				require.NoError(t, l.Close())
				return l
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, c := range []string{"order", "delete", "batch", "values", "faults", "model"} {
				failures := record(t, func(t testing.TB) { storetest.RunCase(t, c, newOpen()) })
				require.NotEmpty(t, failures, "the case %q did not notice", c)
				require.Contains(t, failures[0], "after a crash: ", "the case %q", c)
			}
		})
	}
}

// keepsMemory returns a Store that keeps keys and values as they came, until it is asked for them.
func keepsMemory() broken {
	var mu sync.Mutex
	var kept []engine.Change
	return broken{
		commit: func(_ *storetest.Memory, ctx context.Context, changes []engine.Change) error {
			mu.Lock()
			defer mu.Unlock()
			kept = append(kept, changes...)
			return ctx.Err()
		},
		load: func(m *storetest.Memory, ctx context.Context, row func(engine.Row) error) error {
			mu.Lock()
			for _, c := range kept {
				m.Commit(context.WithoutCancel(ctx), []engine.Change{c})
			}
			kept = nil
			mu.Unlock()
			return m.Load(ctx, row)
		},
	}
}

func clone(changes []engine.Change) []engine.Change {
	changes = slices.Clone(changes)
	for i := range changes {
		changes[i].Key, changes[i].Value = bytes.Clone(changes[i].Key), bytes.Clone(changes[i].Value)
	}
	return changes
}

// recorder is a test whose failures are kept instead of counted.
type recorder struct {
	testing.TB
	mu       sync.Mutex
	failures []string
}

// record runs f as a test and returns what it would have failed with.
func record(t *testing.T, f func(testing.TB)) []string {
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() { // which Fatalf ends
		defer close(done)
		f(r)
	}()
	<-done
	return r.failures
}

func (r *recorder) Helper() {}
func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}
func (r *recorder) Fatalf(format string, args ...any) { r.Errorf(format, args...); runtime.Goexit() }
