package load

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/aws/smithy-go"
)

// tally counts requests. It is safe for concurrent use.
type tally struct {
	mu        sync.Mutex
	took      []time.Duration // of requests that were answered
	throttled int
	failed    map[string]int // by what went wrong
}

// add counts a request. What is no error of an AWS service has failed: the connection, the answer's form.
func (t *tally) add(operation string, took time.Duration, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	api, ok := errors.AsType[smithy.APIError](err)
	switch {
	case err == nil:
		t.took = append(t.took, took)
	case ok && api.ErrorCode() == "ThrottlingException":
		t.throttled++
	default:
		t.fault(operation + ": " + err.Error())
	}
}

// wrong counts an answer that is not what it should be.
func (t *tally) wrong(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.fault(fmt.Sprintf(format, args...))
}

func (t *tally) fault(what string) {
	if t.failed == nil {
		t.failed = make(map[string]int)
	}
	if t.failed[what] > 0 || len(t.failed) < 20 {
		t.failed[what]++
	} else {
		t.failed["others"]++
	}
}

// err tells of what failed.
func (t *tally) err() error {
	var all []error
	for _, what := range slices.Sorted(maps.Keys(t.failed)) {
		all = append(all, fmt.Errorf("%d times %s", t.failed[what], what))
	}
	return errors.Join(all...)
}

// percentile returns the time within which a share of the requests was answered.
func (t *tally) percentile(share float64) time.Duration {
	if len(t.took) == 0 {
		return 0
	}
	slices.Sort(t.took)
	return t.took[int(share*float64(len(t.took)-1))]
}
