package stores

import (
	"fmt"
	"time"

	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// IDSize is how many bytes the id of each resource of a [Fleet] has.
const IDSize = 64

// Checks is how many checks an audit has.
const Checks = 12

// start is when the first audit starts; the others follow day by day.
var start = time.Date(2026, 1, 1, 6, 0, 0, 0, time.UTC)

// Fleet returns what one audit of a fleet finds: n certificates, each with one finding. What the findings
// have in common they share: a map, ten related resources, a text for each check.
func Fleet(n int, suppressed func(i int) bool) []findings.Finding {
	fs := make([]findings.Finding, n)
	info := map[string]string{"CERTIFICATE_STATUS": "ACTIVE"}
	var related [10][]model.RelatedResource
	for i := range related {
		related[i] = []model.RelatedResource{{
			ResourceType:       model.ResourceTypeCACertificate,
			ResourceIdentifier: model.ResourceIdentifier{CACertificateID: certificateID(-1 - i)},
		}}
	}
	for i := range fs {
		fs[i] = findings.Finding{
			Resource: model.NonCompliantResource{
				ResourceType:       model.ResourceTypeDeviceCertificate,
				ResourceIdentifier: model.ResourceIdentifier{DeviceCertificateID: certificateID(i)},
				AdditionalInfo:     info,
			},
			Related:    related[i%len(related)],
			Reason:     "The certificate expires within 30 days.",
			ReasonCode: "CERTIFICATE_APPROACHING_EXPIRATION",
			Suppressed: suppressed(i),
		}
	}
	return fs
}

// OneResource returns n findings of one resource, each with another reason code.
func OneResource(n int, suppressed func(i int) bool) []findings.Finding {
	fs := Fleet(n, suppressed)
	for i := range fs {
		fs[i].Resource.ResourceIdentifier = fs[0].Resource.ResourceIdentifier
		fs[i].ReasonCode = fmt.Sprintf("REASON_%d", i)
	}
	return fs
}

// certificateID returns an id as certificates have: hexadecimal digits that look random.
func certificateID(i int) string {
	const odd = 0x9e3779b97f4a7c15
	h := uint64(i) * odd
	return fmt.Sprintf("%016x%016x%016x%016x", h, (h^h>>32)*odd, (h^h>>29)*odd, (h^h>>27)*odd)
}

// TaskID returns the id of the audit of a day.
func TaskID(day int) string { return certificateID(1 << 40 * (day + 1))[:32] }

// CheckName returns the name of a check, from 0 on.
func CheckName(check int) string { return fmt.Sprintf("CHECK_%d_CHECK", check) }

// Time returns the finding time of a check run.
func Time(day, check int) time.Time {
	return start.AddDate(0, 0, day).Add(time.Duration(check) * time.Minute)
}

// Runs splits what the audit of a day finds over its checks: evenly or, if skewed, five sixths to the first.
func Runs(day int, fs []findings.Finding, skewed bool, each func(findings.Run, []findings.Finding) error) error {
	for check := range Checks {
		from, to := len(fs)*check/Checks, len(fs)*(check+1)/Checks
		if skewed {
			first := len(fs) * 5 / 6
			from, to = first+(len(fs)-first)*(check-1)/(Checks-1), first+(len(fs)-first)*check/(Checks-1)
			if check == 0 {
				from, to = 0, first
			}
		}
		err := each(findings.Run{
			TaskID: TaskID(day), Ordinal: check, CheckName: CheckName(check),
			Severity: model.AuditFindingSeverityHigh, Time: Time(day, check),
		}, fs[from:to])
		if err != nil {
			return err
		}
	}
	return nil
}

// Fill gives a store the whole audit of a day.
func Fill(s Store, day int, fs []findings.Finding, skewed bool) error {
	if err := s.Begin(findings.Audit{TaskID: TaskID(day), StartTime: start.AddDate(0, 0, day)}); err != nil {
		return err
	}
	return Runs(day, fs, skewed, s.Append)
}

// IsOf says whether a store shows a finding as it was given: its resource, reason code and suppression.
func IsOf(shown *model.AuditFinding, given *findings.Finding) bool {
	return shown.NonCompliantResource.ResourceIdentifier == given.Resource.ResourceIdentifier &&
		shown.ReasonForNonComplianceCode == given.ReasonCode &&
		shown.IsSuppressed != nil && *shown.IsSuppressed == given.Suppressed
}

// Kept returns an error unless a store has of the audit of a day exactly the findings that were given, in
// their order.
func Kept(s Store, day int, fs []findings.Finding) error {
	q := findings.Query{TaskID: TaskID(day), Limit: 10_000}
	at := 0
	for more := true; more; more = q.Token != "" {
		page, err := s.Page(q)
		if err != nil {
			return err
		}
		for i := range page.Findings {
			if f := &page.Findings[i]; at == len(fs) || f.TaskID != q.TaskID || !IsOf(f, &fs[at]) {
				return fmt.Errorf("stores: day %d, of %d findings: finding %d is not what was given", day, len(fs), at)
			}
			at++
		}
		q.Token = page.Next
	}
	if at != len(fs) {
		return fmt.Errorf("stores: day %d has %d findings, and %d were given", day, at, len(fs))
	}
	return nil
}
