package fleet_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/fleet"
)

// TestLook changes a folder step by step, and looks whether that makes a difference.
func TestLook(t *testing.T) {
	root := t.TempDir()
	in := func(name string) string { return filepath.Join(root, name) }
	write := func(name, content string) func() error {
		return func() error { return os.WriteFile(in(name), []byte(content), 0o600) }
	}
	age := func(name string, at int64) func() error {
		return func() error { return os.Chtimes(in(name), time.Time{}, time.Unix(at, 0)) }
	}
	require.NoError(t, os.MkdirAll(in("fleet/sub"), 0o755))
	look := func() fleet.Digest {
		t.Helper()
		d, err := fleet.Look(t.Context(), []string{in("fleet"), in("other")})
		require.NoError(t, err)
		return d
	}
	before := look()
	for _, step := range []struct {
		what string
		do   func() error
		same bool
	}{
		{"nothing", func() error { return nil }, true},
		{"a file", write("fleet/a", "1"), false},
		{"another", write("fleet/sub/b", "1"), false},
		{"is older", age("fleet/sub/b", 1e9), false},
		{"is other, as long and as old", func() error { return errors.Join(write("fleet/sub/b", "2")(), age("fleet/sub/b", 1e9)()) }, true},
		{"is longer, and as old", func() error { return errors.Join(write("fleet/sub/b", "12")(), age("fleet/sub/b", 1e9)()) }, false},
		{"by a nanosecond", func() error { return os.Chtimes(in("fleet/sub/b"), time.Time{}, time.Unix(1e9, 1)) }, false},
		{"may be read by others", func() error { return os.Chmod(in("fleet/sub/b"), 0o644) }, false},
		{"has another name", func() error { return os.Rename(in("fleet/sub/b"), in("fleet/sub/c")) }, false},
		{"is read", func() error { _, err := os.ReadFile(in("fleet/sub/c")); return err }, true},
		{"a folder was touched", age("fleet/sub", 1e9), true},
		{"something was there for a moment", func() error { return errors.Join(write("fleet/x", "1")(), os.Remove(in("fleet/x"))) }, true},
		{"something elsewhere", write("x", "1"), true},
		{"an empty folder", func() error { return os.Mkdir(in("fleet/empty"), 0o755) }, false},
		{"the other path", write("other", "1"), false},
		{"links in a circle", func() error {
			return errors.Join(os.Symlink("..", in("fleet/sub/up")), os.Symlink("self", in("fleet/self")), os.Symlink("sub", in("fleet/again")))
		}, false},
		{"through which nothing comes", func() error { return nil }, true},
		{"a link elsewhere", func() error { return os.Symlink("../x", in("fleet/x")) }, false},
		{"to what is older", age("x", 1e9), false},
		{"to nothing", func() error { return os.Remove(in("x")) }, false},
		{"no folder", func() error { return os.Rename(in("fleet"), in("away")) }, false},
		{"a link to it instead", func() error { return os.Symlink("away", in("fleet")) }, false},
		{"a file in it", write("away/sub/d", "1"), false},
	} {
		require.NoError(t, step.do(), step.what)
		now := look()
		if (now == before) != step.same {
			t.Errorf("%s: the same is %v, want %v", step.what, now == before, step.same)
		}
		before = now
	}
	if empty := fleet.LookInto(t.Context(), t.TempDir()); empty == fleet.LookInto(t.Context(), in("gone")) {
		t.Error("a folder that cannot be read looks as an empty one does")
	}
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(enough)
	if _, err := fleet.Look(ctx, []string{root}); !errors.Is(err, enough) {
		t.Errorf("error %v, want %v", err, enough)
	}
}
