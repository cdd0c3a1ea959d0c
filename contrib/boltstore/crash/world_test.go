//go:build unix

package crash_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// world is what must be there, as far as the children have told: what was acknowledged, and what somebody has seen. Of
// what was begun and not acknowledged, both the state before and the one after are right; which of them it is the
// next child tells.
type world struct {
	timeOfDay time.Duration
	power     bool // the disk may fail while a child runs
	life      int
	wrong     []string // what is lost, doubled, half-applied or otherwise not as it must be

	pending      map[int]*operation // by worker
	account      *model.DescribeAccountAuditConfigurationOutput
	schedules    map[string]*scheduleView
	suppressions map[string]*suppressionState
	ever         map[string]bool // suppressions that there may have been
	audits       map[string]*auditState
	expired      []*auditState     // that there were when the last RunDue began, and that it may drop
	keys         map[string]string // audits by idempotency key
	notes        map[string][]note
	clean        int // the last life that ended by Close
	seen         map[findings.Fingerprint]seenState
	last         map[int]operation // by worker: the last that can be sent again, whether it is known to be done or not
	resend       []operation

	// How often things happened, so that it shows that they did.
	acked, dumps, adopted, interrupted, dropped, repeated int
}

// suppressionState is a suppression, and with what it was created.
type suppressionState struct {
	model.AuditSuppression
	created *model.CreateAuditSuppressionInput
}

// auditState is an audit as it has been seen last.
type auditState struct {
	auditView
	begun    time.Time                     // the call that started it
	since    *scheduleView                 // of a scheduled one: its schedule after the call that started it returned
	frozen   map[string]runState           // check runs that have ended
	canceled bool                          // it was told to stop
	finds    map[findings.Fingerprint]bool // of those that are watched
	mayStop  bool                          // it may have been
	mayGo    bool                          // it may have been dropped
	mustGo   bool                          // somebody has seen that it was
	gone     bool                          // it is
}

type runState struct {
	details model.AuditCheckDetails
	found   *foundView // nil: not read yet
}

type note struct {
	noteView
	life int
}

func newWorld(timeOfDay time.Duration) *world {
	return &world{
		timeOfDay:    timeOfDay,
		clean:        -1,
		pending:      make(map[int]*operation),
		last:         make(map[int]operation),
		schedules:    make(map[string]*scheduleView),
		suppressions: make(map[string]*suppressionState),
		ever:         make(map[string]bool),
		audits:       make(map[string]*auditState),
		keys:         make(map[string]string),
		notes:        make(map[string][]note),
		seen:         make(map[findings.Fingerprint]seenState),
	}
}

func (w *world) fail(format string, args ...any) {
	w.wrong = append(w.wrong, fmt.Sprintf("life %d: ", w.life)+fmt.Sprintf(format, args...))
}

// text is how states are compared and shown.
func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func same(a, b any) bool { return text(a) == text(b) }

// take takes what a child has told.
func (w *world) take(e *event) {
	switch e.Kind {
	case isIntent:
		op := e.Operation
		w.pending[op.Worker] = op
		if op.Suppress != nil {
			w.ever[op.suppression()] = true
		}
		if op.Cancel != nil {
			if a := w.audits[op.Cancel.TaskID]; a != nil {
				a.mayStop = true
			}
		}
		if !op.Due.IsZero() {
			w.expired = nil
			for _, a := range w.audits {
				if a.expire(op.Due); a.mayGo {
					w.expired = append(w.expired, a)
				}
			}
		}
		// What is started while RunDue runs may be dropped by it before anybody knows of it.
		for _, other := range w.pending {
			if due := w.pending[workers]; due != nil && due.Due.After(other.swept) {
				other.swept = due.Due
			}
		}
	case isAck:
		op := w.pending[e.Worker]
		if e.Err != "" && e.Err[0] == '!' {
			if !w.power { // otherwise the disk is gone, and nobody knows
				w.fail("%s: %s", text(op), e.Err)
			}
			return
		}
		w.acknowledge(op, e)
		if op.Suppress != nil || op.Key != "" {
			w.last[op.Worker] = *op
		}
		delete(w.pending, e.Worker)
		w.acked++
	case isSaw:
		if a := w.audits[e.Audit.TaskID]; a != nil {
			w.freeze(a, e.Audit)
		}
	case isNote:
		w.notify(e.Note)
	case isDump, isSettled:
		w.compare(e.Dump, e.Kind == isSettled)
		w.dumps++
	case isClosed:
		w.clean = w.life
	}
}

