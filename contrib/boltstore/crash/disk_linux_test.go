package crash_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// disk is a file system of LazyFS (github.com/dsrhaslab/lazyfs), which forgets what was not synced when it is told to, or
// when it is killed. What is done to names it keeps at once.
type disk struct {
	t       *testing.T
	command string
	root    string // where it keeps what was synced
	folder  string // where it is mounted
	own     string // its own files

	process *exec.Cmd
	output  bytes.Buffer
	died    chan struct{}
	cleared *bufio.Reader
}

// newDisk returns a disk that is not mounted yet, and skips the test where there can be none.
func newDisk(t *testing.T) *disk {
	command := os.Getenv("LAZYFS")
	if command == "" {
		command = "lazyfs"
	}
	command, err := exec.LookPath(command)
	if err != nil {
		t.Skipf("it takes LazyFS to lose what was not synced; it is to be on the PATH, or what LAZYFS names: %v", err)
	}
	if f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0); err != nil {
		t.Skipf("it takes FUSE: %v", err)
	} else {
		f.Close()
	}
	dir := t.TempDir()
	d := &disk{t: t, command: command, root: filepath.Join(dir, "root"), folder: filepath.Join(dir, "disk"), own: dir}
	for _, name := range []string{d.root, d.folder} {
		if err := os.Mkdir(name, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	fifo := filepath.Join(dir, "cleared")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(fifo, os.O_RDWR, 0) // LazyFS waits for a reader
	if err != nil {
		t.Fatal(err)
	}
	d.cleared = bufio.NewReader(f)
	t.Cleanup(func() {
		d.cut()
		f.Close()
	})
	return d
}

// mount makes the disk usable, with a fault that LazyFS is to have, or none.
func (d *disk) mount(fault string) {
	d.t.Helper()
	config := filepath.Join(d.own, "config.toml")
	text := fmt.Sprintf("[faults]\nfifo_path=%q\nfifo_path_completed=%q\n[cache]\napply_eviction=false\n[cache.simple]\n"+
		"custom_size=\"128mb\"\nblocks_per_page=1\n[filesystem]\nlog_all_operations=false\nlogfile=\"\"\n%s",
		filepath.Join(d.own, "commands"), filepath.Join(d.own, "cleared"), fault)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
	before := d.device()
	d.output.Reset()
	d.process = exec.Command(d.command, d.folder, "--config-path", config, "-o", "modules=subdir", "-o", "subdir="+d.root, "-f")
	d.process.Stdout, d.process.Stderr = &d.output, &d.output
	if err := d.process.Start(); err != nil {
		d.t.Fatal(err)
	}
	died := make(chan struct{})
	d.died = died
	go func(p *exec.Cmd) {
		defer close(died)
		_ = p.Wait() // it was killed
	}(d.process)
	for limit := time.Now().Add(hangs); d.device() == before; {
		select {
		case <-died:
			d.t.Fatalf("LazyFS ended: %s", d.output.String())
		case <-time.After(time.Millisecond):
		}
		if time.Now().After(limit) {
			d.t.Fatal("LazyFS does not mount")
		}
	}
}

// device tells what the folder is on: it changes when it is mounted.
func (d *disk) device() uint64 {
	var s syscall.Stat_t
	if err := syscall.Stat(d.folder, &s); err != nil {
		return 0
	}
	return uint64(s.Dev)
}

// cut ends the disk at once, as a power cut does: nothing that was not synced is there when it is mounted again.
func (d *disk) cut() {
	if d.process == nil {
		return
	}
	_ = d.process.Process.Kill() // it may have ended by a fault
	<-d.died
	d.process = nil
	if err := syscall.Unmount(d.folder, 2 /* MNT_DETACH */); err != nil {
		if out, err := exec.Command("fusermount3", "-u", "-z", d.folder).CombinedOutput(); err != nil {
			d.t.Errorf("%v: %s", err, out)
		}
	}
}

// clear has the disk forget what was not synced, while it goes on.
func (d *disk) clear() {
	f, err := os.OpenFile(filepath.Join(d.own, "commands"), os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString("lazyfs::clear-cache\n")
		err = errors.Join(err, f.Close())
	}
	if err == nil {
		_, err = d.cleared.ReadString('\n')
	}
	if err != nil {
		d.t.Fatal(err)
	}
}
