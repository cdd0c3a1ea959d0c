package permission_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks/policy"
)

// judge tries all checks on one document, and returns how long the slowest took.
func judge(t testing.TB, data []byte) (slowest time.Duration) {
	t.Helper()
	_, wrong := policy.Parse(data)
	ways := []principal{
		{name: "plain", policies: [][]byte{data}, used: map[string]time.Time{"iot": now, "s3": now}},
		{name: "use not known", policies: [][]byte{data}},
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, bytes.TrimPrefix(data, []byte("\uFEFF")), "\n", "\t"); wrong == nil && indented.Len() <= policy.MaxLength {
		require.NoError(t, err)
		ways = append(ways, principal{name: "indented", policies: [][]byte{indented.Bytes()}, used: ways[0].used})
	}
	for _, s := range subjects() {
		var words []string
		for _, way := range ways {
			begin := time.Now()
			found := s.findings(t, []principal{way})[0]
			slowest = max(slowest, time.Since(begin))
			words = append(words, wordsOf(found))
			codes := strings.Fields(verdictOf(found))
			for i, f := range found {
				known := slices.Contains(s.codes(), f.ReasonCode) || f.ReasonCode == notEvaluable && (wrong != nil || way.used == nil)
				if !known || slices.Contains(codes[:i], f.ReasonCode) || f.Reason == "" || !utf8.ValidString(f.Reason) || len(f.Reason) > 10_000 {
					t.Errorf("%s, %s: finding %+v", s.file, way.name, f)
				}
			}
			if wrong != nil && (len(found) != 1 || codes[0] != notEvaluable || !strings.Contains(found[0].Reason, "cannot be parsed: line ")) {
				t.Errorf("%s, %s: %v, but %s", s.file, way.name, wrong, wordsOf(found))
			}
		}
		if len(words) == 3 && words[2] != words[0] {
			t.Errorf("%s: %s, and indented %s", s.file, words[0], words[2])
		}
	}
	return slowest
}

// FuzzDocument feeds the checks with whatever may stand where a policy should.
func FuzzDocument(f *testing.F) {
	for _, s := range subjects() {
		for i, v := range s.corpus(f) {
			if all := spellings(); i%5 == 0 {
				f.Add(all[i/5%len(all)].write(f, v.documents[0]))
			}
		}
	}
	for _, data := range hostile(f, 1_500) {
		f.Add(data)
		f.Add(data[:len(data)-2])
	}
	for _, text := range []string{
		"", "null", `""`, "{}", `{"Statement":[]}`, "\uFEFF" + `{"Statement":[]}`, `{"Statement":{}}`, "\xff", strings.Repeat("[", 100_000),
		`{"Statement":{"Effect":"Allow","effect":"Deny","Action":"*","Resource":"*"}}`,
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iot:\u0000","Resource":"${"}}`,
		`{"Version":"2012-10-17","Statement":{"Effect":"Deny","NotAction":"iot:x","NotResource":["arn:","arn::::::","${iot:ClientId}","${}","arn:aws:iot:${a:b}:*:topicfilter/#"]}}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if took := judge(t, data); took > hang {
			t.Errorf("%v", took)
		}
	})
}
