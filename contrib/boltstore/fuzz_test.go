package boltstore_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/boltstore"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/engine/storetest"
)

// FuzzModel does anything to a Store, and wants it to hold what a map would, also after it was opened again, backed up and
// restored, and compacted.
func FuzzModel(f *testing.F) {
	f.Add([]byte("\x00\x01\x09\x80\x02\x00\x07\x03\x80"))
	f.Add([]byte(strings.Repeat("\x01\x05\xff\x02\x06\x40\x80\x05\x00\x81\x01\x09\x20\x82", 20)))
	f.Add(bytes.Repeat([]byte{0, 1, 255, 3, 2, 255, 6, 3, 255, 128, 1, 0, 129}, 30))
	f.Fuzz(func(t *testing.T, script []byte) {
		script = script[:min(len(script), 150)] // each step takes its time
		steps := 0
		path := filepath.Join(t.TempDir(), "store")
		s, model := open(t, path, unsynced), storetest.NewMemory()
		var changes []engine.Change
		flush := func() {
			commit(t, s, changes...)
			commit(t, model, changes...)
			changes = nil
		}
		for len(script) > 0 {
			what := script[0]
			script = script[1:]
			switch {
			case what >= 128 && what < 224 && steps < 8:
				steps++
				flush()
				switch what % 4 {
				case 0:
					require.NoError(t, s.Close())
					s = open(t, path, unsynced)
				case 1:
					require.NoError(t, s.Close())
					_, _, err := boltstore.Compact(path, unsynced)
					require.NoError(t, err)
					s = open(t, path, unsynced)
				case 2:
					b := backup(t, s)
					require.NoError(t, s.Close())
					require.NoError(t, os.Remove(path))
					require.NoError(t, boltstore.RestoreNoSync(path, bytes.NewReader(b)))
					s = open(t, path, unsynced)
				}
				want, err := load(model)
				require.NoError(t, err)
				holds(t, s, want)
			case len(script) >= 2:
				// A row of eight tables and 256 keys, and a value of up to 16 KiB.
				c := engine.Change{Table: string(rune('a' + what%8)), Key: bytes.Repeat(script[:1], 1+int(what)*7)}
				c.Value = bytes.Repeat([]byte{what}, int(script[1])*int(script[1])/4)
				script = script[2:]
				if slices.ContainsFunc(changes, func(o engine.Change) bool { return o.Table == c.Table && bytes.Equal(o.Key, c.Key) }) {
					flush()
				}
				changes = append(changes, c)
			}
		}
		flush()
		want, err := load(model)
		require.NoError(t, err)
		holds(t, s, want)
		require.NoError(t, s.Close())
		require.NoError(t, boltstore.Verify(path, unsynced))
	})
}

// FuzzOpen opens a file of any bytes, and a whole one with some bytes changed, as they are or with meta pages that say that
// they are right.
func FuzzOpen(f *testing.F) {
	made := newSample(f)
	f.Add([]byte("a file of something else"), uint32(0), uint8(0))
	f.Add(made.file[:made.used/3], uint32(0), uint8(0))
	f.Add([]byte{1}, uint32(9*4096+8), uint8(1))
	f.Add([]byte{3, 0, 0, 0, 0, 0, 0, 0}, uint32(16+16), uint8(2))
	f.Add([]byte{5}, uint32(16+32), uint8(2))
	f.Add([]byte{0xff, 0xff}, uint32(16+40), uint8(2))
	f.Add([]byte{0, 0, 1}, uint32(16+8), uint8(2))
	for _, offset := range []uint32{8, 10, 12, 16, 20, 24, 28} { // of the first pages' heads and elements
		for page := range uint32(12) {
			f.Add([]byte{byte(page)}, (page+2)*4096+offset, uint8(1))
		}
	}
	f.Fuzz(func(t *testing.T, patch []byte, at uint32, how uint8) {
		if how%3 == 0 {
			openAnything(t, patch)
			return
		}
		file := bytes.Clone(made.file)
		copy(file[int(at)%len(file):], patch)
		if how%3 == 1 {
			opened(t, "changed", file, made.rows)
			return
		}
		for page := range 2 { // what it says may be another state that is whole
			meta := file[page*4096+16:]
			h := fnv.New64a()
			h.Write(meta[:56])
			binary.NativeEndian.PutUint64(meta[56:], h.Sum64())
		}
		openAnything(t, file)
	})
}

// openAnything opens a file of which it is not known what it should hold. What opens has to be a Store.
func openAnything(t *testing.T, file []byte) {
	path := filepath.Join(t.TempDir(), "store")
	require.NoError(t, os.WriteFile(path, file, 0o600))
	o := unsynced
	o.PreviousState = true
	s, err := boltstore.Open(path, o)
	if err != nil {
		require.ErrorContains(t, err, path)
		return
	}
	rows, err := load(s)
	require.NoError(t, err)
	require.NoError(t, s.Commit(context.Background(), []engine.Change{put("zzz", "a", "1")}))
	holds(t, s, append(rows, `zzz "a"="1"`))
	require.NoError(t, s.Close())
	require.NoError(t, boltstore.Verify(path, unsynced))
}
