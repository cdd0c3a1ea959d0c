package inventory_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// TestLoadJSON loads files of JSON: testdata/json.txt has a row each, and what is loaded.
func TestLoadJSON(t *testing.T) {
	data, err := os.ReadFile("testdata/json.txt")
	require.NoError(t, err)
	for line := range strings.Lines(string(data)) {
		content, want, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " | ")
		if strings.HasPrefix(line, "#") || !ok {
			continue
		}
		got := strings.Join(summary(loadFile(t, strings.ReplaceAll(content, "⏎", "\n"))), " ; ")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s\n%s | %s", content, diff, content, got)
		}
	}
}
