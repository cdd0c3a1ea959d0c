package engine_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/engine"
)

// goodStreams are snapshots of little and of much.
func goodStreams() (streams [][]byte) {
	synctest.Test(&testing.T{}, func(t *testing.T) {
		s := newStock()
		config := s.stocked(furniture...)
		streams = append(streams, snapshot(t, openEngine(t, config)), snapshot(t, furnished(t, config)))
		small := openEngine(t, config)
		runAudit(t, small, "DEVICE_CHECK")
		streams = append(streams, snapshot(t, small))
	})
	return streams
}

// tryRestore restores a stream that somebody made up: an error, and nothing has changed, or an Engine all of whose
// operations work, and whose snapshot makes it again.
func tryRestore(t *testing.T, stream []byte) {
	synctest.Test(t, func(t *testing.T) {
		s := newStock()
		closeAll(s.hold, s.data)
		config := s.stocked(furniture...)
		e, err := engine.New(config)
		require.NoError(t, err)
		defer func() { require.NoError(t, e.Close()) }()
		before := fullDump(t, e, nil)
		if err := e.Restore(bytes.NewReader(stream)); err != nil {
			if diff := cmp.Diff(before, fullDump(t, e, nil)); diff != "" {
				t.Fatalf("Restore failed, %v, and has changed something:\n%s", err, diff)
			}
			return
		}
		dump := fullDump(t, e, nil)
		again, err := engine.New(config)
		require.NoError(t, err)
		defer func() { require.NoError(t, again.Close()) }()
		require.NoError(t, again.Restore(bytes.NewReader(snapshot(t, e))))
		if diff := cmp.Diff(dump, fullDump(t, again, nil)); diff != "" {
			t.Fatalf("restored again it differs:\n%s", diff)
		}
		runDue(t, e, time.Now())
		synctest.Wait()
		fullDump(t, e, nil)
	})
}

// FuzzRestore restores bytes as they are, and as what stands in a stream before the right checksum.
func FuzzRestore(f *testing.F) {
	for _, s := range goodStreams() {
		f.Add(bodyOf(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		tryRestore(t, body)
		tryRestore(t, sealed(body))
	})
}

// rowsOf takes a good stream apart.
func rowsOf(stream []byte) (rows []engine.Row) {
	b := bodyOf(stream)
	next := func() []byte {
		n, size := binary.Uvarint(b)
		part := b[size : size+int(n)]
		b = b[size+int(n):]
		return part
	}
	for {
		table := next()
		if len(table) == 0 {
			return rows
		}
		rows = append(rows, engine.Row{Table: string(table), Key: next(), Value: next()})
	}
}

// streamOf is the opposite of rowsOf.
func streamOf(rows []engine.Row) []byte {
	var b []byte
	for _, r := range rows {
		for _, part := range [][]byte{[]byte(r.Table), r.Key, r.Value} {
			b = append(binary.AppendUvarint(b, uint64(len(part))), part...)
		}
	}
	return sealed(append(b, 0))
}

// FuzzRestoreRows restores good streams in one row of which something is otherwise.
func FuzzRestoreRows(f *testing.F) {
	var good [][]engine.Row
	for _, s := range goodStreams() {
		good = append(good, rowsOf(s))
		if !bytes.Equal(s, streamOf(rowsOf(s))) {
			f.Fatal("a stream that was taken apart is another when put together")
		}
	}
	for row := range good[1] {
		for how := row % 3; how < 6; how += 3 {
			f.Add(uint8(1), uint16(row), uint8(how), uint16(3*row), []byte("7"))
		}
	}
	for _, doc := range []string{
		`{"name":"s","frequency":"MONTHLY","dayOfMonth":"32","checks":["OK_CHECK"],"anchor":[946684800,0],"next":[946684800,0]}`,
		`{"name":"s","frequency":"WEEKLY","dayOfWeek":"XXX","checks":["OK_CHECK"],"anchor":[946684800,0],"next":[946684800,0]}`,
		`{"name":"s","frequency":"MONTHLY","checks":null,"anchor":null,"next":[-9223372036854775808,0]}`,
		`{"name":"s","frequency":"BIWEEKLY","dayOfWeek":"SUN","checks":["NO"],"anchor":[9223372036854775807,0],"next":[9223372036854775807,5],"missed":-1}`,
		`{"name":"s","frequency":"DAILY","checks":["OK_CHECK","OK_CHECK"],"anchor":[0,-1],"next":[0,-1],"lastSlot":[1,9223372036854775807]}`,
	} {
		f.Add(uint8(0), uint16(0), uint8(6), uint16(0), version1(doc))
	}
	f.Fuzz(func(t *testing.T, stream uint8, row uint16, how uint8, at uint16, b []byte) {
		rows := slices.Clone(good[int(stream)%len(good)])
		i := int(row) % len(rows)
		r := &rows[i]
		r.Value = bytes.Clone(r.Value)
		n := int(at) % (len(r.Value) + 1)
		switch how % 7 {
		case 0:
			copy(r.Value[n:], b)
		case 1:
			r.Value = append(r.Value[:n:n], b...)
		case 2:
			r.Value = slices.Insert(r.Value, n, b...)
		case 3:
			r.Value = slices.Delete(r.Value, n, min(len(r.Value), n+len(b)))
		case 4:
			r.Key = b
		case 5:
			rows = slices.Delete(rows, i, i+1)
		case 6: // as the last but those of suppressions
			at := len(rows)
			for at > 0 && rows[at-1].Table >= "schedule" {
				at--
			}
			rows = slices.Insert(rows, at, engine.Row{Table: "schedule", Key: []byte("s"), Value: b})
		}
		tryRestore(t, streamOf(rows))
	})
}
