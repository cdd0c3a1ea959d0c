package boltstore_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// children are what the test's binary does instead of testing, by the value of childEnv.
var children = map[string]func(args []string){
	"fill":   fillChild,
	"hold":   holdChild,
	"raw":    rawChild,
	"refuse": refuseChild,
}

const childEnv = "BOLTSTORE_CHILD"

func TestMain(m *testing.M) {
	if child, ok := children[os.Getenv(childEnv)]; ok {
		child(os.Args[1:])
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child returns a command that does what one of children does.
func child(ctx context.Context, t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	binary, err := os.Executable()
	require.NoError(t, err)
	c := exec.CommandContext(ctx, binary, args...)
	c.Env = append(os.Environ(), childEnv+"="+name)
	c.Stderr = new(bytes.Buffer)
	return c
}
