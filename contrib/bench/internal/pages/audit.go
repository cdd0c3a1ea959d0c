package pages

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// kind is a check, and what its findings are like: with such resources, reasons and additional information as the checks
// of the library have.
type kind struct {
	name     string
	severity model.AuditFindingSeverity
	resource model.ResourceType
	code     string
	finding  func(i int) checks.Finding
}

func kinds() []kind {
	const second = 1_700_000_000
	millis := func(i int) string { return strconv.Itoa((second + 7919*i) * 1000) }
	certificate := func(i int) string { return fmt.Sprintf("%064x", uint64(i+1)*0x9e3779b97f4a7c15) }
	arn := "arn:aws:iot:eu-west-1:123456789012:"
	return []kind{
		{"DEVICE_CERTIFICATE_EXPIRING_CHECK", model.AuditFindingSeverityMedium, model.ResourceTypeDeviceCertificate,
			"CERTIFICATE_APPROACHING_EXPIRATION", func(i int) checks.Finding {
				return checks.Finding{
					Resource: model.NonCompliantResource{
						ResourceIdentifier: model.ResourceIdentifier{DeviceCertificateID: certificate(i), DeviceCertificateARN: arn + "cert/" + certificate(i)},
						AdditionalInfo:     map[string]string{"EXPIRATION_TIME": millis(i)},
					},
					Reason: "Certificate is approaching its expiration.",
				}
			}},
		{"DEVICE_CERTIFICATE_KEY_QUALITY_CHECK", model.AuditFindingSeverityCritical, model.ResourceTypeDeviceCertificate,
			"CERTIFICATE_KEY_VULNERABILITY_ROCA", func(i int) checks.Finding {
				return checks.Finding{
					Resource: model.NonCompliantResource{
						ResourceIdentifier: model.ResourceIdentifier{DeviceCertificateID: certificate(i)},
						AdditionalInfo:     map[string]string{"KEY_ALGORITHM": "RSA", "KEY_SIZE": "2048"},
					},
					Reason: "Key has the structure of keys that can be factored (\"ROCA\").",
				}
			}},
		{"DEVICE_CERTIFICATE_SHARED_CHECK", model.AuditFindingSeverityCritical, model.ResourceTypeDeviceCertificate,
			"CERTIFICATE_SHARED_BY_MULTIPLE_DEVICES", func(i int) checks.Finding {
				f := checks.Finding{
					Resource: model.NonCompliantResource{ResourceIdentifier: model.ResourceIdentifier{DeviceCertificateID: certificate(i)}},
					Reason:   "Certificate is used by several clients at once.",
				}
				for j := range 2 + i%4 {
					f.Related = append(f.Related, model.RelatedResource{
						ResourceType:       model.ResourceTypeClientID,
						ResourceIdentifier: model.ResourceIdentifier{ClientID: fmt.Sprintf("werk-süd/press-%d-%d", i, j)},
						AdditionalInfo:     map[string]string{"CONNECTION_TIME": millis(i), "DISCONNECTION_TIME": millis(i + j)},
					})
				}
				return f
			}},
		{"IOT_POLICY_OVERLY_PERMISSIVE_CHECK", model.AuditFindingSeverityCritical, model.ResourceTypeIoTPolicy,
			"ALLOWS_BROAD_ACCESS_TO_IOT_DATA_PLANE_ACTIONS", func(i int) checks.Finding {
				return checks.Finding{
					Resource: model.NonCompliantResource{ResourceIdentifier: model.ResourceIdentifier{
						PolicyVersionIdentifier: model.PolicyVersionIdentifier{PolicyName: fmt.Sprintf("press-%d", i), PolicyVersionID: "3"},
					}},
					Reason: "Policy allows broad access to IoT data plane actions: [iot:Subscribe, iot:Connect, iot:Publish].",
				}
			}},
		{"IOT_ROLE_ALIAS_OVERLY_PERMISSIVE_CHECK", model.AuditFindingSeverityCritical, model.ResourceTypeRoleAlias,
			"ALLOWS_ACCESS_TO_IOT_ADMIN_ACTIONS", func(i int) checks.Finding {
				return checks.Finding{
					Resource: model.NonCompliantResource{ResourceIdentifier: model.ResourceIdentifier{RoleAliasARN: arn + "rolealias/uploads-" + strconv.Itoa(i)}},
					Reason:   "Role allows access to IoT admin actions on <all> resources & accounts: [iot:CreateThing].",
					Related: []model.RelatedResource{{
						ResourceType:       model.ResourceTypeIAMRole,
						ResourceIdentifier: model.ResourceIdentifier{IAMRoleARN: "arn:aws:iam::123456789012:role/uploads-" + strconv.Itoa(i)},
					}},
				}
			}},
	}
}

// auditPages returns all pages of the findings of one audit, as the Engine lists them.
func auditPages(ctx context.Context, findings int) (pages []*model.ListAuditFindingsOutput, err error) {
	all := kinds()
	var list []checks.Check
	var names []string
	for i, k := range all {
		spec := checks.Spec{Name: k.name, Severity: k.severity, ResourceType: k.resource, ReasonCodes: []checks.ReasonCode{{Code: k.code}}}
		list = append(list, checks.New(spec, func(_ context.Context, pass *checks.Pass) error {
			for j := i; j < findings; j += len(all) {
				f := k.finding(j)
				f.Resource.ResourceType, f.ReasonCode = k.resource, k.code
				pass.Report(f)
			}
			return nil
		}))
		names = append(names, k.name)
	}
	e, err := engine.New(engine.Config{Checks: list, EnableAll: true, CheckTimeLimit: -time.Second})
	if err != nil {
		return nil, err
	}
	defer e.Close()
	task, err := e.StartOnDemandAuditTask(ctx, &model.StartOnDemandAuditTaskInput{TargetCheckNames: names})
	if err != nil {
		return nil, err
	}
	if _, err := e.WaitAuditTask(ctx, task.TaskID); err != nil {
		return nil, err
	}
	in := &model.ListAuditFindingsInput{TaskID: task.TaskID, MaxResults: new(int32(findingsAPage))}
	listed := 0
	for {
		page, err := e.ListAuditFindings(ctx, in)
		if err != nil {
			return nil, err
		}
		pages, listed = append(pages, page), listed+len(page.Findings)
		if in.NextToken = page.NextToken; in.NextToken == "" {
			break
		}
	}
	if listed != findings {
		return nil, fmt.Errorf("%d findings are listed, not %d", listed, findings)
	}
	return pages, nil
}
