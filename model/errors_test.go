package model_test

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/fleetaudit/fleetaudit/model"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// found tells whether err is, or wraps, an error of type E.
func found[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// TestErrors compares every error with the facts: code, status, members; and finds it, wrapped, by its
// type and no other's.
func TestErrors(t *testing.T) {
	find := map[string]func(error) bool{
		"InvalidRequestException":        found[*model.InvalidRequestException],
		"ResourceNotFoundException":      found[*model.ResourceNotFoundException],
		"ResourceAlreadyExistsException": found[*model.ResourceAlreadyExistsException],
		"LimitExceededException":         found[*model.LimitExceededException],
		"ThrottlingException":            found[*model.ThrottlingException],
		"InternalFailureException":       found[*model.InternalFailureException],
	}
	f := readFacts(t)
	var codes []string
	for _, row := range []struct {
		err  model.APIError
		body string
	}{
		{&model.InvalidRequestException{Message: "m", Problems: []model.Problem{{Field: "f"}}}, `{"message":"m"}`},
		{&model.ResourceNotFoundException{Message: "m"}, `{"message":"m"}`},
		{&model.ResourceAlreadyExistsException{Message: "m", ResourceID: "i", ResourceARN: "a"}, `{"message":"m","resourceId":"i","resourceArn":"a"}`},
		{&model.LimitExceededException{Message: "m"}, `{"message":"m"}`},
		{&model.ThrottlingException{Message: "m"}, `{"message":"m"}`},
		{&model.InternalFailureException{Message: "m"}, `{"message":"m"}`},
	} {
		code := row.err.ErrorCode()
		codes = append(codes, code)
		fact := f.errors[code]
		require.NotEmpty(t, fact, code)
		t.Run(code, func(t *testing.T) {
			if diff := cmp.Diff(reflect.TypeOf(row.err).Elem().Name(), code); diff != "" {
				t.Errorf("code (-want +got):\n%s", diff)
			}
			status := fact[0]
			if departures[code] != "" {
				status, _, _ = strings.Cut(departures[code], ":")
			}
			if diff := cmp.Diff(status, strconv.Itoa(row.err.HTTPStatusCode())); diff != "" {
				t.Errorf("status (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{"m", code + ": m"}, []string{row.err.ErrorMessage(), row.err.Error()}); diff != "" {
				t.Errorf("words (-want +got):\n%s", diff)
			}
			body := mustMarshal(t, row.err)
			if diff := cmp.Diff(row.body, body); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
			members := slices.Sorted(maps.Keys(jsonValue(t, []byte(body)).(map[string]any)))
			if diff := cmp.Diff(slices.Sorted(slices.Values(fact[1:])), members); diff != "" {
				t.Errorf("members (-facts +got):\n%s", diff)
			}
			wrapped := fmt.Errorf("audit: %w", row.err)
			if !found[model.APIError](wrapped) {
				t.Error("not found as an APIError")
			}
			for other, is := range find {
				if is(wrapped) != (other == code) {
					t.Errorf("found as %s: %t", other, is(wrapped))
				}
			}
		})
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(f.errors)), slices.Sorted(slices.Values(codes))); diff != "" {
		t.Errorf("errors (-facts +got):\n%s", diff)
	}
	if body := mustMarshal(t, &model.ResourceAlreadyExistsException{}); body != `{"message":""}` {
		t.Errorf("empty body is %s", body)
	}
}
