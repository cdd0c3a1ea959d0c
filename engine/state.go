package engine

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
	"math"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-memdb"

	"github.com/fleetaudit/fleetaudit/model"
)

// The state is six tables of small rows, which the Store mirrors. A row is never changed once it is in: a copy replaces it. Ids
// and times are made before a transaction begins, so that a transaction depends on nothing but the state.
const (
	accountTable  = "account"  // at most one row
	scheduleTable = "schedule" // by name; "due": by next slot
	auditTable    = "audit"    // by task id; "start": by start time; "running": those in progress; "key": by idempotency key
	progressTable = "progress" // by task id and number: what became of some check runs of an audit

	metaTable        = "meta"        // one row: whose state it is
	suppressionTable = "suppression" // by check and resource; "token": by client request token; "expiry": soonest first
)

type metaRow struct{ accountID, region string }

type accountRow struct {
	roleARN string
	targets map[model.AuditNotificationType]model.AuditNotificationTarget
	checks  map[string]model.AuditCheckConfiguration

	settings atomic.Pointer[[]setting] // made of checks when they are first asked for
}

type scheduleRow struct {
	name          string
	frequency     model.AuditFrequency
	dayOfMonth    string
	dayOfWeek     model.DayOfWeek
	checks        []string
	tags          []model.Tag
	anchor        time.Time // when its calendar began to count
	next          time.Time // slot; zero: there is none any more
	lastSlot      time.Time // that an audit was started for
	lastRun       time.Time // start of its last audit
	lastTaskID    string
	lastCompleted time.Time // end of the last audit that completed
	missed        int       // slots that passed while nothing ran schedules
	skipped       int       // slots that fell while its audit still ran
}

type auditRow struct {
	taskID    string
	seq       uint64 // order of creation
	kind      model.AuditTaskType
	checks    []string // names, by ordinal
	status    model.AuditTaskStatus
	startTime time.Time // in milliseconds, as clients see it
	schedule  string    // name; empty on demand
	since     time.Time // start of the schedule's audit before
	canceled  bool      // it was told to stop
	asOf      time.Time // its checks judged as if it were then; zero: as of when they ran
	key       string    // that whoever started it gave; may be empty
	owed      bool      // its notification has to be delivered still
}

// progressRow is what one commit says of check runs. A later row of the audit goes before an earlier one; a
// check run of which none says anything is in progress.
type progressRow struct {
	taskID  string
	seq     uint64 // of the audit
	number  int
	runs    []checkRun                // which hold no pointers: there are many
	details []model.AuditCheckDetails // that runs share: most did as the one before
}

type checkRun struct {
	ordinal int // place among the checks of the audit
	details int // place among those of the row
	end     runEnd
}

// add adds what became of a check run.
func (r *progressRow) add(ordinal int, d model.AuditCheckDetails, end runEnd) {
	if n := len(r.details); n == 0 || r.details[n-1] != d {
		r.details = append(r.details, d)
	}
	r.runs = append(r.runs, checkRun{ordinal, len(r.details) - 1, end})
}

// of returns how a check run of the row did.
func (r *progressRow) of(run checkRun) *model.AuditCheckDetails { return &r.details[run.details] }

// runEnd is when a check run has ended, in epoch milliseconds.
type runEnd int64

const notEnded runEnd = math.MinInt64

func endAt(t time.Time) runEnd { return runEnd(t.UnixMilli()) }

// time returns the zero time if it has not ended.
func (r runEnd) time() time.Time {
	if r == notEnded {
		return time.Time{}
	}
	return time.UnixMilli(int64(r)).UTC()
}

type suppressionRow struct {
	key         []byte // of its check and resource
	check       string
	resource    model.ResourceIdentifier
	expiry      expiry
	description string
	token       string
	created     suppressionTerms // as the call that bore the token had them
}

func newState() (*memdb.MemDB, error) {
	return memdb.NewMemDB(&memdb.DBSchema{Tables: map[string]*memdb.TableSchema{
		metaTable: table(metaTable,
			index("id", func(*metaRow) []byte { return text("") })),
		accountTable: table(accountTable,
			index("id", func(*accountRow) []byte { return text("") })),
		scheduleTable: table(scheduleTable,
			index("id", func(r *scheduleRow) []byte { return text(r.name) }),
			index("due", func(r *scheduleRow) []byte {
				if r.next.IsZero() {
					return nil
				}
				return append(instant(r.next), r.name...)
			})),
		auditTable: table(auditTable,
			index("id", func(r *auditRow) []byte { return text(r.taskID) }),
			index("start", func(r *auditRow) []byte { return startKey(r.startTime, r.seq) }),
			index("running", func(r *auditRow) []byte {
				if r.status != model.AuditTaskStatusInProgress {
					return nil
				}
				return append(runningKey(r.schedule), r.taskID...)
			}),
			index("key", func(r *auditRow) []byte {
				if r.key == "" {
					return nil
				}
				return text(r.key)
			})),
		progressTable: table(progressTable,
			index("id", func(r *progressRow) []byte {
				return binary.BigEndian.AppendUint32(text(r.taskID), uint32(r.number))
			})),
		suppressionTable: table(suppressionTable,
			index("id", func(r *suppressionRow) []byte { return r.key }),
			index("token", func(r *suppressionRow) []byte { return text(r.token) }),
			index("expiry", func(r *suppressionRow) []byte { return append(r.expiry.key(), r.key...) })),
	}})
}

