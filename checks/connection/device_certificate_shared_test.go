package connection_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/checktest"
	"github.com/fleetaudit/fleetaudit/checks/connection"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/model"
)

func certificate(letter, code string) checktest.Finding {
	return checktest.Finding{Resource: model.ResourceIdentifier{DeviceCertificateID: principal(letter)}, ReasonCode: code}
}

// TestDeviceCertificateSharedWords has whole findings. The audit is at 1717243200000.
func TestDeviceCertificateSharedWords(t *testing.T) {
	connections := parseConnections(t, "lamp/A -5h..-4h, plug/A -4h-1ms..-3h, lamp/A -150m..-1h, hub/A ..-130m, "+
		"hub/A -125m..+1h, plug/A -1h.., lamp/A -50d..-40d, lamp/A .., lamp/A -9h..>B, plug/B -5h.., plug/? -9h.., plug/eu:1 -9h..")
	resource := model.NonCompliantResource{
		ResourceType:       model.ResourceTypeDeviceCertificate,
		ResourceIdentifier: model.ResourceIdentifier{DeviceCertificateID: principal("A")},
	}
	want := []checks.Finding{
		{
			Resource: resource,
			Reason: "Connections with neither a time of connection nor of disconnection: 1." +
				" Connections that were taken over, and have no time of disconnection: 1.",
			ReasonCode: notEvaluable,
		},
		{
			Resource: resource,
			Related: []model.RelatedResource{
				relatedClient("hub", map[string]string{"CONNECTION_TIME": "1717235700000"}),
				relatedClient("hub", map[string]string{"DISCONNECTION_TIME": "1717235400000"}),
				// Its end came after the window, and before the audit.
				relatedClient("lamp", map[string]string{"CONNECTION_TIME": "1717234200000", "DISCONNECTION_TIME": "1717239600000"}),
				relatedClient("plug", map[string]string{"CONNECTION_TIME": "1717228799999", "DISCONNECTION_TIME": "1717232400000"}),
				relatedClient("lamp", map[string]string{"CONNECTION_TIME": "1717225200000", "DISCONNECTION_TIME": "1717228800000"}),
			},
			Reason:     "Certificate shared by one or more devices.",
			ReasonCode: shared,
		},
	}
	inv := inventory.New(contents(connections))
	out := checktest.Run(t, connection.DeviceCertificateShared(inv), checktest.Case{
		Time: now, Want: []checktest.Finding{certificate("A", notEvaluable), certificate("A", shared)}, WantScanned: 2,
	})
	sameFindings(t, "A", want, out.Findings)
}

// TestDeviceCertificateSharedSpelling: how a certificate's id is spelt makes no difference to who took over.
func TestDeviceCertificateSharedSpelling(t *testing.T) {
	connections := parseConnections(t, "lamp/A -5h..-4h>A, lamp/A -3h..")
	upper := strings.ToUpper(principal("A"))
	for _, by := range []string{upper, "arn:aws:iot:eu-west-1:123456789012:cert/" + upper} {
		connections[0].TakenOverBy = by
		for _, id := range []string{principal("A"), upper} {
			inv := inventory.New(inventory.Contents{CertificateUses: []inventory.CertificateUse{{CertificateID: id, Connections: connections}}})
			checktest.Run(t, connection.DeviceCertificateShared(inv), checktest.Case{Time: now, Want: []checktest.Finding{
				{Resource: model.ResourceIdentifier{DeviceCertificateID: id}, ReasonCode: shared},
			}})
		}
	}
}

// TestPublishedFindings has the connections of the three findings that AWS has published in its reference of
// ListAuditFindings, all of one certificate, of a daily audit. The check reports it in each of these audits, and has
// the connections that AWS lists, with AWS's times.
func TestPublishedFindings(t *testing.T) {
	const id = "b193ab7162c0fadca83246d24fa090300a1236fe58137e121b011804d8ac1d6b"
	at := func(millis int64) time.Time {
		if millis == 0 {
			return time.Time{}
		}
		return time.UnixMilli(millis)
	}
	use := inventory.CertificateUse{CertificateID: id}
	published := []struct {
		audit, since int64
		client       string
		connections  [][2]int64 // newest first
	}{
		{1560161017172, 1560074617172, "ZipxgAIl", [][2]int64{
			{1560086374068, 0}, {1560081552187, 1560086371552}, {1559289863631, 1560081532716},
		}},
		{1559988217270, 1559901817310, "xShGENLW", [][2]int64{{1559972350825, 0}, {1559255062002, 1559972350616}}},
		{1559901817310, 1559815417310, "TvnQoEoU", [][2]int64{{1559826729768, 0}, {1559345920964, 1559826728402}}},
	}
	for _, p := range published {
		for _, k := range p.connections {
			use.Connections = append(use.Connections, inventory.Connection{
				ClientID: p.client, Principal: id, ConnectedAt: at(k[0]), DisconnectedAt: at(k[1]),
			})
		}
	}
	inv := inventory.New(inventory.Contents{CertificateUses: []inventory.CertificateUse{use}})
	for _, p := range published {
		out := checktest.Run(t, connection.DeviceCertificateShared(inv), checktest.Case{
			Time: at(p.audit), Since: at(p.since),
			Want: []checktest.Finding{{Resource: model.ResourceIdentifier{DeviceCertificateID: id}, ReasonCode: shared}},
		})
		var want, got []model.RelatedResource
		for _, k := range p.connections {
			info := map[string]string{"CONNECTION_TIME": strconv.FormatInt(k[0], 10)}
			if k[1] != 0 {
				info["DISCONNECTION_TIME"] = strconv.FormatInt(k[1], 10)
			}
			want = append(want, relatedClient(p.client, info))
		}
		for _, r := range out.Findings[0].Related {
			if r.ResourceIdentifier.ClientID == p.client {
				got = append(got, r)
			}
		}
		require.Equal(t, want, got)
		require.Equal(t, "Certificate shared by one or more devices.", out.Findings[0].Reason)
	}
}

func TestDeviceCertificateSharedContract(t *testing.T) {
	connections := parseConnections(t, fleet)
	checktest.Contract(t, checktest.Case{Time: now, Since: now.Add(-day), WantScanned: 6, Want: []checktest.Finding{
		certificate("A", shared), certificate("B", notEvaluable), certificate("B", shared), certificate("F", notEvaluable),
	}}, func(k *checktest.Kit) checks.Check {
		inv := inventory.New(contents(connections))
		inv.CertificateUses = checktest.Source(k, inv.CertificateUses)
		return connection.DeviceCertificateShared(inv)
	})
}
