package weakkey_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"unsafe"

	"github.com/fleetaudit/fleetaudit/checks/weakkey"
)

// TestTrace holds what Traces say against ROCA and Contains, over the published moduli, with lists of some of them.
func TestTrace(t *testing.T) {
	var moduli []*big.Int
	for _, row := range rows(t, "roca.txt") {
		moduli = append(moduli, hexadecimal(t, row[3]))
	}
	for _, row := range rows(t, "debian.txt") {
		moduli = append(moduli, hexadecimal(t, row[len(row)-1]))
	}
	r := rand.New(rand.NewPCG(9, 10))
	for i := range 200 { // most of them sound, some with a first digit of zero
		b := make([]byte, 128)
		for j := range b {
			b[j] = byte(r.Uint32())
		}
		b[0] = byte(1 + i)
		moduli = append(moduli, new(big.Int).SetBytes(b))
	}
	var lines []string
	for i, n := range moduli {
		if i%3 == 0 {
			lines = append(lines, weakkey.FingerprintOf(n))
		}
	}
	lists := map[string]*weakkey.Blocklist{
		"nil": nil, "empty": {}, "some": list(t, strings.Join(lines, "\n")),
		"many": weakkey.Merge(list(t, strings.Join(lines, "\n")), list(t, string(random(50_000, false)))),
	}
	var sound, weak int
	for _, n := range moduli {
		trace := weakkey.TraceOf(n.Bytes())
		if trace.ROCA(n) != weakkey.ROCA(n) || (weakkey.Trace{}).ROCA(n) != weakkey.ROCA(n) {
			t.Errorf("%x: ROCA by its trace is not what it is by itself", n)
		}
		for name, b := range lists {
			// It may not know that a key is sound, with a probability that leaves none here.
			if got, want := trace.Sound(b), !weakkey.ROCA(n) && !b.Contains(n); got != want {
				t.Errorf("%x, list %s: sound %t, want %t", n, name, got, want)
			} else if got {
				sound++
			} else {
				weak++
			}
		}
	}
	if sound < 100 || weak < 100 {
		t.Errorf("%d sound and %d weak, which tries too little", sound, weak)
	}
	other := weakkey.TraceOf(nil)
	if !other.Sound(nil) || !other.Sound(lists["many"]) || (weakkey.Trace{}).Sound(nil) {
		t.Error("a key of another kind is not sound, or one is of which nothing is known")
	}
	if size := unsafe.Sizeof(weakkey.Trace{}); size != 8 {
		t.Errorf("a Trace has %d bytes", size)
	}
}

// TestTraceLengths: a Trace is of the number, of whatever length and however many zeros it begins with.
func TestTraceLengths(t *testing.T) {
	var text string // of a key that ROCA finds
	for _, row := range rows(t, "roca.txt") {
		if n := hexadecimal(t, row[3]); weakkey.ROCA(n) {
			text = row[3]
		}
	}
	weak := hexadecimal(t, text).Bytes()
	r := rand.New(rand.NewPCG(11, 12))
	for size := range 80 {
		number := make([]byte, size)
		for i := range number {
			number[i] = byte(r.Uint32())
		}
		for _, m := range [][]byte{number, append(number, 1), append(number, weak...), append(make([]byte, size), weak...)} {
			n := new(big.Int).SetBytes(m)
			trace := weakkey.TraceOf(m)
			if trace.ROCA(n) != weakkey.ROCA(n) {
				t.Errorf("%x: ROCA %t by its trace", m, trace.ROCA(n))
			}
			if trace != weakkey.TraceOf(n.Bytes()) {
				t.Errorf("%x: leading zeros make a difference", m)
			}
			listed := list(t, weakkey.FingerprintOf(n))
			if trace.Sound(listed) {
				t.Errorf("%x: sound, though it is listed", m)
			}
		}
	}
}

func BenchmarkTraceOf(b *testing.B) {
	modulus := make([]byte, 256)
	r := rand.New(rand.NewPCG(13, 14))
	for i := range modulus {
		modulus[i] = byte(r.Uint32()) | 1
	}
	b.ReportAllocs()
	for b.Loop() {
		weakkey.TraceOf(modulus)
	}
}

// TestTraceHead: what begins as a listed key does has to be looked at, and is not listed for that.
func TestTraceHead(t *testing.T) {
	row := rows(t, "debian.txt")[0]
	n := hexadecimal(t, row[len(row)-1])
	line := weakkey.FingerprintOf(n)
	for i := range len(line) {
		digit := "0"
		if line[i] == '0' {
			digit = "1"
		}
		b := list(t, line[:i]+digit+line[i+1:])
		if b.Contains(n) {
			t.Errorf("digit %d is not compared", i)
		}
		if got, want := weakkey.TraceOf(n.Bytes()).Sound(b), i < 8; got != want {
			t.Errorf("digit %d is another: sound %t, want %t", i, got, want)
		}
	}
}

// TestBlocklistEvery: each key of a list is found, wherever it stands, and its neighbours are not.
func TestBlocklistEvery(t *testing.T) {
	for _, firsts := range []string{"00", "ff", "7f80", "00ff", "0001fe"} {
		var lines []string
		for i := 0; i < len(firsts); i += 2 {
			for k := range 50 {
				lines = append(lines, fmt.Sprintf("%s%018x", firsts[i:i+2], 3*k))
			}
		}
		b := list(t, strings.Join(lines, "\n"))
		got := digits(b)
		if strings.Join(got, " ") != strings.Join(lines, " ") {
			t.Errorf("first bytes %s: keys %v", firsts, got)
		}
		for i := 0; i < len(firsts); i += 2 {
			for n := range 150 {
				if line := fmt.Sprintf("%s%018x", firsts[i:i+2], n); b.Has(line) != (n%3 == 0) {
					t.Errorf("%s: found %t", line, b.Has(line))
				}
			}
		}
	}
}