// expire notes that RunDue may drop an audit.
func (a *auditState) expire(due time.Time) {
	start := a.Start
	if start.IsZero() {
		start = a.begun
	}
	a.mayGo = a.mayGo || start.Before(due.Add(-retention))
}

// acknowledge takes what an operation has returned.
func (w *world) acknowledge(op *operation, e *event) {
	switch now := time.Now(); {
	case op.all():
		w.acknowledgeAll(op, e)
	case op.schedule() != "":
		w.acknowledgeSchedule(op, e, now)
	case op.suppression() != "":
		key := op.suppression()
		next, code := suppressionAfter(w.suppressions[key], op)
		if e.Err != code {
			w.fail("%s answered %q, want %q after %s", text(op), e.Err, code, text(w.suppressions[key]))
		}
		if e.Err == "" {
			w.suppressions[key] = next
		}
	case op.Configure != nil:
		if e.Err == "" {
			w.account = accountAfter(w.account, op)
		} else if e.Err != "InvalidRequestException" {
			w.fail("%s answered %s", text(op), e.Err)
		}
	case op.Start != nil:
		w.acknowledgeStart(op, e)
	case op.Cancel != nil:
		a := w.audits[op.Cancel.TaskID]
		switch {
		case a == nil:
			w.fail("%s: nobody has started it", text(op))
		case e.Err == "":
			a.canceled = true
		case e.Err == "ResourceNotFoundException" && a.mayGo:
		case e.Err != "InvalidRequestException": // it has ended
			w.fail("%s answered %s", text(op), e.Err)
		}
	}
}

// compare looks at what an Engine holds. From then on that is what must be there.
func (w *world) compare(d *dumpView, settled bool) {
	// Nobody has done anything since the operations that were not acknowledged but to open the store.
	now := time.Now()
	w.compareAudits(d, settled, now)
	w.compareAccount(d, now)
	w.compareSuppressions(d)
	w.compareSeen(d)
	if !settled {
		w.compareStatistics(&d.Statistics)
	}
	for _, number := range slices.Sorted(maps.Keys(w.pending)) {
		if op := w.pending[number]; op.Suppress != nil || op.Key != "" {
			w.last[number] = *op
		}
	}
	w.resend = slices.Collect(maps.Values(w.last))
	clear(w.pending)
}

func (w *world) compareSuppressions(d *dumpView) {
	there := make(map[string]*model.AuditSuppression)
	for i, s := range d.Suppressions {
		key := suppressionKey(s.CheckName, s.ResourceIdentifier)
		if there[key] != nil {
			w.fail("the suppression %s is there twice", key)
		}
		there[key] = &d.Suppressions[i]
	}
	pending := make(map[string]*operation)
	for _, op := range w.pending {
		pending[op.suppression()] = op
	}
	keys := maps.Clone(there)
	for key := range w.suppressions {
		keys[key] = there[key]
	}
	for key := range keys {
		may := []*suppressionState{w.suppressions[key]}
		if op := pending[key]; op != nil {
			if next, code := suppressionAfter(may[0], op); code == "" {
				may = append(may, next)
			}
		}
		i := slices.IndexFunc(may, func(s *suppressionState) bool {
			if s == nil || there[key] == nil {
				return s == nil && there[key] == nil
			}
			return same(s.AuditSuppression, there[key])
		})
		if i < 0 {
			w.fail("the suppression %s is %s, want one of %s", key, text(there[key]), text(may))
			continue
		}
		if w.suppressions[key] = may[i]; may[i] == nil {
			delete(w.suppressions, key)
		}
	}
}

