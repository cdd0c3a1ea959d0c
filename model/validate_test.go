package model_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fleetaudit/fleetaudit/model"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"
)

// validationRow is one row of testdata/validation.txt.
type validationRow struct {
	line      int
	operation string
	input     string // JSON
	problems  []string
}

var repeat = regexp.MustCompile(`<([^<>*]+)\*(\d+)>`)

func readValidation(t testing.TB) []validationRow {
	t.Helper()
	b, err := os.ReadFile("testdata/validation.txt")
	require.NoError(t, err)
	expand := func(s string) string {
		return repeat.ReplaceAllStringFunc(s, func(s string) string {
			m := repeat.FindStringSubmatch(s)
			n, err := strconv.Atoi(m[2])
			require.NoError(t, err)
			return strings.Repeat(m[1], n)
		})
	}
	var rows []validationRow
	for i, line := range strings.Split(string(b), "\n") {
		switch {
		case line == "" || line[0] == '#':
		case line[0] == ' ':
			require.NotEmpty(t, rows)
			last := &rows[len(rows)-1]
			last.problems = append(last.problems, expand(strings.TrimSpace(line)))
		default:
			operation, input, _ := strings.Cut(line, " ")
			rows = append(rows, validationRow{i + 1, operation, expand(input), nil})
		}
	}
	return rows
}

// decode reads the input of an operation from JSON that holds nothing else.
func decode(t testing.TB, operation string, doc []byte) any {
	t.Helper()
	in := newInput(operation)
	require.NotNil(t, in, operation)
	d := json.NewDecoder(bytes.NewReader(doc))
	d.DisallowUnknownFields()
	require.NoError(t, d.Decode(in), "%s %s", operation, doc)
	return in
}

func texts(p model.Problems) []string {
	var words []string
	for _, q := range p {
		words = append(words, q.String())
	}
	return words
}

