package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/go-memdb"

	"github.com/fleetaudit/fleetaudit/model"
	"github.com/fleetaudit/fleetaudit/schedule"
)

// CreateScheduledAudit creates a scheduled audit. It is due from now on, for the first time at the first
// slot of its calendar. Creating one again that is the same in everything changes nothing.
//
// Errors: InvalidRequestException; ResourceAlreadyExistsException if one of that name differs;
// LimitExceededException.
func (e *Engine) CreateScheduledAudit(ctx context.Context, in *model.CreateScheduledAuditInput) (*model.CreateScheduledAuditOutput, error) {
	p, err := beginWrite(ctx, e, &in)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	if err := e.write(func(u *update) error { return e.createSchedule(u.txn, p, in, now) }); err != nil {
		return nil, err
	}
	return &model.CreateScheduledAuditOutput{ScheduledAuditARN: e.scheduleARN(in.ScheduledAuditName)}, nil
}

func (e *Engine) createSchedule(txn *memdb.Txn, p model.Problems, in *model.CreateScheduledAuditInput, now time.Time) error {
	e.wantEnabled(&p, e.account(txn), in.TargetCheckNames)
	if err := p.Err(); err != nil {
		return err
	}
	row := &scheduleRow{
		name:       in.ScheduledAuditName,
		frequency:  in.Frequency,
		dayOfMonth: in.DayOfMonth,
		dayOfWeek:  in.DayOfWeek,
		checks:     slices.Clone(in.TargetCheckNames),
		tags:       slices.Clone(in.Tags),
		anchor:     now,
	}
	if old := e.schedule(txn, row.name); old != nil {
		if old.same(row) {
			return nil
		}
		return &model.ResourceAlreadyExistsException{
			Message:     fmt.Sprintf("scheduledAuditName %q exists already, and is not the same", row.name),
			ResourceID:  row.name,
			ResourceARN: e.scheduleARN(row.name),
		}
	}
	if reached(rows[scheduleRow](txn, scheduleTable, "id", nil), e.config.MaxScheduledAudits) {
		return &model.LimitExceededException{
			Message: fmt.Sprintf("the account has %d scheduled audits, which is all it may have", e.config.MaxScheduledAudits),
		}
	}
	row.next = e.firstSlot(row, now)
	put(txn, scheduleTable, row)
	return nil
}

// same tells whether two schedules are due at the same time for the same checks, and have the same tags.
// The order in which checks and tags were named does not count.
func (r *scheduleRow) same(s *scheduleRow) bool {
	return r.frequency == s.frequency && r.dayOfMonth == s.dayOfMonth && r.dayOfWeek == s.dayOfWeek &&
		slices.Equal(slices.Sorted(slices.Values(r.checks)), slices.Sorted(slices.Values(s.checks))) &&
		slices.Equal(sortedTags(r.tags), sortedTags(s.tags))
}

func sortedTags(tags []model.Tag) []model.Tag {
	return slices.SortedFunc(slices.Values(tags), func(a, b model.Tag) int { return cmp.Compare(a.Key, b.Key) })
}

// calendar returns the calendar of a schedule.
func (e *Engine) calendar(r *scheduleRow) schedule.Schedule {
	return schedule.Schedule{
		Frequency:  r.frequency,
		DayOfMonth: r.dayOfMonth,
		DayOfWeek:  r.dayOfWeek,
		Anchor:     r.anchor,
		At:         e.config.TimeOfDay + schedule.Spread(r.name, e.config.Spread),
		Location:   e.config.Location,
	}
}

// firstSlot returns the first slot of a schedule at or after t.
func (e *Engine) firstSlot(r *scheduleRow, t time.Time) time.Time {
	return e.calendar(r).Next(t.Add(-1))
}

// DescribeScheduledAudit returns one scheduled audit.
//
// Errors: InvalidRequestException, ResourceNotFoundException.
func (e *Engine) DescribeScheduledAudit(ctx context.Context, in *model.DescribeScheduledAuditInput) (*model.DescribeScheduledAuditOutput, error) {
	if err := valid(begin(ctx, e, &in)); err != nil {
		return nil, err
	}
	r := e.schedule(e.state.Txn(false), in.ScheduledAuditName)
	if r == nil {
		return nil, noSchedule(in.ScheduledAuditName)
	}
	return &model.DescribeScheduledAuditOutput{
		Frequency:          r.frequency,
		DayOfMonth:         r.dayOfMonth,
		DayOfWeek:          r.dayOfWeek,
		TargetCheckNames:   slices.Clone(r.checks),
		ScheduledAuditName: r.name,
		ScheduledAuditARN:  e.scheduleARN(r.name),
	}, nil
}

func noSchedule(name string) error {
	return &model.ResourceNotFoundException{Message: fmt.Sprintf("scheduledAuditName %q does not exist", name)}
}

// UpdateScheduledAudit changes a scheduled audit; what the input leaves out stays. A new frequency drops
// the day of the old one unless it takes such a day too, as WEEKLY and BIWEEKLY do. If the calendar
// changes, it counts from now, and slots of the old one that are due count as missed.
//
// Errors: InvalidRequestException, ResourceNotFoundException.
func (e *Engine) UpdateScheduledAudit(ctx context.Context, in *model.UpdateScheduledAuditInput) (*model.UpdateScheduledAuditOutput, error) {
	p, err := beginWrite(ctx, e, &in)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	if err := e.write(func(u *update) error { return e.updateSchedule(u.txn, p, in, now) }); err != nil {
		return nil, err
	}
	return &model.UpdateScheduledAuditOutput{ScheduledAuditARN: e.scheduleARN(in.ScheduledAuditName)}, nil
}

