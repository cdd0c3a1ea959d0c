package connection_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/connection"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

const (
	conflictingCheck = "CONFLICTING_CLIENT_IDS_CHECK"
	sharedCheck      = "DEVICE_CERTIFICATE_SHARED_CHECK"
)

// platform is an engine with both checks over what a broker tells.
type platform struct {
	*testing.T
	*inventory.Recorder
	*engine.Engine
	begin time.Time
}

func newPlatform(t *testing.T) *platform {
	r, err := inventory.NewRecorder(inventory.RecorderConfig{})
	require.NoError(t, err)
	inv := inventory.New(inventory.Contents{})
	r.Attach(inv)
	e, err := engine.New(engine.Config{
		Checks: []checks.Check{connection.ConflictingClientIDs(inv), connection.DeviceCertificateShared(inv)}, Spread: -1,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	return &platform{t, r, e, time.Now()}
}

// enable switches checks on or off.
func (p *platform) enable(on bool, names ...string) {
	p.Helper()
	in := &model.UpdateAccountAuditConfigurationInput{
		RoleARN:                  "arn:aws:iam::123456789012:role/audit",
		AuditCheckConfigurations: map[string]model.AuditCheckConfiguration{},
	}
	for _, name := range names {
		in.AuditCheckConfigurations[name] = model.AuditCheckConfiguration{Enabled: on}
	}
	_, err := p.UpdateAccountAuditConfiguration(p.Context(), in)
	require.NoError(p, err)
}

// tell records events of the first day: "lamp/A 03:30 connected" or "lamp/A 03:30 DUPLICATE_CLIENTID".
func (p *platform) tell(events ...string) {
	p.Helper()
	for _, words := range events {
		f := strings.Fields(words)
		require.Len(p, f, 3)
		clock, err := time.Parse("15:04", f[1])
		require.NoError(p, err)
		e := inventory.ConnectionEvent{EventType: inventory.EventConnected}
		id, who, _ := strings.Cut(f[0], "/")
		e.ClientID, e.PrincipalIdentifier = id, principal(who)
		e.Timestamp = p.begin.Add(time.Duration(clock.Hour())*hour + time.Duration(clock.Minute())*time.Minute)
		if f[2] != "connected" {
			e.EventType, e.DisconnectReason = inventory.EventDisconnected, inventory.DisconnectReason(f[2])
		}
		require.NoError(p, p.Record(time.Now(), e))
	}
	synctest.Wait()
}

// onDemand starts an audit.
func (p *platform) onDemand(names ...string) (taskID string) {
	p.Helper()
	out, err := p.StartOnDemandAuditTask(p.Context(), &model.StartOnDemandAuditTaskInput{TargetCheckNames: names})
	require.NoError(p, err)
	return out.TaskID
}

// due runs the schedule, which must be due.
func (p *platform) due() (taskID string) {
	p.Helper()
	ids, err := p.RunDue(p.Context(), time.Now())
	require.NoError(p, err)
	require.Len(p, ids, 1)
	return ids[0]
}

// want compares the checks of an audit, and behind each what it found, in the tests' notation.
func (p *platform) want(taskID string, want ...string) {
	p.Helper()
	synctest.Wait()
	out, err := p.DescribeAuditTask(p.Context(), &model.DescribeAuditTaskInput{TaskID: taskID})
	require.NoError(p, err)
	var got []string
	for name, details := range out.AuditDetails {
		words := []string{name, string(details.CheckRunStatus)}
		found, err := p.ListAuditFindings(p.Context(), &model.ListAuditFindingsInput{TaskID: taskID, CheckName: name})
		require.NoError(p, err)
		for _, f := range found.Findings {
			words = append(words, label(checks.Finding{Resource: f.NonCompliantResource, ReasonCode: f.ReasonForNonComplianceCode}))
		}
		slices.Sort(words[2:])
		got = append(got, strings.Join(words, " "))
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		p.Errorf("(-want +got):\n%s", diff)
	}
}

// TestEvents has the whole way from what a broker tells to findings.
func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const compliant, not, waiting = " COMPLETED_COMPLIANT", " COMPLETED_NON_COMPLIANT", " WAITING_FOR_DATA_COLLECTION"
		p := newPlatform(t)
		p.tell("early/A 00:00 connected") // nobody collects yet
		p.enable(true, conflictingCheck, sharedCheck)
		_, err := p.CreateScheduledAudit(t.Context(), &model.CreateScheduledAuditInput{
			ScheduledAuditName: "daily", Frequency: model.AuditFrequencyDaily, TargetCheckNames: []string{conflictingCheck, sharedCheck},
		})
		require.NoError(t, err)

		time.Sleep(4 * hour)
		first := p.due()
		p.want(first, conflictingCheck+waiting, sharedCheck+waiting)
		time.Sleep(hour)
		p.want(first, conflictingCheck+waiting, sharedCheck+waiting)
		p.tell("lamp/A 05:00 connected") // now there is data of clients
		p.want(first, conflictingCheck+compliant, sharedCheck+waiting)
		time.Sleep(hour)
		p.tell("lamp/A 00:10 connected") // and now there is of certificates, in their window
		p.want(first, conflictingCheck+compliant, sharedCheck+compliant)

		p.tell(
			"plug/A 00:20 connected",                           // with the certificate of lamp
			"lock/B 00:30 connected", "lock/C 01:00 connected", // two locks of one client id
			"lock/B 01:00 DUPLICATE_CLIENTID", "lock/B 01:01 connected",
			"lock/C 01:01 DUPLICATE_CLIENTID",
			"hub/D 00:30 connected", "hub/D 02:30 connected", // a copy of a hub
			"hub/D 02:30 DUPLICATE_CLIENTID",
			"door/E 00:40 connected", "door/E 01:40 CONNECTION_LOST", // it connects again
			"door/E 01:41 connected", "app/eu:1 00:40 connected",
		)
		p.want(p.onDemand(conflictingCheck, sharedCheck), conflictingCheck+not+" hub lock", sharedCheck+not+" A D")

		// The first run of the schedule was at 04:00, as of which it saw certificates until 02:00.
		p.tell("pump/F 03:00 connected", "pump/F 04:30 connected", "pump/F 04:30 DUPLICATE_CLIENTID")
		time.Sleep(20 * hour)
		p.want(p.due(), conflictingCheck+not+" pump", sharedCheck+not+" A D F")
		time.Sleep(24 * hour)
		p.want(p.due(), conflictingCheck+compliant, sharedCheck+not+" A")
		p.want(p.onDemand(conflictingCheck), conflictingCheck+not+" hub lock pump")

		// Disabling a check drops what was collected for it, and nothing else.
		_, err = p.DeleteScheduledAudit(t.Context(), &model.DeleteScheduledAuditInput{ScheduledAuditName: "daily"})
		require.NoError(t, err)
		p.enable(false, conflictingCheck)
		p.want(p.onDemand(sharedCheck), sharedCheck+not+" A D F")
		p.enable(true, conflictingCheck)
		again := p.onDemand(conflictingCheck, sharedCheck)
		p.want(again, conflictingCheck+waiting, sharedCheck+not+" A D F")
		p.tell("door/E 20:00 connected")
		p.want(again, conflictingCheck+compliant, sharedCheck+not+" A D F")
		p.want(p.onDemand(sharedCheck), sharedCheck+not+" A D F") // which knows that the door was connected before
		p.tell("door/E 20:30 connected", "door/E 20:30 DUPLICATE_CLIENTID")
		p.want(p.onDemand(conflictingCheck, sharedCheck), conflictingCheck+not+" door", sharedCheck+not+" A D E F")
		p.enable(false, conflictingCheck, sharedCheck)
		if diff := cmp.Diff(inventory.RecorderStats{}, p.Stats()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		p.tell("lock/B 20:00 connected", "lock/C 21:00 connected")
		p.enable(true, conflictingCheck, sharedCheck)
		p.want(p.onDemand(conflictingCheck, sharedCheck), conflictingCheck+waiting, sharedCheck+waiting)
	})
}

