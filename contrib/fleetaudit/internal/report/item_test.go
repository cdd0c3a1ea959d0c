package report_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/report"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/terminal"
	"github.com/fleetaudit/fleetaudit/model"
)

// id makes a ResourceIdentifier of a kind.
func id(kind, name string) (id model.ResourceIdentifier) {
	switch kind {
	case "CERTIFICATE":
		id.DeviceCertificateID = name
	case "POLICY:VERSION":
		id.PolicyVersionIdentifier = model.PolicyVersionIdentifier{PolicyName: name, PolicyVersionID: "2"}
	case "IDENTITY POOL":
		id.CognitoIdentityPoolID = name
	case "ROLE ALIAS":
		id.RoleAliasARN = name
	case "CLIENT ID":
		id.ClientID = name
	case "IAM ROLE":
		id.IAMRoleARN = name
	case "ACCOUNT":
		id.Account = name
	}
	return id
}

// text is the report about one finding, from the reason on.
func text(r *report.Report, f model.AuditFinding, all bool) string {
	f.CheckName, f.Severity, f.ReasonForNonComplianceCode, f.ReasonForNonCompliance = "A_CHECK", "HIGH", "CODE", "Why."
	r.Findings = []report.Finding{{AuditFinding: f}}
	r.Specs = []checks.Spec{{Name: "A_CHECK", Severity: "HIGH"}}
	_, after, _ := strings.Cut(r.Text(terminal.Screen{Width: 100}, all), "CODE (1): Why.\n")
	before, _, _ := strings.Cut(after, "\nNo check ran")
	return before
}

const digest = "2e715088dbe63eae515ed5df7fce4485953129b61541e087ec7edb753e843f93"

// TestResources looks at how resources of each kind are named, and where they are said to be.
func TestResources(t *testing.T) {
	at := func(offset int64) inventory.Origin { return inventory.Origin{File: "fleet/f.json", Offset: offset} }
	loaded := inventory.Loaded{Contents: inventory.Contents{
		DeviceCertificates: []inventory.Certificate{{ID: digest, Origin: at(1)}},
		PolicyVersions:     []inventory.PolicyVersion{{Name: "p", VersionID: "1", Origin: at(2)}, {Name: "p", VersionID: "2", Origin: at(3)}},
		IdentityPools:      []inventory.IdentityPool{{ID: "eu-west-1:0a", Origin: at(4)}},
		RoleAliases:        []inventory.RoleAlias{{ARN: "arn:aws:iot:eu-west-1:123456789012:rolealias/a", Origin: at(5)}},
		Accounts:           []inventory.AccountSettings{{Account: "123456789012", Origin: at(6)}},
	}}
	for _, row := range []struct{ kind, name, want, place string }{
		{"CERTIFICATE", digest, digest[:12], "f.json:1"},
		{"CERTIFICATE", strings.Repeat("0", 64), "000000000000  (not loaded)", ""},
		{"CERTIFICATE", "short", "short", ""},
		{"POLICY:VERSION", "p", "p:2", "f.json:3"},
		{"POLICY:VERSION", "q", "q:2", ""},
		{"IDENTITY POOL", "eu-west-1:0a", "eu-west-1:0a", "f.json:4"},
		{"ROLE ALIAS", "arn:aws:iot:eu-west-1:123456789012:rolealias/a", "arn:aws:iot:eu-west-1:123456789012:rolealias/a", "f.json:5"},
		{"ACCOUNT", "123456789012", "123456789012", "f.json:6"},
		{"IAM ROLE", "arn:aws:iam::123456789012:role/r", "arn:aws:iam::123456789012:role/r", ""},
		{"CLIENT ID", "lock-7", "lock-7", ""},
		{"CLIENT ID", "123456789012", "123456789012", ""}, // and not the account
		{"CLIENT ID", digest, digest, ""},                 // and not the certificate
		// Two names that are not the same do not look the same, and none can move the cursor.
		{"CLIENT ID", "a  b", `a \x20b`, ""},
		{"CLIENT ID", " a ", `\x20a\x20`, ""},
		{"CLIENT ID", "a\u00a0b\u3000c", `a\u00a0b\u3000c`, ""},
		{"CLIENT ID", "a\tb\nc\x1b[2J", `a\x09b\x0ac\x1b[2J`, ""},
	} {
		t.Run(row.kind+" "+row.name, func(t *testing.T) {
			r := report.New([]string{"fleet"}, loaded)
			f := model.AuditFinding{NonCompliantResource: model.NonCompliantResource{ResourceIdentifier: id(row.kind, row.name)}}
			r.Findings = []report.Finding{{AuditFinding: f}}
			r.Name(loaded)
			got := strings.Split(text(r, f, false), "\n")
			if !strings.HasPrefix(got[0], "  "+row.kind) || !strings.HasPrefix(got[2], "  "+row.want) || !strings.HasSuffix(got[2], row.place) ||
				row.place == "" && got[2] != "  "+row.want {
				t.Errorf("want %s %s at %q:\n%s", row.kind, row.want, row.place, strings.Join(got, "\n"))
			}
		})
	}
}

