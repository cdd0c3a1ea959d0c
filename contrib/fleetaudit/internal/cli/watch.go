package cli

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/terminal"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// frame is how often progress is shown.
const frame = 100 * time.Millisecond

// watch shows how far an audit of checks is that specs are of, until stop is called.
func watch(p *terminal.Progress, e *engine.Engine, specs []checks.Spec, taskID string) (stop func()) {
	return animate(p, func(ctx context.Context) (float64, string, error) {
		task, err := e.DescribeAuditTask(ctx, &model.DescribeAuditTaskInput{TaskID: taskID})
		if err != nil {
			return 0, "", err
		}
		done, words := progressOf(task, specs)
		return done, words, nil
	})
}

// animate shows what look sees, frame by frame, until stop is called or look fails. Where nobody watches it
// does nothing.
func animate(p *terminal.Progress, look func(context.Context) (done float64, words string, err error)) (stop func()) {
	if !p.Active() {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	work.Go(func() {
		ticker := time.NewTicker(frame)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			done, words, err := look(ctx)
			if err != nil {
				return
			}
			p.Show(done, words)
		}
	})
	return func() {
		cancel()
		work.Wait()
	}
}

// progressOf returns how much of an audit is done, by the resources that its checks have to look at, and
// says so.
func progressOf(task *model.DescribeAuditTaskOutput, specs []checks.Spec) (float64, string) {
	var done, total, flagged int64
	for _, s := range specs {
		d := task.AuditDetails[s.Name]
		size := int64(1) // where nobody knows how much there is to do, a check is a step
		if s.Source != nil {
			if n, known := s.Source.SourceLen(); known {
				size = max(int64(n), 1)
			}
		}
		total += size
		flagged += d.NonCompliantResourcesCount
		switch d.CheckRunStatus {
		case model.AuditCheckRunStatusInProgress, model.AuditCheckRunStatusWaitingForDataCollection:
			done += min(d.TotalResourcesCount, size-1)
		default:
			done += size // also what a check left out, since it was not in its scope
		}
	}
	st := task.TaskStatistics
	left := st.InProgressChecks + st.WaitingForDataCollectionChecks
	return float64(done) / float64(max(total, 1)),
		fmt.Sprintf("%d of %d checks done, %d flagged", st.TotalChecks-left, st.TotalChecks, flagged)
}
