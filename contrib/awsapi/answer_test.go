package awsapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/awsapi"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// TestOutputsAreAppended: what each operation returns is written without encoding/json, and as that writes it.
func TestOutputsAreAppended(t *testing.T) {
	for _, o := range engine.Operations() {
		v := reflect.New(outputOf(t, o)).Interface()
		out, ok := v.(model.Output)
		require.True(t, ok, "%s returns a %T, which is no model.Output", o.Name, v)
		want, err := json.Marshal(v)
		require.NoError(t, err)
		got, err := model.AppendJSON(nil, out)
		require.NoError(t, err)
		require.Equal(t, string(want), string(got), o.Name)
	}
}

// TestAnswersApart: memory that answers share is used by one at a time, whatever their lengths, and answers may be other
// than the Engine's outputs.
func TestAnswersApart(t *testing.T) {
	type key struct{}
	text := func(i int) string { return strings.Repeat(strconv.Itoa(i)+" ", i*i%7*i*20) }
	h, err := awsapi.HandlerOf(awsapi.Config{Engine: newAccount(t)}, broken(func(ctx context.Context) (any, error) {
		switch i := ctx.Value(key{}).(int); i % 4 {
		case 0:
			return nil, &model.InvalidRequestException{Message: text(i)}
		case 1:
			return map[string]string{"taskId": text(i)}, nil
		default:
			return &model.StartOnDemandAuditTaskOutput{TaskID: text(i)}, nil
		}
	}, "InvalidRequestException"))
	require.NoError(t, err)
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for i := worker; i < 200; i += 3 {
				r := here("GET", "/audit/scheduledaudits", nil)
				a := httptest.NewRecorder()
				h.ServeHTTP(a, r.WithContext(context.WithValue(r.Context(), key{}, i)))
				want, status := fmt.Sprintf(`{"taskId":%q}`, text(i)), http.StatusOK
				switch {
				case i%4 == 0:
					want, status = fmt.Sprintf(`{"message":%q}`, text(i)), http.StatusBadRequest
				case i%4 != 1 && text(i) == "":
					want = "{}"
				}
				if a.Code != status || a.Body.String() != want || a.Header().Get("Content-Length") != strconv.Itoa(len(want)) {
					t.Errorf("%d: %d %.100s", i, a.Code, a.Body)
				}
			}
		})
	}
	all.Wait()
}
