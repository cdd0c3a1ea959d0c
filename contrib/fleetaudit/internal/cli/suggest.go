package cli

import (
	"cmp"
	"slices"
	"strings"
)

// nearest returns the words, at most three, that somebody may have meant: those of which word is a part,
// or that take few changes.
func nearest(word string, words []string) []string {
	type candidate struct {
		word     string
		distance int
	}
	var all []candidate
	word = strings.ToUpper(word[:min(len(word), longest)])
	for _, w := range words {
		d := distance(word, strings.ToUpper(w[:min(len(w), longest)]))
		switch {
		case d <= 1+min(len(word), len(w))/5:
		case len(word) >= 3 && strings.Contains(strings.ToUpper(w), word):
			d = len(word)
		default:
			continue
		}
		all = append(all, candidate{w, d})
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return cmp.Compare(a.distance, b.distance) })
	var near []string
	for _, c := range all[:min(len(all), 3)] {
		near = append(near, c.word)
	}
	return near
}

// didYouMean says which of words would have been right.
func didYouMean(word string, words []string) string {
	if near := nearest(word, words); len(near) > 0 {
		return "did you mean " + strings.Join(near, " or ") + "?"
	}
	return "want one of " + strings.Join(words, ", ")
}

// longest is how much of a word is compared: the command line is not a place for a quadratic surprise.
const longest = 200

// distance is the Levenshtein distance in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
