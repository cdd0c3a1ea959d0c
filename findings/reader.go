package findings

import "github.com/fleetaudit/fleetaudit/model"

// reader puts findings together for one caller. Nothing of them is shared with the store; findings that
// follow each other share the strings that they have in common, which nobody can change.
type reader struct {
	words *words
	recent
}

// finding puts together finding i of a segment.
func (r *reader) finding(s *segment, i uint32) model.AuditFinding {
	f, detail := r.without(s, i), r.words.detail(s, i)
	f.NonCompliantResource.AdditionalInfo = detail.info(&r.recent)
	for len(detail) > 0 {
		f.RelatedResources = append(f.RelatedResources, detail.related(&r.recent))
	}
	return f
}

// detail returns the additional information and the related resources of a finding.
func (w *words) detail(s *segment, i uint32) decoder {
	return w.text(w.contents.at(s.contents[i]).detail)
}

// without is finding without what detail has.
func (r *reader) without(s *segment, i uint32) model.AuditFinding {
	w, c := r.words, r.words.contents.at(s.contents[i])
	resource := decoder(w.text(c.resource))
	suppressed := s.suppressed(i)
	r.next = 0
	return model.AuditFinding{
		FindingID:     s.findingID(i),
		TaskID:        s.audit.taskID,
		CheckName:     s.check,
		TaskStartTime: model.At(s.audit.start),
		FindingTime:   s.time,
		Severity:      s.severity,
		NonCompliantResource: model.NonCompliantResource{
			ResourceType:       model.ResourceType(r.string(w.text(c.kind))),
			ResourceIdentifier: resource.identifier(&r.recent),
		},
		ReasonForNonCompliance:     r.string(w.text(c.reason)),
		ReasonForNonComplianceCode: r.string(w.text(c.code)),
		IsSuppressed:               &suppressed,
	}
}

// recent is the first strings of a finding in the order in which they are read, so that the next one may
// use them again. Few findings have more of them.
type recent struct {
	strings [12]string
	next    int
}

// string returns b as a string: the one that stood in this place before when that is equal.
func (r *recent) string(b []byte) string {
	if r.next == len(r.strings) {
		return string(b)
	}
	s := &r.strings[r.next]
	r.next++
	if *s != string(b) {
		*s = string(b)
	}
	return *s
}