// text makes a key of which no other is a beginning.
func text(s string) []byte { return append([]byte(s), 0) }

// beyond makes a key that comes after every other.
func beyond() []byte { return bytes.Repeat([]byte{0xff}, 16) }

// instant makes a key that sorts as time does, to the nanosecond.
func instant(t time.Time) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(t.Unix())^1<<63)
	return binary.BigEndian.AppendUint32(b, uint32(t.Nanosecond()))
}

func startKey(t time.Time, seq uint64) []byte { return binary.BigEndian.AppendUint64(instant(t), seq) }

// runningKey is what the running audits of a schedule begin with; those on demand have no schedule.
func runningKey(schedule string) []byte { return text(schedule) }

func table(name string, indexes ...*memdb.IndexSchema) *memdb.TableSchema {
	t := &memdb.TableSchema{Name: name, Indexes: make(map[string]*memdb.IndexSchema)}
	for _, i := range indexes {
		t.Indexes[i.Name] = i
	}
	return t
}

// index makes a unique index of a function that returns a row's key in it, or nil if the row is not in it.
func index[T any](name string, key func(*T) []byte) *memdb.IndexSchema {
	return &memdb.IndexSchema{Name: name, Unique: true, AllowMissing: name != "id", Indexer: indexer[T](key)}
}

type indexer[T any] func(*T) []byte

func (key indexer[T]) FromObject(row any) (bool, []byte, error) {
	k := key(row.(*T))
	return k != nil, k, nil
}

func (key indexer[T]) FromArgs(args ...any) ([]byte, error) {
	if len(args) != 1 {
		return nil, fmt.Errorf("want one key, not %d", len(args))
	}
	return args[0].([]byte), nil
}

// must is for errors that only a mistake in the schema can bring.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// first returns the row with exactly that key, or nil.
func first[T any](txn *memdb.Txn, table, index string, key []byte) *T {
	row, _ := must(txn.First(table, index, key)).(*T)
	return row
}

// rows iterates over the rows whose key begins with prefix, in order of keys, as they were when the
// iteration began: a write transaction may change them meanwhile.
func rows[T any](txn *memdb.Txn, table, index string, prefix []byte) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		it := must(txn.Get(table, index, prefix))
		for row := it.Next(); row != nil; row = it.Next() {
			if !yield(row.(*T)) {
				return
			}
		}
	}
}

// rowsFrom iterates over the rows whose key is from or after it, in order of keys; descending: from or before it, in
// the opposite order.
func rowsFrom[T any](txn *memdb.Txn, table, index string, from []byte, descending bool) iter.Seq[*T] {
	bound := txn.LowerBound
	if descending {
		bound = txn.ReverseLowerBound
	}
	return func(yield func(*T) bool) {
		it := must(bound(table, index, from))
		for row := it.Next(); row != nil; row = it.Next() {
			if !yield(row.(*T)) {
				return
			}
		}
	}
}

func put[T any](txn *memdb.Txn, table string, row *T) {
	if err := txn.Insert(table, row); err != nil {
		panic(err)
	}
}

func remove[T any](txn *memdb.Txn, table string, row *T) {
	if err := txn.Delete(table, row); err != nil {
		panic(err)
	}
}

func (e *Engine) account(txn *memdb.Txn) *accountRow {
	return first[accountRow](txn, accountTable, "id", text(""))
}

func (e *Engine) schedule(txn *memdb.Txn, name string) *scheduleRow {
	return first[scheduleRow](txn, scheduleTable, "id", text(name))
}

func (e *Engine) audit(txn *memdb.Txn, taskID string) *auditRow {
	return first[auditRow](txn, auditTable, "id", text(taskID))
}

// runs returns the check runs of an audit, by ordinal.
func (e *Engine) runs(txn *memdb.Txn, a *auditRow) []*model.AuditCheckDetails {
	all := make([]*model.AuditCheckDetails, len(a.checks))
	running := &model.AuditCheckDetails{CheckRunStatus: model.AuditCheckRunStatusInProgress}
	for i := range all {
		all[i] = running
	}
	for row := range rows[progressRow](txn, progressTable, "id", text(a.taskID)) {
		for _, r := range row.runs {
			all[r.ordinal] = row.of(r)
		}
	}
	return all
}

// enabled tells whether the account has a check enabled.
func (a *accountRow) enabled(check string) bool { return a != nil && a.checks[check].Enabled }

// setting is what an account says of one of the Engine's checks.
type setting struct {
	enabled    bool
	parameters map[string]string // that the account has set
}

// settings returns what an account, which may be nil, says of the Engine's checks, by their ordinals. It is made once for a row.
func (e *Engine) settings(a *accountRow) []setting {
	if a == nil {
		return make([]setting, len(e.specs))
	}
	if s := a.settings.Load(); s != nil {
		return *s
	}
	s := make([]setting, len(e.specs))
	for i := range e.specs {
		c := a.checks[e.specs[i].Name]
		s[i] = setting{c.Enabled, c.Configuration}
	}
	a.settings.Store(&s)
	return s
}

func (e *Engine) scheduleARN(name string) string { return e.arn("scheduledaudit/" + name) }

func (e *Engine) arn(resource string) string {
	return strings.Join([]string{"arn:aws:iot", e.config.Region, e.config.AccountID, resource}, ":")
}
