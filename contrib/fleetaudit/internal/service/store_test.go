package service_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/engine/storetest"
	"github.com/fleetaudit/fleetaudit/model"
)

// TestStoreFails has a Store that fails while a request is there. That is served to its end, and meanwhile whoever
// watches is told why it all ends.
func TestStoreFails(t *testing.T) {
	var full atomic.Bool
	store := &storetest.Faults{Store: storetest.NewMemory(), OnCommit: func(int, []engine.Change) storetest.Fault {
		if full.Load() {
			return storetest.Before
		}
		return storetest.None
	}}
	there, goOn := make(chan struct{}), make(chan struct{})
	r := newStoredService(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(there)
		<-goOn
		fmt.Fprint(w, "done")
	}), store).start(t)
	var client sync.WaitGroup
	client.Go(func() {
		answer, err := http.Get("http://" + r.Listener.Addr().String() + "/audit")
		if err != nil {
			t.Error(err)
			return
		}
		defer answer.Body.Close()
		if data, err := io.ReadAll(answer.Body); err != nil || string(data) != "done" {
			t.Errorf("answer %q, %v", data, err)
		}
	})
	<-there
	status, page := get(t, r.Metrics, "/healthz")
	require.Equal(t, `200 {"status":"ok"}`, fmt.Sprint(status, " ", strings.TrimSpace(page)))

	full.Store(true)
	_, err := r.Engine.StartOnDemandAuditTask(t.Context(), &model.StartOnDemandAuditTaskInput{TargetCheckNames: []string{checkName}})
	require.Error(t, err)
	status, page = get(t, r.Metrics, "/healthz")
	const want = `503 {"status":"failed","reason":"engine: the store has failed: storetest: a fault that was asked for: call `
	if got := fmt.Sprint(status, " ", page); !strings.HasPrefix(got, want) {
		t.Errorf("/healthz: %s, want %s", got, want)
	}
	close(goOn)
	client.Wait()
	const why = "starting scheduled audits: engine: the store has failed: storetest: a fault that was asked for"
	if err := r.end(); err == nil || !strings.HasPrefix(err.Error(), why) {
		t.Errorf("error %v, want %s", err, why)
	}
	if _, late := store.Calls(); late > 0 {
		t.Errorf("%d calls after one that failed", late)
	}
}
