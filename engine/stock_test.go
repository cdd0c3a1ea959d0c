package engine_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/model"
)

// stock is the checks that scripts audit with.
type stock struct {
	checks map[string]checks.Check
	hold   chan struct{} // HOLD_CHECK ends when it is closed
	data   chan struct{} // DATA_CHECK has data when it is closed
}

func newStock() *stock {
	s := &stock{hold: make(chan struct{}), data: make(chan struct{}), checks: make(map[string]checks.Check)}
	devices := checks.Slice("devices", fleet)
	missed := 0 // runs of MISS_CHECK
	late := &checks.Source[pump]{
		Name: "late devices",
		All: func(context.Context) iter.Seq2[pump, error] {
			return func(yield func(pump, error) bool) { yield(fleet[1], nil) }
		},
		Ready: func() <-chan struct{} { return s.data },
	}
	for _, c := range []checks.Check{
		checks.Each(judgingSpec("DEVICE_CHECK"), devices, judge),
		checks.Each(judgingSpec("DATA_CHECK"), late, judge),
		checks.New(deviceSpec("OK_CHECK"), func(_ context.Context, pass *checks.Pass) error {
			pass.Scanned(3)
			return nil
		}),
		checks.New(deviceSpec("HOLD_CHECK"), func(ctx context.Context, pass *checks.Pass) error {
			pass.Scanned(2)
			pass.Report(deviceFinding("held-1", "WEAK", "it is held"))
			select {
			case <-s.hold:
			case <-ctx.Done():
			}
			return nil
		}),
		checks.New(deviceSpec("DENIED_CHECK"), func(context.Context, *checks.Pass) error {
			return fmt.Errorf("reading devices: %w", checks.ErrInsufficientPermissions)
		}),
		checks.New(deviceSpec("BROKEN_CHECK"), func(_ context.Context, pass *checks.Pass) error {
			pass.Scanned(2)
			pass.Report(deviceFinding("broken-1", "WEAK", "it was found before the end"))
			return errors.New("the registry does not answer")
		}),
		checks.New(deviceSpec("RELATED_CHECK"), func(_ context.Context, pass *checks.Pass) error {
			f := deviceFinding("hub-1", "OLD", "it is old, and has twelve neighbours")
			for i := range 12 {
				f.Related = append(f.Related, model.RelatedResource{
					ResourceType: model.ResourceTypeClientID, ResourceIdentifier: model.ResourceIdentifier{ClientID: fmt.Sprint("n-", i)},
				})
			}
			pass.Report(f)
			return nil
		}),
		checks.New(deviceSpec("MISS_CHECK"), func(ctx context.Context, pass *checks.Pass) error {
			switch missed++; missed {
			case 2:
				return errors.New("the registry does not answer")
			case 3:
				<-ctx.Done()
			case 1, 5:
				pass.Report(deviceFinding("missed-1", "WEAK", "it is there again"))
			}
			return nil
		}),
		checks.New(retrospective("PAST_CHECK"), func(_ context.Context, pass *checks.Pass) error {
			if pass.Time.Year() == 2000 && pass.Time.Month() == time.January {
				pass.Report(deviceFinding("past-1", "WEAK", "it was in January"))
			}
			return nil
		}),
	} {
		s.checks[c.Spec().Name] = c
	}
	return s
}

// release lets a check go on that waits, now and in every audit to come.
func (s *stock) release(check string) {
	switch check {
	case "HOLD_CHECK":
		close(s.hold)
	case "DATA_CHECK":
		close(s.data)
	default:
		panic(check)
	}
}

type pump struct {
	id       string
	age      int // days, on 2000-01-01
	password string
}

// fleet has three devices that are not as they should be, and one that DEVICE_CHECK passes over.
var fleet = []pump{
	{"pump-1", 1, "7fK!x"},
	{"pump-2", 40, "admin"},
	{"pump-3", -1, "7fK!x"},
	{"pump-4", 3000, ""},
	{"pump-5", 31, "7fK!x"},
}

func deviceSpec(name string) checks.Spec {
	return checks.Spec{
		Name:         name,
		Severity:     model.AuditFindingSeverityMedium,
		ResourceType: model.ResourceTypeClientID,
		ReasonCodes:  []checks.ReasonCode{{Code: "WEAK"}, {Code: "OLD"}},
	}
}

func retrospective(name string) checks.Spec {
	s := deviceSpec(name)
	s.Retrospective = true
	return s
}

func judgingSpec(name string) checks.Spec {
	s := deviceSpec(name)
	s.Params = []checks.Param{
		{Name: "MAX_AGE", Unit: "days", Default: 30, Min: 1, Max: 100},
		{Name: "MIN_PASSWORD", Unit: "characters", Default: 0, Min: 0, Max: 9},
	}
	return s
}

func judge(_ context.Context, pass *checks.Pass, d *pump) error {
	age := d.age + int(pass.Time.Sub(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)).Hours()/24)
	switch {
	case d.password == "":
		return checks.Skip
	case d.age < 0:
		pass.Report(deviceFinding(d.id, model.ReasonCodeResourceNotEvaluable, "it was made in the future"))
		return nil
	}
	if d.password == "admin" || len(d.password) < pass.Config.Int("MIN_PASSWORD") {
		pass.Report(deviceFinding(d.id, "WEAK", "its password is weak"))
	}
	if age > pass.Config.Int("MAX_AGE") {
		f := deviceFinding(d.id, "OLD", "it is old")
		f.Resource.AdditionalInfo = map[string]string{"AGE": fmt.Sprint(age)}
		f.Related = []model.RelatedResource{{
			ResourceType:       model.ResourceTypeIoTPolicy,
			ResourceIdentifier: model.ResourceIdentifier{PolicyVersionIdentifier: model.PolicyVersionIdentifier{PolicyName: "p", PolicyVersionID: "1"}},
			AdditionalInfo:     map[string]string{"OF": d.id},
		}}
		pass.Report(f)
	}
	return nil
}

func deviceFinding(id, code, reason string) checks.Finding {
	return checks.Finding{
		Resource:   model.NonCompliantResource{ResourceIdentifier: model.ResourceIdentifier{ClientID: id}},
		Reason:     reason,
		ReasonCode: code,
	}
}
