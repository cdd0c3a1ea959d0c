package cli_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/cli"
	"github.com/fleetaudit/fleetaudit/model"
)

// pseudoTerminal is a terminal that remembers what was written to it.
type pseudoTerminal struct {
	file *os.File // to write to

	mu    sync.Mutex
	text  strings.Builder
	saw   chan struct{} // closed once seeing has been written
	ended chan struct{}
}

func newPseudoTerminal(t *testing.T, columns uint16, seeing string) *pseudoTerminal {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	require.NoError(t, unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	require.NoError(t, err)
	require.NoError(t, unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 25, Col: columns}))
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	p := &pseudoTerminal{file: slave, saw: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		defer master.Close()
		b := make([]byte, 4096)
		for {
			n, err := master.Read(b)
			p.mu.Lock()
			before := strings.Contains(p.text.String(), seeing)
			p.text.Write(b[:n])
			if !before && strings.Contains(p.text.String(), seeing) {
				close(p.saw)
			}
			p.mu.Unlock()
			if err != nil { // what reads the other end of a closed terminal gets
				return
			}
		}
	}()
	return p
}

// Text closes the terminal, and returns everything that was written to it.
func (p *pseudoTerminal) Text() string {
	p.file.Close()
	<-p.ended
	return strings.ReplaceAll(p.text.String(), "\r\n", "\n")
}

