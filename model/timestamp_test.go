package model_test

import (
	"encoding/json"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fleetaudit/fleetaudit/model"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// timestampRow is one row of testdata/timestamps.txt.
type timestampRow struct {
	text    string
	json    string // "error" when there is none
	instant string
}

func readTimestamps(t testing.TB) []timestampRow {
	t.Helper()
	b, err := os.ReadFile("testdata/timestamps.txt")
	require.NoError(t, err)
	var rows []timestampRow
	for line := range strings.Lines(string(b)) {
		line = strings.TrimRight(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		var row timestampRow
		if line[0] == '"' {
			quoted, err := strconv.QuotedPrefix(line)
			require.NoError(t, err, line)
			row.text, err = strconv.Unquote(quoted)
			require.NoError(t, err, line)
			line = strings.TrimSpace(line[len(quoted):])
		} else {
			row.text, line, _ = strings.Cut(line, " ")
			line = strings.TrimSpace(line)
		}
		row.json, row.instant, _ = strings.Cut(line, " ")
		row.instant = strings.TrimSpace(row.instant)
		rows = append(rows, row)
	}
	return rows
}

func TestParseTimestamp(t *testing.T) {
	for _, row := range readTimestamps(t) {
		t.Run(row.text, func(t *testing.T) {
			got, err := model.ParseTimestamp(row.text)
			if row.json == "error" {
				want := strconv.Quote(row.text) + " is not a time: want epoch seconds, an RFC 3339 time or a date, of year 1 to 9999"
				require.Error(t, err)
				if diff := cmp.Diff(want, err.Error()); diff != "" {
					t.Errorf("error (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(model.Timestamp{}, got); diff != "" {
					t.Errorf("value beside the error (-want +got):\n%s", diff)
				}
				return
			}
			require.NoError(t, err)
			if diff := cmp.Diff(row.instant, got.Format(time.RFC3339Nano)); diff != "" {
				t.Errorf("instant (-want +got):\n%s", diff)
			}
			doc, err := json.Marshal(got)
			require.NoError(t, err)
			if diff := cmp.Diff(row.json, string(doc)); diff != "" {
				t.Errorf("JSON (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTimestampUnmarshalJSON reads each row as a JSON string, and as a JSON number where it is one.
func TestTimestampUnmarshalJSON(t *testing.T) {
	for _, row := range readTimestamps(t) {
		quoted, err := json.Marshal(row.text)
		require.NoError(t, err)
		docs := []string{string(quoted)}
		if number := strings.Trim(row.text, "-+.eE0123456789") == ""; number && json.Valid([]byte(row.text)) {
			docs = append(docs, row.text)
		}
		for _, doc := range docs {
			got := model.At(time.Unix(7, 0))
			err := json.Unmarshal([]byte(doc), &got)
			if row.json == "error" {
				require.Error(t, err, doc)
				if diff := cmp.Diff(model.At(time.Unix(7, 0)), got); diff != "" {
					t.Errorf("%s: an error changed the value (-want +got):\n%s", doc, diff)
				}
				continue
			}
			require.NoError(t, err, doc)
			if diff := cmp.Diff(row.instant, got.Format(time.RFC3339Nano)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", doc, diff)
			}
		}
	}
}

// TestTimestampErrors shows that a wrong time in an input names its member, like any other value of a
// wrong type.
func TestTimestampErrors(t *testing.T) {
	const want = " (want epoch seconds, an RFC 3339 time or a date, of year 1 to 9999)"
	for _, row := range []struct {
		doc, value string
	}{
		{`{"startTime": "yesterday"}`, `"yesterday"`},
		{`{"startTime": 1572007301019}`, `"1572007301019"`},
		{`{"startTime": true}`, `"true"`},
		{`{"startTime": ""}`, `""`},
		{`{"startTime": {"seconds": 1}}`, `"{\"seconds\": 1}"`},
		{`{"startTime": "` + strings.Repeat("é", 100) + `"}`, `"` + strings.Repeat("é", 80) + `"... (100 characters)`},
	} {
		err := json.Unmarshal([]byte(row.doc), new(model.ListAuditTasksInput))
		e, ok := errors.AsType[*json.UnmarshalTypeError](err)
		require.True(t, ok, "%s: %v", row.doc, err)
		if diff := cmp.Diff([]string{"startTime", row.value + want}, []string{e.Field, e.Value}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.doc, diff)
		}
	}
}

func TestTimestampMarshalJSON(t *testing.T) {
	at := func(s string) model.Timestamp {
		v, err := time.Parse(time.RFC3339Nano, s)
		require.NoError(t, err)
		return model.Timestamp{Time: v}
	}
	for _, row := range []struct {
		in   model.Timestamp
		want string
	}{
		{model.Timestamp{}, `null`},
		{model.Timestamp{Time: time.Time{}.In(time.FixedZone("elsewhere", 3600))}, `null`},
		{at("2019-06-10T12:03:37.172+02:00"), `1560161017.172`},
		{at("2019-06-10T10:03:37.172999999Z"), `1560161017.172`},
		{at("2019-06-10T10:03:37.100Z"), `1560161017.1`},
		{at("2019-06-10T10:03:37.010Z"), `1560161017.01`},
		{at("2019-06-10T10:03:37.001Z"), `1560161017.001`},
		{at("2019-06-10T10:03:40Z"), `1560161020`},
		{at("1970-01-01T00:00:00Z"), `0`},
		{at("1969-12-31T23:59:59.999Z"), `-0.001`},
		{at("1969-12-31T23:59:59.9999Z"), `-0.001`},
		{at("1969-12-31T23:59:50Z"), `-10`},
		{at("1969-12-31T23:59:48.9Z"), `-11.1`},
		{at("9999-12-31T23:59:59.999999999Z"), `253402300799.999`},
	} {
		doc, err := json.Marshal(row.in)
		require.NoError(t, err, row.want)
		if diff := cmp.Diff(row.want, string(doc)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", row.in, diff)
		}
		if diff := cmp.Diff(row.want, mustMarshal(t, model.At(row.in.Time))); diff != "" {
			t.Errorf("At(%v) (-want +got):\n%s", row.in, diff)
		}
	}
	for _, beyond := range []time.Time{
		time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(0, 12, 31, 23, 59, 59, 0, time.UTC),
	} {
		_, err := json.Marshal(model.Timestamp{Time: beyond})
		require.ErrorContains(t, err, "is not of year 1 to 9999")
	}
}

// TestAt shows that what At gives survives JSON as it is.
func TestAt(t *testing.T) {
	got := model.At(time.Date(2019, 6, 10, 12, 3, 37, 172_999_999, time.FixedZone("elsewhere", 7200)))
	want := model.Timestamp{Time: time.Date(2019, 6, 10, 10, 3, 37, 172_000_000, time.UTC)}
	require.Equal(t, want, got) // zone and all, which cmp does not see
	var back model.Timestamp
	require.NoError(t, json.Unmarshal([]byte(mustMarshal(t, got)), &back))
	require.Equal(t, want, back)
	require.Equal(t, model.Timestamp{}, model.At(time.Time{}))
}

// FuzzTimestampJSON: what UnmarshalJSON takes is of year 1 to 9999, in whole milliseconds of UTC, and
// survives another round trip; what it refuses changes nothing.
func FuzzTimestampJSON(f *testing.F) {
	for _, row := range readTimestamps(f) {
		f.Add([]byte(row.text))
		f.Add([]byte(strconv.Quote(row.text)))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		before := model.At(time.Unix(7, 0))
		got := before
		if err := got.UnmarshalJSON(doc); err != nil {
			if got != before || err.Error() == "" || len(err.Error()) > 2000 {
				t.Fatalf("%q: %v, %v", doc, got, err)
			}
			return
		}
		if year := got.Year(); year < 1 || year > 9999 || got.Nanosecond()%1e6 != 0 || got.Location() != time.UTC {
			t.Fatalf("%q became %v", doc, got)
		}
		var again model.Timestamp
		if err := again.UnmarshalJSON([]byte(mustMarshal(t, got))); err != nil || again != got {
			t.Fatalf("%q became %v, then %v, %v", doc, got, again, err)
		}
	})
}

// FuzzTimestampText: ParseTimestamp agrees with UnmarshalJSON, and with time.Time for an instant of any
// millisecond.
func FuzzTimestampText(f *testing.F) {
	for _, row := range readTimestamps(f) {
		f.Add(row.text, int64(1560161017172))
	}
	f.Add("", int64(-1))
	f.Add("", int64(253402300799999))
	f.Add("", int64(-62135596799999))
	f.Fuzz(func(t *testing.T, s string, ms int64) {
		parsed, err := model.ParseTimestamp(s)
		if quoted, e := json.Marshal(s); e == nil && strings.ToValidUTF8(s, "") == s {
			var read model.Timestamp
			if e := json.Unmarshal(quoted, &read); (e == nil) != (err == nil) || read != parsed {
				t.Fatalf("%q: parsed %v, %v; read %v, %v", s, parsed, err, read, e)
			}
		}
		if ms <= -62135596800000 || ms >= 253402300800000 {
			return
		}
		want := model.Timestamp{Time: time.UnixMilli(ms).UTC()}
		for _, text := range []string{mustMarshal(t, want), want.Format(time.RFC3339Nano), strconv.FormatFloat(float64(ms)/1e3, 'g', -1, 64)} {
			if got, err := model.ParseTimestamp(text); err != nil || got != want {
				t.Fatalf("%d ms is %v; from %s came %v, %v", ms, want, text, got, err)
			}
		}
	})
}

func mustMarshal(t testing.TB, v any) string {
	t.Helper()
	doc, err := json.Marshal(v)
	require.NoError(t, err)
	return string(doc)
}
