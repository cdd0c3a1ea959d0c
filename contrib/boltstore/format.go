package boltstore

import (
	"fmt"
	"strconv"
	"strings"

	"go.etcd.io/bbolt"
)

// formatTable is the bucket with what a file says of itself. Its name sorts before, and is, no table's. Its rows:
//
//	"format"    "fleetaudit boltstore 2": what all versions will begin with
//	"total/T"   the total of table T; since version 2
//
// Other buckets are tables. Values are kept as those of rows are.
const (
	formatTable = "_fleetaudit"
	formatKey   = "format"
	totalPrefix = "total/"
	formatName  = "fleetaudit boltstore "
	version     = 2
)

// put keeps a row of formatTable.
func put(format *bbolt.Bucket, key string, value []byte) error {
	kept, _ := seal(formatTable, []byte(key), value)
	return format.Put([]byte(key), kept)
}

func putFormat(format *bbolt.Bucket) error {
	return put(format, formatKey, []byte(formatName+strconv.Itoa(version)))
}

func putTotal(format *bbolt.Bucket, table string, t total) error {
	return put(format, totalPrefix+table, t.encode())
}

// totalOf returns the total of a table that there is.
func totalOf(format *bbolt.Bucket, table string) (total, error) {
	key := []byte(totalPrefix + table)
	value, _, err := unseal(formatTable, key, format.Get(key))
	if err != nil {
		return total{}, &DamageError{Page: -1, Table: formatTable, Key: key, What: "the total of a table", Err: err}
	}
	t, err := decodeTotal(value)
	if err != nil {
		return total{}, &DamageError{Page: -1, Table: formatTable, Key: key, What: "the total of a table", Err: err}
	}
	return t, nil
}

// decodeFormat returns the version that wrote a file.
func decodeFormat(value []byte) (int, error) {
	number, ours := strings.CutPrefix(string(value), formatName)
	v, err := strconv.Atoi(number)
	if !ours || err != nil || v < 1 {
		return 0, fmt.Errorf("it says that it is %q, which is not %sand a number", value, formatName)
	}
	return v, nil
}

// newFormat makes formatTable in a file that holds nothing.
func newFormat(tx *bbolt.Tx) error {
	format, err := tx.CreateBucket([]byte(formatTable))
	if err != nil {
		return err
	}
	return putFormat(format)
}

// migrate makes a file of an earlier version one of this version.
func migrate(tx *bbolt.Tx, was contents) error {
	format := tx.Bucket([]byte(formatTable))
	if was.version < 2 {
		for table, t := range was.totals {
			if err := putTotal(format, table, t); err != nil {
				return err
			}
		}
	}
	return putFormat(format)
}
