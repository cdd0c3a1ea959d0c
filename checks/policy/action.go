package policy

import (
	"slices"
	"strings"
)

// The classes that AWS's pages about its checks of roles put the actions of AWS IoT into. Actions that are in none
// belong to the last one, of what is no thing: policies, certificates, jobs, rules, settings.

// thingAdminWrite are actions that change things. Two of them only read, but AWS lists them here.
var thingAdminWrite = []string{
	"iot:AddThingToThingGroup", "iot:AttachThingPrincipal", "iot:CreateThing", "iot:DeleteThing",
	"iot:DetachThingPrincipal", "iot:ListThings", "iot:ListThingsInThingGroup", "iot:RegisterThing",
	"iot:RemoveThingFromThingGroup", "iot:UpdateThing", "iot:UpdateThingGroupsForThing",
}

// thingAdminRead are actions that read about one thing.
var thingAdminRead = []string{
	"iot:DescribeThing", "iot:ListJobExecutionsForThing", "iot:ListThingGroupsForThing", "iot:ListThingPrincipals",
}

// dataPlane are the actions with which devices work, and what their resources are. The first ten stand in the
// order of AWS's messages, which is that in which a Java HashSet of their names has them: the samples show six
// of them. The others are not named by AWS's pages; they reach the same data.
var dataPlane = []struct {
	action string
	noun   noun
}{
	{"iot:Subscribe", topicFilter},
	{"iot:StartNextPendingJobExecution", thing},
	{"iot:Connect", client},
	{"iot:UpdateJobExecution", thing},
	{"iot:GetThingShadow", thing},
	{"iot:DeleteThingShadow", thing},
	{"iot:UpdateThingShadow", thing},
	{"iot:Publish", topic},
	{"iot:DescribeJobExecution", thing},
	{"iot:GetPendingJobExecutions", thing},
	{"iot:GetRetainedMessage", topic},
	{"iot:ListRetainedMessages", topic},
	{"iot:ListNamedShadowsForThing", thing},
	{"iotjobsdata:DescribeJobExecution", thing},
	{"iotjobsdata:GetPendingJobExecutions", thing},
	{"iotjobsdata:StartNextPendingJobExecution", thing},
	{"iotjobsdata:UpdateJobExecution", thing},
}

// harmless are data plane actions that are never too broad: what is received was subscribed to, and what is
// retained was published.
var harmless = []string{"iot:Receive", "iot:RetainPublish"}

// mqtt are the actions, in lower case, whose resources are topics or topic filters.
var mqtt = []string{"iot:subscribe", "iot:receive", "iot:publish", "iot:retainpublish", "iot:getretainedmessage"}

// nonThingAdmin returns the actions of AWS IoT's API that are in no other class, as of 2026.
func nonThingAdmin() []string {
	all := strings.Fields(nonThingAdminNames)
	for i := range all {
		all[i] = "iot:" + all[i]
	}
	return all
}

// allActions returns every action that is known, of all classes.
func allActions() []string {
	all := slices.Concat(thingAdminWrite, thingAdminRead, harmless, nonThingAdmin())
	for _, a := range dataPlane {
		all = append(all, a.action)
	}
	return all
}

