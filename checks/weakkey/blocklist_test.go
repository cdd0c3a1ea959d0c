package weakkey_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"math/big"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks/weakkey"
)

func list(t testing.TB, text string) *weakkey.Blocklist {
	t.Helper()
	b, err := weakkey.ReadBlocklist(strings.NewReader(text))
	require.NoError(t, err)
	return b
}

// TestBlocklistPublished: of moduli and lines that others have published together, each modulus is in the
// list of its own line, and in no list of the others'.
func TestBlocklistPublished(t *testing.T) {
	pairs := rows(t, "debian.txt")
	if len(pairs) < 9 {
		t.Errorf("debian.txt has %d rows", len(pairs))
	}
	for i, row := range pairs {
		require.Len(t, row, 3)
		source, line, n := row[0], row[1], hexadecimal(t, row[2])
		if !list(t, line).Contains(n) {
			t.Errorf("%s: not in a list that has %s", source, line)
		}
		others := new(weakkey.Blocklist)
		for _, other := range slices.Delete(slices.Clone(pairs), i, i+1) {
			others = weakkey.Merge(others, list(t, other[1]))
		}
		if others.Contains(n) {
			t.Errorf("%s: in a list of other keys", source)
		}
		if others = weakkey.Merge(others, list(t, line)); !others.Contains(n) || others.Len() != len(pairs) {
			t.Errorf("%s: not in a list of all keys", source)
		}
	}
}

// TestBlocklistFiles reads the two files in Debian's format. They have the keys of their size.
func TestBlocklistFiles(t *testing.T) {
	for _, test := range []struct {
		name       string
		bits, keys int
		known      int
	}{{"blacklist.RSA-1024", 1024, 20, 3}, {"blacklist.RSA-2048", 2048, 21, 3}} {
		text, err := os.ReadFile("testdata/" + test.name)
		require.NoError(t, err)
		if !weakkey.LooksLikeBlocklist(text) {
			t.Errorf("%s does not look like a blocklist", test.name)
		}
		b := list(t, string(text))
		known := 0
		for _, row := range rows(t, "debian.txt") {
			if n := hexadecimal(t, row[2]); b.Contains(n) {
				known++
				if n.BitLen() != test.bits {
					t.Errorf("%s has a key of %d bits", test.name, n.BitLen())
				}
			}
		}
		if b.Len() != test.keys || known != test.known {
			t.Errorf("%s: %d keys, %d of them known; want %d and %d", test.name, b.Len(), known, test.keys, test.known)
		}
	}
}

// TestBlocklistLeadingZero: openssl prints a modulus whose size is no multiple of 8 bits without a leading
// zero. The line is what sha1sum makes of "openssl x509 -noout -modulus" for roca/tests/data/cert04.pem.
func TestBlocklistLeadingZero(t *testing.T) {
	for _, row := range rows(t, "roca.txt") {
		if n := hexadecimal(t, row[3]); strings.HasSuffix(row[2], "/cert04.pem") != list(t, "1b54287967d376822a17").Contains(n) {
			t.Errorf("%s: wrong", row[2])
		}
	}
}

func TestBlocklistEmpty(t *testing.T) {
	var none *weakkey.Blocklist
	for name, b := range map[string]*weakkey.Blocklist{
		"nil": none, "zero": {}, "of no text": list(t, ""), "of comments": list(t, "# none\n\n"),
		"merged": weakkey.Merge(), "merged of empty ones": weakkey.Merge(none, new(weakkey.Blocklist)),
	} {
		if b.Len() != 0 || b.Contains(big.NewInt(1)) || b.Contains(nil) {
			t.Errorf("the blocklist %s is not empty", name)
		}
	}
	// SHA-1 of "Modulus=0\n", "Modulus=-1\n": what is no modulus is in no list.
	b := list(t, "037027a8bb335757a5a8\n862a18141664a0bf2a6b\n")
	if b.Contains(nil) || b.Contains(new(big.Int)) || b.Contains(big.NewInt(-1)) {
		t.Error("a blocklist has what is no modulus")
	}
}