// TestBrokerRestarted has a thousand devices that connect anew when the broker has crashed, some with new client ids
// and some with those they had: they are in order if the crash is told, and only then.
func TestBrokerRestarted(t *testing.T) {
	const devices = 1000
	for _, told := range []bool{true, false} {
		for _, sessions := range []bool{true, false} {
			t.Run(fmt.Sprintf("told %v, sessions %v", told, sessions), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p := newPlatform(t)
					p.enable(true, conflictingCheck, sharedCheck)
					time.Sleep(10 * hour)
					each := func(boot int, at time.Duration, kind inventory.ConnectionEventType, reason inventory.DisconnectReason) {
						for i := range devices {
							e := inventory.ConnectionEvent{
								ClientID: fmt.Sprintf("device-%d", i), PrincipalIdentifier: fmt.Sprintf("%064x", i),
								Timestamp: p.begin.Add(at), EventType: kind, DisconnectReason: reason,
							}
							if i%2 == 0 {
								e.ClientID += fmt.Sprintf("-%d", boot)
							}
							if sessions {
								e.SessionIdentifier = fmt.Sprint(boot)
							}
							require.NoError(t, p.Record(time.Now(), e))
						}
					}
					want := func(when string, clients, certificates int) {
						t.Helper()
						id := p.onDemand(conflictingCheck, sharedCheck)
						synctest.Wait()
						out, err := p.DescribeAuditTask(t.Context(), &model.DescribeAuditTaskInput{TaskID: id})
						require.NoError(t, err)
						for name, n := range map[string]int{conflictingCheck: clients, sharedCheck: certificates} {
							require.EqualValues(t, n, out.AuditDetails[name].NonCompliantResourcesCount, "%s, %s", when, name)
						}
					}
					each(1, hour, inventory.EventConnected, "")
					if told {
						require.NoError(t, p.BrokerRestarted(p.begin.Add(2*hour)))
					}
					each(2, 2*hour+time.Minute, inventory.EventConnected, "")
					if told {
						want("when they are back", 0, 0)
					} else {
						want("when they are back", 0, devices/2)
					}
					// The broker finds what was open before it crashed, and says that it was taken over.
					each(1, 2*hour+time.Minute, inventory.EventDisconnected, inventory.DisconnectDuplicateClientID)
					if told {
						want("when the broker has ended the old connections", 0, 0)
					} else {
						want("when the broker has ended the old connections", devices, devices/2)
					}
				})
			})
		}
	}
}

// TestBrokerRestartedLate: the true ends of what ended before a crash come late, and change nothing.
func TestBrokerRestartedLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlatform(t)
		p.enable(true, conflictingCheck, sharedCheck)
		time.Sleep(10 * hour)
		p.tell("old/A 01:00 connected", "lock/B 01:00 connected", "new/A 02:01 connected", "lock/B 02:01 connected")
		require.NoError(t, p.BrokerRestarted(p.begin.Add(2*hour)))
		const compliant = " COMPLETED_COMPLIANT"
		p.want(p.onDemand(conflictingCheck, sharedCheck), conflictingCheck+compliant, sharedCheck+compliant)
		p.tell("old/A 01:59 CONNECTION_LOST", "lock/B 01:58 CONNECTION_LOST")
		p.want(p.onDemand(conflictingCheck, sharedCheck), conflictingCheck+compliant, sharedCheck+compliant)
		p.tell("new/A 03:00 CONNECTION_LOST", "lock/B 03:00 DUPLICATE_CLIENTID", "lock/C 03:00 connected") // which is another matter
		p.want(p.onDemand(conflictingCheck, sharedCheck), conflictingCheck+" COMPLETED_NON_COMPLIANT lock", sharedCheck+compliant)
	})
}
