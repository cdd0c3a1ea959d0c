// Package durable has what the benchmarks of durability compare: an Engine over contrib/boltstore, and what bbolt and
// SQLite do by themselves with rows of the same size on the same disk.
//
// The raw contenders have no engine above them: no validation, no index, no history, nothing is read to be checked.
// They keep a finding as one row, made beforehand, of the bytes that a finding has as JSON without what can be derived;
// a repeated finding is a row again, as it is in the table that one would write first. Each commit is durable: bbolt
// syncs, SQLite has a write-ahead log and synchronous=FULL.
package durable

import (
	"encoding/binary"
	"encoding/json"
	"path/filepath"

	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/stores"
	"github.com/fleetaudit/fleetaudit/findings"
)

// Contender is something that keeps rows in a file of a folder that it has to itself.
type Contender interface {
	// Open opens it, and reads everything that it holds.
	Open() error
	// Held returns how many findings that were.
	Held() (int, error)
	// Share says how many goroutines are going to call Operation at once.
	Share(callers int)
	// Operation makes one small change durable. n is unique.
	Operation(n int) error
	// Audit makes what one audit finds durable: the same as the one before.
	Audit() error
	// Close closes it, and returns how many bytes of the file are in use.
	Close() (size int64, err error)
}

// Kind is a kind of contender.
type Kind struct {
	Name string
	new  func(path string, w *Workload) Contender
}

// Kinds returns ours and its peers.
func Kinds() []Kind {
	return []Kind{
		{"fleetaudit", func(path string, w *Workload) Contender { return &ours{Workload: w, path: path} }},
		{"bbolt", func(path string, w *Workload) Contender { return &bolt{Workload: w, path: path} }},
		{"SQLite", func(path string, w *Workload) Contender { return &sqlite{Workload: w, path: path} }},
	}
}

// New returns a contender that has not been opened yet, with a file of that name in a folder that is there.
func (k Kind) New(dir string, w *Workload) Contender { return k.new(filepath.Join(dir, k.Name), w) }

// Workload is what all contenders keep.
type Workload struct {
	findings []findings.Finding
	rows     [][]byte // of findings
	small    []byte   // the row of an operation
}

// NewWorkload returns one whose audits find n findings.
func NewWorkload(n int) *Workload {
	w := &Workload{findings: stores.Fleet(n, func(int) bool { return false }), rows: make([][]byte, n)}
	for i, f := range w.findings {
		b, err := json.Marshal(struct {
			Resource, Related any
			Reason, Code      string
		}{f.Resource, f.Related, f.Reason, f.ReasonCode})
		if err != nil {
			panic(err) // strings and numbers can be written
		}
		w.rows[i] = b
	}
	w.small = make([]byte, 200) // as many as the row of a suppression has, about
	return w
}

// key is the key of a row: ascending for findings.
func key(audit, i int) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(audit)), uint64(i))
}
