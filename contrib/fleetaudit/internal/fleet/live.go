package fleet

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/report"
)

const (
	// rest is what Open sets Live.Rest to.
	rest = 2 * time.Second
	// ease is how many times as long as a look took, or a reading that failed, is rested after it.
	ease = 20
	// patience is how long files may go on changing before they are read as they are.
	patience = 30 * time.Second
	// maxTold is how many problems are told of one reading.
	maxTold = 20
)

// Live is a fleet that follows the files that it is in.
type Live struct {
	// Inventory has the fleet. Whoever scans it meanwhile goes on over what it began with.
	Inventory *inventory.Inventory
	// Accounts are the numbers of the accounts that the files named when Open read them.
	Accounts []string
	// Rest is the least time between two looks at the files: two seconds, unless it is set before Follow.
	Rest time.Duration

	paths       []string
	allowUnread bool
	log         *slog.Logger
	look        func(context.Context, []string) (Digest, error)           // Look
	load        func(context.Context, []string) (inventory.Loaded, error) // loadAgain
	seen        Digest                                                    // of the files, just before they were read
	took        time.Duration

	mu       sync.Mutex
	status   Status
	problems []inventory.Problem
	failure  string // why the files cannot be read now; empty: they can
}

// Status says what is in a Live fleet, and how reading it went.
type Status struct {
	Resources report.Counts
	Problems  int       // what could not be read
	ReadAt    time.Time // when reading it began
	Readings  int       // that succeeded, the first one too
	Failures  int       // readings after which the fleet stayed as it was
}

// Open reads the files and folders that paths name, as [Load] does, and logs what could not be read. Standard input,
// and whatever else cannot be read again, is refused.
//
// Unless allowUnread is set, a file or folder that cannot be read is an error: what is in it would not be audited, and
// what is not audited must not pass for compliant.
func Open(ctx context.Context, paths []string, allowUnread bool, log *slog.Logger) (*Live, error) {
	l := &Live{Rest: rest, paths: paths, allowUnread: allowUnread, log: log, look: Look, load: loadAgain}
	began := time.Now()
	seen, err := within(ctx, func() (Digest, error) { return Look(ctx, paths) })
	if err != nil {
		return nil, err
	}
	all, err := l.read(ctx)
	if err != nil {
		return nil, err
	}
	l.Inventory = inventory.New(all.Contents)
	for _, a := range all.Accounts {
		l.Accounts = append(l.Accounts, a.Account)
	}
	l.take(all, seen, began)
	return l, nil
}

// Status returns how the fleet stands. It is safe for concurrent use.
func (l *Live) Status() Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.status
}

// Follow looks again and again at the files, and reads them when they have changed and two looks agree, or when they
// have been changing for long. It blocks until ctx ends, and returns its cause. The caller owns it; it may be called once.
//
// What Open would refuse, an empty fleet too, leaves the fleet of before where it is.
func (l *Live) Follow(ctx context.Context) error {
	var last Digest
	var since time.Time // when it was first seen that the files are others; zero: they are not
	rest := l.Rest
	for {
		if err := sleep(ctx, rest); err != nil {
			return err
		}
		began := time.Now()
		now, err := within(ctx, func() (Digest, error) { return l.look(ctx, l.paths) })
		if err != nil {
			return err
		}
		rest = max(l.Rest, ease*time.Since(began))
		switch {
		case now == l.seen:
			since = time.Time{}
			l.recovered()
		case since.IsZero():
			last, since = now, began
		case now != last && time.Since(since) < patience+ease*l.took:
			last = now
		default:
			since = time.Time{}
			rest = max(rest, l.reread(ctx, now))
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
		}
	}
}

// sleep returns after d, or with the cause of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// loadAgain reads files that can be read again.
func loadAgain(ctx context.Context, paths []string) (inventory.Loaded, error) {
	_, err := within(ctx, func() (struct{}, error) { return struct{}{}, readable(paths) })
	if err != nil {
		return inventory.Loaded{}, err
	}
	return Load(ctx, nil, paths)
}

// readable fails if a path does not lead to what can be read again.
func readable(paths []string) error {
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return describe(path, err)
		}
		if !info.IsDir() && !info.Mode().IsRegular() {
			return fmt.Errorf("%s: is neither a file nor a folder, and cannot be read again", path)
		}
	}
	return nil
}

// reread puts what the files hold into the place of what they held, if there is anything to be read. seen is their
// Digest. It returns how long to rest.
func (l *Live) reread(ctx context.Context, seen Digest) time.Duration {
	began := time.Now()
	all, err := l.read(ctx)
	if ctx.Err() != nil {
		return 0
	}
	took := time.Since(began)
	if err != nil {
		l.failed(err)
		return ease * took
	}
	l.Inventory.Replace(all.Contents)
	l.take(all, seen, began)
	return took
}

// read reads the files. It fails if there is nothing in them, or not all of it could be read.
func (l *Live) read(ctx context.Context) (inventory.Loaded, error) {
	all, err := l.load(ctx, l.paths)
	if err != nil {
		return inventory.Loaded{}, err
	}
	i := slices.IndexFunc(all.Problems, func(p inventory.Problem) bool { return p.Unread })
	if i >= 0 && !l.allowUnread {
		p := all.Problems[i]
		return inventory.Loaded{}, fmt.Errorf("%s: %s (--allow-unread serves what can be read)", place(p.Origin), p.What)
	}
	return all, nil
}

// failed takes down why the files cannot be read, and tells it once.
func (l *Live) failed(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.status.Failures++
	if l.failure != err.Error() {
		l.failure = err.Error()
		l.log.Error("the fleet cannot be read again, and stays as it was", "error", l.failure)
	}
}

// recovered takes down that the files are what they were when they were read.
func (l *Live) recovered() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failure != "" {
		l.failure = ""
		l.log.Info("the files of the fleet are as they were")
	}
}

// take takes down what has been read, and tells what is other than before.
func (l *Live) take(all inventory.Loaded, seen Digest, began time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	first, was, told := l.status.Readings == 0, l.status.Resources, l.problems
	l.seen, l.took, l.failure, l.problems = seen, time.Since(began), "", all.Problems
	n := report.Count(all.Contents)
	l.status.Resources, l.status.Problems, l.status.ReadAt = n, len(all.Problems), began
	l.status.Readings++
	if !first {
		l.log.Info("the fleet was read again", group("fleet", n, was), group("before", was, n),
			"problems", len(all.Problems), "took", l.took.Round(time.Millisecond))
	}
	tell(l.log, all.Problems, told)
}
