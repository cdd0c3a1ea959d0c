package model_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/fleetaudit/fleetaudit/model"
	"github.com/google/go-cmp/cmp"
)

func TestResourceIdentifierString(t *testing.T) {
	for _, row := range []struct {
		in   model.ResourceIdentifier
		want string
	}{
		{model.ResourceIdentifier{}, ""},
		{model.ResourceIdentifier{ClientID: "sensor-7"}, "sensor-7"},
		{model.ResourceIdentifier{Account: "123456789012"}, "123456789012"},
		{model.ResourceIdentifier{PolicyVersionIdentifier: model.PolicyVersionIdentifier{PolicyName: "p", PolicyVersionID: "1"}}, "p:1"},
		{model.ResourceIdentifier{PolicyVersionIdentifier: model.PolicyVersionIdentifier{PolicyName: "p"}}, "p"},
		{model.ResourceIdentifier{PolicyVersionIdentifier: model.PolicyVersionIdentifier{PolicyVersionID: "1"}}, "1"},
		{model.ResourceIdentifier{IssuerCertificateIdentifier: model.IssuerCertificateIdentifier{
			IssuerCertificateSubject: "CN=CA", IssuerID: "ab", IssuerCertificateSerialNumber: "01:02",
		}}, "CN=CA ab 01:02"},
		{model.ResourceIdentifier{DeviceCertificateID: "c", DeviceCertificateARN: "arn", ClientID: "x"}, "c x arn"},
	} {
		if diff := cmp.Diff(row.want, row.in.String()); diff != "" {
			t.Errorf("%#v (-want +got):\n%s", row.in, diff)
		}
	}
}

// TestResourceIdentifierNamesAll sets every string of an identifier: each makes it another identifier,
// and each is in its name.
func TestResourceIdentifierNamesAll(t *testing.T) {
	var r model.ResourceIdentifier
	n := fill(reflect.ValueOf(&r).Elem(), "x")
	if got := strings.Count(r.String(), "x"); got != n {
		t.Errorf("%d of %d values are in %q", got, n, r)
	}
}
