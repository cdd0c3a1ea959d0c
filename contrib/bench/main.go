// Command bench compares packages of fleetaudit with what else one could use.
//
//	go run ./contrib/bench findings     the store of findings, and stores on go-memdb, B-trees, and maps
//	go run ./contrib/bench durable      an Engine over boltstore, and bbolt and SQLite by themselves
//	go run ./contrib/bench serve        fleetaudit serve under load from another process, and under attack
//
// It prints one table, of which packages internal/stores, internal/durable and internal/load say what is compared, and progress to
// standard error. It exits with 1 if contenders do not give the same answers, do not have what they were given, or
// fail; figures and missed targets change nothing.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/measure"
)

func main() { os.Exit(run(full(), os.Args[1:], os.Stdout, os.Stderr)) }

// run is the program, at any size, and returns what to exit with.
func run(z sizes, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	rounds := flags.Int("rounds", 5, "how often everything is measured; serve: once")
	if err := flags.Parse(args); err != nil {
		return 1
	}
	tables := map[string]func() (measure.Table, error){
		"findings": func() (measure.Table, error) { return findingsTable(z, *rounds, stderr) },
		"durable":  func() (measure.Table, error) { return durableTable(z.durability, *rounds, stderr) },
		"serve":    func() (measure.Table, error) { return serveTable(z.load, stderr) },
	}
	table, ok := tables[flags.Arg(0)]
	if !ok || flags.NArg() != 1 || *rounds < 1 {
		fmt.Fprintf(stderr, "bench: want the name of a table (findings, durable, serve), after -rounds of at least 1 if it is given, not %q\n", args)
		return 1
	}
	if flags.Arg(0) == "serve" {
		*rounds = 1
	}
	result, err := table()
	if err != nil {
		fmt.Fprintf(stderr, "bench: %v\n", err)
		return 1
	}
	fmt.Fprintf(stdout, "%s, %s/%s, %d CPUs, %d rounds\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0), *rounds)
	if _, err := result.WriteTo(stdout); err != nil {
		fmt.Fprintf(stderr, "bench: %v\n", err)
		return 1
	}
	return 0
}
