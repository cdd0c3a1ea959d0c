package findings_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/findings"
)

// corpus returns the lines of a file in testdata, without comments and empty lines.
func corpus(t *testing.T, file string) []string {
	t.Helper()
	data, err := os.ReadFile("testdata/" + file)
	require.NoError(t, err)
	return slices.DeleteFunc(strings.Split(string(data), "\n"), func(line string) bool {
		return line == "" || line[0] == '#'
	})
}

// TestScripts runs the corpus of histories and differences, whose language it describes itself.
func TestScripts(t *testing.T) {
	for _, text := range strings.Split(strings.Join(corpus(t, "history.txt"), "\n"), "== ")[1:] {
		name, steps, _ := strings.Cut(text, "\n")
		t.Run(name, func(t *testing.T) {
			sc := &script{T: t, store: findings.New(), days: make(map[string]int), ran: make(map[string]int)}
			for _, step := range strings.Split(strings.ReplaceAll(strings.TrimSpace(steps), "\n\t", "\t"), "\n") {
				want := strings.Split(step, "\t")
				if diff := cmp.Diff(want[1:], append([]string{}, sc.do(strings.Fields(want[0]))...)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", want[0], diff)
				}
			}
		})
	}
}

// script is a case on its way.
type script struct {
	*testing.T
	store *findings.Store
	days  map[string]int // of the audits
	ran   map[string]int // how many runs they have
}

// do takes one step and returns what is to be seen of it.
func (sc *script) do(words []string) []string {
	verb, words := words[0], words[1:]
	switch verb {
	case "begin":
		day, err := strconv.Atoi(words[1])
		require.NoError(sc, err)
		sc.days[words[0]], sc.ran[words[0]] = day, 0
		require.NoError(sc, sc.store.Begin(findings.Audit{
			TaskID: words[0], StartTime: sc.time(words[0], 0), Hypothetical: len(words) == 3 && words[2] == "hypothetical",
		}))
		return nil
	case "run":
		n := sc.ran[words[0]]
		run := findings.Run{TaskID: words[0], CheckName: words[1], Ordinal: n, Time: sc.time(words[0], n)}
		sc.ran[words[0]]++
		var fs []findings.Finding
		for _, word := range words[2:] {
			if word == "failed" {
				run.Incomplete = true
			} else {
				fs = append(fs, scriptFinding(word))
			}
		}
		require.NoError(sc, sc.store.Append(run, fs))
		return nil
	case "drop":
		sc.store.Drop(words...)
		return nil
	case "history":
		fp := fingerprint(words[0], scriptFinding(words[1]))
		h, ok := sc.store.History(fp)
		if !ok {
			require.Zero(sc, h)
			return []string{"none"}
		}
		require.Equal(sc, fp, h.Fingerprint)
		text := fmt.Sprintf("%s first %s last %s", h.State, sighting(h.FirstSeen), sighting(h.LastSeen))
		if h.Resolved != (findings.Sighting{}) {
			text += " resolved " + sighting(h.Resolved)
		}
		for i, s := range h.Reopened {
			text += []string{" reopened ", " "}[min(i, 1)] + sighting(s)
		}
		return []string{text}
	case "diff":
		seq, err := sc.store.Diff(words[0], words[1])
		if err != nil {
			return []string{strings.TrimPrefix(err.Error(), "findings: ")}
		}
		var changes []string
		for c := range seq {
			changes = append(changes, sc.change(c))
		}
		return changes
	}
	require.FailNow(sc, verb+" is no step")
	return nil
}

func (sc *script) time(task string, minute int) time.Time {
	return benchStart.AddDate(0, 0, sc.days[task]).Add(time.Duration(minute) * time.Minute)
}

func (sc *script) change(c findings.Change) string {
	f := c.Finding
	stored, ok := sc.store.Get(f.FindingID)
	require.True(sc, ok)
	require.Equal(sc, stored, f)
	text := f.NonCompliantResource.ResourceIdentifier.ClientID
	if f.ReasonForNonComplianceCode != "R" {
		text += "/" + f.ReasonForNonComplianceCode
	}
	if f.ReasonForNonCompliance != "" {
		text += ":" + f.ReasonForNonCompliance
	}
	if *f.IsSuppressed {
		text += "*"
	}
	text = fmt.Sprintf("%s %s %s@%s", c.State, f.CheckName, text, f.TaskID)
	if c.WasSuppressed {
		text += " was*"
	}
	return text
}

// scriptFinding reads CLIENT[/CODE][:REASON][*].
func scriptFinding(word string) findings.Finding {
	word, suppressed := strings.CutSuffix(word, "*")
	word, reason, _ := strings.Cut(word, ":")
	id, code, ok := strings.Cut(word, "/")
	if !ok {
		code = "R"
	}
	f := client(id, code)
	f.Reason, f.Suppressed = reason, suppressed
	return f
}

func sighting(s findings.Sighting) string {
	since := s.Time.Sub(benchStart)
	return fmt.Sprintf("%s@%d", s.TaskID, int(since.Hours())/24)
}
