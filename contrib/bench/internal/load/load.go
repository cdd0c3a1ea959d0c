package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Config says how much load there is.
type Config struct {
	Fleet    Fleet
	Workers  int           // requests in flight
	Duration time.Duration // of each phase
	Attack   Attack
	Progress io.Writer
}

// Result is what one phase measured.
type Result struct {
	Phase           string
	Answered        int
	Throttled       int
	Rate            float64 // answered a second
	Median, P99     time.Duration
	Slowest         time.Duration
	Audits          int     // that ended
	Before, Highest float64 // bytes of the server's memory: before the phase, and at most during it
	Refused         string  // of the attack: what became of it; empty: there was none
}

// Run starts a server of a generated fleet for each phase: for whoever is on this machine without a limit of calls, with it,
// and under attack, and for whoever signs, while others forge signatures. It works within the workspace of a clone. The
// error tells of every answer that was wrong, and of every request that failed for another reason than throttling.
func Run(ctx context.Context, c Config) ([]Result, error) {
	folder, err := os.MkdirTemp("", "fleetaudit-load-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	fmt.Fprintf(c.Progress, "building the server\n")
	program, err := build(ctx, folder)
	if err != nil {
		return nil, err
	}
	keys := filepath.Join(folder, "keys.ini")
	if err := os.WriteFile(keys, fmt.Appendf(nil, "[load]\naws_access_key_id = %s\naws_secret_access_key = %s\n", accessKeyID, secret), 0o600); err != nil {
		return nil, err
	}
	forged := Attack{Forged: c.Attack.Forged}
	c.Attack.Forged = 0
	fleet := filepath.Join(folder, "fleet")
	fmt.Fprintf(c.Progress, "making %d certificates and %d policies\n", c.Fleet.Certificates, c.Fleet.Policies)
	if err := errors.Join(os.Mkdir(fleet, 0o700), c.Fleet.Write(fleet)); err != nil {
		return nil, err
	}
	var results []Result
	for _, p := range []struct {
		name   string
		args   []string
		attack Attack
	}{{"load", nil, Attack{}}, {"--throttle", []string{"--throttle"}, Attack{}}, {"attack", nil, c.Attack}, {"signed", []string{"--credentials", keys}, forged}} {
		fmt.Fprintf(c.Progress, "%s: %d requests in flight for %v\n", p.name, c.Workers, c.Duration)
		r, err := c.phase(ctx, program, append(p.args, fleet), p.attack)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		r.Phase = p.name
		results = append(results, r)
	}
	return results, nil
}

// phase runs one server under load.
func (c Config) phase(ctx context.Context, program string, args []string, attack Attack) (r Result, err error) {
	s, err := start(ctx, program, args...)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	api := newClient(s.url, c.Workers, c.Fleet)
	if err := api.configure(ctx); err != nil {
		return r, err
	}
	api.audit(ctx)
	if r.Before, err = s.memory(); err != nil {
		return r, err
	}
	api.tally = new(tally)

	// Not WithTimeout: a dialer would fail at the deadline, a moment before the context ends.
	during, stop := context.WithCancel(ctx)
	defer stop()
	defer time.AfterFunc(c.Duration, stop).Stop()
	var all sync.WaitGroup
	for i := range c.Workers {
		all.Go(func() { api.work(during, i) })
	}
	all.Go(func() {
		for during.Err() == nil {
			api.audit(during)
		}
	})
	var watched, attacked error
	all.Go(func() { r.Highest, watched = s.peak(during, 100*time.Millisecond) })
	all.Go(func() { r.Refused, attacked = attack.run(during, s.url) })
	all.Wait()
	api.audit(ctx) // what it says after all that

	t := api.tally
	r.Answered, r.Throttled, r.Rate = len(t.took), t.throttled, float64(len(t.took))/c.Duration.Seconds()
	r.Median, r.P99, r.Slowest = t.percentile(0.5), t.percentile(0.99), t.percentile(1)
	r.Audits = int(api.count.Load()) - 2
	return r, errors.Join(watched, attacked, t.err())
}
