package engine_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// collecting makes checks A over one source, B over it too, and C over another that also needs the first; D has
// none. What sources are told goes to told.
func collecting(told *[]string) []checks.Check {
	source := func(name string) *checks.Source[int] {
		s := checks.Slice(name, []int{1})
		s.Collect = func(on bool) { *told = append(*told, fmt.Sprint(name, " ", on)) }
		return s
	}
	first, second := source("first"), source("second")
	check := func(name string, source checks.Handle, needs ...checks.Handle) checks.Check {
		spec := manyCheck(name, 0).Spec()
		spec.Source, spec.Needs = source, needs
		return checks.New(spec, func(context.Context, *checks.Pass) error { return nil })
	}
	return []checks.Check{check("A", first), check("B", first), check("C", second, first), check("D", nil)}
}

func TestCollect(t *testing.T) {
	var told []string
	e, err := engine.New(engine.Config{Checks: collecting(&told)})
	require.NoError(t, err)
	defer e.Close()
	expect := func(what string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, told); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
		told = nil
	}
	expect("an account without configuration", "first false", "second false")
	update := func(words string) error {
		in := &model.UpdateAccountAuditConfigurationInput{
			RoleARN:                  "arn:aws:iam::123456789012:role/audit",
			AuditCheckConfigurations: map[string]model.AuditCheckConfiguration{},
		}
		for _, w := range strings.Fields(words) {
			in.AuditCheckConfigurations[w[1:]] = model.AuditCheckConfiguration{Enabled: w[0] == '+'}
		}
		_, err := e.UpdateAccountAuditConfiguration(t.Context(), in)
		return err
	}
	for _, step := range []struct {
		update string
		want   []string
	}{
		{"+D", nil},
		{"+A", []string{"first true"}},
		{"+A +B", nil},
		{"-A", nil}, // B still uses it
		{"-B", []string{"first false"}},
		{"+C", []string{"first true", "second true"}},
		{"-C +A", []string{"second false"}},
		{"+C +NONE", nil},
	} {
		if err := update(step.update); (err != nil) != strings.Contains(step.update, "NONE") {
			t.Errorf("%s: %v", step.update, err)
		}
		expect(step.update, step.want...)
	}
	require.NoError(t, update("+A"))
	expect("nothing new")
	_, err = e.DeleteAccountAuditConfiguration(t.Context(), nil)
	require.NoError(t, err)
	expect("the configuration is deleted", "first false")

	_, err = engine.New(engine.Config{Checks: collecting(&told), EnableAll: true})
	require.NoError(t, err)
	expect("everything is enabled", "first true", "second true")
}

// A Collect that panics is told of, and the operation is as if it had not.
func TestCollectPanics(t *testing.T) {
	var log strings.Builder
	source := checks.Slice("things", []int{1})
	source.Collect = func(bool) { panic("no memory") }
	spec := manyCheck("A", 0).Spec()
	e, err := engine.New(engine.Config{
		Checks:    []checks.Check{checks.Each(spec, source, func(context.Context, *checks.Pass, *int) error { return nil })},
		EnableAll: true,
		Logger:    slog.New(slog.NewTextHandler(&log, nil)),
	})
	require.NoError(t, err)
	defer e.Close()
	if got := log.String(); !strings.Contains(got, "source=things on=true error=\"no memory\"") {
		t.Errorf("log: %s", got)
	}
	_, err = e.DeleteAccountAuditConfiguration(t.Context(), nil)
	require.NoError(t, err)
}
