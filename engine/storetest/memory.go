package storetest

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/fleetaudit/fleetaudit/engine"
)

// Memory is an [engine.Store] in memory. It outlives the Engine that writes to it, so that a test can open another
// with it and see what a restart would find. The zero Memory is empty and ready to use, by any number of goroutines.
type Memory struct {
	mu   sync.RWMutex
	rows map[row]string
}

// row is the place of a row.
type row struct{ table, key string }

var _ engine.Store = (*Memory)(nil)

// NewMemory returns an empty Memory.
func NewMemory() *Memory { return &Memory{} }

// Load implements [engine.Store].
func (m *Memory) Load(ctx context.Context, each func(engine.Row) error) error {
	for _, r := range m.Rows() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := each(r); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// Commit implements [engine.Store].
func (m *Memory) Commit(ctx context.Context, changes []engine.Change) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rows == nil {
		m.rows = make(map[row]string)
	}
	for _, c := range changes {
		if at := (row{c.Table, string(c.Key)}); len(c.Value) == 0 {
			delete(m.rows, at)
		} else {
			m.rows[at] = string(c.Value)
		}
	}
	return nil
}

// Rows returns copies of all rows, in the order of Load.
func (m *Memory) Rows() []engine.Row {
	m.mu.RLock()
	defer m.mu.RUnlock()
	rows := make([]engine.Row, 0, len(m.rows))
	for at, value := range m.rows {
		rows = append(rows, engine.Row{Table: at.table, Key: []byte(at.key), Value: []byte(value)})
	}
	slices.SortFunc(rows, compareRows)
	return rows
}

// Clone returns a Memory that holds what m holds now, and goes its own way from then on.
func (m *Memory) Clone() *Memory {
	m.mu.RLock()
	defer m.mu.RUnlock()
	c := NewMemory()
	c.rows = make(map[row]string, len(m.rows))
	for at, value := range m.rows {
		c.rows[at] = value
	}
	return c
}

// compareRows puts rows into the order of Load.
func compareRows(a, b engine.Row) int {
	if c := strings.Compare(a.Table, b.Table); c != 0 {
		return c
	}
	return bytes.Compare(a.Key, b.Key)
}

// equalRows tells whether two rows are the same, values too.
func equalRows(a, b engine.Row) bool { return compareRows(a, b) == 0 && bytes.Equal(a.Value, b.Value) }
