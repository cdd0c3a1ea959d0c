package awsapi_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/awsapi"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// write sends lines that end in CRLF, and then a body.
func (w wire) write(t testing.TB, body string, lines ...string) {
	t.Helper()
	_, err := io.WriteString(w, strings.Join(lines, "\r\n")+"\r\n\r\n"+body)
	require.NoError(t, err)
}

// closed wants that the server has said all it has to say.
func (w wire) closed(t testing.TB) {
	t.Helper()
	rest, err := io.ReadAll(w.answers)
	require.NoError(t, err)
	require.Empty(t, string(rest))
}

const findings = "POST /audit/findings HTTP/1.1"

// TestExpectContinue: a client that asks whether to send its body is told to go on when the body is wanted, and gets its
// answer at once when it is not.
func TestExpectContinue(t *testing.T) {
	addr := serve(t, awsapi.Config{Engine: newAccount(t)})
	w := dial(t, addr)
	w.write(t, "", findings, "Host: localhost", "Expect: 100-continue", "Content-Length: 2")
	line, err := w.answers.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "HTTP/1.1 100 Continue\r\n", line)
	line, err = w.answers.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "\r\n", line)
	_, err = io.WriteString(w, "{}")
	require.NoError(t, err)
	a, _ := w.answer(t, "POST")
	require.Equal(t, 400, a.StatusCode)
	require.Equal(t, "InvalidRequestException", a.Header.Get("x-amzn-ErrorType"))

	account := awsapi.Credential{SecretAccessKey: "hunter2", SessionToken: "token", Engine: newAccount(t)}
	lookup := func(context.Context, string) (awsapi.Credential, error) { return account, nil }
	guarded := serve(t, awsapi.Config{Credentials: lookup})
	forged := signed(t, "AKID", "guessed").Header
	for _, row := range []struct {
		name, addr, line, length string
		status                   int
	}{
		{"too large", addr, findings, "Content-Length: 1048577", 413},
		{"no such path", addr, "POST /audit HTTP/1.1", "Content-Length: 2", 404},
		{"no such method", addr, "PUT /audit/findings HTTP/1.1", "Content-Length: 2", 405},
		{"not signed", guarded, findings, "Content-Length: 2", 403},
		{"not signed, in chunks", guarded, findings, "Transfer-Encoding: chunked", 403},
		{"without its token", guarded, findings, "Content-Length: 2\r\nX-Amz-Date: " + forged.Get("X-Amz-Date") +
			"\r\nAuthorization: " + forged.Get("Authorization"), 403},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := dial(t, row.addr)
			w.write(t, "", row.line, "Host: localhost", "Expect: 100-continue", row.length)
			a, _ := w.answer(t, "POST") // http.ReadResponse would return the 100
			require.Equal(t, row.status, a.StatusCode)
			require.True(t, a.Close, "what comes next could be the body, or not")
		})
	}
}

// TestChunks: a body may come in chunks, cut anywhere, with extensions and trailers.
func TestChunks(t *testing.T) {
	w := dial(t, serve(t, awsapi.Config{Engine: newAccount(t)}))
	head := []string{"POST /audit/suppressions/list HTTP/1.1", "Host: localhost", "Transfer-Encoding: chunked"}
	body := `{"nextToken":"tok+/= ü"}`
	chunks := ""
	for i := range len(body) {
		chunks += fmt.Sprintf("1;ext=%d\r\n%s\r\n", i, body[i:i+1])
	}
	w.write(t, chunks+"0\r\nX-Trailer: 1\r\n\r\n", head...)
	a, got := w.answer(t, "POST")
	require.Equal(t, 400, a.StatusCode)
	require.Equal(t, `{"message":"nextToken \"tok+/= ü\" is not a token that was given out here since the last start"}`, got)

	w.write(t, "0\r\n\r\n", head...)
	a, got = w.answer(t, "POST")
	require.Equal(t, 200, a.StatusCode)
	require.Equal(t, `{"suppressions":[]}`, got)

	w.write(t, "2\r\n{}\r\nzz\r\n", head...)
	a, _ = w.answer(t, "POST")
	require.Equal(t, 400, a.StatusCode)
	require.Equal(t, "MalformedHttpRequestException", a.Header.Get("x-amzn-ErrorType"))
	w.closed(t)
}

