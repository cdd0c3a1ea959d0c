package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// rows returns the rows of the first table behind a heading, without its head.
func rows(t *testing.T, file, heading string) (list [][]string) {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	_, section, ok := strings.Cut(string(text), "\n## "+heading+"\n")
	require.True(t, ok, "%s has no section %q", file, heading)
	section, _, _ = strings.Cut(section, "\n## ")
	for line := range strings.Lines(section) {
		if !strings.HasPrefix(line, "|") {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		list = append(list, cells)
	}
	require.Greater(t, len(list), 2, "%s, %q", file, heading)
	return list[2:]
}

// The README quotes what RESULTS.md has, word by word.
func TestREADMEQuotesTheResults(t *testing.T) {
	results := rows(t, "RESULTS.md", "In short")
	for _, row := range rows(t, "../../README.md", "Measured") {
		require.Contains(t, results, row)
	}
}
