//go:build unix

package crash_test

import (
	"maps"
	"slices"
	"time"

	"github.com/fleetaudit/fleetaudit/model"
	"github.com/fleetaudit/fleetaudit/schedule"
)

// calendar returns the calendar of a schedule.
func (w *world) calendar(s *scheduleView, anchor time.Time) schedule.Schedule {
	return schedule.Schedule{Frequency: s.Frequency, DayOfMonth: s.DayOfMonth, DayOfWeek: s.DayOfWeek, Anchor: anchor, At: w.timeOfDay}
}

// renewed returns s with a calendar that counts from t.
func (w *world) renewed(s scheduleView, t time.Time) *scheduleView {
	c := w.calendar(&s, t)
	s.Status.Next = c.Next(t.Add(-1))
	if s.Status.Next.Equal(s.Status.LastSlot) {
		s.Status.Next = c.Next(s.Status.Next)
	}
	return &s
}

// scheduleAfter returns what may become of a scheduled audit by an operation that has returned by now, or the code of the
// error.
func (w *world) scheduleAfter(old *scheduleView, op *operation, now time.Time) (may []*scheduleView, code string) {
	switch in := op.Create; {
	case in != nil && old == nil:
		s := scheduleView{
			Name: in.ScheduledAuditName, Frequency: in.Frequency, DayOfMonth: in.DayOfMonth, DayOfWeek: in.DayOfWeek,
			Checks: in.TargetCheckNames, Tags: in.Tags,
		}
		return []*scheduleView{w.renewed(s, op.At), w.renewed(s, now)}, ""
	case in != nil:
		if old.Frequency == in.Frequency && old.DayOfMonth == in.DayOfMonth && old.DayOfWeek == in.DayOfWeek &&
			slices.Equal(old.Checks, in.TargetCheckNames) && same(sorted(old.Tags), sorted(in.Tags)) {
			return []*scheduleView{old}, ""
		}
		return nil, "ResourceAlreadyExistsException"
	case old == nil:
		return nil, "ResourceNotFoundException"
	}
	s := *old
	s.Tags = slices.Clone(old.Tags)
	switch {
	case op.Delete != nil:
		return []*scheduleView{nil}, ""
	case op.Tag != nil:
		for _, t := range op.Tag.Tags {
			if i := slices.IndexFunc(s.Tags, func(has model.Tag) bool { return has.Key == t.Key }); i >= 0 {
				s.Tags[i] = t
			} else {
				s.Tags = append(s.Tags, t)
			}
		}
	case op.Untag != nil:
		s.Tags = slices.DeleteFunc(s.Tags, func(t model.Tag) bool { return slices.Contains(op.Untag.TagKeys, t.Key) })
	case op.Update.Frequency == "":
		s.Checks = op.Update.TargetCheckNames
	default:
		s.Frequency, s.DayOfMonth, s.DayOfWeek = op.Update.Frequency, op.Update.DayOfMonth, op.Update.DayOfWeek
		if s.Frequency != old.Frequency || s.DayOfMonth != old.DayOfMonth || s.DayOfWeek != old.DayOfWeek {
			return []*scheduleView{w.renewed(s, op.At), w.renewed(s, now)}, ""
		}
	}
	return []*scheduleView{&s}, ""
}

func sorted(tags []model.Tag) []model.Tag {
	return slices.SortedFunc(slices.Values(tags), func(a, b model.Tag) int {
		if a.Key < b.Key {
			return -1
		}
		return 1
	})
}

// scheduleDue returns what becomes of a scheduled audit by RunDue, if its audit before still ran, and if that started one,
// whose task id is open. Nil: it was not due.
func (w *world) scheduleDue(old *scheduleView, due time.Time) (skipped, started *scheduleView) {
	if old.Status.Next.IsZero() || old.Status.Next.After(due) {
		return nil, nil
	}
	skip := *old
	latest := old.Status.Next
	for next := range w.calendar(old, latest).All(latest) {
		if skip.Status.Next = next; next.After(due) {
			break
		}
		latest = next
		skip.Status.MissedSlots++
	}
	start := skip
	skip.Status.SkippedSlots++
	start.Status.LastSlot, start.Status.LastStart = latest, due
	return &skip, &start
}

// fits tells whether a scheduled audit is as it may be. When its last audit completed is for the audits to say.
func fits(may, is *scheduleView, started bool) bool {
	if may == nil || is == nil {
		return may == nil && is == nil
	}
	want := *may
	want.Status.LastCompleted = is.Status.LastCompleted
	if started {
		want.Status.LastTaskID = is.Status.LastTaskID
	}
	return same(want, is)
}

func (w *world) acknowledgeSchedule(op *operation, e *event, now time.Time) {
	name := op.schedule()
	old := w.schedules[name]
	may, code := w.scheduleAfter(old, op, now)
	names := op.Create != nil || op.Update != nil && op.Update.TargetCheckNames != nil
	if e.Err == "InvalidRequestException" && names { // one of them may be disabled
		return
	}
	if e.Err != code {
		w.fail("%s answered %q, want %q after %s", text(op), e.Err, code, text(old))
		return
	}
	if code != "" {
		return
	}
	var is *scheduleView
	if len(e.Schedules) > 0 {
		is = &e.Schedules[0]
	}
	if !slices.ContainsFunc(may, func(s *scheduleView) bool { return fits(s, is, false) }) {
		w.fail("after %s it is %s, want one of %s", text(op), text(is), text(may))
	}
	if w.schedules[name] = is; is == nil {
		delete(w.schedules, name)
	}
}

