//go:build unix

package crash_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fleetaudit/fleetaudit/model"
)

const arn = "arn:aws:iot:us-east-1:000000000000:scheduledaudit/"

// schedule returns the name of the scheduled audit that an operation is about, or nothing.
func (op *operation) schedule() string {
	switch {
	case op.Create != nil:
		return op.Create.ScheduledAuditName
	case op.Update != nil:
		return op.Update.ScheduledAuditName
	case op.Delete != nil:
		return op.Delete.ScheduledAuditName
	case op.Tag != nil:
		return strings.TrimPrefix(op.Tag.ResourceARN, arn)
	case op.Untag != nil:
		return strings.TrimPrefix(op.Untag.ResourceARN, arn)
	}
	return ""
}

// all tells whether an operation may change every scheduled audit.
func (op *operation) all() bool { return op.Forget != nil || !op.Due.IsZero() }

// suppression returns the key of the suppression that an operation is about, or nothing.
func (op *operation) suppression() string {
	switch {
	case op.Suppress != nil:
		return suppressionKey(op.Suppress.CheckName, op.Suppress.ResourceIdentifier)
	case op.Resuppress != nil:
		return suppressionKey(op.Resuppress.CheckName, op.Resuppress.ResourceIdentifier)
	case op.Unsuppress != nil:
		return suppressionKey(op.Unsuppress.CheckName, op.Unsuppress.ResourceIdentifier)
	}
	return ""
}

func suppressionKey(check string, r model.ResourceIdentifier) string { return check + "/" + r.ClientID }

// step calls an operation, or looks at an audit.
func (w *worker) step() {
	op := operation{Worker: w.number, At: time.Now()}
	w.calls++
	switch {
	case w.number == workers:
		// Now and then so far in the future that audits of today are dropped, and later than the lives before, whose
		// audits are then dropped too.
		ahead := time.Duration(w.rand.Int64N(int64(40 * time.Hour)))
		if w.rand.IntN(6) == 0 {
			ahead = 2*ahead + retention + time.Duration(w.Life)*2*time.Hour
		}
		op.Due = op.At.Add(ahead).UTC().Truncate(time.Millisecond)
		if w.rand.IntN(3) > 0 {
			w.look()
		}
	case w.number == 0 && w.calls == 1:
		w.configure(&op, true)
	default:
		w.choose(&op)
	}
	w.do(op)
	if op.Suppress != nil || op.Key != "" {
		w.last = op
	}
	if op.Forget != nil {
		w.configureAgain()
	}
}

func (w *worker) choose(op *operation) {
	switch n := w.rand.IntN(20); {
	case n < 6:
		w.changeSchedule(op)
	case n < 11:
		w.changeSuppression(op)
	case n < 15:
		op.Start = &model.StartOnDemandAuditTaskInput{TargetCheckNames: append(w.checks(), mark(w.number))}
		if w.rand.IntN(3) > 0 {
			op.Key = fmt.Sprintf("key-%d-%d-%d", w.number, w.Life, w.calls)
			op.Twice = w.rand.IntN(3) == 0
		}
	case n < 16 && (w.last.Suppress != nil || w.last.Start != nil):
		*op = w.last
		op.At = time.Now()
	case n < 17 && w.task() != "":
		op.Cancel = &model.CancelAuditTaskInput{TaskID: w.task()}
	case n < 18 && w.number == 0:
		if w.rand.IntN(6) == 0 {
			op.Forget = &model.DeleteAccountAuditConfigurationInput{DeleteScheduledAudits: w.rand.IntN(2) == 0}
		} else {
			w.configure(op, w.rand.IntN(2) == 0)
		}
	default:
		w.look()
		w.changeSuppression(op)
	}
}

// checks returns some checks, in the order of the Engine's.
func (w *worker) checks() []string {
	names := slices.DeleteFunc([]string{firmware, ports, slow, faulty}, func(string) bool { return w.rand.IntN(3) == 0 })
	if len(names) == 0 {
		return []string{slow}
	}
	return names
}

// task returns an audit that somebody has started of late, or nothing.
func (w *worker) task() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.recent) == 0 {
		return ""
	}
	return w.recent[w.rand.IntN(len(w.recent))]
}

// look tells what an audit looks like.
func (w *worker) look() {
	id := w.task()
	if id == "" {
		return
	}
	if a, err := w.audit(context.Background(), id); err == nil {
		w.say(event{Kind: isSaw, Audit: &a})
	}
}

