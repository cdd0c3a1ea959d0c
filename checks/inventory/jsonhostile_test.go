package inventory_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

const someAccount = `{"accounts": [{"account": "123456789012"}]}`

// TestLoadHostileJSON loads JSON that is made to take memory or time. What stands before and behind it counts.
func TestLoadHostileJSON(t *testing.T) {
	document := `{"Statement": [{"Effect": "Allow", "Action": "iot:Connect", "Resource": "x"}]}`
	policy := func(document, more string) string {
		return fmt.Sprintf(`{"policies": [{"policyName": "p", "policyVersionId": "1", "policyDocument": %s%s}]}`, document, more)
	}
	times := strings.Repeat
	for _, test := range []struct {
		name, data string
		want       []string
	}{
		{"deep element", `{"accounts": [` + times("[", 33) + times("]", 33) + `]}`, []string{
			"problem f:46: accounts[0]" + times("[0]", 32) + " is deeper than 32 lists and objects"}},
		{"very deep", `{"accounts": [` + times("[", 200_000) + times("]", 200_000) + `]}`, []string{
			"problem f:10012: is no JSON from here on: invalid character '[' exceeded max depth"}},
		{"very deep, without end", `{"accounts": [` + times("[", 200_000), []string{"problem f:10012: is no JSON from here on: invalid character '[' exceeded max depth"}},
		{"deep document", policy(`{"Statement": `+times("[", 40)+times("]", 40)+`}`, ""), []string{"policy p:1 f:14 (broken)",
			"problem f:121: policies[0].policyDocument.Statement" + times("[0]", 31) + " is deeper than 32 lists and objects"}},
		{"long document", policy(times(" ", 500_000)+document[:1]+times(" ", 404_600)+document[1:], ""), []string{"policy p:1 f:14 (broken)",
			"problem f:500076: policies[0].policyDocument has 404678 characters, and may have 404600"}},
		{"long element", `{"accounts": [{"account": "` + times("1", 1<<20) + `"}]}`, []string{
			"problem f:14: accounts[0] has 1048591 bytes, more than 1048576, and is not read"}},
		{"long event", `{"eventType": "connected", "clientId": "` + times("1", 1<<20) + `"}`, []string{
			"problem f:0: the object has 1048618 bytes, more than 1048576, and is not read"}},
		{"long name", `{"accounts": [], "` + times("x", 1000) + `": 1}`, []string{
			`problem f:17: "` + times("x", 80) + `" is unknown; the members are policies, identityPools, roleAliases, certificates, accounts`}},
		{"long value", `{"accounts": [{"account": "` + times("1", 1000) + `"}]}`, []string{
			`problem f:26: accounts[0].account "` + times("1", 80) + `"... (1000 characters) must be the 12 digits of an account`}},
		{"many targets", policy(document, `, "targets": [`+times(`"`+times("a", 100)+`",`, 12_000)+`"a"]`), []string{"policy p:1 f:14"}},
		{"quotes", `{"accounts": "` + times(`\"`, 200_000) + `"}`, []string{"problem f:13: accounts must be a list"}},
		{"no quote", `{"accounts": [{"` + times(`x`, 200_000), []string{"problem f:200016: is no JSON from here on: it ends too early"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, summary(loadFile(t, test.data))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			l := loadFile(t, someAccount+"\n"+test.data+"\n"+strings.ReplaceAll(someAccount, "123456789012", "210987654321"))
			if len(l.Accounts) != 2 && !strings.Contains(test.name, "without end") {
				t.Errorf("accounts %v", l.Accounts)
			}
		})
	}
}

// TestLoadManyBrokenLines: each line that is broken costs itself alone, and no more time than its length.
func TestLoadManyBrokenLines(t *testing.T) {
	const lines = 10_000
	for _, line := range []string{"{\n", "{\"\n", "{\"accounts\": [\n", "{\"accounts\": [{\"\n", "{}\n", "}\n{", "{\"eventType\": \"\n"} {
		data := someAccount + strings.Repeat("\n"+line, lines) + "\n" + strings.ReplaceAll(someAccount, "123456789012", "210987654321")
		l := loadFile(t, data)
		if len(l.Accounts) < 1 || len(l.Problems) < 1 || len(l.Problems) > 1001 {
			t.Errorf("%q: %d accounts, %d problems", line, len(l.Accounts), len(l.Problems))
		}
	}
	l := loadFile(t, `{"policies": [`+strings.Repeat(`1,`, lines)+`1], `+strings.Repeat(`"x": 1, `, lines)+`"accounts": [{"account": "123456789012"}]}`)
	if len(l.Accounts) != 1 || len(l.Problems) != 1001 {
		t.Errorf("%d accounts, %d problems", len(l.Accounts), len(l.Problems))
	}
}

// TestLoadHugeObject has an object that is too large, and one behind it.
func TestLoadHugeObject(t *testing.T) {
	const begin, end = `{"accounts": [{"account": "`, `"}]}`
	huge := io.MultiReader(strings.NewReader(begin), io.LimitReader(letters{}, inventory.MaxJSON), strings.NewReader(end), strings.NewReader(someAccount))
	l, err := inventory.LoadReader(context.Background(), huge, "f")
	require.NoError(t, err)
	size := inventory.MaxJSON + len(begin+end)
	want := []string{
		fmt.Sprintf("account 123456789012 f:%d { } {  false}", size+14),
		fmt.Sprintf("problem f:0: JSON object of %d bytes is larger than 67108864, and is not read", size),
	}
	if diff := cmp.Diff(want, summary(l)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestLoadStreamsEvents loads events of a reader that is larger than any object may be.
func TestLoadStreamsEvents(t *testing.T) {
	const events = 10_000
	e := &eventReader{left: events}
	l, err := inventory.LoadReader(context.Background(), e, "events")
	require.NoError(t, err)
	connections := 0
	for _, c := range l.Clients {
		connections += len(c.Connections)
	}
	if len(l.Problems) != 0 || len(l.Clients) != 10 || connections != events/2 {
		t.Errorf("%d problems, %d clients, %d connections", len(l.Problems), len(l.Clients), connections)
	}
}

// eventReader makes events, a line each, two a connection.
type eventReader struct {
	left int
	line string
}

func (r *eventReader) Read(p []byte) (int, error) {
	if r.line == "" {
		if r.left == 0 {
			return 0, io.EOF
		}
		r.left--
		session := r.left / 2
		kind := [2]string{"disconnected", "connected"}[r.left%2]
		r.line = fmt.Sprintf(`{"clientId": "client-%d", "timestamp": %d, "eventType": %q, "sessionIdentifier": "%032d", "principalIdentifier": "%064d", "ipAddress": "192.0.2.1", "versionNumber": 0}`+"\n",
			session%10, 1717142400000-int64(r.left)*1000, kind, session, session%10)
	}
	n := copy(p, r.line)
	r.line = r.line[n:]
	return n, nil
}

func BenchmarkLoadEvents(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		l, err := inventory.LoadReader(context.Background(), &eventReader{left: 10_000}, "events")
		if err != nil || len(l.Clients) != 10 {
			b.Fatal(err, len(l.Clients))
		}
	}
}