func TestTerminal(t *testing.T) {
	t.Setenv("TERM", "xterm")
	for _, noColor := range []string{"", "1"} {
		t.Setenv("NO_COLOR", noColor)
		stdout, stderr := newPseudoTerminal(t, 90, "SEVERITY"), newPseudoTerminal(t, 90, "1 of 2 checks done, 1 flagged")
		slow := check("SLOW_CHECK", model.AuditFindingSeverityHigh, func(ctx context.Context, pass *checks.Pass, c *inventory.Certificate) error {
			report(pass, c)
			// There is progress for as long as it takes to see it.
			select {
			case <-stderr.saw:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		})
		unscanned := func(inv *inventory.Inventory) checks.Check {
			spec := checks.Spec{
				Name: "QUICK_CHECK", Severity: model.AuditFindingSeverityLow, ResourceType: model.ResourceTypeAccountSettings,
				ReasonCodes: []checks.ReasonCode{{Code: "SEEN"}},
			}
			return checks.New(spec, func(context.Context, *checks.Pass) error { return nil })
		}
		all := func(inv *inventory.Inventory) []checks.Check { return []checks.Check{slow(inv), unscanned(inv)} }
		ctx, cancel := context.WithTimeout(t.Context(), wait)
		defer cancel()
		code := cli.RunWith(ctx, all, []string{"audit", "testdata/sound", "--as-of", asOf, "--fail-on", "HIGH"}, nil, stdout.file, stderr.file)
		out, progress := stdout.Text(), stderr.Text()
		if code != cli.ExitFindings {
			t.Errorf("exit code %d, want 1", code)
		}
		if colored := strings.Contains(out, "\x1b["); colored != (noColor == "") {
			t.Errorf("NO_COLOR=%s: the report is\n%q", noColor, out)
		}
		for _, want := range []string{"Reading testdata/sound ", "1 of 2 checks done, 1 flagged  50% "} {
			if !strings.Contains(progress, want) {
				t.Errorf("NO_COLOR=%s: progress lacks %q: %q", noColor, want, progress)
			}
		}
		if stale := "1 of 2 checks done, 1 flagged   0% "; strings.Contains(progress, stale) {
			t.Errorf("NO_COLOR=%s: progress is drawn with new words and old numbers: %q", noColor, progress)
		}
		for drawn := range strings.SplitSeq(progress, "\r") {
			if strings.Contains(drawn, "% ") && !strings.Contains(drawn, " checks done, ") {
				t.Errorf("NO_COLOR=%s: progress is drawn without its words: %q", noColor, drawn)
			}
		}
		if !strings.HasSuffix(progress, "\x1b[2K\r") || strings.Contains(progress, "\n") {
			t.Errorf("NO_COLOR=%s: progress is left on the screen: %q", noColor, progress)
		}
	}
}

// TestForecastShowsProgress looks ahead until somebody has seen that.
func TestForecastShowsProgress(t *testing.T) {
	t.Setenv("TERM", "xterm")
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	stderr := newPseudoTerminal(t, 90, "⠙ Looking ahead to 2031-01-01")
	all := func(inv *inventory.Inventory) []checks.Check {
		return []checks.Check{check("SLOW_CHECK", model.AuditFindingSeverityHigh, func(ctx context.Context, pass *checks.Pass, c *inventory.Certificate) error {
			if pass.Time.Year() == 2031 {
				select {
				case <-stderr.saw:
				case <-ctx.Done():
				}
			}
			return context.Cause(ctx)
		})(inv)}
	}
	code := cli.RunWith(ctx, all, words("audit testdata/sound --forecast 2031-01-01 --as-of "+asOf), nil, io.Discard, stderr.file)
	progress := stderr.Text()
	if code != cli.ExitOK || !strings.HasSuffix(progress, "\x1b[2K\r") || strings.Contains(progress, "\n") {
		t.Errorf("exit code %d, progress %q", code, progress)
	}
}

// slowInput is a file that comes once somebody has seen something.
type slowInput struct {
	saw  <-chan struct{}
	ctx  context.Context
	file io.Reader
}

func (s slowInput) Read(p []byte) (int, error) {
	select {
	case <-s.saw:
	case <-s.ctx.Done():
	}
	return s.file.Read(p)
}

// TestReadingMoves reads until the spinner is at its second picture. The words before it are those of a
// hostile name.
func TestReadingMoves(t *testing.T) {
	t.Setenv("TERM", "xterm")
	sound, err := filepath.Abs("testdata/sound/valve-1.der")
	require.NoError(t, err)
	t.Chdir(t.TempDir())
	require.NoError(t, os.Symlink(sound, hostileName))
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	stderr := newPseudoTerminal(t, 90, "⠙")
	code := cli.Run(ctx, []string{"audit", hostileName, "-", "--as-of", asOf}, slowInput{stderr.saw, ctx, strings.NewReader("")}, io.Discard, stderr.file)
	progress := stderr.Text()
	if code != cli.ExitError || ctx.Err() != nil { // nothing is on standard input
		t.Errorf("exit code %d, want 2; context %v, progress %q", code, ctx.Err(), progress)
	}
	if want := `Reading a\x1b[2J\u202efdp.pem, stdin`; !strings.Contains(progress, want) || strings.Contains(progress, "\x1b[2J") || strings.Contains(progress, "\u202e") {
		t.Errorf("progress lacks %q: %q", want, progress)
	}
}

// TestDumbTerminal has a terminal that knows no escape codes.
func TestDumbTerminal(t *testing.T) {
	t.Setenv("TERM", "dumb")
	t.Setenv("NO_COLOR", "")
	stdout, stderr := newPseudoTerminal(t, 90, "SEVERITY"), newPseudoTerminal(t, 90, "Reading")
	cli.Run(t.Context(), words("audit testdata/sound --as-of "+asOf), nil, stdout.file, stderr.file)
	if out := stdout.Text(); !strings.Contains(out, "SEVERITY") || strings.Contains(out, "\x1b") {
		t.Errorf("the report is %q", out)
	}
	if progress := stderr.Text(); progress != "" {
		t.Errorf("progress is %q", progress)
	}
}

func TestTerminalWidth(t *testing.T) {
	t.Setenv("NO_COLOR", "1")
	for columns, want := range map[uint16]string{80: "80", 120: "120", 20: "72", 1000: "500"} {
		stdout := newPseudoTerminal(t, columns, "SEVERITY")
		args := words("audit testdata/fleet --all --as-of " + asOf)
		cli.Run(t.Context(), args, nil, stdout.file, io.Discard)
		if got := run(t, append(args, "--width", want)...); stdout.Text() != got.stdout {
			t.Errorf("a terminal of %d columns is not written for as %s", columns, want)
		}
	}
}
