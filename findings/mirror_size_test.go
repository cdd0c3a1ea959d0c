package findings_test

import (
	"fmt"
	"hash/crc32"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/findings"
)

// mirrored is a store with its mirror.
type mirrored struct {
	testing.TB
	*findings.Store
	mirror image
}

func newMirrored(tb testing.TB) *mirrored {
	m := &mirrored{tb, findings.New(), make(image)}
	m.Mirror()
	return m
}

// write begins audits, each with a run, and drops others in one transaction. It returns what that tells.
func (m *mirrored) write(begin map[int][]findings.Finding, gone ...int) []findings.Row {
	tx := m.Txn()
	defer tx.Abort()
	for i, fs := range begin {
		require.NoError(m, m.Begin(findings.Audit{TaskID: taskID(i), StartTime: benchStart.AddDate(0, 0, i), Order: uint64(i + 1)}))
		r := run(i, 0)
		require.NoError(m, tx.Append(r, fs))
	}
	for _, i := range gone {
		tx.Drop(taskID(i))
	}
	rows := tx.Rows()
	m.mirror.apply(m, rows)
	tx.Commit()
	return rows
}

// tables counts rows, and all bytes of them.
func tables(rows []findings.Row) (chunks, others, size int) {
	for _, r := range rows {
		if size += len(r.Key) + len(r.Value); r.Table == "chunk" && len(r.Value) > 0 {
			chunks++
		} else {
			others++
		}
	}
	return chunks, others, size
}

// active returns fs with none suppressed.
func active(fs []findings.Finding) []findings.Finding {
	for i := range fs {
		fs[i].Suppressed = false
	}
	return fs
}

// TestMirrorIsSmall holds on to how much a transaction tells.
func TestMirrorIsSmall(t *testing.T) {
	const n = 100_000
	m, fs := newMirrored(t), active(fleet(n))
	chunks, _, size := tables(m.write(map[int][]findings.Finding{0: fs}))
	require.Less(t, chunks, n/200)
	require.Greater(t, chunks, n/2000)
	require.Less(t, float64(size)/n, 75.0, "bytes a finding of the first run, of which its id takes 64")
	for at, value := range m.mirror {
		require.Less(t, len(value), 300<<10, "row %x", at)
	}
	rows := m.write(map[int][]findings.Finding{1: fs})
	_, _, size = tables(rows)
	require.Len(t, rows, 1)
	require.Less(t, size, 100, "bytes of a run that finds the same")

	// The first run is dropped: what was first seen there takes little, and goes with the rest.
	rows = m.write(nil, 0)
	require.Equal(t, []string{"first", "run"}, []string{rows[0].Table, rows[1].Table})
	require.Less(t, len(rows[0].Value), n/20)
	requireNoWaste(t, m.Store, m.mirror)
	m.write(nil, 1)
	require.Empty(t, m.mirror)
}

// TestMirrorOfChanges holds on to what changes cost beside the run that says them.
func TestMirrorOfChanges(t *testing.T) {
	const n = 10_000
	m, first := newMirrored(t), active(fleet(n))
	m.write(map[int][]findings.Finding{0: first})
	for day, row := range []struct {
		name        string
		change      func(fs []findings.Finding) []findings.Finding
		chunks, run int // at most: how many, and bytes
	}{
		{"the same", func(fs []findings.Finding) []findings.Finding { return fs }, 0, 70},
		{"one changed", func(fs []findings.Finding) []findings.Finding { fs[n/2].Reason = "other"; return fs }, 1, 80},
		{"the first changed", func(fs []findings.Finding) []findings.Finding { fs[0].Reason = "other"; return fs }, 1, 80},
		{"the last changed", func(fs []findings.Finding) []findings.Finding { fs[n-1].Reason = "other"; return fs }, 1, 80},
		{"one more", func(fs []findings.Finding) []findings.Finding { return slices.Insert(fs, n/3, client("more", "X")) }, 2, 80},
		{"one more at the end", func(fs []findings.Finding) []findings.Finding { return append(fs, client("last", "X")) }, 1, 80},
		{"one less", func(fs []findings.Finding) []findings.Finding { return slices.Delete(fs, n/3, n/3+1) }, 2, 80},
		{"the first thousand gone", func(fs []findings.Finding) []findings.Finding { return fs[1000:] }, 2, 80},
		{"turned round", func(fs []findings.Finding) []findings.Finding { return slices.Concat(fs[n/2:], fs[:n/2]) }, 3, 80},
		{"none", func([]findings.Finding) []findings.Finding { return nil }, 0, 70},
		{"one in a thousand suppressed", func(fs []findings.Finding) []findings.Finding {
			for i := 0; i < n; i += 1000 {
				fs[i].Suppressed = true
			}
			return fs
		}, 0, 110},
	} {
		before, after := 1+2*day, 2+2*day
		rows := m.write(map[int][]findings.Finding{before: first})
		require.Len(t, rows, 1, "the same again, before %s", row.name)
		rows = m.write(map[int][]findings.Finding{after: row.change(slices.Clone(first))})
		chunks, others, _ := tables(rows)
		require.LessOrEqual(t, chunks, row.chunks, row.name)
		require.Equal(t, 1, others, row.name)
		require.Less(t, len(rows[len(rows)-1].Value), row.run, row.name)
		requireNoWaste(t, m.Store, m.mirror)
		was := len(m.mirror)
		m.write(nil, before, after)
		require.Len(t, m.mirror, was-2-chunks, "rows that are left after %s", row.name)
		requireNoWaste(t, m.Store, m.mirror)
	}
}

