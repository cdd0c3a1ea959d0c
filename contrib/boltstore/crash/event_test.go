//go:build unix

package crash_test

import (
	"encoding/json"
	"os"
	"time"

	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// plan is what a child is to do. It reads it from its standard input, whose end tells it that its parent is gone.
type plan struct {
	Path      string // of the store's file
	Store     string // one of stores
	Seed      uint64
	Life      int
	TimeOfDay time.Duration // of every slot

	Known  []string    // audits whose findings need not be told again; some are all the same
	Full   bool        // they are, all of them
	Settle bool        // wait until the audits that were interrupted have ended, and tell everything again
	Resend []operation // of lives before, of some of which nobody knows whether they were done
	Ends   bool        // by Close after Load, rather than wait to be killed
	Load   time.Duration
}

// The kinds of events.
const (
	isIntent  = "intent"  // an operation is about to be called
	isAck     = "ack"     // and has returned
	isSaw     = "saw"     // what an audit looked like
	isNote    = "note"    // the Notifier was called
	isDump    = "dump"    // what the Engine holds, before it goes on with anything
	isSettled = "settled" // the same, after the audits that were interrupted have ended
	isReady   = "ready"   // the load begins
	isClosed  = "closed"
)

// event is a line that a child writes.
type event struct {
	Kind string

	Operation *operation `json:",omitempty"` // of an intent
	Worker    int        `json:",omitempty"` // of an ack: to whose operation

	// What an operation returned.
	Err       string         `json:",omitempty"` // a code of AWS's, or "!" and what should not be
	TaskIDs   []string       `json:",omitempty"`
	Schedules []scheduleView `json:",omitempty"`
	Kept      []string       `json:",omitempty"` // the audits that RunDue left

	Audit *auditView `json:",omitempty"`
	Note  *noteView  `json:",omitempty"`
	Dump  *dumpView  `json:",omitempty"`
}

// operation is a call of the Engine. Of the inputs one is there.
type operation struct {
	Worker int
	At     time.Time

	Configure *model.UpdateAccountAuditConfigurationInput `json:",omitempty"`
	Forget    *model.DeleteAccountAuditConfigurationInput `json:",omitempty"`

	Create *model.CreateScheduledAuditInput `json:",omitempty"`
	Update *model.UpdateScheduledAuditInput `json:",omitempty"`
	Delete *model.DeleteScheduledAuditInput `json:",omitempty"`
	Tag    *model.TagResourceInput          `json:",omitempty"`
	Untag  *model.UntagResourceInput        `json:",omitempty"`

	Suppress   *model.CreateAuditSuppressionInput `json:",omitempty"`
	Resuppress *model.UpdateAuditSuppressionInput `json:",omitempty"`
	Unsuppress *model.DeleteAuditSuppressionInput `json:",omitempty"`

	Start  *model.StartOnDemandAuditTaskInput `json:",omitempty"`
	Key    string                             `json:",omitempty"` // Start's, so that it may be sent again
	Twice  bool                               `json:",omitempty"` // Start is called twice at once
	Cancel *model.CancelAuditTaskInput        `json:",omitempty"`

	Due time.Time `json:",omitzero"` // RunDue's

	swept time.Time // the latest Due of what ran at the same time
}

// scheduleView is all that can be seen of a scheduled audit.
type scheduleView struct {
	Name       string
	Frequency  model.AuditFrequency
	DayOfMonth string          `json:",omitempty"`
	DayOfWeek  model.DayOfWeek `json:",omitempty"`
	Checks     []string
	Tags       []model.Tag `json:",omitempty"`
	Status     engine.ScheduleStatus
}

// auditView is what can be seen of an audit.
type auditView struct {
	TaskID     string
	Kind       model.AuditTaskType
	Status     model.AuditTaskStatus
	Start      time.Time
	Schedule   string `json:",omitempty"`
	Statistics model.TaskStatistics
	Runs       map[string]model.AuditCheckDetails // by check
	Read       bool                               // Findings are there
	Findings   map[string]foundView               `json:",omitempty"` // by check
}

// foundView is what can be seen of the findings of a check run.
type foundView struct {
	Count      int      // of findings
	Resources  int64    // that they are about
	Suppressed []string `json:",omitempty"` // resources, in the order of findings
	Hidden     int      `json:",omitempty"` // findings that are suppressed
	Contents   uint64   // a hash of what the check reported, in order
	Whole      uint64   // a hash of everything
}

// noteView is a notification.
type noteView struct {
	ID, TaskID string
	Status     model.AuditTaskStatus
	Statistics model.TaskStatistics
}

// seenView is what the Engine knows of a fingerprint; of one that it does not know, nothing.
type seenView struct {
	Fingerprint findings.Fingerprint
	First       findings.Sighting
}

// dumpView is what an Engine holds.
type dumpView struct {
	Account      model.DescribeAccountAuditConfigurationOutput
	Schedules    []scheduleView
	Suppressions []model.AuditSuppression
	Audits       []auditView
	Seen         []seenView
	Statistics   engine.Statistics
	Period       map[string]int `json:",omitempty"` // findings by audit, as a query for a period tells; nil: it was not asked
}

// speaker writes events. A line is one write, so that what a kill leaves of the last one shows.
type speaker struct{ to *os.File }

func (s speaker) say(e event) {
	b, err := json.Marshal(e)
	if err == nil {
		_, err = s.to.Write(append(b, '\n')) // os.File lets nobody in between
	}
	if err != nil {
		panic(err)
	}
}
