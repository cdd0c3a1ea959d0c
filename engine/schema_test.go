package engine_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/model"
)

// published is AWS's example of a notification.
func published(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "notification", name))
	require.NoError(t, err)
	return b
}

func object(t *testing.T, b []byte) map[string]any {
	t.Helper()
	var v map[string]any
	require.NoError(t, json.Unmarshal(b, &v))
	return v
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return b
}

// schemaRow is a row of testdata/notification/schema.txt.
type schemaRow struct {
	kind     string
	required bool
	values   []string
}

func schema(t *testing.T) map[string]schemaRow {
	rows := make(map[string]schemaRow)
	for line := range strings.Lines(string(published(t, "schema.txt"))) {
		if f := strings.Fields(line); len(f) > 0 && f[0] != "#" {
			require.GreaterOrEqual(t, len(f), 3, line)
			rows[f[0]] = schemaRow{f[1], f[2] == "required", f[3:]}
		}
	}
	return rows
}

// schemaProblems returns what a notification has wrong by AWS's schema.
func schemaProblems(rows map[string]schemaRow, path string, v map[string]any) (problems []string) {
	add := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	for key, row := range rows {
		if name, ok := strings.CutPrefix(key, path); ok && !strings.Contains(name, "[]") && row.required && v[name] == nil {
			add("%s is missing", key)
		}
	}
	for name, value := range v {
		row, ok := rows[path+name]
		if !ok {
			add("%s%s is not in the schema", path, name)
			continue
		}
		kind := fmt.Sprintf("%T", value)
		switch value := value.(type) {
		case string:
			kind = "string"
			if len(row.values) > 0 && !slices.Contains(row.values, value) {
				add("%s%s is %q", path, name, value)
			}
		case float64:
			if kind = "number"; value == float64(int64(value)) {
				kind = "integer"
			}
		case []any:
			kind = "array"
			for _, element := range value {
				problems = append(problems, schemaProblems(rows, path+name+"[].", element.(map[string]any))...)
			}
		}
		if kind != row.kind {
			add("%s%s is of type %s", path, name, kind)
		}
	}
	slices.Sort(problems)
	return problems
}

// AWS's examples come back as they are when they are read and written, and meet the schema; what is made
// wrong does not.
func TestPublishedNotifications(t *testing.T) {
	rows := schema(t)
	for _, name := range []string{"completed.json", "failed.json"} {
		var n model.AuditNotification
		require.NoError(t, json.Unmarshal(published(t, name), &n))
		want := object(t, published(t, name))
		if diff := cmp.Diff(want, object(t, encode(t, n))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if p := schemaProblems(rows, "", want); p != nil {
			t.Errorf("%s: %q", name, p)
		}
	}
	bad := object(t, published(t, "failed.json"))
	delete(bad, "taskId")
	bad["taskStatus"] = "IN_PROGRESS"
	bad["taskStartTime"] = "now"
	bad["roleArn"] = "r"
	maps.Copy(bad["auditDetails"].([]any)[0].(map[string]any), map[string]any{"errorCode": "INTERNAL_FAILURE", "totalResourcesCount": 0.5})
	want := []string{
		`auditDetails[].errorCode is "INTERNAL_FAILURE"`,
		`auditDetails[].totalResourcesCount is of type number`,
		`roleArn is not in the schema`,
		`taskId is missing`,
		`taskStartTime is of type string`,
		`taskStatus is "IN_PROGRESS"`,
	}
	if diff := cmp.Diff(want, schemaProblems(rows, "", bad)); diff != "" {
		t.Error(diff)
	}
}
