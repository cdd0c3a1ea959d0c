package inventory_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

func TestLoadFolder(t *testing.T) {
	ca := newCA(t, "CA", nil)
	certs := make([]string, 5)
	for i := range certs {
		certs[i] = block("CERTIFICATE", ca.issue(t, int64(10+i)).Raw)
	}
	link := func(to string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(to), Mode: fs.ModeSymlink} }
	l, err := inventory.LoadFS(context.Background(), fstest.MapFS{
		"b/one.pem":        {Data: []byte(certs[0])},
		"b/two":            {Data: []byte(certs[1])},
		"a-z":              {Data: []byte(certs[2])},
		"a/x":              {Data: []byte(certs[3] + certs[0])},
		"a/empty":          {},
		"a/up":             link(".."),
		"a/self":           link("."),
		"b/to-a":           link("../a"),
		"0-link":           link("b/two"),
		"dangling":         link("nowhere"),
		"pipe":             {Mode: fs.ModeNamedPipe},
		"z/deep/er/c/file": {Data: []byte("text")},
		// The order of names is not that of a walk.
		"y/1": {Data: []byte(block("CERTIFICATE", ca.Raw) + block("X509 CRL", ca.crlDER(t, 1, 1, nil)))},
		"y-1": {Data: []byte(block("CERTIFICATE", newCA(t, "CA", nil).Raw) + block("X509 CRL", ca.crlDER(t, 2, 1, nil)))},
	})
	require.NoError(t, err)
	size := len(block("CERTIFICATE", ca.Raw))
	want := []string{
		"CA y-1:0", "CA y/1:0",
		"device a-z:0", "device a/x:0", fmt.Sprintf("device a/x:%d", len(certs[3])), "device b/two:0",
		fmt.Sprintf("CRL y-1:%d", len(block("CERTIFICATE", l.CACertificates[0].Raw))), fmt.Sprintf("CRL y/1:%d", size),
		"problem a/empty:0: is empty", "problem dangling:0: cannot be read: file does not exist", "problem pipe:0: is no regular file",
		"ignored 0-link:0: second copy of b/two:0",
		fmt.Sprintf("ignored b/one.pem:0: second copy of a/x:%d", len(certs[3])),
		"ignored z/deep/er/c/file:0: plain text without any PEM block",
	}
	if diff := cmp.Diff(want, summary(l)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestLoadOS loads real folders, with links that an fs.FS cannot have.
func TestLoadOS(t *testing.T) {
	ca := newCA(t, "CA", nil)
	root, outside := t.TempDir(), t.TempDir()
	write := func(name, data string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o700))
		require.NoError(t, os.WriteFile(name, []byte(data), 0o600))
	}
	link := func(to, name string) { require.NoError(t, os.Symlink(to, name)) }
	write(filepath.Join(root, "sub", "ca.pem"), block("CERTIFICATE", ca.Raw))
	write(filepath.Join(outside, "in", "device.pem"), block("CERTIFICATE", ca.issue(t, 5).Raw))
	write(filepath.Join(root, "sub", "README"), "Grüße from\tthe CA.\r\n")
	write(filepath.Join(outside, "crl.der"), string(ca.crlDER(t, 1, 1, nil)))
	link(root, filepath.Join(root, "loop"))
	link("..", filepath.Join(root, "sub", "up"))
	link(outside, filepath.Join(root, "out"))
	link(outside, filepath.Join(root, "out-again"))
	link(filepath.Join(outside, "in"), filepath.Join(root, "out-too"))
	link(filepath.Join(outside, "in", "device.pem"), filepath.Join(root, "a-file"))
	link(root, filepath.Join(outside, "back"))
	link("nowhere", filepath.Join(outside, "dangling"))
	link("circle", filepath.Join(outside, "circle"))

	at := func(name ...string) string { return filepath.Join(append([]string{root}, name...)...) + ":0" }
	for _, test := range []struct {
		name string
		want []string
	}{
		{root, []string{
			"CA " + at("sub", "ca.pem"), "device " + at("a-file"), "CRL " + at("out", "crl.der"),
			"problem " + at("out", "circle") + ": cannot be read: too many levels of symbolic links",
			"problem " + at("out", "dangling") + ": cannot be read: no such file or directory",
			"ignored " + at("out", "in", "device.pem") + ": second copy of " + at("a-file"),
			"ignored " + at("sub", "README") + ": plain text without any PEM block",
		}},
		{filepath.Join(root, "sub", "ca.pem"), []string{"CA " + at("sub", "ca.pem")}},
		{filepath.Join(root, "a-file"), []string{"device " + at("a-file")}},
		{filepath.Join(root, "sub") + "/../sub/README", []string{"problem " + at("sub", "README") + ": neither PEM, DER nor JSON"}},
	} {
		l, err := inventory.Load(context.Background(), test.name)
		require.NoError(t, err)
		if diff := cmp.Diff(test.want, summary(l)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
	if _, err := inventory.Load(context.Background(), filepath.Join(root, "nothing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

// faulty is a file system with a folder and files that cannot be read, or not to their ends.
type faulty struct{ fstest.MapFS }

func (f faulty) Open(name string) (fs.File, error) {
	file, err := f.MapFS.Open(name)
	switch {
	case strings.HasPrefix(name, "locked"):
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	case strings.HasPrefix(name, "broken") && err == nil:
		return brokenFile{file}, nil
	}
	return file, err
}

func (f faulty) ReadDir(name string) ([]fs.DirEntry, error) {
	if strings.HasPrefix(name, "locked") {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return f.MapFS.ReadDir(name)
}

type brokenFile struct{ fs.File }

func (f brokenFile) Read(p []byte) (int, error) {
	n, err := f.File.Read(p)
	if err == io.EOF {
		err = errors.New("disk is on fire")
	}
	return n, err
}

func TestLoadWhatCannotBeRead(t *testing.T) {
	ca := newCA(t, "CA", nil)
	one, two := block("CERTIFICATE", ca.issue(t, 5).Raw), block("CERTIFICATE", ca.issue(t, 6).Raw)
	l, err := inventory.LoadFS(context.Background(), faulty{fstest.MapFS{
		"a":           {Data: []byte(one)},
		"broken.der":  {Data: ca.Raw},
		"broken.none": {},
		"broken.pem":  {Data: []byte(two + two[:100])},
		"locked":      {Data: []byte(one)},
		"locked-up/x": {Data: []byte(one)},
		"z":           {Data: []byte(one)},
	}})
	require.NoError(t, err)
	want := []string{
		"CA broken.der:0", "device a:0", "device broken.pem:0",
		"problem broken.der:0: cannot be read to its end: disk is on fire",
		"problem broken.none:0: cannot be read to its end: disk is on fire",
		"problem broken.pem:0: cannot be read to its end: disk is on fire",
		fmt.Sprintf("problem broken.pem:%d: block \"CERTIFICATE\" has no END", len(two)),
		"problem locked:0: cannot be read: permission denied",
		"problem locked-up:0: cannot be read: permission denied",
		"ignored z:0: second copy of a:0",
	}
	if diff := cmp.Diff(want, summary(l)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLoadStopsWithItsContext(t *testing.T) {
	stop := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	files := fstest.MapFS{"f": {Data: []byte(block("CERTIFICATE", newCA(t, "CA", nil).Raw))}}
	cancel(stop)
	l, err := inventory.LoadFS(ctx, files)
	if err != stop || summary(l) != nil {
		t.Errorf("error %v, loaded %v", err, summary(l))
	}
	name := filepath.Join(t.TempDir(), "f")
	require.NoError(t, os.WriteFile(name, files["f"].Data, 0o600))
	if l, err := inventory.Load(ctx, name); err != stop || summary(l) != nil {
		t.Errorf("error %v, loaded %v", err, summary(l))
	}
}

// TestLoadManyProblems: a file cannot fill the memory with what is wrong with it.
func TestLoadManyProblems(t *testing.T) {
	const end = "-----END X-----\n"
	l, err := inventory.LoadFS(context.Background(), fstest.MapFS{
		"a": {Data: []byte("-----BEGIN X-----\n" + strings.Repeat(end, 5000))},
		"b": {Data: []byte(strings.Repeat(end, 999))},
	})
	require.NoError(t, err)
	// The first END ends the block, which is not read; that makes a problem for each END.
	if n := len(l.Problems); n != 1001+999+1 {
		t.Errorf("%d problems", n)
	}
	want := inventory.Problem{Origin: inventory.Origin{File: "a", Offset: int64(18 + 1000*len(end))}, What: "4000 more from here on"}
	if diff := cmp.Diff(want, l.Problems[1000]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// endless is a file system with one file: a PEM block that does not end.
type endless struct{ size int64 }

func (e endless) Open(name string) (fs.File, error) {
	file, err := fstest.MapFS{"f": {}}.Open(name)
	if name != "f" {
		return file, err
	}
	return endlessFile{file, io.MultiReader(strings.NewReader("-----BEGIN CERTIFICATE-----\n"), io.LimitReader(letters{}, e.size), strings.NewReader("\n-----END CERTIFICATE-----\n"))}, err
}

type endlessFile struct {
	fs.File
	io.Reader
}

func (f endlessFile) Read(p []byte) (int, error) { return f.Reader.Read(p) }

type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'A'
	}
	return len(p), nil
}

func TestLoadHugeBlock(t *testing.T) {
	l, err := inventory.LoadFS(context.Background(), endless{inventory.MaxCRL/3*4 + 100})
	require.NoError(t, err)
	want := []string{"problem f:0: block \"CERTIFICATE\" is larger than 67108864 bytes"}
	if diff := cmp.Diff(want, summary(l)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
