package stores

import (
	"strconv"
	"strings"

	"github.com/fleetaudit/fleetaudit/model"
)

// resource is a resource identifier as a short key: which members are set, a bit each, and their texts. Of
// most identifiers that is one member, whose string it shares. In tuned stores it is a number alone.
type resource struct {
	number uint32
	text   string
}

func resourceOf(r *model.ResourceIdentifier) resource {
	var key resource
	for i, m := range [...]string{
		r.DeviceCertificateID, r.CACertificateID, r.CognitoIdentityPoolID, r.ClientID,
		r.PolicyVersionIdentifier.PolicyName, r.PolicyVersionIdentifier.PolicyVersionID,
		r.Account, r.IAMRoleARN, r.RoleAliasARN,
		r.IssuerCertificateIdentifier.IssuerCertificateSubject, r.IssuerCertificateIdentifier.IssuerID,
		r.IssuerCertificateIdentifier.IssuerCertificateSerialNumber, r.DeviceCertificateARN,
	} {
		switch {
		case m == "":
			continue
		case key.number == 0:
			key.text = m
		default:
			// The length keeps apart what two members say. The last one needs none.
			key.text = strings.Join([]string{strconv.Itoa(len(key.text)), key.text, m}, ":")
		}
		key.number |= 1 << i
	}
	return key
}
