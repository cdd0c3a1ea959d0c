package inventory_test

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

// TestLoadNamed loads what an fs.FS does not have: named pipes, and names that are not UTF-8. They are
// read if they are asked for by their names, not where they lie in a folder.
func TestLoadNamed(t *testing.T) {
	ca := newCA(t, "CA", nil)
	root := t.TempDir()
	pipe, odd := filepath.Join(root, "pipe"), filepath.Join(root, "\xff.pem")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	require.NoError(t, os.WriteFile(odd, []byte(block("CERTIFICATE", ca.Raw)), 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(root, "\xfe"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(root, "\xfe", "x.pem"), []byte(block("CERTIFICATE", ca.Raw)), 0o600))
	const why = ":0: cannot be read: the name is not UTF-8, so that it must be asked for by itself"
	for _, row := range []struct {
		name string
		want []string
	}{
		{pipe, []string{"device " + pipe + ":0"}},
		{odd, []string{"CA " + odd + ":0"}},
		{filepath.Join(root, "\xfe"), []string{"CA " + filepath.Join(root, "\xfe", "x.pem") + ":0"}},
		{"/dev/null", []string{"problem /dev/null:0: is no regular file"}},
		{root, []string{"problem " + pipe + ":0: is no regular file", "problem " + filepath.Join(root, "\xfe") + why, "problem " + odd + why}},
	} {
		if row.name == pipe {
			device := ca.issue(t, 5).Raw
			go func() { _ = os.WriteFile(pipe, device, 0o600) }() // waits for its reader
		}
		l, err := inventory.Load(context.Background(), row.name)
		require.NoError(t, err)
		if diff := cmp.Diff(row.want, summary(l)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", row.name, diff)
		}
	}
}
