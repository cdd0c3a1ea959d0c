package policies_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks/policy"
	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/policies"
)

// TestVerdictsAreEqual holds the rule against ours over the whole Corpus.
func TestVerdictsAreEqual(t *testing.T) {
	documents := policies.Corpus(policies.Size)
	for _, w := range policies.Works(documents) {
		var want any
		for i, c := range w.Contenders {
			task, err := c.New(w.Size)
			require.NoError(t, err)
			require.NoError(t, task.Do())
			if i == 0 {
				want = task.Answer()
				require.Len(t, want, policies.Size)
			} else if diff := cmp.Diff(want, task.Answer()); diff != "" {
				t.Errorf("%s, %s (-%s +got):\n%s", w.Name, c.Name, w.Contenders[0].Name, diff)
			}
		}
	}
}

// TestCorpus: its policies are all different, many allow nothing broadly, and each action is allowed broadly by some.
func TestCorpus(t *testing.T) {
	found, compliant := make(map[string]int), 0
	texts := make(map[string]bool)
	for _, d := range policies.Corpus(policies.Size) {
		parsed, err := policy.Parse(d.Text)
		require.NoError(t, err, d.Name)
		actions := policy.Set{parsed}.BroadDataPlane()
		for _, a := range actions {
			found[a]++
		}
		if len(actions) == 0 {
			compliant++
		}
		texts[string(d.Text)] = true
	}
	require.Len(t, texts, policies.Size)
	require.Greater(t, compliant, policies.Size/10)
	require.Len(t, found, 17)
}