// TestPipeline: requests that come at once are answered one after another, each with an id of its own, and garbage
// after them harms none.
func TestPipeline(t *testing.T) {
	w := dial(t, serve(t, awsapi.Config{Engine: newAccount(t)}))
	list := "GET /audit/scheduledaudits HTTP/1.1\r\nHost: localhost\r\n\r\n"
	lost := "POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nGET "
	_, err := io.WriteString(w, list+lost+list+"\x16\x03\x01 HELO\r\n\r\n")
	require.NoError(t, err)
	ids := make(map[string]bool)
	for _, status := range []int{200, 404, 200} {
		a, _ := w.answer(t, "GET")
		require.Equal(t, status, a.StatusCode)
		ids[a.Header.Get("x-amzn-RequestId")] = true
	}
	require.Len(t, ids, 3)
	a, err := http.ReadResponse(w.answers, nil) // of net/http: nothing that could be answered has come
	require.NoError(t, err)
	require.Equal(t, 400, a.StatusCode)
}

// TestLostAnswer: a client that lost its connection sends its request again. A start has no token by which the second
// could be told from another call, so it is one.
func TestLostAnswer(t *testing.T) {
	e := newAccount(t)
	addr := serve(t, awsapi.Config{Engine: e})
	start := []string{"POST /audit/tasks HTTP/1.1", "Host: localhost", "Content-Length: 33"}
	const body = `{"targetCheckNames":["OK_CHECK"]}`
	w := dial(t, addr)
	w.write(t, body, start...)
	require.Eventually(t, func() bool { return len(tasksOf(t, e)) == 1 }, 30*time.Second, time.Millisecond)
	w.Close()
	w = dial(t, addr)
	w.write(t, body, start...)
	a, _ := w.answer(t, "POST")
	require.Equal(t, 200, a.StatusCode)
	require.Len(t, tasksOf(t, e), 2)
}

func tasksOf(t testing.TB, e *engine.Engine) []model.AuditTaskMetadata {
	now := time.Now()
	out, err := e.ListAuditTasks(t.Context(), &model.ListAuditTasksInput{StartTime: model.At(now.Add(-time.Hour)), EndTime: model.At(now.Add(time.Hour))})
	require.NoError(t, err)
	return out.Tasks
}

// TestAnswers: in answers, times are numbers of seconds with at most three decimals, counts are integers, and what is
// true or false is no text. Nothing is null.
func TestAnswers(t *testing.T) {
	e := newAccount(t)
	task, err := e.StartOnDemandAuditTask(t.Context(), &model.StartOnDemandAuditTaskInput{TargetCheckNames: []string{"DEVICE_CHECK"}})
	require.NoError(t, err)
	_, err = e.WaitAuditTask(t.Context(), task.TaskID)
	require.NoError(t, err)
	w := dial(t, serve(t, awsapi.Config{Engine: e}))

	w.write(t, "", "GET /audit/tasks/"+task.TaskID+" HTTP/1.1", "Host: localhost")
	_, described := w.answer(t, "GET")
	const seconds = `\d{10}(\.\d{0,2}[1-9])?`
	require.Regexp(t, `\A\{"taskStatus":"COMPLETED","taskType":"ON_DEMAND_AUDIT_TASK","taskStartTime":`+seconds+`,"taskStatistics":`+
		`\{"totalChecks":1,"inProgressChecks":0,"waitingForDataCollectionChecks":0,"compliantChecks":0,"nonCompliantChecks":1,`+
		`"failedChecks":0,"canceledChecks":0\},"auditDetails":\{"DEVICE_CHECK":\{"checkRunStatus":"COMPLETED_NON_COMPLIANT",`+
		`"checkCompliant":false,"totalResourcesCount":3,"nonCompliantResourcesCount":3\}\}\}\z`, described)

	w.write(t, fmt.Sprintf(`{"taskId":%q}`, task.TaskID), findings, "Host: localhost", fmt.Sprint("Content-Length: ", len(task.TaskID)+13))
	_, listed := w.answer(t, "POST")
	require.Len(t, regexp.MustCompile(`"(taskStartTime|findingTime)":`+seconds+`,`).FindAllString(listed, -1), 6)
	require.Equal(t, 3, strings.Count(listed, `"isSuppressed":false`))
	var parsed struct {
		Findings []struct{ NonCompliantResource model.NonCompliantResource }
	}
	require.NoError(t, json.Unmarshal([]byte(listed), &parsed))
	require.Equal(t, `"pump"<3>`, parsed.Findings[2].NonCompliantResource.ResourceIdentifier.ClientID)
	require.NotContains(t, described+listed, "null")
}

