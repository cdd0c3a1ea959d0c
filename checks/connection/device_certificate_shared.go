package connection

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/internal/baseline"
	"github.com/fleetaudit/fleetaudit/checks/internal/finding"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/model"
)

// DeviceCertificateShared makes the check DEVICE_CERTIFICATE_SHARED_CHECK over inv's certificate uses.
func DeviceCertificateShared(inv *inventory.Inventory) checks.Check {
	const code = "CERTIFICATE_SHARED_BY_MULTIPLE_DEVICES"
	return checks.Each(checks.Spec{
		Name:  "DEVICE_CERTIFICATE_SHARED_CHECK",
		Title: "Device certificate is used by several devices",
		Doc: "Looks at the connections of each device certificate until two hours before the audit: on demand and " +
			"when a schedule runs for the first time, from 31 days before the audit on, else from two hours before " +
			"the schedule ran before. A certificate is reported when two connections with it were open at the same " +
			"time: with two client ids, or with one client id of which one connection took over the other, as " +
			"CONFLICTING_CLIENT_IDS_CHECK describes. A device that connects again after its connection has ended is " +
			"in order, also where another certificate had taken its client id over. Where it is not known what took " +
			"over, it was what connected next with that client id and certificate, if that was within two minutes: " +
			"AWS tells times no more exactly. Between two client ids times are taken as they are told, so a device " +
			"that takes a new client id for every connection needs a broker that tells them exactly. A device that " +
			"keeps several connections open with one certificate is reported, since a copy of the certificate looks " +
			"the same.\n\n" +
			"Where connections are made of a broker's events, one of which the end is missing ends without a takeover " +
			"when its client id connects again with the same certificate: lost events, and a broker that crashed, leave " +
			"just this behind when a device comes back.\n\n" +
			"AWS's page speaks of concurrent connections. The three findings that AWS has published, of June 2019, " +
			"each list one client id that only connected again, which seems to say otherwise; but they are of one " +
			"certificate, and the connections in them show its three client ids connected at the same time for " +
			"days. So they agree with the page.\n\n" +
			"The related resources are the connections with the certificate that were open in that time, newest " +
			"first, by client id, with CONNECTION_TIME and DISCONNECTION_TIME in epoch milliseconds, as far as these " +
			"are known. There are at most 1000; CONNECTIONS_NOT_LISTED of the finding says how many more there were.",
		Remediation: "Give each device a certificate and a private key of its own, made on the device. Then revoke " +
			"the shared certificate: whoever has one of the devices can pose as all of them.",
		URL:           baseline.AWSPage("audit-chk-device-cert-shared"),
		Severity:      model.AuditFindingSeverityCritical,
		ResourceType:  model.ResourceTypeDeviceCertificate,
		Retrospective: true,
		ReasonCodes:   []checks.ReasonCode{{Code: code, Doc: "Connections with it were open at the same time."}},
		References: []checks.Reference{
			baseline.NISTIR8259A("Device Identification"),
			baseline.ETSI303645("5.4-4: critical security parameters are unique per device"),
			baseline.IEC62443("CR 1.2 RE (1): unique identification and authentication"),
		},
	}, inv.CertificateUses, func(_ context.Context, pass *checks.Pass, c *inventory.CertificateUse) error {
		w := newWindow(pass, inventory.Settling)
		stays, faults := w.stays(c.Connections)
		id := model.ResourceIdentifier{DeviceCertificateID: c.CertificateID}
		if faults != "" {
			finding.NotEvaluable(pass, id, faults)
		}
		open := w.open(stays)
		if !concurrent(open) && !w.retaken(stays, c.CertificateID) {
			return nil
		}
		f := checks.Finding{
			Resource:   model.NonCompliantResource{ResourceIdentifier: id},
			Reason:     "Certificate shared by one or more devices.", // word for word as AWS has it
			ReasonCode: code,
		}
		w.related(&f, open, clientResource)
		pass.Report(f)
		return nil
	})
}

// concurrent says whether connections of two client ids were open at the same time.
func concurrent(stays []stay) bool {
	var longest stay // of those so far, the one that is open longest; no other client id was open with it
	for _, s := range stays {
		if longest.end.After(s.start) && s.ClientID != longest.ClientID {
			return true
		}
		if s.end.After(longest.end) {
			longest = s
		}
	}
	return false
}

// retaken says whether a client id took over its own connection with a certificate in the window. It changes stays.
func (w *window) retaken(stays []stay, certificateID string) bool {
	slices.SortStableFunc(stays, func(a, b stay) int { return strings.Compare(a.ClientID, b.ClientID) })
	for len(stays) > 0 {
		n := slices.IndexFunc(stays, func(s stay) bool { return s.ClientID != stays[0].ClientID })
		if n < 0 {
			n = len(stays)
		}
		if w.conflict(ofCertificate(stays[:n], certificateID)) {
			return true
		}
		stays = stays[n:]
	}
	return false
}

// ofCertificate changes connections of a client id to what they are among those with their certificate: taken over
// only if that was by one of these.
func ofCertificate(stays []stay, certificateID string) []stay {
	for i := range stays {
		s := &stays[i]
		switch {
		case !s.ousted:
		case s.TakenOverBy == "": // it was what came next, if that was soon
			s.ousted = begunBefore(stays[i+1:], s.end.Add(inventory.ClockSkew+1))
		case !strings.EqualFold(cmp.Or(inventory.CertificateID(s.TakenOverBy), s.TakenOverBy), certificateID):
			// It may have ended sooner than is told, and before the client id connected again.
			s.end, s.ousted = s.end.Add(-inventory.ClockSkew), false
		}
	}
	slices.SortFunc(stays, stay.compare)
	return stays
}
