package checks_test

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/model"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

var parameters = checks.Spec{Params: []checks.Param{
	{Name: "DAYS", Default: 30, Min: 1, Max: 3652},
	{Name: "OFFSET", Default: 0, Min: -5, Max: 5},
	{Name: "FIXED", Default: 7, Min: 7, Max: 7},
}}

func TestConfigure(t *testing.T) {
	file, err := os.Open("testdata/config.txt")
	require.NoError(t, err)
	defer file.Close()
	rows := 0
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		line := scanner.Text()
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		rows++
		name, rest, _ := strings.Cut(line, " ")
		rest = strings.TrimSpace(rest)
		quoted, err := strconv.QuotedPrefix(rest)
		require.NoError(t, err, line)
		value, err := strconv.Unquote(quoted)
		require.NoError(t, err, line)
		want := strings.TrimSpace(rest[len(quoted):])

		var p model.Problems
		c := parameters.Configure(&p, "configuration", map[string]string{name: value})
		got := strconv.Itoa(c.Int(name))
		if len(p) > 0 {
			got = p[0].Reason
			wanted := []model.Problem{{Field: "configuration." + name, Value: strconv.Quote(value), Reason: want}}
			if diff := cmp.Diff(wanted, []model.Problem(p)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", line, diff)
			}
		}
		if got != want {
			t.Errorf("%s: got %s", line, got)
		}
	}
	if rows < 30 {
		t.Errorf("only %d rows", rows)
	}
}

func TestConfigureDefaults(t *testing.T) {
	for _, row := range []struct {
		set  map[string]string
		want string
	}{
		{nil, "30 0 7"},
		{map[string]string{}, "30 0 7"},
		{map[string]string{"DAYS": "10"}, "10 0 7"},
		{map[string]string{"DAYS": "10", "OFFSET": "-1"}, "10 -1 7"},
		{map[string]string{"DAYS": "ten", "OFFSET": "-1"}, "30 -1 7"},
	} {
		var p model.Problems
		c := parameters.Configure(&p, "", row.set)
		if got := fmt.Sprint(c.Int("DAYS"), c.Int("OFFSET"), c.Int("FIXED")); got != row.want {
			t.Errorf("%v: %s, want %s", row.set, got, row.want)
		}
	}
	c := parameters.Configure(nil, "", nil)
	if got := c.Days("DAYS"); got != 720*time.Hour {
		t.Errorf("30 days are %v", got)
	}
}

// TestConfigureProblems wants every problem, in the order of names.
func TestConfigureProblems(t *testing.T) {
	set := map[string]string{"DAYS": "0", "OFFSET": "x", "days": "30", "": "1", "SPEED": "9", "FIXED": "7"}
	for range 10 { // a map has no order
		var p model.Problems
		parameters.Configure(&p, "a.b", set)
		parameters.Configure(&p, "c", map[string]string{"DAYS": "30"})
		checks.Spec{}.Configure(&p, "d", map[string]string{"DAYS": "30"})
		want := []string{
			`a.b "" is not a parameter of the check, which has DAYS, OFFSET, FIXED`,
			`a.b.DAYS "0" must be a whole number from 1 to 3652`,
			`a.b.OFFSET "x" must be a whole number from -5 to 5`,
			`a.b "SPEED" is not a parameter of the check, which has DAYS, OFFSET, FIXED`,
			`a.b "days" is not a parameter of the check, which has DAYS, OFFSET, FIXED`,
			`d "DAYS" is not a parameter of the check, which has none`,
		}
		var got []string
		for _, q := range p {
			got = append(got, q.String())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	}
}

func TestUndeclaredParameter(t *testing.T) {
	var p model.Problems
	for name, c := range map[string]checks.Config{
		"zero Config":          {},
		"another is declared":  parameters.Configure(&p, "", nil),
		"set but not declared": checks.Spec{}.Configure(&p, "", map[string]string{"HOURS": "1"}),
	} {
		for _, read := range []func(){func() { c.Int("HOURS") }, func() { c.Days("HOURS") }} {
			func() {
				defer func() {
					if got, want := recover(), `checks: the Spec declares no parameter "HOURS"`; got != want {
						t.Errorf("%s: panic is %v, want %s", name, got, want)
					}
				}()
				read()
			}()
		}
	}
}
