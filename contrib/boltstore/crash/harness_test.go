//go:build unix

package crash_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	hangs   = time.Minute           // that a child may take for what it does
	maxLoad = 40 * time.Millisecond // of which a child is killed at some moment
	maxTold = 12                    // of what is wrong
)

// harness runs one child after the other over the same file.
type harness struct {
	*world
	t       *testing.T
	rand    *rand.Rand
	seed    uint64
	store   string
	path    string
	opening time.Duration // how long a child takes to be ready, or a bit less
	disk    *disk         // nil: the usual one

	killed, killedEarly, torn int
}

func newHarness(t *testing.T, store string, seed uint64) *harness {
	// As far away from now as can be, so that no slot passes while a test runs.
	now := time.Now().UTC().Add(12 * time.Hour)
	return &harness{
		world:   newWorld(time.Duration(now.Hour()) * time.Hour),
		t:       t,
		rand:    rand.New(rand.NewPCG(seed, 0)),
		seed:    seed,
		store:   store,
		path:    filepath.Join(t.TempDir(), "fleetaudit.db"),
		opening: 50 * time.Millisecond,
	}
}

// live has a child live until it is killed, now and then until it ends by itself.
func (h *harness) live() {
	p := h.plan()
	p.Settle = h.rand.IntN(10) == 0
	p.Full = h.rand.IntN(20) == 0
	p.Ends = h.rand.IntN(25) == 0
	p.Load = time.Duration(h.rand.Int64N(int64(maxLoad)))
	early := h.rand.IntN(4) == 0
	c := h.start(p)
	defer h.reap(c)
	if early { // while it opens the store, compares, or resumes
		delay := time.NewTimer(time.Duration(h.rand.Int64N(int64(h.opening))))
		defer delay.Stop()
		select {
		case <-delay.C:
			h.killedEarly++
			h.kill(c)
			return
		case <-c.ready:
		case <-c.done:
			return
		}
	} else {
		select {
		case <-c.ready:
			h.opening = (3*h.opening + time.Since(c.begun)) / 4
		case <-c.done:
			return
		case <-c.hung.Done():
			return
		}
	}
	if p.Ends && h.rand.IntN(2) == 0 {
		select {
		case <-c.done:
		case <-c.hung.Done():
		}
		return
	}
	if p.Ends { // while it closes
		p.Load += time.Duration(h.rand.Int64N(int64(maxLoad)))
	}
	delay := time.NewTimer(p.Load)
	defer delay.Stop()
	select {
	case <-delay.C:
		h.kill(c)
	case <-c.done:
	}
}

// close has a last child end what is to be ended, and compares everything.
func (h *harness) close() {
	p := h.plan()
	p.Settle, p.Full, p.Ends = true, true, true
	c := h.start(p)
	select {
	case <-c.done:
	case <-c.hung.Done():
	}
	h.reap(c)
	if h.clean != p.Life {
		h.fail("the last child was not closed")
		return
	}
	h.end()
}

func (h *harness) report() {
	h.t.Helper()
	for i, wrong := range h.wrong {
		if i == maxTold {
			h.t.Errorf("and %d more", len(h.wrong)-i)
			return
		}
		h.t.Error(wrong)
	}
}

func (h *harness) plan() plan {
	p := plan{Path: h.path, Store: h.store, Seed: h.seed, Life: h.life, TimeOfDay: h.timeOfDay, Resend: h.resend}
	h.resend = nil
	for id, a := range h.audits {
		if a.ended() && !a.gone && a.read() {
			p.Known = append(p.Known, id)
		}
	}
	return p
}

// read tells whether the findings of all check runs are known.
func (a *auditState) read() bool {
	for name := range a.Runs {
		if r, ok := a.frozen[name]; !ok || r.found == nil {
			return false
		}
	}
	return true
}

// process is a child as its parent sees it.
type process struct {
	*exec.Cmd
	plan   plan
	begun  time.Time
	stderr bytes.Buffer
	stdin  io.Closer
	ready  chan struct{}
	done   chan struct{}   // it has ended, or at least says nothing any more
	hung   context.Context // ends when it has had its time
	killed bool
	broken bool // by the disk
	forget context.CancelFunc
}

func (h *harness) start(p plan) *process {
	h.t.Helper()
	c := &process{plan: p, begun: time.Now(), ready: make(chan struct{}), done: make(chan struct{})}
	c.hung, c.forget = context.WithTimeout(context.Background(), hangs)
	exe, err := os.Executable()
	if err == nil {
		c.Cmd = exec.Command(exe)
		c.Env = append(os.Environ(), isChild+"=1", "GOTRACEBACK=all")
		c.Cmd.Stderr = &c.stderr
	}
	var events, writer *os.File
	if err == nil {
		events, writer, err = os.Pipe()
	}
	var stdin io.WriteCloser
	if err == nil {
		c.ExtraFiles = []*os.File{writer}
		stdin, err = c.StdinPipe()
	}
	if err == nil {
		err = c.Start()
		writer.Close()
	}
	if err != nil {
		h.t.Fatal(err)
	}
	c.stdin = stdin
	if err := json.NewEncoder(stdin).Encode(p); err != nil && !errors.Is(err, syscall.EPIPE) {
		h.t.Error(err)
	}
	go func() {
		defer close(c.done)
		defer events.Close()
		in := bufio.NewReader(events)
		for {
			line, err := in.ReadBytes('\n')
			if err != nil {
				return // what there is of a line counts for nothing
			}
			var e event
			if err := json.Unmarshal(line, &e); err != nil {
				h.fail("%v: %s", err, line)
				return
			}
			h.take(&e)
			if e.Kind == isReady {
				close(c.ready)
			}
		}
	}()
	return c
}

func (h *harness) kill(c *process) {
	c.killed = true
	h.killed++
	if err := c.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		h.t.Error(err)
	}
}

// reap waits until a child is gone.
func (h *harness) reap(c *process) {
	select {
	case <-c.done:
	case <-c.hung.Done():
		h.fail("the child hangs")
		_ = c.Process.Signal(syscall.SIGQUIT) // it tells what its goroutines do
		select {
		case <-c.done:
		case <-time.After(5 * time.Second):
			_ = c.Process.Kill()
			<-c.done
		}
	}
	err := c.Wait()
	c.stdin.Close()
	c.forget()
	ended := c.plan.Ends && err == nil && h.clean == c.plan.Life
	if status, ok := c.ProcessState.Sys().(syscall.WaitStatus); !ended && !(c.killed && ok && status.Signal() == syscall.SIGKILL) && !c.broken {
		// It may have ended just before it was to be killed.
		h.fail("the child ended: %v: %s", err, strings.TrimSpace(c.stderr.String()))
	}
	h.life++
}
