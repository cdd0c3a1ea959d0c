package findings_test

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// exampleStore has the audits of two days. On the first, two certificates expire; on the second, one of
// them still does, and a policy allows too much.
func exampleStore() *findings.Store {
	certificate := func(id string) findings.Finding {
		return findings.Finding{
			Resource: model.NonCompliantResource{
				ResourceType:       model.ResourceTypeDeviceCertificate,
				ResourceIdentifier: model.ResourceIdentifier{DeviceCertificateID: id},
			},
			ReasonCode: "CERTIFICATE_APPROACHING_EXPIRATION",
		}
	}
	policy := findings.Finding{
		Resource: model.NonCompliantResource{
			ResourceType: model.ResourceTypeIoTPolicy,
			ResourceIdentifier: model.ResourceIdentifier{PolicyVersionIdentifier: model.PolicyVersionIdentifier{
				PolicyName: "sensors", PolicyVersionID: "3",
			}},
		},
		ReasonCode: "ALLOWS_BROAD_ACCESS_TO_IOT_DATA_PLANE_ACTIONS",
	}
	s := findings.New()
	for day, found := range [][][]findings.Finding{
		{{certificate("c1"), certificate("c2")}, nil},
		{{certificate("c2")}, {policy}},
	} {
		start := time.Date(2026, 3, 1+day, 6, 0, 0, 0, time.UTC)
		task := fmt.Sprintf("day-%d", 1+day)
		err := s.Begin(findings.Audit{TaskID: task, StartTime: start})
		for i, check := range []string{"DEVICE_CERTIFICATE_EXPIRING_CHECK", "IOT_POLICY_OVERLY_PERMISSIVE_CHECK"} {
			run := findings.Run{
				TaskID: task, Ordinal: i, CheckName: check,
				Severity: model.AuditFindingSeverityMedium, Time: start.Add(time.Minute),
			}
			err = errors.Join(err, s.Append(run, found[i]))
		}
		if err != nil {
			panic(err)
		}
	}
	return s
}

func ExampleStore_Page() {
	s := exampleStore()
	q := findings.Query{Limit: 3}
	for {
		page, err := s.Page(q)
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, f := range page.Findings {
			fmt.Println(f.TaskID, f.NonCompliantResource.ResourceIdentifier)
		}
		if page.Next == "" {
			break
		}
		fmt.Println("--")
		q.Token = page.Next
	}
	// Output:
	// day-2 c2
	// day-2 sensors:3
	// day-1 c1
	// --
	// day-1 c2
}

