package weakkey

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/big"
	"slices"

	"github.com/fleetaudit/fleetaudit/checks/internal/sieve"
)

// Blocklist is a set of weak RSA moduli. The zero value and nil are empty. It is safe for concurrent use.
// A key takes little more than 10 bytes: Debian's list for one key size, of 294,912 at most, 3.1 MB.
type Blocklist struct {
	keys   []tail      // sorted, without duplicates
	starts [257]uint32 // where in keys those begin of each first byte; the last is where they end
	heads  sieve.Sieve // of all keys
}

// fingerprint is the last half of the SHA-1 of what openssl prints of a modulus.
type fingerprint [10]byte

func (f fingerprint) compare(g fingerprint) int { return bytes.Compare(f[:], g[:]) }

// head is a fingerprint's first four bytes.
func (f fingerprint) head() uint32 { return binary.BigEndian.Uint32(f[:]) }

// tail is a fingerprint without its first byte, which is told by where it stands.
type tail [9]byte

func (t tail) compare(u tail) int { return bytes.Compare(t[:], u[:]) }

const (
	// maxKeys is more than Debian's lists for its four key sizes have together, each with a key for any of
	// 32,768 process numbers, three kinds of machine and three states of ~/.rnd.
	maxKeys = 2 << 20

	maxLine = 4096 // bytes, with the end of the line
)

// ReadBlocklist reads the known keys of CVE-2008-0166, or others, from a list in the format of Debian's
// package openssl-blacklist, whose files have names like blacklist.RSA-2048. A line is 20 hexadecimal
// digits: the last half of the SHA-1 of the line that "openssl x509 -noout -modulus" prints, which is
// Modulus=, the modulus in upper-case hexadecimal without leading zeros, and a line feed. Lines that are
// empty or begin with # are passed over; lines may end in CR LF, and the first may begin with a byte order mark.
// Their order does not matter.
//
// The format is that of openssl-vulnkey(1), which ships with the lists. Let's Encrypt's Boulder read the
// same lists until 2024, and Google's paranoid_crypto and the Shibboleth metadata aggregator do so.
//
// A line may have 4,096 bytes and a list 2,097,152 keys. An error names the line and what is wrong with it;
// there is no Blocklist then.
func ReadBlocklist(r io.Reader) (*Blocklist, error) {
	var keys []fingerprint
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, maxLine), maxLine)
	number := 0
	for lines.Scan() {
		number++
		text := lines.Bytes()
		if number == 1 {
			text = bytes.TrimPrefix(text, []byte(byteOrderMark))
		}
		line, ok := content(text)
		if !ok {
			continue
		}
		f, ok := parse(line)
		if !ok {
			return nil, fmt.Errorf("blocklist line %d: %.40q is not 20 hexadecimal digits", number, line)
		}
		if len(keys) == maxKeys {
			return nil, fmt.Errorf("blocklist line %d: more than %d keys", number, maxKeys)
		}
		keys = append(keys, f)
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return nil, fmt.Errorf("blocklist line %d: it is longer than %d bytes", number+1, maxLine)
	} else if err != nil {
		return nil, fmt.Errorf("blocklist after line %d: %w", number, err)
	}
	return newBlocklist(keys), nil
}

const byteOrderMark = "\xef\xbb\xbf"

// LooksLikeBlocklist tells whether a file that begins with head may be meant for [ReadBlocklist]: among its first
// 16 lines that are neither empty nor comments is one of 20 hexadecimal digits.
func LooksLikeBlocklist(head []byte) bool {
	lines := 0
	for line := range bytes.Lines(bytes.TrimPrefix(head, []byte(byteOrderMark))) {
		if line, ok := content(line); ok {
			if _, ok = parse(line); ok || lines == 15 {
				return ok
			}
			lines++
		}
	}
	return false
}

// content returns what a line says; false if it is empty or a comment.
func content(line []byte) ([]byte, bool) {
	line = bytes.TrimSpace(line)
	return line, len(line) > 0 && line[0] != '#'
}

func parse(line []byte) (f fingerprint, ok bool) {
	if len(line) != hex.EncodedLen(len(f)) {
		return f, false
	}
	_, err := hex.Decode(f[:], line)
	return f, err == nil
}

// newBlocklist makes a Blocklist of keys, which it may reorder.
func newBlocklist(keys []fingerprint) *Blocklist {
	slices.SortFunc(keys, fingerprint.compare)
	keys = slices.Compact(keys)
	const perWord = 6 // a byte and a third for each: what dropping first bytes has saved, and little more
	b := &Blocklist{keys: make([]tail, len(keys)), heads: sieve.New(len(keys), perWord)}
	for i, f := range keys {
		b.keys[i] = tail(f[1:])
		b.starts[int(f[0])+1] = uint32(i + 1)
		b.heads.Put(f.head())
	}
	for i := range 256 {
		b.starts[i+1] = max(b.starts[i+1], b.starts[i])
	}
	return b
}

// of returns the keys with a first byte.
func (b *Blocklist) of(first byte) []tail { return b.keys[b.starts[first]:b.starts[int(first)+1]] }

// holds tells whether a key has a head.
func (b *Blocklist) holds(head uint32) bool {
	if !b.heads.Holds(head) {
		return false
	}
	var f fingerprint
	binary.BigEndian.PutUint32(f[:], head)
	_, found := slices.BinarySearchFunc(b.of(f[0]), f[1:4], func(t tail, rest []byte) int { return bytes.Compare(t[:3], rest) })
	return found
}

// all streams the keys in their order.
func (b *Blocklist) all() iter.Seq[fingerprint] {
	return func(yield func(fingerprint) bool) {
		for first := range 256 {
			for _, t := range b.of(byte(first)) {
				f := fingerprint{byte(first)}
				copy(f[1:], t[:])
				if !yield(f) {
					return
				}
			}
		}
	}
}

// Merge makes a Blocklist of all keys of several. Any of them may be nil.
func Merge(lists ...*Blocklist) *Blocklist {
	var all []fingerprint
	for _, b := range lists {
		if b != nil {
			all = slices.AppendSeq(all, b.all())
		}
	}
	return newBlocklist(all)
}

// Contains tells whether the modulus n is in the list; false for nil and for what is not positive.
func (b *Blocklist) Contains(n *big.Int) bool {
	if b.Len() == 0 || n == nil || n.Sign() <= 0 {
		return false
	}
	return b.contains(fingerprintOf(n.Bytes()))
}

func (b *Blocklist) contains(f fingerprint) bool {
	if !b.heads.Holds(f.head()) {
		return false
	}
	_, found := slices.BinarySearchFunc(b.of(f[0]), tail(f[1:]), tail.compare)
	return found
}

// fingerprintOf returns the fingerprint of a modulus, big-endian without leading zeros.
func fingerprintOf(modulus []byte) fingerprint {
	const before, digits = "Modulus=", "0123456789ABCDEF"
	var room [len(before) + 4096/4 + 1]byte // for almost every modulus, without an allocation
	line := append(room[:0], before...)
	for _, b := range modulus {
		line = append(line, digits[b>>4], digits[b&15])
	}
	if len(modulus) > 0 && modulus[0] < 0x10 {
		line = slices.Delete(line, len(before), len(before)+1)
	}
	sum := sha1.Sum(append(line, '\n'))
	return fingerprint(sum[sha1.Size/2:])
}

// Len returns how many keys the list has.
func (b *Blocklist) Len() int {
	if b == nil {
		return 0
	}
	return len(b.keys)
}
