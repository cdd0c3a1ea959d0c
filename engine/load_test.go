package engine_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/engine/storetest"
)

// rowStore is a Store that has rows, in the order in which they are.
type rowStore struct {
	rows []engine.Row
	err  error // after them
}

func (s *rowStore) Load(_ context.Context, row func(engine.Row) error) error {
	for _, r := range s.rows {
		key, value := bytes.Clone(r.Key), bytes.Clone(r.Value)
		if err := row(engine.Row{Table: r.Table, Key: key, Value: value}); err != nil {
			return err
		}
		clear(key) // nothing of them may be kept
		clear(value)
	}
	return s.err
}

func (*rowStore) Commit(context.Context, []engine.Change) error { return nil }

func keyOf(seq uint64, number ...uint32) []byte {
	b := binary.BigEndian.AppendUint64(nil, seq)
	for _, n := range number {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return b
}

func version1(doc string) []byte { return append([]byte{1}, doc...) }

// wholeRows are the rows of a Store with something in each table: audit 1 has ended, audit 2 is in progress.
func wholeRows(t *testing.T) []engine.Row {
	var rows []engine.Row
	synctest.Test(t, func(t *testing.T) {
		store := &recorder{}
		s := newStock()
		config := s.stocked("DEVICE_CHECK", "HOLD_CHECK")
		config.Store, config.Retention = store, day
		e := openEngine(t, config)
		createSchedule(t, e, daily("daily", "DEVICE_CHECK"))
		runDue(t, e, sleepUntilDue(t, e, "daily"))
		synctest.Wait()
		runDue(t, e, sleepUntilDue(t, e, "daily"))
		synctest.Wait()
		startAudit(t, e, "DEVICE_CHECK", "HOLD_CHECK")
		synctest.Wait()
		for _, id := range []string{"a", "b"} {
			_, err := e.CreateAuditSuppression(t.Context(), suppressing("DEVICE_CHECK", id))
			require.NoError(t, err)
		}
		rows = store.Rows()
	})
	return rows
}

// Rows that an Engine cannot have written are refused, with their place and what is wrong. Nothing is loaded then.
func TestLoadRefuses(t *testing.T) {
	whole := wholeRows(t)
	meta := engine.Row{Table: "meta", Key: []byte("engine"), Value: version1(`{"accountId":"000000000000","region":"us-east-1"}`)}
	audit := func(seq uint64, doc string) engine.Row {
		return engine.Row{Table: "audit", Key: keyOf(seq), Value: version1(doc)}
	}
	one := audit(1, `{"taskId":"t","seq":1,"type":"ON_DEMAND_AUDIT_TASK","checks":["A"],"status":"IN_PROGRESS","startTime":[1,0]}`)
	progress := func(number uint32, doc string) engine.Row {
		return engine.Row{Table: "progress", Key: keyOf(1, number), Value: version1(doc)}
	}
	state := func(rows ...engine.Row) []engine.Row {
		rows = append(rows, meta)
		slices.SortStableFunc(rows, func(a, b engine.Row) int { return strings.Compare(a.Table, b.Table) })
		return rows
	}
	without := func(table string) []engine.Row {
		rows := slices.DeleteFunc(slices.Clone(whole), func(r engine.Row) bool { return r.Table == table })
		require.NotEqual(t, len(whole), len(rows), table)
		return rows
	}
	first := func(table string) engine.Row {
		return whole[slices.IndexFunc(whole, func(r engine.Row) bool { return r.Table == table })]
	}
	with := func(old engine.Row, change func(*engine.Row)) []engine.Row {
		rows := slices.Clone(whole)
		i := slices.IndexFunc(rows, func(r engine.Row) bool { return r.Table == old.Table && bytes.Equal(r.Key, old.Key) })
		change(&rows[i])
		return rows
	}
	hash := func(key string) func(r *engine.Row) { return func(r *engine.Row) { r.Key = []byte(key) } }
	for _, row := range []struct {
		name string
		rows []engine.Row
		want string // after "engine: the Store cannot be read: "; with ... any text
	}{
		{"of no version", state(engine.Row{Table: "account", Key: []byte("audit"), Value: []byte{0}}), "table account: key 6175646974: has no version"},
		{"no value", state(engine.Row{Table: "account", Key: []byte("audit")}), "table account: key 6175646974: has no version"},
		{"a later version", state(engine.Row{Table: "account", Key: []byte("audit"), Value: []byte("\x02{}")}), "table account: key 6175646974: has version 2, and this program knows no later one than 1"},
		{"of another key", state(engine.Row{Table: "account", Key: []byte("b"), Value: version1(`{}`)}), `table account: key 62: is of the key "audit"`},
		{"not JSON", state(engine.Row{Table: "account", Key: []byte("audit"), Value: version1(`{`)}), "table account: key 6175646974: unexpected EOF"},
		{"an unknown field", state(engine.Row{Table: "account", Key: []byte("audit"), Value: version1(`{"x":1}`)}), `table account: key 6175646974: json: unknown field "x"`},
		{"another type", state(engine.Row{Table: "account", Key: []byte("audit"), Value: version1(`{"checks":1}`)}), "table account: key 6175646974: json: cannot unmarshal number..."},
		{"something after it", state(engine.Row{Table: "account", Key: []byte("audit"), Value: version1(`{} {}`)}), "table account: key 6175646974: something follows the value"},
		{"a table that is none", state(engine.Row{Table: "zebra", Key: []byte("a"), Value: []byte{1}}), `table zebra: key 61: findings: the row of table "zebra" with key 61 is of no table of findings`},
		{"out of order", []engine.Row{meta, one}, "table audit: key 0000000000000001: is out of order"},
		{"twice", []engine.Row{meta, meta}, "table meta: key 656e67696e65: is out of order"},
		{"no meta", []engine.Row{one}, "table meta has no row"},
		{"another account", []engine.Row{{Table: "meta", Key: []byte("engine"), Value: version1(`{"accountId":"123456789012","region":"us-east-1"}`)}}, "table meta: key 656e67696e65: is of the account 123456789012 in us-east-1; Config.AccountID is 000000000000, Config.Region us-east-1"},
		{"another region", []engine.Row{{Table: "meta", Key: []byte("engine"), Value: version1(`{"accountId":"000000000000","region":"eu-west-1"}`)}}, "table meta: key 656e67696e65: is of the account 000000000000 in eu-west-1; Config.AccountID is 000000000000, Config.Region us-east-1"},

		{"an audit without anything", state(audit(0, `{}`)), `table audit: key 0000000000000000: is no audit: seq 0, status "", start time 0001-01-01 00:00:00 +0000 UTC, 0 checks`},
		{"an audit of another key", state(audit(7, string(one.Value[1:]))), `table audit: key 0000000000000007: is of the key "\x00\x00\x00\x00\x00\x00\x00\x01"`},
		{"an audit without an id", state(audit(1, strings.Replace(string(one.Value[1:]), `"t"`, `""`, 1))), `table audit: key 0000000000000001: findings: TaskID "" must not be empty`},
		{"an audit of no status", state(audit(1, strings.Replace(string(one.Value[1:]), "IN_PROGRESS", "OVER", 1))), `table audit: key 0000000000000001: is no audit: seq 1, status "OVER", start time 1970-01-01 00:00:01 +0000 UTC, 1 checks`},
		{"two audits of an id", state(one, audit(2, strings.Replace(string(one.Value[1:]), `"seq":1`, `"seq":2`, 1))), `table audit: key 0000000000000002: findings: TaskID "t"...`},
		{
			"two audits of an idempotency key",
			state(
				audit(1, strings.Replace(string(one.Value[1:]), `"seq":1`, `"seq":1,"key":"k"`, 1)),
				audit(2, `{"taskId":"u","seq":2,"checks":["A"],"status":"IN_PROGRESS","startTime":[1,0],"key":"k"}`)),
			`table audit: key 0000000000000002: has the idempotency key "k" of another audit`,
		},
		{"an audit that has ended and its check has not", state(audit(1, strings.Replace(string(one.Value[1:]), "IN_PROGRESS", "COMPLETED", 1))), "audit t is COMPLETED, but its check A has not ended"},
		{"progress of no audit", state(progress(0, `{"taskId":"t","seq":1,"number":0,"runs":[]}`)), `table progress: key 000000000000000100000000: is of the audit "t", which is not there`},
		{"progress of another audit", state(one, progress(0, `{"taskId":"u","seq":1,"number":0,"runs":[]}`)), `table progress: key 000000000000000100000000: is of the audit "u", which is not there`},
		{"progress of another number", state(one, progress(0, `{"taskId":"t","seq":1,"number":4294967296,"runs":[]}`)), `table progress: key 000000000000000100000000: has number 4294967296, not 0 to 2147483647`},
		{"progress of a negative number", state(one, progress(0xffffffff, `{"taskId":"t","seq":1,"number":-1,"runs":[]}`)), `table progress: key 0000000000000001ffffffff: has number -1, not 0 to 2147483647`},
		{"progress of a check too many", state(one, progress(0, `{"taskId":"t","seq":1,"number":0,"runs":[{"ordinal":1,"details":{"checkRunStatus":"FAILED"}}]}`)), "table progress: key 000000000000000100000000: is of check 1 of an audit of 1"},
		{"progress of a check before the first", state(one, progress(0, `{"taskId":"t","seq":1,"number":0,"runs":[{"ordinal":-1,"details":{"checkRunStatus":"FAILED"}}]}`)), "table progress: key 000000000000000100000000: is of check -1 of an audit of 1"},
		{"progress of no status", state(one, progress(0, `{"taskId":"t","seq":1,"number":0,"runs":[{"ordinal":0,"details":{}}]}`)), `table progress: key 000000000000000100000000: has status ""`},
		{
			"progress after the end",
			state(one,
				progress(0, `{"taskId":"t","seq":1,"number":0,"runs":[{"ordinal":0,"details":{"checkRunStatus":"FAILED"}}]}`),
				progress(1, `{"taskId":"t","seq":1,"number":1,"runs":[{"ordinal":0,"details":{"checkRunStatus":"FAILED"}}]}`)),
			"table progress: key 000000000000000100000001: is of check 0, which has ended before",
		},
		{"a check that has ended without findings", state(one, progress(0, `{"taskId":"t","seq":1,"number":0,"runs":[{"ordinal":0,"details":{"checkRunStatus":"FAILED"}}]}`)), "audit t: the findings of A are missing"},
		{"a schedule of no frequency", state(engine.Row{Table: "schedule", Key: []byte("s"), Value: version1(`{"name":"s","frequency":"HOURLY","checks":["A"],"anchor":[1,0]}`)}), `table schedule: key 73: is no schedule: frequency "HOURLY"`},
		{"a schedule with a day that it cannot have", state(engine.Row{Table: "schedule", Key: []byte("s"), Value: version1(`{"name":"s","frequency":"DAILY","dayOfMonth":"3","checks":["A"],"anchor":[1,0]}`)}), `table schedule: key 73: is no schedule: InvalidRequestException: dayOfMonth "3" must be absent when frequency is DAILY`},
		{"a suppression of another key", with(first("suppression"), hash("\x00")), `table suppression: key 00: is of the key...`},

		{"no audits", without("audit"), "table progress: key..."},
		{"no progress", without("progress"), "audit ... is COMPLETED, but its check DEVICE_CHECK has not ended"},
		{"no runs", without("run"), "findings: the row of table \"chunk\"..."},
		{"no chunks", without("chunk"), "table run: key..."},
		{"findings of an older order", with(first("run"), func(r *engine.Row) { r.Key = keyOf(99, 0) }), "table run: key 0000000000000063..."},
		{"a wrong version of findings", with(first("chunk"), func(r *engine.Row) { r.Value = append([]byte{9}, r.Value[1:]...) }), "table chunk: key..."},
		{
			"two suppressions of a token",
			func() []engine.Row {
				rows := slices.Clone(whole)
				for i := range rows {
					if rows[i].Table == "suppression" {
						rows[i].Value = []byte(strings.Replace(string(rows[i].Value), `"token":"b"`, `"token":"a"`, 1))
					}
				}
				return rows
			}(),
			`table suppression: key ...: has the token "a" of another suppression`,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newStock()
			config := s.stocked("DEVICE_CHECK", "HOLD_CHECK")
			config.Store = &rowStore{rows: row.rows}
			_, err := engine.New(config)
			require.Error(t, err)
			got, ok := strings.CutPrefix(err.Error(), "engine: the Store cannot be read: ")
			if !ok || !matches(row.want, got) {
				t.Errorf("got  %v\nwant %s", err, row.want)
			}
		})
	}
	s := newStock()
	config := s.stocked("DEVICE_CHECK", "HOLD_CHECK")
	config.Store = &rowStore{rows: whole, err: errDisk}
	_, err := engine.New(config)
	if !errors.Is(err, errDisk) {
		t.Error("the error of Load is lost:", err)
	}
	config.Store = &rowStore{rows: whole} // the table would be worth nothing if these were refused too
	e, err := engine.New(config)
	require.NoError(t, err)
	require.NoError(t, e.Close())
}

