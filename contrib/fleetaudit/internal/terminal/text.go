package terminal

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/text"
)

// Clean returns s with everything that is not to be seen, and so could deceive or move the cursor,
// written as its code: \x1b, \u202e; and what is not UTF-8 as U+FFFD. What files say must go through it.
func Clean(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if !strings.ContainsFunc(s, hidden) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case !hidden(r):
			b.WriteRune(r)
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// OneLine is Clean, with lines joined by semicolons.
func OneLine(s string) string {
	return Clean(strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), "; "))
}

func hidden(r rune) bool {
	return r != ' ' && !unicode.IsGraphic(r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r)
}

// Width returns how many columns s, a line without escape codes, takes in a table of go-pretty. That counts
// character by character, so that an accent of its own may count as one.
func Width(s string) int { return text.LongestLineLen(s) }

// Wrap breaks s into lines of at most width columns: at spaces, and words that are longer after a
// character of breaks, or else anywhere. A newline in s always breaks. There is at least one line.
func Wrap(s string, width int, breaks string) []string {
	var lines []string
	for paragraph := range strings.SplitSeq(s, "\n") {
		line, used := "", 0
		for word := range strings.FieldsSeq(paragraph) {
			if used > 0 && used+1+Width(word) <= width {
				line += " " + word
				used += 1 + Width(word)
				continue
			}
			if used > 0 {
				lines = append(lines, line)
			}
			for cut := cutAt(word, width, breaks); cut < len(word); cut = cutAt(word, width, breaks) {
				lines = append(lines, word[:cut])
				word = word[cut:]
			}
			line, used = word, Width(word)
		}
		lines = append(lines, line)
	}
	return lines
}

// cutAt returns how many bytes of a word go into a line of width columns: all of them, or else those up to
// a good place to break, at least one character.
func cutAt(word string, width int, breaks string) int {
	end, nice, used := 0, 0, 0
	for i, r := range word { // not by Width: a word may be megabytes, and is cut thousands of times
		w := text.RuneWidth(r)
		if i > 0 && used+w > width {
			if nice > 0 {
				return nice
			}
			return end
		}
		used += w
		end = i + len(string(r))
		if strings.ContainsRune(breaks, r) {
			nice = end
		}
	}
	return len(word)
}

// Shorten returns s, or as much of its beginning as fits into width columns with "..." after it.
func Shorten(s string, width int) string {
	if Width(s) <= width {
		return s
	}
	return s[:cutAt(s, max(width-3, 1), "")] + "..."
}
