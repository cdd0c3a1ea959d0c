//go:build unix

package crash_test

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/fleetaudit/fleetaudit/model"
)

// dump tells what the Engine holds.
func (c *child) dump(kind string) error {
	ctx := context.Background()
	account, err := c.DescribeAccountAuditConfiguration(ctx, nil)
	if err != nil {
		return err
	}
	d := dumpView{Account: *account, Statistics: c.Statistics(time.Now())}
	if d.Schedules, err = c.schedules(); err != nil {
		return err
	}
	all := &model.ListAuditSuppressionsInput{MaxResults: new(int32(250))}
	for more := true; more; more = all.NextToken != "" {
		out, err := c.ListAuditSuppressions(ctx, all)
		if err != nil {
			return err
		}
		d.Suppressions, all.NextToken = append(d.Suppressions, out.Suppressions...), out.NextToken
	}
	tasks, err := c.tasks()
	if err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(c.Seed, uint64(c.Life)))
	for _, t := range tasks {
		a, err := c.audit(ctx, t.TaskID)
		if err != nil {
			return err
		}
		if c.Full || r.IntN(6) == 0 || !slices.Contains(c.Known, t.TaskID) {
			a.Read = true
			if a.Findings, err = c.found(&model.ListAuditFindingsInput{TaskID: t.TaskID}); err != nil {
				return err
			}
		}
		d.Audits = append(d.Audits, a)
	}
	for _, fp := range watched() {
		h, err := c.FindingHistory(ctx, fp)
		if _, none := errors.AsType[*model.ResourceNotFoundException](err); err != nil && !none {
			return err
		}
		if err == nil {
			d.Seen = append(d.Seen, seenView{fp, h.FirstSeen})
		}
	}
	if c.Full {
		from, to := period()
		d.Period = make(map[string]int)
		for f, err := range c.AuditFindings(ctx, &model.ListAuditFindingsInput{StartTime: from, EndTime: to}) {
			if err != nil {
				return err
			}
			d.Period[f.TaskID]++
		}
	}
	c.say(event{Kind: kind, Dump: &d})
	return nil
}

// period is that of every audit which there may be.
func period() (from, to model.Timestamp) {
	now := time.Now()
	return model.At(now.Add(-retention / 2)), model.At(now.Add(100_000 * time.Hour))
}

// tasks lists the audits.
func (c *child) tasks() (all []model.AuditTaskMetadata, err error) {
	in := &model.ListAuditTasksInput{MaxResults: new(int32(250))}
	in.StartTime, in.EndTime = period()
	for more := true; more; more = in.NextToken != "" {
		out, err := c.ListAuditTasks(context.Background(), in)
		if err != nil {
			return nil, err
		}
		all, in.NextToken = append(all, out.Tasks...), out.NextToken
	}
	return all, nil
}

func (c *child) taskIDs() (ids []string, err error) {
	all, err := c.tasks()
	for _, t := range all {
		ids = append(ids, t.TaskID)
	}
	return ids, err
}

func (c *child) schedules() (all []scheduleView, err error) {
	in := &model.ListScheduledAuditsInput{MaxResults: new(int32(250))}
	out, err := c.ListScheduledAudits(context.Background(), in)
	if err != nil {
		return nil, err
	}
	for _, s := range out.ScheduledAudits {
		view, err := c.schedule(s.ScheduledAuditName)
		if err != nil {
			return nil, err
		}
		all = append(all, view)
	}
	return all, nil
}

func (c *child) schedule(name string) (scheduleView, error) {
	ctx := context.Background()
	s, err := c.DescribeScheduledAudit(ctx, &model.DescribeScheduledAuditInput{ScheduledAuditName: name})
	if err != nil {
		return scheduleView{}, err
	}
	tags, err := c.ListTagsForResource(ctx, &model.ListTagsForResourceInput{ResourceARN: s.ScheduledAuditARN})
	if err != nil {
		return scheduleView{}, err
	}
	status, err := c.ScheduleStatus(name)
	return scheduleView{
		Name: name, Frequency: s.Frequency, DayOfMonth: s.DayOfMonth, DayOfWeek: s.DayOfWeek, Checks: s.TargetCheckNames,
		Tags: tags.Tags, Status: status,
	}, err
}

func (c *child) audit(ctx context.Context, id string) (auditView, error) {
	a, err := c.DescribeAuditTask(ctx, &model.DescribeAuditTaskInput{TaskID: id})
	if err != nil {
		return auditView{}, err
	}
	return auditView{
		TaskID: id, Kind: a.TaskType, Status: a.TaskStatus, Start: a.TaskStartTime.Time, Schedule: a.ScheduledAuditName,
		Statistics: a.TaskStatistics, Runs: a.AuditDetails,
	}, nil
}

// found returns what there is of findings, by check.
func (c *child) found(in *model.ListAuditFindingsInput) (map[string]foundView, error) {
	type sums struct {
		contents, whole hash.Hash64
		about           map[string]bool // resources, and whether they are suppressed
	}
	all, hashes := make(map[string]foundView), make(map[string]sums)
	for f, err := range c.AuditFindings(context.Background(), in) {
		if err != nil {
			return nil, err
		}
		s, ok := hashes[f.CheckName]
		if !ok {
			s = sums{fnv.New64a(), fnv.New64a(), make(map[string]bool)}
			hashes[f.CheckName] = s
		}
		r := f.NonCompliantResource.ResourceIdentifier
		view := all[f.CheckName]
		view.Count++
		if *f.IsSuppressed {
			view.Hidden++
		}
		if _, known := s.about[r.ClientID]; !known {
			s.about[r.ClientID] = *f.IsSuppressed
			view.Resources++
			if *f.IsSuppressed {
				view.Suppressed = append(view.Suppressed, r.ClientID)
			}
		} else if s.about[r.ClientID] != *f.IsSuppressed {
			return nil, fmt.Errorf("of audit %s one finding of %s about %s is suppressed, another is not", in.TaskID, f.CheckName, r)
		}
		fmt.Fprintln(s.contents, content(r, f.ReasonForNonComplianceCode, f.ReasonForNonCompliance))
		fmt.Fprintln(s.whole, f.FindingID, f.TaskID, f.TaskStartTime.UnixMilli(), f.FindingTime.UnixMilli(), f.Severity,
			f.NonCompliantResource, f.RelatedResources, f.ReasonForNonCompliance, f.ReasonForNonComplianceCode, *f.IsSuppressed)
		all[f.CheckName] = view
	}
	for name, s := range hashes {
		view := all[name]
		view.Contents, view.Whole = s.contents.Sum64(), s.whole.Sum64()
		all[name] = view
	}
	return all, nil
}