// matches tells whether text is want, in which ... stands for anything.
func matches(want, text string) bool {
	parts := strings.Split(want, "...")
	for i, part := range parts {
		at := strings.Index(text, part)
		if at < 0 || i == 0 && at > 0 {
			return false
		}
		text = text[at+len(part):]
	}
	return text == "" || parts[len(parts)-1] == ""
}

// Less than everything is noticed, whichever row it is that is gone, but for the few that stand for themselves.
func TestLoadMissesNoRow(t *testing.T) {
	whole := wholeRows(t)
	alone := map[string]bool{"account": true, "schedule": true, "suppression": true, "first": true}
	for i, r := range whole {
		s := newStock()
		config := s.stocked("DEVICE_CHECK", "HOLD_CHECK")
		config.Store = &rowStore{rows: slices.Delete(slices.Clone(whole), i, i+1)}
		e, err := engine.New(config)
		if err == nil {
			require.NoError(t, e.Close())
		}
		if (err == nil) != alone[r.Table] && !(r.Table == "progress" && err == nil && strings.Contains(string(r.Value), "IN_PROGRESS")) {
			t.Errorf("without the row %q of table %s: %v", r.Key, r.Table, err)
		}
	}
}

// Checks that the Config has no more are in what was kept, and stay there.
func TestLoadOfOtherChecks(t *testing.T) {
	store := storetest.NewMemory()
	for _, r := range wholeRows(t) {
		require.NoError(t, store.Commit(t.Context(), []engine.Change{engine.Change(r)}))
	}
	before := store.Rows()
	e, err := engine.New(engine.Config{Checks: []checks.Check{good("OTHER")}, Store: store})
	require.NoError(t, err)
	n := 0
	for f, err := range e.AuditFindings(t.Context(), everything) {
		require.NoError(t, err)
		require.Equal(t, "DEVICE_CHECK", f.CheckName)
		n++
	}
	require.Positive(t, n)
	require.NoError(t, e.Close())
	require.Equal(t, before, store.Rows())
}
