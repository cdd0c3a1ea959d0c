package findings_test

import (
	"bytes"
	"encoding/base64"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/findings"
)

func TestTokens(t *testing.T) {
	tokens, others := findings.NewTokens(), findings.NewTokens()
	query, payload := []byte("what is listed"), []byte("where to go on")
	token := tokens.Seal(query, payload)
	for _, row := range []struct {
		name   string
		tokens *findings.Tokens
		query  string
		token  string
		err    error
	}{
		{"as sealed", tokens, "what is listed", token, nil},
		{"another query", tokens, "what is liste", token, findings.ErrOtherQuery},
		{"no query", tokens, "", token, findings.ErrOtherQuery},
		{"other tokens", others, "what is listed", token, findings.ErrForeignToken},
		{"empty", tokens, "what is listed", "", findings.ErrForeignToken},
		{"padded", tokens, "what is listed", token + "=", findings.ErrForeignToken},
		{"line break", tokens, "what is listed", token[:9] + "\r\n" + token[9:], findings.ErrForeignToken},
		{"longer", tokens, "what is listed", token + "AAAA", findings.ErrForeignToken},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := row.tokens.Open([]byte(row.query), row.token)
			require.ErrorIs(t, err, row.err)
			if row.err == nil {
				if diff := cmp.Diff(payload, got); diff != "" {
					t.Errorf("payload (-want +got):\n%s", diff)
				}
			}
		})
	}
	for n := range len(token) {
		_, err := tokens.Open(query, token[:n])
		require.ErrorIs(t, err, findings.ErrForeignToken, "the first %d characters", n)
	}
}

// TestTokensChanged turns each bit of a token's spelling, to find one that does not matter.
func TestTokensChanged(t *testing.T) {
	tokens := findings.NewTokens()
	for size := range 4 { // so that the last character has 0, 2 or 4 unused bits
		token := tokens.Seal(nil, make([]byte, size))
		for i := range 8 * len(token) {
			changed := []byte(token)
			changed[i/8] ^= 1 << (i % 8)
			_, err := tokens.Open(nil, string(changed))
			require.ErrorIs(t, err, findings.ErrForeignToken, "%q for %q", changed, token)
		}
	}
}

// TestTokenDigestIsNoSeal asks for a token of a query that reads like another token's body: its digest
// must tell nothing of that token's seal.
func TestTokenDigestIsNoSeal(t *testing.T) {
	tokens := findings.NewTokens()
	raw, err := base64.RawURLEncoding.DecodeString(tokens.Seal(nil, []byte("payload")))
	require.NoError(t, err)
	body, seal := raw[:len(raw)-16], raw[len(raw)-16:]
	other, err := base64.RawURLEncoding.DecodeString(tokens.Seal(body, nil))
	require.NoError(t, err)
	require.NotEqual(t, seal[:8], other[:8])
}

func FuzzTokensOpen(f *testing.F) {
	tokens, others := findings.NewTokens(), findings.NewTokens()
	f.Add([]byte("query"), []byte("payload"), "AAAA")
	f.Add([]byte(nil), []byte(nil), "")
	f.Add([]byte("q"), []byte("s"), others.Seal([]byte("q"), []byte("s")))
	f.Fuzz(func(t *testing.T, query, payload []byte, forged string) {
		token := tokens.Seal(query, payload)
		got, err := tokens.Open(query, token)
		if err != nil || !bytes.Equal(got, payload) {
			t.Fatalf("Open(Seal(%q)) = %q, %v", payload, got, err)
		}
		if _, err := tokens.Open(append(query, 'x'), token); err != findings.ErrOtherQuery {
			t.Errorf("a token of another query: %v", err)
		}
		if _, err := others.Open(query, token); err != findings.ErrForeignToken {
			t.Errorf("a token of other Tokens: %v", err)
		}
		for _, bad := range []string{forged, token[:len(token)-1], token[1:], token + forged + "A", forged + "A" + token} {
			if got, err := tokens.Open(query, bad); err != findings.ErrForeignToken {
				t.Errorf("Open(%q) = %q, %v", bad, got, err)
			}
		}
	})
}

func FuzzPageToken(f *testing.F) {
	s, other := threeAudits(f), threeAudits(f)
	for _, store := range []*findings.Store{s, other} {
		page, err := store.Page(findings.Query{})
		require.NoError(f, err)
		f.Add(page.Next, "CHECK_1", taskID(1))
		f.Add(page.Next, "", "")
	}
	f.Add("", "CHECK_1", "")
	f.Add("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "", taskID(2))
	f.Fuzz(func(t *testing.T, token, check, task string) {
		q := findings.Query{Token: token, CheckName: check, TaskID: task}
		page, err := s.Page(q)
		if err != nil {
			requireInvalid(t, err, "nextToken")
			require.Empty(t, page)
			return
		}
		for _, f := range page.Findings {
			require.True(t, check == "" || f.CheckName == check)
			require.True(t, task == "" || f.TaskID == task)
		}
		if token == "" && page.Next != "" {
			q.Token = page.Next
			seen := make(map[string]bool)
			next, err := s.Page(q)
			require.NoError(t, err)
			for _, f := range append(next.Findings, page.Findings...) {
				require.False(t, seen[f.FindingID], "finding %s comes twice", f.FindingID)
				seen[f.FindingID] = true
			}
		}
	})
}

func FuzzGet(f *testing.F) {
	s := threeAudits(f)
	known := make(map[string]bool)
	for finding := range s.All(findings.Query{}) {
		known[finding.FindingID] = true
	}
	f.Add("")
	f.Add(taskID(1))
	f.Add(taskID(1)[:16] + "0000000000000001")
	f.Add(taskID(2)[:16] + "0000030000000018")
	f.Add(taskID(2)[:16] + "0000030000000019")
	f.Fuzz(func(t *testing.T, id string) {
		finding, ok := s.Get(id)
		if ok != known[id] || ok && finding.FindingID != id {
			t.Errorf("Get(%q) = %q, %t", id, finding.FindingID, ok)
		}
	})
}
