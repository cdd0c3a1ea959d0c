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

// fact is something that is said of resources in additionalInfo.
type fact struct {
	key    string
	title  string
	layout string // of a time in epoch milliseconds; empty: it is none
}

// The times of a connection, of which the time of day counts. That of other times does not.
const (
	connectionTime    = "CONNECTION_TIME"
	disconnectionTime = "DISCONNECTION_TIME"
)

// principalKey is who connected, where that is no certificate. It stands where certificates have their subject.
const principalKey = "PRINCIPAL_ID"

func newFact(key string) fact {
	f := fact{key: key}
	if strings.HasSuffix(key, "_TIME") || strings.HasSuffix(key, "_SINCE") {
		f.layout = time.DateOnly
	}
	switch key {
	case "EXPIRATION_TIME":
		f.title = "EXPIRES"
	case "ACTIVE_SINCE":
		f.title = "SINCE"
	case "REVOCATION_TIME":
		f.title = "REVOKED"
	case "REVOCATION_REASON":
		f.title = "REASON"
	case "KEY_ALGORITHM":
		f.title = "KEY"
	case "KEY_SIZE":
		f.title = "BITS"
	case "ROLE_ARNS":
		f.title = "ROLES"
	case connectionTime:
		f.title, f.layout = "CONNECTED (UTC)", time.DateTime
	case disconnectionTime:
		f.title, f.layout = "DISCONNECTED (UTC)", time.DateTime
	default:
		f.title = terminal.Clean(strings.ReplaceAll(key, "_", " "))
	}
	return f
}

// factsOf returns what is said of resources in columns of their own, times first.
func factsOf(infos []map[string]string) []fact {
	keys := make(map[string]bool)
	for _, info := range infos {
		for k := range info {
			// The resource's own columns have the others.
			if !strings.HasPrefix(k, "ISSUER_CERTIFICATE_") && k != principalKey {
				keys[k] = true
			}
		}
	}
	var times, others []fact
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		if f := newFact(k); f.isTime() {
			times = append(times, f)
		} else {
			others = append(others, f)
		}
	}
	return append(times, others...)
}

// column is that of a fact. What is no time may be long.
func (f fact) column() terminal.Column {
	return terminal.Column{Title: f.title, Flex: !f.isTime(), Breaks: idBreaks}
}

func (f fact) isTime() bool { return f.layout != "" }

// text is what is said of one resource, for people.
func (f fact) text(info map[string]string) string {
	if t, ok := f.time(info); ok {
		return t.Format(f.layout)
	}
	return terminal.Clean(info[f.key])
}

func (f fact) time(info map[string]string) (time.Time, bool) {
	ms, err := strconv.ParseInt(info[f.key], 10, 64)
	return time.UnixMilli(ms).UTC(), err == nil && f.isTime()
}

// compare orders findings by a time. One that has none goes last.
func (f fact) compare(a, b model.AuditFinding) int {
	s, sOK := f.time(a.NonCompliantResource.AdditionalInfo)
	t, tOK := f.time(b.NonCompliantResource.AdditionalInfo)
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
