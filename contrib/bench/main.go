// Command bench measures fleetaudit and its peers side by side, in one run and with checked equal answers, and
// prints the tables in Markdown.
//
//	go run ./contrib/bench [flags] [table...]
//
// The tables are peers (the calendar, certificates, checks, policies, pages: each kind of work beside those who do it
// otherwise), findings, durable and serve; without a name, all of them. With -o FILE they are also written to a file:
// RESULTS.md is made so, and the README quotes it.
//
// The contenders of a work take turns in each round, and a ratio is one of two figures of the same round. Shown are
// medians with the interval that benchstat would show; -raw FILE keeps the measurements of peers for benchstat itself, as
//
//	benchstat -col /by FILE
//
// The same works are Go benchmarks: go test -run '^$' -bench Peers ./contrib/bench. What a change saves below the noise of a
// machine is told by counting instructions:
//
//	go test -c -o bench.test ./contrib/bench
//	valgrind --tool=callgrind ./bench.test -test.run '^$' -test.bench 'Peers/certfacts' -test.benchtime 100x
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/compare"
	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/measure"
)

func main() { os.Exit(run(full(), os.Args[1:], os.Stdout, os.Stderr)) }

// options are what the command line asks for.
type options struct {
	sizes
	rounds   int
	least    time.Duration
	only     *regexp.Regexp
	policies string
	raw      string
	progress io.Writer
}

// section is a part of the report.
type section struct {
	name  string
	write func(options, io.Writer) error
}

func sections() []section {
	return []section{
		{"peers", options.peers},
		{"findings", tabular("Stores of findings", func(o options) (measure.Table, error) { return findingsTable(o.sizes, o.rounds, o.progress) })},
		{"durable", tabular("Durability", func(o options) (measure.Table, error) { return durableTable(o.durability, o.rounds, o.progress) })},
		{"serve", tabular("The server under load and under attack (once)", func(o options) (measure.Table, error) { return serveTable(o.load, o.progress) })},
	}
}

func run(z sizes, args []string, stdout, stderr io.Writer) int {
	o := options{sizes: z, progress: stderr}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&o.rounds, "rounds", 6, "how often everything is measured; fewer than 6 have no interval. serve: once")
	flags.DurationVar(&o.least, "least", 100*time.Millisecond, "how long one measurement of peers takes at least")
	only := flags.String("only", "", "of peers, the works whose name this regular expression matches")
	flags.StringVar(&o.policies, "policies", "", "of peers, a file of policies to analyse too: JSON lines of a name and a document")
	flags.StringVar(&o.raw, "raw", "", "file for the measurements of peers, in the format of Go's benchmarks")
	report := flags.String("o", "", "file for the report")
	if err := flags.Parse(args); err != nil {
		return 1
	}
	if err := o.run(flags.Args(), *only, *report, args, stdout); err != nil {
		fmt.Fprintf(stderr, "bench: %v\n", err)
		return 1
	}
	return 0
}

func (o options) run(names []string, only, report string, args []string, stdout io.Writer) (err error) {
	if o.only, err = regexp.Compile(only); err != nil {
		return fmt.Errorf("-only: %w", err)
	}
	if o.rounds < 1 || o.least <= 0 {
		return fmt.Errorf("-rounds %d and -least %v must be positive", o.rounds, o.least)
	}
	all := sections()
	for i, name := range names {
		if !slices.ContainsFunc(all, func(s section) bool { return s.name == name }) {
			return fmt.Errorf("there is no table %q; want peers, findings, durable or serve, or none of them for all, after the flags", name)
		}
		if slices.Contains(names[:i], name) {
			return fmt.Errorf("table %q is asked for twice", name)
		}
	}
	if len(names) > 0 && !slices.Contains(names, "peers") && (only != "" || o.policies != "" || o.raw != "") {
		return fmt.Errorf("-only, -policies and -raw are of the table peers, which is not among %q", names)
	}
	if len(names) > 0 {
		all = slices.DeleteFunc(all, func(s section) bool { return !slices.Contains(names, s.name) })
	}
	out := stdout
	if report != "" {
		file, failed := open(report)
		if failed != nil {
			return failed
		}
		var whole bytes.Buffer
		out = io.MultiWriter(stdout, &whole)
		defer func() { err = errors.Join(err, file.end(err, whole.Bytes())) }()
	}
	if _, err := fmt.Fprintf(out, "# Measured\n\n`%s`\n\n%s, %d rounds\n", strings.Join(append([]string{"go run ./contrib/bench"}, args...), " "),
		measure.Machine(time.Now()), o.rounds); err != nil {
		return err
	}
	for _, s := range all {
		if err := s.write(o, out); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// tabular is a section with one table of text.
func tabular(title string, table func(options) (measure.Table, error)) func(options, io.Writer) error {
	return func(o options, w io.Writer) error {
		t, err := table(o)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "\n## %s\n\n```text\n", title)
		_, err = t.WriteTo(w)
		fmt.Fprint(w, "```\n")
		return err
	}
}

// peers is the section of all that is measured by the same rules.
func (o options) peers(w io.Writer) (err error) {
	works, err := o.works(o.policies)
	if err != nil {
		return err
	}
	works = slices.DeleteFunc(works, func(w compare.Work) bool { return !o.only.MatchString(w.Name) })
	if len(works) == 0 {
		return fmt.Errorf("no work has a name that -only %v matches", o.only)
	}
	var raw bytes.Buffer
	if o.raw != "" {
		file, failed := open(o.raw)
		if failed != nil {
			return failed
		}
		defer func() { err = errors.Join(err, file.end(err, raw.Bytes())) }()
	}
	results, err := compare.Rounds{Number: o.rounds, Least: o.least, Progress: o.progress}.Measure(works)
	if err != nil {
		return err
	}
	if err := compare.WriteBenchmarks(&raw, results); err != nil {
		return err
	}
	for _, part := range []struct {
		title, text string
		grid        measure.Grid
	}{
		{"In short", "How many times ours the figure of each peer is, the least of the medians below.", compare.Brief(results)},
		{"Beside peers", "Figures are medians of all rounds, of a unit; the ratio is the median of those of each round.", compare.Ratios(results)},
		{"Ten times larger", "Figures of ours at both sizes, and how the figure of a unit grows: 1 says that ten times the size takes ten times as long. Allocations are of a unit.",
			compare.Growth(results)},
	} {
		if _, err := fmt.Fprintf(w, "\n## %s\n\n%s\n\n", part.title, part.text); err != nil {
			return err
		}
		if _, err := part.grid.WriteTo(w); err != nil {
			return err
		}
	}
	return nil
}

// file is one to be written at the end. That it can be is found out before what it is for takes minutes; until then it
// keeps what is in it.
type file struct{ *os.File }

func open(name string) (file, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o666)
	return file{f}, err
}

// end gives the file its content, unless there is an error, and closes it.
func (f file) end(failed error, content []byte) error {
	if failed != nil {
		return f.Close()
	}
	err := f.Truncate(0)
	if err == nil {
		_, err = f.Write(content)
	}
	return errors.Join(err, f.Close())
}
