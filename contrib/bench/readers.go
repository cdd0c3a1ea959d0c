package main

import (
	"errors"
	"runtime"
	"sync"
	"time"

	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/stores"
	"github.com/fleetaudit/fleetaudit/findings"
)

// Figures of readers and a writer.
const (
	pagesAlone     = "pages/s-alone"
	pagesTogether  = "pages/s-together"
	pagesRatio     = "pages-together:alone"
	writesAlone    = "findings/s-alone"
	writesTogether = "findings/s-together"
	writesRatio    = "findings-together:alone"
	slowestPage    = "slowest-page-ms"
)

// readers has one reader and one writer, each alone and then together, for some time each.
func readers(n int, each time.Duration, page int, kinds []stores.Kind) *experiment {
	fleet := sync.OnceValue(func() []findings.Finding { return stores.Fleet(n, oneInTen) })
	one := stores.Fleet(1, oneInTen)[0].Resource.ResourceIdentifier
	queries := []findings.Query{
		{Limit: page},
		{Limit: page, Resource: one},
		{Limit: page, CheckName: stores.CheckName(1)},
		{Limit: page, Suppressed: new(true)},
		{Limit: page, From: stores.Time(0, 0), To: stores.Time(0, stores.Checks)},
	}
	return &experiment{
		name: "readers", kinds: kinds,
		figures: []string{pagesAlone, pagesTogether, pagesRatio, writesAlone, writesTogether, writesRatio, slowestPage},
		setup: func(k stores.Kind) (func() ([]float64, error), error) {
			fs := fleet()
			return func() ([]float64, error) {
				s := k.New(n)
				day := 0
				if err := stores.Fill(s, day, fs, false); err != nil {
					return nil, err
				}
				// read and write go on until the time is over, and return how much a second they did.
				read := func() (perSecond float64, slowest time.Duration, err error) {
					start, count := time.Now(), 0
					for ; time.Since(start) < each && err == nil; count++ {
						asked := time.Now()
						_, err = s.Page(queries[count%len(queries)])
						slowest = max(slowest, time.Since(asked))
					}
					return float64(count) / time.Since(start).Seconds(), slowest, err
				}
				write := func() (perSecond float64, err error) {
					start, count := time.Now(), 0
					for time.Since(start) < each && err == nil {
						day++
						err = stores.Fill(s, day, fs, false)
						count += len(fs)
					}
					return float64(count) / time.Since(start).Seconds(), err
				}
				runtime.GC()
				readAlone, _, err := read()
				if err != nil {
					return nil, err
				}
				runtime.GC()
				writeAlone, err := write()
				if err != nil {
					return nil, err
				}
				runtime.GC()
				var readBeside, writeBeside float64
				var slowest time.Duration
				var readErr, writeErr error
				var both sync.WaitGroup
				both.Go(func() { readBeside, slowest, readErr = read() })
				both.Go(func() { writeBeside, writeErr = write() })
				both.Wait()
				if readErr != nil || writeErr != nil {
					return nil, errors.Join(readErr, writeErr)
				}
				if err := keptAll(s, 1+day, fs); err != nil {
					return nil, err
				}
				return []float64{
					readAlone, readBeside, readBeside / readAlone,
					writeAlone, writeBeside, writeBeside / writeAlone, slowest.Seconds() * 1e3,
				}, nil
			}, nil
		},
	}
}
