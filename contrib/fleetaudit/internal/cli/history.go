package cli

import (
	"context"
	"errors"
	"time"

	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/data"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/report"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// retention is how long audits are kept, as the Engine has it.
const retention = 90 * 24 * time.Hour

// history is the folder that audits are kept in.
type history struct {
	name   string // as it was given
	folder *data.Folder
	keeper *data.Keeper
	reads  bool // the audit is not kept: it is as of another time

	suppressions []model.AuditSuppression // those in the folder
	cutOff       []model.Timestamp        // when audits started that were still in progress in the folder
}

// openHistory opens the folder that --data names; nil if it names none.
func openHistory(f auditFlags) (*history, error) {
	if f.data == "" {
		return nil, nil
	}
	if f.asOf != "" { // what would be wrong at another time is no part of what was
		folder, err := data.OpenExisting(f.data)
		if err != nil {
			return nil, err
		}
		return &history{name: f.data, folder: folder, keeper: folder.Read(), reads: true}, nil
	}
	folder, err := data.Open(f.data)
	if err != nil {
		return nil, err
	}
	return &history{name: f.data, folder: folder, keeper: folder.Keep()}, nil
}

// close closes the folder. The Engine is closed before.
func (h *history) close() error {
	if h == nil {
		return nil
	}
	return h.folder.Close()
}

// failed returns why the audit is not kept though it should be, or nil.
func (h *history) failed() error {
	if h == nil || h.keeper.Err() == nil {
		return nil
	}
	return h.folder.Failed("the audit is not kept", h.keeper.Err())
}

// engine makes an Engine that goes on from the audits in the folder; without a history, one that begins.
func (h *history) engine(ctx context.Context, config engine.Config) (*engine.Engine, error) {
	if h == nil {
		return engine.New(config)
	}
	config.Store, config.Region, config.Retention = h.keeper, data.HistoryRegion, retention
	e, err := engine.New(config)
	if err != nil {
		return nil, h.folder.Explain(err)
	}
	if err = h.settle(ctx, e); err == nil && config.Suppressions == nil {
		err = h.readSuppressions(ctx, e)
	}
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// settle cancels the audits that programs left behind which were killed: to go on with them would be to judge the fleet
// of now as of then.
func (h *history) settle(ctx context.Context, e *engine.Engine) error {
	now := time.Now()
	in := &model.ListAuditTasksInput{
		StartTime: model.At(now.Add(-retention)), EndTime: model.At(now.AddDate(1, 0, 0)), // the clock may have been set back
		TaskStatus: model.AuditTaskStatusInProgress,
	}
	for more := true; more; more = in.NextToken != "" {
		list, err := e.ListAuditTasks(ctx, in)
		if err != nil {
			return err
		}
		for _, task := range list.Tasks {
			if _, err := e.CancelAuditTask(ctx, &model.CancelAuditTaskInput{TaskID: task.TaskID}); err != nil {
				return err
			}
		}
		in.NextToken = list.NextToken
	}
	left, err := e.Resume()
	if err != nil {
		return err
	}
	for _, taskID := range left {
		task, err := e.WaitAuditTask(ctx, taskID)
		if err != nil {
			return err
		}
		h.cutOff = append(h.cutOff, task.TaskStartTime)
	}
	return nil
}

func (h *history) readSuppressions(ctx context.Context, e *engine.Engine) error {
	in := &model.ListAuditSuppressionsInput{MaxResults: new(int32(100))}
	for more := true; more; more = in.NextToken != "" {
		list, err := e.ListAuditSuppressions(ctx, in)
		if err != nil {
			return err
		}
		h.suppressions = append(h.suppressions, list.Suppressions...)
		in.NextToken = list.NextToken
	}
	return nil
}

// compare puts into r what has changed since the audit before, and when its findings were first seen.
func (h *history) compare(ctx context.Context, r *report.Report, e *engine.Engine) error {
	if h == nil {
		return nil
	}
	changes := report.NewChanges(h.name, h.keeper.Keeps())
	r.Changes = changes
	states := make(map[findings.Fingerprint]findings.State)
	before, err := h.before(ctx, r, e)
	if err != nil {
		return err
	}
	if changes.Since = before; before != nil {
		for c, err := range e.DiffAudits(ctx, before.TaskID, r.TaskID) {
			if err != nil {
				return err
			}
			var seen *report.Sighting
			switch c.State {
			case findings.StateResolved, findings.StateNotReevaluated:
				if seen, err = firstSeen(ctx, e, c.Finding); err != nil {
					return err
				}
			default:
				states[findings.FingerprintOf(c.Finding)] = c.State
			}
			changes.Add(c, seen)
		}
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		f.Change = states[findings.FingerprintOf(f.AuditFinding)]
		if f.FirstSeen, err = firstSeen(ctx, e, f.AuditFinding); err != nil {
			return err
		}
	}
	return nil
}

// before returns the audit that r's is compared with: the last one before it that is COMPLETED; nil if there is none. One in
// which every check failed, or that was canceled, says less than those before it.
func (h *history) before(ctx context.Context, r *report.Report, e *engine.Engine) (*report.Sighting, error) {
	list, err := e.ListAuditTasks(ctx, &model.ListAuditTasksInput{
		StartTime: model.At(time.Now().Add(-retention)), EndTime: r.AuditTask.TaskStartTime, TaskStatus: model.AuditTaskStatusCompleted,
	})
	if err != nil {
		return nil, err
	}
	for _, task := range list.Tasks {
		if task.TaskID == r.TaskID {
			continue
		}
		found, err := e.DescribeAuditTask(ctx, &model.DescribeAuditTaskInput{TaskID: task.TaskID})
		if err != nil {
			return nil, err
		}
		return &report.Sighting{TaskID: task.TaskID, Time: found.TaskStartTime}, nil
	}
	return nil, nil
}

// firstSeen returns when a finding was first seen; nil if no audit has found it that is kept.
func firstSeen(ctx context.Context, e *engine.Engine, f model.AuditFinding) (*report.Sighting, error) {
	h, err := e.FindingHistory(ctx, findings.FingerprintOf(f))
	if _, none := errors.AsType[*model.ResourceNotFoundException](err); none {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return report.NewSighting(h.FirstSeen), nil
}