const nonThingAdminNames = `
AcceptCertificateTransfer AddThingToBillingGroup AssociateSbomWithPackageVersion AssociateTargetsWithJob
AttachPolicy AttachPrincipalPolicy AttachSecurityProfile CancelAuditMitigationActionsTask CancelAuditTask
CancelCertificateTransfer CancelDetectMitigationActionsTask CancelJob CancelJobExecution ClearDefaultAuthorizer
ConfirmTopicRuleDestination CreateAuditSuppression CreateAuthorizer CreateBillingGroup CreateCertificateFromCsr
CreateCertificateProvider CreateCommand CreateCustomMetric CreateDimension CreateDomainConfiguration
CreateDynamicThingGroup CreateFleetMetric CreateJob CreateJobTemplate CreateKeysAndCertificate
CreateMitigationAction CreateOTAUpdate CreatePackage CreatePackageVersion CreatePolicy CreatePolicyVersion
CreateProvisioningClaim CreateProvisioningTemplate CreateProvisioningTemplateVersion CreateRoleAlias
CreateScheduledAudit CreateSecurityProfile CreateStream CreateThingGroup CreateThingType CreateTopicRule
CreateTopicRuleDestination DeleteAccountAuditConfiguration DeleteAuditSuppression DeleteAuthorizer
DeleteBillingGroup DeleteCACertificate DeleteCertificate DeleteCertificateProvider DeleteCommand
DeleteCommandExecution DeleteCustomMetric DeleteDimension DeleteDomainConfiguration DeleteDynamicThingGroup
DeleteFleetMetric DeleteJob DeleteJobExecution DeleteJobTemplate DeleteMitigationAction DeleteOTAUpdate
DeletePackage DeletePackageVersion DeletePolicy DeletePolicyVersion DeleteProvisioningTemplate
DeleteProvisioningTemplateVersion DeleteRegistrationCode DeleteRoleAlias DeleteScheduledAudit DeleteSecurityProfile
DeleteStream DeleteThingGroup DeleteThingType DeleteTopicRule DeleteTopicRuleDestination DeleteV2LoggingLevel
DeprecateThingType DescribeAccountAuditConfiguration DescribeAuditFinding DescribeAuditMitigationActionsTask
DescribeAuditSuppression DescribeAuditTask DescribeAuthorizer DescribeBillingGroup DescribeCACertificate
DescribeCertificate DescribeCertificateProvider DescribeCustomMetric DescribeDefaultAuthorizer
DescribeDetectMitigationActionsTask DescribeDimension DescribeDomainConfiguration DescribeEncryptionConfiguration
DescribeEndpoint DescribeEventConfigurations DescribeFleetMetric DescribeIndex DescribeJob DescribeJobTemplate
DescribeManagedJobTemplate DescribeMitigationAction DescribeProvisioningTemplate DescribeProvisioningTemplateVersion
DescribeRoleAlias DescribeScheduledAudit DescribeSecurityProfile DescribeStream DescribeThingGroup
DescribeThingRegistrationTask DescribeThingType DetachPolicy DetachPrincipalPolicy DetachSecurityProfile
DisableTopicRule DisassociateSbomFromPackageVersion EnableTopicRule GetBehaviorModelTrainingSummaries
GetBucketsAggregation GetCardinality GetCommand GetCommandExecution GetEffectivePolicies GetIndexingConfiguration
GetJobDocument GetLoggingOptions GetOTAUpdate GetPackage GetPackageConfiguration GetPackageVersion GetPercentiles
GetPolicy GetPolicyVersion GetRegistrationCode GetStatistics GetThingConnectivityData GetTopicRule
GetTopicRuleDestination GetV2LoggingOptions ListActiveViolations ListAttachedPolicies ListAuditFindings
ListAuditMitigationActionsExecutions ListAuditMitigationActionsTasks ListAuditSuppressions ListAuditTasks
ListAuthorizers ListBillingGroups ListCACertificates ListCertificateProviders ListCertificates ListCertificatesByCA
ListCommandExecutions ListCommands ListCustomMetrics ListDetectMitigationActionsExecutions
ListDetectMitigationActionsTasks ListDimensions ListDomainConfigurations ListFleetMetrics ListIndices
ListJobExecutionsForJob ListJobTemplates ListJobs ListManagedJobTemplates ListMetricValues ListMitigationActions
ListOTAUpdates ListOutgoingCertificates ListPackageVersions ListPackages ListPolicies ListPolicyPrincipals
ListPolicyVersions ListPrincipalPolicies ListPrincipalThings ListPrincipalThingsV2 ListProvisioningTemplateVersions
ListProvisioningTemplates ListRelatedResourcesForAuditFinding ListRoleAliases ListSbomValidationResults
ListScheduledAudits ListSecurityProfiles ListSecurityProfilesForTarget ListStreams ListTagsForResource
ListTargetsForPolicy ListTargetsForSecurityProfile ListThingGroups ListThingPrincipalsV2
ListThingRegistrationTaskReports ListThingRegistrationTasks ListThingTypes ListThingsInBillingGroup
ListTopicRuleDestinations ListTopicRules ListV2LoggingLevels ListViolationEvents PutVerificationStateOnViolation
RegisterCACertificate RegisterCertificate RegisterCertificateWithoutCA RejectCertificateTransfer
RemoveThingFromBillingGroup ReplaceTopicRule SearchIndex SetDefaultAuthorizer SetDefaultPolicyVersion
SetLoggingOptions SetV2LoggingLevel SetV2LoggingOptions StartAuditMitigationActionsTask
StartDetectMitigationActionsTask StartOnDemandAuditTask StartThingRegistrationTask StopThingRegistrationTask
TagResource TestAuthorization TestInvokeAuthorizer TransferCertificate UntagResource UpdateAccountAuditConfiguration
UpdateAuditSuppression UpdateAuthorizer UpdateBillingGroup UpdateCACertificate UpdateCertificate
UpdateCertificateProvider UpdateCommand UpdateCustomMetric UpdateDimension UpdateDomainConfiguration
UpdateDynamicThingGroup UpdateEncryptionConfiguration UpdateEventConfigurations UpdateFleetMetric
UpdateIndexingConfiguration UpdateJob UpdateMitigationAction UpdatePackage UpdatePackageConfiguration
UpdatePackageVersion UpdateProvisioningTemplate UpdateRoleAlias UpdateScheduledAudit UpdateSecurityProfile
UpdateStream UpdateThingGroup UpdateThingType UpdateTopicRuleDestination ValidateSecurityProfileBehaviors`
