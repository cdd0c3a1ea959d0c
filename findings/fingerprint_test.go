package findings_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

func TestFingerprintString(t *testing.T) {
	seen := make(map[string]bool) // the members of resource identifiers
	for _, row := range corpus(t, "fingerprints.txt") {
		cells := strings.Split(row, " | ")
		require.Len(t, cells, 4, row)
		fp := findings.Fingerprint{CheckName: strings.TrimSpace(cells[0]), ReasonCode: strings.TrimSpace(cells[2])}
		require.NoError(t, json.Unmarshal([]byte(cells[1]), &fp.Resource))
		if diff := cmp.Diff(cells[3], fp.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row, diff)
		}
		var resource map[string]json.RawMessage
		require.NoError(t, json.Unmarshal([]byte(cells[1]), &resource))
		for member := range resource {
			seen[member] = true
		}
	}
	require.Len(t, seen, reflect.TypeFor[model.ResourceIdentifier]().NumField(), "members that some row has")
}

func TestFingerprintOf(t *testing.T) {
	s := exampleStore()
	var got []findings.Fingerprint
	for f := range s.All(findings.Query{TaskID: "day-2"}) {
		got = append(got, findings.FingerprintOf(f))
	}
	policy := model.PolicyVersionIdentifier{PolicyName: "sensors", PolicyVersionID: "3"}
	if diff := cmp.Diff([]findings.Fingerprint{{
		CheckName:  "DEVICE_CERTIFICATE_EXPIRING_CHECK",
		Resource:   model.ResourceIdentifier{DeviceCertificateID: "c2"},
		ReasonCode: "CERTIFICATE_APPROACHING_EXPIRATION",
	}, {
		CheckName:  "IOT_POLICY_OVERLY_PERMISSIVE_CHECK",
		Resource:   model.ResourceIdentifier{PolicyVersionIdentifier: policy},
		ReasonCode: "ALLOWS_BROAD_ACCESS_TO_IOT_DATA_PLANE_ACTIONS",
	}}, got); diff != "" {
		t.Errorf("fingerprints (-want +got):\n%s", diff)
	}
}

// FuzzFingerprint reads fingerprints back from what they are encoded to, so that no two can share that.
func FuzzFingerprint(f *testing.F) {
	f.Add("C", "", "", "", "", "", "", "", "", "", "", "", "", "", "R")
	f.Add("", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "")
	f.Add("C\x01", "\x00\x00", strings.Repeat("x", 128), "", "", "", "", "", "", "", "", "", "", "\xff", "\x00")
	f.Fuzz(func(t *testing.T, check, a, b, c, d, e, g, h, i, j, k, l, m, n, code string) {
		fp := findings.Fingerprint{CheckName: check, ReasonCode: code, Resource: model.ResourceIdentifier{
			DeviceCertificateID: a, CACertificateID: b, CognitoIdentityPoolID: c, ClientID: d,
			PolicyVersionIdentifier: model.PolicyVersionIdentifier{PolicyName: e, PolicyVersionID: g},
			Account:                 h, IAMRoleARN: i, RoleAliasARN: j,
			IssuerCertificateIdentifier: model.IssuerCertificateIdentifier{
				IssuerCertificateSubject: k, IssuerID: l, IssuerCertificateSerialNumber: m,
			},
			DeviceCertificateARN: n,
		}}
		got, rest := findings.DecodeFingerprint(fp.Encode())
		if got != fp || len(rest) > 0 {
			t.Errorf("%d bytes are left of %q (-want +got):\n%s", len(rest), fp.Encode(), cmp.Diff(fp, got))
		}
	})
}
