package engine_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// What scripts can call that is no operation of AWS.

func (s *script) startAsOf(words string) string {
	date, doc, _ := strings.Cut(words, " ")
	asOf, err := time.Parse(time.RFC3339, date)
	require.NoError(s, err)
	var in model.StartOnDemandAuditTaskInput
	require.NoError(s, json.Unmarshal([]byte(doc), &in))
	out, err := s.engine.StartAuditAsOf(s.Context(), &in, asOf)
	synctest.Wait()
	return answer(out, err)
}

func (s *script) changes(tasks string) string {
	older, newer, _ := strings.Cut(tasks, " ")
	lines := []string{}
	for c, err := range s.engine.DiffAudits(s.Context(), older, newer) {
		if err != nil {
			return err.Error()
		}
		lines = append(lines, change(c))
	}
	return answer(lines, nil)
}

// change is a change in a line: NEW DEVICE_CHECK pump-2 WEAK.
func change(c findings.Change) string {
	line := fmt.Sprintln(c.State, c.Finding.CheckName, c.Finding.NonCompliantResource.ResourceIdentifier, c.Finding.ReasonForNonComplianceCode)
	if c.WasSuppressed {
		line = strings.TrimSpace(line) + " was suppressed"
	}
	if *c.Finding.IsSuppressed {
		line = strings.TrimSpace(line) + " suppressed"
	}
	return strings.TrimSpace(line)
}

func (s *script) history(words string) string {
	w := strings.Fields(words)
	require.Len(s, w, 3)
	h, err := s.engine.FindingHistory(s.Context(), findings.Fingerprint{
		CheckName: w[0], Resource: model.ResourceIdentifier{ClientID: w[1]}, ReasonCode: w[2],
	})
	if err != nil {
		return err.Error()
	}
	lines := []string{string(h.State)}
	show := func(what string, seen findings.Sighting) {
		if seen != (findings.Sighting{}) {
			lines = append(lines, fmt.Sprint(what, " ", seen.TaskID, " ", seen.Time.UTC().Format(time.RFC3339)))
		}
	}
	show("first seen", h.FirstSeen)
	show("last seen", h.LastSeen)
	show("resolved", h.Resolved)
	for _, r := range h.Reopened {
		show("reopened", r)
	}
	return answer(lines, nil)
}

func (s *script) forecast(date string) string {
	to, err := time.Parse(time.RFC3339, date)
	require.NoError(s, err)
	f, err := s.engine.Forecast(s.Context(), engine.ForecastInput{To: to})
	if err != nil {
		return err.Error()
	}
	lines := []string{f.String()}
	for _, c := range f.Checks {
		lines = append(lines, fmt.Sprint(c.CheckName, " ", c.From.CheckRunStatus, " ", c.To.CheckRunStatus))
	}
	for _, r := range f.Reasons {
		lines = append(lines, fmt.Sprintf("%s %s: %d new, %d resolved, %d no longer suppressed", r.CheckName, r.ReasonCode, r.New, r.Resolved, r.Unsuppressed))
	}
	for _, l := range f.Lapsed {
		lines = append(lines, fmt.Sprint("lapses: ", l.CheckName, " ", l.ResourceIdentifier))
	}
	for c := range f.Changes() {
		lines = append(lines, change(c))
	}
	return answer(lines, nil)
}

func (s *script) statistics() string {
	at := func(t time.Time) string {
		if t.IsZero() {
			return "never"
		}
		return t.UTC().Format(time.RFC3339)
	}
	var lines []string
	stats := s.engine.Statistics(time.Now())
	for _, a := range stats.Audits {
		lines = append(lines, fmt.Sprint(a.Type, " ", a.Status, " ", a.Count))
	}
	for _, c := range stats.Checks {
		lines = append(lines, fmt.Sprintf("%s %s: %d and %d suppressed, completed %s", c.CheckName, c.Severity, c.Findings, c.Suppressed, at(c.LastCompleted)))
		for _, r := range c.Runs {
			lines = append(lines, fmt.Sprint("  ", r.Status, " ", r.Count, " in ", r.Duration))
		}
	}
	for _, l := range stats.Schedules {
		lines = append(lines, fmt.Sprintf("%s: next %s, %v overdue; last slot %s, started %s as %s; completed %s; %d missed, %d skipped",
			l.Name, at(l.Next), l.Overdue, at(l.LastSlot), at(l.LastStart), l.LastTaskID, at(l.LastCompleted), l.MissedSlots, l.SkippedSlots))
	}
	return answer(lines, nil)
}
