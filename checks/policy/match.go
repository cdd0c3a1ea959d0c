package policy

import (
	"math/bits"
	"slices"
	"strings"
	"unicode"
)

// Match tells whether pattern fits the whole of s: * stands for any characters or none, ? for exactly one, and all
// else for itself. Case matters: fold both where it does not. Both must be UTF-8, as all is that [Parse] returns; of
// others the answer is not defined.
//
// Without ? in the pattern the time is in proportion to len(pattern) + len(s), whatever they hold. With ? it is so
// too, unless between two stars there are more than 64 characters and a ? among them: such a run may be compared with
// each place of s, 256 places at a time, which is len(pattern) * len(s) / 256 steps. It is three times as many if the
// pattern has more than about 250 different characters, and characters of several bytes are among them or in s. With
// 10 kB each that is half a millisecond, or one and a half, and up to four times as much with twice the length of
// both. Memory is in proportion to the lengths.
func Match(pattern, s string) bool {
	i := strings.IndexAny(pattern, "*?")
	switch {
	case i < 0:
		return pattern == s
	case !strings.HasPrefix(s, pattern[:i]):
		return false
	}
	pattern, s = pattern[i:], s[i:]
	if strings.Contains(pattern, "?") {
		return matchRunes([]rune(pattern), []rune(s))
	}
	last := pattern[strings.LastIndexByte(pattern, '*')+1:]
	if !strings.HasSuffix(s, last) {
		return false
	}
	left := s[:len(s)-len(last)]
	// The leftmost place will do for each run: it leaves the most to those that follow.
	for run := range strings.SplitSeq(pattern[:len(pattern)-len(last)], "*") {
		// strings.Index may compare most of a run at every few characters.
		if len(run) > shortRun {
			return matchRunes([]rune(pattern), []rune(s))
		}
		i := strings.Index(left, run)
		if i < 0 {
			return false
		}
		left = left[i+len(run):]
	}
	return true
}

const (
	// shortRun is up to which length a run, which is what stands between two stars, may be compared anew at
	// every character.
	shortRun = 64
	// nearPlaces is at how many places any run is compared anew, and smallSearch how many comparisons are made in
	// that way at least: that is cheaper than to begin a search that is quick in the end.
	nearPlaces  = 16
	smallSearch = 2048
)

// matchRunes is [Match] for patterns with ? or a long run.
func matchRunes(pattern, s []rune) bool {
	star := slices.Index(pattern, '*')
	if star < 0 {
		return len(pattern) == len(s) && fits(pattern, s)
	}
	first, middle := pattern[:star], pattern[star+1:]
	last := middle[len(middle):]
	for len(last) < len(middle) && middle[len(middle)-len(last)-1] != '*' {
		last = middle[len(middle)-len(last)-1:]
	}
	if len(first)+len(last) > len(s) || !fits(first, s) || !fits(last, s[len(s)-len(last):]) {
		return false
	}
	s, middle = s[len(first):len(s)-len(last)], middle[:len(middle)-len(last)]
	var p *planes
	for at := 0; len(middle) > 0; {
		star = slices.Index(middle, '*')
		run := middle[:star]
		near := min(len(s), at+len(run)+nearPlaces+smallSearch/(len(run)+1))
		i := indexNear(s[:near], run, at)
		switch {
		case i >= 0 || near == len(s):
		case len(run) > shortRun && !slices.Contains(run, '?'):
			i = indexLiteral(s, run, at)
		default:
			if p == nil {
				p = newPlanes(s, middle)
			}
			i = p.index(run, at)
		}
		if i < 0 {
			return false
		}
		at = i + len(run)
		middle = middle[star+1:]
	}
	return true
}

// fits tells whether a pattern without stars fits the beginning of s, which is not shorter.
func fits(pattern, s []rune) bool {
	for i, c := range pattern {
		if c != s[i] && c != '?' {
			return false
		}
	}
	return true
}

// indexNear returns where run first is in s, not before from; -1 if nowhere.
func indexNear(s, run []rune, from int) int {
	for ; from+len(run) <= len(s); from++ {
		if fits(run, s[from:]) {
			return from
		}
	}
	return -1
}

// indexLiteral is [indexNear] for a run without ?, in time that is in proportion to the lengths: the search of
// Knuth, Morris and Pratt.
func indexLiteral(s, run []rune, from int) int {
	// border[i] is the length of the longest beginning of run[:i+1] that is also its end, but not all of it.
	border := make([]int32, len(run))
	for i, k := 1, int32(0); i < len(run); i++ {
		for k > 0 && run[i] != run[k] {
			k = border[k-1]
		}
		if run[i] == run[k] {
			k++
		}
		border[i] = k
	}
	k := int32(0)
	for i := from; i < len(s); i++ {
		for k > 0 && s[i] != run[k] {
			k = border[k-1]
		}
		if s[i] == run[k] {
			k++
		}
		if int(k) == len(run) {
			return i + 1 - len(run)
		}
	}
	return -1
}

