package engine_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// A script is a file of testdata: operations, and what they answer.
//
//	== NAME               a case, with an engine of its own, on 2000-01-01T00:00:00Z
//	checks NAME...        the engine's checks; if there is no such line, DEVICE_CHECK and OK_CHECK
//	config JSON           fields of its Config
//	OPERATION JSON        a call, all audits that do not wait for something come to their end
//	METHOD /PATH JSON     the same as an HTTP request; the answer begins with the status
//	RunDue                the answer is the task ids
//	StartAuditAsOf DATE JSON
//	ScheduleStatus NAME
//	SuppressionReport DURATION
//	DiffAudits TASK TASK  a line a change
//	FindingHistory CHECK CLIENT CODE
//	Forecast DATE         what it says of itself, then what it counts
//	Statistics            a line an audit status, check run status, check and schedule
//	sleep DURATION
//	release CHECK         lets HOLD_CHECK or DATA_CHECK go on
//
// Indented lines are the answer, without any it is {}. In an answer <name> stands for any text, and from
// then on, there and in calls, for the same text; <name-cut> is that text less its end.
//
// Whatever is called, its input and its output are overwritten afterwards, so that what follows shows
// whether the engine kept a part of them. If it fails, nothing that can be read has changed.
type script struct {
	testing.TB
	*stock
	names  []string
	config engine.Config
	engine *engine.Engine
	vars   map[string]string
	tasks  []string

	restarts bool // the engine is made anew between steps, and does not remember what it has counted
}

type scriptCase struct {
	name  string
	steps []scriptStep
}

type scriptStep struct {
	line        int
	words, want string
}

func readScript(t *testing.T, file string) (cases []scriptCase) {
	b, err := os.ReadFile("testdata/" + file)
	require.NoError(t, err)
	for i, line := range strings.Split(string(b), "\n") {
		words := strings.TrimSpace(line)
		if words == "" || words[0] == '#' {
			continue
		}
		if name, ok := strings.CutPrefix(line, "== "); ok {
			cases = append(cases, scriptCase{name: name})
			continue
		}
		require.NotEmpty(t, cases, "%s:%d: no case yet", file, i+1)
		steps := &cases[len(cases)-1].steps
		if line[0] == ' ' {
			require.NotEmpty(t, *steps, "%s:%d: an answer to nothing", file, i+1)
			(*steps)[len(*steps)-1].want += words
			continue
		}
		*steps = append(*steps, scriptStep{line: i + 1, words: words})
	}
	return cases
}

func runScript(t *testing.T, file string) {
	for _, c := range readScript(t, file) {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScript(t, "DEVICE_CHECK", "OK_CHECK")
				for _, step := range c.steps {
					s.step(file, step)
				}
				require.NoError(t, s.engine.Close())
			})
		})
	}
}

func newScript(t *testing.T, names ...string) *script {
	return &script{
		TB:     t,
		stock:  newStock(),
		names:  names,
		config: engine.Config{TimeOfDay: 9 * time.Hour, Spread: -1, Concurrency: 4}, // a check that holds a slot holds up no other
		vars:   make(map[string]string),
	}
}

func (s *script) step(file string, step scriptStep) {
	s.Helper()
	verb, rest, _ := strings.Cut(step.words, " ")
	rest = s.bound(rest)
	if s.prepare(verb, rest) {
		require.Empty(s, step.want, "%s:%d: %s has no answer", file, step.line, verb)
		return
	}
	if s.engine == nil {
		for _, name := range s.names {
			require.Contains(s, s.checks, name)
			s.config.Checks = append(s.config.Checks, s.checks[name])
		}
		var err error
		s.engine, err = engine.New(s.config)
		require.NoError(s, err)
	}
	var got string
	switch {
	case verb == "RunDue":
		got = s.runDue()
	case verb == "ScheduleStatus":
		got = answer(s.engine.ScheduleStatus(rest))
	case verb == "StartAuditAsOf":
		got = s.startAsOf(rest)
	case verb == "SuppressionReport":
		within, err := time.ParseDuration(rest)
		require.NoError(s, err)
		got = answer(s.engine.SuppressionReport(s.Context(), within))
	case verb == "DiffAudits":
		got = s.changes(rest)
	case verb == "FindingHistory":
		got = s.history(rest)
	case verb == "Statistics":
		got = s.statistics()
	case verb == "Forecast":
		got = s.forecast(rest)
	case strings.ToUpper(verb) == verb:
		target, body, _ := strings.Cut(rest, " ")
		got = s.request(verb, target, body)
	default:
		got, _ = s.call(operation(s, verb), rest)
	}
	if diff := s.diff(step.want, got); diff != "" && !(s.restarts && verb == "Statistics") {
		s.Errorf("%s:%d: %s: the answer differs (-want +got):\n%s", file, step.line, step.words, diff)
	}
}

