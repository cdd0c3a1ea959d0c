package fleet_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/fleet"
)

// TestReadFileDoesNotOutlastItsContext waits for a pipe that nobody opens to write.
func TestReadFileDoesNotOutlastItsContext(t *testing.T) {
	name := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, unix.Mkfifo(name, 0o600))
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := time.AfterFunc(10*time.Millisecond, func() { cancel(enough) })
	defer stop.Stop()
	if _, err := fleet.ReadFile(ctx, name, 5); !errors.Is(err, enough) {
		t.Errorf("error %v, want %v", err, enough)
	}
	// Whoever still waits to open it may go.
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}
