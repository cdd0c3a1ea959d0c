package findings

import (
	"iter"
	"time"

	"github.com/fleetaudit/fleetaudit/model"
)

// Active says whether the suppression is in force at an instant: it suppresses indefinitely, or at is
// before its ExpirationDate. At that instant itself it no longer is. Time zones make no difference.
func Active(s model.AuditSuppression, at time.Time) bool { return termOf(&s).holds(at) }

// term is for how long a suppression is in force.
type term struct {
	indefinite bool
	end        time.Time
}

func termOf(s *model.AuditSuppression) term {
	return term{s.SuppressIndefinitely != nil && *s.SuppressIndefinitely, s.ExpirationDate.Time}
}

func (t term) holds(at time.Time) bool {
	return t.indefinite || !t.end.IsZero() && at.Before(t.end) // zero: there is no such date
}

// Suppressions decides which findings are suppressed. Make one with [NewSuppressions]; the zero value
// suppresses nothing. It does not change and is safe for concurrent use.
type Suppressions struct {
	checks map[string]map[model.ResourceIdentifier]term
}

// NewSuppressions returns the Suppressions of a list, whether or not they are in force. Of two with the
// same check and resource the later one counts. No part of the list is kept.
func NewSuppressions(list iter.Seq[model.AuditSuppression]) Suppressions {
	checks := make(map[string]map[model.ResourceIdentifier]term)
	for s := range list {
		if checks[s.CheckName] == nil {
			checks[s.CheckName] = make(map[model.ResourceIdentifier]term)
		}
		checks[s.CheckName][s.ResourceIdentifier] = termOf(&s)
	}
	return Suppressions{checks}
}

// Match says whether there is a suppression of exactly that check and that resource (==), and it is
// [Active]. It costs one look-up, next to nothing for a check without suppressions.
func (s Suppressions) Match(checkName string, r model.ResourceIdentifier, at time.Time) bool {
	resources := s.checks[checkName]
	if len(resources) == 0 {
		return false
	}
	t, ok := resources[r]
	return ok && t.holds(at)
}

// Any says whether there is a suppression of that check at all, in force or not. Where there is none, Match is false.
func (s Suppressions) Any(checkName string) bool { return len(s.checks[checkName]) > 0 }
