package connection

import (
	"context"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/internal/baseline"
	"github.com/fleetaudit/fleetaudit/checks/internal/finding"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/model"
)

// ConflictingClientIDs makes the check CONFLICTING_CLIENT_IDS_CHECK over inv's clients.
func ConflictingClientIDs(inv *inventory.Inventory) checks.Check {
	const code = "DUPLICATE_CLIENT_ID_ACROSS_CONNECTIONS"
	return checks.Each(checks.Spec{
		Name:  "CONFLICTING_CLIENT_IDS_CHECK",
		Title: "Client id is used by several devices",
		Doc: "Looks at the connections of each client id: on demand and when a schedule runs for the first time, at " +
			"those of the last 31 days, else at those since the schedule ran before. MQTT lets a client id be " +
			"connected once, so the broker ends a connection when another comes with its client id. A client id " +
			"is reported when that happened: a connection began while another one of the client id was open, or " +
			"one ended because it was taken over. A connection that begins after the one before has ended is none." +
			"\n\n" +
			"A device that lost its network, and came back before the broker had noticed, takes over its own " +
			"connection. Nothing that a broker sees tells it from a second device, so it is reported too.\n\n" +
			"Where connections are made of a broker's events, and the end of one is missing, it ended when its client " +
			"id connected again. If the same certificate or other principal connected then, that was no takeover: " +
			"lost events, and a broker that crashed, leave just this behind when a device comes back. If it was " +
			"another one, or if it is not known of one of the two, it was: another identity under a client id is a " +
			"conflict.\n\n" +
			"The related resources are the client id's connections in that time, newest first, by who connected: " +
			"the device certificate, or the client id with the principal as PRINCIPAL_ID where that is no " +
			"certificate. They have CONNECTION_TIME and DISCONNECTION_TIME in epoch milliseconds, as far as these " +
			"are known. There are at most 1000; CONNECTIONS_NOT_LISTED of the finding says how many more there were.",
		Remediation: "Give each device a client id of its own, such as the name of its thing, and let policies allow " +
			"each certificate no other client id. Where the same certificate connected, find out whether it was copied.",
		URL:           baseline.AWSPage("audit-chk-conflicting-client-ids"),
		Severity:      model.AuditFindingSeverityHigh,
		ResourceType:  model.ResourceTypeClientID,
		Retrospective: true,
		ReasonCodes:   []checks.ReasonCode{{Code: code, Doc: "A connection with it was taken over by another one."}},
		References: []checks.Reference{
			baseline.NISTIR8259A("Device Identification"),
			baseline.IEC62443("CR 1.2: software process and device identification and authentication"),
		},
	}, inv.Clients, func(_ context.Context, pass *checks.Pass, c *inventory.Client) error {
		w := newWindow(pass, 0)
		stays, faults := w.stays(c.Connections)
		id := model.ResourceIdentifier{ClientID: c.ID}
		if faults != "" {
			finding.NotEvaluable(pass, id, faults)
		}
		if !w.conflict(stays) {
			return nil
		}
		f := checks.Finding{
			Resource:   model.NonCompliantResource{ResourceIdentifier: id},
			Reason:     "Client ID is used by more than one connection at the same time.",
			ReasonCode: code,
		}
		w.related(&f, w.open(stays), principalResource)
		pass.Report(f)
		return nil
	})
}

// conflict says whether a takeover falls into the window. Where two connections overlap, that is when the later one
// began; else it is when the earlier one ended. So each takeover is in the window of one run.
func (w *window) conflict(stays []stay) bool {
	var open time.Time // until when one of the earlier connections was open
	for i := range stays {
		s := &stays[i]
		if !s.ConnectedAt.IsZero() && w.has(s.start) && open.After(s.start) {
			return true
		}
		if s.ousted && w.has(s.end) && (s.ConnectedAt.IsZero() || !begunBefore(stays[i+1:], s.end)) {
			return true
		}
		if !s.ConnectedAt.IsZero() && s.end.After(open) {
			open = s.end
		}
	}
	return false
}

// begunBefore says whether one of the later connections began before t.
func begunBefore(later []stay, t time.Time) bool {
	for i := range later {
		if !later[i].ConnectedAt.IsZero() {
			return later[i].start.Before(t)
		}
	}
	return false
}

// principalResource names who connected.
func principalResource(c *inventory.Connection) model.RelatedResource {
	if id := c.CertificateID(); id != "" {
		return model.RelatedResource{
			ResourceType:       model.ResourceTypeDeviceCertificate,
			ResourceIdentifier: model.ResourceIdentifier{DeviceCertificateID: id},
		}
	}
	r := clientResource(c)
	if c.Principal != "" {
		r.AdditionalInfo = map[string]string{"PRINCIPAL_ID": c.Principal}
	}
	return r
}
