package awsapi_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iot"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/awsapi"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// audits returns the ids of an account's audits.
func audits(t *testing.T, e *engine.Engine) []string {
	t.Helper()
	now := time.Now()
	list, err := e.ListAuditTasks(t.Context(), &model.ListAuditTasksInput{
		StartTime: model.At(now.Add(-time.Hour)), EndTime: model.At(now.Add(time.Hour)),
	})
	require.NoError(t, err)
	var ids []string
	for _, task := range list.Tasks {
		ids = append(ids, task.TaskID)
	}
	return ids
}

// TestInvocation has answers that are cut off at several places, after which the SDK tries again: there is one audit,
// and the SDK gets its id. Another call starts another one.
func TestInvocation(t *testing.T) {
	for _, entry := range entries() {
		// Once the header is there, the SDK does not try again.
		for _, cut := range []struct{ name, part string }{
			{"before the answer", ""},
			{"within the header", "HTTP/1.1 200 OK\r\nContent-Le"},
		} {
			t.Run(entry.name+"/"+cut.name, func(t *testing.T) {
				e, tries := newAccount(t), atomic.Int32{}
				h := newHandler(t, entry.config(e))
				c := newClient(listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if tries.Add(1) > 2 {
						h.ServeHTTP(w, r)
						return
					}
					h.ServeHTTP(httptest.NewRecorder(), r)
					conn, _, err := http.NewResponseController(w).Hijack()
					if err != nil {
						t.Error(err)
						return
					}
					defer conn.Close()
					io.WriteString(conn, cut.part)
				})), hasty, entry.key)
				start := iot.StartOnDemandAuditTaskInput{TargetCheckNames: []string{"DEVICE_CHECK"}}
				first, err := c.StartOnDemandAuditTask(t.Context(), &start)
				require.NoError(t, err)
				require.EqualValues(t, 3, tries.Load())
				require.Equal(t, []string{*first.TaskId}, audits(t, e))
				second, err := c.StartOnDemandAuditTask(t.Context(), &start)
				require.NoError(t, err)
				require.Equal(t, []string{*second.TaskId, *first.TaskId}, audits(t, e))
			})
		}
	}
}

// TestInvocationOfOthers has two keys of one account: an id that both send is one of each.
func TestInvocationOfOthers(t *testing.T) {
	e := newAccount(t)
	url := listen(t, newHandler(t, awsapi.Config{Credentials: func(_ context.Context, id string) (awsapi.Credential, error) {
		return awsapi.Credential{SecretAccessKey: "secret of " + id, Engine: e}, nil
	}}))
	long := strings.Repeat("K", 200) // with which there is no room for an id
	start := func(key, check string) (string, error) {
		out, err := newClient(url, once, withKey(key, "secret of "+key, ""), func(o *iot.Options) {
			o.APIOptions = append(o.APIOptions, smithyhttp.SetHeaderValue("Amz-Sdk-Invocation-Id", strings.Repeat("0", 100)))
		}).StartOnDemandAuditTask(t.Context(), &iot.StartOnDemandAuditTaskInput{TargetCheckNames: []string{check}})
		if err != nil {
			return "", err
		}
		return *out.TaskId, nil
	}
	ids := make(map[string]string)
	for _, key := range []string{"AKIDONE", "AKIDTWO", "AKIDONE", "AKIDTWO"} {
		id, err := start(key, "OK_CHECK")
		require.NoError(t, err)
		if before := ids[key]; before != "" && before != id {
			t.Errorf("%s started %s, then %s", key, before, id)
		}
		ids[key] = id
	}
	require.Len(t, audits(t, e), 2)
	require.NotEqual(t, ids["AKIDONE"], ids["AKIDTWO"])

	_, err := start("AKIDONE", "DEVICE_CHECK")
	var refused smithy.APIError
	require.ErrorAs(t, err, &refused, "another audit with the same id")
	require.Equal(t, "InvalidRequestException", refused.ErrorCode())
	require.Contains(t, refused.ErrorMessage(), ids["AKIDONE"])
	for range 2 {
		_, err := start(long, "OK_CHECK")
		require.NoError(t, err)
	}
	require.Len(t, audits(t, e), 4)
}

// TestInvocationHeader has ids as no SDK sends them.
func TestInvocationHeader(t *testing.T) {
	e := newAccount(t)
	url := listen(t, newHandler(t, awsapi.Config{Engine: e}))
	start := func(ids ...string) string {
		r, err := http.NewRequestWithContext(t.Context(), "POST", url+"/audit/tasks", strings.NewReader(`{"targetCheckNames": ["OK_CHECK"]}`))
		require.NoError(t, err)
		r.Header["Amz-Sdk-Invocation-Id"] = ids
		answer, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer answer.Body.Close()
		require.Equal(t, 200, answer.StatusCode)
		var out model.StartOnDemandAuditTaskOutput
		require.NoError(t, json.NewDecoder(answer.Body).Decode(&out))
		_, err = e.WaitAuditTask(t.Context(), out.TaskID)
		require.NoError(t, err)
		return out.TaskID
	}
	longest := strings.Repeat("ü", 64)
	for _, row := range []struct {
		name string
		ids  []string
		once bool
	}{
		{"none", nil, false},
		{"empty", []string{""}, false},
		{"empty, then one", []string{"", "a"}, false},
		{"one", []string{"b"}, true},
		{"several", []string{"c", "d"}, true},
		{"128 bytes", []string{longest}, true},
		{"129 bytes", []string{longest + "x"}, false},
		{"not UTF-8", []string{"\xff"}, false},
	} {
		first, again := start(row.ids...), start(row.ids...)
		if (first == again) != row.once {
			t.Errorf("%s: audits %s and %s", row.name, first, again)
		}
	}
	if start("c", "e") == start("d", "c") {
		t.Error("not the first of several counts")
	}
}