// prepare does what has no answer, and tells whether verb is such a thing.
func (s *script) prepare(verb, rest string) bool {
	switch verb {
	case "checks":
		s.names = strings.Fields(rest)
	case "config":
		require.NoError(s, json.Unmarshal([]byte(rest), &s.config))
	case "sleep":
		d, err := time.ParseDuration(rest)
		require.NoError(s, err)
		time.Sleep(d)
	case "release":
		s.release(rest)
		synctest.Wait()
	default:
		return false
	}
	return true
}

func (s *script) runDue() string {
	started, err := s.engine.RunDue(s.Context(), time.Now())
	s.tasks = append(s.tasks, started...)
	synctest.Wait()
	return answer(append([]string{}, started...), err)
}

func operation(t testing.TB, name string) engine.Operation {
	all := engine.Operations()
	i := slices.IndexFunc(all, func(o engine.Operation) bool { return o.Name == name })
	require.GreaterOrEqual(t, i, 0, name)
	return all[i]
}

// call calls an operation by nothing but its row of the table.
func (s *script) call(o engine.Operation, doc string) (got string, err error) {
	in := o.NewInput()
	d := json.NewDecoder(strings.NewReader(doc))
	d.DisallowUnknownFields()
	if doc != "" {
		require.NoError(s, d.Decode(in), "%s %s", o.Name, doc)
	}
	before := dump(s, s.engine, s.tasks)
	out, err := o.Call(s.Context(), s.engine, in)
	got = answer(out, err)
	scramble(reflect.ValueOf(in))
	if err != nil {
		if diff := gocmp.Diff(before, dump(s, s.engine, s.tasks)); diff != "" {
			s.Errorf("%s %s failed and changed something nevertheless (-before +after):\n%s", o.Name, doc, diff)
		}
		if api, ok := errors.AsType[model.APIError](err); ok && !slices.Contains(o.Errors, api.ErrorCode()) {
			s.Errorf("%s %s: error %s is none of %v", o.Name, doc, api.ErrorCode(), o.Errors)
		}
		return got, err
	}
	if start, ok := out.(*model.StartOnDemandAuditTaskOutput); ok {
		s.tasks = append(s.tasks, start.TaskID)
	}
	scramble(reflect.ValueOf(out))
	synctest.Wait()
	return got, nil
}

// request is a frontend: it finds the operation of an HTTP request, and puts its input together.
func (s *script) request(method, target, body string) string {
	u, err := url.Parse(target)
	require.NoError(s, err)
	for _, o := range engine.Operations() {
		path := regexp.MustCompile(`\{(\w+)\}`).ReplaceAllString(o.Path, `(?<$1>[^/]+)`)
		match := regexp.MustCompile("^" + path + "$").FindStringSubmatch(u.Path)
		if o.Method != method || match == nil {
			continue
		}
		in := make(map[string]json.RawMessage)
		if body != "" {
			require.NoError(s, json.Unmarshal([]byte(body), &in))
		}
		for i, m := range o.Members {
			var text string
			switch m.Location {
			case "uri":
				text = match[regexp.MustCompile(path).SubexpIndex(m.Name)]
			case "query":
				text = u.Query().Get(m.Name)
			}
			if text == "" {
				continue
			}
			switch kind := reflect.TypeOf(o.NewInput()).Elem().Field(i).Type.Kind(); kind {
			case reflect.Bool, reflect.Pointer:
				in[m.Name] = json.RawMessage(text)
			default:
				in[m.Name] = json.RawMessage(fmt.Sprintf("%q", text))
			}
		}
		doc, err := json.Marshal(in)
		require.NoError(s, err)
		got, err := s.call(o, string(doc))
		if err == nil {
			return "200 " + got
		}
		api, ok := errors.AsType[model.APIError](err)
		require.True(s, ok, "%v", err)
		return fmt.Sprintf("%d %s %s", api.HTTPStatusCode(), api.ErrorCode(), answer(api, nil))
	}
	return "404"
}

