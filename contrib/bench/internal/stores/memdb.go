package stores

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/hashicorp/go-memdb"

	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// radix is a store in go-memdb. A run is inserted in several transactions, since larger ones are slow.
// Readers have a snapshot, renewed when the last of them is committed.
type radix struct {
	ledger
	db    *memdb.MemDB
	batch int
	view  atomic.Pointer[radixView]
}

type radixView struct {
	*memdb.MemDB
	runs runs // of a tuned store
}

// radixRow is a row of the table. The keys of all rows of a run are made in one go, so that inserting makes
// none.
type radixRow struct {
	finding *model.AuditFinding
	keys    []byte             // for each index the value and the place
	ends    [indexCount]uint32 // of the keys
}

func (r *radixRow) key(by index) []byte {
	from, to := uint32(0), r.ends[by]
	if by > 0 {
		from = r.ends[by-1]
	}
	return r.keys[from:to:to]
}

const table = "findings"

// radixIndexes are the names of indexes. go-memdb wants that of the first one.
var radixIndexes = [indexCount]string{"id", "suppressed", "resource", "task", "check", "time"}

// keyed is an index whose key the row has. The keys end with the place, so they are unique, which spares
// go-memdb to make them so.
type keyed index

// FromObject returns the key of a row.
func (k keyed) FromObject(row any) (bool, []byte, error) {
	return true, row.(*radixRow).key(index(k)), nil
}

// FromArgs returns the key that it is given.
func (k keyed) FromArgs(args ...any) ([]byte, error) { return args[0].([]byte), nil }

func newMemDB(resources, batch int, tuned bool) *radix {
	s := &radix{batch: batch}
	s.init(resources, tuned)
	indexes := make(map[string]*memdb.IndexSchema)
	for by, name := range radixIndexes[:s.indexes()] {
		indexes[name] = &memdb.IndexSchema{Name: name, Unique: true, Indexer: keyed(by)}
	}
	var err error
	s.db, err = memdb.NewMemDB(&memdb.DBSchema{Tables: map[string]*memdb.TableSchema{
		table: {Name: table, Indexes: indexes},
	}})
	if err != nil {
		panic(fmt.Sprintf("stores: the schema is wrong: %v", err)) // it is constant
	}
	s.view.Store(&radixView{s.db.Snapshot(), nil})
	return s
}

// appendValue writes the part of a key before the place. No value is the beginning of another one.
func appendValue(b []byte, by index, v *values) []byte {
	switch by {
	case bySuppressed:
		if v.suppressed {
			return append(b, 1)
		}
		return append(b, 0)
	case byResource:
		b = binary.BigEndian.AppendUint32(b, v.resource.number)
		if v.resource.text == "" {
			return b
		}
		return append(append(b, v.resource.text...), 0)
	case byTask:
		return append(b, v.task...) // all have the same length
	case byCheck:
		return append(append(b, v.check...), 0)
	case byTime:
		return binary.BigEndian.AppendUint64(b, uint64(v.time)^sign)
	}
	return b
}

// rows makes the rows of a run with their keys.
func (s *radix) rows(r *run) []radixRow {
	rows, resources := make([]radixRow, len(r.rows)), s.keys(r.rows)
	var keys []byte
	for i := range rows {
		row, v, from := &rows[i], r.values(i), len(keys)
		v.resource = resources[i]
		row.finding = &r.rows[i]
		for by := range s.indexes() {
			keys = appendPlace(appendValue(keys, by, &v), r.place(i))
			row.ends[by] = uint32(len(keys) - from)
		}
		if i == 0 {
			keys = slices.Grow(keys, len(keys)*(len(rows)-1)) // most are as long
		}
		row.keys = keys[from:len(keys):len(keys)]
	}
	return rows
}

// Append adds a run.
func (s *radix) Append(given findings.Run, fs []findings.Finding) error {
	r, err := s.run(given, fs)
	if err != nil || len(fs) == 0 {
		return err
	}
	rows := s.rows(r)
	for batch := range slices.Chunk(rows, s.batch) {
		txn := s.db.Txn(true)
		for i := range batch {
			if err := txn.Insert(table, &batch[i]); err != nil {
				txn.Abort()
				return err
			}
		}
		txn.Commit()
	}
	v := &radixView{s.db.Snapshot(), nil}
	if s.tuned {
		v.runs = s.view.Load().runs.with(r)
	}
	s.view.Store(v)
	return nil
}

// Page lists findings from the narrowest index.
func (s *radix) Page(q findings.Query) (findings.Page, error) {
	v := s.view.Load()
	f, err := s.filter(&q, v.runs)
	if err != nil {
		return findings.Page{}, err
	}
	return s.list(radixReader{v.Txn(false)}, f), nil
}

type radixReader struct{ *memdb.Txn }

// from returns an iterator over the rows whose keys are not before one.
func (r radixReader) from(by index, key []byte) memdb.ResultIterator {
	it, err := r.LowerBound(table, radixIndexes[by], key)
	if err != nil {
		panic(fmt.Sprintf("stores: the schema lacks an index: %v", err)) // it is constant
	}
	return it
}

func (r radixReader) walk(by index, v *values, from place, yield func(place, *model.AuditFinding) bool) {
	prefix := appendValue(make([]byte, 0, 128), by, v)
	it := r.from(by, appendPlace(prefix, from))
	for raw := it.Next(); raw != nil; raw = it.Next() {
		row := raw.(*radixRow)
		key := row.key(by)
		if !bytes.HasPrefix(key, prefix) || !yield(placeOf(key[len(prefix):]), row.finding) {
			return
		}
	}
}

func (r radixReader) firstTime(t int64) (int64, bool) {
	raw := r.from(byTime, appendValue(nil, byTime, &values{time: t})).Next()
	if raw == nil {
		return 0, false
	}
	return raw.(*radixRow).finding.FindingTime.UnixMilli(), true
}
