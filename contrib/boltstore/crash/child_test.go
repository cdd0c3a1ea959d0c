//go:build unix

package crash_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

const (
	workers   = 4
	retention = 48 * time.Hour
)

// child is a process that runs an Engine under load, and is killed.
type child struct {
	speaker
	plan
	*engine.Engine

	calendar sync.RWMutex // held while schedules are changed: by one alone, or by all that change them all

	mu     sync.Mutex
	recent []string // audits

	failed atomic.Bool // some operation did, of which it is open whether it was done
}

// runChild does what the plan on the standard input says. It tells of it on the first file that it was handed.
func runChild() error {
	in := bufio.NewReader(os.Stdin)
	line, err := in.ReadBytes('\n')
	if err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, in)
		os.Exit(3) // the parent is gone
	}()
	c := &child{speaker: speaker{os.NewFile(3, "events")}}
	if err := json.Unmarshal(line, &c.plan); err != nil {
		return err
	}
	store, err := openStore(c.Store, c.Path)
	if err != nil {
		return err
	}
	c.Engine, err = engine.New(engine.Config{
		Checks:             fleet(workers),
		Store:              store,
		Notifier:           c,
		Retention:          retention,
		MaxScheduledAudits: -1,
		MaxOnDemandAudits:  8,
		Concurrency:        8,
		TimeOfDay:          c.TimeOfDay,
		Spread:             -1,
	})
	if err != nil {
		return err
	}
	if err := c.dump(isDump); err != nil {
		return err
	}
	if _, err := c.Resume(); err != nil {
		return err
	}
	if c.Settle {
		if err := c.settle(); err != nil {
			return err
		}
	}
	c.say(event{Kind: isReady})
	c.load()
	if c.failed.Load() {
		return errors.New("an operation failed")
	}
	// The load ended because the plan says so.
	if err := c.Engine.Close(); err != nil {
		return err
	}
	if err := store.Close(); err != nil {
		return err
	}
	c.say(event{Kind: isClosed})
	return nil
}

// Notify implements [engine.Notifier].
func (c *child) Notify(_ context.Context, n engine.Notification) error {
	a := n.Audit
	c.say(event{Kind: isNote, Note: &noteView{ID: n.ID, TaskID: a.TaskID, Status: a.TaskStatus, Statistics: model.TaskStatistics{
		TotalChecks: a.TotalChecksCount, CompliantChecks: a.CompliantChecksCount, NonCompliantChecks: a.NonCompliantChecksCount,
		FailedChecks: a.FailedChecksCount, CanceledChecks: a.CanceledChecksCount,
	}}})
	return nil
}

// settle waits for the audits that were interrupted.
func (c *child) settle() error {
	tasks, err := c.tasks()
	if err != nil {
		return err
	}
	for _, t := range tasks {
		if _, err := c.WaitAuditTask(context.Background(), t.TaskID); err != nil {
			return err
		}
	}
	return c.dump(isSettled)
}

// load calls operations, as many at once as there are workers and one more.
func (c *child) load() {
	ctx := context.Background()
	if c.Ends {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.Load)
		defer cancel()
	}
	var all sync.WaitGroup
	defer all.Wait()
	for i := range workers + 1 {
		all.Go(func() {
			r := rand.New(rand.NewPCG(c.Seed, uint64(c.Life*(workers+1)+i)))
			w := worker{child: c, number: i, rand: r}
			for _, op := range c.Resend {
				if op.Worker == i && ctx.Err() == nil && !c.failed.Load() {
					op.At = time.Now()
					w.do(op)
				}
			}
			for ctx.Err() == nil && !c.failed.Load() {
				w.step()
			}
		})
	}
}

// worker calls one operation after the other, on objects that are its own.
type worker struct {
	*child
	number int
	rand   *rand.Rand
	calls  int
	last   operation // that created a suppression or started an audit with a key
}

