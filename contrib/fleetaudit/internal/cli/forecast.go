package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/report"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// parseForecast reads the value of --forecast, which is zero if there is none.
func parseForecast(f auditFlags, asOf time.Time) (time.Time, error) {
	if f.forecast == "" {
		return time.Time{}, nil
	}
	to, err := parseDate("forecast", f.forecast, time.UTC)
	if err != nil || to.After(asOf) {
		return to, err
	}
	from := "now"
	if f.asOf != "" {
		from = "--as-of " + f.asOf
	}
	return to, fmt.Errorf("--forecast %q: must be after %s", f.forecast, from)
}

// lookAhead puts into r what the checks find by a later time. If ctx ends, r gets no forecast, and it is no error.
func (x execution) lookAhead(ctx context.Context, r *report.Report, e *engine.Engine) error {
	words := "Looking ahead to " + x.forecast.Format(time.DateOnly)
	x.progress.Show(-1, words)
	defer animate(x.progress, func(context.Context) (float64, string, error) { return -1, words, nil })()
	in := engine.ForecastInput{From: x.asOf, To: x.forecast}
	for _, s := range x.specs {
		in.TargetCheckNames = append(in.TargetCheckNames, s.Name)
	}
	f, err := e.Forecast(ctx, in)
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return err
	}
	r.Forecast = report.NewForecast(f)
	return nil
}

// incompleteForecast says why a forecast does not tell all there is to know; empty if it does, or none was asked for.
func incompleteForecast(r *report.Report, f auditFlags) string {
	switch {
	case f.forecast == "":
		return ""
	case r.Forecast == nil:
		return "it was interrupted"
	}
	for _, c := range r.Forecast.NotCompared() {
		if status, why := c.WhyNot(); status == model.AuditCheckRunStatusFailed {
			return c.CheckName + " failed: " + why
		}
	}
	return ""
}