func TestCheck(t *testing.T) {
	for _, row := range readValidation(t) {
		t.Run(fmt.Sprintf("line%d", row.line), func(t *testing.T) {
			p := model.Check(decode(t, row.operation, []byte(row.input)))
			if diff := cmp.Diff(row.problems, texts(p)); diff != "" {
				t.Fatalf("%s %s (-want +got):\n%s", row.operation, row.input, diff)
			}
			err := p.Err()
			if len(row.problems) == 0 {
				require.NoError(t, err)
				return
			}
			e, ok := errors.AsType[*model.InvalidRequestException](err)
			require.True(t, ok, "%T", err)
			if diff := cmp.Diff(strings.Join(row.problems, "; "), e.Message); diff != "" {
				t.Errorf("message (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]model.Problem(p), e.Problems); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// TestCheckGoValues holds what JSON cannot say.
func TestCheckGoValues(t *testing.T) {
	day := func(year int) model.Timestamp {
		return model.Timestamp{Time: time.Date(year, 6, 10, 0, 0, 0, 0, time.UTC)}
	}
	elsewhere := time.FixedZone("elsewhere", 3600)
	client := model.ResourceIdentifier{ClientID: "c"}
	tags := func(n int) (list []model.Tag) {
		for i := range n {
			list = append(list, model.Tag{Key: fmt.Sprint("k", i)})
		}
		return list
	}
	for _, row := range []struct {
		name  string
		input any
		want  []string
	}{
		{"nil is an empty input", (*model.CancelAuditTaskInput)(nil), []string{`taskId is required`}},
		{"nil of two", (*model.ListAuditTasksInput)(nil), []string{`startTime is required`, `endTime is required`}},
		{"nil is right where nothing is required", (*model.ListScheduledAuditsInput)(nil), nil},
		{"zero time in another zone", &model.ListAuditTasksInput{
			StartTime: model.Timestamp{Time: time.Time{}.In(elsewhere)}, EndTime: day(2019),
		}, []string{`startTime is required`}},
		{"years", &model.ListAuditTasksInput{StartTime: day(-1), EndTime: day(10000)}, []string{
			`startTime "-0001-06-10T00:00:00Z" must be of year 1 to 9999`,
			`endTime "10000-06-10T00:00:00Z" must be of year 1 to 9999`,
		}},
		{"first and last year", &model.ListAuditFindingsInput{StartTime: day(1), EndTime: day(9999)}, nil},
		{"UTF-8", &model.CreateScheduledAuditInput{
			Frequency: "DAILY\xff", DayOfMonth: "\xff", DayOfWeek: "MON\x80", TargetCheckNames: []string{"A\xff", "A\xff"},
			ScheduledAuditName: "a\xc3", Tags: []model.Tag{{Key: "k\xff", Value: strings.Repeat("\xff", 300)}},
		}, []string{
			`frequency "DAILY\xff" must be valid UTF-8`,
			`dayOfMonth "\xff" must be valid UTF-8`,
			`dayOfWeek "MON\x80" must be valid UTF-8`,
			`targetCheckNames[0] "A\xff" must be valid UTF-8`,
			`targetCheckNames[1] "A\xff" must be valid UTF-8`,
			`scheduledAuditName "a\xc3" must be valid UTF-8`,
			`tags[0].Key "k\xff" must be valid UTF-8`,
			`tags[0].Value "` + strings.Repeat(`\xff`, 80) + `"... (300 characters) must be valid UTF-8`,
			`targetCheckNames[1] "A\xff" must not be named twice`,
		}},
		{"UTF-8 of a shape without constraint", &model.ListScheduledAuditsInput{NextToken: "\xff"}, []string{
			`nextToken "\xff" must be valid UTF-8`,
		}},
		{"UTF-8 of keys", &model.UpdateAccountAuditConfigurationInput{
			AuditCheckConfigurations: map[string]model.AuditCheckConfiguration{
				"A\xff": {Configuration: map[string]string{"B\xfe": ""}},
			},
		}, []string{
			`auditCheckConfigurations key "A\xff" must be valid UTF-8`,
			`auditCheckConfigurations["A\xff"].configuration key "B\xfe" must be valid UTF-8`,
			`auditCheckConfigurations["A\xff"].configuration["B\xfe"] "" must not be empty`,
		}},
		{"fifty tags", &model.CreateScheduledAuditInput{
			Frequency: "DAILY", TargetCheckNames: []string{"A_CHECK"}, ScheduledAuditName: "a", Tags: tags(50),
		}, nil},
		{"fifty-one tags", &model.CreateScheduledAuditInput{
			Frequency: "DAILY", TargetCheckNames: []string{"A_CHECK"}, ScheduledAuditName: "a", Tags: tags(51),
		}, []string{`tags must be at most 50, not 51`}},
		{"fifty tags more", &model.TagResourceInput{ResourceARN: "a", Tags: tags(50)}, nil},
		{"fifty-one tags more", &model.TagResourceInput{ResourceARN: "a", Tags: tags(51)}, []string{`tags must be at most 50, not 51`}},
		{"fifty keys", &model.UntagResourceInput{ResourceARN: "a", TagKeys: slices.Repeat([]string{"k"}, 50)}, nil},
		{"fifty-one keys", &model.UntagResourceInput{ResourceARN: "a", TagKeys: slices.Repeat([]string{"k"}, 51)}, []string{
			`tagKeys must be at most 50, not 51`,
		}},
		{"expiration in no year", &model.CreateAuditSuppressionInput{
			CheckName: "A_CHECK", ResourceIdentifier: client, ExpirationDate: day(10000), SuppressIndefinitely: new(true), ClientRequestToken: "t",
		}, []string{`expirationDate "10000-06-10T00:00:00Z" must be of year 1 to 9999`}},
		{"UTF-8 behind a pointer", &model.UpdateAuditSuppressionInput{
			CheckName: "A_CHECK", ResourceIdentifier: client, Description: new("\xff"),
		}, []string{`description "\xff" must be valid UTF-8`}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if diff := cmp.Diff(row.want, texts(model.Check(row.input))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestCheckKeeps shows that Check changes nothing: the same input gives the same answer, and is as it was.
func TestCheckKeeps(t *testing.T) {
	for _, row := range readValidation(t) {
		in, same := decode(t, row.operation, []byte(row.input)), decode(t, row.operation, []byte(row.input))
		first, second := model.Check(in), model.Check(in)
		if diff := cmp.Diff(first, second); diff != "" {
			t.Errorf("line %d: second answer differs:\n%s", row.line, diff)
		}
		if diff := cmp.Diff(same, in); diff != "" {
			t.Errorf("line %d: input changed:\n%s", row.line, diff)
		}
	}
}

// TestValidSurvivesJSON sends each right input through JSON: what arrives is the same.
func TestValidSurvivesJSON(t *testing.T) {
	for _, row := range readValidation(t) {
		if row.problems != nil {
			continue
		}
		in := decode(t, row.operation, []byte(row.input))
		doc, err := json.Marshal(in)
		require.NoError(t, err)
		if diff := cmp.Diff(in, decode(t, row.operation, doc), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("line %d (-sent +arrived):\n%s", row.line, diff)
		}
	}
}

func TestCheckWantsAPointerToAStruct(t *testing.T) {
	for _, wrong := range []any{nil, model.CancelAuditTaskInput{}, 7, new(int), new(*model.CancelAuditTaskInput)} {
		want := fmt.Sprintf("model.Check: want a pointer to an input, not %T", wrong)
		func() {
			defer func() {
				if diff := cmp.Diff(any(want), recover()); diff != "" {
					t.Errorf("%T (-want +got):\n%s", wrong, diff)
				}
			}()
			model.Check(wrong)
		}()
	}
}

// TestCheckDays has every frequency with every combination of days.
func TestCheckDays(t *testing.T) {
	const (
		noMonth = `dayOfMonth "LAST" must be absent when frequency is `
		noWeek  = `dayOfWeek "TUE" must be absent when frequency is `
		week    = `dayOfWeek is required when frequency is `
		month   = `dayOfMonth is required when frequency is MONTHLY`
	)
	for _, row := range []struct {
		frequency  model.AuditFrequency
		dayOfMonth string
		dayOfWeek  model.DayOfWeek
		want       []string
	}{
		{"DAILY", "", "", nil},
		{"DAILY", "LAST", "", []string{noMonth + "DAILY"}},
		{"DAILY", "", "TUE", []string{noWeek + "DAILY"}},
		{"DAILY", "LAST", "TUE", []string{noMonth + "DAILY", noWeek + "DAILY"}},
		{"WEEKLY", "", "", []string{week + "WEEKLY"}},
		{"WEEKLY", "LAST", "", []string{noMonth + "WEEKLY", week + "WEEKLY"}},
		{"WEEKLY", "", "TUE", nil},
		{"WEEKLY", "LAST", "TUE", []string{noMonth + "WEEKLY"}},
		{"BIWEEKLY", "", "", []string{week + "BIWEEKLY"}},
		{"BIWEEKLY", "LAST", "", []string{noMonth + "BIWEEKLY", week + "BIWEEKLY"}},
		{"BIWEEKLY", "", "TUE", nil},
		{"BIWEEKLY", "LAST", "TUE", []string{noMonth + "BIWEEKLY"}},
		{"MONTHLY", "", "", []string{month}},
		{"MONTHLY", "LAST", "", nil},
		{"MONTHLY", "", "TUE", []string{month, noWeek + "MONTHLY"}},
		{"MONTHLY", "LAST", "TUE", []string{noWeek + "MONTHLY"}},
	} {
		var p model.Problems
		model.CheckDays(&p, row.frequency, row.dayOfMonth, row.dayOfWeek)
		if diff := cmp.Diff(row.want, texts(p)); diff != "" {
			t.Errorf("%s %q %q (-want +got):\n%s", row.frequency, row.dayOfMonth, row.dayOfWeek, diff)
		}
	}
	p := model.Problems{{Field: "frequency", Reason: "is wrong already"}}
	model.CheckDays(&p, model.AuditFrequencyDaily, "LAST", model.DayOfWeekTue)
	if diff := cmp.Diff([]string{"frequency is wrong already"}, texts(p)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
