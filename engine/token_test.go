package engine_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// queries are of every operation that has pages. Each gives more than a page to an engine that tokens makes ready.
var queries = []struct{ operation, input string }{
	{"ListScheduledAudits", `{"maxResults": 1}`},
	{"ListAuditTasks", `{"maxResults": 1, "startTime": <from>, "endTime": <to>}`},
	{"ListAuditTasks", `{"maxResults": 1, "startTime": <before>, "endTime": <to>}`},
	{"ListAuditTasks", `{"maxResults": 1, "startTime": <from>, "endTime": <until>}`},
	{"ListAuditTasks", `{"maxResults": 1, "startTime": <from>, "endTime": <to>, "taskType": "ON_DEMAND_AUDIT_TASK"}`},
	{"ListAuditTasks", `{"maxResults": 1, "startTime": <from>, "endTime": <to>, "taskStatus": "COMPLETED"}`},
	{"ListAuditFindings", `{"maxResults": 1, "startTime": <from>, "endTime": <to>}`},
	{"ListAuditFindings", `{"maxResults": 1, "startTime": <before>, "endTime": <to>}`},
	{"ListAuditFindings", `{"maxResults": 1, "startTime": <from>, "endTime": <until>}`},
	{"ListAuditFindings", `{"maxResults": 1, "startTime": <from>, "endTime": <to>, "checkName": "DEVICE_CHECK"}`},
	{"ListAuditFindings", `{"maxResults": 1, "startTime": <from>, "endTime": <to>, "listSuppressedFindings": false}`},
	{"ListAuditFindings", `{"maxResults": 1, "startTime": <from>, "endTime": <to>, "resourceIdentifier": {"clientId": "pump-2"}}`},
	{"ListAuditFindings", `{"maxResults": 1, "taskId": "<ended>"}`},
	{"ListRelatedResourcesForAuditFinding", `{"maxResults": 1, "findingId": "<finding>"}`},
	{"ListAuditSuppressions", `{"maxResults": 1}`},
	{"ListAuditSuppressions", `{"maxResults": 1, "ascendingOrder": false}`},
	{"ListAuditSuppressions", `{"maxResults": 1, "checkName": "OK_CHECK"}`},
	{"ListAuditSuppressions", `{"maxResults": 1, "resourceIdentifier": {"clientId": "a"}}`},
}

// Every operation that takes a token has a query here; ListTagsForResource gives none out.
func TestTokenQueries(t *testing.T) {
	for _, o := range engine.Operations() {
		pages := slices.ContainsFunc(o.Members, func(m model.Member) bool { return m.Name == "nextToken" })
		tried := slices.ContainsFunc(queries, func(q struct{ operation, input string }) bool { return q.operation == o.Name })
		if pages != tried && o.Name != "ListTagsForResource" {
			t.Errorf("%s: has pages: %t, is tried: %t", o.Name, pages, tried)
		}
	}
}

// page asks for a page of a query, and returns the token of the next.
func page(t testing.TB, s *script, query int, token string) (next string, err error) {
	o := operation(t, queries[query].operation)
	in := o.NewInput()
	own := *s
	own.TB = t
	require.NoError(t, json.Unmarshal([]byte(own.bound(queries[query].input)), in))
	reflect.ValueOf(in).Elem().FieldByName("NextToken").SetString(token)
	out, err := o.Call(t.Context(), s.engine, in)
	if err != nil {
		return "", err
	}
	return reflect.ValueOf(out).Elem().FieldByName("NextToken").String(), nil
}

// within sets the periods of queries.
func (s *script) within(from, to time.Time) {
	for name, at := range map[string]time.Time{"<from>": from, "<before>": from.Add(-time.Second), "<to>": to, "<until>": to.Add(-time.Second)} {
		s.vars[name] = fmt.Sprint(at.Unix())
	}
}

// furnish gives an engine what the queries ask for, by calls of operations, and returns the token of each query.
func furnish(t testing.TB, s *script, call func(o engine.Operation, doc string)) (tokens []string) {
	for _, words := range []string{
		`CreateScheduledAudit {"scheduledAuditName": "b", "frequency": "DAILY", "targetCheckNames": ["OK_CHECK"]}`,
		`StartOnDemandAuditTask {"targetCheckNames": ["DEVICE_CHECK"]}`,
		`CreateAuditSuppression {"checkName": "DEVICE_CHECK", "resourceIdentifier": {"clientId": "a"}, "suppressIndefinitely": true, "clientRequestToken": "c"}`,
	} {
		verb, doc, _ := strings.Cut(words, " ")
		call(operation(t, verb), doc)
	}
	for q := range queries {
		token, err := page(t, s, q, "")
		require.NoError(t, err)
		require.NotEmpty(t, token, queries[q])
		tokens = append(tokens, token)
	}
	return tokens
}

