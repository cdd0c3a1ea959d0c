package inventory

import (
	"strconv"
	"time"

	"github.com/fleetaudit/fleetaudit/checks/internal/strictjson"
)

// lifecycleMembers are those of AWS IoT's lifecycle events.
var lifecycleMembers = members{
	needed:   []string{"clientId", "timestamp", eventMember},
	optional: []string{"sessionIdentifier", "principalIdentifier", "disconnectReason", "clientInitiatedDisconnect"},
	passed:   []string{"versionNumber", "ipAddress", "thingName"},
}

// connectionEvent reads an object that is a lifecycle event.
func (l *Loader) connectionEvent(data []byte, at Origin) {
	r, ok := l.open(element{data: data, at: at})
	if !ok || !r.check(r.root, lifecycleMembers) {
		return
	}
	e := ConnectionEvent{
		ClientID:                  l.intern(r.text(r.root, "clientId", someText)),
		Timestamp:                 r.millis("timestamp"),
		EventType:                 enum[ConnectionEventType](r, r.root, eventMember),
		SessionIdentifier:         r.text(r.root, "sessionIdentifier", anyText),
		PrincipalIdentifier:       l.intern(r.text(r.root, "principalIdentifier", anyText)),
		DisconnectReason:          DisconnectReason(l.intern(r.text(r.root, "disconnectReason", anyText))),
		ClientInitiatedDisconnect: r.flag(r.root, "clientInitiatedDisconnect", false),
	}
	if e.ClientID == "" || e.Timestamp.IsZero() || e.EventType == "" { // which has been told
		return
	}
	if err := e.Validate(); err != nil {
		r.tell(r.root.Errorf("is not valid: %v", err))
		return
	}
	l.events = append(l.events, e)
}

// millis returns a member that is an instant in the way of lifecycle events.
func (r *elementReader) millis(name string) time.Time {
	v := r.root.Find(name)
	if v == nil {
		return time.Time{}
	}
	const want = "a whole number of epoch milliseconds, not before the year 2000"
	if v.Kind != strictjson.Number {
		r.tell(v.Not(want))
		return time.Time{}
	}
	// Epoch seconds of whatever year are milliseconds before 2000.
	ms, err := strconv.ParseInt(v.Text, 10, 64)
	if err != nil || ms < time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli() {
		r.tell(v.Wrong("must be " + want))
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// intern returns the first copy of a text that many events repeat.
func (l *Loader) intern(text string) string {
	first, ok := l.texts[text]
	if !ok {
		if l.texts == nil {
			l.texts = make(map[string]string)
		}
		first = text
		l.texts[first] = first
	}
	return first
}
