package engine

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hashicorp/go-memdb"

	"github.com/fleetaudit/fleetaudit/model"
)

// recordVersion is the first byte of each value; JSON follows. A value of an earlier version is read by what reads
// that version, and written anew when its row changes.
const recordVersion = 1

// record says how the rows of a table are kept.
type record struct {
	key    func(row any) []byte
	encode func(row any) any
	decode func(data []byte) (row any, err error)
}

// recorded makes the record of rows R, kept as J.
func recorded[R, J any](key func(*R) []byte, encode func(*R) J, decode func(*J) *R) record {
	return record{
		key:    func(row any) []byte { return key(row.(*R)) },
		encode: func(row any) any { return encode(row.(*R)) },
		decode: func(data []byte) (any, error) {
			var j J
			d := json.NewDecoder(bytes.NewReader(data))
			d.DisallowUnknownFields()
			if err := d.Decode(&j); err != nil {
				return nil, err
			}
			if _, err := d.Token(); !errors.Is(err, io.EOF) {
				return nil, errors.New("something follows the value")
			}
			return decode(&j), nil
		},
	}
}

// records says how each table of the state is kept.
func records() map[string]record {
	return map[string]record{
		metaTable:        recorded((*metaRow).key, (*metaRow).record, (*metaRecord).row),
		accountTable:     recorded((*accountRow).key, (*accountRow).record, (*accountRecord).row),
		scheduleTable:    recorded((*scheduleRow).key, (*scheduleRow).record, (*scheduleRecord).row),
		auditTable:       recorded((*auditRow).storeKey, (*auditRow).record, (*auditRecord).row),
		progressTable:    recorded((*progressRow).key, (*progressRow).record, (*progressRecord).row),
		suppressionTable: recorded((*suppressionRow).storeKey, (*suppressionRow).record, (*suppressionRecord).row),
	}
}

func (r record) value(row any) []byte {
	data, err := json.Marshal(r.encode(row))
	if err != nil {
		panic(err) // only a mistake in a record can bring it
	}
	return append([]byte{recordVersion}, data...)
}

// row reads what value wrote. The key must be that of the row.
func (r record) row(key, value []byte) (any, error) {
	if len(value) == 0 || value[0] == 0 {
		return nil, errors.New("has no version")
	}
	if value[0] > recordVersion {
		return nil, fmt.Errorf("has version %d, and this program knows no later one than %d", value[0], recordVersion)
	}
	row, err := r.decode(value[1:])
	if err != nil {
		return nil, err
	}
	if want := r.key(row); !bytes.Equal(key, want) {
		return nil, fmt.Errorf("is of the key %q", want)
	}
	return row, nil
}

// mirrored returns what changes of the state are to the Store.
func mirrored(changes memdb.Changes) []Change {
	all := records()
	var out []Change
	for _, c := range changes {
		r := all[c.Table]
		switch {
		case c.After == nil:
			out = append(out, Change{Table: c.Table, Key: r.key(c.Before)})
		case c.After != c.Before:
			out = append(out, Change{Table: c.Table, Key: r.key(c.After), Value: r.value(c.After)})
		}
	}
	return out
}

// moment is an instant to the nanosecond: seconds since the epoch, and nanoseconds.
type moment [2]int64

func momentOf(t time.Time) *moment {
	if t.IsZero() {
		return nil
	}
	return &moment{t.Unix(), int64(t.Nanosecond())}
}

func (m *moment) time() time.Time {
	if m == nil {
		return time.Time{}
	}
	return time.Unix(m[0], m[1]).UTC()
}

type metaRecord struct {
	AccountID string `json:"accountId"`
	Region    string `json:"region"`
}

func (r *metaRow) key() []byte        { return []byte("engine") }
func (r *metaRow) record() metaRecord { return metaRecord{r.accountID, r.region} }
func (r *metaRecord) row() *metaRow   { return &metaRow{r.AccountID, r.Region} }
func (r *accountRow) key() []byte     { return []byte("audit") }
func (r *scheduleRow) key() []byte    { return []byte(r.name) }
func (r *auditRow) storeKey() []byte  { return binary.BigEndian.AppendUint64(nil, r.seq) }

type accountRecord struct {
	RoleARN string                                                        `json:"roleArn,omitzero"`
	Targets map[model.AuditNotificationType]model.AuditNotificationTarget `json:"targets,omitzero"`
	Checks  map[string]model.AuditCheckConfiguration                      `json:"checks,omitzero"`
}

func (r *accountRow) record() accountRecord { return accountRecord{r.roleARN, r.targets, r.checks} }
func (r *accountRecord) row() *accountRow {
	return &accountRow{roleARN: r.RoleARN, targets: r.Targets, checks: r.Checks}
}

