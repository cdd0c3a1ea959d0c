package permission_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetaudit/fleetaudit/checks/permission"
)

const (
	wildcardsInDeny = "POLICY_CONTAINS_MQTT_WILDCARDS_IN_DENY_STATEMENT"
	receivable      = "TOPIC_FILTERS_INTENDED_TO_DENY_ALLOWED_USING_WILDCARDS"
)

func TestIoTPolicyPotentialMisconfiguration(t *testing.T) {
	iotPolicyContract(t, permission.IoTPolicyPotentialMisconfiguration, "deny iot:Subscribe on topicfilter/#", wildcardsInDeny)
}

// TestIoTPolicyPotentialMisconfigurationWords: the reasons name the resources, sorted, and stay short however
// much the document has.
func TestIoTPolicyPotentialMisconfigurationWords(t *testing.T) {
	const (
		characters = "Policy contains MQTT wildcards in Deny statements, where they are plain characters: ["
		denied     = "Policy denies topic filters, but allows others that bring the same messages, and does not deny receiving them: ["
		filter     = "arn:aws:iot:us-east-1:123456789012:topicfilter/"
	)
	var many, listed []string
	for i := range 23 {
		many = append(many, fmt.Sprintf("topicfilter/%02d/#", 22-i))
		if i < 20 {
			listed = append(listed, filter+fmt.Sprintf("%02d/#", i))
		}
	}
	long := strings.Repeat("ü", 500) + "/#"
	for _, row := range []struct {
		document string
		want     map[string]string
	}{
		{"deny iot:Subscribe on topicfilter/b/#,topicfilter/c,topicfilter/a/+; allow iot:* on *; deny iot:* on topicfilter/b/d",
			map[string]string{
				wildcardsInDeny: characters + filter + "a/+, " + filter + "b/#].",
				receivable:      denied + filter + "b/d, " + filter + "c].",
			}},
		{"deny iot:Subscribe on " + strings.Join(many, ","),
			map[string]string{wildcardsInDeny: characters + strings.Join(listed, ", ") + ", and 3 more]."}},
		{"deny iot:Subscribe on topicfilter/" + long,
			map[string]string{wildcardsInDeny: characters + filter + long[:256-len(filter)-1] + "...]."}},
	} {
		got := policyReasons(t, permission.IoTPolicyPotentialMisconfiguration, policyVersion(t, "p", row.document))
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%.80s (-want +got):\n%s", row.document, diff)
		}
	}
}
