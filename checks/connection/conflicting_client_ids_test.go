package connection_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/checktest"
	"github.com/fleetaudit/fleetaudit/checks/connection"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/model"
)

func client(id, code string) checktest.Finding {
	return checktest.Finding{Resource: model.ResourceIdentifier{ClientID: id}, ReasonCode: code}
}

// relatedClient and relatedCertificate are connections as findings list them, with their times if they have any.
func relatedClient(id string, info map[string]string) model.RelatedResource {
	return model.RelatedResource{
		ResourceType: model.ResourceTypeClientID, ResourceIdentifier: model.ResourceIdentifier{ClientID: id}, AdditionalInfo: info,
	}
}

func relatedCertificate(letter string, info map[string]string) model.RelatedResource {
	return model.RelatedResource{
		ResourceType:       model.ResourceTypeDeviceCertificate,
		ResourceIdentifier: model.ResourceIdentifier{DeviceCertificateID: principal(letter)}, AdditionalInfo: info,
	}
}

// TestConflictingClientIDsWords has whole findings. The audit is at 1717243200000.
func TestConflictingClientIDsWords(t *testing.T) {
	connections := parseConnections(t, "lamp/A -3h..-2h>B, lamp/B -2h-7ms..-90m, lamp/A -90m..-1h+1ns>eu:1, "+
		"lamp/eu:1 -1h..-30m, lamp/? -20m..-10m, lamp/F ..-5m, lamp/F -1ms..+1h>A, lamp/A +1h.., lamp/A -50d..-40d, "+
		"lamp/A .., lamp/? .., lamp/B -4h..>A, plug/A -3h..")
	want := []checks.Finding{
		{
			Resource: model.NonCompliantResource{
				ResourceType: model.ResourceTypeClientID, ResourceIdentifier: model.ResourceIdentifier{ClientID: "lamp"},
			},
			Reason: "Connections with neither a time of connection nor of disconnection: 2." +
				" Connections that were taken over, and have no time of disconnection: 1.",
			ReasonCode: notEvaluable,
		},
		{
			Resource: model.NonCompliantResource{
				ResourceType: model.ResourceTypeClientID, ResourceIdentifier: model.ResourceIdentifier{ClientID: "lamp"},
			},
			Related: []model.RelatedResource{
				relatedCertificate("F", map[string]string{"CONNECTION_TIME": "1717243199999"}),
				relatedCertificate("F", map[string]string{"DISCONNECTION_TIME": "1717242900000"}),
				relatedClient("lamp", map[string]string{"CONNECTION_TIME": "1717242000000", "DISCONNECTION_TIME": "1717242600000"}),
				relatedClient("lamp", map[string]string{
					"PRINCIPAL_ID": "eu:1", "CONNECTION_TIME": "1717239600000", "DISCONNECTION_TIME": "1717241400000",
				}),
				relatedCertificate("A", map[string]string{"CONNECTION_TIME": "1717237800000", "DISCONNECTION_TIME": "1717239600000"}),
				relatedCertificate("B", map[string]string{"CONNECTION_TIME": "1717235999993", "DISCONNECTION_TIME": "1717237800000"}),
				relatedCertificate("A", map[string]string{"CONNECTION_TIME": "1717232400000", "DISCONNECTION_TIME": "1717236000000"}),
			},
			Reason:     "Client ID is used by more than one connection at the same time.",
			ReasonCode: conflicting,
		},
	}
	inv := inventory.New(contents(connections))
	out := checktest.Run(t, connection.ConflictingClientIDs(inv), checktest.Case{
		Time: now, Want: []checktest.Finding{client("lamp", notEvaluable), client("lamp", conflicting)}, WantScanned: 2,
	})
	sameFindings(t, "lamp", want, out.Findings)
}

// TestConnectionsNotListed: a finding lists the newest thousand connections.
func TestConnectionsNotListed(t *testing.T) {
	for _, n := range []int{2, 1000, 1001, 2500} {
		var connections []inventory.Connection
		want := []checktest.Finding{client("lamp", conflicting)}
		for i := range n { // the newest first
			end, by := fmt.Sprintf("-%dm", i+120), "A"
			if i == 0 {
				end, by = "", ""
			}
			k := parseConnections(t, fmt.Sprintf("lamp/A -%dm..%s", i+121, end))[0]
			k.TakenOver, k.TakenOverBy = by != "", principal(by)
			connections = append(connections, k)
		}
		inv := inventory.New(contents(connections))
		out := checktest.Run(t, connection.ConflictingClientIDs(inv), checktest.Case{Time: now, Want: want})
		also := checktest.Run(t, connection.DeviceCertificateShared(inv), checktest.Case{
			Time: now, Want: []checktest.Finding{certificate("A", shared)},
		})
		for _, f := range []checks.Finding{out.Findings[0], also.Findings[0]} {
			listed := min(n, 1000)
			require.Len(t, f.Related, listed)
			for i, r := range f.Related {
				if got, want := r.AdditionalInfo["CONNECTION_TIME"], millis(connections[i].ConnectedAt); got != want {
					t.Fatalf("of %d, the connection that is listed as number %d is of %s, want %s", n, i, got, want)
				}
			}
			got, ok := f.Resource.AdditionalInfo["CONNECTIONS_NOT_LISTED"]
			if want := fmt.Sprint(n - listed); ok != (n > 1000) || ok && got != want {
				t.Errorf("of %d, %q are not listed, want %s", n, got, want)
			}
		}
	}
}

// fleet is connections with something for each check to find, and something that is in order.
const fleet = "lamp/A -5h..-4h>A, lamp/A -4h.., plug/B -5h.., plug/B .., hub/B -4h.., lock/C -5h..-4h>D, lock/D -4h.., " +
	"app/eu:1 -5h..-4h>?, app/eu:1 -4h.., door/E -5h..-4h, door/E -3h.., meter/F ..>A"

func TestConflictingClientIDsContract(t *testing.T) {
	connections := parseConnections(t, fleet)
	checktest.Contract(t, checktest.Case{Time: now, Since: now.Add(-day), WantScanned: 7, Want: []checktest.Finding{
		client("lamp", conflicting), client("plug", notEvaluable), client("lock", conflicting), client("app", conflicting),
		client("meter", notEvaluable),
	}}, func(k *checktest.Kit) checks.Check {
		inv := inventory.New(contents(connections))
		inv.Clients = checktest.Source(k, inv.Clients)
		return connection.ConflictingClientIDs(inv)
	})
}
