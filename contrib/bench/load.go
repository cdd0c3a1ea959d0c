package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/load"
	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/measure"
)

// fullLoad is the load that targets are for.
func fullLoad() load.Config {
	return load.Config{
		Fleet:    load.Fleet{Certificates: 50_000, Policies: 50_000},
		Workers:  200,
		Duration: time.Minute,
		Attack:   load.Attack{Slow: 1000, Large: 10, Deep: 4, Forged: 20},
	}
}

// serveTable runs every phase of a load once, and tells progress. An interrupt ends it, and the server.
func serveTable(c load.Config, progress io.Writer) (measure.Table, error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	c.Progress = progress
	results, err := load.Run(ctx, c)
	if err != nil {
		return measure.Table{}, err
	}
	return loadTable(c, results), nil
}

// loadTable has a column for each phase.
func loadTable(c load.Config, results []load.Result) measure.Table {
	rows := []measure.Row{
		{What: "requests answered"}, {What: "requests throttled"}, {What: "requests answered a second"}, {What: "median, ms"},
		{What: "99 of 100 within, ms"}, {What: "slowest, ms"}, {What: "audits that ended"}, {What: "memory before, MiB"}, {What: "memory at most, MiB"},
	}
	var t measure.Table
	for _, r := range results {
		t.Contenders = append(t.Contenders, r.Phase)
		for i, cell := range []string{
			fmt.Sprint(r.Answered), fmt.Sprint(r.Throttled), measure.Figure(r.Rate), millis(r.Median), millis(r.P99), millis(r.Slowest),
			fmt.Sprint(r.Audits), mebibytes(r.Before), mebibytes(r.Highest),
		} {
			rows[i].Cells = append(rows[i].Cells, cell)
		}
		if r.Refused != "" {
			t.Notes = append(t.Notes, r.Phase+": "+r.Refused+".")
		}
	}
	t.Rows = rows
	t.Notes = append(t.Notes, fmt.Sprintf("%d requests in flight for %v in each phase, over %d resources; each answer was looked at, and none was wrong.",
		c.Workers, c.Duration, c.Fleet.Certificates+c.Fleet.Policies))
	return t
}

func millis(d time.Duration) string { return measure.Figure(float64(d) / float64(time.Millisecond)) }

func mebibytes(n float64) string { return measure.Figure(n / (1 << 20)) }
