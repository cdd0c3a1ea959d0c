package load

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// build compiles the command line into a folder, and returns the program's path. That module is not one that this one
// requires: a program cannot be imported.
func build(ctx context.Context, folder string) (string, error) {
	program := filepath.Join(folder, "fleetaudit")
	out, err := exec.CommandContext(ctx, "go", "build", "-o", program, "github.com/fleetaudit/fleetaudit/contrib/fleetaudit").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building the server, which takes the workspace of a clone: %w: %s", err, out)
	}
	return program, nil
}

// server is a process that serves.
type server struct {
	url    string
	cmd    *exec.Cmd
	done   chan struct{} // closed when its log has ended
	mu     sync.Mutex
	errors []string // lines of its log at level ERROR
}

// start starts the program, and returns when it serves.
func start(ctx context.Context, program string, args ...string) (*server, error) {
	s := &server{done: make(chan struct{})}
	s.cmd = exec.CommandContext(ctx, program, append([]string{"serve", "--listen", "127.0.0.1:0", "--log-format", "json"}, args...)...)
	log, err := s.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	url := make(chan string, 1)
	go s.read(log, url)
	select {
	case s.url = <-url:
		return s, nil
	case <-s.done:
		return nil, errors.Join(fmt.Errorf("the server ended: %q", s.errors), s.cmd.Wait())
	}
}

// read reads the log until it ends, and sends the URL that it tells.
func (s *server) read(log io.Reader, url chan<- string) {
	defer close(s.done)
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		var line struct{ Level, Msg, URL string }
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil || line.Level == "ERROR" {
			s.mu.Lock()
			s.errors = append(s.errors, lines.Text())
			s.mu.Unlock()
		}
		if line.Msg == "serving" {
			url <- line.URL
		}
	}
}

// stop asks the process to end, and waits until it has. Whatever it logged as an error is one.
func (s *server) stop() error {
	asked := s.cmd.Process.Signal(syscall.SIGTERM)
	<-s.done
	err := errors.Join(asked, s.cmd.Wait())
	if len(s.errors) > 0 {
		err = errors.Join(err, fmt.Errorf("the server logged %d errors, such as %s", len(s.errors), s.errors[0]))
	}
	return err
}

// memory returns how many bytes of memory the process has, as Linux tells.
func (s *server) memory() (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
			return kb * 1024, err
		}
	}
	return 0, fmt.Errorf("no VmRSS of process %d is told", s.cmd.Process.Pid)
}

// peak follows the largest memory of the process until ctx ends.
func (s *server) peak(ctx context.Context, every time.Duration) (most float64, err error) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		now, err := s.memory()
		if err != nil {
			return 0, err
		}
		most = max(most, now)
		select {
		case <-ctx.Done():
			return most, nil
		case <-tick.C:
		}
	}
}
