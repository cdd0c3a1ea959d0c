package model

import (
	"reflect"
	"strings"
)

// ResourceType says what kind of thing a finding is about.
type ResourceType string

// The nine resource types.
const (
	ResourceTypeDeviceCertificate   ResourceType = "DEVICE_CERTIFICATE"
	ResourceTypeCACertificate       ResourceType = "CA_CERTIFICATE"
	ResourceTypeIoTPolicy           ResourceType = "IOT_POLICY"
	ResourceTypeCognitoIdentityPool ResourceType = "COGNITO_IDENTITY_POOL"
	ResourceTypeClientID            ResourceType = "CLIENT_ID"
	ResourceTypeAccountSettings     ResourceType = "ACCOUNT_SETTINGS"
	ResourceTypeRoleAlias           ResourceType = "ROLE_ALIAS"
	ResourceTypeIAMRole             ResourceType = "IAM_ROLE"
	ResourceTypeIssuerCertificate   ResourceType = "ISSUER_CERTIFICATE"
)

// Values lists every ResourceType.
func (ResourceType) Values() []ResourceType {
	return []ResourceType{
		ResourceTypeDeviceCertificate, ResourceTypeCACertificate, ResourceTypeIoTPolicy,
		ResourceTypeCognitoIdentityPool, ResourceTypeClientID, ResourceTypeAccountSettings,
		ResourceTypeRoleAlias, ResourceTypeIAMRole, ResourceTypeIssuerCertificate,
	}
}

// ResourceIdentifier names one resource, as a rule by the one member that fits its type. It is
// comparable: two identifiers name the same resource exactly when they are ==. The zero value names
// nothing.
type ResourceIdentifier struct {
	DeviceCertificateID         string                      `json:"deviceCertificateId,omitempty" aws:"CertificateId"`
	CACertificateID             string                      `json:"caCertificateId,omitempty" aws:"CertificateId"`
	CognitoIdentityPoolID       string                      `json:"cognitoIdentityPoolId,omitempty" aws:"CognitoIdentityPoolId"`
	ClientID                    string                      `json:"clientId,omitempty" aws:"ClientId"`
	PolicyVersionIdentifier     PolicyVersionIdentifier     `json:"policyVersionIdentifier,omitzero" aws:"PolicyVersionIdentifier"`
	Account                     string                      `json:"account,omitempty" aws:"AwsAccountId"`
	IAMRoleARN                  string                      `json:"iamRoleArn,omitempty" aws:"RoleArn"`
	RoleAliasARN                string                      `json:"roleAliasArn,omitempty" aws:"RoleAliasArn"`
	IssuerCertificateIdentifier IssuerCertificateIdentifier `json:"issuerCertificateIdentifier,omitzero" aws:"IssuerCertificateIdentifier"`
	DeviceCertificateARN        string                      `json:"deviceCertificateArn,omitempty" aws:"CertificateArn"`
}

// String names the resource for people: the values that are set, without their members' names
// ("my-policy:1").
func (r ResourceIdentifier) String() string {
	var parts []string
	v := reflect.ValueOf(r)
	for i := range v.NumField() {
		switch f := v.Field(i).Interface().(type) {
		case string:
			if f != "" {
				parts = append(parts, f)
			}
		case PolicyVersionIdentifier:
			if s := strings.Trim(f.PolicyName+":"+f.PolicyVersionID, ":"); s != "" {
				parts = append(parts, s)
			}
		case IssuerCertificateIdentifier:
			for _, s := range []string{f.IssuerCertificateSubject, f.IssuerID, f.IssuerCertificateSerialNumber} {
				if s != "" {
					parts = append(parts, s)
				}
			}
		}
	}
	return strings.Join(parts, " ")
}

// PolicyVersionIdentifier names one version of an IoT policy.
type PolicyVersionIdentifier struct {
	PolicyName      string `json:"policyName,omitempty" aws:"PolicyName"`
	PolicyVersionID string `json:"policyVersionId,omitempty" aws:"PolicyVersionId"`
}

// IssuerCertificateIdentifier names the certificate of an issuer.
type IssuerCertificateIdentifier struct {
	IssuerCertificateSubject      string `json:"issuerCertificateSubject,omitempty" aws:"IssuerCertificateSubject"`
	IssuerID                      string `json:"issuerId,omitempty" aws:"IssuerId"`
	IssuerCertificateSerialNumber string `json:"issuerCertificateSerialNumber,omitempty" aws:"IssuerCertificateSerialNumber"`
}

// NonCompliantResource is the resource that a finding is about.
type NonCompliantResource struct {
	ResourceType       ResourceType       `json:"resourceType,omitempty" aws:"ResourceType"`
	ResourceIdentifier ResourceIdentifier `json:"resourceIdentifier,omitzero" aws:"ResourceIdentifier"`
	AdditionalInfo     map[string]string  `json:"additionalInfo,omitempty" aws:"StringMap"`
}

// RelatedResource is a resource that has to do with a finding: the clients that share a certificate,
// the devices behind a revoked issuer.
type RelatedResource struct {
	ResourceType       ResourceType       `json:"resourceType,omitempty" aws:"ResourceType"`
	ResourceIdentifier ResourceIdentifier `json:"resourceIdentifier,omitzero" aws:"ResourceIdentifier"`
	AdditionalInfo     map[string]string  `json:"additionalInfo,omitempty" aws:"StringMap"`
}
