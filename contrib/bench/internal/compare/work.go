// Package compare measures the same work done by ours and by peers, side by side.
package compare

import (
	"errors"
	"fmt"

	"github.com/google/go-cmp/cmp"
)

// Work is what several contenders do, with the same input and, which is checked, the same answer.
type Work struct {
	Name string // as benchmarks are named: "schedule.Next/UTC/DAILY"
	Unit string // what a figure is of: "call", "certificate"
	// Figure is what is measured of a unit; empty: the time, in nanoseconds. Another one, "heap bytes", is what the
	// Tasks' Measure returns. Less is better.
	Figure string
	Size   int // how many units are done at once
	// Growth is the second size, ten times the first unless there is a reason; 0: it makes no sense.
	Growth     int
	Contenders []Contender // the first is ours
}

// Contender is one way to do a Work.
type Contender struct {
	Name string
	// Target is how many times ours the figure of a peer must be at least; 0: it is there to be seen.
	Target float64
	// Largest is the largest size that it is measured at; 0: all. For peers that would take minutes.
	Largest int
	// New prepares the work, outside of what is measured.
	New func(size int) (Task, error)
}

// Task is a Work that is ready to be done, again and again.
type Task struct {
	Units int // what figures are divided by; 0: the size
	// Do does all of it once.
	Do func() error
	// Measure, of a Work with a Figure, does it and returns the figure of all units together. Do is nil then.
	Measure func() (float64, error)
	// Answer returns what was found when it was last done, for cmp.Diff.
	Answer func() any
	// Close, if not nil, gives back what New has taken.
	Close func()
}

func (t *Task) close() {
	if t.Close != nil {
		t.Close()
	}
}

// once does the work outside of what is measured, and returns the answer.
func (t *Task) once() (any, error) {
	do := t.Do
	if do == nil {
		do = func() error { _, err := t.Measure(); return err }
	}
	if err := do(); err != nil {
		return nil, err
	}
	return t.Answer(), nil
}

// field is the contenders of a Work at one size, ready.
type field struct {
	work  *Work
	size  int
	kinds []Contender
	tasks []Task
	want  any // the answer
}

// open prepares all contenders that take part at a size, and compares their answers.
func (w *Work) open(size int) (f *field, err error) {
	f = &field{work: w, size: size}
	defer func() {
		if err != nil {
			f.close()
			err = fmt.Errorf("%s, %d: %w", w.Name, size, err)
		}
	}()
	for i, c := range w.Contenders {
		if c.Largest > 0 && size > c.Largest {
			continue
		}
		t, err := c.New(size)
		if err != nil {
			return f, fmt.Errorf("%s: %w", c.Name, err)
		}
		if t.Units == 0 {
			t.Units = size
		}
		f.kinds, f.tasks = append(f.kinds, c), append(f.tasks, t)
		answer, err := t.once()
		if err != nil {
			return f, fmt.Errorf("%s: %w", c.Name, err)
		}
		if answer == nil {
			return f, fmt.Errorf("%s: %w", c.Name, errors.New("there is no answer to compare"))
		}
		if i == 0 {
			f.want = answer
		} else if diff := cmp.Diff(f.want, answer); diff != "" {
			return f, fmt.Errorf("%s does not answer as %s does (-%[2]s +%[1]s):\n%[3]s", c.Name, w.Contenders[0].Name, diff)
		}
	}
	return f, nil
}

// agree compares the answers that contenders gave when they were measured last.
func (f *field) agree() error {
	for i, k := range f.kinds {
		if diff := cmp.Diff(f.want, f.tasks[i].Answer()); diff != "" {
			return fmt.Errorf("%s, %d: %s answers otherwise once it is measured (-before +after):\n%s", f.work.Name, f.size, k.Name, diff)
		}
	}
	return nil
}

func (f *field) close() {
	for i := range f.tasks {
		f.tasks[i].close()
	}
}
