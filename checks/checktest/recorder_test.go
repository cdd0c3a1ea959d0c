package checktest_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/checktest"
	"github.com/fleetaudit/fleetaudit/model"
)

// recorder is a test whose failures are kept instead of counted.
type recorder struct {
	testing.TB // for what is neither a failure nor a message
	mu         sync.Mutex
	failures   []string
	logs       []string
}

// record runs f as a test and returns what it would have failed with.
func record(t *testing.T, f func(testing.TB)) (failures, logs []string) {
	t.Helper()
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() { // which FailNow ends
		defer close(done)
		f(r)
	}()
	<-done
	return r.failures, r.logs
}

func (r *recorder) add(to *[]string, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*to = append(*to, text)
}

func (r *recorder) Helper() {}
func (r *recorder) Errorf(format string, args ...any) {
	r.add(&r.failures, fmt.Sprintf(format, args...))
}
func (r *recorder) Error(args ...any)                 { r.add(&r.failures, fmt.Sprint(args...)) }
func (r *recorder) Fatalf(format string, args ...any) { r.Errorf(format, args...); r.FailNow() }
func (r *recorder) Fatal(args ...any)                 { r.Error(args...); r.FailNow() }
func (r *recorder) Logf(format string, args ...any)   { r.add(&r.logs, fmt.Sprintf(format, args...)) }
func (r *recorder) FailNow()                          { runtime.Goexit() }

// device is what the tests check: one whose password is "admin" is bad.
type device struct {
	id, password string
	tags         map[string]string
	owner        *string
}

func fleet() []device {
	return []device{
		{id: "lamp", password: "admin", tags: map[string]string{"room": "hall"}},
		{id: "lock", password: "x9!k"},
		{id: "oven", password: "admin", owner: new("bob")},
		{id: "fan", password: "secret"},
		{id: "bell", password: "admin"},
	}
}

// found are the findings of a check of passwords in fleet.
var found = []checktest.Finding{wanted("bell"), wanted("lamp"), wanted("oven")}

func wanted(id string) checktest.Finding {
	return checktest.Finding{Resource: model.ResourceIdentifier{ClientID: id}, ReasonCode: "DEFAULT_PASSWORD"}
}

func spec() checks.Spec {
	return checks.Spec{
		Name:         "PASSWORD_CHECK",
		Severity:     model.AuditFindingSeverityHigh,
		ResourceType: model.ResourceTypeClientID,
		ReasonCodes:  []checks.ReasonCode{{Code: "DEFAULT_PASSWORD"}},
		Params:       []checks.Param{{Name: "LENGTH", Default: 5, Min: 1, Max: 9}},
	}
}

// judge is the judging function of a check that is as it should be.
func judge(_ context.Context, pass *checks.Pass, d *device) error {
	if d.password == "admin" {
		pass.Report(bad(d.id))
	}
	return nil
}

func bad(id string) checks.Finding {
	return checks.Finding{
		Resource:   model.NonCompliantResource{ResourceIdentifier: model.ResourceIdentifier{ClientID: id}},
		Reason:     "Its password is <admin>.",
		ReasonCode: "DEFAULT_PASSWORD",
	}
}

func passwords(src *checks.Source[device]) checks.Check { return checks.Each(spec(), src, judge) }