// TestScopes: new clients sign for iot, older ones for execute-api, and nobody else is let in.
func TestScopes(t *testing.T) {
	account := awsapi.Credential{SecretAccessKey: "secret", Engine: newAccount(t)}
	lookup := func(context.Context, string) (awsapi.Credential, error) { return account, nil }
	w := dial(t, serve(t, awsapi.Config{Credentials: lookup}))
	for _, row := range []struct {
		service string
		status  int
	}{{"iot", 200}, {"execute-api", 200}, {"s3", 403}} {
		require.NoError(t, signed(t, "AKID", "secret", row.service).Write(w))
		a, _ := w.answer(t, "GET")
		require.Equal(t, row.status, a.StatusCode, row.service)
	}
}

// signed is a request that is signed, for iot unless another service is given.
func signed(t testing.TB, id, secret string, service ...string) *http.Request {
	r := httptest.NewRequest("GET", "http://localhost/audit/scheduledaudits", nil)
	key := aws.Credentials{AccessKeyID: id, SecretAccessKey: secret}
	nothing := sha256.Sum256(nil)
	err := v4.NewSigner().SignHTTP(t.Context(), key, r, hex.EncodeToString(nothing[:]), append(service, "iot")[0], "eu-west-1", time.Now())
	require.NoError(t, err)
	return r
}

// suppress makes suppressions of n pumps.
func suppress(t testing.TB, e *engine.Engine, n int) {
	for i := range n {
		_, err := e.CreateAuditSuppression(t.Context(), &model.CreateAuditSuppressionInput{
			CheckName: "OK_CHECK", ResourceIdentifier: model.ResourceIdentifier{ClientID: fmt.Sprint("pump-", i)},
			SuppressIndefinitely: new(true), ClientRequestToken: fmt.Sprint("token-", i),
		})
		require.NoError(t, err)
	}
}

func unpacked(t testing.TB, packed []byte) []byte {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	require.NoError(t, err)
	plain, err := io.ReadAll(z)
	require.NoError(t, err)
	return plain
}

// TestGzip: bodies may be packed, and large answers are for clients that say that they can unpack them.
func TestGzip(t *testing.T) {
	e := newAccount(t)
	suppress(t, e, 60)
	w := dial(t, serve(t, awsapi.Config{Engine: e}))
	ask := func(packed bool, body string, lines ...string) (*http.Response, string) {
		if packed {
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			io.WriteString(z, body)
			require.NoError(t, z.Close())
			body = b.String()
			lines = append(lines, "Content-Encoding: gzip")
		}
		lines = append([]string{"POST /audit/suppressions/list HTTP/1.1", "Host: localhost", fmt.Sprint("Content-Length: ", len(body))}, lines...)
		w.write(t, body, lines...)
		return w.answer(t, "POST")
	}
	a, plain := ask(true, `{"maxResults":60}`)
	require.Equal(t, 200, a.StatusCode)
	require.Equal(t, fmt.Sprint(len(plain)), a.Header.Get("Content-Length"))
	require.Equal(t, 60, strings.Count(plain, `"checkName"`))
	require.Equal(t, "Accept-Encoding", a.Header.Get("Vary"))
	for _, accept := range []string{"identity", "gzip;q=0", "zstd, br", "*;q=0"} {
		a, body := ask(false, `{"maxResults":60}`, "Accept-Encoding: "+accept)
		require.Empty(t, a.Header.Get("Content-Encoding"), accept)
		require.Equal(t, plain, body, accept)
	}
	for _, accept := range []string{"gzip", "deflate, gzip;q=0.5, zstd"} {
		a, packed := ask(false, `{"maxResults":60}`, "Accept-Encoding: "+accept)
		require.Equal(t, "gzip", a.Header.Get("Content-Encoding"), accept)
		require.Less(t, len(packed), len(plain)/2)
		require.Equal(t, plain, string(unpacked(t, []byte(packed))), accept)
	}
	a, body := ask(false, `{"maxResults":1}`, "Accept-Encoding: gzip")
	require.Empty(t, a.Header.Get("Content-Encoding"), "a small answer")
	require.Contains(t, body, `"nextToken"`)
	a, _ = ask(true, strings.Repeat(" ", 1<<20)+"{}")
	require.Equal(t, 413, a.StatusCode)
	a, body = ask(true, "")
	require.Equal(t, 200, a.StatusCode)
	require.Equal(t, 25, strings.Count(body, `"checkName"`))
}