// TestMirrorOfLargeFindings has findings whose words are long: the fewer of them are in a chunk.
func TestMirrorOfLargeFindings(t *testing.T) {
	m := newMirrored(t)
	var fs []findings.Finding
	for i := range 600 {
		f := client(fmt.Sprint(i), "X")
		f.Reason = fmt.Sprintf("%020000d", i)
		fs = append(fs, f)
	}
	f := client("long", "X")
	f.Reason = fmt.Sprintf("%01000000d", 1)
	fs = append(fs, f)
	m.write(map[int][]findings.Finding{0: fs})
	for at, value := range m.mirror {
		if len(value) > 320<<10 {
			require.Greater(t, len(value), 1_000_000, "row %x", at)
			require.Less(t, len(value), 1_300_000, "row %x", at)
		}
	}
	changed := slices.Clone(fs)
	changed[100] = client("other", "X")
	chunks, _, size := tables(m.write(map[int][]findings.Finding{1: slices.Insert(changed, 300, client("more", "X"))}))
	require.LessOrEqual(t, chunks, 10)
	require.Less(t, size, 3<<20)
}

// clientOf returns the id of a client whose hash ends a chunk, or does not.
func clientOf(ends bool) string {
	for i := 0; ; i++ {
		id := fmt.Sprintf("%04d", i)
		hash := crc32.Checksum([]byte("\x08\x00\x04"+id), crc32.MakeTable(crc32.Castagnoli))
		if (hash < 1<<32/512) == ends {
			return id
		}
	}
}

// TestMirrorOfOneResource has resources whose hash would end a chunk after each finding, or after none.
func TestMirrorOfOneResource(t *testing.T) {
	const n = 10_000
	for _, row := range []struct {
		ends     bool
		min, max int
	}{{true, n/64 - 1, n/64 + 1}, {false, 3, 4}} {
		var fs []findings.Finding
		for i := range n {
			fs = append(fs, client(clientOf(row.ends), fmt.Sprint(i)))
		}
		chunks, _, _ := tables(newMirrored(t).write(map[int][]findings.Finding{0: fs}))
		require.GreaterOrEqual(t, chunks, row.min)
		require.LessOrEqual(t, chunks, row.max)
	}
}

// TestMirrorOfWhatGrows adds to a run whose last chunk has ended, or has not: then all of that is told again.
func TestMirrorOfWhatGrows(t *testing.T) {
	for _, ends := range []bool{true, false} {
		var fs []findings.Finding
		for i := range 100 {
			fs = append(fs, client(clientOf(false), fmt.Sprint(i)))
		}
		fs[99].Resource.ResourceIdentifier.ClientID = clientOf(ends)
		m := newMirrored(t)
		m.write(map[int][]findings.Finding{0: fs})
		rows := m.write(map[int][]findings.Finding{1: append(fs, client("more", "X"))})
		require.Len(t, rows, 2)
		require.Equal(t, ends, len(rows[0].Value) < 100, "%d bytes", len(rows[0].Value))
	}
}

// TestDropOfAuditsWithoutRuns leaves everything else in its place: also the words that nothing has, which a Drop that goes
// through the store gives back.
func TestDropOfAuditsWithoutRuns(t *testing.T) {
	m := newMirrored(t)
	m.write(map[int][]findings.Finding{0: fleet(10)})
	tx := m.Txn()
	require.NoError(t, tx.Append(run(0, 1), []findings.Finding{client("aborted", "X")}))
	tx.Abort()
	m.write(map[int][]findings.Finding{1: {client("kept", "X")}})
	require.NoError(t, m.Begin(findings.Audit{TaskID: taskID(2), StartTime: benchStart, Order: 3}))
	before := m.Count()
	require.Equal(t, 12, before.Contents)
	tx = m.Txn()
	tx.Drop(taskID(2))
	require.Empty(t, tx.Rows())
	tx.Commit()
	require.ErrorIs(t, m.Append(run(2, 0), nil), findings.ErrUnknownTask)
	before.Audits--
	require.Equal(t, before, m.Count())
	m.write(nil, 1)
	require.Equal(t, 10, m.Count().Contents)
}
