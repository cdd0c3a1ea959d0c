package weakkey_test

import (
	"crypto/sha1"
	"fmt"
	"math/big"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks/weakkey"
)

// debian is how many keys Debian's list for one key size has at most.
const debian = 3 * 3 * 32768

// heap returns the live bytes on the heap.
func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// TestBlocklistSize: a key takes ten bytes, however it comes in.
func TestBlocklistSize(t *testing.T) {
	const keys = 100_000
	text := string(random(keys, false))
	twice := text + text
	for name, read := range map[string]func() *weakkey.Blocklist{
		"read":       func() *weakkey.Blocklist { return list(t, text) },
		"read twice": func() *weakkey.Blocklist { return list(t, twice) },
		"merged":     func() *weakkey.Blocklist { b := list(t, text); return weakkey.Merge(b, b) },
	} {
		before := heap()
		b := read()
		size := heap() - before
		require.Equal(t, keys, b.Len())
		if each := float64(size) / keys; each < 9 || each > 10.5 {
			t.Errorf("%s: %.2f bytes a key", name, each)
		}
	}
	runtime.KeepAlive(text)
	runtime.KeepAlive(twice)
}

// BenchmarkBlocklist holds a Blocklist against a map, which is what other readers of these lists keep: heap
// a key, and the time to look up moduli of 2048 bits that are not there, of which hash-ns goes into the SHA-1.
func BenchmarkBlocklist(b *testing.B) {
	text := string(random(debian, true))
	before := heap()
	blocklist := list(b, text)
	listHeap := heap() - before
	runtime.KeepAlive(text)
	before = heap()
	m := make(map[[10]byte]struct{})
	for _, k := range blocklist.Keys() {
		m[k] = struct{}{}
	}
	mapHeap := heap() - before

	moduli := make([]*big.Int, 1024)
	for i := range moduli {
		moduli[i] = new(big.Int).Lsh(big.NewInt(int64(2*i+1e9)), 2018)
	}
	found := 0
	inMap := func(n *big.Int) {
		sum := sha1.Sum(fmt.Appendf(nil, "Modulus=%X\n", n))
		if _, ok := m[[10]byte(sum[10:])]; ok {
			found++
		}
	}
	inList := func(n *big.Int) {
		if blocklist.Contains(n) {
			found++
		}
	}
	hash := func(n *big.Int) { sha1.Sum(fmt.Appendf(nil, "Modulus=%X\n", n)) }
	var took [3]time.Duration
	for b.Loop() {
		for i, f := range []func(*big.Int){inList, inMap, hash} {
			start := time.Now()
			for _, n := range moduli {
				f(n)
			}
			took[i] += time.Since(start)
		}
	}
	if found > 0 {
		b.Fatalf("%d moduli found", found)
	}
	each := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / float64(b.N*len(moduli)) }
	b.ReportMetric(float64(listHeap)/debian, "list-B/key")
	b.ReportMetric(float64(mapHeap)/debian, "map-B/key")
	b.ReportMetric(each(took[0]), "list-ns")
	b.ReportMetric(each(took[1]), "map-ns")
	b.ReportMetric(each(took[2]), "hash-ns")
	b.ReportMetric(float64(took[0])/float64(took[1]), "list/map-time")
}

func BenchmarkReadBlocklist(b *testing.B) {
	for name, sorted := range map[string]bool{"sorted": true, "shuffled": false} {
		text := string(random(debian, sorted))
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				_, err := weakkey.ReadBlocklist(strings.NewReader(text))
				require.NoError(b, err)
			}
		})
	}
}