func TestMerge(t *testing.T) {
	const x, y, z = "00000000000000000000", "0000000000000000000a", "ffffffffffffffffffff"
	for _, test := range []struct{ lists, want []string }{
		{nil, nil},
		{[]string{z}, []string{z}},
		{[]string{z, x}, []string{x, z}},
		{[]string{z + "\n" + x, x + "\n" + y, "", z}, []string{x, y, z}},
	} {
		lists := []*weakkey.Blocklist{nil}
		for _, text := range test.lists {
			lists = append(lists, list(t, text))
		}
		got := weakkey.Merge(lists...)
		if diff := cmp.Diff(test.want, digits(got)); diff != "" {
			t.Errorf("merged of %q (-want +got):\n%s", test.lists, diff)
		}
		for i, text := range test.lists { // they are as they were
			if diff := cmp.Diff(digits(list(t, text)), digits(lists[i+1])); diff != "" {
				t.Errorf("changed by Merge (-want +got):\n%s", diff)
			}
		}
	}
}

// digits are the keys of a list, in order.
func digits(b *weakkey.Blocklist) (all []string) {
	for _, k := range b.Keys() {
		all = append(all, hex.EncodeToString(k[:]))
	}
	return all
}

const key = "0123456789abcdefABCD"

func TestReadBlocklist(t *testing.T) {
	long := strings.Repeat("x", weakkey.MaxLine-1)
	for _, test := range []struct {
		text string
		want int
		err  string
	}{
		{key, 1, ""},
		{key + "\n", 1, ""},
		{"# a comment\r\n\r\n  \t\n" + key + "\r\n#" + key + "\n", 1, ""},
		{" " + key + "\t\n" + strings.ToLower(key) + "\n" + strings.ToUpper(key), 1, ""},
		{"#" + long[1:] + "\n" + key, 1, ""},
		{"#" + long + "\n" + key, 0, "blocklist line 1: it is longer than 4096 bytes"},
		{key + "\n#" + long, 0, "blocklist line 2: it is longer than 4096 bytes"},
		{key + "\n" + long, 0, `blocklist line 2: "` + long[:40] + `" is not 20 hexadecimal digits`},
		{key[1:], 0, `blocklist line 1: "123456789abcdefABCD" is not 20 hexadecimal digits`},
		{key + "\n" + key + "0\n", 0, `blocklist line 2: "0123456789abcdefABCD0" is not 20 hexadecimal digits`},
		{"\n\n" + key + " # why", 0, `blocklist line 3: "0123456789abcdefABCD # why" is not 20 hexadecimal digits`},
		{key[1:] + "g", 0, `blocklist line 1: "123456789abcdefABCDg" is not 20 hexadecimal digits`},
		{key[2:] + "é", 0, `blocklist line 1: "23456789abcdefABCDé" is not 20 hexadecimal digits`},
		{"\x00\xff\x1b[2J", 0, `blocklist line 1: "\x00\xff\x1b[2J" is not 20 hexadecimal digits`},
		// Debian's source package has whole sums, and what else is known of each key.
		{"2048 1 rnd i686 " + key + key, 0,
			`blocklist line 1: "2048 1 rnd i686 0123456789abcdefABCD0123" is not 20 hexadecimal digits`},
	} {
		got, err := weakkey.ReadBlocklist(strings.NewReader(test.text))
		if err == nil && test.err == "" && got.Len() == test.want {
			continue
		}
		if err == nil || err.Error() != test.err || got != nil {
			t.Errorf("%.60q: %d keys, error %v; want %d, %s", test.text, got.Len(), err, test.want, test.err)
		}
	}
}

// TestReadBlocklistReader: readers that give little, or fail.
func TestReadBlocklistReader(t *testing.T) {
	text := key + "\n# b\n" + key[:19] + "0\n"
	b, err := weakkey.ReadBlocklist(iotest.OneByteReader(strings.NewReader(text)))
	require.NoError(t, err)
	require.Equal(t, 2, b.Len())

	fault := errors.New("a fault")
	b, err = weakkey.ReadBlocklist(io.MultiReader(strings.NewReader(text), iotest.ErrReader(fault)))
	if b != nil || !errors.Is(err, fault) || err.Error() != "blocklist after line 3: a fault" {
		t.Errorf("%d keys, error %v", b.Len(), err)
	}
}

// endless is a text without end.
type endless struct {
	text string
	at   int
}

func (e *endless) Read(p []byte) (n int, err error) {
	for n < len(p) {
		m := copy(p[n:], e.text[e.at:])
		n, e.at = n+m, (e.at+m)%len(e.text)
	}
	return n, nil
}

