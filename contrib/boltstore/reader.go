package boltstore

import (
	"go.etcd.io/bbolt"

	"github.com/fleetaudit/fleetaudit/engine"
)

// reader reads all rows of a transaction.
type reader struct {
	tx     *bbolt.Tx
	tables *bbolt.Cursor // nil before the first
	table  string        // the one that is read
	rows   *bbolt.Cursor // nil before its first
	got    total
	row    engine.Row // its memory is used again
}

// next returns the next row, and nil after the last. It is valid until the next call.
func (r *reader) next() (*engine.Row, error) {
	for {
		var key, kept []byte
		switch {
		case r.table == "":
			if r.nextTable(); r.table == "" {
				return nil, nil
			}
			continue
		case r.rows == nil:
			r.rows = r.tx.Bucket([]byte(r.table)).Cursor()
			key, kept = r.rows.First()
		default:
			key, kept = r.rows.Next()
		}
		if key == nil {
			if err := r.endTable(); err != nil {
				return nil, err
			}
			continue
		}
		// A copy is checked, and handed out, for the file might change.
		r.row.Key, r.row.Value = append(r.row.Key[:0], key...), append(r.row.Value[:0], kept...)
		value, sum, err := unseal(r.table, r.row.Key, r.row.Value)
		if err != nil {
			return nil, &DamageError{Page: -1, Table: r.table, Key: r.row.Key, What: err.Error()}
		}
		r.got.add(sum)
		return &engine.Row{Table: r.table, Key: r.row.Key, Value: value}, nil
	}
}

// nextTable goes to the next table.
func (r *reader) nextTable() {
	var name []byte
	if r.tables == nil {
		r.tables = r.tx.Cursor()
		name, _ = r.tables.First()
	} else {
		name, _ = r.tables.Next()
	}
	if string(name) == formatTable {
		name, _ = r.tables.Next()
	}
	r.table, r.rows, r.got = string(name), nil, total{}
}

// endTable wants what was read of the table to be all of it.
func (r *reader) endTable() error {
	want, err := totalOf(r.tx.Bucket([]byte(formatTable)), r.table)
	if err != nil {
		return err
	}
	if r.got != want {
		return &DamageError{Page: -1, Table: r.table, What: r.got.differs(want)}
	}
	r.table = ""
	return nil
}
