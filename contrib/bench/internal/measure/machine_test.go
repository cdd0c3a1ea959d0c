package measure

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestMachine(t *testing.T) {
	says := Machine(time.Date(2026, 11, 22, 23, 0, 0, 0, time.UTC))
	require.Contains(t, says, runtime.GOOS+"/"+runtime.GOARCH)
	require.Contains(t, says, ", 2026-11-22")
	file := filepath.Join(t.TempDir(), "cpuinfo")
	require.Empty(t, processor(file))
	require.NoError(t, os.WriteFile(file, []byte("processor\t: 0\nmodel name\t: A: B\nmodel name\t: C\n"), 0o666))
	require.Equal(t, "A: B", processor(file))
}
