package findings

import (
	"encoding/binary"
	"fmt"
)

// Row is one row of what mirrors a [Store] elsewhere: a value by table and key. Keys are in order as bytes compare.
type Row struct {
	Table string
	Key   []byte
	Value []byte // empty: the row goes, if there is one
}

// The tables of the mirror, in order.
const (
	chunkTable = "chunk" // by number: what findings say that follow each other in a run
	firstTable = "first" // by the name of a check: what its history knows of audits that were dropped
	runTable   = "run"   // by the order of its audit, and ordinal
)

// rowVersion is what each value begins with.
const rowVersion = 1

func chunkKey(number uint64) []byte { return binary.BigEndian.AppendUint64(nil, number) }

func (s *segment) key() []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(nil, s.audit.begun), s.ordinal)
}

// fault returns the error of a row that is not as it must be.
func (r *Row) fault(format string, args ...any) error {
	key := fmt.Sprintf("%x", r.Key)
	if r.Table == firstTable {
		key = fmt.Sprintf("%q", r.Key)
	}
	return fmt.Errorf("findings: the row of table %q with key %s %w", r.Table, key, fmt.Errorf(format, args...))
}