type scheduleRecord struct {
	Name          string               `json:"name"`
	Frequency     model.AuditFrequency `json:"frequency"`
	DayOfMonth    string               `json:"dayOfMonth,omitzero"`
	DayOfWeek     model.DayOfWeek      `json:"dayOfWeek,omitzero"`
	Checks        []string             `json:"checks"`
	Tags          []model.Tag          `json:"tags,omitzero"`
	Anchor        *moment              `json:"anchor"`
	Next          *moment              `json:"next,omitzero"`
	LastSlot      *moment              `json:"lastSlot,omitzero"`
	LastRun       *moment              `json:"lastRun,omitzero"`
	LastTaskID    string               `json:"lastTaskId,omitzero"`
	LastCompleted *moment              `json:"lastCompleted,omitzero"`
	Missed        int                  `json:"missed,omitzero"`
	Skipped       int                  `json:"skipped,omitzero"`
}

func (r *scheduleRow) record() scheduleRecord {
	return scheduleRecord{
		r.name, r.frequency, r.dayOfMonth, r.dayOfWeek, r.checks, r.tags, momentOf(r.anchor), momentOf(r.next),
		momentOf(r.lastSlot), momentOf(r.lastRun), r.lastTaskID, momentOf(r.lastCompleted), r.missed, r.skipped,
	}
}

func (r *scheduleRecord) row() *scheduleRow {
	return &scheduleRow{
		r.Name, r.Frequency, r.DayOfMonth, r.DayOfWeek, r.Checks, r.Tags, r.Anchor.time(), r.Next.time(),
		r.LastSlot.time(), r.LastRun.time(), r.LastTaskID, r.LastCompleted.time(), r.Missed, r.Skipped,
	}
}

type auditRecord struct {
	TaskID    string                `json:"taskId"`
	Seq       uint64                `json:"seq"`
	Kind      model.AuditTaskType   `json:"type"`
	Checks    []string              `json:"checks"`
	Status    model.AuditTaskStatus `json:"status"`
	StartTime *moment               `json:"startTime"`
	Schedule  string                `json:"schedule,omitzero"`
	Since     *moment               `json:"since,omitzero"`
	Canceled  bool                  `json:"canceled,omitzero"`
	AsOf      *moment               `json:"asOf,omitzero"`
	Key       string                `json:"key,omitzero"`
	Owed      bool                  `json:"owed,omitzero"`
}

func (r *auditRow) record() auditRecord {
	return auditRecord{
		r.taskID, r.seq, r.kind, r.checks, r.status, momentOf(r.startTime), r.schedule, momentOf(r.since), r.canceled,
		momentOf(r.asOf), r.key, r.owed,
	}
}

func (r *auditRecord) row() *auditRow {
	return &auditRow{
		r.TaskID, r.Seq, r.Kind, r.Checks, r.Status, r.StartTime.time(), r.Schedule, r.Since.time(), r.Canceled,
		r.AsOf.time(), r.Key, r.Owed,
	}
}

type progressRecord struct {
	TaskID string           `json:"taskId"`
	Seq    uint64           `json:"seq"`
	Number int              `json:"number"`
	Runs   []checkRunRecord `json:"runs"`
}

type checkRunRecord struct {
	Ordinal int                     `json:"ordinal"`
	Details model.AuditCheckDetails `json:"details"`
	End     *moment                 `json:"end,omitzero"`
}

func (r *progressRow) key() []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(nil, r.seq), uint32(r.number))
}

func (r *progressRow) record() progressRecord {
	p := progressRecord{r.taskID, r.seq, r.number, make([]checkRunRecord, len(r.runs))}
	for i, run := range r.runs {
		p.Runs[i] = checkRunRecord{run.ordinal, *r.of(run), momentOf(run.end.time())}
	}
	return p
}

func (r *progressRecord) row() *progressRow {
	p := &progressRow{taskID: r.TaskID, seq: r.Seq, number: r.Number, runs: make([]checkRun, 0, len(r.Runs))}
	for _, run := range r.Runs {
		end := notEnded
		if run.End != nil {
			end = endAt(run.End.time())
		}
		p.add(run.Ordinal, run.Details, end)
	}
	return p
}

type suppressionRecord struct {
	Check       string                   `json:"check"`
	Resource    model.ResourceIdentifier `json:"resource"`
	Expiry      expiry                   `json:"expiry"`
	Description string                   `json:"description,omitzero"`
	Token       string                   `json:"token"`
	// As the call that bore the token had them.
	CreatedExpiry      expiry `json:"createdExpiry"`
	CreatedDescription string `json:"createdDescription,omitzero"`
}

// storeKey is a hash: what a suppression is about may be longer than a key.
func (r *suppressionRow) storeKey() []byte {
	sum := sha256.Sum256(r.key)
	return sum[:]
}

func (r *suppressionRow) record() suppressionRecord {
	return suppressionRecord{
		r.check, r.resource, r.expiry, r.description, r.token, r.created.expiry, r.created.description,
	}
}

func (r *suppressionRecord) row() *suppressionRow {
	return &suppressionRow{
		suppressionKey(r.Check, r.Resource), r.Check, r.Resource, r.Expiry, r.Description, r.Token,
		suppressionTerms{r.CreatedExpiry, r.CreatedDescription},
	}
}