func (e *Engine) updateSchedule(txn *memdb.Txn, p model.Problems, in *model.UpdateScheduledAuditInput, now time.Time) error {
	old := e.schedule(txn, in.ScheduledAuditName)
	if old == nil {
		if err := p.Err(); err != nil {
			return err
		}
		return noSchedule(in.ScheduledAuditName)
	}
	row := *old
	if in.Frequency != "" && in.Frequency != old.frequency {
		row.frequency, row.dayOfMonth, row.dayOfWeek = in.Frequency, "", ""
		if weekly(in.Frequency) && weekly(old.frequency) {
			row.dayOfWeek = old.dayOfWeek
		}
	}
	if in.DayOfMonth != "" {
		row.dayOfMonth = in.DayOfMonth
	}
	if in.DayOfWeek != "" {
		row.dayOfWeek = in.DayOfWeek
	}
	if in.TargetCheckNames != nil {
		row.checks = slices.Clone(in.TargetCheckNames)
		e.wantEnabled(&p, e.account(txn), row.checks)
	}
	model.CheckDays(&p, row.frequency, row.dayOfMonth, row.dayOfWeek)
	if err := p.Err(); err != nil {
		return err
	}
	if row.frequency != old.frequency || row.dayOfMonth != old.dayOfMonth || row.dayOfWeek != old.dayOfWeek {
		if !old.next.IsZero() && !old.next.After(now) { // slots of the old calendar that nothing has run
			_, before, _ := e.slots(old, now)
			row.missed += before + 1
		}
		row.anchor = now
		row.next = e.firstSlot(&row, now)
		if row.next.Equal(row.lastSlot) { // it has had its audit, at this very instant
			row.next = e.calendar(&row).Next(row.next)
		}
	}
	put(txn, scheduleTable, &row)
	return nil
}

func weekly(f model.AuditFrequency) bool {
	return f == model.AuditFrequencyWeekly || f == model.AuditFrequencyBiweekly
}

// DeleteScheduledAudit deletes a scheduled audit. One of its audits that is in progress goes on.
//
// Errors: InvalidRequestException, ResourceNotFoundException.
func (e *Engine) DeleteScheduledAudit(ctx context.Context, in *model.DeleteScheduledAuditInput) (*model.DeleteScheduledAuditOutput, error) {
	if err := valid(beginWrite(ctx, e, &in)); err != nil {
		return nil, err
	}
	err := e.write(func(u *update) error {
		row := e.schedule(u.txn, in.ScheduledAuditName)
		if row == nil {
			return noSchedule(in.ScheduledAuditName)
		}
		remove(u.txn, scheduleTable, row)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &model.DeleteScheduledAuditOutput{}, nil
}

// ListScheduledAudits returns a page of scheduled audits, in order of their names.
//
// Errors: InvalidRequestException.
func (e *Engine) ListScheduledAudits(ctx context.Context, in *model.ListScheduledAuditsInput) (*model.ListScheduledAuditsOutput, error) {
	p, err := begin(ctx, e, &in)
	if err != nil {
		return nil, err
	}
	after := e.openToken(&p, "ListScheduledAudits", in.NextToken)
	if err := p.Err(); err != nil {
		return nil, err
	}
	out := new(model.ListScheduledAuditsOutput)
	for r := range rowsFrom[scheduleRow](e.state.Txn(false), scheduleTable, "id", after, false) {
		if len(out.ScheduledAudits) == pageSize(in.MaxResults) {
			out.NextToken = e.tokens.Seal([]byte("ListScheduledAudits"), text(r.name))
			break
		}
		out.ScheduledAudits = append(out.ScheduledAudits, model.ScheduledAuditMetadata{
			ScheduledAuditName: r.name,
			ScheduledAuditARN:  e.scheduleARN(r.name),
			Frequency:          r.frequency,
			DayOfMonth:         r.dayOfMonth,
			DayOfWeek:          r.dayOfWeek,
		})
	}
	return out, nil
}

// ScheduleStatus is what the Engine knows of a scheduled audit beyond what AWS tells.
type ScheduleStatus struct {
	Next          time.Time // slot; zero: there is none any more
	LastSlot      time.Time // that an audit was started for; zero: none yet
	LastStart     time.Time // of that audit, which lagged behind its slot by the difference
	LastTaskID    string    // of that audit
	LastCompleted time.Time // end of the schedule's last audit that ended COMPLETED; zero: none has
	MissedSlots   int       // that passed while nothing ran schedules, and had no audit of their own
	SkippedSlots  int       // that fell while the schedule's audit before was still in progress
}

func (r *scheduleRow) status() ScheduleStatus {
	return ScheduleStatus{r.next, r.lastSlot, r.lastRun, r.lastTaskID, r.lastCompleted, r.missed, r.skipped}
}

// ScheduleStatus returns when a scheduled audit is due, and what became of its slots.
//
// Errors: ResourceNotFoundException.
func (e *Engine) ScheduleStatus(name string) (ScheduleStatus, error) {
	r := e.schedule(e.state.Txn(false), name)
	if r == nil {
		return ScheduleStatus{}, noSchedule(name)
	}
	return r.status(), nil
}
