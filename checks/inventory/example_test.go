package inventory_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/connection"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// A folder of real files, some of them damaged.
func ExampleLoad() {
	fleet, err := inventory.Load(context.Background(), "testdata/fleet")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(fleet.DeviceCertificates), "device certificates,", len(fleet.CACertificates), "CA certificates,", len(fleet.CRLs), "CRLs")
	fmt.Println(len(fleet.PolicyVersions), "policy versions,", len(fleet.IdentityPools), "identity pools,", len(fleet.RoleAliases), "role aliases")
	fmt.Println(len(fleet.Clients), "clients,", len(fleet.Accounts), "accounts,", fleet.WeakKeys.Len(), "weak keys")
	for _, p := range fleet.Problems {
		fmt.Println(p)
	}
	// Output:
	// 12 device certificates, 8 CA certificates, 6 CRLs
	// 10 policy versions, 4 identity pools, 3 role aliases
	// 7 clients, 2 accounts, 6 weak keys
	// testdata/fleet/devices/damaged.pem:22: certificate does not parse: x509: malformed UTCTime
	// testdata/fleet/devices/damaged.pem:655: block "CERTIFICATE" has no END
	// testdata/fleet/policies/devices.json:3300: policies[4].policyDocument.Statement.Effect "allow" must be Allow or Deny
}

// Files from several places are one fleet: the registry's list says something about the certificates of a folder.
func ExampleLoader() {
	const list = `{"certificates": [{
		"certificateId": "d91c359694cb841c81e2504e4d42a35782f17e50fc1b89b69fa99df7bd37cd5a",
		"status": "REVOKED", "creationDate": "2024-01-10T12:00:00Z"}]}`
	ctx := context.Background()
	var l inventory.Loader
	for _, err := range []error{
		l.Load(ctx, "testdata/fleet/devices/bundle.pem"),
		l.LoadReader(ctx, strings.NewReader(list), "list-certificates"),
	} {
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	for _, c := range l.Loaded().DeviceCertificates {
		fmt.Println(c.Subject(), c.Status)
	}
	// Output:
	// O=Example Works,CN=thermostat-1 ACTIVE
	// O=Example Works,CN=thermostat-2 ACTIVE
	// O=Example Works,CN=lock-1 REVOKED
	// O=Example Works,CN=lock-2 ACTIVE
	// CN=meter-1 ACTIVE
}

// A fleet in memory, as a host makes it of what it knows. Its events come from a broker.
func ExampleNew() {
	lamp := inventory.NewPolicyVersion("lamp", "1", []byte(`{
		"Version": "2012-10-17",
		"Statement": {"Effect": "Allow", "Action": "iot:Publish", "Resource": "arn:aws:iot:eu-west-1:123456789012:topic/lamps/*"}
	}`))
	lamp.Targets = []string{"arn:aws:iot:eu-west-1:123456789012:thinggroup/lamps"}
	door := inventory.NewPolicyVersion("door", "1", []byte(`{"Statement": {"Effect": "allow"}}`))
	at := time.Date(2024, 5, 31, 8, 0, 0, 0, time.UTC)
	clients, uses := inventory.Connections([]inventory.ConnectionEvent{
		{ClientID: "lamp-1", Timestamp: at, EventType: inventory.EventConnected},
		{ClientID: "lamp-1", Timestamp: at.Add(time.Hour), EventType: inventory.EventDisconnected},
	})
	inv := inventory.New(inventory.Contents{
		PolicyVersions: []inventory.PolicyVersion{lamp, door},
		Clients:        clients, CertificateUses: uses,
		Accounts: []inventory.AccountSettings{{Account: "123456789012", Logging: inventory.LoggingOptions{LogLevel: inventory.LogLevelError}}},
	})

	pass := &checks.Pass{Time: at}
	for v, err := range inv.PolicyVersions.Read(context.Background(), pass) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if v.ParseError != "" {
			fmt.Println(v.Name, "does not parse:", v.ParseError)
			continue
		}
		fmt.Println(v.Name, v.Document.Statements[0].Actions)
	}
	for c, err := range inv.Clients.Read(context.Background(), pass) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(c.ID, "was connected for", c.Connections[0].DisconnectedAt.Sub(c.Connections[0].ConnectedAt))
	}
	// Output:
	// lamp [iot:Publish]
	// door does not parse: line 1, column 26: Statement.Effect "allow" must be Allow or Deny
	// lamp-1 was connected for 1h0m0s
}

// registry stands for a host's database of device certificates.
type registry struct{ rows [][]byte }

func (r registry) each(ctx context.Context) iter.Seq2[inventory.Certificate, error] {
	return func(yield func(inventory.Certificate, error) bool) {
		for _, der := range r.rows {
			c := inventory.NewCertificate(der, inventory.CertificateStatusActive)
			c.CreatedAt = time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC)
			if !yield(c, nil) {
				return
			}
		}
	}
}

// A host with a database gives a Source of its own for what is large, and the rest in memory.
func ExampleInventory() {
	fleet, err := inventory.Load(context.Background(), "testdata/fleet")
	if err != nil {
		fmt.Println(err)
		return
	}
	var db registry
	for _, c := range fleet.DeviceCertificates {
		db.rows = append(db.rows, c.Raw)
	}
	inv := inventory.New(inventory.Contents{CACertificates: fleet.CACertificates, CRLs: fleet.CRLs})
	inv.DeviceCertificates = &checks.Source[inventory.Certificate]{Name: "registry", All: db.each}

	pass := &checks.Pass{Time: time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC)}
	revocations, err := inv.Revocations(context.Background(), pass)
	if err != nil {
		fmt.Println(err)
		return
	}
	for c, err := range inv.DeviceCertificates.Read(context.Background(), pass) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if r := revocations.Of(c); r.Revoked {
			fmt.Println(c.Subject(), "revoked:", r.Reason, r.At.Format(time.DateOnly))
		}
	}
	// Output:
	// O=Example Works,CN=lock-1 revoked: keyCompromise 2024-05-01
	// O=Example Works,CN=lock-2 revoked: certificateHold 2024-05-20
	// CN=meter-1 revoked: unspecified 2024-03-15
	// CN=sensor-2,O=Nordlicht Sensors revoked: cessationOfOperation 2023-06-12
}