// planes says which characters of a string have a byte in a place (the lowest, the second, the third): a row of bits
// for each byte that a pattern has there. By bytes and not by characters, of which there are so many that the rows
// could take len(s) squared. The characters of a pattern that has few are numbered, and their numbers are of one byte.
type planes struct {
	size    int              // of the string
	rows    [3][256][]uint64 // nil: the pattern does not have the byte
	count   [3][256]int      // of bits in the row
	wide    bool             // there are characters of more than one byte
	numbers *numbers         // nil: characters stand for themselves
}

// numbers has the number of a character c at numbers[c>>8][c&0xff]: from 1, or 0 for all that the pattern does not have.
type numbers [(unicode.MaxRune >> 8) + 1]*[256]uint8

// number numbers the characters of a pattern; nil: they are too many.
func number(pattern []rune) *numbers {
	n, last := new(numbers), 0
	for _, c := range pattern {
		page := &n[c>>8]
		if *page == nil {
			*page = new([256]uint8)
		}
		if of := &(*page)[byte(c)]; *of == 0 {
			if last++; last > 255 {
				return nil
			}
			*of = uint8(last)
		}
	}
	return n
}

// of is the number of c, which is itself if there are no numbers.
func (n *numbers) of(c rune) rune {
	switch {
	case n == nil:
		return c
	case n[c>>8] == nil:
		return 0
	}
	return rune(n[c>>8][byte(c)])
}

// abreast is how many words of a row are looked at together: as many times 64 places of the string.
const abreast = 4

// newPlanes makes planes of s for a pattern, which may have stars.
func newPlanes(s, pattern []rune) *planes {
	isWide := func(c rune) bool { return c > 0xff }
	p := &planes{size: len(s), wide: slices.ContainsFunc(s, isWide) || slices.ContainsFunc(pattern, isWide)}
	if p.wide {
		p.numbers = number(pattern)
		p.wide = p.numbers == nil
	}
	for level := range p.levels() {
		rows := &p.rows[level]
		for _, c := range pattern {
			if row := &rows[byte(p.numbers.of(c)>>(8*level))]; *row == nil {
				*row = make([]uint64, len(s)/64+abreast+1) // index looks as far
			}
		}
		for i, c := range s {
			if b := byte(p.numbers.of(c) >> (8 * level)); rows[b] != nil {
				rows[b][i/64] |= 1 << (i % 64)
				p.count[level][b]++
			}
		}
	}
	return p
}

func (p *planes) levels() int {
	if p.wide {
		return len(p.rows)
	}
	return 1
}

// index is [indexNear] for any run. It compares 256 places of the string at once.
func (p *planes) index(run []rune, from int) int {
	type condition struct {
		row  []uint64
		word int
	}
	conditions := make([]condition, 0, len(run)*p.levels())
	// Those whose bits stand at the same place of a word come together, so that words need to be shifted only once
	// for all of them. The rarest is among the first that are looked at: often that is enough.
	var ends [65]int
	rarest, rarestCount := 0, p.size+1
	for shift := range 64 {
		for level := range p.levels() {
			for i := shift; i < len(run); i += 64 {
				if c := run[i]; c != '?' {
					b := byte(p.numbers.of(c) >> (8 * level))
					conditions = append(conditions, condition{p.rows[level][b], i / 64})
					if n := p.count[level][b]; n < rarestCount {
						rarest, rarestCount = shift, n
					}
				}
			}
		}
		ends[shift+1] = len(conditions)
	}
	if rarestCount == 0 {
		return -1
	}
	const all = ^uint64(0)
	first := all << (from % 64) // the places that are not before from
	for at := from / 64; at*64+len(run) <= p.size; at += abreast {
		found := [abreast]uint64{first, all, all, all}
		first = all
		for i := range 64 {
			shift := (rarest + i) % 64
			a, b, c, d, e := all, all, all, all, all
			for _, x := range conditions[ends[shift]:ends[shift+1]] {
				row := (*[abreast + 1]uint64)(x.row[at+x.word:])
				a, b, c, d, e = a&row[0], b&row[1], c&row[2], d&row[3], e&row[4]
			}
			found[0] &= a>>shift | b<<(64-shift)
			found[1] &= b>>shift | c<<(64-shift)
			found[2] &= c>>shift | d<<(64-shift)
			found[3] &= d>>shift | e<<(64-shift)
			if found == [abreast]uint64{} {
				break
			}
		}
		for i, places := range found {
			if places != 0 {
				if i = (at+i)*64 + bits.TrailingZeros64(places); i+len(run) <= p.size {
					return i
				}
				return -1
			}
		}
	}
	return -1
}
