package findings_test

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/findings"
)

// loadedAudits are those that the rows of these tests belong to. That of Order 1 was dropped.
var loadedAudits = []findings.Audit{
	{TaskID: taskID(2), StartTime: benchStart.AddDate(0, 0, 2), Order: 2},
	{TaskID: taskID(3), StartTime: benchStart.AddDate(0, 0, 3), Order: 3},
	{TaskID: taskID(4), StartTime: benchStart.AddDate(0, 0, 4), Order: 4, Hypothetical: true},
}

// The parts of what goodRows returns: two findings, which two audits have, and a third one had that was dropped.
const (
	chunkOne = "\x00\x00\x00\x00\x00\x00\x00\x01"
	finding1 = "\x1f" + "\x04\x08\x00\x01a" + "\x12CLIENT_ID" + "\x02X" + "\x00" + "\x00"
	finding2 = "\x01" + "\x04\x08\x00\x01b"
	dropped  = "\x07audit-1" + "\x80\xaa\xb8\x95\x0d\x00" + "\x01"
	run2     = "\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00"
	run3     = "\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x00"
	run4     = "\x00\x00\x00\x00\x00\x00\x00\x04\x00\x00\x00\x00"
	ran      = "\x01\x00" + "\x07CHECK_0" + "\x04HIGH" + "\x80\xaa\xb8\x95\x0d\x00"
	allOfOne = "\x01\x02\x01"
)

func goodRows() image {
	return image{
		{"chunk", chunkOne}:  "\x01" + finding1 + finding2,
		{"first", "CHECK_0"}: "\x01" + "\x01" + dropped + "\x01\x00\x02\x00",
		{"run", run2}:        ran + allOfOne,
		{"run", run3}:        ran + allOfOne + "\x01", // the second is suppressed
	}
}