// refused wants that a query refuses a token, and says so.
func refused(t testing.TB, s *script, q int, token string) {
	t.Helper()
	_, err := page(t, s, q, token)
	e, ok := errors.AsType[*model.InvalidRequestException](err)
	reasons := []string{"is not a token that was given out here since the last start", "is a token of another query", "must be valid UTF-8"}
	if !ok || slices.ContainsFunc(e.Problems, func(p model.Problem) bool { return p.Field != "nextToken" || !slices.Contains(reasons, p.Reason) }) {
		t.Errorf("%v with token %q: got error %v", queries[q], token, err)
	}
}

// TestTokens tries each page token with each query, on the engine that gave it out and on another.
func TestTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var engines []*script
		var tokens [][]string
		for range 2 {
			s := ready(t)
			s.within(time.Now(), time.Now().Add(24*time.Hour))
			engines = append(engines, s)
			tokens = append(tokens, furnish(t, s, func(o engine.Operation, doc string) {
				_, err := s.call(o, doc)
				require.NoError(t, err)
			}))
		}
		for i, own := range tokens {
			for j, token := range own {
				for q := range queries {
					if q == j {
						_, err := page(t, engines[i], q, token)
						require.NoError(t, err)
					} else {
						refused(t, engines[i], q, token)
					}
				}
				refused(t, engines[1-i], j, token)
				refused(t, engines[i], j, token+"A")
				refused(t, engines[i], j, token+"\n")
				for k := range token {
					other := byte('A')
					if token[k] == other {
						other = 'B'
					}
					refused(t, engines[i], j, token[:k]+string(other)+token[k+1:])
					if k > 0 {
						refused(t, engines[i], j, token[:k])
					}
				}
			}
			require.NoError(t, engines[i].engine.Close())
		}
	})
}

// FuzzTokens tries any text as a token of any query, and tokens of one query, one audit and one account with another.
func FuzzTokens(f *testing.F) {
	var accounts []*script
	var tokens [][]string
	for range 2 {
		s := &script{TB: f, stock: newStock(), vars: make(map[string]string)}
		var err error
		s.engine, err = engine.New(engine.Config{EnableAll: true, Checks: []checks.Check{
			s.checks["DEVICE_CHECK"], s.checks["OK_CHECK"], s.checks["RELATED_CHECK"],
		}})
		require.NoError(f, err)
		f.Cleanup(func() { s.engine.Close() })
		s.within(time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
		call := func(o engine.Operation, doc string) {
			in := o.NewInput()
			require.NoError(f, json.Unmarshal([]byte(doc), in))
			out, err := o.Call(f.Context(), s.engine, in)
			require.NoError(f, err)
			if start, ok := out.(*model.StartOnDemandAuditTaskOutput); ok {
				waitAudit(f, s.engine, start.TaskID)
				s.vars["<ended>"] = start.TaskID
			}
		}
		for _, words := range []string{
			`StartOnDemandAuditTask {"targetCheckNames": ["RELATED_CHECK"]}`,
			`StartOnDemandAuditTask {"targetCheckNames": ["DEVICE_CHECK"]}`,
			`CreateScheduledAudit {"scheduledAuditName": "a", "frequency": "DAILY", "targetCheckNames": ["OK_CHECK"]}`,
			`CreateAuditSuppression {"checkName": "OK_CHECK", "resourceIdentifier": {"clientId": "a"}, "suppressIndefinitely": true, "clientRequestToken": "a"}`,
			`CreateAuditSuppression {"checkName": "OK_CHECK", "resourceIdentifier": {"clientId": "b"}, "suppressIndefinitely": true, "clientRequestToken": "b"}`,
		} {
			verb, doc, _ := strings.Cut(words, " ")
			call(operation(f, verb), doc)
		}
		for finding, err := range s.engine.AuditFindings(f.Context(), everything) {
			require.NoError(f, err)
			if finding.CheckName == "RELATED_CHECK" {
				s.vars["<finding>"] = finding.FindingID
			}
		}
		accounts = append(accounts, s)
		tokens = append(tokens, furnish(f, s, call))
	}
	for q, token := range tokens[0] {
		f.Add(byte(q), byte(q), []byte{}, 0)
		f.Add(byte(q), byte(q+1), []byte{1}, len(token)/2)
		f.Add(byte(q), byte(0xff), []byte(token), 0)
	}
	// A token of query from, changed at a place, for query to; if there is no query from, the change is the token.
	f.Fuzz(func(t *testing.T, to, from byte, change []byte, at int) {
		q := int(to) % len(queries)
		token := string(change)
		if int(from) < len(queries) {
			b := []byte(tokens[0][from])
			for i, c := range change {
				b[(max(at, 0)+i)%len(b)] ^= c
			}
			token = string(b)
		}
		if token == "" {
			return
		}
		refused(t, accounts[1], q, token)
		if token != tokens[0][q] {
			refused(t, accounts[0], q, token)
		} else if _, err := page(t, accounts[0], q, token); err != nil {
			t.Error(err)
		}
	})
}
