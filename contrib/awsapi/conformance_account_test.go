package awsapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/awsapi"
	"github.com/fleetaudit/fleetaudit/engine"
)

// Every way to be let in leads to every operation.
func TestConformanceOfEntries(t *testing.T) {
	for _, entry := range entries() {
		t.Run(entry.name, func(t *testing.T) {
			served := newServed()
			for _, r := range good(t) {
				p := newPlant(t, 1)
				c := newClient(listen(t, served.by(newHandler(t, entry.config(p.Engine)))), entry.key)
				require.NoError(t, call(t, c, r.Operation, p.bind(r)).err, r.Name)
				require.Equal(t, 1, served.times(r.Name, http.StatusOK), r.Name)
			}
		})
	}
}

// keyring is the accounts that a handler serves, by access key. Their secrets are all the same.
func keyring(accounts map[string]*engine.Engine) awsapi.Config {
	return awsapi.Config{Credentials: func(_ context.Context, id string) (awsapi.Credential, error) {
		e, ok := accounts[id]
		if !ok {
			return awsapi.Credential{}, fmt.Errorf("%w: %s", awsapi.ErrUnknownAccessKey, id)
		}
		return awsapi.Credential{SecretAccessKey: "secret", Engine: e}, nil
	}}
}

// Two accounts have things of the same names behind one handler. What one asks for with the other's ids, ARNs and page
// tokens is answered as if there were no other, and shows and changes nothing of the other's.
func TestConformanceOfAccounts(t *testing.T) {
	theirs, untouched := newPlant(t, 1), newPlant(t, 1)
	ours, twin := newPlant(t, 2), newPlant(t, 2)
	h := newHandler(t, keyring(map[string]*engine.Engine{"AKIDTHEIRS": theirs.Engine, "AKIDOURS": ours.Engine}))
	c := newClient(listen(t, h), hasty, withKey("AKIDOURS", "secret", ""))
	var tokens []string // that were refused for being another account's
	for _, s := range stanzas(t) {
		r := s.row
		if s.before != nil {
			continue
		}
		in := theirs.bind(r)
		got := call(t, c, r.Operation, in)
		if strings.Contains(r.input, "<next>") {
			e, ok := errors.AsType[smithy.APIError](got.err)
			require.True(t, ok, "%s takes the page token of another account", r.Name)
			if strings.Contains(e.ErrorMessage(), "nextToken") {
				tokens = append(tokens, r.Name)
			}
		}
		if r.reads() {
			out, err := r.Call(t.Context(), ours.Engine, in)
			if difference := diff(t, r.Operation, got, outcome{out, err}); difference != "" {
				t.Errorf("%s %s: %s", r.Name, r.input, difference)
			}
		} else if _, err := r.Call(t.Context(), twin.Engine, in); (err == nil) != (got.err == nil) {
			t.Errorf("%s %s: got %v; want %v", r.Name, r.input, got.err, err)
		}
		if got.err == nil {
			shown := string(encoded(t, got.out))
			for _, own := range theirs.own() {
				if strings.Contains(shown, own) {
					t.Errorf("%s %s shows %s: %s", r.Name, r.input, own, shown)
				}
			}
		}
	}
	var want []string
	for _, o := range engine.Operations() {
		if _, ok := paginators[o.Name]; ok && o.Name != "ListTagsForResource" { // which never has a second page
			want = append(want, o.Name)
		}
	}
	require.Equal(t, want, tokens)
	if diff := cmp.Diff(untouched.dump(), theirs.dump()); diff != "" {
		t.Errorf("the other account is not what it was (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(twin.dump(), ours.dump()); diff != "" {
		t.Errorf("-alone +beside another:\n%s", diff)
	}
}
