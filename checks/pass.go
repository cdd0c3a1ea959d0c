package checks

import (
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/fleetaudit/fleetaudit/model"
)

// Pass is one run of one check: what it may know, and where it reports. It may be copied, as a check
// that wraps another does to put a Report of its own in. Such a Report should hand on the Finding that it
// was given, changed or not, rather than a new one: a Finding knows which shard it comes from.
type Pass struct {
	TaskID string       // of the audit
	Time   time.Time    // the only clock a check reads: the instant as of which it judges
	Since  time.Time    // when the same schedule ran before; zero for the first run and on demand
	Config Config       // the check's parameters
	Logger *slog.Logger // never nil in a run

	// Report notes a finding. It copies what it is given, is safe for concurrent use, and does nothing
	// once the run has ended.
	Report func(Finding)
	// Scanned adds n to the number of resources that were checked. Each and Scan do so by themselves.
	// It is safe for concurrent use.
	Scanned func(n int)

	run     *run // nil in a Pass that no Runner made
	judging bool // it is that of a shard
}

// Finding is one resource that is not as it should be. One is kept for each resource and reason code.
type Finding struct {
	Resource   model.NonCompliantResource // ResourceType may be left empty: it is the Spec's
	Related    []model.RelatedResource
	Reason     string // a sentence for people
	ReasonCode string // one of the Spec's, or model.ReasonCodeResourceNotEvaluable

	shard int // which shard of a scanned source it comes from: findings are put in that order
}

// detach makes f share nothing with others that can change.
func (f *Finding) detach() {
	f.Resource.AdditionalInfo = maps.Clone(f.Resource.AdditionalInfo)
	f.Related = slices.Clone(f.Related)
	for i := range f.Related {
		f.Related[i].AdditionalInfo = maps.Clone(f.Related[i].AdditionalInfo)
	}
}
