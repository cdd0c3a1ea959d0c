package weakkey_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks/weakkey"
)

// rows returns the lines of a file in testdata, in words.
func rows(t testing.TB, name string) (all [][]string) {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	for line := range strings.Lines(string(b)) {
		if !strings.HasPrefix(line, "#") {
			all = append(all, strings.Fields(line))
		}
	}
	return all
}

func hexadecimal(t testing.TB, s string) *big.Int {
	t.Helper()
	n, ok := new(big.Int).SetString(s, 16)
	require.True(t, ok, "%.40q is no hexadecimal number", s)
	return n
}

// TestROCAPublished: the moduli that others have published, weak and sound.
func TestROCAPublished(t *testing.T) {
	count := make(map[string]int)
	for _, row := range rows(t, "roca.txt") {
		require.Len(t, row, 4)
		verdict, size, source, n := row[0], row[1], row[2], hexadecimal(t, row[3])
		if strconv.Itoa(n.BitLen()) != size {
			t.Errorf("%s: %d bits, the row says %s", source, n.BitLen(), size)
		}
		was := new(big.Int).Set(n)
		if got := weakkey.ROCA(n); got != (verdict == "weak") {
			t.Errorf("%s: ROCA is %v, the row says %s", source, got, verdict)
		}
		if n.Cmp(was) != 0 {
			t.Errorf("%s: ROCA changed it", source)
		}
		if got := eachPrime(n); got != (verdict != "sound") {
			t.Errorf("%s: power of 65537 modulo each prime is %v, the row says %s", source, got, verdict)
		}
		count[verdict]++
		count[verdict+size]++
	}
	for what, least := range map[string]int{"weak512": 3, "weak2048": 7, "weak4096": 2, "sound": 20, "made": 10} {
		if count[what] < least {
			t.Errorf("roca.txt has %d rows of %s, want %d", count[what], what, least)
		}
	}
}