// TestSubjects has the common name first, whatever its place in the subject.
func TestSubjects(t *testing.T) {
	for _, row := range []struct{ subject, want string }{
		{"CN=pump,O=Example", "CN=pump,O=Example"},
		{"C=DE,O=Example Works,CN=pump", "CN=pump,C=DE,O=Example Works"},
		{"C=DE,CN=pump,O=Example", "CN=pump,C=DE,O=Example"},
		{`O=Example\,CN=no,CN=pump`, `CN=pump,O=Example\,CN=no`},
		{`O=Example\\,CN=pump\,1`, `CN=pump\,1,O=Example\\`},
		{"SERIALNUMBER=1+CN=pump,O=Example", "SERIALNUMBER=1+CN=pump,O=Example"},
		{"O=Example", "O=Example"},
		{`O=Example\`, `O=Example\`},
	} {
		r := report.New([]string{"fleet"}, inventory.Loaded{})
		r.Resources[digest] = report.Resource{Subject: row.subject, File: "fleet/f", Offset: 1}
		got := text(r, model.AuditFinding{NonCompliantResource: model.NonCompliantResource{ResourceIdentifier: id("CERTIFICATE", digest)}}, false)
		if want := digest[:12] + "  " + row.want + "  f:1\n"; !strings.Contains(got, want) {
			t.Errorf("the text lacks %q:\n%s", want, got)
		}
	}
}

// TestRelated looks at the resources that are related to a finding's.
func TestRelated(t *testing.T) {
	connection := func(who model.ResourceIdentifier, info ...string) model.RelatedResource {
		r := model.RelatedResource{ResourceIdentifier: who, AdditionalInfo: map[string]string{}}
		for i := 0; i < len(info); i += 2 {
			r.AdditionalInfo[info[i]] = info[i+1]
		}
		return r
	}
	var eight []model.RelatedResource
	for i := range 8 {
		eight = append(eight, connection(id("CLIENT ID", fmt.Sprintf("meter-%d", i)), "CONNECTION_TIME", fmt.Sprint(1717142400000+i*1000)))
	}
	for _, row := range []struct {
		name    string
		related []model.RelatedResource
		all     bool
		want    string
	}{
		{"none", nil, false, ""},
		{"roles", []model.RelatedResource{{ResourceType: "IAM_ROLE", ResourceIdentifier: id("IAM ROLE", "arn:r")}}, false, `
  c concerns 1 IAM role:
    arn:r
`},
		{"of two kinds", []model.RelatedResource{
			{ResourceType: "IAM_ROLE", ResourceIdentifier: id("IAM ROLE", "arn:r")}, {ResourceType: "IOT_POLICY", ResourceIdentifier: id("POLICY:VERSION", "p")},
		}, false, `
  c concerns 2 resources:
    arn:r
    p:2
`},
		{"policies", []model.RelatedResource{
			{ResourceType: "IOT_POLICY", ResourceIdentifier: id("POLICY:VERSION", "p")}, {ResourceType: "IOT_POLICY", ResourceIdentifier: id("POLICY:VERSION", "q")},
		}, false, `
  c concerns 2 IoT policies:
    p:2
    q:2
`},
		{"connections", []model.RelatedResource{
			connection(id("CLIENT ID", "c"), "CONNECTION_TIME", "1717142400000", "PRINCIPAL_ID", "eu-west-1:0a"),
			connection(id("CERTIFICATE", digest), "DISCONNECTION_TIME", "1717142399999", "CONNECTION_TIME", "soon"),
		}, false, `
  c concerns 2 connections:
    ID            PRINCIPAL     CONNECTED (UTC)      DISCONNECTED (UTC)
    ────────────────────────────────────────────────────────────────────
    c             eu-west-1:0a  2024-05-31 08:00:00
    2e715088dbe6  (not loaded)  soon                 2024-05-31 07:59:59
`},
		{"many", eight, false, `
  c concerns 8 connections:
    CLIENT ID  CONNECTED (UTC)
    ──────────────────────────────
    meter-0    2024-05-31 08:00:00
    meter-1    2024-05-31 08:00:01
    meter-2    2024-05-31 08:00:02
    meter-3    2024-05-31 08:00:03
    meter-4    2024-05-31 08:00:04
    ... and 3 more (--all shows them)
`},
		{"all of many", eight[:7], true, `
  c concerns 7 connections:
    CLIENT ID  CONNECTED (UTC)
    ──────────────────────────────
    meter-0    2024-05-31 08:00:00
    meter-1    2024-05-31 08:00:01
    meter-2    2024-05-31 08:00:02
    meter-3    2024-05-31 08:00:03
    meter-4    2024-05-31 08:00:04
    meter-5    2024-05-31 08:00:05
    meter-6    2024-05-31 08:00:06
`},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := model.AuditFinding{RelatedResources: row.related, NonCompliantResource: model.NonCompliantResource{ResourceIdentifier: id("CLIENT ID", "c")}}
			got := text(report.New(nil, inventory.Loaded{}), f, row.all)
			if diff := cmp.Diff("  CLIENT ID\n  ─────────\n  c\n"+row.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
