package inventory_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"testing/fstest"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

// loadReader loads a file "f" alone.
func loadReader(t *testing.T, r io.Reader) inventory.Loaded {
	t.Helper()
	l, err := inventory.LoadReader(context.Background(), r, "f")
	require.NoError(t, err)
	return l
}

// idle is a reader that returns nothing, and no error.
type idle struct{}

func (idle) Read([]byte) (int, error) { return 0, nil }

// TestReaders: it does not matter how much a reader returns at once, and one that fails is told of behind all that came.
func TestReaders(t *testing.T) {
	ca := newCA(t, "CA", nil)
	device := ca.issue(t, 5).Raw
	large := bytes.Repeat([]byte(block("CERTIFICATE", device)), 2*inventory.SegmentSize/len(device))
	for _, test := range []struct {
		name string
		data []byte
	}{
		{"PEM", oddBundle(t)},
		{"PEM, cut", oddBundle(t)[:100]},
		{"PEM, large and cut", large[:len(large)-100]},
		{"DER", slices.Concat(device, ca.Raw)},
		{"DER, cut", slices.Concat(device, ca.Raw[:100])},
		{"JSON", []byte(`{"Statement": []} {"Statement"`)},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := pemLines(loadReader(t, bytes.NewReader(test.data)))
			for name, slow := range map[string]func(io.Reader) io.Reader{"one byte": iotest.OneByteReader, "halves": iotest.HalfReader, "error with data": iotest.DataErrReader} {
				if diff := cmp.Diff(want, pemLines(loadReader(t, slow(bytes.NewReader(test.data))))); diff != "" {
					t.Errorf("%s (-at once +%[1]s):\n%s", name, diff)
				}
			}
			for what, end := range map[string]io.Reader{"broken": iotest.ErrReader(errors.New("broken")), io.ErrNoProgress.Error(): idle{}} {
				got := loadReader(t, io.MultiReader(bytes.NewReader(test.data), end))
				require.NotEmpty(t, got.Problems)
				told := slices.IndexFunc(got.Problems, func(p inventory.Problem) bool { return p.Unread })
				require.GreaterOrEqual(t, told, 0)
				if p := got.Problems[told]; p.String() != "f:0: cannot be read to its end: "+what {
					t.Errorf("told %v", p)
				}
				if n, all := len(got.DeviceCertificates), len(loadReader(t, bytes.NewReader(test.data)).DeviceCertificates); n != all {
					t.Errorf("%d device certificates of %d", n, all)
				}
			}
		})
	}
}

// TestLoadStops: when ctx ends in the middle of a file, what was read is there, and nothing more is read.
func TestLoadStops(t *testing.T) {
	device := newCA(t, "CA", nil).issue(t, 5).Raw
	for name, data := range map[string][]byte{
		"PEM": bytes.Repeat([]byte(block("CERTIFICATE", device)), 3*inventory.SegmentSize/len(device)),
		"DER": bytes.Repeat(device, 3*inventory.SegmentSize/len(device)),
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(context.Background())
			stop := errors.New("stop")
			read := 0
			var l inventory.Loader
			err := l.LoadReader(ctx, readerFunc(func(p []byte) (int, error) {
				if read > len(data)/2 {
					cancel(stop)
				}
				n := copy(p[:min(len(p), 1000)], data[min(read, len(data)):])
				if read += n; n == 0 {
					return 0, io.EOF
				}
				return n, nil
			}), "f")
			if err != stop {
				t.Errorf("error %v", err)
			}
			if n := len(l.Loaded().DeviceCertificates); n != 1 || read == len(data) {
				t.Errorf("%d certificates of %d bytes of %d", n, read, len(data))
			}
		})
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestLoadOrder: certificates are in the order of places though folders are read in another, and of two copies the one
// that is read first counts.
func TestLoadOrder(t *testing.T) {
	ca := newCA(t, "CA", nil)
	cert := func(i int64) string { return block("CERTIFICATE", ca.issue(t, i).Raw) }
	one, two, three := cert(1), cert(2), cert(3)
	l, err := inventory.LoadFS(context.Background(), fstest.MapFS{
		"a/1": {Data: []byte(one + two)}, "a-b/1": {Data: []byte(three + block("CERTIFICATE", ca.Raw))}, "a-b/2": {Data: []byte(two)}, "b": {Data: []byte(one)},
	})
	require.NoError(t, err)
	want := []string{
		fmt.Sprintf("CA a-b/1:%d", len(three)), "device a-b/1:0", "device a/1:0", fmt.Sprintf("device a/1:%d", len(one)),
		fmt.Sprintf("ignored a-b/2:0: second copy of a/1:%d", len(one)), "ignored b:0: second copy of a/1:0",
	}
	if diff := cmp.Diff(want, summary(l)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestSameContent: what is a certificate by one block and a CRL by another is one resource.
func TestSameContent(t *testing.T) {
	ca := newCA(t, "CA", nil)
	certificate, list := block("CERTIFICATE", ca.Raw), block("X509 CRL", ca.Raw)
	for _, test := range []struct {
		data string
		want []string
	}{
		{certificate + list, []string{"CA f:0", fmt.Sprintf("ignored f:%d: second copy of f:0", len(certificate))}},
		{list + certificate, []string{"CRL f:0", "problem f:0: CRL cannot be used: x509: malformed signature algorithm identifier",
			fmt.Sprintf("ignored f:%d: second copy of f:0", len(list))}},
	} {
		if diff := cmp.Diff(test.want, summary(loadFile(t, test.data))); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}
