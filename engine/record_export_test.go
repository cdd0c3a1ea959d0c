package engine

import "fmt"

// ReadRow reads the value of a row of the state, and says how the row is written.
func ReadRow(table string, key, value []byte) (row any, again []byte, err error) {
	of, ok := records()[table]
	if !ok {
		return nil, nil, fmt.Errorf("no table %s", table)
	}
	if row, err = of.row(key, value); err != nil {
		return nil, nil, err
	}
	return row, of.value(row), nil
}

// RecordKey returns the key that a value of a row of the state says it has.
func RecordKey(table string, value []byte) []byte {
	of, ok := records()[table]
	if !ok || len(value) == 0 {
		return nil
	}
	row, err := of.decode(value[1:])
	if err != nil {
		return nil
	}
	return of.key(row)
}
