package inventory

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// ConnectionEventType says what a [ConnectionEvent] tells of, in AWS's words.
type ConnectionEventType string

// The two types of events.
const (
	EventConnected    ConnectionEventType = "connected"
	EventDisconnected ConnectionEventType = "disconnected"
)

// Values lists every ConnectionEventType.
func (ConnectionEventType) Values() []ConnectionEventType {
	return []ConnectionEventType{EventConnected, EventDisconnected}
}

// DisconnectReason is why a connection ended, in AWS's words. The words of other brokers may stand in their
// place and say nothing, so what they call a takeover must become DUPLICATE_CLIENTID.
type DisconnectReason string

// The thirteen reasons of AWS IoT's lifecycle events.
const (
	DisconnectAuthError         DisconnectReason = "AUTH_ERROR"
	DisconnectClientInitiated   DisconnectReason = "CLIENT_INITIATED_DISCONNECT"
	DisconnectClientError       DisconnectReason = "CLIENT_ERROR"
	DisconnectConnectionLost    DisconnectReason = "CONNECTION_LOST"
	DisconnectDuplicateClientID DisconnectReason = "DUPLICATE_CLIENTID" // the same client id connected again
	DisconnectForbiddenAccess   DisconnectReason = "FORBIDDEN_ACCESS"
	DisconnectKeepAliveTimeout  DisconnectReason = "MQTT_KEEP_ALIVE_TIMEOUT"
	DisconnectServerError       DisconnectReason = "SERVER_ERROR"
	DisconnectServerInitiated   DisconnectReason = "SERVER_INITIATED_DISCONNECT"
	DisconnectAPIInitiated      DisconnectReason = "API_INITIATED_DISCONNECT"
	DisconnectThrottled         DisconnectReason = "THROTTLED"
	DisconnectWebSocketTTL      DisconnectReason = "WEBSOCKET_TTL_EXPIRATION"
	DisconnectCustomAuthTTL     DisconnectReason = "CUSTOMAUTH_TTL_EXPIRATION"
)

// Values lists every DisconnectReason.
func (DisconnectReason) Values() []DisconnectReason {
	return []DisconnectReason{
		DisconnectAuthError, DisconnectClientInitiated, DisconnectClientError, DisconnectConnectionLost,
		DisconnectDuplicateClientID, DisconnectForbiddenAccess, DisconnectKeepAliveTimeout, DisconnectServerError,
		DisconnectServerInitiated, DisconnectAPIInitiated, DisconnectThrottled, DisconnectWebSocketTTL,
		DisconnectCustomAuthTTL,
	}
}

// otherwise says that the broker gave a reason, and that it is no takeover.
func (r DisconnectReason) otherwise() bool {
	return r != DisconnectDuplicateClientID && slices.Contains(r.Values(), r)
}

// ConnectionEvent tells that a client connected or disconnected: what AWS IoT publishes as a lifecycle event.
type ConnectionEvent struct {
	ClientID  string    // 1 to 256 bytes; AWS allows 128
	Timestamp time.Time // of the years 1678 to 2261
	EventType ConnectionEventType
	// SessionIdentifier is the same in the two events of a connection. Empty: they are paired by their times.
	SessionIdentifier string
	// PrincipalIdentifier is who connected: the id of the certificate (64 hexadecimal digits) or its ARN, or the id of
	// another identity, of at most 1,024 bytes. Empty: not known.
	PrincipalIdentifier string

	// DisconnectReason and ClientInitiatedDisconnect are of disconnected events only.
	DisconnectReason          DisconnectReason // empty: not known
	ClientInitiatedDisconnect bool
}

// The longest names that an event may have, in bytes.
const (
	maxClientID  = 256
	maxPrincipal = 1024
)

// Validate returns an error that names each member that is not valid, and its value; nil if there is none.
func (e *ConnectionEvent) Validate() error {
	var faults []string
	add := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	text := func(name, v string, most int) {
		switch {
		case len(v) > most:
			add("%s %.40q has %d bytes, at most %d are allowed", name, v, len(v), most)
		case !utf8.ValidString(v):
			add("%s %q is not valid UTF-8", name, v)
		}
	}
	if e.ClientID == "" {
		add("ClientID is empty")
	}
	text("ClientID", e.ClientID, maxClientID)
	text("PrincipalIdentifier", e.PrincipalIdentifier, maxPrincipal)
	if e.Timestamp.IsZero() {
		add("Timestamp is missing")
	} else if !counted(e.Timestamp) {
		add("Timestamp %v is not of the years 1678 to 2261", e.Timestamp)
	}
	if !slices.Contains(e.EventType.Values(), e.EventType) {
		add("EventType %.40q is neither %q nor %q", string(e.EventType), EventConnected, EventDisconnected)
	}
	if faults == nil {
		return nil
	}
	return errors.New("connection event: " + strings.Join(faults, "; "))
}

// counted says whether an instant can be counted in nanoseconds since 1970, with months to spare.
func counted(t time.Time) bool {
	year := t.UTC().Year()
	return 1678 <= year && year <= 2261
}

// Connections makes of events the clients and the certificates that they tell of: the clients in the order of
// their ids, the certificates in that of theirs. The order of events, and events that are there twice, make no
// difference. Events that [ConnectionEvent.Validate] finds fault with are left out.
//
// What events leave open is decided so, here and in a [Recorder]:
//
//   - A connection whose disconnected event is missing lasts until its client id connects the next time: MQTT allows
//     one connection a client id. If the same principal connects then, it was not taken over, since lost events and a
//     broker that crashed leave the same behind when a device comes back. If another does, or if it is not known of
//     one of the two, it was taken over: two identities under one client id are a conflict.
//   - A session is one connection. If several connected events have its SessionIdentifier, and no disconnected event
//     comes between them, it began at the earliest of them.
//   - A connection whose connected event is missing has no ConnectedAt.
//   - Where events have no SessionIdentifier, or several connections have the same, a disconnected event ends the
//     connection that is open at its time. If it tells of a takeover, it ends the one that was taken over.
//   - AWS gives the time of an event to within two minutes. A connection that ended for a reason of AWS's other
//     than a takeover, up to two minutes after its client id connected the next time, ended when that happened.
//     One that ended before it began, ended when it began.
//   - What took a connection over is the next one of its client id, if that began within two minutes of its end.
//   - Certificate ids are written in lower case, also where events have ARNs. Other principals are in the connections of a client only.
func Connections(events []ConnectionEvent) ([]Client, []CertificateUse) {
	h := newHistory()
	var told []conn
	for i := range events {
		if e := &events[i]; e.Validate() == nil {
			told = append(told, h.told(e, everyView))
		}
	}
	h.putAll(told)
	var clients []Client
	var s spans
	for n := range h.clients.numbers() {
		c, _ := h.client(&s, n, everyView)
		clients = append(clients, c)
	}
	slices.SortFunc(clients, func(a, b Client) int { return strings.Compare(a.ID, b.ID) })
	uses := make(map[string][]Connection)
	for i := range clients {
		for _, c := range clients[i].Connections {
			if id := c.CertificateID(); id != "" {
				uses[id] = append(uses[id], c)
			}
		}
	}
	var certificates []CertificateUse
	for _, id := range slices.Sorted(maps.Keys(uses)) {
		newestFirst(uses[id])
		certificates = append(certificates, CertificateUse{id, uses[id]})
	}
	return clients, certificates
}