func (w *worker) changeSchedule(op *operation) {
	name := fmt.Sprintf("schedule-%d-%d", w.number, w.rand.IntN(2))
	frequency, month, week := w.days()
	tag := model.Tag{Key: fmt.Sprint("key", w.rand.IntN(3)), Value: fmt.Sprint(w.rand.IntN(1000))}
	switch w.rand.IntN(8) {
	default:
		op.Create = &model.CreateScheduledAuditInput{
			ScheduledAuditName: name, Frequency: frequency, DayOfMonth: month, DayOfWeek: week, TargetCheckNames: w.checks(),
		}
		if w.rand.IntN(2) == 0 {
			op.Create.Tags = []model.Tag{tag}
		}
	case 0:
		op.Update = &model.UpdateScheduledAuditInput{ScheduledAuditName: name, Frequency: frequency, DayOfMonth: month, DayOfWeek: week}
	case 1:
		op.Update = &model.UpdateScheduledAuditInput{ScheduledAuditName: name, TargetCheckNames: w.checks()}
	case 2, 3:
		op.Delete = &model.DeleteScheduledAuditInput{ScheduledAuditName: name}
	case 4:
		op.Tag = &model.TagResourceInput{ResourceARN: arn + name, Tags: []model.Tag{tag}}
	case 5:
		op.Untag = &model.UntagResourceInput{ResourceARN: arn + name, TagKeys: []string{tag.Key}}
	}
}

// days returns a frequency with the day that it takes.
func (w *worker) days() (f model.AuditFrequency, month string, week model.DayOfWeek) {
	week = model.DayOfWeek("").Values()[w.rand.IntN(7)]
	switch w.rand.IntN(6) {
	case 0:
		return model.AuditFrequencyWeekly, "", week
	case 1:
		return model.AuditFrequencyBiweekly, "", week
	case 2:
		return model.AuditFrequencyMonthly, model.DayOfMonthLast, ""
	case 3:
		return model.AuditFrequencyMonthly, fmt.Sprint(1 + w.rand.IntN(31)), ""
	default:
		return model.AuditFrequencyDaily, "", ""
	}
}

func (w *worker) changeSuppression(op *operation) {
	check := []string{firmware, ports}[w.rand.IntN(2)]
	r := model.ResourceIdentifier{ClientID: device(w.number*10 + w.rand.IntN(3))}
	description := fmt.Sprintf("accepted %d", w.rand.IntN(1000))
	var until model.Timestamp
	var forever *bool
	if w.rand.IntN(3) == 0 {
		forever = new(true)
	} else {
		until = model.At(op.At.Add(time.Hour * time.Duration(1+w.rand.IntN(1000))))
	}
	switch w.rand.IntN(5) {
	case 0, 1:
		op.Suppress = &model.CreateAuditSuppressionInput{
			CheckName: check, ResourceIdentifier: r, ExpirationDate: until, SuppressIndefinitely: forever, Description: description,
			ClientRequestToken: fmt.Sprintf("token-%d-%d-%d", w.number, w.Life, w.calls),
		}
	case 2, 3:
		op.Resuppress = &model.UpdateAuditSuppressionInput{CheckName: check, ResourceIdentifier: r, ExpirationDate: until, SuppressIndefinitely: forever}
		if w.rand.IntN(2) == 0 {
			op.Resuppress.Description = &description
		}
	case 4:
		op.Unsuppress = &model.DeleteAuditSuppressionInput{CheckName: check, ResourceIdentifier: r}
	}
}

// configure changes the settings of all checks, or of one.
func (w *worker) configure(op *operation, all bool) {
	level := map[string]string{"LEVEL": fmt.Sprint(1 + w.rand.IntN(9))}
	in := &model.UpdateAccountAuditConfigurationInput{AuditCheckConfigurations: make(map[string]model.AuditCheckConfiguration)}
	if all {
		in.RoleARN = fmt.Sprintf("arn:aws:iam::000000000000:role/audit-%d", w.rand.IntN(100))
		for _, s := range w.Checks() {
			in.AuditCheckConfigurations[s.Name] = model.AuditCheckConfiguration{Enabled: true, Configuration: level}
		}
		in.AuditNotificationTargetConfigurations = map[model.AuditNotificationType]model.AuditNotificationTarget{
			model.AuditNotificationTypeSNS: {TargetARN: fmt.Sprintf("arn:aws:sns:us-east-1:000000000000:ends-%d", w.rand.IntN(100)), Enabled: true},
		}
	} else {
		name := []string{faulty, ports, mark(w.rand.IntN(workers))}[w.rand.IntN(3)]
		c := model.AuditCheckConfiguration{Enabled: w.rand.IntN(3) > 0}
		if w.rand.IntN(2) == 0 {
			c.Configuration = level
		}
		in.AuditCheckConfigurations[name] = c
	}
	op.Configure = in
}

// configureAgain makes the account what it was made at first, or else no audit would run from now on.
func (w *worker) configureAgain() {
	op := operation{Worker: w.number, At: time.Now()}
	w.configure(&op, true)
	w.do(op)
}