// suppressionAfter returns what becomes of a suppression, or the code of the error.
func suppressionAfter(old *suppressionState, op *operation) (*suppressionState, string) {
	switch {
	case op.Suppress != nil:
		in := op.Suppress
		if old != nil {
			if same(old.created, in) {
				return old, ""
			}
			return nil, "ResourceAlreadyExistsException"
		}
		s := &suppressionState{created: in, AuditSuppression: model.AuditSuppression{
			CheckName: in.CheckName, ResourceIdentifier: in.ResourceIdentifier, Description: in.Description,
			ExpirationDate: in.ExpirationDate, SuppressIndefinitely: new(in.SuppressIndefinitely != nil),
		}}
		return s, ""
	case op.Resuppress != nil:
		in := op.Resuppress
		if old == nil {
			return nil, "ResourceNotFoundException"
		}
		s := *old
		s.ExpirationDate, s.SuppressIndefinitely = in.ExpirationDate, new(in.SuppressIndefinitely != nil)
		if in.Description != nil {
			s.Description = *in.Description
		}
		return &s, ""
	default:
		return nil, ""
	}
}

// accountAfter returns what becomes of the account's settings.
func accountAfter(old *model.DescribeAccountAuditConfigurationOutput, op *operation) *model.DescribeAccountAuditConfigurationOutput {
	if op.Forget != nil {
		return nil
	}
	next := &model.DescribeAccountAuditConfigurationOutput{
		AuditCheckConfigurations:              make(map[string]model.AuditCheckConfiguration),
		AuditNotificationTargetConfigurations: make(map[model.AuditNotificationType]model.AuditNotificationTarget),
	}
	if old != nil {
		next.RoleARN = old.RoleARN
		maps.Copy(next.AuditCheckConfigurations, old.AuditCheckConfigurations)
		maps.Copy(next.AuditNotificationTargetConfigurations, old.AuditNotificationTargetConfigurations)
	}
	if op.Configure.RoleARN != "" {
		next.RoleARN = op.Configure.RoleARN
	}
	for name, c := range op.Configure.AuditCheckConfigurations {
		if c.Configuration == nil {
			c.Configuration = next.AuditCheckConfigurations[name].Configuration
		}
		next.AuditCheckConfigurations[name] = c
	}
	maps.Copy(next.AuditNotificationTargetConfigurations, op.Configure.AuditNotificationTargetConfigurations)
	return next
}

// noAccount is what the settings of an account look like that has none.
func noAccount() *model.DescribeAccountAuditConfigurationOutput {
	none := &model.DescribeAccountAuditConfigurationOutput{AuditCheckConfigurations: make(map[string]model.AuditCheckConfiguration)}
	for _, c := range fleet(workers) {
		none.AuditCheckConfigurations[c.Spec().Name] = model.AuditCheckConfiguration{}
	}
	return none
}

// compareAccount compares the settings and the schedules, which go together when settings are deleted.
func (w *world) compareAccount(d *dumpView, now time.Time) {
	show := func(a *model.DescribeAccountAuditConfigurationOutput) string {
		if a == nil {
			return text(noAccount())
		}
		return text(a)
	}
	op, forgotten := w.pending[0], false
	switch is := text(d.Account); {
	case is == show(w.account):
	case op != nil && (op.Configure != nil || op.Forget != nil) && is == show(accountAfter(w.account, op)):
		w.account = accountAfter(w.account, op)
		forgotten = op.Forget != nil && op.Forget.DeleteScheduledAudits
	default:
		w.fail("the settings are %s, want %s, or what comes of it by %s", is, show(w.account), text(op))
	}
	w.compareSchedules(d, forgotten, now)
}