// table stands for a host's database table of device certificates, by id.
type table struct {
	rows []inventory.Certificate
	down bool
}

// page is what a host would ask its database: SELECT ... WHERE id > after AND id < end ORDER BY id LIMIT limit.
func (t *table) page(ctx context.Context, after, end string, limit int) ([]inventory.Certificate, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if t.down {
		return nil, errors.New("connection refused")
	}
	var page []inventory.Certificate
	for _, c := range t.rows {
		if c.ID > after && c.ID < end && len(page) < limit {
			page = append(page, c)
		}
	}
	return page, nil
}

// between streams the certificates of a range of ids, page by page. It holds one page at a time.
func (t *table) between(begin, end string) checks.Shard[inventory.Certificate] {
	const limit = 2
	return func(ctx context.Context) iter.Seq2[inventory.Certificate, error] {
		return func(yield func(inventory.Certificate, error) bool) {
			for after := begin; ; {
				page, err := t.page(ctx, after, end, limit)
				if err != nil {
					yield(inventory.Certificate{}, fmt.Errorf("certificates after %q: %w", after, err))
					return
				}
				for _, c := range page {
					if !yield(c, nil) {
						return
					}
					after = c.ID
				}
				if len(page) < limit {
					return
				}
			}
		}
	}
}

// A host with a database divides a table by its key, so that several connections read it at the same time, and reads
// each part in pages. Keys that are spread evenly make parts of one size, and the same ones in each audit.
func ExampleInventory_database() {
	fleet, err := inventory.Load(context.Background(), "testdata/fleet")
	if err != nil {
		fmt.Println(err)
		return
	}
	db := &table{rows: fleet.DeviceCertificates}
	slices.SortFunc(db.rows, func(a, b inventory.Certificate) int { return strings.Compare(a.ID, b.ID) })

	inv := inventory.New(inventory.Contents{CACertificates: fleet.CACertificates})
	inv.DeviceCertificates = &checks.Source[inventory.Certificate]{
		Name: "table of certificates",
		Shards: func(context.Context) (shards []checks.Shard[inventory.Certificate], err error) {
			bounds := []string{"", "4", "8", "c", "g"}
			for i := range len(bounds) - 1 {
				shards = append(shards, db.between(bounds[i], bounds[i+1]))
			}
			return shards, nil
		},
	}
	count := func(ctx context.Context) {
		n := 0
		for _, err := range inv.DeviceCertificates.Read(ctx, &checks.Pass{}) {
			if err != nil {
				fmt.Println(err)
				return
			}
			n++
		}
		fmt.Println(n, "certificates of", len(db.rows))
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	count(ctx)
	db.down = true // and the check's run is FAILED, not compliant
	count(ctx)
	cancel(errors.New("the audit was cancelled"))
	count(ctx)
	// Output:
	// 12 certificates of 12
	// source "table of certificates": certificates after "": connection refused
	// source "table of certificates": certificates after "": the audit was cancelled
}

// A broker tells a Recorder who connects, and an audit finds two devices with one client id.
func ExampleRecorder() {
	recorder, err := inventory.NewRecorder(inventory.RecorderConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	inv := inventory.New(inventory.Contents{})
	recorder.Attach(inv)
	e, err := engine.New(engine.Config{Checks: []checks.Check{connection.ConflictingClientIDs(inv)}, EnableAll: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer e.Close()

	// This is what the broker calls.
	connected := func(clientID, certificateID, session string, at time.Time) {
		err := recorder.Record(time.Now(), inventory.ConnectionEvent{
			ClientID: clientID, PrincipalIdentifier: certificateID, SessionIdentifier: session,
			Timestamp: at, EventType: inventory.EventConnected,
		})
		if err != nil {
			fmt.Println(err)
		}
	}
	first, second := strings.Repeat("1a", 32), strings.Repeat("2b", 32)
	connected("lamp", first, "s1", time.Now().Add(-3*time.Hour))
	connected("lock", first, "s2", time.Now().Add(-2*time.Hour))
	connected("lock", second, "s3", time.Now().Add(-time.Hour)) // and the first was still connected

	ctx := context.Background()
	task, err := e.StartOnDemandAuditTask(ctx, &model.StartOnDemandAuditTaskInput{TargetCheckNames: []string{"CONFLICTING_CLIENT_IDS_CHECK"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err = e.WaitAuditTask(ctx, task.TaskID); err != nil {
		fmt.Println(err)
		return
	}
	for f, err := range e.AuditFindings(ctx, &model.ListAuditFindingsInput{TaskID: task.TaskID}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(f.NonCompliantResource.ResourceIdentifier, f.ReasonForNonComplianceCode)
		for _, r := range f.RelatedResources {
			fmt.Printf("- %.8s..., %d times known\n", r.ResourceIdentifier.DeviceCertificateID, len(r.AdditionalInfo))
		}
	}
	stats := recorder.Stats()
	fmt.Println(stats.Clients, "clients,", stats.Connections, "connections,", stats.Dropped, "dropped")
	// Output:
	// lock DUPLICATE_CLIENT_ID_ACROSS_CONNECTIONS
	// - 2b2b2b2b..., 1 times known
	// - 1a1a1a1a..., 2 times known
	// 2 clients, 3 connections, 0 dropped
}