func TestLoader(t *testing.T) {
	s := findings.New()
	require.NoError(t, load(s, loadedAudits, goodRows().rows()))
	require.Equal(t, []string{"a X", "b X", "a X", "b X"}, words(s, findings.Query{}))
	require.Equal(t, []string{"b X"}, words(s, findings.Query{Suppressed: new(true)}))
	for _, id := range []string{"a", "b"} {
		h, ok := s.History(fingerprint("CHECK_0", client(id, "X")))
		require.True(t, ok)
		require.Equal(t, "audit-1", h.FirstSeen.TaskID)
	}
	active, suppressed, ok := s.Counts(taskID(3), 0)
	require.Equal(t, []any{1, 1, true}, []any{active, suppressed, ok})
	for _, ordinal := range []int{-1, 1, 1 << 24, 1 << 32} {
		_, _, ok := s.Counts(taskID(3), ordinal)
		require.False(t, ok, "a run of ordinal %d", ordinal)
	}
	got := make(image)
	got.apply(t, slices.Collect(s.Snapshot().Rows()))
	if diff := gocmp.Diff(goodRows(), got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	require.ErrorIs(t, s.Append(run(3, 0), nil), findings.ErrRunTaken)
}

func TestLoaderErrors(t *testing.T) {
	const chunk, first = `the row of table "chunk" with key 0000000000000001 `, `the row of table "first" with key "CHECK_0" `
	const second = `the row of table "run" with key 000000000000000200000000 `
	// A detail and a resource that have each fault that an encoding can have.
	detail := func(b string) string {
		return "\x01\x1f" + finding1[1:len(finding1)-1] + string(rune(2*len(b))) + b
	}
	resource := func(b string) string { return "\x01\x1f" + string(rune(len(b))) + b + finding1[6:] }
	for _, row := range []struct {
		name, table, key, value string // an empty value: the row is missing
		says                    string
	}{
		{"table", "check", "a", "\x01", `the row of table "check" with key 61 is of no table of findings`},
		{"version", "chunk", chunkOne, "\x02" + finding1 + finding2, chunk + `is of version 2, not 1`},

		{"chunk missing", "chunk", chunkOne, "", first + `needs chunk 1, which is not there`},
		{"no run", "chunk", "\x00\x00\x00\x00\x00\x00\x00\x02", "\x01" + finding1,
			`the row of table "chunk" with key 0000000000000002 belongs to no run`},
		{"short key", "chunk", "\x01", "\x01" + finding1, `the row of table "chunk" with key 01 has a key of 1 bytes, not 8`},
		{"number zero", "chunk", "\x00\x00\x00\x00\x00\x00\x00\x00", "\x01" + finding1,
			`the row of table "chunk" with key 0000000000000000 has number 0, not 1 to 9223372036854775807`},
		{"number too great", "chunk", "\x80\x00\x00\x00\x00\x00\x00\x00", "\x01" + finding1,
			`the row of table "chunk" with key 8000000000000000 has number 9223372036854775808, not 1 to 9223372036854775807`},
		{"no finding", "chunk", chunkOne, "\x01", chunk + `ends within its fields that differ`},
		{"nothing differs", "chunk", chunkOne, "\x01" + finding1 + "\x00", chunk + `has finding 0 twice`},
		{"unknown field", "chunk", chunkOne, "\x01" + finding1 + "\x21", chunk + `has finding 1 with fields 0x21`},
		{"first not whole", "chunk", chunkOne, "\x01\x01\x04\x08\x00\x01a", chunk + `has a first finding with fields 0x1 only`},
		{"cut in a text", "chunk", chunkOne, "\x01" + finding1[:9], chunk + `ends within its text`},
		{"cut in a resource", "chunk", chunkOne, "\x01" + finding1[:4], chunk + `ends within its resource`},
		{"text of 2^63 bytes", "chunk", chunkOne, "\x01" + finding1[:6] + "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", chunk + `ends within its text`},
		{"number of 65 bits", "chunk", chunkOne, "\x01" + finding1[:6] + "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x02",
			chunk + `has a text of more than 64 bits`},
		{"long number", "chunk", chunkOne, "\x01" + finding1 + "\x01\x84\x00\x08\x00\x01b", chunk + `has a resource that is longer than it need be`},
		{"unknown text", "chunk", chunkOne, "\x01" + finding1 + "\x02\x03", chunk + `has finding 1 with text 1 of 1`},
		{"no resource", "chunk", chunkOne, resource(""), chunk + `has finding 0 with a resource that nothing is encoded as: `},
		{"half a resource", "chunk", chunkOne, resource("\x08"), chunk + `has finding 0 with a resource that nothing is encoded as: 08`},
		{"empty member", "chunk", chunkOne, resource("\x08\x00\x00"), chunk + `has finding 0 with a resource that nothing is encoded as: 080000`},
		{"member missing", "chunk", chunkOne, resource("\x18\x00\x01a"), chunk + `has finding 0 with a resource that nothing is encoded as: 18000161`},
		{"unknown member", "chunk", chunkOne, resource("\x00\x20\x01a"), chunk + `has finding 0 with a resource that nothing is encoded as: 00200161`},
		{"long length", "chunk", chunkOne, resource("\x08\x00\x81\x00a"), chunk + `has finding 0 with a resource that nothing is encoded as: 0800810061`},
		{"more than a resource", "chunk", chunkOne, resource("\x08\x00\x01ab"), chunk + `has finding 0 with a resource that nothing is encoded as: 0800016162`},
		{"detail of nothing", "chunk", chunkOne, detail("\x00"), chunk + `has finding 0 with a detail that nothing is encoded as: 00`},
		{"key twice", "chunk", chunkOne, detail("\x02\x01a\x00\x01a\x00"), chunk + `has finding 0 with a detail that nothing is encoded as: 02016100016100`},
		{"no order of keys", "chunk", chunkOne, detail("\x02\x01b\x00\x01a\x00"), chunk + `has finding 0 with a detail that nothing is encoded as: 02016200016100`},
		{"value missing", "chunk", chunkOne, detail("\x01\x01a"), chunk + `has finding 0 with a detail that nothing is encoded as: 010161`},
		{"half related", "chunk", chunkOne, detail("\x00\x01T\x00\x00"), chunk + `has finding 0 with a detail that nothing is encoded as: 0001540000`},

		{"sighting of nobody", "first", "CHECK_1", "\x01\x01" + dropped + "\x01\x00\x01\x00",
			`the row of table "first" with key "CHECK_1" has the first sighting of resource 08000161 with reason code "X", which no run has found`},
		{"no origins", "first", "CHECK_0", "\x01\x00\x01\x00\x01\x00", first + `has no origins`},
		{"many origins", "first", "CHECK_0", "\x01\xff\xff\xff\xff\xff\xff\xff\xff\x7f", first + `ends within its task id`},
		{"origin without task", "first", "CHECK_0", "\x01\x01\x00" + dropped[8:] + "\x01\x00\x01\x00",
			first + `has origin 0 with task id "", order 1 and start 2026-01-02 00:00:00 +0000 UTC`},
		{"origin without order", "first", "CHECK_0", "\x01\x01" + dropped[:14] + "\x00\x01\x00\x01\x00",
			first + `has origin 0 with task id "audit-1", order 0 and start 2026-01-02 00:00:00 +0000 UTC`},
		{"origin without start", "first", "CHECK_0", "\x01\x01" + dropped[:8] + "\xff\xdb\x8f\xf9\xce\x03\x00\x01" + "\x01\x00\x01\x00",
			first + `has origin 0 with task id "audit-1", order 1 and start 0001-01-01 00:00:00 +0000 UTC`},
		{"nanoseconds", "first", "CHECK_0", "\x01\x01" + dropped[:13] + "\x80\x94\xeb\xdc\x03\x01" + "\x01\x00\x01\x00",
			first + `has a start with 1000000000 nanoseconds`},
		{"origins in no order", "first", "CHECK_0", "\x01\x02" + dropped[:14] + "\x02" + dropped + "\x01\x00\x01\x00\x00\x00\x01\x01",
			first + `has origin 1 older than the one before`},
		{"unused origin", "first", "CHECK_0", "\x01\x02" + dropped + dropped[:14] + "\x02" + "\x01\x00\x01\x00", first + `has origin 1 of no finding`},
		{"unknown origin", "first", "CHECK_0", "\x01\x01" + dropped + "\x01\x00\x01\x01", first + `has findings with origin 1 of 1`},
		{"unknown chunk", "first", "CHECK_0", "\x01\x01" + dropped + "\x02\x00\x01\x00", first + `needs chunk 2, which is not there`},
		{"chunk before", "first", "CHECK_0", "\x01\x01" + dropped + "\x01\x00\x01\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00\x01\x00",
			first + `needs chunk 0, which is not there`},
		{"none of a chunk", "first", "CHECK_0", "\x01\x01" + dropped + "\x01\x00\x00\x00", first + `has 0 findings at 0 of chunk 1, which has 2`},
		{"more than a chunk", "first", "CHECK_0", "\x01\x01" + dropped + "\x01\x01\x02\x00", first + `has 2 findings at 1 of chunk 1, which has 2`},
		{"once more", "first", "CHECK_0", "\x01\x01" + dropped + "\x01\x01\x01\x00\x00\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\x01\x00",
			first + `has findings at 0 of chunk 1 again`},
		{"cut in an origin", "first", "CHECK_0", "\x01\x01" + dropped + "\x01\x00\x01", first + `ends within its origin`},

		{"run of no audit", "run", "\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x00", ran + allOfOne,
			`the row of table "run" with key 000000000000000500000000 is of an audit that was not begun, with Order 5`},
		{"long run key", "run", run4 + "\x00", ran + allOfOne, `the row of table "run" with key 00000000000000040000000000 has a key of 13 bytes, not 12`},
		{"ordinal", "run", run4[:8] + "\x01\x00\x00\x00", ran + allOfOne,
			`the row of table "run" with key 000000000000000401000000 has ordinal 16777216, more than 16777215`},
		{"flags", "run", run2, "\x01\x02" + ran[2:] + allOfOne, second + `has flags 0x2`},
		{"no check", "run", run2, "\x01\x00\x00" + ran[10:] + allOfOne, second + `has no check name`},
		{"microseconds", "run", run2, ran[:len(ran)-1] + "\xe8\x07" + allOfOne, second + `has a finding time that is not in milliseconds`},
		{"cut in the time", "run", run2, ran[:len(ran)-3], second + `ends within its finding time`},
		{"many stretches", "run", run2, ran + "\xff\xff\xff\xff\xff\xff\xff\xff\x7f", second + `ends within its stretch`},
		{"empty stretch", "run", run2, ran + "\x01\x02\x00", second + `has an empty stretch at chunk 1`},
		{"stretch too long", "run", run2, ran + "\x01\x02\xff\xff\xff\xff\xff\xff\xff\xff\x7f", second + `needs chunk 2, which is not there`},
		{"stretch before all", "run", run2, ran + "\x01\x01\x01", second + `needs chunk 18446744073709551615, which is not there`},
		{"chunk twice", "run", run2, ran + "\x02\x02\x01\x01\x01", second + `has chunk 1 twice`},
		{"flip at the end", "run", run2, ran + allOfOne + "\x02", second + `has suppressed change at 2 of 2 findings`},
		{"flip twice", "run", run2, ran + allOfOne + "\x01\x00", second + `has suppressed change twice at 1`},
		{"flip beyond the end", "run", run2, ran + allOfOne + "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
			second + `has suppressed change at 0 of 2 findings`},
		{"finding twice", "chunk", chunkOne, "\x01" + finding1 + "\x08\x02y",
			second + `has two findings of resource 08000161 with reason code "X"`},
		{"sighting twice", "chunk", "\x00\x00\x00\x00\x00\x00\x00\x02", "",
			first + `has two first sightings of resource 08000161 with reason code "X"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			rows := goodRows()
			rows[[2]string{row.table, row.key}] = row.value
			switch {
			case row.name == "sighting twice": // in two chunks
				rows[[2]string{row.table, row.key}] = "\x01" + finding1
				rows[[2]string{"run", run4}] = ran + "\x01\x04\x01"
				rows[[2]string{"first", "CHECK_0"}] = "\x01\x01" + dropped + "\x01\x00\x02\x00\x01\x00\x01\x00"
			case row.name == "sighting of nobody": // but of a run that makes no history
				rows[[2]string{"run", run4}] = ran[:9] + "1" + ran[10:] + allOfOne
			case row.name == "finding twice":
				rows[[2]string{"first", "CHECK_0"}] = "\x01\x01" + dropped + "\x01\x00\x01\x00"
			case row.value == "":
				delete(rows, [2]string{row.table, row.key})
			}
			s := findings.New()
			require.EqualError(t, load(s, loadedAudits, rows.rows()), "findings: "+row.says)
			require.Zero(t, s.Count().Runs)
			require.NoError(t, s.Append(run(3, 0), nil), "the store is as it was")
		})
	}
}

// TestLoaderOrder gives rows that are good, but not as they must come.
func TestLoaderOrder(t *testing.T) {
	good := slices.Collect(goodRows().rows())
	key := func(i int) string { return fmt.Sprintf("table %q with key %x", good[i].Table, good[i].Key) }
	for _, row := range []struct {
		rows []int
		says string
	}{
		{[]int{0, 0}, "findings: the row of " + key(0) + " comes after that of " + key(0)},
		{[]int{0, 2, 1}, `findings: the row of table "first" with key "CHECK_0" comes after that of ` + key(2)},
		{[]int{0, 3, 2}, "findings: the row of " + key(2) + " comes after that of " + key(3)},
	} {
		s := findings.New()
		for _, a := range loadedAudits {
			require.NoError(t, s.Begin(a))
		}
		l := s.Loader()
		for i, n := range row.rows {
			err := l.Add(good[n])
			if i < len(row.rows)-1 {
				require.NoError(t, err)
				continue
			}
			require.EqualError(t, err, row.says)
			require.EqualError(t, l.Add(good[3]), row.says, "after an error")
			require.EqualError(t, l.Done(), row.says)
		}
	}
	l := findings.New().Loader()
	require.EqualError(t, l.Add(findings.Row{Table: "chunk", Key: []byte(chunkOne)}),
		`findings: the row of table "chunk" with key 0000000000000001 has no value`)

	s := findings.New()
	l = s.Loader()
	require.NoError(t, l.Done(), "no rows")
	require.EqualError(t, l.Done(), "findings: the Loader is done")
	require.EqualError(t, l.Add(good[0]), "findings: the Loader is done")

	l = s.Loader()
	require.NoError(t, s.Begin(loadedAudits[0]))
	require.NoError(t, s.Append(run(2, 0), nil))
	require.EqualError(t, l.Done(), "findings: the Loader's store has runs already")
	require.Panics(t, s.Mirror)

	s = findings.New()
	for _, a := range loadedAudits {
		require.NoError(t, s.Begin(a))
	}
	l = s.Loader()
	for _, r := range good {
		require.NoError(t, l.Add(r))
	}
	s.Drop(taskID(2))
	require.ErrorIs(t, l.Done(), findings.ErrUnknownTask)
}

// requireCanonical loads rows. If that is no error, what a snapshot of the store has must make the same store again.
func requireCanonical(t *testing.T, rows image) bool {
	s := findings.New()
	s.Mirror()
	if load(s, loadedAudits, rows.rows()) != nil {
		return false
	}
	again, fps := findings.New(), make(map[findings.Fingerprint]bool)
	again.Mirror()
	require.NoError(t, load(again, loadedAudits, s.Snapshot().Rows()))
	for f := range s.All(findings.Query{}) {
		fps[findings.FingerprintOf(f)] = true
	}
	requireSame(t, s, again, loadedAudits, fps)
	if diff := gocmp.Diff(slices.Collect(s.Snapshot().Rows()), slices.Collect(again.Snapshot().Rows())); diff != "" {
		t.Fatalf("rows of the store made of a snapshot (-want +got):\n%s", diff)
	}
	for _, a := range loadedAudits {
		again.Drop(a.TaskID)
	}
	if diff := gocmp.Diff(findings.Counts{}, again.Count()); diff != "" {
		t.Fatalf("what is left of nothing (-want +got):\n%s", diff)
	}
	return true
}

func FuzzLoader(f *testing.F) {
	var good []byte
	for _, r := range slices.Collect(goodRows().rows()) {
		good = append(append(append(good, r.Table[0], byte(len(r.Key))), r.Key...), byte(len(r.Value)))
		good = append(good, r.Value...)
	}
	f.Add(good)
	f.Add([]byte("c\x08\x00\x00\x00\x00\x00\x00\x00\x01\x02\x01\x1f"))
	f.Fuzz(func(t *testing.T, data []byte) {
		tables := map[byte]string{'c': "chunk", 'f': "first", 'r': "run"}
		part := func() string {
			if len(data) == 0 {
				return ""
			}
			n := min(int(data[0]), len(data)-1)
			part := string(data[1 : 1+n])
			data = data[1+n:]
			return part
		}
		rows := make(image)
		for len(data) > 1 {
			table := cmp.Or(tables[data[0]], "other")
			data = data[1:]
			rows[[2]string{table, part()}] = part()
		}
		requireCanonical(t, rows)
	})
}

// variedRows are of three audits whose runs have several chunks each, after one before them was dropped.
func variedRows(t testing.TB) image {
	s := findings.New()
	s.SmallChunks()
	s.Mirror()
	w := &world{Rand: rand.New(rand.NewPCG(3, 3))}
	rows := make(image)
	for _, a := range append([]findings.Audit{{TaskID: taskID(1), StartTime: benchStart, Order: 1}}, loadedAudits...) {
		require.NoError(t, s.Begin(a))
		tx := s.Txn()
		for ordinal := range 2 {
			var fs []findings.Finding
			for i := range 10 {
				f := detailed(fmt.Sprint(i/2), fmt.Sprint(i%2))
				f.Suppressed = i%4 == 0
				fs = append(fs, f)
			}
			r := run(int(a.Order), ordinal)
			require.NoError(t, tx.Append(r, w.varied(fs, w.finding)))
		}
		rows.apply(t, tx.Rows())
		tx.Commit()
	}
	tx := s.Txn()
	tx.Drop(taskID(1))
	rows.apply(t, tx.Rows())
	tx.Commit()
	return rows
}

// FuzzLoaderOfChangedRows changes good rows in a few places, as the data says.
func FuzzLoaderOfChangedRows(f *testing.F) {
	good := slices.Collect(variedRows(f).rows())
	f.Add([]byte{})
	random := rand.New(rand.NewPCG(5, 5))
	for range 64 {
		f.Add(binary.BigEndian.AppendUint64(nil, random.Uint64()))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		rows := slices.Clone(good)
		for ; len(data) >= 4; data = data[4:] {
			at := int(data[0]) % len(rows)
			r, place, value := &rows[at], int(data[2]), data[3]
			r.Key, r.Value = bytes.Clone(r.Key), bytes.Clone(r.Value)
			if len(r.Value) == 0 || len(r.Key) == 0 {
				continue
			}
			place %= len(r.Value)
			switch data[1] % 8 {
			case 0, 1:
				r.Value[place] = value
			case 2:
				r.Value[place] ^= 1 << (value % 8)
			case 3:
				r.Value = slices.Insert(r.Value, place, value)
			case 4:
				r.Value = slices.Delete(r.Value, place, min(len(r.Value), place+1+int(value)%4))
			case 5:
				r.Value = r.Value[:place]
			case 6:
				r.Key[place%len(r.Key)] = value
			case 7:
				r.Value = bytes.Clone(rows[int(value)%len(rows)].Value)
			}
		}
		changed := make(image)
		for _, r := range rows {
			changed[[2]string{r.Table, string(r.Key)}] = string(r.Value)
		}
		loaded := requireCanonical(t, changed)
		if len(data) == 0 && gocmp.Equal(rows, good) {
			require.True(t, loaded, "good rows")
		}
	})
}
