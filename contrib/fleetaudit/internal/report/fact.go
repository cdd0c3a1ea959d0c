package report

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/terminal"
	"github.com/fleetaudit/fleetaudit/model"
)

// fact is something that findings say of their resources in additionalInfo.
type fact struct {
	key    string
	title  string
	isTime bool // epoch milliseconds
}

// title is a short word for what the built-in checks say, or else the key itself.
func title(key string) string {
	switch key {
	case "EXPIRATION_TIME":
		return "EXPIRES"
	case "ACTIVE_SINCE":
		return "SINCE"
	case "REVOCATION_TIME":
		return "REVOKED"
	case "REVOCATION_REASON":
		return "REASON"
	}
	return terminal.Clean(strings.ReplaceAll(key, "_", " "))
}

// factsOf returns what findings say of their resources, times first.
func factsOf(found []model.AuditFinding) []fact {
	keys := make(map[string]bool)
	for _, f := range found {
		for k := range f.NonCompliantResource.AdditionalInfo {
			keys[k] = true
		}
	}
	var times, others []fact
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		switch {
		case strings.HasPrefix(k, "ISSUER_CERTIFICATE_"): // which the resource's own column tells
		case strings.HasSuffix(k, "_TIME"), strings.HasSuffix(k, "_SINCE"):
			times = append(times, fact{k, title(k), true})
		default:
			others = append(others, fact{k, title(k), false})
		}
	}
	return append(times, others...)
}

// text is what a finding says, for people: of a time, the day.
func (k fact) text(f model.AuditFinding) string {
	if t, ok := k.time(f); ok {
		return t.Format(time.DateOnly)
	}
	return terminal.Clean(f.NonCompliantResource.AdditionalInfo[k.key])
}

func (k fact) time(f model.AuditFinding) (time.Time, bool) {
	ms, err := strconv.ParseInt(f.NonCompliantResource.AdditionalInfo[k.key], 10, 64)
	return time.UnixMilli(ms).UTC(), err == nil && k.isTime
}

// compare orders findings by a time. One that has none goes last.
func (k fact) compare(a, b model.AuditFinding) int {
	s, sOK := k.time(a)
	t, tOK := k.time(b)
	switch {
	case sOK && tOK:
		return s.Compare(t)
	case sOK:
		return -1
	case tOK:
		return 1
	}
	return 0
}