// answer is what an operation answers, as text.
func answer(out any, err error) string {
	if e, ok := errors.AsType[*model.ResourceAlreadyExistsException](err); ok {
		return fmt.Sprintf("%v (%s, %s)", err, e.ResourceID, e.ResourceARN)
	}
	if err != nil {
		return err.Error()
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(out); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(b.String())
}

var placeholder = regexp.MustCompile(`<[\w-]+>`)

func (s *script) bound(words string) string {
	return placeholder.ReplaceAllStringFunc(words, func(name string) string {
		require.Contains(s, s.vars, name)
		return s.vars[name]
	})
}

// diff compares an answer with what a script says, and learns what its placeholders stand for.
func (s *script) diff(want, got string) string {
	if want == "" {
		want = "{}"
	}
	var compact bytes.Buffer
	if at := strings.IndexAny(want, "{["); at >= 0 && json.Compact(&compact, []byte(want[at:])) == nil {
		want = want[:at] + compact.String() // after the status of an HTTP answer
	}
	known := func(name string) string { return cmp.Or(s.vars[name], name) }
	want = placeholder.ReplaceAllStringFunc(want, known)
	unknown := placeholder.FindAllString(want, -1)
	pattern := placeholder.ReplaceAllString(regexp.QuoteMeta(want), `([\w-]+)`)
	if m := regexp.MustCompile("^" + pattern + "$").FindStringSubmatch(got); m != nil {
		for i, name := range unknown {
			if s.vars[name] == "" {
				s.vars[name] = m[i+1]
				s.vars[strings.Replace(name, ">", "-cut>", 1)] = m[i+1][:len(m[i+1])-1]
			}
		}
	}
	want = placeholder.ReplaceAllStringFunc(want, known)
	if want == got {
		return ""
	}
	return gocmp.Diff(pretty(want), pretty(got))
}

func pretty(text string) string {
	var b bytes.Buffer
	if json.Indent(&b, []byte(text), "", "  ") != nil {
		return text
	}
	return b.String()
}

// dump is everything that can be read of an engine, and of some audits besides those that it lists.
func dump(t testing.TB, e *engine.Engine, tasks []string) string {
	var b strings.Builder
	show := func(what string, out any, err error) { fmt.Fprintln(&b, what, pretty(answer(out, err))) }
	ctx := context.Background()
	account, err := e.DescribeAccountAuditConfiguration(ctx, nil)
	show("account", account, err)
	schedules, err := e.ListScheduledAudits(ctx, &model.ListScheduledAuditsInput{MaxResults: new(int32(250))})
	show("schedules", schedules, err)
	for _, s := range schedules.ScheduledAudits {
		one, err := e.DescribeScheduledAudit(ctx, &model.DescribeScheduledAuditInput{ScheduledAuditName: s.ScheduledAuditName})
		show("schedule", one, err)
		status, err := e.ScheduleStatus(s.ScheduledAuditName)
		show("status", status, err)
		tags, err := e.ListTagsForResource(ctx, &model.ListTagsForResourceInput{ResourceARN: s.ScheduledAuditARN})
		show("tags", tags, err)
	}
	suppressions, err := e.ListAuditSuppressions(ctx, &model.ListAuditSuppressionsInput{MaxResults: new(int32(250))})
	show("suppressions", suppressions, err)
	now := time.Now()
	list, err := e.ListAuditTasks(ctx, &model.ListAuditTasksInput{
		StartTime: model.At(now.Add(-time.Hour)), EndTime: model.At(now.Add(time.Hour)), MaxResults: new(int32(250)),
	})
	show("audits", list, err)
	for _, id := range tasks {
		one, err := e.DescribeAuditTask(ctx, &model.DescribeAuditTaskInput{TaskID: id})
		show("audit "+id, one, err)
	}
	for f, err := range e.AuditFindings(ctx, everything) {
		require.NoError(t, err)
		show("finding", f, nil)
	}
	return b.String()
}

// everything asks for every finding of every audit.
var everything = &model.ListAuditFindingsInput{
	StartTime: model.At(time.Unix(0, 0)), EndTime: model.At(time.Unix(1<<37, 0)),
}