// acknowledgeAll takes what RunDue, or the deletion of the settings, has left.
func (w *world) acknowledgeAll(op *operation, e *event) {
	if op.Forget != nil {
		if want := ""; e.Err != want && (w.account != nil || e.Err != "ResourceNotFoundException") {
			w.fail("%s answered %s", text(op), e.Err)
		}
		if e.Err != "" {
			return
		}
		w.account = nil
		if op.Forget.DeleteScheduledAudits {
			clear(w.schedules)
		}
	} else if e.Err != "" {
		w.fail("%s answered %s", text(op), e.Err)
		return
	}
	is := make(map[string]*scheduleView)
	for i, s := range e.Schedules {
		is[s.Name] = &e.Schedules[i]
	}
	if !slices.Equal(slices.Sorted(maps.Keys(is)), slices.Sorted(maps.Keys(w.schedules))) {
		w.fail("after %s there are the schedules %s, want %s", text(op), text(is), text(w.schedules))
		return
	}
	started := slices.Clone(e.TaskIDs)
	for name, s := range is {
		old := w.schedules[name]
		w.schedules[name] = s
		var skip, start *scheduleView
		if op.Forget == nil {
			skip, start = w.scheduleDue(old, op.Due)
		}
		switch {
		case start == nil && fits(old, s, false), start != nil && fits(skip, s, false):
		case start != nil && fits(start, s, true) && slices.Contains(started, s.Status.LastTaskID):
			started = slices.DeleteFunc(started, func(id string) bool { return id == s.Status.LastTaskID })
			w.begin(s.Status.LastTaskID, &auditState{begun: op.At, since: s, auditView: auditView{
				Kind: model.AuditTaskTypeScheduled, Start: op.Due, Schedule: name, Runs: runsOf(old.Checks),
			}})
		default:
			w.fail("after %s started %v the schedule is %s, before %s", text(op), e.TaskIDs, text(s), text(old))
		}
	}
	if len(started) > 0 {
		w.fail("%s started %v, of which no schedule knows", text(op), started)
	}
	if op.Forget == nil {
		for _, a := range w.expired {
			a.mustGo = a.mustGo || !slices.Contains(e.Kept, a.TaskID)
		}
	}
}

// compareSchedules compares the schedules; forgotten: they must all be gone. It comes after the audits.
func (w *world) compareSchedules(d *dumpView, forgotten bool, now time.Time) {
	there := make(map[string]*scheduleView)
	for i, s := range d.Schedules {
		if there[s.Name] != nil {
			w.fail("the schedule %s is there twice", s.Name)
		}
		there[s.Name] = &d.Schedules[i]
	}
	pending := make(map[string]*operation)
	for _, op := range w.pending {
		pending[op.schedule()] = op
	}
	names := maps.Clone(there)
	for name := range w.schedules {
		names[name] = there[name]
	}
	for name := range names {
		old, is := w.schedules[name], there[name]
		may := []*scheduleView{old}
		if forgotten {
			may = []*scheduleView{nil}
		} else if op := pending[name]; op != nil {
			if next, code := w.scheduleAfter(old, op, now); code == "" {
				may = append(may, next...)
			}
		}
		ok := slices.ContainsFunc(may, func(s *scheduleView) bool { return fits(s, is, false) })
		if due := w.pending[workers]; !ok && due != nil && old != nil && is != nil {
			skip, start := w.scheduleDue(old, due.Due)
			ok = start != nil && (fits(skip, is, false) || fits(start, is, true) && w.began(is.Status.LastTaskID, name, due))
		}
		if !ok {
			w.fail("the schedule %s is %s, want one of %s or, after %s, started or skipped", name, text(is), text(may), text(w.pending))
		}
		if is != nil {
			w.compareCompleted(is)
		}
		if w.schedules[name] = is; is == nil {
			delete(w.schedules, name)
		}
	}
	for id, a := range w.audits { // the other half of a start that is half there
		if op := w.pending[workers]; op != nil && !a.gone && a.since == nil && a.Schedule != "" && a.begun.Equal(op.At) {
			if s := there[a.Schedule]; s == nil || s.Status.LastTaskID != id {
				w.fail("the audit %s is there, but its schedule is %s", id, text(s))
			} else {
				a.since = s
			}
		}
	}
}

// began tells whether RunDue has started an audit without having returned.
func (w *world) began(id, name string, due *operation) bool {
	a := w.audits[id]
	return a != nil && a.Schedule == name && a.Start.Equal(due.Due) && a.begun.Equal(due.At)
}

// compareCompleted compares when a schedule's last audit completed with what that audit says: the two are changed together.
func (w *world) compareCompleted(s *scheduleView) {
	a := w.audits[s.Status.LastTaskID]
	if a == nil || a.gone {
		return
	}
	completed := s.Status.LastCompleted
	if a.Status == model.AuditTaskStatusCompleted {
		if completed.Before(a.begun.Truncate(time.Millisecond)) {
			w.fail("the audit %s is completed, its schedule is %s", a.TaskID, text(s))
		}
	} else if a.since != nil && !completed.Equal(a.since.Status.LastCompleted) {
		w.fail("the audit %s is %s, its schedule is %s", a.TaskID, a.Status, text(s))
	}
}