// A token leads on only in the listing that it comes from.
func ExampleStore_Page_token() {
	s := exampleStore()
	page, err := s.Page(findings.Query{Limit: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = s.Page(findings.Query{TaskID: "day-1", Token: page.Next})
	invalid, ok := errors.AsType[*model.InvalidRequestException](err)
	fmt.Println(ok, invalid.Problems[0].Field, invalid.Problems[0].Reason)
	// Output: true nextToken is a token of another query
}

// What was found about one resource, over all audits.
func ExampleStore_All_resource() {
	s := exampleStore()
	for f := range s.All(findings.Query{Resource: model.ResourceIdentifier{DeviceCertificateID: "c2"}}) {
		fmt.Println(f.TaskID, f.CheckName, f.FindingTime.Format(time.DateTime))
	}
	// Output:
	// day-2 DEVICE_CERTIFICATE_EXPIRING_CHECK 2026-03-02 06:01:00
	// day-1 DEVICE_CERTIFICATE_EXPIRING_CHECK 2026-03-01 06:01:00
}

func ExampleStore_Get() {
	s := exampleStore()
	page, err := s.Page(findings.Query{CheckName: "IOT_POLICY_OVERLY_PERMISSIVE_CHECK"})
	if err != nil {
		fmt.Println(err)
		return
	}
	f, ok := s.Get(page.Findings[0].FindingID)
	fmt.Println(ok, f.ReasonForNonComplianceCode, f.Severity, *f.IsSuppressed)
	// Output: true ALLOWS_BROAD_ACCESS_TO_IOT_DATA_PLANE_ACTIONS MEDIUM false
}

func ExampleStore_Drop() {
	s := exampleStore()
	fmt.Println(s.Len())
	s.Drop("day-1")
	fmt.Println(s.Len())
	// Output:
	// 4
	// 2
}

// A mirror in a map. The program that keeps it remembers the audits, too.
func ExampleStore_Mirror() {
	mirror := make(map[string][]findings.Row)
	store := findings.New()
	store.Mirror()
	audit := findings.Audit{TaskID: "monday", StartTime: time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC), Order: 1}
	if err := store.Begin(audit); err != nil {
		panic(err)
	}
	txn := store.Txn()
	defer txn.Abort()
	err := txn.Append(findings.Run{TaskID: "monday", CheckName: "DEFAULT_PASSWORD_CHECK", Time: audit.StartTime}, []findings.Finding{{
		Resource:   model.NonCompliantResource{ResourceIdentifier: model.ResourceIdentifier{ClientID: "pump-2"}},
		ReasonCode: "DEFAULT_PASSWORD",
	}})
	if err != nil {
		panic(err)
	}
	for _, row := range txn.Rows() { // each of them is new
		mirror[row.Table] = append(mirror[row.Table], row)
	}
	txn.Commit()

	again := findings.New()
	if err := again.Begin(audit); err != nil {
		panic(err)
	}
	loader := again.Loader()
	for _, table := range []string{"chunk", "first", "run"} {
		for _, row := range mirror[table] {
			if err := loader.Add(row); err != nil {
				panic(err)
			}
		}
	}
	if err := loader.Done(); err != nil {
		panic(err)
	}
	for f := range again.All(findings.Query{}) {
		fmt.Println(f.TaskID, f.NonCompliantResource.ResourceIdentifier, f.ReasonForNonComplianceCode)
	}
	// Output: monday pump-2 DEFAULT_PASSWORD
}

func ExampleStore_Diff() {
	changes, err := exampleStore().Diff("day-1", "day-2")
	if err != nil {
		fmt.Println(err)
		return
	}
	for c := range changes {
		fmt.Println(c.State, c.Finding.NonCompliantResource.ResourceIdentifier)
	}
	// Output:
	// UNCHANGED c2
	// RESOLVED c1
	// NEW sensors:3
}

func ExampleStore_History() {
	h, ok := exampleStore().History(findings.Fingerprint{
		CheckName:  "DEVICE_CERTIFICATE_EXPIRING_CHECK",
		Resource:   model.ResourceIdentifier{DeviceCertificateID: "c1"},
		ReasonCode: "CERTIFICATE_APPROACHING_EXPIRATION",
	})
	fmt.Println(ok, h.State, h.FirstSeen.TaskID, h.LastSeen.TaskID, h.Resolved.TaskID)
	// Output: true RESOLVED day-1 day-1 day-2
}

func ExampleSuppressions() {
	march := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	resource := model.ResourceIdentifier{DeviceCertificateID: "c1"}
	s := findings.NewSuppressions(slices.Values([]model.AuditSuppression{{
		CheckName: "DEVICE_CERTIFICATE_EXPIRING_CHECK", ResourceIdentifier: resource, ExpirationDate: model.At(march),
	}}))
	fmt.Println(s.Match("DEVICE_CERTIFICATE_EXPIRING_CHECK", resource, march.Add(-1)))
	fmt.Println(s.Match("DEVICE_CERTIFICATE_EXPIRING_CHECK", resource, march))
	// Output:
	// true
	// false
}

// Tokens serve any other list as well: here the payload is the name of the last schedule shown.
func ExampleTokens() {
	tokens := findings.NewTokens()
	query := []byte("ListScheduledAudits")
	token := tokens.Seal(query, []byte("nightly"))

	payload, err := tokens.Open(query, token)
	fmt.Printf("%s %v\n", payload, err)
	_, err = tokens.Open([]byte("ListAuditTasks"), token)
	fmt.Println(err)
	_, err = tokens.Open(query, "made up")
	fmt.Println(err)
	// Output:
	// nightly <nil>
	// is a token of another query
	// is not a token that was given out here since the last start
}