// TestReadBlocklistEndless: what has no end is refused once it has too many keys, or a line too long.
func TestReadBlocklistEndless(t *testing.T) {
	for text, want := range map[string]string{
		key + "\n":       "blocklist line 2097153: more than 2097152 keys",
		"#":              "blocklist line 1: it is longer than 4096 bytes",
		key + "\n" + "x": `blocklist line 2: "x0123456789abcdefABCD" is not 20 hexadecimal digits`,
	} {
		if b, err := weakkey.ReadBlocklist(&endless{text: text}); b != nil || err == nil || err.Error() != want {
			t.Errorf("%q: error %v, want %s", text, err, want)
		}
	}
	b, err := weakkey.ReadBlocklist(io.LimitReader(&endless{text: key + "\n"}, weakkey.MaxKeys*int64(len(key)+1)))
	require.NoError(t, err)
	require.Equal(t, 1, b.Len())
}

func TestLooksLikeBlocklist(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, "\n": false, "# " + key: false, "# of what begins with comments only\n\n": false,
		key: true, key + "\n": true, "#\r\n\r\n" + key + "\r\nwhatever": true, " " + strings.ToUpper(key): true,
		key[1:]: false, key + "0": false, key[1:] + "x": false,
		"\uFEFF" + key: true, "a list\n" + key: true, strings.Repeat("x\n", 15) + key: true, strings.Repeat("x\n", 16) + key: false,
		"# a bundle\n-----BEGIN CERTIFICATE-----\n": false, "0\x82\x01\x02": false, `{"x": 1}`: false,
	} {
		if got := weakkey.LooksLikeBlocklist([]byte(text)); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

// FuzzReadBlocklist holds it against a reader that keeps everything in strings and a map.
func FuzzReadBlocklist(f *testing.F) {
	for _, text := range []string{
		"", key, "\uFEFF" + key, "\uFEFF\uFEFF" + key, "# x\r\n" + key + "\r\n\n" + key[:19] + "f", key + "\n" + key + " x", "\xc2\xa0" + key, key + "\r\r\n",
		"#" + strings.Repeat("x", 5000), "\v" + key + "\f\n" + strings.Repeat(" ", 4095) + "\n",
	} {
		f.Add([]byte(text))
	}
	for _, name := range []string{"blacklist.RSA-1024", "debian.txt"} {
		text, err := os.ReadFile("testdata/" + name)
		require.NoError(f, err)
		f.Add(text)
	}
	twenty := regexp.MustCompile(`\A[0-9a-f]{20}\z`)
	naive := func(text string) (keys []string, fault string) {
		set := make(map[string]bool)
		for i, line := range strings.Split(text, "\n") {
			if i == 0 {
				line = strings.TrimPrefix(line, "\uFEFF")
			}
			word := strings.ToLower(strings.TrimSpace(line))
			switch {
			case len(line) >= 4096, i == 0 && len(text) > 4096 && !strings.Contains(text[:4096], "\n"):
				return nil, "blocklist line " + big.NewInt(int64(i+1)).String() + ": it is longer"
			case word == "", word[0] == '#':
			case twenty.MatchString(word):
				set[word] = true
			default:
				return nil, "blocklist line " + big.NewInt(int64(i+1)).String() + ": \""
			}
		}
		for word := range set {
			keys = append(keys, word)
		}
		slices.Sort(keys)
		return keys, ""
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		want, fault := naive(string(text))
		got, err := weakkey.ReadBlocklist(bytes.NewReader(text))
		if fault != "" {
			if got != nil || err == nil || !strings.HasPrefix(err.Error(), fault) || len(err.Error()) > 250 {
				t.Fatalf("error %v, want %s", err, fault)
			}
			return
		}
		require.NoError(t, err)
		if diff := cmp.Diff(want, digits(got)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if got.Len() != len(want) || weakkey.LooksLikeBlocklist(text) != (len(want) > 0) {
			t.Errorf("%d keys, looks like a blocklist: %v; want %d keys", got.Len(), weakkey.LooksLikeBlocklist(text), len(want))
		}
	})
}

// random makes a list of n random keys, in the order of a Debian list or in none.
func random(n int, sorted bool) []byte {
	r := rand.New(rand.NewPCG(5, 6))
	lines := make([]string, n)
	for i := range lines {
		var k [10]byte
		for j := range k {
			k[j] = byte(r.Uint32())
		}
		lines[i] = hex.EncodeToString(k[:])
	}
	if sorted {
		slices.Sort(lines)
	}
	return []byte(strings.Join(lines, "\n") + "\n")
}
