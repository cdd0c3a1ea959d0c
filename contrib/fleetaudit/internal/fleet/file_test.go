package fleet_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/fleet"
)

func TestReadFile(t *testing.T) {
	folder := t.TempDir()
	name := filepath.Join(folder, "five")
	require.NoError(t, os.WriteFile(name, []byte("12345"), 0o600))
	none := filepath.Join(folder, "none")
	for _, row := range []struct {
		path string
		most int64
		want string // what was read, or the error
	}{
		{name, 100, "12345"},
		{name, 5, "12345"},
		{name, 4, name + ": is larger than 4 bytes"},
		{none, 5, none + ": no such file or directory"},
		{folder, 5, folder + ": is a directory"},
	} {
		data, err := fleet.ReadFile(t.Context(), row.path, row.most)
		got := string(data)
		if err != nil {
			got = err.Error()
		}
		if got != row.want {
			t.Errorf("%d bytes of %s: %q, want %q", row.most, row.path, got, row.want)
		}
	}
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(enough)
	// What has been read by then may come all the same.
	if _, err := fleet.ReadFile(ctx, name, 5); err != nil && !errors.Is(err, enough) {
		t.Errorf("error %v, want %v", err, enough)
	}
}
