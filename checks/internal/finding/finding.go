// Package finding reports what the built-in checks find, in the forms that all of them share.
package finding

import (
	"strconv"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/model"
)

// Report reports that a resource is non-compliant.
func Report(pass *checks.Pass, id model.ResourceIdentifier, code, reason string, info map[string]string, related ...model.RelatedResource) {
	pass.Report(checks.Finding{
		Resource:   model.NonCompliantResource{ResourceIdentifier: id, AdditionalInfo: info},
		Related:    related,
		Reason:     reason,
		ReasonCode: code,
	})
}

// NotEvaluable reports that a resource cannot be judged.
func NotEvaluable(pass *checks.Pass, id model.ResourceIdentifier, reason string) {
	Report(pass, id, model.ReasonCodeResourceNotEvaluable, reason, nil)
}

// EpochMillis is how AWS writes an instant in additionalInfo.
func EpochMillis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
