package fleetaudit_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every Go program of the README is one that is compiled and run: its lines stand, in one piece, in a test
// file of the repository.
func TestREADME(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSuffix(string(readme), "\n"), "\n")
	if len(lines) > 150 {
		t.Errorf("README.md has %d lines, at most 150 are wanted", len(lines))
	}

	var sources []string
	for _, pattern := range []string{"*_test.go", "checks/*_test.go", "checks/*/*_test.go"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, file := range files {
			source, err := os.ReadFile(file)
			require.NoError(t, err)
			sources = append(sources, flatten(string(source)))
		}
	}
	blocks := strings.Split(string(readme), "\n```go\n")[1:]
	require.NotEmpty(t, blocks)
	for _, block := range blocks {
		program, _, ended := strings.Cut(block, "\n```")
		require.True(t, ended)
		found := false
		for _, source := range sources {
			found = found || strings.Contains(source, flatten(program))
		}
		if !found {
			t.Errorf("no test file has this program of README.md:\n%s", program)
		}
	}
}

// flatten takes indentation away.
func flatten(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "\n")
}
