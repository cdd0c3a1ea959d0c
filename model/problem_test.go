package model_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/fleetaudit/fleetaudit/model"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

func TestProblems(t *testing.T) {
	var p model.Problems
	require.NoError(t, p.Err())
	p.Add("absent", nil, "is required")
	p.Add("empty", "", "must not be empty")
	p.Add("number", int32(-3), "must be at least 1")
	p.Add("truth", true, "must be absent")
	p.Add("fraction", 1.5, "must be an integer")
	p.Add("enum", model.DayOfWeekMon, "must be absent")
	p.Add("resource", model.ResourceIdentifier{ClientID: "c\n"}, "does not exist")
	p.Add("short", strings.Repeat("é", 80), "is as long as is shown")
	p.Add("long", strings.Repeat("é", 81), "is shortened")
	p.Add("list", []string{strings.Repeat("a", 100)}, "is shortened")
	want := []string{
		`absent is required`,
		`empty "" must not be empty`,
		`number -3 must be at least 1`,
		`truth true must be absent`,
		`fraction 1.5 must be an integer`,
		`enum "MON" must be absent`,
		`resource "c\n" does not exist`,
		`short "` + strings.Repeat("é", 80) + `" is as long as is shown`,
		`long "` + strings.Repeat("é", 80) + `"... (81 characters) is shortened`,
		`list "[` + strings.Repeat("a", 79) + `"... (102 characters) is shortened`,
	}
	if diff := cmp.Diff(want, texts(p)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff("InvalidRequestException: "+strings.Join(want, "; "), p.Err().Error()); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}

// TestManyProblems: the message ends after a hundred, the list does not.
func TestManyProblems(t *testing.T) {
	for _, row := range []struct {
		n    int
		rest string
	}{
		{1, ""}, {99, ""}, {100, ""}, {101, "; and 1 more"}, {12345, "; and 12245 more"},
	} {
		var p model.Problems
		for range row.n {
			p.Add("f", nil, "is wrong")
		}
		want := strings.Repeat("; f is wrong", min(row.n, 100))[2:] + row.rest
		e, ok := errors.AsType[*model.InvalidRequestException](p.Err())
		require.True(t, ok)
		if diff := cmp.Diff(want, e.Message); diff != "" {
			t.Errorf("%d (-want +got):\n%s", row.n, diff)
		}
		if len(e.Problems) != row.n {
			t.Errorf("%d problems became %d", row.n, len(e.Problems))
		}
	}
}

func TestKeyPath(t *testing.T) {
	for _, row := range []struct{ key, want string }{
		{"SNS", `m.SNS`},
		{"MY-check_2", `m.MY-check_2`},
		{strings.Repeat("K", 80), `m.` + strings.Repeat("K", 80)},
		{strings.Repeat("K", 81), `m["` + strings.Repeat("K", 80) + `"... (81 characters)]`},
		{"", `m[""]`},
		{"a.b", `m["a.b"]`},
		{"a b", `m["a b"]`},
		{`a"]`, `m["a\"]"]`},
		{"a\n", `m["a\n"]`},
		{"é", `m["é"]`},
		{"\xff", `m["\xff"]`},
	} {
		if diff := cmp.Diff(row.want, model.KeyPath("m", row.key)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", row.key, diff)
		}
	}
}
