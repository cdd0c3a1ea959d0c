package boltstore

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// rowVersion is the version of how a value is kept. It is the first byte of each.
const rowVersion = 1

// rowHead is how many bytes a kept value has before what was committed: version, checksum.
const rowHead = 1 + 8

// checksum is the first half of a SHA-256, rather than a CRC, because tables add them up: of a hash, the sum of
// other rows is not that of these, whatever they have in common.
func checksum(table string, key []byte, version byte, value []byte) uint64 {
	var small [512]byte
	b := binary.AppendUvarint(small[:0], uint64(len(table)))
	b = append(b, table...)
	b = binary.AppendUvarint(b, uint64(len(key)))
	b = append(append(b, key...), version)
	h := sha256.New()
	h.Write(b)
	h.Write(value)
	return binary.BigEndian.Uint64(h.Sum(small[:0]))
}

// seal returns how a value is kept, and its checksum.
func seal(table string, key, value []byte) ([]byte, uint64) {
	sum := checksum(table, key, rowVersion, value)
	kept := make([]byte, 0, rowHead+len(value))
	kept = binary.BigEndian.AppendUint64(append(kept, rowVersion), sum)
	return append(kept, value...), sum
}

// unseal returns the value of what is kept of it, and its checksum, if it is the right one.
func unseal(table string, key, kept []byte) ([]byte, uint64, error) {
	if len(kept) <= rowHead {
		return nil, 0, fmt.Errorf("the value has %d bytes, and no value has less than %d", len(kept), rowHead+1)
	}
	value, sum := kept[rowHead:], binary.BigEndian.Uint64(kept[1:])
	if sum != checksum(table, key, kept[0], value) {
		return nil, 0, errors.New("the checksum is not that of its key and value")
	}
	if kept[0] != rowVersion {
		return nil, 0, fmt.Errorf("the value is of version %d, not %d", kept[0], rowVersion)
	}
	return value, sum, nil
}

// total is what is known of all the rows of a table. Totals are compared to see whether a row is missing, there twice, or
// an older one.
type total struct{ rows, sum uint64 }

func (t *total) add(sum uint64)  { t.rows, t.sum = t.rows+1, t.sum+sum }
func (t *total) drop(sum uint64) { t.rows, t.sum = t.rows-1, t.sum-sum }

// differs says that a table should have the rows of want, and has those of t.
func (t total) differs(want total) string {
	if t.rows != want.rows {
		return fmt.Sprintf("there are %d rows of %d", t.rows, want.rows)
	}
	return fmt.Sprintf("of its %d rows some are not those that were committed last", t.rows)
}

func (t total) encode() []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, t.rows), t.sum)
}

func decodeTotal(b []byte) (total, error) {
	if len(b) != 16 {
		return total{}, fmt.Errorf("the total of a table has %d bytes, not 16", len(b))
	}
	return total{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])}, nil
}
