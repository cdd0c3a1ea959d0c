package fleet_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/fleet"
)

// TestUnread has a link that leads nowhere: what it led to must not pass for compliant.
func TestUnread(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "a.json"), []byte(connect), 0o600))
	require.NoError(t, os.Symlink("nowhere", filepath.Join(folder, "b.json")))
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	_, err := fleet.Open(t.Context(), []string{folder}, false, logger)
	require.EqualError(t, err, filepath.Join(folder, "b.json")+": cannot be read: no such file or directory (--allow-unread serves what can be read)")
	require.Empty(t, log.String())
	l, err := fleet.Open(t.Context(), []string{folder}, true, logger)
	require.NoError(t, err)
	require.Equal(t, 1, l.Status().Problems)
	require.Contains(t, log.String(), "cannot be read: no such file or directory")
}

func TestOpenErrors(t *testing.T) {
	empty := t.TempDir()
	for _, row := range []struct{ path, want string }{
		{"none", "none: no such file or directory"},
		{"-", "-: no such file or directory"},
		{empty, "nothing to audit was found: want certificates and CRLs in PEM or DER, or the rest of a fleet in JSON (see fleetaudit audit --help)"},
		{os.DevNull, os.DevNull + ": is neither a file nor a folder, and cannot be read again"},
	} {
		_, err := fleet.Open(t.Context(), []string{row.path}, false, slog.New(slog.DiscardHandler))
		if err == nil || err.Error() != row.want {
			t.Errorf("%s: error %v, want %s", row.path, err, row.want)
		}
	}
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(enough)
	if _, err := fleet.Open(ctx, []string{sound}, false, slog.New(slog.DiscardHandler)); !errors.Is(err, enough) {
		t.Errorf("error %v, want %v", err, enough)
	}
}
