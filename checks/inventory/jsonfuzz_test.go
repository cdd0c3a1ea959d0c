package inventory_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// place is where an element of a JSON file stands, and what encoding/json makes of it.
type place struct {
	start, end int64
	list       string
	value      any
}

func (p place) has(offset int64) bool { return p.start <= offset && offset < p.end }

// elements are the elements of the lists in a fleet object, going by encoding/json. None if it is no such object.
func elements(data []byte) (all []place) {
	d := json.NewDecoder(bytes.NewReader(data))
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return nil
	}
	seen := make(map[string]bool)
	for d.More() {
		name, err := d.Token()
		if err != nil || seen[name.(string)] {
			return all
		}
		seen[name.(string)] = true
		rest := data[d.InputOffset():]
		list := bytes.HasPrefix(bytes.TrimLeft(rest, " \t\r\n:"), []byte("["))
		if !list {
			if d.Decode(new(json.RawMessage)) != nil {
				return all
			}
			continue
		}
		_, _ = d.Token()
		for d.More() {
			p := place{start: d.InputOffset(), list: name.(string)}
			if d.Decode(&p.value) != nil {
				return all
			}
			p.end = d.InputOffset()
			all = append(all, p)
		}
		if _, err := d.Token(); err != nil {
			return all
		}
	}
	return all
}

// holdsJSON holds what is made of a file with one fleet object against encoding/json: each element is a resource of
// the name that encoding/json reads, or something is told about it.
func holdsJSON(t *testing.T, data []byte) {
	t.Helper()
	if !bytes.HasPrefix(data, []byte(`{"`)) || bytes.Contains(data, []byte("-----BEGIN ")) {
		return
	}
	l := loadFile(t, string(data))
	if len(l.Problems)+len(l.Ignored) >= 1000 {
		return
	}
	type resource struct {
		at            int64
		list, id, key string
	}
	var resources []resource
	for _, v := range l.PolicyVersions {
		resources = append(resources, resource{v.Origin.Offset, "policies", "policyName", v.Name})
		resources = append(resources, resource{v.Origin.Offset, "policies", "policyVersionId", v.VersionID})
		if (v.Document == nil) != (v.ParseError != "") {
			t.Errorf("%s has the document %v and the error %q", v.Name, v.Document, v.ParseError)
		}
	}
	for _, p := range l.IdentityPools {
		resources = append(resources, resource{p.Origin.Offset, "identityPools", "identityPoolId", p.ID})
	}
	for _, a := range l.RoleAliases {
		resources = append(resources, resource{a.Origin.Offset, "roleAliases", "roleAliasArn", a.ARN})
	}
	for _, a := range l.Accounts {
		resources = append(resources, resource{a.Origin.Offset, "accounts", "account", a.Account})
	}
	if len(resources) == 0 && len(l.Problems) == 0 && len(l.Clients) == 0 && len(elements(data)) > 0 {
		t.Error("nothing is told about the file")
	}
	if bytes.Contains(data, []byte(`"Statement"`)) || bytes.Contains(data, []byte(`"eventType"`)) {
		return // it may be another kind of object
	}
	for _, p := range elements(data) {
		found := false
		for _, r := range resources {
			if p.has(r.at) {
				found = true
				object, ok := p.value.(map[string]any)
				if !ok || p.list != r.list || object[r.id] != r.key {
					t.Errorf("%s[%q] %q of %q in %s", r.list, r.id, r.key, p.value, p.list)
				}
			}
		}
		for _, q := range append(l.Problems, l.Ignored...) {
			// What is wrong with a file as a whole is told where it goes wrong.
			found = found || p.has(q.Offset) || strings.Contains(q.What, "no JSON") || strings.Contains(q.What, "object with none")
			found = found || strings.HasSuffix(q.What, "is unknown; the members are policies, identityPools, roleAliases, certificates, accounts")
		}
		if !found {
			t.Errorf("nothing is told about the element in bytes %d to %d", p.start, p.end)
		}
	}
}

// jsonRows are the contents of testdata/json.txt.
func jsonRows(t testing.TB) (all []string) {
	t.Helper()
	data, err := os.ReadFile("testdata/json.txt")
	require.NoError(t, err)
	for line := range strings.Lines(string(data)) {
		if content, _, ok := strings.Cut(line, " | "); ok && !strings.HasPrefix(line, "#") {
			all = append(all, strings.ReplaceAll(content, "⏎", "\n"))
		}
	}
	return all
}

func FuzzLoadJSON(f *testing.F) {
	for _, row := range jsonRows(f) {
		f.Add([]byte(row))
	}
	for _, data := range fleetFiles(f) {
		if data[0] == '{' {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) { holdsJSON(t, data) })
}

// TestLoadJSONMutants cuts and breaks the rows in every place.
func TestLoadJSONMutants(t *testing.T) {
	pieces := []string{`"`, `{`, `}`, `[`, `]`, `,`, `:`, `\`, "\n", "\x00", "\xff", "9", `"a":`, "\n{"}
	for n, row := range jsonRows(t) {
		for i := n % 5; i < len(row); i += 5 {
			piece := pieces[(n+i)%len(pieces)]
			for _, data := range []string{row[:i], row[:i] + row[i+1:], row[:i] + piece + row[i:], row[:i] + piece + row[i+1:]} {
				if holdsJSON(t, []byte(data)); t.Failed() {
					t.Fatalf("%q", data)
				}
			}
		}
	}
}
