//go:build unix

package boltstore_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// asNobody returns what a child prints that is nobody in particular: root may do everything.
func asNobody(t *testing.T, dir, name string) string {
	t.Helper()
	c := child(t.Context(), t, name, dir)
	if os.Getuid() == 0 {
		// The test's binary is in a folder of root's.
		bin, err := os.MkdirTemp("", "boltstore")
		require.NoError(t, err)
		t.Cleanup(func() { os.RemoveAll(bin) })
		require.NoError(t, os.Chmod(bin, 0o755))
		copied := filepath.Join(bin, "test")
		require.NoError(t, os.WriteFile(copied, read(t, c.Path), 0o755))
		env := c.Env
		c = exec.CommandContext(t.Context(), copied, dir)
		c.Env, c.Dir = env, "/"
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}