// do calls an operation, and tells before and after.
func (w *worker) do(op operation) {
	switch {
	case op.all():
		w.calendar.Lock()
		defer w.calendar.Unlock()
	case op.schedule() != "":
		w.calendar.RLock()
		defer w.calendar.RUnlock()
	}
	w.say(event{Kind: isIntent, Operation: &op})
	ack := event{Kind: isAck, Worker: op.Worker}
	tasks, err := w.call(&op)
	ack.TaskIDs = tasks
	if err != nil {
		ack.Err = "!" + err.Error()
		if e, ok := errors.AsType[model.APIError](err); ok && e.ErrorCode() != "InternalFailureException" {
			ack.Err = e.ErrorCode()
		}
	} else if op.all() {
		ack.Schedules, err = w.schedules()
		if err == nil && op.Forget == nil {
			ack.Kept, err = w.taskIDs()
		}
	} else if name := op.schedule(); name != "" && op.Delete == nil {
		var s scheduleView
		s, err = w.schedule(name)
		ack.Schedules = []scheduleView{s}
	}
	if strings.HasPrefix(ack.Err, "!") {
		w.failed.Store(true)
	}
	if err != nil && ack.Err == "" {
		ack.Err = "! afterwards " + err.Error()
	}
	w.say(ack)
	w.mu.Lock() // not before: nobody may name an audit of which the parent does not know
	defer w.mu.Unlock()
	w.recent = append(w.recent, tasks...)
	w.recent = w.recent[max(0, len(w.recent)-12):]
}

func (w *worker) call(op *operation) (tasks []string, err error) {
	ctx, e := context.Background(), w.Engine
	switch {
	case op.Configure != nil:
		_, err = e.UpdateAccountAuditConfiguration(ctx, op.Configure)
	case op.Forget != nil:
		_, err = e.DeleteAccountAuditConfiguration(ctx, op.Forget)
	case op.Create != nil:
		_, err = e.CreateScheduledAudit(ctx, op.Create)
	case op.Update != nil:
		_, err = e.UpdateScheduledAudit(ctx, op.Update)
	case op.Delete != nil:
		_, err = e.DeleteScheduledAudit(ctx, op.Delete)
	case op.Tag != nil:
		_, err = e.TagResource(ctx, op.Tag)
	case op.Untag != nil:
		_, err = e.UntagResource(ctx, op.Untag)
	case op.Suppress != nil:
		_, err = e.CreateAuditSuppression(ctx, op.Suppress)
	case op.Resuppress != nil:
		_, err = e.UpdateAuditSuppression(ctx, op.Resuppress)
	case op.Unsuppress != nil:
		_, err = e.DeleteAuditSuppression(ctx, op.Unsuppress)
	case op.Cancel != nil:
		_, err = e.CancelAuditTask(ctx, op.Cancel)
	case op.Start != nil:
		return w.start(op)
	default:
		return e.RunDue(ctx, op.Due)
	}
	return nil, err
}

// start starts an audit, if the operation says so with two calls at once, which must start one.
func (w *worker) start(op *operation) ([]string, error) {
	ctx := context.Background()
	if op.Key != "" {
		ctx = engine.WithIdempotencyKey(ctx, op.Key)
	}
	var tasks [2]string
	var errs [2]error
	var all sync.WaitGroup
	for i := range tasks {
		if i == 0 || op.Twice {
			all.Go(func() {
				out, err := w.StartOnDemandAuditTask(ctx, op.Start)
				if errs[i] = err; err == nil {
					tasks[i] = out.TaskID
				}
			})
		}
	}
	all.Wait()
	if op.Twice && (errs[0] != nil) != (errs[1] != nil) { // of the others that run one may have ended in between
		if errs[0] != nil {
			return tasks[1:], nil
		}
		return tasks[:1], nil
	}
	if errs[0] != nil {
		return nil, errs[0]
	}
	if op.Twice && tasks[0] != tasks[1] {
		return tasks[:], nil // the parent knows whether that can be
	}
	return tasks[:1], nil
}