// TestROCAEdges: numbers that are no moduli.
func TestROCAEdges(t *testing.T) {
	var weak *big.Int
	for _, row := range rows(t, "roca.txt") {
		if row[0] == "weak" {
			weak = hexadecimal(t, row[3])
		}
	}
	power := func(e int64) *big.Int { return new(big.Int).Exp(big.NewInt(65537), big.NewInt(e), nil) }
	m := firstPrimes(39)
	square := new(big.Int).Mul(m, m)
	require.Equal(t, weakkey.SmallestROCA, square.BitLen())
	// 1 more than a multiple of M is the power 0: the largest of 438 bits, and the next.
	small := new(big.Int).Lsh(big.NewInt(1), weakkey.SmallestROCA-1)
	small.Sub(small, new(big.Int).Mod(small, m)).Add(small, big.NewInt(1))
	large := new(big.Int).Add(small, m)
	for _, test := range []struct {
		name string
		n    *big.Int
		want bool
	}{
		{"nil", nil, false},
		{"zero", new(big.Int), false},
		{"one", big.NewInt(1), false},
		{"65537", power(1), false},
		{"a short power", power(27), false},
		{"a long power", power(28), true},
		{"the largest that is too short", small, false},
		{"the shortest", large, true},
		{"its negative", new(big.Int).Neg(weak), false},
		{"twice it", new(big.Int).Lsh(weak, 1), false},
		{"one more", new(big.Int).Add(weak, big.NewInt(1)), false},
		{"two more", new(big.Int).Add(weak, big.NewInt(2)), false},
		{"M more", new(big.Int).Add(weak, m), true},
		{"half of M more", new(big.Int).Add(weak, new(big.Int).Rsh(m, 1)), false}, // even
		{"thrice it", new(big.Int).Mul(weak, big.NewInt(3)), false},
		{"65537 times it", new(big.Int).Mul(weak, big.NewInt(65537)), true},
		{"its square", new(big.Int).Mul(weak, weak), true},
		{"a multiple of every prime", new(big.Int).Mul(square, square), false},
	} {
		if got := weakkey.ROCA(test.n); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

// firstPrimes returns the product of the first n primes.
func firstPrimes(n int) *big.Int {
	product := big.NewInt(1)
	for p := int64(2); n > 0; p++ {
		if big.NewInt(p).ProbablyPrime(0) {
			product.Mul(product, big.NewInt(p))
			n--
		}
	}
	return product
}

// TestROCAMade makes moduli as the library did, of all sizes and at the ends of the ranges in which it
// takes the product of as many primes.
func TestROCAMade(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, test := range []struct {
		primes int
		sizes  []int
	}{
		{39, []int{512, 544, 768, 960}},
		{71, []int{992, 1024, 1536, 1952}},
		{126, []int{1984, 2048, 3072, 3936}},
		{225, []int{3968, 4096}},
	} {
		m := firstPrimes(test.primes)
		// Whether it is a prime shows in no residue, so it need not be one.
		made := func(size int) *big.Int {
			k := below(r, new(big.Int).Div(new(big.Int).Lsh(big.NewInt(1), uint(size)), m))
			p := new(big.Int).Exp(big.NewInt(65537), new(big.Int).SetUint64(r.Uint64()), m)
			return p.Add(p, k.Mul(k.Add(k, big.NewInt(1)), m))
		}
		for _, size := range test.sizes {
			for range 50 {
				p, q := made(size/2), made(size/2)
				if n := new(big.Int).Mul(p, q); !weakkey.ROCA(n) {
					t.Fatalf("%d bits: %x is not found", size, n)
				}
				// One prime of the library's is not enough.
				p.Add(p, big.NewInt(2))
				if n := new(big.Int).Mul(p, q); weakkey.ROCA(n) {
					t.Fatalf("%d bits: %x is found", size, n)
				}
			}
		}
	}
}

// below returns a number below n.
func below(r *rand.Rand, n *big.Int) *big.Int {
	x := new(big.Int)
	for range n.BitLen()/64 + 2 {
		x.Lsh(x, 64).Or(x, new(big.Int).SetUint64(r.Uint64()))
	}
	return x.Mod(x, n)
}

// oddPrimes are those of M.
func oddPrimes() (primes []int64) {
	for p := int64(3); p <= 167; p++ {
		if big.NewInt(p).ProbablyPrime(0) {
			primes = append(primes, p)
		}
	}
	return primes
}

// powers returns 65537^0, 65537^1 and so on modulo p, until they repeat.
func powers(p int64) []int64 {
	all := []int64{1}
	for x := int64(65537) % p; x != 1; x = x * 65537 % p {
		all = append(all, x)
	}
	return all
}

// eachPrime is the weaker test: it tells whether n is a power of 65537 modulo each prime by itself.
func eachPrime(n *big.Int) bool {
	for _, p := range oddPrimes() {
		if !slices.Contains(powers(p), new(big.Int).Mod(n, big.NewInt(p)).Int64()) {
			return false
		}
	}
	return true
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// TestROCAOracle holds ROCA against another way to tell: one exponent does for all the primes if it does
// for any two of them. Numbers are put together of a power modulo each prime, where the exponents may
// differ, or a residue may be no power at all.
func TestROCAOracle(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	m, primes := firstPrimes(39), oddPrimes()
	orders := make([][]int64, len(primes)) // the powers of 65537
	units := make([]*big.Int, len(primes)) // 1 modulo the prime, 0 modulo the others and 2
	for i, p := range primes {
		orders[i] = powers(p)
		units[i] = new(big.Int).Div(m, big.NewInt(p))
		units[i].Mul(units[i], new(big.Int).ModInverse(units[i], big.NewInt(p)))
	}
	oracle := func(exponents []int64) bool {
		for i, e := range exponents {
			for j, f := range exponents {
				if (e-f)%gcd(int64(len(orders[i])), int64(len(orders[j]))) != 0 {
					return false
				}
			}
		}
		return true
	}
	var found, refused int
	for range 10_000 {
		whole := r.Int64()
		exponents, residues := make([]int64, len(primes)), make([]int64, len(primes))
		for i := range primes {
			exponents[i] = whole % int64(len(orders[i]))
			residues[i] = orders[i][exponents[i]]
		}
		for range r.IntN(3) {
			i := r.IntN(len(primes))
			if r.IntN(4) == 0 {
				residues[i] = r.Int64N(primes[i])
				exponents[i] = int64(slices.Index(orders[i], residues[i]))
			} else {
				exponents[i] = r.Int64N(int64(len(orders[i])))
				residues[i] = orders[i][exponents[i]]
			}
		}
		want := !slices.Contains(exponents, -1) && oracle(exponents)
		n := new(big.Int).Lsh(m, 500)
		n.Add(n, big.NewInt(1)) // odd, and 1 modulo every prime
		for i, residue := range residues {
			n.Add(n, new(big.Int).Mul(units[i], big.NewInt(residue+primes[i]-1)))
		}
		if got := weakkey.ROCA(n); got != want {
			t.Fatalf("%x: %v, want %v; exponents %v", n, got, want, exponents)
		}
		if want {
			found++
		} else {
			refused++
		}
	}
	if found < 1000 || refused < 1000 {
		t.Errorf("%d to be found and %d not, which tries too little", found, refused)
	}
}

// TestROCAOdds computes the probabilities that the doc gives.
func TestROCAOdds(t *testing.T) {
	var listed []int64
	for _, group := range weakkey.ROCAPrimes {
		product := uint64(1)
		for _, p := range group {
			listed = append(listed, int64(p))
			product *= p
		}
		if product >= 1<<32 {
			t.Errorf("the product of %v has more than 32 bits", group)
		}
	}
	slices.Sort(listed)
	require.Equal(t, oddPrimes(), listed)

	common, units, each := int64(1), 1.0, 1.0
	for _, p := range listed {
		order := int64(len(powers(p)))
		common = common / gcd(common, order) * order
		units *= float64(p - 1)
		each *= float64(order) / float64(p-1)
	}
	// The authors' tool has it too, as the order of the generator.
	require.Equal(t, int64(2454106387091158800), common)
	if got := math.Log2(float64(common) / units); math.Abs(got+154.9) > 0.05 {
		t.Errorf("a random modulus is found with probability 2^%f", got)
	}
	if got := 1 / each; math.Abs(got-240e6) > 2e6 {
		t.Errorf("prime by prime, one modulus in %f is found", got)
	}
}

func BenchmarkROCA(b *testing.B) {
	sizes := make(map[string]bool)
	for _, row := range rows(b, "roca.txt") {
		name := row[0] + "/" + row[1]
		if sizes[name] || row[1] != "2048" && row[1] != "4096" {
			continue
		}
		sizes[name] = true
		n := hexadecimal(b, row[3])
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				weakkey.ROCA(n)
			}
		})
	}
}
